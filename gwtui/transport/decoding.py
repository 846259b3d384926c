"""Content-Encoding of a response that was asked not to have one, decoded in small pieces: a bomb is not held whole."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Protocol

PIECE_BYTES = 64 * 1024
"""Decoded bytes come in pieces of at most that, so that others get their turn between two of them."""
GZIP = b"\x1f\x8b"
"""What a gzip member begins with."""


class BodyLimitError(ValueError):
    """The body is over its limit."""


class DecodeError(ValueError):
    """The body is not what its Content-Encoding says, or is in one that gwtui does not read."""


class Decoder(Protocol):
    def feed(self, data: bytes) -> Iterable[bytes]:
        """Decode piece by piece what can be decoded. Raises `DecodeError` behind all that comes before the fault."""

    def end(self) -> None:
        """Raises `DecodeError` when the encoded data was cut off."""


class Identity:
    """No encoding."""

    def feed(self, data: bytes) -> Iterable[bytes]:
        return (data,)

    def end(self) -> None:
        return


class Inflate:
    """gzip and deflate; the latter with or without its zlib header, as servers send both (RFC 9110 8.4.1.2).

    A gzip body may be several members one after another (RFC 1952 2.2). What follows the last of them is ignored.
    """

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._inflate: zlib._Decompress | None = None
        self._members = 0
        """How many have ended."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        more = bool(data)
        while more and not self._is_over(data):
            inflate = self._inflate = self._inflate or self._begin(data)
            before = inflate.copy()
            try:
                piece = inflate.decompress(data, PIECE_BYTES)
            except zlib.error as error:
                yield _before_fault(before, data)
                raise DecodeError(f"the body is not {self._encoding}: {error}") from error
            data = inflate.unused_data if inflate.eof else inflate.unconsumed_tail
            more = bool(data) or (not inflate.eof and len(piece) == PIECE_BYTES)
            if inflate.eof:
                self._inflate = None
                self._members += 1
            yield piece

    def _is_over(self, data: bytes) -> bool:
        return self._inflate is None and self._members > 0 and not GZIP.startswith(data[: len(GZIP)])

    def _begin(self, data: bytes) -> zlib._Decompress:
        has_header = self._encoding == "gzip" or data[0] & 0x0F == 8
        return zlib.decompressobj(zlib.MAX_WBITS | 32 if has_header else -zlib.MAX_WBITS)

    def end(self) -> None:
        if self._inflate is not None:
            raise DecodeError(f"the {self._encoding} body was cut off")


def _before_fault(inflate: zlib._Decompress, data: bytes) -> bytes:
    """What the bytes before the one with the fault decode to, which zlib keeps to itself when it finds the fault."""
    plain = bytearray()
    with suppress(zlib.error):
        for at in range(len(data)):
            plain += inflate.decompress(data[at : at + 1])
    return bytes(plain)


def decoder_for(content_encoding: str) -> Decoder:
    """The decoder for a `Content-Encoding` header. Raises `DecodeError` for one that is not read here."""
    names = [name for part in content_encoding.lower().split(",") if (name := part.strip()) not in ("", "identity")]
    if not names:
        return Identity()
    if names in (["gzip"], ["x-gzip"]):
        return Inflate("gzip")
    if names == ["deflate"]:
        return Inflate("deflate")
    raise DecodeError(f"the body came in Content-Encoding {', '.join(names)}, which was not asked for")
