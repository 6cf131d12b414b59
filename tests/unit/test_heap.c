/* SPDX-License-Identifier: MIT */
/* Tests base/heap: against a plain array in which the earliest is searched for. */
#include "base/base.h"

#include "base/heap.h"
#include "base/rng.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

enum { SIZE = 50, OPERATIONS = 10000 };

struct model {
    bool in[SIZE];
    int64_t time[SIZE];
};

static void assert_same(const char *row, const struct heap *h, const struct model *m)
{
    size_t count = 0, index = SIZE;
    int64_t earliest = INT64_MAX, time = 0;

    for (size_t i = 0; i < SIZE; i++) {
        count += m->in[i];
        if (m->in[i] && m->time[i] < earliest)
            earliest = m->time[i];
    }
    if (h->count != count)
        fail_msg("%s: %zu entries, expected %zu", row, h->count, count);
    if (heap_first(h, &index, &time) != (count > 0))
        fail_msg("%s: wrong about being empty", row);
    if (count && (index >= SIZE || !m->in[index] || m->time[index] != time || time != earliest))
        fail_msg("%s: entry %zu at %" PRId64 " is first, expected one at %" PRId64, row, index,
                 time, earliest);
}

static void test_empty(void **state)
{
    struct heap h;
    size_t index = 7;
    int64_t time = 8;

    (void)state;
    heap_init(&h, 0);
    assert_false(heap_first(&h, &index, &time));
    heap_free(&h);
    heap_init(&h, 3);
    heap_remove(&h, 0);
    heap_remove(&h, 2);
    assert_false(heap_first(&h, &index, &time));
    assert_int_equal(index, 7);
    assert_int_equal(time, 8);
    heap_free(&h);
}

static void test_one(void **state)
{
    struct heap h;
    size_t index;
    int64_t time;

    (void)state;
    heap_init(&h, 1);
    heap_set(&h, 0, 5);
    heap_set(&h, 0, 3);
    heap_set(&h, 0, 9);
    assert_int_equal(h.count, 1);
    assert_true(heap_first(&h, &index, &time));
    assert_int_equal(index, 0);
    assert_int_equal(time, 9);
    heap_remove(&h, 0);
    heap_remove(&h, 0);
    assert_int_equal(h.count, 0);
    heap_set(&h, 0, -1);
    assert_true(heap_first(&h, &index, &time));
    assert_int_equal(time, -1);
    heap_free(&h);
}

static void test_random(void **state)
{
    static const int64_t ranges[] = {3, 100, INT64_MAX};
    uint64_t seed = 20261123;

    (void)state;
    for (size_t r = 0; r < ARRAY_LEN(ranges); r++) {
        struct model m = {.in = {false}};
        struct heap h;

        heap_init(&h, SIZE);
        for (int i = 0; i < OPERATIONS; i++) {
            size_t index = (size_t)rng_up_to(&seed, SIZE - 1);
            char row[64];

            snprintf(row, sizeof(row), "range %zu, operation %d", r, i);
            /* Phases that fill and phases that empty. */
            if (rng_up_to(&seed, 9) < (i / 500 % 2 ? 3 : 7)) {
                m.in[index] = true;
                m.time[index] = rng_up_to(&seed, ranges[r]) - ranges[r] / 2;
                heap_set(&h, index, m.time[index]);
            } else {
                m.in[index] = false;
                heap_remove(&h, index);
            }
            assert_same(row, &h, &m);
        }
        heap_free(&h);
    }
}

/* Taking out the first again and again sorts. */
static void test_drain(void **state)
{
    uint64_t seed = 1;
    struct model m = {.in = {false}};
    int64_t last = INT64_MIN;
    struct heap h;

    (void)state;
    heap_init(&h, SIZE);
    for (size_t i = 0; i < SIZE; i++) {
        m.in[i] = true;
        m.time[i] = i == 3 ? INT64_MAX : i == 4 ? INT64_MIN : rng_up_to(&seed, 20);
        heap_set(&h, i, m.time[i]);
    }
    for (size_t left = SIZE; left; left--) {
        size_t index;
        int64_t time;

        assert_same("drain", &h, &m);
        assert_true(heap_first(&h, &index, &time));
        assert_true(time >= last);
        last = time;
        m.in[index] = false;
        heap_remove(&h, index);
    }
    assert_same("drained", &h, &m);
    heap_free(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_one),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_drain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
