/* SPDX-License-Identifier: MIT */
/* Tests provider/definition: what each key of a definition is read as, and every mistake, of a key
 * alone and of the whole, with its file and line. */
#include "base/base.h"

#include "base/mem.h"
#include "base/text.h"
#include "provider/definition.h"

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

/* Reads the first section of text as a definition and, if it can be read, checks it. */
static void load(struct loaded *l, const char *text)
{
    struct definition_entry entries[100];
    const struct ini_section *section;

    memset(l, 0, sizeof(*l));
    ini_load(&l->ini, "d.ini", text, strlen(text), &l->diags);
    assert_true(l->ini.count == 1);
    section = &l->ini.sections[0];
    assert_true(section->count <= ARRAY_LEN(entries));
    for (size_t i = 0; i < section->count; i++)
        entries[i] = (struct definition_entry){.file = l->ini.file, .entry = &section->entries[i]};
    l->provider.name = mem_strdup("x");
    l->provider.file = mem_strdup("d.ini");
    l->provider.line = section->line;
    definition_read(&l->provider, entries, section->count, &l->diags);
    if (!l->diags.count)
        definition_check(&l->provider, &l->diags);
    diags_sort(&l->diags);
}

static void unload(struct loaded *l)
{
    provider_free(&l->provider);
    ini_free(&l->ini);
    diags_free(&l->diags);
}

/* expected: each line the beginning of "LINE: message", in order, and no other mistake. */
static void check_diags(const char *row, const struct diags *d, const char *expected)
{
    const char *p = expected;
    struct buf all;

    buf_init(&all, BUF_CAP_TEXT);
    for (size_t i = 0; i < d->count; i++) {
        assert_string_equal(d->items[i].file, "d.ini");
        buf_addf(&all, "%d: %s\n", d->items[i].line, d->items[i].text);
    }
    for (const char *got = all.text; *got || *p;) {
        size_t len = strcspn(p, "\n");

        if (!*got || !*p || strncmp(got, p, len) != 0)
            fail_msg("%s\nexpected\n%s\ngot\n%s", row, expected, all.text);
        got += strcspn(got, "\n") + 1;
        p += len + (p[len] ? 1 : 0);
    }
    buf_free(&all);
}

/* --- what is read ----------------------------------------------------------------------------- */

static void add_assignments(struct buf *b, const char *title, const struct assignments *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct assignment *a = &list->items[i];

        buf_addf(b, "%s%d %s <- %s", title, a->line, a->target, a->template);
        for (size_t j = 0; j < a->conditions.count; j++)
            buf_addf(b, " if %s", a->conditions.items[j].subject);
        buf_addc(b, '\n');
    }
}

static void add_pointers(struct buf *b, const char *title, const struct pointers *list)
{
    buf_adds(b, title);
    for (size_t i = 0; i < list->count; i++)
        buf_addf(b, " %s", list->items[i]);
    buf_addc(b, '\n');
}

static void add_rules(struct buf *b, const char *title, const struct rules *rules)
{
    for (size_t i = 0; i < rules->count; i++)
        buf_addf(b, "%s%d %s %s\n", title, rules->items[i].line,
                 outcome_name(rules->items[i].outcome), rules->items[i].label);
}

static void add_span(struct buf *b, const char *title, const struct span *span)
{
    if (span->to)
        buf_addf(b, "%s %s%s%s in %d ms\n", title, span->to, span->from ? " - " : "",
                 span->from ? span->from : "", (int)span->unit_ms);
}

static void add_conditions(struct buf *b, const char *title, const struct conditions *list)
{
    for (size_t i = 0; i < list->count; i++) {
        buf_addf(b, "%s %s", title, list->items[i].subject);
        for (size_t j = 0; j < list->items[i].count; j++)
            buf_addf(b, "%s%s", j ? "|" : " ", list->items[i].matches[j].text);
        buf_addc(b, '\n');
    }
}

static void dump(struct buf *b, const struct provider *p)
{
    static const char *const types[] = {
        [PARAM_STRING] = "string", [PARAM_INTEGER] = "integer", [PARAM_BOOLEAN] = "boolean",
        [PARAM_SECRET] = "secret", [PARAM_JSON] = "json",       [PARAM_CHOICE] = "choice"};
    static const char *const shapes[] = {
        [DOC_NONE] = "", [DOC_ARRAY] = " array", [DOC_OBJECT] = " object"};

    buf_addf(b, "%s|%s|%s\n", p->title, p->docs, p->base_url);
    add_assignments(b, "auth", &p->auth);
    add_assignments(b, "header", &p->headers);
    for (size_t i = 0; i < p->param_count; i++) {
        const struct param *param = &p->params[i];

        buf_addf(b, "param%d %s %s%s%s", param->line, param->name, types[param->type],
                 shapes[param->shape], param->required ? " required" : "");
        for (size_t j = 0; j < param->choice_count; j++)
            buf_addf(b, " |%s", param->choices[j]);
        if (param->value_default)
            buf_addf(b, " default '%s'", param->value_default);
        if (param->env)
            buf_addf(b, " env %s", param->env);
        if (param->has_min)
            buf_addf(b, " min %" PRId64, param->min);
        if (param->has_max)
            buf_addf(b, " max %" PRId64, param->max);
        buf_addc(b, '\n');
    }
    for (int kind = 0; kind < REQUEST_KIND_COUNT; kind++) {
        const struct request_def *request = &p->requests[kind];

        if (request->method)
            buf_addf(b, "%s%d %s %s%s\n", request_kind_name((enum request_kind)kind), request->line,
                     request->method, request->path, request->has_body ? " body" : "");
        add_assignments(b, "- body", &request->body);
        add_assignments(b, "- query", &request->query);
        add_assignments(b, "- header", &request->headers);
    }
    add_pointers(b, "id", &p->start_id);
    buf_addf(b, "ids %s refused %s idempotency %s for %d ms url %s expect %s\n", p->start_ids,
             p->start_refused, p->idempotency, (int)p->key_life_ms, p->url, p->expect);
    add_rules(b, "start rule", &p->start_rules);
    add_assignments(b, "capture", &p->captures);
    add_pointers(b, "start url", &p->start_url);
    add_pointers(b, "status url", &p->status_url);
    add_span(b, "start expect", &p->start_expect);
    add_span(b, "status expect", &p->status_expect);
    add_rules(b, "status rule", &p->status_rules);
    add_pointers(b, "reason", &p->status_reason);
    add_pointers(b, "errors", &p->errors);
    for (size_t i = 0; i < p->gone_count; i++)
        buf_addf(b, "gone %d\n", p->cancel_gone[i]);
    buf_addf(b, "tests required %d\n", p->tests_required);
    add_pointers(b, "tests", &p->tests);
    add_pointers(b, "name", &p->tests_name);
    add_pointers(b, "message", &p->tests_message);
    add_pointers(b, "detail", &p->tests_detail);
    add_span(b, "duration", &p->tests_duration);
    add_rules(b, "test rule", &p->tests_rules);
    add_assignments(b, "property", &p->properties);
    buf_addf(b, "find items %s created %s\n", p->find_items, p->find_created);
    add_pointers(b, "find id", &p->find_id);
    add_conditions(b, "find where", &p->find_where);
    add_span(b, "find duration", &p->find_duration);
    add_conditions(b, "find finished", &p->find_finished);
}

static void test_all_keys(void **state)
{
    static const char text[] =
        "[provider:x]\n"
        "title = A title\n"
        "docs = https://docs.example/\n"
        "base_url = https://api.example/v1\n"
        "auth =\n"
        "    X-Key: {key}\n"
        "\n"
        "    X-Other:{other}\n"
        "headers = Accept-Language: en\n"
        "param.key = secret required env=X_KEY\n"
        "param.other = secret\n"
        "param.n = integer required min=-5 max=9\n"
        "param.on = boolean default=yes\n"
        "param.data = json\n"
        "param.kind-1 = choice(a|b c|d)\n"
        "param.who =\n"
        "    string\n"
        "    default={ci.actor}@{ci.system}\n"
        "start = POST /start/{n}\n"
        "start.body./a = {n}\n"
        "start.body./b/c = {data} if on = true and kind-1 exists\n"
        "start.query.q = x-{kind-1}\n"
        "start.query.ids[] = {n} if n = 1..\n"
        "start.headers = X-Start: {who}\n"
        "start.id = /id, /run/id\n"
        "start.refused = /refused\n"
        "start.idempotency = X-Once\t1h30m\n"
        "start.rules =\n"
        "    skipped NONE if /none = true\n"
        "start.url = /url\n"
        "start.expect = /seconds\n"
        "start.capture.region = /region\n"
        "status =   PUT\t/status/{region}/{id}?x=1\n"
        "status.rules =\n"
        "    running R if /s = 1\n"
        "    # a comment\n"
        "    passed P if /s = 2\n"
        "status.body./x = y\n"
        "status.query.z = {region}\n"
        "status.headers = X-Id: {id}\n"
        "status.url = /link\n"
        "    /self\n"
        "status.reason = /why\n"
        "status.expect = /end - /start ms\n"
        "details = PATCH /details/{id}\n"
        "cancel = DELETE /runs/{id}\n"
        "cancel.gone = 404, 409,410\n"
        "url = https://app.example/{id}\n"
        "expect = {n}m\n"
        "errors = /message\n"
        "tests = /tests, .\n"
        "tests.required = no\n"
        "tests.name = /name\n"
        "tests.message = /message\n"
        "tests.detail = /detail, /log\n"
        "tests.duration = /took m\n"
        "tests.rules =\n"
        "    failed F if /ok = false\n"
        "property.vus = /vus\n"
        "find = GET /runs?all=1\n"
        "find.query.test = {n}\n"
        "find.items = /runs\n"
        "find.id = /id, /key\n"
        "find.created = /made\n"
        "find.where = /n = {n} and /by = me, us\n"
        "find.duration = /end - /made ms\n"
        "find.finished = /state = done, failed\n";
    static const char expected[] =
        "A title|https://docs.example/|https://api.example/v1\n"
        "auth6 X-Key <- {key}\n"
        "auth8 X-Other <- {other}\n"
        "header9 Accept-Language <- en\n"
        "param10 key secret required env X_KEY\n"
        "param11 other secret\n"
        "param12 n integer required min -5 max 9\n"
        "param13 on boolean default 'yes'\n"
        "param14 data json\n"
        "param15 kind-1 choice |a |b c |d\n"
        "param16 who string default '{ci.actor}@{ci.system}'\n"
        "start19 POST /start/{n} body\n"
        "- body20 /a <- {n}\n"
        "- body21 /b/c <- {data} if on if kind-1\n"
        "- query22 q <- x-{kind-1}\n"
        "- query23 ids[] <- {n} if n\n"
        "- header24 X-Start <- {who}\n"
        "status33 PUT /status/{region}/{id}?x=1 body\n"
        "- body38 /x <- y\n"
        "- query39 z <- {region}\n"
        "- header40 X-Id <- {id}\n"
        "details45 PATCH /details/{id}\n"
        "cancel46 DELETE /runs/{id}\n"
        "find60 GET /runs?all=1\n"
        "- query61 test <- {n}\n"
        "id /id /run/id\n"
        "ids (null) refused /refused idempotency X-Once for 5400000 ms "
        "url https://app.example/{id} expect {n}m\n"
        "start rule29 skipped NONE\n"
        "capture32 region <- /region\n"
        "start url /url\n"
        "status url /link /self\n"
        "start expect /seconds in 1000 ms\n"
        "status expect /end - /start in 1 ms\n"
        "status rule35 running R\n"
        "status rule37 passed P\n"
        "reason /why\n"
        "errors /message\n"
        "gone 404\n"
        "gone 409\n"
        "gone 410\n"
        "tests required 0\n"
        "tests /tests \n"
        "name /name\n"
        "message /message\n"
        "detail /detail /log\n"
        "duration /took in 60000 ms\n"
        "test rule58 failed F\n"
        "property59 vus <- /vus\n"
        "find items /runs created /made\n"
        "find id /id /key\n"
        "find where /n {n}\n"
        "find where /by me|us\n"
        "find duration /end - /made in 1 ms\n"
        "find finished /state done|failed\n";
    struct loaded l;
    struct buf b;

    (void)state;
    /* "choice(b c)" is two words: a choice holds no blank. */
    load(&l, text);
    check_diags("all keys", &l.diags, "15: param.kind-1: 'choice(a|b' is not a type");
    unload(&l);
    {
        char *fixed = mem_strdup(text);
        char *blank = strstr(fixed, "b c|d");

        memcpy(blank, "b_c|d", 5);
        load(&l, fixed);
        free(fixed);
    }
    check_diags("all keys", &l.diags, "");
    buf_init(&b, BUF_CAP_TEXT);
    dump(&b, &l.provider);
    {
        char *blank = strstr(b.text, "|b_c");

        assert_non_null(blank);
        blank[2] = ' ';
    }
    assert_string_equal(b.text, expected);
    for (size_t i = 0; i < l.provider.param_count; i++)
        assert_true(l.provider.params[i].used);
    assert_ptr_equal(provider_param(&l.provider, "n"), &l.provider.params[2]);
    assert_null(provider_param(&l.provider, "N"));
    buf_free(&b);
    unload(&l);
}

/* --- mistakes --------------------------------------------------------------------------------- */

/* The least that a definition must have, less the keys that a row brings itself. */
#define HEAD "[provider:x]\nbase_url = https://x.example\n"
#define AUTH "auth = A: {token}\nparam.token = secret\n"
#define START "start = POST /runs\nstart.id = /id\n"
#define STATUS "status = GET /runs/{id}\nstatus.rules =\n  passed P if /s = 1\n"
#define BASE HEAD AUTH START STATUS /* 9 lines */

#define FIND "find = GET /runs\n"

#define REQUEST_FORM                                                                               \
    "is not a request: expected 'METHOD /path' with GET, POST, PUT, PATCH or DELETE"
#define SPAN_FORM "is not a length of time: expected '/pointer', '/end - /start', with ms, s or m"
#define TYPE_FORM                                                                                  \
    "is not a type: expected string, integer, boolean, secret, json, array, object or choice(a|b)"
#define ATTRIBUTE_FORM                                                                             \
    "is not possible here: expected required, default=TEXT, env=NAME, and min=N or max=N of an "   \
    "integer or an array"

/* How long a key is good for; ten minutes where it is not said. */
static void test_key_life(void **state)
{
    static const struct {
        const char *keys;
        int64_t ms;
    } rows[] = {
        {"", 0},
        {"start.idempotency = X-Once\n", 600000},
        {"start.idempotency = X-Once 30s\n", 30000},
        {"start.idempotency = X-Once\t \t24h\n", 86400000},
        {"start.idempotency = X-Once 90\n", 90000},
        {"start.idempotency =\n  X-Once\n  1m\n", 60000},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct loaded l;
        char text[400];

        snprintf(text, sizeof(text), BASE "%s", rows[i].keys);
        load(&l, text);
        check_diags(rows[i].keys, &l.diags, "");
        if (l.provider.key_life_ms != rows[i].ms)
            fail_msg("%s: %" PRId64, rows[i].keys, l.provider.key_life_ms);
        if (rows[i].ms)
            assert_string_equal(l.provider.idempotency, "X-Once");
        unload(&l);
    }
}

static void test_mistakes(void **state)
{
    static const struct {
        const char *text, *diags;
    } rows[] = {
        {BASE, ""},
        /* keys that are none */
        {BASE "titel = x\n", "10: unknown key 'titel' in [provider:x]; did you mean 'title'?"},
        {BASE "start.ID = /x\n", "10: unknown key 'start.ID' in [provider:x]; did you mean "
                                 "'start.id'?"},
        {BASE "Start = x\n", "10: unknown key 'Start' in [provider:x]; did you mean 'start'?"},
        {BASE "foo.bar = x\n", "10: unknown key 'foo.bar' in [provider:x]"},
        {BASE "params.x = string\n", "10: unknown key 'params.x' in [provider:x]"},
        {BASE "start.body = x\n", "10: unknown key 'start.body' in [provider:x]"},
        {BASE "finish = GET /x\n", "10: unknown key 'finish' in [provider:x]"},
        {BASE "foo =\n", ""},
        {BASE "title =\n", ""},
        /* headers */
        {BASE "headers = X\n", "10: expected a header, 'Name: text {parameter}'"},
        {BASE "headers =\n  A: 1\n  B\n  : x\n  C D: x\n  E : x\n",
         "12: expected a header\n13: expected a header\n14: expected a header\n"
         "15: expected a header"},
        {BASE "headers = X\xC3\xA9: 1\n", "10: expected a header"},
        {BASE "headers = A:\n", ""},
        {BASE "headers = A: {token}\n", "10: the secret {token} can stand in 'auth' only"},
        {BASE "headers = A: {nope}\n", "10: {nope} is not a parameter: add 'param.nope = TYPE'"},
        {BASE "headers = A: {id}\n", "10: {id} is not known before the run is started"},
        {BASE "headers = A: {\n", "10: '{' is not closed by '}' behind a name"},
        {BASE "headers = A: }\n", "10: '}' stands alone"},
        {BASE "headers = A: {ci.sha}\n", ""},
        {BASE "headers = A: {ci.nope}\n", "10: {ci.nope} is not known of CI systems"},
        {BASE "headers = A: {ci.}\n", "10: {ci.} is not known of CI systems"},
        /* requests */
        {BASE "cancel = POST\n", "10: cancel: 'POST' " REQUEST_FORM},
        {BASE "cancel = /runs/{id}\n", "10: cancel: '/runs/{id}' " REQUEST_FORM},
        {BASE "cancel = post /runs/{id}\n", "10: cancel: 'post /runs/{id}' " REQUEST_FORM},
        {BASE "cancel = POSTS /runs/{id}\n", "10: cancel: 'POSTS /runs/{id}' " REQUEST_FORM},
        {BASE "cancel = HEAD /runs/{id}\n", "10: cancel: 'HEAD /runs/{id}' " REQUEST_FORM},
        {BASE "cancel = POST runs/{id}\n", "10: cancel: 'POST runs/{id}' " REQUEST_FORM},
        {BASE "cancel = POST https://evil.com/{id}\n", "10: cancel: 'POST https://evil.com"},
        {BASE "cancel = POST //evil.com/{id}\n",
         "10: cancel: the path '//evil.com/{id}' starts with '//', which would name another host"},
        {BASE "cancel = POST /a b/{id}\n",
         "10: cancel: the path '/a b/{id}' holds a character that cannot stand in a URL"},
        {BASE "cancel = POST /\\evil.com/{id}\n", "10: cancel: the path '/\\evil.com/{id}' holds"},
        {BASE "cancel = POST /a/{id}#x\n", "10: cancel: the path '/a/{id}#x' holds a character"},
        {BASE "cancel = POST /\xC3\xA9/{id}\n", "10: cancel: the path '/\xC3\xA9/{id}' holds"},
        {BASE "cancel = POST\n  /runs/{id}\n", "10: cancel: 'POST\n/runs/{id}' is not a request"},
        {BASE "cancel = POST /~me/!$&'()*+,;=:@%41/{id}\n", ""},
        {BASE "cancel = POST /runs\n",
         "10: the path of 'cancel' does not say which run it is about: it needs {id}"},
        {BASE "cancel = POST /runs/{{id}}\n", "10: the path of 'cancel' does not say which run"},
        {BASE "cancel = POST /runs/{n}\nparam.n = integer\n",
         "10: the path of 'cancel' does not say which run"},
        {BASE "cancel = POST /runs/{ci.sha}\n", "10: the path of 'cancel' does not say which run"},
        {BASE "cancel = POST /runs/{region}\nstart.capture.region = /r\n", ""},
        {BASE "details = GET /latest\n", "10: the path of 'details' does not say which run"},
        {HEAD AUTH START "status = GET /latest\nstatus.rules = passed P if /s = 1\n",
         "7: the path of 'status' does not say which run"},
        {BASE "cancel = POST /runs/{id}/{token}\n", "10: the secret {token} can stand in 'auth'"},
        {BASE "cancel = POST /runs/{id}/{nope}\n", "10: {nope} is not a parameter"},
        {BASE "cancel = POST /runs/{id\n", "10: '{' is not closed\n10: the path of 'cancel'"},
        {HEAD AUTH "start = POST /runs/{id}\nstart.id = /id\n" STATUS,
         "5: {id} is not known before the run is started"},
        {HEAD AUTH "start = POST /{r}\nstart.id = /id\nstart.capture.r = /r\n" STATUS,
         "5: {r} is not known before the run is started"},
        {HEAD AUTH "start = POST /runs\n" STATUS, "1: [provider:x] has no 'start.id'"},
        {HEAD AUTH "start.id = /id\n" STATUS, "1: [provider:x] has no 'start'"},
        {HEAD AUTH START "status = GET /runs/{id}\n", "1: [provider:x] has no 'status.rules'"},
        {HEAD AUTH START "status.rules = passed P if /s = 1\n",
         "1: [provider:x] has no 'status'"},
        {"[provider:x]\n", "1: [provider:x] has no 'start'\n1: [provider:x] has no 'start.id'\n"
                           "1: [provider:x] has no 'status'\n"
                           "1: [provider:x] has no 'status.rules'"},
        {BASE "start.ids = /ids\n", "1: there are both 'start.id' and 'start.ids': choose one"},
        {HEAD AUTH "start = POST /runs\nstart.ids = /ids\n" STATUS, ""},
        /* bodies and queries */
        {BASE "start.body. = x\n", "10: start.body.: a pointer is missing behind 'body.'"},
        {BASE "start.body.a = x\n", "10: start.body.a: 'a' is not a JSON Pointer"},
        {BASE "start.body./a~ = x\n", "10: start.body./a~: '/a~' is not a JSON Pointer"},
        {BASE "start.body./a = {token}\n", "10: the secret {token} can stand in 'auth' only"},
        {BASE "start.body./a = {id}\n", "10: {id} is not known before the run is started"},
        {BASE "start.body./a = {nope}\n", "10: {nope} is not a parameter"},
        {BASE "start.body./a = x if\n", ""},
        {BASE "start.body./a = x if y\n",
         "10: start.body./a: 'y' is followed by '': expected '= value', 'exists' or 'missing'"},
        {BASE "start.body./a = x if y = 1\n",
         "10: the condition asks for 'y', which is not a parameter"},
        {BASE "start.body./a = x if y =\n", "10: start.body./a: a value is missing behind '='"},
        {BASE "start.body./a = x if id exists\n", "10: the condition asks for 'id', which is not"},
        {BASE "start.body./a = x if token exists\n", ""},
        {BASE "start.query. = x\n", "10: start.query.: '' is not the name of a query parameter"},
        {BASE "start.query.a b = x\n", "10: start.query.a b: 'a b' is not the name of a query"},
        {BASE "start.query.a&b = x\n", "10: start.query.a&b: 'a&b' is not the name of a query"},
        {BASE "start.query.a#b = x\n", "10: start.query.a#b: 'a#b' is not the name of a query"},
        {BASE "start.query.$select = x\n", ""},
        {BASE "start.query.q = {token}\n", "10: the secret {token} can stand in 'auth' only"},
        {BASE "start.headers = X: {token}\n", "10: the secret {token} can stand in 'auth' only"},
        {BASE "details.query.q = x\n",
         "1: there are keys of 'details', but no 'details = METHOD /path'"},
        {BASE "details.body./q = x\n", "1: there are keys of 'details', but no"},
        {BASE "cancel.headers = X: 1\n", "1: there are keys of 'cancel', but no"},
        {BASE "cancel.gone = 409\n", "1: there is 'cancel.gone', but no 'cancel = METHOD /path'"},
        {BASE "cancel = POST /{id}\ncancel.gone = 200\n",
         "11: cancel.gone: expected HTTP statuses from 400 to 499"},
        {BASE "cancel = POST /{id}\ncancel.gone = 409,\n", ""},
        {BASE "cancel = POST /{id}\ncancel.gone = 409 404\n", "11: cancel.gone: expected HTTP"},
        {BASE "cancel = POST /{id}\ncancel.gone = 4xx\n", "11: cancel.gone: expected HTTP"},
        {BASE "cancel = POST /{id}\ncancel.gone = 500\n", "11: cancel.gone: expected HTTP"},
        /* pointers */
        {BASE "errors = message\n", "10: errors: 'message' is not a JSON Pointer"},
        {BASE "errors.more = /m\n", "1: there is 'errors.more', but no 'errors'"},
        {BASE "errors = /a, b\n", "10: errors: 'b' is not a JSON Pointer"},
        {BASE "errors = /a,,/b\n", "10: errors: a pointer is missing"},
        {BASE "errors = ,/a\n", "10: errors: a pointer is missing"},
        {BASE "errors = /a~9\n", "10: errors: '/a~9' is not a JSON Pointer"},
        {BASE "tests = x\n", "10: tests: 'x' is not a JSON Pointer"},
        {BASE "start.all = /all\n", "1: there is 'start.all', but no 'start.ids'"},
        {BASE "start.refused = x\n", "10: start.refused: 'x' is not a JSON Pointer"},
        {BASE "property.x = y\n", "10: property.x: 'y' is not a JSON Pointer"},
        {BASE "property. = /y\n", "10: property.: a name is missing behind the last '.'"},
        {BASE "start.capture. = /y\n", "10: start.capture.: a name is missing behind the last '.'"},
        {BASE "start.capture.x = y\n", "10: start.capture.x: 'y' is not a JSON Pointer"},
        {BASE "start.capture.id = /y\n",
         "10: 'id' cannot be captured: {id} has a meaning already"},
        {BASE "start.capture.ci.sha = /y\n", "10: 'ci.sha' cannot be captured"},
        {BASE "start.capture.token = /y\ncancel = POST /x/{token}\n",
         "3: {token} is not known before the run is started\n4: parameter 'token' is used nowhere\n"
         "10: 'token' cannot be captured: {token} has a meaning already"},
        /* lengths of time */
        {BASE "start.expect = x\n", "10: start.expect: 'x' " SPAN_FORM},
        {BASE "start.expect = /a h\n", "10: start.expect: '/a h' " SPAN_FORM},
        {BASE "start.expect = /a S\n", "10: start.expect: '/a S' " SPAN_FORM},
        {BASE "start.expect = /a ms s\n", "10: start.expect: '/a ms s' " SPAN_FORM},
        {BASE "start.expect = /a -\n", "10: start.expect: '/a -' " SPAN_FORM},
        {BASE "start.expect = /a - b\n", "10: start.expect: '/a - b' " SPAN_FORM},
        {BASE "start.expect = /a - /b - /c\n", "10: start.expect: '/a - /b - /c' " SPAN_FORM},
        {BASE "start.expect = /a + /b\n", "10: start.expect: '/a + /b' " SPAN_FORM},
        {BASE "start.expect = /a -/b\n", "10: start.expect: '/a -/b' " SPAN_FORM},
        {BASE "start.expect = - /b\n", "10: start.expect: '- /b' " SPAN_FORM},
        {BASE "start.expect = /a~ s\n", "10: start.expect: '/a~' is not a JSON Pointer"},
        {BASE "start.expect = /a   -   /b   m\n", ""},
        {BASE "start.expect = /a - /b\nstart.expect = /c - /d\n",
         "11: key 'start.expect' stands twice, first in line 10"},
        /* parameters */
        {BASE "param. = string\n", "10: param.: '' is not a parameter's name: lower case letters"},
        {BASE "param.A = string\n", "10: param.A: 'A' is not a parameter's name"},
        {BASE "param.a.b = string\n", "10: param.a.b: 'a.b' is not a parameter's name"},
        {BASE "param.a b = string\n", "10: param.a b: 'a b' is not a parameter's name"},
        {BASE "param.id = string\n",
         "10: param.id: 'id' is the run's id and cannot be a parameter"},
        {BASE "param.timeout = string\n",
         "10: param.timeout: 'timeout' is a key of every run and cannot be a parameter"},
        {BASE "param.base_url = string\n", "10: param.base_url: 'base_url' is a key of every run"},
        {BASE "param.n = text\n", "10: param.n: 'text' " TYPE_FORM},
        {BASE "param.n = String\n", "10: param.n: 'String' " TYPE_FORM},
        {BASE "param.n = required integer\n", "10: param.n: 'required' " TYPE_FORM},
        {BASE "param.n = choice\n", "10: param.n: 'choice' " TYPE_FORM},
        {BASE "param.n = choice(a|b\n", "10: param.n: 'choice(a|b' " TYPE_FORM},
        {BASE "param.n = choice()\n", "10: param.n: a choice is missing in 'choice()'"},
        {BASE "param.n = choice(a|)\n", "10: param.n: a choice is missing in 'choice(a|)'"},
        {BASE "param.n = choice(|a)\n", "10: param.n: a choice is missing in 'choice(|a)'"},
        {BASE "param.n = choice(a||b)\n", "10: param.n: a choice is missing"},
        {BASE "param.n = string optional\n", "10: param.n: 'optional' " ATTRIBUTE_FORM},
        {BASE "param.n = string Required\n", "10: param.n: 'Required' " ATTRIBUTE_FORM},
        {BASE "param.n = string min=1\n", "10: param.n: 'min=1' " ATTRIBUTE_FORM},
        {BASE "param.n = secret max=1\n", "10: param.n: 'max=1' " ATTRIBUTE_FORM},
        {BASE "param.n = json min=1\n", "10: param.n: 'min=1' " ATTRIBUTE_FORM},
        {BASE "param.n = object max=1\n", "10: param.n: 'max=1' " ATTRIBUTE_FORM},
        {BASE "param.n = array min=1 max=4\nstart.body./n = {n}\n", ""},
        {BASE "param.n = integer min=x\n", "10: param.n: 'min=x' " ATTRIBUTE_FORM},
        {BASE "param.n = integer min=\n", "10: param.n: 'min=' " ATTRIBUTE_FORM},
        {BASE "param.n = integer max=99999999999999999999\n", "10: param.n: 'max=9999999999999999"},
        {BASE "param.n = string env=\n", "10: param.n: 'env=' " ATTRIBUTE_FORM},
        {BASE "param.n = string env=1A\n", "10: param.n: 'env=1A' " ATTRIBUTE_FORM},
        {BASE "param.n = string env=A-B\n", "10: param.n: 'env=A-B' " ATTRIBUTE_FORM},
        {BASE "param.n = string default = x\n", "10: param.n: 'default' " ATTRIBUTE_FORM},
        {BASE "param.n = string default=a b\n", "10: param.n: 'b' " ATTRIBUTE_FORM},
        {BASE "param.n = string\n", "10: parameter 'n' is used nowhere"},
        {BASE "param.n = integer min=2 max=1\nstart.query.n = {n}\n",
         "10: parameter 'n' has a min beyond its max"},
        {BASE "param.n = integer min=1 max=1\nstart.query.n = {n}\n", ""},
        {BASE "param.n = secret default=x\nauth = A: {n}\n",
         "11: key 'auth' stands twice, first in line 3"},
        {HEAD "auth = A: {t}\nparam.t = secret default=x\n" START STATUS,
         "4: the secret 't' cannot have a default"},
        {BASE "param.n = string default={nope}\nstart.query.n = {n}\n",
         "10: {nope} cannot stand in a default: only {ci.NAME} can"},
        {BASE "param.m = string\nparam.n = string default={m}\nstart.query.n = {n}{m}\n",
         "11: {m} cannot stand in a default: only {ci.NAME} can"},
        {BASE "param.n = string default={token}\nstart.query.n = {n}\n",
         "10: {token} cannot stand in a default"},
        {BASE "param.n = string default={id}\nstart.query.n = {n}\n",
         "10: {id} cannot stand in a default"},
        {BASE "param.n = string default={ci.nope}\nstart.query.n = {n}\n",
         "10: {ci.nope} is not known of CI systems"},
        {BASE "param.n = string default={\nstart.query.n = {n}\n", "10: '{' is not closed"},
        /* the report's address, the expected duration */
        {BASE "url = https://x/{token}\n", "1: the secret {token} can stand in 'auth' only"},
        {BASE "url = https://x/{nope}\n", "1: {nope} is not a parameter"},
        {BASE "url = https://x/{id}\n", ""},
        {BASE "expect = {id}m\n", "1: {id} is not known before the run is started"},
        {BASE "expect = {nope}m\n", "1: {nope} is not a parameter"},
        {BASE "start.idempotency = X Once\n",
         "10: start.idempotency: 'Once' is not how long a key is good for, such as 10m"},
        {BASE "start.idempotency = X-Once 0\n",
         "10: start.idempotency: '0' is not how long a key is good for, such as 10m"},
        {BASE "start.idempotency = X-Once:\n",
         "10: start.idempotency: 'X-Once:' is not the name of a header"},
        {BASE "start.idempotency = X-Once 1h\n", ""},
        {BASE "start.idempotency = X-Once -1\n",
         "10: start.idempotency: '-1' is not how long a key is good for"},
        {BASE "start.idempotency = X-Once 1h 5m\n",
         "10: start.idempotency: '1h 5m' is not how long a key is good for"},
        /* rules */
        {HEAD AUTH START "status = GET /{id}\nstatus.rules =\n  passed P if /s = 1\n"
                         "  passd Q if /s = 2\n\n  failed if /s = 3\n  failed F if s = 4\n",
         "10: 'passd' is not an outcome\n12: a label of one word is needed behind 'failed'\n"
         "13: 's' is not a JSON Pointer"},
        {HEAD AUTH START "status = GET /{id}\nstatus.rules =\n  failed F if /s = 1\n"
                         "  passed P if /s = 1\n",
         "10: the rule 'passed P' is never reached: the rule 'failed F' in line 9 holds first"},
        {HEAD AUTH START "status = GET /{id}\nstatus.rules =\n  passed P if /e missing\n",
         "9: the rule 'passed P' asks only for what is missing"},
        {BASE "start.rules =\n  passed P if /s = 1\n", "11: a start cannot say that a run passed"},
        {BASE "start.rules =\n  error E if /s = 1\n  error F if /s = 1\n",
         "12: the rule 'error F' is never reached"},
        {BASE "start.rules = nonsense\n", "10: 'nonsense' is not an outcome"},
        /* tests */
        {BASE "tests = /t\n", "1: 'tests' needs 'tests.name' and 'tests.rules' beside it"},
        {BASE "tests = /t\ntests.name = /n\n", "1: 'tests' needs 'tests.name' and 'tests.rules'"},
        {BASE "tests = /t\ntests.rules = failed F if /o = 1\n", "1: 'tests' needs 'tests.name'"},
        {BASE "tests.name = /n\n", "1: there are keys of 'tests', but no 'tests = /pointer'"},
        {BASE "tests.rules = failed F if /o = 1\n", "1: there are keys of 'tests', but no"},
        {BASE "tests.message = /m\n", "1: there are keys of 'tests', but no"},
        {BASE "tests.detail = /m\n", "1: there are keys of 'tests', but no"},
        {BASE "tests.duration = /m\n", "1: there are keys of 'tests', but no"},
        {BASE "tests.where = /run = {id}\n", "1: there are keys of 'tests', but no"},
        {BASE "tests.decide = yes\n", "1: there are keys of 'tests', but no"},
        {BASE "tests.required = sometimes\n", "10: tests.required: 'sometimes' is not yes or no"},
        {BASE "tests = /t\ntests.name = /n\ntests.rules =\n  failed F if /o = 1, 2\n"
              "  passed P if /o = 2, 3\n",
         "14: /o = 2 stands in two rules: the rule 'failed F' in line 13 holds first"},
        {BASE "tests = /t\ntests.name = /n\ntests.rules = passed P if /e missing\n",
         "12: the rule 'passed P' asks only for what is missing"},
        {BASE "tests = x\n", "10: tests: 'x' is not a JSON Pointer"},
        {BASE "tests = .\ntests.name = /n\ntests.rules = failed F if /o = 1\n", ""},
        {BASE "tests.decide = perhaps\n", "10: tests.decide: 'perhaps' is not yes or no"},
        {BASE "start.tries = 0\n", "10: start.tries: '0' is not a number from 1 to 100"},
        {BASE "start.tries = 101\n", "10: start.tries: '101' is not a number"},
        {BASE "start.tries = many\n", "10: start.tries: 'many' is not a number"},
        {BASE "start.tries = 100\n", ""},
        /* lists from which the elements of this run are picked */
        {BASE "details = GET /list\ntests = /t\ntests.name = /n\ntests.where = /run = {id}\n"
              "tests.rules = failed F if /o = 1\n",
         ""},
        {BASE "details = GET /list\ntests = /t\ntests.name = /n\ntests.where = /run = 1\n"
              "tests.rules = failed F if /o = 1\n",
         "10: the path of 'details' does not say which run"},
        {BASE "tests = /t\ntests.name = /n\ntests.where = run = {id}\n",
         "12: tests.where: 'run' is not a JSON Pointer"},
        {BASE "tests = /t\ntests.name = /n\ntests.where = /run = {token}\n"
              "tests.rules = failed F if /o = 1\n",
         "1: the secret {token} can stand in 'auth' only"},
        {BASE "tests = /t\ntests.name = /n\ntests.where = /run = {nope}\n"
              "tests.rules = failed F if /o = 1\n",
         "1: {nope} is not a parameter"},
        {BASE "param.n = integer\ntests = /t\ntests.name = /n\ntests.where = /n = {n}\n"
              "tests.rules = failed F if /o = 1\n",
         ""},
        /* finding a run whose start was lost */
        {BASE FIND "find.id = /id\nfind.created = /at\n", ""},
        {BASE FIND "find.id = /id\nfind.created = /at\nfind.items = /runs\n", ""},
        {BASE FIND "find.id = /id\nfind.created = /at\nfind.items = .\n", ""},
        {BASE FIND "find.id = /id\nfind.created = /at\nparam.n = integer\nfind.where = /n = {n}\n",
         ""},
        {BASE FIND "find.id = /id\n", "1: 'find' needs 'find.id' and 'find.created' beside it"},
        {BASE FIND "find.created = /at\n", "1: 'find' needs 'find.id' and 'find.created'"},
        {BASE FIND, "1: 'find' needs 'find.id' and 'find.created'"},
        {BASE "find.id = /id\n", "1: there are keys of 'find', but no 'find = METHOD /path'"},
        {BASE "find.created = /id\n", "1: there are keys of 'find', but no"},
        {BASE "find.items = /x\n", "1: there are keys of 'find', but no"},
        {BASE "find.where = /id = 1\n", "1: there are keys of 'find', but no"},
        {BASE "find.query.q = 1\n", "1: there are keys of 'find', but no"},
        {BASE "find.duration = /s\n", "1: there are keys of 'find', but no"},
        {BASE "find.finished = /e = 1\n", "1: there are keys of 'find', but no"},
        {BASE FIND "find.id = /id\nfind.created = /at\nfind.duration = /s m\n"
              "find.finished = /e exists\n",
         ""},
        {BASE FIND "find.id = /id\nfind.created = /at\nfind.finished = /x = {nope}\n",
         "1: {nope} is not a parameter"},
        {BASE FIND "find.id = /id\nfind.created = /at\nfind.finished = /x = {id}\n",
         "1: {id} is not known before the run is started"},
        {BASE FIND "find.id = /id\nfind.created = /at\nfind.finished = /x = {token}\n",
         "1: the secret {token} can stand in 'auth' only"},
        {BASE FIND "find.id = /id\nfind.created = /at\nfind.duration = s\n"
              "find.finished = s = 1\n",
         "13: find.duration: 's' " SPAN_FORM "\n14: find.finished: 's' is not"},
        {BASE FIND "find.id = /id\nfind.created = /at\nfind.finish = /s = 1\n",
         "13: unknown key 'find.finish'"},
        {BASE "find = GET /runs/{id}\nfind.id = /id\nfind.created = /at\n",
         "10: {id} is not known before the run is started"},
        {BASE FIND "find.id = /id\nfind.created = /at\nfind.where = /x = {id}\n",
         "1: {id} is not known before the run is started"},
        {BASE FIND "find.id = /id\nfind.created = /at\nfind.where = /x = {token}\n",
         "1: the secret {token} can stand in 'auth' only"},
        {BASE FIND "find.id = id\nfind.created = at\nfind.where = x = 1\nfind.items = y\n",
         "11: find.id: 'id' is not\n12: find.created: 'at' is not\n13: find.where: 'x' is not\n"
         "14: find.items: 'y' is not"},
        /* many at once, each where it stands */
        {"[provider:x]\ntitel = x\nstart = GO /x\nparam.A = string\nstatus.rules =\n  x\n  y\n"
         "errors = x\ncancel.gone = 1\n",
         "2: unknown key 'titel'\n3: start: 'GO /x'\n4: param.A: 'A'\n6: 'x' is not an outcome\n"
         "7: 'y' is not an outcome\n8: errors: 'x'\n9: cancel.gone: expected"},
        {HEAD "auth = A: {nope}\nparam.unused = string\n" START
              "status = GET /latest\nstatus.rules = passed P if /e missing\n"
              "start.rules = passed Q if /x = 1\ntests.name = /n\n",
         "1: there are keys of 'tests'\n3: {nope} is not a parameter\n"
         "4: parameter 'unused' is used nowhere\n7: the path of 'status'\n"
         "8: the rule 'passed P' asks only\n9: a start cannot say"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct loaded l;

        load(&l, rows[i].text);
        check_diags(rows[i].text, &l.diags, rows[i].diags);
        unload(&l);
    }
}

/* A secret can stand in auth, and there alone. */
static void test_secrets(void **state)
{
    static const char *const places[] = {
        "headers = X: {s}\n",
        "start.body./a = {s}\n",
        "start.body./a = x{s}\n",
        "start.query.a = {s}\n",
        "start.headers = X: {s}\n",
        "status.body./a = {s}\n",
        "status.query.a = {s}\n",
        "status.headers = X: {s}\n",
        "details = GET /{id}/{s}\n",
        "cancel = POST /{id}?k={s}\n",
        "url = https://x/{s}\n",
        "expect = {s}\n",
    };

    (void)state;
    for (size_t i = 0; i <= ARRAY_LEN(places); i++) {
        struct loaded l;
        char text[1000];

        snprintf(text, sizeof(text), BASE "param.s = secret\n%s",
                 i < ARRAY_LEN(places) ? places[i] : "");
        load(&l, text);
        assert_int_equal(l.diags.count, 1);
        if (!strstr(l.diags.items[0].text,
                    i < ARRAY_LEN(places) ? "the secret {s} can stand in 'auth' only"
                                          : "parameter 's' is used nowhere"))
            fail_msg("%s\n-> %s", text, l.diags.items[0].text);
        unload(&l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_keys), cmocka_unit_test(test_key_life),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_secrets),
    };

    return cmocka_run_group_tests_name("definition", tests, NULL, NULL);
}
