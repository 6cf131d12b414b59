#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Owns: the simulator as a whole. Puts providers, faults and the server together; also the command line.

In a test:

    with Simulator() as sim:
        sim.provider("k6-v2").plan(7, k6_v2.ends(result_status=1))
        sim.fault("poll", "status", status=502)
        ... run the client against sim.base_url("k6-v2") ...
        assert len(sim.starts()) == 1

From a shell, with the same words in a JSON file:

    python3 tests/sim/simulator.py --scenario FILE.json [--tls] --port-file F [--log FILE.jsonl]

A scenario holds one key a provider, with "plans", "default" and "tokens", and "faults": see runs.py and faults.py.
Providers are found by themselves: every module of this folder that binds the name PROVIDER.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import json
import os
import pkgutil
import signal
import sys
import tempfile
import threading
import time
from email.utils import formatdate
from pathlib import Path
from typing import IO, Any, Callable, Mapping

if __package__ in (None, ""):  # run as a script: make `sim` importable
    sys.dont_write_bytecode = True
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import sim as package  # noqa: E402
from sim.certs import Certificates, make_certificates  # noqa: E402
from sim.faults import KINDS, Exchange, Fault  # noqa: E402
from sim.messages import Request, Response  # noqa: E402
from sim.runs import Provider, Run  # noqa: E402
from sim.server import Connection, Gone, Server  # noqa: E402


@functools.cache
def provider_classes() -> list[type[Provider]]:
    """Every provider module of this folder; longest prefix first, so that the one mounted at the root comes last."""
    found = []
    for info in pkgutil.iter_modules(package.__path__):
        if info.name == "simulator":
            continue
        module = importlib.import_module(f"sim.{info.name}")
        if hasattr(module, "PROVIDER"):
            found.append(module.PROVIDER)
    return sorted(found, key=lambda c: (-len(c.prefix), c.name))


class Simulator:
    """All providers on one port, with a record of everything that happened."""

    def __init__(self, scenario: Mapping[str, Any] | None = None, tls: Certificates | None = None, log: IO[str] | None = None) -> None:
        self.tls = tls
        self._log = log
        self.providers: dict[str, Provider] = {c.name: c() for c in provider_classes()}
        self.faults: list[Fault] = []
        self.max_running = 0
        """Most runs that were started and not yet told to be over, at any one time."""
        self._open: set[Run] = set()
        self.server = Server(self._answer, tls)
        if scenario:
            self.configure(scenario)

    # Setting up.

    def configure(self, scenario: Mapping[str, Any]) -> None:
        for key, value in scenario.items():
            if key == "faults":
                self.faults += [Fault.make(f) for f in value]
            elif key in self.providers:
                self.providers[key].configure(value)
            elif not key.startswith("_"):  # "_comment" and the like
                raise ValueError(f"unknown key in the scenario: {key}")

    def provider(self, name: str) -> Provider:
        return self.providers[name]

    @property
    def k6(self) -> Provider:
        return self.providers["k6-v2"]

    @property
    def qatech(self) -> Provider:
        return self.providers["qatech"]

    @property
    def k6_v6(self) -> Provider:
        return self.providers["k6-v6"]

    @property
    def loadforge(self) -> Provider:
        return self.providers["loadforge"]

    @property
    def testerarmy(self) -> Provider:
        return self.providers["testerarmy"]

    @property
    def autonoma(self) -> Provider:
        return self.providers["autonoma"]

    @property
    def generic(self) -> Provider:
        return self.providers["generic"]

    def fault(self, match: str, kind: str, nth: Any = 1, **options: Any) -> Fault:
        """Arrange a fault; see faults.py for the words."""
        fault = Fault.make({"match": match, "kind": kind, "nth": nth, **options})
        with self.server.changed:
            self.faults.append(fault)
        return fault

    def start(self, port: int = 0) -> "Simulator":
        self.server.start(port)
        for provider in self.providers.values():
            provider.origin = self.origin
        return self

    def close(self) -> None:
        self.server.close()

    def __enter__(self) -> "Simulator":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def port(self) -> int:
        return self.server.port

    @property
    def origin(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def base_url(self, name: str) -> str:
        """What a client has to be given as the base URL of a provider."""
        return self.origin + self.providers[name].prefix

    # The record.

    @property
    def requests(self) -> list[Request]:
        with self.server.changed:
            return list(self.server.requests)

    def of_kind(self, kind: str) -> list[Request]:
        return [r for r in self.requests if r.kind == kind]

    def starts(self) -> list[Request]:
        """Every start request, also those dropped before they were processed."""
        return self.of_kind("start")

    def polls(self) -> list[Request]:
        return self.of_kind("poll")

    def details(self) -> list[Request]:
        return self.of_kind("details")

    def cancels(self) -> list[Request]:
        return self.of_kind("cancel")

    def finds(self) -> list[Request]:
        return self.of_kind("find")

    @property
    def runs(self) -> list[Run]:
        """Every run that really exists, in the order of their starts."""
        with self.server.changed:
            runs = [r for p in self.providers.values() for r in p.runs.values()]
            return sorted(runs, key=lambda r: r.start_request.number)

    def running(self) -> list[Run]:
        """The runs that are not over as of now: what a client left behind."""
        with self.server.changed:
            now = time.monotonic()
            return [r for p in self.providers.values() for r in p.unfinished(now)]

    @property
    def connections(self) -> int:
        return self.server.connections

    @property
    def max_open_connections(self) -> int:
        return self.server.max_open_connections

    def wait_for(self, condition: Callable[[], Any], timeout: float = 10.0) -> bool:
        """Wait until the condition holds; false at the timeout. Woken by every change, not by sleeping."""
        deadline = time.monotonic() + timeout
        with self.server.changed:
            while not condition():
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self.server.changed.wait(min(left, 0.02))  # states that change by time alone notify nobody
            return True

    # Answering.

    def _answer(self, connection: Connection, request: Request) -> bool:
        """Route, apply the first fault that is due, answer. True keeps the connection."""
        with self.server.changed:
            provider, route, groups = None, None, {}
            for candidate in self.providers.values():
                found = candidate.find_route(request)
                if found:
                    provider, (route, groups) = candidate, found
                    request.provider, request.kind = provider.name, route.kind
                    request.run = groups.get("run_id", "")
                    break
            due = [f for f in self.faults if f.hit_by(request)]
            fault = due[0] if due else None
            response: Response | None = None
            if fault is None or fault.process:
                if provider is None or route is None:
                    response = Response(404, {"message": f"no such path: {request.method} {request.path}"})
                else:
                    response = provider.handle(request, route, groups)
                    response.headers.append(("Date", formatdate(time.time() + provider.skew, usegmt=True)))
                    request.processed = True
                    self._count_running(provider.runs.get(request.run))
            if fault is not None:
                request.fault = fault.kind
            self.server.changed.notify_all()
        try:
            if fault is not None:
                if fault.then is not None:
                    fault.then()
                return KINDS[fault.kind].act(Exchange(self.server, connection, request, response, provider, fault.options))
            assert response is not None
            request.status = response.status
            connection.send(response.wire())
            return True
        except Gone:
            return False
        finally:
            self._write_log(request)

    def _count_running(self, run: Run | None) -> None:
        if run is None:
            return
        if run.seen_over:
            self._open.discard(run)
        else:
            self._open.add(run)
            self.max_running = max(self.max_running, len(self._open))

    def _write_log(self, request: Request) -> None:
        if self._log is not None:
            with self.server.changed:
                self._log.write(json.dumps(request.record()) + "\n")
                self._log.flush()


def main() -> int:
    parser = argparse.ArgumentParser(description="Play hosted test providers on a loopback port, until told to stop.")
    parser.add_argument("--scenario", type=Path, help="JSON file with plans and faults")
    parser.add_argument("--port", type=int, default=0, help="port to listen on (default: any free one)")
    parser.add_argument("--port-file", type=Path, help="file to write the port to, once listening")
    parser.add_argument("--tls", action="store_true", help="serve HTTPS with a certificate made now")
    parser.add_argument("--ca-file", type=Path, help="with --tls: where to copy the authority's certificate")
    parser.add_argument("--log", type=Path, help="JSON lines, one a request")
    options = parser.parse_args()

    scenario = json.loads(options.scenario.read_text()) if options.scenario else None
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with tempfile.TemporaryDirectory(prefix="sim-") as folder:
        tls = make_certificates(Path(folder)) if options.tls else None
        if tls and options.ca_file:
            options.ca_file.write_bytes(tls.ca.read_bytes())
        log = open(options.log, "w", encoding="utf-8") if options.log else None
        simulator = Simulator(scenario, tls, log)
        simulator.start(options.port)
        try:
            if options.port_file:  # written beside and renamed: a reader never sees half a number
                part = options.port_file.with_name(options.port_file.name + ".part")
                part.write_text(f"{simulator.port}\n")
                os.replace(part, options.port_file)
            else:
                print(simulator.origin, flush=True)
            stop.wait()
        finally:
            simulator.close()
            if log:
                log.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
