/* SPDX-License-Identifier: MIT */
/*
 * From outcomes to the verdict of the gate and its exit code: the only place that knows the
 * numbers (CONTRACT, section 3).
 */
#ifndef RUNGATE_ENGINE_VERDICT_H
#define RUNGATE_ENGINE_VERDICT_H

#include "base/base.h"
#include "pipeline/outcome.h"

enum verdict {
    VERDICT_UNKNOWN, /* not decided; as an exit code it is 70, never 0 */
    VERDICT_PASSED,
    VERDICT_CANCELLED,
    VERDICT_TIMED_OUT,
    VERDICT_ERROR,
    VERDICT_START_UNKNOWN,
    VERDICT_FAILED,
    VERDICT_INTERRUPTED,
    VERDICT_INTERNAL, /* up to here in rising precedence: the greatest of all is the gate's */
    VERDICT_USAGE     /* nothing was started: arguments or pipeline file are wrong */
};

enum { VERDICT_COUNT = VERDICT_USAGE + 1 };

enum { EXIT_USAGE = 2, EXIT_INTERNAL = 70 };

const char *verdict_name(enum verdict v); /* "passed", "timed_out", "interrupted" */

/* The exit code; signal_number counts for VERDICT_INTERRUPTED only (128 + it). */
int verdict_exit_code(enum verdict v, int signal_number);

/* What one required run that ended like this makes of the gate, if it decides. */
enum verdict verdict_of_outcome(enum outcome o);

struct run_result;

/* How far a gate is decided. */
enum decision {
    DECISION_OPEN,   /* it depends on runs that are not over */
    DECISION_PASSED, /* enough required runs have passed */
    DECISION_LOST    /* not enough required runs are left to pass */
};

/*
 * require: how many required runs must pass; 0 means all of them. Runs whose outcome is not final
 * are counted as still able to pass.
 */
enum decision verdict_decide(const struct run_result *runs, size_t count, int64_t require);

/*
 * The verdict once all runs are over. Passed only if verdict_decide says so and there is at least
 * one run that is required; else the worst of the required runs that were started, and error
 * if none was.
 */
enum verdict verdict_fold(const struct run_result *runs, size_t count, int64_t require);

#endif
