"""The file of one kept stream: JSON lines, so that it can be read, searched and sent, and printed on any terminal.

The first line says what was asked and what became of it. Each line after it is one read of the socket: `ns` since the
last byte of the request was sent, and its bytes as `text`, or as `base64` where they are no UTF-8; `err` is how far the
stamp may be off, in ns. The last line counts reads and bytes, so that a file which was cut is known as such. Characters
that are invisible or control a terminal are escaped as JSON escapes them.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self
from zlib import crc32

import msgspec

from gwtui.model.enums import Clock, End
from gwtui.model.records import Finding
from gwtui.text.sanitize import clean

FORMAT = 1
MAX_FILE = 32 << 20
"""Bytes; no file that gwtui writes is longer."""
BEGINNING = b'{"gwtui_stream":'
_FORMAT = re.compile(rb'\{"gwtui_stream":(\d{1,9})')


STREAMS = "streams"
"""The directory of kept streams, in that of their session."""
GOOD = "good"
"""In the name of a file: nothing was wrong with it."""
_SLUG = re.compile(r"[^A-Za-z0-9.-]+")
_NAME = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z)_([A-Za-z0-9.-]{0,40})_(\d{1,15})_([a-z0-9_-]{1,64})\.jsonl"
)


class StreamName(NamedTuple):
    """What the name of a file says: `2026-11-30T14-02-11.482Z_eu-claude_184_truncated.jsonl`."""

    started_at: str
    slug: str
    """The endpoint's name as far as it can be in a file's."""
    number: int
    word: str
    """The verdict, of a good one a finding that counts, or `good`."""

    @classmethod
    def of(cls, started_at: str, endpoint: str, number: int, word: str) -> Self:
        return cls(started_at.replace(":", "-"), slug_of(endpoint), number, word)

    def __str__(self) -> str:
        return f"{self.started_at}_{self.slug}_{self.number}_{self.word}.jsonl"


def slug_of(endpoint: str) -> str:
    """The name of an endpoint in the names of files."""
    return _SLUG.sub("-", endpoint)[:40]


def stream_name_of(name: str) -> StreamName | None:
    """What the name of a file says; None where it is no kept stream's."""
    found = _NAME.fullmatch(name)
    return None if found is None else StreamName(found[1], found[2], int(found[3]), found[4])


class StreamFileError(ValueError):
    """A file is not one of a kept stream, or not one that can be read. One line, clean."""


@dataclass(frozen=True, slots=True)
class KeptRead:
    """One read of a socket, or a message of a WebSocket."""

    ns: int
    """Since the last byte of the request was sent."""
    data: bytes
    error_ns: int = 0
    """How far the stamp may be from when any of the bytes came."""


class StreamHeader(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of a kept stream beside its bytes. Times are in ns since the send unless they end in `_at`."""

    gwtui_stream: int
    """The version of the format."""
    gwtui: str = ""
    """The version of the program that wrote it."""
    endpoint: str
    number: int
    started_at: str
    ended_at: str = ""
    verdict: str
    rule: str = ""
    reason: str = ""
    event_number: int | None = None
    findings: tuple[Finding, ...] = ()
    """All that was found in the end."""
    api: str
    model: str = ""
    stream: bool = True
    """Whether a stream was asked for."""
    trace_id: str = ""
    request_id: str = ""
    method: str = ""
    url: str = ""
    """With references in place of keys."""
    request_headers: tuple[tuple[str, str], ...] = ()
    """With references in place of keys; the ids of this one request are left out."""
    request_body: str = ""
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    """As received."""
    end: End = End.CLEAN
    """How the transport ended."""
    detail: str = ""
    ended_ns: int = 0
    ended_error_ns: int = 0
    first_byte_ns: int | None = None
    first_byte_error_ns: int = 0
    write_error_ns: int = 0
    clock: Clock = Clock.USER
    behind: bytes = b""
    """The beginning of what came behind the end of the answer."""
    payload: bytes = b""
    """Of a ping: what it sent."""
    told: tuple[Finding, ...] = ()
    """What was found of the connection, which no bytes of the answer show."""
    later: tuple[str, ...] = ()
    """The names of what was found after the answer, by comparison with others or in the gateway's own documents."""
    masked: int = 0
    """The number of places at which something was masked; each byte there became an `x`."""
    dropped_bytes: int = 0
    """Bytes of the answer that are not kept."""
    dropped_after: int | None = None
    """The number of reads before those bytes; None where all are kept."""
    settings: dict[str, Any] = {}
    """The endpoint as in the profile."""


class _Line(msgspec.Struct, frozen=True, omit_defaults=True):
    ns: int
    text: str | None = None
    base64: str | None = None
    err: int = 0


class _End(msgspec.Struct, frozen=True):
    reads: int
    bytes: int
    crc32: str


_ENCODER = msgspec.json.Encoder()
_HEADER = msgspec.json.Decoder(StreamHeader)
_LINE = msgspec.json.Decoder(_Line)
_END = msgspec.json.Decoder(_End)


@dataclass(frozen=True, slots=True)
class StreamFile:
    """A kept stream as it was read back."""

    header: StreamHeader
    reads: tuple[KeptRead, ...]
    problem: str = ""
    """Why not all of the file could be read; empty when all was."""


def stream_file(header: StreamHeader, reads: Sequence[KeptRead]) -> bytes:
    """The whole file."""
    checksum = length = 0
    lines = [_written(header)]
    for read in reads:
        checksum, length = crc32(read.data, checksum), length + len(read.data)
        lines.append(_written(_line(read)))
    lines.append(_written(_End(len(reads), length, f"{checksum:08x}")))
    return b"".join(lines)


def _line(read: KeptRead) -> _Line:
    try:
        return _Line(read.ns, text=read.data.decode(), err=read.error_ns)
    except UnicodeDecodeError:
        packed = binascii.b2a_base64(read.data, newline=False).decode()
        return _Line(read.ns, base64=packed, err=read.error_ns)


def _written(struct: msgspec.Struct) -> bytes:
    line = _ENCODER.encode(struct)
    text = line.decode()
    if clean(text, len(text)) != text:
        line = "".join(char if clean(char) == char else _escaped(char) for char in text).encode()
    return line + b"\n"


def _escaped(char: str) -> str:
    units = char.encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def is_stream_file(beginning: bytes) -> bool:
    """Whether a file with this beginning is one of a kept stream."""
    return beginning.startswith(BEGINNING)


def read_stream_file(chunks: Iterable[bytes]) -> StreamFile:
    """The stream in a file, as far as that is whole. Raises StreamFileError where not even its first line is."""
    lines = _lines(chunks)
    header = _header(next(lines, b""))
    reads: list[KeptRead] = []
    for number, line in enumerate(lines, 2):
        if line.startswith(b'{"reads":'):
            return StreamFile(header, tuple(reads), _differs(line, reads, more=next(lines, None) is not None))
        try:
            reads.append(_read(line))
        except (ValueError, RecursionError) as error:
            return StreamFile(header, tuple(reads), f"line {number} is damaged: {clean(str(error), 120)}")
    return StreamFile(header, tuple(reads), "the file is cut: its last line is missing")


def _header(line: bytes) -> StreamHeader:
    known = _FORMAT.match(line)
    if known is None:
        raise StreamFileError("it is not a stream that gwtui kept")
    if (version := int(known[1])) > FORMAT:
        raise StreamFileError(f"a newer gwtui wrote it: its format is {version}, and {FORMAT} is the newest known here")
    try:
        return _HEADER.decode(line)
    except (ValueError, RecursionError) as error:
        raise StreamFileError(f"its first line is damaged, or of a newer gwtui: {clean(str(error), 120)}") from error


def _read(line: bytes) -> KeptRead:
    found = _LINE.decode(line)
    if found.base64 is not None:
        return KeptRead(found.ns, b64decode(found.base64, validate=True), found.err)
    return KeptRead(found.ns, (found.text or "").encode("utf-8", "replace"), found.err)


def _differs(line: bytes, reads: Sequence[KeptRead], *, more: bool) -> str:
    """What is wrong by the last line; empty when nothing is."""
    try:
        end = _END.decode(line)
    except (ValueError, RecursionError):
        return "its last line is damaged"
    data = b"".join(read.data for read in reads)
    if more:
        return "there is more behind its last line"
    if (end.reads, end.bytes, end.crc32) != (len(reads), len(data), f"{crc32(data):08x}"):
        return f"it was changed: {len(reads):,} reads and {len(data):,} bytes are not those that were written"
    return ""


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of a file; the last one is left out if it is torn."""
    rest, length = b"", 0
    for chunk in chunks:
        length += len(chunk)
        if length > MAX_FILE:
            raise StreamFileError(f"it is longer than {MAX_FILE >> 20} MiB, and no such file of gwtui's is")
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
