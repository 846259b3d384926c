"""Runs of a few characters by which a key is known, and finding them in a text at the cost of almost nothing.

Any run of seven bytes holds four that begin at a multiple of four. So it is enough to look at every fourth place, at
four bytes as one number; only where that number is known the runs around it are looked at.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Self

from gwtui.secrets.views import Span

RUN = 8
"""Characters in a row that are not to be seen of a key."""
_QUAD = 4


class Grams:
    """A set of runs, each at least `RUN` - 1 bytes long."""

    def __init__(self, runs: Iterable[bytes], quads: Iterable[int]) -> None:
        by_length: defaultdict[int, set[bytes]] = defaultdict(set)
        for run in runs:
            by_length[len(run)].add(run)
        self._by_length = tuple(sorted(by_length.items()))
        self.quads = frozenset(quads)
        """All that four bytes in a row of a run can be, as numbers."""

    @classmethod
    def of(cls, runs: Iterable[bytes]) -> Self:
        """Grams that know these runs."""
        known = set(runs)
        return cls(known, {quad for run in known for at in range(_QUAD) for quad in _quads_of(run[at:])})

    @classmethod
    def united(cls, grams: Iterable[Grams]) -> Self:
        """Grams that know what any of these knows."""
        each = tuple(grams)
        return cls(chain.from_iterable(one.runs() for one in each), chain.from_iterable(one.quads for one in each))

    def runs(self) -> Iterator[bytes]:
        """All of them."""
        return chain.from_iterable(runs for _, runs in self._by_length)

    def may_hold(self, data: bytes) -> bool:
        """False: the data holds none of the runs, nor seven bytes in a row of one."""
        return not self.quads.isdisjoint(_quads_of(data))

    def places(self, data: bytes) -> Iterator[Span]:
        """Where runs stand in the data, in order of their ends; some are named several times."""
        if not self.may_hold(data):
            return
        for at, quad in enumerate(_quads_of(data)):
            if quad in self.quads:
                yield from self._around(data, _QUAD * at)

    def _around(self, data: bytes, place: int) -> list[Span]:
        """The shortest of the runs which hold these four bytes."""
        for length, runs in self._by_length:
            begin = max(0, place + _QUAD - length)
            if found := [(at, at + length) for at in range(begin, place + 1) if data[at : at + length] in runs]:
                return found
        return []


def _quads_of(data: bytes) -> memoryview[int]:
    return memoryview(data[: len(data) // _QUAD * _QUAD]).cast("I")
