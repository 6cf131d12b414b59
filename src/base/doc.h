/* SPDX-License-Identifier: MIT */
/*
 * JSON documents: reading them strictly, finding values by JSON Pointer (RFC 6901), building and
 * writing them. The library that does the work is known to doc.c only.
 */
#ifndef RUNGATE_BASE_DOC_H
#define RUNGATE_BASE_DOC_H

#include "base/base.h"
#include "base/buf.h"
#include "base/err.h"

struct doc; /* a JSON value; values found inside a document belong to it */

enum doc_type {
    DOC_NONE, /* no value: what a NULL document is */
    DOC_NULL,
    DOC_BOOLEAN,
    DOC_INTEGER,
    DOC_REAL,
    DOC_STRING,
    DOC_ARRAY,
    DOC_OBJECT
};

/*
 * Makes the library take its memory from base/mem: only a document that is read may find none, and
 * none is given back with a secret in it. To be called once, before all else.
 */
void doc_init(void);

/*
 * Reads an object or an array. One UTF-8 byte order mark is skipped, lone surrogates in escapes
 * become U+FFFD. Refused: anything that is not RFC 8259, NUL bytes, duplicate keys, integers
 * beyond 64 bits, nesting beyond the library's limit. NULL with err on failure.
 */
struct doc *doc_parse(const char *text, size_t len, struct err *e) USE_RESULT;

/* As doc_parse, but any value may stand at the top, and the text is a user's, not a reply. */
struct doc *doc_parse_value(const char *text, struct err *e) USE_RESULT;

void doc_free(struct doc *d); /* NULL is allowed */

enum doc_type doc_type(const struct doc *d); /* NULL is DOC_NONE */

/* 0 if text is a JSON Pointer: empty, or starting with "/", with "~" only in "~0" and "~1". */
int doc_pointer_check(const char *pointer, struct err *e) USE_RESULT;

/* The value at the pointer, or NULL where there is none. The pointer must be a valid one. */
const struct doc *doc_at(const struct doc *d, const char *pointer);

size_t doc_size(const struct doc *d); /* members of an array or object, else 0 */
const struct doc *doc_item(const struct doc *array, size_t i);

/*
 * Appends the text of a string, number or boolean; false, and nothing added, for everything else.
 * Integers come out in decimal, booleans as true and false; a NUL in a string becomes U+FFFD.
 */
bool doc_add_text(struct buf *b, const struct doc *d);

struct doc *doc_new_object(void) USE_RESULT;
struct doc *doc_new_array(void) USE_RESULT;
struct doc *doc_new_string(const char *text) USE_RESULT; /* bad UTF-8 becomes U+FFFD; NULL: null */
struct doc *doc_new_integer(int64_t value) USE_RESULT;
struct doc *doc_new_boolean(bool value) USE_RESULT;
struct doc *doc_new_seconds(int64_t ms) USE_RESULT; /* a number, 1.234; negative ms: null */

/* Both take value over, also on failure. */
void doc_set_member(struct doc *object, const char *key, struct doc *value);
void doc_append(struct doc *array, struct doc *value);

/*
 * Puts value at the pointer, making the objects on the way; takes it over, also on failure. -1 if
 * something that is not an object stands in the way, or the pointer is empty.
 */
int doc_set(struct doc *root, const char *pointer, struct doc *value, struct err *e) USE_RESULT;

/*
 * Replaces each string inside a document, keys excepted, by what change makes of it: a new text,
 * which is freed, or NULL to give up. -1 if it did; the document is then half changed.
 */
typedef char *doc_change_fn(void *user, const char *text);
int doc_change_strings(struct doc **d, doc_change_fn *change, void *user) USE_RESULT;

/* Appends the document as text; indent 0 means one line without spaces. */
void doc_print(struct buf *b, const struct doc *d, int indent);

#endif
