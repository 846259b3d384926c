"""A text as it reads after something was undone in it, and for each place in it the place that it comes from."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from gwtui.secrets.encodings import ESCAPE, FOREIGN, TAG, character, may_be_escaped, may_be_tagged

Span: TypeAlias = tuple[int, int]

MOST_LEVELS = 8
"""How often a text is unescaped, one escape within the other."""

_IGNORABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u0300-\u036f\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u2400-\u2426\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]+"
)
"""What is not seen in a text, or stands there for what is not: controls and their pictures, marks over letters,
zero-width characters, soft hyphens, signs of direction."""
MISREAD = re.compile(
    "[\xc2-\xfe](?:(?<=[\xe0-\xef])(?:[\x80-\xbf][\x80-\xbf ]| [\x80-\xbf])|(?<=[\xf0-\xf4])[\x80-\xbf ]{3}"
    "|(?<=\xc2)[\x80-\xbf ]|(?<=[\xc3-\xfe])[\x80-\xbf])"
)
"""UTF-8 read as Latin-1, as HTTP headers are; its no-break spaces may have become spaces, and its letters small."""
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


@dataclass(frozen=True, slots=True)
class _Change:
    """A piece of the text before, and what it has become."""

    start: int
    end: int
    was_start: int
    was_end: int


class TextView:
    """A text, and where its characters stood before it was rewritten."""

    __slots__ = ("_before", "_changed", "_new", "_pattern", "text")

    def __init__(
        self,
        text: str,
        before: TextView | None = None,
        pattern: re.Pattern[str] | None = None,
        new: Callable[[re.Match[str]], str] = str,
    ) -> None:
        self.text = text
        self._before = before
        self._pattern = pattern
        self._new = new
        self._changed: list[_Change] | None = None

    def rewritten(self, pattern: re.Pattern[str], new: Callable[[re.Match[str]], str]) -> TextView:
        """The text with every match replaced; itself where none is changed."""
        text = pattern.sub(new, self.text)
        return self if text == self.text else TextView(text, self, pattern, new)

    def origin(self, span: Span) -> Span:
        """Where these characters stood in the text that all began with."""
        if self._before is None:
            return span
        first, last = self._change_at(span[0]), self._change_at(span[1] - 1)
        start = span[0] if first is None else _was(first, span[0])[0]
        end = span[1] if last is None else _was(last, span[1] - 1)[1]
        return self._before.origin((start, end))

    def folded(self) -> TextView:
        """The text as `folded` makes it."""
        view = self if self.text.isascii() else self.rewritten(_NOT_ASCII, lambda match: folded(match[0]))
        view = view.rewritten(_IGNORABLE, lambda _: "")
        return TextView(view.text.lower(), view)

    def _change_at(self, place: int) -> _Change | None:
        """The last change that begins at this place or before it."""
        if self._changed is None:
            self._changed = list(self._changes())
        index = bisect_right(self._changed, place, key=lambda change: change.start)
        return self._changed[index - 1] if index else None

    def _changes(self) -> Iterator[_Change]:
        if self._before is None or self._pattern is None:
            return
        at = length = 0
        for match in self._pattern.finditer(self._before.text):
            made = len(self._new(match))
            length += match.start() - at
            at = match.end()
            yield _Change(length, length + made, match.start(), at)
            length += made


def may_be_rewritten(text: str) -> bool:
    """False: the text has one reading, which is the text itself."""
    return may_be_escaped(text) or (not text.isascii() and MISREAD.search(text) is not None)


def short_readings(text: str) -> list[str]:
    """The texts of `readings`. Escaped letters of other scripts, which no key has, may be left out of them."""
    if not may_be_rewritten(text):
        return [text]
    plain = FOREIGN.sub("\0", text)
    return [view.text for view in readings(text)] if may_be_rewritten(plain) else [text, plain]


def readings(text: str) -> Iterator[TextView]:
    """The text as it is, then read as UTF-8, without tags, and with escapes undone, as often as there are any."""
    view = TextView(text)
    yield view
    for _ in range(MOST_LEVELS):
        before = view
        while not view.text.isascii() and (again := view.rewritten(MISREAD, _read_again)) is not view:
            view = again
            yield view
        if not may_be_escaped(view.text):
            return
        if may_be_tagged(view.text) and (plain := view.rewritten(TAG, lambda _: "")) is not view:
            yield plain
        before = view
        if (view := before.rewritten(ESCAPE, character)) is before:
            return
        yield view


def _read_again(match: re.Match[str]) -> str:
    data = match[0].replace(" ", "\xa0").encode("latin-1")
    if len(data) == 2 and data[0] >= 0xE0:
        data = bytes((data[0] - 0x20, data[1]))
    return data.decode("utf-8", "replace")


def folded(text: str) -> str:
    """The text without regard to case, width, style and marks of letters, and to what is not seen (NFKD)."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text)
    text = text.lower()
    return text if text.isascii() and text.isprintable() else _IGNORABLE.sub("", text)


def unescaped(text: str) -> str:
    """The text with all escapes undone."""
    *_, last = readings(text)
    return last.text


def _was(change: _Change, place: int) -> Span:
    """Where the character at this place came from, which is in this change or behind it."""
    if place < change.end:
        return change.was_start, change.was_end
    behind = change.was_end + place - change.end
    return behind, behind + 1
