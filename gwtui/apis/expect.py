"""What an answer has to be, as an endpoint's `expect` says it: for HTTP bodies and WebSocket frames alike. And the
statuses that an `expect_status` allows.

    pong                 this text; line ends at its end do not matter
    re:^ok\\b             a regular expression that is found somewhere in the answer
    json:status=ok       the value at a path of a JSON answer: `a.b`, `a[0].b`, `"a.b".c`
    any                  whatever comes
    text:any             this text, where it begins with one of these words

`expect_json` is a table of such paths with their values; all of them have to be there.

A pattern searches the first 64 KiB of an answer and is given up after 50 ms, so that no pattern can hold up the engine.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from gwtui.apis.json_values import (
    MOST_NAMED,
    SHOWN,
    JSONPathError,
    NoDocument,
    Steps,
    WantedValue,
    differences,
    document_of,
    same_json,
    shown_json,
    steps_of,
    value_at,
    wanted_values,
)
from gwtui.text.sanitize import clean

SEARCHED_CHARACTERS = 64 * 1024
"""How much of an answer a pattern searches."""
PATTERN_S = 0.05
"""How long a pattern may search one answer, in seconds of processor time."""

Statuses: TypeAlias = int | str | tuple[int | str, ...]
"""One status, a text such as `2xx`, `200-299` or `2xx, 404`, or several of both."""
STATUSES = range(100, 600)

_STATUS = re.compile(r"(?P<hundreds>[1-5])xx|(?P<first>\d{3})(?:-(?P<last>\d{3}))?", re.IGNORECASE)


class ExpectError(ValueError):
    """An `expect` that is not one. The text says what is wrong, without the value itself."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Why an answer is not the expected one."""

    reason: str
    """A clean clause, such as `'pong' is expected`; what came instead is for the caller to quote."""
    undecided: bool = False
    """The pattern took too long, which says nothing about the answer."""
    unread: bool = False
    """The answer is not JSON, or more of it than is read."""


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


def json_expectation(table: Mapping[str, Any]) -> Expectation:
    """What an `expect_json` expects: per path a text, a number, `true` or `false`. Raises `ExpectError`."""
    try:
        return _Values(wanted_values(table))
    except JSONPathError as error:
        raise ExpectError(str(error)) from error


def json_value(text: str) -> tuple[str, Any]:
    """`PATH = VALUE` as path and value: JSON, or else a text. Raises `ExpectError`."""
    try:
        path = text[: steps_of(text)[1]]
    except JSONPathError as error:
        raise ExpectError(str(error)) from error
    equals, wanted = text[len(path) : len(path) + 1], text[len(path) + 1 :].strip()
    if not path.strip() or equals != "=":
        raise ExpectError("must be PATH = VALUE, such as status = healthy")
    try:
        return path.strip(), json.loads(wanted)
    except (ValueError, RecursionError):
        return path.strip(), wanted


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
    steps: Steps
    text: str
    value: object
    """The text as a JSON value; the text itself if it is not JSON."""

    def mismatch(self, answer: str | bytes) -> Mismatch | None:
        expected = f"`{clean(self.path, SHOWN)}` = {clean(self.text, SHOWN)} is expected"
        document = document_of(answer)
        if isinstance(document, NoDocument):
            return Mismatch(f"{expected}, and the answer is {document.reason}")
        try:
            found = value_at(document, self.steps)
        except LookupError:
            return Mismatch(f"{expected}, and there is no such value")
        if found == self.text or same_json(found, self.value):
            return None
        return Mismatch(f"{expected}, and it is {shown_json(found)}")


@dataclass(frozen=True, slots=True)
class _Values:
    wanted: tuple[WantedValue, ...]

    def mismatch(self, answer: str | bytes) -> Mismatch | None:
        document = document_of(answer)
        if isinstance(document, NoDocument):
            paths = ", ".join(clean(each.path, SHOWN) for each in self.wanted[:MOST_NAMED])
            return Mismatch(f"the answer is {document.reason}, so there is no {paths}", unread=True)
        words = differences(document, self.wanted)
        return Mismatch(words) if words else None


def _text(text: str) -> _Text:
    return _Text(text.encode("utf-8", "surrogatepass"))


def _pattern(text: str) -> _Pattern:
    import regex

    try:
        return _Pattern(text, regex.compile(text))
    except (regex.error, ValueError, OverflowError, RecursionError) as error:
        raise ExpectError(f"is not a regular expression: {clean(str(error), 100)}") from error


def _value(text: str) -> _Value:
    try:
        steps, at = steps_of(text)
    except JSONPathError as error:
        raise ExpectError(str(error)) from error
    if not steps or text[at : at + 1] != "=" or text.startswith("."):
        raise ExpectError("must be json:PATH=VALUE, such as json:status=ok or json:data[0].id=7")
    wanted = text[at + 1 :]
    try:
        return _Value(text[:at], steps, wanted, json.loads(wanted))
    except (ValueError, RecursionError):
        return _Value(text[:at], steps, wanted, wanted)


def _quoted(text: str) -> str:
    return repr(clean(text, SHOWN))


_KINDS: dict[str, Callable[[str], Expectation]] = {"text": _text, "re": _pattern, "json": _value}
