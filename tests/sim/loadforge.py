# SPDX-License-Identifier: MIT
"""Owns: LoadForge's API, version 2, as its page "Start Run", its older pages and its command line tool describe it.

From the documents:
- `Authorization: Bearer TOKEN`.
- POST /run, body {"test_id": integer, "duration": minutes, 2 to 720}, both required; 200 {"run_id": integer}; 400 {"error":
  integer, "message"}. The vendor's tools read the id under three other names as well: "result_id", "run.id" and "id"; a plan
  chooses one with "id_name".
- GET /result/{id}: run_status 0 to 2 is on the way, 3 finished, 4 to 7 ended otherwise; `run_passed` and `cancelled` are
  booleans; the figures come as strings, "failures" as "0(0.00%)".
- POST /run/cancel/{id} answers {"run_id", "status": "Cancelled"} (older pages only).
- GET /results lists results, bare, without filter or paging.
Not documented, chosen here: run_passed is null before the end; 401 and 404 in the shape of 400; 400 for cancelling what is over.
"""

from __future__ import annotations

import itertools
import json
import time
from typing import Any, Mapping

from sim.messages import Request, Response
from sim.runs import UNSET, Provider, Route, Run

FIGURES = {"requests": "1279", "failures": "0(0.00%)", "response_median": "26", "response_avg": "29", "response_min": "18",
           "response_max": "130", "reqs_per_second": "7.12", "fails_per_second": "0.00"}


def ends(run_status: Any = 3, run_passed: Any = True, cancelled: Any = False, polls: int = 1, **more: Any) -> dict[str, Any]:
    """A plan: running for `polls` polls, then the state given."""
    return {"steps": [{"set": {"run_status": 2, "run_passed": None}},
                      {"after_polls": polls, "set": {"run_status": run_status, "run_passed": run_passed, "cancelled": cancelled}}], **more}


def runs_on(**more: Any) -> dict[str, Any]:
    """A plan: running for ever, unless cancelled."""
    return {"steps": [{"set": {"run_status": 2, "run_passed": None}}], **more}


def stamp(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds % 1 * 1e6):06d}Z"


def is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


class LoadForge(Provider):
    name = "loadforge"
    prefix = "/api/v2"
    routes = (
        Route("POST", r"/run", "start", "start"),
        Route("POST", r"/run/cancel/(?P<run_id>[^/]+)", "cancel", "stop"),
        Route("GET", r"/result/(?P<run_id>[^/]+)", "poll", "read"),
        Route("GET", r"/results", "find", "list_runs"),
    )
    default_plan = ends()

    def __init__(self) -> None:
        super().__init__()
        self._ids = itertools.count(1301)

    def authorize(self, request: Request) -> Response | None:
        return None if self.check_authorization(request, "Bearer") else self.error(401, "Unauthenticated.")

    def error(self, status: int, message: str) -> Response:
        return Response(status, {"error": status, "message": message})

    def is_over(self, fields: Mapping[str, Any]) -> bool:
        status = fields.get("run_status")
        return is_integer(status) and status >= 3

    def document(self, run: Run) -> dict[str, Any]:
        started = time.time() - (time.monotonic() - run.started_at)
        over = self.is_over(run.fields)
        return {
            "id": int(run.id), "test_id": int(run.key), "created_at": stamp(started), "updated_at": stamp(time.time()),
            "run_status": 0, "run_passed": None, "cancelled": False, "duration": run.start_request.json().get("duration"),
            **(FIGURES if over else dict.fromkeys(FIGURES)),
            "results_csv_stats": "", "results_csv_history": "", "results_csv_failures": "", **run.fields,
        }

    def start(self, request: Request) -> Response:
        if (request.header("Content-Type") or "").split(";")[0].strip() != "application/json":
            return self.error(400, "Content-Type must be application/json")
        try:
            body = json.loads(request.body)
        except ValueError:
            return self.error(400, "The body is not JSON")
        if not isinstance(body, dict):
            return self.error(400, "The body must be an object")
        for name in ("test_id", "duration"):
            if not is_integer(body.get(name)):
                return self.error(400, f"{name} is required and must be an integer")
        if not 2 <= body["duration"] <= 720:
            return self.error(400, "duration must be from 2 to 720 minutes")
        run = self.new_run(request, str(next(self._ids)), str(body["test_id"]))
        if run.plan.start_body is not UNSET:
            return Response(200, run.plan.start_body)
        name = str(run.plan.extra.get("id_name", "run_id"))
        return Response(200, {"run": {"id": int(run.id)}} if name == "run.id" else {name: int(run.id)})

    def read(self, request: Request, run_id: str) -> Response:
        request.run = run_id
        run = self.runs.get(run_id)
        if run is None:
            return self.error(404, "Result not found")
        run.poll(request.at)
        body = self.document(run)
        for name in run.step.drop:
            body.pop(name, None)
        return run.reply(body)

    def list_runs(self, request: Request) -> Response:
        for run in self.runs.values():
            run.advance(request.at)
        return Response(200, [self.document(r) for r in self.runs.values()])

    def stop(self, request: Request, run_id: str) -> Response:
        request.run = run_id
        run = self.runs.get(run_id)
        if run is None:
            return self.error(404, "Run not found")
        run.advance(request.at)
        over = run.is_over()
        run.stop(request.at, {"run_status": 5, "cancelled": True})
        if over and run.plan.stop_over != 200:
            return self.error(run.plan.stop_over or 400, "The run is over")
        return Response(200, {"run_id": int(run_id), "status": "Cancelled"})


PROVIDER = LoadForge
