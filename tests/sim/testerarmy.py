# SPDX-License-Identifier: MIT
"""Owns: TesterArmy's API, tests and groups, as its page "Trigger a test run" and its OpenAPI file describe it.

From the documents:
- `Authorization: Bearer KEY`; ids are UUIDs.
- POST /tests/{id}/runs, body optional; 202 {"status": "queued", "runId", "testId"}.
- POST /groups/{id}/runs, body optional; 202 {"status", "groupId", "batchId", "runIds", "queuedRunIds", "cancelledRunIds",
  "count"}; status is "cancelled" when every run was rejected at once, else "queued".
- GET /runs/{id}: status is queued, running, completed, failed or cancelled; output is a TestOutput (result PASS or FAILED), or
  {"kind": "planner_skipped", "reason"}, or null; error {"code", "message"} where the run itself failed.
- POST /runs/{id}/cancel: 200 {"id", "status": "cancelled"}; 409 when it is over.
- GET /runs?testId=&projectId=&status=&limit=1..100&cursor=: {"runs", "nextCursor"}.
- Errors: {"error", "message"}; 429 "Usage limit exceeded" anywhere.
Not documented, chosen here: runIds names the rejected runs too; 404 for an unknown test; lists are newest first.

Plans are chosen by the test's or the group's id. A group's plan may hold "members", the plans of its runs (else it has one run,
which follows the group's own plan), and "refused", how many runs are rejected besides.
"""

from __future__ import annotations

import itertools
import json
import re
import time
from typing import Any, Mapping

from sim.messages import Request, Response, iso
from sim.runs import UNSET, Plan, Provider, Route, Run

OVER = ("completed", "failed", "cancelled")
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
TEST = "7f1d3a52-0000-4000-8000-000000000001"
GROUP = "9a1d3a52-0000-4000-8000-000000000001"


def step(title: str, status: Any = "passed", index: int = 0, begin: int = 0, end: int = 1800, **more: Any) -> dict[str, Any]:
    """An entry of output.steps."""
    return {"stepIndex": index, "title": title, "type": "act", "status": status, "error": None,
            "startedAtMs": begin, "completedAtMs": end, **more}


def issue(name: str, **more: Any) -> dict[str, Any]:
    """An entry of output.issues."""
    return {"type": "issue", "name": name, "description": f"{name}, in detail", "url": "https://example.com/", "severity": 4, **more}


def report(result: Any = "PASS", steps: Any = UNSET, issues: Any = (), **more: Any) -> dict[str, Any]:
    """A TestOutput. Without `steps` there is one, that goes with the result."""
    if steps is UNSET:
        steps = [step("Open /pricing", "passed" if result == "PASS" else "failed")]
    made = {"featureName": "Checkout", "result": result, "description": f"Checkout was tested: {result}", "screenshots": [],
            "issues": list(issues), **more}
    return made if steps is None else {**made, "steps": steps}


def ends(status: Any = "completed", result: Any = "PASS", polls: int = 1, output: Any = UNSET, error: Any = None,
         steps: Any = UNSET, issues: Any = (), **more: Any) -> dict[str, Any]:
    """A plan: running for `polls` polls, then the state given. `output` replaces the one made of result, steps and issues."""
    if output is UNSET:
        output = report(result, steps, issues) if status == "completed" else None
    final = {"status": status, "output": output, "error": error}
    return {"steps": [{"set": {"status": "running"}}, {"after_polls": polls, "set": final}], **more}


def skips(reason: str = "Nothing to see in the browser", polls: int = 1, **more: Any) -> dict[str, Any]:
    """A plan: the agent chooses to test nothing."""
    return ends(output={"kind": "planner_skipped", "reason": reason}, polls=polls, **more)


def runs_on(**more: Any) -> dict[str, Any]:
    """A plan: running for ever, unless cancelled."""
    return {"steps": [{"set": {"status": "running"}}], **more}


class Invalid(Exception):
    """A body the schema does not allow."""


def _need(ok: bool, what: str) -> None:
    if not ok:
        raise Invalid(what)


def _choice(body: Mapping[str, Any], name: str, *choices: str) -> None:
    _need(name not in body or body[name] in choices, f"{name} must be one of {', '.join(choices)}")


def _uuid(body: Mapping[str, Any], name: str) -> None:
    _need(name not in body or (isinstance(body[name], str) and UUID.fullmatch(body[name]) is not None), f"{name} must be a UUID")


def _text(body: Mapping[str, Any], name: str) -> None:
    _need(name not in body or (isinstance(body[name], str) and body[name] != ""), f"{name} must be a text that is not empty")


def _uri(body: Mapping[str, Any], name: str) -> None:
    _need(name not in body or (isinstance(body[name], str) and re.match(r"[a-z]+://[^ ]", body[name]) is not None), f"{name} must be a URI")


def validate_test(body: Any) -> None:
    """The body of a test's start. Unknown fields are allowed there, so they are here."""
    _need(isinstance(body, dict), "The body must be an object")
    _choice(body, "mode", "fast", "deep")
    _choice(body, "platform", "web", "ios", "android")
    _choice(body, "deviceModel", "iphone", "ipad")
    _uuid(body, "appId")
    _uuid(body, "projectEnvironmentId")


def validate_group(body: Any) -> None:
    """The body of a group's start."""
    _need(isinstance(body, dict), "The body must be an object")
    _choice(body, "platform", "web", "ios", "android")
    _choice(body, "deviceModel", "iphone", "ipad")
    _choice(body, "environment", "production", "staging", "preview", "custom")
    _uuid(body, "projectEnvironmentId")
    _uri(body, "targetUrl")
    _text(body, "commitSha")
    number = body.get("prNumber", 1)
    _need(isinstance(number, int) and not isinstance(number, bool) and number > 0, "prNumber must be an integer above 0")
    if "mobile" in body:
        mobile = body["mobile"]
        names = {"appId", "bundleId", "artifactUrl", "artifactFilename", "buildId"}
        _need(isinstance(mobile, dict) and not set(mobile) - names, f"mobile has no other fields than {', '.join(sorted(names))}")
        _uuid(mobile, "appId")
        _uri(mobile, "artifactUrl")
        for name in ("bundleId", "artifactFilename", "buildId"):
            _text(mobile, name)


class TesterArmy(Provider):
    name = "testerarmy"
    prefix = "/api/v1"
    routes = (
        Route("POST", r"/tests/(?P<test>[^/]+)/runs", "start", "start"),
        Route("POST", r"/groups/(?P<group>[^/]+)/runs", "start", "start_group"),
        Route("POST", r"/runs/(?P<run_id>[^/]+)/cancel", "cancel", "stop"),
        Route("GET", r"/runs/(?P<run_id>[^/]+)", "poll", "read"),
        Route("GET", r"/runs", "find", "list_runs"),
    )
    default_plan = ends()

    def __init__(self) -> None:
        super().__init__()
        self._ids = itertools.count(1)

    def authorize(self, request: Request) -> Response | None:
        return None if self.check_authorization(request, "Bearer") else self.error(401, "Invalid or missing API key")

    def error(self, status: int, message: str) -> Response:
        words = {400: "bad_request", 401: "unauthorized", 404: "not_found", 409: "conflict", 429: "usage_limit_exceeded"}
        return Response(status, {"error": words.get(status, "internal_error"), "message": message})

    def is_over(self, fields: Mapping[str, Any]) -> bool:
        return fields.get("status") in OVER

    def document(self, run: Run) -> dict[str, Any]:
        """A RunResponse; a plan may override any field."""
        started = time.time() - (time.monotonic() - run.started_at)
        over = self.is_over(run.fields)
        grouped = "/groups/" in run.start_request.path
        body = {
            "id": run.id, "type": "test", "status": "queued", "source": "api", "platform": "web", "deviceModel": None,
            "testId": TEST if grouped else run.key, "input": {}, "output": None, "error": None,
            "durationMs": 12345 if over else None, "autoRetryCount": 0, "executionMode": None, "createdAt": iso(started),
            "startedAt": iso(started), "completedAt": iso(time.time()) if over else None,
        }
        return {**body, **run.fields}

    def _uuid(self) -> str:
        return f"{next(self._ids):08x}-2f4c-4c2a-b6a6-8f76a6b9f1a2"

    def _body(self, request: Request) -> Any:
        if not request.body:
            return {}
        _need((request.header("Content-Type") or "").split(";")[0].strip() == "application/json", "Content-Type must be application/json")
        try:
            return json.loads(request.body)
        except ValueError:
            raise Invalid("The body is not JSON") from None

    def start(self, request: Request, test: str) -> Response:
        try:
            _need(UUID.fullmatch(test) is not None, "testId must be a UUID")
            validate_test(self._body(request))
        except Invalid as e:
            return self.error(400, str(e))
        run = self.new_run(request, self._uuid(), test)
        if run.plan.start_body is not UNSET:
            return Response(202, run.plan.start_body)
        return Response(202, {"status": "queued", "runId": run.id, "testId": test})

    def start_group(self, request: Request, group: str) -> Response:
        try:
            _need(UUID.fullmatch(group) is not None, "groupId must be a UUID")
            validate_group(self._body(request))
        except Invalid as e:
            return self.error(400, str(e))
        plans = self.plans.get(group) or [self.default]
        plan = plans.pop(0) if len(plans) > 1 else plans[0]
        members = [Plan.make(p) for p in plan.extra.get("members", [plan])]
        queued, refused = [], []
        for member in members:
            run = Run(self, self._uuid(), group, member, request)
            self.runs[run.id] = run
            queued.append(run.id)
        for _ in range(int(plan.extra.get("refused", 0))):
            run = Run(self, self._uuid(), group, Plan.make({"steps": [{"set": {"status": "cancelled"}}]}), request)
            self.runs[run.id] = run
            refused.append(run.id)
        request.run = queued[0] if queued else ""
        if plan.start_body is not UNSET:
            return Response(202, plan.start_body)
        return Response(202, {
            "status": "queued" if queued else "cancelled", "groupId": group, "batchId": self._uuid(), "runIds": queued + refused,
            "queuedRunIds": queued, "cancelledRunIds": refused, "count": len(queued) + len(refused)})

    def read(self, request: Request, run_id: str) -> Response:
        request.run = run_id
        if not UUID.fullmatch(run_id):
            return self.error(400, "id must be a UUID")
        run = self.runs.get(run_id)
        if run is None:
            return self.error(404, "Run not found")
        run.poll(request.at)
        body = self.document(run)
        for name in run.step.drop:
            body.pop(name, None)
        return run.reply(body)

    def list_runs(self, request: Request) -> Response:
        params = request.params
        limit, cursor = params.get("limit", "20"), params.get("cursor", "0")
        if not re.fullmatch(r"[1-9]|[1-9][0-9]|100", limit):
            return self.error(400, "limit must be from 1 to 100")
        if "status" in params and params["status"] not in ("queued", "running", *OVER):
            return self.error(400, "status is not one of the states")
        for name in ("testId", "projectId"):
            if name in params and not UUID.fullmatch(params[name]):
                return self.error(400, f"{name} must be a UUID")
        if not cursor.isdigit():
            return self.error(400, "cursor is not one of ours")
        found = []
        for run in reversed(list(self.runs.values())):
            run.advance(request.at)
            found.append(self.document(run))
        for name, field in (("testId", "testId"), ("status", "status")):
            if name in params:
                found = [d for d in found if d[field] == params[name]]
        end = int(cursor) + int(limit)
        return Response(200, {"runs": found[int(cursor):end], "nextCursor": str(end) if end < len(found) else None})

    def stop(self, request: Request, run_id: str) -> Response:
        request.run = run_id
        if not UUID.fullmatch(run_id):
            return self.error(400, "id must be a UUID")
        run = self.runs.get(run_id)
        if run is None:
            return self.error(404, "Run not found")
        run.advance(request.at)
        over = run.is_over()
        run.stop(request.at, {"status": "cancelled"})
        if over and run.plan.stop_over != 200:
            return self.error(run.plan.stop_over or 409, "The run is over and cannot be cancelled")
        return Response(200, {"id": run_id, "status": "cancelled"})


PROVIDER = TesterArmy
