# SPDX-License-Identifier: MIT
"""Owns: Acme Checks, the made-up API of the README's chapter "Add a provider", as that chapter and config/examples/own-api tell it.

- X-Api-Key on every request.
- POST /checks, body {"suite": text, "options": {"shards": 1..20}} -> {"check": {"id", "link"}}
- GET /checks/ID -> {"state": queued, running, stopped or done, "failures": how many (when done), "cases": [{"title", "ok"}]}
- DELETE /checks/ID -> {}; 409 when it is over, 404 when there is none
- Errors: {"error": {"message"}}
"""

from __future__ import annotations

import itertools
import json
from typing import Any, Mapping

from sim.messages import Request, Response
from sim.runs import Provider, Route, Run


def ends(state: Any = "done", failures: Any = 0, polls: int = 1, **more: Any) -> dict[str, Any]:
    """A plan: running for `polls` polls, then the state given, with a case that failed for each failure."""
    cases = [{"title": "Sign in", "ok": True}]
    cases += [{"title": f"Pay {i}", "ok": False} for i in range(failures if isinstance(failures, int) else 0)]
    final = {"state": state, "failures": failures, "cases": cases}
    return {"steps": [{"set": {"state": "running"}}, {"after_polls": polls, "set": final}], **more}


class Acme(Provider):
    name = "acme"
    prefix = "/acme/v1"
    routes = (
        Route("POST", r"/checks", "start", "start"),
        Route("GET", r"/checks/(?P<run_id>[^/]+)", "poll", "read"),
        Route("DELETE", r"/checks/(?P<run_id>[^/]+)", "cancel", "stop"),
    )
    default_plan = ends()

    def __init__(self) -> None:
        super().__init__()
        self._ids = itertools.count(1)

    def authorize(self, request: Request) -> Response | None:
        return None if request.header("X-Api-Key") else self.error(401, "X-Api-Key is missing")

    def error(self, status: int, message: str) -> Response:
        return Response(status, {"error": {"message": message}})

    def is_over(self, fields: Mapping[str, Any]) -> bool:
        return fields.get("state") in ("stopped", "done")

    def start(self, request: Request) -> Response:
        try:
            body = json.loads(request.body)
        except ValueError:
            return self.error(400, "The body is not JSON")
        shards = body.get("options", {}).get("shards", 1)
        if not isinstance(body.get("suite"), str) or not isinstance(shards, int) or not 1 <= shards <= 20:
            return self.error(400, "suite is a text, and shards an integer from 1 to 20")
        run = self.new_run(request, f"c{next(self._ids)}", body["suite"])
        return Response(201, {"check": {"id": run.id, "link": f"https://acme.example/checks/{run.id}"}})

    def _found(self, request: Request, run_id: str) -> Run | None:
        request.run = run_id
        return self.runs.get(run_id)

    def read(self, request: Request, run_id: str) -> Response:
        run = self._found(request, run_id)
        if run is None:
            return self.error(404, "There is no such check")
        run.poll(request.at)
        return run.reply({"state": "queued", **run.fields})

    def stop(self, request: Request, run_id: str) -> Response:
        run = self._found(request, run_id)
        if run is None:
            return self.error(404, "There is no such check")
        run.advance(request.at)
        over = run.is_over()
        run.stop(request.at, {"state": "stopped"})
        return self.error(409, "The check is over") if over else Response(200, {})


PROVIDER = Acme
