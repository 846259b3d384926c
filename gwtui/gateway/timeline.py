"""When each event of a streamed answer is due, and where the stream ends: pure, so that pace and faults are tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from gwtui.gateway.behaviour import Behaviour, seeded

OPENING_SHARE = 0.85
"""The events before the first token come at this share of the time to it."""
COMMENT = b": ping\n\n"
"""A sign of life in an event stream."""
BLANK_LINE = b"\n"
"""A sign of life between JSON texts."""


class Part(Enum):
    """Which part of an answer an event belongs to, which decides when it is due."""

    OPENING = "opening"
    TOKEN = "token"  # noqa: S105  a piece of text, not a password
    CLOSING = "closing"


@dataclass(frozen=True, slots=True)
class TimedEvent:
    """One event of a stream, as the bytes that go on the wire."""

    part: Part
    data: bytes


@dataclass(frozen=True, slots=True)
class TimedSend:
    """Bytes to send in one piece, and when: seconds since the request came."""

    at_s: float
    data: bytes


@dataclass(frozen=True, slots=True)
class Timeline:
    """All that is sent of a body, in order of time."""

    sends: tuple[TimedSend, ...]
    stalls: bool = False
    """Whether the connection is then left open in silence, rather than the response ended."""


def paced(events: Sequence[TimedEvent], behaviour: Behaviour) -> list[TimedSend]:
    """The events of an answer, each when it is due."""
    random = seeded(behaviour.seed)
    stray = behaviour.jitter
    at_s = _ttft_s(behaviour)
    gap_s = 0.0
    sends: list[TimedSend] = []
    for event in events:
        if event.part is Part.OPENING:
            sends.append(TimedSend(at_s * OPENING_SHARE, event.data))
            continue
        if event.part is Part.TOKEN:
            at_s += gap_s
            gap_s = behaviour.gap_ms / 1000 * random.uniform(1 - stray, 1 + stray)
        sends.append(TimedSend(at_s, event.data))
    return _in_order(sends)


def _in_order(sends: Sequence[TimedSend]) -> list[TimedSend]:
    """Nothing is sent before what stands before it."""
    at_s = 0.0
    kept: list[TimedSend] = []
    for send in sends:
        at_s = max(at_s, send.at_s)
        kept.append(TimedSend(at_s, send.data))
    return kept


def ended(sends: Sequence[TimedSend], error: bytes, behaviour: Behaviour) -> list[TimedSend]:
    """What is left of a stream that breaks off as the behaviour says; `error` is the event to break off with."""
    left = list(sends)
    if behaviour.error_after is not None:
        good = left[: behaviour.error_after]
        left = [*good, TimedSend(good[-1].at_s if good else _ttft_s(behaviour), error)]
    if behaviour.cut_last is not None:
        left = left[: -behaviour.cut_last]
    for after in (behaviour.cut_after, behaviour.stall_after):
        if after is not None:
            left = left[:after]
    return left


def accompanied(sends: Sequence[TimedSend], behaviour: Behaviour, alive: bytes = COMMENT) -> list[TimedSend]:
    """The stream with the comments before it, or what `alive` is in its form, and with what is inserted."""
    gap_s = behaviour.gap_ms / 1000
    comments = behaviour.comments or 0
    told = [TimedSend(send.at_s + comments * gap_s, send.data) for send in sends]
    if behaviour.insert is not None:
        after = min(behaviour.insert_after or 0, len(told))
        at_s = told[after - 1].at_s if after else comments * gap_s
        data, times = behaviour.insert.encode("utf-8", "surrogatepass"), behaviour.insert_times or 1
        later = [TimedSend(send.at_s + (times - 1) * gap_s, send.data) for send in told[after:]]
        told[after:] = [*(TimedSend(at_s + number * gap_s, data) for number in range(times)), *later]
    return [*(TimedSend(number * gap_s, alive) for number in range(comments)), *told]


def whole_answer_s(tokens: int, behaviour: Behaviour) -> float:
    """How long an answer of that many tokens takes that is not streamed: seconds."""
    return _ttft_s(behaviour) + max(tokens - 1, 0) * behaviour.gap_ms / 1000


def _ttft_s(behaviour: Behaviour) -> float:
    return behaviour.ttft_ms / 1000
