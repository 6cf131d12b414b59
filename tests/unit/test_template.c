/* SPDX-License-Identifier: MIT */
/* Tests provider/template: what a template becomes in each place it can stand in, and every
 * mistake of form. */
#include "base/base.h"

#include "provider/template.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static const char *value_of(void *user, const char *name)
{
    static const char *const values[][2] = {
        {"a", "x"},
        {"empty", ""},
        {"dot", "."},
        {"dots", ".."},
        {"three", "..."},
        {"up", "../x"},
        {"slash", "a/b"},
        {"query", "a?b&c=d#e"},
        {"percent", "%2e%2E"},
        {"space", "a b+c"},
        {"crlf", "x\r\nEvil: 1"},
        {"lf", "x\ny"},
        {"tab", "x\ty"},
        {"del", "x\x7Fy"},
        {"esc", "\x1B[31m"},
        {"utf8", "\xC3\xA9\xE2\x82\xAC"},
        {"high", "\xFF"},
        {"braces", "{a}{{}}"},
        {"safe", "AZaz09-._~"},
        {"marks", "!\"$'()*,/:;<=>@[\\]^`{|}"},
        {"ci.sha", "deadbeef"},
    };

    (void)user;
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        if (strcmp(values[i][0], name) == 0)
            return values[i][1];
    }
    return NULL;
}

#define UNSET "(unset)"
#define FAILS "(fails) "

static void test_expand(void **state)
{
    static const struct {
        const char *template, *none, *percent, *header;
    } rows[] = {
        {"", "", "", ""},
        {"plain", "plain", "plain", "plain"},
        {"{a}", "x", "x", "x"},
        {"/r/{a}/{a}?q={a}", "/r/x/x?q=x", "/r/x/x?q=x", "/r/x/x?q=x"},
        {"Token {a}", "Token x", "Token x", "Token x"},
        {"{ci.sha}", "deadbeef", "deadbeef", "deadbeef"},
        {"[{empty}]", "[]", "[]", "[]"},
        /* braces */
        {"{{", "{", "{", "{"},
        {"}}", "}", "}", "}"},
        {"{{a}}", "{a}", "{a}", "{a}"},
        {"{{{a}}}", "{x}", "{x}", "{x}"},
        {"{{}}", "{}", "{}", "{}"},
        {"{braces}", "{a}{{}}", "%7Ba%7D%7B%7B%7D%7D", "{a}{{}}"},
        /* values that mean something where they come to stand; the template's own text stays */
        {"/{slash}", "/a/b", "/a%2Fb", "/a/b"},
        {"/{up}", "/../x", "/..%2Fx", "/../x"},
        {"/?{query}", "/?a?b&c=d#e", "/?a%3Fb%26c%3Dd%23e", "/?a?b&c=d#e"},
        {"/{percent}", "/%2e%2E", "/%252e%252E", "/%2e%2E"},
        {"/{space}", "/a b+c", "/a%20b%2Bc", "/a b+c"},
        {"/{utf8}", "/\xC3\xA9\xE2\x82\xAC", "/%C3%A9%E2%82%AC", "/\xC3\xA9\xE2\x82\xAC"},
        {"/{high}", "/\xFF", "/%FF", "/\xFF"},
        {"{safe}", "AZaz09-._~", "AZaz09-._~", "AZaz09-._~"},
        {"{marks}", "!\"$'()*,/:;<=>@[\\]^`{|}",
         "%21%22%24%27%28%29%2A%2C%2F%3A%3B%3C%3D%3E%40%5B%5C%5D%5E%60%7B%7C%7D",
         "!\"$'()*,/:;<=>@[\\]^`{|}"},
        {"/{dot}", "/.", FAILS "'.' of {dot} would change the path", "/."},
        {"/{dots}/x", "/../x", FAILS "'..' of {dots} would change the path", "/../x"},
        {"/{three}", "/...", "/...", "/..."},
        {"/{a}{dot}{dot}", "/x..", FAILS "'.' of {dot} would change the path", "/x.."},
        /* control characters */
        {"{crlf}", "x\r\nEvil: 1", "x%0D%0AEvil%3A%201",
         FAILS "the value of {crlf} holds a control character or a line end"},
        {"{lf}", "x\ny", "x%0Ay", FAILS "the value of {lf}"},
        {"{tab}", "x\ty", "x%09y", FAILS "the value of {tab}"},
        {"{del}", "x\x7Fy", "x%7Fy", FAILS "the value of {del}"},
        {"{a}{esc}", "x\x1B[31m", "x%1B%5B31m", FAILS "the value of {esc}"},
        /* what is not set */
        {"{none}", UNSET, UNSET, UNSET},
        {"a{a}b{none}c", UNSET, UNSET, UNSET},
        {"{none}{crlf}", UNSET, UNSET, UNSET},
        {"{A}", UNSET, UNSET, UNSET},
        {"{ a}", UNSET, UNSET, UNSET},
        /* mistakes of form, found earlier by template_check */
        {"{a", FAILS "'{' is not closed", FAILS "'{' is not closed", FAILS "'{' is not closed"},
        {"a}", FAILS "'}' stands alone", FAILS "'}' stands alone", FAILS "'}' stands alone"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *const expected[] = {[ESCAPE_NONE] = rows[i].none,
                                        [ESCAPE_PERCENT] = rows[i].percent,
                                        [ESCAPE_HEADER] = rows[i].header};

        for (int escape = 0; escape < 3; escape++) {
            enum template_result result;
            struct err e = {""};
            struct buf out, got;

            buf_init(&out, BUF_CAP_TEXT);
            buf_init(&got, BUF_CAP_TEXT);
            buf_adds(&out, "before ");
            result = template_expand(rows[i].template, value_of, NULL, (enum template_escape)escape,
                                     &out, &e);
            if (result == TEMPLATE_DONE)
                buf_adds(&got, out.text + strlen("before "));
            else
                buf_addf(&got, "%s%s", result == TEMPLATE_UNSET ? UNSET : FAILS, e.text);
            if (result != TEMPLATE_DONE)
                assert_string_equal(out.text, "before ");
            if (strncmp(expected[escape], FAILS, strlen(FAILS)) == 0
                    ? strncmp(got.text, expected[escape], strlen(expected[escape])) != 0
                    : strcmp(got.text, expected[escape]) != 0)
                fail_msg("'%s', escape %d: got '%s', expected '%s'", rows[i].template, escape,
                         got.text, expected[escape]);
            buf_free(&out);
            buf_free(&got);
        }
    }
}

static int note_name(void *user, const char *name, struct err *e)
{
    buf_addf(user, "<%s>", name);
    return strcmp(name, "bad") == 0 ? err_set(e, "{%s} is refused", name) : 0;
}

static void test_check(void **state)
{
    static const struct {
        const char *template, *names, *message; /* message NULL: it is right */
    } rows[] = {
        {"", "", NULL},
        {"a", "", NULL},
        {"{a}/{b.c}", "<a><b.c>", NULL},
        {"{{a}}", "", NULL},
        {"{a}{bad}{c}", "<a><bad>", "{bad} is refused"},
        {"{", "", "'{' is not closed by '}' behind a name; write '{{' for a brace"},
        {"}", "", "'}' stands alone; write '}}' for a brace"},
        {"{}", "", "'{' is not closed by '}' behind a name"},
        {"{a", "", "'{' is not closed"},
        {"{a{b}", "", "'{' is not closed"},
        {"{a}}", "<a>", "'}' stands alone"},
        {"{{{a}", "<a>", NULL},
        {"{{{", "", "'{' is not closed"},
        {"}}}", "", "'}' stands alone"},
        {"{a}{", "<a>", "'{' is not closed"},
        {"{\"json\": 1}", "<\"json\": 1>", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {""};
        struct buf names;
        int rc;

        buf_init(&names, BUF_CAP_TEXT);
        rc = template_check(rows[i].template, note_name, &names, &e);
        if ((rc != 0) != (rows[i].message != NULL) ||
            (rows[i].message && strncmp(e.text, rows[i].message, strlen(rows[i].message)) != 0) ||
            strcmp(names.text, rows[i].names) != 0)
            fail_msg("'%s': got %d, '%s', names '%s'", rows[i].template, rc, e.text, names.text);
        buf_free(&names);
    }
}

static void test_sole_name(void **state)
{
    static const struct {
        const char *template, *name;
    } rows[] = {
        {"{a}", "a"},    {"{a.b}", "a.b"}, {"", NULL},     {"a", NULL},     {"{}", NULL},
        {"{a", NULL},    {"a}", NULL},     {"{a}x", NULL}, {"x{a}", NULL},  {"{a}{b}", NULL},
        {"{{a}}", NULL}, {"{{}", NULL},    {"{", NULL},    {"{a} ", NULL},    {"{a{", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *name = template_sole_name(rows[i].template);

        if ((name == NULL) != (rows[i].name == NULL) || (name && strcmp(name, rows[i].name) != 0))
            fail_msg("'%s': got '%s'", rows[i].template, name ? name : "(none)");
        free(name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expand),
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_sole_name),
    };

    return cmocka_run_group_tests_name("template", tests, NULL, NULL);
}
