# SPDX-License-Identifier: MIT
"""The simulator itself, asked by a plain HTTP client: the other tests trust it."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from harness import ROOT
from sim import generic, k6_v2, qatech
from sim.certs import Certificates
from sim.faults import KINDS, nth_matches
from sim.simulator import Simulator

K6 = {"Authorization": "Token secret"}
QA = {"Authorization": "Bearer secret"}
START = "/loadtests/v2/tests/7/start-testrun"


class Client:
    """One keep-alive connection."""

    def __init__(self, sim: Simulator) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", sim.port, timeout=10)

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
        headers = dict(headers or {})
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        self.connection.request(method, path, body, headers)
        reply = self.connection.getresponse()
        return reply.status, reply.read()

    def json(self, *args: Any, **kwargs: Any) -> Any:
        status, body = self.ask(*args, **kwargs)
        assert status < 300, (status, body)
        return json.loads(body)


@pytest.fixture
def client(sim: Simulator) -> Client:
    return Client(sim)


def k6_start(client: Client, test: int = 7) -> str:
    return str(client.json("POST", f"/loadtests/v2/tests/{test}/start-testrun", headers=K6)["k6-run"]["id"])


def k6_read(client: Client, run: str) -> dict[str, Any]:
    return client.json("GET", f"/loadtests/v2/runs/{run}", headers=K6)["k6-run"]


# --- k6-v2 ---------------------------------------------------------------------------------------------------------------


def test_k6_run_goes_through_its_plan(sim: Simulator, client: Client) -> None:
    sim.k6.plan(7, k6_v2.ends(result_status=1, polls=2))
    run = k6_start(client)
    assert int(run) > 2**32
    seen = [k6_read(client, run) for _ in range(4)]
    assert [(s["run_status"], s["result_status"]) for s in seen] == [(2, 0), (2, 0), (3, 1), (3, 1)]
    assert seen[0]["test_id"] == 7 and seen[0]["processing_status"] == 1 and seen[2]["processing_status"] == 2
    assert (len(sim.starts()), len(sim.polls()), sim.connections, sim.running()) == (1, 4, 1, [])


def test_k6_start_reply_says_passed_before_anything_ran(client: Client) -> None:
    reply = client.json("POST", START, headers=K6)["k6-run"]
    assert (reply["run_status"], reply["result_status"]) == (-2, 0)


def test_k6_select_and_list(sim: Simulator, client: Client) -> None:
    run = k6_start(client)
    k6_start(client, 8)
    body = client.json("GET", f"/loadtests/v2/runs/{run}?%24select=id,run_status", headers=K6)
    assert body == {"k6-run": {"id": int(run), "run_status": 2}}
    listed = client.json("GET", "/loadtests/v2/runs?test_id=7", headers=K6)
    assert listed["meta"]["count"] == 1 and [r["id"] for r in listed["k6-runs"]] == [int(run)]
    assert len(sim.finds()) == 1


def test_k6_elapsed_time_plan(sim: Simulator, client: Client) -> None:
    sim.k6.plan(7, {"steps": [{"set": {"run_status": 2}}, {"after_ms": 40, "set": {"run_status": 3}}]})
    run = k6_start(client)
    assert k6_read(client, run)["run_status"] == 2
    assert len(sim.running()) == 1
    assert sim.wait_for(lambda: not sim.running(), 5)
    assert k6_read(client, run)["run_status"] == 3


def test_a_step_waits_for_a_condition(sim: Simulator, client: Client) -> None:
    holds: list[bool] = []
    sim.k6.plan(7, {"steps": [{"set": {"run_status": 2}}, {"when": lambda: holds, "set": {"run_status": 3}}]})
    run = k6_start(client)
    assert [k6_read(client, run)["run_status"] for _ in range(3)] == [2, 2, 2]
    holds.append(True)
    assert k6_read(client, run)["run_status"] == 3


@pytest.mark.parametrize("stop, ignore, expected", [
    ({"after_polls": 0}, False, [5, 5]),
    ({"after_polls": 1}, False, [2, 5]),
    ({"after_polls": 0}, True, [2, 3]),
])
def test_k6_stop(sim: Simulator, client: Client, stop: Any, ignore: bool, expected: list[int]) -> None:
    sim.k6.plan(7, k6_v2.ends(polls=1, stop=stop, ignore_stop=ignore))
    run = k6_start(client)
    assert client.ask("POST", f"/loadtests/v2/runs/{run}/stop", headers=K6)[0] == 200
    assert [k6_read(client, run)["run_status"] for _ in range(2)] == expected
    assert sim.runs[0].stopped and len(sim.cancels()) == 1
    assert client.ask("POST", f"/loadtests/v2/runs/{run}/stop", headers=K6)[0] == 409


@pytest.mark.parametrize("header", [None, "Bearer secret", "Token", "Token ", "token secret", "secret"])
def test_k6_authorization(sim: Simulator, client: Client, header: str | None) -> None:
    status, body = client.ask("POST", START, headers={"Authorization": header} if header else {})
    assert status == 401 and json.loads(body)["error"]["message"]
    assert sim.runs == []


def test_tokens_can_be_named(sim: Simulator, client: Client) -> None:
    sim.k6.tokens = {"right"}
    assert client.ask("POST", START, headers={"Authorization": "Token wrong"})[0] == 401
    assert client.ask("POST", START, headers={"Authorization": "Token right"})[0] == 200


@pytest.mark.parametrize("step, expected", [
    ({"set": {"run_status": None}}, {"run_status": None}),
    ({"set": {"run_status": "three"}}, {"run_status": "three"}),
    ({"drop": ["run_status"]}, {}),
])
def test_fields_can_be_spoiled(sim: Simulator, client: Client, step: Any, expected: Any) -> None:
    sim.k6.plan(7, {"steps": [step]})
    body = k6_read(client, k6_start(client))
    assert {k: v for k, v in body.items() if k == "run_status"} == expected


def test_bodies_can_be_replaced(sim: Simulator, client: Client) -> None:
    sim.k6.plan(7, {"steps": [{"body": [1]}, {"raw": b"\xff{"}, {"http": 201, "body": None, "headers": [["X-A", "b"]]}]})
    run = k6_start(client)
    path = f"/loadtests/v2/runs/{run}"
    assert client.ask("GET", path, headers=K6) == (200, b"[1]")
    assert client.ask("GET", path, headers=K6) == (200, b"\xff{")
    assert client.ask("GET", path, headers=K6) == (201, b"null")


def test_one_plan_a_start(sim: Simulator, client: Client) -> None:
    sim.k6.plan(7, [k6_v2.ends(run_status=n, polls=0) for n in (6, 3)])
    assert [k6_read(client, k6_start(client))["run_status"] for _ in range(3)] == [6, 3, 3]


# --- qatech --------------------------------------------------------------------------------------------------------------


def test_qatech_run(sim: Simulator, client: Client) -> None:
    sim.qatech.plan("pln_x", qatech.ends(result="FAILED", cases=[qatech.case("a"), qatech.case("b", result="FAILED")]))
    started = client.json("POST", "/v1/run", {"testPlanShortId": "pln_x"}, headers=QA)
    short = started["run"]["shortId"]
    assert started["success"] is True and started["run"]["testCount"] == 2
    first = client.json("GET", f"/v1/run/{short}", headers=QA)
    assert (first["status"], first["result"], first["runTestCases"]) == ("RUNNING", None, [])
    last = client.json("GET", f"/v1/run/{short}?testCases=all", headers=QA)
    assert (last["status"], last["result"], len(last["runTestCases"])) == ("COMPLETED", "FAILED", 2)
    failed = client.json("GET", f"/v1/run/{short}?testCases=failed", headers=QA)
    assert [c["name"] for c in failed["runTestCases"]] == ["b"]
    assert client.ask("GET", f"/v1/run/{short}?testCases=none", headers=QA)[0] == 400
    assert client.ask("GET", "/v1/run/nobody", headers=QA)[0] == 404
    assert [len(sim.starts()), len(sim.polls()), len(sim.details())] == [1, 2, 3]


@pytest.mark.parametrize("body", [
    {"trigger": "GITLAB"}, {"testPlanShortId": "x"}, {"testPlanShortId": 1}, {"notifications": []},
    {"applications": {}}, {"applications": [{}]}, {"applications": [{"applicationShortId": "nope"}]},
    {"applications": [{"applicationShortId": "app_a", "environment": {}}]},
    {"applications": [{"applicationShortId": "app_a", "environment": {"shortId": "x"}}]},
    {"applications": [{"applicationShortId": "app_a", "devicePresetShortId": "x"}]},
    {"notifications": [{"type": "mail", "channel": "C"}]}, {"notifications": [{"type": "slack"}]},
    {"notifications": [{"type": "slack", "channel": "C", "notifyOn": "never"}]}, {"branch": 1}, [], "x",
])
def test_qatech_refuses(sim: Simulator, client: Client, body: Any) -> None:
    status, answer = client.ask("POST", "/v1/run", json.dumps(body), {**QA, "Content-Type": "application/json"})
    assert status == 400 and json.loads(answer)["message"]
    assert sim.runs == []


@pytest.mark.parametrize("body", [
    None, {}, {"trigger": "GITHUB", "actor": "a", "branch": "b", "commitHash": "c", "commitMessage": "d", "repository": "o/r"},
    {"applications": [{"applicationShortId": "app_gXeBl2", "environment": {"url": "https://x", "name": "n"}},
                      {"applicationShortId": "app-x_y", "environment": {"shortId": "env_aB3xY9"}, "devicePresetShortId": "preset_a"}]},
    {"notifications": [{"type": "slack", "channel": "C0", "notifyOn": "failure"}]}, {"unknown": True},
])
def test_qatech_accepts(client: Client, body: Any) -> None:
    assert client.ask("POST", "/v1/run", body, QA)[0] == 200


def test_qatech_authorization_and_malformed_body(client: Client) -> None:
    assert client.ask("POST", "/v1/run", {}, K6)[0] == 401
    assert client.ask("POST", "/v1/run", "{", {**QA, "Content-Type": "application/json"})[0] == 400
    assert client.ask("POST", "/v1/run", "{}", {**QA, "Content-Type": "text/plain"})[0] == 400
    assert client.ask("POST", "/run", {}, QA)[0] == 404


# --- generic -------------------------------------------------------------------------------------------------------------


def test_generic_script_and_idempotency(sim: Simulator, client: Client) -> None:
    sim.generic.plan("p", generic.script({"state": "running", "n": 1}, {"state": "passed"}))
    run = client.json("POST", "/generic/start", {"plan": "p", "key": "k"})["id"]
    assert [client.json("GET", f"/generic/status/{run}")["state"] for _ in range(3)] == ["running", "passed", "passed"]
    assert [r["id"] for r in client.json("GET", "/generic/find?key=k")["runs"]] == [run]
    assert client.json("GET", "/generic/find?key=other") == {"runs": []}
    one = client.json("POST", "/generic/start", {}, {"Idempotency-Key": "i"})["id"]
    assert client.json("POST", "/generic/start", {}, {"Idempotency-Key": "i"})["id"] == one
    assert len(sim.runs) == 2
    assert client.ask("POST", f"/generic/cancel/{one}")[0] == 200
    assert client.ask("POST", f"/generic/cancel/{one}")[0] == 409


# --- the record ----------------------------------------------------------------------------------------------------------


def test_everything_is_recorded(sim: Simulator) -> None:
    one, two = Client(sim), Client(sim)
    one.ask("POST", "/loadtests/v2/tests/7/start-testrun?a=b%20c", b"hello", {**K6, "X-CaSe": "Kept", "Content-Type": "text/x"})
    two.ask("GET", "/nowhere")
    first, second = sim.requests
    assert (first.number, first.method, first.path, first.query) == (1, "POST", START, "a=b%20c")
    assert ("X-CaSe", "Kept") in first.headers and first.header("x-case") == "Kept"
    assert first.body == b"hello" and first.params == {"a": "b c"}
    assert (first.kind, first.provider, first.run, first.processed, first.status) == ("start", "k6-v2", sim.runs[0].id, True, 200)
    assert (second.kind, second.status, second.connection) == ("other", 404, 2)
    assert first.at <= second.at and sim.connections == 2 and sim.max_open_connections == 2


def test_max_running_counts_what_a_client_can_know(sim: Simulator, client: Client) -> None:
    one = k6_start(client)
    k6_read(client, one), k6_read(client, one)
    two, _ = k6_start(client), k6_start(client)
    assert sim.max_running == 2
    k6_read(client, two), k6_read(client, two)
    k6_start(client)
    assert sim.max_running == 2


def test_chunked_request_body(sim: Simulator, client: Client) -> None:
    client.connection.request("POST", "/v1/run", iter([b'{"trigger"', b':"API"}']),
                              {**QA, "Content-Type": "application/json"}, encode_chunked=True)
    reply = client.connection.getresponse()
    assert reply.status == 200 and sim.requests[0].json() == {"trigger": "API"}


@pytest.mark.parametrize("data", [b"GET\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
                                  b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n"])
def test_bad_http_is_refused(data: bytes) -> None:
    with Simulator() as sim, socket.create_connection(("127.0.0.1", sim.port)) as s:
        s.sendall(data)
        assert s.recv(100).startswith(b"HTTP/1.1 400 ")
        assert len(sim.server.bad_requests) == 1


# --- faults --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("nth, hits", [(1, [1]), ([1, 3], [1, 3]), ("2..", [2, 3, 4]), ("2..3", [2, 3]), ("*", [1, 2, 3, 4]), ("3", [3])])
def test_nth(nth: Any, hits: list[int]) -> None:
    assert [n for n in range(1, 5) if nth_matches(nth, n)] == hits


@pytest.mark.parametrize("match, expected", [
    ("start", [True, False]), ("poll", [False, True]), ("any", [True, True]), ("k6-v2:poll", [False, True]), ("qatech:poll", [False, False]),
    ("GET /loadtests/v2/runs/", [False, True]), ("* /loadtests", [True, True]), ("POST .*start", [True, False]),
])
def test_match(sim: Simulator, client: Client, match: str, expected: list[bool]) -> None:
    sim.fault(match, "status", "*", status=418, process=True)
    statuses = [client.ask("POST", START, headers=K6)[0], client.ask("GET", "/loadtests/v2/runs/5000000001", headers=K6)[0]]
    assert [s == 418 for s in statuses] == expected


def test_unknown_fault_is_refused(sim: Simulator) -> None:
    with pytest.raises(ValueError, match="unknown fault"):
        sim.fault("poll", "explode")


def raw_ask(sim: Simulator, timeout: float = 5) -> tuple[bytes, str]:
    """Everything a start request gets back, and how the connection ended: closed, reset or open."""
    data = b""
    with socket.create_connection(("127.0.0.1", sim.port), timeout=timeout) as s:
        s.sendall(f"POST {START} HTTP/1.1\r\nHost: x\r\nAuthorization: Token t\r\nContent-Length: 0\r\n\r\n".encode())
        while True:
            try:
                more = s.recv(65536)
            except ConnectionResetError:
                return data, "reset"
            except TimeoutError:
                return data, "open"
            if not more:
                return data, "closed"
            data += more


@pytest.mark.parametrize("kind, options, end, runs, wanted", [
    ("drop_before", {}, "reset", 0, b""),
    ("drop_before", {"process": True}, "reset", 1, b""),
    ("drop_after", {}, "reset", 1, b""),
    ("half_headers", {}, "closed", 1, b"HTTP/1.1 200 OK"),
    ("half_body", {}, "closed", 1, b"Content-Length"),
    ("truncated_chunked", {}, "closed", 1, b"chunked"),
    ("close_after", {}, "closed", 1, b'"run_process"'),
    ("raw", {"data": "SSH-2.0\r\n"}, "closed", 0, b"SSH-2.0\r\n"),
    ("silence", {}, "open", 0, b""),
    ("silence", {"process": True}, "open", 1, b""),
    ("empty", {}, "open", 0, b"Content-Length: 0"),
    ("html", {}, "open", 0, b"text/html"),
    ("redirect", {"location": "http://elsewhere/x", "status": 307}, "open", 0, b"Location: http://elsewhere/x"),
    ("redirect", {"location": "{target}?again"}, "open", 0, b"Location: " + START.encode() + b"?again"),
    ("status", {"status": 503, "headers": {"Retry-After": "1"}}, "open", 0, b"Retry-After: 1"),
    ("status", {"status": 403, "message": "no licence"}, "open", 0, b'{"error": {"message": "no licence", "code": 4}}'),
    ("status", {"status": 200, "body": "text", "content_type": "text/plain"}, "open", 0, b"text/plain"),
    ("status", {"status": 200, "body": {"a": 1}}, "open", 0, b'{"a": 1}'),
])
def test_fault(sim: Simulator, kind: str, options: dict[str, Any], end: str, runs: int, wanted: bytes) -> None:
    fault = sim.fault("start", kind, **options)
    data, ended = raw_ask(sim, timeout=0.3 if end == "open" else 5)
    assert (ended, len(sim.runs)) == (end, runs)
    assert wanted in data
    assert fault.hits == 1 and sim.starts()[0].fault == kind
    assert raw_ask(sim, 0.3)[0].startswith(b"HTTP/1.1 200 OK")  # the second is answered honestly


def heard(sim: Simulator) -> bool:
    """Whether a connection is accepted."""
    try:
        socket.create_connection(("127.0.0.1", sim.port)).close()
    except ConnectionRefusedError:
        return False
    return True


@pytest.mark.parametrize("ms", [None, 50])
def test_refuse(sim: Simulator, ms: float | None) -> None:
    struck: list[bool] = []
    sim.fault("start", "refuse", ms=ms, then=lambda: struck.append(heard(sim)))
    assert raw_ask(sim) == (b"", "reset") and struck == [True] and sim.runs == []
    assert sim.wait_for(lambda: heard(sim)) if ms else not heard(sim)


def test_half_body_is_half(sim: Simulator) -> None:
    sim.fault("start", "half_body")
    head, _, body = raw_ask(sim)[0].partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    assert len(body) == length // 2


def test_delay(sim: Simulator, client: Client) -> None:
    sim.fault("start", "delay_ms", ms=120)
    began = time.monotonic()
    assert client.ask("POST", START, headers=K6)[0] == 200
    assert time.monotonic() - began >= 0.12 and len(sim.runs) == 1


def test_slow_body(sim: Simulator, client: Client) -> None:
    sim.fault("GET /nowhere", "slow_body", ms=2)
    began = time.monotonic()
    status, body = client.ask("GET", "/nowhere")
    assert status == 404 and json.loads(body) and time.monotonic() - began >= 0.002 * len(body)


@pytest.mark.parametrize("chunked", [False, True])
def test_huge(sim: Simulator, client: Client, chunked: bool) -> None:
    sim.fault("start", "huge", mb=3, chunked=chunked)
    assert len(client.json("POST", START, headers=K6)["pad"]) == 3 * 1024 * 1024


def test_gzip_bomb(sim: Simulator, client: Client) -> None:
    sim.fault("start", "gzip_bomb", mb=4)
    _, body = client.ask("POST", START, headers=K6)
    assert len(body) < 100_000 and len(gzip.decompress(body)) == 4 * 1024 * 1024


def test_silence_ends_with_the_server() -> None:
    sim = Simulator().start()
    sim.fault("start", "silence")
    results: list[tuple[bytes, str]] = []
    thread = threading.Thread(target=lambda: results.append(raw_ask(sim)))
    thread.start()
    assert sim.wait_for(lambda: sim.starts())
    sim.close()
    thread.join(5)
    assert results and results[0][0] == b"" and results[0][1] in ("closed", "reset")


def test_every_kind_of_fault_is_tested_here() -> None:
    tested = {"drop_before", "drop_after", "refuse", "half_headers", "half_body", "truncated_chunked", "close_after", "raw", "silence", "empty",
              "html", "redirect", "status", "delay_ms", "slow_body", "huge", "gzip_bomb"}
    assert set(KINDS) == tested


# --- TLS, scale, command line ---------------------------------------------------------------------------------------------


def test_tls(sim_tls: Simulator, certificates: Certificates) -> None:
    for host in ("localhost", "127.0.0.1"):
        context = ssl.create_default_context(cafile=str(certificates.ca))
        # By address: a bare system has no file that says where localhost is.
        with socket.create_connection(("127.0.0.1", sim_tls.port), timeout=5) as plain, \
                context.wrap_socket(plain, server_hostname=host) as channel:
            channel.sendall(f"POST {START} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {K6['Authorization']}\r\n"
                            "Content-Length: 0\r\n\r\n".encode())
            assert channel.recv(100).startswith(b"HTTP/1.1 200 ")
    with pytest.raises(ssl.SSLCertVerificationError):
        context = ssl.create_default_context(cafile=str(certificates.other_ca))
        http.client.HTTPSConnection("127.0.0.1", sim_tls.port, context=context, timeout=5).request("POST", START)
    assert len(sim_tls.starts()) == 2


def test_tls_reset_is_a_reset(sim_tls: Simulator, certificates: Certificates) -> None:
    sim_tls.fault("start", "drop_after")
    context = ssl.create_default_context(cafile=str(certificates.ca))
    connection = http.client.HTTPSConnection("127.0.0.1", sim_tls.port, context=context, timeout=5)
    connection.request("POST", START, headers=K6)
    with pytest.raises((ConnectionResetError, http.client.RemoteDisconnected, ssl.SSLError)):
        connection.getresponse()
    assert len(sim_tls.runs) == 1


def test_many_runs_on_many_connections(sim: Simulator) -> None:
    def work() -> None:
        client = Client(sim)
        runs = [k6_start(client, n) for n in range(25)]
        for _ in range(2):
            for run in runs:
                k6_read(client, run)

    threads = [threading.Thread(target=work) for _ in range(40)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60)
    assert (len(sim.runs), len(sim.polls()), sim.running(), sim.connections) == (1000, 2000, [], 40)


def test_command_line(tmp_path: Path) -> None:
    scenario = tmp_path / "scenario.json"
    scenario.write_text(json.dumps({
        "_comment": "ignored", "k6-v2": {"plans": {"7": k6_v2.ends(run_status=8)}, "tokens": ["secret"]},
        "faults": [{"match": "poll", "kind": "status", "status": 502}]}))
    port_file, log, ca = tmp_path / "port", tmp_path / "log.jsonl", tmp_path / "ca.pem"
    process = subprocess.Popen([sys.executable, str(ROOT / "tests/sim/simulator.py"), "--scenario", str(scenario), "--tls",
                                "--ca-file", str(ca), "--port-file", str(port_file), "--log", str(log)])
    try:
        deadline = time.monotonic() + 20
        while not port_file.exists():
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
        context = ssl.create_default_context(cafile=str(ca))
        connection = http.client.HTTPSConnection("127.0.0.1", int(port_file.read_text()), context=context, timeout=5)
        statuses = []
        for method, path in (("POST", START), ("GET", "/loadtests/v2/runs/5000000001"), ("GET", "/loadtests/v2/runs/5000000001")):
            connection.request(method, path, headers=K6)
            reply = connection.getresponse()
            statuses.append(reply.status)
            reply.read()
        assert statuses == [200, 502, 200]
        # A request is logged once it was answered: the last one a moment after its answer came.
        while len(log.read_text().splitlines()) < 3:
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        process.terminate()
        assert process.wait(10) == 0
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(x["kind"], x["fault"], x["status"]) for x in lines] == [("start", "", 200), ("poll", "status", 502), ("poll", "", 200)]


def test_unknown_words_in_a_scenario_are_refused() -> None:
    with pytest.raises(ValueError):
        Simulator({"k6-v3": {}})
    with pytest.raises(ValueError):
        Simulator({"k6-v2": {"plan": {}}})
    with pytest.raises(TypeError):
        Simulator({"k6-v2": {"default": {"steps": [{"sett": {}}]}}})
