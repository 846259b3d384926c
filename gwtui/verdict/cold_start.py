"""Whether the first request to an endpoint paid for what later ones found ready. Told from several, never from one."""

from __future__ import annotations

from gwtui.model.enums import FindingName, Outcome
from gwtui.model.metrics import Metric
from gwtui.model.records import Finding, Request
from gwtui.stats.accuracy import sure
from gwtui.text.units import duration

WARM_REQUESTS = 8
"""The number of good results over kept connections that must follow."""
COLD_RATIO = 2.0
COLD_LEAST_NS = 50_000_000
"""The first one has to be slower than the slowest of them by both."""


class ColdStart:
    """Compares the time to the first byte of the first good request with that of the next ones; says so once.

    It counts from the request's last byte, so that connecting, which every new connection pays for, is not in it.
    """

    def __init__(self) -> None:
        self._first_ns: int | None = None
        self._warm_ns: list[int] = []

    def follow(self, request: Request) -> Finding | None:
        """Take the next request of the endpoint. Gives the finding with the request that settles it."""
        done = len(self._warm_ns) >= WARM_REQUESTS
        ttfb_ns = sure(request, Metric.TTFB)
        if done or request.outcome is not Outcome.OK or ttfb_ns is None:
            return None
        if self._first_ns is None:
            self._first_ns = ttfb_ns
        elif request.phases.reused:
            self._warm_ns.append(ttfb_ns)
            if len(self._warm_ns) == WARM_REQUESTS:
                return self._finding(self._first_ns)
        return None

    def _finding(self, first_ns: int) -> Finding | None:
        fastest, slowest = min(self._warm_ns), max(self._warm_ns)
        if first_ns < COLD_RATIO * slowest or first_ns < slowest + COLD_LEAST_NS:
            return None
        return Finding(
            name=FindingName.COLD,
            evidence=f"the first request took {duration(first_ns)} to its first byte, "
            f"the {WARM_REQUESTS} after it {duration(fastest)} to {duration(slowest)}",
        )
