/* SPDX-License-Identifier: MIT */
/*
 * What a CI system is told in its own way, beside the reports. Texts are made harmless for the
 * format at hand; a system that cannot be told is an error, not a guess.
 */
#ifndef RUNGATE_REPORT_CI_H
#define RUNGATE_REPORT_CI_H

#include "base/base.h"
#include "base/buf.h"
#include "engine/result.h"

/*
 * Appends the outputs of a GitHub step: verdict, exit-code, run-ids and urls. The last two hold
 * one line for each remote run that is known, in the order of the pipeline file.
 */
void ci_github_outputs(struct buf *out, const struct gate_result *g);

#endif
