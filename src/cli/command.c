/* SPDX-License-Identifier: MIT */
/* Owns the commands: the wiring of session, gate and reports. It must not decide a verdict. */
#include "base/base.h"

#include "base/clock.h"
#include "base/doc.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "base/version.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/session.h"
#include "cli/signals.h"
#include "engine/gate.h"
#include "report/ci.h"
#include "report/console.h"
#include "report/json.h"
#include "report/junit.h"
#include "report/markdown.h"
#include "report/plan.h"
#include "report/rehearsal.h"

#include <sys/ioctl.h>
#include <unistd.h>

enum { LIVE_EVERY_MS = 200, REPORT_MAX = 256 << 20 };

static const char *environment(const char *name)
{
    return getenv(name);
}

static bool is_set(const char *name)
{
    const char *value = environment(name);

    return value && *value;
}

/* --- the console ---------------------------------------------------------------------------- */

static void terminal_size(int *ret_columns, int *ret_rows)
{
    struct winsize size;

    *ret_columns = *ret_rows = 0;
    if (!ioctl(STDERR_FILENO, TIOCGWINSZ, &size)) {
        *ret_columns = size.ws_col;
        *ret_rows = size.ws_row;
    }
}

static void open_console(struct console *c, const struct options *o)
{
    bool terminal = isatty(STDERR_FILENO) && is_set("TERM") &&
                    strcmp(environment("TERM"), "dumb") != 0;
    const char *progress = o->progress ? o->progress : "auto";
    const char *color = o->color ? o->color : "auto";
    struct console_options options = {
        .fd = STDERR_FILENO,
        .verbosity = o->quiet     ? CONSOLE_QUIET
                     : o->verbose ? CONSOLE_VERBOSE
                                  : CONSOLE_NORMAL,
    };

    if (strcmp(progress, "auto") == 0)
        /* A trace between the lines of a block that is redrawn can be read by nobody. */
        options.progress = terminal && !o->verbose ? CONSOLE_TTY : CONSOLE_PLAIN;
    else if (strcmp(progress, "tty") == 0)
        options.progress = CONSOLE_TTY;
    else
        options.progress = strcmp(progress, "plain") == 0 ? CONSOLE_PLAIN : CONSOLE_NONE;
    options.color = strcmp(color, "always") == 0 ||
                    (strcmp(color, "auto") == 0 && terminal && !is_set("NO_COLOR"));
    terminal_size(&options.columns, &options.rows);
    console_init(c, &options);
}

static void on_changed(void *user, const struct gate_result *g, size_t run, int64_t wall_ms,
                       int64_t elapsed_ms)
{
    console_run_changed(user, g, run, wall_ms, elapsed_ms);
}

static void on_child_over(void *user, const struct gate_result *g, size_t run, size_t remote,
                          int64_t wall_ms, int64_t elapsed_ms)
{
    console_child_over(user, g, run, remote, wall_ms, elapsed_ms);
}

static void on_heartbeat(void *user, const struct gate_result *g, const struct live_run *live,
                         int64_t wall_ms)
{
    console_heartbeat(user, g, live, wall_ms);
}

static void on_live(void *user, const struct gate_result *g, const struct live_run *live)
{
    int columns, rows;

    terminal_size(&columns, &rows);
    console_resize(user, columns, rows);
    console_live(user, g, live);
}

static void on_message(void *user, enum message_level level, const char *text)
{
    console_message(user, level, "%s", text);
}

static void on_trace(void *user, size_t tag, char direction, const char *line)
{
    (void)tag;
    console_trace(user, direction, line);
}

/* One line on standard error, whatever the text holds; starred, for it may have been cut before. */
static void print_line(struct buf *raw)
{
    struct buf line;

    buf_init(&line, BUF_CAP_TEXT);
    secret_redact_cut(raw);
    text_add_clean(&line, raw->text, raw->len, TEXT_FOLD, ERR_TEXT_MAX);
    buf_clear(raw);
    text_add_log(raw, line.text);
    fprintf(stderr, "%s\n", raw->text);
    buf_free(&line);
}

static void complain(const char *format, ...) PRINTF_LIKE(1, 2);

/* An error before there is a console. */
static void complain(const char *format, ...)
{
    struct buf raw;
    va_list ap;

    buf_init(&raw, BUF_CAP_TEXT);
    buf_adds(&raw, "rungate: error: ");
    va_start(ap, format);
    buf_vaddf(&raw, format, ap);
    va_end(ap);
    print_line(&raw);
    buf_free(&raw);
}

/* "FILE:LINE: message", one a line, as editors and CI systems know them. */
static void print_diags(const struct diags *d, const char *kind)
{
    for (size_t i = 0; i < d->count; i++) {
        struct buf raw;

        buf_init(&raw, BUF_CAP_TEXT);
        if (d->items[i].line)
            buf_addf(&raw, "%s:%d: %s%s", d->items[i].file, d->items[i].line, kind,
                     d->items[i].text);
        else
            buf_addf(&raw, "%s: %s%s", d->items[i].file, kind, d->items[i].text);
        print_line(&raw);
        buf_free(&raw);
    }
}

/* --- reports -------------------------------------------------------------------------------- */

struct report {
    const char *path; /* "-" is standard output; NULL: not wanted */
    void (*write)(struct buf *, const struct gate_result *);
    const char *hash; /* for "##" where it is printed; NULL: no text in it holds that */
    bool appended;    /* to what is in the file */
};

static bool is_printed(const struct report *r)
{
    return r->path && strcmp(r->path, "-") == 0;
}

/*
 * In a report that is printed, "##" could start a command of a CI system, which reads the same
 * stream. It stands in texts only, so each format has another way to write it.
 */
static void break_commands(struct buf *text, const char *replacement)
{
    struct buf out;

    buf_init(&out, text->cap);
    for (const char *p = text->text; *p; p++) {
        if (p[0] == '#' && p[1] == '#')
            buf_adds(&out, replacement);
        else
            buf_addc(&out, *p);
    }
    out.over = out.over || text->over;
    buf_free(text);
    *text = out;
}

static int write_report(const struct report *r, const struct gate_result *g, struct err *e)
{
    struct buf text;
    int rc = 0;

    buf_init(&text, REPORT_MAX);
    r->write(&text, g);
    if (mem_is_short() && g->verdict != VERDICT_INTERNAL)
        goto out; /* it is written anew, and standard output takes nothing back */
    if (is_printed(r) && r->hash)
        break_commands(&text, r->hash);
    if (!is_printed(r))
        rc = (r->appended ? file_append : file_write)(r->path, &text, e);
    else if (text.over || fwrite(text.text, 1, text.len, stdout) != text.len || fflush(stdout))
        rc = err_set(e, "the report could not be printed");
out:
    buf_free(&text);
    return rc;
}

/* The file that GitHub reads a step's outputs from, if it is there that we run. */
static const char *github_output(const struct session *s)
{
    const char *system = s->ci.values[CI_SYSTEM];

    return system && strcmp(system, "github") == 0 && is_set("GITHUB_OUTPUT")
               ? environment("GITHUB_OUTPUT")
               : NULL;
}

/* The verdict is of the gate itself, whatever became of its runs: all there is to say is why. */
static void set_verdict(struct gate_result *g, enum verdict verdict, const char *trouble)
{
    g->verdict = verdict;
    g->exit_code = verdict_exit_code(verdict, 0);
    free(g->trouble);
    g->trouble = mem_strdup(trouble);
}

/* Memory that ran short makes an end of every verdict, also of one that was reported. */
static bool is_overtaken(struct gate_result *g)
{
    if (!mem_is_short() || g->verdict == VERDICT_INTERNAL)
        return false;
    set_verdict(g, VERDICT_INTERNAL, "out of memory");
    return true;
}

/*
 * Writes all reports. One that cannot be written turns a pass into an error, and then those
 * written before are written anew, because they said otherwise: in what is appended for a CI
 * system the last word counts. What is printed comes last: standard output takes nothing back.
 */
static void write_reports(const struct session *s, struct gate_result *g, struct console *c)
{
    const struct gate_config *gate = &s->pipeline.gate;
    const struct report reports[] = {
        {gate->junit, junit_write, "&#35;", false},
        {gate->json, json_write, "\\u0023", false},
        {gate->summary, markdown_write, NULL, false},
        {github_output(s), ci_github_outputs, NULL, true},
    };
    enum { COUNT = ARRAY_LEN(reports) };
    bool failed[COUNT] = {false};

    for (size_t i = 0; i < 2 * COUNT; i++) {
        const struct report *r = &reports[i % COUNT];
        struct err e = {""};

        if (!r->path || failed[i % COUNT] || is_printed(r) != (i >= COUNT))
            continue;
        if (write_report(r, g, &e)) {
            failed[i % COUNT] = true;
            console_message(c, MESSAGE_ERROR, "%s", e.text);
            if (!g->trouble)
                g->trouble = mem_strdup(e.text);
            if (g->verdict == VERDICT_PASSED) {
                g->verdict = VERDICT_ERROR;
                g->exit_code = verdict_exit_code(VERDICT_ERROR, 0);
                i = SIZE_MAX; /* from the top */
            }
        }
        if (is_overtaken(g))
            i = SIZE_MAX;
    }
}

/* --- run, wait, status ---------------------------------------------------------------------- */

/* From the system's source of randomness; a poor substitute where there is none. */
static uint64_t make_seed(void)
{
    uint64_t seed = (uint64_t)getpid() << 32 ^ (uint64_t)time(NULL) ^ (uint64_t)(uintptr_t)&seed;
    FILE *f = fopen("/dev/urandom", "rb");
    uint64_t random = 0;

    if (f && fread(&random, sizeof(random), 1, f) == 1)
        seed ^= random;
    if (f)
        fclose(f);
    else
        mem_check_errno();
    return seed;
}

static int report_mistakes(struct session *s, struct console *c)
{
    struct gate_result g = {.started = clock_wall_ms(), .finished = clock_wall_ms()};
    struct buf text;

    print_diags(&s->mistakes, "");
    if (!s->loaded || s->outputs_clash || s->options->dry_run ||
        (s->options->command != COMMAND_RUN && s->options->command != COMMAND_WAIT))
        return EXIT_USAGE;
    buf_init(&text, BUF_CAP_TEXT);
    buf_addf(&text, "%zu mistake%s in %s; the first: ", s->mistakes.count,
             s->mistakes.count == 1 ? "" : "s", s->pipeline.file);
    if (s->mistakes.items[0].line)
        buf_addf(&text, "line %d: ", s->mistakes.items[0].line);
    buf_adds(&text, s->mistakes.items[0].text);
    secret_redact_cut(&text);
    set_verdict(&g, VERDICT_USAGE, text.text);
    buf_free(&text);
    write_reports(s, &g, c);
    gate_result_free(&g);
    return EXIT_USAGE;
}

static enum gate_mode mode_of(enum command command)
{
    return command == COMMAND_START    ? GATE_START
           : command == COMMAND_WAIT   ? GATE_WATCH
           : command == COMMAND_STATUS ? GATE_ONCE
           : command == COMMAND_CANCEL ? GATE_CANCEL
                                       : GATE_RUN;
}

/* What "status" and "start" were asked for, on standard output: a line for each run. */
static void print_status(const struct gate_result *g, struct console *c)
{
    for (size_t i = 0; i < g->run_count; i++) {
        const struct run_result *r = &g->runs[i];
        struct buf line, safe;

        buf_init(&line, BUF_CAP_TEXT);
        buf_init(&safe, BUF_CAP_TEXT);
        buf_addf(&line, "%s %s %s %s %s", r->name, outcome_name(r->outcome),
                 r->state ? r->state : "-", r->run_id ? r->run_id : "-", r->url ? r->url : "-");
        secret_redact(&line);
        text_add_log(&safe, line.text);
        printf("%s\n", safe.text);
        if (r->reason && (r->outcome == OUTCOME_UNKNOWN || !r->run_id))
            console_message(c, MESSAGE_ERROR, "%s: %s", r->name, r->reason);
        buf_free(&line);
        buf_free(&safe);
    }
}

static int run_gate(struct session *s, struct console *c)
{
    struct gate_options options = {
        .mode = mode_of(s->options->command),
        .pipeline = &s->pipeline,
        .bindings = s->bindings,
        .attach = s->attach,
        .journal = s->journal,
        .resume = s->resume,
        .observer = {.user = c,
                     .changed = on_changed,
                     .child_over = on_child_over,
                     .heartbeat = on_heartbeat,
                     .live = on_live,
                     .live_every_ms = c->options.progress == CONSOLE_TTY ? LIVE_EVERY_MS : 0,
                     .message = on_message,
                     .trace = s->options->verbose ? on_trace : NULL},
        .getenv = environment,
        .seed = make_seed(),
    };
    struct gate_result g;
    struct err e = {""};
    bool reports = options.mode == GATE_RUN || options.mode == GATE_WATCH;
    int code;

    memset(&g, 0, sizeof(g));
    /* The state is what "status" prints; it has no progress. */
    if (options.mode == GATE_ONCE) {
        options.observer.changed = NULL;
        options.observer.child_over = NULL;
    }
    options.signal_fd = signals_install();
    if (options.signal_fd < 0) {
        console_message(c, MESSAGE_ERROR, "no pipe is to be had for signals");
        return EXIT_INTERNAL;
    }
    if (gate_run(&g, &options, &e))
        console_message(c, MESSAGE_ERROR, "%s", e.text);
    console_clear(c);
    if (reports)
        write_reports(s, &g, c);
    if (options.mode == GATE_ONCE || options.mode == GATE_START)
        print_status(&g, c);
    /* To have been started is no verdict; that something was not started is worth one. */
    if (options.mode != GATE_ONCE && (options.mode != GATE_START || g.exit_code))
        console_summary(c, &g);
    if (is_overtaken(&g) && reports)
        write_reports(s, &g, c);
    session_report(s);
    code = g.exit_code;
    if (s->incomplete && !code) {
        console_message(c, MESSAGE_ERROR, "required runs are missing: nothing is known of them");
        code = verdict_exit_code(VERDICT_ERROR, 0);
    }
    gate_result_free(&g);
    return code;
}

/* 0, or an exit code. Whether all of it arrived, the end of the process tells. */
static int print(const struct buf *text)
{
    if (text->over) {
        complain("what was asked for is too long to be printed");
        return verdict_exit_code(VERDICT_ERROR, 0);
    }
    fwrite(text->text, 1, text->len, stdout);
    return 0;
}

/* Prints lines that hold texts of users: as print, with nothing that a CI system would obey. */
static int print_safely(const struct buf *text)
{
    struct buf out;
    int code;

    buf_init(&out, BUF_CAP_TEXT);
    for (const char *line = text->text; *line;) {
        size_t len = strcspn(line, "\n");
        char *copy = mem_strndup(line, len);

        text_add_log(&out, copy);
        if (line[len])
            buf_addc(&out, '\n');
        free(copy);
        line += len + (line[len] ? 1 : 0);
    }
    out.over = out.over || text->over;
    code = print(&out);
    buf_free(&out);
    return code;
}

/* What is watched instead of started, one text a run or NULL; free the list. */
static const char **watched_runs(const struct session *s)
{
    const char **list = mem_alloc(s->pipeline.run_count, sizeof(*list));

    for (size_t i = 0; i < s->pipeline.run_count; i++) {
        list[i] = s->attach[i];
        if (!list[i] && s->resume[i])
            list[i] = s->resume[i]->ids ? s->resume[i]->ids : "whose start was lost";
    }
    return list;
}

static int dry_run(struct session *s)
{
    const char **watched = watched_runs(s);
    struct err e = {""};
    struct buf text;
    int code = 0;

    buf_init(&text, BUF_CAP_TEXT);
    if (plan_write_requests(&text, &s->pipeline, s->bindings, watched, &e)) {
        complain("%s", e.text);
        code = EXIT_USAGE;
    } else {
        code = print_safely(&text);
    }
    buf_free(&text);
    free(watched);
    return code;
}

/* What main leaves to the end of the process: see command_end. */
static struct journal *last_act;

void command_end(void)
{
    journal_close(last_act);
    last_act = NULL;
}

static int command_gate(struct options *o)
{
    struct session s;
    struct console c;
    int code;

    session_open(&s, o, environment);
    open_console(&c, o);
    if (s.mistakes.count) {
        code = report_mistakes(&s, &c);
    } else if (o->dry_run) {
        code = dry_run(&s);
    } else if (session_is_idle(&s)) {
        console_message(&c, MESSAGE_NOTE, "nothing to cancel: %s holds no unfinished run of %s",
                        s.pipeline.gate.journal, s.pipeline.file);
        code = 0;
    } else {
        if (!o->quiet)
            print_diags(&s.warnings, "warning: ");
        code = run_gate(&s, &c);
    }
    console_free(&c);
    last_act = session_close(&s);
    return code;
}

/* --- check, providers, init ----------------------------------------------------------------- */

static int unknown_provider(const struct registry *r, const char *name)
{
    const char *nearest = registry_nearest(r, name);

    complain("there is no provider '%s'%s%s%s; 'rungate providers' lists them", name,
             nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
    return EXIT_USAGE;
}

/* "check --try FILE --provider NAME": no pipeline, no network, one reply. */
static int rehearse(struct options *o)
{
    struct diags mistakes = {0};
    struct registry *r =
        registry_new(o->provider_files.items, o->provider_files.count, &mistakes);
    const struct provider *p = o->provider ? registry_find(r, o->provider) : NULL;
    struct doc *reply = NULL;
    struct err e = {""};
    struct buf text, out;
    int code = EXIT_USAGE;

    buf_init(&text, REPORT_MAX);
    buf_init(&out, BUF_CAP_TEXT);
    print_diags(&mistakes, "");
    if (!o->provider)
        complain("--try needs --provider NAME beside it");
    else if (!p && !mistakes.count)
        code = unknown_provider(r, o->provider);
    else if (p && (file_read(o->try_file, &text, &e) ||
                   !(reply = doc_parse(text.text, text.len, &e))))
        complain("%s: %s", o->try_file, e.text);
    if (reply) {
        rehearsal_write(&out, p, reply, o->arguments.count ? o->arguments.items[0] : NULL);
        code = print_safely(&out);
    }
    doc_free(reply);
    buf_free(&text);
    buf_free(&out);
    registry_free(r);
    diags_free(&mistakes);
    return code;
}

static int command_check(struct options *o)
{
    struct session s;
    struct buf plan;
    int code = 0;

    if (o->try_file)
        return rehearse(o);
    session_open(&s, o, environment);
    print_diags(&s.mistakes, "");
    print_diags(&s.warnings, "warning: ");
    if (s.mistakes.count) {
        code = EXIT_USAGE;
    } else if (!o->quiet) {
        const char **watched = watched_runs(&s);

        buf_init(&plan, BUF_CAP_TEXT);
        plan_write(&plan, &s.pipeline, s.bindings, watched);
        code = print_safely(&plan);
        buf_free(&plan);
        free(watched);
    }
    journal_close(session_close(&s));
    return code;
}

static void list_providers(struct registry *r, struct buf *out)
{
    for (size_t i = 0; registry_name(r, i); i++) {
        const struct provider *p = registry_find(r, registry_name(r, i));

        buf_addf(out, "%-20s %s\n", registry_name(r, i),
                 p && p->title ? p->title : "(no title)");
    }
}

/*
 * A pipeline file with everything that must be set, and the rest as comments. What the environment
 * can set is taken from there; a secret must be, all else has a value to begin with.
 */
static void write_starter(struct buf *out, const struct provider *p)
{
    buf_addf(out,
             "; rungate pipeline file for %s\n"
             "; All keys: rungate.ini(5). Check it with: rungate check\n\n"
             "[gate]\ntimeout = 1h\njunit = rungate.xml\n\n"
             "[run:%s]\nprovider = %s\n",
             p->title ? p->title : p->name, p->name, p->name);
    if (!p->base_url)
        buf_adds(out, "base_url = https://api.example.com\n");
    for (size_t i = 0; i < p->param_count; i++) {
        const struct param *param = &p->params[i];
        bool has_default = param->env && param->type != PARAM_SECRET;

        buf_addf(out, "%s%s = ", param->required ? "" : "; ", param->name);
        if (has_default)
            buf_addf(out, "${%s:-", param->env);
        switch (param->type) {
        case PARAM_SECRET:
            buf_addf(out, "${%s}", param->env ? param->env : "RUNGATE_TOKEN");
            break;
        case PARAM_INTEGER:
            buf_addf(out, "%" PRId64, param->has_min ? param->min : INT64_C(12345));
            break;
        case PARAM_BOOLEAN:
            buf_adds(out, "yes");
            break;
        case PARAM_JSON:
            buf_adds(out, param->shape == DOC_OBJECT ? "{}" : "[{}]");
            break;
        case PARAM_CHOICE:
            buf_adds(out, param->choices[0]);
            break;
        case PARAM_STRING:
            buf_adds(out, "CHANGE-ME");
            break;
        }
        if (has_default)
            buf_addc(out, '}');
        buf_addc(out, '\n');
    }
}

static int command_providers(struct options *o)
{
    const char *name = o->arguments.count ? o->arguments.items[0] : NULL;
    struct diags mistakes = {0};
    struct registry *r =
        registry_new(o->provider_files.items, o->provider_files.count, &mistakes);
    const struct provider *p;
    struct buf text;
    int code = 0;

    buf_init(&text, BUF_CAP_TEXT);
    if (mistakes.count || o->arguments.count > 1 || (o->command == COMMAND_INIT && !name)) {
        print_diags(&mistakes, "");
        if (!mistakes.count)
            complain("one provider is expected; 'rungate providers' lists them");
        code = EXIT_USAGE;
    } else if (!name) {
        list_providers(r, &text);
    } else if (!(p = registry_find(r, name))) {
        code = unknown_provider(r, name);
    } else if (o->command == COMMAND_INIT) {
        write_starter(&text, p);
    } else {
        buf_adds(&text, registry_text(r, name));
    }
    if (!code)
        code = print(&text);
    buf_free(&text);
    registry_free(r);
    diags_free(&mistakes);
    return code;
}

int command_main(int argc, char **argv)
{
    struct options o;
    struct err e = {""};
    struct buf text;
    int code = EXIT_USAGE;

    buf_init(&text, BUF_CAP_TEXT);
    if (options_parse(&o, argc, argv, environment, &e)) {
        complain("%s", e.text);
        goto out;
    }
    if (o.help || o.version) {
        if (o.version)
            buf_adds(&text, "rungate " RUNGATE_VERSION "\n");
        else
            options_help(&text, o.command);
        code = print(&text);
        goto out;
    }
    switch (o.command) {
    case COMMAND_RUN:
    case COMMAND_START:
    case COMMAND_WAIT:
    case COMMAND_STATUS:
    case COMMAND_CANCEL:
        code = command_gate(&o);
        break;
    case COMMAND_CHECK:
        code = command_check(&o);
        break;
    case COMMAND_PROVIDERS:
    case COMMAND_INIT:
        code = command_providers(&o);
        break;
    case COMMAND_UNKNOWN:
        code = EXIT_INTERNAL;
        break;
    }
out:
    options_free(&o);
    buf_free(&text);
    return code;
}
