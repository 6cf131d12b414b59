/* SPDX-License-Identifier: MIT */
/* Tests base/rng: the published sequence, and the bounds of a drawn number. */
#include "base/base.h"

#include "base/rng.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static void test_sequence(void **state)
{
    /* The authors' reference implementation, seeds 0 and 1234567. */
    static const struct {
        uint64_t seed, expected[5];
    } rows[] = {
        {0,
         {UINT64_C(0xE220A8397B1DCDAF), UINT64_C(0x6E789E6AA1B965F4), UINT64_C(0x06C45D188009454F),
          UINT64_C(0xF88BB8A8724C81EC), UINT64_C(0x1B39896A51A8749B)}},
        {1234567,
         {UINT64_C(6457827717110365317), UINT64_C(3203168211198807973),
          UINT64_C(9817491932198370423), UINT64_C(4593380528125082431),
          UINT64_C(16408922859458223821)}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint64_t seed = rows[i].seed;

        for (size_t k = 0; k < 5; k++) {
            uint64_t got = rng_next(&seed);

            if (got != rows[i].expected[k])
                fail_msg("seed %" PRIu64 ", number %zu: got %" PRIu64, rows[i].seed, k, got);
        }
    }
}

static void test_bounds(void **state)
{
    static const int64_t maxima[] = {0, 1, 2, 9, 1000, INT64_MAX - 1, INT64_MAX};
    uint64_t seed = UINT64_MAX;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(maxima); i++) {
        unsigned seen = 0;

        for (int k = 0; k < 1000; k++) {
            int64_t got = rng_up_to(&seed, maxima[i]);

            if (got < 0 || got > maxima[i])
                fail_msg("up to %" PRId64 ": got %" PRId64, maxima[i], got);
            if (got < 10)
                seen |= 1u << got;
        }
        if (maxima[i] < 10 && seen != (1u << (maxima[i] + 1)) - 1)
            fail_msg("up to %" PRId64 ": some numbers never come", maxima[i]);
    }
}

static void test_repeats(void **state)
{
    uint64_t a = 42, b = 42;

    (void)state;
    for (int i = 0; i < 100; i++)
        assert_int_equal(rng_up_to(&a, 1000), rng_up_to(&b, 1000));
    assert_true(a == b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sequence),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_repeats),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
