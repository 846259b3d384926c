"""Time that was not measured is a gap and not a latency; trouble of this machine is not the gateway's.

A stopped process, a sleeping machine, a wall clock that is set; no descriptors and no ports left.
"""

from __future__ import annotations

import asyncio
import csv
import errno
import os
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from support.engines import Child
from support.running import GOOD, Emitted, asking, running
from support.scripted import Close, Hold, Open, Receive, Reset, ScriptedServer, Send, Wait, http

from gwtui.engine import Engine, engine
from gwtui.engine.suspend import SLEEP_NS, STEP_S, Moment, awake_and_asleep_ns
from gwtui.feeds import ENGINE
from gwtui.model.commands import Start
from gwtui.model.enums import Outcome
from gwtui.model.judged import LogEntry
from gwtui.model.profile import Deadlines, Endpoint, Profile
from gwtui.model.records import Heartbeat, Request
from gwtui.model.verdicts import Verdict
from gwtui.session.record_pipeline import RecordPipeline

if sys.platform == "linux":
    import resource

linux = pytest.mark.skipif(sys.platform != "linux", reason="processes and limits of Linux")

SECOND = 1_000_000_000
DELAYS = ("this machine delayed gwtui by ", "gwtui was stopped for ")


# What three clocks say


@pytest.mark.parametrize(
    ("awake_s", "boot_s", "wall_s", "slept_s", "step_s"),
    [
        (1.0, 1.0, 1.0, 0, 0),
        (1.0, 31.0, 31.0, 30, 0),
        (1.0, 2.9, 2.9, 0, 0),
        (1.0, 1.0, 3601.0, 0, 3600),
        (1.0, 1.0, -3599.0, 0, -3600),
        (1.0, 1.0, 1.9, 0, 0),
        (1.0, 31.0, 3631.0, 30, 3600),
        (600.0, 600.0, 600.4, 0, 0),
        (5.0, 1.0, 1.0, 0, 0),
    ],
)
def test_what_was_slept_and_what_was_set(
    awake_s: float, boot_s: float, wall_s: float, slept_s: float, step_s: float
) -> None:
    then = Moment(5 * SECOND, 7 * SECOND, 1_700_000_000.0)
    now = Moment(int(then.now_ns + awake_s * SECOND), int(then.boot_ns + boot_s * SECOND), then.at + wall_s)
    assert now.slept_ns(then) == pytest.approx(slept_s * SECOND)
    assert now.wall_step_s(then) == pytest.approx(step_s)


def test_this_machine_is_awake() -> None:
    first = Moment(time.perf_counter_ns(), awake_and_asleep_ns(), time.time())
    second = Moment(time.perf_counter_ns(), awake_and_asleep_ns(), time.time())
    assert (second.slept_ns(first), second.wall_step_s(first)) == (0, 0.0)
    assert SLEEP_NS > 0 < STEP_S


# A whole engine whose clocks a test sets


class Watched(Emitted):
    """A running engine, all that it says, and its clocks."""

    def __init__(self, profile: Profile) -> None:
        super().__init__()
        self.slept_ns = 0
        self.set_s = 0.0
        self.engine = Engine(
            profile,
            RecordPipeline(profile, self.emit).put,
            boot=lambda: awake_and_asleep_ns() + self.slept_ns,
            wall=lambda: time.time() + self.slept_ns / SECOND + self.set_s,
            seed=1,
        )

    def requests(self) -> list[Request]:
        return self.all(Request)

    def engine_incidents(self) -> list[str]:
        """Incidents of the engine's own, but for delays of the machine that runs the tests."""
        said = [record.text for record in self.all(LogEntry) if record.kind == "engine"]
        return [text for text in said if not text.startswith(DELAYS)]


@asynccontextmanager
async def watching(*endpoints: Endpoint, interval_s: float = 0.01) -> AsyncIterator[Watched]:
    it = Watched(Profile(endpoints=endpoints, interval_s=interval_s))
    async with running(it.engine):
        await it.until(lambda: it.records)
        yield it


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "HEARTBEAT_S", 0.01)


@pytest.mark.parametrize(
    ("set_s", "expected"),
    [
        (3600.0, "the wall clock was set forward by 01:00:00: times of day jump here, latencies do not"),
        (-3600.0, "the wall clock was set back by 01:00:00: times of day jump here, latencies do not"),
    ],
)
async def test_a_wall_clock_that_is_set_moves_no_latency(set_s: float, expected: str) -> None:
    gateway = ScriptedServer(GOOD)
    async with gateway, watching(asking(gateway.url)) as it:
        await it.until(lambda: len(it.requests()) >= 3)
        it.set_s = set_s
        await it.until(it.engine_incidents)
        count = len(it.requests())
        await it.until(lambda: len(it.requests()) >= count + 3)
        beats = it.all(Heartbeat)
    assert it.engine_incidents() == [expected]
    assert abs(beats[-1].at - beats[0].at - set_s) < 60
    for request in it.requests():
        assert request.verdict in (Verdict.COMPLETE, Verdict.CANCELLED)
        assert 0 <= (request.duration_ns or 0) < 5 * SECOND
        assert 0 <= request.lateness_ns < 5 * SECOND


async def test_a_machine_that_slept_leaves_a_gap_and_blames_nobody() -> None:
    """What was under way broke because of the sleep; what comes after is the gateway's own again."""
    gateway = ScriptedServer([Receive(), Open("asked"), Wait("awake"), Reset()])
    async with gateway, watching(asking(gateway.url, overlap=1)) as it:
        await gateway.gate("asked").wait()
        it.slept_ns += 30 * SECOND
        gateway.gate("awake").set()
        await it.until(lambda: len(it.requests()) >= 1 and it.engine_incidents())
        first = it.requests()[0]
        await it.until(lambda: len(it.requests()) >= 2)
    assert it.engine_incidents()[0] == "this machine slept for 00:00:30: nothing was measured"
    assert (first.verdict, first.rule, first.tainted) == (Verdict.LOCAL, "engine.stood-still", True)
    assert it.requests()[1].outcome is Outcome.FAILED
    assert (it.requests()[1].error_ns or 0) < SECOND, "what was slept is in the first one only"


# A process that is stopped

STANDING = """
from gwtui.engine import engine, loop_lag
from gwtui.health import local_trouble
from gwtui.session import main

loop_lag.STANDSTILL_NS = local_trouble.LAG_NS = local_trouble.GAP_NS = 100_000_000
engine.HEARTBEAT_S = 0.05
main()
"""


def stop_for(pid: int, seconds: float) -> None:
    """Stop a process, and let it go on when it has been stopped for so long."""
    os.kill(pid, signal.SIGSTOP)
    while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
        pass
    threading.Event().wait(seconds)
    os.kill(pid, signal.SIGCONT)


@asynccontextmanager
async def child_of(profile: Profile, directory: Path, *argv: str) -> AsyncIterator[Child]:
    child = Child(argv or ENGINE)
    try:
        child.send(Start(profile=profile, session_dir=str(directory / "s")))
        yield child
    finally:
        child.close()


@linux
async def test_a_stopped_process_marks_the_gap_and_what_ran_into_it(tmp_path: Path) -> None:
    """One gateway hangs, so that its deadline passes while nobody looks; the other answers in the meantime."""
    hanging = ScriptedServer([Receive(), Open("asked"), Hold()])
    answering = ScriptedServer([Receive(), Open("asked"), Wait("stopped"), Send(http("200 OK", body=b"pong")), Hold()])
    async with hanging, answering:
        endpoints = (
            asking(answering.url, name="answers"),
            asking(hanging.url, name="hangs", deadlines=Deadlines(first_byte_s=0.3)),
        )
        profile = Profile(endpoints=endpoints, interval_s=3600)
        async with child_of(profile, tmp_path, sys.executable, "-P", "-c", STANDING) as child:
            await answering.gate("asked").wait()
            await hanging.gate("asked").wait()
            stopping = asyncio.create_task(asyncio.to_thread(stop_for, child.pid, 0.4))
            answering.gate("stopped").set()
            await stopping
            results: dict[str, Request] = {}
            while len(results) < 2:
                result = await asyncio.to_thread(child.until, Request)
                results[result.endpoint] = result
            assert (await asyncio.to_thread(child.end))[0] == 0
    assert (results["hangs"].verdict, results["hangs"].rule) == (Verdict.LOCAL, "engine.stood-still")
    assert "gwtui itself was stopped for " in results["hangs"].reason
    # Its answer came in one segment, which has a stamp of its own, however late that was read.
    assert (results["answers"].verdict, results["answers"].tainted) == (Verdict.COMPLETE, False)
    for result in results.values():
        assert 0 <= (result.duration_ns or 0) < 5 * SECOND
        assert 0 <= result.lateness_ns < 5 * SECOND
    with (tmp_path / "s" / "requests.csv").open(newline="") as file:
        tainted = {row["endpoint"]: row["tainted"] for row in csv.DictReader(file)}
    assert tainted == {"hangs": "true", "answers": "false"}
    incidents = (tmp_path / "s" / "incidents.csv").read_text()
    assert "gwtui was stopped for " in incidents
    assert "down" not in incidents


# No descriptors, no ports


@linux
async def test_without_descriptors_this_machine_is_named_and_no_gateway(tmp_path: Path) -> None:
    """Neither where a socket cannot be made, nor where the resolver or a key's reader cannot open their files."""
    key = tmp_path / "key"
    key.touch(0o600)
    key.write_text("secret-of-ours")
    async with ScriptedServer([Receive(), Send(http("200 OK", body=b"pong")), Close()]) as gateway:
        by_name = asking(gateway.url.replace("127.0.0.1", "localhost"), name="named")
        keyed = asking(gateway.url, name="keyed", key=f"file:{key}")
        profile = Profile(endpoints=(asking(gateway.url), by_name, keyed), interval_s=0.05)
        async with child_of(profile, tmp_path) as child:
            for endpoint in profile.endpoints:
                good = await next_result(child, endpoint.name)
                assert good.verdict is Verdict.COMPLETE
            usual = resource.prlimit(child.pid, resource.RLIMIT_NOFILE)
            resource.prlimit(child.pid, resource.RLIMIT_NOFILE, (1, usual[1]))
            incident = await asyncio.to_thread(child.until, LogEntry, lambda it: not it.text.startswith(DELAYS))
            local = [await next_result(child, name) for name in ("named", "a", "keyed") * 3]
            resource.prlimit(child.pid, resource.RLIMIT_NOFILE, usual)
            for name in ("named", "a", "keyed"):
                await next_result(child, name, lambda it: it.verdict is Verdict.COMPLETE)
            assert await asyncio.to_thread(child.end) == (0, "")
    assert incident.text.startswith("3 probes failed on this machine, not at a gateway: ")
    assert {(each.verdict, each.reason) for each in local} == {
        (Verdict.LOCAL, "Too many open files"),
        (Verdict.LOCAL, f"the key file {key} cannot be read: Too many open files"),
    }
    with (tmp_path / "s" / "incidents.csv").open(newline="") as file:
        assert {row["kind"] for row in csv.DictReader(file)} == {"engine"}, "no endpoint changed its state"


async def next_result(child: Child, name: str, wanted: Callable[[Request], bool] = lambda _: True) -> Request:
    return await asyncio.to_thread(child.until, Request, lambda it: it.endpoint == name and wanted(it))


async def test_without_threads_this_machine_is_named_and_no_gateway(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name is resolved in a thread, and a command is asked for its key from one."""

    def refuse(thread: object) -> None:
        raise RuntimeError("can't start new thread")

    gateway = ScriptedServer([Receive(), Send(http("200 OK", body=b"pong")), Close()])
    async with gateway:
        named = asking(gateway.url.replace("127.0.0.1", "localhost"), name="named")
        keyed = asking(gateway.url, name="keyed", headers={"Authorization": "cmd:echo secret"})
        async with watching(named, keyed) as it:
            with monkeypatch.context() as patch:
                patch.setattr(threading.Thread, "start", refuse)
                await it.until(lambda: {each.endpoint for each in it.requests()} == {"named", "keyed"})
    outcomes = {each.endpoint: (each.outcome, each.reason) for each in reversed(it.requests())}
    assert outcomes == {
        "named": (Outcome.LOCAL, "can't start new thread"),
        "keyed": (Outcome.LOCAL, "the key command echo cannot be asked: can't start new thread"),
    }


async def test_without_ports_this_machine_is_named_and_no_gateway(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(loop: object, sock: object, address: object) -> None:
        raise OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))

    gateway = ScriptedServer([Receive(), Send(http("200 OK", body=b"pong")), Close()])
    async with gateway, watching(asking(gateway.url)) as it:
        await it.until(lambda: len(it.requests()) >= 2)
        with monkeypatch.context() as patch:
            patch.setattr(asyncio.SelectorEventLoop, "sock_connect", refuse)
            await it.until(it.engine_incidents)
            count = len(it.requests())
            await it.until(lambda: len(it.requests()) >= count + 20)
        states = [record for record in it.all(LogEntry) if record.kind == "state"]
    where = gateway.url.removeprefix("http://")
    assert it.engine_incidents() == [
        f"3 probes failed on this machine, not at a gateway: {where}: Cannot assign requested address"
    ]
    assert states == []
    assert {each.verdict for each in it.requests()[count : count + 20]} == {Verdict.LOCAL}
