"""Values in JSON documents from a network: where a path leads, whether two values are the same, and what differs.

A path is written `a.b`, `a[0].b` or `"a.b".c`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from gwtui.text.sanitize import clean

JSON_BYTES = 4 * 1024 * 1024
"""A longer answer is not read as JSON."""
SHOWN = 60
"""Characters of a path or a value that are quoted."""
MOST_NAMED = 4
"""Values that are named, if that many differ."""
_STEP = re.compile(r'\.?(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>[^.\[\]="]+))|\[(?P<index>\d{1,9})\]')

Steps: TypeAlias = tuple[str | int, ...]


class JSONPathError(ValueError):
    """A path that is not one. The text says what is wrong, without the value that belongs to it."""


@dataclass(frozen=True, slots=True)
class NoDocument:
    """An answer that is not read as JSON."""

    reason: str
    """Such as `not JSON`."""


@dataclass(frozen=True, slots=True)
class WantedValue:
    """A value that a document must have."""

    path: str
    steps: Steps
    value: object


def document_of(answer: str | bytes) -> object:
    """The answer as JSON, or an `NoDocument`. Never raises."""
    if len(answer) > JSON_BYTES:
        return NoDocument(f"longer than {JSON_BYTES >> 20} MiB")
    try:
        return json.loads(answer)
    except RecursionError:
        return NoDocument("nested too deep")
    except ValueError:
        return NoDocument("not JSON")


def steps_of(text: str) -> tuple[Steps, int]:
    """The steps of the path that a text begins with, and where it ends. Raises `JSONPathError`."""
    steps: list[str | int] = []
    at = 0
    while (step := _STEP.match(text, at)) is not None:
        steps.append(_step(step))
        at = step.end()
    return tuple(steps), at


def _step(step: re.Match[str]) -> str | int:
    if step["index"] is not None:
        return int(step["index"])
    if step["quoted"] is None:
        return step["bare"]
    try:
        return str(json.loads(f'"{step["quoted"]}"'))
    except ValueError as error:
        words = f"holds a key of the path that is not a JSON string: {clean(str(error), 100)}"
        raise JSONPathError(words) from error


def wanted_values(table: Mapping[str, Any]) -> tuple[WantedValue, ...]:
    """Those of a table of paths with their values. Raises `JSONPathError`, whose text begins with the path."""
    return tuple(WantedValue(path, _whole(path), value) for path, value in unfolded(table))


def unfolded(table: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Paths with their values. A table in it goes on with the path: to TOML `providers.anthropic = true` is one."""
    for path, value in table.items():
        if isinstance(value, Mapping):
            yield from ((f"{path}.{below}", each) for below, each in unfolded(value))
        else:
            yield path, value


def _whole(path: str) -> Steps:
    steps, end = steps_of(path)
    if not steps or end < len(path) or path.startswith("."):
        raise JSONPathError(f'{clean(path, SHOWN)!r} is not a path: write status, data[0].id or "a.b".c')
    return steps


def differences(document: object, wanted: Sequence[WantedValue]) -> str:
    """What is not as wanted: `providers.anthropic is false, not true; status is missing, not "ok"`; "" for nothing."""
    words = [each for value in wanted if (each := _difference(document, value))]
    more = f"; {len(words) - MOST_NAMED} more differ" if len(words) > MOST_NAMED else ""
    return "; ".join(words[:MOST_NAMED]) + more


def _difference(document: object, wanted: WantedValue) -> str:
    name, due = clean(wanted.path, SHOWN), shown_json(wanted.value)
    try:
        found = value_at(document, wanted.steps)
    except LookupError:
        return f"{name} is missing, not {due}"
    return "" if same_json(found, wanted.value) else f"{name} is {shown_json(found)}, not {due}"


def value_at(document: object, steps: Steps) -> object:
    """Where the steps lead. Raises `LookupError` if there is no such value."""
    for step in steps:
        document = _child(document, step)
    return document


def _child(value: Any, step: str | int) -> Any:
    if isinstance(value, dict):
        return value[str(step)]
    if isinstance(value, list) and str(step).isdecimal():
        return value[int(step)]
    raise LookupError(step)


def same_json(one: object, other: object) -> bool:
    """Whether two JSON values are equal; to Python `true` and `1` are, to JSON they are not."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_json(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same_json, one, other))
    return one == other


def shown_json(value: object) -> str:
    """The value as JSON, clean and short."""
    try:
        return clean(json.dumps(value, ensure_ascii=False), SHOWN)
    except RecursionError:
        return "nested too deep"
