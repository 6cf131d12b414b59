/* SPDX-License-Identifier: MIT */
/*
 * Checks that more than one fuzz target needs. Each ends the program if what it checks for does
 * not hold.
 */
#ifndef RUNGATE_FUZZ_CHECK_H
#define RUNGATE_FUZZ_CHECK_H

#include "base/base.h"
#include "base/buf.h"
#include "cli/session.h"

/* XML 1.0 as base/xml.c writes it: no DOCTYPE, no comment, no CDATA. Returns how many elements
 * are called name. */
size_t check_xml(const char *text, size_t len, const char *name);

/* Fit for a terminal: UTF-8, no control character but tabs and line ends. */
void check_clean(const char *text, size_t len);

/* A session as the program opens it, on the pipeline file and, unless NULL, the provider file. */
void check_open(struct session *s, struct options *o, const char *pipeline_file,
                const char *provider_file);
void check_close(struct session *s, struct options *o);

/* Appends a pipeline file with one run of the provider, everything that it needs given. */
void check_write_pipeline(struct buf *out, const struct provider *p);

/*
 * Runs the gate of a session without mistakes that holds one run, with the replies of script, and
 * checks its result and its reports.
 */
void check_gate(struct session *s, const char *script, size_t len);

#endif
