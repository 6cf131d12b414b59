# SPDX-License-Identifier: MIT
"""Owns: k6 Cloud's load-test API, version 2, as its document "Test Runs" describes it.

From the document:
- POST /loadtests/v2/tests/{id}/start-testrun starts a run and answers {"k6-run": {...}} with its id. No body is documented.
- GET /loadtests/v2/runs/{id} reads it; $select names the fields wanted.
- GET /loadtests/v2/runs?test_id={id} lists the runs of a test: {"k6-runs": [...], "meta": {"count": N}}.
- POST /loadtests/v2/runs/{id}/stop ends it as aborted by user (run_status 5), perhaps a few moments later.
- run_status -2..2 is not over, 3..9 is. result_status is 0 (passed) from the start: a trap worth keeping.
- processing_status: 0 not started, 1 processing, 2 finished, 3 error.
The authorization scheme is `Token`; errors look like {"error": {"message": ..., "code": N}} (the vendor's error reference).
Not documented, chosen here: 200 for every success, 409 for stopping a run that is over.
"""

from __future__ import annotations

import itertools
import time
from typing import Any, Mapping

from sim.messages import Request, Response
from sim.runs import UNSET, Provider, Route, Run

CODES = {400: 2, 401: 5, 403: 4, 404: 3, 405: 7}
"""HTTP status to the error code of the vendor's reference; 1 is "general"."""


def ends(run_status: Any = 3, result_status: Any = 0, processing_status: Any = 2, polls: int = 1, **more: Any) -> dict[str, Any]:
    """A plan: running for `polls` polls, then the state given."""
    final = {"run_status": run_status, "result_status": result_status, "processing_status": processing_status}
    return {"steps": [{"set": {"run_status": 2, "result_status": 0, "processing_status": 1}},
                      {"after_polls": polls, "set": final}], **more}


def runs_on(**more: Any) -> dict[str, Any]:
    """A plan: running for ever, unless stopped."""
    return {"steps": [{"set": {"run_status": 2, "result_status": 0, "processing_status": 1}}], **more}


class K6V2(Provider):
    name = "k6-v2"
    routes = (
        Route("POST", r"/loadtests/v2/tests/(?P<test>[^/]+)/start-testrun", "start", "start"),
        Route("POST", r"/loadtests/v2/runs/(?P<run_id>[^/]+)/stop", "cancel", "stop"),
        Route("GET", r"/loadtests/v2/runs/(?P<run_id>[^/]+)", "poll", "read"),
        Route("GET", r"/loadtests/v2/runs", "find", "list"),
    )
    default_plan = ends()

    def __init__(self) -> None:
        super().__init__()
        self._ids = itertools.count(5_000_000_001)  # wider than 32 bits, as the vendor's may be

    def authorize(self, request: Request) -> Response | None:
        if self.check_authorization(request, "Token"):
            return None
        return self.error(401, "Authentication credentials were not provided or are wrong")

    def error(self, status: int, message: str) -> Response:
        return Response(status, {"error": {"message": message, "code": CODES.get(status, 1)}})

    def is_over(self, fields: Mapping[str, Any]) -> bool:
        status = fields.get("run_status")
        return isinstance(status, int) and status > 2

    def document(self, run: Run) -> dict[str, Any]:
        """The run as the API prints it, state fields last so that a plan may override any of them."""
        started = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - (time.monotonic() - run.started_at)))
        body = {
            "config": {}, "created": started, "duration": 120, "ended": None, "error_code": None, "error_detail": None,
            "id": int(run.id), "k6_archive": None, "load_time": 0.0, "note": "", "organization_id": 1, "project_id": 1,
            "public_id": None, "run_process": "k6 to Cloud", "script": "", "started": started, "stopped_by_id": None,
            "test_id": int(run.key), "user_id": 1, "version": 2, "vus": 200,
            "run_status": -2, "result_status": 0, "processing_status": 0,
        }
        body.update(run.fields)
        for name in run.step.drop:
            body.pop(name, None)
        return body

    def start(self, request: Request, test: str) -> Response:
        if not test.isdigit():
            return self.error(404, "Not found")
        run = self.new_run(request, str(next(self._ids)), test)
        if run.plan.start_body is not UNSET:
            return Response(200, run.plan.start_body)
        fresh = {"run_status": -2, "result_status": 0, "processing_status": 0}
        return Response(200, {"k6-run": {**self.document(run), **fresh}})

    def read(self, request: Request, run_id: str) -> Response:
        request.run = run_id
        run = self.runs.get(run_id)
        if run is None:
            return self.error(404, "Not found")
        run.poll(request.at)
        body = self.document(run)
        wanted = request.params.get("$select")
        if wanted:
            names = [n.strip() for n in wanted.split(",")]
            body = {n: body[n] for n in names if n in body}
        return run.reply({"k6-run": body})

    def list(self, request: Request) -> Response:
        test = request.params.get("test_id")
        found = [r for r in self.runs.values() if test is None or r.key == test]
        for run in found:
            run.advance(request.at)
        return Response(200, {"k6-runs": [self.document(r) for r in found], "meta": {"count": len(found)}})

    def stop(self, request: Request, run_id: str) -> Response:
        request.run = run_id
        run = self.runs.get(run_id)
        if run is None:
            return self.error(404, "Not found")
        run.advance(request.at)
        over = run.is_over()
        run.stop(request.at, {"run_status": 5})
        if over:
            status = run.plan.stop_over or 409
            return Response(200, {}) if status == 200 else self.error(status, "The test run is over")
        return Response(200, {})


PROVIDER = K6V2
