/* SPDX-License-Identifier: MIT */
/* Owns the life of a run, as a pure function. It must not read a clock, send, log or keep texts. */
#include "base/base.h"

#include "base/mem.h"
#include "engine/run.h"

#include <assert.h>

/* A run that was just started may not be found for this long: replicas lag behind. */
enum { NOT_FOUND_GRACE_MS = 30000 };

/* A key is used no more in the last part of its life: clocks differ, and requests take time. */
enum { KEY_MARGIN_SHARE = 5 };

/* A run that was started may not be listed at once; a gate looks for it no longer than this. */
enum { LOOK_MS = 15000 };

static const int64_t never = INT64_MAX;

static const char *const state_names[] = {
    [RUN_UNKNOWN] = "UNKNOWN",       [RUN_WAITING] = "WAITING",
    [RUN_STARTING] = "STARTING",     [RUN_FINDING] = "FINDING",
    [RUN_POLLING] = "STARTED",       [RUN_COLLECTING] = "COLLECTING",
    [RUN_CANCELLING] = "CANCELLING", [RUN_DONE] = "DONE",
};
static_assert(ARRAY_LEN(state_names) == RUN_STATE_COUNT, "every state has a name");

const char *run_state_name(enum run_state s)
{
    return state_names[s];
}

/* --- what replies mean ---------------------------------------------------------------------- */

/* Of a start: a gateway gave up on the server behind it, which may have done its work. */
static bool is_gateway_loss(int status)
{
    return status == 502 || status == 504 || (status >= 520 && status <= 524 && status != 521);
}

static enum reply_class classify_start(const struct exchange *x)
{
    if (!x->answered)
        return x->sent ? REPLY_LOST : REPLY_NOT_PROCESSED;
    if (x->status >= 200 && x->status < 300)
        return x->readable ? REPLY_GOOD : REPLY_LOST;
    if (x->status == 429 || x->status == 503)
        return REPLY_NOT_PROCESSED;
    return is_gateway_loss(x->status) ? REPLY_LOST : REPLY_REFUSED;
}

/* RFC 9110, 15.5.9, 15.5.20 and 15.6; RFC 6585 (429), RFC 8470 (425). */
static bool is_passing_trouble(int status)
{
    return status == 408 || status == 425 || status == 429 || status >= 500;
}

enum reply_class run_classify(const struct exchange *x)
{
    if (x->hopeless)
        return REPLY_REFUSED;
    if (x->request == REQUEST_START)
        return classify_start(x);
    if (!x->answered)
        return REPLY_RETRY;
    if (x->request == REQUEST_CANCEL && x->gone)
        return REPLY_GOOD;
    if (x->status >= 200 && x->status < 300)
        /* What a cancellation answers is of no interest; every other body must be read. */
        return x->readable || x->request == REQUEST_CANCEL ? REPLY_GOOD : REPLY_RETRY;
    if (is_passing_trouble(x->status))
        return REPLY_RETRY;
    return x->status == 404 && x->request != REQUEST_FIND ? REPLY_NOT_FOUND : REPLY_REFUSED;
}

/* --- folding -------------------------------------------------------------------------------- */

enum outcome run_fold(const struct remote *remotes, size_t count, size_t refused)
{
    /* From bad to good; what is not in it (unknown, running) is no verdict: error. */
    static const enum outcome order[] = {OUTCOME_FAILED,    OUTCOME_ERROR,   OUTCOME_TIMED_OUT,
                                         OUTCOME_CANCELLED, OUTCOME_SKIPPED, OUTCOME_EMPTY,
                                         OUTCOME_PASSED};
    size_t worst = ARRAY_LEN(order);

    for (size_t i = 0; i < count; i++) {
        size_t rank = 0;

        while (rank < ARRAY_LEN(order) && order[rank] != remotes[i].outcome)
            rank++;
        if (rank == ARRAY_LEN(order))
            rank = 1;
        if (rank < worst)
            worst = rank;
    }
    if (worst == ARRAY_LEN(order) || (refused && worst > 1))
        return OUTCOME_ERROR;
    return order[worst];
}

/* --- the state machine ---------------------------------------------------------------------- */

void run_init(struct run *r, const struct run_limits *limits, uint64_t seed)
{
    memset(r, 0, sizeof(*r));
    r->state = RUN_WAITING;
    r->limits = *limits;
    r->rng = seed;
    r->deadline = r->next = r->due = r->grace_until = never;
    r->trouble = -1;
}

void run_free(struct run *r)
{
    free(r->remotes);
    memset(r, 0, sizeof(*r));
}

void run_set_remote(struct run *r, size_t remote, enum outcome outcome)
{
    assert(remote < r->remote_count);
    r->remotes[remote].outcome = outcome;
}

static int64_t earliest(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static struct action nothing(void)
{
    return (struct action){.kind = ACTION_NONE};
}

static struct action send(struct run *r, enum request_kind request, size_t remote)
{
    r->in_flight = true;
    r->request = request;
    r->cursor = remote;
    r->next = never;
    return (struct action){.kind = ACTION_SEND, .request = request, .remote = remote};
}

/* Nothing is under way; the next request is due after a delay. */
static struct action pause(struct run *r, int64_t now, int64_t delay)
{
    r->in_flight = false;
    r->next = delay > never - now ? never : now + delay;
    return nothing();
}

static struct action pause_after_trouble(struct run *r, const struct event *e, int64_t now)
{
    if (r->trouble < 0)
        r->trouble = now;
    r->failures++;
    return pause(r, now,
                 schedule_backoff(&r->limits.schedule, r->failures, e->retry_after_ms, &r->rng));
}

static void end_trouble(struct run *r)
{
    r->trouble = -1;
    r->failures = 0;
    r->strange = false;
}

static bool outage_is_over(const struct run *r, int64_t now)
{
    return r->trouble >= 0 && now - r->trouble >= r->limits.outage_ms;
}

bool run_is_settled(const struct run *r)
{
    for (size_t i = 0; i < r->remote_count; i++) {
        if (!outcome_is_final(r->remotes[i].outcome) && r->remotes[i].cancel != CANCEL_ACCEPTED)
            return false;
    }
    return !r->doubtful;
}

static struct action finish(struct run *r, enum outcome outcome, enum ending ending)
{
    r->in_flight = false;
    r->next = never;
    r->ending = ending;
    r->outcome = outcome;
    r->lost = false;
    if (r->stop == STOP_NONE && outcome != OUTCOME_START_UNKNOWN &&
        (r->limits.retry_on >> outcome & 1u) && r->attempt < r->limits.attempts &&
        run_is_settled(r)) { /* only then may another be started in its place */
        r->state = RUN_STARTING;
        r->deadline = r->grace_until = never;
        return (struct action){.kind = ACTION_AGAIN};
    }
    r->state = RUN_DONE;
    r->deadline = never;
    r->grace_until = never;
    return (struct action){.kind = ACTION_DONE};
}

static struct action finish_lost(struct run *r)
{
    if (r->doubtful) /* the provider has said that there is none */
        return finish(r, OUTCOME_ERROR, ENDING_START_REFUSED);
    return finish(r, OUTCOME_START_UNKNOWN, ENDING_START_LOST);
}

/* A run may have been started that nobody knows: now it is looked up, where that is possible. */
static struct action lose(struct run *r, int64_t now)
{
    if (!r->limits.can_find)
        return finish_lost(r);
    r->state = RUN_FINDING;
    r->looking = now;
    end_trouble(r);
    return send(r, REQUEST_FIND, 0);
}

/* The start was without effect, for all that is known of it; unless an earlier one was lost. */
static struct action finish_unstarted(struct run *r, enum outcome outcome, enum ending ending,
                                      int64_t now)
{
    return r->lost ? lose(r, now) : finish(r, outcome, ending);
}

/* The provider still knows a start that is sent again under the key of the lost one. */
static bool key_is_good(const struct run *r, int64_t now)
{
    int64_t life = r->limits.key_life_ms;

    return now - r->began < life - life / KEY_MARGIN_SHARE;
}

static void take_expectation(struct run *r, const struct event *e)
{
    if (e->expected_ms > 0)
        r->limits.schedule.expected_ms = e->expected_ms;
}

static size_t next_unfinished(const struct run *r, size_t from)
{
    while (from < r->remote_count && outcome_is_final(r->remotes[from].outcome))
        from++;
    return from;
}

bool run_is_over(const struct run *r)
{
    return next_unfinished(r, 0) == r->remote_count;
}

static struct action begin_attempt(struct run *r, int64_t now)
{
    r->attempt++;
    r->state = RUN_STARTING;
    r->began = now;
    r->deadline = r->limits.timeout_ms ? now + r->limits.timeout_ms : never;
    r->remote_count = 0;
    r->refused = 0;
    r->seen = false;
    r->asked_earlier = false;
    r->details_missing = false;
    r->gave_up_as = OUTCOME_UNKNOWN;
    r->doubtful = false;
    r->ending = ENDING_NONE;
    end_trouble(r);
    return send(r, REQUEST_START, 0);
}

static void set_remotes(struct run *r, size_t count, size_t refused, int64_t now)
{
    free(r->remotes);
    r->remotes = mem_alloc(count, sizeof(*r->remotes));
    r->remote_count = count;
    r->refused = refused;
    for (size_t i = 0; i < count; i++)
        r->remotes[i].outcome = OUTCOME_RUNNING;
    r->created = now;
    r->doubtful = false; /* what a refusal may have begun in spite of itself was found */
}

/* The outcome of a run that was given up, for each reason to stop it. */
static enum outcome outcome_of_stop(enum stop stop)
{
    switch (stop) {
    case STOP_GATE_DEADLINE:
        return OUTCOME_TIMED_OUT;
    case STOP_NONE:
    case STOP_SIGNAL:
    case STOP_FAIL_FAST:
    case STOP_DECIDED:
    case STOP_ASKED:
    case STOP_INTERNAL:
    case STOP_NOW:
        break;
    }
    return OUTCOME_CANCELLED;
}

/* The first remote run from there on that is not over and whose cancellation is in that state. */
static size_t next_to_cancel(const struct run *r, size_t i, enum cancel_state state)
{
    while (i < r->remote_count &&
           (outcome_is_final(r->remotes[i].outcome) || r->remotes[i].cancel != state))
        i++;
    return i;
}

/* The end of a run that was given up: what it really was, if that is known and not our doing. */
static struct action finish_given_up(struct run *r)
{
    enum outcome seen;

    if (!run_is_over(r)) {
        bool in_vain = r->stop == STOP_ASKED &&
                       next_to_cancel(r, 0, CANCEL_ACCEPTED) == r->remote_count;

        return finish(r, in_vain ? OUTCOME_ERROR : r->gave_up_as, r->ending);
    }
    seen = run_fold(r->remotes, r->remote_count, r->refused);
    /* Nor is a pass known for which details would have to be read, which nobody waits for now. */
    if (seen == OUTCOME_CANCELLED ||
        (seen == OUTCOME_PASSED && r->limits.has_details && r->limits.needs_details))
        return finish(r, r->gave_up_as, r->ending);
    return finish(r, seen, ENDING_SEEN);
}

/* Sends the next cancellation, or, when all were answered, waits to ask how the runs ended. */
static struct action cancel_next(struct run *r, int64_t now)
{
    size_t next = next_to_cancel(r, 0, CANCEL_OPEN);

    if (next < r->remote_count)
        return send(r, REQUEST_CANCEL, next);
    /* The provider has refused to tell how they are: there is nothing to ask. */
    if (r->ending == ENDING_POLL_REFUSED)
        return finish_given_up(r);
    return pause(r, now, r->limits.schedule.poll_min_ms);
}

/* The runs exist and are not wanted any more. */
static struct action give_up(struct run *r, enum outcome as, enum ending ending, int64_t now)
{
    r->gave_up_as = as;
    r->ending = ending;
    if (!r->limits.can_cancel || r->stop == STOP_NOW)
        return finish(r, as, ending);
    r->state = RUN_CANCELLING;
    r->deadline = never;
    r->grace_until = now + r->limits.cancel_grace_ms;
    end_trouble(r);
    return cancel_next(r, now);
}

static struct action finish_seen(struct run *r)
{
    enum outcome seen = run_fold(r->remotes, r->remote_count, r->refused);

    if (seen == OUTCOME_PASSED && r->details_missing && r->limits.needs_details)
        return finish(r, OUTCOME_ERROR, ENDING_UNVERIFIED);
    return finish(r, seen, ENDING_SEEN);
}

/* All ends were seen: now the details, if there are any. */
static struct action collect(struct run *r)
{
    if (!r->limits.has_details)
        return finish_seen(r);
    r->state = RUN_COLLECTING;
    end_trouble(r);
    return send(r, REQUEST_DETAILS, 0);
}

/* The remote runs exist. They are asked about after a delay. */
static struct action watch(struct run *r, int64_t now, int64_t delay)
{
    if (r->grace_until != never) /* it was given up in the meantime */
        return give_up(r, r->gave_up_as, r->ending, now);
    if (r->limits.start_only)
        return finish(r, OUTCOME_RUNNING, ENDING_SEEN);
    r->state = RUN_POLLING;
    return delay ? pause(r, now, delay) : send(r, REQUEST_STATUS, 0);
}

/* What was started before this gate was there: by somebody else, or by an earlier gate. */
static void take_up(struct run *r, const struct event *e, int64_t now)
{
    /* Who watches the run of somebody else starts nothing, nor does who only looks. */
    if (!e->attempt || r->limits.once)
        r->limits.attempts = 1;
    r->attempt = e->attempt ? e->attempt : 1;
    r->began = now - e->age_ms;
    r->deadline = r->limits.timeout_ms ? now + r->limits.timeout_ms : never;
}

static struct action in_waiting(struct run *r, const struct event *e, int64_t now)
{
    switch (e->kind) {
    case EVENT_GO:
        return begin_attempt(r, now);
    case EVENT_WATCH:
        take_up(r, e, now);
        r->seen = !e->attempt; /* it is no news to the provider: a 404 is final */
        set_remotes(r, e->remotes, e->refused, r->began);
        return watch(r, now, 0);
    case EVENT_LOST:
        take_up(r, e, now);
        r->lost = true;
        if (r->limits.once || !key_is_good(r, now))
            return lose(r, now);
        r->state = RUN_STARTING;
        return send(r, REQUEST_START, 0);
    case EVENT_STOP:
        r->stop = e->stop;
        return finish(r, outcome_of_stop(e->stop), ENDING_NOT_STARTED);
    case EVENT_UNKNOWN:
    case EVENT_TIMER:
    case EVENT_REPLY:
        break;
    }
    return nothing();
}

/* A start that surely had no effect is sent again, or was the last. */
static struct action start_again(struct run *r, const struct event *e, int64_t now)
{
    struct action action = pause_after_trouble(r, e, now);

    if (r->grace_until != never)
        return finish_unstarted(r, r->gave_up_as, ENDING_NOT_STARTED, now);
    if (outage_is_over(r, now) || (r->limits.start_tries && r->failures >= r->limits.start_tries))
        return finish_unstarted(r, OUTCOME_ERROR, ENDING_START_FAILED, now);
    return action;
}

/*
 * Stops a run that may exist and is not known yet: its start's reply is awaited, or it is looked
 * up, for a while; then it can be cancelled. A reply that does not come in half of that time may
 * never come: the other half is for looking. Or there is nothing to cancel.
 */
static struct action stop_unknown(struct run *r, enum outcome as, enum ending ending, int64_t now)
{
    r->gave_up_as = as;
    r->ending = ending;
    r->deadline = never;
    if (r->state == RUN_STARTING && !r->in_flight && !r->lost)
        return finish(r, as, ENDING_NOT_STARTED);
    if (r->stop == STOP_NOW)
        return finish_lost(r);
    r->grace_until = now + r->limits.cancel_grace_ms;
    if (r->state != RUN_STARTING)
        return nothing();
    if (!r->in_flight)
        return lose(r, now);
    if (r->limits.can_find)
        r->next = now + r->limits.cancel_grace_ms / 2;
    return nothing();
}

/* The loop wants an end while the run is not known. */
static struct action stop_asked(struct run *r, const struct event *e, int64_t now)
{
    if (r->grace_until != never && e->stop != STOP_NOW) { /* it was given up already */
        if (r->stop == STOP_NONE)
            r->stop = e->stop;
        return nothing();
    }
    r->stop = e->stop;
    return stop_unknown(r, outcome_of_stop(e->stop), ENDING_STOPPED, now);
}

static struct action start_reply(struct run *r, const struct event *e, int64_t now)
{
    r->in_flight = false;
    switch (e->reply) {
    case REPLY_GOOD:
        set_remotes(r, e->remotes, e->refused, now);
        end_trouble(r);
        return watch(r, now, schedule_delay(&r->limits.schedule, 0, &r->rng));
    case REPLY_ENDED:
        return finish(r, e->outcome, ENDING_SEEN);
    case REPLY_NOT_PROCESSED:
        return start_again(r, e, now);
    case REPLY_LOST:
        r->lost = true;
        if (key_is_good(r, now) && r->grace_until == never && !outage_is_over(r, now))
            return pause_after_trouble(r, e, now);
        return lose(r, now);
    case REPLY_UNKNOWN:
    case REPLY_STRANGE:
    case REPLY_RETRY:
    case REPLY_NOT_FOUND:
    case REPLY_REFUSED:
        break;
    }
    r->doubtful = e->doubtful && !r->lost;
    return r->doubtful ? lose(r, now)
                       : finish_unstarted(r, OUTCOME_ERROR, ENDING_START_REFUSED, now);
}

/* It is time for the start, or to do without its reply. */
static struct action start_due(struct run *r, int64_t now)
{
    if (r->grace_until != never)
        return lose(r, now);
    if (r->ending != ENDING_NONE)
        return begin_attempt(r, now);
    if (r->lost && !key_is_good(r, now))
        return lose(r, now);
    if (!r->lost)
        r->began = now; /* what was sent before has begun nothing */
    return send(r, REQUEST_START, 0);
}

/* When the last look is due. */
static int64_t look_ends(const struct run *r)
{
    return r->looking + earliest(LOOK_MS, r->limits.outage_ms);
}

/* Not there yet, or no answer: once more, the last time when the look is over. */
static struct action look_again(struct run *r, const struct event *e, int64_t now)
{
    if (r->limits.once || now >= look_ends(r))
        return finish_lost(r);
    pause_after_trouble(r, e, now);
    r->next = earliest(r->next, look_ends(r));
    return nothing();
}

static struct action find_reply(struct run *r, const struct event *e, int64_t now)
{
    r->in_flight = false;
    switch (e->reply) {
    case REPLY_GOOD:
        set_remotes(r, e->remotes, 0, now);
        end_trouble(r);
        take_expectation(r, e);
        return watch(r, now, 0);
    case REPLY_NOT_FOUND:
    case REPLY_RETRY:
        return look_again(r, e, now);
    case REPLY_UNKNOWN:
    case REPLY_ENDED:
    case REPLY_STRANGE:
    case REPLY_NOT_PROCESSED:
    case REPLY_LOST:
    case REPLY_REFUSED:
        break;
    }
    return finish_lost(r);
}

/* The start is under way, or lost and looked up: whether there is a run is not known yet. */
static struct action in_starting(struct run *r, const struct event *e, int64_t now)
{
    bool finding = r->state == RUN_FINDING;

    switch (e->kind) {
    case EVENT_REPLY:
        return finding ? find_reply(r, e, now) : start_reply(r, e, now);
    case EVENT_STOP:
        return stop_asked(r, e, now);
    case EVENT_TIMER:
        if (now >= r->grace_until)
            return finish_lost(r);
        if (now >= r->deadline)
            return stop_unknown(r, OUTCOME_TIMED_OUT, ENDING_DEADLINE, now);
        if (now >= r->next)
            return finding ? send(r, REQUEST_FIND, 0) : start_due(r, now);
        break;
    case EVENT_UNKNOWN:
    case EVENT_GO:
    case EVENT_WATCH:
    case EVENT_LOST:
        break;
    }
    return nothing();
}

/* The remote run at the cursor was asked about: on to the next, or wait for the next round. */
static struct action next_poll(struct run *r, const struct event *e, int64_t now)
{
    size_t next = next_unfinished(r, r->cursor + 1);
    int64_t delay;

    if (next < r->remote_count)
        return send(r, REQUEST_STATUS, next);
    if (run_is_over(r))
        return collect(r);
    if (r->limits.once)
        return finish(r, OUTCOME_RUNNING, ENDING_SEEN);
    delay = schedule_delay(&r->limits.schedule, now - r->began, &r->rng);
    return pause(r, now, delay > e->retry_after_ms ? delay : e->retry_after_ms);
}

static struct action poll_trouble(struct run *r, const struct event *e, int64_t now)
{
    struct action action = pause_after_trouble(r, e, now);
    enum ending ending = r->strange ? ENDING_STRANGE : ENDING_OUTAGE;

    if (r->limits.once)
        return finish(r, OUTCOME_UNKNOWN, ending);
    return outage_is_over(r, now) ? give_up(r, OUTCOME_ERROR, ending, now) : action;
}

/* The provider knows the remote run at the cursor; after the last one it knows all of them. */
static void note_seen(struct run *r)
{
    if (next_unfinished(r, r->cursor + 1) == r->remote_count)
        r->seen = true;
}

static struct action poll_reply(struct run *r, const struct event *e, int64_t now)
{
    r->in_flight = false;
    switch (e->reply) {
    case REPLY_GOOD:
        end_trouble(r);
        note_seen(r);
        take_expectation(r, e);
        return next_poll(r, e, now);
    case REPLY_STRANGE:
        r->strange = true;
        note_seen(r);
        return poll_trouble(r, e, now);
    case REPLY_RETRY:
        r->strange = false;
        return poll_trouble(r, e, now);
    case REPLY_NOT_FOUND:
        r->strange = false;
        if (!r->seen && now - r->created < NOT_FOUND_GRACE_MS)
            return poll_trouble(r, e, now);
        break;
    case REPLY_UNKNOWN:
    case REPLY_ENDED:
    case REPLY_NOT_PROCESSED:
    case REPLY_LOST:
    case REPLY_REFUSED:
        break;
    }
    if (r->limits.once)
        return finish(r, OUTCOME_UNKNOWN, ENDING_POLL_REFUSED);
    return give_up(r, OUTCOME_ERROR, ENDING_POLL_REFUSED, now);
}

/*
 * How long earlier runs took is asked once, and not before polls are as far apart as they get:
 * with shorter runs there is nothing to gain.
 */
static bool wants_earlier(const struct run *r, int64_t now)
{
    return r->limits.has_earlier && !r->asked_earlier && r->limits.schedule.expected_ms < 0 &&
           r->trouble < 0 && schedule_is_slow(&r->limits.schedule, now - r->began);
}

static struct action poll(struct run *r, int64_t now)
{
    if (wants_earlier(r, now)) {
        r->asked_earlier = true;
        return send(r, REQUEST_FIND, 0);
    }
    /* The one that gave trouble is asked again: good answers of others would hide it. */
    return send(r, REQUEST_STATUS, r->trouble < 0 ? next_unfinished(r, 0) : r->cursor);
}

/* Whatever the answer, nothing depends on it. */
static struct action earlier_reply(struct run *r, const struct event *e)
{
    take_expectation(r, e);
    return send(r, REQUEST_STATUS, next_unfinished(r, 0));
}

static struct action in_polling(struct run *r, const struct event *e, int64_t now)
{
    switch (e->kind) {
    case EVENT_REPLY:
        return r->request == REQUEST_FIND ? earlier_reply(r, e) : poll_reply(r, e, now);
    case EVENT_STOP:
        r->stop = e->stop;
        return give_up(r, outcome_of_stop(e->stop), ENDING_STOPPED, now);
    case EVENT_TIMER:
        if (now >= r->deadline)
            return give_up(r, OUTCOME_TIMED_OUT, ENDING_DEADLINE, now);
        if (now >= r->next)
            return poll(r, now);
        break;
    case EVENT_UNKNOWN:
    case EVENT_GO:
    case EVENT_WATCH:
    case EVENT_LOST:
        break;
    }
    return nothing();
}

static struct action details_reply(struct run *r, const struct event *e, int64_t now)
{
    struct action action;

    r->in_flight = false;
    if (e->reply == REPLY_GOOD) {
        end_trouble(r);
    } else {
        action = pause_after_trouble(r, e, now);
        if (e->reply == REPLY_RETRY && !r->limits.once && !outage_is_over(r, now))
            return action;
        r->details_missing = true;
    }
    return r->cursor + 1 < r->remote_count ? send(r, REQUEST_DETAILS, r->cursor + 1)
                                           : finish_seen(r);
}

/* The verdict is known: whatever ends the wait for details leaves it as it is. */
static struct action in_collecting(struct run *r, const struct event *e, int64_t now)
{
    switch (e->kind) {
    case EVENT_REPLY:
        return details_reply(r, e, now);
    case EVENT_STOP:
        r->stop = e->stop;
        r->details_missing = true;
        return finish_seen(r);
    case EVENT_TIMER:
        if (now >= r->deadline) {
            r->details_missing = true;
            return finish_seen(r);
        }
        if (now >= r->next)
            return send(r, REQUEST_DETAILS, r->cursor);
        break;
    case EVENT_UNKNOWN:
    case EVENT_GO:
    case EVENT_WATCH:
    case EVENT_LOST:
        break;
    }
    return nothing();
}

static struct action cancel_reply(struct run *r, const struct event *e, int64_t now)
{
    r->in_flight = false;
    if (r->request == REQUEST_CANCEL) {
        if (e->reply == REPLY_RETRY) {
            size_t other = next_to_cancel(r, r->cursor + 1, CANCEL_OPEN);

            /* The others shall not run on because of this one. */
            return other < r->remote_count ? send(r, REQUEST_CANCEL, other)
                                           : pause_after_trouble(r, e, now);
        }
        r->remotes[r->cursor].cancel = e->reply == REPLY_GOOD ? CANCEL_ACCEPTED : CANCEL_REFUSED;
        end_trouble(r);
        return cancel_next(r, now);
    }
    if (e->reply == REPLY_GOOD) {
        size_t next = next_unfinished(r, r->cursor + 1);

        if (next < r->remote_count)
            return send(r, REQUEST_STATUS, next);
        /* What is still running will end only where a cancellation was accepted. */
        if (next_to_cancel(r, 0, CANCEL_ACCEPTED) == r->remote_count)
            return finish_given_up(r);
        return pause(r, now, r->limits.schedule.poll_min_ms);
    }
    /* After an outage one more question is enough. */
    if (e->reply == REPLY_REFUSED || e->reply == REPLY_NOT_FOUND ||
        r->ending == ENDING_OUTAGE || r->ending == ENDING_STRANGE)
        return finish_given_up(r);
    return pause_after_trouble(r, e, now);
}

static struct action in_cancelling(struct run *r, const struct event *e, int64_t now)
{
    switch (e->kind) {
    case EVENT_REPLY:
        return cancel_reply(r, e, now);
    case EVENT_STOP:
        if (r->stop == STOP_NONE || e->stop == STOP_NOW)
            r->stop = e->stop;
        return e->stop == STOP_NOW ? finish_given_up(r) : nothing();
    case EVENT_TIMER:
        if (now >= r->grace_until)
            return finish_given_up(r);
        if (now >= r->next) {
            size_t open = next_to_cancel(r, 0, CANCEL_OPEN);

            return open < r->remote_count ? send(r, REQUEST_CANCEL, open)
                                          : send(r, REQUEST_STATUS, next_unfinished(r, 0));
        }
        break;
    case EVENT_UNKNOWN:
    case EVENT_GO:
    case EVENT_WATCH:
    case EVENT_LOST:
        break;
    }
    return nothing();
}

struct action run_step(struct run *r, const struct event *event, int64_t now)
{
    struct action action = nothing();

    switch (r->state) {
    case RUN_WAITING:
        action = in_waiting(r, event, now);
        break;
    case RUN_STARTING:
    case RUN_FINDING:
        action = in_starting(r, event, now);
        break;
    case RUN_POLLING:
        action = in_polling(r, event, now);
        break;
    case RUN_COLLECTING:
        action = in_collecting(r, event, now);
        break;
    case RUN_CANCELLING:
        action = in_cancelling(r, event, now);
        break;
    case RUN_UNKNOWN:
    case RUN_DONE:
        break;
    }
    if (action.kind == ACTION_AGAIN)
        pause(r, now, schedule_backoff(&r->limits.schedule, 1, -1, &r->rng));
    r->due = earliest(earliest(r->next, r->deadline), r->grace_until);
    return action;
}
