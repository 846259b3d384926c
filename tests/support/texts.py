"""The texts in a value."""

from __future__ import annotations

from collections.abc import Iterator


def texts_of(value: object) -> Iterator[str]:
    """All texts in a nesting of lists and tables."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from (*texts_of(key), *texts_of(inner))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts_of(inner)
