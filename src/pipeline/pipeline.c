/* SPDX-License-Identifier: MIT */
/* Owns the meaning of pipeline files, as tables of keys. It must not know any provider. */
#include "base/base.h"

#include "base/map.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "pipeline/ini.h"
#include "pipeline/pipeline.h"

#include <assert.h>
#include <ctype.h>

enum {
    RUN_NAME_MAX = 40,
    VALUE_MAX = 1 << 20,
    RUNS_MAX = 20000, /* each gets a copy of all [defaults] */
    KEYS_MAX = 100,   /* in a section: far more than any provider has parameters */
    COSTLY_MAX = 100  /* messages that take time and room for each run that there is */
};

/* --- keys: what each is called, what it takes, where it goes -------------------------------- */

enum key_type {
    KEY_TEXT,     /* char * */
    KEY_DURATION, /* int64_t, at least 1 ms */
    KEY_BOOLEAN,  /* bool */
    KEY_COUNT,    /* int64_t from 1 to 100,000 */
    KEY_BYTES,    /* int64_t */
    KEY_REQUIRE,  /* int64_t: all, any or a number */
    KEY_NAMES,    /* run_config.needs */
    KEY_OUTCOMES, /* unsigned: bits of outcomes */
    KEY_POLICY    /* enum outcome */
};

struct key {
    struct key_info info;
    enum key_type type;
    size_t offset;
};

#define AS(type, which) (offsetof(type, policy.as) + (which) * sizeof(enum outcome))
#define POLICY_KEYS(type)                                                                          \
    {{"on_skipped", NULL, "passed or failed: what a skipped run counts as"},                       \
     KEY_POLICY, AS(type, OUTCOME_SKIPPED)},                                                       \
    {{"on_empty", NULL, "the same for a run without tests"},                                       \
     KEY_POLICY, AS(type, OUTCOME_EMPTY)},                                                         \
    {{"on_timeout", NULL, "the same for a run that timed out"},                                    \
     KEY_POLICY, AS(type, OUTCOME_TIMED_OUT)},                                                     \
    {{"on_error", NULL, "the same for a run without a verdict"},                                   \
     KEY_POLICY, AS(type, OUTCOME_ERROR)},                                                         \
    {{"on_cancelled", NULL, "the same for a run that was cancelled"},                              \
     KEY_POLICY, AS(type, OUTCOME_CANCELLED)}

#define GATE(member) offsetof(struct gate_config, member)
#define HTTP(member) offsetof(struct http_config, member)
#define RUN(member) offsetof(struct run_config, member)

static const struct key gate_keys[] = {
    {{"timeout", "1h", "deadline for the whole gate"}, KEY_DURATION, GATE(timeout_ms)},
    {{"require", "all", "all, any or how many required runs must pass"},
     KEY_REQUIRE, GATE(require)},
    {{"fail_fast", "no", "the first required run that fails decides"},
     KEY_BOOLEAN, GATE(fail_fast)},
    {{"max_parallel", "16", "how many runs may be under way at once"},
     KEY_COUNT, GATE(max_parallel)},
    {{"cancel", "yes", "cancel remote runs when the gate gives up"}, KEY_BOOLEAN, GATE(cancel)},
    {{"cancel_grace", "10s", "how long cancelling may take"}, KEY_DURATION, GATE(cancel_grace_ms)},
    {{"heartbeat", "60s", "a sign of life in logs at least this often"},
     KEY_DURATION, GATE(heartbeat_ms)},
    {{"junit", NULL, "JUnit XML is written to this file"}, KEY_TEXT, GATE(junit)},
    {{"json", NULL, "the result as JSON is written to this file"}, KEY_TEXT, GATE(json)},
    {{"summary", NULL, "the result as Markdown is written to this file"}, KEY_TEXT, GATE(summary)},
    {{"journal", NULL, "starts are recorded in this file"}, KEY_TEXT, GATE(journal)},
    POLICY_KEYS(struct gate_config),
};

static const struct key http_keys[] = {
    {{"connect_timeout", "10s", "for making a connection"},
     KEY_DURATION, HTTP(connect_timeout_ms)},
    {{"request_timeout", "60s", "for one request and its reply"},
     KEY_DURATION, HTTP(request_timeout_ms)},
    {{"ca_file", NULL, "certificate authorities to trust instead of the system's"},
     KEY_TEXT, HTTP(ca_file)},
    {{"client_cert", NULL, "client certificate, a PEM file"}, KEY_TEXT, HTTP(client_cert)},
    {{"client_key", NULL, "its private key, a PEM file"}, KEY_TEXT, HTTP(client_key)},
    {{"proxy", NULL, "proxy to use instead of the environment's"}, KEY_TEXT, HTTP(proxy)},
    {{"max_body", "16M", "a longer reply is refused"}, KEY_BYTES, HTTP(max_body)},
    {{"max_connections", "32", "how many connections may be open at once"},
     KEY_COUNT, HTTP(max_connections)},
};

static const struct key run_keys[] = {
    {{"provider", NULL, "who runs the test"}, KEY_TEXT, RUN(provider)},
    {{"needs", NULL, "runs that must pass first"}, KEY_NAMES, 0},
    {{"required", "yes", "no: the run is reported and never decides"}, KEY_BOOLEAN, RUN(required)},
    {{"timeout", NULL, "deadline of the run"}, KEY_DURATION, RUN(timeout_ms)},
    {{"attempts", "1", "how many starts at most"}, KEY_COUNT, RUN(attempts)},
    {{"retry_on", "error", "outcomes after which the run is started anew"},
     KEY_OUTCOMES, RUN(retry_on)},
    {{"expect", NULL, "usual duration; polls gather around it"}, KEY_DURATION, RUN(expect_ms)},
    {{"poll_min", "1s", "shortest delay between polls"}, KEY_DURATION, RUN(poll_min_ms)},
    {{"poll_max", "15s", "longest delay between polls"}, KEY_DURATION, RUN(poll_max_ms)},
    {{"outage", "5m", "how long polls may fail in a row"}, KEY_DURATION, RUN(outage_ms)},
    {{"id", NULL, "watch this run instead of starting one"}, KEY_TEXT, RUN(id)},
    {{"base_url", NULL, "where the provider is reached"}, KEY_TEXT, RUN(base_url)},
    POLICY_KEYS(struct run_config),
};

static const struct {
    const char *name; /* the section's */
    const struct key *keys;
    size_t count;
} sections[] = {
    [KEYS_GATE] = {"gate", gate_keys, ARRAY_LEN(gate_keys)},
    [KEYS_HTTP] = {"http", http_keys, ARRAY_LEN(http_keys)},
    [KEYS_RUN] = {"run", run_keys, ARRAY_LEN(run_keys)},
};

static const struct key *find_key(enum key_section section, const char *name)
{
    for (size_t i = 0; i < sections[section].count; i++) {
        if (strcmp(sections[section].keys[i].info.name, name) == 0)
            return &sections[section].keys[i];
    }
    return NULL;
}

const struct key_info *pipeline_key(enum key_section section, size_t i)
{
    return i < sections[section].count ? &sections[section].keys[i].info : NULL;
}

/* --- settings ------------------------------------------------------------------------------- */

static void setting_free(struct setting *s)
{
    free(s->key);
    mem_forget(s->text);
    free(s->raw);
    free(s->origin);
    free(s->file);
    free(s->loose_file);
}

static void settings_free(struct settings *s)
{
    for (size_t i = 0; i < s->count; i++)
        setting_free(&s->items[i]);
    free(s->items);
    memset(s, 0, sizeof(*s));
}

const struct setting *settings_find(const struct settings *s, const char *key)
{
    for (size_t i = 0; i < s->count; i++) {
        if (strcmp(s->items[i].key, key) == 0)
            return &s->items[i];
    }
    return NULL;
}

const char *settings_text(const struct settings *s, enum key_section section, const char *key)
{
    const struct setting *given = settings_find(s, key);

    return given ? given->text : find_key(section, key)->info.value_default;
}

/* Takes a copy of what item says; an older setting of the same key is replaced. */
static void settings_put(struct settings *s, const struct setting *item)
{
    struct setting copy = *item;
    size_t at = 0;

    copy.key = mem_strdup(item->key);
    copy.text = mem_strdup(item->text);
    copy.raw = mem_strdup(item->raw);
    copy.origin = mem_strdup(item->origin);
    copy.file = mem_strdup(item->file);
    copy.loose_file = mem_strdup(item->loose_file);
    while (at < s->count && strcmp(s->items[at].key, item->key) != 0)
        at++;
    if (at < s->count) {
        setting_free(&s->items[at]);
    } else {
        s->items = mem_grow(s->items, &s->cap, s->count, sizeof(*s->items));
        s->count++;
    }
    s->items[at] = copy;
}

int setting_error(struct diags *d, const struct setting *s, const char *format, ...)
{
    char *text;
    va_list ap;

    va_start(ap, format);
    text = buf_vformat(format, ap);
    va_end(ap);
    diag_add(d, s->line ? s->file : s->origin, s->line, "%s", text);
    free(text);
    return -1;
}

/* --- values --------------------------------------------------------------------------------- */

/* Splits text at commas and white space; calls take for each word. */
static int each_word(const char *text, int (*take)(void *user, const char *word), void *user)
{
    static const char separators[] = ", \t\n";
    int rc = 0;

    for (const char *p = text + strspn(text, separators); *p; p += strspn(p, separators)) {
        size_t len = strcspn(p, separators);
        char *word = mem_strndup(p, len);

        if (take(user, word))
            rc = -1;
        free(word);
        p += len;
    }
    return rc;
}

struct naming {
    struct run_config *run;
    struct map seen;
};

static int take_need(void *user, const char *word)
{
    struct naming *naming = user;
    struct run_config *run = naming->run;

    if ((*map_at(&naming->seen, word))++)
        return 0;
    run->needs = mem_grow(run->needs, &run->need_cap, run->need_count, sizeof(*run->needs));
    run->needs[run->need_count++] = mem_strdup(word);
    return 0;
}

static int read_needs(const char *text, struct run_config *run)
{
    struct naming naming = {.run = run};
    int rc = each_word(text, take_need, &naming);

    map_free(&naming.seen);
    return rc;
}

static int take_outcome(void *user, const char *word)
{
    enum outcome o = outcome_parse(word);

    /* Starting anew after start_unknown could make two runs: it is not offered. */
    if (!outcome_is_final(o) || o == OUTCOME_PASSED || o == OUTCOME_START_UNKNOWN)
        return -1;
    *(unsigned *)user |= 1u << o;
    return 0;
}

static int read_require(const char *text, int64_t *ret)
{
    if (strcmp(text, "all") == 0)
        *ret = REQUIRE_ALL;
    else if (strcmp(text, "any") == 0)
        *ret = 1;
    else
        return num_integer(text, 1, 100000, ret);
    return 0;
}

static int read_policy(const char *text, enum outcome *ret)
{
    enum outcome o = outcome_parse(text);

    if (o != OUTCOME_PASSED && o != OUTCOME_FAILED)
        return -1;
    *ret = o;
    return 0;
}

/* What a value of each type looks like, for messages. */
static const char *const forms[] = {
    [KEY_TEXT] = "a text that is not empty",
    [KEY_DURATION] = "a duration such as 250ms, 30s, 45m or 1h30m",
    [KEY_BOOLEAN] = "yes or no",
    [KEY_COUNT] = "a number from 1 to 100000",
    [KEY_BYTES] = "a size such as 512K or 16M",
    [KEY_REQUIRE] = "all, any or a number",
    [KEY_NAMES] = "names of runs",
    [KEY_OUTCOMES] = "outcomes: failed, error, timed_out, cancelled, skipped, empty",
    [KEY_POLICY] = "passed or failed",
};

/* Puts text into the struct at target as key says; -1 if it is not of the key's type. */
static int apply(const struct key *key, const char *text, void *target)
{
    void *slot = (char *)target + key->offset;
    int64_t ms;

    switch (key->type) {
    case KEY_TEXT:
        if (!*text)
            return -1;
        mem_replace(slot, text);
        return 0;
    case KEY_DURATION:
        if (num_duration(text, &ms) || ms < 1)
            return -1;
        *(int64_t *)slot = ms;
        return 0;
    case KEY_BOOLEAN:
        return num_boolean(text, slot);
    case KEY_COUNT:
        return num_integer(text, 1, 100000, slot);
    case KEY_BYTES:
        return num_bytes(text, slot);
    case KEY_REQUIRE:
        return read_require(text, slot);
    case KEY_NAMES:
        return read_needs(text, target);
    case KEY_OUTCOMES:
        *(unsigned *)slot = 0;
        return each_word(text, take_outcome, slot);
    case KEY_POLICY:
        return read_policy(text, slot);
    }
    return -1;
}

/* Fills the struct at target from the defaults of the table and the settings. */
static void apply_all(enum key_section section, struct settings *settings, void *target,
                      struct diags *d)
{
    for (size_t i = 0; i < sections[section].count; i++) {
        const struct key *key = &sections[section].keys[i];
        const struct setting *given = settings_find(settings, key->info.name);

        if (!given) {
            if (key->info.value_default && apply(key, key->info.value_default, target))
                assert(false && "a default must be a value of its key");
        } else if (given->text && apply(key, given->text, target)) {
            setting_error(d, given, "'%s' is not a value for %s: expected %s", given->text,
                          key->info.name, forms[key->type]);
            /* As a variable that is not set: the checks that follow have nothing to say of it. */
            mem_replace(&settings->items[given - settings->items].text, NULL);
        }
    }
}

/* --- reading the file ----------------------------------------------------------------------- */

struct loader {
    struct pipeline *pipeline;
    const struct pipeline_source *source;
    struct diags *diags;
    struct settings defaults; /* all of [defaults] */
    struct map runs;          /* by name, the number of the run + 1 */
    size_t guesses, circles;  /* costly messages so far */
};

static void unknown_key(struct loader *l, const struct setting *s, enum key_section section)
{
    const char *names[64];
    const char *nearest;
    size_t count = sections[section].count;

    assert(count <= ARRAY_LEN(names));
    for (size_t i = 0; i < count; i++)
        names[i] = sections[section].keys[i].info.name;
    nearest = text_nearest(s->key, names, count);
    setting_error(l->diags, s, "unknown key '%s' in [%s]%s%s%s", s->key, sections[section].name,
                  nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
}

/* Reads an entry of the file, with its variables replaced. */
static void read_entry(struct loader *l, const struct ini_entry *entry, struct setting *ret)
{
    struct err e = {""};
    struct vars_used used;
    struct buf text, origin;
    size_t offset = 0;

    buf_init(&text, VALUE_MAX);
    vars_used_init(&used);
    buf_init(&origin, BUF_CAP_TEXT);
    memset(ret, 0, sizeof(*ret));
    ret->key = mem_strdup(entry->key);
    ret->file = mem_strdup(l->source->file);
    ret->line = entry->line;
    if (vars_expand(&l->source->vars, entry->value, &text, &used, &offset, &e))
        diag_add(l->diags, l->source->file, ini_line_at(entry, offset), "%s", e.text);
    else
        ret->text = mem_strdup(text.text);
    ret->raw = used.words.len ? mem_strdup(entry->value) : NULL;
    ret->defined = used.defined;
    ret->loose_file = mem_strdup(used.loose_file);
    ret->loose_mode = used.loose_mode;
    buf_addf(&origin, "%s:%d%s%s", l->source->file, ret->line, used.words.len ? ", " : "",
             used.words.text);
    ret->origin = buf_detach(&origin);
    buf_free(&text);
    vars_used_free(&used);
}

static void read_section(struct loader *l, const struct ini_section *section,
                         struct settings *settings)
{
    if (section->count > KEYS_MAX)
        diag_add(l->diags, l->source->file, section->entries[KEYS_MAX].line,
                 "section [%s] has more than %d keys", section->name, KEYS_MAX);
    for (size_t i = 0; i < section->count && i < KEYS_MAX; i++) {
        struct setting s;

        read_entry(l, &section->entries[i], &s);
        settings_put(settings, &s);
        setting_free(&s);
    }
}

/* 0 if name can name a run; else -1 with the reason in words. */
static int check_run_name(const char *name, const char **ret_why)
{
    size_t len = strlen(name);

    *ret_why = !len ? "a run needs a name" : "a run's name has at most 40 characters";
    if (!len || len > RUN_NAME_MAX)
        return -1;
    *ret_why = "a run's name holds letters, digits, '.', '_' and '-' only";
    for (size_t i = 0; i < len; i++) {
        if (!isalnum((unsigned char)name[i]) && !strchr("._-", name[i]))
            return -1;
    }
    *ret_why = "this name is taken by a section of rungate's own";
    return strcmp(name, "gate") == 0 || strcmp(name, "http") == 0 ? -1 : 0;
}

static struct run_config *find_run(const struct loader *l, const char *name)
{
    size_t number = map_get(&l->runs, name);

    return number ? &l->pipeline->runs[number - 1] : NULL;
}

static struct run_config *add_run(struct loader *l, const char *name, int line)
{
    struct pipeline *p = l->pipeline;
    struct run_config *run = find_run(l, name);

    if (run)
        return run; /* a section that stands twice was reported with the file's form */
    p->runs = mem_grow(p->runs, &p->run_cap, p->run_count, sizeof(*p->runs));
    run = &p->runs[p->run_count++];
    run->name = mem_strdup(name);
    run->line = line;
    *map_at(&l->runs, name) = p->run_count;
    return run;
}

static void put_run_setting(struct run_config *run, const struct setting *s)
{
    settings_put(find_key(KEYS_RUN, s->key) ? &run->settings : &run->params, s);
}

/* -1 if there is no room for it, nor for any that follows. */
static int read_run(struct loader *l, const struct ini_section *section, const char *name)
{
    struct settings own = {0};
    struct run_config *run;
    const char *why;

    if (check_run_name(name, &why))
        diag_add(l->diags, l->source->file, section->line, "'%s' cannot name a run: %s", name,
                 why);
    if (l->pipeline->run_count == RUNS_MAX) {
        diag_add(l->diags, l->source->file, section->line, "there are more than %d runs",
                 RUNS_MAX);
        return -1;
    }
    run = add_run(l, name, section->line);
    read_section(l, section, &own);
    for (size_t i = 0; i < own.count; i++)
        put_run_setting(run, &own.items[i]);
    settings_free(&own);
    return 0;
}

static void unknown_section(struct loader *l, const struct ini_section *section)
{
    static const char *const names[] = {"gate", "defaults", "http", "run:"};
    const char *colon = strchr(section->name, ':');
    char *head = mem_strndup(section->name, colon ? (size_t)(colon - section->name) + 1
                                                  : strlen(section->name));
    const char *nearest = text_nearest(head, names, ARRAY_LEN(names));

    if (strcmp(head, "provider:") == 0)
        diag_add(l->diags, l->source->file, section->line,
                 "a pipeline file cannot define a provider: put [%s] into a file of its own and "
                 "name that with --provider-file",
                 section->name);
    else
        diag_add(l->diags, l->source->file, section->line,
                 "unknown section [%s]%s%s%s%s; there are [gate], [defaults], [http] and "
                 "[run:NAME]",
                 section->name, nearest ? "; did you mean [" : "", nearest ? nearest : "",
                 nearest && text_ends(nearest, ":") ? "NAME" : "", nearest ? "]?" : "");
    free(head);
}

static void read_file(struct loader *l)
{
    struct pipeline *p = l->pipeline;
    struct ini ini;
    int rc = 0;

    ini_load(&ini, l->source->file, l->source->text, l->source->len, l->diags);
    for (size_t i = 0; i < ini.count && !rc; i++) {
        const struct ini_section *section = &ini.sections[i];

        if (strcmp(section->name, "gate") == 0)
            read_section(l, section, &p->gate_settings);
        else if (strcmp(section->name, "http") == 0)
            read_section(l, section, &p->http_settings);
        else if (strcmp(section->name, "defaults") == 0)
            read_section(l, section, &l->defaults);
        else if (text_starts(section->name, "run:"))
            rc = read_run(l, section, section->name + strlen("run:"));
        else
            unknown_section(l, section);
    }
    ini_free(&ini);
}

static void apply_overrides(struct loader *l)
{
    for (size_t i = 0; i < l->source->override_count; i++) {
        const struct override *o = &l->source->overrides[i];
        struct setting s = {.key = (char *)(uintptr_t)o->key,
                            .text = (char *)(uintptr_t)o->text,
                            .origin = (char *)(uintptr_t)o->origin,
                            .on_command_line = o->on_command_line};
        struct run_config *run = find_run(l, o->target);

        if (strcmp(o->target, "gate") == 0)
            settings_put(&l->pipeline->gate_settings, &s);
        else if (strcmp(o->target, "http") == 0)
            settings_put(&l->pipeline->http_settings, &s);
        else if (run)
            put_run_setting(run, &s);
        else
            setting_error(l->diags, &s, "there is no run '%s'", o->target);
    }
}

/* The settings of [defaults] go to every run that has no word of its own. */
static void apply_defaults(struct loader *l)
{
    struct pipeline *p = l->pipeline;

    for (size_t i = 0; i < l->defaults.count; i++) {
        struct setting *s = &l->defaults.items[i];
        bool ours = find_key(KEYS_RUN, s->key) != NULL;

        s->from_defaults = true;
        if (!ours)
            settings_put(&p->defaults, s);
        for (size_t j = 0; j < p->run_count; j++) {
            struct settings *own = ours ? &p->runs[j].settings : &p->runs[j].params;

            if (!settings_find(own, s->key))
                settings_put(own, s);
        }
    }
}

/* --- what must hold between the values ------------------------------------------------------ */

static void check_unknown(struct loader *l, const struct settings *settings,
                          enum key_section section)
{
    for (size_t i = 0; i < settings->count; i++) {
        if (!find_key(section, settings->items[i].key))
            unknown_key(l, &settings->items[i], section);
    }
}

static void run_error(struct loader *l, const struct run_config *run, const char *key,
                      const char *format, ...) PRINTF_LIKE(4, 5);

/* Reports at the key's line if the key was given, else at the run's. */
static void run_error(struct loader *l, const struct run_config *run, const char *key,
                      const char *format, ...)
{
    const struct setting *s = settings_find(&run->settings, key);
    char *text;
    va_list ap;

    va_start(ap, format);
    text = buf_vformat(format, ap);
    va_end(ap);
    if (s)
        setting_error(l->diags, s, "%s", text);
    else
        diag_add(l->diags, l->source->file, run->line, "%s", text);
    free(text);
}

static void resolve_needs(struct loader *l, struct run_config *run, const char *const *names)
{
    struct pipeline *p = l->pipeline;

    run->need_runs = mem_alloc(run->need_count, sizeof(*run->need_runs));
    for (size_t i = 0; i < run->need_count; i++) {
        const struct run_config *need = find_run(l, run->needs[i]);
        const char *nearest =
            need || l->guesses++ >= COSTLY_MAX ? NULL
                                                : text_nearest(run->needs[i], names, p->run_count);

        if (need)
            run->need_runs[i] = (size_t)(need - p->runs);
        else
            run_error(l, run, "needs", "run '%s' needs '%s', which is not there%s%s%s", run->name,
                      run->needs[i], nearest ? "; did you mean '" : "", nearest ? nearest : "",
                      nearest ? "'?" : "");
    }
}

enum colour { UNSEEN, ON_PATH, DONE };

/* A run on the way from the first, and how many of its needs were followed. */
struct step {
    size_t run, followed;
};

static void report_circle(struct loader *l, const struct step *path, size_t depth, size_t first)
{
    const struct run_config *runs = l->pipeline->runs;
    struct buf circle;
    size_t from = depth;

    while (path[from].run != first)
        from--;
    buf_init(&circle, BUF_CAP_TEXT);
    for (; from <= depth; from++)
        buf_addf(&circle, "%s -> ", runs[path[from].run].name);
    run_error(l, &runs[first], "needs", "runs need each other in a circle: %s%s", circle.text,
              runs[first].name);
    buf_free(&circle);
}

/*
 * Depth first; path holds the runs that lead here, for there may be more than fit on the stack. A
 * circle is reported once, where it closes.
 */
static void find_circles(struct loader *l, size_t start, enum colour *colours, struct step *path)
{
    const struct run_config *runs = l->pipeline->runs;
    size_t depth = 0;

    path[0] = (struct step){.run = start};
    colours[start] = ON_PATH;
    for (;;) {
        const struct run_config *run = &runs[path[depth].run];
        size_t i = path[depth].followed++;

        if (i == run->need_count) {
            colours[path[depth].run] = DONE;
            if (!depth--)
                return;
        } else if (strcmp(runs[run->need_runs[i]].name, run->needs[i]) != 0) {
            continue; /* it is not there: reported */
        } else if (colours[run->need_runs[i]] == UNSEEN) {
            path[++depth] = (struct step){.run = run->need_runs[i]};
            colours[run->need_runs[i]] = ON_PATH;
        } else if (colours[run->need_runs[i]] == ON_PATH && l->circles++ < COSTLY_MAX) {
            report_circle(l, path, depth, run->need_runs[i]);
        }
    }
}

static void check_needs(struct loader *l)
{
    struct pipeline *p = l->pipeline;
    enum colour *colours = mem_alloc(p->run_count, sizeof(*colours));
    struct step *path = mem_alloc(p->run_count, sizeof(*path));
    const char **names = mem_alloc(p->run_count, sizeof(*names));

    for (size_t i = 0; i < p->run_count; i++)
        names[i] = p->runs[i].name;
    for (size_t i = 0; i < p->run_count; i++)
        resolve_needs(l, &p->runs[i], names);
    free(names);
    for (size_t i = 0; i < p->run_count; i++) {
        if (colours[i] == UNSEEN)
            find_circles(l, i, colours, path);
    }
    free(colours);
    free(path);
}

/* True unless the key was given a value that could not be read, which was reported. */
static bool is_readable(const struct run_config *run, const char *key)
{
    const struct setting *s = settings_find(&run->settings, key);

    return !s || s->text;
}

static void check_run(struct loader *l, struct run_config *run)
{
    const struct pipeline *p = l->pipeline;

    for (size_t o = 0; o < OUTCOME_COUNT; o++) {
        if (run->policy.as[o] == OUTCOME_UNKNOWN)
            run->policy.as[o] = p->gate.policy.as[o];
    }
    if (!run->provider && !settings_find(&run->settings, "provider"))
        diag_add(l->diags, l->source->file, run->line,
                 "run '%s' has no provider: add 'provider = NAME' ('rungate providers' lists "
                 "them)",
                 run->name);
    if (is_readable(run, "poll_max") && run->poll_min_ms > run->poll_max_ms)
        run_error(l, run, settings_find(&run->settings, "poll_min") ? "poll_min" : "poll_max",
                  "poll_min (%s) is longer than poll_max (%s)",
                  settings_text(&run->settings, KEYS_RUN, "poll_min"),
                  settings_text(&run->settings, KEYS_RUN, "poll_max"));
    if (run->id && run->attempts > 1)
        run_error(l, run, "attempts", "a run that is only watched ('id') cannot be started anew");
}

static void check_require(struct loader *l)
{
    const struct pipeline *p = l->pipeline;
    const struct setting *s = settings_find(&p->gate_settings, "require");
    int64_t required = 0;

    for (size_t i = 0; i < p->run_count; i++)
        required += p->runs[i].required || !is_readable(&p->runs[i], "required") ? 1 : 0;
    if (p->run_count && !required)
        diag_add(l->diags, l->source->file, 0,
                 "no run is required: a gate with nothing to decide on never opens");
    else if (s && p->gate.require > required)
        setting_error(l->diags, s, "require = %s, but only %d run%s required", s->text,
                      (int)required, required == 1 ? " is" : "s are");
}

void pipeline_load(struct pipeline *p, const struct pipeline_source *source, struct diags *d)
{
    struct loader l = {.pipeline = p, .source = source, .diags = d};

    memset(p, 0, sizeof(*p));
    p->file = mem_strdup(source->file);
    if (source->text)
        read_file(&l);
    else
        add_run(&l, source->ad_hoc, 0);
    if (!p->run_count)
        diag_add(d, source->file, 0, "there is no run in it: add a section [run:NAME]");
    apply_overrides(&l);
    apply_defaults(&l);
    check_unknown(&l, &p->gate_settings, KEYS_GATE);
    check_unknown(&l, &p->http_settings, KEYS_HTTP);
    apply_all(KEYS_GATE, &p->gate_settings, &p->gate, d);
    apply_all(KEYS_HTTP, &p->http_settings, &p->http, d);
    for (size_t i = 0; i < p->run_count; i++) {
        apply_all(KEYS_RUN, &p->runs[i].settings, &p->runs[i], d);
        check_run(&l, &p->runs[i]);
    }
    check_needs(&l);
    check_require(&l);
    settings_free(&l.defaults);
    map_free(&l.runs);
}

static void free_run(struct run_config *run)
{
    for (size_t i = 0; i < run->need_count; i++)
        free(run->needs[i]);
    free(run->needs);
    free(run->need_runs);
    free(run->name);
    free(run->provider);
    free(run->id);
    free(run->base_url);
    settings_free(&run->settings);
    settings_free(&run->params);
}

void pipeline_free(struct pipeline *p)
{
    for (size_t i = 0; i < p->run_count; i++)
        free_run(&p->runs[i]);
    free(p->runs);
    free(p->file);
    free(p->gate.junit);
    free(p->gate.journal);
    free(p->gate.json);
    free(p->gate.summary);
    free(p->http.ca_file);
    free(p->http.client_cert);
    free(p->http.client_key);
    mem_forget(p->http.proxy);
    settings_free(&p->gate_settings);
    settings_free(&p->http_settings);
    settings_free(&p->defaults);
    memset(p, 0, sizeof(*p));
}

static void select_with_needs(struct pipeline *p, size_t at)
{
    struct run_config *run = &p->runs[at];

    if (run->selected)
        return;
    run->selected = true;
    for (size_t i = 0; i < run->need_count; i++)
        select_with_needs(p, run->need_runs[i]);
}

int pipeline_select(struct pipeline *p, const char *const *names, size_t count, struct err *e)
{
    for (size_t i = 0; i < p->run_count && !count; i++)
        p->runs[i].selected = true;
    for (size_t i = 0; i < count; i++) {
        struct buf known;
        size_t run = 0;

        while (run < p->run_count && strcmp(p->runs[run].name, names[i]) != 0)
            run++;
        if (run < p->run_count) {
            select_with_needs(p, run);
            continue;
        }
        buf_init(&known, BUF_CAP_TEXT);
        for (size_t j = 0; j < p->run_count; j++)
            buf_addf(&known, "%s%s", j ? ", " : "", p->runs[j].name);
        err_set(e, "there is no run '%s' in %s; there are: %s", names[i], p->file, known.text);
        buf_free(&known);
        return -1;
    }
    return 0;
}
