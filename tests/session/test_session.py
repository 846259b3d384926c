"""A session as a process of its own, and in this one: what it takes, what it leaves, and how it ends."""

from __future__ import annotations

import asyncio
import csv
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from msgspec.structs import replace
from support.engines import Child
from support.gateways import serving
from support.listening import listening

from gwtui.codec.wire import decode
from gwtui.engine import Engine
from gwtui.feeds import live, spawn_engine
from gwtui.model.commands import AcceptUsual, Acknowledge, Mark, Start
from gwtui.model.judged import Acknowledged, LogEntry
from gwtui.model.maintenance import local_zone
from gwtui.model.profile import Endpoint, Maintenance, Profile
from gwtui.model.records import FeedEnded, Heartbeat, Notice, Record, Request, SessionStarted, StreamRead
from gwtui.model.verdicts import Verdict
from gwtui.recorder.session_reader import read_session
from gwtui.session import hosted
from gwtui.session.watchdog import END_S, Watchdog

if sys.platform != "win32":
    import resource

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX systems")

REFUSED = "http://127.0.0.1:9"


def profile(url: str = REFUSED, interval_s: float = 0.05, count: int = 1) -> Profile:
    names = ["gateway", *(f"gateway-{number}" for number in range(2, count + 1))]
    endpoints = tuple(Endpoint(name=name, api="http", url=url, path="/", method="GET") for name in names)
    return Profile(name="t", interval_s=interval_s, endpoints=endpoints)


def rows(directory: Path) -> list[dict[str, str]]:
    with (directory / "requests.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def child() -> Iterator[Child]:
    child = Child()
    yield child
    child.close()


@asynccontextmanager
async def counting_server(enough: int) -> AsyncIterator[tuple[str, asyncio.Event]]:
    """A gateway that answers `ok`, and sets an event when it has done so often enough."""
    done = asyncio.Event()
    answered = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal answered
        while await reader.readline():
            while (await reader.readline()).strip():
                pass
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            answered += 1
            if answered >= enough:
                done.set()

    async with listening(serve) as port:
        yield f"http://127.0.0.1:{port}", done


def test_the_end_of_its_input_ends_it_with_every_row_on_disk(child: Child, tmp_path: Path) -> None:
    child.send(Start(profile=profile(), session_dir=str(tmp_path / "s")))
    begun = child.until(SessionStarted)
    assert begun.session_dir == str(tmp_path / "s")
    ended = child.until(Request)
    assert child.end() == (0, "")
    kept = rows(tmp_path / "s")
    assert (kept[0]["trace_id"], kept[0]["verdict"]) == (ended.trace_id, "refused")


@posix
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_with_every_row_on_disk(child: Child, tmp_path: Path, number: signal.Signals) -> None:
    child.send(Start(profile=profile(), session_dir=str(tmp_path / "s")))
    child.until(Request)
    child.signal(number)
    for line in child.stdout:
        decode(line)
    assert child.end() == (128 + number, "")
    assert len(rows(tmp_path / "s")) >= 1


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
def test_a_key_in_the_terminal_that_ends_programs_is_left_to_the_front_end(
    child: Child, number: signal.Signals
) -> None:
    child.send(Start(profile=Profile()))
    child.until(SessionStarted)
    child.signal(number)
    child.send(Mark(text="still here"))
    marked = child.until(LogEntry)
    assert marked.text == "still here"
    assert child.end() == (0, "")


def test_the_zone_of_maintenance_windows_is_kept_with_the_session(child: Child, tmp_path: Path) -> None:
    window = Maintenance(cron="0 2 * * sun", lasts="2h")
    child.send(Start(profile=replace(profile(), maintenance=(window,)), session_dir=str(tmp_path / "s")))
    (begun,) = child.until(SessionStarted).profile.maintenance
    child.until(Request)
    assert child.end() == (0, "")
    assert begun.zone == local_zone()
    assert read_session(tmp_path / "s").profile.maintenance == (begun,)


def test_acknowledging_and_accepting_are_carried_out(child: Child) -> None:
    child.send(Start(profile=Profile()))
    child.until(SessionStarted)
    child.send(Acknowledge(incident=7, note="on it"), AcceptUsual(endpoint="nope"))
    said = child.until(Acknowledged)
    assert (said.incident, said.note) == (7, "on it")
    assert "'nope'" in child.until(Notice).text
    assert child.end() == (0, "")


def test_a_session_with_an_end_ends_by_itself(child: Child) -> None:
    child.send(Start(profile=Profile(), stop_after_s=0.01))
    child.until(SessionStarted)
    assert child.end() == (0, "")


@pytest.mark.parametrize(
    ("line", "code", "expected"),
    [
        (b"", 0, ""),
        (b"hello\n", 2, "the first line is not a command"),
        (b'{"command":"pause"}\n', 2, "the first command is not `start`"),
        (b'{"command":"start","profile":{"interval":3}}\n', 2, "interval"),
    ],
)
def test_without_a_start_there_is_no_session(child: Child, line: bytes, code: int, expected: str) -> None:
    child.send(line)
    ended, log = child.end()
    assert ended == code
    assert expected in log
    assert "Traceback" not in log


def test_a_line_that_is_no_command_is_logged_and_left_out(child: Child) -> None:
    child.send(Start(profile=Profile()), b"hello\n", Mark(text="after"), b'{"command":"mark","text":"half')
    marked = child.until(LogEntry)
    assert marked.text == "after"
    code, log = child.end()
    assert code == 0
    assert log.count("not a command") == 1


def test_it_ends_when_nobody_takes_its_records_any_more(child: Child) -> None:
    child.send(Start(profile=profile()))
    child.until(SessionStarted)
    child.stdout.close()
    assert child._popen.wait(20) == 0


async def test_a_screen_that_hangs_costs_no_row(child: Child, tmp_path: Path) -> None:
    """More than a pipe holds is measured while nobody reads, and all of it is on disk."""
    async with counting_server(enough=300) as (url, done):
        child.send(Start(profile=profile(url, count=15), session_dir=str(tmp_path / "s")))
        await asyncio.wait_for(done.wait(), 20)
        child.stdout.close()
        assert await asyncio.to_thread(child._popen.wait, 20) == 0
    numbers: dict[str, list[int]] = {}
    for row in rows(tmp_path / "s"):
        numbers.setdefault(row["endpoint"], []).append(int(row["request_number"]))
    assert sum(map(len, numbers.values())) >= 299
    assert all(sorted(each) == list(range(1, len(each) + 1)) for each in numbers.values())


@pytest.mark.skipif(sys.platform != "linux", reason="limits of another process")
async def test_a_full_disk_is_reported_while_measuring_goes_on_and_ends_with_every_row(
    child: Child, tmp_path: Path
) -> None:
    async with counting_server(enough=1) as (url, answered):
        child.send(Start(profile=profile(url), session_dir=str(tmp_path / "s")))
        await asyncio.wait_for(answered.wait(), 20)
        resource.prlimit(child.pid, resource.RLIMIT_FSIZE, (2000, resource.RLIM_INFINITY))
        full = await asyncio.to_thread(child.until, Heartbeat, lambda beat: bool(beat.recorder_error))
        assert full.recorder_error == "File too large (requests.csv)"
        later = await asyncio.to_thread(child.until, Heartbeat, lambda beat: beat.rows_waiting > full.rows_waiting)
        assert later.rows_lost == 0
        resource.prlimit(child.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        await asyncio.to_thread(child.until, Heartbeat, lambda beat: not beat.recorder_error)
        code, log = await asyncio.to_thread(child.end)
    assert code == 0
    assert "rows are written again" in log
    numbers = [int(row["request_number"]) for row in rows(tmp_path / "s")]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    assert len(numbers) > later.rows_waiting


async def test_the_last_word_of_a_session_counts_the_rows_that_were_lost_with_it(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("in the way")
    feed = hosted(Start(profile=profile(), session_dir=str(tmp_path / "s")))
    records: list[Record] = []
    async with asyncio.timeout(20):
        async for batch in feed:
            records += batch
            if sum(isinstance(record, Request) for record in records) >= 3:
                feed.stop()
    last, end = records[-2:]
    assert isinstance(last, Heartbeat)
    assert isinstance(end, FeedEnded)
    assert (last.rows_waiting, last.rows_written) == (0, 0)
    assert last.rows_lost == sum(isinstance(record, Request | LogEntry) for record in records)
    assert last.recorder_error


async def test_a_session_in_this_process_sends_results_and_no_events_of_streams() -> None:
    with serving("default = { gap_ms = 1, tokens = 5 }") as gateway:
        endpoint = Endpoint(name="chat", api="openai-chat", url=gateway.url)
        feed = hosted(Start(profile=Profile(endpoints=(endpoint,), interval_s=60)))
        records: list[Record] = []
        async with asyncio.timeout(20):
            async for batch in feed:
                records += batch
                if any(isinstance(record, Request) for record in batch):
                    feed.stop()
    (request,) = (record for record in records if isinstance(record, Request))
    assert (request.verdict, request.output_tokens) == (Verdict.COMPLETE, 5)
    assert request.events > 5
    assert not any(isinstance(record, StreamRead) for record in records)


STUCK = r"""
import os, socket, threading
from gwtui.session import session

stdout, ask = os.dup(1), socket.getaddrinfo

def getaddrinfo(*args, flags=0, **more):
    if flags & socket.AI_NUMERICHOST:
        return ask(*args, flags=flags, **more)
    os.write(stdout, b'{"record":"notice","now_ns":1,"text":"asked"}\n')
    threading.Event().wait()

socket.getaddrinfo = getaddrinfo
session.main()
"""


async def test_a_resolver_that_hangs_does_not_hold_up_the_end() -> None:
    start = Start(profile=profile("http://gateway.invalid", interval_s=60))
    feed = live(spawn_engine(start, (sys.executable, "-P", "-c", STUCK)))
    last: Record | None = None
    async with asyncio.timeout(20), aclosing(feed):
        async for batch in feed:
            last = batch[-1]
            if any(isinstance(record, Notice) for record in batch):
                feed.stop()
    assert last == FeedEnded(text="engine stopped")


async def test_hosted_gives_the_same_records_and_keeps_the_same_rows(tmp_path: Path) -> None:
    feed = hosted(Start(profile=profile(), session_dir=str(tmp_path / "s")))
    records: list[Record] = []
    async with asyncio.timeout(20):
        async for batch in feed:
            records += batch
            if sum(isinstance(record, Request) for record in records) >= 3:
                feed.send(Mark(text="enough"))
                feed.stop()
    assert isinstance(records[0], SessionStarted)
    assert records[-1] == FeedEnded(text="session ended")
    assert "enough" in [record.text for record in records if isinstance(record, LogEntry)]
    requests = [record for record in records if isinstance(record, Request)]
    assert [row["trace_id"] for row in rows(tmp_path / "s")] == [request.trace_id for request in requests]
    feed.send(Mark(text="too late"))
    await feed.aclose()


async def test_hosted_can_be_closed_before_during_and_after(tmp_path: Path) -> None:
    await hosted(Start(profile=profile())).aclose()
    feed = hosted(Start(profile=profile(), session_dir=str(tmp_path / "s")))
    await anext(aiter(feed))
    await feed.aclose()
    await feed.aclose()
    assert [batch async for batch in feed] == []
    assert (tmp_path / "s" / "requests.csv").exists()
    assert len(asyncio.all_tasks()) == 1


async def test_a_session_that_took_long_to_set_up_ends_when_it_was_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the watchdog counts from its beginning, and would end the program before its last words."""
    given: list[float | None] = []

    async def run(_engine: Engine, stop_after_s: float | None = None) -> None:
        given.append(stop_after_s)

    clock = iter([100.0, 107.5])
    monkeypatch.setattr("gwtui.session.session.time", SimpleNamespace(monotonic=lambda: next(clock)))
    monkeypatch.setattr(Engine, "run", run)
    with Watchdog() as watchdog:
        async for _ in hosted(Start(profile=profile(count=2_000), stop_after_s=10.0), watchdog=watchdog):
            pass
        assert watchdog.end_s > END_S, "each endpoint takes its time at the end"
    assert given == [2.5]


async def test_a_fault_of_the_engine_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(self: Engine, stop_after_s: float | None = None) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Engine, "run", broken)
    with pytest.raises(ZeroDivisionError):
        await anext(aiter(hosted(Start(profile=Profile()))))
