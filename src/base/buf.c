/* SPDX-License-Identifier: MIT */
/* Owns growing text. It must not know what the text means. */
#include "base/base.h"

#include "base/buf.h"
#include "base/mem.h"

static char empty[1];

void buf_init(struct buf *b, size_t cap)
{
    b->text = empty;
    b->len = 0;
    b->room = 0;
    b->cap = cap;
    b->over = false;
    b->may_fail = false;
}

void buf_free(struct buf *b)
{
    if (b->room)
        free(b->text);
    buf_init(b, b->cap);
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    b->over = false;
    if (b->room)
        b->text[0] = '\0';
}

void buf_truncate(struct buf *b, size_t len)
{
    if (len < b->len) {
        b->len = len;
        b->text[len] = '\0';
    }
}

/* Room for len bytes more and a NUL; false if there is none. */
static bool make_room(struct buf *b, size_t len)
{
    if (len > b->cap || b->len > b->cap - len) {
        b->over = true;
        return false;
    }
    while (b->room < b->len + len + 1) {
        char *text = mem_try_grow(b->room ? b->text : NULL, &b->room, b->room, 1);

        if (!text && !b->may_fail)
            mem_exhausted();
        if (!text) {
            b->over = true;
            return false;
        }
        b->text = text;
        if (!b->len)
            b->text[0] = '\0';
    }
    return true;
}

void buf_add(struct buf *b, const void *bytes, size_t len)
{
    if (!len || !make_room(b, len))
        return;
    memcpy(b->text + b->len, bytes, len);
    b->len += len;
    b->text[b->len] = '\0';
}

void buf_adds(struct buf *b, const char *text)
{
    buf_add(b, text, strlen(text));
}

void buf_addc(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void buf_vaddf(struct buf *b, const char *format, va_list ap)
{
    va_list again;
    int len;

    va_copy(again, ap);
    len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (len <= 0 || !make_room(b, (size_t)len))
        return;
    vsnprintf(b->text + b->len, (size_t)len + 1, format, ap);
    b->len += (size_t)len;
}

void buf_addf(struct buf *b, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    buf_vaddf(b, format, ap);
    va_end(ap);
}

char *buf_detach(struct buf *b)
{
    char *text = b->room ? b->text : mem_strdup("");

    buf_init(b, b->cap);
    return text;
}

char *buf_vformat(const char *format, va_list ap)
{
    struct buf b;

    buf_init(&b, BUF_CAP_TEXT);
    buf_vaddf(&b, format, ap);
    return buf_detach(&b);
}
