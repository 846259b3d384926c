"""A gateway that is made quite differently from the embedded one."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from gwtui.gateway.process import listen


class Strange:
    """An OpenAI-like gateway of another make: other names, no audit log, and whatever behaviour a test gives it."""

    def __init__(self, *, pieces: Sequence[str] = (), buffered_s: float = 0.0, gap_s: float = 0.0) -> None:
        self.pieces = pieces or tuple(f"word{number} " * 12 for number in range(30))
        self.buffered_s = buffered_s
        self.gap_s = gap_s
        self.one_at_a_time = False
        self.hang = False
        self.sick = False
        self.echoes = False
        self.seen: list[dict[str, Any]] = []
        self.keys: set[str] = set()
        self.last = ""
        self.lock = asyncio.Lock()

    def app(self) -> Starlette:
        routes = [
            Route("/v1/chat/completions", self.chat, methods=["POST"]),
            Route("/gateway/health", self.health),
        ]
        return Starlette(routes=routes)

    async def health(self, request: Request) -> Response:
        return JSONResponse({"state": "UP", "upstreams": ["a", "b"]})

    async def chat(self, request: Request) -> Response:
        body = await request.json()
        self.seen.append(body)
        self.keys.add(request.headers.get("authorization", ""))
        self.last = body["messages"][0]["content"]
        if self.hang:
            await asyncio.Event().wait()
        if self.sick:
            return HTMLResponse("<html><title>502</title></html>", 502)
        if not body.get("stream"):
            message = {"role": "assistant", "content": "".join(self.pieces)}
            return JSONResponse({"model": body["model"], "choices": [{"message": message, "finish_reason": "stop"}]})
        return StreamingResponse(self.stream(body["model"]), media_type="text/event-stream")

    async def stream(self, model: str) -> AsyncIterator[bytes]:
        if not self.one_at_a_time:
            async for data in self.events(model):
                yield data
            return
        async with self.lock:
            async for data in self.events(model):
                yield data

    async def events(self, model: str) -> AsyncIterator[bytes]:
        whole = b""
        await asyncio.sleep(self.buffered_s)
        pieces = [*self.last.split(" ")] if self.echoes else self.pieces
        for number, piece in enumerate(pieces):
            await asyncio.sleep(self.gap_s)
            delta = {"content": piece} if number else {"role": "assistant", "content": piece}
            data = self.event(model, {"delta": delta, "finish_reason": None})
            if self.buffered_s:
                whole += data
            else:
                yield data
        yield whole + self.event(model, {"delta": {}, "finish_reason": "stop"}) + b"data: [DONE]\n\n"

    def event(self, model: str, choice: dict[str, Any]) -> bytes:
        return b"data: %s\n\n" % json.dumps({"id": "c", "model": model, "choices": [{"index": 0, **choice}]}).encode()


@contextmanager
def hosted(strange: Strange) -> Iterator[str]:
    """The gateway in a thread of the test."""
    config = uvicorn.Config(
        strange.app(), loop="asyncio", http="h11", lifespan="off", log_config=None, log_level="critical"
    )
    config.timeout_graceful_shutdown = 0
    server = uvicorn.Server(config)
    with listen("127.0.0.1", 0) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)
            assert not thread.is_alive()
