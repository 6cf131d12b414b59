/* SPDX-License-Identifier: MIT */
/* Tests pipeline/vars: what variables become, where a mistake stands, files as values. */
#include "base/base.h"

#include "base/text.h"
#include "pipeline/ini.h"
#include "pipeline/vars.h"

#include <sys/stat.h>
#include <unistd.h>

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#define BYTES(s) s, sizeof(s) - 1

static const char *environment(const char *name)
{
    static const char *const values[][2] = {
        {"A", "aaa"},    {"EMPTY", ""},     {"_x9", "under"}, {"DOLLAR", "${A} $$ $A"},
        {"BOTH", "env"}, {"LINES", "1\n2"}, {"PRE", "x"},     {"PREFIX", "y"},
    };

    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        if (strcmp(values[i][0], name) == 0)
            return values[i][1];
    }
    return NULL;
}

static const char *const defines[] = {"BOTH=define", "D=1", "D=2", "BLANK=", "EQ=a=b", "NOVALUE"};
static const struct vars vars = {
    .defines = defines, .define_count = ARRAY_LEN(defines), .getenv = environment};

/* Nested defaults, depth deep, around "x". */
static void nest(struct buf *b, int depth)
{
    for (int i = 0; i < depth; i++)
        buf_adds(b, "${U:-");
    buf_adds(b, "x");
    for (int i = 0; i < depth; i++)
        buf_adds(b, "}");
}

static void test_expand(void **state)
{
    static const struct {
        const char *text, *expected;
    } rows[] = {
        {"", ""},
        {"plain", "plain"},
        {"${A}", "aaa"},
        {"x${A}y${A}z", "xaaayaaaz"},
        {"${_x9}", "under"},
        {"${D}", "2"},
        {"${BOTH}", "define"},
        {"${EQ}", "a=b"},
        {"${PRE}${PREFIX}", "xy"},
        {"${LINES}", "1\n2"},
        /* what a variable holds is not looked at again */
        {"${DOLLAR}", "${A} $$ $A"},
        /* dollars */
        {"$", "$"},
        {"a$", "a$"},
        {"$A", "$A"},
        {"$ {A}", "$ {A}"},
        {"$$", "$"},
        {"$$$", "$$"},
        {"$$$$", "$$"},
        {"$${A}", "${A}"},
        {"$$${A}", "$aaa"},
        {"$$$${A}", "$${A}"},
        {"5$ and $$5", "5$ and $5"},
        {"{A} }{", "{A} }{"},
        {"${A}}", "aaa}"},
        /* defaults */
        {"${A:-b}", "aaa"},
        {"${U:-b}", "b"},
        {"${U:-}", ""},
        {"${EMPTY}", ""},
        {"${EMPTY:-b}", "b"},
        {"${EMPTY:-}", ""},
        {"${BLANK:-b}", "b"},
        {"${BLANK}", ""},
        {"${U:-a b\nc}", "a b\nc"},
        {"${U:-:-}", ":-"},
        {"${U:-x:-y}", "x:-y"},
        {"${U:--}", "-"},
        {"${U:-file:/x}", "file:/x"},
        {"${U:-$$}", "$"},
        {"${U:-5$}", "5$"},
        /* nesting */
        {"${U:-${A}}", "aaa"},
        {"${U:-${V:-${W:-deep}}}", "deep"},
        {"${U:-[${A}]}-${A}", "[aaa]-aaa"},
        {"${U:-${A}${A}}", "aaaaaa"},
        {"${A:-${NOT_LOOKED_AT}}", "aaa"},
        {"${EMPTY:-${EMPTY:-x}}", "x"},
        {"${U:-$${A}}", "${A}"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t len = strlen(rows[i].text) + 1;
        char *copy = malloc(len);
        struct err e = {.text = ""};
        size_t offset = 0;
        struct buf out;

        assert_non_null(copy);
        memcpy(copy, rows[i].text, len);
        buf_init(&out, 1000);
        if (vars_expand(&vars, copy, &out, NULL, &offset, &e) ||
            strcmp(out.text, rows[i].expected) != 0)
            fail_msg("'%s': got '%s' (%s), expected '%s'", rows[i].text, out.text, e.text,
                     rows[i].expected);
        buf_free(&out);
        free(copy);
    }
}

static void test_mistakes(void **state)
{
    static const struct {
        const char *text;
        size_t offset;
        const char *message; /* its beginning */
    } rows[] = {
        {"${U}", 0, "variable U is not set"},
        {"ab${U}", 2, "variable U is not set"},
        {"${A}${U}", 4, "variable U is not set"},
        {"$$${U}", 2, "variable U is not set"},
        {"${NOVALUE}", 0, "variable NOVALUE is not set"},
        {"${PR}", 0, "variable PR is not set"},
        {"${a}", 0, "variable a is not set"},
        {"x${V:-${U}}", 1, "variable U is not set"},
        {"${", 0, "'${' is not closed"},
        {"a${", 1, "'${' is not closed"},
        {"${A", 0, "'${' is not closed"},
        {"${A}${A", 4, "'${' is not closed"},
        {"${U:-${A}", 0, "'${' is not closed"},
        {"${U:-{", 0, "'${' is not closed"},
        {"${}", 0, "'${}' is not a variable"},
        {"${ A}", 0, "'${ A}' is not a variable"},
        {"${A }", 0, "'${A }' is not a variable"},
        {"${1A}", 0, "'${1A}' is not a variable"},
        {"${A-b}", 0, "'${A-b}' is not a variable"},
        {"${A:b}", 0, "'${A:b}' is not a variable"},
        {"${A:}", 0, "'${A:}' is not a variable"},
        {"${:-b}", 0, "'${:-b}' is not a variable"},
        {"${A.B}", 0, "'${A.B}' is not a variable"},
        {"${\xC3\xA4}", 0, "'${\xC3\xA4}' is not a variable"},
        {"${${A}}", 0, "'${${A}}' is not a variable"},
        {"${File:/x}", 0, "'${File:/x}' is not a variable"},
        {"${file:}", 0, "cannot read "},
        {"x ${file:/nowhere/to/be/found}", 2, "cannot read /nowhere/to/be/found: "},
        {"${U:-${file:/nowhere/to/be/found}}", 0, "cannot read /nowhere/to/be/found: "},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {.text = ""};
        size_t offset = 999;
        struct buf out;

        buf_init(&out, 1000);
        if (!vars_expand(&vars, rows[i].text, &out, NULL, &offset, &e))
            fail_msg("'%s': became '%s', should be refused", rows[i].text, out.text);
        if (offset != rows[i].offset)
            fail_msg("'%s': offset %zu, expected %zu", rows[i].text, offset, rows[i].offset);
        if (!text_starts(e.text, rows[i].message))
            fail_msg("'%s': the message is '%s'", rows[i].text, e.text);
        buf_free(&out);
    }
}

static void test_depth(void **state)
{
    (void)state;
    for (int depth = 1; depth <= 20; depth++) {
        struct err e = {.text = ""};
        size_t offset;
        struct buf text, out;
        int rc;

        buf_init(&text, 1000);
        buf_init(&out, 1000);
        nest(&text, depth);
        rc = vars_expand(&vars, text.text, &out, NULL, &offset, &e);
        if (rc != (depth <= 8 ? 0 : -1))
            fail_msg("depth %d: rc %d, '%s', '%s'", depth, rc, out.text, e.text);
        if (rc == 0)
            assert_string_equal(out.text, "x");
        else
            assert_string_equal(e.text, "variables are nested too deep");
        buf_free(&text);
        buf_free(&out);
    }
}

static void test_too_large(void **state)
{
    struct err e = {.text = ""};
    size_t offset;
    struct buf out;

    (void)state;
    buf_init(&out, 8);
    assert_int_equal(vars_expand(&vars, "${A}${A}xx", &out, NULL, &offset, &e), 0);
    assert_string_equal(out.text, "aaaaaaxx");
    buf_clear(&out);
    assert_int_equal(vars_expand(&vars, "${A}${A}${A}", &out, NULL, &offset, &e), -1);
    assert_string_equal(e.text, "the value is larger than 8 bytes");
    buf_free(&out);
}

static void test_used(void **state)
{
    static const struct {
        const char *text, *used;
    } rows[] = {
        {"plain $$", ""},
        {"${A}", "${A} of the environment"},
        {"${D}", "${D} of -D"},
        {"${A} ${BOTH}", "${A} of the environment, ${BOTH} of -D"},
        {"${A:-b}", "${A} of the environment"},
        {"${U:-b}", ""},
        {"${U:-${D}}", "${D} of -D"},
        {"${EMPTY}", "${EMPTY} of the environment"},
        {"${EMPTY:-b}", ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {.text = ""};
        size_t offset;
        struct vars_used used;
        struct buf out;

        buf_init(&out, 1000);
        vars_used_init(&used);
        assert_int_equal(vars_expand(&vars, rows[i].text, &out, &used, &offset, &e), 0);
        if (strcmp(used.words.text, rows[i].used) != 0)
            fail_msg("'%s': got '%s', expected '%s'", rows[i].text, used.words.text, rows[i].used);
        assert_int_equal(used.defined, strstr(rows[i].used, "-D") != NULL);
        assert_null(used.loose_file);
        buf_free(&out);
        vars_used_free(&used);
    }
}

static void test_get(void **state)
{
    const char *origin = NULL;

    (void)state;
    assert_string_equal(vars_get(&vars, "A", &origin), "aaa");
    assert_string_equal(origin, "the environment");
    assert_string_equal(vars_get(&vars, "D", &origin), "2");
    assert_string_equal(origin, "-D");
    assert_string_equal(vars_get(&vars, "BOTH", NULL), "define");
    assert_string_equal(vars_get(&vars, "BLANK", NULL), "");
    assert_null(vars_get(&vars, "NOVALUE", NULL));
    assert_null(vars_get(&vars, "U", &origin));
    assert_null(vars_get(&vars, "", NULL));
}

static void test_names(void **state)
{
    static const struct {
        const char *name;
        size_t len;
        bool expected;
    } rows[] = {
        {BYTES("A"), true},     {BYTES("_"), true},         {BYTES("a1_B"), true},
        {BYTES("A=B"), false},  {"A=B", 1, true},           {BYTES(""), false},
        {BYTES("1"), false},    {BYTES("A B"), false},      {BYTES("A-B"), false},
        {BYTES("A\0B"), false}, {BYTES("\xC3\xA4"), false}, {BYTES("A."), false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (vars_is_name(rows[i].name, rows[i].len) != rows[i].expected)
            fail_msg("row %zu, '%s': expected %d", i, rows[i].name, rows[i].expected);
    }
}

static void test_files(void **state)
{
    static const struct {
        const char *name;
        const char *bytes;
        size_t len;
        const char *expected; /* NULL: refused */
    } rows[] = {
        {"empty", BYTES(""), ""},
        {"no line end", BYTES("token"), "token"},
        {"LF", BYTES("token\n"), "token"},
        {"CRLF", BYTES("token\r\n"), "token"},
        {"two line ends", BYTES("token\n\n"), "token\n"},
        {"only a line end", BYTES("\n"), ""},
        {"several lines", BYTES("a\nb\n"), "a\nb"},
        {"blanks stay", BYTES(" token \n"), " token "},
        {"not expanded", BYTES("${A}$$\n"), "${A}$$"},
        {"UTF-8", BYTES("\xC3\xA9\n"), "\xC3\xA9"},
        {"NUL", BYTES("a\0b\n"), NULL},
        {"NUL at the end", BYTES("a\n\0"), NULL},
        {"bad UTF-8", BYTES("\xFF\xFE\n"), NULL},
        {"cut UTF-8", BYTES("\xE2\x82"), NULL},
    };
    const char *tmp = getenv("TMPDIR");
    char folder[512], path[600], text[700], used_text[700];

    (void)state;
    snprintf(folder, sizeof(folder), "%s/rungate-vars-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/a file", folder);
    snprintf(text, sizeof(text), "<${file:%s}>", path);
    snprintf(used_text, sizeof(used_text), "the file %s", path);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        FILE *f = fopen(path, "w");
        struct err e = {.text = ""};
        struct vars_used used;
        struct buf out;
        size_t offset = 0;
        char expected[100];
        int rc;

        assert_non_null(f);
        assert_int_equal(fwrite(rows[i].bytes, 1, rows[i].len, f), rows[i].len);
        assert_int_equal(fclose(f), 0);
        buf_init(&out, 1000);
        vars_used_init(&used);
        rc = vars_expand(&vars, text, &out, &used, &offset, &e);
        snprintf(expected, sizeof(expected), "<%s>", rows[i].expected ? rows[i].expected : "");
        if (rows[i].expected && (rc || strcmp(out.text, expected) != 0 ||
                                 strcmp(used.words.text, used_text) != 0))
            fail_msg("%s: got '%s' (%s), used '%s'", rows[i].name, out.text, e.text,
                     used.words.text);
        if (!rows[i].expected && (!rc || !strstr(e.text, path) || offset != 1))
            fail_msg("%s: rc %d, '%s', offset %zu", rows[i].name, rc, e.text, offset);
        buf_free(&out);
        vars_used_free(&used);
    }
    unlink(path);
    rmdir(folder);
}

/* Who else can read a file, or write it, is told of the first that somebody can. */
static void test_loose_files(void **state)
{
    static const struct {
        mode_t a, b;
        const char *loose; /* its name */
        unsigned mode;
    } rows[] = {
        {0600, 0600, NULL, 0},    {0400, 0600, NULL, 0},    {0711, 0600, NULL, 0},
        {0644, 0600, "a", 0644},  {0640, 0600, "a", 0640},  {0620, 0600, "a", 0620},
        {0604, 0600, "a", 0604},  {0602, 0600, "a", 0602},  {0600, 0666, "b", 0666},
        {0640, 0604, "a", 0640},
    };
    const char *tmp = getenv("TMPDIR");
    char folder[512], text[1400], paths[2][600];

    (void)state;
    snprintf(folder, sizeof(folder), "%s/rungate-vars-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(folder));
    for (int i = 0; i < 2; i++) {
        FILE *f;

        snprintf(paths[i], sizeof(paths[i]), "%s/%c", folder, "ab"[i]);
        f = fopen(paths[i], "w");
        assert_non_null(f);
        assert_int_equal(fclose(f), 0);
    }
    snprintf(text, sizeof(text), "${file:%s}${file:%s}", paths[0], paths[1]);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct vars_used used;
        struct err e = {""};
        size_t offset;
        struct buf out;

        assert_int_equal(chmod(paths[0], rows[i].a) | chmod(paths[1], rows[i].b), 0);
        buf_init(&out, 1000);
        vars_used_init(&used);
        assert_int_equal(vars_expand(&vars, text, &out, &used, &offset, &e), 0);
        assert_int_equal(used.loose_mode, rows[i].mode);
        if (rows[i].loose)
            assert_string_equal(used.loose_file, paths[*rows[i].loose - 'a']);
        else
            assert_null(used.loose_file);
        buf_free(&out);
        vars_used_free(&used);
    }
    unlink(paths[0]);
    unlink(paths[1]);
    rmdir(folder);
}

/* A mistake's offset in a value leads to the line of the file in which it stands. */
static void test_lines(void **state)
{
    static const char text[] = "[run:a]\n"
                               "body = {\n"
                               "  \"a\": \"${A}\",\n"
                               "  ; a comment\n"
                               "  \"u\": \"${U}\"}\n"
                               "token =\n"
                               "  ${V}\n";
    static const int expected[] = {5, 7};
    struct diags d = {.items = NULL};
    struct ini ini;

    (void)state;
    ini_load(&ini, "file.ini", text, sizeof(text) - 1, &d);
    assert_int_equal(d.count, 0);
    assert_int_equal(ini.sections[0].count, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct ini_entry *entry = &ini.sections[0].entries[i];
        struct err e = {.text = ""};
        size_t offset = 0;
        struct buf out;

        buf_init(&out, 1000);
        assert_int_equal(vars_expand(&vars, entry->value, &out, NULL, &offset, &e), -1);
        if (ini_line_at(entry, offset) != expected[i])
            fail_msg("%s: line %d, expected %d", entry->key, ini_line_at(entry, offset),
                     expected[i]);
        buf_free(&out);
    }
    ini_free(&ini);
    diags_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expand), cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_depth),  cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_used),   cmocka_unit_test(test_get),
        cmocka_unit_test(test_names),  cmocka_unit_test(test_files),
        cmocka_unit_test(test_lines),  cmocka_unit_test(test_loose_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
