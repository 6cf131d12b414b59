/* SPDX-License-Identifier: MIT */
/* Tests engine/run, the life of a run: a table of every situation and event, random walks that
 * check what must never happen, and stories in words. */
#include "base/base.h"

#include "base/rng.h"
#include "engine/run.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static const int64_t never = INT64_MAX;

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

/* --- common ------------------------------------------------------------------------------- */

static const struct run_limits usual = {
    .schedule = {.poll_min_ms = SECOND, .poll_max_ms = 15 * SECOND, .expected_ms = -1},
    .timeout_ms = 10 * MINUTE,
    .outage_ms = 5 * MINUTE,
    .cancel_grace_ms = 10 * SECOND,
    .attempts = 1,
    .retry_on = 1u << OUTCOME_ERROR,
    .can_cancel = true,
};

/* A run with a clock beside it, as the loop has one. */
struct life {
    struct run run;
    int64_t now;
    struct action last;
};

static void born(struct life *l, const struct run_limits *limits)
{
    memset(l, 0, sizeof(*l));
    l->now = 1000 * SECOND;
    run_init(&l->run, limits, 42);
}

static void step(struct life *l, const struct event *e)
{
    l->last = run_step(&l->run, e, l->now);
}

static void go(struct life *l)
{
    step(l, &(struct event){.kind = EVENT_GO});
}

static void watch(struct life *l, size_t remotes)
{
    step(l, &(struct event){.kind = EVENT_WATCH, .remotes = remotes});
}

/* An earlier gate has sent the start, that long ago, and has noted no reply. */
static void lost(struct life *l, int64_t age_ms)
{
    step(l, &(struct event){.kind = EVENT_LOST, .attempt = 1, .age_ms = age_ms});
}

static void stop(struct life *l, enum stop why)
{
    step(l, &(struct event){.kind = EVENT_STOP, .stop = why});
}

/* The timer of the loop comes; it is due, unless the test has moved the clock itself. */
static void timer(struct life *l)
{
    step(l, &(struct event){.kind = EVENT_TIMER});
}

static void wait_for_timer(struct life *l)
{
    assert_int_not_equal(l->run.due, never);
    if (l->run.due > l->now)
        l->now = l->run.due;
    timer(l);
}

static struct event reply_event(enum reply_class c)
{
    return (struct event){.kind = EVENT_REPLY, .reply = c, .retry_after_ms = -1, .expected_ms = -1};
}

static void reply(struct life *l, enum reply_class c)
{
    struct event e = reply_event(c);

    step(l, &e);
}

/* A good reply to a start. */
static void started(struct life *l, size_t remotes, size_t refused)
{
    struct event e = reply_event(REPLY_GOOD);

    e.remotes = remotes;
    e.refused = refused;
    step(l, &e);
}

/* The look-up has found it. */
static void found(struct life *l)
{
    started(l, 1, 0);
}

/* A good reply to a status request; an outcome that is final is the end of that remote run. */
static void told(struct life *l, enum outcome outcome)
{
    struct event e = reply_event(REPLY_GOOD);

    e.outcome = outcome;
    if (outcome_is_final(outcome))
        run_set_remote(&l->run, l->run.cursor, outcome);
    step(l, &e);
}

/* Lets a life in POLLING, with its start behind it, ask and be answered once. */
static void polled(struct life *l, enum outcome outcome)
{
    if (!l->run.in_flight)
        wait_for_timer(l);
    told(l, outcome);
}

/* --- the table of everything -------------------------------------------------------------- */

/* Each is reached by events alone; see bring_about(). */
enum situation {
    WAITING,
    STARTING,       /* the start is under way */
    RESENDING,      /* it surely was not processed, and waits to be sent again */
    RESTARTING,     /* between two attempts */
    REPEATING,      /* it was lost, and waits to be sent again under its key */
    START_GIVEN_UP, /* under way, and the deadline has passed */
    FINDING,        /* it was lost; the look-up is under way */
    BETWEEN_FINDS,  /* it was not found, and will be looked up again */
    FIND_GIVEN_UP,  /* the look-up is under way, and the deadline has passed */
    BETWEEN_POLLS,
    POLLING,
    ASKING_EARLIER, /* how long earlier runs took */
    COLLECTING,
    BETWEEN_DETAILS,
    CANCELLING,      /* the cancellation is under way; the deadline has passed */
    BETWEEN_CANCELS, /* it shall be sent again */
    CANCELLED,       /* it was accepted; how the run ended is not asked yet */
    ASKING_END,      /* a status request after a cancellation is under way */
    DONE,
    SITUATION_COUNT
};

static const char *const situation_names[] = {
    [WAITING] = "waiting",
    [STARTING] = "starting",
    [RESENDING] = "resending",
    [RESTARTING] = "restarting",
    [REPEATING] = "repeating",
    [START_GIVEN_UP] = "start given up",
    [FINDING] = "finding",
    [BETWEEN_FINDS] = "between finds",
    [FIND_GIVEN_UP] = "find given up",
    [BETWEEN_POLLS] = "between polls",
    [POLLING] = "polling",
    [ASKING_EARLIER] = "asking about earlier runs",
    [COLLECTING] = "collecting",
    [BETWEEN_DETAILS] = "between details",
    [CANCELLING] = "cancelling",
    [BETWEEN_CANCELS] = "between cancels",
    [CANCELLED] = "cancelled",
    [ASKING_END] = "asking for the end",
    [DONE] = "done",
};

enum happening {
    GO,
    WATCH,
    LOSE,        /* an earlier gate has lost it */
    TIMER_EARLY, /* nothing is due */
    TIMER_NEXT,  /* the next request is due */
    TIMER_DEADLINE,
    TIMER_GRACE, /* the end of waiting for a run given up */
    GOOD,        /* of a start or a find: one run; of a status: it goes on */
    GOOD_END,    /* of a status: the run has failed */
    ENDED,       /* of a start: skipped before it began */
    STRANGE,
    RETRY,
    NOT_PROCESSED,
    LOST,
    NOT_FOUND,
    REFUSED,
    CLASSLESS, /* a reply without a class */
    SIGNALLED,
    GATE_DEADLINE,
    FAIL_FAST,
    DECIDED,
    ASKED,
    BROKEN,
    NOW,
    NOTHING_KNOWN, /* an event without a kind */
    HAPPENING_COUNT
};

static const char *const happening_names[] = {
    [GO] = "go",
    [WATCH] = "watch",
    [LOSE] = "a start that an earlier gate has lost",
    [TIMER_EARLY] = "a timer too early",
    [TIMER_NEXT] = "the timer of the next request",
    [TIMER_DEADLINE] = "the deadline",
    [TIMER_GRACE] = "the end of the grace",
    [GOOD] = "a good reply",
    [GOOD_END] = "a good reply that tells the end",
    [ENDED] = "a reply that it is over",
    [STRANGE] = "a strange reply",
    [RETRY] = "a reply to try again",
    [NOT_PROCESSED] = "not processed",
    [LOST] = "a lost reply",
    [NOT_FOUND] = "not found",
    [REFUSED] = "a refusal",
    [CLASSLESS] = "a reply without a class",
    [SIGNALLED] = "a signal",
    [GATE_DEADLINE] = "the gate's deadline",
    [FAIL_FAST] = "fail_fast",
    [DECIDED] = "the gate is decided",
    [ASKED] = "being asked to stop",
    [BROKEN] = "an internal error",
    [NOW] = "a second signal",
    [NOTHING_KNOWN] = "an event without a kind",
};

#define B(n) (1u << (n))

enum {
    REPLIES = B(GOOD) | B(GOOD_END) | B(ENDED) | B(STRANGE) | B(RETRY) | B(NOT_PROCESSED) |
              B(LOST) | B(NOT_FOUND) | B(REFUSED) | B(CLASSLESS),
    STOPS = B(SIGNALLED) | B(GATE_DEADLINE) | B(FAIL_FAST) | B(DECIDED) | B(ASKED) |
            B(BROKEN) | B(NOW),
    /* Stops that make a run cancelled; the gate's deadline makes it timed out. */
    CANCELS = STOPS & ~B(GATE_DEADLINE),
    FIRST_STOPS = STOPS & ~B(NOW),
    FIRST_CANCELS = CANCELS & ~B(NOW),
    BEGINNINGS = B(GO) | B(WATCH) | B(LOSE),
    EMPTY = B(TIMER_EARLY) | B(NOTHING_KNOWN), /* nothing may follow, ever */
    /* Situations with no request under way. */
    QUIET = B(WAITING) | B(RESENDING) | B(RESTARTING) | B(REPEATING) | B(BETWEEN_FINDS) |
            B(BETWEEN_POLLS) | B(BETWEEN_DETAILS) | B(BETWEEN_CANCELS) | B(CANCELLED) | B(DONE),
    ALL_SITUATIONS = B(SITUATION_COUNT) - 1,
    ALIVE = ALL_SITUATIONS & ~B(DONE)
};

enum what {
    STAYS,
    SENDS_START,
    SENDS_STATUS,
    SENDS_DETAILS,
    SENDS_CANCEL,
    SENDS_FIND,
    AGAIN,
    ENDS,
    CANNOT_BE /* by the rules for callers, or because there is no such moment; that is checked */
};

/* One remote run, details, two attempts if it fails before it is done, and a way to cancel. */
static const struct {
    unsigned in; /* situations */
    unsigned on; /* happenings */
    enum what what;
    enum run_state state;
    enum ending ending;
    enum outcome outcome;
} table[] = {
    /* What changes nothing: see the comparison of everything else in check_pair(). */
    {ALIVE, EMPTY, STAYS, RUN_UNKNOWN, ENDING_NONE, OUTCOME_UNKNOWN},
    {ALIVE & ~B(WAITING), BEGINNINGS, STAYS, RUN_UNKNOWN, ENDING_NONE, OUTCOME_UNKNOWN},
    {B(DONE), EMPTY | BEGINNINGS | STOPS, STAYS, RUN_UNKNOWN, ENDING_NONE, OUTCOME_UNKNOWN},
    {QUIET, REPLIES, CANNOT_BE, RUN_UNKNOWN, ENDING_NONE, OUTCOME_UNKNOWN},
    {ALL_SITUATIONS & ~(QUIET | B(POLLING) | B(ASKING_END)), B(GOOD_END), CANNOT_BE, RUN_UNKNOWN,
     ENDING_NONE, OUTCOME_UNKNOWN},

    {B(WAITING), B(GO), SENDS_START, RUN_STARTING, ENDING_NONE, OUTCOME_UNKNOWN},
    {B(WAITING), B(WATCH), SENDS_STATUS, RUN_POLLING, ENDING_NONE, OUTCOME_UNKNOWN},
    {B(WAITING), B(LOSE), SENDS_FIND, RUN_FINDING, ENDING_NONE, OUTCOME_UNKNOWN},
    {B(WAITING), CANCELS, ENDS, RUN_DONE, ENDING_NOT_STARTED, OUTCOME_CANCELLED},
    {B(WAITING), B(GATE_DEADLINE), ENDS, RUN_DONE, ENDING_NOT_STARTED, OUTCOME_TIMED_OUT},

    {B(STARTING), B(TIMER_DEADLINE), STAYS, RUN_STARTING, ENDING_DEADLINE, OUTCOME_UNKNOWN},
    {B(STARTING), B(GOOD), STAYS, RUN_POLLING, ENDING_NONE, OUTCOME_UNKNOWN},
    {B(STARTING), B(ENDED), ENDS, RUN_DONE, ENDING_SEEN, OUTCOME_SKIPPED},
    {B(STARTING), B(NOT_PROCESSED), STAYS, RUN_STARTING, ENDING_NONE, OUTCOME_UNKNOWN},
    {B(STARTING), B(LOST), ENDS, RUN_DONE, ENDING_START_LOST, OUTCOME_START_UNKNOWN},
    {B(STARTING), B(REFUSED) | B(STRANGE) | B(RETRY) | B(NOT_FOUND) | B(CLASSLESS), ENDS, RUN_DONE,
     ENDING_START_REFUSED, OUTCOME_ERROR},
    {B(STARTING), FIRST_STOPS, STAYS, RUN_STARTING, ENDING_STOPPED, OUTCOME_UNKNOWN},
    {B(STARTING), B(NOW), ENDS, RUN_DONE, ENDING_START_LOST, OUTCOME_START_UNKNOWN},

    {B(RESENDING), B(TIMER_NEXT), SENDS_START, RUN_STARTING, ENDING_NONE, OUTCOME_UNKNOWN},
    {B(RESENDING), B(TIMER_DEADLINE) | B(GATE_DEADLINE), ENDS, RUN_DONE, ENDING_NOT_STARTED,
     OUTCOME_TIMED_OUT},
    {B(RESENDING), CANCELS, ENDS, RUN_DONE, ENDING_NOT_STARTED, OUTCOME_CANCELLED},

    {B(RESTARTING), B(TIMER_NEXT), SENDS_START, RUN_STARTING, ENDING_NONE, OUTCOME_ERROR},
    {B(RESTARTING), CANCELS, ENDS, RUN_DONE, ENDING_NOT_STARTED, OUTCOME_CANCELLED},
    {B(RESTARTING), B(GATE_DEADLINE), ENDS, RUN_DONE, ENDING_NOT_STARTED, OUTCOME_TIMED_OUT},

    /* It may exist: before it is given up it is looked up, unless nobody waits for that. */
    {B(REPEATING), B(TIMER_NEXT), SENDS_START, RUN_STARTING, ENDING_NONE, OUTCOME_UNKNOWN},
    {B(REPEATING), B(TIMER_DEADLINE), SENDS_FIND, RUN_FINDING, ENDING_DEADLINE, OUTCOME_UNKNOWN},
    {B(REPEATING), FIRST_STOPS, SENDS_FIND, RUN_FINDING, ENDING_STOPPED, OUTCOME_UNKNOWN},

    {B(FINDING), B(GOOD), SENDS_STATUS, RUN_POLLING, ENDING_NONE, OUTCOME_UNKNOWN},
    {B(FINDING), B(RETRY) | B(NOT_FOUND), STAYS, RUN_FINDING, ENDING_NONE, OUTCOME_UNKNOWN},
    {B(FINDING) | B(FIND_GIVEN_UP),
     B(ENDED) | B(STRANGE) | B(NOT_PROCESSED) | B(LOST) | B(REFUSED) | B(CLASSLESS), ENDS, RUN_DONE,
     ENDING_START_LOST, OUTCOME_START_UNKNOWN},
    {B(BETWEEN_FINDS), B(TIMER_NEXT), SENDS_FIND, RUN_FINDING, ENDING_NONE, OUTCOME_UNKNOWN},
    {B(FINDING) | B(BETWEEN_FINDS), B(TIMER_DEADLINE), STAYS, RUN_FINDING, ENDING_DEADLINE,
     OUTCOME_UNKNOWN},
    {B(FINDING) | B(BETWEEN_FINDS), FIRST_STOPS, STAYS, RUN_FINDING, ENDING_STOPPED,
     OUTCOME_UNKNOWN},
    {B(FIND_GIVEN_UP), B(GOOD), SENDS_CANCEL, RUN_CANCELLING, ENDING_DEADLINE, OUTCOME_UNKNOWN},
    {B(FIND_GIVEN_UP), B(RETRY) | B(NOT_FOUND) | FIRST_STOPS, STAYS, RUN_FINDING, ENDING_DEADLINE,
     OUTCOME_UNKNOWN},
    {B(FIND_GIVEN_UP), B(TIMER_GRACE), ENDS, RUN_DONE, ENDING_START_LOST, OUTCOME_START_UNKNOWN},
    {B(REPEATING) | B(FINDING) | B(BETWEEN_FINDS) | B(FIND_GIVEN_UP), B(NOW), ENDS, RUN_DONE,
     ENDING_START_LOST, OUTCOME_START_UNKNOWN},

    /* Its reply decides whether there is something to cancel. */
    {B(START_GIVEN_UP), B(GOOD), SENDS_CANCEL, RUN_CANCELLING, ENDING_DEADLINE, OUTCOME_UNKNOWN},
    {B(START_GIVEN_UP), B(ENDED), ENDS, RUN_DONE, ENDING_SEEN, OUTCOME_SKIPPED},
    {B(START_GIVEN_UP), B(NOT_PROCESSED), ENDS, RUN_DONE, ENDING_NOT_STARTED, OUTCOME_TIMED_OUT},
    {B(START_GIVEN_UP), B(LOST) | B(TIMER_GRACE) | B(NOW), ENDS, RUN_DONE, ENDING_START_LOST,
     OUTCOME_START_UNKNOWN},
    {B(START_GIVEN_UP), B(REFUSED) | B(STRANGE) | B(RETRY) | B(NOT_FOUND) | B(CLASSLESS), ENDS,
     RUN_DONE, ENDING_START_REFUSED, OUTCOME_ERROR},
    {B(START_GIVEN_UP), FIRST_STOPS, STAYS, RUN_STARTING, ENDING_DEADLINE, OUTCOME_UNKNOWN},

    {B(BETWEEN_POLLS), B(TIMER_NEXT), SENDS_STATUS, RUN_POLLING, ENDING_NONE, OUTCOME_UNKNOWN},
    {B(BETWEEN_POLLS) | B(POLLING) | B(ASKING_EARLIER), B(TIMER_DEADLINE), SENDS_CANCEL,
     RUN_CANCELLING, ENDING_DEADLINE, OUTCOME_UNKNOWN},
    {B(BETWEEN_POLLS) | B(POLLING) | B(ASKING_EARLIER), FIRST_STOPS, SENDS_CANCEL, RUN_CANCELLING,
     ENDING_STOPPED, OUTCOME_UNKNOWN},
    {B(BETWEEN_POLLS) | B(POLLING) | B(ASKING_EARLIER), B(NOW), ENDS, RUN_DONE, ENDING_STOPPED,
     OUTCOME_CANCELLED},
    /* Whatever is said of earlier runs, the question about this one follows. */
    {B(ASKING_EARLIER), REPLIES & ~B(GOOD_END), SENDS_STATUS, RUN_POLLING, ENDING_NONE,
     OUTCOME_UNKNOWN},
    {B(POLLING), B(GOOD) | B(STRANGE) | B(RETRY) | B(NOT_FOUND), STAYS, RUN_POLLING, ENDING_NONE,
     OUTCOME_UNKNOWN},
    {B(POLLING), B(GOOD_END), SENDS_DETAILS, RUN_COLLECTING, ENDING_NONE, OUTCOME_UNKNOWN},
    {B(POLLING), B(ENDED) | B(NOT_PROCESSED) | B(LOST) | B(REFUSED) | B(CLASSLESS), SENDS_CANCEL,
     RUN_CANCELLING, ENDING_POLL_REFUSED, OUTCOME_UNKNOWN},

    /* The end was seen: from here on nothing changes it. */
    {B(COLLECTING), B(RETRY), STAYS, RUN_COLLECTING, ENDING_NONE, OUTCOME_UNKNOWN},
    {B(COLLECTING),
     B(GOOD) | B(ENDED) | B(STRANGE) | B(NOT_PROCESSED) | B(LOST) | B(NOT_FOUND) | B(REFUSED) |
         B(CLASSLESS),
     ENDS, RUN_DONE, ENDING_SEEN, OUTCOME_FAILED},
    {B(BETWEEN_DETAILS), B(TIMER_NEXT), SENDS_DETAILS, RUN_COLLECTING, ENDING_NONE,
     OUTCOME_UNKNOWN},
    {B(COLLECTING) | B(BETWEEN_DETAILS), B(TIMER_DEADLINE) | STOPS, ENDS, RUN_DONE, ENDING_SEEN,
     OUTCOME_FAILED},

    /* Once: the answer to a cancellation, whatever it is, but for trouble that may pass. */
    {B(CANCELLING), REPLIES & ~(B(RETRY) | B(GOOD_END)), STAYS, RUN_CANCELLING, ENDING_DEADLINE,
     OUTCOME_UNKNOWN},
    {B(CANCELLING), B(RETRY), STAYS, RUN_CANCELLING, ENDING_DEADLINE, OUTCOME_UNKNOWN},
    {B(BETWEEN_CANCELS), B(TIMER_NEXT), SENDS_CANCEL, RUN_CANCELLING, ENDING_DEADLINE,
     OUTCOME_UNKNOWN},
    {B(CANCELLED), B(TIMER_NEXT), SENDS_STATUS, RUN_CANCELLING, ENDING_DEADLINE, OUTCOME_UNKNOWN},
    {B(ASKING_END), REPLIES & ~(B(GOOD_END) | B(NOT_FOUND) | B(REFUSED)), STAYS, RUN_CANCELLING,
     ENDING_DEADLINE, OUTCOME_UNKNOWN},
    {B(ASKING_END), B(GOOD_END), ENDS, RUN_DONE, ENDING_SEEN, OUTCOME_FAILED},
    {B(ASKING_END), B(NOT_FOUND) | B(REFUSED), ENDS, RUN_DONE, ENDING_DEADLINE, OUTCOME_TIMED_OUT},
    {B(CANCELLING) | B(BETWEEN_CANCELS) | B(CANCELLED) | B(ASKING_END), B(TIMER_GRACE) | B(NOW),
     ENDS, RUN_DONE, ENDING_DEADLINE, OUTCOME_TIMED_OUT},
    {B(CANCELLING) | B(BETWEEN_CANCELS) | B(CANCELLED) | B(ASKING_END), FIRST_STOPS, STAYS,
     RUN_CANCELLING, ENDING_DEADLINE, OUTCOME_UNKNOWN},

    /* Moments that do not exist. */
    {B(WAITING) | B(STARTING) | B(START_GIVEN_UP) | B(FINDING) | B(FIND_GIVEN_UP) | B(POLLING) |
         B(ASKING_EARLIER) | B(COLLECTING) | B(CANCELLING) | B(ASKING_END) | B(DONE),
     B(TIMER_NEXT), CANNOT_BE, RUN_UNKNOWN, ENDING_NONE, OUTCOME_UNKNOWN},
    {B(WAITING) | B(RESTARTING) | B(START_GIVEN_UP) | B(FIND_GIVEN_UP) | B(CANCELLING) |
         B(BETWEEN_CANCELS) | B(CANCELLED) | B(ASKING_END) | B(DONE),
     B(TIMER_DEADLINE), CANNOT_BE, RUN_UNKNOWN, ENDING_NONE, OUTCOME_UNKNOWN},
    {B(WAITING) | B(STARTING) | B(RESENDING) | B(RESTARTING) | B(REPEATING) | B(FINDING) |
         B(BETWEEN_FINDS) | B(BETWEEN_POLLS) | B(POLLING) | B(ASKING_EARLIER) | B(COLLECTING) |
         B(BETWEEN_DETAILS) | B(DONE),
     B(TIMER_GRACE), CANNOT_BE, RUN_UNKNOWN, ENDING_NONE, OUTCOME_UNKNOWN},
};

static void bring_about_cancelling(struct life *l)
{
    go(l);
    started(l, 1, 0);
    l->now = l->run.deadline;
    timer(l);
}

/* What the provider must be able to do for it. */
static struct run_limits limits_for(enum situation s)
{
    struct run_limits limits = usual;

    limits.has_details = true;
    limits.attempts = s == RESTARTING ? 2 : 1;
    limits.can_find = s == WAITING || s == REPEATING || s == FINDING || s == BETWEEN_FINDS ||
                      s == FIND_GIVEN_UP;
    limits.key_life_ms = s == REPEATING ? DAY : 0;
    limits.has_earlier = s == ASKING_EARLIER;
    return limits;
}

static void bring_about(struct life *l, enum situation s)
{
    struct run_limits limits = limits_for(s);

    born(l, &limits);
    if (s == WAITING)
        return;
    if (s == CANCELLING || s == BETWEEN_CANCELS || s == CANCELLED || s == ASKING_END) {
        bring_about_cancelling(l);
        if (s == BETWEEN_CANCELS)
            reply(l, REPLY_RETRY);
        if (s == CANCELLED || s == ASKING_END)
            reply(l, REPLY_GOOD);
        if (s == ASKING_END)
            wait_for_timer(l);
        return;
    }
    go(l);
    if (s == RESENDING) {
        reply(l, REPLY_NOT_PROCESSED);
    } else if (s == RESTARTING || s == DONE) {
        reply(l, REPLY_REFUSED);
    } else if (s == REPEATING || s == FINDING || s == BETWEEN_FINDS) {
        reply(l, REPLY_LOST);
        if (s == BETWEEN_FINDS)
            reply(l, REPLY_NOT_FOUND);
    } else if (s == START_GIVEN_UP || s == FIND_GIVEN_UP) {
        l->now = l->run.deadline - SECOND;
        if (s == FIND_GIVEN_UP)
            reply(l, REPLY_LOST);
        l->now = l->run.deadline;
        timer(l);
    } else if (s != STARTING) {
        started(l, 1, 0);
        if (s == ASKING_EARLIER)
            l->now += 10 * usual.schedule.poll_max_ms;
        if (s == POLLING || s == ASKING_EARLIER)
            wait_for_timer(l);
        if (s == COLLECTING || s == BETWEEN_DETAILS)
            polled(l, OUTCOME_FAILED);
        if (s == BETWEEN_DETAILS)
            reply(l, REPLY_RETRY);
    }
}

static const enum reply_class class_of[] = {
    [GOOD] = REPLY_GOOD,       [GOOD_END] = REPLY_GOOD,
    [ENDED] = REPLY_ENDED,     [STRANGE] = REPLY_STRANGE,
    [RETRY] = REPLY_RETRY,     [NOT_PROCESSED] = REPLY_NOT_PROCESSED,
    [LOST] = REPLY_LOST,       [NOT_FOUND] = REPLY_NOT_FOUND,
    [REFUSED] = REPLY_REFUSED, [CLASSLESS] = REPLY_UNKNOWN,
};

static const enum stop stop_of[] = {
    [SIGNALLED] = STOP_SIGNAL,    [GATE_DEADLINE] = STOP_GATE_DEADLINE,
    [FAIL_FAST] = STOP_FAIL_FAST, [DECIDED] = STOP_DECIDED,
    [ASKED] = STOP_ASKED,         [BROKEN] = STOP_INTERNAL,
    [NOW] = STOP_NOW,
};

/* The event of a happening; false if it cannot be in that situation. Moves the clock. */
static bool happens(struct life *l, enum happening h, struct event *e)
{
    const struct run *r = &l->run;

    *e = (struct event){.kind = EVENT_TIMER, .retry_after_ms = -1, .expected_ms = -1};
    if (h == TIMER_EARLY) {
        l->now = r->due == never ? l->now + HOUR : r->due - 1;
    } else if (h == TIMER_NEXT || h == TIMER_DEADLINE || h == TIMER_GRACE) {
        int64_t at = h == TIMER_NEXT ? r->next : h == TIMER_GRACE ? r->grace_until : r->deadline;

        if (at == never)
            return false;
        assert_true(at >= r->due);
        l->now = at;
    } else if (REPLIES & B(h)) {
        e->kind = EVENT_REPLY;
        e->reply = class_of[h];
        e->outcome = h == ENDED ? OUTCOME_SKIPPED : OUTCOME_RUNNING;
        e->remotes = 1;
        l->now += 100;
        if (!r->in_flight || (h == GOOD_END && r->request != REQUEST_STATUS))
            return false;
        if (h == GOOD_END)
            run_set_remote(&l->run, r->cursor, OUTCOME_FAILED);
    } else if (STOPS & B(h)) {
        e->kind = EVENT_STOP;
        e->stop = stop_of[h];
    } else {
        e->kind = h == GO      ? EVENT_GO
                  : h == WATCH ? EVENT_WATCH
                  : h == LOSE  ? EVENT_LOST
                               : EVENT_UNKNOWN;
        e->remotes = 1;
    }
    return true;
}

static enum what what_of(const struct action *a)
{
    static const enum what of_request[REQUEST_KIND_COUNT] = {
        [REQUEST_START] = SENDS_START,
        [REQUEST_STATUS] = SENDS_STATUS,
        [REQUEST_DETAILS] = SENDS_DETAILS,
        [REQUEST_CANCEL] = SENDS_CANCEL,
        [REQUEST_FIND] = SENDS_FIND,
    };

    switch (a->kind) {
    case ACTION_NONE:
        return STAYS;
    case ACTION_SEND:
        assert_int_equal(a->remote, 0);
        return of_request[a->request];
    case ACTION_AGAIN:
        return AGAIN;
    case ACTION_DONE:
        return ENDS;
    }
    return CANNOT_BE;
}

/* What a run that was not touched looks like. */
static bool same_life(const struct run *a, const struct run *b)
{
    return a->state == b->state && a->in_flight == b->in_flight && a->next == b->next &&
           a->due == b->due && a->deadline == b->deadline && a->grace_until == b->grace_until &&
           a->attempt == b->attempt && a->ending == b->ending && a->outcome == b->outcome &&
           a->stop == b->stop && a->trouble == b->trouble && a->failures == b->failures &&
           a->remote_count == b->remote_count && a->gave_up_as == b->gave_up_as &&
           a->lost == b->lost && a->looking == b->looking;
}

static void check_pair(enum situation s, enum happening h, size_t row)
{
    const char *in = situation_names[s], *on = happening_names[h];
    struct life l;
    struct run before;
    struct event e;

    bring_about(&l, s);
    before = l.run;
    if (!happens(&l, h, &e)) {
        if (table[row].what != CANNOT_BE)
            fail_msg("%s, %s: that cannot be", in, on);
        run_free(&l.run);
        return;
    }
    if (table[row].what == CANNOT_BE)
        fail_msg("%s, %s: that can be", in, on);
    step(&l, &e);
    if (what_of(&l.last) != table[row].what)
        fail_msg("%s, %s: action %d", in, on, (int)what_of(&l.last));
    if (table[row].state == RUN_UNKNOWN) {
        if (!same_life(&before, &l.run))
            fail_msg("%s, %s: something has changed", in, on);
    } else if (l.run.state != table[row].state || l.run.ending != table[row].ending ||
               l.run.outcome != table[row].outcome) {
        fail_msg("%s, %s: %s, ending %d, outcome %s", in, on, run_state_name(l.run.state),
                 (int)l.run.ending, outcome_name(l.run.outcome));
    }
    assert_int_equal(l.run.in_flight,
                     l.last.kind == ACTION_SEND ||
                         (l.last.kind == ACTION_NONE && before.in_flight && e.kind != EVENT_REPLY));
    /* A stop is remembered: what was stopped is never begun anew. The first stays the reason. */
    if (e.kind == EVENT_STOP && s != DONE)
        assert_int_equal(l.run.stop, e.stop);
    run_free(&l.run);
}

static void test_every_pair(void **state)
{
    (void)state;
    assert_int_equal(ARRAY_LEN(situation_names), SITUATION_COUNT);
    assert_int_equal(ARRAY_LEN(happening_names), HAPPENING_COUNT);
    for (unsigned s = 0; s < SITUATION_COUNT; s++) {
        for (unsigned h = 0; h < HAPPENING_COUNT; h++) {
            size_t rows = 0, found = 0;

            for (size_t i = 0; i < ARRAY_LEN(table); i++) {
                if ((table[i].in & B(s)) && (table[i].on & B(h))) {
                    found = i;
                    rows++;
                }
            }
            if (rows != 1)
                fail_msg("%s, %s: in %zu rows of the table", situation_names[s], happening_names[h],
                         rows);
            check_pair((enum situation)s, (enum happening)h, found);
        }
    }
}

/* The situations are what their names say. */
static void test_situations(void **state)
{
    static const struct {
        enum situation situation;
        enum run_state state;
        bool in_flight;
        enum request_kind request;
    } rows[] = {
        {WAITING, RUN_WAITING, false, REQUEST_START},
        {STARTING, RUN_STARTING, true, REQUEST_START},
        {RESENDING, RUN_STARTING, false, REQUEST_START},
        {RESTARTING, RUN_STARTING, false, REQUEST_START},
        {REPEATING, RUN_STARTING, false, REQUEST_START},
        {START_GIVEN_UP, RUN_STARTING, true, REQUEST_START},
        {FINDING, RUN_FINDING, true, REQUEST_FIND},
        {BETWEEN_FINDS, RUN_FINDING, false, REQUEST_FIND},
        {FIND_GIVEN_UP, RUN_FINDING, true, REQUEST_FIND},
        {BETWEEN_POLLS, RUN_POLLING, false, REQUEST_START},
        {POLLING, RUN_POLLING, true, REQUEST_STATUS},
        {ASKING_EARLIER, RUN_POLLING, true, REQUEST_FIND},
        {COLLECTING, RUN_COLLECTING, true, REQUEST_DETAILS},
        {BETWEEN_DETAILS, RUN_COLLECTING, false, REQUEST_DETAILS},
        {CANCELLING, RUN_CANCELLING, true, REQUEST_CANCEL},
        {BETWEEN_CANCELS, RUN_CANCELLING, false, REQUEST_CANCEL},
        {CANCELLED, RUN_CANCELLING, false, REQUEST_CANCEL},
        {ASKING_END, RUN_CANCELLING, true, REQUEST_STATUS},
        {DONE, RUN_DONE, false, REQUEST_START},
    };

    (void)state;
    assert_int_equal(ARRAY_LEN(rows), SITUATION_COUNT);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct life l;

        bring_about(&l, rows[i].situation);
        if (l.run.state != rows[i].state || l.run.in_flight != rows[i].in_flight ||
            l.run.request != rows[i].request)
            fail_msg("%s: %s, in flight %d, request %d", situation_names[rows[i].situation],
                     run_state_name(l.run.state), l.run.in_flight, (int)l.run.request);
        run_free(&l.run);
    }
}

/* --- random walks ------------------------------------------------------------------------- */

/* What the walks have met: what they never come to is not tested by them. */
enum {
    MET_REPEAT,       /* a lost start was sent again under its key */
    MET_FOUND,        /* it was looked up and found */
    MET_NOT_FOUND,    /* and not found for long enough */
    MET_EARLIER,      /* earlier runs were asked about */
    MET_STARTED_ONLY, /* and that was all */
    MET_GO_ON,        /* another attempt followed the one of an earlier gate */
    MET_COUNT
};

static size_t met[MET_COUNT];

/* What a walk has seen so far, kept apart from the run's own book-keeping. */
struct witness {
    uint64_t seed, rng;
    struct life life;
    const struct run_limits *limits;
    const char *trail; /* what kind of walk */
    bool done, stopped, hurried, watched;
    int64_t attempts, again, taken_up;
    bool length_known;

    /* Of the attempt: */
    size_t remotes, refused;
    bool known;     /* the remote runs are */
    bool lost;      /* the reply to a start did not come */
    int64_t sent;   /* when the start left that was lost, or was good */
    int64_t looked; /* the first look-up; -1: none */
    int64_t trouble; /* since when look-ups, or polls, meet trouble in a row; -1: they do not */
    enum reply_class found;  /* what the last look-up told */
    size_t finds, earlier;
    int64_t gave_up;         /* the first cancellation; -1: none */
    int64_t waited_from;     /* it was given up while nothing was known of it; -1: it was not */
    bool may_start; /* no start was sent, or the last one may be repeated */
    bool may_exist; /* some start may have had effect, and the runs are not known */
    enum outcome outcomes[4];
    int64_t statuses[4], cancels[4];
    bool accepted[4]; /* a cancellation was */
    bool doubtful;    /* the start was refused, but may have had effect */
    size_t verified;  /* good replies about details */

    bool in_flight;
    enum request_kind request;
    size_t remote;
    int64_t answer_at;
    size_t steps;
};

enum { REPLY_TIME_MAX = 60 * SECOND, ASKED_DELAY_MAX = 90 * SECOND };

static void check(const struct witness *w, bool holds, const char *what)
{
    if (!holds)
        fail_msg("%s walk, seed %" PRIu64 ", step %zu, %s: %s", w->trail, w->seed, w->steps,
                 run_state_name(w->life.run.state), what);
}

static bool chance(struct witness *w, int64_t one_in)
{
    return rng_up_to(&w->rng, one_in - 1) == 0;
}

/* Twice only where the provider takes it for one: under a key that it still knows. */
static void see_start(struct witness *w)
{
    int64_t life = w->limits->key_life_ms;

    check(w, !w->stopped, "a stopped run starts");
    check(w, !w->watched && !w->limits->once, "a run that was only watched starts");
    check(w, !w->known, "a start although the runs are known");
    check(w, w->may_start, "a start that may be the second");
    check(w, w->looked < 0, "a start after it was looked for");
    check(w, !w->lost || w->life.now - w->sent < life - life / 5,
          "a start that may be the second, and its key is too old");
    w->may_start = false;
    w->attempts = w->life.run.attempt;
    check(w, w->lost || w->attempts <= w->limits->attempts, "more attempts than allowed");
    check(w, w->attempts == w->again + 1, "an attempt that was not announced");
    met[MET_REPEAT] += w->lost;
    met[MET_GO_ON] += w->taken_up && w->attempts > w->taken_up;
    if (!w->lost)
        w->sent = w->life.now;
}

/* Either the run is looked for, or it is known, and earlier ones tell how long it may take. */
static void see_find(struct witness *w)
{
    const struct run_limits *l = w->limits;

    if (!w->known) {
        check(w, l->can_find && w->may_exist && (w->lost || w->doubtful),
              "looked for, but was not lost");
        check(w, !w->hurried, "looked for, but nobody waits");
        check(w, !l->once || !w->finds, "looked for twice");
        if (w->looked < 0)
            w->looked = w->life.now;
        w->finds++;
        return;
    }
    check(w, l->has_earlier && !w->earlier && !w->length_known, "earlier runs are of no interest");
    check(w, w->trouble < 0 && w->gave_up < 0, "asked about earlier runs in trouble");
    check(w, (w->life.now - w->sent) / 10 >= l->schedule.poll_max_ms, "asked too early");
    w->earlier++;
    met[MET_EARLIER]++;
}

/* A start that hangs when the run is given up: half of the grace is for its reply. */
static void see_overtaken(struct witness *w)
{
    check(w, w->waited_from >= 0 && w->life.now - w->waited_from >= w->limits->cancel_grace_ms / 2,
          "a start was not waited for");
    w->lost = w->may_exist = true;
}

static void see_send(struct witness *w, const struct action *a)
{
    if (w->in_flight && w->request == REQUEST_START && a->request == REQUEST_FIND)
        see_overtaken(w);
    w->in_flight = true;
    w->request = a->request;
    w->remote = a->remote;
    w->answer_at = w->life.now + rng_up_to(&w->rng, chance(w, 3) ? REPLY_TIME_MAX : SECOND);
    check(w, w->life.run.in_flight && w->life.run.request == a->request, "sent, but not in flight");
    if (a->request == REQUEST_START) {
        see_start(w);
        return;
    }
    if (a->request == REQUEST_FIND) {
        see_find(w);
        return;
    }
    check(w, w->known && a->remote < w->remotes, "a request about nothing");
    if (a->request == REQUEST_STATUS) {
        check(w, !w->limits->start_only || w->gave_up >= 0, "polled, but was only started");
        check(w, !outcome_is_final(w->outcomes[a->remote]), "a poll of a run that is over");
        w->statuses[a->remote]++;
        check(w, !w->limits->once || w->statuses[a->remote] == 1, "polled twice");
    } else if (a->request == REQUEST_DETAILS) {
        check(w, w->limits->has_details, "details that there are not");
        for (size_t i = 0; i < w->remotes; i++)
            check(w, outcome_is_final(w->outcomes[i]), "details before the end");
    } else {
        check(w, a->request == REQUEST_CANCEL, "a request of another kind");
        check(w, w->limits->can_cancel, "cancelled, but must not be");
        check(w, !w->limits->once, "cancelled, but was only looked at");
        check(w, !outcome_is_final(w->outcomes[a->remote]), "cancelled after its end");
        check(w, !w->accepted[a->remote], "cancelled twice");
        w->cancels[a->remote]++;
        if (w->gave_up < 0)
            w->gave_up = w->life.now;
    }
}

static void forget_attempt(struct witness *w)
{
    w->known = w->lost = false;
    w->may_start = true;
    w->may_exist = false;
    w->doubtful = false;
    w->remotes = w->refused = w->verified = 0;
    w->finds = w->earlier = 0;
    w->looked = w->gave_up = w->waited_from = w->trouble = -1;
    w->found = REPLY_UNKNOWN;
    memset(w->accepted, 0, sizeof(w->accepted));
    memset(w->statuses, 0, sizeof(w->statuses));
    memset(w->cancels, 0, sizeof(w->cancels));
}

/* It may exist and is given up for lost: not before all was done to find it. */
static void see_lost(struct witness *w)
{
    const struct run_limits *l = w->limits;
    int64_t look = l->outage_ms < 15 * SECOND ? l->outage_ms : 15 * SECOND;
    bool grace_over = w->waited_from >= 0 && w->life.now - w->waited_from >= l->cancel_grace_ms;

    check(w, w->may_exist, "unknown whether it was started, without a reason");
    if (!l->can_find || w->hurried || grace_over)
        return;
    check(w, w->looked >= 0, "given up for lost, and was not looked for");
    check(w, !w->in_flight, "given up for lost while it is looked for");
    if (l->once)
        return;
    check(w,
          (w->found != REPLY_NOT_FOUND && w->found != REPLY_RETRY) ||
              w->life.now - w->looked >= look,
          "not looked for long enough");
    check(w, w->found != REPLY_GOOD, "found, and given up for lost");
    met[MET_NOT_FOUND] += w->found == REPLY_NOT_FOUND;
}

/* What is known and goes on was cancelled, if it can be and time was given for it. */
static void see_left(struct witness *w)
{
    const struct run_limits *l = w->limits;
    bool settled = !w->doubtful, all_asked = true;

    for (size_t i = 0; i < w->remotes; i++) {
        bool over = outcome_is_final(w->outcomes[i]);

        settled = settled && (over || w->accepted[i]);
        all_asked = all_asked && (over || w->cancels[i]);
    }
    check(w, settled == run_is_settled(&w->life.run), "is anything left running?");
    if (!l->can_cancel || l->once || w->hurried || w->life.run.outcome == OUTCOME_RUNNING)
        return;
    check(w, all_asked || w->gave_up >= 0, "left behind");
    check(w, all_asked || w->life.now - w->gave_up >= l->cancel_grace_ms, "one was left behind");
}

static void see_end(struct witness *w, enum action_kind kind)
{
    const struct run *r = &w->life.run;
    size_t passed = 0;

    for (size_t i = 0; i < w->remotes; i++)
        passed += w->outcomes[i] == OUTCOME_PASSED;
    if (r->outcome == OUTCOME_PASSED) {
        check(w, w->known && passed == w->remotes && passed && !w->refused, "not seen to pass");
        check(w, !w->limits->has_details || !w->limits->needs_details || w->verified == w->remotes,
              "it passed, but was perhaps empty");
    }
    check(w, r->outcome != OUTCOME_START_UNKNOWN || !w->doubtful, "refused, and said to be lost");
    if (r->outcome == OUTCOME_START_UNKNOWN || w->doubtful)
        see_lost(w);
    else
        check(w, !w->may_exist, "a run may exist, and nobody is told");
    see_left(w);
    met[MET_STARTED_ONLY] += w->limits->start_only && r->outcome == OUTCOME_RUNNING;
    check(w, r->outcome != OUTCOME_RUNNING || w->limits->once || w->limits->start_only,
          "left while it runs");
    check(w, r->outcome != OUTCOME_RUNNING || w->known, "it runs, as nobody knows");
    check(w, r->ending != ENDING_NONE, "it ends for no reason");
    check(w, !r->in_flight && (r->next == never) == (kind == ACTION_DONE), "what is left to do?");
    w->in_flight = false;
    if (kind == ACTION_DONE) {
        check(w, r->state == RUN_DONE && r->due == never, "done, but not at rest");
        w->done = true;
        return;
    }
    check(w, !w->stopped, "a stopped run begins anew");
    check(w, !w->watched, "it was only watched, and begins anew");
    check(w, !w->doubtful, "begun anew though it may have begun already");
    for (size_t i = 0; i < w->remotes; i++)
        check(w, outcome_is_final(w->outcomes[i]) || w->accepted[i], "begun anew beside another");
    check(w, r->outcome != OUTCOME_START_UNKNOWN, "begun anew though a run may exist");
    check(w, w->limits->retry_on >> r->outcome & 1u, "begun anew for no reason");
    w->again = r->attempt;
    check(w, w->again < w->limits->attempts, "begun anew too often");
    forget_attempt(w);
}

/* It was started before: by somebody else, or as some attempt of an earlier gate. */
static void see_taken_up(struct witness *w, const struct event *e)
{
    if (e->kind != EVENT_WATCH && e->kind != EVENT_LOST)
        return;
    w->attempts = e->attempt ? e->attempt : 1;
    w->again = w->attempts - 1;
    w->taken_up = e->attempt;
    w->watched = !e->attempt;
    w->sent = w->life.now - e->age_ms;
    w->lost = w->may_exist = e->kind == EVENT_LOST;
    w->known = e->kind == EVENT_WATCH;
    w->remotes = e->remotes;
    w->refused = e->refused;
    for (size_t i = 0; i < w->remotes; i++)
        w->outcomes[i] = OUTCOME_RUNNING;
}

static void walk_step(struct witness *w, const struct event *e)
{
    struct run *r = &w->life.run;
    bool was_start = w->in_flight && w->request == REQUEST_START;

    w->steps++;
    check(w, !w->done, "walked on after the end");
    if (e->kind == EVENT_STOP) {
        w->stopped = true;
        w->hurried = w->hurried || e->stop == STOP_NOW;
        if (was_start && e->stop == STOP_NOW)
            w->may_exist = true;
    }
    if (!w->known && w->waited_from < 0 && r->state != RUN_WAITING &&
        (e->kind == EVENT_STOP || (e->kind == EVENT_TIMER && w->life.now >= r->deadline)))
        w->waited_from = w->life.now;
    if (r->state == RUN_WAITING)
        see_taken_up(w, e);
    if (e->kind == EVENT_TIMER && was_start && w->life.now >= r->grace_until)
        w->may_exist = true;
    step(&w->life, e);
    switch (w->life.last.kind) {
    case ACTION_NONE:
        break;
    case ACTION_SEND:
        see_send(w, &w->life.last);
        break;
    case ACTION_AGAIN:
    case ACTION_DONE:
        see_end(w, w->life.last.kind);
        break;
    }
    check(w, r->in_flight == w->in_flight, "what is in flight is not agreed on");
    check(w, w->done == (r->state == RUN_DONE), "done without a word");
    check(w, r->attempt <= w->limits->attempts || r->attempt == w->attempts,
          "attempts beyond the limit");
    if (!w->done && r->state != RUN_WAITING && !r->in_flight)
        check(w, r->due != never, "nothing will ever happen");
    check(w, r->state != RUN_WAITING || r->due == never, "a timer for a run that waits");
}

/* Timers until none is due at this moment: the loop would spin if that took long. */
static void walk_timers(struct witness *w)
{
    for (int n = 0; !w->done && w->life.run.due <= w->life.now; n++) {
        check(w, n < 4, "the timer is due again and again");
        walk_step(w, &(struct event){.kind = EVENT_TIMER});
    }
}

/* Kinds of walks: what replies there are, and what stops it. */
enum weather {
    FAIR,    /* anything goes */
    FAILING, /* no status is ever told, no start and no cancellation is sure to work */
    ENDLESS  /* runs go on for ever: only the deadline ends them */
};

static enum reply_class random_class(struct witness *w, enum weather weather)
{
    static const enum reply_class trouble[] = {REPLY_RETRY, REPLY_RETRY, REPLY_STRANGE,
                                               REPLY_NOT_FOUND};
    static const enum reply_class starts[] = {REPLY_NOT_PROCESSED, REPLY_NOT_PROCESSED, REPLY_LOST,
                                              REPLY_GOOD};
    static const enum reply_class finds[] = {REPLY_RETRY, REPLY_NOT_FOUND, REPLY_NOT_FOUND,
                                             REPLY_GOOD};

    if (w->request == REQUEST_START) {
        if (weather == FAIR && chance(w, 4))
            return (enum reply_class)rng_up_to(&w->rng, REPLY_CLASS_COUNT - 1);
        return weather == ENDLESS ? REPLY_GOOD : starts[rng_up_to(&w->rng, 3)];
    }
    if (w->request == REQUEST_FIND && (weather != FAIR || chance(w, 2)))
        return finds[rng_up_to(&w->rng, 3)];
    if (weather == ENDLESS)
        return w->request == REQUEST_CANCEL ? REPLY_RETRY : REPLY_GOOD;
    if (weather == FAILING)
        return trouble[rng_up_to(&w->rng, chance(w, 8) ? 3 : 1)];
    if (chance(w, 2))
        return (enum reply_class)rng_up_to(&w->rng, REPLY_CLASS_COUNT - 1);
    return chance(w, 3) ? REPLY_RETRY : REPLY_GOOD;
}

/* The remote runs came to be known: the doubts are over. */
static void see_known(struct witness *w, const struct event *e)
{
    w->known = true;
    w->may_exist = w->doubtful = false;
    w->trouble = -1;
    w->remotes = e->remotes;
    w->refused = e->refused;
    for (size_t i = 0; i < w->remotes; i++)
        w->outcomes[i] = OUTCOME_RUNNING;
}

static void note_trouble(struct witness *w, bool trouble)
{
    if (!trouble)
        w->trouble = -1;
    else if (w->trouble < 0)
        w->trouble = w->life.now;
}

static void answer(struct witness *w, enum weather weather)
{
    bool earlier = w->request == REQUEST_FIND && w->known;
    struct event e = reply_event(random_class(w, weather));

    if (chance(w, 6))
        e.retry_after_ms = rng_up_to(&w->rng, ASKED_DELAY_MAX);
    if (chance(w, 6))
        e.expected_ms = rng_up_to(&w->rng, HOUR);
    if (w->request == REQUEST_STATUS && w->gave_up < 0)
        note_trouble(w, e.reply != REPLY_GOOD);
    if (e.expected_ms > 0 && (earlier || (e.reply == REPLY_GOOD && (w->request == REQUEST_FIND ||
                                                                   (w->request == REQUEST_STATUS &&
                                                                    w->gave_up < 0)))))
        w->length_known = true;
    w->in_flight = false;
    if (w->request == REQUEST_START && e.reply == REPLY_GOOD) {
        e.remotes = 1 + (size_t)rng_up_to(&w->rng, 2);
        e.refused = chance(w, 4) ? 1 : 0;
        see_known(w, &e);
    } else if (w->request == REQUEST_START) {
        /* What the loop tells of a start that is over before it began; never that it passed. */
        e.outcome = OUTCOME_FAILED;
        e.doubtful = chance(w, 4);
        w->doubtful = e.doubtful && !w->lost && e.reply != REPLY_ENDED &&
                      e.reply != REPLY_NOT_PROCESSED && e.reply != REPLY_LOST;
        w->may_exist = w->may_exist || w->doubtful;
        if (e.reply == REPLY_ENDED)
            w->may_exist = false;
        if (e.reply == REPLY_LOST)
            w->may_exist = w->lost = true;
        w->may_start = e.reply == REPLY_NOT_PROCESSED || e.reply == REPLY_LOST;
    } else if (w->request == REQUEST_FIND && !w->known) {
        w->found = e.reply;
        note_trouble(w, e.reply == REPLY_RETRY);
        e.remotes = e.reply == REPLY_GOOD;
        met[MET_FOUND] += e.reply == REPLY_GOOD;
        if (e.reply == REPLY_GOOD)
            see_known(w, &e);
    } else if (w->request == REQUEST_STATUS && e.reply == REPLY_GOOD) {
        e.outcome = OUTCOME_RUNNING;
        if (weather == FAIR && chance(w, 3))
            e.outcome =
                chance(w, 2) ? OUTCOME_PASSED : (enum outcome)rng_up_to(&w->rng, OUTCOME_EMPTY);
        if (outcome_is_final(e.outcome)) {
            w->outcomes[w->remote] = e.outcome;
            run_set_remote(&w->life.run, w->remote, e.outcome);
        }
    } else if (w->request == REQUEST_CANCEL && e.reply == REPLY_GOOD) {
        w->accepted[w->remote] = true;
    } else if (w->request == REQUEST_DETAILS && e.reply == REPLY_GOOD) {
        w->verified++;
        if (chance(w, 8)) {
            w->outcomes[w->remote] = OUTCOME_EMPTY;
            run_set_remote(&w->life.run, w->remote, OUTCOME_EMPTY);
        }
    }
    walk_step(w, &e);
    if (earlier)
        check(w, w->in_flight && w->request == REQUEST_STATUS, "not asked how it is");
}

static int64_t pick(struct witness *w, const int64_t *values, size_t count)
{
    return values[rng_up_to(&w->rng, (int64_t)count - 1)];
}

#define PICK(w, ...)                                                                               \
    pick(w, (const int64_t[]){__VA_ARGS__}, ARRAY_LEN(((const int64_t[]){__VA_ARGS__})))

static struct run_limits random_limits(struct witness *w, enum weather weather)
{
    struct run_limits limits = {
        .schedule = {.poll_min_ms = PICK(w, 1, 250, SECOND, 5 * SECOND),
                     .poll_max_ms = PICK(w, 5 * SECOND, 15 * SECOND, MINUTE),
                     .expected_ms = PICK(w, -1, -1, 20 * SECOND, 10 * MINUTE)},
        .timeout_ms = PICK(w, 0, 1, 3 * SECOND, MINUTE, 20 * MINUTE),
        .outage_ms = PICK(w, 0, 1, 30 * SECOND, 5 * MINUTE),
        .cancel_grace_ms = PICK(w, 0, 1, 10 * SECOND, MINUTE),
        .attempts = PICK(w, 1, 1, 2, 3),
        .retry_on = (unsigned)rng_up_to(&w->rng, (1 << OUTCOME_COUNT) - 1),
        .can_cancel = !chance(w, 3),
        .has_details = chance(w, 2),
        .needs_details = chance(w, 2),
        .start_tries = PICK(w, 0, 0, 0, 1, 4),
        .can_find = chance(w, 2),
        .has_earlier = chance(w, 2),
        .key_life_ms = PICK(w, 0, 0, 1, 20 * SECOND, 10 * MINUTE, DAY),
    };

    if (weather == ENDLESS && !limits.timeout_ms)
        limits.timeout_ms = HOUR;
    if (weather == FAIR && chance(w, 6)) {
        limits.once = true;
        limits.can_cancel = limits.has_details = false;
    } else if (weather == FAIR && chance(w, 6)) {
        limits.start_only = true;
    }
    return limits;
}

/* The longest that a life in such weather may take. */
static int64_t longest_life(const struct run_limits *l, enum weather weather, size_t remotes)
{
    int64_t pause = ASKED_DELAY_MAX + l->schedule.poll_max_ms + REPLY_TIME_MAX;
    int64_t outage = l->outage_ms + pause;
    int64_t polling = weather == ENDLESS ? l->timeout_ms : outage;
    int64_t finding = 15 * SECOND + pause;
    int64_t attempt;

    /* Starting, looking for it, polling, how long earlier ones took, details of each, and two
     * waits for an end: of the start, of the run. */
    attempt = outage + finding + polling + pause + outage * (int64_t)remotes +
              2 * l->cancel_grace_ms + pause;
    return attempt * l->attempts;
}

static void begin_walk(struct witness *w, struct run_limits *limits, enum weather weather,
                       uint64_t seed)
{
    static const char *const names[] = {
        [FAIR] = "fair", [FAILING] = "failing", [ENDLESS] = "endless"};

    memset(w, 0, sizeof(*w));
    w->seed = w->rng = seed;
    w->trail = names[weather];
    *limits = random_limits(w, weather);
    w->limits = limits;
    born(&w->life, limits);
    forget_attempt(w);
    w->length_known = limits->schedule.expected_ms >= 0;
    if (limits->once || chance(w, 3)) {
        struct event e = {.kind = chance(w, 2) ? EVENT_WATCH : EVENT_LOST};

        /* An earlier gate may have been allowed more attempts. */
        if (e.kind == EVENT_LOST || chance(w, 2))
            e.attempt = 1 + rng_up_to(&w->rng, limits->attempts);
        if (e.attempt)
            e.age_ms = PICK(w, 0, SECOND, 15 * SECOND, 5 * MINUTE, HOUR, 3 * DAY);
        if (e.kind == EVENT_WATCH) {
            e.remotes = 1 + (size_t)rng_up_to(&w->rng, 2);
            e.refused = e.attempt && chance(w, 4) ? 1 : 0;
        }
        walk_step(w, &e);
    } else if (chance(w, 20)) {
        walk_step(w, &(struct event){.kind = EVENT_STOP,
                                     .stop = (enum stop)(1 + rng_up_to(&w->rng, STOP_COUNT - 2))});
    } else {
        walk_step(w, &(struct event){.kind = EVENT_GO});
    }
}

/* As the loop does it: the next moment, a little late perhaps, and what comes then. */
static void walk_on(struct witness *w, enum weather weather)
{
    struct run *r = &w->life.run;
    int64_t at = r->due;

    if (w->in_flight && w->answer_at < at)
        at = w->answer_at;
    check(w, at != never, "neither a reply nor a timer will come");
    if (at > w->life.now)
        w->life.now = at + (chance(w, 10) ? rng_up_to(&w->rng, 2 * SECOND) : 0);
    if (weather == FAIR && chance(w, 25)) {
        struct event e = {.kind = EVENT_STOP,
                          .stop = (enum stop)(1 + rng_up_to(&w->rng, STOP_COUNT - 2))};

        walk_step(w, &e);
    } else if (weather == FAIR && chance(w, 25)) {
        /* Nothing of this must change anything. */
        walk_step(w, &(struct event){.kind = (enum event_kind)rng_up_to(&w->rng, EVENT_LOST),
                                     .remotes = 1,
                                     .attempt = 1});
    } else if (w->in_flight && w->answer_at <= w->life.now && chance(w, 2)) {
        answer(w, weather);
    } else {
        walk_timers(w);
        if (!w->done && w->in_flight && w->answer_at <= w->life.now)
            answer(w, weather);
    }
}

enum { WALKS = 30000, STEPS_MAX = 100000, ENDINGS = ENDING_UNVERIFIED + 1 };

/* How often each ending was met: a walk that never gets there proves nothing. */
static void walk_all(enum weather weather, size_t *endings)
{
    for (uint64_t seed = 1; seed <= WALKS; seed++) {
        struct run_limits limits;
        struct witness w;
        int64_t began;

        begin_walk(&w, &limits, weather, seed);
        began = 1000 * SECOND;
        while (!w.done) {
            check(&w, w.steps < STEPS_MAX, "it never ends");
            walk_on(&w, weather);
        }
        if (weather != FAIR && w.life.now - began > longest_life(&limits, weather, 3))
            fail_msg("%s walk, seed %" PRIu64 ": it took %" PRId64 " s, at most %" PRId64
                     " s are allowed",
                     w.trail, seed, (w.life.now - began) / SECOND,
                     longest_life(&limits, weather, 3) / SECOND);
        endings[w.life.run.ending]++;
        /* After the end nothing wakes it up. */
        for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
            w.life.last.kind = ACTION_SEND;
            step(&w.life, &(struct event){.kind = (enum event_kind)kind,
                                          .stop = STOP_NOW,
                                          .reply = REPLY_GOOD,
                                          .remotes = 1});
            check(&w,
                  w.life.last.kind == ACTION_NONE && w.life.run.state == RUN_DONE &&
                      w.life.run.due == never,
                  "it came back to life");
        }
        run_free(&w.life.run);
    }
}

static void test_fair_walks(void **state)
{
    size_t endings[ENDINGS] = {0};

    (void)state;
    walk_all(FAIR, endings);
    for (int e = ENDING_SEEN; e < ENDINGS; e++) {
        if (endings[e] < 10)
            fail_msg("ending %d was met %zu times", e, endings[e]);
    }
}

static void test_failing_walks(void **state)
{
    size_t endings[ENDINGS] = {0};

    (void)state;
    walk_all(FAILING, endings);
    assert_int_equal(endings[ENDING_SEEN], 0);
    assert_int_equal(endings[ENDING_STOPPED], 0);
    assert_true(endings[ENDING_OUTAGE] > 100 && endings[ENDING_DEADLINE] > 100 &&
                endings[ENDING_START_FAILED] > 100 && endings[ENDING_START_LOST] > 100);
}

static void test_endless_walks(void **state)
{
    size_t endings[ENDINGS] = {0};

    (void)state;
    walk_all(ENDLESS, endings);
    assert_int_equal(endings[ENDING_SEEN], 0);
    assert_true(endings[ENDING_DEADLINE] > WALKS / 2);
}

/* Runs behind the walks. */
static void test_walks_met_everything(void **state)
{
    (void)state;
    for (int i = 0; i < MET_COUNT; i++) {
        if (met[i] < 50)
            fail_msg("case %d was met %zu times", i, met[i]);
    }
}

/* --- stories ------------------------------------------------------------------------------ */

static void expect_quiet(const struct life *l, enum run_state state)
{
    assert_int_equal(l->last.kind, ACTION_NONE);
    assert_int_equal(l->run.state, state);
}

static void expect_send(const struct life *l, enum request_kind request, size_t remote)
{
    assert_int_equal(l->last.kind, ACTION_SEND);
    assert_int_equal(l->last.request, request);
    assert_int_equal(l->last.remote, remote);
}

/* It is done with that outcome; the memory goes back. */
static void expect_done(struct life *l, enum outcome outcome, enum ending ending)
{
    if (l->last.kind != ACTION_DONE || l->run.state != RUN_DONE || l->run.outcome != outcome ||
        l->run.ending != ending)
        fail_msg("action %d, %s, outcome %s, ending %d; expected %s, ending %d", (int)l->last.kind,
                 run_state_name(l->run.state), outcome_name(l->run.outcome), (int)l->run.ending,
                 outcome_name(outcome), (int)ending);
    run_free(&l->run);
}

/* A life that has started that many remote runs, at its first poll's reply. */
static void begin(struct life *l, const struct run_limits *limits, size_t remotes, size_t refused)
{
    born(l, limits);
    go(l);
    expect_send(l, REQUEST_START, 0);
    l->now += 200;
    started(l, remotes, refused);
    expect_quiet(l, RUN_POLLING);
    wait_for_timer(l);
    expect_send(l, REQUEST_STATUS, 0);
}

static void test_it_passes(void **state)
{
    struct life l;

    (void)state;
    begin(&l, &usual, 1, 0);
    for (int i = 0; i < 5; i++) {
        told(&l, OUTCOME_RUNNING);
        expect_quiet(&l, RUN_POLLING);
        wait_for_timer(&l);
    }
    told(&l, OUTCOME_PASSED);
    expect_done(&l, OUTCOME_PASSED, ENDING_SEEN);
}

static void test_every_outcome_is_passed_on(void **state)
{
    (void)state;
    for (int o = OUTCOME_PASSED; o <= OUTCOME_EMPTY; o++) {
        struct life l;

        begin(&l, &usual, 1, 0);
        told(&l, (enum outcome)o);
        expect_done(&l, (enum outcome)o, ENDING_SEEN);
    }
}

static void test_start_is_lost(void **state)
{
    struct run_limits limits = usual;
    struct life l;

    (void)state;
    limits.attempts = 5;
    limits.retry_on = ~0u;
    born(&l, &limits);
    go(&l);
    reply(&l, REPLY_LOST);
    expect_done(&l, OUTCOME_START_UNKNOWN, ENDING_START_LOST);
}

/* Throttled, it is sent again and again, further and further apart, until the outage is over. */
static void test_start_is_not_processed(void **state)
{
    struct run_limits limits = usual;
    struct life l;
    int64_t began;
    int starts = 1;

    (void)state;
    limits.timeout_ms = 0;
    born(&l, &limits);
    go(&l);
    began = l.now;
    reply(&l, REPLY_NOT_PROCESSED);
    while (l.last.kind != ACTION_DONE) {
        int64_t asked = l.now;

        expect_quiet(&l, RUN_STARTING);
        wait_for_timer(&l);
        expect_send(&l, REQUEST_START, 0);
        assert_in_range((uintmax_t)(l.now - asked), 500, 15 * SECOND);
        assert_int_equal(l.run.attempt, 1);
        starts++;
        reply(&l, REPLY_NOT_PROCESSED);
    }
    assert_in_range((uintmax_t)(l.now - began), 5 * MINUTE, 5 * MINUTE + 15 * SECOND);
    assert_in_range((uintmax_t)starts, 20, 60);
    expect_done(&l, OUTCOME_ERROR, ENDING_START_FAILED);
}

/* Then the age of the run is counted from the start that made it: its first polls are close. */
static void test_throttled_start_does_not_age_the_run(void **state)
{
    struct life l;

    (void)state;
    born(&l, &usual);
    go(&l);
    while (l.now < 1000 * SECOND + 4 * MINUTE) {
        reply(&l, REPLY_NOT_PROCESSED);
        wait_for_timer(&l);
        expect_send(&l, REQUEST_START, 0);
    }
    started(&l, 1, 0);
    wait_for_timer(&l);
    told(&l, OUTCOME_RUNNING);
    assert_in_range((uintmax_t)(l.run.next - l.now), 1, 1 * SECOND);
    /* The deadline is the attempt's all the same. */
    assert_int_equal(l.run.deadline, 1000 * SECOND + 10 * MINUTE);
    run_free(&l.run);
}

/* But a start that took long, or was lost at first, may have made it at once. */
static void test_slow_start_ages_the_run(void **state)
{
    struct run_limits limits = usual;
    struct life l;

    (void)state;
    limits.key_life_ms = DAY;
    for (int lost = 0; lost < 2; lost++) {
        born(&l, &limits);
        go(&l);
        l.now += 50 * SECOND;
        if (lost) {
            reply(&l, REPLY_LOST);
            wait_for_timer(&l);
        }
        started(&l, 1, 0);
        wait_for_timer(&l);
        told(&l, OUTCOME_RUNNING);
        assert_in_range((uintmax_t)(l.run.next - l.now), 4 * SECOND, 6 * SECOND);
        run_free(&l.run);
    }
}

/* What went wrong with the start is no part of an outage of the polls. */
static void test_start_ends_its_own_trouble(void **state)
{
    struct life l;
    int64_t began;

    (void)state;
    born(&l, &usual);
    go(&l);
    while (l.now < 1000 * SECOND + 4 * MINUTE) {
        reply(&l, REPLY_NOT_PROCESSED);
        wait_for_timer(&l);
    }
    started(&l, 1, 0);
    wait_for_timer(&l);
    began = l.now;
    while (l.now < began + 4 * MINUTE) {
        reply(&l, REPLY_RETRY);
        expect_quiet(&l, RUN_POLLING);
        wait_for_timer(&l);
    }
    run_free(&l.run);
}

static void test_retry_after_of_a_start(void **state)
{
    struct event e = reply_event(REPLY_NOT_PROCESSED);
    struct life l;

    (void)state;
    born(&l, &usual);
    go(&l);
    e.retry_after_ms = 2 * MINUTE;
    step(&l, &e);
    assert_int_equal(l.run.due, l.now + 2 * MINUTE);
    wait_for_timer(&l);
    expect_send(&l, REQUEST_START, 0);
    /* Longer than the deadline: that comes first, and nothing was started. */
    e.retry_after_ms = INT64_MAX;
    step(&l, &e);
    assert_int_equal(l.run.next, never);
    assert_int_equal(l.run.due, l.run.deadline);
    wait_for_timer(&l);
    expect_done(&l, OUTCOME_TIMED_OUT, ENDING_NOT_STARTED);
}

/* Under its key a start that was lost is repeated, within the outage. */
static void test_idempotent_start(void **state)
{
    struct run_limits limits = usual;
    struct life l;

    (void)state;
    limits.key_life_ms = DAY;
    born(&l, &limits);
    go(&l);
    reply(&l, REPLY_LOST);
    expect_quiet(&l, RUN_STARTING);
    wait_for_timer(&l);
    expect_send(&l, REQUEST_START, 0);
    assert_int_equal(l.run.attempt, 1);
    started(&l, 1, 0);
    polled(&l, OUTCOME_PASSED);
    expect_done(&l, OUTCOME_PASSED, ENDING_SEEN);

    born(&l, &limits);
    go(&l);
    while (l.last.kind != ACTION_DONE) {
        l.now += 30 * SECOND;
        reply(&l, REPLY_LOST);
        if (l.last.kind != ACTION_DONE)
            wait_for_timer(&l);
    }
    assert_true(l.now - 1000 * SECOND <= 5 * MINUTE + 2 * 45 * SECOND);
    expect_done(&l, OUTCOME_START_UNKNOWN, ENDING_START_LOST);
}

/* Once a start was lost, a run may exist, whatever becomes of the repetitions. */
static void test_idempotent_start_stays_unknown(void **state)
{
    enum { HOW_MANY = 7 };
    struct run_limits limits = usual;
    struct life l;

    (void)state;
    limits.key_life_ms = DAY;
    limits.attempts = 3;
    limits.retry_on = ~0u;
    limits.cancel_grace_ms = MINUTE;
    for (int how = 0; how < HOW_MANY; how++) {
        born(&l, &limits);
        go(&l);
        reply(&l, REPLY_LOST);
        if (how == 0)
            stop(&l, STOP_SIGNAL);
        if (how == 1) {
            l.now = l.run.deadline;
            timer(&l);
        }
        if (how >= 2) {
            wait_for_timer(&l);
            expect_send(&l, REQUEST_START, 0);
        }
        if (how == 2)
            reply(&l, REPLY_REFUSED);
        if (how == 3) {
            stop(&l, STOP_SIGNAL);
            reply(&l, REPLY_NOT_PROCESSED);
        }
        if (how == 4) {
            l.now = l.run.deadline;
            timer(&l);
            reply(&l, REPLY_REFUSED);
        }
        if (how == 5) {
            reply(&l, REPLY_NOT_PROCESSED);
            stop(&l, STOP_NOW);
        }
        while (how == 6 && l.last.kind != ACTION_DONE) {
            reply(&l, REPLY_NOT_PROCESSED);
            if (l.last.kind != ACTION_DONE)
                wait_for_timer(&l);
        }
        expect_done(&l, OUTCOME_START_UNKNOWN, ENDING_START_LOST);
    }
}

/* A later attempt knows nothing of a start that was lost, and then found, in an earlier one. */
static void test_lost_start_is_forgotten_once_found(void **state)
{
    struct run_limits limits = usual;
    struct life l;

    (void)state;
    limits.key_life_ms = DAY;
    limits.attempts = 2;
    for (int how = 0; how < 2; how++) {
        born(&l, &limits);
        go(&l);
        reply(&l, REPLY_LOST);
        wait_for_timer(&l);
        if (how == 0) {
            struct event ended = reply_event(REPLY_ENDED);

            ended.outcome = OUTCOME_ERROR;
            step(&l, &ended);
        } else {
            started(&l, 1, 0);
            polled(&l, OUTCOME_ERROR);
        }
        assert_int_equal(l.last.kind, ACTION_AGAIN);
        stop(&l, STOP_SIGNAL);
        expect_done(&l, OUTCOME_CANCELLED, ENDING_NOT_STARTED);
    }
}

static void test_start_is_refused(void **state)
{
    struct life l;

    (void)state;
    born(&l, &usual);
    go(&l);
    reply(&l, REPLY_REFUSED);
    expect_done(&l, OUTCOME_ERROR, ENDING_START_REFUSED);
}

/* A provider that does not like to be asked so often. */
static void test_start_tries(void **state)
{
    struct run_limits limits = usual;
    struct life l;

    (void)state;
    limits.start_tries = 3;
    limits.key_life_ms = DAY;
    for (int lost = 0; lost < 2; lost++) {
        born(&l, &limits);
        go(&l);
        reply(&l, lost ? REPLY_LOST : REPLY_NOT_PROCESSED);
        wait_for_timer(&l);
        reply(&l, REPLY_NOT_PROCESSED);
        wait_for_timer(&l);
        expect_send(&l, REQUEST_START, 0);
        reply(&l, REPLY_NOT_PROCESSED);
        expect_done(&l, lost ? OUTCOME_START_UNKNOWN : OUTCOME_ERROR,
                    lost ? ENDING_START_LOST : ENDING_START_FAILED);
    }
}

/* The deadline passes while the start is under way: its reply is awaited, and cancelled. */
static void test_deadline_while_starting(void **state)
{
    struct life l;

    (void)state;
    born(&l, &usual);
    go(&l);
    wait_for_timer(&l);
    assert_int_equal(l.now, 1000 * SECOND + 10 * MINUTE);
    expect_quiet(&l, RUN_STARTING);
    l.now += 5 * SECOND;
    started(&l, 2, 0);
    expect_send(&l, REQUEST_CANCEL, 0);
    reply(&l, REPLY_GOOD);
    expect_send(&l, REQUEST_CANCEL, 1);
    reply(&l, REPLY_GOOD);
    wait_for_timer(&l);
    expect_send(&l, REQUEST_STATUS, 0);
    told(&l, OUTCOME_CANCELLED);
    expect_send(&l, REQUEST_STATUS, 1);
    told(&l, OUTCOME_CANCELLED);
    expect_done(&l, OUTCOME_TIMED_OUT, ENDING_DEADLINE);

    /* It does not come in time. */
    born(&l, &usual);
    go(&l);
    wait_for_timer(&l);
    wait_for_timer(&l);
    assert_int_equal(l.now, 1000 * SECOND + 10 * MINUTE + 10 * SECOND);
    expect_done(&l, OUTCOME_START_UNKNOWN, ENDING_START_LOST);
}

static void test_signal_while_starting(void **state)
{
    static const struct {
        enum reply_class reply;
        enum outcome outcome;
        enum ending ending;
    } rows[] = {
        {REPLY_NOT_PROCESSED, OUTCOME_CANCELLED, ENDING_NOT_STARTED},
        {REPLY_LOST, OUTCOME_START_UNKNOWN, ENDING_START_LOST},
        {REPLY_REFUSED, OUTCOME_ERROR, ENDING_START_REFUSED},
    };
    struct life l;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct run_limits limits = usual;

        limits.attempts = 9;
        limits.retry_on = ~0u;
        limits.key_life_ms = DAY;
        born(&l, &limits);
        go(&l);
        stop(&l, STOP_SIGNAL);
        expect_quiet(&l, RUN_STARTING);
        reply(&l, rows[i].reply);
        expect_done(&l, rows[i].outcome, rows[i].ending);
    }
    born(&l, &usual);
    go(&l);
    stop(&l, STOP_SIGNAL);
    started(&l, 1, 0);
    expect_send(&l, REQUEST_CANCEL, 0);
    /* The grace of the cancellation begins now. */
    assert_int_equal(l.run.due, l.now + 10 * SECOND);
    reply(&l, REPLY_GOOD);
    polled(&l, OUTCOME_CANCELLED);
    expect_done(&l, OUTCOME_CANCELLED, ENDING_STOPPED);
}

/* A signal behind the deadline: the attempt that would have followed is not begun. */
static void test_signal_after_the_deadline(void **state)
{
    struct run_limits limits = usual;
    struct life l;

    (void)state;
    limits.attempts = 3;
    limits.retry_on = ~0u;
    born(&l, &limits);
    go(&l);
    wait_for_timer(&l); /* the deadline, with the start under way */
    stop(&l, STOP_SIGNAL);
    expect_quiet(&l, RUN_STARTING);
    reply(&l, REPLY_NOT_PROCESSED);
    expect_done(&l, OUTCOME_TIMED_OUT, ENDING_NOT_STARTED);

    begin(&l, &limits, 1, 0);
    l.now = l.run.deadline;
    timer(&l); /* the deadline of the run */
    expect_send(&l, REQUEST_CANCEL, 0);
    stop(&l, STOP_SIGNAL);
    reply(&l, REPLY_GOOD);
    polled(&l, OUTCOME_CANCELLED);
    expect_done(&l, OUTCOME_TIMED_OUT, ENDING_DEADLINE);
}

/* The second signal waits for nothing, wherever the first one has led to. */
static void test_second_signal(void **state)
{
    static const struct {
        enum situation situation;
        enum outcome outcome;
        enum ending ending;
    } rows[] = {
        {WAITING, OUTCOME_CANCELLED, ENDING_NOT_STARTED},
        {STARTING, OUTCOME_START_UNKNOWN, ENDING_START_LOST},
        {RESENDING, OUTCOME_CANCELLED, ENDING_NOT_STARTED},
        {RESTARTING, OUTCOME_CANCELLED, ENDING_NOT_STARTED},
        {REPEATING, OUTCOME_START_UNKNOWN, ENDING_START_LOST},
        {START_GIVEN_UP, OUTCOME_START_UNKNOWN, ENDING_START_LOST},
        {FINDING, OUTCOME_START_UNKNOWN, ENDING_START_LOST},
        {BETWEEN_FINDS, OUTCOME_START_UNKNOWN, ENDING_START_LOST},
        {FIND_GIVEN_UP, OUTCOME_START_UNKNOWN, ENDING_START_LOST},
        {BETWEEN_POLLS, OUTCOME_CANCELLED, ENDING_STOPPED},
        {POLLING, OUTCOME_CANCELLED, ENDING_STOPPED},
        {ASKING_EARLIER, OUTCOME_CANCELLED, ENDING_STOPPED},
        {COLLECTING, OUTCOME_FAILED, ENDING_SEEN},
        {BETWEEN_DETAILS, OUTCOME_FAILED, ENDING_SEEN},
        {CANCELLING, OUTCOME_TIMED_OUT, ENDING_DEADLINE},
        {BETWEEN_CANCELS, OUTCOME_TIMED_OUT, ENDING_DEADLINE},
        {CANCELLED, OUTCOME_TIMED_OUT, ENDING_DEADLINE},
        {ASKING_END, OUTCOME_TIMED_OUT, ENDING_DEADLINE},
    };

    (void)state;
    assert_int_equal(ARRAY_LEN(rows), SITUATION_COUNT - 1);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct life l;

        bring_about(&l, rows[i].situation);
        stop(&l, STOP_SIGNAL);
        if (l.run.state != RUN_DONE) {
            l.now++;
            stop(&l, STOP_NOW);
        }
        if (l.run.stop == STOP_NONE)
            fail_msg("%s: the stop is forgotten", situation_names[rows[i].situation]);
        expect_done(&l, rows[i].outcome, rows[i].ending);
    }
}

/* A run may not be found for a while after its start, but not for ever. */
static void test_not_found_at_first(void **state)
{
    struct life l;

    (void)state;
    begin(&l, &usual, 1, 0);
    reply(&l, REPLY_NOT_FOUND);
    expect_quiet(&l, RUN_POLLING);
    polled(&l, OUTCOME_PASSED);
    expect_done(&l, OUTCOME_PASSED, ENDING_SEEN);

    /* For too long. */
    begin(&l, &usual, 1, 0);
    while (l.last.kind != ACTION_SEND || l.last.request != REQUEST_CANCEL) {
        reply(&l, REPLY_NOT_FOUND);
        if (l.run.state == RUN_POLLING)
            wait_for_timer(&l);
    }
    assert_in_range((uintmax_t)(l.now - l.run.created), 30 * SECOND, 45 * SECOND);
    reply(&l, REPLY_NOT_FOUND);
    expect_done(&l, OUTCOME_ERROR, ENDING_POLL_REFUSED);

    /* After it was found. */
    begin(&l, &usual, 1, 0);
    told(&l, OUTCOME_RUNNING);
    wait_for_timer(&l);
    reply(&l, REPLY_NOT_FOUND);
    expect_send(&l, REQUEST_CANCEL, 0);
    run_free(&l.run);

    /* One that existed before. */
    born(&l, &usual);
    watch(&l, 1);
    reply(&l, REPLY_NOT_FOUND);
    expect_send(&l, REQUEST_CANCEL, 0);
    run_free(&l.run);
}

/* Of several remote runs each may be late. */
static void test_second_one_not_found_at_first(void **state)
{
    struct life l;

    (void)state;
    begin(&l, &usual, 2, 0);
    told(&l, OUTCOME_RUNNING);
    expect_send(&l, REQUEST_STATUS, 1);
    reply(&l, REPLY_NOT_FOUND);
    expect_quiet(&l, RUN_POLLING);
    wait_for_timer(&l);
    expect_send(&l, REQUEST_STATUS, 1);
    told(&l, OUTCOME_RUNNING);
    wait_for_timer(&l);
    expect_send(&l, REQUEST_STATUS, 0);
    reply(&l, REPLY_NOT_FOUND); /* now all were found */
    expect_send(&l, REQUEST_CANCEL, 0);
    run_free(&l.run);
}

static void test_strange_then_known(void **state)
{
    struct life l;

    (void)state;
    begin(&l, &usual, 1, 0);
    for (int i = 0; i < 10; i++) {
        reply(&l, REPLY_STRANGE);
        expect_quiet(&l, RUN_POLLING);
        wait_for_timer(&l);
    }
    told(&l, OUTCOME_RUNNING);
    assert_int_equal(l.run.trouble, -1);
    polled(&l, OUTCOME_PASSED);
    expect_done(&l, OUTCOME_PASSED, ENDING_SEEN);
}

static void test_outage(void **state)
{
    static const struct {
        enum reply_class first, last;
        enum ending ending;
    } rows[] = {
        {REPLY_RETRY, REPLY_RETRY, ENDING_OUTAGE},
        {REPLY_STRANGE, REPLY_STRANGE, ENDING_STRANGE},
        {REPLY_RETRY, REPLY_STRANGE, ENDING_STRANGE},
        {REPLY_STRANGE, REPLY_RETRY, ENDING_OUTAGE},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct life l;
        int64_t began;

        begin(&l, &usual, 1, 0);
        told(&l, OUTCOME_RUNNING);
        wait_for_timer(&l);
        began = l.now;
        reply(&l, rows[i].first);
        while (l.run.state == RUN_POLLING) {
            assert_true(l.now - began < 5 * MINUTE);
            wait_for_timer(&l);
            reply(&l, rows[i].last);
        }
        assert_true(l.now - began <= 5 * MINUTE + 15 * SECOND);
        /* It goes on for all we know: it is cancelled, at once, and asked about once more. */
        expect_send(&l, REQUEST_CANCEL, 0);
        reply(&l, REPLY_RETRY);
        assert_true(l.run.due - l.now <= SECOND);
        wait_for_timer(&l);
        expect_send(&l, REQUEST_CANCEL, 0);
        reply(&l, REPLY_GOOD);
        wait_for_timer(&l);
        expect_send(&l, REQUEST_STATUS, 0);
        reply(&l, rows[i].last);
        expect_done(&l, OUTCOME_ERROR, rows[i].ending);
    }
}

/* Answers that are usable end the row of failures. */
static void test_outage_counts_in_a_row(void **state)
{
    struct run_limits limits = usual;
    struct life l;

    (void)state;
    limits.timeout_ms = 0;
    begin(&l, &limits, 1, 0);
    for (int i = 0; i < 200; i++) {
        reply(&l, i % 20 ? REPLY_RETRY : REPLY_STRANGE);
        expect_quiet(&l, RUN_POLLING);
        wait_for_timer(&l);
        if (i % 10 == 9) {
            told(&l, OUTCOME_RUNNING);
            wait_for_timer(&l);
        }
    }
    told(&l, OUTCOME_PASSED);
    expect_done(&l, OUTCOME_PASSED, ENDING_SEEN);
}

/* Of several remote runs one alone can be in trouble: the good answers about the others neither
 * hide that for ever nor let it be asked about at the shortest distance all the time. */
static void test_outage_of_one_of_several(void **state)
{
    struct run_limits limits = usual;
    struct life l;
    int64_t began;
    int polls = 0;

    (void)state;
    limits.timeout_ms = 0;
    begin(&l, &limits, 3, 0);
    began = l.now;
    while (l.run.state == RUN_POLLING) {
        assert_true(l.now - began < 6 * MINUTE);
        if (l.run.cursor == 1)
            reply(&l, REPLY_STRANGE);
        else
            told(&l, OUTCOME_RUNNING);
        if (!l.run.in_flight)
            wait_for_timer(&l);
        polls++;
    }
    assert_int_equal(l.run.ending, ENDING_STRANGE);
    assert_true(polls < 60);
    run_free(&l.run);
}

static void test_poll_is_refused(void **state)
{
    struct life l;

    (void)state;
    begin(&l, &usual, 1, 0);
    reply(&l, REPLY_REFUSED);
    expect_send(&l, REQUEST_CANCEL, 0);
    reply(&l, REPLY_GOOD);
    expect_done(&l, OUTCOME_ERROR, ENDING_POLL_REFUSED);
}

static void test_deadline_while_polling(void **state)
{
    struct life l;

    (void)state;
    begin(&l, &usual, 1, 0);
    while (l.run.state == RUN_POLLING) {
        told(&l, OUTCOME_RUNNING);
        wait_for_timer(&l);
    }
    assert_int_equal(l.now, 1000 * SECOND + 10 * MINUTE);
    expect_send(&l, REQUEST_CANCEL, 0);
    assert_int_equal(l.run.due, l.now + 10 * SECOND);
    reply(&l, REPLY_GOOD);
    while (l.last.kind != ACTION_DONE) {
        wait_for_timer(&l);
        if (l.run.in_flight) {
            expect_send(&l, REQUEST_STATUS, 0);
            told(&l, OUTCOME_RUNNING);
        }
    }
    assert_int_equal(l.now, 1000 * SECOND + 10 * MINUTE + 10 * SECOND);
    expect_done(&l, OUTCOME_TIMED_OUT, ENDING_DEADLINE);
}

/* The provider asks for patience: more than the schedule's, never beyond the deadline. */
static void test_retry_after_of_a_poll(void **state)
{
    struct event e = reply_event(REPLY_GOOD);
    struct life l;

    (void)state;
    begin(&l, &usual, 1, 0);
    e.outcome = OUTCOME_RUNNING;
    e.retry_after_ms = MINUTE;
    step(&l, &e);
    assert_int_equal(l.run.due, l.now + MINUTE);
    wait_for_timer(&l);
    e.reply = REPLY_RETRY;
    e.retry_after_ms = HOUR;
    step(&l, &e);
    assert_int_equal(l.run.due, l.run.deadline);
    run_free(&l.run);
}

static void test_told_expectation_steers_polling(void **state)
{
    struct event e = reply_event(REPLY_GOOD);
    struct life l;

    (void)state;
    begin(&l, &usual, 1, 0);
    e.outcome = OUTCOME_RUNNING;
    e.expected_ms = HOUR;
    step(&l, &e);
    assert_int_equal(l.run.limits.schedule.expected_ms, HOUR);
    assert_true(l.run.next - l.now > 15 * SECOND);
    wait_for_timer(&l);
    told(&l, OUTCOME_RUNNING); /* no word of it does not undo it */
    assert_int_equal(l.run.limits.schedule.expected_ms, HOUR);
    run_free(&l.run);
}

static void test_several_remotes(void **state)
{
    static const struct {
        enum outcome outcomes[3];
        size_t refused;
        enum outcome folded;
    } rows[] = {
        {{OUTCOME_PASSED, OUTCOME_PASSED, OUTCOME_PASSED}, 0, OUTCOME_PASSED},
        {{OUTCOME_PASSED, OUTCOME_FAILED, OUTCOME_PASSED}, 0, OUTCOME_FAILED},
        {{OUTCOME_ERROR, OUTCOME_PASSED, OUTCOME_FAILED}, 0, OUTCOME_FAILED},
        {{OUTCOME_PASSED, OUTCOME_PASSED, OUTCOME_CANCELLED}, 0, OUTCOME_CANCELLED},
        {{OUTCOME_PASSED, OUTCOME_PASSED, OUTCOME_PASSED}, 1, OUTCOME_ERROR},
        {{OUTCOME_PASSED, OUTCOME_FAILED, OUTCOME_PASSED}, 2, OUTCOME_FAILED},
        {{OUTCOME_PASSED, OUTCOME_SKIPPED, OUTCOME_PASSED}, 2, OUTCOME_ERROR},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct life l;

        /* They end one after the other; what is over is not asked about again. */
        begin(&l, &usual, 3, rows[i].refused);
        told(&l, OUTCOME_RUNNING);
        expect_send(&l, REQUEST_STATUS, 1);
        told(&l, rows[i].outcomes[1]);
        expect_send(&l, REQUEST_STATUS, 2);
        told(&l, OUTCOME_RUNNING);
        expect_quiet(&l, RUN_POLLING);
        wait_for_timer(&l);
        expect_send(&l, REQUEST_STATUS, 0);
        told(&l, rows[i].outcomes[0]);
        expect_send(&l, REQUEST_STATUS, 2);
        told(&l, OUTCOME_RUNNING);
        wait_for_timer(&l);
        expect_send(&l, REQUEST_STATUS, 2);
        told(&l, rows[i].outcomes[2]);
        expect_done(&l, rows[i].folded, ENDING_SEEN);
    }
}

/* Details are asked for once each; without them the verdict is the same, and that is said. */
static void test_details(void **state)
{
    struct run_limits limits = usual;
    struct life l;

    (void)state;
    limits.has_details = true;
    begin(&l, &limits, 2, 0);
    told(&l, OUTCOME_PASSED);
    told(&l, OUTCOME_PASSED);
    expect_send(&l, REQUEST_DETAILS, 0);
    reply(&l, REPLY_GOOD);
    expect_send(&l, REQUEST_DETAILS, 1);
    reply(&l, REPLY_GOOD);
    assert_false(l.run.details_missing);
    expect_done(&l, OUTCOME_PASSED, ENDING_SEEN);

    /* They show that no test has run. */
    begin(&l, &limits, 1, 0);
    told(&l, OUTCOME_PASSED);
    run_set_remote(&l.run, 0, OUTCOME_EMPTY);
    reply(&l, REPLY_GOOD);
    expect_done(&l, OUTCOME_EMPTY, ENDING_SEEN);

    /* The first ones are refused. */
    begin(&l, &limits, 2, 0);
    told(&l, OUTCOME_PASSED);
    told(&l, OUTCOME_FAILED);
    reply(&l, REPLY_REFUSED);
    expect_send(&l, REQUEST_DETAILS, 1);
    reply(&l, REPLY_GOOD);
    assert_true(l.run.details_missing);
    expect_done(&l, OUTCOME_FAILED, ENDING_SEEN);
}

/* Where a pass without tests is none, one whose tests could not be read is none either. */
static void test_details_that_a_pass_needs(void **state)
{
    enum { HOW_MANY = 4 };
    struct run_limits limits = usual;
    struct life l;

    (void)state;
    limits.has_details = limits.needs_details = true;
    for (int how = 0; how < HOW_MANY; how++) {
        for (int o = OUTCOME_PASSED; o <= OUTCOME_EMPTY; o++) {
            bool passed = o == OUTCOME_PASSED;

            begin(&l, &limits, 1, 0);
            told(&l, (enum outcome)o);
            if (how == 0)
                reply(&l, REPLY_REFUSED);
            if (how == 1)
                stop(&l, STOP_SIGNAL);
            if (how == 2)
                stop(&l, STOP_NOW);
            if (how == 3)
                wait_for_timer(&l); /* the deadline */
            assert_true(l.run.details_missing);
            expect_done(&l, passed ? OUTCOME_ERROR : (enum outcome)o,
                        passed ? ENDING_UNVERIFIED : ENDING_SEEN);
        }
    }
}

static void test_details_fail_for_too_long(void **state)
{
    struct run_limits limits = usual;
    struct life l;
    int64_t began;

    (void)state;
    limits.has_details = true;
    limits.timeout_ms = 0;
    begin(&l, &limits, 1, 0);
    told(&l, OUTCOME_FAILED);
    began = l.now;
    reply(&l, REPLY_RETRY);
    while (l.last.kind != ACTION_DONE) {
        wait_for_timer(&l);
        expect_send(&l, REQUEST_DETAILS, 0);
        reply(&l, REPLY_RETRY);
    }
    assert_in_range((uintmax_t)(l.now - began), 5 * MINUTE, 5 * MINUTE + 15 * SECOND);
    assert_true(l.run.details_missing);
    expect_done(&l, OUTCOME_FAILED, ENDING_SEEN);
}

/* What a run was, counts, if it ended before the cancellation reached it. */
static void test_it_ends_while_being_cancelled(void **state)
{
    static const struct {
        enum outcome seen, outcome;
        enum ending ending;
    } rows[] = {
        {OUTCOME_PASSED, OUTCOME_PASSED, ENDING_SEEN},
        {OUTCOME_FAILED, OUTCOME_FAILED, ENDING_SEEN},
        {OUTCOME_ERROR, OUTCOME_ERROR, ENDING_SEEN},
        /* That was us. */
        {OUTCOME_CANCELLED, OUTCOME_TIMED_OUT, ENDING_DEADLINE},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct life l;

        begin(&l, &usual, 1, 0);
        l.now = l.run.deadline;
        timer(&l);
        expect_send(&l, REQUEST_CANCEL, 0);
        reply(&l, REPLY_GOOD);
        polled(&l, OUTCOME_RUNNING);
        expect_quiet(&l, RUN_CANCELLING);
        polled(&l, rows[i].seen);
        expect_done(&l, rows[i].outcome, rows[i].ending);
    }
}

/* Unless it is a pass for which details would be needed: that was not seen. */
static void test_unverified_pass_while_being_cancelled(void **state)
{
    struct run_limits limits = usual;
    struct life l;

    (void)state;
    limits.has_details = limits.needs_details = true;
    for (int o = OUTCOME_PASSED; o <= OUTCOME_FAILED; o++) {
        begin(&l, &limits, 1, 0);
        while (l.run.state == RUN_POLLING) {
            reply(&l, REPLY_RETRY);
            if (!l.run.in_flight)
                wait_for_timer(&l);
        }
        expect_send(&l, REQUEST_CANCEL, 0);
        reply(&l, REPLY_GOOD);
        polled(&l, (enum outcome)o);
        expect_done(&l, o == OUTCOME_PASSED ? OUTCOME_ERROR : OUTCOME_FAILED,
                    o == OUTCOME_PASSED ? ENDING_OUTAGE : ENDING_SEEN);
    }
}

/* The cancellation is refused: one look whether it has ended, and then it goes on without us. */
static void test_cancel_is_refused(void **state)
{
    static const enum reply_class refusals[] = {REPLY_REFUSED, REPLY_NOT_FOUND};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        struct life l;

        begin(&l, &usual, 1, 0);
        stop(&l, STOP_FAIL_FAST);
        expect_send(&l, REQUEST_CANCEL, 0);
        reply(&l, refusals[i]);
        assert_int_equal(l.run.remotes[0].cancel, CANCEL_REFUSED);
        wait_for_timer(&l);
        expect_send(&l, REQUEST_STATUS, 0);
        told(&l, OUTCOME_RUNNING);
        expect_done(&l, OUTCOME_CANCELLED, ENDING_STOPPED);
    }
}

/* Where cancelling is all that was asked for, it is an error that it could not be done. */
static void test_cancelling_in_vain(void **state)
{
    static const struct {
        enum reply_class reply;
        enum outcome outcome;
    } rows[] = {{REPLY_REFUSED, OUTCOME_ERROR}, {REPLY_GOOD, OUTCOME_CANCELLED}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct life l;

        born(&l, &usual);
        watch(&l, 1);
        stop(&l, STOP_ASKED);
        reply(&l, rows[i].reply);
        while (l.last.kind != ACTION_DONE) {
            wait_for_timer(&l);
            if (l.run.in_flight)
                told(&l, OUTCOME_RUNNING);
        }
        expect_done(&l, rows[i].outcome, ENDING_STOPPED);
    }
}

/* A cancel that says "it is over already" (409) is a good one: then its real end is read. */
static void test_cancel_comes_too_late(void **state)
{
    struct exchange x = {
        .request = REQUEST_CANCEL, .answered = true, .sent = true, .status = 409, .gone = true};
    struct life l;

    (void)state;
    begin(&l, &usual, 1, 0);
    stop(&l, STOP_SIGNAL);
    reply(&l, run_classify(&x));
    assert_int_equal(l.run.remotes[0].cancel, CANCEL_ACCEPTED);
    polled(&l, OUTCOME_FAILED);
    expect_done(&l, OUTCOME_FAILED, ENDING_SEEN);
}

/* One whose cancellation meets trouble does not keep the others from being cancelled. */
static void test_cancel_of_several(void **state)
{
    struct life l;

    (void)state;
    begin(&l, &usual, 3, 0);
    stop(&l, STOP_SIGNAL);
    expect_send(&l, REQUEST_CANCEL, 0);
    reply(&l, REPLY_RETRY);
    expect_send(&l, REQUEST_CANCEL, 1);
    reply(&l, REPLY_RETRY);
    expect_send(&l, REQUEST_CANCEL, 2);
    reply(&l, REPLY_RETRY);
    expect_quiet(&l, RUN_CANCELLING); /* all have been tried: now a pause */
    wait_for_timer(&l);
    expect_send(&l, REQUEST_CANCEL, 0);
    reply(&l, REPLY_RETRY);
    expect_send(&l, REQUEST_CANCEL, 1);
    reply(&l, REPLY_GOOD);
    expect_send(&l, REQUEST_CANCEL, 0);
    reply(&l, REPLY_GOOD);
    expect_send(&l, REQUEST_CANCEL, 2);
    reply(&l, REPLY_GOOD);
    polled(&l, OUTCOME_CANCELLED);
    polled(&l, OUTCOME_CANCELLED);
    polled(&l, OUTCOME_CANCELLED);
    expect_done(&l, OUTCOME_CANCELLED, ENDING_STOPPED);
}

/* What was over before is neither cancelled nor asked about. */
static void test_cancel_of_what_is_left(void **state)
{
    struct life l;

    (void)state;
    begin(&l, &usual, 2, 0);
    told(&l, OUTCOME_PASSED);
    expect_send(&l, REQUEST_STATUS, 1);
    stop(&l, STOP_DECIDED);
    expect_send(&l, REQUEST_CANCEL, 1);
    reply(&l, REPLY_GOOD);
    wait_for_timer(&l);
    expect_send(&l, REQUEST_STATUS, 1);
    told(&l, OUTCOME_PASSED);
    expect_done(&l, OUTCOME_PASSED, ENDING_SEEN);
}

static void test_it_may_not_be_cancelled(void **state)
{
    struct run_limits limits = usual;
    struct life l;

    (void)state;
    limits.can_cancel = false;
    begin(&l, &limits, 1, 0);
    stop(&l, STOP_SIGNAL);
    expect_done(&l, OUTCOME_CANCELLED, ENDING_STOPPED);
    begin(&l, &limits, 1, 0);
    l.now = l.run.deadline;
    timer(&l);
    expect_done(&l, OUTCOME_TIMED_OUT, ENDING_DEADLINE);
    begin(&l, &limits, 1, 0);
    reply(&l, REPLY_REFUSED);
    expect_done(&l, OUTCOME_ERROR, ENDING_POLL_REFUSED);
}

static void test_no_grace(void **state)
{
    struct run_limits limits = usual;
    struct life l;

    (void)state;
    limits.cancel_grace_ms = 0;
    begin(&l, &limits, 1, 0);
    stop(&l, STOP_SIGNAL);
    expect_send(&l, REQUEST_CANCEL, 0);
    assert_int_equal(l.run.due, l.now);
    timer(&l);
    expect_done(&l, OUTCOME_CANCELLED, ENDING_STOPPED);
}

static void test_attempts(void **state)
{
    struct run_limits limits = usual;
    struct life l;

    (void)state;
    limits.attempts = 3;
    limits.retry_on = 1u << OUTCOME_FAILED;
    begin(&l, &limits, 1, 1);
    for (int64_t attempt = 2; attempt <= 3; attempt++) {
        told(&l, OUTCOME_FAILED);
        assert_int_equal(l.last.kind, ACTION_AGAIN);
        assert_int_equal(l.run.state, RUN_STARTING);
        assert_true(l.run.due > l.now && l.run.due <= l.now + SECOND);
        wait_for_timer(&l);
        expect_send(&l, REQUEST_START, 0);
        assert_int_equal(l.run.attempt, attempt);
        /* The deadline is that of the attempt. */
        assert_int_equal(l.run.deadline, l.now + 10 * MINUTE);
        started(&l, 1, 0);
        wait_for_timer(&l);
    }
    told(&l, OUTCOME_FAILED);
    expect_done(&l, OUTCOME_FAILED, ENDING_SEEN);
}

/* An attempt begins with nothing of the one before it. */
static void test_attempts_are_apart(void **state)
{
    struct run_limits limits = usual;
    struct life l;

    (void)state;
    limits.attempts = 3;
    limits.retry_on = 1u << OUTCOME_FAILED | 1u << OUTCOME_ERROR;
    limits.has_details = true;
    begin(&l, &limits, 2, 1);
    told(&l, OUTCOME_FAILED);
    told(&l, OUTCOME_FAILED);
    reply(&l, REPLY_REFUSED);
    reply(&l, REPLY_REFUSED);
    assert_int_equal(l.last.kind, ACTION_AGAIN);
    assert_true(l.run.details_missing);
    wait_for_timer(&l);
    expect_send(&l, REQUEST_START, 0);
    assert_int_equal(l.run.remote_count, 0);
    assert_int_equal(l.run.refused, 0);
    assert_false(l.run.details_missing);
    /* Its start fails until the outage is over, and the next one is not blamed for that. */
    while (l.last.kind != ACTION_AGAIN) {
        reply(&l, REPLY_NOT_PROCESSED);
        if (l.last.kind != ACTION_AGAIN)
            wait_for_timer(&l);
    }
    assert_int_equal(l.run.ending, ENDING_START_FAILED);
    wait_for_timer(&l);
    reply(&l, REPLY_NOT_PROCESSED);
    expect_quiet(&l, RUN_STARTING);
    wait_for_timer(&l);
    started(&l, 1, 0);
    wait_for_timer(&l);
    reply(&l, REPLY_NOT_FOUND); /* it is a new run, which may not be found at first */
    expect_quiet(&l, RUN_POLLING);
    polled(&l, OUTCOME_PASSED);
    reply(&l, REPLY_GOOD);
    expect_done(&l, OUTCOME_PASSED, ENDING_SEEN);
}

/* What may have begun in spite of the refusal is not begun again. */
static void test_no_attempt_after_a_doubtful_refusal(void **state)
{
    struct run_limits limits = usual;
    struct event e = reply_event(REPLY_REFUSED);
    struct life l;

    (void)state;
    limits.attempts = 2;
    born(&l, &limits);
    go(&l);
    step(&l, &e);
    assert_int_equal(l.last.kind, ACTION_AGAIN);
    wait_for_timer(&l);
    started(&l, 1, 0);
    run_free(&l.run);

    e.doubtful = true;
    born(&l, &limits);
    go(&l);
    step(&l, &e);
    expect_done(&l, OUTCOME_ERROR, ENDING_START_REFUSED);
}

/* What such a refusal may have begun is known once it was looked up and found. */
static void test_found_after_a_doubtful_refusal(void **state)
{
    struct run_limits limits = usual;
    struct event refused = reply_event(REPLY_REFUSED);
    struct life l;

    (void)state;
    limits.can_find = true;
    limits.key_life_ms = DAY;
    limits.attempts = 2;
    limits.retry_on = 1u << OUTCOME_FAILED;
    born(&l, &limits);
    step(&l, &(struct event){.kind = EVENT_LOST, .attempt = 1});
    expect_send(&l, REQUEST_START, 0);
    refused.doubtful = true;
    step(&l, &refused);
    expect_send(&l, REQUEST_FIND, 0);
    started(&l, 1, 0);
    told(&l, OUTCOME_FAILED);
    assert_true(run_is_settled(&l.run));
    assert_int_equal(l.last.kind, ACTION_AGAIN);
    run_free(&l.run);
}

/* It is looked up like a lost one, but not sent again under its key; not found, it was refused. */
static void test_a_doubtful_refusal_is_looked_up(void **state)
{
    struct run_limits limits = usual;
    struct event refused = reply_event(REPLY_REFUSED);
    struct life l;

    (void)state;
    refused.doubtful = true;
    limits.can_find = true;
    limits.key_life_ms = DAY;
    born(&l, &limits);
    go(&l);
    step(&l, &refused);
    expect_send(&l, REQUEST_FIND, 0);
    started(&l, 1, 0);
    told(&l, OUTCOME_PASSED);
    expect_done(&l, OUTCOME_PASSED, ENDING_SEEN);

    born(&l, &limits);
    go(&l);
    step(&l, &refused);
    expect_send(&l, REQUEST_FIND, 0);
    reply(&l, REPLY_NOT_FOUND);
    wait_for_timer(&l);
    expect_send(&l, REQUEST_FIND, 0);
    reply(&l, REPLY_REFUSED);
    expect_done(&l, OUTCOME_ERROR, ENDING_START_REFUSED);

    /* Where an earlier one was lost, this one says nothing of that. */
    born(&l, &limits);
    go(&l);
    reply(&l, REPLY_LOST);
    wait_for_timer(&l);
    expect_send(&l, REQUEST_START, 0);
    step(&l, &refused);
    expect_send(&l, REQUEST_FIND, 0);
    reply(&l, REPLY_REFUSED);
    expect_done(&l, OUTCOME_START_UNKNOWN, ENDING_START_LOST);
}

/* Nor is a run begun while the one before it may still go on. */
static void test_no_attempt_beside_a_run(void **state)
{
    enum { HOW_MANY = 4 };
    struct run_limits limits = usual;
    struct life l;

    (void)state;
    limits.attempts = 2;
    limits.retry_on = 1u << OUTCOME_TIMED_OUT;
    for (int how = 0; how < HOW_MANY; how++) {
        limits.can_cancel = how != 0;
        begin(&l, &limits, 1, 0);
        l.now = l.run.deadline;
        timer(&l);
        if (how == 1)
            reply(&l, REPLY_REFUSED);
        if (how == 2)
            reply(&l, REPLY_RETRY);
        if (how == 3)
            reply(&l, REPLY_GOOD);
        while (l.run.state == RUN_CANCELLING) {
            if (!l.run.in_flight)
                wait_for_timer(&l);
            else if (l.run.request == REQUEST_CANCEL)
                reply(&l, REPLY_RETRY);
            else
                told(&l, OUTCOME_RUNNING);
        }
        if (how < 3) {
            expect_done(&l, OUTCOME_TIMED_OUT, ENDING_DEADLINE);
        } else {
            assert_int_equal(l.last.kind, ACTION_AGAIN);
            run_free(&l.run);
        }
    }
}

/* Who watches a run that exists already starts nothing, even where attempts are allowed. */
static void test_watching_starts_nothing(void **state)
{
    struct run_limits limits = usual;
    struct life l;

    (void)state;
    limits.attempts = 3;
    limits.retry_on = ~0u;
    born(&l, &limits);
    watch(&l, 1);
    told(&l, OUTCOME_FAILED);
    expect_done(&l, OUTCOME_FAILED, ENDING_SEEN);
}

/* A later attempt that passes has passed: nothing of the one that timed out clings to it. */
static void test_attempt_after_a_deadline(void **state)
{
    struct run_limits limits = usual;
    struct life l;

    (void)state;
    limits.attempts = 2;
    limits.retry_on = 1u << OUTCOME_TIMED_OUT;
    begin(&l, &limits, 1, 0);
    l.now = l.run.deadline;
    timer(&l);
    reply(&l, REPLY_GOOD);
    polled(&l, OUTCOME_CANCELLED);
    assert_int_equal(l.last.kind, ACTION_AGAIN);
    assert_int_equal(l.run.outcome, OUTCOME_TIMED_OUT);
    wait_for_timer(&l);
    started(&l, 1, 0);
    polled(&l, OUTCOME_PASSED);
    assert_int_equal(l.run.gave_up_as, OUTCOME_UNKNOWN);
    expect_done(&l, OUTCOME_PASSED, ENDING_SEEN);
}

/* Looking once: one question each; nothing is cancelled, and nothing is begun, whatever it says. */
static void test_once(void **state)
{
    struct run_limits limits = usual;
    struct life l;

    (void)state;
    limits.once = true;
    limits.can_cancel = false;
    limits.attempts = 3;
    limits.retry_on = ~0u;
    born(&l, &limits);
    watch(&l, 3);
    told(&l, OUTCOME_RUNNING);
    expect_send(&l, REQUEST_STATUS, 1);
    told(&l, OUTCOME_PASSED);
    expect_send(&l, REQUEST_STATUS, 2);
    told(&l, OUTCOME_RUNNING);
    expect_done(&l, OUTCOME_RUNNING, ENDING_SEEN);

    for (int o = OUTCOME_PASSED; o <= OUTCOME_EMPTY; o++) {
        born(&l, &limits);
        watch(&l, 1);
        told(&l, (enum outcome)o);
        expect_done(&l, (enum outcome)o, ENDING_SEEN);
        /* Not even if it is a run of this pipeline. */
        born(&l, &limits);
        step(&l, &(struct event){.kind = EVENT_WATCH, .attempt = 1, .remotes = 1});
        told(&l, (enum outcome)o);
        expect_done(&l, (enum outcome)o, ENDING_SEEN);
    }
    for (int c = REPLY_ENDED; c < REPLY_CLASS_COUNT; c++) {
        born(&l, &limits);
        watch(&l, 1);
        reply(&l, (enum reply_class)c);
        assert_int_equal(l.last.kind, ACTION_DONE);
        expect_done(&l, OUTCOME_UNKNOWN, l.run.ending);
    }

    /* The details of a pass that depends on them are a question, too. */
    limits.has_details = limits.needs_details = true;
    for (int c = REPLY_GOOD; c < REPLY_CLASS_COUNT; c++) {
        born(&l, &limits);
        watch(&l, 1);
        told(&l, OUTCOME_PASSED);
        expect_send(&l, REQUEST_DETAILS, 0);
        reply(&l, (enum reply_class)c);
        if (c == REPLY_GOOD)
            expect_done(&l, OUTCOME_PASSED, ENDING_SEEN);
        else
            expect_done(&l, OUTCOME_ERROR, ENDING_UNVERIFIED);
    }
}

/* --- stories of lost starts --------------------------------------------------------------- */

static struct run_limits can_find(void)
{
    struct run_limits limits = usual;

    limits.can_find = true;
    return limits;
}

/* A life whose start is lost and is being looked up. */
static void begin_finding(struct life *l, const struct run_limits *limits)
{
    born(l, limits);
    go(l);
    l->now += 200;
    reply(l, REPLY_LOST);
    assert_int_equal(l->run.state, RUN_FINDING);
    expect_send(l, REQUEST_FIND, 0);
}

/* It is what was started: polled at once, and its age is the start's. */
static void test_lost_start_is_found(void **state)
{
    struct run_limits limits = can_find();
    struct life l;

    (void)state;
    limits.attempts = 3;
    limits.retry_on = 1u << OUTCOME_FAILED;
    begin_finding(&l, &limits);
    l.now += 50 * SECOND;
    found(&l);
    assert_int_equal(l.run.state, RUN_POLLING);
    expect_send(&l, REQUEST_STATUS, 0);
    assert_int_equal(l.run.created, l.now);
    assert_int_equal(l.run.deadline, 1000 * SECOND + 10 * MINUTE);
    told(&l, OUTCOME_RUNNING);
    assert_in_range((uintmax_t)(l.run.next - l.now), 4 * SECOND, 6 * SECOND);
    polled(&l, OUTCOME_FAILED);
    /* It is as good as any: another attempt may follow, and be lost in its turn. */
    assert_int_equal(l.last.kind, ACTION_AGAIN);
    wait_for_timer(&l);
    expect_send(&l, REQUEST_START, 0);
    reply(&l, REPLY_LOST);
    expect_send(&l, REQUEST_FIND, 0);
    found(&l);
    told(&l, OUTCOME_PASSED);
    expect_done(&l, OUTCOME_PASSED, ENDING_SEEN);
}

/* What the list tells of earlier runs steers the polls of the one that was found. */
static void test_found_with_an_expectation(void **state)
{
    struct run_limits limits = can_find();
    struct event e = reply_event(REPLY_GOOD);
    struct life l;

    (void)state;
    limits.has_earlier = true;
    begin_finding(&l, &limits);
    e.remotes = 1;
    e.expected_ms = 5 * MINUTE;
    step(&l, &e);
    assert_int_equal(l.run.limits.schedule.expected_ms, 5 * MINUTE);
    told(&l, OUTCOME_RUNNING);
    assert_in_range((uintmax_t)(l.run.next - l.now), 48 * SECOND, MINUTE);
    run_free(&l.run);
}

/* A list may lag behind: further and further apart, for a quarter of a minute or the outage. */
static void test_not_found_for_a_while(void **state)
{
    static const struct {
        int64_t outage, least, most;
    } rows[] = {
        {5 * MINUTE, 15 * SECOND, 15 * SECOND},
        {10 * SECOND, 10 * SECOND, 10 * SECOND},
        {0, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct run_limits limits = can_find();
        int64_t began, longest = 0;
        struct life l;

        limits.outage_ms = rows[i].outage;
        begin_finding(&l, &limits);
        began = l.now;
        for (;;) {
            int64_t asked = l.now;

            reply(&l, REPLY_NOT_FOUND);
            if (l.last.kind == ACTION_DONE)
                break;
            expect_quiet(&l, RUN_FINDING);
            assert_in_range((uintmax_t)(l.run.next - asked), 1, 15 * SECOND);
            if (l.run.next - asked > longest)
                longest = l.run.next - asked;
            wait_for_timer(&l);
            expect_send(&l, REQUEST_FIND, 0);
        }
        assert_in_range((uintmax_t)(l.now - began), (uintmax_t)rows[i].least,
                        (uintmax_t)rows[i].most);
        assert_true(rows[i].outage < MINUTE || longest > 4 * SECOND);
        expect_done(&l, OUTCOME_START_UNKNOWN, ENDING_START_LOST);
    }
}

/* Found at the second look, at the last one, or after trouble: it makes no difference. */
static void test_found_later(void **state)
{
    struct run_limits limits = can_find();
    struct life l;

    (void)state;
    for (int looks = 1; looks < 4; looks++) {
        for (int trouble = 0; trouble < 2; trouble++) {
            begin_finding(&l, &limits);
            for (int i = 0; i < looks; i++) {
                reply(&l, trouble ? REPLY_RETRY : REPLY_NOT_FOUND);
                wait_for_timer(&l);
                expect_send(&l, REQUEST_FIND, 0);
            }
            found(&l);
            expect_send(&l, REQUEST_STATUS, 0);
            assert_int_equal(l.run.trouble, -1);
            assert_int_equal(l.run.failures, 0);
            told(&l, OUTCOME_PASSED);
            expect_done(&l, OUTCOME_PASSED, ENDING_SEEN);
        }
    }
}

/* Several can be it, or the list is refused: asking again would tell nothing else. */
static void test_find_is_hopeless(void **state)
{
    static const enum reply_class rows[] = {REPLY_STRANGE, REPLY_REFUSED};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct run_limits limits = can_find();
        struct life l;

        limits.attempts = 5;
        limits.retry_on = ~0u;
        begin_finding(&l, &limits);
        reply(&l, rows[i]);
        expect_done(&l, OUTCOME_START_UNKNOWN, ENDING_START_LOST);
    }
}

/* Trouble is no reason to look for longer, nor is a provider that asks for patience. */
static void test_find_in_trouble(void **state)
{
    struct run_limits limits = can_find();
    struct event e = reply_event(REPLY_RETRY);
    struct life l;
    int64_t began;

    (void)state;
    begin_finding(&l, &limits);
    began = l.now;
    for (;;) {
        reply(&l, REPLY_RETRY);
        if (l.last.kind == ACTION_DONE)
            break;
        expect_quiet(&l, RUN_FINDING);
        wait_for_timer(&l);
        expect_send(&l, REQUEST_FIND, 0);
    }
    assert_int_equal(l.now - began, 15 * SECOND);
    expect_done(&l, OUTCOME_START_UNKNOWN, ENDING_START_LOST);

    begin_finding(&l, &limits);
    began = l.now;
    e.retry_after_ms = 3 * SECOND;
    step(&l, &e);
    assert_int_equal(l.run.due, began + 3 * SECOND);
    wait_for_timer(&l);
    e.retry_after_ms = 2 * MINUTE;
    step(&l, &e);
    assert_int_equal(l.run.due, began + 15 * SECOND);
    wait_for_timer(&l);
    expect_send(&l, REQUEST_FIND, 0);
    step(&l, &e);
    expect_done(&l, OUTCOME_START_UNKNOWN, ENDING_START_LOST);
}

/* It is given up while it is looked up: the look goes on as long as there is grace. */
static void test_given_up_while_finding(void **state)
{
    static const struct {
        enum stop stop; /* STOP_NONE: the run's deadline */
        enum outcome outcome;
        enum ending ending;
    } rows[] = {
        {STOP_NONE, OUTCOME_TIMED_OUT, ENDING_DEADLINE},
        {STOP_SIGNAL, OUTCOME_CANCELLED, ENDING_STOPPED},
        {STOP_GATE_DEADLINE, OUTCOME_TIMED_OUT, ENDING_STOPPED},
        {STOP_FAIL_FAST, OUTCOME_CANCELLED, ENDING_STOPPED},
        {STOP_DECIDED, OUTCOME_CANCELLED, ENDING_STOPPED},
        {STOP_ASKED, OUTCOME_CANCELLED, ENDING_STOPPED},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (int looks = 0; looks < 4; looks++) {
            struct run_limits limits = can_find();
            struct life l;
            int64_t given_up;

            limits.timeout_ms = MINUTE;
            limits.attempts = 3;
            limits.retry_on = ~0u;
            born(&l, &limits);
            go(&l);
            l.now = l.run.deadline - SECOND;
            reply(&l, REPLY_LOST);
            expect_send(&l, REQUEST_FIND, 0);
            if (rows[i].stop == STOP_NONE) {
                wait_for_timer(&l);
                assert_int_equal(l.now, 1000 * SECOND + MINUTE);
            } else {
                stop(&l, rows[i].stop);
            }
            expect_quiet(&l, RUN_FINDING);
            given_up = l.now;
            assert_int_equal(l.run.due, given_up + 10 * SECOND);
            for (int j = 0; j < looks; j++) { /* one that is under way is not sent twice */
                reply(&l, REPLY_NOT_FOUND);
                expect_quiet(&l, RUN_FINDING);
                wait_for_timer(&l);
                if (l.last.kind == ACTION_DONE)
                    break;
                expect_send(&l, REQUEST_FIND, 0);
            }
            if (looks == 3) { /* no answer comes any more */
                if (l.last.kind != ACTION_DONE)
                    wait_for_timer(&l);
                assert_int_equal(l.now, given_up + 10 * SECOND);
                expect_done(&l, OUTCOME_START_UNKNOWN, ENDING_START_LOST);
                continue;
            }
            found(&l);
            assert_int_equal(l.run.state, RUN_CANCELLING);
            expect_send(&l, REQUEST_CANCEL, 0);
            /* The grace of the cancellation begins now. */
            assert_int_equal(l.run.due, l.now + 10 * SECOND);
            reply(&l, REPLY_GOOD);
            wait_for_timer(&l);
            expect_send(&l, REQUEST_STATUS, 0);
            told(&l, OUTCOME_CANCELLED);
            if (rows[i].stop == STOP_NONE) {
                /* It is over and known: after its own deadline it may be tried again. */
                assert_int_equal(l.last.kind, ACTION_AGAIN);
                assert_int_equal(l.run.outcome, OUTCOME_TIMED_OUT);
                run_free(&l.run);
            } else {
                expect_done(&l, rows[i].outcome, rows[i].ending);
            }
        }
    }
}

/* Found when it must not be cancelled: what it is called is the same, and it runs on. */
static void test_found_and_not_cancelled(void **state)
{
    struct run_limits limits = can_find();
    struct life l;

    (void)state;
    limits.can_cancel = false;
    begin_finding(&l, &limits);
    stop(&l, STOP_SIGNAL);
    found(&l);
    assert_false(run_is_settled(&l.run));
    expect_done(&l, OUTCOME_CANCELLED, ENDING_STOPPED);
}

/* Between two looks there is nothing to wait for but the next one, or the end of the grace. */
static void test_stop_between_two_looks(void **state)
{
    struct run_limits limits = can_find();
    struct life l;
    int64_t next;

    (void)state;
    begin_finding(&l, &limits);
    reply(&l, REPLY_NOT_FOUND);
    next = l.run.next;
    stop(&l, STOP_SIGNAL);
    expect_quiet(&l, RUN_FINDING);
    assert_int_equal(l.run.due, next);
    stop(&l, STOP_FAIL_FAST);
    assert_int_equal(l.run.stop, STOP_SIGNAL);
    wait_for_timer(&l);
    expect_send(&l, REQUEST_FIND, 0);
    stop(&l, STOP_NOW);
    expect_done(&l, OUTCOME_START_UNKNOWN, ENDING_START_LOST);
}

/* A signal while the start is under way, and then its reply is lost: one look is still possible. */
static void test_lost_after_the_signal(void **state)
{
    struct run_limits limits = can_find();
    struct life l;
    int64_t grace_until;

    (void)state;
    for (int key = 0; key < 2; key++) {
        limits.key_life_ms = key ? DAY : 0; /* what is stopped is not started again under it */
        born(&l, &limits);
        go(&l);
        stop(&l, STOP_SIGNAL);
        grace_until = l.run.grace_until;
        l.now += 4 * SECOND;
        reply(&l, REPLY_LOST);
        assert_int_equal(l.run.state, RUN_FINDING);
        expect_send(&l, REQUEST_FIND, 0);
        assert_int_equal(l.run.due, grace_until); /* not a second grace */
        found(&l);
        expect_send(&l, REQUEST_CANCEL, 0);
        reply(&l, REPLY_GOOD);
        polled(&l, OUTCOME_CANCELLED);
        expect_done(&l, OUTCOME_CANCELLED, ENDING_STOPPED);
    }
}

/* An earlier gate has lost it, and its key is still good: it is sent again, as the same start. */
static void test_lost_with_a_fresh_key(void **state)
{
    struct run_limits limits = can_find();
    struct life l;

    (void)state;
    limits.key_life_ms = 10 * MINUTE;
    limits.attempts = 3;
    limits.retry_on = 1u << OUTCOME_FAILED;
    born(&l, &limits);
    step(&l, &(struct event){.kind = EVENT_LOST, .attempt = 2, .age_ms = 8 * MINUTE - 1});
    assert_int_equal(l.run.state, RUN_STARTING);
    expect_send(&l, REQUEST_START, 0);
    assert_int_equal(l.run.attempt, 2);
    assert_int_equal(l.run.deadline, l.now + 10 * MINUTE);
    started(&l, 1, 0);
    expect_quiet(&l, RUN_POLLING);
    wait_for_timer(&l);
    told(&l, OUTCOME_RUNNING);
    /* It may have run for all of that time. */
    assert_in_range((uintmax_t)(l.run.next - l.now), 12 * SECOND, 15 * SECOND);
    polled(&l, OUTCOME_FAILED);
    assert_int_equal(l.last.kind, ACTION_AGAIN);
    wait_for_timer(&l);
    expect_send(&l, REQUEST_START, 0);
    assert_int_equal(l.run.attempt, 3);
    started(&l, 1, 0);
    polled(&l, OUTCOME_FAILED);
    expect_done(&l, OUTCOME_FAILED, ENDING_SEEN);
}

/* The key is too old, or there is none: it is looked up, or nothing can be said. */
static void test_lost_without_a_good_key(void **state)
{
    static const struct {
        int64_t key_life, age;
    } rows[] = {{0, 0}, {0, HOUR}, {10 * MINUTE, 8 * MINUTE}, {10 * MINUTE, DAY}, {1, 1}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct run_limits limits = can_find();
        struct life l;

        limits.key_life_ms = rows[i].key_life;
        born(&l, &limits);
        lost(&l, rows[i].age);
        assert_int_equal(l.run.state, RUN_FINDING);
        expect_send(&l, REQUEST_FIND, 0);
        found(&l);
        expect_send(&l, REQUEST_STATUS, 0);
        told(&l, OUTCOME_PASSED);
        expect_done(&l, OUTCOME_PASSED, ENDING_SEEN);

        limits.can_find = false;
        born(&l, &limits);
        lost(&l, rows[i].age);
        expect_done(&l, OUTCOME_START_UNKNOWN, ENDING_START_LOST);
    }
}

/* Looking once: one look, whatever it tells, and nothing is sent again, however good its key. */
static void test_lost_once(void **state)
{
    (void)state;
    for (int c = 0; c < REPLY_CLASS_COUNT; c++) {
        struct run_limits limits = can_find();
        struct life l;

        limits.once = true;
        limits.can_cancel = false;
        limits.key_life_ms = DAY;
        limits.attempts = 3;
        limits.retry_on = ~0u;
        born(&l, &limits);
        lost(&l, SECOND);
        expect_send(&l, REQUEST_FIND, 0);
        if (c != REPLY_GOOD) {
            reply(&l, (enum reply_class)c);
            expect_done(&l, OUTCOME_START_UNKNOWN, ENDING_START_LOST);
            continue;
        }
        found(&l);
        expect_send(&l, REQUEST_STATUS, 0);
        told(&l, OUTCOME_RUNNING);
        expect_done(&l, OUTCOME_RUNNING, ENDING_SEEN);
    }
}

/* Cancelling is all that was asked for: it is looked up for that alone, or its start repeated. */
static void test_cancelling_what_was_lost(void **state)
{
    struct run_limits limits = can_find();
    struct life l;

    (void)state;
    for (int key = 0; key < 2; key++) {
        limits.key_life_ms = key ? DAY : 0;
        born(&l, &limits);
        lost(&l, MINUTE);
        expect_send(&l, key ? REQUEST_START : REQUEST_FIND, 0);
        stop(&l, STOP_ASKED);
        expect_quiet(&l, key ? RUN_STARTING : RUN_FINDING);
        found(&l);
        expect_send(&l, REQUEST_CANCEL, 0);
        reply(&l, REPLY_GOOD);
        polled(&l, OUTCOME_RUNNING);
        assert_true(run_is_settled(&l.run));
        while (l.last.kind != ACTION_DONE) {
            wait_for_timer(&l);
            if (l.last.kind == ACTION_SEND)
                told(&l, OUTCOME_RUNNING);
        }
        expect_done(&l, OUTCOME_CANCELLED, ENDING_STOPPED);

        born(&l, &limits);
        lost(&l, MINUTE);
        stop(&l, STOP_ASKED);
        if (key)
            reply(&l, REPLY_LOST);
        while (l.last.kind != ACTION_DONE) {
            assert_int_equal(l.run.state, RUN_FINDING);
            if (l.run.in_flight)
                reply(&l, REPLY_NOT_FOUND);
            else
                wait_for_timer(&l);
        }
        assert_int_equal(l.now, 1000 * SECOND + 10 * SECOND);
        expect_done(&l, OUTCOME_START_UNKNOWN, ENDING_START_LOST);
    }
}

/* In the last fifth of its life a key is not trusted: then the start is looked up. */
static void test_key_grows_old(void **state)
{
    struct run_limits limits = can_find();
    struct life l;
    int64_t began;
    int starts = 1;

    (void)state;
    limits.key_life_ms = MINUTE;
    for (int known = 0; known < 2; known++) {
        limits.can_find = known;
        born(&l, &limits);
        go(&l);
        began = l.now;
        reply(&l, REPLY_LOST);
        while (l.run.state == RUN_STARTING) {
            wait_for_timer(&l);
            if (l.run.state != RUN_STARTING)
                break;
            expect_send(&l, REQUEST_START, 0);
            assert_true(l.now - began < 48 * SECOND);
            starts++;
            reply(&l, REPLY_LOST);
        }
        assert_in_range((uintmax_t)starts, 4, 20);
        assert_in_range((uintmax_t)(l.now - began), 48 * SECOND, MINUTE + 3 * SECOND);
        starts = 1;
        if (known) {
            expect_send(&l, REQUEST_FIND, 0);
            run_free(&l.run);
        } else {
            expect_done(&l, OUTCOME_START_UNKNOWN, ENDING_START_LOST);
        }
    }

    /* Its life is counted from the start that was lost, not from those that began nothing. */
    limits.can_find = true;
    born(&l, &limits);
    go(&l);
    for (int i = 0; i < 12; i++) {
        reply(&l, REPLY_NOT_PROCESSED);
        wait_for_timer(&l);
    }
    assert_true(l.now > 1000 * SECOND + MINUTE);
    reply(&l, REPLY_LOST);
    expect_quiet(&l, RUN_STARTING);
    wait_for_timer(&l);
    expect_send(&l, REQUEST_START, 0);
    /* And a repetition that is answered too late is not followed by another. */
    l.now += 50 * SECOND;
    reply(&l, REPLY_NOT_PROCESSED);
    expect_quiet(&l, RUN_STARTING);
    wait_for_timer(&l);
    assert_int_equal(l.run.state, RUN_FINDING);
    expect_send(&l, REQUEST_FIND, 0);
    run_free(&l.run);
}

/* Whatever ends the repetitions of a lost start, it is looked up before it is given up. */
static void test_repetition_ends(void **state)
{
    static const enum reply_class rows[] = {REPLY_REFUSED, REPLY_RETRY, REPLY_STRANGE,
                                            REPLY_NOT_FOUND, REPLY_UNKNOWN};
    struct run_limits limits = can_find();
    struct event ended = reply_event(REPLY_ENDED);
    struct life l;

    (void)state;
    limits.key_life_ms = DAY;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        born(&l, &limits);
        lost(&l, 0);
        reply(&l, rows[i]);
        assert_int_equal(l.run.state, RUN_FINDING);
        expect_send(&l, REQUEST_FIND, 0);
        run_free(&l.run);
    }

    /* Tries, and the outage. */
    for (int tries = 0; tries < 2; tries++) {
        limits.start_tries = tries ? 3 : 0;
        born(&l, &limits);
        lost(&l, 0);
        while (l.run.state == RUN_STARTING) {
            reply(&l, REPLY_NOT_PROCESSED);
            if (l.run.state == RUN_STARTING)
                wait_for_timer(&l);
        }
        assert_true(tries || l.now - 1000 * SECOND >= 5 * MINUTE);
        expect_send(&l, REQUEST_FIND, 0);
        run_free(&l.run);
    }

    /* Only an answer to the start itself is better than a look. */
    born(&l, &limits);
    lost(&l, 0);
    ended.outcome = OUTCOME_SKIPPED;
    step(&l, &ended);
    expect_done(&l, OUTCOME_SKIPPED, ENDING_SEEN);
}

/* --- stories of runs taken up ------------------------------------------------------------- */

static void take_up(struct life *l, const struct run_limits *limits, const struct event *e)
{
    struct event event = *e;

    event.kind = EVENT_WATCH;
    event.remotes = event.remotes ? event.remotes : 1;
    born(l, limits);
    step(l, &event);
}

/* The attempts of an earlier gate go on where it was ended. */
static void test_taken_up_attempts_go_on(void **state)
{
    struct run_limits limits = usual;
    struct life l;

    (void)state;
    limits.attempts = 3;
    limits.retry_on = 1u << OUTCOME_FAILED;
    take_up(&l, &limits, &(struct event){.attempt = 2, .age_ms = HOUR});
    expect_send(&l, REQUEST_STATUS, 0);
    assert_int_equal(l.run.attempt, 2);
    told(&l, OUTCOME_FAILED);
    assert_int_equal(l.last.kind, ACTION_AGAIN);
    wait_for_timer(&l);
    expect_send(&l, REQUEST_START, 0);
    assert_int_equal(l.run.attempt, 3);
    assert_int_equal(l.run.deadline, l.now + 10 * MINUTE);
    started(&l, 1, 0);
    polled(&l, OUTCOME_FAILED);
    expect_done(&l, OUTCOME_FAILED, ENDING_SEEN);

    /* Fewer are allowed now than had been used. */
    take_up(&l, &limits, &(struct event){.attempt = 5});
    told(&l, OUTCOME_FAILED);
    expect_done(&l, OUTCOME_FAILED, ENDING_SEEN);
}

/* Its age is the true one; the time that it is waited for counts from now. */
static void test_age_of_what_is_taken_up(void **state)
{
    struct run_limits limits = usual;
    struct life l;

    (void)state;
    take_up(&l, &limits, &(struct event){.attempt = 1, .age_ms = 80 * SECOND});
    assert_int_equal(l.run.deadline, l.now + 10 * MINUTE);
    told(&l, OUTCOME_RUNNING);
    assert_in_range((uintmax_t)(l.run.next - l.now), 6 * SECOND, 8 * SECOND);
    run_free(&l.run);

    /* Known to be an hour old already: it is over soon, and is polled closely. */
    limits.schedule.expected_ms = HOUR;
    take_up(&l, &limits, &(struct event){.attempt = 1, .age_ms = HOUR});
    told(&l, OUTCOME_RUNNING);
    assert_in_range((uintmax_t)(l.run.next - l.now), SECOND, 5 * SECOND);
    run_free(&l.run);

    /* That of somebody else is as old as it is known. */
    limits.schedule.expected_ms = -1;
    take_up(&l, &limits, &(struct event){.attempt = 0});
    told(&l, OUTCOME_RUNNING);
    assert_in_range((uintmax_t)(l.run.next - l.now), 1, SECOND);
    run_free(&l.run);
}

/* A run that was just started may not be found at first; the age says whether it was just. */
static void test_taken_up_and_not_found(void **state)
{
    static const struct {
        int64_t attempt, age;
        bool borne;
    } rows[] = {
        {1, 0, true},
        {1, 29 * SECOND, true},
        {1, 30 * SECOND, false},
        {2, HOUR, false},
        {0, 0, false}, /* of somebody else */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct life l;

        take_up(&l, &usual,
                &(struct event){.attempt = rows[i].attempt, .age_ms = rows[i].age});
        reply(&l, REPLY_NOT_FOUND);
        if (rows[i].borne)
            expect_quiet(&l, RUN_POLLING);
        else
            expect_send(&l, REQUEST_CANCEL, 0);
        run_free(&l.run);
    }
}

/* What was refused when it was started counts for its verdict as it did then. */
static void test_taken_up_with_refused_ones(void **state)
{
    struct life l;

    (void)state;
    take_up(&l, &usual, &(struct event){.attempt = 1, .remotes = 2, .refused = 1});
    told(&l, OUTCOME_PASSED);
    told(&l, OUTCOME_PASSED);
    expect_done(&l, OUTCOME_ERROR, ENDING_SEEN);
}

/* --- stories of starting only ------------------------------------------------------------- */

static void test_start_only(void **state)
{
    struct run_limits limits = can_find();
    struct life l;

    (void)state;
    limits.start_only = true;
    limits.has_details = true;
    limits.attempts = 3;
    limits.retry_on = ~0u; /* that it runs is not worth another attempt */
    born(&l, &limits);
    go(&l);
    started(&l, 2, 0);
    expect_done(&l, OUTCOME_RUNNING, ENDING_SEEN);

    /* It exists already. */
    take_up(&l, &limits, &(struct event){.attempt = 1});
    expect_done(&l, OUTCOME_RUNNING, ENDING_SEEN);

    /* Lost, and found. */
    begin_finding(&l, &limits);
    found(&l);
    expect_done(&l, OUTCOME_RUNNING, ENDING_SEEN);

    /* Lost for ever. */
    begin_finding(&l, &limits);
    reply(&l, REPLY_STRANGE);
    expect_done(&l, OUTCOME_START_UNKNOWN, ENDING_START_LOST);

    /* Given up while it was under way: it is cancelled, not left. */
    born(&l, &limits);
    go(&l);
    stop(&l, STOP_SIGNAL);
    started(&l, 1, 0);
    expect_send(&l, REQUEST_CANCEL, 0);
    reply(&l, REPLY_GOOD);
    polled(&l, OUTCOME_CANCELLED);
    expect_done(&l, OUTCOME_CANCELLED, ENDING_STOPPED);

    /* A start that had no effect is tried again. */
    born(&l, &limits);
    go(&l);
    reply(&l, REPLY_REFUSED);
    assert_int_equal(l.last.kind, ACTION_AGAIN);
    wait_for_timer(&l);
    started(&l, 1, 0);
    expect_done(&l, OUTCOME_RUNNING, ENDING_SEEN);
}

/*
 * Given up while the reply to its start does not come: half of the grace is for the reply, the
 * other half for looking the run up, where that is possible, so that it can be cancelled.
 */
static void test_start_that_hangs_is_looked_up(void **state)
{
    static const struct {
        enum stop stop; /* STOP_NONE: the run's own deadline */
        enum outcome outcome;
        enum ending ending;
    } rows[] = {
        {STOP_SIGNAL, OUTCOME_CANCELLED, ENDING_STOPPED},
        {STOP_GATE_DEADLINE, OUTCOME_TIMED_OUT, ENDING_STOPPED},
        {STOP_FAIL_FAST, OUTCOME_CANCELLED, ENDING_STOPPED},
        {STOP_NONE, OUTCOME_TIMED_OUT, ENDING_DEADLINE},
    };
    struct run_limits limits = usual;
    struct life l;

    (void)state;
    limits.can_find = true;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t given_up;

        for (int there = 0; there < 2; there++) {
            born(&l, &limits);
            go(&l);
            if (rows[i].stop == STOP_NONE)
                wait_for_timer(&l);
            else
                stop(&l, rows[i].stop);
            given_up = l.now;
            expect_quiet(&l, RUN_STARTING);
            wait_for_timer(&l);
            assert_int_equal(l.now, given_up + 5 * SECOND);
            assert_int_equal(l.run.state, RUN_FINDING);
            expect_send(&l, REQUEST_FIND, 0);
            if (!there) {
                reply(&l, REPLY_NOT_FOUND);
                while (l.run.state == RUN_FINDING && l.run.due < given_up + 10 * SECOND) {
                    wait_for_timer(&l);
                    reply(&l, REPLY_NOT_FOUND);
                }
                wait_for_timer(&l);
                assert_int_equal(l.now, given_up + 10 * SECOND);
                expect_done(&l, OUTCOME_START_UNKNOWN, ENDING_START_LOST);
                continue;
            }
            started(&l, 1, 0);
            expect_send(&l, REQUEST_CANCEL, 0);
            reply(&l, REPLY_GOOD);
            polled(&l, OUTCOME_CANCELLED);
            expect_done(&l, rows[i].outcome, rows[i].ending);
        }
    }
    /* The reply in the first half is as good, and nothing is looked up where nothing can be. */
    born(&l, &limits);
    go(&l);
    stop(&l, STOP_SIGNAL);
    started(&l, 1, 0);
    expect_send(&l, REQUEST_CANCEL, 0);
    reply(&l, REPLY_GOOD);
    polled(&l, OUTCOME_CANCELLED);
    expect_done(&l, OUTCOME_CANCELLED, ENDING_STOPPED);
    born(&l, &usual);
    go(&l);
    stop(&l, STOP_SIGNAL);
    wait_for_timer(&l);
    expect_done(&l, OUTCOME_START_UNKNOWN, ENDING_START_LOST);
}

/* --- stories of earlier runs -------------------------------------------------------------- */

static struct run_limits has_earlier(void)
{
    struct run_limits limits = usual;

    limits.has_earlier = true;
    return limits;
}

/* A life that is polled so long without a known end that polls get as far apart as they may. */
static void begin_slow(struct life *l, const struct run_limits *limits)
{
    begin(l, limits, 1, 0);
    for (;;) {
        bool slow;

        told(l, OUTCOME_RUNNING);
        wait_for_timer(l);
        slow = l->now - 1000 * SECOND >= 150 * SECOND;
        expect_send(l, slow ? REQUEST_FIND : REQUEST_STATUS, 0);
        if (slow)
            return;
    }
}

/* It is asked once; whatever the answer, the question how the run is follows. */
static void test_earlier_runs_are_asked_once(void **state)
{
    (void)state;
    for (int c = 0; c < REPLY_CLASS_COUNT; c++) {
        struct run_limits limits = has_earlier();
        struct life l;

        limits.timeout_ms = HOUR;
        begin_slow(&l, &limits);
        reply(&l, (enum reply_class)c);
        assert_int_equal(l.run.trouble, -1);
        for (int i = 0; i < 50; i++) {
            expect_send(&l, REQUEST_STATUS, 0);
            told(&l, OUTCOME_RUNNING);
            wait_for_timer(&l);
        }
        told(&l, OUTCOME_PASSED);
        expect_done(&l, OUTCOME_PASSED, ENDING_SEEN);
    }
}

/* Another attempt asks for itself: what was not known before may be known by then. */
static void test_earlier_runs_are_asked_about_anew(void **state)
{
    struct run_limits limits = has_earlier();
    struct life l;

    (void)state;
    limits.timeout_ms = HOUR;
    limits.attempts = 2;
    begin_slow(&l, &limits);
    reply(&l, REPLY_GOOD);
    told(&l, OUTCOME_ERROR);
    assert_int_equal(l.last.kind, ACTION_AGAIN);
    wait_for_timer(&l);
    started(&l, 1, 0);
    l.now += 150 * SECOND;
    timer(&l);
    expect_send(&l, REQUEST_FIND, 0);
    run_free(&l.run);
}

static void test_earlier_runs_tell_an_expectation(void **state)
{
    struct run_limits limits = has_earlier();
    struct event e = reply_event(REPLY_GOOD);
    struct life l;

    (void)state;
    limits.timeout_ms = 2 * HOUR;
    limits.attempts = 2;
    begin_slow(&l, &limits);
    e.expected_ms = HOUR;
    step(&l, &e);
    expect_send(&l, REQUEST_STATUS, 0);
    told(&l, OUTCOME_RUNNING);
    /* Far from the end: polls are further apart than poll_max. */
    assert_in_range((uintmax_t)(l.run.next - l.now), 48 * SECOND, MINUTE);
    polled(&l, OUTCOME_ERROR);
    assert_int_equal(l.last.kind, ACTION_AGAIN);
    /* The next attempt knows it as well, and asks nobody. */
    wait_for_timer(&l);
    started(&l, 1, 0);
    for (int i = 0; i < 100; i++) {
        wait_for_timer(&l);
        expect_send(&l, REQUEST_STATUS, 0);
        told(&l, OUTCOME_RUNNING);
    }
    run_free(&l.run);
}

/* Of several remote runs the first that is not over is asked about next. */
static void test_earlier_runs_among_several(void **state)
{
    struct run_limits limits = has_earlier();
    struct life l;

    (void)state;
    begin(&l, &limits, 3, 0);
    told(&l, OUTCOME_PASSED);
    told(&l, OUTCOME_RUNNING);
    told(&l, OUTCOME_RUNNING);
    l.now += 150 * SECOND;
    timer(&l);
    expect_send(&l, REQUEST_FIND, 0);
    reply(&l, REPLY_GOOD);
    expect_send(&l, REQUEST_STATUS, 1);
    told(&l, OUTCOME_PASSED);
    expect_send(&l, REQUEST_STATUS, 2);
    told(&l, OUTCOME_PASSED);
    expect_done(&l, OUTCOME_PASSED, ENDING_SEEN);
}

/* Who knows how long it takes, who is in trouble and who polls closely does not ask. */
static void test_earlier_runs_are_not_asked_about(void **state)
{
    static const struct {
        bool has_earlier;
        int64_t expected, told; /* by the run's own status */
        int64_t age;
        bool trouble, asks;
    } rows[] = {
        {true, -1, -1, 150 * SECOND, false, true},
        {true, -1, -1, 149 * SECOND, false, false},
        {false, -1, -1, 150 * SECOND, false, false},
        {true, HOUR, -1, 150 * SECOND, false, false},
        {true, -1, HOUR, 150 * SECOND, false, false},
        {true, -1, -1, 150 * SECOND, true, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct run_limits limits = usual;
        struct event e = reply_event(rows[i].trouble ? REPLY_RETRY : REPLY_GOOD);
        struct life l;

        limits.has_earlier = rows[i].has_earlier;
        limits.schedule.expected_ms = rows[i].expected;
        begin(&l, &limits, 1, 0);
        e.outcome = OUTCOME_RUNNING;
        e.expected_ms = rows[i].told;
        step(&l, &e);
        l.now = l.run.began + rows[i].age;
        if (l.now < l.run.due)
            l.now = l.run.due;
        timer(&l);
        expect_send(&l, rows[i].asks ? REQUEST_FIND : REQUEST_STATUS, 0);
        run_free(&l.run);
    }
}

/* It takes its turn in an outage too: nothing of the answer hides the run's own trouble. */
static void test_earlier_runs_and_an_outage(void **state)
{
    struct run_limits limits = has_earlier();
    struct life l;
    int64_t began;

    (void)state;
    limits.timeout_ms = HOUR;
    begin_slow(&l, &limits);
    reply(&l, REPLY_RETRY);
    began = l.now;
    while (l.last.kind == ACTION_SEND && l.last.request == REQUEST_STATUS) {
        reply(&l, REPLY_RETRY);
        if (l.last.kind == ACTION_NONE)
            wait_for_timer(&l);
    }
    expect_send(&l, REQUEST_CANCEL, 0);
    assert_in_range((uintmax_t)(l.now - began), 5 * MINUTE, 5 * MINUTE + 15 * SECOND);
    run_free(&l.run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_situations),
        cmocka_unit_test(test_every_pair),
        cmocka_unit_test(test_fair_walks),
        cmocka_unit_test(test_failing_walks),
        cmocka_unit_test(test_endless_walks),
        cmocka_unit_test(test_walks_met_everything),
        cmocka_unit_test(test_it_passes),
        cmocka_unit_test(test_every_outcome_is_passed_on),
        cmocka_unit_test(test_start_is_lost),
        cmocka_unit_test(test_start_is_not_processed),
        cmocka_unit_test(test_throttled_start_does_not_age_the_run),
        cmocka_unit_test(test_slow_start_ages_the_run),
        cmocka_unit_test(test_start_ends_its_own_trouble),
        cmocka_unit_test(test_retry_after_of_a_start),
        cmocka_unit_test(test_idempotent_start),
        cmocka_unit_test(test_idempotent_start_stays_unknown),
        cmocka_unit_test(test_lost_start_is_forgotten_once_found),
        cmocka_unit_test(test_start_is_refused),
        cmocka_unit_test(test_start_tries),
        cmocka_unit_test(test_deadline_while_starting),
        cmocka_unit_test(test_signal_while_starting),
        cmocka_unit_test(test_signal_after_the_deadline),
        cmocka_unit_test(test_second_signal),
        cmocka_unit_test(test_not_found_at_first),
        cmocka_unit_test(test_second_one_not_found_at_first),
        cmocka_unit_test(test_strange_then_known),
        cmocka_unit_test(test_outage),
        cmocka_unit_test(test_outage_counts_in_a_row),
        cmocka_unit_test(test_outage_of_one_of_several),
        cmocka_unit_test(test_poll_is_refused),
        cmocka_unit_test(test_deadline_while_polling),
        cmocka_unit_test(test_retry_after_of_a_poll),
        cmocka_unit_test(test_told_expectation_steers_polling),
        cmocka_unit_test(test_several_remotes),
        cmocka_unit_test(test_details),
        cmocka_unit_test(test_details_that_a_pass_needs),
        cmocka_unit_test(test_details_fail_for_too_long),
        cmocka_unit_test(test_it_ends_while_being_cancelled),
        cmocka_unit_test(test_unverified_pass_while_being_cancelled),
        cmocka_unit_test(test_cancel_is_refused),
        cmocka_unit_test(test_cancelling_in_vain),
        cmocka_unit_test(test_cancel_comes_too_late),
        cmocka_unit_test(test_cancel_of_several),
        cmocka_unit_test(test_cancel_of_what_is_left),
        cmocka_unit_test(test_it_may_not_be_cancelled),
        cmocka_unit_test(test_no_grace),
        cmocka_unit_test(test_attempts),
        cmocka_unit_test(test_attempts_are_apart),
        cmocka_unit_test(test_attempt_after_a_deadline),
        cmocka_unit_test(test_no_attempt_after_a_doubtful_refusal),
        cmocka_unit_test(test_found_after_a_doubtful_refusal),
        cmocka_unit_test(test_a_doubtful_refusal_is_looked_up),
        cmocka_unit_test(test_no_attempt_beside_a_run),
        cmocka_unit_test(test_watching_starts_nothing),
        cmocka_unit_test(test_once),
        cmocka_unit_test(test_lost_start_is_found),
        cmocka_unit_test(test_found_with_an_expectation),
        cmocka_unit_test(test_not_found_for_a_while),
        cmocka_unit_test(test_found_later),
        cmocka_unit_test(test_find_is_hopeless),
        cmocka_unit_test(test_find_in_trouble),
        cmocka_unit_test(test_given_up_while_finding),
        cmocka_unit_test(test_found_and_not_cancelled),
        cmocka_unit_test(test_stop_between_two_looks),
        cmocka_unit_test(test_lost_after_the_signal),
        cmocka_unit_test(test_lost_with_a_fresh_key),
        cmocka_unit_test(test_lost_without_a_good_key),
        cmocka_unit_test(test_lost_once),
        cmocka_unit_test(test_cancelling_what_was_lost),
        cmocka_unit_test(test_key_grows_old),
        cmocka_unit_test(test_repetition_ends),
        cmocka_unit_test(test_taken_up_attempts_go_on),
        cmocka_unit_test(test_age_of_what_is_taken_up),
        cmocka_unit_test(test_taken_up_and_not_found),
        cmocka_unit_test(test_taken_up_with_refused_ones),
        cmocka_unit_test(test_start_only),
        cmocka_unit_test(test_start_that_hangs_is_looked_up),
        cmocka_unit_test(test_earlier_runs_are_asked_once),
        cmocka_unit_test(test_earlier_runs_are_asked_about_anew),
        cmocka_unit_test(test_earlier_runs_tell_an_expectation),
        cmocka_unit_test(test_earlier_runs_among_several),
        cmocka_unit_test(test_earlier_runs_are_not_asked_about),
        cmocka_unit_test(test_earlier_runs_and_an_outage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
