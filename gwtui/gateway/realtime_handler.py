"""Sessions of OpenAI Realtime: a WebSocket that answers one question after another, for as long as its client stays."""

from __future__ import annotations

import asyncio
from functools import partial

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect

from gwtui.gateway.behaviour import Behaviour
from gwtui.gateway.completion_handler import answer_to, error_event, error_response
from gwtui.gateway.framing import timeline
from gwtui.gateway.replies.base import Asked, Question, QuestionError
from gwtui.gateway.replies.openai_realtime import PREVIEW, REALTIME, error_message, event
from gwtui.gateway.responses import refusal
from gwtui.gateway.state import UNKNOWN_MODEL, FaultError, GatewayState, Visit, key_is_invalid
from gwtui.gateway.texts import obeyed
from gwtui.gateway.timeline import Timeline

REALTIME_PATH = "/v1/realtime"
MOST_MESSAGES = 1000
"""Of one question."""
_NORMAL = 1000
_BAD_KEY = 3000
_BAD_REQUEST = 4000
_REFUSED = "invalid_request_error"


async def realtime(state: GatewayState, websocket: WebSocket) -> None:
    """Take a WebSocket, or refuse it, and answer what is asked over it."""
    model = websocket.query_params.get("model", "")
    try:
        behaviour = state.behaviour(websocket, state.next(websocket.url.path, model, "session"), model)
    except FaultError as error:
        return await websocket.send_denial_response(error_response(REALTIME, 400, str(error)))
    if behaviour.status is not None:
        return await websocket.send_denial_response(await refusal(behaviour, partial(error_response, REALTIME)))
    await websocket.accept(headers=[(k.encode(), v.encode("latin-1")) for k, v in (behaviour.headers or {}).items()])
    try:
        if (refused := _refused(websocket, model)) is not None:
            return await _refuse(websocket, *refused)
        await _send(websocket, event("session.created", "session", session=_session(model)))
        while await _answered(state, websocket, model):
            pass
    except WebSocketDisconnect:
        return None


def _refused(websocket: WebSocket, model: str) -> tuple[int, str, str] | None:
    """The close code, the error code and the words with which the API refuses a session; None: it does not."""
    if key_is_invalid(websocket):
        return _BAD_KEY, "invalid_api_key", "The API key is not valid."
    if model == UNKNOWN_MODEL:
        return _BAD_REQUEST, "model_not_found", f"The model `{model}` does not exist."
    return None


async def _refuse(websocket: WebSocket, close_code: int, code: str, words: str) -> None:
    """Refuse a session as the API does: with an error, and a close frame behind it."""
    await _send(websocket, error_message(_REFUSED, words, code))
    await websocket.close(close_code, f"{_REFUSED}.{code}")


async def _answered(state: GatewayState, websocket: WebSocket, model: str) -> bool:
    """Answer the next question. False where the session is over then. Raises `WebSocketDisconnect`."""
    messages = await _messages(websocket, model)
    nth = state.next(websocket.url.path, model)
    behaviour = state.behaviour(websocket, nth, model)
    visit = Visit(state, websocket)
    try:
        question = visit.question = _question(websocket, model, messages)
    except QuestionError as error:
        visit.over(400, "refused")
        await _send(websocket, error_message(_REFUSED, str(error)))
        return True
    said = obeyed(messages)
    behaviour = behaviour if said is None or behaviour.text else msgspec.structs.replace(behaviour, text=said)
    answer = answer_to(question, nth, behaviour)
    sent = timeline(REALTIME.events(answer), error_event(REALTIME, answer, behaviour), behaviour)
    outcome = "client_left"
    try:
        await _play(websocket, sent)
        outcome = "ok"
    finally:
        visit.over(101, outcome, model=answer.model, tokens=answer.output_tokens, behaviour=behaviour)
    if sent.stalls:
        await _left(websocket)
    if behaviour.cut_after is None and behaviour.cut_last is None:
        return True
    await _close(websocket, behaviour)
    return False


async def _messages(websocket: WebSocket, model: str) -> bytes:
    """All of the client's up to `response.create`, as a JSON array; each is acknowledged. Raises
    `WebSocketDisconnect`."""
    texts: list[str] = []
    while len(texts) < MOST_MESSAGES:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message["code"])
        text = str(message.get("text") or "null")
        texts.append(text)
        if '"response.create"' in text:
            break
        if '"session.update"' in text:
            await _send(websocket, event("session.updated", f"client_{len(texts)}", session=_session(model)))
        elif '"conversation.item.create"' in text:
            await _acknowledge(websocket, text, len(texts))
    return f"[{','.join(texts)}]".encode()


async def _acknowledge(websocket: WebSocket, text: str, number: int) -> None:
    """Say that the item is in the conversation, once or twice, as the form of the API has it."""
    try:
        item = msgspec.json.decode(text).get("item")
    except (msgspec.DecodeError, AttributeError):
        return
    steps = ("created",) if _form(websocket) else ("added", "done")
    for step in steps:
        await _send(websocket, event(f"conversation.item.{step}", f"client_{number}_{step}", item=item))


def _question(websocket: WebSocket, model: str, messages: bytes) -> Question:
    """Raises `QuestionError`."""
    return REALTIME.question(Asked(messages, query={"model": model, "form": _form(websocket)}))


def _form(websocket: WebSocket) -> str:
    return PREVIEW if "realtime=v1" in websocket.headers.get("openai-beta", "") else ""


def _session(model: str) -> dict[str, object]:
    return {"type": "realtime", "object": "realtime.session", "model": model}


async def _play(websocket: WebSocket, sent: Timeline) -> None:
    """Raises `WebSocketDisconnect` where the client has left."""
    loop = asyncio.get_running_loop()
    begin = loop.time()
    for planned in sent.sends:
        if (wait := begin + planned.at_s - loop.time()) > 0:
            await asyncio.sleep(wait)
        await _send(websocket, planned.data)


async def _send(websocket: WebSocket, message: bytes) -> None:
    await websocket.send_text(message.decode("utf-8", "replace"))


async def _left(websocket: WebSocket) -> None:
    """Say nothing until the client hangs up. Raises `WebSocketDisconnect`."""
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message["code"])


async def _close(websocket: WebSocket, behaviour: Behaviour) -> None:
    await websocket.close(behaviour.close_code or _NORMAL, behaviour.close_reason)
