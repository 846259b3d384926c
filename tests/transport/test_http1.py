"""HTTP/1.1 answers: read to the same data and the same end that h11 comes to, and what is wrong is named."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from itertools import pairwise

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.completions import EVENT_STREAM, HELLO, LAST_CHUNK, ROLE, WHOLE
from support.probing import Probing, endpoint
from support.scripted import Receive, ScriptedServer, Send, Step

from gwtui.model.verdicts import Verdict
from gwtui.transport.decoding import DecodeError
from gwtui.transport.http1 import SIZE_LINE_BYTES, Chunked, CutError, ResponseParser
from gwtui.transport.http1_head import HEAD_BYTES, HEAD_LINES, HeadLimitError, NotHTTPError
from gwtui.transport.sockets import TOGETHER, WakeupBatch

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


Read = tuple[int, list[tuple[str, str]], bytes, str]
"""Status, headers, data, and how it ends: `whole`, `cut` or `wrong`."""


def by_h11(answer: bytes, method: str = "GET") -> Read:
    """What h11 makes of an answer that the peer ends after these bytes."""
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method=method, target="/", headers=[("host", "x")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(answer)
    status, headers, data, closed = 0, [], b"", False
    try:
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Response):
                raw = event.headers.raw_items()
                status, headers = event.status_code, [(name.decode(), value.decode("latin-1")) for name, value in raw]
            elif isinstance(event, h11.Data):
                data += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                return status, headers, data, "whole"
            elif event is h11.NEED_DATA:
                closed = True
                connection.receive_data(b"")
            elif event in (h11.PAUSED, h11.ConnectionClosed) or isinstance(event, h11.ConnectionClosed):
                return status, headers, data, "cut" if closed else "wrong"
    except h11.RemoteProtocolError:
        return status, headers, data, "cut" if closed else "wrong"


def by_us(answer: bytes, cuts: Sequence[int] = (), method: str = "GET") -> Read:
    """The same, cut into reads there."""
    parser, data = ResponseParser(method), b""
    places = sorted({0, len(answer), *(cut % (len(answer) + 1) for cut in cuts)})
    how = "whole"
    try:
        for start, end in pairwise(places):
            data += parser.feed(answer[start:end])
        if parser.fault is not None:
            raise parser.fault
        parser.end()
    except CutError:
        how = "cut"
    except (NotHTTPError, DecodeError, HeadLimitError):
        how = "wrong"
    head = parser.head
    return (head.status, list(head.headers), data, how) if head is not None else (0, [], b"", how)


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


CUTS = st.lists(st.integers(0, 500), max_size=8)


@given(st.lists(st.sampled_from(PIECES), max_size=8).map(b"".join), CUTS)
def test_a_body_is_read_as_h11_reads_it_however_it_is_cut(body: bytes, cuts: list[int]) -> None:
    *_, data, how = by_us(HEAD + body, cuts)
    *_, expected, right = by_h11(HEAD + body)
    assert how == right or (how, right) == ("wrong", "cut")  # h11 waits for a CR before an LF
    if how == "whole":
        assert data == expected
    else:
        assert data.startswith(expected) or expected.startswith(data)


HEADS = (
    *(b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 200 OK\r\n", b"HTTP/1.1 200\n", b"HTTP/1.1 204 None\r\n"),
    *(b"HTTP/1.1 20 OK\r\n", b"HTTP/1.1 2000 OK\r\n", b"HTTP/1.1 101 Go\r\n"),
    *(b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n"),
    *(b"A: b\r\n", b"A:\tb c \r\n", b"A: \r\n", b"A:b\n", b" folded\r\n"),
    *(b"A : b\r\n", b"no colon\r\n", b": b\r\n", b"A(: b\r\n"),
    *(b"A: \x00\r\n", b"A: \x1b[2J\xff\r\n", b"A: b\rc\r\n", b"A: b\x0bc\r\n"),
    *(b"Content-Length: 3\r\n", b"Content-Length: 3, 3\r\n", b"Content-Length: 4\r\n"),
    *(b"Content-Length: -3\r\n", b"Content-Length: x\r\n"),
    *(b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: CHUNKED\r\n", b"Transfer-Encoding: gzip, chunked\r\n"),
    *(b"\r\n", b"\n", b"abc", b"3\r\nabc\r\n0\r\n\r\n"),
)


@given(st.lists(st.sampled_from(HEADS), max_size=8).map(b"".join), CUTS, st.sampled_from(["GET", "HEAD"]))
def test_a_head_is_read_as_h11_reads_it_however_it_is_cut(rest: bytes, cuts: list[int], method: str) -> None:
    answer = b"HTTP/1.1 200 OK\r\n" + rest
    ours, theirs = by_us(answer, cuts, method), by_h11(answer, method)
    assert ours[3] == theirs[3]
    assert ours[0] == theirs[0]
    if theirs[3] == "whole":
        assert (without_length(ours[1]), ours[2]) == (without_length(theirs[1]), theirs[2])


def without_length(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those that are not `Content-Length`, of which h11 makes one where it came twice."""
    return [each for each in headers if each[0] != "Content-Length"]


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=10), CUTS)
def test_the_data_of_all_chunks_come_out_and_the_end_is_left(chunks: list[bytes], cuts: list[int]) -> None:
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    assert by_us(HEAD + body, cuts)[2:] == (b"".join(chunks), "whole")


def test_a_header_without_end_is_not_collected_for_ever() -> None:
    chunked = Chunked()
    assert chunked.feed(b"3\r\nabc\r\n5;" + b"x" * SIZE_LINE_BYTES) == b"abc"
    assert isinstance(chunked.fault, NotHTTPError)


@pytest.mark.parametrize("cut", range(1, len(HEAD) + 4))
def test_reads_end_where_the_head_does(cut: int) -> None:
    whole = HEAD + b"1\r\n\n\r\n"
    parser = ResponseParser("GET")
    data = parser.feed(whole[:cut])
    assert (parser.head is not None) is (cut >= len(HEAD))
    assert data + parser.feed(whole[cut:]) == b"\n"
    assert parser.feed(b"0\r\n\r\n") == b""
    assert parser.is_over


def test_an_interim_response_has_a_head_of_its_own() -> None:
    parser = ResponseParser("GET")
    parser.feed(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert parser.head is None
    assert parser.feed(HEAD + b"4\r\nbody") == b"body"


BEHIND = {
    "a length": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
    "chunks": HEAD + b"3\r\nabc\r\n0\r\nX: trailer\r\n\r\n",
    "no body": b"HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n",
}


@pytest.mark.parametrize("answer", BEHIND.values(), ids=BEHIND.keys())
@pytest.mark.parametrize("step", [1, 2, 1000])
def test_what_comes_behind_an_answer_is_kept_apart(answer: bytes, step: int) -> None:
    parser, sent = ResponseParser("GET"), answer + b"HTTP/1.1 200 OK"
    data = b"".join(parser.feed(sent[at : at + step]) for at in range(0, len(sent), step))
    assert (data, parser.is_over, parser.rest) == (b"" if b"204" in answer else b"abc", True, b"HTTP/1.1 200 OK")


ENDS = {
    "in the head": (b"HTTP/1.1 200 OK\r\nX", "in the middle of its headers"),
    "before a chunk": (HEAD, "before its last chunk"),
    "inside a chunk": (HEAD + b"3\r\nab", "inside a chunk"),
    "inside a size": (HEAD + b"3", "inside a chunk"),
    "behind the last chunk": (HEAD + b"0\r\n", "before the blank line behind its last chunk"),
    "short of a length": (BEHIND["a length"][:-1], "the body has 2 bytes where Content-Length says 3"),
}


@pytest.mark.parametrize(("answer", "says"), ENDS.values(), ids=ENDS.keys())
def test_an_answer_that_was_cut_off_says_where(answer: bytes, says: str) -> None:
    parser = ResponseParser("GET")
    parser.feed(answer)
    with pytest.raises(CutError, match=says):
        parser.end()


FAULTS = {
    "a status line": (b"HTTP/1.1 no\r\n\r\n", "illegal status line: b'HTTP/1.1 no'"),
    "a header without a colon": (b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "illegal header line: b'no colon'"),
    "a name with a space": (b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n", "illegal header line: b'A : b'"),
    "a bare CR": (b"HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n", r"illegal header line: b'A: b\\rc'"),
    "two lengths": (b"HTTP/1.1 200 OK\r\nContent-Length: 3, 4\r\n\r\n", "conflicting Content-Length"),
    "another protocol": (b"HTTP/1.1 101 Go\r\n\r\n", "switches to a protocol"),
    "another greeting": (b"SSH-2.0-x", "the answer begins with b'SSH-2.0-x'"),
    "a TLS alert": (b"\x15", "`https` may be right"),
    "HTTP/2": (b"\0\0\x06\x04" + bytes(11), "speaks HTTP/2 only"),
}  # fmt: skip


@pytest.mark.parametrize(("answer", "says"), FAULTS.values(), ids=FAULTS.keys())
def test_what_is_wrong_with_a_head_is_quoted(answer: bytes, says: str) -> None:
    with pytest.raises(NotHTTPError, match=says):
        ResponseParser("GET").feed(answer)


def test_a_trailer_that_is_none_is_quoted() -> None:
    parser = ResponseParser("GET")
    assert parser.feed(HEAD + b"3\r\nabc\r\n0\r\nno colon\r\n\r\n") == b"abc"
    assert str(parser.fault) == "illegal header line: b'no colon'"


@pytest.mark.parametrize(
    ("head", "kept"),
    [
        (b"HTTP/1.1 204 No\r\n\r\n", True),
        (b"HTTP/1.1 204 No\r\nConnection: x, Close\r\n\r\n", False),
        (b"HTTP/1.0 204 No\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", False),
    ],
)
def test_a_connection_is_kept_after_a_whole_answer_that_allows_it(head: bytes, kept: bool) -> None:
    parser = ResponseParser("GET")
    parser.feed(head)
    assert parser.keeps_alive is kept


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
def test_a_head_has_one_limit_wherever_reads_end(lines: int, length: int, says: str, step: int) -> None:
    whole = head_of(lines, length)
    assert (whole.count(b"\n"), len(whole)) == (lines, length)
    parser = ResponseParser("GET")
    with pytest.raises(HeadLimitError, match=says) if says else contextlib.nullcontext():
        for at in range(0, length, step):
            parser.feed(whole[at : at + step])


def test_each_response_of_a_connection_has_the_whole_limit() -> None:
    for _ in range(2):
        parser = ResponseParser("GET")
        parser.feed(head_of(HEAD_LINES, HEAD_BYTES))
        assert parser.head is not None


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
