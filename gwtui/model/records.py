"""Records: immutable facts that probes and the engine report. Everything downstream speaks only these.

Units: `_ns` are durations or stamps of the monotonic clock, as int; `_at` are wall times, UTC, in seconds. Text from a
network was cleaned (`gwtui.text.sanitize`) before. Request headers and keys have no field here, so they cannot leak.
What is measured is explained in `gwtui.model.metrics`.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from gwtui.model.check_results import CheckResult, CheckRun
from gwtui.model.concurrency import Concurrency
from gwtui.model.content_pace import ContentPace
from gwtui.model.enums import Clock, EventKind, FindingName, Outcome, Trigger
from gwtui.model.findings import FindingEntry, entry_of
from gwtui.model.gateway_figures import NO_FIGURES, GatewayFigures
from gwtui.model.hold import Hold
from gwtui.model.judged import Acknowledged, LogEntry, Usual
from gwtui.model.metrics import Metric
from gwtui.model.profile import Profile
from gwtui.model.record import BaseRecord
from gwtui.model.verdicts import Verdict


class SessionStarted(BaseRecord, tag="session_started", frozen=True, kw_only=True):
    """The first record of every feed."""

    started_at: float
    now_ns: int
    profile: Profile
    session_dir: str | None = None
    """Where the rows go; None when nothing is recorded."""


class ProfileChanged(BaseRecord, tag="profile_changed", frozen=True, kw_only=True):
    """The profile that the engine now runs, after an edit or a changed interval."""

    now_ns: int
    profile: Profile


class RequestStarted(BaseRecord, tag="request_started", frozen=True, kw_only=True):
    """A probe has begun. Its `Request` or `Ping` with the same endpoint and number follows."""

    endpoint: str
    number: int
    started_at: float
    now_ns: int
    trigger: Trigger = Trigger.SCHEDULE


class StreamEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One event of a stream as it was read."""

    name: str
    """The event's name: the SSE field, or what the API calls it where it sends no names."""
    kind: EventKind
    text: str = ""
    """The generated content it carried, decoded."""
    raw: str = ""
    """Its data as received, cut to a sane length."""
    note: str = ""
    """What is wrong or worth knowing about this one event."""
    model: str = ""
    """The model it came from, in a stream that carries several."""

    @property
    def title(self) -> str:
        """Its name, and whose it is where one stream carries several models."""
        return f"{self.name} {self.model}".rstrip()


class StreamRead(BaseRecord, tag="stream_read", frozen=True, kw_only=True, gc=False):
    """The events that one read of a socket completed. They share one stamp: no gap between them is known."""

    endpoint: str
    number: int
    now_ns: int
    """When the bytes arrived."""
    since_sent_ns: int
    """The same, counted from the last byte of the request."""
    first_event: int
    """The number of the first event here, counted from 1 within the stream."""
    events: tuple[StreamEvent, ...]


class StreamAlive(BaseRecord, tag="stream_alive", frozen=True, kw_only=True, gc=False):
    """A stream has begun, and no event came yet: told with its headers, and then once a second with what comes."""

    endpoint: str
    number: int
    now_ns: int
    since_sent_ns: int
    comments: int
    """How many came so far."""


class Phases(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where the time of one request went before its answer. None: did not happen (a reused connection)."""

    dns_ns: int | None = None
    connect_ns: int | None = None
    tls_ns: int | None = None
    send_ns: int | None = None
    """First byte of the request written -> last byte of it written."""
    reused: bool = False
    """The connection was kept from an earlier request."""
    address: str = ""
    """The peer's address and port."""
    tls: str = ""
    """TLS version, issuer and expiry of the certificate; empty without TLS."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something worth knowing that does not make a result bad."""

    name: FindingName
    evidence: str
    """The facts of this case, in words."""
    cause: str = ""  # where this case shows a closer one than the usual
    degrades: bool = False
    """The endpoint is `degraded` while it is found."""

    @property
    def entry(self) -> FindingEntry:
        return entry_of(self.name)

    @property
    def likely_cause(self) -> str:
        return self.cause or self.entry.cause


class _Result(BaseRecord, frozen=True, kw_only=True):
    """What a request and a ping have in common.

    `Metric.of` reads any metric of either: it knows which ones are fields (`Request.ttft_ns`) and which are entries of
    `measured`.
    """

    endpoint: str
    number: int
    """Counted per endpoint from 1 within the session."""
    started_at: float
    now_ns: int
    """When it ended."""
    trigger: Trigger = Trigger.SCHEDULE
    status: int | None = None
    """Of a ping the handshake's."""
    verdict: Verdict
    rule: str
    reason: str = ""
    findings: tuple[Finding, ...] = ()
    measured: dict[Metric, int] = msgspec.field(default_factory=dict)
    """The latencies without a field of their own, in ns. A new metric needs no field."""
    lateness_ns: int = 0
    """Actual start - planned start."""
    planned_ns: int = 0
    """When it was due, on the clock of `now_ns`. Live only: no file has it."""
    room_wait_ns: int = 0
    """How much of `lateness_ns` is no fault of gwtui's: the maximum concurrency was used up, or its endpoint was not to
    be dialled yet. Live only."""
    sent_ns: int | None = None
    """When its last byte was sent, on the same clock; None: never. Live only."""
    tainted: bool = False
    """A latency of it is in doubt: gwtui itself may have changed it by more than 1 ms and 5 %."""
    error_ns: int | None = None
    """How far any latency of it may be from the truth, as bytes may have waited for gwtui; None: not known."""
    clock: Clock = Clock.USER
    trace_id: str = ""
    """The gateway's trace id where it gave one, else that of the `traceparent` which was sent."""
    request_id: str = ""
    """The gateway's id for the request."""
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    """Response headers worth having: an allow-list, cleaned."""
    vantage: str = ""
    """The place that probed; "" is here."""
    retry_after_s: float | None = None
    """How long the answer (of a ping: to the handshake) asks to be left alone; None where it does not say."""

    @property
    def outcome(self) -> Outcome:
        return self.verdict.outcome


class Request(_Result, tag="request", frozen=True, kw_only=True):
    """One HTTP request, ended: a row of requests.csv. Failures are rows too."""

    api: str
    model: str = ""
    model_served: str = ""
    """What the answer says answered."""
    stream: bool = True
    """Whether a stream was asked for."""
    event_number: int | None = None
    """The event that decided the verdict."""
    duration_ns: int | None = None
    """None when the request was never sent."""
    ttfb_ns: int | None = None
    ttft_ns: int | None = None
    ttfo_ns: int | None = None
    mean_icl_ns: int | None = None
    max_gap_ns: int | None = None
    tpot_ns: int | None = None
    tokens_per_s: float | None = None
    no_rate: str = ""
    """Why a stream with content has neither of these two."""
    gaps: tuple[tuple[int, int], ...] = ()
    """The gaps between consecutive content reads as (ns, how many), for ICL percentiles: `stats.histogram.compress`."""
    pace: ContentPace | None = None
    """Live only: no file has it."""
    concurrency: Concurrency = Concurrency()
    """Of a request to several models at once; empty for all others. Its times count from the send."""
    events: int = 0
    reads: int = 0
    """Reads of the socket that held events."""
    input_tokens: int | None = None
    output_tokens: int | None = None
    """All that was generated, reasoning included."""
    reasoning_tokens: int | None = None
    """Those of the output tokens that the answer says are reasoning."""
    cached_tokens: int | None = None
    """Those of the input tokens that came from a cache of prompts; None where the answer does not say."""
    cost_usd: float | None = None
    """US dollars, as the answer tells them, or by the endpoint's `price`; None where neither is known."""
    bytes: int = 0
    """Bytes of the response body, decoded."""
    errors: dict[Metric, int] | None = None
    """`error_ns` of each latency; None where only the largest is known."""
    phases: Phases = Phases()
    sent_request_id: str = ""
    """The `x-request-id` that was sent."""
    answer_id: str = ""
    """The id of the message within the answer, which gateways note in their own documents."""
    provider: str = ""
    """Who answered behind the gateway, as its own metrics or audit say; looked up afterwards, where they are known."""
    gateway: GatewayFigures = NO_FIGURES
    """A gateway's own counters, if that was the answer."""
    content_type: str = ""
    body_excerpt: str = ""
    """The beginning of an answer that was not what was asked for."""
    turn: int | None = None
    """Which of the `turns` of a conversation it was, counted from 1; None where it was none."""
    turns: int | None = None
    prompt_line: int | None = None
    """The line of the file of prompts that it asked; None where there was no such file."""
    prompt_hash: str = ""
    """Of what that line asks: the same in every file with the same question."""
    text: str = ""
    """The assembled answer; empty unless the profile records text or the request is a trial. In a trial without such
    an answer (plain HTTP, a refusal) it is the body."""

    @property
    def address(self) -> str:
        """The peer's address and port."""
        return self.phases.address


class Ping(_Result, tag="ping", frozen=True, kw_only=True):
    """One ping over a kept WebSocket: a row of pings.csv. Lost and failed ones are rows too."""

    rtt_ns: int | None = None
    connect_ns: int | None = None
    """Dial and handshake, when this ping had to dial; else None."""
    connection: int = 0
    """The connection's number, from 1, of this endpoint or, where each is probed, of this address: redials + 1."""
    close_code: int | None = None
    close_reason: str = ""
    address: str = ""
    """The peer's address and port."""


class Heartbeat(BaseRecord, tag="heartbeat", frozen=True, kw_only=True):
    """The engine's own health, once a second. It also moves the clock of windows while nothing else comes."""

    at: float
    now_ns: int
    vantage: str = ""
    lag_ns: int = 0
    """The longest time its event loop was late since the last heartbeat."""
    missed: dict[str, int] = msgspec.field(default_factory=dict)
    """Ticks without room to start, per endpoint, since the start."""
    held: dict[str, int] = msgspec.field(default_factory=dict)
    """Ticks not started because the endpoint was left alone, per endpoint, since the start."""
    holds: dict[str, Hold] = msgspec.field(default_factory=dict)
    """Endpoints that are left alone at the moment."""
    due: dict[str, int] = msgspec.field(default_factory=dict)
    """When the next probe of each endpoint is due that is not paused, on the clock of `now_ns`."""
    slept_ns: int = 0
    """How long the machine slept since the last heartbeat; monotonic stamps stand still meanwhile."""
    wall_step_s: float = 0.0
    """How far the wall clock was set since the last heartbeat; below 0: back."""
    paused: tuple[str, ...] = ()
    """Endpoints that are paused."""
    rows_written: int = 0
    rows_waiting: int = 0
    rows_lost: int = 0
    recorder_error: str = ""
    """Why rows cannot be written at the moment; empty when they can."""
    events_dropped: int = 0
    """Stream events left out because the screen did not read them in time."""


class Notice(BaseRecord, tag="notice", frozen=True, kw_only=True):
    """The engine's answer to a command that it could not or need not carry out."""

    now_ns: int
    text: str


class FeedSilent(BaseRecord, tag="feed_silent", frozen=True, kw_only=True):
    """Nothing was heard of the engine for too long; told again while that lasts. Any other record ends the silence."""

    now_ns: int
    """Now by the engine's clock: its last stamp and the silence since."""
    silent_ns: int


class FeedEnded(BaseRecord, tag="feed_ended", frozen=True, kw_only=True):
    """The last record: the feed has no more, and why."""

    text: str
    """Such as `engine exited 1`."""
    failed: bool = False
    fatal: bool = False
    """Nothing is left that could be started again."""
    detail: str = ""
    """The tail of the log of what ended."""


Record: TypeAlias = (
    SessionStarted
    | ProfileChanged
    | RequestStarted
    | StreamRead
    | StreamAlive
    | Request
    | Ping
    | Usual
    | Acknowledged
    | LogEntry
    | Heartbeat
    | Notice
    | CheckRun
    | CheckResult
    | FeedSilent
    | FeedEnded
)
