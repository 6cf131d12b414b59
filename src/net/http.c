/* SPDX-License-Identifier: MIT */
/* Owns the network: the only file that includes the HTTP library. It must not know what a reply
 * means. */
#include "base/base.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/secret.h"
#include "base/text.h"
#include "base/version.h"
#include "net/http.h"

#include <curl/curl.h>
#include <dirent.h>
#include <dlfcn.h>
#include <strings.h>
#include <sys/stat.h>

/* --- memory --------------------------------------------------------------------------------- */

/*
 * The library gets its memory from base/mem, so that this program's calls to it do not fail for
 * want of some, and so that no copy of a secret outlives its use. The threads in which it resolves
 * names must not end the program: they are told.
 */
static _Thread_local bool may_end;

static void *taken(void *p)
{
    if (!p && may_end)
        mem_exhausted();
    return p;
}

static void *take(size_t size)
{
    return taken(mem_lend(NULL, size));
}

static void *take_zeroed(size_t count, size_t size)
{
    void *p = size && count > SIZE_MAX / size ? NULL : mem_lend(NULL, count * size);

    return taken(p ? memset(p, 0, count * size) : NULL);
}

static void *take_again(void *old, size_t size)
{
    return taken(mem_lend(old, size));
}

static char *take_copy(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = take(size);

    return copy ? memcpy(copy, text, size) : NULL;
}

static void *tls_take(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return take(size);
}

static void *tls_take_again(void *old, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return take_again(old, size);
}

static void tls_free(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    mem_take_back(p);
}

/*
 * The TLS library below has no part in that. Where it is OpenSSL it is told the same: it makes
 * most of the allocations, and to some of its failures it is blind. It must not have made one yet.
 */
static void lend_to_tls(void)
{
    int (*set)(void *(*)(size_t, const char *, int), void *(*)(void *, size_t, const char *, int),
               void (*)(void *, const char *, int));

    *(void **)&set = dlsym(RTLD_DEFAULT, "CRYPTO_set_mem_functions");
    if (set)
        set(tls_take, tls_take_again, tls_free);
}

/* --- URLs ----------------------------------------------------------------------------------- */

static int parse_url(const char *url, CURLU **ret, struct err *e)
{
    CURLU *u = curl_url();
    CURLUcode code = u ? curl_url_set(u, CURLUPART_URL, url, CURLU_DISALLOW_USER)
                       : CURLUE_OUT_OF_MEMORY;

    if (code) {
        curl_url_cleanup(u);
        /* Before the first transfer the library still has its memory from the system. */
        if (code == CURLUE_OUT_OF_MEMORY)
            mem_run_short();
        /* Not shown: what stands before the '@' may be a password that nobody was told of. */
        if (code == CURLUE_USER_NOT_ALLOWED)
            return err_set(e, "the URL holds a user name or a password: they cannot stand in one");
        return err_set(e, "'%s' is not a URL that can be used: %s", url, curl_url_strerror(code));
    }
    *ret = u;
    return 0;
}

/* A part of a URL that was parsed, as a copy in lower case; "" if it has none. Free it. */
static char *part(CURLU *u, CURLUPart which)
{
    char *text = NULL;
    CURLUcode code =
        curl_url_get(u, which, &text, which == CURLUPART_PORT ? CURLU_DEFAULT_PORT : 0);
    char *copy = mem_strdup(code ? "" : text);

    if (code == CURLUE_OUT_OF_MEMORY)
        mem_run_short();
    curl_free(text);
    for (char *p = copy; *p; p++) {
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    }
    return copy;
}

/*
 * Addresses come out of the parser in a normal form: 127.1 is 127.0.0.1, [::1] has brackets. What
 * only looks like one (127.0.0.256) is a name, which anybody may answer for.
 */
static bool is_loopback(const char *host)
{
    int octets = 0;

    if (strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
        return true;
    for (const char *p = host; octets < 4; octets++) {
        size_t len = strspn(p, "0123456789");
        int64_t value = 0;

        for (size_t i = 0; i < len && i < 3; i++)
            value = value * 10 + (p[i] - '0');
        if (!len || len > 3 || (len > 1 && *p == '0') || value > 255 ||
            p[len] != (octets < 3 ? '.' : '\0'))
            return false;
        p += len + 1;
    }
    return text_starts(host, "127.");
}

int http_url_check(const char *url, struct buf *ret_origin, struct buf *ret_host, struct err *e)
{
    char *scheme = NULL, *host = NULL, *port = NULL;
    CURLU *u = NULL;
    int rc = -1;

    for (const char *p = url; *p; p++) {
        if ((unsigned char)*p <= ' ' || *p == 0x7F || *p == '\\')
            return err_set(e, "the URL holds a character that cannot stand in one");
    }
    if (parse_url(url, &u, e))
        return -1;
    scheme = part(u, CURLUPART_SCHEME);
    host = part(u, CURLUPART_HOST);
    port = part(u, CURLUPART_PORT);
    if (strcmp(scheme, "https") != 0 && strcmp(scheme, "http") != 0) {
        err_set(e, "'%s' is neither https nor http", url);
        goto out;
    }
    if (strcmp(scheme, "http") == 0 && !is_loopback(host)) {
        err_set(e, "'%s' is not encrypted: http is possible to this machine only, use https", url);
        goto out;
    }
    if (ret_origin)
        buf_addf(ret_origin, "%s://%s:%s", scheme, host, port);
    if (ret_host)
        buf_adds(ret_host, host);
    rc = 0;
out:
    free(scheme);
    free(host);
    free(port);
    curl_url_cleanup(u);
    return rc;
}

bool http_url_is_loopback(const char *url)
{
    struct err ignored = {""};
    struct buf host;
    bool loopback;

    buf_init(&host, BUF_CAP_TEXT);
    loopback = !http_url_check(url, NULL, &host, &ignored) && is_loopback(host.text);
    buf_free(&host);
    return loopback;
}

/* Bytes of a body that a trace shows, and that a reply may have when memory ran short. */
enum { TRACE_MAX = 4096, SHORT_BODY_MAX = 256 << 10 };

/* --- transfers ------------------------------------------------------------------------------ */

struct transfer {
    struct http *http;
    CURL *easy;
    struct curl_slist *headers;
    char *body; /* of the request */
    size_t tag;
    bool busy;
    bool once;
    int sends; /* how often the request was about to be sent */
    bool too_large;
    struct buf reply;
    char error[CURL_ERROR_SIZE];
};

struct queued {
    size_t tag;
    struct request request;
    enum http_repeat repeat;
};

struct http {
    struct http_options options;
    char *ca_file, *ca_path;
    CURLM *multi;
    struct transfer *pool;
    size_t pool_size;
    struct queued *queue; /* waiting for a free transfer, the oldest first */
    size_t queue_count, queue_cap;
};

static bool readable_file(const char *path)
{
    FILE *f = fopen(path, "r");

    if (f)
        fclose(f);
    else
        mem_check_errno();
    return f != NULL;
}

/* A folder that c_rehash went over: it holds names such as 5ed36f99.0. */
static bool is_hashed(const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;
    bool hashed = false;

    while (dir && !hashed && (entry = readdir(dir)))
        hashed = strspn(entry->d_name, "0123456789abcdef") == 8 &&
                 strcmp(entry->d_name + 8, ".0") == 0;
    if (dir)
        closedir(dir);
    else
        mem_check_errno();
    return hashed;
}

/*
 * Which authorities to trust: the user's file; else what the environment names, which the library
 * does not read itself; else the system's hashed folder, whose certificates are read one by one
 * as needed (its bundle costs 25 ms of CPU to parse); else the library's own default.
 */
static void choose_authorities(struct http *h)
{
    static const char *const file_variables[] = {"SSL_CERT_FILE", "CURL_CA_BUNDLE"};
    static const char system_folder[] = "/etc/ssl/certs";
    const char *folder = h->options.getenv("SSL_CERT_DIR");

    h->ca_file = mem_strdup(h->options.ca_file);
    for (size_t i = 0; i < ARRAY_LEN(file_variables) && !h->ca_file; i++) {
        const char *file = h->options.getenv(file_variables[i]);

        if (file && *file)
            h->ca_file = mem_strdup(file);
    }
    if (h->ca_file)
        return;
    if (folder && *folder)
        h->ca_path = mem_strdup(folder);
    else if (is_hashed(system_folder))
        h->ca_path = mem_strdup(system_folder);
}

static int check_files(const struct http *h, struct err *e)
{
    const char *const files[] = {h->ca_file, h->options.client_cert, h->options.client_key};

    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        if (files[i] && !readable_file(files[i]))
            return err_set(e, "cannot read the certificate file %s", files[i]);
    }
    return 0;
}

struct http *http_new(const struct http_options *options, struct err *e)
{
    struct http *h = mem_alloc(1, sizeof(*h));
    long connections = (long)options->max_connections;

    h->options = *options;
    choose_authorities(h);
    if (check_files(h, e))
        goto fail;
    may_end = true;
    lend_to_tls();
    if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, take, mem_take_back, take_again,
                             take_copy, take_zeroed) ||
        !(h->multi = curl_multi_init())) {
        err_set(e, "the HTTP library cannot start");
        goto fail;
    }
    curl_multi_setopt(h->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, connections);
    curl_multi_setopt(h->multi, CURLMOPT_MAX_HOST_CONNECTIONS, connections);
    curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, connections);
    h->pool_size = options->max_connections;
    h->pool = mem_alloc(h->pool_size, sizeof(*h->pool));
    return h;
fail:
    free(h->ca_file);
    free(h->ca_path);
    free(h);
    return NULL;
}

static void end_transfer(struct transfer *t)
{
    if (!t->busy)
        return;
    curl_multi_remove_handle(t->http->multi, t->easy);
    curl_slist_free_all(t->headers);
    free(t->body);
    buf_free(&t->reply);
    t->headers = NULL;
    t->body = NULL;
    t->busy = false;
}

void http_free(struct http *h)
{
    if (!h)
        return;
    for (size_t i = 0; i < h->pool_size; i++) {
        end_transfer(&h->pool[i]);
        curl_easy_cleanup(h->pool[i].easy);
    }
    for (size_t i = 0; i < h->queue_count; i++)
        request_free(&h->queue[i].request);
    curl_multi_cleanup(h->multi);
    curl_global_cleanup();
    free(h->queue);
    free(h->pool);
    free(h->ca_file);
    free(h->ca_path);
    free(h);
}

void http_reply_free(struct http_reply *reply)
{
    buf_free(&reply->body);
    mem_forget(reply->redirect); /* a provider may have put into it what it was sent */
    free(reply->problem);
    memset(reply, 0, sizeof(*reply));
}

static void trace(const struct http *h, size_t tag, char direction, const char *format, ...)
    PRINTF_LIKE(4, 5);

static void trace(const struct http *h, size_t tag, char direction, const char *format, ...)
{
    char *line;
    va_list ap;

    if (!h->options.trace)
        return;
    va_start(ap, format);
    line = buf_vformat(format, ap);
    va_end(ap);
    h->options.trace(h->options.trace_user, tag, direction, line);
    mem_forget(line);
}

static size_t receive(char *data, size_t size, size_t count, void *user)
{
    struct transfer *t = user;

    /* What memory is left is for cancelling, not for an answer that is long. */
    t->reply.over = t->reply.over || (mem_is_short() && t->reply.len > SHORT_BODY_MAX);
    /* The library's own limit does not stop a chunked or a compressed body: this one does. */
    buf_add(&t->reply, data, size * count);
    t->too_large = t->reply.over;
    return t->too_large ? 0 : size * count;
}

/*
 * Called when a connection stands and the request is about to be sent. The library sends a
 * request again by itself when a kept connection turns out to be dead, a POST too; for one that
 * must not be sent twice the second time is the end.
 */
static int about_to_send(void *user, char *server_ip, char *own_ip, int server_port, int own_port)
{
    struct transfer *t = user;
    const struct http_options *options = &t->http->options;

    (void)server_ip;
    (void)own_ip;
    (void)server_port;
    (void)own_port;
    if (t->once && t->sends)
        return CURL_PREREQFUNC_ABORT;
    if (t->once && options->leave && !options->leave(options->leave_user, t->tag))
        return CURL_PREREQFUNC_ABORT;
    t->sends++;
    return CURL_PREREQFUNC_OK;
}

/* The proxy that the library would take from the environment for plain http. */
static const char *environment_proxy(const struct http *h)
{
    static const char *const variables[] = {"http_proxy", "all_proxy", "ALL_PROXY"};

    for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
        const char *value = h->options.getenv(variables[i]);

        if (value && *value)
            return value;
    }
    return NULL;
}

static void set_proxy(const struct http *h, CURL *easy, const char *url)
{
    const char *proxy = h->options.proxy ? h->options.proxy : environment_proxy(h);

    /* Plain http goes to this machine only; through a proxy elsewhere it would travel readable. */
    if (strncasecmp(url, "http:", 5) == 0 && proxy && !http_url_is_loopback(proxy))
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
    else if (h->options.proxy)
        curl_easy_setopt(easy, CURLOPT_PROXY, h->options.proxy);
}

static void set_tls(const struct http *h, CURL *easy)
{
    if (h->ca_file || h->ca_path) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, h->ca_file);
        curl_easy_setopt(easy, CURLOPT_CAPATH, h->ca_path);
        curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, h->ca_file);
        curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, h->ca_path);
    }
    if (h->options.client_cert) {
        curl_easy_setopt(easy, CURLOPT_SSLCERT, h->options.client_cert);
        curl_easy_setopt(easy, CURLOPT_SSLKEY,
                         h->options.client_key ? h->options.client_key : h->options.client_cert);
    }
}

static void add_header(struct transfer *t, const char *name, const char *value)
{
    struct curl_slist *longer;
    struct buf line;

    buf_init(&line, BUF_CAP_TEXT);
    /* "Name;" is how the library spells a header without a value; "Name:" removes one. */
    if (!value)
        buf_addf(&line, "%s:", name);
    else if (!*value)
        buf_addf(&line, "%s;", name);
    else
        buf_addf(&line, "%s: %s", name, value);
    longer = curl_slist_append(t->headers, line.text);
    if (longer)
        t->headers = longer;
    buf_free(&line);
}

static void set_request(struct transfer *t, const struct request *request)
{
    bool has_type = false;
    CURL *easy = t->easy;

    for (size_t i = 0; i < request->header_count; i++) {
        add_header(t, request->headers[i].name, request->headers[i].value);
        has_type = has_type || strcasecmp(request->headers[i].name, "Content-Type") == 0;
    }
    add_header(t, "Expect", NULL);
    if (!has_type)
        add_header(t, "Content-Type", NULL);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, t->headers);
    curl_easy_setopt(easy, CURLOPT_URL, request->url);
    if (strcmp(request->method, "GET") == 0 && !request->body) {
        curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
        return;
    }
    t->body = request->body ? mem_strndup(request->body, request->body_len) : mem_strdup("");
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, t->body);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
}

static void set_limits(const struct http *h, struct transfer *t)
{
    CURL *easy = t->easy;

    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)h->options.connect_timeout_ms);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)h->options.request_timeout_ms);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "rungate/" RUNGATE_VERSION);
    /* A connection that was idle for longer may be dying: a start must not be lost to that. */
    if (t->once)
        curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, 1L);
}

static int start_transfer(struct http *h, struct transfer *t, size_t tag,
                          const struct request *request, enum http_repeat repeat)
{
    if (!t->easy)
        t->easy = curl_easy_init();
    if (!t->easy)
        return -1;
    curl_easy_reset(t->easy);
    t->http = h;
    t->tag = tag;
    t->once = repeat == HTTP_ONCE;
    t->sends = 0;
    t->too_large = false;
    t->error[0] = '\0';
    t->headers = NULL;
    buf_init(&t->reply, h->options.max_body);
    t->reply.may_fail = true;
    curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
    curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->error);
    curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(t->easy, CURLOPT_PREREQFUNCTION, about_to_send);
    curl_easy_setopt(t->easy, CURLOPT_PREREQDATA, t);
    set_limits(h, t);
    set_tls(h, t->easy);
    set_proxy(h, t->easy, request->url);
    set_request(t, request);
    t->busy = true;
    if (curl_multi_add_handle(h->multi, t->easy)) {
        end_transfer(t);
        return -1;
    }
    return 0;
}

static struct transfer *free_transfer(struct http *h)
{
    for (size_t i = 0; i < h->pool_size; i++) {
        if (!h->pool[i].busy)
            return &h->pool[i];
    }
    return NULL;
}

static void trace_request(const struct http *h, size_t tag, const struct request *request)
{
    trace(h, tag, '>', "%s %s", request->method, request->url);
    for (size_t i = 0; i < request->header_count; i++)
        trace(h, tag, '>', "%s: %s", request->headers[i].name, request->headers[i].value);
    if (request->body)
        trace(h, tag, '>', "%s", request->body);
}

static void copy_request(struct request *to, const struct request *from)
{
    memset(to, 0, sizeof(*to));
    to->kind = from->kind;
    to->method = mem_strdup(from->method);
    to->url = mem_strdup(from->url);
    to->body = from->body ? mem_strndup(from->body, from->body_len) : NULL;
    to->body_len = from->body_len;
    for (size_t i = 0; i < from->header_count; i++)
        request_add_header(to, from->headers[i].name, from->headers[i].value);
}

int http_send(struct http *h, size_t tag, const struct request *request, enum http_repeat repeat,
              struct err *e)
{
    struct transfer *t = h->queue_count ? NULL : free_transfer(h);
    struct queued *waiting;

    if (http_url_check(request->url, NULL, NULL, e))
        return -1;
    trace_request(h, tag, request);
    if (t)
        return start_transfer(h, t, tag, request, repeat)
                   ? err_set(e, "the HTTP library refused the request")
                   : 0;
    h->queue = mem_grow(h->queue, &h->queue_cap, h->queue_count, sizeof(*h->queue));
    waiting = &h->queue[h->queue_count++];
    waiting->tag = tag;
    waiting->repeat = repeat;
    copy_request(&waiting->request, request);
    return 0;
}

static void drop_queued(struct http *h, size_t at)
{
    request_free(&h->queue[at].request);
    memmove(h->queue + at, h->queue + at + 1, (h->queue_count - at - 1) * sizeof(*h->queue));
    h->queue_count--;
}

/* Gives free transfers to those who wait. */
static void start_queued(struct http *h)
{
    size_t started = 0;

    while (started < h->queue_count) {
        struct transfer *t = free_transfer(h);
        struct queued *q = &h->queue[started];

        if (!t)
            break;
        /* One that the library refuses now stays the first, and is tried again. */
        if (start_transfer(h, t, q->tag, &q->request, q->repeat))
            break;
        request_free(&q->request);
        started++;
    }
    if (!started)
        return;
    memmove(h->queue, h->queue + started, (h->queue_count - started) * sizeof(*h->queue));
    h->queue_count -= started;
}

void http_abort(struct http *h, size_t tag)
{
    for (size_t i = 0; i < h->pool_size; i++) {
        if (h->pool[i].busy && h->pool[i].tag == tag)
            end_transfer(&h->pool[i]);
    }
    for (size_t i = 0; i < h->queue_count; i++) {
        if (h->queue[i].tag == tag) {
            drop_queued(h, i);
            break;
        }
    }
}

bool http_withdraw(struct http *h, size_t tag)
{
    for (size_t i = 0; i < h->pool_size; i++) {
        if (h->pool[i].busy && h->pool[i].tag == tag) {
            if (h->pool[i].sends)
                return false;
            end_transfer(&h->pool[i]);
            return true;
        }
    }
    for (size_t i = 0; i < h->queue_count; i++) {
        if (h->queue[i].tag == tag) {
            drop_queued(h, i);
            return true;
        }
    }
    return false;
}

static bool is_hopeless(CURLcode code)
{
    return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CERTPROBLEM ||
           code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_ISSUER_ERROR ||
           code == CURLE_SSL_CIPHER || code == CURLE_URL_MALFORMAT ||
           code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_SSL_PINNEDPUBKEYNOTMATCH;
}

static void trace_reply(const struct http *h, struct transfer *t, const struct http_reply *reply)
{
    struct curl_header *header = NULL;
    curl_off_t micros = 0;

    if (!h->options.trace)
        return;
    curl_easy_getinfo(t->easy, CURLINFO_TOTAL_TIME_T, &micros);
    if (reply->problem)
        trace(h, t->tag, '*', "%s", reply->problem);
    if (!reply->status)
        return;
    trace(h, t->tag, '<', "%d, %zu bytes in %d ms", reply->status, reply->body.len,
          (int)(micros / 1000));
    while ((header = curl_easy_nextheader(t->easy, CURLH_HEADER, -1, header)))
        trace(h, t->tag, '<', "%s: %s", header->name, header->value);
    if (reply->body.len) {
        struct buf body;

        buf_init(&body, BUF_CAP_TEXT);
        buf_add(&body, reply->body.text,
                reply->body.len < 2 * TRACE_MAX ? reply->body.len : 2 * TRACE_MAX);
        secret_redact_cut(&body);
        trace(h, t->tag, '<', "%.*s%s", TRACE_MAX, body.text, body.len > TRACE_MAX ? "..." : "");
        buf_free(&body);
    }
}

/* The value of a header of the reply; NULL if there is none. */
static const char *header_of(struct transfer *t, const char *name)
{
    struct curl_header *header;

    return curl_easy_header(t->easy, name, 0, CURLH_HEADER, -1, &header) ? NULL : header->value;
}

static int64_t read_date(const char *value)
{
    time_t date = value ? curl_getdate(value, NULL) : -1;

    return date > 0 ? (int64_t)date * 1000 : -1;
}

/*
 * Seconds, or a date: of the server's clock, which its own date tells. That of a machine which
 * starts for one job only can be far off.
 */
static int64_t read_retry_after(const char *value, int64_t date_ms)
{
    enum { SECONDS_MAX = 1000000000 };
    int64_t seconds, until;

    if (!value)
        return -1;
    if (*value && !value[strspn(value, "0123456789")])
        return (num_integer(value, 0, SECONDS_MAX, &seconds) ? SECONDS_MAX : seconds) * 1000;
    until = read_date(value);
    if (date_ms < 0)
        date_ms = clock_wall_ms();
    return until > date_ms ? until - date_ms : -1;
}

static void finish(struct http *h, struct transfer *t, CURLcode code, struct http_reply *ret)
{
    char *redirect = NULL;
    long status = 0;

    memset(ret, 0, sizeof(*ret));
    ret->tag = t->tag;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(t->easy, CURLINFO_REDIRECT_URL, &redirect);
    ret->status = (int)status;
    ret->date_ms = read_date(header_of(t, "Date"));
    ret->retry_after_ms = read_retry_after(header_of(t, "Retry-After"), ret->date_ms);
    ret->redirect = mem_strdup(redirect);
    ret->body = t->reply;
    buf_init(&t->reply, 0);
    if (code) {
        ret->result = t->sends ? HTTP_LOST : HTTP_NOT_SENT;
        ret->hopeless = !t->sends && is_hopeless(code);
        if (code == CURLE_OUT_OF_MEMORY)
            mem_run_short();
        if (t->too_large && mem_is_short()) {
            ret->problem = mem_strdup("there is no memory for the reply");
        } else if (t->too_large) {
            struct buf b;

            buf_init(&b, BUF_CAP_TEXT);
            buf_addf(&b, "the reply is larger than max_body (%zu bytes)", h->options.max_body);
            ret->problem = buf_detach(&b);
        } else if (code == CURLE_ABORTED_BY_CALLBACK) {
            ret->problem = mem_strdup(t->sends ? "the connection broke after the request was sent"
                                               : "the request was kept back");
        } else {
            ret->problem = mem_strdup(t->error[0] ? t->error : curl_easy_strerror(code));
        }
    } else {
        ret->result = HTTP_ANSWERED;
    }
    trace_reply(h, t, ret);
    end_transfer(t);
}

/*
 * The next message of a finished transfer. Transfers are moved along here and not before waiting:
 * one that finished between the last look and the wait would not be noticed until its end.
 */
static CURLMsg *next_message(struct http *h)
{
    CURLMsg *message;
    int unused;

    message = curl_multi_info_read(h->multi, &unused);
    if (!message) {
        start_queued(h);
        curl_multi_perform(h->multi, &unused);
        message = curl_multi_info_read(h->multi, &unused);
    }
    return message;
}

bool http_next(struct http *h, struct http_reply *ret)
{
    CURLMsg *message;

    while ((message = next_message(h))) {
        struct transfer *t = NULL;

        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&t);
        if (message->msg != CURLMSG_DONE || !t)
            continue;
        finish(h, t, message->data.result, ret);
        return true;
    }
    return false;
}

void http_wait(struct http *h, int64_t timeout_ms, int wake_fd)
{
    struct curl_waitfd wake = {.fd = wake_fd, .events = CURL_WAIT_POLLIN};

    curl_multi_poll(h->multi, &wake, 1, timeout_ms > 60000 ? 60000 : (int)timeout_ms, NULL);
}
