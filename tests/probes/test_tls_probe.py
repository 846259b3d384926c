"""TLS: what is accepted, what is refused and why, and what is reported."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.certificates import pair
from support.completions import CLOSE_DELIMITED, EVENT_STREAM, HELLO, LAST_CHUNK, ROLE, WHOLE
from support.oswords import MISSING
from support.probing import Probing, endpoint, probed
from support.scripted import Close, Leave, Open, Receive, Reset, ScriptedServer, Send, Step, Wait, chunk, http
from support.stamping import expected_clock

from gwtui.model.profile import TLS
from gwtui.model.verdicts import Verdict
from gwtui.transport.tls_files import tls_files

CLOCK = expected_clock()


@pytest.mark.parametrize(
    "kind",
    ["expired", "not yet valid", "wrong name", "unknown authority"],
)
async def test_a_certificate_that_is_not_accepted(kind: str, tmp_path: Path) -> None:
    certificates = pair(kind, tmp_path)
    async with ScriptedServer([Receive()], tls=certificates.server) as server:
        row = await probed(endpoint("http", server.url, tls=TLS(ca_file=certificates.ca_file)))
    assert (row.verdict, row.rule) == (Verdict.TLS, "transport.tls")
    assert row.reason
    assert server.requests == []


@contextlib.contextmanager
def refusing(context: ssl.SSLContext) -> Iterator[str]:
    """A server that says by an alert why it will not shake hands; asyncio's hangs up without one."""

    def serve() -> None:
        connection, _ = listener.accept()
        with context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False) as tls:
            with contextlib.suppress(OSError):
                tls.do_handshake()
            with socket.socket(fileno=tls.detach()) as plain, contextlib.suppress(OSError):
                plain.shutdown(socket.SHUT_WR)
                while plain.recv(4096):
                    pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        thread.join()


@pytest.mark.parametrize(
    ("kind", "says"),
    [("another server name", "unrecognized name"), ("a client certificate", "certificate required")],
)
async def test_a_handshake_that_the_gateway_refuses(kind: str, says: str, tmp_path: Path) -> None:
    certificates = pair(kind, tmp_path)
    with refusing(certificates.server) as url:
        row = await probed(endpoint("http", url, tls=TLS(ca_file=certificates.ca_file)))
    assert row.verdict is Verdict.TLS
    assert says in row.reason


@pytest.mark.parametrize("api", ["http", "websocket"])
async def test_a_gateway_that_wants_a_client_certificate_says_so_by_an_alert(api: str, tmp_path: Path) -> None:
    certificates = pair("a client certificate", tmp_path)
    with refusing(certificates.server) as url:
        probing = Probing(endpoint(api, url, tls=TLS(ca_file=certificates.ca_file)))
        async with probing.prober:
            row = await probing.once()
    assert row.verdict is Verdict.TLS
    assert "the gateway wants a client certificate" in row.reason


@pytest.mark.parametrize("api", ["http", "websocket"])
async def test_a_gateway_that_hangs_up_during_the_handshake(api: str) -> None:
    async with ScriptedServer([Close()]) as server:
        probing = Probing(endpoint(api, server.url.replace("http:", "https:")))
        async with probing.prober:
            row = await probing.once()
    assert row.verdict in (Verdict.TLS, Verdict.RESET)
    assert "during the TLS handshake" in row.reason


async def test_a_version_of_tls_that_is_too_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificates = pair("an old version", tmp_path)
    context = tls_files(TLS(ca_file=certificates.ca_file)).context()
    monkeypatch.setattr(context, "minimum_version", ssl.TLSVersion.TLSv1_3)
    with refusing(certificates.server) as url:
        row = await probed(endpoint("http", url, tls=TLS(ca_file=certificates.ca_file)))
    assert row.verdict is Verdict.TLS
    assert "protocol version" in row.reason


def test_nothing_older_than_tls_1_2_is_spoken() -> None:
    assert tls_files(TLS()).context().minimum_version >= ssl.TLSVersion.TLSv1_2


async def test_tls_is_timed_described_and_reused(tmp_path: Path) -> None:
    certificates = pair("good", tmp_path)
    exchange: list[Step] = [Receive(), Send(http("200 OK", body=b"pong"))]
    async with ScriptedServer([*exchange, *exchange], tls=certificates.server) as server:
        probing = Probing(endpoint("http", server.url, tls=TLS(ca_file=certificates.ca_file)))
        async with probing.prober:
            cold, warm = await probing.once(), await probing.once()
    assert (cold.verdict, warm.verdict) == (Verdict.COMPLETE, Verdict.COMPLETE)
    assert cold.phases.tls_ns is not None
    assert cold.phases.tls.startswith("TLSv1.3, issuer trustme")
    assert "expires" in cold.phases.tls
    assert (warm.phases.reused, warm.phases.tls_ns, warm.phases.tls) == (True, None, cold.phases.tls)
    assert cold.clock is CLOCK


async def test_a_stream_of_chunks_over_tls_leaves_its_connection_usable(tmp_path: Path) -> None:
    certificates = pair("good", tmp_path)
    exchange: list[Step] = [Receive(), Send(EVENT_STREAM + chunk(ROLE)), Send(chunk(WHOLE[len(ROLE) :]) + LAST_CHUNK)]
    async with ScriptedServer([*exchange, *exchange], tls=certificates.server) as server:
        probing = Probing(endpoint("openai-chat", server.url, tls=TLS(ca_file=certificates.ca_file)))
        async with probing.prober:
            rows = [await probing.once(), await probing.once()]
    assert [row.verdict for row in rows] == [Verdict.COMPLETE] * 2
    assert [row.phases.reused for row in rows] == [False, True]
    assert [row.clock for row in rows] == [CLOCK] * 2


def test_http_1_1_is_what_is_asked_for(tmp_path: Path) -> None:
    certificates = pair("good", tmp_path)
    certificates.server.set_alpn_protocols(["h2", "http/1.1"])
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = tls_files(TLS(ca_file=certificates.ca_file)).context()
    client = context.wrap_bio(to_client, to_server, server_hostname="127.0.0.1")
    server = certificates.server.wrap_bio(to_server, to_client, server_side=True)
    for side in (client, server, client):
        with contextlib.suppress(ssl.SSLWantReadError):
            side.do_handshake()
    assert client.selected_alpn_protocol() == "http/1.1"


async def test_tls_unverified_when_told_so(tmp_path: Path) -> None:
    script: list[Step] = [Receive(), Send(http("200 OK", body=b"pong"))]
    async with ScriptedServer(script, tls=pair("wrong name", tmp_path).server) as server:
        row = await probed(endpoint("http", server.url, tls=TLS(insecure=True)))
    assert row.verdict is Verdict.COMPLETE
    assert "not verified" in row.phases.tls


@pytest.mark.parametrize(
    ("body", "verdict"),
    [(b"", Verdict.EMPTY), (ROLE + HELLO, Verdict.TRUNCATED), (WHOLE, Verdict.COMPLETE)],
    ids=["at once", "early", "after the end"],
)
async def test_tls_cut_without_close_notify(body: bytes, verdict: Verdict, tmp_path: Path) -> None:
    certificates = pair("good", tmp_path)
    async with ScriptedServer([Receive(), Send(CLOSE_DELIMITED + body), Close()], tls=certificates.server) as server:
        row = await probed(endpoint("openai-chat", server.url, tls=TLS(ca_file=certificates.ca_file)))
    assert row.verdict is verdict
    if verdict is not Verdict.COMPLETE:
        assert "close_notify" in row.reason


async def test_a_kept_connection_that_tls_has_closed_is_not_used(tmp_path: Path) -> None:
    certificates = pair("good", tmp_path)
    good: list[Step] = [Receive(), Send(http("200 OK", body=b"pong"))]
    async with ScriptedServer([*good, Leave(), Open("left"), Wait("never")], good, tls=certificates.server) as server:
        probing = Probing(endpoint("http", server.url, tls=TLS(ca_file=certificates.ca_file)))
        async with probing.prober:
            await probing.once()
            await server.gate("left").wait()
            row = await probing.once()
    assert (row.verdict, row.phases.reused, row.findings) == (Verdict.COMPLETE, False, ())
    assert len(server.requests) == 2


async def test_a_reset_during_the_handshake() -> None:
    async with ScriptedServer([Reset()]) as server:
        row = await probed(endpoint("http", server.url.replace("http:", "https:")))
    assert row.verdict is Verdict.RESET
    assert "during the TLS handshake" in row.reason


async def test_tls_spoken_to_a_plain_port() -> None:
    async with ScriptedServer([Send(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Close()]) as server:
        row = await probed(endpoint("http", server.url.replace("http:", "https:")))
    assert row.verdict is Verdict.NOT_HTTP
    assert "does not speak TLS" in row.reason


async def test_tls_settings_that_name_no_file() -> None:
    row = await probed(endpoint("http", "https://127.0.0.1:1", tls=TLS(ca_file="/nonexistent/ca.pem")))
    assert row.verdict is Verdict.TLS_FILE
    assert MISSING in row.reason
