/* SPDX-License-Identifier: MIT */
/*
 * What a gate would do: the settings in effect and where each comes from, and the requests that
 * its starts would send. Secrets are starred.
 */
#ifndef RUNGATE_REPORT_PLAN_H
#define RUNGATE_REPORT_PLAN_H

#include "base/base.h"
#include "base/buf.h"
#include "base/err.h"
#include "pipeline/pipeline.h"
#include "provider/bind.h"

/* attach holds, for each run, the id to watch, or NULL; bindings stand beside the runs. */
void plan_write(struct buf *out, const struct pipeline *p, const struct binding *bindings,
                const char *const *attach);

/* The exact requests of the selected runs' starts; -1 if one cannot be built. */
int plan_write_requests(struct buf *out, const struct pipeline *p, const struct binding *bindings,
                        const char *const *attach, struct err *e) USE_RESULT;

#endif
