"""AWS event streams: binary frames, each with its lengths, typed headers, a payload and two checksums.

    total length, header length, CRC of these two | headers | payload | CRC of all before it

All numbers are big-endian; the CRCs are those of zlib. A header is the length of its name, the name, the type of its
value and the value. `:message-type` says what a frame is: an `event`, whose name is `:event-type`, an `exception`,
whose name is `:exception-type`, or an `error` of the service itself, which has `:error-code` and `:error-message`.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Sequence
from zlib import crc32

from gwtui.framing.base import (
    MAX_EVENT,
    MAX_STRAY,
    FramedEvent,
    Framing,
    FramingError,
    FramingFaultError,
    FramingLimitError,
)

PRELUDE = struct.Struct(">III")
"""Total length, header length, and their CRC."""
CRC = struct.Struct(">I")
LEAST = PRELUDE.size + CRC.size
"""Bytes of a frame with neither headers nor payload."""
MAX_HEADERS = 128 << 10
"""The most bytes of headers that one frame may have."""
STRING = 7
BYTES = 6
FIXED = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
"""Bytes of the values of each type that has no length of its own: booleans, integers, times and UUIDs."""
_TEXT = frozenset(b"\t\n\r") | frozenset(range(0x20, 0x7F))
"""First bytes of what a proxy may put into a stream: a page, or an error in JSON. No frame begins with one."""


class ExceptionFrame(FramedEvent, frozen=True, gc=False):
    """An exception: `event` is its name, and `data` its payload, mostly a JSON object with `message`."""


class EventStreamParser:
    """Parses one stream. An event is out with the last byte of its frame, if both checksums are right."""

    mangled: Sequence[tuple[int, str]] = ()
    """Checksums tell of damage."""

    def __init__(self, *, max_frame: int = MAX_EVENT) -> None:
        self.comments = 0
        """Empty frames seen."""
        self._max_frame = max_frame
        self._held = bytearray()
        """The beginning of a frame."""
        self._due = PRELUDE.size
        """Bytes to hold before there is more to say of that frame."""
        self._frames = 0
        self._at = 0
        """The place of that frame in the stream, in bytes."""
        self._stray: bytearray | None = None
        """What came in place of a frame; None while there is nothing but frames."""
        self._failure: FramingError | None = None

    @property
    def stray(self) -> bytes:
        """Text in place of a frame, and all after it, cut to 16 KiB."""
        return bytes(self._stray or b"")

    @property
    def unfinished(self) -> int:
        """Bytes of a frame that was begun and not ended."""
        return len(self._held)

    @property
    def unended(self) -> FramedEvent | None:
        """Nothing: a frame is whole, or nothing of it can be trusted."""
        return None

    def feed(self, chunk: bytes) -> list[FramedEvent]:
        """Take the next bytes and return the events they completed. Raises `FramingError`, and then always."""
        if self._failure is not None:
            raise type(self._failure)(str(self._failure))
        events: list[FramedEvent] = []
        try:
            self._take(memoryview(chunk), events)
        except FramingError as error:
            error.events = events
            self._failure = error
            raise
        return events

    def _take(self, chunk: memoryview, events: list[FramedEvent]) -> None:
        while len(chunk) and self._stray is None:
            if not self._held and chunk[0] in _TEXT:
                self._stray = bytearray()
                break
            missing = self._due - len(self._held)
            self._held += chunk[:missing]
            chunk = chunk[missing:]
            if len(self._held) < self._due:
                return
            if self._due == PRELUDE.size:
                self._due = self._length()
            if len(self._held) == self._due:
                self._end_frame(events)
        if self._stray is not None:
            self._stray += chunk[: MAX_STRAY - len(self._stray)]

    def _length(self) -> int:
        """The length of the frame whose prelude is held. Raises `FramingError`."""
        total, headers, crc = PRELUDE.unpack(self._held)
        self._check("prelude", crc, crc32(self._held[:8]))
        if total > self._max_frame + MAX_HEADERS or headers > MAX_HEADERS:
            limits = f"{self._max_frame:,} bytes of payload and {MAX_HEADERS:,} of headers"
            raise FramingLimitError(
                f"{self._where}: {total:,} bytes, {headers:,} of them headers; a frame may have {limits}"
            )
        if total < LEAST + headers:
            raise self._fault(f"{total:,} bytes cannot have {headers:,} bytes of headers")
        return int(total)

    def _end_frame(self, events: list[FramedEvent]) -> None:
        frame = bytes(self._held)
        self._check("frame", CRC.unpack_from(frame, len(frame) - CRC.size)[0], crc32(frame[: -CRC.size]))
        ends = PRELUDE.size + PRELUDE.unpack_from(frame)[1]
        event = _event(self._headers(frame[PRELUDE.size : ends]), frame[ends : -CRC.size])
        if event is None:
            self.comments += 1
        else:
            events.append(event)
        self._frames += 1
        self._at += len(frame)
        self._held.clear()
        self._due = PRELUDE.size

    def _headers(self, data: bytes) -> dict[str, str]:
        """The headers whose values are texts, by name. Raises `FramingError`."""
        found: dict[str, str] = {}
        at = 0
        try:
            while at < len(data):
                end = at + 1 + data[at]
                name, kind, at = data[at + 1 : end], data[end], end + 1
                length = FIXED.get(kind)
                if length is None:
                    if kind not in (BYTES, STRING):
                        raise self._fault(f"a header has a value of the unknown type {kind}")
                    length, at = int.from_bytes(data[at : at + 2], "big"), at + 2
                if at + length > len(data):
                    raise self._fault("a header is longer than all headers")
                if kind == STRING:
                    found[name.decode("utf-8", "replace")] = data[at : at + length].decode("utf-8", "replace")
                at += length
        except IndexError:
            raise self._fault("its last header is cut") from None
        return found

    def _check(self, what: str, given: int, due: int) -> None:
        if given != due:
            raise self._fault(
                f"the CRC of its {what} is {given:08x}, and {due:08x} is right: bytes were changed or lost"
            )

    def _fault(self, words: str) -> FramingFaultError:
        return FramingFaultError(f"{self._where}: {words}")

    @property
    def _where(self) -> str:
        return f"frame {self._frames + 1}, at byte {self._at:,} of the stream"


def _event(headers: dict[str, str], payload: bytes) -> FramedEvent | None:
    """What a frame says; None where it is empty."""
    data = payload.decode("utf-8", "replace")
    kind = headers.get(":message-type", "event")
    if kind == "exception":
        return ExceptionFrame(headers.get(":exception-type") or kind, data)
    if kind == "error":
        told = data or json.dumps({"message": headers.get(":error-message", "")})
        return ExceptionFrame(headers.get(":error-code") or kind, told)
    if not headers and not payload:
        return None
    return FramedEvent(headers.get(":event-type") or "message", data)


# A first frame is shorter than 16 MiB, so that the first bytes of its lengths are 0.
_BEGINS = rb"\0.{3}\0.{7}.{0,512}?:(?:message|event|exception)-type\x07"
EVENT_STREAM = Framing(
    name="eventstream",
    title="an AWS event stream",
    media_types=("application/vnd.amazon.eventstream",),
    parser=EventStreamParser,
    line=re.compile(rb"(?s)\A" + _BEGINS),
    beginning=re.compile(rb"(?s)" + _BEGINS),
    is_binary=True,
    event_end="last byte",
    keep_alives="empty frames",
)
