#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Does each rule find what it is there for? Lays out a small tree that breaks no rule, then breaks one
# rule at a time and looks at what its check says: that rule and no other has to fail.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-/usr/bin/python3}
command -v "$python" >/dev/null 2>&1 || python=python3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
PYTHONDONTWRITEBYTECODE=1
LINT_ROOT=$work/tree
export PYTHONDONTWRITEBYTECODE LINT_ROOT
passed=0
failed=0
license='/* SPDX-License-Identifier: MIT */'

# c FILE LINE...: a C file that follows the rules up to here, with these lines added.
c() {
    file=$1
    shift
    mkdir -p "$(dirname "$file")"
    printf '%s\n' "$license" '/* Owns an example. */' '#include "base/base.h"' "$@" >"$file"
}

# h FILE LINE...: the same for a header.
h() {
    file=$1
    shift
    mkdir -p "$(dirname "$file")"
    printf '%s\n' "$license" '/* An example. */' '#ifndef EXAMPLE_H' '#define EXAMPLE_H' "$@" \
        '#endif' >"$file"
}

good_tree() {
    cd "$work"
    rm -rf "$LINT_ROOT"
    cp -R good "$LINT_ROOT"
    cd "$LINT_ROOT"
}

make_good_tree() {
    mkdir "$work/good"
    cd "$work/good"
    mkdir -p ci config/providers src/man tests .ci
    touch Makefile README.md LICENSE action.yml .editorconfig
    echo '[provider:acme-load]' >config/providers/acme-load.ini
    printf '#!/bin/sh\napt%s install gcc\n' -get >ci/setup.sh
    printf '#!/bin/sh\nexit 0\n' >.ci/run
    chmod +x ci/setup.sh .ci/run
    printf 'print("hello")\n' >tests/hello.py
    h src/base/base.h
    h src/net/net.h
    c src/base/doc.c '#include <jansson.h>'
    c src/pipeline/read.c '#include <ini.h>' '#include "base/base.h"'
    c src/net/net.c '#include <curl/curl.h>' '#include "net/net.h"'
    c src/cli/main.c '#include <getopt.h>' '#include "net/net.h"' \
        '/* strcpy() and /proc/self in a comment do no harm */' \
        'const char *s = "strcpy(epoll_wait)";' 'int n = ctx->system(1);' \
        'void t(int e) { switch (e) { default: break; } } /* e is no enum */'
    cat >src/man/rungate.1 <<'END'
.Dd January 1, 2026
.Dt RUNGATE 1
.Os
.Sh NAME
.Nm rungate
.Nd an example
.Sh DESCRIPTION
.Bl -tag -width Ds
.It Fl -config Ar file
Reads it.
.It Fl -fail-fast
Stops.
.El
END
    cat >"$work/program" <<'END'
#!/bin/sh
echo '  -c, --config FILE   reads it'
echo '      --fail-fast     stops'
END
    chmod +x "$work/program"
}

result() { # result yes|no WHAT
    if [ "$1" = yes ]; then
        passed=$((passed + 1))
        echo "ok $2"
    else
        failed=$((failed + 1))
        echo "not ok $2:"
        printf '%s\n' "$said" | sed 's/^/#   /'
    fi
}

check() { said=$("$python" "$here/check_$1.py" "$work/program" 2>&1) || :; }

# breaks CHECK RULE WHAT: the tree as it now stands breaks this rule of this check and no other.
breaks() {
    check "$1"
    verdict=no
    if [ "$(printf '%s\n' "$said" | grep '^not ok ' | cut -d: -f1)" = "not ok $2" ]; then
        verdict=yes
    fi
    result "$verdict" "$2 finds $3"
    good_tree
}

# each CHECK RULE WORD...: the tree as it now stands breaks this rule once for each of the words.
each() {
    check "$1"
    about=$2
    shift 2
    for word in "$@"; do
        verdict=no
        case $said in
        *"not ok $about: "*" $word"[!a-z]*) verdict=yes ;;
        esac
        result "$verdict" "$about finds $word"
    done
    good_tree
}

# holds CHECK WHAT: the tree as it now stands breaks no rule of this check.
holds() {
    check "$1"
    verdict=yes
    case $said in
    *'not ok '* | *Traceback* | '') verdict=no ;;
    esac
    result "$verdict" "$1 accepts $2"
    good_tree
}

make_good_tree
good_tree
for one in layers words style tree tools man; do
    holds "$one" 'a tree in order'
done

c src/base/a.c '#include "net/net.h"'
breaks layers layers 'a header of a higher room'
c src/net/a.c '#include "net.h"'
breaks layers layers 'a header named without its room'
c src/attic/a.c
breaks layers layers 'a room that is none'
c src/a.c
breaks layers layers 'a file outside the rooms'
c src/base/a.c '#include <ini.h>'
breaks layers third-party-headers 'ini.h elsewhere'
c src/net/a.c '#include <jansson.h>'
breaks layers third-party-headers 'jansson.h elsewhere'
c src/engine/a.c '#include <curl/multi.h>'
breaks layers third-party-headers 'curl elsewhere'
c src/net/a.c '#include <curl/multi.h>'
breaks layers third-party-headers 'curl in a second file'
h src/base/a.h '#include <jansson.h>'
breaks layers third-party-headers 'a library in a header'
c src/base/a.c '#include <getopt.h>'
breaks layers third-party-headers 'getopt.h elsewhere'
printf '%s\n' "$license" '/* Owns. */' '#include <stdio.h>' >src/base/a.c
breaks layers base-first 'another header first'
printf '%s\n' "$license" '/* Owns. */' 'int x;' >src/base/a.c
breaks layers base-first 'a file without base.h'

c src/net/a.c 'const char *name = "acme-load";'
breaks words provider-names 'a provider in a string'
c src/net/a.c 'int start_acme_load(void);'
breaks words provider-names 'a provider in an identifier'
c src/net/a.c '/* as Acme-Load does */'
breaks words provider-names 'a provider in a comment'
c src/net/a.c 'int acme_loader;'
holds words 'a longer word that begins like a provider'
set -- strcpy strcat strncpy strncat strtok sprintf vsprintf atoi atol atoll gets gmtime localtime \
    asctime ctime mktemp tmpnam system popen alloca setjmp
c src/net/a.c "$(printf 'x = %s(y);\n' "$@")"
each words banned-functions "$@"
c src/net/a.c 'n = gmtime_r(a, b), snprintf(a, 1, "x"), mkstemp(c);'
holds words 'the better relatives of banned functions'
set -- epoll_wait signalfd timerfd_create eventfd inotify_init pipe2 accept4 getrandom memfd_create \
    strchrnul asprintf vasprintf program_invocation_name qsort_r
c src/net/a.c "$(printf 'x = %s;\n' "$@")"
each words linux-only "$@"
c src/net/a.c '#include <linux/limits.h>'
breaks words linux-only 'a header of Linux'
c src/net/a.c 'f = open("/proc/self/status");'
breaks words linux-only 'a path below /proc'
c src/net/a.c 'void t(int e) { switch (e) {' '    default :' '        break; } }'
breaks words switch-default 'a default without a reason'
c src/net/a.c '' '#pragma GCC diagnostic ignored "-Wfoo"'
breaks words silenced-warnings 'a pragma'
c src/net/a.c '' 'static int x __attribute__((__unused__));'
breaks words silenced-warnings 'an unused attribute'
c src/net/a.c '' 'int x = (int)y; // NOLINT(some-check)'
breaks words silenced-warnings 'NOLINT alone'
c src/net/a.c '/* the library wants it so */' '#pragma GCC diagnostic ignored "-Wfoo"' \
    '#pragma GCC diagnostic pop' '' 'int x = y; // NOLINT(some-check): y is small'
holds words 'warnings silenced with a reason'

printf '%s\n' '/* Owns. */' '#include "base/base.h"' >src/base/a.c
breaks style opening-comment 'a file without its licence'
printf '%s\n' "$license" '#include "base/base.h"' >src/base/a.c
breaks style opening-comment 'a file that does not say what it owns'
printf '%s\n' "$license" '/* An example. */' 'int x;' >src/base/a.h
breaks style include-guard 'a header without a guard'
printf '%s\n' "$license" '/* An example. */' '#ifndef A_H' '#define B_H' '#endif' >src/base/a.h
breaks style include-guard 'a guard that guards nothing'
c src/base/a.c 'typedef  struct x x;'
breaks style typedef-struct 'typedef struct'
c src/base/a.c "/* $(printf '%0100d' 0) */"
breaks style line-shape 'a long line'
c src/base/a.c "$(printf '\tint x;')"
breaks style line-shape 'a tab'
c src/base/a.c 'int x; '
breaks style line-shape 'a blank at the end'
c src/base/a.c "/* $(printf '%094d' 0) */" "/* $(printf '\303\251%.0s' $(seq 94)) */"
holds style 'a hundred columns, counted as letters and not as bytes'

printf 'Run apt%s -y install gcc.\n' -get >README.md
breaks tree packages-in-one-place 'a list of packages elsewhere'
printf 'cd /%s/main\n' work >README.md
breaks tree machine-paths 'a path of a machine'
printf 'cd /%s/x\n' root >README.md
breaks tree machine-paths "a home folder of root"
printf 'https://deb.%s.org/x\n' debian >README.md
breaks tree registry-hosts "Debian's"
printf 'https://registry.%s.org/x\n' npmjs >README.md
breaks tree registry-hosts "npm's"
printf 'https://%s.org/x\n' pypi >README.md
breaks tree registry-hosts "Python's"
printf 'https://proxy.%s.org/x\n' golang >README.md
breaks tree registry-hosts "Go's"
touch notes.txt
breaks tree top-level 'a stray file'
mkdir docs && touch docs/x
breaks tree top-level 'a stray folder'
echo '/home/runner/work/x, ./work/x and https://www.debian.org/' >README.md
holds tree 'paths and hosts that only look alike'

# shellcheck disable=SC2016 # the dollar is for the file
printf '#!/bin/sh\nrm $1\n' >ci/a.sh && chmod +x ci/a.sh
breaks tools shellcheck 'an unquoted variable'
printf '#!/bin/sh\nif\n' >.ci/run
breaks tools shellcheck 'a broken .ci/run'
echo 'def f(:' >tests/a.py
breaks tools python-compiles 'a broken Python file'
echo '.Xy z' >>src/man/rungate.1
breaks tools manual-pages 'an unknown macro'
printf '#!/bin/sh\nexit 0\n' >ci/a.sh
breaks tools executable-scripts 'a script without its bit'

cat >"$work/program" <<'END'
#!/bin/sh
echo '  -c, --config FILE, --fail-fast, --fail'
END
breaks man manual-options 'an option the page does not have'
printf '#!/bin/sh\necho nothing\n' >"$work/program"
breaks man manual-options 'a help text without options'
printf '#!/bin/sh\nexit 2\n' >"$work/program"
breaks man manual-options 'a program that fails'

echo "lint-selftest: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
