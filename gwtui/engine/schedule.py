"""When the next probe of an endpoint is due. Pure: the clock and random numbers are passed in.

Ticks stand on a fixed grid of the monotonic clock, `first + k * interval`, whatever the probes do: a gateway that
hangs is asked as often as one that answers, and how late a probe started is known against the plan. A tick that finds
no room, or whose time passed while the process stood still, is counted as missed and never made up for.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

SPREAD_NS = 500_000_000
"""The first ticks of all endpoints fall within this time, unless there are many of them."""
SLOT_NS = 2_000_000
"""The least time between the first ticks of two endpoints, about twice as long as it takes to probe one: thousands that
were due together would all wait for one another, and most of them would be missed."""
GRACE_NS = 1_000_000_000
"""A tick that could not start until this much later is missed: the process stood still."""
SHORTEST_NS = 1_000_000
"""The minimum interval: a timer cannot keep a shorter one."""


def offset_ns(rng: Random, interval_ns: int, index: int = 0, of: int = 1) -> int:
    """How long after the start the endpoint at `index` of `of` has its first tick.

    The first one starts at once; each other one somewhere in a slot of its own, so that none fire together.
    """
    slot = min(interval_ns, max(SPREAD_NS, of * SLOT_NS)) / of
    return int((index + rng.random()) * slot) if index else 0


@dataclass(frozen=True, slots=True)
class DueProbes:
    """What is due now."""

    planned_ns: int | None
    """The tick to start now, or None."""
    missed: int
    """Ticks that passed and will not be started."""


class Schedule:
    """The ticks of one endpoint."""

    def __init__(self, now_ns: int, interval_ns: int, offset_ns: int = 0, *, paused: bool = False) -> None:
        self._interval_ns = max(interval_ns, SHORTEST_NS)
        self._offset_ns = offset_ns
        self._next_ns = now_ns + offset_ns
        self._last_ns: int | None = None
        self.paused = paused

    @property
    def interval_ns(self) -> int:
        return self._interval_ns

    def tick_from(self, ns: int) -> int:
        """The first tick to come that is not before `ns`."""
        steps = max(0, -(-(ns - self._next_ns) // self._interval_ns))
        return self._next_ns + steps * self._interval_ns

    @property
    def next_ns(self) -> int | None:
        """When the next tick is due; None while paused."""
        return None if self.paused else self._next_ns

    def take(self, now_ns: int, *, room: bool) -> DueProbes:
        """Take the ticks whose time has come. At most the latest is to be started, and only if there is room."""
        if self.paused or now_ns < self._next_ns:
            return DueProbes(None, 0)
        passed = (now_ns - self._next_ns) // self._interval_ns
        latest_ns = self._next_ns + passed * self._interval_ns
        self._last_ns, self._next_ns = latest_ns, latest_ns + self._interval_ns
        if room and now_ns - latest_ns <= GRACE_NS:
            return DueProbes(latest_ns, passed)
        return DueProbes(None, passed + 1)

    def set_interval(self, now_ns: int, interval_ns: int) -> None:
        """Go on from the last tick with a new interval. A tick that is due already stays due."""
        self._interval_ns = max(interval_ns, SHORTEST_NS)
        if self._last_ns is not None and now_ns < self._next_ns:
            steps = max(1, -(-(now_ns - self._last_ns) // self._interval_ns))
            self._next_ns = self._last_ns + steps * self._interval_ns

    def pause(self) -> None:
        """No more ticks; those that pass are not missed but unwanted."""
        self.paused = True

    def resume(self, now_ns: int) -> None:
        """Begin anew, as promptly as at the start."""
        if self.paused:
            self.paused = False
            self._next_ns, self._last_ns = now_ns + self._offset_ns, None
