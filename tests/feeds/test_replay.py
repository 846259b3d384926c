"""A recorded session, looked at again: the same records out of its files, and clear words where those are damaged."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec.structs import replace
from support.oswords import MISSING

from gwtui.cli import gwtui
from gwtui.codec.csv_schema import REQUEST_COLUMNS
from gwtui.config import Config
from gwtui.feeds import Feed
from gwtui.feeds.replay import replay
from gwtui.model.enums import State
from gwtui.model.judged import LogEntry, Usual
from gwtui.model.metrics import Metric
from gwtui.model.profile import Endpoint, Profile
from gwtui.model.records import FeedEnded, Heartbeat, Notice, Ping, Record, Request, SessionStarted
from gwtui.model.usual import UsualLatency, UsualSource
from gwtui.model.verdicts import Verdict
from gwtui.recorder import Recorder, latest_session_dir
from gwtui.recorder.session_reader import Row, Session, SessionError, UnreadRows, read_session
from gwtui.ui.app import GwtuiApp
from gwtui.ui.screens.monitor import MonitorScreen

SOON_S = 60.0
"""Only a failing test waits so long."""
BEGAN = 1_795_183_391.0
PROFILE = Profile(
    name="prod",
    interval_s=2.0,
    endpoints=(
        Endpoint(name="gateway", api="http", url="http://127.0.0.1:9", key="env:GATEWAY_KEY"),
        Endpoint(name="ws", api="websocket", url="ws://127.0.0.1:9"),
    ),
)


def request(number: int, **more: object) -> Request:
    """One that began so many seconds after the session and took a quarter of a second."""
    made = Request(
        endpoint="gateway",
        number=number,
        started_at=BEGAN + number,
        now_ns=0,
        api="http",
        verdict=Verdict.COMPLETE,
        rule="http.status",
        duration_ns=250_000_000,
    )
    return replace(made, **more)


def ping(number: int) -> Ping:
    at = BEGAN + number + 0.1
    return Ping(
        endpoint="ws", number=number, started_at=at, now_ns=0, verdict=Verdict.PONG, rule="ws", rtt_ns=1_000_000
    )


def state(at: float, entered: State, was: State) -> LogEntry:
    return LogEntry(
        at=BEGAN + at, now_ns=0, kind="state", endpoint="gateway", state=entered, was=was, text="5 in a row"
    )


RECORDS: list[Record] = [
    request(1),
    ping(1),
    request(2, verdict=Verdict.REFUSED, reason="nobody listens", duration_ns=None),
    state(2.5, State.DOWN, State.UP),
    ping(2),
    state(2.9, State.PAUSED, State.DOWN),
    request(4),
]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """What a recorder left of the records above."""
    directory = tmp_path / "sessions" / "one"
    with Recorder(directory, PROFILE, wall=lambda: BEGAN) as recorder:
        for record in RECORDS:
            recorder.put(record)
    return directory


async def all_of(feed: Feed) -> list[Record]:
    async with asyncio.timeout(SOON_S):
        return [record async for batch in feed for record in batch]


def seconds(record: Record) -> float:
    assert isinstance(record, Request | Ping | LogEntry)
    return round(record.now_ns / 1e9, 3)


async def test_the_records_come_out_as_they_went_in_in_the_order_of_their_ends(directory: Path) -> None:
    first, *rows, last = await all_of(replay(read_session(directory)))
    assert first == SessionStarted(started_at=BEGAN, now_ns=0, profile=PROFILE, session_dir=str(directory))
    assert last == FeedEnded(text="end of the recording")
    assert [(type(row).__name__, seconds(row)) for row in rows] == [
        ("Ping", 1.101),
        ("Request", 1.25),
        ("Request", 2.0),
        ("Ping", 2.101),
        ("LogEntry", 2.5),
        ("LogEntry", 2.9),
        ("Request", 4.25),
    ]
    assert replace(rows[2], now_ns=0) == RECORDS[2]


def test_files_that_were_put_aside_come_first_and_none_of_their_rows_is_missing(tmp_path: Path) -> None:
    for first in (1, 21, 41):
        with Recorder(tmp_path, replace(PROFILE, rotate_mb=0.002), wall=lambda: BEGAN) as recorder:
            for number in range(first, first + 20):
                recorder.put(request(number))
    assert (tmp_path / "requests.2.csv").exists()
    rows = read_session(tmp_path).rows(UnreadRows())
    assert [row.number for row in rows if isinstance(row, Request)] == list(range(1, 61))


def test_a_clock_that_was_set_back_turns_nothing_round(tmp_path: Path) -> None:
    with Recorder(tmp_path / "s", PROFILE, wall=lambda: BEGAN) as recorder:
        for number, began in ((1, 10.0), (2, 11.0), (3, -3589.0), (4, 12.0)):
            recorder.put(request(number, started_at=BEGAN + began))
    rows = list(read_session(tmp_path / "s").rows(UnreadRows()))
    assert [(row.number, seconds(row)) for row in rows if isinstance(row, Request)] == [
        (1, 10.25),
        (2, 11.25),
        (3, 11.25),
        (4, 12.25),
    ]


async def test_played_at_a_speed_time_passes_where_nothing_happened(directory: Path) -> None:
    records = await all_of(replay(read_session(directory), 10_000.0))
    beats = [record for record in records if isinstance(record, Heartbeat)]
    assert [record for record in records if isinstance(record, Request | Ping | LogEntry)] == list(
        read_session(directory).rows(UnreadRows())
    )
    assert all(beat.at == BEGAN + beat.now_ns / 1e9 for beat in beats)
    assert beats[-1].paused == ("gateway",)


async def test_lines_that_are_no_rows_are_reported_and_the_others_are_shown(directory: Path) -> None:
    file = directory / "requests.csv"
    header, first, *_ = file.read_text().splitlines(keepends=True)
    bad = ["nonsense\n", first.replace(",complete,", ",fine,"), 'a,"b\n', *["\n"] * 3]
    file.write_text(header + first + "".join(bad) + first + first[:40])
    records = await all_of(replay(read_session(directory)))
    assert [record.number for record in records if isinstance(record, Request)] == [1, 1]
    (notice,) = [record.text for record in records if isinstance(record, Notice)]
    assert notice.startswith(f"Not read: requests.csv line 3 (it has 1 of {len(REQUEST_COLUMNS)} columns); ")
    assert "line 4 (" in notice
    assert "'fine'" in notice
    assert notice.endswith(" and 4 more")


USUAL = Usual(
    endpoint="gateway",
    at=BEGAN + 1.5,
    now_ns=0,
    latencies={Metric.E2E: UsualLatency(source=UsualSource.DAY, n=60, p50_ns=250_000_000, values=((250_000_000, 60),))},
    good=60,
    failed=1,
    why="start",
)


def test_what_was_usual_comes_at_its_time(tmp_path: Path) -> None:
    directory = tmp_path / "session"
    with Recorder(directory, PROFILE, wall=lambda: BEGAN) as recorder:
        for record in (*RECORDS, USUAL):
            recorder.put(record)
    assert (directory / "usual.jsonl").stat().st_mode & 0o777 == 0o600
    rows = list(read_session(directory).rows(UnreadRows()))
    assert rows[2] == replace(USUAL, now_ns=1_500_000_000)
    assert len(rows) == len(RECORDS) + 1


@pytest.mark.parametrize(
    "line",
    [
        b"nonsense\n",
        b'{"record":"notice","now_ns":1,"text":"x"}\n',
        b'{"record":"usual","endpoint":"a","at":1,"now_ns":1,"latencies":{"ttft":'
        b'{"source":"this session","n":20,"p50_ns":1,"values":[[2,1],[1,1]]}}}\n',
        b'{"record":"usual","endpoint":"a","at":1,"now_ns":1,"latencies":{"no metric":{}}}\n',
        b'{"record":"usual","endpoint":"a","at":-1e300,"now_ns":1}\n',
        b'{"record":"usual","endpoint":"a","at":1e300,"now_ns":1}\n',
        b'{"record":"usual","endpoint":"a","at":1,"now_ns":1,"good":-1}\n',
        b'{"record":"usual","endpoint":"a","at":1,"now_ns":1,"failed":1%s}\n' % (b"0" * 30),
        *(
            b'{"record":"usual","endpoint":"a","at":1,"now_ns":1,"latencies":{"ttft":'
            b'{"source":"this session",%s}}}\n' % latency
            for latency in (
                b'"n":0,"p50_ns":1,"values":[]',
                b'"n":21,"p50_ns":1,"values":[[1,20]]',
                b'"n":-20,"p50_ns":1,"values":[[1,-20]]',
                b'"n":20,"p50_ns":2,"values":[[1,20]]',
                b'"n":20,"p50_ns":-1,"values":[[-1,20]]',
                b'"n":20,"p50_ns":1,"values":[[1,20]],"correlation":2',
                b'"n":1%s,"p50_ns":1,"values":[[1,1%s]]' % (b"0" * 30, b"0" * 30),
            )
        ),
    ],
)
def test_lines_that_do_not_tell_what_is_usual_are_reported(directory: Path, line: bytes) -> None:
    (directory / "usual.jsonl").write_bytes(line)
    unread = UnreadRows()
    assert len(list(read_session(directory).rows(unread))) == len(RECORDS)
    assert str(unread).startswith("Not read: usual.jsonl line 1")


@pytest.mark.parametrize("data", [b"", b"\xff\xfe\n\0\n", b"\n\n\n", b'"\n', b"a,a,a\n1,2,3\n", b"x" * 3_000_000])
async def test_no_bytes_in_a_file_keep_the_other_files_from_being_shown(directory: Path, data: bytes) -> None:
    (directory / "requests.csv").write_bytes(data)
    records = await all_of(replay(read_session(directory)))
    assert sum(isinstance(record, Ping) for record in records) == 2
    assert not any(isinstance(record, Request) for record in records)
    assert records[-1] == FeedEnded(text="end of the recording")


async def test_a_directory_from_somewhere_else_brings_no_escape_sequence(directory: Path) -> None:
    file = directory / "requests.csv"
    file.write_text(file.read_text().replace("nobody listens", "\x1b]0;hello\x07"))
    (hostile,) = [row for row in read_session(directory).rows(UnreadRows()) if isinstance(row, Request) and row.reason]
    assert hostile.reason.isprintable()
    assert "hello" in hostile.reason


async def test_a_file_that_cannot_be_read_ends_the_feed_with_its_name(directory: Path) -> None:
    session = read_session(directory)
    (directory / "pings.csv").unlink()
    (directory / "pings.csv").mkdir()
    (ended,) = (record for record in await all_of(replay(session)) if isinstance(record, FeedEnded))
    assert ended.failed
    assert "pings.csv" in ended.detail


def linked(path: Path) -> None:
    """The file is somewhere else now, and a link to it is in its place."""
    path.symlink_to(path.rename(path.with_suffix(".moved")))


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda d: shutil.rmtree(d), "is not a session directory: No such file"),
        (lambda d: (d / "session.toml").unlink(), "is not a session directory: session.toml: " + MISSING),
        (lambda d: linked(d / "session.toml"), "session.toml: a symbolic link"),
        (lambda d: linked(d / "profile.toml"), "profile.toml: cannot be read: a symbolic link"),
        (lambda d: linked(d / "requests.csv"), "requests.csv: a symbolic link"),
        (lambda d: os.mkfifo(d / "requests.1.csv"), "requests.1.csv: not a regular file"),
        (lambda d: os.truncate(d / "session.toml", 1 << 33), "session.toml: longer than 65,536 bytes"),
        (
            lambda d: os.truncate(d / "profile.toml", 1 << 33),
            "profile.toml: cannot be read: longer than 4,194,304 bytes",
        ),
        (lambda d: (d / "session.toml").write_text("schema = 1"), "does not say when the session began"),
        (lambda d: (d / "session.toml").write_text("= ="), "does not say when the session began"),
        (lambda d: (d / "session.toml").write_bytes(b"\xff"), "does not say when the session began"),
        (
            lambda d: (d / "session.toml").write_text('schema = 99\nstarted_at = "2026-11-20T14:03:11Z"'),
            "has rows of schema 99, and this version of gwtui reads schema 1",
        ),
        (lambda d: (d / "profile.toml").unlink(), "profile.toml"),
        (lambda d: (d / "profile.toml").write_text("[profiles.p]\nintervall_s = 1"), "intervall_s"),
    ],
)
def test_a_directory_that_is_no_session_is_refused_with_the_reason(
    directory: Path, spoil: Callable[[Path], object], expected: str
) -> None:
    spoil(directory)
    with pytest.raises(SessionError, match=expected):
        read_session(directory)
    answer = CliRunner().invoke(gwtui, ["replay", str(directory)])
    assert answer.exit_code == 2
    assert expected in " ".join(answer.output.split())


def test_without_a_terminal_a_recording_is_printed_as_a_session_is(directory: Path) -> None:
    answer = CliRunner().invoke(gwtui, ["replay", str(directory), "--headless"])
    assert "prod (replay)" in answer.output
    assert "gateway down: 5 in a row" in answer.output
    assert "complete 2, refused 1" in answer.output
    assert str(directory) in answer.output


def test_the_same_as_json(directory: Path) -> None:
    answer = CliRunner().invoke(gwtui, ["replay", str(directory), "--json"])
    records = [json.loads(line) for line in answer.output.splitlines()]
    assert sum(record["type"] == "request" for record in records) == 3


def test_without_a_directory_it_is_the_session_that_was_recorded_last(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gwtui.recorder.session_dirs.state_dir", lambda: tmp_path)
    later = directory.with_name("another")
    shutil.copytree(directory, later)
    os.utime(directory / "session.toml", (1, 1))
    directory.with_name("empty").mkdir()
    assert latest_session_dir() == later
    assert CliRunner().invoke(gwtui, ["replay", "one", "--headless"]).output.count(str(directory)) == 2
    shutil.rmtree(tmp_path / "sessions")
    answer = CliRunner().invoke(gwtui, ["replay"])
    assert answer.exit_code == 2
    assert "there is no session yet" in answer.output


async def test_on_screen_a_recording_stays_until_it_is_left(directory: Path) -> None:
    feed = replay(read_session(directory), stay=True)
    records = aiter(feed)
    seen = [await anext(records) for _ in range(2)]
    end = asyncio.ensure_future(anext(records))
    assert await asyncio.wait({end}, timeout=0) == (set(), {end})
    feed.stop()
    async with asyncio.timeout(SOON_S):
        assert await end == [FeedEnded(text="end of the recording")]
    assert sum(map(len, seen)) == 1 + len(RECORDS)


@pytest.mark.parametrize("stay", [True, False])
async def test_the_loading_of_a_long_recording_reports_its_progress(
    directory: Path, monkeypatch: pytest.MonkeyPatch, stay: bool
) -> None:
    monkeypatch.setattr("gwtui.feeds.replay.BATCH", 1)
    monkeypatch.setattr("gwtui.feeds.replay.PROGRESS_ROWS", 3)
    feed, notices = replay(read_session(directory), stay=stay), []
    async with asyncio.timeout(SOON_S):
        async for batch in feed:
            notices += [record.text for record in batch if isinstance(record, Notice)]
            if notices[-1:] == [f"{len(RECORDS)} rows in total"]:
                feed.stop()
    assert notices == ["3 rows so far", "6 rows so far", f"{len(RECORDS)} rows in total"] * stay


async def test_no_key_asks_or_changes_anything_where_a_recording_is_shown(directory: Path, tmp_path: Path) -> None:
    session, config = read_session(directory), tmp_path / "config.toml"
    config.write_text(
        '# mine\n[[profiles.prod.endpoints]]\nname = "gateway"\napi = "http"\nurl = "http://127.0.0.1:9"\n'
    )
    before = config.read_text()
    app = GwtuiApp(Config(config), session.profile, lambda _: replay(session, stay=True), _no_demo)
    async with asyncio.timeout(SOON_S), app.run_test(size=(100, 30)) as pilot:
        monitor = app.screen
        letters = ("e", "a", "D", "u", "p", "P", "b", "m", "K", "r", "R", "ctrl+r")
        for key in (*letters, "delete", "left_curly_bracket", "right_curly_bracket"):
            app.clear_notifications()
            await pilot.press(key)
            await pilot.pause()
            assert app.screen is monitor, key
            assert [note.message[:24] for note in app._notifications] == ["This is a recording: it "], key
    assert config.read_text() == before


async def test_the_screen_shows_a_recording_as_it_shows_a_session(directory: Path, tmp_path: Path) -> None:
    session = read_session(directory)
    app = GwtuiApp(Config(tmp_path / "config.toml"), session.profile, lambda _: replay(session, stay=True), _no_demo)
    async with asyncio.timeout(SOON_S), app.run_test(size=(100, 30)) as pilot:
        screen = app.screen
        assert isinstance(screen, MonitorScreen)
        while screen.view.header.requests < 5:
            await pilot.pause()
            screen._frame()
        (gateway, ws) = screen.view.endpoints
        assert (gateway.state, gateway.n, gateway.failed, ws.n) == (State.PAUSED, 3, 1, 2)
        assert [incident.state for incident in screen.view.log] == [State.PAUSED, State.DOWN]
        assert screen.view.header.at == BEGAN + 4.25


def _no_demo() -> Profile:
    raise AssertionError("there is a profile")


def test_a_hole_of_any_length_is_read_no_further(directory: Path) -> None:
    os.truncate(directory / "requests.csv", 1 << 40)
    unread = UnreadRows()
    before = [row for row in read_session(directory).rows(unread) if isinstance(row, Request)]
    assert before
    assert unread.lines == 1


async def test_a_disk_that_hangs_does_not_hold_up_the_end(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = threading.Event()

    def hanging(*_: object) -> Iterator[Row]:
        assert answers.wait(SOON_S)
        yield from ()

    monkeypatch.setattr(Session, "rows", hanging)
    feed = replay(read_session(directory))
    batches = aiter(feed)
    assert isinstance((await anext(batches))[0], SessionStarted)
    reading = asyncio.create_task(_next(batches))
    await asyncio.sleep(0)
    feed.stop()
    try:
        assert isinstance((await reading)[-1], FeedEnded)
        await feed.aclose()
    finally:
        answers.set()


async def _next(batches: AsyncIterator[list[Record]]) -> list[Record]:
    return await anext(batches)


def test_a_replay_that_is_stopped_looks_for_no_further_row(directory: Path) -> None:
    with (directory / "requests.csv").open("ab") as file:
        file.write(b"no row\n" * 1000)
    unread, seen = UnreadRows(), 0

    def stopped() -> bool:
        nonlocal seen
        seen += 1
        return seen > 100

    assert len(list(read_session(directory).rows(unread, stopped))) <= 100
    assert unread.lines <= 100
