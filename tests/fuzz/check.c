/* SPDX-License-Identifier: MIT */
/* Owns what several targets check. It must not know where an input comes from. */
#include "base/base.h"

#include "base/doc.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "base/xml.h"
#include "check.h"
#include "engine/gate.h"
#include "report/ci.h"
#include "report/json.h"
#include "report/junit.h"
#include "report/markdown.h"
#include "world.h"

/* --- XML -------------------------------------------------------------------------------------- */

struct xml_reader {
    const char *p, *end;
};

static bool at(const struct xml_reader *r, const char *text)
{
    size_t len = strlen(text);

    return (size_t)(r->end - r->p) >= len && memcmp(r->p, text, len) == 0;
}

static void expect(struct xml_reader *r, const char *text)
{
    MUST(at(r, text));
    r->p += strlen(text);
}

static char *xml_name(struct xml_reader *r)
{
    const char *start = r->p;

    while (r->p < r->end && ((*r->p >= 'a' && *r->p <= 'z') || (r->p > start && *r->p == '-')))
        r->p++;
    MUST(r->p > start);
    return mem_strndup(start, (size_t)(r->p - start));
}

/* One character or reference of text or of an attribute's value (productions 2, 66, 68). */
static void xml_char(struct xml_reader *r)
{
    static const char *const references[] = {"&amp;",  "&lt;", "&gt;", "&quot;",
                                             "&#13;", "&#10;", "&#9;"};
    uint32_t c;
    size_t used;

    if (*r->p == '&') {
        size_t i = 0;

        while (i < ARRAY_LEN(references) && !at(r, references[i]))
            i++;
        MUST(i < ARRAY_LEN(references));
        r->p += strlen(references[i]);
        return;
    }
    used = text_decode(r->p, (size_t)(r->end - r->p), &c);
    MUST(used);
    MUST(c == '\t' || c == '\n' || (c >= 0x20 && c != 0xFFFE && c != 0xFFFF));
    MUST(!at(r, "]]>"));
    r->p += used;
}

static void xml_attributes(struct xml_reader *r)
{
    char *names[16];
    size_t count = 0;

    while (at(r, " ")) {
        r->p++;
        MUST(count < ARRAY_LEN(names));
        names[count++] = xml_name(r);
        for (size_t i = 0; i + 1 < count; i++)
            MUST(strcmp(names[i], names[count - 1]) != 0);
        expect(r, "=\"");
        while (r->p < r->end && *r->p != '"') {
            MUST(*r->p != '<' && *r->p != '\n' && *r->p != '\t');
            xml_char(r);
        }
        expect(r, "\"");
    }
    while (count)
        free(names[--count]);
}

size_t check_xml(const char *text, size_t len, const char *name)
{
    struct xml_reader r = {text, text + len};
    char *open[XML_DEPTH_MAX];
    size_t depth = 0, roots = 0, found = 0;

    expect(&r, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    while (r.p < r.end) {
        if (at(&r, "</")) {
            char *closed;

            r.p += 2;
            MUST(depth);
            closed = xml_name(&r);
            MUST(strcmp(closed, open[--depth]) == 0);
            expect(&r, ">");
            free(closed);
            free(open[depth]);
        } else if (at(&r, "<")) {
            r.p++;
            MUST(depth < ARRAY_LEN(open));
            roots += depth == 0 ? 1 : 0;
            open[depth] = xml_name(&r);
            found += strcmp(open[depth], name) == 0 ? 1 : 0;
            xml_attributes(&r);
            if (at(&r, "/"))
                free(open[depth]);
            else
                depth++;
            r.p += at(&r, "/") ? 1 : 0;
            expect(&r, ">");
        } else {
            MUST(depth || *r.p == '\n');
            xml_char(&r);
        }
    }
    MUST(!depth && roots == 1);
    return found;
}

/* --- text ------------------------------------------------------------------------------------- */

void check_clean(const char *text, size_t len)
{
    MUST(text_is_utf8(text, len));
    for (size_t i = 0; i < len; i++)
        MUST((unsigned char)text[i] >= 0x20 || text[i] == '\n' || text[i] == '\t');
    MUST(!memchr(text, 0x7F, len));
}

/* --- sessions and gates ----------------------------------------------------------------------- */

void check_open(struct session *s, struct options *o, const char *pipeline_file,
                const char *provider_file)
{
    memset(o, 0, sizeof(*o));
    o->command = COMMAND_RUN;
    o->config = pipeline_file;
    if (provider_file) {
        o->provider_files.items = mem_alloc(1, sizeof(*o->provider_files.items));
        o->provider_files.items[0] = provider_file;
        o->provider_files.count = 1;
    }
    session_open(s, o, world_env);
    for (size_t i = 0; i < s->mistakes.count; i++)
        MUST(*s->mistakes.items[i].text && s->mistakes.items[i].line >= 0);
}

void check_close(struct session *s, struct options *o)
{
    journal_close(session_close(s));
    options_free(o);
}

static void add_value(struct buf *out, const struct param *param)
{
    switch (param->type) {
    case PARAM_STRING:
        buf_adds(out, "a text");
        break;
    case PARAM_INTEGER:
        buf_addf(out, "%" PRId64, param->has_min ? param->min : param->has_max ? param->max : 1);
        break;
    case PARAM_BOOLEAN:
        buf_adds(out, "yes");
        break;
    case PARAM_SECRET:
        buf_adds(out, "${FUZZ_TOKEN}");
        break;
    case PARAM_JSON:
        buf_adds(out, param->shape == DOC_ARRAY ? "[1, \"${SET}\"]" : "{\"a\": [1, \"${SET}\"]}");
        break;
    case PARAM_CHOICE:
        buf_adds(out, param->choice_count ? param->choices[0] : "");
        break;
    }
}

void check_write_pipeline(struct buf *out, const struct provider *p)
{
    buf_addf(out,
             "[gate]\ntimeout = 2m\n[run:fuzz]\nprovider = %s\noutage = 20s\npoll_max = 5s\n",
             p->name);
    if (!p->base_url)
        buf_adds(out, "base_url = https://127.0.0.1\n");
    for (size_t i = 0; i < p->param_count; i++) {
        if (!p->params[i].required && p->params[i].value_default)
            continue;
        buf_addf(out, "%s = ", p->params[i].name);
        add_value(out, &p->params[i]);
        buf_addc(out, '\n');
    }
}

static void check_junit(const struct gate_result *g)
{
    struct buf out;
    size_t against;

    buf_init(&out, BUF_CAP_TEXT);
    junit_write(&out, g);
    MUST(!out.over);
    MUST(!strstr(out.text, WORLD_TOKEN));
    against = check_xml(out.text, out.len, "failure") + check_xml(out.text, out.len, "error");
    MUST((g->exit_code == 0) == (against == 0));
    buf_free(&out);
}

static void check_json(const struct gate_result *g)
{
    struct err e = {""};
    struct buf out, code;
    struct doc *d;
    int64_t number;

    buf_init(&out, BUF_CAP_TEXT);
    buf_init(&code, BUF_CAP_TEXT);
    json_write(&out, g);
    MUST(!out.over);
    MUST(!strstr(out.text, WORLD_TOKEN));
    d = doc_parse(out.text, out.len, &e);
    MUST(d);
    MUST(doc_add_text(&code, doc_at(d, "/exit_code")));
    MUST(!num_integer(code.text, 0, 255, &number) && number == g->exit_code);
    MUST(doc_size(doc_at(d, "/runs")) == g->run_count);
    doc_free(d);
    buf_free(&code);
    buf_free(&out);
}

/* What could open something: HTML that is not ours, or a command of a CI system. */
static void check_markdown(const struct gate_result *g)
{
    struct buf out;

    buf_init(&out, BUF_CAP_TEXT);
    markdown_write(&out, g);
    MUST(!out.over && out.len < 1048576);
    MUST(text_is_utf8(out.text, out.len));
    MUST(!strstr(out.text, WORLD_TOKEN));
    for (const char *p = out.text; *p; p++) {
        bool first = p == out.text || p[-1] == '\n';

        if (*p == '\\' && p[1] && p[1] != '\n') {
            p++; /* what is escaped is text */
            continue;
        }
        MUST(!text_starts(p, "::"));
        MUST(*p != '#' || p[1] != '#' || p[2] == '#' || p[2] == ' ');
        if (*p == '<' && !first && p[-1] == '(') {
            MUST(text_starts(p + 1, "http"));
            p += 1 + strcspn(p + 1, "<>\\\n"); /* an address, which ends where it is closed */
            MUST(text_starts(p, ">) |\n"));
            continue;
        }
        MUST(*p != '<' || text_starts(p, "<pre>") || text_starts(p, "</pre>\n"));
    }
    buf_free(&out);
}

void check_gate(struct session *s, const char *script, size_t len)
{
    struct gate_options options = {.mode = GATE_RUN,
                                   .pipeline = &s->pipeline,
                                   .bindings = s->bindings,
                                   .attach = s->attach,
                                   .signal_fd = -1,
                                   .getenv = world_env,
                                   .seed = 1};
    const struct world_seen *seen = world_seen();
    struct gate_result g;
    struct err e = {""};
    struct buf outputs;

    world_replies(s->bindings[0].provider, script, len);
    MUST(!gate_run(&g, &options, &e));
    MUST((g.exit_code == 0) == (g.verdict == VERDICT_PASSED));
    MUST(g.exit_code != EXIT_INTERNAL && g.exit_code != EXIT_USAGE);
    MUST(seen->starts <= seen->harmless + 1);
    if (g.exit_code == 0) {
        MUST(g.runs[0].remote_count && seen->starts);
        MUST(seen->passes >= g.runs[0].remote_count);
    }
    check_junit(&g);
    check_json(&g);
    check_markdown(&g);
    buf_init(&outputs, BUF_CAP_TEXT);
    ci_github_outputs(&outputs, &g);
    check_clean(outputs.text, outputs.len);
    MUST(!strstr(outputs.text, WORLD_TOKEN));
    buf_free(&outputs);
    gate_result_free(&g);
}
