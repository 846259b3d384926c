"""What holds for every test: nothing of the developer's own is read or written, and no property is judged by time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import settings
from support.gateways import Gateway

from gwtui.keys import resolving

settings.register_profile("gwtui", deadline=None)
settings.load_profile("gwtui")


@pytest.fixture(autouse=True)
def _own_places(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Configuration and sessions of a test, and of the processes it starts, lie in a directory of its own."""
    place: Path = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(place / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(place / "state"))
    monkeypatch.setenv("GWTUI_CONFIG", str(place / "config" / "gwtui" / "config.toml"))
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.fixture(autouse=True)
def _no_keys_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test used as a key is none in another."""
    monkeypatch.setattr(resolving, "_seen", {})


@pytest.fixture(scope="module")
def client(gateway: Gateway) -> Iterator[httpx.Client]:
    """A client of the gateway that the module serves."""
    with httpx.Client(base_url=gateway.url, trust_env=False, timeout=10) as client:
        yield client
