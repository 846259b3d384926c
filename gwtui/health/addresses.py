"""Which address of an endpoint fails while others answer, where each of its addresses is probed. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from gwtui.model.enums import FindingName, Outcome
from gwtui.model.profile import Thresholds
from gwtui.model.records import Ping, Request
from gwtui.text.units import elapsed

MOST = 2000
"""The most results that are remembered of a window."""
ROUNDS = 4
"""Rounds after which a missing address no longer counts as one of the name's."""


@dataclass(slots=True)
class _Address:
    failed_run: int = 0
    good_run: int = 0
    seen: int = 0
    """The number of its newest result, counted over all addresses."""
    reported_ns: int | None = None
    """When it was reported down; None while it is not."""


class Addresses:
    """Follows the results of one endpoint, good and failed ones only."""

    def __init__(self, thresholds: Thresholds) -> None:
        self._thresholds = thresholds
        self._window_ns = int(thresholds.window_s * 1e9)
        self._known: dict[str, _Address] = {}
        self._results: deque[tuple[int, str, bool]] = deque(maxlen=MOST)
        """When, where, and whether it was good."""
        self._count = 0

    def follow(self, now_ns: int, record: Request | Ping) -> list[str]:
        """Take a result; returns what is to be reported."""
        if not record.address:
            return []
        self._count += 1
        good = record.outcome is Outcome.OK
        self._results.append((now_ns, record.address, good))
        known = self._known.setdefault(record.address, _Address())
        known.seen = self._count
        known.good_run, known.failed_run = (known.good_run + 1, 0) if good else (0, known.failed_run + 1)
        news = self._ended(now_ns, record.address, known) if good else self._began(now_ns, record, known)
        return [*news, *self._left()]

    def blamed(self, now_ns: int) -> str:
        """` at ADDRESS` where all failures of the window are at addresses that never answered in it, and others did."""
        recent = [(where, good) for at_ns, where, good in self._results if at_ns >= now_ns - self._window_ns]
        answered = {where for where, good in recent if good}
        failed = {where for where, good in recent if not good}
        return f" at {', '.join(sorted(failed))}" if failed and answered and not failed & answered else ""

    def _began(self, now_ns: int, record: Request | Ping, known: _Address) -> list[str]:
        others = [where for where, each in self._known.items() if each.good_run]
        if known.reported_ns is not None or known.failed_run < self._thresholds.down_after or not others:
            return []
        known.reported_ns = now_ns
        what = f"{record.address}: {known.failed_run} failed in a row, the last {record.verdict}"
        answer = "answers" if len(others) == 1 else "answer"
        return [f"{FindingName.ADDRESS_DOWN}: {what}; {', '.join(sorted(others))} {answer}"]

    def _ended(self, now_ns: int, where: str, known: _Address) -> list[str]:
        if known.reported_ns is None or known.good_run < self._thresholds.up_after:
            return []
        took, known.reported_ns = elapsed(now_ns - known.reported_ns), None
        return [f"{FindingName.ADDRESS_DOWN} ended: {where} answers again after {took}"]

    def _left(self) -> list[str]:
        """Forget the addresses that are not probed any more."""
        rounds = ROUNDS * len(self._known)
        left = [(where, each) for where, each in self._known.items() if self._count - each.seen > rounds]
        for where, _ in left:
            del self._known[where]
        return [
            f"{FindingName.ADDRESS_DOWN} ended: {where} is not probed any more"
            for where, each in left
            if each.reported_ns is not None
        ]
