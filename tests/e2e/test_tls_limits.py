# SPDX-License-Identifier: MIT
"""Where secrets may go, what is trusted, and how much of anything is taken: TLS, origins, headers, sizes, connections."""

from __future__ import annotations

import re
from typing import Any

import pytest
from harness import K6_TOKEN, QATECH_TOKEN, Gate, gate_section, http_section, k6_run, qatech_run, section
from sim import k6_v2, qatech
from sim.certs import Certificates
from sim.simulator import Simulator

# --- TLS -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_private_authority(gate: Gate, sim_tls: Simulator, certificates: Certificates, host: str) -> None:
    url = f"https://{host}:{sim_tls.port}"
    result = gate(http_section(ca_file=certificates.ca) + k6_run(sim_tls, base_url=url) + qatech_run(sim_tls, base_url=url + "/v1"))
    assert result.code == 0, result
    assert sim_tls.server.handshake_failures == 0


@pytest.mark.parametrize("which", ["other", "none"])
def test_wrong_authority(gate: Gate, sim_tls: Simulator, certificates: Certificates, which: str) -> None:
    http = http_section(ca_file=certificates.other_ca) if which == "other" else ""
    result = gate(http + k6_run(sim_tls))
    assert result.code == 3, result
    assert sim_tls.requests == []
    assert re.search(r"certificate|SSL|TLS", result.err, re.I)


@pytest.mark.parametrize("content", [None, "", "not a certificate\n"], ids=["missing", "empty", "rubbish"])
def test_authority_file_that_is_none(gate: Gate, sim_tls: Simulator, content: str | None) -> None:
    if content is not None:
        (gate.folder / "ca.pem").write_text(content)
    result = gate(http_section(ca_file="ca.pem") + k6_run(sim_tls))
    assert result.code in (2, 3), result  # noticed while reading the file, or by the first handshake
    assert "ca.pem" in result.err or re.search(r"certificate|CA", result.err)
    assert sim_tls.requests == []


def test_plain_http_on_a_tls_port(gate: Gate, sim_tls: Simulator) -> None:
    assert gate(k6_run(sim_tls, base_url=f"http://127.0.0.1:{sim_tls.port}")).code in (3, 6)
    assert sim_tls.requests == []


def test_tls_on_a_plain_port(gate: Gate) -> None:
    with Simulator() as plain:
        assert gate(http_section(connect_timeout="300ms") + k6_run(plain, base_url=f"https://127.0.0.1:{plain.port}")).code == 3
        assert plain.starts() == []


def test_tls_start_lost(gate: Gate, sim_tls: Simulator, certificates: Certificates) -> None:
    sim_tls.fault("start", "drop_before", "*")
    result = gate(http_section(ca_file=certificates.ca) + k6_run(sim_tls))
    assert result.code == 6 and len(sim_tls.starts()) == 1


# --- origins -------------------------------------------------------------------------------------------------------------

REFUSED = {
    "http": "http://api.k6.io",
    "http to a private address": "http://10.0.0.1",
    "another host": "https://evil.example",
    "another port": "https://api.k6.io:8443",
    "own name in front": "https://api.k6.io.evil.example",
    "own name as user": "https://api.k6.io@evil.example",
    "own name as user and password": "https://api.k6.io:443@evil.example",
    "own name behind": "https://evil.example/https://api.k6.io",
    "own name as fragment": "https://evil.example#@api.k6.io",
    "own name behind a backslash": "https://evil.example\\@api.k6.io",
    "a subdomain": "https://x.api.k6.io",
    "loopback in front": "http://127.0.0.1.evil.example",
    "localhost in front": "http://localhost.evil.example",
    "loopback as user": "http://127.0.0.1@evil.example",
    "localhost as user": "http://localhost:80@evil.example",
    "ftp": "ftp://api.k6.io",
    "file": "file:///etc/passwd",
    "gopher": "gopher://127.0.0.1",
    "no scheme": "//api.k6.io",
    "any address": "http://0.0.0.0.evil.example",
}


@pytest.mark.parametrize("command", ["check", "run"])
@pytest.mark.parametrize("url", REFUSED.values(), ids=REFUSED)
def test_a_secret_does_not_go_there(gate: Gate, url: str, command: str) -> None:
    result = gate(k6_run(None, base_url=url), command)
    assert result.code == 2, result
    assert "rungate.ini:" in result.err


def test_the_message_tells_the_way_out(gate: Gate) -> None:
    result = gate(k6_run(None, base_url="https://evil.example"), "check")
    assert "evil.example" in result.err and "--allow-origin" in result.err


ALLOWED = ["https://api.k6.io", "https://API.K6.IO", "https://api.k6.io:443", "https://api.k6.io/", "http://127.0.0.1:9", "http://localhost:9",
           "http://[::1]:9", "https://localhost:9"]


@pytest.mark.parametrize("url", ALLOWED)
def test_a_secret_may_go_there(gate: Gate, url: str) -> None:
    assert gate(k6_run(None, base_url=url), "check").code == 0


@pytest.mark.parametrize("allowed, code", [("https://mirror.example", 0), ("https://mirror.example:443", 0), ("https://MIRROR.example/", 0),
                                           ("https://other.example", 2), ("https://mirror.example:444", 2), ("https://example", 2),
                                           ("http://mirror.example", 2)])
def test_allow_origin(gate: Gate, allowed: str, code: int) -> None:
    assert gate(k6_run(None, base_url="https://mirror.example/k6"), "check", "--allow-origin", allowed).code == code


def test_allow_origin_twice(gate: Gate) -> None:
    pipeline = k6_run(None, "a", base_url="https://a.example") + k6_run(None, "b", base_url="https://b.example")
    assert gate(pipeline, "check", "--allow-origin", "https://a.example", "--allow-origin", "https://b.example").code == 0
    assert gate(pipeline, "check", "--allow-origin", "https://a.example").code == 2


@pytest.mark.parametrize("url", ["http://mirror.example", "http://10.1.2.3"])
def test_http_is_for_loopback_whatever_is_allowed(gate: Gate, url: str) -> None:
    assert gate(k6_run(None, base_url=url), "check", "--allow-origin", url).code == 2


def test_the_origin_is_no_matter_of_the_pipeline_file(gate: Gate) -> None:
    """Who can change the pipeline file must not be able to send the secret elsewhere."""
    for text in ("[gate]\nallow_origin = https://evil.example\n", "[http]\nallow_origin = https://evil.example\n"):
        assert gate(text + k6_run(None, base_url="https://evil.example"), "check").code == 2


# --- secrets on the wire -------------------------------------------------------------------------------------------------


def test_tokens_only_where_they_belong(gate: Gate, sim: Simulator) -> None:
    sim.k6.plan(2, k6_v2.runs_on())
    sim.k6.plan(3, k6_v2.ends(run_status=5, polls=4))
    result = gate(gate_section(require=3) + k6_run(sim, "a", 1) + k6_run(sim, "b", 2, timeout="400ms") + qatech_run(sim))
    assert result.code == 4, result
    assert {r.kind for r in sim.requests} >= {"start", "poll", "details", "cancel"}
    for request in sim.requests:
        token = {"k6-v2": f"Token {K6_TOKEN}", "qatech": f"Bearer {QATECH_TOKEN}"}[request.provider]
        assert [v for k, v in request.headers if k.lower() == "authorization"] == [token]
        rest = request.target + repr([h for h in request.headers if h[0].lower() != "authorization"]) + request.body.decode()
        assert K6_TOKEN not in rest and QATECH_TOKEN not in rest


def test_headers_of_requests(gate: Gate, sim: Simulator) -> None:
    gate(k6_run(sim) + qatech_run(sim))
    for request in sim.requests:
        names = [k.lower() for k, _ in request.headers]
        assert len(names) == len(set(names)), request.headers
        assert "rungate" in (request.header("User-Agent") or "")
        assert request.header("Host") == f"127.0.0.1:{sim.port}"
        assert request.header("Cookie") is None and request.header("Expect") is None
        if request.method == "GET":
            assert request.body == b"" and request.header("Content-Type") is None
    k6, qa = (next(r for r in sim.starts() if r.provider == p) for p in ("k6-v2", "qatech"))
    assert k6.body == b"" and k6.header("Content-Length") == "0"
    assert (qa.header("Content-Type") or "").startswith("application/json") and qa.json()["testPlanShortId"] == "pln_demo1"


@pytest.mark.parametrize("token", ["abc-5ecret\r\nX-Evil: 1", "abc-5ecret\nX-Evil: 1", "abc-5ecret\rX", "abc-5ecret\x01"], ids=repr)
def test_a_token_with_control_characters_is_refused(gate: Gate, sim: Simulator, token: str) -> None:
    result = gate(k6_run(sim), env={"K6_CLOUD_TOKEN": token})
    assert result.code in ((2, 3) if "\x01" in token else (2,)) and sim.requests == [], result


def test_cookies_are_not_kept(gate: Gate, sim: Simulator) -> None:
    sim.k6.plan(1, {"steps": [{"headers": [["Set-Cookie", "a=b; Path=/"]]}, {"set": {"run_status": 3, "processing_status": 2}}]})
    assert gate(k6_run(sim)).code == 0
    assert all(r.header("Cookie") is None for r in sim.requests)


def test_no_proxy_is_honoured(gate: Gate, sim: Simulator) -> None:
    """A token on its way to 127.0.0.1 must not visit a proxy."""
    with Simulator() as proxy:
        env = {"NO_PROXY": "127.0.0.1,localhost", "HTTP_PROXY": proxy.origin, "http_proxy": proxy.origin, "ALL_PROXY": proxy.origin}
        assert gate(k6_run(sim), env=env).code == 0
        assert proxy.connections == 0


# --- sizes ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"chunked": True}], ids=["length", "chunked"])
@pytest.mark.parametrize("limit, mb", [("1M", 3), (None, 40)])
def test_a_body_too_large_is_no_answer(gate: Gate, sim: Simulator, limit: str | None, mb: int, options: dict[str, Any]) -> None:
    sim.fault("poll", "huge", "*", mb=mb, **options)
    result = gate(http_section(max_body=limit) + k6_run(sim), timeout=60)
    assert result.code == 3, result
    assert len(sim.starts()) == 1 and len(sim.cancels()) == 1


def test_a_start_reply_too_large_leaves_it_unknown(gate: Gate, sim: Simulator) -> None:
    sim.fault("start", "huge", mb=3, process=False)
    result = gate(http_section(max_body="1M") + k6_run(sim))
    assert result.code == 6 and len(sim.starts()) == 1, result


def test_a_body_within_the_limit(gate: Gate, sim: Simulator) -> None:
    sim.k6.plan(1, {"steps": [{"set": {"run_status": 3, "processing_status": 2, "script": "x" * 2_000_000}}]})
    assert gate(http_section(max_body="3M") + k6_run(sim)).code == 0


def test_a_gzip_bomb(gate: Gate, sim: Simulator) -> None:
    sim.fault("poll", "gzip_bomb", "*", mb=64)
    assert gate(k6_run(sim), timeout=60).code == 3


def test_a_header_flood(gate: Gate, sim: Simulator) -> None:
    flood = b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: %s\r\n" % (i, b"y" * 1000) for i in range(3000)) + b"Content-Length: 2\r\n\r\n{}"
    sim.fault("poll", "raw", "*", data=flood)
    assert gate(k6_run(sim), timeout=60).code == 3


# --- connections ---------------------------------------------------------------------------------------------------------


def test_one_run_uses_one_connection(gate: Gate, sim: Simulator) -> None:
    sim.k6.plan(1, k6_v2.ends(polls=12))
    assert gate(k6_run(sim)).code == 0
    assert sim.connections == 1


def test_one_run_uses_one_connection_for_its_cancel_too(gate: Gate, sim: Simulator) -> None:
    sim.k6.plan(1, k6_v2.runs_on())
    assert gate(gate_section(timeout="300ms") + k6_run(sim)).code == 4
    assert len(sim.cancels()) == 1 and sim.connections <= 2  # a poll cut off at the deadline takes its connection with it


def test_one_tls_handshake(gate: Gate, sim_tls: Simulator, certificates: Certificates) -> None:
    assert gate(http_section(ca_file=certificates.ca) + qatech_run(sim_tls)).code == 0
    assert sim_tls.connections == 1


def test_a_server_that_closes_every_time(gate: Gate, sim: Simulator) -> None:
    sim.k6.plan(1, k6_v2.ends(polls=5))
    sim.fault("any", "close_after", "*")
    assert gate(k6_run(sim)).code == 0
    assert len(sim.starts()) == 1


def test_max_connections(gate: Gate, sim: Simulator) -> None:
    sim.fault("poll", "delay_ms", "*", ms=30)
    runs = "".join(k6_run(sim, f"r{i}", i) for i in range(1, 17))
    assert gate(http_section(max_connections=3) + runs).code == 0
    assert sim.max_open_connections <= 3


def test_a_thousand_runs_at_once(gate: Gate, sim: Simulator) -> None:
    sim.k6.otherwise(k6_v2.ends(polls=2))
    runs = "".join(section(f"run:r{i}", provider="k6-v2", test_id=i) for i in range(1, 1001))
    defaults = section("defaults", base_url=sim.base_url("k6-v2"), poll_min="200ms", poll_max="2s", outage="20s")
    result = gate(gate_section(max_parallel=1000) + defaults + runs, "run", "--progress", "none", timeout=150)
    assert result.code == 0, result
    assert len(sim.starts()) == 1000 and len(sim.runs) == 1000 and sim.running() == []
    assert sim.max_open_connections <= 40
    assert sim.connections <= 45  # kept, not opened anew
    assert len(result.json()["runs"]) == 1000


def test_qatech_details_are_asked_for_once(gate: Gate, sim: Simulator) -> None:
    sim.qatech.plan("pln_demo1", qatech.ends(polls=6))
    assert gate(qatech_run(sim)).code == 0
    assert len(sim.details()) == 1 and sim.details()[0].params["testCases"] == "all"
    assert all(p.query == "" for p in sim.polls())
