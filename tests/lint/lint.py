# SPDX-License-Identifier: MIT
"""What the checks of this folder share: which files there are, C without its comments, reporting.

A check calls rule(NAME, PROBLEMS) once for each of its rules and ends with finish(). A problem is
one line of text, at best "file:line: what".
"""

import os
import re
import subprocess
import sys

ROOT = os.path.abspath(
    os.environ.get("LINT_ROOT") or os.path.join(os.path.dirname(__file__), "..", "..")
)
SKIPPED_FOLDERS = {".git", "build", "__pycache__", ".pytest_cache"}

_failed = False


def files():
    """Paths below ROOT that belong to the project: what git has or would take, else all there is."""
    if os.path.exists(os.path.join(ROOT, ".git")):
        git = subprocess.run(
            ["git", "-C", ROOT, "ls-files", "-z", "-co", "--exclude-standard"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        if git.returncode == 0:
            names = {os.fsdecode(name) for name in git.stdout.split(b"\0") if name}
            return sorted(n for n in names if os.path.isfile(os.path.join(ROOT, n)))
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [f for f in folders if f not in SKIPPED_FOLDERS]
        found += [os.path.relpath(os.path.join(folder, name), ROOT) for name in names]
    return sorted(found)


def c_files(*folders):
    """Those of the program, or of the given folders."""
    return [f for f in files() if f.startswith(folders or "src/") and f.endswith((".c", ".h"))]


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8", errors="surrogateescape") as f:
        return f.read()


_TOKEN = re.compile(
    r"""
      (?P<comment> /\*.*?(?:\*/|\Z) | //[^\n]* )
    | (?P<string>  "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' )
    """,
    re.S | re.X,
)


def _blank(text):
    return re.sub(r"[^\n]", " ", text)


def without_comments(text):
    """The text with blanks for comments: lines and columns stay as they were."""
    return _TOKEN.sub(lambda m: _blank(m.group()) if m.group("comment") else m.group(), text)


def code_only(text):
    """The text with blanks for comments and for the insides of strings."""

    def cut(match):
        if match.group("comment"):
            return _blank(match.group())
        return match.group()[0] + _blank(match.group()[1:-1]) + match.group()[-1]

    return _TOKEN.sub(cut, text)


def comments_by_line(text):
    """Line number -> what stands in comments on that line."""
    found = {}
    for match in _TOKEN.finditer(text):
        if match.group("comment"):
            first = text.count("\n", 0, match.start()) + 1
            for offset, line in enumerate(match.group().split("\n")):
                words = line.strip("/* \t")
                if words:
                    found[first + offset] = (found.get(first + offset, "") + " " + words).strip()
    return found


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def matches(path, text, pattern, say):
    """One problem for each match of the pattern; {} in `say` is the text matched."""
    return [
        f"{path}:{line_of(text, m.start())}: " + say.format(m.group().strip())
        for m in re.finditer(pattern, text)
    ]


def rule(name, problems, note=""):
    """Prints the verdict on one rule: a line with the first problem, the others below it."""
    global _failed
    problems = list(problems)
    if not problems:
        print(f"ok {name}{' # ' + note if note else ''}")
        return
    _failed = True
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    print(f"not ok {name}: {problems[0]}{more}")
    for problem in problems[1:]:
        print(f"#   {problem}")


def finish():
    sys.exit(1 if _failed else 0)
