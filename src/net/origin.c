/* SPDX-License-Identifier: MIT */
/* Owns the decision where secrets may go. It must not send anything. */
#include "base/base.h"

#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "net/http.h"
#include "net/origin.h"

int origins_add(struct origins *o, const char *url, struct err *e)
{
    struct buf origin;

    buf_init(&origin, BUF_CAP_TEXT);
    if (http_url_check(url, &origin, NULL, e)) {
        buf_free(&origin);
        return -1;
    }
    o->items = mem_grow(o->items, &o->cap, o->count, sizeof(*o->items));
    o->items[o->count++] = buf_detach(&origin);
    return 0;
}

void origins_free(struct origins *o)
{
    for (size_t i = 0; i < o->count; i++)
        free(o->items[i]);
    free(o->items);
    memset(o, 0, sizeof(*o));
}

static bool is_allowed(const struct origins *o, const char *origin)
{
    for (size_t i = 0; i < o->count; i++) {
        if (strcmp(o->items[i], origin) == 0)
            return true;
    }
    return false;
}

static bool holds_secret(const struct binding *b)
{
    for (size_t i = 0; i < b->provider->param_count; i++) {
        /* What a definition takes out of the environment may be anything: one that extends a
         * built-in one can name what it likes. */
        if (b->values[i].text &&
            (b->provider->params[i].type == PARAM_SECRET || b->values[i].from_env))
            return true;
    }
    return false;
}

int origins_check_binding(const struct origins *o, const struct binding *b, struct err *e)
{
    struct err ignored = {""};
    struct buf origin, trusted;
    int rc = -1;

    buf_init(&origin, BUF_CAP_TEXT);
    buf_init(&trusted, BUF_CAP_TEXT);
    if (http_url_check(b->base_url, &origin, NULL, e))
        goto out;
    if (strpbrk(b->base_url, "?#")) {
        err_set(e, "base_url '%s' holds a '?' or a '#': paths are appended to it", b->base_url);
        goto out;
    }
    if (b->provider->trusted_url &&
        http_url_check(b->provider->trusted_url, &trusted, NULL, &ignored))
        buf_clear(&trusted);
    rc = 0;
    if (holds_secret(b) && strcmp(origin.text, trusted.text) != 0 &&
        !http_url_is_loopback(b->base_url) && !is_allowed(o, origin.text))
        rc = err_set(e,
                     "a secret of run '%s' would go to %s, which is not the built-in origin of its "
                     "provider%s%s; if that is meant, allow it with --allow-origin %s",
                     b->run->name, origin.text, trusted.len ? ", " : "", trusted.text, origin.text);
out:
    buf_free(&origin);
    buf_free(&trusted);
    return rc;
}

int origins_check_proxy(const struct origins *o, const char *proxy, struct err *e)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-.";
    size_t scheme = strspn(proxy, letters);
    struct buf origin, url;
    int rc = -1;

    buf_init(&origin, BUF_CAP_TEXT);
    buf_init(&url, BUF_CAP_TEXT);
    /* A proxy may be named without a scheme, and be reached without encryption. A "://" further
     * behind is of its path: host.example/://localhost is not this machine. */
    buf_addf(&url, "https://%s", proxy + (text_starts(proxy + scheme, "://") ? scheme + 3 : 0));
    if (http_url_check(url.text, &origin, NULL, e))
        goto out;
    rc = 0;
    if (!http_url_is_loopback(url.text) && !is_allowed(o, origin.text))
        rc = err_set(e,
                     "all traffic would go through the proxy %s; if that is meant, allow it with "
                     "--allow-origin %s, or name it in the environment (HTTPS_PROXY)",
                     proxy, origin.text);
out:
    buf_free(&origin);
    buf_free(&url);
    return rc;
}

static int digit_of(char c)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? (int)(at - digits) & 15 : -1;
}

/* Text without its percent-encoding. */
static void add_decoded(struct buf *b, const char *text)
{
    for (const char *p = text; *p; p++) {
        int high = *p == '%' ? digit_of(p[1]) : -1;
        int low = high < 0 ? -1 : digit_of(p[2]);
        char c = *p;

        if (low >= 0) {
            c = (char)(high << 4 | low);
            p += 2;
        }
        buf_addc(b, c);
    }
}

/* By hand: what is no URL that can be used may hold a password all the same. */
static void hide_password(const char *proxy)
{
    const char *scheme = strstr(proxy, "://");
    const char *user = scheme ? scheme + strlen("://") : proxy;
    const char *at = strrchr(user, '@');
    const char *colon = strchr(user, ':');
    struct buf password, plain;

    if (!at || !colon || colon > at)
        return;
    buf_init(&password, BUF_CAP_TEXT);
    buf_init(&plain, BUF_CAP_TEXT);
    buf_add(&password, colon + 1, (size_t)(at - colon - 1));
    add_decoded(&plain, password.text);
    secret_add(password.text);
    secret_add(plain.text);
    buf_free(&password);
    buf_free(&plain);
}

void origins_hide_proxies(const char *proxy, const char *(*getenv)(const char *name))
{
    static const char *const variables[] = {"http_proxy", "HTTP_PROXY", "https_proxy",
                                            "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};

    if (proxy)
        hide_password(proxy);
    for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
        const char *value = getenv(variables[i]);

        if (value)
            hide_password(value);
    }
}
