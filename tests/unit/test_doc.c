/* SPDX-License-Identifier: MIT */
/* Tests base/doc: strict JSON, lone surrogates, JSON Pointers (RFC 6901), building and printing.
 * Inputs stand in memory of exactly their size. */
#include "base/base.h"

#include "base/doc.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#define BYTES(s) s, sizeof(s) - 1
#define FFFD "\xEF\xBF\xBD"

static struct doc *parse(const char *bytes, size_t len, struct err *e)
{
    char *copy = malloc(len);
    struct doc *d;

    assert_true(copy || !len);
    if (len)
        memcpy(copy, bytes, len);
    memset(e, 0, sizeof(*e));
    d = doc_parse(copy, len, e);
    free(copy);
    return d;
}

static char *print(const struct doc *d)
{
    struct buf b;

    buf_init(&b, BUF_CAP_TEXT);
    doc_print(&b, d, 0);
    return buf_detach(&b);
}

static void test_parse(void **state)
{
    static const struct {
        const char *name;
        const char *bytes;
        size_t len;
        const char *printed; /* NULL: refused */
    } rows[] = {
        /* clang-format off */
        {"object", BYTES("{}"), "{}"},
        {"array", BYTES("[]"), "[]"},
        {"white space", BYTES(" \t\r\n[ 1 ,\n2 ] \n"), "[1,2]"},
        {"nothing", BYTES(""), NULL},
        {"blanks", BYTES("  \n"), NULL},
        {"one byte order mark", BYTES("\xEF\xBB\xBF{}"), "{}"},
        {"two byte order marks", BYTES("\xEF\xBB\xBF\xEF\xBB\xBF{}"), NULL},
        {"only a byte order mark", BYTES("\xEF\xBB\xBF"), NULL},
        {"part of a byte order mark", BYTES("\xEF\xBB"), NULL},
        {"UTF-16", BYTES("\xFF\xFE{\0}\0"), NULL},
        {"a number", BYTES("1"), NULL},
        {"a string", BYTES("\"passed\""), NULL},
        {"null", BYTES("null"), NULL},
        {"HTML", BYTES("<html>"), NULL},
        {"text behind", BYTES("{} x"), NULL},
        {"two documents", BYTES("{}{}"), NULL},
        {"a NUL behind", BYTES("{}\0"), NULL},
        {"a NUL before", BYTES("\0{}"), NULL},
        {"a NUL behind a number", BYTES("[1\0]"), NULL},
        {"a NUL in a string", BYTES("[\"a\0b\"]"), NULL},
        {"a NUL hides the rest", BYTES("{\"s\":1}\0{\"s\":2}"), NULL},
        {"an escaped NUL", BYTES("[\"a\\u0000b\"]"), "[\"a\\u0000b\"]"},
        {"an escaped NUL in a key", BYTES("{\"a\\u0000b\":1}"), NULL},
        {"duplicate keys", BYTES("{\"a\":1,\"a\":1}"), NULL},
        {"duplicate keys, one escaped", BYTES("{\"a\":1,\"\\u0061\":2}"), NULL},
        {"duplicate keys inside", BYTES("[{\"b\":{\"a\":1,\"a\":2}}]"), NULL},
        {"the same key at two depths", BYTES("{\"a\":{\"a\":1}}"), "{\"a\":{\"a\":1}}"},
        {"cut", BYTES("{\"a\":"), NULL},
        {"cut string", BYTES("[\"a"), NULL},
        {"cut escape", BYTES("[\"\\u12"), NULL},
        {"cut surrogate", BYTES("[\"\\ud800"), NULL},
        {"ends in a backslash", BYTES("[\"\\"), NULL},
        {"trailing comma", BYTES("[1,]"), NULL},
        {"comment", BYTES("[1] // x"), NULL},
        {"single quotes", BYTES("['a']"), NULL},
        {"NaN", BYTES("[NaN]"), NULL},
        {"Infinity", BYTES("[Infinity]"), NULL},
        {"leading zero", BYTES("[01]"), NULL},
        {"plus", BYTES("[+1]"), NULL},
        {"bare point", BYTES("[1.]"), NULL},
        {"TRUE", BYTES("[TRUE]"), NULL},
        {"line end in a string", BYTES("[\"a\nb\"]"), NULL},
        {"bad escape", BYTES("[\"\\x41\"]"), NULL},
        {"bad UTF-8", BYTES("[\"\xFF\"]"), NULL},
        {"overlong UTF-8", BYTES("[\"\xC0\xAF\"]"), NULL},
        {"raw surrogate", BYTES("[\"\xED\xA0\x80\"]"), NULL},
        {"cut UTF-8", BYTES("[\"\xE2\x82\"]"), NULL},
        {"2^63 - 1", BYTES("[9223372036854775807]"), "[9223372036854775807]"},
        {"-2^63", BYTES("[-9223372036854775808]"), "[-9223372036854775808]"},
        {"2^63", BYTES("[9223372036854775808]"), NULL},
        {"-2^63 - 1", BYTES("[-9223372036854775809]"), NULL},
        {"a long integer", BYTES("[123456789012345678901234567890]"), NULL},
        {"a huge real", BYTES("[1e400]"), NULL},
        {"reals", BYTES("[0.1,1.0,-2.5,1e2]"), "[0.1,1.0,-2.5,100.0]"},
        {"minus zero", BYTES("[-0]"), "[0]"},
        {"2^53 + 1 stays exact", BYTES("[9007199254740993]"), "[9007199254740993]"},
        /* Lone surrogates become U+FFFD, pairs stay. */
        {"pair", BYTES("[\"\\ud83d\\ude00\"]"), "[\"\xF0\x9F\x98\x80\"]"},
        {"pair, upper case", BYTES("[\"\\uD83D\\uDE00\"]"), "[\"\xF0\x9F\x98\x80\"]"},
        {"first and last pair", BYTES("[\"\\ud800\\udc00\\udbff\\udfff\"]"),
         "[\"\xF0\x90\x80\x80\xF4\x8F\xBF\xBF\"]"},
        {"lone high", BYTES("[\"\\ud83d\"]"), "[\"" FFFD "\"]"},
        {"lone low", BYTES("[\"\\ude00\"]"), "[\"" FFFD "\"]"},
        {"high at the start", BYTES("[\"\\ud83dxyz\"]"), "[\"" FFFD "xyz\"]"},
        {"high in the middle", BYTES("[\"a\\ud83db\"]"), "[\"a" FFFD "b\"]"},
        {"high at the end", BYTES("[\"abc\\ud83d\"]"), "[\"abc" FFFD "\"]"},
        {"high before an escape", BYTES("[\"\\ud83d\\n\"]"), "[\"" FFFD "\\n\"]"},
        {"high before a backslash", BYTES("[\"\\ud83d\\\\ude00\"]"), "[\"" FFFD "\\\\ude00\"]"},
        {"high before a letter escape", BYTES("[\"\\ud83d\\u0041\"]"), "[\"" FFFD "A\"]"},
        {"two highs", BYTES("[\"\\ud83d\\ud83d\"]"), "[\"" FFFD FFFD "\"]"},
        {"high before a pair", BYTES("[\"\\ud83d\\ud83d\\ude00\"]"),
         "[\"" FFFD "\xF0\x9F\x98\x80\"]"},
        {"low behind a pair", BYTES("[\"\\ud83d\\ude00\\ude00\"]"),
         "[\"\xF0\x9F\x98\x80" FFFD "\"]"},
        {"low, then high", BYTES("[\"\\ude00\\ud83d\"]"), "[\"" FFFD FFFD "\"]"},
        {"edges of the range", BYTES("[\"\\ud7ff\\ud800\\udfff\\ue000\"]"),
         "[\"\xED\x9F\xBF\xF0\x90\x8F\xBF\xEE\x80\x80\"]"},
        {"lone in a key", BYTES("{\"a\\udc00\":1}"), "{\"a" FFFD "\":1}"},
        {"an escaped backslash before it", BYTES("[\"\\\\ud83d\"]"), "[\"\\\\ud83d\"]"},
        {"two backslashes and one", BYTES("[\"\\\\\\ud83d\"]"), "[\"\\\\" FFFD "\"]"},
        {"high before bad digits", BYTES("[\"\\ud83d\\uzzzz\"]"), NULL},
        {"bad digits", BYTES("[\"\\ud8zz\"]"), NULL},
        {"outside a string", BYTES("[\\ud83d]"), NULL},
        /* clang-format on */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e;
        struct doc *d = parse(rows[i].bytes, rows[i].len, &e);
        char *printed = d ? print(d) : NULL;

        if (!rows[i].printed && d)
            fail_msg("%s: taken as %s, should be refused", rows[i].name, printed);
        if (!rows[i].printed && strncmp(e.text, "not JSON: ", 10) != 0)
            fail_msg("%s: the message is '%s'", rows[i].name, e.text);
        if (rows[i].printed && (!d || strcmp(printed, rows[i].printed) != 0))
            fail_msg("%s: got %s (%s), expected %s", rows[i].name, printed ? printed : "nothing",
                     e.text, rows[i].printed);
        if (rows[i].printed && e.text[0])
            fail_msg("%s: a message without failure: %s", rows[i].name, e.text);
        free(printed);
        doc_free(d);
    }
}

/* A document cut at any byte is refused, and nothing is read beyond it. */
static void test_parse_cut(void **state)
{
    static const char full[] = "{\"a\":[1,\"\\ud83d\\ude00\\ud83d\",true,null,-1.5e3],\"b\":{}}";

    (void)state;
    for (size_t len = 0; len < sizeof(full) - 1; len++) {
        struct err e;

        if (parse(full, len, &e))
            fail_msg("cut at %zu: should be refused", len);
    }
}

/* Nesting beyond any stack: an error, not a crash. */
static void test_parse_deep(void **state)
{
    enum { DEPTH = 100000 };
    char *text = malloc(2 * DEPTH * 5);
    struct doc *d;
    struct err e;

    (void)state;
    assert_non_null(text);
    memset(text, '[', DEPTH);
    memset(text + DEPTH, ']', DEPTH);
    assert_null(parse(text, 2 * DEPTH, &e));
    assert_null(parse(text, DEPTH, &e));
    for (size_t i = 0; i < DEPTH; i++)
        memcpy(text + i * 5, "{\"a\":", 5);
    assert_null(parse(text, (size_t)DEPTH * 5, &e));
    memset(text, '[', 500);
    memset(text + 500, ']', 500);
    d = parse(text, 1000, &e);
    assert_non_null(d);
    doc_free(d);
    free(text);
}

static void test_parse_value(void **state)
{
    static const struct {
        const char *text;
        enum doc_type expected; /* DOC_NONE: refused */
    } rows[] = {
        {"null", DOC_NULL},
        {"true", DOC_BOOLEAN},
        {"false", DOC_BOOLEAN},
        {"1", DOC_INTEGER},
        {"1.5", DOC_REAL},
        {"\"x\"", DOC_STRING},
        {"[]", DOC_ARRAY},
        {"{}", DOC_OBJECT},
        {" 1 ", DOC_INTEGER},
        {"", DOC_NONE},
        {"x", DOC_NONE},
        {"1 2", DOC_NONE},
        {"{\"a\":1,\"a\":2}", DOC_NONE},
        {"'x'", DOC_NONE},
        {"\"", DOC_NONE},
        {"-", DOC_NONE},
        {"9223372036854775808", DOC_NONE},
        {"\"\\ud800\"", DOC_NONE},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {.text = ""};
        struct doc *d = doc_parse_value(rows[i].text, &e);

        if (doc_type(d) != rows[i].expected)
            fail_msg("'%s': type %d, expected %d", rows[i].text, (int)doc_type(d),
                     (int)rows[i].expected);
        if (!d && !e.text[0])
            fail_msg("'%s': refused without a message", rows[i].text);
        doc_free(d);
    }
}

/* The document and the pointers of RFC 6901, section 5, and what a pointer must not find. */
static void test_pointer(void **state)
{
    static const char text[] = "{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"c%d\":2,\"e^f\":3,"
                               "\"g|h\":4,\"i\\\\j\":5,\"k\\\"l\":6,\" \":7,\"m~n\":8,"
                               "\"~1\":9,\"0\":{\"\":{\"\":10}},\"n\":null,\"z\":{},"
                               "\"\xC3\xA9\":11}";
    static const struct {
        const char *pointer, *expected; /* NULL: no value */
    } rows[] = {
        {"/foo", "[\"bar\",\"baz\"]"},
        {"/foo/0", "\"bar\""},
        {"/foo/1", "\"baz\""},
        {"/", "0"},
        {"/a~1b", "1"},
        {"/c%d", "2"},
        {"/e^f", "3"},
        {"/g|h", "4"},
        {"/i\\j", "5"},
        {"/k\"l", "6"},
        {"/ ", "7"},
        {"/m~0n", "8"},
        {"/~01", "9"}, /* "~0" first would make "~1", and that "/" */
        {"/0//", "10"},
        {"/n", "null"},
        {"/z", "{}"},
        {"/\xC3\xA9", "11"},
        {"/foo/2", NULL},
        {"/foo/-", NULL},
        {"/foo/-1", NULL},
        {"/foo/00", NULL},
        {"/foo/01", NULL},
        {"/foo/+1", NULL},
        {"/foo/1.0", NULL},
        {"/foo/1 ", NULL},
        {"/foo/ 1", NULL},
        {"/foo/", NULL},
        {"/foo/0/", NULL},
        {"/foo/0/x", NULL},
        {"/foo/999999999", NULL},
        {"/foo/4294967296", NULL},
        {"/foo/4294967297", NULL},
        {"/foo/18446744073709551616", NULL},
        {"/foo/18446744073709551617", NULL},
        {"/Foo", NULL},
        {"/fo", NULL},
        {"/foo0", NULL},
        {"//", NULL},
        {"/n/x", NULL},
        {"/z/0", NULL},
        {"/z/", NULL},
        {"/a/b", NULL},
    };
    struct err e;
    struct doc *d = parse(text, sizeof(text) - 1, &e);

    (void)state;
    assert_non_null(d);
    assert_ptr_equal(doc_at(d, ""), d);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct doc *at;
        char *printed;

        memset(&e, 0, sizeof(e));
        if (doc_pointer_check(rows[i].pointer, &e))
            fail_msg("'%s': %s", rows[i].pointer, e.text);
        at = doc_at(d, rows[i].pointer);
        printed = at ? print(at) : NULL;
        if ((at ? 1 : 0) != (rows[i].expected ? 1 : 0) ||
            (at && strcmp(printed, rows[i].expected) != 0))
            fail_msg("'%s': got %s, expected %s", rows[i].pointer, printed ? printed : "nothing",
                     rows[i].expected ? rows[i].expected : "nothing");
        free(printed);
    }
    assert_null(doc_at(NULL, ""));
    assert_null(doc_at(NULL, "/a"));
    doc_free(d);
}

static void test_pointer_check(void **state)
{
    static const char *const refused[] = {"a",   "a/b", " /a",  "#/a",    "~0",   "/~",      "/a~",
                                          "/~2", "/~a", "/~~0", "/a/~/b", "/~1~", "\xC3\xA9"};
    static const char *const fine[] = {"", "/", "//", "/~0", "/~1", "/~01", "/~0~1", "/#", "/ "};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct err e = {.text = ""};

        if (!doc_pointer_check(refused[i], &e))
            fail_msg("'%s': should be refused", refused[i]);
        if (!strstr(e.text, refused[i]))
            fail_msg("'%s': the message does not name it: %s", refused[i], e.text);
    }
    for (size_t i = 0; i < ARRAY_LEN(fine); i++) {
        struct err e = {.text = ""};

        if (doc_pointer_check(fine[i], &e))
            fail_msg("'%s': %s", fine[i], e.text);
    }
}

static void test_text(void **state)
{
    static const struct {
        const char *json, *expected; /* NULL: no text */
    } rows[] = {
        /* clang-format off */
        {"\"\"", ""},
        {"\"passed\"", "passed"},
        {"\"passed\\u0000x\"", "passed" FFFD "x"},
        {"\"\\u0000\\u0000\"", FFFD FFFD},
        {"\"a\\u0000\"", "a" FFFD},
        {"\"\\u00e9\"", "\xC3\xA9"},
        {"0", "0"},
        {"-7", "-7"},
        {"9223372036854775807", "9223372036854775807"},
        {"-9223372036854775808", "-9223372036854775808"},
        {"1.5", "1.5"},
        {"1.0", "1.0"},
        {"0.1", "0.1"},
        {"true", "true"},
        {"false", "false"},
        {"null", NULL},
        {"[]", NULL},
        {"[\"x\"]", NULL},
        {"{}", NULL},
        /* clang-format on */
    };
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {.text = ""};
        struct doc *d = doc_parse_value(rows[i].json, &e);
        bool got;

        assert_non_null(d);
        buf_clear(&b);
        got = doc_add_text(&b, d);
        if (got != (rows[i].expected ? true : false) ||
            strcmp(b.text, got ? rows[i].expected : "") != 0 || b.len != strlen(b.text))
            fail_msg("%s: got %d '%s'", rows[i].json, got, b.text);
        doc_free(d);
    }
    buf_clear(&b);
    assert_false(doc_add_text(&b, NULL));
    assert_string_equal(b.text, "");
    buf_free(&b);
}

static void test_size_and_item(void **state)
{
    struct err e = {.text = ""};
    struct doc *d = doc_parse_value("{\"a\":[1,2,3],\"b\":{\"x\":1},\"c\":\"abc\"}", &e);

    (void)state;
    assert_non_null(d);
    assert_int_equal(doc_size(d), 3);
    assert_int_equal(doc_size(doc_at(d, "/a")), 3);
    assert_int_equal(doc_size(doc_at(d, "/b")), 1);
    assert_int_equal(doc_size(doc_at(d, "/c")), 0);
    assert_int_equal(doc_size(NULL), 0);
    assert_ptr_equal(doc_item(doc_at(d, "/a"), 2), doc_at(d, "/a/2"));
    assert_null(doc_item(doc_at(d, "/a"), 3));
    assert_null(doc_item(doc_at(d, "/a"), SIZE_MAX));
    assert_null(doc_item(doc_at(d, "/b"), 0));
    assert_null(doc_item(doc_at(d, "/c"), 0));
    assert_null(doc_item(NULL, 0));
    assert_int_equal(doc_type(NULL), DOC_NONE);
    doc_free(d);
    doc_free(NULL);
}

static void test_set(void **state)
{
    static const struct {
        const char *before, *pointer, *expected; /* NULL: refused */
    } rows[] = {
        {"{}", "/a", "{\"a\":1}"},
        {"{}", "/", "{\"\":1}"},
        {"{}", "/a/b/c", "{\"a\":{\"b\":{\"c\":1}}}"},
        {"{\"a\":{\"b\":2}}", "/a/c", "{\"a\":{\"b\":2,\"c\":1}}"},
        {"{\"a\":2}", "/a", "{\"a\":1}"},
        {"{\"a\":{}}", "/a", "{\"a\":1}"},
        {"{}", "/a~1b", "{\"a/b\":1}"},
        {"{}", "/m~0n", "{\"m~n\":1}"},
        {"{}", "/0", "{\"0\":1}"},
        {"{}", "", NULL},
        {"[]", "/0", NULL},
        {"{\"a\":[]}", "/a/0", NULL},
        {"{\"a\":[]}", "/a/-", NULL},
        {"{\"a\":\"text\"}", "/a/b", NULL},
        {"{\"a\":null}", "/a/b", NULL},
        {"{\"a\":1}", "/a/b/c", NULL},
        {"{}", "/\xFF", NULL},
        {"{}", "/\xFF/a", NULL},
        {"{}", "/a/\xFF/b/c", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {.text = ""};
        struct doc *d = doc_parse_value(rows[i].before, &e);
        int rc;
        char *printed;

        assert_non_null(d);
        rc = doc_set(d, rows[i].pointer, doc_new_integer(1), &e);
        printed = print(d);
        if ((rc == 0) != (rows[i].expected ? true : false) ||
            (rc == 0 && strcmp(printed, rows[i].expected) != 0) || (rc && !e.text[0]))
            fail_msg("%s at '%s': rc %d, %s, '%s'", rows[i].before, rows[i].pointer, rc, printed,
                     e.text);
        free(printed);
        doc_free(d);
    }
}

static void test_build(void **state)
{
    static const struct {
        const char *text, *expected;
    } rows[] = {
        /* clang-format off */
        {NULL, "null"},
        {"", "\"\""},
        {"a\"b\\c", "\"a\\\"b\\\\c\""},
        {"\n\t\x01\x7F", "\"\\n\\t\\u0001\x7F\""},
        {"\xC3\xA9\xF0\x9F\x98\x80", "\"\xC3\xA9\xF0\x9F\x98\x80\""},
        {"a\xFF" "b", "\"a" FFFD "b\""},
        {"\xE2\x82", "\"" FFFD FFFD "\""},
        {"\xED\xA0\x80", "\"" FFFD FFFD FFFD "\""},
        {"\xC0\x80", "\"" FFFD FFFD "\""},
        {"</script>", "\"</script>\""},
        /* clang-format on */
    };
    static const struct {
        int64_t ms;
        const char *expected;
    } seconds[] = {
        {0, "0.0"},
        {1, "0.001"},
        {1234, "1.234"},
        {59999, "59.999"},
        {-1, "null"},
        {INT64_MIN, "null"},
        {60000, "60.0"},
        {INT64_C(8640000000), "8640000.0"},
        {INT64_C(8639999999), "8639999.999"},
    };
    struct doc *root = doc_new_object(), *array = doc_new_array();
    struct buf b;
    char *printed;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct doc *d = doc_new_string(rows[i].text);

        printed = print(d);
        if (strcmp(printed, rows[i].expected) != 0)
            fail_msg("string %zu: got %s, expected %s", i, printed, rows[i].expected);
        free(printed);
        doc_free(d);
    }
    for (size_t i = 0; i < ARRAY_LEN(seconds); i++) {
        struct doc *d = doc_new_seconds(seconds[i].ms);

        printed = print(d);
        if (strcmp(printed, seconds[i].expected) != 0)
            fail_msg("%" PRId64 " ms: got %s", seconds[i].ms, printed);
        free(printed);
        doc_free(d);
    }
    doc_set_member(root, "z", doc_new_integer(INT64_MIN));
    doc_set_member(root, "a", doc_new_boolean(false));
    doc_append(array, doc_new_boolean(true));
    doc_append(array, doc_new_string(NULL));
    doc_append(array, doc_new_object());
    doc_set_member(root, "list", array);
    doc_set_member(root, "z", doc_new_integer(INT64_MAX));
    printed = print(root);
    assert_string_equal(printed, "{\"z\":9223372036854775807,\"a\":false,"
                                 "\"list\":[true,null,{}]}");
    free(printed);
    buf_init(&b, 1000);
    doc_print(&b, root, 2);
    assert_string_equal(b.text, "{\n  \"z\": 9223372036854775807,\n  \"a\": false,\n"
                                "  \"list\": [\n    true,\n    null,\n    {}\n  ]\n}");
    buf_free(&b);
    doc_free(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),      cmocka_unit_test(test_parse_cut),
        cmocka_unit_test(test_parse_deep), cmocka_unit_test(test_parse_value),
        cmocka_unit_test(test_pointer),    cmocka_unit_test(test_pointer_check),
        cmocka_unit_test(test_text),       cmocka_unit_test(test_size_and_item),
        cmocka_unit_test(test_set),        cmocka_unit_test(test_build),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
