/* SPDX-License-Identifier: MIT */
/*
 * The result as JSON, for scripts. Its shape is a contract: "schema" goes up when a key changes
 * its meaning or goes away, and not when one is added.
 */
#ifndef RUNGATE_REPORT_JSON_H
#define RUNGATE_REPORT_JSON_H

#include "base/base.h"
#include "base/buf.h"
#include "engine/result.h"

/*
 * Appends the document, indented, with a line end. Every key is always there; null stands for
 * what is not known. Beyond the buffer's cap its flag is set and the document is of no use.
 */
void json_write(struct buf *out, const struct gate_result *g);

#endif
