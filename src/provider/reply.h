/* SPDX-License-Identifier: MIT */
/*
 * What a provider's replies say, read by the rules and pointers of its definition. The texts that
 * come out are as the provider wrote them: who keeps them cleans them, and who is done with them
 * forgets them (base/mem.h), for one may echo a secret.
 */
#ifndef RUNGATE_PROVIDER_REPLY_H
#define RUNGATE_PROVIDER_REPLY_H

#include "base/base.h"
#include "base/doc.h"
#include "base/err.h"
#include "provider/bind.h"

/* Ids go into URLs and file formats: more than any provider uses is a mistake or an attack. */
enum { ID_MAX = 200, IDS_MAX = 10000, FOUND_MAX = 1000 };

struct start_reply {
    char **ids;
    size_t id_count, id_cap;
    size_t refused;       /* runs that the provider refused to start, or that nobody can watch */
    enum outcome outcome; /* what the start's own rules say; unknown if none holds */
    char *label;          /* of that rule; else NULL */
    char *url;            /* may be NULL */
    int64_t expect_ms;    /* -1: not told */
    struct capture *captures;
    size_t capture_count, capture_cap;
};

/*
 * Reads the reply to a start. -1 if it names no usable id and no rule says why: a run may exist
 * and cannot be watched. Free r with start_reply_free, also on failure.
 */
int reply_read_start(struct start_reply *r, const struct provider *p, const struct doc *d,
                     struct err *e) USE_RESULT;
void start_reply_free(struct start_reply *r);

struct status_reply {
    enum outcome outcome; /* unknown if no rule holds */
    char *label;          /* of the rule; NULL if none holds */
    char *seen;           /* what the reply says where the rules look; set if none holds */
    char *reason;         /* the provider's own words; may be NULL */
    char *url;            /* may be NULL */
    int64_t expect_ms;    /* -1: not told */
};

void reply_read_status(struct status_reply *r, const struct provider *p, const struct doc *d);
void status_reply_free(struct status_reply *r);

/* One test of a reply; the texts are only there during the call. */
struct reported_test {
    const char *name; /* NULL: it has none */
    enum outcome outcome;
    const char *label;           /* NULL if no rule holds */
    const char *message, *detail; /* may be NULL */
    int64_t duration_ms;         /* -1: not told */
};

typedef void test_fn(void *user, const struct reported_test *test);

/*
 * Calls take for each test of the run in the reply; returns how many there were. The scope is for
 * 'tests.where'.
 */
size_t reply_each_test(const struct provider *p, const struct doc *d, struct scope *scope,
                       test_fn *take, void *user);

typedef void property_fn(void *user, const char *name, const char *value);

void reply_each_property(const struct provider *p, const struct doc *d, property_fn *take,
                         void *user);

/* What a list of runs says to one whose start was lost, and to one that is under way. */
struct find_reply {
    char **ids; /* of the runs that were made in the interval, each once; at most FOUND_MAX */
    size_t id_count, id_cap;
    int64_t usual_ms; /* how long the finished runs took: their median; -1: not told */
};

/*
 * Reads the reply to a find request. Runs made from from_ms to to_ms, both included, by the
 * provider's clock, are looked for; those whose time cannot be read, or whose id cannot be one,
 * are left out. -1 if the reply holds no list. Free r with find_reply_free, also on failure.
 */
int reply_read_find(struct find_reply *r, const struct provider *p, const struct doc *d,
                    struct scope *scope, int64_t from_ms, int64_t to_ms, struct err *e) USE_RESULT;
void find_reply_free(struct find_reply *r);

/* What stands at the error pointers, with what is said beside it; NULL if nothing does. Free it. */
char *reply_message(const struct provider *p, const struct doc *d) USE_RESULT;

/*
 * The provider's own words in a reply that is no success: what stands at its error pointers, or
 * a short piece of the body. NULL if there is nothing to show.
 */
char *reply_error_text(const struct provider *p, const char *body, size_t len) USE_RESULT;

/* 0 if text can be the id of a run: nothing in it that a URL or a path could stumble over. */
int reply_check_id(const char *text, struct err *e) USE_RESULT;

#endif
