/* SPDX-License-Identifier: MIT */
/* Owns the one way in which memory runs out. It must not print anything but that message. */
#include "base/base.h"

#include "base/mem.h"

#include <unistd.h>

enum { EXIT_INTERNAL = 70 };

static void NO_RETURN out_of_memory(void)
{
    static const char text[] = "rungate: out of memory\n";

    /* The result changes nothing: there is no other way left to say it. */
    if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
        _exit(EXIT_INTERNAL);
    _exit(EXIT_INTERNAL);
}

void *mem_alloc(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size ? size : 1);

    if (!p)
        out_of_memory();
    return p;
}

char *mem_strndup(const char *text, size_t len)
{
    char *p = mem_alloc(len + 1, 1);

    if (len)
        memcpy(p, text, len);
    return p;
}

char *mem_strdup(const char *text)
{
    return text ? mem_strndup(text, strlen(text)) : NULL;
}

void *mem_grow(void *array, size_t *cap, size_t count, size_t size)
{
    size_t more;
    char *p;

    if (count < *cap)
        return array;
    more = *cap ? *cap * 2 : 8;
    if (more > SIZE_MAX / size)
        out_of_memory();
    p = realloc(array, more * size);
    if (!p)
        out_of_memory();
    memset(p + *cap * size, 0, (more - *cap) * size);
    *cap = more;
    return p;
}

void mem_replace(char **slot, const char *text)
{
    char *copy = mem_strdup(text);

    free(*slot);
    *slot = copy;
}
