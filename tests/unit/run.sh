#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs the unit test programs that were built in $BUILD/unit and adds up their cases. A program
# that crashes, or says nothing, counts as one failure.
set -u
passed=0
failed=0
for source in "$(dirname "$0")"/test_*.c; do
    name=$(basename "$source" .c)
    out=$(CMOCKA_MESSAGE_OUTPUT=TAP "$BUILD/unit/$name" 2>&1)
    status=$?
    ok=$(printf '%s\n' "$out" | grep -c '^ok ')
    bad=$(printf '%s\n' "$out" | grep -c '^not ok ')
    if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ] || [ "$ok" -eq 0 ]; then
        bad=$((bad + 1))
    fi
    if [ "$bad" -ne 0 ]; then
        printf '%s\n%s: exit status %s\n' "$out" "$name" "$status"
    fi
    passed=$((passed + ok))
    failed=$((failed + bad))
done
echo "unit: $passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
