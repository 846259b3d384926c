"""The time since a peer that should send regularly was last heard. Pure but for the times it is given."""

from __future__ import annotations

LOOK_S = 0.25
"""Between two looks."""
DEADLINE_S = 2.0
"""Silence is reported from then on: an engine has a heartbeat every second."""
STARTING_S = 10.0
"""As much for the first word: an interpreter has to start before it."""
AGAIN_S = 1.0
"""Between two tellings of a silence that lasts."""


class Silence:
    """Call `heard` with every word, and `look` every `LOOK_S` without one.

    A look that comes late says that this process stood still itself, as after Ctrl-Z or on a machine that slept. Such a
    time counts as two looks at most: the peer then stood still as well, and gets time to continue.
    """

    def __init__(self, now_s: float) -> None:
        self._looked_s = now_s
        self._silent_s = 0.0
        self._report_at_s = STARTING_S

    def heard(self, now_s: float) -> None:
        self._looked_s = now_s
        self._silent_s = 0.0
        self._report_at_s = DEADLINE_S

    def look(self, now_s: float) -> float | None:
        """Seconds of silence when it is time to report them, else None."""
        passed_s, self._looked_s = now_s - self._looked_s, now_s
        self._silent_s += min(passed_s, 2 * LOOK_S)
        if self._silent_s < self._report_at_s:
            return None
        self._report_at_s = self._silent_s + AGAIN_S
        return self._silent_s
