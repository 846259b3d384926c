"""What happened in each second of a load: requests started, ended, failed and in flight, and their latencies. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from gwtui.stats.histogram import rank

SECOND_NS = 1_000_000_000
MOST_SECONDS = 100_000
"""A longer load has wider steps."""


@dataclass(frozen=True, slots=True)
class LoadStep:
    """One second of a load, or of a long one a step."""

    at_s: float
    """When it begins, in seconds since the start."""
    started: int
    ended: int
    """Good and failed ones."""
    failed: int
    never_sent: int
    in_flight: float
    """Requests under way, averaged over it."""
    p50_ns: int | None
    """Of the good ones that ended in it, by nearest rank, whatever their number; None where no latency is known."""
    p95_ns: int | None


@dataclass(slots=True)
class PerSecond:
    """Adds requests up by the second, in any order. Stamps are ns since the start."""

    _begins: list[int] = field(default_factory=list)
    _ends: list[int] = field(default_factory=list)
    _ended: list[int] = field(default_factory=list)
    _failed: list[int] = field(default_factory=list)
    _values: list[tuple[int, int]] = field(default_factory=list)
    """Ends and latencies."""
    _missed: list[int] = field(default_factory=list)

    def flight(self, begin_ns: int, end_ns: int) -> None:
        """A request was under way in that time."""
        self._begins.append(max(0, begin_ns))
        self._ends.append(max(0, begin_ns, end_ns))

    def end(self, end_ns: int, value_ns: int | None, *, failed: bool = False) -> None:
        """A request ended. `value_ns`: its latency; None where it failed, or where it is not known."""
        self._ended.append(max(0, end_ns))
        if failed:
            self._failed.append(max(0, end_ns))
        elif value_ns is not None:
            self._values.append((max(0, end_ns), value_ns))

    def miss(self, due_ns: int) -> None:
        """A request was due and never sent."""
        self._missed.append(max(0, due_ns))

    def steps(self) -> list[LoadStep]:
        """From the start to the last end, without a gap; empty where nothing happened."""
        stamps = [*self._ends, *self._missed]
        if not stamps:
            return []
        width_ns = SECOND_NS * max(1, -(-(max(stamps) + 1) // (MOST_SECONDS * SECOND_NS)))
        count = max(stamps) // width_ns + 1
        started, ended, failed, missed = (
            Counter(stamp_ns // width_ns for stamp_ns in stamps)
            for stamps in (self._begins, self._ended, self._failed, self._missed)
        )
        values: dict[int, list[int]] = defaultdict(list)
        for end_ns, value_ns in self._values:
            values[end_ns // width_ns].append(value_ns)
        flying = self._in_flight(width_ns, count)
        return [
            LoadStep(
                at_s=at * width_ns / SECOND_NS,
                started=started[at],
                ended=ended[at],
                failed=failed[at],
                never_sent=missed[at],
                in_flight=in_flight,
                p50_ns=_quantile(values[at], 0.5),
                p95_ns=_quantile(values[at], 0.95),
            )
            for at, in_flight in zip(range(count), flying, strict=True)
        ]

    def _in_flight(self, width_ns: int, count: int) -> Iterator[float]:
        """Averages, by the change of the number at each stamp."""
        changes = sorted([*((at, 1) for at in self._begins), *((at, -1) for at in self._ends)])
        number = place = 0
        for step in range(count):
            at_ns, last_ns, area = step * width_ns, (step + 1) * width_ns, 0
            while place < len(changes) and changes[place][0] < last_ns:
                stamp_ns, change = changes[place]
                area += number * (stamp_ns - at_ns)
                at_ns, number, place = stamp_ns, number + change, place + 1
            area += number * (last_ns - at_ns)
            yield area / width_ns


def _quantile(values: list[int], q: float) -> int | None:
    return sorted(values)[rank(q, len(values)) - 1] if values else None
