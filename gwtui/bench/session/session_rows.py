"""The rows of a bench session: those of every session, and on their right what a benchmark needs to be read back whole.

Stamps are milliseconds since the session's `started_at`, on the clock of the measurement, which is never set.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from gwtui.bench.results.measured import wait_before_ns
from gwtui.bench.results.rates import end_ns
from gwtui.codec.cells import MILLISECONDS, Cell
from gwtui.codec.csv_schema import (
    PING_COLUMNS,
    REQUEST_COLUMNS,
    Row,
    RowError,
    ping_of,
    ping_row,
    request_of,
    request_row,
)
from gwtui.model.metrics import Metric
from gwtui.model.records import Ping, Request
from gwtui.recorder.csvfile import csv_line
from gwtui.text.sanitize import clean
from gwtui.text.units import milliseconds

STAMPS = {"planned_ms": "planned_ns", "sent_ms": "sent_ns", "ended_ms": "now_ns"}
"""When it was due, when its last byte was sent and when it ended, by column. (A result that is read back has no other
moment at which it was noticed.)"""
WAIT = "room_wait_ms"
BENCH_COLUMNS = ("point", "from_planned_ms", *STAMPS, WAIT, "gaps", "errors")
"""`from_planned_ms`: from the planned send to the end. `room_wait_ms`: how much of the lateness is not gwtui's. `gaps`:
the gaps between reads with content as `[[ns, count], ...]`. `errors`: how far each latency may be from the truth, in
ns."""
SESSION_REQUEST_COLUMNS = (*REQUEST_COLUMNS, *BENCH_COLUMNS)
SESSION_PING_COLUMNS = (*PING_COLUMNS, *BENCH_COLUMNS)
NEVER_SENT_COLUMNS = ("point", "reason", "due_ms")

SESSION_FILES = ("requests.csv", "pings.csv")
"""The files of results, in the order in which they are read."""
MAX_POINT = 200
"""Characters of a point's name."""
_GAPS = msgspec.json.Decoder(tuple[tuple[int, int], ...])
_ERRORS = msgspec.json.Decoder(dict[Metric, int])


def session_line(point: str, result: Request | Ping, zero_ns: int) -> bytes:
    """A result as a line of its file. `zero_ns`: the stamp that the times count from."""
    if isinstance(result, Ping):
        return csv_line((ping_row(result) | _own(point, result, result.rtt_ns, zero_ns)).values())
    row = request_row(result) | _own(point, result, result.duration_ns, zero_ns)
    row["gaps"] = _json(result.gaps) if result.gaps else None
    row["errors"] = _json(result.errors) if result.errors else None
    return csv_line(row.values())


def result_of(row: Mapping[str, str], zero_ns: int = 0) -> tuple[str, Request | Ping]:
    """The point and the result of a row of either file. Raises RowError."""
    result = request_of(row) if "request_number" in row else ping_of(row)
    own: dict[str, object] = {}
    for column, field in STAMPS.items():
        if text := row.get(column):
            own[field] = zero_ns + _ns(column, text)
    if text := row.get(WAIT):
        own["room_wait_ns"] = _ns(WAIT, text)
    if isinstance(result, Request):
        try:
            if text := row.get("gaps"):
                own["gaps"] = _GAPS.decode(text)
            if text := row.get("errors"):
                own["errors"] = _ERRORS.decode(text)
        except msgspec.DecodeError as error:
            raise RowError(str(error)) from error
    return clean(row.get("point", ""), MAX_POINT) or result.endpoint, msgspec.structs.replace(result, **own)


def _ns(column: str, text: str) -> int:
    try:
        return int(MILLISECONDS.read(text))
    except (ValueError, OverflowError) as error:
        raise RowError(f"{column} is {text[:40]!r}") from error


def _own(point: str, result: Request | Ping, took_ns: int | None, zero_ns: int) -> Row:
    stamps: dict[str, Cell] = {}
    for column, field in STAMPS.items():
        stamp_ns = end_ns(result) if column == "ended_ms" else getattr(result, field)
        stamps[column] = None if stamp_ns is None else milliseconds(stamp_ns - zero_ns)
    from_planned_ns = None if took_ns is None else took_ns + wait_before_ns(result)
    own = {
        "point": point,
        "from_planned_ms": milliseconds(from_planned_ns),
        **stamps,
        WAIT: milliseconds(result.room_wait_ns),
    }
    return own | dict.fromkeys(("gaps", "errors"))


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
