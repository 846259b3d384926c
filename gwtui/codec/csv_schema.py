"""The columns of a session's CSV files: one table per file, by which rows are written and read.

`gwtui probe --json` has the same columns. Numbers stay numbers, durations are milliseconds, wall times are RFC 3339 in
UTC, and None means "not measured". A new column is one line in its table; the tables' order is the files' order.
Metrics bring their own columns. What a row does not hold (stream events, gaps, the evidence of findings) gets its
default when the row is read; missing columns, as in files of earlier versions, count as not measured, and unknown ones
are ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Generic, TypeAlias, TypeVar

import msgspec

from gwtui.codec.cells import (
    BOOLEAN,
    CAUSE,
    CONCURRENCY,
    COUNT,
    FINDINGS,
    JSON,
    MILLISECONDS,
    NUMBER,
    ROUNDED,
    SCOPE,
    SEVERITY,
    TEXT,
    TIME,
    WHOLE,
    WORD,
    Cell,
    CellKind,
)
from gwtui.model.check_results import CheckResult
from gwtui.model.gateway_figures import COUNT_FIELDS
from gwtui.model.judged import LogEntry
from gwtui.model.metrics import AnswerForm, Metric, Unit, metrics_of
from gwtui.model.records import Ping, Request

Row: TypeAlias = dict[str, Cell]
_Record = TypeVar("_Record", bound=msgspec.Struct)

SCHEMA = 1
"""What the columns mean. A column more at the right end leaves it as it is; any other change makes it one higher."""


class RowError(ValueError):
    """A row that cannot be read. The text names the column."""


@dataclass(frozen=True, slots=True)
class CSVColumn:
    """A column: its name, the kind of its cells, and the field of the record."""

    name: str
    kind: CellKind
    field: str = ""
    """A dotted path; empty: the field is called like the column."""
    key: str = ""
    """The key of the value, where the field is a mapping."""
    derived: bool = False
    """Whether the record computes the value from others, so that it is not read back."""

    @property
    def path(self) -> str:
        return self.field or self.name

    def place(self) -> tuple[str, str]:
        """The field that holds the value among others, or "", and the value's name."""
        owner, _, name = self.path.rpartition(".")
        return (self.path, self.key) if self.key else (owner, name)

    def write(self) -> Callable[[Any], Cell] | None:
        """How the field's value becomes the cell; None: it is the cell."""
        write, key = self.kind.write, self.key
        if key and write is not None:
            return lambda mapping: write(mapping.get(key))
        return write


_WHOLE_COUNTS = frozenset(COUNT_FIELDS) - {"cost_usd", "avg_latency_ms"}

_REQUEST = (
    CSVColumn("endpoint", TEXT),
    CSVColumn("request_number", WHOLE, "number"),
    CSVColumn("trace_id", TEXT),
    CSVColumn("started_at", TIME),
    CSVColumn("api", TEXT),
    CSVColumn("model", TEXT),
    CSVColumn("model_served", TEXT),
    CSVColumn("stream", BOOLEAN),
    CSVColumn("status", WHOLE),
    CSVColumn("outcome", WORD, derived=True),
    CSVColumn("verdict", WORD),
    CSVColumn("rule", TEXT),
    CSVColumn("reason", TEXT),
    CSVColumn("events", WHOLE),
    CSVColumn("reads", WHOLE),
    CSVColumn("input_tokens", WHOLE),
    CSVColumn("output_tokens", WHOLE),
    CSVColumn("bytes", WHOLE),
    CSVColumn("lateness_ms", MILLISECONDS, "lateness_ns"),
    CSVColumn("clock", WORD),
    CSVColumn("request_id", TEXT),
    CSVColumn("trigger", WORD),
    CSVColumn("event_number", WHOLE),
    CSVColumn("tainted", BOOLEAN),
    CSVColumn("findings", FINDINGS),
    CSVColumn("dns_ms", MILLISECONDS, "phases.dns_ns"),
    CSVColumn("connect_ms", MILLISECONDS, "phases.connect_ns"),
    CSVColumn("tls_ms", MILLISECONDS, "phases.tls_ns"),
    CSVColumn("send_ms", MILLISECONDS, "phases.send_ns"),
    CSVColumn("reused", BOOLEAN, "phases.reused"),
    CSVColumn("address", TEXT, "phases.address"),
    CSVColumn("tls", TEXT, "phases.tls"),
    CSVColumn("sent_request_id", TEXT),
    CSVColumn("content_type", TEXT),
    CSVColumn("headers", JSON),
    CSVColumn("retry_after_s", NUMBER),
    CSVColumn("error_ms", MILLISECONDS, "error_ns"),
)

_REQUEST_LATER = (
    CSVColumn("no_rate", TEXT),
    CSVColumn("reasoning_tokens", WHOLE),
    CSVColumn("concurrency", WORD, "concurrency.verdict", derived=True),
    CSVColumn("start_spread_ms", MILLISECONDS, "concurrency.known_spread_ns", derived=True),
    CSVColumn("speed_up", ROUNDED, "concurrency.known_speed_up", derived=True),
    CSVColumn("models", CONCURRENCY, "concurrency"),  # all that the three before it are taken from
    CSVColumn("answer_id", TEXT),
    CSVColumn("provider", TEXT),
    *(
        CSVColumn(f"gateway_{name}", WHOLE if name in _WHOLE_COUNTS else NUMBER, f"gateway.{name}")
        for name in COUNT_FIELDS
    ),
    CSVColumn("turn", WHOLE),
    CSVColumn("turns", WHOLE),
    CSVColumn("vantage", TEXT),
    CSVColumn("cached_tokens", WHOLE),
    CSVColumn("prompt_line", WHOLE),
    CSVColumn("prompt_hash", TEXT),
)
"""Columns of requests.csv behind those of its metrics."""

_PING = (
    CSVColumn("endpoint", TEXT),
    CSVColumn("ping_number", WHOLE, "number"),
    CSVColumn("trace_id", TEXT),
    CSVColumn("started_at", TIME),
    CSVColumn("outcome", WORD, derived=True),
    CSVColumn("verdict", WORD),
    CSVColumn("rule", TEXT),
    CSVColumn("reason", TEXT),
    CSVColumn("connection", WHOLE),
    CSVColumn("connect_ms", MILLISECONDS, "connect_ns"),
    CSVColumn("close_code", WHOLE),
    CSVColumn("close_reason", TEXT),
    CSVColumn("status", WHOLE),
    CSVColumn("lateness_ms", MILLISECONDS, "lateness_ns"),
    CSVColumn("clock", WORD),
    CSVColumn("request_id", TEXT),
    CSVColumn("trigger", WORD),
    CSVColumn("tainted", BOOLEAN),
    CSVColumn("headers", JSON),
    CSVColumn("retry_after_s", NUMBER),
    CSVColumn("findings", FINDINGS),
    CSVColumn("address", TEXT),
    CSVColumn("error_ms", MILLISECONDS, "error_ns"),
    CSVColumn("vantage", TEXT),
)

_INCIDENT = (
    CSVColumn("at", TIME),
    CSVColumn("kind", TEXT),
    CSVColumn("endpoint", TEXT),
    CSVColumn("state", WORD),
    CSVColumn("was", WORD),
    CSVColumn("text", TEXT),
    CSVColumn("request_number", WHOLE, "number"),
    CSVColumn("trace_id", TEXT),
    CSVColumn("finding", WORD),
    CSVColumn("incident", COUNT),
    CSVColumn("event", WORD),
    CSVColumn("severity", SEVERITY),
    CSVColumn("scope", SCOPE),
    CSVColumn("cause", CAUSE),
    CSVColumn("since", TIME),
    CSVColumn("failures", COUNT),
    CSVColumn("acknowledged", TEXT),
    CSVColumn("vantage", TEXT),
)

_CHECK = (
    CSVColumn("endpoint", TEXT),
    CSVColumn("check", TEXT, "name"),
    CSVColumn("outcome", WORD),
    CSVColumn("evidence", TEXT),
    CSVColumn("cause", TEXT),
    CSVColumn("remedy", TEXT),
    CSVColumn("started_at", TIME),
    CSVColumn("duration_ms", MILLISECONDS, "duration_ns"),
    CSVColumn("requests", WHOLE),
    CSVColumn("section", TEXT),
    CSVColumn("title", TEXT),
    CSVColumn("facts", JSON),
    CSVColumn("details", JSON),
)


def _with_metrics(own: Sequence[CSVColumn], *forms: AnswerForm) -> list[CSVColumn]:
    """The table with the columns of the metrics that such results have, each in its place."""
    placed = list(own)
    for metric in metrics_of(*forms):
        names = [column.name for column in placed]
        after = metric.about.column_after
        placed.insert(names.index(after) + 1 if after else len(placed), _metric_column(metric))
    return placed


_CELLS = {Unit.MILLISECONDS: MILLISECONDS, Unit.TOKENS_PER_SECOND: ROUNDED, Unit.US_DOLLARS: NUMBER}


def _metric_column(metric: Metric) -> CSVColumn:
    kind = _CELLS[metric.about.unit]
    field = metric.about.field
    return CSVColumn(metric.about.column, kind, field or "measured", "" if field else metric.value)


class _Table(Generic[_Record]):
    """The columns of one file, prepared for writing and reading."""

    def __init__(self, kind: type[_Record], columns: Sequence[CSVColumn]) -> None:
        self.columns = tuple(column.name for column in columns)
        self._kind = kind
        self._values = attrgetter(*(column.path for column in columns))
        self._writes = [(at, write) for at, column in enumerate(columns) if (write := column.write()) is not None]
        self._reads = [(column.name, *column.place(), column.kind) for column in columns if not column.derived]

    def row(self, record: _Record) -> Row:
        values = list(self._values(record))
        for at, write in self._writes:
            values[at] = write(values[at])
        return dict(zip(self.columns, values, strict=True))

    def record(self, row: Mapping[str, str]) -> _Record:
        """The record of a row, with `now_ns` 0. Raises RowError."""
        fields: dict[str, Any] = {"now_ns": 0, "record": self._kind.__struct_config__.tag}
        for name, owner, field, kind in self._reads:
            text = row.get(name)
            if text or (text is not None and kind.reads_empty):
                try:
                    value = kind.read(text)
                except (ValueError, OverflowError, KeyError) as error:
                    raise RowError(f"{name} is {text[:40]!r}") from error
                (fields.setdefault(owner, {}) if owner else fields)[field] = value
        try:
            return msgspec.convert(fields, self._kind)
        except msgspec.ValidationError as error:
            raise RowError(str(error)) from error


_REQUESTS = _Table(Request, [*_with_metrics(_REQUEST, AnswerForm.STREAM, AnswerForm.WHOLE), *_REQUEST_LATER])
_PINGS = _Table(Ping, _with_metrics(_PING, AnswerForm.PONG))
_INCIDENTS = _Table(LogEntry, _INCIDENT)
_CHECKS = _Table(CheckResult, _CHECK)

REQUEST_COLUMNS = _REQUESTS.columns
PING_COLUMNS = _PINGS.columns
INCIDENT_COLUMNS = _INCIDENTS.columns
CHECK_COLUMNS = _CHECKS.columns

request_row, request_of = _REQUESTS.row, _REQUESTS.record
"""A row of requests.csv, and the record of one."""
ping_row, ping_of = _PINGS.row, _PINGS.record
"""A row of pings.csv, and the record of one."""
incident_row, incident_of = _INCIDENTS.row, _INCIDENTS.record
"""A row of incidents.csv, and the record of one."""
check_row = _CHECKS.row
"""A row of checks.csv."""
