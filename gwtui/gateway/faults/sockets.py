"""What only a bare socket can do to an HTTP client: break off, break the protocol, dribble, flood, speak another."""

from __future__ import annotations

from gwtui.gateway.fault import Fault
from gwtui.gateway.socket_script import (
    LAST_CHUNK,
    Bomb,
    Dribble,
    Events,
    HalfClose,
    Head,
    HoldOpen,
    NextRequest,
    Reset,
    SendBytes,
    Wait,
    chunk,
)
from gwtui.model.enums import FindingName
from gwtui.model.verdicts import Verdict

SSE = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
SHORT_LENGTH = ("content-length: 99999",)
BOTH = ("content-length: 5", "transfer-encoding: chunked")
TINY = b'data: {"choices":[{"index":0,"delta":{"content":"x"}}]}\n\n'
TINY_BLOCK = chunk(TINY * 1000)
GZIP = ("content-encoding: gzip",)

SOCKETS = (
    Fault(
        name="reset",
        says="RST in the middle of an event",
        verdict=Verdict.TRUNCATED,
        reason="reset",
        script=(Head(), Events(0, 4), SendBytes(b'40\r\ndata: {"id":'), Wait(0.02), Reset()),
    ),
    Fault(
        name="reset-at-once",
        says="RST instead of an answer",
        verdict=Verdict.RESET,
        script=(Reset(),),
    ),
    Fault(
        name="close-at-once",
        says="The connection is accepted, and closed without a byte",
        verdict=Verdict.RESET,
        script=(HalfClose(),),
    ),
    Fault(
        name="never",
        says="The connection is accepted, and no answer ever comes",
        verdict=Verdict.NO_FIRST_BYTE,
        script=(HoldOpen(),),
        deadlines={"first_byte_s": 0.15},
    ),
    Fault(
        name="no-last-chunk",
        says="A chunked body ends without its last chunk, in the middle of the stream",
        verdict=Verdict.TRUNCATED,
        script=(Head(), Events(0, 5)),
    ),
    Fault(
        name="no-last-chunk-done",
        says="The stream is whole, and the last chunk is missing",
        verdict=Verdict.COMPLETE,
        findings=(FindingName.BROKEN_AFTER_END,),
        script=(Head(), Events()),
    ),
    Fault(
        name="bad-chunk",
        says="The size of a chunk is not a number",
        verdict=Verdict.TRUNCATED,
        script=(Head(), Events(0, 4), SendBytes(b"zz\r\nwhat\r\n")),
    ),
    Fault(
        name="short-length",
        says="The body is shorter than its Content-Length",
        verdict=Verdict.TRUNCATED,
        script=(Head(SHORT_LENGTH, chunked=False), Events(0, 4, chunked=False)),
    ),
    Fault(
        name="two-lengths",
        says="Content-Length and chunked at once, cut in the middle",
        verdict=Verdict.TRUNCATED,
        script=(Head(BOTH, chunked=False), Events(0, 4)),
    ),
    Fault(
        name="close-delimited",
        says="A body that only the end of the connection ends, cut in the middle of an event",
        verdict=Verdict.TRUNCATED,
        script=(Head(chunked=False), Events(0, 4, chunked=False), SendBytes(b'data: {"id":'), HalfClose()),
    ),
    Fault(
        name="split-everywhere",
        says="A good stream in chunks of one byte",
        verdict=Verdict.COMPLETE,
        script=(Head(), Events(chunk_bytes=1), SendBytes(LAST_CHUNK)),
    ),
    Fault(
        name="slow-headers",
        says="One byte of the headers a second",
        verdict=Verdict.TIMEOUT,
        script=(Dribble(SSE + b"transfer-encoding: chunked\r\n\r\n", 1.0), Events(), SendBytes(LAST_CHUNK)),
        deadlines={"total_s": 0.3},
    ),
    Fault(
        name="slow-body",
        says="One byte of the body at a time, each just before the client's silence deadline",
        verdict=Verdict.TIMEOUT,
        script=(Head(chunked=False), Dribble(b"data: {" + b" " * 600, 0.5)),
        deadlines={"total_s": 0.3},
    ),
    Fault(
        name="huge-header",
        says="A header of 200 KiB",
        verdict=Verdict.TOO_LARGE,
        script=(SendBytes(SSE + b"x-big: "), SendBytes(b"x" * 1024, 200), SendBytes(b"\r\n\r\n")),
    ),
    Fault(
        name="many-headers",
        says="Five thousand headers",
        verdict=Verdict.TOO_LARGE,
        script=(SendBytes(SSE), SendBytes(b"x-one-of-many: " + b"alike " * 8 + b"\r\n", 5000), SendBytes(b"\r\n")),
    ),
    Fault(
        name="garbage",
        says="A banner of garbage",
        verdict=Verdict.NOT_HTTP,
        script=(SendBytes(b"\x00\x01\x02\xff\xfe garbage\r\n"), HoldOpen()),
    ),
    Fault(
        name="ssh",
        says="An SSH server answers",
        verdict=Verdict.NOT_HTTP,
        reason="SSH-2.0",
        script=(SendBytes(b"SSH-2.0-OpenSSH_9.6\r\n"), HoldOpen()),
    ),
    Fault(
        name="tls",
        says="The port speaks TLS instead of plain HTTP",
        verdict=Verdict.NOT_HTTP,
        reason="TLS",
        script=(SendBytes(b"\x15\x03\x03\x00\x02\x02\x46"), HalfClose()),
    ),
    Fault(
        name="endless-line",
        says="A line that never ends",
        verdict=Verdict.TOO_LARGE,
        script=(Head(chunked=False), SendBytes(b"data: "), SendBytes(b"x" * 65_536, 1024)),
    ),
    Fault(
        name="endless-event",
        says="An event that never ends",
        verdict=Verdict.TOO_LARGE,
        script=(Head(chunked=False), SendBytes((b"data: " + b"x" * 1000 + b"\n") * 64, 1024)),
    ),
    Fault(
        name="flood",
        says="A million tiny events as fast as they can be read",
        verdict=Verdict.TIMEOUT,
        script=(Head(), SendBytes(TINY_BLOCK, 1000), Events(-3), SendBytes(LAST_CHUNK)),
        deadlines={"total_s": 0.4},
    ),
    Fault(
        name="gzip-bomb",
        says="A gibibyte of zeros in a megabyte of gzip",
        verdict=Verdict.TOO_LARGE,
        script=(Head(GZIP, chunked=False), Bomb(1 << 30), HalfClose()),
    ),
    Fault(
        name="bad-gzip",
        says="Content-Encoding is gzip and the body is not",
        verdict=Verdict.DECODE_ERROR,
        script=(Head(GZIP, chunked=False), Events(chunked=False), HalfClose()),
    ),
    Fault(
        name="brotli",
        says="Brotli, which was not requested",
        verdict=Verdict.DECODE_ERROR,
        reason="br",
        script=(Head(("content-encoding: br",), chunked=False), SendBytes(b"\x0b\x02\x80data\x03"), HalfClose()),
    ),
    Fault(
        name="gzip-twice",
        says="Compressed twice",
        verdict=Verdict.DECODE_ERROR,
        reason="gzip, gzip",
        script=(Head(("content-encoding: gzip, gzip",), chunked=False), Bomb(1 << 20), HalfClose()),
    ),
    Fault(
        name="clock-off",
        says="The gateway's clock is years behind",
        verdict=Verdict.COMPLETE,
        findings=(FindingName.CLOCK_SKEW,),
        script=(Head(("date: Fri, 01 Jan 2021 00:00:00 GMT",)), Events(), SendBytes(LAST_CHUNK)),
    ),
    Fault(
        name="stale",
        says="A kept connection is closed when the second request comes",
        verdict=Verdict.COMPLETE,
        findings=(FindingName.STALE_CONNECTION,),
        script=(Head(), Events(), SendBytes(LAST_CHUNK), NextRequest(), HalfClose()),
        probes=2,
    ),
)
