/* SPDX-License-Identifier: MIT */
/*
 * A pipeline: which runs there are, how they depend on each other, and the settings of gate and
 * HTTP, read from an INI file, the environment and the command line (CONTRACT, section 4).
 *
 * Everything that does not need a provider is checked here. Keys of a run that are not ours are
 * kept as they are: they are parameters of its provider (provider/bind.h).
 */
#ifndef RUNGATE_PIPELINE_PIPELINE_H
#define RUNGATE_PIPELINE_PIPELINE_H

#include "base/base.h"
#include "base/err.h"
#include "pipeline/outcome.h"
#include "pipeline/vars.h"

/* A value that somebody gave, with the place to name when it is wrong. */
struct setting {
    char *key;
    char *text;   /* with variables replaced; NULL if that failed (and was reported) */
    char *raw;    /* as it stands in the file, if variables were replaced; else NULL */
    char *origin; /* for people: "rungate.ini:12", "-s", "the environment variable X" */
    char *file;   /* as messages name it; line is 0 where there is none */
    int line;
    bool on_command_line; /* where no secret may stand */
    bool defined;         /* a variable in it came from -D */
    char *loose_file;     /* a file in it that not only its owner can read or write; else NULL */
    unsigned loose_mode;  /* its permissions */
    bool from_defaults;   /* of [defaults]: need not fit every run */
    bool used;            /* of [defaults]: at least one run has use for it */
};

struct settings {
    struct setting *items;
    size_t count, cap;
};

/* What an on_... key makes of an outcome: passed, failed, or OUTCOME_UNKNOWN for "as it is". */
struct policy {
    enum outcome as[OUTCOME_COUNT];
};

enum { REQUIRE_ALL = 0 };

struct gate_config {
    int64_t timeout_ms;
    int64_t require; /* how many required runs must pass, or REQUIRE_ALL */
    bool fail_fast;
    int64_t max_parallel;
    bool cancel;
    int64_t cancel_grace_ms, heartbeat_ms;
    char *junit, *json, *summary, *journal; /* NULL: not wanted */
    struct policy policy;
};

struct http_config {
    int64_t connect_timeout_ms, request_timeout_ms;
    char *ca_file, *client_cert, *client_key, *proxy; /* NULL: not given */
    int64_t max_body, max_connections;
};

struct run_config {
    char *name;
    int line; /* of its section; 0 on the command line */
    bool selected;

    char *provider;
    char **needs;        /* names, as written */
    size_t need_count, need_cap;
    size_t *need_runs;   /* their places among the runs, need_count of them */
    bool required;
    int64_t timeout_ms;  /* 0: only the gate's */
    int64_t attempts;
    unsigned retry_on;   /* bit 1 << outcome */
    int64_t expect_ms;   /* 0: not known */
    int64_t poll_min_ms, poll_max_ms, outage_ms;
    char *id;            /* attach to this run; NULL: start one */
    char *base_url;      /* NULL: the provider's */
    struct policy policy; /* with the gate's where the run has none */

    struct settings settings; /* our keys, as they were given, defaults left out */
    struct settings params;   /* the others */
};

struct pipeline {
    char *file; /* as messages name it */
    struct gate_config gate;
    struct http_config http;
    struct settings gate_settings, http_settings;
    struct settings defaults; /* those of [defaults] that are not ours */
    struct run_config *runs;
    size_t run_count, run_cap;
};

/* A value from outside the file; later ones beat earlier ones, and all beat the file. */
struct override {
    const char *target; /* "gate", "http" or a run's name */
    const char *key;
    const char *text;
    const char *origin; /* "-s load.test_id", "the environment variable RUNGATE_JUNIT" */
    bool on_command_line;
};

struct pipeline_source {
    const char *file;     /* as messages name it */
    const char *text;     /* NULL: no file; ad_hoc names the only run */
    size_t len;
    const char *ad_hoc;
    struct vars vars;
    const struct override *overrides;
    size_t override_count;
};

/* Every mistake is added to d. The pipeline is of use only if there was none; free it always. */
void pipeline_load(struct pipeline *p, const struct pipeline_source *source, struct diags *d);
void pipeline_free(struct pipeline *p);

/*
 * Marks the named runs and what they need as selected; no names select all. -1 if a name is
 * unknown.
 */
int pipeline_select(struct pipeline *p, const char *const *names, size_t count, struct err *e)
    USE_RESULT;

const struct setting *settings_find(const struct settings *s, const char *key);

/* "rungate.ini:12: message" for a setting of a file, "-s load.x: message" for others. */
int setting_error(struct diags *d, const struct setting *s, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* One key that a section can have. */
struct key_info {
    const char *name;
    const char *value_default; /* NULL: none */
    const char *help;
};

enum key_section { KEYS_GATE, KEYS_HTTP, KEYS_RUN };

/* The i-th key of a section; NULL beyond the last. */
const struct key_info *pipeline_key(enum key_section section, size_t i);

/* The text of a key of ours that is in effect, as it was written or by default; may be NULL. */
const char *settings_text(const struct settings *s, enum key_section section, const char *key);

#endif
