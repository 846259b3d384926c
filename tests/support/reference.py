"""What the statistics are checked against. It takes a second to import, which only the tests that use it spend."""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def reference() -> Any:
    """The module `scipy.stats`."""
    from scipy import stats

    return stats
