"""The view that the screen draws: frozen and complete, without a clock.

The monitor makes it; panels draw it and compute nothing. What the user chose to look at goes in as a `query.Query`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from gwtui.model.check_results import CheckOutcome, CheckResult, CheckRun, PlannedCheck
from gwtui.model.enums import FindingName, Kind, State
from gwtui.model.incidents import Incident
from gwtui.model.judged import LogEntry
from gwtui.model.metrics import Metric
from gwtui.model.profile import Endpoint
from gwtui.model.query import Query, Window
from gwtui.model.records import Ping, Request
from gwtui.model.stream_view import StreamView
from gwtui.model.strip import Strip


@dataclass(frozen=True, slots=True)
class Quantile:
    """A percentile that knows whether its count supports it."""

    value_ns: int | None
    """The value, which is one that happened; None when n is too small for it (or nothing happened)."""
    n: int


@dataclass(frozen=True, slots=True)
class Cell:
    """One column of a sparkline: an equal share of the window, oldest first."""

    value_ns: int | None = None
    """The median of the share; None when nothing succeeded in it."""
    failed: int = 0


Counts: TypeAlias = tuple[tuple[str, int], ...]
"""How often each word came, the most frequent first."""
FindingCounts: TypeAlias = tuple[tuple[FindingName, int], ...]


@dataclass(frozen=True, slots=True)
class EndpointRow:
    name: str
    api: str
    kind: Kind
    state: State
    metric: Metric
    """What its figures are: the query's metric, or its own where that does not apply."""
    last_ns: int | None
    p50: Quantile
    p95: Quantile
    p99: Quantile
    tokens_per_s: float | None
    """The median of the window."""
    fail_share: float | None
    """Failed / (failed + good) in the window; None when it has neither."""
    n: int
    """Good and failed results in the window."""
    failed: int
    verdict: str
    """The last verdict; "" before the first."""
    verdict_run: int
    """The number of latest results in a row that had it."""
    note: str
    """Why the latest result failed, or what was found in it; "" when there is nothing to say."""
    in_flight: int
    missed: int
    insecure: bool
    sparkline: tuple[Cell, ...]
    held: int = 0
    """Ticks not started because the endpoint is left alone: a `Retry-After`, or many failures in a row."""
    held_ns: int | None = None
    """How long it is still left alone; None when it is not."""
    verdicts: Counts = ()
    """The verdicts of the window."""
    findings: FindingCounts = ()
    """The names of what was found in the window's results."""
    mean_ns: int | None = None
    """The average of the metric in the window."""
    total_ns: int | None = None
    """The sum of its values there."""
    cost_usd: float | None = None
    """What the requests of the window cost together; None where it is not known of any."""
    age_ns: int | None = None
    """How long ago its last result came, in full seconds; None before the first."""
    next_ns: int | None = None
    """How long it is until its next probe, 0 when that is due; None while it is paused or unknown."""
    why: str = ""
    """The worst verdict or finding of the window and its share, `truncated 3/24`; "" when all is well."""
    usual_ns: int | None = None
    """What is usual for the metric; None while that is not known."""
    ratio: float | None = None
    """p50 / usual; None where one of them is unknown."""
    is_slower: bool = False
    """Whether p50 is so much longer than usual that it is worth saying."""
    p95_window: Window | None = None
    """The window that p95 is of, where it is a longer one than the query's, which has too few values for it."""
    p99_window: Window | None = None


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A summary of endpoints that are put together; the table shows it above them, or instead of them."""

    name: str
    states: tuple[tuple[State, int], ...]
    """How many are in each state, the worst first, without zeros."""
    p50_ns: tuple[int, int] | None
    """The least and the greatest median of its endpoints, of the query's metric or of the one that all of them have;
    None where none is known."""
    is_folded: bool
    members: tuple[str, ...] = ()
    """The names of its endpoints, in their order."""


@dataclass(frozen=True, slots=True)
class Header:
    """The line above everything."""

    profile: str
    at: float
    """Wall time of the newest record, UTC."""
    elapsed_ns: int
    states: tuple[tuple[State, int], ...]
    """How many endpoints are in each state, in the order of `State`, without zeros."""
    requests: int
    failed: int
    banner: str = ""
    """Trouble of our own that must not be overlooked: rows that cannot be written, a dead engine."""
    ended: bool = False
    silent: bool = False
    """Measuring has stopped: the engine is silent or has failed. All figures are of the moment when it was last
    heard.
    """
    session_dir: str = ""
    unwritten: str = ""
    """Why there is no row in it; empty where there is one."""
    rows_lost: int = 0
    """Rows that could not be written, and will not be."""
    use_proxies: bool = False
    """The proxies of the environment are used."""
    behind_ns: int = 0
    """How long before the newest record the shown moment is; 0 while it is now."""


@dataclass(frozen=True, slots=True)
class Dot:
    """One request in the latency chart."""

    at_ns: int
    value_ns: int | None
    """None: it failed."""


@dataclass(frozen=True, slots=True)
class ChartSpan:
    """A stretch of time that is marked in the chart: an incident of the endpoint, or a moment where both are equal."""

    start_ns: int
    end_ns: int | None
    """None: it goes on."""
    state: State | None
    """The severity of the incident; None for the user's mark."""


@dataclass(frozen=True, slots=True)
class LatencyView:
    endpoint: str
    metric: Metric
    window: Window
    figures: tuple[tuple[str, Quantile], ...]
    """p5 p50 p75 p80 p90 p95 p99 and max over the window."""
    n: int
    """Values in the window; of ICL there are many in one stream."""
    failed: int
    tainted: int = 0
    """Results in the window during which the engine itself was late."""
    start_ns: int = 0
    """Where the chart begins."""
    end_ns: int = 0
    """Where it ends: with the share of the moment that is looked at."""
    dots: tuple[Dot, ...] = ()
    """The requests of the window as far as they are kept, oldest first."""
    p50s: tuple[int | None, ...] = ()
    """For each equal share of the chart, oldest first, the p50 of the values up to its end, as few as bear one; None
    where none do."""
    p90s: tuple[int | None, ...] = ()
    """The same for p90."""
    usual_ns: int | None = None
    limit_ns: int | None = None
    """The `slow_over_ms` of the endpoint."""
    spans: tuple[ChartSpan, ...] = ()
    """Incidents and marks within the window."""


@dataclass(frozen=True, slots=True)
class PingView:
    endpoint: str
    window: Window
    last: Ping | None
    p50: Quantile
    p95: Quantile
    p99: Quantile
    sent: int
    lost: int
    """Pings of the window without their expected answer."""
    jitter_ns: int | None
    """Mean absolute difference of successive RTTs in the window."""
    redials: int
    last_close: str
    """The last close code with its name and reason; "" when it was never closed."""
    sparkline: tuple[Cell, ...]
    start_ns: int = 0
    """Where its chart begins and ends."""
    end_ns: int = 0
    dots: tuple[Dot, ...] = ()
    """The pings of the window as far as they are kept, oldest first."""
    p50s: tuple[int | None, ...] = ()
    """As in `LatencyView`."""
    waiting: tuple[int, int] | None = None
    """The ping that has been waiting longest, for a second at least: its number, and how long in ns; or None."""


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A finished probe in the list of an endpoint's latest."""

    number: int
    started_at: float
    verdict: str
    value_ns: int | None
    """The endpoint's shown metric."""
    trace_id: str
    tainted: bool = False
    """The engine was late itself while it was measured."""


@dataclass(frozen=True, slots=True)
class ChecksView:
    """The newest run of checks of one endpoint."""

    run: CheckRun
    results: tuple[CheckResult, ...]
    """In the order in which they came."""

    @property
    def current(self) -> PlannedCheck | None:
        """The check that is under way; None when none is."""
        done = {result.name for result in self.results}
        waiting = self.run.ended or self.run.waits_for
        return None if waiting else next((check for check in self.run.planned if check.name not in done), None)

    @property
    def counts(self) -> tuple[tuple[CheckOutcome, int], ...]:
        """How many ended in which way, in the order of `CheckOutcome`, without zeros."""
        counted = ((outcome, sum(result.outcome is outcome for result in self.results)) for outcome in CheckOutcome)
        return tuple((outcome, count) for outcome, count in counted if count)


@dataclass(frozen=True, slots=True)
class View:
    query: Query
    header: Header
    endpoints: tuple[EndpointRow, ...]
    """Filtered and in order; those of folded groups too."""
    hidden: int
    """Endpoints that the filter leaves out."""
    selected: Endpoint | None
    stream: StreamView | None
    latency: LatencyView | None
    ping: PingView | None
    """The selected endpoint's pings, or else those of the first WebSocket of the profile."""
    log: tuple[LogEntry, ...]
    """What happened, newest first: events of incidents, states outside of incidents, findings, marks, trouble of our
    own.
    """
    recent: tuple[RequestRow, ...]
    """The selected endpoint's latest requests, newest first."""
    trial: Request | Ping | None
    """The newest result of a trial."""
    notice: str
    """The engine's last answer to a command."""
    version: int
    """Changes whenever anything that is shown may have changed."""
    probed: Ping | None = None
    """The selected WebSocket's chosen ping, or its newest that ended."""
    checks: ChecksView | None = None
    """Of the selected endpoint; None when it was not checked."""
    incidents: tuple[Incident, ...] = ()
    """Those of the session, by their numbers; of many the newest, and all that are open."""
    fleet: tuple[Endpoint, ...] = ()
    """All endpoints of the profile, in its order."""
    sentence: str = ""
    """What is wrong, the worst first, to be pasted; empty when nothing is."""
    now_ns: int = 0
    """The shown moment."""
    strip: Strip | None = None
    rows: tuple[EndpointRow | GroupRow, ...] = ()
    """The lines of the table: `endpoints`, and where they are grouped the summaries between them, without those that
    are folded."""

    @property
    def open_incidents(self) -> tuple[Incident, ...]:
        return tuple(incident for incident in self.incidents if incident.is_open)

    @property
    def ends_at(self) -> float:
        """The wall time of the newest record, whatever moment is shown."""
        return self._clock[0] + (self.now_ns + self.header.behind_ns - self._clock[1]) / 1e9

    @property
    def at(self) -> float:
        """The wall time of the shown moment."""
        return self._clock[0] + (self.now_ns - self._clock[1]) / 1e9

    def stamp(self, at: float) -> int:
        """The stamp of a wall time, as `Query.at_ns` takes it."""
        wall, stamp_ns = self._clock
        return stamp_ns + round((at - wall) * 1e9)

    @property
    def _clock(self) -> tuple[float, int]:
        """A wall time and the stamp that belongs to it."""
        return self.strip.wall if self.strip is not None else (self.header.at, self.now_ns)
