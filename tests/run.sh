#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs every part of the tests and adds up what they say. A part that ends without its closing
# line, for want of a tool or by a crash, counts as one failure, so that nothing is left out in
# silence. Called by "make test", which has built what is tested, with PYTHON and JOBS set.
set -u
cd "$(dirname "$0")/.." || exit 1
passed=0
failed=0
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT

# part NAME COMMAND...: the last line "... N passed, N failed" of its output is its result.
part() {
    name=$1
    shift
    "$@" >"$log" 2>&1
    status=$?
    line=$(grep -E '[0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1)
    ok=$(printf '%s\n' "$line" | sed -n 's/.*[^0-9]\([0-9][0-9]*\) passed.*/\1/p')
    bad=$(printf '%s\n' "$line" | sed -n 's/.* \([0-9][0-9]*\) failed.*/\1/p')
    if [ "$status" -ne 0 ] && [ "${bad:-0}" -eq 0 ]; then
        bad=1
    fi
    if [ "${bad:-1}" -ne 0 ]; then
        cat "$log"
    fi
    echo "$name: ${ok:-0} passed, ${bad:-1} failed"
    passed=$((passed + ${ok:-0}))
    failed=$((failed + ${bad:-1}))
}

# pytest says nothing of failures when there are none, and closes with seconds behind the counts.
e2e() {
    report=$(mktemp) || return 1
    RUNGATE=$1 "$PYTHON" -m pytest -q -n "$JOBS" --junitxml="$report" tests/e2e
    status=$?
    "$PYTHON" tests/count.py "$report"
    rm -f "$report"
    return "$status"
}

part build tests/build.sh
part unit env BUILD=build/debug tests/unit/run.sh
part "unit, sanitized" env BUILD=build/debug-asan tests/unit/run.sh
part lint tests/lint/run.sh build/debug/rungate
part docs "$PYTHON" tests/docs/check.py build/debug/rungate
part ci tests/ci/run.sh
part e2e e2e build/debug/rungate
part "e2e, sanitized" e2e build/debug-asan/rungate
part matrix env RUNGATE=build/debug/rungate "$PYTHON" tests/matrix/matrix.py
part "matrix, sanitized" env RUNGATE=build/debug-asan/rungate "$PYTHON" tests/matrix/matrix.py

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
