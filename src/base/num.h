/* SPDX-License-Identifier: MIT */
/*
 * Strict readers for numbers, booleans and durations: the whole text must be one, in range, or
 * the answer is -1 and the output is untouched.
 */
#ifndef RUNGATE_BASE_NUM_H
#define RUNGATE_BASE_NUM_H

#include "base/base.h"
#include "base/buf.h"

/* An optional minus and decimal digits, between min and max. */
int num_integer(const char *text, int64_t min, int64_t max, int64_t *ret) USE_RESULT;

/* yes/no, true/false, on/off, 1/0; lower case. */
int num_boolean(const char *text, bool *ret) USE_RESULT;

/*
 * 250ms, 30s, 45m, 1h30m, 2d; a bare number is seconds; units fall from left to right, each once.
 * At most DURATION_MAX. Milliseconds come back.
 */
int num_duration(const char *text, int64_t *ret_ms) USE_RESULT;

/* Bytes: a number with an optional K, M or G (powers of 1024). At least 1. */
int num_bytes(const char *text, int64_t *ret) USE_RESULT;

/* 100 days: far beyond any gate, far from overflow in sums. */
#define DURATION_MAX ((int64_t)100 * 24 * 3600 * 1000)

/* Appends a duration as people read it: 250ms, 4.2s, 1m05s, 2h03m. Negative counts as 0. */
void num_add_duration(struct buf *b, int64_t ms);

#endif
