/* SPDX-License-Identifier: MIT */
/*
 * The life of a run as a pure function: (run, event, now) to (run, action). It reads no clock,
 * sends nothing and keeps no texts; the event loop (engine/gate.h) does what the actions say.
 *
 *   WAITING ──► STARTING ──► POLLING ──► COLLECTING ──► DONE
 *                  │   ▲        │ ▲
 *                  ▼   └────────┼─┼──── (another attempt)
 *               FINDING ────────┼─┘
 *                  │            │
 *                  └────────────┴──────► CANCELLING ──► DONE
 */
#ifndef RUNGATE_ENGINE_RUN_H
#define RUNGATE_ENGINE_RUN_H

#include "base/base.h"
#include "engine/schedule.h"
#include "pipeline/outcome.h"
#include "provider/provider.h"

enum run_state {
    RUN_UNKNOWN,
    RUN_WAITING,    /* for what it needs, or for its turn */
    RUN_STARTING,   /* the start is under way, or waits to be sent again */
    RUN_FINDING,    /* its reply was lost; the provider is asked which runs there are */
    RUN_POLLING,    /* between or during status requests */
    RUN_COLLECTING, /* the end was seen; details are read */
    RUN_CANCELLING, /* given up; the remote runs are being cancelled */
    RUN_DONE
};

enum { RUN_STATE_COUNT = RUN_DONE + 1 };

/* What a reply, or its absence, means for the kind of request it answers. */
enum reply_class {
    REPLY_UNKNOWN,
    REPLY_GOOD,          /* start: runs exist; status: the state is known; others: done */
    REPLY_ENDED,         /* start: over before it began, with the event's outcome */
    REPLY_STRANGE,       /* status: readable, but no rule knows the state; find: several runs
                            can be ours */
    REPLY_RETRY,         /* may succeed later */
    REPLY_NOT_PROCESSED, /* start: surely without effect; may be sent again */
    REPLY_LOST,          /* start: may have had its effect */
    REPLY_NOT_FOUND,     /* status, find: no such run, or not yet */
    REPLY_REFUSED        /* will not succeed */
};

enum { REPLY_CLASS_COUNT = REPLY_REFUSED + 1 };

/* Why the loop wants a run to stop. */
enum stop {
    STOP_NONE,
    STOP_SIGNAL,
    STOP_GATE_DEADLINE,
    STOP_FAIL_FAST, /* another run failed */
    STOP_DECIDED,   /* the gate cannot change any more */
    STOP_ASKED,     /* cancelling is all that was asked for */
    STOP_INTERNAL,  /* memory ran short */
    STOP_NOW        /* a second signal: no waiting for anything */
};

enum { STOP_COUNT = STOP_NOW + 1 };

/* Why a run is done, for the words of its reason. */
enum ending {
    ENDING_NONE,
    ENDING_SEEN,          /* the provider said so */
    ENDING_NOT_STARTED,   /* stopped before a start was sent, or while it surely had no effect */
    ENDING_START_REFUSED,
    ENDING_START_FAILED,  /* it could not be sent for too long */
    ENDING_START_LOST,
    ENDING_POLL_REFUSED,
    ENDING_OUTAGE,        /* no usable answer for too long */
    ENDING_STRANGE,       /* an unknown state for too long */
    ENDING_DEADLINE,      /* the run's own */
    ENDING_STOPPED,       /* by the loop; run.stop tells why */
    ENDING_UNVERIFIED     /* it passed, but its tests could not be read */
};

enum event_kind {
    EVENT_UNKNOWN,
    EVENT_GO,    /* start it */
    EVENT_WATCH, /* it exists already: poll it */
    EVENT_LOST,  /* it was started once, and the gate that did has not noted any reply */
    EVENT_TIMER, /* run.due has come */
    EVENT_REPLY,
    EVENT_STOP
};

enum { EVENT_KIND_COUNT = EVENT_STOP + 1 };

struct event {
    enum event_kind kind;
    enum reply_class reply;  /* of EVENT_REPLY */
    enum outcome outcome;    /* of a good status or details reply, or of one that ended */
    int64_t retry_after_ms;  /* -1: not told */
    int64_t expected_ms;     /* the whole duration that the provider expects; -1: not told */
    size_t remotes;          /* of a good start or find, and of EVENT_WATCH: how many runs exist */
    bool doubtful;           /* of a refused start: it may have had its effect all the same */
    size_t refused;          /* of a good start, and of EVENT_WATCH: how many more were refused */
    int64_t attempt;         /* of EVENT_LOST, and of EVENT_WATCH if an earlier gate of this
                                pipeline started it: which one; else 0 */
    int64_t age_ms;          /* of both: how long ago the start was sent */
    enum stop stop;          /* of EVENT_STOP */
};

enum action_kind {
    ACTION_NONE,
    ACTION_SEND,  /* a request; an older one of this run is dropped */
    ACTION_AGAIN, /* a new attempt begins: forget the old one; a start is sent at run.due */
    ACTION_DONE   /* drop what is under way */
};

struct action {
    enum action_kind kind;
    enum request_kind request; /* of ACTION_SEND */
    size_t remote;             /* which of the remote runs it is about */
};

struct run_limits {
    struct schedule schedule;
    int64_t timeout_ms; /* 0: none */
    int64_t outage_ms;
    int64_t cancel_grace_ms;
    int64_t attempts;
    unsigned retry_on; /* bits 1 << outcome */
    bool can_cancel;   /* the provider can, and we may */
    int64_t start_tries; /* 0: no limit but outage_ms */
    bool has_details;
    bool needs_details;  /* without them, a pass is not believed: it may be empty */
    bool can_find;       /* a run whose start was lost can be looked up */
    bool has_earlier;    /* the same look-up tells how long earlier runs took */
    int64_t key_life_ms; /* a start may be repeated under its key for so long; 0: it may not */
    bool start_only;     /* that the runs exist is all that was asked for */
    bool once;           /* each request is sent once, whatever comes of it; nothing is cancelled */
};

enum cancel_state {
    CANCEL_OPEN,     /* not asked for, or not answered */
    CANCEL_ACCEPTED, /* or it was over already */
    CANCEL_REFUSED
};

/* One remote run, as far as its life goes. */
struct remote {
    enum outcome outcome; /* running until its end was seen */
    enum cancel_state cancel;
};

struct run {
    enum run_state state;
    struct run_limits limits;
    uint64_t rng;
    int64_t attempt; /* from 1; 0 before the first */

    bool in_flight;            /* a request is under way ... */
    enum request_kind request; /* ... of this kind */
    size_t cursor;             /* and about this remote run */

    int64_t began;      /* when the start that had effect was sent, or watching began */
    int64_t looking;    /* since when it is looked up */
    int64_t created;    /* when the remote runs came to be known */
    int64_t deadline;   /* of the attempt; INT64_MAX: none */
    int64_t next;       /* when the next request is due; INT64_MAX: none is */
    int64_t due;        /* when EVENT_TIMER shall come; INT64_MAX: never */
    int64_t trouble;    /* when requests began to fail in a row; -1: they do not */
    int failures;       /* how many in a row */
    bool strange;       /* the last answer was an unknown state */
    bool seen;          /* status requests have found all of the runs */
    bool lost;          /* of a start: the reply to an earlier one did not come */
    bool asked_earlier; /* how long earlier runs took */

    bool doubtful;             /* the start was refused, and may have had its effect */
    enum stop stop;            /* why it was stopped; STOP_NONE if it was not */
    int64_t grace_until;       /* when waiting for the end of a run given up is over */
    enum outcome gave_up_as;   /* its outcome if no end is seen */
    enum ending ending;
    bool details_missing;      /* the details could not be read */

    struct remote *remotes;
    size_t remote_count;
    size_t refused;
    enum outcome outcome; /* once done */
};

void run_init(struct run *r, const struct run_limits *limits, uint64_t seed);
void run_free(struct run *r);

/*
 * The one step. The caller must not send an event to a run that is done, nor EVENT_REPLY to one
 * that has no request under way. Afterwards r->due says when a timer event is due.
 */
struct action run_step(struct run *r, const struct event *event, int64_t now);

/*
 * Sets the outcome of one remote run, before the event of the reply that told it: the loop knows
 * which run a reply is about, and what its tests make of it.
 */
void run_set_remote(struct run *r, size_t remote, enum outcome outcome);

/* The fold of several outcomes of one run: the worst; passed only if all of them passed. */
enum outcome run_fold(const struct remote *remotes, size_t count, size_t refused);

/* True if the end of every remote run was seen. */
bool run_is_over(const struct run *r);

/* True if no remote run goes on, for all that is known: each is over, or was cancelled. */
bool run_is_settled(const struct run *r);

const char *run_state_name(enum run_state s);

/* What an HTTP exchange means. Facts of the reply, without its texts. */
struct exchange {
    enum request_kind request;
    bool answered; /* a whole reply came */
    bool sent;     /* the server may have seen the request */
    bool hopeless; /* not sent, and trying again cannot help */
    int status;
    bool gone;     /* of a cancel: the status says that the run was over already */
    bool readable; /* the body is what it should be: JSON, with an id, where one is needed */
};

/*
 * The class of a reply. A readable success is REPLY_GOOD; the caller refines it (REPLY_ENDED,
 * REPLY_STRANGE). The table of statuses follows RFC 9110 and CONTRACT, section 6.
 */
enum reply_class run_classify(const struct exchange *x);

#endif
