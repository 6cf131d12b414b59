/* SPDX-License-Identifier: MIT */
/*
 * Writes XML that is well-formed whatever it is given: names come from our own code, text may
 * come from anywhere. What XML 1.0 forbids becomes U+FFFD; there is no way to write raw bytes.
 */
#ifndef RUNGATE_BASE_XML_H
#define RUNGATE_BASE_XML_H

#include "base/base.h"
#include "base/buf.h"

enum { XML_DEPTH_MAX = 16 };

struct xml {
    struct buf *out;                  /* borrowed */
    const char *open[XML_DEPTH_MAX];  /* the open elements, the outermost first */
    size_t depth;
    bool in_tag;                      /* the start tag can still take attributes */
    bool has_text;                    /* the innermost element holds text: no indentation */
};

/* Writes the declaration. out is borrowed and must outlive the writer. */
void xml_start(struct xml *x, struct buf *out);

/* name must outlive the element: it is written once more when the element is closed. */
void xml_open(struct xml *x, const char *name);

void xml_attr(struct xml *x, const char *name, const char *value);
void xml_attr_number(struct xml *x, const char *name, int64_t value);

/* Seconds with three decimals, as JUnit readers want them; negative counts as 0. */
void xml_attr_seconds(struct xml *x, const char *name, int64_t ms);

void xml_text(struct xml *x, const char *text);

/* Closes the innermost element. */
void xml_close(struct xml *x);

/* Closes all that is open and ends the document with a line end. */
void xml_end(struct xml *x);

#endif
