"""A recorder under test: its profile, its rows, and when it has tried to write them."""

from __future__ import annotations

import csv
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self

import pytest
from msgspec.structs import replace

from gwtui.codec.csv_schema import REQUEST_COLUMNS
from gwtui.model.profile import Deadlines, Endpoint, Profile
from gwtui.model.records import Request
from gwtui.model.verdicts import Verdict
from gwtui.recorder import Recorder, parts

PROFILE = Profile(
    name="prod",
    interval_s=2.0,
    deadlines=Deadlines(connect_s=1.5),
    endpoints=(
        Endpoint(
            name="gateway",
            api="openai-chat",
            url="http://127.0.0.1:9",
            key="env:GATEWAY_KEY",
            headers={"x-team": "token ${env:TEAM}"},
            body={"temperature": 0.5, "nothing": None, "stop": ["a", None]},
        ),
        Endpoint(name="ws", api="websocket", url="ws://127.0.0.1:9"),
    ),
)


def request(number: int, **more: object) -> Request:
    ended = Request(
        endpoint="gateway",
        number=number,
        started_at=1.0,
        now_ns=number,
        api="openai-chat",
        verdict=Verdict.COMPLETE,
        rule="openai.done",
        duration_ns=5_000_000,
    )
    return replace(ended, **more)


def numbers(path: Path) -> list[int]:
    """The request numbers in a file, every line of which has every column."""
    with path.open(newline="") as file:
        rows = list(csv.reader(file))
    assert {len(row) for row in rows} == {len(REQUEST_COLUMNS)}
    return [int(row[1]) for row in rows[1:]]


def rotated_numbers(path: Path) -> list[int]:
    return [number for part in parts(path) for number in numbers(part)]


class Flushes:
    """Waits until the recorder's thread has tried to write what waits."""

    def __init__(self) -> None:
        self._tried = threading.Condition()

    def tried(self) -> None:
        with self._tried:
            self._tried.notify_all()

    def until(self, done: Callable[[], bool]) -> None:
        with self._tried:
            assert self._tried.wait_for(done, timeout=20)

    @classmethod
    def of(cls, monkeypatch: pytest.MonkeyPatch) -> Self:
        """For as long as the patch lasts."""
        flushes, flush = cls(), Recorder._flush

        def flush_and_notify(recorder: Recorder) -> None:
            flush(recorder)
            flushes.tried()

        monkeypatch.setattr(Recorder, "_flush", flush_and_notify)
        return flushes
