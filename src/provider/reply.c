/* SPDX-License-Identifier: MIT */
/* Owns the reading of replies. It must not decide what happens next. */
#include "base/base.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/secret.h"
#include "base/text.h"
#include "provider/reply.h"

#include <ctype.h>

/* Bytes of an excerpt of a body, and of the body that it is made from. */
enum { EXCERPT_MAX = 300, SLICE_MAX = 16 << 10 };

/* The text at the first of the pointers that leads to one; NULL if none does. Free it. */
static char *text_at(const struct pointers *pointers, const struct doc *d)
{
    struct buf text;

    buf_init(&text, BUF_CAP_TEXT);
    for (size_t i = 0; i < pointers->count; i++) {
        if (doc_add_text(&text, doc_at(d, pointers->items[i])) && text.len)
            return buf_detach(&text);
    }
    buf_free(&text);
    return NULL;
}

static bool text_of(const struct doc *d, const char *pointer, struct buf *text)
{
    buf_clear(text);
    return doc_add_text(text, doc_at(d, pointer)) && text->len;
}

/* A point on the scale of the span: a number in its unit, or a timestamp. -1 if it is neither. */
static int point(const struct doc *d, const char *pointer, int64_t unit_ms, int64_t *ret_ms)
{
    struct buf text;
    char *end;
    double value;
    int rc = -1;

    buf_init(&text, BUF_CAP_TEXT);
    if (text_of(d, pointer, &text)) {
        rc = clock_parse_iso(text.text, ret_ms);
        if (rc && (isdigit((unsigned char)text.text[0]) || text.text[0] == '-')) {
            value = strtod(text.text, &end) * (double)unit_ms;
            if (!*end && value > -1e15 && value < 1e15) {
                *ret_ms = (int64_t)(value < 0 ? value - 0.5 : value + 0.5);
                rc = 0;
            }
        }
    }
    buf_free(&text);
    return rc;
}

static int64_t read_span(const struct span *span, const struct doc *d)
{
    int64_t to, from = 0;

    if (!span->to || point(d, span->to, span->unit_ms, &to) ||
        (span->from && point(d, span->from, span->unit_ms, &from)))
        return -1;
    return to - from >= 0 && to - from <= DURATION_MAX ? to - from : -1;
}

int reply_check_id(const char *text, struct err *e)
{
    static const char marks[] = "._~:@+=-";

    if (!*text)
        return err_set(e, "the run's id is empty");
    if (strlen(text) > ID_MAX)
        return err_set(e, "the run's id is %zu bytes long", strlen(text));
    if (strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
        return err_set(e, "the run's id is '%s'", text);
    for (const char *p = text; *p; p++) {
        if (!isalnum((unsigned char)*p) && !strchr(marks, *p))
            return err_set(e, "the run's id holds a character that no id has (byte 0x%02x)",
                           (unsigned char)*p);
    }
    return 0;
}

static int add_id(struct start_reply *r, const struct doc *value, struct err *e)
{
    struct buf text;
    int rc = -1;

    buf_init(&text, BUF_CAP_TEXT);
    if (!doc_add_text(&text, value))
        err_set(e, "the reply holds no run id");
    else if (doc_type(value) == DOC_BOOLEAN || doc_type(value) == DOC_REAL)
        err_set(e, "the run's id is neither a text nor an integer");
    else
        rc = reply_check_id(text.text, e);
    for (size_t i = 0; i < r->id_count && !rc; i++) {
        if (strcmp(r->ids[i], text.text) == 0)
            rc = err_set(e, "the reply names the run '%s' twice", text.text);
    }
    if (!rc) {
        r->ids = mem_grow(r->ids, &r->id_cap, r->id_count, sizeof(*r->ids));
        r->ids[r->id_count++] = buf_detach(&text);
    }
    buf_free(&text);
    return rc;
}

static int read_ids(struct start_reply *r, const struct provider *p, const struct doc *d,
                    struct err *e)
{
    const struct doc *list;

    for (size_t i = 0; i < p->start_id.count; i++) {
        const struct doc *value = doc_at(d, p->start_id.items[i]);

        if (doc_type(value) != DOC_NONE && doc_type(value) != DOC_NULL)
            return add_id(r, value, e);
    }
    if (!p->start_ids)
        return err_set(e, "the reply holds no run id (%s is missing)", p->start_id.items[0]);
    list = doc_at(d, p->start_ids);
    if (doc_type(list) != DOC_ARRAY || doc_size(list) > IDS_MAX)
        return err_set(e, "the reply holds no list of run ids at %s", p->start_ids);
    for (size_t i = 0; i < doc_size(list); i++) {
        if (add_id(r, doc_item(list, i), e))
            return -1;
    }
    return r->id_count ? 0 : err_set(e, "the list of run ids at %s is empty", p->start_ids);
}

/*
 * How many runs of the start there are beside those whose ids were taken. What the list of all
 * runs holds besides was refused, or else nobody would look at it; and where neither list can be
 * read, there may be such a run. More than IDS_MAX are as bad as that many.
 */
static size_t count_refused(const struct start_reply *r, const struct provider *p,
                            const struct doc *d)
{
    const struct doc *refused = p->start_refused ? doc_at(d, p->start_refused) : NULL;
    const struct doc *all = p->start_all ? doc_at(d, p->start_all) : NULL;
    size_t count = doc_size(refused);

    if (doc_type(all) == DOC_ARRAY && doc_size(all) > r->id_count + count)
        count = doc_size(all) - r->id_count;
    else if (p->start_all && doc_type(all) != DOC_ARRAY && doc_type(refused) != DOC_ARRAY)
        count = 1;
    return count < IDS_MAX ? count : IDS_MAX;
}

int reply_read_start(struct start_reply *r, const struct provider *p, const struct doc *d,
                     struct err *e)
{
    const struct rule *rule = rules_match(&p->start_rules, d);
    struct buf text;
    int rc;

    memset(r, 0, sizeof(*r));
    r->expect_ms = read_span(&p->start_expect, d);
    r->url = text_at(&p->start_url, d);
    if (rule) {
        r->outcome = rule->outcome;
        r->label = mem_strdup(rule->label);
    }
    buf_init(&text, BUF_CAP_TEXT);
    for (size_t i = 0; i < p->captures.count; i++) {
        if (!text_of(d, p->captures.items[i].template, &text))
            continue;
        r->captures = mem_grow(r->captures, &r->capture_cap, r->capture_count,
                               sizeof(*r->captures));
        r->captures[r->capture_count].name = mem_strdup(p->captures.items[i].target);
        r->captures[r->capture_count++].value = mem_strdup(text.text);
    }
    buf_free(&text);
    rc = read_ids(r, p, d, e);
    r->refused = count_refused(r, p, d);
    /* A start that was refused in so many words needs no id. */
    return rule && outcome_is_final(rule->outcome) ? 0 : rc;
}

void start_reply_free(struct start_reply *r)
{
    for (size_t i = 0; i < r->id_count; i++)
        free(r->ids[i]);
    free(r->ids);
    captures_free(r->captures, r->capture_count);
    free(r->label);
    mem_forget(r->url);
    memset(r, 0, sizeof(*r));
}

void reply_read_status(struct status_reply *r, const struct provider *p, const struct doc *d)
{
    const struct rule *rule = rules_match(&p->status_rules, d);
    struct buf seen;

    memset(r, 0, sizeof(*r));
    r->reason = text_at(&p->status_reason, d);
    r->url = text_at(&p->status_url, d);
    r->expect_ms = read_span(&p->status_expect, d);
    if (rule) {
        r->outcome = rule->outcome;
        r->label = mem_strdup(rule->label);
        return;
    }
    buf_init(&seen, BUF_CAP_TEXT);
    rules_add_seen(&seen, &p->status_rules, d);
    r->seen = buf_detach(&seen);
}

void status_reply_free(struct status_reply *r)
{
    free(r->label);
    mem_forget(r->seen);
    mem_forget(r->reason);
    mem_forget(r->url);
    memset(r, 0, sizeof(*r));
}

static void take_test(const struct provider *p, const struct doc *item, test_fn *take, void *user)
{
    const struct rule *rule = rules_match(&p->tests_rules, item);
    char *name = text_at(&p->tests_name, item);
    char *message = text_at(&p->tests_message, item);
    char *detail = text_at(&p->tests_detail, item);
    struct reported_test test = {.name = name,
                                 .outcome = rule ? rule->outcome : OUTCOME_UNKNOWN,
                                 .label = rule ? rule->label : NULL,
                                 .message = message,
                                 .detail = detail,
                                 .duration_ms = read_span(&p->tests_duration, item)};

    take(user, &test);
    mem_forget(name);
    mem_forget(message);
    mem_forget(detail);
}

/* Reads one array of tests; what is none holds none. */
static size_t each_test_of(const struct provider *p, const struct doc *list, struct scope *scope,
                           test_fn *take, void *user)
{
    size_t size = doc_type(list) == DOC_ARRAY ? doc_size(list) : 0;
    size_t count = 0;

    for (size_t i = 0; i < size; i++) {
        const struct doc *item = doc_item(list, i);

        if (!conditions_hold_for(&p->tests_where, item, scope_value, scope))
            continue;
        take_test(p, item, take, user);
        count++;
    }
    return count;
}

size_t reply_each_test(const struct provider *p, const struct doc *d, struct scope *scope,
                       test_fn *take, void *user)
{
    size_t count = 0;

    for (size_t i = 0; i < p->tests.count; i++)
        count += each_test_of(p, doc_at(d, p->tests.items[i]), scope, take, user);
    return count;
}

/* As text_at, of what can be an id: a text or an integer. */
static char *id_at(const struct pointers *pointers, const struct doc *item)
{
    for (size_t i = 0; i < pointers->count; i++) {
        const struct doc *value = doc_at(item, pointers->items[i]);
        const struct pointers one = {.items = &pointers->items[i], .count = 1};

        if (doc_type(value) == DOC_STRING || doc_type(value) == DOC_INTEGER)
            return text_at(&one, item);
    }
    return NULL;
}

/* The id of an element that can be ours and was made in time; NULL if it is none. */
static char *candidate(const struct provider *p, const struct doc *item, int64_t from_ms,
                       int64_t to_ms)
{
    struct err ignored = {""};
    struct buf created;
    int64_t at;
    char *id = NULL;

    buf_init(&created, BUF_CAP_TEXT);
    if (text_of(item, p->find_created, &created) && !clock_parse_iso(created.text, &at) &&
        at >= from_ms && at <= to_ms)
        id = id_at(&p->find_id, item);
    buf_free(&created);
    if (id && reply_check_id(id, &ignored)) {
        free(id);
        return NULL;
    }
    return id;
}

/* Takes the id over. Members of one start (tests of a folder) bear the same one. */
static void add_candidate(struct find_reply *r, char *id)
{
    bool there = r->id_count == FOUND_MAX;

    for (size_t i = 0; i < r->id_count && !there; i++)
        there = strcmp(r->ids[i], id) == 0;
    if (there) {
        free(id);
        return;
    }
    r->ids = mem_grow(r->ids, &r->id_cap, r->id_count, sizeof(*r->ids));
    r->ids[r->id_count++] = id;
}

static int compare_lengths(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

    return (left > right) - (left < right);
}

int reply_read_find(struct find_reply *r, const struct provider *p, const struct doc *d,
                    struct scope *scope, int64_t from_ms, int64_t to_ms, struct err *e)
{
    const char *pointer = p->find_items ? p->find_items : "";
    const struct doc *list = doc_at(d, pointer);
    size_t length_count = 0;
    int64_t *lengths;

    memset(r, 0, sizeof(*r));
    r->usual_ms = -1;
    if (doc_type(list) != DOC_ARRAY)
        return err_set(e, "the reply holds no list of runs%s%s", *pointer ? " at " : "", pointer);
    lengths = mem_alloc(doc_size(list), sizeof(*lengths));
    for (size_t i = 0; i < doc_size(list); i++) {
        const struct doc *item = doc_item(list, i);
        int64_t length;
        char *id;

        if (!conditions_hold_for(&p->find_where, item, scope_value, scope))
            continue;
        id = candidate(p, item, from_ms, to_ms);
        if (id)
            add_candidate(r, id);
        length = read_span(&p->find_duration, item);
        if (length > 0 && conditions_hold_for(&p->find_finished, item, scope_value, scope))
            lengths[length_count++] = length;
    }
    if (length_count) {
        qsort(lengths, length_count, sizeof(*lengths), compare_lengths);
        r->usual_ms = lengths[length_count / 2];
    }
    free(lengths);
    return 0;
}

void find_reply_free(struct find_reply *r)
{
    for (size_t i = 0; i < r->id_count; i++)
        free(r->ids[i]);
    free(r->ids);
    memset(r, 0, sizeof(*r));
}

void reply_each_property(const struct provider *p, const struct doc *d, property_fn *take,
                         void *user)
{
    struct buf text;

    buf_init(&text, BUF_CAP_TEXT);
    for (size_t i = 0; i < p->properties.count; i++) {
        if (text_of(d, p->properties.items[i].template, &text))
            take(user, p->properties.items[i].target, text.text);
    }
    buf_free(&text);
}

char *reply_message(const struct provider *p, const struct doc *d)
{
    char *message = text_at(&p->errors, d);
    struct buf all, more;

    if (!message)
        return NULL;
    buf_init(&all, BUF_CAP_TEXT);
    buf_init(&more, BUF_CAP_TEXT);
    buf_adds(&all, message);
    mem_forget(message);
    for (size_t i = 0; i < p->errors_more.count; i++) {
        const struct doc *at = doc_at(d, p->errors_more.items[i]);

        buf_clear(&more);
        if (!doc_add_text(&more, at) && doc_size(at))
            doc_print(&more, at, 0);
        if (more.len && !strstr(all.text, more.text))
            buf_addf(&all, " (%s)", more.text);
    }
    buf_free(&more);
    return buf_detach(&all);
}

char *reply_error_text(const struct provider *p, const char *body, size_t len)
{
    struct err ignored = {""};
    struct doc *d = doc_parse(body, len, &ignored);
    char *text = d ? reply_message(p, d) : NULL;
    size_t start = 0;
    struct buf b, raw;

    doc_free(d);
    while (start < len && isspace((unsigned char)body[start]))
        start++;
    if (text || start == len)
        return text;
    if (body[start] == '<')
        return mem_strdup("(an HTML page)");
    /* Starred before it is cut, for half a secret is one too; and the slice is a cut already. */
    buf_init(&b, BUF_CAP_TEXT);
    buf_init(&raw, BUF_CAP_TEXT);
    buf_add(&raw, body + start, len - start < SLICE_MAX ? len - start : SLICE_MAX);
    secret_redact_cut(&raw);
    text_add_clean(&b, raw.text, raw.len, TEXT_FOLD, EXCERPT_MAX);
    buf_free(&raw);
    if (b.len)
        return buf_detach(&b);
    buf_free(&b);
    return NULL;
}
