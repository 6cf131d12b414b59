/* SPDX-License-Identifier: MIT */
/*
 * Random numbers for jitter. They are seeded by the caller, so that a test can repeat a schedule,
 * and are good for nothing that an attacker must not guess.
 */
#ifndef RUNGATE_BASE_RNG_H
#define RUNGATE_BASE_RNG_H

#include "base/base.h"

/* SplitMix64 (Steele, Lea, Flood 2014): any seed is a good one. Advances *state. */
uint64_t rng_next(uint64_t *state);

/* A number from 0 to max, both included; max must not be negative. */
int64_t rng_up_to(uint64_t *state, int64_t max);

#endif
