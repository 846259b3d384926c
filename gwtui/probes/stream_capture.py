"""An answer that has ended, for those who keep it: its bytes, and all else that its verdict was made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from gwtui.model.enums import Clock, End
from gwtui.model.profile import Endpoint
from gwtui.model.records import Finding, Ping, Request
from gwtui.probes.pong import PingQuestion
from gwtui.probes.probe_result import Result
from gwtui.probes.stream_tape import Tape, TapeRoom
from gwtui.secrets.redaction import Redactor


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamCapture:
    """An answer that has ended, with all that its verdict was made of. Nothing in it is masked, but `judged` is."""

    endpoint: Endpoint
    """As it was asked."""
    judged: Request | Ping
    """The record, as the prober made it: what is found later is not in it."""
    tape: Tape
    sent_ns: int
    """When the last byte of the request was sent, on the clock of the stamps."""
    headers: Sequence[tuple[str, str]]
    """As received."""
    end: End
    detail: str = ""
    ended_ns: int = 0
    ended_error_ns: int = 0
    ended_at: float = 0.0
    first_read_ns: int | None = None
    first_read_error_ns: int = 0
    write_error_ns: int = 0
    clock: Clock = Clock.USER
    behind: bytes = b""
    """What came behind the end of the answer."""
    told: tuple[Finding, ...] = ()
    """What was found of the connection and the request, and not in the answer."""
    payload: bytes = b""
    """Of a ping: what it sent."""
    redact: Redactor = field(repr=False)


@dataclass(frozen=True, slots=True)
class StreamKeeper:
    """Where tapes get their room, and where they go when their answer has ended."""

    keep: Callable[[StreamCapture], None]
    room: TapeRoom = field(default_factory=TapeRoom)

    def tape(self) -> Tape:
        return Tape(self.room)

    def keep_ping(
        self,
        ping: Ping,
        tape: Tape | None,
        question: PingQuestion | None,
        endpoint: Endpoint,
        headers: Sequence[tuple[str, str]],
        redact: Redactor,
    ) -> None:
        """Keep the messages, or pongs, that came after a ping. `question`: None where no connection came about."""
        if tape is None:
            return
        sent_ns = question.sent_ns if question is not None else None
        capture = StreamCapture(
            endpoint=endpoint,
            judged=ping,
            tape=tape,
            sent_ns=sent_ns or ping.now_ns,
            headers=headers,
            end=End.CLEAN,
            ended_ns=ping.now_ns,
            ended_at=ping.started_at + (ping.rtt_ns or 0) / 1e9,
            clock=ping.clock,
            payload=question.payload if question is not None else b"",
            redact=redact,
        )
        self.keep(capture)


def capture_of(result: Result, tape: Tape, endpoint: Endpoint, judged: Request, redact: Redactor) -> StreamCapture:
    """The answer as it came."""
    trace = result.trace
    return StreamCapture(
        endpoint=endpoint,
        judged=judged,
        tape=tape,
        sent_ns=result.sent_ns,
        headers=result.headers,
        end=result.end or End.LOCAL,
        detail=result.detail,
        ended_ns=result.ended_ns,
        ended_error_ns=result.ended_error_ns,
        ended_at=result.ended_at,
        first_read_ns=trace.first_read_ns,
        first_read_error_ns=trace.first_read_error_ns,
        write_error_ns=trace.write_error_ns,
        clock=trace.clock,
        behind=result.behind,
        told=tuple(result.findings),
        redact=redact,
    )
