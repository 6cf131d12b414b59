/* SPDX-License-Identifier: MIT */
/* Owns the keys of provider definitions, as a table. It must not know any provider. */
#include "base/base.h"

#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "pipeline/ci.h"
#include "pipeline/pipeline.h"
#include "pipeline/vars.h"
#include "provider/definition.h"
#include "provider/template.h"

#include <assert.h>

/* A key is taken to be good for so long where the definition does not say how long. */
enum { KEY_LIFE_MS = 10 * 60 * 1000 };

static const char *const kind_names[] = {
    [REQUEST_START] = "start",
    [REQUEST_STATUS] = "status",
    [REQUEST_DETAILS] = "details",
    [REQUEST_CANCEL] = "cancel",
    [REQUEST_FIND] = "find",
};
static_assert(ARRAY_LEN(kind_names) == REQUEST_KIND_COUNT, "every kind of request has a name");

const char *request_kind_name(enum request_kind kind)
{
    return kind_names[kind];
}

struct param *provider_param(const struct provider *p, const char *name)
{
    for (size_t i = 0; i < p->param_count; i++) {
        if (strcmp(p->params[i].name, name) == 0)
            return &p->params[i];
    }
    return NULL;
}

/* --- readers: each fills its slot from the value of a key ----------------------------------- */

struct reading {
    struct provider *provider;
    struct diags *diags;
    const char *file;
    const struct ini_entry *entry;
    const char *suffix; /* what stands behind the prefix of a key that is a prefix */
};

typedef int reader_fn(struct reading *r, void *slot, struct err *e);

/* Calls take for each line of the value that is not empty. */
static int each_line(struct reading *r, int (*take)(struct reading *, char *, int, void *),
                     void *user)
{
    int rc = 0;
    size_t i = 0;

    for (const char *p = r->entry->value; *p; i++) {
        size_t len = strcspn(p, "\n");
        char *copy = mem_strndup(p, len);
        char *line = text_trim(copy);

        if (*line && take(r, line, r->entry->lines[i], user))
            rc = -1;
        free(copy);
        p += len + (p[len] ? 1 : 0);
    }
    return rc;
}

static int read_text(struct reading *r, void *slot, struct err *e)
{
    (void)e;
    mem_replace(slot, r->entry->value);
    return 0;
}

static int read_boolean(struct reading *r, void *slot, struct err *e)
{
    if (num_boolean(r->entry->value, slot))
        return err_set(e, "'%s' is not yes or no", r->entry->value);
    return 0;
}

/* A dot is the whole reply, whose pointer is empty: an empty value means no key. */
static const char *pointer_of(const char *word)
{
    return strcmp(word, ".") == 0 ? "" : word;
}

static int read_pointer(struct reading *r, void *slot, struct err *e)
{
    const char *pointer = pointer_of(r->entry->value);

    mem_replace(slot, pointer);
    return doc_pointer_check(pointer, e);
}

static int read_tries(struct reading *r, void *slot, struct err *e)
{
    if (num_integer(r->entry->value, 1, 100, slot))
        return err_set(e, "'%s' is not a number from 1 to 100", r->entry->value);
    return 0;
}

static int read_where(struct reading *r, void *slot, struct err *e)
{
    return conditions_parse(slot, r->entry->value, SUBJECT_POINTER, e);
}

static int read_pointers(struct reading *r, void *slot, struct err *e)
{
    struct pointers *list = slot;

    for (const char *p = r->entry->value; *p;) {
        size_t len = strcspn(p, ",\n");
        char *copy = mem_strndup(p, len);
        char *word = text_trim(copy);
        int rc = *word ? doc_pointer_check(pointer_of(word), e)
                       : err_set(e, "a pointer is missing");

        if (!rc) {
            list->items = mem_grow(list->items, &list->cap, list->count, sizeof(*list->items));
            list->items[list->count++] = mem_strdup(pointer_of(word));
        }
        free(copy);
        if (rc)
            return -1;
        p += len + (p[len] ? 1 : 0);
    }
    return 0;
}

static int take_rule(struct reading *r, char *line, int number, void *slot)
{
    struct err e = {""};

    if (rule_parse(slot, line, number, &e))
        return diag_add(r->diags, r->file, number, "%s", e.text);
    return 0;
}

static int read_rules(struct reading *r, void *slot, struct err *e)
{
    struct rules *rules = slot;

    (void)e;
    rules->file = r->file;
    each_line(r, take_rule, slot); /* each mistake was reported at its own line */
    return 0;
}

static struct assignment *add_assignment(struct reading *r, struct assignments *list,
                                         const char *target, int line)
{
    struct assignment *a;

    list->items = mem_grow(list->items, &list->cap, list->count, sizeof(*list->items));
    a = &list->items[list->count++];
    a->target = mem_strdup(target);
    a->file = r->file;
    a->line = line;
    return a;
}

/* RFC 9110, token: what the name of a header is made of. */
static bool is_token(const char *text)
{
    static const char chars[] =
        "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    return *text && text[strspn(text, chars)] == '\0';
}

/* "HEADER" or "HEADER DURATION". */
static int read_idempotency(struct reading *r, void *slot, struct err *e)
{
    struct provider *p = slot;
    const char *value = r->entry->value;
    size_t len = strcspn(value, " \t\n");
    const char *life = value + len + strspn(value + len, " \t\n");

    free(p->idempotency);
    p->idempotency = mem_strndup(value, len);
    p->key_life_ms = KEY_LIFE_MS;
    if (!is_token(p->idempotency))
        return err_set(e, "'%s' is not the name of a header", p->idempotency);
    if (*life && (num_duration(life, &p->key_life_ms) || !p->key_life_ms))
        return err_set(e, "'%s' is not how long a key is good for, such as 10m", life);
    return 0;
}

static int take_header(struct reading *r, char *line, int number, void *slot)
{
    char *colon = strchr(line, ':');
    struct assignment *a;

    if (colon)
        *colon = '\0';
    if (!colon || !is_token(line))
        return diag_add(r->diags, r->file, number, "expected a header, 'Name: text {parameter}'");
    a = add_assignment(r, slot, line, number);
    a->template = mem_strdup(text_trim(colon + 1));
    return 0;
}

static int read_headers(struct reading *r, void *slot, struct err *e)
{
    (void)e;
    each_line(r, take_header, slot);
    return 0;
}

/* "template" or "template if PARAMETER = value" */
static int read_assignment(struct reading *r, void *slot, struct err *e)
{
    const char *value = r->entry->value;
    const char *condition = strstr(value, " if ");
    struct assignment *a = add_assignment(r, slot, r->suffix, r->entry->line);

    a->template = mem_strndup(value, condition ? (size_t)(condition - value) : strlen(value));
    if (condition)
        return conditions_parse(&a->conditions, condition + strlen(" if "), SUBJECT_PARAMETER, e);
    return 0;
}

static int read_body(struct reading *r, void *slot, struct err *e)
{
    struct request_def *request = slot;

    request->has_body = true;
    if (!*r->suffix)
        return err_set(e, "a pointer is missing behind 'body.'");
    if (doc_pointer_check(r->suffix, e))
        return -1;
    return read_assignment(r, &request->body, e);
}

/* What can stand in a URL as it is, beside a given set of characters. */
static bool is_url_text(const char *text, const char *without)
{
    for (const char *p = text; *p; p++) {
        if (*p <= ' ' || *p > '~' || *p == '#' || *p == '\\' || strchr(without, *p))
            return false;
    }
    return true;
}

static int read_query(struct reading *r, void *slot, struct err *e)
{
    if (!*r->suffix || !is_url_text(r->suffix, "?&%"))
        return err_set(e, "'%s' is not the name of a query parameter", r->suffix);
    return read_assignment(r, slot, e);
}

static int read_named_pointer(struct reading *r, void *slot, struct err *e)
{
    struct assignment *a = add_assignment(r, slot, r->suffix, r->entry->line);

    a->template = mem_strdup(r->entry->value);
    if (!*r->suffix)
        return err_set(e, "a name is missing behind the last '.'");
    return doc_pointer_check(r->entry->value, e);
}

static int read_request(struct reading *r, void *slot, struct err *e)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
    struct request_def *request = slot;
    const char *value = r->entry->value;
    size_t len = strcspn(value, " \t");
    const char *path = value + len + strspn(value + len, " \t");
    size_t i = 0;

    while (i < ARRAY_LEN(methods) &&
           (strlen(methods[i]) != len || strncmp(methods[i], value, len) != 0))
        i++;
    if (i == ARRAY_LEN(methods) || *path != '/')
        return err_set(e, "'%s' is not a request: expected 'METHOD /path' with GET, POST, PUT, "
                       "PATCH or DELETE",
                       value);
    if (!is_url_text(path, ""))
        return err_set(e, "the path '%s' holds a character that cannot stand in a URL", path);
    if (path[1] == '/')
        return err_set(e, "the path '%s' starts with '//', which would name another host", path);
    mem_replace(&request->method, methods[i]);
    mem_replace(&request->path, path);
    request->file = r->file;
    request->line = r->entry->line;
    return 0;
}

static int read_gone(struct reading *r, void *slot, struct err *e)
{
    struct provider *p = slot;

    for (const char *at = r->entry->value; *at;) {
        size_t len = strcspn(at, ",");
        char *copy = mem_strndup(at, len);
        int64_t status;
        int rc = num_integer(text_trim(copy), 400, 499, &status);

        if (!rc) {
            p->cancel_gone =
                mem_grow(p->cancel_gone, &p->gone_cap, p->gone_count, sizeof(*p->cancel_gone));
            p->cancel_gone[p->gone_count++] = (int)status;
        }
        free(copy);
        if (rc)
            return err_set(e, "expected HTTP statuses from 400 to 499");
        at += len + (at[len] ? 1 : 0);
    }
    return 0;
}

/* "/pointer [- /pointer] [ms|s|m]" */
static int read_span(struct reading *r, void *slot, struct err *e)
{
    struct span *span = slot;
    char *copy = mem_strdup(r->entry->value);
    char *rest = copy;
    size_t words = 0;
    int rc = 0;

    span->unit_ms = 1000;
    for (char *word = rest; !rc && *word; word = rest) {
        size_t len = strcspn(word, " \t");

        rest = word + len + strspn(word + len, " \t");
        word[len] = '\0';
        if (words == 0) {
            mem_replace(&span->to, word); /* a key that stands twice comes here twice */
            rc = *word == '/' ? doc_pointer_check(word, e) : -1;
        } else if (words == 1 && strcmp(word, "-") == 0) {
            len = strcspn(rest, " \t");
            free(span->from);
            span->from = mem_strndup(rest, len);
            rest += len + strspn(rest + len, " \t");
            rc = *span->from == '/' ? doc_pointer_check(span->from, e) : -1;
        } else if (!*rest && strcmp(word, "ms") == 0) {
            span->unit_ms = 1;
        } else if (!*rest && strcmp(word, "m") == 0) {
            span->unit_ms = 60000;
        } else if (*rest || strcmp(word, "s") != 0) {
            rc = -1;
        }
        words++;
    }
    free(copy);
    if (rc || !words)
        return err_set(e, "'%s' is not a length of time: expected '/pointer', '/end - /start', "
                       "with ms, s or m behind",
                       r->entry->value);
    return 0;
}

static int read_param_type(struct param *param, const char *word, struct err *e)
{
    static const struct {
        const char *name;
        enum param_type type;
        enum doc_type shape;
    } types[] = {{"string", PARAM_STRING, DOC_NONE},   {"integer", PARAM_INTEGER, DOC_NONE},
                 {"boolean", PARAM_BOOLEAN, DOC_NONE}, {"secret", PARAM_SECRET, DOC_NONE},
                 {"json", PARAM_JSON, DOC_NONE},       {"array", PARAM_JSON, DOC_ARRAY},
                 {"object", PARAM_JSON, DOC_OBJECT}};

    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (strcmp(word, types[i].name) == 0) {
            param->type = types[i].type;
            param->shape = types[i].shape;
            return 0;
        }
    }
    if (!text_starts(word, "choice(") || !text_ends(word, ")"))
        return err_set(e, "'%s' is not a type: expected string, integer, boolean, secret, json, "
                       "array, object or choice(a|b)",
                       word);
    param->type = PARAM_CHOICE;
    for (const char *p = word + strlen("choice("); *p;) {
        size_t len = strcspn(p, "|)");

        if (!len)
            return err_set(e, "a choice is missing in '%s'", word);
        param->choices = mem_grow(param->choices, &param->choice_cap, param->choice_count,
                                  sizeof(*param->choices));
        param->choices[param->choice_count++] = mem_strndup(p, len);
        p += len + 1;
    }
    return 0;
}

static int read_param_attribute(struct param *param, const char *word, struct err *e)
{
    const char *equals = strchr(word, '=');
    const char *value = equals ? equals + 1 : "";
    bool counts = param->type == PARAM_INTEGER || param->shape == DOC_ARRAY;
    int rc = 0;

    if (strcmp(word, "required") == 0) {
        param->required = true;
    } else if (text_starts(word, "default=")) {
        mem_replace(&param->value_default, value);
    } else if (text_starts(word, "env=")) {
        mem_replace(&param->env, value);
        rc = vars_is_name(value, strlen(value)) ? 0 : -1;
    } else if (text_starts(word, "min=") && counts) {
        rc = num_integer(value, -INT64_MAX, INT64_MAX, &param->min);
        param->has_min = true;
    } else if (text_starts(word, "max=") && counts) {
        rc = num_integer(value, -INT64_MAX, INT64_MAX, &param->max);
        param->has_max = true;
    } else {
        rc = -1;
    }
    if (rc)
        return err_set(e, "'%s' is not possible here: expected required, default=TEXT, env=NAME, "
                       "and min=N or max=N of an integer or an array",
                       word);
    return 0;
}

static int read_param(struct reading *r, void *slot, struct err *e)
{
    struct provider *p = slot;
    char *copy, *rest;
    struct param *param;
    int rc = 0;

    if (!*r->suffix || r->suffix[strspn(r->suffix, "abcdefghijklmnopqrstuvwxyz0123456789_-")])
        return err_set(e, "'%s' is not a parameter's name: lower case letters, digits, '_' and '-'",
                       r->suffix);
    if (strcmp(r->suffix, "id") == 0)
        return err_set(e, "'%s' is the run's id and cannot be a parameter", r->suffix);
    /* A pipeline file could never set it: its value would be taken for the key's. */
    for (size_t i = 0; pipeline_key(KEYS_RUN, i); i++) {
        if (strcmp(r->suffix, pipeline_key(KEYS_RUN, i)->name) == 0)
            return err_set(e, "'%s' is a key of every run and cannot be a parameter", r->suffix);
    }
    p->params = mem_grow(p->params, &p->param_cap, p->param_count, sizeof(*p->params));
    param = &p->params[p->param_count++];
    param->name = mem_strdup(r->suffix);
    param->file = r->file;
    param->line = r->entry->line;
    copy = mem_strdup(r->entry->value);
    rest = copy;
    for (size_t words = 0; !rc && *rest; words++) {
        char *word = rest;
        size_t len = strcspn(word, " \t\n");

        rest = word + len + strspn(word + len, " \t\n");
        word[len] = '\0';
        rc = words ? read_param_attribute(param, word, e) : read_param_type(param, word, e);
    }
    if (!*copy)
        rc = err_set(e, "a type is missing");
    free(copy);
    return rc;
}

/* --- the table ------------------------------------------------------------------------------ */

#define AT(member) offsetof(struct provider, member)
#define REQUEST(kind, member) (AT(requests) + (kind) * sizeof(struct request_def) +                \
                               offsetof(struct request_def, member))
#define REQUEST_KEYS(name, kind)                                                                   \
    {name, false, read_request, REQUEST(kind, method)},                                            \
    {name ".body.", true, read_body, REQUEST(kind, method)},                                       \
    {name ".query.", true, read_query, REQUEST(kind, query)},                                 \
    {name ".headers", false, read_headers, REQUEST(kind, headers)}

static_assert(offsetof(struct request_def, method) == 0, "a request's slot is its first member");

static const struct definition_key {
    const char *name;
    bool prefix; /* the key goes on behind the name */
    reader_fn *read;
    size_t offset;
} keys[] = {
    {"title", false, read_text, AT(title)},
    {"docs", false, read_text, AT(docs)},
    {"base_url", false, read_text, AT(base_url)},
    {"auth", false, read_headers, AT(auth)},
    {"headers", false, read_headers, AT(headers)},
    {"param.", true, read_param, 0},
    REQUEST_KEYS("start", REQUEST_START),
    REQUEST_KEYS("status", REQUEST_STATUS),
    REQUEST_KEYS("details", REQUEST_DETAILS),
    REQUEST_KEYS("cancel", REQUEST_CANCEL),
    REQUEST_KEYS("find", REQUEST_FIND),
    {"find.items", false, read_pointer, AT(find_items)},
    {"find.id", false, read_pointers, AT(find_id)},
    {"find.created", false, read_pointer, AT(find_created)},
    {"find.where", false, read_where, AT(find_where)},
    {"find.duration", false, read_span, AT(find_duration)},
    {"find.finished", false, read_where, AT(find_finished)},
    {"start.id", false, read_pointers, AT(start_id)},
    {"start.ids", false, read_pointer, AT(start_ids)},
    {"start.refused", false, read_pointer, AT(start_refused)},
    {"start.all", false, read_pointer, AT(start_all)},
    {"start.rules", false, read_rules, AT(start_rules)},
    {"start.url", false, read_pointers, AT(start_url)},
    {"start.expect", false, read_span, AT(start_expect)},
    {"start.capture.", true, read_named_pointer, AT(captures)},
    {"start.tries", false, read_tries, AT(start_tries)},
    {"start.idempotency", false, read_idempotency, 0},
    {"status.rules", false, read_rules, AT(status_rules)},
    {"status.url", false, read_pointers, AT(status_url)},
    {"status.reason", false, read_pointers, AT(status_reason)},
    {"status.expect", false, read_span, AT(status_expect)},
    {"cancel.gone", false, read_gone, 0},
    {"url", false, read_text, AT(url)},
    {"expect", false, read_text, AT(expect)},
    {"errors", false, read_pointers, AT(errors)},
    {"errors.more", false, read_pointers, AT(errors_more)},
    {"tests", false, read_pointers, AT(tests)},
    {"tests.decide", false, read_boolean, AT(tests_decide)},
    {"tests.required", false, read_boolean, AT(tests_required)},
    {"tests.name", false, read_pointers, AT(tests_name)},
    {"tests.message", false, read_pointers, AT(tests_message)},
    {"tests.detail", false, read_pointers, AT(tests_detail)},
    {"tests.duration", false, read_span, AT(tests_duration)},
    {"tests.rules", false, read_rules, AT(tests_rules)},
    {"tests.where", false, read_where, AT(tests_where)},
    {"property.", true, read_named_pointer, AT(properties)},
};

static const struct definition_key *find_key(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        if (keys[i].prefix ? text_starts(name, keys[i].name) : strcmp(name, keys[i].name) == 0)
            return &keys[i];
    }
    return NULL;
}

static void read_entry(struct provider *p, const struct definition_entry *de, struct diags *d)
{
    const char *name = de->entry->key;
    const struct definition_key *key = find_key(name);
    struct reading r = {.provider = p, .diags = d, .file = de->file, .entry = de->entry};
    struct err e = {""};

    if (!key) {
        const char *names[ARRAY_LEN(keys)];
        const char *nearest;

        for (size_t i = 0; i < ARRAY_LEN(keys); i++)
            names[i] = keys[i].name;
        nearest = text_nearest(name, names, ARRAY_LEN(keys));
        diag_add(d, de->file, de->entry->line, "unknown key '%s' in [provider:%s]%s%s%s", name,
                 p->name, nearest ? "; did you mean '" : "", nearest ? nearest : "",
                 nearest ? "'?" : "");
        return;
    }
    r.suffix = name + strlen(key->name);
    if (key->read(&r, (char *)p + key->offset, &e))
        diag_add(d, de->file, de->entry->line, "%s: %s", name, e.text);
}

void definition_read(struct provider *p, const struct definition_entry *entries, size_t count,
                     struct diags *d)
{
    p->tests_required = true;
    for (size_t i = 0; i < count; i++) {
        /* An empty value takes back what an extended definition says. */
        if (*entries[i].entry->value)
            read_entry(p, &entries[i], d);
    }
}

/* --- what must hold of the whole ------------------------------------------------------------ */

struct checking {
    struct provider *provider;
    struct diags *diags;
    bool secrets;   /* secret parameters may stand here */
    bool run_known; /* {id} and captured values are known here */
    bool ci_only;   /* nothing but {ci.NAME} may stand here */
    bool names_run; /* set when a template names one of the values that are the run's own */
};

static bool is_capture(const struct provider *p, const char *name)
{
    for (size_t i = 0; i < p->captures.count; i++) {
        if (strcmp(p->captures.items[i].target, name) == 0)
            return true;
    }
    return false;
}

static int check_name(void *user, const char *name, struct err *e)
{
    struct checking *c = user;
    struct param *param = provider_param(c->provider, name);

    if (text_starts(name, "ci.")) {
        for (size_t i = 0; ci_value_name(i); i++) {
            if (strcmp(ci_value_name(i), name + strlen("ci.")) == 0)
                return 0;
        }
        return err_set(e, "{%s} is not known of CI systems", name);
    }
    if (c->ci_only)
        return err_set(e, "{%s} cannot stand in a default: only {ci.NAME} can", name);
    if (strcmp(name, "id") == 0 || is_capture(c->provider, name)) {
        c->names_run = true;
        return c->run_known ? 0 : err_set(e, "{%s} is not known before the run is started", name);
    }
    if (!param)
        return err_set(e, "{%s} is not a parameter: add 'param.%s = TYPE'", name, name);
    param->used = true;
    if (param->type == PARAM_SECRET && !c->secrets)
        return err_set(e, "the secret {%s} can stand in 'auth' only", name);
    return 0;
}

static void check_template(struct checking *c, const char *template, const char *file, int line)
{
    struct err e = {""};

    c->names_run = false;
    if (template && template_check(template, check_name, c, &e))
        diag_add(c->diags, file, line, "%s", e.text);
}

static void check_assignments(struct checking *c, const struct assignments *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct assignment *a = &list->items[i];

        check_template(c, a->template, a->file, a->line);
        for (size_t j = 0; j < a->conditions.count; j++) {
            const char *subject = a->conditions.items[j].subject;
            struct param *param = provider_param(c->provider, subject);

            if (!param)
                diag_add(c->diags, a->file, a->line,
                         "the condition asks for '%s', which is not a parameter", subject);
            else
                param->used = true;
        }
    }
}

/* True if 'tests.where' asks for a value that is this run's own. */
static bool conditions_name_run(struct provider *p)
{
    struct checking c = {.provider = p, .run_known = true};
    struct err ignored = {""};

    return !conditions_check_names(&p->tests_where, check_name, &c, &ignored) && c.names_run;
}

static void check_requests(struct provider *p, struct diags *d)
{
    for (int kind = 0; kind < REQUEST_KIND_COUNT; kind++) {
        const struct request_def *request = &p->requests[kind];
        struct checking c = {.provider = p,
                             .diags = d,
                             .run_known = kind != REQUEST_START && kind != REQUEST_FIND};

        if (!request->method && (request->has_body || request->headers.count ||
                                 request->query.count))
            diag_add(d, p->file, p->line, "there are keys of '%s', but no '%s = METHOD /path'",
                     kind_names[kind], kind_names[kind]);
        check_assignments(&c, &request->body);
        check_assignments(&c, &request->headers);
        check_assignments(&c, &request->query);
        check_template(&c, request->path, request->file, request->line);
        /* A parameter is not enough: the status of the run before could be a pass. */
        if (kind == REQUEST_DETAILS && conditions_name_run(p))
            continue; /* a list, from which the tests of this run are picked */
        if (c.run_known && request->path && !c.names_run)
            diag_add(d, request->file, request->line,
                     "the path of '%s' does not say which run it is about: it needs {id}",
                     kind_names[kind]);
    }
}

static void check_params(struct provider *p, struct diags *d)
{
    struct checking ci = {.provider = p, .diags = d, .ci_only = true};

    for (size_t i = 0; i < p->param_count; i++) {
        const struct param *param = &p->params[i];

        if (!param->used)
            diag_add(d, param->file, param->line, "parameter '%s' is used nowhere", param->name);
        if (param->has_min && param->has_max && param->min > param->max)
            diag_add(d, param->file, param->line, "parameter '%s' has a min beyond its max",
                     param->name);
        if (param->type == PARAM_SECRET && param->value_default)
            diag_add(d, param->file, param->line, "the secret '%s' cannot have a default",
                     param->name);
        check_template(&ci, param->value_default, param->file, param->line);
    }
}

/* A captured value of a parameter's name would let a secret pass for it. */
static void check_captures(const struct provider *p, struct diags *d)
{
    for (size_t i = 0; i < p->captures.count; i++) {
        const struct assignment *a = &p->captures.items[i];

        if (strcmp(a->target, "id") == 0 || text_starts(a->target, "ci.") ||
            provider_param(p, a->target))
            diag_add(d, a->file, a->line,
                     "'%s' cannot be captured: {%s} has a meaning already", a->target, a->target);
    }
}

static void check_where(struct checking c, const struct conditions *where)
{
    struct err e = {""};

    if (conditions_check_names(where, check_name, &c, &e))
        diag_add(c.diags, c.provider->file, c.provider->line, "%s", e.text);
}

static void check_find(struct provider *p, struct diags *d)
{
    bool found = p->requests[REQUEST_FIND].method != NULL;

    check_where((struct checking){.provider = p, .diags = d}, &p->find_where);
    check_where((struct checking){.provider = p, .diags = d}, &p->find_finished);
    if (found && (!p->find_id.count || !p->find_created))
        diag_add(d, p->file, p->line, "'find' needs 'find.id' and 'find.created' beside it");
    if (!found &&
        (p->find_id.count || p->find_created || p->find_where.count || p->find_items ||
         p->find_duration.to || p->find_finished.count))
        diag_add(d, p->file, p->line, "there are keys of 'find', but no 'find = METHOD /path'");
}

static void check_tests(struct provider *p, struct diags *d)
{
    check_where((struct checking){.provider = p, .diags = d, .run_known = true}, &p->tests_where);
    if (p->tests.count && (!p->tests_name.count || !p->tests_rules.count))
        diag_add(d, p->file, p->line, "'tests' needs 'tests.name' and 'tests.rules' beside it");
    if (!p->tests.count && (p->tests_name.count || p->tests_rules.count || p->tests_message.count ||
                      p->tests_detail.count || p->tests_duration.to || p->tests_where.count ||
                      p->tests_decide))
        diag_add(d, p->file, p->line, "there are keys of 'tests', but no 'tests = /pointer'");
    rules_check(&p->tests_rules, d);
}

static void check_verdict_rules(const struct provider *p, struct diags *d)
{
    for (size_t i = 0; i < p->start_rules.count; i++) {
        if (p->start_rules.items[i].outcome == OUTCOME_PASSED)
            diag_add(d, p->start_rules.file, p->start_rules.items[i].line,
                     "a start cannot say that a run passed");
    }
    rules_check(&p->status_rules, d);
    rules_check(&p->start_rules, d);
}

static void need(const struct provider *p, bool there, const char *what, struct diags *d)
{
    if (!there)
        diag_add(d, p->file, p->line, "[provider:%s] has no '%s'", p->name, what);
}

void definition_check(struct provider *p, struct diags *d)
{
    struct checking before = {.provider = p, .diags = d};
    struct checking auth = {.provider = p, .diags = d, .secrets = true};
    struct checking after = {.provider = p, .diags = d, .run_known = true};

    need(p, p->requests[REQUEST_START].method != NULL, "start", d);
    need(p, p->start_id.count || p->start_ids, "start.id", d);
    need(p, p->requests[REQUEST_STATUS].method != NULL, "status", d);
    need(p, p->status_rules.count != 0, "status.rules", d);
    if (p->start_id.count && p->start_ids)
        diag_add(d, p->file, p->line, "there are both 'start.id' and 'start.ids': choose one");
    if (p->errors_more.count && !p->errors.count)
        diag_add(d, p->file, p->line, "there is 'errors.more', but no 'errors'");
    if (p->start_all && !p->start_ids)
        diag_add(d, p->file, p->line, "there is 'start.all', but no 'start.ids'");
    if (p->gone_count && !p->requests[REQUEST_CANCEL].method)
        diag_add(d, p->file, p->line, "there is 'cancel.gone', but no 'cancel = METHOD /path'");
    check_assignments(&auth, &p->auth);
    check_assignments(&before, &p->headers);
    check_requests(p, d);
    check_template(&after, p->url, p->file, p->line);
    check_template(&before, p->expect, p->file, p->line);
    check_captures(p, d);
    check_verdict_rules(p, d);
    check_tests(p, d);
    check_find(p, d);
    check_params(p, d); /* last: what all others name is used */
}

/* --- freeing -------------------------------------------------------------------------------- */

static void free_assignments(struct assignments *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].target);
        free(list->items[i].template);
        conditions_free(&list->items[i].conditions);
    }
    free(list->items);
}

static void free_pointers(struct pointers *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
}

static void free_span(struct span *span)
{
    free(span->to);
    free(span->from);
}

void provider_free(struct provider *p)
{
    char *texts[] = {p->name,          p->file,        p->title, p->docs,   p->base_url,
                     p->trusted_url,   p->start_ids,   p->url,   p->expect, p->start_refused,
                     p->start_all,     p->idempotency, p->find_items, p->find_created};
    struct pointers *pointers[] = {&p->start_id,   &p->start_url,     &p->status_url,
                                   &p->errors,     &p->errors_more,   &p->status_reason,
                                   &p->tests_name, &p->tests_message, &p->tests_detail,
                                   &p->find_id,    &p->tests};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        free(texts[i]);
    for (size_t i = 0; i < ARRAY_LEN(pointers); i++)
        free_pointers(pointers[i]);
    for (size_t i = 0; i < p->param_count; i++) {
        for (size_t j = 0; j < p->params[i].choice_count; j++)
            free(p->params[i].choices[j]);
        free(p->params[i].choices);
        free(p->params[i].name);
        free(p->params[i].value_default);
        free(p->params[i].env);
    }
    free(p->params);
    for (int kind = 0; kind < REQUEST_KIND_COUNT; kind++) {
        free(p->requests[kind].method);
        free(p->requests[kind].path);
        free_assignments(&p->requests[kind].body);
        free_assignments(&p->requests[kind].headers);
        free_assignments(&p->requests[kind].query);
    }
    free_assignments(&p->auth);
    free_assignments(&p->headers);
    free_assignments(&p->captures);
    free_assignments(&p->properties);
    free_span(&p->start_expect);
    free_span(&p->status_expect);
    free_span(&p->tests_duration);
    free_span(&p->find_duration);
    rules_free(&p->start_rules);
    rules_free(&p->status_rules);
    rules_free(&p->tests_rules);
    conditions_free(&p->tests_where);
    conditions_free(&p->find_where);
    conditions_free(&p->find_finished);
    free(p->cancel_gone);
    memset(p, 0, sizeof(*p));
}
