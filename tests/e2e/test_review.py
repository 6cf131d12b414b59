# SPDX-License-Identifier: MIT
"""What a reader who tried to break the gate found, each with its case: false passes, runs left behind, frozen gates, secrets."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess

import pytest
from harness import (GENERIC_PROVIDER, GENERIC_TOKEN, K6_TOKEN, QATECH_TOKEN, TOKENS, Gate, binary, gate_section, http_section, k6_run,
                     qatech_run, section)
from sim import k6_v2, qatech
from sim.simulator import Simulator


def generic(gate: Gate, sim: Simulator, text: str = GENERIC_PROVIDER, **keys: object) -> tuple[str, list[str]]:
    """A run of the made-up provider, and the arguments that make it known."""
    (gate.folder / "generic.ini").write_text(text)
    pace = {"poll_min": "10ms", "poll_max": "50ms", "outage": "150ms"}
    run = section("run:gen", provider="generic", base_url=sim.base_url("generic"), token="${GENERIC_TOKEN}", **{**pace, **keys})
    return run, ["--provider-file", "generic.ini"]


# --- exit 0 ---------------------------------------------------------------------------------------------------------------


def test_what_passes_only_after_it_was_given_up_does_not_open(gate: Gate, sim: Simulator) -> None:
    """An unknown state until outage, then our own cancel, then "passed"."""
    sim.k6.plan(1, {"steps": [{"set": {"run_status": 77}}]})
    sim.fault("poll", "raw", "20..", data=b"")
    process = gate.popen(k6_run(sim, outage="100ms"))
    process.wait_for(lambda: bool(sim.cancels()))
    result = process.finish()
    assert result.code == 3, result


def test_a_run_found_passed_after_an_outage_counts_as_error(gate: Gate, sim: Simulator) -> None:
    sim.k6.plan(1, k6_v2.ends())
    sim.fault("poll", "status", list(range(1, 8)), status=503)
    result = gate(k6_run(sim, outage="60ms", poll_max="15ms"))
    assert result.code in (0, 3), result
    if len(sim.cancels()):
        assert result.code == 3 and result.run("load")["counts_as"] != "passed", result


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no device that is always full")
@pytest.mark.parametrize("command", ["providers", "providers testerarmy", "init qatech", "check", "run --dry-run", "--help", "--version"])
def test_what_was_asked_for_must_arrive(gate: Gate, sim: Simulator, command: str) -> None:
    (gate.folder / "rungate.ini").write_text(k6_run(sim))
    with open("/dev/full", "wb") as full:
        done = subprocess.run([str(binary()), *command.split()], cwd=gate.folder, env={**os.environ, **TOKENS}, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 3 and done.stderr == b"rungate: error: standard output cannot be written\n", done


def test_a_closed_standard_output_takes_no_report(sim: Simulator, gate: Gate) -> None:
    (gate.folder / "rungate.ini").write_text(k6_run(sim))
    done = subprocess.run(["sh", "-c", '"$0" run --json - >&-', str(binary())], cwd=gate.folder, env={**os.environ, **TOKENS},
                          stderr=subprocess.PIPE, timeout=30)
    assert done.returncode == 3, done.stderr


def test_a_report_goes_where_a_link_leads(gate: Gate, sim: Simulator) -> None:
    (gate.folder / "real").mkdir()
    (gate.folder / "report.xml").symlink_to("real/report.xml")
    (gate.folder / "real/report.xml").write_text("old")
    result = gate(k6_run(sim), "run", "--junit", "report.xml")
    assert result.code == 0 and (gate.folder / "report.xml").is_symlink()
    assert (gate.folder / "real/report.xml").read_text().startswith("<?xml")


@pytest.mark.parametrize("outputs", [{"JUNIT": "x", "JSON": "x"}, {"JUNIT": "rungate.ini"}, {"JSON": "./rungate.ini"},
                                     {"JUNIT": "-", "JSON": "-"}], ids=str)
def test_outputs_do_not_destroy_each_other(gate: Gate, sim: Simulator, outputs: dict[str, str]) -> None:
    pipeline = k6_run(sim)
    result = gate(pipeline, env={"RUNGATE_" + key: value for key, value in outputs.items()}, reports=False)
    assert result.code == 2 and sim.requests == [] and result.out == "", result
    assert (gate.folder / "rungate.ini").read_text() == pipeline and not (gate.folder / "x").exists()


def test_details_that_contradict_the_verdict(gate: Gate, sim: Simulator) -> None:
    sim.qatech.plan("pln_demo1", qatech.ends(result="PASSED", cases=[qatech.case("a")]))
    other = {"id": "u", "shortId": "s", "status": "COMPLETED", "result": "FAILED", "runTestCases": [qatech.case("a", result="FAILED")]}
    sim.fault("details", "status", "*", status=200, body=json.dumps(other).encode(), headers={"Content-Type": "application/json"})
    result = gate(qatech_run(sim))
    assert result.code == 3 and "contradict" in result.err, result


def test_a_pass_of_nothing_but_skipped_tests_is_empty(gate: Gate, sim: Simulator) -> None:
    sim.qatech.plan("pln_demo1", qatech.ends(result="PASSED", cases=[qatech.case("a", result="SKIPPED")]))
    result = gate(qatech_run(sim))
    assert result.code == 3 and result.run("ui")["outcome"] == "empty", result


def test_no_variable_makes_every_gate_a_dry_run(gate: Gate, sim: Simulator) -> None:
    result = gate(k6_run(sim), env={"RUNGATE_DRY_RUN": "1"})
    assert result.code == 0 and len(sim.starts()) == 1, result


def test_a_gate_too_late_to_start_anything_timed_out(gate: Gate, sim: Simulator) -> None:
    sim.k6.plan(1, k6_v2.runs_on())
    result = gate(gate_section(timeout="1ms") + k6_run(sim))
    assert result.code == 4 and sim.running() == [], result


def test_what_was_not_started_says_so_once(gate: Gate, sim: Simulator) -> None:
    sim.k6.plan(1, k6_v2.ends(result_status=1))
    result = gate(gate_section(fail_fast="yes", max_parallel=1) + k6_run(sim, "bad", 1) + k6_run(sim, "late", 2))
    assert result.run("late")["reason"] == "not started: another run failed (fail_fast)", result
    assert re.search(r"^  late +not started: another run failed \(fail_fast\)$", result.err, re.M), result


# --- runs left behind -------------------------------------------------------------------------------------------------------


def started(sim: Simulator, count: int) -> list[str]:
    """Runs that exist at the provider already."""
    import http.client
    ids = []
    for _ in range(count):
        connection = http.client.HTTPConnection("127.0.0.1", sim.port, timeout=5)
        connection.request("POST", "/loadtests/v2/tests/1/start-testrun", headers={"Authorization": "Token " + K6_TOKEN})
        ids.append(str(json.loads(connection.getresponse().read())["k6-run"]["id"]))
        connection.close()
    return ids


def test_cancel_cancels_all_of_them(gate: Gate, sim: Simulator) -> None:
    sim.k6.plan(1, k6_v2.runs_on())
    a, b = started(sim, 2)
    pipeline = gate_section(fail_fast="yes", max_parallel=1) + k6_run(sim, "a") + k6_run(sim, "b")
    result = gate(pipeline, "cancel", "--attach", f"a={a}", "--attach", f"b={b}")
    assert result.code == 0 and sim.running() == [] and len(sim.cancels()) == 2, result


def test_attached_runs_are_all_under_way(gate: Gate, sim: Simulator) -> None:
    """max_parallel is about starting; a signal finds every attached run."""
    sim.k6.plan(1, k6_v2.runs_on())
    a, b = started(sim, 2)
    pipeline = gate_section(max_parallel=1) + k6_run(sim, "a") + k6_run(sim, "b")
    process = gate.popen(pipeline, "wait", "--attach", f"a={a}", "--attach", f"b={b}")
    process.wait_for(lambda: len(sim.polls()) >= 2)
    process.send_signal(signal.SIGTERM)
    result = process.finish()
    assert result.code == 143 and sim.running() == [] and len(sim.cancels()) == 2, result


def test_a_gate_too_late_to_watch_cancels_what_exists(gate: Gate, sim: Simulator) -> None:
    """Its deadline has passed before it asked about anything."""
    sim.k6.plan(1, k6_v2.runs_on())
    [a] = started(sim, 1)
    result = gate(gate_section(timeout="1ms", cancel_grace="5s") + k6_run(sim), "wait", "--attach", f"load={a}")
    assert result.code == 4 and sim.running() == [] and len(sim.cancels()) == 1, result
    assert "not started" not in result.err and result.run("load")["run_id"] == a, result


@pytest.mark.parametrize("status", [500, 505, 303])
def test_attempts_do_not_repeat_a_start_that_may_have_worked(gate: Gate, sim: Simulator, status: int) -> None:
    sim.fault("start", "status", "*", status=status)
    result = gate(k6_run(sim, attempts=3))
    assert result.code == 3 and len(sim.starts()) == 1, result


def test_attempts_do_not_start_beside_a_run_that_goes_on(gate: Gate, sim: Simulator) -> None:
    sim.k6.plan(1, k6_v2.runs_on())
    sim.fault("poll", "status", "*", status=503)
    result = gate(k6_run(sim, attempts=2, outage="60ms"), "run", "--no-cancel")
    assert result.code == 3 and len(sim.starts()) == 1, result


# --- frozen -----------------------------------------------------------------------------------------------------------------


def test_a_reader_who_does_not_read_freezes_nothing(sim: Simulator, gate: Gate) -> None:
    sim.k6.plan(1, k6_v2.runs_on())
    (gate.folder / "rungate.ini").write_text(gate_section(timeout="500ms") + k6_run(sim))
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, b"x" * 65536)
    except BlockingIOError:
        pass
    os.set_blocking(writer, True)
    done = subprocess.run([str(binary()), "run"], cwd=gate.folder, env={**os.environ, **TOKENS}, stderr=writer, timeout=30)
    os.close(reader)
    os.close(writer)
    assert done.returncode == 4 and sim.running() == []


def test_many_needs_are_checked_quickly(gate: Gate) -> None:
    runs = "".join(f"[run:r{i}]\nprovider = k6-v2\ntest_id = 1\n" + (f"needs = r{i - 1}\n" if i else "") for i in range(2000))
    result = gate(runs, "check", "-q", timeout=20)
    assert result.code == 0


# --- secrets ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", range(270, 300, 3))
@pytest.mark.parametrize("options", [[], ["-v"]], ids=["", "-v"])
def test_half_a_secret_is_one(gate: Gate, sim: Simulator, at: int, options: list[str]) -> None:
    sim.fault("start", "status", "*", status=400, body=b"e" * at + K6_TOKEN.encode() + b" and more", headers={"Content-Type": "text/plain"})
    result = gate(k6_run(sim), "run", *options)
    assert result.code == 3 and K6_TOKEN[:8] not in result.err + result.junit_path.read_text(), result


@pytest.mark.parametrize("cut", range(6, len(K6_TOKEN)))
def test_a_body_that_ends_in_a_secret(gate: Gate, sim: Simulator, cut: int) -> None:
    sim.fault("start", "status", "*", status=200, body=b'{"id":"' + K6_TOKEN[:cut].encode(), headers={"Content-Type": "application/json"})
    result = gate(k6_run(sim))
    assert result.code == 6 and K6_TOKEN[:5] not in result.err + result.junit_path.read_text(), result


@pytest.mark.parametrize("pipeline", ["[run:a]\nprovider = k6-v2\ntoken = 1001\ntest_id = ${K6_CLOUD_TOKEN}\n",
                                      "[gate]\ntimeout = ${K6_CLOUD_TOKEN}\n[run:a]\nprovider = qatech\n",
                                      "[run:a]\nprovider = qatech\ntest_plan = ${K6_CLOUD_TOKEN}\n",
                                      "[run:a]\nprovider = qatech\ntest_plan = x-${K6_CLOUD_TOKEN}-y\n"],
                         ids=["swapped", "a deadline", "another provider's field", "inside"])
@pytest.mark.parametrize("command", ["check", "run"])
def test_a_secret_in_the_wrong_place_is_not_shown_and_not_sent(gate: Gate, pipeline: str, command: str) -> None:
    result = gate(pipeline, command)
    assert result.code == 2 and K6_TOKEN not in result.out + result.err, result


def lines_before_a_secret(length: int, name: str = "K6_CLOUD_TOKEN") -> str:
    """A value whose secret begins behind so many bytes; a line of a pipeline file has room for less than 200."""
    rows = ["x" * 99] * (length // 100) + ["x" * (length % 100) + "${" + name + "}"]
    return "".join(f"\n    {row}" for row in rows)


@pytest.mark.parametrize("length", range(960, 1010, 7))
@pytest.mark.parametrize("command", ["check", "run"])
@pytest.mark.parametrize("known", [True, False], ids=["known", "not known yet"])
def test_half_a_secret_of_a_long_mistake(gate: Gate, length: int, command: str, known: bool) -> None:
    """The message that quotes the value is cut, perhaps in the middle of the secret, perhaps before another run tells that it is one."""
    secret, name = (K6_TOKEN, "K6_CLOUD_TOKEN") if known else ("an0ther-5ecret-value-4711", "OTHER")
    result = gate(k6_run(None, "a", lines_before_a_secret(length, name), token="1001") + k6_run(None, "b", token="${OTHER}"), command,
                  env={"OTHER": secret})
    assert result.code == 2 and "xxx" in result.err, result
    assert secret[:4] not in result.out + result.err + (result.junit_path.read_text() if command == "run" else ""), result


@pytest.mark.parametrize("length", range(170, 200, 3))
def test_half_a_secret_in_a_plan(gate: Gate, length: int) -> None:
    result = gate(gate_section(junit=lines_before_a_secret(length)) + k6_run(None), "check")
    assert result.code == 0 and "xxx" in result.out and K6_TOKEN[:4] not in result.out, result


def test_a_definition_cannot_take_the_environment_elsewhere(gate: Gate) -> None:
    """A provider file of a pull request: a variable that is no secret to it, and a host of its own."""
    text = GENERIC_PROVIDER.replace("param.plan  = string", "param.plan = string env=SOME_PASSWORD\nparam.k6 = string env=K6_CLOUD_TOKEN") \
        .replace("start.body./plan = {plan}", "start.body./plan = {plan}\nstart.body./k6 = {k6}").replace("auth     = X-Api-Key: {token}\n", "") \
        .replace("param.token = secret required env=GENERIC_TOKEN\n", "")
    (gate.folder / "generic.ini").write_text(text)
    result = gate("[run:a]\nprovider = generic\nbase_url = https://evil.example\n", "check", "--provider-file", "generic.ini",
                  env={"SOME_PASSWORD": "hunter2hunter2"})
    assert result.code == 2 and "--allow-origin" in result.err, result


@pytest.mark.parametrize("option", ["--json", "--junit"])
def test_a_printed_report_holds_no_command(gate: Gate, sim: Simulator, option: str) -> None:
    sim.qatech.plan("pln_demo1", qatech.ends(result="FAILED", cases=[qatech.case("##vso[task.setvariable]", result="FAILED", title="##[error]x")]))
    result = gate(qatech_run(sim), "run", option, "-", reports=False)
    assert result.code == 1 and "##" not in result.out, result
    if option == "--json":
        assert json.loads(result.out)["runs"][0]["tests"][0]["name"] == "##vso[task.setvariable]"


def test_a_plan_holds_no_command(gate: Gate, sim: Simulator) -> None:
    for args in (["check"], ["run", "--dry-run"]):
        result = gate(qatech_run(sim, test_plan="##vso[task.complete]"), *args)
        assert result.code == 0 and "##vso" not in result.out, result


# --- words ------------------------------------------------------------------------------------------------------------------


def test_the_reason_outlives_the_cancel(gate: Gate, sim: Simulator) -> None:
    sim.k6.plan(1, k6_v2.runs_on())
    sim.fault("poll", "status", "*", status=403, message="your plan has no API access")
    result = gate(k6_run(sim))
    assert result.code == 3 and "no API access" in result.run("load")["reason"], result


def test_status_of_a_passed_run(gate: Gate, sim: Simulator) -> None:
    sim.qatech.plan("pln_demo1", qatech.ends(result="PASSED"))
    first = gate(qatech_run(sim))
    result = gate(qatech_run(sim), "status", "--attach", f"ui={first.run('ui')['run_id']}")
    assert result.code == 0 and re.match(r"ui passed PASSED", result.out), result


@pytest.mark.parametrize("fault", [None, {"status": 500}])
def test_status_takes_no_empty_run_for_passed(gate: Gate, sim: Simulator, fault: dict[str, int] | None) -> None:
    """Nor one of which the tests cannot be read: that is not waited for."""
    cases = [qatech.case("Login works")] if fault else []
    sim.qatech.plan("pln_demo1", qatech.ends(cases=cases))
    first = gate(qatech_run(sim))
    if fault:
        sim.fault("details", "status", "*", **fault)
    asked = len(sim.details())
    result = gate(qatech_run(sim, outage="1h"), "status", "--attach", f"ui={first.run('ui')['run_id']}")
    assert result.code == 3 and re.match(r"ui error " if fault else r"ui empty ", result.out), result
    assert len(sim.details()) == asked + 1


def test_a_mistaken_status_leaves_the_report_alone(gate: Gate, sim: Simulator) -> None:
    (gate.folder / "report.xml").write_text("kept")
    result = gate(gate_section(junit="report.xml") + k6_run(sim), "status")
    assert result.code == 2 and (gate.folder / "report.xml").read_text() == "kept", result


def test_a_flag_takes_no_value(gate: Gate, sim: Simulator) -> None:
    result = gate(k6_run(sim), "run", "--fail-fast=no")
    assert result.code == 2 and "takes no value" in result.err, result


def test_an_unknown_run_is_one_mistake(gate: Gate, sim: Simulator) -> None:
    result = gate(k6_run(sim), "run", "nothing")
    assert result.code == 2 and "required" not in result.err, result
