/* SPDX-License-Identifier: MIT */
/* Owns the options, as a table. It must not act on them. */
#include "base/base.h"

#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "cli/options.h"

#include <assert.h>
#include <ctype.h>
#include <getopt.h>

#define ON(command) (1u << (command))
#define GATES (ON(COMMAND_RUN) | ON(COMMAND_WAIT))
#define STARTERS (ON(COMMAND_RUN) | ON(COMMAND_START))
#define WATCHERS (ON(COMMAND_STATUS) | ON(COMMAND_CANCEL))
#define PIPELINES (GATES | STARTERS | ON(COMMAND_CHECK) | WATCHERS)
#define ANY (PIPELINES | ON(COMMAND_PROVIDERS) | ON(COMMAND_INIT))

static const struct command_info {
    const char *name;
    const char *arguments;
    const char *help;
} commands[] = {
    [COMMAND_UNKNOWN] = {NULL, NULL, NULL},
    [COMMAND_RUN] = {"run", "[RUN...] | --provider NAME KEY=VALUE...",
                     "start, wait, decide (the default command)"},
    [COMMAND_CHECK] = {"check", "", "validate everything, print the plan; no network"},
    [COMMAND_START] = {"start", "[RUN...]", "start and record in the journal; do not wait"},
    [COMMAND_WAIT] = {"wait", "[RUN...]",
                      "wait for runs that exist: of the journal, of --attach or of 'id'"},
    [COMMAND_STATUS] = {"status", "[RUN...]", "ask for the state of such runs once, do not wait"},
    [COMMAND_CANCEL] = {"cancel", "[RUN...]", "cancel such runs"},
    [COMMAND_PROVIDERS] = {"providers", "[NAME]",
                           "list providers, or print one definition, ready to copy"},
    [COMMAND_INIT] = {"init", "PROVIDER", "print a pipeline file to start from"},
};
static_assert(ARRAY_LEN(commands) == COMMAND_COUNT, "every command has its words");

enum option_kind {
    OPTION_TEXT, /* const char * */
    OPTION_LIST, /* struct words; in the environment one item a line */
    OPTION_FLAG, /* bool */
    OPTION_SET,  /* RUN.KEY=VALUE */
    OPTION_GATE, /* the key of [gate] takes the argument */
    OPTION_GATE_FLAG /* the key of [gate] takes the table's value; "no" in a variable, the other */
};

#define AT(member) offsetof(struct options, member)

static const char *const progress_words[] = {"auto", "tty", "plain", "none", NULL};
static const char *const color_words[] = {"auto", "always", "never", NULL};

static const struct option_info {
    const char *name;
    char letter;
    const char *argument; /* NULL: it takes none */
    const char *help;
    enum option_kind kind;
    size_t offset;
    const char *key, *value; /* of the gate */
    unsigned commands;
    bool no_variable;
    const char *const *choices; /* of OPTION_TEXT: the words it takes; NULL: any text */
} table[] = {
    {"config", 'c', "FILE", "pipeline file (default rungate.ini; - is standard input)",
     OPTION_TEXT, AT(config), NULL, NULL, PIPELINES, false, NULL},
    {"define", 'D', "NAME=VALUE", "value for ${NAME} in the pipeline file; beats the environment",
     OPTION_LIST, AT(defines), NULL, NULL, PIPELINES, false, NULL},
    {"set", 's', "RUN.KEY=VALUE", "set a key of a run (gate.KEY, http.KEY for those sections)",
     OPTION_SET, 0, NULL, NULL, PIPELINES, false, NULL},
    {"provider", 0, "NAME", "one run of this provider, without a pipeline file",
     OPTION_TEXT, AT(provider), NULL, NULL, PIPELINES, false, NULL},
    {"try", 0, "FILE", "say what the definition of --provider makes of a saved reply; the\n"
     "                               run's id may stand behind as an argument",
     OPTION_TEXT, AT(try_file), NULL, NULL, ON(COMMAND_CHECK), true, NULL},
    {"junit", 'j', "FILE", "write JUnit XML (- is standard output)",
     OPTION_GATE, 0, "junit", NULL, GATES, false, NULL},
    {"json", 0, "FILE", "write the result as JSON (- is standard output)",
     OPTION_GATE, 0, "json", NULL, GATES, false, NULL},
    {"summary", 0, "FILE", "write the result as Markdown (- is standard output)",
     OPTION_GATE, 0, "summary", NULL, GATES, false, NULL},
    {"journal", 0, "FILE", "record starts in this file, and take up what it says is unfinished",
     OPTION_GATE, 0, "journal", NULL, PIPELINES, false, NULL},
    {"fresh", 0, NULL, "start anew whatever the journal holds",
     OPTION_FLAG, AT(fresh), NULL, NULL, STARTERS, false, NULL},
    {"timeout", 't', "DURATION", "deadline for the whole gate",
     OPTION_GATE, 0, "timeout", NULL, GATES | STARTERS | ON(COMMAND_CHECK), false, NULL},
    {"attach", 0, "RUN=ID", "watch an existing run instead of starting it",
     OPTION_LIST, AT(attach), NULL, NULL, PIPELINES, false, NULL},
    {"fail-fast", 0, NULL, "the first required run that fails decides; the others are cancelled",
     OPTION_GATE_FLAG, 0, "fail_fast", "yes", GATES, false, NULL},
    {"no-cancel", 0, NULL, "leave remote runs going when the gate gives up",
     OPTION_GATE_FLAG, 0, "cancel", "no", GATES | STARTERS, false, NULL},
    {"provider-file", 0, "FILE", "further provider definitions",
     OPTION_LIST, AT(provider_files), NULL, NULL, ANY, false, NULL},
    {"allow-origin", 0, "URL", "an origin that secrets may be sent to beside the built-in ones",
     OPTION_LIST, AT(allow_origins), NULL, NULL, PIPELINES, false, NULL},
    {"dry-run", 0, NULL, "print the requests that would be sent, secrets starred; no network",
     /* No variable: one that is left set would open every gate without starting anything. */
     OPTION_FLAG, AT(dry_run), NULL, NULL, ON(COMMAND_RUN), true, NULL},
    {"ci", 0, "NAME", "the CI system to report to: auto, none or its name",
     OPTION_TEXT, AT(ci), NULL, NULL, PIPELINES, false, NULL},
    {"progress", 0, "HOW", "auto, tty, plain or none", OPTION_TEXT, AT(progress), NULL, NULL,
     GATES | STARTERS | WATCHERS, false, progress_words},
    {"color", 0, "WHEN", "auto, always or never; NO_COLOR is honoured",
     OPTION_TEXT, AT(color), NULL, NULL, GATES | STARTERS | WATCHERS, false, color_words},
    {"quiet", 'q', NULL, "print errors and a verdict that is no pass, nothing else",
     OPTION_FLAG, AT(quiet), NULL, NULL, ANY, false, NULL},
    {"verbose", 'v', NULL, "trace each request and reply, secrets starred",
     OPTION_FLAG, AT(verbose), NULL, NULL, ANY, false, NULL},
    {"help", 'h', NULL, "print this help", OPTION_FLAG, AT(help), NULL, NULL, ANY, true, NULL},
    {"version", 'V', NULL, "print the version", OPTION_FLAG, AT(version), NULL, NULL, ANY, true,
     NULL},
};

/* --- taking values -------------------------------------------------------------------------- */

static char *own(struct options *o, char *text)
{
    o->owned = mem_grow(o->owned, &o->owned_cap, o->owned_count, sizeof(*o->owned));
    o->owned[o->owned_count++] = text;
    return text;
}

static void add_word(struct words *words, const char *word)
{
    words->items = mem_grow(words->items, &words->cap, words->count, sizeof(*words->items));
    words->items[words->count++] = word;
}

void options_override(struct options *o, const char *target, const char *key, const char *text,
                      const char *origin, bool on_command_line)
{
    struct override *item;

    o->overrides = mem_grow(o->overrides, &o->override_cap, o->override_count,
                            sizeof(*o->overrides));
    item = &o->overrides[o->override_count++];
    item->target = own(o, mem_strdup(target));
    item->key = own(o, mem_strdup(key));
    item->text = own(o, mem_strdup(text));
    item->origin = own(o, mem_strdup(origin));
    item->on_command_line = on_command_line;
}

/* RUN.KEY=VALUE: a run's name may hold dots, a key does not. */
static int take_set(struct options *o, const char *text, const char *origin, bool on_command_line,
                    struct err *e)
{
    size_t end = strcspn(text, "=");
    char *head = own(o, mem_strndup(text, end));
    char *dot = strrchr(head, '.');
    struct buf where;

    if (!text[end] || !dot || dot == head || !dot[1])
        return err_set(e, "%s: '%s' is not RUN.KEY=VALUE", origin, text);
    buf_init(&where, BUF_CAP_TEXT);
    buf_addf(&where, "%s %s", origin, head);
    *dot = '\0';
    options_override(o, head, dot + 1, text + end + 1, where.text, on_command_line);
    buf_free(&where);
    return 0;
}

static int check_choice(const struct option_info *info, const char *value, const char *origin,
                        struct err *e)
{
    struct buf all;

    buf_init(&all, BUF_CAP_TEXT);
    for (size_t i = 0; info->choices && info->choices[i]; i++) {
        if (value && strcmp(value, info->choices[i]) == 0)
            value = NULL;
        buf_addf(&all, "%s%s", i ? ", " : "", info->choices[i]);
    }
    if (info->choices && value)
        err_set(e, "%s: '%s' is not one of: %s", origin, value, all.text);
    else
        value = NULL;
    buf_free(&all);
    return value ? -1 : 0;
}

static int take(struct options *o, const struct option_info *info, const char *text,
                const char *origin, bool on_command_line, struct err *e)
{
    void *slot = (char *)o + info->offset;

    if (text && !*text)
        return err_set(e, "%s: the value is empty", origin);
    switch (info->kind) {
    case OPTION_TEXT:
        *(const char **)slot = text;
        return check_choice(info, text, origin, e);
    case OPTION_LIST:
        add_word(slot, text);
        return 0;
    case OPTION_FLAG:
        if (!text)
            *(bool *)slot = true;
        else if (num_boolean(text, slot))
            return err_set(e, "%s: '%s' is not yes or no", origin, text);
        return 0;
    case OPTION_SET:
        return take_set(o, text, origin, on_command_line, e);
    case OPTION_GATE:
        options_override(o, "gate", info->key, text, origin, on_command_line);
        return 0;
    case OPTION_GATE_FLAG: {
        bool set = true;
        bool yes = strcmp(info->value, "yes") == 0;

        if (text && num_boolean(text, &set))
            return err_set(e, "%s: '%s' is not yes or no", origin, text);
        options_override(o, "gate", info->key, set == yes ? "yes" : "no", origin, on_command_line);
        return 0;
    }
    }
    return -1;
}

/* --- the environment ------------------------------------------------------------------------ */

static int take_variable(struct options *o, const struct option_info *info, const char *name,
                         const char *value, struct err *e)
{
    struct buf origin;
    char *lines;
    int rc = 0;

    buf_init(&origin, BUF_CAP_TEXT);
    buf_addf(&origin, "the environment variable %s", name);
    if (info->kind != OPTION_LIST && info->kind != OPTION_SET) {
        rc = take(o, info, value, origin.text, false, e);
    } else {
        lines = own(o, mem_strdup(value));
        while (!rc && *lines) {
            size_t len = strcspn(lines, "\n");
            char *next = lines + len + (lines[len] ? 1 : 0);
            char *word;

            lines[len] = '\0';
            word = text_trim(lines);
            if (*word)
                rc = take(o, info, word, origin.text, false, e);
            lines = next;
        }
    }
    buf_free(&origin);
    return rc;
}

static int read_environment(struct options *o, const char *(*env)(const char *), struct err *e)
{
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        char name[64] = "RUNGATE_";
        size_t len = strlen(name);
        const char *value;

        if (table[i].no_variable || !(table[i].commands & ON(o->command)))
            continue;
        for (const char *p = table[i].name; *p && len + 1 < sizeof(name); p++)
            name[len++] = *p == '-' ? '_' : (char)toupper((unsigned char)*p);
        value = env(name);
        if (value && *value && take_variable(o, &table[i], name, value, e))
            return -1;
    }
    return 0;
}

/* --- the command line ----------------------------------------------------------------------- */

static enum command find_command(const char *word)
{
    for (int i = COMMAND_RUN; i < COMMAND_COUNT; i++) {
        if (strcmp(commands[i].name, word) == 0)
            return (enum command)i;
    }
    return COMMAND_UNKNOWN;
}

const char *options_nearest_command(const char *word)
{
    const char *names[COMMAND_COUNT];
    size_t count = 0;

    for (int i = COMMAND_RUN; i < COMMAND_COUNT; i++)
        names[count++] = commands[i].name;
    return text_nearest(word, names, count);
}

static int unknown_option(const char *word, enum command command, struct err *e)
{
    const char *names[ARRAY_LEN(table)];
    char *name = mem_strndup(word, strcspn(word, "="));
    const char *nearest = NULL;
    size_t count = 0;

    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (table[i].commands & ON(command))
            names[count++] = table[i].name;
    }
    if (text_starts(name, "--"))
        nearest = text_nearest(name + 2, names, count);
    err_set(e, "'%s' is no option of '%s'%s%s%s; see rungate %s --help", name,
            commands[command].name, nearest ? "; did you mean '--" : "", nearest ? nearest : "",
            nearest ? "'?" : "", commands[command].name);
    free(name);
    return -1;
}

static int read_arguments(struct options *o, int argc, char **argv, struct err *e)
{
    struct option longs[ARRAY_LEN(table) + 1];
    char shorts[3 * ARRAY_LEN(table) + 2] = ":";
    size_t len = 1;
    int found;

    memset(longs, 0, sizeof(longs));
    for (size_t i = 0, n = 0; i < ARRAY_LEN(table); i++) {
        if (!(table[i].commands & ON(o->command)))
            continue;
        longs[n].name = table[i].name;
        longs[n].has_arg = table[i].argument ? required_argument : no_argument;
        longs[n++].val = (int)(256 + i);
        if (!table[i].letter)
            continue;
        shorts[len++] = table[i].letter;
        if (table[i].argument)
            shorts[len++] = ':';
        shorts[len] = '\0';
    }
    opterr = 0;
    optind = 1;
    while ((found = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
        size_t i = found >= 256 ? (size_t)found - 256 : 0;
        char origin[64];

        if (found == ':')
            return err_set(e, "'%s' needs a value; see rungate %s --help", argv[optind - 1],
                           commands[o->command].name);
        if (found == '?') {
            char letter[3] = {'-', (char)optopt, '\0'};

            if (optopt >= 256)
                return err_set(e, "'--%s' takes no value", table[optopt - 256].name);
            return unknown_option(optopt && optopt < 256 ? letter : argv[optind - 1], o->command,
                                  e);
        }
        while (found < 256 && table[i].letter != found)
            i++;
        snprintf(origin, sizeof(origin), "--%s", table[i].name);
        if (take(o, &table[i], table[i].argument ? optarg : NULL, origin, true, e))
            return -1;
    }
    for (; optind < argc; optind++)
        add_word(&o->arguments, argv[optind]);
    return 0;
}

/* A pipeline file or a provider, whichever the command line names; those are of the environment. */
static int choose_source(struct options *o, const char *config, const char *provider,
                         struct err *e)
{
    bool config_is_old = o->config == config, provider_is_old = o->provider == provider;

    if (!o->config || !o->provider)
        return 0;
    if (config_is_old == provider_is_old)
        return err_set(e, "--provider is for one run without a pipeline file: it cannot stand "
                          "beside --config");
    *(config_is_old ? &o->config : &o->provider) = NULL;
    return 0;
}

int options_parse(struct options *o, int argc, char **argv, const char *(*env)(const char *),
                  struct err *e)
{
    const char *config, *provider;
    int skip = 0;

    memset(o, 0, sizeof(*o));
    o->command = COMMAND_RUN;
    if (argc > 1 && argv[1][0] != '-' && find_command(argv[1]) != COMMAND_UNKNOWN) {
        o->command = find_command(argv[1]);
        skip = 1;
    }
    if (read_environment(o, env, e))
        return -1;
    config = o->config;
    provider = o->provider;
    if (read_arguments(o, argc - skip, argv + skip, e) || choose_source(o, config, provider, e))
        return -1;
    /* "rungate --help" is about the program, "rungate run --help" about the command. */
    if (o->help && !skip)
        o->command = COMMAND_UNKNOWN;
    for (size_t i = 0; i < o->defines.count; i++) {
        const char *equals = strchr(o->defines.items[i], '=');

        if (!equals || !vars_is_name(o->defines.items[i], (size_t)(equals - o->defines.items[i])))
            return err_set(e, "--define: '%s' is not NAME=VALUE", o->defines.items[i]);
    }
    return 0;
}

void options_free(struct options *o)
{
    struct words *lists[] = {&o->defines, &o->attach, &o->provider_files, &o->allow_origins,
                             &o->arguments};

    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        free(lists[i]->items);
    for (size_t i = 0; i < o->owned_count; i++)
        mem_forget(o->owned[i]);
    free(o->owned);
    free(o->overrides);
    memset(o, 0, sizeof(*o));
}

/* --- help ----------------------------------------------------------------------------------- */

static void add_options(struct buf *out, unsigned mask)
{
    buf_adds(out, "\nOptions:\n");
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        char left[64];

        if (!(table[i].commands & mask))
            continue;
        snprintf(left, sizeof(left), "%c%c%s --%s%s%s", table[i].letter ? '-' : ' ',
                 table[i].letter ? table[i].letter : ' ', table[i].letter ? "," : " ",
                 table[i].name, table[i].argument ? " " : "",
                 table[i].argument ? table[i].argument : "");
        buf_addf(out, "  %-28s %s\n", left, table[i].help);
    }
}

void options_help(struct buf *out, enum command command)
{
    if (command != COMMAND_UNKNOWN) {
        buf_addf(out, "usage: rungate %s [options]%s%s\n\n%s\n", commands[command].name,
                 *commands[command].arguments ? " " : "", commands[command].arguments,
                 commands[command].help);
        add_options(out, ON(command));
        return;
    }
    buf_adds(out, "usage: rungate [COMMAND] [options] [arguments]\n\n"
                  "Starts test runs at hosted providers, waits for them, and says by its exit "
                  "code whether\nthey passed.\n\nCommands:\n");
    for (int i = COMMAND_RUN; i < COMMAND_COUNT; i++)
        buf_addf(out, "  %-28s %s\n", commands[i].name, commands[i].help);
    add_options(out, ANY);
    buf_adds(out,
             "\nLong options have environment variables, RUNGATE_JUNIT for --junit;\n"
             "--dry-run, --try, --help and --version have none.\n"
             "\nExit codes: 0 passed, 1 failed, 2 usage, 3 error (no verdict), 4 timed out,\n"
             "5 cancelled at the provider, 6 a start was lost and a run may exist,\n"
             "130 and 143 interrupted, 70 a bug or out of memory.\n");
}
