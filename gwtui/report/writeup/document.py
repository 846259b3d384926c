"""What a write-up says, as data: the same for Markdown, HTML and JSON.

WallTimes named `at` or `_at` are wall times in seconds, UTC; those named `_ns` are durations. All text is clean, of one
line each, and no markup.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import Any, TypeVar

import msgspec

from gwtui.model.enums import Clock, State
from gwtui.model.verdicts import Verdict
from gwtui.text import units

EARLIEST, LATEST = -62_135_596_800 + 86_400, 253_402_300_799 - 86_400
"""Wall times that a calendar has in every time zone."""
_Struct = TypeVar("_Struct", bound=msgspec.Struct)
Counted = tuple[tuple[Verdict, int], ...]
"""How often each verdict came, the most frequent first."""


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """Who makes the write-up, of what and when."""

    profile: str
    session: str
    """The name of the session's directory."""
    session_at: float
    """When the session began."""
    made_at: float
    version: str
    """Of the gwtui that makes it."""
    unread: str = ""
    """What of the session could not be read."""


class IncidentFacts(msgspec.Struct, frozen=True, kw_only=True):
    """An incident, as it was at the end of the period."""

    number: int
    scope: str
    where: str
    """The scope in words, with the number of endpoints."""
    cause: str
    severity: State
    opened_at: float
    closed_at: float | None
    failures: int
    endpoints: int
    acknowledged: str = ""


class PhaseFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one endpoint in one phase: before, during or after."""

    results: int = 0
    """Good and failed ones; those that were cancelled or failed here are left out."""
    failed: int = 0
    measured: int = 0
    """Values of the metric that the percentiles are of."""
    p50_ns: int | None = None
    """None where the number of values does not support it."""
    p90_ns: int | None = None
    verdicts: Counted = ()


class Bucket(msgspec.Struct, frozen=True, kw_only=True):
    """One endpoint in one share of the time."""

    at: float
    """When it begins."""
    results: int
    failed: int
    p50_ns: int | None = None
    p90_ns: int | None = None
    max_ns: int | None = None


class ChartDot(msgspec.Struct, frozen=True, array_like=True):
    """One result in a chart."""

    at: float
    value_ns: int


class StateSpan(msgspec.Struct, frozen=True, kw_only=True):
    """A time in one state."""

    state: State
    from_at: float
    to_at: float


class EndpointPart(msgspec.Struct, frozen=True, kw_only=True):
    """One endpoint in the period."""

    name: str
    vantage: str
    """The place it was probed from; "" is here."""
    api: str
    address: str
    """Its URL, without keys."""
    model: str
    interval_s: float | None
    sick_at: float | None
    """When its first bad result of the incident came; None where it was in none."""
    well_at: float | None
    metric: str
    usual_ns: int | None
    """The usual median of the metric, as known before."""
    before: PhaseFigures
    during: PhaseFigures
    after: PhaseFigures
    buckets: tuple[Bucket, ...]
    dots: tuple[ChartDot, ...]
    dots_left_out: int
    failed_at: tuple[float, ...]
    failed_left_out: int
    states: tuple[StateSpan, ...]

    @property
    def title(self) -> str:
        """Its name, after that of the place where there are several."""
        return f"{self.vantage}/{self.name}" if self.vantage else self.name


class TimelineEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the log has: an event of an incident, a state, a finding, a mark, trouble of gwtui itself."""

    at: float
    kind: str
    event: str
    """What happened, in a word or two; empty where the text says it."""
    text: str
    incident: int | None = None
    number: int | None = None
    trace_id: str = ""


class EvidenceResult(msgspec.Struct, frozen=True, kw_only=True):
    """One result that shows what was wrong, with what its gateway's owner can look it up by."""

    endpoint: str
    vantage: str
    number: int
    at: float
    """When it began."""
    verdict: Verdict
    rule: str
    reason: str
    status: int | None
    metric: str
    value_ns: int | None
    trace_id: str
    request_id: str
    sent_request_id: str
    answer_id: str
    address: str
    provider: str
    headers: dict[str, str]
    file: str = ""
    """The kept stream, in the session's directory; "" where it was not kept."""


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """How the figures were measured, and what they are worth."""

    results: int
    clocks: tuple[tuple[Clock, int], ...]
    """Who took the arrival stamps, and of how many results."""
    error_p50_ns: int | None
    """How far a latency may be from the truth: the median over the results."""
    error_max_ns: int | None
    tainted: int
    """Results with a latency in doubt; such latencies are in no percentile and no chart."""
    lateness_max_ns: int
    """The longest time that a probe started after its plan."""
    not_counted: int
    """Results that were cancelled, or failed on this machine."""
    intervals_s: tuple[float, ...]


class VerdictBars(msgspec.Struct, frozen=True, kw_only=True):
    """How often one verdict came in each share of the time."""

    verdict: Verdict
    counts: tuple[int, ...]


class Others(msgspec.Struct, frozen=True, kw_only=True):
    """The endpoints that are not listed one by one, during the period."""

    endpoints: int
    results: int
    failed: int


class Writeup(msgspec.Struct, frozen=True, kw_only=True):
    """All of it."""

    provenance: Provenance
    began_at: float
    ended_at: float
    """When the period ended; of an open incident: the newest row."""
    shown_from_at: float
    shown_to_at: float
    """What the charts show: the period, and some of before and after."""
    incident: IncidentFacts | None
    """None where a period was asked for."""
    further: tuple[IncidentFacts, ...]
    """Other incidents in that period."""
    endpoints: tuple[EndpointPart, ...]
    """The worst first."""
    others: Others
    bucket_s: float
    verdicts: tuple[VerdictBars, ...]
    timeline: tuple[TimelineEntry, ...]
    timeline_left_out: int
    marks: tuple[TimelineEntry, ...]
    evidence: tuple[EvidenceResult, ...]
    measured: Measurement

    @property
    def title(self) -> str:
        """What it is about, in one line."""
        found = self.incident
        if found is None:
            return f"{self.provenance.profile}: {units.span(self.lasted_ns)} of a session"
        return f"Incident {found.number}: {found.cause}, {found.scope}"

    @property
    def lasted_ns(self) -> int:
        return round((self.ended_at - self.began_at) * 1e9)

    @property
    def during(self) -> PhaseFigures:
        """All listed endpoints together; without percentiles."""
        phases = [each.during for each in self.endpoints]
        return PhaseFigures(results=sum(each.results for each in phases), failed=sum(each.failed for each in phases))


def masked_writeup(writeup: Writeup, mask: Callable[[str], str]) -> Writeup:
    """The same data with every text masked; words of the program, such as verdicts, stay."""
    return _masked_fields(writeup, mask)


def _masked_fields(struct: _Struct, mask: Callable[[str], str]) -> _Struct:
    names = struct.__struct_fields__
    return msgspec.structs.replace(struct, **{name: _masked(getattr(struct, name), mask) for name in names})


def _masked(value: Any, mask: Callable[[str], str]) -> Any:
    if isinstance(value, msgspec.Struct):
        return value if isinstance(value, ChartDot) else _masked_fields(value, mask)
    if isinstance(value, tuple):
        return tuple(_masked(each, mask) for each in value)
    if isinstance(value, dict):
        return {mask(name): _masked(each, mask) for name, each in value.items()}
    return mask(value) if type(value) is str else value


def writeup_json(writeup: Writeup, zone: tzinfo | None) -> str:
    """One JSON object. Keys in `_at` are times in UTC, those in `_ms` milliseconds and those in `_s` seconds."""
    local = {"began_local": _local(writeup.began_at, zone), "ended_local": _local(writeup.ended_at, zone)}
    told = {"title": writeup.title, **_plain(writeup), **local}
    return msgspec.json.format(msgspec.json.encode(told), indent=2).decode()


def _plain(value: Any) -> Any:
    if isinstance(value, ChartDot):
        return {"at": _time(value.at), "value_ms": units.milliseconds(value.value_ns)}
    if isinstance(value, msgspec.Struct):
        return dict(_field(name, getattr(value, name)) for name in value.__struct_fields__)
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value


def _field(name: str, value: Any) -> tuple[str, Any]:
    if name.endswith("_ns"):
        return f"{name.removesuffix('_ns')}_ms", units.milliseconds(value)
    if name == "at" or name.endswith("_at"):
        return name, [_time(each) for each in value] if isinstance(value, tuple) else _time(value)
    return name, _plain(value)


def _time(at: float | None) -> str | None:
    return None if at is None else units.timestamp(sane(at))


def _local(at: float, zone: tzinfo | None) -> str:
    return datetime.fromtimestamp(sane(at), UTC).astimezone(zone).isoformat(timespec="milliseconds")


def sane(at: float) -> float:
    """The wall time, or the nearest one that a calendar has: files from elsewhere may name any."""
    return min(max(at, EARLIEST), LATEST)
