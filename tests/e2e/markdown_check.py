# SPDX-License-Identifier: MIT
"""Owns: what a Markdown report has to be like so that texts from outside are only text in it.

It is read by cmark-gfm, GitHub's own reader, with the extensions that GitHub has switched on. What the report is made of is
little: headings, paragraphs, tables, lists, strong text, links in tables, and <pre> elements. Whatever else comes out was
smuggled in.

`check(data)` returns the exit code that the report tells, and a list of complaints, empty for a good file.
"""

from __future__ import annotations

import re
import subprocess
import xml.etree.ElementTree as ET

READER = ["cmark-gfm", "-t", "xml", "-e", "table", "-e", "strikethrough", "-e", "autolink", "-e", "tasklist"]
OURS = {"document", "heading", "paragraph", "text", "table", "table_header", "table_row", "table_cell", "list", "item", "strong", "link",
        "html_block"}
MAX_BYTES = 1_048_576
"""A step summary that is longer is dropped whole by GitHub."""

PRE = re.compile(r"<pre>[^<>]*</pre>\n*")
ADDRESS = re.compile(r"https?://[^\s<>\"|\\`]+")
COMMAND = re.compile(r"(?m)^\s*::|##[^ #]|###+[^ #]|^(---|\+\+\+|~~~) ", re.I)
CELL = re.compile(r"(?<!\\)(?:\\\\)*\|")


def check(data: bytes) -> tuple[int | None, list[str]]:
    """Read and examine a whole file."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as e:
        return None, [f"not UTF-8: {e}"]
    bad = [f"{len(data)} bytes are too many for GitHub"] if len(data) >= MAX_BYTES else []
    bad += [f"what a CI system could obey: {m.group()!r}" for m in COMMAND.finditer(text)]
    root = _parse(data)
    for element in root.iter():
        bad += _element(element)
    bad += _tables(text)
    said = re.match(r"## rungate: [a-z_]+\n\nExit code ([0-9]+)[^0-9]", text)
    return (int(said.group(1)) if said else None), bad + ([] if said else ["it does not begin with the verdict"])


def _parse(data: bytes) -> ET.Element:
    xml = subprocess.run(READER, input=data, stdout=subprocess.PIPE, check=True).stdout.decode("utf-8")
    root = ET.fromstring(re.sub(r"<!DOCTYPE[^>]*>", "", xml))
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def _element(element: ET.Element) -> list[str]:
    if element.tag not in OURS:
        return [f"{element.tag}: {''.join(element.itertext())[:100]!r}"]
    if element.tag == "html_block" and not PRE.fullmatch(element.text or ""):
        return [f"HTML: {(element.text or '')[:100]!r}"]
    if element.tag == "link" and not ADDRESS.fullmatch(element.get("destination", "")):
        return [f"a link to {element.get('destination')!r}"]
    if element.tag == "paragraph" and element.find(".//link") is not None:
        return [f"a link outside of the tables: {''.join(element.itertext())[:100]!r}"]
    return []


def _tables(text: str) -> list[str]:
    """A reader cuts a row that is too long, and fills one that is too short; so the source is counted."""
    bad: list[str] = []
    width = 0
    for line in re.sub(r"<pre>[^<]*</pre>", "", text).split("\n"):
        cells = len(CELL.findall(line)) if line.startswith("|") else 0
        if cells and width and cells != width:
            bad.append(f"a row of {cells - 1} cells in a table of {width - 1}: {line[:100]!r}")
        width = cells if cells else 0
    return bad
