#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs fuzz targets, which were built in $BUILD/fuzz, one after the other: tests/fuzz/run.sh TARGET...
# Each gets its corpus, the seeds that are made from other files of the project, and FUZZ_SECONDS;
# with FUZZ_SECONDS=0 every input is run once, and nothing is tried beyond that. What is found stays
# in $BUILD/found, what opens up new ground in $BUILD/grown/TARGET, for the next run to start from.
set -u
cd "$(dirname "$0")/../.." || exit 1
passed=0
failed=0
mkdir -p "$BUILD/found"
TMPDIR=$BUILD/found # of the targets that need a real file
export TMPDIR
"${PYTHON:-python3}" tests/fuzz/seeds.py "$BUILD/seeds" || exit 1

for target in "$@"; do
    grown=$BUILD/grown/$target
    log=$BUILD/found/$target.log
    mkdir -p "$grown"
    set -- "$grown" "tests/fuzz/corpus/$target" "$BUILD/seeds/$target"
    if [ "$FUZZ_SECONDS" = 0 ]; then
        set -- -runs=0 "tests/fuzz/corpus/$target" "$BUILD/seeds/$target"
    fi
    dictionary=tests/fuzz/$target.dict
    [ ! -f "$dictionary" ] || set -- "-dict=$dictionary" "$@"
    if "$BUILD/fuzz/fuzz_$target" -max_total_time="$FUZZ_SECONDS" -timeout=10 -rss_limit_mb=2048 \
        -max_len=16384 -print_final_stats=1 -artifact_prefix="$BUILD/found/$target-" "$@" \
        >"$log" 2>&1; then
        echo "ok $target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs"
        passed=$((passed + 1))
    else
        tail -n 60 "$log"
        echo "not ok $target"
        failed=$((failed + 1))
    fi
    rm -f "$log"
done
echo "fuzz: $passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
