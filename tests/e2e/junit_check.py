# SPDX-License-Identifier: MIT
"""Owns: what a JUnit file has to be like so that every reader of it sees the same.

There is no standard, only readers: Jenkins, GitLab, Azure Pipelines, Buildkite, CircleCI and the GitHub actions that
show test reports. Each demand below stands for one of them losing a test, a message or the whole file:

- some read counts from attributes, some from the tree: both must say the same;
- some ignore nested suites and cases outside a suite, one crashes on a missing name;
- GitLab takes the words of a failure from its text only, and its XML reader turns an element into a number, a date or
  nothing at all when its `type` is one of a few magic words;
- GitLab and Jenkins identify a case by suite, class and name, and drop what comes twice;
- the strictest schema in use (the one of Jenkins' xUnit plugin) allows few attributes and no children beyond these.

`check(data)` returns the root and a list of complaints, empty for a good file.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

ROOT_ATTRIBUTES = {"name", "time", "tests", "failures", "errors"}
SUITE_ATTRIBUTES = {"name", "tests", "failures", "errors", "group", "time", "skipped", "timestamp", "hostname", "id",
                    "package", "file", "log", "url", "version"}
SUITE_NEEDS = ("name", "tests", "failures", "errors", "time", "timestamp")
CASE_ATTRIBUTES = {"name", "time", "classname", "group"}
CASE_NEEDS = ("name", "classname", "time")
VERDICTS = ("failure", "error", "skipped")
MAGIC_TYPES = {"yaml", "symbol", "integer", "boolean", "float", "decimal", "double", "date", "datetime", "array", "hash",
               "file", "base64binary", "string", "duration"}

TIME = re.compile(r"[0-9]+(\.[0-9]{1,3})?")
TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})?")
NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
REFERENCE = re.compile(r"&#(x[0-9a-fA-F]+|[0-9]+);")
MAX_BYTES = 30 * 1000 * 1000
MAX_TEXT = 10 * 1000 * 1000


def check(data: bytes) -> tuple[ET.Element | None, list[str]]:
    """Parse and examine a whole file."""
    bad: list[str] = []
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as e:
        return None, [f"not UTF-8: {e}"]
    if NOT_XML.search(text):
        bad.append("a character that XML 1.0 does not have")
    for number in REFERENCE.findall(text):
        code = int(number[1:], 16) if number.startswith("x") else int(number)
        if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF or NOT_XML.search(chr(code)):
            bad.append(f"a reference to a character that XML 1.0 does not have: {number}")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        bad.append("a document type")
    if len(data) > MAX_BYTES:
        bad.append(f"{len(data)} bytes are too many for GitLab")
    try:
        root = ET.fromstring(data)
    except ET.ParseError as e:
        return None, bad + [f"not well-formed: {e}"]
    if root.tag != "testsuites":
        return root, bad + [f"root is {root.tag}"]
    bad += _extra(root, ROOT_ATTRIBUTES, "testsuites")
    bad += [f"testsuites holds a {child.tag}" for child in root if child.tag != "testsuite"]
    suites = root.findall("testsuite")
    names = [s.get("name") for s in suites]
    bad += [f"two suites named {n!r}" for n in {n for n in names if names.count(n) > 1}]
    seen: set[tuple[str | None, str | None]] = set()
    for suite in suites:
        bad += _suite(suite, seen)
    bad += _counts(root, list(root.iter("testcase")), "testsuites")
    return root, bad


def _extra(element: ET.Element, allowed: set[str], what: str) -> list[str]:
    return [f"{what} has the attribute {a}" for a in element.keys() if a not in allowed]


def _counts(element: ET.Element, cases: list[ET.Element], what: str) -> list[str]:
    """Counts in attributes, where given, against the tree."""
    truth = {"tests": len(cases), "failures": sum(c.find("failure") is not None for c in cases),
             "errors": sum(c.find("error") is not None for c in cases),
             "skipped": sum(c.find("skipped") is not None for c in cases)}
    return [f"{what} says {name}={element.get(name)}, there are {number}"
            for name, number in truth.items() if element.get(name) not in (None, str(number))]


def _time(element: ET.Element, what: str) -> list[str]:
    value = element.get("time")
    return [] if value is None or TIME.fullmatch(value) else [f"{what}: time {value!r}"]


def _suite(suite: ET.Element, seen: set[tuple[str | None, str | None]]) -> list[str]:
    name = suite.get("name") or ""
    what = f"testsuite {name!r}"
    bad = _extra(suite, SUITE_ATTRIBUTES, what) + _time(suite, what)
    bad += [f"{what}: no {a}" for a in SUITE_NEEDS if not (suite.get(a) or "").strip()]
    stamp = suite.get("timestamp")
    if stamp and not TIMESTAMP.fullmatch(stamp):
        bad.append(f"{what}: timestamp {stamp!r}")
    bad += [f"{what} holds a {c.tag}" for c in suite if c.tag not in ("properties", "testcase", "system-out", "system-err")]
    for item in suite.findall("properties/*"):
        if item.tag != "property" or not item.get("name") or item.get("value") is None or (item.text or "").strip():
            bad.append(f"{what}: property {ET.tostring(item)!r}")
    cases = suite.findall("testcase")
    if not cases:
        bad.append(f"{what} is empty")
    for case in cases:
        bad += _case(case, name, seen)
    return bad + _counts(suite, cases, what)


def _case(case: ET.Element, suite: str, seen: set[tuple[str | None, str | None]]) -> list[str]:
    what = f"testcase {case.get('name')!r} of {suite!r}"
    bad = _extra(case, CASE_ATTRIBUTES, what) + _time(case, what)
    bad += [f"{what}: no {a}" for a in CASE_NEEDS if not (case.get(a) or "").strip()]
    key = (case.get("classname"), case.get("name"))
    if key in seen:
        bad.append(f"{what} is there twice")
    seen.add(key)
    bad += [f"{what} holds a {c.tag}" for c in case if c.tag not in (*VERDICTS, "system-out", "system-err")]
    verdicts = [c for c in case if c.tag in VERDICTS]
    if len(verdicts) > 1:
        bad.append(f"{what} has {len(verdicts)} verdicts")
    for verdict in verdicts:
        bad += [f"{what}: {verdict.tag} has the attribute {a}" for a in verdict.keys() if a not in ("message", "type")]
        bad += [f"{what}: {verdict.tag} holds elements"] if len(verdict) else []
        if not (verdict.text or "").strip():
            bad.append(f"{what}: {verdict.tag} without text")
        if len(verdict.text or "") > MAX_TEXT:
            bad.append(f"{what}: {verdict.tag} has an enormous text")
        if verdict.get("type", "").lower() in MAGIC_TYPES:
            bad.append(f"{what}: type={verdict.get('type')!r} is a magic word")
        if "\n" in verdict.get("message", ""):
            bad.append(f"{what}: message of many lines")
    return bad


def is_green(root: ET.Element) -> bool:
    """What a reader concludes: no case failed, none had an error."""
    return root.find(".//failure") is None and root.find(".//error") is None
