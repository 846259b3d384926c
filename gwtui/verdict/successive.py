"""What several results of one endpoint tell together and none alone: a cold start, short streams that are held back."""

from __future__ import annotations

from collections import deque

from msgspec.structs import replace

from gwtui.model.enums import FindingName, Outcome
from gwtui.model.metrics import Metric
from gwtui.model.profile import Endpoint
from gwtui.model.records import Finding, Ping, Request
from gwtui.stats.accuracy import sure
from gwtui.text.units import duration
from gwtui.verdict.buffering import LEAST_EVENTS, is_burst, is_unsure
from gwtui.verdict.tolerance import not_tolerated

WARM_REQUESTS = 8
"""The number of good results over kept connections that must follow."""
COLD_RATIO = 2.0
COLD_LEAST_NS = 50_000_000
"""The first one has to be slower than the slowest of them by both."""
PROOF = 10
"""The number of streams in a row: a model that is fast enough to write each of them into one packet would now and
then be between two."""


class ColdStart:
    """Whether the first request to an endpoint paid for what later ones found ready.

    Compares the time to the first byte of the first good request with that of the next ones; says so once.

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


class Bursts:
    """Whether short streams of one endpoint come at once because something holds them back. Follows them in their
    order."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._latest: deque[bool] = deque(maxlen=PROOF)
        """Of the latest streams that tell anything, whether each came at once."""

    def judged(self, result: Request | Ping) -> Request | Ping:
        """Take the next result, which comes back as `buffered` if it and those before are proof."""
        pace = result.pace if isinstance(result, Request) and result.outcome is Outcome.OK else None
        if pace is None or pace.events < LEAST_EVENTS or is_unsure(pace):
            return result
        self._latest.append(is_burst(pace))
        if len(self._latest) < PROOF or not all(self._latest):
            return result
        return replace(result, findings=not_tolerated(self._endpoint, map(_proved, result.findings)))


def _proved(finding: Finding) -> Finding:
    """The finding; one that has doubts without them."""
    if finding.name is not FindingName.AT_ONCE:
        return finding
    words = finding.evidence.partition(": held back")[0]
    return Finding(
        name=FindingName.BUFFERED,
        evidence=f"{words}, as did the {PROOF - 1} streams before",
        cause="A finished answer is replayed as a stream, or a proxy buffers the whole body.",
    )
