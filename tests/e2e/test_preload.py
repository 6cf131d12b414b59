# SPDX-License-Identifier: MIT
"""What only a preloaded library can show (tests/preload): that no memory is given back with a secret in it, and that nothing but
reports goes by the wall clock.
"""

from __future__ import annotations

import signal
import time

import pytest
from harness import K6_TOKEN, PASSED, START_UNKNOWN, Gate, Result, binary, gate_section, generic_run, http_section, k6_run
from sim import k6_v2
from sim.certs import Certificates
from sim.messages import iso
from sim.simulator import Simulator
from test_find import FINDING

SPY = binary().parent / "spying_free.so"
CLOCK = binary().parent / "jumping_clock.so"

# --- secrets ---------------------------------------------------------------------------------------------------------------


def spied(gate: Gate, wanted: str, pipeline: str, *args: str, env: dict[str, str] | None = None) -> tuple[Result, list[str]]:
    """The result, and who gave memory back with the wanted text in it."""
    log = gate.folder.parent / "spying.log"
    log.unlink(missing_ok=True)
    result = gate(pipeline, *args, env={"LD_PRELOAD": str(SPY), "SPYING_FOR": wanted, "SPYING_LOG": str(log), **(env or {})})
    lines = log.read_text().splitlines()
    assert int(lines[-1].removeprefix("looked at ")) > 1000
    return result, [line.removeprefix("freed by ") for line in lines if line.startswith("freed by ")]


def test_the_spy_sees_what_is_no_secret(gate: Gate, sim: Simulator) -> None:
    _, found = spied(gate, "a-name-that-is-no-secret", k6_run(sim, "a-name-that-is-no-secret"))
    assert any("rungate" in who for who in found)


@pytest.mark.parametrize("source", ["environment", "reference", "file", "plain text"])
@pytest.mark.parametrize("args", [[], ["-v"]], ids=["", "-v"])
def test_no_memory_is_given_back_with_a_secret(gate: Gate, sim: Simulator, source: str, args: list[str]) -> None:
    """Not by the program, nor by its HTTP library: for what still goes through, is refused, and comes back in an echo."""
    secret = gate.folder / "secret"
    token = {"environment": None, "reference": "${K6_CLOUD_TOKEN}", "file": f"${{file:{secret}}}", "plain text": K6_TOKEN}[source]
    secret.write_text(K6_TOKEN + "\n")
    secret.chmod(0o600)
    sim.k6.plan(1, k6_v2.ends(polls=3))
    result, found = spied(gate, K6_TOKEN, k6_run(sim, token=token), "run", *args)
    assert result.code == 0 and found == [], result


@pytest.mark.parametrize("kind", ["start", "poll"])
@pytest.mark.parametrize("status", [200, 400])
def test_none_after_an_echo(gate: Gate, sim: Simulator, kind: str, status: int) -> None:
    """What a provider says passes through a parser, rules and messages."""
    body = {"error": {"message": "no " + K6_TOKEN}, "k6-run": {"run_status": K6_TOKEN, "note": [K6_TOKEN]}}
    sim.fault(kind, "status", status=status, body=body)
    result, found = spied(gate, K6_TOKEN, k6_run(sim), "run", "--journal", "runs.jsonl", "-v")
    assert "***" in result.err and found == [], result


def test_none_after_a_redirect_with_an_echo(gate: Gate, sim: Simulator) -> None:
    sim.fault("poll", "redirect", "*", status=302, location=f"https://elsewhere.example/?{K6_TOKEN}")
    result, found = spied(gate, K6_TOKEN, k6_run(sim, outage="100ms"), "run", "-v")
    assert result.code != 0 and "elsewhere.example/?***" in result.err and found == [], result


def test_none_over_tls(gate: Gate, sim_tls: Simulator, certificates: Certificates) -> None:
    result, found = spied(gate, K6_TOKEN, http_section(ca_file=certificates.ca) + k6_run(sim_tls))
    assert result.code == 0 and found == [], result


def test_none_when_many_wait_for_a_connection(gate: Gate, sim: Simulator) -> None:
    runs = "".join(k6_run(sim, f"r{i}", i) for i in range(1, 9))
    result, found = spied(gate, K6_TOKEN, http_section(max_connections=2) + runs)
    assert result.code == 0 and found == [], result


@pytest.mark.parametrize("pipeline", ["[run:a]\nprovider = k6-v2\ntest_id = x\n",
                                      "[run:a]\nprovider = qatech\ntest_plan = ${K6_CLOUD_TOKEN}\n",
                                      "[run:a]\nprovider = k6-v2\ntest_id = 1\nbase_url = https://evil.example\n"],
                         ids=["another mistake", "misplaced", "elsewhere"])
def test_none_after_a_mistake(gate: Gate, pipeline: str) -> None:
    result, found = spied(gate, K6_TOKEN, pipeline, "check")
    assert result.code == 2 and found == [], result

# --- a wall clock that jumps -----------------------------------------------------------------------------------------------

JUMPS = [7200, -7200, 86400 * 400, -86400 * 400]


class Clock:
    """The wall clock of a gate, off by some seconds."""

    def __init__(self, gate: Gate) -> None:
        self.path = gate.folder.parent / "offset"
        self.env = {"LD_PRELOAD": str(CLOCK), "JUMPING_FILE": str(self.path)}
        self.set(0)

    def set(self, seconds: int) -> None:
        new = self.path.with_suffix(".new")
        new.write_text(str(seconds))
        new.replace(self.path)


def year_of(at: str) -> int:
    return int(at[:4])


@pytest.mark.parametrize("jump", JUMPS)
@pytest.mark.parametrize("polls, code", [(12, 0), (10**6, 4)], ids=["it passes", "its deadline"])
def test_a_jump_changes_neither_verdict_nor_schedule(gate: Gate, sim: Simulator, jump: int, polls: int, code: int) -> None:
    """The deadline is neither reached by the jump nor put off by it, polls go on as before, and no length is told by that clock."""
    clock = Clock(gate)
    sim.k6.plan(1, k6_v2.ends(polls=polls))
    process = gate.popen(gate_section(cancel_grace="2s") + k6_run(sim, timeout="30s" if code == 0 else "400ms"), env=clock.env)
    process.wait_for(lambda: len(sim.polls()) >= 3, "some polls")
    clock.set(jump)
    result = process.finish()
    assert result.code == code and result.seconds < 25, result
    run, whole = result.run("load"), result.json()
    assert 0 <= run["duration_s"] < 25 and 0 <= whole["duration_s"] < 25
    assert code == 4 or sim.runs[0].polls == polls + 1
    assert sim.running() == [] and len(sim.starts()) == 1
    if abs(jump) > 86400 * 366:  # the jump did happen
        assert year_of(run["finished_at"]) != year_of(run["started_at"])


@pytest.mark.parametrize("jump", JUMPS)
@pytest.mark.parametrize("arrived", [True, False])
def test_a_jump_during_a_lost_start(gate: Gate, sim: Simulator, jump: int, arrived: bool) -> None:
    """How long ago the start was sent is not told by a clock that jumped meanwhile: ours is found, and one of an hour ago or to come is
    not taken for it."""
    clock = Clock(gate)
    sim.generic.listed = [{"id": f"other{ago}", "plan": "p", "created": iso(time.time() - ago), "state": "passed"}
                          for ago in (3600, -3600, 86400 * 200, -86400 * 200)]
    sim.fault("start", "silence", process=arrived)
    (gate.folder / "generic.ini").write_text(FINDING)
    process = gate.popen(http_section(request_timeout="500ms") + generic_run(sim, plan="p", outage="400ms"),
                         "run", "--provider-file", "generic.ini", env=clock.env)
    process.wait_for(sim.starts, "the start")
    clock.set(jump)
    result = process.finish()
    assert result.code == (PASSED if arrived else START_UNKNOWN) and len(sim.starts()) == 1, result
    assert not arrived or result.run("gen")["run_id"] == sim.runs[0].id


@pytest.mark.parametrize("jump", [-7200, -86400 * 400])
def test_an_entry_of_the_journal_from_the_future(gate: Gate, sim: Simulator, jump: int) -> None:
    """Its age counts as none: the run is taken up, watched and its deadline counts from now."""
    clock = Clock(gate)
    sim.k6.plan(1, k6_v2.ends(polls=40))
    text = gate_section(journal="j.log") + k6_run(sim)
    process = gate.popen(text, env=clock.env)
    process.wait_for(lambda: len(sim.polls()) >= 2, "some polls")
    process.send_signal(signal.SIGKILL)
    process.finish(check=False)
    clock.set(jump)
    result = gate(text, env=clock.env)
    assert result.code == PASSED and len(sim.starts()) == 1, result
    assert 0 <= result.run("load")["duration_s"] < 25
