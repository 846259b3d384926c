"""How far off the measurement is: what was reported of a stream, against what its events say of themselves. Pure."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Collection
from typing import Self

import msgspec

from gwtui.records import Heartbeat, Record, Request, StreamRead
from gwtui.selftest.server import Stamps, read_stamps
from gwtui.stats import rank


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """Many figures in ns, told as a few: percentiles by nearest rank. None without any."""

    n: int
    p50_ns: int | None = None
    p99_ns: int | None = None
    max_ns: int | None = None

    @classmethod
    def of(cls, values: array[int]) -> Self:
        n = len(values)
        if not n:
            return cls(n=0)
        ordered = sorted(values)
        return cls(n=n, p50_ns=ordered[rank(0.5, n) - 1], p99_ns=ordered[rank(0.99, n) - 1], max_ns=ordered[-1])


class Errors(msgspec.Struct, frozen=True, kw_only=True):
    """What was reported minus what was true, without its sign."""

    arrivals: Spread
    """Of the stamp of each event."""
    gaps: Spread
    """Of the time between two reads with events."""
    ttft: Spread
    early: int
    """Stamps from before their event was sent, which cannot be: faults of a clock."""
    clocks: dict[str, int]
    """Requests by who took their stamps."""
    verdicts: dict[str, int]
    tainted: int
    """Requests during which the engine itself was late."""
    dropped: int
    """Events that were left out because the front end was slow."""


class Truth:
    """Takes the records of one session, in their order; those of some endpoints may be left out."""

    def __init__(self, without: Collection[str] = ()) -> None:
        self._without = without
        self._arrivals = array("q")
        self._gaps = array("q")
        self._ttft = array("q")
        self._firsts: dict[tuple[str, int], Stamps] = {}
        self._lasts: dict[tuple[str, int], tuple[int, int]] = {}
        self._clocks: Counter[str] = Counter()
        self._verdicts: Counter[str] = Counter()
        self._tainted = 0
        self._dropped = 0

    @property
    def events(self) -> int:
        return len(self._arrivals)

    def take(self, record: Record) -> None:
        if isinstance(record, StreamRead | Request) and record.endpoint in self._without:
            return
        match record:
            case StreamRead():
                self._read(record)
            case Request():
                self._ended(record)
            case Heartbeat():
                self._dropped = record.events_dropped

    def errors(self) -> Errors:
        """All of it so far."""
        return Errors(
            arrivals=Spread.of(array("q", map(abs, self._arrivals))),
            gaps=Spread.of(self._gaps),
            ttft=Spread.of(self._ttft),
            early=sum(error < 0 for error in self._arrivals),
            clocks=dict(self._clocks),
            verdicts=dict(self._verdicts),
            tainted=self._tainted,
            dropped=self._dropped,
        )

    def _read(self, read: StreamRead) -> None:
        stamps = [found for event in read.events if (found := read_stamps(event.text)) is not None]
        if not stamps:
            return
        self._arrivals.extend(read.now_ns - each.sent_ns for each in stamps)
        stream = read.endpoint, read.number
        self._firsts.setdefault(stream, stamps[0])
        # The stamp of a read is that of its last event.
        here = read.now_ns, stamps[-1].sent_ns
        if (before := self._lasts.get(stream)) is not None:
            self._gaps.append(abs(here[0] - before[0] - (here[1] - before[1])))
        self._lasts[stream] = here

    def _ended(self, request: Request) -> None:
        stream = request.endpoint, request.number
        first = self._firsts.pop(stream, None)
        self._lasts.pop(stream, None)
        self._clocks[request.clock] += 1
        self._verdicts[request.verdict] += 1
        self._tainted += request.tainted
        if first is not None and request.ttft_ns is not None:
            self._ttft.append(abs(request.ttft_ns - (first.sent_ns - first.arrived_ns)))
