"""Deadlines of one probe: which is due next is a pure question; a watchdog asks it and cancels the probe in time.

A timeout that restarts at every read lets an answer of one byte a second run for ever; these do not restart.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType

from msgspec.structs import replace

from gwtui.model.enums import End
from gwtui.model.profile import Deadlines
from gwtui.transport.dial import Dial
from gwtui.transport.sockets import Waiting
from gwtui.transport.trace import ConnectionTrace

LINGER_S = 1.0
"""How long the end of the transport is waited for once the API said that its stream is over."""

_STEPS = {
    "dns": "the resolver gave no address",
    "connect": "the connection was not accepted",
    "proxy": "the proxy gave no answer",
    "tls": "the TLS handshake did not end",
}


@dataclass(frozen=True, slots=True)
class NextDeadline:
    """The deadline that will pass first, unless something happens."""

    at_ns: int
    end: End
    detail: str


@dataclass(slots=True)
class Progress:
    """How far a probe is."""

    trace: ConnectionTrace
    began_ns: int
    streams: bool = False
    """A stream of events is under way."""
    event_ns: int | None = None
    """When its newest event came that was no keep-alive."""
    progress_ns: int | None = None
    """When the newest one came that shows progress."""
    has_content: bool = False
    """It has generated something."""
    terminated_ns: int | None = None
    """When the API's terminator was seen."""


def due(progress: Progress, deadlines: Deadlines) -> NextDeadline:
    """The next deadline."""
    words = f"it was not over {{}} after its start{_missing(progress)}"
    total = _due(progress.began_ns, deadlines.total_s, End.TOTAL, words)
    return min(total, *_of_stage(progress, deadlines), key=lambda due: due.at_ns)


def _of_stage(progress: Progress, deadlines: Deadlines) -> list[NextDeadline]:
    trace = progress.trace
    if progress.terminated_ns is not None:
        return [_due(progress.terminated_ns, LINGER_S, End.LEFT, "the connection was still open after {}")]
    if trace.dial is not None and trace.dial.stage != "done":
        return [_due(trace.dial.began_ns, deadlines.connect_s, End.CONNECT_TIMEOUT, _dialling(trace.dial))]
    sent_ns = trace.last_write_ns or progress.began_ns
    if trace.last_read_ns is None:
        return [_due(sent_ns, deadlines.first_byte_s, End.NO_FIRST_BYTE, "no byte came within {} of the request")]
    detail = "no byte came for {}" if trace.in_body else "no byte came for {} in the middle of the headers"
    idle = _due(trace.heard_ns, deadlines.idle_s, End.IDLE, detail)
    return [idle, *_of_stream(progress, deadlines, sent_ns)] if progress.streams else [idle]


def _dialling(dial: Dial) -> str:
    """What a connection waits for, and from whom."""
    of = f" by {', '.join(dial.tried)}" if dial.stage == "connect" and dial.tried else ""
    return f"{_STEPS[dial.stage]} within {{}}{of}"


def _of_stream(progress: Progress, deadlines: Deadlines, sent_ns: int) -> Iterator[NextDeadline]:
    """What is owed by a stream, however many bytes, comments or keep-alives come."""
    if progress.event_ns is None:
        yield _due(sent_ns, deadlines.first_event_s, End.NO_FIRST_EVENT, "no event came within {} of the request")
    elif progress.has_content:
        progress_ns = progress.progress_ns or progress.event_ns
        last_ns = _last_event_ns(progress_ns, progress.trace, round(deadlines.event_gap_s * 1e9))
        yield _due(last_ns, deadlines.event_gap_s, End.EVENT_GAP, "nothing further of the answer came for {}")
    if not progress.has_content:
        yield _due(sent_ns, deadlines.first_token_s, End.NO_FIRST_TOKEN, "no content came within {} of the request")


def _last_event_ns(event_ns: int, trace: ConnectionTrace, gap_ns: int) -> int:
    """When the last event came. Bytes that wait to be read may hold another, unless those read before came too late."""
    is_late = (trace.last_read_ns or 0) >= event_ns + gap_ns
    return event_ns if is_late else max(event_ns, trace.unread_ns)


def _missing(progress: Progress) -> str:
    """What had not come, where no API's reader can say."""
    trace = progress.trace
    if trace.last_read_ns is None:
        return ", and nothing of an answer had come"
    if not trace.in_body:
        return ", and its headers were still coming"
    return "" if progress.streams else ", and its body was still coming"


def _due(from_ns: int, seconds: float, end: End, detail: str) -> NextDeadline:
    return NextDeadline(from_ns + round(seconds * 1e9), end, detail.format(f"{seconds:g} s"))


class DeadlineWatchdog:
    """Cancels what runs in its `async with` when a deadline passes, which then raises `TimeoutError`.

    It asks for the next deadline only when its timer fires, so that a read costs nothing. As no stage can start and
    run out within less than the shortest deadline, asking that often is enough to miss none by a moment.
    """

    def __init__(self, deadlines: Deadlines, ask: Callable[[], NextDeadline]) -> None:
        self._ask = ask
        self._shortest_ns = round(
            1e9
            * min(
                deadlines.connect_s,
                deadlines.first_byte_s,
                deadlines.first_event_s,
                deadlines.first_token_s,
                deadlines.event_gap_s,
                deadlines.idle_s,
                deadlines.total_s,
                LINGER_S,
            )
        )
        self._timeout = asyncio.timeout(None)
        self._timer: asyncio.TimerHandle | None = None
        self.expired: NextDeadline | None = None
        """The deadline that passed."""

    async def __aenter__(self) -> DeadlineWatchdog:
        await self._timeout.__aenter__()
        self._look_in(self._shortest_ns)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        await self._timeout.__aexit__(kind, error, trace)

    def _look(self) -> None:
        now_ns = time.perf_counter_ns()
        due = self._ask()
        if due.at_ns <= now_ns:
            self.expired = due
            self._timeout.reschedule(asyncio.get_running_loop().time())
            return
        self._look_in(min(due.at_ns - now_ns, self._shortest_ns))

    def _look_in(self, wait_ns: int) -> None:
        self._timer = asyncio.get_running_loop().call_later(wait_ns / 1e9, self._look)


def waiting(progress: Progress) -> Waiting:
    """How the next bytes are waited for: neither the first content nor the end may have to wait for others."""
    if not progress.streams or progress.terminated_ns is not None:
        return Waiting.AT_ONCE
    return Waiting.TOGETHER if progress.has_content else Waiting.BY_SEGMENT


def within_total(deadlines: Deadlines) -> Deadlines:
    """The deadlines, none of which is longer than that for all of it."""
    return replace(
        deadlines,
        connect_s=min(deadlines.connect_s, deadlines.total_s),
        first_byte_s=min(deadlines.first_byte_s, deadlines.total_s),
    )
