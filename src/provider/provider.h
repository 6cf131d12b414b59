/* SPDX-License-Identifier: MIT */
/*
 * A provider as data: what its definition file says, read and checked (CONTRACT, section 5). The
 * definition's own language is described in rungate.ini(5), "PROVIDER DEFINITIONS".
 */
#ifndef RUNGATE_PROVIDER_PROVIDER_H
#define RUNGATE_PROVIDER_PROVIDER_H

#include "base/base.h"
#include "base/err.h"
#include "provider/rule.h"

enum param_type {
    PARAM_STRING,
    PARAM_INTEGER,
    PARAM_BOOLEAN,
    PARAM_SECRET, /* a string that may stand in auth only */
    PARAM_JSON,
    PARAM_CHOICE
};

struct param {
    char *name;
    enum param_type type;
    enum doc_type shape; /* of PARAM_JSON: DOC_ARRAY or DOC_OBJECT; DOC_NONE: any value */
    char **choices;      /* of PARAM_CHOICE */
    size_t choice_count, choice_cap;
    bool required;
    char *value_default; /* may hold {ci.NAME}; NULL: none */
    char *env;           /* environment variable to fall back on; NULL: none */
    bool has_min, has_max;
    int64_t min, max; /* of integers, and of the number of an array's elements */
    const char *file; /* where it stands, which with extends can be another's; borrowed */
    int line;
    bool used; /* some template names it */
};

/* "NAME = template", or a pointer for a name, with conditions on parameters. */
struct assignment {
    char *target;
    char *template;
    struct conditions conditions;
    const char *file; /* borrowed */
    int line;
};

struct assignments {
    struct assignment *items;
    size_t count, cap;
};

enum request_kind {
    REQUEST_START,
    REQUEST_STATUS,
    REQUEST_DETAILS, /* once at the end */
    REQUEST_CANCEL,
    REQUEST_FIND /* lists runs, so that one whose start was lost can be found */
};

enum { REQUEST_KIND_COUNT = REQUEST_FIND + 1 };

const char *request_kind_name(enum request_kind kind);

struct request_def {
    char *method; /* NULL: the provider has no such request */
    char *path;   /* template, appended to base_url */
    struct assignments body; /* by pointer */
    struct assignments headers, query;
    bool has_body;
    const char *file; /* borrowed */
    int line;
};

/* JSON Pointers to try in their order; the first that leads to a value is taken. */
struct pointers {
    char **items;
    size_t count, cap;
};

/* A length of time in a reply: a number in a unit, or the difference of two of them or of two
 * timestamps. */
struct span {
    char *to;   /* pointer; NULL: not told */
    char *from; /* pointer of what is subtracted; NULL: nothing */
    int64_t unit_ms;
};

struct provider {
    char *name, *file;
    int line;
    char *title, *docs, *base_url;
    char *trusted_url; /* base_url of the built-in definition that this one is or extends: where
                          its secrets may go; NULL for a user's own */
    struct assignments auth;    /* headers that hold secrets */
    struct assignments headers; /* headers of every request */
    struct param *params;
    size_t param_count, param_cap;
    struct request_def requests[REQUEST_KIND_COUNT];

    struct pointers start_id;
    char *start_ids;     /* pointer to an array of ids; NULL: one id */
    char *start_refused; /* pointer to an array, one element a run that was refused */
    char *start_all;     /* pointer to an array of all runs, those included; NULL: none */
    struct rules start_rules;
    int64_t start_tries; /* how often a start is sent at most, all refusals being passing ones;
                            0: as often as fits into "outage" */
    char *idempotency; /* header that makes a repeated start harmless; NULL: none */
    int64_t key_life_ms; /* for how long it does */
    struct assignments captures; /* target: name, template: pointer; from the start's reply */
    char *url;                   /* template of the report's URL */
    struct pointers start_url, status_url;
    char *expect; /* template of the expected duration, from parameters */
    struct span start_expect, status_expect;

    struct rules status_rules;
    struct pointers status_reason;
    struct pointers errors, errors_more; /* the message, and what else is said beside it */
    char *find_items;             /* pointer to the array of runs; "" is the whole reply */
    struct pointers find_id;      /* in an element: the run's id */
    char *find_created;           /* in an element: when it was made; a timestamp */
    struct conditions find_where; /* which elements can be ours; values may be parameters */
    struct span find_duration;    /* in an element: how long it took ... */
    struct conditions find_finished; /* ... where these hold: what was broken off tells nothing */
    int *cancel_gone; /* HTTP statuses that mean "already over" */
    size_t gone_count, gone_cap;

    struct pointers tests; /* to the arrays of tests, each of which is read; none: the provider
                              reports no tests */
    bool tests_decide;   /* a pass stands only if no test in it did otherwise */
    bool tests_required; /* without tests, a pass is empty */
    struct pointers tests_name, tests_message, tests_detail;
    struct span tests_duration;
    struct rules tests_rules;
    struct conditions tests_where; /* which elements are tests of this run; values may be {id} */
    struct assignments properties; /* target: name, template: pointer */
};

/* The parameter of a name, or NULL. */
struct param *provider_param(const struct provider *p, const char *name);

void provider_free(struct provider *p);

#endif
