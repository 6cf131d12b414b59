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
#include "provider/template.h"

enum condition_test {
    TEST_EXISTS,  /* the subject has a value that is not null */
    TEST_MISSING, /* it has none */
    TEST_IN       /* its text is one of the values, or an integer in one of the ranges */
};

struct match {
    char *text;
    bool is_template; /* the text names values, "{id}" */
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
    const char *file; /* where they stand; borrowed. NULL: there are none */
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

/*
 * The same for conditions on a document whose values may name values of the run. One that names
 * something unset does not hold.
 */
bool conditions_hold_for(const struct conditions *c, const struct doc *d, template_value_fn *value,
                         void *user);

/* Calls each for every name in the conditions' values; -1 with err where it refuses one. */
int conditions_check_names(const struct conditions *c, template_name_fn *each, void *user,
                           struct err *e) USE_RESULT;

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
void rules_check(const struct rules *rules, struct diags *d);

#endif
