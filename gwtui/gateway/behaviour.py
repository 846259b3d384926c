"""How a request is answered, as data: its pace, and everything that can be wrong with it.

These are the fields that a scenario's rules and the catalogue of faults are written in. Where nothing is said, the
answer is a good one.
"""

from __future__ import annotations

import re
from random import Random
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Span = float | tuple[float, float]
Number = Annotated[int, Meta(ge=0, le=1_000_000)]
Nth = Annotated[int, Meta(ge=1, le=1_000_000)]
Share = Annotated[float, Meta(ge=0, le=1)]
Milliseconds = Annotated[float, Meta(gt=0, le=3_600_000)]

_HOUR_MS = 3_600_000
_HEADER_NAME = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)
_HEADER_VALUE = re.compile(r"[^\0\r\n\u0100-\U0010ffff]*")
"""All that HTTP can carry, escape sequences included: hostile headers are something to test with."""


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A TOML table: unknown keys are refused."""


class Faults(Table, frozen=True, kw_only=True):
    """What is wrong with an answer. Events are counted from 1, the stream's first."""

    # --- the answer as a whole

    status: Annotated[int, Meta(ge=200, le=599)] | None = None
    """Refuse with this status; an open WebSocket is closed with 1013 instead."""
    body: str | dict[str, Any] | None = None
    """The body of a refusal, a table for JSON (by default the API's own form); for pings, the answer itself."""
    headers: dict[str, str] | None = None
    """Further response headers."""
    refuse_field: str | None = None
    """Refuse requests whose body has this field, with a 400 that names it."""
    cache: bool | None = None
    """Answer what was asked before out of a cache, at once, with the headers `x-cache` and `age`."""
    retry_after: int | str | None = None
    """The `retry-after` header of a refusal: seconds, a date, or anything a gateway might send."""
    no_stream: bool | None = None
    """Answer one JSON body although a stream was asked for."""
    text: str | None = None
    """What the model says, instead of a text of its own."""
    served_model: str | None = None
    """Answer as this model instead of the one asked for."""

    no_tools: bool | None = None
    """Call no tool, whatever is declared."""
    from_turn: Nth | None = None
    """Answer well in the turns of a conversation before this one."""

    # --- where a stream ends

    cut_after: Number | None = None
    """End the response cleanly after this many events."""
    cut_last: Nth | None = None
    """End the response cleanly, this many events too early."""
    stall_after: Number | None = None
    """Send nothing more after this many events, and keep the connection open."""
    error_after: Number | None = None
    """Send an error event after this many events, and end there."""
    error_type: str | None = None
    """The type of that error; by default `overloaded_error`."""
    error_message: str | None = None
    """Its text; by default `Overloaded`."""
    error_event: str | None = None
    """All of that event as it goes on the wire, instead of the API's own form."""
    after_end: Literal["token", "stream"] | None = None
    """What comes after the last event: a token once more, or the whole stream once more."""

    # --- single events

    lose_event: Nth | None = None
    """Leave this event out."""
    repeat_event: Nth | None = None
    """Send this event twice."""
    swap_event: Nth | None = None
    """Send this event after the one that follows it."""
    garble_event: Nth | None = None
    """Spoil this event as `garble` says."""
    garble: (
        Literal["half", "deep", "numbers", "utf8", "nul", "index", "sequence", "zero"]
        | Literal["name", "unnamed", "key", "line", "crc", "space", "text"]
        | None
    ) = None
    """By default half of its JSON; JSON nested 100,000 deep; NaN, huge numbers and repeated keys; bytes that are not
    UTF-8; a NUL; another index; another sequence number, or 0; another event name, or none; a letter too many in a
    key; a letter lost of `data:`; another checksum of a binary frame; white space at the end of its `text`, or another
    one."""
    insert: str | None = None
    """Further bytes on the wire, between events."""
    insert_after: Number | None = None
    """After which event they come; by default before the first."""
    insert_times: Nth | None = None
    """How often they come, `gap_ms` apart; by default once."""
    comments: Number | None = None
    """Send this many comments before the first event, `gap_ms` apart."""

    # --- how the bytes are sent

    line_ends: Literal["cr", "crlf"] | None = None
    """End lines so, instead of in the API's own way."""
    bom: bool | None = None
    """Begin with a byte order mark."""
    no_last_blank: bool | None = None
    """Leave out the blank line that ends the last event."""
    gzip: bool | None = None
    """Compress the stream, asked for or not."""
    buffer: bool | None = None
    """Hold all events back and send them in one burst when the last is due."""
    burst_bytes: Nth | None = None
    """Send only when that many bytes are due, or all are."""
    cork_ms: Milliseconds | None = None
    """Send only at multiples of this time."""

    # --- the upstream

    upstream_fails: Number | None = None
    """Let this many attempts fail before one answers: each is at the next provider of the fallback chain."""
    upstream_failure: Literal["error", "timeout", "stream"] | None = None
    """How they fail: with a 500 (the default), not within the gateway's own timeout, or only as a stream."""
    no_fallback: bool | None = None
    """Answer with the first failure instead of trying anything else."""

    # --- what the gateway says of itself

    provider_down: str | None = None
    """Say of this provider in `/gateway/health` that it is down."""
    uncounted: bool | None = None
    """Leave the request out of `/gateway/metrics`."""
    cost_factor: Annotated[float, Meta(ge=0, le=1_000_000_000)] | None = None
    """Note this many times the cost."""

    # --- several models in one stream

    sequential: bool | None = None
    """Ask the models of a comparison one after another instead of at once."""

    # --- WebSockets

    drop: bool | None = None
    """Do not answer a WebSocket ping."""
    close_after: Nth | None = None
    """Close a WebSocket once this many pings were taken."""
    close_code: Annotated[int, Meta(ge=1000, le=4999)] | None = None
    """The code of that close; by default 1012, service restart."""
    close_reason: str | None = None
    """Its reason; by default none."""


class BehaviourSpec(Faults, frozen=True, kw_only=True):
    """How a kind of request is answered: its pace and its faults, as they are written down."""

    ttft_ms: Span | None = None
    """From the request to the first token, or to the whole of a short answer. A `[low, high]` of milliseconds is
    lognormal, as latencies are: 90 % of what is drawn lies between the two, the rest mostly above."""
    gap_ms: Span | None = None
    """From one token to the next."""
    jitter: Share | None = None
    """How far single gaps stray from that: 0.5 makes them 50 % to 150 % of it."""
    tokens: int | tuple[int, int] | None = None
    """The length of an answer, drawn evenly; by default the text's own."""

    def __post_init__(self) -> None:
        # The limits are checked here because msgspec misreads a bounded number in one type with a pair.
        for name, limit in (("ttft_ms", _HOUR_MS), ("gap_ms", _HOUR_MS), ("tokens", 1_000_000)):
            if (span := getattr(self, name)) is None:
                continue
            low, high = span if isinstance(span, tuple) else (span, span)
            if not 0 <= low <= high <= limit:
                raise ValueError(f"`{name}` is a number from 0 to {limit}, or [low, high] within that")
        for name, value in (self.headers or {}).items():
            if not (_HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(value)):
                raise ValueError(f"the header {name!r} has a character that cannot be sent")


class Behaviour(Faults, frozen=True, kw_only=True):
    """What happens to one request: every number drawn, nothing left to chance."""

    ttft_ms: float = 0.0
    gap_ms: float = 0.0
    jitter: float = 0.0
    tokens: int | None = None
    fault: str = ""
    """The fault of the catalogue that was chosen last; "" for none."""
    seed: str = ""
    """For what remains to be drawn while answering: the single gaps."""

    def in_turn(self, turn: int) -> Behaviour:
        """What happens in that turn: before the one from which it is broken, only its pace."""
        if self.from_turn is None or turn >= self.from_turn:
            return self
        pace = {name: getattr(self, name) for name in PACE}
        return Behaviour(**pace, seed=self.seed)


PACE = ("ttft_ms", "gap_ms", "jitter", "tokens")
"""The fields that are no faults."""


def laid_over(fields: dict[str, Any], behaviour: BehaviourSpec) -> dict[str, Any]:
    """The fields with those over them of which the behaviour says something."""
    return fields | {
        name: value for name in BehaviourSpec.__struct_fields__ if (value := getattr(behaviour, name)) is not None
    }


def seeded(seed: str) -> Random:
    """The draws of that seed."""
    return Random(seed)  # noqa: S311  chance to replay, nothing secret
