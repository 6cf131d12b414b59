/* SPDX-License-Identifier: MIT */
/*
 * INI files as sections of entries, each with its line, every mistake of form collected.
 *
 * The library that reads them cuts lines at 199 bytes and names at 49 without a word, and does
 * not tell line numbers; ini.c feeds it line by line, so that it never gets a line it would cut.
 */
#ifndef RUNGATE_PIPELINE_INI_H
#define RUNGATE_PIPELINE_INI_H

#include "base/base.h"
#include "base/err.h"

struct ini_entry {
    char *key;
    char *value; /* continuation lines joined by LF; "" when nothing stands behind the "=" */
    int line;    /* of the key */
    int *lines;  /* the source line of each line of the value; the first may be below the key's */
    size_t line_count, line_cap;
};

struct ini_section {
    char *name;
    int line;
    struct ini_entry *entries;
    size_t count, cap;
};

struct ini {
    char *file; /* as messages name it */
    struct ini_section *sections;
    size_t count, cap;
};

/*
 * Reads text, which messages call file. Mistakes of form (a line without "=", over-long lines
 * and names, duplicate sections and keys, bytes that are not UTF-8) are added to d; what is left
 * is in ini all the same, so that later checks can report theirs too. Free with ini_free.
 */
void ini_load(struct ini *ini, const char *file, const char *text, size_t len, struct diags *d);
void ini_free(struct ini *ini);

/* The line of the value in which the byte at offset stands. */
int ini_line_at(const struct ini_entry *entry, size_t offset);

#endif
