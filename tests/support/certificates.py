"""Certificates for loopback: a good one, and each kind of bad one."""

from __future__ import annotations

import datetime
import ssl
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import trustme


@dataclass(frozen=True)
class Pair:
    """A server's context, and the authority file of a client that is to judge it."""

    server: ssl.SSLContext
    ca_file: str


@cache
def authority() -> trustme.CA:
    return trustme.CA()


def pair(kind: str, directory: Path) -> Pair:
    """`good`, `expired`, `not yet valid`, `wrong name`, `unknown authority`; or a server that refuses by itself, for
    `another server name`, `an old version`, or for want of `a client certificate`."""
    ca = authority()
    past, future = (datetime.datetime(year, 1, 1, tzinfo=datetime.UTC) for year in (2020, 2100))
    signer = trustme.CA() if kind == "unknown authority" else ca
    certificate = signer.issue_cert(
        "elsewhere.example" if kind == "wrong name" else "127.0.0.1",
        not_before=future if kind == "not yet valid" else None,
        not_after=past if kind == "expired" else None,
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(server)
    if kind == "another server name":
        server.sni_callback = lambda *_: ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
    if kind == "a client certificate":
        server.verify_mode = ssl.CERT_REQUIRED
    if kind == "an old version":
        server.maximum_version = ssl.TLSVersion.TLSv1_2
    ca_file = directory / "ca.pem"
    ca.cert_pem.write_to_path(str(ca_file))
    return Pair(server, str(ca_file))
