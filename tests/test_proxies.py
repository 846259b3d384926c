"""Proxies of the environment: not used, and that is said where it may be why nothing was reached."""

from __future__ import annotations

import pytest
from support.probing import Probing, endpoint, probed
from support.scripted import free_port

from gwtui.probes.proxies import unused_proxy
from gwtui.verdicts import Verdict

WORD = "_PROXY is set, but gwtui always connects directly"


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for scheme in ("http", "https", "all", "no"):
        monkeypatch.delenv(f"{scheme}_proxy", raising=False)
        monkeypatch.delenv(f"{scheme.upper()}_PROXY", raising=False)


@pytest.mark.parametrize(
    ("environment", "url", "named"),
    [
        ({}, "https://gateway.example", ""),
        ({"HTTPS_PROXY": "http://proxy:3128"}, "https://gateway.example", "HTTPS"),
        ({"https_proxy": "http://proxy:3128"}, "wss://gateway.example", "HTTPS"),
        ({"HTTPS_PROXY": "http://proxy:3128"}, "http://gateway.example", ""),
        ({"http_proxy": "http://proxy:3128"}, "ws://gateway.example", "HTTP"),
        ({"ALL_PROXY": "socks5://proxy:1080"}, "https://gateway.example", "ALL"),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "gateway.example"}, "https://gateway.example", ""),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "*"}, "https://gateway.example", ""),
    ],
)
def test_a_proxy_that_was_meant_is_named(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], url: str, named: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    told = unused_proxy(Verdict.REFUSED, url)
    assert told == (f" ({named}{WORD})" if named else "")
    assert unused_proxy(Verdict.COMPLETE, url) == ""


async def test_a_failed_connection_says_so_and_names_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://user:hunter2@proxy.example:3128")
    port = free_port()
    row = await probed(endpoint("http", f"http://127.0.0.1:{port}"))
    assert row.verdict is Verdict.REFUSED
    assert WORD in row.reason
    assert "hunter2" not in row.reason
    probing = Probing(endpoint("websocket", f"ws://127.0.0.1:{port}"))
    async with probing.prober:
        first, waiting = await probing.once(), await probing.once()
    assert first.reason.count(WORD) == waiting.reason.count(WORD) == 1
