# SPDX-License-Identifier: MIT
"""Other people's checkers: shellcheck for scripts, Python's own compiler, mandoc for manual pages."""

import os
import re
import shutil
import subprocess

import lint


def run(*command):
    """The problems a checker prints, and one for a failure that it says nothing about."""
    if not shutil.which(command[0]):
        return [f"{command[0]} is not installed: run ./ci/setup.sh"]
    done = subprocess.run(
        command, cwd=lint.ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    if done.returncode != 0:
        return [line for line in lines if line.strip()] or [f"{command[0]}: {done.returncode}"]
    return []


everything = lint.files()

scripts = [f for f in everything if f.endswith(".sh") or f == ".ci/run"]
lint.rule(
    "shellcheck", run("shellcheck", "-f", "gcc", "-x", "-P", "SCRIPTDIR", *scripts) if scripts else []
)

broken = []
for path in everything:
    if path.endswith(".py"):
        try:
            compile(lint.read(path), path, "exec")
        except (SyntaxError, ValueError) as error:
            broken.append(f"{path}:{getattr(error, 'lineno', 0)}: {error}")
lint.rule("python-compiles", broken)

pages = [f for f in everything if re.fullmatch(r"src/man/[^/]+\.[15]", f)]
lint.rule(
    "manual-pages",
    run("mandoc", "-Tlint", "-W", "warning", *pages) if pages else [],
    "" if pages else "none yet",
)
not_executable = [
    f"{path}: begins with #! but is not executable"
    for path in everything
    if lint.read(path).startswith("#!") and not os.access(os.path.join(lint.ROOT, path), os.X_OK)
]
lint.rule("executable-scripts", not_executable)
lint.finish()
