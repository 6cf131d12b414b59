/* SPDX-License-Identifier: MIT */
/* Tests provider/reply: ids, captures, addresses, lengths of time, tests and error texts in every
 * shape that a reply may have, and in those that it must not have. */
#include "base/base.h"

#include "base/mem.h"
#include "provider/definition.h"
#include "provider/reply.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

struct loaded {
    struct ini ini;
    struct provider provider;
    struct diags diags;
};

/* A definition of the keys given; what it lacks is not looked at. */
static void load(struct loaded *l, const char *keys)
{
    struct definition_entry entries[40];
    struct buf text;

    memset(l, 0, sizeof(*l));
    buf_init(&text, BUF_CAP_TEXT);
    buf_addf(&text, "[provider:x]\n%s", keys);
    ini_load(&l->ini, "d.ini", text.text, text.len, &l->diags);
    for (size_t i = 0; i < l->ini.sections[0].count; i++)
        entries[i] = (struct definition_entry){"d.ini", &l->ini.sections[0].entries[i]};
    definition_read(&l->provider, entries, l->ini.sections[0].count, &l->diags);
    if (l->diags.count)
        fail_msg("%s\n%s", keys, l->diags.items[0].text);
    buf_free(&text);
}

static void unload(struct loaded *l)
{
    provider_free(&l->provider);
    ini_free(&l->ini);
    diags_free(&l->diags);
}

static struct doc *parse(const char *text)
{
    struct err e = {""};
    struct doc *d = doc_parse(text, strlen(text), &e);

    if (!d)
        fail_msg("'%s': %s", text, e.text);
    return d;
}

/* --- ids -------------------------------------------------------------------------------------- */

#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static void test_check_id(void **state)
{
    static const char *const good[] = {"1", "0", "-5", "a", "A-z_9.~:@+=", "550e8400-e29b-41d4",
                                       "...", ".a", "a.", "1..2", HUNDRED HUNDRED};
    static const struct {
        const char *id, *message;
    } bad[] = {
        {"", "the run's id is empty"},
        {".", "the run's id is '.'"},
        {"..", "the run's id is '..'"},
        {HUNDRED HUNDRED "1", "the run's id is 201 bytes long"},
        {"a/b", "the run's id holds a character that no id has (byte 0x2f)"},
        {"../x", "the run's id holds a character that no id has (byte 0x2f)"},
        {"a\\b", "(byte 0x5c)"},
        {"a%2e", "(byte 0x25)"},
        {"a?b", "(byte 0x3f)"},
        {"a#b", "(byte 0x23)"},
        {"a b", "(byte 0x20)"},
        {" a", "(byte 0x20)"},
        {"a,b", "(byte 0x2c)"},
        {"a;b", "(byte 0x3b)"},
        {"a&b", "(byte 0x26)"},
        {"a\nb", "(byte 0x0a)"},
        {"a\r", "(byte 0x0d)"},
        {"\x1B[0m", "(byte 0x1b)"},
        {"\x7F", "(byte 0x7f)"},
        {"\xC3\xA9", "(byte 0xc3)"},
        {"{id}", "(byte 0x7b)"},
        {"$(x)", "(byte 0x24)"},
        {"'", "(byte 0x27)"},
        {"<x>", "(byte 0x3c)"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct err e = {""};

        if (reply_check_id(good[i], &e))
            fail_msg("'%s': %s", good[i], e.text);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err e = {""};

        assert_int_equal(reply_check_id(bad[i].id, &e), -1);
        if (!strstr(e.text, bad[i].message))
            fail_msg("'%s': got '%s', expected '%s'", bad[i].id, e.text, bad[i].message);
    }
}

static void dump_start(struct buf *b, const struct start_reply *r)
{
    for (size_t i = 0; i < r->id_count; i++)
        buf_addf(b, "%s%s", i ? "," : "", r->ids[i]);
    if (r->refused)
        buf_addf(b, " refused %zu", r->refused);
    if (r->label)
        buf_addf(b, " %s %s", outcome_name(r->outcome), r->label);
    if (r->url)
        buf_addf(b, " url %s", r->url);
    if (r->expect_ms >= 0)
        buf_addf(b, " %" PRId64 " ms", r->expect_ms);
    for (size_t i = 0; i < r->capture_count; i++)
        buf_addf(b, " %s=%s", r->captures[i].name, r->captures[i].value);
}

#define ONE "start.id = /run/id, /id\n"
#define LIST "start.ids = /ids\nstart.refused = /refused\n"
#define ALL LIST "start.all = /all\n"
#define RULES                                                                                      \
    ONE "start.rules =\n  running QUEUED if /state = queued\n  skipped NONE if /state = none\n"    \
        "  error QUOTA if /state = quota\n"
#define MORE                                                                                       \
    ONE "start.url = /url, /run/url\nstart.expect = /seconds\nstart.capture.region = /region\n"    \
        "start.capture.n = /n\n"
#define NO_ID "! the reply holds no run id (/run/id is missing)"
#define NEITHER "! the run's id is neither a text nor an integer"

static void test_start(void **state)
{
    static const struct {
        const char *keys, *json, *expected; /* a failure begins with "! " */
    } rows[] = {
        {ONE, "{\"id\": \"abc\"}", "abc"},
        {ONE, "{\"id\": 0}", "0"},
        {ONE, "{\"id\": -1}", "-1"},
        {ONE, "{\"id\": 9007199254740993}", "9007199254740993"},
        {ONE, "{\"id\": 9223372036854775807}", "9223372036854775807"},
        {ONE, "{\"id\": \"18446744073709551616\"}", "18446744073709551616"},
        {ONE, "{\"run\": {\"id\": 7}, \"id\": 8}", "7"},
        {ONE, "{\"run\": {\"id\": null}, \"id\": 8}", "8"},
        {ONE, "{\"run\": [], \"id\": 8}", "8"},
        {ONE, "{\"run\": {\"id\": \"\"}, \"id\": 8}", "! the run's id is empty"},
        {ONE, "{\"run\": {\"id\": {}}, \"id\": 8}", "! the reply holds no run id"},
        {ONE, "{}", NO_ID},
        {ONE, "[]", NO_ID},
        {ONE, "[\"abc\"]", NO_ID},
        {ONE, "{\"Id\": 1}", NO_ID},
        {ONE, "{\"id\": null}", NO_ID},
        {ONE, "{\"id\": []}", "! the reply holds no run id"},
        {ONE, "{\"id\": [1]}", "! the reply holds no run id"},
        {ONE, "{\"id\": {\"id\": 1}}", "! the reply holds no run id"},
        {ONE, "{\"id\": true}", NEITHER},
        {ONE, "{\"id\": false}", NEITHER},
        {ONE, "{\"id\": 1.0}", NEITHER},
        {ONE, "{\"id\": 1e3}", NEITHER},
        {ONE, "{\"id\": 9.3e18}", NEITHER},
        {ONE, "{\"id\": \"\"}", "! the run's id is empty"},
        {ONE, "{\"id\": \"..\"}", "! the run's id is '..'"},
        {ONE, "{\"id\": \"../../x\"}", "! the run's id holds a character that no id has"},
        {ONE, "{\"id\": \"a\\u0000b\"}", "! the run's id holds"},
        {ONE, "{\"id\": \"a\\nb\"}", "! the run's id holds a character that no id has (byte 0x0a)"},
        {ONE, "{\"id\": \"\\ud800\"}", "! the run's id holds a character that no id has"},
        /* several at once */
        {LIST, "{\"ids\": [\"a\", 2, \"c\"]}", "a,2,c"},
        {LIST, "{\"ids\": [\"a\"], \"refused\": [\"b\", \"c\"]}", "a refused 2"},
        {LIST, "{\"ids\": [\"a\"], \"refused\": []}", "a"},
        {LIST, "{\"ids\": [\"a\"], \"refused\": null}", "a"},
        {ALL, "{\"ids\": [\"a\", \"b\"], \"refused\": [], \"all\": [\"a\", \"b\"]}", "a,b"},
        {ALL, "{\"ids\": [\"a\"], \"refused\": [\"b\"], \"all\": [\"a\", \"b\"]}", "a refused 1"},
        {ALL, "{\"ids\": [\"a\"], \"refused\": [\"b\"], \"all\": [\"a\"]}", "a refused 1"},
        {ALL, "{\"ids\": [\"a\"], \"refused\": [], \"all\": [\"a\", \"b\", 3]}", "a refused 2"},
        {ALL, "{\"ids\": [\"a\"], \"all\": [\"a\", \"b\"]}", "a refused 1"},
        {ALL, "{\"ids\": [\"a\", \"b\"], \"refused\": null, \"all\": [\"a\", \"b\"]}", "a,b"},
        {ALL, "{\"ids\": [\"a\", \"b\"], \"refused\": [], \"all\": [\"a\"]}", "a,b"},
        {ALL, "{\"ids\": [\"a\"], \"refused\": []}", "a"},
        {ALL, "{\"ids\": [\"a\"], \"refused\": null, \"all\": null}", "a refused 1"},
        {ALL, "{\"ids\": [\"a\"], \"refused\": 0, \"all\": {}}", "a refused 1"},
        {LIST, "{\"ids\": []}", "! the list of run ids at /ids is empty"},
        {LIST, "{\"ids\": [], \"refused\": [\"a\"]}", "! the list of run ids at /ids is empty"},
        {LIST, "{}", "! the reply holds no list of run ids at /ids"},
        {LIST, "{\"ids\": null}", "! the reply holds no list of run ids at /ids"},
        {LIST, "{\"ids\": \"a\"}", "! the reply holds no list of run ids at /ids"},
        {LIST, "{\"ids\": {\"0\": \"a\"}}", "! the reply holds no list of run ids at /ids"},
        {LIST, "{\"ids\": [\"a\", \"a\"]}", "! the reply names the run 'a' twice"},
        {LIST, "{\"ids\": [7, \"7\"]}", "! the reply names the run '7' twice"},
        {LIST, "{\"ids\": [\"a\", null]}", "! the reply holds no run id"},
        {LIST, "{\"ids\": [\"a\", \"\"]}", "! the run's id is empty"},
        {LIST, "{\"ids\": [[\"a\"]]}", "! the reply holds no run id"},
        {LIST, "{\"ids\": [\"a\", \"b/c\"]}", "! the run's id holds a character"},
        /* a start that says more than an id */
        {RULES, "{\"id\": 1, \"state\": \"queued\"}", "1 running QUEUED"},
        {RULES, "{\"state\": \"queued\"}", NO_ID},
        {RULES, "{\"state\": \"none\"}", " skipped NONE"},
        {RULES, "{\"id\": null, \"state\": \"quota\"}", " error QUOTA"},
        {RULES, "{\"id\": 1, \"state\": \"none\"}", "1 skipped NONE"},
        {RULES, "{\"id\": 1, \"state\": \"other\"}", "1"},
        {RULES, "{\"state\": \"other\"}", NO_ID},
        {RULES, "{\"state\": null}", NO_ID},
        {MORE,
         "{\"id\": 1, \"url\": \"https://u/\", \"seconds\": 90, \"region\": \"e/u\", \"n\": 5}",
         "1 url https://u/ 90000 ms region=e/u n=5"},
        {MORE, "{\"id\": 1, \"url\": \"\", \"run\": {\"url\": \"https://v/\"}, \"region\": \"\"}",
         "1 url https://v/"},
        {MORE, "{\"id\": 1, \"url\": {}, \"seconds\": \"x\", \"region\": [], \"n\": true}",
         "1 n=true"},
        {MORE, "{\"id\": 1, \"url\": null, \"seconds\": null, \"region\": null, \"n\": null}", "1"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct doc *d = parse(rows[i].json);
        struct err e = {""};
        struct start_reply r;
        struct loaded l;
        struct buf got;

        load(&l, rows[i].keys);
        buf_init(&got, BUF_CAP_TEXT);
        if (reply_read_start(&r, &l.provider, d, &e))
            buf_addf(&got, "! %s", e.text);
        else
            dump_start(&got, &r);
        if (rows[i].expected[0] == '!'
                ? strncmp(got.text, rows[i].expected, strlen(rows[i].expected)) != 0
                : strcmp(got.text, rows[i].expected) != 0)
            fail_msg("%s: got '%s', expected '%s'", rows[i].json, got.text, rows[i].expected);
        buf_free(&got);
        start_reply_free(&r);
        unload(&l);
        doc_free(d);
    }
}

/* More refusals than a journal can tell of are as bad as that many. */
static void test_start_with_many_refused(void **state)
{
    struct err e = {""};
    struct start_reply r;
    struct loaded l;
    struct doc *d;
    struct buf json;

    (void)state;
    buf_init(&json, BUF_CAP_TEXT);
    buf_adds(&json, "{\"ids\": [\"a\"], \"refused\": [0");
    for (size_t i = 0; i < IDS_MAX; i++)
        buf_adds(&json, ",0");
    buf_adds(&json, "]}");
    d = parse(json.text);
    load(&l, LIST);
    assert_int_equal(reply_read_start(&r, &l.provider, d, &e), 0);
    assert_int_equal(r.refused, IDS_MAX);
    start_reply_free(&r);
    unload(&l);
    doc_free(d);
    buf_free(&json);
}

static void test_many_ids(void **state)
{
    (void)state;
    for (int over = 0; over < 2; over++) {
        struct err e = {""};
        struct start_reply r;
        struct loaded l;
        struct doc *d;
        struct buf b;

        buf_init(&b, BUF_CAP_TEXT);
        for (int i = 0; i < 1000 + over * IDS_MAX; i++)
            buf_addf(&b, "%s%d", i ? "," : "{\"ids\": [", i);
        buf_adds(&b, "]}");
        d = parse(b.text);
        load(&l, LIST);
        assert_int_equal(reply_read_start(&r, &l.provider, d, &e), over ? -1 : 0);
        assert_int_equal(r.id_count, over ? 0 : 1000);
        start_reply_free(&r);
        unload(&l);
        doc_free(d);
        buf_free(&b);
    }
}

/* --- the status ------------------------------------------------------------------------------- */

static void test_status(void **state)
{
    static const char keys[] = "status.rules =\n  running R if /s = 1\n  failed F if /s = 2\n"
                               "  passed P if /s = 3 and /r = ok\n"
                               "status.reason = /why, /error/message\nstatus.url = /url\n"
                               "status.expect = /total\n";
    static const struct {
        const char *json, *expected;
    } rows[] = {
        {"{\"s\": 1}", "running R"},
        {"{\"s\": 2, \"why\": \"broken\", \"url\": \"https://u/\"}",
         "failed F because broken at https://u/"},
        {"{\"s\": 2, \"why\": \"\", \"error\": {\"message\": \"m\"}}", "failed F because m"},
        {"{\"s\": 2, \"why\": {\"x\": 1}}", "failed F"},
        {"{\"s\": 2, \"why\": 17}", "failed F because 17"},
        {"{\"s\": 2, \"why\": \"a\\u0000b\\u001b[31m\"}",
         "failed F because a\xEF\xBF\xBD" "b\x1B[31m"},
        {"{\"s\": 3, \"r\": \"ok\", \"total\": 1.5}", "passed P 1500 ms"},
        {"{\"s\": 3, \"r\": \"OK\"}", "unknown seen /s = 3, /r = \"OK\""},
        {"{\"s\": 3}", "unknown seen /s = 3, /r is missing"},
        {"{}", "unknown seen /s is missing, /r is missing"},
        {"[3, \"ok\"]", "unknown seen /s is missing, /r is missing"},
        {"{\"s\": {\"s\": 3}, \"r\": null}", "unknown seen /s = {\"s\":3}, /r = null"},
    };
    struct loaded l;

    (void)state;
    load(&l, keys);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct doc *d = parse(rows[i].json);
        struct status_reply r;
        struct buf got;

        reply_read_status(&r, &l.provider, d);
        buf_init(&got, BUF_CAP_TEXT);
        buf_adds(&got, outcome_name(r.outcome));
        if (r.label)
            buf_addf(&got, " %s", r.label);
        if (r.seen)
            buf_addf(&got, " seen %s", r.seen);
        if (r.reason)
            buf_addf(&got, " because %s", r.reason);
        if (r.url)
            buf_addf(&got, " at %s", r.url);
        if (r.expect_ms >= 0)
            buf_addf(&got, " %" PRId64 " ms", r.expect_ms);
        if (strcmp(got.text, rows[i].expected) != 0)
            fail_msg("%s: got '%s', expected '%s'", rows[i].json, got.text, rows[i].expected);
        buf_free(&got);
        status_reply_free(&r);
        doc_free(d);
    }
    unload(&l);
}

static void test_spans(void **state)
{
    static const struct {
        const char *span, *json; /* of the members a and b */
        int64_t ms;
    } rows[] = {
        {"/a", "\"a\": 0", 0},
        {"/a", "\"a\": 5", 5000},
        {"/a s", "\"a\": 5", 5000},
        {"/a ms", "\"a\": 5", 5},
        {"/a m", "\"a\": 5", 300000},
        {"/a", "\"a\": 1.5", 1500},
        {"/a", "\"a\": 1.001", 1001},
        {"/a", "\"a\": 0.0004", 0},
        {"/a ms", "\"a\": 1.5", 2},
        {"/a", "\"a\": 1e2", 100000},
        {"/a", "\"a\": \"5\"", 5000},
        {"/a", "\"a\": \"1.25\"", 1250},
        {"/a", "\"a\": -1", -1},
        {"/a", "\"a\": \"-1\"", -1},
        {"/a", "\"a\": null", -1},
        {"/a", "\"a\": true", -1},
        {"/a", "\"a\": []", -1},
        {"/a", "\"a\": \"\"", -1},
        {"/a", "\"a\": \"5s\"", -1},
        {"/a", "\"a\": \"5 \"", -1},
        {"/a", "\"a\": \" 5\"", -1},
        {"/a", "\"a\": \"nan\"", -1},
        {"/a", "\"a\": \"inf\"", -1},
        {"/a", "\"a\": \"-inf\"", -1},
        {"/a", "\"a\": \"-nan\"", -1},
        {"/a", "\"a\": \"00:05:00\"", -1},
        {"/a", "\"a\": 1e300", -1},
        {"/a", "\"a\": 8640000", 8640000000},
        {"/a", "\"a\": 8640001", -1},
        {"/a", "\"b\": 5", -1},
        /* a moment alone is no length of time */
        {"/a", "\"a\": \"2020-08-18T13:36:02Z\"", -1},
        /* differences */
        {"/b - /a", "\"a\": 10, \"b\": 15", 5000},
        {"/b - /a ms", "\"a\": 10, \"b\": 15", 5},
        {"/b - /a m", "\"a\": 10, \"b\": 15", 300000},
        {"/b - /a", "\"a\": \"10\", \"b\": 15.5", 5500},
        {"/b - /a", "\"a\": -5, \"b\": 5", 10000},
        {"/b - /a", "\"a\": 15, \"b\": 10", -1},
        {"/b - /a", "\"a\": 15", -1},
        {"/b - /a", "\"b\": 15", -1},
        {"/b - /a", "\"a\": null, \"b\": 15", -1},
        {"/b - /a ms", "\"a\": 1597757642000, \"b\": 1597757702500", 60500},
        {"/b - /a", "\"a\": \"2020-08-18T13:36:02Z\", \"b\": \"2020-08-18T13:37:02.250Z\"", 60250},
        {"/b - /a", "\"a\": \"2020-08-18T13:36:02\", \"b\": \"2020-08-18T13:36:03Z\"", 1000},
        {"/b - /a", "\"a\": \"2020-08-18T13:36:02+02:00\", \"b\": \"2020-08-18T13:36:02Z\"",
         7200000},
        {"/b - /a m", "\"a\": \"2020-08-18T13:36:02Z\", \"b\": \"2020-08-18T13:36:03Z\"", 1000},
        {"/b - /a", "\"a\": \"2020-08-18T13:36:03Z\", \"b\": \"2020-08-18T13:36:02Z\"", -1},
        {"/b - /a", "\"a\": \"2020-08-18\", \"b\": \"2020-08-19\"", -1},
        {"/b - /a", "\"a\": 5, \"b\": \"2020-08-18T13:36:02Z\"", -1},
        {"/b - /a", "\"a\": \"2020-08-18T13:36:02Z\", \"b\": 5", -1},
        {"/b - /a", "\"a\": -99999999999, \"b\": 99999999999", -1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct status_reply r;
        struct loaded l;
        struct doc *d;
        char text[200];

        snprintf(text, sizeof(text), "status.expect = %s\n", rows[i].span);
        load(&l, text);
        snprintf(text, sizeof(text), "{%s}", rows[i].json);
        d = parse(text);
        reply_read_status(&r, &l.provider, d);
        if (r.expect_ms != rows[i].ms)
            fail_msg("%s of %s: got %" PRId64, rows[i].span, rows[i].json, r.expect_ms);
        status_reply_free(&r);
        doc_free(d);
        unload(&l);
    }
}

/* --- tests and properties --------------------------------------------------------------------- */

static void note_test(void *user, const struct reported_test *t)
{
    struct buf *b = user;

    buf_addf(b, "[%s %s", t->name ? t->name : "(none)", outcome_name(t->outcome));
    if (t->label)
        buf_addf(b, " %s", t->label);
    if (t->message)
        buf_addf(b, " '%s'", t->message);
    if (t->detail)
        buf_addf(b, " \"%s\"", t->detail);
    if (t->duration_ms >= 0)
        buf_addf(b, " %" PRId64 " ms", t->duration_ms);
    buf_addc(b, ']');
}

static void note_property(void *user, const char *name, const char *value)
{
    buf_addf(user, " %s=%s", name, value);
}

static void test_tests(void **state)
{
    static const char keys[] = "tests = /r/tests\ntests.name = /name, /id\ntests.message = /m\n"
                               "tests.detail = /d\ntests.duration = /s\ntests.rules =\n"
                               "  passed OK if /ok = true\n  failed BAD if /ok = false\n"
                               "property.vus = /vus\nproperty.deep = /r/x\n";
    static const struct {
        const char *json;
        size_t count;
        const char *expected;
    } rows[] = {
        {"{}", 0, ""},
        {"{\"r\": {\"tests\": null}}", 0, ""},
        {"{\"r\": {\"tests\": {}}}", 0, ""},
        {"{\"r\": {\"tests\": \"many\"}}", 0, ""},
        {"{\"r\": {\"tests\": []}}", 0, ""},
        {"{\"r\": {\"tests\": [{\"name\": \"a\", \"ok\": true, \"s\": 2}]}}", 1,
         "[a passed OK 2000 ms]"},
        {"{\"r\": {\"tests\": [{\"name\": \"a\", \"ok\": false, \"m\": \"x\", \"d\": \"y\\nz\"},"
         "{\"id\": 7, \"ok\": true, \"m\": \"\"}]}}",
         2, "[a failed BAD 'x' \"y\nz\"][7 passed OK]"},
        {"{\"r\": {\"tests\": [{\"ok\": \"maybe\"}, null, 5, [], {}, \"x\", {\"ok\": null}]}}", 7,
         "[(none) unknown][(none) unknown][(none) unknown][(none) unknown][(none) unknown]"
         "[(none) unknown][(none) unknown]"},
        {"{\"vus\": 200, \"r\": {\"x\": \"y\"}}", 0, " vus=200 deep=y"},
        {"{\"vus\": null, \"r\": {\"x\": \"\"}}", 0, ""},
        {"{\"vus\": [1], \"r\": {\"x\": {}}}", 0, ""},
    };
    struct loaded l;

    (void)state;
    load(&l, keys);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct doc *d = parse(rows[i].json);
        struct scope scope = {0};
        struct buf got;

        buf_init(&got, BUF_CAP_TEXT);
        assert_int_equal(reply_each_test(&l.provider, d, &scope, note_test, &got), rows[i].count);
        reply_each_property(&l.provider, d, note_property, &got);
        if (strcmp(got.text, rows[i].expected) != 0)
            fail_msg("%s: got '%s', expected '%s'", rows[i].json, got.text, rows[i].expected);
        buf_free(&got);
        doc_free(d);
    }
    unload(&l);
}

/* --- lists of runs ---------------------------------------------------------------------------- */

/* Minutes of one day, as times and as milliseconds. */
#define MADE(minute) "\"made\": \"2026-03-02T09:" minute ":00Z\""
#define RUN(id, minute) "{\"id\": " id ", " MADE(minute) ", \"test\": 7}"

static const int64_t nine = INT64_C(1772442000000); /* 2026-03-02T09:00:00Z */

enum { MINUTE = 60000 };

/* What a list tells of the runs between two minutes; keys: further ones of the definition. */
static void check_find(const char *keys, const char *json, int from, int to, const char *expected)
{
    struct bound_value values[2] = {{.text = (char *)(uintptr_t) "7"}, {.text = NULL}};
    struct binding binding = {.values = values};
    struct scope scope = {.binding = &binding};
    struct doc *d = parse(json);
    struct find_reply r;
    struct err e = {""};
    struct loaded l;
    struct buf got;

    buf_init(&got, BUF_CAP_TEXT);
    buf_addf(&got, "param.test = string\nparam.unset = string\nfind.id = /id, /key\n"
                   "find.created = /made\n%s", keys);
    load(&l, got.text);
    binding.provider = &l.provider;
    buf_clear(&got);
    if (reply_read_find(&r, &l.provider, d, &scope, nine + (int64_t)from * MINUTE,
                        nine + (int64_t)to * MINUTE, &e)) {
        assert_true(!r.id_count && r.usual_ms == -1);
        buf_addf(&got, "! %s", e.text);
    }
    for (size_t i = 0; i < r.id_count; i++)
        buf_addf(&got, "%s%s", i ? "," : "", r.ids[i]);
    if (r.usual_ms >= 0)
        buf_addf(&got, " usual %" PRId64, r.usual_ms);
    if (strcmp(got.text, expected) != 0)
        fail_msg("%s of %s, %d to %d: got '%s', expected '%s'", keys, json, from, to, got.text,
                 expected);
    find_reply_free(&r);
    doc_free(d);
    buf_free(&got);
    unload(&l);
}

static void test_find_list(void **state)
{
    static const struct {
        const char *keys, *json, *expected;
    } rows[] = {
        /* the whole reply */
        {"", "[]", ""},
        {"", "[" RUN("1", "10") "]", "1"},
        {"", "{}", "! the reply holds no list of runs"},
        {"", "{\"runs\": [" RUN("1", "10") "]}", "! the reply holds no list of runs"},
        /* or a member of it */
        {"find.items = /runs\n", "{\"runs\": []}", ""},
        {"find.items = /runs\n", "{\"runs\": [" RUN("1", "10") "," RUN("\"b\"", "11") "]}", "1,b"},
        {"find.items = /a/b\n", "{\"a\": {\"b\": [" RUN("1", "10") "]}}", "1"},
        {"find.items = /runs\n", "[" RUN("1", "10") "]",
         "! the reply holds no list of runs at /runs"},
        {"find.items = /runs\n", "{}", "! the reply holds no list of runs at /runs"},
        {"find.items = /runs\n", "{\"runs\": null}", "! the reply holds no list of runs at /runs"},
        {"find.items = /runs\n", "{\"runs\": {}}", "! the reply holds no list of runs at /runs"},
        {"find.items = /runs\n", "{\"runs\": \"none\"}",
         "! the reply holds no list of runs at /runs"},
        /* each id once, in the order of the list */
        {"", "[" RUN("2", "10") "," RUN("1", "11") "," RUN("\"2\"", "12") "," RUN("1", "13") "]",
         "2,1"},
        {"", "[{\"key\": \"k\", " MADE("10") "}]", "k"},
        {"", "[{\"id\": null, \"key\": \"k\", " MADE("10") "}]", "k"},
        {"", "[{\"id\": 1, \"key\": \"k\", " MADE("10") "}]", "1"},
        /* what is no run */
        {"", "[null, 1, \"x\", [], {}, [1], true, " RUN("3", "10") "]", "3"},
        /* ids that cannot be one */
        {"", "[" RUN("\"\"", "10") "," RUN("null", "10") "," RUN("[]", "10") "," RUN("{}", "10")
             "," RUN("\"a/b\"", "10") "," RUN("\"..\"", "10") "," RUN("\"a,b\"", "10")
             "," RUN("\"a\\nb\"", "10") "," RUN("\"a b\"", "10") "]",
         ""},
        {"", "[{" MADE("10") "}, " RUN("4", "10") "]", "4"},
        /* times that are none */
        {"", "[{\"id\": 1}, {\"id\": 2, \"made\": null}, {\"id\": 3, \"made\": \"\"},"
             "{\"id\": 4, \"made\": 1772442600}, {\"id\": 5, \"made\": \"09:10\"},"
             "{\"id\": 6, \"made\": \"2026-02-30T09:10:00Z\"}, {\"id\": 7, \"made\": []},"
             "{\"id\": 8, \"made\": \"2026-03-02\"}]",
         ""},
        {"", "[{\"id\": 1, \"made\": \"2026-03-02T10:10:00+01:00\"},"
             "{\"id\": 2, \"made\": \"2026-03-02T09:10:00\"},"
             "{\"id\": 3, \"made\": \"2026-03-02T09:10:00.999999Z\"},"
             "{\"id\": 4, \"made\": \"2026-03-02T09:10:00+01:00\"}]",
         "1,2,3"},
        /* which can be ours */
        {"find.where = /test = {test}\n",
         "[" RUN("1", "10") ", {\"id\": 2, " MADE("10") ", \"test\": 8}, {\"id\": 3, " MADE(
             "10") ", \"test\": \"7\"}, {\"id\": 4, " MADE("10") "}, {\"id\": 5, " MADE(
             "10") ", \"test\": null}]",
         "1,3"},
        {"find.where = /test = {test} and /by = me\n",
         "[" RUN("1", "10") ", {\"id\": 2, " MADE("10") ", \"test\": 7, \"by\": \"me\"}]", "2"},
        {"find.where = /test = {unset}\n", "[" RUN("1", "10") "]", ""},
        {"find.where = /by missing\n",
         "[" RUN("1", "10") ", {\"id\": 2, " MADE("10") ", \"by\": 1}]", "1"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        check_find(rows[i].keys, rows[i].json, 0, 30, rows[i].expected);
}

/* Both ends of the interval are in it. */
static void test_find_interval(void **state)
{
    static const char list[] = "[" RUN("9", "09") "," RUN("10", "10") "," RUN("11", "11")
                               ", {\"id\": 12, \"made\": \"2026-03-02T09:11:00.001Z\"}]";
    static const struct {
        int from, to;
        const char *expected;
    } rows[] = {
        {0, 30, "9,10,11,12"}, {10, 11, "10,11"}, {10, 10, "10"}, {11, 12, "11,12"},
        {0, 8, ""},            {0, 9, "9"},       {12, 30, ""},   {11, 10, ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        check_find("", list, rows[i].from, rows[i].to, rows[i].expected);
}

/* No more than a list can be about; and a long list is read in good time. */
static void test_find_many(void **state)
{
    struct scope scope = {0};
    struct find_reply r;
    struct err e = {""};
    struct loaded l;
    struct buf text;
    struct doc *d;

    (void)state;
    load(&l, "find.id = /id\nfind.created = /made\n");
    buf_init(&text, BUF_CAP_TEXT);
    for (int i = 0; i < FOUND_MAX + 5; i++)
        buf_addf(&text, "%c{\"id\": %d, " MADE("10") "}", i ? ',' : '[', i);
    buf_addc(&text, ']');
    d = parse(text.text);
    assert_int_equal(reply_read_find(&r, &l.provider, d, &scope, 0, INT64_MAX, &e), 0);
    assert_int_equal(r.id_count, FOUND_MAX);
    assert_string_equal(r.ids[FOUND_MAX - 1], "999");
    find_reply_free(&r);
    doc_free(d);
    buf_free(&text);
    unload(&l);
}

#define TOOK(seconds) "{\"took\": " seconds ", \"test\": 7, \"end\": \"ok\"}"

/* How long earlier runs took: the middle one, of those that came to their end. */
static void test_find_usual(void **state)
{
    static const char took[] = "find.duration = /took\nfind.finished = /end = ok, bad\n"
                               "find.where = /test = {test}\n";
    static const struct {
        const char *keys, *json, *expected;
    } rows[] = {
        {took, "[]", ""},
        {took, "[" TOOK("5") "]", " usual 5000"},
        {took, "[" TOOK("9") "," TOOK("1") "," TOOK("5") "]", " usual 5000"},
        {took, "[" TOOK("1") "," TOOK("1000") "," TOOK("2") "," TOOK("3") "," TOOK("2") "]",
         " usual 2000"},
        /* of an even number the longer of the two: to poll too early is to poll in vain */
        {took, "[" TOOK("9") "," TOOK("1") "]", " usual 9000"},
        {took, "[" TOOK("4") "," TOOK("1") "," TOOK("3") "," TOOK("2") "]", " usual 3000"},
        /* what is none */
        {took, "[" TOOK("0") "," TOOK("-5") "," TOOK("null") "," TOOK("\"x\"") "," TOOK("[]") "]",
         ""},
        {took, "[" TOOK("0") "," TOOK("-5") "," TOOK("7") "]", " usual 7000"},
        /* what did not come to its end, and what is another test */
        {took, "[" TOOK("5") ", {\"took\": 900, \"test\": 7, \"end\": \"aborted\"},"
               "{\"took\": 901, \"test\": 7}, {\"took\": 902, \"test\": 8, \"end\": \"ok\"},"
               "{\"took\": 903, \"test\": 7, \"end\": null}]",
         " usual 5000"},
        {took, "[{\"took\": 3, \"test\": 7, \"end\": \"bad\"}]", " usual 3000"},
        /* as a difference; a run without an end has no length */
        {"find.duration = /done - /made\n",
         "[{" MADE("10") ", \"done\": \"2026-03-02T09:12:00Z\"}, {" MADE("10") ", \"done\": null},"
         "{" MADE("10") ", \"done\": \"2026-03-02T09:09:00Z\"}]",
         " usual 120000"},
        {"find.duration = /took ms\n", "[{\"took\": 1500}]", " usual 1500"},
        /* Not asked for. */
        {"", "[" TOOK("5") "]", ""},
        {"find.where = /test = {test}\n", "[" RUN("1", "10") "," TOOK("5") "]", "1"},
        /* Both at once, and the length is that of runs of any time. */
        {took,
         "[{\"id\": 1, " MADE("50") ", \"took\": 60, \"test\": 7, \"end\": \"ok\"}," RUN(
             "2", "10") "]",
         "2 usual 60000"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        check_find(rows[i].keys, rows[i].json, 0, 30, rows[i].expected);
}

/* --- errors ----------------------------------------------------------------------------------- */

static void test_errors(void **state)
{
    static const char keys[] = "errors = /error/message, /message, /statusText, /detail, /error\n"
                               "errors.more = /error/fields, /error/list/0\n";
    static const struct {
        const char *body, *text; /* NULL: nothing to show */
    } rows[] = {
        /* the shapes that providers document */
        {"{\"error\": {\"message\": \"Not found\", \"code\": \"404\", \"details\": []}}",
         "Not found"},
        {"{\"error\": {\"message\": \"No\", \"code\": 3, \"field_errors\": {\"f\": [\"e\"]}}}",
         "No"},
        {"{\"error\": 429, \"message\": \"Too many\"}", "Too many"},
        {"{\"error\": \"forbidden\", \"message\": \"Quota\"}", "Quota"},
        {"{\"error\": \"forbidden\"}", "forbidden"},
        {"{\"error\": 429}", "429"},
        {"{\"message\": \"Usage limit\"}", "Usage limit"},
        {"{\"statusText\": \"Bad Request\"}", "Bad Request"},
        {"{\"detail\": \"Token expired\"}", "Token expired"},
        /* what is said beside the message */
        {"{\"error\": {\"message\": \"No\", \"fields\": {\"f\": [\"e\"]}, \"list\": [\"x\", \"y\"]}}",
         "No ({\"f\":[\"e\"]}) (x)"},
        {"{\"error\": {\"message\": \"No\", \"fields\": {}, \"list\": []}}", "No"},
        {"{\"error\": {\"message\": \"No\", \"fields\": null, \"list\": [\"\"]}}", "No"},
        {"{\"error\": {\"message\": \"No way\", \"fields\": 7, \"list\": [\"No\"]}}", "No way (7)"},
        {"{\"error\": {\"fields\": [1]}}", "{\"error\": {\"fields\": [1]}}"},
        /* pointers that lead to nothing that can be shown */
        {"{\"error\": {\"message\": \"\"}, \"message\": \"m\"}", "m"},
        {"{\"error\": {\"message\": null}, \"message\": null, \"detail\": \"d\"}", "d"},
        {"{\"error\": {\"message\": {\"x\": 1}}, \"detail\": [\"d\"]}",
         "{\"error\": {\"message\": {\"x\": 1}}, \"detail\": [\"d\"]}"},
        {"{\"errors\": [\"x\"]}", "{\"errors\": [\"x\"]}"},
        {"[]", "[]"},
        {"\"text\"", "\"text\""},
        {"null", "null"},
        /* not JSON */
        {"", NULL},
        {" \r\n\t ", NULL},
        {"\x01\x02\x7F", NULL},
        {"<!DOCTYPE html><html>...", "(an HTML page)"},
        {"\n\n  <html>", "(an HTML page)"},
        {"Bad gateway", "Bad gateway"},
        {"  upstream\r\n  timed\tout \n", "upstream timed out"},
        {"\x1B[31mred\x1B[0m", "red"},
        {"{\"message\": ", "{\"message\":"},
        {"{\"message\": \"a\", \"message\": \"b\"}", "{\"message\": \"a\", \"message\": \"b\"}"},
    };
    struct loaded l;

    (void)state;
    load(&l, keys);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *text = reply_error_text(&l.provider, rows[i].body, strlen(rows[i].body));

        if ((text == NULL) != (rows[i].text == NULL) ||
            (text && strcmp(text, rows[i].text) != 0))
            fail_msg("%s: got '%s', expected '%s'", rows[i].body, text, rows[i].text);
        free(text);
    }
    {
        static const char body[] = "text with\0a NUL";
        char *text = reply_error_text(&l.provider, body, sizeof(body) - 1);
        struct buf b;

        assert_non_null(text);
        assert_memory_equal(text, "text with", 9);
        free(text);
        buf_init(&b, BUF_CAP_TEXT);
        for (int i = 0; i < 1000; i++)
            buf_adds(&b, "abc ");
        text = reply_error_text(&l.provider, b.text, b.len);
        assert_true(strlen(text) <= 300 && strlen(text) > 290);
        assert_string_equal(text + strlen(text) - 3, "...");
        free(text);
        buf_free(&b);
    }
    unload(&l);
    /* without pointers the beginning of the body is shown */
    load(&l, "title = x\n");
    {
        char *text = reply_error_text(&l.provider, "{\"message\": 1}", 14);

        assert_string_equal(text, "{\"message\": 1}");
        free(text);
    }
    unload(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_id),
        cmocka_unit_test(test_start),
        cmocka_unit_test(test_start_with_many_refused),
        cmocka_unit_test(test_many_ids),      cmocka_unit_test(test_status),
        cmocka_unit_test(test_spans),         cmocka_unit_test(test_tests),
        cmocka_unit_test(test_find_list),     cmocka_unit_test(test_find_interval),
        cmocka_unit_test(test_find_many),     cmocka_unit_test(test_find_usual),
        cmocka_unit_test(test_errors),
    };

    return cmocka_run_group_tests_name("reply", tests, NULL, NULL);
}
