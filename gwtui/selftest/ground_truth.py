"""How far off the measurement is: what was reported of a stream, against what its events say of themselves. Pure."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Collection
from typing import Self

import msgspec

from gwtui.model.records import Heartbeat, Record, Request, StreamRead
from gwtui.selftest.server import Stamps, read_stamps
from gwtui.stats.histogram import rank


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """Percentiles of figures in ns, by nearest rank. None without figures."""

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


class ClockErrors(msgspec.Struct, frozen=True, kw_only=True):
    """What was reported minus what was true, without its sign."""

    arrivals: Spread
    """Of the stamp of each event."""
    untainted: Spread
    """The same without the requests during which the engine itself was late."""
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


class _Stream:
    """One answer under way."""

    def __init__(self, first: Stamps) -> None:
        self.first = first
        self.last: tuple[int, int] | None = None
        """When the last read came and when the last of its events was sent."""
        self.arrivals = array("q")


class GroundTruth:
    """Takes the records of one session, in their order; those of some endpoints may be left out."""

    def __init__(self, without: Collection[str] = ()) -> None:
        self._without = without
        self._arrivals = array("q")
        self._gaps = array("q")
        self._ttft = array("q")
        self._untainted = array("q")
        self._streams: dict[tuple[str, int], _Stream] = {}
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

    def errors(self) -> ClockErrors:
        """All of it so far."""
        return ClockErrors(
            arrivals=Spread.of(array("q", map(abs, self._arrivals))),
            untainted=Spread.of(array("q", map(abs, self._untainted))),
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
        arrivals = [read.now_ns - each.sent_ns for each in stamps]
        self._arrivals.extend(arrivals)
        stream = self._streams.setdefault((read.endpoint, read.number), _Stream(stamps[0]))
        stream.arrivals.extend(arrivals)
        # The stamp of a read is that of its last event.
        here, before = (read.now_ns, stamps[-1].sent_ns), stream.last
        if before is not None:
            self._gaps.append(abs(here[0] - before[0] - (here[1] - before[1])))
        stream.last = here

    def _ended(self, request: Request) -> None:
        self._clocks[request.clock] += 1
        self._verdicts[request.verdict] += 1
        self._tainted += request.tainted
        stream = self._streams.pop((request.endpoint, request.number), None)
        if stream is None:
            return
        if not request.tainted:
            self._untainted.extend(stream.arrivals)
        if request.ttft_ns is not None:
            self._ttft.append(abs(request.ttft_ns - (stream.first.sent_ns - stream.first.arrived_ns)))
