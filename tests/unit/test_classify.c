/* SPDX-License-Identifier: MIT */
/* Tests what engine/run makes of replies: run_classify over every status, kind of request and fact
 * of an exchange, and run_fold over all combinations of outcomes. */
#include "base/base.h"

#include "engine/run.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

/* --- replies ------------------------------------------------------------------------------ */

static const char *const class_names[] = {
    [REPLY_UNKNOWN] = "unknown", [REPLY_GOOD] = "good",
    [REPLY_ENDED] = "ended",     [REPLY_STRANGE] = "strange",
    [REPLY_RETRY] = "retry",     [REPLY_NOT_PROCESSED] = "not processed",
    [REPLY_LOST] = "lost",       [REPLY_NOT_FOUND] = "not found",
    [REPLY_REFUSED] = "refused",
};

enum {
    START = 1u << REQUEST_START,
    CANCEL = 1u << REQUEST_CANCEL,
    FIND = 1u << REQUEST_FIND,
    ALL = (1u << REQUEST_KIND_COUNT) - 1,
    REST = ALL & ~(unsigned)START,   /* what may be repeated at will */
    READ = REST & ~(unsigned)CANCEL, /* and has a body to be read */
    FIRST = 100,
    LAST = 599
};

enum fact { NO, YES, ANY };

/* Of whole replies: the class for a range of statuses. */
static const struct {
    unsigned requests;
    int from, to;
    enum fact readable, gone;
    enum reply_class expected;
} replies[] = {
    /* A start is repeated only if it surely was not processed; a gateway's trouble tells nothing
     * of the server behind it; a success without an id is a run that is not known. */
    {START, 100, 199, ANY, ANY, REPLY_REFUSED},
    {START, 200, 299, YES, ANY, REPLY_GOOD},
    {START, 200, 299, NO, ANY, REPLY_LOST},
    {START, 300, 428, ANY, ANY, REPLY_REFUSED},
    {START, 429, 429, ANY, ANY, REPLY_NOT_PROCESSED},
    {START, 430, 501, ANY, ANY, REPLY_REFUSED},
    {START, 502, 502, ANY, ANY, REPLY_LOST},
    {START, 503, 503, ANY, ANY, REPLY_NOT_PROCESSED},
    {START, 504, 504, ANY, ANY, REPLY_LOST},
    {START, 505, 519, ANY, ANY, REPLY_REFUSED},
    {START, 520, 520, ANY, ANY, REPLY_LOST},
    {START, 521, 521, ANY, ANY, REPLY_REFUSED},
    {START, 522, 524, ANY, ANY, REPLY_LOST},
    {START, 525, 599, ANY, ANY, REPLY_REFUSED},

    /* Everything else may be asked again, as long as asking again can help. */
    {READ, 100, 199, ANY, ANY, REPLY_REFUSED},
    {READ, 200, 299, YES, ANY, REPLY_GOOD},
    {READ, 200, 299, NO, ANY, REPLY_RETRY},
    {READ, 300, 403, ANY, ANY, REPLY_REFUSED},
    {READ & ~(unsigned)FIND, 404, 404, ANY, ANY, REPLY_NOT_FOUND},
    {FIND, 404, 404, ANY, ANY, REPLY_REFUSED}, /* a list that is not there lists nothing */
    {READ, 405, 407, ANY, ANY, REPLY_REFUSED},
    {READ, 408, 408, ANY, ANY, REPLY_RETRY},
    {READ, 409, 424, ANY, ANY, REPLY_REFUSED},
    {READ, 425, 425, ANY, ANY, REPLY_RETRY},
    {READ, 426, 428, ANY, ANY, REPLY_REFUSED},
    {READ, 429, 429, ANY, ANY, REPLY_RETRY},
    {READ, 430, 499, ANY, ANY, REPLY_REFUSED},
    {READ, 500, 599, ANY, ANY, REPLY_RETRY},

    /* A run that was over already is as good as cancelled, and the body does not matter. */
    {CANCEL, 100, 599, ANY, YES, REPLY_GOOD},
    {CANCEL, 100, 199, ANY, NO, REPLY_REFUSED},
    {CANCEL, 200, 299, ANY, NO, REPLY_GOOD},
    {CANCEL, 300, 403, ANY, NO, REPLY_REFUSED},
    {CANCEL, 404, 404, ANY, NO, REPLY_NOT_FOUND},
    {CANCEL, 405, 407, ANY, NO, REPLY_REFUSED},
    {CANCEL, 408, 408, ANY, NO, REPLY_RETRY},
    {CANCEL, 409, 424, ANY, NO, REPLY_REFUSED},
    {CANCEL, 425, 425, ANY, NO, REPLY_RETRY},
    {CANCEL, 426, 428, ANY, NO, REPLY_REFUSED},
    {CANCEL, 429, 429, ANY, NO, REPLY_RETRY},
    {CANCEL, 430, 499, ANY, NO, REPLY_REFUSED},
    {CANCEL, 500, 599, ANY, NO, REPLY_RETRY},
};

/* Where no whole reply came. */
static const struct {
    unsigned requests;
    enum fact sent, hopeless;
    enum reply_class expected;
} silences[] = {
    {START, NO, NO, REPLY_NOT_PROCESSED}, {START, NO, YES, REPLY_REFUSED},
    {START, YES, NO, REPLY_LOST},         {REST, NO, NO, REPLY_RETRY},
    {REST, NO, YES, REPLY_REFUSED},       {REST, YES, NO, REPLY_RETRY},
};

static bool fits(enum fact wanted, bool is)
{
    return wanted == ANY || (wanted == YES) == is;
}

/* The class that the tables want; every exchange must stand in them once. */
static enum reply_class expected_class(const struct exchange *x)
{
    enum reply_class found = REPLY_UNKNOWN;
    int rows = 0;

    for (size_t i = 0; x->answered && i < ARRAY_LEN(replies); i++) {
        if ((replies[i].requests >> x->request & 1u) && x->status >= replies[i].from &&
            x->status <= replies[i].to && fits(replies[i].readable, x->readable) &&
            fits(replies[i].gone, x->gone)) {
            found = replies[i].expected;
            rows++;
        }
    }
    for (size_t i = 0; !x->answered && i < ARRAY_LEN(silences); i++) {
        if ((silences[i].requests >> x->request & 1u) && fits(silences[i].sent, x->sent) &&
            fits(silences[i].hopeless, x->hopeless)) {
            found = silences[i].expected;
            rows++;
        }
    }
    if (rows != 1)
        fail_msg("request %d, answered %d, sent %d, hopeless %d, status %d, gone %d, readable %d: "
                 "%d rows",
                 (int)x->request, x->answered, x->sent, x->hopeless, x->status, x->gone,
                 x->readable, rows);
    return found;
}

/* Facts that can be true together: what was answered was sent, and is not hopeless. */
static bool is_possible(const struct exchange *x)
{
    return !(x->answered && !x->sent) && !(x->hopeless && x->sent);
}

static void check_class(const struct exchange *x)
{
    enum reply_class got = run_classify(x);
    enum reply_class expected = expected_class(x);

    if (got != expected)
        fail_msg("request %d, answered %d, sent %d, hopeless %d, status %d, gone %d, readable %d: "
                 "%s, expected %s",
                 (int)x->request, x->answered, x->sent, x->hopeless, x->status, x->gone,
                 x->readable, class_names[got], class_names[expected]);
}

static void test_every_exchange(void **state)
{
    size_t checked = 0;

    (void)state;
    assert_int_equal(ARRAY_LEN(class_names), REPLY_CLASS_COUNT);
    for (int kind = 0; kind < REQUEST_KIND_COUNT; kind++) {
        for (int status = FIRST; status <= LAST; status++) {
            for (unsigned facts = 0; facts < 32; facts++) {
                struct exchange x = {
                    .request = (enum request_kind)kind,
                    .status = status,
                    .answered = facts & 1,
                    .sent = facts & 2,
                    .hopeless = facts & 4,
                    .gone = facts & 8,
                    .readable = facts & 16,
                };

                if (!is_possible(&x))
                    continue;
                check_class(&x);
                checked++;
            }
        }
    }
    /* Four ways in which it can have gone, by two facts of the reply. */
    assert_int_equal(checked, REQUEST_KIND_COUNT * (LAST - FIRST + 1) * 4 * 4);
}

/* Where there is no whole reply, the status of the part that came does not matter. */
static void test_status_of_a_torn_reply(void **state)
{
    (void)state;
    for (int kind = 0; kind < REQUEST_KIND_COUNT; kind++) {
        for (int status = 0; status <= LAST; status++) {
            struct exchange torn = {.request = (enum request_kind)kind,
                                    .sent = true,
                                    .status = status,
                                    .readable = true};

            assert_int_equal(run_classify(&torn), kind == REQUEST_START ? REPLY_LOST : REPLY_RETRY);
        }
    }
}

/* Nothing but a success, or what the definition takes for one, is good; and what the server may
 * have seen of a start never counts as not processed, but for the two statuses that say so. */
static void test_what_never_happens(void **state)
{
    static const int odd[] = {INT32_MIN, -1, 0, 1, 99, 600, 999, INT32_MAX};

    (void)state;
    for (unsigned n = 0; n < REQUEST_KIND_COUNT * 32 * ARRAY_LEN(odd); n++) {
        struct exchange x = {
            .request = (enum request_kind)(n / 32 % REQUEST_KIND_COUNT),
            .status = odd[n / 32 / REQUEST_KIND_COUNT],
            .answered = n & 1,
            .sent = n & 2,
            .hopeless = n & 4,
            .gone = n & 8,
            .readable = n & 16,
        };
        enum reply_class c = run_classify(&x);

        assert_int_not_equal(c, REPLY_UNKNOWN);
        assert_int_not_equal(c, REPLY_ENDED);
        assert_int_not_equal(c, REPLY_STRANGE);
        if (c == REPLY_GOOD && !(x.request == REQUEST_CANCEL && x.gone && x.answered))
            fail_msg("request %d, status %d is good", (int)x.request, x.status);
        if (c == REPLY_NOT_PROCESSED && (x.sent || x.request != REQUEST_START) && !x.answered)
            fail_msg("request %d, status %d was not processed", (int)x.request, x.status);
    }
}

/* --- folding ------------------------------------------------------------------------------ */

/* From the strongest to the weakest. */
static const enum outcome order[] = {OUTCOME_FAILED,    OUTCOME_ERROR,   OUTCOME_TIMED_OUT,
                                     OUTCOME_CANCELLED, OUTCOME_SKIPPED, OUTCOME_EMPTY,
                                     OUTCOME_PASSED};

/* What an outcome of a remote run weighs: one that is no end is an error. */
static enum outcome weighed(enum outcome o)
{
    return o == OUTCOME_UNKNOWN || o == OUTCOME_RUNNING || o == OUTCOME_START_UNKNOWN
               ? OUTCOME_ERROR
               : o;
}

static enum outcome expected_fold(const struct remote *remotes, size_t count, size_t refused)
{
    for (size_t k = 0; k < ARRAY_LEN(order); k++) {
        for (size_t i = 0; i < count; i++) {
            if (weighed(remotes[i].outcome) == order[k])
                return order[k];
        }
        /* A run that was refused is missing: an error, but no reason to hide a failure. */
        if (order[k] == OUTCOME_ERROR && (refused || !count))
            return OUTCOME_ERROR;
    }
    return OUTCOME_UNKNOWN;
}

static bool all_passed(const struct remote *remotes, size_t count)
{
    size_t passed = 0;

    for (size_t i = 0; i < count; i++)
        passed += remotes[i].outcome == OUTCOME_PASSED;
    return count && passed == count;
}

static void test_fold(void **state)
{
    static const size_t refused[] = {0, 1, 2, SIZE_MAX};

    (void)state;
    /* All outcomes but those four are in the order, once each. */
    assert_int_equal(ARRAY_LEN(order) + 3, OUTCOME_COUNT);
    for (size_t count = 0; count <= 3; count++) {
        size_t combinations = 1;

        for (size_t i = 0; i < count; i++)
            combinations *= OUTCOME_COUNT;
        for (size_t n = 0; n < combinations * ARRAY_LEN(refused); n++) {
            size_t missing = refused[n / combinations];
            struct remote remotes[3] = {{OUTCOME_UNKNOWN, CANCEL_OPEN}};
            enum outcome got, expected;

            for (size_t i = 0, rest = n % combinations; i < count; i++, rest /= OUTCOME_COUNT)
                remotes[i].outcome = (enum outcome)(rest % OUTCOME_COUNT);
            got = run_fold(remotes, count, missing);
            expected = expected_fold(remotes, count, missing);
            if (got != expected)
                fail_msg("%zu of %s, %s, %s, %zu refused: %s, expected %s", count,
                         outcome_name(remotes[0].outcome), outcome_name(remotes[1].outcome),
                         outcome_name(remotes[2].outcome), missing, outcome_name(got),
                         outcome_name(expected));
            assert_int_equal(got == OUTCOME_PASSED, all_passed(remotes, count) && !missing);
        }
    }
}

/* Whether a run was cancelled by us does not change what it counts as. */
static void test_fold_is_blind_to_cancelling(void **state)
{
    (void)state;
    for (int o = 0; o < OUTCOME_COUNT; o++) {
        for (int c = CANCEL_OPEN; c <= CANCEL_REFUSED; c++) {
            struct remote plain = {(enum outcome)o, CANCEL_OPEN};
            struct remote cancelled = {(enum outcome)o, (enum cancel_state)c};

            assert_int_equal(run_fold(&cancelled, 1, 0), run_fold(&plain, 1, 0));
        }
    }
}

static void test_state_names(void **state)
{
    (void)state;
    for (int s = 0; s < RUN_STATE_COUNT; s++) {
        assert_non_null(run_state_name((enum run_state)s));
        for (int other = 0; other < s; other++)
            assert_string_not_equal(run_state_name((enum run_state)s),
                                    run_state_name((enum run_state)other));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_exchange),
        cmocka_unit_test(test_status_of_a_torn_reply),
        cmocka_unit_test(test_what_never_happens),
        cmocka_unit_test(test_fold),
        cmocka_unit_test(test_fold_is_blind_to_cancelling),
        cmocka_unit_test(test_state_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
