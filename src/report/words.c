/* SPDX-License-Identifier: MIT */
/* Owns the judgement of a run and the sentence about it. It must not know any report's format. */
#include "base/base.h"

#include "base/secret.h"
#include "report/words.h"

enum { NAMES_MAX = 5 }; /* runs named in the verdict */

enum standing words_standing(const struct gate_result *g, const struct run_result *r)
{
    if (r->counts_as == OUTCOME_PASSED)
        return r->outcome == OUTCOME_PASSED ? STANDING_PASSED : STANDING_EXCUSED;
    if (!r->required || g->verdict == VERDICT_PASSED)
        return r->not_started ? STANDING_NOT_STARTED : STANDING_EXCUSED;
    if (r->counts_as == OUTCOME_FAILED)
        return STANDING_FAILED;
    return r->not_started ? STANDING_NOT_STARTED : STANDING_ERROR;
}

bool words_against(enum standing s)
{
    return s == STANDING_FAILED || s == STANDING_ERROR;
}

void words_add_run(struct buf *b, const struct gate_result *g, const struct run_result *r)
{
    enum standing s = words_standing(g, r);

    if (r->not_started && r->reason && text_starts(r->reason, "not started")) {
        words_add_text(b, r->reason, TEXT_FOLD, WORDS_LINE_MAX);
        return;
    }
    buf_adds(b, r->not_started ? "not started" : outcome_name(r->outcome));
    if (r->outcome == OUTCOME_PASSED && r->flaky)
        buf_addf(b, " in attempt %d (flaky)", r->attempt);
    if (r->mapped_by)
        buf_addf(b, ", counts as %s by %s", outcome_name(r->counts_as), r->mapped_by);
    if (s == STANDING_EXCUSED && r->counts_as != OUTCOME_PASSED)
        buf_adds(b, r->required ? ", but the gate passed without it" : ", but not required");
    else if (s == STANDING_EXCUSED && !r->mapped_by)
        buf_adds(b, ", counts as passed");
    if (r->reason && *r->reason) {
        buf_adds(b, ": ");
        words_add_text(b, r->reason, TEXT_FOLD, WORDS_LINE_MAX);
    } else if (!r->not_started && !outcome_is_final(r->outcome)) {
        buf_adds(b, ": its end was not seen");
    }
}

/* The runs that made the verdict: "ui failed, load timed_out and 3 more". */
static void add_culprits(struct buf *b, const struct gate_result *g)
{
    size_t shown = 0, more = 0;

    for (size_t i = 0; i < g->run_count; i++) {
        const struct run_result *r = &g->runs[i];

        if (!words_against(words_standing(g, r)))
            continue;
        if (shown == NAMES_MAX) {
            more++;
            continue;
        }
        buf_addf(b, "%s%s %s", shown ? ", " : "", r->name, outcome_name(r->outcome));
        shown++;
    }
    if (more)
        buf_addf(b, " and %zu more", more);
}

static void add_passes(struct buf *b, const struct gate_result *g)
{
    size_t required = 0, passed = 0, mapped = 0;

    for (size_t i = 0; i < g->run_count; i++) {
        const struct run_result *r = &g->runs[i];

        if (!r->required)
            continue;
        required++;
        if (words_standing(g, r) == STANDING_PASSED)
            passed++;
        else if (r->counts_as == OUTCOME_PASSED)
            mapped++;
    }
    buf_addf(b, "%zu of %zu required run%s passed", passed, required, required == 1 ? "" : "s");
    if (mapped)
        buf_addf(b, ", %zu count%s as passed", mapped, mapped == 1 ? "s" : "");
}

void words_add_why(struct buf *b, const struct gate_result *g)
{
    if (g->verdict == VERDICT_PASSED)
        add_passes(b, g);
    else
        add_culprits(b, g);
}

int64_t words_run_started(const struct run_result *r)
{
    return r->past_count ? r->past[0].started : r->started;
}

bool words_test_stands_out(const struct test_result *t)
{
    return t->outcome != OUTCOME_PASSED && t->outcome != OUTCOME_SKIPPED;
}

void words_add_text(struct buf *b, const char *text, enum text_lines lines, size_t max)
{
    struct buf raw, clean;

    if (!text)
        return;
    buf_init(&raw, BUF_CAP_TEXT);
    buf_init(&clean, BUF_CAP_TEXT);
    buf_adds(&raw, text);
    /* Starred before the cut, which could leave half a secret; and after the cleaning, which
     * could join one. */
    secret_redact(&raw);
    text_add_clean(&clean, raw.text, raw.len, lines, max);
    secret_redact(&clean);
    buf_add(b, clean.text, clean.len);
    buf_free(&raw);
    buf_free(&clean);
}

char *words_text(const char *text, enum text_lines lines, size_t max)
{
    struct buf b;

    buf_init(&b, BUF_CAP_TEXT);
    words_add_text(&b, text, lines, max);
    return buf_detach(&b);
}
