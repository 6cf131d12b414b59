/* SPDX-License-Identifier: MIT */
/*
 * The world as a fuzz target sees it: the linker puts these in the place of the functions that
 * reach outside (see FUZZ_WRAPPED in the Makefile). Files are those that the target names, replies
 * come from its input, time passes when the program waits. Nothing real is read or asked.
 */
#ifndef RUNGATE_FUZZ_WORLD_H
#define RUNGATE_FUZZ_WORLD_H

#include "base/base.h"
#include "provider/provider.h"

/* Ends the program, so that the fuzzer keeps the input, unless what is promised holds. */
#define MUST(promise) ((promise) ? (void)0 : world_broken(__FILE__, __LINE__, #promise))
void world_broken(const char *file, int line, const char *promise) NO_RETURN;

/* What every variable whose name ends in TOKEN or KEY holds; no output may. */
#define WORLD_TOKEN "t0ken/of+the=gate"

/* An environment: tokens, one plain variable SET, and nothing else. */
const char *world_env(const char *name);

/* From now on there is a file of that name, one of two at most; the texts are borrowed. */
void world_file(const char *name, const char *text, size_t len);

/*
 * From now on requests are answered from script (borrowed): a reply a request, between lines
 * "---", the last one for all that follow. A reply is a line "STATUS", "STATUS RETRY_AFTER",
 * "lost" or "refused", and a body.
 */
void world_replies(const struct provider *p, const char *script, size_t len);

/* What was asked and told since world_replies. */
struct world_seen {
    size_t starts;   /* sent; with one idempotency key, once */
    size_t harmless; /* replies to a start that surely made no run */
    size_t passes;   /* replies to a status request that a rule calls passed */
    size_t requests;
};
const struct world_seen *world_seen(void);

/* The body of the reply that stands first in script; *len is what is left of it. */
const char *world_first_body(const char *script, size_t *len);

#endif
