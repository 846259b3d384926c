"""When an endpoint is not probed for a while, because of its answers. Pure: the clock is passed in.

- A refusal that says how long to wait (`Retry-After`) is obeyed, up to `LONGEST_ASKED_S`; then one probe asks again.
  This alone may delay the news that an endpoint is well again.
- After many failures in a row, or after a few refusals that name the asker as the trouble (a wrong key, too many
  requests), every second tick is left out. No more: an endpoint that is back is asked within two intervals, the first
  good result ends it, and the second, one interval later, is the `up_after` of the default thresholds.
- A WebSocket that failed is not dialled again before its own pause (`probes.lanes`) is over, or an interval.
- An interval from `CALM_NS` on is not made longer.

The first good result ends the second, but not what an answer asked for.
"""

from __future__ import annotations

from gwtui.model.enums import Outcome
from gwtui.model.hold import Hold
from gwtui.model.records import Ping, Request
from gwtui.model.verdicts import Verdict

LONGEST_ASKED_S = 300.0
"""A longer `Retry-After` is tried once after this long: it may be a mistake, and the wait would hide the recovery.
Rate limits usually count by the minute; this is five."""
AFTER_FAILURES = 10
"""Failures in a row that are probed at the usual pace: an outage is watched closely while it is young."""
AFTER_REFUSALS = 3
"""Refusals in a row after which it backs off: one may be a limit that others used up, three are about the asker."""
CALM_NS = 60_000_000_000
"""The minute that rate limits usually count by: asking once in it is polite."""

REFUSALS = frozenset({Verdict.AUTH, Verdict.RATE_LIMITED, Verdict.QUOTA, Verdict.OVERLOADED})
"""What asking more often can only make worse."""


class Politeness:
    """Follows the results of one endpoint."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew: the user asks for it, and may have mended what was wrong."""
        self._failures = self._refusals = 0
        self._asked_until_ns = self._backoff_until_ns = self._dial_until_ns = 0

    def dial_in(self, wait_ns: int, interval_ns: int, now_ns: int) -> None:
        """The connection asks for this pause before it is made again. It gets one interval of it at most."""
        self._dial_until_ns = now_ns + min(wait_ns, interval_ns)

    def take(self, result: Request | Ping, interval_ns: int, now_ns: int) -> None:
        """Take a result of an endpoint that is probed every `interval_ns`."""
        if result.outcome is Outcome.OK:
            self._failures = self._refusals = self._backoff_until_ns = 0
        elif result.outcome is Outcome.FAILED:
            self._failures += 1
            self._refusals = self._refusals + 1 if result.verdict in REFUSALS else 0
            if self._is_patient and interval_ns < CALM_NS:
                self._backoff_until_ns = now_ns + interval_ns + 1
            if result.retry_after_s is not None and result.status is not None and result.status >= 400:
                asked_ns = int(min(max(result.retry_after_s, 0.0), LONGEST_ASKED_S) * 1e9)
                self._asked_until_ns = max(self._asked_until_ns, now_ns + asked_ns)

    def hold(self, now_ns: int) -> Hold | None:
        """Until when it is left alone, and why; None when it may be probed."""
        reasons = (
            Hold(until_ns=self._asked_until_ns, why="by Retry-After"),
            Hold(until_ns=self._backoff_until_ns, why=f"after {self._failures} failures in a row"),
            Hold(until_ns=self._dial_until_ns, why="before the next dial"),
        )
        last = max(reasons, key=lambda hold: hold.until_ns)
        return last if last.until_ns > now_ns else None

    @property
    def _is_patient(self) -> bool:
        return self._failures >= AFTER_FAILURES or self._refusals >= AFTER_REFUSALS
