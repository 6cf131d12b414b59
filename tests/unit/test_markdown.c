/* SPDX-License-Identifier: MIT */
/* The Markdown report: what stands in it, texts that try to be more than text, and its length. */
#include "base/base.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/secret.h"
#include "report/markdown.h"

#include <setjmp.h>
#include <cmocka.h>

enum { START = 0 }; /* 1970-01-01T00:00:00Z */

static struct remote_run *add_remote(struct run_result *r, const char *id, const char *url,
                                     enum outcome o)
{
    struct remote_run *remote = result_add_remote(r, id);

    remote->url = mem_strdup(url);
    remote->outcome = o;
    remote->state = mem_strdup("DONE");
    return remote;
}

static void add_test(struct remote_run *remote, const char *name, enum outcome o,
                     const char *message, const char *detail)
{
    struct test_result *t = result_add_test(remote);

    t->name = mem_strdup(name);
    t->outcome = o;
    t->message = mem_strdup(message);
    t->detail = mem_strdup(detail);
    t->duration_ms = 1500;
}

static void init_run(struct run_result *r, const char *name, enum outcome o)
{
    memset(r, 0, sizeof(*r));
    r->name = name;
    r->provider = "provider";
    r->required = true;
    r->outcome = r->counts_as = o;
    r->started = START + 1000;
    r->finished = START + 62000;
    r->duration_ms = 61000;
}

static char *written(const struct gate_result *g)
{
    struct buf out;

    buf_init(&out, BUF_CAP_TEXT);
    markdown_write(&out, g);
    return buf_detach(&out);
}

static void expect(const struct gate_result *g, const char *wanted)
{
    char *text = written(g);

    assert_string_equal(text, wanted);
    free(text);
}

static void test_no_runs(void **state)
{
    struct gate_result g = {.verdict = VERDICT_USAGE, .exit_code = 2, .duration_ms = -1};

    (void)state;
    g.trouble = mem_strdup("1 mistake in rungate.ini");
    expect(&g, "## rungate: usage\n\nExit code 2: 1 mistake in rungate\\.ini.\n\n");
    free(g.trouble);
}

static void test_whole(void **state)
{
    struct run_result runs[3];
    struct gate_result g = {.verdict = VERDICT_FAILED, .exit_code = 1, .started = START,
                            .duration_ms = 63000, .runs = runs, .run_count = 3};
    struct remote_run *remote;

    (void)state;
    init_run(&runs[0], "load", OUTCOME_PASSED);
    runs[0].run_id = mem_strdup("17");
    runs[0].url = mem_strdup("https://x.example/17");
    add_remote(&runs[0], "17", runs[0].url, OUTCOME_PASSED);
    add_test(runs[0].remotes, "quiet", OUTCOME_PASSED, NULL, NULL);
    result_note_state(&runs[0], "RUNNING", START + 2000);
    init_run(&runs[1], "ui", OUTCOME_FAILED);
    runs[1].reason = mem_strdup("1 of 2 runs did not pass");
    runs[1].run_id = mem_strdup("a,b");
    remote = add_remote(&runs[1], "a", "https://x.example/a", OUTCOME_FAILED);
    add_test(remote, "login", OUTCOME_FAILED, "no button", "line 1\nline 2");
    add_test(remote, "skipped", OUTCOME_SKIPPED, "later", NULL);
    add_test(remote, "logout", OUTCOME_ERROR, "no page", NULL);
    add_remote(&runs[1], "b", NULL, OUTCOME_PASSED);
    result_note_state(&runs[1], "RUNNING", START + 1500);
    result_warn(&runs[1], "it may go on");
    init_run(&runs[2], "last", OUTCOME_SKIPPED);
    runs[2].not_started = true;
    runs[2].reason = mem_strdup("not started: it needs 'ui', which did not pass (failed)");
    expect(&g,
           "## rungate: failed\n\nExit code 1 in 1m03s: ui failed.\n\n"
           "| Run | Outcome | Time | State | Provider | Id |\n"
           "| --- | --- | --- | --- | --- | --- |\n"
           "| load | passed | 1m01s | RUNNING | provider | [17](<https://x.example/17>) |\n"
           "| ui | **failed: 1 of 2 runs did not pass** | 1m01s | RUNNING | provider |  |\n"
           "| | failed | | DONE | | [a](<https://x.example/a>) |\n"
           "| | passed | | DONE | | b |\n"
           "| last | not started: it needs 'ui', which did not pass \\(failed\\) |  |  | provider |  "
           "|\n\n"
           "### Tests that did not pass\n\n"
           "ui: **login** failed after 1.5s: no button\n\n<pre>line 1\nline 2</pre>\n\n"
           "ui: **logout** error after 1.5s: no page\n\n"
           "### Warnings\n\n- ui: it may go on\n\n"
           "### Timeline\n\n| Time | After | Run | State |\n| --- | --- | --- | --- |\n"
           "| 1970-01-01T00:00:01Z | 1.5s | ui | RUNNING |\n"
           "| 1970-01-01T00:00:02Z | 2.0s | load | RUNNING |\n"
           "| 1970-01-01T00:01:02Z | 1m02s | load | **passed** |\n"
           "| 1970-01-01T00:01:02Z | 1m02s | ui | **failed** |\n\n");
    for (size_t i = 0; i < ARRAY_LEN(runs); i++)
        result_free_run(&runs[i]);
}

/* A gate with one run that has one failed test, of which one text is at stake. */
static char *with_text(const char *reason, const char *url, const char *name, const char *detail)
{
    struct run_result run;
    struct gate_result g = {.verdict = VERDICT_FAILED, .exit_code = 1, .runs = &run,
                            .run_count = 1};
    char *text;

    init_run(&run, "ui", OUTCOME_FAILED);
    run.reason = mem_strdup(reason);
    run.run_id = mem_strdup("7");
    run.url = mem_strdup(url);
    add_test(add_remote(&run, "7", url, OUTCOME_FAILED), name, OUTCOME_FAILED, NULL, detail);
    text = written(&g);
    result_free_run(&run);
    return text;
}

static void test_texts(void **state)
{
    static const struct {
        const char *text, *line, *block;
    } table[] = {
        {"a b, c", "a b, c", "a b, c"},
        {"a|b", "a\\|b", "a|b"},
        {"a\\|b", "a\\\\\\|b", "a\\|b"},
        {"`x` *y* _z_ ~q~", "\\`x\\` \\*y\\* \\_z\\_ \\~q\\~", "`x` *y* _z_ ~q~"},
        {"[a](http://b)", "\\[a\\]\\(http\\://b\\)", "[a](http&#58;//b)"},
        {"![a](b)", "\\!\\[a\\]\\(b\\)", "![a](b)"},
        {"www.x.example me@x", "www\\.x\\.example me\\@x", "www.x.example me@x"},
        {"<b>&lt;</b>", "\\<b\\>\\&lt;\\</b\\>", "&#60;b&#62;&#38;lt;&#60;/b&#62;"},
        {"</pre><img>", "\\</pre\\>\\<img\\>", "&#60;/pre&#62;&#60;img&#62;"},
        {"##[error]x", "\\#\\#\\[error\\]x", "&#35;&#35;[error]x"},
        {"::error::x: y. z.", "\\:\\:error\\:\\:x: y. z.", "&#58;&#58;error&#58;&#58;x&#58; y. z."},
        {"$x$", "\\$x\\$", "$x$"},
        {"a\n--- b\n+++ c", "a --- b +++ c", "a\n&#45;-- b\n&#43;++ c"},
        {"\x1b[31mred", "red", "red"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        char *text = with_text(table[i].text, NULL, table[i].text, table[i].text);
        struct buf cell, test, block;

        buf_init(&cell, BUF_CAP_TEXT);
        buf_init(&test, BUF_CAP_TEXT);
        buf_init(&block, BUF_CAP_TEXT);
        buf_addf(&cell, "| ui | **failed: %s** |", table[i].line);
        buf_addf(&test, "\nui: **%s** failed", table[i].line);
        buf_addf(&block, "\n<pre>%s</pre>\n", table[i].block);
        if (!strstr(text, cell.text) || !strstr(text, test.text) || !strstr(text, block.text))
            fail_msg("%s became\n%s", table[i].text, text);
        buf_free(&cell);
        buf_free(&test);
        buf_free(&block);
        free(text);
    }
}

static void test_addresses(void **state)
{
    static const struct {
        const char *url, *cell;
    } table[] = {
        {NULL, "| 7 |\n"},
        {"https://x.example/a?b=c&d=e#f", "| [7](<https://x.example/a?b=c&amp;d=e#f>) |\n"},
        {"http://[::1]:80/a", "| [7](<http://[::1]:80/a>) |\n"},
        {"https://x/a b|c>d<e\\f\"g`h", "| [7](<https://x/a%20b%7Cc%3Ed%3Ce%5Cf%22g%60h>) |\n"},
        {"https://x/#a##[error]", "| [7](<https://x/#a%23%23[error]>) |\n"},
        {"https://x/\xc3\xa9", "| [7](<https://x/%C3%A9>) |\n"},
        {"javascript:alert(1)", "| 7 |\n"},
        {"//x/y", "| 7 |\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        char *text = with_text(NULL, table[i].url, "t", NULL);

        if (!strstr(text, table[i].cell))
            fail_msg("%s became\n%s", table[i].url, text);
        free(text);
    }
}

static void test_secret(void **state)
{
    char *text;

    (void)state;
    secret_add("s3cr3t-t0ken");
    text = with_text("s3cr3t-t0ken", "https://x/?s3cr3t-t0ken", "s3cr3t-t0ken", "s3cr3t-t0ken");
    assert_null(strstr(text, "s3cr3t"));
    free(text);
    secret_clear();
}

/* As many tests as no reader takes: the document ends in time, and counts the rest. */
static void test_length(void **state)
{
    enum { TESTS = 2000 };
    struct run_result run;
    struct gate_result g = {.verdict = VERDICT_FAILED, .exit_code = 1, .runs = &run,
                            .run_count = 1};
    size_t shown = 0;
    struct buf detail, rest;
    char *text;

    (void)state;
    init_run(&run, "ui", OUTCOME_FAILED);
    add_remote(&run, "7", NULL, OUTCOME_FAILED);
    buf_init(&detail, BUF_CAP_TEXT);
    while (detail.len < 10000)
        buf_adds(&detail, "<&>");
    for (int i = 0; i < TESTS; i++)
        add_test(run.remotes, "t", OUTCOME_FAILED, NULL, detail.text);
    result_warn(&run, "the last part");
    text = written(&g);
    for (const char *p = text; (p = strstr(p, "<pre>")); p++)
        shown++;
    assert_true(shown > 10 && shown < TESTS);
    assert_true(strlen(text) < 1048576);
    buf_init(&rest, BUF_CAP_TEXT);
    buf_addf(&rest, "</pre>\n\n\n%zu more would make this too long.\n\n", TESTS - shown);
    assert_non_null(strstr(text, rest.text));
    assert_non_null(strstr(text, "### Warnings\n\n- ui: the last part\n"));
    free(text);
    buf_free(&rest);
    buf_free(&detail);
    result_free_run(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_runs),   cmocka_unit_test(test_whole),
        cmocka_unit_test(test_texts),     cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_secret),    cmocka_unit_test(test_length),
    };

    return cmocka_run_group_tests_name("markdown", tests, NULL, NULL);
}
