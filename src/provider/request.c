/* SPDX-License-Identifier: MIT */
/* Owns the building of requests. It must not send them. */
#include "base/base.h"

#include "base/doc.h"
#include "base/mem.h"
#include "base/num.h"
#include "provider/request.h"

#include <strings.h>

void request_add_header(struct request *r, const char *name, const char *value)
{
    r->headers = mem_grow(r->headers, &r->header_cap, r->header_count, sizeof(*r->headers));
    r->headers[r->header_count].name = mem_strdup(name);
    r->headers[r->header_count++].value = mem_strdup(value);
}

static int add_headers(struct request *r, const struct assignments *list, struct scope *scope,
                       struct err *e)
{
    struct buf value;
    int rc = 0;

    buf_init(&value, BUF_CAP_TEXT);
    for (size_t i = 0; i < list->count && !rc; i++) {
        buf_clear(&value);
        switch (template_expand(list->items[i].template, scope_value, scope, ESCAPE_HEADER, &value,
                                e)) {
        case TEMPLATE_DONE:
            request_add_header(r, list->items[i].target, value.text);
            break;
        case TEMPLATE_UNSET:
            break;
        case TEMPLATE_FAILED:
            rc = -1;
            break;
        }
    }
    buf_free(&value);
    return rc;
}

static bool names_header(const struct assignments *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcasecmp(list->items[i].target, name) == 0)
            return true;
    }
    return false;
}

/* A header of ours, unless the definition has a word of its own for it. */
static void add_own_header(struct request *r, const struct provider *p, const char *name,
                           const char *value)
{
    if (!names_header(&p->auth, name) && !names_header(&p->headers, name) &&
        !names_header(&p->requests[r->kind].headers, name))
        request_add_header(r, name, value);
}

static bool look_at_parameter(void *user, const char *subject, struct buf *out, bool *ret_opaque)
{
    const char *value = scope_value(user, subject);

    (void)ret_opaque;
    if (value)
        buf_adds(out, value);
    return value != NULL;
}

/* The JSON value of a template: typed if it is one parameter alone, else a string. */
static struct doc *body_value(const char *template, const char *text, const struct scope *scope,
                              struct err *e)
{
    char *name = template_sole_name(template);
    const struct param *param = name ? provider_param(scope->binding->provider, name) : NULL;
    int64_t number;

    free(name);
    if (param) {
        switch (param->type) {
        case PARAM_INTEGER:
            if (num_integer(text, -INT64_MAX, INT64_MAX, &number))
                break;
            return doc_new_integer(number);
        case PARAM_BOOLEAN:
            return doc_new_boolean(strcmp(text, "true") == 0);
        case PARAM_JSON:
            return doc_parse_value(text, e);
        case PARAM_STRING:
        case PARAM_SECRET:
        case PARAM_CHOICE:
            break;
        }
    }
    return doc_new_string(text);
}

static int add_body(struct request *r, const struct request_def *def, struct scope *scope,
                    struct err *e)
{
    struct doc *body = doc_new_object();
    struct buf text;
    int rc = 0;

    buf_init(&text, BUF_CAP_TEXT);
    for (size_t i = 0; i < def->body.count && !rc; i++) {
        const struct assignment *a = &def->body.items[i];
        enum template_result result;
        struct doc *value;

        if (!conditions_hold(&a->conditions, look_at_parameter, scope))
            continue;
        buf_clear(&text);
        result = template_expand(a->template, scope_value, scope, ESCAPE_NONE, &text, e);
        if (result == TEMPLATE_DONE) {
            value = body_value(a->template, text.text, scope, e);
            rc = value ? doc_set(body, a->target, value, e) : -1;
        } else if (result == TEMPLATE_FAILED) {
            rc = -1;
        }
    }
    buf_clear(&text);
    doc_print(&text, body, 0);
    r->body_len = text.len;
    r->body = buf_detach(&text);
    doc_free(body);
    return rc;
}

static int add_query(struct buf *url, const struct assignments *list, struct scope *scope,
                     struct err *e)
{
    struct buf value;
    int rc = 0;

    buf_init(&value, BUF_CAP_TEXT);
    for (size_t i = 0; i < list->count && !rc; i++) {
        enum template_result result;

        if (!conditions_hold(&list->items[i].conditions, look_at_parameter, scope))
            continue;
        buf_clear(&value);
        /* The template's own text is part of the value, too: "created desc" holds a blank. */
        result = template_expand(list->items[i].template, scope_value, scope, ESCAPE_NONE, &value,
                                 e);
        if (result == TEMPLATE_DONE) {
            buf_addf(url, "%c%s=", strchr(url->text, '?') ? '&' : '?', list->items[i].target);
            template_add_percent(url, value.text);
        }
        rc = result == TEMPLATE_FAILED ? -1 : 0;
    }
    buf_free(&value);
    return rc;
}

int request_make(struct request *r, enum request_kind kind, struct scope *scope, struct err *e)
{
    const struct provider *p = scope->binding->provider;
    const struct request_def *def = &p->requests[kind];
    enum template_result result;
    struct buf url;
    int rc = -1;

    memset(r, 0, sizeof(*r));
    r->kind = kind;
    r->method = mem_strdup(def->method);
    buf_init(&url, BUF_CAP_TEXT);
    buf_adds(&url, scope->binding->base_url);
    result = template_expand(def->path, scope_value, scope, ESCAPE_PERCENT, &url, e);
    if (result == TEMPLATE_UNSET)
        err_set(e, "a value of the path '%s' is not set", def->path);
    if (result != TEMPLATE_DONE || add_query(&url, &def->query, scope, e))
        goto out;
    r->url = mem_strdup(url.text);
    add_own_header(r, p, "Accept", "application/json");
    if (add_headers(r, &p->auth, scope, e) || add_headers(r, &p->headers, scope, e) ||
        add_headers(r, &def->headers, scope, e))
        goto out;
    if (def->has_body) {
        add_own_header(r, p, "Content-Type", "application/json");
        if (add_body(r, def, scope, e))
            goto out;
    }
    rc = 0;
out:
    buf_free(&url);
    return rc;
}

void request_free(struct request *r)
{
    for (size_t i = 0; i < r->header_count; i++) {
        free(r->headers[i].name);
        mem_forget(r->headers[i].value);
    }
    free(r->headers);
    free(r->method);
    /* One that is only tried may hold a secret where none belongs. */
    mem_forget(r->url);
    mem_forget(r->body);
    memset(r, 0, sizeof(*r));
}
