"""Content-Encoding of a response that was asked not to have one: bounded, so that a bomb stays small."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Protocol

READ_MAX_BYTES = 8 * 1024 * 1024
"""Most bytes that one read of the socket may decode to."""
PIECE_BYTES = 64 * 1024
"""Decoded bytes come in pieces of at most that, so that others get their turn between two of them."""
GZIP = b"\x1f\x8b"
"""What a gzip member begins with."""


class BodyLimitError(ValueError):
    """The body is over its limit."""


class DecodeError(ValueError):
    """The body is not what its Content-Encoding says, or is in one that gwtui does not read."""


class Decoder(Protocol):
    def feed(self, data: bytes) -> Sequence[bytes]:
        """Decode what can be decoded. Raises `DecodeError`, and `BodyLimitError` for a bomb."""

    def end(self) -> None:
        """Raises `DecodeError` when the encoded data was cut off."""


class Identity:
    """No encoding."""

    def feed(self, data: bytes) -> Sequence[bytes]:
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

    def feed(self, data: bytes) -> Sequence[bytes]:
        pieces: list[bytes] = []
        length, more = 0, bool(data)
        while more and not self._is_over(data):
            piece, data = self._inflated(data)
            pieces.append(piece)
            length += len(piece)
            if length > READ_MAX_BYTES:
                raise BodyLimitError(f"one read of the {self._encoding} body decodes to more than 8 MiB")
            more = bool(data) or (self._inflate is not None and len(piece) == PIECE_BYTES)
        return pieces

    def _is_over(self, data: bytes) -> bool:
        return self._inflate is None and self._members > 0 and not GZIP.startswith(data[: len(GZIP)])

    def _inflated(self, data: bytes) -> tuple[bytes, bytes]:
        """The next piece, and what is left of the data."""
        inflate = self._inflate = self._inflate or self._begin(data)
        try:
            piece = inflate.decompress(data, PIECE_BYTES)
        except zlib.error as error:
            raise DecodeError(f"the body is not {self._encoding}: {error}") from error
        if not inflate.eof:
            return piece, inflate.unconsumed_tail
        self._inflate = None
        self._members += 1
        return piece, inflate.unused_data

    def _begin(self, data: bytes) -> zlib._Decompress:
        has_header = self._encoding == "gzip" or data[0] & 0x0F == 8
        return zlib.decompressobj(zlib.MAX_WBITS | 32 if has_header else -zlib.MAX_WBITS)

    def end(self) -> None:
        if self._inflate is not None:
            raise DecodeError(f"the {self._encoding} body was cut off")


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
