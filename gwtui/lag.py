"""How late the engine's own event loop is, so that its own delays are not taken for the gateway's. Pure."""

from __future__ import annotations

PERIOD_NS = 10_000_000
"""How often the loop is tried."""
TAINT_NS = 20_000_000
"""A loop that is later than this taints what was measured meanwhile."""


class Lag:
    """Told by a task that wants to run every `PERIOD_NS` when it really did."""

    def __init__(self) -> None:
        self._due_ns: int | None = None
        self._worst_ns = 0
        self._late_at_ns: int | None = None

    def woke(self, now_ns: int) -> None:
        """The task runs now; it will ask to run again after `PERIOD_NS`."""
        late_ns = self._overdue(now_ns)
        self._worst_ns = max(self._worst_ns, late_ns)
        if late_ns > TAINT_NS:
            self._late_at_ns = now_ns
        self._due_ns = now_ns + PERIOD_NS

    def late_since(self, start_ns: int, now_ns: int) -> bool:
        """Whether the loop was late at any time since `start_ns`, or is so now and the task could not tell it yet."""
        told = self._late_at_ns is not None and self._late_at_ns >= start_ns
        return told or self._overdue(now_ns) > TAINT_NS

    def take(self, now_ns: int) -> int:
        """The longest it was late since this was last asked, and begin anew."""
        worst_ns, self._worst_ns = max(self._worst_ns, self._overdue(now_ns)), 0
        return worst_ns

    def _overdue(self, now_ns: int) -> int:
        return 0 if self._due_ns is None else max(0, now_ns - self._due_ns)
