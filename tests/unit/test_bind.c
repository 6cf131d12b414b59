/* SPDX-License-Identifier: MIT */
/* Tests provider/bind: what becomes of the values that a pipeline file, the environment and the
 * definition offer for each parameter, and every refusal with its place. */
#include "base/base.h"

#include "base/mem.h"
#include "base/secret.h"
#include "provider/bind.h"
#include "provider/definition.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static const char *environment(const char *name)
{
    static const char *const values[][2] = {
        {"X_TOKEN", "env-token"}, {"EMPTY", ""},    {"N", "7"},          {"QUOTE", "a\"b\\c"},
        {"LINE", "a\nb"},         {"TAB", "a\tb"},  {"CRLF", "tok\r\n"},
        {"JSON", "[1, {\"a\": 2}]"},
        {"BRACE", "${N} $$ {n}"}, {"WORD", "word"},
    };

    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        if (strcmp(values[i][0], name) == 0)
            return values[i][1];
    }
    return NULL;
}

static const char definition[] =
    "[provider:acme]\n"
    "base_url = https://api.example/v1/\n"
    "param.token = secret env=X_TOKEN\n"
    "param.must = secret required env=X_MUST\n"
    "param.text = string default={ci.branch}\n"
    "param.fixed = string default=f-{ci.actor}-x\n"
    "param.plain = string default=plain\n"
    "param.n = integer\n"
    "param.low = integer min=-3\n"
    "param.high = integer max=10\n"
    "param.range = integer min=1 max=10 default=5\n"
    "param.on = boolean\n"
    "param.data = json\n"
    "param.list = array min=1 max=2\n"
    "param.rest = array min=1\n"
    "param.map = object\n"
    "param.kind = choice(a|b|c)\n"
    "param.env = string env=WORD\n"
    "param.void = string env=EMPTY\n"
    "expect = {n}m\n";

struct bound {
    struct ini ini;
    struct provider provider;
    struct pipeline pipeline;
    struct binding binding;
    struct ci ci;
    struct diags diags, warnings;
};

static const char *const defines[] = {"DEFINED=by-define", "WORD2=x"};
static const struct vars vars = {
    .defines = defines, .define_count = ARRAY_LEN(defines), .getenv = environment};

static void bind_text(struct bound *b, const char *text, const struct override *overrides,
                      size_t count)
{
    struct pipeline_source source = {.file = "p.ini",
                                     .text = text,
                                     .len = strlen(text),
                                     .vars = vars,
                                     .overrides = overrides,
                                     .override_count = count};
    struct definition_entry entries[50];
    struct diags none = {0};

    memset(b, 0, sizeof(*b));
    ini_load(&b->ini, "d.ini", definition, strlen(definition), &none);
    for (size_t i = 0; i < b->ini.sections[0].count; i++)
        entries[i] = (struct definition_entry){"d.ini", &b->ini.sections[0].entries[i]};
    b->provider.name = mem_strdup("acme");
    definition_read(&b->provider, entries, b->ini.sections[0].count, &none);
    assert_int_equal(none.count, 0);
    b->ci.values[CI_BRANCH] = mem_strdup("main");
    pipeline_load(&b->pipeline, &source, &b->diags);
    binding_make(&b->binding, &b->pipeline, &b->pipeline.runs[0], &b->provider, &b->ci, &vars,
                 &b->diags, &b->warnings);
    binding_check_secrets(&b->binding, &b->pipeline, &b->diags);
}

static void unbind(struct bound *b)
{
    binding_free(&b->binding);
    ci_free(&b->ci);
    pipeline_free(&b->pipeline);
    provider_free(&b->provider);
    ini_free(&b->ini);
    diags_free(&b->diags);
    diags_free(&b->warnings);
    secret_clear();
}

static const struct bound_value *value_of(const struct bound *b, const char *name)
{
    return &b->binding.values[provider_param(&b->provider, name) - b->provider.params];
}

static void add_diags(struct buf *out, const struct diags *d)
{
    buf_clear(out);
    for (size_t i = 0; i < d->count; i++)
        buf_addf(out, "%s%s:%d: %s", i ? "\n" : "", d->items[i].file, d->items[i].line,
                 d->items[i].text);
}

/* expected: the mistakes, one a line, of the last one its beginning. */
static void check_diags(const char *row, const struct diags *d, const char *expected)
{
    size_t count = *expected ? 1 : 0;
    struct buf got;

    for (const char *p = expected; *p; p++)
        count += *p == '\n' ? 1 : 0;
    buf_init(&got, BUF_CAP_TEXT);
    add_diags(&got, d);
    if (strncmp(got.text, expected, strlen(expected)) != 0 || d->count != count)
        fail_msg("%s\ngot\n%s\nexpected\n%s", row, got.text, expected);
    buf_free(&got);
}

/* Line 3 holds the key of the row; "must" has its value, so that nothing else is amiss. */
#define RUN "[run:r]\nprovider = acme\n"
#define MUST "must = ${WORD}\n"

static void test_values(void **state)
{
    static const struct {
        const char *name;
        const char *line;   /* what the pipeline file says; "" is nothing */
        const char *value;  /* NULL: unset */
        const char *origin; /* NULL when unset */
        const char *diags;  /* the beginning of the mistakes */
        const char *warnings;
    } rows[] = {
        /* where values come from */
        {"plain", "", "plain", "default of acme", "", ""},
        {"plain", "plain = own", "own", "p.ini:3", "", ""},
        {"plain", "plain = ${N}", "7", "p.ini:3, ${N} of the environment", "", ""},
        {"plain", "plain =", NULL, NULL, "", ""},
        {"plain", "plain = ${EMPTY}", NULL, NULL, "", ""},
        {"text", "", "main", "default of acme", "", ""},
        {"text", "text = own", "own", "p.ini:3", "", ""},
        {"fixed", "", NULL, NULL, "", ""}, /* {ci.actor} is not known */
        {"env", "", "word", "the environment variable WORD", "", ""},
        {"env", "env = own", "own", "p.ini:3", "", ""},
        {"env", "env =", NULL, NULL, "", ""},
        {"void", "", NULL, NULL, "", ""},
        {"plain", "plain = ${BRACE}", "${N} $$ {n}", "p.ini:3, ${BRACE} of the environment", "",
         ""},
        {"plain", "plain = a\n  b", "a\nb", "p.ini:3", "", ""},
        {"plain", "plain = ${NOPE}", NULL, NULL, "p.ini:3: variable NOPE is not set", ""},
        /* secrets */
        {"token", "", "env-token", "the environment variable X_TOKEN", "", ""},
        {"token", "token = ${WORD}", "word", "p.ini:3, ${WORD} of the environment", "", ""},
        {"token", "token = abc", "abc", "p.ini:3", "",
         "p.ini:3: 'token' stands here in plain text; write ${NAME} and keep it in the"},
        {"token", "token = abc${WORD}", "abcword", "p.ini:3, ${WORD} of the environment", "", ""},
        {"token", "token =", NULL, NULL, "", ""},
        {"token", "token = ${DEFINED}", "by-define", "p.ini:3, ${DEFINED} of -D", "",
         "p.ini:3: 'token' was given by -D, on the command line, which is there for all to read"},
        {"plain", "plain = ${DEFINED}", "by-define", "p.ini:3, ${DEFINED} of -D", "", ""},
        {"token", "token = ${CRLF}", NULL, NULL,
         "p.ini:3: the secret 'token' holds a line end or a tab", ""},
        {"token", "token = ${LINE}", NULL, NULL, "p.ini:3: the secret 'token' holds a line end",
         ""},
        {"token", "token = ${TAB}", NULL, NULL, "p.ini:3: the secret 'token' holds a line end", ""},
        /* integers */
        {"n", "n = 0", "0", "p.ini:3", "", ""},
        {"n", "n = -9223372036854775807", "-9223372036854775807", "p.ini:3", "", ""},
        {"n", "n = 9223372036854775807", "9223372036854775807", "p.ini:3", "", ""},
        {"n", "n = ${N}", "7", "p.ini:3, ${N} of the environment", "", ""},
        {"n", "n = 9223372036854775808", NULL, NULL,
         "p.ini:3: n = '9223372036854775808': expected an integer", ""},
        {"n", "n = 1.0", NULL, NULL, "p.ini:3: n = '1.0': expected an integer", ""},
        {"n", "n = 1e3", NULL, NULL, "p.ini:3: n = '1e3': expected an integer", ""},
        {"n", "n = 0x10", NULL, NULL, "p.ini:3: n = '0x10': expected an integer", ""},
        {"n", "n = +1", NULL, NULL, "p.ini:3: n = '+1': expected an integer", ""},
        {"n", "n = 1 2", NULL, NULL, "p.ini:3: n = '1 2': expected an integer", ""},
        {"n", "n = -", NULL, NULL, "p.ini:3: n = '-': expected an integer", ""},
        {"low", "low = -3", "-3", "p.ini:3", "", ""},
        {"low", "low = -4", NULL, NULL,
         "p.ini:3: low = '-4': expected an integer of at least -3", ""},
        {"high", "high = 10", "10", "p.ini:3", "", ""},
        {"high", "high = 11", NULL, NULL,
         "p.ini:3: high = '11': expected an integer of at most 10", ""},
        {"range", "", "5", "default of acme", "", ""},
        {"range", "range = 1", "1", "p.ini:3", "", ""},
        {"range", "range = 0", NULL, NULL,
         "p.ini:3: range = '0': expected an integer from 1 to 10", ""},
        {"range", "range = 11", NULL, NULL, "p.ini:3: range = '11': expected an integer from 1",
         ""},
        /* booleans */
        {"on", "on = yes", "true", "p.ini:3", "", ""},
        {"on", "on = 1", "true", "p.ini:3", "", ""},
        {"on", "on = off", "false", "p.ini:3", "", ""},
        {"on", "on = TRUE", NULL, NULL, "p.ini:3: on = 'TRUE': expected yes or no", ""},
        {"on", "on = 2", NULL, NULL, "p.ini:3: on = '2': expected yes or no", ""},
        /* JSON */
        {"data", "data = {\"a\": [1, 2.5, null, true]}", "{\"a\": [1, 2.5, null, true]}", "p.ini:3",
         "", ""},
        {"data", "data =\n  [1,\n   2]", "[1,\n2]", "p.ini:3", "", ""},
        {"data", "data = \"text\"", "\"text\"", "p.ini:3", "", ""},
        {"data", "data = null", "null", "p.ini:3", "", ""},
        {"data", "data = ${JSON}", "[1, {\"a\": 2}]", "p.ini:3, ${JSON} of the environment", "",
         ""},
        {"data", "data = {\"a\": ${N}}", "{\"a\": 7}", "p.ini:3, ${N} of the environment", "", ""},
        {"data", "data = {a: 1}", NULL, NULL, "p.ini:3: data: not JSON: ", ""},
        {"data", "data = {'a': 1}", NULL, NULL, "p.ini:3: data: not JSON: ", ""},
        {"data", "data = [1,]", NULL, NULL, "p.ini:3: data: not JSON: ", ""},
        {"data", "data = {\"a\": 1, \"a\": 2}", NULL, NULL, "p.ini:3: data: not JSON: ", ""},
        {"data", "data = 1 2", NULL, NULL, "p.ini:3: data: not JSON: ", ""},
        {"data", "data = text", NULL, NULL, "p.ini:3: data: not JSON: ", ""},
        {"list", "list = [{}]", "[{}]", "p.ini:3", "", ""},
        {"list", "list = []", NULL, NULL,
         "p.ini:3: list: expected an array with a size from 1 to 2", ""},
        {"list", "list = [1, 2, 3]", NULL, NULL,
         "p.ini:3: list: expected an array with a size from 1 to 2", ""},
        {"list", "list = {\"a\": 1}", NULL, NULL, "p.ini:3: list: expected a JSON array, [...]", ""},
        {"list", "list = null", NULL, NULL, "p.ini:3: list: expected a JSON array, [...]", ""},
        {"list", "list = [1,]", NULL, NULL, "p.ini:3: list: not JSON: ", ""},
        {"list", "list = [\"${QUOTE}\"]", "[\"a\\\"b\\\\c\"]",
         "p.ini:3, ${QUOTE} of the environment", "", ""},
        {"rest", "rest = []", NULL, NULL,
         "p.ini:3: rest: expected an array with a size of at least 1", ""},
        {"map", "map = {}", "{}", "p.ini:3", "", ""},
        {"map", "map = []", NULL, NULL, "p.ini:3: map: expected a JSON object, {...}", ""},
        {"map", "map = \"{}\"", NULL, NULL, "p.ini:3: map: expected a JSON object, {...}", ""},
        /* a variable cannot leave the string that it stands in */
        {"data", "data = {\"a\": \"<${QUOTE}>\"}", "{\"a\":\"<a\\\"b\\\\c>\"}",
         "p.ini:3, ${QUOTE} of the environment", "", ""},
        {"data", "data = [\"${LINE}\", 1.5, \"$$\"]", "[\"a\\nb\",1.5,\"$\"]",
         "p.ini:3, ${LINE} of the environment", "", ""},
        {"data", "data = {\"a\": \"${BRACE}\"}", "{\"a\":\"${N} $$ {n}\"}",
         "p.ini:3, ${BRACE} of the environment", "", ""},
        {"data", "data = {\"${WORD}\": \"${N}\"}", NULL, NULL,
         "p.ini:3: data: a variable cannot stand in the name of a member, only in a value", ""},
        {"data", "data = {\"a\": {\"${WORD}\": 1}}", NULL, NULL,
         "p.ini:3: data: a variable cannot stand in the name of a member", ""},
        /* choices */
        {"kind", "kind = b", "b", "p.ini:3", "", ""},
        {"kind", "kind = B", NULL, NULL, "p.ini:3: kind = 'B': expected one of: a, b, c", ""},
        {"kind", "kind = a|b", NULL, NULL, "p.ini:3: kind = 'a|b': expected one of: a, b, c", ""},
        {"kind", "kind = ab", NULL, NULL, "p.ini:3: kind = 'ab': expected one of", ""},
        /* keys that are neither ours nor the provider's */
        {"n", "knd = a", NULL, NULL,
         "p.ini:3: unknown key 'knd': neither a key of runs nor a parameter of acme; did you mean "
         "'kind'?",
         ""},
        {"n", "tiemout = 1m", NULL, NULL, "p.ini:3: unknown key 'tiemout': neither a key of runs "
                                          "nor a parameter of acme; did you mean 'timeout'?",
         ""},
        {"n", "qqqqqq = 1m", NULL, NULL, "p.ini:3: unknown key 'qqqqqq': neither", ""},
        {"n", "base_url =", NULL, NULL, "p.ini:3: '' is not a value for base_url", ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct bound_value *value;
        struct bound b;
        char text[400];

        snprintf(text, sizeof(text), RUN "%s\n" MUST, rows[i].line);
        bind_text(&b, text, NULL, 0);
        check_diags(text, &b.diags, rows[i].diags);
        check_diags(text, &b.warnings, rows[i].warnings);
        value = value_of(&b, rows[i].name);
        if ((value->text == NULL) != (rows[i].value == NULL) ||
            (value->text && strcmp(value->text, rows[i].value) != 0))
            fail_msg("%s\ngot '%s', expected '%s'", text, value->text, rows[i].value);
        if (value->text)
            assert_string_equal(value->origin, rows[i].origin);
        else
            assert_null(value->origin);
        unbind(&b);
    }
}

static void test_missing(void **state)
{
    static const struct {
        const char *text, *diags;
    } rows[] = {
        {RUN, "p.ini:1: run 'r': 'must' is missing: provider acme needs a secret there; set it, or "
              "the environment variable X_MUST"},
        {RUN "must =\n",
         "p.ini:3: 'must' is missing: provider acme needs a secret there; the value "
                         "given (p.ini:3) is empty; set it, or the environment variable X_MUST"},
        {RUN "must = ${EMPTY}\n", "p.ini:3: 'must' is missing: provider acme needs a secret there; "
                                  "the value given (p.ini:3, ${EMPTY} of the environment) is "
                                  "empty"},
        {RUN "must = ${NOPE}\n", "p.ini:3: variable NOPE is not set"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bound b;

        bind_text(&b, rows[i].text, NULL, 0);
        check_diags(rows[i].text, &b.diags, rows[i].diags);
        assert_int_equal(b.diags.count, 1);
        unbind(&b);
    }
}

static void test_command_line(void **state)
{
    static const struct {
        struct override o;
        const char *diags;
        size_t warnings;
    } rows[] = {
        {{"r", "token", "s3cret", "-s r.token", true},
         "-s r.token:0: 'token' is a secret: the command line is there for all to read; use the "
         "environment variable X_TOKEN",
         0},
        {{"r", "token", "", "-s r.token", true}, "", 0},
        {{"r", "token", "s3cret", "the environment variable RUNGATE_X", false}, "", 1},
        {{"r", "n", "x", "-s r.n", true}, "-s r.n:0: n = 'x': expected an integer", 0},
        {{"r", "must", "", "-s r.must", true},
         "p.ini:1: run 'r': 'must' is missing: provider acme needs a secret there; the value given "
         "(-s r.must) is empty",
         0},
        {{"r", "foo", "1", "-s r.foo", true}, "-s r.foo:0: unknown key 'foo'", 0},
        {{"r", "plain", "given", "-s r.plain", true}, "", 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bound b;

        bind_text(&b, RUN MUST "plain = file\n", &rows[i].o, 1);
        check_diags(rows[i].o.origin, &b.diags, rows[i].diags);
        assert_int_equal(b.warnings.count, rows[i].warnings);
        if (strcmp(rows[i].o.key, "plain") == 0)
            assert_string_equal(value_of(&b, "plain")->text, "given");
        unbind(&b);
    }
}

/* A secret that was read stands in no other parameter; a short one may be a word by chance. */
static void test_misplaced_secrets(void **state)
{
    static const struct {
        const char *lines, *diags;
    } rows[] = {
        {"token = a${WORD}b12\nplain = see awordb12!\n",
         "p.ini:4: a secret stands in 'plain', which is not secret: it would be sent in plain"},
        {"token = a${WORD}b12\ndata = [\"awordb12\"]\n", "p.ini:4: a secret stands in 'data'"},
        {"token = a${WORD}b12\nplain = aword\n", ""},
        {"token = ${WORD}\nplain = a word\n", ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bound b;
        char text[300];

        snprintf(text, sizeof(text), RUN "%s" MUST, rows[i].lines);
        bind_text(&b, text, NULL, 0);
        check_diags(text, &b.diags, rows[i].diags);
        unbind(&b);
    }
}

/* A secret is known to the redaction as soon as it was read, whether or not it can be used. */
static void test_secrets_are_hidden(void **state)
{
    static const struct {
        const char *line, *shown, *hidden;
    } rows[] = {
        {"token = ${WORD}\n", "a word b", "a *** b"},
        {"", "an env-token", "an ***"},
        {"token = ${CRLF}\n", "tok\r\n", "***"},
        {"plain = ${WORD}\n", "only must = word is", "only must = *** is"},
        {"plain = plainly\n", "plainly", "plainly"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf seen;
        char *text = mem_strdup(rows[i].shown);
        char file[200];
        struct bound b;

        snprintf(file, sizeof(file), RUN "%s" MUST, rows[i].line);
        bind_text(&b, file, NULL, 0);
        buf_init(&seen, BUF_CAP_TEXT);
        buf_adds(&seen, text);
        secret_redact(&seen);
        assert_string_equal(seen.text, rows[i].hidden);
        buf_free(&seen);
        free(text);
        unbind(&b);
    }
}

static void test_base_url(void **state)
{
    static const struct {
        const char *line, *url, *origin;
    } rows[] = {
        {"", "https://api.example/v1", "acme"},
        {"base_url = http://127.0.0.1:8080\n", "http://127.0.0.1:8080", "p.ini:3"},
        {"base_url = https://x//\n", "https://x", "p.ini:3"},
        {"base_url = https://${WORD}/\n", "https://word", "p.ini:3, ${WORD} of the environment"},
    };
    struct bound b;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[200];

        snprintf(text, sizeof(text), RUN "%s" MUST, rows[i].line);
        bind_text(&b, text, NULL, 0);
        assert_int_equal(b.diags.count, 0);
        assert_string_equal(b.binding.base_url, rows[i].url);
        assert_string_equal(b.binding.base_url_origin, rows[i].origin);
        unbind(&b);
    }
    /* none at all */
    bind_text(&b, RUN MUST, NULL, 0);
    binding_free(&b.binding);
    free(b.provider.base_url);
    b.provider.base_url = NULL;
    binding_make(&b.binding, &b.pipeline, &b.pipeline.runs[0], &b.provider, &b.ci, &vars, &b.diags,
                 &b.warnings);
    check_diags("no base_url", &b.diags,
                "p.ini:1: run 'r': 'base_url' is missing: provider acme names none");
    assert_string_equal(b.binding.base_url, "");
    unbind(&b);
}

/* A key of [defaults] need not fit every run, but one of them. */
static void test_defaults(void **state)
{
    static const struct {
        const char *defaults, *diags;
    } rows[] = {
        {"[defaults]\nn = 3\n", ""},
        {"[defaults]\nfoo = 3\n", "p.ini:5: unknown key 'foo': neither a key of runs nor a "
                                  "parameter of any run's provider"},
        {"[defaults]\nn = 3\nfoo = 1\nbar = 2\n",
         "p.ini:6: unknown key 'foo': neither a key of runs nor a parameter of any run's provider\n"
         "p.ini:7: unknown key 'bar': neither a key of runs nor a parameter of any"},
        {"[defaults]\nn = x\n", "p.ini:5: n = 'x': expected an integer"},
        {"[defaults]\noutage = 3m\n", ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bound b;
        char text[200];

        snprintf(text, sizeof(text), RUN MUST "%s", rows[i].defaults);
        bind_text(&b, text, NULL, 0);
        binding_check_defaults(&b.pipeline, &b.diags);
        check_diags(text, &b.diags, rows[i].diags);
        unbind(&b);
    }
}

static void test_scope(void **state)
{
    char name[] = "region", value[] = "eu";
    struct capture capture = {name, value};
    struct scope scope = {.captures = &capture, .capture_count = 1};
    struct bound b;

    (void)state;
    bind_text(&b, RUN MUST "n = 12\n", NULL, 0);
    scope.binding = &b.binding;
    assert_string_equal(scope_value(&scope, "n"), "12");
    assert_string_equal(scope_value(&scope, "must"), "word");
    assert_null(scope_value(&scope, "kind"));
    assert_null(scope_value(&scope, "id"));
    scope.id = "r1";
    assert_string_equal(scope_value(&scope, "id"), "r1");
    assert_string_equal(scope_value(&scope, "region"), "eu");
    assert_null(scope_value(&scope, "Region"));
    assert_string_equal(scope_value(&scope, "ci.branch"), "main");
    assert_null(scope_value(&scope, "ci.sha"));
    assert_null(scope_value(&scope, "ci.nope"));
    assert_null(scope_value(&scope, "ci."));
    assert_null(scope_value(&scope, ""));
    unbind(&b);
}

static void test_expected(void **state)
{
    static const struct {
        const char *expect, *line;
        int64_t ms;
    } rows[] = {
        {"{n}m", "n = 5\n", 300000},   {"{n}m", "", -1},           {"{n}m", "n = -5\n", -1},
        {"{n}", "n = 90\n", 90000},    {"90s", "", 90000},
        {"{plain}", "plain = 1h30m\n", 5400000},
        {"{plain}", "plain = soon\n", -1}, {"{n}m", "n = 99999999999\n", -1},
        {NULL, "n = 5\n", -1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bound b;
        char text[200];

        snprintf(text, sizeof(text), RUN MUST "%s", rows[i].line);
        bind_text(&b, text, NULL, 0);
        mem_replace(&b.provider.expect, rows[i].expect);
        assert_int_equal(binding_expected_ms(&b.binding), rows[i].ms);
        unbind(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),   cmocka_unit_test(test_missing),
        cmocka_unit_test(test_command_line), cmocka_unit_test(test_secrets_are_hidden),
        cmocka_unit_test(test_misplaced_secrets),
        cmocka_unit_test(test_base_url), cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_scope),    cmocka_unit_test(test_expected),
    };

    return cmocka_run_group_tests_name("bind", tests, NULL, NULL);
}
