/* SPDX-License-Identifier: MIT */
/* Tests base/buf: growth, the cap and its sticky flag, handing the text over. */
#include "base/base.h"

#include "base/buf.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static void test_empty(void **state)
{
    struct buf b;
    char *text;

    (void)state;
    buf_init(&b, 10);
    assert_string_equal(b.text, "");
    buf_add(&b, NULL, 0);
    buf_adds(&b, "");
    buf_addf(&b, "%s", "");
    buf_truncate(&b, 0);
    buf_truncate(&b, 5);
    buf_clear(&b);
    assert_string_equal(b.text, "");
    assert_int_equal(b.len, 0);
    assert_false(b.over);
    buf_free(&b);
    buf_free(&b);
    text = buf_detach(&b);
    assert_string_equal(text, "");
    free(text);
    text = buf_detach(&b);
    assert_string_equal(text, "");
    free(text);
}

/* Two empty buffers share their text; using one must not show in the other. */
static void test_two_buffers(void **state)
{
    struct buf a, b;

    (void)state;
    buf_init(&a, 100);
    buf_init(&b, 100);
    buf_adds(&a, "something");
    assert_string_equal(b.text, "");
    buf_clear(&a);
    buf_free(&a);
    assert_string_equal(b.text, "");
    buf_free(&b);
}

static void test_cap(void **state)
{
    static const struct {
        const char *name;
        size_t cap;
        const char *first, *second;
        const char *text;
        bool over;
    } rows[] = {
        {"cap 0", 0, "a", "", "", true},
        {"cap 0, nothing added", 0, "", "", "", false},
        {"exactly full", 3, "abc", "", "abc", false},
        {"one too many", 3, "abcd", "", "", true},
        {"full by two", 4, "ab", "cd", "abcd", false},
        {"the second does not fit", 3, "ab", "cd", "ab", true},
        {"what fits after it is added", 3, "abcd", "xyz", "xyz", true},
        {"full, nothing more", 3, "abc", "", "abc", false},
        {"at the growth step", 8, "12345678", "", "12345678", false},
        {"behind the growth step", 9, "12345678", "9", "123456789", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (int way = 0; way < 2; way++) {
            struct buf b;

            buf_init(&b, rows[i].cap);
            if (way) {
                buf_addf(&b, "%s", rows[i].first);
                buf_addf(&b, "%s", rows[i].second);
            } else {
                buf_adds(&b, rows[i].first);
                buf_adds(&b, rows[i].second);
            }
            if (strcmp(b.text, rows[i].text) != 0 || b.over != rows[i].over ||
                b.len != strlen(rows[i].text))
                fail_msg("%s: got '%s', %zu bytes, over %d", rows[i].name, b.text, b.len, b.over);
            buf_clear(&b);
            if (b.over || b.len || b.text[0])
                fail_msg("%s: not clear after buf_clear", rows[i].name);
            buf_free(&b);
            if (b.cap != rows[i].cap)
                fail_msg("%s: buf_free forgot the cap", rows[i].name);
        }
    }
}

/* A length near SIZE_MAX must not wrap around into "it fits". */
static void test_huge_length(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    buf_adds(&b, "abc");
    buf_add(&b, "x", SIZE_MAX);
    assert_true(b.over);
    buf_add(&b, "x", SIZE_MAX - 2);
    assert_string_equal(b.text, "abc");
    assert_int_equal(b.len, 3);
    buf_free(&b);
}

static void test_growth(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 100000);
    for (int i = 0; i < 100000; i++) {
        buf_addc(&b, (char)('a' + i % 26));
        if (b.text[b.len] != '\0' || b.len != (size_t)i + 1)
            fail_msg("no NUL behind byte %d", i);
    }
    assert_false(b.over);
    for (int i = 0; i < 100000; i++) {
        if (b.text[i] != (char)('a' + i % 26))
            fail_msg("byte %d was lost", i);
    }
    buf_addc(&b, 'x');
    assert_true(b.over);
    assert_int_equal(b.len, 100000);
    buf_free(&b);
    assert_int_equal(b.len, 0);
    assert_string_equal(b.text, "");
}

static void test_bytes(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    buf_add(&b, "a\0b", 3);
    buf_addc(&b, '\0');
    buf_addf(&b, "%d%%|%5s|%c", -7, "xy", 'z');
    assert_int_equal(b.len, 4 + 11);
    assert_memory_equal(b.text, "a\0b\0-7%|   xy|z", 16);
    buf_truncate(&b, 2);
    assert_int_equal(b.len, 2);
    assert_memory_equal(b.text, "a\0", 3);
    buf_truncate(&b, 99);
    assert_int_equal(b.len, 2);
    buf_free(&b);
}

static void test_detach(void **state)
{
    struct buf b;
    char *first, *second;

    (void)state;
    buf_init(&b, 5);
    buf_adds(&b, "one");
    first = buf_detach(&b);
    assert_string_equal(b.text, "");
    assert_int_equal(b.cap, 5);
    buf_adds(&b, "two");
    buf_adds(&b, "three");
    assert_true(b.over);
    second = buf_detach(&b);
    assert_false(b.over);
    assert_string_equal(first, "one");
    assert_string_equal(second, "two");
    buf_clear(&b);
    free(first);
    free(second);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),  cmocka_unit_test(test_two_buffers),
        cmocka_unit_test(test_cap),    cmocka_unit_test(test_huge_length),
        cmocka_unit_test(test_growth), cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_detach),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
