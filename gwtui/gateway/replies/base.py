"""What every API of the embedded gateway provides: how to read a question, and how to say an answer in its form.

Pure: bodies in, bodies and events out. To add an API, write a module as the others here are: the package finds it.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import itemgetter
from typing import Any, Protocol, TypeVar

import msgspec

from gwtui.gateway.texts import pieces
from gwtui.gateway.timeline import TimedEvent

EVENT_STREAM = "text/event-stream"
NDJSON = "application/x-ndjson"
AWS_STREAM = "application/vnd.amazon.eventstream"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came."""

    body: bytes
    path: Mapping[str, str] = field(default_factory=dict)
    """What stands where the reply's path has a name in braces."""
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Question:
    """What a request asks for, whatever API it came by."""

    model: str
    stream: bool
    max_tokens: int | None
    input_tokens: int
    include_usage: bool = True
    """Whether a stream is to report its token counts; only some APIs let the client choose."""
    form: str = ""
    """Which of the API's forms of a stream is wanted, where it has several."""
    agent_type: str = ""
    """Which kind of agent asks, where a gateway routes by it."""
    turn: int = 1
    """Which turn of a conversation it is: one more than the answers in it."""
    tool: str = ""
    """The tool that the model calls instead of saying something; "" for none."""


@dataclass(frozen=True, slots=True)
class ScriptedAnswer:
    """What is said, in pieces of one token each."""

    number: str
    """Unique; the API makes its own kind of id of it."""
    model: str
    tokens: tuple[str, ...]
    limited: bool
    """Whether the question's token limit ended it."""
    input_tokens: int
    created: int
    """Seconds since the epoch."""
    include_usage: bool = True
    form: str = ""
    """As in the question."""
    tool: str = ""
    """The tool that is called, whose arguments are the text; "" for none."""

    @property
    def arguments(self) -> object:
        """The arguments of the call."""
        try:
            return msgspec.json.decode(self.text)
        except msgspec.DecodeError:
            return {}

    @property
    def text(self) -> str:
        return "".join(self.tokens)

    @property
    def output_tokens(self) -> int:
        return len(self.tokens)


class QuestionError(ValueError):
    """The request is not one of this API. The text says why, as the gateway says it."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class Reply(Protocol):
    """One LLM API from the gateway's side, for its modules to derive from."""

    paths: tuple[str, ...]
    """Where it is asked, as Starlette writes routes."""

    def question(self, asked: Asked) -> Question:
        """Read a request. Raises `QuestionError`."""

    def media_type(self, answer: ScriptedAnswer) -> str:
        """The content type of the answer as a stream."""
        return EVENT_STREAM

    def events(self, answer: ScriptedAnswer) -> list[TimedEvent]:
        """The answer as the events of a stream, from first to last."""

    def whole(self, answer: ScriptedAnswer) -> dict[str, Any]:
        """The answer as one JSON object."""

    def error(self, status: int, message: str) -> dict[str, Any] | str:
        """A refusal in the API's own form: a JSON object, or a plain text."""

    def error_event(self, answer: ScriptedAnswer, kind: str, message: str, after: int) -> bytes:
        """An error in the middle of a stream, after a number of events, as bytes on the wire."""


@dataclass(frozen=True, slots=True)
class Talk:
    """What a conversation holds before its question."""

    answers: int = 0
    """How many answers of the model."""
    calls: tuple[str, ...] = ()
    """By what the tool calls of the last answer are known: ids, or names."""
    results: tuple[str, ...] = ()
    """The same of the results that came after it."""
    had_calls: bool = False
    """Whether any answer called a tool."""

    def turn(self, tools: Sequence[str], *, wanted: bool) -> dict[str, Any]:
        """Turn and tool, as fields of a question. `tools` are declared in the request, which may want one called.

        Raises `QuestionError` where results and calls do not match.
        """
        if missing := [call for call in self.calls if call not in self.results]:
            raise QuestionError(f"The tool call {missing[0]} has no result in the messages after it.")
        if stray := [result for result in self.results if result not in self.calls]:
            raise QuestionError(f"The tool result {stray[0]} has no tool call in the message before it.")
        calls = bool(tools) and not self.results and (wanted or not self.had_calls)
        return {"turn": self.answers + 1, "tool": tools[0] if calls else ""}


def talk_of(said: Iterable[tuple[str, Sequence[str]]]) -> Talk:
    """The conversation of these messages, or parts of them, where those of one answer follow each other: of each its
    kind (`answer`, `result`, else) and the ids in it."""
    talk = Talk()
    for kind, parts in groupby(said, key=itemgetter(0)):
        ids = tuple(each for _, group in parts for each in group)
        if kind == "answer":
            talk = Talk(talk.answers + 1, ids, (), talk.had_calls or bool(ids))
        elif kind == "result":
            talk = replace(talk, results=(*talk.results, *ids))
    return talk


T = TypeVar("T")


def decode_question(body: bytes, kind: type[T]) -> T:
    """Decode a request's JSON body. Raises `QuestionError`."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise QuestionError(str(error)) from None


def count_tokens(value: object) -> int:
    """How many tokens all the text inside a message, or any nesting of lists and tables, comes to."""
    if isinstance(value, str):
        return len(pieces(value))
    if isinstance(value, dict):
        return sum(count_tokens(inner) for key, inner in value.items() if key not in ("role", "type", "speaker"))
    if isinstance(value, list):
        return sum(count_tokens(inner) for inner in value)
    return 0


def sse(data: object, event: str = "", end: bytes = b"\n") -> bytes:
    """One event on the wire; `data` is a text as it is, anything else as JSON."""
    payload = data.encode() if isinstance(data, str) else msgspec.json.encode(data)
    head = f"event: {event}".encode() + end if event else b""
    return head + b"data: " + payload + end + end


def aws_frame(name: str, data: object, *, is_exception: bool = False) -> bytes:
    """One frame of an AWS event stream: its lengths and their CRC, three headers, JSON, and the CRC of all of it."""
    kind = "exception" if is_exception else "event"
    told = ((f":{kind}-type", name), (":content-type", "application/json"), (":message-type", kind))
    return _framed(b"".join(map(_aws_header, told)), msgspec.json.encode(data))


def _aws_header(header: tuple[str, str]) -> bytes:
    """A header whose value is a text, which is type 7."""
    name, value = (text.encode() for text in header)
    return struct.pack(f">B{len(name)}sBH", len(name), name, 7, len(value)) + value


def _framed(headers: bytes, payload: bytes) -> bytes:
    lengths = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    frame = lengths + struct.pack(">I", zlib.crc32(lengths)) + headers + payload
    return frame + struct.pack(">I", zlib.crc32(frame))


EMPTY_FRAME = _framed(b"", b"")
"""A sign of life between frames."""


def ndjson(data: object) -> bytes:
    """One event of an NDJSON stream on the wire."""
    return msgspec.json.encode(data) + b"\n"
