/* SPDX-License-Identifier: MIT */
/* Tests provider/request: the method, URL, headers and body that a definition and its values make.
 * What the built-in definitions make is listed beside their replies, in tests/providers. */
#include "base/base.h"

#include "base/mem.h"
#include "base/secret.h"
#include "provider/definition.h"
#include "provider/request.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static const char *environment(const char *name)
{
    static const char *const values[][2] = {
        {"CRLF", "x\r\nEvil: 1"}, {"NL", "a\nb"}, {"DOTS", ".."}, {"QUOTE", "\"},{\"a\":1"},
        {"BAD", "\xFF\xC3\xA9"},  {"WORD", "word"}};

    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        if (strcmp(values[i][0], name) == 0)
            return values[i][1];
    }
    return NULL;
}

static const char definition[] =
    "[provider:acme]\n"
    "base_url = https://api.example/v1/\n"
    "auth =\n"
    "  Authorization: Bearer {token}\n"
    "  X-Two: {token2}\n"
    "headers = X-All: {all}\n"
    "param.token = secret\n"
    "param.token2 = secret\n"
    "param.all = string\n"
    "param.test = string\n"
    "param.n = integer\n"
    "param.on = boolean\n"
    "param.data = json\n"
    "param.kind = choice(a|b)\n"
    "param.text = string\n"
    "param.q = string\n"
    "start = POST /tests/{test}/start?fixed=1\n"
    "start.body./n = {n}\n"
    "start.body./on = {on}\n"
    "start.body./deep/er/data = {data}\n"
    "start.body./deep/kind = {kind}\n"
    "start.body./text = {text}\n"
    "start.body./mixed = n is {n}\n"
    "start.body./fixed = fixed {{}}\n"
    "start.body./a~1b/~0 = {n}\n"
    "start.body./cond = yes if kind = b\n"
    "start.body./cond2 = yes if kind = a, b and on = true\n"
    "start.body./cond3 = yes if kind missing\n"
    "start.body./cond4 = yes if n = 5..\n"
    "start.query.q = {q}\n"
    "start.query.fixed = a b/{q}\n"
    "start.query.$s[] = {n} if kind exists\n"
    "start.headers = X-Start: {kind}\n"
    "status = GET /runs/{id}\n"
    "status.query.region = {region}\n"
    "status.headers =\n"
    "  accept: text/x\n"
    "  X-Id: {id}\n"
    "details = GET /runs/{id}/tests?all=1\n"
    "details.query.more = {q}\n"
    "cancel = PUT /runs/{id}/{region}\n"
    "cancel.body./id = {id}\n"
    "cancel.headers = content-TYPE: application/merge-patch+json\n"
    "start.capture.region = /r\n";

struct made {
    struct ini ini;
    struct provider provider;
    struct pipeline pipeline;
    struct binding binding;
    struct ci ci;
    struct diags diags;
};

/* keys: the values of the run; extra: further keys of the definition. */
static void bind_keys(struct made *m, const char *keys, const char *extra)
{
    static const struct vars vars = {.getenv = environment};
    struct definition_entry entries[80];
    struct pipeline_source source = {.file = "p.ini", .vars = vars};
    struct buf text;

    memset(m, 0, sizeof(*m));
    buf_init(&text, BUF_CAP_TEXT);
    buf_addf(&text, "%s%s", definition, extra);
    ini_load(&m->ini, "d.ini", text.text, text.len, &m->diags);
    for (size_t i = 0; i < m->ini.sections[0].count; i++)
        entries[i] = (struct definition_entry){"d.ini", &m->ini.sections[0].entries[i]};
    m->provider.name = mem_strdup("acme");
    m->provider.file = mem_strdup("d.ini");
    definition_read(&m->provider, entries, m->ini.sections[0].count, &m->diags);
    buf_clear(&text);
    buf_addf(&text, "[run:r]\nprovider = acme\n%s\n", keys);
    source.text = text.text;
    source.len = text.len;
    pipeline_load(&m->pipeline, &source, &m->diags);
    binding_make(&m->binding, &m->pipeline, &m->pipeline.runs[0], &m->provider, &m->ci, &vars,
                 &m->diags, &m->diags);
    buf_free(&text);
}

static void unbind(struct made *m)
{
    binding_free(&m->binding);
    pipeline_free(&m->pipeline);
    provider_free(&m->provider);
    ini_free(&m->ini);
    diags_free(&m->diags);
    secret_clear();
}

static void dump(struct buf *b, const struct request *r)
{
    buf_addf(b, "%s %s\n", r->method, r->url);
    for (size_t i = 0; i < r->header_count; i++)
        buf_addf(b, "%s: %s\n", r->headers[i].name, r->headers[i].value);
    if (r->body) {
        assert_int_equal(strlen(r->body), r->body_len);
        buf_addf(b, "%s\n", r->body);
    }
}

#define JSON "Accept: application/json\n"
#define TYPE "Content-Type: application/json\n"
#define FIXED "\"fixed\":\"fixed {}\""
#define URL "POST https://api.example/v1/tests/t/start?fixed=1"
#define ONLY_FIXED TYPE "{" FIXED ",\"cond3\":\"yes\"}\n"

static void test_requests(void **state)
{
    static const struct {
        enum request_kind kind;
        const char *keys, *expected; /* a mistake begins with "! " */
    } rows[] = {
        /* nothing but what must be there */
        {REQUEST_START, "test = t", URL "\n" JSON ONLY_FIXED},
        /* all of it */
        {REQUEST_START,
         "token = ${WORD}1\ntoken2 = ${WORD}2\nall = everywhere\ntest = a b/c\nn = 7\non = yes\n"
         "data = [1, {\"x\": null}]\nkind = b\ntext = \xC3\xA9 \"q\"\nq = 1&2=3#4",
         "POST https://api.example/v1/tests/a%20b%2Fc/start?fixed=1&q=1%262%3D3%234"
         "&fixed=a%20b%2F1%262%3D3%234&$s[]=7\n" JSON
         "Authorization: Bearer word1\nX-Two: word2\nX-All: everywhere\nX-Start: b\n" TYPE
         "{\"n\":7,\"on\":true,\"deep\":{\"er\":{\"data\":[1,{\"x\":null}]},\"kind\":\"b\"},"
         "\"text\":\"\xC3\xA9 \\\"q\\\"\",\"mixed\":\"n is 7\"," FIXED ",\"a/b\":{\"~\":7},"
         "\"cond\":\"yes\",\"cond2\":\"yes\",\"cond4\":\"yes\"}\n"},
        /* conditions */
        {REQUEST_START, "test = t\nkind = a",
         URL "\n" JSON "X-Start: a\n" TYPE "{\"deep\":{\"kind\":\"a\"}," FIXED "}\n"},
        {REQUEST_START, "test = t\nkind = a\non = true",
         URL "\n" JSON "X-Start: a\n" TYPE "{\"on\":true,\"deep\":{\"kind\":\"a\"}," FIXED
         ",\"cond2\":\"yes\"}\n"},
        {REQUEST_START, "test = t\nn = 4",
         URL "\n" JSON TYPE "{\"n\":4,\"mixed\":\"n is 4\"," FIXED
         ",\"a/b\":{\"~\":4},\"cond3\":\"yes\"}\n"},
        /* types */
        {REQUEST_START, "test = t\nn = -9223372036854775807\non = off\nkind = b",
         URL "&$s[]=-9223372036854775807\n" JSON "X-Start: b\n" TYPE
         "{\"n\":-9223372036854775807,\"on\":false,\"deep\":{\"kind\":\"b\"},\"mixed\":\"n is "
         "-9223372036854775807\"," FIXED
         ",\"a/b\":{\"~\":-9223372036854775807},\"cond\":\"yes\"}\n"},
        {REQUEST_START, "test = t\ndata = 2.5",
         URL "\n" JSON TYPE "{\"deep\":{\"er\":{\"data\":2.5}}," FIXED ",\"cond3\":\"yes\"}\n"},
        {REQUEST_START, "test = t\ndata = null",
         URL "\n" JSON TYPE "{\"deep\":{\"er\":{\"data\":null}}," FIXED ",\"cond3\":\"yes\"}\n"},
        {REQUEST_START, "test = t\ntext = 7",
         URL "\n" JSON TYPE "{\"text\":\"7\"," FIXED ",\"cond3\":\"yes\"}\n"},
        {REQUEST_START, "test = t\ntext = {n}",
         URL "\n" JSON TYPE "{\"text\":\"{n}\"," FIXED ",\"cond3\":\"yes\"}\n"},
        /* what a value could break */
        {REQUEST_START, "test = t\ntext = ${QUOTE}",
         URL "\n" JSON TYPE "{\"text\":\"\\\"},{\\\"a\\\":1\"," FIXED ",\"cond3\":\"yes\"}\n"},
        {REQUEST_START, "test = t\ntext = ${NL}",
         URL "\n" JSON TYPE "{\"text\":\"a\\nb\"," FIXED ",\"cond3\":\"yes\"}\n"},
        {REQUEST_START, "test = t\ntext = ${BAD}",
         URL "\n" JSON TYPE "{\"text\":\"\xEF\xBF\xBD\xC3\xA9\"," FIXED ",\"cond3\":\"yes\"}\n"},
        {REQUEST_START, "test = t\nq = ${CRLF}",
         URL "&q=x%0D%0AEvil%3A%201&fixed=a%20b%2Fx%0D%0AEvil%3A%201\n" JSON ONLY_FIXED},
        {REQUEST_START, "test = t\nq = http://[::1]/?a",
         URL "&q=http%3A%2F%2F%5B%3A%3A1%5D%2F%3Fa"
         "&fixed=a%20b%2Fhttp%3A%2F%2F%5B%3A%3A1%5D%2F%3Fa\n" JSON ONLY_FIXED},
        {REQUEST_START, "test = t\nq = ..", URL "&q=..&fixed=a%20b%2F..\n" JSON ONLY_FIXED},
        {REQUEST_START, "test = ../../admin",
         "POST https://api.example/v1/tests/..%2F..%2Fadmin/start?fixed=1\n" JSON ONLY_FIXED},
        {REQUEST_START, "test = ${DOTS}", "! '..' of {test} would change the path"},
        {REQUEST_START, "test = .", "! '.' of {test} would change the path"},
        {REQUEST_START, "test = t\nall = ${CRLF}",
         "! the value of {all} holds a control character or a line end"},
        {REQUEST_START, "test = t\ntoken = a\x7F", "! the value of {token} holds a control"},
        {REQUEST_START, "", "! a value of the path '/tests/{test}/start?fixed=1' is not set"},
        /* the others */
        {REQUEST_STATUS, "token = ${WORD}",
         "GET https://api.example/v1/runs/r-1?region=eu%2F1\n"
         "Authorization: Bearer word\naccept: text/x\nX-Id: r-1\n"},
        {REQUEST_DETAILS, "all = x",
         "GET https://api.example/v1/runs/r-1/tests?all=1\n" JSON "X-All: x\n"},
        {REQUEST_DETAILS, "q = a b",
         "GET https://api.example/v1/runs/r-1/tests?all=1&more=a%20b\n" JSON},
        {REQUEST_CANCEL, "",
         "PUT https://api.example/v1/runs/r-1/eu%2F1\n" JSON
         "content-TYPE: application/merge-patch+json\n{\"id\":\"r-1\"}\n"},
        {REQUEST_STATUS, "base_url = http://127.0.0.1:81/x//",
         "GET http://127.0.0.1:81/x/runs/r-1?region=eu%2F1\naccept: text/x\nX-Id: r-1\n"},
    };
    char name[] = "region", value[] = "eu/1";
    struct capture capture = {name, value};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct request r;
        struct err e = {""};
        struct made m;
        struct scope scope = {.binding = &m.binding};
        struct buf got;

        bind_keys(&m, rows[i].keys, "");
        if (rows[i].kind != REQUEST_START) {
            scope.id = "r-1";
            scope.captures = &capture;
            scope.capture_count = 1;
        }
        buf_init(&got, BUF_CAP_TEXT);
        if (request_make(&r, rows[i].kind, &scope, &e))
            buf_addf(&got, "! %s", e.text);
        else
            dump(&got, &r);
        if (rows[i].expected[0] == '!'
                ? strncmp(got.text, rows[i].expected, strlen(rows[i].expected)) != 0
                : strcmp(got.text, rows[i].expected) != 0)
            fail_msg("%s\ngot\n%s\nexpected\n%s", rows[i].keys, got.text, rows[i].expected);
        buf_free(&got);
        request_free(&r);
        unbind(&m);
    }
}

/* Without an id, or without what was captured, there is no URL; what is not in the path is left
 * out. */
static void test_unset(void **state)
{
    struct err e = {""};
    struct request r;
    struct made m;
    struct scope scope = {.binding = &m.binding};

    (void)state;
    bind_keys(&m, "", "");
    assert_int_equal(request_make(&r, REQUEST_STATUS, &scope, &e), -1);
    assert_string_equal(e.text, "a value of the path '/runs/{id}' is not set");
    request_free(&r);
    scope.id = "7";
    e.text[0] = '\0';
    assert_int_equal(request_make(&r, REQUEST_STATUS, &scope, &e), 0);
    assert_string_equal(r.url, "https://api.example/v1/runs/7");
    request_free(&r);
    assert_int_equal(request_make(&r, REQUEST_CANCEL, &scope, &e), -1);
    request_free(&r);
    unbind(&m);
}

/* A member below one that is no object can only be found when both are set. */
static void test_collision(void **state)
{
    static const char extra[] = "start.body./text/below = {q}\n";
    static const struct {
        const char *keys, *message;
    } rows[] = {
        {"test = t\ntext = x\nq = y", "'/text/below' leads through a value that is not an object"},
        {"test = t\nq = y", NULL},
        {"test = t\ntext = x", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {""};
        struct request r;
        struct made m;
        struct scope scope = {.binding = &m.binding};

        bind_keys(&m, rows[i].keys, extra);
        assert_int_equal(request_make(&r, REQUEST_START, &scope, &e), rows[i].message ? -1 : 0);
        assert_string_equal(e.text, rows[i].message ? rows[i].message : "");
        request_free(&r);
        unbind(&m);
    }
}

static void test_add_header(void **state)
{
    struct request r = {0};

    (void)state;
    for (int i = 0; i < 20; i++)
        request_add_header(&r, "X-Key", i ? "value" : "");
    assert_int_equal(r.header_count, 20);
    assert_string_equal(r.headers[0].value, "");
    assert_string_equal(r.headers[19].value, "value");
    request_free(&r);
    assert_int_equal(r.header_count, 0);
    request_free(&r); /* is harmless */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_unset),
        cmocka_unit_test(test_collision),
        cmocka_unit_test(test_add_header),
    };

    return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
