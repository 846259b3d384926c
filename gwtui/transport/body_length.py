"""How long a body is, by the headers of its response (RFC 9112 6.3). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gwtui.apis.headers import Headers, joined_header
from gwtui.transport.decoding import DecodeError

OTHER_CODING = "the Transfer-Encoding of the answer is not `chunked` alone, which is all that gwtui reads"

_LENGTH = re.compile(r"[0-9]{1,15}")


class LengthError(ValueError):
    """The headers contradict each other, or one of them is no length."""


@dataclass(frozen=True, slots=True)
class BodyLength:
    """Where a body ends: with its last chunk, after a number of bytes, or where the connection is closed."""

    chunked: bool = False
    promised: int | None = None
    """Bytes, by `Content-Length`. None without one, and beside chunks, which count."""


def body_length(headers: Headers) -> BodyLength:
    """Raises `LengthError`, and `DecodeError` for a transfer coding that gwtui does not read."""
    lengths = {part.strip() for part in joined_header(headers, "content-length").split(",")} - {""}
    if len(lengths) > 1:
        raise LengthError("conflicting Content-Length headers")
    promised = None
    for length in lengths:
        if not _LENGTH.fullmatch(length):
            raise LengthError("bad Content-Length")
        promised = int(length)
    coding = joined_header(headers, "transfer-encoding").strip().lower()
    if coding and coding != "chunked":
        raise DecodeError(OTHER_CODING)
    return BodyLength(chunked=True) if coding else BodyLength(promised=promised)


def short_body(came: int, promised: int) -> str:
    """A body that is shorter than promised, in words."""
    return f"the body has {came:,} bytes where Content-Length says {promised:,}"
