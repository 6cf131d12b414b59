/* SPDX-License-Identifier: MIT */
/*
 * The gate: the one event loop that runs any number of runs at once. It turns the actions of
 * engine/run.h into requests and timers, and replies, timers and signals into its events.
 */
#ifndef RUNGATE_ENGINE_GATE_H
#define RUNGATE_ENGINE_GATE_H

#include "base/base.h"
#include "base/err.h"
#include "engine/journal.h"
#include "engine/result.h"
#include "net/http.h"
#include "pipeline/pipeline.h"
#include "provider/bind.h"

/* What only the loop knows of a run that is under way. */
struct live_run {
    int64_t elapsed_ms;   /* -1: not started */
    int64_t expected_ms;  /* the whole duration; -1: not known */
    int64_t next_poll_ms; /* from now; -1: a request is under way, or none is due */
};

enum message_level { MESSAGE_NOTE, MESSAGE_WARNING, MESSAGE_ERROR };

/* Who is told what happens, while it happens. Every function may be NULL. */
struct observer {
    void *user;
    /* The state of a run changed, or it is over (its outcome is set then). */
    void (*changed)(void *user, const struct gate_result *g, size_t run, int64_t wall_ms,
                    int64_t elapsed_ms);
    /* One of the several remote runs of a run is over. */
    void (*child_over)(void *user, const struct gate_result *g, size_t run, size_t remote,
                       int64_t wall_ms, int64_t elapsed_ms);
    /* heartbeat_ms have passed without a word. */
    void (*heartbeat)(void *user, const struct gate_result *g, const struct live_run *live,
                      int64_t wall_ms);
    /* Called about every live_every_ms, unless that is 0. */
    void (*live)(void *user, const struct gate_result *g, const struct live_run *live);
    int64_t live_every_ms;
    void (*message)(void *user, enum message_level level, const char *text);
    http_trace_fn *trace; /* tag is the number of the run */
};

enum gate_mode {
    GATE_RUN,   /* start what is not watched, and wait */
    GATE_START, /* start what is not watched, and do not wait; the exit code is 0 if all exist */
    GATE_WATCH, /* start nothing: runs without an id are a mistake of the caller */
    GATE_ONCE,  /* one poll each, and its details where a pass depends on them; no waiting, nothing
                   is cancelled */
    GATE_CANCEL /* cancel what is watched; the exit code is 0 if nothing is left running */
};

struct gate_options {
    enum gate_mode mode;
    const struct pipeline *pipeline;
    const struct binding *bindings; /* one a run of the pipeline, selected or not */
    const char *const *attach;      /* one a run: the ids to watch instead of starting, or NULL */
    struct journal *journal;        /* where starts are recorded; NULL: nowhere */
    const struct journal_entry *const *resume; /* one a run: what an earlier gate started and this
                                                  one takes up, or NULL; attach beats it */
    struct observer observer;
    int signal_fd;                  /* readable when a signal came: one byte each, its number */
    const char *(*getenv)(const char *name);
    uint64_t seed;                  /* of jitter and idempotency keys; must differ between gates */
};

/*
 * Runs the selected runs of the pipeline to their end and fills g, verdict and exit code included;
 * runs that are not selected do not appear in it. -1 with err if it could not begin at all; g is
 * then filled as far as reports need it. Free g with gate_result_free.
 */
int gate_run(struct gate_result *g, const struct gate_options *options, struct err *e) USE_RESULT;
void gate_result_free(struct gate_result *g);

#endif
