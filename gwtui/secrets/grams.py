"""Runs of a few characters by which a key is known, and finding them in a text at the cost of almost nothing.

Any run of seven bytes holds four that begin at a multiple of four. So it is enough to look at every fourth place, at
four bytes as one number; only where that number is known the runs around it are looked at.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain, compress, count
from typing import Self

from gwtui.secrets.views import Span

RUN = 8
"""Characters in a row that are not to be seen of a key."""
_QUAD = 4
_CORE = RUN - 1
"""Bytes in a row that any run holds."""


class Grams:
    """A set of runs, each at least `RUN` - 1 bytes long."""

    def __init__(self, runs: Iterable[bytes], quads: Iterable[int], cores: Iterable[bytes]) -> None:
        by_length: defaultdict[int, set[bytes]] = defaultdict(set)
        for run in runs:
            by_length[len(run)].add(run)
        self._by_length = tuple(sorted(by_length.items(), reverse=True))
        self.longest = max(by_length, default=0)
        """Bytes of its longest run."""
        self.quads = frozenset(quads)
        """All that four bytes in a row of a run can be, as numbers."""
        self.cores = frozenset(cores)
        """All that `_CORE` bytes in a row of a run can be."""

    @classmethod
    def of(cls, runs: Iterable[bytes]) -> Self:
        """Grams that know these runs."""
        known = set(runs)
        quads = {quad for run in known for at in range(_QUAD) for quad in quads_of(run[at:])}
        return cls(known, quads, {run[at : at + _CORE] for run in known for at in range(len(run) - _CORE + 1)})

    @classmethod
    def united(cls, grams: Iterable[Grams]) -> Self:
        """Grams that know what any of these knows."""
        each = tuple(grams)
        return cls(
            chain.from_iterable(one.runs() for one in each),
            chain.from_iterable(one.quads for one in each),
            chain.from_iterable(one.cores for one in each),
        )

    def runs(self) -> Iterator[bytes]:
        """All of them."""
        return chain.from_iterable(runs for _, runs in self._by_length)

    def may_hold(self, data: bytes) -> bool:
        """False: the data holds none of the runs, nor seven bytes in a row of one."""
        quads = quads_of(data)
        if self.quads.isdisjoint(quads):
            return False
        known = compress(count(0, _QUAD), map(self.quads.__contains__, quads))
        return any(self._is_within(data, place) for place in known)

    def places(self, data: bytes) -> Iterator[Span]:
        """Where runs stand in the data, in order; those that touch each other are one place."""
        if not self.may_hold(data):
            return
        begin = end = 0
        for at, length in self._found(data):
            if at > end or not end:
                if end:
                    yield begin, end
                begin = at
            end = max(end, at + length)
        if end:
            yield begin, end

    def _found(self, data: bytes) -> Iterator[Span]:
        """Where runs begin, and how far they go on, one behind the other. What lies within is not looked at again."""
        at = 0
        for number, quad in enumerate(quads_of(data)):
            place = _QUAD * number
            if place < at or quad not in self.quads or not self._is_within(data, place):
                continue
            at = max(at, place + _QUAD - self.longest)
            while at <= place:
                end = at
                while length := self._length_at(data, end):
                    end += length
                if end > at:
                    yield at, end - at
                at = max(at, end - self.longest) + 1

    def _is_within(self, data: bytes, place: int) -> bool:
        """False: the four bytes at this place are within no run."""
        behind = place + _QUAD
        ends = range(behind, behind + _CORE - _QUAD + 1)
        return not self.cores.isdisjoint([data[end - _CORE : end] for end in ends])

    def _length_at(self, data: bytes, at: int) -> int:
        """The length of the longest run that begins there; 0: none does."""
        for length, runs in self._by_length:
            if data[at : at + length] in runs:
                return length
        return 0


def quads_of(data: bytes) -> memoryview[int]:
    """Each four bytes as one number, without those that are left at the end."""
    return memoryview(data[: len(data) & -_QUAD]).cast("I")
