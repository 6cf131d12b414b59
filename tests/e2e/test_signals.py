# SPDX-License-Identifier: MIT
"""Signals: a CI system cancels the job. The remote run is stopped, once, and the reports are written, whatever the
program was doing at that moment; a second signal ends it at once.
"""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import time

import pytest
from harness import Gate, Process, Result, binary, gate_section, http_section, k6_run, qatech_run, wrapper
from sim import k6_v2, qatech
from sim.simulator import Simulator

SIGNALS = [pytest.param(signal.SIGTERM, 143, id="TERM"), pytest.param(signal.SIGINT, 130, id="INT"), pytest.param(signal.SIGHUP, 129, id="HUP")]
each = pytest.mark.parametrize("number, code", SIGNALS)

GRACE = gate_section(cancel_grace="3s")


def ends_well(process: Process, code: int) -> Result:
    result = process.finish()
    assert result.code == code, result
    assert result.json()["verdict"] == "interrupted" and result.json()["exit_code"] == code
    assert result.junit_path is not None and result.junit_path.exists()
    return result


def stopped_once(sim: Simulator, runs: int = 1) -> None:
    assert len(sim.runs) == runs
    assert all(r.stopped and r.stop_requests == 1 for r in sim.runs), sim.runs
    assert len(sim.cancels()) == runs and sim.running() == []


@each
def test_start_in_flight(gate: Gate, sim: Simulator, number: int, code: int) -> None:
    """The run exists, its id is under way: wait for it, then stop the run."""
    sim.k6.plan(1, k6_v2.runs_on())
    sim.fault("start", "delay_ms", ms=500)
    process = gate.popen(GRACE + k6_run(sim))
    process.wait_for(lambda: sim.runs, "the start")
    process.send_signal(number)
    ends_well(process, code)
    stopped_once(sim)


@each
def test_start_never_answered(gate: Gate, sim: Simulator, number: int, code: int) -> None:
    """The id may never come: say that a run may exist, and end within cancel_grace."""
    sim.fault("start", "silence", process=True)
    process = gate.popen(gate_section(cancel_grace="300ms") + k6_run(sim))
    process.wait_for(lambda: sim.starts(), "the start")
    process.send_signal(number)
    result = ends_well(process, code)
    assert result.seconds < 15 and len(sim.starts()) == 1
    assert result.run("load")["outcome"] in ("start_unknown", "cancelled")


@each
def test_between_polls(gate: Gate, sim: Simulator, number: int, code: int) -> None:
    sim.k6.plan(1, k6_v2.runs_on())
    process = gate.popen(GRACE + k6_run(sim, poll_min="20s", poll_max="20s"))
    process.wait_for(lambda: sim.starts() and sim.starts()[0].done, "the start's answer")
    process.send_signal(number)
    assert ends_well(process, code).seconds < 15
    stopped_once(sim)


@each
def test_poll_in_flight(gate: Gate, sim: Simulator, number: int, code: int) -> None:
    sim.k6.plan(1, k6_v2.runs_on())
    sim.fault("poll", "silence")
    process = gate.popen(GRACE + k6_run(sim))
    process.wait_for(lambda: sim.polls(), "a poll")
    process.send_signal(number)
    assert ends_well(process, code).seconds < 15
    stopped_once(sim)


@each
def test_details_in_flight(gate: Gate, sim: Simulator, number: int, code: int) -> None:
    sim.fault("details", "silence", "*")
    process = gate.popen(gate_section(cancel_grace="300ms") + qatech_run(sim))
    process.wait_for(lambda: sim.details(), "the details request")
    process.send_signal(number)
    assert ends_well(process, code).seconds < 15


@each
def test_while_cancelling(gate: Gate, sim: Simulator, number: int, code: int) -> None:
    """Fail-fast is cancelling a run already: the signal must not cancel it again."""
    sim.k6.plan(1, k6_v2.ends(result_status=1))
    sim.k6.plan(2, k6_v2.runs_on())
    sim.fault("cancel", "delay_ms", ms=500)
    process = gate.popen(GRACE + k6_run(sim, "bad", 1) + k6_run(sim, "long", 2), "run", "--fail-fast")
    process.wait_for(lambda: sim.cancels(), "the cancel")
    process.send_signal(number)
    ends_well(process, code)
    assert len(sim.cancels()) == 1 and sim.running() == []


@each
def test_second_signal_ends_at_once(gate: Gate, sim: Simulator, number: int, code: int) -> None:
    sim.k6.plan(1, k6_v2.runs_on())
    sim.fault("cancel", "silence", "*")
    process = gate.popen(gate_section(cancel_grace="60s") + k6_run(sim))
    process.wait_for(lambda: sim.polls(), "a poll")
    process.send_signal(number)
    process.wait_for(lambda: sim.cancels(), "the cancel")
    process.send_signal(number)
    result = ends_well(process, code)
    assert result.seconds < 15
    assert sim.runs[0].id in result.err


def test_term_after_int(gate: Gate, sim: Simulator) -> None:
    """What GitHub does: SIGINT, and SIGTERM some seconds later."""
    sim.k6.plan(1, k6_v2.runs_on())
    sim.fault("cancel", "silence", "*")
    process = gate.popen(gate_section(cancel_grace="60s") + k6_run(sim))
    process.wait_for(lambda: sim.polls(), "a poll")
    process.send_signal(signal.SIGINT)
    process.wait_for(lambda: sim.cancels(), "the cancel")
    process.send_signal(signal.SIGTERM)
    assert process.finish().code in (130, 143)


def test_many_runs(gate: Gate, sim: Simulator) -> None:
    sim.k6.otherwise(k6_v2.runs_on())
    pipeline = GRACE + "".join(k6_run(sim, f"r{i}", i) for i in range(1, 6)) + k6_run(sim, "later", 9, needs="r1")
    process = gate.popen(pipeline)
    process.wait_for(lambda: len([r for r in sim.starts() if r.done]) == 5, "five starts")
    process.send_signal(signal.SIGTERM)
    result = ends_well(process, 143)
    stopped_once(sim, 5)
    assert result.run("later")["run_id"] in (None, "")


def test_what_passed_before_is_still_said(gate: Gate, sim: Simulator) -> None:
    sim.k6.plan(2, k6_v2.runs_on())
    process = gate.popen(GRACE + k6_run(sim, "quick", 1) + k6_run(sim, "slow", 2))
    polls = {"1": 2, "2": 6}  # the end of the first, and then some time for the program to read of it
    process.wait_for(lambda: len(sim.runs) == 2 and all(r.polls >= polls[r.key] for r in sim.runs), "the first to end")
    process.send_signal(signal.SIGTERM)
    result = ends_well(process, 143)
    outcomes = {r["name"]: r["outcome"] for r in result.json()["runs"]}
    assert outcomes["quick"] == "passed" and outcomes["slow"] == "cancelled"
    assert result.element("quick") == "passed" and result.element("slow") == "error"


@each
def test_a_run_that_cannot_be_cancelled_is_named(gate: Gate, sim: Simulator, number: int, code: int) -> None:
    sim.qatech.plan("pln_demo1", qatech.runs_on())
    process = gate.popen(gate_section(cancel_grace="300ms") + qatech_run(sim))
    process.wait_for(lambda: sim.polls(), "a poll")
    process.send_signal(number)
    result = ends_well(process, code)
    assert "run001" in result.err
    assert re.search(r"cancel", result.err, re.I)
    assert [r.kind for r in sim.requests if r.kind not in ("start", "poll", "details")] == []


@pytest.mark.parametrize("how", ["option", "key"])
def test_no_cancel(gate: Gate, sim: Simulator, how: str) -> None:
    sim.k6.plan(1, k6_v2.runs_on())
    pipeline = gate_section(cancel="no" if how == "key" else None) + k6_run(sim)
    process = gate.popen(pipeline, "run", *(["--no-cancel"] if how == "option" else []))
    process.wait_for(lambda: sim.polls(), "a poll")
    process.send_signal(signal.SIGTERM)
    result = ends_well(process, 143)
    assert sim.cancels() == [] and len(sim.running()) == 1
    assert sim.runs[0].id in result.err


def test_a_run_that_passes_although_stopped_opens_nothing(gate: Gate, sim: Simulator) -> None:
    sim.k6.plan(1, k6_v2.ends(polls=3, ignore_stop=True))
    sim.fault("poll", "delay_ms", 2, ms=200)
    process = gate.popen(GRACE + k6_run(sim))
    process.wait_for(lambda: len(sim.polls()) >= 2, "a poll")
    process.send_signal(signal.SIGTERM)
    ends_well(process, 143)


def test_cancel_says_gone(gate: Gate, sim: Simulator) -> None:
    """409: the run ended by itself in the meantime. No error; and still interrupted."""
    sim.k6.plan(1, k6_v2.runs_on())
    sim.fault("cancel", "status", "*", status=409, message="The test run is over")
    process = gate.popen(gate_section(cancel_grace="300ms") + k6_run(sim))
    process.wait_for(lambda: sim.polls(), "a poll")
    process.send_signal(signal.SIGTERM)
    ends_well(process, 143)
    assert len(sim.cancels()) == 1


def test_no_new_start_after_the_signal(gate: Gate, sim: Simulator) -> None:
    sim.k6.otherwise(k6_v2.runs_on())
    pipeline = gate_section(cancel_grace="3s", max_parallel=1) + "".join(k6_run(sim, f"r{i}", i) for i in range(1, 5))
    process = gate.popen(pipeline)
    process.wait_for(lambda: sim.polls(), "a poll")
    process.send_signal(signal.SIGTERM)
    ends_well(process, 143)
    assert len(sim.starts()) == 1


def test_a_start_that_waits_for_a_connection_never_leaves(gate: Gate, sim: Simulator) -> None:
    """One connection, taken by a start whose reply is late: the second start is still here when the signal comes."""
    sim.k6.plan(1, k6_v2.runs_on())
    sim.fault("start", "delay_ms", 1, ms=1500)
    pipeline = http_section(max_connections=1) + k6_run(sim, "a") + k6_run(sim, "b")
    process = gate.popen(pipeline)
    process.wait_for(lambda: len(sim.starts()) == 1)
    process.send_signal(signal.SIGTERM)
    result = process.finish()
    assert result.code == 143, result
    assert len(sim.starts()) == 1 and len(sim.cancels()) == 1 and sim.running() == []


def test_a_signal_at_any_moment(gate: Gate, sim: Simulator) -> None:
    """Whatever the gate does then, whatever became of the starts: nothing is left running, and every run was stopped once."""
    dice = random.Random(int(os.environ.get("SEED", "4")))
    rounds = int(os.environ.get("SIGNALS", "40")) if not wrapper() else 10
    sim.k6.plan(1, k6_v2.runs_on())
    sim.k6.plan(2, k6_v2.runs_on())
    (gate.folder / "rungate.ini").write_text(gate_section(cancel_grace="20s") + k6_run(sim, "load", 1, outage="20s") + k6_run(sim, "more", 2, outage="20s"))
    argv = [*wrapper(), str(binary()), "run", "--junit", "rungate.xml", "--progress", "none"]
    env = gate.environment(gate.folder, None)
    early, length = 0, 0.0
    for _ in range(rounds):
        before, asked = len(sim.runs), len(sim.cancels())
        for run in sim.runs:  # those of the round before, a moment old, would be taken for ours
            run.started_at -= 3600
        sim.faults.clear()
        for test in (1, 2):
            kind, options = dice.choice([("delay_ms", {"ms": dice.randrange(40)}), ("drop_after", {}), ("status", {"status": 503})])
            sim.fault(f"POST /loadtests/v2/tests/{test}/", kind, **options)
        number = dice.choice([signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
        began = time.monotonic()
        process = subprocess.Popen(argv, cwd=gate.folder, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        if not length:
            sim.wait_for(lambda: len(sim.polls()) > 3)
            length = 2 * (time.monotonic() - began)  # of what there is to see of a gate on this machine, as it is now
        else:
            time.sleep(dice.random() * length)
        process.send_signal(number)
        words = process.communicate(timeout=60)[1].decode()
        if process.returncode == -number:  # before it had begun to listen
            early += 1
            assert len(sim.runs) == before, words
            continue
        assert process.returncode == 128 + number, (process.returncode, words)
        assert sim.running() == [], words
        assert all(run.stop_requests == 1 for run in sim.runs[before:]) and len(sim.cancels()) - asked == len(sim.runs) - before, words
    assert early < rounds
