"""An endpoint's own proxy: SOCKS, TLS and CONNECT, its login by reference, and the hosts that NO_PROXY leaves out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from support.certificates import Pair, pair
from support.forwarding import Relay, Socks
from support.pinging import TEXT, frame
from support.probing import endpoint
from support.scripted import Accept, Receive, ScriptedServer, Send, Step, TakeFrame, free_port, http

from gwtui.codec.wire import encode
from gwtui.model.enums import Trigger
from gwtui.model.profile import TLS, Endpoint, Profile
from gwtui.model.verdicts import Verdict
from gwtui.probes.prober import probe_once, prober_for
from gwtui.recorder.session_metadata import LEFT_OUT, profile_toml
from gwtui.secrets.resolver import masked
from gwtui.transport.proxy_urls import ProxyURL, ProxyURLError, leaves_out, parse_proxy

PASSWORD = "hunter2/+%@:"
ANSWER = http("200 OK", body=b"ok")
PLAIN: Sequence[Step] = (Receive(), Send(ANSWER))
PONG: Sequence[Step] = (Accept(), TakeFrame(), Send(frame(TEXT, b"pong")))


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http", "https", "all", "no"):
        monkeypatch.delenv(f"{name}_proxy", raising=False)
        monkeypatch.delenv(f"{name.upper()}_PROXY", raising=False)
    monkeypatch.setenv("PROXY_USER", "ann")
    monkeypatch.setenv("PROXY_PASSWORD", PASSWORD)
    monkeypatch.setenv("PROXY_LOGIN", f"ann:{PASSWORD}")


@pytest.fixture
def trusted(tmp_path: Path) -> Pair:
    return pair("good", tmp_path)


async def probed(target: Endpoint, *, use_proxies: bool = False) -> Any:
    """The row of one probe, which does not show the proxy's password."""
    row, reads = await asyncio.wait_for(probe_once(target, Profile(use_proxies=use_proxies)), 20)
    assert b"hunter2" not in b"".join(map(encode, (row, *reads)))
    return row


@pytest.mark.parametrize(
    ("text", "scheme", "host", "port", "user", "password"),
    [
        ("http://proxy", "http", "proxy", 80, "", None),
        ("proxy:3128", "http", "proxy", 3128, "", None),
        ("HTTPS://proxy/", "https", "proxy", 443, "", None),
        ("socks5://proxy", "socks5", "proxy", 1080, "", None),
        ("socks://proxy", "socks5h", "proxy", 1080, "", None),
        ("socks5h://[::1]:9", "socks5h", "::1", 9, "", None),
        ("http://ann@proxy", "http", "proxy", 80, "ann", None),
        ("http://ann:a/b@c@proxy:1", "http", "proxy", 1, "ann", "a/b@c"),
        ("http://${cmd:a b://c@d}:${env:P}@proxy", "http", "proxy", 80, "${cmd:a b://c@d}", "${env:P}"),
    ],
)
def test_a_proxy_is_read(text: str, scheme: str, host: str, port: int, user: str, password: str | None) -> None:
    assert parse_proxy(text) == ProxyURL(scheme, host, port, user, password)


@pytest.mark.parametrize(
    "text", ["", "http://", "http://a b", "http://h:0", "http://h:x", "ftp://h", "http://h/p", "@"]
)
def test_what_is_no_proxy_is_refused(text: str) -> None:
    with pytest.raises(ProxyURLError):
        parse_proxy(text)


@pytest.mark.parametrize(
    ("no_proxy", "host", "is_left_out"),
    [
        ("", "h", False),
        ("*", "h", True),
        ("a.example", "a.example", True),
        ("a.example", "b.a.example", True),
        ("a.example", "ba.example", False),
        (".a.example", "b.a.example", True),
        ("*.a.example", "b.a.example", True),
        ("A.Example.", "a.example", True),
        ("x, a.example", "a.example", True),
        ("x a.example", "a.example", True),
        ("a.example:443", "a.example", True),
        ("a.example:8443", "a.example", False),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.0.0.7/8", "10.1.2.3", True),
        ("10.0.0.0/8", "ten.example", False),
        ("10.0.0.7", "10.0.0.7", True),
        ("10.0.0.7", "10.0.0.70", False),
        ("0.0.7", "10.0.0.7", False),
        ("10.0.0.7:443", "10.0.0.7", True),
        ("10.0.0.7:444", "10.0.0.7", False),
        ("fd00::/8", "fd12::1", True),
        ("fd00::/8", "10.0.0.7", False),
        ("[::1]:443", "::1", True),
        ("::1", "::1", True),
        ("10.0.0.0/99,/,:,.,a:b:c", "a.example", False),
    ],
)
def test_no_proxy_leaves_out(no_proxy: str, host: str, is_left_out: bool) -> None:
    assert leaves_out(no_proxy, host, 443) is is_left_out


async def test_a_network_of_no_proxy_is_reached_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", f"socks5h://127.0.0.1:{free_port()}")
    monkeypatch.setenv("NO_PROXY", "10.0.0.0/8,127.0.0.0/8")
    async with ScriptedServer(PLAIN) as gateway:
        row = await probed(endpoint("http", gateway.url), use_proxies=True)
    assert row.verdict is Verdict.COMPLETE


@pytest.mark.parametrize(
    "login", ["${env:PROXY_USER}:${env:PROXY_PASSWORD}", "ann:${env:PROXY_PASSWORD}", "${env:PROXY_LOGIN}"]
)
@pytest.mark.parametrize(
    ("api", "script", "verdict"), [("http", PLAIN, Verdict.COMPLETE), ("websocket", PONG, Verdict.PONG)]
)
async def test_socks_leaves_the_name_to_the_proxy(
    api: str, script: Sequence[Step], verdict: Verdict, login: str
) -> None:
    async with ScriptedServer(script) as gateway, (socks := Socks(gateway, ("ann", PASSWORD))).running():
        proxy = f"socks5h://{login}@127.0.0.1:{socks.port}"
        row = await probed(endpoint(api, "http://gateway.invalid:8080", proxy=proxy))
    assert row.verdict is verdict, row.reason
    assert socks.destination == ("gateway.invalid", 8080)


async def test_socks_with_names_looked_up_here() -> None:
    async with ScriptedServer(PLAIN) as gateway, (socks := Socks(gateway)).running():
        row = await probed(endpoint("http", "http://localhost:8080", proxy=f"socks5://127.0.0.1:{socks.port}"))
    assert row.verdict is Verdict.COMPLETE, row.reason
    assert socks.destination in {("127.0.0.1", 8080), (f"{'0.' * 15}1", 8080)}
    assert row.phases.dns_ns is not None
    assert gateway.requests[0].startswith(b"GET / HTTP/1.1") or gateway.requests[0].startswith(b"POST / HTTP/1.1")


async def test_a_name_that_is_not_known_here_is_no_fault_of_the_proxy() -> None:
    async with ScriptedServer(PLAIN) as gateway, (socks := Socks(gateway)).running():
        row = await probed(endpoint("http", f"http://{'x' * 64}.invalid", proxy=f"socks5://127.0.0.1:{socks.port}"))
    assert row.verdict is Verdict.DNS


@pytest.mark.parametrize("proxy", ["socks5h", "https"])
async def test_tls_and_pings_over_tls_go_through_every_kind(proxy: str, trusted: Pair) -> None:
    """Answers and requests longer than any buffer on the way stay whole."""
    long = http("200 OK", body=b"0123456789abcdef" * 60_000)
    tls = TLS(ca_file=trusted.ca_file)
    for api, script, verdict in (
        ("http", (Receive(), Send(long)), Verdict.COMPLETE),
        ("websocket", PONG, Verdict.PONG),
    ):
        async with ScriptedServer(script, tls=trusted.server) as gateway:
            relay = Relay(gateway, tls=trusted.server) if proxy == "https" else Socks(gateway)
            async with relay.running():
                by = f"{proxy}://ann:${{env:PROXY_PASSWORD}}@127.0.0.1:{relay.port}"
                body = "x" * 300_000 if api == "http" else "ping"
                row = await probed(endpoint(api, gateway.url, proxy=by, tls=tls, body=body))
        assert row.verdict is verdict, row.reason
        if api == "http":
            assert row.bytes == 960_000
            assert gateway.requests[0].endswith(b"x" * 1000)
            assert row.phases.tls.startswith("TLSv1")


async def test_an_https_proxy_is_asked_for_a_plain_url(trusted: Pair) -> None:
    async with ScriptedServer(PLAIN, tls=trusted.server) as proxy:
        by = f"https://ann:${{env:PROXY_PASSWORD}}@127.0.0.1:{proxy.port}"
        row = await probed(endpoint("http", "http://gateway.invalid/a", proxy=by, tls=TLS(ca_file=trusted.ca_file)))
    assert row.verdict is Verdict.COMPLETE, row.reason
    assert b" http://gateway.invalid/a HTTP/1.1\r\n" in proxy.requests[0]
    assert b"\r\nProxy-Authorization: Basic " in proxy.requests[0]


async def test_an_https_proxy_has_to_be_trusted(tmp_path: Path) -> None:
    strange = pair("unknown authority", tmp_path)
    async with ScriptedServer(PLAIN, tls=strange.server) as proxy:
        by = f"https://127.0.0.1:{proxy.port}"
        for api in ("http", "websocket"):
            row = await probed(endpoint(api, "http://gateway.invalid", proxy=by, tls=TLS(ca_file=strange.ca_file)))
            assert row.verdict is Verdict.PROXY
            assert f"TLS to the proxy 127.0.0.1:{proxy.port} failed" in row.reason
    assert not proxy.requests


@pytest.mark.parametrize(
    ("socks", "login", "says"),
    [
        ({"login": ("ann", "another")}, "ann:${env:PROXY_PASSWORD}@", "does not accept the user and password"),
        ({"login": ("ann", PASSWORD)}, "", "wants a login"),
        ({"reply": 2}, "", "did not connect to gateway.invalid:80: its rules forbid it"),
        ({"reply": 5}, "", "the connection was refused"),
        ({"reply": 99}, "", "error 99"),
    ],
)
@pytest.mark.parametrize("api", ["http", "websocket"])
async def test_what_socks_refuses_is_the_proxys_word(api: str, socks: dict[str, Any], login: str, says: str) -> None:
    async with ScriptedServer(PLAIN) as gateway, (proxy := Socks(gateway, **socks)).running():
        by = f"socks5h://{login}127.0.0.1:{proxy.port}"
        row = await probed(endpoint(api, "http://gateway.invalid", proxy=by))
    assert row.verdict is Verdict.PROXY
    assert says in row.reason
    assert f"proxy 127.0.0.1:{proxy.port}" in row.reason


async def test_a_proxy_that_does_not_speak_socks_is_reported() -> None:
    async with ScriptedServer([Send(http("400 Bad Request"))]) as proxy:
        row = await probed(endpoint("http", "http://h.invalid", proxy=f"socks5h://127.0.0.1:{proxy.port}"))
    assert row.verdict is Verdict.PROXY
    assert "does not speak SOCKS 5" in row.reason


# Where the proxy comes from


async def test_the_whole_proxy_may_be_a_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ScriptedServer(PLAIN) as gateway, (socks := Socks(gateway, ("ann", "hunter2/"))).running():
        monkeypatch.setenv("MY_PROXY", f"socks5h://ann:hunter2%2F@127.0.0.1:{socks.port}")
        row = await probed(endpoint("http", "http://gateway.invalid", proxy="env:MY_PROXY"))
        assert row.verdict is Verdict.COMPLETE, row.reason
        assert row.phases.address == f"127.0.0.1:{socks.port} (proxy)", "its address is no secret"
        assert masked("hunter2/") == "•••"
        monkeypatch.setenv("MY_PROXY", "hunter2")
        row = await probed(endpoint("http", "http://gateway.invalid", proxy="env:MY_PROXY"))
        assert row.verdict is Verdict.PROXY
        assert row.reason == "what `proxy` refers to (env:) holds no URL of a proxy"


async def test_an_endpoint_may_leave_the_proxies_of_the_environment_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{free_port()}")
    async with ScriptedServer(PLAIN) as gateway:
        row = await probed(endpoint("http", gateway.url, proxy="direct"), use_proxies=True)
    assert row.verdict is Verdict.COMPLETE


@pytest.mark.parametrize("api", ["http", "websocket"])
async def test_a_login_that_cannot_be_read_is_no_key(api: str) -> None:
    row = await probed(endpoint(api, "http://gateway.invalid", proxy="http://ann:${env:NOT_SET_AT_ALL}@127.0.0.1:9"))
    assert row.verdict is Verdict.NO_KEY
    assert "NOT_SET_AT_ALL is not set" in row.reason


async def test_a_new_login_counts_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    script: list[Step] = [Receive(), Send(ANSWER), Receive(), Send(ANSWER)]
    async with ScriptedServer(script) as proxy:
        target = endpoint("http", "http://gateway.invalid", proxy=f"http://${{env:PROXY_LOGIN}}@127.0.0.1:{proxy.port}")
        async with prober_for(target, Profile(), lambda _: None) as prober:
            await prober.probe(1, 0, Trigger.SCHEDULE)
            monkeypatch.setenv("PROXY_LOGIN", "ann:another")
            await prober.probe(2, 0, Trigger.SCHEDULE)
    logins = [request.partition(b"Proxy-Authorization: ")[2].partition(b"\r\n")[0] for request in proxy.requests]
    assert logins[1] == b"Basic YW5uOmFub3RoZXI="
    assert len(set(logins)) == 2
    assert proxy.connections == 2


@pytest.mark.parametrize(
    ("proxy", "kept"),
    [
        ("direct", "direct"),
        ("env:P", "env:P"),
        ("http://${env:U}:${env:P}@proxy", "http://${env:U}:${env:P}@proxy"),
        ("socks5h://ann:hunter2@proxy", "socks5h://proxy:1080"),
        ("hunter2 hunter2", LEFT_OUT),
    ],
)
def test_a_sessions_copy_of_the_profile_holds_no_login(proxy: str, kept: str) -> None:
    text = profile_toml(Profile(endpoints=(endpoint("http", "http://h", proxy=proxy),)))
    assert f'proxy = "{kept}"' in text
    assert "hunter2" not in text
