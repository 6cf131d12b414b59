/* SPDX-License-Identifier: MIT */
/*
 * From a definition and its values to the request that is sent.
 */
#ifndef RUNGATE_PROVIDER_REQUEST_H
#define RUNGATE_PROVIDER_REQUEST_H

#include "base/base.h"
#include "base/err.h"
#include "provider/bind.h"

struct header {
    char *name, *value;
};

struct request {
    enum request_kind kind;
    char *method;
    char *url; /* base_url, path and query; its origin is checked where it is sent */
    struct header *headers;
    size_t header_count, header_cap;
    char *body; /* NULL: none */
    size_t body_len;
};

/*
 * Fills r with the request of a kind; -1 if a value cannot stand where the definition puts it.
 * The provider must have that kind. Free r with request_free, also on failure.
 */
int request_make(struct request *r, enum request_kind kind, struct scope *scope, struct err *e)
    USE_RESULT;

/* Overwrites the headers, which hold secrets, and frees all. */
void request_free(struct request *r);

void request_add_header(struct request *r, const char *name, const char *value);

#endif
