"""The beginning of a response that had to wait is received piece by piece, so that packets keep stamps of their own."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwtui.probes.exchange import Arrival, Ledger
from gwtui.probes.netclock import NetClock, StampedSocket
from gwtui.probes.tcp import BEGINNING_BYTES, PIECE_BYTES, READ_BYTES, TCPStream
from gwtui.words import Clock

MS = 1_000_000
HOUR = 3_600_000 * MS

Packet = tuple[int, bytes]
"""When it came, and what it holds."""


class Holding(StampedSocket):
    """A connected socket that holds these packets. As a kernel's would, it gives a read the stamp of its last one."""

    def __init__(self, packets: Sequence[Packet]) -> None:
        super().__init__(socket.AF_INET, NetClock())
        self.kernel_stamps = True
        self.sizes: list[int] = []
        self._packets = list(packets)

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        if not self._packets:
            raise BlockingIOError
        self.sizes.append(size)
        taken = b""
        while self._packets and len(taken) < size:
            stamp_ns, data = self._packets.pop(0)
            piece, rest = data[: size - len(taken)], data[size - len(taken) :]
            self.last_read_ns, self.last_read_clock = stamp_ns, Clock.KERNEL
            taken += piece
            if rest:
                self._packets.insert(0, (stamp_ns, rest))
        return taken


@asynccontextmanager
async def holding(packets: Sequence[Packet], ledger: Ledger | None = None) -> AsyncIterator[tuple[Holding, TCPStream]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sock = Holding(packets)
        await asyncio.get_running_loop().sock_connect(sock, listener.getsockname())
        stream = TCPStream(sock, ledger or Ledger())
        try:
            yield sock, stream
        finally:
            await stream.aclose()


async def arrivals(stream: TCPStream) -> list[Arrival]:
    """All that waits in the socket, received in one go."""
    stream.has_news()
    taken = []
    while stream.queued_bytes:
        taken.append(await stream.receive(READ_BYTES))
    return taken


async def test_packets_of_a_beginning_that_waited_keep_their_stamps() -> None:
    packets = [(1 * MS, b"h" * 256), (2 * MS, b"r" * 128), (3 * MS, b"c" * 192), (4 * MS, b"e" * 10)]
    async with holding(packets) as (_, stream):
        assert [(each.stamp_ns, each.data) for each in await arrivals(stream)] == packets


@given(st.lists(st.integers(1, 3 * PIECE_BYTES), min_size=1, max_size=30))
def test_no_byte_is_lost_nor_stamped_before_it_came_nor_after_what_is_near_it(lengths: list[int]) -> None:
    packets = [(number * MS, bytes([number]) * length) for number, length in enumerate(lengths, 1)]
    sent = b"".join(data for _, data in packets)

    async def receive() -> list[Arrival]:
        async with holding(packets) as (_, stream):
            return await arrivals(stream)

    taken = asyncio.run(receive())
    assert b"".join(each.data for each in taken) == sent
    stamps = [each.stamp_ns // MS for each in taken for _ in each.data]
    assert len({each.stamp_ns for each in taken}) == len(taken)
    for at, (stamp, packet) in enumerate(zip(stamps, sent, strict=True)):
        assert packet <= stamp <= sent[min(at + PIECE_BYTES, len(sent)) - 1]


async def test_what_did_not_wait_takes_two_reads() -> None:
    just_now = time.perf_counter_ns() + HOUR
    async with holding([(just_now, b"h" * 700), (just_now + 1, b"c" * 300)]) as (sock, stream):
        assert [len(each.data) for each in await arrivals(stream)] == [PIECE_BYTES, 1000 - PIECE_BYTES]
        assert sock.sizes == [PIECE_BYTES, READ_BYTES]


async def test_only_the_beginning_is_received_in_pieces() -> None:
    async with holding([(number * MS, b"x" * 1024) for number in range(1, 41)]) as (sock, stream):
        await arrivals(stream)
    assert sock.sizes == [PIECE_BYTES] * (BEGINNING_BYTES // PIECE_BYTES) + [READ_BYTES]


@pytest.mark.parametrize(("kernel_stamps", "expected"), [(True, PIECE_BYTES), (False, READ_BYTES)])
async def test_pieces_are_for_stamps_of_the_kernels(kernel_stamps: bool, expected: int) -> None:
    async with holding([(1 * MS, b"x" * 1000)]) as (sock, stream):
        sock.kernel_stamps = kernel_stamps
        await arrivals(stream)
        assert sock.sizes[0] == expected


async def test_every_response_of_a_connection_has_a_beginning() -> None:
    ledger = Ledger()
    ledger.exchange.heard_bytes = BEGINNING_BYTES
    async with holding([(1 * MS, b"x" * 1000)], ledger) as (sock, stream):
        await stream.write(b"GET")
        await arrivals(stream)
        assert sock.sizes[0] == PIECE_BYTES
