"""JSON from a gateway, read without ever raising.

The strict and fast reader takes the form that an API promises. What it refuses is read once more by Python's own,
which also takes NaN, huge numbers and half surrogate pairs as most clients do: that alone is no reason to call a
stream broken.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from gwtui.text.sanitize import clean

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A payload that is not what the API promises."""

    reason: str
    """What is wrong with it, cleaned."""
    value: object = None
    """The payload, where it is JSON at least."""


QUOTED = 60
"""How many characters are quoted of a text that does not even begin like JSON."""
NOTHING = Unreadable("not JSON: an empty text")
"""An empty payload, which costs no reader anything however often it comes."""


def read_json(decoder: msgspec.json.Decoder[T], text: str | bytes) -> T | Unreadable:
    """The payload in the decoder's type, or what is wrong with it."""
    if not text:
        return NOTHING
    try:
        return decoder.decode(text)
    except (ValueError, RecursionError):
        return _read_again(decoder, text)


def _read_again(decoder: msgspec.json.Decoder[T], text: str | bytes) -> T | Unreadable:
    try:
        value = json.loads(text)
    except RecursionError:
        return Unreadable("JSON that is nested too deep")
    except json.JSONDecodeError as error:
        begins = f"it begins with {clean(error.doc[:QUOTED])!r}" if error.pos == 0 else clean(str(error), 100)
        return Unreadable(f"not JSON: {begins}")
    except ValueError as error:
        return Unreadable(f"not JSON: {clean(str(error), 100)}")
    try:
        # `Decoder.type` is untyped in msgspec's stubs; it is the T it was made with.
        decoded: T = msgspec.convert(value, decoder.type)
    except (ValueError, RecursionError) as error:
        return Unreadable(f"JSON of another form: {clean(str(error), 100)}", value)
    return decoded


def as_text(value: object, limit: int = 300) -> str:
    """Whatever stands where a text is due, as a text; not yet clean."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    try:
        return repr(value)[:limit]
    except RecursionError:
        return "…"


def as_json(value: object) -> str:
    """A decoded value as JSON again; not yet clean."""
    try:
        return json.dumps(value, ensure_ascii=False)
    except (RecursionError, ValueError, TypeError):
        return "…"


def member(value: object, *path: str) -> object:
    """What stands at that path of a decoded JSON object; None where nothing does."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


class Arguments:
    """The arguments of one tool call, which come in fragments of a JSON object."""

    MAX_KEPT = 1 << 20

    def __init__(self) -> None:
        self._fragments: list[str] = []
        self._length = 0

    def add(self, fragment: str) -> None:
        """Take the next fragment."""
        self._length += len(fragment)
        if self._length <= self.MAX_KEPT:
            self._fragments.append(fragment)

    @property
    def begun(self) -> bool:
        """Whether any of them came."""
        return self._length > 0

    def whole(self) -> bool:
        """Whether they are a JSON object. An empty text means no arguments; a text too long to keep is accepted."""
        text = "".join(self._fragments).strip()
        if not text or self._length > self.MAX_KEPT:
            return True
        try:
            return isinstance(json.loads(text), dict)
        except RecursionError:
            return True
        except ValueError:
            return False
