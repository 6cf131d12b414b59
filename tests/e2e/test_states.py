# SPDX-License-Identifier: MIT
"""What each provider's state means: to the exit code, to the JSON result and to the JUnit report.

The tables list what the providers document, and then everything they do not: unknown, missing, null, empty and wrongly
typed values. Whatever is not seen to pass does not pass.
"""

from __future__ import annotations

from typing import Any

import pytest
from harness import Gate, k6_run, qatech_run
from sim import k6_v2, qatech
from sim.simulator import Simulator

# --- k6-v2 ---------------------------------------------------------------------------------------------------------------

K6_FINAL = [
    # run_status, result_status, processing_status, exit code, outcome, element
    (3, 0, 2, 0, "passed", "passed"),
    (3, 1, 2, 1, "failed", "failure"),
    (3, 1, 3, 1, "failed", "failure"),
    (3, 0, 3, 3, "error", "error"),
    (4, 0, 2, 4, "timed_out", "error"),
    (4, 1, 2, 4, "timed_out", "error"),
    (5, 0, 2, 5, "cancelled", "error"),
    (5, 1, 2, 5, "cancelled", "error"),
    (6, 0, 2, 3, "error", "error"),
    (6, 1, 2, 3, "error", "error"),
    (7, 0, 2, 3, "error", "error"),
    (7, 1, 2, 3, "error", "error"),
    (8, 0, 2, 1, "failed", "failure"),
    (8, 1, 2, 1, "failed", "failure"),
    (9, 0, 2, 3, "error", "error"),
    (9, 1, 2, 3, "error", "error"),
    # Metrics need not be there when a run was aborted.
    (4, 0, 0, 4, "timed_out", "error"),
    (5, 0, 0, 5, "cancelled", "error"),
    (6, 0, 0, 3, "error", "error"),
    (8, 1, 1, 1, "failed", "failure"),
    (9, 0, 1, 3, "error", "error"),
]


@pytest.mark.parametrize("run_status, result_status, processing_status, code, outcome, element", K6_FINAL)
def test_k6_final(gate: Gate, sim: Simulator, run_status: int, result_status: int, processing_status: int,
                  code: int, outcome: str, element: str) -> None:
    sim.k6.plan(1, k6_v2.ends(run_status, result_status, processing_status))
    result = gate(k6_run(sim))
    assert result.code == code, result
    assert result.run("load")["outcome"] == outcome
    assert result.element("load") == element
    assert len(sim.starts()) == 1 and sim.cancels() == []


K6_RUNNING = [(status, result, 0) for status in (-2, -1, 0, 1, 2) for result in (0, 1)]
K6_RUNNING += [(2, 0, 1), (2, 0, 2), (3, 0, 0), (3, 0, 1), (3, 1, 0), (3, 1, 1)]


@pytest.mark.parametrize("run_status, result_status, processing_status", K6_RUNNING)
def test_k6_not_over(gate: Gate, sim: Simulator, run_status: int, result_status: int, processing_status: int) -> None:
    """These are no ends: the gate polls on and takes the state that follows."""
    state = {"run_status": run_status, "result_status": result_status, "processing_status": processing_status}
    sim.k6.plan(1, {"steps": [{"set": state, "over": False},
                              {"after_polls": 3, "set": {"run_status": 3, "result_status": 0, "processing_status": 2}}]})
    result = gate(k6_run(sim))
    assert result.code == 0, result
    assert sim.runs[0].polls == 4


ODD = [None, "", "three", True, False, 3.5, -3, 11, 99, 2**40, [3], [], {"value": 3}, {}, "DROP"]


def odd_plan(field: str, value: Any, final: dict[str, Any]) -> dict[str, Any]:
    """A plan that shows a good end but for one field, which is missing or odd."""
    step: dict[str, Any] = {"after_polls": 1, "set": {**final, field: value}, "over": True}
    if value == "DROP":
        step = {"after_polls": 1, "set": final, "drop": [field], "over": True}
    return {"steps": [{"set": {}, "over": False}, step]}


@pytest.mark.parametrize("field", ["run_status", "result_status", "processing_status"])
@pytest.mark.parametrize("value", ODD, ids=repr)
def test_k6_odd_value(gate: Gate, sim: Simulator, field: str, value: Any) -> None:
    sim.k6.plan(1, odd_plan(field, value, {"run_status": 3, "result_status": 0, "processing_status": 2}))
    result = gate(k6_run(sim))
    assert result.code == 3, result
    assert result.run("load")["outcome"] == "error"
    assert result.element("load") == "error"


def test_k6_archived_is_no_verdict(gate: Gate, sim: Simulator) -> None:
    sim.k6.plan(1, k6_v2.ends(10, 0, 2))
    assert gate(k6_run(sim)).code == 3


BODIES = [None, [], {}, "", "PASSED", 0, True, {"k6-run": None}, {"k6-run": []}, {"k6-run": "FINISHED"}, {"k6-run": 3},
          {"k6_run": {"run_status": 3, "result_status": 0, "processing_status": 2}},
          {"k6-run": {"k6-run": {"run_status": 3, "result_status": 0, "processing_status": 2}}},
          [{"run_status": 3, "result_status": 0, "processing_status": 2}]]


@pytest.mark.parametrize("body", BODIES, ids=repr)
def test_k6_odd_body(gate: Gate, sim: Simulator, body: Any) -> None:
    sim.k6.plan(1, {"steps": [{}, {"body": body, "over": True}]})
    result = gate(k6_run(sim))
    assert result.code == 3, result


GOOD = b'{"k6-run":{"run_status":3,"result_status":0,"processing_status":2}'
RAW = {
    "empty": b"", "blank": b" \n", "cut off": GOOD, "rubbish behind": GOOD + b"} x", "two documents": GOOD + b"}" + GOOD + b"}",
    "html": b"<html>{}</html>", "not UTF-8": GOOD[:-1] + b',"note":"\xff\xfe"}}', "a NUL byte": GOOD[:-1] + b',"note":"\x00"}}',
    "duplicate key": b'{"k6-run":{"run_status":2,"run_status":3,"result_status":1,"result_status":0,"processing_status":2}}',
    "JSON with comments": b"/* ok */" + GOOD + b"}", "single quotes": GOOD.replace(b'"', b"'") + b"}",
    "deep": b"[" * 100_000, "a huge number": b'{"k6-run":{"run_status":' + b"3" * 5000 + b',"result_status":0,"processing_status":2}}',
    "NaN": b'{"k6-run":{"run_status":NaN,"result_status":0,"processing_status":2}}',
}


@pytest.mark.parametrize("raw", RAW.values(), ids=RAW)
def test_k6_bytes_that_are_no_answer(gate: Gate, sim: Simulator, raw: bytes) -> None:
    sim.k6.plan(1, {"steps": [{}, {"raw": raw, "over": True}]})
    result = gate(k6_run(sim))
    assert result.code == 3, result


def test_byte_order_mark_is_no_obstacle(gate: Gate, sim: Simulator) -> None:
    sim.k6.plan(1, {"steps": [{}, {"raw": b"\xef\xbb\xbf" + GOOD + b"}", "over": True}]})
    assert gate(k6_run(sim)).code == 0


@pytest.mark.parametrize("status, code", [(200, 0), (201, 0), (202, 0)])
def test_every_success_status_counts(gate: Gate, sim: Simulator, status: int, code: int) -> None:
    final = {"run_status": 3, "result_status": 0, "processing_status": 2}
    sim.k6.plan(1, {"steps": [{"set": final, "http": status}]})
    assert gate(k6_run(sim)).code == code


@pytest.mark.parametrize("status", [400, 404, 409, 410, 418, 500, 503, 599])
def test_passed_in_an_error_reply_is_no_pass(gate: Gate, sim: Simulator, status: int) -> None:
    final = {"run_status": 3, "result_status": 0, "processing_status": 2}
    sim.k6.plan(1, {"steps": [{"set": final, "http": status}]})
    result = gate(k6_run(sim), timeout=60)
    assert result.code == 3, result


def test_unknown_state_is_said_once_with_its_value(gate: Gate, sim: Simulator) -> None:
    sim.k6.plan(1, k6_v2.ends(run_status=77))
    result = gate(k6_run(sim))
    assert result.code == 3 and sim.runs[0].polls > 2
    assert "77" in result.err
    assert sum("unknown" in line.lower() for line in result.err.splitlines() if "77" in line) <= 2, result  # once, and in the end


def test_unknown_state_may_pass_away(gate: Gate, sim: Simulator) -> None:
    sim.k6.plan(1, {"steps": [{"set": {"run_status": 77}, "over": False},
                              {"after_polls": 2, "set": {"run_status": 3, "result_status": 0, "processing_status": 2}}]})
    assert gate(k6_run(sim, outage="5s")).code == 0


# --- qatech --------------------------------------------------------------------------------------------------------------

QATECH_FINAL = [
    # status, result, exit code, outcome, element
    ("COMPLETED", "PASSED", 0, "passed", "passed"),
    ("COMPLETED", "FAILED", 1, "failed", "failure"),
    # A required run that was skipped keeps the gate shut, so its verdict must not look harmless to a report reader.
    ("COMPLETED", "SKIPPED", 3, "skipped", "error"),
    ("COMPLETED", None, 3, "error", "error"),
    ("ERROR", None, 3, "error", "error"),
    ("ERROR", "PASSED", 3, "error", "error"),
    ("ERROR", "FAILED", 3, "error", "error"),
    ("CANCELLED", None, 5, "cancelled", "error"),
    ("CANCELLED", "PASSED", 5, "cancelled", "error"),
    ("CANCELLED", "FAILED", 5, "cancelled", "error"),
]


@pytest.mark.parametrize("status, verdict, code, outcome, element", QATECH_FINAL)
def test_qatech_final(gate: Gate, sim: Simulator, status: str, verdict: Any, code: int, outcome: str, element: str) -> None:
    case_result = verdict if status == "COMPLETED" else None
    cases = [qatech.case("Login", result=case_result, status=status if case_result is None else "COMPLETED")]
    sim.qatech.plan("pln_demo1", qatech.ends(status, verdict, cases=cases))
    result = gate(qatech_run(sim))
    assert result.code == code, result
    assert result.run("ui")["outcome"] == outcome
    assert result.element("ui") == element
    assert len(sim.starts()) == 1


@pytest.mark.parametrize("status, verdict", [("INITIATED", None), ("RUNNING", None), ("INITIATED", "PASSED"), ("RUNNING", "PASSED"),
                                             ("RUNNING", "FAILED")])
def test_qatech_not_over(gate: Gate, sim: Simulator, status: str, verdict: Any) -> None:
    sim.qatech.plan("pln_demo1", {"steps": [{"set": {"status": status, "result": verdict}},
                                            {"after_polls": 3, "set": {"status": "COMPLETED", "result": "PASSED"}}],
                                  "cases": [qatech.case("Login")]})
    result = gate(qatech_run(sim))
    assert result.code == 0, result
    assert len(sim.polls()) >= 4


QATECH_ODD_STATUS = [None, "", "completed", "COMPLETED ", "FINISHED", "PAUSED", 1, True, [], ["COMPLETED"], {}, "DROP"]
QATECH_ODD_RESULT = [None, "", "passed", "Passed", "PASSED ", "FLAKY", "OK", 0, 1, True, [], ["PASSED"], {}, "DROP"]
QATECH_ODD = [("status", v) for v in QATECH_ODD_STATUS] + [("result", v) for v in QATECH_ODD_RESULT]


@pytest.mark.parametrize("field, value", QATECH_ODD, ids=repr)
def test_qatech_odd_value(gate: Gate, sim: Simulator, field: str, value: Any) -> None:
    sim.qatech.plan("pln_demo1", {**odd_plan(field, value, {"status": "COMPLETED", "result": "PASSED"}),
                                  "cases": [qatech.case("Login")]})
    result = gate(qatech_run(sim))
    assert result.code == 3, result
    assert result.run("ui")["outcome"] == "error"
    assert result.element("ui") == "error"


@pytest.mark.parametrize("body", [None, [], {}, "PASSED", 0, {"run": {"status": "COMPLETED", "result": "PASSED"}},
                                  [{"status": "COMPLETED", "result": "PASSED"}]], ids=repr)
def test_qatech_odd_body(gate: Gate, sim: Simulator, body: Any) -> None:
    sim.qatech.plan("pln_demo1", {"steps": [{}, {"body": body, "over": True}]})
    assert gate(qatech_run(sim)).code == 3


@pytest.mark.parametrize("cases", [[]], ids=repr)
def test_qatech_passed_without_a_test_is_empty(gate: Gate, sim: Simulator, cases: Any) -> None:
    sim.qatech.plan("pln_demo1", qatech.ends(cases=cases))
    result = gate(qatech_run(sim))
    assert result.code == 3, result
    assert result.run("ui")["outcome"] == "empty"
    assert result.element("ui") == "error"


@pytest.mark.parametrize("cases", [None, "none", 5, {}, [None], ["Login"], [5], [[]], [{}]], ids=repr)
def test_qatech_passed_with_an_odd_list_does_no_harm(gate: Gate, sim: Simulator, cases: Any) -> None:
    """The list is not the verdict; that the gate ends orderly and says one thing everywhere is checked for every run."""
    sim.qatech.plan("pln_demo1", qatech.ends(cases=[qatech.case("x")]))
    sim.fault("details", "status", "*", status=200, body={"id": "u", "shortId": "run001", "status": "COMPLETED", "result": "PASSED",
                                                          "runTestCases": cases})
    assert gate(qatech_run(sim)).code in (0, 3)


def test_qatech_tests_in_the_reports(gate: Gate, sim: Simulator) -> None:
    cases = [
        qatech.case("Sign in", title="Signed in"),
        qatech.case("Pay", result="FAILED", title="Pay button is grey", thought="It never became active.\nTwice."),
        qatech.case("Mail", result="SKIPPED", title="Needs Pay"),
        qatech.case("Map", result=None, status="ERROR", title="Browser crashed"),
        qatech.case("Chat", result=None, status="CANCELLED"),
    ]
    sim.qatech.plan("pln_demo1", qatech.ends(result="FAILED", cases=cases))
    result = gate(qatech_run(sim))
    assert result.code == 1, result
    by_name = {c.get("name"): c for c in result.suite("ui").findall("testcase")[1:]}
    kinds = {n: next((k.tag for k in c if k.tag in ("failure", "error", "skipped")), "passed") for n, c in by_name.items()}
    assert kinds["Sign in"] == "passed" and kinds["Pay"] == "failure" and kinds["Mail"] == "skipped" and kinds["Map"] == "error"
    assert kinds["Chat"] in ("error", "skipped")
    text = by_name["Pay"].find("failure")
    assert text is not None and "Pay button is grey" in text.text and "It never became active." in text.text
    tests = {t["name"]: t for t in result.run("ui")["tests"]}
    assert [tests[n]["outcome"] for n in ("Sign in", "Pay", "Mail", "Map", "Chat")] == ["passed", "failed", "skipped", "error", "cancelled"]
    assert "Pay button is grey" in tests["Pay"]["message"]
    assert "Pay" in result.err and "Pay button is grey" in result.err  # the log names the failed test
    assert len(sim.details()) == 1


def test_qatech_same_name_twice(gate: Gate, sim: Simulator) -> None:
    """Readers drop a case whose class and name they have seen: the report has to tell the two apart."""
    sim.qatech.plan("pln_demo1", qatech.ends(result="FAILED", cases=[qatech.case("Login"), qatech.case("Login", result="FAILED"),
                                                                     qatech.case("")]))
    result = gate(qatech_run(sim))
    assert result.code == 1
    assert len(result.suite("ui").findall("testcase")) == 4


def test_qatech_skipped_test_in_a_passed_run(gate: Gate, sim: Simulator) -> None:
    sim.qatech.plan("pln_demo1", qatech.ends(cases=[qatech.case("a"), qatech.case("b", result="SKIPPED")]))
    assert gate(qatech_run(sim)).code == 0


def test_qatech_failed_test_in_a_passed_run_says_one_thing(gate: Gate, sim: Simulator) -> None:
    """The provider contradicts itself; report and exit code must not (checked for every run)."""
    sim.qatech.plan("pln_demo1", qatech.ends(cases=[qatech.case("a", result="FAILED")]))
    assert gate(qatech_run(sim)).code in (0, 1, 3)


def test_qatech_details_unreadable_do_not_soften_a_failure(gate: Gate, sim: Simulator) -> None:
    sim.qatech.plan("pln_demo1", qatech.ends(result="FAILED"))
    sim.fault("details", "status", "*", status=500)
    assert gate(qatech_run(sim)).code == 1


def test_qatech_many_tests(gate: Gate, sim: Simulator) -> None:
    cases = [qatech.case(f"case {i}", result="FAILED" if i % 100 == 7 else "PASSED", title="t" * 200) for i in range(2000)]
    sim.qatech.plan("pln_demo1", qatech.ends(result="FAILED", cases=cases))
    result = gate(qatech_run(sim))
    assert result.code == 1
    assert len(result.suite("ui").findall("testcase")) == 2001
    assert len(result.run("ui")["tests"]) == 2000
