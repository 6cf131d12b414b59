# SPDX-License-Identifier: MIT
"""Owns: sockets. Accepts connections, reads requests, sends bytes, counts everything.

Written on raw sockets, not on http.server: a fault such as "reset the connection halfway through the headers" has to
be exact, and an honest answer has to leave in one send, at once. One thread serves one connection; the server listens
on 127.0.0.1 and nowhere else.
"""

from __future__ import annotations

import select
import socket
import ssl
import struct
import threading
import time
from typing import Callable

from sim.certs import Certificates
from sim.messages import Headers, Request, Response

BACKLOG = 2048
MAX_HEAD = 256 * 1024
MAX_BODY = 64 * 1024 * 1024


class Gone(Exception):
    """The other side closed, or the server is shutting down."""


class BadRequest(Exception):
    """What came is not HTTP as RFC 9112 has it."""


class Connection:
    """One accepted connection: buffered reading, whole sends, and the ways to end badly."""

    def __init__(self, number: int, sock: socket.socket, closing: threading.Event) -> None:
        self.number = number
        self.sock = sock
        self.closing = closing
        self._buffer = b""

    def _more(self) -> None:
        try:
            data = self.sock.recv(65536)
        except OSError as e:
            raise Gone from e
        if not data:
            raise Gone
        self._buffer += data

    def _take(self, count: int) -> bytes:
        while len(self._buffer) < count:
            self._more()
        data, self._buffer = self._buffer[:count], self._buffer[count:]
        return data

    def _line(self) -> bytes:
        while b"\r\n" not in self._buffer:
            if len(self._buffer) > MAX_HEAD:
                raise BadRequest("line too long")
            self._more()
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        return line

    def read_request(self) -> tuple[str, str, str, Headers, bytes]:
        """Method, target, version, headers, body."""
        while b"\r\n\r\n" not in self._buffer:
            if len(self._buffer) > MAX_HEAD:
                raise BadRequest("head too long")
            self._more()
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        lines = head.decode("utf-8", "surrogateescape").split("\r\n")
        words = lines[0].split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            raise BadRequest(f"request line {lines[0]!r}")
        headers: Headers = []
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if not colon or not name or name != name.strip():
                raise BadRequest(f"header line {line!r}")
            headers.append((name, value.strip(" \t")))
        return words[0], words[1], words[2], headers, self._read_body(headers)

    def _read_body(self, headers: Headers) -> bytes:
        fields = {name.lower(): value for name, value in headers}
        if fields.get("expect", "").lower() == "100-continue":
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if "transfer-encoding" in fields:
            if fields["transfer-encoding"].lower() != "chunked":
                raise BadRequest("transfer-encoding")
            return self._read_chunks()
        length = fields.get("content-length", "0")
        if not length.isdigit() or int(length) > MAX_BODY:
            raise BadRequest(f"content-length {length!r}")
        return self._take(int(length))

    def _read_chunks(self) -> bytes:
        body = b""
        while True:
            size = int(self._line().split(b";")[0], 16)
            if size == 0:
                while self._line():
                    pass
                return body
            body += self._take(size)
            if self._take(2) != b"\r\n" or len(body) > MAX_BODY:
                raise BadRequest("chunk")

    def send(self, data: bytes) -> None:
        try:
            self.sock.sendall(data)
        except OSError as e:
            raise Gone from e

    def reset(self) -> None:
        """Close with RST, not FIN: the peer's next read fails instead of ending."""
        try:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            pass
        self.close()

    def close(self) -> None:
        try:
            self.sock.close()
        except OSError:
            pass

    def wake(self) -> None:
        """From another thread: whatever read or write this connection is in ends."""
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def _readable(self, seconds: float) -> bool:
        poller = select.poll()  # select() would fail on descriptors above 1023
        poller.register(self.sock, select.POLLIN | select.POLLHUP)
        return bool(poller.poll(max(0.0, seconds) * 1000))

    def pause(self, ms: float) -> bool:
        """Wait; true (early) if the client went away or the server is closing."""
        deadline = time.monotonic() + ms / 1000
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                return self.closing.is_set()
            try:
                if self._readable(left):
                    self._more()  # Gone when the client went; a pipelined request is only kept
            except (Gone, OSError, ValueError):
                return True
            if self.closing.is_set():
                return True

    def wait_until_gone(self) -> None:
        """Say nothing until the client closes or the server does."""
        while True:
            try:
                self._more()
            except Gone:
                return


Answer = Callable[[Connection, Request], bool]
"""Answers a request on its connection; returns whether the connection lives on."""


class Server:
    """Listens, and gives every request to `answer`. Numbers connections and requests from 1."""

    def __init__(self, answer: Answer, tls: Certificates | None = None) -> None:
        self._answer = answer
        self._tls: ssl.SSLContext | None = None
        if tls:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(tls.cert, tls.key)
            if tls.demanded:
                self._tls.load_verify_locations(tls.demanded)
                self._tls.verify_mode = ssl.CERT_REQUIRED
            self._tls.set_alpn_protocols(["http/1.1"])
        self.changed = threading.Condition()
        """Held for every change of state; notified after it. Re-entrant."""
        self.requests: list[Request] = []
        self.connections = 0
        self.open_connections = 0
        self.max_open_connections = 0
        self.handshake_failures = 0
        self.bad_requests: list[str] = []
        self.internal_errors: list[str] = []
        self._live: set[Connection] = set()
        self._closing = threading.Event()
        self._deaf_ms: float | None = None
        self._listener: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self.port = 0

    def start(self, port: int = 0) -> None:
        # Bound by its number, for only then deafen() does not give the port away.
        with socket.socket() as chooser:
            chooser.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            chooser.bind(("127.0.0.1", 0))
            self.port = port or chooser.getsockname()[1]
            self._listener = socket.create_server(("127.0.0.1", self.port), backlog=BACKLOG)
        self._thread = threading.Thread(target=self._accept, name="accept", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End every connection and stop listening. Safe to call twice."""
        self._closing.set()
        if self._listener is not None:
            try:
                self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
            except OSError:
                pass
            self._listener.close()
            self._listener = None
        if self._thread is not None:
            self._thread.join(5)
            self._thread = None
        with self.changed:
            live = list(self._live)
        for connection in live:
            connection.wake()

    def deafen(self, ms: float | None = None) -> None:
        """From now on the port refuses connections, for some time or for ever; those there are live on."""
        self._deaf_ms = ms
        try:
            if self._listener is not None:
                self._listener.shutdown(socket.SHUT_RDWR)  # ends accept(); the port stays ours
        except OSError:  # it is deaf already
            pass

    def _hears_again(self, listener: socket.socket) -> bool:
        """accept() was ended by deafen() or close(): false if it is for good."""
        if self._closing.wait(None if self._deaf_ms is None else self._deaf_ms / 1000):
            return False
        try:
            listener.listen(BACKLOG)
        except OSError:  # closed in the meantime
            return False
        return True

    def _accept(self) -> None:
        listener = self._listener
        while listener is not None and not self._closing.is_set():
            try:
                sock, _ = listener.accept()
            except OSError:
                if self._hears_again(listener):
                    continue
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.changed:
                self.connections += 1
                connection = Connection(self.connections, sock, self._closing)
                self._live.add(connection)
                self.open_connections += 1
                self.max_open_connections = max(self.max_open_connections, self.open_connections)
                self.changed.notify_all()
            threading.Thread(target=self._serve, args=(connection,), name="connection", daemon=True).start()

    def _serve(self, connection: Connection) -> None:
        try:
            if self._tls is not None:
                try:
                    connection.sock.settimeout(30)
                    connection.sock = self._tls.wrap_socket(connection.sock, server_side=True)
                    connection.sock.settimeout(None)
                except (OSError, ValueError):
                    self.handshake_failures += 1
                    return
            while not self._closing.is_set() and self._one(connection):
                pass
        except Gone:
            pass
        except BadRequest as e:
            self.bad_requests.append(str(e))
            try:
                connection.send(Response(400, {"message": f"bad request: {e}"}).wire())
            except Gone:
                pass
        except Exception as e:  # a bug in the simulator: keep it for the test to see
            self.internal_errors.append(repr(e))
        finally:
            connection.close()
            with self.changed:
                self._live.discard(connection)
                self.open_connections -= 1
                self.changed.notify_all()

    def _one(self, connection: Connection) -> bool:
        method, target, version, headers, body = connection.read_request()
        with self.changed:
            request = Request(len(self.requests) + 1, method, target, headers, body, connection.number, time.monotonic())
            self.requests.append(request)
        if request.header_count("Host") != 1:
            raise BadRequest("one Host header is required")
        try:
            alive = self._answer(connection, request)
        finally:
            with self.changed:
                request.done = True
                request.done_at = time.monotonic()
                self.changed.notify_all()
        asked_to_close = (request.header("Connection") or "").lower() == "close"
        return alive and not asked_to_close and version == "HTTP/1.1"
