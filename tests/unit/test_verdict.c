/* SPDX-License-Identifier: MIT */
/* Tests engine/verdict: the precedence of outcomes over all pairs, the exit codes, "require", and
 * that nothing but enough seen passes leads to 0. Combinations are tried exhaustively. */
#include "base/base.h"

#include "engine/result.h"
#include "engine/verdict.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

/* The verdicts in the order of the contract, the strongest first; codes beside them. */
static const struct {
    enum verdict verdict;
    const char *name;
    int exit_code;
} order[] = {
    {VERDICT_INTERNAL, "internal", 70},
    {VERDICT_INTERRUPTED, "interrupted", 70},
    {VERDICT_FAILED, "failed", 1},
    {VERDICT_START_UNKNOWN, "start_unknown", 6},
    {VERDICT_ERROR, "error", 3},
    {VERDICT_TIMED_OUT, "timed_out", 4},
    {VERDICT_CANCELLED, "cancelled", 5},
    {VERDICT_PASSED, "passed", 0},
};

/* What a required run alone makes of the gate (CONTRACT, section 3). */
static const struct {
    enum outcome outcome;
    enum verdict verdict;
} alone[] = {
    {OUTCOME_UNKNOWN, VERDICT_ERROR},       {OUTCOME_RUNNING, VERDICT_ERROR},
    {OUTCOME_PASSED, VERDICT_PASSED},       {OUTCOME_FAILED, VERDICT_FAILED},
    {OUTCOME_ERROR, VERDICT_ERROR},         {OUTCOME_TIMED_OUT, VERDICT_TIMED_OUT},
    {OUTCOME_CANCELLED, VERDICT_CANCELLED}, {OUTCOME_SKIPPED, VERDICT_ERROR},
    {OUTCOME_EMPTY, VERDICT_ERROR},         {OUTCOME_START_UNKNOWN, VERDICT_START_UNKNOWN},
};

static struct run_result run(enum outcome outcome, bool required)
{
    return (struct run_result){.outcome = outcome, .counts_as = outcome, .required = required};
}

static size_t place(enum verdict v)
{
    size_t i = 0;

    while (i < ARRAY_LEN(order) && order[i].verdict != v)
        i++;
    return i;
}

static void test_names_and_codes(void **state)
{
    (void)state;
    /* Beside the order: not decided, and nothing started because of the pipeline file. */
    assert_int_equal(ARRAY_LEN(order) + 2, VERDICT_COUNT);
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        if (strcmp(verdict_name(order[i].verdict), order[i].name) != 0)
            fail_msg("%s is called %s", order[i].name, verdict_name(order[i].verdict));
        if (verdict_exit_code(order[i].verdict, 0) != order[i].exit_code)
            fail_msg("%s: exit code %d", order[i].name, verdict_exit_code(order[i].verdict, 0));
    }
    assert_int_equal(VERDICT_UNKNOWN, 0);
    assert_string_equal(verdict_name(VERDICT_UNKNOWN), "unknown");
    assert_int_equal(verdict_exit_code(VERDICT_INTERRUPTED, 2), 130);
    assert_int_equal(verdict_exit_code(VERDICT_INTERRUPTED, 15), 143);
    assert_string_equal(verdict_name(VERDICT_USAGE), "usage");
    assert_int_equal(verdict_exit_code(VERDICT_USAGE, 15), 2);
    assert_int_equal(EXIT_USAGE, 2);
}

/* Only "passed" is 0, whatever signal number comes along. */
static void test_only_passed_is_zero(void **state)
{
    static const int signals[] = {INT32_MIN, -128, -1, 0, 1, 2, 15, 64, 127};

    (void)state;
    for (int v = 0; v < VERDICT_COUNT; v++) {
        for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
            int code = verdict_exit_code((enum verdict)v, signals[i]);

            if ((code == 0) != (v == VERDICT_PASSED) || code < 0 || code > 255)
                fail_msg("%s with signal %d: exit code %d", verdict_name((enum verdict)v),
                         signals[i], code);
        }
    }
}

static void test_one_run(void **state)
{
    (void)state;
    assert_int_equal(ARRAY_LEN(alone), OUTCOME_COUNT);
    for (size_t i = 0; i < ARRAY_LEN(alone); i++) {
        struct run_result r = run(alone[i].outcome, true);
        const char *name = outcome_name(alone[i].outcome);

        if (verdict_of_outcome(alone[i].outcome) != alone[i].verdict)
            fail_msg("%s: verdict_of_outcome is wrong", name);
        if (verdict_fold(&r, 1, 0) != alone[i].verdict)
            fail_msg("%s: the gate is %s", name, verdict_name(verdict_fold(&r, 1, 0)));
        /* Alone and not required, it leaves nothing that could pass. */
        r.required = false;
        if (verdict_fold(&r, 1, 0) != VERDICT_ERROR)
            fail_msg("%s, not required: the gate is %s", name,
                     verdict_name(verdict_fold(&r, 1, 0)));
    }
    assert_int_equal(verdict_fold(NULL, 0, 0), VERDICT_ERROR);
    assert_int_equal(verdict_fold(NULL, 0, 1), VERDICT_ERROR);
    assert_int_equal(verdict_decide(NULL, 0, 0), DECISION_LOST);
}

/* Two required runs: the stronger verdict of the two, in any order; beside one that is not
 * required, the other decides alone. */
static void test_all_pairs(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(alone); i++) {
        for (size_t k = 0; k < ARRAY_LEN(alone); k++) {
            struct run_result runs[] = {run(alone[i].outcome, true), run(alone[k].outcome, true)};
            enum verdict a = alone[i].verdict, b = alone[k].verdict;
            enum verdict expected = place(a) < place(b) ? a : b;

            if (verdict_fold(runs, 2, 0) != expected)
                fail_msg("%s and %s: the gate is %s", outcome_name(alone[i].outcome),
                         outcome_name(alone[k].outcome), verdict_name(verdict_fold(runs, 2, 0)));
            runs[1].required = false;
            if (verdict_fold(runs, 2, 0) != a)
                fail_msg("%s, and %s not required: the gate is %s", outcome_name(alone[i].outcome),
                         outcome_name(alone[k].outcome), verdict_name(verdict_fold(runs, 2, 0)));
        }
    }
}

static void test_require(void **state)
{
    enum { P = OUTCOME_PASSED, F = OUTCOME_FAILED, T = OUTCOME_TIMED_OUT, R = OUTCOME_RUNNING };
    static const struct {
        const char *name;
        int outcomes[3]; /* negative: not required */
        int64_t require;
        enum decision decision;
        enum verdict verdict;
    } rows[] = {
        {"all passed", {P, P, P}, 0, DECISION_PASSED, VERDICT_PASSED},
        {"all, one failed", {P, F, P}, 0, DECISION_LOST, VERDICT_FAILED},
        {"all, one failed, one running", {P, F, R}, 0, DECISION_LOST, VERDICT_FAILED},
        {"all, one running", {P, R, P}, 0, DECISION_OPEN, VERDICT_ERROR},
        {"all, an optional one failed", {P, -F, P}, 0, DECISION_PASSED, VERDICT_PASSED},
        {"all, an optional one running", {P, -R, P}, 0, DECISION_PASSED, VERDICT_PASSED},
        {"all, only optional ones passed", {-P, F, -P}, 0, DECISION_LOST, VERDICT_FAILED},
        {"all optional", {-P, -P, -P}, 0, DECISION_LOST, VERDICT_ERROR},
        {"any, one passed", {F, P, T}, 1, DECISION_PASSED, VERDICT_PASSED},
        {"any, one passed, others running", {R, P, R}, 1, DECISION_PASSED, VERDICT_PASSED},
        {"any, none passed yet", {F, R, T}, 1, DECISION_OPEN, VERDICT_FAILED},
        {"any, none passed", {F, T, T}, 1, DECISION_LOST, VERDICT_FAILED},
        {"any, none passed, none failed", {T, T, T}, 1, DECISION_LOST, VERDICT_TIMED_OUT},
        {"any, an optional one passed", {F, -P, T}, 1, DECISION_LOST, VERDICT_FAILED},
        {"two, two passed", {P, F, P}, 2, DECISION_PASSED, VERDICT_PASSED},
        {"two, one lost", {P, F, R}, 2, DECISION_OPEN, VERDICT_FAILED},
        {"two, two lost", {P, F, T}, 2, DECISION_LOST, VERDICT_FAILED},
        {"three, three passed", {P, P, P}, 3, DECISION_PASSED, VERDICT_PASSED},
        {"more than there are", {P, P, P}, 4, DECISION_LOST, VERDICT_ERROR},
        {"more than are required", {P, P, -P}, 3, DECISION_LOST, VERDICT_ERROR},
        {"far too many", {P, P, P}, INT64_MAX, DECISION_LOST, VERDICT_ERROR},
        {"negative", {P, P, P}, -1, DECISION_LOST, VERDICT_ERROR},
        {"very negative", {P, P, P}, INT64_MIN, DECISION_LOST, VERDICT_ERROR},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct run_result runs[3];

        for (size_t k = 0; k < 3; k++) {
            int o = rows[i].outcomes[k];

            runs[k] = run((enum outcome)(o < 0 ? -o : o), o > 0);
        }
        if (verdict_decide(runs, 3, rows[i].require) != rows[i].decision)
            fail_msg("%s: decision %d", rows[i].name,
                     (int)verdict_decide(runs, 3, rows[i].require));
        if (verdict_fold(runs, 3, rows[i].require) != rows[i].verdict)
            fail_msg("%s: the gate is %s", rows[i].name,
                     verdict_name(verdict_fold(runs, 3, rows[i].require)));
    }
}

/* Mapped outcomes: what a run counts as decides, but only once the run is over. */
static void test_mapped(void **state)
{
    struct run_result r = run(OUTCOME_SKIPPED, true);

    (void)state;
    r.counts_as = OUTCOME_PASSED;
    assert_int_equal(verdict_fold(&r, 1, 0), VERDICT_PASSED);
    r.counts_as = OUTCOME_FAILED;
    assert_int_equal(verdict_fold(&r, 1, 0), VERDICT_FAILED);
    r = run(OUTCOME_PASSED, true);
    r.counts_as = OUTCOME_UNKNOWN;
    assert_int_equal(verdict_fold(&r, 1, 0), VERDICT_ERROR);
    r.outcome = OUTCOME_UNKNOWN;
    r.counts_as = OUTCOME_PASSED;
    assert_int_equal(verdict_fold(&r, 1, 0), VERDICT_ERROR);
    r.outcome = OUTCOME_RUNNING;
    assert_int_equal(verdict_fold(&r, 1, 0), VERDICT_ERROR);
}

/* A run that was never started does not give the gate its word, but is missed all the same. */
static void test_not_started(void **state)
{
    struct run_result runs[] = {run(OUTCOME_TIMED_OUT, true), run(OUTCOME_SKIPPED, true)};

    (void)state;
    runs[1].not_started = true;
    assert_int_equal(verdict_fold(runs, 2, 0), VERDICT_TIMED_OUT);
    runs[0] = run(OUTCOME_PASSED, true);
    assert_int_equal(verdict_fold(runs, 2, 0), VERDICT_ERROR);
    assert_int_equal(verdict_fold(runs, 2, 1), VERDICT_PASSED);
    runs[0].not_started = true;
    runs[0].outcome = runs[0].counts_as = OUTCOME_SKIPPED;
    assert_int_equal(verdict_fold(runs, 2, 0), VERDICT_ERROR);
    assert_int_equal(verdict_decide(runs, 2, 0), DECISION_LOST);
}

/* The nth run of all that there are: outcome, what it counts as, required, started. */
enum { RUN_KINDS = OUTCOME_COUNT * OUTCOME_COUNT * 4 };

static struct run_result kind(size_t n)
{
    struct run_result r = {.required = n & 1, .not_started = n & 2};

    r.outcome = (enum outcome)(n / 4 % OUTCOME_COUNT);
    r.counts_as = (enum outcome)(n / 4 / OUTCOME_COUNT);
    return r;
}

/* Enough required runs that are over and count as passed: said once more, and simply. */
static bool may_pass(const struct run_result *runs, size_t count, int64_t require)
{
    int64_t required = 0, passed = 0;

    for (size_t i = 0; i < count; i++) {
        required += runs[i].required;
        passed += runs[i].required && runs[i].counts_as == OUTCOME_PASSED &&
                  runs[i].outcome != OUTCOME_UNKNOWN && runs[i].outcome != OUTCOME_RUNNING;
    }
    if (require == 0)
        require = required;
    return require > 0 && passed >= require;
}

static void check_no_mistaken_pass(const struct run_result *runs, size_t count, int64_t require)
{
    enum verdict v = verdict_fold(runs, count, require);
    bool zero = verdict_exit_code(v, 0) == 0;

    if (zero == may_pass(runs, count, require) && v > VERDICT_UNKNOWN && v < VERDICT_INTERRUPTED)
        return;
    print_error("require %" PRId64 ": the gate is %s\n", require, verdict_name(v));
    for (size_t i = 0; i < count; i++)
        print_error("  %s, counts as %s, required %d, not started %d\n",
                    outcome_name(runs[i].outcome), outcome_name(runs[i].counts_as),
                    runs[i].required, runs[i].not_started);
    fail();
}

static void test_no_mistaken_pass(void **state)
{
    (void)state;
    for (size_t a = 0; a < RUN_KINDS; a++) {
        for (size_t b = 0; b < RUN_KINDS; b++) {
            struct run_result runs[] = {kind(a), kind(b)};

            for (int64_t require = -1; require <= 3; require++)
                check_no_mistaken_pass(runs, 2, require);
        }
    }
}

/* Three runs that count as what they are, or are mapped to passed. */
static void test_no_mistaken_pass_of_three(void **state)
{
    enum { KINDS = OUTCOME_COUNT * 4 };

    (void)state;
    for (size_t n = 0; n < (size_t)KINDS * KINDS * KINDS; n++) {
        struct run_result runs[3];

        for (size_t i = 0, rest = n; i < 3; i++, rest /= KINDS) {
            runs[i] = run((enum outcome)(rest % KINDS / 4), rest & 1);
            if (rest & 2)
                runs[i].counts_as = OUTCOME_PASSED;
        }
        for (int64_t require = 0; require <= 4; require++)
            check_no_mistaken_pass(runs, 3, require);
    }
}

/* A decision is taken as soon as it can't change, not before and not after: compared with every
 * way in which the runs that are not over could end. */
static void test_decision_is_final(void **state)
{
    static const enum outcome now[] = {OUTCOME_UNKNOWN, OUTCOME_RUNNING, OUTCOME_PASSED,
                                       OUTCOME_FAILED};
    enum { KINDS = ARRAY_LEN(now) * 2 };

    (void)state;
    for (size_t n = 0; n < (size_t)KINDS * KINDS * KINDS; n++) {
        struct run_result runs[3];

        for (size_t i = 0, rest = n; i < 3; i++, rest /= KINDS)
            runs[i] = run(now[rest % KINDS / 2], rest & 1);
        for (int64_t require = 0; require <= 4; require++) {
            bool can_pass = false, can_fail = false;
            enum decision expected;

            for (unsigned ends = 0; ends < 8; ends++) {
                struct run_result later[3];

                for (size_t i = 0; i < 3; i++) {
                    later[i] = runs[i];
                    if (!outcome_is_final(runs[i].outcome))
                        later[i] =
                            run(ends >> i & 1 ? OUTCOME_PASSED : OUTCOME_FAILED, runs[i].required);
                }
                if (verdict_fold(later, 3, require) == VERDICT_PASSED)
                    can_pass = true;
                else
                    can_fail = true;
            }
            expected = !can_pass ? DECISION_LOST : can_fail ? DECISION_OPEN : DECISION_PASSED;
            if (verdict_decide(runs, 3, require) != expected)
                fail_msg("%s%d %s%d %s%d, require %" PRId64 ": decision %d, expected %d",
                         outcome_name(runs[0].outcome), runs[0].required,
                         outcome_name(runs[1].outcome), runs[1].required,
                         outcome_name(runs[2].outcome), runs[2].required, require,
                         (int)verdict_decide(runs, 3, require), (int)expected);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_and_codes),
        cmocka_unit_test(test_only_passed_is_zero),
        cmocka_unit_test(test_one_run),
        cmocka_unit_test(test_all_pairs),
        cmocka_unit_test(test_require),
        cmocka_unit_test(test_mapped),
        cmocka_unit_test(test_not_started),
        cmocka_unit_test(test_no_mistaken_pass),
        cmocka_unit_test(test_no_mistaken_pass_of_three),
        cmocka_unit_test(test_decision_is_final),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
