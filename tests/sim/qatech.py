# SPDX-License-Identifier: MIT
"""Owns: QA.tech's run API, as its "Start Run API" page and its OpenAPI file describe it.

From the documents:
- POST /run, `Authorization: Bearer TOKEN`, body optional; every field is optional, those given are checked against the
  schema; 400 {"message"} for what does not fit, also for an empty `notifications`.
- It answers {"success": true, "run": {"id", "shortId", "url", "testCount", "testPlan": {"name", "shortId"}}}.
- GET /run/{shortId} answers id, shortId, status, result (null until there is one) and runTestCases, which is empty
  unless ?testCases=all or ?testCases=failed asks for it; any other value of it is a 400.
- status: INITIATED, RUNNING, COMPLETED, ERROR, CANCELLED; result: PASSED, FAILED, SKIPPED or null.
- There is no cancel, no list and no idempotency key.
"""

from __future__ import annotations

import itertools
import json
import re
from typing import Any, Mapping

from sim.messages import Request, Response
from sim.runs import UNSET, Provider, Route

OVER = ("COMPLETED", "ERROR", "CANCELLED")


def case(name: str, result: Any = "PASSED", status: Any = "COMPLETED", title: Any = None, thought: Any = None, **more: Any) -> dict[str, Any]:
    """An entry of runTestCases."""
    short = re.sub(r"[^a-z0-9]+", "-", name.lower())[:20] or "case"
    return {"id": f"uuid-{short}", "shortId": short, "name": name, "status": status, "result": result, "resultTitle": title,
            "evaluationThought": thought, "promptGoal": None, "promptExamples": None, **more}


def ends(status: Any = "COMPLETED", result: Any = "PASSED", polls: int = 1, cases: Any = UNSET, **more: Any) -> dict[str, Any]:
    """A plan: running for `polls` polls, then the state given. Without `cases` there is one, of the same result."""
    if cases is UNSET:
        cases = [case("Login works", result=result)]
    return {"steps": [{"set": {"status": "RUNNING", "result": None}},
                      {"after_polls": polls, "set": {"status": status, "result": result}}],
            "cases": cases, **more}


def runs_on(**more: Any) -> dict[str, Any]:
    """A plan: running for ever."""
    return {"steps": [{"set": {"status": "RUNNING", "result": None}}], "cases": [case("Login works", result=None, status="RUNNING")], **more}


SHORT_ID = r"(-.+_.+|_.+)$"
"""Every short id of the OpenAPI file is a word and this."""


class Invalid(Exception):
    """A body the schema does not allow."""


def _need(ok: bool, what: str) -> None:
    if not ok:
        raise Invalid(what)


def _text(where: str, value: Any, prefix: str | None = None) -> None:
    _need(isinstance(value, str), f"{where} must be a string")
    if prefix is not None:
        _need(re.match(f"^{prefix}{SHORT_ID}", value) is not None, f"{where} must match ^{prefix}{SHORT_ID}")


def validate(body: Any) -> None:
    """RunRequest of the OpenAPI file. Unknown fields are allowed there, so they are here."""
    _need(isinstance(body, dict), "body must be an object")
    if "trigger" in body:
        _need(body["trigger"] in ("API", "GITHUB"), "trigger must be API or GITHUB")
    for name in ("actor", "branch", "commitHash", "commitMessage", "repository"):
        if name in body:
            _text(name, body[name])
    if "testPlanShortId" in body:
        _text("testPlanShortId", body["testPlanShortId"], "pln")
    if "applications" in body:
        _need(isinstance(body["applications"], list), "applications must be an array")
        for i, app in enumerate(body["applications"]):
            _application(f"applications[{i}]", app)
    if "notifications" in body:
        _need(isinstance(body["notifications"], list), "notifications must be an array")
        _need(len(body["notifications"]) > 0, "notifications must contain at least one element")
        for i, note in enumerate(body["notifications"]):
            _notification(f"notifications[{i}]", note)


def _application(where: str, app: Any) -> None:
    _need(isinstance(app, dict), f"{where} must be an object")
    _need("applicationShortId" in app, f"{where}.applicationShortId is required")
    _text(f"{where}.applicationShortId", app["applicationShortId"], "app")
    if "devicePresetShortId" in app:
        _text(f"{where}.devicePresetShortId", app["devicePresetShortId"], "preset")
    if "environment" in app:
        env = app["environment"]
        _need(isinstance(env, dict) and ("url" in env or "shortId" in env), f"{where}.environment needs url or shortId")
        if "shortId" in env:
            _text(f"{where}.environment.shortId", env["shortId"], "env")
        for name in ("url", "name"):
            if name in env:
                _text(f"{where}.environment.{name}", env[name])


def _notification(where: str, note: Any) -> None:
    _need(isinstance(note, dict), f"{where} must be an object")
    _need(note.get("type") == "slack", f"{where}.type must be slack")
    _need("channel" in note, f"{where}.channel is required")
    _text(f"{where}.channel", note["channel"])
    if "notifyOn" in note:
        _need(note["notifyOn"] in ("failure", "always"), f"{where}.notifyOn must be failure or always")


class QATech(Provider):
    name = "qatech"
    prefix = "/v1"
    routes = (
        Route("POST", r"/run", "start", "start"),
        Route("GET", r"/run/(?P<run_id>[^/]+)", "details", "read", param="testCases"),
        Route("GET", r"/run/(?P<run_id>[^/]+)", "poll", "read"),
    )
    default_plan = ends()

    def __init__(self) -> None:
        super().__init__()
        self._ids = itertools.count(1)

    def authorize(self, request: Request) -> Response | None:
        if self.check_authorization(request, "Bearer"):
            return None
        return self.error(401, "Missing or invalid API key")

    def is_over(self, fields: Mapping[str, Any]) -> bool:
        return fields.get("status") in OVER

    def start(self, request: Request) -> Response:
        body: Any = {}
        try:
            if request.body:
                _need((request.header("Content-Type") or "").split(";")[0].strip() == "application/json",
                      "Content-Type must be application/json")
                body = json.loads(request.body)
            validate(body)
        except Invalid as e:
            return self.error(400, str(e))
        except ValueError:
            return self.error(400, "Malformed JSON in request body")
        plan_id = body.get("testPlanShortId", "pln_default")
        short = f"run{next(self._ids):03d}"
        run = self.new_run(request, short, plan_id)
        if run.plan.start_body is not UNSET:
            return Response(200, run.plan.start_body)
        return Response(200, {"success": True, "run": {
            "id": f"550e8400-e29b-41d4-a716-{int(short[3:]):012d}", "shortId": short,
            "url": f"https://app.qa.tech/p/demo/results/{short}", "testCount": len(run.plan.extra.get("cases") or []),
            "testPlan": {"name": f"Plan {plan_id}", "shortId": plan_id}}})

    def read(self, request: Request, run_id: str) -> Response:
        request.run = run_id
        wanted = request.params.get("testCases")
        if wanted not in (None, "all", "failed"):
            return self.error(400, "testCases must be failed or all")
        run = self.runs.get(run_id)
        if run is None:
            return self.error(404, "Run not found")
        run.poll(request.at)
        cases: Any = []
        if wanted:
            cases = run.plan.extra.get("cases")
        if wanted == "failed":
            cases = [c for c in cases if c.get("result") in ("FAILED", "SKIPPED") or c.get("status") == "ERROR"]
        body = {"id": f"550e8400-e29b-41d4-a716-{int(run_id[3:]):012d}", "shortId": run_id,
                "status": "INITIATED", "result": None, "runTestCases": cases}
        body.update(run.fields)
        for name in run.step.drop:
            body.pop(name, None)
        return run.reply(body)


PROVIDER = QATech
