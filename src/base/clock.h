/* SPDX-License-Identifier: MIT */
/*
 * The two clocks. Waiting and deadlines go by the monotonic one, which no administrator and no
 * time server can turn back; reports show the other. Only the event loop and main read them;
 * everything else is handed the time.
 */
#ifndef RUNGATE_BASE_CLOCK_H
#define RUNGATE_BASE_CLOCK_H

#include "base/base.h"
#include "base/buf.h"

/* Milliseconds since some fixed moment; never goes back. */
int64_t clock_monotonic_ms(void);

/* Milliseconds since 1970-01-01 00:00 UTC. */
int64_t clock_wall_ms(void);

/* 2026-11-23T07:04:05Z; with fraction, 2026-11-23T07:04:05.123Z. */
void clock_add_iso(struct buf *b, int64_t wall_ms, bool fraction);

/* 07:04:05 of local time, for a log that a person follows. */
void clock_add_local(struct buf *b, int64_t wall_ms);

/*
 * RFC 3339 with what APIs make of it: a space for the T, up to nine digits of fraction, no zone
 * (taken as UTC). -1 if it is not a time.
 */
int clock_parse_iso(const char *text, int64_t *ret_wall_ms) USE_RESULT;

#endif
