# SPDX-License-Identifier: MIT
"""The program and its manual page name the same options. The program is the first argument."""

import os
import re
import subprocess
import sys

import lint

PAGE = "src/man/rungate.1"
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9]*(?:-[a-z0-9]+)*")


def page_text():
    # As wide as can be, so that no option is split over two lines; overstriking taken off.
    page = subprocess.run(
        ["mandoc", "-Tascii", "-Owidth=1000", os.path.join(lint.ROOT, PAGE)],
        stdout=subprocess.PIPE,
        check=True,
    )
    return re.sub(".\b", "", page.stdout.decode("ascii", "replace"))


problems, note = [], ""
program = sys.argv[1] if len(sys.argv) > 1 else ""
if not program:
    note = "no program given"
elif not os.path.exists(os.path.join(lint.ROOT, PAGE)):
    note = "no page yet"
else:
    program = os.path.abspath(program)
    try:
        shown = subprocess.run(
            [program, "run", "--help"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, check=True
        )
        offered = set(OPTION.findall(shown.stdout.decode("utf-8", "replace")))
        described = set(OPTION.findall(page_text()))
        problems = [f"{PAGE}: says nothing of {option}" for option in sorted(offered - described)]
        if not offered:
            problems.append(f"{program} run --help names no option at all")
    except (OSError, subprocess.CalledProcessError) as error:
        problems.append(f"could not ask {error}")

lint.rule("manual-options", problems, note)
lint.finish()
