/* SPDX-License-Identifier: MIT */
/*
 * What all reports say in the same words: how a run stands in its gate, and why. A report that
 * disagrees with another, or with the exit code, is a bug; so the judgement is made here, once.
 */
#ifndef RUNGATE_REPORT_WORDS_H
#define RUNGATE_REPORT_WORDS_H

#include "base/base.h"
#include "base/buf.h"
#include "base/text.h"
#include "engine/result.h"

enum standing {
    STANDING_UNKNOWN,
    STANDING_PASSED,      /* seen to pass */
    STANDING_EXCUSED,     /* did not pass, and does not count against the gate */
    STANDING_NOT_STARTED, /* what it needs did not pass, or the gate was over before its turn */
    STANDING_FAILED,      /* counts against the gate: a test failed, or an on_... key says so */
    STANDING_ERROR        /* counts against the gate: there is no verdict */
};

/*
 * How the run stands. In a gate that passed no run is FAILED or ERROR, whatever became of it;
 * while the verdict is not known, a required run is judged as if the gate needed it.
 */
enum standing words_standing(const struct gate_result *g, const struct run_result *r);

/* True for FAILED and ERROR. */
bool words_against(enum standing s);

/* Appends one line: "failed, but not required: 2 thresholds crossed". */
void words_add_run(struct buf *b, const struct gate_result *g, const struct run_result *r);

/*
 * Appends why the verdict is what it is, in one line: "2 of 2 required runs passed", or the runs
 * that made it: "ui failed, load timed_out and 3 more". Nothing if no run has a part in it.
 */
void words_add_why(struct buf *b, const struct gate_result *g);

/* When its first attempt was started, for r->started is of the last one; 0 if none was. */
int64_t words_run_started(const struct run_result *r);

/*
 * True if the test is worth a reader's attention: it did not pass, and was not merely skipped.
 * This says nothing about the gate.
 */
bool words_test_stands_out(const struct test_result *t);

/* Appends text cleaned (base/text.h), cut at max bytes, and without secrets. NULL is "". */
void words_add_text(struct buf *b, const char *text, enum text_lines lines, size_t max);

/* The same as a text of its own; free with free(). */
char *words_text(const char *text, enum text_lines lines, size_t max) USE_RESULT;

/* Limits that hold in every report. */
enum {
    WORDS_LINE_MAX = 1000,     /* bytes of a folded text */
    WORDS_LINES_MAX = 64 << 10 /* bytes of a text of many lines */
};

#endif
