/* SPDX-License-Identifier: MIT */
/* Owns errors and lists of mistakes. It must not print them. */
#include "base/base.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

int err_set(struct err *e, const char *format, ...)
{
    va_list ap;

    if (e && !e->text[0]) {
        va_start(ap, format);
        vsnprintf(e->text, sizeof(e->text), format, ap);
        va_end(ap);
    }
    return -1;
}

int diag_add(struct diags *d, const char *file, int line, const char *format, ...)
{
    char *text;
    va_list ap;

    va_start(ap, format);
    text = buf_vformat(format, ap);
    va_end(ap);
    d->items = mem_grow(d->items, &d->cap, d->count, sizeof(*d->items));
    d->items[d->count].file = mem_strdup(file);
    d->items[d->count].line = line;
    d->items[d->count].text = text;
    d->count++;
    return -1;
}

void diags_sort(struct diags *d)
{
    /* Insertion: lists are short, nearly sorted, and the order within a line must be kept. */
    for (size_t i = 1; i < d->count; i++) {
        struct diag moved = d->items[i];
        size_t at = i;

        while (at > 0 && strcmp(d->items[at - 1].file, moved.file) == 0 &&
               d->items[at - 1].line > moved.line) {
            d->items[at] = d->items[at - 1];
            at--;
        }
        d->items[at] = moved;
    }
}

void diags_free(struct diags *d)
{
    for (size_t i = 0; i < d->count; i++) {
        free(d->items[i].file);
        mem_forget(d->items[i].text);
    }
    free(d->items);
    memset(d, 0, sizeof(*d));
}
