/* SPDX-License-Identifier: MIT */
/* Owns the JSON report. It must not judge or leave out: it says what the result holds. */
#include "base/base.h"

#include "base/clock.h"
#include "base/doc.h"
#include "report/json.h"
#include "report/words.h"

enum { SCHEMA = 1, INDENT = 2 };

static void put_text(struct doc *object, const char *key, const char *text)
{
    struct buf b;

    buf_init(&b, BUF_CAP_TEXT);
    words_add_text(&b, text, TEXT_LINES, WORDS_LINES_MAX);
    doc_set_member(object, key, doc_new_string(text ? b.text : NULL));
    buf_free(&b);
}

static void put_time(struct doc *object, const char *key, int64_t at)
{
    struct buf b;

    buf_init(&b, BUF_CAP_TEXT);
    if (at)
        clock_add_iso(&b, at, true);
    doc_set_member(object, key, doc_new_string(b.len ? b.text : NULL));
    buf_free(&b);
}

static void put_outcome(struct doc *object, const char *key, enum outcome o)
{
    doc_set_member(object, key, doc_new_string(outcome_name(o)));
}

static struct doc *states_of(const struct run_result *r)
{
    struct doc *array = doc_new_array();

    for (size_t i = 0; i < r->state_count; i++) {
        struct doc *o = doc_new_object();

        put_text(o, "state", r->states[i].state);
        put_time(o, "at", r->states[i].at);
        doc_append(array, o);
    }
    return array;
}

static struct doc *attempt(int64_t number, const struct past_attempt *a)
{
    struct doc *o = doc_new_object();

    doc_set_member(o, "attempt", doc_new_integer(number));
    put_outcome(o, "outcome", a->outcome);
    put_text(o, "reason", a->reason);
    put_text(o, "run_id", a->run_id);
    put_text(o, "url", a->url);
    put_time(o, "started_at", a->started);
    put_time(o, "finished_at", a->finished);
    return o;
}

static struct doc *attempts_of(const struct run_result *r)
{
    struct doc *array = doc_new_array();
    struct past_attempt last = {.outcome = r->outcome,
                                .reason = r->reason,
                                .run_id = r->run_id,
                                .url = r->url,
                                .started = r->started,
                                .finished = r->finished};

    for (size_t i = 0; i < r->past_count; i++)
        doc_append(array, attempt((int64_t)i + 1, &r->past[i]));
    if (r->attempt > 0 || r->attached)
        doc_append(array, attempt(r->attempt, &last));
    return array;
}

static struct doc *properties_of(const struct remote_run *remote)
{
    struct doc *o = doc_new_object();

    for (size_t i = 0; remote && i < remote->property_count; i++) {
        char *name = words_text(remote->properties[i].name, TEXT_FOLD, WORDS_LINE_MAX);

        put_text(o, name, remote->properties[i].value);
        free(name);
    }
    return o;
}

/* Where a start made one remote run only, all of it stands in the run itself. */
static struct doc *remotes_of(const struct run_result *r)
{
    struct doc *array = doc_new_array();

    for (size_t i = 0; r->remote_count > 1 && i < r->remote_count; i++) {
        const struct remote_run *remote = &r->remotes[i];
        struct doc *o = doc_new_object();

        put_text(o, "run_id", remote->id);
        put_text(o, "url", remote->url);
        put_outcome(o, "outcome", remote->outcome);
        put_text(o, "state", remote->state);
        put_text(o, "reason", remote->reason);
        doc_set_member(o, "properties", properties_of(remote));
        doc_append(array, o);
    }
    return array;
}

static struct doc *tests_of(const struct run_result *r)
{
    struct doc *array = doc_new_array();

    for (size_t i = 0; i < r->remote_count; i++) {
        for (size_t j = 0; j < r->remotes[i].test_count; j++) {
            const struct test_result *t = &r->remotes[i].tests[j];
            struct doc *o = doc_new_object();

            put_text(o, "name", t->name);
            put_outcome(o, "outcome", t->outcome);
            doc_set_member(o, "duration_s", doc_new_seconds(t->duration_ms));
            put_text(o, "message", t->message);
            put_text(o, "state", t->state);
            put_text(o, "run_id", r->remotes[i].id);
            doc_append(array, o);
        }
    }
    return array;
}

static struct doc *warnings_of(const struct run_result *r)
{
    struct doc *array = doc_new_array();

    for (size_t i = 0; i < r->warning_count; i++) {
        char *text = words_text(r->warnings[i], TEXT_FOLD, WORDS_LINE_MAX);

        doc_append(array, doc_new_string(text));
        free(text);
    }
    return array;
}

static struct doc *run_of(const struct run_result *r)
{
    struct doc *o = doc_new_object();

    doc_set_member(o, "name", doc_new_string(r->name));
    doc_set_member(o, "provider", doc_new_string(r->provider));
    doc_set_member(o, "required", doc_new_boolean(r->required));
    put_outcome(o, "outcome", r->outcome);
    put_outcome(o, "counts_as", r->counts_as);
    doc_set_member(o, "mapped_by", doc_new_string(r->mapped_by));
    put_text(o, "reason", r->reason);
    doc_set_member(o, "not_started", doc_new_boolean(r->not_started));
    put_text(o, "state", r->state);
    put_text(o, "run_id", r->run_id);
    put_text(o, "url", r->url);
    doc_set_member(o, "attached", doc_new_boolean(r->attached));
    doc_set_member(o, "flaky", doc_new_boolean(r->flaky));
    doc_set_member(o, "attempt", doc_new_integer(r->attempt));
    put_time(o, "started_at", words_run_started(r));
    put_time(o, "finished_at", r->finished);
    doc_set_member(o, "duration_s", doc_new_seconds(r->duration_ms));
    doc_set_member(o, "polls", doc_new_integer(r->polls));
    doc_set_member(o, "requests", doc_new_integer(r->requests));
    doc_set_member(o, "warnings", warnings_of(r));
    doc_set_member(o, "attempts", attempts_of(r));
    doc_set_member(o, "properties", properties_of(r->remote_count == 1 ? r->remotes : NULL));
    doc_set_member(o, "remote_runs", remotes_of(r));
    doc_set_member(o, "states", states_of(r));
    doc_set_member(o, "tests", tests_of(r));
    return o;
}

void json_write(struct buf *out, const struct gate_result *g)
{
    struct doc *root = doc_new_object();
    struct doc *runs = doc_new_array();

    doc_set_member(root, "schema", doc_new_integer(SCHEMA));
    doc_set_member(root, "verdict", doc_new_string(verdict_name(g->verdict)));
    doc_set_member(root, "exit_code", doc_new_integer(g->exit_code));
    put_text(root, "trouble", g->trouble);
    put_time(root, "started_at", g->started);
    put_time(root, "finished_at", g->finished);
    doc_set_member(root, "duration_s", doc_new_seconds(g->duration_ms));
    for (size_t i = 0; i < g->run_count; i++)
        doc_append(runs, run_of(&g->runs[i]));
    doc_set_member(root, "runs", runs);
    doc_print(out, root, INDENT);
    buf_addc(out, '\n');
    doc_free(root);
}
