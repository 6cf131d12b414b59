# SPDX-License-Identifier: MIT
"""Owns: the life of a simulated run, and what every provider has in common.

A run follows a plan, a list of steps. The run is in one step at a time; a step says which fields of the provider's
state it changes, and when the run enters it: after so many polls were answered in the step before
(`after_polls`, deterministic, for tests), or after so many milliseconds in it (`after_ms`, for the demo and for timing).

    {"steps": [{"set": {"run_status": 2}},
               {"after_polls": 3, "set": {"run_status": 3}}],
     "stop":  {"after_polls": 1}}

Fields add up: a step keeps what earlier steps set. `drop` removes fields, `body` replaces the whole JSON body, `raw` the
bytes of it, `http` the status code; these are for saying what a provider should never say.

The providers' own facts (paths, field names, which states are final) are in their modules.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Callable, Iterable, Mapping

from sim.messages import Request, Response

UNSET: Any = object()


@dataclass
class Step:
    """One state of a run and the condition to enter it."""

    set: dict[str, Any] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    body: Any = UNSET
    raw: bytes | None = None
    http: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    over: bool | None = None
    """Overrides the provider's own idea of whether this state is final."""
    after_polls: int | None = None
    after_ms: float | None = None
    when: Callable[[], Any] | None = None
    """From Python only: the step is entered at the first look after this holds."""

    @staticmethod
    def make(spec: "Step | Mapping[str, Any]") -> "Step":
        if isinstance(spec, Step):
            return spec
        known = dict(spec)
        raw = known.get("raw")
        if isinstance(raw, str):
            known["raw"] = raw.encode()
        known["drop"] = tuple(known.get("drop", ()))
        known["headers"] = [tuple(h) for h in known.get("headers", ())]
        return Step(**known)


@dataclass
class Plan:
    """What a started run will do."""

    steps: list[Step]
    stop: Step = field(default_factory=lambda: Step(after_polls=0))
    """When, after a stop request, the run turns to the provider's stopped state (or to `set` of this step)."""
    ignore_stop: bool = False
    """The stop is accepted, and the run goes its way all the same."""
    stop_over: int | None = None
    """Status answered to a stop when the run is over; None takes the provider's own."""
    start_body: Any = UNSET
    """Replaces the JSON body of the start reply."""
    extra: dict[str, Any] = field(default_factory=dict)
    """Whatever a provider module wants to know besides (test cases, for instance)."""

    @staticmethod
    def make(spec: "Plan | Mapping[str, Any]") -> "Plan":
        if isinstance(spec, Plan):
            return spec
        rest = dict(spec)
        steps = [Step.make(s) for s in rest.pop("steps")]
        stop = Step.make(rest.pop("stop", {"after_polls": 0}))
        named = {k: rest.pop(k) for k in ("ignore_stop", "stop_over", "start_body") if k in rest}
        return Plan(steps=steps, stop=stop, extra=rest, **named)


class Run:
    """One started run: the truth a test compares the gate's word with."""

    def __init__(self, provider: "Provider", run_id: str, key: str, plan: Plan, request: Request) -> None:
        self.provider = provider
        self.id = run_id
        self.key = key
        """What the plan was chosen by: a test id, a test plan."""
        self.plan = plan
        self.started_at = request.at
        self.start_request = request
        self.started_by = request.header("Authorization") or ""
        self.polls = 0
        self.stop_requests = 0
        self.stopped = False
        """A stop request arrived while the run was not over."""
        self.seen_over = False
        """A final state was answered to somebody: from here on a client may know it."""
        self._steps = list(plan.steps)
        self._index = 0
        self._entered = request.at
        self._polls_in_step = 0
        self.fields: dict[str, Any] = {}
        self._apply(self._steps[0])

    def _apply(self, step: Step) -> None:
        self.fields.update(step.set)
        for name in step.drop:
            self.fields.pop(name, None)

    @property
    def step(self) -> Step:
        return self._steps[self._index]

    def advance(self, now: float) -> None:
        """Enter every step whose condition holds by now."""
        while self._index + 1 < len(self._steps):
            nxt = self._steps[self._index + 1]
            polls, ms = nxt.after_polls, nxt.after_ms
            if polls is None and ms is None and nxt.when is None:
                polls = 1  # the plain list: one step a poll
            if nxt.when is not None and not nxt.when():
                return
            if polls is not None and self._polls_in_step < polls:
                return
            if ms is not None and (now - self._entered) * 1000 < ms:
                return
            self._entered = self._entered + ms / 1000 if ms is not None else now
            self._index += 1
            self._polls_in_step = 0
            self._apply(nxt)

    def poll(self, now: float) -> None:
        """A status request is being answered: the state it shows is the state after this call."""
        self.advance(now)
        self.polls += 1
        self._polls_in_step += 1
        if self.is_over():
            self.seen_over = True

    def is_over(self) -> bool:
        """Whether the present state is final."""
        if self.step.over is not None:
            return self.step.over
        return self.provider.is_over(self.fields)

    def stop(self, now: float, stopped_fields: Mapping[str, Any]) -> None:
        """A stop request came; leave the plan for the stopped state unless the plan says otherwise."""
        self.advance(now)
        self.stop_requests += 1
        if self.is_over() or self.stopped:
            return
        self.stopped = True
        if self.plan.ignore_stop:
            return
        last = Step(**{**vars(self.plan.stop), "set": {**stopped_fields, **self.plan.stop.set}})
        self._steps = [self.step, last]
        self._index = 0
        self._polls_in_step = 0
        self._entered = now
        self.advance(now)

    def reply(self, body: Any) -> Response:
        """The status answer: `body` is the provider's honest one, the step may replace it."""
        step = self.step
        if step.raw is not None:
            body = step.raw
        elif step.body is not UNSET:
            body = step.body
        return Response(step.http, body, list(step.headers))

    def __repr__(self) -> str:
        return f"<{self.provider.name} run {self.id} of {self.key}: {self.fields}>"


@dataclass(frozen=True)
class Route:
    """A path of the API. `handler` names a method of the provider; the pattern's groups become its arguments."""

    method: str
    pattern: str
    kind: str
    handler: str
    param: str = ""
    """The route holds only if this query parameter is present."""


class Provider:
    """Base of every simulated API. A subclass is: name, prefix, routes, a handler a route, is_over, error, authorize."""

    name = ""
    prefix = ""
    """Path in front of all routes, so that several APIs share one port; part of the base_url a client is given."""
    routes: tuple[Route, ...] = ()
    default_plan: Mapping[str, Any] = {"steps": [{}]}

    def __init__(self) -> None:
        self.plans: dict[str, list[Plan]] = {}
        self.default = Plan.make(self.default_plan)
        self.runs: dict[str, Run] = {}
        self.tokens: set[str] | None = None
        """Tokens accepted; None accepts any that is well-formed."""
        self.skew = 0.0
        """Seconds by which the provider's clock is ahead of the one of this machine."""
        self.origin = ""
        """Set when the server is up: scheme, host and port, for URLs in answers."""

    # What a scenario file or a test sets up.

    def plan(self, key: Any, plan: Any) -> None:
        """What runs of `key` do from now on. A list of plans serves one start each; its last stays."""
        self.plans[str(key)] = [Plan.make(p) for p in (plan if isinstance(plan, list) else [plan])]

    def otherwise(self, plan: Plan | Mapping[str, Any]) -> None:
        """What runs without a plan of their own do."""
        self.default = Plan.make(plan)

    def configure(self, spec: Mapping[str, Any]) -> None:
        """From a scenario file: {"default": PLAN, "plans": {KEY: PLAN}, "tokens": [...]}."""
        unknown = set(spec) - {"default", "plans", "tokens"}
        if unknown:
            raise ValueError(f"{self.name}: unknown keys in the scenario: {sorted(unknown)}")
        if "default" in spec:
            self.otherwise(spec["default"])
        for key, plan in spec.get("plans", {}).items():
            self.plan(key, plan)
        if "tokens" in spec:
            self.tokens = set(spec["tokens"])

    # What the server calls.

    def find_route(self, request: Request) -> tuple[Route, dict[str, str]] | None:
        """The route for a request and the groups of its path; also without acting on it (faults need to know)."""
        if not request.path.startswith(self.prefix):
            return None
        path = request.path[len(self.prefix):]
        for route in self.routes:
            found = re.fullmatch(route.pattern, path)
            if found and route.method == request.method and (not route.param or route.param in request.params):
                return route, found.groupdict()
        return None

    def handle(self, request: Request, route: Route, groups: Mapping[str, str]) -> Response:
        refused = self.authorize(request)
        if refused is not None:
            return refused
        return getattr(self, route.handler)(request, **groups)

    # What a subclass says.

    def is_over(self, fields: Mapping[str, Any]) -> bool:
        raise NotImplementedError

    def authorize(self, request: Request) -> Response | None:
        return None

    def error(self, status: int, message: str) -> Response:
        """An error in the shape this provider documents."""
        return Response(status, {"message": message})

    # Helpers for subclasses.

    def check_authorization(self, request: Request, scheme: str) -> bool:
        """One Authorization header, of the scheme, with an accepted token."""
        if request.header_count("Authorization") != 1:
            return False
        word, _, token = (request.header("Authorization") or "").partition(" ")
        if word != scheme or not token.strip() or token != token.strip():
            return False
        return self.tokens is None or token in self.tokens

    def new_run(self, request: Request, run_id: str, key: str) -> Run:
        plans = self.plans.get(key) or [self.default]
        run = Run(self, run_id, key, plans.pop(0) if len(plans) > 1 else plans[0], request)
        self.runs[run_id] = run
        request.run = run_id
        return run

    def unfinished(self, now: float) -> Iterable[Run]:
        for run in self.runs.values():
            run.advance(now)
            if not run.is_over():
                yield run
