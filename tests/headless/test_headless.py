"""Watching without a screen: what is printed when, when it ends, and with which exit code.

`UPDATE_GOLDENS=1 pytest tests/headless/test_headless.py` renews the texts in `goldens/`.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import pytest
from support import views
from support.monitor_stage import MS, START_AT, endpoint, ns

from gwtui.codec.csv_schema import INCIDENT_COLUMNS, PING_COLUMNS, REQUEST_COLUMNS
from gwtui.headless import JSONLines, TextLines, watch_lines
from gwtui.headless.table import fitting
from gwtui.model.commands import Command
from gwtui.model.enums import FindingName, State
from gwtui.model.judged import LogEntry
from gwtui.model.profile import Profile
from gwtui.model.records import FeedEnded, Heartbeat, Ping, Record, Request, SessionStarted
from gwtui.model.verdicts import Verdict

GOLDENS = Path(__file__).parent.parent / "goldens"
END = FeedEnded(text="session ended")
CRASH = FeedEnded(text="engine exited 1", failed=True, detail="ValueError: no")


class ScriptedFeed:
    """A feed of batches that were written down. A callable among them is called when its turn comes."""

    refuses = ""
    recording = None

    def __init__(self, *batches: list[Record] | Callable[[], None], holds: bool = False) -> None:
        self._batches = iter(batches)
        self._holds = holds
        self._stopped = asyncio.Event()
        self.stops = 0
        self.closed = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[Record]:
        for batch in self._batches:
            if isinstance(batch, list):
                return batch
            batch()
        if self._holds:
            self._holds = False
            await self._stopped.wait()
            return [END]
        raise StopAsyncIteration

    def send(self, command: Command) -> None:
        raise AssertionError("a headless session commands nothing")

    def stop(self) -> None:
        self.stops += 1
        self._stopped.set()

    async def aclose(self) -> None:
        self.closed = True


class Printed:
    """A printer that keeps what it prints."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.intervals: list[float] = []
        self.ends = 0

    def record(self, record: Record) -> None:
        self.records.append(record)

    def interval(self, view: Any) -> None:
        self.intervals.append(view.header.at - START_AT)

    def end(self, view: Any) -> None:
        self.ends += 1


def started(*names: str, session_dir: str | None = "/tmp/session") -> SessionStarted:
    endpoints = tuple(endpoint(name, "websocket" if name == "ws" else "openai-chat") for name in names)
    profile = Profile(name="prod", endpoints=endpoints)
    return SessionStarted(started_at=START_AT, now_ns=ns(0), profile=profile, session_dir=session_dir)


def beat(at_s: float, **fields: Any) -> Heartbeat:
    return Heartbeat(at=START_AT + at_s, now_ns=ns(at_s), **fields)


def request(
    name: str, at_s: float, verdict: Verdict = Verdict.COMPLETE, number: int = 1, ttft_ms: int = 400
) -> Request:
    good = verdict is Verdict.COMPLETE
    return Request(
        endpoint=name,
        number=number,
        started_at=START_AT + at_s,
        now_ns=ns(at_s),
        api="openai-chat",
        verdict=verdict,
        rule="openai.done",
        ttft_ns=400 * MS if good else None,
        duration_ns=1200 * MS if good else None,
        headers={"x-trace": "t1"},
        trace_id="t1",
    )


def ping(at_s: float) -> Ping:
    return Ping(
        endpoint="ws",
        number=1,
        started_at=START_AT + at_s,
        now_ns=ns(at_s),
        verdict=Verdict.PONG,
        rule="websocket.pong",
        rtt_ns=12 * MS,
    )


def became(name: str, at_s: float, state: State, text: str = "3 refused in a row") -> LogEntry:
    return LogEntry(
        at=START_AT + at_s, now_ns=ns(at_s), kind="state", endpoint=name, state=state, text=text, trace_id="t1"
    )


async def watched(feed: ScriptedFeed, interval_s: float = 1.0) -> tuple[int, Printed]:
    printed = Printed()
    code = await watch_lines(feed, printed, interval_s)
    assert feed.closed
    return code, printed


GOOD, BAD = request("a", 1), request("a", 1, Verdict.REFUSED)


@pytest.mark.parametrize(
    ("records", "code"),
    [
        ([started("a"), GOOD, END], 0),
        ([started("a"), END], 1),
        ([started("a"), became("a", 1, State.PAUSED), END], 0),
        ([started("a"), GOOD, became("a", 2, State.DEGRADED), END], 0),
        ([started("a"), GOOD, became("a", 2, State.DOWN), END], 1),
        ([started("a"), GOOD, became("a", 2, State.DOWN), became("a", 3, State.UP), END], 0),
        ([started("a"), BAD, END], 1),
        ([started("a"), request("a", 1, Verdict.LOCAL), END], 1),
        ([started("a"), request("a", 1, Verdict.LOCAL), GOOD, END], 0),
        ([started("a"), request("a", 1, Verdict.CANCELLED), END], 1),
        ([started("a"), BAD, GOOD, END], 0),
        ([started("a", "b"), GOOD, request("b", 1, Verdict.AUTH), END], 1),
        ([started("a"), GOOD, CRASH], 3),
        ([started("a"), BAD, CRASH], 3),
        ([started("a"), GOOD, beat(2, rows_written=1), END], 0),
        ([started("a"), GOOD, beat(2, rows_written=1, rows_lost=1), END], 3),
        ([started("a"), GOOD, beat(2, recorder_error="No space left"), END], 3),
    ],
)
async def test_the_exit_code_says_whether_an_endpoint_is_down(records: list[Record], code: int) -> None:
    exit_code, printed = await watched(ScriptedFeed(records))
    assert exit_code == code
    assert printed.records == records
    assert printed.ends == 1


async def test_an_interval_is_reported_when_it_has_passed_by_the_clock_of_the_records() -> None:
    beats: list[list[Record]] = [[beat(at_s)] for at_s in (0.4, 0.9, 1.1, 1.9, 2.4, 7.7, 8.0, 8.1)]
    _, printed = await watched(ScriptedFeed([started("a")], *beats, [END]))
    assert printed.intervals == pytest.approx([1.1, 2.4, 7.7, 8.0])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_ends_the_session_in_order(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    feed = ScriptedFeed([started("a"), GOOD], lambda: signal.raise_signal(number), holds=True)
    code, printed = await watched(feed)
    assert code == 128 + number
    assert printed.records[-1] == END
    assert printed.ends == 1
    assert signal.getsignal(number) == before


@pytest.fixture
def _hangups_ignored() -> Iterator[None]:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("_hangups_ignored")
async def test_a_signal_that_was_ignored_from_the_start_stays_so() -> None:
    feed = ScriptedFeed([started("a")], lambda: signal.raise_signal(signal.SIGHUP), [GOOD, END])
    code, _ = await watched(feed)
    assert (code, feed.stops) == (0, 0)


async def test_the_second_signal_has_its_usual_effect() -> None:
    before = signal.getsignal(signal.SIGTERM)
    during: list[Any] = []

    def terminate() -> None:
        during.append(signal.getsignal(signal.SIGTERM))
        signal.raise_signal(signal.SIGTERM)
        during.append(signal.getsignal(signal.SIGTERM))

    await watched(ScriptedFeed(terminate, holds=True))
    assert during[0] != before
    assert during[1] == before


async def test_a_printer_that_cannot_print_ends_the_session() -> None:
    class Broken(Printed):
        def record(self, record: Record) -> None:
            raise BrokenPipeError

    feed = ScriptedFeed([started("a")], holds=True)
    with pytest.raises(BrokenPipeError):
        await watch_lines(feed, Broken(), 1.0)
    assert feed.closed


SESSION: tuple[list[Record], ...] = (
    [started("gateway-claude", "ws", "a-name-that-is-longer-than-a-column")],
    [request("gateway-claude", at_s, number=at_s) for at_s in range(1, 7)],
    [ping(6)],
    [beat(6)],
    [became("gateway-claude", 7, State.SLOW, "p50 TTFT 1.9 s over 1.2 s"), beat(7)],
    [request("ws", 8), became("ws", 8, State.DOWN), beat(8)],
    [
        LogEntry(
            at=START_AT + 8,
            now_ns=ns(8),
            kind="finding",
            endpoint="gateway-claude",
            text="buffered: 9 in one read",
            finding=FindingName.BUFFERED,
        )
    ],
    [LogEntry(at=START_AT + 8, now_ns=ns(8), kind="engine", text="its loop was 412 ms late")],
    [beat(9, paused=("ws",), recorder_error="No space left on device", rows_waiting=3)],
    [beat(10, paused=("ws",))],
    [CRASH],
)


async def lines_of(width: int, *batches: list[Record]) -> str:
    lines: list[str] = []
    await watch_lines(ScriptedFeed(*batches), TextLines(lines.append, width), 1.0)
    return "\n".join(lines)


async def test_a_session_as_text() -> None:
    text = f"{await lines_of(160, *SESSION)}\n\n── 60 columns\n{await lines_of(60, *SESSION)}\n"
    golden = GOLDENS / "headless.txt"
    if os.environ.get("UPDATE_GOLDENS") == "1":
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


async def test_the_headings_come_again_before_they_have_scrolled_away() -> None:
    beats: list[list[Record]] = [[beat(at_s)] for at_s in range(1, 62)]
    text = await lines_of(160, [started("a")], *beats)
    assert text.count("requests  failed") == 4


@pytest.mark.parametrize("width", [40, 80, 120, 160, 400])
def test_columns_keep_to_the_width_and_names_are_cut_before_endpoints_are_left_out(width: int) -> None:
    rows = views.crowded().endpoints
    columns = fitting(rows, width)
    assert [row for row, _ in columns] == list(rows[: len(columns)])
    assert sum(each + 2 for _, each in columns) <= width
    if len(columns) < len(rows):
        assert {each for _, each in columns} == {10}


async def test_endpoints_without_a_column_are_reported_when_they_are_not_well() -> None:
    lines: list[str] = []
    printer = TextLines(lines.append, 80)
    printer.interval(views.crowded())
    assert "+18" in lines[0]
    assert "✖ sourcegraph-claude-05" in lines[-1]
    assert "gateway-gpt-10" not in lines[-1]


def test_an_interval_in_json_says_why_and_has_percentiles_of_its_window_only() -> None:
    lines: list[bytes] = []
    JSONLines(lines.append).interval(views.incident())
    rows = {row["endpoint"]: row for row in json.loads(lines[0])["endpoints"]}
    slow, down = rows["gateway-starcoder"], rows["sourcegraph-claude"]
    assert (slow["why"], slow["usual_ms"], slow["ratio"], slow["p95_ms"]) == ("slow 2.2x", 410, 2.22, 1904)
    assert (down["why"], down["usual_ms"], down["ratio"], down["p95_ms"]) == ("truncated 14/41", None, None, None)


async def test_a_session_as_json_is_one_object_a_line() -> None:
    lines: list[bytes] = []
    await watch_lines(ScriptedFeed(*SESSION), JSONLines(lines.append), 1.0)
    assert not any(b"\n" in line for line in lines)
    documents = [json.loads(line) for line in lines]
    logged, others = {"state", "finding", "engine"}, {"request", "ping", "interval", "end", "summary"}
    assert {each["type"] for each in documents} == logged | others
    assert [each["type"] for each in documents[-2:]] == ["end", "summary"]
    by_type = {each.pop("type"): each for each in documents}
    assert set(by_type["request"]) == {*REQUEST_COLUMNS, "gateway"}
    assert set(by_type["ping"]) == {*PING_COLUMNS, "findings"}
    for kind in logged:
        assert by_type[kind]["kind"] == kind
        assert set(by_type[kind]) == set(INCIDENT_COLUMNS)
    assert by_type["request"]["headers"] == {"x-trace": "t1"}
    assert by_type["end"] == {"text": "engine exited 1", "failed": True, "detail": "ValueError: no"}
    assert set(by_type["summary"]) == {*by_type["interval"], "incidents"}
    assert by_type["interval"]["window_s"] == 120
    assert all(
        {"age_s", "next_s", "why", "usual_ms", "ratio"} <= row.keys() for row in by_type["interval"]["endpoints"]
    )
    summary = by_type["summary"]
    assert summary["window_s"] is None
    assert summary["session_dir"] == "/tmp/session"
    assert summary["states"] == {"slow": 1, "paused": 1, "unknown": 1}
    claude = summary["endpoints"][0]
    assert (claude["endpoint"], claude["state"], claude["n"], claude["p50_ms"]) == ("gateway-claude", "slow", 6, 400.0)


async def test_json_keeps_hostile_text_in_its_string() -> None:
    lines: list[bytes] = []
    hostile = replace(views.hostile(), version=1)
    JSONLines(lines.append).interval(hostile)
    assert json.loads(lines[0])["endpoints"][0]["endpoint"] == hostile.endpoints[0].name
    assert b"\n" not in lines[0]
