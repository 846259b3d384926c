"""Records as rows: one value per column, for the CSV files of a session and for `gwtui probe --json` alike.

Numbers stay numbers, durations are milliseconds, wall times are RFC 3339 in UTC, None is "was not measured".
A new column is one line in its table; the tables' order is the files' order. Metrics bring their columns along.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, TypeVar

import msgspec

from gwtui.model.check_results import CheckResult
from gwtui.model.metrics import AnswerForm, Metric, metrics_of
from gwtui.model.records import Incident, Ping, Request
from gwtui.text.units import milliseconds, milliseconds_by, timestamp

Cell: TypeAlias = str | int | float | bool | None
Row: TypeAlias = dict[str, Cell]
_Result = TypeVar("_Result", Request, Ping)
_Told = TypeVar("_Told")
Table: TypeAlias = dict[str, Callable[[_Told], Cell]]
"""How the cell of each column is made of a record."""

SCHEMA = 1
"""What the columns mean. A column more at the right end leaves it as it is; any other change makes it one higher."""

_REQUEST: Table[Request] = {
    "endpoint": lambda r: r.endpoint,
    "request_number": lambda r: r.number,
    "trace_id": lambda r: r.trace_id,
    "started_at": lambda r: timestamp(r.started_at),
    "api": lambda r: r.api,
    "model": lambda r: r.model,
    "model_served": lambda r: r.model_served,
    "stream": lambda r: r.stream,
    "status": lambda r: r.status,
    "outcome": lambda r: r.outcome.value,
    "verdict": lambda r: r.verdict.value,
    "rule": lambda r: r.rule,
    "reason": lambda r: r.reason,
    "events": lambda r: r.events,
    "reads": lambda r: r.reads,
    "input_tokens": lambda r: r.input_tokens,
    "output_tokens": lambda r: r.output_tokens,
    "bytes": lambda r: r.bytes,
    "lateness_ms": lambda r: milliseconds(r.lateness_ns),
    "clock": lambda r: r.clock.value,
    "request_id": lambda r: r.request_id,
    "trigger": lambda r: r.trigger.value,
    "event_number": lambda r: r.event_number,
    "tainted": lambda r: r.tainted,
    "findings": lambda r: ";".join(finding.name.value for finding in r.findings),
    "dns_ms": lambda r: milliseconds(r.phases.dns_ns),
    "connect_ms": lambda r: milliseconds(r.phases.connect_ns),
    "tls_ms": lambda r: milliseconds(r.phases.tls_ns),
    "send_ms": lambda r: milliseconds(r.phases.send_ns),
    "reused": lambda r: r.phases.reused,
    "address": lambda r: r.phases.address,
    "tls": lambda r: r.phases.tls,
    "sent_request_id": lambda r: r.sent_request_id,
    "content_type": lambda r: r.content_type,
    "headers": lambda r: _json(r.headers),
    "retry_after_s": lambda r: r.retry_after_s,
    "error_ms": lambda r: milliseconds(r.error_ns),
}

_PING: Table[Ping] = {
    "endpoint": lambda p: p.endpoint,
    "ping_number": lambda p: p.number,
    "trace_id": lambda p: p.trace_id,
    "started_at": lambda p: timestamp(p.started_at),
    "outcome": lambda p: p.outcome.value,
    "verdict": lambda p: p.verdict.value,
    "rule": lambda p: p.rule,
    "reason": lambda p: p.reason,
    "connection": lambda p: p.connection,
    "connect_ms": lambda p: milliseconds(p.connect_ns),
    "close_code": lambda p: p.close_code,
    "close_reason": lambda p: p.close_reason,
    "status": lambda p: p.status,
    "lateness_ms": lambda p: milliseconds(p.lateness_ns),
    "clock": lambda p: p.clock.value,
    "request_id": lambda p: p.request_id,
    "trigger": lambda p: p.trigger.value,
    "tainted": lambda p: p.tainted,
    "headers": lambda p: _json(p.headers),
    "retry_after_s": lambda p: p.retry_after_s,
    "findings": lambda p: ";".join(finding.name.value for finding in p.findings),
    "address": lambda p: p.address,
    "error_ms": lambda p: milliseconds(p.error_ns),
}

_INCIDENT: Table[Incident] = {
    "at": lambda i: timestamp(i.at),
    "kind": lambda i: i.kind,
    "endpoint": lambda i: i.endpoint,
    "state": lambda i: i.state.value if i.state else None,
    "was": lambda i: i.was.value if i.was else None,
    "text": lambda i: i.text,
    "request_number": lambda i: i.number,
    "trace_id": lambda i: i.trace_id,
}

_CHECK: Table[CheckResult] = {
    "endpoint": lambda c: c.endpoint,
    "check": lambda c: c.name,
    "outcome": lambda c: c.outcome.value,
    "evidence": lambda c: c.evidence,
    "cause": lambda c: c.cause,
    "remedy": lambda c: c.remedy,
    "started_at": lambda c: timestamp(c.started_at),
    "duration_ms": lambda c: milliseconds(c.duration_ns),
    "requests": lambda c: c.requests,
    "section": lambda c: c.section,
    "title": lambda c: c.title,
    "facts": lambda c: _json(c.facts),
    "details": lambda c: _json(c.details),
}


def _with_metrics(own: Table[_Result], *forms: AnswerForm) -> Table[_Result]:
    """The table with the columns of the metrics that such results have, each in its place."""
    table = dict(own)
    placed = list(own)
    for metric in metrics_of(*forms):
        after = metric.about.column_after
        placed.insert(placed.index(after) + 1 if after else len(placed), metric.about.column)
        table[metric.about.column] = _metric_cell(metric)
    return {column: table[column] for column in placed}


def _metric_cell(metric: Metric) -> Callable[[Any], Cell]:
    """How its value is read and written, decided once."""
    of = metric.reader()
    if metric.is_latency:
        return milliseconds_by(of)
    return lambda result: None if (value := of(result)) is None else round(value, 3)


_REQUEST_TABLE = _with_metrics(_REQUEST, AnswerForm.STREAM, AnswerForm.WHOLE)
_PING_TABLE = _with_metrics(_PING, AnswerForm.PONG)

REQUEST_COLUMNS = tuple(_REQUEST_TABLE)
PING_COLUMNS = tuple(_PING_TABLE)
INCIDENT_COLUMNS = tuple(_INCIDENT)
CHECK_COLUMNS = tuple(_CHECK)


def request_row(request: Request) -> Row:
    """A row of requests.csv."""
    return {column: value(request) for column, value in _REQUEST_TABLE.items()}


def ping_row(ping: Ping) -> Row:
    """A row of pings.csv."""
    return {column: value(ping) for column, value in _PING_TABLE.items()}


def incident_row(incident: Incident) -> Row:
    """A row of incidents.csv."""
    return {column: value(incident) for column, value in _INCIDENT.items()}


def check_row(result: CheckResult) -> Row:
    """A row of checks.csv."""
    return {column: value(result) for column, value in _CHECK.items()}


def _json(value: Mapping[str, object] | tuple[str, ...]) -> str:
    """One JSON value in one column, so that whatever is in it can be read back."""
    return msgspec.json.encode(value).decode() if value else ""
