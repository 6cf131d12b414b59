/* SPDX-License-Identifier: MIT */
/* Owns the writing of XML. It must not know what a test report is. */
#include "base/base.h"

#include "base/text.h"
#include "base/xml.h"

#include <assert.h>

void xml_start(struct xml *x, struct buf *out)
{
    memset(x, 0, sizeof(*x));
    x->out = out;
    buf_adds(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
}

static void end_tag(struct xml *x)
{
    if (x->in_tag)
        buf_addc(x->out, '>');
    x->in_tag = false;
}

static void new_line(struct xml *x)
{
    buf_addc(x->out, '\n');
    for (size_t i = 0; i < x->depth; i++)
        buf_adds(x->out, "  ");
}

void xml_open(struct xml *x, const char *name)
{
    assert(x->depth < XML_DEPTH_MAX);
    end_tag(x);
    new_line(x);
    buf_addf(x->out, "<%s", name);
    x->open[x->depth++] = name;
    x->in_tag = true;
    x->has_text = false;
}

/* XML 1.0, production 2 (Char). */
static bool is_char(uint32_t c)
{
    return c == 0x9 || c == 0xA || c == 0xD || (c >= 0x20 && c <= 0xD7FF) ||
           (c >= 0xE000 && c <= 0xFFFD) || (c >= 0x10000 && c <= 0x10FFFF);
}

static void add_escaped(struct buf *b, const char *text, bool attribute)
{
    size_t len = strlen(text);

    while (len) {
        uint32_t c;
        size_t used = text_decode(text, len, &c);

        if (!used || !is_char(c))
            c = 0xFFFD;
        if (c == '&')
            buf_adds(b, "&amp;");
        else if (c == '<')
            buf_adds(b, "&lt;");
        else if (c == '>')
            buf_adds(b, "&gt;"); /* so that "]]>" cannot occur in text */
        else if (c == '"' && attribute)
            buf_adds(b, "&quot;");
        else if (c == '\r' || (attribute && (c == '\n' || c == '\t')))
            buf_addf(b, "&#%u;", (unsigned)c); /* a parser would turn it into a space or LF */
        else
            text_encode(b, c);
        text += used ? used : 1;
        len -= used ? used : 1;
    }
}

void xml_attr(struct xml *x, const char *name, const char *value)
{
    assert(x->in_tag);
    buf_addf(x->out, " %s=\"", name);
    add_escaped(x->out, value, true);
    buf_addc(x->out, '"');
}

void xml_attr_number(struct xml *x, const char *name, int64_t value)
{
    assert(x->in_tag);
    buf_addf(x->out, " %s=\"%" PRId64 "\"", name, value);
}

void xml_attr_seconds(struct xml *x, const char *name, int64_t ms)
{
    assert(x->in_tag);
    if (ms < 0)
        ms = 0;
    buf_addf(x->out, " %s=\"%" PRId64 ".%03d\"", name, ms / 1000, (int)(ms % 1000));
}

void xml_text(struct xml *x, const char *text)
{
    assert(x->depth);
    if (!*text)
        return;
    end_tag(x);
    add_escaped(x->out, text, false);
    x->has_text = true;
}

void xml_close(struct xml *x)
{
    const char *name;

    assert(x->depth);
    name = x->open[--x->depth];
    if (x->in_tag) {
        buf_adds(x->out, "/>");
    } else {
        if (!x->has_text)
            new_line(x);
        buf_addf(x->out, "</%s>", name);
    }
    x->in_tag = false;
    x->has_text = false;
}

void xml_end(struct xml *x)
{
    while (x->depth)
        xml_close(x);
    buf_addc(x->out, '\n');
}
