/* SPDX-License-Identifier: MIT */
/*
 * Templates of provider definitions: "/runs/{id}", "Token {token}". {{ and }} are braces.
 */
#ifndef RUNGATE_PROVIDER_TEMPLATE_H
#define RUNGATE_PROVIDER_TEMPLATE_H

#include "base/base.h"
#include "base/buf.h"
#include "base/err.h"

/* Called for each name in a template, in order; -1 with err to refuse it. */
typedef int template_name_fn(void *user, const char *name, struct err *e);

/* 0 if the template is well-formed and each was happy with each name in it. */
int template_check(const char *template, template_name_fn *each, void *user, struct err *e)
    USE_RESULT;

/* The value of a name, or NULL if it has none. */
typedef const char *template_value_fn(void *user, const char *name);

enum template_escape {
    ESCAPE_NONE,
    ESCAPE_PERCENT, /* RFC 3986: all but the unreserved characters, for paths and queries */
    ESCAPE_HEADER   /* refuses control characters, which could start another header */
};

enum template_result {
    TEMPLATE_DONE,
    TEMPLATE_UNSET, /* a name has no value; *out holds nothing of the template */
    TEMPLATE_FAILED /* err is filled */
};

/* Appends text as ESCAPE_PERCENT does it, "." and ".." included. */
void template_add_percent(struct buf *out, const char *text);

/* Appends the template with its names replaced. */
enum template_result template_expand(const char *template, template_value_fn *value, void *user,
                                     enum template_escape escape, struct buf *out, struct err *e);

/* The name, if the template is nothing but "{name}"; else NULL. Free it. */
char *template_sole_name(const char *template) USE_RESULT;

#endif
