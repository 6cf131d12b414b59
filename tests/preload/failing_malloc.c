/* SPDX-License-Identifier: MIT */
/*
 * Owns: allocations that fail on demand, for tests/e2e/test_memory.py. A library to be preloaded
 * (glibc): it counts what main and all threads allocate, by whomever, and lets some of it fail.
 *
 *   FAILING_FROM   the number, from 1, of the first allocation to fail; unset: none
 *   FAILING_COUNT  how many fail from there on; unset: one; 0: all
 *   FAILING_LOG    a file to which is appended, on the first failure, "failed LIBRARY" (who asked;
 *                  the program itself is called "rungate"), and at the exit "counted N"
 */
#define _GNU_SOURCE
#include "log.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int main_fn(int, char **, char **);
typedef int start_fn(main_fn *, int, char **, void (*)(void), void (*)(void), void (*)(void),
                     void *);

/* What the C library calls its own; the preloaded names hide only the others. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
start_fn __libc_start_main;

static atomic_bool in_main;
static atomic_ulong counted;
static unsigned long from, count = 1;
static main_fn *real_main;

static int fails(void *caller)
{
    unsigned long number;
    Dl_info info;

    if (!atomic_load(&in_main))
        return 0;
    number = atomic_fetch_add(&counted, 1) + 1;
    if (!from || number < from || (count && number >= from + count))
        return 0;
    if (number == from) {
        const char *path = dladdr(caller, &info) && info.dli_fname ? info.dli_fname : "?";
        const char *slash = strrchr(path, '/');

        note("failed", slash ? slash + 1 : path);
    }
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_realloc(old, size);
}

static unsigned long number_of(const char *name, unsigned long otherwise)
{
    const char *text = getenv(name);

    return text ? strtoul(text, NULL, 10) : otherwise;
}

static int counted_main(int argc, char **argv, char **envp)
{
    char text[32];
    int code;

    from = number_of("FAILING_FROM", 0);
    count = number_of("FAILING_COUNT", 1);
    log_path = getenv("FAILING_LOG");
    atomic_store(&in_main, 1);
    code = real_main(argc, argv, envp);
    atomic_store(&in_main, 0);
    snprintf(text, sizeof(text), "%lu", atomic_load(&counted));
    note("counted", text);
    return code;
}

/* Called before main: what is loaded and set up until then is no business of the program. */
int __libc_start_main(main_fn *main_, int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*rtld_fini)(void), void *stack_end)
{
    start_fn *real;

    *(void **)&real = dlsym(RTLD_NEXT, "__libc_start_main");
    real_main = main_;
    return real(counted_main, argc, argv, init, fini, rtld_fini, stack_end);
}
