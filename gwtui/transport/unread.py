"""How long the bytes of a read may have waited unread: the bound of what its stamp may be wrong by.

The kernel's stamp of a read is that of its last segment. Linux also counts the bytes and the segments that came, so a
read that held one segment has a stamp that is right, however late the read was. Of several segments the first may have
come at any time since nothing was unread, which is known from the read before and from the looks of the event loop.
Without a stamp of the kernel's, what counts is how late the event loop was.
"""

from __future__ import annotations

import socket
import struct
import sys
from typing import NamedTuple

from gwtui.transport.polls import Polls

_INFO = struct.Struct("=B127xQ16xI68xI")
"""Of `struct tcp_info` (linux/tcp.h): state, bytes_received, data_segs_in (Linux 4.6) and rcv_ooopack (5.4)."""
_WRAP = 1 << 32
_CLOSE_WAIT = 8
"""The state after the peer's end came: that counts as a byte, and gives the segment before it its stamp."""


class Counts(NamedTuple):
    """What a connection has received so far."""

    received: int
    """Bytes that follow one another."""
    segments: int
    """Segments with data or the end, modulo 2^32."""
    disordered: int
    """Segments that came before one that they follow."""
    ended: bool = False
    """The peer's end is among them."""


def counts_of(sock: socket.socket) -> Counts | None:
    """What the kernel has counted; None where it does not."""
    if sys.platform != "linux":
        return None
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO.size)
        state, received, segments, disordered = _INFO.unpack_from(info)
    except (OSError, struct.error):  # no TCP, an older kernel, or a sandbox that emulates Linux without it
        return None
    ended = state == _CLOSE_WAIT
    return Counts(received - ended, segments + ended, disordered, ended)


class Unread:
    """Follows what one socket received and what was read of it. Pure: stamps, in monotonic ns, are passed in."""

    def __init__(self, now_ns: int, polls: Polls | None = None) -> None:
        self._polls = polls
        self._watched_ns: int | None = None
        self._emptied_ns = now_ns
        """When nothing was unread last."""
        self._emptied: Counts | None = Counts(0, 0, 0)
        """What the kernel had counted then; None where it does not count."""
        self._taken = 0
        self.disordered = False
        """Segments came before one that they follow, since something was sent last. They can be read when that came,
        and their stamps are earlier."""
        self.is_empty = True
        """Whether the last read left nothing, as far as that is known."""
        self.segments: int | None = None
        """The number that came since nothing was last unread, those of the last read included; None if unknown."""

    @property
    def counted(self) -> bool:
        """Whether the kernel counts what comes."""
        return self._emptied is not None

    @property
    def ends_at_stamp(self) -> bool:
        """Whether the kernel's stamp of the last read is that of its last byte; the peer's end has no byte, but its
        stamp goes to the segment that it is merged with."""
        return self.is_empty and not self.disordered and self._emptied is not None and not self._emptied.ended

    def watch(self, now_ns: int) -> None:
        """From now on the event loop looks at the socket at every turn, and it is read whenever something came."""
        self._watched_ns = now_ns

    def unwatch(self) -> None:
        """It is left unread for a while."""
        self._watched_ns = None

    def sent(self) -> None:
        """Something was sent: what comes next answers that."""
        self.disordered = False

    def waiting(self, counts: Counts | None) -> tuple[int, int]:
        """The number of segments and bytes that wait; 2 and 0 if unknown."""
        if counts is None or self._emptied is None:
            return 2, 0
        return (counts.segments - self._emptied.segments) % _WRAP, counts.received - self._taken

    def since_ns(self) -> int:
        """No byte of what is read now came before that."""
        if self._polls is not None and self._watched_ns is not None and self._polls.known_ns >= self._watched_ns:
            return max(self._emptied_ns, self._polls.known_ns)
        return self._emptied_ns

    def took(self, count: int, stamp_ns: int | None, now_ns: int, counts: Counts | None, emptied_ns: int | None) -> int:
        """Note a read that ended just now. Returns how far its stamp may be from when any of its bytes came.

        `stamp_ns`: the kernel's; None: it gave none, and the stamp is `now_ns`. `counts` were taken after that. Without
        counts, `emptied_ns` is a time at which the read had left nothing, if there is one.
        """
        self._taken += count
        error_ns = self._error_ns(stamp_ns, now_ns, counts)
        if counts is not None and self._emptied is not None and counts.received >= self._taken:
            self.is_empty = counts.received == self._taken
            if self.is_empty:
                self._emptied, self._emptied_ns = counts, now_ns
        else:
            self._emptied = self.segments = None
            self.is_empty = emptied_ns is not None
            self._emptied_ns = emptied_ns or self._emptied_ns
        return error_ns

    def _error_ns(self, stamp_ns: int | None, now_ns: int, counts: Counts | None) -> int:
        if counts is not None and self._emptied is not None:
            self.segments, _ = self.waiting(counts)
            self.disordered |= counts.disordered != self._emptied.disordered
        if stamp_ns is None:
            return self.late_ns(now_ns)
        waited_ns = max(0, stamp_ns - self.since_ns())
        if self.disordered:
            return max(waited_ns, now_ns - stamp_ns)
        return 0 if self.segments == 1 else waited_ns

    def late_ns(self, now_ns: int) -> int:
        """How long something that is found only now may have waited to be found."""
        waited_ns = now_ns - self.since_ns()
        if self._polls is not None and self._watched_ns is not None:
            waited_ns = min(waited_ns, self._polls.late_ns(now_ns))
        return max(0, waited_ns)
