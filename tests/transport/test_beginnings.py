"""Segments that wait together while a first byte or content is awaited are received piece by piece, so that each keeps
its own stamp."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwtui.model.enums import Clock
from gwtui.transport.sockets import MOST_PIECES, PIECE_BYTES, READ_BYTES, TCPStream, Waiting
from gwtui.transport.timestamps import NetClock, StampedSocket
from gwtui.transport.trace import Arrival

MS = 1_000_000

Packet = tuple[int, bytes]
"""When it came, and what it holds."""


class Holding(StampedSocket):
    """A connected socket that holds these packets. As a kernel's would, it gives a read the stamp of its last one."""

    def __init__(self, packets: Sequence[Packet]) -> None:
        super().__init__(socket.AF_INET, NetClock())
        self.kernel_stamps = True
        self.sizes: list[int] = []
        self.segments = 0
        """How many it says to hold; 0: as many as it does."""
        self.unread._emptied_ns = 0
        self._packets = list(packets)

    def waiting(self) -> tuple[int, int]:
        self.unread.segments = self.segments or len(self._packets)
        return self.unread.segments, sum(len(data) for _, data in self._packets)

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        if not self._packets:
            raise BlockingIOError
        self.sizes.append(size)
        taken = b""
        while self._packets and len(taken) < size:
            stamp_ns, data = self._packets.pop(0)
            piece, rest = data[: size - len(taken)], data[size - len(taken) :]
            self.last_read_ns, self.last_read_clock, self.last_kernel_ns = stamp_ns, Clock.KERNEL, stamp_ns
            taken += piece
            if rest:
                self._packets.insert(0, (stamp_ns, rest))
        self.unread.is_empty = not self._packets
        self.last_read_error_ns = 1000 * MS
        return taken


@asynccontextmanager
async def holding(
    packets: Sequence[Packet], waiting: Waiting = Waiting.BY_SEGMENT
) -> AsyncIterator[tuple[Holding, TCPStream]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sock = Holding(packets)
        await asyncio.get_running_loop().sock_connect(sock, listener.getsockname())
        stream = TCPStream(sock)
        stream._waiting = waiting
        try:
            yield sock, stream
        finally:
            await stream.aclose()


async def arrivals(stream: TCPStream) -> list[Arrival]:
    """All that waits in the socket, received in one go."""
    stream._receive()
    taken = []
    while stream.queued_bytes:
        taken.append(await stream.receive())
    return taken


async def test_packets_that_waited_keep_their_stamps_and_only_what_joins_two_may_be_wrong() -> None:
    packets = [(1 * MS, b"h" * 256), (2 * MS, b"r" * 128), (4 * MS, b"c" * 200), (7 * MS, b"e" * 100)]
    async with holding(packets) as (_, stream):
        taken = await arrivals(stream)
    assert [(each.stamp_ns // MS, each.error_ns // MS, len(each.data)) for each in taken] == [
        (1, 0, 256),
        (2, 1, 64),
        (2, 0, 64),
        (4, 2, 64),
        (4, 0, 128),
        (7, 3, 64),
        (7, 0, 44),
    ]


async def test_packets_that_the_kernel_has_merged_have_no_stamp_of_their_own() -> None:
    async with holding([(4 * MS, b"x" * 300)]) as (sock, stream):
        sock.segments = 2
        assert {each.error_ns for each in await arrivals(stream)} == {4 * MS}


@given(st.lists(st.integers(1, 3 * PIECE_BYTES), min_size=2, max_size=30))
def test_no_byte_is_lost_nor_stamped_before_it_came_nor_after_what_is_near_it(lengths: list[int]) -> None:
    packets = [(number * MS, bytes([number]) * length) for number, length in enumerate(lengths, 1)]
    sent = b"".join(data for _, data in packets)

    async def receive() -> list[Arrival]:
        async with holding(packets) as (_, stream):
            return await arrivals(stream)

    taken = asyncio.run(receive())
    assert b"".join(each.data for each in taken) == sent
    stamps = [each.stamp_ns // MS for each in taken for _ in each.data]
    for at, (stamp, packet) in enumerate(zip(stamps, sent, strict=True)):
        assert packet <= stamp <= sent[min(at + PIECE_BYTES, len(sent)) - 1]


async def test_one_packet_takes_one_read() -> None:
    async with holding([(1 * MS, b"h" * 1000)]) as (sock, stream):
        assert [len(each.data) for each in await arrivals(stream)] == [1000]
        assert sock.sizes == [READ_BYTES]


async def test_a_lot_that_waits_takes_no_more_pieces_than_a_little() -> None:
    async with holding([(number * MS, b"x" * 1024) for number in range(1, 41)]) as (sock, stream):
        await arrivals(stream)
    assert sock.sizes == [40 * 1024 // MOST_PIECES] * MOST_PIECES


@pytest.mark.parametrize(
    ("waiting", "kernel_stamps", "in_pieces"),
    [
        (Waiting.BY_SEGMENT, True, True),
        (Waiting.BY_SEGMENT, False, False),
        (Waiting.AT_ONCE, True, False),
        (Waiting.TOGETHER, True, False),
    ],
)
async def test_pieces_are_for_stamps_of_the_kernels_of_what_is_awaited(
    waiting: Waiting, kernel_stamps: bool, in_pieces: bool
) -> None:
    async with holding([(1 * MS, b"x" * 600), (2 * MS, b"x" * 400)], waiting) as (sock, stream):
        sock.kernel_stamps = kernel_stamps
        await arrivals(stream)
    assert sock.sizes[0] == (PIECE_BYTES if in_pieces else READ_BYTES)
