/* SPDX-License-Identifier: MIT */
/* Owns the finding of texts by their hash. It must not know what the numbers mean. */
#include "base/base.h"

#include "base/map.h"
#include "base/mem.h"

/* FNV-1a. */
static size_t hash_of(const char *key)
{
    uint64_t hash = 0xCBF29CE484222325u;

    for (; *key; key++)
        hash = (hash ^ (unsigned char)*key) * 0x100000001B3u;
    return (size_t)hash;
}

/* The slot of key, or the free one where it would be; there is always a free one. */
static struct map_slot *find(const struct map *m, const char *key)
{
    size_t at = hash_of(key) & (m->size - 1);

    while (m->slots[at].key && strcmp(m->slots[at].key, key) != 0)
        at = (at + 1) & (m->size - 1);
    return &m->slots[at];
}

static void grow(struct map *m)
{
    struct map old = *m;

    m->size = old.size ? 2 * old.size : 64;
    m->slots = mem_alloc(m->size, sizeof(*m->slots));
    for (size_t i = 0; i < old.size; i++) {
        if (old.slots[i].key)
            *find(m, old.slots[i].key) = old.slots[i];
    }
    free(old.slots);
}

size_t *map_at(struct map *m, const char *key)
{
    struct map_slot *slot;

    if (m->size < 2 * (m->used + 1))
        grow(m);
    slot = find(m, key);
    if (!slot->key) {
        slot->key = mem_strdup(key);
        m->used++;
    }
    return &slot->value;
}

size_t map_get(const struct map *m, const char *key)
{
    return m->size ? find(m, key)->value : 0;
}

void map_free(struct map *m)
{
    for (size_t i = 0; i < m->size; i++)
        free(m->slots[i].key);
    free(m->slots);
    memset(m, 0, sizeof(*m));
}
