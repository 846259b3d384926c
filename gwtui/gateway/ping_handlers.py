"""Pings over HTTP and over WebSockets. No model is involved, so only the header can choose a fault."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from gwtui.gateway.behaviour import Behaviour
from gwtui.gateway.responses import plain_error, refusal
from gwtui.gateway.state import FaultError, GatewayState, key_is_invalid

HTTP_PATHS = ("/v2/http", "/.api/gateway/http", "/.api/gateway/http-then-websocket")
WEBSOCKET_PATHS = ("/v2/websocket", "/.api/gateway/websocket")

_EXPECTED = "expected `ping`"
_TRY_AGAIN_LATER = 1013
_SERVICE_RESTART = 1012


async def ping(state: GatewayState, request: Request) -> Response:
    if key_is_invalid(request):
        return plain_error(401, "The key is not valid.")
    try:
        behaviour = state.behaviour(request, state.next(request.url.path))
    except FaultError as error:
        return plain_error(400, str(error))
    if behaviour.status is not None:
        return await refusal(behaviour, plain_error)
    if await request.body() != b"ping":
        return plain_error(400, _EXPECTED)
    await asyncio.sleep(behaviour.ttft_ms / 1000)
    return PlainTextResponse(_pong(behaviour), headers=behaviour.headers)


async def websocket(state: GatewayState, websocket: WebSocket) -> None:
    """Take a WebSocket and answer its pings, for as long as the scenario lets it live."""
    path = websocket.url.path
    if key_is_invalid(websocket):
        return await websocket.send_denial_response(plain_error(401, "The key is not valid."))
    try:
        handshake = state.behaviour(websocket, state.next(path, kind="handshake"))
    except FaultError as error:
        return await websocket.send_denial_response(plain_error(400, str(error)))
    if handshake.status is not None:
        return await websocket.send_denial_response(await refusal(handshake, plain_error))
    await websocket.accept(headers=[(k.encode(), v.encode("latin-1")) for k, v in (handshake.headers or {}).items()])
    try:
        await _pongs(state, websocket, path)
    except WebSocketDisconnect:
        return None


async def _pongs(state: GatewayState, websocket: WebSocket, path: str) -> None:
    pings = 0
    while True:
        text = await _received(websocket)
        pings += 1
        behaviour = state.behaviour(websocket, state.next(path, kind="ping"))
        if behaviour.status is not None:
            return await websocket.close(_TRY_AGAIN_LATER, behaviour.close_reason)
        await asyncio.sleep(behaviour.ttft_ms / 1000)
        if not behaviour.drop:
            await websocket.send_text(_pong(behaviour) if text == "ping" else _EXPECTED)
        if behaviour.close_after is not None and pings >= behaviour.close_after:
            return await websocket.close(behaviour.close_code or _SERVICE_RESTART, behaviour.close_reason)


async def _received(websocket: WebSocket) -> str | None:
    """The next text frame, None for a binary one. Raises `WebSocketDisconnect` at the end."""
    message = await websocket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message["code"])
    text: str | None = message.get("text")
    return text


def _pong(behaviour: Behaviour) -> str:
    return behaviour.body if isinstance(behaviour.body, str) else "pong"
