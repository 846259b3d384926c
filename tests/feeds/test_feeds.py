"""What a watcher gets from an engine in another process, however that process behaves."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.childengine import all_of, engine, texts

from gwtui.feeds import feeds, live, pipes, spawn_engine
from gwtui.feeds.pipes import Inbox, connect
from gwtui.model.commands import Mark, Pause, Start
from gwtui.model.profile import Endpoint, Profile
from gwtui.model.records import FeedEnded, Record

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and pipes of POSIX systems")


@pytest.fixture(params=[False, True], ids=["polled", "threaded"])
def _both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform != "win32":
        monkeypatch.setattr(pipes, "THREADED", request.param)


@pytest.mark.usefixtures("_both_ways")
async def test_records_come_in_their_order_and_the_end_is_the_last_of_them() -> None:
    feed = live(engine("for number in range(3000): say(str(number))"))
    records = await all_of(feed)
    assert texts(records) == [*map(str, range(3000)), "engine stopped"]
    assert records[-1] == FeedEnded(text="engine stopped")
    assert await all_of(feed) == []
    await feed.aclose()


@pytest.mark.usefixtures("_both_ways")
async def test_a_crash_is_the_last_record_with_the_end_of_the_log() -> None:
    body = r"""
say("one")
sys.stderr.write("x" * 100_000 + "\nTraceback: \x1b]52;c;eA==\x07 it broke\n")
sys.exit(3)
"""
    [notice, ended] = await all_of(live(engine(body)))
    assert texts([notice]) == ["one"]
    assert isinstance(ended, FeedEnded)
    assert (ended.failed, ended.text) == (True, "engine exited 3")
    assert ended.detail.endswith("Traceback: ␛]52;c;eA==␇ it broke")
    assert len(ended.detail) <= feeds.MAX_LOG


@posix
async def test_a_killed_engine_is_reported_by_its_signal_without_its_half_line() -> None:
    body = """
say("one")
os.write(1, b'{"record":"noti')
os.kill(os.getpid(), signal.SIGKILL)
"""
    [_, ended] = await all_of(live(engine(body)))
    assert ended == FeedEnded(text="engine killed by SIGKILL", failed=True)


async def test_what_is_no_record_ends_the_feed_after_the_records_before_it() -> None:
    body = """
say("one")
os.write(1, b"hello\\n")
say("two")
sys.stdin.buffer.read()
"""
    records = await all_of(live(engine(body)))
    assert texts(records)[0] == "one"
    ended = records[-1]
    assert isinstance(ended, FeedEnded)
    assert ended.failed
    assert ended.text.startswith("engine sent what is not a record: not a record: ")


async def test_a_line_without_an_end_ends_the_feed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "MAX_LINE", 1000)
    feed = live(engine("os.write(1, b'x' * 5000)\nsys.stdin.buffer.read()"))
    [ended] = await all_of(feed)
    assert isinstance(ended, FeedEnded)
    assert "a line without an end" in ended.text


async def test_the_profile_arrives_whole_whatever_its_size_and_commands_follow() -> None:
    endpoints = tuple(
        Endpoint(name=f"e{number}", api="http", url="http://127.0.0.1:9", prompt="x" * 2000) for number in range(300)
    )
    body = """
say(str(len(start)))
for line in sys.stdin.buffer:
    say(line.decode().strip().replace('"', "'"))
"""
    start = Start(profile=Profile(endpoints=endpoints))
    feed = live(engine(body, start))
    first = await anext(aiter(feed))
    assert int(texts(first)[0]) > 600_000
    feed.send(Pause(endpoint="e1"))
    feed.send(Mark(text="héllo"))
    feed.stop()
    assert texts(await all_of(feed)) == [
        "{'command':'pause','endpoint':'e1'}",
        "{'command':'mark','text':'héllo'}",
        "engine stopped",
    ]
    feed.send(Mark(text="too late"))
    await feed.aclose()
    await feed.aclose()


async def test_closing_ends_an_engine_that_has_much_to_say_and_a_watcher_who_waits() -> None:
    body = """
import threading
threading.Thread(target=lambda: (sys.stdin.buffer.read(), os._exit(0)), daemon=True).start()
while True: say("x" * 1000)
"""
    process = engine(body)
    feed = live(process)
    await anext(aiter(feed))
    rest = asyncio.create_task(all_of(feed))
    await feed.aclose()
    assert process.popen.returncode == 0
    assert (await rest)[-1] == FeedEnded(text="engine stopped")


@posix
async def test_an_engine_that_will_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "EXIT_S", 0.05)
    body = """
signal.signal(signal.SIGTERM, signal.SIG_IGN)
say("deaf")
while True: signal.pause()
"""
    process = engine(body)
    feed = live(process)
    assert texts(await anext(aiter(feed))) == ["deaf"]
    await feed.aclose()
    assert process.popen.returncode == -signal.SIGKILL


@posix
async def test_a_closing_that_is_cancelled_leaves_nothing_running() -> None:
    process = engine("say('deaf')\nwhile True: signal.pause()")
    feed = live(process)
    await anext(aiter(feed))
    closing = asyncio.create_task(feed.aclose())
    await asyncio.sleep(0)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    assert process.popen.returncode is not None


async def test_a_feed_that_was_never_iterated_can_be_closed() -> None:
    process = engine("sys.stdin.buffer.read()")
    await live(process).aclose()
    assert process.popen.returncode == 0


@posix
async def test_a_watcher_who_does_not_come_lets_the_pipe_fill_and_not_the_memory() -> None:
    out, into = os.pipe()
    os.set_blocking(into, False)
    inbox = Inbox()
    await connect(os.fdopen(out, "rb", 0), inbox)
    sent = 0
    with os.fdopen(into, "wb", 0) as pipe:
        for _ in range(1000):
            sent += pipe.write(b"x" * 65536) or 0
            await asyncio.sleep(0)
        assert sent < 2 * pipes.MAX_WAITING
        taken = len(await inbox.take())
        assert taken > pipes.MAX_WAITING
    while data := await inbox.take():
        taken += len(data)
    assert taken == sent


ORPHAN = """
import sys
from gwtui.model.commands import Start
from gwtui.feeds import spawn_engine
from gwtui.model.profile import Profile
process = spawn_engine(Start(profile=Profile()))
process.stdout.readline()
print(process.popen.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="waiting for a process that is no child")
def test_an_engine_does_not_outlive_whoever_started_it() -> None:
    with subprocess.Popen([sys.executable, "-c", ORPHAN], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        engine_fd = os.pidfd_open(pid)
        parent.kill()
    ended, _, _ = select.select([engine_fd], [], [], 20)
    os.close(engine_fd)
    assert ended


def test_watching_needs_nothing_that_probes() -> None:
    code = "import sys, gwtui.feeds; print([m for m in ('httpx', 'websockets', 'gwtui.engine') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_file_beside_the_user_is_not_taken_for_a_module_of_the_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "asyncio.py").write_text("raise SystemExit(77)")
    monkeypatch.chdir(tmp_path)

    async def watched() -> list[Record]:
        feed = live(spawn_engine(Start(profile=Profile(), stop_after_s=0.01)))
        return await all_of(feed)

    assert asyncio.run(watched())[-1] == FeedEnded(text="engine stopped")
