/* SPDX-License-Identifier: MIT */
/*
 * Owns: a look into memory that is given back, for tests/e2e/test_preload.py. A library to be
 * preloaded (glibc): each block that anybody frees, or that a growing one leaves behind, is
 * searched for a text.
 *
 *   SPYING_FOR   the text
 *   SPYING_LOG   a file to which is appended "freed by LIBRARY" for each block that holds it, and
 *                at the exit "looked at N", the number of blocks
 */
#define _GNU_SOURCE
#include "log.h"

#include <dlfcn.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *__libc_malloc(size_t size);
void *__libc_realloc(void *old, size_t size);
void __libc_free(void *block);

static const char *wanted;
static atomic_ulong looked_at;

static void look_at(void *block, void *caller)
{
    Dl_info info;

    if (!wanted || !block)
        return;
    atomic_fetch_add(&looked_at, 1);
    if (memmem(block, malloc_usable_size(block), wanted, strlen(wanted)))
        note("freed by", dladdr(caller, &info) && info.dli_fname ? info.dli_fname : "?");
}

void free(void *block)
{
    look_at(block, __builtin_return_address(0));
    __libc_free(block);
}

/* Moves whenever it grows: where it does not is a matter of luck, and no test shall hang on it. */
void *realloc(void *old, size_t size)
{
    size_t room = old ? malloc_usable_size(old) : 0;
    void *block;

    if (!old || size <= room)
        return __libc_realloc(old, size);
    block = __libc_malloc(size);
    if (block) {
        memcpy(block, old, room);
        look_at(old, __builtin_return_address(0));
        __libc_free(old);
    }
    return block;
}

__attribute__((constructor)) static void begin(void)
{
    wanted = getenv("SPYING_FOR");
    log_path = getenv("SPYING_LOG");
}

__attribute__((destructor)) static void end(void)
{
    char text[32];

    snprintf(text, sizeof(text), "%lu", atomic_load(&looked_at));
    note("looked at", text);
}
