# SPDX-License-Identifier: MIT
"""Memory that runs out: whichever allocation fails, the gate does not open, does not crash, and forgets no run.

A preloaded library (tests/preload/failing_malloc.c) counts the allocations of a whole gate and lets chosen ones fail.
Every STRIDE-th is tried; all of them, which takes half an hour, with

    RUNGATE=build/debug/rungate RUNGATE_MEMORY_STRIDE=1 /usr/bin/python3 -m pytest -q -n 4 tests/e2e/test_memory.py

RUNGATE_MEMORY_TLS=1 does it over TLS.
"""

from __future__ import annotations

import collections
import os
import re
from typing import Any, Callable

import pytest
from harness import ERROR, FAILED, Gate, INTERNAL, PASSED, Result, START_UNKNOWN, binary, check_result, gate_section, http_section, k6_run
from sim import k6_v2
from sim.certs import Certificates
from sim.simulator import Simulator

LIBRARY = binary().parent / "failing_malloc.so"
STRIDE = int(os.environ.get("RUNGATE_MEMORY_STRIDE", "89"))
TLS = os.environ.get("RUNGATE_MEMORY_TLS") == "1"
PARTS = 4
"""Each range is cut into that many tests, so that they run side by side."""

OURS = "rungate"
"""Who has to answer for every failure, always with 70. The libraries for HTTP, TLS and JSON take their memory from the program.

The C library takes its own. It may get on without: a stream without a buffer, times in UTC for want of the zone's file. Then
the gate may end as it would have, but only if it has not said that memory ran out, and the pass is one at the provider."""


def passes(sim: Simulator) -> tuple[str, int]:
    """One run, three polls, a pass."""
    sim.k6.plan(1, k6_v2.ends(polls=3))
    return k6_run(sim), PASSED


def cancels(sim: Simulator) -> tuple[str, int]:
    """Two runs, one of which fails at once; the other, which would go on for ever, is cancelled."""
    sim.k6.plan(1, k6_v2.ends(result_status=1))
    sim.k6.plan(2, k6_v2.runs_on())
    return gate_section(fail_fast="yes") + k6_run(sim) + k6_run(sim, "other", 2), FAILED


class Trial:
    """A gate in which the allocations from `first` on fail, `count` of them (0: all); first 0: none does."""

    def __init__(self, gate: Gate, scenario: Callable[[Simulator], tuple[str, int]], certificates: Certificates, first: int, count: int) -> None:
        log = gate.folder / "failing.log"
        for path in gate.folder.iterdir():
            path.unlink()
        env = {"LD_PRELOAD": str(LIBRARY), "FAILING_LOG": str(log), "FAILING_FROM": str(first), "FAILING_COUNT": str(count)}
        with Simulator(tls=certificates if TLS else None) as sim:
            text, self.normal = scenario(sim)
            text += http_section(ca_file=str(certificates.ca)) if TLS else ""
            self.result: Result = gate.popen(text, env=env).finish(check=False)
            self.starts, self.runs, self.running = len(sim.starts()), sim.runs, sim.running()
        self.env = gate.environment(gate.folder, env)
        said = dict(line.split() for line in log.read_text().splitlines()) if log.exists() else {}
        self.blamed = said.get("failed")
        self.counted = int(said.get("counted", 0))
        self.told = "out of memory" in self.result.err
        self.exhausted = re.search(r"(?m)^rungate: out of memory$", self.result.err) is not None
        """Nothing but last words was possible any more."""

    def is_remembered(self, run: Any) -> bool:
        """The output tells a person of the run, or that there may be one."""
        return run.id in self.result.err or "a run may exist" in self.result.err

    def check(self) -> None:
        r = self.result
        codes = {ERROR, INTERNAL, self.normal}
        if self.blamed == OURS:
            codes = {INTERNAL}
        elif self.blamed is None:
            codes = {self.normal}
        elif self.told:
            codes = {ERROR, INTERNAL}
        elif "a run may exist" in r.err:
            codes = {START_UNKNOWN}
        check_result(r, self.env, agree=not self.exhausted, codes=codes)
        assert self.starts <= len(self.runs) + r.err.count("a run may exist"), "a start was sent twice"
        if r.code == PASSED:
            assert not self.running and self.runs, "the gate opened for nothing"
        for run in self.running:
            assert self.is_remembered(run), f"{run} was forgotten"
        if self.exhausted:
            return
        # With the reserve, the gate ends in good order: cancelled, and reported as what it is.
        assert not self.running or "a run may exist" in r.err, f"{self.running} not cancelled"
        if self.runs:
            assert r.json()["exit_code"] == r.code
            assert r.junit() is not None


@pytest.fixture(scope="session")
def range_of(certificates: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Any], int]:
    """How many allocations a scenario makes where none fails."""
    counts: dict[str, int] = {}

    def count(scenario: Any) -> int:
        if scenario.__name__ not in counts:
            trial = Trial(Gate(tmp_path_factory.mktemp(scenario.__name__)), scenario, certificates, 0, 1)
            trial.check()
            assert trial.counted > 1000 and trial.result.code == trial.normal
            counts[scenario.__name__] = trial.counted
        return counts[scenario.__name__]

    return count


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("count", [1, 2, 0], ids=["one", "two", "all that follow"])
@pytest.mark.parametrize("scenario", [passes, cancels], ids=lambda s: s.__name__)
def test_no_allocation_opens_the_gate(gate: Gate, certificates: Certificates, range_of: Any, scenario: Any, count: int, part: int) -> None:
    tally: collections.Counter[tuple[str | None, int]] = collections.Counter()
    wrong = []
    for first in range(1 + part * STRIDE, range_of(scenario) + 1, PARTS * STRIDE):
        trial = Trial(gate, scenario, certificates, first, count)
        try:
            trial.check()
            assert not (trial.exhausted and count == 1), "there was no reserve"
        except AssertionError as e:
            wrong.append(f"allocation {first}, asked for by {trial.blamed}: {e}\n{trial.result}")
        tally[trial.blamed, trial.result.code] += 1
    print("who asked, exit code, how often:", *(f"{who} {code} {n}," for (who, code), n in sorted(tally.items(), key=str)))
    assert not wrong, "\n".join(wrong)
    assert any(code == INTERNAL for _, code in tally)


@pytest.mark.parametrize("megabytes", range(48, 160, 16))
def test_a_reply_that_does_not_fit_into_memory(gate: Gate, sim: Simulator, monkeypatch: pytest.MonkeyPatch, megabytes: int) -> None:
    """A real shortage: it can be met while the body arrives, while it is copied and at any byte of its parsing."""
    monkeypatch.setenv("RUNGATE_WRAPPER", f"prlimit --as={megabytes << 20}")
    sim.k6.plan(1, k6_v2.runs_on())
    sim.fault("poll", "huge", nth=3, mb=30)
    result = gate.popen(http_section(max_body="64M") + k6_run(sim)).finish(check=False)
    check_result(result, gate.environment(gate.folder, None), codes={INTERNAL})
    assert result.json()["verdict"] == "internal" and result.run("load")["outcome"] == "cancelled"
    assert sim.runs[0].stopped and not sim.running()
