"""Every way an HTTP exchange goes wrong ends in a row with the right verdict and its reason."""

from __future__ import annotations

import contextlib
import gzip
import os
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from support.completions import CLOSE_DELIMITED, DONE, HELLO, LAST_CHUNK, ROLE, STOP, WHOLE, answered, streamed
from support.probing import Probing, endpoint, probed, resolve_as, soon
from support.scripted import (
    Close,
    Drip,
    Flood,
    Hold,
    Receive,
    Reset,
    ScriptedServer,
    Send,
    Step,
    chunk,
    free_port,
    full_backlog,
    http,
)

from gwtui.model.enums import Outcome
from gwtui.model.verdicts import Verdict


@dataclass(frozen=True)
class Fault:
    name: str
    script: Sequence[Step]
    verdict: Verdict
    says: str
    """Part of the rule or the reason."""
    fields: dict[str, Any] = field(default_factory=dict)
    api: str = "openai-chat"


PAGE = b"<html><head><title>502 Bad Gateway</title></head><body><center>nginx</center></body></html>"
PING = chunk(b": ping\n\n")
IN_STREAM = b'data: {"error":{"type":"server_error","message":"boom"}}\n\n'
SSE = "Content-Type: text/event-stream"
SHORT = http("200 OK", SSE, "Content-Length: 9999", length=False) + ROLE
BOTH_LENGTHS = http("200 OK", SSE, "Content-Length: 5", "Transfer-Encoding: chunked", length=False) + chunk(ROLE)
HALF = b"HTTP/1.1 200 OK\r\nX"
ELSEWHERE = "Location: http://elsewhere.example/v1?key=secret"
FIRST_BYTE = {"deadlines": soon(first_byte_s=0.05)}
FIRST_EVENT = {"deadlines": soon(first_event_s=0.05)}
FIRST_TOKEN = {"deadlines": soon(first_token_s=0.05)}
EVENT_GAP = {"deadlines": soon(event_gap_s=0.05)}
IDLE = {"deadlines": soon(idle_s=0.05)}
TOTAL = {"deadlines": soon(total_s=1.5)}


def encoded(encoding: str, body: bytes) -> list[Step]:
    return answered("200 OK", SSE, f"Content-Encoding: {encoding}", body=body)


FAULTS = [
    # Nothing, or nothing that is HTTP.
    Fault("never answers", [Receive(), Hold()], Verdict.NO_FIRST_BYTE, "no byte came", FIRST_BYTE),
    Fault("closed without a byte", [Receive(), Close()], Verdict.RESET, "without"),
    Fault("reset without a byte", [Receive(), Reset()], Verdict.RESET, "reset"),
    Fault("another banner", [Send(b"SSH-2.0-OpenSSH_9.6\r\n"), Hold()], Verdict.NOT_HTTP, "SSH-2.0"),
    Fault("a TLS alert", [Send(b"\x15\x03\x01\x00\x02\x02\x46"), Hold()], Verdict.NOT_HTTP, "`https` may be right"),
    Fault("HTTP/2", [Send(b"\0\0\x06\x04" + bytes(5) + bytes(6)), Hold()], Verdict.NOT_HTTP, "speaks HTTP/2 only"),
    Fault("a TLS alert's first byte", [Send(b"\x15"), Hold()], Verdict.NOT_HTTP, "`https` may be right"),
    Fault("no status line", [Receive(), Send(b"HTTP/1.1 no\r\n\r\n")], Verdict.NOT_HTTP, "line: b'HTTP/1.1 no'"),
    Fault(
        "101", [Receive(), Send(b"HTTP/1.1 101 Go\r\nUpgrade: x\r\n\r\n")], Verdict.NOT_HTTP, "switches to a protocol"
    ),
    Fault("half a header", [Receive(), Send(HALF), Hold()], Verdict.STALLED, "in the middle of the headers", IDLE),
    Fault("a header that drips", [Receive(), Send(HALF), Drip(b"x")], Verdict.TIMEOUT, "headers were still", TOTAL),
    Fault("a header of 200 KiB", answered("200 OK", "X: " + "x" * 200_000), Verdict.TOO_LARGE, "100 KiB"),
    Fault("5,000 headers", answered("200 OK", *["X: 1"] * 5000), Verdict.TOO_LARGE, "512 lines"),
    Fault("headers without end", [Receive(), Send(HALF), Flood(b": 1\r\nX")], Verdict.TOO_LARGE, "512 lines"),
    Fault("a header without end", [Receive(), Send(HALF), Flood(b"x" * 4096)], Verdict.TOO_LARGE, "100 KiB"),
    Fault("1xx without end", [Receive(), Flood(b"HTTP/1.1 102 Wait\r\n\r\n")], Verdict.TOO_LARGE, "512 lines"),
    Fault(
        "trailers without end",
        [*streamed(ROLE, HELLO), Send(b"0\r\n"), Flood(b"X: 1\r\n")],
        Verdict.TOO_LARGE,
        "trailers",
    ),
    # Statuses.
    Fault("401", answered("401 No", body=b'{"error":{"message":"bad key"}}'), Verdict.AUTH, "bad key"),
    Fault("429", answered("429 Slow down", "Retry-After: 7"), Verdict.RATE_LIMITED, "7 s"),
    Fault(
        "502 with a page",
        answered("502 Bad", "Content-Type: text/html", body=PAGE),
        Verdict.BAD_GATEWAY,
        "502 Bad Gateway",
    ),
    Fault("503", answered("503 Down"), Verdict.UNAVAILABLE, "503"),
    Fault(
        "refused before all of it was sent",
        [Send(http("413 Too large", "Connection: close")), Close()],
        Verdict.BAD_REQUEST,
        "413",
        {"body": "x" * 8_000_000},
        "http",
    ),
    Fault("529", answered("529 Overloaded"), Verdict.OVERLOADED, "529"),
    Fault("a redirect", answered("307 There", ELSEWHERE), Verdict.REDIRECT, "elsewhere.example"),
    Fault("a redirect to nowhere", answered("302 Found"), Verdict.REDIRECT, "Location"),
    Fault(
        "a refusal that never ends",
        [Receive(), Send(http("500 No", length=False)), Flood(b"x" * 4096)],
        Verdict.SERVER_ERROR,
        "500",
    ),
    # Not what was asked for.
    Fault(
        "JSON, no stream",
        answered("200 OK", "Content-Type: application/json", body=b"{}"),
        Verdict.NOT_A_STREAM,
        "stream",
    ),
    Fault("a page", answered("200 OK", "Content-Type: text/html", body=PAGE), Verdict.NOT_A_STREAM, "502 Bad Gateway"),
    Fault("204", [Receive(), Send(http("204 No Content", length=False))], Verdict.EMPTY, "204"),
    Fault(
        "a body that drips",
        [Receive(), Send(http("200 OK", "Content-Length: 99999", length=False)), Drip(b" ")],
        Verdict.TIMEOUT,
        "its body was still coming",
        {**TOTAL, "stream": False},
    ),
    Fault("the wrong body", answered("200 OK", body=b"ping"), Verdict.WRONG_BODY, "pong", {"expect": "pong"}, "http"),
    Fault("br", encoded("br", b"\x0b\x02"), Verdict.DECODE_ERROR, "br"),
    Fault("broken gzip", encoded("gzip", b"no gzip at all"), Verdict.DECODE_ERROR, "gzip"),
    Fault("gzip, cut", encoded("gzip", gzip.compress(ROLE + HELLO)[:-9]), Verdict.DECODE_ERROR, "cut off"),
    Fault("gzip twice", encoded("gzip, gzip", gzip.compress(gzip.compress(WHOLE))), Verdict.DECODE_ERROR, "gzip, gzip"),
    Fault("a gzip bomb", encoded("gzip", gzip.compress(bytes(64 << 20))), Verdict.TOO_LARGE, " than "),
    # Streams.
    Fault("no event", [*streamed(), Send(LAST_CHUNK)], Verdict.EMPTY, "no event"),
    Fault("closed before an event", [*streamed(), Close()], Verdict.EMPTY, "no event came before the end"),
    Fault("closed in the first event", [*streamed(HELLO[:30]), Close()], Verdict.TRUNCATED, "no event had come"),
    Fault("comments only", [*streamed(b": ping\n\n"), Hold()], Verdict.STALLED, "no content came", FIRST_TOKEN),
    Fault("comments for ever", [*streamed(), Drip(PING)], Verdict.STALLED, "no event came within", FIRST_EVENT),
    Fault(
        "pings for ever",
        [*streamed(), Drip(chunk(b'event: ping\ndata: {"type":"ping"}\n\n'))],
        Verdict.STALLED,
        "comments or keep-alives came",
        FIRST_EVENT,
        "anthropic-messages",
    ),
    Fault("a role, no content", [*streamed(ROLE), Hold()], Verdict.STALLED, "no content came", FIRST_TOKEN),
    Fault("a role, comments", [*streamed(ROLE), Drip(PING)], Verdict.STALLED, "no content came", FIRST_TOKEN),
    Fault("content, comments", [*streamed(ROLE, HELLO), Drip(PING)], Verdict.STALLED, "nothing further", EVENT_GAP),
    Fault("an event that drips", [*streamed(HELLO), Drip(chunk(b"x"))], Verdict.STALLED, "nothing further", EVENT_GAP),
    Fault("events for ever", [*streamed(ROLE), Drip(chunk(HELLO))], Verdict.TIMEOUT, "not over", TOTAL),
    Fault("silence", [*streamed(ROLE, HELLO), Hold()], Verdict.STALLED, "no byte came for", IDLE),
    Fault("never over", [*streamed(ROLE, HELLO), Hold()], Verdict.TIMEOUT, "not over", TOTAL),
    Fault("ends early", [*streamed(ROLE, HELLO), Send(LAST_CHUNK)], Verdict.TRUNCATED, "openai"),
    Fault(
        "ends early, no length", [Receive(), Send(CLOSE_DELIMITED + ROLE + HELLO), Close()], Verdict.TRUNCATED, "openai"
    ),
    Fault("reset in an event", [*streamed(ROLE, HELLO[:30]), Reset()], Verdict.TRUNCATED, "reset"),
    Fault("no last chunk", [*streamed(ROLE, HELLO), Close()], Verdict.TRUNCATED, "incomplete"),
    Fault("a bad chunk size", [*streamed(ROLE), Send(b"zz\r\n"), Hold()], Verdict.TRUNCATED, "chunk"),
    Fault("shorter than promised", [Receive(), Send(SHORT), Close()], Verdict.TRUNCATED, "incomplete"),
    Fault("length and chunks", [Receive(), Send(BOTH_LENGTHS), Close()], Verdict.TRUNCATED, "incomplete"),
    Fault(
        "the last blank line missing",
        [*streamed(ROLE, HELLO, STOP, DONE[:-1]), Send(LAST_CHUNK)],
        Verdict.COMPLETE_UNTERMINATED,
        "openai",
    ),
    Fault("an error in it", [*streamed(ROLE, HELLO, IN_STREAM), Send(LAST_CHUNK)], Verdict.ERROR_IN_STREAM, "boom"),
    Fault(
        "a line without end",
        [Receive(), Send(CLOSE_DELIMITED), Flood(b"data: " + b"x" * 65_536)],
        Verdict.TOO_LARGE,
        "line",
    ),
    # Ours.
    Fault("a header that cannot be sent", [], Verdict.LOCAL, "header", {"headers": {"X-Über": "1"}}),
    Fault("no such key", [], Verdict.NO_KEY, "NO_SUCH_KEY", {"key": "env:GWTUI_TEST_NO_SUCH_KEY"}),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_a_fault_is_a_row_with_its_verdict(fault: Fault) -> None:
    async with ScriptedServer(fault.script) as server:
        row = await probed(endpoint(fault.api, server.url, **fault.fields))
    assert (row.verdict, row.outcome) == (fault.verdict, fault.verdict.outcome)
    assert fault.says in f"{row.rule} {row.reason}"
    assert row.rule
    assert "\x1b" not in row.reason


async def test_nothing_listens() -> None:
    row = await probed(endpoint("http", f"http://127.0.0.1:{free_port()}"))
    assert row.verdict is Verdict.REFUSED
    assert "127.0.0.1" in row.reason
    assert row.duration_ns is None
    assert row.ttfb_ns is None


async def test_a_name_without_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_as(monkeypatch, socket.gaierror(socket.EAI_NONAME, "Name or service not known"))
    row = await probed(endpoint("http", "http://nowhere.invalid"))
    assert row.verdict is Verdict.DNS
    assert row.reason == "nowhere.invalid: Name or service not known"


async def test_a_name_that_has_an_address_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ScriptedServer([Receive(), Send(http("200 OK"))]) as server:
        probing = Probing(endpoint("http", f"http://flapping.invalid:{server.port}"))
        async with probing.prober:
            resolve_as(monkeypatch, socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"))
            first = await probing.once()
            resolve_as(monkeypatch, [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server.port))])
            second = await probing.once()
    assert (first.verdict, first.reason) == (Verdict.DNS, "flapping.invalid: Temporary failure in name resolution")
    assert second.verdict is Verdict.COMPLETE


async def test_one_answer_in_place_of_a_stream_is_read_for_its_usage() -> None:
    body = (
        b'{"object":"chat.completion","model":"m","choices":[{"message":{"content":"hi"},"finish_reason":"stop"}],'
        b'"usage":{"prompt_tokens":11,"completion_tokens":22}}'
    )
    async with ScriptedServer(answered("200 OK", "Content-Type: application/json", body=body)) as server:
        row = await probed(endpoint("openai-chat", server.url))
    assert (row.verdict, row.rule) == (Verdict.NOT_A_STREAM, "stream.json-answer")
    assert (row.input_tokens, row.output_tokens, row.ttft_ns) == (11, 22, None)


@pytest.mark.parametrize("host", ["a" * 64 + ".invalid", "a..invalid"])
async def test_a_name_that_cannot_be_one(host: str) -> None:
    row = await probed(endpoint("http", f"http://{host}"))
    assert row.verdict is Verdict.DNS
    assert "cannot be a host name" in row.reason


@pytest.mark.skipif(sys.platform != "linux", reason="how a full backlog behaves is the system's own way")
async def test_a_connection_that_nobody_accepts() -> None:
    with full_backlog() as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        row = await probed(endpoint("http", url, deadlines=soon(connect_s=0.05)))
    assert row.verdict is Verdict.CONNECT_TIMEOUT
    assert f"not accepted within 0.05 s by {url.removeprefix('http://')}" in row.reason


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
async def test_no_descriptors_left_is_our_own_fault() -> None:
    import resource

    async with ScriptedServer([Hold()]) as server:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        highest = max(open_descriptors())
        held: list[int] = []
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1, hard))
        try:
            with contextlib.suppress(OSError):
                while True:
                    held.append(os.dup(0))
            row = await probed(endpoint("http", server.url))
        finally:
            for fd in held:
                os.close(fd)
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert (row.verdict, row.outcome) == (Verdict.LOCAL, Outcome.LOCAL)
    assert "Too many open files" in row.reason


def open_descriptors() -> list[int]:
    return [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]
