"""What the history says of endpoints over days or hours. Pure but for the store that it is read from."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from enum import StrEnum

import msgspec

from gwtui.history.batch import Batch, Episode
from gwtui.history.identity import EndpointIdentity
from gwtui.history.store import Store
from gwtui.history.sums import LatencySums
from gwtui.history.usual import HOUR_S, Acceptance, LatencyRow, OutcomeRow, hour_of, outcome_of
from gwtui.model.enums import BAD, Outcome
from gwtui.model.metrics import BY_NAME, Metric

ALIVE_S = 180.0
"""A session that runs writes its incidents anew within this time."""


class PeriodLength(StrEnum):
    """How long one line of a history is."""

    DAY = "day"
    HOUR = "hour"

    @property
    def hours(self) -> int:
        return 24 if self is PeriodLength.DAY else 1


class PeriodResults(msgspec.Struct):
    """Results of one endpoint over some hours, those within incidents included."""

    began: float
    """Wall time."""
    outcomes: Counter[str] = msgspec.field(default_factory=Counter)
    """By verdict, also those that count neither way."""
    latencies: dict[Metric, LatencySums] = msgspec.field(default_factory=dict)

    def _of(self, outcome: Outcome) -> int:
        return sum(n for verdict, n in self.outcomes.items() if outcome_of(verdict) is outcome)

    @property
    def good(self) -> int:
        return self._of(Outcome.OK)

    @property
    def failed(self) -> int:
        return self._of(Outcome.FAILED)

    @property
    def availability(self) -> float | None:
        """The share of results that were good; None without results."""
        total = self.good + self.failed
        return self.good / total if total else None

    @property
    def failures(self) -> list[tuple[str, int]]:
        """Verdicts of failed results, what came most often first."""
        return [(verdict, n) for verdict, n in self.outcomes.most_common() if outcome_of(verdict) is Outcome.FAILED]


class Chronicle(msgspec.Struct, frozen=True):
    """One endpoint over some time."""

    identity: EndpointIdentity
    whole: PeriodResults
    parts: Sequence[PeriodResults] = ()
    """By day or hour, those without results left out."""
    episodes: Sequence[Episode] = ()
    """Times in which it was sick; what several sessions saw at once is one."""


def chronicles(
    store: Store,
    *,
    now: float,
    days: float,
    name: str | None = None,
    profile: str | None = None,
    by: PeriodLength = PeriodLength.DAY,
) -> Iterator[Chronicle]:
    """What endpoints did in these days, by profile and name; of one name, profile, or all. Raises HistoryError."""
    since = now - days * 24 * HOUR_S
    first, last = hour_of(since), hour_of(now)
    for number, identity in store.identities():
        if name not in (None, identity.name) or profile not in (None, identity.profile):
            continue
        outcomes, latencies = store.outcomes(number, first, last), store.latencies(number, first, last)
        episodes = store.episodes(number, identity, since)
        if outcomes or episodes:
            parts = _parts(outcomes, latencies, by.hours)
            whole = _parts(outcomes, latencies, last + 1)
            period = whole[0] if whole else PeriodResults(since)
            period.began = since
            yield Chronicle(identity, period, parts, _joined(episodes))


def accept(store: Store, identity: EndpointIdentity, now: float) -> Acceptance:
    """Have what an endpoint does now be what is usual for it: since its incident began, if one goes on, else from now
    on. Raises HistoryError."""
    number = store.find(identity)
    episodes = store.episodes(number, identity, now - ALIVE_S) if number is not None else []
    since = min((episode.began for episode in episodes if episode.goes_on), default=now)
    batch = Batch(accepted={identity: Acceptance(since, now)})
    store.add(batch)
    return batch.accepted[identity]


def _parts(outcomes: Sequence[OutcomeRow], latencies: Sequence[LatencyRow], hours: int) -> list[PeriodResults]:
    """The rows by periods of that number of hours, which begin at midnight (UTC) where they are days."""
    periods: defaultdict[int, PeriodResults] = defaultdict(lambda: PeriodResults(0.0))
    for outcome in outcomes:
        periods[outcome.hour // hours].outcomes[outcome.verdict] += outcome.n
    packed: defaultdict[tuple[int, Metric], list[bytes]] = defaultdict(list)
    for latency in latencies:
        if latency.metric in BY_NAME:
            packed[latency.hour // hours, BY_NAME[latency.metric]].append(latency.packed)
    for (index, metric), rows in packed.items():
        periods[index].latencies[metric] = LatencySums.together(rows)
    for index, period in periods.items():
        period.began = float(index * hours * HOUR_S)
    return [periods[index] for index in sorted(periods)]


def _joined(episodes: Sequence[Episode]) -> list[Episode]:
    """Episodes, oldest first, where those that overlap are one, with the text of the first."""
    found: list[Episode] = []
    for episode in episodes:
        last = found[-1] if found else None
        if last is None or episode.began > last.until:
            found.append(episode)
            continue
        worst = max(last.state, episode.state, key=[state.value for state in BAD].index)
        newer = episode if episode.until >= last.until else last
        found[-1] = Episode(last.identity, last.began, newer.until, newer.goes_on, worst, last.text)
    return found
