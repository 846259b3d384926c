"""A session as JSON lines: one object per line, told apart by `type`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from gwtui.codec.csv_schema import incident_row
from gwtui.model.judged import LogEntry
from gwtui.model.metrics import Metric
from gwtui.model.records import FeedEnded, FeedSilent, Ping, Record, Request
from gwtui.model.view import EndpointRow, View
from gwtui.report.objects import ping_object, request_object
from gwtui.text import units


class JSONLines:
    """`request`, `ping`, `incident` and `silent` as they happen, `interval` at each one, `end` and `summary` last."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write

    def record(self, record: Record) -> None:
        match record:
            case Request():
                self._line("request", request_object(record))
            case Ping():
                self._line("ping", ping_object(record))
            case LogEntry():
                self._line("incident", incident_row(record))
            case FeedSilent():
                self._line("silent", {"silent_s": round(record.silent_ns / 1e9, 3)})
            case FeedEnded():
                self._line("end", {"text": record.text, "failed": record.failed, "detail": record.detail})

    def interval(self, view: View) -> None:
        self._line("interval", _view_fields(view))

    def end(self, view: View) -> None:
        self._line("summary", _view_fields(view))

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
        "p95_ms": units.milliseconds(row.p95.value_ns),
        "p99_ms": units.milliseconds(row.p99.value_ns),
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
    }


def _seconds(ns: int | None) -> int | None:
    return None if ns is None else ns // 1_000_000_000
