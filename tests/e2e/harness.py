# SPDX-License-Identifier: MIT
"""Owns: running the real program, and what is demanded of every single run of it.

Whatever a test is about, each call of `gate(...)` also checks that

- the exit code is one of the documented ones and no sanitizer had anything to say;
- no secret of the environment is on standard output, on standard error or in a file that was written;
- a JUnit file, if one was written, is good for every reader (junit_check.py) and agrees with the exit code.

The program is taken from the environment variable RUNGATE (default: build/debug/rungate), and put behind
RUNGATE_WRAPPER where that is set, such as "valgrind -q --error-exitcode=99 --leak-check=full".
"""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any, Callable, Mapping

import junit_check
import markdown_check
from sim.simulator import Simulator

ROOT = Path(__file__).resolve().parents[2]

PASSED, FAILED, USAGE, ERROR, TIMED_OUT, CANCELLED, START_UNKNOWN = 0, 1, 2, 3, 4, 5, 6
INTERRUPTED_HUP, INTERRUPTED_INT, INTERRUPTED_TERM, INTERNAL = 129, 130, 143, 70
DOCUMENTED = {PASSED, FAILED, USAGE, ERROR, TIMED_OUT, CANCELLED, START_UNKNOWN, INTERRUPTED_HUP, INTERRUPTED_INT, INTERRUPTED_TERM}
"""INTERNAL is documented too, but is a bug wherever a test does not take memory away."""

SANITIZERS = ("AddressSanitizer", "runtime error:", "LeakSanitizer", "ThreadSanitizer", "MemorySanitizer")
SECRET_NAME = re.compile(r"(TOKEN|SECRET|KEY)$")
PASSED_THROUGH = re.compile(r"^(ASAN|UBSAN|LSAN|MSAN|TSAN)_OPTIONS$|^LLVM_PROFILE|^GCOV|^VALGRIND|^MALLOC_")

K6_TOKEN = "k6-5ecret-t0ken-value-8f2c"
QATECH_TOKEN = "qat-5ecret-t0ken-value-77aa"
GENERIC_TOKEN = "gen-5ecret-t0ken-value-31de"
TOKENS = {"K6_CLOUD_TOKEN": K6_TOKEN, "QATECH_TOKEN": QATECH_TOKEN, "GENERIC_TOKEN": GENERIC_TOKEN}

PACE = {"poll_min": "10ms", "poll_max": "50ms", "outage": "300ms"}
"""Milliseconds where the defaults are seconds and minutes, so that tests are fast."""


def wrapper() -> list[str]:
    return shlex.split(os.environ.get("RUNGATE_WRAPPER", ""))


def patience() -> float:
    """How much longer everything may take behind a wrapper."""
    return 8.0 if wrapper() else 1.0


def binary() -> Path:
    return (ROOT / os.environ.get("RUNGATE", "build/debug/rungate")).resolve()


def brings_an_allocator() -> bool:
    """Sanitizers, valgrind and systems without the GNU C library have one that no preloaded library stands in for."""
    return bool(wrapper()) or sys.platform != "linux" or (binary().exists() and b"__asan_init" in binary().read_bytes())


# --- pipeline text -----------------------------------------------------------------------------------------------------


def section(kind: str, **keys: Any) -> str:
    """`[kind]` and its keys; a key with the value None is left out. "__" in a key stands for a dot."""
    lines = [f"[{kind}]"]
    lines += [f"{k.replace('__', '.')} = {v}" for k, v in keys.items() if v is not None]
    return "\n".join(lines) + "\n\n"


def gate_section(**keys: Any) -> str:
    return section("gate", **keys)


def http_section(**keys: Any) -> str:
    return section("http", **keys)


def k6_run(sim: Simulator | None, name: str = "load", test_id: Any = 1, **keys: Any) -> str:
    """A run of k6-v2 against the simulator; further keys override or (with None) remove."""
    base = {"provider": "k6-v2", "token": "${K6_CLOUD_TOKEN}", "test_id": test_id}
    if sim is not None:
        base["base_url"] = sim.base_url("k6-v2")
    return section(f"run:{name}", **{**base, **PACE, **keys})


def qatech_run(sim: Simulator | None, name: str = "ui", test_plan: Any = "pln_demo1", **keys: Any) -> str:
    """A run of qatech against the simulator; further keys override or (with None) remove."""
    base = {"provider": "qatech", "token": "${QATECH_TOKEN}", "test_plan": test_plan}
    if sim is not None:
        base["base_url"] = sim.base_url("qatech")
    return section(f"run:{name}", **{**base, **PACE, **keys})


GENERIC_PROVIDER = """\
[provider:generic]
title    = A made-up API
base_url = https://generic.example
auth     = X-Api-Key: {token}
param.token = secret required env=GENERIC_TOKEN
param.plan  = string

start       = POST /start
start.id    = /id
start.body./plan = {plan}

status      = GET /status/{id}
status.rules =
    running    RUNNING   if /state = running
    passed     PASSED    if /state = passed
    failed     FAILED    if /state = failed
    error      ERROR     if /state = error
    timed_out  TIMED_OUT if /state = timed_out
    cancelled  CANCELLED if /state = cancelled
    skipped    SKIPPED   if /state = skipped

cancel      = POST /cancel/{id}
cancel.gone = 409
"""
"""A definition of the simulator's made-up API, for what depends on no vendor."""


def generic_run(sim: Simulator, name: str = "gen", plan: str | None = None, **keys: Any) -> str:
    base = {"provider": "generic", "plan": plan, "base_url": sim.base_url("generic")}
    return section(f"run:{name}", **{**base, **PACE, **keys})


# --- one run of the program -----------------------------------------------------------------------------------------------


class Result:
    """What a run of the program left behind."""

    def __init__(self, code: int, out: str, err: str, cwd: Path, junit_path: Path | None, json_path: Path | None,
                 summary_path: Path | None, inputs: dict[Path, bytes], seconds: float) -> None:
        self.code = code
        self.out = out
        self.err = err
        self.cwd = cwd
        self.junit_path = junit_path
        self.json_path = json_path
        self.summary_path = summary_path
        self.seconds = seconds
        self._inputs = inputs

    @property
    def files(self) -> dict[str, bytes]:
        """The files written or changed below the working folder, by relative path."""
        found = {}
        for path in sorted(self.cwd.rglob("*")):
            if path.is_file() and (data := path.read_bytes()) != self._inputs.get(path):
                found[str(path.relative_to(self.cwd))] = data
        return found

    def junit(self) -> ET.Element:
        """The root of the JUnit file."""
        assert self.junit_path is not None and self.junit_path.exists(), f"no JUnit file was written\n{self}"
        return ET.fromstring(self.junit_path.read_bytes())

    def json(self) -> dict[str, Any]:
        """The result file; from standard output where it was asked for there."""
        if self.json_path is None:
            return json.loads(self.out)
        assert self.json_path.exists(), f"no JSON file was written\n{self}"
        return json.loads(self.json_path.read_bytes())

    def run(self, name: str) -> dict[str, Any]:
        """One run's entry in the JSON result."""
        found = [r for r in self.json()["runs"] if r["name"] == name]
        assert len(found) == 1, f"{len(found)} runs named {name}"
        return found[0]

    def suite(self, name: str) -> ET.Element:
        """One run's testsuite: the one whose name is, or ends with, the run's name."""
        found = [s for s in self.junit() if re.search(rf"(^|[^A-Za-z0-9_-]){re.escape(name)}$", s.get("name", ""))]
        assert len(found) == 1, f"{len(found)} suites for {name}: {[s.get('name') for s in self.junit()]}"
        return found[0]

    def element(self, name: str) -> str:
        """How the run's own verdict stands in the JUnit file: passed, failure, error or skipped."""
        case = self.suite(name).find("testcase")
        assert case is not None
        return next((c.tag for c in case if c.tag in junit_check.VERDICTS), "passed")

    def __repr__(self) -> str:
        return f"exit code {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


class Process:
    """The program while it runs, for tests that send signals."""

    def __init__(self, gate: "Gate", argv: list[str], env: dict[str, str], cwd: Path, stdin: bytes | None,
                 timeout: float, expected: tuple[Path | None, ...], inputs: dict[Path, bytes], agree: bool) -> None:
        self._gate = gate
        self._cwd = cwd
        self._expected = expected
        self._inputs = inputs
        self._agree = agree
        self._env = env
        self._began = time.monotonic()
        self._deadline = self._began + timeout * patience()
        self._chunks: dict[str, list[bytes]] = {"out": [], "err": []}
        self.popen = subprocess.Popen(argv, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                      stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL)
        self._threads = [threading.Thread(target=self._read, args=a, daemon=True)
                         for a in ((self.popen.stdout, "out"), (self.popen.stderr, "err"))]
        for thread in self._threads:
            thread.start()
        if stdin is not None:
            assert self.popen.stdin is not None
            try:
                self.popen.stdin.write(stdin)
                self.popen.stdin.close()
            except BrokenPipeError:
                pass

    def _read(self, stream: Any, name: str) -> None:
        while True:
            data = os.read(stream.fileno(), 65536)
            if not data:
                return
            self._chunks[name].append(data)

    @property
    def out(self) -> str:
        return b"".join(self._chunks["out"]).decode("utf-8", "surrogateescape")

    @property
    def err(self) -> str:
        return b"".join(self._chunks["err"]).decode("utf-8", "surrogateescape")

    def wait_for(self, condition: Callable[[], Any], what: str = "the condition") -> None:
        """Wait until the condition holds, at most until the deadline; a program that has ended will not meet it."""
        while not condition():
            ended = self.popen.poll() is not None
            if ended and not condition():
                raise AssertionError(f"the program ended before {what}\n{self.finish(check=False)}")
            if time.monotonic() > self._deadline:
                self.popen.kill()
                raise AssertionError(f"waited in vain for {what}\n{self.finish(check=False)}")
            time.sleep(0.002)

    def send_signal(self, number: int) -> None:
        self.popen.send_signal(number)

    def finish(self, check: bool = True) -> Result:
        """Wait for the end and look at what is left. A program that hangs is killed and fails the test."""
        hung = False
        try:
            self.popen.wait(max(0.1, self._deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            hung = True
            self.popen.send_signal(signal.SIGABRT)
            try:
                self.popen.wait(5)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()
        for thread in self._threads:
            thread.join(5)
        for stream in (self.popen.stdout, self.popen.stderr):
            if stream is not None:
                stream.close()
        result = Result(self.popen.returncode, self.out, self.err, self._cwd, *self._expected, self._inputs,
                        time.monotonic() - self._began)
        assert not hung, f"the program did not end in time\n{result}"
        if check:
            check_result(result, self._env, self._agree)
        return result


def check_result(result: Result, env: Mapping[str, str], agree: bool = True, codes: set[int] = DOCUMENTED) -> None:
    """What is demanded of every run of the program."""
    assert result.code in codes, f"not a documented exit code\n{result}"
    for word in SANITIZERS:
        assert word not in result.err, f"a sanitizer spoke\n{result}"
    secrets = {v for k, v in env.items() if SECRET_NAME.search(k) and len(v) >= 6}
    out, err = result.out, result.err
    if env.get("GITHUB_ACTIONS") == "true":  # the command that makes the runner hide a value has to name it
        out, err = (re.sub(r"(?m)^::add-mask::.*$", "", text) for text in (out, err))
    for secret in secrets:
        assert secret not in out, f"a secret is on standard output\n{result}"
        assert secret not in err, f"a secret is on standard error\n{result}"
        for name, data in result.files.items():
            assert secret.encode() not in data, f"a secret is in {name}"
    if result.junit_path is not None and result.junit_path.exists():
        root, complaints = junit_check.check(result.junit_path.read_bytes())
        assert not complaints, "the JUnit file: " + "; ".join(complaints) + f"\n{result.junit_path.read_text(errors='replace')}\n{result}"
        assert root is not None
        if agree:
            assert junit_check.is_green(root) == (result.code == 0), \
                f"the JUnit file and the exit code disagree\n{result.junit_path.read_text()}\n{result}"
    if result.summary_path is not None and result.summary_path.exists():
        said, complaints = markdown_check.check(result.summary_path.read_bytes())
        assert not complaints, "the Markdown file: " + "; ".join(complaints) + f"\n{result.summary_path.read_text(errors='replace')}\n{result}"
        assert said == result.code or not agree, f"the Markdown file tells another exit code: {said}\n{result}"
    parts = [n for n in result.files if n.endswith((".tmp", ".part"))]
    assert not parts, f"partial files were left: {parts}"


SUMMARY = "rungate.md"
COMMANDS = {"run", "check", "start", "wait", "cancel", "status", "providers", "init"}
REPORTING = {"run", "wait"}


class Gate:
    """Callable: writes the pipeline file, runs the program, returns the checked result."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[Process] = []

    def __call__(self, pipeline: str | bytes | None, *args: str, **options: Any) -> Result:
        return self.popen(pipeline, *args, **options).finish()

    def popen(self, pipeline: str | bytes | None, *args: str, env: Mapping[str, str | None] | None = None, timeout: float = 30,
              stdin: str | bytes | None = None, cwd: Path | None = None, reports: bool = True, agree: bool = True) -> Process:
        """Start the program without waiting for it.

        env      on top of a minimal environment; None removes a variable
        reports  add --junit, --json and --summary where the command writes reports and the arguments do not name any
        agree    whether exit code and JUnit file must tell the same (not so when the report itself is the trouble)
        """
        folder = cwd or self.folder
        argv = list(args)
        if pipeline is not None:
            path = folder / "rungate.ini"
            path.write_bytes(pipeline if isinstance(pipeline, bytes) else pipeline.encode("utf-8", "surrogateescape"))
        inputs = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
        command = next((a for a in argv if not a.startswith("-")), None) if argv and not argv[0].startswith("-") else None
        reporting = command not in COMMANDS - REPORTING and not {"--help", "--version", "--dry-run"} & set(argv)
        junit, json_file = _given(argv, "--junit", "-j", folder), _given(argv, "--json", None, folder)
        summary = None
        if reports and reporting:
            if junit is None and not {"--junit", "-j"} & set(argv):
                junit = folder / "rungate.xml"
                argv += ["--junit", junit.name]
            if json_file is None and "--json" not in argv:
                json_file = folder / "rungate.json"
                argv += ["--json", json_file.name]
            if "--summary" not in argv:
                summary = folder / SUMMARY
                argv += ["--summary", summary.name]
        process = Process(self, [*wrapper(), str(binary()), *argv], self.environment(folder, env), folder,
                          stdin.encode() if isinstance(stdin, str) else stdin, timeout, (junit, json_file, summary), inputs, agree)
        self.processes.append(process)
        return process

    def environment(self, folder: Path, extra: Mapping[str, str | None] | None) -> dict[str, str]:
        """Little enough that nothing of the machine the tests run on can matter."""
        env: dict[str, str | None] = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder), "LANG": "C.UTF-8",
                                      "TMPDIR": os.environ.get("TMPDIR", "/tmp"), **TOKENS}
        env.update({k: v for k, v in os.environ.items() if PASSED_THROUGH.match(k)})
        env.update(extra or {})
        return {k: v for k, v in env.items() if v is not None}

    def close(self) -> None:
        """Leave no process behind when a test failed halfway."""
        for process in self.processes:
            if process.popen.poll() is None:
                process.popen.kill()
                process.popen.wait()


def _given(argv: list[str], long: str, short: str | None, folder: Path) -> Path | None:
    """The file an option names, if it is there and not standard output."""
    for i, word in enumerate(argv):
        value = None
        if word in (long, short) and i + 1 < len(argv):
            value = argv[i + 1]
        elif word.startswith(long + "="):
            value = word[len(long) + 1:]
        if value is not None:
            return None if value == "-" else folder / value
    return None
