/* SPDX-License-Identifier: MIT */
/*
 * Everything that goes to standard error while a gate runs, and the summary at its end: a live
 * block on a terminal, a line for each change elsewhere.
 *
 * Nothing raw gets through: every text is cleaned, starred, and made harmless for CI logs here,
 * whoever cleaned it before; and no line starts with a text of somebody else's. Each line is one
 * write, so that lines of several writers do not mix. A stream that takes nothing any more (a
 * closed terminal, a full pipe) is no reason to end a gate: what it does not take is lost.
 */
#ifndef RUNGATE_REPORT_CONSOLE_H
#define RUNGATE_REPORT_CONSOLE_H

#include "base/base.h"
#include "base/buf.h"
#include "engine/gate.h"
#include "engine/result.h"

enum console_progress {
    CONSOLE_NONE,  /* messages and the summary only */
    CONSOLE_PLAIN, /* a line for each change of state, and heartbeats */
    CONSOLE_TTY    /* a block of lines that is redrawn in place */
};

enum console_verbosity {
    CONSOLE_NORMAL,
    CONSOLE_QUIET,  /* errors, and a verdict that is not a pass */
    CONSOLE_VERBOSE /* the trace of requests too */
};

struct console_options {
    int fd; /* borrowed; best one for which SIGPIPE is ignored */
    enum console_progress progress;
    enum console_verbosity verbosity;
    bool color;
    int columns, rows; /* of the terminal; 0 if not known: 80 and 24 */
};

struct console {
    struct console_options options;
    bool gone;        /* the stream is closed: nothing more is written */
    struct buf frame; /* the live block as it stands on the terminal */
    size_t frame_lines;
    int name_width; /* of the longest run name */
    int *linked;    /* per run: the attempt whose URL was printed, + 1 */
    size_t linked_count;
};

void console_init(struct console *c, const struct console_options *options);
void console_free(struct console *c); /* leaves on the terminal what stands there */

/* The terminal has a new size; 0 as in the options. The next console_live draws for it. */
void console_resize(struct console *c, int columns, int rows);

/* The state of g->runs[run] changed, or the run ended: a line, on a terminal for its end only. */
void console_run_changed(struct console *c, const struct gate_result *g, size_t run,
                         int64_t wall_ms, int64_t elapsed_ms);

/* One of the several remote runs of g->runs[run] is over: a line under its id. */
void console_child_over(struct console *c, const struct gate_result *g, size_t run, size_t remote,
                        int64_t wall_ms, int64_t elapsed_ms);

/* A line for each unfinished run (for the first of very many); nothing on a terminal. */
void console_heartbeat(struct console *c, const struct gate_result *g, const struct live_run *live,
                       int64_t wall_ms);

/* Draws the live block, if it changed; on a terminal only. live stands beside g->runs. */
void console_live(struct console *c, const struct gate_result *g, const struct live_run *live);

/* Takes the live block away, so that somebody else can write to the same terminal. */
void console_clear(struct console *c);

/* "rungate: warning: text"; further lines of the text are indented and marked. */
void console_message(struct console *c, enum message_level level, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* Lines of a trace, each behind mark and a blank; with CONSOLE_VERBOSE only. */
void console_trace(struct console *c, char mark, const char *text);

/* How each run ended and why, its failed tests, its warnings; then the verdict. */
void console_summary(struct console *c, const struct gate_result *g);

#endif
