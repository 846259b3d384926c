"""When to dial again after a failure. Pure: the clock and the seed come from outside."""

from __future__ import annotations

import random

FIRST_S = 0.5
"""As in the SDKs of OpenAI and Anthropic."""
LONGEST_S = 15.0
"""Longer, and a gateway that is back would be called down for too long."""


class Backoff:
    """No pause after the first failure; then pauses that double with every further one, each shortened at random by up
    to a half so that clients spread out."""

    def __init__(self, seed: int | None = None) -> None:
        self._random = random.Random(seed)  # noqa: S311 - jitter keeps no secret
        self._failures = 0
        self._until_ns = 0

    def failed(self, now_ns: int) -> None:
        """Start the next pause."""
        longest = min(LONGEST_S, FIRST_S * 2.0 ** min(self._failures - 1, 20)) if self._failures else 0.0
        self._failures += 1
        self._until_ns = now_ns + round(longest * self._random.uniform(0.5, 1.0) * 1e9)

    def succeeded(self) -> None:
        """Forget the failures."""
        self._failures = 0
        self._until_ns = 0

    def left_ns(self, now_ns: int) -> int:
        """How much of the pause is left."""
        return max(0, self._until_ns - now_ns)
