/* SPDX-License-Identifier: MIT */
/*
 * Owns: a wall clock that jumps, for tests/e2e/test_guard.py. A library to be preloaded: the time
 * of day is off by so many seconds as a file says, which a test may change at any moment. The
 * monotonic clock is left alone, as every system leaves it.
 *
 *   JUMPING_FILE   the file; missing or empty: 0
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long offset(void)
{
    const char *path = getenv("JUMPING_FILE");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    char text[32];
    ssize_t len;

    if (fd < 0)
        return 0;
    len = read(fd, text, sizeof(text) - 1);
    close(fd);
    text[len > 0 ? len : 0] = '\0';
    return strtol(text, NULL, 10);
}

int clock_gettime(clockid_t clock, struct timespec *ret)
{
    int rc = (int)syscall(SYS_clock_gettime, clock, ret);

    if (clock == CLOCK_REALTIME)
        ret->tv_sec += offset();
    return rc;
}

int gettimeofday(struct timeval *restrict ret, void *restrict zone)
{
    struct timespec now;
    int rc = clock_gettime(CLOCK_REALTIME, &now);

    (void)zone;
    ret->tv_sec = now.tv_sec;
    ret->tv_usec = now.tv_nsec / 1000;
    return rc;
}

time_t time(time_t *ret)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    if (ret)
        *ret = now.tv_sec;
    return now.tv_sec;
}
