# SPDX-License-Identifier: MIT
"""Owns: what a request and a response are. No sockets, no providers.

A request is kept exactly as it came (header case and order, raw body, the number of its connection), because
tests ask about precisely these things: which header carried the token, how often a start was sent, whether a
connection was reused.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote

Headers = list[tuple[str, str]]


def reason(status: int) -> str:
    """The reason phrase of a status line; unknown numbers get a neutral one."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Status"


def iso(seconds: float) -> str:
    """A moment as most of the APIs write it, to the millisecond."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds % 1 * 1000):03d}Z"


@dataclass
class Request:
    """One request as it arrived, and what became of it."""

    number: int
    """1 for the first request the simulator saw."""
    method: str
    target: str
    """Path and query as sent, percent-encoding untouched."""
    headers: Headers
    body: bytes
    connection: int
    """1 for the first connection accepted; equal numbers mean a reused connection."""
    at: float
    """time.monotonic() when the request was complete."""

    provider: str = ""
    kind: str = "other"
    """start, poll, details, cancel, find; "other" when no provider knows the path."""
    run: str = ""
    """The run the request is about, where its path names one."""
    fault: str = ""
    """The kind of fault applied, empty for an honest answer."""
    processed: bool = False
    """Whether the provider acted on it (a dropped request may or may not have been)."""
    status: int | None = None
    """The status answered; None when no status line was sent."""
    done: bool = False
    """The answer is out (or never will be)."""
    done_at: float | None = None

    @property
    def path(self) -> str:
        return unquote(self.target.partition("?")[0])

    @property
    def raw_path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    @property
    def params(self) -> dict[str, str]:
        return dict(parse_qsl(self.query, keep_blank_values=True))

    def header(self, name: str) -> str | None:
        """The first header of that name, whatever its case."""
        return next((v for k, v in self.headers if k.lower() == name.lower()), None)

    def header_count(self, name: str) -> int:
        return sum(1 for k, _ in self.headers if k.lower() == name.lower())

    def json(self) -> Any:
        return json.loads(self.body)

    def record(self) -> dict[str, Any]:
        """For the log file: everything, as JSON types."""
        return {
            "number": self.number, "at": round(self.at, 6), "connection": self.connection,
            "method": self.method, "path": self.path, "query": self.query,
            "headers": [list(h) for h in self.headers], "body": self.body.decode("utf-8", "replace"),
            "provider": self.provider, "kind": self.kind, "run": self.run,
            "fault": self.fault, "processed": self.processed, "status": self.status,
        }


@dataclass
class Response:
    """An answer. `body` may be bytes, or any JSON value."""

    status: int = 200
    body: Any = b""
    headers: Headers = field(default_factory=list)
    content_type: str = "application/json"

    def payload(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return json.dumps(self.body, ensure_ascii=False).encode("utf-8", "surrogatepass")

    def head(self, length: int | None, extra: Headers | None = None) -> bytes:
        """Status line and headers; `length` None leaves Content-Length out (for chunked bodies)."""
        lines = [f"HTTP/1.1 {self.status} {reason(self.status)}"]
        headers = list(self.headers)
        if self.status != 204 and not any(k.lower() == "content-type" for k, _ in headers):
            headers.append(("Content-Type", self.content_type))
        if length is not None and self.status not in (204, 304):
            headers.append(("Content-Length", str(length)))
        headers += extra or []
        lines += [f"{k}: {v}" for k, v in headers]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")

    def wire(self) -> bytes:
        """Head and body in one piece, so that one send carries both (two sends would wait for an ACK)."""
        body = b"" if self.status in (204, 304) else self.payload()
        return self.head(len(body)) + body
