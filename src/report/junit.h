/* SPDX-License-Identifier: MIT */
/*
 * The JUnit XML report. There is no one standard, so the document is held to two schemas at once
 * (the stricter one of Ant and the one of the xUnit importers) and to what the readers of CI
 * systems are known to need: one flat suite a run, a name and a class for every case, no two
 * cases alike, times with three decimals, and the words for people in the text of an element,
 * because some readers show only its text and others only its message.
 *
 * The report and the exit code agree: a gate that passed has no failure and no error in its
 * report, and a gate that did not pass has at least one.
 */
#ifndef RUNGATE_REPORT_JUNIT_H
#define RUNGATE_REPORT_JUNIT_H

#include "base/base.h"
#include "base/buf.h"
#include "engine/result.h"

/*
 * Appends the document, well-formed whatever the texts hold. Where it would become larger than
 * readers take, tests that do not fit are counted in one last case of their run.
 */
void junit_write(struct buf *out, const struct gate_result *g);

#endif
