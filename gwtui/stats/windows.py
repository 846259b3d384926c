"""One figure over time: what happened in the last T seconds, or in the whole session, in fixed memory.

Time is cut into slots of equal width, aligned to the clock's zero and not to now, so that a picture of them stands
still while time moves on. Each slot has a histogram and a count of failures. No clock is read here: time is what the
callers pass in, and the newest they ever passed is now.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

from gwtui.model.view import LatencyPoint
from gwtui.stats.histogram import COARSE, DIGITS, Histogram

_NOTHING = LatencyPoint(p50_ns=None, p95_ns=None, p99_ns=None, n=0, failed=0)


class _Slot(Histogram):
    """The values of a slot, how often there was one in doubt, and how often a failure instead."""

    __slots__ = ("failed", "unsure")

    def __init__(self, digits: int) -> None:
        super().__init__(digits)
        self.failed = self.unsure = 0


class SlotSpan(ABC):
    """A stretch of time up to now, in slots."""

    def __init__(self, width_ns: int, slots: int, digits: int = DIGITS) -> None:
        self._digits = digits
        self._width = width_ns
        self._limit = slots
        self._slots: dict[int, _Slot] = {}
        self._newest = -1
        self._n = 0
        """Values, those in doubt included."""
        self._failed = 0
        # The histogram of all slots, kept up to date only while somebody looks at it.
        self._sum: Histogram | None = None
        self._points: dict[int, dict[tuple[int, int], LatencyPoint]] = {}

    def add(self, now_ns: int, values: Histogram) -> None:
        """Count values at their own time."""
        slot = self._slot_at(now_ns)
        if slot is None:
            return
        slot.merge(values)
        self._n += values.n
        if self._sum is not None:
            self._sum.merge(values)

    def add_value(self, now_ns: int, value: int) -> None:
        """Count one value at its own time: the same as a histogram of it, and a good deal faster."""
        slot = self._slot_at(now_ns)
        if slot is None:
            return
        slot.record(value)
        self._n += 1
        if self._sum is not None:
            self._sum.record(value)

    def add_unsure(self, now_ns: int) -> None:
        """Count a value that is in doubt at its own time, and leave it out of the figures."""
        slot = self._slot_at(now_ns)
        if slot is not None:
            slot.unsure += 1
            self._n += 1

    def add_failure(self, now_ns: int) -> None:
        """Count a failure at its own time."""
        slot = self._slot_at(now_ns)
        if slot is not None:
            slot.failed += 1
            self._failed += 1

    def counts(self, now_ns: int) -> tuple[int, int]:
        """How many values there are, those in doubt included, and how many failures."""
        self._advance(now_ns)
        return self._n, self._failed

    def histogram(self, now_ns: int) -> Histogram:
        """Of all values. It goes on living: read it, keep it not."""
        self._advance(now_ns)
        if self._sum is None:
            self._sum = _merged(list(self._slots.values()))
        return self._sum

    def mark(self, now_ns: int) -> tuple[int, int]:
        """Changes when, with nothing added, the passing of time changes what there is or how the shares lie."""
        self._advance(now_ns)
        return self._newest, self._width

    def points(self, now_ns: int, columns: int) -> tuple[LatencyPoint, ...]:
        """The time in `columns` equal shares, oldest first. Where a slot is wider than that, it fills several.

        Each share is computed once: only the newest slot still changes.
        """
        self._advance(now_ns)
        known = self._points.get(columns, {})
        kept: dict[tuple[int, int], LatencyPoint] = {}
        points: list[LatencyPoint] = []
        for share in self._shares(columns):
            point = known.get(share)
            if point is None:
                point = _point(self._within(share))
            if share[1] <= self._newest:
                kept[share] = point
            points.append(point)
        if len(self._points) > 2:
            self._points.clear()
        self._points[columns] = kept
        return tuple(points)

    def failures(self, now_ns: int, columns: int) -> tuple[int, ...]:
        """The failures of each of the same shares."""
        self._advance(now_ns)
        return tuple(sum(slot.failed for slot in self._within(share)) for share in self._shares(columns))

    @abstractmethod
    def _advance(self, now_ns: int) -> None:
        """Let time move on to this, if it is later than any before."""

    @abstractmethod
    def _slot_at(self, now_ns: int) -> _Slot | None:
        """The slot of that time, after moving on to it; None when it is past remembering."""

    @abstractmethod
    def _shares(self, columns: int) -> Iterator[tuple[int, int]]:
        """The slots (first, end) of each column."""

    def _slot(self, index: int) -> _Slot:
        if index < self._newest:
            self._points.clear()
        slot = self._slots.get(index)
        if slot is None:
            slot = self._slots[index] = _Slot(self._digits)
        return slot

    def _within(self, share: tuple[int, int]) -> list[_Slot]:
        return [slot for index in range(*share) if (slot := self._slots.get(index)) is not None]


class Rolling(SlotSpan):
    """The last `window_ns`, to the precision of one of its `slots`. What is older is left out."""

    def __init__(self, window_ns: int, slots: int) -> None:
        super().__init__(max(window_ns // slots, 1), slots)
        self._asked = 0

    def histogram(self, now_ns: int) -> Histogram:
        self._asked = max(self._newest, now_ns // self._width)
        return super().histogram(now_ns)

    def _slot_at(self, now_ns: int) -> _Slot | None:
        self._advance(now_ns)
        index = now_ns // self._width
        return self._slot(index) if index > self._newest - self._limit else None

    def _advance(self, now_ns: int) -> None:
        index = now_ns // self._width
        if index <= self._newest:
            return
        self._newest = index
        if index - self._asked > self._limit:
            self._sum = None
        for gone in [at for at in self._slots if at <= index - self._limit]:
            self._drop(self._slots.pop(gone))

    def _drop(self, slot: _Slot) -> None:
        self._n -= slot.n + slot.unsure
        self._failed -= slot.failed
        if self._sum is not None:
            self._sum.remove(slot, list(self._slots.values()))

    def _shares(self, columns: int) -> Iterator[tuple[int, int]]:
        slots = self._limit
        # The last column is the newest slot's: the one it is part of, or the last of those it fills.
        end = ((self._newest + 1) * columns - 1 if columns > slots else self._newest * columns) // slots + 1
        return _laid_over(range(end - columns, end), slots, columns)


class Growing(SlotSpan):
    """Everything since `start_ns`. Whenever its slots run out they double their width, so their number is bounded.

    Nothing is ever taken out of the sum, so its slots are for pictures only, and coarse.
    """

    def __init__(self, start_ns: int, width_ns: int, slots: int) -> None:
        super().__init__(width_ns, slots, COARSE)
        self._start = start_ns
        self._sum = Histogram()

    def _slot_at(self, now_ns: int) -> _Slot:
        self._advance(now_ns)
        return self._slot(self._index(now_ns))

    def _advance(self, now_ns: int) -> None:
        while self._index(now_ns) >= self._limit:
            self._width *= 2
            self._newest //= 2
            self._halve()
        self._newest = max(self._newest, self._index(now_ns))

    def _shares(self, columns: int) -> Iterator[tuple[int, int]]:
        return _laid_over(range(columns), self._newest + 1, columns)

    def _index(self, now_ns: int) -> int:
        return max(now_ns - self._start, 0) // self._width

    def _halve(self) -> None:
        """Make one slot of every two."""
        self._points.clear()
        slots: dict[int, _Slot] = {}
        for index, slot in self._slots.items():
            joined = slots.setdefault(index // 2, slot)
            if joined is not slot:
                joined.merge(slot)
                joined.failed += slot.failed
                joined.unsure += slot.unsure
        self._slots = slots


def _laid_over(numbers: range, slots: int, columns: int) -> Iterator[tuple[int, int]]:
    """The slots (first, end) of each column of those numbers, where `slots` slots are laid over `columns` columns."""
    for number in numbers:
        if columns > slots:
            first = number * slots // columns
            yield first, first + 1
        else:
            yield -(-number * slots // columns), -(-(number + 1) * slots // columns)


def _point(slots: list[_Slot]) -> LatencyPoint:
    if not slots:
        return _NOTHING
    values = slots[0] if len(slots) == 1 else _merged(slots)
    p50, p95, p99 = values.quantiles((0.5, 0.95, 0.99))
    return LatencyPoint(p50_ns=p50, p95_ns=p95, p99_ns=p99, n=values.n, failed=sum(slot.failed for slot in slots))


def _merged(slots: list[_Slot]) -> Histogram:
    values = Histogram()
    for slot in slots:
        values.merge(slot)
    return values
