/* SPDX-License-Identifier: MIT */
/* Tests base/text: UTF-8, cleaning of text from outside, log lines, near words, trimming. Inputs
 * stand in memory of exactly their size, so that a sanitizer sees a read beyond their end. */
#include "base/base.h"

#include "base/rng.h"
#include "base/text.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#define BYTES(s) s, sizeof(s) - 1
#define FFFD "\xEF\xBF\xBD"

enum { NO_MAX = 1 << 20 };

static char *exact(const char *bytes, size_t len)
{
    char *copy = malloc(len);

    assert_true(copy || !len);
    if (len)
        memcpy(copy, bytes, len);
    return copy;
}

/* The first character's length by the table of well-formed sequences in the Unicode standard. */
static size_t well_formed(const unsigned char *u, size_t len)
{
    static const struct {
        unsigned char first[2], second[2];
        size_t len;
    } table[] = {
        {{0xC2, 0xDF}, {0x80, 0xBF}, 2}, {{0xE0, 0xE0}, {0xA0, 0xBF}, 3},
        {{0xE1, 0xEC}, {0x80, 0xBF}, 3}, {{0xED, 0xED}, {0x80, 0x9F}, 3},
        {{0xEE, 0xEF}, {0x80, 0xBF}, 3}, {{0xF0, 0xF0}, {0x90, 0xBF}, 4},
        {{0xF1, 0xF3}, {0x80, 0xBF}, 4}, {{0xF4, 0xF4}, {0x80, 0x8F}, 4},
    };

    if (len && u[0] < 0x80)
        return 1;
    for (size_t i = 0; len && i < ARRAY_LEN(table); i++) {
        if (u[0] < table[i].first[0] || u[0] > table[i].first[1])
            continue;
        if (len < table[i].len || u[1] < table[i].second[0] || u[1] > table[i].second[1])
            return 0;
        for (size_t k = 2; k < table[i].len; k++) {
            if (u[k] < 0x80 || u[k] > 0xBF)
                return 0;
        }
        return table[i].len;
    }
    return 0;
}

static void test_decode_against_table(void **state)
{
    static const unsigned char edges[] = {
        0x00, 0x1B, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF,
        0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xF8, 0xFE, 0xFF};
    enum { N = ARRAY_LEN(edges) };

    (void)state;
    for (size_t i = 0; i < (size_t)N * N * N * N; i++) {
        unsigned char u[4] = {edges[i / (N * N * N)], edges[i / (N * N) % N], edges[i / N % N],
                              edges[i % N]};

        for (size_t len = 0; len <= 4; len++) {
            uint32_t c = 0xABCDEF;
            size_t got = text_decode((const char *)u, len, &c);

            if (got != well_formed(u, len))
                fail_msg("%02X %02X %02X %02X, %zu bytes: length %zu", u[0], u[1], u[2], u[3], len,
                         got);
            if (!got && c != 0xABCDEF)
                fail_msg("%02X %02X %02X %02X: refused, but the output was touched", u[0], u[1],
                         u[2], u[3]);
        }
    }
    for (unsigned i = 0; i < 0x10000; i++) {
        unsigned char u[2] = {(unsigned char)(i >> 8), (unsigned char)i};
        uint32_t c;

        if (text_decode((const char *)u, 2, &c) != well_formed(u, 2))
            fail_msg("%02X %02X: wrong length", u[0], u[1]);
    }
}

static void test_decode_encode(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 10);
    for (uint32_t c = 0; c <= 0x10FFFF; c++) {
        uint32_t got = 0;

        if (c == 0xD800)
            c = 0xE000;
        buf_clear(&b);
        text_encode(&b, c);
        if (text_decode(b.text, b.len, &got) != b.len || got != c)
            fail_msg("U+%04X does not come back", (unsigned)c);
    }
    buf_free(&b);
}

static void test_utf8(void **state)
{
    static const struct {
        const char *name;
        const char *bytes;
        size_t len;
        bool expected;
    } rows[] = {
        /* clang-format off */
        {"nothing", BYTES(""), true},
        {"NUL", BYTES("a\0b"), true},
        {"all lengths", BYTES("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"), true},
        {"the last character", BYTES("\xF4\x8F\xBF\xBF"), true},
        {"beyond the last", BYTES("\xF4\x90\x80\x80"), false},
        {"overlong slash, 2", BYTES("\xC0\xAF"), false},
        {"overlong slash, 3", BYTES("\xE0\x80\xAF"), false},
        {"overlong slash, 4", BYTES("\xF0\x80\x80\xAF"), false},
        {"overlong NUL", BYTES("\xC0\x80"), false},
        {"overlong U+07FF", BYTES("\xE0\x9F\xBF"), false},
        {"overlong U+FFFF", BYTES("\xF0\x8F\xBF\xBF"), false},
        {"first surrogate", BYTES("\xED\xA0\x80"), false},
        {"last surrogate", BYTES("\xED\xBF\xBF"), false},
        {"surrogate pair", BYTES("\xED\xA0\xBD\xED\xB8\x80"), false},
        {"before the surrogates", BYTES("\xED\x9F\xBF"), true},
        {"behind the surrogates", BYTES("\xEE\x80\x80"), true},
        {"cut 2", BYTES("a\xC3"), false},
        {"cut 3 to 1", BYTES("a\xE2"), false},
        {"cut 3 to 2", BYTES("a\xE2\x82"), false},
        {"cut 4 to 1", BYTES("a\xF0"), false},
        {"cut 4 to 2", BYTES("a\xF0\x9F"), false},
        {"cut 4 to 3", BYTES("a\xF0\x9F\x98"), false},
        {"cut by ASCII", BYTES("\xE2\x82" "a"), false},
        {"lone continuation", BYTES("\x80"), false},
        {"five bytes", BYTES("\xF8\x88\x80\x80\x80"), false},
        {"FE", BYTES("\xFE"), false},
        {"FF", BYTES("\xFF"), false},
        {"Latin-1", BYTES("caf\xE9"), false},
        /* clang-format on */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *in = exact(rows[i].bytes, rows[i].len);

        if (text_is_utf8(in, rows[i].len) != rows[i].expected)
            fail_msg("%s: expected %d", rows[i].name, rows[i].expected);
        free(in);
    }
}

static char *clean(const char *bytes, size_t len, enum text_lines lines, size_t max)
{
    char *in = exact(bytes, len);
    struct buf b;

    buf_init(&b, BUF_CAP_TEXT);
    text_add_clean(&b, in, len, lines, max);
    free(in);
    if (b.len != strlen(b.text))
        fail_msg("a NUL got through");
    return buf_detach(&b);
}

static void test_clean(void **state)
{
    static const struct {
        const char *name;
        const char *bytes;
        size_t len;
        const char *lines, *fold; /* fold NULL: the same */
    } rows[] = {
        /* clang-format off */
        {"nothing", BYTES(""), "", NULL},
        {"plain", BYTES("plain text"), "plain text", NULL},
        {"LF", BYTES("a\nb"), "a\nb", "a b"},
        {"CRLF", BYTES("a\r\nb"), "a\nb", "a b"},
        {"CR", BYTES("a\rb"), "a\nb", "a b"},
        {"CR CR LF", BYTES("a\r\r\nb"), "a\n\nb", "a b"},
        {"CR at the end", BYTES("a\r"), "a\n", "a"},
        {"tab", BYTES("a\tb"), "a\tb", "a b"},
        {"blanks at both ends", BYTES("  a  b  "), "  a  b  ", "a b"},
        {"only white space", BYTES(" \t\r\n "), " \t\n ", ""},
        {"NEL", BYTES("a\xC2\x85" "b"), "a\nb", "a b"},
        {"line separator", BYTES("a\xE2\x80\xA8" "b"), "a\nb", "a b"},
        {"paragraph separator", BYTES("a\xE2\x80\xA9" "b"), "a\nb", "a b"},
        {"no-break space", BYTES("a\xC2\xA0" "b"), "a\xC2\xA0" "b", "a b"},
        {"vertical tab, form feed", BYTES("a\v\fb"), "ab", NULL},
        {"NUL", BYTES("a\0b"), "ab", NULL},
        {"BEL and BS", BYTES("a\a\bb"), "ab", NULL},
        {"DEL", BYTES("a\x7F" "b"), "ab", NULL},
        {"C1", BYTES("a\xC2\x80\xC2\x9F" "b"), "ab", NULL},
        {"C1 CSI", BYTES("a\xC2\x9B" "31mb"), "a31mb", NULL},
        {"raw byte 9B", BYTES("a\x9B" "31mb"), "a" FFFD "31mb", NULL},
        {"colour", BYTES("\x1B[31mred\x1B[0m"), "red", NULL},
        {"256 colours", BYTES("\x1B[38;5;196mred\x1B[m"), "red", NULL},
        {"private mode", BYTES("a\x1B[?25lb"), "ab", NULL},
        {"CSI with intermediate", BYTES("a\x1B[4 qb"), "ab", NULL},
        {"CSI broken by UTF-8", BYTES("a\x1B[3\xC3\xA9"), "a\xC3\xA9", NULL},
        {"CSI broken by ESC", BYTES("a\x1B[3\x1B[31mb"), "ab", NULL},
        {"CSI broken by LF", BYTES("a\x1B[3\nb"), "a\nb", "a b"},
        {"title, BEL", BYTES("a\x1B]0;title\ab"), "a0;titleb", NULL},
        {"title, ST", BYTES("a\x1B]0;title\x1B\\b"), "a0;titleb", NULL},
        {"link", BYTES("\x1B]8;;http://x\x1B\\text\x1B]8;;\x1B\\"), "8;;http://xtext8;;", NULL},
        {"title without end", BYTES("a\x1B]0;title"), "a0;title", NULL},
        {"DCS", BYTES("a\x1BPq#0\x1B\\b"), "aq#0b", NULL},
        {"SOS, PM, APC", BYTES("a\x1BXx\x1B\\\x1B^x\x1B\\\x1B_x\x1B\\b"), "axxxb", NULL},
        {"charset", BYTES("a\x1B(Bb"), "ab", NULL},
        {"two intermediates", BYTES("a\x1B$(Bb"), "ab", NULL},
        {"reset", BYTES("a\x1B" "cb"), "ab", NULL},
        {"ESC digit", BYTES("a\x1B" "7b"), "ab", NULL},
        {"lone ESC at the end", BYTES("a\x1B"), "a", NULL},
        {"ESC ESC", BYTES("a\x1B\x1B[31mb"), "ab", NULL},
        {"ESC and UTF-8", BYTES("a\x1B\xC3\xA9"), "a\xC3\xA9", NULL},
        {"ESC and LF", BYTES("a\x1B\nb"), "a\nb", "a b"},
        {"ESC and NUL hide nothing", BYTES("a\x1B\0visible\ab"), "avisibleb", NULL},
        {"escape across two", BYTES("\x1B\x1B[0m[31m"), "[31m", NULL},
        {"bidi override", BYTES("a\xE2\x80\xAE" "b\xE2\x80\xAC"), "ab", NULL},
        {"bidi isolate", BYTES("a\xE2\x81\xA6" "b\xE2\x81\xA9"), "ab", NULL},
        {"direction marks", BYTES("a\xE2\x80\x8E\xE2\x80\x8F\xD8\x9C" "b"), "ab", NULL},
        {"zero width", BYTES("a\xE2\x80\x8B\xE2\x80\x8D" "b"), "ab", NULL},
        {"word joiner", BYTES("a\xE2\x81\xA0" "b"), "ab", NULL},
        {"byte order mark", BYTES("\xEF\xBB\xBF" "a"), "a", NULL},
        {"tag characters", BYTES("a\xF3\xA0\x81\x81" "b"), "ab", NULL},
        {"U+FFFE and U+FFFF", BYTES("\xEF\xBF\xBE\xEF\xBF\xBF"), FFFD FFFD, NULL},
        {"U+1FFFF", BYTES("\xF0\x9F\xBF\xBF"), FFFD, NULL},
        {"overlong slash", BYTES("\xC0\xAF"), FFFD FFFD, NULL},
        {"overlong ESC", BYTES("\xC0\x9B[31m"), FFFD FFFD "[31m", NULL},
        {"surrogate", BYTES("\xED\xA0\x80"), FFFD FFFD FFFD, NULL},
        {"cut character", BYTES("a\xE2\x82"), "a" FFFD FFFD, NULL},
        {"Latin-1", BYTES("caf\xE9 au lait"), "caf" FFFD " au lait", NULL},
        {"other scripts stay", BYTES("\xD7\xA9\xF0\x9F\x98\x80\xE4\xB8\xAD"),
         "\xD7\xA9\xF0\x9F\x98\x80\xE4\xB8\xAD", NULL},
        /* clang-format on */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *lines = clean(rows[i].bytes, rows[i].len, TEXT_LINES, NO_MAX);
        char *fold = clean(rows[i].bytes, rows[i].len, TEXT_FOLD, NO_MAX);
        const char *folded = rows[i].fold ? rows[i].fold : rows[i].lines;

        if (strcmp(lines, rows[i].lines) != 0)
            fail_msg("%s, lines: got '%s', expected '%s'", rows[i].name, lines, rows[i].lines);
        if (strcmp(fold, folded) != 0)
            fail_msg("%s, folded: got '%s', expected '%s'", rows[i].name, fold, folded);
        free(lines);
        free(fold);
    }
}

/* Nothing that acts on a terminal, an XML parser or the reading order is left. */
static void assert_harmless(const char *row, const char *text, enum text_lines lines)
{
    size_t len = strlen(text), used;
    uint32_t c;

    for (; len; text += used, len -= used) {
        used = text_decode(text, len, &c);
        if (!used)
            fail_msg("%s: the result is not UTF-8", row);
        if ((c < 0x20 && (lines == TEXT_FOLD || (c != '\n' && c != '\t'))) ||
            (c >= 0x7F && c <= 0x9F) || (c & 0xFFFE) == 0xFFFE || (c >= 0x202A && c <= 0x202E) ||
            (c >= 0x2066 && c <= 0x2069))
            fail_msg("%s: U+%04X is left", row, (unsigned)c);
    }
}

static void test_clean_cut_everywhere(void **state)
{
    static const struct {
        const char *bytes;
        bool silent; /* no part of it is ever shown */
    } rows[] = {
        /* clang-format off */
        {"\x1B[38;5;196m", true},
        {"\x1B[?1049h", true},
        {"\x1B[0 q", true},
        {"\x1B(B", true},
        {"\x1B" "c", true},
        {"\x1B]0;title\a", false},
        {"\x1B]8;;http://x\x1B\\", false},
        {"\x1BPq#0;2\x1B\\", false},
        {"\x1B_x\x1B\\", false},
        {"\x1B^x\x1B\\", false},
        {"\x1BXx\x1B\\", false},
        /* clang-format on */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (size_t cut = 0; cut <= strlen(rows[i].bytes); cut++) {
            char row[64], input[64];
            char *got;

            snprintf(row, sizeof(row), "row %zu cut at %zu", i, cut);
            snprintf(input, sizeof(input), "A%.*s", (int)cut, rows[i].bytes);
            got = clean(input, strlen(input), TEXT_LINES, NO_MAX);
            assert_harmless(row, got, TEXT_LINES);
            if (got[0] != 'A' || (rows[i].silent && got[1]))
                fail_msg("%s: got '%s'", row, got);
            free(got);
        }
    }
}

static void test_clean_random(void **state)
{
    static const char alphabet[] =
        "\x1B\x1B[]\\Pm;0?( \a\r\n\t\0\x7F\xC2\x9B\x85\xE2\x80\xAE\xA8\xED"
        "\xA0\xF0\x9F\x98\x80\xEF\xBF\xBE\xBBxyz";
    uint64_t seed = 20261123;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        enum text_lines lines = rng_next(&seed) & 1 ? TEXT_LINES : TEXT_FOLD;
        size_t len = (size_t)rng_up_to(&seed, 40);
        size_t max = (size_t)rng_up_to(&seed, 50);
        char input[40], row[32];
        char *got, *again, *all;

        snprintf(row, sizeof(row), "round %d", round);
        for (size_t i = 0; i < len; i++)
            input[i] = alphabet[rng_up_to(&seed, sizeof(alphabet) - 2)];
        got = clean(input, len, lines, max);
        assert_harmless(row, got, lines);
        if (strlen(got) > max)
            fail_msg("%s: %zu bytes, %zu allowed", row, strlen(got), max);
        all = clean(input, len, lines, NO_MAX);
        if (strlen(all) <= max && strcmp(all, got) != 0)
            fail_msg("%s: '%s' was cut without need", row, all);
        again = clean(all, strlen(all), lines, NO_MAX);
        if (strcmp(again, all) != 0)
            fail_msg("%s: cleaning '%s' once more changes it", row, all);
        free(got);
        free(again);
        free(all);
    }
}

static void test_clean_max(void **state)
{
    static const struct {
        const char *text;
        size_t max;
        const char *expected;
    } rows[] = {
        /* clang-format off */
        {"abcdef", 7, "abcdef"},
        {"abcdef", 6, "abcdef"},
        {"abcdef", 5, "ab..."},
        {"abcdef", 4, "a..."},
        {"abcdef", 3, "..."},
        {"abcdef", 2, ".."},
        {"abcdef", 1, "."},
        {"abcdef", 0, ""},
        {"abc", 3, "abc"},
        {"ab", 1, "."},
        {"\xC3\xA4\xC3\xB6\xC3\xBC", 6, "\xC3\xA4\xC3\xB6\xC3\xBC"},
        {"\xC3\xA4\xC3\xB6\xC3\xBC", 5, "\xC3\xA4..."},
        {"\xC3\xA4\xC3\xB6\xC3\xBC", 4, "..."},
        {"\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC", 8, "\xE2\x82\xAC..."},
        {"\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC", 6, "\xE2\x82\xAC..."},
        {"\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC", 5, "..."},
        {"\xF0\x9F\x98\x80\xF0\x9F\x98\x80", 8, "\xF0\x9F\x98\x80\xF0\x9F\x98\x80"},
        {"\xF0\x9F\x98\x80\xF0\x9F\x98\x80", 7, "\xF0\x9F\x98\x80..."},
        {"\xF0\x9F\x98\x80\xF0\x9F\x98\x80", 6, "..."},
        {"ab cd", 4, "a..."},
        {"ab cd", 5, "ab cd"},
        {"abcd   ", 4, "abcd"},
        {"ab    cdefgh", 6, "ab..."},
        {"\xFF\xFF\xFF", 9, FFFD FFFD FFFD},
        {"\xFF\xFF\xFF", 8, FFFD "..."},
        {"abc\x1B[31m\xE2\x80\x8B", 3, "abc"},
        /* clang-format on */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *got = clean(rows[i].text, strlen(rows[i].text), TEXT_FOLD, rows[i].max);

        if (strcmp(got, rows[i].expected) != 0)
            fail_msg("row %zu, '%s' in %zu bytes: got '%s'", i, rows[i].text, rows[i].max, got);
        free(got);
    }
}

/* At every maximum: as many whole characters as fit, then the dots. */
static void test_clean_max_exhaustive(void **state)
{
    static const char text[] = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z\xF0\x9F\x98\x80\xE2\x82\xAC"
                               "\xC3\xA9yx";
    size_t len = sizeof(text) - 1;

    (void)state;
    for (size_t max = 3; max <= len + 1; max++) {
        char *got = clean(text, len, TEXT_LINES, max);
        size_t kept = 0;
        char expected[64];

        if (max >= len) {
            kept = len;
        } else {
            for (;;) {
                size_t next = well_formed((const unsigned char *)text + kept, len - kept);

                if (kept + next + 3 > max)
                    break;
                kept += next;
            }
        }
        snprintf(expected, sizeof(expected), "%.*s%s", (int)kept, text, max < len ? "..." : "");
        if (strcmp(got, expected) != 0)
            fail_msg("at most %zu bytes: got '%s', expected '%s'", max, got, expected);
        free(got);
    }
}

/* What stands in the buffer before is kept, and does not count. */
static void test_clean_appends(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    buf_adds(&b, "before: ");
    text_add_clean(&b, BYTES("  one  two"), TEXT_FOLD, 7);
    assert_string_equal(b.text, "before: one two");
    text_add_clean(&b, BYTES("12345678"), TEXT_FOLD, 7);
    assert_string_equal(b.text, "before: one two1234...");
    text_add_clean(&b, BYTES("12345678"), TEXT_FOLD, 0);
    assert_string_equal(b.text, "before: one two1234...");
    buf_free(&b);
}

static void test_log(void **state)
{
    static const struct {
        const char *text, *expected;
    } rows[] = {
        {"", ""},
        {"plain", "plain"},
        {"::error::x", ": :error::x"},
        {"  ::error::x", "  : :error::x"},
        {"\t::error::x", "\t: :error::x"},
        {":::error::x", ": ::error::x"},
        {"::", ": :"},
        {":", ":"},
        {": :", ": :"},
        {"std::string", "std::string"},
        {"see http://x::y", "see http://x::y"},
        {"##[error]x", "# #[error]x"},
        {"text ##[group]x", "text # #[group]x"},
        {"##vso[task.complete]", "# #vso[task.complete]"},
        {"##teamcity[x]", "# #teamcity[x]"},
        {"###[error]", "# # #[error]"},
        {"#####", "# # # # #"},
        {"a # b", "a # b"},
        {"# #", "# #"},
        {"x#", "x#"},
        {"::##[error]", ": :# #[error]"},
        /* GitHub's runner trims Unicode white space before it looks for "::". */
        {"\xC2\xA0::error::x", "\xC2\xA0: :error::x"},
        {"\xE2\x80\x83::error::x", "\xE2\x80\x83: :error::x"},
        {"\xE3\x80\x80 \xE2\x80\xAF::error::x", "\xE3\x80\x80 \xE2\x80\xAF: :error::x"},
        {"\xE1\x9A\x80\xE2\x81\x9F::add-mask::x", "\xE1\x9A\x80\xE2\x81\x9F: :add-mask::x"},
        {"\xC3\xA9::error", "\xC3\xA9::error"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *in = exact(rows[i].text, strlen(rows[i].text) + 1);
        struct buf b;

        buf_init(&b, 100);
        text_add_log(&b, in);
        if (strcmp(b.text, rows[i].expected) != 0)
            fail_msg("'%s': got '%s', expected '%s'", rows[i].text, b.text, rows[i].expected);
        buf_free(&b);
        free(in);
    }
}

/* No text made of the dangerous parts keeps a command. */
static void test_log_random(void **state)
{
    static const char *const parts[] = {":", "::", "#", "##", "[", " ", "\t", "x", "\xC2\xA0"};
    uint64_t seed = 7;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        struct buf in, out;
        const char *p;

        buf_init(&in, 100);
        buf_init(&out, 100);
        for (int64_t n = rng_up_to(&seed, 8); n > 0; n--)
            buf_adds(&in, parts[rng_up_to(&seed, ARRAY_LEN(parts) - 1)]);
        text_add_log(&out, in.text);
        p = out.text;
        while (*p == ' ' || *p == '\t' || (unsigned char)*p == 0xC2 || (unsigned char)*p == 0xA0)
            p++;
        if (strstr(out.text, "##") || text_starts(p, "::"))
            fail_msg("'%s' became '%s'", in.text, out.text);
        buf_free(&in);
        buf_free(&out);
    }
}

static void test_nearest(void **state)
{
    static const char *const keys[] = {"provider", "needs",    "timeout", "poll_min", "poll_max",
                                       "required", "retry_on", "id",      "junit",    "json"};
    static const struct {
        const char *word, *expected;
    } rows[] = {
        {"provider", "provider"},
        {"providr", "provider"},
        {"porvider", "provider"},
        {"provideer", "provider"},
        {"prvdr", NULL},
        {"Provider", "provider"},
        {"neds", "needs"},
        {"need", "needs"},
        {"pol_mix", "poll_min"},
        {"poll_mix", "poll_min"},
        {"poll_mxa", "poll_max"},
        {"timeuot", "timeout"},
        {"time", "timeout"},
        {"time-out", "timeout"},
        {"retries", NULL},
        {"i", "id"},
        {"di", "id"},
        {"jsno", "json"},
        {"xyzzy", NULL},
        {"require", "required"},
    };
    char huge[102];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *got = text_nearest(rows[i].word, keys, ARRAY_LEN(keys));

        if ((got ? 1 : 0) != (rows[i].expected ? 1 : 0) ||
            (got && strcmp(got, rows[i].expected) != 0))
            fail_msg("'%s': got %s, expected %s", rows[i].word, got ? got : "nothing",
                     rows[i].expected ? rows[i].expected : "nothing");
    }
    assert_null(text_nearest("word", keys, 0));
    memset(huge, 'x', 101);
    huge[101] = '\0';
    assert_null(text_nearest(huge, (const char *const[]){huge}, 1));
    assert_string_equal(text_nearest(huge + 1, (const char *const[]){huge}, 1), huge);
}

static void test_trim(void **state)
{
    static const struct {
        const char *text, *expected;
    } rows[] = {
        /* clang-format off */
        {"", ""},
        {" ", ""},
        {" \t\r\n", ""},
        {"a", "a"},
        {" a", "a"},
        {"a ", "a"},
        {"\t a b \r\n", "a b"},
        {"\va\v", "\va\v"},
        {" \xC2\xA0 ", "\xC2\xA0"},
        /* clang-format on */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *in = exact(rows[i].text, strlen(rows[i].text) + 1);

        if (strcmp(text_trim(in), rows[i].expected) != 0)
            fail_msg("'%s': expected '%s'", rows[i].text, rows[i].expected);
        free(in);
    }
}

static void test_starts_ends(void **state)
{
    (void)state;
    assert_true(text_starts("abc", ""));
    assert_true(text_starts("abc", "abc"));
    assert_false(text_starts("abc", "abcd"));
    assert_false(text_starts("", "a"));
    assert_true(text_starts("", ""));
    assert_true(text_ends("abc", ""));
    assert_true(text_ends("abc", "bc"));
    assert_true(text_ends("abc", "abc"));
    assert_false(text_ends("abc", "xabc"));
    assert_false(text_ends("abc", "b"));
    assert_false(text_ends("", "a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decode_against_table),
        cmocka_unit_test(test_decode_encode),
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_clean),
        cmocka_unit_test(test_clean_cut_everywhere),
        cmocka_unit_test(test_clean_random),
        cmocka_unit_test(test_clean_max),
        cmocka_unit_test(test_clean_max_exhaustive),
        cmocka_unit_test(test_clean_appends),
        cmocka_unit_test(test_log),
        cmocka_unit_test(test_log_random),
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_trim),
        cmocka_unit_test(test_starts_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
