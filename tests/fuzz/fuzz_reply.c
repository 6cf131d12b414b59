/* SPDX-License-Identifier: MIT */
/*
 * Replies of a provider through a whole gate to its result and its reports. The input's first line
 * names a built-in provider, the rest is a script of replies (world.h).
 */
#include "base/base.h"

#include "base/mem.h"
#include "check.h"
#include "provider/reply.h"
#include "report/rehearsal.h"
#include "world.h"

enum { PROVIDERS_MAX = 32 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One for each provider, opened when it is first asked for and never closed. */
static struct opened {
    struct session session;
    struct options options;
} *sessions[PROVIDERS_MAX];
static struct registry *registry;

static void open_sessions(void)
{
    struct diags d = {0};

    registry = registry_new(NULL, 0, &d);
    for (size_t i = 0; registry_name(registry, i); i++) {
        struct buf pipeline;

        MUST(i < PROVIDERS_MAX);
        buf_init(&pipeline, BUF_CAP_TEXT);
        check_write_pipeline(&pipeline, registry_find(registry, registry_name(registry, i)));
        world_file("pipeline.ini", pipeline.text, pipeline.len);
        sessions[i] = mem_alloc(1, sizeof(*sessions[i]));
        check_open(&sessions[i]->session, &sessions[i]->options, "pipeline.ini", NULL);
        MUST(!sessions[i]->session.mistakes.count);
        buf_free(&pipeline);
    }
}

/* The first reply alone, in every way that a reply can be read. */
static void read_alone(const struct provider *p, const char *body, size_t len)
{
    struct err e = {""};
    struct doc *d = doc_parse(body, len, &e);
    char *text = reply_error_text(p, body, len);
    struct start_reply start;
    struct buf out;

    MUST(d ? !e.text[0] : e.text[0]);
    MUST(!text || *text);
    free(text);
    if (!d)
        return;
    if (reply_read_start(&start, p, d, &e))
        MUST(e.text[0]);
    else
        MUST(start.id_count || outcome_is_final(start.outcome));
    MUST(start.outcome != OUTCOME_PASSED);
    for (size_t i = 0; i < start.id_count; i++)
        MUST(!strpbrk(start.ids[i], "/?#%\\ \r\n"));
    start_reply_free(&start);
    buf_init(&out, BUF_CAP_TEXT);
    rehearsal_write(&out, p, d, "id-1");
    check_clean(out.text, out.len);
    MUST(!strstr(out.text, WORLD_TOKEN));
    buf_free(&out);
    doc_free(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    const char *end = size ? memchr(text, '\n', size) : NULL;
    const char *nearest;
    char *name, *script;
    size_t len, i = 0;

    if (!registry)
        open_sessions();
    if (!end)
        return 0;
    name = mem_strndup(text, (size_t)(end - text));
    nearest = registry_nearest(registry, name);
    free(name);
    if (!nearest)
        return 0;
    while (registry_name(registry, i) != nearest)
        i++;
    len = size - (size_t)(end + 1 - text);
    script = mem_strndup(end + 1, len); /* a NUL behind it: reading beyond the end is noticed */
    check_gate(&sessions[i]->session, script, len);
    end = world_first_body(script, &len);
    read_alone(registry_find(registry, nearest), end, len);
    free(script);
    return 0;
}
