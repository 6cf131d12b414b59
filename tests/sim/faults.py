# SPDX-License-Identifier: MIT
"""Owns: everything that can go wrong between a client and a provider.

A fault is data: which requests (`match`), the how-manieth of them (`nth`), and what happens (`kind` and its options).

    {"match": "GET /loadtests/v2/runs/", "nth": 1, "kind": "status", "status": 502}
    {"match": "start", "nth": "*", "kind": "drop_after"}

match   "METHOD REGEX": the method (or *) and a pattern that the path (with its query) must start with,
        or one word: a kind of request (start, poll, details, cancel, find, any), perhaps of one provider ("k6-v2:poll")
nth     1 (default), a list [1, 3], a range "2.." or "1..3", or "*"
process whether the provider acts on the request all the same; every kind has the sensible default given below
then    from Python only: called when the fault strikes, before the client sees anything of it

kind                 what the client sees                                                   processed
status               status=, headers=, and body= or message= (in the provider's shape)     no
html                 200 and a login page (body=)                                           no
empty                status= (200) and no body                                              no
redirect             status= (302), location=, where {target} is the request's own          no
raw                  data=, exactly these bytes; keep=true leaves the connection open       no
drop_before          reset at once                                                          no
refuse               the same, and for ms= (or for ever) the port refuses connections       no
silence              nothing, until the client goes away                                    no
drop_after           reset instead of a reply                                               yes
half_headers         the head breaks off                                                    yes
half_body            Content-Length promises more than comes                                yes
truncated_chunked    a chunked body without its end                                         yes
slow_body            one byte every ms= (50)                                                yes
huge                 mb= (32) of JSON, chunked=true without a length                        yes
gzip_bomb            mb= (64) of blanks, compressed                                         yes
close_after          the honest answer, then the connection is closed                       yes
delay_ms             the honest answer, ms= later                                           yes

A connection that is refused from the beginning needs no request to match: see Server.deafen.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Callable, Mapping

from sim.messages import Request, Response

if TYPE_CHECKING:
    from sim.runs import Provider
    from sim.server import Connection, Server

LOGIN_PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in</body></html>"


def nth_matches(nth: Any, count: int) -> bool:
    """Whether the count-th request is meant by an `nth` value."""
    if nth == "*":
        return True
    if isinstance(nth, int):
        return count == nth
    if isinstance(nth, (list, tuple)):
        return count in nth
    low, dots, high = str(nth).partition("..")
    if dots:
        return int(low) <= count and (high == "" or count <= int(high))
    return count == int(low)


@dataclass
class Fault:
    """A fault waiting for its requests."""

    match: str
    kind: str
    nth: Any = 1
    options: dict[str, Any] = field(default_factory=dict)
    then: Callable[[], None] | None = None
    seen: int = 0
    hits: int = 0

    @staticmethod
    def make(spec: Mapping[str, Any]) -> "Fault":
        rest = dict(spec)
        fault = Fault(rest.pop("match"), rest.pop("kind"), rest.pop("nth", 1), rest, rest.pop("then", None))
        if fault.kind not in KINDS:
            raise ValueError(f"unknown fault {fault.kind!r}; there are: {', '.join(KINDS)}")
        return fault

    @property
    def process(self) -> bool:
        return bool(self.options.get("process", KINDS[self.kind].processes))

    def concerns(self, request: Request) -> bool:
        method, space, pattern = self.match.partition(" ")
        if space:
            return method in ("*", request.method) and re.match(pattern, request.target) is not None
        provider, colon, kind = self.match.rpartition(":")
        return (not colon or provider == request.provider) and kind in ("any", request.kind)

    def hit_by(self, request: Request) -> bool:
        """Count the request if it is one of ours; true if it is the one."""
        if not self.concerns(request):
            return False
        self.seen += 1
        if not nth_matches(self.nth, self.seen):
            return False
        self.hits += 1
        return True


@dataclass
class Exchange:
    """What a fault works on. `response` is the honest answer, None if the provider was not asked."""

    server: "Server"
    connection: "Connection"
    request: Request
    response: Response | None
    provider: "Provider | None"
    options: dict[str, Any]

    def answer(self, response: Response) -> None:
        self.request.status = response.status
        self.connection.send(response.wire())

    @property
    def honest(self) -> Response:
        return self.response if self.response is not None else Response(200, {})


def _headers(options: Mapping[str, Any]) -> list[tuple[str, str]]:
    given = options.get("headers", {})
    return list(given.items()) if isinstance(given, Mapping) else [tuple(h) for h in given]


def _body(value: Any) -> Any:
    return value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value


# Each returns whether the connection lives on.


def _status(x: Exchange) -> bool:
    status = int(x.options["status"])
    if "body" in x.options or "message" not in x.options or x.provider is None:
        response = Response(status, _body(x.options.get("body", b"")))
    else:
        response = x.provider.error(status, x.options["message"])
    response.headers += _headers(x.options)
    response.content_type = x.options.get("content_type", response.content_type)
    x.answer(response)
    return True


def _html(x: Exchange) -> bool:
    body = _body(x.options.get("body", LOGIN_PAGE))
    x.answer(Response(int(x.options.get("status", 200)), body, content_type="text/html; charset=utf-8"))
    return True


def _empty(x: Exchange) -> bool:
    x.answer(Response(int(x.options.get("status", 200)), b""))
    return True


def _redirect(x: Exchange) -> bool:
    location = x.options["location"].replace("{target}", x.request.target)
    x.answer(Response(int(x.options.get("status", 302)), b"", [("Location", location)]))
    return True


def _raw(x: Exchange) -> bool:
    data = x.options["data"]
    x.connection.send(data.encode("latin-1") if isinstance(data, str) else data)
    return bool(x.options.get("keep", False))


def _drop(x: Exchange) -> bool:
    x.connection.reset()
    return False


def _refuse(x: Exchange) -> bool:
    x.server.deafen(x.options.get("ms"))
    return _drop(x)


def _silence(x: Exchange) -> bool:
    x.connection.wait_until_gone()
    return False


def _half_headers(x: Exchange) -> bool:
    head = x.honest.head(len(x.honest.payload()))
    x.connection.send(head[: len(head) // 2])
    return False


def _half_body(x: Exchange) -> bool:
    body = x.honest.payload() or b"{}"
    x.request.status = x.honest.status
    x.connection.send(x.honest.head(len(body)) + body[: len(body) // 2])
    return False


def _truncated_chunked(x: Exchange) -> bool:
    body = x.honest.payload() or b"{}"
    x.request.status = x.honest.status
    x.connection.send(x.honest.head(None, [("Transfer-Encoding", "chunked")]) + b"%x\r\n" % len(body) + body + b"\r\n")
    return False


def _slow_body(x: Exchange) -> bool:
    body = x.honest.payload()
    x.request.status = x.honest.status
    x.connection.send(x.honest.head(len(body)))
    for i in range(len(body)):
        if x.connection.pause(float(x.options.get("ms", 50))):
            return False
        x.connection.send(body[i : i + 1])
    return True


def _huge(x: Exchange) -> bool:
    size = int(float(x.options.get("mb", 32)) * 1024 * 1024)
    head, tail = b'{"pad":"', b'"}'
    block = b"x" * 65536
    response = Response(int(x.options.get("status", 200)))
    x.request.status = response.status
    blocks = max(1, size // len(block))
    if x.options.get("chunked"):
        x.connection.send(response.head(None, [("Transfer-Encoding", "chunked")]))
        for piece in [head] + [block] * blocks + [tail]:
            x.connection.send(b"%x\r\n" % len(piece) + piece + b"\r\n")
        x.connection.send(b"0\r\n\r\n")
    else:
        x.connection.send(response.head(len(head) + blocks * len(block) + len(tail)) + head)
        for _ in range(blocks):
            x.connection.send(block)
        x.connection.send(tail)
    return True


def _gzip_bomb(x: Exchange) -> bool:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = b" " * (1024 * 1024)
    data = b"".join(packer.compress(block) for _ in range(int(x.options.get("mb", 64)))) + packer.flush()
    x.answer(Response(200, data, [("Content-Encoding", "gzip")]))
    return True


def _close_after(x: Exchange) -> bool:
    x.answer(x.honest)
    return False


def _delay(x: Exchange) -> bool:
    if x.connection.pause(float(x.options.get("ms", 500))):
        return False
    x.answer(x.honest)
    return True


@dataclass(frozen=True)
class Kind:
    act: Callable[[Exchange], bool]
    processes: bool


KINDS: dict[str, Kind] = {
    "status": Kind(_status, False),
    "html": Kind(_html, False),
    "empty": Kind(_empty, False),
    "redirect": Kind(_redirect, False),
    "raw": Kind(_raw, False),
    "drop_before": Kind(_drop, False),
    "refuse": Kind(_refuse, False),
    "silence": Kind(_silence, False),
    "drop_after": Kind(_drop, True),
    "half_headers": Kind(_half_headers, True),
    "half_body": Kind(_half_body, True),
    "truncated_chunked": Kind(_truncated_chunked, True),
    "slow_body": Kind(_slow_body, True),
    "huge": Kind(_huge, True),
    "gzip_bomb": Kind(_gzip_bomb, True),
    "close_after": Kind(_close_after, True),
    "delay_ms": Kind(_delay, True),
}
