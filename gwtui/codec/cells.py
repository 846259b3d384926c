"""How the values of records become cells of CSV files, and cells become values again."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

import msgspec

from gwtui.model.concurrency import MAX_MODELS, Concurrency, ModelTimeline
from gwtui.model.enums import BAD, FindingName, State
from gwtui.model.incidents import Cause, Scope
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


def _counted(text: str) -> int:
    if (number := _whole(text)) < 0:
        raise ValueError("less than 0")
    return number


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


_Value: TypeAlias = str | int | float | bool | None


def concurrency_object(found: Concurrency) -> dict[str, Any]:
    """The analysis as JSON has it: without what is empty, durations in ms. Each model's times count from the request,
    and from its own start too."""
    told: dict[str, Any] = msgspec.to_builtins(found)
    told.pop("models", None)
    own = {name: value for name, value in _in_ms(told).items() if value}
    return {**own, "models": [_model_object(model) for model in found.models]}


def _model_object(model: ModelTimeline) -> dict[str, Any]:
    own = {"first_from_start_ns": model.first_own_ns, "duration_ns": model.took_ns}
    told = {**msgspec.to_builtins(model), **own}
    return _in_ms({name: value for name, value in told.items() if name != "alone" and value is not None})


def _concurrency_cell(found: Concurrency) -> str:
    return msgspec.json.encode(concurrency_object(found)).decode() if found.models else ""


def _concurrency(text: str) -> dict[str, Any]:
    told = msgspec.json.decode(text, type=dict[str, _Value | list[dict[str, _Value]]])
    rows = {name: rows[:MAX_MODELS] for name, rows in told.items() if isinstance(rows, list)}
    fields = {name: value for name, value in told.items() if not isinstance(value, list)}
    return _in_ns(fields) | {name: [_in_ns(row) for row in rows[name]] for name in rows}


def _in_ms(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {
        f"{name[:-3]}_ms" if name.endswith("_ns") else name: milliseconds(value) if name.endswith("_ns") else value
        for name, value in fields.items()
    }


def _in_ns(fields: Mapping[str, _Value]) -> dict[str, Any]:
    """What was in ms in ns, and texts cleaned."""
    read: dict[str, Any] = {}
    for name, value in fields.items():
        if name.endswith("_ms") and value is not None:
            read[f"{name[:-3]}_ns"] = _nanoseconds(str(value))
        else:
            read[name] = _text(value) if isinstance(value, str) else value
    return read


def _findings(text: str) -> tuple[Finding, ...]:
    return tuple(Finding(name=FindingName(name), evidence="") for name in _text(text).split(";"))


def _names(findings: tuple[Finding, ...]) -> str:
    return ";".join(finding.name.value for finding in findings)


def _scope(text: str) -> str:
    Scope.parse(found := _text(text))
    return found


def _cause(text: str) -> str:
    Cause.parse(found := _text(text))
    return found


def _severity(text: str) -> State:
    if (state := State(text)) not in BAD:
        raise ValueError("no state of a sick endpoint")
    return state


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _value(word: Any) -> Cell:
    return None if word is None else str(word.value)


TEXT = CellKind(_text, reads_empty=True)
WORD = CellKind(str, _value)
"""A member of an enum, by its value."""
SCOPE = CellKind(_scope)
"""Where an incident is, in words."""
CAUSE = CellKind(_cause)
"""Why, in words."""
SEVERITY = CellKind(_severity, _value)
WHOLE = CellKind(_whole)
COUNT = CellKind(_counted)
"""A whole number that is not less than 0."""
NUMBER = CellKind(_number)
ROUNDED = CellKind(_number, _rounded)
"""A number with three decimals."""
MILLISECONDS = CellKind(_nanoseconds, milliseconds)
"""Nanoseconds, written as milliseconds."""
TIME = CellKind(wall_time, lambda at: None if at is None else timestamp(at))
"""Seconds since the epoch, written as RFC 3339 in UTC."""
BOOLEAN = CellKind(_boolean)
FINDINGS = CellKind(_findings, _names)
"""Their names; the evidence is not in the row."""
CONCURRENCY = CellKind(_concurrency, _concurrency_cell)
"""The analysis of several models as one JSON object; empty where only one was asked."""
JSON = CellKind(_strings, _json)
"""A mapping or a list as one JSON value; only a mapping of texts is read back."""
