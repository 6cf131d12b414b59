/* SPDX-License-Identifier: MIT */
/* Owns the language of rules: reading it, evaluating it, finding its mistakes. It must not know
 * what is done with an outcome. */
#include "base/base.h"

#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "provider/rule.h"

static void condition_free(struct condition *c)
{
    for (size_t i = 0; i < c->count; i++)
        free(c->matches[i].text);
    free(c->matches);
    free(c->subject);
}

void conditions_free(struct conditions *c)
{
    for (size_t i = 0; i < c->count; i++)
        condition_free(&c->items[i]);
    free(c->items);
    memset(c, 0, sizeof(*c));
}

/* "3..", "1..5" or "..5"; everything else is a text to compare with. */
static int read_match(struct match *m, const char *text, struct err *e)
{
    const char *dots = strstr(text, "..");
    char *low;

    m->text = mem_strdup(text);
    m->is_template = strchr(text, '{') != NULL;
    if (!dots || m->is_template)
        return 0;
    low = mem_strndup(text, (size_t)(dots - text));
    m->low = INT64_MIN;
    m->high = INT64_MAX;
    m->is_range = (*low || dots[2]) &&
                  (!*low || !num_integer(low, -INT64_MAX, INT64_MAX, &m->low)) &&
                  (!dots[2] || !num_integer(dots + 2, -INT64_MAX, INT64_MAX, &m->high));
    free(low);
    if (m->is_range && m->low > m->high)
        return err_set(e, "no number is in the range '%s'", text);
    return 0;
}

static int read_values(struct condition *c, const char *text, struct err *e)
{
    for (;;) {
        size_t len = strcspn(text, ",");
        char *copy = mem_strndup(text, len);
        char *value = text_trim(copy);
        int rc = *value ? 0 : err_set(e, "a value is missing behind '='");

        if (!rc) {
            c->matches = mem_grow(c->matches, &c->cap, c->count, sizeof(*c->matches));
            rc = read_match(&c->matches[c->count++], value, e);
        }
        free(copy);
        if (rc || !text[len])
            return rc;
        text += len + 1;
    }
}

/* One condition; text is the caller's to scribble on. */
static int read_condition(struct condition *c, char *text, enum subject_kind kind, struct err *e)
{
    size_t len = strcspn(text, " \t=");
    char *rest;

    if (!len)
        return err_set(e, "a condition is missing");
    c->subject = mem_strndup(text, len);
    if (kind == SUBJECT_POINTER && (!*c->subject || doc_pointer_check(c->subject, e)))
        return -1;
    rest = text_trim(text + len);
    if (strcmp(rest, "exists") == 0) {
        c->test = TEST_EXISTS;
        return 0;
    }
    if (strcmp(rest, "missing") == 0) {
        c->test = TEST_MISSING;
        return 0;
    }
    c->test = TEST_IN;
    if (*rest != '=' || rest[1] == '=')
        return err_set(e, "'%s' is followed by '%s': expected '= value', 'exists' or 'missing'",
                       c->subject, rest);
    return read_values(c, rest + 1, e);
}

int conditions_parse(struct conditions *c, const char *text, enum subject_kind kind, struct err *e)
{
    static const char and[] = " and ";

    for (;;) {
        const char *next = strstr(text, and);
        char *copy = mem_strndup(text, next ? (size_t)(next - text) : strlen(text));
        int rc;

        c->items = mem_grow(c->items, &c->cap, c->count, sizeof(*c->items));
        rc = read_condition(&c->items[c->count++], text_trim(copy), kind, e);
        free(copy);
        if (rc || !next)
            return rc;
        text = next + strlen(and);
    }
}

static bool matches(const struct match *m, const char *text)
{
    int64_t value;

    if (!m->is_range)
        return strcmp(m->text, text) == 0;
    return !num_integer(text, m->low == INT64_MIN ? -INT64_MAX : m->low, m->high, &value);
}

static bool condition_holds(const struct condition *c, subject_fn *lookup, void *user)
{
    bool opaque = false, holds = false;
    struct buf text;

    buf_init(&text, BUF_CAP_TEXT);
    if (!lookup(user, c->subject, &text, &opaque)) {
        holds = c->test == TEST_MISSING;
    } else if (c->test == TEST_EXISTS) {
        holds = true;
    } else if (c->test == TEST_IN && !opaque && strlen(text.text) == text.len) {
        /* A text with a NUL in it equals no value: "passed" is not "passed\0and more". */
        for (size_t i = 0; i < c->count && !holds; i++)
            holds = matches(&c->matches[i], text.text);
    }
    buf_free(&text);
    return holds;
}

bool conditions_hold(const struct conditions *c, subject_fn *lookup, void *user)
{
    for (size_t i = 0; i < c->count; i++) {
        if (!condition_holds(&c->items[i], lookup, user))
            return false;
    }
    return true;
}

static bool look_in_document(void *user, const char *subject, struct buf *out, bool *ret_opaque)
{
    const struct doc *d = doc_at(user, subject);

    if (doc_type(d) == DOC_NONE || doc_type(d) == DOC_NULL)
        return false;
    *ret_opaque = !doc_add_text(out, d);
    return true;
}

bool conditions_hold_for(const struct conditions *c, const struct doc *d, template_value_fn *value,
                         void *user)
{
    void *document = (void *)(uintptr_t)d;

    for (size_t i = 0; i < c->count; i++) {
        const struct condition *item = &c->items[i];
        bool holds = condition_holds(item, look_in_document, document);
        struct buf want, have;

        buf_init(&want, BUF_CAP_TEXT);
        buf_init(&have, BUF_CAP_TEXT);
        for (size_t j = 0; j < item->count && !holds; j++) {
            struct err ignored = {""};
            bool opaque = false;

            buf_clear(&want);
            buf_clear(&have);
            holds = item->matches[j].is_template &&
                    template_expand(item->matches[j].text, value, user, ESCAPE_NONE, &want,
                                    &ignored) == TEMPLATE_DONE &&
                    look_in_document(document, item->subject, &have, &opaque) && !opaque &&
                    strcmp(want.text, have.text) == 0;
        }
        buf_free(&want);
        buf_free(&have);
        if (!holds)
            return false;
    }
    return true;
}

int conditions_check_names(const struct conditions *c, template_name_fn *each, void *user,
                           struct err *e)
{
    for (size_t i = 0; i < c->count; i++) {
        for (size_t j = 0; j < c->items[i].count; j++) {
            if (c->items[i].matches[j].is_template &&
                template_check(c->items[i].matches[j].text, each, user, e))
                return -1;
        }
    }
    return 0;
}

int rule_parse(struct rules *rules, const char *text, int line, struct err *e)
{
    static const char form[] = "a rule reads 'OUTCOME LABEL if CONDITION and CONDITION ...'";
    const char *condition = strstr(text, " if ");
    char *head = mem_strndup(text, condition ? (size_t)(condition - text) : strlen(text));
    size_t word = strcspn(head, " \t");
    char *label;
    struct rule *rule;
    int rc = -1;

    rules->items = mem_grow(rules->items, &rules->cap, rules->count, sizeof(*rules->items));
    rule = &rules->items[rules->count++];
    rule->line = line;
    label = head[word] ? text_trim(head + word + 1) : head + word;
    head[word] = '\0';
    rule->label = mem_strdup(label);
    rule->outcome = outcome_parse(head);
    if (rule->outcome == OUTCOME_UNKNOWN || rule->outcome == OUTCOME_START_UNKNOWN) {
        err_set(e,
                "'%s' is not an outcome: expected running, passed, failed, error, timed_out, "
                "cancelled, skipped or empty; %s",
                head, form);
        goto out;
    }
    if (!*label || strpbrk(label, " \t")) {
        err_set(e, "a label of one word is needed behind '%s'; %s", head, form);
        goto out;
    }
    if (!condition) {
        err_set(e, "the rule has no condition; %s", form);
        goto out;
    }
    rc = conditions_parse(&rule->conditions, condition + strlen(" if "), SUBJECT_POINTER, e);
out:
    free(head);
    return rc;
}

void rules_free(struct rules *rules)
{
    for (size_t i = 0; i < rules->count; i++) {
        free(rules->items[i].label);
        conditions_free(&rules->items[i].conditions);
    }
    free(rules->items);
    memset(rules, 0, sizeof(*rules));
}

const struct rule *rules_match(const struct rules *rules, const struct doc *d)
{
    for (size_t i = 0; i < rules->count; i++) {
        if (conditions_hold(&rules->items[i].conditions, look_in_document, (void *)(uintptr_t)d))
            return &rules->items[i];
    }
    return NULL;
}

void rules_add_seen(struct buf *out, const struct rules *rules, const struct doc *d)
{
    const char *seen[16];
    size_t count = 0;

    for (size_t i = 0; i < rules->count; i++) {
        const struct conditions *c = &rules->items[i].conditions;

        for (size_t j = 0; j < c->count; j++) {
            const char *subject = c->items[j].subject;
            const struct doc *value = doc_at(d, subject);
            size_t k = 0;

            while (k < count && strcmp(seen[k], subject) != 0)
                k++;
            if (k < count || count == ARRAY_LEN(seen))
                continue;
            seen[count++] = subject;
            buf_addf(out, "%s%s", count > 1 ? ", " : "", subject);
            if (doc_type(value) == DOC_NONE) {
                buf_adds(out, " is missing");
            } else {
                buf_adds(out, " = ");
                doc_print(out, value, 0);
            }
        }
    }
}

/* --- mistakes of a rule list as a whole ----------------------------------------------------- */

/* Every text that the first accepts is accepted by the second. */
static bool match_within(const struct match *a, const struct match *b)
{
    if (a->is_range)
        return b->is_range && b->low <= a->low && a->high <= b->high;
    return matches(b, a->text);
}

/*
 * Whenever a holds, b holds. Of the values of a only the one numbered only is looked at, or all
 * of them if that is SIZE_MAX.
 */
static bool implies(const struct condition *a, size_t only, const struct condition *b)
{
    if (strcmp(a->subject, b->subject) != 0)
        return false;
    if (b->test == TEST_MISSING)
        return a->test == TEST_MISSING;
    if (b->test == TEST_EXISTS)
        return a->test != TEST_MISSING;
    if (a->test != TEST_IN)
        return false;
    for (size_t i = only == SIZE_MAX ? 0 : only; i < a->count && i <= only; i++) {
        bool within = false;

        for (size_t j = 0; j < b->count && !within; j++)
            within = match_within(&a->matches[i], &b->matches[j]);
        if (!within)
            return false;
    }
    return true;
}

/*
 * Whenever later holds, with condition number at restricted to its value number only, earlier
 * holds too.
 */
static bool covers(const struct rule *earlier, const struct rule *later, size_t at, size_t only)
{
    for (size_t i = 0; i < earlier->conditions.count; i++) {
        bool implied = false;

        for (size_t j = 0; j < later->conditions.count && !implied; j++)
            implied = implies(&later->conditions.items[j], j == at ? only : SIZE_MAX,
                              &earlier->conditions.items[i]);
        if (!implied)
            return false;
    }
    return true;
}

static void check_pair(const struct rules *rules, const struct rule *earlier,
                       const struct rule *later, struct diags *d)
{
    if (covers(earlier, later, SIZE_MAX, SIZE_MAX)) {
        diag_add(d, rules->file, later->line,
                 "the rule '%s %s' is never reached: the rule '%s %s' in line %d holds first",
                 outcome_name(later->outcome), later->label, outcome_name(earlier->outcome),
                 earlier->label, earlier->line);
        return;
    }
    for (size_t i = 0; i < later->conditions.count; i++) {
        const struct condition *c = &later->conditions.items[i];

        for (size_t j = 0; c->test == TEST_IN && j < c->count; j++) {
            if (covers(earlier, later, i, j))
                diag_add(d, rules->file, later->line,
                         "%s = %s stands in two rules: the rule '%s %s' in line %d holds first",
                         c->subject, c->matches[j].text, outcome_name(earlier->outcome),
                         earlier->label, earlier->line);
        }
    }
}

static bool asks_for_something(const struct rule *rule)
{
    for (size_t i = 0; i < rule->conditions.count; i++) {
        if (rule->conditions.items[i].test != TEST_MISSING)
            return true;
    }
    return false;
}

void rules_check(const struct rules *rules, struct diags *d)
{
    for (size_t i = 0; i < rules->count; i++) {
        const struct rule *rule = &rules->items[i];

        for (size_t j = 0; j < i; j++)
            check_pair(rules, &rules->items[j], rule, d);
        if (rule->outcome == OUTCOME_PASSED && !asks_for_something(rule))
            diag_add(d, rules->file, rule->line,
                     "the rule 'passed %s' asks only for what is missing: an empty reply would "
                     "pass; a run passes on something that was seen",
                     rule->label);
    }
}
