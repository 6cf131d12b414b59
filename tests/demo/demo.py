#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Owns: `make demo`, a gate to look at.

Starts the provider simulator inside this process, runs a real pipeline file (rungate.ini, beside this file) against it
with the terminal as it is, and shows what a CI system would get: the JUnit report and the exit code.

    tests/demo/demo.py [PROGRAM]        default: build/release/rungate, else build/debug/rungate

Ends 0 if the gate ended as scenario.json says it must. Nothing is left behind on any way out: the simulator lives in this
process, the reports in a temporary folder, and the gate is told to stop (and then made to) before this process ends.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE.parent))

from sim.simulator import Simulator  # noqa: E402

MEANING = {
    0: "passed: every required run was seen to pass",
    1: "failed: a required run finished and failed",
    2: "usage: the arguments or the pipeline file are wrong, nothing was started",
    3: "error: there is no verdict",
    4: "timed out: a deadline passed",
    5: "cancelled: somebody else cancelled a run at the provider",
    6: "start unknown: a start was sent and its reply was lost, a run may exist",
    130: "interrupted, after cancelling what ran",
    143: "interrupted, after cancelling what ran",
}

TIME_LIMIT = 20


def heading(text: str) -> None:
    bold, plain = ("\033[1m", "\033[0m") if sys.stdout.isatty() and "NO_COLOR" not in os.environ else ("", "")
    print(f"\n{bold}== {text}{plain}\n", flush=True)


def stop(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


def find_program() -> Path | None:
    if len(sys.argv) > 1:
        return Path(sys.argv[1]).resolve()
    candidates = [ROOT / "build" / kind / "rungate" for kind in ("release", "debug")]
    return next((c for c in candidates if c.exists()), None)


def run_gate(program: Path, simulator: Simulator, out: str) -> int:
    """The gate itself, on this terminal; stopped for sure when this function ends."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("RUNGATE_")}
    env |= {"SIM": simulator.origin, "OUT": out, "K6_CLOUD_TOKEN": "demo-token-for-k6", "QATECH_TOKEN": "demo-token-for-qatech"}
    gate = subprocess.Popen([str(program), "run", "--config", str(HERE / "rungate.ini")], env=env)
    try:
        return gate.wait(TIME_LIMIT)
    except subprocess.TimeoutExpired:
        print(f"The gate did not end within {TIME_LIMIT} s.", file=sys.stderr)
        return -1
    finally:
        if gate.poll() is None:
            gate.terminate()
            try:
                gate.wait(5)
            except subprocess.TimeoutExpired:
                gate.kill()
                gate.wait()


def main() -> int:
    program = find_program()
    if program is None or not program.exists():
        print("No program to show; build it first: make", file=sys.stderr)
        return 2
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    scenario = json.loads((HERE / "scenario.json").read_text())
    expected = scenario["_expected_exit_code"]

    with tempfile.TemporaryDirectory(prefix="rungate-demo-") as out, Simulator(scenario) as simulator:
        heading("The pipeline file")
        print((HERE / "rungate.ini").read_text().rstrip())
        heading("The gate at work (one poll is answered with 502, one is cut off: neither matters)")
        code = run_gate(program, simulator, out)
        heading("The JUnit report, for your CI system")
        report = Path(out, "rungate.xml")
        print(report.read_text().rstrip() if report.exists() else "(none was written)")
        heading("What the providers saw")
        print(f"{len(simulator.starts())} starts, {len(simulator.polls())} polls, {len(simulator.details())} requests for test results, "
              f"on {simulator.connections} connections")
        for run in simulator.runs:
            print(f"  {run.provider.name:8} {run.key:18} run {run.id:12} {'over' if run.is_over() else 'still running'} after {run.polls} polls")
        heading("The exit code, for your pipeline")
        print(f"{code} = {MEANING.get(code, 'not a documented one')}")
        right = code == expected and len(simulator.starts()) == scenario["_expected_starts"] and report.exists()
        if right:
            print("\nThat is right: the run `ui` is required, and one of its tests failed. The deployment would stop here.")
    if not right:
        print(f"\nThe demo expected {scenario['_expected_starts']} starts, a report, and exit code {expected}.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
