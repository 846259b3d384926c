"""How the values of records become cells of CSV files, and cells become values again."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

import msgspec

from gwtui.model.enums import FindingName
from gwtui.model.records import Finding
from gwtui.text.sanitize import clean
from gwtui.text.units import milliseconds, timestamp

Cell: TypeAlias = str | int | float | bool | None

LONGEST_TEXT = 4096
LARGEST = (1 << 63) - 1
"""Numbers beyond this are refused: as nanoseconds it is 292 years."""


@dataclass(frozen=True, slots=True)
class CellKind:
    """One way to write a value as a cell, and the way back."""

    read: Callable[[str], Any]
    """The value of a cell that is not empty. Raises ValueError, OverflowError or KeyError."""
    write: Callable[[Any], Cell] | None = None
    """None: the value is written as it is."""
    reads_empty: bool = False
    """Whether an empty cell is a value; for other kinds it means "not measured"."""


def _text(text: str) -> str:
    """Cleaned, because anybody may have edited the file."""
    return clean(text, LONGEST_TEXT)


def _whole(text: str) -> int:
    return _sane(int(text))


def _nanoseconds(milliseconds: str) -> int:
    return _sane(round(float(milliseconds) * 1_000_000))


def _sane(number: int) -> int:
    if not -LARGEST - 1 <= number <= LARGEST:
        raise ValueError("too large")
    return number


def wall_time(timestamp: str) -> float:
    """RFC 3339 as seconds since the epoch. Raises ValueError."""
    at = datetime.fromisoformat(timestamp)
    if at.tzinfo is None:
        raise ValueError("no time zone")
    return at.timestamp()


def _number(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError("not a number")
    return number


def _boolean(text: str) -> bool:
    return {"true": True, "false": False}[text]


def _strings(text: str) -> dict[str, str]:
    return {_text(name): _text(value) for name, value in msgspec.json.decode(text, type=dict[str, str]).items()}


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode() if value else ""


def _findings(text: str) -> tuple[Finding, ...]:
    return tuple(Finding(name=FindingName(name), evidence="") for name in _text(text).split(";"))


def _names(findings: tuple[Finding, ...]) -> str:
    return ";".join(finding.name.value for finding in findings)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _value(word: Any) -> Cell:
    return None if word is None else str(word.value)


TEXT = CellKind(_text, reads_empty=True)
WORD = CellKind(str, _value)
"""A member of an enum, by its value."""
WHOLE = CellKind(_whole)
NUMBER = CellKind(_number)
ROUNDED = CellKind(_number, _rounded)
"""A number with three decimals."""
MILLISECONDS = CellKind(_nanoseconds, milliseconds)
"""Nanoseconds, written as milliseconds."""
TIME = CellKind(wall_time, timestamp)
"""Seconds since the epoch, written as RFC 3339 in UTC."""
BOOLEAN = CellKind(_boolean)
FINDINGS = CellKind(_findings, _names)
"""Their names; the evidence is not in the row."""
JSON = CellKind(_strings, _json)
"""A mapping or a list as one JSON value; only a mapping of texts is read back."""
