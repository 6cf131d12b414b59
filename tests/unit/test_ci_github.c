/* SPDX-License-Identifier: MIT */
/* The outputs of a GitHub step, read back by the rules of its runner. */
#include "base/base.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/secret.h"
#include "report/ci.h"

#include <setjmp.h>
#include <cmocka.h>

enum { OUTPUTS = 4, REMOTES_MAX = 3 };

struct row {
    const char *title;
    enum verdict verdict;
    int exit_code;
    const char *ids[REMOTES_MAX], *urls[REMOTES_MAX]; /* of remote runs, one run each */
    const char *want[OUTPUTS];                         /* verdict, exit-code, run-ids, urls */
};

static const struct row rows[] = {
    {"no run", VERDICT_ERROR, 3, {NULL}, {NULL}, {"error", "3", "", ""}},
    {"one", VERDICT_PASSED, 0, {"17"}, {"https://x.example/17"},
     {"passed", "0", "17", "https://x.example/17"}},
    {"several", VERDICT_FAILED, 1, {"17", "a-b", "c"}, {"https://x.example/17", NULL, "u"},
     {"failed", "1", "17\na-b\nc", "https://x.example/17\nu"}},
    {"an id that would end its value", VERDICT_FAILED, 1,
     {"END_OF_VALUE", "END_OF_VALUE_2", "verdict=passed"}, {"END_OF_VALUE"},
     {"failed", "1", "END_OF_VALUE\nEND_OF_VALUE_2\nverdict=passed", "END_OF_VALUE"}},
    {"an id of two lines", VERDICT_FAILED, 1, {"1\nEND_OF_VALUE\nverdict=passed\n"}, {"\n"},
     {"failed", "1", "1 END_OF_VALUE verdict=passed", ""}},
    {"bytes that are not text", VERDICT_TIMED_OUT, 4, {"\xff\x01\x1b[1mx"}, {"<<"},
     {"timed_out", "4", "\xef\xbf\xbdx", "<<"}},
    {"a secret", VERDICT_FAILED, 1, {"hunter22"}, {"https://x.example/?token=hunter22"},
     {"failed", "1", "***", "https://x.example/?token=***"}},
};

static void build(struct gate_result *g, struct run_result *runs, const struct row *row)
{
    memset(g, 0, sizeof(*g));
    memset(runs, 0, REMOTES_MAX * sizeof(*runs));
    g->verdict = row->verdict;
    g->exit_code = row->exit_code;
    g->runs = runs;
    for (; g->run_count < REMOTES_MAX && row->ids[g->run_count]; g->run_count++) {
        struct run_result *r = &runs[g->run_count];

        r->name = "run";
        r->remotes = mem_grow(NULL, &r->remote_cap, 0, sizeof(*r->remotes));
        r->remote_count = 1;
        r->remotes[0].id = mem_strdup(row->ids[g->run_count]);
        r->remotes[0].url = mem_strdup(row->urls[g->run_count]);
    }
}

/* Reads NAME=VALUE and NAME<<END, as the runner does; any other line that is not empty fails. */
static void read_back(char *text, char *const values[OUTPUTS])
{
    static const char *const names[OUTPUTS] = {"verdict", "exit-code", "run-ids", "urls"};
    bool seen[OUTPUTS] = {false};
    char *line = text;

    while (*line) {
        char *next = strchr(line, '\n');
        char *equals, *heredoc;
        size_t i = 0;

        assert_non_null(next);
        *next++ = '\0';
        equals = strchr(line, '=');
        heredoc = strstr(line, "<<");
        if (equals && (!heredoc || equals < heredoc))
            *equals++ = '\0';
        else
            assert_non_null(heredoc);
        if (!equals || (heredoc && heredoc < equals))
            *heredoc = '\0';
        while (i < OUTPUTS && strcmp(names[i], line) != 0)
            i++;
        assert_true(i < OUTPUTS);
        assert_false(seen[i]);
        seen[i] = true;
        if (equals && !(heredoc && heredoc < equals)) {
            snprintf(values[i], 200, "%s", equals);
        } else {
            const char *end = heredoc + 2;
            char *value = next;

            assert_true(*end != '\0');
            for (;;) {
                char *stop = strchr(next, '\n');

                assert_non_null(stop);
                if ((size_t)(stop - next) == strlen(end) &&
                    strncmp(next, end, strlen(end)) == 0) {
                    next[-1] = '\0';
                    snprintf(values[i], 200, "%s", value);
                    next = stop + 1;
                    break;
                }
                next = stop + 1;
            }
        }
        line = next;
    }
    for (size_t i = 0; i < OUTPUTS; i++)
        assert_true(seen[i]);
}

static void test_outputs(void **state)
{
    (void)state;
    secret_add("hunter22");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char values[OUTPUTS][200];
        char *pointers[OUTPUTS];
        struct run_result runs[REMOTES_MAX];
        struct gate_result g;
        struct buf out;

        print_message("%s\n", rows[i].title);
        for (size_t j = 0; j < OUTPUTS; j++)
            pointers[j] = values[j];
        build(&g, runs, &rows[i]);
        buf_init(&out, BUF_CAP_TEXT);
        ci_github_outputs(&out, &g);
        read_back(out.text, pointers);
        for (size_t j = 0; j < OUTPUTS; j++)
            assert_string_equal(values[j], rows[i].want[j]);
        buf_free(&out);
        for (size_t j = 0; j < g.run_count; j++)
            result_free_run(&runs[j]);
    }
    secret_clear();
}

static void test_ids_without_remotes(void **state)
{
    struct run_result r = {.name = "run"};
    struct gate_result g = {.verdict = VERDICT_START_UNKNOWN, .exit_code = 6, .runs = &r,
                            .run_count = 1};
    struct buf out;

    (void)state;
    r.run_id = mem_strdup("17");
    buf_init(&out, BUF_CAP_TEXT);
    ci_github_outputs(&out, &g);
    assert_string_equal(out.text, "verdict=start_unknown\nexit-code=6\n"
                                  "run-ids<<END_OF_VALUE\n17\nEND_OF_VALUE\nurls=\n");
    buf_free(&out);
    result_free_run(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outputs),
        cmocka_unit_test(test_ids_without_remotes),
    };

    return cmocka_run_group_tests_name("ci_github", tests, NULL, NULL);
}
