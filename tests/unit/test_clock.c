/* SPDX-License-Identifier: MIT */
/* Tests base/clock: reading and writing times, with leap years, offsets and times before 1970. */
#include "base/base.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static void test_parse(void **state)
{
    static const struct {
        const char *text;
        int64_t expected;
    } rows[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01t00:00:00z", 0},
        {"1970-01-01 00:00:00", 0},
        {"1970-01-01T00:00:00", 0},
        {"1970-01-02T00:00:00Z", 86400000},
        {"1969-12-31T23:59:59Z", -1000},
        {"1969-12-31T23:59:59.999Z", -1},
        {"1969-12-31T23:59:59.5Z", -500},
        {"1960-02-29T12:00:00Z", INT64_C(-310478400000)},
        {"1900-03-01T00:00:00Z", INT64_C(-2203891200000)},
        {"0001-01-01T00:00:00Z", INT64_C(-62135596800000)},
        {"9999-12-31T23:59:59.999Z", INT64_C(253402300799999)},
        {"2000-02-29T00:00:00Z", INT64_C(951782400000)},
        {"2000-03-01T00:00:00Z", INT64_C(951868800000)},
        {"2024-02-29T23:59:59Z", INT64_C(1709251199000)},
        {"2024-12-31T00:00:00Z", INT64_C(1735603200000)},
        {"2026-11-23T07:04:05Z", INT64_C(1795417445000)},
        {"2038-01-19T03:14:08Z", INT64_C(2147483648000)},
        {"2100-03-01T00:00:00Z", INT64_C(4107542400000)},
        {"2016-12-31T23:59:60Z", INT64_C(1483228800000)}, /* a leap second is the next second */
        /* fractions */
        {"1970-01-01T00:00:00.1Z", 100},
        {"1970-01-01T00:00:00.12Z", 120},
        {"1970-01-01T00:00:00.123Z", 123},
        {"1970-01-01T00:00:00.001Z", 1},
        {"1970-01-01T00:00:00.1239Z", 123},
        {"1970-01-01T00:00:00.123456Z", 123},
        {"1970-01-01T00:00:00.999999999Z", 999},
        {"1970-01-01T00:00:00.000000001Z", 0},
        {"1970-01-01T00:00:00,5Z", 500},
        {"1970-01-01T00:00:00.5", 500},
        {"1970-01-01T00:00:00.5+00:00", 500},
        /* offsets */
        {"1970-01-01T02:00:00+02:00", 0},
        {"1969-12-31T19:00:00-05:00", 0},
        {"1970-01-01T05:30:00+0530", 0},
        {"1970-01-01T00:00:00-00:00", 0},
        {"2024-03-01T01:00:00+02:00", INT64_C(1709247600000)},
        {"2023-12-31T23:30:00-01:00", INT64_C(1704069000000)},
        {"1970-01-01T23:59:00+23:59", 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t got = 42;

        if (clock_parse_iso(rows[i].text, &got) || got != rows[i].expected)
            fail_msg("'%s': got %" PRId64 ", expected %" PRId64, rows[i].text, got,
                     rows[i].expected);
    }
}

static void test_parse_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "now",
        "2026",
        "2026-11",
        "2026-11-23",
        "2026-11-23T",
        "2026-11-23T07:04",
        "2026-11-23T07:04Z",
        "2026-11-23T07:04:5Z",
        "2026-1-23T07:04:05Z",
        "26-11-23T07:04:05Z",
        "02026-11-23T07:04:05Z",
        "+2026-11-23T07:04:05Z",
        "-001-11-23T07:04:05Z",
        "2026/11/23T07:04:05Z",
        "2026-11-23X07:04:05Z",
        "2026-11-23  07:04:05Z",
        "2026-11-23T07.04.05Z",
        " 2026-11-23T07:04:05Z",
        "2026-11-23T07:04:05Z ",
        "2026-11-23T07:04:05ZZ",
        "2026-11-23T07:04:05 Z",
        "2026-11-23T07:04:05.Z",
        "2026-11-23T07:04:05.",
        "2026-11-23T07:04:05.-1Z",
        "2026-11-23T07:04:05+",
        "2026-11-23T07:04:05+1",
        "2026-11-23T07:04:05+01:",
        "2026-11-23T07:04:05+01:0",
        "2026-11-23T07:04:05+01:00Z",
        "2026-11-23T07:04:05+24:00",
        "2026-11-23T07:04:05+01:60",
        "2026-11-23T24:00:00Z",
        "2026-11-23T07:60:00Z",
        "2026-11-23T07:04:61Z",
        "2026-00-23T07:04:05Z",
        "2026-13-23T07:04:05Z",
        "2026-11-00T07:04:05Z",
        "2026-11-32T07:04:05Z",
        "0000-01-01T00:00:00Z",
        /* days that the month does not have */
        "2026-02-29T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2024-02-30T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-06-31T00:00:00Z",
        "2026-09-31T00:00:00Z",
        "2026-11-31T00:00:00Z",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t got = 42;

        if (!clock_parse_iso(rows[i], &got))
            fail_msg("'%s': taken as %" PRId64 ", should be refused", rows[i], got);
        if (got != 42)
            fail_msg("'%s': the output was touched", rows[i]);
    }
}

/* Every byte of a full time cut off or replaced: never read beyond the end. */
static void test_parse_cut(void **state)
{
    static const char full[] = "2026-11-23T07:04:05.123+01:30";

    (void)state;
    for (size_t len = 0; len < sizeof(full); len++) {
        char *cut = malloc(len + 1);
        bool whole = len == 19 || (len > 20 && len <= 23) || len == sizeof(full) - 1;
        int64_t got;

        assert_non_null(cut);
        memcpy(cut, full, len);
        cut[len] = '\0';
        if ((clock_parse_iso(cut, &got) == 0) != whole)
            fail_msg("'%s': expected %s", cut, whole ? "a time" : "a refusal");
        if (len) {
            cut[len - 1] = 'x';
            if (!clock_parse_iso(cut, &got))
                fail_msg("'%s': should be refused", cut);
        }
        free(cut);
    }
}

static void test_write(void **state)
{
    static const struct {
        int64_t ms;
        bool fraction;
        const char *expected;
    } rows[] = {
        {0, false, "1970-01-01T00:00:00Z"},
        {0, true, "1970-01-01T00:00:00.000Z"},
        {999, false, "1970-01-01T00:00:00Z"},
        {999, true, "1970-01-01T00:00:00.999Z"},
        {-1, true, "1969-12-31T23:59:59.999Z"},
        {-1, false, "1969-12-31T23:59:59Z"},
        {-999, true, "1969-12-31T23:59:59.001Z"},
        {-1000, true, "1969-12-31T23:59:59.000Z"},
        {-1001, true, "1969-12-31T23:59:58.999Z"},
        {INT64_C(1709251199000), false, "2024-02-29T23:59:59Z"},
        {INT64_C(1795417445123), true, "2026-11-23T07:04:05.123Z"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf b;

        buf_init(&b, 100);
        clock_add_iso(&b, rows[i].ms, rows[i].fraction);
        if (strcmp(b.text, rows[i].expected) != 0)
            fail_msg("%" PRId64 ": got '%s', expected '%s'", rows[i].ms, b.text, rows[i].expected);
        buf_free(&b);
    }
}

/* What is written is read back the same: every day from 1890 to 2110, at odd moments of it. */
static void test_round_trip(void **state)
{
    int64_t moment = INT64_C(-2524608000000);
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    while (moment < INT64_C(4417977600000)) {
        int64_t got = 0;

        buf_clear(&b);
        clock_add_iso(&b, moment, true);
        if (clock_parse_iso(b.text, &got) || got != moment)
            fail_msg("%" PRId64 " is written as %s and read as %" PRId64, moment, b.text, got);
        moment += 86400000 - 86399 * (moment % 2 ? 1 : -1);
    }
    buf_free(&b);
}

static void test_clocks(void **state)
{
    int64_t before = clock_monotonic_ms();
    int64_t after = clock_monotonic_ms();
    struct buf b;

    (void)state;
    assert_true(before > 0);
    assert_true(after >= before);
    assert_true(clock_wall_ms() > 0);
    buf_init(&b, 100);
    clock_add_local(&b, INT64_C(1795417445123));
    assert_int_equal(b.len, 8);
    assert_int_equal(b.text[2], ':');
    assert_string_equal(b.text + 5, ":05"); /* zones differ by whole minutes nowadays */
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),      cmocka_unit_test(test_parse_refused),
        cmocka_unit_test(test_parse_cut),  cmocka_unit_test(test_write),
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_clocks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
