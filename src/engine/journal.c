/* SPDX-License-Identifier: MIT */
/* Owns the journal's file and format. It must not decide what becomes of a run. */
#include "base/base.h"

#include "base/clock.h"
#include "base/doc.h"
#include "base/file.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/secret.h"
#include "base/text.h"
#include "engine/journal.h"
#include "provider/reply.h"
#include "provider/request.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ATTEMPTS_MAX = 1000000 };

/* What is shorter stands in many an id by chance, and hides nothing. */
enum { SECRET_LEN = 8 };

struct journal {
    char *path;
    char *pipeline;
    char *boot; /* names the time since this machine was started; "" where that cannot be told */
    int fd;     /* -1: nothing is written */
    off_t size; /* of all whole lines; what is behind them is of a write that failed */
    struct doc *last; /* a line to write when it is closed; NULL: none */
    struct journal_entry *entries;
    size_t count, cap;
    struct map places; /* name of a run -> the place of its entry, from 1 */
};

/* --- entries -------------------------------------------------------------------------------- */

/* All but the run's name. */
static void forget(struct journal_entry *entry)
{
    captures_free(entry->captures, entry->capture_count);
    free(entry->start);
    free(entry->key);
    free(entry->ids);
    free(entry->earlier);
    free(entry->url);
    *entry = (struct journal_entry){.run = entry->run};
}

/* The same, but what was started so far stays known: it is not what a later attempt starts. */
static void forget_attempt(struct journal_entry *entry)
{
    struct buf ids;

    buf_init(&ids, BUF_CAP_TEXT);
    buf_addf(&ids, "%s%s%s", entry->earlier ? entry->earlier : "",
             entry->earlier && entry->ids ? "," : "", entry->ids ? entry->ids : "");
    forget(entry);
    if (ids.len)
        mem_replace(&entry->earlier, ids.text);
    buf_free(&ids);
}

static struct journal_entry *entry_of(const struct journal *j, const char *run)
{
    size_t place = map_get(&j->places, run);

    return place ? &j->entries[place - 1] : NULL;
}

static struct journal_entry *make_entry(struct journal *j, const char *run)
{
    size_t *place = map_at(&j->places, run);

    if (!*place) {
        j->entries = mem_grow(j->entries, &j->cap, j->count, sizeof(*j->entries));
        j->entries[j->count++].run = mem_strdup(run);
        *place = j->count;
    }
    return &j->entries[*place - 1];
}

const struct journal_entry *journal_find(const struct journal *j, const char *run)
{
    const struct journal_entry *entry = entry_of(j, run);

    return entry && entry->sent ? entry : NULL;
}

char *journal_start_mark(const struct binding *b)
{
    const char *commit = b->ci->values[CI_SHA];
    struct scope scope = {.binding = b};
    struct request request;
    struct err ignored = {""};
    struct buf mark;
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

    buf_init(&mark, BUF_CAP_TEXT);
    if (!request_make(&request, REQUEST_START, &scope, &ignored)) {
        const char *parts[] = {request.method, request.url, request.body, commit};

        for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
            const char *part = parts[i] ? parts[i] : "";

            /* With the NUL behind it: "ab", "c" is not "a", "bc". */
            for (size_t at = 0; at <= strlen(part); at++)
                hash = (hash ^ (unsigned char)part[at]) * UINT64_C(0x100000001b3);
        }
        buf_addf(&mark, "%016" PRIx64, hash);
    }
    request_free(&request);
    if (mark.len)
        return buf_detach(&mark);
    buf_free(&mark);
    return NULL;
}

/* --- reading -------------------------------------------------------------------------------- */

/* The text of a member, in out; "" if it has none. */
static const char *member(const struct doc *line, const char *pointer, struct buf *out)
{
    buf_clear(out);
    return doc_add_text(out, doc_at(line, pointer)) ? out->text : "";
}

static void read_starting(const struct journal *j, struct journal_entry *entry,
                          const struct doc *line, int64_t at, int64_t attempt)
{
    struct buf text;
    int64_t first = at, last = at;
    bool again;

    buf_init(&text, BUF_CAP_TEXT);
    member(line, "/key", &text);
    /* The same start, sent once more under its key. */
    again = entry->sent && strcmp(entry->key, text.text) == 0;
    if (again) { /* and a clock can have been turned back since */
        first = entry->sent_first < at ? entry->sent_first : at;
        last = entry->sent_last > at ? entry->sent_last : at;
    }
    if (attempt > 1)
        forget_attempt(entry);
    else
        forget(entry);
    /* Whether it left is told by "sent", unless that was lost with the machine. */
    entry->sent = again || !*j->boot;
    entry->attempt = attempt;
    mem_replace(&entry->key, text.text);
    mem_replace(&entry->start, member(line, "/start", &text));
    entry->sent_first = first;
    entry->sent_last = last;
    if (strcmp(member(line, "/boot", &text), j->boot) != 0)
        entry->sent = true;
    buf_free(&text);
}

static int read_started(struct journal_entry *entry, const struct doc *line, struct err *e)
{
    const struct doc *ids = doc_at(line, "/ids"), *captures = doc_at(line, "/captures");
    struct buf joined, text;
    int64_t refused = 0;
    int rc = -1;

    buf_init(&joined, BUF_CAP_TEXT);
    buf_init(&text, BUF_CAP_TEXT);
    if (!entry->key) {
        err_set(e, "a run was started that nobody started");
        goto out;
    }
    for (size_t i = 0; i < doc_size(ids); i++) {
        if (reply_check_id(member(doc_item(ids, i), "", &text), e))
            goto out;
        buf_addf(&joined, "%s%s", i ? "," : "", text.text);
    }
    if (!joined.len || num_integer(member(line, "/refused", &text), 0, INT64_MAX, &refused)) {
        err_set(e, "it does not say which run was started");
        goto out;
    }
    entry->sent = true;
    mem_replace(&entry->ids, joined.text);
    entry->refused = (size_t)refused;
    if (*member(line, "/url", &text))
        mem_replace(&entry->url, text.text);
    for (size_t i = 0; i < doc_size(captures); i++) {
        struct capture *c;

        entry->captures = mem_grow(entry->captures, &entry->capture_cap, entry->capture_count,
                                   sizeof(*entry->captures));
        c = &entry->captures[entry->capture_count++];
        c->name = mem_strdup(member(doc_item(captures, i), "/name", &text));
        c->value = mem_strdup(member(doc_item(captures, i), "/value", &text));
    }
    rc = 0;
out:
    buf_free(&joined);
    buf_free(&text);
    return rc;
}

static int read_over(struct journal *j, const struct doc *line, struct err *e)
{
    const struct doc *runs = doc_at(line, "/runs");
    struct buf name;

    if (doc_type(runs) != DOC_ARRAY)
        return err_set(e, "it does not say which runs it is about");
    buf_init(&name, BUF_CAP_TEXT);
    for (size_t i = 0; i < doc_size(runs); i++) {
        struct journal_entry *entry = entry_of(j, member(doc_item(runs, i), "", &name));

        if (entry && entry->ended)
            forget(entry);
    }
    buf_free(&name);
    return 0;
}

/* Lines of other pipelines are only looked at for damage. */
static int read_line(struct journal *j, const char *text, size_t len, struct err *e)
{
    static const char *const events[] = {"starting", "sent", "unsent", "started", "ended", "over"};
    enum { STARTING, SENT, UNSENT, STARTED, ENDED, OVER } event = STARTING;
    struct doc *line = doc_parse(text, len, e);
    struct journal_entry *entry = NULL;
    struct buf b;
    int64_t at = 0, attempt = 0;
    int rc = -1;

    if (!line)
        return -1;
    buf_init(&b, BUF_CAP_TEXT);
    member(line, "/event", &b);
    while ((size_t)event < ARRAY_LEN(events) && strcmp(b.text, events[event]) != 0)
        event++;
    if ((size_t)event == ARRAY_LEN(events)) {
        err_set(e, "'%s' is no event of a journal", b.text);
        goto out;
    }
    if (clock_parse_iso(member(line, "/at", &b), &at)) {
        err_set(e, "'%s' is no time", b.text);
        goto out;
    }
    rc = 0;
    if (strcmp(member(line, "/pipeline", &b), j->pipeline) != 0)
        goto out;
    if (event != OVER) {
        if (num_integer(member(line, "/attempt", &b), 1, ATTEMPTS_MAX, &attempt) ||
            !*member(line, "/run", &b)) {
            rc = err_set(e, "it does not say which attempt of which run it is about");
            goto out;
        }
        entry = make_entry(j, b.text);
    }
    switch (event) {
    case STARTING:
        read_starting(j, entry, line, at, attempt);
        break;
    case SENT:
        if (!entry->key)
            rc = err_set(e, "a start left that nobody announced");
        entry->sent = true;
        break;
    case UNSENT:
        forget_attempt(entry);
        break;
    case STARTED:
        rc = read_started(entry, line, e);
        break;
    case ENDED:
        entry->ended = true;
        /* Over before it had an id: there is nothing that could be asked about. */
        if (!entry->ids)
            forget_attempt(entry);
        break;
    case OVER:
        rc = read_over(j, line, e);
        break;
    }
out:
    buf_free(&b);
    doc_free(line);
    return rc;
}

/* The beginning of a line; a crash of the machine may leave NUL bytes for what was not written. */
static bool is_torn(const char *tail, size_t len)
{
    static const char head[] = "{\"event\":\"";

    for (size_t i = 0; i < len && head[i]; i++) {
        if (tail[i] && tail[i] != head[i])
            return false;
    }
    return true;
}

/*
 * Reads all lines; sets j->size to the end of the last whole one. What stands behind it was cut
 * off by a crash before it was synced, so nothing was done yet that relies on it. But if it is all
 * there is, and of another kind, so is the file, and writing would destroy it.
 */
static int read_all(struct journal *j, const struct buf *text, struct diags *d)
{
    int number = 0;

    for (size_t at = 0; at < text->len;) {
        const char *line = text->text + at;
        const char *end = memchr(line, '\n', text->len - at);
        struct err e = {""};

        number++;
        if (!end && (at || is_torn(line, text->len - at)))
            return 0;
        if (end ? read_line(j, line, (size_t)(end - line), &e)
                : err_set(&e, "neither has it an end, nor the beginning of one"))
            return diag_add(d, j->path, number,
                            "this is no line of a journal: %s; nothing was started. Repair the "
                            "line, or name another file",
                            e.text);
        at += (size_t)(end - line) + 1;
        j->size = (off_t)at;
    }
    return 0;
}

/* --- opening -------------------------------------------------------------------------------- */

static int lock(struct journal *j, enum journal_use *use, struct diags *d)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    if (*use == JOURNAL_READ || !fcntl(j->fd, F_SETLK, &whole))
        return 0;
    if (errno != EACCES && errno != EAGAIN)
        return diag_add(d, j->path, 0, "the journal cannot be locked: %s", strerror(errno));
    if (*use == JOURNAL_SHARE) {
        *use = JOURNAL_READ;
        return 0;
    }
    if (fcntl(j->fd, F_GETLK, &whole) || whole.l_type == F_UNLCK)
        whole.l_pid = 0;
    if (whole.l_pid > 0)
        return diag_add(d, j->path, 0,
                        "another gate is at work with this journal (process %ld); nothing was "
                        "started",
                        (long)whole.l_pid);
    return diag_add(d, j->path, 0,
                    "another gate is at work with this journal; nothing was started");
}

/* Without this, a crash of the machine could lose the file that was just made. */
static void sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? mem_strndup(path, (size_t)(slash - path) + 1) : mem_strdup(".");
    int fd = open(folder, O_RDONLY | O_DIRECTORY);

    if (fd >= 0) {
        /* Not every file system knows this; the file itself is synced before anything relies on
         * it. */
        if (fsync(fd))
            errno = 0;
        close(fd);
    }
    free(folder);
}

/* The descriptor of the file; -1 with a mistake, or without one if there is nothing to read. */
static int open_file(struct journal *j, enum journal_use use, struct diags *d)
{
    bool writes = use != JOURNAL_READ;
    struct stat st;
    int fd;

    if (writes)
        file_make_folders(j->path);
    fd = open(j->path, (writes ? O_RDWR | O_APPEND | O_CREAT : O_RDONLY) | O_CLOEXEC | O_NONBLOCK,
              0666);
    if (fd < 0) {
        if (writes || errno != ENOENT)
            diag_add(d, j->path, 0, "the journal cannot be opened: %s", strerror(errno));
        return -1;
    }
    if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
        diag_add(d, j->path, 0, "the journal must be a file");
        close(fd);
        return -1;
    }
    if (writes && !st.st_size)
        sync_folder(j->path);
    return fd;
}

/* Linux tells; elsewhere each start on record counts as sent. */
static char *read_boot(void)
{
    struct err ignored = {""};
    struct buf text;

    buf_init(&text, BUF_CAP_TEXT);
    if (file_read("/proc/sys/kernel/random/boot_id", &text, &ignored))
        buf_clear(&text);
    buf_truncate(&text, strcspn(text.text, "\n"));
    return buf_detach(&text);
}

static int read_file(struct journal *j, struct diags *d)
{
    struct buf text;
    struct err e = {""};
    int rc;

    buf_init(&text, BUF_CAP_TEXT);
    rc = file_read_fd(j->fd, j->path, &text, &e);
    if (rc)
        diag_add(d, j->path, 0, "%s", e.text);
    else
        rc = read_all(j, &text, d);
    buf_free(&text);
    return rc;
}

/* The pipeline's name as it can stand in a line, which holds no bytes that are not UTF-8. */
static char *name_of(const char *pipeline)
{
    struct doc *name = doc_new_string(text_starts(pipeline, "./") ? pipeline + 2 : pipeline);
    struct buf text;

    buf_init(&text, BUF_CAP_TEXT);
    member(name, "", &text);
    doc_free(name);
    return buf_detach(&text);
}

struct journal *journal_open(const char *path, enum journal_use use, const char *pipeline,
                             struct diags *d)
{
    struct journal *j = mem_alloc(1, sizeof(*j));
    size_t before = d->count;

    j->path = mem_strdup(path);
    j->pipeline = name_of(pipeline);
    j->boot = read_boot();
    j->fd = open_file(j, use, d);
    if (d->count != before ||
        (j->fd >= 0 && (lock(j, &use, d) || read_file(j, d)))) {
        journal_close(j);
        return NULL;
    }
    if (j->fd >= 0 && use == JOURNAL_READ) {
        close(j->fd);
        j->fd = -1;
    }
    return j;
}

/* --- writing -------------------------------------------------------------------------------- */

static struct doc *new_line(const struct journal *j, const char *event, int64_t wall_ms)
{
    struct doc *line = doc_new_object();
    struct buf at;

    buf_init(&at, BUF_CAP_TEXT);
    clock_add_iso(&at, wall_ms, true);
    doc_set_member(line, "event", doc_new_string(event));
    doc_set_member(line, "at", doc_new_string(at.text));
    doc_set_member(line, "pipeline", doc_new_string(j->pipeline));
    buf_free(&at);
    return line;
}

static struct doc *new_run_line(const struct journal *j, const char *event,
                                const struct journal_entry *entry, int64_t wall_ms)
{
    struct doc *line = new_line(j, event, wall_ms);

    doc_set_member(line, "run", doc_new_string(entry->run));
    doc_set_member(line, "attempt", doc_new_integer(entry->attempt));
    return line;
}

/*
 * What a provider has said, which may echo a secret. The rest of a line is our own: starred where a
 * secret is a common word, it would not be found again.
 */
static struct doc *new_foreign(const char *said)
{
    struct buf text;
    struct doc *d;

    buf_init(&text, BUF_CAP_TEXT);
    buf_adds(&text, said);
    secret_redact(&text);
    d = doc_new_string(text.text);
    buf_free(&text);
    return d;
}

/* Takes the line over. Half a line in the middle would be damage: what was written is undone. */
static int append(struct journal *j, struct doc *line, bool sync, struct err *e)
{
    struct buf text;
    int rc = 0;

    if (j->fd < 0) {
        doc_free(line);
        return 0;
    }
    buf_init(&text, BUF_CAP_TEXT);
    doc_print(&text, line, 0);
    doc_free(line);
    buf_addc(&text, '\n');
    if (ftruncate(j->fd, j->size) || file_write_fd(j->fd, &text) || (sync && fsync(j->fd))) {
        rc = err_set(e, "the journal %s cannot be written: %s", j->path, strerror(errno));
        /* If even that fails, the next line written begins with it. */
        if (ftruncate(j->fd, j->size))
            errno = 0;
    } else {
        j->size += (off_t)text.len;
    }
    buf_free(&text);
    return rc;
}

int journal_starting(struct journal *j, const struct journal_entry *entry, int64_t wall_ms,
                     struct err *e)
{
    struct doc *line = new_run_line(j, "starting", entry, wall_ms);

    doc_set_member(line, "start", doc_new_string(entry->start));
    doc_set_member(line, "key", doc_new_string(entry->key));
    doc_set_member(line, "boot", doc_new_string(j->boot));
    return append(j, line, true, e);
}

int journal_sent(struct journal *j, const struct journal_entry *entry, int64_t wall_ms,
                 struct err *e)
{
    return append(j, new_run_line(j, "sent", entry, wall_ms), false, e);
}

int journal_unsent(struct journal *j, const struct journal_entry *entry, int64_t wall_ms,
                   struct err *e)
{
    return append(j, new_run_line(j, "unsent", entry, wall_ms), false, e);
}

int journal_started(struct journal *j, const struct journal_entry *entry, int64_t wall_ms,
                    struct err *e)
{
    struct doc *ids, *captures, *line;

    /* A provider that calls its run by our secret: it must be looked for again. */
    if (secret_occurs(entry->ids, SECRET_LEN))
        return 0;
    line = new_run_line(j, "started", entry, wall_ms);
    ids = doc_new_array();
    captures = doc_new_array();
    for (const char *id = entry->ids; *id;) {
        size_t len = strcspn(id, ",");
        char *copy = mem_strndup(id, len);

        doc_append(ids, doc_new_string(copy));
        free(copy);
        id += len + (id[len] ? 1 : 0);
    }
    for (size_t i = 0; i < entry->capture_count; i++) {
        struct doc *capture = doc_new_object();

        doc_set_member(capture, "name", doc_new_string(entry->captures[i].name));
        doc_set_member(capture, "value", new_foreign(entry->captures[i].value));
        doc_append(captures, capture);
    }
    doc_set_member(line, "ids", ids);
    doc_set_member(line, "refused", doc_new_integer((int64_t)entry->refused));
    doc_set_member(line, "captures", captures);
    if (entry->url)
        doc_set_member(line, "url", new_foreign(entry->url));
    return append(j, line, true, e);
}

int journal_ended(struct journal *j, const struct journal_entry *entry, enum outcome outcome,
                  int64_t wall_ms, struct err *e)
{
    struct doc *line = new_run_line(j, "ended", entry, wall_ms);

    doc_set_member(line, "outcome", doc_new_string(outcome_name(outcome)));
    return append(j, line, false, e);
}

void journal_over(struct journal *j, const char *const *runs, size_t count, int64_t wall_ms)
{
    struct doc *names = doc_new_array();

    for (size_t i = 0; i < count; i++)
        doc_append(names, doc_new_string(runs[i]));
    doc_free(j->last);
    j->last = new_line(j, "over", wall_ms);
    doc_set_member(j->last, "runs", names);
}

void journal_close(struct journal *j)
{
    struct err ignored = {""};
    int fd;

    if (!j)
        return;
    for (size_t i = 0; i < j->count; i++) {
        forget(&j->entries[i]);
        free(j->entries[i].run);
    }
    free(j->entries);
    map_free(&j->places);
    free(j->pipeline);
    free(j->boot);
    if (j->last && append(j, j->last, false, &ignored))
        errno = 0; /* as if the gate had been killed here */
    fd = j->fd;
    free(j->path);
    free(j);
    if (fd >= 0)
        close(fd);
}
