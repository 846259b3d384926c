"""What an answer has to be, as an endpoint's `expect` says it: for HTTP bodies and WebSocket frames alike. And the
statuses that an `expect_status` allows.

    pong                 this text; line ends at its end do not matter
    re:^ok\\b             a regular expression that is found somewhere in the answer
    json:status=ok       the value at a path of a JSON answer: `a.b`, `a[0].b`, `"a.b".c`
    any                  whatever comes
    text:any             this text, where it begins with one of these words

A pattern searches the first 64 KiB of an answer and is given up after 50 ms, so that no pattern can hold up the engine.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from gwtui.text.sanitize import clean

SEARCHED_CHARACTERS = 64 * 1024
"""How much of an answer a pattern searches."""
JSON_BYTES = 4 * 1024 * 1024
"""A longer answer is not read as JSON."""
PATTERN_S = 0.05
"""How long a pattern may search one answer, in seconds of processor time."""

Statuses: TypeAlias = int | str | tuple[int | str, ...]
"""One status, a text such as `2xx`, `200-299` or `2xx, 404`, or several of both."""
STATUSES = range(100, 600)

_QUOTED = 60
_STATUS = re.compile(r"(?P<hundreds>[1-5])xx|(?P<first>\d{3})(?:-(?P<last>\d{3}))?", re.IGNORECASE)
_STEP = re.compile(r'\.?(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>[^.\[\]="]+))|\[(?P<index>\d{1,9})\]')


class ExpectError(ValueError):
    """An `expect` that is not one. The text says what is wrong, without the value itself."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Why an answer is not the expected one."""

    reason: str
    """A clean clause, such as `'pong' is expected`; what came instead is for the caller to quote."""
    undecided: bool = False
    """The pattern took too long, which says nothing about the answer."""


class Expectation(Protocol):
    """What an answer is compared with."""

    def mismatch(self, answer: str | bytes) -> Mismatch | None:
        """None for the expected answer. Never raises, whatever the answer is."""


@functools.lru_cache(maxsize=256)
def expectation(text: str) -> Expectation:
    """What `text` expects. Raises `ExpectError`."""
    kind, colon, rest = text.partition(":")
    if text == "any":
        return _Any()
    if colon and kind in _KINDS:
        return _KINDS[kind](rest)
    return _text(text)


@functools.lru_cache(maxsize=256)
def expected_statuses(given: Statuses) -> tuple[range, ...]:
    """The statuses that these allow. Raises `ExpectError`."""
    if isinstance(given, tuple):
        if not given:
            raise ExpectError("contains no status")
        return tuple(found for each in given for found in expected_statuses(each))
    return tuple(_statuses(text.strip()) for text in str(given).split(","))


def spelled_statuses(given: Statuses) -> str:
    """As people write them: `200-299, 404`."""
    return ", ".join(map(str, given)) if isinstance(given, tuple) else str(given)


def _statuses(text: str) -> range:
    found = _STATUS.fullmatch(text)
    if found is None:
        raise ExpectError("must be a status such as 204, 2xx or 200-299, or several of them")
    if found["hundreds"] is not None:
        first = 100 * int(found["hundreds"])
        return range(first, first + 100)
    first, last = int(found["first"]), int(found["last"] or found["first"])
    if first not in STATUSES or last not in STATUSES or first > last:
        raise ExpectError("must be between 100 and 599, the lower status first")
    return range(first, last + 1)


@dataclass(frozen=True, slots=True)
class _Any:
    def mismatch(self, answer: str | bytes) -> Mismatch | None:
        return None


@dataclass(frozen=True, slots=True)
class _Text:
    wanted: bytes

    def mismatch(self, answer: str | bytes) -> Mismatch | None:
        came = answer if isinstance(answer, bytes) else answer.encode("utf-8", "surrogatepass")
        if came.rstrip(b"\r\n") == self.wanted.rstrip(b"\r\n"):
            return None
        return Mismatch(f"{_quoted(self.wanted.decode('utf-8', 'replace'))} is expected")


@dataclass(frozen=True, slots=True)
class _Pattern:
    text: str
    compiled: Any
    """A `regex.Pattern`: unlike Python's own it can be given up."""

    def mismatch(self, answer: str | bytes) -> Mismatch | None:
        if isinstance(answer, bytes):
            answer = answer[: SEARCHED_CHARACTERS * 4].decode("utf-8", "replace")
        try:
            found = self.compiled.search(answer[:SEARCHED_CHARACTERS], timeout=PATTERN_S)
        except TimeoutError:
            words = f"the pattern {_quoted(self.text)} takes more than {PATTERN_S * 1000:g} ms: write a simpler one"
            return Mismatch(words, undecided=True)
        return None if found else Mismatch(f"a match of {_quoted(self.text)} is expected")


@dataclass(frozen=True, slots=True)
class _Value:
    path: str
    steps: tuple[str | int, ...]
    text: str
    value: object
    """The text as a JSON value; the text itself if it is not JSON."""

    def mismatch(self, answer: str | bytes) -> Mismatch | None:
        expected = f"`{clean(self.path, _QUOTED)}` = {clean(self.text, _QUOTED)} is expected"
        if len(answer) > JSON_BYTES:
            return Mismatch(f"{expected}, and the answer is longer than {JSON_BYTES >> 20} MiB")
        try:
            found = json.loads(answer)
        except (ValueError, RecursionError):
            return Mismatch(f"{expected}, and the answer is not JSON")
        for step in self.steps:
            try:
                found = _child(found, step)
            except LookupError:
                return Mismatch(f"{expected}, and there is no such value")
        if found == self.text or _same(found, self.value):
            return None
        return Mismatch(f"{expected}, and it is {clean(_as_json(found), _QUOTED)}")


def _text(text: str) -> _Text:
    return _Text(text.encode("utf-8", "surrogatepass"))


def _pattern(text: str) -> _Pattern:
    import regex

    try:
        return _Pattern(text, regex.compile(text))
    except (regex.error, ValueError, OverflowError, RecursionError) as error:
        raise ExpectError(f"is not a regular expression: {clean(str(error), 100)}") from error


def _value(text: str) -> _Value:
    steps: list[str | int] = []
    at = 0
    while (step := _STEP.match(text, at)) is not None:
        steps.append(_step(step))
        at = step.end()
    if not steps or text[at : at + 1] != "=" or text.startswith("."):
        raise ExpectError("must be json:PATH=VALUE, such as json:status=ok or json:data[0].id=7")
    wanted = text[at + 1 :]
    try:
        return _Value(text[:at], tuple(steps), wanted, json.loads(wanted))
    except (ValueError, RecursionError):
        return _Value(text[:at], tuple(steps), wanted, wanted)


def _step(step: re.Match[str]) -> str | int:
    if step["index"] is not None:
        return int(step["index"])
    if step["quoted"] is None:
        return step["bare"]
    try:
        return str(json.loads(f'"{step["quoted"]}"'))
    except ValueError as error:
        raise ExpectError(f"holds a key of the path that is not a JSON string: {clean(str(error), 100)}") from error


def _child(value: Any, step: str | int) -> Any:
    """Raises `LookupError` if there is no such value."""
    if isinstance(value, dict):
        return value[str(step)]
    if isinstance(value, list) and str(step).isdecimal():
        return value[int(step)]
    raise LookupError(step)


def _same(one: object, other: object) -> bool:
    """Whether two JSON values are equal; to Python `true` and `1` are, to JSON they are not."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return one == other


def _as_json(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return "nested too deep"


def _quoted(text: str) -> str:
    return repr(clean(text, _QUOTED))


_KINDS: dict[str, Callable[[str], Expectation]] = {"text": _text, "re": _pattern, "json": _value}
