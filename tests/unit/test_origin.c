/* SPDX-License-Identifier: MIT */
/* Tests net/origin: where the requests of a run, its secrets, and all traffic through a proxy may
 * go. */
#include "base/base.h"

#include "base/secret.h"
#include "net/origin.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static void add_all(struct origins *o, const char *const *urls)
{
    struct err e = {""};

    memset(o, 0, sizeof(*o));
    for (size_t i = 0; urls[i]; i++) {
        if (origins_add(o, urls[i], &e))
            fail_msg("%s: %s", urls[i], e.text);
    }
}

static void test_add(void **state)
{
    static const struct {
        const char *url, *origin; /* NULL: refused */
    } rows[] = {
        {"https://api.example", "https://api.example:443"},
        {"https://API.example/path?query", "https://api.example:443"},
        {"https://api.example:8443", "https://api.example:8443"},
        {"http://127.0.0.1:81", "http://127.0.0.1:81"},
        {"http://api.example", NULL},
        {"api.example", NULL},
        {"*", NULL},
        {"https://*.example", NULL},
        {"", NULL},
        {"https://user@api.example", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct origins o = {0};
        struct err e = {""};
        int rc = origins_add(&o, rows[i].url, &e);

        if (rc != (rows[i].origin ? 0 : -1) || o.count != (rows[i].origin ? 1u : 0u) ||
            (rows[i].origin && strcmp(o.items[0], rows[i].origin) != 0))
            fail_msg("'%s': %d, %s", rows[i].url, rc, o.count ? o.items[0] : e.text);
        if (!rows[i].origin)
            assert_true(*e.text);
        origins_free(&o);
        assert_int_equal(o.count, 0);
    }
}

#define BUILTIN "https://api.k6.example"
#define OWN "https://own.example"
#define WOULD "a secret of run 'r' would go to "

static void test_binding(void **state)
{
    static const struct {
        const char *base_url, *trusted; /* trusted NULL: a user's own definition */
        bool secret;
        const char *allowed[3];
        const char *message; /* NULL: it may go */
    } rows[] = {
        /* the built-in origin */
        {BUILTIN, BUILTIN, true, {NULL}, NULL},
        {BUILTIN "/v2/x", BUILTIN "/v1", true, {NULL}, NULL},
        {"HTTPS://API.K6.EXAMPLE:443", BUILTIN, true, {NULL}, NULL},
        {BUILTIN ":0443/x", BUILTIN, true, {NULL}, NULL},
        /* what only looks like it */
        {BUILTIN ":8443", BUILTIN, true, {NULL},
         WOULD "https://api.k6.example:8443, which is not the built-in origin of its provider, "
               "https://api.k6.example:443; if that is meant, allow it with --allow-origin "
               "https://api.k6.example:8443"},
        {BUILTIN ":80", BUILTIN, true, {NULL}, WOULD "https://api.k6.example:80"},
        {BUILTIN ".", BUILTIN, true, {NULL}, WOULD "https://api.k6.example.:443"},
        {BUILTIN ".evil.com", BUILTIN, true, {NULL}, WOULD "https://api.k6.example.evil.com:443"},
        {BUILTIN "%2eevil.com", BUILTIN, true, {NULL}, WOULD "https://api.k6.example.evil.com"},
        {"https://evil.com/" BUILTIN, BUILTIN, true, {NULL}, WOULD "https://evil.com:443"},
        {"https://evil.com/?" BUILTIN, BUILTIN, true, {NULL}, "base_url 'https://evil.com/?"},
        {"https://k6.example", BUILTIN, true, {NULL}, WOULD "https://k6.example:443"},
        {"https://api-k6.example", BUILTIN, true, {NULL}, WOULD "https://api-k6.example:443"},
        {"https://\xEF\xBD\x81pi.k6.example", BUILTIN, true, {NULL},
         WOULD "https://\xEF\xBD\x81pi"},
        {"https://\xD0\xB0pi.k6.example", BUILTIN, true, {NULL}, WOULD "https://\xD0\xB0pi"},
        {"https://127.0.0.1.evil.com", BUILTIN, true, {NULL}, WOULD "https://127.0.0.1.evil.com"},
        {"https://0.0.0.0", BUILTIN, true, {NULL}, WOULD "https://0.0.0.0:443"},
        /* this machine */
        {"http://127.0.0.1:8080", BUILTIN, true, {NULL}, NULL},
        {"http://127.1/x", BUILTIN, true, {NULL}, NULL},
        {"http://[::1]:8080", NULL, true, {NULL}, NULL},
        {"http://LOCALHOST", NULL, true, {NULL}, NULL},
        {"https://localhost:8443", NULL, true, {NULL}, NULL},
        {"http://localhost.", NULL, true, {NULL}, "'http://localhost.' is not encrypted"},
        {"http://127.0.0.256", NULL, true, {NULL}, "'http://127.0.0.256' is not encrypted"},
        /* without encryption */
        {"http://api.k6.example", BUILTIN, true, {NULL},
         "'http://api.k6.example' is not encrypted"},
        {"http://api.k6.example", BUILTIN, false, {NULL}, "'http://api.k6.example' is not"},
        {"http://10.0.0.1", BUILTIN, true, {"https://10.0.0.1"}, "'http://10.0.0.1' is not"},
        /* what the operator allows */
        {"https://own.example/x", BUILTIN, true, {"https://own.example/y"}, NULL},
        {"https://own.example", NULL, true, {"https://other.example", "https://OWN.example"}, NULL},
        {"https://own.example", NULL, true, {NULL},
         WOULD "https://own.example:443, which is not the built-in origin of its provider; if "
         "that"},
        {"https://own.example", NULL, true, {"https://own.example:8443"}, WOULD "https://own"},
        {"https://a.own.example", NULL, true, {"https://own.example"}, WOULD "https://a.own"},
        {"https://own.example", NULL, true, {"http://localhost"}, WOULD "https://own.example"},
        /* nothing secret */
        {"https://own.example", NULL, false, {NULL}, NULL},
        {"https://own.example", BUILTIN, false, {NULL}, NULL},
        /* a trusted address that is none trusts nothing */
        {"https://own.example", "", true, {NULL}, WOULD "https://own.example:443"},
        {"https://own.example", "http://own.example", true, {NULL}, WOULD "https://own.example"},
        /* no address */
        {"", BUILTIN, true, {NULL}, "'' is not a URL"},
        {"https://", BUILTIN, true, {NULL}, "'https://' is not a URL"},
        {"ftp://api.k6.example", BUILTIN, true, {NULL}, "'ftp://api.k6.example' is neither"},
        {"https://u:p@api.k6.example", BUILTIN, true, {NULL}, "the URL holds a user name"},
        {BUILTIN "\\@evil.com", BUILTIN, true, {NULL}, "the URL holds a character"},
        {BUILTIN "\t", BUILTIN, true, {NULL}, "the URL holds a character"},
        /* what would swallow the paths */
        {BUILTIN "/?x=", BUILTIN, true, {NULL},
         "base_url 'https://api.k6.example/?x=' holds a '?'"},
        {BUILTIN "#", BUILTIN, false, {NULL}, "base_url 'https://api.k6.example#' holds a '?'"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char name[] = "r", value[] = "s3cret", url[100], trusted[100];
        struct run_config run = {.name = name};
        struct param params[] = {{.type = PARAM_STRING}, {.type = PARAM_SECRET}};
        struct provider provider = {.params = params, .param_count = 2};
        struct bound_value values[] = {{.text = value}, {.text = rows[i].secret ? value : NULL}};
        struct binding b = {.run = &run, .provider = &provider, .base_url = url, .values = values};
        struct err e = {""};
        struct origins o;
        int rc;

        snprintf(url, sizeof(url), "%s", rows[i].base_url);
        snprintf(trusted, sizeof(trusted), "%s", rows[i].trusted ? rows[i].trusted : "");
        provider.trusted_url = rows[i].trusted ? trusted : NULL;
        add_all(&o, rows[i].allowed);
        rc = origins_check_binding(&o, &b, &e);
        if (rc != (rows[i].message ? -1 : 0))
            fail_msg("'%s': got %d %s", url, rc, e.text);
        if (rows[i].message && strncmp(e.text, rows[i].message, strlen(rows[i].message)) != 0)
            fail_msg("'%s': got '%s', expected '%s'", url, e.text, rows[i].message);
        origins_free(&o);
    }
}

/* What a definition takes out of the environment by itself may be anything, also where it extends a
 * built-in one; to that one's own origin it may go. */
static void test_from_environment(void **state)
{
    static const struct {
        bool from_env;
        const char *trusted;
        int rc;
    } rows[] = {{false, NULL, 0}, {true, NULL, -1}, {true, BUILTIN, -1}, {true, OWN, 0},
                {false, BUILTIN, 0}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char name[] = "r", value[] = "v", url[] = OWN, trusted[100];
        struct run_config run = {.name = name};
        struct param params[] = {{.type = PARAM_STRING}};
        struct provider provider = {.params = params, .param_count = 1,
                                    .trusted_url = rows[i].trusted ? trusted : NULL};
        struct bound_value values[] = {{.text = value, .from_env = rows[i].from_env}};
        struct binding b = {.run = &run, .provider = &provider, .base_url = url, .values = values};
        struct origins none = {0};
        struct err e = {""};

        snprintf(trusted, sizeof(trusted), "%s", rows[i].trusted ? rows[i].trusted : "");
        assert_int_equal(origins_check_binding(&none, &b, &e), rows[i].rc);
    }
}

#define THROUGH "all traffic would go through the proxy "

static void test_proxy(void **state)
{
    static const struct {
        const char *proxy;
        const char *allowed[2];
        const char *message;
    } rows[] = {
        /* this machine */
        {"localhost:3128", {NULL}, NULL},
        {"http://localhost:3128", {NULL}, NULL},
        {"HTTP://LOCALHOST", {NULL}, NULL},
        {"https://127.0.0.1:3128", {NULL}, NULL},
        {"127.1:3128", {NULL}, NULL},
        {"socks5h://[::1]:1080", {NULL}, NULL},
        /* elsewhere */
        {"proxy.example:3128", {NULL},
         THROUGH "proxy.example:3128; if that is meant, allow it with --allow-origin "
                 "https://proxy.example:3128, or name it in the environment (HTTPS_PROXY)"},
        {"proxy.example:3128", {"https://proxy.example:3128"}, NULL},
        {"http://proxy.example:3128", {"https://proxy.example:3128"}, NULL},
        {"http://proxy.example:3129", {"https://proxy.example:3128"},
         THROUGH "http://proxy.example"},
        {"http://proxy.example", {NULL}, THROUGH "http://proxy.example"},
        {"127.0.0.1.evil.com:80", {NULL}, THROUGH "127.0.0.1.evil.com:80"},
        {"127.0.0.256:80", {NULL}, THROUGH "127.0.0.256:80"},
        {"localhost.:80", {NULL}, THROUGH "localhost.:80"},
        /* a "://" that is not behind a scheme */
        {"evil.com:80/://localhost", {NULL}, THROUGH "evil.com:80/://localhost"},
        {"evil.com/x://localhost", {NULL}, THROUGH "evil.com/x://localhost"},
        {"evil.com?://localhost", {NULL}, THROUGH "evil.com?://localhost"},
        {"evil.com#://localhost", {NULL}, THROUGH "evil.com#://localhost"},
        {"http://evil.com/://localhost", {NULL}, THROUGH "http://evil.com/://localhost"},
        /* none */
        {"", {NULL}, "'https://' is not a URL"},
        {"http://", {NULL}, "'https://' is not a URL"},
        {"local host", {NULL}, "the URL holds a character"},
        {"localhost\\@evil.com", {NULL}, "the URL holds a character"},
        {"http://user:s3cret@localhost:3128", {NULL}, "the URL holds a user name or a password"},
        {"user@localhost", {NULL}, "the URL holds a user name or a password"},
        {"localhost:99999", {NULL}, "'https://localhost:99999' is not a URL"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {""};
        struct origins o;
        int rc;

        add_all(&o, rows[i].allowed);
        rc = origins_check_proxy(&o, rows[i].proxy, &e);
        if (rc != (rows[i].message ? -1 : 0) ||
            (rows[i].message && strncmp(e.text, rows[i].message, strlen(rows[i].message)) != 0))
            fail_msg("'%s': got %d '%s', expected '%s'", rows[i].proxy, rc, e.text,
                     rows[i].message);
        assert_null(strstr(e.text, "s3cret"));
        origins_free(&o);
    }
}

static const char *proxy_variable;

static const char *proxy_environment(const char *name)
{
    return proxy_variable && strcmp(name, proxy_variable) == 0
               ? "http://robot:in-the-environment@proxy.example:3128"
               : NULL;
}

/* The password of a proxy is a secret, as it is written and as it is meant. */
static void test_hide_proxies(void **state)
{
    static const struct {
        const char *proxy, *variable, *shown, *hidden;
    } rows[] = {
        {NULL, NULL, "robot:in-the-environment@", "robot:in-the-environment@"},
        {NULL, "http_proxy", "robot:in-the-environment@", "robot:***@"},
        {NULL, "https_proxy", "robot:in-the-environment@", "robot:***@"},
        {NULL, "HTTPS_PROXY", "robot:in-the-environment@", "robot:***@"},
        {NULL, "all_proxy", "robot:in-the-environment@", "robot:***@"},
        {NULL, "ALL_PROXY", "robot:in-the-environment@", "robot:***@"},
        {"http://u:s3cret@proxy.example", NULL, "s3cret, proxy.example, u", "***, proxy.example, u"},
        {"u:s3cret@proxy.example:1", NULL, "s3cret", "***"},
        {"socks5h://u:s3cret@proxy.example", NULL, "s3cret", "***"},
        {"http://u:s3%63r%2Ft@p", NULL, "s3%63r%2Ft s3cr/t", "*** ***"},
        {"http://u:s3cret%@p", NULL, "s3cret%", "***"},
        {"http://u:s3cret%4@p", NULL, "s3cret%4", "***"},
        {"http://u:a@b:c@p", NULL, "a@b:c", "***"},
        {"not a URL u:s3cret@", NULL, "s3cret", "***"},
        {"http://user@proxy.example", NULL, "user http", "user http"},
        {"http://proxy.example:3128", NULL, "proxy.example 3128", "proxy.example 3128"},
        {"http://proxy.example:3128/@", NULL, "example", "example"},
        {"", NULL, "", ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf text;

        proxy_variable = rows[i].variable;
        origins_hide_proxies(rows[i].proxy, proxy_environment);
        buf_init(&text, BUF_CAP_TEXT);
        buf_adds(&text, rows[i].shown);
        secret_redact(&text);
        if (strcmp(text.text, rows[i].hidden) != 0)
            fail_msg("'%s': '%s', expected '%s'", rows[i].proxy, text.text, rows[i].hidden);
        buf_free(&text);
        secret_clear();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_add),
        cmocka_unit_test(test_binding),
        cmocka_unit_test(test_from_environment),
        cmocka_unit_test(test_proxy),
        cmocka_unit_test(test_hide_proxies),
    };

    return cmocka_run_group_tests_name("origin", tests, NULL, NULL);
}
