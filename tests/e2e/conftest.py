# SPDX-License-Identifier: MIT
"""Owns: the fixtures. The machinery behind them is in harness.py and in ../sim."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Iterator

import pytest

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import harness  # noqa: E402
from sim.certs import Certificates, make_certificates  # noqa: E402
from sim.simulator import Simulator  # noqa: E402

if harness.brings_an_allocator():  # which cannot be made to fail, and wants to be the first to be loaded
    collect_ignore = ["test_memory.py", "test_preload.py"]


def pytest_configure(config: pytest.Config) -> None:
    # A parallel worker may ignore SIGINT, nohup ignores SIGHUP, and children would inherit that.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture
def sim() -> Iterator[Simulator]:
    """A fresh simulator over HTTP."""
    with Simulator() as simulator:
        yield simulator
        assert simulator.server.internal_errors == []
        assert simulator.server.bad_requests == []


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """A private authority and a server certificate, made once."""
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def sim_tls(certificates: Certificates) -> Iterator[Simulator]:
    """A fresh simulator over HTTPS."""
    with Simulator(tls=certificates) as simulator:
        yield simulator
        assert simulator.server.internal_errors == []


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[harness.Gate]:
    """Runs the program in a folder of its own."""
    if not harness.binary().exists():
        pytest.fail(f"{harness.binary()} is not built")
    instance = harness.Gate(tmp_path)
    yield instance
    instance.close()
