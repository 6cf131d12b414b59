/* SPDX-License-Identifier: MIT */
/*
 * Where secrets may go: to the origin of the built-in definition, to this machine, and to origins
 * that the operator names on the command line or in the environment. A pipeline file, which a
 * pull request can edit, can add none.
 */
#ifndef RUNGATE_NET_ORIGIN_H
#define RUNGATE_NET_ORIGIN_H

#include "base/base.h"
#include "base/err.h"
#include "provider/bind.h"

struct origins {
    char **items; /* as http_url_check writes them */
    size_t count, cap;
};

/* Allows the origin of url; a path in it is ignored. -1 if it is not a URL requests may go to. */
int origins_add(struct origins *o, const char *url, struct err *e) USE_RESULT;
void origins_free(struct origins *o);

/*
 * 0 if requests of the binding may go to its base_url, secrets and all. err says why not, and
 * what the operator can do.
 */
int origins_check_binding(const struct origins *o, const struct binding *b, struct err *e)
    USE_RESULT;

/* 0 if traffic may go through the proxy: to this machine, or to an allowed origin. */
int origins_check_proxy(const struct origins *o, const char *proxy, struct err *e) USE_RESULT;

/*
 * Makes known to base/secret.h the passwords in the URLs of proxies: in proxy (may be NULL) and in
 * what the environment names.
 */
void origins_hide_proxies(const char *proxy, const char *(*getenv)(const char *name));

#endif
