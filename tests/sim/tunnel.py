# SPDX-License-Identifier: MIT
"""Owns: an HTTP proxy for CONNECT, which leads every host to one port on this machine and keeps all that it sees."""

from __future__ import annotations

import base64
import socket
import threading


class Tunnel:
    """Listens on 127.0.0.1 while it is open; `password`, if set, is demanded of the user "robot"."""

    def __init__(self, port: int, password: str | None = None) -> None:
        self._target = port
        self._wanted = password and "Basic " + base64.b64encode(f"robot:{password}".encode()).decode()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.asked: list[str] = []
        """The hosts, with ports, that tunnels were asked for."""
        self.seen = b""
        """Every byte from the clients."""

    def __enter__(self) -> "Tunnel":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            data = client.recv(65536)
            if not data:
                return
            head += data
        self.seen += head
        lines = head.decode().split("\r\n")
        method, host = lines[0].split(" ")[:2]
        self.asked.append(host)
        if method != "CONNECT" or (self._wanted and f"Proxy-Authorization: {self._wanted}" not in lines):
            client.sendall(b"HTTP/1.1 407 Who are you?\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n")
            client.close()
            return
        server = socket.create_connection(("127.0.0.1", self._target))
        client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        threading.Thread(target=self._pump, args=(server, client, False), daemon=True).start()
        self._pump(client, server, True)

    def _pump(self, source: socket.socket, sink: socket.socket, keep: bool) -> None:
        try:
            while data := source.recv(65536):
                self.seen += data if keep else b""
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
