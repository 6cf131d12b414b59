/* SPDX-License-Identifier: MIT */
/* Tests pipeline/pipeline: every key of every section with values that fit and values that do not,
 * which of default, [defaults], file and command line wins, what must hold between runs, and that
 * all mistakes of a file come at once, each with its place. */
#include "base/base.h"

#include "base/mem.h"
#include "pipeline/pipeline.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static const char *environment(const char *name)
{
    static const char *const values[][2] = {
        {"TOKEN", "tok3n"}, {"EMPTY", ""}, {"N", "7"}, {"WORDS", "a, b"}};

    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        if (strcmp(values[i][0], name) == 0)
            return values[i][1];
    }
    return NULL;
}

static void load_with(struct pipeline *p, const char *text, const struct override *overrides,
                      size_t count, struct diags *d)
{
    struct pipeline_source source = {.file = "p.ini",
                                     .text = text,
                                     .len = text ? strlen(text) : 0,
                                     .ad_hoc = text ? NULL : "adhoc",
                                     .vars = {.getenv = environment},
                                     .overrides = overrides,
                                     .override_count = count};

    memset(d, 0, sizeof(*d));
    pipeline_load(p, &source, d);
    diags_sort(d);
}

static void unload(struct pipeline *p, struct diags *d)
{
    pipeline_free(p);
    diags_free(d);
}

static void add_diags(struct buf *b, const struct diags *d)
{
    for (size_t i = 0; i < d->count; i++)
        buf_addf(b, "%s:%d: %s\n", d->items[i].file, d->items[i].line, d->items[i].text);
}

/* expected: each line the beginning of "FILE:LINE: message", in order, and no other mistake. */
static void check_diags(const char *row, const struct diags *d, const char *expected)
{
    const char *p = expected;
    struct buf all;

    buf_init(&all, BUF_CAP_TEXT);
    add_diags(&all, d);
    for (const char *got = all.text; *got || *p;) {
        size_t len = strcspn(p, "\n");

        if (!*got || !*p || strncmp(got, p, len) != 0)
            fail_msg("%s\nexpected\n%s\ngot\n%s", row, expected, all.text);
        got += strcspn(got, "\n") + 1;
        p += len + (p[len] ? 1 : 0);
    }
    buf_free(&all);
}

/* --- single keys ---------------------------------------------------------------------------- */

/* The value of a key as it came to stand in the structs. */
static void add_value(struct buf *b, const struct pipeline *p, const char *key)
{
    const struct gate_config *g = &p->gate;
    const struct http_config *h = &p->http;
    const struct run_config *r = &p->runs[0];
    const struct {
        const char *name;
        const int64_t *number;
        const bool *truth;
        char *const *text;
        const enum outcome *outcome;
    } slots[] = {
        {"gate.timeout", &g->timeout_ms, NULL, NULL, NULL},
        {"gate.require", &g->require, NULL, NULL, NULL},
        {"gate.fail_fast", NULL, &g->fail_fast, NULL, NULL},
        {"gate.max_parallel", &g->max_parallel, NULL, NULL, NULL},
        {"gate.cancel", NULL, &g->cancel, NULL, NULL},
        {"gate.cancel_grace", &g->cancel_grace_ms, NULL, NULL, NULL},
        {"gate.heartbeat", &g->heartbeat_ms, NULL, NULL, NULL},
        {"gate.junit", NULL, NULL, &g->junit, NULL},
        {"gate.json", NULL, NULL, &g->json, NULL},
        {"gate.summary", NULL, NULL, &g->summary, NULL},
        {"gate.journal", NULL, NULL, &g->journal, NULL},
        {"gate.on_skipped", NULL, NULL, NULL, &g->policy.as[OUTCOME_SKIPPED]},
        {"gate.on_empty", NULL, NULL, NULL, &g->policy.as[OUTCOME_EMPTY]},
        {"gate.on_timeout", NULL, NULL, NULL, &g->policy.as[OUTCOME_TIMED_OUT]},
        {"gate.on_error", NULL, NULL, NULL, &g->policy.as[OUTCOME_ERROR]},
        {"gate.on_cancelled", NULL, NULL, NULL, &g->policy.as[OUTCOME_CANCELLED]},
        {"http.connect_timeout", &h->connect_timeout_ms, NULL, NULL, NULL},
        {"http.request_timeout", &h->request_timeout_ms, NULL, NULL, NULL},
        {"http.ca_file", NULL, NULL, &h->ca_file, NULL},
        {"http.client_cert", NULL, NULL, &h->client_cert, NULL},
        {"http.client_key", NULL, NULL, &h->client_key, NULL},
        {"http.proxy", NULL, NULL, &h->proxy, NULL},
        {"http.max_body", &h->max_body, NULL, NULL, NULL},
        {"http.max_connections", &h->max_connections, NULL, NULL, NULL},
        {"run.provider", NULL, NULL, &r->provider, NULL},
        {"run.required", NULL, &r->required, NULL, NULL},
        {"run.timeout", &r->timeout_ms, NULL, NULL, NULL},
        {"run.attempts", &r->attempts, NULL, NULL, NULL},
        {"run.expect", &r->expect_ms, NULL, NULL, NULL},
        {"run.poll_min", &r->poll_min_ms, NULL, NULL, NULL},
        {"run.poll_max", &r->poll_max_ms, NULL, NULL, NULL},
        {"run.outage", &r->outage_ms, NULL, NULL, NULL},
        {"run.id", NULL, NULL, &r->id, NULL},
        {"run.base_url", NULL, NULL, &r->base_url, NULL},
        {"run.on_skipped", NULL, NULL, NULL, &r->policy.as[OUTCOME_SKIPPED]},
        {"run.on_empty", NULL, NULL, NULL, &r->policy.as[OUTCOME_EMPTY]},
        {"run.on_timeout", NULL, NULL, NULL, &r->policy.as[OUTCOME_TIMED_OUT]},
        {"run.on_error", NULL, NULL, NULL, &r->policy.as[OUTCOME_ERROR]},
        {"run.on_cancelled", NULL, NULL, NULL, &r->policy.as[OUTCOME_CANCELLED]},
    };

    if (strcmp(key, "run.needs") == 0) {
        for (size_t i = 0; i < r->need_count; i++)
            buf_addf(b, "%s%s@%zu", i ? " " : "", r->needs[i], r->need_runs[i]);
        return;
    }
    if (strcmp(key, "run.retry_on") == 0) {
        for (int o = 0; o < OUTCOME_COUNT; o++) {
            if (r->retry_on & 1u << o)
                buf_addf(b, "%s%s", b->len ? " " : "", outcome_name((enum outcome)o));
        }
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(slots); i++) {
        if (strcmp(slots[i].name, key) != 0)
            continue;
        if (slots[i].number)
            buf_addf(b, "%" PRId64, *slots[i].number);
        else if (slots[i].truth)
            buf_adds(b, *slots[i].truth ? "yes" : "no");
        else if (slots[i].text)
            buf_adds(b, *slots[i].text ? *slots[i].text : "(none)");
        else
            buf_adds(b, outcome_name(*slots[i].outcome));
        return;
    }
    fail_msg("the test does not know the key %s", key);
}

/* A file in which the key, "SECTION.KEY", stands alone in line 2 of its section. */
static void make_file(struct buf *b, const char *key, const char *value)
{
    const char *dot = strchr(key, '.');
    bool of_run = strncmp(key, "run.", 4) == 0;
    bool provider = strcmp(key, "run.provider") == 0;

    buf_clear(b);
    buf_addf(b, "[%.*s%s]\n", (int)(dot - key), key, of_run ? ":r" : "");
    if (value)
        buf_addf(b, "%s = %s\n", dot + 1, value);
    if (of_run)
        buf_addf(b, "%s", provider && value ? "" : "provider = x\n");
    else
        buf_adds(b, "[run:r]\nprovider = x\n");
    buf_adds(b, "[run:a]\nprovider = x\n[run:b]\nprovider = x\n");
}

#define DURATION "expected a duration such as 250ms, 30s, 45m or 1h30m"
#define COUNT "expected a number from 1 to 100000"
#define SIZE "expected a size such as 512K or 16M"
#define POLICY "expected passed or failed"
#define TRUTH "expected yes or no"
#define TEXT "expected a text that is not empty"
#define OUTCOMES "expected outcomes: failed, error, timed_out, cancelled, skipped, empty"

/* value NULL: the key is not there. Where bad is set the value is refused with these words. */
static const struct row {
    const char *key, *value, *result, *bad;
} keys[] = {
    {"gate.timeout", NULL, "3600000", NULL},
    {"gate.timeout", "45m", "2700000", NULL},
    {"gate.timeout", "1h30m", "5400000", NULL},
    {"gate.timeout", "90", "90000", NULL},
    {"gate.timeout", "1ms", "1", NULL},
    {"gate.timeout", "0", NULL, DURATION},
    {"gate.timeout", "0s", NULL, DURATION},
    {"gate.timeout", "-5s", NULL, DURATION},
    {"gate.timeout", "1.5h", NULL, DURATION},
    {"gate.timeout", "45 m", NULL, DURATION},
    {"gate.timeout", "45M", NULL, DURATION},
    {"gate.timeout", "30m1h", NULL, DURATION},
    {"gate.timeout", "101d", NULL, DURATION},
    {"gate.timeout", "", NULL, DURATION},
    {"gate.timeout", "never", NULL, DURATION},
    {"gate.require", NULL, "0", NULL},
    {"gate.require", "all", "0", NULL},
    {"gate.require", "any", "1", NULL},
    {"gate.require", "1", "1", NULL},
    {"gate.require", "3", "3", NULL},
    {"gate.require", "0", NULL, "expected all, any or a number"},
    {"gate.require", "-1", NULL, "expected all, any or a number"},
    {"gate.require", "ALL", NULL, "expected all, any or a number"},
    {"gate.require", "50%", NULL, "expected all, any or a number"},
    {"gate.require", "100001", NULL, "expected all, any or a number"},
    {"gate.require", "", NULL, "expected all, any or a number"},
    {"gate.fail_fast", NULL, "no", NULL},
    {"gate.fail_fast", "yes", "yes", NULL},
    {"gate.fail_fast", "true", "yes", NULL},
    {"gate.fail_fast", "on", "yes", NULL},
    {"gate.fail_fast", "1", "yes", NULL},
    {"gate.fail_fast", "off", "no", NULL},
    {"gate.fail_fast", "Yes", NULL, TRUTH},
    {"gate.fail_fast", "y", NULL, TRUTH},
    {"gate.fail_fast", "2", NULL, TRUTH},
    {"gate.fail_fast", "", NULL, TRUTH},
    {"gate.max_parallel", NULL, "16", NULL},
    {"gate.max_parallel", "1", "1", NULL},
    {"gate.max_parallel", "100000", "100000", NULL},
    {"gate.max_parallel", "0", NULL, COUNT},
    {"gate.max_parallel", "100001", NULL, COUNT},
    {"gate.max_parallel", "99999999999999999999", NULL, COUNT},
    {"gate.max_parallel", "1e3", NULL, COUNT},
    {"gate.max_parallel", "+4", NULL, COUNT},
    {"gate.cancel", NULL, "yes", NULL},
    {"gate.cancel", "no", "no", NULL},
    {"gate.cancel", "false", "no", NULL},
    {"gate.cancel", "0", "no", NULL},
    {"gate.cancel", "never", NULL, TRUTH},
    {"gate.cancel_grace", NULL, "10000", NULL},
    {"gate.cancel_grace", "250ms", "250", NULL},
    {"gate.cancel_grace", "x", NULL, DURATION},
    {"gate.heartbeat", NULL, "60000", NULL},
    {"gate.heartbeat", "2m", "120000", NULL},
    {"gate.heartbeat", "0", NULL, DURATION},
    {"gate.junit", NULL, "(none)", NULL},
    {"gate.junit", "a b/c.xml", "a b/c.xml", NULL},
    {"gate.junit", "", NULL, TEXT},
    {"gate.summary", NULL, "(none)", NULL},
    {"gate.summary", "a.md", "a.md", NULL},
    {"gate.summary", "", NULL, TEXT},
    {"gate.json", NULL, "(none)", NULL},
    {"gate.json", "-", "-", NULL},
    {"gate.json", "", NULL, TEXT},
    {"gate.journal", NULL, "(none)", NULL},
    {"gate.journal", "runs.jsonl", "runs.jsonl", NULL},
    {"gate.journal", "", NULL, TEXT},
    {"gate.on_skipped", NULL, "unknown", NULL},
    {"gate.on_skipped", "passed", "passed", NULL},
    {"gate.on_skipped", "skipped", NULL, POLICY},
    {"gate.on_empty", "failed", "failed", NULL},
    {"gate.on_empty", "pass", NULL, POLICY},
    {"gate.on_timeout", "failed", "failed", NULL},
    {"gate.on_timeout", "error", NULL, POLICY},
    {"gate.on_error", "passed", "passed", NULL},
    {"gate.on_error", "", NULL, POLICY},
    {"gate.on_cancelled", "failed", "failed", NULL},
    {"gate.on_cancelled", "unknown", NULL, POLICY},
    {"http.connect_timeout", NULL, "10000", NULL},
    {"http.connect_timeout", "1s", "1000", NULL},
    {"http.connect_timeout", "0", NULL, DURATION},
    {"http.request_timeout", NULL, "60000", NULL},
    {"http.request_timeout", "5m", "300000", NULL},
    {"http.request_timeout", "forever", NULL, DURATION},
    {"http.ca_file", NULL, "(none)", NULL},
    {"http.ca_file", "/etc/ca.pem", "/etc/ca.pem", NULL},
    {"http.ca_file", "", NULL, TEXT},
    {"http.client_cert", "c.pem", "c.pem", NULL},
    {"http.client_cert", "", NULL, TEXT},
    {"http.client_key", "k.pem", "k.pem", NULL},
    {"http.client_key", "", NULL, TEXT},
    {"http.proxy", "localhost:3128", "localhost:3128", NULL},
    {"http.proxy", "", NULL, TEXT},
    {"http.max_body", NULL, "16777216", NULL},
    {"http.max_body", "1", "1", NULL},
    {"http.max_body", "512K", "524288", NULL},
    {"http.max_body", "1G", "1073741824", NULL},
    {"http.max_body", "0", NULL, SIZE},
    {"http.max_body", "16MB", NULL, SIZE},
    {"http.max_body", "16m", NULL, SIZE},
    {"http.max_body", "-1", NULL, SIZE},
    {"http.max_connections", NULL, "32", NULL},
    {"http.max_connections", "2", "2", NULL},
    {"http.max_connections", "0", NULL, COUNT},
    {"run.provider", "k6", "k6", NULL},
    {"run.provider", "", NULL, TEXT},
    {"run.needs", NULL, "", NULL},
    {"run.needs", "", "", NULL},
    {"run.needs", "a", "a@1", NULL},
    {"run.needs", "b, a", "b@2 a@1", NULL},
    {"run.needs", "a b", "a@1 b@2", NULL},
    {"run.needs", "a,,b,", "a@1 b@2", NULL},
    {"run.needs", "\n  a\n  b", "a@1 b@2", NULL},
    {"run.needs", "a, a", "a@1", NULL},
    {"run.needs", "${WORDS}", "a@1 b@2", NULL},
    {"run.required", NULL, "yes", NULL},
    {"run.required", "no", "no", NULL},
    {"run.required", "optional", NULL, TRUTH},
    {"run.timeout", NULL, "0", NULL},
    {"run.timeout", "10m", "600000", NULL},
    {"run.timeout", "0", NULL, DURATION},
    {"run.attempts", NULL, "1", NULL},
    {"run.attempts", "3", "3", NULL},
    {"run.attempts", "${N}", "7", NULL},
    {"run.attempts", "0", NULL, COUNT},
    {"run.attempts", "two", NULL, COUNT},
    {"run.retry_on", NULL, "error", NULL},
    {"run.retry_on", "failed", "failed", NULL},
    {"run.retry_on", "failed, error,timed_out cancelled\n  skipped\n  empty",
     "failed error timed_out cancelled skipped empty", NULL},
    {"run.retry_on", "", "", NULL},
    {"run.retry_on", "passed", NULL, OUTCOMES},
    {"run.retry_on", "running", NULL, OUTCOMES},
    {"run.retry_on", "unknown", NULL, OUTCOMES},
    {"run.retry_on", "start_unknown", NULL, OUTCOMES},
    {"run.retry_on", "error, flaky", NULL, OUTCOMES},
    {"run.expect", NULL, "0", NULL},
    {"run.expect", "12m", "720000", NULL},
    {"run.expect", "soon", NULL, DURATION},
    {"run.poll_min", NULL, "1000", NULL},
    {"run.poll_min", "15s", "15000", NULL},
    {"run.poll_min", "fast", NULL, DURATION},
    {"run.poll_max", NULL, "15000", NULL},
    {"run.poll_max", "1s", "1000", NULL},
    {"run.poll_max", "slow", NULL, DURATION},
    {"run.outage", NULL, "300000", NULL},
    {"run.outage", "1d", "86400000", NULL},
    {"run.outage", "0", NULL, DURATION},
    {"run.id", NULL, "(none)", NULL},
    {"run.id", "123", "123", NULL},
    {"run.id", "", NULL, TEXT},
    {"run.base_url", NULL, "(none)", NULL},
    {"run.base_url", "https://x/", "https://x/", NULL},
    {"run.base_url", "", NULL, TEXT},
    {"run.on_skipped", NULL, "unknown", NULL},
    {"run.on_skipped", "passed", "passed", NULL},
    {"run.on_skipped", "yes", NULL, POLICY},
    {"run.on_empty", "passed", "passed", NULL},
    {"run.on_empty", "PASSED", NULL, POLICY},
    {"run.on_timeout", "failed", "failed", NULL},
    {"run.on_timeout", "timed_out", NULL, POLICY},
    {"run.on_error", "failed", "failed", NULL},
    {"run.on_error", "error", NULL, POLICY},
    {"run.on_cancelled", "passed", "passed", NULL},
    {"run.on_cancelled", "cancelled", NULL, POLICY},
};

static void test_keys(void **state)
{
    struct buf file, got, expected;

    (void)state;
    buf_init(&file, BUF_CAP_TEXT);
    buf_init(&got, BUF_CAP_TEXT);
    buf_init(&expected, BUF_CAP_TEXT);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        const struct row *row = &keys[i];
        struct pipeline p;
        struct diags d;

        make_file(&file, row->key, row->value);
        load_with(&p, file.text, NULL, 0, &d);
        buf_clear(&expected);
        if (row->bad)
            buf_addf(&expected, "p.ini:2: '%s' is not a value for %s: %s\n", row->value,
                     strchr(row->key, '.') + 1, row->bad);
        buf_clear(&got);
        add_diags(&got, &d);
        if (strcmp(got.text, expected.text) != 0)
            fail_msg("%s\ngot\n%sexpected\n%s", file.text, got.text, expected.text);
        buf_clear(&got);
        if (!row->bad)
            add_value(&got, &p, row->key);
        if (!row->bad && strcmp(got.text, row->result) != 0)
            fail_msg("%s\ngot %s, expected %s", file.text, got.text, row->result);
        unload(&p, &d);
    }
    buf_free(&file);
    buf_free(&got);
    buf_free(&expected);
}

/* Every key of the program stands in the table above, with a value that fits and one that does
 * not; a name's first letter changed is a mistake with a suggestion. */
static void test_all_keys(void **state)
{
    static const char *const names[] = {
        [KEYS_GATE] = "gate", [KEYS_HTTP] = "http", [KEYS_RUN] = "run"};

    (void)state;
    for (int section = KEYS_GATE; section <= KEYS_RUN; section++) {
        const struct key_info *info;

        for (size_t i = 0; (info = pipeline_key((enum key_section)section, i)); i++) {
            bool good = false, bad = strcmp(info->name, "needs") == 0;
            struct pipeline p;
            struct diags d;
            char key[60], text[200];

            snprintf(key, sizeof(key), "%s.%s", names[section], info->name);
            for (size_t j = 0; j < ARRAY_LEN(keys); j++) {
                if (strcmp(keys[j].key, key) == 0 && keys[j].value)
                    *(keys[j].bad ? &bad : &good) = true;
            }
            if (!good || !bad)
                fail_msg("the table lacks a value for %s", key);
            assert_true(*info->help);
            if (section == KEYS_RUN)
                continue;
            snprintf(text, sizeof(text), "[run:r]\nprovider = x\n[%s]\n\n%sx = 1\n", names[section],
                     info->name);
            load_with(&p, text, NULL, 0, &d);
            snprintf(text, sizeof(text), "p.ini:5: unknown key '%sx' in [%s]; did you mean '%s'?",
                     info->name, names[section], info->name);
            check_diags(key, &d, text);
            unload(&p, &d);
        }
    }
}

/* --- which one wins ------------------------------------------------------------------------- */

static void test_precedence(void **state)
{
    static const char text[] = "[run:a]\nprovider = x\npoll_max = 20s\nparam = own\n"
                               "[defaults]\npoll_max = 30s\noutage = 7m\nparam = shared\n"
                               "other = ${TOKEN}\non_error = failed\n"
                               "[run:b]\nprovider = y\nempty =\n"
                               "[gate]\non_error = passed\non_empty = passed\njunit = file.xml\n";
    static const struct override overrides[] = {
        {"a", "outage", "1m", "-s a.outage", true},
        {"a", "outage", "2m", "-s a.outage", true},
        {"b", "param", "given", "-s b.param", true},
        {"b", "fresh", "", "-s b.fresh", true},
        {"gate", "junit", "env.xml", "the environment variable RUNGATE_JUNIT", false},
        {"gate", "junit", "line.xml", "--junit", true},
        {"http", "max_body", "1K", "-s http.max_body", true},
    };
    const struct setting *s;
    struct pipeline p;
    struct diags d;

    (void)state;
    load_with(&p, text, overrides, ARRAY_LEN(overrides), &d);
    check_diags(text, &d, "");
    assert_int_equal(p.run_count, 2);
    assert_string_equal(p.file, "p.ini");
    assert_string_equal(p.runs[0].name, "a");
    assert_int_equal(p.runs[0].line, 1);
    assert_int_equal(p.runs[1].line, 11);
    /* default < [defaults] < file < override, of which the last counts */
    assert_int_equal(p.runs[0].poll_min_ms, 1000);
    assert_int_equal(p.runs[1].poll_max_ms, 30000);
    assert_int_equal(p.runs[0].poll_max_ms, 20000);
    assert_int_equal(p.runs[1].outage_ms, 420000);
    assert_int_equal(p.runs[0].outage_ms, 120000);
    assert_string_equal(p.gate.junit, "line.xml");
    assert_int_equal(p.http.max_body, 1024);
    /* the run's word on an outcome, else the gate's */
    assert_int_equal(p.runs[0].policy.as[OUTCOME_ERROR], OUTCOME_FAILED);
    assert_int_equal(p.runs[0].policy.as[OUTCOME_EMPTY], OUTCOME_PASSED);
    assert_int_equal(p.runs[0].policy.as[OUTCOME_SKIPPED], OUTCOME_UNKNOWN);
    /* parameters, each with the place to name */
    s = settings_find(&p.runs[0].params, "param");
    assert_string_equal(s->text, "own");
    assert_string_equal(s->origin, "p.ini:4");
    assert_int_equal(s->line, 4);
    assert_false(s->from_defaults || s->on_command_line);
    assert_null(s->raw);
    s = settings_find(&p.runs[1].params, "param");
    assert_string_equal(s->text, "given");
    assert_string_equal(s->origin, "-s b.param");
    assert_int_equal(s->line, 0);
    assert_true(s->on_command_line);
    s = settings_find(&p.runs[0].params, "other");
    assert_string_equal(s->text, "tok3n");
    assert_string_equal(s->raw, "${TOKEN}");
    assert_string_equal(s->origin, "p.ini:9, ${TOKEN} of the environment");
    assert_true(s->from_defaults);
    assert_string_equal(settings_find(&p.runs[1].params, "empty")->text, "");
    assert_string_equal(settings_find(&p.runs[1].params, "fresh")->text, "");
    assert_null(settings_find(&p.runs[0].params, "fresh"));
    assert_null(settings_find(&p.runs[0].params, "poll_max"));
    assert_null(settings_find(&p.runs[0].settings, "poll_min"));
    assert_int_equal(p.defaults.count, 2);
    /* what is in effect, as it was written */
    assert_string_equal(settings_text(&p.runs[0].settings, KEYS_RUN, "poll_max"), "20s");
    assert_string_equal(settings_text(&p.runs[0].settings, KEYS_RUN, "poll_min"), "1s");
    assert_null(settings_text(&p.runs[0].settings, KEYS_RUN, "id"));
    unload(&p, &d);
}

static void test_ad_hoc(void **state)
{
    static const struct override overrides[] = {
        {"adhoc", "provider", "x", "--provider", true},
        {"adhoc", "test_id", "12", "test_id", true},
        {"adhoc", "timeout", "zzz", "timeout", true},
        {"nobody", "timeout", "1m", "-s nobody.timeout", true},
        {"gate", "tiemout", "1m", "-s gate.tiemout", true},
        {"defaults", "timeout", "1m", "-s defaults.timeout", true},
    };
    struct pipeline p;
    struct diags d;

    (void)state;
    load_with(&p, NULL, overrides, 2, &d);
    check_diags("ad hoc", &d, "");
    assert_int_equal(p.run_count, 1);
    assert_string_equal(p.runs[0].name, "adhoc");
    assert_string_equal(p.runs[0].provider, "x");
    assert_int_equal(p.runs[0].line, 0);
    assert_string_equal(settings_find(&p.runs[0].params, "test_id")->text, "12");
    unload(&p, &d);

    load_with(&p, NULL, overrides, ARRAY_LEN(overrides), &d);
    check_diags("ad hoc, mistakes", &d,
                "-s nobody.timeout:0: there is no run 'nobody'\n"
                "-s defaults.timeout:0: there is no run 'defaults'\n"
                "-s gate.tiemout:0: unknown key 'tiemout' in [gate]; did you mean 'timeout'?\n"
                "timeout:0: 'zzz' is not a value for timeout: expected a duration");
    unload(&p, &d);
}

/* --- mistakes --------------------------------------------------------------------------------- */

#define FORTY "0123456789012345678901234567890123456789"
#define R "[run:r]\nprovider = x\n"

static void test_mistakes(void **state)
{
    static const struct {
        const char *text, *diags;
    } rows[] = {
        {"", "p.ini:0: there is no run in it: add a section [run:NAME]"},
        {"[gate]\n", "p.ini:0: there is no run in it"},
        /* sections */
        {R "[gates]\nx = 1\n", "p.ini:3: unknown section [gates]; did you mean [gate]?; there are "
                               "[gate], [defaults], [http] and [run:NAME]"},
        {R "[Gate]\n", "p.ini:3: unknown section [Gate]; did you mean [gate]?"},
        {R "[default]\n", "p.ini:3: unknown section [default]; did you mean [defaults]?"},
        {R "[https]\n", "p.ini:3: unknown section [https]; did you mean [http]?"},
        {R "[run]\n", "p.ini:3: unknown section [run]; did you mean [run:NAME]?"},
        {R "[Run:x]\n", "p.ini:3: unknown section [Run:x]; did you mean [run:NAME]?"},
        {R "[runs:x]\n", "p.ini:3: unknown section [runs:x]; did you mean [run:NAME]?"},
        {R "[something]\n", "p.ini:3: unknown section [something]; there are [gate]"},
        {R "[provider:x]\nbase_url = https://evil.example\n",
         "p.ini:3: a pipeline file cannot define a provider: put [provider:x] into a file"},
        {R R, "p.ini:3: section [run:r] stands twice, first in line 1"},
        {R "provider = y\n", "p.ini:3: key 'provider' stands twice, first in line 2"},
        /* names */
        {"[run:]\nprovider = x\n", "p.ini:1: '' cannot name a run: a run needs a name"},
        {"[run:" FORTY "]\nprovider = x\n", ""},
        {"[run:" FORTY "1]\nprovider = x\n",
         "p.ini:1: '" FORTY "1' cannot name a run: a run's name has at most 40 characters"},
        {"[run:aZ09._-]\nprovider = x\n", ""},
        {"[run:a b]\nprovider = x\n", "p.ini:1: 'a b' cannot name a run: a run's name holds"},
        {"[run:a/b]\nprovider = x\n", "p.ini:1: 'a/b' cannot name a run: a run's name holds "
                                      "letters, digits, '.', '_' and '-' only"},
        {"[run:a:b]\nprovider = x\n", "p.ini:1: 'a:b' cannot name a run"},
        {"[run:a,b]\nprovider = x\n", "p.ini:1: 'a,b' cannot name a run"},
        {"[run:a=b]\nprovider = x\n", "p.ini:1: 'a=b' cannot name a run"},
        {"[run: a]\nprovider = x\n", "p.ini:1: ' a' cannot name a run"},
        {"[run:\xC3\xA9]\nprovider = x\n", "p.ini:1: '\xC3\xA9' cannot name a run"},
        {"[run:gate]\nprovider = x\n",
         "p.ini:1: 'gate' cannot name a run: this name is taken by a section"},
        {"[run:http]\nprovider = x\n", "p.ini:1: 'http' cannot name a run"},
        {"[run:Gate]\nprovider = x\n", ""},
        /* keys */
        {R "[gate]\ntimout = 1\nx = 1\n",
         "p.ini:4: unknown key 'timout' in [gate]; did you mean 'timeout'?\n"
         "p.ini:5: unknown key 'x' in [gate]\n"},
        {R "[gate]\nprovider = x\n", "p.ini:4: unknown key 'provider' in [gate]"},
        {R "[http]\nCA_file = x\n", "p.ini:4: unknown key 'CA_file' in [http]; did you mean "
                                    "'ca_file'?"},
        {"[run:r]\n", "p.ini:1: run 'r' has no provider: add 'provider = NAME'"},
        {"\n[run:a]\n[run:b]\n", "p.ini:2: run 'a' has no provider\np.ini:3: run 'b' has no"},
        {"[defaults]\nprovider = x\n[run:a]\n[run:b]\n", ""},
        {"[run:r]\nprovider =\n", "p.ini:2: '' is not a value for provider"},
        {"[defaults]\noutage = x\n[run:a]\nprovider = x\n[run:b]\nprovider = x\noutage = 1m\n",
         "p.ini:2: 'x' is not a value for outage"},
        /* variables */
        {"[run:r]\nprovider = ${NOPE}\n", "p.ini:2: variable NOPE is not set"},
        {R "param = a\n  b\n  ${NOPE}\n", "p.ini:5: variable NOPE is not set"},
        {R "poll_max = ${NOPE}\n", "p.ini:3: variable NOPE is not set"},
        {R "poll_min = 20s\npoll_max = ${NOPE}\n", "p.ini:4: variable NOPE is not set"},
        {R "required = ${NOPE}\n", "p.ini:3: variable NOPE is not set"},
        {R "provider = ${\n", "p.ini:3: key 'provider' stands twice\np.ini:3: '${' is not closed"},
        {"[gate]\nrequire = ${NOPE}\n" R, "p.ini:2: variable NOPE is not set"},
        {"[unknown]\nx = ${NOPE}\n" R, "p.ini:1: unknown section [unknown]"},
        /* between values */
        {R "poll_min = 20s\n", "p.ini:3: poll_min (20s) is longer than poll_max (15s)"},
        {R "poll_max = 999ms\n", "p.ini:3: poll_min (1s) is longer than poll_max (999ms)"},
        {R "poll_max = 1m\npoll_min = 2m\n", "p.ini:4: poll_min (2m) is longer than poll_max (1m)"},
        {R "poll_min = 20s\npoll_max = fast\n", "p.ini:4: 'fast' is not a value for poll_max"},
        {R "poll_max = 1s\npoll_min = fast\n", "p.ini:4: 'fast' is not a value for poll_min"},
        {R "id = 1\nattempts = 2\n", "p.ini:4: a run that is only watched ('id') cannot be"},
        {R "id = 1\nattempts = 1\n", ""},
        {R "required = maybe\n", "p.ini:3: 'maybe' is not a value for required: expected yes or"},
        {R "required = no\n",
         "p.ini:0: no run is required: a gate with nothing to decide on never"},
        {R "[gate]\nrequire = 2\n", "p.ini:4: require = 2, but only 1 run is required"},
        {R "[gate]\nrequire = any\n", ""},
        {R "[run:s]\nprovider = x\nrequired = no\n[gate]\nrequire = 2\n",
         "p.ini:7: require = 2, but only 1 run is required"},
        {R "[run:s]\nprovider = x\nrequired = maybe\n[gate]\nrequire = 2\n",
         "p.ini:5: 'maybe' is not a value for required"},
        /* needs */
        {R "needs = s\n[run:s]\nprovider = x\n", ""},
        {R "needs = nowhere\n", "p.ini:3: run 'r' needs 'nowhere', which is not there"},
        {R "needs = smoek\n[run:smoke]\nprovider = x\n",
         "p.ini:3: run 'r' needs 'smoek', which is not there; did you mean 'smoke'?"},
        {R "needs = one, two\n", "p.ini:3: run 'r' needs 'one', which is not there\n"
                                 "p.ini:3: run 'r' needs 'two', which is not there"},
        {R "needs = gate\n[gate]\n", "p.ini:3: run 'r' needs 'gate', which is not there"},
        {R "needs = r\n", "p.ini:3: runs need each other in a circle: r -> r"},
        {R "needs = a\n[run:a]\nprovider = x\nneeds = r\n",
         "p.ini:3: runs need each other in a circle: r -> a -> r"},
        {"[run:a]\nprovider = x\nneeds = b\n[run:b]\nprovider = x\nneeds = c\n"
         "[run:c]\nprovider = x\nneeds = b\n",
         "p.ini:6: runs need each other in a circle: b -> c -> b"},
        {"[run:a]\nprovider = x\nneeds = b\n[run:b]\nprovider = x\nneeds = c, nowhere\n"
         "[run:c]\nprovider = x\nneeds = a\n",
         "p.ini:3: runs need each other in a circle: a -> b -> c -> a\n"
         "p.ini:6: run 'b' needs 'nowhere'"},
        {"[run:a]\nprovider = x\nneeds = a, b\n[run:b]\nprovider = x\nneeds = b\n",
         "p.ini:3: runs need each other in a circle: a -> a\n"
         "p.ini:6: runs need each other in a circle: b -> b"},
        {"[run:a]\nprovider = x\nneeds = b, c\n[run:b]\nprovider = x\nneeds = d\n"
         "[run:c]\nprovider = x\nneeds = d\n[run:d]\nprovider = x\n",
         ""},
        /* all at once */
        {"[gaet]\n[gate]\ntimeout = x\nfoo = 1\njunit =\n[http]\nmax_body = big\n[run:a b]\n"
         "needs = q\n[run:c]\nprovider = ${NOPE}\npoll_min = 1h\nattempts = 0\nword\n",
         "p.ini:1: unknown section [gaet]; did you mean [gate]?\n"
         "p.ini:3: 'x' is not a value for timeout\n"
         "p.ini:4: unknown key 'foo' in [gate]\n"
         "p.ini:5: '' is not a value for junit\n"
         "p.ini:7: 'big' is not a value for max_body\n"
         "p.ini:8: 'a b' cannot name a run\n"
         "p.ini:8: run 'a b' has no provider\n"
         "p.ini:9: run 'a b' needs 'q', which is not there\n"
         "p.ini:11: variable NOPE is not set\n"
         "p.ini:12: poll_min (1h) is longer than poll_max (15s)\n"
         "p.ini:13: '0' is not a value for attempts\n"
         "p.ini:14: expected 'key = value', a [section] or a comment"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct pipeline p;
        struct diags d;

        load_with(&p, rows[i].text, NULL, 0, &d);
        check_diags(rows[i].text, &d, rows[i].diags);
        unload(&p, &d);
    }
}

/* A long chain is no circle, and a long circle is one. */
static void test_long_chain(void **state)
{
    enum { RUNS = 20000 };

    (void)state;
    for (int closed = 0; closed < 2; closed++) {
        struct pipeline p;
        struct diags d;
        struct err e = {""};
        struct buf text;

        buf_init(&text, BUF_CAP_TEXT);
        for (int i = 0; i < RUNS; i++) {
            buf_addf(&text, "[run:r%d]\nprovider = x\n", i);
            if (i + 1 < RUNS || closed)
                buf_addf(&text, "needs = r%d\n", (i + 1) % RUNS);
        }
        load_with(&p, text.text, NULL, 0, &d);
        assert_int_equal(d.count, closed);
        if (!closed) {
            const char *const first[] = {"r0"};

            assert_int_equal(pipeline_select(&p, first, 1, &e), 0);
            assert_true(p.runs[RUNS - 1].selected);
        }
        buf_free(&text);
        unload(&p, &d);
    }
}

/* How large a pipeline can be: beyond that there is a message, and the rest is not looked at. */
static void test_limits(void **state)
{
    static const struct {
        const char *head, *before, *behind; /* its number stands between */
        int count;
        const char *message;
    } rows[] = {
        {"", "[run:r", "]\nprovider = x\n", 20000, ""},
        {"", "[run:r", "]\nprovider = x\n", 30000, "p.ini:40001: there are more than 20000 runs"},
        {"[run:a]\nprovider = x\n", "k", " = v\n", 99, ""},
        {"[run:a]\nprovider = x\n", "k", " = v\n", 200,
         "p.ini:102: section [run:a] has more than 100 keys"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct pipeline p;
        struct diags d;
        struct buf text;

        buf_init(&text, BUF_CAP_TEXT);
        buf_adds(&text, rows[i].head);
        for (int k = 0; k < rows[i].count; k++)
            buf_addf(&text, "%s%d%s", rows[i].before, k, rows[i].behind);
        load_with(&p, text.text, NULL, 0, &d);
        check_diags(rows[i].before, &d, rows[i].message);
        buf_free(&text);
        unload(&p, &d);
    }
}

/* Guesses at what was meant, and circles, are told up to a number: there can be very many. */
static void test_costly_messages(void **state)
{
    enum { RUNS = 300, TOLD = 100 };

    (void)state;
    for (int circles = 0; circles < 2; circles++) {
        size_t told = 0;
        struct pipeline p;
        struct diags d;
        struct buf text;

        buf_init(&text, BUF_CAP_TEXT);
        for (int i = 0; i < RUNS; i++)
            buf_addf(&text, "[run:run%d]\nprovider = x\nneeds = ru%s%d\n", i,
                     circles ? "n" : "m", i);
        load_with(&p, text.text, NULL, 0, &d);
        for (size_t i = 0; i < d.count; i++)
            told += strstr(d.items[i].text, circles ? "in a circle" : "did you mean") != NULL;
        assert_int_equal(told, TOLD);
        assert_int_equal(d.count, circles ? TOLD : RUNS);
        buf_free(&text);
        unload(&p, &d);
    }
}

/* --- selecting -------------------------------------------------------------------------------- */

static void test_select(void **state)
{
    static const char text[] =
        "[run:a]\nprovider = x\nneeds = b\n[run:b]\nprovider = x\nneeds = c\n"
        "[run:c]\nprovider = x\n[run:d]\nprovider = x\nneeds = c\n";
    static const struct {
        const char *names[3];
        size_t count;
        const char *selected; /* '+' for each run that is */
        const char *message;
    } rows[] = {
        {{NULL}, 0, "++++", NULL},
        {{"a"}, 1, "+++-", NULL},
        {{"c"}, 1, "--+-", NULL},
        {{"d", "d"}, 2, "--++", NULL},
        {{"b", "d"}, 2, "-+++", NULL},
        {{"d", "x"}, 2, NULL, "there is no run 'x' in p.ini; there are: a, b, c, d"},
        {{""}, 1, NULL, "there is no run '' in p.ini"},
        {{"A"}, 1, NULL, "there is no run 'A' in p.ini"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {""};
        struct pipeline p;
        struct diags d;
        int rc;

        load_with(&p, text, NULL, 0, &d);
        check_diags(text, &d, "");
        rc = pipeline_select(&p, rows[i].names, rows[i].count, &e);
        assert_int_equal(rc, rows[i].message ? -1 : 0);
        if (rows[i].message && strncmp(e.text, rows[i].message, strlen(rows[i].message)) != 0)
            fail_msg("got '%s', expected '%s'", e.text, rows[i].message);
        for (size_t j = 0; j < p.run_count && !rows[i].message; j++)
            assert_int_equal(p.runs[j].selected, rows[i].selected[j] == '+');
        unload(&p, &d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),      cmocka_unit_test(test_all_keys),
        cmocka_unit_test(test_precedence), cmocka_unit_test(test_ad_hoc),
        cmocka_unit_test(test_mistakes),  cmocka_unit_test(test_long_chain),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_costly_messages),
        cmocka_unit_test(test_select),
    };

    return cmocka_run_group_tests_name("pipeline", tests, NULL, NULL);
}
