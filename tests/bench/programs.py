"""The processes of the bench: servers, clients to compare with, and engines whose records are read afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gwtui.codec.wire import decode
from gwtui.feeds import EngineProcess, spawn_engine
from gwtui.gateway.process import GatewayProcess, running
from gwtui.model.commands import Start
from gwtui.selftest.cpu_meter import cpu_ns
from gwtui.selftest.ground_truth import ClockErrors, GroundTruth
from gwtui.selftest.report import SERVER

SETTLE_S = 1.5
"""Imports and first connections are over by then."""


def module(name: str, *arguments: str) -> list[str]:
    """The command line of one of the bench's own programs."""
    return [sys.executable, "-m", f"{__package__}.{name}", *arguments]


def environment(**more: str) -> dict[str, str]:
    """With this process's own import path, wherever the bench was started."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (str(Path.cwd()), *sys.path))), **more}


def truth_server() -> AbstractContextManager[GatewayProcess]:
    return running(SERVER)


def answers_server() -> AbstractContextManager[GatewayProcess]:
    os.environ["PYTHONPATH"] = environment()["PYTHONPATH"]
    return running(module("answers"))


def server_report(url: str) -> Mapping[str, int]:
    """What a truth server says it did."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        read: dict[str, int] = json.loads(answer.read())
    return read


@dataclass(frozen=True, slots=True)
class Cost:
    """Of a client over a stretch of time."""

    events: int
    wall_ns: int
    cpu_ns: int
    waited_ns: int
    """How long its first thread was ready to run, and something else ran."""

    @property
    def per_event_ns(self) -> float:
        return self.cpu_ns / max(self.events, 1)

    @property
    def per_second(self) -> float:
        return self.events / self.wall_ns * 1e9

    @property
    def core(self) -> float:
        return self.cpu_ns / self.wall_ns

    @property
    def waited(self) -> float:
        return self.waited_ns / self.wall_ns


def cost_of(pid: int, url: str, seconds: float) -> Cost:
    """What a client costs for what the truth server sends it. It has to be the only one."""
    before = server_report(url)["events"], time.perf_counter_ns(), cpu_ns(pid) or 0, _waited_ns(pid)
    time.sleep(seconds)
    after = server_report(url)["events"], time.perf_counter_ns(), cpu_ns(pid) or 0, _waited_ns(pid)
    return Cost(*(end - begin for begin, end in zip(before, after, strict=True)))


def _waited_ns(pid: int) -> int:
    """Known on Linux; elsewhere 0."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1])
    except OSError:
        return 0


@contextmanager
def client(kind: str, url: str, count: int, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """One of `peers`, for as long as the `with`."""
    command = module("peers", kind, url, str(count), json.dumps(options))
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment()) as process:
        try:
            yield process
        finally:
            process.terminate()


def outcome(kind: str, url: str, count: int, **options: Any) -> Any:
    """What one of `peers` that ends by itself has printed."""
    with client(kind, url, count, **options) as process:
        assert process.stdout is not None
        printed = process.stdout.read()
    return json.loads(printed)


class Drained:
    """An engine whose output is taken at once and looked at when it is over, so that nobody is in its way."""

    def __init__(self, start: Start) -> None:
        self.process: EngineProcess = spawn_engine(start)
        self._chunks: list[bytes] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self.process.popen.pid

    def __enter__(self) -> Drained:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.commands.close()
        self.process.popen.wait()
        self._reader.join()
        self.process.stdout.close()
        self.process.stderr.close()

    def errors(self, every: int = 1) -> ClockErrors:
        """After the end: the errors of one in so many records."""
        truth = GroundTruth()
        for number, record in enumerate(b"".join(self._chunks).splitlines()):
            if number % every == 0 or not record.startswith(b'{"record":"stream_read"'):
                truth.take(decode(record))
        return truth.errors()

    def _read(self) -> None:
        while data := os.read(self.process.stdout.fileno(), 1 << 18):
            self._chunks.append(data)
