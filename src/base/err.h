/* SPDX-License-Identifier: MIT */
/*
 * How a failure travels. A function that can fail returns 0 or -1 (or a pointer or NULL) and
 * fills a struct err only on failure. The first error wins: what follows from it is noise.
 *
 * Mistakes in a user's files are collected instead, all of them, in a struct diags.
 */
#ifndef RUNGATE_BASE_ERR_H
#define RUNGATE_BASE_ERR_H

#include "base/base.h"

enum { ERR_TEXT_MAX = 1024 };

struct err {
    char text[ERR_TEXT_MAX]; /* "" as long as nothing failed; too long a text is cut at its end,
                                with the secrets that are known by then starred before */
};

/* Fills e unless it holds an error already; returns -1, so that it can stand in a return. */
int err_set(struct err *e, const char *format, ...) PRINTF_LIKE(2, 3);

struct diag {
    char *file;
    int line; /* 0: the mistake is of the file as a whole, or of no line */
    char *text;
};

struct diags {
    struct diag *items;
    size_t count, cap;
};

/* Adds a mistake; returns -1, so that it can stand in a return. */
int diag_add(struct diags *d, const char *file, int line, const char *format, ...)
    PRINTF_LIKE(4, 5);

/* Puts the mistakes in the order of their lines; those of one line keep their order. */
void diags_sort(struct diags *d);

void diags_free(struct diags *d);

#endif
