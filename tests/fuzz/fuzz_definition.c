/* SPDX-License-Identifier: MIT */
/*
 * Provider definitions of a user's file, and a gate with the first provider that comes out of
 * them. The input is a definition file; behind a line "===" a script of replies may stand
 * (world.h).
 */
#include "base/base.h"

#include "base/mem.h"
#include "check.h"
#include "provider/builtin.h"
#include "report/plan.h"
#include "report/rehearsal.h"
#include "world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What holds of every definition that was taken: a reply that says nothing passes nothing. */
static void check_provider(const struct provider *p, const char *body, size_t len)
{
    static const char *const empty[] = {"{}", "[]"};
    struct err e = {""};
    struct buf out;
    struct doc *d;

    MUST(p->requests[REQUEST_START].path && p->requests[REQUEST_STATUS].path);
    for (size_t i = 0; i < ARRAY_LEN(empty); i++) {
        const struct rule *rule;

        d = doc_parse(empty[i], strlen(empty[i]), &e);
        rule = rules_match(&p->status_rules, d);
        MUST(!rule || rule->outcome != OUTCOME_PASSED);
        doc_free(d);
    }
    d = doc_parse(body, len, &e);
    if (d) {
        buf_init(&out, BUF_CAP_TEXT);
        rehearsal_write(&out, p, d, "id-1");
        buf_free(&out);
    }
    doc_free(d);
}

/* The same file once more, with a pipeline that uses it. */
static void play(const struct provider *p, const char *script, size_t len)
{
    struct session session;
    struct options options;
    struct err e = {""};
    struct buf pipeline, plan;

    buf_init(&pipeline, BUF_CAP_TEXT);
    buf_init(&plan, BUF_CAP_TEXT);
    check_write_pipeline(&pipeline, p);
    world_file("pipeline.ini", pipeline.text, pipeline.len);
    check_open(&session, &options, "pipeline.ini", "definition.ini");
    if (!session.mistakes.count) {
        MUST(!plan_write_requests(&plan, &session.pipeline, session.bindings, session.attach, &e));
        MUST(!strstr(plan.text, WORLD_TOKEN));
        check_gate(&session, script, len);
    }
    check_close(&session, &options);
    buf_free(&pipeline);
    buf_free(&plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const files[] = {"definition.ini"};
    static const char mark[] = "\n===\n";
    char *text = mem_strndup((const char *)data, size);
    const char *script = strstr(text, mark);
    size_t definition_len = script ? (size_t)(script - text) : size;
    const char *body;
    struct registry *registry;
    const struct provider *p;
    struct diags d = {0};
    size_t len;

    script = script ? script + strlen(mark) : text + size;
    len = (size_t)(text + size - script);
    world_file(files[0], text, definition_len);
    registry = registry_new(files, ARRAY_LEN(files), &d);
    if (!d.count) {
        MUST(registry_name(registry, builtin_provider_count));
        for (size_t i = builtin_provider_count; registry_name(registry, i); i++) {
            p = registry_find(registry, registry_name(registry, i));
            MUST(p);
            body = world_first_body(script, &len);
            check_provider(p, body, len);
            len = (size_t)(text + size - script);
        }
        /* A definition that writes the token out, or captures it from a reply, sends it itself. */
        if (strlen(text) == size && !strstr(text, WORLD_TOKEN))
            play(registry_find(registry, registry_name(registry, builtin_provider_count)), script,
                 len);
    }
    for (size_t i = 0; i < d.count; i++)
        MUST(*d.items[i].text);
    diags_free(&d);
    registry_free(registry);
    free(text);
    return 0;
}
