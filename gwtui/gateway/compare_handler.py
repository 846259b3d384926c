"""`POST /compare-stream`: one question to several models, their answers interleaved in one stream of events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gwtui.gateway.behaviour import Behaviour
from gwtui.gateway.completion_handler import answer_to
from gwtui.gateway.framing import as_played
from gwtui.gateway.replies.base import EVENT_STREAM, Question, QuestionError, count_tokens, decode_question, sse
from gwtui.gateway.replies.openai_chat import openai_error
from gwtui.gateway.responses import TimelineResponse, refusal
from gwtui.gateway.state import UNKNOWN_MODEL, FaultError, GatewayState, Visit, key_is_invalid
from gwtui.gateway.timeline import Part, TimedEvent, TimedSend, paced

COMPARE_PATH = "/compare-stream"
MAX_MODELS = 32


class _Body(msgspec.Struct):
    models: Annotated[list[str], Meta(min_length=1, max_length=MAX_MODELS)]
    prompt: str = ""
    messages: list[dict[str, Any]] = []
    max_tokens: Annotated[int, Meta(ge=1)] | None = None
    sequential: bool = False
    """Ask the models one after another."""


@dataclass(frozen=True, slots=True)
class ModelPlan:
    """What one model sends, and when, counted from when it is asked."""

    model: str
    sends: tuple[TimedSend, ...]
    is_good: bool
    tokens: int = 0


async def compare(state: GatewayState, request: Request) -> Response:
    visit = Visit(state, request)
    try:
        body = decode_question(await request.body(), _Body)
        plans = [_plan(state, request, body, model) for model in body.models]
        behaviour = state.behaviour(request, state.next(request.url.path))
    except (QuestionError, FaultError) as error:
        return _refused(visit, _error(400, str(error)))
    if key_is_invalid(request):
        return _refused(visit, _error(401, "The API key is not valid."))
    if behaviour.status is not None:
        return _refused(visit, await refusal(behaviour, _error))
    for plan in plans:
        own = Visit(state, request, _question(body, plan.model))
        provider = state.upstreams.first(_question(body, plan.model)) if plan.is_good else ""
        own.over(
            200 if plan.is_good else 404,
            "ok" if plan.is_good else "refused",
            provider=provider,
            tokens=plan.tokens,
        )
    sends = interleaved(plans, sequential=body.sequential or bool(behaviour.sequential))
    timeline = as_played(sends, sse({"type": "error", "message": behaviour.error_message or "Overloaded"}), behaviour)
    return TimelineResponse(
        timeline, {"content-type": EVENT_STREAM} | (behaviour.headers or {}), lambda status, outcome: None
    )


def _refused(visit: Visit, response: Response) -> Response:
    visit.over(response.status_code, "refused")
    return response


def _question(body: _Body, model: str) -> Question:
    tokens = count_tokens(body.prompt) + sum(count_tokens(message) for message in body.messages)
    return Question(model=model, stream=True, max_tokens=body.max_tokens, input_tokens=tokens)


def _plan(state: GatewayState, request: Request, body: _Body, model: str) -> ModelPlan:
    nth = state.next(request.url.path, model)
    behaviour = state.behaviour(request, nth, model)
    if model == UNKNOWN_MODEL:
        return plan_of(model, None, behaviour)
    return plan_of(model, answer_to(_question(body, model), nth, behaviour).tokens, behaviour)


def plan_of(model: str, tokens: Sequence[str] | None, behaviour: Behaviour) -> ModelPlan:
    """The events of one model's answer; None for a model that does not exist."""
    told: list[tuple[Part, dict[str, Any]]] = [(Part.OPENING, {"type": "start"})]
    if tokens is None:
        told.append((Part.CLOSING, {"type": "error", "message": f"The model `{model}` does not exist."}))
    else:
        told += [(Part.TOKEN, {"type": "chunk", "content": token}) for token in tokens]
        told.append((Part.CLOSING, {"type": "done"}))
    events = [TimedEvent(part, sse({"type": fields.pop("type"), "model": model, **fields})) for part, fields in told]
    first, *rest = paced(events, behaviour)
    # A start is told when the model is asked, not when it begins to speak.
    return ModelPlan(model, (TimedSend(0.0, first.data), *rest), tokens is not None, len(tokens or ()))


def interleaved(plans: Sequence[ModelPlan], *, sequential: bool) -> list[TimedSend]:
    """All plans in one stream, at once or one after another, and what they come to."""
    sends: list[TimedSend] = []
    begin_s = end_s = 0.0
    for plan in plans:
        sends += [TimedSend(begin_s + send.at_s, send.data) for send in plan.sends]
        end_s = max(end_s, sends[-1].at_s)
        begin_s = end_s if sequential else 0.0
    good = sum(plan.is_good for plan in plans)
    metadata = {
        "processing_time_ms": round(end_s * 1000, 3),
        "models_successful": good,
        "models_failed": len(plans) - good,
    }
    # Sorting keeps the order of those that are due at once, so no model's events overtake each other.
    return [
        *sorted(sends, key=lambda send: send.at_s),
        TimedSend(end_s, sse({"type": "complete", "metadata": metadata})),
    ]


def _error(status: int, message: str) -> Response:
    return JSONResponse(openai_error(status, message), status)
