"""How answers leave the embedded gateway: streams played on their timeline, refusals, the ids that every answer has."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gwtui.gateway.behaviour import Behaviour
from gwtui.gateway.state import phrase
from gwtui.gateway.timeline import Timeline

_STREAM_HEADERS = {"cache-control": "no-cache", "x-accel-buffering": "no"}
_REQUEST_ID = re.compile(r"[\w.:/+=-]{1,128}", re.ASCII)
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_STARTS = ("http.response.start", "websocket.accept", "websocket.http.response.start")


class TimelineResponse(Response):
    """A stream sent on its timeline, for as long as the client listens; `headers` name its content type.

    The status line goes out with the first event, as it does in a gateway that waits for its upstream. `over` is
    called with the status and the outcome before the last byte, so that a client that has read all finds it in the
    audit log.
    """

    def __init__(self, timeline: Timeline, headers: Mapping[str, str], over: Callable[[int, str], None]) -> None:
        super().__init__(headers=_STREAM_HEADERS)
        del self.headers["content-length"]
        self.headers.update(headers)
        self._timeline = timeline
        self._over = over

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with asyncio.TaskGroup() as tasks:
            playing = tasks.create_task(self._play(send))
            leaving = tasks.create_task(_disconnected(receive))
            await asyncio.wait((playing, leaving), return_when=asyncio.FIRST_COMPLETED)
            if not playing.done():
                self._over(self.status_code, "client_left")
            playing.cancel()
            leaving.cancel()

    async def _play(self, send: Send) -> None:
        loop = asyncio.get_running_loop()
        # Every event has its own due time: the small delays of single sleeps do not add up.
        begin = loop.time()
        started = False
        for planned in self._timeline.sends:
            if (wait := begin + planned.at_s - loop.time()) > 0:
                await asyncio.sleep(wait)
            if not started:
                await self._start(send)
                started = True
            await send({"type": "http.response.body", "body": planned.data, "more_body": True})
        if not started:
            await self._start(send)
        if self._timeline.stalls:
            await asyncio.Event().wait()
        self._over(self.status_code, "ok")
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _start(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def refusal(behaviour: Behaviour, error: Callable[[int, str], Response]) -> Response:
    """The scripted status, at once or after the scripted wait, with the scripted body or else the API's own error."""
    await asyncio.sleep(behaviour.ttft_ms / 1000)
    status = behaviour.status or 500
    body = behaviour.body
    if body is None:
        response = error(status, phrase(status))
    elif isinstance(body, str):
        response = PlainTextResponse(body, status)
    else:
        response = JSONResponse(body, status)
    response.headers.update(behaviour.headers or {})
    if behaviour.retry_after is not None:
        response.headers["retry-after"] = str(behaviour.retry_after)
    return response


def plain_error(status: int, message: str) -> Response:
    return JSONResponse({"error": {"message": message}}, status)


class Identified:
    """Puts `x-request-id` and `x-trace` on every answer: the client's own where it sent some, else fresh ones.

    What the answer says of itself stays.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        asked = headers.get("x-request-id", "")
        request_id = asked if _REQUEST_ID.fullmatch(asked) else f"req_{uuid4().hex[:24]}"
        traced = _TRACEPARENT.fullmatch(headers.get("traceparent", ""))
        trace = traced[1] if traced else uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id

        async def send_identified(message: Message) -> None:
            if message["type"] in _STARTS:
                message.setdefault("headers", [])
                told = MutableHeaders(scope=message)
                told.setdefault("x-request-id", request_id)
                told.setdefault("x-trace", trace)
            await send(message)

        await self._app(scope, receive, send_identified)
