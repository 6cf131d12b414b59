/* SPDX-License-Identifier: MIT */
/* Tests engine/result: texts are cleaned and starred on their way in, states and warnings are
 * noted once, and all memory is given back. */
#include "base/base.h"

#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "engine/result.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <unistd.h>

static int forget(void **state)
{
    (void)state;
    secret_clear();
    return 0;
}

static void test_text(void **state)
{
    static const struct {
        const char *name, *text, *folded, *lines;
    } rows[] = {
        {"nothing", "", "", ""},
        {"plain", "all fine", "all fine", "all fine"},
        {"lines", " a\r\nb\n", "a b", " a\nb\n"},
        {"escape sequence", "\x1B[31mred\x1B[0m", "red", "red"},
        {"bad UTF-8", "\xFF", "\xEF\xBF\xBD", "\xEF\xBF\xBD"},
        {"secret", "token-12345 echoed", "*** echoed", "*** echoed"},
        {"secret in an escape sequence", "\x1B]0;token-12345", "0;***", "0;***"},
        {"secret joined by cleaning",
         "tok\x01"
         "en-12345",
         "***", "***"},
        {"secret joined by an escape sequence", "token\x1B[0m-12345", "***", "***"},
        {"secret joined by a zero width space",
         "token-\xE2\x80\x8B"
         "12345",
         "***", "***"},
        {"secret that holds a tab", "x se\tcret y", "x *** y", "x *** y"},
        {"secret in Base64", "dG9rZW4tMTIzNDU=", "***U=", "***U="},
        {"secret in JSON", "{\"k\": \"se\\tcret\"}", "{\"k\": \"***\"}", "{\"k\": \"***\"}"},
        {"secret of two lines", "x line one\nline two y", "x *** y", "x *** y"},
    };

    (void)state;
    secret_add("token-12345");
    secret_add("se\tcret");
    secret_add("line one\nline two");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *folded = result_text(rows[i].text, true), *lines = result_text(rows[i].text, false);

        if (strcmp(folded, rows[i].folded) != 0)
            fail_msg("%s, folded: got '%s', expected '%s'", rows[i].name, folded, rows[i].folded);
        if (strcmp(lines, rows[i].lines) != 0)
            fail_msg("%s, lines: got '%s', expected '%s'", rows[i].name, lines, rows[i].lines);
        free(folded);
        free(lines);
    }
    assert_null(result_text(NULL, true));
    assert_null(result_text(NULL, false));
}

/* The limits of result.h; a secret across the limit is gone before the cut is made. */
static void test_text_limits(void **state)
{
    static const struct {
        size_t len;
        bool fold;
        size_t expected;
    } rows[] = {
        {999, true, 999},      {1000, true, 1000},    {1001, true, 1000},      {100000, true, 1000},
        {65536, false, 65536}, {65537, false, 65536}, {1 << 20, false, 65536},
    };
    char *text = mem_alloc((1 << 20) + 1, 1);
    char *got;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        memset(text, 'x', rows[i].len);
        text[rows[i].len] = '\0';
        got = result_text(text, rows[i].fold);
        if (strlen(got) != rows[i].expected)
            fail_msg("%zu bytes, fold %d: %zu stay", rows[i].len, rows[i].fold, strlen(got));
        if (text_ends(got, "...") != (rows[i].len > rows[i].expected))
            fail_msg("%zu bytes, fold %d: wrong end", rows[i].len, rows[i].fold);
        free(got);
    }
    secret_add("token-12345");
    for (size_t before = 980; before <= 1000; before++) {
        memset(text, 'x', before);
        memcpy(text + before, "token-12345 and more", 21);
        got = result_text(text, true);
        if (strstr(got, "tok") || strlen(got) > 1000)
            fail_msg("%zu bytes before: '%s'", before, got + before - 10);
        free(got);
    }
    free(text);
}

static void test_set(void **state)
{
    char *slot = NULL;

    (void)state;
    secret_add("token-12345");
    result_set(&slot, "a\nb", true);
    assert_string_equal(slot, "a b");
    result_set(&slot, "a\nb", false);
    assert_string_equal(slot, "a\nb");
    result_set(&slot, slot, true);
    assert_string_equal(slot, "a b");
    result_set(&slot, "token-12345", true);
    assert_string_equal(slot, "***");
    result_set(&slot, NULL, true);
    assert_null(slot);
    result_set(&slot, NULL, false);
    assert_null(slot);
}

static void test_states(void **state)
{
    static const struct {
        const char *text;
        bool noted;
        const char *now;
    } rows[] = {
        {"WAITING", true, "WAITING"},
        {"WAITING", false, "WAITING"},
        {"STARTING", true, "STARTING"},
        {"RUNNING", true, "RUNNING"},
        {"RUN\x01NING", false, "RUNNING"},
        {" RUNNING\n", false, "RUNNING"},
        {"running", true, "running"},
        {"WAITING", true, "WAITING"},
        {"", true, ""},
        {"", false, ""},
        {"token-12345", true, "***"},
        {"***", false, "***"},
    };
    struct run_result r = {.name = "a"};
    size_t count = 0;

    (void)state;
    secret_add("token-12345");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (result_note_state(&r, rows[i].text, (int64_t)i) != rows[i].noted)
            fail_msg("row %zu, '%s': expected %d", i, rows[i].text, rows[i].noted);
        count += rows[i].noted;
        if (strcmp(r.state, rows[i].now) != 0 || r.state_count != count)
            fail_msg("row %zu: state '%s', %zu noted", i, r.state, r.state_count);
        if (rows[i].noted && (strcmp(r.states[count - 1].state, rows[i].now) != 0 ||
                              r.states[count - 1].at != (int64_t)i))
            fail_msg("row %zu: noted as '%s'", i, r.states[count - 1].state);
    }
    result_free_run(&r);
    assert_int_equal(r.state_count, 0);
    result_free_run(&r);
}

static void test_warnings(void **state)
{
    struct run_result r = {.name = "a"};

    (void)state;
    secret_add("token-12345");
    result_warn(&r, "cannot cancel %s: %d", "token-12345", 500);
    result_warn(&r, "cannot cancel %s: %d", "token-12345", 500);
    result_warn(&r, "cannot cancel %s:\n%d", "token-12345", 500);
    result_warn(&r, "details\x1B[2J unreadable");
    assert_int_equal(r.warning_count, 2);
    assert_string_equal(r.warnings[0], "cannot cancel ***: 500");
    assert_string_equal(r.warnings[1], "details unreadable");
    for (int i = 0; i < 100; i++)
        result_warn(&r, "warning %d", i % 50);
    assert_int_equal(r.warning_count, 52);
    result_free_run(&r);
}

/* A run with something in every field that owns memory. */
static void fill(struct run_result *r)
{
    struct remote_run *remote;

    memset(r, 0, sizeof(*r));
    r->name = "a";
    r->required = true;
    r->outcome = OUTCOME_FAILED;
    r->counts_as = OUTCOME_PASSED;
    r->mapped_by = "on_skipped";
    r->attempt = 2;
    r->polls = 7;
    r->requests = 9;
    r->reason = mem_strdup("reason");
    r->run_id = mem_strdup("1,2");
    r->url = mem_strdup("https://example.org/1");
    result_note_state(r, "RUNNING", 5);
    result_warn(r, "warning");
    r->past = mem_grow(r->past, &r->past_cap, r->past_count, sizeof(*r->past));
    r->past[0] = (struct past_attempt){.outcome = OUTCOME_ERROR,
                                       .reason = mem_strdup("lost"),
                                       .run_id = mem_strdup("0"),
                                       .url = mem_strdup("https://example.org/0")};
    r->past_count = 1;
    for (int i = 0; i < 2; i++) {
        remote = result_add_remote(r, "1");
        remote->url = mem_strdup("https://example.org/1");
        remote->state = mem_strdup("FINISHED");
        remote->reason = mem_strdup("a test failed");
        *result_add_test(remote) = (struct test_result){.name = mem_strdup("t"),
                                                        .state = mem_strdup("s"),
                                                        .message = mem_strdup("m"),
                                                        .detail = mem_strdup("d")};
        remote->properties = mem_grow(remote->properties, &remote->property_cap,
                                      remote->property_count, sizeof(*remote->properties));
        remote->properties[remote->property_count++] =
            (struct property){.name = mem_strdup("n"), .value = mem_strdup("v")};
    }
}

/* A new attempt starts from nothing that could decide, and keeps what is counted. */
static void test_reset(void **state)
{
    struct run_result r;

    (void)state;
    fill(&r);
    for (int i = 0; i < 2; i++) {
        result_reset_attempt(&r);
        assert_int_equal(r.outcome, OUTCOME_UNKNOWN);
        assert_int_equal(r.counts_as, OUTCOME_UNKNOWN);
        assert_null(r.mapped_by);
        assert_null(r.reason);
        assert_null(r.run_id);
        assert_null(r.url);
        assert_null(r.remotes);
        assert_int_equal(r.remote_count, 0);
        assert_true(r.required);
        assert_int_equal(r.attempt, 2);
        assert_int_equal(r.polls, 7);
        assert_int_equal(r.requests, 9);
        assert_int_equal(r.past_count, 1);
        assert_int_equal(r.state_count, 1);
        assert_int_equal(r.warning_count, 1);
        assert_string_equal(r.state, "RUNNING");
    }
    result_free_run(&r);
}

static void test_free_run(void **state)
{
    struct run_result r, empty;

    (void)state;
    memset(&empty, 0, sizeof(empty));
    result_free_run(&empty);
    fill(&r);
    result_free_run(&r);
    assert_memory_equal(&r, &empty, sizeof(r));
    assert_int_equal(r.outcome, OUTCOME_UNKNOWN);
}

/* What is said of a gate of one run; free it. */
static char *last_words_of(struct run_result *r)
{
    struct gate_result g = {.runs = r, .run_count = 1};
    int ends[2], saved = dup(STDERR_FILENO);
    char *said = mem_alloc(1, 8192);
    ssize_t n;

    assert_int_equal(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    result_last_words(&g);
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(ends[1]);
    n = read(ends[0], said, 8191);
    close(ends[0]);
    assert_true(n >= 0);
    return said;
}

static void test_last_words(void **state)
{
    static char id[] = "17", odd[] = "a\nb\x1B[1m\xC3\xA9", secret[] = "token-12345",
                url[] = "https://x.example/17", command[] = "##vso[task.x]y",
                shows[] = "https://x.example/?t=token-12345";
    static const struct {
        const char *name;
        enum outcome outcome;
        int attempt;
        size_t remote_count;
        bool all_known;
        struct remote_run remotes[2];
        const char *said;
    } rows[] = {
        {"not started", OUTCOME_UNKNOWN, 0, 0, false, {{0}}, ""},
        {"a start under way", OUTCOME_UNKNOWN, 1, 0, false, {{0}},
         "rungate: run 'load' (k6): a start was sent, a run may exist; look for it at host\n"},
        {"a start that was lost", OUTCOME_START_UNKNOWN, 1, 0, false, {{0}},
         "rungate: run 'load' (k6): a start was sent, a run may exist; look for it at host\n"},
        {"a start that was refused", OUTCOME_ERROR, 1, 0, false, {{0}}, ""},
        {"two, one is over", OUTCOME_UNKNOWN, 1, 2, true,
         {{.id = id, .outcome = OUTCOME_PASSED}, {.id = id, .outcome = OUTCOME_RUNNING}},
         "rungate: run 'load' (k6): 17 may still be running; see host\n"},
        {"given up, but not known to be over", OUTCOME_CANCELLED, 1, 1, true,
         {{.id = id, .url = url, .outcome = OUTCOME_RUNNING}},
         "rungate: run 'load' (k6): 17 may still be running; see https://x.example/17\n"},
        {"a reply half read", OUTCOME_UNKNOWN, 1, 1, false,
         {{.id = id, .outcome = OUTCOME_RUNNING}},
         "rungate: run 'load' (k6): 17 may still be running; see host\n"
         "rungate: run 'load' (k6): a start was sent, a run may exist; look for it at host\n"},
        {"an id that a terminal would obey", OUTCOME_UNKNOWN, 1, 1, true,
         {{.id = odd, .url = command, .outcome = OUTCOME_RUNNING}},
         "rungate: run 'load' (k6): a?b?[1m?? may still be running; see ***\n"},
        {"a secret", OUTCOME_UNKNOWN, 1, 1, true,
         {{.id = secret, .url = shows, .outcome = OUTCOME_RUNNING}},
         "rungate: run 'load' (k6): *** may still be running; see ***\n"},
    };
    static char host[] = "host";

    (void)state;
    secret_add("token-12345");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct remote_run remotes[] = {rows[i].remotes[0], rows[i].remotes[1]};
        struct run_result r = {.name = "load", .provider = "k6", .host = host,
                               .outcome = rows[i].outcome, .attempt = rows[i].attempt,
                               .remotes = remotes, .remote_count = rows[i].remote_count,
                               .run_id = rows[i].all_known ? id : NULL};
        char *said = last_words_of(&r);

        if (strcmp(said, rows[i].said) != 0)
            fail_msg("%s: said '%s'", rows[i].name, said);
        free(said);
    }
}

/* Texts of any length end in a line of bounded length. */
static void test_last_words_are_bounded(void **state)
{
    char *url = mem_alloc(1, 100001);
    static char id[] = "17";
    struct remote_run remote = {.id = id, .url = memset(url, 'u', 100000),
                                .outcome = OUTCOME_RUNNING};
    struct run_result r = {.name = "load", .provider = "k6", .remotes = &remote,
                           .remote_count = 1, .run_id = id};
    char *said = last_words_of(&r);

    (void)state;
    assert_true(strlen(said) > 1000 && strlen(said) < 4096);
    assert_int_equal(said[strlen(said) - 1], '\n');
    free(said);
    free(url);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_text, forget),
        cmocka_unit_test_teardown(test_text_limits, forget),
        cmocka_unit_test_teardown(test_set, forget),
        cmocka_unit_test_teardown(test_states, forget),
        cmocka_unit_test_teardown(test_warnings, forget),
        cmocka_unit_test_teardown(test_reset, forget),
        cmocka_unit_test_teardown(test_free_run, forget),
        cmocka_unit_test_teardown(test_last_words, forget),
        cmocka_unit_test_teardown(test_last_words_are_bounded, forget),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
