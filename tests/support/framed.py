"""How each framing looks on the wire: events as bytes, signs of life, errors outside of any event, and small limits."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gwtui.apis import SAVED_APIS
from gwtui.framing.base import FramedEvent, FrameParser
from gwtui.framing.event_stream import EVENT_STREAM, EventStreamParser
from gwtui.framing.ndjson import NDJSON, NDJSONParser
from gwtui.framing.sse import SSE, SSEParser


@dataclass(frozen=True)
class Wire:
    """One framing from the sender's side."""

    encode: Callable[[Sequence[FramedEvent], str], bytes]
    line_ends: tuple[str, ...]
    keep_alive: bytes
    opening: bytes
    """What may come before the first event."""
    small: Callable[[], FrameParser]
    """A parser that soon meets its limits."""
    errors: dict[str, bytes]
    """Errors of any shape in a stream, each with the word `boom` but for the one without any."""
    pieces: dict[str, bytes]
    """What a parser may be fed any number of times."""


def _sse(events: Sequence[FramedEvent], line_end: str) -> bytes:
    lines: list[str] = []
    for event in events:
        lines += [f"event: {event.event}"] if event.event != "message" else []
        lines += [*(f"data: {line}" for line in event.data.split("\n")), ""]
    return "".join(line + line_end for line in lines).encode()


def _ndjson(events: Sequence[FramedEvent], line_end: str) -> bytes:
    return "".join(event.data + line_end for event in events).encode()


def event_frame(event: FramedEvent) -> bytes:
    """One frame of an AWS event stream; what is called an exception is one."""
    is_exception = event.event.endswith("Exception")
    told = (
        (":exception-type" if is_exception else ":event-type", event.event),
        (":content-type", "application/json"),
        (":message-type", "exception" if is_exception else "event"),
    )
    return frame(b"".join(header(name, value) for name, value in told), event.data.encode())


def header(name: str, value: str) -> bytes:
    """A header of such a frame whose value is a text."""
    return bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()


def frame(headers: bytes, payload: bytes) -> bytes:
    """A frame around these."""
    lengths = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    whole = lengths + struct.pack(">I", zlib.crc32(lengths)) + headers + payload
    return whole + struct.pack(">I", zlib.crc32(whole))


def _event_stream(events: Sequence[FramedEvent], line_end: str) -> bytes:
    return b"".join(map(event_frame, events))


_BARE = b'{\n  "error": {\n    "message": "boom"\n  }\n}\n'
_ARRAY = b'[{\n  "error": {\n    "message": "boom"\n  }\n}\n]'
WIRES = {
    SSE.name: Wire(
        encode=_sse,
        line_ends=("\n", "\r\n", "\r"),
        keep_alive=b": waiting\n\n",
        opening=b"\xef\xbb\xbf: hello\n",
        small=lambda: SSEParser(max_line=4096, max_event=8192),
        errors={
            "without a word": b'data: {"error":{}}\n\n',
            "in a field of its own": b'error: {"code":500,"message":"boom","type":"server_error"}\n\n',
            "outside of any event": _BARE,
            "in an array": _ARRAY,
            "named": b"event: error\ndata: boom\n\n",
            "a text": b'data: {"error":"boom"}\n\n',
        },
        pieces={
            "blank lines": b"\n",
            "CRs": b"\r",
            "comments": b":\n",
            "lines that are no field": b"{x\n",
            "data lines": b"data:x\n",
            "events": b"data:x\n\n",
            "ids": b"id:x\n",
            "event names": b"event:x\n",
            "one line": b"x",
            "byte order marks": b"\xef\xbb\xbf",
        },
    ),
    NDJSON.name: Wire(
        encode=_ndjson,
        line_ends=("\n", "\r\n"),
        keep_alive=b"\n",
        opening=b"\xef\xbb\xbf\r\n",
        small=lambda: NDJSONParser(max_line=4096),
        errors={
            "without a word": b'{"error":{}}\n',
            "outside of any event": _BARE,
            "in an array": _ARRAY,
            "an object": b'{"error":{"message":"boom"}}\n',
            "without its line end": b'{"error":"boom"}',
            "a text": b'{"error":"boom"}\n',
        },
        pieces={
            "blank lines": b"\n",
            "CRs": b"\r",
            "objects": b"{}\n",
            "lines that are no object": b"x\n",
            "one line": b"x",
            "one line of spaces": b" ",
            "byte order marks": b"\xef\xbb\xbf",
        },
    ),
    EVENT_STREAM.name: Wire(
        encode=_event_stream,
        line_ends=("",),
        keep_alive=frame(b"", b""),
        opening=frame(b"", b""),
        small=lambda: EventStreamParser(max_frame=4096),
        errors={
            "an exception": event_frame(FramedEvent("throttlingException", '{"message":"boom"}')),
            "outside of any event": _BARE,
            "in an array": _ARRAY,
        },
        pieces={
            "empty frames": frame(b"", b""),
            "events": event_frame(FramedEvent("chunk", "{}")),
            "one text": b"x",
            "frames of another API": event_frame(FramedEvent("x", "")),
        },
    ),
}
"""By the name of the framing."""


def wire_of(api: str) -> Wire:
    """How the streams of that API look."""
    return WIRES[SAVED_APIS[api].framing.name]


def stream_type(api: str) -> str:
    """The content type of the streams of that API."""
    return SAVED_APIS[api].framing.media_type
