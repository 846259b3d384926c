"""A TCP stream that receives eagerly and knows when its bytes came and went.

One persistent reader on the socket puts (stamp, bytes) into a queue, so that a busy event loop delays neither the
stamp nor the socket. Who takes them says how to wait for more: at once, segment by segment, or together with others.
No timeouts are kept here: deadlines belong to the probe (`gwtui.probes.deadlines`), which cancels.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import NamedTuple
from weakref import WeakKeyDictionary

from msgspec.structs import replace

from gwtui.model.enums import Clock
from gwtui.transport.acknowledged import Acknowledgement, UnacknowledgedError
from gwtui.transport.timestamps import StampedSocket
from gwtui.transport.trace import Arrival, SendSpan

GATHER_S = 0.04
"""How long a read may wait for others; what it means is written to the screen's pipe no more often either."""
TOGETHER = 32
"""Maximum number woken before sockets are looked at again: one that waits has one stamp for several packets."""


class WakeupBatch:
    """One for each event loop: see `wakeup_batch`."""

    def __init__(self) -> None:
        self._waiting: list[asyncio.Future[None]] = []

    def add(self, waiter: asyncio.Future[None]) -> None:
        """Settle this one soon, together with others."""
        if not self._waiting:
            loop = waiter.get_loop()
            loop.call_later(GATHER_S, self._wake, loop)
        self._waiting.append(waiter)

    def _wake(self, loop: asyncio.AbstractEventLoop) -> None:
        now, self._waiting = self._waiting[:TOGETHER], self._waiting[TOGETHER:]
        for waiter in now:
            settle(waiter)
        if self._waiting:
            loop.call_soon(self._wake, loop)


_of_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, WakeupBatch] = WeakKeyDictionary()


def wakeup_batch() -> WakeupBatch:
    """That of the running loop."""
    return _of_loops.setdefault(asyncio.get_running_loop(), WakeupBatch())


def settle(future: asyncio.Future[None]) -> None:
    """Resume its awaiter, unless that was done before."""
    if not future.done():
        future.set_result(None)


READ_BYTES = 64 * 1024
PIECE_BYTES = 64
"""Segments that wait together are received in such pieces: a read of several has the stamp of the last. Gateways often
send the first byte and the first content within a millisecond, and how long these took is what is asked for most."""
MOST_PIECES = 128
"""... or in this number of longer ones, if a lot waits."""
QUEUE_BYTES = 1024 * 1024
"""Received but unread bytes at which a stream stops receiving until they were read."""
MANY_BYTES = 16 * 1024
"""With this number of unread bytes, even one that waits for others too is woken at once."""
LAST_CHUNK = b"\r\n0\r\n\r\n"
"""What a chunked body ends with: its reader has waited for that."""


class Waiting(Enum):
    """How the next bytes are waited for."""

    BY_SEGMENT = "what comes is awaited itself: segments that wait together are received in pieces, each with its stamp"
    AT_ONCE = "whatever comes is taken as soon as it came"
    TOGETHER = "a moment longer, so that what came over many streams is worked off in one go"


class Piece(NamedTuple):
    """A part of what waited in a socket."""

    arrival: Arrival
    kernel_ns: int | None
    """The kernel's own stamp."""
    clock_error_ns: int


class TCPStream:
    """A connected socket with a persistent reader."""

    def __init__(self, sock: StampedSocket) -> None:
        self._sock = sock
        self._loop = asyncio.get_running_loop()
        self._queue: deque[Arrival] = deque()
        self.queued_bytes = 0
        """Received and not taken."""
        self.heard_ns = 0
        """When the newest bytes came; 0 before any."""
        self._end: Arrival | None = None
        """The end of the connection, behind all that is queued."""
        self.receiving = False
        """Not while too much is queued, nor after the end."""
        self._waiting = Waiting.AT_ONCE
        self._waiter: asyncio.Future[None] | None = None
        self._writable: asyncio.Future[None] | None = None
        self._acknowledgement: Acknowledgement | None = None
        self._wakeups = wakeup_batch()
        self._resume()

    async def receive(self, waiting: Waiting = Waiting.AT_ONCE) -> Arrival:
        """The next read of the socket; without data at the end of the connection."""
        self._waiting = waiting
        while not self._queue:
            if self._end is not None:
                return self._end
            self._waiter = self._loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        arrival = self._queue.popleft()
        self.queued_bytes -= len(arrival.data)
        if not self.receiving and self.queued_bytes < QUEUE_BYTES:
            self._resume()
        return arrival

    async def transmit(self, buffer: bytes) -> SendSpan | None:
        """Send all of it. Returns when its first and its last bytes went; None if it was empty. Raises
        `OSError`."""
        view = memoryview(buffer)
        first_ns = None
        while view:
            try:
                count = self._sock.send(view)
            except (BlockingIOError, InterruptedError):
                await self._until_writable()
                if self._end is not None and self._end.broke is not None:
                    raise self._end.broke from None
                continue
            first_ns = first_ns or self._sock.last_write_ns
            view = view[count:]
        if first_ns is None:
            return None
        return SendSpan(first_ns, self._sock.last_write_ns, self._sock.last_write_error_ns)

    def send_now(self, data: bytes) -> None:
        """Send what the socket takes at once and drop the rest: for a last message that is not awaited."""
        try:
            self._sock.send(data)
        except OSError:
            return

    def expect_acknowledgement(self, wait_s: float) -> None:
        """Give the connection up when nothing of what is sent from now on is acknowledged within that time."""
        self._forget_acknowledgement()
        self._acknowledgement = Acknowledgement(self._sock, wait_s, self._give_up)

    async def aclose(self) -> None:
        self._forget_acknowledgement()
        self._pause()
        self._sock.close()

    def has_news(self) -> bool:
        """Whether unread data or an end came: on an idle connection, that the peer closed it."""
        self._waiting = Waiting.AT_ONCE
        if self.receiving:
            self._receive()
        return bool(self._queue) or self._end is not None

    def take_news(self) -> bytes:
        """Data that came unrequested."""
        data = b"".join(arrival.data for arrival in self._queue)
        self._queue.clear()
        self.queued_bytes = 0
        return data

    def _forget_acknowledgement(self) -> None:
        if self._acknowledgement is not None:
            self._acknowledgement.cancel()
            self._acknowledgement = None

    def _give_up(self, error: UnacknowledgedError) -> None:
        """Readers and writers that wait get this error."""
        self._end = Arrival(time.perf_counter_ns(), Clock.USER, b"", broke=error)
        self._pause()
        for future in (self._waiter, self._writable):
            if future is not None:
                settle(future)

    def _receive(self) -> None:
        by_segment = self._waiting is Waiting.BY_SEGMENT and self._sock.kernel_stamps
        for arrival in self._in_pieces() if by_segment else self._at_once():
            self._enqueue(arrival)
        if self.receiving and self.queued_bytes >= QUEUE_BYTES:
            self._pause()
        if self._waiter is not None and (self._queue or not self.receiving):
            self._wake(self._waiter)

    def _at_once(self) -> Iterator[Arrival]:
        if data := self._take(READ_BYTES):
            yield self._piece(data).arrival

    def _in_pieces(self) -> Iterator[Arrival]:
        """All that waits, so that each segment keeps its stamp; at once where it is a single one."""
        segments, length = self._sock.waiting()
        size = READ_BYTES if segments < 2 else max(PIECE_BYTES, -(-length // MOST_PIECES))
        since_ns = self._sock.unread.since_ns()
        pieces: list[Piece] = []
        while len(pieces) < MOST_PIECES and (data := self._take(size)):
            pieces.append(self._piece(data))
            if len(data) < size or self._sock.unread.is_empty:
                break
        unread = self._sock.unread
        if unread.segments != segments or unread.disordered:  # another came meanwhile, and may be merged with these
            return (piece.arrival for piece in pieces)
        return own_stamps(pieces, segments, since_ns)

    def _piece(self, data: bytes) -> Piece:
        sock = self._sock
        arrival = Arrival(
            sock.last_read_ns,
            sock.last_read_clock,
            data,
            sock.last_read_error_ns,
            last_byte_error_ns=sock.last_byte_error_ns,
        )
        return Piece(arrival, sock.last_kernel_ns, sock.last_clock_error_ns)

    def _take(self, size: int) -> bytes:
        """Receive so much at most."""
        broke = None
        try:
            data = self._sock.recv(size)
        except (BlockingIOError, InterruptedError):
            return b""
        except OSError as error:
            broke, data = error, b""
        if not data:
            now_ns = time.perf_counter_ns()
            self._end = Arrival(now_ns, Clock.USER, b"", self._sock.unread.late_ns(now_ns), broke)
            self._pause()
        return data

    def _enqueue(self, arrival: Arrival) -> None:
        """Bytes of one stamp are one read, however many pieces they came in."""
        self.heard_ns = arrival.stamp_ns
        self.queued_bytes += len(arrival.data)
        if self._queue:
            last = self._queue[-1]
            if (last.stamp_ns, last.error_ns) == (arrival.stamp_ns, arrival.error_ns):
                arrival = replace(arrival, data=self._queue.pop().data + arrival.data)
        self._queue.append(arrival)

    def _wake(self, waiter: asyncio.Future[None]) -> None:
        if self.receiving and self._waiting is Waiting.TOGETHER and not self._has_much():
            self._wakeups.add(waiter)
        else:
            settle(waiter)

    def _has_much(self) -> bool:
        """Whether the end of a body or a lot of it is waiting."""
        return self.queued_bytes >= MANY_BYTES or self._queue[-1].data.endswith(LAST_CHUNK)

    def _resume(self) -> None:
        if not self.receiving and self._end is None:
            self._loop.add_reader(self._sock.fileno(), self._receive)
            self._sock.unread.watch(time.perf_counter_ns())
            self.receiving = True

    def _pause(self) -> None:
        if self.receiving:
            self._loop.remove_reader(self._sock.fileno())
            self._sock.unread.unwatch()
            self.receiving = False

    async def _until_writable(self) -> None:
        writable = self._writable = self._loop.create_future()
        self._loop.add_writer(self._sock.fileno(), settle, writable)
        try:
            await writable
        finally:
            self._writable = None
            self._loop.remove_writer(self._sock.fileno())


def own_stamps(pieces: Sequence[Piece], segments: int, since_ns: int) -> Iterator[Arrival]:
    """What waited, piece by piece, with errors that know of one another's stamps. `since_ns`: none of it came before.

    Where there are as many stamps as segments, each segment has its own, and only a piece in which one follows another
    may be wrong. Else a segment may have been merged with those since the stamp before.
    """
    has_own = len({piece.kernel_ns for piece in pieces}) == segments
    before: Piece | None = None
    for piece in pieces:
        stamp_ns, follows = piece.arrival.stamp_ns, before is not None and before.kernel_ns != piece.kernel_ns
        own_since_ns = stamp_ns if has_own else since_ns
        if before is not None and follows:
            own_since_ns, since_ns = before.arrival.stamp_ns if has_own else since_ns, before.arrival.stamp_ns
        yield (
            piece.arrival
            if piece.kernel_ns is None
            else replace(piece.arrival, error_ns=max(0, stamp_ns - own_since_ns) + piece.clock_error_ns)
        )
        before = piece
