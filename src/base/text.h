/* SPDX-License-Identifier: MIT */
/*
 * Text from outside, made fit to be shown. Whatever a provider, a file or a user wrote passes
 * through here before it is stored, and once more, through text_add_log, before it reaches a
 * terminal or a CI log.
 */
#ifndef RUNGATE_BASE_TEXT_H
#define RUNGATE_BASE_TEXT_H

#include "base/base.h"
#include "base/buf.h"

/*
 * Decodes one character of UTF-8 (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF).
 * Returns its length in bytes and sets *ret, or returns 0 if the bytes at p are not one.
 */
size_t text_decode(const char *p, size_t len, uint32_t *ret);

void text_encode(struct buf *b, uint32_t c);

bool text_is_utf8(const char *p, size_t len);

enum text_lines {
    TEXT_LINES, /* keep line ends (CR and CRLF become LF) and tabs */
    TEXT_FOLD   /* one line: white space of any kind becomes one space */
};

/*
 * Appends text with everything taken out that could act on a reader: escape sequences, control
 * characters, marks that turn the writing direction, characters that XML 1.0 forbids. Bytes that
 * are not UTF-8 become U+FFFD. At most max bytes are added; a cut is shown by "...".
 */
void text_add_clean(struct buf *b, const char *text, size_t len, enum text_lines lines, size_t max);

/*
 * Appends one line of cleaned text so that no CI system takes it for a command: a leading "::"
 * and every "##" are broken up (GitHub and Azure read "##[" anywhere in a line, TeamCity reads
 * "##teamcity["). The caller adds the line end.
 */
void text_add_log(struct buf *b, const char *text);

/*
 * The candidate nearest to word, if it is near enough to be meant (an edit distance of at most a
 * third of the word's length), else one that begins with it, else NULL. Candidates are tried in
 * order; the first best wins.
 */
const char *text_nearest(const char *word, const char *const *candidates, size_t count);

/* Removes white space at both ends, in place; returns the new start. */
char *text_trim(char *text);

bool text_starts(const char *text, const char *prefix);
bool text_ends(const char *text, const char *suffix);

#endif
