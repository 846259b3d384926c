"""The view that the screen draws: frozen and complete, without a clock.

The monitor makes it; panels draw it and compute nothing. What the user chose to look at goes in as a `Query`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Self, TypeAlias

from gwtui.model.check_results import CheckOutcome, CheckResult, CheckRun, PlannedCheck
from gwtui.model.concurrency import ModelTimeline
from gwtui.model.enums import FindingName, Kind, State
from gwtui.model.incidents import Incident
from gwtui.model.judged import LogEntry
from gwtui.model.metrics import Metric
from gwtui.model.profile import Endpoint
from gwtui.model.records import Ping, Request, StreamEvent


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


@dataclass(frozen=True, slots=True)
class Query:
    """What the user looks at."""

    window: Window = Window.M2
    metric: Metric = Metric.TTFT
    endpoint: str | None = None
    """The selected endpoint; None: the first."""
    request: int | None = None
    """A chosen request of it; None: the newest."""
    sort: str = ""
    """The column that orders the table; "" is the profile's order."""
    descending: bool = False
    filter: str = ""
    """What was typed after `/`."""
    columns: tuple[str, ...] = ()
    """Further columns of the table, of `model.columns`."""


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


@dataclass(frozen=True, slots=True)
class StreamLine:
    """One line of the stream panel."""

    def __deepcopy__(self, memo: object) -> Self:
        return self

    number: int
    """The event's number within its stream, from 1."""
    since_sent_ns: int
    gap_ns: int | None
    """Since the read before; None within a read, whose events share one stamp."""
    event: StreamEvent
    stands_out: bool = False
    """The gap is far longer than this stream's usual one."""
    decided: bool = False
    """The verdict was decided here."""


class ModelState(StrEnum):
    """How far one model of a stream of several is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "error"


@dataclass(frozen=True, slots=True)
class ModelCard:
    """One model of a stream of several."""

    timeline: ModelTimeline
    """Its times count from the send."""
    state: ModelState
    text: str
    """The content of its kept events."""


@dataclass(frozen=True, slots=True)
class StreamView:
    endpoint: str
    number: int
    started_at: float
    in_flight: bool
    since_sent_ns: int | None
    """How long it has been running, or took."""
    lines: tuple[StreamLine, ...]
    lines_dropped: int
    """Older events that are no longer kept."""
    text: str
    """The content of all kept events in order."""
    request: Request | None
    """Its result, once it ended."""
    newest: bool
    """It is the endpoint's newest that was answered, not one that was chosen."""
    comments: int | None = None
    """How many comments came while its first event is awaited; None where not even its headers came."""
    waiting: tuple[int, int] | None = None
    """A newer request that waits for its first event: its number, and how long in ns; or None."""
    models: tuple[ModelCard, ...] = ()
    """Its models, where several were asked at once."""


@dataclass(frozen=True, slots=True)
class LatencyPoint:
    """One column of the latency lines."""

    p50_ns: int | None
    p95_ns: int | None
    p99_ns: int | None
    n: int
    failed: int


@dataclass(frozen=True, slots=True)
class LatencyView:
    endpoint: str
    metric: Metric
    window: Window
    points: tuple[LatencyPoint, ...]
    """Equal shares of the window, oldest first. A point's percentiles are of its share, without a limit on n."""
    figures: tuple[tuple[str, Quantile], ...]
    """p5 p50 p75 p80 p90 p95 p99 and max over the window."""
    n: int
    """Values in the window; of ICL there are many in one stream."""
    failed: int
    tainted: int = 0
    """Results in the window during which the engine itself was late."""


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
    """Filtered and in order."""
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

    @property
    def open_incidents(self) -> tuple[Incident, ...]:
        return tuple(incident for incident in self.incidents if incident.is_open)
