"""Rows of a session's files, read back: what was written is what is read, and what is no row is reported."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import fields, replace
from support.generated import structs
from support.hazards import HAZARD, hazards_in
from support.texts import texts_of

from gwtui.codec.cells import Cell
from gwtui.codec.csv_schema import (
    INCIDENT_COLUMNS,
    PING_COLUMNS,
    REQUEST_COLUMNS,
    RowError,
    incident_of,
    incident_row,
    ping_of,
    ping_row,
    request_of,
    request_row,
)
from gwtui.model.concurrency import Concurrency, ModelTimeline
from gwtui.model.enums import BAD, FindingName, State
from gwtui.model.incidents import Cause, CauseKind, IncidentEvent, Scope, ScopeKind
from gwtui.model.judged import LogEntry
from gwtui.model.records import Ping, Request
from gwtui.model.verdicts import Verdict
from gwtui.recorder.csvfile import csv_cells, csv_line
from gwtui.stats.concurrency import analyse
from gwtui.text.sanitize import clean

Reader = Callable[[dict[str, str]], Any]
YEAR_S = 4_000_000_000
DAYS_NS = 10**15


def named(line: bytes, columns: Iterable[str]) -> dict[str, str]:
    return dict(zip(columns, csv_cells(line.decode().removesuffix("\n")), strict=True))


def measured(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Records with times that a clock may show, and headers as they are recorded: clean."""

    def within(record: Any) -> Any:
        bounds = {"started_at": YEAR_S, "at": YEAR_S, "since": YEAR_S, "tokens_per_s": 10**6, "retry_after_s": 10**6}
        values = {field.name: getattr(record, field.name) for field in fields(record)}
        times = {name: value % DAYS_NS for name, value in values.items() if name.endswith("_ns") and value is not None}
        others: dict[str, Any] = {
            name: abs(values[name] or 0.0) % most for name, most in bounds.items() if name in values
        }
        if "measured" in values:
            others["measured"] = {metric: value % DAYS_NS for metric, value in values["measured"].items()}
        if "headers" in values:
            others["headers"] = {clean(name): clean(text) for name, text in values["headers"].items()}
        return replace(record, **times, **others)

    return structs(kind).map(within)


def written_again(row: dict[str, Cell], read: Reader, write: Callable[[Any], dict[str, Cell]]) -> tuple[bytes, bytes]:
    line = csv_line(row.values())
    return line, csv_line(write(read(named(line, row))).values())


@given(measured(Request), measured(Request))
def test_a_request_that_is_read_back_makes_the_same_row(request: Request, other: Request) -> None:
    phases = {
        name: value % DAYS_NS if isinstance(value, int) and not isinstance(value, bool) else value
        for name, value in ((field.name, getattr(other.phases, field.name)) for field in fields(other.phases))
    }
    request = replace(request, phases=replace(other.phases, **phases), concurrency=Concurrency())
    line, again = written_again(request_row(request), request_of, request_row)
    assert again == line


COUNTS = st.none() | st.integers(0, 10**9)
TIMES = st.integers(0, DAYS_NS // 1000).map(lambda us: 1000 * us)


@given(
    st.lists(
        st.builds(
            ModelTimeline,
            model=st.text().map(clean),
            start_ns=st.none() | TIMES,
            first_ns=st.none() | TIMES,
            end_ns=st.none() | TIMES,
            chunks=st.integers(0, 10**9),
            error=st.sampled_from(("", "it did not end", 'said "no", and\nleft')).map(clean),
        ),
        max_size=4,
        unique_by=lambda each: each.model,
    )
)
def test_the_models_of_a_request_are_read_back(models: list[ModelTimeline]) -> None:
    found = analyse(models, [each.model for each in models])
    request = Request(
        endpoint="e",
        number=1,
        started_at=0,
        now_ns=0,
        api="compare-stream",
        verdict=Verdict.COMPLETE,
        rule="r",
        concurrency=found,
    )
    row = request_row(request)
    line, again = written_again(row, request_of, request_row)
    assert again == line
    read = request_of(named(csv_line(row.values()), REQUEST_COLUMNS)).concurrency
    if models:
        assert (read.verdict, read.undecided, read.turns) == (found.verdict, found.undecided, found.turns)
        assert [(each.model, each.error, each.chunks) for each in read.models] == [
            (each.model, each.error, each.chunks) for each in models
        ]


@pytest.mark.parametrize(
    "cell", ["[]", "{", '{"models": 3}', '{"models": [{"model": "a", "end_ms": "x"}]}', '{"wall_ms": 1e99}']
)
def test_models_that_nobody_wrote_are_refused(cell: str) -> None:
    with pytest.raises(RowError, match="models"):
        request_of(REQUEST | {"models": cell})


@given(measured(Ping))
def test_a_ping_that_is_read_back_makes_the_same_row(ping: Ping) -> None:
    line, again = written_again(ping_row(ping), ping_of, ping_row)
    assert again == line


SCOPES = st.builds(Scope, st.sampled_from(ScopeKind), st.text().map(clean), st.text().map(clean)).map(str)
FINDINGS = st.builds(Cause, st.just(CauseKind.FINDING), st.sampled_from(FindingName).map(str))
OTHERS = st.sampled_from([kind for kind in CauseKind if kind is not CauseKind.FINDING])
CAUSES = (st.builds(Cause, OTHERS, st.text().map(clean), st.text().map(clean)) | FINDINGS).map(str)


@given(measured(LogEntry), COUNTS, COUNTS, st.just("") | SCOPES, st.just("") | CAUSES, st.none() | st.sampled_from(BAD))
def test_an_entry_that_is_read_back_makes_the_same_row(
    entry: LogEntry, number: int | None, failures: int | None, scope: str, cause: str, severity: State | None
) -> None:
    incident = replace(entry, incident=number, failures=failures, scope=scope, cause=cause, severity=severity)
    line, again = written_again(incident_row(incident), incident_of, incident_row)
    assert again == line


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("scope", "galaxy far away"),
        ("scope", "path here"),
        ("cause", "keys refused"),
        ("cause", "bad luck (today)"),
        ("severity", "up"),
        ("event", "imagined"),
    ],
)
def test_words_of_an_incident_that_nobody_wrote_are_refused(column: str, cell: str) -> None:
    entry = LogEntry(at=0, now_ns=0, kind="incident", incident=1, event=IncidentEvent.OPENED, severity=State.DOWN)
    row = named(csv_line(incident_row(entry).values()), INCIDENT_COLUMNS)
    assert incident_of(row).event is IncidentEvent.OPENED
    with pytest.raises(RowError, match=column):
        incident_of(row | {column: cell})


def test_numbers_times_and_words_of_a_request_are_what_they_were() -> None:
    request = Request(
        endpoint="gateway",
        number=7,
        started_at=1_795_183_391.25,
        now_ns=5,
        api="openai-chat",
        verdict=Verdict.TRUNCATED,
        rule="openai.eof",
        reason="=1+1",
        ttft_ns=388_001_000,
        headers={"via": 'a "b", c'},
        tainted=True,
    )
    read = request_of(named(csv_line(request_row(request).values()), REQUEST_COLUMNS))
    assert read == replace(request, now_ns=0)


REQUEST = dict.fromkeys(REQUEST_COLUMNS, "") | {
    "endpoint": "a",
    "request_number": "1",
    "started_at": "2026-11-20T14:03:11.250Z",
    "api": "http",
    "verdict": "complete",
    "rule": "http",
}
PING = dict.fromkeys(PING_COLUMNS, "") | {
    "endpoint": "a",
    "ping_number": "1",
    "started_at": "2026-11-20T14:03:11.250Z",
    "verdict": "pong",
    "rule": "ws",
}
INCIDENT = dict.fromkeys(INCIDENT_COLUMNS, "") | {"at": "2026-11-20T14:03:11.250Z", "kind": "mark"}


@pytest.mark.parametrize(
    ("read", "row", "column", "text"),
    [
        (request_of, REQUEST, "request_number", "one"),
        (request_of, REQUEST, "request_number", "9" * 5000),
        (request_of, REQUEST, "duration_ms", "inf"),
        (request_of, REQUEST, "duration_ms", "1e400"),
        (request_of, REQUEST, "tokens_per_s", "nan"),
        (request_of, REQUEST, "started_at", "2026-11-20T14:03:11"),
        (request_of, REQUEST, "started_at", "yesterday"),
        (request_of, REQUEST, "stream", "yes"),
        (request_of, REQUEST, "verdict", "fine"),
        (request_of, REQUEST, "headers", "[1]"),
        (request_of, REQUEST, "headers", "[" * 100_000),
        (request_of, REQUEST, "connect_ms", "-"),
        (ping_of, PING, "rtt_ms", "fast"),
        (ping_of, PING, "verdict", ""),
        (incident_of, INCIDENT, "state", "great"),
        (incident_of, INCIDENT, "at", ""),
    ],
)
def test_a_cell_that_makes_no_sense_is_named(read: Reader, row: dict[str, str], column: str, text: str) -> None:
    assert read(row)
    with pytest.raises(RowError, match=column):
        read(row | {column: text})


def test_columns_that_are_missing_were_not_measured_and_unknown_ones_are_passed_over() -> None:
    request = request_of({column: text for column, text in REQUEST.items() if text} | {"mood": "good"})
    assert request.ttft_ns is None
    assert request.findings == ()


@pytest.mark.parametrize(
    ("read", "columns"),
    [(request_of, REQUEST_COLUMNS), (ping_of, PING_COLUMNS), (incident_of, INCIDENT_COLUMNS)],
    ids=["requests", "pings", "incidents"],
)
def test_text_that_somebody_put_into_a_row_is_cleaned(read: Reader, columns: tuple[str, ...]) -> None:
    hostile = HAZARD + "x" * 100_000
    words = {"verdict": "reset", "clock": "user", "trigger": "schedule", "state": "down", "was": "up"}
    numbers = dict.fromkeys(("request_number", "ping_number"), "1")
    row: dict[str, str] = dict.fromkeys(set(columns) & TEXTS, hostile) | {
        "started_at": EPOCH,
        "at": EPOCH,
        **words,
        **numbers,
    }
    row["headers"] = json.dumps({hostile: hostile})
    for text in texts_of(msgspec.to_builtins(read(row))):
        assert hazards_in(text.replace("\n", "␛")) == []
        assert len(text) < 5_000


EPOCH = "2026-11-20T14:03:22.000Z"
TEXTS = frozenset(
    {
        *("endpoint", "trace_id", "api", "model", "model_served", "rule", "reason", "request_id", "sent_request_id"),
        *("content_type", "address", "tls", "findings", "close_reason", "kind", "text"),
    }
)
