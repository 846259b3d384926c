"""Token counts out of `usage` objects, whatever stands in them."""

from __future__ import annotations

from gwtui.apis.base import Usage


def count(usage: object, *fields: str) -> int | None:
    """The first of the fields that holds a count; None when none does."""
    if not isinstance(usage, dict):
        return None
    for field in fields:
        value = usage.get(field)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 53:
            return value
    return None


def add(*counts: int | None) -> int | None:
    """The sum of those that are known; None when none is."""
    known = [value for value in counts if value is not None]
    return sum(known) if known else None


def spent(usage: Usage) -> bool:
    """Whether a model worked at all, by its own account."""
    return bool(usage.input_tokens or usage.output_tokens)
