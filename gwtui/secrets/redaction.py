"""Keys are masked by their value, in whatever form they come back.

Of a key of `LONG` characters or more any `RUN` characters in a row are masked, whatever their case, and whatever stands
between them that is no letter or digit; a shorter key, which may be a word of any text, only where all of it stands.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from gwtui.secrets.encodings import BEGINS, ESCAPE
from gwtui.secrets.forms import as_bytes, encoded_forms, letters_in, letters_of, written, written_forms
from gwtui.secrets.grams import RUN, Grams
from gwtui.secrets.prefixes import public_prefix
from gwtui.secrets.views import MISREAD, Span, TextView, folded, readings

MASK = "•••"
LONG = 12
"""Characters of a key that is known by any run of it."""
MOST_TEXTS = 64
"""How many texts in turns are followed at once: far above what is asked for."""

_SHORTEST_KEY = 4
"""Anything shorter would mask half of every text."""
_SHORTEST_ENCODED = 6
_PART = 16 << 10
"""Longer texts are gone through in parts of so many characters."""
_OVERLAP = 2 << 10
"""How far a part goes into the next one, so that what stands across its end is found."""
_LETTER = re.compile("[a-z0-9]")
_WIDENS = re.compile(rf"{ESCAPE.pattern}|</?[A-Za-z!]")
"""What takes more room than what it stands for."""
_TAIL, _LONG_TAIL = 80, 512
"""How many characters are kept of the end of a text that goes on, and how many where some of them stand for fewer."""
_CUT_WORD = re.compile(r"([A-Za-z0-9+/=_-]+)…")
_CUT_RUN = 5
"""How many characters tell where a text was cut: it is not known how many would have followed."""
_CUT = rb"(?=\.\.\.)"
"""Before an ellipsis, which is folded to three dots."""


@dataclass(frozen=True, slots=True)
class _Known:
    """By what a long key is known."""

    letters: Grams
    """Runs of letters and digits alone, of the key and of its encodings."""
    signs: Grams
    """Runs of the key with all its signs."""
    public_letters: Grams
    public_signs: Grams
    """The same of its public prefix, which are masked beside others only."""
    ends: frozenset[bytes]
    """Runs of letters and digits which count where a text was cut behind them."""
    is_lettered: bool
    """Whether letters and digits alone show that there may be something."""


@lru_cache(maxsize=256)
def _known(key: str) -> _Known:
    signs = [(run.encode("utf-8", "replace"), public) for form in written_forms(key) for run, public in form.runs()]
    forms = (*written_forms(key), *encoded_forms(key))
    letters = [(run.encode(), public) for form in forms for run, public in form.stripped().runs()]
    text, begin = folded(key), len(folded(public_prefix(key)))
    own = (text[at : at + RUN] for at in range(begin, len(text) - RUN + 1))
    return _Known(
        letters=Grams.of(run for run, public in letters if not public),
        signs=Grams.of(run for run, public in signs if not public),
        public_letters=Grams.of(run for run, public in letters if public),
        public_signs=Grams.of(run for run, public in signs if public),
        ends=frozenset(
            run[at : at + _CUT_RUN] for run, public in letters if not public for at in range(len(run) - _CUT_RUN + 1)
        ),
        is_lettered=all(len(_LETTER.findall(run)) >= RUN - 1 for run in own),
    )


def _short_forms(keys: Iterable[str]) -> tuple[set[bytes], set[bytes]]:
    """All forms of short keys, and the beginnings of those that are longer than `RUN`."""
    forms: set[bytes] = set()
    begun: set[bytes] = set()
    for key in keys:
        own = {form.text for form in written_forms(key)}
        encoded = {form.text.lower() for form in encoded_forms(key) if len(form.text) >= _SHORTEST_ENCODED}
        forms |= {form.encode("utf-8", "replace") for form in own | encoded if len(form) >= _SHORTEST_KEY}
        begun |= {form[:length].encode("utf-8", "replace") for form in own for length in range(RUN, len(form))}
    return forms, begun


def _any_of(texts: Iterable[bytes], behind: bytes = b"") -> re.Pattern[bytes] | None:
    """Matches the longest of these that fits."""
    words = [re.escape(text) for text in sorted(texts, key=len, reverse=True)]
    return re.compile(b"(?:" + b"|".join(words) + b")" + behind) if words else None


class Redactor:
    """Masks keys in texts: as they are, behind escapes and tags, and encoded."""

    def __init__(self, keys: Iterable[str] = ()) -> None:
        usable = {key for key in keys if len(key) >= _SHORTEST_KEY}
        long = {key for key in usable if len(key) >= LONG}
        self._any = bool(usable)
        each = [_known(key) for key in sorted(long)]
        self._letters = Grams.united(known.letters for known in each)
        self._signs = Grams.united(known.signs for known in each)
        self._public_letters = Grams.united(known.public_letters for known in each)
        self._public_signs = Grams.united(known.public_signs for known in each)
        self._ends = frozenset().union(*(known.ends for known in each))
        self._lettered = all(known.is_lettered for known in each)
        forms, begun = _short_forms(usable - long)
        self._short = [pattern for pattern in (_any_of(forms), _any_of(begun, _CUT)) if pattern is not None]
        self._begun = _any_of(begun, rb"\Z")

    def __bool__(self) -> bool:
        """Whether there is anything to mask."""
        return self._any

    def __call__(self, text: str) -> str:
        """The text with every key masked."""
        spans = self.spans(text)
        return masked_at(text, spans) if spans else text

    def spans(self, text: str) -> list[Span]:
        """Where keys stand in the text, in no order."""
        if not self._any or not text:
            return []
        cut = [] if text.isascii() else [span for match in _CUT_WORD.finditer(text) for span in self._cut(match)]
        if len(text) <= _PART:
            return cut + self._spans(text)
        return cut + [
            (start + at, end + at)
            for at in range(0, len(text), _PART)
            for start, end in self._spans(text[at : at + _PART + _OVERLAP])
        ]

    def begun(self, text: str) -> list[Span]:
        """The beginning of a short key that the text ends with, if eight characters of it are there."""
        if self._begun is None:
            return []
        view = TextView(text).folded()
        data = view.text.encode("utf-8", "replace")
        return [view.origin(_characters(data, match.span())) for match in self._begun.finditer(data)]

    def _spans(self, text: str) -> list[Span]:
        if BEGINS.search(text) or (not text.isascii() and MISREAD.search(text)):
            return [span for view in readings(text) if self._may_hold(view.text) for span in self._found(view)]
        return self._found(TextView(text)) if self._may_hold(text) else []

    def _cut(self, match: re.Match[str]) -> Iterator[Span]:
        """The part of a key that a word ends with that was cut."""
        word = match[1].encode()
        letters = letters_of(word)
        known = 0
        while letters[len(letters) - known - _CUT_RUN : len(letters) - known] in self._ends:
            known += 1
        if known:
            at = [place for place, byte in enumerate(word) if letters_of(bytes((byte,)))]
            yield match.start() + at[len(letters) - known - _CUT_RUN + 1], match.end() - 1

    def _may_hold(self, text: str) -> bool:
        """Whether there is a key in the text as it reads."""
        letters = letters_in(text)
        if self._letters.may_hold(letters):
            if any(self._letters.places(letters)):
                return True
        elif self._lettered and not self._short:
            return False
        shown = written(as_bytes(text))
        return any(self._signs.places(shown)) or any(pattern.search(shown) for pattern in self._short)

    def _found(self, view: TextView) -> list[Span]:
        """Where keys stand in the text of a view, told as places of the text that it was made of."""
        seen = view.folded()
        data = seen.text.encode("utf-8", "replace")
        letters = letters_of(data)
        at = [match.start() for match in _LETTER.finditer(seen.text)]

        def places(by_letters: Grams, by_signs: Grams) -> list[Span]:
            plain = [(at[start], at[end - 1] + 1) for start, end in _joined(by_letters.places(letters))]
            return [*plain, *(_characters(data, span) for span in _joined(by_signs.places(data)))]

        found = places(self._letters, self._signs)
        found += (_characters(data, match.span()) for each in self._short for match in each.finditer(data))
        public = places(self._public_letters, self._public_signs) if found else []
        return [seen.origin(span) for span in _with_neighbours(found, public)]


class RunningRedactor:
    """Masks keys in texts that come in pieces, several in turns: each in itself, and all as they follow one another."""

    def __init__(self, redact: Redactor) -> None:
        self._redact = redact
        self._all = ""
        """The end of all that came, as far as a key may go on from it."""
        self._each: dict[Hashable, str] = {}
        """The same of each text; empty as long as there is only one."""

    def __call__(self, piece: str, text: Hashable = None) -> str:
        """The next piece of that text, masked from where it goes on with eight characters of a key."""
        before = self._all
        spans = self._spans(before, piece)
        self._all = _end_of(before, piece)
        if len(self._each) != 1 or text not in self._each:
            own = self._of(text, before)
            if own != before:
                spans += self._spans(own, piece)
            self._each[text] = _end_of(own, piece)
        return masked_at(piece, spans) if spans else piece

    def _of(self, text: Hashable, before: str) -> str:
        """What came before of this text; of one that was the only one so far that is all that came."""
        if len(self._each) == 1:
            self._each = dict.fromkeys(self._each, before)
        elif len(self._each) >= MOST_TEXTS and text not in self._each:
            self._each.clear()
        return self._each.get(text, "")

    def _spans(self, before: str, piece: str) -> list[Span]:
        known = len(before)
        whole = before + piece
        found = [*self._redact.spans(whole), *self._redact.begun(whole)]
        return [(max(0, start - known), end - known) for start, end in found if end > known]


def _end_of(before: str, piece: str) -> str:
    if not (piece.isascii() and piece.isprintable()):
        piece = " ".join(unicodedata.normalize("NFKD", piece).encode("ascii", "ignore").decode().split())
    whole = before + piece
    if len(whole) <= _TAIL:
        return whole
    tail = whole[-_TAIL:]
    return whole[-_LONG_TAIL:] if BEGINS.search(tail) and _WIDENS.search(tail) else tail


def _with_neighbours(spans: Iterable[Span], public: Iterable[Span]) -> list[Span]:
    """The spans, those that touch each other as one, with those of public prefixes that touch them in front."""
    joined = _joined(spans)
    begins = [start for start, _ in joined]
    for start, end in sorted(set(public), reverse=True):
        at = bisect_right(begins, start)
        if at < len(begins) and begins[at] <= end:
            begins.insert(at, start)
            joined.append((start, end))
    return _joined(joined)


def _joined(spans: Iterable[Span]) -> list[Span]:
    joined: list[Span] = []
    for start, end in sorted(set(spans)):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def masked_at(text: str, spans: Iterable[Span]) -> str:
    """The text with these places masked, those that touch each other as one."""
    pieces: list[str] = []
    at = 0
    for start, end in sorted(spans):
        if start > at or not pieces:
            pieces += (text[at:start], MASK)
        at = max(at, end)
    return "".join((*pieces, text[at:]))


def _characters(data: bytes, span: Span) -> Span:
    """Places of characters for places of bytes in UTF-8."""
    if data.isascii():
        return span
    return len(data[: span[0]].decode("utf-8", "ignore")), len(data[: span[1]].decode("utf-8", "ignore"))
