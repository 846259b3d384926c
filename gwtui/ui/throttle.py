"""When to do costly work again: not for nothing, and never for more than a small share of the time. Pure."""

from __future__ import annotations

LEAST_S = 2.0
SHARE = 5
"""The pause between two runs, as a multiple of the time that one takes."""


class Throttle:
    """`due` says whether to begin; then `began`, and in the end `ended`. Times are seconds of one clock."""

    def __init__(self) -> None:
        self._subject: object = None
        self._facts: object = None
        self._began_s: float | None = None
        self._next_s = 0.0

    def due(self, subject: object, facts: object, now_s: float) -> bool:
        """Another subject is due at once, changed facts of the same one when it is time; nothing while work runs."""
        if self._began_s is not None or (subject, facts) == (self._subject, self._facts):
            return False
        return subject != self._subject or now_s >= self._next_s

    def began(self, subject: object, facts: object, now_s: float) -> None:
        self._subject, self._facts, self._began_s = subject, facts, now_s

    def ended(self, now_s: float) -> None:
        if self._began_s is not None:
            self._next_s = now_s + max(LEAST_S, SHARE * (now_s - self._began_s))
        self._began_s = None
