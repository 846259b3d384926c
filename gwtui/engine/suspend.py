"""Times that the monotonic clock does not show: the machine slept, or the wall clock was set. Pure but for
`awake_and_asleep_ns`.

CLOCK_MONOTONIC stands still while a machine sleeps, CLOCK_BOOTTIME does not (Linux, clock_gettime(2)); so what the
second gained on the first was slept, and what the wall clock gained on the second was set.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

SLEEP_NS = 2_000_000_000
"""A shorter time between two looks does not count as sleep."""
STEP_S = 1.0
"""Less than this between two looks is the clock being slewed."""


def awake_and_asleep_ns() -> int:
    """A clock that also runs while the machine sleeps. Without one: the monotonic clock, and sleep is not detected."""
    name = {"linux": "CLOCK_BOOTTIME", "darwin": "CLOCK_MONOTONIC"}.get(sys.platform, "")
    clock = getattr(time, name, None)
    return time.perf_counter_ns() if clock is None else time.clock_gettime_ns(clock)


@dataclass(frozen=True, slots=True)
class Moment:
    """One look at the three clocks."""

    now_ns: int
    boot_ns: int
    """By the clock that also runs while the machine sleeps."""
    at: float
    """Wall time."""

    def slept_ns(self, then: Moment) -> int:
        """How long the machine slept between `then` and now; 0 when it did not."""
        slept_ns = (self.boot_ns - then.boot_ns) - (self.now_ns - then.now_ns)
        return slept_ns if slept_ns >= SLEEP_NS else 0

    def wall_step_s(self, then: Moment) -> float:
        """How far the wall clock was set between `then` and now; 0.0 when it was not."""
        step_s = (self.at - then.at) - (self.boot_ns - then.boot_ns) / 1e9
        return step_s if abs(step_s) >= STEP_S else 0.0
