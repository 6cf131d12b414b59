/* SPDX-License-Identifier: MIT */
/*
 * Memory that is there or ends the program. A reserve is put aside at the start. The first
 * allocation that fails releases it and is tried again: the program goes on, and has what it
 * needs to stop in good order, which it must do once mem_is_short(). When the reserve is used up
 * too, last words are spoken and the program ends with exit code 70. A gate that memory failed
 * has no verdict, so neither ends in a pass.
 */
#ifndef RUNGATE_BASE_MEM_H
#define RUNGATE_BASE_MEM_H

#include "base/base.h"

/* Puts the reserve aside; to be called once, first. Without it there is none. */
void mem_init(void);

/* Whether memory ran short, ever. */
bool mem_is_short(void);

/* Something that takes its memory elsewhere got none: releases the reserve for it. */
void mem_run_short(void);

/* The same, if errno says that this was why the system refused something. */
void mem_check_errno(void);

/*
 * What to do before the program ends because the reserve is used up; NULL: nothing. speak must
 * not allocate, and is called at any moment at which something was being allocated.
 */
void mem_on_exhaustion(void (*speak)(void *user), void *user);

/* Speaks the last words and ends the program. */
void mem_exhausted(void) NO_RETURN;

/* As realloc, with the reserve behind it: NULL when that is used up too. */
void *mem_try(void *old, size_t size) USE_RESULT;

/*
 * For libraries that handle secrets: as realloc (with the reserve behind it) and free, but nothing
 * is given back to the system, or left behind by a block that grew, before it was overwritten.
 */
void *mem_lend(void *old, size_t size) USE_RESULT;
void mem_take_back(void *block);

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

/* The same, but NULL, and nothing changed, where there is no memory for it. */
void *mem_try_grow(void *array, size_t *cap, size_t count, size_t size) USE_RESULT;

/* Puts a copy of text in *slot and frees what was there. */
void mem_replace(char **slot, const char *text);

/* Overwrites len bytes with zeros, which no compiler may leave out. */
void mem_wipe(void *p, size_t len);

/* Overwrites and frees a text that is, or may be, a secret. */
void mem_forget(char *text);

#endif
