/* SPDX-License-Identifier: MIT */
/* Tests pipeline/outcome: the words, back and forth, and which outcomes are an end. */
#include "base/base.h"

#include "pipeline/outcome.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static void test_words(void **state)
{
    static const struct {
        enum outcome outcome;
        const char *word;
        bool final;
    } rows[] = {
        {OUTCOME_UNKNOWN, "unknown", false},    {OUTCOME_RUNNING, "running", false},
        {OUTCOME_PASSED, "passed", true},       {OUTCOME_FAILED, "failed", true},
        {OUTCOME_ERROR, "error", true},         {OUTCOME_TIMED_OUT, "timed_out", true},
        {OUTCOME_CANCELLED, "cancelled", true}, {OUTCOME_SKIPPED, "skipped", true},
        {OUTCOME_EMPTY, "empty", true},         {OUTCOME_START_UNKNOWN, "start_unknown", true},
    };

    (void)state;
    assert_int_equal(ARRAY_LEN(rows), OUTCOME_COUNT);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        enum outcome parsed = outcome_parse(rows[i].word);

        if (strcmp(outcome_name(rows[i].outcome), rows[i].word) != 0)
            fail_msg("%s is called %s", rows[i].word, outcome_name(rows[i].outcome));
        if (parsed != rows[i].outcome)
            fail_msg("%s is read as %s", rows[i].word, outcome_name(parsed));
        if (outcome_is_final(rows[i].outcome) != rows[i].final)
            fail_msg("%s: final should be %d", rows[i].word, rows[i].final);
    }
}

static void test_no_words(void **state)
{
    static const char *const rows[] = {"",         "Passed",  "PASSED",   "passed ",
                                       " passed",  "pass",    "passedx",  "timed-out",
                                       "timedout", "success", "canceled", "unknown "};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (outcome_parse(rows[i]) != OUTCOME_UNKNOWN)
            fail_msg("'%s' is read as %s", rows[i], outcome_name(outcome_parse(rows[i])));
    }
    /* Memory that was never filled in is no pass. */
    assert_int_equal(OUTCOME_UNKNOWN, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_no_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
