/* SPDX-License-Identifier: MIT */
/*
 * The commands: what main hands the options to.
 */
#ifndef RUNGATE_CLI_COMMAND_H
#define RUNGATE_CLI_COMMAND_H

#include "base/base.h"

/* Runs the program but for its frame; returns the exit code (CONTRACT, section 3). */
int command_main(int argc, char **argv);

#endif
