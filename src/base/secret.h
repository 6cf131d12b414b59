/* SPDX-License-Identifier: MIT */
/*
 * The secrets of this process, so that no output can hold one. The registry is process-wide on
 * purpose: a secret that one writer was not told of is a leak, so there is one list and every
 * writer asks it.
 */
#ifndef RUNGATE_BASE_SECRET_H
#define RUNGATE_BASE_SECRET_H

#include "base/base.h"
#include "base/buf.h"

/* Shorter values are not hidden: starring "1" everywhere would destroy every report. */
enum { SECRET_MIN = 4 };

/*
 * Remembers value, to be known again however it is written: as it is, percent-encoded or escaped
 * for JSON, wholly or in part, and in Base64. Values shorter than SECRET_MIN and repeats are
 * ignored.
 */
void secret_add(const char *value);

/*
 * Replaces each secret in the text by "***", in place; the longest match at a place wins, and
 * secrets that overlap become one.
 */
void secret_redact(struct buf *text);

/*
 * The same for a text that was cut, or may have been: what stands at its end and is the beginning
 * of a secret (of SECRET_MIN bytes at least) is starred too.
 */
void secret_redact_cut(struct buf *text);

/* True if the text holds a secret of at least min_len bytes. */
bool secret_occurs(const char *text, size_t min_len);

/* Overwrites and forgets all secrets. */
void secret_clear(void);

#endif
