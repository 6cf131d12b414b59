/* SPDX-License-Identifier: MIT */
/*
 * Memory that is there or ends the program. A gate that cannot get a few bytes has no verdict,
 * so running out ends in exit code 70 with a message, never in a pass. Bodies of replies are the
 * exception: they grow in buffers with a cap (base/buf.h).
 */
#ifndef RUNGATE_BASE_MEM_H
#define RUNGATE_BASE_MEM_H

#include "base/base.h"

/* Zeroed memory for count elements of size bytes each; never NULL. Free with free(). */
void *mem_alloc(size_t count, size_t size) USE_RESULT;

/* A copy of text, or NULL for NULL. Free with free(). */
char *mem_strdup(const char *text) USE_RESULT;

/* A copy of the first len bytes of text, with a NUL behind them. Free with free(). */
char *mem_strndup(const char *text, size_t len) USE_RESULT;

/*
 * Makes room for one element more in an array of *cap elements of size bytes, of which count are
 * in use; returns the array, which may have moved. New elements are zeroed.
 */
void *mem_grow(void *array, size_t *cap, size_t count, size_t size) USE_RESULT;

/* Puts a copy of text in *slot and frees what was there. */
void mem_replace(char **slot, const char *text);

#endif
