/* SPDX-License-Identifier: MIT */
/* Tests engine/journal: what is known after every row of events, after a crash at every byte, and
 * after damage; and that two gates never write to one journal. */
#include "base/base.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "engine/journal.h"
#include "provider/definition.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static const int64_t epoch = INT64_C(1795000000000);

static char folder[512], path[600];

static int make_folder(void **state)
{
    const char *tmp = getenv("TMPDIR");

    (void)state;
    snprintf(folder, sizeof(folder), "%s/rungate-journal-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof(path), "%s/runs.jsonl", folder);
    return 0;
}

/* Nothing is left in it but the journal, whatever was tried. */
static int drop_folder(void **state)
{
    (void)state;
    secret_clear();
    if (unlink(path) && errno != ENOENT)
        return -1;
    return rmdir(folder);
}

/* --- common ----------------------------------------------------------------------------------- */

static void put(const char *text)
{
    struct err e = {""};
    struct buf b;

    buf_init(&b, BUF_CAP_TEXT);
    buf_adds(&b, text);
    assert_int_equal(file_write(path, &b, &e), 0);
    buf_free(&b);
}

/* Free the text. */
static char *content(void)
{
    struct err e = {""};
    struct buf b;

    buf_init(&b, BUF_CAP_TEXT);
    assert_int_equal(file_read(path, &b, &e), 0);
    return buf_detach(&b);
}

static void assert_holds(const char *expected)
{
    char *text = content();

    if (strcmp(text, expected) != 0)
        fail_msg("the journal holds\n%s\nexpected\n%s", text, expected);
    free(text);
}

static struct journal *open_as(enum journal_use use, const char *pipeline)
{
    struct diags d = {0};
    struct journal *j = journal_open(path, use, pipeline, &d);

    if (!j || d.count)
        fail_msg("%s", d.count ? d.items[0].text : "no journal, and no word why");
    return j;
}

/* It is refused with that message, of that line, and the file stays as it is. */
static void assert_refused(enum journal_use use, int line, const char *message)
{
    struct diags d = {0};
    char *before = content(), *after;
    struct journal *j = journal_open(path, use, "p.ini", &d);

    if (j || d.count != 1 || d.items[0].line != line || strcmp(d.items[0].file, path) != 0 ||
        !strstr(d.items[0].text, message))
        fail_msg("%zu mistakes, the first: %s:%d: %s\nexpected %d: %s", d.count,
                 d.count ? d.items[0].file : "", d.count ? d.items[0].line : 0,
                 d.count ? d.items[0].text : "", line, message);
    after = content();
    assert_string_equal(after, before);
    free(before);
    free(after);
    diags_free(&d);
}

static void add_entry(struct buf *b, const struct journal_entry *entry)
{
    if (!entry) {
        buf_adds(b, "none");
        return;
    }
    buf_addf(b, "%s %s %s #%d %d-%d", entry->run, entry->start, entry->key, (int)entry->attempt,
             (int)(entry->sent_first - epoch), (int)(entry->sent_last - epoch));
    if (entry->ids)
        buf_addf(b, " ids %s", entry->ids);
    if (entry->refused)
        buf_addf(b, " refused %zu", entry->refused);
    if (entry->url)
        buf_addf(b, " url %s", entry->url);
    for (size_t i = 0; i < entry->capture_count; i++)
        buf_addf(b, " %s=%s", entry->captures[i].name, entry->captures[i].value);
    if (entry->ended)
        buf_adds(b, " ended");
    if (!entry->sent)
        buf_adds(b, " not sent");
}

static void check_found(const char *what, const struct journal *j, const char *run,
                        const char *expected)
{
    struct buf b;

    buf_init(&b, BUF_CAP_TEXT);
    add_entry(&b, journal_find(j, run));
    if (strcmp(b.text, expected) != 0)
        fail_msg("%s, %s: got '%s', expected '%s'", what, run, b.text, expected);
    buf_free(&b);
}

static char *text_of(const char *text)
{
    return (char *)(uintptr_t)text;
}

static struct journal_entry entry_of(const char *run, int64_t attempt, const char *key)
{
    return (struct journal_entry){.run = text_of(run),
                                  .start = text_of("mark"),
                                  .key = text_of(key),
                                  .attempt = attempt};
}

/* --- rows of events --------------------------------------------------------------------------- */

/*
 * One letter an event: S starting, L it leaves, U unsent, I it is started, E ended, O over (and the
 * gate is at its end; another opens the journal). N: another attempt is starting, which has a
 * key of its own.
 */
static struct journal *play(struct journal *j, char event, int64_t at, int64_t *attempt)
{
    const char *const runs[] = {"load"};
    struct journal_entry entry;
    struct err e = {""};
    int rc = 0;

    *attempt += event == 'N';
    entry = entry_of("load", *attempt, *attempt == 1 ? "k1" : "k2");
    entry.ids = text_of(*attempt == 1 ? "11" : "22,23");
    switch (event) {
    case 'S':
    case 'N':
        rc = journal_starting(j, &entry, epoch + at, &e);
        break;
    case 'L':
        rc = journal_sent(j, &entry, epoch + at, &e);
        break;
    case 'U':
        rc = journal_unsent(j, &entry, epoch + at, &e);
        break;
    case 'I':
        rc = journal_started(j, &entry, epoch + at, &e);
        break;
    case 'E':
        rc = journal_ended(j, &entry, OUTCOME_FAILED, epoch + at, &e);
        break;
    case 'O':
        journal_over(j, runs, 1, epoch + at);
        journal_close(j);
        j = open_as(JOURNAL_WRITE, "p.ini");
        break;
    default:
        fail_msg("'%c' is no event", event);
    }
    if (rc)
        fail_msg("'%c': %s", event, e.text);
    return j;
}

static void test_events(void **state)
{
    static const struct {
        const char *events, *expected;
    } rows[] = {
        {"", "none"},
        /* each alone, if it can be */
        {"S", "none"},
        {"U", "none"},
        {"E", "none"},
        {"O", "none"},
        /* a start */
        {"SL", "load mark k1 #1 1-1"},
        {"SU", "none"},
        {"SLU", "none"},
        {"SI", "load mark k1 #1 1-1 ids 11"},
        {"SLI", "load mark k1 #1 1-1 ids 11"},
        {"SLE", "none"},
        {"SLIE", "load mark k1 #1 1-1 ids 11 ended"},
        /* sent again under its key: it may have had effect the first time */
        {"SLS", "load mark k1 #1 1-3"},
        {"SLSL", "load mark k1 #1 1-3"},
        {"SLSLSL", "load mark k1 #1 1-5"},
        {"SLSLI", "load mark k1 #1 1-3 ids 11"},
        {"SLSLU", "none"},
        /* sent again because it surely had none, or never left */
        {"SLUS", "none"},
        {"SLUSL", "load mark k1 #1 4-4"},
        {"SS", "none"},
        {"SSL", "load mark k1 #1 2-2"},
        /* another attempt */
        {"SLIEN", "none"},
        {"SLIENL", "load mark k2 #2 5-5"},
        {"SLIENLI", "load mark k2 #2 5-5 ids 22,23"},
        {"SLIENLIE", "load mark k2 #2 5-5 ids 22,23 ended"},
        {"SLENU", "none"},
        {"SLUNL", "load mark k2 #2 4-4"},
        /* what did not end is left for the next gate */
        {"SO", "none"},
        {"SLO", "load mark k1 #1 1-1"},
        {"SLIO", "load mark k1 #1 1-1 ids 11"},
        {"SLIEO", "none"},
        {"SLIOE", "load mark k1 #1 1-1 ids 11 ended"},
        {"SLIOEO", "none"},
        {"SLIOIEO", "none"},
        {"SLOIEO", "none"},
        {"SLOS", "load mark k1 #1 1-4"},
        {"SLIENLIO", "load mark k2 #2 5-5 ids 22,23"},
        /* and after its story another begins */
        {"SLIEOS", "none"},
        {"SLIEOSL", "load mark k1 #1 6-6"},
        {"SLIEOSLI", "load mark k1 #1 6-6 ids 11"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct journal *j = open_as(JOURNAL_WRITE, "p.ini");
        const char *expected = rows[i].expected;
        int64_t attempt = 1, at = 0;

        for (const char *event = rows[i].events; *event; event++)
            j = play(j, *event, ++at, &attempt);
        journal_close(j);
        for (int use = JOURNAL_READ; use <= JOURNAL_WRITE; use++) {
            j = open_as((enum journal_use)use, "p.ini");
            check_found(rows[i].events, j, "load", expected);
            check_found(rows[i].events, j, "other", "none");
            journal_close(j);
        }
        assert_int_equal(unlink(path), 0);
    }
}

/* What was found when it was opened is what this gate acts on, whatever it adds. */
static void test_found_stays(void **state)
{
    struct journal *j = open_as(JOURNAL_WRITE, "p.ini");
    int64_t attempt = 1;

    (void)state;
    play(j, 'S', 1, &attempt);
    play(j, 'L', 2, &attempt);
    check_found("new", j, "load", "none");
    journal_close(j);
    j = open_as(JOURNAL_WRITE, "p.ini");
    play(j, 'I', 3, &attempt);
    play(j, 'E', 4, &attempt);
    check_found("added to", j, "load", "load mark k1 #1 1-1");
    journal_close(j);
}

/* That the gate has reported is its last word: one that is killed before has not. */
static void test_over_is_written_at_the_end(void **state)
{
    static const char *const first[] = {"a"}, *const then[] = {"load", "b"};
    struct journal *j = open_as(JOURNAL_WRITE, "p.ini");
    int64_t attempt = 1;
    char *before, *after;

    (void)state;
    for (const char *event = "SLIE"; *event; event++)
        play(j, *event, 1, &attempt);
    before = content();
    journal_over(j, first, 1, epoch);
    journal_over(j, then, 2, epoch); /* the last one counts */
    assert_holds(before);
    journal_close(j);
    after = content();
    assert_memory_equal(after, before, strlen(before));
    assert_non_null(strstr(after + strlen(before), "\"over\""));
    assert_non_null(strstr(after + strlen(before), "[\"load\",\"b\"]"));
    assert_null(strstr(after + strlen(before), "\"a\""));
    free(before);
    free(after);
    journal_close(NULL);
}

/* All that the next gate needs to go on, with the texts that a provider may choose. */
static void test_round_trip(void **state)
{
    struct capture captures[] = {{text_of("region"), text_of("eu \"1\"\n\xC3\xA9")},
                                 {text_of("empty"), text_of("")}};
    struct journal *j = open_as(JOURNAL_WRITE, "p.ini");
    struct journal_entry entry = entry_of("load", 7, "0123456789abcdef");
    struct err e = {""};

    (void)state;
    entry.ids = text_of("5000000017,a-b_c.d~e:f@g+h=,9007199254740993");
    entry.refused = 3;
    entry.url = text_of("https://app.example/runs/5000000017?a=\"b\"&c=\\d");
    entry.captures = captures;
    entry.capture_count = ARRAY_LEN(captures);
    assert_int_equal(journal_starting(j, &entry, epoch + 123, &e), 0);
    assert_int_equal(journal_started(j, &entry, epoch + 456, &e), 0);
    journal_close(j);
    j = open_as(JOURNAL_READ, "p.ini");
    check_found("round trip", j, "load",
                "load mark 0123456789abcdef #7 123-123 "
                "ids 5000000017,a-b_c.d~e:f@g+h=,9007199254740993 refused 3 "
                "url https://app.example/runs/5000000017?a=\"b\"&c=\\d "
                "region=eu \"1\"\n\xC3\xA9 empty=");
    journal_close(j);
}

/* What a provider says is of any size, and what was written can be read. */
static void test_very_many_refused(void **state)
{
    struct journal *j = open_as(JOURNAL_WRITE, "p.ini");
    struct journal_entry entry = entry_of("load", 1, "k");
    struct err e = {""};

    (void)state;
    entry.ids = text_of("11");
    entry.refused = 1000000;
    assert_int_equal(journal_starting(j, &entry, epoch, &e), 0);
    assert_int_equal(journal_started(j, &entry, epoch, &e), 0);
    journal_close(j);
    j = open_as(JOURNAL_READ, "p.ini");
    check_found("refused", j, "load", "load mark k #1 0-0 ids 11 refused 1000000");
    journal_close(j);
}

/* A secret that a provider echoes stands in no file. */
static void test_secrets_are_starred(void **state)
{
    struct capture capture = {text_of("echo"), text_of("s3cret/\"token\"!")};
    struct journal *j = open_as(JOURNAL_WRITE, "p.ini");
    struct journal_entry entry = entry_of("load", 1, "k");
    struct err e = {""};
    char *text;

    (void)state;
    secret_add("s3cret/\"token\"");
    entry.ids = text_of("11");
    entry.captures = &capture;
    entry.capture_count = 1;
    entry.url = text_of("https://app.example/?t=s3cret/\"token\"&u=s3cret%2F%22token%22");
    assert_int_equal(journal_starting(j, &entry, epoch, &e), 0);
    assert_int_equal(journal_started(j, &entry, epoch, &e), 0);
    journal_close(j);
    text = content();
    assert_null(strstr(text, "s3cret"));
    free(text);
    j = open_as(JOURNAL_READ, "p.ini");
    check_found("secret", j, "load",
                "load mark k #1 0-0 ids 11 url https://app.example/?t=***&u=*** echo=***!");
    journal_close(j);
}

/* But one that is a common word makes no run be forgotten: it would be started again. */
static void test_secrets_that_are_words(void **state)
{
    static const char *const words[] = {"load", "p.ini", "mark", "key-1", "sent", "started",
                                        "event", "2026"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        struct journal *j = open_as(JOURNAL_WRITE, "p.ini");
        struct journal_entry entry = entry_of("load", 1, "key-1");
        struct err e = {""};

        secret_add(words[i]);
        entry.ids = text_of("11");
        assert_int_equal(journal_starting(j, &entry, epoch, &e), 0);
        assert_int_equal(journal_sent(j, &entry, epoch, &e), 0);
        assert_int_equal(journal_started(j, &entry, epoch, &e), 0);
        journal_close(j);
        j = open_as(JOURNAL_READ, "p.ini");
        check_found(words[i], j, "load", "load mark key-1 #1 0-0 ids 11");
        journal_close(j);
        assert_int_equal(unlink(path), 0);
        secret_clear();
    }
}

/* The interval in which a start may have left covers all that any clock said. */
static void test_clock_turned_back(void **state)
{
    static const int64_t sent[] = {5000, 1000, 3000};
    struct journal *j = open_as(JOURNAL_WRITE, "p.ini");
    struct err e = {""};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sent); i++) {
        struct journal_entry entry = entry_of("load", 1, "k");

        assert_int_equal(journal_starting(j, &entry, epoch + sent[i], &e), 0);
        assert_int_equal(journal_sent(j, &entry, epoch + sent[i], &e), 0);
    }
    journal_close(j);
    j = open_as(JOURNAL_READ, "p.ini");
    check_found("clock", j, "load", "load mark k #1 1000-5000");
    journal_close(j);
}

/* --- whose lines ------------------------------------------------------------------------------ */

#define AT "\"at\":\"2026-11-23T07:04:05.000Z\""
#define OF(run) "\"pipeline\":\"p.ini\",\"run\":\"" run "\",\"attempt\":1"
#define STARTING                                                                                   \
    "{\"event\":\"starting\"," AT "," OF("load") ",\"start\":\"m\",\"key\":\"k\",\"boot\":\"\"}\n"
#define SENT "{\"event\":\"sent\"," AT "," OF("load") "}\n"
#define STARTED "{\"event\":\"started\"," AT "," OF("load") ",\"ids\":[\"11\"],\"refused\":0}\n"

static void test_other_pipelines(void **state)
{
    static const char *const pipelines[] = {"p.ini", "./p.ini", "q.ini", "ci/p.ini", "-"};
    struct err e = {""};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(pipelines); i++) {
        struct journal *j = open_as(JOURNAL_WRITE, pipelines[i]);
        struct journal_entry entry = entry_of("load", (int64_t)i + 1, "k");

        check_found(pipelines[i], j, "load", i == 1 ? "load mark k #1 0-0" : "none");
        assert_int_equal(journal_starting(j, &entry, epoch + (int64_t)i, &e), 0);
        assert_int_equal(journal_sent(j, &entry, epoch + (int64_t)i, &e), 0);
        journal_close(j);
    }
    for (size_t i = 0; i < ARRAY_LEN(pipelines); i++) {
        struct journal *j = open_as(JOURNAL_READ, pipelines[i]);
        char expected[100];

        /* The second is the first by another name. */
        snprintf(expected, sizeof(expected), "load mark k #%d %d-%d", i < 2 ? 2 : (int)i + 1,
                 i < 2 ? 0 : (int)i, i < 2 ? 1 : (int)i);
        check_found(pipelines[i], j, "load", expected);
        journal_close(j);
    }
}

/* A path may hold any bytes; a line of JSON may not. */
static void test_pipeline_that_is_no_text(void **state)
{
    static const char pipeline[] = "caf\xE9.ini";
    struct journal *j = open_as(JOURNAL_WRITE, pipeline);
    int64_t attempt = 1;

    (void)state;
    for (const char *event = "SLI"; *event; event++)
        play(j, *event, 1, &attempt);
    journal_close(j);
    j = open_as(JOURNAL_READ, pipeline);
    check_found("no text", j, "load", "load mark k1 #1 1-1 ids 11");
    journal_close(j);
}

/* Runs of one pipeline are apart. */
static void test_several_runs(void **state)
{
    static const char *const names[] = {"load"};
    struct journal_entry load = entry_of("load", 1, "k"), ui = entry_of("ui", 2, "l");
    struct journal *j = open_as(JOURNAL_WRITE, "p.ini");
    struct err e = {""};

    (void)state;
    load.ids = text_of("11");
    assert_int_equal(journal_starting(j, &load, epoch, &e), 0);
    assert_int_equal(journal_starting(j, &ui, epoch + 1, &e), 0);
    assert_int_equal(journal_sent(j, &ui, epoch + 2, &e), 0);
    assert_int_equal(journal_started(j, &load, epoch + 3, &e), 0);
    assert_int_equal(journal_ended(j, &load, OUTCOME_PASSED, epoch + 4, &e), 0);
    journal_over(j, names, 1, epoch + 5);
    journal_close(j);
    j = open_as(JOURNAL_READ, "p.ini");
    check_found("several", j, "load", "none");
    check_found("several", j, "ui", "ui mark l #2 1-1");
    journal_close(j);
}

/* Where the machine was started anew since, or that cannot be told, "sent" may have been lost. */
static void test_boot(void **state)
{
    static const struct {
        const char *boot;
        bool sent, found;
    } rows[] = {
        {"", false, true},
        {"another", false, true},
        {"another", true, true},
        {NULL, false, false}, /* this one */
        {NULL, true, true},
    };
    struct err e = {""};
    struct buf own;

    (void)state;
    buf_init(&own, BUF_CAP_TEXT);
    if (file_read("/proc/sys/kernel/random/boot_id", &own, &e))
        skip();
    buf_truncate(&own, strcspn(own.text, "\n"));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct journal *j;
        struct buf b;

        buf_init(&b, BUF_CAP_TEXT);
        buf_addf(&b,
                 "{\"event\":\"starting\"," AT "," OF(
                     "load") ",\"start\":\"m\",\"key\":\"k\",\"boot\":\"%s\"}\n%s",
                 rows[i].boot ? rows[i].boot : own.text, rows[i].sent ? SENT : "");
        put(b.text);
        j = open_as(JOURNAL_READ, "p.ini");
        if ((journal_find(j, "load") != NULL) != rows[i].found)
            fail_msg("row %zu: %s", i, rows[i].found ? "forgotten" : "found");
        journal_close(j);
        buf_free(&b);
    }
    buf_free(&own);
}

/* --- crashes and damage ----------------------------------------------------------------------- */

/* A crash while the last line is written, at any byte: what stood before it counts, and what is
 * written next stands in its place. */
static void test_torn_tail(void **state)
{
    static const char *const before = STARTING SENT, *const last = STARTED;
    struct err e = {""};

    (void)state;
    for (size_t len = 0; len <= strlen(last); len++) {
        bool whole = len == strlen(last);
        struct journal_entry entry = entry_of("ui", 1, "u");
        const struct journal_entry *found;
        struct journal *j;
        struct buf b;
        char *text;

        buf_init(&b, BUF_CAP_TEXT);
        buf_addf(&b, "%s%.*s", before, (int)len, last);
        put(b.text);
        for (int use = JOURNAL_READ; use <= JOURNAL_WRITE; use++) {
            j = open_as((enum journal_use)use, "p.ini");
            found = journal_find(j, "load");
            if (!found || (found->ids != NULL) != whole)
                fail_msg("cut at byte %zu", len);
            journal_close(j);
            assert_holds(b.text);
        }
        j = open_as(JOURNAL_WRITE, "p.ini");
        assert_int_equal(journal_starting(j, &entry, epoch, &e), 0);
        journal_close(j);
        text = content();
        buf_clear(&b);
        buf_addf(&b, "%s%s", before, whole ? last : "");
        assert_memory_equal(text, b.text, b.len);
        assert_memory_equal(text + b.len, "{\"event\":\"starting\"", 19);
        assert_int_equal(text[strlen(text) - 1], '\n');
        journal_close(open_as(JOURNAL_WRITE, "p.ini"));
        free(text);
        buf_free(&b);
    }
}

/* Nothing whole is there at all. */
static void test_torn_first_line(void **state)
{
    static const char *const tails[] = {"", "{", "{\"event\":\"starting\",\"at\":\xFF\xFE"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(tails); i++) {
        struct journal *j;
        int64_t attempt = 1;

        put(tails[i]);
        j = open_as(JOURNAL_WRITE, "p.ini");
        check_found("torn", j, "load", "none");
        play(j, 'S', 1, &attempt);
        play(j, 'L', 2, &attempt);
        journal_close(j);
        j = open_as(JOURNAL_READ, "p.ini");
        check_found("torn", j, "load", "load mark k1 #1 1-1");
        journal_close(j);
    }
}

static void test_damage(void **state)
{
    static const struct {
        const char *text;
        int line;
        const char *message;
    } rows[] = {
        {"\n", 1, ""},
        {"no journal\n", 1, ""},
        {"no journal", 1, "neither has it an end"}, /* a file of another kind, named by mistake */
        {"{ \"event\"", 1, "neither has it an end"},
        {"[", 1, ""},
        {"[]\n", 1, "'' is no event of a journal"},
        {"{}\n", 1, "'' is no event of a journal"},
        {"{\"event\":\"begun\"," AT "," OF("load") "}\n", 1, "'begun' is no event of a journal"},
        {"{\"event\":1," AT "," OF("load") "}\n", 1, "'1' is no event of a journal"},
        {"{\"event\":\"unsent\",\"event\":\"unsent\"," AT "," OF("load") "}\n", 1, ""},
        {"{\"event\":\"unsent\"," OF("load") "}\n", 1, "'' is no time"},
        {"{\"event\":\"unsent\",\"at\":\"yesterday\"," OF("load") "}\n", 1,
         "'yesterday' is no time"},
        {"{\"event\":\"unsent\",\"at\":0," OF("load") "}\n", 1, "'0' is no time"},
        {"{\"event\":\"unsent\"," AT ",\"pipeline\":\"p.ini\",\"attempt\":1}\n", 1,
         "it does not say which attempt of which run it is about"},
        {"{\"event\":\"unsent\"," AT ",\"pipeline\":\"p.ini\",\"run\":\"load\"}\n", 1,
         "it does not say which attempt"},
        {"{\"event\":\"unsent\"," AT ",\"pipeline\":\"p.ini\",\"run\":\"load\",\"attempt\":0}\n", 1,
         "it does not say which attempt"},
        {"{\"event\":\"unsent\"," AT ",\"pipeline\":\"p.ini\",\"run\":\"load\",\"attempt\":1.5}\n",
         1, "it does not say which attempt"},
        {"{\"event\":\"over\"," AT ",\"pipeline\":\"p.ini\"}\n", 1,
         "it does not say which runs it is about"},
        {SENT, 1, "a start left that nobody announced"},
        {STARTED, 1, "a run was started that nobody started"},
        {STARTING "{\"event\":\"started\"," AT "," OF("load") ",\"refused\":0}\n", 2,
         "it does not say which run was started"},
        {STARTING "{\"event\":\"started\"," AT "," OF("load") ",\"ids\":[],\"refused\":0}\n", 2,
         "it does not say which run was started"},
        {STARTING "{\"event\":\"started\"," AT "," OF("load") ",\"ids\":[\"1\"]}\n", 2,
         "it does not say which run was started"},
        {STARTING "{\"event\":\"started\"," AT "," OF("load") ",\"ids\":[\"1\"],\"refused\":-1}\n",
         2, "it does not say which run was started"},
        {STARTING "{\"event\":\"started\"," AT "," OF("load") ",\"ids\":[\"/\"],\"refused\":0}\n",
         2, "the run's id holds a character that no id has"},
        {STARTING "{\"event\":\"started\"," AT "," OF("load") ",\"ids\":[null],\"refused\":0}\n", 2,
         "the run's id is empty"},
        /* in the middle, and of another pipeline */
        {STARTING SENT "\n" STARTED, 3, ""},
        {STARTING "{\"event\":\"sen" STARTED, 2, ""},
        {STARTING "{\"event\":\"gone\"," AT ",\"pipeline\":\"q.ini\"}\n" STARTED, 2,
         "'gone' is no event of a journal"},
        {STARTING STARTING SENT "{\"event\":\"sent\",\"pipeline\":\"q.ini\"}\n", 4,
         "'' is no time"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf message;

        put(rows[i].text);
        buf_init(&message, BUF_CAP_TEXT);
        buf_addf(&message, "this is no line of a journal: %s", rows[i].message);
        for (int use = JOURNAL_READ; use <= JOURNAL_WRITE; use++)
            assert_refused((enum journal_use)use, rows[i].line, message.text);
        buf_free(&message);
    }
}

/* A byte that is no text is damage as well, where a line is whole. */
static void test_bytes_that_are_no_text(void **state)
{
    struct err e = {""};
    struct buf b;

    (void)state;
    buf_init(&b, BUF_CAP_TEXT);
    buf_adds(&b, STARTING);
    buf_add(&b, "\0\0\0\n", 4); /* as a file system may leave behind */
    assert_int_equal(file_write(path, &b, &e), 0);
    assert_refused(JOURNAL_WRITE, 2, "this is no line of a journal: ");
    buf_truncate(&b, b.len - 1);
    assert_int_equal(file_write(path, &b, &e), 0);
    journal_close(open_as(JOURNAL_WRITE, "p.ini"));
    buf_free(&b);
}

/* The disk is full in the midst of a line: played by the limit on the size of files. */
static void test_write_fails(void **state)
{
    static const rlim_t rooms[] = {0, 1, 40};
    static const char *const runs[] = {"load"};
    struct rlimit before;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    for (size_t i = 0; i < ARRAY_LEN(rooms); i++) {
        struct journal_entry entry = entry_of("load", 1, "k1");
        struct rlimit small = before;
        struct err errors[5] = {{""}};
        int rcs[ARRAY_LEN(errors)];
        int64_t attempt = 1;
        struct journal *j;
        char *text;

        put(STARTING SENT "{\"event"); /* what a write leaves behind is no worse than that */
        j = open_as(JOURNAL_WRITE, "p.ini");
        play(j, 'S', 1, &attempt);
        text = content();
        entry.ids = text_of("11");
        small.rlim_cur = (rlim_t)strlen(text) + rooms[i];
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        rcs[0] = journal_starting(j, &entry, epoch, &errors[0]);
        rcs[1] = journal_sent(j, &entry, epoch, &errors[1]);
        rcs[2] = journal_unsent(j, &entry, epoch, &errors[2]);
        rcs[3] = journal_started(j, &entry, epoch, &errors[3]);
        rcs[4] = journal_ended(j, &entry, OUTCOME_PASSED, epoch, &errors[4]);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        for (size_t k = 0; k < ARRAY_LEN(errors); k++) {
            assert_int_equal(rcs[k], -1);
            assert_true(text_starts(errors[k].text, "the journal "));
            assert_non_null(strstr(errors[k].text, path));
            assert_true(text_ends(errors[k].text, strerror(EFBIG)));
        }
        assert_holds(text);
        /* There is room again. */
        play(j, 'L', 2, &attempt);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        journal_over(j, runs, 1, epoch);
        journal_close(j);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        j = open_as(JOURNAL_READ, "p.ini");
        check_found("full", j, "load", "load mark k1 #1 1-1");
        journal_close(j);
        free(text);
    }
}

/* --- opening ---------------------------------------------------------------------------------- */

static void test_read_makes_nothing(void **state)
{
    struct journal_entry entry = entry_of("load", 1, "k");
    static const char *const runs[] = {"load"};
    struct journal *j = open_as(JOURNAL_READ, "p.ini");
    struct err e = {""};

    (void)state;
    check_found("missing", j, "load", "none");
    entry.ids = text_of("11");
    assert_int_equal(journal_starting(j, &entry, epoch, &e), 0);
    assert_int_equal(journal_sent(j, &entry, epoch, &e), 0);
    assert_int_equal(journal_unsent(j, &entry, epoch, &e), 0);
    assert_int_equal(journal_started(j, &entry, epoch, &e), 0);
    assert_int_equal(journal_ended(j, &entry, OUTCOME_PASSED, epoch, &e), 0);
    journal_over(j, runs, 1, epoch);
    journal_close(j);
    assert_int_equal(access(path, F_OK), -1);
    /* Nor is anything added to what is there. */
    put(STARTING SENT);
    j = open_as(JOURNAL_READ, "p.ini");
    assert_int_equal(journal_unsent(j, &entry, epoch, &e), 0);
    journal_over(j, runs, 1, epoch);
    journal_close(j);
    assert_holds(STARTING SENT);
}

static void test_folders_are_made(void **state)
{
    char below[700];
    struct diags d = {0};
    struct journal *j;

    (void)state;
    for (int use = JOURNAL_SHARE; use <= JOURNAL_WRITE; use++) {
        snprintf(below, sizeof(below), "%s/a/b/j", folder);
        j = journal_open(below, (enum journal_use)use, "p.ini", &d);
        assert_non_null(j);
        assert_int_equal(d.count, 0);
        journal_close(j);
        assert_int_equal(unlink(below), 0);
        snprintf(below, sizeof(below), "%s/a/b", folder);
        assert_int_equal(rmdir(below), 0);
        snprintf(below, sizeof(below), "%s/a", folder);
        assert_int_equal(rmdir(below), 0);
    }
}

static void test_no_file(void **state)
{
    static const struct {
        const char *name;
        enum journal_use use;
        const char *message;
    } rows[] = {
        {"", JOURNAL_READ, "the journal must be a file"},
        {"", JOURNAL_SHARE, "the journal cannot be opened: "},
        {"", JOURNAL_WRITE, "the journal cannot be opened: "},
        {"runs.jsonl", JOURNAL_READ, "the journal must be a file"},
        {"runs.jsonl", JOURNAL_WRITE, "the journal must be a file"},
        {"runs.jsonl/below", JOURNAL_READ, "the journal cannot be opened: "},
        {"runs.jsonl/below", JOURNAL_WRITE, "the journal cannot be opened: "},
    };

    (void)state;
    assert_int_equal(mkfifo(path, 0600), 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct diags d = {0};
        char name[700];

        snprintf(name, sizeof(name), "%s/%s", folder, rows[i].name);
        assert_null(journal_open(name, rows[i].use, "p.ini", &d));
        assert_int_equal(d.count, 1);
        assert_string_equal(d.items[0].file, name);
        if (!text_starts(d.items[0].text, rows[i].message))
            fail_msg("'%s': %s", rows[i].name, d.items[0].text);
        diags_free(&d);
    }
}

/* Another process, which has the journal open; it ends when its end of the pipe is closed. */
static pid_t other_gate(int *end)
{
    int ready[2], go[2];
    char byte;
    pid_t pid;

    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(go), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        struct diags d = {0};
        struct journal *j = journal_open(path, JOURNAL_WRITE, "p.ini", &d);

        close(go[1]);
        _exit(!j || write(ready[1], "x", 1) != 1 || read(go[0], &byte, 1) != 0);
    }
    close(go[0]);
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    *end = go[1];
    return pid;
}

static void end_gate(pid_t pid, int end)
{
    int status;

    close(end);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void test_lock(void **state)
{
    struct journal_entry entry = entry_of("ui", 1, "k");
    struct err e = {""};
    char message[100];
    struct journal *j;
    int end;
    pid_t pid;

    (void)state;
    put(STARTING SENT);
    pid = other_gate(&end);
    snprintf(message, sizeof(message),
             "another gate is at work with this journal (process %ld); nothing was started",
             (long)pid);
    assert_refused(JOURNAL_WRITE, 0, message);
    /* Who may only look, and who would write if nobody else did, look. */
    for (int use = JOURNAL_READ; use <= JOURNAL_SHARE; use++) {
        j = open_as((enum journal_use)use, "p.ini");
        assert_non_null(journal_find(j, "load"));
        assert_int_equal(journal_starting(j, &entry, epoch, &e), 0);
        journal_close(j);
        assert_holds(STARTING SENT);
    }
    assert_refused(JOURNAL_WRITE, 0, message); /* and have not taken the lock away */
    end_gate(pid, end);
    /* With the process its lock is gone. */
    for (int use = JOURNAL_SHARE; use <= JOURNAL_WRITE; use++) {
        put(STARTING SENT);
        j = open_as((enum journal_use)use, "p.ini");
        assert_int_equal(journal_starting(j, &entry, epoch, &e), 0);
        assert_int_equal(journal_sent(j, &entry, epoch, &e), 0);
        journal_close(j);
        j = open_as(JOURNAL_READ, "p.ini");
        assert_non_null(journal_find(j, "ui"));
        journal_close(j);
    }
}

/* --- which start it was ----------------------------------------------------------------------- */

static const char *environment(const char *name)
{
    return strcmp(name, "ONE") == 0 ? "secret-1" : strcmp(name, "TWO") == 0 ? "secret-2" : NULL;
}

/* The mark of the start that these keys of a definition and of a run make. Free the text. */
static char *mark_of(const char *definition, const char *keys, const char *commit)
{
    static const struct vars vars = {.getenv = environment};
    struct pipeline_source source = {.file = "p.ini", .vars = vars};
    struct ci ci = {.values = {[CI_SHA] = text_of(commit)}};
    struct definition_entry entries[20];
    struct provider provider = {0};
    struct pipeline pipeline;
    struct binding binding;
    struct diags d = {0};
    struct ini ini;
    struct buf text;
    char *mark;

    buf_init(&text, BUF_CAP_TEXT);
    buf_addf(&text, "[provider:x]\n%s", definition);
    ini_load(&ini, "d.ini", text.text, text.len, &d);
    for (size_t i = 0; i < ini.sections[0].count; i++)
        entries[i] = (struct definition_entry){"d.ini", &ini.sections[0].entries[i]};
    provider.name = mem_strdup("x");
    provider.file = mem_strdup("d.ini");
    definition_read(&provider, entries, ini.sections[0].count, &d);
    buf_clear(&text);
    buf_addf(&text, "[run:r]\nprovider = x\n%s", keys);
    source.text = text.text;
    source.len = text.len;
    pipeline_load(&pipeline, &source, &d);
    binding_make(&binding, &pipeline, &pipeline.runs[0], &provider, &ci, &vars, &d, &d);
    if (d.count)
        fail_msg("%s: %s", keys, d.items[0].text);
    mark = journal_start_mark(&binding);
    binding_free(&binding);
    pipeline_free(&pipeline);
    provider_free(&provider);
    ini_free(&ini);
    diags_free(&d);
    buf_free(&text);
    secret_clear();
    return mark;
}

#define DEFINED(start)                                                                             \
    "base_url = https://api.example\nauth = A: {token}\nparam.token = secret\n"                    \
    "param.n = string\nheaders = X-From: {n}\n" start "\nstart.id = /id\n"
#define POST DEFINED("start = POST /go\nstart.query.q = {n}")
#define PUT DEFINED("start = PUT /go\nstart.query.q = {n}")
#define BODY DEFINED("start = POST /go\nstart.body./q = {n}")

static void test_start_mark(void **state)
{
    static const struct {
        const char *definition, *keys, *commit;
    } rows[] = {
        {POST, "token = ${ONE}\nn = 1\n", NULL},
        {PUT, "token = ${ONE}\nn = 1\n", NULL},
        {BODY, "token = ${ONE}\nn = 1\n", NULL},
        {POST, "token = ${ONE}\nn = 2\n", NULL},
        {BODY, "token = ${ONE}\nn = 2\n", NULL},
        {POST, "token = ${ONE}\n", NULL},
        {POST, "token = ${ONE}\nn = 1\nbase_url = http://127.0.0.1:1\n", NULL},
        {POST, "token = ${ONE}\nn = 1\n", "abc"},
        {POST, "token = ${ONE}\nn = 1\n", "abd"},
    };
    char *marks[ARRAY_LEN(rows)];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        static const char other_secret[] = "token = ${TWO}\n";
        const char *rest = strchr(rows[i].keys, '\n') + 1;
        struct buf keys;
        char *again;

        marks[i] = mark_of(rows[i].definition, rows[i].keys, rows[i].commit);
        assert_non_null(marks[i]);
        assert_int_equal(strlen(marks[i]), 16);
        for (size_t j = 0; j < i; j++) {
            if (strcmp(marks[i], marks[j]) == 0)
                fail_msg("rows %zu and %zu make one start", j, i);
        }
        /* With another token, it is the same start. */
        buf_init(&keys, BUF_CAP_TEXT);
        buf_addf(&keys, "%s%s", other_secret, rest);
        again = mark_of(rows[i].definition, keys.text, rows[i].commit);
        assert_string_equal(again, marks[i]);
        free(again);
        buf_free(&keys);
    }
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        free(marks[i]);
    /* A request that cannot be made is no start. */
    assert_null(mark_of(DEFINED("start = POST /go/{n}"), "token = ${ONE}\nn = ..\n", NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_events, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_found_stays, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_over_is_written_at_the_end, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_round_trip, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_very_many_refused, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_secrets_are_starred, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_clock_turned_back, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_secrets_that_are_words, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_other_pipelines, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_pipeline_that_is_no_text, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_several_runs, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_boot, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_torn_tail, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_torn_first_line, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_damage, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_bytes_that_are_no_text, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_write_fails, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_read_makes_nothing, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_folders_are_made, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_no_file, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_lock, make_folder, drop_folder),
        cmocka_unit_test(test_start_mark),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
