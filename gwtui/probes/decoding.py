"""Content-Encoding of a response that was asked not to have one: bounded, so that a bomb stays small."""

from __future__ import annotations

import zlib
from typing import Protocol

READ_MAX_BYTES = 8 * 1024 * 1024
"""Most bytes that one read of the socket may decode to."""


class BodyLimitError(ValueError):
    """The body is over its limit."""


class DecodeError(ValueError):
    """The body is not what its Content-Encoding says, or is in one that gwtui does not read."""


class Decoder(Protocol):
    def feed(self, data: bytes) -> bytes:
        """Decode what can be decoded. Raises `DecodeError`, and `BodyLimitError` for a bomb."""

    def end(self) -> None:
        """Raises `DecodeError` when the encoded data was cut off."""


class Identity:
    """No encoding."""

    def feed(self, data: bytes) -> bytes:
        return data

    def end(self) -> None:
        return


class Inflate:
    """gzip and deflate; the latter with or without its zlib header, as servers send both (RFC 9110 8.4.1.2)."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._inflate: zlib._Decompress | None = None

    def feed(self, data: bytes) -> bytes:
        if not data:
            return b""
        if self._inflate is None:
            has_header = self._encoding == "gzip" or data[0] & 0x0F == 8
            self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 32 if has_header else -zlib.MAX_WBITS)
        try:
            plain = self._inflate.decompress(data, READ_MAX_BYTES + 1)
        except zlib.error as error:
            raise DecodeError(f"the body is not {self._encoding}: {error}") from error
        if len(plain) > READ_MAX_BYTES:
            raise BodyLimitError(f"one read of the {self._encoding} body decodes to more than 8 MiB")
        return plain

    def end(self) -> None:
        if self._inflate is not None and not self._inflate.eof:
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
