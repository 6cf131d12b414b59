# SPDX-License-Identifier: MIT
"""What makes several runs one gate: order, limits, attempts, deadlines, mappings, precedence; and what is reported of it."""

from __future__ import annotations

import datetime
import http.client
import itertools
import json
import re
from pathlib import Path
from typing import Any

import junit_check
import markdown_check
import pytest
from harness import K6_TOKEN, SUMMARY, TIMED_OUT, Gate, gate_section, k6_run, qatech_run, section
from sim import k6_v2, qatech
from sim.simulator import Simulator

# What one run can come to: how to make k6 test 1..6 do it, the exit code alone, the outcome.
WAYS: dict[str, tuple[dict[str, Any], int]] = {
    "passed": (k6_v2.ends(), 0),
    "failed": (k6_v2.ends(result_status=1), 1),
    "error": (k6_v2.ends(run_status=6), 3),
    "timed_out": (k6_v2.ends(run_status=4), 4),
    "cancelled": (k6_v2.ends(run_status=5), 5),
    "start_unknown": (k6_v2.runs_on(), 6),
}
WORST_FIRST = ["failed", "start_unknown", "error", "timed_out", "cancelled", "passed"]
NUMBER = {name: i + 1 for i, name in enumerate(WAYS)}


def arrange(sim: Simulator) -> None:
    """Test 1 passes, test 2 fails, and so on, as in WAYS."""
    for name, (plan, _) in WAYS.items():
        sim.k6.plan(NUMBER[name], plan)
    sim.fault(f"POST /loadtests/v2/tests/{NUMBER['start_unknown']}/", "drop_before", "*")


def run_that(sim: Simulator, way: str, name: str | None = None, **keys: Any) -> str:
    return k6_run(sim, name or way, NUMBER[way], **keys)


def outcomes(result: Any) -> dict[str, str]:
    return {r["name"]: r["outcome"] for r in result.json()["runs"]}


# --- precedence ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ways", [c for n in (1, 2) for c in itertools.combinations(WORST_FIRST, n)] + [tuple(WORST_FIRST)], ids="+".join)
def test_precedence(gate: Gate, sim: Simulator, ways: tuple[str, ...]) -> None:
    arrange(sim)
    result = gate("".join(run_that(sim, w) for w in reversed(ways)))
    assert result.code == WAYS[ways[0]][1], result
    assert outcomes(result) == {w: w for w in ways}
    assert result.json()["verdict"] == ways[0] and result.json()["exit_code"] == result.code


@pytest.mark.parametrize("way", [w for w in WAYS if w != "passed"])
def test_an_optional_run_never_decides(gate: Gate, sim: Simulator, way: str) -> None:
    arrange(sim)
    result = gate(run_that(sim, "passed", "must") + run_that(sim, way, "may", required="no"))
    assert result.code == 0, result
    assert outcomes(result) == {"must": "passed", "may": way}
    assert result.run("may")["required"] is False and result.run("must")["required"] is True
    assert "may" in result.err


def test_an_optional_pass_opens_nothing(gate: Gate, sim: Simulator) -> None:
    arrange(sim)
    assert gate(run_that(sim, "failed") + run_that(sim, "passed", required="no")).code == 1


def test_only_optional_runs_open_nothing(gate: Gate, sim: Simulator) -> None:
    """Nothing required was seen to pass: no verdict, or a mistake in the file."""
    arrange(sim)
    assert gate(run_that(sim, "passed", required="no")).code in (2, 3)


# --- needs ---------------------------------------------------------------------------------------------------------------


def test_needs_order(gate: Gate, sim: Simulator) -> None:
    result = gate(k6_run(sim, "c", 3, needs="b") + k6_run(sim, "b", 2, needs="a") + k6_run(sim, "a", 1))
    assert result.code == 0, result
    assert [r.key for r in sim.runs] == ["1", "2", "3"] and sim.max_running == 1


def test_needs_several(gate: Gate, sim: Simulator) -> None:
    sim.k6.plan(2, k6_v2.ends(polls=5))
    result = gate(k6_run(sim, "a", 1) + k6_run(sim, "b", 2) + k6_run(sim, "c", 3, needs="a, b"))
    assert result.code == 0, result
    assert sim.runs[-1].key == "3" and sim.max_running == 2


@pytest.mark.parametrize("way", [w for w in WAYS if w != "passed"])
def test_needs_not_met(gate: Gate, sim: Simulator, way: str) -> None:
    arrange(sim)
    result = gate(run_that(sim, way, "base") + k6_run(sim, "top", 50, needs="base") + k6_run(sim, "tip", 51, needs="top"))
    assert result.code == WAYS[way][1], result
    assert len(sim.starts()) == 1
    assert outcomes(result) == {"base": way, "top": "skipped", "tip": "skipped"}
    assert "base" in result.run("top")["reason"]
    assert result.element("top") == "skipped"


@pytest.mark.parametrize("way", ["failed", "error", "passed"])
def test_needs_of_an_optional_run_are_met_when_it_has_ended(gate: Gate, sim: Simulator, way: str) -> None:
    arrange(sim)
    result = gate(run_that(sim, way, "base", required="no") + k6_run(sim, "top", 50, needs="base"))
    assert result.code == 0, result
    assert [r.key for r in sim.runs][-1] == "50" and len(sim.starts()) == 2


def test_runs_by_name_with_what_they_need(gate: Gate, sim: Simulator) -> None:
    pipeline = k6_run(sim, "a", 1) + k6_run(sim, "b", 2, needs="a") + k6_run(sim, "c", 3)
    result = gate(pipeline, "run", "b")
    assert result.code == 0, result
    assert [r.key for r in sim.runs] == ["1", "2"]


def test_an_unknown_run_name(gate: Gate, sim: Simulator) -> None:
    result = gate(k6_run(sim, "load"), "run", "laod")
    assert result.code == 2 and "laod" in result.err and "load" in result.err
    assert sim.requests == []


# --- require, fail-fast, max_parallel ---------------------------------------------------------------------------------------


def test_require_any_is_decided_by_the_first_pass(gate: Gate, sim: Simulator) -> None:
    sim.k6.plan(2, k6_v2.runs_on())
    result = gate(gate_section(require="any") + k6_run(sim, "quick", 1) + k6_run(sim, "slow", 2))
    assert result.code == 0, result
    assert len(sim.cancels()) == 1 and sim.running() == []
    assert outcomes(result)["quick"] == "passed"


def test_require_any_survives_a_failure(gate: Gate, sim: Simulator) -> None:
    sim.k6.plan(1, k6_v2.ends(result_status=1))
    sim.k6.plan(2, k6_v2.ends(polls=5))
    result = gate(gate_section(require="any") + k6_run(sim, "bad", 1) + k6_run(sim, "good", 2))
    assert result.code == 0, result
    assert outcomes(result) == {"bad": "failed", "good": "passed"}


def test_require_any_without_a_pass(gate: Gate, sim: Simulator) -> None:
    arrange(sim)
    assert gate(gate_section(require="any") + run_that(sim, "failed") + run_that(sim, "error")).code == 1


def test_require_any_does_not_count_optional_runs(gate: Gate, sim: Simulator) -> None:
    arrange(sim)
    assert gate(gate_section(require="any") + run_that(sim, "passed", required="no") + run_that(sim, "failed")).code == 1


def test_require_a_number(gate: Gate, sim: Simulator) -> None:
    sim.k6.plan(3, k6_v2.runs_on())
    result = gate(gate_section(require=2) + k6_run(sim, "a", 1) + k6_run(sim, "b", 2) + k6_run(sim, "c", 3))
    assert result.code == 0, result
    assert len(sim.cancels()) == 1 and sim.running() == []


def test_require_a_number_that_can_no_longer_be_reached(gate: Gate, sim: Simulator) -> None:
    """Decided as soon as it cannot change: two of three must pass, two have failed."""
    for test in (1, 2):
        sim.k6.plan(test, k6_v2.ends(result_status=1))
    sim.k6.plan(3, k6_v2.runs_on())
    result = gate(gate_section(require=2) + k6_run(sim, "a", 1) + k6_run(sim, "b", 2) + k6_run(sim, "c", 3))
    assert result.code == 1, result
    assert len(sim.cancels()) == 1 and sim.running() == []


@pytest.mark.parametrize("how", ["option", "key"])
def test_fail_fast(gate: Gate, sim: Simulator, how: str) -> None:
    sim.k6.plan(1, k6_v2.ends(result_status=1))
    sim.k6.plan(2, k6_v2.runs_on())
    pipeline = gate_section(fail_fast="yes" if how == "key" else None)
    pipeline += k6_run(sim, "bad", 1) + k6_run(sim, "long", 2) + k6_run(sim, "later", 3, needs="long")
    result = gate(pipeline, "run", *(["--fail-fast"] if how == "option" else []))
    assert result.code == 1, result
    assert len(sim.cancels()) == 1 and len(sim.starts()) == 2 and sim.running() == []
    assert outcomes(result)["bad"] == "failed" and outcomes(result)["long"] == "cancelled"


def test_fail_fast_begins_nothing_more(gate: Gate, sim: Simulator) -> None:
    """The deadline of one makes room for the other, and decides the gate, at the same moment."""
    sim.k6.plan(1, k6_v2.runs_on())
    pipeline = gate_section(fail_fast="yes", max_parallel=1, cancel="no") + k6_run(sim, "late", 1, timeout="60ms") + k6_run(sim, "next", 2)
    result = gate(pipeline)
    assert result.code == TIMED_OUT and result.run("next")["attempt"] == 0 and result.run("next")["requests"] == 0, result


def test_without_fail_fast_the_others_are_waited_for(gate: Gate, sim: Simulator) -> None:
    sim.k6.plan(1, k6_v2.ends(result_status=1))
    sim.k6.plan(2, k6_v2.ends(polls=8))
    result = gate(k6_run(sim, "bad", 1) + k6_run(sim, "long", 2))
    assert result.code == 1 and sim.cancels() == []
    assert outcomes(result)["long"] == "passed"


def test_a_variable_takes_fail_fast_back(gate: Gate, sim: Simulator) -> None:
    """The environment beats the file, with a no as with a yes."""
    sim.k6.plan(1, k6_v2.ends(result_status=1))
    sim.k6.plan(2, k6_v2.ends(polls=8))
    result = gate(gate_section(fail_fast="yes") + k6_run(sim, "bad", 1) + k6_run(sim, "long", 2), env={"RUNGATE_FAIL_FAST": "no"})
    assert result.code == 1 and outcomes(result)["long"] == "passed", result


def test_a_variable_takes_no_cancel_back(gate: Gate, sim: Simulator) -> None:
    sim.k6.plan(1, k6_v2.runs_on())
    result = gate(gate_section(cancel="no", timeout="200ms") + k6_run(sim), env={"RUNGATE_NO_CANCEL": "no"})
    assert result.code == 4 and sim.running() == [], result


def test_fail_fast_is_not_for_optional_runs(gate: Gate, sim: Simulator) -> None:
    sim.k6.plan(1, k6_v2.ends(result_status=1))
    sim.k6.plan(2, k6_v2.ends(polls=8))
    result = gate(gate_section(fail_fast="yes") + k6_run(sim, "bad", 1, required="no") + k6_run(sim, "long", 2))
    assert result.code == 0 and sim.cancels() == []


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_max_parallel(gate: Gate, sim: Simulator, limit: int) -> None:
    sim.k6.otherwise(k6_v2.ends(polls=3))
    result = gate(gate_section(max_parallel=limit) + "".join(k6_run(sim, f"r{i}", i) for i in range(1, 10)))
    assert result.code == 0, result
    assert sim.max_running == limit and len(sim.runs) == 9


def test_max_parallel_is_16_by_default(gate: Gate, sim: Simulator) -> None:
    sim.k6.otherwise(k6_v2.ends(polls=6))
    assert gate("".join(k6_run(sim, f"r{i}", i, poll_min="50ms", poll_max="50ms") for i in range(1, 25))).code == 0
    assert sim.max_running <= 16


# --- attempts ------------------------------------------------------------------------------------------------------------


def test_attempts_until_it_passes(gate: Gate, sim: Simulator) -> None:
    sim.k6.plan(1, [k6_v2.ends(run_status=6), k6_v2.ends(run_status=9), k6_v2.ends()])
    result = gate(k6_run(sim, attempts=3))
    assert result.code == 0, result
    assert len(sim.starts()) == 3
    run = result.run("load")
    assert (run["outcome"], run["attempt"], run["run_id"]) == ("passed", 3, sim.runs[2].id)
    assert "flaky" in (result.err + result.junit_path.read_text()).lower()


def test_attempts_used_up(gate: Gate, sim: Simulator) -> None:
    sim.k6.plan(1, k6_v2.ends(run_status=6))
    result = gate(k6_run(sim, attempts=2))
    assert result.code == 3 and len(sim.starts()) == 2


def test_one_attempt_by_default(gate: Gate, sim: Simulator) -> None:
    sim.k6.plan(1, [k6_v2.ends(run_status=6), k6_v2.ends()])
    assert gate(k6_run(sim)).code == 3
    assert len(sim.starts()) == 1


@pytest.mark.parametrize("way", ["failed", "timed_out", "cancelled"])
@pytest.mark.parametrize("named", [True, False])
def test_retry_on(gate: Gate, sim: Simulator, way: str, named: bool) -> None:
    plan, code = WAYS[way]
    sim.k6.plan(1, [plan, k6_v2.ends()])
    result = gate(k6_run(sim, attempts=2, retry_on=f"error, {way}" if named else None))
    assert (result.code, len(sim.starts())) == ((0, 2) if named else (code, 1)), result


def test_each_attempt_is_reported(gate: Gate, sim: Simulator) -> None:
    sim.k6.plan(1, [k6_v2.ends(run_status=6), k6_v2.ends(run_status=6), k6_v2.ends()])
    result = gate(k6_run(sim, attempts=3))
    everything = result.err + result.junit_path.read_text() + json.dumps(result.json())
    for run in sim.runs:
        assert run.id in everything


# --- deadlines -----------------------------------------------------------------------------------------------------------


def test_run_timeout(gate: Gate, sim: Simulator) -> None:
    sim.k6.plan(1, k6_v2.runs_on())
    result = gate(k6_run(sim, "slow", 1, timeout="300ms") + k6_run(sim, "quick", 2))
    assert result.code == 4, result
    assert outcomes(result) == {"slow": "timed_out", "quick": "passed"}
    assert len(sim.cancels()) == 1 and sim.running() == []
    assert result.element("slow") == "error"


@pytest.mark.parametrize("how", ["option", "short option", "key", "environment"])
def test_gate_timeout(gate: Gate, sim: Simulator, how: str) -> None:
    sim.k6.otherwise(k6_v2.runs_on())
    args = {"option": ["--timeout", "300ms"], "short option": ["-t", "300ms"]}.get(how, [])
    env = {"RUNGATE_TIMEOUT": "300ms"} if how == "environment" else {}
    pipeline = gate_section(timeout="300ms" if how == "key" else None) + k6_run(sim, "a", 1) + k6_run(sim, "b", 2) + k6_run(sim, "c", 3, needs="a")
    result = gate(pipeline, "run", *args, env=env)
    assert result.code == 4, result
    assert result.seconds < 15 and len(sim.starts()) == 2 and len(sim.cancels()) == 2 and sim.running() == []
    assert outcomes(result)["a"] == "timed_out"


def test_command_line_beats_environment_beats_file(gate: Gate, sim: Simulator) -> None:
    sim.k6.plan(1, k6_v2.runs_on())
    result = gate(gate_section(timeout="1h") + k6_run(sim), "run", "--timeout", "200ms", env={"RUNGATE_TIMEOUT": "2h"})
    assert result.code == 4
    sim.k6.plan(1, k6_v2.ends(polls=20))
    result = gate(gate_section(timeout="1ms") + k6_run(sim), "run", env={"RUNGATE_TIMEOUT": "1m"})
    assert result.code == 0, result


def test_a_deadline_interrupts_a_request(gate: Gate, sim: Simulator) -> None:
    sim.k6.plan(1, k6_v2.runs_on())
    sim.fault("poll", "silence", "*")
    result = gate(gate_section(timeout="400ms", cancel_grace="1s") + k6_run(sim, outage="1h"))
    assert result.code == 4 and result.seconds < 15
    assert len(sim.cancels()) == 1


def test_a_run_that_passes_after_the_deadline_does_not_pass(gate: Gate, sim: Simulator) -> None:
    """The stop was accepted, and then the run passes all the same: too late is too late."""
    sim.k6.plan(1, k6_v2.ends(polls=4, ignore_stop=True))
    sim.fault("poll", "delay_ms", 2, ms=600)
    assert gate(gate_section(timeout="300ms", cancel_grace="2s") + k6_run(sim)).code == 4


@pytest.mark.parametrize("how", ["option", "key"])
def test_no_cancel_at_a_deadline(gate: Gate, sim: Simulator, how: str) -> None:
    sim.k6.plan(1, k6_v2.runs_on())
    result = gate(gate_section(cancel="no" if how == "key" else None, timeout="200ms") + k6_run(sim), "run",
                  *(["--no-cancel"] if how == "option" else []))
    assert result.code == 4 and sim.cancels() == [] and len(sim.running()) == 1
    assert sim.runs[0].id in result.err


# --- mappings ------------------------------------------------------------------------------------------------------------

SKIPPED = qatech.ends(result="SKIPPED")
EMPTY = qatech.ends(cases=[])
MAPPINGS = [
    ("on_skipped", "pln_a", SKIPPED, "skipped"),
    ("on_empty", "pln_a", EMPTY, "empty"),
    ("on_error", "pln_a", qatech.ends("ERROR", None), "error"),
    ("on_cancelled", "pln_a", qatech.ends("CANCELLED", None), "cancelled"),
    ("on_timeout", "pln_a", qatech.runs_on(), "timed_out"),
]


@pytest.mark.parametrize("where", ["gate", "run", "defaults"])
@pytest.mark.parametrize("to, code", [("passed", 0), ("failed", 1)])
@pytest.mark.parametrize("key, plan_id, plan, outcome", MAPPINGS, ids=[m[0] for m in MAPPINGS])
def test_mapping(gate: Gate, sim: Simulator, key: str, plan_id: str, plan: dict[str, Any], outcome: str, to: str, code: int, where: str) -> None:
    sim.qatech.plan(plan_id, plan)
    timeout = "300ms" if key == "on_timeout" else None
    pipeline = gate_section(**{key: to if where == "gate" else None})
    pipeline += section("defaults", **{key: to if where == "defaults" else None})
    pipeline += qatech_run(sim, test_plan=plan_id, timeout=timeout, **{key: to if where == "run" else None})
    result = gate(pipeline)
    assert result.code == code, result
    everything = result.err + result.junit_path.read_text() + json.dumps(result.json())
    assert outcome in everything and key in everything  # the report always says so


def test_a_run_key_beats_the_gate_key(gate: Gate, sim: Simulator) -> None:
    sim.qatech.plan("pln_a", SKIPPED)
    assert gate(gate_section(on_skipped="passed") + qatech_run(sim, test_plan="pln_a", on_skipped="failed")).code == 1


@pytest.mark.parametrize("way", ["failed", "start_unknown"])
def test_mappings_do_not_reach_further_than_they_say(gate: Gate, sim: Simulator, way: str) -> None:
    arrange(sim)
    result = gate(run_that(sim, way, **{k: "passed" for k, *_ in MAPPINGS}))
    assert result.code == WAYS[way][1], result


# --- expect, attach ------------------------------------------------------------------------------------------------------


def test_expect_saves_polls(gate: Gate, sim: Simulator) -> None:
    """An expected end steers the polls towards it; the end is still seen in good time."""
    plan = {"steps": [{"set": {"run_status": 2}}, {"after_ms": 1500, "set": {"run_status": 3, "processing_status": 2}}]}
    polls = []
    for expect in (None, "1500ms"):
        sim.k6.plan(1, plan)
        result = gate(k6_run(sim, expect=expect, poll_min="20ms", poll_max="10s"))
        assert result.code == 0 and result.seconds < 6
        polls.append(sim.runs[-1].polls)
    assert polls[1] <= polls[0] + 3, polls


def prestart(sim: Simulator, test: int = 1) -> str:
    """A run somebody else started."""
    connection = http.client.HTTPConnection("127.0.0.1", sim.port, timeout=5)
    connection.request("POST", f"/loadtests/v2/tests/{test}/start-testrun", headers={"Authorization": "Token " + K6_TOKEN})
    reply = json.loads(connection.getresponse().read())
    connection.close()
    return str(reply["k6-run"]["id"])


@pytest.mark.parametrize("how", ["key", "option"])
@pytest.mark.parametrize("way", ["passed", "failed"])
def test_attach(gate: Gate, sim: Simulator, how: str, way: str) -> None:
    arrange(sim)
    run_id = prestart(sim, NUMBER[way])
    result = gate(run_that(sim, way, "load", id=run_id if how == "key" else None), "run",
                  *(["--attach", f"load={run_id}"] if how == "option" else []))
    assert result.code == WAYS[way][1], result
    assert len(sim.starts()) == 1  # the one of prestart()
    assert result.run("load")["attached"] is True and result.run("load")["run_id"] == run_id


def test_attach_to_a_run_that_is_not_there(gate: Gate, sim: Simulator) -> None:
    result = gate(k6_run(sim), "run", "--attach", "load=424242", timeout=60)
    assert result.code == 3 and sim.starts() == []


def test_attach_for_a_run_that_is_not_in_the_file(gate: Gate, sim: Simulator) -> None:
    result = gate(k6_run(sim), "run", "--attach", "laod=1")
    assert result.code == 2 and "laod" in result.err and sim.requests == []


# --- progress ------------------------------------------------------------------------------------------------------------

SLOW = {"steps": [{"set": {"run_status": 2}}, {"after_ms": 1200, "set": {"run_status": 3, "processing_status": 2}}]}


def test_heartbeat(gate: Gate, sim: Simulator) -> None:
    sim.k6.plan(1, SLOW)
    often = gate(gate_section(heartbeat="200ms") + k6_run(sim), "run", "--progress", "plain")
    sim.k6.plan(1, SLOW)
    never = gate(gate_section(heartbeat="1h") + k6_run(sim), "run", "--progress", "plain")

    def running(text: str) -> int:
        return sum("load" in line and "RUNNING" in line for line in text.splitlines())

    assert running(never.err) <= 2, never
    assert running(often.err) >= running(never.err) + 3, often


def test_plain_progress_is_a_line_a_state(gate: Gate, sim: Simulator) -> None:
    sim.k6.plan(1, {"steps": [{"set": {"run_status": s}, "after_polls": 2} for s in (-2, 0, 1, 2)]
                    + [{"after_polls": 2, "set": {"run_status": 3, "processing_status": 2}}]})
    result = gate(k6_run(sim))
    states = ("CREATED", "QUEUED", "INITIALIZING", "RUNNING", "FINISHED")
    places = [result.err.find(s) for s in states]
    assert -1 not in places and places == sorted(places), result
    assert "\x1b" not in result.err and "\r" not in result.err
    assert [s["state"] for s in result.run("load")["states"] if s["state"] in states] == list(states)


@pytest.mark.parametrize("mode", ["auto", "plain", "tty", "none"])
@pytest.mark.parametrize("color", ["auto", "always", "never"])
def test_progress_modes(gate: Gate, sim: Simulator, mode: str, color: str) -> None:
    result = gate(k6_run(sim), "run", "--progress", mode, "--color", color)
    assert result.code == 0, result
    assert result.out == ""
    if mode != "tty" and color != "always":
        assert "\x1b" not in result.err
    if mode == "none":
        assert "RUNNING" not in result.err


def test_no_color(gate: Gate, sim: Simulator) -> None:
    assert "\x1b[3" not in gate(k6_run(sim), "run", "--progress", "plain", env={"NO_COLOR": "1"}).err


def test_quiet_and_verbose(gate: Gate, sim: Simulator) -> None:
    sizes = [len(gate(k6_run(sim), "run", *args).err) for args in (["-q"], [], ["-v"])]
    assert sizes[0] < sizes[1] < sizes[2]
    loud = gate(k6_run(sim), "run", "--verbose")
    assert "POST" in loud.err and "/start-testrun" in loud.err and "200" in loud.err and "***" in loud.err


def test_quiet_still_says_why_not(gate: Gate, sim: Simulator) -> None:
    sim.k6.plan(1, k6_v2.ends(result_status=1))
    result = gate(k6_run(sim), "run", "--quiet")
    assert result.code == 1 and "load" in result.err


# --- JSON ----------------------------------------------------------------------------------------------------------------


def is_time(text: Any) -> bool:
    if not isinstance(text, str):
        return False
    stamp = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return abs((datetime.datetime.now(datetime.timezone.utc) - stamp.astimezone(datetime.timezone.utc)).total_seconds()) < 300


def test_json_result(gate: Gate, sim: Simulator) -> None:
    sim.qatech.plan("pln_demo1", qatech.ends(result="FAILED", cases=[qatech.case("a"), qatech.case("b", result="FAILED", title="bad")]))
    result = gate(k6_run(sim) + qatech_run(sim))
    data = result.json()
    assert data["schema"] == 1 and data["verdict"] == "failed" and data["exit_code"] == 1
    assert is_time(data["started_at"]) and is_time(data["finished_at"]) and 0 <= data["duration_s"] < 60
    assert [r["name"] for r in data["runs"]] == ["load", "ui"]
    load, ui = data["runs"]
    for run in (load, ui):
        assert set(run) >= {"name", "provider", "required", "outcome", "reason", "state", "run_id", "url", "attached", "attempt", "started_at",
                            "finished_at", "duration_s", "polls", "requests", "states", "tests"}
        assert run["required"] is True and run["attached"] is False and run["attempt"] == 1
        assert is_time(run["started_at"]) and is_time(run["finished_at"]) and 0 <= run["duration_s"] < 60
        assert run["states"] and all(set(s) >= {"state", "at"} and is_time(s["at"]) for s in run["states"])
    assert (load["provider"], load["outcome"], load["state"], load["run_id"]) == ("k6-v2", "passed", "FINISHED", sim.k6.runs[load["run_id"]].id)
    assert load["polls"] == sim.k6.runs[load["run_id"]].polls and load["requests"] == load["polls"] + 1 and load["tests"] == []
    assert (ui["provider"], ui["outcome"], ui["run_id"]) == ("qatech", "failed", "run001")
    assert ui["url"] == "https://app.qa.tech/p/demo/results/run001"
    assert [(t["name"], t["outcome"]) for t in ui["tests"]] == [("a", "passed"), ("b", "failed")]
    assert all(set(t) >= {"name", "outcome", "duration_s", "message"} for t in ui["tests"])
    assert ui["tests"][1]["message"] == "bad"


def test_json_on_standard_output_is_alone_there(gate: Gate, sim: Simulator) -> None:
    result = gate(k6_run(sim), "run", "--json", "-")
    assert result.code == 0
    assert json.loads(result.out)["verdict"] == "passed"


def test_reports_named_in_the_file(gate: Gate, sim: Simulator) -> None:
    """Folders of a report are made: build/ is often not there yet in a fresh checkout."""
    result = gate(gate_section(junit="build/reports/gate.xml", json="build/gate.json", summary="build/gate.md") + k6_run(sim),
                  reports=False)
    assert result.code == 0, result
    assert {"build/reports/gate.xml", "build/gate.json", "build/gate.md"} <= set(result.files)
    assert json.loads(result.files["build/gate.json"])["verdict"] == "passed"
    assert result.files["build/gate.md"].startswith(b"## rungate: passed\n\nExit code 0 in ")


@pytest.mark.parametrize("option", ["--junit", "--json", "--summary"])
def test_a_report_that_cannot_be_written_is_no_pass(gate: Gate, sim: Simulator, option: str) -> None:
    (gate.folder / "file").write_text("")
    result = gate(k6_run(sim), "run", option, "file/report", agree=False)
    assert result.code in (2, 3), result  # found out before anything was started, or after
    assert "file/report" in result.err
    if result.code == 2:
        assert sim.starts() == []


@pytest.mark.parametrize("printed", ["--junit", "--json", "--summary"])
def test_what_is_printed_is_printed_once(gate: Gate, sim: Simulator, printed: str) -> None:
    """It tells the verdict that there is after all files were written, or could not be."""
    (gate.folder / "file").write_text("")
    broken = "--json" if printed != "--json" else "--junit"
    result = gate(k6_run(sim), "run", printed, "-", broken, "file/report", agree=False)
    assert result.code == 3 and "file/report" in result.err
    if printed == "--summary":
        assert markdown_check.check(result.out.encode()) == (3, [])
    elif printed == "--json":
        assert result.json()["exit_code"] == 3
    else:
        root, complaints = junit_check.check(result.out.encode())
        assert not complaints and not junit_check.is_green(root)


@pytest.mark.parametrize("pair", itertools.combinations(["junit", "json", "summary"], 2), ids="-".join)
def test_two_reports_cannot_both_be_printed(gate: Gate, sim: Simulator, pair: tuple[str, str]) -> None:
    result = gate(k6_run(sim), "run", *(arg for name in pair for arg in (f"--{name}", "-")))
    assert result.code == 2 and f"{pair[0]} and {pair[1]} cannot both be printed" in result.err and sim.starts() == []


def test_the_summary_says_it_all(gate: Gate, sim: Simulator) -> None:
    sim.qatech.plan("pln_demo1", qatech.ends(result="FAILED", cases=[qatech.case("a"), qatech.case("b", result="FAILED", title="bad")]))
    result = gate(k6_run(sim) + qatech_run(sim))
    lines = result.files[SUMMARY].decode().split("\n")
    assert lines[0] == "## rungate: failed" and lines[2].startswith("Exit code 1 in ") and lines[2].endswith(": ui failed.")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("| ")]
    assert ["load", "passed"] in [row[:2] for row in rows]
    assert ["ui", "**failed: 1 of 2 tests failed**"] in [row[:2] for row in rows]
    assert "[run001](<https://app.qa.tech/p/demo/results/run001>)" in [row[-1] for row in rows]
    assert any(line.startswith("ui: **b** failed") and line.endswith(": bad") for line in lines)
    timeline = rows[[row[0] for row in rows].index("Time") + 2:]
    assert [row[3] for row in timeline if row[2] == "ui"] == [s["state"] for s in result.run("ui")["states"]] + ["**failed**"]


def test_a_report_replaces_an_older_one(gate: Gate, sim: Simulator) -> None:
    (gate.folder / "rungate.xml").write_text("<testsuites>old")
    result = gate(k6_run(sim))
    assert result.code == 0 and "old" not in result.junit_path.read_text()


def test_an_old_report_is_not_left_when_the_file_is_wrong(gate: Gate, sim: Simulator) -> None:
    """Exit code 2 beside a green report of yesterday would mislead whoever reads only the report."""
    result = gate(k6_run(sim), "run")
    assert result.code == 0
    result = gate(k6_run(sim, attempts="many"), "run")
    assert result.code == 2


def test_properties_in_junit(gate: Gate, sim: Simulator) -> None:
    result = gate(qatech_run(sim))
    values = [p.get("value") for p in result.suite("ui").findall("properties/property")]
    assert "qatech" in values and "run001" in values and "https://app.qa.tech/p/demo/results/run001" in values


# --- CI systems ----------------------------------------------------------------------------------------------------------


def outputs(path: Path) -> dict[str, str]:
    """GITHUB_OUTPUT as the runner reads it; anything it would reject is an error here."""
    found: dict[str, str] = {}
    lines = path.read_text().split("\n")
    assert lines.pop() == "", "the last line is not ended"
    while lines:
        line = lines.pop(0)
        name, value = line.partition("=")[::2]
        if "<<" in line and ("=" not in line or line.index("<<") < line.index("=")):
            name, delimiter = line.split("<<", 1)
            taken = []
            while (text := lines.pop(0)) != delimiter:
                taken.append(text)
            value = "\n".join(taken)
        else:
            assert "=" in line, line
        assert name and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", name), line
        found[name] = value
    return found


def test_github_outputs(gate: Gate, sim: Simulator) -> None:
    sim.qatech.plan("pln_demo1", qatech.ends(result="FAILED"))
    path = gate.folder / "github-output"
    path.write_text("earlier=1\n")
    result = gate(k6_run(sim) + qatech_run(sim), env={"GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(path)})
    assert result.code == 1, result
    found = outputs(path)
    assert found["earlier"] == "1"
    assert (found["verdict"], found["exit-code"]) == ("failed", "1")
    assert next(iter(sim.k6.runs)) in found["run-ids"] and "run001" in found["run-ids"]
    assert "https://app.qa.tech/p/demo/results/run001" in found["urls"]


@pytest.mark.parametrize("env", [{"GITHUB_ACTIONS": "true"}, {"GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": ""},
                                 {"GITHUB_ACTIONS": "false", "GITHUB_OUTPUT": "o"}, {"GITLAB_CI": "true"}, {"TF_BUILD": "True"},
                                 {"JENKINS_URL": "http://jenkins.example/"}, {"TEAMCITY_VERSION": "2024.1"}, {"BUILDKITE": "true"}], ids=str)
def test_other_surroundings_do_no_harm(gate: Gate, sim: Simulator, env: dict[str, str]) -> None:
    assert gate(k6_run(sim), env=env).code == 0


def test_ci_none(gate: Gate, sim: Simulator) -> None:
    path = gate.folder / "o"
    result = gate(k6_run(sim), "run", "--ci", "none", env={"GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(path)})
    assert result.code == 0 and not path.exists()
    assert not any(line.startswith("::") for line in (result.out + result.err).splitlines())


# --- selections --------------------------------------------------------------------------------------------------------


def test_require_asks_no_more_than_was_selected(gate: Gate, sim: Simulator) -> None:
    arrange(sim)
    pipeline = gate_section(require=2) + run_that(sim, "passed", "a") + run_that(sim, "passed", "b")
    result = gate(pipeline, "run", "a")
    assert result.code == 0 and len(sim.starts()) == 1, result


def test_a_selection_without_a_required_run_is_a_mistake(gate: Gate, sim: Simulator) -> None:
    arrange(sim)
    pipeline = run_that(sim, "passed", "a") + run_that(sim, "passed", "b", required="no")
    result = gate(pipeline, "run", "b")
    assert result.code == 2 and sim.requests == [], result


@pytest.mark.parametrize("command, code", [("run", 0), ("wait", 0), ("status", 3), ("cancel", 0)])
def test_an_attached_run_waits_for_nothing_it_needs(gate: Gate, sim: Simulator, command: str, code: int) -> None:
    arrange(sim)
    pipeline = run_that(sim, "passed", "first") + run_that(sim, "passed", "second", needs="first")
    result = gate(pipeline, command, "--attach", f"second={prestart(sim)}")
    assert result.code == code, result  # "status" sees a run that is not over: no verdict
    assert len(sim.starts()) == (2 if command == "run" else 1)


@pytest.mark.parametrize("command", ["run", "wait"])
def test_who_watches_starts_nothing(gate: Gate, sim: Simulator, command: str) -> None:
    """attempts is for runs that the gate started."""
    arrange(sim)
    pipeline = run_that(sim, "failed", "a", attempts=3, retry_on="failed")
    result = gate(pipeline, command, "--attach", f"a={prestart(sim, NUMBER['failed'])}")
    assert result.code == 1 and len(sim.starts()) == 1, result


@pytest.mark.parametrize("key", ["ca_file", "client_cert", "client_key"])
@pytest.mark.parametrize("command", ["check", "run"])
def test_certificate_files_are_looked_for_first(gate: Gate, sim: Simulator, command: str, key: str) -> None:
    result = gate(f"[http]\n{key} = nowhere.pem\n" + k6_run(sim), command)
    assert result.code == 2 and "nowhere.pem" in result.err and sim.requests == [], result


def test_a_secret_by_define_is_warned_of(gate: Gate, sim: Simulator) -> None:
    result = gate(k6_run(sim, token="${T}"), "run", "-D", f"T={K6_TOKEN}")
    assert result.code == 0 and "warning" in result.err and "-D" in result.err, result


def test_a_pass_whose_tests_cannot_be_read_is_no_pass(gate: Gate, sim: Simulator) -> None:
    """It may be empty, and an empty run is no pass."""
    sim.fault("details", "status", "*", status=500)
    result = gate(qatech_run(sim))
    assert result.code == 3 and "could not be read" in result.err, result


def test_a_failure_whose_tests_cannot_be_read_is_a_failure(gate: Gate, sim: Simulator) -> None:
    sim.qatech.plan("pln_demo1", qatech.ends(result="FAILED"))
    sim.fault("details", "status", "*", status=500)
    result = gate(qatech_run(sim))
    assert result.code == 1 and "could not be read" in result.err, result


def test_cancelling_an_unknown_run_says_so(gate: Gate, sim: Simulator) -> None:
    result = gate(k6_run(sim), "cancel", "--attach", "load=404404")
    assert result.code == 3 and "could not be cancelled" in result.err and "404" in result.err, result


def test_junit_on_standard_output(gate: Gate, sim: Simulator) -> None:
    result = gate(k6_run(sim), "run", "--junit", "-", reports=False)
    assert result.code == 0 and result.out.startswith("<?xml") and not (gate.folder / "-").exists(), result


def test_a_printed_report_is_the_last_word(gate: Gate, sim: Simulator) -> None:
    """The other report cannot be written, which makes an error of the pass: what is printed is printed once, and says so."""
    (gate.folder / "taken").mkdir()
    result = gate(k6_run(sim), "run", "--junit", "-", "--json", "taken", reports=False, agree=False)
    assert result.code == 3 and result.out.count("<?xml") == 1 and "exit code 3" in result.out, result
