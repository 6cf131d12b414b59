/* SPDX-License-Identifier: MIT */
/*
 * Files as a whole: read with a cap, written so that nobody ever sees half of one.
 */
#ifndef RUNGATE_BASE_FILE_H
#define RUNGATE_BASE_FILE_H

#include "base/base.h"
#include "base/buf.h"
#include "base/err.h"

/* True if both paths name one regular file, or what is not there yet; or are the same text. */
bool file_is_same(const char *a, const char *b);

/*
 * The permissions of the regular file at path if group or others may read or write it; else 0.
 */
unsigned file_loose_mode(const char *path);

/*
 * Appends the content of the file at path, of standard input for NULL; fails beyond out's cap.
 * err names the path.
 */
int file_read(const char *path, struct buf *out, struct err *e) USE_RESULT;

/*
 * The same of an open descriptor, borrowed, from where it stands to its end; err names it as told.
 */
int file_read_fd(int fd, const char *name, struct buf *out, struct err *e) USE_RESULT;

/*
 * Writes text beside path, syncs it and renames it into place; missing folders are made. A path
 * that is there and no regular file (a pipe, /dev/stderr) is written to directly: it cannot be
 * replaced. A text that went over its cap is refused. On failure nothing is left behind and an
 * older file at path is untouched.
 */
int file_write(const char *path, const struct buf *text, struct err *e) USE_RESULT;

/* Writes the whole text to an open descriptor, borrowed; -1 with errno. */
int file_write_fd(int fd, const struct buf *text) USE_RESULT;

/* Makes the folders on the way to path that are missing, as far as that is possible. */
void file_make_folders(const char *path);

/* Appends text to the file at path, which is made if missing; for files that are shared. A
 * text that went over its cap is refused. */
int file_append(const char *path, const struct buf *text, struct err *e) USE_RESULT;

#endif
