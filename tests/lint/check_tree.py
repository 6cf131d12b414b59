# SPDX-License-Identifier: MIT
"""What the tree as a whole must hold to. The patterns are written so that they do not match here."""

import re

import lint

TOP = {"Makefile", "README.md", "LICENSE", "src", "config", "tests", "ci", "action.yml"}

INSTALL = re.compile(r"\bapt(?:-get)?(?:[ \t]+-\S+)*[ \t]+install\b")
MACHINE = re.compile(r"(?m)(?:^|[^a-zA-Z.])/(?:work|farm)/|/[r]oot/|bash[_]jobs")
HOST = re.compile(
    r"\b(?:deb|security|ftp(?:[.][a-z]+)?)[.]debian[.]org\b"
    r"|\bregistry[.](?:npmjs|yarnpkg)\b"
    r"|\bpypi[.]org\b|\bpythonhosted[.]org\b"
    r"|\b(?:proxy|sum)[.]golang\b"
)

packages, paths, hosts, top = [], [], [], []

for path in lint.files():
    text = lint.read(path)
    if path != "ci/setup.sh":
        packages += lint.matches(path, text, INSTALL, "{}: packages are listed in ci/setup.sh alone")
    paths += lint.matches(path, text, MACHINE, "{} is a path of one machine")
    hosts += lint.matches(path, text, HOST, "{} is a package registry's host")
    first = path.split("/")[0]
    if first not in TOP and not first.startswith("."):
        top.append(f"{first}: the top level holds {', '.join(sorted(TOP))} and dot-files")

lint.rule("packages-in-one-place", packages)
lint.rule("machine-paths", paths)
lint.rule("registry-hosts", hosts)
lint.rule("top-level", sorted(set(top)))
lint.finish()
