/* SPDX-License-Identifier: MIT */
/*
 * Reading a provider definition from the entries of its INI section.
 */
#ifndef RUNGATE_PROVIDER_DEFINITION_H
#define RUNGATE_PROVIDER_DEFINITION_H

#include "base/base.h"
#include "base/err.h"
#include "pipeline/ini.h"
#include "provider/provider.h"

/* An entry and the file it stands in: with extends, a definition has entries of several files. */
struct definition_entry {
    const char *file;
    const struct ini_entry *entry;
};

/*
 * Fills p, which is zeroed but for its name, file and line, from the entries. Every mistake is
 * added to d: unknown keys, bad pointers, rules and templates. definition_check finds the others.
 */
void definition_read(struct provider *p, const struct definition_entry *entries, size_t count,
                     struct diags *d);

/*
 * What must hold of a definition as a whole: names in templates, parameters that are used, secrets
 * that stay in auth, rules that can be reached, requests that are needed. Adds mistakes to d.
 */
void definition_check(struct provider *p, struct diags *d);

#endif
