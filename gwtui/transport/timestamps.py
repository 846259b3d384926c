"""When bytes came and went: a socket that stamps them, with the kernel's own arrival time where there is one.

On Linux every read asks for `SO_TIMESTAMPNS`: the wall time at which the last packet of that read arrived. It is
converted to the monotonic clock with an offset that is measured again about once a second, and whenever a glance at
the wall clock does not confirm it. A stamp that cannot be believed, and every read on other systems, gets the time
right after the read, and says so (`Clock.USER`). The stamp of a read is that of its *last* bytes; by how much it may be
wrong for the others is its error (`gwtui.transport.unread`).
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import socket
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gwtui.model.enums import Clock
from gwtui.transport.polls import running_polls
from gwtui.transport.unread import Unread, counts_of

if sys.platform == "linux":
    import fcntl
    import termios

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

SO_TIMESTAMPNS = 35
"""Linux, asm-generic/socket.h; also the type of the control message. Python's `socket` does not export it."""
_TIMESPEC = struct.Struct("@qq")
_COUNT = struct.Struct("@i")
_CONTROL_BYTES = 64

REMEASURE_NS = 1_000_000_000
"""How long an offset is believed."""
DOUBT_NS = 100_000_000
"""How long stamps are not used after a step: what came before it may still wait to be read."""
SLACK_NS = 20_000
"""How far two measured offsets may differ beyond their own uncertainty without a step of the wall clock."""
_BRACKETS = 9
UNSENT_BYTES = 16 * 1024
"""The kernel takes no more of a request than this beyond what it has sent. Left to itself it takes megabytes at once,
and how long they take to leave would be booked as the gateway's time."""


@dataclass(frozen=True, slots=True)
class Offset:
    """Wall clock minus monotonic clock, as measured once."""

    ns: int
    error_ns: int
    """Half the width of the bracket that it was read in."""
    at_ns: int
    """When, on the monotonic clock."""

    def agrees(self, other: Offset) -> bool:
        """Whether both may be the same offset, so that the wall clock was not stepped in between."""
        return abs(self.ns - other.ns) <= self.error_ns + other.error_ns + SLACK_NS


def measure_offset() -> Offset:
    """The narrowest of some readings of the wall clock bracketed by the monotonic one: about 5 us in all."""
    best = None
    for _ in range(_BRACKETS):
        before = time.perf_counter_ns()
        wall = time.time_ns()
        after = time.perf_counter_ns()
        if best is None or after - before < best[2] - best[0]:
            best = before, wall, after
    assert best is not None  # noqa: S101 - the loop runs at least once
    before, wall, after = best
    return Offset(wall - (before + after) // 2, (after - before + 1) // 2, after)


@functools.cache
def keep_stamping() -> None:
    """Let one idle socket ask for stamps: the kernel makes them only while any does, and takes a moment to begin."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    atexit.register(sock.close)
    ask_for_stamps(sock)


def ask_for_stamps(sock: socket.socket) -> bool:
    """Whether reads of this socket will bring stamps of the kernel's."""
    if sys.platform != "linux":
        return False
    try:
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    except OSError:  # a sandbox that emulates Linux without it
        return False
    return True


class NetClock:
    """Turns the kernel's wall-clock stamps into monotonic ones, and refuses those that cannot be true."""

    def __init__(self, measure: Callable[[], Offset] = measure_offset, wall: Callable[[], int] = time.time_ns) -> None:
        keep_stamping()
        self._measure = measure
        self._wall = wall
        self._offset = measure()
        self._doubted_until_ns = 0

    def stamp(self, kernel_ns: int | None, now_ns: int, floor_ns: int) -> tuple[int, Clock]:
        """When a read's bytes came, in monotonic ns, and who says so.

        `now_ns` was taken right after the read, `floor_ns` is the stamp of the read before.
        """
        if kernel_ns is None:
            return now_ns, Clock.USER
        if now_ns - self._offset.at_ns > REMEASURE_NS or not self._holds(now_ns):
            self._measure_again()
        arrived = kernel_ns - self._offset.ns
        error_ns = self._offset.error_ns
        # Bytes of one packet have one stamp, and the offset may have been measured anew between two reads of it.
        if now_ns < self._doubted_until_ns or not floor_ns - error_ns - SLACK_NS <= arrived <= now_ns + error_ns:
            return now_ns, Clock.USER
        return max(floor_ns, min(arrived, now_ns)), Clock.KERNEL

    def error_ns(self, stamp_ns: int, now_ns: int) -> int:
        """How far a stamp of the kernel's may be off by the conversion alone. While it waited, the wall clock may have
        been slewed, by a thousandth at most (adjtimex(2))."""
        return self._offset.error_ns + SLACK_NS + (now_ns - stamp_ns) // 1000

    def _holds(self, now_ns: int) -> bool:
        """Whether a glance confirms the offset. One that was interrupted does not."""
        return abs(self._wall() - now_ns - self._offset.ns) <= self._offset.error_ns + SLACK_NS

    def _measure_again(self) -> None:
        before, self._offset = self._offset, self._measure()
        if not self._offset.agrees(before):
            self._doubted_until_ns = self._offset.at_ns + DOUBT_NS


@functools.cache
def net_clock() -> NetClock:
    """The one that all sockets of this process share: an offset is measured for all of them at once."""
    return NetClock()


class StampedSocket(socket.socket):
    """A non-blocking TCP or Unix socket that stamps what it reads and writes, in monotonic ns. The kernel stamps
    nothing that comes over a Unix socket.

    `recv`, `recv_into` and `send` are those that asyncio's own transports call too, so a library that takes a
    connected socket is stamped as well.
    """

    def __init__(self, family: int, clock: NetClock, fileno: int | None = None) -> None:
        """A new socket, or the one of that descriptor, which it takes over."""
        super().__init__(family, socket.SOCK_STREAM, fileno=fileno)
        self.setblocking(False)
        is_tcp = family in (socket.AF_INET, socket.AF_INET6)
        if is_tcp:
            self.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with contextlib.suppress(AttributeError, OSError):  # a system or a sandbox without it
                self.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
        self._netclock = clock
        self.kernel_stamps = is_tcp and ask_for_stamps(self)
        self.unread = Unread(time.perf_counter_ns(), running_polls())
        self.reads = 0
        self.last_read_ns = 0
        self.last_read_clock = Clock.USER
        self.last_read_error_ns = 0
        """How far that stamp may be from when any of the bytes came."""
        self.last_byte_error_ns = 0
        """How far it may be from when the last of the bytes came: it is the stamp of the last segment."""
        self.last_clock_error_ns = 0
        """What of it is the clock's."""
        self.last_kernel_ns: int | None = None
        """The kernel's own stamp of the last read, on the wall clock; None without a usable one."""
        self.writes = 0
        self.sent_bytes = 0
        """Bytes that were handed to the kernel, in all."""
        self.last_write_ns = 0
        """Right before the call: while it lasts the bytes leave, and whom they wake may take this processor."""
        self.last_write_error_ns = 0
        """How long the call lasted: the bytes left meanwhile."""

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        before_ns = time.perf_counter_ns()
        if not self.kernel_stamps:
            data = super().recv(size, flags)
            self._came(len(data), size, None, before_ns)
            return data
        data, control, _, _ = super().recvmsg(size, _CONTROL_BYTES, flags)
        self._came(len(data), size, _kernel_ns(control), before_ns)
        return data

    def recv_into(self, buffer: WriteableBuffer, size: int = 0, flags: int = 0) -> int:
        before_ns, room = time.perf_counter_ns(), size or memoryview(buffer).nbytes
        if not self.kernel_stamps or size:
            count = super().recv_into(buffer, size, flags)
            self._came(count, room, None, before_ns)
            return count
        count, control, _, _ = super().recvmsg_into([buffer], _CONTROL_BYTES, flags)
        self._came(count, room, _kernel_ns(control), before_ns)
        return count

    def send(self, data: ReadableBuffer, flags: int = 0, /) -> int:
        now_ns = time.perf_counter_ns()
        count = super().send(data, flags)
        self.last_write_ns = now_ns
        self.last_write_error_ns = time.perf_counter_ns() - now_ns
        self.writes += 1
        self.sent_bytes += count
        self.unread.sent()
        return count

    def waiting(self) -> tuple[int, int]:
        """The number of segments and bytes that wait to be read; 2 and 0 if unknown."""
        return self.unread.waiting(counts_of(self) if self.unread.counted else None)

    def unacknowledged(self) -> int | None:
        """The number of sent bytes that the peer's kernel has not acknowledged; None where that cannot be known: on
        systems other than Linux, and of a Unix socket, where it counts what the peer's program has not read."""
        if sys.platform != "linux" or self.family == socket.AF_UNIX:
            return None
        try:
            return int(_COUNT.unpack(fcntl.ioctl(self.fileno(), termios.TIOCOUTQ, bytes(_COUNT.size)))[0])
        except OSError:  # a sandbox that emulates Linux without it
            return None

    def _came(self, count: int, room: int, kernel_ns: int | None, before_ns: int) -> None:
        now_ns = time.perf_counter_ns()
        if not count:
            return
        stamp_ns, clock = self._netclock.stamp(kernel_ns, now_ns, self.last_read_ns)
        by_kernel = clock is Clock.KERNEL
        counts = counts_of(self) if self.unread.counted else None
        error_ns = self.unread.took(
            count, stamp_ns if by_kernel else None, now_ns, counts, before_ns if count < room else None
        )
        self.last_clock_error_ns = self._netclock.error_ns(stamp_ns, now_ns) if by_kernel else 0
        self.last_kernel_ns = kernel_ns if by_kernel else None
        self.last_read_ns, self.last_read_clock = stamp_ns, clock
        self.last_read_error_ns = self.last_byte_error_ns = error_ns + self.last_clock_error_ns
        if by_kernel and self.unread.ends_at_stamp:
            self.last_byte_error_ns = self.last_clock_error_ns
        self.reads += 1


def _kernel_ns(control: list[tuple[int, int, bytes]]) -> int | None:
    """The wall-clock stamp among the control messages of one read; None when the kernel gave none."""
    for level, kind, data in control:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS and len(data) == _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack(data)
            return int(seconds) * 1_000_000_000 + int(nanoseconds)
    return None
