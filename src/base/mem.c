/* SPDX-License-Identifier: MIT */
/* Owns what happens when memory runs out. It must not know what the program is about. */
#include "base/base.h"

#include "base/mem.h"

#include <errno.h>
#include <stdatomic.h>
#include <unistd.h>

/* Cancelling a gate's runs and writing its reports takes well below this. */
enum { EXIT_INTERNAL = 70, RESERVE = 4 << 20 };

/* Atomic because the HTTP library resolves names in threads of its own. */
static _Atomic(void *) reserve;
static atomic_bool ran_short;

static struct {
    void (*speak)(void *user);
    void *user;
} last_words;

void mem_init(void)
{
    atomic_store(&reserve, mem_try(NULL, RESERVE));
}

void mem_run_short(void)
{
    atomic_store(&ran_short, true);
    free(atomic_exchange(&reserve, NULL));
}

void mem_check_errno(void)
{
    if (errno == ENOMEM)
        mem_run_short();
}

bool mem_is_short(void)
{
    return atomic_load(&ran_short);
}

void mem_on_exhaustion(void (*speak)(void *user), void *user)
{
    last_words.speak = speak;
    last_words.user = user;
}

void mem_exhausted(void)
{
    static const char text[] = "rungate: out of memory\n";

    /* The result changes nothing: there is no other way left to say it. */
    if (write(STDERR_FILENO, text, sizeof(text) - 1) > 0 && last_words.speak)
        last_words.speak(last_words.user);
    _exit(EXIT_INTERNAL);
}

void *mem_try(void *old, size_t size)
{
    void *p = realloc(old, size ? size : 1);

    if (!p) {
        mem_run_short();
        p = realloc(old, size ? size : 1);
    }
    return p;
}

/* What stands before a block that was lent. */
union lent {
    size_t size;
    max_align_t align;
};

void *mem_lend(void *old, size_t size)
{
    size_t had = old ? ((union lent *)old)[-1].size : 0;
    union lent *block;

    if (old && size <= had)
        return old;
    block = size > SIZE_MAX - sizeof(*block) ? NULL : mem_try(NULL, sizeof(*block) + size);
    if (!block)
        return NULL;
    block->size = size;
    if (old)
        memcpy(block + 1, old, had);
    mem_take_back(old);
    return block + 1;
}

void mem_take_back(void *block)
{
    union lent *lent = block;

    if (!block)
        return;
    mem_wipe(block, lent[-1].size);
    free(lent - 1);
}

void *mem_alloc(size_t count, size_t size)
{
    void *p = size && count > SIZE_MAX / size ? NULL : mem_try(NULL, count * size);

    if (!p)
        mem_exhausted();
    return memset(p, 0, count * size);
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

void *mem_try_grow(void *array, size_t *cap, size_t count, size_t size)
{
    size_t more;
    char *p;

    if (count < *cap)
        return array;
    more = *cap ? *cap * 2 : 8;
    p = more > SIZE_MAX / size ? NULL : mem_try(array, more * size);
    if (!p)
        return NULL;
    memset(p + *cap * size, 0, (more - *cap) * size);
    *cap = more;
    return p;
}

void *mem_grow(void *array, size_t *cap, size_t count, size_t size)
{
    void *p = mem_try_grow(array, cap, count, size);

    if (!p)
        mem_exhausted();
    return p;
}

void mem_replace(char **slot, const char *text)
{
    char *copy = mem_strdup(text);

    free(*slot);
    *slot = copy;
}

void mem_wipe(void *p, size_t len)
{
    /* Not known to be memset until it is called. */
    static void *(*const volatile fill)(void *, int, size_t) = memset;

    if (len)
        fill(p, 0, len);
}

void mem_forget(char *text)
{
    if (text)
        mem_wipe(text, strlen(text));
    free(text);
}
