"""A disk that fails under a running session, seen from the screen: shown at once, nothing stops, and over when it is.

The whole of it runs: engine, probes, recorder, monitor. The gateway is a closed port: its refusals are rows too.
"""

from __future__ import annotations

import asyncio
import csv
import errno
import os
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from support.scripted import free_port

from gwtui.engine import backoff, engine
from gwtui.feeds import Feed
from gwtui.model.commands import Start
from gwtui.model.profile import Endpoint, Profile
from gwtui.model.query import Query
from gwtui.model.view import Header
from gwtui.monitor import Monitor
from gwtui.recorder import Recorder, disk, parts, rows
from gwtui.session import hosted, session

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="disks of POSIX systems")

SOON_S = 20
WRITE_ALL = disk.write_all


class Watched:
    """A running session as a screen sees it."""

    def __init__(self, feed: Feed, directory: Path) -> None:
        self._monitor = Monitor()
        self._batches = aiter(feed)
        self._rows = directory / "requests.csv"

    async def begun(self) -> Header:
        """It probes, and records into its directory."""
        return await self.until(lambda header: header.requests >= 2 and self._rows.exists())

    async def until(self, met: Callable[[Header], bool]) -> Header:
        """The first header line that is so."""
        async with asyncio.timeout(SOON_S):
            while not met(header := self._monitor.view(Query()).header):
                for record in await anext(self._batches):
                    self._monitor.apply(record)
            return header


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "HEARTBEAT_S", 0.01)
    monkeypatch.setattr(backoff, "AFTER_FAILURES", 1_000_000)


@asynccontextmanager
async def watching(
    directory: Path, monkeypatch: pytest.MonkeyPatch, max_waiting: int = 10_000
) -> AsyncIterator[Watched]:
    monkeypatch.setattr(session, "Recorder", partial(Recorder, flush_s=0.0, retry_s=0.005, max_waiting=max_waiting))
    refused = Endpoint(name="gateway", api="http", url=f"http://127.0.0.1:{free_port()}", path="/", method="GET")
    profile = Profile(name="t", interval_s=0.005, endpoints=(refused,))
    feed = hosted(Start(profile=profile, session_dir=str(directory)))
    try:
        yield Watched(feed, directory)
    finally:
        await feed.aclose()


def numbers(directory: Path) -> list[int]:
    """The requests in the files of a session."""
    rows = []
    for part in parts(directory / "requests.csv"):
        with part.open(newline="") as file:
            rows += [int(row["request_number"]) for row in csv.DictReader(file)]
    return rows


def failing(code: int) -> Callable[..., None]:
    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    return refuse


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EFBIG, errno.EIO, errno.EROFS, errno.EDQUOT])
async def test_a_disk_that_takes_nothing_is_reported_and_costs_no_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    async with watching(tmp_path / "s", monkeypatch) as it:
        assert (await it.begun()).banner == ""
        monkeypatch.setattr(disk, "write_all", failing(code))
        found = await it.until(lambda header: header.banner != "")
        assert found.banner.startswith("CSV not written since ")
        assert f"Z ({os.strerror(code)} (" in found.banner
        during = await it.until(lambda header: "waiting" in header.banner and header.requests >= found.requests + 5)
        assert "lost" not in during.banner
        monkeypatch.setattr(disk, "write_all", WRITE_ALL)
        after = await it.until(lambda header: header.banner == "")
        assert after.requests >= during.requests
    kept = numbers(tmp_path / "s")
    assert kept == list(range(1, len(kept) + 1))
    assert len(kept) >= after.requests


async def test_rows_that_find_no_room_are_counted_on_screen_for_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "BATCH", 2)
    async with watching(tmp_path / "s", monkeypatch, max_waiting=3) as it:
        await it.begun()
        monkeypatch.setattr(disk, "write_all", failing(errno.ENOSPC))
        during = await it.until(lambda header: "lost" in header.banner)
        monkeypatch.setattr(disk, "write_all", WRITE_ALL)
        after = await it.until(lambda header: header.banner.startswith("CSV lacks "))
        end = await it.until(lambda header: header.requests >= after.requests + 3)
    lost = int(end.banner.split()[2])
    assert end.banner == f"CSV lacks {lost} row{'s' * (lost > 1)} that could not be written"
    assert int(during.banner.split(", ")[-1].split()[0]) <= lost
    kept = numbers(tmp_path / "s")
    assert kept[-1] - len(kept) == lost, "every number that is missing was counted"


async def test_a_file_in_the_place_of_the_directory_is_reported_until_it_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path / "s"
    async with watching(directory, monkeypatch) as it:
        await it.begun()
        directory.rename(tmp_path / "moved")
        directory.write_text("in the way")
        found = await it.until(lambda header: "waiting" in header.banner)
        assert "(Not a directory (" in found.banner or "(File exists (" in found.banner
        await it.until(lambda header: header.requests >= found.requests + 5)
        directory.unlink()
        await it.until(lambda header: header.banner == "")
    kept = [*numbers(tmp_path / "moved"), *numbers(directory)]
    assert kept == list(range(1, len(kept) + 1))
    assert (directory / "session.toml").exists()


async def test_a_removed_directory_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = tmp_path / "s"
    async with watching(directory, monkeypatch) as it:
        before = await it.begun()
        removed = directory.rename(tmp_path / "removed")  # at one stroke, so that no row comes in between
        while removed.exists():  # a stream that was just being kept there may still come in
            shutil.rmtree(removed, ignore_errors=True)
        await it.until(lambda header: header.requests >= before.requests + 5)
        await it.until(lambda header: header.banner == "")
    kept = numbers(directory)
    assert kept == list(range(kept[0], kept[-1] + 1))
    assert (directory / "profile.toml").exists()


async def test_of_two_sessions_in_one_directory_the_second_says_so_and_goes_on_when_the_first_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with watching(tmp_path / "s", monkeypatch) as second:
        async with watching(tmp_path / "s", monkeypatch) as first:
            await first.begun()
            found = await second.until(lambda header: header.requests >= 2 and header.banner != "")
        assert "(another gwtui records into this directory (s))" in found.banner
        await second.until(lambda header: header.banner == "")
    kept = numbers(tmp_path / "s")
    begun_again = kept.index(1, 1)
    assert kept[:begun_again] == list(range(1, begun_again + 1))
    assert kept[begun_again:] == list(range(1, len(kept) - begun_again + 1))
