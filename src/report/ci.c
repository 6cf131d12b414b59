/* SPDX-License-Identifier: MIT */
/* Owns the formats of CI systems. It must not find out which system there is. */
#include "base/base.h"

#include "report/ci.h"
#include "report/words.h"

static void add_line(struct buf *b, const char *text)
{
    size_t before = b->len;

    words_add_text(b, text, TEXT_FOLD, WORDS_LINE_MAX);
    if (b->len > before)
        buf_addc(b, '\n');
}

/* True if the text, which is all whole lines, holds this one. */
static bool has_line(const char *text, const char *line)
{
    size_t len = strlen(line);

    for (const char *p = text; *p; p = strchr(p, '\n') + 1) {
        if (strncmp(p, line, len) == 0 && p[len] == '\n')
            return true;
    }
    return false;
}

/*
 * A value of any number of lines. Were the line that ends it predictable, an id could end it
 * early and set an output of its own; so it is one that the value does not hold.
 */
static void add_value(struct buf *out, const char *name, const struct buf *lines)
{
    struct buf end;

    if (!lines->len) {
        buf_addf(out, "%s=\n", name);
        return;
    }
    buf_init(&end, BUF_CAP_TEXT);
    buf_adds(&end, "END_OF_VALUE");
    for (int i = 2; has_line(lines->text, end.text); i++) {
        buf_clear(&end);
        buf_addf(&end, "END_OF_VALUE_%d", i);
    }
    buf_addf(out, "%s<<%s\n", name, end.text);
    buf_add(out, lines->text, lines->len);
    buf_addf(out, "%s\n", end.text);
    buf_free(&end);
}

void ci_github_outputs(struct buf *out, const struct gate_result *g)
{
    struct buf ids, urls;

    buf_init(&ids, BUF_CAP_TEXT);
    buf_init(&urls, BUF_CAP_TEXT);
    for (size_t i = 0; i < g->run_count; i++) {
        const struct run_result *r = &g->runs[i];

        for (size_t j = 0; j < r->remote_count; j++) {
            add_line(&ids, r->remotes[j].id);
            add_line(&urls, r->remotes[j].url);
        }
        if (!r->remote_count) {
            add_line(&ids, r->run_id);
            add_line(&urls, r->url);
        }
    }
    buf_addf(out, "verdict=%s\nexit-code=%d\n", verdict_name(g->verdict), g->exit_code);
    add_value(out, "run-ids", &ids);
    add_value(out, "urls", &urls);
    buf_free(&ids);
    buf_free(&urls);
}
