"""An error is a bound: whatever the kernel merges and however late a read is, no byte came further from its stamp."""

from __future__ import annotations

import copy
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwtui.model.enums import Clock
from gwtui.transport.sockets import Piece, own_stamps
from gwtui.transport.trace import Arrival
from gwtui.transport.unread import Counts, Unread, counts_of

MS = 1_000_000
PIECE = 16


@dataclass
class Segment:
    """What comes in one go, after so long; the kernel may merge it with what waits before it."""

    after_ns: int
    length: int
    merges: bool


@dataclass
class Kernel:
    """A socket's queue: each of its entries has the stamp of the last segment that was merged into it."""

    now_ns: int = 0
    received: int = 0
    segments: int = 0
    queue: list[tuple[int, list[int]]] = field(default_factory=list)
    """Stamp, and when each byte really came."""

    def comes(self, segment: Segment) -> None:
        self.now_ns += segment.after_ns
        came = [self.now_ns] * segment.length
        if segment.merges and self.queue:
            came = self.queue.pop()[1] + came
        self.queue.append((self.now_ns, came))
        self.received += segment.length
        self.segments += 1

    def read(self, size: int) -> tuple[int, list[int]]:
        """The stamp of the last entry that was read of, and when the bytes really came."""
        taken: list[int] = []
        stamp_ns = 0
        while self.queue and len(taken) < size:
            stamp_ns, came = self.queue.pop(0)
            room = size - len(taken)
            taken += came[:room]
            if came[room:]:
                self.queue.insert(0, (stamp_ns, came[room:]))
        return stamp_ns, taken


SEGMENTS = st.builds(Segment, st.integers(1, 30 * MS), st.integers(1, 3 * PIECE), st.booleans())
Turn = tuple[list[Segment], list[Segment], bool]
"""What comes before the socket is read, and after what waits was counted; whether it is read in pieces."""
TURNS = st.lists(
    st.tuples(st.lists(SEGMENTS, max_size=4), st.lists(SEGMENTS, max_size=2), st.booleans()), min_size=1, max_size=12
)


def reads_of(turns: list[Turn], *, counts: bool) -> Iterator[tuple[Arrival, list[int]]]:
    """Each read, with when each of its bytes really came."""
    kernel, unread = Kernel(), Unread(0)

    def counted() -> Counts | None:
        return Counts(kernel.received, kernel.segments, 0) if counts else None

    for before, meanwhile, in_pieces in turns:
        for segment in before:
            kernel.comes(segment)
        segments, _ = unread.waiting(counted())
        since_ns = unread.since_ns()
        pieces: list[Piece] = []
        came: list[list[int]] = []
        size = PIECE if in_pieces else 4 * PIECE
        while kernel.queue:
            kernel.now_ns += 1
            before_ns = kernel.now_ns
            stamp_ns, bytes_ns = kernel.read(size)
            kernel.now_ns += 1
            now_ns = kernel.now_ns
            if meanwhile:
                kernel.comes(meanwhile.pop())
            length = len(bytes_ns)
            emptied_ns = before_ns if length < size else None
            error_ns = unread.took(length, stamp_ns, now_ns, counted(), emptied_ns)
            assert not unread.ends_at_stamp or bytes_ns[-1] == stamp_ns
            pieces.append(Piece(Arrival(stamp_ns, Clock.KERNEL, b"", error_ns), stamp_ns, 0))
            came.append(bytes_ns)
            if length < size or unread.is_empty or not in_pieces:
                break
        refined = in_pieces and counts and unread.segments == segments
        arrivals = own_stamps(pieces, segments, since_ns) if refined else (piece.arrival for piece in pieces)
        yield from zip(arrivals, came, strict=True)


@given(TURNS, st.booleans())
def test_no_byte_came_further_from_its_stamp_than_the_error_says(turns: list[Turn], counts: bool) -> None:
    for arrival, came_ns in reads_of(copy.deepcopy(turns), counts=counts):
        assert all(abs(arrival.stamp_ns - each) <= arrival.error_ns for each in came_ns)


def test_a_read_of_one_segment_is_right_however_late_it_was() -> None:
    unread = Unread(0)
    assert unread.took(100, 5 * MS, 900 * MS, Counts(100, 1, 0), None) == 0
    assert unread.took(100, 950 * MS, 999 * MS, Counts(200, 3, 0), None) == 50 * MS, "there were two since it was empty"


def test_segments_out_of_their_order_are_bounded_on_both_sides() -> None:
    unread = Unread(0)
    assert unread.took(100, 5 * MS, 6 * MS, Counts(100, 2, 1), None) == 5 * MS, "another waits for one before it"
    assert unread.took(200, 7 * MS, 90 * MS, Counts(300, 3, 1), None) == 83 * MS, (
        "it has the stamp of the one that waited"
    )
    unread.sent()
    assert unread.took(100, 120 * MS, 130 * MS, Counts(400, 4, 1), None) == 0


def test_the_end_of_a_connection_counts_as_a_segment_as_its_stamp_is_that_of_what_it_was_merged_with() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as sock:
        peer, _ = listener.accept()
        counts = counts_of(sock)
        if counts is None:
            pytest.skip("this system does not count segments")
        peer.sendall(b"end")
        peer.close()
        sock.recv(3)
        assert sock.recv(1) == b""
        assert counts_of(sock) == Counts(3, 2, 0, ended=True)


def test_the_stamp_of_a_read_is_not_that_of_its_last_byte_once_the_end_has_come() -> None:
    unread = Unread(0)
    unread.took(100, 5 * MS, 6 * MS, Counts(100, 2, 0), None)
    assert unread.ends_at_stamp
    unread.took(100, 9 * MS, 10 * MS, Counts(200, 4, 0, ended=True), None)
    assert not unread.ends_at_stamp
