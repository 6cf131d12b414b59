/* SPDX-License-Identifier: MIT */
/* Tests base/mem: what happens when there is no memory. Each case ends a process of its own. */
#include "base/base.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

/* More than any system gives; not known to the compiler, which would warn. */
static volatile size_t too_much = SIZE_MAX / 4;

enum { SURVIVED = 7, UNEXPECTED = 8 };

/* What a sanitizer would end the process for is what these tests are about. */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

static void speak(void *user)
{
    if (write(STDERR_FILENO, user, strlen(user)) < 0)
        _exit(UNEXPECTED);
}

static void die(void)
{
    free(mem_alloc(1, too_much));
}

static void die_by_overflow(void)
{
    free(mem_alloc(too_much, 8));
}

static void die_growing(void)
{
    size_t cap = too_much;

    free(mem_grow(NULL, &cap, cap, 8));
}

static void die_with_words(void)
{
    static char words[] = "last words\n";

    mem_on_exhaustion(speak, words);
    die();
}

static void die_after_words_were_taken_back(void)
{
    static char words[] = "not these\n";

    mem_on_exhaustion(speak, words);
    mem_on_exhaustion(NULL, NULL);
    die();
}

static void live_on(void)
{
    size_t cap = 0;
    char *p;

    if (mem_is_short())
        _exit(UNEXPECTED);
    p = mem_try_grow(NULL, &cap, 0, too_much / 4);
    if (p || cap || mem_try(NULL, too_much) || !mem_is_short())
        _exit(UNEXPECTED);
    p = mem_strdup("there is memory for what is small");
    free(p);
}

static void be_told_by_errno(void)
{
    errno = ENOENT;
    mem_check_errno();
    if (mem_is_short())
        _exit(UNEXPECTED);
    errno = ENOMEM;
    mem_check_errno();
    if (!mem_is_short())
        _exit(UNEXPECTED);
}

static const struct {
    const char *name;
    void (*act)(void);
    int code;
    const char *said;
} rows[] = {
    {"nothing to say", die, 70, "rungate: out of memory\n"},
    {"a size that overflows", die_by_overflow, 70, "rungate: out of memory\n"},
    {"an array that grows too large", die_growing, 70, "rungate: out of memory\n"},
    {"last words", die_with_words, 70, "rungate: out of memory\nlast words\n"},
    {"words taken back", die_after_words_were_taken_back, 70, "rungate: out of memory\n"},
    {"what may fail", live_on, SURVIVED, ""},
    {"what the system says", be_told_by_errno, SURVIVED, ""},
};

static void NO_RETURN play(void (*act)(void), bool with_reserve, int out)
{
    dup2(out, STDERR_FILENO);
    if (with_reserve)
        mem_init();
    act();
    _exit(SURVIVED);
}

/* A reserve does not help against a request that is larger, and the lack of one hurts nothing. */
static void check(size_t i, bool with_reserve)
{
    char said[256] = "";
    size_t len = 0;
    ssize_t n;
    int ends[2], status = -1;
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (!child)
        play(rows[i].act, with_reserve, ends[1]);
    close(ends[1]);
    while ((n = read(ends[0], said + len, sizeof(said) - 1 - len)) > 0)
        len += (size_t)n;
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    /* A sanitizer may add that it gave no memory. */
    if (!WIFEXITED(status) || WEXITSTATUS(status) != rows[i].code ||
        !strstr(said, rows[i].said) || strstr(said, "not these"))
        fail_msg("%s, %s a reserve: status %x, said '%s'", rows[i].name,
                 with_reserve ? "with" : "without", (unsigned)status, said);
}

static void test_exhaustion(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        check(i, false);
        check(i, true);
    }
}

/* A block that was lent keeps what it holds as it grows. That nothing is left behind, and that a
 * text is overwritten before it is freed, is seen by tests/e2e/test_preload.py. */
static void test_lend(void **state)
{
    static const size_t sizes[] = {0, 1, 0, 16, 15, 1000, 100000, 3};
    unsigned char *block = NULL;
    size_t filled = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        block = mem_lend(block, sizes[i]);
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % sizeof(void *), 0);
        for (size_t at = 0; at < filled; at++)
            assert_int_equal(block[at], at % 251);
        for (; filled < sizes[i]; filled++)
            block[filled] = (unsigned char)(filled % 251);
    }
    assert_null(mem_lend(NULL, SIZE_MAX));
    assert_null(mem_lend(NULL, SIZE_MAX - 1));
    mem_take_back(block);
    mem_take_back(NULL);
}

static void test_wipe(void **state)
{
    char text[] = "a secret";

    (void)state;
    mem_wipe(text, 0);
    assert_string_equal(text, "a secret");
    mem_wipe(text + 1, sizeof(text) - 2);
    for (size_t i = 1; i < sizeof(text); i++)
        assert_int_equal(text[i], 0);
    assert_int_equal(text[0], 'a');
    mem_forget(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_exhaustion),
                                       cmocka_unit_test(test_lend), cmocka_unit_test(test_wipe)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
