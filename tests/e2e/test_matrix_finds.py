# SPDX-License-Identifier: MIT
"""What the matrix found (tests/matrix), each as the smallest case that shows it."""

from __future__ import annotations

import pytest
from harness import Gate, qatech_run
from sim.simulator import Simulator


@pytest.mark.parametrize("status", [500, 501, 303])
def test_a_start_refused_after_it_had_its_effect(gate: Gate, sim: Simulator, status: int) -> None:
    """A server that breaks down may have started the run before. Nobody knows its id, so a person is told where to look."""
    sim.fault("start", "status", status=status, message="Something broke", process=True)
    result = gate(qatech_run(sim))
    assert len(sim.running()) == 1
    assert "a run may exist" in result.err and sim.base_url("qatech") in result.err, result


@pytest.mark.parametrize("status", [400, 401, 402, 409])
def test_a_start_refused_for_good_leaves_no_doubt(gate: Gate, sim: Simulator, status: int) -> None:
    sim.fault("start", "status", status=status, message="Something is wrong with you")
    assert "may exist" not in gate(qatech_run(sim)).err
