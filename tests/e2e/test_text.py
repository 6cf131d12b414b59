# SPDX-License-Identifier: MIT
"""Text from a provider is text: it moves no cursor, gives no CI system an order, breaks no report, shows no secret."""

from __future__ import annotations

import json
import re
from typing import Any

import markdown_check
import pytest
from harness import K6_TOKEN, QATECH_TOKEN, SUMMARY, Gate, Result, k6_run, qatech_run
from sim import k6_v2, qatech
from sim.simulator import Simulator
from test_gate import outputs

HOSTILE = {
    "colour": "\x1b[31mred MARK\x1b[0m",
    "window title": "\x1b]0;owned\x07MARK",
    "clear screen": "\x1b[2J\x1b[H MARK",
    "C1 escape": "\x9b31m MARK",
    "GitHub v2": "::stop-commands::MARK",
    "GitHub v2 after a newline": "innocent\n::stop-commands::MARK",
    "GitHub v2 after CR": "innocent\r::stop-commands::MARK",
    "GitHub v2 after blanks": "x\n   ::add-path::/MARK",
    "GitHub v2 behind other line ends": "x\x0b::stop-commands::MARK\x85::stop-commands::MARK\u2028::stop-commands::MARK",
    "GitHub error": "::error file=MARK,line=1::owned",
    "GitHub mask": "x\n::add-mask::MARK",
    "GitHub group": "::group::MARK\n::endgroup::",
    "GitHub v1": "a ##[set-env name=PATH]MARK",
    "GitHub v1 command": "##[command]MARK",
    "Azure": "a ##vso[task.setvariable variable=MARK]x",
    "Azure in capitals": "a ##VSO[task.complete result=Succeeded]MARK",
    "TeamCity": "##teamcity[buildStatus status='SUCCESS' text='MARK']",
    "TeamCity behind text": "x ##teamcity[testFailed name='MARK']",
    "GitLab section": "\x1b[0Ksection_start:1:MARK\r\x1b[0Kheader",
    "GitLab section alone": "x\nsection_end:1:MARK\rpassed",
    "Buildkite group": "x\n--- MARK\n+++ MARK",
    "carriage return": "MARK\rpassed",
    "backspaces": "failed MARK\b\b\b\b\b\b",
    "right to left": "MARK \u202etxt.exe\u202c \u2066x\u2069",
    "zero width": "M\u200bARK MARK",
    "NUL": "MARK\x00after",
    "DEL and C1": "MARK\x7f\x80\x9f",
    "noncharacters": "MARK\ufffe\uffff",
    "XML": "MARK ]]> <![CDATA[ & < > \" ' &#27; <!-- -->",
    "many lines": "MARK\n" * 50,
    "very long": "MARK " * 100_000,
    "percent": "MARK %s %n %0A%0D::stop-commands::x",
    "emoji": "MARK 🎉 日本語 é",
}


COMMAND = r"\s*::(stop-commands|add-path|set-env|set-output|add-mask|error|group|endgroup)"
"""What GitHub would act on, and the program never says itself in a plain log."""


def harmless(text: str, what: str) -> None:
    """Nothing in a log that a terminal or a CI system would act on (the program itself uses no colour here)."""
    assert "\x1b" not in text and "\x07" not in text and "\b" not in text and "\x00" not in text, what
    assert not re.search("[\x01-\x08\x0b-\x1f\x7f-\x9f]", text), what
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u2028\u2029]", text), what
    for line in text.split("\n"):
        assert not re.match(COMMAND, line), what
        assert not re.search(r"##\[|##vso\[|##teamcity\[", line, re.I), what
        assert not re.match(r"\s*section_(start|end):", line), what
        assert not re.match(r"(---|\+\+\+|~~~) MARK", line), what


def check_log(result: Result) -> None:
    harmless(result.err, f"standard error\n{result}")
    harmless(result.out, f"standard output\n{result}")


SURROUNDINGS = [{}, {"GITHUB_ACTIONS": "true"}, {"TF_BUILD": "True"}, {"TEAMCITY_VERSION": "1"}, {"GITLAB_CI": "true"}, {"BUILDKITE": "true"},
                {"JENKINS_URL": "https://ci.example/"}]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_in_test_names_and_messages(gate: Gate, sim: Simulator, text: str) -> None:
    cases = [qatech.case(text, result="FAILED", title=text, thought=text), qatech.case("good " + text)]
    sim.qatech.plan("pln_demo1", qatech.ends(result="FAILED", cases=cases))
    result = gate(qatech_run(sim))
    assert result.code == 1, str(result)[:5000]
    check_log(result)
    assert "MARK" in result.err and "MARK" in result.junit_path.read_text() and b"MARK" in result.files[SUMMARY]  # harmless, not gone
    assert len(result.run("ui")["tests"]) == 2
    assert len(result.err) < 200_000


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_in_a_summary_that_is_printed(gate: Gate, sim: Simulator, text: str) -> None:
    """What is a file elsewhere is part of the log here."""
    cases = [qatech.case(text, result="FAILED", title=text, thought=text)]
    sim.qatech.plan("pln_demo1", qatech.ends(result="FAILED", cases=cases))
    result = gate(qatech_run(sim), "run", "--summary", "-")
    assert result.code == 1 and result.out.startswith("## rungate: failed\n") and "MARK" in result.out
    check_log(result)
    assert markdown_check.check(result.out.encode()) == (1, [])


@pytest.mark.parametrize("args", [["--{}"], ["run", "--attach={}"], ["run", "--timeout={}"], ["check", "--progress={}"], ["providers", "{}"], ["init", "{}"],
                                  ["check", "--provider", "k6-v2", "--try", "{}"]], ids=" ".join)
def test_in_arguments(gate: Gate, sim: Simulator, args: list[str]) -> None:
    """A job hands on what it was told: a branch, the name of a run."""
    text = "x" + "\n".join(HOSTILE[k] for k in HOSTILE if "NUL" not in k and "\x00" not in HOSTILE[k] and len(HOSTILE[k]) < 200)
    result = gate(k6_run(sim), *(arg.replace("{}", text) for arg in args), reports=False)
    assert result.code == 2 and result.err, result
    check_log(result)


@pytest.mark.parametrize("env", SURROUNDINGS, ids=str)
def test_in_every_surrounding(gate: Gate, sim: Simulator, env: dict[str, str]) -> None:
    text = "\n".join(HOSTILE[k] for k in HOSTILE if k not in ("very long", "many lines"))
    sim.qatech.plan("pln_demo1", qatech.ends(result="FAILED", cases=[qatech.case(text, result="FAILED", title=text, thought=text)]))
    result = gate(qatech_run(sim), env={**env, **({"GITHUB_OUTPUT": str(gate.folder / "o")} if env.get("GITHUB_ACTIONS") else {})})
    assert result.code == 1
    for stream in (result.err, result.out):
        for line in stream.split("\n"):
            assert not re.match(r"\s*::(stop-commands|add-path|set-env|set-output|add-mask::MARK|error file=MARK|group::MARK)", line), line
            assert not re.search(r"##\[set-env|##\[command\]MARK|##vso\[task\.(setvariable variable=MARK|complete result=Succeeded\])", line, re.I), line
            assert "##teamcity[buildStatus" not in line and "##teamcity[testFailed name='MARK'" not in line and not line.startswith("section_end:1:MARK") and "\x1b[0Ksection_start:1:MARK" not in line
            assert "\r" not in line.replace("\r\x1b[0K", "") and "\x1b]" not in line


OWN_SEQUENCES = re.compile(r"\x1b\[[0-9;]*m|\x1b\[[0-9]*[AK]|\x1b\[0?J|\x1b\[\?25[lh]|\r\n|\r")


@pytest.mark.parametrize("text", [v for k, v in HOSTILE.items() if k != "very long"], ids=[k for k in HOSTILE if k != "very long"])
def test_on_a_terminal(gate: Gate, sim: Simulator, text: str) -> None:
    """The only sequences there are the program's own, for colour and for the live lines; the text of others brings none."""
    sim.qatech.plan("pln_demo1", {"steps": [{"set": {"status": text}}, {"after_polls": 3, "set": {"status": "COMPLETED", "result": "FAILED"}}],
                                  "cases": [qatech.case(text, result="FAILED", title=text, thought=text)]})
    result = gate(qatech_run(sim, outage="10s"), "run", "--progress", "tty", "--color", "always")
    assert result.code == 1, str(result)[:5000]
    assert "\x1b[" in result.err and "MARK" in result.err
    assert "\x1b[31mred MARK" not in result.err and "\x1b[31m MARK" not in result.err
    harmless(OWN_SEQUENCES.sub("", result.err), str(result))


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("shape", ["k6-v2", "qatech", "bare text"])
def test_in_an_error_message(gate: Gate, sim: Simulator, text: str, shape: str) -> None:
    if shape == "bare text":
        sim.fault("start", "status", "*", status=400, body=text, content_type="text/plain")
    else:
        sim.fault("start", "status", "*", status=400, message=text)
    result = gate(qatech_run(sim, "it") if shape == "qatech" else k6_run(sim, "it"))
    assert result.code == 3, str(result)[:5000]
    check_log(result)
    if shape != "bare text":
        assert "MARK" in result.err
    assert len(result.err) < 100_000


@pytest.mark.parametrize("raw", [b'{"message":"MARK \xff\xfe\xc0\xaf"}', b'{"message":"MARK \xed\xa0\x80"}', b'{"message":"MARK \\ud800 \\udc00"}',
                                 b'{"message":"MARK \\u0000 \\u001b[31m"}', b"\x00\x01\x02\xff MARK", "MARK".encode("utf-16")], ids=repr)
def test_bytes_that_are_no_text(gate: Gate, sim: Simulator, raw: bytes) -> None:
    sim.fault("start", "status", "*", status=400, body=raw)
    result = gate(qatech_run(sim))
    assert result.code == 3, result
    check_log(result)
    result.err.encode("utf-8")  # no stray byte came through
    result.junit(), result.json()


def test_verbose_shows_replies_harmlessly(gate: Gate, sim: Simulator) -> None:
    text = "".join(HOSTILE[k] for k in HOSTILE if k != "very long")
    sim.fault("start", "status", "*", status=400, message=text, headers={"X-Note": "::stop-commands::MARK \x1b[31m"})
    result = gate(qatech_run(sim), "run", "-v")
    assert result.code == 3
    check_log(result)


@pytest.mark.parametrize("value", [v for k, v in HOSTILE.items() if k != "very long"], ids=[k for k in HOSTILE if k != "very long"])
def test_in_an_unknown_state(gate: Gate, sim: Simulator, value: str) -> None:
    sim.qatech.plan("pln_demo1", qatech.ends(status=value))
    result = gate(qatech_run(sim))
    assert result.code == 3, result
    check_log(result)


# --- ids and URLs ----------------------------------------------------------------------------------------------------------

IDS = ["../../admin", "a/b", "a?x=y", "a#b", "a b", "a%2Fb", "..", ".", "\n", "a\r\nX-Evil: 1", "\x1b[31m", "ü" * 10, "x" * 5000, "::stop-commands::x"]


@pytest.mark.parametrize("run_id", IDS, ids=[repr(i)[:20] for i in IDS])
def test_a_hostile_run_id(gate: Gate, sim: Simulator, run_id: str) -> None:
    """It stays one path segment, or is not used at all. No run of that id exists, so nothing can pass."""
    plan = qatech.ends(start_body={"success": True, "run": {"id": "u", "shortId": run_id, "url": "https://app.qa.tech/x", "testCount": 1}})
    sim.qatech.plan("pln_demo1", plan)
    result = gate(qatech_run(sim), timeout=60)
    assert result.code in (3, 6), result
    check_log(result)
    for request in sim.requests[1:]:
        assert re.fullmatch(r"/v1/run/[^/?#\s]+", request.raw_path), request.target
        assert request.header("X-Evil") is None


@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://x.example/\nverdict=passed\n", "https://x.example/\x1b[31m", "x\r::stop-commands::MARK",
                                 "https://u:p@x.example/", "", 5, None, {"a": 1}, "https://x.example/" + "y" * 100_000], ids=lambda u: repr(u)[:30])
def test_a_hostile_url(gate: Gate, sim: Simulator, url: Any) -> None:
    sim.qatech.plan("pln_demo1", qatech.ends(result="FAILED", start_body={
        "success": True, "run": {"id": "u", "shortId": "run001", "url": url, "testCount": 1}}))
    path = gate.folder / "o"
    result = gate(qatech_run(sim), env={"GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(path)})
    assert result.code == 1, result
    assert outputs(path)["verdict"] == "failed"
    assert "\x1b" not in result.err and not any(re.match(r"\s*::stop-commands", x) for x in (result.err + result.out).splitlines())


# --- secrets that come back -----------------------------------------------------------------------------------------------


def everything(result: Result) -> str:
    return result.out + result.err + "".join(d.decode("utf-8", "replace") for d in result.files.values())


@pytest.mark.parametrize("verbose", [False, True])
@pytest.mark.parametrize("where", ["start error", "test name", "test message", "state", "run url", "error page", "k6 error"])
def test_an_echoed_token_is_starred(gate: Gate, sim: Simulator, where: str, verbose: bool) -> None:
    """That it appears nowhere is checked for every run of the program."""
    echo = f"your token {QATECH_TOKEN} is odd; Bearer {QATECH_TOKEN}!"
    pipeline, args = qatech_run(sim), ["run"] + (["-v"] if verbose else [])
    if where == "start error":
        sim.fault("start", "status", "*", status=400, message=echo)
    elif where == "test name":
        sim.qatech.plan("pln_demo1", qatech.ends(result="FAILED", cases=[qatech.case(echo, result="FAILED", title="t")]))
    elif where == "test message":
        sim.qatech.plan("pln_demo1", qatech.ends(result="FAILED", cases=[qatech.case("n", result="FAILED", title=echo, thought=echo)]))
    elif where == "state":
        sim.qatech.plan("pln_demo1", qatech.ends(status=echo))
    elif where == "run url":
        sim.qatech.plan("pln_demo1", qatech.ends(result="FAILED", start_body={"success": True, "run": {
            "shortId": "run001", "url": f"https://app.qa.tech/?key={QATECH_TOKEN}", "testCount": 1}}))
    elif where == "error page":
        sim.fault("start", "status", "*", status=500, body=f"<html>{echo}</html>", content_type="text/html")
    else:
        pipeline = k6_run(sim)
        sim.fault("start", "status", "*", status=400, message=f"token {K6_TOKEN} is odd")
    result = gate(pipeline, *args)
    assert result.code in (1, 3), result
    if where in ("start error", "test name", "test message", "k6 error"):
        assert "***" in everything(result)


def test_a_token_split_by_a_control_character(gate: Gate, sim: Simulator) -> None:
    """Cleaning must not put together what starring did not see."""
    half = len(QATECH_TOKEN) // 2
    sim.fault("start", "status", "*", status=400, message=QATECH_TOKEN[:half] + "\x1b" + QATECH_TOKEN[half:] + "\u200b")
    assert gate(qatech_run(sim), "run", "-v").code == 3


def test_a_token_in_json_escapes(gate: Gate, sim: Simulator) -> None:
    escaped = "".join(f"\\u{ord(c):04x}" for c in QATECH_TOKEN)
    sim.fault("start", "status", "*", status=400, body=b'{"message":"' + escaped.encode() + b'"}')
    assert gate(qatech_run(sim), "run", "-v").code == 3


def test_a_short_token_does_not_star_the_world(gate: Gate, sim: Simulator) -> None:
    """A placeholder of a letter must not turn every report into stars; or it is refused, which is as good."""
    result = gate(k6_run(sim, "load"), env={"K6_CLOUD_TOKEN": "a"})
    assert result.code in (0, 2), result
    if result.code == 0:
        assert result.run("load")["outcome"] == "passed"


def test_reports_are_utf8_in_a_c_locale(gate: Gate, sim: Simulator) -> None:
    sim.qatech.plan("pln_demo1", qatech.ends(result="FAILED", cases=[qatech.case("日本 é 🎉", result="FAILED", title="ü")]))
    result = gate(qatech_run(sim), env={"LANG": "C", "LC_ALL": "C"})
    assert result.code == 1
    assert "日本 é 🎉" in [c.get("name") for c in result.suite("ui").findall("testcase")]
    assert json.loads(result.json_path.read_text(encoding="utf-8"))["runs"][0]["tests"][0]["name"] == "日本 é 🎉"


def test_k6_error_detail_is_shown(gate: Gate, sim: Simulator) -> None:
    """Why the provider gave up is what the reader needs first."""
    sim.k6.plan(1, {"steps": [{"set": {"run_status": 7, "processing_status": 2, "error_code": 8003, "error_detail": "ReferenceError: foo"}}]})
    result = gate(k6_run(sim))
    assert result.code == 3
    assert "ReferenceError: foo" in result.err and "ReferenceError: foo" in result.junit_path.read_text()


def test_plans_are_not_confused(gate: Gate, sim: Simulator) -> None:
    sim.k6.plan(1, k6_v2.ends(result_status=1))
    assert gate(k6_run(sim, "one", 1) + k6_run(sim, "eleven", 11)).code == 1
