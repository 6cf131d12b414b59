/* SPDX-License-Identifier: MIT */
/*
 * When to ask again. Pure functions of elapsed time: no clock, no waiting.
 */
#ifndef RUNGATE_ENGINE_SCHEDULE_H
#define RUNGATE_ENGINE_SCHEDULE_H

#include "base/base.h"

struct schedule {
    int64_t poll_min_ms, poll_max_ms; /* at least 1; min is not greater than max */
    int64_t expected_ms;              /* the usual duration of the run; -1: not known */
};

/*
 * The delay before the next poll of a run that has taken elapsed_ms so far.
 *
 * End not known: a tenth of what the run has taken, between poll_min and poll_max, so that the
 * end is seen late by at most a tenth of the run's length. End expected: few polls until a fifth
 * before it, then close ones until a fifth behind it, then as if it were not known. Jitter only
 * shortens, and never below poll_min.
 */
int64_t schedule_delay(const struct schedule *s, int64_t elapsed_ms, uint64_t *rng);

/* True once the run has taken so long that polls whose end is not known are poll_max apart. */
bool schedule_is_slow(const struct schedule *s, int64_t elapsed_ms);

/*
 * The delay after a request that failed, the count-th in a row (from 1): doubling from poll_min
 * to poll_max, with half of it jitter. retry_after_ms, unless -1, is the least.
 */
int64_t schedule_backoff(const struct schedule *s, int count, int64_t retry_after_ms,
                         uint64_t *rng);

#endif
