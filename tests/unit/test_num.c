/* SPDX-License-Identifier: MIT */
/* Tests base/num: what is a number, a boolean, a duration, a size, and what is refused. */
#include "base/base.h"

#include "base/num.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

enum { UNTOUCHED = -77, BAD = -78 }; /* BAD: the row expects a refusal */

static void check(const char *what, const char *text, int rc, int64_t got, int64_t expected)
{
    if (expected == BAD && rc != -1)
        fail_msg("%s '%s': taken as %" PRId64 ", should be refused", what, text, got);
    if (expected == BAD && got != UNTOUCHED)
        fail_msg("%s '%s': the output was touched", what, text);
    if (expected != BAD && (rc || got != expected))
        fail_msg("%s '%s': rc %d, %" PRId64 ", expected %" PRId64, what, text, rc, got, expected);
}

static void test_integer(void **state)
{
    static const struct {
        const char *text;
        int64_t min, max, expected;
    } rows[] = {
        {"0", 0, 10, 0},
        {"-0", 0, 10, 0},
        {"10", 0, 10, 10},
        {"11", 0, 10, BAD},
        {"-1", 0, 10, BAD},
        {"-5", -5, 5, -5},
        {"-6", -5, 5, BAD},
        {"007", 0, 10, 7},
        {"9223372036854775807", INT64_MIN, INT64_MAX, INT64_MAX},
        {"-9223372036854775807", INT64_MIN, INT64_MAX, -INT64_MAX},
        {"9223372036854775808", INT64_MIN, INT64_MAX, BAD},
        {"9223372036854775817", INT64_MIN, INT64_MAX, BAD},
        {"-9223372036854775809", INT64_MIN, INT64_MAX, BAD},
        {"18446744073709551616", INT64_MIN, INT64_MAX, BAD},
        {"99999999999999999999999999999999", INT64_MIN, INT64_MAX, BAD},
        {"", 0, 10, BAD},
        {"-", -10, 10, BAD},
        {"+1", 0, 10, BAD},
        {"--1", -10, 10, BAD},
        {" 1", 0, 10, BAD},
        {"1 ", 0, 10, BAD},
        {"1\n", 0, 10, BAD},
        {"1.0", 0, 10, BAD},
        {"1e0", 0, 10, BAD},
        {"0x1", 0, 10, BAD},
        {"1_0", 0, 10, BAD},
        {"\xD9\xA1", 0, 10, BAD},
        {"ten", 0, 10, BAD},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t got = UNTOUCHED;
        int rc = num_integer(rows[i].text, rows[i].min, rows[i].max, &got);

        check("integer", rows[i].text, rc, got, rows[i].expected);
    }
}

static void test_boolean(void **state)
{
    static const struct {
        const char *text;
        int64_t expected;
    } rows[] = {
        {"yes", 1},    {"true", 1},  {"on", 1},   {"1", 1},      {"no", 0},
        {"false", 0},  {"off", 0},   {"0", 0},    {"", BAD},     {"Yes", BAD},
        {"NO", BAD},   {"y", BAD},   {"t", BAD},  {"2", BAD},    {"01", BAD},
        {"yes ", BAD}, {" no", BAD}, {"ye", BAD}, {"yess", BAD},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        bool yes = true, no = false;
        int rc = num_boolean(rows[i].text, &yes);
        int rc2 = num_boolean(rows[i].text, &no);

        if (rc != rc2 || (rc == 0 && yes != no))
            fail_msg("boolean '%s': the answer depends on what stood there", rows[i].text);
        check("boolean", rows[i].text, rc, rc ? (yes && !no ? UNTOUCHED : 0) : yes,
              rows[i].expected);
    }
}

static void test_duration(void **state)
{
    static const struct {
        const char *text;
        int64_t expected;
    } rows[] = {
        {"0", 0},
        {"0s", 0},
        {"0ms", 0},
        {"250ms", 250},
        {"30s", 30000},
        {"45m", 2700000},
        {"1h30m", 5400000},
        {"2d", 172800000},
        {"90", 90000},
        {"007", 7000},
        {"1d2h3m4s5ms", 93784005},
        {"1d5ms", 86400005},
        {"1m5ms", 60005},
        {"1m1m", BAD},
        {"5m5s", 305000},
        {"90m", 5400000},
        {"100d", DURATION_MAX},
        {"99d23h59m59s1000ms", DURATION_MAX},
        {"8640000", DURATION_MAX},
        {"8640000000ms", DURATION_MAX},
        /* beyond the maximum, by any way */
        {"101d", BAD},
        {"100d1ms", BAD},
        {"8640001", BAD},
        {"8640000001ms", BAD},
        {"99d24h1ms", BAD},
        {"9223372036854775807", BAD},
        {"9223372036854775808", BAD},
        {"18446744073709551617", BAD},
        {"9223372036854775807d", BAD},
        {"106751991168d", BAD},
        {"2562047788016h", BAD},
        {"213503982335d", BAD},
        {"1d99999999999999999999ms", BAD},
        /* order and repeats */
        {"30m1h", BAD},
        {"1s1m", BAD},
        {"5ms1s", BAD},
        {"1h1h", BAD},
        {"1ms1ms", BAD},
        {"1h2m3h", BAD},
        /* form */
        {"", BAD},
        {"s", BAD},
        {"ms", BAD},
        {"1h30", BAD},
        {"1 h", BAD},
        {" 1h", BAD},
        {"1h ", BAD},
        {"1h 30m", BAD},
        {"1.5h", BAD},
        {"-1s", BAD},
        {"+1s", BAD},
        {"1H", BAD},
        {"1M", BAD},
        {"1hm", BAD},
        {"1sm", BAD},
        {"1mms", BAD},
        {"1mm", BAD},
        {"1w", BAD},
        {"1us", BAD},
        {"1min", BAD},
        {"1sec", BAD},
        {"PT1H", BAD},
        {"0x10", BAD},
        {"1e3", BAD},
        {"1h-5m", BAD},
        {"1s\n", BAD},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t got = UNTOUCHED;
        int rc = num_duration(rows[i].text, &got);

        check("duration", rows[i].text, rc, got, rows[i].expected);
    }
}

static void test_bytes(void **state)
{
    static const struct {
        const char *text;
        int64_t expected;
    } rows[] = {
        {"1", 1},
        {"16M", INT64_C(16) << 20},
        {"1K", 1024},
        {"1G", INT64_C(1) << 30},
        {"8589934591", INT64_C(8589934591)},
        {"8589934591G", INT64_C(8589934591) << 30},
        {"8589934592G", BAD},
        {"99999999999999999999", BAD},
        {"0", BAD},
        {"0K", BAD},
        {"-1", BAD},
        {"", BAD},
        {"K", BAD},
        {"1k", BAD},
        {"1KB", BAD},
        {"1KK", BAD},
        {"1T", BAD},
        {"1 M", BAD},
        {"1.5M", BAD},
        {"1M ", BAD},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t got = UNTOUCHED;
        int rc = num_bytes(rows[i].text, &got);

        check("bytes", rows[i].text, rc, got, rows[i].expected);
    }
}

static void test_add_duration(void **state)
{
    static const struct {
        int64_t ms;
        const char *expected;
    } rows[] = {
        {INT64_MIN, "0ms"},
        {-1, "0ms"},
        {0, "0ms"},
        {1, "1ms"},
        {999, "999ms"},
        {1000, "1.0s"},
        {1099, "1.0s"},
        {4200, "4.2s"},
        {59999, "59.9s"},
        {60000, "1m00s"},
        {65000, "1m05s"},
        {3599999, "59m59s"},
        {3600000, "1h00m"},
        {7380000, "2h03m"},
        {DURATION_MAX, "2400h00m"},
        {INT64_MAX, "2562047788015h12m"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf b;

        buf_init(&b, 100);
        num_add_duration(&b, rows[i].ms);
        if (strcmp(b.text, rows[i].expected) != 0)
            fail_msg("%" PRId64 " ms: got '%s', expected '%s'", rows[i].ms, b.text,
                     rows[i].expected);
        buf_free(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integer),      cmocka_unit_test(test_boolean),
        cmocka_unit_test(test_duration),     cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_add_duration),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
