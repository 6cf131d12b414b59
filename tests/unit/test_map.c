/* SPDX-License-Identifier: MIT */
/* Tests base/map: every key has its own value, through all growing. */
#include "base/base.h"

#include "base/map.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

enum { KEYS = 5000 };

static void test_empty(void **state)
{
    struct map m = {0};

    (void)state;
    assert_int_equal(map_get(&m, ""), 0);
    map_free(&m);
    assert_int_equal(map_get(&m, "a"), 0);
}

static void test_many(void **state)
{
    struct map m = {0};
    char key[16];

    (void)state;
    for (size_t i = 0; i < KEYS; i++) {
        snprintf(key, sizeof(key), "%zu", i);
        assert_int_equal(map_get(&m, key), 0);
        assert_int_equal(*map_at(&m, key), 0);
        *map_at(&m, key) = i + 1;
    }
    for (size_t i = 0; i < KEYS; i++) {
        snprintf(key, sizeof(key), "%zu", i);
        assert_int_equal(map_get(&m, key), i + 1);
        assert_int_equal(*map_at(&m, key), i + 1);
    }
    assert_int_equal(m.used, KEYS);
    assert_int_equal(map_get(&m, "5000"), 0);
    map_free(&m);
}

/* The key is copied: the caller's may go. */
static void test_keys_are_copied(void **state)
{
    char key[] = "abc";
    struct map m = {0};

    (void)state;
    *map_at(&m, key) = 7;
    key[0] = 'x';
    assert_int_equal(map_get(&m, "abc"), 7);
    assert_int_equal(map_get(&m, key), 0);
    map_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_keys_are_copied),
    };

    return cmocka_run_group_tests_name("map", tests, NULL, NULL);
}
