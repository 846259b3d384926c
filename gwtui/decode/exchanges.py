"""The answers in a file, one or several (curl, HAR), each with what is known of its request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import msgspec

from gwtui.apis.base import QUESTION_FIELDS
from gwtui.model.enums import End
from gwtui.secrets.patterns import names_secret
from gwtui.text.sanitize import clean

Chunks: TypeAlias = Iterable[bytes]
MOST_EXCHANGES = 10_000
"""The maximum number of answers that are read out of one file."""
MOST_SECRETS = 100
"""The maximum number of keys of one request that are masked in its answer."""
PIECE_BYTES = 64 << 10
LEAST_SECRET = 8
"""Characters of a key: what is shorter is in any text."""
_OBJECT = msgspec.json.Decoder(dict[str, Any])


class CaptureError(ValueError):
    """The capture is not one of such a stream, or not known to be. One line, clean."""


class TransferFailure(NamedTuple):
    """How an exchange broke, in the words of the program that saved it."""

    end: End
    detail: str


@dataclass(slots=True)
class CapturedRequest:
    """What is known of a request; empty where nothing is."""

    method: str = ""
    path: str = ""
    """Without host and query."""
    host: str = ""
    model: str = ""
    stream: bool | None = None
    """None where the request does not say."""
    is_question: bool = False
    """Whether it asks a model something."""

    def take_url(self, url: str) -> None:
        """Take a whole URL, or a path as in a request line."""
        rest = url.partition("://")[2] if "://" in url else ""
        self.host = rest.partition("/")[0].partition("?")[0].rpartition("@")[2] if rest else self.host
        path = "/" + rest.partition("/")[2] if rest else url
        self.path = path.partition("?")[0].partition("#")[0]

    def take_body(self, text: str) -> None:
        """Take a JSON body; anything else says nothing."""
        try:
            body = _OBJECT.decode(text.encode("utf-8", "replace"))
        except (ValueError, RecursionError):
            return
        model, stream = body.get("model"), body.get("stream")
        self.model = model if isinstance(model, str) else ""
        self.stream = stream if isinstance(stream, bool) else None
        self.is_question = not QUESTION_FIELDS.isdisjoint(body)

    @property
    def title(self) -> str:
        """For tables: method, host and path, clean."""
        return clean(" ".join(filter(None, (self.method, f"{self.host}{self.path}"))), 80)


@dataclass(slots=True)
class Exchange:
    """One answer, as bytes of an HTTP response or of its body alone. What is known of it may grow as they are read."""

    chunks: Chunks
    number: int = 1
    """Which one of its file, from 1; in a HAR its entry."""
    asked: CapturedRequest = field(default_factory=CapturedRequest)
    secrets: list[str] = field(default_factory=list)
    """Keys that the request carried, to be masked where the answer repeats them."""
    fault: TransferFailure | None = None
    problem: str = ""
    """Why there is nothing to read."""

    def take_header(self, name: str, value: str) -> None:
        """Take a header, a cookie or a query field of the request."""
        if not names_secret(name) or len(self.secrets) >= MOST_SECRETS:
            return
        scheme, _, rest = value.strip().partition(" ")
        self.secrets += [each for each in (rest.strip() or scheme,) if len(each) >= LEAST_SECRET]


class Pieces:
    """Bytes as they come; those taken last can be put back."""

    def __init__(self, chunks: Chunks) -> None:
        self._chunks = iter(chunks)
        self._held = b""
        self._at = 0
        """What of it was taken."""

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._at == len(self._held):
            self._held, self._at = next(self._chunks), 0
        piece = self._held[self._at : self._at + PIECE_BYTES]
        self._at += len(piece)
        return piece

    def line(self, limit: int) -> bytes:
        """The next line with its end; "" after the last one, and only a part of a line that is longer than `limit`."""
        end = self._held.find(b"\n", self._at) + 1
        while not end and len(self._held) - self._at < limit and self._more():
            end = self._held.find(b"\n", self._at) + 1
        line = self._held[self._at : end or len(self._held)]
        self._at += len(line)
        return line

    def give_back(self, data: bytes) -> None:
        """Put back the bytes that were taken last."""
        if self._held.endswith(data, 0, self._at):
            self._at -= len(data)
        else:
            self._held, self._at = data + self._held[self._at :], 0

    def peek(self, length: int) -> bytes:
        """At least `length` of the next bytes, or all that are left."""
        while len(self._held) - self._at < length and self._more():
            pass
        return self._held[self._at : self._at + length]

    def _more(self) -> bool:
        more = next(self._chunks, b"")
        self._held, self._at = self._held[self._at :] + more, 0
        return bool(more)
