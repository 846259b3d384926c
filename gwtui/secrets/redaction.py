"""Keys are masked by their value, in whatever form they come back.

Of a key of `LONG` characters or more any `RUN` characters in a row are masked, whatever their case, and whatever stands
between them that is no letter or digit; a shorter key, which may be a word of any text, only where all of it stands: if
it has `RUN` letters and digits, also with anything else between them.

A text is asked three questions, the cheapest first:

1. Can there be a key in it (`_suspects`)? All runs that keys are known by are broken into numbers of four bytes. A text
   whose letters and digits hold none of these numbers holds no key (`grams`). Keys that have too few letters and
   digits for that are known by a part with symbols. Nearly every text is done with here.
2. Is there one (`_holds`)? The runs themselves are looked for.
3. Where is it (`_found`)? Places in the letters and digits are traced back to places in the original text (`views`).

They are asked of the text as it is, and of what it reads with tags removed and escapes undone (`readings`).
`are_clear` asks the first question of several short texts at once; `streams` gives it only what is new in an event.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import compress, count, pairwise

from gwtui.secrets.encodings import may_be_tagged
from gwtui.secrets.forms import as_bytes, bare, encoded_forms, letters_of, written, written_forms
from gwtui.secrets.grams import RUN, Grams
from gwtui.secrets.views import Span, TextView, readings, short_readings

MASK = "•••"
LONG = 12
"""Characters of a key that is known by any run of it."""

_SHORTEST_KEY = 4
"""Anything shorter would mask half of every text."""
_SHORTEST_ENCODED = 6
_PART = 16 << 10
"""Longer texts are searched in parts of this number of characters."""
_OVERLAP = 2 << 10
"""How far a part goes into the next one, so that what stands across its end is found."""
_IS_LETTER = bytes(letters_of(bytes((byte,))) != b"" for byte in range(256))
_CUT_WORD = re.compile(
    r"(?<![A-Za-z0-9+/=_-])([A-Za-z0-9+/=_-]+)"
    r"(?:%(?:25)*[0-9A-Fa-f]?|\\(?:x[0-9A-Fa-f]?|u[0-9A-Fa-f]{0,3})?|&(?:#x?[0-9A-Fa-f]{0,6}|[a-z]{0,6}))?…"
)
"""The end of a text that was cut, perhaps within an escape."""
_CUT_RUN = 5
"""How many characters tell where a text was cut: it is not known how many would have followed."""
_CUT_REACH = 512
"""More characters before such a place than any form of a usual key has."""
_CUT = rb"(?=\.\.\.)"
"""Before an ellipsis, which is folded to three dots."""


@dataclass(frozen=True, slots=True)
class _Known:
    """By what a long key is known."""

    letter_runs: Grams
    """Runs of letters and digits alone, of the key and of its encodings."""
    exact_runs: Grams
    """Runs of all characters of the key."""
    public_letter_runs: Grams
    public_exact_runs: Grams
    """Those of its public prefix, which are masked only where they touch one of the others."""
    cut_ends: frozenset[bytes]
    """Shorter runs of letters and digits, which count where a text was cut behind them."""
    marks: frozenset[bytes]
    """Every exact run with too few letters and digits for the first question holds one of these."""


@lru_cache(maxsize=256)
def _known(key: str) -> _Known:
    exact = [(run.encode("utf-8", "replace"), public) for form in written_forms(key) for run, public in form.runs()]
    forms = (*written_forms(key), *encoded_forms(key))
    letters = [(run.encode(), public) for form in forms for run, public in form.stripped().runs()]
    return _Known(
        letter_runs=Grams.of(run for run, public in letters if not public),
        exact_runs=Grams.of(run for run, public in exact if not public),
        public_letter_runs=Grams.of(run for run, public in letters if public),
        public_exact_runs=Grams.of(run for run, public in exact if public),
        cut_ends=frozenset(
            run[at : at + _CUT_RUN] for run, public in letters if not public for at in range(len(run) - _CUT_RUN + 1)
        ),
        marks=frozenset(_mark(run) for run, public in exact if not public and len(letters_of(run)) < RUN - 1),
    )


def _mark(run: bytes) -> bytes:
    """The longest part of a run from one symbol to the next, as every run that goes over both of them holds it."""
    symbols = [place for place, byte in enumerate(run) if not _IS_LETTER[byte]]
    return max((run[at : behind + 1] for at, behind in pairwise(symbols)), key=len)


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
        self._letter_runs = Grams.united(known.letter_runs for known in each)
        self._exact_runs = Grams.united(known.exact_runs for known in each)
        self._public_letter_runs = Grams.united(known.public_letter_runs for known in each)
        self._public_exact_runs = Grams.united(known.public_exact_runs for known in each)
        self._cut_ends = frozenset().union(*(known.cut_ends for known in each))
        forms, begun = _short_forms(usable - long)
        self._short_letters = Grams.of(letters for form in forms if len(letters := letters_of(form)) >= RUN)
        lettered = {form for form in forms if form.isalnum() and len(form) >= RUN - 1}
        self._first = Grams.united((self._letter_runs, self._short_letters, Grams.of(lettered)))
        """Of these the first question is asked."""
        words = frozenset().union(*(known.marks for known in each), (form[:RUN] for form in forms - lettered))
        self._words = tuple(sorted(words))
        """And of these: each form that holds nothing of `_first` holds one of them."""
        self._is_ascii = all(map(bytes.isascii, words))
        """What is ASCII of a text is enough for the first question."""
        self._short = [pattern for pattern in (_any_of(forms), _any_of(begun, _CUT)) if pattern is not None]
        self._begun = _any_of(begun, rb"\Z")
        self.reach = max((self._letter_runs.longest, self._exact_runs.longest, *map(len, forms)))
        """No more characters in a row than these are needed to know a key."""

    def __bool__(self) -> bool:
        """Whether there is anything to mask."""
        return self._any

    def __call__(self, text: str) -> str:
        """The text with every key masked."""
        spans = self.spans(text)
        return masked_at(text, spans) if spans else text

    def are_clear(self, *texts: str) -> bool:
        """True: there is no key in any of these texts, which are short. False: there may be; `spans` has to look."""
        whole = "\0".join(texts)  # which is part of no escape
        if self._is_ascii and "…" not in whole:
            seen = short_readings(whole)
            if not any(map(may_be_tagged, seen)):
                whole = "\0".join(seen)
                return not self._suspects(bare(whole)) or (self._begun is None and not self._holds(whole))
        return not any(self.spans(text) or self.begun(text) for text in texts)

    def spans(self, text: str) -> list[Span]:
        """Where keys stand in the text, in no order."""
        if not self._any or not text:
            return []
        cut = [span for match in _CUT_WORD.finditer(text) for span in self._cut(match)] if "…" in text else []
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
        views = tuple(readings(text))
        if len(views) > 1 and not self._holds("\0".join(view.text for view in views)):
            return []
        return [span for view in views if self._holds(view.text) for span in self._found(view)]

    def _cut(self, match: re.Match[str]) -> Iterator[Span]:
        """The part of a key that a word ends with that was cut."""
        word = match[1][-_CUT_REACH:].encode()
        letters = letters_of(word)
        known = 0
        while letters[len(letters) - known - _CUT_RUN : len(letters) - known] in self._cut_ends:
            known += 1
        if known:
            at = _letters_at(word)[len(letters) - known - _CUT_RUN + 1]
            yield match.end(1) - len(word) + at, match.end() - 1

    def _suspects(self, data: bytes) -> bool:
        """False: there is certainly no key in this folded text."""
        if self._first.may_hold(letters_of(data)):
            return True
        return bool(self._words) and any(map(written(data).__contains__, self._words))

    def _holds(self, text: str) -> bool:
        """Whether there is a key in the text as it reads."""
        data = as_bytes(text)
        if not self._suspects(data):
            return False
        shown = written(data)
        letters = letters_of(data)
        return (
            any(self._letter_runs.places(letters))
            or any(self._short_letters.places(letters))
            or any(self._exact_runs.places(shown))
            or any(pattern.search(shown) for pattern in self._short)
        )

    def _found(self, view: TextView) -> list[Span]:
        """The positions of keys in the text of a view, as positions in the original text."""
        seen = view.folded()
        data = seen.text.encode("utf-8", "replace")
        letters = letters_of(data)
        at = _letters_at(seen.text.encode("ascii", "replace"))

        def places(letter_runs: Grams, exact_runs: Grams) -> list[Span]:
            plain = [(at[start], at[end - 1] + 1) for start, end in letter_runs.places(letters)]
            return [*plain, *(_characters(data, span) for span in exact_runs.places(data))]

        found = places(self._letter_runs, self._exact_runs)
        found += ((at[start], at[end - 1] + 1) for start, end in self._short_letters.places(letters))
        found += (_characters(data, match.span()) for each in self._short for match in each.finditer(data))
        public = places(self._public_letter_runs, self._public_exact_runs) if found else []
        return [seen.origin(span) for span in _with_neighbours(found, public)]


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


def _letters_at(data: bytes) -> list[int]:
    """Where the letters and digits of ASCII are."""
    return list(compress(count(), data.translate(_IS_LETTER)))


def _characters(data: bytes, span: Span) -> Span:
    """Places of characters for places of bytes in UTF-8."""
    if data.isascii():
        return span
    return len(data[: span[0]].decode("utf-8", "ignore")), len(data[: span[1]].decode("utf-8", "ignore"))
