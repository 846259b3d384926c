"""A gateway in a thread of its own, for commands that run an event loop of their own."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Asked:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Answering:
    """What it was asked, and what it answers: by default what each API answers without a stream."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    answer: Callable[[Asked], tuple[int, bytes]] = lambda asked: (200, whole(asked.path))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, asked: Asked) -> tuple[int, bytes]:
        with self.lock:
            self.asked.append(asked)
        return self.answer(asked)


_MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-3-haiku-20240307",
    "content": [{"type": "text", "text": "sorted"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 3, "output_tokens": 5},
}
_COMPLETION = {
    "id": "cmpl-1",
    "object": "text_completion",
    "model": "starcoder",
    "choices": [{"index": 0, "text": "hi", "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 5},
}
_SOURCEGRAPH = {"completion": "sorted", "stopReason": "end_turn"}
WHOLE = {
    "/v1/completions/anthropic-messages": json.dumps(_MESSAGE).encode(),
    "/v1/completions/fireworks": json.dumps(_COMPLETION).encode(),
    "/.api/completions/stream": json.dumps(_SOURCEGRAPH).encode(),
    "/.api/completions/code": json.dumps(_SOURCEGRAPH).encode(),
    "/v2/http": b"pong",
    "/.api/gateway/http": b"pong",
    "/.api/gateway/http-then-websocket": b"pong",
}


@contextmanager
def answering() -> Iterator[Answering]:
    """Run it. Every answer has the trace id `trace-N` of the N-th request."""
    gateway = Answering()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, answer = gateway.take(Asked(self.path, headers, body))
            self.send_response(status)
            self.send_header("Content-Type", "application/json" if answer.startswith(b"{") else "text/plain")
            self.send_header("Content-Length", str(len(answer)))
            self.send_header("X-Trace", f"trace-{len(gateway.asked)}")
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST  # noqa: N815 - as the base class looks for it

        def log_message(self, *args: Any) -> None:
            """Nobody reads it."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *args: Any) -> None:
            """A client that hangs up is no error here."""

    with Server(("127.0.0.1", 0), Handler) as server:
        gateway.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield gateway
        finally:
            server.shutdown()
            thread.join()


def whole(path: str) -> bytes:
    """What an API at this path answers without a stream."""
    return WHOLE[path]
