/* SPDX-License-Identifier: MIT */
/* Owns whole-file reading and writing. It must not know what the files hold. */
#include "base/base.h"

#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int file_read_fd(int fd, const char *name, struct buf *out, struct err *e)
{
    char chunk[8192];
    ssize_t n;

    do {
        n = read(fd, chunk, sizeof(chunk));
        if (n > 0)
            buf_add(out, chunk, (size_t)n);
    } while (!out->over && (n > 0 || (n < 0 && errno == EINTR)));
    if (n < 0)
        return err_set(e, "cannot read %s: %s", name, strerror(errno));
    return out->over ? err_set(e, "%s is larger than %zu bytes", name, out->cap) : 0;
}

int file_read(const char *path, struct buf *out, struct err *e)
{
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
    int rc;

    if (fd < 0)
        return err_set(e, "cannot read %s: %s", path, strerror(errno));
    rc = file_read_fd(fd, path ? path : "standard input", out, e);
    if (path)
        close(fd);
    return rc;
}

/* Parts a path into its last name and the folder that this stands in; free both. */
static void split(const char *path, char **ret_folder, char **ret_name)
{
    size_t end = strlen(path), start;

    for (;;) {
        while (end > 1 && path[end - 1] == '/')
            end--;
        start = end;
        while (start && path[start - 1] != '/')
            start--;
        if (!start || end - start != 1 || path[start] != '.')
            break;
        end = start;
    }
    *ret_folder = start ? mem_strndup(path, start) : mem_strdup(".");
    *ret_name = mem_strndup(path + start, end - start);
}

/* Paths to what is not there yet lead to one place if they end alike in folders that are one. */
static bool is_same_place(const char *a, const char *b)
{
    struct stat sa, sb;
    bool there_a = !stat(a, &sa), there_b = !stat(b, &sb);
    char *folder_a, *folder_b, *name_a, *name_b;
    bool same;

    if (strcmp(a, b) == 0)
        return true;
    if (there_a || there_b)
        return there_a && there_b && sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
    split(a, &folder_a, &name_a);
    split(b, &folder_b, &name_b);
    same = strcmp(name_a, name_b) == 0 && is_same_place(folder_a, folder_b);
    free(folder_a);
    free(folder_b);
    free(name_a);
    free(name_b);
    return same;
}

bool file_is_same(const char *a, const char *b)
{
    struct stat st;

    return strcmp(a, b) == 0 || ((stat(a, &st) || S_ISREG(st.st_mode)) && is_same_place(a, b));
}

unsigned file_loose_mode(const char *path)
{
    const mode_t loose = S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH;
    struct stat s;

    if (stat(path, &s) || !S_ISREG(s.st_mode) || !(s.st_mode & loose))
        return 0;
    return (unsigned)s.st_mode & 07777;
}

int file_write_fd(int fd, const struct buf *text)
{
    size_t done = 0;

    while (done < text->len) {
        ssize_t n = write(fd, text->text + done, text->len - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        done += (size_t)n;
    }
    return 0;
}

/* Opens path with flags, writes text, closes; errno tells what failed. */
static int write_direct(const char *path, int flags, const struct buf *text)
{
    int fd = open(path, flags, 0666);
    int saved;

    if (fd < 0)
        return -1;
    if (file_write_fd(fd, text)) {
        saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }
    return close(fd);
}

void file_make_folders(const char *path)
{
    char *copy = mem_strdup(path);

    for (char *p = copy + 1; *copy && *p; p++) {
        if (*p == '/') {
            *p = '\0';
            /* What cannot be made shows when the file itself is opened. */
            mkdir(copy, 0777);
            *p = '/';
        }
    }
    free(copy);
}

/*
 * Writes to what a link leads to: to a file through a file beside it, so that the link stays; to
 * anything else, and to what the system keeps under /dev, directly.
 */
static int write_link(const char *path, const struct buf *text)
{
    struct err ignored = {""};
    char *target = realpath(path, NULL);
    struct stat st;
    int rc;

    if (!target) {
        mem_check_errno();
        return -1; /* errno says why: it leads to nowhere, or in a circle */
    }
    if (strncmp(path, "/dev/", 5) == 0 || stat(target, &st) || !S_ISREG(st.st_mode))
        rc = write_direct(path, O_WRONLY, text);
    else
        rc = file_write(target, text, &ignored);
    free(target);
    return rc;
}

int file_write(const char *path, const struct buf *text, struct err *e)
{
    struct buf beside;
    struct stat st;
    mode_t mask;
    int fd = -1;
    int rc = -1;

    if (text->over)
        return err_set(e, "cannot write %s: it would be larger than %zu bytes", path, text->cap);
    buf_init(&beside, BUF_CAP_TEXT);
    if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode)) {
        rc = write_link(path, text);
        goto out;
    }
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
        if (S_ISDIR(st.st_mode))
            errno = EISDIR;
        else
            rc = write_direct(path, O_WRONLY, text);
        goto out;
    }
    file_make_folders(path);
    buf_addf(&beside, "%s.XXXXXX", path);
    fd = mkstemp(beside.text);
    if (fd < 0)
        goto out;
    /* mkstemp makes the file private; a report is as readable as any file of this user. */
    mask = umask(0);
    umask(mask);
    if (fchmod(fd, 0666 & ~mask) == 0 && file_write_fd(fd, text) == 0 && fsync(fd) == 0)
        rc = 0;
    if (close(fd))
        rc = -1;
    if (!rc)
        rc = rename(beside.text, path);
    if (rc) {
        int saved = errno;

        unlink(beside.text);
        errno = saved;
    }
out:
    if (rc)
        err_set(e, "cannot write %s: %s", path, strerror(errno));
    buf_free(&beside);
    return rc;
}

int file_append(const char *path, const struct buf *text, struct err *e)
{
    if (text->over)
        return err_set(e, "cannot write %s: it would be larger than %zu bytes", path, text->cap);
    if (write_direct(path, O_WRONLY | O_APPEND | O_CREAT, text))
        return err_set(e, "cannot write %s: %s", path, strerror(errno));
    return 0;
}
