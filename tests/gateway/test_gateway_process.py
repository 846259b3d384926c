"""The embedded gateway in a process of its own: it is there at once, and never outlives who started it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from support.gateways import comes_true
from support.oswords import MISSING

from gwtui.gateway.process import GatewayError, GatewayProcess, listen, running, spawn_gateway

CHAT = "/v1/chat/completions"
QUESTION = {"model": "any", "stream": True, "messages": [{"role": "user", "content": "two words"}]}

SERVE = """
import sys
from pathlib import Path
from gwtui.gateway.scenario import load_scenario
from gwtui.gateway.process import serve
raw = []
number = serve("127.0.0.1", 0, load_scenario(Path(sys.argv[1])), raw_ready=raw.append, stop_with_stdin=True,
               ready=lambda port: print('{"port": %d, "raw_port": %d}' % (port, *raw), flush=True))
sys.exit(128 + number if number else 0)
"""
ENDLESS = "default = { tokens = 100000, gap_ms = 5 }"


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    """A command that serves a scenario of endless streams."""
    scenario = tmp_path / "endless.toml"
    scenario.write_text(ENDLESS)
    return [sys.executable, "-c", SERVE, str(scenario)]


def test_a_gateway_that_ended_reports_how_and_its_last_line() -> None:
    code = """
import sys
print('{"port": 1, "raw_port": 2}', flush=True)
sys.stdin.read(1)
"""
    with running([sys.executable, "-c", code]) as process:
        assert process.end() is None
        os.kill(process.pid, signal.SIGKILL)
        assert comes_true(lambda: process.end() is not None)
        assert process.end() == ("The embedded gateway was killed by SIGKILL", "")
    failing = "print('{\"port\": 1}', flush=True)\nraise SystemExit('no memory is left')"
    with running([sys.executable, "-c", failing]) as process:
        assert comes_true(lambda: process.end() is not None)
        assert process.end() == ("The embedded gateway exited 1", "no memory is left")


@contextmanager
def open_stream(process: GatewayProcess) -> Iterator[httpx.Response]:
    with (
        httpx.Client(base_url=process.url, trust_env=False, timeout=10) as client,
        client.stream("POST", CHAT, json=QUESTION) as response,
    ):
        next(response.iter_raw())
        yield response


def test_a_gateway_process_is_reachable_and_ends_with_its_block(command: list[str]) -> None:
    with running(command) as process:
        with open_stream(process) as response:
            assert response.status_code == 200
        assert httpx.get(process.raw_url, trust_env=False).status_code == 421
        assert _is_alive(process.pid)
    assert not _is_alive(process.pid)
    with pytest.raises(httpx.ConnectError):
        httpx.get(process.url, trust_env=False)


def test_a_file_beside_the_user_is_not_taken_for_a_module_of_the_gateway(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "asyncio.py").write_text("raise SystemExit(77)")
    monkeypatch.chdir(tmp_path)
    with spawn_gateway() as process:
        assert httpx.get(process.raw_url, trust_env=False).status_code == 421


def test_a_gateway_process_ends_with_an_open_stream(command: list[str]) -> None:
    with running(command) as process, open_stream(process):
        os.kill(process.pid, signal.SIGTERM)
        assert comes_true(lambda: not _accepts(process.url))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_quietly_even_in_the_middle_of_a_stream(command: list[str], number: signal.Signals) -> None:
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        port = json.loads(process.stdout.readline())["port"]
        with open_stream(GatewayProcess(process.pid, port)):
            process.send_signal(number)
            assert process.wait(10) == 128 + number
        assert process.stderr.read() == b""


def test_a_gateway_does_not_outlive_its_parent(command: list[str]) -> None:
    parent = (
        "import sys, time\nfrom gwtui.gateway.process import running\n"
        "with running(sys.argv[1:]) as process:\n    print(process.pid, process.port, flush=True)\n    time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", parent, *command], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        pid, port = map(int, process.stdout.readline().split())
        gateway = GatewayProcess(pid, port)
        with open_stream(gateway):
            process.kill()
            process.wait(10)
            assert comes_true(lambda: not _accepts(gateway.url))


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import sys; sys.exit('no such port')", "no such port"),
        ("print('hello')", "hello"),
        ("print('[1]')", r"\[1\]"),
        ("pass", "it said nothing"),
    ],
)
def test_a_gateway_that_does_not_start_says_why(code: str, expected: str) -> None:
    with pytest.raises(GatewayError, match=expected), running([sys.executable, "-c", code]):
        pass


def test_a_process_that_cannot_be_made_is_a_gateway_that_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(GatewayError, match=f"did not start: .*{MISSING}"), running([str(tmp_path / "none")]):
        pass


def test_a_port_in_use_is_an_error_of_the_system() -> None:
    with listen("127.0.0.1", 0) as taken, pytest.raises(OSError, match="in use"):
        listen("127.0.0.1", taken.getsockname()[1])


def test_starting_a_gateway_needs_no_web_framework_in_the_parent() -> None:
    code = (
        "import sys, gwtui.gateway.process, gwtui.gateway.profile, gwtui.gateway.process\n"
        "sys.exit(bool({'starlette', 'uvicorn', 'asyncio', 'httpx'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def _accepts(url: str) -> bool:
    try:
        httpx.get(url, trust_env=False)
    except httpx.TransportError:
        return False
    return True


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
