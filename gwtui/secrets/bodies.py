"""Keys in the bytes of a whole answer, masked in place: every byte keeps its position.

A key may stand in the bytes as they are, in however many reads they came, or be spread over the events of a stream,
each of which carries a piece of a text. Such pieces are the values of one name in the JSON of the events, or the data
of events that are no JSON: they are looked through as they follow one another.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeAlias

from gwtui.secrets.redaction import Redactor
from gwtui.secrets.views import Span

_FILL = b"x"
"""Valid in JSON, base64 and URLs, so that what holds the key can still be read."""
_TRIES = 3
_LINE = re.compile(r"[^\n]+")
_STRING = re.compile(r'"([^"\\\s]{1,64})"\s*:\s*"([^"\\]*(?:\\.[^"\\]*)*)"', re.DOTALL)
_LANE = re.compile(r'"(?:index|output_index|content_index|model)"\s*:\s*("[^"\\]*"|\d+)')
"""By what the texts of one stream that come in turns differ."""
_PLAIN_DATA = re.compile(r"data: ?(?![\s{\[])([^\r\n]+)")
_LETTERS = re.compile(rb"[0-9A-Za-z]")


class _Piece(NamedTuple):
    """A part of a text that is spread over events."""

    text: str
    start: int
    """Where it begins in the body."""
    end: int
    is_packed: bool = False
    """It stands there in another form, which can only be masked as a whole."""


_Name: TypeAlias = tuple[str, ...]
"""Of a text: the name of its values, and what tells it from others of that name."""


def masked_body(data: bytes, redact: Redactor) -> tuple[bytes, int]:
    """The body without any key, as long as before, and the number of places that were masked."""
    places = 0
    for _ in range(_TRIES):
        spans = _spans(data, redact)
        if not spans:
            return data, places
        places += len(spans)
        data = _filled(data, spans)
    return _LETTERS.sub(_FILL, data), places  # never seen: what cannot be masked in place is not kept


def _filled(data: bytes, spans: Iterable[Span]) -> bytes:
    filled = bytearray(data)
    for start, end in spans:
        filled[start:end] = _FILL * (end - start)
    return bytes(filled)


def _spans(data: bytes, redact: Redactor) -> list[Span]:
    """Where keys stand in the bytes, as positions of bytes."""
    text = data.decode("utf-8", "surrogateescape")
    found = sorted({*redact.spans(text), *_spread(text, redact)})
    if text.isascii():
        return found
    return [(_length(text[:start]), _length(text[:end])) for start, end in found]


def _length(text: str) -> int:
    return len(text.encode("utf-8", "surrogateescape"))


def _spread(text: str, redact: Redactor) -> Iterator[Span]:
    """Where pieces of keys stand that are spread over events."""
    for pieces in _texts(text):
        joined = "".join(piece.text for piece in pieces)
        spans = [*redact.spans(joined), *redact.begun(joined)]
        at = 0
        for piece in pieces if spans else ():
            end = at + len(piece.text)
            for first, last in spans:
                if first < end and last > at:
                    yield _part(piece, max(first - at, 0), min(last, end) - at)
            at = end


def _part(piece: _Piece, first: int, last: int) -> Span:
    return (piece.start, piece.end) if piece.is_packed else (piece.start + first, piece.start + last)


def _texts(text: str) -> Iterable[list[_Piece]]:
    """The texts that come in several pieces: all values of one name, and where they come in turns, each one."""
    by_name: defaultdict[_Name, list[_Piece]] = defaultdict(list)
    by_lane: defaultdict[_Name, list[_Piece]] = defaultdict(list)
    for line in _LINE.finditer(text):
        lane = tuple(_LANE.findall(line[0]))
        for name, piece in _pieces(line[0], line.start()):
            by_name[name].append(piece)
            by_lane[(*name, *lane)].append(piece)
    several = [pieces for pieces in by_name.values() if len(pieces) > 1]
    if len(by_lane) > len(by_name):
        several += [pieces for pieces in by_lane.values() if len(pieces) > 1]
    return several


def _pieces(line: str, start: int) -> Iterator[tuple[_Name, _Piece]]:
    """The values in a line, by their names."""
    plain = _PLAIN_DATA.match(line)
    if plain is not None:
        yield ("",), _Piece(plain[1], start + plain.start(1), start + plain.end(1))
        return
    for found in _STRING.finditer(line):
        begin, end = start + found.start(2), start + found.end(2)
        yield (found[1],), _Piece(found[2], begin, end)
        if found[1] == "bytes":
            for inner in _STRING.finditer(_unpacked(found[2])):
                yield ("bytes", inner[1]), _Piece(inner[2], begin, end, is_packed=True)


def _unpacked(value: str) -> str:
    """What an event of Bedrock has packed as base64; "" where it is not base64."""
    try:
        return b64decode(value, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""
