"""Trouble of this machine and of gwtui itself, which is no gateway's: reported once while it lasts. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from gwtui.model.records import Heartbeat, Ping, Request
from gwtui.text.units import duration, elapsed

QUIET_NS = 60_000_000_000
"""Trouble is over when none of its kind was seen for this time; the next is reported again."""
LOCAL_AFTER = 3
"""The number of local failures that is reported."""
LAG_NS = 500_000_000
"""An engine that is late by this time is reported."""
GAP_NS = 5_000_000_000
"""A standstill of this time is a gap in the measurement."""
STOOD_STILL = "engine.stood-still"
"""The rule of local failures that are the engine's lateness."""


class LocalTrouble:
    """Follows one place."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[int, int]] = {}
        """Of each kind of trouble how often it was seen since it was last quiet, and when last."""

    def beat(self, beat: Heartbeat) -> Iterator[str]:
        """Time that was not measured, or that the clocks disagree about."""
        if beat.lag_ns >= LAG_NS and self._count("late", beat.now_ns) == 1:
            if beat.lag_ns >= GAP_NS:
                yield f"gwtui was stopped for {duration(beat.lag_ns)}: a gap; affected times are marked"
            else:
                yield f"this machine delayed gwtui by {duration(beat.lag_ns)}: affected times are marked"
        if beat.slept_ns and self._count("asleep", beat.now_ns) == 1:
            yield f"this machine slept for {_seconds(beat.slept_ns / 1e9)}: nothing was measured"
        if beat.wall_step_s and self._count("stepped", beat.now_ns) == 1:
            way, step = "forward" if beat.wall_step_s > 0 else "back", _seconds(abs(beat.wall_step_s))
            yield f"the wall clock was set {way} by {step}: times of day jump here, latencies do not"

    def failed(self, result: Request | Ping) -> Iterator[str]:
        """A probe failed on this machine."""
        is_late = result.rule == STOOD_STILL
        if self._count("stood still" if is_late else "local", result.now_ns) != LOCAL_AFTER:
            return
        if not is_late or self._count("late", result.now_ns) == 1:
            why = result.reason or result.rule
            yield f"{LOCAL_AFTER} probes failed on this machine, not at a gateway: {why}"

    def unjudged(self, endpoint: str, why: str, now_ns: int) -> Iterator[str]:
        """Most results of an endpoint came too late for its state to be judged by them."""
        if self._count("unjudged", now_ns) == 1:
            yield f"{why} for most results of {endpoint}"

    def _count(self, kind: str, now_ns: int) -> int:
        """It was seen again: how often, this time included."""
        times, last_ns = self._seen.get(kind, (0, now_ns))
        times = 1 if now_ns - last_ns > QUIET_NS else times + 1
        self._seen[kind] = (times, now_ns)
        return times


def _seconds(seconds: float) -> str:
    """A long time to the nearest second."""
    return elapsed(round(seconds) * 1_000_000_000)
