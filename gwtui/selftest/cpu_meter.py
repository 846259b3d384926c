"""What processes cost: CPU time over a stretch of a session that leaves its beginning and its end out."""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import dataclass

import msgspec

from gwtui.selftest.ground_truth import GroundTruth

SETTLE_S = 1.0
"""Imports and first connections are over by then."""
END_S = 0.3
"""Before the end of the session."""
_CPUCLOCK_SCHED = 2


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """Of one stretch. CPU times are None if the system does not give those of other processes."""

    wall_ns: int
    events: int
    engine_ns: int | None
    front_ns: int
    """CPU time of the process with the front end."""

    @property
    def engine_ns_per_event(self) -> float | None:
        return self.engine_ns / self.events if self.engine_ns is not None and self.events else None


@dataclass(frozen=True, slots=True)
class _Reading:
    now_ns: int
    events: int
    engine_ns: int | None
    front_ns: int


class CPUMeter:
    """Reads twice while an event loop runs."""

    def __init__(self, pid: int, truth: GroundTruth, seconds: float) -> None:
        self._pid = pid
        self._ground_truth = truth
        self._readings: list[_Reading] = []
        loop = asyncio.get_running_loop()
        loop.call_later(min(SETTLE_S, seconds / 3), self._read)
        loop.call_later(seconds - min(END_S, seconds / 10), self._read)

    def cost(self) -> Cost | None:
        """None when the session ended too soon."""
        if len(self._readings) < 2:
            return None
        begin, end = self._readings
        engine_ns = None
        if begin.engine_ns is not None and end.engine_ns is not None:
            engine_ns = end.engine_ns - begin.engine_ns
        return Cost(
            wall_ns=end.now_ns - begin.now_ns,
            events=end.events - begin.events,
            engine_ns=engine_ns,
            front_ns=end.front_ns - begin.front_ns,
        )

    def _read(self) -> None:
        reading = _Reading(time.perf_counter_ns(), self._ground_truth.events, cpu_ns(self._pid), time.process_time_ns())
        self._readings.append(reading)


def cpu_ns(pid: int) -> int | None:
    """The CPU time that another process has used, as `clock_getcpuclockid` of Linux finds its clock."""
    if sys.platform != "linux":
        return None
    try:
        return time.clock_gettime_ns(~pid << 3 | _CPUCLOCK_SCHED)
    except OSError:  # it is gone
        return None
