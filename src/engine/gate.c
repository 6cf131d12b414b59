/* SPDX-License-Identifier: MIT */
/* Owns the event loop: the only place that waits. It must not decide what an event means for a
 * run (engine/run.c) or for the gate (engine/verdict.c). */
#include "base/base.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/rng.h"
#include "engine/answer.h"
#include "engine/ending.h"
#include "engine/member.h"

#include <unistd.h>

static const int64_t never = INT64_MAX;

/* --- the journal ---------------------------------------------------------------------------- */

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
    gate_tell(g, MESSAGE_ERROR, "%s", e->text);
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
    struct scope scope = member_scope(m, remote);
    size_t tag = (size_t)(m - g->members);
    struct request request;
    struct err e = {""};
    int rc;

    http_abort(g->http, tag);
    rc = request_make(&request, kind, &scope, &e);
    if (!rc && kind == REQUEST_START)
        rc = prepare_start(g, m, &request, &e);
    if (!rc)
        rc = http_send(g->http, tag, &request, kind == REQUEST_START ? HTTP_ONCE : HTTP_REPEATABLE,
                       &e);
    request_free(&request);
    if (rc) {
        struct event refused = {
            .kind = EVENT_REPLY, .reply = REPLY_REFUSED, .retry_after_ms = -1, .expected_ms = -1};

        member_set_problem(m, "the request cannot be sent: %s", e.text);
        step(g, m, &refused);
        return;
    }
    m->result->requests++;
    if (kind == REQUEST_STATUS)
        m->result->polls++;
}

/* --- what a run ends with ------------------------------------------------------------------- */

static void remember_attempt(struct gate *g, struct member *m)
{
    struct run_result *r = m->result;
    struct past_attempt *past;

    ending_note(g, m);
    r->past = mem_grow(r->past, &r->past_cap, r->past_count, sizeof(*r->past));
    past = &r->past[r->past_count++];
    past->outcome = r->outcome;
    past->reason = mem_strdup(r->reason);
    past->run_id = mem_strdup(r->run_id);
    past->url = mem_strdup(r->url);
    past->started = r->started;
    past->finished = g->wall;
    record_end(g, m);
    gate_tell(g, MESSAGE_NOTE, "%s: attempt %d ended in %s%s%s; starting it again", r->name,
              (int)r->attempt, outcome_name(past->outcome), past->reason ? ": " : "",
              past->reason ? past->reason : "");
    result_reset_attempt(r);
    mem_replace(&m->problem, NULL);
    mem_replace(&m->cause, NULL);
    m->strange_told = false;
    gate_note_state(g, m, "RETRYING");
}

static void end_run(struct gate *g, struct member *m)
{
    struct run_result *r = m->result;

    if (m->life.attempt && !member_is_taken_up(m))
        g->active--;
    g->done++;
    record_end(g, m);
    if (m->life.limits.start_only && m->life.outcome == OUTCOME_RUNNING)
        result_note_state(r, run_state_name(RUN_POLLING), g->wall);
    r->not_started = m->life.ending == ENDING_NOT_STARTED && !m->life.attempt;
    r->finished = g->wall;
    r->duration_ms = m->began ? g->now - m->began : -1;
    ending_note(g, m);
    if (m->life.details_missing && m->life.ending != ENDING_UNVERIFIED)
        result_warn(r, "its test results could not be read: %s",
                    m->problem ? m->problem : "there was no time left");
    /* The attempts before may have been those of an earlier gate. */
    r->flaky = r->outcome == OUTCOME_PASSED && r->attempt > 1;
    gate_tell_changed(g, m);
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
            gate_note_state(g, m, run_state_name(m->life.state));
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
        gate_tell(g, MESSAGE_WARNING, "%s: the start %s (%s); looking for the run",
                  m->result->name,
                  m->life.doubtful ? "was refused, perhaps after it had its effect"
                                   : "was sent and its reply was lost",
                  m->cause ? m->cause : "no answer");
    }
    if (before == RUN_FINDING && m->life.remote_count) {
        mem_replace(&m->cause, NULL);
        mem_replace(&m->problem, NULL);
        gate_tell(g, MESSAGE_NOTE, "%s: found it: run %s", m->result->name, m->result->run_id);
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

static void handle_reply(struct gate *g, const struct http_reply *reply)
{
    struct member *m = &g->members[reply->tag];
    struct event event = answer_read(g, m, reply);
    enum run_state before = m->life.state;

    step(g, m, &event);
    if (m->life.state == RUN_POLLING && before != RUN_POLLING)
        gate_note_state(g, m, run_state_name(m->life.state));
}

/* --- which run may start -------------------------------------------------------------------- */

enum readiness { NOT_YET, READY, NEVER };

/* Whether what a run needs has passed; if it never can, *ret_why is the member in the way. */
static enum readiness needs_of(const struct gate *g, const struct member *m,
                               const struct member **ret_why)
{
    enum readiness readiness = READY;

    for (size_t i = 0; i < m->config->need_count; i++) {
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
    gate_tell_changed(g, m);
}

static void add_remotes(struct run_result *r, const char *ids)
{
    for (;;) {
        size_t len = strcspn(ids, ",");
        char *id = mem_strndup(ids, len);

        result_add_remote(r, id);
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
        gate_tell(g, MESSAGE_NOTE, "%s: taking up run %s, which was started %s", m->result->name,
                  old->ids, at.text);
    else
        member_set_problem(m, "the gate that sent it %s was told of no run", at.text);
    buf_free(&at);
}

/* Takes up a run that was started before this gate was there. */
static void take_up(struct gate *g, struct member *m)
{
    const char *ids = m->attach ? m->attach : m->resume->ids;
    struct event event = {.kind = ids ? EVENT_WATCH : EVENT_LOST};

    m->began = g->now;
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
        member_name_remotes(m);
    }
    step(g, m, &event);
    if (g->options->mode == GATE_CANCEL) {
        struct event stop = {.kind = EVENT_STOP, .stop = STOP_ASKED};

        step(g, m, &stop);
    }
}

/*
 * Before all else: whatever ends the gate must find what exists. It waits for nothing that it
 * needs, and no limit is for it, since it is under way already.
 */
static void take_up_all(struct gate *g)
{
    for (size_t i = 0; i < g->count; i++) {
        if (member_is_taken_up(&g->members[i]))
            take_up(g, &g->members[i]);
    }
}

/* Starts what may start. What ends at once may let others start: the next turn of the loop does. */
static void start_ready(struct gate *g)
{
    size_t limit = (size_t)g->options->pipeline->gate.max_parallel;
    const struct event go = {.kind = EVENT_GO};

    for (size_t i = g->first_waiting; i < g->count && g->active < limit; i++) {
        struct member *m = &g->members[i];
        const struct member *why = NULL;
        enum readiness readiness;

        if (m->life.state != RUN_WAITING) {
            g->first_waiting += i == g->first_waiting ? 1 : 0;
            continue;
        }
        readiness = g->stop == STOP_NONE ? needs_of(g, m, &why) : NOT_YET;
        if (readiness == NEVER) {
            skip(g, m, why);
        } else if (readiness == READY) {
            g->active++;
            m->began = g->now;
            step(g, m, &go);
        }
    }
}

/* After a run ended: does that decide the gate? */
static void decide(struct gate *g)
{
    const struct gate_config *config = &g->options->pipeline->gate;

    if (g->stop != STOP_NONE || (g->options->mode != GATE_RUN && g->options->mode != GATE_WATCH))
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
    gate_tell(g, MESSAGE_WARNING, "%s: %s; a second signal ends the gate at once",
              gate_signal_name(g->signal_number), what_a_stop_does(g));
    stop_gate(g, g->options->mode == GATE_ONCE ? STOP_NOW : STOP_SIGNAL);
}

/* Memory that ran short ends the gate as a signal does, while there is a reserve to do it with. */
static void check_memory(struct gate *g)
{
    if (!mem_is_short() || g->short_told)
        return;
    g->short_told = true;
    gate_tell(g, MESSAGE_ERROR, "out of memory: %s", what_a_stop_does(g));
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
        gate_tell(g, MESSAGE_WARNING, "the gate's deadline has passed");
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
    size_t decided = 0; /* how many were done when it was last asked what that decides */

    read_clocks(g);
    take_up_all(g);
    while (g->done < g->count) {
        read_clocks(g);
        read_signals(g);
        check_memory(g);
        handle_due(g);
        /* First, so that nothing is started in a gate that is decided. */
        if (g->done != decided) {
            decided = g->done;
            decide(g);
            continue;
        }
        start_ready(g);
        while (http_next(g->http, &reply)) {
            handle_reply(g, &reply);
            http_reply_free(&reply);
        }
        if (g->done != decided)
            continue;
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
    bool needs_details = p->tests.count && (p->tests_required || p->tests_decide);
    struct run_limits limits = {
        .schedule = {.poll_min_ms = config->poll_min_ms,
                     .poll_max_ms = config->poll_max_ms,
                     .expected_ms =
                         config->expect_ms ? config->expect_ms : binding_expected_ms(binding)},
        .timeout_ms = config->timeout_ms,
        .outage_ms = config->outage_ms,
        .cancel_grace_ms = gate->cancel_grace_ms,
        .attempts = starts(o->mode) ? config->attempts : 1,
        .retry_on = config->retry_on,
        .can_cancel = (gate->cancel || o->mode == GATE_CANCEL) &&
                      p->requests[REQUEST_CANCEL].method && o->mode != GATE_ONCE,
        .has_details =
            p->requests[REQUEST_DETAILS].method && (o->mode != GATE_ONCE || needs_details),
        .start_tries = p->start_tries,
        .needs_details = needs_details,
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
        member_free_captures(&g->members[i]);
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
        buf_addf(&trouble, "interrupted by %s", gate_signal_name(g->signal_number));
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
