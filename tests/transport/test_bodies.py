"""Bodies of chunks: read past h11 to the same data and the same end that h11 would have come to."""

from __future__ import annotations

import asyncio
import contextlib
from itertools import pairwise
from typing import Any

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.completions import EVENT_STREAM, HELLO, LAST_CHUNK, ROLE, WHOLE
from support.probing import Probing, endpoint
from support.scripted import Receive, ScriptedServer, Send, Step

from gwtui.model.verdicts import Verdict
from gwtui.transport.bodies import HEAD_BYTES, HEAD_LINES, Connection, HeadLimitError
from gwtui.transport.chunked import MAX_HEADER_BYTES, Chunked
from gwtui.transport.sockets import TOGETHER, WakeupBatch
from gwtui.transport.trace import ConnectionTrace

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def by_h11(body: bytes) -> tuple[bytes, str]:
    """The data of a chunked body that the peer closes after these bytes, and how it ends."""
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("host", "x")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(HEAD + body)
    data = b""
    try:
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Data):
                data += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                return data, "whole"
            elif event is h11.NEED_DATA:
                connection.receive_data(b"")
    except h11.RemoteProtocolError as error:
        return data, "cut" if "peer closed" in str(error) else "wrong"


def by_us(body: bytes, cuts: list[int]) -> tuple[bytes, str]:
    """The same, past h11 as far as that goes, with the body cut into reads there."""
    chunked = Chunked()
    places = sorted({0, len(body), *(cut % (len(body) + 1) for cut in cuts)})
    data, rest = b"", b""
    for start, end in pairwise(places):
        if chunked.ended:
            rest += body[start:end]
        else:
            data += chunked.feed(body[start:end])
        if chunked.fault:
            return data, "wrong"
    more, how = by_h11(chunked.rest + rest)
    return data + more, how


PIECES = (
    *(b"", b"\r\n", b"\n", b"\r", b"0\r\n\r\n", b"0\r\n", b"3\r\nabc\r\n", b"A;x=y\r\n0123456789\r\n", b"2 \r\nok\r\n"),
    *(
        b"+3\r\nabc\r\n",
        b"0x3\r\nabc\r\n",
        b"3\r\nabcd\r\n",
        b"fffffffffffffffffffff\r\n",
        b"1_0\r\n",
        b"3\nabc\n",
        b"zz",
    ),
)


@given(st.lists(st.sampled_from(PIECES), max_size=8).map(b"".join), st.lists(st.integers(0, 200), max_size=6))
def test_a_body_is_read_as_h11_reads_it_however_it_is_cut(body: bytes, cuts: list[int]) -> None:
    data, how = by_us(body, cuts)
    expected, right = by_h11(body)
    assert how == right
    if how == "whole":
        assert data == expected
    else:
        assert data.startswith(expected) or expected.startswith(data)


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=10), st.lists(st.integers(0, 500), max_size=10))
def test_the_data_of_all_chunks_come_out_and_the_end_is_left(chunks: list[bytes], cuts: list[int]) -> None:
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    assert by_us(body, cuts) == (b"".join(chunks), "whole")


def test_a_header_without_end_is_not_collected_for_ever() -> None:
    chunked = Chunked()
    assert chunked.feed(b"3\r\nabc\r\n5;" + b"x" * MAX_HEADER_BYTES) == b"abc"
    assert chunked.ended


class Pieces:
    """A stream of these reads."""

    def __init__(self, *reads: bytes) -> None:
        self.left = list(reads)

    async def read(self, max_bytes: int) -> bytes:
        return self.left.pop(0)


def connection(pieces: Pieces) -> Connection:
    stream: Any = pieces
    return Connection(stream, ConnectionTrace())


@pytest.mark.parametrize("cut", range(1, len(HEAD) + 4))
async def test_reads_end_where_the_head_does(cut: int) -> None:
    body = b"1\r\n\n\r\n\r\n\r\n"
    whole = HEAD + body
    pieces = Pieces(whole[:cut], whole[cut:])
    reading = connection(pieces)
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += await reading.read(100)
    assert head == HEAD
    held = reading.take_body()
    assert held is not None
    assert b"".join((held, *pieces.left)) == body
    reading.give_back(b"0\r\n\r\n")
    assert await reading.read(100) == b"0\r\n\r\n"


async def test_an_interim_response_has_a_head_of_its_own() -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\n"
    reading = connection(Pieces(interim + HEAD + b"body"))
    assert (await reading.read(100), await reading.read(100)) == (interim, HEAD)
    assert reading.take_body() == b"body"


def head_of(lines: int, length: int) -> bytes:
    """A head of so many lines and bytes."""
    start = b"HTTP/1.1 200 OK\r\n" + b"A: 1\r\n" * (lines - 3)
    return start + b"B: " + b"x" * (length - len(start) - 7) + b"\r\n\r\n"


@pytest.mark.parametrize("step", [1, 7, 1000, 65_536, 200_000])
@pytest.mark.parametrize(
    ("lines", "length", "says"),
    [
        (HEAD_LINES, HEAD_BYTES, ""),
        (HEAD_LINES + 1, HEAD_BYTES, "512 lines"),
        (HEAD_LINES, HEAD_BYTES + 1, "100 KiB"),
    ],
)
async def test_a_head_has_one_limit_wherever_reads_end(lines: int, length: int, says: str, step: int) -> None:
    whole = head_of(lines, length)
    assert (whole.count(b"\n"), len(whole)) == (lines, length)
    pieces = Pieces(*(whole[at : at + step] for at in range(0, length, step)))
    reading = connection(pieces)
    with pytest.raises(HeadLimitError, match=says) if says else contextlib.nullcontext():
        while pieces.left:
            await reading.read(65_536)


async def test_each_response_of_a_connection_has_the_whole_limit() -> None:
    whole = head_of(HEAD_LINES, HEAD_BYTES)
    trace = ConnectionTrace()
    stream: Any = Pieces(whole, whole)
    reading = Connection(stream, trace)
    for _ in range(2):
        trace.begin()
        assert await reading.read(65_536) == whole
        assert reading.take_body() == b""


async def test_a_body_that_was_read_already_is_not_taken() -> None:
    reading = connection(Pieces(b"HTTP/1.1 200 OK\r\n"))
    await reading.read(100)
    assert reading.take_body() is None


@pytest.mark.parametrize(
    ("body", "verdict"),
    {
        "chunks": (WHOLE, Verdict.COMPLETE),
        "a wrong chunk in the middle": (ROLE + HELLO, Verdict.TRUNCATED),
    }.values(),
)
async def test_a_stream_in_pieces_of_one_byte(body: bytes, verdict: Verdict) -> None:
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body)
    end = LAST_CHUNK if verdict is Verdict.COMPLETE else b"no chunk\r\n\r\n"
    script: list[Step] = [Receive(), Send(EVENT_STREAM + chunks + end)]
    async with ScriptedServer(script) as server:
        probing = Probing(endpoint("openai-chat", server.url))
        async with probing.prober:
            row = await probing.once()
    assert row.verdict is verdict, row.reason
    assert row.bytes == len(body)


async def test_those_who_wait_are_woken_together_but_not_too_many_at_once() -> None:
    loop = asyncio.get_running_loop()
    wakeup_batch = WakeupBatch()
    waiters = [loop.create_future() for _ in range(TOGETHER + 1)]
    for waiter in waiters:
        wakeup_batch.add(waiter)
    waiters[1].cancel()
    await waiters[0]
    assert [waiter.done() for waiter in waiters] == [True] * TOGETHER + [False]
    await waiters[-1]
