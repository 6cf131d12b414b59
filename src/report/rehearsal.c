/* SPDX-License-Identifier: MIT */
/* Owns the words of a rehearsal. It must not know any provider. */
#include "base/base.h"

#include "base/mem.h"
#include "base/num.h"
#include "provider/reply.h"
#include "report/rehearsal.h"
#include "report/words.h"

static void add_line(struct buf *out, const char *label, const char *text)
{
    if (!text)
        return;
    buf_addf(out, "  %s: ", label);
    words_add_text(out, text, TEXT_FOLD, WORDS_LINE_MAX);
    buf_addc(out, '\n');
}

static void add_duration(struct buf *out, const char *label, int64_t ms)
{
    if (ms < 0)
        return;
    buf_addf(out, "  %s: ", label);
    num_add_duration(out, ms);
    buf_addc(out, '\n');
}

static void add_start(struct buf *out, const struct provider *p, const struct doc *reply)
{
    struct start_reply r;
    struct err e = {""};
    int rc = reply_read_start(&r, p, reply, &e);

    buf_adds(out, "as a reply to start:\n");
    if (r.label)
        buf_addf(out, "  %s %s, by a rule of start.rules\n", outcome_name(r.outcome), r.label);
    for (size_t i = 0; i < r.id_count; i++)
        add_line(out, "run id", r.ids[i]);
    if (r.refused)
        buf_addf(out, "  refused: %zu\n", r.refused);
    add_line(out, "url", r.url);
    add_duration(out, "expected duration", r.expect_ms);
    for (size_t i = 0; i < r.capture_count; i++)
        add_line(out, r.captures[i].name, r.captures[i].value);
    if (rc)
        add_line(out, "no run could be watched", e.text);
    start_reply_free(&r);
}

static void add_status(struct buf *out, const struct provider *p, const struct doc *reply)
{
    const struct rule *rule = rules_match(&p->status_rules, reply);
    struct status_reply r;

    reply_read_status(&r, p, reply);
    buf_adds(out, "as a reply to status:\n");
    if (rule)
        buf_addf(out, "  %s %s, by the rule in %s:%d\n", outcome_name(rule->outcome), rule->label,
                 p->status_rules.file, rule->line);
    else
        add_line(out, "no rule holds, the state is unknown", r.seen);
    add_line(out, "reason", r.reason);
    add_line(out, "url", r.url);
    add_duration(out, "expected duration", r.expect_ms);
    status_reply_free(&r);
}

static void add_test(void *user, const struct reported_test *test)
{
    struct buf *out = user;

    buf_addf(out, "  %-9s %s", outcome_name(test->outcome), test->label ? test->label : "-");
    buf_adds(out, " ");
    words_add_text(out, test->name ? test->name : "(no name)", TEXT_FOLD, WORDS_LINE_MAX);
    if (test->duration_ms >= 0) {
        buf_adds(out, ", ");
        num_add_duration(out, test->duration_ms);
    }
    if (test->message) {
        buf_adds(out, ": ");
        words_add_text(out, test->message, TEXT_FOLD, WORDS_LINE_MAX);
    }
    buf_addc(out, '\n');
}

static void add_property(void *user, const char *name, const char *value)
{
    add_line(user, name, value);
}

static void add_message(struct buf *out, const struct provider *p, const struct doc *reply)
{
    char *message = reply_message(p, reply);

    if (message)
        buf_adds(out, "as a reply that is no success:\n");
    add_line(out, "the provider says", message);
    free(message);
}

static void add_tests(struct buf *out, const struct provider *p, const struct doc *reply,
                      const char *id)
{
    struct bound_value *unset = mem_alloc(p->param_count, sizeof(*unset));
    struct ci no_ci = {{NULL}};
    struct binding binding = {.provider = p, .ci = &no_ci, .values = unset};
    struct scope scope = {.binding = &binding, .id = id};

    buf_adds(out, "tests at ");
    for (size_t i = 0; i < p->tests.count; i++)
        buf_addf(out, "%s%s", i ? ", " : "",
                 *p->tests.items[i] ? p->tests.items[i] : ". (the whole reply)");
    buf_adds(out, ":\n");
    if (!reply_each_test(p, reply, &scope, add_test, out)) {
        buf_addf(out, "  none%s", p->tests_required ? ": a pass would be empty" : "");
        if (p->tests_where.count && !id)
            buf_adds(out, "; tests.where may need the run's id: --try FILE ID");
        buf_addc(out, '\n');
    }
    free(unset);
}

void rehearsal_write(struct buf *out, const struct provider *p, const struct doc *reply,
                     const char *id)
{
    struct buf properties;

    buf_addf(out, "%s: %s\n", p->name, p->title ? p->title : "(no title)");
    add_start(out, p, reply);
    add_status(out, p, reply);
    add_message(out, p, reply);
    if (p->tests.count)
        add_tests(out, p, reply, id);
    buf_init(&properties, BUF_CAP_TEXT);
    reply_each_property(p, reply, add_property, &properties);
    if (properties.len)
        buf_addf(out, "properties:\n%s", properties.text);
    buf_free(&properties);
}
