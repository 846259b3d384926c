"""What one request and its response did on the wire, as far as they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from gwtui.model.enums import Clock
from gwtui.transport.acknowledged import UnacknowledgedError
from gwtui.transport.dial import Dial


class SendSpan(NamedTuple):
    """When bytes were handed to the socket."""

    first_ns: int
    last_ns: int
    error_ns: int = 0
    """How much later than that the last of them may have left."""


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """One read of a socket, or what is left of its bytes after TLS and HTTP. No data from a socket: its end."""

    stamp_ns: int
    clock: Clock
    data: bytes
    error_ns: int = 0
    """How far the stamp may be from when any of the bytes came."""
    broke: OSError | None = None
    """At the end: what broke the connection; None: the peer closed it."""
    last_byte_error_ns: int | None = None
    """How far it may be from when the last of the bytes came, where that is known better."""


@dataclass(slots=True)
class ConnectionTrace:
    """Written by the transport alone: where a connection is chosen (`transport.connection_pool`), and where it carries
    the request (`transport.connection`). Stamps in monotonic ns."""

    dial: Dial | None = None
    """The connection made for it; None when it was kept from an earlier request."""
    idle_ns: int | None = None
    """How long a kept connection had been idle before."""
    first_write_ns: int | None = None
    last_write_ns: int | None = None
    """When its last byte was handed to the socket."""
    write_error_ns: int = 0
    """How far that may be wrong, as the other errors here."""
    first_read_ns: int | None = None
    first_read_error_ns: int = 0
    last_read_ns: int | None = None
    last_byte_error_ns: int = 0
    reads: int = 0
    clock: Clock = Clock.KERNEL
    """`user` as soon as one read had no stamp of the kernel's that can be believed."""
    ended_ns: int | None = None
    """When the peer closed the connection, or it broke."""
    ended_error_ns: int = 0
    broke: OSError | None = None
    """What broke the connection."""
    asked_ns: int = 0
    """When the question was put over a connection that had switched protocols: bytes from before are no answer."""
    in_body: bool = False
    """The head of the response is over."""
    newest: Callable[[], int] = lambda: 0
    """When the newest bytes of the connection came, whether or not they were read; 0 before any."""

    def since_sent_ns(self, stamp_ns: int | None) -> int | None:
        """How long after the last byte of the request that was; None where one of both is missing."""
        if self.last_write_ns is None or stamp_ns is None:
            return None
        return max(0, stamp_ns - self.last_write_ns)

    def sent(self, span: SendSpan | None) -> None:
        """Note when bytes went; None: nothing was sent."""
        if span is None:
            return
        if self.first_write_ns is None:
            self.first_write_ns = span.first_ns
        self.last_write_ns, self.write_error_ns = span.last_ns, span.error_ns

    def switched(self, span: SendSpan | None) -> None:
        """The connection has switched protocols, and the question was sent then; None: it could not be. Up to here all
        of it was connecting."""
        asked_ns = span.first_ns if span is not None else None
        if asked_ns is not None and self.dial is not None and self.first_write_ns is not None:
            self.dial.connect_ns = (self.dial.connect_ns or 0) + asked_ns - self.first_write_ns
        if span is not None:
            self.first_write_ns, self.asked_ns = None, span.last_ns
            self.sent(span)
        self.first_read_ns = self.last_read_ns = None
        self.first_read_error_ns = self.last_byte_error_ns = 0

    def greeted(self) -> None:
        """What came so far is no answer: it was sent before any question, to a new client."""
        self.first_read_ns, self.first_read_error_ns = None, 0

    def came(self, arrival: Arrival) -> None:
        """Note a read, or the end."""
        if not arrival.data:
            self.ended_ns, self.ended_error_ns, self.broke = arrival.stamp_ns, arrival.error_ns, arrival.broke
            return
        if self.first_read_ns is None and arrival.stamp_ns >= self.asked_ns:
            self.first_read_ns, self.first_read_error_ns = arrival.stamp_ns, arrival.error_ns
        last_error_ns = arrival.last_byte_error_ns
        self.last_read_ns = arrival.stamp_ns
        self.last_byte_error_ns = arrival.error_ns if last_error_ns is None else last_error_ns
        self.reads += 1
        if arrival.clock is Clock.USER:
            self.clock = Clock.USER

    @property
    def unacknowledged(self) -> bool:
        """The peer's kernel acknowledged nothing of the request, so the kept connection was given up."""
        return isinstance(self.broke, UnacknowledgedError)

    @property
    def heard_ns(self) -> int:
        """When the newest bytes of the response came, whether or not they were read; 0 before any."""
        return max(self.newest(), self.last_read_ns or 0)

    @property
    def unread_ns(self) -> int:
        """When the newest of the bytes came that were not read yet; 0 without any."""
        newest_ns = self.newest()
        return newest_ns if newest_ns > (self.last_read_ns or 0) else 0
