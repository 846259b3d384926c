"""The program in a real terminal: however it ends, the terminal is as it was, the rows are on disk, nobody is left."""

from __future__ import annotations

import csv
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

CONFIG = """
[profiles.test]
interval_s = 0.2
[[profiles.test.endpoints]]
name = "nobody-is-there"
api = "http"
url = "http://127.0.0.1:1"
"""
CRASHING = """
import sys
from gwtui.ui.screens.monitor import MonitorScreen

def crash(self):
    key = "sk-" + "canary" * 3
    raise RuntimeError(f"a fault of {len(key)} letters")

MonitorScreen.action_mark = crash
from gwtui.cli import main
sys.argv = ["gwtui", *sys.argv[1:]]
main()
"""
HELD_UP = """
import asyncio, sys, threading
from gwtui.ui.screens.monitor import MonitorScreen

def held_up(self):
    asyncio.get_running_loop().run_in_executor(None, threading.Event().wait)
    self.app.exit(0)

MonitorScreen.action_mark = held_up
from gwtui.cli import main
sys.argv = ["gwtui", *sys.argv[1:]]
main()
"""
LEAVING = """
import signal, sys
from gwtui.ui.screens.monitor import MonitorScreen

compose = MonitorScreen.compose

def interrupted(self):
    self.app.exit(128 + signal.SIGTERM)
    return compose(self)

MonitorScreen.compose = interrupted
from gwtui.cli import main
sys.argv = ["gwtui", *sys.argv[1:]]
main()
"""
MODES = (
    (b"\x1b[?1049l", b"\x1b[?1049h"),
    (b"\x1b[?1000l", b"\x1b[?1000h"),
    (b"\x1b[?25h", b"\x1b[?25l"),
    (b"\x1b[23;2t", b"\x1b[22;2t"),
)
"""What of a terminal has to be off in the end, and what put it on."""
NO_KEYS = b"\xff\xe9" + b"\x1b[M \xff\xe9" + b"\x1b]11;rgb:0/q/q\x1b\\" + b"\x1b[?62;22c" + b"\x1b[200~q\x1bq\x1b[201~"
"""Bytes of another encoding, a mouse report of old, late answers to questions, and a paste with an escape in it."""
PATIENCE_S = 30.0
"""Far longer than anything here takes; a test that comes near it has failed."""


@dataclass
class Terminal:
    """A program in a terminal of its own."""

    popen: subprocess.Popen[bytes]
    master: int
    slave: int
    written: bytes = b""

    def read(self) -> bool:
        """Take what was written. False when there will be no more."""
        ready, _, _ = select.select([self.master], [], [], 0.2)
        if not ready:
            return True
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return False
        self.written += data
        return bool(data)

    def wait_for(self, text: bytes) -> None:
        until = time.monotonic() + PATIENCE_S
        while text not in self.written:
            assert self.popen.poll() is None, self.written
            assert time.monotonic() < until, self.written[-2000:]
            self.read()

    def wait_for_after_end(self, text: bytes) -> None:
        until = time.monotonic() + PATIENCE_S
        while text not in self.written:
            assert time.monotonic() < until, self.written[-2000:]
            self.read()

    def end(self) -> int:
        """Its exit code."""
        until = time.monotonic() + PATIENCE_S
        while self.popen.poll() is None:
            assert time.monotonic() < until, self.written[-2000:]
            self.read()
        while select.select([self.master], [], [], 0)[0] and self.read():
            pass
        return self.popen.returncode

    def unread(self) -> int:
        """Bytes that were written and wait to be read."""
        return int(struct.unpack("i", fcntl.ioctl(self.master, termios.FIONREAD, b"\0" * 4))[0])

    def children(self) -> list[int]:
        tasks = Path(f"/proc/{self.popen.pid}/task")
        return [int(pid) for task in tasks.iterdir() for pid in (task / "children").read_text().split()]


@pytest.fixture
def session_dir(tmp_path: Path) -> Path:
    return tmp_path / "session"


@pytest.fixture
def start(tmp_path: Path, session_dir: Path) -> Iterator[Callable[..., Terminal]]:
    """Starts the monitor in a terminal and waits, if `watching`, until it watches and has written rows."""
    started: list[Terminal] = []

    def _start(*python: str, stderr: IO[bytes] | None = None, watching: bool = True, ui: str = "") -> Terminal:
        path = tmp_path / "config.toml"
        path.write_text(f"{CONFIG}[ui]\n{ui}\n")
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 120, 0, 0))
        popen = subprocess.Popen(
            [sys.executable, *(python or ("-m", "gwtui")), "--config", str(path), "--session-dir", str(session_dir)],
            stdin=slave,
            stdout=slave,
            stderr=stderr or slave,
            env={**os.environ, "TERM": "xterm-256color"},
            preexec_fn=own_terminal,
        )
        terminal = Terminal(popen, master, slave)
        started.append(terminal)
        if watching:
            terminal.wait_for(b"nobody-is-there")
            terminal.wait_for(b"refused")
        return terminal

    yield _start
    for terminal in started:
        if terminal.popen.poll() is None:
            terminal.popen.kill()
            terminal.popen.wait()
        for descriptor in (terminal.master, terminal.slave):
            with suppress(OSError):
                os.close(descriptor)


def own_terminal() -> None:
    """In the child: a session whose terminal is standard input, as a terminal emulator makes one."""
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def pidfds(pids: list[int]) -> Iterator[int]:
    """Of those that still run."""
    for pid in pids:
        with suppress(ProcessLookupError):
            yield os.pidfd_open(pid)


def rows(session_dir: Path) -> list[list[str]]:
    text = (session_dir / "requests.csv").read_text()
    assert text.endswith("\n"), "only whole lines are written"
    return list(csv.reader(text.splitlines()))[1:]


def press(key: bytes) -> Callable[[Terminal], None]:
    return lambda terminal: (os.write(terminal.master, key), None)[1]


def send(number: signal.Signals) -> Callable[[Terminal], None]:
    return lambda terminal: os.kill(terminal.popen.pid, number)


def stop_and_press(stop: Callable[[Terminal], None]) -> Callable[[Terminal], None]:
    """Stop it, let it go on, wait until it is drawn anew, and leave."""

    def act(terminal: Terminal) -> None:
        stop(terminal)
        while Path(f"/proc/{terminal.popen.pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
            terminal.read()
        terminal.written = b""
        os.killpg(terminal.popen.pid, signal.SIGCONT)
        terminal.wait_for(b"\x1b[?1049h")
        terminal.written = b"".join(terminal.written.rpartition(b"\x1b[?1049h")[1:])  # not what was drawn before
        terminal.wait_for(b"nobody-is-there")
        assert not termios.tcgetattr(terminal.slave)[3] & termios.ICANON
        press(b"q")(terminal)

    return act


ENDS: dict[str, tuple[Callable[[Terminal], None], int]] = {
    "q": (press(b"q"), 0),
    "ctrl-c": (press(b"\x03"), 130),
    "SIGINT": (send(signal.SIGINT), 130),
    "SIGTERM": (send(signal.SIGTERM), 143),
    "SIGHUP": (send(signal.SIGHUP), 129),
    "SIGUSR1": (send(signal.SIGUSR1), 128 + signal.SIGUSR1),
    "SIGTTOU": (send(signal.SIGTTOU), 128 + signal.SIGTTOU),
    "q after ctrl-z": (stop_and_press(press(b"\x1a")), 0),
    "q after SIGSTOP": (stop_and_press(send(signal.SIGSTOP)), 0),
}


@pytest.mark.skipif(sys.platform != "linux", reason="looks for children in /proc")
@pytest.mark.parametrize("name", ENDS)
def test_however_it_ends_the_terminal_is_as_it_was(
    name: str, start: Callable[..., Terminal], session_dir: Path
) -> None:
    act, code = ENDS[name]
    terminal = start()
    children = terminal.children()
    assert children, "an engine runs"
    act(terminal)
    assert terminal.end() == code
    for off, on in MODES:
        assert terminal.written.rfind(off) > terminal.written.rfind(on) >= 0
    assert termios.tcgetattr(terminal.slave)[3] & (termios.ECHO | termios.ICANON | termios.ISIG)
    summary = terminal.written.rpartition(b"\x1b[?1004l")[2]
    assert b"nobody-is-there" in summary
    assert str(session_dir).encode() in summary
    assert not any(Path(f"/proc/{pid}").exists() for pid in children)
    assert len(rows(session_dir)) >= 1


@pytest.mark.skipif(sys.platform != "linux", reason="looks for children in /proc")
def test_one_that_is_killed_leaves_a_terminal_as_it_was_and_whole_rows(
    start: Callable[..., Terminal], session_dir: Path
) -> None:
    terminal = start()
    raw = termios.tcgetattr(terminal.slave)
    children = terminal.children()
    terminal.popen.kill()
    terminal.wait_for_after_end(b"gwtui was killed")
    assert all(terminal.written.rfind(off) > terminal.written.rfind(on) for off, on in MODES)
    now = termios.tcgetattr(terminal.slave)
    assert not raw[3] & termios.ISIG
    assert all(now[3] & mode for mode in (termios.ECHO, termios.ICANON, termios.ISIG))
    assert now[0] & termios.ICRNL
    ended = [select.select([fd], [], [], PATIENCE_S) for fd in pidfds(children)]
    assert all(ready for ready, _, _ in ended), "the engine ends by itself"
    assert len(rows(session_dir)) >= 1


def test_the_keyboard_survives_any_bytes(start: Callable[..., Terminal]) -> None:
    terminal = start()
    os.write(terminal.master, NO_KEYS + b"\x03")
    assert terminal.end() == 130
    assert b"Traceback" not in terminal.written


@pytest.mark.skipif(sys.platform != "linux", reason="looks for children in /proc")
def test_a_terminal_that_goes_away_leaves_nothing_running(start: Callable[..., Terminal], session_dir: Path) -> None:
    terminal = start()
    children = terminal.children()
    os.close(terminal.slave)
    os.close(terminal.master)
    assert terminal.popen.wait(PATIENCE_S) == 129
    assert not any(Path(f"/proc/{pid}").exists() for pid in children)
    assert len(rows(session_dir)) >= 1


@pytest.mark.skipif(sys.platform != "linux", reason="looks for children in /proc")
def test_a_terminal_that_stopped_reading_and_then_went_away_leaves_nothing_running(
    start: Callable[..., Terminal],
) -> None:
    terminal = start()
    children = terminal.children()
    os.write(terminal.master, b"t" * 12)
    until = time.monotonic() + PATIENCE_S
    while terminal.unread() < 3000 and time.monotonic() < until:
        select.select([], [], [], 0.02)
    os.close(terminal.slave)
    os.close(terminal.master)
    assert terminal.popen.wait(PATIENCE_S) == 129
    assert not any(Path(f"/proc/{pid}").exists() for pid in children)


def test_standard_error_can_go_to_a_file(start: Callable[..., Terminal], tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as file:
        terminal = start(stderr=file)
        os.write(terminal.master, b"q")
        assert terminal.end() == 0
    assert log.read_text() == ""


def test_after_a_crash_the_terminal_is_as_it_was_and_no_variable_was_printed(start: Callable[..., Terminal]) -> None:
    terminal = start("-c", CRASHING)
    os.write(terminal.master, b"m")
    assert terminal.end() == 3
    assert terminal.written.rfind(b"\x1b[?1049l") > terminal.written.rfind(b"\x1b[?1049h")
    assert b"RuntimeError: a fault of 21 letters" in terminal.written
    assert b"canarycanary" not in terminal.written
    assert b"nobody-is-there" in terminal.written.rpartition(b"RuntimeError")[2], "the numbers are not lost with it"


def test_a_thread_that_waits_for_ever_does_not_hold_up_the_end(start: Callable[..., Terminal]) -> None:
    terminal = start("-c", HELD_UP)
    os.write(terminal.master, b"m")
    assert terminal.end() == 0
    assert terminal.written.rfind(b"\x1b[?1049l") > terminal.written.rfind(b"\x1b[?1049h")


def test_an_end_while_the_screen_is_coming_up_is_no_crash(start: Callable[..., Terminal]) -> None:
    terminal = start("-c", LEAVING, watching=False)
    assert terminal.end() == 128 + signal.SIGTERM
    assert terminal.written.rfind(b"\x1b[?1049l") > terminal.written.rfind(b"\x1b[?1049h") >= 0
    assert b"Traceback" not in terminal.written


DOWN = b"\x1b]2;\xe2\x9c\x961 gwtui test\a"
NEWS = re.compile(
    rb"\a\x1b\]9;gwtui test: ([^\x00-\x1f;]{10,200})\a\x1b\]777;notify;gwtui test;([^\x00-\x1f;]{10,200})\a"
)


def test_the_title_counts_what_is_down_and_it_is_told_once(start: Callable[..., Terminal]) -> None:
    terminal = start()
    terminal.wait_for(DOWN)
    terminal.wait_for(b"\x1b]777;")
    before = len(terminal.written)
    while terminal.written.count(b"refused", before) < 2:
        terminal.read()
    os.write(terminal.master, b"q")
    assert terminal.end() == 0
    news = NEWS.findall(terminal.written)
    assert [first == second for first, second in news] == [True]
    assert b"nobody-is-there" in news[0][0]


def test_the_terminal_is_told_nothing_where_that_is_off(start: Callable[..., Terminal]) -> None:
    terminal = start(ui="title = false\nbell = false\nnotify = false")
    terminal.wait_for(b"down")
    os.write(terminal.master, b"q")
    terminal.end()
    assert not any(each in terminal.written for each in (b"\x1b]0;", b"\x1b]2;", b"\x1b]9;", b"\x1b]777;"))
    assert b"\a" not in re.sub(rb"\x1b\][^\a]*\a", b"", terminal.written)
