/* SPDX-License-Identifier: MIT */
/*
 * What every file of the program includes first: the C types in use, the list of banned
 * functions, and the few macros that all rooms share. It declares no function.
 */
#ifndef RUNGATE_BASE_BASE_H
#define RUNGATE_BASE_BASE_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/banned.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#if defined(__GNUC__)
#define PRINTF_LIKE(format_index, first_index)                                                     \
    __attribute__((format(printf, format_index, first_index)))
#define USE_RESULT __attribute__((warn_unused_result))
#define NO_RETURN __attribute__((noreturn))
#else
#define PRINTF_LIKE(format_index, first_index)
#define USE_RESULT
#define NO_RETURN
#endif

#endif
