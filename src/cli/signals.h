/* SPDX-License-Identifier: MIT */
/*
 * Signals as bytes in a pipe, so that the event loop sees them like everything else.
 */
#ifndef RUNGATE_CLI_SIGNALS_H
#define RUNGATE_CLI_SIGNALS_H

#include "base/base.h"

/*
 * From now on SIGINT, SIGTERM and SIGHUP are written, a byte each with its number, to a pipe whose
 * reading end is returned (non-blocking). Signals that the caller of the program chose to ignore
 * stay ignored, but for SIGTERM. SIGPIPE is ignored. -1 if there is no pipe to be had.
 */
int signals_install(void) USE_RESULT;

#endif
