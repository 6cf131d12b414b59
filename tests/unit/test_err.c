/* SPDX-License-Identifier: MIT */
/* Tests base/err: the first error wins, mistakes are all kept and come out in order. */
#include "base/base.h"

#include "base/err.h"
#include "base/secret.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static void test_first_wins(void **state)
{
    struct err e = {.text = ""};

    (void)state;
    assert_int_equal(err_set(&e, "first %d%%", 1), -1);
    assert_int_equal(err_set(&e, "second"), -1);
    assert_string_equal(e.text, "first 1%");
    assert_int_equal(err_set(NULL, "nobody asks"), -1);
}

static void test_long_text(void **state)
{
    static const size_t lengths[] = {ERR_TEXT_MAX - 2, ERR_TEXT_MAX - 1, ERR_TEXT_MAX, 5000};
    char text[5001];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        struct err *e = calloc(1, sizeof(*e));
        size_t kept = lengths[i] < ERR_TEXT_MAX ? lengths[i] : ERR_TEXT_MAX - 1;

        assert_non_null(e);
        memset(text, 'x', lengths[i]);
        text[lengths[i]] = '\0';
        assert_int_equal(err_set(e, "%s", text), -1);
        if (strlen(e->text) != kept)
            fail_msg("%zu bytes: %zu are kept", lengths[i], strlen(e->text));
        free(e);
    }
}

/* Wherever the cut falls: a secret of which only the beginning is left is one too. */
static void test_long_text_with_a_secret(void **state)
{
    static const char secret[] = "s3cret-t0ken-value";
    char before[ERR_TEXT_MAX];

    (void)state;
    secret_add(secret);
    for (size_t len = ERR_TEXT_MAX - sizeof(secret); len < ERR_TEXT_MAX; len++) {
        struct err e = {.text = ""};

        memset(before, 'x', len);
        before[len] = '\0';
        assert_int_equal(err_set(&e, "%s%s is too long", before, secret), -1);
        if (strstr(e.text, "s3c"))
            fail_msg("behind %zu bytes: %s", len, strstr(e.text, "s3c"));
    }
    secret_clear();
}

static void test_diags(void **state)
{
    static const struct {
        const char *name;
        const char *given, *expected; /* FILE LINE, one letter and one digit each */
    } rows[] = {
        {"nothing", "", ""},
        {"one", "a5", "a5"},
        {"in order", "a1a2a3", "a1a2a3"},
        {"backwards", "a5a4a3a2a1", "a1a2a3a4a5"},
        {"mixed", "a3a1a2a1a0", "a0a1a1a2a3"},
        {"files stay apart", "a3a1b2b1", "a1a3b1b2"},
        {"line 0 comes first", "a7a0", "a0a7"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct diags d = {.items = NULL};
        int last = -1;

        for (const char *p = rows[i].given; *p; p += 2) {
            char file[2] = {p[0], '\0'};

            assert_int_equal(diag_add(&d, file, p[1] - '0', "%d", (int)(p - rows[i].given)), -1);
        }
        diags_sort(&d);
        if (d.count * 2 != strlen(rows[i].expected))
            fail_msg("%s: %zu mistakes", rows[i].name, d.count);
        for (size_t k = 0; k < d.count; k++) {
            int64_t order = strtol(d.items[k].text, NULL, 10);

            if (d.items[k].file[0] != rows[i].expected[2 * k] ||
                d.items[k].line != rows[i].expected[2 * k + 1] - '0')
                fail_msg("%s: place %zu holds %s%d", rows[i].name, k, d.items[k].file,
                         d.items[k].line);
            /* Those of one line keep their order. */
            if (k && d.items[k].line == d.items[k - 1].line &&
                d.items[k].file[0] == d.items[k - 1].file[0] && order < last)
                fail_msg("%s: place %zu changed its order", rows[i].name, k);
            last = (int)order;
        }
        diags_free(&d);
        assert_int_equal(d.count, 0);
        diags_free(&d);
    }
}

/* A mistake's text has no limit of its own; many are kept. */
static void test_many(void **state)
{
    struct diags d = {.items = NULL};
    char text[5001];

    (void)state;
    memset(text, 'x', 5000);
    text[5000] = '\0';
    for (int i = 0; i < 1000; i++)
        diag_add(&d, "file.ini", 1000 - i, "%s %d", text, i);
    diags_sort(&d);
    assert_int_equal(d.count, 1000);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(d.items[i].line, i + 1);
        assert_true(strlen(d.items[i].text) > 5000);
    }
    diags_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_wins),
        cmocka_unit_test(test_long_text),
        cmocka_unit_test(test_long_text_with_a_secret),
        cmocka_unit_test(test_diags),
        cmocka_unit_test(test_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
