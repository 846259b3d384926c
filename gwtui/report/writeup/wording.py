"""The words and figures of a write-up, which Markdown and HTML lay out. Plain text: each of them escapes it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo

from gwtui.report.writeup.document import (
    EndpointPart,
    EvidenceResult,
    IncidentFacts,
    Measurement,
    PhaseFigures,
    TimelineEntry,
    Writeup,
    sane,
)
from gwtui.text import units

FIGURE_HEADINGS = (
    "endpoint",
    "metric",
    "usual",
    "p50 before",
    "p50 during",
    "p50 after",
    "failed before",
    "failed during",
    "failed after",
)
OWN_WORDS = ("When", "Lasted", "Failed")
"""The labels of facts whose text is all gwtui's own."""
_SURE = "The error of a latency is how long its bytes may have waited for gwtui"


class WallTimes:
    """Wall times as text: UTC, and the local time of the reader; None: that of this machine."""

    def __init__(self, zone: tzinfo | None) -> None:
        self._zone = zone

    def date(self, at: float) -> str:
        """`2026-11-30 14:01:05 UTC`."""
        return f"{_moment(at, UTC):%Y-%m-%d %H:%M:%S} UTC"

    def local(self, at: float) -> str:
        """`2026-11-30 15:01:05 CET`."""
        return f"{_moment(at, self._zone):%Y-%m-%d %H:%M:%S %Z}"

    def time(self, at: float) -> str:
        """`14:01:05`, UTC."""
        return f"{_moment(at, UTC):%H:%M:%S}"

    def span(self, began_at: float, ended_at: float | None) -> str:
        """`2026-11-30 14:01:05 UTC to 14:03:12 UTC (15:01:05 to 15:03:12 CET)`; None: it goes on."""
        texts = [self._span(began_at, ended_at, zone) for zone in (UTC, self._zone)]
        return texts[0] if texts[0] == texts[1] else f"{texts[0]} ({texts[1]})"

    @staticmethod
    def _span(began_at: float, ended_at: float | None, zone: tzinfo | None) -> str:
        began = _moment(began_at, zone)
        if ended_at is None:
            return f"since {began:%Y-%m-%d %H:%M:%S %Z}"
        ended = _moment(ended_at, zone)
        end = f"{ended:%H:%M:%S}" if began.date() == ended.date() else f"{ended:%Y-%m-%d %H:%M:%S}"
        return f"{began:%Y-%m-%d %H:%M:%S} to {end} {ended:%Z}"


def _moment(at: float, zone: tzinfo | None) -> datetime:
    return datetime.fromtimestamp(sane(at), UTC).astimezone(zone)


def facts(writeup: Writeup, times: WallTimes) -> list[tuple[str, str]]:
    """What, when, who and how many: labels, and their texts."""
    found, during = writeup.incident, writeup.during
    names = ", ".join(each.title for each in writeup.endpoints)
    rows = [("Profile", f"{writeup.provenance.profile}, session {writeup.provenance.session}")]
    if found is not None:
        rows[:0] = [
            ("What", f"{found.cause}; {found.severity}"),
            ("When", times.span(found.opened_at, found.closed_at)),
            ("Lasted", _lasted(writeup, found)),
            ("Where", found.where if names and found.where.endswith(f" {names}") else f"{found.where}: {names}"),
        ]
    else:
        rows[:0] = [("When", times.span(writeup.began_at, writeup.ended_at)), ("Endpoints", names or "none")]
    rows.insert(-1, ("Failed", f"{_failed(during)} of the requests to these endpoints{_others(writeup)}"))
    if found is not None and found.acknowledged:
        rows.insert(-1, ("Acknowledged", found.acknowledged))
    if writeup.further:
        label = "Incidents" if found is None else "Also then"
        rows.insert(-1, (label, "; ".join(_further(each, times) for each in writeup.further)))
    return rows


def _lasted(writeup: Writeup, found: IncidentFacts) -> str:
    lasted = units.span(writeup.lasted_ns)
    return f"{lasted}; it was still open at the newest row" if found.closed_at is None else lasted


def _failed(figures: PhaseFigures) -> str:
    """`37 of 60 (61.7 %)`."""
    if not figures.results:
        return "0 of 0"
    share = units.share(figures.failed / figures.results)
    return f"{units.count(figures.failed)} of {units.count(figures.results)} ({share} %)"


def _others(writeup: Writeup) -> str:
    others = writeup.others
    if not others.endpoints:
        return ""
    total = PhaseFigures(results=others.results, failed=others.failed)
    return f"; {_failed(total)} of those to {units.many(others.endpoints, 'other endpoint')}"


def _further(found: IncidentFacts, times: WallTimes) -> str:
    end = times.time(found.closed_at) if found.closed_at is not None else "open"
    return f"{found.number}: {found.cause}, {found.where}, {times.time(found.opened_at)} to {end}"


def figure_rows(writeup: Writeup) -> list[tuple[str, ...]]:
    """The cells of the table of endpoints, below `FIGURE_HEADINGS`."""
    return [_figure_row(each) for each in writeup.endpoints]


def _figure_row(part: EndpointPart) -> tuple[str, ...]:
    phases = (part.before, part.during, part.after)
    return (
        part.title,
        part.metric,
        units.duration(part.usual_ns),
        *(_p50(each, part.usual_ns if each is part.during else None) for each in phases),
        *(_failed(each) if each.results else units.MISSING for each in phases),
    )


def _p50(figures: PhaseFigures, usual_ns: int | None) -> str:
    """`2.70 s (8.2x)`; `-(3)` where the number of values does not support it."""
    if figures.p50_ns is None:
        return units.MISSING if not figures.measured else f"-({figures.measured})"
    ratio = figures.p50_ns / usual_ns if usual_ns else 1.0
    return units.duration(figures.p50_ns) + (f" ({ratio:.1f}x)" if ratio >= 1.3 else "")


def verdict_text(figures: PhaseFigures) -> str:
    """`auth 37, complete 23`."""
    return ", ".join(f"{verdict} {units.count(count)}" for verdict, count in figures.verdicts)


def moment_rows(writeup: Writeup, times: WallTimes) -> list[tuple[str, str, str]]:
    """The timeline: when, what kind of thing, and its text."""
    rows = [(times.time(each.at), _sort_of(each, writeup), _said(each)) for each in writeup.timeline]
    if writeup.timeline_left_out:
        half = len(rows) // 2
        rows.insert(half, ("…", "", f"{units.many(writeup.timeline_left_out, 'further entry')} in between"))
    return rows


def _sort_of(moment: TimelineEntry, writeup: Writeup) -> str:
    if moment.kind == "incident":
        return moment.event if writeup.incident is not None else f"incident {moment.incident} {moment.event}"
    return f"{moment.kind} {moment.event}".rstrip()


def _said(moment: TimelineEntry) -> str:
    trace = f" (request {moment.number}, trace {moment.trace_id})" if moment.trace_id and moment.number else ""
    return f"{moment.text}{trace}"


def evidence_title(each: EvidenceResult) -> str:
    """`claude #214, 14:01:05 UTC: auth`, without the time."""
    place = f"{each.vantage}/" if each.vantage else ""
    return f"{place}{each.endpoint} #{each.number}: {each.verdict}"


def evidence_rows(each: EvidenceResult, times: WallTimes) -> list[tuple[str, str]]:
    """What is known of one result, but its headers: labels, and their texts; empty ones are left out."""
    rows = (
        ("began", f"{times.date(each.at)}"),
        ("status", "" if each.status is None else str(each.status)),
        ("reason", each.reason),
        ("rule", each.rule),
        (each.metric, "" if each.value_ns is None else units.duration(each.value_ns)),
        ("trace id", each.trace_id),
        ("request id", each.request_id),
        ("sent x-request-id", each.sent_request_id),
        ("id of the answer", each.answer_id),
        ("address", each.address),
        ("provider", each.provider),
        ("stream", each.file),
    )
    return [(label, text) for label, text in rows if text]


def measured_lines(writeup: Writeup, times: WallTimes) -> list[str]:
    """How it was measured, a sentence or two each: all of them gwtui's own words."""
    measured, provenance = writeup.measured, writeup.provenance
    lines = [
        f"{units.many(measured.results, 'result')} from {times.date(writeup.shown_from_at)} to "
        f"{times.date(writeup.shown_to_at)}; probed every {_intervals(measured.intervals_s)}.",
        "Times count from the last byte of the request handed to the socket. Percentiles are values that were "
        "measured (nearest rank), and `-(n)` where n results are too few for one.",
        _clocks(measured),
        *([_errors(measured)] if measured.error_max_ns is not None else []),
        f"Probes started at most {units.duration(measured.lateness_max_ns)} after their time. "
        f"{units.many(measured.not_counted, 'result')} that were cancelled or failed on this machine count nowhere.",
    ]
    lines.append(
        f"The session began {times.date(provenance.session_at)}. "
        f"Written {times.date(provenance.made_at)} by gwtui {provenance.version}."
    )
    return lines


def _intervals(intervals_s: Iterable[float]) -> str:
    return ", ".join(f"{each:g} s" for each in intervals_s) or "unknown interval"


def _clocks(measured: Measurement) -> str:
    by = {"kernel": "by the kernel when the packet came", "user": "by gwtui right after the read"}
    taken = ", ".join(f"{by[clock]} ({units.many(count, 'result')})" for clock, count in measured.clocks)
    return f"Arrivals were stamped {taken}." if taken else "No arrival was stamped."


def _errors(measured: Measurement) -> str:
    return (
        f"{_SURE}: median {units.duration(measured.error_p50_ns)}, at most {units.duration(measured.error_max_ns)}. "
        f"{units.many(measured.tainted, 'result')} with a latency in doubt, which is in no percentile or chart."
    )
