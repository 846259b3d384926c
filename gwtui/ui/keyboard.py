"""What a terminal sends, cut into what was pressed and what was pasted. Any bytes will do; what is neither is dropped.

A terminal sends more than keys: answers to earlier queries, mouse reports of three forms, text
between the marks of a paste, and bytes of other encodings. Sequences are read by their grammar (ECMA-48, 5.4 and 8.3),
so that one that is unknown ends where it ends, and no part of it is taken for keys.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from typing import NamedTuple

ALONE_S = 0.1
"""Seconds after which an escape with nothing after it is the key."""
STRING_S = 0.5
"""Seconds of silence after which a string without its end, such as a cut answer, is dropped."""
PASTE_S = 3.0
"""As much for a paste: what comes after a pause is still not typed."""
MAX_PASTE = 1 << 20
"""Bytes that are kept of a paste."""
MAX_SEQUENCE = 64
MAX_NUMBER = 0x10FFFF
LARGEST_SCREEN = 2_000
"""Columns or rows of a terminal that tells its size."""

_TYPED = re.compile(
    rb"(?:[\x00-\x1a\x1c-\x7f]|\xc2[\xa0-\xbf]|[\xc3-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]"
    rb"|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}"
    rb"|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2})+"
)
"""Characters in UTF-8, but for escape and the controls beyond ASCII (Unicode 16, table 3-7)."""
_BEGUN = re.compile(rb"[\xc2-\xdf]|[\xe0-\xef][\x80-\xbf]?|[\xf0-\xf4][\x80-\xbf]{0,2}")
"""A character whose last bytes are still to come."""
_CSI = re.compile(rb"\x1b\[(?:\[[A-E]|[0-?]*[ -/]*[@-~])")
_CSI_BEGUN = re.compile(rb"\x1b\[(?:\[|[0-?]*[ -/]*)")
_SHIFTED = re.compile(rb"\x1b\[\d+\$")
"""Some terminals end keys with a character that elsewhere stands before the last one."""
_X10 = re.compile(rb"\x1b\[M[^\x1b]{3}")
_X10_BEGUN = re.compile(rb"\x1b\[M[^\x1b]{0,2}")
_STRING = re.compile(rb"\x1b[]PX^_](?=[^\x1b])")
_STRING_TEXT = re.compile(rb"[\x08-\x0d\x20-\xff]*")
_KEY = re.compile(r"\x1b\[\d*(?:;\d*(?:;\d+(?::\d+)*)?)?[u~ABCDEFHPQS]")
_MOUSE = re.compile(r"\x1b\[<\d{1,5};-?\d{1,5};-?\d{1,5}[mM]")
_URXVT = re.compile(r"\x1b\[(\d{1,3});(\d{1,5});(\d{1,5})M")
_MODE = re.compile(r"\x1b\[\?\d{1,5};\d\$y")
_RESIZED = re.compile(r"\x1b\[48;([1-9]\d{0,3});([1-9]\d{0,3});[1-9]\d{0,4};[1-9]\d{0,4}t")
_UNPRINTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_FOCUS = ("\x1b[I", "\x1b[O")
_PASTE, _PASTED = b"\x1b[200~", b"\x1b[201~"
_INTERRUPT = b"\x03"


class Pasted(NamedTuple):
    """Text from the clipboard, without controls but for tabs and ends of lines."""

    text: str


class Keyboard:
    """`feed` it what was read, and call `tick` where nothing was. Each gives characters, single sequences and pastes.

    `known`: the sequences that are keys, beside those of the usual forms.
    """

    def __init__(self, known: Container[str]) -> None:
        self._known = known
        self._rest = b""
        self._fed_s = 0.0
        self._pasting: bytearray | None = None
        self._in_string = False

    @property
    def waits(self) -> bool:
        """Whether something is unfinished."""
        return bool(self._rest) or self._in_string or self._pasting is not None

    def feed(self, data: bytes, now_s: float) -> Iterator[str | Pasted]:
        self._fed_s = now_s
        if data == _INTERRUPT:
            yield from self._give_up()
        data, self._rest = self._rest + data, b""
        at = 0
        unit: str | Pasted | None
        while at < len(data):
            if self._pasting is not None:
                at, unit = self._paste(data, at)
            elif self._in_string:
                at, unit = self._skip(data, at)
            else:
                at, unit = self._next(data, at)
            if unit is not None:
                yield unit
            elif self._rest:
                return

    def tick(self, now_s: float) -> Iterator[str | Pasted]:
        limit_s = PASTE_S if self._pasting is not None else STRING_S if self._in_string else ALONE_S
        if self.waits and now_s - self._fed_s >= limit_s:
            yield from self._give_up()

    def _give_up(self) -> Iterator[str | Pasted]:
        """Nothing more comes: an escape was the key, or Alt was held; the rest of anything else is dropped."""
        rest, self._rest, self._in_string = self._rest, b"", False
        if self._pasting is not None:
            yield self._end_paste(rest)
        elif rest[:1] == b"\x1b" and len(rest) <= 2:
            yield rest.decode("ascii")

    def _paste(self, data: bytes, at: int) -> tuple[int, Pasted | None]:
        end = data.find(_PASTED, at)
        if end >= 0:
            return end + len(_PASTED), self._end_paste(data[at:end])
        kept = next((n for n in range(len(_PASTED) - 1, 0, -1) if data.endswith(_PASTED[:n], at)), 0)
        self._rest = data[len(data) - kept :]
        self._keep(data[at : len(data) - kept])
        return len(data), None

    def _keep(self, data: bytes) -> None:
        if self._pasting is not None:
            self._pasting += data[: MAX_PASTE - len(self._pasting)]

    def _end_paste(self, last: bytes) -> Pasted:
        self._keep(last)
        pasted, self._pasting = bytes(self._pasting or b""), None
        return Pasted(_UNPRINTED.sub("", pasted.decode("utf-8", "ignore")))

    def _skip(self, data: bytes, at: int) -> tuple[int, None]:
        """Pass over the text of a string, to its end or to what no string has in it."""
        found = _STRING_TEXT.match(data, at)
        at = found.end() if found is not None else at
        if data[at:] == b"\x1b":
            self._rest = b"\x1b"
        elif at < len(data):
            self._in_string = False
            at += 2 if data.startswith(b"\x1b\\", at) else 1 if data[at] == 0x07 else 0
        return at, None

    def _next(self, data: bytes, at: int) -> tuple[int, str | None]:
        """The input that begins here, and where it ends. None if it is unfinished or to be dropped."""
        if found := _TYPED.match(data, at):
            return found.end(), found[0].decode("utf-8")
        if data[at] != 0x1B:
            if _BEGUN.fullmatch(data, at):
                self._rest = data[at:]
            return at + 1, None
        if data.startswith(b"\x1b[", at):
            return self._sequence(data, at)
        if data[at:] == b"\x1b" or (len(data) == at + 2 and data[at + 1 :] in b"O]PX^_"):
            self._rest = data[at:]
            return len(data), None
        if _STRING.match(data, at):
            self._in_string = True
            return at + 2, None
        if data[at + 1] == 0x4F:
            unit = data[at : at + 3].decode("ascii", "replace")
            return at + 3, unit if unit in self._known else None
        character = _TYPED.match(data[at + 1 : at + 5])
        return (
            (at + 2, f"\x1b{character[0].decode('utf-8')[0]}")
            if character and data[at + 1] < 0x80
            else (at + 1, "\x1b")
        )

    def _sequence(self, data: bytes, at: int) -> tuple[int, str | None]:
        """What begins with ESC [."""
        if _X10_BEGUN.fullmatch(data, at) or (_CSI_BEGUN.fullmatch(data, at) and len(data) - at <= MAX_SEQUENCE):
            shifted = _SHIFTED.fullmatch(data, at)
            if shifted and shifted[0].decode("ascii") in self._known:
                return shifted.end(), shifted[0].decode("ascii")
            self._rest = data[at:]
            return len(data), None
        if report := _X10.match(data, at):
            return report.end(), _sgr(*(byte - 32 for byte in report[0][3:]))
        if data.startswith(_PASTE, at):
            self._pasting = bytearray()
            return at + len(_PASTE), None
        found = _CSI.match(data, at)
        if found is None:
            begun = _CSI_BEGUN.match(data, at)
            return begun.end() if begun is not None else at + 1, None
        return found.end(), self._meant(found[0].decode("ascii"))

    def _meant(self, sequence: str) -> str | None:
        """The sequence as the keys' parser takes it; None if it is not wanted."""
        if report := _URXVT.fullmatch(sequence):
            buttons, *place = map(int, report.groups())
            return _sgr(buttons - 32, *place)
        if resized := _RESIZED.fullmatch(sequence):
            return sequence if max(map(int, resized.groups())) <= LARGEST_SCREEN else None
        if sequence in self._known or sequence in _FOCUS or _MOUSE.fullmatch(sequence) or _MODE.fullmatch(sequence):
            return sequence
        return sequence if _KEY.fullmatch(sequence) and _is_printable(sequence) else None


def _is_printable(sequence: str) -> bool:
    """Whether all its numbers can be characters, as those of keys are."""
    numbers = [int(number) for number in re.findall(r"\d+", sequence)]
    return all(number <= MAX_NUMBER and not 0xD800 <= number <= 0xDFFF for number in numbers)


def _sgr(buttons: int, column: int, row: int) -> str | None:
    """An older mouse report in the form of the newest. Those do not say which button was let go: none is held then."""
    if buttons < 0 or column < 1 or row < 1:
        return None
    let_go = buttons & 0b11 == 0b11 and buttons < 64
    return f"\x1b[<{buttons | 32 if let_go else buttons};{column};{row}M"
