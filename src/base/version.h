/* SPDX-License-Identifier: MIT */
/* The version of the program; the only place that names it. */
#ifndef RUNGATE_BASE_VERSION_H
#define RUNGATE_BASE_VERSION_H

#define RUNGATE_VERSION "0.1.0"

#endif
