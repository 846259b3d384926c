"""What every framing of a stream is to those who use one: bytes in, events out, and a limit on what is kept.

Time and sockets are elsewhere. To add a framing, write a module with a parser and a `Framing`, and list it in
the package.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

BOM = b"\xef\xbb\xbf"
MAX_EVENT = 16 << 20
"""The most bytes of data that one event may have: images and audio come in one, as base64."""
MAX_MANGLED = 20
"""The maximum number of events of which it is kept that they were not UTF-8."""
MAX_STRAY = 16 << 10
"""The maximum number of bytes kept of data that is not an event."""


class FramedEvent(msgspec.Struct, frozen=True, gc=False):
    """One event of a stream, as its framing delimits it."""

    event: str
    """Its type; `message` where the stream names none."""
    data: str
    """Its payload, decoded as UTF-8; what is not UTF-8 became U+FFFD."""


class FramingError(ValueError):
    """The stream cannot be read on. `events` are those that the same chunk completed before."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.events: Sequence[FramedEvent] = ()


class FramingLimitError(FramingError):
    """A line, an event or a body is over its limit."""


class FramingFaultError(FramingError):
    """The bytes are not what the framing says that they are: some were changed or lost."""


class FrameParser(Protocol):
    """Parses one stream, cut anywhere. Time is linear in its bytes, memory is bounded by the limits."""

    comments: int
    """Signs of life that are not events: comments or blank lines."""

    @property
    def mangled(self) -> Sequence[tuple[int, str]]:
        """The first events with bytes that are not UTF-8, counted from 1, and these bytes among those around them."""

    @property
    def stray(self) -> bytes:
        """What came that is no event of this framing, or none that is whole; at most `MAX_STRAY` bytes."""

    @property
    def unfinished(self) -> int:
        """Bytes of an event that was begun and not ended."""

    @property
    def unended(self) -> FramedEvent | None:
        """The event that was begun, if all that it may lack is the mark of its end; None where no data of it came."""

    def feed(self, chunk: bytes) -> Sequence[FramedEvent]:
        """Take the next bytes and return the events they completed. Raises `FramingError`, and then always."""


class Mangled(list[tuple[int, str]]):
    """Decodes what is not UTF-8, and keeps which events it was in."""

    AROUND = 24

    def decode(self, data: bytes | bytearray, error: UnicodeDecodeError, number: int) -> str:
        """The data of the event of that number, with U+FFFD in the place of what is not UTF-8."""
        if len(self) < MAX_MANGLED:
            quoted = bytes(data[max(0, error.start - self.AROUND) : error.end + self.AROUND])
            self.append((number, quoted.decode("utf-8", "backslashreplace")))
        return data.decode("utf-8", "replace")


NOTHING = re.compile(rb"(?!)")
"""Found nowhere: of what has no lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Framing:
    """One way to tell where an event ends. An API says which is its own."""

    name: str
    """Short, for tables: `sse`."""
    title: str
    """For sentences, with its article: `an event stream`."""
    media_types: tuple[str, ...]
    """Content types of such a stream, in lower case without parameters; the first is the one to ask for."""
    parser: Callable[[], FrameParser]
    """Makes a parser for one stream, with the limits of this module."""
    line: re.Pattern[bytes]
    """Found where a line of such a stream begins, at the beginning of the bytes or after a line end."""
    beginning: re.Pattern[bytes]
    """Matches the first bytes of such a stream, and of nothing else that APIs send."""
    reads_unended: bool = False
    """Whether clients read a last event that lacks the mark of its end."""
    is_binary: bool = False
    """Whether its bytes are no text, so that only its events can be quoted."""
    event_end: str
    """What ends an event: `blank line`."""
    keep_alives: str
    """What `FrameParser.comments` counts: `comments`."""

    @property
    def media_type(self) -> str:
        """The content type to ask for; "" where there is no such stream."""
        return self.media_types[0] if self.media_types else ""

    def is_type(self, content_type: str) -> bool:
        """Whether a `Content-Type` header names such a stream, whatever its parameters say."""
        return content_type.partition(";")[0].strip().lower() in self.media_types
