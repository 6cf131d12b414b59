# SPDX-License-Identifier: MIT
"""The cases of run.sh. Each function whose name begins with case_ is one; its docstring is its name.

A fake rungate on PATH writes down how it was called. Steps are run as the CI systems run them, with
the text that stands in the file that is tested.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

import yaml

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
PATIENCE = 20  # seconds, for what takes a fraction of one

FAKE_RUNGATE = """#!/bin/sh
[ $# -eq 0 ] || printf '%s\\0' "$@" >"$FAKE/args"
pwd -P >"$FAKE/cwd"
env >"$FAKE/env"
if [ -n "${FAKE_WAIT:-}" ]; then
    trap 'echo INT >>"$FAKE/signals"; exit 130' INT
    trap 'echo TERM >>"$FAKE/signals"; exit 143' TERM
    echo $$ >"$FAKE/pid.new"
    mv "$FAKE/pid.new" "$FAKE/pid"
    turns=0
    while [ $turns -lt 400 ]; do
        sleep 0.05
        turns=$((turns + 1))
    done
    exit 99
fi
exit "${FAKE_EXIT:-0}"
"""


class Failure(Exception):
    pass


def expect(got, wanted, what):
    if got != wanted:
        raise Failure(f"{what}: {got!r} where {wanted!r} was expected")


def root(path):
    return os.path.join(ROOT, path)


def text(path):
    with open(root(path), encoding="utf-8") as f:
        return f.read()


def write(path, content, executable=False):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(content if isinstance(content, bytes) else content.encode())
    if executable:
        os.chmod(path, 0o755)


def wait_for(condition, what):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise Failure(f"waited in vain for {what}")
        time.sleep(0.02)


class Place:
    """A folder for one case: a fake rungate on PATH, a folder to work in, what the fake saw."""

    def __init__(self, folder, fake=True):
        self.folder = folder
        self.bin = os.path.join(folder, "bin")
        self.work = os.path.join(folder, "project")
        self.seen = os.path.join(folder, "seen")
        for d in (self.bin, self.work, self.seen):
            os.makedirs(d)
        # Of the machine's own PATH everything but a rungate that may be installed there.
        path = [
            d
            for d in os.environ.get("PATH", "/usr/bin:/bin").split(":")
            if not os.path.exists(os.path.join(d, "rungate"))
        ]
        self.env = {
            "PATH": ":".join([self.bin] + path),
            "HOME": folder,
            "LC_ALL": "C",
            "FAKE": self.seen,
        }
        if fake:
            self.tool("rungate", FAKE_RUNGATE)

    def tool(self, name, script):
        write(os.path.join(self.bin, name), script, executable=True)

    def start(self, *command, **env):
        return subprocess.Popen(
            command,
            cwd=self.work,
            env={**self.env, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def run(self, *command, **env):
        process = self.start(*command, **env)
        output = process.communicate(timeout=PATIENCE)[0].decode("utf-8", "replace")
        return process.returncode, output

    def saw(self, name):
        try:
            with open(os.path.join(self.seen, name), encoding="utf-8") as f:
                return f.read()
        except FileNotFoundError:
            return None

    def args(self):
        args = self.saw("args")
        return None if args is None else args.split("\0")[:-1]

    def signal_reaches_gate(self, process, number, name):
        """What a runner does that cancels: a signal to the process it started, and to no other."""
        try:
            wait_for(lambda: self.saw("pid"), "the gate to start")
            process.send_signal(number)
            process.communicate(timeout=PATIENCE)
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()
        expect(self.saw("signals"), name + "\n", "the signal seen by the gate")
        expect(process.returncode, 128 + number, "the exit code")
        expect(int(self.saw("pid")), process.pid, "the gate's process, which the runner started")


# --- GitHub -------------------------------------------------------------------------------------

ACTION = yaml.safe_load(text("action.yml"))
GATE = ACTION["runs"]["steps"][0]


def action_env(place, action_path=ROOT, **inputs):
    """The environment of the action's step, its expressions replaced as a runner replaces them."""
    values = {name: spec.get("default", "") for name, spec in ACTION["inputs"].items()}
    for name in inputs:
        values[name.replace("_", "-")] = inputs[name]
    env = {
        name: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda m: values[m.group(1)], value)
        for name, value in GATE["env"].items()
    }
    env["GITHUB_ACTION_PATH"] = action_path
    env["GITHUB_OUTPUT"] = os.path.join(place.folder, "output")
    env["GITHUB_PATH"] = os.path.join(place.folder, "path")
    return env


def action_command(place):
    script = os.path.join(place.folder, "step.sh")
    write(script, GATE["run"])
    return ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", script]


def act(place, action_path=ROOT, extra=None, **inputs):
    env = {**action_env(place, action_path, **inputs), **(extra or {})}
    return place.run(*action_command(place), **env)


def own_checkout(place, setup="exit 0", make=None):
    """A copy of the action with a set-up script and a make that are not the real ones."""
    checkout = os.path.join(place.folder, "a checkout")
    write(f"{checkout}/ci/setup.sh", f"#!/bin/sh\necho \"$@\" >$FAKE/setup\n{setup}\n", True)
    script = f"{checkout}/ci/github-action.sh"
    write(script, text("ci/github-action.sh"), True)
    write(f"{place.folder}/fake-rungate", FAKE_RUNGATE, True)
    place.tool(
        "make",
        make
        or """#!/bin/sh
printf '%s\\n' "$@" >"$FAKE/make"
for word in "$@"; do
    case $word in BINDIR=*) to=${word#BINDIR=} ;; esac
done
mkdir -p "$to"
cp "$FAKE/../fake-rungate" "$to/rungate"
""",
    )
    return checkout


def case_action_shape(place):
    """action.yml: inputs by the environment alone, every step with a shell, outputs of the step"""
    expect(ACTION["runs"]["using"], "composite", "using")
    passed = set()
    for step in ACTION["runs"]["steps"]:
        expect(step.get("shell"), "bash", "shell")
        expect("${{" in step["run"], False, "an expression inside run")
        for value in step.get("env", {}).values():
            passed.update(re.fullmatch(r"\$\{\{ inputs\.([\w-]+) \}\}", value).groups())
    expect(passed, set(ACTION["inputs"]), "the inputs passed on")
    for name, output in ACTION["outputs"].items():
        expect(output["value"], "${{ steps.%s.outputs.%s }}" % (GATE["id"], name), name)
    expect(
        sorted(ACTION["outputs"]), ["exit-code", "run-ids", "urls", "verdict"], "the outputs"
    )


def case_action_bare(place):
    """action: without inputs it is `rungate run` in the working folder"""
    code, output = act(place)
    expect(code, 0, output)
    expect(place.args(), ["run"], "arguments")
    expect(place.saw("cwd").strip(), os.path.realpath(place.work), "folder")
    expect("INPUT_" in place.saw("env"), False, "an input left in the gate's environment")


def case_action_arguments(place):
    """action: every input becomes its option, args one a line, runs behind --"""
    os.makedirs(os.path.join(place.work, "sub dir"))
    code, output = act(
        place,
        command="start",
        config="a b.ini",
        junit="out/j u.xml",
        json="-",
        summary="s.md",
        timeout="45m",
        args="--define=X=one  two\n\n  'quoted \"both\n--set=load.name=a;b\r\nlast\\n",
        runs="load\n  ui\tapi",
        working_directory="sub dir",
    )
    expect(code, 0, output)
    expect(
        place.args(),
        ["start", "--config", "a b.ini", "--junit", "out/j u.xml", "--json", "-"]
        + ["--summary", "s.md", "--timeout", "45m", "--define=X=one  two", "  'quoted \"both", "--set=load.name=a;b"]
        + ["last\\n", "--", "load", "ui", "api"],
        "arguments",
    )
    expect(os.path.basename(place.saw("cwd").strip()), "sub dir", "folder")


def case_action_hostile(place):
    """action: nothing in an input is ever expanded or run"""
    write(os.path.join(place.work, "file"), "")
    hostile = "$(touch pwned) `touch pwned` ; touch pwned & * ${HOME} \\ \" '"
    code, output = act(
        place,
        config=hostile,
        junit=hostile,
        json=hostile,
        summary=hostile,
        timeout=hostile,
        args=hostile + "\n-n\n*\nEND\n$HOME",
        runs="* $(touch${IFS}pwned) --fail-fast",
        command=hostile,
    )
    expect(code, 0, output)
    args = place.args()
    expect(args[0], hostile, "command")
    expect(args[1:11:2], ["--config", "--junit", "--json", "--summary", "--timeout"], "options")
    expect(args[2:12:2], [hostile] * 5, "values")
    expect(args[11:16], [hostile, "-n", "*", "END", "$HOME"], "args")
    expect(args[16:], ["--", "*", "$(touch${IFS}pwned)", "--fail-fast"], "runs")
    expect(os.listdir(place.work), ["file"], "the folder afterwards")


def case_action_folder(place):
    """action: a folder that does not exist is no verdict, and says so"""
    code, output = act(place, working_directory="-")
    expect(code, 3, output)
    expect(place.args(), None, "arguments")
    expect("::error title=rungate::the working-directory" in output, True, output)


def case_action_exit(place):
    """action: the gate's exit code is the step's"""
    for wanted in (0, 1, 2, 3, 4, 5, 6, 70, 130, 143):
        code, output = act(place, extra={"FAKE_EXIT": str(wanted)})
        expect(code, wanted, output)


def case_action_sigint(place):
    """action: SIGINT to the step's process alone reaches the gate"""
    process = place.start(*action_command(place), FAKE_WAIT="1", **action_env(place))
    place.signal_reaches_gate(process, signal.SIGINT, "INT")


def case_action_sigterm(place):
    """action: SIGTERM to the step's process alone reaches the gate"""
    process = place.start(*action_command(place), FAKE_WAIT="1", **action_env(place))
    place.signal_reaches_gate(process, signal.SIGTERM, "TERM")


def case_action_build(place):
    """action: without a rungate it builds its own checkout, and later steps find it"""
    os.remove(os.path.join(place.bin, "rungate"))
    checkout = own_checkout(place)
    env = {"DESTDIR": "elsewhere", "BINDIR": "elsewhere", "FAKE_EXIT": "1"}
    code, output = act(place, action_path=checkout, config="x.ini", extra=env)
    expect(code, 1, output)
    expect(place.saw("setup"), "build\n", "what was installed")
    make = place.saw("make").split("\n")
    expect(make[:2], ["-C", checkout], "where make ran")
    expect("install" in make and "DESTDIR=" in make, True, str(make))
    expect(place.args(), ["run", "--config", "x.ini"], "arguments")
    with open(os.path.join(place.folder, "path"), encoding="utf-8") as f:
        expect(f.read(), f"{checkout}/build/action/bin\n", "the path for later steps")
    expect(output, "::group::Build rungate\n::endgroup::\n", "output")


def case_action_build_fails(place):
    """action: a build that fails is no verdict, in the exit code and in the outputs"""
    os.remove(os.path.join(place.bin, "rungate"))
    for setup, make in (("exit 1", None), ("exit 0", "#!/bin/sh\nexit 2\n")):
        checkout = own_checkout(place, setup, make)
        write(os.path.join(place.folder, "output"), "")
        code, output = act(place, action_path=checkout)
        expect(code, 3, output)
        expect("::error title=rungate::" in output, True, output)
        expect(output.index("::endgroup::") < output.index("::error"), True, output)
        with open(os.path.join(place.folder, "output"), encoding="utf-8") as f:
            expect(f.read(), "verdict=error\nexit-code=3\n", "outputs")
        expect(place.args(), None, "arguments")


def case_action_build_cancelled(place):
    """action: a cancellation during the build is not followed by a gate"""
    os.remove(os.path.join(place.bin, "rungate"))
    waiting = "touch $FAKE/ready; while [ ! -e $FAKE/go ]; do sleep 0.05; done"
    checkout = own_checkout(place, setup=waiting)
    for number in (signal.SIGINT, signal.SIGTERM):
        for name in ("ready", "go"):
            if place.saw(name) is not None:
                os.remove(os.path.join(place.seen, name))
        process = place.start(*action_command(place), **action_env(place, checkout))
        try:
            wait_for(lambda: place.saw("ready") is not None, "the build to start")
            process.send_signal(number)
            write(os.path.join(place.seen, "go"), "")
            process.communicate(timeout=PATIENCE)
        finally:
            write(os.path.join(place.seen, "go"), "")
            if process.poll() is None:
                process.kill()
                process.communicate()
        expect(process.returncode, 128 + number, "the exit code")
        expect(place.args(), None, "arguments")


# --- hooks, GitLab, Jenkins -----------------------------------------------------------------------


def case_hook(place):
    """pre-deploy.sh: becomes `rungate run` with its arguments, and hands on the exit code"""
    for wanted in (0, 1, 3, 6, 143):
        code, output = place.run(root("ci/pre-deploy.sh"), "-c", "a b.ini", FAKE_EXIT=str(wanted))
        expect(code, wanted, output)
        expect(place.args(), ["run", "-c", "a b.ini"], "arguments")


def case_hook_missing(place):
    """pre-deploy.sh: without a rungate the deploy does not go on"""
    os.remove(os.path.join(place.bin, "rungate"))
    code, output = place.run(root("ci/pre-deploy.sh"))
    expect(code, 127, output)


def case_hook_kamal(place):
    """pre-deploy.sh: gates a deploy and a redeploy of Kamal, and no rollback"""
    for command in ("deploy", "redeploy"):
        code, output = place.run(root("ci/pre-deploy.sh"), KAMAL_COMMAND=command, FAKE_EXIT="1")
        expect(code, 1, output)
    os.remove(os.path.join(place.seen, "args"))
    code, output = place.run(root("ci/pre-deploy.sh"), KAMAL_COMMAND="rollback", FAKE_EXIT="1")
    expect(code, 0, output)
    expect(place.args(), None, "arguments")


def case_hook_signals(place):
    """pre-deploy.sh: SIGTERM and SIGINT reach the gate"""
    for number, name in ((signal.SIGTERM, "TERM"), (signal.SIGINT, "INT")):
        for leftover in ("pid", "signals"):
            if place.saw(leftover):
                os.remove(os.path.join(place.seen, leftover))
        process = place.start(root("ci/pre-deploy.sh"), FAKE_WAIT="1")
        place.signal_reaches_gate(process, number, name)


def case_gitlab(place):
    """gitlab.yml: a hidden job that always keeps its report, and execs the gate"""
    document = yaml.safe_load(text("ci/gitlab.yml"))
    expect(list(document), [".rungate"], "the jobs")
    job = document[".rungate"]
    expect(job["artifacts"]["when"], "always", "artifacts:when")
    variables = job["variables"]
    expect(job["artifacts"]["reports"]["junit"], variables["RUNGATE_JUNIT"], "reports:junit")
    # One shell runs all lines, the way a runner joins them, and would go on to its own last line.
    script = "\n".join(["set -eo pipefail"] + job["script"] + ["exit 0"])
    code, output = place.run("bash", "-c", script, FAKE_EXIT="4", **variables)
    expect(code, 4, output)
    expect(place.args(), ["run"], "arguments")
    process = place.start("bash", "-c", script, FAKE_WAIT="1", **variables)
    place.signal_reaches_gate(process, signal.SIGTERM, "TERM")


def case_jenkins(place):
    """Jenkinsfile: tells every exit code apart, opens on 0 alone, keeps secrets off command lines"""
    source = re.sub(r"(?m)^\s*//.*$", "", text("ci/Jenkinsfile"))
    bare = re.sub(r"'[^'\n]*'|\"[^\"\n]*\"", "''", source)
    for left, right in ("{}", "()", "[]"):
        expect(bare.count(left), bare.count(right), f"{left} and {right}")
    cases = [int(n) for n in re.findall(r"case (\d+):", source)]
    expect(cases, [0, 1, 2, 3, 4, 5, 6, 130, 143], "the exit codes named")
    expect(bool(re.search(r"default:\s*error\(", source)), True, "any other code is an error")
    expect(re.findall(r"expression \{ (.*?) \}", source), ["gate == 0"], "when the deploy runs")
    expect(re.findall(r"^int gate = (\S+)$", source, re.M), ["-1"], "what it begins with")
    scripts = re.findall(r"script: ('[^'\n]*'|\"[^\"\n]*\")", source)
    expect(scripts, ["'exec rungate run'"], "the gate's script, in single quotes")
    expect("returnStatus: true" in source and "allowEmptyResults: true" in source, True, "steps")
    code, output = place.run("sh", "-xe", "-c", scripts[0].strip("'"), FAKE_EXIT="5")
    expect(code, 5, output)


def case_yaml(place):
    """every YAML file of the project parses"""
    found = 0
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [f for f in folders if f not in (".git", "build")]
        for name in names:
            if name.endswith((".yml", ".yaml")):
                with open(os.path.join(folder, name), encoding="utf-8") as f:
                    list(yaml.safe_load_all(f))
                found += 1
    expect(found >= 2, True, f"{found} files")


# --- set-up -----------------------------------------------------------------------------------------

APT = """#!/bin/sh
printf '%s\\n' "$*" >>"$FAKE/apt"
case $* in *install*) [ ! -e "$FAKE/broken" ] && touch "$FAKE/installed" ;; esac
"""

# Knows every package it is asked for, once apt has installed something.
DPKG = """#!/bin/sh
[ -e "$FAKE/installed" ] || exit 1
shift 2
for package in "$@"; do
    printf '%s:installed ' "$package"
done
"""


def setup(place, *args, **env):
    place.tool("apt-get", APT)
    place.tool("dpkg-query", DPKG)
    place.tool("id", "#!/bin/sh\necho 0\n")
    return place.run(root("ci/setup.sh"), *args, **env)


def case_setup_done(place):
    """setup.sh: with everything in place it does not call apt"""
    write(os.path.join(place.seen, "installed"), "")
    expect(setup(place, "build"), (0, ""), "result")
    expect(place.saw("apt"), None, "calls of apt")


def case_setup_build(place):
    """setup.sh build: installs what the build needs and nothing of the tests"""
    code, output = setup(place, "build")
    expect(code, 0, output)
    calls = place.saw("apt").strip().split("\n")
    expect(len(calls), 2, str(calls))
    expect(calls[0].endswith(" update"), True, calls[0])
    words = calls[1].split()
    expect({"-y", "--no-remove", "--no-install-recommends"} <= set(words), True, calls[1])
    packages = words[words.index("install") + 1 :]
    for package in ("gcc", "libc6-dev", "make", "libcurl4-openssl-dev", "ca-certificates"):
        expect(package in packages, True, package)
    for package in ("valgrind", "clang", "python3"):
        expect(package in packages, False, package)


def case_setup_fails(place):
    """setup.sh: says what could not be installed, and ends with 1"""
    write(os.path.join(place.seen, "broken"), "")
    code, output = setup(place)
    expect(code, 1, output)
    expect(bool(re.search(r"setup: could not install: .*libinih-dev", output)), True, output)


def case_setup_user(place):
    """setup.sh: without root and sudo says what to run"""
    place.tool("apt-get", APT)
    place.tool("dpkg-query", DPKG)
    place.tool("id", "#!/bin/sh\necho 1000\n")
    for name in ("sh", "printf"):
        os.symlink(shutil.which(name), os.path.join(place.bin, name))
    code, output = place.run(root("ci/setup.sh"), "build", PATH=place.bin)
    expect(code, 1, output)
    expect("as root run" in output and "libjansson-dev" in output, True, output)
    place.tool(
        "sudo",
        """#!/bin/sh
printf '%s ' "$@" >>"$FAKE/sudo"
[ "$1" = -n ] && shift
exec "$@"
""",
    )
    for name in ("env", "mktemp", "rm", "cat", "touch"):
        os.symlink(shutil.which(name), os.path.join(place.bin, name))
    code, output = place.run(root("ci/setup.sh"), "build", PATH=place.bin)
    expect(code, 0, output)
    expect(place.saw("sudo").startswith("-n env DEBIAN_FRONTEND=noninteractive"), True, "sudo")


def case_setup_elsewhere(place):
    """setup.sh: without apt names what is needed in words, and hints at Homebrew on macOS"""
    for name in ("sh", "dirname"):
        os.symlink(shutil.which(name), os.path.join(place.bin, name))
    place.tool("uname", "#!/bin/sh\necho Darwin\n")
    code, output = place.run(root("ci/setup.sh"), PATH=place.bin)
    expect(code, 1, output)
    for word in ("no apt-get", "a C compiler", "libcurl", "inih", "jansson", "valgrind", "brew"):
        expect(word in output, True, f"{word} in {output}")
    for name in ("cc", "make", "pkg-config"):
        place.tool(name, "#!/bin/sh\nexit 0\n")
    expect(place.run(root("ci/setup.sh"), "build", PATH=place.bin), (0, ""), "with all there")


def case_setup_usage(place):
    """setup.sh: an argument it does not know is a usage error"""
    for args in (["all"], ["build", "test"], [""]):
        expect(setup(place, *args)[0], 2, str(args))
    expect(place.saw("apt"), None, "calls of apt")


def case_ci_run(place):
    """.ci/run: sets up, checks the schemas where they lie beside it, fuzzes a little, and tests last"""
    checkout = os.path.join(place.folder, "main")
    write(f"{checkout}/.ci/run", text(".ci/run"), True)
    write(f"{checkout}/ci/setup.sh", '#!/bin/sh\necho setup "$@" >>"$FAKE/calls"\n', True)
    place.tool("make", '#!/bin/sh\necho make "$@" >>"$FAKE/calls"\necho "3 passed, 0 failed"\n')
    code, output = place.run("bash", f"{checkout}/.ci/run")
    expect(code, 0, output)
    expect(place.saw("calls"), "setup\nmake fuzz FUZZ_SECONDS=5\nmake test\n", "calls")
    expect(output, 2 * "3 passed, 0 failed\n", "output")
    os.remove(os.path.join(place.seen, "calls"))
    os.makedirs(os.path.join(place.folder, "shared", "schemas"))
    place.run("bash", f"{checkout}/.ci/run")
    expect(
        place.saw("calls"),
        "setup\nmake check-schema SCHEMAS=../shared/schemas\nmake fuzz FUZZ_SECONDS=5\nmake test\n",
        "calls with schemas",
    )
    for failing in ("check-schema", "fuzz", "test"):
        place.tool("make", f'#!/bin/sh\n[ "$1" != {failing} ]\n')
        expect(place.run("bash", f"{checkout}/.ci/run")[0], 1, f"exit code after {failing} failed")


# --- embed.sh ---------------------------------------------------------------------------------------

BUILTIN_H = """#include <stddef.h>
struct builtin_provider { const char *name; const char *text; };
extern const struct builtin_provider builtin_providers[];
extern const size_t builtin_provider_count;
"""

DUMP_C = """#include "provider/builtin.h"
#include <stdio.h>
#include <string.h>
int main(void)
{
    for (size_t i = 0; i < builtin_provider_count; i++) {
        const struct builtin_provider *p = &builtin_providers[i];
        printf("%s %zu\\n", p->name, strlen(p->text));
        fwrite(p->text, 1, strlen(p->text), stdout);
    }
    return 0;
}
"""


def embed(place, *paths):
    done = subprocess.run(
        [root("ci/embed.sh"), *paths],
        cwd=place.work,
        env=place.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr.decode()


def embedded(place, texts):
    """What a C program finds in the generated file, which must compile without a warning."""
    paths = []
    for name, content in texts.items():
        paths.append(os.path.join(place.folder, "texts", name + ".ini"))
        write(paths[-1], content)
    code, generated, errors = embed(place, *paths)
    expect((code, errors), (0, ""), "embed.sh")
    expect(all(b in b"\n" or 32 <= b < 127 for b in generated), True, "plain ASCII")
    write(f"{place.work}/provider/builtin.h", BUILTIN_H)
    write(f"{place.work}/builtin.c", generated)
    write(f"{place.work}/dump.c", DUMP_C)
    flags = "-std=c11 -Wall -Wextra -Werror -I. -o dump dump.c builtin.c".split()
    code, output = place.run("gcc", *flags)
    expect((code, output), (0, ""), "gcc")
    data = subprocess.run([f"{place.work}/dump"], stdout=subprocess.PIPE, check=True).stdout
    found = []
    while data:
        head, data = data.split(b"\n", 1)
        name, length = head.decode().rsplit(" ", 1)
        found.append((name, data[: int(length)]))
        data = data[int(length) :]
    return found


def case_embed_bytes(place):
    """embed.sh: what a C program reads is the file, byte for byte"""
    texts = {
        "quotes": b'say "hi" and \\ and \\n and \'x\' %s\n',
        "trigraphs": b"??= ??/ ??' ??( ??) ??! ??< ??> ??- ???=\n?\n",
        "utf-8": "größer – 日本語 🎯\n".encode(),
        "octal": b"\xc3\xa97 \x01" + b"1\x7f9\n",
        "ends": b"no newline at the end",
        "lines": b"\n\n  indented\n\ttab\r\ncarriage\n\n",
        "empty": b"",
        "all-bytes": bytes(range(1, 256)),
        "long": b"x" * 10000 + b"\n" + b"line\n" * 5000,
        "comment": b"/* */ // #include\n",
    }
    expect(embedded(place, texts), sorted(texts.items()), "texts")


def case_embed_real(place):
    """embed.sh: the built-in definitions survive it"""
    folder = root("config/providers")
    texts = {}
    for name in sorted(os.listdir(folder) if os.path.isdir(folder) else []):
        if name.endswith(".ini"):
            with open(os.path.join(folder, name), "rb") as f:
                texts[name[: -len(".ini")]] = f.read()
    if texts:
        expect(embedded(place, texts), sorted(texts.items()), "texts")


def case_embed_order(place):
    """embed.sh: the order of its arguments does not matter"""
    paths = []
    for name in ("b-2", "a", "b", "C"):
        paths.append(os.path.join(place.folder, "texts", name + ".ini"))
        write(paths[-1], name)
    first, second = embed(place, *paths), embed(place, *reversed(paths))
    expect(first[0], 0, first[2])
    expect(first[1], second[1], "result")
    expect(re.findall(rb'\{"(.*?)"', first[1]), [b"C", b"a", b"b", b"b-2"], "names")


def case_embed_refuses(place):
    """embed.sh: refuses what it could not hand on whole, and writes nothing then"""
    folder = os.path.join(place.folder, "texts")
    write(f"{folder}/good.ini", "x")
    write(f"{folder}/nul.ini", b"a\0b")
    write(f"{folder}/a b.ini", "x")
    write(f"{folder}/other/good.ini", "x")
    for paths, word in (
        ([], "usage"),
        ([f"{folder}/nul.ini"], "NUL"),
        ([f"{folder}/a b.ini"], "a name of"),
        ([f"{folder}/absent.ini"], "cannot be read"),
        ([folder], "cannot be read"),
        ([f"{folder}/good.ini", f"{folder}/other/good.ini"], "a second file"),
    ):
        code, output, errors = embed(place, *paths)
        expect((code, output), (1, b""), str(paths))
        expect(word in errors, True, errors)


def main():
    passed = failed = 0
    cases = [f for name, f in globals().items() if name.startswith("case_")]
    for case in cases:
        name = case.__doc__
        with tempfile.TemporaryDirectory() as folder:
            try:
                case(Place(folder))
                print(f"ok {name}")
                passed += 1
            except Failure as failure:
                print(f"not ok {name}: {failure}")
                failed += 1
            except Exception:  # a case that breaks down has failed, and the others still count
                last = traceback.format_exc().strip().split("\n")
                print(f"not ok {name}: {last[-1]}")
                print("\n".join("#   " + line for line in last))
                failed += 1
        sys.stdout.flush()
    print(f"ci: {passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
