/* SPDX-License-Identifier: MIT */
/* Tests engine/schedule: the bounds of every delay, and by simulation how late the end of a run is
 * seen and with how many requests. With BENCH set in the environment it prints what it measured. */
#include "base/base.h"

#include "base/num.h"
#include "base/rng.h"
#include "engine/schedule.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

static const struct schedule defaults = {SECOND, 15 * SECOND, -1};

static int64_t max_of(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t min_of(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* --- bounds ------------------------------------------------------------------------------- */

static const struct schedule schedules[] = {
    {1, 1, -1},
    {1, 2, -1},
    {1, DURATION_MAX, -1},
    {SECOND, SECOND, -1},
    {SECOND, 15 * SECOND, -1},
    {10 * SECOND, 15 * SECOND, -1},
    {MINUTE, MINUTE, -1},
    {MINUTE, HOUR, -1},
    {DURATION_MAX, DURATION_MAX, -1},
};

static const int64_t times[] = {
    0,
    1,
    9,
    10,
    11,
    999,
    SECOND,
    9999,
    10 * SECOND,
    23999,
    24 * SECOND,
    30 * SECOND,
    36 * SECOND,
    36001,
    MINUTE,
    150 * SECOND,
    10 * MINUTE,
    HOUR,
    2 * HOUR,
    10 * HOUR,
    DURATION_MAX - 1,
    DURATION_MAX,
};

static void test_unknown_end_bounds(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(schedules); i++) {
        const struct schedule *s = &schedules[i];

        for (size_t k = 0; k < ARRAY_LEN(times); k++) {
            uint64_t rng = i * 1000 + k;
            int64_t base = min_of(max_of(times[k] / 10, s->poll_min_ms), s->poll_max_ms);

            for (int n = 0; n < 200; n++) {
                int64_t delay = schedule_delay(s, times[k], &rng);

                /* Jitter only shortens, by a fifth at most, and not below poll_min. */
                if (delay < 1 || delay < s->poll_min_ms || delay > base || delay < base - base / 5)
                    fail_msg("%" PRId64 "..%" PRId64 " at %" PRId64 ": %" PRId64, s->poll_min_ms,
                             s->poll_max_ms, times[k], delay);
            }
        }
    }
}

/* Zero and negative durations are no expectation. */
static void test_no_expectation(void **state)
{
    static const int64_t none[] = {0, -1, INT64_MIN};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(none); i++) {
        for (size_t k = 0; k < ARRAY_LEN(times); k++) {
            struct schedule s = defaults;
            uint64_t a = 1, b = 1;

            s.expected_ms = none[i];
            assert_int_equal(schedule_delay(&s, times[k], &a),
                             schedule_delay(&defaults, times[k], &b));
        }
    }
}

/* Where an end is expected, poll_min holds all the same, and no poll is further away than four
 * times poll_max, and the first one behind the moment from which on an end is due. */
static void test_expected_end_bounds(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(schedules); i++) {
        for (size_t e = 1; e < ARRAY_LEN(times); e++) {
            for (size_t k = 0; k < ARRAY_LEN(times); k++) {
                struct schedule s = schedules[i];
                uint64_t rng = (i * 1000 + e) * 1000 + k;

                s.expected_ms = times[e];
                for (int n = 0; n < 100; n++) {
                    int64_t delay = schedule_delay(&s, times[k], &rng);

                    if (delay < 1 || delay < s.poll_min_ms || delay > 5 * s.poll_max_ms)
                        fail_msg("%" PRId64 "..%" PRId64 " at %" PRId64 " of %" PRId64 ": %" PRId64,
                                 s.poll_min_ms, s.poll_max_ms, times[k], s.expected_ms, delay);
                }
            }
        }
    }
}

/* Far behind the expected end the schedule is that of a run whose end is not known. */
static void test_expectation_missed(void **state)
{
    struct schedule s = defaults;

    (void)state;
    s.expected_ms = 10 * MINUTE;
    for (int64_t t = 12 * MINUTE + 1; t < 2 * HOUR; t += 777) {
        uint64_t a = (uint64_t)t, b = a;

        assert_int_equal(schedule_delay(&s, t, &a), schedule_delay(&defaults, t, &b));
    }
}

static void test_same_seed_same_delays(void **state)
{
    uint64_t a = 5, b = 5;

    (void)state;
    for (int64_t t = 0; t < 10 * MINUTE; t += 1234)
        assert_int_equal(schedule_delay(&defaults, t, &a), schedule_delay(&defaults, t, &b));
    assert_int_equal(a, b);
}

/* From there on, and not before, polls of a run whose end is not known are poll_max apart. */
static void test_slow(void **state)
{
    static const int64_t longest[] = {1, SECOND, 15 * SECOND, MINUTE, HOUR};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(longest); i++) {
        struct schedule s = {.poll_min_ms = 1, .poll_max_ms = longest[i], .expected_ms = -1};
        int64_t slow = 10 * longest[i];

        assert_false(schedule_is_slow(&s, 0));
        assert_false(schedule_is_slow(&s, slow - 1));
        assert_true(schedule_is_slow(&s, slow));
        assert_true(schedule_is_slow(&s, DURATION_MAX));
        for (uint64_t seed = 1; seed <= 50; seed++) {
            uint64_t rng = seed;

            assert_true(schedule_delay(&s, slow - 10, &rng) < longest[i] || longest[i] == 1);
            rng = seed;
            assert_true(schedule_delay(&s, slow, &rng) >= longest[i] - longest[i] / 5);
        }
    }
}

static void test_backoff(void **state)
{
    static const int counts[] = {1,  2,  3,  4,  5,  6,   10,      31,       32,
                                 33, 62, 63, 64, 65, 100, 1000000, INT32_MAX};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(schedules); i++) {
        const struct schedule *s = &schedules[i];

        for (size_t k = 0; k < ARRAY_LEN(counts); k++) {
            uint64_t rng = i * 1000 + k;
            int64_t base = s->poll_min_ms;

            for (int n = 1; n < counts[k] && base < s->poll_max_ms; n++)
                base *= 2;
            base = min_of(base, s->poll_max_ms);
            for (int n = 0; n < 200; n++) {
                int64_t delay = schedule_backoff(s, counts[k], -1, &rng);

                if (delay < 1 || delay > base || delay < base - base / 2)
                    fail_msg("%" PRId64 "..%" PRId64 ", failure %d: %" PRId64, s->poll_min_ms,
                             s->poll_max_ms, counts[k], delay);
            }
        }
    }
}

/* What the server asks for is the least; a day, or no end at all, as well as a moment. */
static void test_backoff_retry_after(void **state)
{
    static const int64_t asked[] = {-1,           0,        1, 499, SECOND, 10 * SECOND, MINUTE,
                                    DURATION_MAX, INT64_MAX};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
        for (int count = 1; count < 20; count++) {
            uint64_t rng = i * 100 + (size_t)count;
            int64_t delay = schedule_backoff(&defaults, count, asked[i], &rng);

            if (delay < asked[i] || delay > max_of(asked[i], defaults.poll_max_ms))
                fail_msg("Retry-After %" PRId64 ", failure %d: %" PRId64, asked[i], count, delay);
        }
    }
}

/* Clients that fail together come back spread over at least a quarter of the delay. */
static void test_backoff_spreads(void **state)
{
    uint64_t rng = 3;
    int64_t least = INT64_MAX, most = 0;

    (void)state;
    for (int n = 0; n < 1000; n++) {
        int64_t delay = schedule_backoff(&defaults, 10, -1, &rng);

        least = min_of(least, delay);
        most = max_of(most, delay);
    }
    assert_true(most - least > defaults.poll_max_ms / 4);
}

/* --- simulation --------------------------------------------------------------------------- */

/* What polling one run of a known length costs. */
struct cost {
    int64_t wait_ms; /* from its end to the poll that sees it */
    int64_t requests;
};

static struct cost poll_until_end(const struct schedule *s, int64_t length_ms, uint64_t *rng)
{
    struct cost cost = {0, 0};
    int64_t now = 0;

    while (now < length_ms || !cost.requests) {
        now += schedule_delay(s, now, rng);
        cost.requests++;
    }
    cost.wait_ms = now - length_ms;
    return cost;
}

static struct cost poll_every_5s(int64_t length_ms)
{
    int64_t requests = (length_ms + 4999) / 5000;

    return (struct cost){requests * 5000 - length_ms, requests};
}

static bool bench(void)
{
    return getenv("BENCH") != NULL;
}

enum { RUNS = 2000 };

/* Measured over RUNS runs of which the end is not known. */
struct late {
    int64_t wait_most_ms, wait_sum_ms, requests;
    double share_most; /* of the run's length */
};

static struct late measure_unknown(int64_t length_ms)
{
    struct late m = {0, 0, 0, 0};
    uint64_t rng = (uint64_t)length_ms;

    for (int n = 0; n < RUNS; n++) {
        /* Lengths up to a tenth more, so that ends do not all fall alike between two polls. */
        int64_t length = min_of(length_ms + rng_up_to(&rng, length_ms / 10), 2 * HOUR);
        struct cost c = poll_until_end(&defaults, length, &rng);
        double share = (double)c.wait_ms / (double)length;

        m.wait_most_ms = max_of(m.wait_most_ms, c.wait_ms);
        m.wait_sum_ms += c.wait_ms;
        m.requests += c.requests;
        if (share > m.share_most)
            m.share_most = share;
    }
    return m;
}

/* DESIGN, numbers to hold: at most a tenth of the run's length, and at most poll_max. */
static void test_unknown_end_is_seen_in_time(void **state)
{
    (void)state;
    if (bench())
        print_message("end not known: length  mean wait  longest  share of length  requests\n");
    for (int64_t length = 10 * SECOND; length <= 2 * HOUR; length += length / 4) {
        struct late m = measure_unknown(length);

        if (bench())
            print_message("%17.0f s  %7.2f s  %5.2f s  %15.4f  %8.1f\n", (double)length / SECOND,
                          (double)m.wait_sum_ms / RUNS / SECOND, (double)m.wait_most_ms / SECOND,
                          m.share_most, (double)m.requests / RUNS);
        if (m.share_most > 0.1 || m.wait_most_ms > defaults.poll_max_ms)
            fail_msg("runs of %" PRId64 " s: seen up to %" PRId64 " ms late, %.4f of their length",
                     length / SECOND, m.wait_most_ms, m.share_most);
    }
}

/* The same against a poller with fixed 5 s, over runs of which the end is known within a fifth. */
struct compared {
    int64_t wait_sum_ms, wait_most_ms, requests;
    int64_t fixed_wait_sum_ms, fixed_requests;
};

static struct compared measure_known(int64_t expected_ms)
{
    struct compared m = {0, 0, 0, 0, 0};
    struct schedule s = defaults;
    uint64_t rng = (uint64_t)expected_ms;

    s.expected_ms = expected_ms;
    for (int n = 0; n < RUNS; n++) {
        int64_t length = expected_ms * 4 / 5 + rng_up_to(&rng, expected_ms * 2 / 5);
        struct cost c = poll_until_end(&s, length, &rng);
        struct cost fixed = poll_every_5s(length);

        m.wait_sum_ms += c.wait_ms;
        m.wait_most_ms = max_of(m.wait_most_ms, c.wait_ms);
        m.requests += c.requests;
        m.fixed_wait_sum_ms += fixed.wait_ms;
        m.fixed_requests += fixed.requests;
    }
    return m;
}

/* DESIGN, numbers to hold: a mean wait no longer than the fixed poller's, with at most a third of
 * its requests. */
static void test_known_end_costs_little(void **state)
{
    (void)state;
    if (bench())
        print_message("end expected: after  mean wait  longest  requests  fixed 5 s: mean wait  "
                      "requests  ratio\n");
    for (int64_t expected = 30 * SECOND; expected <= 2 * HOUR; expected += expected / 40) {
        struct compared m = measure_known(expected);
        double wait = (double)m.wait_sum_ms / RUNS;
        double ratio = (double)m.requests / (double)m.fixed_requests;

        if (bench())
            print_message("%17.0f s  %7.2f s  %5.2f s  %8.1f  %18.2f s  %8.1f  %.3f\n",
                          (double)expected / SECOND, wait / SECOND, (double)m.wait_most_ms / SECOND,
                          (double)m.requests / RUNS, (double)m.fixed_wait_sum_ms / RUNS / SECOND,
                          (double)m.fixed_requests / RUNS, ratio);
        /* 2.5 s is what the fixed poller's wait tends to; its samples spread around it. */
        if (wait > 2500 || ratio > 1.0 / 3)
            fail_msg("expected after %" PRId64 " s: mean wait %.0f ms, %.3f of the requests of a "
                     "fixed poller",
                     expected / SECOND, wait, ratio);
    }
}

/* An end long before the expected one is seen late, but not worse than so. */
static void test_early_end(void **state)
{
    int64_t most = 0, sum = 0, count = 0;

    (void)state;
    for (int64_t expected = 30 * SECOND; expected <= 2 * HOUR; expected += expected / 4) {
        struct schedule s = defaults;
        uint64_t rng = (uint64_t)expected;

        s.expected_ms = expected;
        for (int n = 0; n < RUNS; n++) {
            struct cost c = poll_until_end(&s, rng_up_to(&rng, expected * 4 / 5), &rng);

            most = max_of(most, c.wait_ms);
            sum += c.wait_ms;
            count++;
        }
    }
    if (bench())
        print_message("end before it is expected: mean wait %.2f s, longest %.2f s\n",
                      (double)sum / (double)count / SECOND, (double)most / SECOND);
    if (most > 5 * defaults.poll_max_ms)
        fail_msg("seen %" PRId64 " ms late", most);
}

/* Runs that began in the same millisecond do not poll in step for ever. */
static void test_runs_drift_apart(void **state)
{
    enum { FLEET = 100 };
    bool taken[FLEET] = {false};
    size_t places = 0;

    (void)state;
    for (uint64_t i = 0; i < FLEET; i++) {
        uint64_t rng = i;
        int64_t now = 0;

        while (now < 5 * MINUTE)
            now += schedule_delay(&defaults, now, &rng);
        taken[(now - 5 * MINUTE) * FLEET / (15 * SECOND + 1)] = true;
    }
    for (size_t i = 0; i < FLEET; i++)
        places += taken[i];
    if (places < FLEET / 3)
        fail_msg("100 runs poll at %zu of 100 places", places);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unknown_end_bounds),
        cmocka_unit_test(test_no_expectation),
        cmocka_unit_test(test_expected_end_bounds),
        cmocka_unit_test(test_expectation_missed),
        cmocka_unit_test(test_same_seed_same_delays),
        cmocka_unit_test(test_slow),
        cmocka_unit_test(test_backoff),
        cmocka_unit_test(test_backoff_retry_after),
        cmocka_unit_test(test_backoff_spreads),
        cmocka_unit_test(test_unknown_end_is_seen_in_time),
        cmocka_unit_test(test_known_end_costs_little),
        cmocka_unit_test(test_early_end),
        cmocka_unit_test(test_runs_drift_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
