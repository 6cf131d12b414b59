/* SPDX-License-Identifier: MIT */
/*
 * Pipeline files, from the text to a session as the program opens it: variables, keys, providers,
 * parameters, origins, and the requests that the starts would send.
 */
#include "base/base.h"

#include "base/mem.h"
#include "base/text.h"
#include "check.h"
#include "net/http.h"
#include "report/plan.h"
#include "world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LINE_MAX_BYTES = 198 };

/* What the INI library would cut or hide is a mistake, wherever it stands. */
static bool must_be_refused(const char *text, size_t size)
{
    for (size_t at = 0; at < size;) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t len = end ? (size_t)(end - text) - at : size - at;

        if (len > LINE_MAX_BYTES + 1 || memchr(text + at, '\0', len) ||
            memchr(text + at, 0x1B, len))
            return true;
        at += len + 1;
    }
    return size >= 3 && !text_is_utf8(text, size);
}

/* Whoever reads the file may have made no mistake: then everything is known of every run. */
static void check_run(const struct session *s, size_t i)
{
    const struct run_config *run = &s->pipeline.runs[i];
    const struct binding *b = &s->bindings[i];
    struct err e = {""};
    struct buf origin, trusted;

    MUST(run->provider && b->provider && b->values);
    MUST(run->poll_min_ms >= 1 && run->poll_min_ms <= run->poll_max_ms);
    MUST(run->attempts >= 1 && run->outage_ms >= 1);
    for (size_t j = 0; j < run->need_count; j++)
        MUST(run->need_runs[j] < s->pipeline.run_count && run->need_runs[j] != i);
    for (size_t j = 0; j < b->provider->param_count; j++)
        MUST(!b->provider->params[j].required || b->values[j].text);
    buf_init(&origin, BUF_CAP_TEXT);
    buf_init(&trusted, BUF_CAP_TEXT);
    MUST(!http_url_check(b->base_url, &origin, NULL, &e));
    MUST(!http_url_check(b->provider->trusted_url, &trusted, NULL, &e));
    MUST(http_url_is_loopback(b->base_url) || strcmp(origin.text, trusted.text) == 0);
    buf_free(&origin);
    buf_free(&trusted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = mem_strndup((const char *)data, size);
    struct session session;
    struct options options;
    struct err e = {""};
    struct buf plan;
    int lines = 1;

    for (size_t i = 0; i < size; i++)
        lines += text[i] == '\n' ? 1 : 0;
    world_file("pipeline.ini", text, size);
    world_file("a-file", WORLD_TOKEN "\n", strlen(WORLD_TOKEN) + 1);
    check_open(&session, &options, "pipeline.ini", NULL);
    for (size_t i = 0; i < session.mistakes.count; i++)
        MUST(session.mistakes.items[i].line <= lines);
    MUST(session.mistakes.count || !must_be_refused(text, size));
    if (!session.mistakes.count) {
        MUST(session.pipeline.run_count);
        for (size_t i = 0; i < session.pipeline.run_count; i++)
            check_run(&session, i);
        buf_init(&plan, BUF_CAP_TEXT);
        plan_write(&plan, &session.pipeline, session.bindings, session.attach);
        MUST(!plan_write_requests(&plan, &session.pipeline, session.bindings, session.attach, &e));
        check_clean(plan.text, plan.len);
        MUST(!strstr(plan.text, WORLD_TOKEN));
        buf_free(&plan);
    }
    check_close(&session, &options);
    free(text);
    return 0;
}
