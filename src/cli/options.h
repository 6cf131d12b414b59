/* SPDX-License-Identifier: MIT */
/*
 * The command line and its twin, the RUNGATE_... variables: one table of options, from which the
 * parser and the help are made.
 */
#ifndef RUNGATE_CLI_OPTIONS_H
#define RUNGATE_CLI_OPTIONS_H

#include "base/base.h"
#include "base/buf.h"
#include "base/err.h"
#include "pipeline/pipeline.h"

enum command {
    COMMAND_UNKNOWN,
    COMMAND_RUN,
    COMMAND_CHECK,
    COMMAND_START,
    COMMAND_WAIT,
    COMMAND_STATUS,
    COMMAND_CANCEL,
    COMMAND_PROVIDERS,
    COMMAND_INIT
};

enum { COMMAND_COUNT = COMMAND_INIT + 1 };

struct words {
    const char **items;
    size_t count, cap;
};

struct options {
    enum command command;
    bool help, version;
    const char *config;   /* pipeline file; NULL: the default */
    const char *provider; /* of a run without a pipeline file; else NULL */
    const char *try_file; /* a saved reply to rehearse with; else NULL */
    struct words defines, attach, provider_files, allow_origins;
    struct words arguments; /* what is no option: runs, KEY=VALUE, a provider */
    bool dry_run, fresh, quiet, verbose;
    const char *progress, *color, *ci;
    struct override *overrides; /* from the environment first, then from the command line */
    size_t override_count, override_cap;
    char **owned; /* texts made while parsing */
    size_t owned_count, owned_cap;
};

/* Reads arguments and environment; -1 with err for a mistake. Free o always. */
int options_parse(struct options *o, int argc, char **argv, const char *(*env)(const char *),
                  struct err *e) USE_RESULT;
void options_free(struct options *o);

/* The command that a word is, or is near enough to be meant for; NULL if there is none. */
const char *options_nearest_command(const char *word);

/* Adds an override that lives as long as o; the texts are copied. */
void options_override(struct options *o, const char *target, const char *key, const char *text,
                      const char *origin, bool on_command_line);

/* The help: of one command, or of all for COMMAND_UNKNOWN. */
void options_help(struct buf *out, enum command command);

#endif
