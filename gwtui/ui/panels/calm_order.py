"""The order in which the table is shown: rows move at most every few seconds, not while the user moves. No clock."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from math import inf

from gwtui.model.view import EndpointRow, GroupRow, View

CALM_S = 5.0
"""Rows stand still for this time after they moved, and after a key."""
STANDS_S = 0.5
"""A moment that was looked at for this time is no longer being passed through."""


class CalmOrder:
    """`arranged` gives each view with its rows where they were, until it is time for them to move.

    They move at once where the user asked for it, by another order, filter or grouping, and at a moment of the past
    that stands still. Times are in seconds, of any one clock.
    """

    def __init__(self) -> None:
        self._asked: object = None
        self._places: dict[str, int] = {}
        self._groups: dict[str, int] = {}
        self._moved_s = self._touched_s = self._passed_s = -inf
        self._at_ns: int | None = None

    def touch(self, now_s: float) -> None:
        """The user moves among the rows."""
        self._touched_s = now_s

    def wait_s(self, now_s: float) -> float:
        """How long until rows may move, as far as time alone decides it."""
        left = max(self._moved_s, self._touched_s) + CALM_S - now_s
        return left if self._at_ns is None else min(left, self._passed_s + STANDS_S - now_s)

    def arranged(self, view: View, now_s: float) -> tuple[View, bool]:
        """The view in the order that is shown now, and whether that is another one than it has by itself."""
        query, names = view.query, [row.name for row in view.endpoints]
        asked = (query.sort, query.descending, query.filter, query.group, query.at_ns is None, frozenset(names))
        stood = now_s - self._passed_s >= STANDS_S
        if query.at_ns != self._at_ns:
            self._at_ns, self._passed_s = query.at_ns, now_s
        if asked != self._asked or (stood and query.at_ns is not None) or self.wait_s(now_s) <= 0:
            self._take(view, names, now_s, is_first=self._asked is None)
            self._asked = asked
            return view, False
        if names == list(self._places) and _groups_of(view) == list(self._groups):
            return view, False
        return _in_places(view, self._places, self._groups), True

    def _take(self, view: View, names: list[str], now_s: float, *, is_first: bool) -> None:
        places = {name: place for place, name in enumerate(names)}
        groups = {name: place for place, name in enumerate(_groups_of(view))}
        if (places, groups) != (self._places, self._groups):
            self._moved_s = -inf if is_first else now_s
        self._places, self._groups = places, groups


def _groups_of(view: View) -> list[str]:
    return [line.name for line in view.rows if isinstance(line, GroupRow)]


def _in_places(view: View, places: dict[str, int], groups: dict[str, int]) -> View:
    """The view with its endpoints and its groups in these places."""
    blocks: list[tuple[int, list[EndpointRow | GroupRow]]] = []
    for line in view.rows:
        if isinstance(line, GroupRow):
            blocks.append((groups.get(line.name, len(groups)), [line]))
        elif blocks:
            blocks[-1][1].append(line)
        else:
            blocks.append((0, [line]))
    blocks.sort(key=lambda block: block[0])
    for _, block in blocks:
        block.sort(key=lambda line: -1 if isinstance(line, GroupRow) else places[line.name])
    return replace(
        view,
        endpoints=tuple(sorted(view.endpoints, key=lambda row: places[row.name])),
        rows=tuple(chain.from_iterable(block for _, block in blocks)),
    )
