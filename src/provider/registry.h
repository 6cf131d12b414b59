/* SPDX-License-Identifier: MIT */
/*
 * All provider definitions: those compiled in, and those of --provider-file. A definition is read
 * when it is first asked for.
 */
#ifndef RUNGATE_PROVIDER_REGISTRY_H
#define RUNGATE_PROVIDER_REGISTRY_H

#include "base/base.h"
#include "base/err.h"
#include "provider/provider.h"

struct registry; /* opaque */

/*
 * Takes in the built-in definitions and the files. Mistakes of the files, in form and content,
 * are added to d: all of their definitions are read at once. Never NULL; free it.
 */
struct registry *registry_new(const char *const *files, size_t count, struct diags *d) USE_RESULT;
void registry_free(struct registry *r);

/*
 * The definition of a name, which belongs to the registry; NULL if there is none, or it has
 * mistakes (they are in the d of registry_new; of built-in ones there are none, a test sees to it).
 */
const struct provider *registry_find(struct registry *r, const char *name);

/* True if there is a definition of that name, with mistakes or without. */
bool registry_has(const struct registry *r, const char *name);

/* The i-th name, built-in ones first; NULL beyond the last. */
const char *registry_name(const struct registry *r, size_t i);

/* The text of the file that defines name, as it is written; NULL if there is none. */
const char *registry_text(const struct registry *r, const char *name);

/* The name nearest to a mistyped one, or NULL. */
const char *registry_nearest(const struct registry *r, const char *name);

#endif
