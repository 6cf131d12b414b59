/* SPDX-License-Identifier: MIT */
/* Owns what a reply says, in terms of this gate. It must not send anything, nor take a step. */
#include "base/base.h"

#include "base/doc.h"
#include "base/mem.h"
#include "engine/answer.h"
#include "provider/reply.h"

/* By how much two readings of one clock can differ that are told in whole seconds. */
enum { DATE_SLACK_MS = 2000 };

static void add_test(void *user, const struct reported_test *test)
{
    struct remote_run *remote = user;
    struct test_result *t = result_add_test(remote);
    char unnamed[32];

    snprintf(unnamed, sizeof(unnamed), "test %zu", remote->test_count);
    t->name = result_text(test->name, true);
    if (!t->name || !*t->name)
        mem_replace(&t->name, unnamed);
    t->outcome = test->outcome;
    t->state = result_text(test->label, true);
    t->message = result_text(test->message, true);
    t->detail = result_text(test->detail, false);
    t->duration_ms = test->duration_ms;
}

static void add_property(void *user, const char *name, const char *value)
{
    struct remote_run *remote = user;
    struct property *p;

    for (size_t i = 0; i < remote->property_count; i++) {
        if (strcmp(remote->properties[i].name, name) == 0)
            return; /* the status told it already */
    }
    remote->properties = mem_grow(remote->properties, &remote->property_cap, remote->property_count,
                                  sizeof(*remote->properties));
    p = &remote->properties[remote->property_count++];
    p->name = mem_strdup(name);
    p->value = result_text(value, true);
}

/* Tests that were skipped, or are said to be running still, have shown nothing. */
static bool ran_a_test(const struct remote_run *remote)
{
    for (size_t i = 0; i < remote->test_count; i++) {
        enum outcome o = remote->tests[i].outcome;

        if (o != OUTCOME_SKIPPED && o != OUTCOME_RUNNING)
            return true;
    }
    return false;
}

/* Passed if all tests passed or were skipped; failed if one failed; else there is no verdict. */
static enum outcome worst_test(const struct remote_run *remote)
{
    enum outcome worst = OUTCOME_PASSED;

    for (size_t i = 0; i < remote->test_count; i++) {
        enum outcome o = remote->tests[i].outcome;

        if (o == OUTCOME_FAILED)
            return o;
        if (o != OUTCOME_PASSED && o != OUTCOME_SKIPPED)
            worst = OUTCOME_ERROR;
    }
    return worst;
}

/*
 * Takes tests and properties from a reply. A run that passed with none of the tests that its
 * definition wants becomes empty.
 */
static enum outcome take_details(struct member *m, size_t remote, const struct doc *d,
                                 enum outcome outcome, bool with_tests)
{
    const struct provider *p = m->binding->provider;
    struct remote_run *into = &m->result->remotes[remote];
    struct scope scope = member_scope(m, remote);

    reply_each_property(p, d, add_property, into);
    if (!with_tests || !p->tests.count)
        return outcome;
    reply_each_test(p, d, &scope, add_test, into);
    if (outcome == OUTCOME_PASSED && p->tests_required && !ran_a_test(into))
        return OUTCOME_EMPTY;
    return p->tests_decide && outcome == OUTCOME_PASSED ? worst_test(into) : outcome;
}

/* 0 if the reply tells what was started (or why nothing was); else the problem is set. */
static int read_start(struct member *m, const struct doc *d, struct event *event)
{
    struct start_reply reply;
    struct err e = {""};
    int rc = reply_read_start(&reply, m->binding->provider, d, &e);

    if (rc) {
        member_set_problem(m, "%s", e.text);
    } else if (outcome_is_final(reply.outcome)) {
        event->reply = REPLY_ENDED;
        event->outcome = reply.outcome;
        mem_replace(&m->result->state, reply.label);
    } else {
        member_free_captures(m);
        m->captures = reply.captures;
        m->capture_count = reply.capture_count;
        reply.captures = NULL;
        reply.capture_count = 0;
        for (size_t i = 0; i < reply.id_count; i++)
            result_add_remote(m->result, reply.ids[i]);
        result_set(&m->result->remotes[0].url, reply.url, true);
        member_name_remotes(m);
        event->remotes = reply.id_count;
        event->refused = reply.refused;
        if (m->life.limits.schedule.expected_ms < 0)
            m->life.limits.schedule.expected_ms = reply.expect_ms;
    }
    start_reply_free(&reply);
    return rc;
}

static void read_status(struct gate *g, struct member *m, const struct doc *d, struct event *event)
{
    const struct provider *p = m->binding->provider;
    struct remote_run *remote = &m->result->remotes[m->life.cursor];
    struct status_reply reply;

    reply_read_status(&reply, p, d);
    event->expected_ms = m->config->expect_ms ? -1 : reply.expect_ms;
    if (reply.url) {
        result_set(&remote->url, reply.url, true);
        mem_replace(&m->result->url, m->result->remotes[0].url);
    }
    if (reply.outcome == OUTCOME_UNKNOWN) {
        event->reply = REPLY_STRANGE;
        member_set_problem(m, "%s", reply.seen);
        if (!m->strange_told)
            gate_tell(
                g, MESSAGE_WARNING,
                "%s: the provider reports a state that its definition does not know (%s); it is "
                "polled on",
                m->result->name, m->problem);
        m->strange_told = true;
    } else {
        event->outcome = reply.outcome;
        remote->outcome = reply.outcome;
        result_set(&remote->state, reply.label, true);
        if (outcome_is_final(reply.outcome)) {
            result_set(&remote->reason, reply.reason, true);
            remote->outcome = take_details(m, m->life.cursor, d, reply.outcome,
                                           !p->requests[REQUEST_DETAILS].method);
            run_set_remote(&m->life, m->life.cursor, remote->outcome);
        }
        if (outcome_is_final(reply.outcome))
            gate_tell_child(g, m, m->life.cursor);
        /* The end of the run will be told by itself, with its reason; that of one of several is
         * no state of the run. */
        if (!outcome_is_final(reply.outcome) && m->life.state == RUN_POLLING)
            gate_note_state(g, m, reply.label);
        else if (outcome_is_final(reply.outcome) && run_is_over(&m->life))
            result_note_state(m->result, reply.label, g->wall);
    }
    status_reply_free(&reply);
}

static void read_details(struct member *m, const struct doc *d)
{
    struct remote_run *remote = &m->result->remotes[m->life.cursor];
    const struct rule *rule = rules_match(&m->binding->provider->status_rules, d);

    /* Where details tell the state too, they must tell the same. */
    if (rule && remote->outcome == OUTCOME_PASSED && rule->outcome != OUTCOME_PASSED) {
        result_set(&remote->reason, "the provider contradicts itself: its details say otherwise",
                   true);
        remote->outcome = OUTCOME_ERROR;
    }
    remote->outcome = take_details(m, m->life.cursor, d, remote->outcome, true);
    run_set_remote(&m->life, m->life.cursor, remote->outcome);
}

/* Ids are those of one provider at one address: two installations count alike. */
static bool shares_ids(const struct member *a, const struct member *b)
{
    return a->binding->provider == b->binding->provider &&
           strcmp(a->binding->base_url, b->binding->base_url) == 0;
}

/* ids are joined by commas; NULL: none. */
static bool is_among(const char *ids, const char *id)
{
    size_t len = strlen(id);

    for (const char *p = ids; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL) {
        if (strncmp(p, id, len) == 0 && (!p[len] || p[len] == ','))
            return true;
    }
    return false;
}

/*
 * It is a run of this gate already: of another member, or of an earlier attempt, which may have
 * been that of a gate before.
 */
static bool is_known(const struct gate *g, const struct member *m, const char *id)
{
    for (size_t i = 0; i < g->count; i++) {
        const struct run_result *r = g->members[i].result;
        const struct journal_entry *old = g->members[i].resume;

        if (!shares_ids(&g->members[i], m))
            continue;
        if (is_among(r->run_id, id) || (old && is_among(old->earlier, id)))
            return true;
        for (size_t j = 0; j < r->past_count; j++) {
            if (is_among(r->past[j].run_id, id))
                return true;
        }
    }
    return false;
}

/* What is found could be a run whose start is under way here, or will be sent again. */
static bool another_is_starting(const struct gate *g, const struct member *m)
{
    for (size_t i = 0; i < g->count; i++) {
        const struct member *other = &g->members[i];

        if (other != m && shares_ids(other, m) && other->life.state == RUN_STARTING &&
            (other->life.in_flight || other->life.lost))
            return true;
    }
    return false;
}

/* One run that can be ours is ours. Of none, or of several, nothing can be said. */
static void choose_found(struct gate *g, struct member *m, const struct find_reply *found,
                         struct event *event)
{
    const char *ours = NULL;
    struct buf several;

    buf_init(&several, BUF_CAP_TEXT);
    for (size_t i = 0; i < found->id_count; i++) {
        if (is_known(g, m, found->ids[i]))
            continue;
        buf_addf(&several, "%s%s", ours ? ", " : "several runs can be it: ", found->ids[i]);
        event->reply = ours ? REPLY_STRANGE : REPLY_GOOD;
        ours = found->ids[i];
    }
    if (!ours || (event->reply == REPLY_GOOD && another_is_starting(g, m))) {
        event->reply = REPLY_NOT_FOUND;
        member_set_problem(m, "the provider lists no run that was started then");
    } else if (event->reply == REPLY_STRANGE) {
        member_set_problem(m, "%s", several.text);
    } else {
        result_add_remote(m->result, ours);
        member_name_remotes(m);
        event->remotes = 1;
    }
    buf_free(&several);
}

/*
 * The list of runs. The provider's clock is not ours: the reply's date tells what time it is there,
 * and how long ago the start was sent does not depend on what became of our wall clock meanwhile.
 */
static void read_find(struct gate *g, struct member *m, const struct doc *d, int64_t date_ms,
                      struct event *event)
{
    int64_t there = (date_ms >= 0 ? date_ms : g->wall) - g->now;
    int64_t last = m->sent_last + g->options->pipeline->http.request_timeout_ms;
    struct scope scope = member_scope(m, SIZE_MAX);
    struct find_reply found;
    struct err e = {""};

    if (last < m->looked_from)
        last = m->looked_from;
    if (reply_read_find(&found, m->binding->provider, d, &scope,
                        there + m->sent_first - DATE_SLACK_MS, there + last + DATE_SLACK_MS, &e)) {
        event->reply = REPLY_RETRY;
        member_set_problem(m, "%s", e.text);
    } else {
        event->expected_ms = m->config->expect_ms ? -1 : found.usual_ms;
        if (m->life.state == RUN_FINDING)
            choose_found(g, m, &found, event);
    }
    find_reply_free(&found);
}

/* Words for a reply that is no success. */
static void describe_refusal(struct member *m, const struct http_reply *reply)
{
    char *text = reply_error_text(m->binding->provider, reply->body.text, reply->body.len);
    const char *hint = "";

    if (reply->status == 401 || reply->status == 403)
        hint = "; is the token right, and may it do this?";
    if (reply->redirect)
        member_set_problem(m, "HTTP %d, a redirect to %s, which is not followed", reply->status,
                           reply->redirect);
    else
        member_set_problem(m, "HTTP %d%s%s%s", reply->status, text ? ": " : "", text ? text : "",
                           hint);
    mem_forget(text);
}

static bool is_gone(const struct provider *p, int status)
{
    for (size_t i = 0; i < p->gone_count; i++) {
        if (p->cancel_gone[i] == status)
            return true;
    }
    return false;
}

struct event answer_read(struct gate *g, struct member *m, const struct http_reply *reply)
{
    struct event event = {.kind = EVENT_REPLY,
                          .retry_after_ms = reply->retry_after_ms,
                          .expected_ms = -1,
                          /* Refused, but perhaps after the work was done. */
                          .doubtful = reply->status >= 500 ||
                                      (reply->status >= 300 && reply->status < 400)};
    struct exchange x = {.request = m->life.request,
                         .answered = reply->result == HTTP_ANSWERED,
                         .sent = reply->result != HTTP_NOT_SENT,
                         .hopeless = reply->hopeless,
                         .status = reply->status,
                         .gone = is_gone(m->binding->provider, reply->status)};
    struct doc *d = NULL;
    struct err e = {""};

    if (!x.answered) {
        member_set_problem(m, "%s", reply->problem);
    } else if (x.status < 200 || x.status > 299) {
        describe_refusal(m, reply);
    } else if (x.request != REQUEST_CANCEL) {
        d = doc_parse(reply->body.text, reply->body.len, &e);
        x.readable = d != NULL && x.status != 206; /* a part was not asked for */
        if (!d) {
            char *text = reply_error_text(m->binding->provider, reply->body.text, reply->body.len);

            member_set_problem(m, "HTTP %d with a reply that is %s%s%s", x.status, e.text,
                               text ? ": " : "", text ? text : "");
            mem_forget(text);
        }
        if (d && x.request == REQUEST_START)
            x.readable = !read_start(m, d, &event);
    }
    if (event.reply == REPLY_UNKNOWN)
        event.reply = run_classify(&x);
    if (event.reply == REPLY_GOOD && x.request == REQUEST_STATUS)
        read_status(g, m, d, &event);
    else if (event.reply == REPLY_GOOD && x.request == REQUEST_DETAILS)
        read_details(m, d);
    else if (event.reply == REPLY_GOOD && x.request == REQUEST_FIND)
        read_find(g, m, d, reply->date_ms, &event);
    else if (x.request == REQUEST_CANCEL && event.reply != REPLY_GOOD && event.reply != REPLY_RETRY)
        result_warn(m->result, "cancelling run %s: %s", m->result->remotes[m->life.cursor].id,
                    m->problem);
    doc_free(d);
    return event;
}
