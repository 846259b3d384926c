"""Keys that come in the events of a stream: spread over them, or in the one part of an event that is new.

Most events cost one look (`Redactor.are_clear`): `new` and `around` give what has to be looked through of an event's
data and of its text, and `passed` notes that no key was there. Only where there may be one are they called to mask it.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from itertools import islice

from gwtui.secrets.encodings import holds_escape
from gwtui.secrets.forms import bare
from gwtui.secrets.redaction import Redactor, masked_at
from gwtui.secrets.views import MISREAD, Span

MOST_TEXTS = 64
"""How many texts in turns are followed at once: far above what is asked for."""

_ODD = re.compile(r"[^ -~]|[\\&%=<>]")
"""Signs of escapes and tags, and what is not ASCII."""
_LETTER = re.compile("[A-Za-z0-9]")
_TAG_BEGIN = re.compile("</?[A-Za-z!]")
_LATIN = re.compile("[\x80-\xbf]|[\xc2-\xf4]$")
"""What may be bytes of UTF-8 that were read as Latin-1, which a piece may hold a part of."""
_TAIL, _LONG_TAIL = 80, 512
"""The number of characters kept of the end of a text that continues, and the number if some of them are encodings."""


class FrameRedactor:
    """Masks keys in texts that mostly repeat one another, as the data of a stream's events do.

    What two texts share, in which no key was, is not looked through again: only what is new in the next one is, with as
    much of what it shares on either side as a key may reach into.
    """

    def __init__(self, redact: Redactor) -> None:
        self._redact = redact
        self._last = ""
        """The newest text without a key."""
        self._begin = self._end = ""
        """What texts share."""
        self._before = self._behind = ""
        """How much of that is looked through."""
        self._long = 0
        """How many texts were mostly new. At each power of two of them it is learned anew what texts share."""

    def __call__(self, text: str) -> str:
        """The text, masked."""
        new = self.new(text)
        if self._redact.spans(new):
            return self._redact(text)
        self.passed(text, new)
        return text

    def new(self, text: str) -> str:
        """What has to be looked through of the text: its new part, or all of it."""
        begin, end = len(self._begin), len(text) - len(self._end)
        if begin <= end and text.startswith(self._begin) and text.endswith(self._end):
            return f"{self._before}{text[begin:end]}{self._behind}"
        return text

    def passed(self, text: str, new: str) -> None:
        """The text has no key; `new` was its new part."""
        if 2 * len(new) > len(text):
            self._long += 1
            if self._long.bit_count() == 1:
                self._learn(text)
        self._last = text

    def _learn(self, text: str) -> None:
        """Take what this text and the last one share at both ends for what all texts share.

        What may be part of an escape or a tag that goes on into the new part is left out: such a thing neither begins
        with an ordinary character nor goes over a quotation mark, and tags end.
        """
        alike = _shared(self._last, text)
        odd = _ODD.search(text, 0, alike)
        self._begin = text[: alike if odd is None else odd.start()]
        most = min(len(text), len(self._last)) - alike
        alike = _shared(self._last[::-1], text[::-1], most)
        tail = text[len(text) - alike :]
        last_odd = max((match.end() for match in _ODD.finditer(tail)), default=0)
        quoted = tail.find('"', last_odd)
        self._end = tail[quoted:] if quoted >= 0 else ""
        reach = self._redact.reach
        self._before = self._begin[len(self._begin) - _length(self._begin[::-1], reach) :]
        self._behind = self._end[: _length(self._end, reach)]


def _shared(one: str, other: str, most: int | None = None) -> int:
    """The length of the common prefix, up to a limit."""
    low, high = 0, min(len(one), len(other)) if most is None else most
    while low < high:
        middle = (low + high + 1) // 2
        if one.startswith(other[low:middle], low):
            low = middle
        else:
            high = middle - 1
    return low


def _length(text: str, letters: int) -> int:
    """The length of the prefix with this number of letters and digits; the whole length if it has fewer."""
    places = [match.end() for match in islice(_LETTER.finditer(text), letters)]
    return places[-1] if len(places) == letters else len(text)


class RunningRedactor:
    """Masks keys in texts that come in pieces, several in turns: each in itself, and all as they follow one another."""

    def __init__(self, redact: Redactor) -> None:
        self._redact = redact
        self._tail = max(_TAIL, 3 * redact.reach)
        self._all = ""
        """The end of all that came, as far as a key may go on from it."""
        self._each: dict[Hashable, str] = {}
        """The same of each text; empty as long as there is only one."""

    def __call__(self, piece: str, text: Hashable = None) -> str:
        """The next piece of that text, masked from where it goes on with eight characters of a key."""
        spans = [span for whole in set(self.around(piece, text)) for span in self._spans(whole, len(piece))]
        self.passed(piece, text)
        return masked_at(piece, spans) if spans else piece

    def around(self, piece: str, text: Hashable = None) -> tuple[str, ...]:
        """The next piece of that text, behind all that a key may go on from."""
        if self._is_only(text):
            return (self._all + piece,)
        return self._all + piece, self._own(text) + piece

    def passed(self, piece: str, text: Hashable = None) -> None:
        """That was the next piece of that text."""
        if not self._is_only(text):
            self._each[text] = _end_of(self._own(text), piece, self._tail)
        self._all = _end_of(self._all, piece, self._tail)

    def _is_only(self, text: Hashable) -> bool:
        return len(self._each) == 1 and text in self._each

    def _own(self, text: Hashable) -> str:
        """What came before of this text; of one that was the only one so far that is all that came."""
        if len(self._each) == 1:
            self._each = dict.fromkeys(self._each, self._all)
        elif len(self._each) >= MOST_TEXTS and text not in self._each:
            self._each.clear()
        return self._each.get(text, "")

    def _spans(self, whole: str, length: int) -> list[Span]:
        """Where keys stand in the last `length` characters of the text, as places in these."""
        before = len(whole) - length
        found = [*self._redact.spans(whole), *self._redact.begun(whole)]
        return [(max(0, start - before), end - before) for start, end in found if end > before]


def _end_of(before: str, piece: str, length: int) -> str:
    if not (piece.isascii() and piece.isprintable()) and not _LATIN.search(piece):
        piece = " ".join(bare(piece).decode().split())
        if not piece:
            return before
    whole = before + piece
    if len(whole) <= length:
        return whole
    tail = whole[-length:]
    misread = not tail.isascii() and MISREAD.search(tail)
    widened = misread or holds_escape(tail) or ("<" in tail and _TAG_BEGIN.search(tail))
    return whole[-_LONG_TAIL:] if widened else tail
