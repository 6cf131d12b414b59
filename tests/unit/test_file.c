/* SPDX-License-Identifier: MIT */
/* Tests base/file: whole files are written or nothing is, and nobody finds a part of one. */
#include "base/base.h"

#include "base/file.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

enum { NOBODY = 65534 };

static char folder[512];

/* The path of name inside the test's folder; two can be in use at a time. */
static const char *in_folder(const char *name)
{
    static char paths[2][1024];
    static int turn;

    turn = !turn;
    snprintf(paths[turn], sizeof(paths[turn]), "%s/%s", folder, name);
    return paths[turn];
}

static int make_folder(void **state)
{
    const char *tmp = getenv("TMPDIR");

    (void)state;
    snprintf(folder, sizeof(folder), "%s/rungate-file-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    return mkdtemp(folder) ? 0 : -1;
}

static void remove_tree(const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        char inside[2048];

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(inside, sizeof(inside), "%s/%s", path, entry->d_name);
        if (unlink(inside))
            remove_tree(inside);
    }
    if (dir)
        closedir(dir);
    rmdir(path);
}

static int drop_folder(void **state)
{
    (void)state;
    chmod(folder, 0700);
    remove_tree(folder);
    return 0;
}

static size_t entries_in(const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;
    size_t count = 0;

    assert_non_null(dir);
    while ((entry = readdir(dir)))
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(dir);
    return count;
}

static int write_text(const char *path, const char *text, struct err *e)
{
    struct buf b;
    int rc;

    memset(e, 0, sizeof(*e));
    buf_init(&b, BUF_CAP_TEXT);
    buf_adds(&b, text);
    rc = file_write(path, &b, e);
    buf_free(&b);
    return rc;
}

static void assert_holds(const char *path, const char *expected)
{
    struct err e = {.text = ""};
    struct buf b;

    buf_init(&b, BUF_CAP_TEXT);
    if (file_read(path, &b, &e))
        fail_msg("%s", e.text);
    if (strcmp(b.text, expected) != 0)
        fail_msg("%s holds '%s', expected '%s'", path, b.text, expected);
    buf_free(&b);
}

static void assert_refused(const char *path, const char *text, int error)
{
    struct err e;

    if (!write_text(path, text, &e))
        fail_msg("%s: written, should be refused", path);
    if (!text_starts(e.text, "cannot write ") || !strstr(e.text, path) ||
        !text_ends(e.text, strerror(error)))
        fail_msg("%s: expected '%s', got: %s", path, strerror(error), e.text);
}

static void test_write_and_read(void **state)
{
    static const char *const texts[] = {"", "x", "line\n", "a longer text than the one before\n"};
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        assert_int_equal(write_text(in_folder("report.xml"), texts[i], &e), 0);
        assert_string_equal(e.text, "");
        assert_holds(in_folder("report.xml"), texts[i]);
    }
    assert_int_equal(write_text(in_folder("report.xml"), "short", &e), 0);
    assert_holds(in_folder("report.xml"), "short");
    assert_int_equal(entries_in(folder), 1);
}

static void test_write_large(void **state)
{
    struct err e = {.text = ""};
    struct buf out, in;

    (void)state;
    buf_init(&out, BUF_CAP_TEXT);
    buf_init(&in, BUF_CAP_TEXT);
    for (int i = 0; i < 300000; i++)
        buf_addf(&out, "%d%c", i, i % 7 ? '\n' : '\0');
    assert_int_equal(file_write(in_folder("large"), &out, &e), 0);
    assert_int_equal(file_read(in_folder("large"), &in, &e), 0);
    assert_int_equal(in.len, out.len);
    assert_memory_equal(in.text, out.text, out.len);
    buf_free(&out);
    buf_free(&in);
}

static void test_write_new_folders(void **state)
{
    struct err e;

    (void)state;
    assert_int_equal(write_text(in_folder("a/b/c/report.xml"), "x", &e), 0);
    assert_holds(in_folder("a/b/c/report.xml"), "x");
    assert_int_equal(write_text(in_folder("a//b/./d//report.xml"), "y", &e), 0);
    assert_holds(in_folder("a/b/d/report.xml"), "y");
    assert_int_equal(entries_in(in_folder("a/b/c")), 1);
}

static void test_write_relative(void **state)
{
    char before[1024];
    struct err e;

    (void)state;
    assert_non_null(getcwd(before, sizeof(before)));
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(write_text("plain", "1", &e), 0);
    assert_int_equal(write_text("new/plain", "2", &e), 0);
    assert_int_equal(chdir(before), 0);
    assert_holds(in_folder("plain"), "1");
    assert_holds(in_folder("new/plain"), "2");
}

static void test_write_impossible(void **state)
{
    struct err e;

    (void)state;
    assert_int_equal(write_text(in_folder("file"), "old", &e), 0);
    assert_int_equal(mkdir(in_folder("dir"), 0777), 0);
    assert_refused(in_folder("dir"), "x", EISDIR);
    assert_refused(in_folder("dir/"), "x", EISDIR);
    assert_refused(in_folder("file/below"), "x", ENOTDIR);
    assert_refused(in_folder("file/"), "x", ENOTDIR);
    assert_int_equal(write_text("", "x", &e), -1);
    assert_int_equal(entries_in(in_folder("dir")), 0);
    assert_holds(in_folder("file"), "old");
    assert_int_equal(entries_in(folder), 2);
}

/* Root may write everywhere, so for this test it becomes somebody else. */
static void test_write_read_only_folder(void **state)
{
    bool root = geteuid() == 0;
    const char *path = in_folder("kept");
    struct err e;
    int rc;

    (void)state;
    assert_int_equal(write_text(path, "old", &e), 0);
    assert_int_equal(chmod(folder, 0555), 0);
    if (root && seteuid(NOBODY)) {
        assert_int_equal(chmod(folder, 0700), 0);
        skip();
    }
    rc = write_text(path, "new", &e);
    if (root)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(chmod(folder, 0700), 0);
    assert_int_equal(rc, -1);
    assert_true(text_ends(e.text, strerror(EACCES)));
    assert_holds(path, "old");
    assert_int_equal(entries_in(folder), 1);
}

/* The disk is full in the midst of writing: played by the limit on the size of files. */
static void test_write_fails_halfway(void **state)
{
    const char *path = in_folder("kept"), *other = in_folder("other");
    struct rlimit before, small;
    struct buf b;
    struct err e, e2 = {.text = ""};
    int rc, rc2;

    (void)state;
    assert_int_equal(write_text(path, "old", &e), 0);
    memset(&e, 0, sizeof(e));
    buf_init(&b, BUF_CAP_TEXT);
    for (int i = 0; i < 100000; i++)
        buf_addc(&b, 'x');
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 4096;
    assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    rc = file_write(path, &b, &e);
    rc2 = file_write(other, &b, &e2);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(rc, -1);
    assert_int_equal(rc2, -1);
    assert_true(text_ends(e.text, strerror(EFBIG)));
    assert_true(text_ends(e2.text, strerror(EFBIG)));
    assert_holds(path, "old");
    assert_int_equal(entries_in(folder), 1);
    buf_free(&b);
}

static void test_write_mode(void **state)
{
    static const struct {
        mode_t mask, expected;
    } rows[] = {{022, 0644}, {077, 0600}, {0, 0666}, {027, 0640}};
    mode_t before = umask(0);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct stat st;
        struct err e;

        umask(rows[i].mask);
        assert_int_equal(write_text(in_folder("report"), "x", &e), 0);
        assert_int_equal(stat(in_folder("report"), &st), 0);
        if ((st.st_mode & 0777) != rows[i].expected)
            fail_msg("umask %03o: mode %03o", (unsigned)rows[i].mask,
                     (unsigned)(st.st_mode & 0777));
        /* The mask is what it was. */
        assert_int_equal(umask(0), rows[i].mask);
    }
    umask(before);
}

/* What cannot be replaced is written to: a pipe, a device. */
static void test_write_special(void **state)
{
    const char *pipe_path = in_folder("pipe");
    struct stat st;
    char got[16];
    struct err e;
    int fd;

    (void)state;
    assert_int_equal(mkfifo(pipe_path, 0600), 0);
    fd = open(pipe_path, O_RDONLY | O_NONBLOCK);
    assert_true(fd >= 0);
    assert_int_equal(write_text(pipe_path, "through", &e), 0);
    assert_int_equal(read(fd, got, sizeof(got)), 7);
    assert_memory_equal(got, "through", 7);
    close(fd);
    assert_int_equal(stat(pipe_path, &st), 0);
    assert_true(S_ISFIFO(st.st_mode));
    assert_int_equal(entries_in(folder), 1);
    assert_int_equal(write_text("/dev/null", "gone", &e), 0);
    assert_int_equal(stat("/dev/null", &st), 0);
    assert_true(S_ISCHR(st.st_mode));
    if (stat("/dev/full", &st) == 0 && S_ISCHR(st.st_mode)) {
        assert_refused("/dev/full", "x", ENOSPC);
        assert_int_equal(stat("/dev/full", &st), 0);
        assert_true(S_ISCHR(st.st_mode));
    }
}

static void test_read_refused(void **state)
{
    static const struct {
        const char *name;
        size_t cap;
    } rows[] = {{"missing", 100}, {"", 100}, {"missing/below", 100}, {"file", 2}, {"file", 0}};
    struct err e;

    (void)state;
    assert_int_equal(write_text(in_folder("file"), "abc", &e), 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *path = in_folder(rows[i].name);
        struct buf b;

        memset(&e, 0, sizeof(e));
        buf_init(&b, rows[i].cap);
        if (!file_read(path, &b, &e))
            fail_msg("row %zu: read, should be refused", i);
        if (!strstr(e.text, path))
            fail_msg("row %zu: the message does not name the file: %s", i, e.text);
        buf_free(&b);
    }
}

static void test_read_appends(void **state)
{
    struct err e;
    struct buf b;

    (void)state;
    assert_int_equal(write_text(in_folder("file"), "abc", &e), 0);
    buf_init(&b, 5);
    buf_adds(&b, "12");
    assert_int_equal(file_read(in_folder("file"), &b, &e), 0);
    assert_string_equal(b.text, "12abc");
    assert_int_equal(file_read(in_folder("file"), &b, &e), -1);
    assert_string_equal(b.text, "12abc");
    buf_free(&b);
}

/* A file without an end stops at the cap. */
static void test_read_endless(void **state)
{
    struct err e = {.text = ""};
    struct stat st;
    struct buf b;

    (void)state;
    if (stat("/dev/zero", &st) || !S_ISCHR(st.st_mode))
        skip();
    buf_init(&b, 100000);
    assert_int_equal(file_read("/dev/zero", &b, &e), -1);
    assert_string_equal(e.text, "/dev/zero is larger than 100000 bytes");
    buf_free(&b);
}

static void test_append(void **state)
{
    struct err e = {.text = ""};
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    buf_adds(&b, "one\n");
    assert_int_equal(file_append(in_folder("log"), &b, &e), 0);
    assert_int_equal(file_append(in_folder("log"), &b, &e), 0);
    assert_holds(in_folder("log"), "one\none\n");
    assert_string_equal(e.text, "");
    assert_int_equal(file_append(in_folder("no/log"), &b, &e), -1);
    assert_true(text_ends(e.text, strerror(ENOENT)));
    memset(&e, 0, sizeof(e));
    assert_int_equal(file_append(folder, &b, &e), -1);
    assert_true(text_ends(e.text, strerror(EISDIR)));
    buf_free(&b);
}

/* Of an open file: from where it stands to its end, and the file stays open. */
static void test_read_fd(void **state)
{
    struct err e = {.text = ""};
    struct buf b;
    int fd;

    (void)state;
    assert_int_equal(write_text(in_folder("file"), "0123456789", &e), 0);
    fd = open(in_folder("file"), O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(lseek(fd, 4, SEEK_SET), 4);
    buf_init(&b, 100);
    buf_adds(&b, ">");
    assert_int_equal(file_read_fd(fd, "the file", &b, &e), 0);
    assert_string_equal(b.text, ">456789");
    assert_int_equal(file_read_fd(fd, "the file", &b, &e), 0); /* nothing is left */
    assert_string_equal(b.text, ">456789");
    buf_free(&b);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    buf_init(&b, 9);
    assert_int_equal(file_read_fd(fd, "the file", &b, &e), -1);
    assert_string_equal(e.text, "the file is larger than 9 bytes");
    buf_free(&b);
    assert_int_equal(close(fd), 0);
    memset(&e, 0, sizeof(e));
    buf_init(&b, 9);
    assert_int_equal(file_read_fd(fd, "the file", &b, &e), -1);
    assert_true(text_starts(e.text, "cannot read the file: "));
    assert_true(text_ends(e.text, strerror(EBADF)));
    buf_free(&b);
}

static void test_write_fd(void **state)
{
    const char *path = in_folder("log");
    struct buf b;
    int fd = open(path, O_RDWR | O_CREAT | O_APPEND, 0600);

    (void)state;
    assert_true(fd >= 0);
    buf_init(&b, BUF_CAP_TEXT);
    assert_int_equal(file_write_fd(fd, &b), 0); /* nothing is soon written */
    buf_adds(&b, "a\n");
    assert_int_equal(file_write_fd(fd, &b), 0);
    assert_int_equal(file_write_fd(fd, &b), 0);
    assert_holds(path, "a\na\n");
    assert_int_equal(close(fd), 0);
    errno = 0;
    assert_int_equal(file_write_fd(fd, &b), -1);
    assert_int_equal(errno, EBADF);
    buf_free(&b);
}

/* All but the last name of a path; what cannot be made is found out by who uses it. */
static void test_make_folders(void **state)
{
    struct stat st;
    struct err e;

    (void)state;
    file_make_folders(in_folder("a/b/c/name"));
    assert_int_equal(stat(in_folder("a/b/c"), &st), 0);
    assert_true(S_ISDIR(st.st_mode));
    assert_int_equal(entries_in(in_folder("a/b/c")), 0);
    file_make_folders(in_folder("a/b/c/name")); /* they are there already */
    file_make_folders(in_folder("a//d/"));
    assert_int_equal(stat(in_folder("a/d"), &st), 0);
    assert_int_equal(entries_in(in_folder("a")), 2);
    file_make_folders("name");
    assert_int_equal(entries_in(folder), 1);
    assert_int_equal(write_text(in_folder("file"), "kept", &e), 0);
    file_make_folders(in_folder("file/below/name"));
    assert_holds(in_folder("file"), "kept");
}

/* Only of a regular file can it be said who reads it. */
/* Two paths are told to be one file also while there is none: the later one would replace it. */
static void test_is_same(void **state)
{
    static const struct {
        const char *a, *b;
        bool same;
    } rows[] = {
        {"there", "there", true},          {"there", "./there", true},
        {"there", "link", true},           {"there", "hard", true},
        {"there", "other", false},         {"there", "new", false},
        {"new", "new", true},              {"new", "./new", true},
        {"new", "sub/../new", true},       {"new", "to-sub/../new", true},
        {"new", ".//./new", true},         {"new", "newer", false},
        {"new", "sub/new", false},         {"sub/new", "to-sub/new", true},
        {"no/folder/new", "./no//folder/./new", true},
        {"no/folder/new", "no/new", false}, {"no/folder/new", "folder/new", false},
        {"sub/no/new", "to-sub/no/new", true},
        {"sub", "./sub", false},
    };
    struct err e = {""};
    struct buf text;
    char a[1100], b[1100];

    (void)state;
    buf_init(&text, 100);
    assert_int_equal(file_write(in_folder("there"), &text, &e), 0);
    assert_int_equal(file_write(in_folder("other"), &text, &e), 0);
    buf_free(&text);
    assert_int_equal(symlink("there", in_folder("link")), 0);
    assert_int_equal(link(in_folder("there"), in_folder("hard")), 0);
    assert_int_equal(mkdir(in_folder("sub"), 0700), 0);
    assert_int_equal(symlink("sub", in_folder("to-sub")), 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        snprintf(a, sizeof(a), "%s/%s", folder, rows[i].a);
        snprintf(b, sizeof(b), "%s/%s", folder, rows[i].b);
        if (file_is_same(a, b) != rows[i].same || file_is_same(b, a) != rows[i].same)
            fail_msg("%s and %s", rows[i].a, rows[i].b);
    }
    assert_true(file_is_same("rungate-is-not-there", "./rungate-is-not-there"));
    assert_true(file_is_same("/rungate-is-not-there", "//rungate-is-not-there"));
    assert_false(file_is_same("/rungate-is-not-there", "rungate-is-not-there"));
}

static void test_loose_mode(void **state)
{
    static const mode_t modes[][2] = {{0600, 0},       {0400, 0},       {0711, 0},
                                      {0640, 0640},    {0660, 0660},    {0602, 0602},
                                      {0644, 0644},    {04755, 04755}};
    struct err e = {""};
    struct buf b;

    (void)state;
    buf_init(&b, 10);
    assert_int_equal(file_write(in_folder("f"), &b, &e), 0);
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        assert_int_equal(chmod(in_folder("f"), modes[i][0]), 0);
        assert_int_equal(file_loose_mode(in_folder("f")), modes[i][1]);
    }
    assert_int_equal(file_loose_mode(in_folder("missing")), 0);
    assert_int_equal(file_loose_mode("/dev/null"), 0);
    assert_int_equal(chmod(folder, 0755), 0);
    assert_int_equal(file_loose_mode(folder), 0);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_write_and_read, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_write_large, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_write_new_folders, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_write_relative, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_write_impossible, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_write_read_only_folder, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_write_fails_halfway, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_write_mode, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_write_special, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_read_refused, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_read_appends, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_read_endless, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_append, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_read_fd, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_write_fd, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_make_folders, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_is_same, make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(test_loose_mode, make_folder, drop_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
