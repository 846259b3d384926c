"""When each byte of a streamed answer is sent: pure, so that pace and faults are tables to test.

A fault that shows in a stream is a change to its timeline; to add one, change the timeline here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from gwtui.demo.scenario import Behaviour, seeded

OPENING_SHARE = 0.85
"""The events before the first token come at this share of the time to it."""


class Part(Enum):
    """Which part of an answer an event belongs to, which decides when it is due."""

    OPENING = "opening"
    TOKEN = "token"  # noqa: S105  a piece of text, not a password
    CLOSING = "closing"


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a stream, as the bytes that go on the wire."""

    part: Part
    data: bytes


@dataclass(frozen=True, slots=True)
class Send:
    """Bytes to send in one piece, and when: seconds since the request came."""

    at_s: float
    data: bytes


@dataclass(frozen=True, slots=True)
class Timeline:
    """All that is sent of a body, in order of time."""

    sends: tuple[Send, ...]
    stalls: bool = False
    """Whether the connection is then left open in silence, rather than the response ended."""


def timeline(events: Sequence[Event], error: bytes, behaviour: Behaviour) -> Timeline:
    """Pace the events of a good answer and put the behaviour's faults in; `error` is the event to break off with."""
    sends = _paced(events, behaviour)
    stalls = behaviour.stall_after is not None
    if behaviour.error_after is not None:
        good = sends[: behaviour.error_after]
        sends = [*good, Send(good[-1].at_s if good else _ttft_s(behaviour), error)]
    if behaviour.cut_after is not None:
        sends = sends[: behaviour.cut_after]
    if behaviour.stall_after is not None:
        sends = sends[: behaviour.stall_after]
    if behaviour.buffer and sends:
        sends = [Send(sends[-1].at_s, b"".join(send.data for send in sends))]
    return Timeline(tuple(sends), stalls)


def whole_answer_s(tokens: int, behaviour: Behaviour) -> float:
    """How long an answer of that many tokens takes that is not streamed: seconds."""
    return _ttft_s(behaviour) + max(tokens - 1, 0) * behaviour.gap_ms / 1000


def _paced(events: Sequence[Event], behaviour: Behaviour) -> list[Send]:
    random = seeded(behaviour.seed)
    stray = behaviour.jitter
    at_s = _ttft_s(behaviour)
    gap_s = 0.0
    sends: list[Send] = []
    for event in events:
        if event.part is Part.OPENING:
            sends.append(Send(at_s * OPENING_SHARE, event.data))
            continue
        if event.part is Part.TOKEN:
            at_s += gap_s
            gap_s = behaviour.gap_ms / 1000 * random.uniform(1 - stray, 1 + stray)
        sends.append(Send(at_s, event.data))
    return sends


def _ttft_s(behaviour: Behaviour) -> float:
    return behaviour.ttft_ms / 1000
