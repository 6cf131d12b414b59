/* SPDX-License-Identifier: MIT */
/* Owns the event loop: the only place that waits. It must not decide what an event means for a
 * run (engine/run.c) or for the gate (engine/verdict.c). */
#include "base/base.h"

#include "base/clock.h"
#include "base/doc.h"
#include "base/heap.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/rng.h"
#include "engine/gate.h"
#include "engine/run.h"
#include "provider/reply.h"
#include "provider/request.h"

#include <errno.h>
#include <signal.h>
#include <strings.h>
#include <unistd.h>

enum { KEY_DIGITS = 32 };

/* By how much two readings of one clock can differ that are told in whole seconds. */
enum { DATE_SLACK_MS = 2000 };

static const int64_t never = INT64_MAX;

/* A run and all that the loop keeps beside its life. */
struct member {
    struct run life;
    const struct run_config *config;
    const struct binding *binding;
    const char *attach;
    const struct journal_entry *resume;
    struct run_result *result;
    struct capture *captures;
    size_t capture_count;
    char *problem;       /* the last trouble, in words */
    char *cause;         /* the trouble for which it was given up, or is looked up */
    bool strange_told;   /* the unknown state was told to the user */
    int64_t began;       /* the first attempt; monotonic */
    char *mark;          /* of its start, for the journal; NULL without one */
    char key[KEY_DIGITS + 1];
    int64_t sent_first, sent_last; /* when the start left that may have had effect; monotonic */
    int64_t looked_from;           /* when it began to be looked up; monotonic */
};

struct gate {
    const struct gate_options *options;
    struct gate_result *result;
    struct member *members;
    size_t count;
    size_t *place; /* number of a run in the pipeline -> its place among the members */
    size_t active; /* started and not done */
    size_t done;
    size_t first_waiting; /* no member before it waits to be started */
    struct heap due;
    struct http *http;
    uint64_t rng;
    int64_t now, wall; /* read once a turn */
    int64_t deadline, next_heartbeat, next_live;
    enum stop stop;
    int signal_number;
    char *journal_problem; /* the first record that could not be kept; else NULL */
    bool short_told; /* that memory ran short */
};

static const char *signal_name(int number)
{
    return number == SIGINT ? "SIGINT" : number == SIGHUP ? "SIGHUP" : "SIGTERM";
}

/* --- telling -------------------------------------------------------------------------------- */

static void tell(struct gate *g, enum message_level level, const char *format, ...)
    PRINTF_LIKE(3, 4);

static void tell(struct gate *g, enum message_level level, const char *format, ...)
{
    const struct observer *o = &g->options->observer;
    char *text;
    va_list ap;

    if (!o->message)
        return;
    va_start(ap, format);
    text = buf_vformat(format, ap);
    va_end(ap);
    o->message(o->user, level, text);
    free(text);
}

static void tell_changed(struct gate *g, const struct member *m)
{
    const struct observer *o = &g->options->observer;

    if (o->changed)
        o->changed(o->user, g->result, (size_t)(m - g->members), g->wall,
                   m->began ? g->now - m->began : 0);
    g->next_heartbeat = g->now + g->options->pipeline->gate.heartbeat_ms;
    g->next_live = g->now;
}

static void tell_child(struct gate *g, const struct member *m, size_t remote)
{
    const struct observer *o = &g->options->observer;

    if (o->child_over && m->result->remote_count > 1)
        o->child_over(o->user, g->result, (size_t)(m - g->members), remote, g->wall,
                      g->now - m->began);
}

static void note_state(struct gate *g, struct member *m, const char *state)
{
    if (result_note_state(m->result, state, g->wall))
        tell_changed(g, m);
}

static void set_problem(struct member *m, const char *format, ...) PRINTF_LIKE(2, 3);

static void set_problem(struct member *m, const char *format, ...)
{
    char *text;
    va_list ap;

    va_start(ap, format);
    text = buf_vformat(format, ap);
    va_end(ap);
    result_set(&m->problem, text, true);
    free(text);
}

/* --- the journal ---------------------------------------------------------------------------- */

/* It exists, or may: somebody else, or an earlier gate, has started it. */
static bool is_taken_up(const struct member *m)
{
    return m->attach || m->resume;
}

/* What the journal shall know of the run as it is now; the texts are borrowed. */
static struct journal_entry entry_of(const struct member *m)
{
    return (struct journal_entry){.run = m->config->name,
                                  .start = m->mark,
                                  .key = (char *)(uintptr_t)m->key,
                                  .attempt = m->life.attempt,
                                  .ids = m->result->run_id,
                                  .url = m->result->url,
                                  .captures = m->captures,
                                  .capture_count = m->capture_count};
}

/* What has happened cannot be undone for want of a record, but it is no pass. */
static void note_journal(struct gate *g, int rc, const struct err *e)
{
    if (!rc || g->journal_problem)
        return;
    g->journal_problem = mem_strdup(e->text);
    tell(g, MESSAGE_ERROR, "%s", e->text);
}

/* What a reply says of whether there is a run. */
static void record_reply(struct gate *g, const struct member *m, const struct event *event)
{
    bool starting = m->life.state == RUN_STARTING;
    struct journal_entry entry = entry_of(m);
    struct err e = {""};
    int rc = 0;

    if (!g->options->journal || m->attach || (!starting && m->life.state != RUN_FINDING))
        return;
    switch (event->reply) {
    case REPLY_GOOD:
        entry.refused = event->refused;
        rc = journal_started(g->options->journal, &entry, g->wall, &e);
        break;
    case REPLY_ENDED:
        rc = journal_ended(g->options->journal, &entry, event->outcome, g->wall, &e);
        break;
    case REPLY_REFUSED:
        if (!event->doubtful && starting && !m->life.lost)
            rc = journal_unsent(g->options->journal, &entry, g->wall, &e);
        break;
    case REPLY_NOT_PROCESSED:
        if (starting && !m->life.lost)
            rc = journal_unsent(g->options->journal, &entry, g->wall, &e);
        break;
    case REPLY_UNKNOWN:
    case REPLY_STRANGE:
    case REPLY_RETRY:
    case REPLY_LOST:
    case REPLY_NOT_FOUND:
        break;
    }
    note_journal(g, rc, &e);
}

/* What is left running is for the next gate to take up; what somebody else began is not ours. */
static void record_end(struct gate *g, const struct member *m)
{
    struct journal_entry entry = entry_of(m);
    struct err e = {""};

    if (g->options->journal && !m->attach && m->life.remote_count && run_is_settled(&m->life))
        note_journal(g, journal_ended(g->options->journal, &entry, m->life.outcome, g->wall, &e),
                     &e);
}

/* --- sending -------------------------------------------------------------------------------- */

static void step(struct gate *g, struct member *m, const struct event *event);

static struct scope scope_of(const struct member *m, size_t remote)
{
    struct scope scope = {.binding = m->binding,
                          .captures = m->captures,
                          .capture_count = m->capture_count};

    if (remote < m->result->remote_count)
        scope.id = m->result->remotes[remote].id;
    return scope;
}

/* Before a start leaves, it must be on record: no crash shall start it twice. */
static int prepare_start(struct gate *g, struct member *m, struct request *request, struct err *e)
{
    struct journal_entry entry = entry_of(m);

    if (m->binding->provider->idempotency)
        request_add_header(request, m->binding->provider->idempotency, m->key);
    if (!m->life.lost)
        m->sent_first = g->now;
    m->sent_last = g->now;
    return g->options->journal ? journal_starting(g->options->journal, &entry, g->wall, e) : 0;
}

/* An http_leave_fn: a start leaves. A gate that is killed from here on must look for its run. */
static bool record_leaving(void *user, size_t tag)
{
    struct gate *g = user;
    struct journal_entry entry = entry_of(&g->members[tag]);
    struct err e = {""};
    int rc = journal_sent(g->options->journal, &entry, g->wall, &e);

    note_journal(g, rc, &e);
    return !rc;
}

static void send_request(struct gate *g, struct member *m, enum request_kind kind, size_t remote)
{
    struct scope scope = scope_of(m, remote);
    size_t tag = (size_t)(m - g->members);
    struct request request;
    struct err e = {""};
    int rc;

    http_abort(g->http, tag);
    rc = request_make(&request, kind, &scope, &e);
    if (!rc && kind == REQUEST_START)
        rc = prepare_start(g, m, &request, &e);
    if (!rc)
        rc = http_send(g->http, tag, &request,
                       kind == REQUEST_START ? HTTP_ONCE : HTTP_REPEATABLE, &e);
    request_free(&request);
    if (rc) {
        struct event refused = {.kind = EVENT_REPLY,
                                .reply = REPLY_REFUSED,
                                .retry_after_ms = -1,
                                .expected_ms = -1};

        set_problem(m, "the request cannot be sent: %s", e.text);
        step(g, m, &refused);
        return;
    }
    m->result->requests++;
    if (kind == REQUEST_STATUS)
        m->result->polls++;
}

/* --- what a run ends with ------------------------------------------------------------------- */

/* Ids of the remote runs, joined by commas: one for most. */
static void set_run_id(struct run_result *r)
{
    struct buf ids;

    buf_init(&ids, BUF_CAP_TEXT);
    for (size_t i = 0; i < r->remote_count; i++)
        buf_addf(&ids, "%s%s", i ? "," : "", r->remotes[i].id);
    mem_replace(&r->run_id, r->remote_count ? ids.text : NULL);
    if (r->remote_count)
        mem_replace(&r->url, r->remotes[0].url);
    buf_free(&ids);
}

static void add_stop_words(struct buf *b, const struct gate *g, const struct member *m)
{
    switch (m->life.stop) {
    case STOP_SIGNAL:
    case STOP_NOW:
        buf_addf(b, "interrupted by %s", signal_name(g->signal_number));
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
        if (m->life.stop == STOP_NONE)
            buf_adds(b, "its deadline passed");
        add_stop_words(b, g, m);
        buf_adds(b, m->result->attempt ? "; no run was left behind" : "; it was not started");
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
static void add_leftovers(struct gate *g, struct member *m)
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
        [OUTCOME_SKIPPED] = "on_skipped",   [OUTCOME_EMPTY] = "on_empty",
        [OUTCOME_TIMED_OUT] = "on_timeout", [OUTCOME_ERROR] = "on_error",
        [OUTCOME_CANCELLED] = "on_cancelled",
    };

    return keys[o];
}

/* It was given up before it was seen to pass, and our own cancellation may have a part in that. */
static bool passed_too_late(const struct member *m)
{
    return m->life.gave_up_as == OUTCOME_TIMED_OUT || m->life.gave_up_as == OUTCOME_ERROR;
}

static void set_outcome(struct member *m, enum outcome outcome)
{
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

static void set_reason(struct gate *g, struct member *m)
{
    struct buf reason;

    buf_init(&reason, BUF_CAP_TEXT);
    add_ending_words(&reason, g, m);
    result_set(&m->result->reason, reason.len ? reason.text : NULL, true);
    buf_free(&reason);
}

static void remember_attempt(struct gate *g, struct member *m)
{
    struct run_result *r = m->result;
    struct past_attempt *past;

    set_outcome(m, m->life.outcome);
    set_reason(g, m);
    add_leftovers(g, m);
    r->past = mem_grow(r->past, &r->past_cap, r->past_count, sizeof(*r->past));
    past = &r->past[r->past_count++];
    past->outcome = r->outcome;
    past->reason = mem_strdup(r->reason);
    past->run_id = mem_strdup(r->run_id);
    past->url = mem_strdup(r->url);
    past->started = r->started;
    past->finished = g->wall;
    record_end(g, m);
    tell(g, MESSAGE_NOTE, "%s: attempt %d ended in %s%s%s; starting it again", r->name,
         (int)r->attempt, outcome_name(past->outcome), past->reason ? ": " : "",
         past->reason ? past->reason : "");
    result_reset_attempt(r);
    mem_replace(&m->problem, NULL);
    mem_replace(&m->cause, NULL);
    m->strange_told = false;
    note_state(g, m, "RETRYING");
}

static void end_run(struct gate *g, struct member *m)
{
    struct run_result *r = m->result;

    if (m->life.attempt && !is_taken_up(m))
        g->active--;
    g->done++;
    record_end(g, m);
    if (m->life.limits.start_only && m->life.outcome == OUTCOME_RUNNING)
        result_note_state(r, run_state_name(RUN_POLLING), g->wall);
    r->not_started = m->life.ending == ENDING_NOT_STARTED && !m->life.attempt;
    r->finished = g->wall;
    r->duration_ms = m->began ? g->now - m->began : -1;
    set_outcome(m, m->life.outcome);
    set_reason(g, m);
    add_leftovers(g, m);
    if (m->life.details_missing && m->life.ending != ENDING_UNVERIFIED)
        result_warn(r, "its test results could not be read: %s",
                    m->problem ? m->problem : "there was no time left");
    r->flaky = r->outcome == OUTCOME_PASSED && r->past_count > 0;
    tell_changed(g, m);
}

/* --- steps ---------------------------------------------------------------------------------- */

static void new_key(struct gate *g, struct member *m)
{
    snprintf(m->key, sizeof(m->key), "%016" PRIx64 "%016" PRIx64, rng_next(&g->rng),
             rng_next(&g->rng));
}

static void act(struct gate *g, struct member *m, const struct action *action)
{
    size_t tag = (size_t)(m - g->members);

    switch (action->kind) {
    case ACTION_NONE:
        return;
    case ACTION_SEND:
        if (action->request == REQUEST_START && m->result->attempt != (int)m->life.attempt) {
            m->result->attempt = (int)m->life.attempt;
            m->result->started = g->wall;
            new_key(g, m);
        }
        if (m->life.state == RUN_STARTING || m->life.state == RUN_FINDING ||
            m->life.state == RUN_CANCELLING)
            note_state(g, m, run_state_name(m->life.state));
        send_request(g, m, action->request, action->remote);
        return;
    case ACTION_AGAIN:
        http_abort(g->http, tag);
        remember_attempt(g, m);
        return;
    case ACTION_DONE:
        http_abort(g->http, tag);
        end_run(g, m);
        return;
    }
}

static void enter_state(struct gate *g, struct member *m, enum run_state before)
{
    if (m->life.state == RUN_CANCELLING || m->life.state == RUN_FINDING)
        mem_replace(&m->cause, m->problem);
    if (m->life.state == RUN_FINDING) {
        mem_replace(&m->problem, NULL);
        m->looked_from = g->now;
        tell(g, MESSAGE_WARNING,
             "%s: the start was sent and its reply was lost (%s); looking for the run",
             m->result->name, m->cause ? m->cause : "no answer");
    }
    if (before == RUN_FINDING && m->life.remote_count) {
        mem_replace(&m->cause, NULL);
        mem_replace(&m->problem, NULL);
        tell(g, MESSAGE_NOTE, "%s: found it: run %s", m->result->name, m->result->run_id);
    }
}

static void step(struct gate *g, struct member *m, const struct event *event)
{
    struct action action;
    enum run_state before;

    if (m->life.state == RUN_DONE)
        return;
    before = m->life.state;
    if (event->kind == EVENT_REPLY)
        record_reply(g, m, event);
    action = run_step(&m->life, event, g->now);
    if (before != m->life.state)
        enter_state(g, m, before);
    if (m->life.due == never)
        heap_remove(&g->due, (size_t)(m - g->members));
    else
        heap_set(&g->due, (size_t)(m - g->members), m->life.due);
    act(g, m, &action);
    /* Given up with its start still on this side of the network: it shall not leave any more. */
    if (m->life.state == RUN_STARTING && m->life.in_flight && m->life.grace_until != never &&
        http_withdraw(g->http, (size_t)(m - g->members))) {
        struct event withdrawn = {.kind = EVENT_REPLY,
                                  .reply = REPLY_NOT_PROCESSED,
                                  .retry_after_ms = -1,
                                  .expected_ms = -1};

        step(g, m, &withdrawn);
    }
}

static void stop_all(struct gate *g, enum stop stop)
{
    struct event event = {.kind = EVENT_STOP, .stop = stop};

    for (size_t i = 0; i < g->count; i++)
        step(g, &g->members[i], &event);
}

static void stop_gate(struct gate *g, enum stop stop)
{
    if (g->stop == STOP_NONE || stop == STOP_NOW || stop == STOP_SIGNAL || stop == STOP_INTERNAL)
        g->stop = stop;
    stop_all(g, stop);
}

/* --- replies -------------------------------------------------------------------------------- */

struct adding {
    struct remote_run *remote;
};

static void add_test(void *user, const struct reported_test *test)
{
    struct remote_run *remote = ((struct adding *)user)->remote;
    struct test_result *t;
    char unnamed[32];

    remote->tests =
        mem_grow(remote->tests, &remote->test_cap, remote->test_count, sizeof(*remote->tests));
    t = &remote->tests[remote->test_count++];
    snprintf(unnamed, sizeof(unnamed), "test %zu", remote->test_count);
    t->name = result_text(test->name, true);
    if (!t->name || !*t->name)
        mem_replace(&t->name, unnamed);
    t->outcome = test->outcome;
    t->state = result_text(test->label, true);
    t->message = result_text(test->message, true);
    t->detail = result_text(test->detail, false);
    t->duration_ms = test->duration_ms;
}

static void add_property(void *user, const char *name, const char *value)
{
    struct remote_run *remote = ((struct adding *)user)->remote;
    struct property *p;

    for (size_t i = 0; i < remote->property_count; i++) {
        if (strcmp(remote->properties[i].name, name) == 0)
            return; /* the status told it already */
    }
    remote->properties = mem_grow(remote->properties, &remote->property_cap,
                                  remote->property_count, sizeof(*remote->properties));
    p = &remote->properties[remote->property_count++];
    p->name = mem_strdup(name);
    p->value = result_text(value, true);
}

/* Tests that were skipped, or are said to be running still, have shown nothing. */
static bool ran_a_test(const struct remote_run *remote)
{
    for (size_t i = 0; i < remote->test_count; i++) {
        enum outcome o = remote->tests[i].outcome;

        if (o != OUTCOME_SKIPPED && o != OUTCOME_RUNNING)
            return true;
    }
    return false;
}

/* Passed if all tests passed or were skipped; failed if one failed; else there is no verdict. */
static enum outcome worst_test(const struct remote_run *remote)
{
    enum outcome worst = OUTCOME_PASSED;

    for (size_t i = 0; i < remote->test_count; i++) {
        enum outcome o = remote->tests[i].outcome;

        if (o == OUTCOME_FAILED)
            return o;
        if (o != OUTCOME_PASSED && o != OUTCOME_SKIPPED)
            worst = OUTCOME_ERROR;
    }
    return worst;
}

/*
 * Takes tests and properties from a reply. A run that passed with none of the tests that its
 * definition wants becomes empty.
 */
static enum outcome take_details(struct member *m, size_t remote, const struct doc *d,
                                 enum outcome outcome, bool with_tests)
{
    const struct provider *p = m->binding->provider;
    struct adding adding = {.remote = &m->result->remotes[remote]};
    struct scope scope = scope_of(m, remote);

    reply_each_property(p, d, add_property, &adding);
    if (!with_tests || !p->tests.count)
        return outcome;
    reply_each_test(p, d, &scope, add_test, &adding);
    if (outcome == OUTCOME_PASSED && p->tests_required && !ran_a_test(adding.remote))
        return OUTCOME_EMPTY;
    return p->tests_decide && outcome == OUTCOME_PASSED ? worst_test(adding.remote) : outcome;
}

static void add_remote(struct run_result *r, const char *id)
{
    struct remote_run *remote;
    char *copy = mem_strdup(id); /* first: last words can be due at any allocation */

    r->remotes = mem_grow(r->remotes, &r->remote_cap, r->remote_count, sizeof(*r->remotes));
    remote = &r->remotes[r->remote_count++];
    remote->id = copy;
    remote->outcome = OUTCOME_RUNNING;
}

/* The definition's own idea of the report's address, for each remote run that has none. */
static void set_urls(struct member *m)
{
    const char *template = m->binding->provider->url;

    for (size_t i = 0; template && i < m->result->remote_count; i++) {
        struct scope scope = scope_of(m, i);
        struct err ignored = {""};
        struct buf url;

        buf_init(&url, BUF_CAP_TEXT);
        if (!m->result->remotes[i].url &&
            template_expand(template, scope_value, &scope, ESCAPE_PERCENT, &url, &ignored) ==
                TEMPLATE_DONE)
            result_set(&m->result->remotes[i].url, url.text, true);
        buf_free(&url);
    }
}

static void free_captures(struct member *m)
{
    captures_free(m->captures, m->capture_count);
    m->captures = NULL;
    m->capture_count = 0;
}

/* 0 if the reply tells what was started (or why nothing was); else the problem is set. */
static int read_start(struct member *m, const struct doc *d, struct event *event)
{
    struct start_reply reply;
    struct err e = {""};
    int rc = reply_read_start(&reply, m->binding->provider, d, &e);

    if (rc) {
        set_problem(m, "%s", e.text);
    } else if (outcome_is_final(reply.outcome)) {
        event->reply = REPLY_ENDED;
        event->outcome = reply.outcome;
        mem_replace(&m->result->state, reply.label);
    } else {
        free_captures(m);
        m->captures = reply.captures;
        m->capture_count = reply.capture_count;
        reply.captures = NULL;
        reply.capture_count = 0;
        for (size_t i = 0; i < reply.id_count; i++)
            add_remote(m->result, reply.ids[i]);
        result_set(&m->result->remotes[0].url, reply.url, true);
        set_urls(m);
        set_run_id(m->result);
        event->remotes = reply.id_count;
        event->refused = reply.refused;
        if (m->life.limits.schedule.expected_ms < 0)
            m->life.limits.schedule.expected_ms = reply.expect_ms;
    }
    start_reply_free(&reply);
    return rc;
}

static void read_status(struct gate *g, struct member *m, const struct doc *d, struct event *event)
{
    const struct provider *p = m->binding->provider;
    struct remote_run *remote = &m->result->remotes[m->life.cursor];
    struct status_reply reply;

    reply_read_status(&reply, p, d);
    event->expected_ms = m->config->expect_ms ? -1 : reply.expect_ms;
    if (reply.url)
        result_set(&remote->url, reply.url, true);
    if (reply.outcome == OUTCOME_UNKNOWN) {
        event->reply = REPLY_STRANGE;
        set_problem(m, "%s", reply.seen);
        if (!m->strange_told)
            tell(g, MESSAGE_WARNING,
                 "%s: the provider reports a state that its definition does not know (%s); it is "
                 "polled on",
                 m->result->name, m->problem);
        m->strange_told = true;
    } else {
        event->outcome = reply.outcome;
        remote->outcome = reply.outcome;
        result_set(&remote->state, reply.label, true);
        if (outcome_is_final(reply.outcome)) {
            result_set(&remote->reason, reply.reason, true);
            remote->outcome = take_details(m, m->life.cursor, d, reply.outcome,
                                           !p->requests[REQUEST_DETAILS].method);
            run_set_remote(&m->life, m->life.cursor, remote->outcome);
        }
        set_run_id(m->result);
        if (outcome_is_final(reply.outcome))
            tell_child(g, m, m->life.cursor);
        /* The end of the run will be told by itself, with its reason; that of one of several is
         * no state of the run. */
        if (!outcome_is_final(reply.outcome) && m->life.state == RUN_POLLING)
            note_state(g, m, reply.label);
        else if (outcome_is_final(reply.outcome) && run_is_over(&m->life))
            result_note_state(m->result, reply.label, g->wall);
    }
    status_reply_free(&reply);
}

static void read_details(struct member *m, const struct doc *d)
{
    struct remote_run *remote = &m->result->remotes[m->life.cursor];
    const struct rule *rule = rules_match(&m->binding->provider->status_rules, d);

    /* Where details tell the state too, they must tell the same. */
    if (rule && remote->outcome == OUTCOME_PASSED && rule->outcome != OUTCOME_PASSED) {
        result_set(&remote->reason, "the provider contradicts itself: its details say otherwise",
                   true);
        remote->outcome = OUTCOME_ERROR;
    }
    remote->outcome = take_details(m, m->life.cursor, d, remote->outcome, true);
    run_set_remote(&m->life, m->life.cursor, remote->outcome);
}

/* It is a run of this gate already: of another member, or of an earlier attempt. */
static bool is_known(const struct gate *g, const struct member *m, const char *id)
{
    for (size_t i = 0; i < g->count; i++) {
        const struct run_result *r = g->members[i].result;

        if (g->members[i].binding->provider != m->binding->provider)
            continue;
        for (size_t j = 0; j < r->remote_count; j++) {
            if (strcmp(r->remotes[j].id, id) == 0)
                return true;
        }
        for (size_t j = 0; j < r->past_count; j++) {
            if (r->past[j].run_id && strcmp(r->past[j].run_id, id) == 0)
                return true;
        }
    }
    return false;
}

/* What is found could be a run whose start is under way here. */
static bool another_is_starting(const struct gate *g, const struct member *m)
{
    for (size_t i = 0; i < g->count; i++) {
        const struct member *other = &g->members[i];

        if (other != m && other->binding->provider == m->binding->provider &&
            other->life.state == RUN_STARTING && other->life.in_flight)
            return true;
    }
    return false;
}

/* One run that can be ours is ours. Of none, or of several, nothing can be said. */
static void choose_found(struct gate *g, struct member *m, const struct find_reply *found,
                         struct event *event)
{
    const char *ours = NULL;
    struct buf several;

    buf_init(&several, BUF_CAP_TEXT);
    for (size_t i = 0; i < found->id_count; i++) {
        if (is_known(g, m, found->ids[i]))
            continue;
        buf_addf(&several, "%s%s", ours ? ", " : "several runs can be it: ", found->ids[i]);
        event->reply = ours ? REPLY_STRANGE : REPLY_GOOD;
        ours = found->ids[i];
    }
    if (!ours || (event->reply == REPLY_GOOD && another_is_starting(g, m))) {
        event->reply = REPLY_NOT_FOUND;
        set_problem(m, "the provider lists no run that was started then");
    } else if (event->reply == REPLY_STRANGE) {
        set_problem(m, "%s", several.text);
    } else {
        add_remote(m->result, ours);
        set_urls(m);
        set_run_id(m->result);
        event->remotes = 1;
    }
    buf_free(&several);
}

/*
 * The list of runs. The provider's clock is not ours: the reply's date tells what time it is there,
 * and how long ago the start was sent does not depend on what became of our wall clock meanwhile.
 */
static void read_find(struct gate *g, struct member *m, const struct doc *d, int64_t date_ms,
                      struct event *event)
{
    int64_t there = (date_ms >= 0 ? date_ms : g->wall) - g->now;
    int64_t last = m->sent_last + g->options->pipeline->http.request_timeout_ms;
    struct scope scope = scope_of(m, SIZE_MAX);
    struct find_reply found;
    struct err e = {""};

    if (last < m->looked_from)
        last = m->looked_from;
    if (reply_read_find(&found, m->binding->provider, d, &scope,
                        there + m->sent_first - DATE_SLACK_MS, there + last + DATE_SLACK_MS, &e)) {
        event->reply = REPLY_RETRY;
        set_problem(m, "%s", e.text);
    } else {
        event->expected_ms = m->config->expect_ms ? -1 : found.usual_ms;
        if (m->life.state == RUN_FINDING)
            choose_found(g, m, &found, event);
    }
    find_reply_free(&found);
}

/* Words for a reply that is no success. */
static void describe_refusal(struct member *m, const struct http_reply *reply)
{
    char *text = reply_error_text(m->binding->provider, reply->body.text, reply->body.len);
    const char *hint = "";

    if (reply->status == 401 || reply->status == 403)
        hint = "; is the token right, and may it do this?";
    if (reply->redirect)
        set_problem(m, "HTTP %d, a redirect to %s, which is not followed", reply->status,
                    reply->redirect);
    else
        set_problem(m, "HTTP %d%s%s%s", reply->status, text ? ": " : "", text ? text : "", hint);
    free(text);
}

static bool is_gone(const struct provider *p, int status)
{
    for (size_t i = 0; i < p->gone_count; i++) {
        if (p->cancel_gone[i] == status)
            return true;
    }
    return false;
}

static void handle_reply(struct gate *g, struct http_reply *reply)
{
    struct member *m = &g->members[reply->tag];
    struct event event = {.kind = EVENT_REPLY,
                          .retry_after_ms = reply->retry_after_ms,
                          .expected_ms = -1,
                          /* Refused, but perhaps after the work was done. */
                          .doubtful = reply->status >= 500 ||
                                      (reply->status >= 300 && reply->status < 400)};
    struct exchange x = {.request = m->life.request,
                         .answered = reply->result == HTTP_ANSWERED,
                         .sent = reply->result != HTTP_NOT_SENT,
                         .hopeless = reply->hopeless,
                         .status = reply->status,
                         .gone = is_gone(m->binding->provider, reply->status)};
    struct doc *d = NULL;
    struct err e = {""};
    enum run_state before;

    if (!x.answered) {
        set_problem(m, "%s", reply->problem);
    } else if (x.status < 200 || x.status > 299) {
        describe_refusal(m, reply);
    } else if (x.request != REQUEST_CANCEL) {
        d = doc_parse(reply->body.text, reply->body.len, &e);
        x.readable = d != NULL && x.status != 206; /* a part was not asked for */
        if (!d) {
            char *text = reply_error_text(m->binding->provider, reply->body.text, reply->body.len);

            set_problem(m, "HTTP %d with a reply that is %s%s%s", x.status, e.text,
                        text ? ": " : "", text ? text : "");
            free(text);
        }
        if (d && x.request == REQUEST_START)
            x.readable = !read_start(m, d, &event);
    }
    if (event.reply == REPLY_UNKNOWN)
        event.reply = run_classify(&x);
    if (event.reply == REPLY_GOOD && x.request == REQUEST_STATUS)
        read_status(g, m, d, &event);
    else if (event.reply == REPLY_GOOD && x.request == REQUEST_DETAILS)
        read_details(m, d);
    else if (event.reply == REPLY_GOOD && x.request == REQUEST_FIND)
        read_find(g, m, d, reply->date_ms, &event);
    else if (x.request == REQUEST_CANCEL && event.reply != REPLY_GOOD &&
             event.reply != REPLY_RETRY)
        result_warn(m->result, "cancelling run %s: %s", m->result->remotes[m->life.cursor].id,
                    m->problem);
    doc_free(d);
    before = m->life.state;
    step(g, m, &event);
    if (m->life.state == RUN_POLLING && before != RUN_POLLING)
        note_state(g, m, run_state_name(m->life.state));
}

/* --- which run may start -------------------------------------------------------------------- */

enum readiness { NOT_YET, READY, NEVER };

/* Whether what a run needs has passed; if it never can, *ret_why is the member in the way. */
static enum readiness needs_of(const struct gate *g, const struct member *m,
                               const struct member **ret_why)
{
    enum readiness readiness = READY;

    /* A run that exists already did not wait for anything. */
    for (size_t i = 0; !is_taken_up(m) && i < m->config->need_count; i++) {
        const struct member *need = &g->members[g->place[m->config->need_runs[i]]];

        if (need->life.state != RUN_DONE) {
            readiness = readiness == NEVER ? NEVER : NOT_YET;
        } else if (need->result->counts_as != OUTCOME_PASSED && need->config->required) {
            *ret_why = need;
            return NEVER;
        }
    }
    return readiness;
}

static void skip(struct gate *g, struct member *m, const struct member *why)
{
    struct run_result *r = m->result;
    struct buf reason;

    m->life.state = RUN_DONE;
    g->done++;
    r->outcome = r->counts_as = OUTCOME_SKIPPED;
    r->not_started = true;
    r->finished = g->wall;
    buf_init(&reason, BUF_CAP_TEXT);
    buf_addf(&reason, "not started: it needs '%s', which did not pass (%s)", why->result->name,
             outcome_name(why->result->outcome));
    result_set(&r->reason, reason.text, true);
    buf_free(&reason);
    tell_changed(g, m);
}

static void add_remotes(struct run_result *r, const char *ids)
{
    for (;;) {
        size_t len = strcspn(ids, ",");
        char *id = mem_strndup(ids, len);

        add_remote(r, id);
        free(id);
        if (!ids[len])
            return;
        ids += len + 1;
    }
}

/* What the journal tells of a run that an earlier gate has started. */
static void recall(struct gate *g, struct member *m, struct event *event)
{
    const struct journal_entry *old = m->resume;
    struct buf at;

    event->attempt = old->attempt;
    event->age_ms = g->wall > old->sent_first ? g->wall - old->sent_first : 0;
    event->refused = old->refused;
    m->began = g->now - event->age_ms;
    m->sent_first = g->now - (g->wall - old->sent_first);
    m->sent_last = g->now - (g->wall - old->sent_last);
    snprintf(m->key, sizeof(m->key), "%s", old->key);
    m->result->attempt = (int)old->attempt;
    m->result->started = old->sent_first;
    m->captures = mem_alloc(old->capture_count, sizeof(*m->captures));
    for (size_t i = 0; i < old->capture_count; i++) {
        m->captures[i].name = mem_strdup(old->captures[i].name);
        m->captures[i].value = mem_strdup(old->captures[i].value);
    }
    m->capture_count = old->capture_count;
    buf_init(&at, BUF_CAP_TEXT);
    clock_add_iso(&at, old->sent_first, false);
    if (old->ids)
        tell(g, MESSAGE_NOTE, "%s: taking up run %s, which was started %s", m->result->name,
             old->ids, at.text);
    else
        set_problem(m, "the gate that sent it %s was ended before it came", at.text);
    buf_free(&at);
}

/* Takes up a run that was started before this gate was there. */
static void take_up(struct gate *g, struct member *m)
{
    const char *ids = m->attach ? m->attach : m->resume->ids;
    struct event event = {.kind = ids ? EVENT_WATCH : EVENT_LOST};

    m->result->attached = true;
    m->result->attempt = 1;
    m->result->started = g->wall;
    if (!m->attach)
        recall(g, m, &event);
    if (ids) {
        add_remotes(m->result, ids);
        event.remotes = m->result->remote_count;
        if (!m->attach)
            result_set(&m->result->remotes[0].url, m->resume->url, true);
        set_urls(m);
        set_run_id(m->result);
    }
    step(g, m, &event);
    if (g->options->mode == GATE_CANCEL) {
        struct event stop = {.kind = EVENT_STOP, .stop = STOP_ASKED};

        step(g, m, &stop);
    }
}

/* Starts what may start. Repeats while that ends runs at once, which may let others start. */
static void start_ready(struct gate *g)
{
    size_t limit = (size_t)g->options->pipeline->gate.max_parallel;
    size_t done_before;

    do {
        done_before = g->done;
        for (size_t i = g->first_waiting; i < g->count; i++) {
            struct member *m = &g->members[i];
            const struct member *why = NULL;
            enum readiness readiness;

            if (m->life.state != RUN_WAITING) {
                g->first_waiting += i == g->first_waiting ? 1 : 0;
                continue;
            }
            /* A run that exists is under way already: the limit is for starting. */
            if (!is_taken_up(m) && g->active >= limit)
                continue;
            readiness = g->stop == STOP_NONE ? needs_of(g, m, &why) : NOT_YET;
            if (readiness == NEVER) {
                skip(g, m, why);
            } else if (readiness == READY) {
                struct event go = {.kind = EVENT_GO};

                g->active += is_taken_up(m) ? 0 : 1;
                m->began = g->now;
                if (is_taken_up(m))
                    take_up(g, m);
                else
                    step(g, m, &go);
            }
        }
    } while (g->done != done_before);
}

/* After a run ended: does that decide the gate? */
static void decide(struct gate *g)
{
    const struct gate_config *config = &g->options->pipeline->gate;

    if (g->stop != STOP_NONE ||
        (g->options->mode != GATE_RUN && g->options->mode != GATE_WATCH))
        return;
    for (size_t i = 0; config->fail_fast && i < g->count; i++) {
        const struct run_result *r = g->members[i].result;

        if (r->required && !r->not_started && outcome_is_final(r->outcome) &&
            r->counts_as != OUTCOME_PASSED && config->require == REQUIRE_ALL) {
            stop_gate(g, STOP_FAIL_FAST);
            return;
        }
    }
    if (config->require != REQUIRE_ALL &&
        verdict_decide(g->result->runs, g->count, config->require) != DECISION_OPEN)
        stop_gate(g, STOP_DECIDED);
}

/* --- the loop ------------------------------------------------------------------------------- */

static const char *what_a_stop_does(const struct gate *g)
{
    return g->options->pipeline->gate.cancel && g->options->mode != GATE_ONCE
               ? "cancelling what is still running"
               : "leaving";
}

static void read_signals(struct gate *g)
{
    unsigned char numbers[64];

    /* What comes in one go is one signal: CI systems deliver one several times. */
    if (read(g->options->signal_fd, numbers, sizeof(numbers)) < 1)
        return;
    if (g->signal_number) {
        stop_gate(g, STOP_NOW);
        return;
    }
    g->signal_number = numbers[0];
    tell(g, MESSAGE_WARNING, "%s: %s; a second signal ends the gate at once",
         signal_name(g->signal_number), what_a_stop_does(g));
    stop_gate(g, g->options->mode == GATE_ONCE ? STOP_NOW : STOP_SIGNAL);
}

/* Memory that ran short ends the gate as a signal does, while there is a reserve to do it with. */
static void check_memory(struct gate *g)
{
    if (!mem_is_short() || g->short_told)
        return;
    g->short_told = true;
    tell(g, MESSAGE_ERROR, "out of memory: %s", what_a_stop_does(g));
    stop_gate(g, g->options->mode == GATE_ONCE ? STOP_NOW : STOP_INTERNAL);
}

static void handle_due(struct gate *g)
{
    const struct event timer = {.kind = EVENT_TIMER};
    int64_t time;
    size_t index;

    while (heap_first(&g->due, &index, &time) && time <= g->now)
        step(g, &g->members[index], &timer);
    if (g->now >= g->deadline && g->stop == STOP_NONE) {
        g->deadline = never;
        tell(g, MESSAGE_WARNING, "the gate's deadline has passed");
        stop_gate(g, STOP_GATE_DEADLINE);
    }
}

static void tell_live(struct gate *g)
{
    const struct observer *o = &g->options->observer;
    bool beat = g->now >= g->next_heartbeat && o->heartbeat;
    bool draw = o->live && o->live_every_ms && g->now >= g->next_live;
    struct live_run *live;

    if (!beat && !draw)
        return;
    live = mem_alloc(g->count, sizeof(*live));
    for (size_t i = 0; i < g->count; i++) {
        const struct member *m = &g->members[i];
        bool polls = m->life.state == RUN_POLLING && !m->life.in_flight && m->life.next != never;

        live[i].elapsed_ms = m->began ? g->now - m->began : -1;
        live[i].expected_ms = m->life.limits.schedule.expected_ms;
        live[i].next_poll_ms = polls ? m->life.next - g->now : -1;
    }
    if (beat) {
        o->heartbeat(o->user, g->result, live, g->wall);
        g->next_heartbeat = g->now + g->options->pipeline->gate.heartbeat_ms;
    }
    if (draw) {
        o->live(o->user, g->result, live);
        g->next_live = g->now + o->live_every_ms;
    }
    free(live);
}

static int64_t time_to_wait(const struct gate *g)
{
    const struct observer *o = &g->options->observer;
    int64_t until = g->deadline;
    int64_t time;
    size_t index;

    if (heap_first(&g->due, &index, &time) && time < until)
        until = time;
    if (o->heartbeat && g->next_heartbeat < until)
        until = g->next_heartbeat;
    if (o->live && o->live_every_ms && g->next_live < until)
        until = g->next_live;
    if (until == never)
        return 60000;
    return until > g->now ? until - g->now : 0;
}

static void read_clocks(struct gate *g)
{
    g->now = clock_monotonic_ms();
    g->wall = clock_wall_ms();
}

static void loop(struct gate *g)
{
    struct http_reply reply;

    while (g->done < g->count) {
        size_t done_before = g->done;

        read_clocks(g);
        read_signals(g);
        check_memory(g);
        handle_due(g);
        start_ready(g);
        while (http_next(g->http, &reply)) {
            handle_reply(g, &reply);
            http_reply_free(&reply);
        }
        if (g->done != done_before) {
            decide(g);
            start_ready(g);
            continue;
        }
        tell_live(g);
        http_wait(g->http, time_to_wait(g), g->options->signal_fd);
    }
}

static bool starts(enum gate_mode mode)
{
    return mode == GATE_RUN || mode == GATE_START;
}

static void init_member(struct gate *g, struct member *m, size_t number)
{
    const struct gate_options *o = g->options;
    const struct gate_config *gate = &o->pipeline->gate;
    const struct run_config *config = &o->pipeline->runs[number];
    const struct binding *binding = &o->bindings[number];
    const struct provider *p = binding->provider;
    struct run_limits limits = {
        .schedule = {.poll_min_ms = config->poll_min_ms,
                     .poll_max_ms = config->poll_max_ms,
                     .expected_ms = config->expect_ms ? config->expect_ms
                                                      : binding_expected_ms(binding)},
        .timeout_ms = config->timeout_ms,
        .outage_ms = config->outage_ms,
        .cancel_grace_ms = gate->cancel_grace_ms,
        .attempts = starts(o->mode) ? config->attempts : 1,
        .retry_on = config->retry_on,
        .can_cancel = (gate->cancel || o->mode == GATE_CANCEL) &&
                      p->requests[REQUEST_CANCEL].method && o->mode != GATE_ONCE,
        .has_details = p->requests[REQUEST_DETAILS].method && o->mode != GATE_ONCE,
        .start_tries = p->start_tries,
        .needs_details = p->tests.count && (p->tests_required || p->tests_decide),
        .can_find = p->requests[REQUEST_FIND].method != NULL,
        .has_earlier = p->find_duration.to != NULL && !config->expect_ms,
        .key_life_ms = p->idempotency && starts(o->mode) ? p->key_life_ms : 0,
        .start_only = o->mode == GATE_START,
        .once = o->mode == GATE_ONCE,
    };
    struct err ignored = {""};
    struct buf host;

    run_init(&m->life, &limits, rng_next(&g->rng));
    m->config = config;
    m->binding = binding;
    m->attach = o->attach[number] ? o->attach[number] : config->id;
    m->resume = o->resume ? o->resume[number] : NULL;
    m->mark = o->journal ? journal_start_mark(binding) : NULL;
    m->result->name = config->name;
    m->result->provider = p->name;
    m->result->title = p->title ? p->title : p->name;
    m->result->required = config->required;
    m->result->duration_ms = -1;
    buf_init(&host, BUF_CAP_TEXT);
    if (http_url_check(binding->base_url, NULL, &host, &ignored))
        buf_clear(&host);
    m->result->host = buf_detach(&host);
}

static void init_gate(struct gate *g, struct gate_result *result, const struct gate_options *o)
{
    memset(g, 0, sizeof(*g));
    memset(result, 0, sizeof(*result));
    g->options = o;
    g->result = result;
    mem_on_exhaustion(result_last_words, result);
    g->rng = o->seed;
    read_clocks(g);
    result->started = g->wall;
    g->deadline = g->now + o->pipeline->gate.timeout_ms;
    g->next_heartbeat = g->now + o->pipeline->gate.heartbeat_ms;
    g->next_live = g->now;
    g->place = mem_alloc(o->pipeline->run_count, sizeof(*g->place));
    for (size_t i = 0; i < o->pipeline->run_count; i++)
        g->place[i] = o->pipeline->runs[i].selected ? g->count++ : SIZE_MAX;
    result->runs = mem_alloc(g->count, sizeof(*result->runs));
    result->run_count = g->count;
    g->members = mem_alloc(g->count, sizeof(*g->members));
    heap_init(&g->due, g->count);
    for (size_t i = 0; i < o->pipeline->run_count; i++) {
        if (g->place[i] == SIZE_MAX)
            continue;
        g->members[g->place[i]].result = &result->runs[g->place[i]];
        init_member(g, &g->members[g->place[i]], i);
    }
}

static void free_gate(struct gate *g)
{
    for (size_t i = 0; i < g->count; i++) {
        run_free(&g->members[i].life);
        free_captures(&g->members[i]);
        free(g->members[i].problem);
        free(g->members[i].cause);
        free(g->members[i].mark);
    }
    free(g->journal_problem);
    http_free(g->http);
    heap_free(&g->due);
    free(g->members);
    free(g->place);
}

static bool all_cancelled(const struct gate *g)
{
    for (size_t i = 0; i < g->count; i++) {
        const struct run *life = &g->members[i].life;

        if (!life->remote_count)
            return false; /* the gate ended before it was asked about */
        for (size_t j = 0; j < life->remote_count; j++) {
            if (!outcome_is_final(life->remotes[j].outcome) &&
                life->remotes[j].cancel != CANCEL_ACCEPTED)
                return false;
        }
    }
    return true;
}

static bool all_exist(const struct gate *g)
{
    for (size_t i = 0; i < g->count; i++) {
        if (g->members[i].result->outcome != OUTCOME_RUNNING)
            return false;
    }
    return true;
}

static bool any_started(const struct gate *g)
{
    for (size_t i = 0; i < g->count; i++) {
        if (!g->members[i].result->not_started)
            return true;
    }
    return false;
}

static void conclude(struct gate *g)
{
    struct gate_result *r = g->result;
    struct buf trouble;

    buf_init(&trouble, BUF_CAP_TEXT);
    r->finished = g->wall;
    r->verdict = verdict_fold(r->runs, r->run_count, g->options->pipeline->gate.require);
    if (mem_is_short()) {
        r->verdict = VERDICT_INTERNAL;
        buf_adds(&trouble, "out of memory");
    } else if (g->signal_number) {
        r->verdict = VERDICT_INTERRUPTED;
        buf_addf(&trouble, "interrupted by %s", signal_name(g->signal_number));
    } else if (g->stop == STOP_GATE_DEADLINE && r->verdict != VERDICT_PASSED) {
        if (r->verdict < VERDICT_TIMED_OUT || !any_started(g))
            r->verdict = VERDICT_TIMED_OUT;
        buf_adds(&trouble, "the gate's deadline (");
        num_add_duration(&trouble, g->options->pipeline->gate.timeout_ms);
        buf_adds(&trouble, ") passed");
    }
    r->exit_code = verdict_exit_code(r->verdict, g->signal_number);
    /* Cancelling is no gate: it did what it was asked for if nothing is left running. */
    if (g->options->mode == GATE_CANCEL && r->verdict < VERDICT_INTERRUPTED)
        r->exit_code = all_cancelled(g) ? 0 : verdict_exit_code(VERDICT_ERROR, 0);
    if (g->options->mode == GATE_START && r->verdict < VERDICT_INTERRUPTED && all_exist(g))
        r->exit_code = 0;
    if (g->journal_problem && !r->exit_code) {
        r->verdict = VERDICT_ERROR;
        r->exit_code = verdict_exit_code(VERDICT_ERROR, 0);
        buf_addf(&trouble, "%s", g->journal_problem);
    }
    if (trouble.len)
        r->trouble = buf_detach(&trouble);
    buf_free(&trouble);
}

int gate_run(struct gate_result *result, const struct gate_options *options, struct err *e)
{
    const struct http_config *http = &options->pipeline->http;
    struct gate g;
    struct http_options http_options = {
        .connect_timeout_ms = http->connect_timeout_ms,
        .request_timeout_ms = http->request_timeout_ms,
        .ca_file = http->ca_file,
        .client_cert = http->client_cert,
        .client_key = http->client_key,
        .proxy = http->proxy,
        .getenv = options->getenv,
        .max_body = (size_t)http->max_body,
        .max_connections = (size_t)http->max_connections,
        .trace = options->observer.trace,
        .trace_user = options->observer.user,
        .leave = options->journal ? record_leaving : NULL,
        .leave_user = &g,
    };
    int64_t began;
    int rc = 0;

    init_gate(&g, result, options);
    began = g.now;
    g.http = http_new(&http_options, e);
    if (!g.http) {
        result->verdict = VERDICT_ERROR;
        result->exit_code = verdict_exit_code(VERDICT_ERROR, 0);
        result_set(&result->trouble, e->text, true);
        rc = -1;
    } else {
        loop(&g);
        conclude(&g);
    }
    result->duration_ms = g.now - began;
    free_gate(&g);
    return rc;
}

void gate_result_free(struct gate_result *g)
{
    mem_on_exhaustion(NULL, NULL);
    for (size_t i = 0; i < g->run_count; i++) {
        free(g->runs[i].host);
        result_free_run(&g->runs[i]);
    }
    free(g->runs);
    free(g->trouble);
    memset(g, 0, sizeof(*g));
}
