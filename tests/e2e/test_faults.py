# SPDX-License-Identifier: MIT
"""Networks and servers at their worst: what one fault may not do, what a lasting one must lead to, and the start,
which is never sent a second time unless it surely was not processed.
"""

from __future__ import annotations

import socket
import time
from email.utils import formatdate
from typing import Any

import pytest
from harness import Gate, gate_section, generic_run, GENERIC_PROVIDER, http_section, k6_run, qatech_run
from sim import k6_v2, qatech
from sim.simulator import Simulator

HTTP = http_section(request_timeout="200ms")

# --- polls ---------------------------------------------------------------------------------------------------------------

ONE_FAULT = {
    "500": ("status", {"status": 500}),
    "502": ("status", {"status": 502, "body": "<html>Bad Gateway</html>", "content_type": "text/html"}),
    "503": ("status", {"status": 503}),
    "504": ("status", {"status": 504}),
    "408": ("status", {"status": 408}),
    "425": ("status", {"status": 425}),
    "429": ("status", {"status": 429}),
    "429 Retry-After 0": ("status", {"status": 429, "headers": {"Retry-After": "0"}}),
    "429 Retry-After rubbish": ("status", {"status": 429, "headers": {"Retry-After": "soon"}}),
    "429 Retry-After negative": ("status", {"status": 429, "headers": {"Retry-After": "-5"}}),
    "429 Retry-After past": ("status", {"status": 429, "headers": {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}}),
    "dropped before": ("drop_before", {}),
    "dropped after": ("drop_after", {}),
    "closed without a word": ("raw", {"data": ""}),
    "half headers": ("half_headers", {}),
    "half body": ("half_body", {}),
    "truncated chunked": ("truncated_chunked", {}),
    "slow body": ("slow_body", {"ms": 20}),
    "silence": ("silence", {}),
    "late": ("delay_ms", {"ms": 500}),
    "login page": ("html", {}),
    "empty": ("empty", {}),
    "not HTTP": ("raw", {"data": "SSH-2.0-OpenSSH_9.2\r\n\r\n"}),
    "JSON of somebody else": ("status", {"status": 200, "body": {"status": "ok"}}),
    "null": ("status", {"status": 200, "body": "null"}),
    "closed after": ("close_after", {}),
}


@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("kind, options", ONE_FAULT.values(), ids=ONE_FAULT)
def test_one_fault_on_a_poll_ends_nothing(gate: Gate, sim: Simulator, kind: str, options: dict[str, Any], nth: int) -> None:
    sim.k6.plan(1, k6_v2.ends(polls=3))
    fault = sim.fault("poll", kind, nth, **options)
    result = gate(HTTP + k6_run(sim, outage="10s"))
    assert result.code == 0, result
    assert fault.hits == 1 and len(sim.starts()) == 1 and len(sim.runs) == 1 and sim.cancels() == []


@pytest.mark.parametrize("kind, options", ONE_FAULT.values(), ids=ONE_FAULT)
def test_one_fault_does_not_hide_a_failure(gate: Gate, sim: Simulator, kind: str, options: dict[str, Any]) -> None:
    sim.qatech.plan("pln_demo1", qatech.ends(result="FAILED", polls=2))
    sim.fault("poll", kind, 2, **options)
    result = gate(HTTP + qatech_run(sim, outage="10s"))
    assert result.code == 1, result
    assert len(sim.starts()) == 1


def test_faults_in_between_do_not_add_up(gate: Gate, sim: Simulator) -> None:
    """`outage` is about failures in a row: every second poll failing, for longer than that, is bearable."""
    sim.k6.plan(1, {"steps": [{"set": {"run_status": 2}}, {"after_ms": 900, "set": {"run_status": 3, "processing_status": 2}}]})
    sim.fault("poll", "status", list(range(1, 500, 2)), status=503)
    assert gate(k6_run(sim, poll_max="20ms", outage="400ms")).code == 0


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_poll_ends_at_once(gate: Gate, sim: Simulator, status: int) -> None:
    sim.k6.plan(1, k6_v2.runs_on())
    sim.fault("poll", "status", "2..", status=status, message="token was revoked")
    result = gate(gate_section(cancel_grace="300ms") + k6_run(sim, outage="20s"))
    assert result.code == 3, result
    assert sum(p.number < sim.cancels()[0].number for p in sim.polls()) == 2  # what follows the cancel looks whether it worked
    assert "token was revoked" in result.err and "token was revoked" in result.junit_path.read_text()


def test_404_right_after_the_start_is_borne(gate: Gate, sim: Simulator) -> None:
    sim.fault("poll", "status", [1, 2], status=404)
    assert gate(k6_run(sim, outage="5s")).code == 0


LASTING = {
    "502": ("status", {"status": 502}), "429": ("status", {"status": 429}), "dropped": ("drop_before", {}), "login page": ("html", {}),
    "half body": ("half_body", {}), "silence": ("silence", {}), "empty": ("empty", {}), "slow body": ("slow_body", {"ms": 50}),
    "404": ("status", {"status": 404}),
}


@pytest.mark.parametrize("kind, options", LASTING.values(), ids=LASTING)
def test_a_lasting_fault_ends_at_outage(gate: Gate, sim: Simulator, kind: str, options: dict[str, Any]) -> None:
    """No verdict; and the run the gate gives up on is stopped, once."""
    sim.k6.plan(1, k6_v2.runs_on())
    sim.fault("poll", kind, "2..", **options)
    result = gate(gate_section(cancel_grace="500ms") + HTTP + k6_run(sim))
    assert result.code == 3, result
    assert result.run("load")["outcome"] == "error"
    assert len(sim.starts()) == 1 and len(sim.cancels()) == 1 and sim.running() == []


def test_a_lasting_fault_lasts_at_least_outage(gate: Gate, sim: Simulator) -> None:
    sim.k6.plan(1, k6_v2.runs_on())
    sim.fault("poll", "status", "2..", status=502)
    gate(gate_section(cancel_grace="300ms") + k6_run(sim, outage="600ms"))
    polls = [r for r in sim.polls() if r.fault]
    assert polls[-1].at - polls[0].at <= 5 and len(polls) > 2
    assert sim.cancels()[0].at - polls[0].at >= 0.5


def test_a_lasting_fault_where_nothing_can_be_cancelled(gate: Gate, sim: Simulator) -> None:
    sim.qatech.plan("pln_demo1", qatech.runs_on())
    sim.fault("poll", "status", "2..", status=502)
    result = gate(qatech_run(sim))
    assert result.code == 3
    assert "run001" in result.err  # where to look for the run that may go on


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(gate: Gate, sim: Simulator, status: int) -> None:
    with Simulator() as elsewhere:
        sim.fault("poll", "redirect", "*", status=status, location=f"{elsewhere.origin}/loadtests/v2/runs/1")
        result = gate(k6_run(sim))
        assert result.code == 3, result
        assert elsewhere.requests == []


def test_retry_after_is_honoured_on_a_poll(gate: Gate, sim: Simulator) -> None:
    sim.fault("poll", "status", 1, status=429, headers={"Retry-After": "1"})
    assert gate(k6_run(sim, outage="10s")).code == 0
    first, second = sim.polls()[:2]
    assert second.at - first.at >= 0.95


def test_retry_after_may_be_a_date(gate: Gate, sim: Simulator) -> None:
    sim.fault("poll", "status", 1, status=503, headers={"Retry-After": formatdate(time.time() + 2, usegmt=True)})
    assert gate(k6_run(sim, outage="10s")).code == 0
    first, second = sim.polls()[:2]
    assert 0.5 <= second.at - first.at <= 4


@pytest.mark.parametrize("skew", [-7200, 7200])
def test_a_date_to_retry_at_is_one_of_the_providers_clock(gate: Gate, sim: Simulator, skew: int) -> None:
    there = time.time() + skew
    sim.fault("poll", "status", 1, status=503, headers={"Date": formatdate(there, usegmt=True), "Retry-After": formatdate(there + 1, usegmt=True)})
    assert gate(gate_section(timeout="20s") + k6_run(sim, outage="10s")).code == 0
    first, second = sim.polls()[:2]
    assert 0.95 <= second.at - first.at <= 10


def test_a_wait_beyond_all_numbers_is_a_long_one(gate: Gate, sim: Simulator) -> None:
    sim.k6.plan(1, k6_v2.runs_on())
    sim.fault("poll", "status", 1, status=429, headers={"Retry-After": "99999999999999999999"})
    result = gate(gate_section(timeout="300ms") + k6_run(sim, outage="1h"))
    assert result.code == 4 and len([p for p in sim.polls() if p.at < sim.cancels()[0].at]) == 1, result


@pytest.mark.parametrize("value", ["3600", "99999999999999999999", "Fri, 31 Dec 2199 23:59:59 GMT"])
def test_retry_after_does_not_outlast_the_deadline(gate: Gate, sim: Simulator, value: str) -> None:
    sim.k6.plan(1, k6_v2.runs_on())
    sim.fault("poll", "status", 1, status=429, headers={"Retry-After": value})
    result = gate(gate_section(timeout="500ms") + k6_run(sim, outage="1h"))
    assert result.code == 4, result
    assert result.seconds < 20 and len(sim.cancels()) == 1


# --- starts --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 422, 500])
@pytest.mark.parametrize("provider", ["k6-v2", "qatech"])
def test_a_refused_start(gate: Gate, sim: Simulator, provider: str, status: int) -> None:
    said = f"Sorry, no: reason number {status}"
    sim.fault("start", "status", "*", status=status, message=said)
    result = gate(k6_run(sim, name="it") if provider == "k6-v2" else qatech_run(sim, name="it"))
    assert result.code == 3, result
    assert said in result.err
    assert said in result.junit_path.read_text()
    assert str(status) in result.err
    assert len(sim.starts()) == 1 and sim.polls() == [] and sim.cancels() == []


@pytest.mark.parametrize("status", [502, 504])
@pytest.mark.parametrize("provider", ["k6-v2", "qatech"])
def test_a_gateway_error_on_a_start_leaves_it_unknown(gate: Gate, sim: Simulator, provider: str, status: int) -> None:
    sim.fault("start", "status", "*", status=status)
    result = gate(k6_run(sim, name="it") if provider == "k6-v2" else qatech_run(sim, name="it"))
    assert result.code == 6, result
    assert result.run("it")["outcome"] == "start_unknown"
    assert len(sim.starts()) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_a_start_surely_not_processed_is_sent_again(gate: Gate, sim: Simulator, status: int) -> None:
    sim.fault("start", "status", 1, status=status, headers={"Retry-After": "0"})
    result = gate(k6_run(sim, outage="10s"))
    assert result.code == 0, result
    assert len(sim.starts()) == 2 and len(sim.runs) == 1


def test_retry_after_is_honoured_on_a_start(gate: Gate, sim: Simulator) -> None:
    sim.fault("start", "status", 1, status=503, headers={"Retry-After": "1"})
    assert gate(k6_run(sim, outage="10s")).code == 0
    first, second = sim.starts()
    assert second.at - first.at >= 0.95


def test_a_start_refused_for_ever(gate: Gate, sim: Simulator) -> None:
    sim.fault("start", "status", "*", status=503)
    result = gate(k6_run(sim))
    assert result.code == 3, result
    assert sim.runs == []


LOST = {
    "dropped before": ("drop_before", {}),
    "dropped after": ("drop_after", {}),
    "closed without a word": ("raw", {"data": "", "process": True}),
    "half headers": ("half_headers", {}),
    "half body": ("half_body", {}),
    "truncated chunked": ("truncated_chunked", {}),
    "silence": ("silence", {}),
    "silence, but processed": ("silence", {"process": True}),
    "login page": ("html", {}),
    "empty": ("empty", {}),
    "no id": ("status", {"status": 200, "body": {}, "process": True}),
    "null": ("status", {"status": 200, "body": "null", "process": True}),
    "id null": ("status", {"status": 200, "body": {"k6-run": {"id": None}, "run": {"shortId": None}}, "process": True}),
    "id empty": ("status", {"status": 200, "body": {"k6-run": {"id": ""}, "run": {"shortId": ""}}, "process": True}),
    "id an object": ("status", {"status": 200, "body": {"k6-run": {"id": {}}, "run": {"shortId": {}}}, "process": True}),
    "not JSON": ("status", {"status": 200, "body": "OK", "process": True}),
}


@pytest.mark.parametrize("kind, options", LOST.values(), ids=LOST)
@pytest.mark.parametrize("provider", ["k6-v2", "qatech"])
def test_a_lost_start_is_not_repeated(gate: Gate, sim: Simulator, provider: str, kind: str, options: dict[str, Any]) -> None:
    sim.fault("start", kind, "*", **options)
    result = gate(HTTP + (k6_run(sim, name="it") if provider == "k6-v2" else qatech_run(sim, name="it")))
    assert len(sim.starts()) == 1
    if provider == "k6-v2" and sim.runs:  # it can list runs, so the one that was started is found
        assert result.code == 0 and result.run("it")["run_id"] == sim.runs[0].id, result
        return
    assert result.code == 6, result
    assert result.run("it")["outcome"] == "start_unknown"
    assert result.element("it") == "error"


@pytest.mark.parametrize("kind, options", [("drop_after", {}), ("drop_before", {}), ("raw", {"data": "", "process": True})])
def test_a_lost_start_on_a_used_connection_is_not_repeated(gate: Gate, sim: Simulator, kind: str, options: dict[str, Any]) -> None:
    """HTTP libraries like to repeat a request by themselves when a kept connection breaks. Not this one."""
    sim.fault("start", kind, 2, **options)
    result = gate(k6_run(sim, "first", 1) + k6_run(sim, "second", 2, needs="first"))
    assert [s.path.split("/")[4] for s in sim.starts()] == ["1", "2"]
    assert result.code == (0 if len(sim.runs) == 2 else 6), result


def test_a_lost_start_is_not_a_reason_for_another_attempt(gate: Gate, sim: Simulator) -> None:
    sim.fault("start", "drop_before", "*")
    result = gate(k6_run(sim, attempts=3, retry_on="error, failed, timed_out, cancelled"))
    assert result.code == 6 and len(sim.starts()) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirected_start_is_not_followed(gate: Gate, sim: Simulator, status: int) -> None:
    with Simulator() as elsewhere:
        sim.fault("start", "redirect", "*", status=status, location=f"{elsewhere.origin}/loadtests/v2/tests/1/start-testrun")
        result = gate(k6_run(sim))
        assert result.code == 3, result
        assert elsewhere.requests == [] and len(sim.starts()) == 1


def closed_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def test_connection_refused(gate: Gate) -> None:
    result = gate(k6_run(None, base_url=f"http://127.0.0.1:{closed_port()}"))
    assert result.code == 3, result
    assert result.element("load") == "error"
    assert result.run("load")["run_id"] in (None, "")


def test_a_late_start_reply_is_waited_for(gate: Gate, sim: Simulator) -> None:
    sim.fault("start", "delay_ms", ms=500)
    assert gate(k6_run(sim)).code == 0
    assert len(sim.starts()) == 1


def test_an_interim_reply_is_no_reply(gate: Gate, sim: Simulator) -> None:
    """103 Early Hints, then the real answer."""
    body = b'{"k6-run":{"id":5000000001,"run_status":3,"result_status":0,"processing_status":2}}'
    sim.k6.plan(1, {"steps": [{"set": {"run_status": 3, "processing_status": 2}}]})
    sim.fault("poll", "raw", 1, data=b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\n"
              b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    assert gate(k6_run(sim)).code == 0


# --- cancels and details ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind, options", [("status", {"status": 500}), ("drop_before", {}), ("silence", {}), ("html", {}),
                                           ("status", {"status": 401})])
def test_a_cancel_that_fails_changes_no_verdict(gate: Gate, sim: Simulator, kind: str, options: dict[str, Any]) -> None:
    sim.k6.plan(1, k6_v2.runs_on())
    sim.fault("cancel", kind, "*", **options)
    result = gate(gate_section(timeout="300ms", cancel_grace="400ms") + k6_run(sim))
    assert result.code == 4, result
    assert result.seconds < 15 and len(sim.cancels()) >= 1
    assert sim.runs[0].id in result.err  # somebody has to stop it by hand


@pytest.mark.parametrize("kind, options", [("status", {"status": 500}), ("drop_before", {}), ("half_body", {}), ("html", {})])
def test_one_fault_on_the_details_ends_nothing(gate: Gate, sim: Simulator, kind: str, options: dict[str, Any]) -> None:
    sim.fault("details", kind, 1, **options)
    result = gate(HTTP + qatech_run(sim, outage="5s"))
    assert result.code == 0, result


def test_generic_definition_meets_faults_too(gate: Gate, sim: Simulator) -> None:
    (gate.folder / "generic.ini").write_text(GENERIC_PROVIDER)
    sim.fault("poll", "status", [1, 3], status=502)
    result = gate(generic_run(sim, outage="5s"), "run", "--provider-file", "generic.ini")
    assert result.code == 0, result
