"""gwtui as a process of its own: signals, pipes, locales, the demo, and how it ends."""

from __future__ import annotations

import csv
import gc
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from errno import ENOSPC
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from support.commanding import Canned, profiles, written
from support.oswords import NO_SPACE
from support.scripted import free_port, http

from gwtui.cli import console

if sys.platform == "linux":
    import fcntl

PATIENCE_S = 30.0
MODULE = ("-P", "-m", "gwtui")

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and descriptors of POSIX")


@contextmanager
def running(*args: str, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """`python ARGS` with its output on pipes. It does not outlive the test, nor hang for ever."""
    options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    with subprocess.Popen([sys.executable, *args], text=True, encoding="utf-8", **options) as process:
        watchdog = threading.Timer(PATIENCE_S, process.kill)
        watchdog.start()
        try:
            yield process
        finally:
            watchdog.cancel()
            process.kill()


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Exit code, and what is left of its output."""
    out, err = process.communicate(timeout=PATIENCE_S)
    return process.returncode, out, err


def line_with(text: str, process: subprocess.Popen[str]) -> str:
    """The next line that holds the text."""
    assert process.stdout is not None
    return next(line for line in process.stdout if text in line)


@pytest.fixture
def watch(tmp_path: Path) -> tuple[str, ...]:
    """A command that watches an endpoint that is down, several times a second."""
    config = written(tmp_path, profiles(f"http://127.0.0.1:{free_port()}"))
    return (*MODULE, "-p", "prod", "--config", config, "--interval", "100ms", "--session-dir", str(tmp_path / "s"))


def rows(directory: Path) -> list[dict[str, str]]:
    with (directory / "requests.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_ends_it_with_a_summary_and_all_rows_on_disk(
    number: signal.Signals, watch: tuple[str, ...], tmp_path: Path
) -> None:
    with running(*watch) as process:
        line_with("✖ incident 1 opened: chat", process)
        process.send_signal(number)
        code, out, err = ended(process)
    assert code == 128 + number
    assert err == ""
    assert f"rows: {tmp_path / 's'}" in out.splitlines()[-1]
    counted = re.search(r"^✖ chat .* TTFT(?: +-)+ +(\d+) ", out, re.MULTILINE)
    assert counted
    assert int(counted[1]) == sum(row["outcome"] == "failed" for row in rows(tmp_path / "s"))


def test_under_nohup_a_hangup_ends_nothing(watch: tuple[str, ...]) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with running(*watch) as process:
            line_with("✖ incident 1 opened: chat", process)
            process.send_signal(signal.SIGHUP)
            line_with("✖ down", process)
            process.send_signal(signal.SIGTERM)
            assert ended(process)[0] == 128 + signal.SIGTERM
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_reader_that_goes_away_is_a_quiet_end(watch: tuple[str, ...], tmp_path: Path) -> None:
    with running(*watch, "--json") as process:
        first = json.loads(line_with('"type":"request"', process))
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.wait(PATIENCE_S) == 141
        assert process.stderr.read() == ""
    assert rows(tmp_path / "s")[0]["trace_id"] == first["trace_id"]


@contextmanager
def unread(directory: Path) -> Iterator[subprocess.Popen[str]]:
    """A watch with more lines to print than its pipe takes."""
    config = written(directory, profiles(f"http://127.0.0.1:{free_port()}"))
    options = ("--interval", "50ms", "--session-dir", str(directory / "s"), "--json")
    with running(*MODULE, "-p", "prod", "--config", config, *options) as process:
        assert process.stdout is not None
        fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, 4096)
        line_with('"type":"request"', process)
        until = time.monotonic() + PATIENCE_S
        while not (file := directory / "s" / "requests.csv").exists() or file.read_bytes().count(b"\n") < 40:
            assert time.monotonic() < until, "rows come while nobody reads"
        yield process


@pytest.mark.skipif(sys.platform != "linux", reason="the size of a pipe")
def test_a_reader_that_never_reads_on_does_not_hold_up_the_end(tmp_path: Path) -> None:
    with unread(tmp_path) as process:
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) in (128 + signal.SIGTERM, 128 + signal.SIGINT)  # two at once have no order
    assert len(rows(tmp_path / "s")) >= 39


@pytest.mark.skipif(sys.platform != "linux", reason="the size of a pipe")
def test_a_reader_that_stops_reading_holds_up_no_probe_and_misses_no_line(tmp_path: Path) -> None:
    with unread(tmp_path) as process:
        process.send_signal(signal.SIGTERM)
        code, out, err = ended(process)
    assert (code, err) == (128 + signal.SIGTERM, "")
    printed = [line["request_number"] for line in map(json.loads, out.splitlines()) if line["type"] == "request"]
    kept = [int(row["request_number"]) for row in rows(tmp_path / "s")]
    assert printed == kept[-len(printed) :], "none is missing after the first"
    assert len(printed) > 30


def test_a_closed_standard_output_is_no_fault(watch: tuple[str, ...], tmp_path: Path) -> None:
    command = [sys.executable, *watch, "--for", "1s"]
    with running("-c", f"import os; os.close(1); os.execv({sys.executable!r}, {command!r})") as process:
        assert ended(process) == (1, "", "")
    assert rows(tmp_path / "s")


FULL = "/dev/full"
BENCH = ("bench", "--api", "http", "--url", "http://127.0.0.1:1", "--requests", "2")
ENDS = [
    (("--help",), "1", FULL, 3, f"gwtui: [Errno {ENOSPC}] {NO_SPACE}\n"),
    (("watch", "--help"), "1", FULL, 3, f"gwtui: [Errno {ENOSPC}] {NO_SPACE}\n"),
    (("config", "example"), "1", FULL, 3, f"gwtui: standard output: {NO_SPACE}\n"),
    (("probe", "nowhere"), "2", FULL, 2, ""),
    (("probe", "nowhere"), "2", "", 2, ""),
    (BENCH, "2", "", 1, ""),
    (("config", "example"), "0", "", 0, ""),
]


@pytest.mark.skipif(not Path(FULL).exists(), reason="a device of Linux")
@pytest.mark.parametrize(("arguments", "descriptor", "target", "code", "expected"), ENDS)
def test_outputs_that_take_nothing_or_are_closed_leave_the_exit_code_as_promised(
    arguments: tuple[str, ...], descriptor: str, target: str, code: int, expected: str, tmp_path: Path
) -> None:
    change = f"os.dup2(os.open({target!r}, os.O_WRONLY), {descriptor})" if target else f"os.close({descriptor})"
    command = [sys.executable, *MODULE, *arguments]
    environment = {**os.environ, "GWTUI_CONFIG": str(tmp_path / "none.toml")}
    program = f"import os; {change}; os.execv({sys.executable!r}, {command!r})"
    with running("-c", program, env=environment) as process:
        ended_with, out, err = ended(process)
    assert (ended_with, err) == (code, expected)
    assert bool(out) is (code < 2), "what can be printed is printed"


@pytest.mark.parametrize("arguments", [("--help",), ("config", "path")])
def test_a_reader_that_was_never_there_is_a_quiet_end(arguments: tuple[str, ...]) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, *MODULE, *arguments], stdout=write, stderr=subprocess.PIPE, timeout=PATIENCE_S
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize(
    ("environment", "mark"),
    [
        ({"LC_ALL": "C"}, "✖"),
        ({"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, "✖"),
        ({"PYTHONIOENCODING": "latin-1"}, "x"),
    ],
    ids=lambda value: " ".join(f"{name}={text}" for name, text in value.items()) if isinstance(value, dict) else value,
)
def test_signs_that_a_locale_lacks_end_nothing(environment: dict[str, str], mark: str, watch: tuple[str, ...]) -> None:
    with running(*watch, env={**os.environ, **environment}) as process:
        line_with(f"{mark} incident 1 opened: chat", process)
        process.send_signal(signal.SIGTERM)
        code, out, err = ended(process)
    assert (code, err) == (128 + signal.SIGTERM, "")
    assert f"\n{mark} chat" in out


def test_a_probe_that_is_interrupted_reports_what_it_saw() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        with running(*MODULE, "probe", "--api", "openai-chat", "--url", url) as process:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                process.send_signal(signal.SIGINT)
                code, out, err = ended(process)
    assert (code, err) == (130, "")
    assert out.startswith("‖ cancelled")
    assert "connect " in out


def test_checks_that_are_interrupted_report_and_write_those_that_ended(tmp_path: Path) -> None:
    junit = tmp_path / "junit.xml"
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        with running(*MODULE, "check", "--api", "openai-chat", "--url", url, "--junit", str(junit)) as process:
            first, _ = server.accept()
            with first:  # and nobody answers after that
                first.recv(65536)
                first.sendall(http("200 OK", "Connection: close", body=b'{"status": "ok"}'))
            line_with("✔ pass  connection", process)
            process.send_signal(signal.SIGTERM)
            code, out, err = ended(process)
    assert (code, err) == (128 + signal.SIGTERM, "")
    assert out.splitlines()[-1].startswith("✔ 1 pass")
    assert "connection" in [case.get("name") for case in ElementTree.parse(junit).iter("testcase")]


def test_a_stream_over_a_limit_leaves_nothing_on_standard_error() -> None:
    endless = http("200 OK", "Content-Type: text/event-stream", body=b"data: " + b"x" * (17 << 20), length=False)
    with (
        Canned(endless) as server,
        running(*MODULE, "probe", "--api", "openai-chat", "--url", server.url, "--json") as process,
    ):
        code, out, err = ended(process)
    assert (code, err) == (1, "")
    assert json.loads(out)["verdict"] == "too_large"


def test_an_interrupt_before_anything_began_is_quiet() -> None:
    program = """
import gwtui.gateway.process
def spawn_gateway(): raise KeyboardInterrupt
gwtui.gateway.process.spawn_gateway = spawn_gateway
import sys
sys.argv = ["gwtui", "demo"]
from gwtui.__main__ import main
main()
"""
    with running("-c", program) as process:
        code, out, err = ended(process)
    assert (code, out, err.strip()) == (130, "", "")


def test_a_fault_of_our_own_has_a_code_of_its_own() -> None:
    program = """
from gwtui.cli import demo
def watch_demo(run): raise RuntimeError("of our own")
demo.watch_demo = watch_demo
import sys
sys.argv = ["gwtui", "demo"]
from gwtui.cli import main
main()
"""
    with running("-c", program) as process:
        code, _, err = ended(process)
    assert code == 3
    assert err.endswith("RuntimeError: of our own\n")


def test_the_demo_without_a_terminal(tmp_path: Path) -> None:
    with running(*MODULE, "demo", "--for", "2s", "--session-dir", str(tmp_path / "s")) as process:
        line_with("gateway-claude", process)
        code, out, err = ended(process)
    assert (code, err) == (0, "")
    summary = out.partition("gwtui demo  ")[2]
    names = {line.split()[1] for line in summary.splitlines() if line[:1] in "●▲✖○"}
    assert {"gateway-claude", "gateway-gpt", "gateway-http", "gateway-ws"} <= names
    assert "gateway-http" in {row["endpoint"] for row in rows(tmp_path / "s")}
    assert (tmp_path / "s" / "pings.csv").read_text().count("\n") > 1


def test_garbage_is_collected_again_after_loading_also_where_that_fails() -> None:
    try:
        with console.loading():
            assert not gc.isenabled()
        assert gc.isenabled()
        with pytest.raises(ImportError), console.loading():
            raise ImportError
        assert gc.isenabled()
    finally:
        gc.unfreeze()
