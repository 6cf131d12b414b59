/* SPDX-License-Identifier: MIT */
/* Owns the order of due times. It must not read a clock. */
#include "base/base.h"

#include "base/heap.h"
#include "base/mem.h"

struct heap_entry {
    int64_t time;
    size_t index;
};

void heap_init(struct heap *h, size_t size)
{
    h->entries = mem_alloc(size, sizeof(*h->entries));
    h->place = mem_alloc(size, sizeof(*h->place));
    h->count = 0;
    h->size = size;
}

void heap_free(struct heap *h)
{
    free(h->entries);
    free(h->place);
    memset(h, 0, sizeof(*h));
}

static void put(struct heap *h, size_t at, struct heap_entry entry)
{
    h->entries[at] = entry;
    h->place[entry.index] = at + 1;
}

/* Moves the entry at a position up or down to where it belongs. */
static void settle(struct heap *h, size_t at)
{
    struct heap_entry entry = h->entries[at];

    while (at > 0 && h->entries[(at - 1) / 2].time > entry.time) {
        put(h, at, h->entries[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    for (;;) {
        size_t child = 2 * at + 1;

        if (child + 1 < h->count && h->entries[child + 1].time < h->entries[child].time)
            child++;
        if (child >= h->count || h->entries[child].time >= entry.time)
            break;
        put(h, at, h->entries[child]);
        at = child;
    }
    put(h, at, entry);
}

void heap_set(struct heap *h, size_t index, int64_t time)
{
    size_t at = h->place[index] ? h->place[index] - 1 : h->count++;

    put(h, at, (struct heap_entry){.time = time, .index = index});
    settle(h, at);
}

void heap_remove(struct heap *h, size_t index)
{
    size_t at;

    if (!h->place[index])
        return;
    at = h->place[index] - 1;
    h->place[index] = 0;
    h->count--;
    if (at < h->count) {
        put(h, at, h->entries[h->count]);
        settle(h, at);
    }
}

bool heap_first(const struct heap *h, size_t *ret_index, int64_t *ret_time)
{
    if (!h->count)
        return false;
    *ret_index = h->entries[0].index;
    *ret_time = h->entries[0].time;
    return true;
}
