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
#include "engine/journal.h"
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
    struct journal *journal;  /* NULL: none */
    const struct journal_entry **resume; /* one a run: what is taken up from it, or NULL */
    struct diags mistakes, warnings;
    bool incomplete; /* "status" looks at fewer required runs than the gate needs */
    bool outputs_clash; /* no report can be written without destroying something */
};

/*
 * Reads and checks everything. Mistakes are collected in s->mistakes; the session can be used only
 * if there are none. Close it always.
 */
void session_open(struct session *s, struct options *o, const char *(*env)(const char *));

/* True if "cancel" was called for whatever the journal holds, and that is nothing unfinished. */
bool session_is_idle(const struct session *s);

/* To be called once the gate has reported on its runs: so the journal will say. */
void session_report(struct session *s);

/* The journal, if there is one, is handed to the caller, who closes it. */
struct journal *session_close(struct session *s) USE_RESULT;

#endif
