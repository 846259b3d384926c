"""The columns of the table of endpoints that are shown where they are wanted."""

from __future__ import annotations

OPTIONAL_COLUMNS = {
    "avg": "average of the shown latency in the window",
    "total": "sum of the shown latency in the window",
    "cost": "US dollars of the window's requests",
}
"""Their names, and what each is."""
