"""What the user looks at: an endpoint, a metric, a window, a moment."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gwtui.model.metrics import Metric


class Window(StrEnum):
    """The last T seconds a number covers."""

    S30 = "30 s"
    M2 = "2 min"
    M10 = "10 min"
    H1 = "1 h"
    ALL = "all"

    @property
    def seconds(self) -> int | None:
        """Its length; None for the whole session."""
        return {"30 s": 30, "2 min": 120, "10 min": 600, "1 h": 3600}.get(self.value)


class Grouping(StrEnum):
    """What endpoints are put together by in the table."""

    NONE = "none"
    GATEWAY = "gateway"
    PROVIDER = "provider"
    MODEL = "model"
    TAG = "tag"


WORST_FIRST, AS_IN_PROFILE = "", "profile"
"""Orders of the table that are no column's."""


@dataclass(frozen=True, slots=True)
class Query:
    """What the user looks at."""

    window: Window = Window.M2
    metric: Metric = Metric.TTFT
    endpoint: str | None = None
    """The selected endpoint; None: the first."""
    request: int | None = None
    """A chosen request of it; None: the newest."""
    sort: str = WORST_FIRST
    """The column that orders the table, or `WORST_FIRST` or `AS_IN_PROFILE`."""
    descending: bool = False
    filter: str = ""
    """What was typed after `/`."""
    columns: tuple[str, ...] = ()
    """Further columns of the table, of `model.columns`."""
    at_ns: int | None = None
    """The moment that is looked at, a stamp of the records' clock; None: now, and on with it."""
    group: Grouping = Grouping.NONE
    utc: bool = True
    """Clocks are in UTC; else by this machine's time zone, which is what a screen begins with."""
    folded: frozenset[str] = frozenset()
    """The names of the groups of which only the summary is shown."""
