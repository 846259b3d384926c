"""The records of several places in the order of their time, however their streams mix. Pure.

A record waits until every place that was heard lately has come to its time; with one place none waits. So the order is
the same whatever the carriers do, as long as no place is behind the others by more than `SILENT_NS`.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TypeAlias

from gwtui.model.judged import Acknowledged, Usual
from gwtui.model.records import Heartbeat, Ping, ProfileChanged, Request, SessionStarted

SILENT_NS = 3_000_000_000
"""A place of which nothing is heard for this time is not waited for: its rows are `unknown` then, too."""
Timed: TypeAlias = SessionStarted | ProfileChanged | Heartbeat | Request | Ping | Usual | Acknowledged
"""The records that states and incidents are made of."""


class InOrder:
    """`put` records as they come. Stamps of all places are of one clock."""

    def __init__(self) -> None:
        self._newest_ns: dict[str, int] = {}
        self._counts: dict[str, int] = {}
        self._waiting: list[tuple[int, str, int, Timed]] = []

    def put(self, record: Timed) -> list[Timed]:
        """Take a record. Gives those whose turn it is."""
        place = getattr(record, "vantage", "")
        # A place's own order holds, also where a result was reported late.
        stamp_ns = max(record.now_ns, self._newest_ns.get(place, record.now_ns))
        self._newest_ns[place] = stamp_ns
        if len(self._newest_ns) == 1:
            return [record]
        count = self._counts[place] = self._counts.get(place, 0) + 1
        heappush(self._waiting, (stamp_ns, place, count, record))
        now_ns = max(self._newest_ns.values())
        heard = [newest_ns for newest_ns in self._newest_ns.values() if newest_ns >= now_ns - SILENT_NS]
        return self._until(min(heard) if len(heard) > 1 else now_ns + 1)

    def rest(self) -> list[Timed]:
        """Those that still wait: there are no more."""
        return self._until(max(self._newest_ns.values(), default=0) + 1)

    def _until(self, before_ns: int) -> list[Timed]:
        ready = []
        while self._waiting and self._waiting[0][0] < before_ns:
            ready.append(heappop(self._waiting)[3])
        return ready
