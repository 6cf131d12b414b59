/* SPDX-License-Identifier: MIT */
/*
 * What is known of a gate and its runs: filled by the engine, read by the reports. Every text
 * that came from a provider was cleaned and starred on its way in (engine/result.c), so a report
 * only has to escape it for its own format.
 *
 * Times are milliseconds: "at" and "started" and "finished" of the wall clock (0: not reached),
 * durations of the monotonic one (-1: not known).
 */
#ifndef RUNGATE_ENGINE_RESULT_H
#define RUNGATE_ENGINE_RESULT_H

#include "base/base.h"
#include "engine/verdict.h"
#include "pipeline/outcome.h"

struct state_change {
    char *state; /* the label of the provider's rule, or ours: "WAITING", "STARTING" */
    int64_t at;
};

/* One test that the provider reported. */
struct test_result {
    char *name;           /* never NULL or empty */
    enum outcome outcome; /* passed, failed, error, skipped, ...; unknown if none was told */
    char *state;          /* the label of the rule that decided; may be NULL */
    char *message;        /* one line; may be NULL */
    char *detail;         /* many lines; may be NULL */
    int64_t duration_ms;
};

struct property {
    char *name, *value;
};

/*
 * One remote run. A start usually makes one; where it makes several, each is polled on its own
 * and their outcomes are folded into one.
 */
struct remote_run {
    char *id;
    char *url;            /* may be NULL */
    enum outcome outcome; /* running until its end was seen */
    char *state;          /* the last label seen; may be NULL */
    char *reason;         /* may be NULL */
    struct test_result *tests;
    size_t test_count, test_cap;
    struct property *properties;
    size_t property_count, property_cap;
};

/* An attempt that was followed by another. */
struct past_attempt {
    enum outcome outcome;
    char *reason, *run_id, *url; /* may be NULL */
    int64_t started, finished;
};

struct run_result {
    const char *name;     /* of the pipeline file */
    const char *provider; /* its name */
    const char *title;    /* the provider's title */
    char *host;           /* where the provider is reached, without port */
    bool required;

    enum outcome outcome;   /* what happened; unknown until the run is over */
    enum outcome counts_as; /* what the gate makes of it: an on_... key can turn the outcome into
                               passed or failed; else the same as outcome */
    const char *mapped_by;  /* the key that did: "on_skipped"; else NULL */
    bool not_started;       /* it was never started: its needs failed, or the gate was over */
    char *reason;           /* why it ended as it did, one line; NULL for a plain pass */
    char *state;            /* the last state seen; never NULL once started */
    char *run_id;           /* ids joined by ","; NULL if none is known */
    char *url;              /* of the first remote run; may be NULL */
    bool attached;          /* watched, not started by us */
    bool flaky;             /* passed in a later attempt */
    int attempt;            /* 1 for the first; 0 if never started */
    int64_t started, finished, duration_ms;
    int64_t polls;    /* status requests sent, over all attempts */
    int64_t requests; /* requests of all kinds sent, over all attempts */

    struct state_change *states;
    size_t state_count, state_cap;
    struct remote_run *remotes;
    size_t remote_count, remote_cap;
    struct past_attempt *past;
    size_t past_count, past_cap;
    char **warnings; /* what a person should know: could not be cancelled, details unreadable */
    size_t warning_count, warning_cap;
};

struct gate_result {
    enum verdict verdict;
    int exit_code;
    char *trouble; /* what went wrong with the gate itself: a signal, a deadline, a report that
                      could not be written; NULL if nothing did */
    int64_t started, finished, duration_ms;
    struct run_result *runs; /* in the order of the pipeline file */
    size_t run_count;
};

/*
 * A copy of text from outside, cleaned (base/text.h) and with secrets starred; NULL for NULL.
 * Folded texts are one line of at most 1,000 bytes, others at most 64 KiB.
 */
char *result_text(const char *text, bool fold) USE_RESULT;

/* Replaces *slot by result_text of the arguments. */
void result_set(char **slot, const char *text, bool fold);

/* Notes a state if it differs from the last one; true if it did. */
bool result_note_state(struct run_result *r, const char *state, int64_t at);

/* Adds a warning unless it is there already. */
void result_warn(struct run_result *r, const char *format, ...) PRINTF_LIKE(2, 3);

/* One more remote run, which goes on until its end is seen; it belongs to r. */
struct remote_run *result_add_remote(struct run_result *r, const char *id);

/* One more test, of which nothing is known yet; it belongs to the remote run. */
struct test_result *result_add_test(struct remote_run *remote);

/* Forgets what belongs to one attempt (remote runs, reason, ids), keeps the counters. */
void result_reset_attempt(struct run_result *r);

void result_free_run(struct run_result *r);

/*
 * Says on standard error, without allocating, which remote runs of a gate may still be going and
 * which starts may have made one: for base/mem, when memory is exhausted. user is the gate_result.
 */
void result_last_words(void *user);

#endif
