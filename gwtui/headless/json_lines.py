"""A session as JSON lines: one object per line, told apart by `type`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from gwtui.codec.csv_schema import incident_row
from gwtui.health.incident_log import IncidentLog
from gwtui.model.judged import LogEntry
from gwtui.model.metrics import Metric
from gwtui.model.records import FeedEnded, FeedSilent, Ping, Record, Request, SessionStarted
from gwtui.model.view import EndpointRow, View
from gwtui.report.objects import incident_object, ping_object, request_object
from gwtui.text import units

KINDS = ("incident", "state", "finding", "mark", "engine")
"""The kinds of entries that are types; files of another version, or from anywhere, may have others."""


class JSONLines:
    """Results, events of incidents and `silent` as they happen, `interval` at each one, `end` and `summary` last.

    An entry of the log has its kind as its type. That of an `incident` is all that is known of it, with the event.
    """

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._incidents = IncidentLog()

    def record(self, record: Record) -> None:
        number = self._incidents.apply(record)
        match record:
            case Request():
                self._line("request", request_object(record))
            case Ping():
                self._line("ping", ping_object(record))
            case LogEntry():
                type_ = record.kind if record.kind in KINDS else "event"
                self._line(type_, incident_row(record) | self._known(number if record.event else None))
            case SessionStarted():
                self._incidents = IncidentLog()
            case FeedSilent():
                self._line("silent", {"silent_s": round(record.silent_ns / 1e9, 3)})
            case FeedEnded():
                self._line("end", {"text": record.text, "failed": record.failed, "detail": record.detail})

    def _known(self, number: int | None) -> dict[str, Any]:
        incident = None if number is None else self._incidents.incident(number)
        return {} if incident is None else incident_object(incident)

    def interval(self, view: View) -> None:
        self._line("interval", _view_fields(view))

    def end(self, view: View) -> None:
        incidents = [incident_object(incident) for incident in view.incidents]
        self._line("summary", _view_fields(view) | {"incidents": incidents})

    def _line(self, type_: str, fields: dict[str, Any]) -> None:
        self._write(msgspec.json.encode({"type": type_} | fields))


def _view_fields(view: View) -> dict[str, Any]:
    header = view.header
    return {
        "at": units.timestamp(header.at),
        "profile": header.profile,
        "elapsed_s": round(header.elapsed_ns / 1e9, 3),
        "window_s": view.query.window.seconds,
        "requests": header.requests,
        "failed": header.failed,
        "states": {state.value: count for state, count in header.states},
        "endpoints": [_row_fields(row) for row in view.endpoints],
        "session_dir": header.session_dir,
        "banner": header.banner,
        "sentence": view.sentence,
        "open_incidents": [incident.number for incident in view.open_incidents],
        "unwritten": header.unwritten,
        "rows_lost": header.rows_lost,
    }


def _row_fields(row: EndpointRow) -> dict[str, Any]:
    return {
        "endpoint": row.name,
        "api": row.api,
        "state": row.state.value,
        "metric": row.metric.value,
        "p50_ms": units.milliseconds(row.p50.value_ns),
        "p95_ms": units.milliseconds(row.p95.value_ns if row.p95_window is None else None),
        "p99_ms": units.milliseconds(row.p99.value_ns if row.p99_window is None else None),
        "n": row.n,
        "failed": row.failed,
        "fail_share": row.fail_share,
        **{metric.about.column: getattr(row, metric.about.field) for metric in Metric if not metric.is_latency},
        "verdict": row.verdict,
        "verdict_run": row.verdict_run,
        "note": row.note,
        "age_s": _seconds(row.age_ns),
        "next_s": _seconds(row.next_ns),
        "missed": row.missed,
        "insecure": row.insecure,
        "mean_ms": units.milliseconds(row.mean_ns),
        "total_ms": units.milliseconds(row.total_ns),
        "why": row.why,
        "usual_ms": units.milliseconds(row.usual_ns),
        "ratio": None if row.ratio is None else round(row.ratio, 3),
    }


def _seconds(ns: int | None) -> int | None:
    return None if ns is None else ns // 1_000_000_000
