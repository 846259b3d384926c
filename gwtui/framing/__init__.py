"""Bytes in, events out: one sans-I/O parser for each way in which streams are framed. An API says which is its own."""

from __future__ import annotations

from gwtui.framing.base import Framing
from gwtui.framing.ndjson import NDJSON
from gwtui.framing.sse import SSE

FRAMINGS: tuple[Framing, ...] = (SSE, NDJSON)
"""All framings of streams."""


def framing_of(beginning: bytes) -> Framing | None:
    """The framing of a stream with these first bytes, whatever its content type says; None where it is like none."""
    return next((framing for framing in FRAMINGS if framing.beginning.match(beginning)), None)


def framing_named(content_type: str) -> Framing | None:
    """The framing that a `Content-Type` header names; None where it names none."""
    return next((framing for framing in FRAMINGS if framing.is_type(content_type)), None)
