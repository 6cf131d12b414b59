# SPDX-License-Identifier: MIT
"""A start whose reply is lost: one start, then the run is looked up at the provider by time and test. One match is ours; none, or
several, is exit code 6 with words for a person. The same request tells how long earlier runs took.
"""

from __future__ import annotations

import signal
import time
from typing import Any

import pytest
from harness import (CANCELLED, ERROR, GENERIC_PROVIDER, PACE, PASSED, START_UNKNOWN, TIMED_OUT, Gate, gate_section, generic_run,
                     http_section, k6_run, section)
from sim import generic
from sim.messages import iso
from sim.simulator import Simulator

FINDING = GENERIC_PROVIDER + """\
find          = GET /find
find.items    = /runs
find.id       = /id
find.created  = /created
find.where    = /plan = {plan}
find.duration = /ended - /created
find.finished = /state = passed, failed
"""

LOST = [pytest.param("drop_after", {}, id="reset"), pytest.param("half_headers", {}, id="half-headers"),
        pytest.param("half_body", {}, id="half-body"), pytest.param("status", {"status": 504, "process": True}, id="504"),
        pytest.param("status", {"status": 502, "process": True}, id="502"), pytest.param("html", {"process": True}, id="html"),
        pytest.param("empty", {"process": True}, id="empty"), pytest.param("silence", {"process": True}, id="silence")]


def run(gate: Gate, pipeline: str, *args: str, **options: Any) -> Any:
    return popen(gate, pipeline, *args, **options).finish()


def popen(gate: Gate, pipeline: str, *args: str, **options: Any) -> Any:
    (gate.folder / "generic.ini").write_text(FINDING)
    return gate.popen(pipeline, "run", "--provider-file", "generic.ini", *args, **options)


def element(plan: str, ago: float, **more: Any) -> dict[str, Any]:
    """A run of somebody else, in the list."""
    return {"id": f"other{int(ago)}", "plan": plan, "created": iso(time.time() - ago), "state": "running", **more}


REFUSED = [pytest.param("status", {"status": status, "process": True}, id=str(status)) for status in (500, 501)]


@pytest.mark.parametrize("fault, options", LOST + REFUSED)
def test_the_one_match_is_ours(gate: Gate, sim: Simulator, fault: str, options: dict[str, Any]) -> None:
    sim.generic.plan("p", generic.ends("failed"))
    sim.fault("start", fault, **options)
    result = run(gate, http_section(request_timeout="400ms") + generic_run(sim, plan="p", outage="20s"))
    assert result.code == 1, result
    assert len(sim.starts()) == 1 and len(sim.runs) == 1 and sim.finds()
    entry = result.run("gen")
    assert entry["run_id"] == sim.runs[0].id and entry["outcome"] == "failed" and not entry["attached"]
    assert "FINDING" in [s["state"] for s in entry["states"]]
    assert "looking for the run" in result.err and f"found it: run {sim.runs[0].id}" in result.err


@pytest.mark.parametrize("provider", ["k6-v2", "testerarmy", "autonoma", "loadforge", "k6-v6"])
def test_the_built_in_ones_find_theirs(gate: Gate, sim: Simulator, provider: str) -> None:
    """Each by its own list, among runs of others that are older, of another test, or of another source."""
    more = {"k6-v2": {"test_id": "7"}, "k6-v6": {"test_id": "7", "stack_id": "3"}, "testerarmy": {"test_id": "0b7f9d3e-6c1a-4f7e-9d52-3a1c5be0a001"},
            "autonoma": {"test_id": "t1", "client_id": "${C_ID}", "client_secret": "${C_SECRET}"},
            "loadforge": {"test_id": "7", "duration": "2"}}[provider]
    token = {} if provider == "autonoma" else {"token": "${T_TOKEN}"}
    env = {"T_TOKEN": "a-t0ken-of-the-provider", "C_ID": "client-number-1", "C_SECRET": "cl1ent-s3cret-value"}
    text = section("run:r", provider=provider, base_url=sim.base_url(provider), **token, **more, **{**PACE, "outage": "20s"})
    sim.fault(f"{provider}:start", "drop_after")
    result = gate(http_section(request_timeout="2s") + text, env=env)
    assert result.code == PASSED, result
    assert len(sim.runs) == 1 and result.run("r")["run_id"] == sim.runs[0].id
    if provider == "k6-v6":  # repeats the start under its key instead
        assert len(sim.starts()) == 2 and not sim.finds()
        assert len({r.header("K6-Idempotency-Key") for r in sim.starts()}) == 1
    else:
        assert len(sim.starts()) == 1 and sim.finds()


def test_none_is_unknown(gate: Gate, sim: Simulator) -> None:
    """The start was never processed, but nobody here can know that."""
    sim.generic.listed = [element("p", 60), element("other", 0)]
    sim.fault("start", "silence")
    result = run(gate, http_section(request_timeout="200ms") + generic_run(sim, plan="p", outage="300ms"))
    assert result.code == START_UNKNOWN, result
    assert len(sim.starts()) == 1 and len(sim.finds()) > 1
    reason = result.run("gen")["reason"]
    assert "may exist" in reason and "lists no run" in reason and sim.base_url("generic") in reason


def test_several_are_unknown(gate: Gate, sim: Simulator) -> None:
    sim.generic.listed = [element("p", 0)]
    sim.fault("start", "drop_after")
    result = run(gate, generic_run(sim, plan="p"))
    assert result.code == START_UNKNOWN, result
    reason = result.run("gen")["reason"]
    assert len(sim.starts()) == 1 and "other0" in reason and sim.runs[0].id in reason
    assert sim.runs[0].stop_requests == 0


def test_the_same_id_at_another_address_is_another_run(gate: Gate, sim: Simulator) -> None:
    """Two installations of one provider, both counting their runs from the same number."""
    with Simulator() as other:
        other.fault("start", "drop_after")
        result = run(gate, generic_run(sim, "one", plan="p") + generic_run(other, "two", plan="p", needs="one", outage="20s"))
        assert sim.runs[0].id == other.runs[0].id and len(other.starts()) == 1
        assert result.code == PASSED and result.run("two")["run_id"] == other.runs[0].id, result


@pytest.mark.parametrize("skew", [-86400, -3600, 3600, 86400 * 400])
def test_clocks_differ(gate: Gate, sim: Simulator, skew: float) -> None:
    """The Date of the reply tells what the provider's clock says."""
    sim.generic.skew = skew
    sim.generic.listed = [element("p", 60 - skew), element("p", -600 - skew)]
    sim.fault("start", "drop_after")
    result = run(gate, generic_run(sim, plan="p"))
    assert result.code == PASSED and result.run("gen")["run_id"] == sim.runs[0].id, result


@pytest.mark.parametrize("provider, token", [("k6-v2", None), ("k6-v6", "K6_CLOUD_TOKEN")])
def test_a_refusal_that_may_be_none(gate: Gate, sim: Simulator, provider: str, token: str | None) -> None:
    """A server that breaks down may have started the run before. If it lists none it is believed, and is not asked to start again."""
    sim.fault("start", "status", "*", status=500, message="Something broke")
    keys = {"provider": provider, "base_url": sim.base_url(provider), "stack_id": 7 if token else None}
    result = gate(k6_run(sim, attempts=2, **keys))
    assert result.code == ERROR and len(sim.starts()) == 1 and len(sim.finds()) > 1, result
    assert "Something broke" in result.run("load")["reason"] and "may exist" in result.run("load")["reason"], result


def test_a_refused_run_is_not_left_running(gate: Gate, sim: Simulator) -> None:
    sim.generic.plan("p", {"steps": [{"set": {"state": "running"}}]})
    sim.fault("start", "status", status=500, process=True)
    process = popen(gate, generic_run(sim, plan="p", outage="20s"))
    process.wait_for(sim.polls, "the run to be found")
    process.send_signal(signal.SIGTERM)
    result = process.finish()
    assert result.code == 143 and sim.running() == [] and len(sim.cancels()) == 1, result


def test_not_listed_at_once(gate: Gate, sim: Simulator) -> None:
    sim.fault("start", "drop_after")
    sim.fault("find", "status", "1..2", status=200, body={"runs": []})
    result = run(gate, generic_run(sim, plan="p", outage="20s"))
    assert result.code == PASSED and len(sim.finds()) == 3, result


@pytest.mark.parametrize("kind, options", [("status", {"status": 500}), ("status", {"status": 429}), ("half_body", {}), ("html", {}),
                                           ("empty", {}), ("status", {"status": 200, "body": {"runs": {}}}),
                                           ("status", {"status": 200, "body": []}), ("drop_after", {})])
def test_a_list_that_fails_is_asked_for_again(gate: Gate, sim: Simulator, kind: str, options: dict[str, Any]) -> None:
    sim.fault("start", "drop_after")
    sim.fault("find", kind, "1..2", **options)
    result = run(gate, generic_run(sim, plan="p", outage="20s"))
    assert result.code == PASSED and len(sim.starts()) == 1 and len(sim.finds()) == 3, result


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_list_that_is_refused(gate: Gate, sim: Simulator, status: int) -> None:
    sim.fault("start", "drop_after")
    sim.fault("find", "status", "*", status=status, message="no lists for you")
    result = run(gate, generic_run(sim, plan="p", outage="20s"))
    assert result.code == START_UNKNOWN and len(sim.finds()) == 1, result
    assert "no lists for you" in result.run("gen")["reason"]


def test_hostile_elements_are_left_out(gate: Gate, sim: Simulator) -> None:
    """No time, a time that is none, an id that cannot be one: none of them is ours, and none hides ours."""
    now = iso(time.time())
    sim.generic.listed = [{"id": "x", "plan": "p"}, {"id": "y", "plan": "p", "created": "soon"}, {"plan": "p", "created": now},
                          {"id": "../z", "plan": "p", "created": now}, {"id": ["w"], "plan": "p", "created": now}, None, 7, "text", []]
    sim.fault("start", "drop_after")
    result = run(gate, generic_run(sim, plan="p"))
    assert result.code == PASSED and result.run("gen")["run_id"] == sim.runs[0].id, result


def test_the_runs_of_this_gate_are_known(gate: Gate, sim: Simulator) -> None:
    """Two runs of one test, started at once: the one whose start was lost is the one that nobody else has."""
    sim.generic.plan("p", [generic.ends(), generic.ends("failed")])
    sim.fault("start", "delay_ms", 1, ms=300)
    sim.fault("start", "drop_after", 2)
    result = run(gate, generic_run(sim, "one", plan="p", outage="20s") + generic_run(sim, "two", plan="p", outage="20s"))
    ids = {result.run(name)["run_id"] for name in ("one", "two")}
    assert result.code == 1 and len(sim.starts()) == 2, result
    assert ids == {r.id for r in sim.runs}


def test_both_lost(gate: Gate, sim: Simulator) -> None:
    sim.fault("start", "drop_after", "*")
    result = run(gate, generic_run(sim, "one", plan="p") + generic_run(sim, "two", plan="p"))
    assert result.code == START_UNKNOWN and len(sim.starts()) == 2, result


@pytest.mark.parametrize("number, code", [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_signal_while_looking(gate: Gate, sim: Simulator, number: int, code: int) -> None:
    """It is looked for within the grace, so that it can be cancelled."""
    sim.generic.plan("p", generic.ends(polls=10**6))
    sim.fault("start", "drop_after")
    sim.fault("find", "delay_ms", ms=300)
    process = popen(gate, gate_section(cancel_grace="5s") + generic_run(sim, plan="p"))
    process.wait_for(sim.finds, "the look-up")
    process.send_signal(number)
    result = process.finish()
    assert result.code == code and len(sim.starts()) == 1, result
    assert sim.runs[0].stop_requests == 1 and sim.running() == []


def test_deadline_while_looking(gate: Gate, sim: Simulator) -> None:
    sim.generic.plan("p", generic.ends(polls=10**6))
    sim.fault("start", "drop_after")
    sim.fault("find", "delay_ms", ms=600)
    result = run(gate, gate_section(cancel_grace="10s") + generic_run(sim, plan="p", timeout="300ms", outage="20s"))
    assert result.code == TIMED_OUT, result
    assert sim.runs[0].stop_requests == 1 and sim.running() == []


def test_found_and_cancelled_by_somebody(gate: Gate, sim: Simulator) -> None:
    sim.generic.plan("p", generic.ends("cancelled"))
    sim.fault("start", "drop_after")
    assert run(gate, generic_run(sim, plan="p")).code == CANCELLED


# --- earlier runs ----------------------------------------------------------------------------------------------------------


def earlier(seconds: float, ago: float = 9000, state: str = "passed") -> dict[str, Any]:
    now = time.time()
    return {"id": f"e{seconds}", "plan": "p", "created": iso(now - ago), "ended": iso(now - ago + seconds), "state": state}


def test_how_long_earlier_runs_took(gate: Gate, sim: Simulator) -> None:
    """Asked once, when polls are as far apart as they get; the median of those that ran to their end is shown."""
    sim.generic.listed = [earlier(100), earlier(1900), earlier(2400), earlier(1, state="cancelled"), {**earlier(5), "plan": "other"}]
    sim.generic.plan("p", generic.ends(polls=10**6))
    process = popen(gate, gate_section(heartbeat="1s", cancel_grace="5s") + generic_run(sim, plan="p", poll_min="1ms", poll_max="2ms"))
    process.wait_for(lambda: "of about 31m40s" in process.err, "a heartbeat with the expected length")
    process.send_signal(signal.SIGTERM)
    assert process.finish().code == 143 and len(sim.finds()) == 1


@pytest.mark.parametrize("kind, options", [("status", {"status": 500}), ("status", {"status": 401}), ("html", {}), ("drop_after", {}),
                                           ("status", {"status": 200, "body": {"runs": []}})])
def test_nothing_depends_on_it(gate: Gate, sim: Simulator, kind: str, options: dict[str, Any]) -> None:
    sim.generic.plan("p", generic.ends(polls=30))
    sim.fault("find", kind, "*", **options)
    result = run(gate, generic_run(sim, plan="p", poll_min="1ms", poll_max="2ms"))
    assert result.code == PASSED and len({r.connection for r in sim.finds()}) == len(sim.finds()) <= 2, result  # the library may repeat a GET


def test_not_asked_where_it_is_known(gate: Gate, sim: Simulator) -> None:
    sim.generic.plan("p", generic.ends(polls=30))
    assert run(gate, generic_run(sim, plan="p", poll_min="1ms", poll_max="2ms", expect="1ms")).code == PASSED
    assert sim.finds() == []


def test_short_runs_do_not_ask(gate: Gate, sim: Simulator) -> None:
    assert gate(k6_run(sim, poll_max="15s")).code == PASSED
    assert sim.finds() == []


def test_refused_start_is_not_looked_up(gate: Gate, sim: Simulator) -> None:
    sim.fault("start", "status", status=400)
    assert run(gate, generic_run(sim, plan="p")).code == ERROR
    assert sim.finds() == []
