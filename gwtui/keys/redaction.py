"""Secrets are masked by their value, in whatever form it comes back.

A secret counts as found when half of it is there, or when it begins where the text ends: a text may have been cut
before it came here.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import takewhile
from operator import eq
from typing import TypeAlias
from urllib.parse import quote, quote_plus

from gwtui.keys.escapes import LONGEST_ESCAPE, escapes_of, undone
from gwtui.keys.references import is_sendable

MASK = "•••"

_SHORTEST_SECRET = 4
"""Anything shorter would mask half of every text."""
_LONGEST_SECRET = 64 << 10
QUOTED_BYTES = 1 << 20
"""Nothing that stands behind them in a body is shown as it is."""
_TELLING = 8
"""So many characters from the start of a secret are taken for it where a text ends."""
_LONG = 12
"""A secret of so many characters is known by its beginning."""
_REST = re.compile(r"[.…]*|[\\&%]\S*")

Span: TypeAlias = tuple[int, int]


class Redactor:
    """Masks secrets in texts: as they are, escaped in any way, in base64 and in hexadecimal digits."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {form for secret in secrets for form in _forms(secret) if len(form) >= _SHORTEST_SECRET}
        self._forms = tuple((_head(form), form) for form in sorted(forms))
        self._heads = re.compile("|".join(sorted({re.escape(head) for head, _ in self._forms})))
        self._escapes = escapes_of({"&", *"".join(forms)}) if forms else ()

    def __bool__(self) -> bool:
        """Whether there is anything to mask."""
        return bool(self._forms)

    def __call__(self, text: str) -> str:
        """The text with every secret masked."""
        if not self._forms:
            return text
        spans = self.spans(text)
        return _masked(text, spans) if spans else text

    def in_bytes(self, data: bytes) -> bytes:
        """Bytes that may be text, masked as far as anything is quoted of them."""
        text = data[: QUOTED_BYTES + _LONGEST_SECRET].decode("utf-8", "surrogateescape")
        spans = [span for span in self.spans(text) if span[0] < QUOTED_BYTES]
        if not spans:
            return data
        return _masked(text, spans).encode("utf-8", "surrogateescape") + data[QUOTED_BYTES + _LONGEST_SECRET :]

    def spans(self, text: str, undone_before: int = 0) -> list[Span]:
        """Where secrets stand in the text, in no order; the first escapes of all may have been undone in it."""
        found: list[Span] = []
        if self._forms and self._heads.search(text):
            found += (span for head, form in self._forms if head in text for span in _runs(text, head, form))
        for index, escape in enumerate(self._escapes[undone_before:], undone_before + 1):
            if escape.search(text):
                plain, place = undone(text, escape)
                found += [(place(start), place(end)) for start, end in self.spans(plain, index)]
        return found


class RunningRedactor:
    """Masks secrets in a text that comes in pieces, from the piece on with which they begin to be recognised."""

    def __init__(self, redact: Redactor) -> None:
        self._redact = redact
        self._before = ""
        """The end of what came, as far as a secret may go on from it."""

    def __call__(self, piece: str) -> str:
        """The next piece, masked."""
        known = len(self._before)
        text = self._before + piece
        self._before = text[-_TELLING * LONGEST_ESCAPE :]
        if not (spans := self._redact.spans(text)):
            return piece
        goes_on = min((start for start, end in spans if _is_end(end, text)), default=len(text))
        if goes_on < len(text) - len(self._before):
            self._before = text[goes_on:]
        return _masked(piece, [(max(0, start - known), end - known) for start, end in spans if end > known])


def _masked(text: str, spans: Iterable[Span]) -> str:
    pieces: list[str] = []
    at = 0
    for start, end in sorted(spans):
        if start > at or not pieces:
            pieces += (text[at:start], MASK)
        at = max(at, end)
    return "".join((*pieces, text[at:]))


def _head(form: str) -> str:
    """What it is recognised by. A short one only by all of it: its beginning may be a word of any text."""
    return form[:_TELLING] if len(form) >= _LONG else form


def _is_end(place: int, text: str) -> bool:
    """Whether the text ends there, but for an ellipsis or an escape that was cut."""
    return len(text) - place < LONGEST_ESCAPE and _REST.fullmatch(text, place) is not None


def _runs(text: str, head: str, form: str) -> Iterator[Span]:
    """Where the text goes on like the form from its head on: for half of the form, or until the text ends."""
    start = text.find(head)
    while start >= 0:
        end = start + sum(takewhile(bool, map(eq, form, text[start : start + len(form)])))
        if _is_end(end, text) or 2 * (end - start) >= len(form):
            yield start, end
        start = text.find(head, max(start + 1, end - len(head)))


def _forms(secret: str) -> Iterator[str]:
    """How a secret may be written, but for the escapes that are undone."""
    encodings = _encodings(secret)
    for text in _readings(encodings):
        yield from (text, text.replace(" ", "+"), html.escape(text))
        yield from (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1])
    for url in (quote(secret, safe=""), quote(secret), quote_plus(secret)):
        yield from (url, re.sub("%..", lambda escape: escape[0].lower(), url))
    for data in encodings:
        yield from (data.hex(), data.hex().upper())
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(data).decode()
            yield from _within_base64(data, encode)


def _encodings(secret: str) -> set[bytes]:
    """As most texts are encoded, and as HTTP headers are."""
    codes = ("utf-8", "latin-1") if is_sendable(secret) else ("utf-8",)
    return {secret.encode(code, "replace") for code in codes}


def _readings(encodings: set[bytes]) -> set[str]:
    """What is read where one encoding is taken for the other, too."""
    decoders = (("utf-8", "replace"), ("utf-8", "surrogateescape"), ("latin-1", "strict"))
    return {data.decode(code, errors) for data in encodings for code, errors in decoders}


def _within_base64(data: bytes, encode: Callable[[bytes], bytes]) -> Iterator[str]:
    """Inside a longer text the secret starts at any of three positions of base64's groups; the characters at both ends
    also depend on its neighbours, so those between them are what can be recognised."""
    for before in range(3):
        first = -(-before * 8 // 6)
        last = (before + len(data)) * 8 // 6
        yield encode(b"\0" * before + data).decode()[first:last]
