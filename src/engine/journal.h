/* SPDX-License-Identifier: MIT */
/*
 * The journal: what was started, kept in a file so that no crash can start it twice (CONTRACT,
 * section 7). Lines of JSON are appended, one an event:
 *
 *   starting  a start is about to be sent; synced before it can be
 *   sent      it leaves now. Not synced: what was written before a process died is in the file, and
 *             where the machine died, which "boot" tells, "starting" has to do
 *   unsent    it surely had no effect
 *   started   its run exists; synced before anything else is done with it
 *   ended     the run is over, or was cancelled
 *   over      the gate has reported on these runs, which ends their story; what did not end is
 *             left for the next gate
 *
 * A gate that finds a run whose story goes on takes it up instead of starting another.
 */
#ifndef RUNGATE_ENGINE_JOURNAL_H
#define RUNGATE_ENGINE_JOURNAL_H

#include "base/base.h"
#include "base/err.h"
#include "pipeline/outcome.h"
#include "provider/bind.h"

/* What the journal knows of a run whose story goes on. */
struct journal_entry {
    char *run;   /* its name */
    char *start; /* which start it was: journal_start_mark */
    char *key;   /* names this one start; of idempotency, where the provider has that */
    int64_t attempt;
    int64_t sent_first, sent_last; /* when the start left; milliseconds of the wall clock */
    char *ids;   /* of the remote runs, joined by commas; NULL: the reply did not come */
    char *earlier; /* the ids of the attempts before, joined likewise; NULL: none are known */
    size_t refused; /* how many more the provider refused to start */
    char *url;   /* of the first; may be NULL */
    struct capture *captures;
    size_t capture_count, capture_cap;
    bool sent; /* the run exists, or its start is lost */
    bool ended;
};

enum journal_use {
    JOURNAL_READ,  /* what is there, if it is; nothing is written, nothing locked */
    JOURNAL_SHARE, /* write, but only where no gate is at work on it, else read */
    JOURNAL_WRITE  /* write; a gate that is at work on it is a mistake */
};

struct journal; /* opaque */

/*
 * Opens the journal at path for a pipeline, named as messages name it, and reads it. A last line
 * that a crash has torn is dropped. NULL, with what is wrong added to d, for any other damage,
 * for a file that cannot be read or written as asked, and for one that another gate has locked.
 * Nothing of the file is changed then. The lock goes with journal_close, or the process.
 */
struct journal *journal_open(const char *path, enum journal_use use, const char *pipeline,
                             struct diags *d) USE_RESULT;
void journal_close(struct journal *j); /* NULL is allowed */

/* What is known of a run of this pipeline, or NULL. It is there until the journal is closed. */
const struct journal_entry *journal_find(const struct journal *j, const char *run);

/*
 * Names a start by all that makes it this one: its request without what is secret, and the commit
 * that is tested. A run that was started otherwise is no run of this gate. Free the text; NULL if
 * the request cannot be made.
 */
char *journal_start_mark(const struct binding *b) USE_RESULT;

/*
 * Each appends one event; -1 with err if it could not be written, and the file is then as it was.
 * Where nothing may be written (JOURNAL_READ) they do nothing. The entry need not be one of the
 * journal's: run, start, key, attempt, ids, refused, url and captures are read as the event needs
 * them. What journal_find tells stays as it was when the journal was opened.
 */
int journal_starting(struct journal *j, const struct journal_entry *entry, int64_t wall_ms,
                     struct err *e) USE_RESULT;
int journal_sent(struct journal *j, const struct journal_entry *entry, int64_t wall_ms,
                 struct err *e) USE_RESULT;
int journal_unsent(struct journal *j, const struct journal_entry *entry, int64_t wall_ms,
                   struct err *e) USE_RESULT;
int journal_started(struct journal *j, const struct journal_entry *entry, int64_t wall_ms,
                    struct err *e) USE_RESULT;
int journal_ended(struct journal *j, const struct journal_entry *entry, enum outcome outcome,
                  int64_t wall_ms, struct err *e) USE_RESULT;

/*
 * The gate has reported on these runs. The line is written when the journal is closed, as the last
 * thing: a gate that is killed before is taken up. One that cannot be written only makes the next
 * gate ask once more about runs that are over.
 */
void journal_over(struct journal *j, const char *const *runs, size_t count, int64_t wall_ms);

#endif
