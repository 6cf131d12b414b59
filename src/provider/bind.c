/* SPDX-License-Identifier: MIT */
/* Owns the values of parameters. It must not send anything, nor decide where secrets may go. */
#include "base/base.h"

#include "base/doc.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/secret.h"
#include "base/text.h"
#include "provider/bind.h"

/* Shorter secrets may be ordinary words that stand elsewhere by chance. */
enum { SECRET_IN_VALUE_MIN = 8 };

static const char *const type_names[] = {
    [PARAM_STRING] = "a text",         [PARAM_INTEGER] = "an integer",
    [PARAM_BOOLEAN] = "yes or no",     [PARAM_SECRET] = "a secret",
    [PARAM_JSON] = "a JSON value",     [PARAM_CHOICE] = "one of its choices",
};

void captures_free(struct capture *captures, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(captures[i].name);
        mem_forget(captures[i].value);
    }
    free(captures);
}

const char *scope_value(void *user, const char *name)
{
    const struct scope *scope = user;
    const struct binding *b = scope->binding;
    const struct param *param = provider_param(b->provider, name);

    if (param)
        return b->values[param - b->provider->params].text;
    if (strcmp(name, "id") == 0)
        return scope->id;
    for (size_t i = 0; i < scope->capture_count; i++) {
        if (strcmp(scope->captures[i].name, name) == 0)
            return scope->captures[i].value;
    }
    if (text_starts(name, "ci.")) {
        for (size_t i = 0; ci_value_name(i); i++) {
            if (strcmp(ci_value_name(i), name + strlen("ci.")) == 0)
                return b->ci->values[i];
        }
    }
    return NULL;
}

static bool in_range(const struct param *param, int64_t number)
{
    return (!param->has_min || number >= param->min) && (!param->has_max || number <= param->max);
}

/* Says what was expected, with the range if there is one. text may be NULL: too long to say. */
static void expected(const struct param *param, const char *text, const char *what, struct err *e)
{
    struct buf b;

    buf_init(&b, BUF_CAP_TEXT);
    buf_adds(&b, param->name);
    if (text)
        buf_addf(&b, " = '%s'", text);
    buf_addf(&b, ": expected %s", what);
    if (param->has_min && param->has_max)
        buf_addf(&b, " from %" PRId64 " to %" PRId64, param->min, param->max);
    else if (param->has_min)
        buf_addf(&b, " of at least %" PRId64, param->min);
    else if (param->has_max)
        buf_addf(&b, " of at most %" PRId64, param->max);
    for (size_t i = 0; i < param->choice_count; i++)
        buf_addf(&b, "%s%s", i ? ", " : " ", param->choices[i]);
    err_set(e, "%s", b.text);
    buf_free(&b);
}

/* 0 if the text is JSON of the parameter's shape and size. */
static int check_json(const struct param *param, const char *text, struct err *e)
{
    struct err own = {""};
    struct doc *d = doc_parse_value(text, &own);
    int rc = -1;

    if (!d)
        err_set(e, "%s: %s", param->name, own.text);
    else if (param->shape != DOC_NONE && doc_type(d) != param->shape)
        err_set(e, "%s: expected a JSON %s", param->name,
                param->shape == DOC_ARRAY ? "array, [...]" : "object, {...}");
    else if (!in_range(param, (int64_t)doc_size(d)))
        expected(param, NULL, "an array with a size", e);
    else
        rc = 0;
    doc_free(d);
    return rc;
}

/* A copy of the value in its canonical form, or NULL with err if it is not of the type. */
static char *read_value(const struct param *param, const char *text, struct err *e)
{
    int64_t number;
    bool truth;

    switch (param->type) {
    case PARAM_SECRET:
        if (!strpbrk(text, "\r\n\t"))
            return mem_strdup(text);
        err_set(e, "the secret '%s' holds a line end or a tab; was it stored with one?",
                param->name);
        break;
    case PARAM_STRING:
        return mem_strdup(text);
    case PARAM_INTEGER:
        if (!num_integer(text, -INT64_MAX, INT64_MAX, &number) && in_range(param, number))
            return mem_strdup(text);
        expected(param, text, "an integer", e);
        break;
    case PARAM_BOOLEAN:
        if (!num_boolean(text, &truth))
            return mem_strdup(truth ? "true" : "false");
        expected(param, text, "yes or no", e);
        break;
    case PARAM_JSON:
        return check_json(param, text, e) ? NULL : mem_strdup(text);
    case PARAM_CHOICE:
        for (size_t i = 0; i < param->choice_count; i++) {
            if (strcmp(param->choices[i], text) == 0)
                return mem_strdup(text);
        }
        expected(param, text, "one of:", e);
        break;
    }
    return NULL;
}

struct expanding {
    const struct vars *vars;
    size_t dollars; /* seen in strings */
};

static size_t count_dollars(const char *text)
{
    size_t count = 0;

    for (; *text; text++)
        count += *text == '$' ? 1 : 0;
    return count;
}

static char *expand_string(void *user, const char *text)
{
    struct expanding *expanding = user;
    struct err e = {""};
    struct buf out;
    size_t offset;

    expanding->dollars += count_dollars(text);
    buf_init(&out, BUF_CAP_TEXT);
    if (vars_expand(expanding->vars, text, &out, NULL, &offset, &e)) {
        buf_free(&out);
        return NULL;
    }
    return buf_detach(&out);
}

/*
 * The text of a JSON parameter with variables in it. Where the text as it is written is JSON, the
 * variables stand in its strings and are replaced there, so that a quote in a branch's name stays
 * a quote. Else (a variable stands for a number, or for all of it) NULL: the replaced text counts.
 * NULL with err if a variable stands where it is not replaced, in the name of a member.
 */
static char *expand_json(const struct setting *s, const struct vars *vars, struct err *e)
{
    struct expanding expanding = {.vars = vars};
    struct err ignored = {""};
    struct doc *d = s->raw ? doc_parse_value(s->raw, &ignored) : NULL;
    char *text = NULL;
    struct buf out;

    if (!d)
        return NULL;
    buf_init(&out, BUF_CAP_TEXT);
    if (!doc_change_strings(&d, expand_string, &expanding)) {
        if (expanding.dollars < count_dollars(s->raw)) {
            err_set(e, "%s: a variable cannot stand in the name of a member, only in a value",
                    s->key);
        } else {
            doc_print(&out, d, 0);
            text = buf_detach(&out);
        }
    }
    doc_free(d);
    buf_free(&out);
    return text;
}

/* The provider's own default, if all that it names is known; NULL otherwise. */
static char *default_value(const struct binding *b, const struct param *param)
{
    struct scope scope = {.binding = b};
    struct err e = {""};
    struct buf text;

    if (!param->value_default)
        return NULL;
    buf_init(&text, BUF_CAP_TEXT);
    template_expand(param->value_default, scope_value, &scope, ESCAPE_NONE, &text, &e);
    return buf_detach(&text);
}

static void run_mistake(struct diags *d, const struct binding *b, const struct pipeline *p,
                        const struct setting *s, const char *text)
{
    if (s)
        setting_error(d, s, "%s", text);
    else
        diag_add(d, p->file, b->run->line, "run '%s': %s", b->run->name, text);
}

static void missing(struct diags *d, const struct binding *b, const struct pipeline *p,
                    const struct param *param, const struct setting *s)
{
    struct buf text;

    buf_init(&text, BUF_CAP_TEXT);
    buf_addf(&text, "'%s' is missing: provider %s needs %s there", param->name,
             b->provider->name, type_names[param->type]);
    if (s)
        buf_addf(&text, "; the value given (%s) is empty", s->origin);
    if (param->env)
        buf_addf(&text, "; set it, or the environment variable %s", param->env);
    run_mistake(d, b, p, s && s->line ? s : NULL, text.text);
    buf_free(&text);
}

static void bind_param(struct binding *b, const struct pipeline *p, size_t i,
                       const struct vars *vars, struct diags *d, struct diags *warnings)
{
    const struct param *param = &b->provider->params[i];
    const struct setting *s = settings_find(&b->run->params, param->name);
    struct bound_value *value = &b->values[i];
    struct err e = {""};
    struct buf origin;
    char *text = NULL;

    if (s && !s->text)
        return; /* its variables could not be replaced: reported */
    buf_init(&origin, BUF_CAP_TEXT);
    if (s && *s->text) {
        text = param->type == PARAM_JSON ? expand_json(s, vars, &e) : NULL;
        if (!text && e.text[0])
            run_mistake(d, b, p, s, e.text);
        else if (!text)
            text = mem_strdup(s->text);
        buf_adds(&origin, s->origin);
    } else if (!s && param->env && vars_get(vars, param->env, NULL) &&
               *vars_get(vars, param->env, NULL)) {
        text = mem_strdup(vars_get(vars, param->env, NULL));
        value->from_env = true;
        buf_addf(&origin, "the environment variable %s", param->env);
    } else if (!s) {
        text = default_value(b, param);
        buf_addf(&origin, "default of %s", b->provider->name);
    }
    if (text && *text) {
        if (param->type == PARAM_SECRET)
            secret_add(text);
        if (s && s->loose_file && param->type == PARAM_SECRET)
            setting_error(warnings, s,
                          "'%s' is a secret, and not only its owner can read or write the file it "
                          "comes from (%s, mode %04o); chmod 600 %s",
                          param->name, s->loose_file, s->loose_mode, s->loose_file);
        value->text = read_value(param, text, &e);
        if (value->text)
            value->origin = buf_detach(&origin);
        else
            run_mistake(d, b, p, s, e.text);
        if (s && param->type == PARAM_SECRET && s->on_command_line)
            setting_error(d, s, "'%s' is a secret: the command line is there for all to read; use "
                          "%s%s",
                          param->name, param->env ? "the environment variable " : "a variable",
                          param->env ? param->env : "");
        else if (s && param->type == PARAM_SECRET && s->defined)
            setting_error(warnings, s,
                          "'%s' was given by -D, on the command line, which is there for all to "
                          "read; use the environment",
                          param->name);
        else if (s && param->type == PARAM_SECRET && !s->raw)
            setting_error(warnings, s,
                          "'%s' stands here in plain text; write ${NAME} and keep it in the "
                          "environment",
                          param->name);
    } else if (param->required && !e.text[0]) {
        missing(d, b, p, param, s);
    }
    mem_forget(text);
    buf_free(&origin);
}

static void unknown_param(const struct binding *b, const struct setting *s, struct diags *d)
{
    const char **names = NULL;
    size_t count = 0, cap = 0;
    const char *nearest;

    for (size_t i = 0; pipeline_key(KEYS_RUN, i); i++) {
        names = mem_grow(names, &cap, count, sizeof(*names));
        names[count++] = pipeline_key(KEYS_RUN, i)->name;
    }
    for (size_t i = 0; i < b->provider->param_count; i++) {
        names = mem_grow(names, &cap, count, sizeof(*names));
        names[count++] = b->provider->params[i].name;
    }
    nearest = text_nearest(s->key, names, count);
    setting_error(d, s, "unknown key '%s': neither a key of runs nor a parameter of %s%s%s%s",
                  s->key, b->provider->name, nearest ? "; did you mean '" : "",
                  nearest ? nearest : "", nearest ? "'?" : "");
    free(names);
}

void binding_make(struct binding *b, struct pipeline *p, const struct run_config *run,
                  const struct provider *provider, const struct ci *ci, const struct vars *vars,
                  struct diags *d, struct diags *warnings)
{
    const struct setting *base = settings_find(&run->settings, "base_url");
    const char *base_url = run->base_url ? run->base_url : provider->base_url;
    size_t len = base_url ? strlen(base_url) : 0;

    memset(b, 0, sizeof(*b));
    b->run = run;
    b->provider = provider;
    b->ci = ci;
    b->values = mem_alloc(provider->param_count, sizeof(*b->values));
    while (len && base_url[len - 1] == '/')
        len--;
    b->base_url = mem_strndup(base_url ? base_url : "", len);
    b->base_url_origin = mem_strdup(base ? base->origin : provider->name);
    if (!len)
        diag_add(d, p->file, run->line, "run '%s': 'base_url' is missing: provider %s names none",
                 run->name, provider->name);
    for (size_t i = 0; i < provider->param_count; i++)
        bind_param(b, p, i, vars, d, warnings);
    for (size_t i = 0; i < run->params.count; i++) {
        const struct setting *s = &run->params.items[i];

        if (!provider_param(provider, s->key)) {
            if (!s->from_defaults)
                unknown_param(b, s, d);
            continue;
        }
        for (size_t j = 0; s->from_defaults && j < p->defaults.count; j++) {
            if (strcmp(p->defaults.items[j].key, s->key) == 0)
                p->defaults.items[j].used = true;
        }
    }
}

void binding_check_defaults(const struct pipeline *p, struct diags *d)
{
    for (size_t i = 0; i < p->defaults.count; i++) {
        const struct setting *s = &p->defaults.items[i];

        if (!s->used)
            setting_error(d, s, "unknown key '%s': neither a key of runs nor a parameter of any "
                          "run's provider",
                          s->key);
    }
}

void binding_check_secrets(const struct binding *b, const struct pipeline *p, struct diags *d)
{
    for (size_t i = 0; i < b->provider->param_count; i++) {
        const struct param *param = &b->provider->params[i];
        struct buf text;

        if (!b->values[i].text || param->type == PARAM_SECRET ||
            !secret_occurs(b->values[i].text, SECRET_IN_VALUE_MIN))
            continue;
        buf_init(&text, BUF_CAP_TEXT);
        buf_addf(&text,
                 "a secret stands in '%s', which is not secret: it would be sent in plain sight",
                 param->name);
        run_mistake(d, b, p, settings_find(&b->run->params, param->name), text.text);
        buf_free(&text);
    }
}

void binding_free(struct binding *b)
{
    for (size_t i = 0; b->values && i < b->provider->param_count; i++) {
        mem_forget(b->values[i].text);
        free(b->values[i].origin);
    }
    free(b->values);
    free(b->base_url);
    free(b->base_url_origin);
    memset(b, 0, sizeof(*b));
}

int64_t binding_expected_ms(const struct binding *b)
{
    struct scope scope = {.binding = b};
    struct err e = {""};
    struct buf text;
    int64_t ms = -1;

    if (!b->provider->expect)
        return -1;
    buf_init(&text, BUF_CAP_TEXT);
    if (template_expand(b->provider->expect, scope_value, &scope, ESCAPE_NONE, &text, &e) !=
            TEMPLATE_DONE ||
        num_duration(text.text, &ms))
        ms = -1;
    buf_free(&text);
    return ms;
}
