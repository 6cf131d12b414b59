/* SPDX-License-Identifier: MIT */
/*
 * The JUnit report: that it agrees with the verdict in every constellation of runs, that it stays
 * well-formed and without two cases alike whatever the texts hold, and that it keeps to a size.
 */
#include "base/base.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "report/junit.h"

#include <setjmp.h>
#include <cmocka.h>

enum { RUNS_MAX = 3, TESTS_MAX = 4, WORDS_MAX = 6 };

struct run_row {
    const char *name;
    bool optional; /* required = no */
    enum outcome outcome;
    enum outcome counts_as; /* unknown: as the outcome */
    const char *mapped_by;
    bool not_started;
    const char *reason;
    struct {
        const char *name;
        enum outcome outcome;
        const char *message, *detail;
    } tests[TESTS_MAX];
};

struct row {
    const char *title;
    enum verdict verdict;
    const char *trouble;
    struct run_row runs[RUNS_MAX];
    int suites, cases, failures, errors, skipped;
    const char *words[WORDS_MAX]; /* each stands in the document */
};

/* --- building ---------------------------------------------------------------------------- */

static char *own(const char *text)
{
    return mem_strdup(text);
}

static void add_test(struct remote_run *remote, const char *name, enum outcome o,
                     const char *message, const char *detail)
{
    struct test_result *t = result_add_test(remote);

    t->name = own(name);
    t->outcome = o;
    t->message = own(message);
    t->detail = own(detail);
    t->duration_ms = 1250;
}

static struct remote_run *add_remote(struct run_result *r, const char *id)
{
    struct remote_run *remote = result_add_remote(r, id);

    remote->outcome = OUTCOME_PASSED;
    return remote;
}

static void init_run(struct run_result *r, const char *name)
{
    static char host[] = "api.example";

    r->name = name;
    r->provider = "provider";
    r->title = "A provider";
    r->host = host;
    r->required = true;
    r->outcome = r->counts_as = OUTCOME_PASSED;
    r->attempt = 1;
    r->started = 1700000000000;
    r->finished = 1700000065250;
    r->duration_ms = 65250;
}

static void init_gate(struct gate_result *g, struct run_result *runs, size_t count)
{
    memset(g, 0, sizeof(*g));
    g->verdict = VERDICT_PASSED;
    g->started = 1700000000000;
    g->finished = 1700000070000;
    g->duration_ms = 70000;
    g->runs = runs;
    g->run_count = count;
}

/* --- looking ----------------------------------------------------------------------------- */

/* strstr, without reading on to the end as its checked form does: documents here are long. */
static const char *find(const char *text, const char *word)
{
    size_t len = strlen(word);

    for (; *text; text++) {
        if (*text == *word && strncmp(text, word, len) == 0)
            return text;
    }
    return NULL;
}

static int occurrences(const char *text, const char *word)
{
    int count = 0;

    for (; (text = find(text, word)); text++)
        count++;
    return count;
}

static bool has(const char *text, const char *word)
{
    return find(text, word) != NULL;
}

static bool is_reference(const char *p)
{
    static const char *const known[] = {"&amp;",  "&lt;", "&gt;",
                                        "&quot;", "&#9;", "&#10;", "&#13;"};

    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (strncmp(p, known[i], strlen(known[i])) == 0)
            return true;
    }
    return false;
}

/* All that our writer can get wrong: characters, references, nesting. */
static void assert_well_formed(const struct buf *b)
{
    const char *open[32];
    size_t depth = 0;
    const char *p = b->text;

    assert_false(b->over);
    assert_int_equal(strlen(b->text), b->len);
    assert_true(text_is_utf8(b->text, b->len));
    assert_false(has(b->text, "]]>"));
    assert_false(has(b->text, "\xEF\xBF\xBE") || has(b->text, "\xEF\xBF\xBF"));
    for (; *p; p++) {
        assert_true((unsigned char)*p >= 0x20 || *p == '\n' || *p == '\t');
        if (*p == '&')
            assert_true(is_reference(p));
        if (*p != '<')
            continue;
        if (p[1] == '/') {
            size_t len = strcspn(p + 2, ">");

            assert_true(depth > 0);
            depth--;
            assert_int_equal(strncmp(open[depth], p + 2, len), 0);
            assert_true(strchr(" >", open[depth][len]));
        } else if (p[1] != '?') {
            bool quoted = false;

            open[depth++] = p + 1;
            assert_true(depth < ARRAY_LEN(open));
            for (; quoted || *p != '>'; p++) {
                assert_true(*p != '\0');
                if (quoted)
                    assert_true(*p != '<');
                if (*p == '"')
                    quoted = !quoted;
            }
            if (p[-1] == '/')
                depth--;
        }
    }
    assert_int_equal(depth, 0);
}

/* All values of a numeric attribute, added up. */
static int sum_of(const char *text, const char *attribute)
{
    size_t len = strlen(attribute);
    int sum = 0;

    while ((text = find(text, attribute))) {
        int value = 0;

        for (text += len; *text >= '0' && *text <= '9'; text++)
            value = value * 10 + (*text - '0');
        sum += value;
    }
    return sum;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void assert_all_different(const struct buf *b)
{
    size_t count = 0, cap = 0;
    char **cases = NULL;

    for (const char *p = b->text; (p = find(p, "<testcase name=")); p++) {
        cases = mem_grow(cases, &cap, count, sizeof(*cases));
        cases[count++] = mem_strndup(p, (size_t)(find(p, " time=") - p));
    }
    qsort(cases, count, sizeof(*cases), compare);
    for (size_t i = 0; i < count; i++) {
        if (i)
            assert_string_not_equal(cases[i - 1], cases[i]);
    }
    for (size_t i = 0; i < count; i++)
        free(cases[i]);
    free(cases);
}

/* --- the verdict and the elements -------------------------------------------------------- */

#define FAIL_AND_PASS {{"bad", OUTCOME_FAILED, "expected 3", "line 1\nline 2"}, \
                       {"good", OUTCOME_PASSED, NULL, NULL}}

static const struct row rows[] = {
    {"a plain pass", VERDICT_PASSED, NULL,
     {{"load", .outcome = OUTCOME_PASSED, .tests = {{"good", OUTCOME_PASSED, NULL, NULL}}}},
     1, 2, 0, 0, 0,
     {"<testcase name=\"verdict\" classname=\"load\" time=\"65.250\"/>",
      "<testcase name=\"good\" classname=\"load\" time=\"1.250\"/>",
      "hostname=\"api.example\" timestamp=\"2023-11-14T22:13:20\" tests=\"2\"",
      "package=\"rungate\" id=\"0\""}},
    {"a failed run", VERDICT_FAILED, NULL,
     {{"load", .outcome = OUTCOME_FAILED, .reason = "1 test failed", .tests = FAIL_AND_PASS}},
     1, 3, 2, 0, 0,
     {"<failure type=\"failed\" message=\"failed: 1 test failed\">failed: 1 test failed\n",
      "<failure type=\"failed\" message=\"expected 3\">expected 3\nline 1\nline 2</failure>"}},
    {"a test without a word", VERDICT_FAILED, NULL,
     {{"load", .outcome = OUTCOME_FAILED,
       .tests = {{"a", OUTCOME_FAILED, NULL, NULL}, {"b", OUTCOME_UNKNOWN, NULL, NULL},
                 {"c", OUTCOME_SKIPPED, NULL, NULL}, {"d", OUTCOME_TIMED_OUT, "", ""}}}},
     1, 5, 2, 2, 1,
     {"<failure type=\"failed\" message=\"failed\">failed</failure>",
      "<error type=\"unknown\" message=\"unknown\">unknown</error>",
      "<skipped message=\"skipped\">skipped</skipped>",
      "<error type=\"timed_out\" message=\"timed_out\">timed_out</error>"}},
    {"failed tests of a run that passed", VERDICT_PASSED, NULL,
     {{"load", .outcome = OUTCOME_PASSED, .tests = FAIL_AND_PASS}},
     1, 3, 0, 0, 1,
     {"<skipped message=\"failed, but its run passed: expected 3\">"}},
    {"the same, in a gate that another run failed", VERDICT_FAILED, NULL,
     {{"load", .outcome = OUTCOME_PASSED, .tests = FAIL_AND_PASS},
      {"ui", .outcome = OUTCOME_FAILED}},
     2, 4, 1, 0, 1, {"failed, but its run passed: expected 3"}},
    {"a run that is not required, gate passed", VERDICT_PASSED, NULL,
     {{"load", .outcome = OUTCOME_PASSED},
      {"ui", .optional = true, .outcome = OUTCOME_FAILED, .reason = "slow",
       .tests = FAIL_AND_PASS}},
     2, 4, 0, 0, 2,
     {"<skipped message=\"failed, but not required: slow\">failed, but not required: slow\n",
      "failed, but its run is not required: expected 3"}},
    {"a run that is not required, gate failed", VERDICT_FAILED, NULL,
     {{"load", .outcome = OUTCOME_FAILED},
      {"ui", .optional = true, .outcome = OUTCOME_ERROR, .reason = "503"}},
     2, 2, 1, 0, 1, {"error, but not required: 503"}},
    {"a run mapped to passed", VERDICT_PASSED, NULL,
     {{"ui", .outcome = OUTCOME_SKIPPED, .counts_as = OUTCOME_PASSED, .mapped_by = "on_skipped",
       .reason = "no change"}},
     1, 1, 0, 0, 1, {"skipped, counts as passed by on_skipped: no change"}},
    {"a run mapped to passed, gate failed", VERDICT_FAILED, NULL,
     {{"ui", .outcome = OUTCOME_TIMED_OUT, .counts_as = OUTCOME_PASSED, .mapped_by = "on_timeout",
       .tests = FAIL_AND_PASS},
      {"load", .outcome = OUTCOME_FAILED}},
     2, 4, 1, 0, 2,
     {"timed_out, counts as passed by on_timeout", "failed, but its run counts as passed"}},
    {"a run mapped to failed", VERDICT_FAILED, NULL,
     {{"ui", .outcome = OUTCOME_EMPTY, .counts_as = OUTCOME_FAILED, .mapped_by = "on_empty"}},
     1, 1, 1, 0, 0, {"<failure type=\"empty\" message=\"empty, counts as failed by on_empty\">"}},
    {"a run mapped to failed that is not required", VERDICT_FAILED, NULL,
     {{"ui", .optional = true, .outcome = OUTCOME_EMPTY, .counts_as = OUTCOME_FAILED,
       .mapped_by = "on_empty"},
      {"load", .outcome = OUTCOME_FAILED}},
     2, 2, 1, 0, 1, {"empty, counts as failed by on_empty, but not required"}},
    {"any of two", VERDICT_PASSED, NULL,
     {{"a", .outcome = OUTCOME_PASSED},
      {"b", .outcome = OUTCOME_FAILED, .reason = "slow", .tests = FAIL_AND_PASS},
      {"c", .outcome = OUTCOME_CANCELLED}},
     3, 5, 0, 0, 3,
     {"failed, but the gate passed without it: slow",
      "failed, but the gate passed without its run: expected 3",
      "cancelled, but the gate passed without it"}},
    {"not started for what it needs", VERDICT_FAILED, NULL,
     {{"load", .outcome = OUTCOME_FAILED},
      {"ui", .outcome = OUTCOME_SKIPPED, .not_started = true, .reason = "needs load"}},
     2, 2, 1, 0, 1, {"<skipped message=\"not started: needs load\">not started: needs load\n"}},
    {"skipped by the provider", VERDICT_ERROR, NULL,
     {{"ui", .outcome = OUTCOME_SKIPPED, .reason = "no change"}},
     1, 1, 0, 1, 0, {"<error type=\"skipped\" message=\"skipped: no change\">"}},
    {"each way of having no verdict", VERDICT_START_UNKNOWN, NULL,
     {{"a", .outcome = OUTCOME_START_UNKNOWN}, {"b", .outcome = OUTCOME_TIMED_OUT},
      {"c", .outcome = OUTCOME_EMPTY}},
     3, 3, 0, 3, 0,
     {"<error type=\"start_unknown\"", "<error type=\"timed_out\"", "<error type=\"empty\""}},
    {"interrupted in the middle", VERDICT_INTERRUPTED, "signal 15",
     {{"a", .outcome = OUTCOME_PASSED}, {"b", .outcome = OUTCOME_UNKNOWN},
      {"c", .outcome = OUTCOME_RUNNING}},
     3, 3, 0, 2, 0, {"unknown: its end was not seen", "running: its end was not seen"}},
    {"interrupted before anything", VERDICT_INTERRUPTED, "signal 2",
     {{"a", .outcome = OUTCOME_UNKNOWN, .not_started = true}},
     2, 2, 0, 1, 1,
     {"<testsuite name=\"rungate\"", "<error type=\"interrupted\"", "signal 2</error>"}},
    {"all passed, but a report was not written", VERDICT_ERROR, "cannot write x.html: disk full",
     {{"a", .outcome = OUTCOME_PASSED}},
     2, 2, 0, 1, 0,
     {"id=\"1\" hostname=\"localhost\"", "classname=\"rungate\"",
      "cannot write x.html: disk full"}},
    {"only optional runs", VERDICT_ERROR, NULL,
     {{"a", .optional = true, .outcome = OUTCOME_FAILED}},
     2, 2, 0, 1, 1, {"the gate did not pass: error"}},
    {"no verdict at all", VERDICT_UNKNOWN, NULL, {{"a", .outcome = OUTCOME_PASSED}},
     2, 2, 0, 1, 0, {"<error type=\"unknown\""}},
    {"passed, and something was said", VERDICT_PASSED, "a note", {{"a", .outcome = OUTCOME_PASSED}},
     1, 1, 0, 0, 0, {NULL}},
    {"a run called like the suite of the gate", VERDICT_ERROR, "trouble",
     {{"rungate", .outcome = OUTCOME_PASSED, .tests = {{"gate", OUTCOME_PASSED, NULL, NULL}}}},
     2, 3, 0, 1, 0, {"name=\"gate\"", "name=\"gate (2)\""}},
};

static void build_run(struct run_result *r, const struct run_row *row)
{
    init_run(r, row->name);
    r->required = !row->optional;
    r->outcome = row->outcome;
    r->counts_as = row->counts_as == OUTCOME_UNKNOWN ? row->outcome : row->counts_as;
    r->mapped_by = row->mapped_by;
    r->not_started = row->not_started;
    r->reason = own(row->reason);
    if (row->not_started) {
        r->attempt = 0;
        r->started = 0;
        r->duration_ms = -1;
    }
    for (size_t i = 0; i < TESTS_MAX && row->tests[i].name; i++) {
        add_test(i ? r->remotes : add_remote(r, "17"), row->tests[i].name, row->tests[i].outcome,
                 row->tests[i].message, row->tests[i].detail);
    }
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct row *row = &rows[i];
        struct run_result runs[RUNS_MAX];
        struct gate_result g;
        size_t count = 0;
        struct buf out;

        memset(runs, 0, sizeof(runs));
        for (; count < RUNS_MAX && row->runs[count].name; count++)
            build_run(&runs[count], &row->runs[count]);
        init_gate(&g, runs, count);
        g.verdict = row->verdict;
        g.exit_code = verdict_exit_code(row->verdict, 15);
        g.trouble = own(row->trouble);
        buf_init(&out, BUF_CAP_TEXT);
        junit_write(&out, &g);

        print_message("%s\n", row->title);
        assert_well_formed(&out);
        assert_all_different(&out);
        assert_int_equal(occurrences(out.text, "<testsuite "), row->suites);
        assert_int_equal(occurrences(out.text, "<testcase "), row->cases);
        assert_int_equal(occurrences(out.text, "<failure "), row->failures);
        assert_int_equal(occurrences(out.text, "<error "), row->errors);
        assert_int_equal(occurrences(out.text, "<skipped "), row->skipped);
        assert_int_equal(sum_of(out.text, " tests=\""), row->cases);
        assert_int_equal(sum_of(out.text, " failures=\""), row->failures);
        assert_int_equal(sum_of(out.text, " errors=\""), row->errors);
        assert_int_equal(sum_of(out.text, " skipped=\""), row->skipped);
        /* What the table says, and what holds whatever it says. */
        if (row->verdict == VERDICT_PASSED)
            assert_int_equal(row->failures + row->errors, 0);
        else
            assert_true(row->failures + row->errors > 0);
        for (size_t j = 0; j < WORDS_MAX && row->words[j]; j++) {
            if (!has(out.text, row->words[j]))
                fail_msg("%s: no %s in\n%s", row->title, row->words[j], out.text);
        }
        for (size_t j = 0; j < count; j++)
            result_free_run(&runs[j]);
        free(g.trouble);
        buf_free(&out);
    }
}

/* --- what a suite tells beside its cases ------------------------------------------------- */

static void test_details(void **state)
{
    static const char *const words[] = {
        "<property name=\"provider\" value=\"provider\"/>",
        "<property name=\"outcome\" value=\"passed\"/>",
        "<property name=\"required\" value=\"yes\"/>",
        "<property name=\"run_id\" value=\"a,b\"/>",
        "<property name=\"url\" value=\"https://x.example/?a=1&amp;b=2\"/>",
        "<property name=\"state\" value=\"DONE\"/>",
        "<property name=\"attempt\" value=\"2\"/>",
        "<property name=\"attached\" value=\"no\"/>",
        "<property name=\"flaky\" value=\"yes\"/>",
        "<property name=\"polls\" value=\"7\"/>",
        "<property name=\"requests\" value=\"9\"/>",
        "<property name=\"attempt.1\" value=\"error: gone, run 16, https://x.example/16\"/>",
        "<property name=\"remote.1\" value=\"passed, run a\"/>",
        "<property name=\"remote.1.users\" value=\"10\"/>",
        "<property name=\"remote.2\" value=\"passed, run b\"/>",
        "<property name=\"warning.1\" value=\"could not be cancelled\"/>",
        "<system-out>2023-11-14T22:13:20.000Z STARTING\n2023-11-14",
        "STARTING\n2023-11-14T22:14:25.250Z DONE\n</system-out>",
        "<system-err>could not be cancelled\n</system-err>",
        "<testcase name=\"t\" classname=\"load.a\"", "<testcase name=\"t\" classname=\"load.b\""};
    struct run_result r;
    struct gate_result g;
    struct remote_run *remote;
    struct buf out;

    (void)state;
    memset(&r, 0, sizeof(r));
    init_run(&r, "load");
    r.run_id = own("a,b");
    r.url = own("https://x.example/?a=1&b=2");
    r.attempt = 2;
    r.flaky = true;
    r.polls = 7;
    r.requests = 9;
    result_note_state(&r, "STARTING", r.started);
    result_note_state(&r, "DONE", r.finished);
    result_warn(&r, "could not be cancelled");
    r.past = mem_grow(r.past, &r.past_cap, 0, sizeof(*r.past));
    r.past_count = 1;
    r.past[0] = (struct past_attempt){.outcome = OUTCOME_ERROR, .reason = own("gone"),
                                      .run_id = own("16"), .url = own("https://x.example/16")};
    remote = add_remote(&r, "a");
    add_test(remote, "t", OUTCOME_PASSED, NULL, NULL);
    remote->properties = mem_grow(NULL, &remote->property_cap, 0, sizeof(*remote->properties));
    remote->property_count = 1;
    remote->properties[0] = (struct property){.name = own("users"), .value = own("10")};
    add_test(add_remote(&r, "b"), "t", OUTCOME_PASSED, NULL, NULL);
    init_gate(&g, &r, 1);
    buf_init(&out, BUF_CAP_TEXT);
    junit_write(&out, &g);
    assert_well_formed(&out);
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (!has(out.text, words[i]))
            fail_msg("no %s in\n%s", words[i], out.text);
    }
    buf_free(&out);
    result_free_run(&r);
}

/* --- texts that nobody should send ------------------------------------------------------- */

static const char *const hostile[] = {
    "]]>",
    "<![CDATA[ ]]></failure>",
    "\x01\x02\x1b[31mred\x1b[0m\x7f",
    "\xff\xfe bad \xc3",
    "\xed\xa0\x80 surrogate, not a character \xef\xbf\xbe\xef\xbf\xbf",
    "\xe2\x80\xae turned round",
    "&#1; &#27; & &amp; <!-- -->",
    "\"quoted\" 'twice'\r\nand\ttwo lines",
    "::error title=x::pwned",
    "##vso[task.complete result=Succeeded;]",
    "   ",
    "",
};

static void test_hostile(void **state)
{
    struct run_result r;
    struct gate_result g;
    struct remote_run *remote;
    struct buf out;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
        memset(&r, 0, sizeof(r));
        init_run(&r, "load");
        r.outcome = r.counts_as = OUTCOME_FAILED;
        /* Not through result_text: the report must hold on its own. */
        r.reason = own(hostile[i]);
        r.url = own(hostile[i]);
        r.run_id = own(hostile[i]);
        for (int j = 0; j < 2; j++) {
            remote = add_remote(&r, hostile[i]);
            remote->url = own(hostile[i]);
            remote->reason = own(hostile[i]);
            remote->properties =
                mem_grow(NULL, &remote->property_cap, 0, sizeof(*remote->properties));
            remote->property_count = 1;
            remote->properties[0].name = own(hostile[i]);
            remote->properties[0].value = own(hostile[i]);
            add_test(remote, hostile[i], OUTCOME_FAILED, hostile[i], hostile[i]);
            add_test(remote, hostile[i], OUTCOME_PASSED, NULL, NULL);
        }
        r.states = mem_grow(NULL, &r.state_cap, 0, sizeof(*r.states));
        r.state_count = 1;
        r.states[0].state = own(hostile[i]);
        r.warnings = mem_grow(NULL, &r.warning_cap, 0, sizeof(*r.warnings));
        r.warning_count = 1;
        r.warnings[0] = own(hostile[i]);
        init_gate(&g, &r, 1);
        g.verdict = VERDICT_FAILED;
        buf_init(&out, BUF_CAP_TEXT);
        junit_write(&out, &g);
        assert_well_formed(&out);
        assert_all_different(&out);
        assert_int_equal(occurrences(out.text, "<testcase "), 5);
        assert_int_equal(occurrences(out.text, "<failure "), 3);
        assert_false(has(out.text, "name=\"\""));
        buf_free(&out);
        result_free_run(&r);
    }
}

static void test_equal_names(void **state)
{
    struct run_result r;
    struct gate_result g;
    struct remote_run *remote;
    struct buf out;

    (void)state;
    memset(&r, 0, sizeof(r));
    init_run(&r, "load");
    remote = add_remote(&r, "1");
    add_test(remote, "a", OUTCOME_PASSED, NULL, NULL);
    add_test(remote, "a (2)", OUTCOME_PASSED, NULL, NULL);
    add_test(remote, "verdict", OUTCOME_PASSED, NULL, NULL);
    add_test(remote, " a  ", OUTCOME_PASSED, NULL, NULL);
    for (int i = 0; i < 20000; i++)
        add_test(remote, "a", OUTCOME_PASSED, NULL, NULL);
    init_gate(&g, &r, 1);
    buf_init(&out, BUF_CAP_TEXT);
    junit_write(&out, &g);
    assert_well_formed(&out);
    assert_all_different(&out);
    assert_int_equal(occurrences(out.text, "<testcase "), 20005);
    assert_true(has(out.text, "name=\"verdict (2)\""));
    assert_true(has(out.text, "name=\"a (3)\""));
    buf_free(&out);
    result_free_run(&r);
}

static void test_size(void **state)
{
    static const struct {
        int count;
        size_t detail;
        const char *word;
    } sizes[] = {
        {1, 10 << 20, "</failure>"},        /* one enormous text */
        {1000, 64 << 10, "name=\"t999\""},   /* texts are dropped, cases are not */
        {150000, 0, " more tests\" classname=\"load\""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        char *detail = mem_alloc(sizes[i].detail + 1, 1);
        struct run_result r;
        struct gate_result g;
        struct remote_run *remote;
        struct buf out;
        char name[32];

        memset(detail, '<', sizes[i].detail);
        memset(&r, 0, sizeof(r));
        init_run(&r, "load");
        r.outcome = r.counts_as = OUTCOME_FAILED;
        remote = add_remote(&r, "1");
        for (int j = 0; j < sizes[i].count; j++) {
            snprintf(name, sizeof(name), "t%d", j);
            add_test(remote, name, OUTCOME_FAILED, "expected <3>", detail);
        }
        init_gate(&g, &r, 1);
        g.verdict = VERDICT_FAILED;
        buf_init(&out, BUF_CAP_TEXT);
        junit_write(&out, &g);
        assert_well_formed(&out);
        assert_true(out.len < 30000000);
        assert_true(has(out.text, sizes[i].word));
        assert_int_equal(occurrences(out.text, "<testcase "), occurrences(out.text, "<failure "));
        buf_free(&out);
        result_free_run(&r);
        free(detail);
    }
}

static void test_secret(void **state)
{
    struct run_result r;
    struct gate_result g;
    struct buf out;

    (void)state;
    secret_add("hunter&2");
    memset(&r, 0, sizeof(r));
    init_run(&r, "load");
    r.outcome = r.counts_as = OUTCOME_ERROR;
    r.reason = own("token hunter&2 refused");
    init_gate(&g, &r, 1);
    g.verdict = VERDICT_ERROR;
    buf_init(&out, BUF_CAP_TEXT);
    junit_write(&out, &g);
    assert_true(has(out.text, "token *** refused"));
    assert_false(has(out.text, "hunter"));
    buf_free(&out);
    result_free_run(&r);
    secret_clear();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),        cmocka_unit_test(test_details),
        cmocka_unit_test(test_hostile),     cmocka_unit_test(test_equal_names),
        cmocka_unit_test(test_size),        cmocka_unit_test(test_secret),
    };

    return cmocka_run_group_tests_name("junit", tests, NULL, NULL);
}
