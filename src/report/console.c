/* SPDX-License-Identifier: MIT */
/* Owns standard error. It must not read a clock, nor judge a run: report/words.h does. */
#include "base/base.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "report/console.h"
#include "report/words.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <unistd.h>

enum {
    COLUMNS_UNKNOWN = 80,
    ROWS_UNKNOWN = 24,
    NAME_WIDTH_MAX = 40,
    STATE_WIDTH = 12,
    TIME_WIDTH = 7,
    WRITE_MAX = 4096,   /* bytes that a pipe takes whole when it takes any (PIPE_BUF) */
    STALL_MS = 100,     /* how long a full pipe may hold a line up before the line is given up */
    HEARTBEAT_MAX = 20, /* lines of one heartbeat */
    TESTS_MAX = 10,     /* failed tests, or children, of one run in the summary */
    RUNS_MAX = 50       /* runs in the summary, beyond which those that passed are only counted */
};

#define BOLD_RED "1;31"
#define RED "31"
#define GREEN "32"
#define YELLOW "33"
#define DIM "2"

/* The attributes of ECMA-48 that an outcome is shown in. */
static const char *const outcome_colors[] = {
    [OUTCOME_UNKNOWN] = RED,
    [OUTCOME_RUNNING] = RED,
    [OUTCOME_PASSED] = GREEN,
    [OUTCOME_FAILED] = BOLD_RED,
    [OUTCOME_ERROR] = RED,
    [OUTCOME_TIMED_OUT] = RED,
    [OUTCOME_CANCELLED] = YELLOW,
    [OUTCOME_SKIPPED] = YELLOW,
    [OUTCOME_EMPTY] = YELLOW,
    [OUTCOME_START_UNKNOWN] = RED,
};
static_assert(ARRAY_LEN(outcome_colors) == OUTCOME_COUNT, "every outcome has a color");

static const struct {
    const char *word, *color;
} levels[] = {
    [MESSAGE_NOTE] = {"", NULL},
    [MESSAGE_WARNING] = {"warning: ", YELLOW},
    [MESSAGE_ERROR] = {"error: ", BOLD_RED},
};
static_assert(ARRAY_LEN(levels) == MESSAGE_ERROR + 1, "every level has a word");

void console_init(struct console *c, const struct console_options *options)
{
    memset(c, 0, sizeof(*c));
    c->options = *options;
    buf_init(&c->frame, BUF_CAP_TEXT);
    console_resize(c, options->columns, options->rows);
}

void console_free(struct console *c)
{
    buf_free(&c->frame);
    free(c->linked);
    c->linked = NULL;
}

void console_resize(struct console *c, int columns, int rows)
{
    c->options.columns = columns > 0 ? columns : COLUMNS_UNKNOWN;
    c->options.rows = rows > 0 ? rows : ROWS_UNKNOWN;
}

/* --- writing -------------------------------------------------------------------------------- */

static void write_out(struct console *c, const char *text, size_t len)
{
    while (len && !c->gone) {
        struct pollfd p = {.fd = c->options.fd, .events = POLLOUT};
        ssize_t n;

        /* A reader who does not read shall not stop the gate: what is not taken soon is lost. A
         * stream that can be written to takes that much without blocking. */
        if (poll(&p, 1, STALL_MS) <= 0)
            return;
        n = write(c->options.fd, text, len < WRITE_MAX ? len : WRITE_MAX);
        if (n >= 0) {
            text += n;
            len -= (size_t)n;
        } else if (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK) {
            c->gone = true;
        }
    }
}

/* Moves to the first line of the live block, whose lines are then written over. */
static void add_home(const struct console *c, struct buf *b)
{
    if (c->frame_lines)
        buf_addf(b, "\r\033[%zuA", c->frame_lines);
}

/* Writes whole lines; above the live block, if there is one, which stays the last thing. */
static void put(struct console *c, const struct buf *lines)
{
    struct buf b;

    if (!c->frame_lines) {
        for (size_t at = 0; at < lines->len;) {
            const char *end = memchr(lines->text + at, '\n', lines->len - at);
            size_t next = end ? (size_t)(end - lines->text) + 1 : lines->len;

            write_out(c, lines->text + at, next - at);
            at = next;
        }
        return;
    }
    buf_init(&b, BUF_CAP_TEXT);
    add_home(c, &b);
    buf_adds(&b, "\033[J");
    buf_add(&b, lines->text, lines->len);
    buf_add(&b, c->frame.text, c->frame.len);
    write_out(c, b.text, b.len);
    buf_free(&b);
}

void console_clear(struct console *c)
{
    struct buf b;

    if (!c->frame_lines)
        return;
    buf_init(&b, BUF_CAP_TEXT);
    add_home(c, &b);
    buf_adds(&b, "\033[J");
    write_out(c, b.text, b.len);
    buf_free(&b);
    buf_clear(&c->frame);
    c->frame_lines = 0;
}

/* --- pieces of lines ------------------------------------------------------------------------ */

/* Text that is clean already, which our own words are too. */
static void add_colored(const struct console *c, struct buf *b, const char *color, const char *text)
{
    bool on = c->options.color && color && *text;

    if (on)
        buf_addf(b, "\033[%sm", color);
    text_add_log(b, text);
    if (on)
        buf_adds(b, "\033[0m");
}

static void add_text(struct buf *b, const char *text)
{
    char *clean = words_text(text, TEXT_FOLD, WORDS_LINE_MAX);

    text_add_log(b, clean);
    free(clean);
}

/*
 * Columns that a character takes at most. Everything from Hangul on counts as wide: too much for
 * some, but a line that is too short does no harm and one that wraps spoils the block.
 */
static int width_of(uint32_t character)
{
    return character >= 0x1100 ? 2 : 1;
}

static int text_width(const char *text, size_t len)
{
    int width = 0;

    while (len) {
        uint32_t character = 0;
        size_t used = text_decode(text, len, &character);

        width += width_of(character);
        text += used ? used : 1;
        len -= used ? used : 1;
    }
    return width;
}

/* Fills up with blanks what was added since start, and two more to part the columns. */
static void pad(struct buf *b, size_t start, int width)
{
    for (int at = text_width(b->text + start, b->len - start); at < width; at++)
        buf_addc(b, ' ');
    buf_adds(b, "  ");
}

/* Cuts what was added since start at the terminal's width, less the column that wraps. */
static void cut(struct buf *b, size_t start, int columns)
{
    int width = 0;

    for (size_t at = start; at < b->len;) {
        uint32_t character = 0;
        size_t used = text_decode(b->text + at, b->len - at, &character);

        width += width_of(character);
        if (width >= columns) {
            buf_truncate(b, at);
            return;
        }
        at += used ? used : 1;
    }
}

static void trim_end(struct buf *b)
{
    size_t len = b->len;

    while (len && b->text[len - 1] == ' ')
        len--;
    buf_truncate(b, len);
}

static void add_name(struct console *c, struct buf *b, const struct gate_result *g,
                     const struct run_result *r)
{
    size_t start = b->len;

    /* Looked at once: with thousands of runs, each line would read all their names. */
    if (!c->name_width) {
        c->name_width = 1;
        for (size_t i = 0; i < g->run_count; i++) {
            int width = text_width(g->runs[i].name, strlen(g->runs[i].name));

            if (width > c->name_width)
                c->name_width = width < NAME_WIDTH_MAX ? width : NAME_WIDTH_MAX;
        }
    }
    add_text(b, r->name);
    pad(b, start, c->name_width);
}

static void add_state(struct buf *b, const struct run_result *r)
{
    size_t start = b->len;

    if (r->state)
        add_text(b, r->state);
    else
        buf_adds(b, outcome_is_final(r->outcome) ? "-" : "WAITING");
    pad(b, start, STATE_WIDTH);
}

static void add_elapsed(struct buf *b, int64_t ms)
{
    size_t start = b->len;

    if (ms >= 0)
        num_add_duration(b, ms);
    pad(b, start, TIME_WIDTH);
}

/* A duration that changes once a second only. */
static void add_seconds(struct buf *b, int64_t ms)
{
    if (ms < 60000)
        buf_addf(b, "%ds", ms < 0 ? 0 : (int)(ms / 1000));
    else
        num_add_duration(b, ms);
}

static bool is_over(const struct run_result *r)
{
    return outcome_is_final(r->outcome);
}

static bool is_started(const struct run_result *r)
{
    return r->attempt > 0 || r->attached;
}

/* --- progress ------------------------------------------------------------------------------- */

/* True once for each attempt whose URL is known: a log shows it early, and not in every line. */
static bool link_is_new(struct console *c, const struct gate_result *g, size_t run)
{
    const struct run_result *r = &g->runs[run];

    if (c->linked_count < g->run_count) {
        free(c->linked);
        c->linked = mem_alloc(g->run_count, sizeof(*c->linked));
        c->linked_count = g->run_count;
    }
    if (!r->url || c->linked[run] == r->attempt + 1)
        return false;
    c->linked[run] = r->attempt + 1;
    return true;
}

void console_run_changed(struct console *c, const struct gate_result *g, size_t run,
                         int64_t wall_ms, int64_t elapsed_ms)
{
    const struct run_result *r = &g->runs[run];
    bool over = is_over(r);
    struct buf b, words;

    if (c->options.verbosity == CONSOLE_QUIET || c->options.progress == CONSOLE_NONE ||
        (c->options.progress == CONSOLE_TTY && !over))
        return;
    buf_init(&b, BUF_CAP_TEXT);
    buf_init(&words, BUF_CAP_TEXT);
    clock_add_local(&b, wall_ms);
    buf_addc(&b, ' ');
    add_name(c, &b, g, r);
    add_state(&b, r);
    add_elapsed(&b, r->not_started ? -1 : elapsed_ms);
    if (over) {
        words_add_run(&words, g, r);
        add_colored(c, &b, outcome_colors[r->outcome], words.text);
        buf_adds(&b, "  ");
    }
    if (r->url && (link_is_new(c, g, run) || over))
        add_text(&b, r->url);
    trim_end(&b);
    buf_addc(&b, '\n');
    put(c, &b);
    buf_free(&b);
    buf_free(&words);
}

static void add_child(const struct console *c, struct buf *b, const struct remote_run *remote)
{
    add_colored(c, b, outcome_colors[remote->outcome], outcome_name(remote->outcome));
    buf_adds(b, "  ");
    add_text(b, remote->id);
    if (remote->reason && remote->outcome != OUTCOME_PASSED) {
        buf_adds(b, ": ");
        add_text(b, remote->reason);
    }
    if (remote->url) {
        buf_adds(b, "  ");
        add_text(b, remote->url);
    }
    buf_addc(b, '\n');
}

void console_child_over(struct console *c, const struct gate_result *g, size_t run, size_t remote,
                        int64_t wall_ms, int64_t elapsed_ms)
{
    const struct remote_run *child = &g->runs[run].remotes[remote];
    size_t start;
    struct buf b;

    if (c->options.verbosity == CONSOLE_QUIET || c->options.progress == CONSOLE_NONE)
        return;
    buf_init(&b, BUF_CAP_TEXT);
    clock_add_local(&b, wall_ms);
    buf_addc(&b, ' ');
    add_name(c, &b, g, &g->runs[run]);
    start = b.len;
    add_text(&b, child->state ? child->state : "-");
    pad(&b, start, STATE_WIDTH);
    add_elapsed(&b, elapsed_ms);
    add_child(c, &b, child);
    put(c, &b);
    buf_free(&b);
}

/* Which unfinished runs get a line where there is room for some only: the started ones first. */
struct choice {
    size_t started, waiting; /* how many of each are still to be shown */
    size_t more;             /* how many are not */
};

static struct choice choose(const struct gate_result *g, size_t room)
{
    struct choice choice = {0};
    size_t started = 0, waiting = 0;

    for (size_t i = 0; i < g->run_count; i++) {
        if (is_over(&g->runs[i]))
            continue;
        if (is_started(&g->runs[i]))
            started++;
        else
            waiting++;
    }
    /* One line of the room says how many there are besides. */
    if (started + waiting > room)
        room = room ? room - 1 : 0;
    choice.started = started < room ? started : room;
    choice.waiting = waiting < room - choice.started ? waiting : room - choice.started;
    choice.more = started + waiting - choice.started - choice.waiting;
    return choice;
}

static bool chosen(struct choice *choice, const struct run_result *r)
{
    size_t *left = is_started(r) ? &choice->started : &choice->waiting;

    if (is_over(r) || !*left)
        return false;
    (*left)--;
    return true;
}

static void add_live(struct console *c, struct buf *b, const struct gate_result *g,
                     const struct run_result *r, const struct live_run *live)
{
    size_t start;

    add_name(c, b, g, r);
    add_state(b, r);
    start = b->len;
    if (is_started(r) && live->elapsed_ms >= 0) {
        add_seconds(b, live->elapsed_ms);
        if (live->expected_ms >= 0) {
            buf_adds(b, " of about ");
            add_seconds(b, live->expected_ms);
        }
    }
    if (r->remote_count > 1) {
        size_t over = 0;

        for (size_t i = 0; i < r->remote_count; i++)
            over += outcome_is_final(r->remotes[i].outcome) ? 1 : 0;
        pad(b, start, TIME_WIDTH);
        buf_addf(b, "%zu of %zu runs are over", over, r->remote_count);
    }
    if (live->next_poll_ms >= 0) {
        pad(b, start, TIME_WIDTH);
        buf_adds(b, "next poll in ");
        /* Rounded up: a poll that is still to come is not "in 0s". */
        add_seconds(b, live->next_poll_ms + 999);
    }
    trim_end(b);
}

void console_heartbeat(struct console *c, const struct gate_result *g, const struct live_run *live,
                       int64_t wall_ms)
{
    struct choice choice = choose(g, HEARTBEAT_MAX);
    struct buf b;

    if (c->options.verbosity == CONSOLE_QUIET || c->options.progress != CONSOLE_PLAIN)
        return;
    buf_init(&b, BUF_CAP_TEXT);
    for (size_t i = 0; i < g->run_count; i++) {
        if (!chosen(&choice, &g->runs[i]))
            continue;
        clock_add_local(&b, wall_ms);
        buf_addc(&b, ' ');
        add_live(c, &b, g, &g->runs[i], &live[i]);
        buf_addc(&b, '\n');
    }
    if (choice.more) {
        clock_add_local(&b, wall_ms);
        buf_addf(&b, " ... and %zu more\n", choice.more);
    }
    put(c, &b);
    buf_free(&b);
}

void console_live(struct console *c, const struct gate_result *g, const struct live_run *live)
{
    struct choice choice = choose(g, (size_t)c->options.rows - 1);
    struct buf frame, b;
    size_t lines = 0;

    if (c->options.verbosity == CONSOLE_QUIET || c->options.progress != CONSOLE_TTY)
        return;
    buf_init(&frame, BUF_CAP_TEXT);
    buf_init(&b, BUF_CAP_TEXT);
    for (size_t i = 0; i < g->run_count; i++) {
        size_t start = frame.len;

        if (!chosen(&choice, &g->runs[i]))
            continue;
        add_live(c, &frame, g, &g->runs[i], &live[i]);
        cut(&frame, start, c->options.columns);
        buf_adds(&frame, "\033[K\n");
        lines++;
    }
    if (choice.more && c->options.rows > 1) {
        size_t start = frame.len;

        buf_addf(&frame, "... and %zu more", choice.more);
        cut(&frame, start, c->options.columns);
        buf_adds(&frame, "\033[K\n");
        lines++;
    }
    if (strcmp(frame.text, c->frame.text) != 0) {
        add_home(c, &b);
        buf_add(&b, frame.text, frame.len);
        if (lines < c->frame_lines)
            buf_adds(&b, "\033[J");
        write_out(c, b.text, b.len);
        buf_clear(&c->frame);
        buf_add(&c->frame, frame.text, frame.len);
        c->frame_lines = lines;
    }
    buf_free(&frame);
    buf_free(&b);
}

/* --- messages ------------------------------------------------------------------------------- */

/* Appends each line of the text behind a prefix; the first goes to where b ends. */
static void add_lines(struct buf *b, const char *text, const char *prefix)
{
    char *clean = words_text(text, TEXT_LINES, WORDS_LINES_MAX);
    size_t len = strlen(clean);
    char *line = clean;

    while (len && (clean[len - 1] == '\n' || clean[len - 1] == ' '))
        clean[--len] = '\0';
    while (line) {
        char *end = strchr(line, '\n');

        if (end)
            *end++ = '\0';
        if (line != clean)
            buf_adds(b, prefix);
        text_add_log(b, line);
        buf_addc(b, '\n');
        line = end;
    }
    free(clean);
}

void console_message(struct console *c, enum message_level level, const char *format, ...)
{
    struct buf text, b;
    va_list ap;

    if (c->options.verbosity == CONSOLE_QUIET && level != MESSAGE_ERROR)
        return;
    buf_init(&text, BUF_CAP_TEXT);
    buf_init(&b, BUF_CAP_TEXT);
    va_start(ap, format);
    buf_vaddf(&text, format, ap);
    va_end(ap);
    buf_adds(&b, "rungate: ");
    add_colored(c, &b, levels[level].color, levels[level].word);
    add_lines(&b, text.text, "  | ");
    put(c, &b);
    buf_free(&text);
    buf_free(&b);
}

void console_trace(struct console *c, char mark, const char *text)
{
    char prefix[] = {mark, ' ', '\0'};
    struct buf b;

    if (c->options.verbosity != CONSOLE_VERBOSE)
        return;
    buf_init(&b, BUF_CAP_TEXT);
    buf_adds(&b, prefix);
    add_lines(&b, text, prefix);
    put(c, &b);
    buf_free(&b);
}

/* --- summary -------------------------------------------------------------------------------- */

static void add_tests(const struct console *c, struct buf *b, const struct run_result *r)
{
    size_t shown = 0, more = 0;

    for (size_t i = 0; i < r->remote_count; i++) {
        for (size_t j = 0; j < r->remotes[i].test_count; j++) {
            const struct test_result *t = &r->remotes[i].tests[j];

            if (!words_test_stands_out(t))
                continue;
            if (shown == TESTS_MAX) {
                more++;
                continue;
            }
            shown++;
            buf_adds(b, "    | ");
            add_colored(c, b, outcome_colors[t->outcome], outcome_name(t->outcome));
            buf_adds(b, "  ");
            add_text(b, t->name);
            if (t->message && *t->message) {
                buf_adds(b, ": ");
                add_text(b, t->message);
            }
            buf_addc(b, '\n');
        }
    }
    if (more)
        buf_addf(b, "    | and %zu more; see the report\n", more);
}

/* Where a start made several runs: those of them that did not pass. */
static void add_children(const struct console *c, struct buf *b, const struct run_result *r)
{
    size_t shown = 0, passed = 0;

    for (size_t i = 0; r->remote_count > 1 && i < r->remote_count; i++) {
        if (r->remotes[i].outcome == OUTCOME_PASSED) {
            passed++;
        } else if (shown++ < TESTS_MAX) {
            buf_adds(b, "    | ");
            add_child(c, b, &r->remotes[i]);
        }
    }
    if (r->remote_count > 1 && shown > TESTS_MAX)
        buf_addf(b, "    | and %zu more; see the report\n", shown - TESTS_MAX);
    if (passed)
        buf_addf(b, "    | %zu of %zu runs passed\n", passed, r->remote_count);
}

static void add_run(struct console *c, struct buf *b, const struct gate_result *g,
                    const struct run_result *r)
{
    struct buf words;

    buf_init(&words, BUF_CAP_TEXT);
    words_add_run(&words, g, r);
    buf_adds(b, "  ");
    add_name(c, b, g, r);
    add_elapsed(b, r->not_started ? -1 : r->duration_ms);
    add_colored(c, b, outcome_colors[r->outcome], words.text);
    if (r->url) {
        buf_adds(b, "  ");
        add_text(b, r->url);
    }
    buf_addc(b, '\n');
    add_children(c, b, r);
    add_tests(c, b, r);
    for (size_t i = 0; i < r->warning_count; i++) {
        buf_adds(b, "    | ");
        add_colored(c, b, YELLOW, "warning: ");
        add_text(b, r->warnings[i]);
        buf_addc(b, '\n');
    }
    buf_free(&words);
}

static void add_verdict(const struct console *c, struct buf *b, const struct gate_result *g)
{
    bool passed = g->verdict == VERDICT_PASSED;
    struct buf why;

    buf_init(&why, BUF_CAP_TEXT);
    words_add_why(&why, g);
    buf_adds(b, "rungate: ");
    add_colored(c, b, passed ? GREEN : BOLD_RED, verdict_name(g->verdict));
    buf_addf(b, " (exit code %d)", g->exit_code);
    if (g->duration_ms >= 0) {
        buf_adds(b, " in ");
        num_add_duration(b, g->duration_ms);
    }
    if (g->trouble && *g->trouble) {
        buf_adds(b, ": ");
        add_text(b, g->trouble);
    }
    if (why.len) {
        buf_adds(b, g->trouble && *g->trouble ? "; " : ": ");
        add_text(b, why.text);
    }
    buf_addc(b, '\n');
    buf_free(&why);
}

void console_summary(struct console *c, const struct gate_result *g)
{
    bool quiet = c->options.verbosity == CONSOLE_QUIET;
    size_t folded = 0;
    struct buf b;

    console_clear(c);
    buf_init(&b, BUF_CAP_TEXT);
    for (size_t i = 0; !quiet && i < g->run_count; i++) {
        bool plain = words_standing(g, &g->runs[i]) == STANDING_PASSED && !g->runs[i].flaky &&
                     !g->runs[i].warning_count;

        if (plain && g->run_count > RUNS_MAX)
            folded++;
        else
            add_run(c, &b, g, &g->runs[i]);
    }
    if (folded)
        buf_addf(&b, "  and %zu runs that passed\n", folded);
    if (!quiet || g->verdict != VERDICT_PASSED)
        add_verdict(c, &b, g);
    put(c, &b);
    buf_free(&b);
}
