"""Checks a raw TOML table against a msgspec struct and finds all that is wrong, where msgspec stops at the first fault.

Messages never repeat a value: a key pasted into the wrong field must not end up on a screen.
"""

from __future__ import annotations

import functools
import re
import types
from collections.abc import Iterator, Mapping
from datetime import date, time
from typing import Any, Literal, Union, get_args, get_origin

import msgspec
from msgspec.structs import FieldInfo

from gwtui.config.errors import KeyPath, Problem, did_you_mean
from gwtui.model.profile import CHOICES

_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "array": "an array",
    "list": "an array",
    "object": "a table",
    "datetime": "a date and time",
    "date": "a date",
    "time": "a time",
}


def problems_of(table: object, struct: type[msgspec.Struct], path: KeyPath, without: str = "") -> Iterator[Problem]:
    """Everything wrong with the table as that struct. The field called `without` is no key of the table."""
    if not isinstance(table, Mapping):
        yield Problem(path, f"expected a table, got {_WORDS.get(type(table).__name__, 'something else')}")
        return
    fields = {field.encode_name: field for field in _fields(struct) if field.encode_name != without}
    for key, value in table.items():
        if key in fields:
            yield from _problems(value, fields[key].type, (*path, key))
        else:
            yield Problem((*path, key), "unknown key", did_you_mean(key, fields))
    for name, field in fields.items():
        if _required(field) and name not in table:
            yield Problem(path, f"{name} is missing")


_fields = functools.cache(msgspec.structs.fields)
"""Their types are evaluated anew at each call, which takes longer than all the rest."""


def _required(field: FieldInfo) -> bool:
    return field.default is msgspec.NODEFAULT and field.default_factory is msgspec.NODEFAULT


def _problems(value: object, wanted: Any, path: KeyPath) -> Iterator[Problem]:
    wanted = _fitting(value, _without_none(wanted))
    origin, arguments = get_origin(wanted), get_args(wanted)
    if isinstance(wanted, type) and issubclass(wanted, msgspec.Struct):
        yield from problems_of(value, wanted, path)
    elif origin is dict and isinstance(value, Mapping) and arguments[1] is not Any:
        for key, item in value.items():
            yield from _problems(item, arguments[1], (*path, key))
    elif origin is tuple and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _problems(item, arguments[0], (*path, index))
    elif choices := _choices(wanted):
        if value not in choices:
            near = did_you_mean(value, choices) if isinstance(value, str) else ""
            yield Problem(path, f"must be one of {', '.join(choices)}", near if near.startswith("did") else "")
    else:
        try:
            msgspec.convert(value, wanted)
        except msgspec.ValidationError as error:
            message = _in_words(str(error))
            is_time = isinstance(value, date | time)
            yield Problem(path, message, "write it in quotes" if is_time and "expected text" in message else "")


def _choices(wanted: Any) -> tuple[str, ...]:
    """The texts that a setting of this type may be; empty where they are not counted."""
    wanted = _without_none(wanted)
    if get_origin(wanted) is Literal:
        return get_args(wanted)
    for meta in getattr(wanted, "__metadata__", ()):
        if choices := (meta.extra or {}).get(CHOICES):
            return tuple(str(choice) for choice in choices)
    return ()


def _without_none(wanted: Any) -> Any:
    """`X | None` is `X` for TOML, which has no null."""
    if get_origin(wanted) not in (Union, types.UnionType):
        return wanted
    members = tuple(member for member in get_args(wanted) if member is not types.NoneType)
    return Union[members]  # noqa: UP007  # built at run time, which `|` has no spelling for


def _fitting(value: object, wanted: Any) -> Any:
    """The member of a union that an array or a table is meant for, so that each fault in it gets a place of its own."""
    members = get_args(wanted) if get_origin(wanted) in (Union, types.UnionType) else ()
    for member in members:
        is_struct = isinstance(member, type) and issubclass(member, msgspec.Struct)
        if (isinstance(value, list) and get_origin(member) is tuple) or (isinstance(value, Mapping) and is_struct):
            return member
    return wanted


def _in_words(message: str) -> str:
    """msgspec's message in the words of TOML."""
    message = message.split(" - at ")[0].replace("Expected", "expected")
    return re.sub(r"`([^`]*)`", lambda found: " or ".join(_WORDS.get(t, t) for t in found[1].split(" | ")), message)
