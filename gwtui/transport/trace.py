"""What one request and its response did on the wire, as far as they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from gwtui.model.enums import Clock
from gwtui.transport.dial import Dial

HTTP_BEGINS = b"HTTP/"
TLS_RECORDS = (b"\x15\x03", b"\x16\x03")
"""An alert, and a handshake message (RFC 8446 5.1)."""
HTTP2_SETTINGS = b"\x04\x00\x00\x00\x00\x00"
"""What an HTTP/2 server begins with, after the length of it (RFC 9113 3.4 and 6.5)."""


class SendSpan(NamedTuple):
    """When bytes were handed to the socket."""

    first_ns: int
    last_ns: int
    error_ns: int = 0
    """How much later than that the last of them may have left."""


class NotHTTPError(Exception):
    """The first bytes of the answer cannot be HTTP/1.1. Waiting for more of them would only look like a stall."""


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """One read of a socket. No data: the peer closed the connection."""

    stamp_ns: int
    clock: Clock
    data: bytes
    error_ns: int = 0
    """How far the stamp may be from when any of the bytes came."""


@dataclass(slots=True)
class Exchange:
    """The streams write it; deadlines and records are made from it. Stamps in monotonic ns."""

    dial: Dial | None = None
    """The connection made for it; None when it was kept from an earlier request."""
    idle_ns: int | None = None
    """How long a kept connection had been idle before."""
    unacknowledged: bool = False
    """The peer's kernel acknowledged nothing of the request, so the kept connection was given up."""
    first_write_ns: int | None = None
    last_write_ns: int | None = None
    """When its last byte was handed to the socket."""
    write_error_ns: int = 0
    """How far that may be wrong, as the other errors here."""
    first_read_ns: int | None = None
    first_read_error_ns: int = 0
    last_read_ns: int | None = None
    last_read_error_ns: int = 0
    reads: int = 0
    clock: Clock = Clock.KERNEL
    """`user` as soon as one read had no stamp of the kernel's that can be believed."""
    ended_ns: int | None = None
    """When the peer closed the connection, or it broke."""
    ended_error_ns: int = 0
    in_body: bool = False
    """The head of the response is over."""
    hurried: bool = True
    """Its first byte or its first content is awaited: each segment is to have its own stamp."""
    patient: bool = False
    """Reads may be worked off together with those of other streams, a moment after they came."""
    heard_ns: int | None = None
    """When the newest bytes came, whether or not they were worked off yet."""
    on_drained: Callable[[], None] | None = None
    """Called when all bytes of the last read were consumed, before the next read is taken."""

    def wrote(self, span: SendSpan | None) -> None:
        """Note when bytes went; None: there were none."""
        if span is None:
            return
        if self.first_write_ns is None:
            self.first_write_ns = span.first_ns
        self.last_write_ns, self.write_error_ns = span.last_ns, span.error_ns

    def came(self, arrival: Arrival, data: bytes) -> None:
        """Note a read. Raises `NotHTTPError` when it is the first one and no HTTP answer begins so."""
        if self.first_read_ns is None:
            self.first_read_ns, self.first_read_error_ns = arrival.stamp_ns, arrival.error_ns
            _check_greeting(data)
        self.last_read_ns, self.last_read_error_ns = arrival.stamp_ns, arrival.error_ns
        self.reads += 1
        if arrival.clock is Clock.USER:
            self.clock = Clock.USER

    @property
    def unread_ns(self) -> int:
        """When the newest of the bytes came that were not worked off yet; 0 without any."""
        return self.heard_ns if self.heard_ns and self.heard_ns > (self.last_read_ns or 0) else 0

    def drained(self) -> None:
        if self.on_drained is not None:
            self.on_drained()


class ConnectionTrace:
    """Holds the exchange that is under way; a connection outlives its exchanges, and writes in the present one."""

    def __init__(self, exchange: Exchange | None = None, peer: Dial | None = None) -> None:
        self.exchange = exchange or Exchange()
        self.peer = peer or Dial(0)
        """How the connection in use, or the last one, was made."""

    def begin(self) -> Exchange:
        """Start noting a new request."""
        self.exchange = Exchange()
        return self.exchange


def _check_greeting(data: bytes) -> None:
    if data[:5] != HTTP_BEGINS[: len(data)]:
        if any(record.startswith(data[:2]) for record in TLS_RECORDS):
            raise NotHTTPError("a TLS record came back: the port speaks TLS, `https` may be right")
        if data[3:9] == HTTP2_SETTINGS:
            raise NotHTTPError("an HTTP/2 frame came back: the port speaks HTTP/2 only, and gwtui speaks HTTP/1.1")
        # Cut to length after keys were masked in it: half a key could not be recognised.
        raise NotHTTPError(f"the answer begins with {data!r}")
