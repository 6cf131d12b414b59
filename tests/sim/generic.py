# SPDX-License-Identifier: MIT
"""Owns: a made-up API for testing what belongs to no vendor.

- POST /generic/start            -> {"id": "g1"}; the body may be JSON with "plan", the key of the plan to follow
- GET  /generic/status/ID        -> the next scripted body ({"state": ...} from the plan's fields, or the step's `body`)
- GET  /generic/details/ID       -> {"tests": [...]} from the plan's "tests"
- POST /generic/cancel/ID        -> {} ; 409 when the run is over
- GET  /generic/find?key=KEY     -> {"runs": [{"id", "plan", "created", "state"}]}, the runs started with that "key" in the body
  or as Idempotency-Key; without it all runs
A start that carries an Idempotency-Key seen before answers with the run of then. Any authorization is taken.

The state is over when it is one of OVER; a step may say `over` itself.
"""

from __future__ import annotations

import itertools
import json
import time
from typing import Any, Mapping

from sim.messages import Request, Response, iso
from sim.runs import UNSET, Provider, Route, Run

OVER = ("passed", "failed", "error", "cancelled", "timed_out", "skipped")


def ends(state: Any = "passed", polls: int = 1, **more: Any) -> dict[str, Any]:
    """A plan: running for `polls` polls, then the state given."""
    return {"steps": [{"set": {"state": "running"}}, {"after_polls": polls, "set": {"state": state}}], **more}


def script(*bodies: Any, **more: Any) -> dict[str, Any]:
    """A plan: one body a poll; the last one stays."""
    return {"steps": [{"body": b} for b in bodies], **more}


class Generic(Provider):
    name = "generic"
    prefix = "/generic"
    routes = (
        Route("POST", r"/start", "start", "start"),
        Route("GET", r"/status/(?P<run_id>[^/]+)", "poll", "read"),
        Route("GET", r"/details/(?P<run_id>[^/]+)", "details", "details"),
        Route("POST", r"/cancel/(?P<run_id>[^/]+)", "cancel", "stop"),
        Route("GET", r"/find", "find", "find"),
    )
    default_plan = ends()

    def __init__(self) -> None:
        super().__init__()
        self._ids = itertools.count(1)
        self._keys: dict[str, list[str]] = {}
        self.listed: list[dict[str, Any]] = []
        """More elements for the list of runs: what others have started."""

    def is_over(self, fields: Mapping[str, Any]) -> bool:
        return fields.get("state") in OVER

    def start(self, request: Request) -> Response:
        try:
            body = json.loads(request.body) if request.body else {}
        except ValueError:
            return self.error(400, "the body is not JSON")
        given = body if isinstance(body, dict) else {}
        key = request.header("Idempotency-Key") or given.get("key")
        if request.header("Idempotency-Key") and self._keys.get(str(key)):
            run = self.runs[self._keys[str(key)][0]]
        else:
            run = self.new_run(request, f"g{next(self._ids)}", str(given.get("plan", "")))
            if key is not None:
                self._keys.setdefault(str(key), []).append(run.id)
        if run.plan.start_body is not UNSET:
            return Response(200, run.plan.start_body)
        return Response(201, {"id": run.id, "url": f"{self.origin}{self.prefix}/ui/{run.id}"})

    def read(self, request: Request, run_id: str) -> Response:
        request.run = run_id
        run = self.runs.get(run_id)
        if run is None:
            return self.error(404, "no such run")
        run.poll(request.at)
        return run.reply({"id": run_id, **run.fields})

    def details(self, request: Request, run_id: str) -> Response:
        request.run = run_id
        run = self.runs.get(run_id)
        return self.error(404, "no such run") if run is None else Response(200, {"tests": run.plan.extra.get("tests", [])})

    def stop(self, request: Request, run_id: str) -> Response:
        request.run = run_id
        run = self.runs.get(run_id)
        if run is None:
            return self.error(404, "no such run")
        run.advance(request.at)
        over = run.is_over()
        run.stop(request.at, {"state": "cancelled"})
        return self.error(run.plan.stop_over or 409, "the run is over") if over else Response(200, {})

    def find(self, request: Request) -> Response:
        key = request.params.get("key")
        runs = [r for r in self.runs.values() if key is None or r.id in self._keys.get(key, [])]
        for run in runs:
            run.advance(request.at)
        return Response(200, {"runs": [self.listing(r) for r in runs] + self.listed})

    def listing(self, run: Run) -> dict[str, Any]:
        created = time.time() + self.skew - (time.monotonic() - run.started_at)
        return {"id": run.id, "plan": run.key, "created": iso(created), "state": run.fields.get("state")}


PROVIDER = Generic
