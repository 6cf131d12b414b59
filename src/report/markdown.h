/* SPDX-License-Identifier: MIT */
/*
 * The result as Markdown, for the summary of a CI job or a comment: the verdict, a table of runs,
 * the tests that failed, what a person should know, and a timeline. It is read as GitHub Flavored
 * Markdown (GFM 0.29; GitLab and others read the same). Texts from outside are text there: none
 * of them can become a link, an image, HTML, a cell of its own or a command of a CI system.
 */
#ifndef RUNGATE_REPORT_MARKDOWN_H
#define RUNGATE_REPORT_MARKDOWN_H

#include "base/base.h"
#include "base/buf.h"
#include "engine/result.h"

/*
 * Appends the document. It stays below 1 MB, for GitHub drops a longer summary whole: what does
 * not fit is counted where it would stand.
 */
void markdown_write(struct buf *out, const struct gate_result *g);

#endif
