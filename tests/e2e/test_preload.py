# SPDX-License-Identifier: MIT
"""What only a preloaded library can show (tests/preload): that no memory is given back with a secret in it, and that nothing but
reports goes by the wall clock.
"""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest
from harness import GENERIC_TOKEN, K6_TOKEN, Gate, Result, binary, gate_section, http_section, k6_run
from sim import k6_v2
from sim.certs import Certificates
from sim.simulator import Simulator

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
