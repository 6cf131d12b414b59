/* SPDX-License-Identifier: MIT */
/* Owns the Markdown report. It must not let a text from outside be anything but text. */
#include "base/base.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "report/markdown.h"
#include "report/words.h"

enum {
    DOCUMENT_MAX = 1000000, /* of the 1,048,576 bytes that GitHub takes */
    MESSAGE_MAX = 4 << 10
};

/* --- texts ---------------------------------------------------------------------------------- */

/*
 * One line as text. Of the punctuation that can be escaped (GFM 6.1) this is what means something
 * within a line: "$" makes formulas at GitHub, "@" makes links, and so do ":" and "." in a word.
 */
static void add_text(struct buf *b, const char *text)
{
    char *line = words_text(text, TEXT_FOLD, WORDS_LINE_MAX);

    for (const char *p = line; *p; p++) {
        if (strchr("\\`*_[]()<>#~&|!@$", *p) || (strchr(":.", *p) && p[1] && p[1] != ' '))
            buf_addc(b, '\\');
        buf_addc(b, *p);
    }
    free(line);
}

/*
 * Lines as they are, in an element whose end cannot be in them (GFM 4.6, the first kind of HTML
 * block). What begins a line must not begin a group for Buildkite, where this is printed.
 */
static void add_block(struct buf *b, const char *text)
{
    char *lines = words_text(text, TEXT_LINES, MESSAGE_MAX);

    buf_adds(b, "<pre>");
    for (const char *p = lines; *p; p++) {
        bool first = p == lines || p[-1] == '\n';

        if (strchr("<>&#:", *p) || (first && strchr("-+~", *p)))
            buf_addf(b, "&#%d;", *p);
        else
            buf_addc(b, *p);
    }
    buf_adds(b, "</pre>\n\n");
    free(lines);
}

/*
 * An address as it stands between "<" and ">". What RFC 3986 does not allow is percent-encoded,
 * and so is every "#" but the one that begins the fragment.
 */
static void add_address(struct buf *b, const char *url)
{
    bool fragment = false;

    for (const char *p = url; *p; p++) {
        bool plain = strchr("-._~:/?[]@!$'()*+,;=%", *p) || (*p == '#' && !fragment) ||
                     (*p >= '0' && *p <= '9') || (*p >= 'A' && *p <= 'Z') ||
                     (*p >= 'a' && *p <= 'z');

        fragment = fragment || *p == '#';
        if (*p == '&')
            buf_adds(b, "&amp;"); /* it would begin an entity */
        else if (plain)
            buf_addc(b, *p);
        else
            buf_addf(b, "%%%02X", (unsigned char)*p);
    }
}

/* An id that leads to the report, if there is one; an address of another kind is left out. */
static void add_id(struct buf *b, const char *id, const char *url)
{
    char *address = words_text(url, TEXT_FOLD, WORDS_LINE_MAX);

    if (text_starts(address, "https://") || text_starts(address, "http://")) {
        buf_addc(b, '[');
        add_text(b, id ? id : "report");
        buf_adds(b, "](<");
        add_address(b, address);
        buf_adds(b, ">)");
    } else {
        add_text(b, id);
    }
    free(address);
}

/* --- parts ---------------------------------------------------------------------------------- */

/* A part of the document; items with which that would become too long are only counted. */
struct part {
    struct buf *out;
    struct buf item;
    const char *head; /* stands before the first item; NULL once it does */
    size_t left_out;
};

static void begin_part(struct part *p, struct buf *out, const char *head)
{
    *p = (struct part){.out = out, .head = head};
    buf_init(&p->item, BUF_CAP_TEXT);
}

static void end_item(struct part *p)
{
    if (p->left_out || p->out->len + p->item.len > DOCUMENT_MAX) {
        p->left_out++;
    } else {
        buf_adds(p->out, p->head ? p->head : "");
        p->head = NULL;
        buf_add(p->out, p->item.text, p->item.len);
    }
    buf_clear(&p->item);
}

/* Ends with an empty line, if there is anything in it. */
static void end_part(struct part *p)
{
    if (p->left_out)
        buf_addf(p->out, "%s\n%zu more would make this too long.\n", p->head ? p->head : "",
                 p->left_out);
    if ((!p->head || p->left_out) && !text_ends(p->out->text, "\n\n"))
        buf_addc(p->out, '\n');
    buf_free(&p->item);
}

static void add_duration(struct buf *b, int64_t ms)
{
    if (ms >= 0)
        num_add_duration(b, ms);
}

static void add_verdict(struct buf *out, const struct gate_result *g)
{
    struct buf why;

    buf_init(&why, BUF_CAP_TEXT);
    words_add_why(&why, g);
    buf_addf(out, "## rungate: %s\n\nExit code %d", verdict_name(g->verdict), g->exit_code);
    if (g->duration_ms >= 0)
        buf_adds(out, " in ");
    add_duration(out, g->duration_ms);
    if (g->trouble && *g->trouble) {
        buf_adds(out, ": ");
        add_text(out, g->trouble);
    }
    if (why.len) {
        buf_adds(out, g->trouble && *g->trouble ? "; " : ": ");
        add_text(out, why.text);
    }
    buf_adds(out, ".\n\n");
    buf_free(&why);
}

/* A row for each run, and one for each of its remote runs where there are several. */
static void add_runs(struct buf *out, const struct gate_result *g)
{
    struct part p;

    begin_part(&p, out,
               "| Run | Outcome | Time | State | Provider | Id |\n| --- | --- | --- | --- | --- | "
               "--- |\n");
    for (size_t i = 0; i < g->run_count; i++) {
        const struct run_result *r = &g->runs[i];
        bool several = r->remote_count > 1;
        struct buf words;

        buf_init(&words, BUF_CAP_TEXT);
        words_add_run(&words, g, r);
        buf_adds(&p.item, "| ");
        add_text(&p.item, r->name);
        buf_adds(&p.item, words_against(words_standing(g, r)) ? " | **" : " | ");
        add_text(&p.item, words.text);
        buf_adds(&p.item, words_against(words_standing(g, r)) ? "** | " : " | ");
        add_duration(&p.item, r->not_started ? -1 : r->duration_ms);
        buf_adds(&p.item, " | ");
        add_text(&p.item, r->state);
        buf_adds(&p.item, " | ");
        add_text(&p.item, r->provider);
        buf_adds(&p.item, " | ");
        add_id(&p.item, several ? NULL : r->run_id, several ? NULL : r->url);
        buf_adds(&p.item, " |\n");
        for (size_t j = 0; several && j < r->remote_count; j++) {
            buf_addf(&p.item, "| | %s | | ", outcome_name(r->remotes[j].outcome));
            add_text(&p.item, r->remotes[j].state);
            buf_adds(&p.item, " | | ");
            add_id(&p.item, r->remotes[j].id, r->remotes[j].url);
            buf_adds(&p.item, " |\n");
        }
        buf_free(&words);
        end_item(&p);
    }
    end_part(&p);
}

static void add_tests(struct buf *out, const struct gate_result *g)
{
    struct part p;

    begin_part(&p, out, "### Tests that did not pass\n\n");
    for (size_t i = 0; i < g->run_count; i++) {
        const struct run_result *r = &g->runs[i];

        for (size_t j = 0; j < r->remote_count; j++) {
            for (size_t k = 0; k < r->remotes[j].test_count; k++) {
                const struct test_result *t = &r->remotes[j].tests[k];

                if (!words_test_stands_out(t))
                    continue;
                add_text(&p.item, r->name);
                buf_adds(&p.item, ": **");
                add_text(&p.item, t->name);
                buf_addf(&p.item, "** %s", outcome_name(t->outcome));
                buf_adds(&p.item, t->duration_ms >= 0 ? " after " : "");
                add_duration(&p.item, t->duration_ms);
                buf_adds(&p.item, t->message && *t->message ? ": " : "");
                add_text(&p.item, t->message);
                buf_adds(&p.item, "\n\n");
                if (t->detail && *t->detail)
                    add_block(&p.item, t->detail);
                end_item(&p);
            }
        }
    }
    end_part(&p);
}

static void add_warnings(struct buf *out, const struct gate_result *g)
{
    struct part p;

    begin_part(&p, out, "### Warnings\n\n");
    for (size_t i = 0; i < g->run_count; i++) {
        for (size_t j = 0; j < g->runs[i].warning_count; j++) {
            buf_adds(&p.item, "- ");
            add_text(&p.item, g->runs[i].name);
            buf_adds(&p.item, ": ");
            add_text(&p.item, g->runs[i].warnings[j]);
            buf_addc(&p.item, '\n');
            end_item(&p);
        }
    }
    end_part(&p);
}

/* --- the timeline --------------------------------------------------------------------------- */

struct moment {
    int64_t at;
    size_t run, state; /* of the same moment, the first in the pipeline file comes first */
};

static int compare_moments(const void *a, const void *b)
{
    const struct moment *x = a, *y = b;

    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    if (x->run != y->run)
        return x->run < y->run ? -1 : 1;
    return x->state < y->state ? -1 : x->state > y->state;
}

static void add_timeline(struct buf *out, const struct gate_result *g)
{
    struct moment *moments;
    size_t count = 0;
    struct part p;

    for (size_t i = 0; i < g->run_count; i++)
        count += g->runs[i].state_count + 1;
    moments = mem_alloc(count, sizeof(*moments));
    count = 0;
    for (size_t i = 0; i < g->run_count; i++) {
        const struct run_result *r = &g->runs[i];

        for (size_t j = 0; j < r->state_count; j++)
            moments[count++] = (struct moment){.at = r->states[j].at, .run = i, .state = j};
        if (!r->not_started && r->finished)
            moments[count++] = (struct moment){.at = r->finished, .run = i, .state = SIZE_MAX};
    }
    qsort(moments, count, sizeof(*moments), compare_moments);
    begin_part(&p, out,
               "### Timeline\n\n| Time | After | Run | State |\n| --- | --- | --- | --- |\n");
    for (size_t i = 0; i < count; i++) {
        const struct run_result *r = &g->runs[moments[i].run];

        buf_adds(&p.item, "| ");
        clock_add_iso(&p.item, moments[i].at, false);
        buf_adds(&p.item, " | ");
        num_add_duration(&p.item, moments[i].at - g->started);
        buf_adds(&p.item, " | ");
        add_text(&p.item, r->name);
        buf_adds(&p.item, " | ");
        if (moments[i].state == SIZE_MAX)
            buf_addf(&p.item, "**%s**", outcome_name(r->outcome));
        else
            add_text(&p.item, r->states[moments[i].state].state);
        buf_adds(&p.item, " |\n");
        end_item(&p);
    }
    end_part(&p);
    free(moments);
}

void markdown_write(struct buf *out, const struct gate_result *g)
{
    add_verdict(out, g);
    add_runs(out, g);
    add_tests(out, g);
    add_warnings(out, g);
    add_timeline(out, g);
}
