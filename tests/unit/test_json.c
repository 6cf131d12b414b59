/* SPDX-License-Identifier: MIT */
/* The JSON report: every key of the contract, null for what is not known, and any text. */
#include "base/base.h"

#include "base/buf.h"
#include "base/doc.h"
#include "base/mem.h"
#include "base/secret.h"
#include "report/json.h"

#include <setjmp.h>
#include <cmocka.h>

static void add_test(struct remote_run *remote, const char *name, enum outcome o,
                     const char *message)
{
    struct test_result *t = result_add_test(remote);

    t->name = mem_strdup(name);
    t->outcome = o;
    t->message = mem_strdup(message);
    t->duration_ms = o == OUTCOME_PASSED ? 1250 : -1;
}

static struct remote_run *add_remote(struct run_result *r, const char *id)
{
    struct remote_run *remote = result_add_remote(r, id);

    remote->outcome = OUTCOME_FAILED;
    return remote;
}

static void add_property(struct remote_run *remote, const char *name, const char *value)
{
    remote->properties = mem_grow(remote->properties, &remote->property_cap, remote->property_count,
                                  sizeof(*remote->properties));
    remote->properties[remote->property_count++] =
        (struct property){.name = mem_strdup(name), .value = mem_strdup(value)};
}

/* One run with everything, one of several remote runs, one that never began. */
static void build(struct gate_result *g, struct run_result *runs)
{
    memset(runs, 0, 3 * sizeof(*runs));
    runs[0].name = "load";
    runs[0].provider = "provider";
    runs[0].required = true;
    runs[0].outcome = OUTCOME_TIMED_OUT;
    runs[0].counts_as = OUTCOME_FAILED;
    runs[0].mapped_by = "on_timeout";
    runs[0].reason = mem_strdup("its deadline passed");
    runs[0].run_id = mem_strdup("17");
    runs[0].url = mem_strdup("https://x.example/17");
    runs[0].flaky = true;
    runs[0].attempt = 2;
    runs[0].started = 1700000060000;
    runs[0].finished = 1700000065250;
    runs[0].duration_ms = 65250;
    runs[0].polls = 7;
    runs[0].requests = 9;
    result_note_state(&runs[0], "STARTING", 1700000000000);
    result_note_state(&runs[0], "RUNNING", 1700000001007);
    result_warn(&runs[0], "could not be cancelled");
    runs[0].past = mem_grow(NULL, &runs[0].past_cap, 0, sizeof(*runs[0].past));
    runs[0].past_count = 1;
    runs[0].past[0] = (struct past_attempt){.outcome = OUTCOME_ERROR, .reason = mem_strdup("gone"),
                                            .run_id = mem_strdup("16"), .started = 1700000000000,
                                            .finished = 1700000050000};
    add_remote(&runs[0], "17");
    add_property(runs[0].remotes, "users", "10");
    add_test(runs[0].remotes, "good", OUTCOME_PASSED, NULL);
    add_test(runs[0].remotes, "bad", OUTCOME_FAILED, "expected 3");

    runs[1].name = "ui";
    runs[1].provider = "other";
    runs[1].outcome = runs[1].counts_as = OUTCOME_FAILED;
    runs[1].attached = true;
    runs[1].attempt = 1;
    runs[1].duration_ms = 0;
    add_remote(&runs[1], "a");
    add_remote(&runs[1], "b");
    add_property(&runs[1].remotes[1], "users", "11");
    add_test(&runs[1].remotes[1], "bad", OUTCOME_UNKNOWN, NULL);

    runs[2].name = "last";
    runs[2].provider = "other";
    runs[2].not_started = true;
    runs[2].duration_ms = -1;

    memset(g, 0, sizeof(*g));
    g->verdict = VERDICT_FAILED;
    g->exit_code = 1;
    g->started = 1700000000000;
    g->finished = 1700000070000;
    g->duration_ms = 70000;
    g->runs = runs;
    g->run_count = 3;
}

static void drop(struct gate_result *g)
{
    for (size_t i = 0; i < g->run_count; i++)
        result_free_run(&g->runs[i]);
    free(g->trouble);
}

static struct doc *written(const struct gate_result *g)
{
    static const char first[] = "{\n  \"schema\": 1,\n  \"verdict\": ";
    struct doc *d;
    struct buf out;
    struct err e = {0};

    buf_init(&out, BUF_CAP_TEXT);
    json_write(&out, g);
    assert_false(out.over);
    assert_true(out.len > 2 && out.text[out.len - 1] == '\n');
    assert_int_equal(strncmp(out.text, first, strlen(first)), 0);
    d = doc_parse(out.text, out.len, &e);
    assert_string_equal(e.text, "");
    assert_non_null(d);
    buf_free(&out);
    return d;
}

/* want: the value as text; "null", or the number of members as "[2]" */
static void check(const struct doc *root, const char *pointer, const char *want)
{
    const struct doc *d = doc_at(root, pointer);
    struct buf b;

    buf_init(&b, BUF_CAP_TEXT);
    if (!doc_add_text(&b, d)) {
        if (!d)
            buf_adds(&b, "missing");
        else if (doc_type(d) == DOC_NULL)
            buf_adds(&b, "null");
        else
            buf_addf(&b, "[%zu]", doc_size(d));
    }
    if (strcmp(b.text, want) != 0)
        fail_msg("%s: %s, not %s", pointer, b.text, want);
    buf_free(&b);
}

static void test_keys(void **state)
{
    static const struct {
        const char *pointer, *want;
    } rows[] = {
        {"/schema", "1"},
        {"/verdict", "failed"},
        {"/exit_code", "1"},
        {"/trouble", "null"},
        {"/started_at", "2023-11-14T22:13:20.000Z"},
        {"/finished_at", "2023-11-14T22:14:30.000Z"},
        {"/duration_s", "70.0"},
        {"/runs", "[3]"},
        {"/runs/0/name", "load"},
        {"/runs/0/provider", "provider"},
        {"/runs/0/required", "true"},
        {"/runs/0/outcome", "timed_out"},
        {"/runs/0/counts_as", "failed"},
        {"/runs/0/mapped_by", "on_timeout"},
        {"/runs/0/reason", "its deadline passed"},
        {"/runs/0/not_started", "false"},
        {"/runs/0/state", "RUNNING"},
        {"/runs/0/run_id", "17"},
        {"/runs/0/url", "https://x.example/17"},
        {"/runs/0/attached", "false"},
        {"/runs/0/flaky", "true"},
        {"/runs/0/attempt", "2"},
        {"/runs/0/started_at", "2023-11-14T22:13:20.000Z"},
        {"/runs/0/finished_at", "2023-11-14T22:14:25.250Z"},
        {"/runs/0/duration_s", "65.25"},
        {"/runs/0/polls", "7"},
        {"/runs/0/requests", "9"},
        {"/runs/0/warnings", "[1]"},
        {"/runs/0/warnings/0", "could not be cancelled"},
        {"/runs/0/attempts", "[2]"},
        {"/runs/0/attempts/0/attempt", "1"},
        {"/runs/0/attempts/0/outcome", "error"},
        {"/runs/0/attempts/0/reason", "gone"},
        {"/runs/0/attempts/0/run_id", "16"},
        {"/runs/0/attempts/0/url", "null"},
        {"/runs/0/attempts/0/started_at", "2023-11-14T22:13:20.000Z"},
        {"/runs/0/attempts/0/finished_at", "2023-11-14T22:14:10.000Z"},
        {"/runs/0/attempts/1/attempt", "2"},
        {"/runs/0/attempts/1/outcome", "timed_out"},
        {"/runs/0/attempts/1/run_id", "17"},
        {"/runs/0/attempts/1/started_at", "2023-11-14T22:14:20.000Z"},
        {"/runs/0/properties/users", "10"},
        {"/runs/0/remote_runs", "[0]"},
        {"/runs/0/states", "[2]"},
        {"/runs/0/states/1/state", "RUNNING"},
        {"/runs/0/states/1/at", "2023-11-14T22:13:21.007Z"},
        {"/runs/0/tests", "[2]"},
        {"/runs/0/tests/0/name", "good"},
        {"/runs/0/tests/0/outcome", "passed"},
        {"/runs/0/tests/0/duration_s", "1.25"},
        {"/runs/0/tests/0/message", "null"},
        {"/runs/0/tests/1/duration_s", "null"},
        {"/runs/0/tests/1/message", "expected 3"},
        {"/runs/0/tests/1/run_id", "17"},
        {"/runs/1/required", "false"},
        {"/runs/1/attached", "true"},
        {"/runs/1/mapped_by", "null"},
        {"/runs/1/attempts", "[1]"},
        {"/runs/1/properties", "[0]"},
        {"/runs/1/remote_runs", "[2]"},
        {"/runs/1/remote_runs/0/run_id", "a"},
        {"/runs/1/remote_runs/1/outcome", "failed"},
        {"/runs/1/remote_runs/1/properties/users", "11"},
        {"/runs/1/remote_runs/1/url", "null"},
        {"/runs/1/tests/0/run_id", "b"},
        {"/runs/1/tests/0/outcome", "unknown"},
        {"/runs/2/outcome", "unknown"},
        {"/runs/2/not_started", "true"},
        {"/runs/2/state", "null"},
        {"/runs/2/run_id", "null"},
        {"/runs/2/reason", "null"},
        {"/runs/2/attempt", "0"},
        {"/runs/2/attempts", "[0]"},
        {"/runs/2/started_at", "null"},
        {"/runs/2/finished_at", "null"},
        {"/runs/2/duration_s", "null"},
        {"/runs/2/tests", "[0]"},
        {"/runs/2/states", "[0]"},
    };
    struct run_result runs[3];
    struct gate_result g;
    struct doc *root;

    (void)state;
    build(&g, runs);
    root = written(&g);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        check(root, rows[i].pointer, rows[i].want);
    doc_free(root);
    drop(&g);
}

static void test_texts(void **state)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"", ""},
        {"plain", "plain"},
        {"\"quotes\" \\ and / </script>", "\"quotes\" \\ and / </script>"},
        {"\x01\x1b[31mred\x1b[0m", "red"},
        {"bad \xff\xc3 bytes", "bad \xef\xbf\xbd\xef\xbf\xbd bytes"},
        {"two\r\nlines", "two\nlines"},
        {"::error::x ##vso[y]", "::error::x ##vso[y]"},
        {"token hunter\"22", "token ***"},
    };

    (void)state;
    secret_add("hunter\"22");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct run_result runs[3];
        struct gate_result g;
        struct doc *root;

        build(&g, runs);
        mem_replace(&runs[0].reason, rows[i].text);
        mem_replace(&runs[0].remotes[0].tests[0].name, rows[i].text);
        mem_replace(&runs[0].remotes[0].properties[0].value, rows[i].text);
        g.trouble = mem_strdup(rows[i].text);
        root = written(&g);
        check(root, "/trouble", rows[i].want);
        check(root, "/runs/0/reason", rows[i].want);
        check(root, "/runs/0/tests/0/name", rows[i].want);
        check(root, "/runs/0/properties/users", rows[i].want);
        doc_free(root);
        drop(&g);
    }
    secret_clear();
}

static void test_enormous(void **state)
{
    size_t len = 10 << 20;
    char *text = mem_alloc(len + 1, 1);
    struct run_result runs[3];
    struct gate_result g;
    struct buf out;

    (void)state;
    memset(text, 'x', len);
    build(&g, runs);
    mem_replace(&runs[0].remotes[0].tests[0].message, text);
    buf_init(&out, BUF_CAP_TEXT);
    json_write(&out, &g);
    assert_true(out.len < 1 << 20);
    buf_free(&out);
    /* A cap that is too small is seen by whoever writes the file. */
    buf_init(&out, 1000);
    json_write(&out, &g);
    assert_true(out.over);
    buf_free(&out);
    drop(&g);
    free(text);
}

static void test_no_runs(void **state)
{
    struct gate_result g = {.verdict = VERDICT_ERROR, .exit_code = 3, .duration_ms = -1};
    struct doc *root;

    (void)state;
    root = written(&g);
    check(root, "/verdict", "error");
    check(root, "/runs", "[0]");
    check(root, "/started_at", "null");
    check(root, "/duration_s", "null");
    doc_free(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_enormous),
        cmocka_unit_test(test_no_runs),
    };

    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
