"""What every API of the embedded gateway provides: how to read a question, and how to say an answer in its form.

Pure: bodies in, bodies and events out. To add an API, write a module with one `Reply` and list it in the package.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import msgspec

from gwtui.demo.texts import pieces
from gwtui.demo.timeline import Event


@dataclass(frozen=True, slots=True)
class Question:
    """What a request asks for, whatever API it came by."""

    model: str
    stream: bool
    max_tokens: int | None
    input_tokens: int
    include_usage: bool = True
    """Whether a stream is to report its token counts; only some APIs let the client choose."""


@dataclass(frozen=True, slots=True)
class Answer:
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

    @property
    def text(self) -> str:
        return "".join(self.tokens)

    @property
    def output_tokens(self) -> int:
        return len(self.tokens)


class QuestionError(ValueError):
    """The request's body is not one of this API. The text says why, as the gateway says it."""


class Reply(Protocol):
    """One LLM API from the gateway's side."""

    paths: tuple[str, ...]

    def question(self, body: bytes) -> Question:
        """Read a request's body. Raises `QuestionError`."""

    def events(self, answer: Answer) -> list[Event]:
        """The answer as the events of a stream, from first to last."""

    def whole(self, answer: Answer) -> dict[str, Any]:
        """The answer as one JSON object."""

    def error(self, status: int, message: str) -> dict[str, Any]:
        """A refusal as a JSON object in the API's own form."""

    def error_event(self, kind: str, message: str) -> bytes:
        """An error in the middle of a stream, as bytes on the wire."""


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
        return sum(count_tokens(inner) for key, inner in value.items() if key not in ("role", "type"))
    if isinstance(value, list):
        return sum(count_tokens(inner) for inner in value)
    return 0


def sse(data: object, event: str = "") -> bytes:
    """One event on the wire; `data` is a text as it is, anything else as JSON."""
    payload = data.encode() if isinstance(data, str) else msgspec.json.encode(data)
    head = f"event: {event}\n".encode() if event else b""
    return head + b"data: " + payload + b"\n\n"
