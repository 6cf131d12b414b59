/* SPDX-License-Identifier: MIT */
/* Tests pipeline/ini: what a file is read as, every mistake of form with its exact line, and that
 * nothing is ever cut. Inputs stand in memory of exactly their size. */
#include "base/base.h"

#include "base/rng.h"
#include "base/text.h"
#include "pipeline/ini.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#define BYTES(s) s, sizeof(s) - 1
#define TEN "0123456789"
#define FIFTY TEN TEN TEN TEN TEN
#define N49 TEN TEN TEN TEN "012345678"

struct loaded {
    struct ini ini;
    struct diags diags;
};

static void load(struct loaded *l, const char *bytes, size_t len)
{
    char *copy = malloc(len);

    assert_true(copy || !len);
    if (len)
        memcpy(copy, bytes, len);
    memset(l, 0, sizeof(*l));
    ini_load(&l->ini, "file.ini", copy, len, &l->diags);
    free(copy);
}

static void unload(struct loaded *l)
{
    ini_free(&l->ini);
    diags_free(&l->diags);
}

/* "[section]1 key2=value{2,3}": behind names their line, behind a value the lines of its lines. */
static void dump(struct buf *b, const struct ini *ini)
{
    for (size_t i = 0; i < ini->count; i++) {
        const struct ini_section *s = &ini->sections[i];

        buf_addf(b, "%s[%s]%d", i ? " " : "", s->name, s->line);
        for (size_t k = 0; k < s->count; k++) {
            const struct ini_entry *entry = &s->entries[k];

            buf_addf(b, " %s%d=%s{", entry->key, entry->line, entry->value);
            for (size_t n = 0; n < entry->line_count; n++)
                buf_addf(b, "%s%d", n ? "," : "", entry->lines[n]);
            buf_addc(b, '}');
        }
    }
}

/* expected: one line a mistake, each the beginning of "LINE: message". */
static void check_diags(const char *row, const struct diags *d, const char *expected)
{
    struct buf all;
    const char *p = expected;
    size_t i = 0;

    buf_init(&all, BUF_CAP_TEXT);
    for (size_t k = 0; k < d->count; k++)
        buf_addf(&all, "%d: %s\n", d->items[k].line, d->items[k].text);
    for (const char *got = all.text; *got || *p; i++) {
        size_t len = strcspn(p, "\n");

        if (!*got || !*p || strncmp(got, p, len) != 0)
            fail_msg("%s: mistake %zu differs; expected\n%s\ngot\n%s", row, i, expected, all.text);
        got += strcspn(got, "\n") + 1;
        p += len + (p[len] ? 1 : 0);
    }
    for (size_t k = 0; k < d->count; k++) {
        if (strcmp(d->items[k].file, "file.ini") != 0)
            fail_msg("%s: mistake %zu names the file %s", row, k, d->items[k].file);
    }
    buf_free(&all);
}

static void test_load(void **state)
{
    static const struct {
        const char *name;
        const char *bytes;
        size_t len;
        const char *dump, *diags;
    } rows[] = {
        {"nothing", BYTES(""), "", ""},
        {"one line end", BYTES("\n"), "", ""},
        {"plain", BYTES("[a]\nk = v\n"), "[a]1 k2=v{2}", ""},
        {"no line end", BYTES("[a]\nk = v"), "[a]1 k2=v{2}", ""},
        {"section without line end", BYTES("[a]"), "[a]1", ""},
        {"CRLF", BYTES("[a]\r\nk = v\r\n\r\n  w\r\n"), "[a]1 k2=v\nw{2,4}", ""},
        {"CR at the very end", BYTES("[a]\nk = v\r"), "[a]1 k2=v{2}", ""},
        {"byte order mark", BYTES("\xEF\xBB\xBF[a]\nk = v\n"), "[a]1 k2=v{2}", ""},
        {"only a byte order mark", BYTES("\xEF\xBB\xBF"), "", ""},
        {"two byte order marks", BYTES("\xEF\xBB\xBF\xEF\xBB\xBF[a]\n"), "",
         "1: expected 'key = value'"},
        {"byte order mark inside", BYTES("[a]\n\xEF\xBB\xBFk = v\n"), "[a]1 \xEF\xBB\xBFk2=v{2}",
         ""},
        {"colon", BYTES("[a]\nk: v\nurl = https://x/y=z\n"), "[a]1 k2=v{2} url3=https://x/y=z{3}",
         ""},
        {"the first separator counts", BYTES("[a]\nk = a:b=c\nl : a=b\n"),
         "[a]1 k2=a:b=c{2} l3=a=b{3}", ""},
        {"white space", BYTES("[a]\nk=v  \nl\t=\tv w\t\n"), "[a]1 k2=v{2} l3=v w{3}", ""},
        {"indented first key", BYTES("[a]\n  k = v\n"), "[a]1 k2=v{2}", ""},
        {"indented section", BYTES("[a]\n [b]\nk = v\n"), "[a]1 [b]2 k3=v{3}", ""},
        {"blanks in names", BYTES("[a b]\nc d = v\n"), "[a b]1 c d2=v{2}", ""},
        {"empty sections", BYTES("[a]\n[b]\n\n[c]\n"), "[a]1 [b]2 [c]4", ""},
        {"empty values", BYTES("[a]\nk =\nl=\nm = ;c\n"), "[a]1 k2={2} l3={3} m4={4}", ""},
        {"UTF-8", BYTES("[\xC3\xA9]\n\xC3\xA9y = \xE2\x82\xAC\n"),
         "[\xC3\xA9]1 \xC3\xA9y2=\xE2\x82\xAC{2}", ""},
        /* comments */
        {"comment lines", BYTES("# 1\n; 2\n[a]\n# 4\n  ; 5\nk = v\n#\n;\n"), "[a]3 k6=v{6}", ""},
        {"inline", BYTES("[a] ; x\nk = v ; x\nl = v;x\nm = v # x\nn = v\t;x\n"),
         "[a]1 k2=v{2} l3=v;x{3} m4=v # x{4} n5=v{5}", ""},
        {"inline, first of several", BYTES("[a]\nk = a ;b ;c\n"), "[a]1 k2=a{2}", ""},
        {"semicolon at once", BYTES("[a]\nk =;x\n"), "[a]1 k2=;x{2}", ""},
        {"comment behind ']'", BYTES("[a];x\n[b]#x\n[c]\t# x\n"), "[a]1 [b]2 [c]3", ""},
        {"inline in continuation", BYTES("[a]\nk = v ;1\n  w ;2\n\tx\t;3\n  y;4\n  z # 5\n"),
         "[a]1 k2=v\nw\nx\ny;4\nz # 5{2,3,4,5,6}", ""},
        {"comment between continuations", BYTES("[a]\nk = v\n  ; c\n# d\n  w\n"),
         "[a]1 k2=v\nw{2,5}", ""},
        {"commented key", BYTES("[a]\nk ;= v\n"), "[a]1", "2: expected 'key = value'"},
        /* continuation lines */
        {"continuation", BYTES("[a]\nk = v\n  w\n\tx\nl = y\n"), "[a]1 k2=v\nw\nx{2,3,4} l5=y{5}",
         ""},
        {"continuation of nothing", BYTES("[a]\nk =\n  v\n  w\n"), "[a]1 k2=v\nw{3,4}", ""},
        {"blank lines between", BYTES("[a]\nk = v\n\n   \n  w\n"), "[a]1 k2=v\nw{2,5}", ""},
        {"looks like a section", BYTES("[a]\nk = v\n  [b]\n  l = w\n"),
         "[a]1 k2=v\n[b]\nl = w{2,3,4}", ""},
        {"JSON", BYTES("[a]\nk =\n    [{\"a\": 1,\n      \"b\": \"x=y\"}]\n"),
         "[a]1 k2=[{\"a\": 1,\n\"b\": \"x=y\"}]{3,4}", ""},
        {"not behind a section", BYTES("[a]\nk = v\n[b]\n  l = w\n"), "[a]1 k2=v{2} [b]3 l4=w{4}",
         ""},
        /* mistakes: form */
        {"no section", BYTES("k = v\n"), "", "1: 'k' stands before the first [section]"},
        {"no section, several", BYTES("k = v\n  w\nl = x\n[a]\nm = y\n"), "[a]4 m5=y{5}",
         "1: 'k' stands before\n3: 'l' stands before"},
        {"no '='", BYTES("[a]\nword\nk = v\n"), "[a]1 k3=v{3}", "2: expected 'key = value'"},
        {"no '=', continued", BYTES("[a]\nj = u\nword\n  w\n  x = y\nk = v\n"),
         "[a]1 j2=u{2} k6=v{6}", "3: expected 'key = value'"},
        {"'=' in the comment only", BYTES("[a]\nword ;a = b\n"), "[a]1",
         "2: expected 'key = value'"},
        {"no key", BYTES("[a]\n= v\n  w\n : x\n"), "[a]1", "2: a key is missing"},
        {"no key, colon", BYTES("[a]\n: v\n"), "[a]1", "2: a key is missing"},
        {"no ']'", BYTES("[a]\nj = u\n[b\nk = v\n[c]\nl = w\n"), "[a]1 j2=u{2} [c]5 l6=w{6}",
         "3: the section name is not closed\n4: 'k' stands below a section that cannot be read"},
        {"']' in the comment only", BYTES("[a ;]\n"), "", "1: '[a ;]' is not a section name"},
        {"text behind ']'", BYTES("[a] k = v\n"), "", "1: unexpected text behind ']': 'k = v'"},
        {"two ']'", BYTES("[a]b]\n[c]]\n"), "",
         "1: unexpected text behind ']': 'b]'\n2: unexpected text behind ']': ']'"},
        {"bad first section", BYTES("[a\nk = v\n"), "",
         "1: the section name is not closed\n2: 'k' stands below a section that cannot be read"},
        {"no name", BYTES("[]\n"), "", "1: '[]' is not a section name"},
        {"indented key below a bad section", BYTES("[a]\nj = u\n[b\n  k = v\n  w\n"),
         "[a]1 j2=u{2}",
         "3: the section name is not closed\n4: 'k' stands below a section that cannot be read"},
        /* mistakes: duplicates */
        {"section twice", BYTES("[a]\nk = v\n[b]\n[a]\nk = w\n"), "[a]1 k2=v{2} [b]3 [a]4 k5=w{5}",
         "4: section [a] stands twice, first in line 1: join the two"},
        {"section three times", BYTES("[a]\n[a]\n[a]\n"), "[a]1 [a]2 [a]3",
         "2: section [a] stands twice, first in line 1\n"
         "3: section [a] stands twice, first in line 1"},
        {"key twice", BYTES("[a]\nk = v\nl = x\nk = v\n  w\n"), "[a]1 k2=v{2} l3=x{3} k4=v\nw{4,5}",
         "4: key 'k' stands twice, first in line 2"},
        {"key three times", BYTES("[a]\nk = 1\nk = 2\nk = 3\n"), "[a]1 k2=1{2} k3=2{3} k4=3{4}",
         "3: key 'k' stands twice, first in line 2\n4: key 'k' stands twice, first in line 2"},
        {"key twice, the first value below", BYTES("[a]\nk =\n  v\nk = w\n"),
         "[a]1 k2=v{3} k4=w{4}", "4: key 'k' stands twice, first in line 2"},
        {"the same key in two sections", BYTES("[a]\nk = v\n[b]\nk = v\n"),
         "[a]1 k2=v{2} [b]3 k4=v{4}", ""},
        {"case counts", BYTES("[a]\nk = v\nK = v\n[A]\n"), "[a]1 k2=v{2} K3=v{3} [A]4", ""},
        /* mistakes: bytes */
        {"NUL", BYTES("[a]\nk = v\0w\nl = x\n"), "[a]1 l3=x{3}", "2: the line holds a NUL byte"},
        {"NUL first", BYTES("\0[a]\n"), "", "1: the line holds a NUL byte"},
        {"NUL in a comment", BYTES("# a\0b\n[a]\n"), "[a]2", "1: the line holds a NUL byte"},
        {"bad UTF-8", BYTES("[a]\nk = \xFF\nl = x\n"), "[a]1 l3=x{3}",
         "2: the line is not valid UTF-8"},
        {"cut UTF-8 at the end", BYTES("[a]\nk = \xE2\x82"), "[a]1",
         "2: the line is not valid UTF-8"},
        {"UTF-16", BYTES("\xFF\xFE[\0a\0]\0"), "", "1: the line holds a NUL byte"},
        {"bad bytes, continued", BYTES("[a]\nj = u\nk = \xFF\n  w\nl = x\n"),
         "[a]1 j2=u{2} l5=x{5}", "3: the line is not valid UTF-8"},
        {"bad bytes in a continuation", BYTES("[a]\nk = v\n  \xFF\n  w\n"), "[a]1 k2=v\nw{2,4}",
         "3: the line is not valid UTF-8"},
        {"bad bytes in a comment between", BYTES("[a]\nk = v\n# \xFF\n  w\n"), "[a]1 k2=v\nw{2,4}",
         "3: the line is not valid UTF-8"},
        {"bad bytes in a section", BYTES("[a]\nk = v\n[\xFF]\nk = w\n[b]\nl = x\n"),
         "[a]1 k2=v{2} [b]5 l6=x{6}",
         "3: the line is not valid UTF-8\n4: 'k' stands below a section that cannot be read"},
        {"old line ends", BYTES("[a]\rk = v\rl = w\r"), "",
         "1: the line holds the control character 0x0D"},
        {"old line ends behind a comment", BYTES("# c\r[a]\rk = v"), "",
         "1: the line holds the control character 0x0D"},
        {"vertical tab as a key", BYTES("[a]\n\v = v\n  x = y\nk = w\n"), "[a]1 k4=w{4}",
         "2: the line holds the control character 0x0B"},
        {"form feed as indentation", BYTES("[a]\nj = u\n\fk = v\n"), "[a]1 j2=u{2}",
         "3: the line holds the control character 0x0C"},
        {"escape sequence", BYTES("[a]\nk = \x1B[31m\n"), "[a]1",
         "2: the line holds the control character 0x1B"},
        /* names of 49 and 50 bytes */
        {"section of 49 bytes", BYTES("[" N49 "]\nk = v\n"), "[" N49 "]1 k2=v{2}", ""},
        {"section of 50 bytes", BYTES("[" FIFTY "]\nk = v\n[a]\n"), "[a]3",
         "1: the section name is 50 bytes long: at most 49\n2: 'k' stands below a section"},
        {"key of 49 bytes", BYTES("[a]\n" N49 " = v\n  w\n"), "[a]1 " N49 "2=v\nw{2,3}", ""},
        {"key of 50 bytes", BYTES("[a]\n" FIFTY " = v\n  w\nk = x\n"), "[a]1 k4=x{4}",
         "2: the key is 50 bytes long: at most 49"},
        {"key of 49 bytes and blanks", BYTES("[a]\n" N49 "      = v\n"), "[a]1 " N49 "2=v{2}", ""},
        {"two keys that differ behind 49 bytes", BYTES("[a]\n" N49 "a = v\n" N49 "b = v\n"), "[a]1",
         "2: the key is 50 bytes long\n3: the key is 50 bytes long"},
        /* all of them, in order */
        {"everything wrong",
         BYTES("k = v\n[a\nword\n[b]\nx\n= v\nk = 1\nk = 2\n\xFF\n[b]\n[c] d\n"),
         "[b]4 k7=1{7} k8=2{8} [b]10",
         "1: 'k' stands before\n2: the section name is not closed\n3: expected 'key = value'\n"
         "5: expected 'key = value'\n6: a key is missing\n"
         "8: key 'k' stands twice, first in line 7\n9: the line is not valid UTF-8\n"
         "10: section [b] stands twice, first in line 4\n11: unexpected text behind ']': 'd'"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct loaded l;
        struct buf b;

        load(&l, rows[i].bytes, rows[i].len);
        check_diags(rows[i].name, &l.diags, rows[i].diags);
        buf_init(&b, BUF_CAP_TEXT);
        dump(&b, &l.ini);
        if (strcmp(b.text, rows[i].dump) != 0)
            fail_msg("%s: got <%s>, expected <%s>", rows[i].name, b.text, rows[i].dump);
        if (strcmp(l.ini.file, "file.ini") != 0)
            fail_msg("%s: the file is called %s", rows[i].name, l.ini.file);
        buf_free(&b);
        unload(&l);
    }
}

enum kind { KEY, MORE, SECTION, COMMENT, INNER_COMMENT, KIND_COUNT };

/* What "[a]", "j = u", the long line and "  w" are read as; filler is the long line's text. */
static void expect_long(struct buf *b, enum kind kind, bool fits, bool more, const char *filler)
{
    buf_adds(b, "[a]1 j2=u");
    switch (kind) {
    case KEY:
        buf_adds(b, "{2}");
        if (fits)
            buf_addf(b, " k3=%s%s", filler, more ? "\nw{3,4}" : "{3}");
        break;
    case MORE:
        if (fits)
            buf_addf(b, "\n%s%s", filler, more ? "\nw{2,3,4}" : "{2,3}");
        else
            buf_adds(b, more ? "\nw{2,4}" : "{2}");
        break;
    case SECTION:
        buf_adds(b, "{2}");
        break;
    case COMMENT:
    case INNER_COMMENT:
        buf_adds(b, more ? "\nw{2,4}" : "{2}");
        break;
    case KIND_COUNT:
        break;
    }
}

/* Lines at the library's limit and far beyond it, of every kind, with every line end. */
static void test_long_lines(void **state)
{
    static const size_t lengths[] = {197, 198, 199, 200, 201, 396, 399, 400, 5000};
    static const char *const ends[] = {"\n", "\r\n", ""};
    static const char *const starts[] = {"k = ", "  ", "[", "# ", "  ; "};
    char filler[5001];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lengths) * ARRAY_LEN(ends) * KIND_COUNT; i++) {
        size_t len = lengths[i % ARRAY_LEN(lengths)];
        const char *end = ends[i / ARRAY_LEN(lengths) % ARRAY_LEN(ends)];
        enum kind kind = (enum kind)(i / ARRAY_LEN(lengths) / ARRAY_LEN(ends));
        size_t used = strlen(starts[kind]) + (kind == SECTION ? 1 : 0);
        bool fits = len <= 198;
        struct buf text, got, expected;
        char row[100], diags[200] = "";
        struct loaded l;

        snprintf(row, sizeof(row), "'%s...' of %zu bytes, line end of %zu", starts[kind], len,
                 strlen(end));
        memset(filler, 'x', len - used);
        filler[len - used] = '\0';
        buf_init(&text, 10000);
        buf_init(&got, 10000);
        buf_init(&expected, 10000);
        buf_addf(&text, "[a]\nj = u\n%s%s%s%s", starts[kind], filler, kind == SECTION ? "]" : "",
                 end);
        if (*end)
            buf_addf(&text, "  w%s", end);
        if (!fits)
            snprintf(diags, sizeof(diags), "3: the line is %zu bytes long: at most 198", len);
        else if (kind == SECTION)
            snprintf(diags, sizeof(diags), "3: the section name is %zu bytes long", len - 2);
        /* Below a refused section nothing goes on. */
        if (kind == SECTION && *end)
            snprintf(diags + strlen(diags), sizeof(diags) - strlen(diags), "\n4: expected 'key");
        load(&l, text.text, text.len);
        check_diags(row, &l.diags, diags);
        dump(&got, &l.ini);
        expect_long(&expected, kind, fits, *end, filler);
        if (strcmp(got.text, expected.text) != 0)
            fail_msg("%s: got <%s>, expected <%s>", row, got.text, expected.text);
        buf_free(&text);
        buf_free(&got);
        buf_free(&expected);
        unload(&l);
    }
}

/* An over-long line below a refused one: what follows continues neither it nor an older value. */
static void test_long_line_below_refused(void **state)
{
    static const struct {
        const char *before, *behind;
        const char *dump, *diags;
    } rows[] = {
        {"word\n", "  x = y\n[a]\nk = v\n", "[a]4 k5=v{5}",
         "1: expected 'key = value'\n2: the line is 300"},
        {"[a]\nword\n", "  x = y\nk = v\n", "[a]1 k5=v{5}",
         "2: expected 'key = value'\n3: the line is 300"},
        {"[a]\nj = u\nword\n", "  x = y\nk = v\n", "[a]1 j2=u{2} k6=v{6}",
         "3: expected 'key = value'\n4: the line is 300"},
        {"[a]\nj = u\n[b]\n", "  x = y\nk = v\n", "[a]1 j2=u{2} [b]3 k6=v{6}",
         "4: the line is 300"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf text, got;
        struct loaded l;
        char row[32];

        snprintf(row, sizeof(row), "row %zu", i);
        buf_init(&text, 10000);
        buf_init(&got, 10000);
        buf_addf(&text, "%s  %298s\n%s", rows[i].before, "x", rows[i].behind);
        load(&l, text.text, text.len);
        check_diags(row, &l.diags, rows[i].diags);
        dump(&got, &l.ini);
        if (strcmp(got.text, rows[i].dump) != 0)
            fail_msg("%s: got <%s>, expected <%s>", row, got.text, rows[i].dump);
        buf_free(&text);
        buf_free(&got);
        unload(&l);
    }
}

static void test_line_at(void **state)
{
    static const char text[] = "[a]\n"
                               "k = one\n"
                               "  two\n"
                               "; comment\n"
                               "\n"
                               "  three\n"
                               "l =\n"
                               "  four\n"
                               "m =\n";
    static const struct {
        size_t entry, offset;
        int expected;
    } rows[] = {
        {0, 0, 2},  {0, 2, 2},   {0, 3, 2}, {0, 4, 3}, {0, 7, 3}, {0, 8, 6}, {0, 12, 6},
        {0, 13, 6}, {0, 999, 6}, {1, 0, 8}, {1, 9, 8}, {2, 0, 9}, {2, 5, 9},
    };
    struct loaded l;

    (void)state;
    load(&l, text, sizeof(text) - 1);
    assert_int_equal(l.diags.count, 0);
    assert_int_equal(l.ini.sections[0].count, 3);
    assert_string_equal(l.ini.sections[0].entries[0].value, "one\ntwo\nthree");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int got = ini_line_at(&l.ini.sections[0].entries[rows[i].entry], rows[i].offset);

        if (got != rows[i].expected)
            fail_msg("entry %zu, offset %zu: line %d, expected %d", rows[i].entry, rows[i].offset,
                     got, rows[i].expected);
    }
    assert_int_equal(l.ini.sections[0].entries[1].line, 7);
    unload(&l);
}

/* Files put together from awkward parts: no crash, lines within the file and rising, and each
 * entry's lines as many as its value's. */
static void test_random(void **state)
{
    static const char *const parts[] = {
        "[a]", "[b",   "]",        "k",    "=",     " ",       "\t",   "\n",
        "\n",  "\r\n", ";",        " ;",   "#",     "v",       "\xFF", "\v",
        ":",   "[]",   "\xC3\xA9", "\n  ", "k = v", "\n[c]\n", FIFTY,  FIFTY FIFTY FIFTY FIFTY};
    uint64_t seed = 20261123;

    (void)state;
    for (int round = 0; round < 5000; round++) {
        struct buf text;
        struct loaded l;
        int lines = 1, last = 0;

        buf_init(&text, 100000);
        for (int64_t n = rng_up_to(&seed, 30); n > 0; n--)
            buf_adds(&text, parts[rng_up_to(&seed, ARRAY_LEN(parts) - 1)]);
        if (rng_up_to(&seed, 20) == 0)
            buf_addc(&text, '\0');
        for (size_t i = 0; i < text.len; i++)
            lines += text.text[i] == '\n';
        load(&l, text.text, text.len);
        for (size_t i = 0; i < l.diags.count; i++) {
            if (l.diags.items[i].line < last || l.diags.items[i].line < 1 ||
                l.diags.items[i].line > lines)
                fail_msg("round %d: a mistake in line %d behind line %d of %d", round,
                         l.diags.items[i].line, last, lines);
            last = l.diags.items[i].line;
        }
        for (size_t i = 0; i < l.ini.count; i++) {
            for (size_t k = 0; k < l.ini.sections[i].count; k++) {
                const struct ini_entry *entry = &l.ini.sections[i].entries[k];
                size_t value_lines = 1;

                for (const char *p = entry->value; *p; p++)
                    value_lines += *p == '\n';
                if (entry->line_count != value_lines || !*entry->key ||
                    entry->line <= l.ini.sections[i].line || entry->lines[0] < entry->line)
                    fail_msg("round %d: entry '%s' of line %d: %zu lines, %zu of value", round,
                             entry->key, entry->line, entry->line_count, value_lines);
            }
        }
        buf_free(&text);
        unload(&l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_load),
        cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_long_line_below_refused),
        cmocka_unit_test(test_line_at),
        cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
