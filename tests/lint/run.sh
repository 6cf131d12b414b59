#!/bin/sh
# SPDX-License-Identifier: MIT
#
# All checks of the sources: tests/lint/run.sh [PROGRAM]
#
# Prints "ok NAME" or "not ok NAME: why" for each, and ends 1 if one failed. With the program (a built
# rungate) its options are compared with the manual page too. LINT_ROOT names another tree to look at.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-/usr/bin/python3}
command -v "$python" >/dev/null 2>&1 || python=python3
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE

lines=$(
    for check in "$here"/check_*.py; do
        status=0
        said=$("$python" "$check" "$@" </dev/null) || status=$?
        printf '%s\n' "$said"
        # A check that broke down must not pass for one that found nothing.
        case $status:$said in
        0:ok* | *'not ok '*) ;;
        *) echo "not ok $(basename "$check" .py): broke down, ended with $status" ;;
        esac
    done
    if said=$("$here/selftest.sh" 2>&1); then
        echo 'ok selftest'
    else
        echo 'not ok selftest: a check does not find what it is there for'
        printf '%s\n' "$said" | grep -v '^ok ' | sed 's/^/#   /'
    fi
)
printf '%s\n' "$lines"
passed=$(printf '%s\n' "$lines" | grep -c '^ok ') || :
failed=$(printf '%s\n' "$lines" | grep -c '^not ok ') || :
echo "lint: $passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
