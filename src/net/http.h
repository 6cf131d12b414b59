/* SPDX-License-Identifier: MIT */
/*
 * HTTP transfers, many at once, and the reading of URLs. The library that does the work is known
 * to http.c only.
 *
 * What holds of every transfer: https, or http to this machine; no redirect is followed; a time
 * limit and a limit on the body; nothing is sent twice that was asked to be sent once.
 */
#ifndef RUNGATE_NET_HTTP_H
#define RUNGATE_NET_HTTP_H

#include "base/base.h"
#include "base/buf.h"
#include "base/err.h"
#include "provider/request.h"

/* --- URLs ----------------------------------------------------------------------------------- */

/*
 * Checks that requests may go to url: absolute, https or http to loopback, no user name in it.
 * Appends its origin ("https://api.example.com:443", lower case, the port always there) to
 * ret_origin, and its host to ret_host; either may be NULL.
 */
int http_url_check(const char *url, struct buf *ret_origin, struct buf *ret_host, struct err *e)
    USE_RESULT;

/* True if the host of url is this machine: 127.0.0.0/8, ::1 or localhost. */
bool http_url_is_loopback(const char *url);

/* --- transfers ------------------------------------------------------------------------------ */

/* For -v: one line, not yet cleaned. direction is '>' for sent, '<' for received, '*' for both. */
typedef void http_trace_fn(void *user, size_t tag, char direction, const char *line);

/*
 * Called when a request that must be sent once is about to leave: behind it there is no way back.
 * False keeps it here; it then ends as HTTP_NOT_SENT.
 */
typedef bool http_leave_fn(void *user, size_t tag);

struct http_options {
    int64_t connect_timeout_ms, request_timeout_ms;
    const char *ca_file, *client_cert, *client_key, *proxy; /* NULL: the system's, none, none,
                                                               the environment's */
    const char *(*getenv)(const char *name);
    size_t max_body;        /* bytes, after decompression */
    size_t max_connections; /* and transfers under way at once */
    http_trace_fn *trace;   /* NULL: none */
    void *trace_user;
    http_leave_fn *leave;   /* NULL: nobody minds */
    void *leave_user;
};

enum http_repeat {
    HTTP_REPEATABLE, /* a GET: the library may send it again on a fresh connection */
    HTTP_ONCE        /* must not reach the server twice */
};

enum http_result {
    HTTP_ANSWERED, /* a whole reply is here, whatever its status */
    HTTP_NOT_SENT, /* no connection was made: the server has seen nothing of it */
    HTTP_LOST      /* it was sent, and no whole reply came */
};

struct http_reply {
    size_t tag;
    enum http_result result;
    int status;             /* 0 if no status line came */
    bool hopeless;          /* not sent, and trying again cannot help: a bad certificate */
    struct buf body;        /* what came of it */
    int64_t retry_after_ms; /* -1: not told */
    int64_t date_ms;        /* of the server's clock (RFC 9110, 6.6.1), in whole seconds; -1: not
                               told */
    char *redirect;         /* where a redirect points to; NULL if it is none */
    char *problem;          /* in words, when not answered; else NULL */
};

void http_reply_free(struct http_reply *reply);

struct http; /* opaque */

/* NULL with err if the library cannot start or a certificate file is not readable. */
struct http *http_new(const struct http_options *options, struct err *e) USE_RESULT;
void http_free(struct http *h);

/*
 * Sends the request, now or as soon as a connection is free. tag names the transfer; one of a
 * tag at a time. The request is copied. -1 if its URL is not one that requests may go to.
 */
int http_send(struct http *h, size_t tag, const struct request *request, enum http_repeat repeat,
              struct err *e) USE_RESULT;

/* Drops the transfer of a tag, if there is one; its reply will not come. */
void http_abort(struct http *h, size_t tag);

/*
 * Drops the transfer of a tag if nothing of it was sent; false if it may have been, or there is
 * none.
 */
bool http_withdraw(struct http *h, size_t tag);

/* Moves transfers along and takes the next finished one; false if there is none. Free the reply. */
bool http_next(struct http *h, struct http_reply *ret);

/*
 * Waits until a transfer can move along or wake_fd can be read, for at most timeout_ms (and a
 * minute). Call it only when http_next has just returned false, and nothing was sent since.
 */
void http_wait(struct http *h, int64_t timeout_ms, int wake_fd);

#endif
