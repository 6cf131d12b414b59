#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Owns: running the cells of cells.py, and the four invariants that hold in every one of them.

    python3 tests/matrix/matrix.py [CELL...]          RUNGATE names the program, JOBS the processes

CELL is a name as it is printed, or a pattern with "*"; without one, all cells are run. The invariants:

1. the gate opens only if the provider's truth is "passed" (the simulator's own record of the run);
2. at most one start leaves for each run, but for those that surely had no effect, or bear the same idempotency key;
3. nothing is left running that could have been cancelled, and what is left is named, with the place to look for it;
4. no secret is in any output, in none of its forms.

Each cell is one run of the real program against a simulator of its own, many at a time, for a gate mostly waits. Nothing here
depends on how fast the machine is: where a wait could decide, it is far longer than what it waits for.
"""

from __future__ import annotations

import argparse
import fnmatch
import functools
import json
import multiprocessing
import os
import random
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path
from typing import Any, Callable, Iterator

sys.dont_write_bytecode = True
TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "e2e")]

import harness  # noqa: E402
import junit_check  # noqa: E402
from cells import OFTEN, PHASES, PROVIDERS, Cell, Player, dropped, fill, forms, product  # noqa: E402
from sim.faults import Fault  # noqa: E402
from sim.runs import Run  # noqa: E402
from sim.simulator import Simulator  # noqa: E402

GATES = 24
"""How many gates are watched at once, by all processes together."""
HANG = 120.0
"""Seconds after which a gate is taken to hang. The longest of them takes some three, and none is allowed more than 60."""
REPORTS = ("junit.xml", "result.json", "summary.md")
SIBLING = "k6-v2"
REFUSED_MS = 40
"""For how long the port refuses connections where it does so once."""

# --- one cell ----------------------------------------------------------------------------------------------------------


def pace(cell: Cell) -> dict[str, str]:
    """How long the gate bears a fault. Short only where the fault does not end before that, and nothing else hangs on it."""
    # The run of a start that is refused so is looked up, and mostly there is none.
    lasting = cell.often == "ever" or cell.phase == "find" or (cell.phase == "start" and cell.fault in ("500", "redirect"))
    return {"poll_min": "10ms", "poll_max": "20ms", "expect": "20ms", "outage": "150ms" if lasting else "20s"}


def grace(cell: Cell) -> str:
    """How long the gate waits for the end of what it cancelled: until it sees the end, which is soon, if it can."""
    blind = cell.phase == "status" and cell.often == "ever"
    excused = cell.cut_off or cell.phase == "cancel" and not cell.must_cancel
    if excused and cell.out.act != "sibling":  # for nothing excuses the sibling
        return "300ms"
    return "1500ms" if blind or excused else "20s"


def pipeline(cell: Cell, sim: Simulator, sibling: Simulator | None) -> str:
    gate = {"timeout": "40s", "cancel_grace": grace(cell), "fail_fast": "yes" if sibling else None}
    run = {"provider": cell.provider, "base_url": sim.base_url(cell.player.sim), **cell.player.keys, **pace(cell)}
    if cell.out.deadline:
        {"gate": gate, "run": run}[cell.out.deadline]["timeout"] = cell.deadline
    text = harness.gate_section(**gate) + harness.http_section(request_timeout="150ms" if cell.trouble.slow else "20s")
    text += harness.section("run:it", **run)
    if sibling:
        other = {"provider": SIBLING, "base_url": sibling.base_url(SIBLING), **PROVIDERS[SIBLING].keys, "poll_min": "10ms", "poll_max": "20ms"}
        text += harness.section("run:sibling", **other)
    return text


class Trial:
    """A cell while it is run. What it finds wrong is collected in `problems`."""

    def __init__(self, cell: Cell, folder: Path) -> None:
        self.cell = cell
        self.problems: list[str] = []
        self._junit, self._json, self._summary = (folder / name for name in REPORTS)
        self._folder = folder
        self._fault: Fault | None = None
        self._deaf = cell.fault == "refused" and cell.phase == "start"
        """The port refuses connections from the beginning."""
        self._failing = False
        """Whether the sibling may fail now."""
        self._spawned = threading.Event()
        self._popen: subprocess.Popen[bytes] | None = None
        self.output = b""
        self.text = ""
        self.code: int | None = None
        self.sim = Simulator()
        self.sibling = Simulator() if cell.out.act == "sibling" else None

    def _act(self) -> None:
        """Do to the gate what the cell's way out says."""
        if self.cell.out.act == "sibling":
            self._failing = True
        elif self._spawned.wait(HANG) and self._popen is not None:
            self._popen.send_signal(signal.SIGTERM)

    def _arrange(self) -> None:
        cell, sim = self.cell, self.sim
        sim.provider(cell.player.sim).plan(cell.player.key, cell.player.plans[cell.truth]())
        if cell.phase == "find":
            sim.fault("start", "drop_after", "*")
        options = dict(fill(cell.trouble.options, cell.player.secrets))
        if cell.trouble.kind == "refuse" and cell.often == "once":
            options["ms"] = REFUSED_MS
        if self._deaf:
            sim.server.deafen(options.get("ms"))
        else:
            self._fault = sim.fault(PHASES[cell.phase], cell.trouble.kind, OFTEN[cell.often], **options)
        for phase in () if self._deaf else cell.act_at:
            faults = [f for f in sim.faults if f.match == PHASES[phase]] or [sim.fault(PHASES[phase], "delay_ms", ms=0)]
            faults[0].then = once(self._act)
        if self.sibling:
            end: dict[str, Any] = {"run_status": 3, "result_status": 1, "processing_status": 2}
            steps = [{"set": {"run_status": 2}}, {"set": end, "when": lambda: self._failing}]
            self.sibling.provider(SIBLING).plan(PROVIDERS[SIBLING].key, {"steps": steps})

    def _spawn(self) -> None:
        env = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(self._folder), "LANG": "C.UTF-8", **self.cell.player.env}
        if self.sibling:
            env.update(PROVIDERS[SIBLING].env)
        env.update({k: v for k, v in os.environ.items() if harness.PASSED_THROUGH.match(k)})
        argv = [*harness.wrapper(), str(harness.binary()), "-v", "-c", "-", "--junit", str(self._junit), "--json", str(self._json),
                "--summary", str(self._summary)]
        self._popen = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env,
                                       cwd=self._folder)
        self._spawned.set()
        assert self._popen.stdin is not None
        self._popen.stdin.write(self.text.encode())
        self._popen.stdin.close()

    def _watch(self) -> None:
        """Read what the gate says until its end. Where no request will arrive to act at, its first word is the moment."""
        assert self._popen is not None and self._popen.stdout is not None
        act = once(self._act) if self._deaf and self.cell.act_at else None
        stream = self._popen.stdout.fileno()
        poller = select.poll()
        poller.register(stream, select.POLLIN | select.POLLHUP)
        deadline = time.monotonic() + HANG * harness.patience()
        while (left := deadline - time.monotonic()) > 0 and poller.poll(left * 1000):
            data = os.read(stream, 65536)
            if not data:
                break
            self.output += data
            if act is not None and b"STARTING" in self.output:
                act()
        try:
            self._popen.wait(max(5.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.problems.append(f"the gate did not end within {HANG} seconds")
            self._popen.kill()
            self._popen.wait()
        self._popen.stdout.close()
        self.code = self._popen.returncode

    def run(self) -> None:
        with self.sim:
            if self.sibling:
                self.sibling.start()
            try:
                self.text = pipeline(self.cell, self.sim, self.sibling)
                self._arrange()
                self._spawn()
                self._watch()
                self.problems += check(self)
            except Exception:  # a cell that breaks down has not held
                self.problems.append(traceback.format_exc())
            finally:
                if self._popen is not None and self._popen.poll() is None:
                    self._popen.kill()
                    self._popen.wait()
                if self.sibling:
                    self.sibling.close()
        for path in self._folder.iterdir():
            path.unlink()

    @property
    def met(self) -> bool:
        """Whether the fault has struck. A deadline may come first, on a machine that is slow."""
        return self._fault is None or self._fault.hits > 0

    # What the checks ask about.

    @functools.cached_property
    def result(self) -> dict[str, Any]:
        """The JSON result; an empty one if there is none, which is a problem of its own."""
        loaded: dict[str, Any] = json.loads(self.files.get("result.json", b'{"runs": []}'))
        return loaded

    @functools.cached_property
    def files(self) -> dict[str, bytes]:
        return {p.name: p.read_bytes() for p in self._folder.iterdir()}

    @functools.cached_property
    def words(self) -> str:
        """What the gate said, without the trace of its requests, which names everything."""
        lines = self.output.decode("utf-8", "replace").split("\n")
        return "\n".join(line for line in lines if not line.startswith(("> ", "< ")))

    def played(self) -> Iterator[tuple[str, Simulator, Player, bool]]:
        """Each run of the pipeline: its name, where it was played, and whether nothing excuses its going on."""
        yield "it", self.sim, self.cell.player, self.cell.must_cancel
        if self.sibling:
            yield "sibling", self.sibling, PROVIDERS[SIBLING], True

    def report(self) -> str:
        parts = [f"--- {self.cell.name}", *(f"problem: {p}" for p in self.problems), "", self.text,
                 f"exit code {self.code}", self.output.decode("utf-8", "replace")]
        for name, sim, _, _ in self.played():
            began = sim.requests[0].at if sim.requests else 0.0
            parts += [f"requests of {name}:"] + [
                f"{1000 * (r.at - began):7.0f} ms  {r.kind:8}{r.method} {r.target[:100]}: {r.status or 'no reply'}"
                f"{', ' + r.fault if r.fault else ''}{', processed' if r.processed else ''}" for r in sim.requests]
            parts += [f"runs of {name}:"] + [repr(r) for r in sim.runs]
        return "\n".join(parts) + "\n"


def once(act: Callable[[], None]) -> Callable[[], None]:
    """A call that only acts the first time."""
    left = [act]

    def call() -> None:
        for acting in [left.pop()] if left else []:
            acting()

    return call


# --- the invariants ------------------------------------------------------------------------------------------------------


def check(trial: Trial) -> list[str]:
    return [p for invariant in (ends_properly, never_fooled, never_twice, never_left_behind, never_told) for p in invariant(trial)]


def ends_properly(trial: Trial) -> Iterator[str]:
    """What costs nothing to look at besides: a documented code, reports that agree with it, nothing half-written."""
    if trial.code not in harness.DOCUMENTED - {harness.USAGE}:
        yield f"{trial.code} is not an exit code of a gate that ran"
    for word in harness.SANITIZERS:
        if word.encode() in trial.output:
            yield f"a sanitizer spoke: {word}"
    if set(trial.files) != set(REPORTS):
        yield f"the files written are {sorted(trial.files)}"
        return
    if trial.result["exit_code"] != trial.code:
        yield f"the JSON result says exit code {trial.result['exit_code']}"
    root, complaints = junit_check.check(trial.files["junit.xml"])
    yield from complaints
    if root is not None and junit_check.is_green(root) != (trial.code == 0):
        yield "the JUnit file and the exit code disagree"
    if b"\n\nExit code %d in " % trial.code not in trial.files["summary.md"]:
        yield "the Markdown file tells another exit code"
    for _, sim, _, _ in trial.played():
        yield from sim.server.internal_errors + sim.server.bad_requests


def outcome(trial: Trial, name: str) -> str:
    return next((str(r["outcome"]) for r in trial.result["runs"] if r["name"] == name), "none")


def has_passed(run: Run) -> bool:
    """The run is at the end of its plan, and was not stopped on its way there."""
    return run.step is run.plan.steps[-1] and not run.stopped and run.is_over()


def never_fooled(trial: Trial) -> Iterator[str]:
    passed = {name: False for name, _, _, _ in trial.played()}
    passed["it"] = trial.cell.truth == "passed" and bool(trial.sim.runs) and all(has_passed(r) for r in trial.sim.runs)
    if trial.code == 0 and not all(passed.values()):
        yield f"1: the gate opened, and the truth is {trial.sim.runs}"
    for name, truth in passed.items():
        if outcome(trial, name) == "passed" and not truth:
            yield f"1: {name} is reported to have passed, and the truth is {trial.sim.runs}"


def never_twice(trial: Trial) -> Iterator[str]:
    for name, sim, _, _ in trial.played():
        # 429 and 503 say that nothing was done; a refused connection never becomes a request.
        sent = {r.header("K6-Idempotency-Key") or str(r.number) for r in sim.starts() if r.status not in (429, 503)}
        if len(sent) > 1:
            yield f"2: {len(sent)} starts of {name} were sent that may each have had their effect"
        started = {r.start_request.number for r in sim.runs}
        if len(started) > 1:
            yield f"2: {len(started)} starts of {name} were processed"


def never_left_behind(trial: Trial) -> Iterator[str]:
    for name, sim, player, must_cancel in trial.played():
        if not sim.running():
            continue
        settle(sim)
        unknown = outcome(trial, name) == "start_unknown"
        for run in sim.running():
            if "may exist" in trial.words and sim.base_url(player.sim) in trial.words:
                continue  # nobody knows its id, and a person is told where to look
            if unknown:
                yield "3: a run may go on unknown to anybody, and nothing says where to look"
            elif must_cancel:
                yield f"3: run {run.id} of {name} was left running"
            elif run.id not in trial.words:
                yield f"3: run {run.id} of {name} is left running, and is not named"


def settle(sim: Simulator) -> None:
    """Wait until the simulator has read all that the gate sent: what was on its way when the gate ended still counts."""
    try:
        with socket.create_connection(("127.0.0.1", sim.port), timeout=HANG) as last:  # accepted after all others
            last.shutdown(socket.SHUT_WR)
            last.recv(1)
    except ConnectionError:  # it is deaf, so there are no others
        pass
    sim.wait_for(lambda: sim.server.open_connections == 0, HANG)


@functools.cache
def secret_forms(secrets: tuple[str, ...]) -> list[bytes]:
    return sorted(set().union(*(forms(s) for s in secrets)))


def never_told(trial: Trial) -> Iterator[str]:
    for _, _, player, _ in trial.played():
        for form in secret_forms(player.secrets):
            for where, data in [("the output", trial.output), *trial.files.items()]:
                if form in data:
                    yield f"4: a secret is in {where}, as {form.decode()}"


# --- all cells -----------------------------------------------------------------------------------------------------------


def work(cells: list[Cell], gates: int, taken: Any, results: Any) -> None:
    """A process: takes cells, so many at a time, until none is left."""
    base = Path(tempfile.mkdtemp(prefix="matrix-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))

    def take() -> int:
        with taken.get_lock():
            taken.value += 1
            return int(taken.value) - 1

    def each() -> None:
        folder = Path(tempfile.mkdtemp(dir=base))
        while (number := take()) < len(cells):
            trial = Trial(cells[number], folder)
            trial.run()
            results.put((number, trial.met, trial.report() if trial.problems else ""))

    threads = [threading.Thread(target=each) for _ in range(gates)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    shutil.rmtree(base, ignore_errors=True)


def run_all(cells: list[Cell], processes: int, shown: int) -> int:
    """How many of the cells failed; the reports of the first of them are printed."""
    fork = multiprocessing.get_context("fork")
    taken, results = fork.Value("l", 0), fork.SimpleQueue()
    workers = [fork.Process(target=work, args=(cells, max(1, GATES // processes), taken, results)) for _ in range(processes)]
    for worker in workers:
        worker.start()
    failed, missed = [], []
    for _ in cells:
        number, met, report = results.get()
        if not met:
            missed.append(cells[number])
        if report:
            failed.append(cells[number].name)
            if len(failed) <= shown:
                print(report, flush=True)
    for worker in workers:
        worker.join()
    for phase in PHASES:
        if count := sum(c.phase == phase for c in missed):
            print(f"{count} cells of the phase {phase} ended before they met their fault")
    if failed:
        print("failed:", *sorted(failed), sep="\n  ")
    return len(failed)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cell", nargs="*", help="a cell's name, or a pattern")
    parser.add_argument("--list", action="store_true", help="print the names of the cells, and why others are left out")
    parser.add_argument("--shown", type=int, default=10, help="how many failures are shown whole (default: 10)")
    options = parser.parse_args()

    everything = product()
    reasons = [dropped(c) for c in everything]
    cells = [c for c, why in zip(everything, reasons) if why is None and
             (not options.cell or any(fnmatch.fnmatchcase(c.name, p) for p in options.cell))]
    if options.list:
        print(*(c.name for c in cells), sep="\n")
        for reason in sorted({r for r in reasons if r}):
            print(f"{reasons.count(reason)} left out: {reason}")
        return 0
    if not cells or not harness.binary().exists():
        print(f"no cell of that name, or {harness.binary()} is not built")
        return 1
    random.Random(1).shuffle(cells)  # so that those that wait and those that work are mixed
    failed = run_all(cells, int(os.environ.get("JOBS", os.cpu_count() or 1)), options.shown)
    print(f"matrix: {len(cells)} cells, {len({c.fault for c in cells})} faults, {len(cells) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
