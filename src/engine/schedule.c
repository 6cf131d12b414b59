/* SPDX-License-Identifier: MIT */
/* Owns the poll schedule. It must not read a clock. */
#include "base/base.h"

#include "base/rng.h"
#include "engine/schedule.h"

enum {
    CLOSE_MS = 5000,          /* the longest delay while an end is expected */
    CLOSE_SHARE = 12,         /* and its share of the expected duration */
    SPARSE_EVERY_MS = 60000,  /* before that, a poll for each such stretch of it ... */
    SPARSE_MAX = 8            /* ... but at most so many */
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

static int64_t sparse_delay(const struct schedule *s, int64_t elapsed_ms, int64_t close_from,
                            int64_t close_delay)
{
    int64_t polls = clamp(s->expected_ms / SPARSE_EVERY_MS, 1, SPARSE_MAX);
    int64_t delay = close_from / (polls + 1);

    if (delay < s->poll_min_ms)
        delay = s->poll_min_ms;
    /* The first close poll comes inside the window, not at its edge, where no end is due. */
    if (elapsed_ms + delay + delay / 4 >= close_from)
        delay = close_from - elapsed_ms + close_delay;
    return delay;
}

int64_t schedule_delay(const struct schedule *s, int64_t elapsed_ms, uint64_t *rng)
{
    int64_t delay = clamp(elapsed_ms / 10, s->poll_min_ms, s->poll_max_ms);

    if (s->expected_ms > 0) {
        int64_t margin = s->expected_ms / 5;
        int64_t close_most = s->poll_max_ms < CLOSE_MS ? s->poll_max_ms : CLOSE_MS;
        int64_t close_delay = clamp(s->expected_ms / CLOSE_SHARE, s->poll_min_ms, close_most);

        if (elapsed_ms < s->expected_ms - margin)
            delay = sparse_delay(s, elapsed_ms, s->expected_ms - margin, close_delay);
        else if (elapsed_ms <= s->expected_ms + margin)
            delay = close_delay;
    }
    return jitter(delay, s->poll_min_ms, rng);
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
