/* SPDX-License-Identifier: MIT */
/*
 * The gate at work and its members, for the files that make up the loop: gate.c, which waits and
 * sends, answer.c, which reads replies, and ending.c, which says what a run ended with. Nothing
 * else includes this.
 */
#ifndef RUNGATE_ENGINE_MEMBER_H
#define RUNGATE_ENGINE_MEMBER_H

#include "base/heap.h"
#include "engine/gate.h"
#include "engine/run.h"
#include "provider/request.h"

enum { KEY_DIGITS = 32 };

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
    char *problem;     /* the last trouble, in words */
    char *cause;       /* the trouble for which it was given up, or is looked up */
    bool strange_told; /* the unknown state was told to the user */
    int64_t began;     /* the first attempt; monotonic */
    char *mark;        /* of its start, for the journal; NULL without one */
    char key[KEY_DIGITS + 1];
    int64_t sent_first, sent_last; /* when the start left that may have had effect; monotonic */
    int64_t looked_from;           /* when it began to be looked up; monotonic */
};

/* The gate itself. */
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
    bool short_told;       /* that memory ran short */
};

const char *gate_signal_name(int number);

/* What the observer is told, if it wants to know. */
void gate_tell(struct gate *g, enum message_level level, const char *format, ...) PRINTF_LIKE(3, 4);
void gate_tell_changed(struct gate *g, const struct member *m);
/* One of several remote runs is over; nothing is told where there is only one. */
void gate_tell_child(struct gate *g, const struct member *m, size_t remote);
/* Notes the state in the result, and tells it if it is new. */
void gate_note_state(struct gate *g, struct member *m, const char *state);

/* Text from outside may be in it: it is cleaned and starred on its way in. */
void member_set_problem(struct member *m, const char *format, ...) PRINTF_LIKE(2, 3);

/* It exists, or may: somebody else, or an earlier gate, has started it. */
bool member_is_taken_up(const struct member *m);

/* What templates can name; without an id if there is no such remote run. All is borrowed. */
struct scope member_scope(const struct member *m, size_t remote);

/*
 * What the run is called, once its remote runs are known: their ids joined by commas, the address
 * of the first. Those that have no address get the one that the definition makes of their id.
 */
void member_name_remotes(struct member *m);

void member_free_captures(struct member *m);

#endif
