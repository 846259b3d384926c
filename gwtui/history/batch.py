"""What a session has to add to the history: results and incidents since it was written last, as sums. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import msgspec

from gwtui.history.identity import EndpointIdentity
from gwtui.history.sums import LatencySums
from gwtui.history.usual import Acceptance
from gwtui.model.metrics import Metric

MAX_HOURS = 24
"""While the history cannot be written, what is older than this number of hours is dropped."""


class Lesson(msgspec.Struct):
    """A result, as far as the history keeps it."""

    at: float
    """When it ended, wall time."""
    verdict: str
    is_good: bool
    latencies: Mapping[Metric, int]
    """Of a good one, in ns."""
    teaches: bool
    """Whether it came outside of incidents of its endpoint. That may be known only later."""


class HourKey(msgspec.Struct, frozen=True):
    """What a sum is of."""

    identity: EndpointIdentity
    hour: int
    teaches: bool


class HourSums(msgspec.Struct):
    """The results of one endpoint in one hour, either within incidents or outside of them."""

    outcomes: Counter[str] = msgspec.field(default_factory=Counter)
    """By verdict."""
    latencies: dict[Metric, LatencySums] = msgspec.field(default_factory=dict)

    def of(self, metric: Metric) -> LatencySums:
        """The sums of that metric, to be added to."""
        return self.latencies.setdefault(metric, LatencySums())

    def merge(self, other: HourSums) -> None:
        self.outcomes.update(other.outcomes)
        for metric, sums in other.latencies.items():
            self.of(metric).merge(sums)


class Episode(msgspec.Struct, frozen=True):
    """A time in which an endpoint was sick."""

    identity: EndpointIdentity
    began: float
    """Wall time of its first bad result."""
    until: float
    """When it was sick last."""
    goes_on: bool
    state: str
    """The worst state."""
    text: str
    """What was reported of it first."""


class Batch(msgspec.Struct):
    """Sums and episodes, to be added in one transaction."""

    hours: dict[HourKey, HourSums] = msgspec.field(default_factory=dict)
    episodes: dict[tuple[EndpointIdentity, float], Episode] = msgspec.field(default_factory=dict)
    accepted: dict[EndpointIdentity, Acceptance] = msgspec.field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.hours or self.episodes or self.accepted)

    def at(self, key: HourKey) -> HourSums:
        """The sums of an hour, to be added to."""
        return self.hours.setdefault(key, HourSums())

    def tell(self, episode: Episode) -> None:
        """Take an episode as it is now, in the place of what was known of it."""
        self.episodes[episode.identity, episode.began] = episode

    def merge(self, later: Batch) -> None:
        """Add what came later, and drop what has waited for too long."""
        for key, sums in later.hours.items():
            self.at(key).merge(sums)
        self.episodes.update(later.episodes)
        self.accepted.update(later.accepted)
        newest = max((key.hour for key in self.hours), default=0)
        for key in [key for key in self.hours if key.hour <= newest - MAX_HOURS]:
            del self.hours[key]


class Sequence:
    """Adds lessons to sums in their order, so that each knows the latency before it."""

    def __init__(self) -> None:
        self._before: dict[Metric, int] = {}

    def add(self, lesson: Lesson, sums: HourSums) -> None:
        """Count a lesson."""
        sums.outcomes[lesson.verdict] += 1
        for metric, value_ns in lesson.latencies.items():
            sums.of(metric).add(value_ns, self._before.get(metric))
        self._before.update(lesson.latencies)
