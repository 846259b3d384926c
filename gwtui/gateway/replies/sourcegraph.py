"""Sourcegraph's completions: `completion` events with the whole text so far or what is new of it, then `done`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from gwtui.gateway.fault import Fault, answer_fault, api_fault, broken_off
from gwtui.gateway.replies.base import (
    Asked,
    Question,
    QuestionError,
    Reply,
    ScriptedAnswer,
    count_tokens,
    decode_question,
    sse,
)
from gwtui.gateway.timeline import Part, TimedEvent
from gwtui.model.verdicts import Verdict

CUMULATIVE = "cumulative"
"""The form of a stream before API version 2: every event holds the whole text so far."""
DELTAS_SINCE = 2
VERSIONS = range(9)


class _Message(msgspec.Struct):
    speaker: str
    text: str | None = None
    content: list[dict[str, Any]] | None = None


class _Body(msgspec.Struct):
    messages: Annotated[list[_Message], Meta(min_length=1)]
    model: str = "anthropic::2023-06-01::claude-3-haiku"
    max_tokens: Annotated[int, Meta(ge=1)] | None = msgspec.field(default=None, name="maxTokensToSample")
    stream: bool | None = None


@dataclass(frozen=True, slots=True)
class SourcegraphReplies(Reply):
    """One of the two paths, which differ in what is done when `stream` is not said."""

    paths: tuple[str, ...]
    streams_by_default: bool

    def question(self, asked: Asked) -> Question:
        version = asked.query.get("api-version", "0")
        if not (version.isascii() and version.isdigit() and int(version[:9]) in VERSIONS):
            raise QuestionError("unsupported API version", 406)
        body = decode_question(asked.body, _Body)
        return Question(
            model=body.model,
            stream=self.streams_by_default if body.stream is None else body.stream,
            max_tokens=body.max_tokens,
            input_tokens=sum(count_tokens(one.text or one.content) for one in body.messages),
            form=CUMULATIVE if int(version) < DELTAS_SINCE else "",
        )

    def events(self, answer: ScriptedAnswer) -> list[TimedEvent]:
        end: dict[str, Any] = {"stopReason": _stop_reason(answer), "usage": _usage(answer)}
        if answer.form == CUMULATIVE:
            told = [{"completion": text, "stopReason": ""} for text in accumulate(answer.tokens)]
            end["completion"] = answer.text
        else:
            told = [{"deltaText": token} for token in answer.tokens]
        return [
            *(TimedEvent(Part.TOKEN, sse(one, "completion")) for one in told),
            TimedEvent(Part.CLOSING, sse(end, "completion")),
            TimedEvent(Part.CLOSING, sse({}, "done")),
        ]

    def whole(self, answer: ScriptedAnswer) -> dict[str, Any]:
        return {"completion": answer.text, "stopReason": _stop_reason(answer), "usage": _usage(answer)}

    def error(self, status: int, message: str) -> str:
        return message

    def error_event(self, answer: ScriptedAnswer, kind: str, message: str, after: int) -> bytes:
        """`done` comes after an error too."""
        return sse({"error": f"{kind}: {message}"}, "error") + sse({}, "done")


def _stop_reason(answer: ScriptedAnswer) -> str:
    return "max_tokens" if answer.limited else "end_turn"


def _usage(answer: ScriptedAnswer) -> dict[str, int]:
    return {
        "completion_tokens": answer.output_tokens,
        "prompt_tokens": answer.input_tokens,
        "total_tokens": answer.input_tokens + answer.output_tokens,
    }


_fault = partial(api_fault, "sourcegraph-stream", "sourcegraph")
_CUMULATIVE = {"path": "/.api/completions/stream?api-version=1"}
_DELTAS = {"path": "/.api/completions/stream?api-version=2"}
REPLIES: tuple[Reply, ...] = (
    SourcegraphReplies(("/.api/completions/stream",), streams_by_default=True),
    SourcegraphReplies(("/.api/completions/code",), streams_by_default=False),
)
FAULTS: tuple[Fault, ...] = (
    *broken_off("sourcegraph-stream", "sourcegraph", "`done`"),
    *broken_off("sourcegraph-stream", "deltas", "`done`", asks=_DELTAS),
    *broken_off("sourcegraph-code", "code", "`done`"),
    _fault(
        "lost",
        "A text does not continue the previous one",
        Verdict.OUT_OF_ORDER,
        "not-cumulative",
        asks=_CUMULATIVE,
        swap_event=4,
    ),
    _fault(
        "nothing-visible",
        "A natural end, and no text before it",
        Verdict.EMPTY,
        "nothing visible",
        cut_after=0,
        insert='event: completion\ndata: {"completion":"","stopReason":"end_turn"}\n\nevent: done\ndata: {}\n\n',
    ),
    _fault(
        "unnamed",
        "An event without its `event:` line, which Cody's clients cannot read",
        Verdict.OUT_OF_ORDER,
        "unnamed-events",
        garble_event=3,
        garble="unnamed",
    ),
    _fault("zero-events", "The upstream is down: no event, and no `done`", Verdict.EMPTY, cut_after=0),
    answer_fault(
        "json-code",
        "`/code` answers one JSON as it does by default",
        Verdict.NOT_A_STREAM,
        "silent fallback",
        no_stream=True,
        api="sourcegraph-code",
    ),
)
