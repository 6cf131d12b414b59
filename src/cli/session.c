/* SPDX-License-Identifier: MIT */
/* Owns the putting together of a session. It must not print, nor send anything. */
#include "base/base.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "cli/session.h"
#include "net/http.h"
#include "provider/reply.h"
#include "provider/request.h"

#include <ctype.h>

enum { PIPELINE_MAX = 4 << 20, AD_HOC_NAME_MAX = 40 };

static const char command_line[] = "command line";

static void mistake(struct session *s, const char *file, const struct err *e)
{
    diag_add(&s->mistakes, file, 0, "%s", e->text);
}

/* --- the pipeline --------------------------------------------------------------------------- */

static void load(struct session *s, const char *file, const struct buf *text, const char *ad_hoc)
{
    struct pipeline_source source = {
        .file = file,
        .text = text ? text->text : NULL,
        .len = text ? text->len : 0,
        .ad_hoc = ad_hoc,
        .vars = s->vars,
        .overrides = s->options->overrides,
        .override_count = s->options->override_count,
    };

    pipeline_load(&s->pipeline, &source, &s->mistakes);
    s->loaded = true;
}

/* "run --provider NAME KEY=VALUE...": a pipeline of one run, named like its provider. */
static void load_ad_hoc(struct session *s)
{
    struct options *o = s->options;
    char *name = mem_strndup(o->provider, strnlen(o->provider, AD_HOC_NAME_MAX));

    for (char *p = name; *p; p++) {
        if (!isalnum((unsigned char)*p) && !strchr("._-", *p))
            *p = '-';
    }
    options_override(o, name, "provider", o->provider, "--provider", true);
    for (size_t i = 0; i < o->arguments.count; i++) {
        const char *argument = o->arguments.items[i];
        size_t len = strcspn(argument, "=");
        char *key = mem_strndup(argument, len);

        if (!argument[len])
            diag_add(&s->mistakes, command_line, 0, "'%s' is not KEY=VALUE, as --provider wants it",
                     argument);
        else
            options_override(o, name, key, argument + len + 1, key, true);
        free(key);
    }
    o->arguments.count = 0;
    load(s, command_line, NULL, name);
    free(name);
}

static void load_file(struct session *s)
{
    const char *config = s->options->config ? s->options->config : "rungate.ini";
    bool standard_input = strcmp(config, "-") == 0;
    struct err e = {""};
    struct buf text;

    buf_init(&text, PIPELINE_MAX);
    if (!file_read(standard_input ? NULL : config, &text, &e)) {
        load(s, standard_input ? "standard input" : config, &text, NULL);
    } else {
        diag_add(&s->mistakes, standard_input ? "standard input" : config, 0, "%s%s", e.text,
                 s->options->config ? ""
                                    : "; 'rungate init PROVIDER' prints a file to start from, and "
                                      "--config names another");
    }
    buf_free(&text);
}

/* --- providers and where secrets go --------------------------------------------------------- */

static void provider_mistake(struct session *s, const struct run_config *run, const char *text)
{
    const struct setting *given = settings_find(&run->settings, "provider");

    if (given)
        setting_error(&s->mistakes, given, "%s", text);
}

/* Builds the start as it would be sent, so that what cannot be sent is found before anything is. */
static void try_start(struct session *s, size_t i)
{
    struct scope scope = {.binding = &s->bindings[i]};
    struct request request;
    struct err e = {""};

    if (request_make(&request, REQUEST_START, &scope, &e))
        diag_add(&s->mistakes, s->pipeline.file, s->pipeline.runs[i].line, "run '%s': %s",
                 s->pipeline.runs[i].name, e.text);
    request_free(&request);
}

/* What is wrong with the definition's own address is the mistake of its file. */
static void check_address(struct session *s, const struct binding *b)
{
    const struct setting *base = settings_find(&b->run->settings, "base_url");
    const struct provider *p = b->provider;
    struct err e = {""};

    if (!b->run->base_url && http_url_check(p->base_url, NULL, NULL, &e))
        diag_add(&s->mistakes, p->file, p->line, "base_url: %s", e.text);
    else if (!origins_check_binding(&s->origins, b, &e))
        return;
    else if (base)
        setting_error(&s->mistakes, base, "%s", e.text);
    else
        diag_add(&s->mistakes, s->pipeline.file, b->run->line, "%s", e.text);
}

static void bind_run(struct session *s, size_t i)
{
    const struct run_config *run = &s->pipeline.runs[i];
    const struct provider *provider;
    struct buf text;

    if (!run->provider)
        return; /* reported with the pipeline */
    provider = registry_find(s->registry, run->provider);
    buf_init(&text, BUF_CAP_TEXT);
    if (!provider && registry_has(s->registry, run->provider)) {
        buf_free(&text); /* the mistakes of its definition were reported */
        return;
    }
    if (!provider) {
        const char *nearest = registry_nearest(s->registry, run->provider);

        buf_addf(&text, "there is no provider '%s'%s%s%s; 'rungate providers' lists them",
                 run->provider, nearest ? "; did you mean '" : "", nearest ? nearest : "",
                 nearest ? "'?" : "");
        provider_mistake(s, run, text.text);
    } else {
        size_t before = s->mistakes.count;

        binding_make(&s->bindings[i], &s->pipeline, run, provider, &s->ci, &s->vars, &s->mistakes,
                     &s->warnings);
        if (*s->bindings[i].base_url)
            check_address(s, &s->bindings[i]);
        if (s->mistakes.count == before)
            try_start(s, i);
    }
    buf_free(&text);
}

static void check_proxy(struct session *s)
{
    const struct setting *proxy = settings_find(&s->pipeline.http_settings, "proxy");
    struct err e = {""};

    if (s->pipeline.http.proxy && proxy && !proxy->on_command_line &&
        origins_check_proxy(&s->origins, s->pipeline.http.proxy, &e))
        setting_error(&s->mistakes, proxy, "%s", e.text);
}

/* Certificate files are looked for now: a gate that finds out later has no verdict. */
static void check_certificates(struct session *s)
{
    static const char *const keys[] = {"ca_file", "client_cert", "client_key"};
    const struct settings *http = &s->pipeline.http_settings;

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        const struct setting *file = settings_find(http, keys[i]);
        struct err e = {""};
        struct buf text;

        buf_init(&text, PIPELINE_MAX);
        if (file && file->text && *file->text && file_read(file->text, &text, &e))
            setting_error(&s->mistakes, file, "%s: %s", keys[i], e.text);
        buf_free(&text);
    }
    if (settings_find(http, "client_key") && !settings_find(http, "client_cert"))
        setting_error(&s->mistakes, settings_find(http, "client_key"),
                      "client_key is of no use without client_cert");
}

/* --- watching ------------------------------------------------------------------------------- */

/* given is the key they were given by; NULL: --attach. */
static void check_ids(struct session *s, const char *ids, const struct setting *given)
{
    const char *where = !given ? "--attach" : given->line ? given->file : given->origin;

    for (;;) {
        size_t len = strcspn(ids, ",");
        char *id = mem_strndup(ids, len);
        struct err e = {""};

        if (reply_check_id(id, &e))
            diag_add(&s->mistakes, where, given ? given->line : 0,
                     "'%s' cannot be the id of a run: %s", id, e.text);
        free(id);
        if (!ids[len])
            return;
        ids += len + 1;
    }
}

/* The number of the run with the name of that length; run_count if there is none. */
static size_t find_run(const struct session *s, const char *name, size_t len)
{
    size_t run = 0;

    while (run < s->pipeline.run_count && (strlen(s->pipeline.runs[run].name) != len ||
                                           strncmp(s->pipeline.runs[run].name, name, len) != 0))
        run++;
    return run;
}

static void read_attach(struct session *s)
{
    for (size_t i = 0; i < s->options->attach.count; i++) {
        const char *text = s->options->attach.items[i];
        size_t len = strcspn(text, "=");
        size_t run = find_run(s, text, len);

        if (!text[len] || run == s->pipeline.run_count)
            diag_add(&s->mistakes, "--attach", 0, "'%s' is not RUN=ID with a run of %s", text,
                     s->pipeline.file);
        else
            s->attach[run] = text + len + 1;
    }
    for (size_t i = 0; i < s->pipeline.run_count; i++) {
        const struct run_config *run = &s->pipeline.runs[i];

        if (s->attach[i])
            check_ids(s, s->attach[i], NULL);
        else if (run->id)
            check_ids(s, run->id, settings_find(&run->settings, "id"));
        if (!s->attach[i])
            s->attach[i] = run->id;
    }
}

/* --- the journal ---------------------------------------------------------------------------- */

/* What each command needs of it. */
static enum journal_use journal_use(const struct options *o)
{
    switch (o->command) {
    case COMMAND_RUN:
    case COMMAND_START:
    case COMMAND_WAIT:
        return o->dry_run ? JOURNAL_READ : JOURNAL_WRITE;
    case COMMAND_CANCEL:
        return JOURNAL_SHARE;
    case COMMAND_UNKNOWN:
    case COMMAND_CHECK:
    case COMMAND_STATUS:
    case COMMAND_PROVIDERS:
    case COMMAND_INIT:
        break;
    }
    return JOURNAL_READ;
}

static bool watches(const struct session *s);

/*
 * Whether a run of the journal is the one that this gate would start. One with other parameters,
 * or of another commit, would be a verdict on something else. Who only watches wants what there
 * is.
 */
static bool is_same_start(struct session *s, size_t run, const struct journal_entry *entry)
{
    char *mark;
    bool same;

    if (watches(s))
        return true;
    mark = journal_start_mark(&s->bindings[run]);
    same = mark && strcmp(mark, entry->start) == 0;
    free(mark);
    if (!same)
        diag_add(&s->warnings, s->pipeline.gate.journal, 0,
                 "run '%s': %s%s is not known to be over, but was started with other parameters or "
                 "for another commit; it is left alone",
                 entry->run, entry->ids ? "run " : "a start whose reply was lost",
                 entry->ids ? entry->ids : "");
    return same;
}

static void open_journal(struct session *s)
{
    const char *path = s->pipeline.gate.journal;

    if (!path && s->options->command == COMMAND_START)
        diag_add(&s->mistakes, command_line, 0,
                 "'start' does not wait: it needs --journal FILE, where 'wait' finds the runs");
    if (path && strcmp(path, "-") == 0)
        diag_add(&s->mistakes, command_line, 0, "the journal must be a file");
    if (!path || s->mistakes.count)
        return;
    s->journal = journal_open(path, journal_use(s->options), s->pipeline.file, &s->mistakes);
    for (size_t i = 0; s->journal && !s->options->fresh && i < s->pipeline.run_count; i++) {
        const struct journal_entry *entry = journal_find(s->journal, s->pipeline.runs[i].name);

        if (entry && !s->attach[i] && is_same_start(s, i, entry))
            s->resume[i] = entry;
    }
}

static bool exists(const struct session *s, size_t run)
{
    return s->attach[run] || s->resume[run];
}

/* For a clean-up job that always runs, a journal with nothing left to cancel is the usual thing. */
bool session_is_idle(const struct session *s)
{
    if (s->options->command != COMMAND_CANCEL || !s->journal || s->options->arguments.count)
        return false;
    for (size_t i = 0; i < s->pipeline.run_count; i++) {
        if (exists(s, i))
            return false;
    }
    return true;
}

/* "wait", "status" and "cancel" start nothing: every run that they look at must exist. */
static bool watches(const struct session *s)
{
    enum command command = s->options->command;

    return command == COMMAND_WAIT || command == COMMAND_STATUS || command == COMMAND_CANCEL;
}

static void check_watched(struct session *s)
{
    if (!watches(s) || session_is_idle(s))
        return;
    for (size_t i = 0; i < s->pipeline.run_count; i++) {
        const char *name = s->pipeline.runs[i].name;

        if (s->pipeline.runs[i].selected && !exists(s, i))
            diag_add(&s->mistakes, command_line, 0,
                     "which run of '%s' is meant? %s with --attach %s=ID, or 'id' in the pipeline "
                     "file; or name the runs to look at without this one",
                     name,
                     s->journal ? "The journal holds no unfinished one. Name it"
                                : "Name the journal of its start with --journal FILE, or the run",
                     name);
    }
}

/* "start" does not wait, not even for what a run needs. */
static void check_started(struct session *s)
{
    for (size_t i = 0; s->options->command == COMMAND_START && i < s->pipeline.run_count; i++) {
        const struct run_config *run = &s->pipeline.runs[i];

        if (run->selected && run->need_count && !exists(s, i))
            diag_add(&s->mistakes, s->pipeline.file, run->line,
                     "run '%s' needs '%s', which 'start' does not wait for: name the runs to "
                     "start, without this one, or use 'run'",
                     run->name, run->needs[0]);
    }
}

/*
 * What is required is required of the selected runs: "require = 2" and one run selected asks for
 * that one. A selection with nothing to decide on is a mistake.
 */
static void fit_require(struct session *s)
{
    struct gate_config *gate = &s->pipeline.gate;
    int64_t required = 0;

    for (size_t i = 0; i < s->pipeline.run_count; i++)
        required += s->pipeline.runs[i].selected && s->pipeline.runs[i].required ? 1 : 0;
    if (gate->require > required)
        gate->require = required;
    if (!required && (s->options->command == COMMAND_RUN || s->options->command == COMMAND_WAIT))
        diag_add(&s->mistakes, command_line, 0,
                 "none of the selected runs is required: there would be nothing to decide on");
}

/* What there is cannot be enough for the gate: a required run is missing. It may have failed in the
 * eyes of an earlier gate, or never have been started. */
static bool misses_required(const struct session *s)
{
    int64_t required = 0, there = 0;

    for (size_t i = 0; i < s->pipeline.run_count; i++) {
        required += s->pipeline.runs[i].required ? 1 : 0;
        there += s->pipeline.runs[i].required && exists(s, i) ? 1 : 0;
    }
    return there < (s->pipeline.gate.require == REQUIRE_ALL ? required : s->pipeline.gate.require);
}

/*
 * With no names given, they look at the runs that there are. "wait" decides for the gate, so it
 * asks for required ones that are missing; "status" looks at the others all the same.
 */
static int select_runs(struct session *s)
{
    const struct options *o = s->options;
    bool missing = !o->attach.count && !o->arguments.count && misses_required(s);
    bool any = false;
    struct err e = {""};

    s->incomplete = missing && o->command == COMMAND_STATUS;
    missing = missing && o->command == COMMAND_WAIT;

    for (size_t i = 0; i < s->pipeline.run_count; i++)
        any = any || exists(s, i);
    if (watches(s) && any && !o->arguments.count) {
        for (size_t i = 0; i < s->pipeline.run_count; i++)
            s->pipeline.runs[i].selected =
                exists(s, i) || (missing && s->pipeline.runs[i].required);
    } else if (pipeline_select(&s->pipeline, o->arguments.items, o->arguments.count, &e)) {
        mistake(s, command_line, &e);
        return -1;
    }
    return 0;
}

/*
 * What any definition calls a secret is one, whether a run uses it or not: a pipeline file that
 * names the variable elsewhere shall not bring it to light.
 */
static void know_secrets(struct session *s)
{
    for (size_t i = 0; registry_name(s->registry, i); i++) {
        const struct provider *p = registry_find(s->registry, registry_name(s->registry, i));

        for (size_t j = 0; p && j < p->param_count; j++) {
            const struct param *param = &p->params[j];
            const char *value = param->type == PARAM_SECRET && param->env
                                    ? vars_get(&s->vars, param->env, NULL)
                                    : NULL;

            if (value)
                secret_add(value);
        }
    }
}

/* Two outputs in one file, or one in a file that was read, would destroy each other. */
static void check_outputs(struct session *s)
{
    const struct gate_config *gate = &s->pipeline.gate;
    const char *const outputs[] = {gate->junit, gate->json, gate->summary, gate->journal};
    const char *const keys[] = {"junit", "json", "summary", "journal"};
    const char *printed = NULL;
    size_t before = s->mistakes.count;

    for (size_t i = 0; i < ARRAY_LEN(outputs); i++) {
        const struct setting *given = settings_find(&s->pipeline.gate_settings, keys[i]);

        if (outputs[i] && strcmp(outputs[i], "-") == 0) {
            if (printed && outputs[i] != gate->journal)
                diag_add(&s->mistakes, command_line, 0, "%s and %s cannot both be printed",
                         printed, keys[i]);
            printed = keys[i];
            continue;
        }
        if (!given || !outputs[i])
            continue;
        for (size_t k = 0; k < i; k++) {
            if (outputs[k] && file_is_same(outputs[i], outputs[k]))
                setting_error(&s->mistakes, given, "%s and %s are to be written to the same file",
                              keys[k], keys[i]);
        }
        if (file_is_same(outputs[i], s->pipeline.file))
            setting_error(&s->mistakes, given, "%s would be written over the pipeline file",
                          keys[i]);
    }
    s->outputs_clash = s->mistakes.count != before;
}

/* --- the whole ------------------------------------------------------------------------------ */

static void bind_all(struct session *s)
{
    s->bindings = mem_alloc(s->pipeline.run_count, sizeof(*s->bindings));
    s->attach = mem_alloc(s->pipeline.run_count, sizeof(*s->attach));
    s->resume = mem_alloc(s->pipeline.run_count, sizeof(*s->resume));
    for (size_t i = 0; i < s->pipeline.run_count; i++)
        bind_run(s, i);
    for (size_t i = 0; i < s->pipeline.run_count; i++) {
        if (s->bindings[i].provider)
            binding_check_secrets(&s->bindings[i], &s->pipeline, &s->mistakes);
    }
    binding_check_defaults(&s->pipeline, &s->mistakes);
    check_proxy(s);
    check_certificates(s);
    check_outputs(s);
    read_attach(s);
    if (!s->mistakes.count)
        open_journal(s);
    if (!s->mistakes.count) {
        if (select_runs(s))
            return;
        check_watched(s);
        check_started(s);
        fit_require(s);
    }
}

/* A command that is mistyped, or stands behind an option, is taken for the name of a run. */
static void check_command(struct session *s)
{
    const struct words *words = &s->options->arguments;

    for (size_t i = 0; i < words->count; i++) {
        const char *word = words->items[i];
        const char *command = options_nearest_command(word);

        if (command && find_run(s, word, strlen(word)) == s->pipeline.run_count)
            diag_add(&s->mistakes, command_line, 0,
                     "did you mean the command '%s'? It stands first: rungate %s [options]",
                     command, command);
    }
}

void session_open(struct session *s, struct options *o, const char *(*env)(const char *))
{
    struct err e = {""};

    memset(s, 0, sizeof(*s));
    s->options = o;
    s->env = env;
    s->vars = (struct vars){.defines = o->defines.items,
                            .define_count = o->defines.count,
                            .getenv = env};
    if (ci_read(&s->ci, o->ci, env))
        diag_add(&s->mistakes, "--ci", 0, "'%s' is not a CI system known here: auto, none, %s",
                 o->ci, ci_systems());
    for (size_t i = 0; i < o->allow_origins.count; i++) {
        if (origins_add(&s->origins, o->allow_origins.items[i], &e))
            mistake(s, "--allow-origin", &e);
        e.text[0] = '\0';
    }
    s->registry = registry_new(o->provider_files.items, o->provider_files.count, &s->mistakes);
    know_secrets(s);
    if (o->provider)
        load_ad_hoc(s);
    else
        load_file(s);
    origins_hide_proxies(s->pipeline.http.proxy, env);
    if (s->loaded)
        bind_all(s);
    if (s->mistakes.count)
        check_command(s);
    diags_sort(&s->mistakes);
}

void session_report(struct session *s)
{
    const char **names;
    size_t count = 0;

    if (!s->journal)
        return;
    names = mem_alloc(s->pipeline.run_count, sizeof(*names));
    for (size_t i = 0; i < s->pipeline.run_count; i++) {
        if (s->pipeline.runs[i].selected)
            names[count++] = s->pipeline.runs[i].name;
    }
    journal_over(s->journal, names, count, clock_wall_ms());
    free(names);
}

struct journal *session_close(struct session *s)
{
    struct journal *journal = s->journal;

    for (size_t i = 0; s->bindings && i < s->pipeline.run_count; i++) {
        if (s->bindings[i].provider)
            binding_free(&s->bindings[i]);
    }
    free(s->bindings);
    free(s->attach);
    free(s->resume);
    pipeline_free(&s->pipeline);
    registry_free(s->registry);
    origins_free(&s->origins);
    ci_free(&s->ci);
    diags_free(&s->mistakes);
    diags_free(&s->warnings);
    memset(s, 0, sizeof(*s));
    return journal;
}
