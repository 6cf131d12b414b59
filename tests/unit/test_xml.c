/* SPDX-License-Identifier: MIT */
/* Tests base/xml: the exact bytes that are written, whatever the texts hold. */
#include "base/base.h"

#include "base/text.h"
#include "base/xml.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#define DECLARATION "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define FFFD "\xEF\xBF\xBD"

/* Writes value once as an attribute and once as text, from memory of exactly its size. */
static void write_both(struct buf *attribute, struct buf *text, const char *value)
{
    char *copy = malloc(strlen(value) + 1);
    struct xml x;

    assert_non_null(copy);
    memcpy(copy, value, strlen(value) + 1);
    xml_start(&x, attribute);
    xml_open(&x, "a");
    xml_attr(&x, "k", copy);
    xml_end(&x);
    xml_start(&x, text);
    xml_open(&x, "a");
    xml_text(&x, copy);
    xml_end(&x);
    free(copy);
}

static void check(const char *name, const char *value, const char *in_attribute,
                  const char *in_text)
{
    struct buf attribute, text, expected;

    buf_init(&attribute, 1000);
    buf_init(&text, 1000);
    buf_init(&expected, 1000);
    write_both(&attribute, &text, value);
    buf_addf(&expected, DECLARATION "<a k=\"%s\"/>\n", in_attribute);
    if (strcmp(attribute.text, expected.text) != 0)
        fail_msg("%s, attribute: got %s", name, attribute.text);
    buf_clear(&expected);
    if (*in_text)
        buf_addf(&expected, DECLARATION "<a>%s</a>\n", in_text);
    else
        buf_adds(&expected, DECLARATION "<a/>\n");
    if (strcmp(text.text, expected.text) != 0)
        fail_msg("%s, text: got %s", name, text.text);
    buf_free(&attribute);
    buf_free(&text);
    buf_free(&expected);
}

static void test_escapes(void **state)
{
    static const struct {
        const char *name, *value, *attribute, *text;
    } rows[] = {
        /* clang-format off */
        {"nothing", "", "", ""},
        {"plain", "plain", "plain", "plain"},
        {"markup", "<a & b>", "&lt;a &amp; b&gt;", "&lt;a &amp; b&gt;"},
        {"an entity is text", "&amp;&#10;", "&amp;amp;&amp;#10;", "&amp;amp;&amp;#10;"},
        {"quotes", "\"a'", "&quot;a'", "\"a'"},
        {"end of CDATA", "]]>", "]]&gt;", "]]&gt;"},
        {"CDATA", "<![CDATA[x]]>", "&lt;![CDATA[x]]&gt;", "&lt;![CDATA[x]]&gt;"},
        {"comment", "<!-- -->", "&lt;!-- --&gt;", "&lt;!-- --&gt;"},
        {"breaking out", "\"/><x y=\"", "&quot;/&gt;&lt;x y=&quot;", "\"/&gt;&lt;x y=\""},
        {"line ends", "a\nb\r\nc\rd", "a&#10;b&#13;&#10;c&#13;d", "a\nb&#13;\nc&#13;d"},
        {"tab", "a\tb", "a&#9;b", "a\tb"},
        {"DEL and C1 are allowed", "\x7F\xC2\x80\xC2\x85", "\x7F\xC2\x80\xC2\x85",
         "\x7F\xC2\x80\xC2\x85"},
        {"all lengths", "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80",
         "a\xC3\xA9\xE2\x82\xAC" "\xF0\x9F\x98\x80", "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"},
        {"edges that are allowed",
         "\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBD\xF0\x90\x80\x80" "\xF4\x8F\xBF\xBF",
         "\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBD\xF0\x90\x80\x80" "\xF4\x8F\xBF\xBF",
         "\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBD\xF0\x90\x80\x80" "\xF4\x8F\xBF\xBF"},
        {"U+FFFE", "\xEF\xBF\xBE", FFFD, FFFD},
        {"U+FFFF", "\xEF\xBF\xBF", FFFD, FFFD},
        {"first surrogate", "\xED\xA0\x80", FFFD FFFD FFFD, FFFD FFFD FFFD},
        {"last surrogate", "\xED\xBF\xBF", FFFD FFFD FFFD, FFFD FFFD FFFD},
        {"overlong less-than", "\xC0\xBC", FFFD FFFD, FFFD FFFD},
        {"beyond Unicode", "\xF4\x90\x80\x80", FFFD FFFD FFFD FFFD, FFFD FFFD FFFD FFFD},
        {"cut before markup", "\xE2\x82<", FFFD FFFD "&lt;", FFFD FFFD "&lt;"},
        {"cut at the end", "a\xF0\x9F\x98", "a" FFFD FFFD FFFD, "a" FFFD FFFD FFFD},
        {"cut before a quote", "\xF0\"", FFFD "&quot;", FFFD "\""},
        {"Latin-1", "caf\xE9", "caf" FFFD, "caf" FFFD},
        {"escape sequence", "\x1B[31m", FFFD "[31m", FFFD "[31m"},
        /* clang-format on */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        check(rows[i].name, rows[i].value, rows[i].attribute, rows[i].text);
}

/* Every character that XML 1.0 forbids, and bytes that are no character at all. */
static void test_forbidden(void **state)
{
    char name[32], value[4];

    (void)state;
    for (int c = 1; c < 0x20; c++) {
        if (c == '\t' || c == '\n' || c == '\r')
            continue;
        snprintf(name, sizeof(name), "U+%04X", (unsigned)c);
        snprintf(value, sizeof(value), "%c", c);
        check(name, value, FFFD, FFFD);
        snprintf(value, sizeof(value), "x%cy", c);
        check(name, value, "x" FFFD "y", "x" FFFD "y");
    }
    for (int c = 0x80; c <= 0xFF; c++) {
        value[0] = (char)c;
        value[1] = '\0';
        snprintf(name, sizeof(name), "byte %02X", (unsigned)c);
        check(name, value, FFFD, FFFD);
    }
}

/* All characters of the lower planes: what is written is UTF-8 and holds no forbidden one. */
static void test_all_characters(void **state)
{
    struct buf in, attribute, text;

    (void)state;
    buf_init(&in, 100);
    buf_init(&attribute, 1000);
    buf_init(&text, 1000);
    for (uint32_t c = 1; c < 0x20000; c++) {
        const struct buf *out[] = {&attribute, &text};

        buf_clear(&in);
        buf_clear(&attribute);
        buf_clear(&text);
        text_encode(&in, c); /* surrogates too, in the form that is not UTF-8 */
        write_both(&attribute, &text, in.text);
        for (size_t i = 0; i < 2; i++) {
            bool plain = (c > 0x3F && c < 0xD800) || (c > 0xDFFF && (c < 0xFFFE || c > 0xFFFF));

            if (!text_is_utf8(out[i]->text, out[i]->len))
                fail_msg("U+%04X: not UTF-8", (unsigned)c);
            if (strpbrk(out[i]->text, "\x01\x02\x08\x0B\x0C\x0E\x1B\x1F\r"))
                fail_msg("U+%04X: a control character", (unsigned)c);
            if (plain && !strstr(out[i]->text, in.text))
                fail_msg("U+%04X: should be written as it is", (unsigned)c);
            if (!plain && c > 0x3F && !strstr(out[i]->text, FFFD))
                fail_msg("U+%04X: should be replaced", (unsigned)c);
        }
    }
    buf_free(&in);
    buf_free(&attribute);
    buf_free(&text);
}

static void test_shape(void **state)
{
    struct buf b;
    struct xml x;

    (void)state;
    buf_init(&b, 1000);
    xml_start(&x, &b);
    xml_open(&x, "testsuites");
    xml_attr_number(&x, "tests", 2);
    xml_attr_number(&x, "least", INT64_MIN);
    xml_attr_seconds(&x, "time", 61005);
    xml_open(&x, "testsuite");
    xml_attr_seconds(&x, "time", -5);
    xml_open(&x, "testcase");
    xml_attr(&x, "name", "a");
    xml_close(&x);
    xml_open(&x, "testcase");
    xml_open(&x, "failure");
    xml_text(&x, "one\n");
    xml_text(&x, "");
    xml_text(&x, "two");
    xml_close(&x);
    xml_close(&x);
    xml_open(&x, "system-out");
    xml_text(&x, "");
    xml_close(&x);
    xml_close(&x);
    xml_end(&x);
    assert_string_equal(b.text, DECLARATION
                        "<testsuites tests=\"2\" least=\"-9223372036854775808\" time=\"61.005\">\n"
                        "  <testsuite time=\"0.000\">\n"
                        "    <testcase name=\"a\"/>\n"
                        "    <testcase>\n"
                        "      <failure>one\ntwo</failure>\n"
                        "    </testcase>\n"
                        "    <system-out/>\n"
                        "  </testsuite>\n"
                        "</testsuites>\n");
    buf_free(&b);
}

static void test_seconds(void **state)
{
    static const struct {
        int64_t ms;
        const char *expected;
    } rows[] = {
        {INT64_MIN, "0.000"},  {-1, "0.000"},
        {0, "0.000"},          {1, "0.001"},
        {999, "0.999"},        {1000, "1.000"},
        {3600010, "3600.010"}, {INT64_MAX, "9223372036854775.807"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf b;
        struct xml x;
        char expected[100];

        buf_init(&b, 1000);
        xml_start(&x, &b);
        xml_open(&x, "a");
        xml_attr_seconds(&x, "t", rows[i].ms);
        xml_end(&x);
        snprintf(expected, sizeof(expected), DECLARATION "<a t=\"%s\"/>\n", rows[i].expected);
        if (strcmp(b.text, expected) != 0)
            fail_msg("%" PRId64 " ms: got %s", rows[i].ms, b.text);
        buf_free(&b);
    }
}

/* As deep as it goes, closed by xml_end alone. */
static void test_depth(void **state)
{
    struct buf b;
    struct xml x;

    (void)state;
    buf_init(&b, 10000);
    xml_start(&x, &b);
    for (int i = 0; i < XML_DEPTH_MAX; i++)
        xml_open(&x, "d");
    xml_text(&x, "in");
    xml_end(&x);
    assert_int_equal(x.depth, 0);
    assert_true(text_starts(b.text, DECLARATION "<d>\n  <d>\n    <d>\n"));
    assert_non_null(strstr(b.text, "<d>in</d>\n"));
    assert_true(text_ends(b.text, "\n    </d>\n  </d>\n</d>\n"));
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_escapes),        cmocka_unit_test(test_forbidden),
        cmocka_unit_test(test_all_characters), cmocka_unit_test(test_shape),
        cmocka_unit_test(test_seconds),        cmocka_unit_test(test_depth),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
