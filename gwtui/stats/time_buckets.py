"""What happened to one thing over time, in buckets: fine for the latest minutes, coarser the older it is, and bounded.

Every figure (a latency, a count, how often each word came) is a list of (value, count) pairs. A tier holds the pairs
of its buckets one after the other, so a stretch of time is a slice. Whenever a bucket of a coarser tier is over, it is
made of those below it; the finer tiers keep theirs for a while. Any stretch is read from the coarsest buckets that fit
in it. No clock is read here: stamps are ns and never go back; what comes late counts as of the newest.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TypeAlias

from gwtui.stats.histogram import Histogram
from gwtui.stats.numbers import Numbers

SECOND_NS = 1_000_000_000
MINUTE_NS, HOUR_NS = 60 * SECOND_NS, 3600 * SECOND_NS
TIERS = (
    (SECOND_NS, 15 * MINUTE_NS),
    (10 * SECOND_NS, 8 * HOUR_NS),
    (MINUTE_NS, 7 * 24 * HOUR_NS),
    (HOUR_NS, 400 * 24 * HOUR_NS),
)
"""The width of a bucket, and for how long it is kept, of each tier."""
_EXACT = 32
"""Up to this number of different values, a bucket keeps them as they are."""
_KNOWN = 64
"""The number of stretches of time that are remembered."""
_SUMS = 48
"""The number of sums from the beginning that are remembered of a figure."""

Figure: TypeAlias = Hashable
Pairs: TypeAlias = list[tuple[int, int]]
_Slice: TypeAlias = tuple["_Tier", int, int]


class _Column:
    """One figure of a tier."""

    __slots__ = ("counts", "ends", "gone", "values")

    def __init__(self, buckets: int) -> None:
        self.values, self.counts = Numbers(), Numbers()
        self.ends = Numbers(buckets)
        """Where the pairs of each bucket end, counted from the first pair ever."""
        self.gone = 0

    def append(self, pairs: Pairs) -> None:
        if len(pairs) == 1:
            value, count = pairs[0]
            self.values.append(value)
            self.counts.append(count)
        else:
            self.values.extend([value for value, _ in pairs])
            self.counts.extend([count for _, count in pairs])
        self.close()

    def close(self) -> None:
        self.ends.append(self.gone + len(self.values))

    def slice(self, first: int, end: int) -> tuple[array[int], array[int]]:
        """The pairs of the buckets from `first` to before `end`."""
        begin = self.ends[first - 1] - self.gone if first else 0
        stop = self.ends[end - 1] - self.gone if end else 0
        return self.values.values[max(begin, 0) : stop], self.counts.values[max(begin, 0) : stop]

    def forget(self, buckets: int) -> None:
        begin = max(self.ends[buckets - 1] - self.gone, 0)
        self.values.forget(begin)
        self.counts.forget(begin)
        self.ends.forget(buckets)
        self.gone += begin


class _Tier:
    """Buckets of one width. Each has the stamp of its last value."""

    __slots__ = ("columns", "from_ns", "keep_ns", "stamps", "upto_ns", "width_ns")

    def __init__(self, width_ns: int, keep_ns: int) -> None:
        self.width_ns, self.keep_ns = width_ns, keep_ns
        self.stamps = array("q")
        self.columns: dict[Figure, _Column] = {}
        self.from_ns = 0
        """Nothing is missing from here on."""
        self.upto_ns = 0
        """All that came before is in a bucket here."""

    def append(self, stamp_ns: int, figures: dict[Figure, Pairs]) -> None:
        for figure in figures.keys() - self.columns.keys():
            self.columns[figure] = _Column(len(self.stamps))
        for figure, column in self.columns.items():
            pairs = figures.get(figure)
            if pairs:
                column.append(pairs)
            else:
                column.close()
        self.stamps.append(stamp_ns)

    def within(self, start_ns: int, end_ns: int) -> tuple[int, int]:
        """The buckets whose stamps are from `start_ns` to before `end_ns`."""
        return bisect_left(self.stamps, start_ns), bisect_left(self.stamps, end_ns)

    def forget(self, before_ns: int) -> None:
        """Let go of the buckets before that, once there are many of them."""
        gone = bisect_left(self.stamps, before_ns)
        if gone * 8 <= len(self.stamps):
            return
        for column in self.columns.values():
            column.forget(gone)
        del self.stamps[:gone]
        self.from_ns = before_ns


class TimeBuckets:
    """Takes values in, and gives what any stretch of time had."""

    def __init__(self, tiers: tuple[tuple[int, int], ...] = TIERS) -> None:
        self._tiers = [_Tier(width_ns, keep_ns) for width_ns, keep_ns in tiers]
        self._open: dict[Figure, Pairs] = {}
        self._begun_ns = self._newest_ns = 0
        self._stretches: dict[tuple[int, int], list[_Slice]] = {}
        self._known: dict[tuple[Figure, int, int], Histogram] = {}
        """Of the buckets that are closed, what was asked for since the last of them was."""
        self._sums: dict[Figure, dict[int, Histogram]] = {}

    def __len__(self) -> int:
        """The number of buckets that are kept."""
        return sum(len(tier.stamps) for tier in self._tiers)

    def add(self, now_ns: int, figure: Figure, value: int, count: int = 1) -> None:
        """Count a value."""
        self._move(now_ns)
        self._open.setdefault(figure, []).append((value, count))

    def add_pairs(self, now_ns: int, figure: Figure, pairs: Iterable[tuple[int, int]]) -> None:
        """Count (value, count) pairs."""
        self._move(now_ns)
        self._open.setdefault(figure, []).extend(pair for pair in pairs if pair[1] > 0)

    def cut(self, at_ns: int) -> None:
        """Close the newest bucket where all of it is from before that moment, so that the moment can be seen as it
        was when more comes."""
        if self._open and self._newest_ns <= at_ns:
            self._close()

    def split(self, at_ns: int) -> None:
        """End the newest bucket of every width at that moment, so that it can be seen as it was however long ago it is.
        What comes for it later counts as of right after it."""
        self.cut(at_ns)
        if self._open or self._newest_ns > at_ns:
            return
        self._newest_ns = at_ns + 1
        self._forget_known()
        for level, (fine, coarse) in enumerate(pairwise(self._tiers)):
            first, end = fine.within(coarse.upto_ns, at_ns + 1)
            if first < end:
                self._roll_up(level + 1, fine.stamps[end - 1])
                coarse.append(fine.stamps[end - 1], {each: _pairs(fine, each, first, end) for each in fine.columns})
            coarse.upto_ns = max(at_ns + 1, coarse.upto_ns)

    def histogram(self, figure: Figure, start_ns: int, end_ns: int, *, keep: bool = True) -> Histogram:
        """Of the values from one moment to before another. It is to be read, not changed. `keep`: remember it, as it
        will be asked for again."""
        if not keep:
            total = self._sum(figure, start_ns, end_ns)
            total.record_all(self._fresh(figure, start_ns, end_ns))
            return total
        key = (figure, start_ns, end_ns if end_ns <= self._newest_ns else -1)
        known = self._known.get(key)
        if known is None:
            if len(self._known) > _KNOWN:
                self._known.clear()
            known = self._known[key] = self._sum(figure, start_ns, end_ns)
        fresh = self._fresh(figure, start_ns, end_ns)
        if not fresh:
            return known
        merged = Histogram()
        merged.merge(known)
        merged.record_all(fresh)
        return merged

    def count(self, figure: Figure, start_ns: int, end_ns: int) -> int:
        """How many values there were."""
        closed = sum(sum(counts) for _, counts in self._slices(figure, start_ns, end_ns))
        return closed + sum(count for _, count in self._fresh(figure, start_ns, end_ns))

    def counter(self, figure: Figure, start_ns: int, end_ns: int) -> Counter[int]:
        """How often each value came; meant for codes below 256."""
        counted: Counter[int] = Counter()
        for values, counts in self._slices(figure, start_ns, end_ns):
            for value, count in zip(values, counts, strict=True):
                counted[value] += count
        for value, count in self._fresh(figure, start_ns, end_ns):
            counted[value] += count
        return counted

    def _move(self, now_ns: int) -> None:
        now_ns = max(now_ns, self._newest_ns)
        if self._open and now_ns // self._tiers[0].width_ns != self._newest_ns // self._tiers[0].width_ns:
            self._close()
        if not self._open:
            self._begun_ns = now_ns
        self._newest_ns = now_ns

    def _close(self) -> None:
        self._roll_up(0, self._newest_ns)
        self._tiers[0].append(self._newest_ns, {figure: _joined(pairs) for figure, pairs in self._open.items()})
        self._open = {}
        self._forget_known()

    def _forget_known(self) -> None:
        """Buckets are no longer where they were."""
        self._stretches.clear()
        self._known.clear()

    def _roll_up(self, level: int, stamp_ns: int) -> None:
        """Make the coarser buckets that are over at that moment, and let go of what is too old."""
        if level + 1 < len(self._tiers):
            fine, coarse = self._tiers[level], self._tiers[level + 1]
            over_ns = stamp_ns // coarse.width_ns * coarse.width_ns
            first, end = fine.within(coarse.upto_ns, over_ns)
            if first < end:
                self._roll_up(level + 1, fine.stamps[end - 1])
                coarse.append(fine.stamps[end - 1], {each: _pairs(fine, each, first, end) for each in fine.columns})
            coarse.upto_ns = max(over_ns, coarse.upto_ns)
            fine.forget(min((stamp_ns - fine.keep_ns) // coarse.width_ns * coarse.width_ns, coarse.upto_ns))
        else:
            self._tiers[level].forget(stamp_ns - self._tiers[level].keep_ns)

    def _fresh(self, figure: Figure, start_ns: int, end_ns: int) -> Pairs:
        """What the newest bucket has, where it is within that time."""
        return self._open.get(figure, []) if start_ns <= self._begun_ns and self._newest_ns < end_ns else []

    def _sum(self, figure: Figure, start_ns: int, end_ns: int) -> Histogram:
        total = Histogram()
        values: list[int] = []
        counts: list[int] = []
        for tier, first, end in self._stretch(start_ns, end_ns):
            column = tier.columns.get(figure)
            if column is None:
                continue
            if tier is self._tiers[-1] and not first:
                total.merge(self._upto(figure, column, end))
            else:
                some, of_each = column.slice(first, end)
                values += some
                counts += of_each
        _count(total, values, counts)
        return total

    def _upto(self, figure: Figure, column: _Column, end: int) -> Histogram:
        """The sum of the coarsest buckets up to one: each is made of the one before it."""
        if self._tiers[-1].from_ns:
            self._sums.clear()
        sums = self._sums.setdefault(figure, {})
        known = max((at for at in sums if at <= end), default=0)
        total = Histogram()
        if known:
            total.merge(sums[known])
        if len(sums) > _SUMS:
            sums.clear()
        for at in range(known, end):
            _count(total, *column.slice(at, at + 1))
            if end - at <= _SUMS:
                sums[at + 1] = Histogram()
                sums[at + 1].merge(total)
        return total

    def _slices(self, figure: Figure, start_ns: int, end_ns: int) -> Iterator[tuple[array[int], array[int]]]:
        for tier, first, end in self._stretch(start_ns, end_ns):
            column = tier.columns.get(figure)
            if column is not None:
                yield column.slice(first, end)

    def _stretch(self, start_ns: int, end_ns: int) -> list[_Slice]:
        """The buckets from one moment to before another. Several figures of a stretch are asked for, one by one."""
        known = self._stretches.get((start_ns, end_ns))
        if known is None:
            if len(self._stretches) > _KNOWN:
                self._stretches.clear()
            known = self._stretches[start_ns, end_ns] = list(self._pieces(start_ns, end_ns, len(self._tiers) - 1))
        return known

    def _pieces(self, start_ns: int, end_ns: int, level: int) -> Iterator[_Slice]:
        """The buckets from one moment to before another: the coarsest that fit, finer ones at both ends."""
        tier = self._tiers[level]
        if start_ns >= end_ns:
            return
        if not level:
            first, end = tier.within(start_ns, end_ns)
            if first < end:
                yield tier, first, end
            return
        width = tier.width_ns
        inner, outer = -(-start_ns // width) * width, min(end_ns, tier.upto_ns) // width * width
        if inner >= outer:
            yield from self._finer(start_ns, end_ns, level)
            return
        yield from self._finer(start_ns, inner, level)
        first, end = tier.within(inner, outer)
        if first < end:
            yield tier, first, end
        yield from self._finer(outer, end_ns, level)

    def _finer(self, start_ns: int, end_ns: int, level: int) -> Iterator[_Slice]:
        """The same from the tiers below, as far as they go back; before that by the stamps of this one."""
        begin_ns = self._tiers[level - 1].from_ns
        if start_ns < begin_ns:
            first, end = self._tiers[level].within(start_ns, min(begin_ns, end_ns))
            if first < end:
                yield self._tiers[level], first, end
        yield from self._pieces(max(start_ns, begin_ns), end_ns, level - 1)


def _count(total: Histogram, values: Sequence[int], counts: Sequence[int]) -> None:
    """Add the pairs; those that come 0 times are what was rounded up in a sum."""
    if not values:
        return
    low, high = min(counts), max(counts)
    if low == high == 1:
        total.record_each(values)
        return
    total.record_all(zip(values, counts, strict=True))
    if not low:
        total.total -= sum(value for value, count in zip(values, counts, strict=True) if not count)


def _pairs(tier: _Tier, figure: Figure, first: int, end: int) -> Pairs:
    values, counts = tier.columns[figure].slice(first, end)
    return _joined(list(zip(values, counts, strict=True)))


def _joined(pairs: Pairs) -> Pairs:
    """The same in few pairs. What that adds to the sum of the values is a pair that comes 0 times."""
    if len(pairs) == 1:
        return pairs
    joined: Counter[int] = Counter()
    over = 0
    for value, count in pairs:
        if count:
            joined[value] += count
        else:
            over += value
    if len(joined) > _EXACT:
        histogram = Histogram()
        histogram.record_all(joined.items())
        joined = Counter(dict(histogram.pairs()))
        over += sum(value * count for value, count in joined.items()) - histogram.total
    return [*sorted(joined.items()), *([(over, 0)] if over else [])]
