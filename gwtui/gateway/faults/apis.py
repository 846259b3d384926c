"""The same ways to break off in the form of each API, and what only one API's rules can tell."""

from __future__ import annotations

from functools import partial
from typing import Any

from gwtui.gateway.behaviour import Manner
from gwtui.gateway.faults.base import Fault
from gwtui.gateway.faults.streams import stream_fault
from gwtui.model.enums import FindingName
from gwtui.model.verdicts import Verdict

_CUMULATIVE = {"path": "/.api/completions/stream?api-version=1"}
_DELTAS = {"path": "/.api/completions/stream?api-version=2"}


def _of(api: str, short: str, name: str, says: str, verdict: Verdict, reason: str = "", /, **fields: Any) -> Fault:
    return stream_fault(f"{name}-{short}", says, verdict, reason, api=api, **fields)


def _broken_off(api: str, short: str, terminator: str = "", **asks: Any) -> tuple[Fault, ...]:
    """The stream of that API cut in its middle, without its terminator where it has one, and with an error."""
    make = partial(_of, api, short)
    cut = make("truncated", "The stream ends cleanly in its middle", Verdict.TRUNCATED, cut_after=6, **asks)
    says = "An error in the API's own form, after some tokens"
    error = make("error", says, Verdict.ERROR_IN_STREAM, "Overloaded", error_after=6, **asks)
    if not terminator:
        return cut, error
    says = f"All but {terminator} comes"
    found = (FindingName.UNTERMINATED,)
    missing = make("unterminated", says, Verdict.COMPLETE_UNTERMINATED, cut_last=1, findings=found, **asks)
    return cut, error, missing


_anthropic = partial(_of, "anthropic-messages", "anthropic")
_responses = partial(_of, "openai-responses", "responses")
_sourcegraph = partial(_of, "sourcegraph-stream", "sourcegraph")
_compare = partial(_of, "compare-stream", "compare")

BROKEN_OFF = (
    *_broken_off("openai-chat", "chat", "`[DONE]`"),
    *_broken_off("anthropic-messages", "anthropic", "`message_stop`"),
    *_broken_off("openai-responses", "responses"),
    *_broken_off("openai-completions", "completions", "`[DONE]`"),
    *_broken_off("fireworks", "fireworks", "`[DONE]`"),
    *_broken_off("gemini", "gemini"),
    *_broken_off("sourcegraph-stream", "sourcegraph", "`done`"),
    *_broken_off("sourcegraph-stream", "deltas", "`done`", asks=_DELTAS),
    *_broken_off("sourcegraph-code", "code", "`done`"),
    *_broken_off("compare-stream", "compare", "`complete`"),
)

ANTHROPIC = (
    _anthropic(
        "reordered",
        "A block starts before its message",
        Verdict.OUT_OF_ORDER,
        "event 1",
        swap_event=1,
    ),
    _anthropic(
        "duplicated",
        "A block starts twice",
        Verdict.OUT_OF_ORDER,
        "event 3",
        repeat_event=2,
    ),
    _anthropic(
        "lost",
        "The start of a block is lost",
        Verdict.OUT_OF_ORDER,
        "delta-without-block",
        lose_event=2,
    ),
    _anthropic(
        "lost-start",
        "The start of the message is lost",
        Verdict.OUT_OF_ORDER,
        "event 1",
        lose_event=1,
    ),
    _anthropic(
        "index",
        "A delta belongs to a block that is not open",
        Verdict.OUT_OF_ORDER,
        "delta-index",
        garble_event=5,
        garble="index",
    ),
    _anthropic(
        "name",
        "An event is not named as it is typed",
        Verdict.OUT_OF_ORDER,
        "name-is-not-type",
        garble_event=5,
        garble="name",
    ),
    _anthropic(
        "two-streams",
        "Two messages in one body",
        Verdict.COMPLETE,
        after_end="stream",
        findings=(FindingName.EVENTS_AFTER_END,),
    ),
    _anthropic(
        "overloaded",
        "What would have been a 529 comes in the middle of a stream",
        Verdict.ERROR_IN_STREAM,
        "overloaded_error",
        error_after=5,
        error_event='event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},'
        '"request_id":"req_1"}\n\n',
    ),
)

RESPONSES = (
    _responses("lost", "An event is lost, and its number with it", Verdict.OUT_OF_ORDER, "sequence-gap", lose_event=6),
    _responses("duplicated", "An event comes twice", Verdict.OUT_OF_ORDER, "sequence-order", repeat_event=6),
    _responses("reordered", "Two events change places", Verdict.OUT_OF_ORDER, "sequence-", swap_event=6),
    _responses(
        "sequence", "A sequence number jumps", Verdict.OUT_OF_ORDER, "sequence-", garble_event=6, garble="sequence"
    ),
    _responses(
        "index", "A delta of an item that is not open", Verdict.OUT_OF_ORDER, "item", garble_event=6, garble="index"
    ),
    _responses(
        "flat",
        "The error as it is documented, without nesting",
        Verdict.ERROR_IN_STREAM,
        "boom",
        error_after=6,
        error_event='event: error\ndata: {"type":"error","code":"server_error","message":"boom","param":null,'
        '"sequence_number":6}\n\n',
    ),
    _responses(
        "failed",
        "The response ends as failed",
        Verdict.ERROR_IN_STREAM,
        "boom",
        error_after=6,
        error_event='event: response.failed\ndata: {"type":"response.failed","sequence_number":6,"response":'
        '{"id":"resp_1","object":"response","status":"failed","error":{"code":"server_error","message":"boom"},'
        '"output":[]}}\n\n',
    ),
)

OTHERS = (
    _sourcegraph(
        "lost",
        "A text does not go on from the one before it",
        Verdict.OUT_OF_ORDER,
        "not-cumulative",
        asks=_CUMULATIVE,
        swap_event=4,
    ),
    _sourcegraph("zero-events", "The upstream is out: no event, and no `done`", Verdict.EMPTY, cut_after=0),
    Fault(
        name="json-code",
        says="`/code` answers one JSON as it does by default",
        verdict=Verdict.NOT_A_STREAM,
        reason="silent fallback",
        manner=Manner(no_stream=True),
        api="sourcegraph-code",
    ),
    Fault(
        name="array-gemini",
        says="Asked without `alt=sse`, Gemini streams a JSON array",
        verdict=Verdict.NOT_A_STREAM,
        api="gemini",
        asks={"path": "/v1beta/models/gemini-2.0-flash:streamGenerateContent"},
    ),
    _compare("sequential", "The models answer one after another", Verdict.COMPLETE, sequential=True),
    Fault(
        name="unknown-compare",
        says="One of the models does not exist, and fails alone",
        verdict=Verdict.COMPLETE,
        reason="1 of 2",
        findings=(FindingName.MODEL_FAILED,),
        api="compare-stream",
        asks={"model": "gpt-4o-mini,no-such-model"},
    ),
)

BY_API = (*BROKEN_OFF, *ANTHROPIC, *RESPONSES, *OTHERS)
