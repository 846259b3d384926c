"""Commands as they are typed, run in this process, and a server in a thread for them to probe."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from click.testing import CliRunner, Result

from gwtui import cli


def gwtui(*args: str, **options: Any) -> Result:
    """Run `gwtui ARGS`, without a terminal."""
    return CliRunner().invoke(cli.gwtui, [*args], prog_name="gwtui", catch_exceptions=False, **options)


def written(directory: Path, text: str) -> str:
    """A configuration file with this text."""
    path = directory / "gwtui.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def profiles(url: str, more: str = "") -> str:
    """Two profiles: `prod` with the endpoint `chat`, and `bare` without any."""
    return f"""
[profiles.prod]
interval_s = 0.2
[[profiles.prod.endpoints]]
name = "chat"
api = "openai-chat"
url = "{url}"
headers = {{ X-Team = "blue", X-Kept = "yes" }}
{more}
[profiles.bare]
"""


class Canned:
    """A server that answers each request with the same bytes and hangs up. It keeps what it was sent."""

    def __init__(self, answer: bytes, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self._answer = answer
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Canned:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with suppress(OSError):  # the client went away, which is its right
                self._answered(connection)

    def _answered(self, connection: socket.socket) -> None:
        if self._tls is not None:
            connection = self._tls.wrap_socket(connection, server_side=True)
        with connection, connection.makefile("rb") as file:
            self.requests.append(_request(file))
            connection.sendall(self._answer)


def _request(file: IO[bytes]) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = file.readline()
        if not line:
            return head
        head += line
    length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
    return head + bytes(file.read(length))
