/* SPDX-License-Identifier: MIT */
/*
 * Reads what providers answer through the built-in definitions, and builds what is sent to them.
 * All of it is data: tests/providers/NAME holds replies, and beside them
 *
 *   expected.json  an entry a reply: what is to be read in it
 *   requests.ini   a section a request, "[start, with everything]": what is to be sent
 *
 * Members of an entry: file, kind (start, status, details, find or error), note (for people), id
 * (of the run, for tests.where), and what is to come out: outcome, state (the rule's label, null if
 * none holds), seen, reason, url, expect_ms, ids (null: none can be used), problem, refused,
 * captures, properties, tests (name, outcome, state, message, detail, duration_ms) and text (of an
 * error).
 * Of a find: params (values of the run, by name), intervals (from, to and the ids of the runs that
 * were made between them) and usual_ms (how long earlier runs took, or null); all three must be
 * there, and among the intervals one with a single id, and one with none.
 * Every rule of a definition must be hit, and every pointer to an id, a reason, an error or a
 * property must lead to something in one of the replies.
 * A member that is not there is not compared; outcome and state of a status, ids or outcome of a
 * start and text of an error must be there.
 *
 * Keys of requests.ini: set.KEY (a key of the run), ci.NAME, id, capture.NAME; request, headers
 * and body are what is to come out.
 */
#include "base/base.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "net/http.h"
#include "pipeline/ini.h"
#include "provider/bind.h"
#include "provider/registry.h"
#include "provider/reply.h"
#include "provider/request.h"

#include <dirent.h>
#include <jansson.h>

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

enum { RULES_MAX = 200 };

static struct registry *registry;
static size_t mistakes;

static void complain(const char *format, ...) PRINTF_LIKE(1, 2);

/* One run of the test shows all that is wrong with the files. */
static void complain(const char *format, ...)
{
    struct buf text;
    va_list ap;

    buf_init(&text, BUF_CAP_TEXT);
    va_start(ap, format);
    buf_vaddf(&text, format, ap);
    va_end(ap);
    print_error("%s\n", text.text);
    buf_free(&text);
    mistakes++;
}

/* --- files ------------------------------------------------------------------------------------ */

static const char *folder(void)
{
    const char *given = getenv("GOLDENS");

    return given && *given ? given : "tests/providers";
}

static int read_file(const char *provider, const char *name, struct buf *text)
{
    struct err e = {""};
    struct buf path;
    int rc;

    buf_init(&path, BUF_CAP_TEXT);
    buf_init(text, BUF_CAP_TEXT);
    buf_addf(&path, "%s/%s/%s", folder(), provider, name);
    rc = file_read(path.text, text, &e);
    if (rc)
        complain("%s", e.text);
    buf_free(&path);
    return rc;
}

static int read_ini(const char *provider, const char *name, struct ini *ini)
{
    struct diags d = {0};
    struct buf text, label;
    int rc = read_file(provider, name, &text);

    buf_init(&label, BUF_CAP_TEXT);
    buf_addf(&label, "%s/%s", provider, name);
    if (!rc)
        ini_load(ini, label.text, text.text, text.len, &d);
    for (size_t i = 0; i < d.count; i++)
        complain("%s:%d: %s", d.items[i].file, d.items[i].line, d.items[i].text);
    diags_free(&d);
    buf_free(&label);
    buf_free(&text);
    return rc;
}

static const char *value_of(const struct ini_section *s, const char *key)
{
    for (size_t i = 0; i < s->count; i++) {
        if (strcmp(s->entries[i].key, key) == 0)
            return s->entries[i].value;
    }
    return NULL;
}

/* --- what a reply says ------------------------------------------------------------------------ */

static json_t *text_or_null(const char *text)
{
    return text ? json_string(text) : json_null();
}

static json_t *ms_or_null(int64_t ms)
{
    return ms < 0 ? json_null() : json_integer(ms);
}

static void note_test(void *user, const struct reported_test *t)
{
    json_t *test = json_object();

    json_object_set_new(test, "name", text_or_null(t->name));
    json_object_set_new(test, "outcome", json_string(outcome_name(t->outcome)));
    json_object_set_new(test, "state", text_or_null(t->label));
    json_object_set_new(test, "message", text_or_null(t->message));
    json_object_set_new(test, "detail", text_or_null(t->detail));
    json_object_set_new(test, "duration_ms", ms_or_null(t->duration_ms));
    json_array_append_new(user, test);
}

static void note_property(void *user, const char *name, const char *value)
{
    json_object_set_new(user, name, json_string(value));
}

static void read_start(json_t *got, const struct provider *p, const struct doc *d)
{
    json_t *ids = json_array(), *captures = json_object();
    struct err e = {""};
    struct start_reply r;
    int rc = reply_read_start(&r, p, d, &e);

    for (size_t i = 0; i < r.id_count; i++)
        json_array_append_new(ids, json_string(r.ids[i]));
    for (size_t i = 0; i < r.capture_count; i++)
        json_object_set_new(captures, r.captures[i].name, json_string(r.captures[i].value));
    json_object_set_new(got, "ids", rc || !r.id_count ? json_null() : json_incref(ids));
    json_object_set_new(got, "problem", text_or_null(rc ? e.text : NULL));
    json_object_set_new(got, "refused", json_integer((json_int_t)r.refused));
    json_object_set_new(got, "outcome", json_string(outcome_name(r.outcome)));
    json_object_set_new(got, "state", text_or_null(r.label));
    json_object_set_new(got, "url", text_or_null(r.url));
    json_object_set_new(got, "expect_ms", ms_or_null(r.expect_ms));
    json_object_set_new(got, "captures", captures);
    json_decref(ids);
    start_reply_free(&r);
}

static void read_status(json_t *got, const struct provider *p, const struct doc *d)
{
    struct status_reply r;

    reply_read_status(&r, p, d);
    json_object_set_new(got, "outcome", json_string(outcome_name(r.outcome)));
    json_object_set_new(got, "state", text_or_null(r.label));
    json_object_set_new(got, "seen", text_or_null(r.seen));
    json_object_set_new(got, "reason", text_or_null(r.reason));
    json_object_set_new(got, "url", text_or_null(r.url));
    json_object_set_new(got, "expect_ms", ms_or_null(r.expect_ms));
    status_reply_free(&r);
}

/* --- which rules were hit --------------------------------------------------------------------- */

struct hits {
    bool status[RULES_MAX], start[RULES_MAX], tests[RULES_MAX];
    bool properties[RULES_MAX], ids[RULES_MAX], reasons[RULES_MAX], messages[RULES_MAX],
        more[RULES_MAX], urls[RULES_MAX], names[RULES_MAX], tells[RULES_MAX], details[RULES_MAX];
    size_t starts, statuses, errors, finds;
};

/* Notes which of the pointers lead to something. */
static void hit_pointers(const struct pointers *pointers, const struct doc *d, bool *hits)
{
    for (size_t i = 0; i < pointers->count; i++) {
        const struct doc *at = doc_at(d, pointers->items[i]);

        hits[i] |= doc_type(at) != DOC_NONE && doc_type(at) != DOC_NULL;
    }
}

static void check_pointers(const struct provider *p, const char *key,
                           const struct pointers *pointers, const bool *hits)
{
    for (size_t i = 0; i < pointers->count; i++) {
        if (!hits[i])
            complain("%s: no reply has anything at %s of %s", p->name, pointers->items[i], key);
    }
}

static void check_properties(const struct provider *p, const bool *hits)
{
    for (size_t i = 0; i < p->properties.count; i++) {
        const struct assignment *a = &p->properties.items[i];

        if (!hits[i] && strcmp(a->file, p->file) == 0)
            complain("%s: no reply has the property %s", p->name, a->target);
    }
}

static void hit_properties(const struct provider *p, const struct doc *d, bool *hits)
{
    for (size_t i = 0; i < p->properties.count; i++) {
        const struct doc *at = doc_at(d, p->properties.items[i].template);

        hits[i] |= doc_type(at) != DOC_NONE && doc_type(at) != DOC_NULL;
    }
}

static void hit(const struct rules *rules, const struct doc *d, bool *hits)
{
    const struct rule *rule = rules_match(rules, d);

    if (rule)
        hits[rule - rules->items] = true;
}

static void hit_tests(const struct provider *p, const struct doc *d, struct scope *scope,
                      struct hits *h)
{
    for (size_t k = 0; k < p->tests.count; k++) {
        const struct doc *list = doc_at(d, p->tests.items[k]);

        for (size_t i = 0; doc_type(list) == DOC_ARRAY && i < doc_size(list); i++) {
            if (!conditions_hold_for(&p->tests_where, doc_item(list, i), scope_value, scope))
                continue;
            hit(&p->tests_rules, doc_item(list, i), h->tests);
            hit_pointers(&p->tests_name, doc_item(list, i), h->names);
            hit_pointers(&p->tests_message, doc_item(list, i), h->tells);
            hit_pointers(&p->tests_detail, doc_item(list, i), h->details);
        }
    }
}

static void check_hits(const struct provider *p, const char *key, const struct rules *rules,
                       const bool *hits)
{
    /* What is taken over from another definition is tried there. */
    if (!rules->count || strcmp(rules->file, p->file) != 0)
        return;
    assert_true(rules->count <= RULES_MAX);
    for (size_t i = 0; i < rules->count; i++) {
        if (!hits[i])
            complain("%s: no reply is read by the rule '%s %s' of %s (line %d)", p->name,
                     outcome_name(rules->items[i].outcome), rules->items[i].label, key,
                     rules->items[i].line);
    }
}

/* --- replies turned into what must not pass --------------------------------------------------- */

static const char *const changes[] = {NULL, "null", "\"unheard-of\"", "[]", "{}", "[0]", "true",
                                      "12345", "\"\""};

/* A copy of the document in which the value at the pointer is taken out (change NULL) or
 * replaced; NULL if there is no such value. */
static struct doc *changed(const json_t *root, const char *pointer, const char *change)
{
    json_t *copy = json_deep_copy(root);
    json_t *at = copy, *parent = NULL;
    struct doc *d = NULL;
    struct buf token;
    size_t index = 0;

    buf_init(&token, BUF_CAP_TEXT);
    for (const char *p = pointer; at && *p;) {
        buf_clear(&token);
        for (p++; *p && *p != '/'; p++) {
            if (*p == '~')
                buf_addc(&token, *++p == '1' ? '/' : '~');
            else
                buf_addc(&token, *p);
        }
        parent = at;
        index = (size_t)strtoul(token.text, NULL, 10);
        at = json_is_array(parent) ? json_array_get(parent, index)
                                   : json_object_get(parent, token.text);
    }
    if (at && parent) {
        struct err e = {""};
        char *text;

        if (json_is_array(parent))
            change ? json_array_set_new(parent, index, json_loads(change, JSON_DECODE_ANY, NULL))
                   : json_array_remove(parent, index);
        else
            change ? json_object_set_new(parent, token.text,
                                         json_loads(change, JSON_DECODE_ANY, NULL))
                   : json_object_del(parent, token.text);
        text = json_dumps(copy, 0);
        d = doc_parse(text, strlen(text), &e);
        assert_non_null(d);
        free(text);
    }
    json_decref(copy);
    buf_free(&token);
    return d;
}

/* True if the condition holds with the changed value too, which then says what it said before. */
static bool still_holds(const struct condition *c, const char *change)
{
    bool null = !change || strcmp(change, "null") == 0;

    if (c->test != TEST_IN)
        return null == (c->test == TEST_MISSING);
    for (size_t i = 0; i < c->count && !null; i++) {
        const struct match *m = &c->matches[i];

        if (m->is_range ? strcmp(change, "12345") == 0 && m->low <= 12345 && m->high >= 12345
                        : strcmp(change, m->text) == 0)
            return true;
    }
    return false;
}

/* True if some way to pass asks for just this value. */
static bool may_pass(const struct rules *rules, const char *subject, const char *change)
{
    for (size_t i = 0; i < rules->count; i++) {
        const struct conditions *c = &rules->items[i].conditions;

        for (size_t j = 0; rules->items[i].outcome == OUTCOME_PASSED && j < c->count; j++) {
            if (strcmp(c->items[j].subject, subject) == 0 && still_holds(&c->items[j], change))
                return true;
        }
    }
    return false;
}

static void must_not_pass(const char *where, const struct rules *rules, const json_t *root,
                          const struct condition *c, bool passed)
{
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        bool null = !changes[i] || strcmp(changes[i], "null") == 0;
        const struct rule *rule;
        struct doc *d;

        /* Of a run that did not pass, a value that is gone can have been the reason. */
        if (passed ? still_holds(c, changes[i])
                   : null || may_pass(rules, c->subject, changes[i]))
            continue;
        d = changed(root, c->subject, changes[i]);
        rule = d ? rules_match(rules, d) : NULL;
        if (rule && rule->outcome == OUTCOME_PASSED)
            complain("%s: with %s %s the run %s", where, c->subject,
                     changes[i] ? changes[i] : "taken out", passed ? "passes still" : "passes");
        doc_free(d);
    }
}

/*
 * Replaces every value that the rules read. What made the run pass must not be missed, and what
 * kept it from passing must not be ignored when it is a word that nobody knows.
 */
static void change_values(const char *where, const struct rules *rules, const struct doc *d)
{
    const struct rule *rule = rules_match(rules, d);
    bool passed = rule && rule->outcome == OUTCOME_PASSED;
    struct buf text;
    json_t *root;

    buf_init(&text, BUF_CAP_TEXT);
    doc_print(&text, d, 0);
    root = json_loadb(text.text, text.len, JSON_DECODE_ANY, NULL);
    assert_non_null(root);
    if (passed) {
        for (size_t i = 0; i < rule->conditions.count; i++)
            must_not_pass(where, rules, root, &rule->conditions.items[i], true);
    }
    for (size_t i = 0; i < rules->count && !passed; i++) {
        for (size_t j = 0; j < rules->items[i].conditions.count; j++)
            must_not_pass(where, rules, root, &rules->items[i].conditions.items[j], false);
    }
    json_decref(root);
    buf_free(&text);
}

static void change_tests(const char *where, const struct provider *p, const struct doc *d)
{
    for (size_t k = 0; k < p->tests.count; k++) {
        const struct doc *list = doc_at(d, p->tests.items[k]);

        for (size_t i = 0; doc_type(list) == DOC_ARRAY && i < doc_size(list); i++)
            change_values(where, &p->tests_rules, doc_item(list, i));
    }
}

/* --- a reply ---------------------------------------------------------------------------------- */

static const char *member(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static bool is_compared(const char *key)
{
    static const char *const others[] = {"file", "kind", "note",      "id",
                                         "tests", "params", "intervals", "usual_ms"};

    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        if (strcmp(others[i], key) == 0)
            return false;
    }
    return true;
}

static void compare(const char *where, json_t *expected, json_t *got)
{
    const char *key;
    json_t *value;

    /* Of what has names of its own, those that stand here. */
    json_object_foreach(expected, key, value) {
        if (json_is_object(value))
            compare(where, value, json_object_get(got, key));
    }

    json_object_foreach(expected, key, value) {
        json_t *have = json_object_get(got, key);
        char *a, *b;

        if (!is_compared(key) || json_is_object(value) || (have && json_equal(have, value)))
            continue;
        a = json_dumps(value, JSON_ENCODE_ANY);
        b = have ? json_dumps(have, JSON_ENCODE_ANY) : mem_strdup("(nothing)");
        complain("%s: %s is %s, expected %s", where, key, b, a);
        free(a);
        free(b);
    }
}

static void compare_tests(const char *where, const json_t *expected, const json_t *got)
{
    const json_t *want = json_object_get(expected, "tests");
    const json_t *have = json_object_get(got, "tests");

    if (!want)
        return;
    if (json_array_size(want) != json_array_size(have))
        complain("%s: there are %zu tests, expected %zu", where, json_array_size(have),
                 json_array_size(want));
    for (size_t i = 0; i < json_array_size(want) && i < json_array_size(have); i++) {
        struct buf place;

        buf_init(&place, BUF_CAP_TEXT);
        buf_addf(&place, "%s, test %zu", where, i + 1);
        compare(place.text, json_array_get(want, i), json_array_get(have, i));
        buf_free(&place);
    }
}

static void need_members(const char *where, const json_t *entry, const char *const *keys)
{
    for (; *keys; keys++) {
        if (!json_object_get(entry, *keys))
            complain("%s: the entry lacks '%s'", where, *keys);
    }
}

/* --- lists of runs ---------------------------------------------------------------------------- */

/* The ids that a list names for an interval; NULL if it cannot be read. */
static json_t *ids_in(const struct provider *p, const struct doc *d, struct scope *scope,
                      int64_t from_ms, int64_t to_ms, int64_t *usual_ms)
{
    json_t *ids = json_array();
    struct find_reply r;
    struct err e = {""};
    int rc = reply_read_find(&r, p, d, scope, from_ms, to_ms, &e);

    for (size_t i = 0; i < r.id_count; i++)
        json_array_append_new(ids, json_string(r.ids[i]));
    *usual_ms = r.usual_ms;
    find_reply_free(&r);
    if (!rc)
        return ids;
    json_decref(ids);
    return NULL;
}

/*
 * A list of one run, in which one value that tells whose it is was taken out or replaced: it must
 * not be ours then. A replaced id that can be one is the id of another run.
 */
static void change_member(const char *where, const struct provider *p, struct scope *scope,
                          const json_t *root, const char *subject, const struct condition *c)
{
    struct buf pointer;

    buf_init(&pointer, BUF_CAP_TEXT);
    buf_addf(&pointer, "%s/0%s", p->find_items ? p->find_items : "", subject);
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        struct doc *d = changed(root, pointer.text, changes[i]);
        int64_t ignored;
        json_t *ids = d ? ids_in(p, d, scope, 0, INT64_MAX, &ignored) : NULL;
        bool is_id = !c && strcmp(subject, p->find_created) != 0;
        const char *id = json_string_value(json_array_get(ids, 0));

        if (d && !ids)
            complain("%s: with another %s it is no list any more", where, subject);
        else if (id && (!c || !still_holds(c, changes[i])) &&
                 !(is_id && changes[i] && strstr(changes[i], id)))
            complain("%s: with %s %s the run %s is ours", where, subject,
                     changes[i] ? changes[i] : "taken out", id);
        json_decref(ids);
        doc_free(d);
    }
    buf_free(&pointer);
}

static void change_list(const char *where, const struct provider *p, struct scope *scope,
                        const json_t *root)
{
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        struct doc *d = p->find_items ? changed(root, p->find_items, changes[i]) : NULL;
        int64_t usual_ms;
        json_t *ids = d ? ids_in(p, d, scope, 0, INT64_MAX, &usual_ms) : NULL;

        if (json_array_size(ids))
            complain("%s: with %s %s there are runs", where, p->find_items,
                     changes[i] ? changes[i] : "taken out");
        json_decref(ids);
        doc_free(d);
    }
}

/* Each run of the list alone. */
static void change_find(const char *where, const struct provider *p, struct scope *scope,
                        const struct doc *d)
{
    const struct doc *list = doc_at(d, p->find_items ? p->find_items : "");
    struct buf text;

    /* As it is built here, it is a member of the reply. */
    assert_true(!p->find_items || !strchr(p->find_items + 1, '/'));
    buf_init(&text, BUF_CAP_TEXT);
    for (size_t i = 0; i < doc_size(list); i++) {
        json_t *root;

        buf_clear(&text);
        buf_addf(&text, "%s%s%s[", p->find_items ? "{\"" : "",
                 p->find_items ? p->find_items + 1 : "", p->find_items ? "\":" : "");
        doc_print(&text, doc_item(list, i), 0);
        buf_adds(&text, p->find_items ? "]}" : "]");
        root = json_loadb(text.text, text.len, 0, NULL);
        assert_non_null(root);
        change_list(where, p, scope, root);
        change_member(where, p, scope, root, p->find_created, NULL);
        for (size_t k = 0; k < p->find_id.count; k++)
            change_member(where, p, scope, root, p->find_id.items[k], NULL);
        for (size_t k = 0; k < p->find_where.count; k++)
            change_member(where, p, scope, root, p->find_where.items[k].subject,
                          &p->find_where.items[k]);
        json_decref(root);
    }
    buf_free(&text);
}

static void check_interval(const char *where, const struct provider *p, struct scope *scope,
                           const struct doc *d, json_t *expected)
{
    const char *from = member(expected, "from"), *to = member(expected, "to");
    json_t *entry = json_object_get(expected, "ids");
    int64_t from_ms = 0, to_ms = 0, usual_ms;
    json_t *got = json_object(), *ids;

    if (!from || !to || clock_parse_iso(from, &from_ms) || clock_parse_iso(to, &to_ms) || !entry)
        complain("%s: an interval has from, to and ids", where);
    ids = ids_in(p, d, scope, from_ms, to_ms, &usual_ms);
    json_object_set_new(got, "ids", ids ? ids : json_null());
    json_object_set_new(got, "from", json_string(from));
    json_object_set_new(got, "to", json_string(to));
    compare(where, expected, got);
    json_decref(got);
}

static void check_find(const char *where, const struct provider *p, const struct doc *d,
                       json_t *expected, struct scope *scope)
{
    json_t *intervals = json_object_get(expected, "intervals"), *usual, *interval, *ids;
    size_t single = 0, none = 0, i;
    int64_t usual_ms;

    json_array_foreach(intervals, i, interval) {
        size_t count = json_array_size(json_object_get(interval, "ids"));

        single += count == 1;
        none += count == 0;
        check_interval(where, p, scope, d, interval);
    }
    if (!single || !none)
        complain("%s: there must be an interval with one run, and one with none", where);
    ids = ids_in(p, d, scope, 0, INT64_MAX, &usual_ms);
    json_decref(ids);
    usual = ms_or_null(usual_ms);
    if (!json_equal(usual, json_object_get(expected, "usual_ms")))
        complain("%s: usual_ms is %" PRId64, where, usual_ms);
    if (!p->find_duration.to != (usual_ms < 0))
        complain("%s: it must tell how long earlier runs took", where);
    json_decref(usual);
    change_find(where, p, scope, d);
}

/* --- any reply -------------------------------------------------------------------------------- */

static void check_document(const char *where, const char *kind, const struct provider *p,
                           const struct doc *d, json_t *expected, struct hits *h)
{
    static const char *const of_start[] = {"ids", NULL}, *const of_status[] = {"outcome", "state",
                                                                               NULL},
                      *const of_find[] = {"params", "intervals", "usual_ms", NULL};
    struct binding binding = {.provider = p};
    struct scope scope = {.binding = &binding, .id = member(expected, "id")};
    json_t *got = json_object(), *tests = json_array(), *properties = json_object();

    binding.values = mem_alloc(p->param_count, sizeof(*binding.values));
    for (size_t i = 0; i < p->param_count; i++)
        binding.values[i].text =
            mem_strdup(member(json_object_get(expected, "params"), p->params[i].name));
    json_object_set_new(got, "tests", tests);
    json_object_set_new(got, "properties", properties);
    if (strcmp(kind, "start") == 0) {
        if (!json_object_get(expected, "outcome"))
            need_members(where, expected, of_start);
        read_start(got, p, d);
        hit(&p->start_rules, d, h->start);
        hit_pointers(&p->start_id, d, h->ids);
        hit_pointers(&p->start_url, d, h->urls);
        h->starts++;
    } else if (strcmp(kind, "status") == 0 || strcmp(kind, "details") == 0) {
        if (strcmp(kind, "status") == 0) {
            need_members(where, expected, of_status);
            read_status(got, p, d);
            hit(&p->status_rules, d, h->status);
            hit_pointers(&p->status_reason, d, h->reasons);
            change_values(where, &p->status_rules, d);
            h->statuses++;
        }
        reply_each_test(p, d, &scope, note_test, tests);
        reply_each_property(p, d, note_property, properties);
        hit_tests(p, d, &scope, h);
        hit_properties(p, d, h->properties);
        change_tests(where, p, d);
    } else if (strcmp(kind, "find") == 0) {
        need_members(where, expected, of_find);
        check_find(where, p, d, expected, &scope);
        json_object_set(got, "params", json_object_get(expected, "params"));
        h->finds++;
    } else {
        complain("%s: '%s' is not start, status, details, find or error", where, kind);
    }
    compare(where, expected, got);
    compare_tests(where, expected, got);
    json_decref(got);
    for (size_t i = 0; i < p->param_count; i++)
        free(binding.values[i].text);
    free(binding.values);
}

static void check_reply(const struct provider *p, json_t *expected, struct hits *h)
{
    static const char *const of_all[] = {"file", "kind", NULL}, *const of_error[] = {"text", NULL};
    const char *file = member(expected, "file"), *kind = member(expected, "kind");
    struct err e = {""};
    struct buf body, where;
    struct doc *d;

    buf_init(&where, BUF_CAP_TEXT);
    buf_addf(&where, "%s/%s", p->name, file ? file : "expected.json");
    need_members(where.text, expected, of_all);
    if (!file || !kind || read_file(p->name, file, &body)) {
        buf_free(&where);
        return;
    }
    if (strcmp(kind, "error") == 0) {
        char *text = reply_error_text(p, body.text, body.len);
        json_t *got = json_object();

        need_members(where.text, expected, of_error);
        json_object_set_new(got, "text", text_or_null(text));
        compare(where.text, expected, got);
        json_decref(got);
        free(text);
        d = doc_parse(body.text, body.len, &e); /* NULL where it is not JSON */
        hit_pointers(&p->errors, d, h->messages);
        hit_pointers(&p->errors_more, d, h->more);
        doc_free(d);
        h->errors++;
    } else if ((d = doc_parse(body.text, body.len, &e))) {
        check_document(where.text, kind, p, d, expected, h);
        doc_free(d);
    } else {
        complain("%s: %s", where.text, e.text);
    }
    buf_free(&body);
    buf_free(&where);
}

/* Every file of the folder has an entry that says what is to be read in it. */
static void check_listed(const char *provider, const json_t *entries)
{
    struct dirent *entry;
    struct buf path;
    DIR *dir;

    buf_init(&path, BUF_CAP_TEXT);
    buf_addf(&path, "%s/%s", folder(), provider);
    dir = opendir(path.text);
    while (dir && (entry = readdir(dir))) {
        size_t i = 0;

        if (entry->d_name[0] == '.' || strcmp(entry->d_name, "expected.json") == 0 ||
            strcmp(entry->d_name, "requests.ini") == 0)
            continue;
        while (i < json_array_size(entries) &&
               strcmp(member(json_array_get(entries, i), "file"), entry->d_name) != 0)
            i++;
        if (i == json_array_size(entries))
            complain("%s/%s stands nowhere in expected.json", provider, entry->d_name);
    }
    if (dir)
        closedir(dir);
    buf_free(&path);
}

static json_t *read_entries(const char *provider)
{
    json_error_t error;
    json_t *entries = NULL;
    struct buf text;

    if (!read_file(provider, "expected.json", &text)) {
        entries = json_loadb(text.text, text.len, JSON_REJECT_DUPLICATES, &error);
        if (!entries)
            complain("%s/expected.json:%d: %s", provider, error.line, error.text);
    }
    buf_free(&text);
    return entries;
}

static void test_replies(void **state)
{
    const char *name;

    (void)state;
    mistakes = 0;
    for (size_t i = 0; (name = registry_name(registry, i)); i++) {
        const struct provider *p = registry_find(registry, name);
        json_t *entries = read_entries(name);
        struct hits h = {.starts = 0};

        if (!p || !entries) {
            complain("%s: a provider without replies to try it with does not ship", name);
            json_decref(entries);
            continue;
        }
        for (size_t j = 0; j < json_array_size(entries); j++)
            check_reply(p, json_array_get(entries, j), &h);
        check_listed(name, entries);
        check_hits(p, "status.rules", &p->status_rules, h.status);
        check_hits(p, "start.rules", &p->start_rules, h.start);
        check_hits(p, "tests.rules", &p->tests_rules, h.tests);
        check_pointers(p, "start.id", &p->start_id, h.ids);
        check_pointers(p, "start.url", &p->start_url, h.urls);
        check_pointers(p, "tests.name", &p->tests_name, h.names);
        check_pointers(p, "tests.message", &p->tests_message, h.tells);
        check_pointers(p, "tests.detail", &p->tests_detail, h.details);
        check_pointers(p, "status.reason", &p->status_reason, h.reasons);
        check_pointers(p, "errors", &p->errors, h.messages);
        check_pointers(p, "errors.more", &p->errors_more, h.more);
        check_properties(p, h.properties);
        if (!h.starts || !h.statuses || !h.errors)
            complain("%s: %zu replies to start, %zu to status, %zu errors: there must be some",
                     name, h.starts, h.statuses, h.errors);
        if (p->requests[REQUEST_FIND].method && !h.finds)
            complain("%s: there is no list of runs to find a lost one in", name);
        json_decref(entries);
    }
    assert_int_equal(mistakes, 0);
}

/* A folder belongs to a built-in definition. */
static void test_folders(void **state)
{
    DIR *dir = opendir(folder());
    struct dirent *entry;

    (void)state;
    assert_non_null(dir);
    while ((entry = readdir(dir))) {
        if (entry->d_name[0] != '.' && !registry_has(registry, entry->d_name))
            fail_msg("%s/%s: there is no such provider", folder(), entry->d_name);
    }
    closedir(dir);
}

/* --- requests --------------------------------------------------------------------------------- */

enum { KEYS_MAX = 60 };

struct inputs {
    struct override overrides[KEYS_MAX];
    struct capture captures[KEYS_MAX];
    size_t override_count, capture_count;
    struct ci ci;
};

static const char *no_environment(const char *name)
{
    (void)name;
    return NULL;
}

static void take_inputs(struct inputs *in, const struct provider *p, const struct ini_section *s,
                        bool *params_used)
{
    memset(in, 0, sizeof(*in));
    in->overrides[in->override_count++] =
        (struct override){"r", "provider", p->name, "provider", false};
    for (size_t i = 0; i < s->count; i++) {
        const char *key = s->entries[i].key;
        char *value = s->entries[i].value;
        const struct param *param = text_starts(key, "set.") ? provider_param(p, key + 4) : NULL;

        assert_true(i + 1 < KEYS_MAX);
        if (param)
            params_used[param - p->params] = true;
        if (text_starts(key, "set."))
            in->overrides[in->override_count++] =
                (struct override){"r", key + 4, value, key, false};
        if (text_starts(key, "capture."))
            in->captures[in->capture_count++] =
                (struct capture){(char *)(uintptr_t)(key + 8), value};
        for (size_t v = 0; text_starts(key, "ci.") && ci_value_name(v); v++) {
            if (strcmp(ci_value_name(v), key + 3) == 0)
                mem_replace(&in->ci.values[v], value);
        }
    }
}

static void compare_text(const char *where, const char *what, const char *expected,
                         const char *got)
{
    if (strcmp(expected ? expected : "(none)", got ? got : "(none)") != 0)
        complain("%s: the %s differs: got\n%s\nexpected\n%s", where, what, got ? got : "(none)",
                 expected ? expected : "(none)");
}

/* Bodies are the same if their values are, whatever the order of their members. */
static void compare_bodies(const char *where, const char *expected, const char *got)
{
    json_t *a = expected ? json_loads(expected, JSON_REJECT_DUPLICATES, NULL) : NULL;
    json_t *b = got ? json_loads(got, JSON_REJECT_DUPLICATES, NULL) : NULL;

    if (!a || !b || !json_equal(a, b))
        compare_text(where, "body", expected, got);
    json_decref(a);
    json_decref(b);
}

static void compare_request(const char *where, const struct ini_section *s,
                            const struct request *r)
{
    struct err e = {""};
    struct buf b;

    buf_init(&b, BUF_CAP_TEXT);
    buf_addf(&b, "%s %s", r->method, r->url);
    if (http_url_check(r->url, NULL, NULL, &e))
        complain("%s: %s", where, e.text);
    compare_text(where, "request", value_of(s, "request"), b.text);
    buf_clear(&b);
    for (size_t i = 0; i < r->header_count; i++)
        buf_addf(&b, "%s%s: %s", i ? "\n" : "", r->headers[i].name, r->headers[i].value);
    compare_text(where, "head", value_of(s, "headers"), b.text);
    compare_bodies(where, value_of(s, "body"), r->body);
    buf_free(&b);
}

static void check_request(const struct provider *p, const struct ini_section *s,
                          bool *params_used, bool *kinds_used)
{
    static const struct vars vars = {.getenv = no_environment};
    struct pipeline_source source = {.file = "test", .ad_hoc = "r", .vars = vars};
    struct diags d = {0}, warnings = {0};
    struct binding binding = {.values = NULL};
    struct scope scope = {.binding = &binding, .id = value_of(s, "id")};
    struct pipeline pipeline;
    struct request request;
    struct err e = {""};
    struct inputs in;
    struct buf where;
    int kind = 0;

    buf_init(&where, BUF_CAP_TEXT);
    buf_addf(&where, "%s/requests.ini [%s]", p->name, s->name);
    while (kind < REQUEST_KIND_COUNT &&
           (!p->requests[kind].method ||
            strncmp(request_kind_name((enum request_kind)kind), s->name,
                    strcspn(s->name, ",")) != 0))
        kind++;
    take_inputs(&in, p, s, params_used);
    source.overrides = in.overrides;
    source.override_count = in.override_count;
    pipeline_load(&pipeline, &source, &d);
    binding_make(&binding, &pipeline, &pipeline.runs[0], p, &in.ci, &vars, &d, &warnings);
    scope.captures = in.captures;
    scope.capture_count = in.capture_count;
    for (size_t i = 0; i < d.count; i++)
        complain("%s: %s: %s", where.text, d.items[i].file, d.items[i].text);
    if (kind == REQUEST_KIND_COUNT) {
        complain("%s: the provider has no such request", where.text);
    } else if (!d.count) {
        kinds_used[kind] = true;
        if (request_make(&request, (enum request_kind)kind, &scope, &e))
            complain("%s: %s", where.text, e.text);
        else
            compare_request(where.text, s, &request);
        request_free(&request);
    }
    binding_free(&binding);
    pipeline_free(&pipeline);
    ci_free(&in.ci);
    diags_free(&d);
    diags_free(&warnings);
    buf_free(&where);
    secret_clear();
}

static void test_requests(void **state)
{
    const char *name;

    (void)state;
    mistakes = 0;
    for (size_t i = 0; (name = registry_name(registry, i)); i++) {
        const struct provider *p = registry_find(registry, name);
        bool params_used[KEYS_MAX] = {false}, kinds_used[REQUEST_KIND_COUNT] = {false};
        struct ini requests;

        assert_true(p->param_count <= KEYS_MAX);
        if (read_ini(name, "requests.ini", &requests))
            continue;
        for (size_t j = 0; j < requests.count; j++)
            check_request(p, &requests.sections[j], params_used, kinds_used);
        for (size_t j = 0; j < p->param_count; j++) {
            if (!params_used[j])
                complain("%s: no request is tried with the parameter %s", name, p->params[j].name);
        }
        for (int kind = 0; kind < REQUEST_KIND_COUNT; kind++) {
            if (p->requests[kind].method && !kinds_used[kind])
                complain("%s: the request '%s' is not tried", name,
                         request_kind_name((enum request_kind)kind));
        }
        ini_free(&requests);
    }
    assert_int_equal(mistakes, 0);
}

static int set_up(void **state)
{
    struct diags d = {0};

    (void)state;
    registry = registry_new(NULL, 0, &d);
    return d.count ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    registry_free(registry);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replies),
        cmocka_unit_test(test_folders),
        cmocka_unit_test(test_requests),
    };

    return cmocka_run_group_tests_name("goldens", tests, set_up, tear_down);
}
