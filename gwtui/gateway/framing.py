"""How a stream's bytes are sent: line ends, compression, and who holds them back on the way. Pure."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator, Sequence

from gwtui.gateway.behaviour import Behaviour
from gwtui.gateway.event_faults import with_faults
from gwtui.gateway.timeline import COMMENT, TimedEvent, TimedSend, Timeline, accompanied, ended, paced

BOM = b"\xef\xbb\xbf"
LINE_ENDS = {"cr": b"\r", "crlf": b"\r\n"}


def timeline(events: Sequence[TimedEvent], error: bytes, behaviour: Behaviour, alive: bytes = COMMENT) -> Timeline:
    """All that is sent of a good answer after the behaviour's pace and faults; `error` is the event to break off with,
    `alive` a sign of life.

    A fault that shows in a stream is a change somewhere on this way; to add one, add it to the room where it belongs.
    """
    return as_played(paced(with_faults(events, behaviour), behaviour), error, behaviour, alive)


def as_played(sends: Sequence[TimedSend], error: bytes, behaviour: Behaviour, alive: bytes = COMMENT) -> Timeline:
    """The same for events that have their times already."""
    left = framed(accompanied(ended(sends, error, behaviour), behaviour, alive), behaviour)
    return Timeline(tuple(left), behaviour.stall_after is not None)


def framed(sends: Sequence[TimedSend], behaviour: Behaviour) -> list[TimedSend]:
    """The stream as the behaviour puts it on the wire."""
    if not sends:
        return []
    wire = list(sends)
    if behaviour.line_ends is not None:
        end = LINE_ENDS[behaviour.line_ends]
        wire = [TimedSend(send.at_s, send.data.replace(b"\r\n", b"\n").replace(b"\n", end)) for send in wire]
    if behaviour.bom:
        wire[0] = TimedSend(wire[0].at_s, BOM + wire[0].data)
    if behaviour.no_last_blank:
        wire[-1] = TimedSend(wire[-1].at_s, _without_line_end(wire[-1].data))
    if behaviour.gzip:
        wire = _compressed(wire)
    if behaviour.buffer:
        wire = [TimedSend(wire[-1].at_s, b"".join(send.data for send in wire))]
    if behaviour.burst_bytes is not None:
        wire = list(_in_bursts(wire, behaviour.burst_bytes))
    if behaviour.cork_ms is not None:
        slot_s = behaviour.cork_ms / 1000
        wire = _joined(wire, lambda send: math.ceil(send.at_s / slot_s) * slot_s)
    return wire


def _without_line_end(data: bytes) -> bytes:
    end = next((end for end in (b"\r\n", b"\n", b"\r") if data.endswith(end)), b"")
    return data.removesuffix(end)


def _compressed(sends: Sequence[TimedSend]) -> list[TimedSend]:
    """As gzip, flushed for each event: compression alone holds nothing back."""
    deflate = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    packed = [TimedSend(send.at_s, deflate.compress(send.data) + deflate.flush(zlib.Z_SYNC_FLUSH)) for send in sends]
    packed[-1] = TimedSend(packed[-1].at_s, packed[-1].data + deflate.flush())
    return packed


def _in_bursts(sends: Sequence[TimedSend], size: int) -> Iterator[TimedSend]:
    held = bytearray()
    for send in sends:
        held += send.data
        while len(held) >= size:
            yield TimedSend(send.at_s, bytes(held[:size]))
            del held[:size]
    if held:
        yield TimedSend(sends[-1].at_s, bytes(held))


def _joined(sends: Sequence[TimedSend], due_s: Callable[[TimedSend], float]) -> list[TimedSend]:
    """All that is due at the same time as one piece."""
    pieces: dict[float, list[bytes]] = {}
    for send in sends:
        pieces.setdefault(due_s(send), []).append(send.data)
    return [TimedSend(at_s, b"".join(data)) for at_s, data in pieces.items()]
