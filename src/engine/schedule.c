/* SPDX-License-Identifier: MIT */
/* Owns the poll schedule. It must not read a clock. */
#include "base/base.h"

#include "base/rng.h"
#include "engine/schedule.h"

enum {
    SHARE = 10, /* of what the run has taken, between polls */
    CLOSE_MS = 5000, /* the longest delay while an end is expected */
    CLOSE_SHARE = 6, /* and its share of the expected duration */
    SPARSE_TIMES = 4 /* before that, polls are so many times poll_max apart */
};

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

/* Takes up to a fifth off, so that runs that began together do not poll together for ever. */
static int64_t jitter(int64_t delay, int64_t poll_min_ms, uint64_t *rng)
{
    int64_t less = delay - rng_up_to(rng, delay / 5);

    return less > poll_min_ms ? less : delay < poll_min_ms ? delay : poll_min_ms;
}

/*
 * No end is due for left_ms to come. The last of these few delays leads to the first close poll,
 * well behind the moment from which on an end is due: one just at it would be wasted.
 */
static int64_t sparse_delay(const struct schedule *s, int64_t left_ms, int64_t close_delay,
                            uint64_t *rng)
{
    int64_t delay = SPARSE_TIMES * s->poll_max_ms;

    if (delay < left_ms)
        return jitter(delay, s->poll_min_ms, rng);
    delay = left_ms + close_delay - rng_up_to(rng, close_delay / 2);
    return delay > s->poll_min_ms ? delay : s->poll_min_ms;
}

int64_t schedule_delay(const struct schedule *s, int64_t elapsed_ms, uint64_t *rng)
{
    int64_t delay = clamp(elapsed_ms / SHARE, s->poll_min_ms, s->poll_max_ms);

    if (s->expected_ms > 0) {
        int64_t margin = s->expected_ms / 5;
        int64_t left = s->expected_ms - margin - elapsed_ms;
        int64_t close_delay = s->expected_ms / CLOSE_SHARE;

        close_delay =
            clamp(close_delay < CLOSE_MS ? close_delay : CLOSE_MS, s->poll_min_ms, s->poll_max_ms);
        if (left > 0)
            return sparse_delay(s, left, close_delay, rng);
        if (elapsed_ms - s->expected_ms <= margin)
            delay = close_delay;
    }
    return jitter(delay, s->poll_min_ms, rng);
}

bool schedule_is_slow(const struct schedule *s, int64_t elapsed_ms)
{
    return elapsed_ms / SHARE >= s->poll_max_ms;
}

int64_t schedule_backoff(const struct schedule *s, int count, int64_t retry_after_ms, uint64_t *rng)
{
    int64_t delay = s->poll_min_ms;

    while (count-- > 1 && delay < s->poll_max_ms)
        delay *= 2;
    delay = clamp(delay, s->poll_min_ms, s->poll_max_ms);
    delay -= rng_up_to(rng, delay / 2);
    return delay > retry_after_ms ? delay : retry_after_ms;
}
