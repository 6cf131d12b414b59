/* SPDX-License-Identifier: MIT */
/* Owns growing text. It must not know what the text means. */
#include "base/base.h"

#include "base/buf.h"
#include "base/mem.h"

enum { ROOM_MIN = 8 };

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

static void give_back(struct buf *b)
{
    if (!b->room)
        return;
    mem_wipe(b->text, b->room);
    free(b->text);
}

void buf_free(struct buf *b)
{
    give_back(b);
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
    size_t room = b->room;
    char *text;

    if (len > b->cap || b->len > b->cap - len) {
        b->over = true;
        return false;
    }
    while (room < b->len + len + 1)
        room = room ? room * 2 : ROOM_MIN;
    if (room == b->room)
        return true;
    text = mem_try(NULL, room);
    if (!text && !b->may_fail)
        mem_exhausted();
    if (!text) {
        b->over = true;
        return false;
    }
    memcpy(text, b->text, b->len + 1);
    give_back(b);
    b->text = text;
    b->room = room;
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
