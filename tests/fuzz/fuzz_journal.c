/* SPDX-License-Identifier: MIT */
/*
 * The journal: the input is the file. It is refused and stays as it is; or it is taken, and then
 * what it says can be used, and what is added to it is found again.
 */
#include "base/base.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "engine/journal.h"
#include "provider/reply.h"
#include "world.h"

#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* World.c keeps the real one from the other targets. */
struct journal *__real_journal_open(const char *path, enum journal_use use, const char *pipeline,
                                    struct diags *d);

static const char pipeline[] = "p.ini";

static struct journal *open_journal(const char *path, enum journal_use use)
{
    struct diags d = {0};
    struct journal *j = __real_journal_open(path, use, pipeline, &d);

    MUST(j ? !d.count : d.count == 1);
    MUST(j || (d.items[0].line > 0 && *d.items[0].text));
    diags_free(&d);
    return j;
}

/* The content of the file. */
static void read_back(int fd, struct buf *out)
{
    struct err e = {""};

    buf_clear(out);
    MUST(lseek(fd, 0, SEEK_SET) == 0);
    MUST(!file_read_fd(fd, "the journal", out, &e));
}

static void check_entry(const struct journal_entry *entry)
{
    struct err e = {""};

    if (!entry)
        return;
    MUST(strcmp(entry->run, "load") == 0 && entry->attempt >= 1);
    MUST(entry->start && entry->key && entry->sent_first <= entry->sent_last);
    MUST(entry->refused <= IDS_MAX);
    for (const char *id = entry->ids; id && *id;) {
        size_t len = strcspn(id, ",");
        char *copy = mem_strndup(id, len);

        MUST(!reply_check_id(copy, &e));
        free(copy);
        id += len + (id[len] ? 1 : 0);
    }
    MUST(!entry->ids || *entry->ids);
}

/* What is added is behind all whole lines, and is what the next gate finds. */
static void check_adding(const char *path, struct journal *j)
{
    char run[] = "load", start[] = "mark", key[] = "key", ids[] = "41,42";
    struct journal_entry entry = {
        .run = run, .start = start, .key = key, .attempt = 3, .ids = ids, .refused = 1};
    const struct journal_entry *found;
    struct err e = {""};

    MUST(!journal_starting(j, &entry, 1000, &e) && !journal_sent(j, &entry, 1000, &e));
    MUST(!journal_started(j, &entry, 2000, &e));
    journal_close(j);
    j = open_journal(path, JOURNAL_READ);
    MUST(j);
    found = journal_find(j, "load");
    MUST(found && !found->ended && found->attempt == 3 && found->refused == 1);
    MUST(strcmp(found->ids, ids) == 0 && strcmp(found->key, key) == 0);
    journal_close(j);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *folder = getenv("TMPDIR");
    struct buf path, before, after;
    struct journal *j;
    size_t whole = size;
    int fd;

    buf_init(&path, BUF_CAP_TEXT);
    buf_init(&before, BUF_CAP_TEXT);
    buf_init(&after, BUF_CAP_TEXT);
    buf_addf(&path, "%s/fuzz-journal-XXXXXX", folder && *folder ? folder : ".");
    fd = mkstemp(path.text);
    MUST(fd >= 0);
    buf_add(&before, data, size);
    MUST(!file_write_fd(fd, &before));
    while (whole && data[whole - 1] != '\n')
        whole--;
    j = open_journal(path.text, JOURNAL_WRITE);
    read_back(fd, &after);
    MUST(after.len == size && memcmp(after.text, data, size) == 0);
    if (j) {
        check_entry(journal_find(j, "load"));
        check_adding(path.text, j);
        read_back(fd, &after);
        MUST(after.len > whole && memcmp(after.text, data, whole) == 0);
    }
    close(fd);
    unlink(path.text);
    buf_free(&path);
    buf_free(&before);
    buf_free(&after);
    return 0;
}
