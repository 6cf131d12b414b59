# SPDX-License-Identifier: MIT
"""Owns: which cells there are. Lists, their cross product, and what of it cannot exist; it runs nothing.

A cell is PROVIDER/PHASE/FAULT/OFTEN/WAY: one run of the program, whose requests of one phase meet one fault, once or each
time, on one way out. The matrix is what the lists below make; nothing in it is written by hand.
"""

from __future__ import annotations

import base64
import functools
import itertools
import json
import re
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Mapping
from xml.sax.saxutils import escape

from sim import autonoma, k6_v2, k6_v6, loadforge, qatech, testerarmy

ROOT = Path(__file__).resolve().parents[2]

# --- providers ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Player:
    """How one provider is asked and played. A plan is made for each truth: passed, failed, or running until cancelled."""

    sim: str
    keys: Mapping[str, Any]
    env: Mapping[str, str]
    secrets: tuple[str, ...]
    plans: Mapping[str, Callable[[], dict[str, Any]]]

    @property
    def key(self) -> str:
        """What the simulator chooses the plan by: the id of what is started, always the first of the keys."""
        return str(next(iter(self.keys.values())))


K6 = {"K6_CLOUD_TOKEN": "k6+5ecret/\"t0ken\"<value>\\8f2c="}
"""Characters that look different in a URL, in JSON, in XML and in the two alphabets of Base64."""
LOADFORGE = {"LOADFORGE_API_KEY": "lf+5ecret/\"key\"<value>\\19ab="}
TESTERARMY = {"TESTERARMY_API_KEY": "sk+5ecret/\"key\"<value>\\44d0="}
QATECH = {"QATECH_TOKEN": "qa+5ecret/\"t0ken\"<value>\\77aa="}
AUTONOMA = {"AUTONOMA_CLIENT_ID": "id+5ecret/\"client\"<id>\\c0de=", "AUTONOMA_CLIENT_SECRET": "au+5ecret/\"client\"<value>\\b00c="}


def player(sim: str, keys: Mapping[str, Any], env: Mapping[str, str], passed: Any, failed: Any, running: Any, **more: str) -> Player:
    plans = {"passed": passed, "failed": failed, "running": running}
    return Player(sim, keys, {**env, **more}, tuple(env.values()), plans)


POLLS = 2
"""After so many polls a run that ends has ended."""

PROVIDERS: dict[str, Player] = {
    "k6-v2": player("k6-v2", {"test_id": 1}, K6, lambda: k6_v2.ends(polls=POLLS),
                    lambda: k6_v2.ends(result_status=1, polls=POLLS), k6_v2.runs_on),
    "k6-v6": player("k6-v6", {"test_id": 9_000_000_001}, K6, lambda: k6_v6.ends(polls=POLLS),
                    lambda: k6_v6.ends(result="failed", polls=POLLS), k6_v6.runs_on, K6_CLOUD_STACK_ID="77"),
    "loadforge": player("loadforge", {"test_id": 5, "duration": 2}, LOADFORGE, lambda: loadforge.ends(polls=POLLS),
                        lambda: loadforge.ends(run_passed=False, polls=POLLS), loadforge.runs_on),
    "testerarmy": player("testerarmy", {"test_id": testerarmy.TEST}, TESTERARMY, lambda: testerarmy.ends(polls=POLLS),
                         lambda: testerarmy.ends(result="FAILED", polls=POLLS), testerarmy.runs_on),
    "testerarmy-group": player("testerarmy", {"group_id": testerarmy.GROUP}, TESTERARMY,
                               lambda: testerarmy.ends(members=[testerarmy.ends(), testerarmy.ends(polls=POLLS)]),
                               lambda: testerarmy.ends(members=[testerarmy.ends(), testerarmy.ends(result="FAILED", polls=POLLS)]),
                               lambda: testerarmy.runs_on(members=[testerarmy.runs_on(), testerarmy.runs_on()])),
    "autonoma": player("autonoma", {"test_id": "t1"}, AUTONOMA, lambda: autonoma.ends(polls=POLLS),
                       lambda: autonoma.ends("failed", polls=POLLS), autonoma.runs_on),
    "autonoma-folder": player("autonoma", {"folder_id": "f1"}, AUTONOMA,
                              lambda: autonoma.ends(polls=POLLS, members=[autonoma.member("Log in"), autonoma.member("Pay")]),
                              lambda: autonoma.ends("failed", polls=POLLS, members=[autonoma.member("Pay", "failed")]), autonoma.runs_on),
    "autonoma-tag": player("autonoma", {"tag_id": "g1"}, AUTONOMA, lambda: autonoma.ends(polls=POLLS),
                           lambda: autonoma.ends("failed", polls=POLLS), autonoma.runs_on),
    "qatech": player("qatech", {"test_plan": "pln_demo1"}, QATECH, lambda: qatech.ends(polls=POLLS),
                     lambda: qatech.ends(result="FAILED", polls=POLLS), qatech.runs_on),
}


def offers(provider: str, request: str) -> bool:
    """Whether the provider's definition, or the one it extends, has such a request."""
    text = (ROOT / "config" / "providers" / f"{provider}.ini").read_text()
    found = re.search(rf"(?m)^{request}[ \t]*=[ \t]*(.*)$", text)
    base = re.search(r"(?m)^extends[ \t]*=[ \t]*(\S+)", text)
    return bool(found.group(1)) if found else base is not None and offers(base.group(1), request)


PHASES = {"start": "start", "status": "poll", "details": "details", "find": "find", "cancel": "cancel"}
"""The requests of a run, and the simulator's words for them."""
REQUESTS = {p: {phase for phase in PHASES if offers(p, phase)} for p in PROVIDERS}

# --- secrets -----------------------------------------------------------------------------------------------------------


def _base64_core(secret: bytes, skip: int) -> bytes:
    """The Base64 of the secret behind other bytes, less what depends on its neighbours."""
    whole = base64.b64encode(b"\0" * skip + secret)
    return whole[(0, 2, 3)[skip]: (skip + len(secret)) * 8 // 6]


def _percent(secret: str) -> tuple[str, str]:
    """Percent-encoded, with capital letters and with small ones."""
    capital = urllib.parse.quote(secret, safe="")
    return capital, re.sub(r"%..", lambda m: m.group().lower(), capital)


def forms(secret: str) -> set[bytes]:
    """How a secret may look in an output."""
    quoted = json.dumps(secret)[1:-1]
    plain = {secret, escape(secret), escape(secret, {'"': "&quot;"}), quoted, json.dumps(quoted)[1:-1], quoted.replace("/", "\\/"),
             *_percent(secret), urllib.parse.quote(secret)}
    cores = {_base64_core(secret.encode(), skip) for skip in range(3)}
    return {p.encode() for p in plain} | cores | {c.translate(bytes.maketrans(b"+/", b"-_")) for c in cores}


def echo(secrets: tuple[str, ...]) -> str:
    """What an unkind provider says: the secrets it was sent, in every form that it could come upon."""
    said = []
    for s in secrets:
        raw = s.encode()
        said += [s, *_percent(s), base64.b64encode(raw).decode(), base64.urlsafe_b64encode(b"user:" + raw).decode(),
                 base64.b64encode(b"ab" + raw + b"c").decode()]
    return " | ".join(said)


# --- faults ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trouble:
    """A kind of fault of the simulator's. `passing` is what has to be borne once, a cancellation repeated after it."""

    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)
    passing: bool = False
    slow: bool = False
    """Ends only by the client's time-out."""
    after: bool = False
    """The provider has done what was asked for, although its answer does not look like it."""


STATUSES = {400: False, 401: False, 402: False, 403: False, 404: False, 408: True, 409: False, 425: True, 429: True, 500: True,
            502: True, 503: True, 504: True}
"""A status, and whether it is passing: RFC 9110, 6585 and 8470."""

LIES = {"result": "PASSED", "result_status": 0, "processing_status": 2, "run_passed": True, "cancelled": False,
        "output": {"result": "PASS"}, "runTestCases": [qatech.case("Login works")], "steps": [autonoma.step("Log in")]}
"""Every provider's word for a pass, where no state is known."""


def told(status: int, **more: Any) -> dict[str, Any]:
    return {"status": status, "message": "Sorry: {echo}", **more}


FAULTS: dict[str, Trouble] = {
    "refused": Trouble("refuse", passing=True),
    "reset-before": Trouble("drop_before", passing=True),
    "reset-after": Trouble("drop_after", passing=True),
    "half-headers": Trouble("half_headers", passing=True),
    "half-body": Trouble("half_body", passing=True),
    "truncated-chunked": Trouble("truncated_chunked", passing=True),
    "slow-drip": Trouble("slow_body", {"ms": 20}, passing=True, slow=True),
    "silence": Trouble("silence", passing=True, slow=True),
    **{str(s): Trouble("status", told(s, headers={"X-Echo": "{echo}"}), passing=p) for s, p in STATUSES.items()},
    "429-retry-after": Trouble("status", told(429, headers={"Retry-After": "1"}), passing=True),
    "html": Trouble("html", {"body": "<!DOCTYPE html><html><body>Please sign in, {echo}, {json}</body></html>"}),
    "empty": Trouble("empty"),
    "array": Trouble("status", {"status": 200, "body": ["{echo}", {"id": 1, "status": "passed"}]}),
    "string": Trouble("status", {"status": 200, "body": '"passed, {json}"', "content_type": "text/plain"}),
    "unknown": Trouble("status", {"status": 200, "body": {**LIES, "status": "splendid, {echo}", "run_status": "splendid, {echo}",
                                                          "k6-run": {**LIES, "run_status": "splendid, {echo}"}}}),
    "redirect": Trouble("redirect", {"status": 307, "location": "{target}?to={percent}"}),
}
FAULTS |= {f"{name}-after": Trouble(t.kind, {**t.options, "process": True}, t.passing, t.slow, after=True)
           for name, t in FAULTS.items() if name in ("silence", "500", "502", "504", "html", "empty", "unknown")}

OFTEN = {"once": 1, "ever": "*"}


@functools.cache
def said_of(secrets: tuple[str, ...]) -> dict[str, str]:
    """The words that stand in the options of a fault, and what is put there."""
    said = echo(secrets)
    return {"{echo}": said, "{json}": json.dumps(said)[1:-1], "{percent}": urllib.parse.quote(said, safe="")}


def fill(value: Any, secrets: tuple[str, ...]) -> Any:
    """The options of a fault with the words of an unkind provider in them."""
    if isinstance(value, dict):
        return {k: fill(v, secrets) for k, v in value.items()}
    if isinstance(value, list):
        return [fill(v, secrets) for v in value]
    if isinstance(value, str):
        for word, said in said_of(secrets).items():
            value = value.replace(word, said)
    return value


# --- ways out ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Way:
    """How a cell ends, beside its fault: by the truth, by a deadline, or by something done to it at a request."""

    truth: str
    deadline: str = ""
    """Whose deadline passes: the "run"'s or the "gate"'s."""
    act: str = ""
    """What is done: "signal" is SIGTERM, "sibling" is another run that fails."""
    at: tuple[str, ...] = ()
    """When: at the first request of each of these phases; () is the phase of the fault."""
    only: str = ""
    """The phase that this way belongs to."""


WAYS: dict[str, Way] = {
    "passes": Way("passed"),
    "fails": Way("failed"),
    "run-deadline": Way("running", "run"),
    "gate-deadline": Way("running", "gate"),
    "sigterm": Way("running", act="signal"),
    "fail-fast": Way("running", act="sibling"),
    "sigterm-cancelling": Way("running", "run", act="signal", at=("cancel",), only="cancel"),
    "sigterm-twice": Way("running", act="signal", at=("status", "cancel"), only="cancel"),
}

# --- cells -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cell:
    provider: str
    phase: str
    fault: str
    often: str
    way: str

    @property
    def name(self) -> str:
        return "/".join((self.provider, self.phase, self.fault, self.often, self.way))

    @property
    def player(self) -> Player:
        return PROVIDERS[self.provider]

    @property
    def trouble(self) -> Trouble:
        return FAULTS[self.fault]

    @property
    def out(self) -> Way:
        return WAYS[self.way]

    @property
    def truth(self) -> str:
        """Details are read of runs that have ended."""
        return "passed" if self.phase == "details" and self.out.truth == "running" else self.out.truth

    @property
    def deadline(self) -> str:
        """As short as may be; but details come last, and only a run that is held up there gets to it."""
        return "500ms" if self.phase == "details" else "100ms"

    @property
    def act_at(self) -> tuple[str, ...]:
        """The phases at whose first request something is done. What leads to a cancellation comes before it."""
        if not self.out.act:
            return ()
        return self.out.at or (("status",) if self.phase == "cancel" else (self.phase,))

    @property
    def cut_off(self) -> bool:
        """The provider cannot be reached any more."""
        return self.fault == "refused" and self.often == "ever"

    @property
    def can_cancel(self) -> bool:
        return "cancel" in REQUESTS[self.provider]

    @property
    def must_cancel(self) -> bool:
        """Nothing excuses a run that is left running: it can be cancelled, and the gate has the time for it."""
        if not self.can_cancel or self.cut_off:
            return False
        return self.phase != "cancel" or (self.often == "once" and self.trouble.passing and self.way != "sigterm-twice")


DROPPED: dict[str, Callable[[Cell], bool]] = {
    "the provider has no such request": lambda c: c.phase not in REQUESTS[c.provider],
    "no run is cancelled that is waited for to its end": lambda c: c.phase == "cancel" and c.out.truth != "running",
    "a way of another phase": lambda c: c.out.only not in ("", c.phase),
    "reading twice does no harm: whether the fault came before or after makes no difference":
        lambda c: c.trouble.after and c.phase not in ("start", "cancel"),
}
"""Why a cell of the cross product cannot exist."""


def dropped(cell: Cell) -> str | None:
    return next((why for why, holds in DROPPED.items() if holds(cell)), None)


def product() -> list[Cell]:
    return [Cell(*names) for names in itertools.product(PROVIDERS, PHASES, FAULTS, OFTEN, WAYS)]
