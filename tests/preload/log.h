/* SPDX-License-Identifier: MIT */
/* What the preloaded libraries write down, each in the file that its variable names. */
#ifndef RUNGATE_TESTS_PRELOAD_LOG_H
#define RUNGATE_TESTS_PRELOAD_LOG_H

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static const char *log_path; /* NULL: nowhere */

/* Appends a line. It does not allocate: it is called from within what allocates, or may not. */
static void note(const char *words, const char *value)
{
    char line[256];
    int len = snprintf(line, sizeof(line), "%s %s\n", words, value);
    int fd = log_path ? open(log_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666) : -1;

    if (fd < 0)
        return;
    if (len > 0 && write(fd, line, (size_t)len) < 0)
        perror(log_path);
    close(fd);
}

#endif
