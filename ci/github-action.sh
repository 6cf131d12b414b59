#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The script part of action.yml: turns the INPUT_... variables into arguments and becomes rungate.
#
# Inputs arrive in the environment and are only ever used as words, never as shell text. The last
# act is exec: a runner that cancels a job signals this one process and nothing below it, so the
# gate has to be this process to hear it and to cancel its runs.
set -eu
unset CDPATH

root=$(cd "$(dirname "$0")/.." && pwd)
carriage_return=$(printf '\r')

# Exit code 3 is the gate's "no verdict"; a step that never got to a gate says so in its outputs too.
no_verdict() {
    printf '::error title=rungate::%s\n' "$1"
    if [ -n "${GITHUB_OUTPUT:-}" ]; then
        printf 'verdict=error\nexit-code=3\n' >>"$GITHUB_OUTPUT"
    fi
    exit 3
}

# Where things go is said in full, for the job's environment may hold variables of these names.
prefix=$root/build/action
build() {
    "$root/ci/setup.sh" build &&
        make -C "$root" -j "$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)" install DESTDIR= \
            PREFIX="$prefix" BINDIR="$prefix/bin" MANDIR="$prefix/share/man"
}

if ! command -v rungate >/dev/null 2>&1; then
    # A cancellation while building must not be followed by a gate.
    trap 'exit 130' INT
    trap 'exit 143' TERM
    echo '::group::Build rungate'
    built=yes
    build || built=no
    echo '::endgroup::'
    [ "$built" = yes ] || no_verdict 'rungate could not be built: see the group above'
    PATH=$prefix/bin:$PATH
    # The steps after this one find it as well, for a `rungate cancel` or `rungate status`.
    if [ -n "${GITHUB_PATH:-}" ]; then
        printf '%s\n' "$prefix/bin" >>"$GITHUB_PATH"
    fi
fi

directory=${INPUT_WORKING_DIRECTORY:-.}
case $directory in
/*) ;;
*) directory=./$directory ;;
esac
cd "$directory" || no_verdict 'the working-directory does not exist'

set -- "${INPUT_COMMAND:-run}"
[ -z "${INPUT_CONFIG:-}" ] || set -- "$@" --config "$INPUT_CONFIG"
[ -z "${INPUT_JUNIT:-}" ] || set -- "$@" --junit "$INPUT_JUNIT"
[ -z "${INPUT_JSON:-}" ] || set -- "$@" --json "$INPUT_JSON"
[ -z "${INPUT_SUMMARY:-}" ] || set -- "$@" --summary "$INPUT_SUMMARY"
[ -z "${INPUT_TIMEOUT:-}" ] || set -- "$@" --timeout "$INPUT_TIMEOUT"

# One argument a line, as it stands: blanks, quotes, stars and dollars mean nothing here.
while IFS= read -r line; do
    line=${line%"$carriage_return"}
    [ -z "$line" ] || set -- "$@" "$line"
done <<END
${INPUT_ARGS:-}
END

# Names of runs hold no blanks; behind "--" none of them can pass for an option.
if [ -n "${INPUT_RUNS:-}" ]; then
    set -f
    set -- "$@" --
    for run in $INPUT_RUNS; do
        set -- "$@" "${run%"$carriage_return"}"
    done
    set +f
fi

unset INPUT_COMMAND INPUT_CONFIG INPUT_RUNS INPUT_JUNIT INPUT_JSON INPUT_SUMMARY INPUT_TIMEOUT \
    INPUT_ARGS INPUT_WORKING_DIRECTORY
exec rungate "$@"
