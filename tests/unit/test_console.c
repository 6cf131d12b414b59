/* SPDX-License-Identifier: MIT */
/*
 * What goes to standard error: the lines, how hostile texts are made harmless, and the live block
 * as a terminal would show it.
 */
#include "base/base.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "report/console.h"

#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MANY = 200, SCREEN_ROWS = 24, SCREEN_COLUMNS = 200 };

static const int64_t NOON = 1700049605000; /* 12:00:05 UTC */

/* --- a stream that tells what was written, write by write --------------------------------- */

static int pair[2];
static int writes;

static int setup(void **state)
{
    (void)state;
    setenv("TZ", "UTC0", 1);
    signal(SIGPIPE, SIG_IGN);
    /* Datagrams, so that each write can be told from the next. */
    return socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) || fcntl(pair[1], F_SETFL, O_NONBLOCK);
}

static int teardown(void **state)
{
    (void)state;
    close(pair[0]);
    close(pair[1]);
    return 0;
}

static void open_console(struct console *c, enum console_progress progress,
                         enum console_verbosity verbosity, bool color)
{
    struct console_options options = {.fd = pair[0], .progress = progress,
                                      .verbosity = verbosity, .color = color};

    console_init(c, &options);
}

/* Appends what was written since the last call. */
static void take(struct buf *b)
{
    static char chunk[1 << 18];
    ssize_t n;

    writes = 0;
    while ((n = recv(pair[1], chunk, sizeof(chunk), 0)) > 0) {
        buf_add(b, chunk, (size_t)n);
        writes++;
    }
}

static void check_written(const char *want)
{
    struct buf b;

    buf_init(&b, BUF_CAP_TEXT);
    take(&b);
    assert_string_equal(b.text, want);
    buf_free(&b);
}

/* --- a terminal --------------------------------------------------------------------------- */

static struct {
    char cells[SCREEN_ROWS][SCREEN_COLUMNS + 1];
    int row, column, columns;
} screen;

static void reset_screen(int columns)
{
    memset(&screen, 0, sizeof(screen));
    for (int i = 0; i < SCREEN_ROWS; i++)
        memset(screen.cells[i], ' ', SCREEN_COLUMNS);
    screen.columns = columns;
}

static void clear_from(int row, int column)
{
    memset(screen.cells[row] + column, ' ', (size_t)(SCREEN_COLUMNS - column));
}

static void line_feed(void)
{
    if (++screen.row < SCREEN_ROWS)
        return;
    screen.row = SCREEN_ROWS - 1;
    memmove(screen.cells[0], screen.cells[1], sizeof(screen.cells) - sizeof(screen.cells[0]));
    clear_from(screen.row, 0);
}

/* Shows text as a terminal does: the few controls that the console uses, and no other. */
static void show(const char *p)
{
    for (; *p; p++) {
        if (*p == '\r') {
            screen.column = 0;
        } else if (*p == '\n') {
            screen.column = 0;
            line_feed();
        } else if (*p == '\033') {
            int number = 0;

            assert_int_equal(*++p, '[');
            for (p++; *p >= '0' && *p <= '9'; p++)
                number = number * 10 + (*p - '0');
            if (*p == 'A') {
                /* Further up than the screen goes would be a block that does not fit. */
                assert_true(number <= screen.row);
                screen.row -= number;
            } else if (*p == 'K') {
                clear_from(screen.row, screen.column);
            } else {
                assert_int_equal(*p, 'J');
                clear_from(screen.row, screen.column);
                for (int i = screen.row + 1; i < SCREEN_ROWS; i++)
                    clear_from(i, 0);
            }
        } else {
            assert_true(screen.column < screen.columns); /* it would wrap */
            screen.cells[screen.row][screen.column++] = *p;
        }
    }
}

/* The screen's lines, without blanks at their ends and empty lines at its end. */
static void check_screen(const char *want)
{
    struct buf written, text;

    buf_init(&written, BUF_CAP_TEXT);
    buf_init(&text, BUF_CAP_TEXT);
    take(&written);
    show(written.text);
    for (int i = 0; i < SCREEN_ROWS; i++) {
        buf_add(&text, screen.cells[i], SCREEN_COLUMNS);
        while (text.len && text.text[text.len - 1] == ' ')
            buf_truncate(&text, text.len - 1);
        buf_addc(&text, '\n');
    }
    while (text.len > 1 && text.text[text.len - 2] == '\n')
        buf_truncate(&text, text.len - 1);
    if (text.len == 1)
        buf_truncate(&text, 0);
    assert_string_equal(text.text, want);
    buf_free(&written);
    buf_free(&text);
}

/* --- gates --------------------------------------------------------------------------------- */

static void init_gate(struct gate_result *g, struct run_result *runs, size_t count)
{
    memset(g, 0, sizeof(*g));
    memset(runs, 0, count * sizeof(*runs));
    g->runs = runs;
    g->run_count = count;
    g->duration_ms = 12345;
    for (size_t i = 0; i < count; i++) {
        runs[i].name = "ui";
        runs[i].required = true;
        runs[i].duration_ms = -1;
    }
}

static void set_state(struct run_result *r, const char *state)
{
    r->attempt = 1;
    result_note_state(r, state, NOON);
}

static void end(struct run_result *r, enum outcome o, const char *reason)
{
    r->outcome = r->counts_as = o;
    r->attempt = 1;
    r->duration_ms = 65000;
    mem_replace(&r->reason, reason);
}

static void add_test(struct run_result *r, const char *name, enum outcome o, const char *message)
{
    struct test_result *t =
        result_add_test(r->remote_count ? r->remotes : result_add_remote(r, "1"));

    t->name = mem_strdup(name);
    t->outcome = o;
    t->message = mem_strdup(message);
}

static void drop(struct gate_result *g)
{
    for (size_t i = 0; i < g->run_count; i++)
        result_free_run(&g->runs[i]);
    free(g->trouble);
}

/* --- progress ------------------------------------------------------------------------------ */

static void test_changes(void **state)
{
    struct run_result runs[2];
    struct gate_result g;
    struct console c;

    (void)state;
    init_gate(&g, runs, 2);
    runs[0].name = "load";
    open_console(&c, CONSOLE_PLAIN, CONSOLE_NORMAL, false);

    set_state(&runs[0], "STARTING");
    console_run_changed(&c, &g, 0, NOON, 0);
    check_written("12:00:05 load  STARTING      0ms\n");
    assert_int_equal(writes, 1);

    set_state(&runs[0], "RUNNING");
    runs[0].url = mem_strdup("https://x.example/17");
    console_run_changed(&c, &g, 0, NOON, 65000);
    check_written("12:00:05 load  RUNNING       1m05s    https://x.example/17\n");

    set_state(&runs[0], "PROCESSING");
    console_run_changed(&c, &g, 0, NOON + 1000, 66000);
    check_written("12:00:06 load  PROCESSING    1m06s\n");

    runs[0].attempt = 2;
    mem_replace(&runs[0].url, "https://x.example/18");
    console_run_changed(&c, &g, 0, NOON, 66000);
    check_written("12:00:05 load  PROCESSING    1m06s    https://x.example/18\n");

    end(&runs[0], OUTCOME_FAILED, "2 tests failed");
    console_run_changed(&c, &g, 0, NOON, 65000);
    check_written("12:00:05 load  PROCESSING    1m05s    failed: 2 tests failed"
                  "  https://x.example/18\n");

    runs[1].not_started = true;
    runs[1].outcome = OUTCOME_SKIPPED;
    runs[1].reason = mem_strdup("not started: it needs 'load'");
    console_run_changed(&c, &g, 1, NOON, -1);
    check_written("12:00:05 ui    -                      not started: it needs 'load'\n");
    console_free(&c);

    open_console(&c, CONSOLE_PLAIN, CONSOLE_NORMAL, true);
    end(&runs[1], OUTCOME_PASSED, NULL);
    runs[1].not_started = false;
    console_run_changed(&c, &g, 1, NOON, 1000);
    check_written("12:00:05 ui    -             1.0s     \033[32mpassed\033[0m\n");
    console_free(&c);
    drop(&g);
}

static void test_silence(void **state)
{
    static const struct {
        enum console_progress progress;
        enum console_verbosity verbosity;
    } rows[] = {
        {CONSOLE_NONE, CONSOLE_NORMAL},  {CONSOLE_NONE, CONSOLE_VERBOSE},
        {CONSOLE_NONE, CONSOLE_QUIET},   {CONSOLE_PLAIN, CONSOLE_QUIET},
        {CONSOLE_TTY, CONSOLE_QUIET},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct live_run live = {1000, -1, -1};
        struct run_result run;
        struct gate_result g;
        struct console c;

        init_gate(&g, &run, 1);
        set_state(&run, "RUNNING");
        open_console(&c, rows[i].progress, rows[i].verbosity, false);
        console_run_changed(&c, &g, 0, NOON, 0);
        console_heartbeat(&c, &g, &live, NOON);
        console_live(&c, &g, &live);
        console_clear(&c);
        check_written("");
        console_free(&c);
        drop(&g);
    }
}

static void test_heartbeat(void **state)
{
    static struct run_result runs[MANY];
    static struct live_run live[MANY];
    struct gate_result g;
    struct console c;
    struct buf b;

    (void)state;
    init_gate(&g, runs, 3);
    set_state(&runs[0], "RUNNING");
    end(&runs[1], OUTCOME_PASSED, NULL);
    live[0] = (struct live_run){125000, 180000, 3100};
    live[2] = (struct live_run){-1, -1, -1};
    open_console(&c, CONSOLE_PLAIN, CONSOLE_NORMAL, false);
    console_heartbeat(&c, &g, live, NOON);
    check_written("12:00:05 ui  RUNNING       2m05s of about 3m00s  next poll in 4s\n"
                  "12:00:05 ui  WAITING\n");
    assert_int_equal(writes, 2);
    drop(&g);

    init_gate(&g, runs, MANY);
    for (size_t i = 0; i < MANY; i++)
        live[i] = (struct live_run){1000, -1, -1};
    set_state(&runs[MANY - 1], "RUNNING");
    console_heartbeat(&c, &g, live, NOON);
    buf_init(&b, BUF_CAP_TEXT);
    take(&b);
    assert_int_equal(writes, 20);
    /* The one that is under way is not among those left out. */
    assert_true(strstr(b.text, "12:00:05 ui  RUNNING       1s\n12:00:05 ... and 181 more\n"));
    buf_free(&b);
    console_free(&c);
    drop(&g);
}

static void test_live(void **state)
{
    static struct run_result runs[MANY];
    static struct live_run live[MANY];
    struct gate_result g;
    struct console c;
    struct buf b;

    (void)state;
    reset_screen(100);
    init_gate(&g, runs, 2);
    runs[0].name = "load";
    set_state(&runs[0], "RUNNING");
    open_console(&c, CONSOLE_TTY, CONSOLE_NORMAL, false);
    console_resize(&c, 100, SCREEN_ROWS);
    live[0] = (struct live_run){1000, 120000, 900};
    live[1] = (struct live_run){-1, -1, -1};
    console_live(&c, &g, live);
    assert_int_equal(c.frame_lines, 2);
    check_screen("load  RUNNING       1s of about 2m00s  next poll in 1s\n"
                 "ui    WAITING\n");
    assert_int_equal(writes, 1);

    /* Nothing new, nothing written. */
    live[0].elapsed_ms = 1200;
    console_live(&c, &g, live);
    check_written("");

    live[0].next_poll_ms = -1;
    console_live(&c, &g, live);
    check_screen("load  RUNNING       1s of about 2m00s\n"
                 "ui    WAITING\n");

    console_message(&c, MESSAGE_WARNING, "one\ntwo");
    check_screen("rungate: warning: one\n"
                 "  | two\n"
                 "load  RUNNING       1s of about 2m00s\n"
                 "ui    WAITING\n");

    /* A change of state shows in the block, an end above it. */
    set_state(&runs[1], "RUNNING");
    console_run_changed(&c, &g, 1, NOON, 0);
    check_written("");
    end(&runs[0], OUTCOME_PASSED, NULL);
    console_run_changed(&c, &g, 0, NOON, 3000);
    live[1].elapsed_ms = 0;
    console_live(&c, &g, live);
    check_screen("rungate: warning: one\n"
                 "  | two\n"
                 "12:00:05 load  RUNNING       3.0s     passed\n"
                 "ui    RUNNING       0s\n");

    g.verdict = VERDICT_PASSED;
    end(&runs[1], OUTCOME_PASSED, NULL);
    console_summary(&c, &g);
    check_screen("rungate: warning: one\n"
                 "  | two\n"
                 "12:00:05 load  RUNNING       3.0s     passed\n"
                 "  load  1m05s    passed\n"
                 "  ui    1m05s    passed\n"
                 "rungate: passed (exit code 0) in 12.3s: 2 of 2 required runs passed\n");
    console_free(&c);
    drop(&g);

    /* Narrow and low. */
    reset_screen(20);
    init_gate(&g, runs, MANY);
    for (size_t i = 0; i < MANY; i++)
        live[i] = (struct live_run){1000, 60000, 500};
    runs[150].name = "a-name-of-forty-characters-which-is-long";
    set_state(&runs[150], "RUNNING");
    console_init(&c, &(struct console_options){.fd = pair[0], .progress = CONSOLE_TTY,
                                               .columns = 20, .rows = 4});
    console_live(&c, &g, live);
    assert_int_equal(c.frame_lines, 3);
    check_screen("ui\n"
                 "a-name-of-forty-cha\n"
                 "... and 198 more\n");
    console_clear(&c);
    check_screen("");
    console_resize(&c, 0, 1);
    console_live(&c, &g, live);
    assert_int_equal(c.frame_lines, 0);
    check_screen("");
    console_free(&c);
    drop(&g);

    /* Wide characters are not cut in the middle, and count for two. */
    init_gate(&g, runs, 1);
    set_state(&runs[0], "\xe6\xb8\xac\xe8\xa9\xa6\xe6\xb8\xac\xe8\xa9\xa6");
    console_init(&c, &(struct console_options){.fd = pair[0], .progress = CONSOLE_TTY,
                                               .columns = 10, .rows = 4});
    console_live(&c, &g, live);
    buf_init(&b, BUF_CAP_TEXT);
    take(&b);
    assert_string_equal(b.text, "ui  \xe6\xb8\xac\xe8\xa9\xa6\033[K\n");
    buf_free(&b);
    console_free(&c);
    drop(&g);
}

/* --- messages ------------------------------------------------------------------------------ */

static void test_messages(void **state)
{
    static const struct {
        enum message_level level;
        enum console_verbosity verbosity;
        bool color;
        const char *text, *want;
    } rows[] = {
        {MESSAGE_NOTE, CONSOLE_NORMAL, false, "hello", "rungate: hello\n"},
        {MESSAGE_WARNING, CONSOLE_NORMAL, false, "hello", "rungate: warning: hello\n"},
        {MESSAGE_ERROR, CONSOLE_NORMAL, false, "hello\n", "rungate: error: hello\n"},
        {MESSAGE_ERROR, CONSOLE_NORMAL, true, "hello", "rungate: \033[1;31merror: \033[0mhello\n"},
        {MESSAGE_NOTE, CONSOLE_NORMAL, true, "hello", "rungate: hello\n"},
        {MESSAGE_NOTE, CONSOLE_QUIET, false, "hello", ""},
        {MESSAGE_WARNING, CONSOLE_QUIET, false, "hello", ""},
        {MESSAGE_ERROR, CONSOLE_QUIET, false, "hello", "rungate: error: hello\n"},
        {MESSAGE_NOTE, CONSOLE_NORMAL, false, "", "rungate: \n"},
        {MESSAGE_NOTE, CONSOLE_NORMAL, false, "a\n::error::b\r\n\n--- c\n",
         "rungate: a\n  | : :error::b\n  | \n  | --- c\n"},
        {MESSAGE_NOTE, CONSOLE_NORMAL, false, "a ##[error]b ##vso[x] ##teamcity[y]",
         "rungate: a # #[error]b # #vso[x] # #teamcity[y]\n"},
        {MESSAGE_NOTE, CONSOLE_NORMAL, false, "a\033[2J\033]0;title\007b\x01\x9b",
         "rungate: a0;titleb\xef\xbf\xbd\n"},
        {MESSAGE_NOTE, CONSOLE_NORMAL, false, "a\033[0Ksection_start:1:x\rb",
         "rungate: asection_start:1:x\n  | b\n"},
        {MESSAGE_NOTE, CONSOLE_NORMAL, false, "bad \xff\xc3(", "rungate: bad "
                                                               "\xef\xbf\xbd\xef\xbf\xbd(\n"},
        {MESSAGE_NOTE, CONSOLE_NORMAL, false, "hunter22 hun\x01ter22", "rungate: *** ***\n"},
    };

    (void)state;
    secret_add("hunter22");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct console c;

        open_console(&c, CONSOLE_PLAIN, rows[i].verbosity, rows[i].color);
        console_message(&c, rows[i].level, "%s", rows[i].text);
        check_written(rows[i].want);
        console_free(&c);
    }
    secret_clear();
}

static void test_enormous(void **state)
{
    size_t len = 10 << 20;
    char *text = mem_alloc(len + 1, 1);
    int room = 200000;
    struct console c;
    struct buf b;

    (void)state;
    memset(text, 'x', len);
    /* A stream: what is longer than a pipe takes at once comes in pieces. */
    close(pair[0]);
    close(pair[1]);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)), 0);
    fcntl(pair[1], F_SETFL, O_NONBLOCK);
    open_console(&c, CONSOLE_PLAIN, CONSOLE_NORMAL, false);
    console_message(&c, MESSAGE_NOTE, "%s", text);
    buf_init(&b, BUF_CAP_TEXT);
    take(&b);
    assert_true(b.len > 1000 && b.len < 100000);
    assert_true(text_ends(b.text, "...\n"));
    buf_free(&b);
    console_free(&c);
    free(text);
}

static void test_trace(void **state)
{
    struct console c;

    (void)state;
    open_console(&c, CONSOLE_PLAIN, CONSOLE_NORMAL, false);
    console_trace(&c, '>', "GET /");
    check_written("");
    console_free(&c);
    open_console(&c, CONSOLE_NONE, CONSOLE_VERBOSE, false);
    console_trace(&c, '>', "GET /\nHost: x\n");
    check_written("> GET /\n> Host: x\n");
    console_trace(&c, '<', "::error::x");
    check_written("< : :error::x\n");
    console_free(&c);
}

/* --- summary ------------------------------------------------------------------------------- */

static void test_summary(void **state)
{
    struct run_result runs[4];
    struct gate_result g;
    struct console c;

    (void)state;
    init_gate(&g, runs, 4);
    g.verdict = VERDICT_FAILED;
    g.exit_code = 1;
    runs[0].name = "load";
    end(&runs[0], OUTCOME_FAILED, "2 tests failed");
    runs[0].url = mem_strdup("https://x.example/17");
    add_test(&runs[0], "good", OUTCOME_PASSED, NULL);
    add_test(&runs[0], "bad", OUTCOME_FAILED, "expected 3\n::error::x");
    add_test(&runs[0], "left out", OUTCOME_SKIPPED, NULL);
    add_test(&runs[0], "slow", OUTCOME_TIMED_OUT, NULL);
    end(&runs[1], OUTCOME_ERROR, "503");
    runs[1].required = false;
    result_warn(&runs[1], "could not be cancelled");
    runs[2].name = "again";
    end(&runs[2], OUTCOME_PASSED, NULL);
    runs[2].attempt = 2;
    runs[2].flaky = true;
    runs[3].not_started = true;
    runs[3].outcome = runs[3].counts_as = OUTCOME_SKIPPED;
    runs[3].reason = mem_strdup("needs 'load'");

    open_console(&c, CONSOLE_NONE, CONSOLE_NORMAL, false);
    console_summary(&c, &g);
    check_written("  load   1m05s    failed: 2 tests failed  https://x.example/17\n"
                  "    | failed  bad: expected 3 ::error::x\n"
                  "    | timed_out  slow\n"
                  "  ui     1m05s    error, but not required: 503\n"
                  "    | warning: could not be cancelled\n"
                  "  again  1m05s    passed in attempt 2 (flaky)\n"
                  "  ui              not started: needs 'load'\n"
                  "rungate: failed (exit code 1) in 12.3s: load failed\n");
    console_free(&c);

    open_console(&c, CONSOLE_PLAIN, CONSOLE_QUIET, true);
    console_summary(&c, &g);
    check_written("rungate: \033[1;31mfailed\033[0m (exit code 1) in 12.3s: load failed\n");
    g.verdict = VERDICT_PASSED;
    g.exit_code = 0;
    console_summary(&c, &g);
    check_written("");
    console_free(&c);
    drop(&g);
}

static void test_verdicts(void **state)
{
    static const struct {
        enum verdict verdict;
        int exit_code;
        const char *trouble;
        enum outcome outcome, counts_as;
        const char *want;
    } rows[] = {
        {VERDICT_PASSED, 0, NULL, OUTCOME_PASSED, OUTCOME_PASSED,
         "rungate: passed (exit code 0) in 12.3s: 1 of 1 required run passed\n"},
        {VERDICT_PASSED, 0, NULL, OUTCOME_SKIPPED, OUTCOME_PASSED,
         "rungate: passed (exit code 0) in 12.3s: 0 of 1 required run passed, "
         "1 counts as passed\n"},
        {VERDICT_INTERRUPTED, 143, "interrupted by SIGTERM", OUTCOME_CANCELLED, OUTCOME_CANCELLED,
         "rungate: interrupted (exit code 143) in 12.3s: interrupted by SIGTERM; ui cancelled\n"},
        {VERDICT_ERROR, 3, "cannot write x\n::error::y", OUTCOME_PASSED, OUTCOME_PASSED,
         "rungate: error (exit code 3) in 12.3s: cannot write x ::error::y\n"},
        {VERDICT_UNKNOWN, 70, NULL, OUTCOME_UNKNOWN, OUTCOME_UNKNOWN,
         "rungate: unknown (exit code 70) in 12.3s: ui unknown\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct run_result run;
        struct gate_result g;
        struct console c;
        struct buf b;

        init_gate(&g, &run, 1);
        g.verdict = rows[i].verdict;
        g.exit_code = rows[i].exit_code;
        g.trouble = mem_strdup(rows[i].trouble);
        run.outcome = rows[i].outcome;
        run.counts_as = rows[i].counts_as;
        open_console(&c, CONSOLE_PLAIN, CONSOLE_NORMAL, false);
        console_summary(&c, &g);
        buf_init(&b, BUF_CAP_TEXT);
        take(&b);
        assert_string_equal(strstr(b.text, "rungate: "), rows[i].want);
        buf_free(&b);
        console_free(&c);
        drop(&g);
    }
}

static void test_large_summary(void **state)
{
    static struct run_result runs[MANY];
    struct gate_result g;
    struct console c;
    struct buf b;

    (void)state;
    init_gate(&g, runs, MANY);
    g.verdict = VERDICT_FAILED;
    g.exit_code = 1;
    for (size_t i = 0; i < MANY; i++)
        end(&runs[i], i < 10 ? OUTCOME_FAILED : OUTCOME_PASSED, NULL);
    for (size_t i = 0; i < 25; i++)
        add_test(&runs[0], "bad", OUTCOME_FAILED, NULL);
    open_console(&c, CONSOLE_NONE, CONSOLE_NORMAL, false);
    console_summary(&c, &g);
    buf_init(&b, BUF_CAP_TEXT);
    take(&b);
    assert_true(strstr(b.text, "    | failed  bad\n    | and 15 more; see the report\n"));
    assert_true(strstr(b.text, "\n  and 190 runs that passed\n"));
    assert_true(strstr(b.text, ": ui failed, ui failed, ui failed, ui failed, "
                               "ui failed and 5 more\n"));
    assert_int_equal(writes, 10 + 10 + 1 + 1 + 1);
    buf_free(&b);
    console_free(&c);
    drop(&g);
}

/* --- streams that do not take it ------------------------------------------------------------ */

static void test_streams(void **state)
{
    struct console_options options = {.progress = CONSOLE_PLAIN};
    char chunk[4096] = {0};
    struct console c;
    int ends[2];

    (void)state;
    /* Nobody reads. */
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    options.fd = ends[1];
    console_init(&c, &options);
    console_message(&c, MESSAGE_ERROR, "lost");
    assert_true(c.gone);
    console_message(&c, MESSAGE_ERROR, "lost too");
    console_free(&c);
    close(ends[1]);
    /* It is closed. */
    console_init(&c, &options);
    console_message(&c, MESSAGE_ERROR, "lost");
    assert_true(c.gone);
    console_free(&c);
    /* It is full: given up after a moment, and tried again with the next line. */
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    while (write(ends[1], chunk, sizeof(chunk)) > 0)
        continue;
    options.fd = ends[1];
    console_init(&c, &options);
    console_message(&c, MESSAGE_ERROR, "lost");
    assert_false(c.gone);
    assert_int_equal(read(ends[0], chunk, sizeof(chunk)), sizeof(chunk));
    console_message(&c, MESSAGE_ERROR, "there");
    while (read(ends[0], chunk, sizeof(chunk)) == sizeof(chunk))
        continue;
    assert_int_equal(strncmp(chunk, "rungate: error: there\n", 22), 0);
    console_free(&c);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_changes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_silence, setup, teardown),
        cmocka_unit_test_setup_teardown(test_heartbeat, setup, teardown),
        cmocka_unit_test_setup_teardown(test_live, setup, teardown),
        cmocka_unit_test_setup_teardown(test_messages, setup, teardown),
        cmocka_unit_test_setup_teardown(test_enormous, setup, teardown),
        cmocka_unit_test_setup_teardown(test_trace, setup, teardown),
        cmocka_unit_test_setup_teardown(test_summary, setup, teardown),
        cmocka_unit_test_setup_teardown(test_verdicts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_large_summary, setup, teardown),
        cmocka_unit_test_setup_teardown(test_streams, setup, teardown),
    };

    return cmocka_run_group_tests_name("console", tests, NULL, NULL);
}
