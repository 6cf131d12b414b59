/* SPDX-License-Identifier: MIT */
/* Owns what is kept of a run, and the door through which texts from outside come in. */
#include "base/base.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "engine/result.h"

#include <unistd.h>

enum { FOLDED_MAX = 1000, LINES_MAX = 64 << 10, LAST_LINE_MAX = 2 * FOLDED_MAX };

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

struct remote_run *result_add_remote(struct run_result *r, const char *id)
{
    struct remote_run *remote;
    char *copy = mem_strdup(id); /* first: last words can be due at any allocation */

    r->remotes = mem_grow(r->remotes, &r->remote_cap, r->remote_count, sizeof(*r->remotes));
    remote = &r->remotes[r->remote_count++];
    remote->id = copy;
    remote->outcome = OUTCOME_RUNNING;
    return remote;
}

struct test_result *result_add_test(struct remote_run *remote)
{
    remote->tests =
        mem_grow(remote->tests, &remote->test_cap, remote->test_count, sizeof(*remote->tests));
    return &remote->tests[remote->test_count++];
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

/* --- last words ----------------------------------------------------------------------------- */

struct line {
    char text[LAST_LINE_MAX];
    size_t len;
};

/* What could be taken for a secret or for a command is left out: nothing here can mend it. */
static void add(struct line *l, const char *text)
{
    if (secret_occurs(text, SECRET_MIN) || strstr(text, "##"))
        text = "***";
    for (; *text && l->len + 1 < sizeof(l->text); text++)
        l->text[l->len++] = *text > ' ' && *text < 0x7F ? *text : '?';
}

static void add_words(struct line *l, const char *words)
{
    for (; *words && l->len + 1 < sizeof(l->text); words++)
        l->text[l->len++] = *words;
}

static void begin_line(struct line *l, const struct run_result *r)
{
    l->len = 0;
    add_words(l, "rungate: run '");
    add(l, r->name);
    add_words(l, "' (");
    add(l, r->provider);
    add_words(l, "): ");
}

static void end_line(struct line *l)
{
    l->text[l->len++] = '\n';
    /* The result changes nothing: there is no other way left to say it. */
    if (write(STDERR_FILENO, l->text, l->len) < 0)
        return;
}

void result_last_words(void *user)
{
    const struct gate_result *g = user;
    struct line line;

    for (size_t i = 0; g->runs && i < g->run_count; i++) {
        const struct run_result *r = &g->runs[i];

        for (size_t j = 0; j < r->remote_count; j++) {
            if (outcome_is_final(r->remotes[j].outcome))
                continue;
            begin_line(&line, r);
            add(&line, r->remotes[j].id);
            add_words(&line, " may still be running; see ");
            add(&line, r->remotes[j].url ? r->remotes[j].url : r->host);
            end_line(&line);
        }
        /* The ids are joined when all of them are known. */
        if (r->attempt && !r->run_id &&
            (r->outcome == OUTCOME_UNKNOWN || r->outcome == OUTCOME_START_UNKNOWN)) {
            begin_line(&line, r);
            add_words(&line, "a start was sent, a run may exist; look for it at ");
            add(&line, r->host);
            end_line(&line);
        }
    }
}
