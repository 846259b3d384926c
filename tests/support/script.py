"""One good stream of an LLM API in its parts, so that one table of tests can lie in the name of each.

Every API has one or more in its own test, as `SCRIPTS`; `support.apis` finds them there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from support.framed import stream_type, wire_of

from gwtui.framing.base import FramedEvent
from gwtui.framing.sse import SSE
from gwtui.model.verdicts import Verdict

Events = tuple[FramedEvent, ...]
NOTHING_TO_ADD: Mapping[str, Verdict] = {"garbage made into an empty stream": Verdict.COMPLETE}
"""The lie that completions of code may tell: they may have nothing to add, which is a finding."""


@dataclass(frozen=True)
class Script:
    """The parts of a stream, in their order, and what an API sends in place of some. The model that answers is `m`."""

    api: str
    opening: Events
    content: Events
    closing: Events
    """What belongs to the content and ends it, before anything is proved."""
    finish: Events
    """What says that the answer is over; without any token counts."""
    terminator: Events
    """What says that the stream is over; nothing where the API has no such thing."""
    error: FramedEvent
    empty: Events
    """A stream without any content, in perfect form: what some gateways make of garbage from their upstream."""
    whole: dict[str, Any]
    """The answer of the API where no stream was asked for, with two output tokens."""
    silent: int = 0
    """How many of the events in `content` come before the first text."""
    lies: Mapping[str, Verdict] = field(default_factory=dict)
    """What is due to a lie of `test_every_api`, by its name, where that is not what most APIs get."""
    rare: Events = ()
    """Events that are rarer than those: material for the fuzz harness."""

    def __str__(self) -> str:
        return self.api

    @property
    def good(self) -> Events:
        return (*self.opening, *self.content, *self.closing, *self.finish, *self.terminator)

    def wire(self, events: Events, line_end: str = "\n") -> bytes:
        """The bytes of a stream of these events."""
        return wire_of(self.api).encode(events, line_end)

    def response(self, body: bytes) -> bytes:
        """A whole response with that body as a stream."""
        return response(body, stream_type(self.api))

    @property
    def proof(self) -> int:
        """How many events it takes until nothing is owed any more."""
        return len(self.good) if self.terminator else len(self.good) - len(self.finish) + 1


def response(body: bytes, content_type: str = SSE.media_type, status: int = 200) -> bytes:
    """A whole response as `curl -i` shows it."""
    return f"HTTP/1.1 {status} X\r\nContent-Type: {content_type}\r\n\r\n".encode() + body
