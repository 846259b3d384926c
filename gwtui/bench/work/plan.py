"""How a benchmark loads its endpoints: how many requests, how fast, in which order.

A *closed loop* sends the next request when one has ended, so a gateway that hangs is asked less often just then. An
*open loop* (`rate`) has a time for every request, whatever became of those before; one that finds no room starts
late, and the record says how late.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from gwtui.bench.results.slo import Objective
from gwtui.bench.work.arrivals import Arrivals


class Order(StrEnum):
    """How several endpoints share the time."""

    ONE_BY_ONE = "one by one"
    TOGETHER = "together"
    INTERLEAVED = "interleaved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How to load the endpoints."""

    requests: int | None = 1000
    """For each endpoint; None: as many as fit into `for_s`."""
    for_s: float | None = None
    """Seconds after which no request is started; for each endpoint if they are loaded one after another."""
    concurrency: int = 1
    """The most requests under way at once, for each endpoint unless they are interleaved."""
    concurrency_limit: str = ""
    """What sets `concurrency` where no option does, as a clause."""
    rate: float | None = None
    """Requests per second for each endpoint: an open loop. With `arrivals` the highest of their rates."""
    arrivals: Arrivals | None = None
    """When the requests of an open loop are due; None: evenly."""
    warmup: int = 0
    """Requests sent to each endpoint before, which do not count."""
    order: Order = Order.ONE_BY_ONE
    slo: tuple[Objective, ...] = ()
    """What each request should keep."""
    already: int = 0
    """Requests to each endpoint that were sent before, of a benchmark that is gone on with: `arrivals` begins behind
    them."""

    def due_ns(self, members: int) -> Iterator[int] | None:
        """When the requests of an open loop to endpoints that take turns are due, in ns from the start; None of a
        closed loop."""
        if self.rate is None:
            return None
        offsets = (self.arrivals or Arrivals(last_per_s=self.rate)).offsets_ns(members)
        return offsets if not self.already else _from_start(islice(offsets, self.already * members, None))

    @property
    def first_second(self) -> int | None:
        """How many requests of an open loop are due at an endpoint in the first second; None of a closed loop."""
        if self.rate is None:
            return None
        return (self.arrivals or Arrivals(last_per_s=self.rate)).first_second

    def offered_per_s(self, endpoints: int) -> float | None:
        """The highest number of requests per second that are due at that many endpoints in all; None of a closed
        loop."""
        at_once = 1 if self.order is Order.ONE_BY_ONE else endpoints
        return None if self.rate is None else self.rate * at_once


def _from_start(offsets: Iterator[int]) -> Iterator[int]:
    """The same due times, the first at once."""
    first = None
    for offset in offsets:
        first = offset if first is None else first
        yield offset - first
