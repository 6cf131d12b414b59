/* SPDX-License-Identifier: MIT */
/*
 * The commands: what main hands the options to.
 */
#ifndef RUNGATE_CLI_COMMAND_H
#define RUNGATE_CLI_COMMAND_H

#include "base/base.h"

/* Runs the program but for its frame; returns the exit code (CONTRACT, section 3). */
int command_main(int argc, char **argv);

/*
 * The last act, for the end of the process: the journal is told that the gate has reported. Until
 * then a gate that is killed counts as one that did not, and the next one takes its runs up.
 */
void command_end(void);

#endif
