/* SPDX-License-Identifier: MIT */
/* Owns what the files of the loop share: who is told what, and what a run is called. */
#include "base/base.h"

#include "base/buf.h"
#include "base/mem.h"
#include "engine/member.h"

#include <signal.h>

const char *gate_signal_name(int number)
{
    return number == SIGINT ? "SIGINT" : number == SIGHUP ? "SIGHUP" : "SIGTERM";
}

void gate_tell(struct gate *g, enum message_level level, const char *format, ...)
{
    const struct observer *o = &g->options->observer;
    char *text;
    va_list ap;

    if (!o->message)
        return;
    va_start(ap, format);
    text = buf_vformat(format, ap);
    va_end(ap);
    o->message(o->user, level, text);
    free(text);
}

void gate_tell_changed(struct gate *g, const struct member *m)
{
    const struct observer *o = &g->options->observer;

    if (o->changed)
        o->changed(o->user, g->result, (size_t)(m - g->members), g->wall,
                   m->began ? g->now - m->began : 0);
    g->next_heartbeat = g->now + g->options->pipeline->gate.heartbeat_ms;
    g->next_live = g->now;
}

void gate_tell_child(struct gate *g, const struct member *m, size_t remote)
{
    const struct observer *o = &g->options->observer;

    if (o->child_over && m->result->remote_count > 1)
        o->child_over(o->user, g->result, (size_t)(m - g->members), remote, g->wall,
                      g->now - m->began);
}

void gate_note_state(struct gate *g, struct member *m, const char *state)
{
    if (result_note_state(m->result, state, g->wall))
        gate_tell_changed(g, m);
}

void member_set_problem(struct member *m, const char *format, ...)
{
    char *text;
    va_list ap;

    va_start(ap, format);
    text = buf_vformat(format, ap);
    va_end(ap);
    result_set(&m->problem, text, true);
    mem_forget(text);
}

bool member_is_taken_up(const struct member *m)
{
    return m->attach || m->resume;
}

struct scope member_scope(const struct member *m, size_t remote)
{
    struct scope scope = {
        .binding = m->binding, .captures = m->captures, .capture_count = m->capture_count};

    if (remote < m->result->remote_count)
        scope.id = m->result->remotes[remote].id;
    return scope;
}

void member_name_remotes(struct member *m)
{
    const char *template = m->binding->provider->url;
    struct run_result *r = m->result;
    struct buf ids;

    buf_init(&ids, BUF_CAP_TEXT);
    for (size_t i = 0; i < r->remote_count; i++) {
        struct remote_run *remote = &r->remotes[i];
        struct scope scope = member_scope(m, i);
        struct err ignored = {""};
        struct buf url;

        buf_init(&url, BUF_CAP_TEXT);
        if (template && !remote->url &&
            template_expand(template, scope_value, &scope, ESCAPE_PERCENT, &url, &ignored) ==
                TEMPLATE_DONE)
            result_set(&remote->url, url.text, true);
        buf_free(&url);
        buf_addf(&ids, "%s%s", i ? "," : "", remote->id);
    }
    mem_replace(&r->run_id, r->remote_count ? ids.text : NULL);
    if (r->remote_count)
        mem_replace(&r->url, r->remotes[0].url);
    buf_free(&ids);
}

void member_free_captures(struct member *m)
{
    captures_free(m->captures, m->capture_count);
    m->captures = NULL;
    m->capture_count = 0;
}
