"""Rows back into records: the other way round from `rows`, for sessions that are read again. Pure.

What a row does not hold stays at its default: the single events, the gaps between them, the evidence of a finding. A
column that a row lacks, as earlier versions' do, counts as one that was not measured; unknown ones are passed over.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeAlias, TypeVar

import msgspec

from gwtui.model.enums import FindingName
from gwtui.model.metrics import AnswerForm, metrics_of
from gwtui.model.records import Finding, Incident, Ping, Request
from gwtui.text.sanitize import clean

_Read: TypeAlias = tuple[str, Callable[[str], Any]]
"""The field that a column is for, and how its text is read. An empty cell is only read as text."""
_Record = TypeVar("_Record", Request, Ping, Incident)

LONGEST_TEXT = 4096
LARGEST = (1 << 63) - 1
"""No number in a row is beyond that: 292 years in ns."""


class RowError(ValueError):
    """A row is none of these. The text says which column is to blame."""


def _whole(text: str) -> int:
    return _sane(int(text))


def _nanoseconds(milliseconds: str) -> int:
    return _sane(round(float(milliseconds) * 1_000_000))


def _sane(number: int) -> int:
    if not -LARGEST - 1 <= number <= LARGEST:
        raise ValueError("too large")
    return number


def wall_time(timestamp: str) -> float:
    """RFC 3339 as seconds since the epoch."""
    at = datetime.fromisoformat(timestamp)
    if at.tzinfo is None:
        raise ValueError("no time zone")
    return at.timestamp()


def _number(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError("no number")
    return number


def _truth(text: str) -> bool:
    return {"true": True, "false": False}[text]


def _text(text: str) -> str:
    """Text that anybody may have written: who mails a session could have changed it."""
    return clean(text, LONGEST_TEXT)


def _headers(text: str) -> dict[str, str]:
    return {_text(name): _text(value) for name, value in msgspec.json.decode(text, type=dict[str, str]).items()}


def _findings(text: str) -> tuple[Finding, ...]:
    return tuple(Finding(name=FindingName(name), evidence="") for name in _text(text).split(";"))


def _metric_reads(*forms: AnswerForm) -> tuple[dict[str, _Read], dict[str, _Read]]:
    """How the metrics of such results are read: into fields of the record, and into its `measured`."""
    fields: dict[str, _Read] = {}
    measured: dict[str, _Read] = {}
    for metric in metrics_of(*forms):
        into = fields if metric.about.field else measured
        read = _nanoseconds if metric.is_latency else _number
        into[metric.about.column] = (metric.about.field or metric.value, read)
    return fields, measured


_REQUEST_FIELDS, _REQUEST_MEASURED = _metric_reads(AnswerForm.STREAM, AnswerForm.WHOLE)
_PING_FIELDS, _PING_MEASURED = _metric_reads(AnswerForm.PONG)

_RESULT: dict[str, _Read] = {
    "endpoint": ("endpoint", _text),
    "trace_id": ("trace_id", _text),
    "started_at": ("started_at", wall_time),
    "status": ("status", _whole),
    "verdict": ("verdict", str),
    "rule": ("rule", _text),
    "reason": ("reason", _text),
    "lateness_ms": ("lateness_ns", _nanoseconds),
    "clock": ("clock", str),
    "request_id": ("request_id", _text),
    "trigger": ("trigger", str),
    "tainted": ("tainted", _truth),
    "headers": ("headers", _headers),
    "retry_after_s": ("retry_after_s", _number),
    "findings": ("findings", _findings),
    "error_ms": ("error_ns", _nanoseconds),
}
_REQUEST: dict[str, _Read] = (
    _RESULT
    | _REQUEST_FIELDS
    | {
        "request_number": ("number", _whole),
        "api": ("api", _text),
        "model": ("model", _text),
        "model_served": ("model_served", _text),
        "stream": ("stream", _truth),
        "events": ("events", _whole),
        "reads": ("reads", _whole),
        "input_tokens": ("input_tokens", _whole),
        "output_tokens": ("output_tokens", _whole),
        "bytes": ("bytes", _whole),
        "event_number": ("event_number", _whole),
        "sent_request_id": ("sent_request_id", _text),
        "content_type": ("content_type", _text),
    }
)
_PHASES: dict[str, _Read] = {
    "dns_ms": ("dns_ns", _nanoseconds),
    "connect_ms": ("connect_ns", _nanoseconds),
    "tls_ms": ("tls_ns", _nanoseconds),
    "send_ms": ("send_ns", _nanoseconds),
    "reused": ("reused", _truth),
    "address": ("address", _text),
    "tls": ("tls", _text),
}
_PING: dict[str, _Read] = (
    _RESULT
    | _PING_FIELDS
    | {
        "ping_number": ("number", _whole),
        "connection": ("connection", _whole),
        "connect_ms": ("connect_ns", _nanoseconds),
        "close_code": ("close_code", _whole),
        "close_reason": ("close_reason", _text),
        "address": ("address", _text),
    }
)
_INCIDENT: dict[str, _Read] = {
    "at": ("at", wall_time),
    "kind": ("kind", _text),
    "endpoint": ("endpoint", _text),
    "state": ("state", str),
    "was": ("was", str),
    "text": ("text", _text),
    "request_number": ("number", _whole),
    "trace_id": ("trace_id", _text),
}


def request_of(row: Mapping[str, str]) -> Request:
    """A row of requests.csv; `now_ns` is 0. Raises RowError."""
    nested = {"phases": _fields(row, _PHASES), "measured": _fields(row, _REQUEST_MEASURED)}
    return _record(Request, _fields(row, _REQUEST) | nested)


def ping_of(row: Mapping[str, str]) -> Ping:
    """A row of pings.csv; `now_ns` is 0. Raises RowError."""
    return _record(Ping, _fields(row, _PING) | {"measured": _fields(row, _PING_MEASURED)})


def incident_of(row: Mapping[str, str]) -> Incident:
    """A row of incidents.csv; `now_ns` is 0. Raises RowError."""
    return _record(Incident, _fields(row, _INCIDENT))


def _fields(row: Mapping[str, str], reads: Mapping[str, _Read]) -> dict[str, Any]:
    fields = {}
    for column, (field, read) in reads.items():
        text = row.get(column)
        if text or (text is not None and read is _text):
            try:
                fields[field] = read(text)
            except (ValueError, OverflowError, KeyError) as error:
                raise RowError(f"{column} is {text[:40]!r}") from error
    return fields


def _record(kind: type[_Record], fields: dict[str, Any]) -> _Record:
    try:
        return msgspec.convert(fields | {"now_ns": 0, "record": kind.__struct_config__.tag}, kind)
    except msgspec.ValidationError as error:
        raise RowError(str(error)) from error
