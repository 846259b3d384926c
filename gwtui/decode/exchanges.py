"""The answers in a file: one, or all that curl or a HAR tells of, each with what is known of its request."""

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
LEAST_SECRET = 8
"""Characters of a key: what is shorter is in any text."""
_OBJECT = msgspec.json.Decoder(dict[str, Any])


class CaptureError(ValueError):
    """The capture is not one of such a stream, or not known to be. One line, clean."""


class TransferFailure(NamedTuple):
    """How an exchange broke, by the words of what saved it."""

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
    """Bytes as they come, some of which can be given back."""

    def __init__(self, chunks: Chunks) -> None:
        self._chunks = iter(chunks)
        self._back = b""

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._back:
            back, self._back = self._back, b""
            return back
        return next(self._chunks)

    def give_back(self, data: bytes) -> None:
        """What comes next."""
        self._back = data + self._back

    def peek(self, length: int) -> bytes:
        """At least so much of what comes, where there is so much."""
        held = b""
        while len(held) < length and (piece := next(self, b"")):
            held += piece
        self.give_back(held)
        return held
