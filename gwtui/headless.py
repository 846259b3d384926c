"""Watching without a screen: a line per interval, incidents as they come, a summary at the end."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from gwtui import units
from gwtui.feeds import Feed
from gwtui.monitor import Monitor
from gwtui.records import FeedEnded, Incident, Ping, Record, Request
from gwtui.report import summary
from gwtui.rows import incident_row, ping_row, request_row
from gwtui.view import EndpointRow, Query, View, Window
from gwtui.words import State

EXIT_DOWN = 1
EXIT_ENGINE = 3

Write = Callable[[str], Any]


async def watch_lines(feed: Feed, interval_s: float, write: Write, *, as_json: bool) -> int:
    """Write lines until the feed ends or a signal comes. Returns the exit code.

    0: no endpoint is down. 1: one is. 3: the engine failed. 128 + n: signal n ended it.
    """
    printer = _JSONLines(write) if as_json else _TextLines(write)
    monitor = Monitor()
    caught: list[int] = []
    failed = False
    next_ns: int | None = None

    def stop(number: int) -> None:
        caught.append(number)
        feed.stop()

    with _signals(stop):
        async for batch in feed:
            for record in batch:
                monitor.apply(record)
                printer.record(record)
                failed = failed or (isinstance(record, FeedEnded) and record.failed)
            now_ns = monitor.now_ns
            if next_ns is None:
                next_ns = now_ns + int(interval_s * 1e9)
            elif now_ns >= next_ns:
                printer.interval(monitor.view(Query(window=Window.M2), 1))
                next_ns = now_ns + int(interval_s * 1e9)
    view = monitor.view(Query(window=Window.ALL), 1)
    printer.end(view)
    return _exit_code(view, caught, failed)


def _exit_code(view: View, caught: list[int], failed: bool) -> int:
    if caught:
        return 128 + caught[0]
    if failed:
        return EXIT_ENGINE
    return EXIT_DOWN if any(row.state is State.DOWN for row in view.endpoints) else 0


@contextmanager
def _signals(stop: Callable[[int], Any]) -> Iterator[None]:
    """Call `stop` with the number of a signal that asks the program to end."""
    loop = asyncio.get_running_loop()
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    handled = []
    try:
        for number in numbers:
            loop.add_signal_handler(number, stop, int(number))
            handled.append(number)
    except NotImplementedError:
        pass
    try:
        yield
    finally:
        for number in handled:
            loop.remove_signal_handler(number)


class _TextLines:
    def __init__(self, write: Write) -> None:
        self._write = write

    def record(self, record: Record) -> None:
        if isinstance(record, Incident):
            self._write(f"{units.clock(record.at)}Z  {incident_text(record)}")
        elif isinstance(record, FeedEnded) and record.failed:
            self._write(f"gwtui: {record.text}\n{record.detail}".rstrip())

    def interval(self, view: View) -> None:
        header = view.header
        states = "  ".join(f"{state.mark} {count} {state}" for state, count in header.states)
        counts = f"{units.count(header.requests)} requests  {units.count(header.failed)} failed"
        rows = "  ".join(_row_text(row) for row in view.endpoints)
        self._write(f"{units.clock(header.at)}Z  {states}  {counts}  |  {rows}")

    def end(self, view: View) -> None:
        self._write(f"\n{summary(view)}")


def incident_text(incident: Incident) -> str:
    """`✖ gateway down: 5 truncated in a row (trace 4bf92f)`."""
    mark = incident.state.mark if incident.state is not None else "◆"
    what = f"{incident.endpoint} {incident.state}: {incident.text}" if incident.state is not None else incident.text
    who = f"{incident.endpoint}: " if incident.endpoint and incident.state is None else ""
    trace = f" (trace {incident.trace_id})" if incident.trace_id else ""
    return f"{mark} {who}{what}{trace}"


def _row_text(row: EndpointRow) -> str:
    figures = f"{row.name} {units.quantile(row.p50.value_ns, row.p50.n)}"
    return figures if row.state is State.UP else f"{row.state.mark} {figures} {row.state} {row.verdict}"


class _JSONLines:
    def __init__(self, write: Write) -> None:
        self._write = write

    def _line(self, type_: str, fields: dict[str, Any]) -> None:
        self._write(msgspec.json.encode({"type": type_} | fields).decode())

    def record(self, record: Record) -> None:
        match record:
            case Request():
                self._line("request", dict(request_row(record)))
            case Ping():
                self._line("ping", dict(ping_row(record)))
            case Incident():
                self._line("incident", dict(incident_row(record)))
            case FeedEnded():
                self._line("end", {"text": record.text, "failed": record.failed, "detail": record.detail})

    def interval(self, view: View) -> None:
        self._line("interval", _view_fields(view))

    def end(self, view: View) -> None:
        self._line("summary", _view_fields(view) | {"session_dir": view.header.session_dir})


def _view_fields(view: View) -> dict[str, Any]:
    header = view.header
    return {
        "at": units.timestamp(header.at),
        "requests": header.requests,
        "failed": header.failed,
        "endpoints": [_row_fields(row) for row in view.endpoints],
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
        "tokens_per_s": row.tokens_per_s,
        "verdict": row.verdict,
        "missed": row.missed,
    }
