"""The order of the table of endpoints: by any column, downwards from the worst."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from gwtui.model.enums import State
from gwtui.model.verdicts import GOOD
from gwtui.model.view import EndpointRow

_Key: TypeAlias = int | float | str | tuple[int | float | str, ...] | None

_SEVERITY = (State.UP, State.PAUSED, State.UNKNOWN, State.SLOW, State.DEGRADED, State.DOWN)

ORDERS: dict[str, Callable[[EndpointRow], _Key]] = {
    "endpoint": lambda row: row.name.casefold(),
    "api": lambda row: row.api,
    "state": lambda row: (_SEVERITY.index(row.state), row.fail_share or 0.0),
    "last": lambda row: row.last_ns,
    "p50": lambda row: row.p50.value_ns,
    "p95": lambda row: row.p95.value_ns,
    "p99": lambda row: row.p99.value_ns,
    "tokens": lambda row: row.tokens_per_s,
    "fail": lambda row: row.fail_share,
    "n": lambda row: row.n,
    "missed": lambda row: row.missed,
    "verdict": lambda row: (row.verdict not in GOOD, row.verdict) if row.verdict else None,
}
"""What each column is ordered by; None for a row that has nothing there."""


def ordered(rows: Iterable[EndpointRow], column: str, *, descending: bool) -> list[EndpointRow]:
    """The rows in the order of a column. Equal ones stay as they were, and those that have nothing there come last."""
    key = ORDERS.get(column)
    if key is None:
        return list(rows)
    keyed = [(key(row), row) for row in rows]
    having = [(value, row) for value, row in keyed if value is not None]
    having.sort(key=lambda pair: pair[0], reverse=descending)
    return [row for _, row in having] + [row for value, row in keyed if value is None]
