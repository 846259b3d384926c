"""The value axis of a chart: where values stand in it, and which of them are written beside it. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

LOG_RATIO = 4.0
"""The ends of a logarithmic axis are no closer than this, so that ordinary noise stays low."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Where values stand, in rows of dots counted from the top."""

    low: float
    high: float
    rows: int
    top: int
    """Rows that stay free above the highest value."""
    is_log: bool

    def row(self, value: float) -> int:
        if self.is_log:
            share = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        else:
            share = value / self.high
        return self.top + round((1 - min(share, 1.0)) * (self.rows - 1 - self.top))


def linear(values: Sequence[int], height: int, top: int) -> tuple[Scale, list[int]]:
    """From 0 to a little above all of them."""
    most = _ceiling(max(values, default=1) or 1)
    step = _round_step(max(1.0, most / max(1, (height - top // 4) // 3)))
    return Scale(0, most, height * 4, top, is_log=False), [round(step * index) for index in range(int(most / step) + 1)]


def logarithmic(values: Sequence[int], height: int, top: int) -> tuple[Scale, list[int]]:
    """Between round values that hold all of them; labels on as many round values as there is room for."""
    least, most = (max(1, each(values, default=1)) for each in (min, max))
    high = _round_step(max(most, least * LOG_RATIO, 10))
    low = _round_below(min(least, high / LOG_RATIO))
    scale = Scale(low, high, height * 4, top, is_log=True)
    for factors in ((1, 2, 5), (1, 3), (1,)):
        ticks = list(_round_values(low, high, factors))
        rows = [scale.row(tick) // 4 for tick in ticks]
        if len(ticks) > 1 and all(below - above >= 2 for below, above in pairwise(rows)):
            return scale, ticks
    return scale, _thinned(scale, [round(low), *ticks, round(high)])


def _thinned(scale: Scale, ticks: Sequence[int]) -> list[int]:
    """Those with an empty line between them, from the greatest."""
    kept: list[int] = []
    for tick in reversed(ticks):
        if not kept or scale.row(tick) // 4 - scale.row(kept[-1]) // 4 >= 2:
            kept.append(tick)
    return kept


def _round_values(low: float, high: float, factors: Sequence[int]) -> Iterator[int]:
    for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1):
        for factor in factors:
            if low <= (value := factor * 10**power) <= high:
                yield value


def _ceiling(most: float) -> float:
    """The next of a few values per power of ten, so that the axis does not change often."""
    power = 10.0 ** math.floor(math.log10(most))
    return next(factor * power for factor in (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if factor * power >= most * 0.999)


def _round_step(least: float) -> float:
    """The smallest of 1, 2, 2.5, 5 or 10 times a power of ten that is not below `least`."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10, 20) if factor * power >= least)


def _round_below(most: float) -> float:
    """The greatest of 1, 2 or 5 times a power of ten that is not above `most`, which is 1 or more."""
    power = 10.0 ** math.floor(math.log10(most))
    return next((factor * power for factor in (5, 2) if factor * power <= most), power)
