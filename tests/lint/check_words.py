# SPDX-License-Identifier: MIT
"""Words that must not stand in the C code."""

import os
import re

import lint

BANNED = """strcpy strcat strncpy strncat strtok sprintf vsprintf atoi atol atoll gets gmtime localtime
    asctime ctime mktemp tmpnam system popen alloca setjmp""".split()

LINUX = """epoll signalfd timerfd eventfd inotify pipe2 accept4 getrandom memfd strchrnul asprintf
    vasprintf program_invocation_name program_invocation_short_name qsort_r""".split()

# A word may be followed by more of the name (epoll_wait), so only its beginning counts.
LINUX_CALL = r"\b(?:" + "|".join(LINUX) + r")\w*|#[ \t]*include[ \t]*<linux/[^>\n]*"
# Where it is missing, as elsewhere, the journal takes each start on record for sent.
PROC_PATH = r'"[^"\n]*/proc(?![A-Za-z0-9])(?!/sys/kernel/random/boot_id")'

BANNED_CALL = r"(?<![\w.>])(?:" + "|".join(BANNED) + r")[ \t]*\("

SILENCED = re.compile(
    r"""(?P<code> \#[ \t]*pragma[ \t]+(?:GCC|clang)[ \t]+diagnostic[ \t]+(?!push\b|pop\b)\w+
              | _Pragma[ \t]*\(
              | __attribute__[ \t]*\(\([ \t_]*unused
              | \[\[[ \t]*maybe_unused )
      | (?P<note> NOLINT\w*(?:\([^)]*\))? | cppcheck-suppress[ \t]+[\w\[\],]+ )""",
    re.X,
)

# Provider names: "-" also stands for the ways to write it in an identifier.
names = sorted(
    os.path.basename(f)[: -len(".ini")]
    for f in lint.files()
    if f.startswith("config/providers/") and f.endswith(".ini")
)
spelled = "|".join(re.escape(n).replace(r"\-", "-").replace("-", "[-_]?") for n in names)
PROVIDER = re.compile(rf"(?i)(?<![A-Za-z0-9])(?:{spelled})(?![A-Za-z0-9])") if names else None

providers, banned, linux, defaults, silenced = [], [], [], [], []

for path in lint.c_files("src/", "tests/fuzz/"):
    text = lint.read(path)
    code = lint.code_only(text)
    comments = lint.comments_by_line(text)
    if PROVIDER:
        providers += lint.matches(path, text, PROVIDER, "{} is a provider; providers are data")
    if path != "src/base/banned.h":
        banned += lint.matches(path, code, BANNED_CALL, "{}...) is banned")
    linux += lint.matches(path, code, LINUX_CALL, "{} is not POSIX")
    linux += lint.matches(path, lint.without_comments(text), PROC_PATH, "{}: only Linux has it")
    for match in re.finditer(r"\bdefault[ \t\n]*:", code):
        line = lint.line_of(code, match.start())
        if line not in comments:
            defaults.append(f"{path}:{line}: default: hides a forgotten enum value; or say why here")
    for match in SILENCED.finditer(text):
        line = lint.line_of(text, match.start())
        if match.group("code") and not code[match.start() : match.end()].strip():
            continue  # only mentioned in a comment
        reason = SILENCED.sub("", comments.get(line, ""))
        if not re.search(r"\w", reason) and line - 1 not in comments:
            silenced.append(f"{path}:{line}: {match.group().strip()} without a reason beside it")

lint.rule("provider-names", providers)
lint.rule("banned-functions", banned)
lint.rule("linux-only", linux)
lint.rule("switch-default", defaults)
lint.rule("silenced-warnings", silenced)
lint.finish()
