# SPDX-License-Identifier: MIT
"""The look of the C files, as far as no formatter sees to it."""

import re

import lint

LICENSE = "/* SPDX-License-Identifier: MIT */"
WIDTH = 100

opening, guards, typedefs, shape = [], [], [], []

for path in lint.c_files("src/", "tests/fuzz/"):
    text = lint.read(path)
    code = lint.code_only(text)
    lines = text.split("\n")

    if lines[0] != LICENSE:
        opening.append(f"{path}:1: does not begin with {LICENSE}")
    elif not re.match(r"\s*(/\*|//)", text[len(LICENSE) :]):
        opening.append(f"{path}:2: no comment that says what the file owns")

    if path.endswith(".h"):
        body = lint.without_comments(text).strip()
        guard = re.match(r"#ifndef[ \t]+(\w+)[ \t]*\n#define[ \t]+(\w+)[ \t]*\n", body)
        if not guard or guard.group(1) != guard.group(2) or not body.endswith("#endif"):
            guards.append(f"{path}: not wholly inside #ifndef NAME, #define NAME ... #endif")

    typedefs += lint.matches(path, code, r"\btypedef\s+struct\b", "typedef struct: say struct NAME")

    for number, line in enumerate(lines, 1):
        if len(line) > WIDTH:
            shape.append(f"{path}:{number}: {len(line)} columns, {WIDTH} fit")
        if "\t" in line:
            shape.append(f"{path}:{number}: a tab")
        if line != line.rstrip():
            shape.append(f"{path}:{number}: blanks at the end")
    if text and not text.endswith("\n"):
        shape.append(f"{path}: no newline at the end")

lint.rule("opening-comment", opening)
lint.rule("include-guard", guards)
lint.rule("typedef-struct", typedefs)
lint.rule("line-shape", shape)
lint.finish()
