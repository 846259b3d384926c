"""Proxies of the environment: used where the profile says so, blamed for what they do; their login is never shown."""

from __future__ import annotations

import base64
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from support.certificates import pair
from support.forwarding import Relay
from support.oswords import BROKEN_OFF
from support.pinging import TEXT, frame
from support.probing import endpoint, soon
from support.scripted import (
    Accept,
    Close,
    Hold,
    Receive,
    Reset,
    ScriptedServer,
    Send,
    Step,
    TakeFrame,
    chunk,
    free_port,
    http,
)

from gwtui.codec.wire import encode
from gwtui.headless import TextLines
from gwtui.model.profile import TLS, Endpoint, Profile
from gwtui.model.query import Query
from gwtui.model.records import Ping, Request, SessionStarted
from gwtui.model.verdicts import Judgement, Verdict
from gwtui.monitor import Monitor
from gwtui.probes.prober import probe_once
from gwtui.transport.proxies import reason_of
from gwtui.ui.panels import header
from gwtui.ui.text_layout import plain

UNUSED = "_PROXY is set, but gwtui connects directly: `use_proxies` is off"
PASSWORD = "hunter2/+%"
LOGIN = base64.b64encode(f"ann:{PASSWORD}".encode()).decode()


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for scheme in ("http", "https", "all", "no"):
        monkeypatch.delenv(f"{scheme}_proxy", raising=False)
        monkeypatch.delenv(f"{scheme.upper()}_PROXY", raising=False)


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Have all traffic go by way of a server, with a login."""

    def by_way_of(server: ScriptedServer | Relay) -> None:
        for scheme in ("HTTP", "HTTPS"):
            monkeypatch.setenv(f"{scheme}_PROXY", f"http://ann:{quote(PASSWORD, safe='')}@127.0.0.1:{server.port}")

    return by_way_of


async def probed(target: Endpoint, *, use_proxies: bool = True) -> Any:
    """The row of one probe. Nothing of it, nor of its reads, shows the proxy's login."""
    row, reads = await probe_once(target, Profile(use_proxies=use_proxies))
    found = b"".join(map(encode, (row, *reads))).decode()
    assert "hunter2" not in found
    assert LOGIN not in found
    return row


# Which proxy is meant


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
    of = endpoint("http", url)
    found = reason_of(Judgement(verdict=Verdict.REFUSED, rule="r", reason="so"), of, None)
    assert found == (f"so ({named}{UNUSED})" if named else "so")
    assert reason_of(Judgement(verdict=Verdict.TRUNCATED, rule="r", reason="so"), of, None) == "so"


@pytest.mark.parametrize("api", ["http", "websocket"])
async def test_a_proxy_is_not_used_unless_the_profile_says_so(api: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://ann:hunter2@proxy.invalid:3128")
    row = await probed(endpoint(api, f"http://127.0.0.1:{free_port()}"), use_proxies=False)
    assert row.verdict is Verdict.REFUSED
    assert row.reason.count(UNUSED) == 1


async def test_no_proxy_is_used_for_a_host_that_no_proxy_names(monkeypatch: pytest.MonkeyPatch, use: Any) -> None:
    async with ScriptedServer([Receive(), Send(http("200 OK", body=b"ok"))]) as gateway, ScriptedServer([]) as proxy:
        use(proxy)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        row = await probed(endpoint("http", gateway.url))
    assert row.verdict is Verdict.COMPLETE
    assert proxy.connections == 0
    assert row.phases.address == f"127.0.0.1:{gateway.port}"


@pytest.mark.parametrize("api", ["http", "websocket"])
@pytest.mark.parametrize(
    ("proxy", "says"),
    [
        ("socks4://ann:hunter2@127.0.0.1:1080", "of the kind socks4: gwtui uses http, https, socks5, socks5h"),
        ("http://ann:hunter2@127.0.0.1:port", "holds no URL of a proxy"),
        ("http://ann:hunter2@", "holds no URL of a proxy"),
        ("http://ann:hunter2@proxy.invalid:3128", "the proxy proxy.invalid:3128 cannot be reached"),
    ],
)
async def test_a_proxy_that_cannot_be_used_is_reported(
    proxy: str, says: str, api: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    row = await probed(endpoint(api, "https://gateway.invalid"))
    assert row.verdict is Verdict.PROXY
    assert says in row.reason


# Plain HTTP, which a proxy forwards


async def test_a_proxy_is_asked_for_a_tunnel_to_where_the_connection_is_to_go(use: Any) -> None:
    tunnel: list[Step] = [Receive(), Send(b"HTTP/1.1 200 OK\r\n\r\n"), Receive(), Send(http("200 OK", body=b"ok"))]
    async with ScriptedServer(tunnel) as proxy:
        use(proxy)
        row = await probed(endpoint("http", "http://gateway.invalid", method="GET", connect_to="10.0.0.7:81"))
    assert row.verdict is Verdict.COMPLETE, row.reason
    assert proxy.requests[0].startswith(b"CONNECT 10.0.0.7:81 HTTP/1.1\r\n")
    assert proxy.requests[1].startswith(b"GET / HTTP/1.1\r\nHost: gateway.invalid\r\n")
    assert b"Proxy-Authorization" not in proxy.requests[1]


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="there are no Unix sockets")
async def test_no_proxy_is_used_for_a_unix_socket(tmp_path: Path, use: Any) -> None:
    path = str(tmp_path / "gateway.sock")
    async with ScriptedServer([Receive(), Send(http("200 OK", body=b"ok"))], unix=path), ScriptedServer([]) as proxy:
        use(proxy)
        row = await probed(endpoint("http", "http://gateway.invalid", unix=path))
    assert row.verdict is Verdict.COMPLETE, row.reason
    assert proxy.connections == 0


async def test_a_proxy_is_asked_for_the_whole_url(use: Any) -> None:
    async with ScriptedServer([Receive(), Send(http("200 OK", body=b"ok"))]) as proxy:
        use(proxy)
        row = await probed(endpoint("http", "http://gateway.invalid:8080/a", path="b?c=d", method="GET"))
    asked = proxy.requests[0].decode()
    assert asked.startswith("GET http://gateway.invalid:8080/a/b?c=d HTTP/1.1\r\n")
    assert "host: gateway.invalid:8080\r\n" in asked.lower()
    assert f"Proxy-Authorization: Basic {LOGIN}\r\n" in asked
    assert row.verdict is Verdict.COMPLETE
    assert row.phases.address == f"127.0.0.1:{proxy.port} (proxy)"


async def test_a_proxy_that_wants_another_login_is_reported(use: Any) -> None:
    refusal = http("407 Proxy Authentication Required", body=f"not {PASSWORD} nor {LOGIN}".encode())
    async with ScriptedServer([Receive(), Send(refusal)]) as proxy:
        use(proxy)
        row = await probed(endpoint("http", "http://gateway.invalid"))
    assert (row.verdict, row.rule) == (Verdict.PROXY, "http.407")
    assert row.reason == f"HTTP 407: not ••• nor •••; by way of the proxy 127.0.0.1:{proxy.port}"


async def test_a_stream_that_dies_with_its_proxy_names_it(use: Any) -> None:
    begun = http("200 OK", "Content-Type: text/event-stream", "Transfer-Encoding: chunked", length=False)
    async with ScriptedServer([Receive(), Send(begun + b"5\r\ndata:"), Reset()]) as proxy:
        use(proxy)
        row = await probed(endpoint("openai-chat", "http://gateway.invalid"))
    assert row.verdict is Verdict.TRUNCATED
    assert row.reason.endswith(f"; by way of the proxy 127.0.0.1:{proxy.port}")


# TLS and WebSockets, which go through a tunnel


@pytest.fixture
def trusted(tmp_path: Path) -> Any:
    return pair("gateway", tmp_path)


async def test_tls_goes_through_a_tunnel_that_sees_no_key(
    trusted: Any, use: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY", "sk-canary")
    script: list[Step] = [Receive(), Send(http("200 OK", body=b"ok"))]
    async with ScriptedServer(script, tls=trusted.server) as gateway, (relay := Relay(gateway)).running():
        use(relay)
        target = endpoint("http", gateway.url, tls=TLS(ca_file=trusted.ca_file), key="env:KEY", auth="bearer")
        row = await probed(target)
    assert row.verdict is Verdict.COMPLETE, row.reason
    assert row.phases.tls_ns is not None
    assert row.phases.address == f"127.0.0.1:{relay.port} (proxy)"
    authority = f"127.0.0.1:{gateway.port}"
    assert relay.head.decode() == (
        f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\nProxy-Authorization: Basic {LOGIN}\r\n\r\n"
    )
    assert b"Bearer sk-canary" in gateway.requests[0]
    assert b"Proxy-Authorization" not in gateway.requests[0]


async def test_a_tunnel_that_dies_in_the_middle_names_its_proxy(trusted: Any, use: Any) -> None:
    begun = http("200 OK", "Content-Type: text/event-stream", "Transfer-Encoding: chunked", length=False)
    script: list[Step] = [Receive(), Send(begun + chunk(b'data: {"choices": []}\n\n')), Send(b"f" * 9000), Hold()]
    async with ScriptedServer(script, tls=trusted.server) as gateway, (relay := Relay(gateway, 8000)).running():
        use(relay)
        row = await probed(endpoint("openai-chat", gateway.url, tls=TLS(ca_file=trusted.ca_file)))
    assert row.verdict is Verdict.TRUNCATED, row.reason
    assert row.reason.endswith(f"; by way of the proxy 127.0.0.1:{relay.port}")


async def test_a_websocket_goes_through_a_tunnel(use: Any) -> None:
    script: list[Step] = [Accept(), TakeFrame(), Send(frame(TEXT, b"pong"))]
    async with ScriptedServer(script) as gateway, (relay := Relay(gateway)).running():
        use(relay)
        row = await probed(endpoint("websocket", gateway.url))
    assert isinstance(row, Ping)
    assert row.verdict is Verdict.PONG, row.reason
    assert relay.head.startswith(b"CONNECT 127.0.0.1:")
    assert b"Proxy-Authorization" not in gateway.requests[0]


REFUSALS: dict[str, tuple[Sequence[Step], str]] = {
    "407": ([Receive(), Send(http("407 Who\x1b[31m are you"))], "443: 407 Who␛[31m are you"),
    "403": ([Receive(), Send(http("403 Forbidden", body=b"<html>"))], "refused to connect to gateway.invalid:443: 403"),
    "no HTTP": ([Receive(), Send(b"SSH-2.0-x\r\n\r\n")], "does not speak HTTP: SSH-2.0-x"),
    "an endless head": ([Receive(), Send(b"x" * 40_000), Hold()], "does not speak HTTP: xxx"),
    "closed": ([Receive(), Close()], "closed the connection without an answer"),
    "reset": ([Receive(), Reset()], f"broke the connection: {BROKEN_OFF}"),
}


@pytest.mark.parametrize("api", ["http", "websocket"])
@pytest.mark.parametrize("refusal", REFUSALS)
async def test_a_tunnel_that_is_refused_is_the_proxys_fault(refusal: str, api: str, use: Any) -> None:
    script, says = REFUSALS[refusal]
    async with ScriptedServer(script) as proxy:
        use(proxy)
        row = await probed(endpoint(api, "https://gateway.invalid"))
    assert row.verdict is Verdict.PROXY, row.reason
    assert says in row.reason
    assert f"proxy 127.0.0.1:{proxy.port} " in row.reason


@pytest.mark.parametrize("api", ["http", "websocket"])
async def test_a_proxy_that_says_nothing_is_waited_for_as_long_as_for_a_connection(api: str, use: Any) -> None:
    async with ScriptedServer([Hold()]) as proxy:
        use(proxy)
        row: Request | Ping = await probed(endpoint(api, "https://gateway.invalid", deadlines=soon(connect_s=0.05)))
    assert row.verdict is Verdict.CONNECT_TIMEOUT
    assert row.reason.endswith(f"; by way of the proxy 127.0.0.1:{proxy.port}")


# That they are used is shown for as long as they are


STARTED = SessionStarted(
    started_at=0.0, now_ns=0, profile=Profile(name="prod", use_proxies=True, endpoints=(endpoint("http", "http://h"),))
)


def test_the_header_says_that_proxies_are_used() -> None:
    monitor = Monitor()
    monitor.apply(STARTED)
    (line,) = header.draw(monitor.view(Query(), 80), 140, 1)
    assert " prod  through proxies " in plain(line)


def test_a_session_without_a_screen_says_so_first() -> None:
    found: list[str] = []
    TextLines(found.append, 160).record(STARTED)
    assert found[0].startswith("Watching prod: 1 endpoint through the environment's proxies. ")
