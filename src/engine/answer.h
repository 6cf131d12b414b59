/* SPDX-License-Identifier: MIT */
/* Replies, read: what they say goes into the result of the run, what they mean into an event. */
#ifndef RUNGATE_ENGINE_ANSWER_H
#define RUNGATE_ENGINE_ANSWER_H

#include "engine/member.h"

/*
 * The event that the reply to the request under way is. Ids, states, tests, addresses and trouble
 * that it tells are in the result and in m->problem then, and the user knows of a state that is
 * unknown. The life of the run is as it was, but for what it knows of its remote runs.
 */
struct event answer_read(struct gate *g, struct member *m,
                         const struct http_reply *reply) USE_RESULT;

#endif
