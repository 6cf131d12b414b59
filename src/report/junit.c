/* SPDX-License-Identifier: MIT */
/*
 * Owns the JUnit report. It must not judge a run: how one stands is said by report/words.h, and
 * is only put into the elements here.
 */
#include "base/base.h"

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/xml.h"
#include "report/junit.h"
#include "report/words.h"

#include <assert.h>

enum {
    BUDGET = 24 << 20, /* of the document, in bytes; GitLab refuses files over 30 MB */
    CASE_COST = 160,   /* the markup of a case: tags, attribute names, indentation */
    MESSAGE_MAX = 300, /* of the message attribute, which is shown in one line */
    CLASS_MAX = 200,
    NAME_MAX_BYTES = 500
};

/* What stands inside a testcase; one of them at most, or the stricter schema refuses it. */
enum kind {
    KIND_PASSED, /* nothing */
    KIND_SKIPPED,
    KIND_ERROR,
    KIND_FAILURE
};

enum { KIND_COUNT = KIND_FAILURE + 1 };

static const struct {
    const char *element;
    bool typed; /* the stricter schema wants a type here, and none in skipped */
} kinds[] = {
    [KIND_PASSED] = {NULL, false},
    [KIND_SKIPPED] = {"skipped", false},
    [KIND_ERROR] = {"error", true},
    [KIND_FAILURE] = {"failure", true},
};
static_assert(ARRAY_LEN(kinds) == KIND_COUNT, "every kind of case has an element");

struct test_case {
    enum kind kind;
    const char *type; /* a word of ours: some readers take words such as "date" for a type cast */
    char *classname, *name;
    char *message; /* one short line */
    char *text;    /* all there is to say, the message included */
    int64_t duration_ms;
};

struct cases {
    struct test_case *items;
    size_t count, cap;
};

struct writer {
    struct xml xml;
    struct map names; /* of each class and name the highest number given to it, for readers drop the
                         second of two equal cases */
    const struct gate_result *gate;
    int64_t left; /* of the budget */
    int64_t suites;
};

/* The name, with " (2)" or the like behind it where the class has such a case already. */
static char *unique_name(struct map *names, const char *classname, const char *name)
{
    struct buf first, key;
    size_t name_at, copies;
    char *result;

    buf_init(&first, BUF_CAP_TEXT);
    buf_init(&key, BUF_CAP_TEXT);
    buf_addf(&first, "%s\n", classname);
    name_at = first.len;
    buf_adds(&first, name);
    buf_adds(&key, first.text);
    while (*map_at(names, key.text)) {
        copies = ++*map_at(names, first.text);
        buf_truncate(&key, name_at);
        buf_addf(&key, "%s (%zu)", name, copies);
    }
    *map_at(names, key.text) = 1;
    result = mem_strdup(key.text + name_at);
    buf_free(&first);
    buf_free(&key);
    return result;
}

static bool is_blank(const char *text)
{
    return !text || !*text;
}

/* How long the text becomes in the document at most. */
static int64_t cost_of(const char *text)
{
    int64_t cost = 0;

    for (; *text; text++)
        cost += strchr("&<>\"", *text) ? 6 : 1;
    return cost;
}

static bool spend(struct writer *w, int64_t cost)
{
    if (cost > w->left)
        return false;
    w->left -= cost;
    return true;
}

static void free_case(struct test_case *c)
{
    free(c->classname);
    free(c->name);
    free(c->message);
    free(c->text);
}

/*
 * Takes the case over, whose name need not be unique yet. A case that does not fit is taken
 * without its text, or not at all unless it is forced; false then.
 */
static bool add_case(struct writer *w, struct cases *cases, struct test_case *c, bool force)
{
    int64_t cost = CASE_COST + cost_of(c->classname) + cost_of(c->name) + cost_of(c->message);
    char *name;

    if (spend(w, cost + cost_of(c->text))) {
        force = true;
    } else if (spend(w, cost + cost_of(c->message))) {
        mem_replace(&c->text, c->message);
        force = true;
    }
    if (!force) {
        free_case(c);
        return false;
    }
    name = unique_name(&w->names, c->classname, c->name);
    free(c->name);
    c->name = name;
    cases->items = mem_grow(cases->items, &cases->cap, cases->count, sizeof(*cases->items));
    cases->items[cases->count++] = *c;
    return true;
}

static void add_line(struct buf *b, const char *label, const char *text)
{
    if (is_blank(text))
        return;
    buf_addf(b, "\n%s: ", label);
    words_add_text(b, text, TEXT_FOLD, WORDS_LINE_MAX);
}

static enum kind kind_of_run(enum standing s)
{
    switch (s) {
    case STANDING_PASSED:
        return KIND_PASSED;
    case STANDING_EXCUSED:
    case STANDING_NOT_STARTED:
        return KIND_SKIPPED;
    case STANDING_FAILED:
        return KIND_FAILURE;
    case STANDING_UNKNOWN:
    case STANDING_ERROR:
        break;
    }
    return KIND_ERROR;
}

static void add_verdict(struct writer *w, struct cases *cases, const struct run_result *r)
{
    struct test_case c = {.kind = kind_of_run(words_standing(w->gate, r)),
                          .type = outcome_name(r->outcome),
                          .duration_ms = r->duration_ms};
    struct buf text;

    buf_init(&text, BUF_CAP_TEXT);
    words_add_run(&text, w->gate, r);
    c.classname = mem_strdup(r->name);
    c.name = mem_strdup("verdict");
    c.message = words_text(text.text, TEXT_FOLD, MESSAGE_MAX);
    add_line(&text, "provider", r->provider);
    add_line(&text, "state", r->state);
    add_line(&text, "run id", r->run_id);
    add_line(&text, "URL", r->url);
    c.text = buf_detach(&text);
    add_case(w, cases, &c, true);
}

static enum kind kind_of_test(enum outcome o, bool against)
{
    switch (o) {
    case OUTCOME_PASSED:
        return KIND_PASSED;
    case OUTCOME_SKIPPED:
        return KIND_SKIPPED;
    case OUTCOME_FAILED:
        return against ? KIND_FAILURE : KIND_SKIPPED;
    case OUTCOME_UNKNOWN:
    case OUTCOME_RUNNING:
    case OUTCOME_ERROR:
    case OUTCOME_TIMED_OUT:
    case OUTCOME_CANCELLED:
    case OUTCOME_EMPTY:
    case OUTCOME_START_UNKNOWN:
        break;
    }
    return against ? KIND_ERROR : KIND_SKIPPED;
}

/* Why a test that did not pass is shown as skipped. */
static const char *excuse(enum standing s, const struct run_result *r)
{
    if (s == STANDING_PASSED)
        return ", but its run passed";
    if (r->counts_as == OUTCOME_PASSED)
        return ", but its run counts as passed";
    return r->required ? ", but the gate passed without its run" : ", but its run is not required";
}

static char *class_of(const struct run_result *r, size_t remote)
{
    struct buf b;

    buf_init(&b, BUF_CAP_TEXT);
    buf_adds(&b, r->name);
    if (r->remote_count > 1) {
        buf_addc(&b, '.');
        if (is_blank(r->remotes[remote].id))
            buf_addf(&b, "%zu", remote + 1);
        else
            words_add_text(&b, r->remotes[remote].id, TEXT_FOLD, CLASS_MAX);
    }
    return buf_detach(&b);
}

static char *name_of(const struct test_result *t)
{
    char *name = words_text(t->name, TEXT_FOLD, NAME_MAX_BYTES);

    if (!*name)
        mem_replace(&name, "(no name)");
    return name;
}

static bool add_test(struct writer *w, struct cases *cases, const struct run_result *r,
                     size_t remote, const struct test_result *t)
{
    enum standing s = words_standing(w->gate, r);
    struct test_case c = {.kind = kind_of_test(t->outcome, words_against(s)),
                          .type = outcome_name(t->outcome),
                          .duration_ms = t->duration_ms};
    struct buf text;

    buf_init(&text, BUF_CAP_TEXT);
    if (c.kind != KIND_PASSED) {
        bool excused = !words_against(s) && words_test_stands_out(t);

        if (excused || is_blank(t->message))
            buf_adds(&text, outcome_name(t->outcome));
        if (excused)
            buf_adds(&text, excuse(s, r));
        if (!is_blank(t->message)) {
            buf_adds(&text, excused ? ": " : "");
            words_add_text(&text, t->message, TEXT_FOLD, WORDS_LINE_MAX);
        }
    }
    c.message = words_text(text.text, TEXT_FOLD, MESSAGE_MAX);
    if (c.kind != KIND_PASSED) {
        if (!is_blank(t->detail)) {
            buf_addc(&text, '\n');
            words_add_text(&text, t->detail, TEXT_LINES, WORDS_LINES_MAX);
        }
        add_line(&text, "state", t->state);
    }
    c.text = buf_detach(&text);
    c.classname = class_of(r, remote);
    c.name = name_of(t);
    return add_case(w, cases, &c, false);
}

/* One case for all tests that did not fit, as bad as the worst of them. */
static void add_left_out(struct writer *w, struct cases *cases, const struct run_result *r,
                         const size_t *left_out)
{
    struct test_case c = {.kind = KIND_SKIPPED, .type = outcome_name(OUTCOME_FAILED)};
    size_t count = 0;
    struct buf b;

    for (int kind = 0; kind < KIND_COUNT; kind++)
        count += left_out[kind];
    if (!count)
        return;
    if (left_out[KIND_FAILURE]) {
        c.kind = KIND_FAILURE;
    } else if (left_out[KIND_ERROR]) {
        c.kind = KIND_ERROR;
        c.type = outcome_name(OUTCOME_ERROR);
    }
    buf_init(&b, BUF_CAP_TEXT);
    buf_addf(&b, "%zu more tests", count);
    c.name = buf_detach(&b);
    buf_addf(&b,
             "not listed, the report would be too large: %zu failed, %zu without a verdict, "
             "%zu skipped, %zu passed",
             left_out[KIND_FAILURE], left_out[KIND_ERROR], left_out[KIND_SKIPPED],
             left_out[KIND_PASSED]);
    c.text = buf_detach(&b);
    c.message = mem_strdup(c.text);
    c.classname = mem_strdup(r->name);
    add_case(w, cases, &c, true);
}

static void add_tests(struct writer *w, struct cases *cases, const struct run_result *r)
{
    bool against = words_against(words_standing(w->gate, r));
    size_t left_out[KIND_COUNT] = {0};

    for (size_t i = 0; i < r->remote_count; i++) {
        for (size_t j = 0; j < r->remotes[i].test_count; j++) {
            const struct test_result *t = &r->remotes[i].tests[j];

            if (!add_test(w, cases, r, i, t))
                left_out[kind_of_test(t->outcome, against)]++;
        }
    }
    add_left_out(w, cases, r, left_out);
}

/* The time in UTC without a zone: the stricter schema allows none. */
static void write_timestamp(struct writer *w, int64_t at)
{
    struct buf b;

    buf_init(&b, BUF_CAP_TEXT);
    clock_add_iso(&b, at, false);
    if (b.len)
        buf_truncate(&b, b.len - 1);
    xml_attr(&w->xml, "timestamp", b.text);
    buf_free(&b);
}

static void open_suite(struct writer *w, const char *name, const char *host, int64_t started,
                       int64_t duration_ms, const struct cases *cases)
{
    int64_t counts[KIND_COUNT] = {0};

    for (size_t i = 0; i < cases->count; i++)
        counts[cases->items[i].kind]++;
    xml_open(&w->xml, "testsuite");
    xml_attr(&w->xml, "name", name);
    xml_attr(&w->xml, "package", "rungate");
    xml_attr_number(&w->xml, "id", w->suites++);
    xml_attr(&w->xml, "hostname", is_blank(host) ? "localhost" : host);
    write_timestamp(w, started ? started : w->gate->started);
    xml_attr_number(&w->xml, "tests", (int64_t)cases->count);
    xml_attr_number(&w->xml, "failures", counts[KIND_FAILURE]);
    xml_attr_number(&w->xml, "errors", counts[KIND_ERROR]);
    xml_attr_number(&w->xml, "skipped", counts[KIND_SKIPPED]);
    xml_attr_seconds(&w->xml, "time", duration_ms);
}

static void write_property(struct writer *w, const char *name, const char *value)
{
    char *clean;

    if (is_blank(value))
        return;
    clean = words_text(value, TEXT_FOLD, WORDS_LINE_MAX);
    xml_open(&w->xml, "property");
    xml_attr(&w->xml, "name", name);
    xml_attr(&w->xml, "value", clean);
    xml_close(&w->xml);
    free(clean);
}

static void write_number(struct writer *w, const char *name, int64_t value)
{
    struct buf b;

    buf_init(&b, BUF_CAP_TEXT);
    buf_addf(&b, "%" PRId64, value);
    write_property(w, name, b.text);
    buf_free(&b);
}

/* "failed: reason, run 17, https://..." */
static void add_story(struct buf *b, enum outcome o, const char *reason, const char *id,
                      const char *url)
{
    buf_adds(b, outcome_name(o));
    if (!is_blank(reason))
        buf_addf(b, ": %s", reason);
    if (!is_blank(id))
        buf_addf(b, ", run %s", id);
    if (!is_blank(url))
        buf_addf(b, ", %s", url);
}

/* A property that there may be any number of, so that it is left out when there is no room. */
static void write_further(struct writer *w, const struct buf *name, const char *value)
{
    char *clean = words_text(name->text, TEXT_FOLD, CLASS_MAX);

    if (spend(w, CASE_COST + cost_of(clean) + cost_of(value)))
        write_property(w, clean, value);
    free(clean);
}

static void write_remote(struct writer *w, const struct run_result *r, size_t remote)
{
    const struct remote_run *at = &r->remotes[remote];
    bool several = r->remote_count > 1;
    struct buf name, value;
    size_t prefix;

    buf_init(&name, BUF_CAP_TEXT);
    buf_init(&value, BUF_CAP_TEXT);
    if (several) {
        buf_addf(&name, "remote.%zu", remote + 1);
        add_story(&value, at->outcome, at->reason, at->id, at->url);
        write_further(w, &name, value.text);
        buf_addc(&name, '.');
    } else {
        buf_adds(&name, "remote.");
    }
    prefix = name.len;
    for (size_t i = 0; i < at->property_count; i++) {
        buf_truncate(&name, prefix);
        buf_adds(&name, at->properties[i].name);
        write_further(w, &name, at->properties[i].value ? at->properties[i].value : "");
    }
    buf_free(&name);
    buf_free(&value);
}

static void write_properties(struct writer *w, const struct run_result *r)
{
    struct buf name, value;

    buf_init(&name, BUF_CAP_TEXT);
    buf_init(&value, BUF_CAP_TEXT);
    xml_open(&w->xml, "properties");
    write_property(w, "provider", r->provider);
    write_property(w, "outcome", outcome_name(r->outcome));
    if (r->mapped_by) {
        write_property(w, "counts_as", outcome_name(r->counts_as));
        write_property(w, "mapped_by", r->mapped_by);
    }
    write_property(w, "required", r->required ? "yes" : "no");
    write_property(w, "run_id", r->run_id);
    write_property(w, "url", r->url);
    write_property(w, "state", r->state);
    write_number(w, "attempt", r->attempt);
    write_property(w, "attached", r->attached ? "yes" : "no");
    write_property(w, "flaky", r->flaky ? "yes" : "no");
    write_number(w, "polls", r->polls);
    write_number(w, "requests", r->requests);
    for (size_t i = 0; i < r->past_count; i++) {
        const struct past_attempt *past = &r->past[i];

        buf_clear(&name);
        buf_clear(&value);
        buf_addf(&name, "attempt.%zu", i + 1);
        add_story(&value, past->outcome, past->reason, past->run_id, past->url);
        write_further(w, &name, value.text);
    }
    for (size_t i = 0; i < r->remote_count; i++)
        write_remote(w, r, i);
    for (size_t i = 0; i < r->warning_count; i++) {
        buf_clear(&name);
        buf_addf(&name, "warning.%zu", i + 1);
        write_further(w, &name, r->warnings[i]);
    }
    xml_close(&w->xml);
    buf_free(&name);
    buf_free(&value);
}

static void write_cases(struct writer *w, const struct cases *cases)
{
    for (size_t i = 0; i < cases->count; i++) {
        const struct test_case *c = &cases->items[i];

        xml_open(&w->xml, "testcase");
        xml_attr(&w->xml, "name", c->name);
        xml_attr(&w->xml, "classname", c->classname);
        xml_attr_seconds(&w->xml, "time", c->duration_ms);
        if (kinds[c->kind].element) {
            xml_open(&w->xml, kinds[c->kind].element);
            if (kinds[c->kind].typed)
                xml_attr(&w->xml, "type", c->type);
            xml_attr(&w->xml, "message", c->message);
            xml_text(&w->xml, c->text);
            xml_close(&w->xml);
        }
        xml_close(&w->xml);
    }
}

static void write_stream(struct writer *w, const char *name, const struct buf *text)
{
    xml_open(&w->xml, name);
    if (spend(w, cost_of(text->text)))
        xml_text(&w->xml, text->text);
    xml_close(&w->xml);
}

static void write_streams(struct writer *w, const struct run_result *r)
{
    struct buf b;

    buf_init(&b, BUF_CAP_TEXT);
    for (size_t i = 0; r && i < r->state_count; i++) {
        clock_add_iso(&b, r->states[i].at, true);
        buf_addc(&b, ' ');
        words_add_text(&b, r->states[i].state, TEXT_FOLD, WORDS_LINE_MAX);
        buf_addc(&b, '\n');
    }
    write_stream(w, "system-out", &b);
    buf_clear(&b);
    for (size_t i = 0; r && i < r->warning_count; i++) {
        words_add_text(&b, r->warnings[i], TEXT_FOLD, WORDS_LINE_MAX);
        buf_addc(&b, '\n');
    }
    write_stream(w, "system-err", &b);
    buf_free(&b);
}

static void free_cases(struct cases *cases)
{
    for (size_t i = 0; i < cases->count; i++)
        free_case(&cases->items[i]);
    free(cases->items);
}

static void write_run(struct writer *w, const struct run_result *r)
{
    struct cases cases = {0};

    add_verdict(w, &cases, r);
    add_tests(w, &cases, r);
    open_suite(w, r->name, r->host, words_run_started(r), r->duration_ms, &cases);
    write_properties(w, r);
    write_cases(w, &cases);
    write_streams(w, r);
    xml_close(&w->xml);
    free_cases(&cases);
}

/* For a gate that did not pass although no run shows why. */
static void write_gate(struct writer *w)
{
    const struct gate_result *g = w->gate;
    struct test_case c = {
        .kind = KIND_ERROR, .type = verdict_name(g->verdict), .duration_ms = g->duration_ms};
    struct cases cases = {0};
    struct buf text;

    buf_init(&text, BUF_CAP_TEXT);
    buf_addf(&text, "the gate did not pass: %s (exit code %d)", verdict_name(g->verdict),
             g->exit_code);
    if (!is_blank(g->trouble)) {
        buf_adds(&text, ": ");
        words_add_text(&text, g->trouble, TEXT_LINES, WORDS_LINES_MAX);
    }
    c.text = buf_detach(&text);
    c.message = words_text(c.text, TEXT_FOLD, MESSAGE_MAX);
    c.classname = mem_strdup("rungate");
    c.name = mem_strdup("gate");
    add_case(w, &cases, &c, true);
    open_suite(w, "rungate", NULL, g->started, g->duration_ms, &cases);
    xml_open(&w->xml, "properties");
    write_property(w, "outcome", verdict_name(g->verdict));
    xml_close(&w->xml);
    write_cases(w, &cases);
    write_streams(w, NULL);
    xml_close(&w->xml);
    free_cases(&cases);
}

void junit_write(struct buf *out, const struct gate_result *g)
{
    struct writer w = {.gate = g, .left = BUDGET};
    bool shown = g->verdict == VERDICT_PASSED;

    xml_start(&w.xml, out);
    xml_open(&w.xml, "testsuites");
    for (size_t i = 0; i < g->run_count; i++) {
        write_run(&w, &g->runs[i]);
        if (words_against(words_standing(g, &g->runs[i])))
            shown = true;
    }
    if (!shown)
        write_gate(&w);
    xml_end(&w.xml);
    map_free(&w.names);
}
