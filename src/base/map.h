/* SPDX-License-Identifier: MIT */
/*
 * A table from texts to numbers: what was seen, and where. Looking up takes the same time however
 * much there is in it, so that a large file cannot make its reader slow.
 */
#ifndef RUNGATE_BASE_MAP_H
#define RUNGATE_BASE_MAP_H

#include "base/base.h"

struct map {
    struct map_slot {
        char *key; /* NULL in a free slot */
        size_t value;
    } *slots;
    size_t size, used; /* size is 0 or a power of two, and at least twice used */
};

/* The value of key, which is added with 0 if it is not there. Good until the next call. */
size_t *map_at(struct map *m, const char *key);

/* The value of key; 0 if it is not there. */
size_t map_get(const struct map *m, const char *key);

/* Frees the keys; the map, which begins zeroed, is empty afterwards. */
void map_free(struct map *m);

#endif
