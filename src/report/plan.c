/* SPDX-License-Identifier: MIT */
/* Owns the printing of plans. It must not send anything. */
#include "base/base.h"

#include "base/secret.h"
#include "provider/request.h"
#include "report/plan.h"
#include "report/words.h"

enum { VALUE_MAX = 200 };

/* Values of several lines are shown in one; the pipeline file has them as they are. */
static void add_value(struct buf *out, const char *key, const char *value, const char *origin)
{
    struct buf line;

    buf_init(&line, BUF_CAP_TEXT);
    buf_addf(&line, "  %s = ", key);
    words_add_text(&line, value, TEXT_FOLD, VALUE_MAX);
    buf_addf(out, "%-52s ; %s\n", line.text, origin);
    buf_free(&line);
}

static void add_section(struct buf *out, enum key_section section, const struct settings *settings)
{
    for (size_t i = 0; pipeline_key(section, i); i++) {
        const struct key_info *key = pipeline_key(section, i);
        const struct setting *given = settings_find(settings, key->name);

        if (given && given->text)
            add_value(out, key->name, given->text, given->origin);
        else if (key->value_default)
            add_value(out, key->name, key->value_default, "default");
    }
}

static void add_params(struct buf *out, const struct binding *b)
{
    for (size_t i = 0; i < b->provider->param_count; i++) {
        const struct param *param = &b->provider->params[i];
        const struct bound_value *value = &b->values[i];

        if (value->text)
            add_value(out, param->name, param->type == PARAM_SECRET ? "***" : value->text,
                      value->origin);
    }
}

static void add_run(struct buf *out, const struct run_config *run, const struct binding *b,
                    const char *attach)
{
    const struct provider *p = b->provider;

    buf_addf(out, "\nrun %s: %s%s%s%s\n", run->name, p->title ? p->title : p->name,
             run->selected ? "" : " (not selected)", attach ? ", watches run " : "",
             attach ? attach : "");
    add_section(out, KEYS_RUN, &run->settings);
    if (!run->base_url)
        add_value(out, "base_url", b->base_url, b->base_url_origin);
    add_params(out, b);
    if (!p->requests[REQUEST_CANCEL].method)
        buf_addf(out, "  note: %s offers no way to cancel a run; one that is given up goes on\n",
                 p->title ? p->title : p->name);
}

void plan_write(struct buf *out, const struct pipeline *p, const struct binding *bindings,
                const char *const *attach)
{
    buf_addf(out, "%s: %zu run%s\n\ngate\n", p->file, p->run_count, p->run_count == 1 ? "" : "s");
    add_section(out, KEYS_GATE, &p->gate_settings);
    buf_adds(out, "\nhttp\n");
    add_section(out, KEYS_HTTP, &p->http_settings);
    for (size_t i = 0; i < p->run_count; i++)
        add_run(out, &p->runs[i], &bindings[i], attach[i]);
    secret_redact(out);
}

static int add_request(struct buf *out, const struct binding *b, struct err *e)
{
    struct scope scope = {.binding = b};
    struct request request;
    int rc = request_make(&request, REQUEST_START, &scope, e);

    if (!rc) {
        buf_addf(out, "%s %s\n", request.method, request.url);
        for (size_t i = 0; i < request.header_count; i++)
            buf_addf(out, "%s: %s\n", request.headers[i].name, request.headers[i].value);
        if (b->provider->idempotency)
            buf_addf(out, "%s: (a new key for each start)\n", b->provider->idempotency);
        if (request.body)
            buf_addf(out, "\n%s\n", request.body);
    }
    request_free(&request);
    return rc;
}

int plan_write_requests(struct buf *out, const struct pipeline *p, const struct binding *bindings,
                        const char *const *attach, struct err *e)
{
    for (size_t i = 0; i < p->run_count; i++) {
        if (!p->runs[i].selected)
            continue;
        buf_addf(out, "%s# run %s%s\n", out->len ? "\n" : "", p->runs[i].name,
                 attach[i] ? ": exists, nothing is started" : "");
        if (!attach[i] && add_request(out, &bindings[i], e))
            return -1;
    }
    secret_redact(out);
    return 0;
}
