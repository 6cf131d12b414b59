# SPDX-License-Identifier: MIT
"""Never left behind, never fooled, and no secret anywhere new: the cases that cross what the other files look at one by one."""

from __future__ import annotations

import base64
import dataclasses
import fcntl
import gzip
import json
import os
import re
import signal
import subprocess
import termios
import time
import urllib.parse
import zlib
from pathlib import Path
from typing import Any, Callable

import pytest
from harness import (ERROR, FAILED, GENERIC_PROVIDER, INTERRUPTED_HUP, INTERRUPTED_TERM, K6_TOKEN, PASSED, QATECH_TOKEN, START_UNKNOWN,
                     TIMED_OUT, USAGE, Gate, Process, Result, binary, gate_section, generic_run, http_section, k6_run, qatech_run, section)
from sim import generic, k6_v2, qatech
from sim.certs import NAME, Certificates
from sim.simulator import Simulator
from sim.tunnel import Tunnel
from test_find import FINDING

# --- never left behind: every reason to give up --------------------------------------------------------------------------------


class Reason:
    """Why a gate gives up a run that would go on for ever: the run's keys, the gate's keys, another run, and the exit code."""

    def __init__(self, code: int, gate: dict[str, Any] | None = None, run: dict[str, Any] | None = None, other: dict[str, Any] | None = None,
                 poll: tuple[str, dict[str, Any]] | None = None, unknown: bool = False, send: int | None = None) -> None:
        self.code, self.gate, self.run, self.other, self.poll = code, gate or {}, run or {}, other, poll
        self.unknown, self.send = unknown, send

    def play(self, gate: Gate, sim: Simulator, *args: str, grace: str = "3s") -> Result:
        sim.generic.plan("long", generic.ends(polls=10**6) if not self.unknown else generic.ends("unheard-of", polls=0))
        text = gate_section(cancel_grace=grace, **self.gate) + generic_run(sim, "long", "long", **{"outage": "20s", **self.run})
        if self.other:
            sim.generic.plan("other", self.other)
            text += generic_run(sim, "other", "other")
        if self.poll:
            kind, options = self.poll
            sim.fault("poll", kind, "2..", **options)
        (gate.folder / "generic.ini").write_text(GENERIC_PROVIDER)
        process = gate.popen(text, "run", "--provider-file", "generic.ini", *args)
        if self.send:
            process.wait_for(sim.polls, "a poll")
            process.send_signal(self.send)
        return process.finish()


REASONS = {
    "SIGTERM": Reason(INTERRUPTED_TERM, send=signal.SIGTERM), "SIGHUP": Reason(INTERRUPTED_HUP, send=signal.SIGHUP),
    "gate deadline": Reason(TIMED_OUT, gate={"timeout": "300ms"}), "run deadline": Reason(TIMED_OUT, run={"timeout": "300ms"}),
    "fail-fast": Reason(FAILED, gate={"fail_fast": "yes"}, other=generic.ends("failed")),
    "decided": Reason(PASSED, gate={"require": "any"}, other=generic.ends()),
    "outage": Reason(ERROR, run={"outage": "60ms"}, poll=("status", {"status": 503})),
    "login page": Reason(ERROR, run={"outage": "60ms"}, poll=("html", {})),
    "unknown state": Reason(ERROR, run={"outage": "60ms"}, unknown=True),
    "refused poll": Reason(ERROR, poll=("status", {"status": 403})),
}
every_reason = pytest.mark.parametrize("reason", REASONS.values(), ids=REASONS)


def long_one(sim: Simulator) -> Any:
    return next(r for r in sim.runs if r.key == "long")


@every_reason
def test_cancelled_once(gate: Gate, sim: Simulator, reason: Reason) -> None:
    result = reason.play(gate, sim)
    assert result.code == reason.code, result
    assert sim.running() == [] and len(sim.cancels()) == 1 and long_one(sim).stop_requests == 1
    assert "could not be cancelled" not in result.err and "goes on" not in result.err


@every_reason
def test_already_over_is_no_trouble(gate: Gate, sim: Simulator, reason: Reason) -> None:
    sim.fault("cancel", "status", "*", status=409, message="the run is over")
    result = reason.play(gate, sim, grace="200ms")
    assert result.code == reason.code and len(sim.cancels()) == 1, result
    assert "could not be cancelled" not in result.err and "the run is over" not in result.err


@every_reason
@pytest.mark.parametrize("kind, options", [("status", {"status": 500}), ("status", {"status": 403, "message": "not yours"}),
                                           ("silence", {}), ("drop_before", {})], ids=["500", "403", "silence", "reset"])
def test_what_could_not_be_cancelled_is_named_with_its_place(gate: Gate, sim: Simulator, reason: Reason, kind: str, options: dict[str, Any]) -> None:
    sim.fault("cancel", kind, "*", **options)
    began = time.monotonic()
    result = reason.play(gate, sim, grace="200ms")
    assert result.code == reason.code and sim.cancels(), result
    assert time.monotonic() - began < 20
    where = re.search(rf"run {long_one(sim).id}: it could not be cancelled and may go on; look for it at A made-up API, (\S+)", result.err)
    assert where and where[1] == sim.base_url("generic"), result
    assert long_one(sim).id in json.dumps(result.run("long")["warnings"])


@every_reason
def test_no_cancel_leaves_everything(gate: Gate, sim: Simulator, reason: Reason) -> None:
    result = reason.play(gate, sim, "--no-cancel")
    assert result.code == reason.code and sim.cancels() == [] and sim.running() == [long_one(sim)], result
    assert f"run {long_one(sim).id}: it goes on: cancelling is switched off; look for it at A made-up API" in result.err


def test_where_there_is_an_address_it_is_named(gate: Gate, sim: Simulator) -> None:
    sim.qatech.plan("pln_demo1", qatech.runs_on())
    result = gate(gate_section(timeout="200ms") + qatech_run(sim))
    assert result.code == TIMED_OUT, result
    assert re.search(r"run run001: it goes on: the provider offers no way to cancel it; see https://\S+", result.err), result


def test_a_login_page_for_a_cancel_is_no_end(gate: Gate, sim: Simulator) -> None:
    """200 and HTML: whether anything was cancelled is for the provider to show, and it does not."""
    sim.fault("cancel", "html", "*")
    result = REASONS["run deadline"].play(gate, sim, grace="200ms")
    assert result.code == TIMED_OUT and f"run {long_one(sim).id}: its cancellation was accepted, but its end was not seen" in result.err, result


def test_a_run_that_ends_while_it_is_cancelled(gate: Gate, sim: Simulator) -> None:
    """Reported as what it was, and still no pass: the deadline had passed."""
    for state, code in (("passed", TIMED_OUT), ("failed", FAILED)):
        sim.generic.plan("slow", {"steps": [{"set": {"state": "running"}}, {"after_ms": 350, "set": {"state": state}}]})
        sim.fault("cancel", "status", "*", status=409)
        (gate.folder / "generic.ini").write_text(GENERIC_PROVIDER)
        result = gate(generic_run(sim, "slow", "slow", timeout="200ms"), "run", "--provider-file", "generic.ini")
        assert result.code == code and result.run("slow")["outcome"] == state, result


# --- a start that hangs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, None], ids=["signal", "deadline"])
def test_a_start_that_hangs_is_found_and_cancelled(gate: Gate, sim: Simulator, number: int | None) -> None:
    """Half of the grace for its reply, the other half for looking the run up."""
    sim.generic.plan("p", generic.ends(polls=10**6))
    sim.fault("start", "silence", process=True)
    (gate.folder / "generic.ini").write_text(FINDING)
    text = gate_section(cancel_grace="1s", timeout=None if number else "100ms") + generic_run(sim, plan="p", outage="20s")
    process = gate.popen(text, "run", "--provider-file", "generic.ini")
    process.wait_for(lambda: sim.runs, "the start")
    if number:
        process.send_signal(number)
    result = process.finish()
    assert result.code == (INTERRUPTED_TERM if number else TIMED_OUT), result
    assert len(sim.starts()) == 1 and len(sim.finds()) == 1 and sim.runs[0].stop_requests == 1 and sim.running() == []
    assert result.run("gen")["run_id"] == sim.runs[0].id


def test_a_start_that_hangs_and_never_arrived(gate: Gate, sim: Simulator) -> None:
    sim.fault("start", "silence")
    (gate.folder / "generic.ini").write_text(FINDING)
    text = gate_section(cancel_grace="400ms", timeout="100ms") + generic_run(sim, plan="p", outage="20s")
    result = gate(text, "run", "--provider-file", "generic.ini")
    assert result.code == START_UNKNOWN and len(sim.starts()) == 1 and sim.finds(), result
    assert sim.base_url("generic") in result.run("gen")["reason"]


# --- who listens goes away -----------------------------------------------------------------------------------------------------


def unheard(gate: Gate, text: str, *args: str, **streams: Any) -> subprocess.Popen[bytes]:
    (gate.folder / "rungate.ini").write_text(text)
    return subprocess.Popen([str(binary()), "run", "--junit", "r.xml", *args], cwd=gate.folder, env=gate.environment(gate.folder, None),
                            stdin=subprocess.DEVNULL, **streams)


def wait_until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


@pytest.mark.parametrize("plan, code", [(k6_v2.ends(polls=20), PASSED), (k6_v2.ends(polls=20, result_status=1), FAILED)], ids=["passed", "failed"])
@pytest.mark.parametrize("stream", ["stderr", "stdout"])
def test_a_broken_pipe_kills_nothing(gate: Gate, sim: Simulator, stream: str, plan: dict[str, Any], code: int) -> None:
    """No SIGPIPE: the run is watched to its end, and its verdict and its reports are what they would have been."""
    sim.k6.plan(1, plan)
    process = unheard(gate, gate_section(heartbeat="20ms") + k6_run(sim), "-v", **{stream: subprocess.PIPE})
    wait_until(sim.polls)
    getattr(process, stream).close()
    assert process.wait(30) == code
    assert len(sim.starts()) == 1 and sim.cancels() == [] and (gate.folder / "r.xml").exists()


def test_a_report_into_a_broken_pipe_is_no_pass(gate: Gate, sim: Simulator) -> None:
    sim.k6.plan(1, k6_v2.ends(polls=20))
    process = unheard(gate, k6_run(sim), "--json", "-", stdout=subprocess.PIPE)
    wait_until(sim.polls)
    assert process.stdout
    process.stdout.close()
    assert process.wait(30) == ERROR


@pytest.mark.parametrize("args", [["providers"], ["providers", "k6-v6"], ["check"], ["run", "--dry-run"], ["--version"]], ids=" ".join)
def test_what_cannot_be_printed_is_an_error(gate: Gate, sim: Simulator, args: list[str]) -> None:
    """However long it is: the disk that is full shows at once, or when the last of it is printed."""
    (gate.folder / "rungate.ini").write_text(k6_run(sim))
    with open("/dev/full", "wb") as full:
        assert subprocess.run([str(binary()), *args], cwd=gate.folder, env=gate.environment(gate.folder, None), stdout=full, check=False).returncode == ERROR


def test_a_closed_terminal_cancels_the_run(gate: Gate, sim: Simulator) -> None:
    """The terminal's end sends SIGHUP, and every write to it fails from then on."""
    sim.k6.plan(1, k6_v2.runs_on())
    master, slave = os.openpty()

    def own_terminal() -> None:
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    (gate.folder / "rungate.ini").write_text(gate_section(cancel_grace="5s") + k6_run(sim))
    process = subprocess.Popen([str(binary()), "run", "--junit", "r.xml"], cwd=gate.folder, env={**gate.environment(gate.folder, None), "TERM": "xterm"},
                               stdin=slave, stdout=slave, stderr=slave, preexec_fn=own_terminal)
    os.close(slave)
    wait_until(sim.polls)
    os.close(master)
    assert process.wait(30) == INTERRUPTED_HUP
    assert len(sim.cancels()) == 1 and sim.runs[0].stop_requests == 1 and sim.running() == [] and (gate.folder / "r.xml").exists()


def test_nohup_is_respected(gate: Gate, sim: Simulator) -> None:
    """A SIGHUP that the caller chose to ignore stays ignored."""
    sim.k6.plan(1, k6_v2.ends(polls=30))
    process = unheard(gate, k6_run(sim), stderr=subprocess.DEVNULL, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    wait_until(sim.polls)
    process.send_signal(signal.SIGHUP)
    assert process.wait(30) == PASSED and sim.cancels() == []


# --- never fooled: states ------------------------------------------------------------------------------------------------------


def test_states_that_go_backwards(gate: Gate, sim: Simulator) -> None:
    """They are reported as they are seen, and end nothing."""
    order = [2, 1, 2, 0, -1, -2, 2]
    sim.k6.plan(1, {"steps": [{"set": {"run_status": s}} for s in order] + [{"set": {"run_status": 3, "processing_status": 2}}]})
    result = gate(k6_run(sim))
    assert result.code == PASSED and sim.runs[0].polls == len(order) + 1, result
    said = [s["state"] for s in result.run("load")["states"]]
    assert [s for s in said if s in ("RUNNING", "INITIALIZING", "QUEUED", "VALIDATED", "CREATED")] == \
        ["RUNNING", "INITIALIZING", "RUNNING", "QUEUED", "VALIDATED", "CREATED", "RUNNING"]


def test_a_verdict_that_is_taken_back_before_the_end(gate: Gate, sim: Simulator) -> None:
    """"Passed" beside a state that is no end counts for nothing; what stands at the end counts."""
    sim.qatech.plan("pln_demo1", {"steps": [{"set": {"status": "RUNNING", "result": "PASSED"}}, {"set": {"status": "INITIATED", "result": "PASSED"}},
                                            {"set": {"status": "COMPLETED", "result": "FAILED"}}], "cases": [qatech.case("a", result="FAILED")]})
    result = gate(qatech_run(sim))
    assert result.code == FAILED and len(sim.polls()) == 3, result


def test_a_cancel_that_changes_nothing(gate: Gate, sim: Simulator) -> None:
    """Cancelled, and then said to be running for ever: a warning, and no pass."""
    sim.generic.plan("p", generic.ends(polls=10**6, ignore_stop=True))
    (gate.folder / "generic.ini").write_text(GENERIC_PROVIDER)
    result = gate(gate_section(cancel_grace="200ms") + generic_run(sim, plan="p", timeout="150ms"), "run", "--provider-file", "generic.ini")
    assert result.code == TIMED_OUT and "its end was not seen" in result.err and len(sim.cancels()) == 1, result


# --- never fooled: bytes -------------------------------------------------------------------------------------------------------

ALMOST = ["passed\x00", "passed\x00failed", "passed\ud800", "\ud800passed", "\ufeffpassed", "passed\u200b", "ｐａｓｓｅｄ", "PASSED", "passed ", "passed\n",
          ["passed"], {"passed": True}, "p\u0430ssed"]


@pytest.mark.parametrize("state", ALMOST, ids=repr)
def test_almost_passed_is_not(gate: Gate, sim: Simulator, state: Any) -> None:
    sim.generic.plan("p", {"steps": [{"raw": json.dumps({"state": state}).encode()}]})
    (gate.folder / "generic.ini").write_text(GENERIC_PROVIDER)
    result = gate(generic_run(sim, plan="p", outage="100ms"), "run", "--provider-file", "generic.ini")
    assert result.code == ERROR, result


NUMBERS = ["18446744073709551619", "4294967299", "-18446744073709551613", "3.0000000000000001e400", "3.5", '"3"', "0x3", "03", "+3", "3e400", "1e999999"]


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_that_wraps_is_no_end(gate: Gate, sim: Simulator, number: str) -> None:
    """2^64 + 3 and 2^32 + 3 are not 3."""
    raw = '{"k6-run":{"run_status":%s,"result_status":0,"processing_status":2}}' % number
    sim.k6.plan(1, {"steps": [{"raw": raw.encode(), "over": True}]})
    result = gate(k6_run(sim, outage="100ms"))
    assert result.code == (ERROR if number != '"3"' else PASSED), result  # compared by text: the definition asks for no type


BEFORE_TRUTH = {
    "duplicate key": b'{"state":"failed","state":"passed"}', "duplicate key, escaped": b'{"state":"failed","st\\u0061te":"passed"}',
    "deep": b'{"state":"passed","x":' + b"[" * 50_000 + b"]" * 50_000 + b"}", "NUL behind": b'{"state":"passed"}\x00', "BOM of UTF-16": "\ufeff{\"state\":\"passed\"}".encode("utf-16-le"),
    "two documents": b'{"state":"passed"}{"state":"failed"}', "cut": b'{"state":"passed"', "JSONP": b'cb({"state":"passed"})', "XSSI": b')]}\'\n{"state":"passed"}',
    "HTML around": b'<pre>{"state":"passed"}</pre>', "a list": b'[{"state":"passed"}]', "another level": b'{"data":{"state":"passed"}}',
}


@pytest.mark.parametrize("body", BEFORE_TRUTH.values(), ids=BEFORE_TRUTH)
@pytest.mark.parametrize("kind", ["application/json", "text/html"])
def test_bodies_that_only_look_passed(gate: Gate, sim: Simulator, body: bytes, kind: str) -> None:
    sim.generic.plan("p", generic.ends(polls=10**6))
    sim.fault("poll", "status", "*", status=200, body=body, content_type=kind)
    (gate.folder / "generic.ini").write_text(GENERIC_PROVIDER)
    result = gate(generic_run(sim, plan="p", outage="100ms"), "run", "--provider-file", "generic.ini")
    assert result.code == ERROR and sim.running() == [], result


@pytest.mark.parametrize("kind", ["text/plain", "text/html; charset=utf-8", "application/octet-stream", "", "x" * 2000])
def test_the_body_counts_and_not_its_label(gate: Gate, sim: Simulator, kind: str) -> None:
    """Providers mislabel JSON; a login page that calls itself JSON is one all the same (BEFORE_TRUTH)."""
    sim.generic.plan("p", generic.ends(polls=10**6))
    sim.fault("poll", "status", "*", status=200, body=b'{"state":"failed"}', content_type=kind)
    (gate.folder / "generic.ini").write_text(GENERIC_PROVIDER)
    assert gate(generic_run(sim, plan="p"), "run", "--provider-file", "generic.ini").code == FAILED


@pytest.mark.parametrize("request_kind", ["start", "poll", "details", "find", "cancel"])
def test_a_captive_portal_opens_nothing(gate: Gate, sim: Simulator, request_kind: str) -> None:
    """200 and a login page in place of one kind of reply, from the first to the last."""
    sim.fault(request_kind, "html", "*", process=request_kind == "start")
    if request_kind == "find":
        sim.fault("start", "drop_after")
    if request_kind == "cancel":
        sim.k6.plan(1, k6_v2.runs_on())
    text = qatech_run(sim, "it", outage="150ms") if request_kind == "details" else k6_run(sim, "it", outage="150ms", timeout="400ms")
    result = gate(gate_section(cancel_grace="200ms") + text)
    expected = {"start": {PASSED}, "poll": {ERROR}, "details": {ERROR}, "find": {START_UNKNOWN}, "cancel": {TIMED_OUT}}[request_kind]
    assert result.code in expected and len(sim.starts()) == 1, result  # a lost start is found, and what passed has passed


def packed(body: bytes, *how: str) -> bytes:
    for way in how:
        body = gzip.compress(body) if way == "gzip" else zlib.compress(body)
    return body


PASS = b'{"state":"passed"}'
CODINGS = [("gzip", packed(PASS, "gzip"), PASSED), ("deflate", packed(PASS, "deflate"), PASSED), ("gzip", PASS, ERROR), ("gzip", packed(PASS, "gzip")[:-12], ERROR),
           ("br", packed(PASS, "gzip"), ERROR), ("zstd", PASS, ERROR), ("", packed(PASS, "gzip"), ERROR), ("gzip", b"", ERROR),
           ("gzip, gzip", packed(b'{"state":"' + b"x" * (200 << 20) + b'"}', "gzip", "gzip"), ERROR),
           ("gzip, gzip, gzip, gzip, gzip, gzip, gzip, gzip", packed(PASS, *["gzip"] * 8), ERROR)]


@pytest.mark.parametrize("coding, body, code", CODINGS, ids=[f"{i}-{c[0][:20]}" for i, c in enumerate(CODINGS)])
def test_compressed_bodies(gate: Gate, sim: Simulator, coding: str, body: bytes, code: int) -> None:
    sim.generic.plan("p", generic.ends(polls=10**6))
    sim.fault("poll", "status", "*", status=200, body=body, headers={"Content-Encoding": coding} if coding else {})
    (gate.folder / "generic.ini").write_text(GENERIC_PROVIDER)
    result = gate(generic_run(sim, plan="p", outage="100ms"), "run", "--provider-file", "generic.ini", timeout=60)
    assert result.code == code, result


@pytest.mark.parametrize("size, code", [((16 << 20) - 1, PASSED), (16 << 20, PASSED), ((16 << 20) + 1, ERROR)])
def test_sixteen_megabytes(gate: Gate, sim: Simulator, size: int, code: int) -> None:
    """max_body is what it says, to the byte."""
    head, tail = b'{"state":"passed","x":"', b'"}'
    sim.generic.plan("p", generic.ends(polls=10**6))
    sim.fault("poll", "status", "*", status=200, body=head + b"y" * (size - len(head) - len(tail)) + tail)
    (gate.folder / "generic.ini").write_text(GENERIC_PROVIDER)
    assert gate(generic_run(sim, plan="p", outage="100ms"), "run", "--provider-file", "generic.ini", timeout=60).code == code


# --- never fooled: places --------------------------------------------------------------------------------------------------------

KINDS = ["start", "poll", "details", "find", "cancel"]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("same", [True, False], ids=["same origin", "other origin"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_redirect_is_followed(gate: Gate, sim: Simulator, kind: str, same: bool, status: int) -> None:
    with Simulator() as elsewhere:
        origin = sim.origin if same else elsewhere.origin
        if kind == "find":
            sim.fault("start", "drop_after")
        if kind == "cancel":
            sim.k6.plan(1, k6_v2.runs_on())
        sim.fault(kind, "redirect", "*", status=status, location=f"{origin}/redirected")
        text = qatech_run(sim, "it") if kind == "details" else k6_run(sim, "it", timeout="300ms" if kind == "cancel" else None)
        result = gate(gate_section(cancel_grace="200ms") + text)
        assert result.code == {"find": START_UNKNOWN, "cancel": TIMED_OUT}.get(kind, ERROR), result
        assert elsewhere.requests == [] and not [r for r in sim.requests if "redirected" in r.target]


def test_a_report_url_is_shown_and_not_visited(gate: Gate, sim: Simulator) -> None:
    with Simulator() as elsewhere:
        sim.qatech.plan("pln_demo1", qatech.ends(start_body={"success": True, "run": {
            "id": "u", "shortId": "run001", "url": f"{elsewhere.origin}/run001", "testCount": 1}}))
        result = gate(qatech_run(sim))
        assert result.code == PASSED and result.run("ui")["url"] == f"{elsewhere.origin}/run001", result
        assert elsewhere.connections == 0


def test_a_certificate_for_another_name(gate: Gate, certificates: Certificates) -> None:
    with Simulator(tls=certificates.for_the_name()) as sim:
        result = gate(http_section(ca_file=certificates.ca) + k6_run(sim))
        assert result.code == ERROR and sim.requests == [], result
        assert re.search(r"subject name|certificate|alternative", result.err)


# --- secrets -----------------------------------------------------------------------------------------------------------------------

FORMS: dict[str, Callable[[str], str]] = {
    "as it is": lambda s: s,
    "percent": lambda s: urllib.parse.quote(s, safe=""),
    "percent, small": lambda s: urllib.parse.quote(s, safe="").lower() if s == s.lower() else re.sub("%..", lambda m: m[0].lower(), urllib.parse.quote(s, safe="")),
    "percent, but for slashes": lambda s: urllib.parse.quote(s, safe="/"),
    "percent, every byte": lambda s: "".join(f"%{b:02X}" for b in s.encode()),
    "Base64": lambda s: base64.b64encode(s.encode()).decode(),
    "Base64, without its padding": lambda s: base64.b64encode(s.encode()).decode().rstrip("="),
    "Base64 of user and secret": lambda s: base64.b64encode(f"user:{s}".encode()).decode(),
    "Base64 of a header": lambda s: base64.b64encode(f"Authorization: Token {s}\n".encode()).decode(),
    "Base64 for URLs": lambda s: base64.urlsafe_b64encode(s.encode()).decode(),
    "JSON": lambda s: json.dumps(s)[1:-1],
    "JSON with its slashes escaped": lambda s: json.dumps(s, ensure_ascii=False)[1:-1].replace("/", "\\/"),
    "JSON with signs as numbers": lambda s: re.sub(r"[+/>&]", lambda m: f"\\u{ord(m[0]):04X}", json.dumps(s)[1:-1]),
    "JSON, every character": lambda s: "".join(f"\\u{ord(c):04x}" for c in s),
}
ODD_TOKEN = 't0k/en+with"odd\\chars>>>??~é-5ecret'
"""Looks different in each of the forms."""


def inner(secret: str, form: Callable[[str], str]) -> list[str]:
    """The pieces of an encoded secret that nobody may see: all of it, or the middle where the ends depend on what is around."""
    text = form(secret)
    middle = text[len(text) // 2 - 6:len(text) // 2 + 6]
    return [text, middle]


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("where", ["error", "test", "state", "header", "page"])
def test_an_echo_in_any_form_is_starred(gate: Gate, sim: Simulator, form: Callable[[str], str], where: str) -> None:
    echo = f"you sent <{form(ODD_TOKEN)}>!"
    if where == "error":
        sim.fault("start", "status", "*", status=400, message=echo)
    elif where == "test":
        sim.qatech.plan("pln_demo1", qatech.ends(result="FAILED", cases=[qatech.case(echo, result="FAILED", title=echo, thought=echo)]))
    elif where == "state":
        sim.qatech.plan("pln_demo1", qatech.ends(status=echo))
    elif where == "header":
        sim.fault("start", "status", "*", status=400, message="no", headers={"X-Echo": echo})
    else:
        sim.fault("start", "status", "*", status=502, body=f"<html>{echo}</html>".encode(), content_type="text/html")
    result = gate(qatech_run(sim, outage="100ms"), "run", "-v", env={"QATECH_TOKEN": ODD_TOKEN})
    seen = result.out + result.err + "".join(d.decode("utf-8", "replace") for d in result.files.values())
    for piece in inner(ODD_TOKEN, form):
        assert piece not in seen and json.dumps(piece)[1:-1] not in seen, f"{piece!r}\n{result}"
    assert "***" in seen


# --- files with secrets -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o620, 0o604, 0o602, 0o666, 0o600, 0o400, 0o711])
@pytest.mark.parametrize("command", ["run", "check"])
def test_a_secret_in_a_file_for_all_to_read(gate: Gate, sim: Simulator, command: str, mode: int) -> None:
    path = gate.folder / "token.txt"
    path.write_text(K6_TOKEN + "\n")
    path.chmod(mode)
    text = k6_run(sim, token="${file:token.txt}")
    result = gate(text, command)
    line = text[:text.index("token =")].count("\n") + 1
    warning = f"rungate.ini:{line}: warning: 'token' is a secret, and not only its owner can read or write the file it comes from " \
              f"(token.txt, mode {mode:04o}); chmod 600 token.txt"
    assert result.code == PASSED and (warning in result.err) == bool(mode & 0o066), result


def test_what_is_no_secret_may_be_read_by_all(gate: Gate, sim: Simulator) -> None:
    path = gate.folder / "apps.json"
    path.write_text('[{"applicationShortId": "app_a"}]')
    path.chmod(0o644)
    result = gate(qatech_run(sim, applications="${file:apps.json}"))
    assert result.code == PASSED and "warning" not in result.err, result


# --- where a pull request could send a secret --------------------------------------------------------------------------------------

EDITS = {
    "base_url": ("[run:a]\nprovider = k6-v2\ntest_id = 1\nbase_url = https://evil.example\n", "evil.example"),
    "base_url for all": ("[defaults]\nbase_url = https://evil.example\n[run:a]\nprovider = k6-v2\ntest_id = 1\n", "evil.example"),
    "base_url with a name in front": ("[run:a]\nprovider = k6-v2\ntest_id = 1\nbase_url = https://api.k6.io@evil.example\n", "user name"),
    "base_url by a variable": ("[run:a]\nprovider = k6-v2\ntest_id = 1\nbase_url = ${U:-https://evil.example}\n", "evil.example"),
    "another provider's host": ("[run:a]\nprovider = k6-v2\ntest_id = 1\nbase_url = https://api.qa.tech\n", "api.qa.tech"),
    "proxy": ("[http]\nproxy = http://evil.example:3128\n[run:a]\nprovider = k6-v2\ntest_id = 1\n", "evil.example"),
    "proxy without a scheme": ("[http]\nproxy = evil.example:3128\n[run:a]\nprovider = k6-v2\ntest_id = 1\n", "evil.example"),
    "proxy with a password": ("[http]\nproxy = http://u:pa55word@evil.example\n[run:a]\nprovider = k6-v2\ntest_id = 1\n", "user name"),
    "proxy and authority": ("[http]\nproxy = http://evil.example:3128\nca_file = rungate.ini\n[run:a]\nprovider = k6-v2\ntest_id = 1\n", "evil.example"),
    "a definition": ("[provider:k6-v2]\nbase_url = https://evil.example\n[run:a]\nprovider = k6-v2\ntest_id = 1\n", "provider:k6-v2"),
    "a definition that extends": ("[provider:x]\nextend = k6-v2\nbase_url = https://evil.example\n[run:a]\nprovider = x\ntest_id = 1\n", "provider:x"),
    "a file of definitions": ("[gate]\nprovider_file = evil.ini\n[run:a]\nprovider = k6-v2\ntest_id = 1\n", "provider_file"),
    "an allowance": ("[http]\nallow_origin = https://evil.example\n[run:a]\nprovider = k6-v2\ntest_id = 1\n", "allow_origin"),
    "the secret in another field": ("[run:a]\nprovider = qatech\ntest_plan = ${K6_CLOUD_TOKEN}\n", "test_plan"),
    "the secret in an address": ("[run:a]\nprovider = k6-v2\ntest_id = 1\nbase_url = https://${K6_CLOUD_TOKEN}.evil.example\n", "evil.example"),
}


@pytest.mark.parametrize("text, said", EDITS.values(), ids=EDITS)
@pytest.mark.parametrize("command", [["run"], ["check"], ["run", "--dry-run"]], ids=["run", "check", "dry-run"])
def test_a_pull_request_sends_no_secret_anywhere_new(gate: Gate, text: str, said: str, command: list[str]) -> None:
    """Exit 2 before anything is sent, at the line that was edited, with words that name what is wrong."""
    with Simulator() as proxy:  # would be asked to connect, were anything sent
        result = gate(text, *command, env={"HTTPS_PROXY": proxy.origin})
        assert result.code == USAGE and proxy.connections == 0, result
        assert re.search(r"(?m)^rungate\.ini:\d+: .*" + re.escape(said), result.err), result
        assert "pa55word" not in result.err


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")], ids=["before", "behind"])
def test_a_secret_of_another_run(gate: Gate, sim: Simulator, names: tuple[str, str]) -> None:
    """What one run calls a secret stands in no plain field of another, whichever of them comes first."""
    runs = {"a": qatech_run(sim, "a", test_plan="${OTHER_TOKEN}"), "b": k6_run(sim, "b", token="${OTHER_TOKEN}")}
    result = gate("".join(runs[name] for name in names), "run", env={"OTHER_TOKEN": "of-no-definition"})
    assert result.code == USAGE and "a secret stands in 'test_plan'" in result.err and not sim.starts(), result


def test_a_definition_sends_no_variable_anywhere_new(gate: Gate) -> None:
    """It extends a built-in one, says of a secret that it is none, and takes what it likes out of the environment."""
    (gate.folder / "x.ini").write_text("[provider:x]\nextends = k6-v2\nbase_url = https://evil.example\nparam.token = string env=DEPLOY_PASSWORD\n")
    result = gate("[run:a]\nprovider = x\ntest_id = 1\n", "check", "--provider-file", "x.ini", env={"DEPLOY_PASSWORD": "of another", "K6_CLOUD_TOKEN": None})
    assert result.code == USAGE and "a secret of run 'a' would go to https://evil.example:443" in result.err, result


# --- proxies and certificates ------------------------------------------------------------------------------------------------------


@pytest.fixture
def far(certificates: Certificates) -> Any:
    """The provider under its own name, which only a tunnel leads to."""
    with Simulator(tls=certificates.for_the_name()) as sim:
        yield sim


def far_run(**keys: Any) -> str:
    return k6_run(None, **keys)


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize("authority", ["ca_file", "SSL_CERT_FILE", "CURL_CA_BUNDLE"])
def test_a_proxy_of_the_environment(gate: Gate, far: Simulator, certificates: Certificates, variable: str, authority: str) -> None:
    """The built-in origin, through a tunnel, with a private authority: the proxy sees where to, and nothing of what."""
    http = http_section(ca_file=certificates.ca) if authority == "ca_file" else ""
    with Tunnel(far.port) as tunnel:
        result = gate(http + far_run(), env={variable: f"http://{tunnel.address}", authority: str(certificates.ca)})
        assert result.code == PASSED and len(far.starts()) == 1, result
        assert set(tunnel.asked) == {f"{NAME}:443"}
        assert K6_TOKEN.encode() not in tunnel.seen and b"Authorization: Token" not in tunnel.seen


@pytest.mark.parametrize("how", ["environment", "option"])
@pytest.mark.parametrize("password, sent", [("pa55-of-the-proxy", "pa55-of-the-proxy"), ("p%40ss/of%3Athe-pr%C3%B6xy".replace("/", "%2F"), "p@ss/of:the-pröxy")],
                         ids=["plain", "encoded"])
@pytest.mark.parametrize("known", [True, False], ids=["right", "wrong"])
def test_the_password_of_a_proxy_is_a_secret(gate: Gate, far: Simulator, certificates: Certificates, how: str, password: str, sent: str, known: bool) -> None:
    with Tunnel(far.port, sent if known else "another") as tunnel:
        url = f"http://robot:{password}@{tunnel.address}"
        more, env = ([], {"HTTPS_PROXY": url}) if how == "environment" else (["-s", f"http.proxy={url}"], {})
        result = gate(http_section(ca_file=certificates.ca) + far_run(outage="100ms"), "run", "-v", *more, env=env)
        assert result.code == (PASSED if known else ERROR) and len(far.starts()) == (1 if known else 0), result
        seen = result.out + result.err + "".join(d.decode() for d in result.files.values() if b"[run:" not in d)
        for piece in (password, sent, base64.b64encode(f"robot:{sent}".encode()).decode()[8:20]):
            assert piece not in seen


def test_a_proxy_that_cannot_be_is_not_shown_with_its_password(gate: Gate, certificates: Certificates) -> None:
    for url in ("http://robot:pa55-of-the-proxy@[::bad", "ftp://robot:pa55-of-the-proxy@127.0.0.1:1", "http://robot:pa55-of-the-proxy@127.0.0.1:99999"):
        result = gate(far_run(outage="60ms"), "run", "-v", env={"HTTPS_PROXY": url})
        assert result.code == ERROR and "pa55-of" not in result.err + result.junit_path.read_text(), result


def test_a_proxy_that_looks_inside_gets_nothing(gate: Gate, far: Simulator, certificates: Certificates) -> None:
    """A proxy with an authority of its own, which this machine does not trust."""
    with Tunnel(far.port) as tunnel:
        result = gate(http_section(ca_file=certificates.other_ca) + far_run(), env={"HTTPS_PROXY": f"http://{tunnel.address}"})
        assert result.code == ERROR and tunnel.asked and far.requests == [], result
        assert K6_TOKEN.encode() not in tunnel.seen


def test_a_proxy_that_answers_itself(gate: Gate) -> None:
    """A login page for the CONNECT is no answer of the provider, and no token was sent."""
    with Simulator() as portal:
        result = gate(far_run(outage="60ms"), env={"HTTPS_PROXY": portal.origin})
        assert result.code == ERROR and portal.connections, result
        assert all(K6_TOKEN not in repr(r.headers) for r in portal.requests)


@pytest.mark.parametrize("shown", ["both files", "one file", "none", "of nobody"])
def test_client_certificate(gate: Gate, certificates: Certificates, shown: str, tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(certificates.client_cert.read_bytes() + certificates.client_key.read_bytes())
    keys = {"both files": {"client_cert": certificates.client_cert, "client_key": certificates.client_key}, "one file": {"client_cert": both},
            "none": {}, "of nobody": {"client_cert": certificates.client_cert, "client_key": certificates.client_key}}[shown]
    demanded = certificates.other_ca if shown == "of nobody" else certificates.ca
    with Simulator(tls=dataclasses.replace(certificates, demanded=demanded)) as sim:
        result = gate(http_section(ca_file=certificates.ca, **keys) + k6_run(sim, outage="100ms"))
        good = shown in ("both files", "one file")
        assert result.code in ({PASSED} if good else {ERROR, START_UNKNOWN}) and bool(sim.runs) == good, result


# --- text from outside ---------------------------------------------------------------------------------------------------------------


def test_ten_megabytes_of_text(gate: Gate, sim: Simulator) -> None:
    """In a name, a title and a message: neither log nor reports grow with it."""
    text = "##vso[x] ::error::x \x1b[31m\u202e " * (10 * 1024 * 1024 // 30)
    sim.qatech.plan("pln_demo1", qatech.ends(result="FAILED", cases=[qatech.case("n", result="FAILED", title="t", thought=text)]))
    result = gate(http_section(max_body="64M") + qatech_run(sim), timeout=90)
    assert result.code == FAILED, result.code
    assert len(result.err) < 100_000 and len(result.junit_path.read_bytes()) < 1 << 20 and len(result.json_path.read_bytes()) < 1 << 20
