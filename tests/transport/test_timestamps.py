"""Arrival stamps: converted rightly, refused when they cannot be true, taken from the kernel where it gives them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.stamping import expected_clock

from gwtui.model.enums import Clock
from gwtui.transport.sockets import QUEUE_BYTES, TCPStream
from gwtui.transport.timestamps import (
    DOUBT_NS,
    REMEASURE_NS,
    UNSENT_BYTES,
    NetClock,
    Offset,
    StampedSocket,
    measure_offset,
)
from gwtui.transport.trace import ConnectionTrace

OFFSET = 1_700_000_000_000_000_000
"""Wall clock minus monotonic clock."""
MS = 1_000_000


def clock(*offsets: Offset, wall_ns: int | None = None) -> NetClock:
    """A clock that measures these offsets one after the other, and the last one ever after. A glance at the wall clock
    sees `wall_ns`; None: never what is expected."""
    left = list(offsets)
    return NetClock(lambda: left.pop(0) if len(left) > 1 else left[0], lambda: 0 if wall_ns is None else wall_ns)


def offset(ns: int = OFFSET, *, at_ns: int = 0, error_ns: int = 100) -> Offset:
    return Offset(ns, error_ns, at_ns)


STAMPS = {
    "a believable stamp": (clock(offset()), OFFSET + 4_000, 5_000, 0, (4_000, Clock.KERNEL)),
    "no stamp": (clock(offset()), None, 5_000, 0, (5_000, Clock.USER)),
    "later than now": (clock(offset()), OFFSET + 9_000, 5_000, 0, (5_000, Clock.USER)),
    "later by less than can be measured": (clock(offset()), OFFSET + 5_050, 5_000, 0, (5_000, Clock.KERNEL)),
    "earlier than the read before": (clock(offset()), OFFSET + 4_000, 50_000, 44_000, (50_000, Clock.USER)),
    "earlier by less than can be measured": (clock(offset()), OFFSET + 4_000, 5_000, 4_100, (4_100, Clock.KERNEL)),
    "old, because the reader was late": (
        clock(offset()),
        OFFSET + 4_000,
        4_000 + 50 * MS,
        0,
        (4_000, Clock.KERNEL),
    ),
    "the wall clock went back an hour": (
        clock(offset(), offset(OFFSET - 3_600_000 * MS)),
        OFFSET + 4_000 - 3_600_000 * MS,
        5_000,
        0,
        (5_000, Clock.USER),
    ),
    "the wall clock went forward an hour": (
        clock(offset(), offset(OFFSET + 3_600_000 * MS)),
        OFFSET + 4_000 + 3_600_000 * MS,
        5_000,
        0,
        (5_000, Clock.USER),
    ),
    "the wall clock went back by less than reads are late at times": (
        clock(offset(), offset(OFFSET - MS // 2), wall_ns=OFFSET - MS // 2 + 5_000),
        OFFSET + 4_000 - MS // 2,
        5_000,
        0,
        (5_000, Clock.USER),
    ),
    "a step found by measuring again in time": (
        clock(offset(), offset(OFFSET + MS // 2), wall_ns=OFFSET + REMEASURE_NS + 5_000),
        OFFSET + 4_000,
        REMEASURE_NS + 5_000,
        0,
        (REMEASURE_NS + 5_000, Clock.USER),
    ),
    "a slewed clock": (
        clock(offset(), offset(OFFSET + 10_000)),
        OFFSET + 10_000 + REMEASURE_NS + 4_000,
        REMEASURE_NS + 5_000,
        0,
        (REMEASURE_NS + 4_000, Clock.KERNEL),
    ),
}


@pytest.mark.parametrize("name", STAMPS)
def test_a_stamp_is_believed_only_when_it_can_be_true(name: str) -> None:
    net_clock, kernel_ns, now_ns, floor_ns, expected = STAMPS[name]
    assert net_clock.stamp(kernel_ns, now_ns, floor_ns) == expected


def test_reads_do_not_measure_again_while_a_glance_confirms_the_offset() -> None:
    measured: list[int] = []

    def measure() -> Offset:
        measured.append(1)
        return offset()

    wall_ns = [OFFSET + 9 * MS]
    net_clock = NetClock(measure, lambda: wall_ns[0])
    assert net_clock.stamp(OFFSET + 4_000, 9 * MS, 0) == (4_000, Clock.KERNEL)
    assert len(measured) == 1
    wall_ns[0] += MS
    assert net_clock.stamp(OFFSET + 5_000, 9 * MS, 0) == (5_000, Clock.KERNEL)
    assert len(measured) == 2


@pytest.mark.parametrize("step_ns", [10 * MS, -10 * MS])
def test_after_a_step_stamps_are_believed_again_once_all_that_came_before_it_was_read(step_ns: int) -> None:
    net_clock = clock(offset(), offset(OFFSET + step_ns, at_ns=50 * MS))
    assert net_clock.stamp(OFFSET + step_ns + 49 * MS, 50 * MS, 0) == (50 * MS, Clock.USER)
    before_it = OFFSET + 30 * MS
    assert net_clock.stamp(before_it, 55 * MS, 0) == (55 * MS, Clock.USER)
    after_ns = 50 * MS + DOUBT_NS
    assert net_clock.stamp(OFFSET + step_ns + after_ns, after_ns, 0) == (after_ns, Clock.KERNEL)


@given(st.integers(0, 2**62), st.integers(0, 2**62), st.integers(0, 2**62), st.integers(-(2**61), 2**61))
def test_no_stamp_is_later_than_now_nor_earlier_than_the_one_before(
    kernel_ns: int, now_ns: int, before_ns: int, step_ns: int
) -> None:
    floor_ns = min(before_ns, now_ns)
    stamp_ns, _ = clock(offset(), offset(OFFSET + step_ns)).stamp(kernel_ns, now_ns, floor_ns)
    assert floor_ns <= stamp_ns <= now_ns


def test_the_measured_offset_is_that_of_the_two_clocks() -> None:
    before = time.time_ns() - time.perf_counter_ns()
    measured = measure_offset()
    assert abs(measured.ns - before) < 1000 * MS
    assert measured.error_ns >= 0
    assert measured.agrees(measured)
    assert not measured.agrees(Offset(measured.ns + MS + 2 * measured.error_ns, measured.error_ns, 0))


async def connected(peer_buffer: int = 128 * 1024) -> tuple[StampedSocket, socket.socket]:
    """Both ends of a connection over loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, peer_buffer)
        sock = StampedSocket(socket.AF_INET, NetClock())
        await asyncio.get_running_loop().sock_connect(sock, listener.getsockname())
        peer, _ = listener.accept()
    return sock, peer


Read = Callable[[StampedSocket], bytes]


def recv(sock: StampedSocket) -> bytes:
    return sock.recv(100)


def recv_into(sock: StampedSocket) -> bytes:
    buffer = bytearray(100)
    return bytes(buffer[: sock.recv_into(buffer)])


@pytest.mark.parametrize("read", [recv, recv_into])
async def test_a_read_is_stamped_between_its_sending_and_now(read: Read) -> None:
    sock, peer = await connected()
    with sock, peer:
        for _ in range(50):
            sent_ns = time.perf_counter_ns()
            peer.sendall(b"x")
            assert read(sock) == b"x"
            read_ns = time.perf_counter_ns()
            assert sent_ns - 100_000 <= sock.last_read_ns <= read_ns
    assert sock.reads == 50


@pytest.mark.skipif(sys.platform != "linux", reason="no other system stamps TCP")
async def test_the_kernel_stamps_the_arrival_not_the_read() -> None:
    assert expected_clock() is Clock.KERNEL
    sock, peer = await connected()
    with sock, peer:
        peer.sendall(b"x")
        sent_ns = time.perf_counter_ns()
        while time.perf_counter_ns() < sent_ns + 20 * MS:
            pass
        assert sock.recv(100) == b"x"
        assert sock.last_read_clock is Clock.KERNEL
        assert sock.last_read_ns < sent_ns + 10 * MS


async def test_the_last_byte_of_a_late_read_is_stamped_although_the_first_is_not() -> None:
    sock, peer = await connected()
    with sock, peer:
        peer.sendall(b"x")
        first_ns = time.perf_counter_ns()
        while time.perf_counter_ns() < first_ns + 20 * MS:
            pass
        peer.sendall(b"y")
        last_ns = time.perf_counter_ns()
        assert sock.recv(100) == b"xy"
        assert sock.last_read_error_ns >= 20 * MS
        assert sock.last_byte_error_ns < MS
        assert first_ns + 20 * MS <= sock.last_read_ns <= last_ns + MS


async def test_without_the_kernels_stamps_the_read_is_stamped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "other")
    sock, peer = await connected()
    with sock, peer:
        peer.sendall(b"x")
        before_ns = time.perf_counter_ns()
        assert sock.recv(100) == b"x"
        assert before_ns <= sock.last_read_ns <= time.perf_counter_ns()
        assert sock.last_read_clock is Clock.USER


async def test_a_write_is_stamped_when_it_is_handed_over() -> None:
    sock, peer = await connected()
    with sock, peer:
        before_ns = time.perf_counter_ns()
        sock.send(b"x")
        assert before_ns <= sock.last_write_ns <= time.perf_counter_ns()


@pytest.mark.skipif(not hasattr(socket, "TCP_NOTSENT_LOWAT"), reason="the kernel takes what it likes here")
async def test_the_kernel_takes_no_more_than_it_is_about_to_send() -> None:
    sock, peer = await connected(peer_buffer=UNSENT_BYTES)
    taken = 0
    with sock, peer, contextlib.suppress(BlockingIOError):
        while True:
            taken += sock.send(bytes(16 * 1024 * 1024))
    assert UNSENT_BYTES <= taken < 512 * 1024


async def test_an_exchange_notes_first_and_last_bytes() -> None:
    sock, peer = await connected()
    trace = ConnectionTrace()
    stream = TCPStream(sock)
    with peer:
        trace.sent(await stream.transmit(b"GET"))
        first_ns = trace.last_write_ns
        trace.sent(await stream.transmit(b" /"))
        trace.sent(await stream.transmit(b""))
        assert peer.recv(100) == b"GET /"
        for data in (b"HTTP/1.1 ", b"200"):
            peer.sendall(data)
            arrival = await stream.receive()
            assert arrival.data == data
            trace.came(arrival)
    await stream.aclose()
    assert first_ns is not None
    assert trace.first_write_ns is not None
    assert trace.last_write_ns is not None
    assert trace.first_read_ns is not None
    assert trace.last_read_ns is not None
    assert trace.first_write_ns <= first_ns < trace.last_write_ns
    assert trace.first_read_ns < trace.last_read_ns


async def test_a_reader_that_does_not_read_holds_the_sender_back_and_loses_nothing() -> None:
    sock, peer = await connected()
    stream = TCPStream(sock)
    loop = asyncio.get_running_loop()
    sent = b"HTTP/" + bytes(range(256)) * (64 * QUEUE_BYTES // 256)
    with peer:
        peer.setblocking(False)
        sending = asyncio.create_task(loop.sock_sendall(peer, sent))
        received = bytearray((await stream.receive()).data)
        for _ in range(100_000):
            await asyncio.sleep(0)
            if not stream.receiving:
                break
        assert not sending.done()
        assert QUEUE_BYTES <= stream.queued_bytes < 2 * QUEUE_BYTES
        while len(received) < len(sent):
            received += (await stream.receive()).data
        await sending
    await stream.aclose()
    assert received == sent


async def test_what_came_before_the_end_is_read_before_the_end() -> None:
    sock, peer = await connected()
    stream = TCPStream(sock)
    peer.sendall(b"HTTP/1.1")
    peer.close()
    assert (await stream.receive()).data == b"HTTP/1.1"
    assert (await stream.receive()).data == b""
    assert stream.has_news()
    await stream.aclose()


async def test_an_idle_connection_shows_that_its_peer_left() -> None:
    sock, peer = await connected()
    stream = TCPStream(sock)
    assert not stream.has_news()
    peer.close()
    assert stream.has_news()
    await stream.aclose()


async def test_a_write_to_a_peer_that_left_fails_with_its_cause() -> None:
    sock, peer = await connected()
    stream = TCPStream(sock)
    peer.close()
    await stream.transmit(b"x")  # is answered by a reset
    with pytest.raises(ConnectionError):
        await stream.transmit(b"x")
    await stream.aclose()
