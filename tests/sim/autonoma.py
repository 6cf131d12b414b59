# SPDX-License-Identifier: MIT
"""Owns: Autonoma's API, tests, folders and tags, as its page "Run Test by ID API" and its OpenAPI file describe it.

From the documents:
- Two headers on every request, autonoma-client-id and autonoma-client-secret.
- POST /test/{id}/run -> 200 {"message", "url", "run_id"}; POST /folder/{id}/run -> 200 with folder_run_id; POST /tag/{id}/run
  -> 201 with tag_run_id. The body is optional; one for a test must have an "id" (the document says no more of it).
- GET /run/{id}/status and GET /run/folder/{id}/status -> {"status", "url"}; status is pending, running, passed or failed.
- GET /run/{id}?steps=&media= -> the run; GET /run?test=&folder=&status=&limit=1..100&offset=&steps=&media= -> a bare array.
- There is no cancel and no idempotency key.
- Errors: {"error", "message"}.
From the vendor's action only: GET /run/tag/{id}/status; "recursive" and "application_versions" in a body.
Not documented, chosen here: ended_at is missing before the end, for it cannot be null; the list is newest first;
metadata.source repeats the source of the start ("api" without one); 400 for a query or body that does not fit the schema.

Plans are chosen by the id of test, folder or tag. A plan's "run_steps" are the steps of a test's run; "members" are the runs of
a folder's or tag's tests, as made by member(); "id_name" is another name for the id in the reply to a start.
"""

from __future__ import annotations

import itertools
import json
import time
from typing import Any, Mapping

from sim.messages import Request, Response, iso
from sim.runs import UNSET, Provider, Route, Run

OVER = ("passed", "failed")
STATES = ("pending", "running", "passed", "failed")
ID_NAMES = {"test": "run_id", "folder": "folder_run_id", "tag": "tag_run_id"}


def step(instruction: str, status: Any = "passed", **more: Any) -> dict[str, Any]:
    """An entry of a run's steps."""
    return {"id": f"step-{len(instruction)}", "instruction": instruction, "interaction": "click", "output": f"{instruction}: {status}",
            "status": status, "url": "https://app.example.com/", **more}


def member(name: str, status: Any = "passed", **more: Any) -> dict[str, Any]:
    """The run of one test of a folder."""
    return {"name": name, "status": status, **more}


def ends(status: Any = "passed", polls: int = 1, run_steps: Any = UNSET, **more: Any) -> dict[str, Any]:
    """A plan: running for `polls` polls, then the state given. Without `run_steps` there is one, of the same state."""
    if run_steps is UNSET:
        run_steps = [step("Log in", status)]
    return {"steps": [{"set": {"status": "running"}}, {"after_polls": polls, "set": {"status": status}}], "run_steps": run_steps, **more}


def runs_on(**more: Any) -> dict[str, Any]:
    """A plan: running for ever."""
    return {"steps": [{"set": {"status": "running"}}], "run_steps": [step("Log in", "pending")], **more}


class Invalid(Exception):
    """A body the schema does not allow."""


def _need(ok: bool, what: str) -> None:
    if not ok:
        raise Invalid(what)


def validate(body: Any, kind: str) -> None:
    """RunTestRequest, RunFolderRequest, RunTagRequest. Unknown fields are allowed there, so they are here."""
    _need(isinstance(body, dict), "The body must be an object")
    if kind == "test":
        _need("id" in body, "id is required")
    for name in ("id", "application_version_id", "source"):
        _need(name not in body or isinstance(body[name], str), f"{name} must be a string")
    variables = body.get("runtime_metadata", {})
    _need(isinstance(variables, dict) and all(isinstance(v, str) for v in variables.values()),
          "runtime_metadata must be an object of strings")
    _need(isinstance(body.get("recursive", True), bool), "recursive must be a boolean")
    versions = body.get("application_versions", [])
    _need(isinstance(versions, list), "application_versions must be an array")
    for version in versions:
        _need(isinstance(version, dict) and isinstance(version.get("application_id"), str)
              and isinstance(version.get("application_version_ids"), list),
              "application_versions needs application_id and application_version_ids")


class Autonoma(Provider):
    name = "autonoma"
    prefix = "/api"
    routes = (
        Route("POST", r"/(?P<kind>test|folder|tag)/(?P<target>[^/]+)/run", "start", "start"),
        Route("GET", r"/run/(?:folder/|tag/)?(?P<run_id>[^/]+)/status", "poll", "read"),
        Route("GET", r"/run/(?P<run_id>[^/]+)", "details", "details"),
        Route("GET", r"/run", "details", "list_runs", param="steps"),
        Route("GET", r"/run", "find", "list_runs"),
    )
    default_plan = ends()

    def __init__(self) -> None:
        super().__init__()
        self._ids = itertools.count(1)
        self._kinds: dict[str, str] = {}

    def authorize(self, request: Request) -> Response | None:
        for name in ("autonoma-client-id", "autonoma-client-secret"):
            value = request.header(name) or ""
            if request.header_count(name) != 1 or not value:
                return self.error(401, "Invalid authentication credentials")
        if self.tokens is not None and request.header("autonoma-client-secret") not in self.tokens:
            return self.error(401, "Invalid authentication credentials")
        return None

    def error(self, status: int, message: str) -> Response:
        words = {400: "Bad Request", 401: "Unauthorized", 404: "Not found"}
        return Response(status, {"error": words.get(status, "Internal Server Error"), "message": message})

    def _not_found(self, run_id: str) -> Response:
        return self.error(404, f"Resource with id `{run_id}` not found")

    def is_over(self, fields: Mapping[str, Any]) -> bool:
        return fields.get("status") in OVER

    def _url(self, run: Run) -> str:
        kind = self._kinds[run.id]
        return f"https://autonoma.app/run/{run.id}" if kind == "test" else f"https://autonoma.app/run/{kind}/{run.id}"

    def _asked(self, run: Run) -> dict[str, Any]:
        return run.start_request.json() if run.start_request.body else {}

    def document(self, run: Run, **fields: Any) -> dict[str, Any]:
        """A TestRun without steps."""
        started = time.time() - (time.monotonic() - run.started_at)
        asked = self._asked(run)
        over = self.is_over({**run.fields, **fields})
        return {
            "id": run.id, "name": f"Test {run.key}", "test_id": run.key, "status": "pending", "created_at": iso(started),
            **({"ended_at": iso(time.time())} if over else {}), "folder_run_id": None, "job_run_id": None, "job_id": None,
            "folder": None, "video_url": None,
            "metadata": {"source": asked.get("source", "api"), "version": "STG", "architecture": "web",
                         "application_version_id": asked.get("application_version_id", "cm7dbowr80042waka7thyjhkq")},
            **run.fields, **fields,
        }

    def _members(self, run: Run) -> list[tuple[dict[str, Any], Any]]:
        """The runs of a folder's or tag's tests, each with its steps."""
        folder = self._kinds[run.id] == "folder"
        made = []
        for i, given in enumerate(run.plan.extra.get("members", [])):
            fields = {"id": f"{run.id}m{i}", "test_id": f"t{i}", "folder_run_id": run.id if folder else None,
                      "folder": {"id": run.key, "name": "Checkout"} if folder else None, **given}
            made.append((self.document(run, **fields), [step(given["name"], given["status"])]))
        return made

    def _test_runs(self, now: float) -> list[tuple[dict[str, Any], Any]]:
        """Every run of a test, newest first, with its steps."""
        made = []
        for run in self.runs.values():
            run.advance(now)
            if self._kinds[run.id] == "test":
                made.append((self.document(run), run.plan.extra.get("run_steps", [])))
            else:
                made += self._members(run)
        return made[::-1]

    def start(self, request: Request, kind: str, target: str) -> Response:
        try:
            if request.body:
                _need((request.header("Content-Type") or "").split(";")[0].strip() == "application/json",
                      "Content-Type must be application/json")
                validate(json.loads(request.body), kind)
        except Invalid as e:
            return self.error(400, str(e))
        except ValueError:
            return self.error(400, "The body is not JSON")
        run = self.new_run(request, f"{kind[0]}run{next(self._ids):021d}", target)
        self._kinds[run.id] = kind
        status = 201 if kind == "tag" else 200
        if run.plan.start_body is not UNSET:
            return Response(status, run.plan.start_body)
        name = str(run.plan.extra.get("id_name", ID_NAMES[kind]))
        return Response(status, {"message": f"{kind.capitalize()} {target} was scheduled to run", "url": self._url(run), name: run.id})

    def read(self, request: Request, run_id: str) -> Response:
        request.run = run_id
        run = self.runs.get(run_id)
        kind = "folder" if "/run/folder/" in request.path else "tag" if "/run/tag/" in request.path else "test"
        if run is None or self._kinds[run_id] != kind:
            return self._not_found(run_id)
        run.poll(request.at)
        body = {"status": "pending", "url": self._url(run), **run.fields}
        for name in run.step.drop:
            body.pop(name, None)
        return run.reply(body)

    def _flag(self, request: Request, name: str) -> bool:
        value = request.params.get(name, "false")
        _need(value in ("true", "false"), f"{name} must be a boolean")
        return value == "true"

    def details(self, request: Request, run_id: str) -> Response:
        request.run = run_id
        try:
            with_steps = self._flag(request, "steps")
            self._flag(request, "media")
        except Invalid as e:
            return self.error(400, str(e))
        for document, steps in self._test_runs(request.at):
            if document["id"] == run_id:
                return Response(200, {**document, "steps": steps} if with_steps else document)
        return self._not_found(run_id)

    def list_runs(self, request: Request) -> Response:
        params = request.params
        try:
            with_steps = self._flag(request, "steps")
            self._flag(request, "media")
            limit, offset = params.get("limit", "20"), params.get("offset", "0")
            _need(limit.isdigit() and 1 <= int(limit) <= 100, "limit must be from 1 to 100")
            _need(offset.isdigit(), "offset must be an integer")
            _need(params.get("status", "passed") in STATES, "status is not one of the states")
        except Invalid as e:
            return self.error(400, str(e))
        found = self._test_runs(request.at)
        if "test" in params:
            found = [f for f in found if f[0]["test_id"] == params["test"]]
        if "folder" in params:
            found = [f for f in found if (f[0]["folder"] or {}).get("id") == params["folder"]]
        if "status" in params:
            found = [f for f in found if f[0]["status"] == params["status"]]
        page = found[int(offset):int(offset) + int(limit)]
        return Response(200, [{**d, "steps": s} if with_steps else d for d, s in page])


PROVIDER = Autonoma
