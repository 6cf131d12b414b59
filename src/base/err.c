/* SPDX-License-Identifier: MIT */
/* Owns errors and lists of mistakes. It must not print them. */
#include "base/base.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/secret.h"

static void cut_starred(struct err *e, const char *format, va_list ap) PRINTF_LIKE(2, 0);

/* Half a secret at the end of a text that was cut would be starred by nobody. */
static void cut_starred(struct err *e, const char *format, va_list ap)
{
    struct buf text;

    buf_init(&text, BUF_CAP_TEXT);
    buf_vaddf(&text, format, ap);
    secret_redact(&text);
    snprintf(e->text, sizeof(e->text), "%s", text.text);
    buf_free(&text);
}

int err_set(struct err *e, const char *format, ...)
{
    va_list ap, again;

    if (e && !e->text[0]) {
        va_start(ap, format);
        va_copy(again, ap);
        if (vsnprintf(e->text, sizeof(e->text), format, ap) >= ERR_TEXT_MAX)
            cut_starred(e, format, again);
        va_end(again);
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

struct placed {
    struct diag diag;
    size_t place; /* where it stood, for the order within a line is kept */
};

static int by_line(const void *a, const void *b)
{
    const struct placed *left = a, *right = b;

    if (left->diag.line != right->diag.line)
        return left->diag.line < right->diag.line ? -1 : 1;
    return left->place < right->place ? -1 : 1;
}

void diags_sort(struct diags *d)
{
    struct placed *placed = mem_alloc(d->count, sizeof(*placed));
    size_t end;

    for (size_t i = 0; i < d->count; i++)
        placed[i] = (struct placed){.diag = d->items[i], .place = i};
    /* Mistakes of other files stay where they are between those of this one. */
    for (size_t start = 0; start < d->count; start = end) {
        end = start + 1;
        while (end < d->count && strcmp(d->items[end].file, d->items[start].file) == 0)
            end++;
        qsort(placed + start, end - start, sizeof(*placed), by_line);
    }
    for (size_t i = 0; i < d->count; i++)
        d->items[i] = placed[i].diag;
    free(placed);
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
