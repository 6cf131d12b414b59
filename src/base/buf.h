/* SPDX-License-Identifier: MIT */
/*
 * Growing text with a cap. Every buffer is told at its birth how large it may become; going over
 * sets a sticky flag and keeps what was there, so that a chain of additions is checked once, at
 * its end. The text is always followed by a NUL, and is never NULL.
 *
 * Memory that a buffer gives back is overwritten: whatever text it held may have held a secret.
 */
#ifndef RUNGATE_BASE_BUF_H
#define RUNGATE_BASE_BUF_H

#include "base/base.h"

struct buf {
    char *text;   /* never NULL; text[len] is NUL */
    size_t len;   /* bytes in use, without the NUL */
    size_t room;  /* bytes allocated; 0 while text is the shared empty string */
    size_t cap;   /* len never gets beyond this */
    bool over;    /* an addition did not fit; it was left out whole */
    bool may_fail; /* additions that memory is lacking for do not fit either; else it is an end of
                      the program. False at first. */
};

/* For texts whose size is bounded by their source: messages, paths, reports. */
enum { BUF_CAP_TEXT = 64 << 20 };

void buf_init(struct buf *b, size_t cap);

/* Frees the text; the buffer is empty and usable afterwards, with the same cap. */
void buf_free(struct buf *b);

/* Empties the buffer and its flag, keeps the memory. */
void buf_clear(struct buf *b);

/* Shortens the text to len bytes; len beyond the end changes nothing. */
void buf_truncate(struct buf *b, size_t len);

void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_adds(struct buf *b, const char *text);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *format, ...) PRINTF_LIKE(2, 3);
void buf_vaddf(struct buf *b, const char *format, va_list ap) PRINTF_LIKE(2, 0);

/* The text of a format, as a string of its own; free it with free(). */
char *buf_vformat(const char *format, va_list ap) USE_RESULT PRINTF_LIKE(1, 0);

/* Hands the text to the caller, who frees it; the buffer is empty afterwards. Never NULL. */
char *buf_detach(struct buf *b) USE_RESULT;

#endif
