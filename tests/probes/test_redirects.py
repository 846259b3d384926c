"""Redirects that may be followed stay within scheme, host and port; no header and no body ever goes elsewhere."""

from __future__ import annotations

import pytest
from support.probing import Probing, endpoint
from support.scripted import Receive, ScriptedServer, Send, Step, http

from gwtui.model.enums import FindingName
from gwtui.model.verdicts import Verdict
from gwtui.probes.redirects import MOST_REDIRECTS, within_origin

HERE = "https://gateway.example:8443/v1/chat?x=1"


@pytest.mark.parametrize(
    ("location", "leads_to"),
    [
        ("/v2/chat", "https://gateway.example:8443/v2/chat"),
        ("next?y=2#part", "https://gateway.example:8443/v1/next?y=2"),
        ("https://GATEWAY.example:8443/v2", "https://GATEWAY.example:8443/v2"),
        ("//gateway.example:8443/v2", "https://gateway.example:8443/v2"),
        ("", None),
        ("http://gateway.example:8443/v1", None),
        ("https://gateway.example/v1", None),
        ("https://gateway.example:8443@evil.example/", None),
        ("https://user:secret@gateway.example:8443/", None),
        ("https://gateway.example.evil.example:8443/", None),
        ("//evil.example/", None),
        ("\\\\evil.example\\", "https://gateway.example:8443/v1/\\\\evil.example\\"),
        ("https://gateway.example:99999/", None),
        ("https://[::1", None),
        ("javascript:alert(1)", None),
    ],
)
def test_only_the_same_scheme_host_and_port_is_gone_to(location: str, leads_to: str | None) -> None:
    assert within_origin(HERE, "POST", 307, [("location", location)]) == leads_to


@pytest.mark.parametrize(
    ("method", "status", "followed"),
    [
        ("POST", 308, True),
        ("POST", 301, False),
        ("POST", 302, False),
        ("POST", 303, False),
        ("GET", 301, True),
        ("GET", 302, True),
        ("GET", 303, True),
        ("GET", 304, False),
        ("GET", 200, False),
        ("GET", None, False),
    ],
)
def test_a_request_is_only_repeated_as_it_was(method: str, status: int | None, followed: bool) -> None:
    assert (within_origin(HERE, method, status, [("location", "/v2")]) is not None) is followed


def test_the_usual_port_is_the_same_written_or_not() -> None:
    assert within_origin("https://h/a", "GET", 302, [("location", "https://h:443/b")]) == "https://h:443/b"


def moved(to: str, status: str = "307 Temporary Redirect") -> list[Step]:
    return [Receive(), Send(http(status, f"Location: {to}"))]


WHOLE: list[Step] = [Receive(), Send(http("200 OK", "Content-Type: text/plain", body=b"fine"))]


async def test_where_it_is_allowed_the_same_request_is_made_there_and_the_row_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CANARY", "sk-canary-1234567890")
    async with ScriptedServer([*moved("/v2?key=sk-canary-1234567890"), *WHOLE]) as server:
        one = endpoint("http", server.url, body="hello", key="env:CANARY", follow_redirects=True)
        probing = Probing(one)
        async with probing.prober:
            row = await probing.once()
    first, second = server.requests
    assert (row.verdict, row.status, row.bytes) == (Verdict.COMPLETE, 200, 4)
    assert second.startswith(b"POST /v2?key=")
    assert second.endswith(b"hello")
    assert b"sk-canary-1234567890" in first
    (finding,) = row.findings
    assert (finding.name, finding.evidence) == (
        FindingName.REDIRECTED,
        f"HTTP 307 to {server.url}/v2; times are those of the request made there",
    )
    assert "canary" not in repr(row)
    assert row.ttfb_ns is not None


async def test_even_where_it_is_allowed_nothing_goes_to_another_port() -> None:
    async with ScriptedServer([Receive()]) as other, ScriptedServer(moved(f"http://127.0.0.1:{other.port}/")) as server:
        probing = Probing(endpoint("http", server.url, follow_redirects=True))
        async with probing.prober:
            row = await probing.once()
    assert (row.verdict, other.connections) == (Verdict.REDIRECT, 0)
    assert "redirects to 127.0.0.1" in row.reason


async def test_a_circle_ends_as_the_redirect_that_it_is() -> None:
    async with ScriptedServer(moved("/round") * (MOST_REDIRECTS + 1)) as server:
        probing = Probing(endpoint("http", server.url, follow_redirects=True))
        async with probing.prober:
            row = await probing.once()
    assert (row.verdict, len(server.requests)) == (Verdict.REDIRECT, MOST_REDIRECTS + 1)
    assert len(row.findings) == MOST_REDIRECTS


async def test_unless_it_is_allowed_not_even_the_same_host_is_asked_again() -> None:
    async with ScriptedServer(moved("/v2")) as server:
        probing = Probing(endpoint("http", server.url))
        async with probing.prober:
            row = await probing.once()
    assert (row.verdict, len(server.requests)) == (Verdict.REDIRECT, 1)
    assert "redirects to the same host: /v2" in row.reason
