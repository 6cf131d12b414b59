/* SPDX-License-Identifier: MIT */
/*
 * A min-heap of due times. An entry is an index of the caller's (a run's number); each index is
 * in the heap at most once, and can be moved or taken out in logarithmic time.
 */
#ifndef RUNGATE_BASE_HEAP_H
#define RUNGATE_BASE_HEAP_H

#include "base/base.h"

struct heap {
    struct heap_entry *entries;
    size_t *place; /* index -> its position + 1, or 0 when it is not in the heap */
    size_t count;
    size_t size; /* indexes go from 0 to size - 1 */
};

void heap_init(struct heap *h, size_t size);
void heap_free(struct heap *h);

/* Puts index in with the given time, or moves it there. */
void heap_set(struct heap *h, size_t index, int64_t time);

/* Takes index out; it need not be in. */
void heap_remove(struct heap *h, size_t index);

/* The earliest entry; false if the heap is empty. Entries of one time come in any order. */
bool heap_first(const struct heap *h, size_t *ret_index, int64_t *ret_time);

#endif
