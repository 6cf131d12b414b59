/* SPDX-License-Identifier: MIT */
/* Owns the words for outcomes. What they mean for the gate is decided in engine/verdict.c. */
#include "base/base.h"

#include "pipeline/outcome.h"

#include <assert.h>

static const char *const names[] = {
    [OUTCOME_UNKNOWN] = "unknown",
    [OUTCOME_RUNNING] = "running",
    [OUTCOME_PASSED] = "passed",
    [OUTCOME_FAILED] = "failed",
    [OUTCOME_ERROR] = "error",
    [OUTCOME_TIMED_OUT] = "timed_out",
    [OUTCOME_CANCELLED] = "cancelled",
    [OUTCOME_SKIPPED] = "skipped",
    [OUTCOME_EMPTY] = "empty",
    [OUTCOME_START_UNKNOWN] = "start_unknown",
};
static_assert(ARRAY_LEN(names) == OUTCOME_COUNT, "every outcome has a word");

const char *outcome_name(enum outcome o)
{
    return names[o];
}

enum outcome outcome_parse(const char *word)
{
    for (int o = OUTCOME_RUNNING; o < OUTCOME_COUNT; o++) {
        if (strcmp(word, names[o]) == 0)
            return (enum outcome)o;
    }
    return OUTCOME_UNKNOWN;
}

bool outcome_is_final(enum outcome o)
{
    return o != OUTCOME_UNKNOWN && o != OUTCOME_RUNNING;
}
