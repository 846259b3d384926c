"""What is usual for an endpoint: what its latencies and its share of failures are measured against."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class UsualSource(StrEnum):
    """Where a usual comes from, the best first."""

    HOUR = "this hour over 7 days"
    """The same hour of the day, one before and one after, of 7 days."""
    DAY = "the last 24 h"
    SESSION = "this session"
    NAMED = "a recorded time"
    """A time that the user chose to compare with."""


class UsualLatency(msgspec.Struct, frozen=True, kw_only=True):
    """The usual of one latency: of good results, in ns."""

    source: UsualSource
    n: int
    p50_ns: int
    values: tuple[tuple[int, int], ...]
    """What came how often, in order: pairs of `stats.histogram`."""
    correlation: float = 0.0
    """How strongly one result's latency follows the one before, -1 to 1: lag-1, of their logarithms."""
