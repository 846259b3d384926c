"""Client certificates and their keys as files, and a server that wants one."""

from __future__ import annotations

import datetime
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest
from support.certificates import authority

from gwtui.model.profile import TLS


def days_from_now(days: float) -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)


def wanting(*, required: bool = True, days: float = 300) -> ssl.SSLContext:
    """A server for 127.0.0.1 with a certificate for `days`, which asks for one of the client."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert("127.0.0.1", not_after=days_from_now(days)).configure_cert(context)
    authority().configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED if required else ssl.CERT_NONE
    return context


def issue(directory: Path, name: str = "me", days: float = 300) -> TLS:
    """`NAME.pem` and `NAME.key` anew, and `ca.pem`."""
    issued = authority().issue_cert(f"{name}@example.org", not_after=days_from_now(days))
    authority().cert_pem.write_to_path(str(directory / "ca.pem"))
    issued.cert_chain_pems[0].write_to_path(str(directory / f"{name}.pem"))
    issued.private_key_pem.write_to_path(str(directory / f"{name}.key"))
    return TLS(
        ca_file=str(directory / "ca.pem"),
        client_cert=str(directory / f"{name}.pem"),
        client_key=str(directory / f"{name}.key"),
    )


def encrypted(key: str, password: str) -> str:
    """The path of the same key, encrypted. The test is skipped where there is no openssl."""
    program, path = shutil.which("openssl"), f"{key}.encrypted"
    if program is None:
        pytest.skip("needs openssl")
    command = [program, "pkcs8", "-topk8", "-in", key, "-out", path, "-passout", f"pass:{password}"]
    subprocess.run(command, check=True, capture_output=True, timeout=20)
    return path
