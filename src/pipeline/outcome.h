/* SPDX-License-Identifier: MIT */
/*
 * How a run can end, in the words that pipeline files, provider definitions and reports share.
 */
#ifndef RUNGATE_PIPELINE_OUTCOME_H
#define RUNGATE_PIPELINE_OUTCOME_H

#include "base/base.h"

enum outcome {
    OUTCOME_UNKNOWN,      /* not known; never means passed */
    OUTCOME_RUNNING,      /* not over */
    OUTCOME_PASSED,       /* over, and seen to pass */
    OUTCOME_FAILED,       /* over, and a test failed */
    OUTCOME_ERROR,        /* no verdict: provider trouble, network, authentication, protocol */
    OUTCOME_TIMED_OUT,    /* a deadline passed, ours or the provider's */
    OUTCOME_CANCELLED,    /* cancelled, by us or by somebody else */
    OUTCOME_SKIPPED,      /* the provider skipped it, or what it needs did not pass */
    OUTCOME_EMPTY,        /* said to have passed, with no test in it */
    OUTCOME_START_UNKNOWN /* a start was sent, and whether a run exists is not known */
};

enum { OUTCOME_COUNT = OUTCOME_START_UNKNOWN + 1 };

/* The word for an outcome, as it stands in files and reports: "passed", "timed_out". */
const char *outcome_name(enum outcome o);

/* The outcome of a word; OUTCOME_UNKNOWN if there is none ("unknown" itself is no word). */
enum outcome outcome_parse(const char *word);

/* True for every outcome with which a run is over. */
bool outcome_is_final(enum outcome o);

#endif
