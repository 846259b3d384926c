"""What a bare socket does to a client, as data: a script is a list of these steps, played from first to last.

A script begins when a request's head has come. At its end the connection is closed.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TypeAlias

TEXT, BINARY, CLOSE, PING = 0x1, 0x2, 0x8, 0x9
"""Opcodes of WebSocket frames (RFC 6455 5.2)."""


@dataclass(frozen=True, slots=True)
class SendBytes:
    """Send the bytes repeatedly, with a pause between."""

    data: bytes
    times: int = 1
    every_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Dribble:
    """Send the bytes one by one, with a pause between."""

    data: bytes
    every_s: float


@dataclass(frozen=True, slots=True)
class Head:
    """Send a good answer's status line and headers, and these."""

    lines: tuple[str, ...] = ()
    reason: str = "OK"
    chunked: bool = True


@dataclass(frozen=True, slots=True)
class Events:
    """Send the events `[first:last]` of a good answer in the form of the API that was asked.

    Each event is a chunk, or chunks of a given size; or all are bare.
    """

    first: int | None = None
    last: int | None = None
    chunked: bool = True
    chunk_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Bomb:
    """Send that many zeros, compressed with gzip to a thousandth, and not chunked."""

    zeros: int


@dataclass(frozen=True, slots=True)
class NextRequest:
    """Wait for another request over the same connection."""


@dataclass(frozen=True, slots=True)
class Agree:
    """Accept the WebSocket that was asked for, with further header lines."""

    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TakeFrame:
    """Wait for a frame of the client's."""


@dataclass(frozen=True, slots=True)
class Wait:
    seconds: float


@dataclass(frozen=True, slots=True)
class HoldOpen:
    """Say nothing more until the client hangs up."""


@dataclass(frozen=True, slots=True)
class HalfClose:
    """Send FIN, and go on listening."""


@dataclass(frozen=True, slots=True)
class Reset:
    """Send RST."""


Step: TypeAlias = (
    SendBytes | Dribble | Head | Events | Bomb | NextRequest | Agree | TakeFrame | Wait | HoldOpen | HalfClose | Reset
)

LAST_CHUNK = b"0\r\n\r\n"


def chunk(data: bytes) -> bytes:
    """A piece of a chunked body (RFC 9112 7.1)."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def frame(opcode: int, payload: bytes = b"", *, final: bool = True, length: int | None = None) -> bytes:
    """A WebSocket frame as servers send them, unmasked; `length` is what it says of itself (RFC 6455 5.2)."""
    first = (0x80 if final else 0) | opcode
    length = len(payload) if length is None else length
    if length < 126:
        return bytes((first, length)) + payload
    if length < 65_536:
        return bytes((first, 126)) + struct.pack("!H", length) + payload
    return bytes((first, 127)) + struct.pack("!Q", length) + payload


def close_frame(code: int, reason: bytes = b"") -> bytes:
    return frame(CLOSE, struct.pack("!H", code) + reason)
