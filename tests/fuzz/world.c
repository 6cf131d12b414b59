/* SPDX-License-Identifier: MIT */
/* Owns the stand-ins for what lies outside. It must not know what a target looks for. */
#include "base/base.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "engine/journal.h"
#include "net/http.h"
#include "provider/registry.h"
#include "world.h"

static const char separator[] = "\n---\n";

static struct {
    struct {
        const char *name, *text;
        size_t len;
    } files[2];
    struct registry *builtin;
    int64_t now;
    const struct provider *provider;
    const char *script, *script_end;
    bool pending; /* a request is under way */
    size_t tag;
    enum request_kind kind;
    char key[64]; /* the idempotency key of the first start */
    struct world_seen seen;
} world;

void world_broken(const char *file, int line, const char *promise)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, promise);
    abort();
}

const char *world_env(const char *name)
{
    if (text_ends(name, "TOKEN") || text_ends(name, "KEY"))
        return WORLD_TOKEN;
    return strcmp(name, "SET") == 0 ? "a value" : NULL;
}

/* --- files ------------------------------------------------------------------------------------ */

int __wrap_file_read(const char *path, struct buf *out, struct err *e);
bool __wrap_file_is_same(const char *a, const char *b);

void world_file(const char *name, const char *text, size_t len)
{
    size_t i = 0;

    while (world.files[i].name && strcmp(world.files[i].name, name) != 0)
        MUST(++i < ARRAY_LEN(world.files));
    world.files[i].name = name;
    world.files[i].text = text;
    world.files[i].len = len;
}

int __wrap_file_read(const char *path, struct buf *out, struct err *e)
{
    for (size_t i = 0; path && i < ARRAY_LEN(world.files); i++) {
        if (!world.files[i].name || strcmp(world.files[i].name, path) != 0)
            continue;
        buf_add(out, world.files[i].text, world.files[i].len);
        return out->over ? err_set(e, "%s is larger than %zu bytes", path, out->cap) : 0;
    }
    return err_set(e, "cannot read %s: there is no such file", path ? path : "standard input");
}

bool __wrap_file_is_same(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* --- built-in definitions --------------------------------------------------------------------- */

struct registry *__real_registry_new(const char *const *files, size_t count, struct diags *d);
void __real_registry_free(struct registry *r);
struct registry *__wrap_registry_new(const char *const *files, size_t count, struct diags *d);
void __wrap_registry_free(struct registry *r);

/* Without files of a user's it is always the same: reading it takes longer than all the rest. */
struct registry *__wrap_registry_new(const char *const *files, size_t count, struct diags *d)
{
    if (count)
        return __real_registry_new(files, count, d);
    if (!world.builtin)
        world.builtin = __real_registry_new(NULL, 0, d);
    return world.builtin;
}

void __wrap_registry_free(struct registry *r)
{
    if (r != world.builtin)
        __real_registry_free(r);
}

/* --- clocks ----------------------------------------------------------------------------------- */

int64_t __wrap_clock_monotonic_ms(void);
int64_t __wrap_clock_wall_ms(void);

int64_t __wrap_clock_monotonic_ms(void)
{
    return world.now;
}

int64_t __wrap_clock_wall_ms(void)
{
    return world.now + 1700000000000;
}

/* --- network ---------------------------------------------------------------------------------- */

struct journal *__wrap_journal_open(const char *path, enum journal_use use, const char *pipeline,
                                    struct diags *d);

/* A pipeline file can name any file of this machine as its journal. */
struct journal *__wrap_journal_open(const char *path, enum journal_use use, const char *pipeline,
                                    struct diags *d)
{
    (void)path;
    (void)use;
    (void)pipeline;
    (void)d;
    return NULL;
}

struct http *__wrap_http_new(const struct http_options *options, struct err *e);
void __wrap_http_free(struct http *h);
int __wrap_http_send(struct http *h, size_t tag, const struct request *request,
                     enum http_repeat repeat, struct err *e);
void __wrap_http_abort(struct http *h, size_t tag);
bool __wrap_http_withdraw(struct http *h, size_t tag);
bool __wrap_http_next(struct http *h, struct http_reply *ret);
void __wrap_http_wait(struct http *h, int64_t timeout_ms, int wake_fd);

void world_replies(const struct provider *p, const char *script, size_t len)
{
    world.provider = p;
    world.script = script;
    world.script_end = script + len;
    world.pending = false;
    world.key[0] = '\0';
    memset(&world.seen, 0, sizeof(world.seen));
}

const struct world_seen *world_seen(void)
{
    return &world.seen;
}

struct http *__wrap_http_new(const struct http_options *options, struct err *e)
{
    (void)options;
    (void)e;
    return (struct http *)&world;
}

void __wrap_http_free(struct http *h)
{
    (void)h;
}

/* What must hold of everything that leaves the program. */
static void check_request(const struct request *r, enum http_repeat repeat)
{
    MUST((repeat == HTTP_ONCE) == (r->kind == REQUEST_START));
    MUST(!strstr(r->url, WORLD_TOKEN));
    MUST(!r->body || !strstr(r->body, WORLD_TOKEN));
    MUST(!r->body || strlen(r->body) == r->body_len);
    for (const char *p = r->url; *p; p++)
        MUST(*p > ' ' && *p <= '~');
    for (size_t i = 0; i < r->header_count; i++) {
        MUST(!strpbrk(r->headers[i].name, " :\r\n"));
        MUST(!strpbrk(r->headers[i].value, "\r\n"));
    }
    if (r->body) {
        struct err ignored = {""};
        struct doc *d = doc_parse(r->body, r->body_len, &ignored);

        MUST(d);
        doc_free(d);
    }
}

/* A start with the key of the one before makes no second run. */
static void note_start(const struct request *r)
{
    const char *name = world.provider->idempotency;
    const char *key = NULL;

    for (size_t i = 0; name && i < r->header_count; i++) {
        if (strcmp(r->headers[i].name, name) == 0)
            key = r->headers[i].value;
    }
    MUST(!name || (key && *key && strlen(key) < sizeof(world.key)));
    if (key && world.key[0]) {
        MUST(strcmp(key, world.key) == 0);
        return;
    }
    snprintf(world.key, sizeof(world.key), "%s", key ? key : "");
    world.seen.starts++;
}

int __wrap_http_send(struct http *h, size_t tag, const struct request *request,
                     enum http_repeat repeat, struct err *e)
{
    (void)h;
    MUST(!world.pending);
    MUST(++world.seen.requests < 10000);
    check_request(request, repeat);
    if (http_url_check(request->url, NULL, NULL, e))
        return -1;
    world.pending = true;
    world.tag = tag;
    world.kind = request->kind;
    if (request->kind == REQUEST_START)
        note_start(request);
    return 0;
}

void __wrap_http_abort(struct http *h, size_t tag)
{
    (void)h;
    (void)tag;
    world.pending = false;
}

bool __wrap_http_withdraw(struct http *h, size_t tag)
{
    (void)h;
    (void)tag;
    return false;
}

/* The end of the reply that starts at p. */
static const char *reply_end(const char *p, const char *end)
{
    size_t len = sizeof(separator) - 1;

    for (; (size_t)(end - p) > len; p++) {
        if (memcmp(p, separator, len) == 0)
            return p;
    }
    return end;
}

const char *world_first_body(const char *script, size_t *len)
{
    const char *end = reply_end(script, script + *len);
    const char *body = memchr(script, '\n', (size_t)(end - script));

    body = body ? body + 1 : end;
    *len = (size_t)(end - body);
    return body;
}

/* Reads "200 30", "lost" or "refused". */
static void read_head(const char *text, struct http_reply *ret)
{
    size_t len = strcspn(text, " ");
    char *word = mem_strndup(text, len);
    int64_t number;

    ret->result = HTTP_ANSWERED;
    ret->retry_after_ms = -1;
    ret->status = 200;
    if (strcmp(word, "lost") == 0 || strcmp(word, "refused") == 0) {
        ret->result = *word == 'l' ? HTTP_LOST : HTTP_NOT_SENT;
        ret->status = 0;
        ret->problem = mem_strdup("no whole reply came");
    } else if (!num_integer(word, 100, 599, &number)) {
        ret->status = (int)number;
    }
    if (text[len] && !num_integer(text + len + 1, 0, 1000000, &number))
        ret->retry_after_ms = number * 1000;
    free(word);
}

static void note_reply(const struct http_reply *reply)
{
    bool good = reply->result == HTTP_ANSWERED && reply->status >= 200 && reply->status < 300;
    struct err ignored = {""};
    struct doc *d;

    if (world.kind == REQUEST_START &&
        (reply->result == HTTP_NOT_SENT || reply->status == 429 || reply->status == 503))
        world.seen.harmless++;
    if (world.kind != REQUEST_STATUS || !good)
        return;
    d = doc_parse(reply->body.text, reply->body.len, &ignored);
    if (d) {
        const struct rule *rule = rules_match(&world.provider->status_rules, d);

        world.seen.passes += rule && rule->outcome == OUTCOME_PASSED ? 1 : 0;
    }
    doc_free(d);
}

bool __wrap_http_next(struct http *h, struct http_reply *ret)
{
    const char *end = reply_end(world.script, world.script_end);
    size_t len = (size_t)(world.script_end - world.script);
    const char *body = world_first_body(world.script, &len);
    char *head;

    (void)h;
    if (!world.pending)
        return false;
    memset(ret, 0, sizeof(*ret));
    head = mem_strndup(world.script, strcspn(world.script, "\n"));
    read_head(head, ret);
    free(head);
    buf_init(&ret->body, 16 << 20);
    if (ret->result == HTTP_ANSWERED)
        buf_add(&ret->body, body, len);
    ret->tag = world.tag;
    note_reply(ret);
    world.pending = false;
    if (end != world.script_end)
        world.script = end + sizeof(separator) - 1;
    return true;
}

void __wrap_http_wait(struct http *h, int64_t timeout_ms, int wake_fd)
{
    (void)h;
    (void)wake_fd;
    MUST(timeout_ms >= 0);
    world.now += timeout_ms ? timeout_ms : 1;
}
