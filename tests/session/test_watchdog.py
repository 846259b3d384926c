"""An event loop that stands still holds up no end, and costs no row that was measured."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from support.commanding import profiles, written
from support.scripted import free_port

from gwtui.feeds import silence
from gwtui.session import watchdog
from gwtui.session.watchdog import EXIT_FAILED, Watchdog

PATIENCE_S = 30.0
STANDS_STILL = """
import os, sys
from gwtui.engine.engine import Engine

beat, beats = Engine.heartbeat, []

def stand_still(self):
    beats.append(None)
    if len(beats) > 2:
        print("stands still", flush=True)
        os.read(os.pipe()[0], 1)
    return beat(self)

Engine.heartbeat = stand_still
from gwtui.cli import main
sys.argv = ["gwtui", *sys.argv[1:]]
main()
"""


class Ends:
    """A process that only records how it would end."""

    def __init__(self) -> None:
        self.flushed: list[float] = []
        self.codes: queue.SimpleQueue[int] = queue.SimpleQueue()

    def code(self) -> int:
        return self.codes.get(timeout=PATIENCE_S)


@pytest.fixture
def ends() -> Ends:
    return Ends()


def test_an_end_that_was_asked_for_and_does_not_come_is_made(ends: Ends) -> None:
    with Watchdog(end_s=0.0, leave=ends.codes.put) as dog, dog.guarding(ends.flushed.append):
        dog.insist()
        assert ends.code() == EXIT_FAILED
    assert ends.flushed == [watchdog.FLUSH_S], "rows first"


def test_an_end_that_comes_in_time_is_left_alone(ends: Ends) -> None:
    with Watchdog(end_s=60.0, leave=ends.codes.put) as dog, dog.guarding(ends.flushed.append):
        dog.insist()
    assert ends.codes.empty()
    assert ends.flushed == []


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_the_signal_that_asked_is_reported_by_the_exit_code(ends: Ends) -> None:
    before = signal.getsignal(signal.SIGUSR1)
    with Watchdog(end_s=0.0, leave=ends.codes.put):
        os.kill(os.getpid(), signal.SIGUSR1)
        assert ends.code() == 128 + signal.SIGUSR1
    assert signal.getsignal(signal.SIGUSR1) == before


def test_what_is_over_is_not_ended_for_the_time_it_had(ends: Ends) -> None:
    with Watchdog(end_s=0.0, leave=ends.codes.put) as dog:
        with dog.guarding(ends.flushed.append):
            dog.insist(60.0)
        dog.insist(0.0, 7)
        assert ends.code() == 7
    assert ends.flushed == [], "all is written"


def test_what_cannot_be_flushed_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch, ends: Ends) -> None:
    monkeypatch.setattr(watchdog, "FLUSH_S", 0.01)
    released = threading.Event()
    with Watchdog(end_s=0.0, leave=ends.codes.put) as dog, dog.guarding(lambda _: released.wait(PATIENCE_S)):
        dog.insist()
        assert ends.code() == EXIT_FAILED
        released.set()


def test_a_loop_that_stands_still_is_reported_once(monkeypatch: pytest.MonkeyPatch, ends: Ends) -> None:
    for name in ("STARTING_S", "AGAIN_S"):
        monkeypatch.setattr(silence, name, 0.0)
    monkeypatch.setattr(watchdog, "LOOK_S", 0.001)
    late: queue.SimpleQueue[float] = queue.SimpleQueue()
    with (
        Watchdog(end_s=0.05, leave=ends.codes.put) as dog,
        dog.guarding(ends.flushed.append, late.put),
    ):
        assert late.get(timeout=PATIENCE_S) >= 0.0
        dog.insist()
        ends.code()
    assert late.empty()


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_without_a_screen_a_blocked_engine_ends_at_a_signal_with_whole_rows(tmp_path: Path) -> None:
    config = written(tmp_path, profiles(f"http://127.0.0.1:{free_port()}"))
    command = (sys.executable, "-c", STANDS_STILL, "--config", config, "-p", "prod", "--interval", "100ms")
    options = ("--session-dir", str(tmp_path / "s"), "--headless")
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert any("stands still" in line for line in process.stdout)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 128 + signal.SIGTERM
        assert "what there is by now is written" in process.stderr.read()
    rows = (tmp_path / "s" / "requests.csv").read_text()
    assert rows.endswith("\n")
    assert len(rows.splitlines()) > 2
