/* SPDX-License-Identifier: MIT */
/* Owns the verdict and the exit codes. It must not know how an outcome came about. */
#include "base/base.h"

#include "engine/result.h"
#include "engine/verdict.h"

#include <assert.h>

static const struct {
    const char *name;
    int exit_code;
} verdicts[] = {
    [VERDICT_UNKNOWN] = {"unknown", EXIT_INTERNAL},
    [VERDICT_PASSED] = {"passed", 0},
    [VERDICT_CANCELLED] = {"cancelled", 5},
    [VERDICT_TIMED_OUT] = {"timed_out", 4},
    [VERDICT_ERROR] = {"error", 3},
    [VERDICT_START_UNKNOWN] = {"start_unknown", 6},
    [VERDICT_FAILED] = {"failed", 1},
    [VERDICT_INTERRUPTED] = {"interrupted", EXIT_INTERNAL},
    [VERDICT_INTERNAL] = {"internal", EXIT_INTERNAL},
    [VERDICT_USAGE] = {"usage", EXIT_USAGE},
};
static_assert(ARRAY_LEN(verdicts) == VERDICT_COUNT, "every verdict has a name and a code");

static const enum verdict of_outcome[] = {
    [OUTCOME_UNKNOWN] = VERDICT_ERROR,
    [OUTCOME_RUNNING] = VERDICT_ERROR,
    [OUTCOME_PASSED] = VERDICT_PASSED,
    [OUTCOME_FAILED] = VERDICT_FAILED,
    [OUTCOME_ERROR] = VERDICT_ERROR,
    [OUTCOME_TIMED_OUT] = VERDICT_TIMED_OUT,
    [OUTCOME_CANCELLED] = VERDICT_CANCELLED,
    [OUTCOME_SKIPPED] = VERDICT_ERROR,
    [OUTCOME_EMPTY] = VERDICT_ERROR,
    [OUTCOME_START_UNKNOWN] = VERDICT_START_UNKNOWN,
};
static_assert(ARRAY_LEN(of_outcome) == OUTCOME_COUNT, "every outcome has a verdict");

const char *verdict_name(enum verdict v)
{
    return verdicts[v].name;
}

int verdict_exit_code(enum verdict v, int signal_number)
{
    if (v == VERDICT_INTERRUPTED && signal_number > 0)
        return 128 + signal_number;
    return verdicts[v].exit_code;
}

enum verdict verdict_of_outcome(enum outcome o)
{
    return of_outcome[o];
}

enum decision verdict_decide(const struct run_result *runs, size_t count, int64_t require)
{
    int64_t required = 0, passed = 0, lost = 0;

    for (size_t i = 0; i < count; i++) {
        if (!runs[i].required)
            continue;
        required++;
        if (!outcome_is_final(runs[i].outcome))
            continue;
        if (runs[i].counts_as == OUTCOME_PASSED)
            passed++;
        else
            lost++;
    }
    if (require == 0)
        require = required;
    /* No required run at all: nothing was seen to pass. */
    if (required - lost < require || require < 1)
        return DECISION_LOST;
    return passed >= require ? DECISION_PASSED : DECISION_OPEN;
}

enum verdict verdict_fold(const struct run_result *runs, size_t count, int64_t require)
{
    enum verdict worst = VERDICT_UNKNOWN;

    if (verdict_decide(runs, count, require) == DECISION_PASSED)
        return VERDICT_PASSED;
    for (size_t i = 0; i < count; i++) {
        enum verdict v = verdict_of_outcome(runs[i].counts_as);

        if (runs[i].required && !runs[i].not_started && v > worst)
            worst = v;
    }
    return worst > VERDICT_PASSED ? worst : VERDICT_ERROR;
}
