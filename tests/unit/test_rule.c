/* SPDX-License-Identifier: MIT */
/* Tests provider/rule: every mistake of a rule with its message, every form of condition against
 * every type of JSON value, and which rules can never be reached. */
#include "base/base.h"

#include "provider/rule.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

/* Reads the rules in text, one a line; those of line 1 stand in line 1. */
static void read_rules(struct rules *rules, const char *text)
{
    struct err e = {""};
    int line = 1;

    memset(rules, 0, sizeof(*rules));
    rules->file = "file.ini";
    for (const char *p = text; *p; line++) {
        size_t len = strcspn(p, "\n");
        char copy[400];

        assert_true(len < sizeof(copy));
        memcpy(copy, p, len);
        copy[len] = '\0';
        if (rule_parse(rules, copy, line, &e))
            fail_msg("'%s': %s", copy, e.text);
        p += len + (p[len] ? 1 : 0);
    }
}

static struct doc *parse(const char *text)
{
    struct err e = {""};
    struct doc *d = doc_parse(text, strlen(text), &e);

    if (!d)
        fail_msg("'%s': %s", text, e.text);
    return d;
}

/* --- reading -------------------------------------------------------------------------------- */

static void test_mistakes(void **state)
{
    static const char outcome[] =
        "is not an outcome: expected running, passed, failed, error, timed_out, cancelled, skipped "
        "or empty; a rule reads 'OUTCOME LABEL if CONDITION and CONDITION ...'";
    static const struct {
        const char *text, *message; /* message: a part of it */
    } rows[] = {
        {"", outcome},
        {"pass OK if /a = b", "'pass' is not an outcome"},
        {"Passed OK if /a = b", "'Passed' is not an outcome"},
        {"PASSED OK if /a = b", "'PASSED' is not an outcome"},
        {"unknown OK if /a = b", "'unknown' is not an outcome"},
        {"start_unknown OK if /a = b", "'start_unknown' is not an outcome"},
        {"if /a = b", "'if' is not an outcome"},
        {" if /a = b", "'' is not an outcome"},
        {"passed", "a label of one word is needed behind 'passed'"},
        {"passed if /a = b", "a label of one word is needed behind 'passed'"},
        {"passed  if /a = b", "a label of one word is needed behind 'passed'"},
        {"passed\tif /a = b", "a label of one word is needed behind 'passed'"},
        {"passed ALL OK if /a = b", "a label of one word is needed behind 'passed'"},
        {"passed ALL\tOK if /a = b", "a label of one word is needed behind 'passed'"},
        {"passed OK IF /a = b", "a label of one word is needed behind 'passed'"},
        {"passed OK", "the rule has no condition"},
        {"passed OK if", "a label of one word is needed behind 'passed'"},
        {"passed OK if ", "a condition is missing"},
        {"passed OK if  and /a = b", "a condition is missing"},
        {"passed OK if /a = b and ", "a condition is missing"},
        {"passed OK if /a = b and  and /c = d", "a condition is missing"},
        {"passed OK if = b", "a condition is missing"},
        {"passed OK if a = b", "'a' is not a JSON Pointer: it must start with '/'"},
        {"passed OK if status = b", "'status' is not a JSON Pointer: it must start with '/'"},
        {"passed OK if #/a = b", "'#/a' is not a JSON Pointer: it must start with '/'"},
        {"passed OK if /a~ = b", "'/a~' is not a JSON Pointer: '~' stands only in '~0' and '~1'"},
        {"passed OK if /a~2 = b", "'/a~2' is not a JSON Pointer"},
        {"passed OK if /a = b and c = d", "'c' is not a JSON Pointer"},
        {"passed OK if /a", "'/a' is followed by ''"},
        {"passed OK if /a is b", "'/a' is followed by 'is b': expected '= value', 'exists' or "
                                 "'missing'"},
        {"passed OK if /a != b", "'/a' is followed by '!= b'"},
        {"passed OK if /a > 1", "'/a' is followed by '> 1'"},
        {"passed OK if /a == b", "'/a' is followed by '== b'"},
        {"passed OK if /a exist", "'/a' is followed by 'exist'"},
        {"passed OK if /a exists now", "'/a' is followed by 'exists now'"},
        {"passed OK if /a Missing", "'/a' is followed by 'Missing'"},
        {"passed OK if /a =", "a value is missing behind '='"},
        {"passed OK if /a = ", "a value is missing behind '='"},
        {"passed OK if /a = ,", "a value is missing behind '='"},
        {"passed OK if /a = b,", "a value is missing behind '='"},
        {"passed OK if /a = b,,c", "a value is missing behind '='"},
        {"passed OK if /a = b, and /c = d", "a value is missing behind '='"},
        {"passed OK if /a = 5..1", "no number is in the range '5..1'"},
        {"passed OK if /a = 1, -1..-5", "no number is in the range '-1..-5'"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rules rules = {0};
        struct err e = {""};

        if (!rule_parse(&rules, rows[i].text, 7, &e))
            fail_msg("'%s': no mistake found", rows[i].text);
        if (!strstr(e.text, rows[i].message))
            fail_msg("'%s': got '%s', expected '%s'", rows[i].text, e.text, rows[i].message);
        rules_free(&rules);
    }
}

static void dump(struct buf *b, const struct rules *rules)
{
    static const char *const tests[] = {
        [TEST_EXISTS] = " exists", [TEST_MISSING] = " missing", [TEST_IN] = ""};

    for (size_t i = 0; i < rules->count; i++) {
        const struct rule *rule = &rules->items[i];

        buf_addf(b, "%s %s", outcome_name(rule->outcome), rule->label);
        for (size_t j = 0; j < rule->conditions.count; j++) {
            const struct condition *c = &rule->conditions.items[j];

            buf_addf(b, " & %s%s", c->subject, tests[c->test]);
            for (size_t k = 0; k < c->count; k++) {
                buf_addf(b, " [%s]", c->matches[k].text);
                if (c->matches[k].is_range)
                    buf_addf(b, "{%" PRId64 ",%" PRId64 "}", c->matches[k].low, c->matches[k].high);
            }
        }
    }
}

static void test_reading(void **state)
{
    static const struct {
        const char *text, *dump;
    } rows[] = {
        {"passed OK if /a = b", "passed OK & /a [b]"},
        {"passed   OK   if   /a   =   b  ", "passed OK & /a [b]"},
        {"passed\tOK if /a\t=\tb", "passed OK & /a [b]"},
        {"passed OK if /a=b", "passed OK & /a [b]"},
        {"failed F if /a =b and /c=d,e", "failed F & /a [b] & /c [d] [e]"},
        {"empty NONE if /a exists", "empty NONE & /a exists"},
        {"timed_out T if /a missing and /b exists", "timed_out T & /a missing & /b exists"},
        {"running R if /a = exists", "running R & /a [exists]"},
        {"running R if /a = b c", "running R & /a [b c]"},
        {"running R if /a = b=c", "running R & /a [b=c]"},
        {"running R if /a = android", "running R & /a [android]"},
        {"running R if / = x", "running R & / [x]"},
        {"running R if /a~1b/~0/0 = x", "running R & /a~1b/~0/0 [x]"},
        {"cancelled C if /a = 3..", "cancelled C & /a [3..]{3,9223372036854775807}"},
        {"skipped S if /a = ..5", "skipped S & /a [..5]{-9223372036854775808,5}"},
        {"error E if /a = 1..5, -5..-1", "error E & /a [1..5]{1,5} [-5..-1]{-5,-1}"},
        {"error E if /a = 4..4", "error E & /a [4..4]{4,4}"},
        /* no ranges: texts */
        {"error E if /a = ..", "error E & /a [..]"},
        {"error E if /a = a..b", "error E & /a [a..b]"},
        {"error E if /a = 1...5", "error E & /a [1...5]"},
        {"error E if /a = 1..5..9", "error E & /a [1..5..9]"},
        {"error E if /a = 1 .. 5", "error E & /a [1 .. 5]"},
        {"error E if /a = 1.5..2.5", "error E & /a [1.5..2.5]"},
        {"error E if /a = 99999999999999999999..", "error E & /a [99999999999999999999..]"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rules rules;
        struct buf b;

        read_rules(&rules, rows[i].text);
        assert_int_equal(rules.items[0].line, 1);
        buf_init(&b, BUF_CAP_TEXT);
        dump(&b, &rules);
        if (strcmp(b.text, rows[i].dump) != 0)
            fail_msg("'%s': got '%s', expected '%s'", rows[i].text, b.text, rows[i].dump);
        buf_free(&b);
        rules_free(&rules);
    }
}

/* --- holding -------------------------------------------------------------------------------- */

/* Each condition against one value of each type. */
static void test_types(void **state)
{
    static const char *const values[] = {
        NULL,      "null",   "\"x\"",          "\"\"",  "\"5\"",   "\" 5\"", "5",
        "-5",      "5.0",    "5.5",            "true",  "false",   "[]",     "[5]",
        "{}",      "{\"x\": 5}", "\"x\\u0000\"", "\"5\\u0000\"", "\"null\"", "\"true\"", "\"-5\"",
        "9223372036854775807", "\"0x5\"", "\"5 \"", "\"+5\"", "\"05\"",
    };
    /* A '+' for each value with which the condition holds. */
    static const struct {
        const char *condition, *holds;
    } rows[] = {
        /*                       N n x "" '5 ' 5 5 - . . t f [ [ { { x0 50 nu tr -5 M 0x 5_ +5 05 */
        {"/a exists",           "--++++++++++++++++++++++++"},
        {"/a missing",          "++------------------------"},
        {"/a = x",              "--+-----------------------"},
        {"/a = 5",              "----+-+-------------------"},
        {"/a = -5",             "-------+------------+-----"},
        {"/a = 5.0",            "--------+-----------------"},
        {"/a = 5.5",            "---------+----------------"},
        {"/a = true",           "----------+--------+------"},
        {"/a = false",          "-----------+--------------"},
        {"/a = null",           "------------------+-------"},
        {"/a = []",             "--------------------------"},
        {"/a = {}",             "--------------------------"},
        {"/a = x, 5, true",     "--+-+-+---+--------+------"},
        {"/a = 5..5",           "----+-+------------------+"},
        {"/a = 1..",            "----+-+--------------+---+"},
        {"/a = ..1",            "-------+------------+-----"},
        {"/a = -9..-1",         "-------+------------+-----"},
        {"/a = 6..7",           "--------------------------"},
        {"/a = -9223372036854775807..9223372036854775807", "----+-++------------++---+"},
        {"/a = 05",             "-------------------------+"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rules rules;
        char text[200];

        assert_int_equal(strlen(rows[i].holds), ARRAY_LEN(values));
        snprintf(text, sizeof(text), "failed F if %s", rows[i].condition);
        read_rules(&rules, text);
        for (size_t j = 0; j < ARRAY_LEN(values); j++) {
            char json[200];
            struct doc *d;
            bool holds;

            snprintf(json, sizeof(json), values[j] ? "{\"a\": %s}" : "{\"b\": \"x\"}", values[j]);
            d = parse(json);
            holds = rules_match(&rules, d) != NULL;
            if (holds != (rows[i].holds[j] == '+'))
                fail_msg("'%s' %s with %s", rows[i].condition, holds ? "holds" : "does not hold",
                         json);
            doc_free(d);
        }
        rules_free(&rules);
    }
}

static void test_match(void **state)
{
    static const char rules_text[] = "running R if /s = 0..2\n"
                                     "failed  F if /s = 3 and /r = 1\n"
                                     "error   E if /s = 3 and /r missing\n"
                                     "passed  P if /s = 3 and /r = 0 and /list/1/ok = true\n"
                                     "skipped S if /a~1b/~0 exists";
    static const struct {
        const char *json, *label; /* NULL: none holds */
    } rows[] = {
        {"{\"s\": 0, \"r\": 1}", "R"},
        {"{\"s\": 2}", "R"},
        {"{\"s\": -1}", NULL},
        {"{\"s\": 3, \"r\": 1}", "F"},
        {"{\"s\": 3, \"r\": null}", "E"},
        {"{\"s\": 3}", "E"},
        {"{\"s\": 3, \"r\": 0}", NULL},
        {"{\"s\": 3, \"r\": 0, \"list\": []}", NULL},
        {"{\"s\": 3, \"r\": 0, \"list\": [{\"ok\": true}]}", NULL},
        {"{\"s\": 3, \"r\": 0, \"list\": [0, {\"ok\": true}]}", "P"},
        {"{\"s\": 3, \"r\": 0, \"list\": {\"1\": {\"ok\": true}}}", "P"},
        {"{\"s\": 3, \"r\": [], \"list\": [0, {\"ok\": true}]}", NULL},
        {"{\"a/b\": {\"~\": 0}}", "S"},
        {"{\"a/b\": {\"~\": null}}", NULL},
        {"{\"a/b\": \"~\"}", NULL},
        {"{\"S\": 0}", NULL},
        {"{}", NULL},
        {"[]", NULL},
        {"[3]", NULL},
    };
    struct rules rules;

    (void)state;
    read_rules(&rules, rules_text);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct doc *d = parse(rows[i].json);
        const struct rule *rule = rules_match(&rules, d);

        if ((rule == NULL) != (rows[i].label == NULL) ||
            (rule && strcmp(rule->label, rows[i].label) != 0))
            fail_msg("%s: got %s", rows[i].json, rule ? rule->label : "nothing");
        doc_free(d);
    }
    assert_null(rules_match(&rules, NULL));
    rules_free(&rules);
    assert_null(rules_match(&rules, NULL));
}

/* --- conditions on parameters ---------------------------------------------------------------- */

static bool look(void *user, const char *subject, struct buf *out, bool *ret_opaque)
{
    (void)user;
    *ret_opaque = strcmp(subject, "opaque") == 0;
    if (strcmp(subject, "nul") == 0)
        buf_add(out, "x\0y", 3);
    else if (!*ret_opaque)
        buf_adds(out, subject);
    return strcmp(subject, "unset") != 0;
}

static void test_conditions(void **state)
{
    static const struct {
        const char *text;
        bool holds;
    } rows[] = {
        {"trigger = trigger", true}, {"trigger = x, trigger", true}, {"trigger = x", false},
        {"a = a and b = b", true},   {"a = a and b = c", false},     {"a = x and b = b", false},
        {"unset missing", true},     {"unset exists", false},        {"unset = unset", false},
        {"a exists", true},          {"a missing", false},           {"opaque exists", true},
        {"opaque missing", false},   {"opaque = opaque", false},     {"nul = x", false},
        {"nul exists", true},        {"7 = 1..9", true},             {"/x = /x", true},
    };
    struct conditions none = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct conditions c = {0};
        struct err e = {""};

        if (conditions_parse(&c, rows[i].text, SUBJECT_PARAMETER, &e))
            fail_msg("'%s': %s", rows[i].text, e.text);
        if (conditions_hold(&c, look, NULL) != rows[i].holds)
            fail_msg("'%s' does not come out as %d", rows[i].text, rows[i].holds);
        conditions_free(&c);
    }
    assert_true(conditions_hold(&none, look, NULL));
}

/* --- mistakes of the whole -------------------------------------------------------------------- */

static void test_check(void **state)
{
    static const struct {
        const char *rules, *diags; /* "LINE: beginning", one a line */
    } rows[] = {
        {"", ""},
        /* what may stand together */
        {"running A if /s = 1\nfailed B if /s = 2\npassed C if /s = 3", ""},
        {"running A if /s = 1 and /r = 1\nfailed B if /s = 1", ""},
        {"running A if /s = 1\nfailed B if /t = 1", ""},
        {"running A if /s = 1 and /p = 0, 1\nfailed B if /s = 1 and /r = 1\n"
         "error C if /s = 1 and /p = 3",
         ""},
        {"failed A if /s = 5\nerror B if /s = 3..9", ""},
        {"failed A if /s = 1..3\nerror B if /s = 2..9", ""},
        {"failed A if /s = 3..3\nerror B if /s = 03", "2: the rule 'error B' is never reached"},
        {"failed A if /s = 3\nerror B if /s = 3..3", ""},
        {"error A if /s missing\npassed B if /s exists", ""},
        {"error A if /s = 1\npassed B if /s exists", ""},
        {"error A if /e exists\npassed B if /s = 1", ""},
        {"error A if /e = x\npassed B if /e missing and /s = 1", ""},
        {"error A if /s = 1 and /e exists\npassed B if /s = 1 and /e missing", ""},
        {"error A if /s = 1 and /r = 2\npassed B if /s = 1 and /r = 3", ""},
        {"error A if /s = one\npassed B if /s = One", ""},
        {"error A if /s = 1\npassed B if /S = 1", ""},
        {"error A if /s = 1\npassed B if /s = 1.0", ""},
        /* never reached */
        {"running A if /s = 1\nfailed B if /s = 1",
         "2: the rule 'failed B' is never reached: the rule 'running A' in line 1 holds first"},
        {"running A if /s = 1\nfailed B if /s = 1 and /r = 1",
         "2: the rule 'failed B' is never reached"},
        {"running A if /s = 1, 2, 3\nfailed B if /s = 3, 1",
         "2: the rule 'failed B' is never reached"},
        {"failed A if /s = 3..\npassed B if /s = 7", "2: the rule 'passed B' is never reached"},
        {"failed A if /s = 3..\npassed B if /s = 5..9", "2: the rule 'passed B' is never reached"},
        {"failed A if /s = 3..\npassed B if /s = 3..5", "2: the rule 'passed B' is never reached"},
        {"failed A if /s = 3..9\npassed B if /s = 5..9", "2: the rule 'passed B' is never reached"},
        {"failed A if /s = 3..9\npassed B if /s = 5..10", ""},
        {"failed A if /s = 3..9\npassed B if /s = 2..9", ""},
        {"failed A if /s = ..-1\npassed B if /s = -5", "2: the rule 'passed B' is never reached"},
        {"failed A if /s = 3..\npassed B if /s = 5..9 and /r = 1",
         "2: the rule 'passed B' is never reached"},
        {"failed A if /s exists\npassed B if /s = 5", "2: the rule 'passed B' is never reached"},
        {"failed A if /s exists\npassed B if /s exists", "2: the rule 'passed B' is never reached"},
        {"failed A if /s missing\nerror B if /s missing",
         "2: the rule 'error B' is never reached"},
        {"failed A if /s exists and /t missing\nerror B if /t missing and /s = 1 and /u = 2",
         "2: the rule 'error B' is never reached"},
        {"failed A if /s = 1\nerror B if /t = 1\nrunning C if /t = 1\nrunning D if /s = 1",
         "3: the rule 'running C' is never reached: the rule 'error B' in line 2 holds first\n"
         "4: the rule 'running D' is never reached: the rule 'failed A' in line 1 holds first"},
        /* a value in two rules */
        {"running A if /s = 1, 2\nfailed B if /s = 2, 3",
         "2: /s = 2 stands in two rules: the rule 'running A' in line 1 holds first"},
        {"running A if /s = 1, 2, 3\nfailed B if /s = 2, 3, 4",
         "2: /s = 2 stands in two rules\n2: /s = 3 stands in two rules"},
        {"running A if /s = 1..3\nfailed B if /s = 3, 4", "2: /s = 3 stands in two rules"},
        {"running A if /s = 1..9\nfailed B if /s = 3..4, 20", "2: /s = 3..4 stands in two rules"},
        {"running A if /s = 1 and /p = 0, 1\nfailed B if /s = 1 and /p = 1, 2",
         "2: /p = 1 stands in two rules"},
        {"running A if /s = 1 and /p = 0, 1\nfailed B if /s = 1, 2 and /p = 1, 2", ""},
        /* passing on nothing */
        {"passed A if /e missing",
         "1: the rule 'passed A' asks only for what is missing: an empty reply would pass"},
        {"passed A if /e missing and /f missing", "1: the rule 'passed A' asks only for what"},
        {"passed A if /e missing and /f exists", ""},
        {"failed A if /e missing", ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct diags d = {0};
        struct rules rules;
        const char *p = rows[i].diags;
        size_t count = 0;

        read_rules(&rules, rows[i].rules);
        rules_check(&rules, &d);
        for (; *p; count++) {
            size_t len = strcspn(p, "\n");
            struct buf got;

            buf_init(&got, BUF_CAP_TEXT);
            if (count < d.count)
                buf_addf(&got, "%d: %s", d.items[count].line, d.items[count].text);
            if (count >= d.count || strncmp(got.text, p, len) != 0)
                fail_msg("%s\n-> '%s', expected '%.*s'", rows[i].rules, got.text, (int)len, p);
            assert_string_equal(d.items[count].file, "file.ini");
            buf_free(&got);
            p += len + (p[len] ? 1 : 0);
        }
        if (count != d.count)
            fail_msg("%s\n-> one too many: %s", rows[i].rules, d.items[count].text);
        diags_free(&d);
        rules_free(&rules);
    }
}

static void test_seen(void **state)
{
    static const char text[] = "running R if /s = 1\nfailed F if /s = 2 and /r/x = 1\n"
                               "error E if /s = 2 and /r/x missing";
    static const struct {
        const char *json, *seen;
    } rows[] = {
        {"{}", "/s is missing, /r/x is missing"},
        {"[]", "/s is missing, /r/x is missing"},
        {"{\"s\": null, \"r\": 1}", "/s = null, /r/x is missing"},
        {"{\"s\": \"a\\u0007\\n\", \"r\": {\"x\": [1, {\"y\": 2.5}]}}",
         "/s = \"a\\u0007\\n\", /r/x = [1,{\"y\":2.5}]"},
        {"{\"s\": -3, \"r\": {\"x\": false}}", "/s = -3, /r/x = false"},
    };
    struct rules rules;
    struct buf b;

    (void)state;
    read_rules(&rules, text);
    buf_init(&b, BUF_CAP_TEXT);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct doc *d = parse(rows[i].json);

        buf_clear(&b);
        rules_add_seen(&b, &rules, d);
        assert_string_equal(b.text, rows[i].seen);
        doc_free(d);
    }
    buf_clear(&b);
    rules_add_seen(&b, &rules, NULL);
    assert_string_equal(b.text, "/s is missing, /r/x is missing");
    rules_free(&rules);

    /* Of very many pointers the first sixteen are shown. */
    buf_clear(&b);
    for (int i = 0; i < 40; i++)
        buf_addf(&b, "%srunning R if /p%d = 1", i ? "\n" : "", i);
    read_rules(&rules, b.text);
    buf_clear(&b);
    rules_add_seen(&b, &rules, NULL);
    assert_non_null(strstr(b.text, "/p15 is missing"));
    assert_null(strstr(b.text, "/p16"));
    rules_free(&rules);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mistakes), cmocka_unit_test(test_reading),
        cmocka_unit_test(test_types),    cmocka_unit_test(test_match),
        cmocka_unit_test(test_conditions), cmocka_unit_test(test_check),
        cmocka_unit_test(test_seen),
    };

    return cmocka_run_group_tests_name("rule", tests, NULL, NULL);
}
