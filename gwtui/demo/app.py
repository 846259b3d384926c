"""The embedded gateway as an ASGI application: requests in, the scenario's behaviour out."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from importlib.metadata import PackageNotFoundError, version
from uuid import uuid4

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from gwtui.demo.answers import Identified, Playback
from gwtui.demo.replies import REPLIES
from gwtui.demo.replies.base import Answer, Asked, Question, QuestionError, Reply
from gwtui.demo.scenario import Behaviour, Scenario
from gwtui.demo.texts import tokens_of
from gwtui.demo.timeline import timeline, whole_answer_s

PING_PATHS = ("/v2/http", "/.api/gateway/http", "/.api/gateway/http-then-websocket")
WEBSOCKET_PATHS = ("/v2/websocket", "/.api/gateway/websocket")

INVALID_KEY = "invalid"
"""The one key that is refused; any other, or none, will do."""
UNKNOWN_MODEL = "no-such-model"
"""The one model that does not exist."""

_EXPECTED = "expected `ping`"
_TRY_AGAIN_LATER = 1013
_SERVICE_RESTART = 1012


def build_app(scenario: Scenario, clock: Callable[[], float] | None = None) -> Starlette:
    """The gateway playing a scenario; `clock` tells the seconds since its start."""
    gateway = _Gateway(scenario, clock if clock is not None else _clock_from_now())
    routes = [
        *(Route(path, partial(gateway.complete, reply), methods=["POST"]) for reply in REPLIES for path in reply.paths),
        *(Route(path, gateway.ping, methods=["POST"]) for path in PING_PATHS),
        *(WebSocketRoute(path, gateway.websocket) for path in WEBSOCKET_PATHS),
        Route("/gateway/health", gateway.health),
        Route("/-/__version", gateway.version),
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(Identified)],
        exception_handlers={HTTPException: _unrouted},
    )


class _Gateway:
    """The handlers, and what they share: the scenario, the clock and how many requests of each kind there were."""

    def __init__(self, scenario: Scenario, clock: Callable[[], float]) -> None:
        self._scenario = scenario
        self._clock = clock
        self._seen: Counter[tuple[str, str, str]] = Counter()

    def _next(self, path: str, model: str = "", kind: str = "request") -> tuple[int, Behaviour]:
        """Count one more request; its number and what is to happen to it."""
        self._seen[path, model, kind] += 1
        nth = self._seen[path, model, kind]
        return nth, self._scenario.behaviour(path, model, self._clock(), nth)

    async def complete(self, reply: Reply, request: Request) -> Response:
        try:
            question = reply.question(Asked(await request.body(), request.path_params, request.query_params))
        except QuestionError as error:
            return _error(reply, error.status, str(error))
        if _key_is_invalid(request):
            return _error(reply, 401, "The API key is not valid.")
        if question.model == UNKNOWN_MODEL:
            return _error(reply, 404, f"The model `{question.model}` does not exist.")
        nth, behaviour = self._next(request.url.path, question.model)
        if behaviour.status is not None:
            return await _refusal(behaviour, partial(_error, reply))
        answer = _answer(question, nth, behaviour)
        if question.stream and not behaviour.no_stream:
            events = reply.events(answer)
            broken_off = reply.error_event(
                answer,
                behaviour.error_type or "overloaded_error",
                behaviour.error_message or "Overloaded",
                min(behaviour.error_after or 0, len(events)),
            )
            headers = {"content-type": reply.media_type(answer)} | (behaviour.headers or {})
            return Playback(timeline(events, broken_off, behaviour), headers)
        await asyncio.sleep(whole_answer_s(answer.output_tokens, behaviour))
        return JSONResponse(reply.whole(answer), headers=behaviour.headers)

    async def ping(self, request: Request) -> Response:
        if _key_is_invalid(request):
            return _plain_error(401, "The key is not valid.")
        _, behaviour = self._next(request.url.path)
        if behaviour.status is not None:
            return await _refusal(behaviour, _plain_error)
        if await request.body() != b"ping":
            return _plain_error(400, _EXPECTED)
        await asyncio.sleep(behaviour.ttft_ms / 1000)
        return PlainTextResponse(_pong(behaviour), headers=behaviour.headers)

    async def websocket(self, websocket: WebSocket) -> None:
        path = websocket.url.path
        _, handshake = self._next(path, kind="handshake")
        if _key_is_invalid(websocket):
            return await websocket.send_denial_response(_plain_error(401, "The key is not valid."))
        if handshake.status is not None:
            return await websocket.send_denial_response(await _refusal(handshake, _plain_error))
        await websocket.accept(headers=[(k.encode(), v.encode()) for k, v in (handshake.headers or {}).items()])
        try:
            await self._pongs(websocket, path)
        except WebSocketDisconnect:
            return None

    async def _pongs(self, websocket: WebSocket, path: str) -> None:
        pings = 0
        while True:
            text = await _received(websocket)
            pings += 1
            _, behaviour = self._next(path, kind="ping")
            if behaviour.status is not None:
                return await websocket.close(_TRY_AGAIN_LATER, behaviour.close_reason)
            await asyncio.sleep(behaviour.ttft_ms / 1000)
            if not behaviour.drop:
                await websocket.send_text(_pong(behaviour) if text == "ping" else _EXPECTED)
            if behaviour.close_after is not None and pings >= behaviour.close_after:
                return await websocket.close(behaviour.close_code or _SERVICE_RESTART, behaviour.close_reason)

    async def health(self, request: Request) -> Response:
        _, behaviour = self._next(request.url.path)
        if behaviour.status is not None:
            return await _refusal(behaviour, _plain_error)
        return JSONResponse(
            {
                "status": "healthy",
                "providers": {"anthropic": True, "openai": True},
                "routing": {"default_provider": "anthropic", "fallback_chain": ["anthropic", "openai"]},
                "audit": {"enabled": False},
            },
            headers=behaviour.headers,
        )

    async def version(self, request: Request) -> Response:
        return PlainTextResponse(_version())


def _answer(question: Question, nth: int, behaviour: Behaviour) -> Answer:
    tokens = tokens_of(question.model, nth, behaviour.tokens)
    limit = question.max_tokens
    return Answer(
        number=uuid4().hex[:24],
        model=behaviour.served_model or question.model,
        tokens=tuple(tokens[:limit]),
        limited=limit is not None and limit < len(tokens),
        input_tokens=question.input_tokens,
        created=int(time.time()),
        include_usage=question.include_usage,
        form=question.form,
    )


def _error(reply: Reply, status: int, message: str) -> Response:
    body = reply.error(status, message)
    return PlainTextResponse(body, status) if isinstance(body, str) else JSONResponse(body, status)


async def _refusal(behaviour: Behaviour, error: Callable[[int, str], Response]) -> Response:
    """The scripted status, at once or after the scripted wait, with the scripted body or else the API's own error."""
    await asyncio.sleep(behaviour.ttft_ms / 1000)
    status = behaviour.status or 500
    body = behaviour.body
    if body is None:
        response = error(status, _phrase(status))
    elif isinstance(body, str):
        response = PlainTextResponse(body, status)
    else:
        response = JSONResponse(body, status)
    response.headers.update(behaviour.headers or {})
    if behaviour.retry_after is not None:
        response.headers["retry-after"] = str(behaviour.retry_after)
    return response


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Overloaded" if status == 529 else f"Status {status}"


def _plain_error(status: int, message: str) -> Response:
    return JSONResponse({"error": {"message": message}}, status)


async def _unrouted(request: Request, error: Exception) -> Response:
    """No such path, or not by that method."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = error.headers if isinstance(error, HTTPException) else None
    message = f"{_phrase(status)}: {request.method} {request.url.path}"
    return JSONResponse({"error": {"message": message}}, status, headers=headers)


async def _received(websocket: WebSocket) -> str | None:
    """The next text frame, None for a binary one. Raises `WebSocketDisconnect` at the end."""
    message = await websocket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message["code"])
    text: str | None = message.get("text")
    return text


def _pong(behaviour: Behaviour) -> str:
    return behaviour.body if isinstance(behaviour.body, str) else "pong"


def _key_is_invalid(connection: HTTPConnection) -> bool:
    authorization = connection.headers.get("authorization", "").split(" ")
    keys = (connection.headers.get(name) for name in ("x-api-key", "api-key", "x-goog-api-key"))
    return INVALID_KEY in (authorization[-1], connection.query_params.get("key"), *keys)


def _clock_from_now() -> Callable[[], float]:
    start = time.monotonic()
    return lambda: time.monotonic() - start


def _version() -> str:
    try:
        return version("gwtui")
    except PackageNotFoundError:
        return "unknown"
