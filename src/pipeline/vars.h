/* SPDX-License-Identifier: MIT */
/*
 * Variables of pipeline files: ${NAME}, ${NAME:-text}, ${file:PATH}, $$ (CONTRACT, section 4).
 */
#ifndef RUNGATE_PIPELINE_VARS_H
#define RUNGATE_PIPELINE_VARS_H

#include "base/base.h"
#include "base/buf.h"
#include "base/err.h"

/* Where the values of variables come from; a definition beats the environment. */
struct vars {
    const char *const *defines; /* NAME=VALUE, as given by -D; the last of a name wins */
    size_t define_count;
    const char *(*getenv)(const char *name); /* the environment */
};

/* The value of a variable, or NULL; *ret_origin (may be NULL) is told where it came from. */
const char *vars_get(const struct vars *v, const char *name, const char **ret_origin);

/* True for a name that a variable can have: a letter or _, then letters, digits, _. */
bool vars_is_name(const char *name, size_t len);

/* What the replacing of variables has made use of. */
struct vars_used {
    struct buf words; /* for a person: "${NAME} of the environment"; empty: of nothing */
    bool defined;     /* a value came from -D */
    char *loose_file; /* the first file that not only its owner can read or write; else NULL */
    unsigned loose_mode; /* its permissions */
};

void vars_used_init(struct vars_used *used);
void vars_used_free(struct vars_used *used);

/*
 * Appends text with its variables replaced, and adds to used (may be NULL). On failure err says
 * what is missing and *ret_offset where in text it stands.
 */
int vars_expand(const struct vars *v, const char *text, struct buf *out, struct vars_used *used,
                size_t *ret_offset, struct err *e) USE_RESULT;

#endif
