# SPDX-License-Identifier: MIT
"""Who may include what: the order of the rooms, and where third-party headers may appear."""

import re

import lint

ROOMS = ["base", "pipeline", "provider", "net", "engine", "report", "cli"]  # from the bottom up

# Header, the room it belongs to, and in how many .c files of that room it may appear.
THIRD_PARTY = [
    (re.compile(r"ini\.h"), "pipeline", 1),
    (re.compile(r"jansson(_config)?\.h"), "base", 1),
    (re.compile(r"curl/.*"), "net", 1),
    (re.compile(r"getopt\.h"), "cli", None),
]

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"\n]+)"|<([^>\n]+)>)', re.M)


def room_of(path):
    return path.split("/")[1] if path.count("/") >= 2 else None


layers, third_party, base_first = [], [], []
used = {}

for path in lint.c_files():
    text = lint.without_comments(lint.read(path))
    room = room_of(path)
    if room not in ROOMS:
        layers.append(f"{path}: not in one of the rooms {', '.join(ROOMS)}")
        continue
    includes = list(INCLUDE.finditer(text))
    for include in includes:
        where = f"{path}:{lint.line_of(text, include.start(0))}"
        own, foreign = include.groups()
        if own:
            other = own.split("/")[0]
            if "/" not in own or other not in ROOMS:
                layers.append(f'{where}: "{own}" is not written as "room/file.h"')
            elif ROOMS.index(other) > ROOMS.index(room):
                layers.append(f"{where}: {room} lies below {other} and must not know {own}")
        for pattern, home, limit in THIRD_PARTY:
            if pattern.fullmatch(own or foreign):
                if room != home or (limit and not path.endswith(".c")):
                    third_party.append(f"{where}: {own or foreign} belongs into a .c of src/{home}")
                used.setdefault((pattern.pattern, home, limit), set()).add(path)
    if path.endswith(".c"):
        if not includes or includes[0].group(1) != "base/base.h":
            base_first.append(f'{path}: its first #include is not "base/base.h"')

for (_, home, limit), paths in used.items():
    paths = sorted(p for p in paths if room_of(p) == home)
    if limit and len(paths) > limit:
        third_party.append(f"{paths[1]}: {paths[0]} includes the same library already")

lint.rule("layers", layers)
lint.rule("third-party-headers", third_party)
lint.rule("base-first", base_first)
lint.finish()
