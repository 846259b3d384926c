"""Completions: a request of any API, an upstream that answers it, and the answer in the requested form."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from functools import partial
from uuid import uuid4

import msgspec
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from gwtui.gateway.behaviour import Behaviour
from gwtui.gateway.framing import timeline
from gwtui.gateway.providers import PROVIDERS
from gwtui.gateway.replies.base import (
    AWS_STREAM,
    EMPTY_FRAME,
    EVENT_STREAM,
    Asked,
    Question,
    QuestionError,
    Reply,
    ScriptedAnswer,
)
from gwtui.gateway.responses import TimelineResponse, refusal
from gwtui.gateway.state import UNKNOWN_MODEL, FaultError, GatewayState, Visit, key_is_invalid
from gwtui.gateway.texts import ARGUMENTS, obeyed, pieces, tokens_of
from gwtui.gateway.timeline import BLANK_LINE, COMMENT, whole_answer_s
from gwtui.gateway.upstreams import Served, Unserved

_ALIVE = {EVENT_STREAM: COMMENT, AWS_STREAM: EMPTY_FRAME}
"""Signs of life, by content type; blank lines in all others."""


async def complete(state: GatewayState, reply: Reply, request: Request) -> Response:
    """Answer one request of that API."""
    visit = Visit(state, request)
    response = await _served(state, reply, request, visit)
    if isinstance(response, Response):
        visit.over(response.status_code, "refused")
        return response
    question, served, nth = response
    body = await request.body()
    if served.behaviour.cache and (age_s := state.cached_s(body)) is not None:
        behaviour = replace(served.behaviour, ttft_ms=0.0, gap_ms=0.0, jitter=0.0)
        told = {"x-cache": "HIT", "age": str(age_s), **(behaviour.headers or {})}
        served = dataclasses.replace(served, behaviour=replace(behaviour, headers=told))
    return await _answered(reply, question, served, nth, visit, obeyed(body))


async def _served(
    state: GatewayState, reply: Reply, request: Request, visit: Visit
) -> Response | tuple[Question, Served, int]:
    """The prompt, the provider that answers it, and the request's number; or why none answers."""
    try:
        question = visit.question = reply.question(
            Asked(await request.body(), request.path_params, request.query_params)
        )
    except QuestionError as error:
        return error_response(reply, error.status, str(error))
    if key_is_invalid(request):
        return error_response(reply, 401, "The API key is not valid.")
    if question.model == UNKNOWN_MODEL:
        return error_response(reply, 404, f"The model `{question.model}` does not exist.")
    nth = state.next(request.url.path, question.model)
    try:
        behaviour = state.behaviour(request, nth, question.model, state.upstreams.first(question), question.turn)
    except FaultError as error:
        return error_response(reply, 400, str(error))
    if behaviour.refuse_field is not None and behaviour.refuse_field in msgspec.json.decode(await request.body()):
        return error_response(reply, 400, f"Unsupported parameter: '{behaviour.refuse_field}' is not supported here.")
    if behaviour.status is not None:
        return await refusal(behaviour, partial(error_response, reply))
    served = await state.upstreams.ask(
        question, lambda provider: state.behaviour(request, nth, question.model, provider, question.turn)
    )
    visit.attempts = served.attempts
    if isinstance(served, Unserved):
        return _unserved(reply, served)
    return question, served, nth


def _unserved(reply: Reply, unserved: Unserved) -> Response:
    response = error_response(reply, unserved.status, unserved.message)
    response.headers["x-gateway-attempts"] = str(len(unserved.attempts))
    if unserved.retry_after_s is not None:
        response.headers["retry-after"] = str(unserved.retry_after_s)
    return response


async def _answered(
    reply: Reply, question: Question, served: Served, nth: int, visit: Visit, said: str | None
) -> Response:
    behaviour = served.behaviour if said is None else replace(served.behaviour, text=served.behaviour.text or said)
    answer = answer_to(question, nth, behaviour, PROVIDERS[served.provider].stand_in if served.stands_in else "")
    over = partial(
        visit.over,
        provider=served.provider,
        model=answer.model,
        tokens=answer.output_tokens,
        behaviour=behaviour,
    )
    headers = served.headers | (behaviour.headers or {})
    if question.stream and served.streams and not behaviour.no_stream:
        encoding = {"content-encoding": "gzip"} if behaviour.gzip else {}
        media_type = reply.media_type(answer)
        headers = {"content-type": media_type} | encoding | headers
        alive = _ALIVE.get(media_type, BLANK_LINE)
        sent = timeline(reply.events(answer), error_event(reply, answer, behaviour), behaviour, alive)
        return TimelineResponse(sent, headers, over)
    await asyncio.sleep(whole_answer_s(answer.output_tokens, behaviour))
    over(200)
    return JSONResponse(reply.whole(answer), headers=headers)


def answer_to(question: Question, nth: int, behaviour: Behaviour, stand_in: str = "") -> ScriptedAnswer:
    """What the model says to its `nth` question."""
    tool = "" if behaviour.no_tools else question.tool
    said = ARGUMENTS if tool else behaviour.text
    tokens = pieces(said) if said is not None else tokens_of(question.model, nth, behaviour.tokens)
    limit = question.max_tokens
    return ScriptedAnswer(
        number=uuid4().hex[:24],
        model=behaviour.served_model or stand_in or question.model,
        tokens=tuple(tokens[:limit]),
        limited=limit is not None and limit < len(tokens),
        input_tokens=question.input_tokens,
        created=int(time.time()),
        include_usage=question.include_usage,
        form=question.form,
        tool=tool,
    )


def error_event(reply: Reply, answer: ScriptedAnswer, behaviour: Behaviour) -> bytes:
    """The event that a stream breaks off with, if it does."""
    if behaviour.error_event is not None:
        return behaviour.error_event.encode()
    kind, message = behaviour.error_type or "overloaded_error", behaviour.error_message or "Overloaded"
    return reply.error_event(answer, kind, message, behaviour.error_after or 0)


def error_response(reply: Reply, status: int, message: str) -> Response:
    """A refusal in the API's own form."""
    body = reply.error(status, message)
    return PlainTextResponse(body, status) if isinstance(body, str) else JSONResponse(body, status)
