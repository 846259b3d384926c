"""How late the engine's own event loop is, so that its own delays are not taken for the gateway's. Pure."""

from __future__ import annotations

from collections import deque

from msgspec.structs import replace

from gwtui.records import Ping, Request
from gwtui.units import duration
from gwtui.verdicts import Verdict

PERIOD_NS = 10_000_000
"""How often the loop is tried."""
TAINT_NS = 20_000_000
"""A loop that is later than this taints what was measured meanwhile."""
STANDSTILL_NS = 1_000_000_000
"""From this on the process was stopped, or the machine suspended or swamped: deadlines passed unwatched."""
REMEMBERED = 1000
"""So many late moments are kept."""

WAITING = frozenset(
    {
        Verdict.CONNECT_TIMEOUT,
        Verdict.NO_FIRST_BYTE,
        Verdict.STALLED,
        Verdict.TIMEOUT,
        Verdict.NO_PONG,
        Verdict.TRUNCATED,
        Verdict.RESET,
        Verdict.CLOSED,
    }
)
"""Verdicts that a standstill of our own brings about: our deadline passed, or the other side lost its patience."""

BURST_NS = 100_000_000
"""An engine that is later than this makes bursts that could be taken for the gateway's."""
BURSTS = frozenset({"buffered", "combed"})
"""Findings about what came together."""


class Lag:
    """Told by a task that wants to run every `PERIOD_NS` when it really did."""

    def __init__(self) -> None:
        self._due_ns: int | None = None
        self._worst_ns = 0
        self._late: deque[tuple[int, int]] = deque(maxlen=REMEMBERED)

    def woke(self, now_ns: int) -> None:
        """The task runs now; it will ask to run again after `PERIOD_NS`."""
        late_ns = self._overdue(now_ns)
        self._worst_ns = max(self._worst_ns, late_ns)
        if late_ns > TAINT_NS:
            self._late.append((now_ns, late_ns))
        self._due_ns = now_ns + PERIOD_NS

    def since(self, start_ns: int, now_ns: int) -> int:
        """The longest it was late since `start_ns`, if that was long enough to taint what was measured; else 0.

        It may be late right now, and the task could not tell it yet.
        """
        late_ns = self._overdue(now_ns)
        longest_ns = late_ns if late_ns > TAINT_NS else 0
        for at_ns, late_ns in reversed(self._late):
            if at_ns < start_ns:
                break
            longest_ns = max(longest_ns, late_ns)
        return longest_ns

    def take(self, now_ns: int) -> int:
        """The longest it was late since this was last asked, and begin anew."""
        worst_ns, self._worst_ns = max(self._worst_ns, self._overdue(now_ns)), 0
        return worst_ns

    def _overdue(self, now_ns: int) -> int:
        return 0 if self._due_ns is None else max(0, now_ns - self._due_ns)


def marked(result: Request | Ping, late_ns: int) -> Request | Ping:
    """The result, marked when the engine was late while it was measured.

    A failure to come in time says nothing of the gateway when it was us who stood still: it is `local`. And what waits
    for us meanwhile comes in a burst.
    """
    if late_ns == 0:
        return result
    if isinstance(result, Request) and late_ns >= BURST_NS:
        result = replace(result, findings=tuple(each for each in result.findings if each.name not in BURSTS))
    if late_ns < STANDSTILL_NS or result.verdict not in WAITING:
        return replace(result, tainted=True)
    return replace(
        result,
        tainted=True,
        verdict=Verdict.LOCAL,
        rule="engine.stood-still",
        reason=f"gwtui itself stood still for {duration(late_ns)} meanwhile; else it would be {result.verdict}",
    )
