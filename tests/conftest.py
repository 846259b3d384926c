"""What holds for every test: nothing of the developer's own is read or written, and no property is judged by time."""

from __future__ import annotations

import asyncio
import gc
import itertools
import os
import signal
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path

import httpx
import pytest
from hypothesis import settings
from support.gateways import Gateway
from support.recording import PROFILE, Flushes

from gwtui.recorder import Recorder
from gwtui.secrets import resolver
from gwtui.transport.polls import new_loop

settings.register_profile("gwtui", deadline=None, max_examples=50)
settings.register_profile("thorough", deadline=None, max_examples=1000)
settings.load_profile("gwtui")


def pytest_configure() -> None:
    """Programs that tests start and stop by a signal obey it, also where the suite itself ignores it.

    A shell does that to what runs in the background or under `nohup`. They also keep what Python compiled: the suite
    starts gwtui several hundred times, and compiling it takes longer than all else that it does.
    Local time is UTC, so that clocks on the screen are the same everywhere.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["TZ"] = "UTC"
    if hasattr(time, "tzset"):
        time.tzset()
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is imported and collected stays to the end, so the garbage collector need not look through it."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Tests run in the event loop that the program runs in."""
    return {"gwtui": new_loop}


@pytest.fixture(scope="session")
def _homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory for each test, which exists once something is put into it."""
    place = tmp_path_factory.mktemp("homes")
    return (place / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def _own_directories(_homes: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Configuration and sessions of a test, and of the processes it starts, lie in a directory of its own."""
    place = next(_homes)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(place / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(place / "state"))
    monkeypatch.setenv("GWTUI_CONFIG", str(place / "config" / "gwtui" / "config.toml"))
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.fixture(autouse=True)
def _no_keys_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test used as a key is none in another."""
    monkeypatch.setattr(resolver, "_seen", {})


@pytest.fixture(scope="module")
def client(gateway: Gateway) -> Iterator[httpx.Client]:
    """A client of the gateway that the module serves."""
    with httpx.Client(base_url=gateway.url, trust_env=False, timeout=10) as client:
        yield client


@pytest.fixture
def flushes(monkeypatch: pytest.MonkeyPatch) -> Flushes:
    """Waits until recorders have tried to write what waits."""
    return Flushes.of(monkeypatch)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Where a session's files go."""
    return tmp_path / "session"


@pytest.fixture
def recorder(directory: Path, flushes: Flushes) -> Iterator[Recorder]:
    """One that writes at once, each time counted by `flushes`."""
    with Recorder(directory, PROFILE, flush_s=0.0, retry_s=0.001) as recorder:
        yield recorder
