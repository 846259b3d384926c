"""When an endpoint is not probed for a while, because of its answers. Pure: clock and random numbers are passed in.

- A refusal that says how long to wait (`Retry-After`) is obeyed, up to `LONGEST_ASKED_S`; then one probe asks again.
- After many failures in a row the pause between two probes doubles with each further one, up to `MOST_TIMES` the
  interval or `LONGEST_NS`: a gateway that is back is still noticed soon. After a few refusals that name the asker as
  the trouble (a wrong key, too many requests) it does so at once, and only `LONGEST_NS` is the limit.
- Each pause is shortened at random by up to a half, so that many monitors do not come back together.
- A WebSocket that failed is not dialled again before its own pause is over (`probes.lanes`).

The first good result ends the second, but not what an answer asked for.
"""

from __future__ import annotations

from random import Random

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
MOST_TIMES = 8
"""Three doublings: an endpoint that is probed every second and comes back is seen within 8 s."""
LONGEST_NS = 60_000_000_000
"""The minute that rate limits usually count by: a longer pause gains nothing."""

REFUSALS = frozenset({Verdict.AUTH, Verdict.RATE_LIMITED, Verdict.QUOTA, Verdict.OVERLOADED})
"""What asking more often can only make worse."""


class Politeness:
    """Follows the results of one endpoint."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self.forget()

    def forget(self) -> None:
        """Begin anew: the user asks for it, and may have mended what was wrong."""
        self._failures = self._refusals = 0
        self._asked_until_ns = self._backoff_until_ns = self._dial_until_ns = 0

    def dial_from(self, until_ns: int) -> None:
        """No connection is made before then."""
        self._dial_until_ns = until_ns

    def take(self, result: Request | Ping, interval_ns: int, now_ns: int) -> None:
        """Take a result of an endpoint that is probed every `interval_ns`."""
        if result.outcome is Outcome.OK:
            self._failures = self._refusals = self._backoff_until_ns = 0
        elif result.outcome is Outcome.FAILED:
            self._failures += 1
            self._refusals = self._refusals + 1 if result.verdict in REFUSALS else 0
            pause_ns = self._pause_ns(interval_ns)
            if pause_ns > interval_ns:
                self._backoff_until_ns = now_ns + int(pause_ns * self._rng.uniform(0.5, 1.0))
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

    def _pause_ns(self, interval_ns: int) -> int:
        """The longest pause that is due now; 0 where none is."""
        usual = min(_doubled(interval_ns, self._failures - AFTER_FAILURES + 1), MOST_TIMES * interval_ns)
        return min(max(usual, _doubled(interval_ns, self._refusals - AFTER_REFUSALS + 1)), LONGEST_NS)


def _doubled(interval_ns: int, times: int) -> int:
    return interval_ns << min(times, 40) if times > 0 else 0
