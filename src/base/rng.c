/* SPDX-License-Identifier: MIT */
/* Owns the random numbers for jitter. It must not seed itself. */
#include "base/base.h"

#include "base/rng.h"

uint64_t rng_next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

int64_t rng_up_to(uint64_t *state, int64_t max)
{
    return (int64_t)(rng_next(state) % ((uint64_t)max + 1));
}
