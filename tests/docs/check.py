# SPDX-License-Identifier: MIT
"""The documentation and the program say the same: python3 tests/docs/check.py PROGRAM

Prints "ok NAME" or "not ok NAME: why" for each check, then "docs: N passed, N failed"; ends 1 if one failed.

Held against each other: the options and the commands of --help and rungate.1; the tables of keys in the sources and
rungate.ini.5, README and config/examples/everything.ini, with their defaults; the example files and every snippet of a
pipeline file or a provider definition, and the program's own check of them; the commands of the README's chapter "Add a
provider", and what they print.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
PAGE_1 = ROOT / "src/man/rungate.1"
PAGE_5 = ROOT / "src/man/rungate.ini.5"
EXAMPLES = ROOT / "config/examples"
OPTIONS_C = ROOT / "src/cli/options.c"
PIPELINE_C = ROOT / "src/pipeline/pipeline.c"
DEFINITION_C = ROOT / "src/provider/definition.c"
REGISTRY_C = ROOT / "src/provider/registry.c"

OPTION = re.compile(r"(?<![\w-])--([a-z][a-z0-9]*(?:-[a-z0-9]+)*)")
# Good for an integer, a text and a secret alike; long enough to be starred.
DUMMY = "1234567890"

# Files that examples name; "check" looks whether they are there.
CERTIFICATES = tempfile.TemporaryDirectory()
for _name in ("ca-certificates.crt", "client.pem", "client.key"):
    Path(CERTIFICATES.name, _name).touch()

passed = failed = 0


def report(name, problems):
    global passed, failed
    problems = list(problems)
    if problems:
        failed += 1
        print(f"not ok {name}: {problems[0]}" + (f" (and {len(problems) - 1} more)" if problems[1:] else ""))
        for problem in problems[1:]:
            print(f"#   {problem}")
    else:
        passed += 1
        print(f"ok {name}")


# --- the program ------------------------------------------------------------------------------------------------------


def rungate(*arguments, text="", env=None):
    """What the program does in an environment that holds nothing but env."""
    return subprocess.run(
        [PROGRAM, *arguments], input=text, env=env or {}, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


def help_text(*command):
    done = rungate(*command, "--help")
    return done.stdout if done.returncode == 0 else ""


def commands():
    listed = help_text().partition("Commands:\n")[2].partition("\n\n")[0]
    return [line.split()[0] for line in listed.splitlines() if line.strip()]


def dummies(text):
    """A value for every variable without a default in a pipeline file, and for the secrets of built-in providers."""
    values = {name: DUMMY for name in re.findall(r"\$\{([A-Za-z_]\w*)\}", text)}
    for definition in (ROOT / "config/providers").glob("*.ini"):
        for kind, name in re.findall(r"^param\S+ *= *(\w+).*\benv=(\w+)", definition.read_text(), re.M):
            # A secret may stand nowhere else, so it is not the value of anything else.
            values[name] = f"secret-{name}" if kind == "secret" else DUMMY
    return values | {"CERTIFICATES": CERTIFICATES.name}


def without_files(text, folder):
    """${file:PATH} pointed to a file that is there."""
    secret = Path(folder, "secret")
    secret.write_text("secret-of-a-file\n")
    secret.chmod(0o600)
    return re.sub(r"\$\{file:[^}]*\}", f"${{file:{secret}}}", text)


# --- tables of the sources --------------------------------------------------------------------------------------------


def pipeline_keys():
    """{"gate": {key: default or None}, "http": ..., "run": ...}"""
    source = PIPELINE_C.read_text()
    policy = re.search(r"#define POLICY_KEYS\(.*?\n\n", source, re.S).group()
    shared = {key: None for key in re.findall(r'\{\{"(\w+)"', policy)}
    tables = {}
    for section in ("gate", "http", "run"):
        table = re.search(rf"struct key {section}_keys\[\] = \{{\n(.*?)\n\}};", source, re.S).group(1)
        rows = re.findall(r'\{\{"(\w+)",\s*(?:NULL|"([^"]*)")', table)
        tables[section] = {key: default or None for key, default in rows}
        if "POLICY_KEYS" in table:
            tables[section] |= shared
    return tables


def definition_keys():
    """Names as in the table; one that goes on (as param.NAME does) ends in a dot."""
    source = DEFINITION_C.read_text()
    macro = re.search(r"#define REQUEST_KEYS\(.*?\n\n", source, re.S).group()
    suffixes = re.findall(r'\{name(?: "([^"]*)")?,', macro)
    table = re.search(r"\} keys\[\] = \{\n(.*?)\n\};", source, re.S).group(1)
    keys = re.findall(r'\{"([\w.]+)", (?:true|false)', table)
    for request in re.findall(r'REQUEST_KEYS\("(\w+)"', table):
        keys += [request + suffix for suffix in suffixes]
    return sorted(keys + re.findall(r'strcmp\(key, "(\w+)"\)', REGISTRY_C.read_text()))


def without_variable():
    """Options that no variable of the environment stands for."""
    table = re.search(r"\} table\[\] = \{\n(.*?)\n\};", OPTIONS_C.read_text(), re.S).group(1)
    return {name for name, without in re.findall(r'\{"([a-z-]+)",.*?\b(true|false),\s*\w+\}', table, re.S) if without == "true"}


# --- pages ------------------------------------------------------------------------------------------------------------


def items(page, heading):
    """{key: line} of the ".It Ic KEY" lines below a .Sh or .Ss heading of a manual page."""
    part = re.search(rf"^\.S[sh] {re.escape(heading)}\n(.*?)(?=^\.S[sh] |\Z)", page, re.S | re.M)
    found = {}
    for line in re.findall(r"^\.It Ic (.*)$", part.group(1) if part else "", re.M):
        for word in re.sub(r"\bAr \S+", "", line.partition("=")[0]).split():
            if re.fullmatch(r"[a-z_]+(?:\.[a-z_]*)*", word):
                found[word] = line
    return found


def rows(page, heading):
    """{key: line} of the first column of the table below a heading of the README."""
    part = re.search(rf"^### {re.escape(heading)}.*?\n(.*?)(?=^#|\Z)", page, re.S | re.M)
    found = {}
    for line in (part.group(1) if part else "").splitlines():
        if line.startswith("| `"):
            for word in re.findall(r"`([^`]+)`", line.split(" | ")[0]):
                found[word] = line
    return found


def literals(page):
    """The literal displays of a manual page, with roff's escapes undone."""
    for block in re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed$", page, re.S | re.M):
        yield block.replace("\\e", "\\").replace("\\(dq", '"').replace("\\&", "")


def snippets():
    """(where, text) of every INI snippet."""
    for number, text in enumerate(re.findall(r"^```ini\n(.*?)^```$", README.read_text(), re.S | re.M), 1):
        yield f"README snippet {number}", text
    for number, text in enumerate(literals(PAGE_5.read_text()), 1):
        yield f"{PAGE_5.name} display {number}", text


# --- checks -----------------------------------------------------------------------------------------------------------


def check_options():
    described = set(re.findall(r"\bFl Fl ([a-z][a-z-]*)", PAGE_1.read_text()))
    offered = set()
    for command in [()] + [(name,) for name in commands()]:
        mine = set(OPTION.findall(help_text(*command)))
        offered |= mine
        title = "rungate " + " ".join(command) if command else "rungate"
        report(f"options of '{title.strip()}' in rungate.1", [f"--{o} is not described" for o in sorted(mine - described)] or
               ([] if mine else ["--help shows no option"]))
    report("no option in rungate.1 that is not there", [f"--{o} is not in --help" for o in sorted(described - offered)])

    used = set()
    for line in README.read_text().splitlines():
        if re.search(r"\brungate\b", line):
            used |= set(OPTION.findall(line.partition("rungate")[2]))
    report("no option in README that is not there", [f"--{o} is not in --help" for o in sorted(used - offered)])

    page = PAGE_1.read_text()
    report("commands in rungate.1", [f"'{c}' is not described" for c in commands() if not re.search(rf"^\.It Cm {c}\b", page, re.M)])

    names = {"RUNGATE_" + o.upper().replace("-", "_") for o in offered - without_variable()}
    told = set(re.findall(r"\bRUNGATE_[A-Z_]+", page))
    theirs = {n for f in (ROOT / "config/providers").glob("*.ini") for n in re.findall(r"^param\..*\benv=(\w+)", f.read_text(), re.M)}
    report("variables of providers in rungate.1", [f"{n} is not described" for n in sorted(theirs) if not re.search(rf"^\.It Ev .*\b{n}\b", page, re.M)])
    report("variables in rungate.1", [f"{n} is not described" for n in sorted(names - told)] +
           [f"{n} is no option's" for n in sorted(told - names)])


def check_pipeline_keys():
    page, readme, tables = PAGE_5.read_text(), README.read_text(), pipeline_keys()
    places = {"gate": ("[gate]", "[gate]"), "http": ("[http]", "[http]"), "run": ("[run:NAME]", "[run:NAME]")}
    for section, keys in tables.items():
        for what, found in (("rungate.ini.5", items(page, places[section][0])), ("README", rows(readme, places[section][1]))):
            problems = [f"'{key}' is not there" for key in keys if key not in found]
            problems += [f"'{key}' is no key" for key in found if key not in keys]
            for key, default in keys.items():
                mark = f"Li {default}" if what != "README" else f"`{default}`"
                if default and key in found and not re.search(re.escape(mark) + r"(?![\w])", found[key]):
                    problems.append(f"the default of '{key}' is {default}")
            report(f"keys of [{section}] in {what}", problems or ([] if keys else ["no key was found in the sources"]))


def check_definition_keys():
    keys = definition_keys()
    found = items(PAGE_5.read_text(), "Keys")
    report("keys of definitions in rungate.ini.5", [f"'{k}' is not there" for k in keys if k not in found] +
           [f"'{k}' is no key" for k in found if k not in keys] + ([] if len(keys) > 20 else ["no key was found in the sources"]))
    # In the README a key that goes on is written with what follows: param.NAME, start.body./POINTER
    shown = {re.sub(r"(?<=\.)(NAME|/POINTER)$", "", word) for word in rows(README.read_text(), "Keys of a definition")}
    report("keys of definitions in README", [f"'{k}' is not there" for k in keys if k not in shown] +
           [f"'{k}' is no key" for k in sorted(shown) if k not in keys])


def check_examples():
    files = sorted(EXAMPLES.glob("*.ini"))
    for file in files:
        done = rungate("check", "-c", str(file), env=dummies(file.read_text()))
        report(f"rungate check {file.name}", [done.stderr.strip() or f"exit code {done.returncode}"] if done.returncode or done.stderr else [])
    own = EXAMPLES / "own-api"
    done = rungate("check", "-c", str(own / "rungate.ini"), "--provider-file", str(own / "acme.ini"), "--allow-origin",
                   "https://api.acme.example", env={"ACME_KEY": DUMMY})
    report("an API of one's own", [done.stderr.strip() or f"exit code {done.returncode}"] if done.returncode or done.stderr else [])
    text = (own / "acme.ini").read_text()
    report("it is the README's", [] if text[text.index("[provider"):] in README.read_text() else ["the two differ"])
    providers = {f.stem for f in (ROOT / "config/providers").glob("*.ini")}
    report("an example for each provider", [f"{p}.ini is missing" for p in sorted(providers - {f.stem for f in files})])

    report("definitions say where their facts are from, and of when",
           [f"{f.name} does not" for f in sorted((ROOT / "config/providers").glob("*.ini"))
            if not re.search(r"^; Facts: (?:.*\n; )*?.*\b20\d\d-\d\d\b", f.read_text(), re.M)])
    for provider in sorted(providers):
        # A starter file names every parameter.
        names = set(re.findall(r"^(?:; )?([a-z_]+) = ", rungate("init", provider).stdout.partition("[run:")[2], re.M)) - {"provider"}
        row = re.search(rf"^\| `{provider}` \|.*$", README.read_text(), re.M)
        told = set(re.findall(r"`([a-z_]+)`", row.group().split(" | ")[2])) if row else set()
        report(f"parameters of {provider} in README", [f"'{n}' is not there" for n in sorted(names - told)] +
               [f"'{n}' is no parameter" for n in sorted(told - names)])

    file = EXAMPLES / "everything.ini"
    plan = rungate("check", "-c", str(file), env=dummies(file.read_text())).stdout
    given = {}
    for line in plan.splitlines():
        if re.match(r"(gate|http)$|run ", line):
            section = line.split()[0]
        elif match := re.match(r"  ([\w-]+) = .* ; (.*)$", line):
            given.setdefault(section, {}).setdefault(match.group(1), set()).add("default" not in match.group(2))
    problems = [f"no {section} has '{key}'" for section, keys in pipeline_keys().items() for key in keys
                if True not in given.get(section, {}).get(key, ())]
    for provider in sorted(providers):
        text = (ROOT / f"config/providers/{provider}.ini").read_text()
        example = (EXAMPLES / f"{provider}.ini").read_text() + file.read_text()
        for name in re.findall(r"^param\.([\w-]+) *= *\S", text, re.M):
            if not re.search(rf"^(; *)?{name} *=", example, re.M):
                problems.append(f"no example has '{name}', a parameter of {provider}")
    report("everything.ini has every key", problems)


def check_snippets():
    with tempfile.TemporaryDirectory() as folder:
        definitions, seen = {}, set()
        for where, text in snippets():
            if "[provider:" not in text:
                continue
            name = re.search(r"\[provider:([^]]+)\]", text).group(1)
            file = Path(folder, f"{len(seen)}.ini")
            file.write_text(text)
            seen.add(where)
            done = rungate("providers", "--provider-file", str(file), name)
            report(f"{where} is a definition", [done.stderr.strip() or f"exit code {done.returncode}"] if done.returncode else [])
            definitions.setdefault(name, (file, text))
        options, env = [], {}
        for file, text in definitions.values():
            options += ["--provider-file", str(file)]
            for url in re.findall(r"^base_url\s*=\s*(\S+)", text, re.M):
                options += ["--allow-origin", url]
            env |= {name: f"secret-{name}" for name in re.findall(r"\benv=(\w+)", text)}
        pipelines = 0
        for where, text in snippets():
            if "[run:" not in text:
                continue
            pipelines += 1
            text = without_files(text, folder)
            done = rungate("check", "-c", "-", *options, text=text, env=env | dummies(text))
            report(f"{where} is a pipeline file", [done.stderr.strip() or f"exit code {done.returncode}"] if done.returncode or done.stderr else [])
        report("there are snippets to check", [] if pipelines > 1 and definitions else ["too few were found"])


def check_walkthrough():
    """The chapter "Add a provider" in a fresh folder: its files, its commands, and what they print ("..." is any number of lines)."""
    chapter = README.read_text().partition("\n## Add a provider\n")[2].partition("\n### ")[0]
    with tempfile.TemporaryDirectory() as folder:
        definition, pipeline = re.findall(r"^```ini\n(.*?)^```$", chapter, re.S | re.M)
        Path(folder, "acme.ini").write_text(definition)
        Path(folder, "gate.ini").write_text(pipeline)
        sessions = "".join(re.findall(r"^```console\n(.*?)^```$", chapter, re.S | re.M))
        env, done = {"PATH": os.environ["PATH"]}, 0
        for command, shown in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", sessions, re.M):
            words = command.split()
            if words[0] == "export":
                env[words[1].partition("=")[0]] = DUMMY
            elif words[0] == "cat":
                Path(folder, words[1]).write_text(shown)
            else:
                ran = subprocess.run([PROGRAM, *words[1:]], env=env, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
                pattern = re.escape(shown).replace(re.escape("...\n"), r"(?:.*\n)*?")
                said = ran.stdout + ran.stderr
                done += words[0] == "rungate"
                report(f"README: {command}", [] if re.fullmatch(pattern, said.rstrip("\n") + "\n") else [f"it prints\n{said}"])
        report("README has commands to try", [] if done > 3 else [f"{done} were found"])


def check_exit_codes():
    source = (ROOT / "src/engine/verdict.c").read_text()
    codes = dict(re.findall(r'\{"(\w+)", (\d+)\}', source)) | {"usage": "2"}
    table = dict((name, code) for code, name in re.findall(r"^\| (\d+) \| (\w+) \|", README.read_text(), re.M))
    page = dict((name, code) for code, name in re.findall(r"^\.It (\d+)\n(\w+):", PAGE_1.read_text(), re.M))
    for what, told in (("README", table), ("rungate.1", page)):
        report(f"exit codes in {what}", [f"{name} is {code}" for name, code in sorted(codes.items()) if told.get(name) != code])


def check_links():
    problems = []
    text = README.read_text()
    anchors = {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in re.findall(r"^#+ (.*)$", text, re.M)}
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if target.startswith("#"):
            if target[1:] not in anchors:
                problems.append(f"there is no heading for {target}")
        elif "://" not in target and not (ROOT / target).exists():
            problems.append(f"there is no {target}")
    report("links in README", problems)


def main():
    global PROGRAM
    if len(sys.argv) != 2:
        print("usage: check.py PROGRAM", file=sys.stderr)
        return 2
    PROGRAM = os.path.abspath(sys.argv[1])
    for check in (check_options, check_pipeline_keys, check_definition_keys, check_examples, check_snippets, check_walkthrough, check_exit_codes, check_links):
        try:
            check()
        except (OSError, AttributeError, IndexError, KeyError, subprocess.SubprocessError) as error:
            report(check.__name__, [f"broke down: {error!r}"])
    print(f"docs: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
