/* SPDX-License-Identifier: MIT */
/*
 * The definitions that are compiled in: config/providers/NAME.ini as text. The table is generated
 * by ci/embed.sh.
 */
#ifndef RUNGATE_PROVIDER_BUILTIN_H
#define RUNGATE_PROVIDER_BUILTIN_H

#include "base/base.h"

struct builtin_provider {
    const char *name;
    const char *text;
};

extern const struct builtin_provider builtin_providers[];
extern const size_t builtin_provider_count;

#endif
