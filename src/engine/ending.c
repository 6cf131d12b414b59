/* SPDX-License-Identifier: MIT */
/* Owns the words for every way in which a run can end. It must not change how it ended. */
#include "base/base.h"

#include "base/clock.h"
#include "base/num.h"
#include "engine/ending.h"

#include <strings.h>

static void add_stop_words(struct buf *b, const struct gate *g, const struct member *m)
{
    switch (m->life.stop) {
    case STOP_SIGNAL:
    case STOP_NOW:
        buf_addf(b, "interrupted by %s", gate_signal_name(g->signal_number));
        break;
    case STOP_GATE_DEADLINE:
        buf_adds(b, "the gate's deadline (");
        num_add_duration(b, g->options->pipeline->gate.timeout_ms);
        buf_adds(b, ") passed");
        break;
    case STOP_FAIL_FAST:
        buf_adds(b, "another run failed (fail_fast)");
        break;
    case STOP_DECIDED:
        buf_adds(b, "the gate was decided without it");
        break;
    case STOP_ASKED:
        buf_adds(b, "asked to cancel it");
        break;
    case STOP_INTERNAL:
        buf_adds(b, "memory ran out");
        break;
    case STOP_NONE:
        break;
    }
}

/* The reasons that the provider gave for its remote runs, the first that there is. */
static const char *provider_reason(const struct run_result *r)
{
    for (size_t i = 0; i < r->remote_count; i++) {
        if (r->remotes[i].reason && r->remotes[i].outcome != OUTCOME_PASSED)
            return r->remotes[i].reason;
    }
    return NULL;
}

/* "2 of 7 tests failed", if the provider reported tests of which some did. */
static void add_failed_tests(struct buf *b, const struct run_result *r)
{
    size_t tests = 0, failed = 0;

    for (size_t i = 0; i < r->remote_count; i++) {
        tests += r->remotes[i].test_count;
        for (size_t j = 0; j < r->remotes[i].test_count; j++)
            failed += r->remotes[i].tests[j].outcome == OUTCOME_FAILED ? 1 : 0;
    }
    if (failed)
        buf_addf(b, "%s%zu of %zu test%s failed", b->len ? ": " : "", failed, tests,
                 tests == 1 ? "" : "s");
}

static size_t not_passed(const struct run_result *r)
{
    size_t count = 0;

    for (size_t i = 0; i < r->remote_count; i++)
        count += r->remotes[i].outcome != OUTCOME_PASSED ? 1 : 0;
    return count;
}

static void add_seen_words(struct buf *b, const struct member *m)
{
    const struct run_result *r = m->result;
    const char *reason = provider_reason(r);

    if (m->life.outcome == OUTCOME_PASSED && m->life.gave_up_as == OUTCOME_TIMED_OUT)
        buf_adds(b, "it passed, but only after the deadline");
    else if (m->life.outcome == OUTCOME_PASSED && m->life.gave_up_as == OUTCOME_ERROR)
        buf_adds(b, "it was seen to pass only after it was given up");
    if (m->life.outcome == OUTCOME_PASSED || m->life.outcome == OUTCOME_RUNNING)
        return;
    if (m->life.outcome == OUTCOME_EMPTY)
        buf_adds(b, "it passed, but ran no test");
    else if (m->life.refused)
        buf_addf(b, "%zu of %zu runs were refused by the provider", m->life.refused,
                 m->life.refused + r->remote_count);
    else if (r->remote_count > 1)
        buf_addf(b, "%zu of %zu runs did not pass", not_passed(r), r->remote_count);
    else if (r->state && strcasecmp(r->state, outcome_name(m->life.outcome)) != 0)
        buf_addf(b, "%s", r->state);
    add_failed_tests(b, r);
    if (reason)
        buf_addf(b, "%s%s", b->len ? ": " : "", reason);
}

/* For a run that nobody knows the id of. */
static void add_where_to_look(struct buf *b, const struct gate *g, const struct member *m)
{
    const char *title = m->binding->provider->title;

    buf_adds(b, "a run may exist");
    if (m->cause && m->problem) /* it was looked up, and this came of it */
        buf_addf(b, ", but could not be found (%s)", m->problem);
    buf_addf(b, ". Look for it at %s%s%s, started about ", title ? title : "", title ? ", " : "",
             m->binding->base_url);
    clock_add_iso(b, m->result->started, false);
    if (g->options->journal)
        buf_adds(b, "; no other is started until then, unless with --fresh");
}

static void add_ending_words(struct buf *b, const struct gate *g, const struct member *m)
{
    const char *problem = m->cause ? m->cause : m->problem ? m->problem : "no answer";

    switch (m->life.ending) {
    case ENDING_NONE:
        break;
    case ENDING_SEEN:
        add_seen_words(b, m);
        break;
    case ENDING_NOT_STARTED:
        buf_adds(b, m->result->attempt ? "" : "not started: ");
        if (m->life.stop == STOP_NONE)
            buf_adds(b, "its deadline passed");
        add_stop_words(b, g, m);
        if (m->life.failures) /* the start was turned away for now, and for too long */
            buf_addf(b, "; the last try: %s", problem);
        buf_adds(b, m->result->attempt ? "; no run was left behind" : "");
        break;
    case ENDING_START_REFUSED:
        buf_addf(b, "the start was refused: %s", problem);
        if (m->life.doubtful) {
            buf_adds(b, "; it may have had its effect all the same: ");
            add_where_to_look(b, g, m);
        }
        break;
    case ENDING_START_FAILED:
        buf_addf(b, "the start did not succeed in %d tries: %s", m->life.failures, problem);
        break;
    case ENDING_START_LOST:
        buf_addf(b, "the start was sent and its reply was lost (%s): ", problem);
        add_where_to_look(b, g, m);
        break;
    case ENDING_POLL_REFUSED:
        buf_addf(b, "the provider does not tell how the run is: %s", problem);
        break;
    case ENDING_OUTAGE:
        buf_adds(b, "no usable answer for ");
        num_add_duration(b, m->life.limits.outage_ms);
        buf_addf(b, ": %s", problem);
        break;
    case ENDING_STRANGE:
        buf_addf(b, "the provider reports a state that its definition does not know: %s", problem);
        break;
    case ENDING_DEADLINE:
        buf_adds(b, "its deadline (");
        num_add_duration(b, m->life.limits.timeout_ms);
        buf_adds(b, ") passed");
        break;
    case ENDING_STOPPED:
        add_stop_words(b, g, m);
        break;
    case ENDING_UNVERIFIED:
        buf_addf(b, "it passed, but whether it ran a test could not be read: %s", problem);
        break;
    }
}

/* What became of the remote runs of a run that was given up. */
static void add_leftovers(const struct gate *g, struct member *m)
{
    const struct run_result *r = m->result;
    enum ending ending = m->life.ending;
    bool given_up = ending == ENDING_POLL_REFUSED || ending == ENDING_OUTAGE ||
                    ending == ENDING_STRANGE || ending == ENDING_DEADLINE ||
                    ending == ENDING_STOPPED;

    for (size_t i = 0; given_up && g->options->mode != GATE_ONCE && i < r->remote_count; i++) {
        const struct remote_run *remote = &r->remotes[i];
        const char *why = NULL;

        if (outcome_is_final(m->life.remotes[i].outcome))
            continue;
        if (m->life.remotes[i].cancel == CANCEL_ACCEPTED)
            why = "its cancellation was accepted, but its end was not seen";
        else if (!g->options->pipeline->gate.cancel)
            why = "it goes on: cancelling is switched off";
        else if (!m->binding->provider->requests[REQUEST_CANCEL].method)
            why = "it goes on: the provider offers no way to cancel it";
        else
            why = "it could not be cancelled and may go on";
        if (remote->url)
            result_warn(m->result, "run %s: %s; see %s", remote->id, why, remote->url);
        else
            result_warn(m->result, "run %s: %s; look for it at %s, %s", remote->id, why,
                        m->result->title, m->binding->base_url);
    }
}

static bool maps(const struct member *m)
{
    switch (m->life.stop) {
    case STOP_NONE:
    case STOP_GATE_DEADLINE:
        return !m->result->not_started;
    case STOP_SIGNAL:
    case STOP_FAIL_FAST:
    case STOP_DECIDED:
    case STOP_ASKED:
    case STOP_INTERNAL:
    case STOP_NOW:
        break;
    }
    return false;
}

static const char *policy_key(enum outcome o)
{
    static const char *const keys[OUTCOME_COUNT] = {
        [OUTCOME_SKIPPED] = "on_skipped",     [OUTCOME_EMPTY] = "on_empty",
        [OUTCOME_TIMED_OUT] = "on_timeout",   [OUTCOME_ERROR] = "on_error",
        [OUTCOME_CANCELLED] = "on_cancelled",
    };

    return keys[o];
}

/* It was given up before it was seen to pass, and our own cancellation may have a part in that. */
static bool passed_too_late(const struct member *m)
{
    return m->life.gave_up_as == OUTCOME_TIMED_OUT || m->life.gave_up_as == OUTCOME_ERROR;
}

static void set_outcome(struct member *m)
{
    enum outcome outcome = m->life.outcome;
    struct run_result *r = m->result;
    enum outcome as;

    r->outcome = r->counts_as = outcome;
    r->mapped_by = NULL;
    /* It is reported as what it was, but a deadline that passed is not undone by that. */
    if (outcome == OUTCOME_PASSED && passed_too_late(m)) {
        r->counts_as = m->life.gave_up_as;
        r->mapped_by = r->counts_as == OUTCOME_TIMED_OUT ? "timeout" : "outage";
    }
    as = m->config->policy.as[r->counts_as];
    if (as != OUTCOME_UNKNOWN && maps(m)) {
        r->mapped_by = policy_key(r->counts_as);
        r->counts_as = as;
    }
}

static void set_reason(const struct gate *g, struct member *m)
{
    struct buf reason;

    buf_init(&reason, BUF_CAP_TEXT);
    add_ending_words(&reason, g, m);
    result_set(&m->result->reason, reason.len ? reason.text : NULL, true);
    buf_free(&reason);
}

void ending_note(const struct gate *g, struct member *m)
{
    set_outcome(m);
    set_reason(g, m);
    add_leftovers(g, m);
}
