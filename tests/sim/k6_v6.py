# SPDX-License-Identifier: MIT
"""Owns: Grafana Cloud k6's API, version 6, as its OpenAPI file (1.12.0) describes it.

From the document:
- `Authorization: Bearer TOKEN`, and X-Stack-Id, an integer, on every request.
- POST /cloud/v6/load_tests/{id}/start has no body and answers 200 with the run and test_run_details_page_url. The header
  K6-Idempotency-Key, 1 to 36 characters, prevents a second start when a request is repeated within ten minutes.
- GET /cloud/v6/test_runs/{id} answers the run; POST .../abort answers 204, or 409 for a run that does not run.
- GET /cloud/v6/load_tests/{id}/test_runs lists: {"value": [...], "@count": N, "@nextLink": ...}, with $count, $orderby
  (created only), $skip, $top (at most 1000), created_after, created_before, is_starred.
- status is created, queued, initializing, running, processing_metrics, completed or aborted; the last two are ends. result
  is null before, then passed, failed or error. status_details.extra tells who aborted, and why.
- Errors: {"error": {"message", "code" (a string), "target", "details"}}.
Not documented, chosen here: a repeated key answers the run of the first start; 403 for a stack that is not one of `stacks`;
400 for a missing header or a body; a run aborted through the API has the result "error".
"""

from __future__ import annotations

import itertools
import re
import time
from typing import Any, Mapping

from sim.messages import Request, Response
from sim.runs import UNSET, Provider, Route, Run

OVER = ("completed", "aborted")
CODES = {400: "validation", 401: "unauthorized", 403: "permission_denied", 404: "not_found", 409: "conflict"}
INT64 = re.compile(r"[0-9]{1,19}")


def iso(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def details(status: Any, by_user: str | None = None, message: str | None = None, code: int | None = None) -> dict[str, Any]:
    """status_details; the extra part only where there is something to say."""
    said = {"by_user": by_user, "message": message, "code": code}
    return {"type": status, "entered": iso(time.time()), "extra": said if any(v is not None for v in said.values()) else None}


def state(status: Any, result: Any = None, by_user: str | None = None, message: str | None = None,
          code: int | None = None) -> dict[str, Any]:
    """The fields of a state: status and result, and all that hangs on them."""
    about = None if result is None else {"type": result, "message": message, "code": code}
    return {"status": status, "status_details": details(status, by_user, message, code), "result": result, "result_details": about}


def ends(status: Any = "completed", result: Any = "passed", polls: int = 1, by_user: str | None = None, message: str | None = None,
         code: int | None = None, **more: Any) -> dict[str, Any]:
    """A plan: running for `polls` polls, then the state given."""
    return {"steps": [{"set": state("running")},
                      {"after_polls": polls, "set": state(status, result, by_user, message, code)}], **more}


def runs_on(**more: Any) -> dict[str, Any]:
    """A plan: running for ever, unless aborted."""
    return {"steps": [{"set": state("running")}], **more}


class K6V6(Provider):
    name = "k6-v6"
    routes = (
        Route("POST", r"/cloud/v6/load_tests/(?P<test>[^/]+)/start", "start", "start"),
        Route("GET", r"/cloud/v6/load_tests/(?P<test>[^/]+)/test_runs", "find", "list_runs"),
        Route("POST", r"/cloud/v6/test_runs/(?P<run_id>[^/]+)/abort", "cancel", "abort"),
        Route("GET", r"/cloud/v6/test_runs/(?P<run_id>[^/]+)", "poll", "read"),
    )
    default_plan = ends()

    def __init__(self) -> None:
        super().__init__()
        self._ids = itertools.count(6_000_000_001)  # wider than 32 bits: ids are int64
        self._keys: dict[str, tuple[str, float]] = {}
        self.stacks: set[str] | None = None
        """Stacks the token may ask about; None accepts any."""
        self.estimated_duration: int | None = None

    def authorize(self, request: Request) -> Response | None:
        if not self.check_authorization(request, "Bearer"):
            return self.error(401, "Invalid token or authentication scheme")
        stack = request.header("X-Stack-Id") or ""
        if request.header_count("X-Stack-Id") != 1 or not INT64.fullmatch(stack):
            return self.error(400, "X-Stack-Id must be an integer")
        if self.stacks is not None and stack not in self.stacks:
            return self.error(403, "The token has no access to this stack")
        return None

    def error(self, status: int, message: str) -> Response:
        return Response(status, {"error": {"message": message, "code": CODES.get(status, "unexpected"), "target": None, "details": None}})

    def is_over(self, fields: Mapping[str, Any]) -> bool:
        return fields.get("status") in OVER

    def document(self, run: Run) -> dict[str, Any]:
        """The run as the API prints it; a plan may override any field."""
        now = time.time()
        created = now - (time.monotonic() - run.started_at)
        fields = {**state("created"), **run.fields}
        history = [{"type": "created", "entered": iso(created)}]
        if fields["status"] != "created":
            history.append(fields["status_details"])
        return {
            "id": int(run.id), "test_id": int(run.key), "project_id": 12, "started_by": "user@example.com", "created": iso(created),
            "ended": iso(now) if self.is_over(fields) else None, "note": "", "retention_expiry": None, "cost": None,
            "status_history": history, "distribution": None, "options": None, "k6_dependencies": {}, "k6_versions": {"k6": "v2.2.0"},
            "max_vus": 10, "max_browser_vus": 0, "estimated_duration": self.estimated_duration,
            "execution_duration": int(now - created), "is_starred": False, **fields,
        }

    def start(self, request: Request, test: str) -> Response:
        if request.body:
            return self.error(400, "A start has no body")
        if not INT64.fullmatch(test):
            return self.error(404, "Not found")
        key = request.header("K6-Idempotency-Key")
        if key is not None and not 1 <= len(key) <= 36:
            return self.error(400, "K6-Idempotency-Key must have 1 to 36 characters")
        known = self._keys.get(key) if key is not None else None
        if known is not None and request.at - known[1] < 600:
            run = self.runs[known[0]]
            request.run = run.id
        else:
            run = self.new_run(request, str(next(self._ids)), test)
            if key is not None:
                self._keys[key] = (run.id, request.at)
        if run.plan.start_body is not UNSET:
            return Response(200, run.plan.start_body)
        page = f"https://example.grafana.net/a/k6-app/runs/{run.id}"
        return Response(200, {**self.document(run), **state("created"), "ended": None, "estimated_duration": None,
                              "test_run_details_page_url": page})

    def read(self, request: Request, run_id: str) -> Response:
        request.run = run_id
        run = self.runs.get(run_id)
        if run is None:
            return self.error(404, "Not found")
        run.poll(request.at)
        body = self.document(run)
        for name in run.step.drop:
            body.pop(name, None)
        return run.reply(body)

    def list_runs(self, request: Request, test: str) -> Response:
        params = request.params
        order = params.get("$orderby", "created")
        if order not in ("created", "created asc", "created desc"):
            return self.error(400, "$orderby: only created can be ordered by")
        top, skip = params.get("$top", "1000"), params.get("$skip", "0")
        if not top.isdigit() or not skip.isdigit() or int(top) > 1000:
            return self.error(400, "$top must be an integer of at most 1000, $skip an integer")
        found = [r for r in self.runs.values() if r.key == test]
        for run in found:
            run.advance(request.at)
        documents = [self.document(r) for r in found]
        if "created_after" in params:
            documents = [d for d in documents if d["created"] >= params["created_after"][:19]]
        if order == "created desc":
            documents.reverse()
        body: dict[str, Any] = {"value": documents[int(skip):int(skip) + int(top)]}
        if params.get("$count") == "true":
            body["@count"] = len(documents)
        if int(skip) + int(top) < len(documents):
            body["@nextLink"] = f"{self.origin}{request.raw_path}?$skip={int(skip) + int(top)}&$top={top}"
        return Response(200, body)

    def abort(self, request: Request, run_id: str) -> Response:
        request.run = run_id
        run = self.runs.get(run_id)
        if run is None:
            return self.error(404, "Not found")
        run.advance(request.at)
        over = run.is_over()
        run.stop(request.at, state("aborted", "error", by_user="user@example.com", message="Aborted by user"))
        if over and run.plan.stop_over != 204:
            return self.error(run.plan.stop_over or 409, "Cannot abort a non-running test")
        return Response(204)


PROVIDER = K6V6
