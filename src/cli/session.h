/* SPDX-License-Identifier: MIT */
/*
 * From options to something that can run: pipeline, providers, bindings, CI system, origins, all
 * of it checked.
 */
#ifndef RUNGATE_CLI_SESSION_H
#define RUNGATE_CLI_SESSION_H

#include "base/base.h"
#include "base/err.h"
#include "cli/options.h"
#include "net/origin.h"
#include "pipeline/ci.h"
#include "pipeline/pipeline.h"
#include "provider/bind.h"
#include "provider/registry.h"

struct session {
    struct options *options; /* borrowed */
    const char *(*env)(const char *);
    struct vars vars;
    struct ci ci;
    struct origins origins;
    struct registry *registry;
    struct pipeline pipeline;
    bool loaded; /* the pipeline file could be read: reports are owed from here on */
    struct binding *bindings; /* one a run */
    const char **attach;      /* one a run: the id to watch, or NULL */
    struct diags mistakes, warnings;
    bool outputs_clash; /* no report can be written without destroying something */
};

/*
 * Reads and checks everything. Mistakes are collected in s->mistakes; the session can be used only
 * if there are none. Close it always.
 */
void session_open(struct session *s, struct options *o, const char *(*env)(const char *));
void session_close(struct session *s);

#endif
