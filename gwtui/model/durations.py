"""Durations as settings have them: a whole number and a unit, as `30m`."""

from __future__ import annotations

import re

FORM = "a whole number and s, m, h or d, as 30m, 24h or 7d"
LONGEST_S = 366 * 86_400
_DURATION = re.compile(r"([0-9]{1,9}) ?([smhd])", re.ASCII)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def seconds_of(text: str) -> int:
    """The duration in seconds, 1 to `LONGEST_S`. Raises ValueError."""
    found = _DURATION.fullmatch(text.strip())
    seconds = int(found[1]) * _UNITS[found[2]] if found else 0
    if not 1 <= seconds <= LONGEST_S:
        raise ValueError(f"is not a duration: {FORM}, at most 366d")
    return seconds
