/* SPDX-License-Identifier: MIT */
/* Owns what is kept of a run, and the door through which texts from outside come in. */
#include "base/base.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "engine/result.h"

enum { FOLDED_MAX = 1000, LINES_MAX = 64 << 10 };

char *result_text(const char *text, bool fold)
{
    struct buf raw, clean;

    if (!text)
        return NULL;
    buf_init(&raw, BUF_CAP_TEXT);
    buf_init(&clean, BUF_CAP_TEXT);
    buf_adds(&raw, text);
    /* Starred first: cleaning could take a character out of a secret that is echoed. And once
     * more after it, where cleaning joined the two halves of one. */
    secret_redact(&raw);
    text_add_clean(&clean, raw.text, raw.len, fold ? TEXT_FOLD : TEXT_LINES,
                   fold ? FOLDED_MAX : LINES_MAX);
    secret_redact(&clean);
    buf_free(&raw);
    return buf_detach(&clean);
}

void result_set(char **slot, const char *text, bool fold)
{
    char *clean = result_text(text, fold);

    free(*slot);
    *slot = clean;
}

bool result_note_state(struct run_result *r, const char *state, int64_t at)
{
    char *clean = result_text(state, true);
    struct state_change *change;

    if (r->state && strcmp(r->state, clean) == 0) {
        free(clean);
        return false;
    }
    mem_replace(&r->state, clean);
    r->states = mem_grow(r->states, &r->state_cap, r->state_count, sizeof(*r->states));
    change = &r->states[r->state_count++];
    change->state = clean;
    change->at = at;
    return true;
}

void result_warn(struct run_result *r, const char *format, ...)
{
    char *text;
    va_list ap;
    char *clean;

    va_start(ap, format);
    text = buf_vformat(format, ap);
    va_end(ap);
    clean = result_text(text, true);
    free(text);
    for (size_t i = 0; i < r->warning_count; i++) {
        if (strcmp(r->warnings[i], clean) == 0) {
            free(clean);
            return;
        }
    }
    r->warnings = mem_grow(r->warnings, &r->warning_cap, r->warning_count, sizeof(*r->warnings));
    r->warnings[r->warning_count++] = clean;
}

static void free_remote(struct remote_run *remote)
{
    for (size_t i = 0; i < remote->test_count; i++) {
        free(remote->tests[i].name);
        free(remote->tests[i].state);
        free(remote->tests[i].message);
        free(remote->tests[i].detail);
    }
    for (size_t i = 0; i < remote->property_count; i++) {
        free(remote->properties[i].name);
        free(remote->properties[i].value);
    }
    free(remote->tests);
    free(remote->properties);
    free(remote->id);
    free(remote->url);
    free(remote->state);
    free(remote->reason);
}

void result_reset_attempt(struct run_result *r)
{
    for (size_t i = 0; i < r->remote_count; i++)
        free_remote(&r->remotes[i]);
    free(r->remotes);
    r->remotes = NULL;
    r->remote_count = r->remote_cap = 0;
    mem_replace(&r->reason, NULL);
    mem_replace(&r->run_id, NULL);
    mem_replace(&r->url, NULL);
    r->outcome = OUTCOME_UNKNOWN;
    r->counts_as = OUTCOME_UNKNOWN;
    r->mapped_by = NULL;
}

void result_free_run(struct run_result *r)
{
    result_reset_attempt(r);
    for (size_t i = 0; i < r->state_count; i++)
        free(r->states[i].state);
    for (size_t i = 0; i < r->past_count; i++) {
        free(r->past[i].reason);
        free(r->past[i].run_id);
        free(r->past[i].url);
    }
    for (size_t i = 0; i < r->warning_count; i++)
        free(r->warnings[i]);
    free(r->states);
    free(r->past);
    free(r->warnings);
    free(r->state);
    memset(r, 0, sizeof(*r));
}
