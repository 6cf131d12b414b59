/* SPDX-License-Identifier: MIT */
/*
 * A run of the pipeline file put together with its provider: every parameter has its value,
 * checked against its type, before anything is sent.
 */
#ifndef RUNGATE_PROVIDER_BIND_H
#define RUNGATE_PROVIDER_BIND_H

#include "base/base.h"
#include "base/err.h"
#include "pipeline/ci.h"
#include "pipeline/pipeline.h"
#include "provider/provider.h"
#include "provider/template.h"

struct bound_value {
    char *text;   /* NULL: unset */
    char *origin; /* for people; NULL when unset */
    bool from_env; /* the definition itself took it from the environment */
};

struct binding {
    const struct run_config *run; /* borrowed, as are the two below */
    const struct provider *provider;
    const struct ci *ci;
    char *base_url; /* the run's or the provider's, without a slash at its end */
    char *base_url_origin;
    struct bound_value *values; /* one for each parameter of the provider */
};

/*
 * Fills b. Mistakes go to d, doubts (a secret in plain text) to warnings. Secrets are made known
 * to base/secret.h. p->defaults are marked as used. Free b with binding_free, also on failure.
 */
void binding_make(struct binding *b, struct pipeline *p, const struct run_config *run,
                  const struct provider *provider, const struct ci *ci, const struct vars *vars,
                  struct diags *d, struct diags *warnings);
void binding_free(struct binding *b);

/* After all runs were bound: keys of [defaults] that no run has use for are mistakes. */
void binding_check_defaults(const struct pipeline *p, struct diags *d);

/*
 * After all runs were bound, and all secrets are known: one that stands in a parameter which is not
 * secret is a mistake. A token for one provider shall not travel to another in a field that is
 * nobody's secret.
 */
void binding_check_secrets(const struct binding *b, const struct pipeline *p, struct diags *d);

/* Values captured from the reply to a start, by name. */
struct capture {
    char *name, *value;
};

void captures_free(struct capture *captures, size_t count);

/* What templates of this run can name. */
struct scope {
    const struct binding *binding;
    const char *id; /* NULL before the run is started */
    const struct capture *captures;
    size_t capture_count;
};

/* A template_value_fn; user is a struct scope. */
const char *scope_value(void *user, const char *name);

/* The duration the definition expects of this run, in ms; -1 if it does not tell. */
int64_t binding_expected_ms(const struct binding *b);

#endif
