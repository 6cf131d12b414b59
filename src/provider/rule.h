/* SPDX-License-Identifier: MIT */
/*
 * Rules: "OUTCOME LABEL if CONDITION and CONDITION ..." (CONTRACT, section 5). The first rule that
 * holds decides; if none does, the outcome is not known.
 */
#ifndef RUNGATE_PROVIDER_RULE_H
#define RUNGATE_PROVIDER_RULE_H

#include "base/base.h"
#include "base/buf.h"
#include "base/doc.h"
#include "base/err.h"
#include "pipeline/outcome.h"

enum condition_test {
    TEST_EXISTS,  /* the subject has a value that is not null */
    TEST_MISSING, /* it has none */
    TEST_IN       /* its text is one of the values, or an integer in one of the ranges */
};

struct match {
    char *text;
    bool is_range;
    int64_t low, high;
};

struct condition {
    char *subject; /* a JSON Pointer, or a parameter's name */
    enum condition_test test;
    struct match *matches;
    size_t count, cap;
};

struct conditions {
    struct condition *items;
    size_t count, cap;
};

struct rule {
    enum outcome outcome;
    char *label;
    struct conditions conditions;
    int line;
};

struct rules {
    struct rule *items;
    size_t count, cap;
};

enum subject_kind { SUBJECT_POINTER, SUBJECT_PARAMETER };

/* Reads "SUBJECT = A, B and SUBJECT exists ...". On failure c holds what was read; free it. */
int conditions_parse(struct conditions *c, const char *text, enum subject_kind kind,
                     struct err *e) USE_RESULT;
void conditions_free(struct conditions *c);

/*
 * Appends the subject's text to out. Returns false where it has no value (null counts as none).
 * A value without a text (array, object) returns true and appends nothing but sets *ret_opaque.
 */
typedef bool subject_fn(void *user, const char *subject, struct buf *out, bool *ret_opaque);

bool conditions_hold(const struct conditions *c, subject_fn *lookup, void *user);

/* Reads one rule; line is kept for messages. */
int rule_parse(struct rules *rules, const char *text, int line, struct err *e) USE_RESULT;
void rules_free(struct rules *rules);

/* The first rule that holds for the document, or NULL. */
const struct rule *rules_match(const struct rules *rules, const struct doc *d);

/* What the document says at the pointers that the rules read: "/status = X, /result is missing". */
void rules_add_seen(struct buf *out, const struct rules *rules, const struct doc *d);

/*
 * Adds what is wrong with the rules as a whole: a rule that an earlier one makes unreachable, a
 * value that stands in two rules, a "passed" that an empty reply would get.
 */
void rules_check(const struct rules *rules, const char *file, struct diags *d);

#endif
