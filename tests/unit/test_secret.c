/* SPDX-License-Identifier: MIT */
/* Tests base/secret: that no form of a secret stays in a text, and nothing else is taken out. */
#include "base/base.h"

#include "base/secret.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

enum { SECRETS_MAX = 4 };

static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char for_urls[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static int forget(void **state)
{
    (void)state;
    secret_clear();
    return 0;
}

static char *redact(const char *text, size_t len)
{
    struct buf b;

    buf_init(&b, BUF_CAP_TEXT);
    buf_add(&b, text, len);
    secret_redact(&b);
    return buf_detach(&b);
}

static void test_redact(void **state)
{
    static const struct {
        const char *name;
        const char *secrets[SECRETS_MAX];
        const char *text, *expected;
    } rows[] = {
        {"no secret", {NULL}, "nothing to hide", "nothing to hide"},
        {"absent", {"token-1"}, "token-2", "token-2"},
        {"empty text", {"token-1"}, "", ""},
        {"the whole text", {"token-1"}, "token-1", "***"},
        {"at the start", {"token-1"}, "token-1 x", "*** x"},
        {"at the end", {"token-1"}, "x token-1", "x ***"},
        {"twice", {"token-1"}, "a token-1 b token-1 c", "a *** b *** c"},
        {"side by side", {"token-1"}, "token-1token-1", "******"},
        {"inside a word", {"token-1"}, "xtoken-1y", "x***y"},
        {"case counts", {"token-1"}, "Token-1", "Token-1"},
        {"cut at the end", {"token-1"}, "x token-", "x token-"},
        {"false start", {"aab1"}, "aaab1", "a***"},
        {"shorter than the least", {"abc"}, "abc abc", "abc abc"},
        {"as short as the least", {"abcd"}, "abc abcd", "abc ***"},
        {"empty secret", {""}, "abc", "abc"},
        {"given twice", {"token-1", "token-1"}, "token-1", "***"},
        {"one inside the other", {"secret", "my-secret-key"}, "my-secret-key", "***"},
        {"the same, longer one first",
         {"my-secret-key", "secret"},
         "a secret my-secret-key b",
         "a *** *** b"},
        {"one starts the other", {"abcd", "abcdefgh"}, "abcdefgh abcde", "*** ***e"},
        {"they overlap", {"abcdef", "defghi"}, "xabcdefghiy", "x***y"},
        {"a short one before a long", {"abcdef", "cdefghijklmnop"}, "abcdefghijklmnop", "***"},
        {"a chain of overlaps", {"abcd", "cdef", "efgh"}, "abcdefgh-abcd", "***-***"},
        {"the inner ends first", {"abcdefgh", "cdef", "ghij"}, "abcdefghij!", "***!"},
        {"overlaps itself", {"aaaa"}, "aaaaaaaaaaa", "***"},
        {"they only touch", {"abcd", "efgh"}, "abcdefgh", "******"},
        {"not ASCII", {"p\xC3\xA4sswort"}, "x p\xC3\xA4sswort", "x ***"},
        {"with white space", {"two words"}, "x two words y", "x *** y"},
        {"ends inside a character", {"abcdef\xEF"}, "abcdef\xEF\xBF\xBD!", "***!"},
        {"begins inside a character", {"\xA4" "bcd"}, "x\xC3\xA4" "bcd", "x***"},
        {"stars in a secret", {"****"}, "x **** y", "x *** y"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *got;

        secret_clear();
        for (size_t k = 0; k < SECRETS_MAX && rows[i].secrets[k]; k++)
            secret_add(rows[i].secrets[k]);
        got = redact(rows[i].text, strlen(rows[i].text));
        if (strcmp(got, rows[i].expected) != 0)
            fail_msg("%s: got '%s', expected '%s'", rows[i].name, got, rows[i].expected);
        free(got);
    }
}

static void test_forms(void **state)
{
    static const struct {
        const char *name, *secret, *text, *expected;
    } rows[] = {
        /* clang-format off */
        {"percent, upper case", "a/b+c=d\xC3\xA9", "?t=a%2Fb%2Bc%3Dd%C3%A9&", "?t=***&"},
        {"percent, lower case", "a/b+c=d\xC3\xA9", "?t=a%2fb%2bc%3dd%c3%a9&", "?t=***&"},
        {"percent sign itself", "100%25", "100%2525", "***"},
        {"unreserved stay", "aZ0-._~!", "aZ0-._~%21", "***"},
        {"percent, blank", "two words", "two%20words", "***"},
        {"percent, in part", "a/b+c=d", "?t=a/b%2Bc%3Dd&", "?t=***&"},
        {"percent, wholly", "ab-c", "%61%62%2D%63", "***"},
        {"percent, cases mixed", "a/b+c", "a%2fb%2Bc", "***"},
        {"a form's blank", "two words", "two+words", "***"},
        {"percent, another byte", "ab/cd", "ab%2Ecd", "ab%2Ecd"},
        {"percent, no digits", "ab/cd", "ab%2gcd", "ab%2gcd"},
        {"JSON quote", "a\"b\\c", "{\"t\":\"a\\\"b\\\\c\"}", "{\"t\":\"***\"}"},
        {"JSON line end", "line1\nline2", "\"line1\\nline2\"", "\"***\""},
        {"JSON CR and tab", "aa\r\tbb", "\"aa\\r\\tbb\"", "\"***\""},
        {"JSON control character", "aa\x01" "bb", "\"aa\\u0001bb\"", "\"***\""},
        {"JSON slash escaped", "ab/cd", "\"ab\\/cd\"", "\"***\""},
        {"JSON slash plain", "ab/c\"d", "\"ab/c\\\"d\"", "\"***\""},
        {"JSON in ASCII", "gr\xC3\xBC\xC3\x9F" "e", "\"gr\\u00fc\\u00dfe\"", "\"***\""},
        {"JSON in ASCII, a pair", "key\xF0\x9F\x98\x80", "\"key\\ud83d\\ude00\"", "\"***\""},
        {"JSON in ASCII, escaped slash", "\xC3\xA9/\xC3\xA9", "\"\\u00e9\\/\\u00e9\"", "\"***\""},
        {"JSON control character, upper case", "aa\x1b" "bb", "\"aa\\u001Bbb\"", "\"***\""},
        {"JSON in ASCII, upper case", "gr\xC3\xBC\xC3\x9F" "e", "\"gr\\u00FC\\u00DFe\"",
         "\"***\""},
        {"JSON in JSON", "a\"b/c", "{\"t\":\"{\\\"e\\\":\\\"a\\\\\\\"b/c\\\"}\"}",
         "{\"t\":\"{\\\"e\\\":\\\"***\\\"}\"}"},
        {"JSON in JSON, slash escaped first", "ab/cd", "\"ab\\\\/cd\"", "\"***\""},
        {"JSON in JSON, slash escaped twice", "ab/cd", "\"ab\\\\\\/cd\"", "\"***\""},
        {"JSON, what need not be escaped", "a/b+c&d", "\"a\\u002Fb\\u002bc\\u0026d\"", "\"***\""},
        {"JSON, wholly", "key-1", "\\u006b\\u0065\\u0079\\u002D\\u0031", "***"},
        {"JSON in JSON, what need not be escaped", "ab+cd", "\\\"ab\\\\u002Bcd\\\"", "\\\"***\\\""},
        {"JSON three times", "a\"bc", "a\\\\\\\"bc", "***"},
        {"JSON, a pair cut in two", "key\xF0\x9F\x98\x80", "key\\ud83d\\u0041", "key\\ud83d\\u0041"},
        {"JSON, another character", "ab/cd", "ab\\u002Ecd", "ab\\u002Ecd"},
        {"JSON, a backslash as a number", "a\\bc", "a\\u005Cbc", "***"},
        {"what looks like JSON", "\\u005cab", "\\u005cab \\\\u005cab", "*** \\***"},
        {"a backslash is one of both", "ab\\cd", "ab\\cd ab\\\\cd", "*** ***"},
        {"a letter is not escaped", "abcd", "x\\abcd", "x\\***"},
        {"JSON, bad UTF-8", "\xFF\xFE\"x", "\"\xFF\xFE\\\"x\"", "\"***\""},
        /* clang-format on */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *got;

        secret_clear();
        secret_add(rows[i].secret);
        got = redact(rows[i].text, strlen(rows[i].text));
        if (strcmp(got, rows[i].expected) != 0)
            fail_msg("%s: got '%s', expected '%s'", rows[i].name, got, rows[i].expected);
        free(got);
    }
}

static void add_base64(struct buf *b, const char *text, size_t len, const char *alphabet)
{
    for (size_t i = 0; i < len; i += 3) {
        uint32_t three = 0;

        for (size_t k = 0; k < 3; k++)
            three = three << 8 | (i + k < len ? (unsigned char)text[i + k] : 0u);
        for (size_t k = 0; k < 4; k++) {
            if (i + k > len)
                buf_addc(b, '=');
            else
                buf_addc(b, alphabet[three >> (18 - 6 * k) & 63]);
        }
    }
}

static void test_base64_helper(void **state)
{
    static const char *const rows[][2] = {{"", ""},
                                          {"f", "Zg=="},
                                          {"fo", "Zm8="},
                                          {"foo", "Zm9v"},
                                          {"foob", "Zm9vYg=="},
                                          {"fooba", "Zm9vYmE="},
                                          {"foobar", "Zm9vYmFy"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf b;

        buf_init(&b, 100);
        add_base64(&b, rows[i][0], strlen(rows[i][0]), standard);
        assert_string_equal(b.text, rows[i][1]);
        buf_free(&b);
    }
}

/* A secret between other bytes, at each of the three offsets, in both alphabets: all that is left
 * is the characters that hold bits of the neighbours. */
static void test_base64(void **state)
{
    static const char *const secrets[] = {
        "token-12",
        "token-123",
        "token-1234",
        "~~~?~?>>>~~?>~?>",
        "\xFB\xEF\xBE\xFF\xFF\xFE\xFB\xF0",
        "eyJhbGciOiJIUzI1NiJ9.payload.signature",
    };
    static const char *const before[] = {"", "u", "u:", "me:", "user:", "user1:"};
    static const char *const behind[] = {"", "\n", ":x", "xyz"};
    static const char *const alphabets[] = {standard, for_urls};

    (void)state;
    for (size_t s = 0; s < ARRAY_LEN(secrets); s++) {
        secret_clear();
        secret_add(secrets[s]);
        for (size_t i = 0; i < ARRAY_LEN(before) * ARRAY_LEN(behind) * 2; i++) {
            const char *head = before[i / 2 % ARRAY_LEN(before)];
            const char *tail = behind[i / 2 / ARRAY_LEN(before)];
            size_t shared = strlen(head) % 3 ? 1 : 0;
            struct buf plain, text;
            const char *stars;
            size_t kept;

            buf_init(&plain, 1000);
            buf_init(&text, 1000);
            buf_addf(&plain, "%s%s%s", head, secrets[s], tail);
            add_base64(&text, plain.text, plain.len, alphabets[i % 2]);
            secret_redact(&text);
            stars = strstr(text.text, "***");
            if (!stars)
                fail_msg("secret %zu behind '%s': nothing starred in %s", s, head, text.text);
            kept = (size_t)(stars - text.text);
            if (kept != strlen(head) * 8 / 6 + shared)
                fail_msg("secret %zu behind '%s': %zu characters stay before it", s, head, kept);
            /* Behind: one shared character, the tail's own, and padding. */
            if (strlen(stars + 3) > 1 + (strlen(tail) + 2) / 3 * 4 + 2)
                fail_msg("secret %zu behind '%s': '%s' stays behind it", s, head, stars + 3);
            buf_free(&plain);
            buf_free(&text);
        }
    }
}

/* A short secret has a Base64 form so short that it would star ordinary words. */
static void test_base64_short(void **state)
{
    char *got;

    (void)state;
    secret_add("abcdefg");
    got = redact("YWJjZGVmZw== and words", 23);
    assert_string_equal(got, "YWJjZGVmZw== and words");
    free(got);
}

static void test_bytes(void **state)
{
    static const char text[] = "a\0token-1\0b";
    struct buf b;

    (void)state;
    secret_add("token-1");
    buf_init(&b, 100);
    buf_add(&b, text, sizeof(text) - 1);
    secret_redact(&b);
    assert_int_equal(b.len, 7);
    assert_memory_equal(b.text, "a\0***\0b", 8);
    buf_free(&b);
}

/* The buffer stays what it was: its cap, its flag, and usable. */
static void test_buffer(void **state)
{
    struct buf b;

    (void)state;
    secret_add("token-1");
    buf_init(&b, 10);
    secret_redact(&b);
    assert_string_equal(b.text, "");
    buf_adds(&b, "x token-1");
    buf_adds(&b, "does not fit");
    assert_true(b.over);
    secret_redact(&b);
    assert_true(b.over);
    assert_int_equal(b.cap, 10);
    buf_addc(&b, '!');
    assert_string_equal(b.text, "x ***!");
    buf_free(&b);
}

/* A text that was cut may end within a secret. */
static void test_string(void **state)
{
    static const struct {
        const char *text, *expected;
    } rows[] = {
        {"", ""},
        {"nothing", "nothing"},
        {"a token-1 whole", "a *** whole"},
        {"cut token-", "cut ***"},
        {"cut toke", "cut ***"},
        {"too short: tok", "too short: tok"}, /* below SECRET_MIN */
        {"toke is not at the end", "toke is not at the end"},
        {"toke", "***"},
        {"cut tok%65n%2", "cut ***"},
        {"cut token\\u00", "cut ***"},
        {"cut token\\\\", "cut ***"},
        {"a folder C:\\", "a folder C:\\"},
        {"tok\\\"", "tok\\\""},
    };

    (void)state;
    secret_add("token-1");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf b;

        buf_init(&b, BUF_CAP_TEXT);
        buf_adds(&b, rows[i].text);
        secret_redact_cut(&b);
        assert_string_equal(b.text, rows[i].expected);
        buf_free(&b);
    }
    assert_true(secret_occurs("a token-1 b", 7));
    assert_false(secret_occurs("a token-1 b", 8));
    assert_false(secret_occurs("token", 4));
}

static void test_clear(void **state)
{
    char *got;

    (void)state;
    secret_clear();
    secret_add("token-1");
    secret_clear();
    secret_clear();
    got = redact("token-1", 7);
    assert_string_equal(got, "token-1");
    free(got);
}

/* Many secrets, of every length and in any order: the longest wins at each place. */
static void test_many(void **state)
{
    char secret[64];
    char *got;

    (void)state;
    for (size_t i = 0; i < 40; i++) {
        size_t len = 4 + i * 17 % 40;

        memset(secret, 'k', len);
        secret[len - 1] = '!';
        secret[len] = '\0';
        secret_add(secret);
    }
    got = redact("kkkkkkkkkkkkkkkkkkkkkkkkkkkkk! kkk!", 35);
    assert_string_equal(got, "*** ***");
    free(got);
}

/* What a provider can make as long as it likes: were each place compared with all that follows, this
 * would not end. */
static void test_long_rows(void **state)
{
    static const char *const rows[] = {"\\", "%", "\\u005c", "a", "a\\", "\\\\a"};
    enum { LENGTH = 1 << 18 };

    (void)state;
    secret_add("a\\b\\c-token-1");
    secret_add("\\\\a-token-2");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf b;
        size_t len;

        buf_init(&b, 2 * LENGTH);
        while (b.len < LENGTH)
            buf_adds(&b, rows[i]);
        len = b.len;
        buf_adds(&b, " a\\b\\c-token-1");
        secret_redact(&b);
        assert_int_equal(b.len, len + 4);
        assert_string_equal(b.text + len, " ***");
        buf_free(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_redact, forget),
        cmocka_unit_test_teardown(test_forms, forget),
        cmocka_unit_test_teardown(test_base64_helper, forget),
        cmocka_unit_test_teardown(test_base64, forget),
        cmocka_unit_test_teardown(test_base64_short, forget),
        cmocka_unit_test_teardown(test_bytes, forget),
        cmocka_unit_test_teardown(test_buffer, forget),
        cmocka_unit_test_teardown(test_string, forget),
        cmocka_unit_test_teardown(test_clear, forget),
        cmocka_unit_test_teardown(test_many, forget),
        cmocka_unit_test_teardown(test_long_rows, forget),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
