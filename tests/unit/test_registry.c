/* SPDX-License-Identifier: MIT */
/* Tests provider/registry: the built-in definitions, definitions of several files, and what one
 * takes over from another. */
#include "base/base.h"

#include "base/file.h"
#include "base/mem.h"
#include "provider/builtin.h"
#include "provider/registry.h"

#include <unistd.h>

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

enum { FILES = 3 };

struct fixture {
    char paths[FILES][40];
    struct diags diags;
    struct registry *registry;
};

static void open_with(struct fixture *f, const char *const *texts)
{
    const char *paths[FILES];
    size_t count = 0;

    memset(f, 0, sizeof(*f));
    for (; count < FILES && texts[count]; count++) {
        struct err e = {""};
        struct buf b;
        int fd;

        snprintf(f->paths[count], sizeof(f->paths[count]), "/tmp/rungate-test-XXXXXX");
        fd = mkstemp(f->paths[count]);
        assert_true(fd >= 0);
        close(fd);
        buf_init(&b, BUF_CAP_TEXT);
        buf_adds(&b, texts[count]);
        if (file_write(f->paths[count], &b, &e))
            fail_msg("%s", e.text);
        buf_free(&b);
        paths[count] = f->paths[count];
    }
    f->registry = registry_new(paths, count, &f->diags);
    diags_sort(&f->diags);
}

static void close_all(struct fixture *f)
{
    for (size_t i = 0; i < FILES; i++) {
        if (f->paths[i][0])
            unlink(f->paths[i]);
    }
    registry_free(f->registry);
    diags_free(&f->diags);
}

/* "N:LINE: message", N being the number of the file, from 1. */
static void check_diags(const char *row, const struct fixture *f, const char *expected)
{
    const char *p = expected;
    struct buf all;

    buf_init(&all, BUF_CAP_TEXT);
    for (size_t i = 0; i < f->diags.count; i++) {
        const struct diag *d = &f->diags.items[i];
        size_t n = 0;

        while (n < FILES && strcmp(f->paths[n], d->file) != 0)
            n++;
        if (n < FILES)
            buf_addf(&all, "%zu:%d: %s\n", n + 1, d->line, d->text);
        else
            buf_addf(&all, "%s:%d: %s\n", d->file, d->line, d->text);
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

/* --- built-in --------------------------------------------------------------------------------- */

static void test_builtin(void **state)
{
    struct diags d = {0};
    struct registry *r = registry_new(NULL, 0, &d);
    size_t count = 0;

    (void)state;
    assert_int_equal(d.count, 0);
    for (const char *name; (name = registry_name(r, count)); count++) {
        const struct provider *p = registry_find(r, name);

        if (!p)
            fail_msg("the definition of %s has mistakes", name);
        assert_string_equal(p->name, name);
        assert_true(p->title && p->docs && p->base_url && p->errors.count);
        assert_string_equal(p->trusted_url, p->base_url);
        assert_ptr_equal(registry_find(r, name), p);
        assert_true(registry_has(r, name));
        assert_non_null(strstr(registry_text(r, name), "[provider:"));
        assert_string_equal(registry_nearest(r, name), name);
    }
    assert_int_equal(count, builtin_provider_count);
    assert_true(count >= 2);
    assert_null(registry_find(r, "nobody"));
    assert_null(registry_text(r, "nobody"));
    assert_null(registry_nearest(r, "nothing-like-any-of-them"));
    assert_false(registry_has(r, ""));
    registry_free(r);
    registry_free(NULL);
}

/* Built-in definitions are read through a file too, so that their mistakes would be shown. */
static void test_builtin_as_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < builtin_provider_count; i++) {
        const char *copies[] = {NULL, NULL, NULL};
        const char *text = builtin_providers[i].text;
        const char *at = strstr(text, "[provider:");
        struct fixture f;
        struct buf b;

        assert_non_null(at);
        buf_init(&b, BUF_CAP_TEXT);
        buf_add(&b, text, (size_t)(at - text));
        buf_addf(&b, "[provider:a-copy-of.%s", at + strlen("[provider:"));
        copies[0] = b.text;
        open_with(&f, copies);
        check_diags(builtin_providers[i].name, &f, "");
        close_all(&f);
        buf_free(&b);
    }
}

/* --- files ------------------------------------------------------------------------------------ */

#define DEFINITION(name)                                                                           \
    "[provider:" name "]\nbase_url = https://" name ".example\nauth = A: {token}\n"                \
    "param.token = secret\nstart = POST /runs\nstart.id = /id\nstatus = GET /runs/{id}\n"          \
    "status.rules = passed P if /s = 1\n" /* 8 lines */

static void test_files(void **state)
{
    static const struct {
        const char *texts[FILES];
        const char *diags;
        const char *find, *base_url; /* NULL: there is none, or it has mistakes */
    } rows[] = {
        {{DEFINITION("a")}, "", "a", "https://a.example"},
        {{DEFINITION("a") DEFINITION("b"), DEFINITION("c")}, "", "c", "https://c.example"},
        {{DEFINITION("a") DEFINITION("b"), DEFINITION("c")}, "", "b", "https://b.example"},
        {{DEFINITION("0.9_x-y")}, "", "0.9_x-y", "https://0.9_x-y.example"},
        /* form */
        {{""}, "1:0: there is no definition in it: add a section [provider:NAME]", "a", NULL},
        {{"# nothing\n"}, "1:0: there is no definition in it", "a", NULL},
        {{DEFINITION("a") "word\n"}, "1:9: expected 'key = value'", "a", "https://a.example"},
        {{DEFINITION("a") "[run:x]\nprovider = a\n"},
         "1:9: unknown section [run:x]: a provider file holds [provider:NAME] sections", "a",
         "https://a.example"},
        {{DEFINITION("a") "[provider]\n"}, "1:9: unknown section [provider]", "a",
         "https://a.example"},
        {{DEFINITION("a") "[provider:]\n"}, "1:9: '' cannot name a provider: lower case letters",
         "", NULL},
        {{DEFINITION("a") "[provider:B]\n"}, "1:9: 'B' cannot name a provider", "B", NULL},
        {{DEFINITION("a") "[provider:b c]\n"}, "1:9: 'b c' cannot name a provider", "b c", NULL},
        {{DEFINITION("a") "[provider: b]\n"}, "1:9: ' b' cannot name a provider", "b", NULL},
        {{DEFINITION("a") "[provider:b/c]\n"}, "1:9: 'b/c' cannot name a provider", "b/c", NULL},
        /* twice */
        {{DEFINITION("a") DEFINITION("a")}, "1:9: section [provider:a] stands twice", "a",
         "https://a.example"},
        {{DEFINITION("a"), DEFINITION("a")},
         "2:1: there is a provider 'a' already: choose another name and write 'extends = a'", "a",
         "https://a.example"},
        /* mistakes of one are none of the others */
        {{"[provider:bad]\nstart = X\n" DEFINITION("a"), "[provider:worse]\nfoo = 1\n"},
         "1:2: start: 'X' is not a request\n2:2: unknown key 'foo' in [provider:worse]", "a",
         "https://a.example"},
        {{"[provider:bad]\nstart = X\n" DEFINITION("a")}, "1:2: start: 'X' is not a request",
         "bad", NULL},
        /* extending */
        {{DEFINITION("a") "[provider:b]\nextends = a\n"}, "", "b", "https://a.example"},
        {{DEFINITION("a") "[provider:b]\nextend = a\n"}, "", "b", "https://a.example"},
        {{"[provider:b]\nextends = a\nbase_url = https://b.example\n" DEFINITION("a")}, "", "b",
         "https://b.example"},
        {{"[provider:b]\nextends = a\n", DEFINITION("a")}, "", "b", "https://a.example"},
        {{DEFINITION("a"), "[provider:b]\nextends = a\nbase_url =\n"}, "", "b", "(none)"},
        {{DEFINITION("a") "[provider:b]\nextends = a\n[provider:c]\nextends = b\n"
          "base_url = https://c.example\n[provider:d]\nextends = c\n"},
         "", "d", "https://c.example"},
        {{DEFINITION("a") "[provider:b]\nextends = a\nbase_url = https://b.example\n"
          "[provider:c]\nextends = b\nbase_url =\n"},
         "", "c", "(none)"},
        {{DEFINITION("acme") "[provider:b]\nextends = amce\n"},
         "1:10: there is no provider 'amce' to extend; did you mean 'acme'?", "b", NULL},
        {{DEFINITION("a") "[provider:b]\nextends =\n"}, "1:10: there is no provider '' to extend",
         "b", NULL},
        {{"[provider:a]\nextends = a\n"},
         "1:2: more than 8 definitions extend each other, or they do so in a circle", "a", NULL},
        {{"[provider:a]\nextends = b\n[provider:b]\nextends = a\n"},
         "1:2: more than 8 definitions extend each other\n"
         "1:4: more than 8 definitions extend each other",
         "a", NULL},
        {{DEFINITION("a") "[provider:b]\nextends = a\nstatus.rules =\n"},
         "1:9: [provider:b] has no 'status.rules'", "b", NULL},
        {{DEFINITION("a") "[provider:b]\nextends = a\nauth =\n"},
         "1:4: parameter 'token' is used nowhere", "b", NULL},
        {{DEFINITION("a") "[provider:b]\nextends = a\nparam.token =\nauth =\n"}, "", "b",
         "https://a.example"},
        /* a mistake that comes about by extending stands where the text stands */
        {{"# 1\n# 2\n[provider:b]\nextends = a\nparam.token =\n", DEFINITION("a")},
         "2:3: {token} is not a parameter", "b", NULL},
        {{"[provider:b]\nextends = a\nparam.token =\nauth =\n  # x\n  B: {x}\n", DEFINITION("a")},
         "1:6: {x} is not a parameter", "b", NULL},
        {{"[provider:b]\nextends = a\nstart = POST /{n}\n", DEFINITION("a")},
         "1:3: {n} is not a parameter", "b", NULL},
        {{"[provider:b]\nextends = a\n",
          DEFINITION("a") "start.rules =\n  error E if /x = 1\nparam.n = string\n"
                          "start.body./n = {n} if n = 1\n"},
         "", "b", "https://a.example"},
        {{"[provider:b]\nextends = a\nparam.n =\n",
          DEFINITION("a") "param.n = string\nstart.body./n = x if n = 1\n"},
         "2:10: the condition asks for 'n', which is not a parameter", "b", NULL},
        {{"[provider:b]\nextends = a\nstart.body./n =\n",
          DEFINITION("a") "param.n = string\nstart.body./n = {n}\n"},
         "2:9: parameter 'n' is used nowhere", "b", NULL},
        {{"[provider:b]\nextends = a\nstart.capture.x =\n",
          DEFINITION("a") "start.capture.x = /x\ncancel = POST /x/{x}\n"},
         "2:10: {x} is not a parameter\n2:10: the path of 'cancel' does not say", "b", NULL},
        /* an entry that is read, but wrong, is reported in the file where it stands */
        {{"[provider:b]\nextends = a\nparam.n = integer\n",
          "[provider:a]\nstart.query.n = {n}\nstart = X\n"},
         "2:3: start: 'X' is not a request\n2:3: start: 'X' is not a request", "b", NULL},
        /* names of built-in ones are taken: see below */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct provider *p;
        struct fixture f;

        open_with(&f, rows[i].texts);
        check_diags(rows[i].texts[0], &f, rows[i].diags);
        p = registry_find(f.registry, rows[i].find);
        if ((p == NULL) != (rows[i].base_url == NULL))
            fail_msg("%s\n%s is%s there", rows[i].texts[0], rows[i].find, p ? "" : " not");
        if (p)
            assert_string_equal(p->base_url ? p->base_url : "(none)", rows[i].base_url);
        if (p)
            assert_null(p->trusted_url);
        close_all(&f);
    }
}

static void test_files_that_are_none(void **state)
{
    static const char *const paths[] = {"/nowhere/at/all.ini", "/"};
    struct diags d = {0};
    struct registry *r = registry_new(paths, ARRAY_LEN(paths), &d);
    char path[] = "/tmp/rungate-test-XXXXXX";
    const char *nul[] = {path};
    int fd = mkstemp(path);

    (void)state;
    assert_int_equal(d.count, 2);
    assert_string_equal(d.items[0].file, paths[0]);
    assert_non_null(strstr(d.items[0].text, paths[0]));
    assert_non_null(registry_find(r, registry_name(r, 0)));
    registry_free(r);
    diags_free(&d);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, "[provider:a]\0\n", 14), 14);
    close(fd);
    r = registry_new(nul, 1, &d);
    assert_int_equal(d.count, 1);
    assert_string_equal(d.items[0].text, "it holds a NUL byte: it is not a text file");
    registry_free(r);
    diags_free(&d);
    unlink(path);
}

static void test_chain(void **state)
{
    (void)state;
    for (int length = 7; length <= 9; length++) {
        const char *texts[FILES] = {NULL};
        struct fixture f;
        struct buf b;

        buf_init(&b, BUF_CAP_TEXT);
        buf_adds(&b, DEFINITION("p0"));
        for (int i = 1; i < length; i++)
            buf_addf(&b, "[provider:p%d]\nextends = p%d\n", i, i - 1);
        texts[0] = b.text;
        open_with(&f, texts);
        assert_int_equal(f.diags.count, length > 8);
        assert_int_equal(registry_find(f.registry, "p7") != NULL, length >= 8);
        assert_null(registry_find(f.registry, "p8"));
        close_all(&f);
        buf_free(&b);
    }
}

/* What extends a built-in definition keeps the origin that is trusted with its secrets, wherever
 * it sends them itself. */
static void test_extending_builtin(void **state)
{
    (void)state;
    for (size_t i = 0; i < builtin_provider_count; i++) {
        const char *name = builtin_providers[i].name;
        const char *texts[FILES] = {NULL};
        const struct provider *p, *own, *nowhere, *grandchild;
        struct fixture f;
        struct buf b, expected;

        buf_init(&b, BUF_CAP_TEXT);
        buf_init(&expected, BUF_CAP_TEXT);
        buf_addf(&b,
                 "[provider:own]\nextends = %s\ntitle = Mine\nbase_url = https://evil.example\n"
                 "[provider:nowhere]\nextends = %s\nbase_url =\n"
                 "[provider:grandchild]\nextends = own\ntitle =\n[provider:%s]\n",
                 name, name, name);
        texts[0] = b.text;
        open_with(&f, texts);
        buf_addf(&expected, "1:11: there is a provider '%s' already: choose another name", name);
        check_diags(b.text, &f, expected.text);
        p = registry_find(f.registry, name);
        own = registry_find(f.registry, "own");
        nowhere = registry_find(f.registry, "nowhere");
        grandchild = registry_find(f.registry, "grandchild");
        assert_true(p && own && nowhere && grandchild);
        assert_string_equal(own->title, "Mine");
        assert_string_equal(own->base_url, "https://evil.example");
        assert_string_equal(own->trusted_url, p->base_url);
        assert_string_equal(own->docs, p->docs);
        assert_string_equal(own->file, f.paths[0]);
        assert_int_equal(own->line, 1);
        assert_null(nowhere->base_url);
        assert_string_equal(nowhere->trusted_url, p->base_url);
        assert_null(grandchild->title);
        assert_string_equal(grandchild->base_url, "https://evil.example");
        assert_string_equal(grandchild->trusted_url, p->base_url);
        assert_int_equal(grandchild->status_rules.count, p->status_rules.count);
        assert_string_equal(registry_text(f.registry, "own"), b.text);
        assert_ptr_equal(registry_text(f.registry, name), registry_text(f.registry, name));
        assert_string_equal(registry_text(f.registry, name), builtin_providers[i].text);
        assert_string_equal(registry_name(f.registry, builtin_provider_count), "own");
        close_all(&f);
        buf_free(&b);
        buf_free(&expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_builtin),
        cmocka_unit_test(test_builtin_as_files),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_files_that_are_none),
        cmocka_unit_test(test_chain),
        cmocka_unit_test(test_extending_builtin),
    };

    return cmocka_run_group_tests_name("registry", tests, NULL, NULL);
}
