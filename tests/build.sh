#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds the program in every way that it must build in, each warning an error: both compilers,
# optimised and not, and the installed tree. A build that fails is shown whole.
set -u
cd "$(dirname "$0")/.." || exit 1
passed=0
failed=0
log=$(mktemp) || exit 1
installed=$(mktemp -d) || exit 1
trap 'rm -rf "$log" "$installed"' EXIT

builds() {
    name=$1
    shift
    if "$@" >"$log" 2>&1; then
        echo "ok $name"
        passed=$((passed + 1))
    else
        cat "$log"
        echo "not ok $name"
        failed=$((failed + 1))
    fi
}

installs() {
    make -j2 install WERROR=1 CC=gcc DESTDIR="$installed" PREFIX=/usr || return 1
    "$installed/usr/bin/rungate" --version || return 1
    [ -s "$installed/usr/share/man/man1/rungate.1" ] &&
        [ -s "$installed/usr/share/man/man5/rungate.ini.5" ]
}

builds 'gcc, release' make -j2 release WERROR=1 CC=gcc
builds 'clang, release' make -j2 release WERROR=1 CC=clang
builds 'clang, debug, and the unit tests' make -j2 debug unit WERROR=1 CC=clang
builds 'install' installs
echo "build: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
