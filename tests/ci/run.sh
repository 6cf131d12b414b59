#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Tests of what stands between a CI system and the gate: the scripts of ci/, action.yml, .ci/run.
# Prints "ok NAME" or "not ok NAME: why" for each, and ends 1 if one failed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-/usr/bin/python3}
command -v "$python" >/dev/null 2>&1 || python=python3
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE
exec "$python" "$here/cases.py"
