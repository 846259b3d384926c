"""The same bytes mean the same in a capture as over the wire, also where they break the rules of HTTP."""

from __future__ import annotations

import gzip
import zlib

import pytest
from support.apis import script_of
from support.probing import endpoint
from support.scripted import Leave, Receive, ScriptedServer, Send
from support.streams import decode, names

from gwtui.model.enums import FindingName
from gwtui.model.profile import Profile
from gwtui.model.records import Request
from gwtui.model.verdicts import Verdict
from gwtui.probes.prober import probe_once

SCRIPT = script_of("openai-chat")
BODY = SCRIPT.wire(SCRIPT.good)
HALF, REST = BODY[: len(BODY) // 2], BODY[len(BODY) // 2 :]
PACKED = gzip.compress(BODY)
STREAM = "Content-Type: text/event-stream"
CHUNKED = "Transfer-Encoding: chunked"
GZIP = "Content-Encoding: gzip"


def answer(*headers: str, body: bytes = BODY, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "", ""]).encode() + body


def chunks(*pieces: bytes, end: bytes = b"\r\n", last: bytes = b"0\r\n\r\n") -> bytes:
    return b"".join(b"%x%b%b%b" % (len(piece), end, piece, end) for piece in pieces) + last


def length(number: int) -> str:
    return f"Content-Length: {number}"


COMPLETE, TRUNCATED, NOT_HTTP, DECODE_ERROR = (
    Verdict.COMPLETE,
    Verdict.TRUNCATED,
    Verdict.NOT_HTTP,
    Verdict.DECODE_ERROR,
)
CASES: dict[str, tuple[bytes, Verdict, str]] = {
    "two members of gzip": (answer(STREAM, GZIP, body=gzip.compress(HALF) + gzip.compress(REST)), COMPLETE, ""),
    "gzip that was cut": (answer(STREAM, GZIP, body=PACKED[:-20]), DECODE_ERROR, "the gzip body was cut off"),
    "gzip without its checksum": (answer(STREAM, GZIP, body=PACKED[:-4]), COMPLETE, ""),
    "gzip with a wrong checksum": (answer(STREAM, GZIP, body=PACKED[:-8] + bytes(8)), COMPLETE, ""),
    "gzip that no header names": (answer(STREAM, body=PACKED), Verdict.EMPTY, "no event came"),
    "gzip twice": (answer(STREAM, "Content-Encoding: gzip, gzip", body=PACKED), DECODE_ERROR, "gzip, gzip"),
    "no gzip": (answer(STREAM, GZIP, body=b"\x1f\x8boops"), DECODE_ERROR, "the body is not gzip"),
    "deflate": (answer(STREAM, "Content-Encoding: deflate", body=zlib.compress(BODY)), COMPLETE, ""),
    "br": (answer(STREAM, "Content-Encoding: br", body=b"\x0b\x02\x80xx"), DECODE_ERROR, "in Content-Encoding br"),
    "chunks": (answer(STREAM, CHUNKED, body=chunks(HALF, REST)), COMPLETE, ""),
    "trailers": (answer(STREAM, CHUNKED, body=chunks(BODY, last=b"0\r\nX-A: b\r\n\r\n")), COMPLETE, ""),
    "no CR LF after a chunk": (
        answer(STREAM, CHUNKED, body=b"%x\r\n%b" % (len(HALF), HALF) + chunks(REST)),
        TRUNCATED,
        "a chunk of the body is followed by b'",
    ),
    "LF after chunk sizes": (
        answer(STREAM, CHUNKED, body=chunks(HALF, REST, end=b"\n")),
        TRUNCATED,
        "a chunk size line ends in LF alone",
    ),
    "LF after the last chunk": (answer(STREAM, CHUNKED, body=chunks(BODY, last=b"0\n\n")), COMPLETE, ""),
    "no chunk size": (answer(STREAM, CHUNKED, body=chunks(HALF, last=b"oops\r\n")), TRUNCATED, "due: b'oops'"),
    "a negative chunk size": (answer(STREAM, CHUNKED, body=b"-5\r\n" + BODY), TRUNCATED, "due: b'-5'"),
    "a chunk size with 0x": (answer(STREAM, CHUNKED, body=b"0x5\r\n" + BODY), TRUNCATED, "due: b'0x5'"),
    "a chunk size of 16 digits": (answer(STREAM, CHUNKED, body=b"F" * 16 + b"\r\n" + BODY), TRUNCATED, "due: b'FFFF"),
    "a chunk that never ends": (answer(STREAM, CHUNKED, body=b"F" * 15 + b"\r\n" + BODY), COMPLETE, ""),
    "a blank line before the chunks": (answer(STREAM, CHUNKED, body=b"\r\n" + chunks(BODY)), TRUNCATED, "due: b''"),
    "a long extension": (
        answer(STREAM, CHUNKED, body=b"5;" + b"a" * 5000), TRUNCATED, "the size of a chunk is longer than 4 KiB",
    ),
    "inside a chunk": (answer(STREAM, CHUNKED, body=chunks(HALF, last=b"64\r\nda")), TRUNCATED, ""),
    "no last chunk": (answer(STREAM, CHUNKED, body=chunks(HALF, last=b"")), TRUNCATED, ""),
    "half a last chunk": (answer(STREAM, CHUNKED, body=chunks(HALF, last=b"0\r\n")), TRUNCATED, ""),
    "two lengths": (answer(STREAM, length(len(BODY)), length(9)), NOT_HTTP, ""),
    "one length twice": (answer(STREAM, length(len(BODY)), length(len(BODY))), COMPLETE, ""),
    "a length that is none": (answer(STREAM, "Content-Length: all"), NOT_HTTP, ""),
    "101": (answer(STREAM, status="101 Go"), NOT_HTTP, "switches to a protocol that was not asked for"),
    "a blank line before the answer": (b"\r\n" + answer(STREAM), NOT_HTTP, "the answer begins with b'"),
    "HTTP in lower case": (answer(STREAM).replace(b"HTTP", b"http"), NOT_HTTP, "the answer begins with b'http/1.1 "),
    "an empty length": (answer(STREAM, "Content-Length:"), NOT_HTTP, "bad Content-Length"),
    "a folded trailer": (answer(STREAM, CHUNKED, body=chunks(BODY, last=b"0\r\nX: a\r\n b\r\n\r\n")), COMPLETE, ""),
    "a trailer that begins folded": (answer(STREAM, CHUNKED, body=chunks(BODY, last=b"0\r\n b\r\n\r\n")), COMPLETE, ""),
    "half of no chunk size": (answer(STREAM, CHUNKED, body=chunks(HALF, last=b"oops")), TRUNCATED, "due: b'oops'"),
    "a length with a comma": (answer(STREAM, "Content-Length: 5,"), NOT_HTTP, "bad Content-Length"),
    "a line break behind the length": (answer(STREAM, length(len(BODY)), body=BODY + b"\r\n"), COMPLETE, ""),
    "a negative length": (answer(STREAM, length(-5)), NOT_HTTP, ""),
    "bytes behind the length": (answer(STREAM, length(len(HALF))), TRUNCATED, "ended after event 1"),
    "an event behind the length": (answer(STREAM, length(len(BODY)), body=BODY + b"data: x\n\n"), COMPLETE, ""),
    "short of the length": (
        answer(STREAM, length(len(BODY)), body=HALF),
        TRUNCATED,
        f"the body has {len(HALF)} bytes where Content-Length says {len(BODY)}",
    ),
    "a length beside chunks": (answer(STREAM, CHUNKED, length(5), body=chunks(BODY)), COMPLETE, ""),
    "gzip as transfer coding": (
        answer(STREAM, "Transfer-Encoding: gzip, chunked", body=chunks(PACKED)),
        DECODE_ERROR,
        "the Transfer-Encoding of the answer is not `chunked` alone",
    ),
    "chunked twice": (answer(STREAM, CHUNKED, CHUNKED, body=chunks(BODY)), DECODE_ERROR, "is not `chunked` alone"),
    "206": (answer(STREAM, status="206 Partial Content"), COMPLETE, ""),
    "two content types": (answer(STREAM, "Content-Type: application/json"), COMPLETE, ""),
    "two content types, the other first": (answer("Content-Type: application/json", STREAM), Verdict.NOT_A_STREAM, ""),
    "204": (answer(status="204 No Content", body=b""), Verdict.EMPTY, ""),
    "a body behind a 204": (answer(status="204 No Content"), Verdict.EMPTY, ""),
    "an answer behind the last chunk": (answer(STREAM, CHUNKED, body=chunks(BODY)) + answer(STREAM), COMPLETE, ""),
    "a chunk with an extension": (
        answer(STREAM, CHUNKED, body=b"%x;a=b\r\n%b\r\n0;c\r\n\r\n" % (len(BODY), BODY)), COMPLETE, "",
    ),
    "a trailer that is none": (answer(STREAM, CHUNKED, body=chunks(BODY, last=b"0\r\noops\r\n\r\n")), COMPLETE, ""),
    "a folded header": (answer(STREAM, "X-A: b\r\n c"), COMPLETE, ""),
    "a header without a colon": (answer(STREAM, "oops"), NOT_HTTP, "illegal header line: b'oops'"),
    "a header name with a space": (answer(STREAM, "X A: b"), NOT_HTTP, "illegal header line: b'X A: b'"),
    "a space before the colon": (answer(STREAM, "X-A : b"), NOT_HTTP, "illegal header line: b'X-A : b'"),
    "LF for line ends of the head": (answer(STREAM).replace(b"\r\n", b"\n"), COMPLETE, ""),
    "no reason phrase": (answer(STREAM, status="200"), COMPLETE, ""),
    "a status of two digits": (answer(STREAM, status="20 OK"), NOT_HTTP, "illegal status line: b'HTTP/1.1 20 OK'"),
    "interim answers": (answer(status="100 Continue", body=b"") + answer("Link: x", status="103 Hints", body=b"")
                        + answer(STREAM), COMPLETE, ""),
    "half a word": (b"HTT", Verdict.RESET, "ends in the middle of its headers"),
    "no answer behind an interim one": (answer(status="100 Continue", body=b""), Verdict.RESET, "of its headers"),
    "half an answer behind an interim one": (
        answer(status="100 Continue", body=b"HTTP/1.1 2"), Verdict.RESET, "ends in the middle of its headers",
    ),
    "no HTTP behind an interim answer": (
        answer(status="100 Continue", body=b"junk\r\n\r\n"), NOT_HTTP, "the answer begins with b'junk",
    ),
    "an interim answer with a bad length": (
        answer("Content-Length: x", status="100 Continue", body=b"") + answer(STREAM), COMPLETE, "",
    ),
    "300 interim answers": (
        answer(status="100 Continue", body=b"") * 300 + answer(STREAM), Verdict.TOO_LARGE, "more than 512 lines",
    ),
    "headers of 100 KiB": (answer(STREAM, "X: " + "y" * 102_400), Verdict.TOO_LARGE, "longer than 100 KiB"),
    "a status below 100": (answer(STREAM, status="099 No"), NOT_HTTP, "illegal status line"),
    "a header that ends in CR CR LF": (answer(STREAM, "X: y\r"), NOT_HTTP, "b'X: y\\r'"),
    "a BOM before the answer": (b"\xef\xbb\xbf" + answer(STREAM), NOT_HTTP, "the answer begins with b'"),
    "512 headers": (answer(STREAM, *["X: y"] * 512), Verdict.TOO_LARGE, "more than 512 lines"),
    "HTTP/1.0": (answer(STREAM).replace(b"HTTP/1.1", b"HTTP/1.0"), COMPLETE, ""),
}  # fmt: skip
FINDINGS = {
    "206": FindingName.PARTIAL_CONTENT,
    "two content types": FindingName.TWO_CONTENT_TYPES,
    "two content types, the other first": FindingName.TWO_CONTENT_TYPES,
    "a length beside chunks": FindingName.TWO_LENGTHS,
    "gzip without its checksum": FindingName.BROKEN_AFTER_END,
    "gzip with a wrong checksum": FindingName.BROKEN_AFTER_END,
    "LF after the last chunk": FindingName.BROKEN_AFTER_END,
    "a chunk that never ends": FindingName.BROKEN_AFTER_END,
    "a line break behind the length": FindingName.BYTES_AFTER_ANSWER,
    "a trailer that begins folded": FindingName.BROKEN_AFTER_END,
    "a trailer that is none": FindingName.BROKEN_AFTER_END,
    "bytes behind the length": FindingName.BYTES_AFTER_ANSWER,
    "an event behind the length": FindingName.BYTES_AFTER_ANSWER,
    "an answer behind the last chunk": FindingName.BYTES_AFTER_ANSWER,
    "a body behind a 204": FindingName.BYTES_AFTER_ANSWER,
}


@pytest.mark.parametrize("case", CASES)
async def test_a_capture_is_judged_as_the_live_answer(case: str) -> None:
    data, verdict, reason = CASES[case]
    async with ScriptedServer([Receive(), Send(data), Leave()]) as server:
        live, _ = await probe_once(endpoint(SCRIPT.api, server.url), Profile())
    assert isinstance(live, Request)
    decoded = decode(data, SCRIPT.api)
    assert (live.verdict, live.events) == (verdict, decoded.event_count), live.reason
    assert (decoded.judgement.verdict, decoded.judgement.rule) == (live.verdict, live.rule)
    assert reason in live.reason
    assert reason in decoded.judgement.reason
    if finding := FINDINGS.get(case):
        assert finding in names(live.findings)
        assert finding in names(decoded.findings)


def test_a_capture_that_lost_its_carriage_returns_is_read_all_the_same() -> None:
    data = answer(STREAM, CHUNKED, body=chunks(HALF, REST)).replace(b"\r\n", b"\n")
    assert decode(data, SCRIPT.api).judgement.verdict is Verdict.COMPLETE


def test_a_body_that_curl_unpacked_is_longer_than_its_length() -> None:
    data = answer(STREAM, GZIP, length(len(PACKED)))
    assert decode(data, SCRIPT.api).judgement.verdict is Verdict.COMPLETE
