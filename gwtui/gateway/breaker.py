"""A circuit breaker: closed, open after failures in a row, half open for one test, closed after a success.

Pure: the clock comes with every call, in seconds from any beginning.
"""

from __future__ import annotations

from enum import StrEnum


class BreakerState(StrEnum):
    CLOSED = "closed"
    """Requests pass."""
    OPEN = "open"
    """Requests fail at once."""
    HALF_OPEN = "half_open"
    """One request passes, as a test."""


class Breaker:
    """Guards one upstream."""

    def __init__(self, failures: int, open_s: float) -> None:
        self._limit = failures
        self._open_s = open_s
        self.failures = 0
        """Failures in a row."""
        self._opened_at: float | None = None
        self._testing = False

    def state(self, now: float) -> BreakerState:
        if self._opened_at is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if self.wait_s(now) else BreakerState.HALF_OPEN

    def wait_s(self, now: float) -> float:
        """Seconds until it may be tested."""
        return 0.0 if self._opened_at is None else max(0.0, self._opened_at + self._open_s - now)

    def admits(self, now: float) -> bool:
        """Whether a request may pass now. The one that may while it is half open is the test: its end must be told."""
        if self._testing or self.wait_s(now):
            return False
        self._testing = self._opened_at is not None
        return True

    def succeeded(self) -> None:
        self.failures, self._opened_at, self._testing = 0, None, False

    def failed(self, now: float) -> None:
        """A failed test opens it for another whole time."""
        self.failures += 1
        if self._testing or self.failures == self._limit:
            self._opened_at = now
        self._testing = False
