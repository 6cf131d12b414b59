# SPDX-License-Identifier: MIT
"""Owns: certificates for HTTPS tests, made on the spot by the `openssl` command.

A private authority signs a certificate for localhost and 127.0.0.1, one for the name of a provider's host, and one for a
client; a second authority that signed nothing serves the tests of what must be refused. Keys are elliptic-curve ones because they are made in milliseconds.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, replace
from pathlib import Path


NAME = "api.k6.io"


@dataclass(frozen=True)
class Certificates:
    ca: Path
    """The authority a client has to trust."""
    other_ca: Path
    """An authority that has nothing to do with the server."""
    cert: Path
    key: Path
    named_cert: Path
    """For NAME and no other host."""
    named_key: Path
    client_cert: Path
    client_key: Path
    demanded: Path | None = None
    """If set, clients have to show a certificate of this authority."""

    def for_the_name(self) -> "Certificates":
        """The same, but the server shows the certificate for NAME."""
        return replace(self, cert=self.named_cert, key=self.named_key)


def _openssl(*args: str, cwd: Path) -> None:
    subprocess.run(["openssl", *args], cwd=cwd, check=True, capture_output=True)


def make_certificates(folder: Path) -> Certificates:
    """Fill `folder` with a fresh authority and a server certificate."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("ca", "other-ca"):
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                 "-subj", f"/CN=simulator {name}", "-keyout", f"{name}.key", "-out", f"{name}.pem", cwd=folder)
    for name, alternatives in (("server", "DNS:localhost,IP:127.0.0.1"), ("named", f"DNS:{NAME}"), ("client", "DNS:client.example")):
        _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN=simulator {name}",
                 "-keyout", f"{name}.key", "-out", f"{name}.csr", cwd=folder)
        (folder / f"{name}.ext").write_text(f"subjectAltName={alternatives}\nbasicConstraints=CA:FALSE\n")
        _openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
                 "-extfile", f"{name}.ext", "-out", f"{name}.pem", cwd=folder)
    return Certificates(folder / "ca.pem", folder / "other-ca.pem", folder / "server.pem", folder / "server.key",
                        folder / "named.pem", folder / "named.key", folder / "client.pem", folder / "client.key")
