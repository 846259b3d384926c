"""Bytes in, events out: one sans-I/O parser for each way in which streams are framed. An API says which is its own."""

from __future__ import annotations

from gwtui.framing.base import Framing
from gwtui.framing.event_stream import EVENT_STREAM
from gwtui.framing.ndjson import NDJSON
from gwtui.framing.sse import SSE

FRAMINGS: tuple[Framing, ...] = (SSE, NDJSON, EVENT_STREAM)
"""All framings of streams."""
PEEK_BYTES = 64 << 10
"""How much of a body is looked at for its framing: more than most events have, and done in milliseconds."""


def framing_of(beginning: bytes) -> Framing | None:
    """The framing of a stream with these first bytes, whatever its content type says; None where it is like none."""
    first = beginning[:PEEK_BYTES]
    return next((framing for framing in FRAMINGS if framing.beginning.match(first)), None)


def framing_named(content_type: str) -> Framing | None:
    """The framing that a `Content-Type` header names; None where it names none."""
    return next((framing for framing in FRAMINGS if framing.is_type(content_type)), None)
