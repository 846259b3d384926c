"""The gateway's other port: bare sockets that play scripts, for all that no HTTP server would ever send."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import unquote

import msgspec
from starlette.routing import compile_path

from gwtui.gateway.faults import FAULT_HEADER, FAULTS, chosen
from gwtui.gateway.player import Player
from gwtui.gateway.replies import REPLIES
from gwtui.gateway.replies.base import Asked, QuestionError, Reply, ScriptedAnswer
from gwtui.gateway.scenario import Scenario
from gwtui.gateway.texts import tokens_of

CONNECTION_S = 600.0
"""The longest that a connection is kept."""
HEAD_BYTES = 64 * 1024
BODY_BYTES = 1024 * 1024
TOKENS = 12
CLIENT_HELLO = b"\x16"
"""How TLS begins (RFC 8446 5.1)."""


@dataclass(frozen=True, slots=True)
class RawRequest:
    """A request as far as it matters here."""

    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


class RawServer:
    """Plays the fault that each connection's first request chooses."""

    def __init__(self, scenario: Scenario, clock: Callable[[], float]) -> None:
        self._scenario = scenario
        self._clock = clock
        self._seen: Counter[tuple[str, str]] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def listening(self, listener: socket.socket) -> AsyncIterator[None]:
        """Serve for as long as the `async with` lasts."""
        server = await asyncio.start_server(self._connected, sock=listener, limit=HEAD_BYTES)
        try:
            yield
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Whatever the client does is its right: it may leave, or send nonsense, at any moment.
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                async with asyncio.timeout(CONNECTION_S):
                    await self._play(reader, writer)
        finally:
            writer.close()

    async def _play(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await read_request(reader)
        if request is None:
            writer.write(_response(400, "The plain HTTP request was sent to a port without TLS."))
            return
        answer = _answer(request)
        name = self._fault(request, answer.model)
        fault = FAULTS.get(name)
        if fault is None or not fault.is_raw:
            writer.write(_response(421, _misdirected(name)))
            return
        reply, _ = _reply_for(request.path)
        events = [event.data for event in reply.events(answer)]
        player = Player(reader, writer, request.headers, reply.media_type(answer), events)
        for step in fault.script:
            await player.play(step)

    def _fault(self, request: RawRequest, model: str) -> str:
        self._seen[request.path, model] += 1
        name = chosen(model, request.headers.get(FAULT_HEADER))
        if name:
            return name
        nth = self._seen[request.path, model]
        return self._scenario.behaviour(request.path, model, self._clock(), nth).fault


async def read_request(reader: asyncio.StreamReader) -> RawRequest | None:
    """The next request; None where TLS comes instead."""
    begin = await reader.readexactly(1)
    if begin == CLIENT_HELLO:
        return None
    head = begin + await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length = headers.get("content-length", "0")
    body = await reader.readexactly(min(int(length), BODY_BYTES) if length.isdecimal() else 0)
    return RawRequest((*first.split(" "), "", "")[1], headers, body)


def _answer(request: RawRequest) -> ScriptedAnswer:
    """A good answer to the request, from which a script takes what it sends."""
    path, _, query = request.target.partition("?")
    path = unquote(path)
    model, form = "raw", ""
    with contextlib.suppress(QuestionError):
        reply, named = _reply_for(path)
        asked = Asked(request.body, named, dict(part.partition("=")[::2] for part in query.split("&")))
        question = reply.question(asked)
        model, form = question.model, question.form
    return ScriptedAnswer(
        number="raw",
        model=model,
        tokens=tuple(tokens_of(model, 1, TOKENS)),
        limited=False,
        input_tokens=TOKENS,
        created=0,
        form=form,
    )


_ROUTES = [(compile_path(path)[0], reply) for reply in REPLIES for path in reply.paths]
_CHAT_PATH = "/v1/chat/completions"


def _reply_for(path: str) -> tuple[Reply, dict[str, str]]:
    """The API whose path that is, and what the path names; the chat for all others."""
    found = ((reply, pattern.match(asked)) for asked in (path, _CHAT_PATH) for pattern, reply in _ROUTES)
    return next((reply, match.groupdict()) for reply, match in found if match is not None)


def _misdirected(name: str) -> str:
    raw = ", ".join(fault.name for fault in FAULTS.values() if fault.is_raw)
    asked = f"`{name}` is not a fault of this port" if name else "No fault was chosen"
    return f"{asked}. It has: {raw}."


def _response(status: int, message: str) -> bytes:
    body = msgspec.json.encode({"error": {"message": message}})
    head = f"HTTP/1.1 {status} Refused\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
    return head.encode() + b"connection: close\r\n\r\n" + body
