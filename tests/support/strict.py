"""Strict gateways in a thread of their own: a function says what each request gets."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from support.apis import script_of

JSON = "application/json"


@dataclass(frozen=True)
class Asked:
    """A request that came."""

    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """What a request gets."""

    body: bytes
    status: int = 200
    kind: str = JSON
    headers: dict[str, str] = field(default_factory=dict)


Rules = Callable[[Asked], Reply]


def told(document: object, status: int = 200, **headers: str) -> Reply:
    """A JSON document."""
    return Reply(json.dumps(document).encode(), status, JSON, {k.replace("_", "-"): v for k, v in headers.items()})


def refused(status: int, message: str, **more: str) -> Reply:
    """An error as OpenAI's APIs write it."""
    return told({"error": {"message": message, "type": "invalid_request_error", **more}}, status)


def streamed(api: str) -> Reply:
    """A good stream of that API."""
    script = script_of(api)
    return Reply(script.wire(script.good), 200, "text/event-stream")


@contextmanager
def strict(rules: Rules, tls: ssl.SSLContext | None = None) -> Iterator[tuple[str, list[Asked]]]:
    """Run it. Gives its base URL, and the requests as they come."""
    came: list[Asked] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def do_GET(self) -> None:
            text = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, self.path, headers, json.loads(text or b"{}"))
            came.append(asked)
            reply = rules(asked)
            self.send_response_only(reply.status)
            for name, value in {"Content-Type": reply.kind, **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_address[1]}", came
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
