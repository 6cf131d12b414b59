/* SPDX-License-Identifier: MIT */
/* Owns the signal handlers. They must not do more than write a byte. */
#include "base/base.h"

#include "cli/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static int pipe_ends[2] = {-1, -1};

static void on_signal(int number)
{
    unsigned char byte = (unsigned char)number;
    int saved = errno;

    /* A full pipe holds more signals than anybody needs; there is nobody to tell. */
    if (write(pipe_ends[1], &byte, 1) < 0)
        errno = saved;
    errno = saved;
}

int signals_install(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action, old;

    signal(SIGPIPE, SIG_IGN);
    if (pipe(pipe_ends))
        return -1;
    for (int i = 0; i < 2; i++) {
        fcntl(pipe_ends[i], F_SETFL, O_NONBLOCK);
        fcntl(pipe_ends[i], F_SETFD, FD_CLOEXEC);
    }
    memset(&action, 0, sizeof(action));
    action.sa_handler = on_signal;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        if (!sigaction(numbers[i], NULL, &old) && old.sa_handler == SIG_IGN &&
            numbers[i] != SIGTERM)
            continue;
        sigaction(numbers[i], &action, NULL);
    }
    return pipe_ends[0];
}
