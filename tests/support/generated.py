"""Hypothesis strategies for records and commands, made from the types themselves: a new field is covered at once."""

from __future__ import annotations

import types
import typing
from enum import Enum
from typing import Any

import msgspec
from hypothesis import strategies as st

from gwtui.model.commands import Command
from gwtui.model.profile import CHOICES
from gwtui.model.records import Record

RECORD_TYPES: tuple[type[Any], ...] = typing.get_args(Record)
COMMAND_TYPES: tuple[type[Any], ...] = typing.get_args(Command)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
whole = st.integers(-(2**63), 2**63 - 1)
numbers = st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.booleans() | whole | numbers | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=3,
)


_made: dict[type[Any], st.SearchStrategy[Any]] = {}


def structs(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Any value of a msgspec struct whose every field is drawn from its type and bounds. Made once of each type."""
    if kind not in _made:
        hints = typing.get_type_hints(kind, include_extras=True)
        fields = {field.name: _of(hints[field.name]) for field in msgspec.structs.fields(kind)}
        _made[kind] = st.builds(kind, **fields)
    return _made[kind]


def _of(hint: Any) -> st.SearchStrategy[Any]:
    plain: dict[Any, st.SearchStrategy[Any]] = {
        str: texts,
        int: whole,
        float: numbers,
        bool: st.booleans(),
        type(None): st.none(),
        Any: json_values,
    }
    if hint in plain:
        return plain[hint]
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(list(hint))
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return st.deferred(lambda: structs(hint))
    return _generic(typing.get_origin(hint), typing.get_args(hint))


def _generic(origin: Any, args: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    if origin is typing.Annotated:
        return _bounded(args[0], args[1])
    if origin is typing.Literal:
        return st.sampled_from(args)
    if origin in (types.UnionType, typing.Union):
        return st.one_of(*map(_of, args))
    if origin is dict:
        return st.dictionaries(_of(args[0]), _of(args[1]), max_size=2)
    if origin is tuple and args[-1] is Ellipsis:
        return st.lists(_of(args[0]), max_size=2).map(tuple)
    if origin is tuple:
        return st.tuples(*map(_of, args))
    raise NotImplementedError(origin)


def _bounded(kind: Any, meta: msgspec.Meta) -> st.SearchStrategy[Any]:
    if meta.extra is not None:
        return st.sampled_from(meta.extra[CHOICES])
    if kind is str:
        return st.text(st.characters(exclude_categories=["Cs"]), min_size=meta.min_length or 0, max_size=20)
    low = meta.ge if meta.ge is not None else meta.gt
    high = meta.le if meta.le is not None else meta.lt
    if kind is int:
        return st.integers(None if low is None else int(low), None if high is None else int(high))
    return st.floats(
        low,
        high,
        exclude_min=meta.gt is not None,
        exclude_max=meta.lt is not None,
        allow_nan=False,
        allow_infinity=False,
    )
