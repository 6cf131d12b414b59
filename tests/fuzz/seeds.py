# SPDX-License-Identifier: MIT
"""Seeds for the fuzz targets, from files that the project has anyway: seeds.py FOLDER

FOLDER/TARGET gets the examples (pipeline), the definitions (definition), and the golden replies of
each provider as gates that end with them (reply).
"""

import json
import os
import re
import shutil
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SEPARATOR = b"\n---\n"


def read(*path):
    with open(os.path.join(ROOT, *path), "rb") as f:
        return f.read()


def names(*path):
    return sorted(os.listdir(os.path.join(ROOT, *path)))


def answer(status, body):
    return b"%d\n%s" % (status, body)


def status_of(name):
    """Of error-404.json: 404."""
    digits = re.search(r"-(\d{3})\.", name)
    return int(digits.group(1)) if digits else 400


def gates(provider):
    """A gate for each golden reply: started, then this reply, then the details if there are any."""
    entries = json.loads(read("tests", "providers", provider, "expected.json"))
    start = next(e["file"] for e in entries if e["kind"] == "start" and e.get("ids"))
    details = [e["file"] for e in entries if e["kind"] == "details"][:1]
    for entry in entries:
        body = read("tests", "providers", provider, entry["file"])
        first = answer(200, read("tests", "providers", provider, start))
        rest = [answer(200, read("tests", "providers", provider, d)) for d in details]
        if entry["kind"] == "start":
            replies = [answer(200, body)] + rest
        elif entry["kind"] == "error":
            replies = [first, answer(status_of(entry["file"]), body)]
        elif entry["kind"] == "details":
            passed = [e["file"] for e in entries if e.get("outcome") == "passed"][:1]
            replies = [first] + [answer(200, read("tests", "providers", provider, p)) for p in passed]
            replies.append(answer(200, body))
        else:
            replies = [first, answer(200, body)] + rest
        yield entry["file"], provider.encode() + b"\n" + SEPARATOR.join(replies)


def main(folder):
    shutil.rmtree(folder, ignore_errors=True)
    for target in names("tests", "fuzz", "corpus"):
        os.makedirs(os.path.join(folder, target))
    seeds = [("pipeline", n, read("config", "examples", n)) for n in names("config", "examples")
             if n.endswith(".ini")]
    for name in names("config", "providers"):
        text = read("config", "providers", name)
        provider = name[: -len(".ini")]
        for golden, gate in gates(provider):
            seeds.append(("reply", f"{provider}-{golden}", gate))
        # Under another name, for the built-in one is taken.
        own = text.replace(b"[provider:", b"[provider:own-", 1)
        script = gate.split(b"\n", 1)[1]
        seeds.append(("definition", name, own + b"\n===\n" + script))
    for target, name, text in seeds:
        with open(os.path.join(folder, target, name), "wb") as f:
            f.write(text)


main(sys.argv[1])
