/* SPDX-License-Identifier: MIT */
/* Owns the frame of the program: it makes the process fit to run and checks its last words. It is
 * not part of the library that the tests link. */
#include "base/base.h"

#include "base/doc.h"
#include "base/mem.h"
#include "base/secret.h"
#include "cli/command.h"
#include "engine/verdict.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/*
 * A closed standard descriptor would be taken by the next file or socket, and then be written to
 * as if it were the terminal. All are opened for reading only: a report that is printed to a
 * closed standard output must fail, not vanish.
 */
static int open_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
            open("/dev/null", O_RDONLY) != fd)
            return -1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    int code;

    /* The first to be registered is the last to be called, after what libraries clean up. */
    if (open_standard_descriptors() || atexit(command_end))
        return EXIT_INTERNAL;
    mem_init();
    doc_init();
    code = command_main(argc, argv);
    secret_clear();
    /* What was asked for on standard output must have arrived there. */
    if ((fflush(stdout) || ferror(stdout)) && code == 0) {
        fprintf(stderr, "rungate: error: standard output cannot be written\n");
        code = verdict_exit_code(VERDICT_ERROR, 0);
    }
    /* Whatever it came to: some of what was to be looked at may not have been. */
    if (mem_is_short() && code != EXIT_INTERNAL) {
        fprintf(stderr, "rungate: error: out of memory\n");
        code = EXIT_INTERNAL;
    }
    return code;
}
