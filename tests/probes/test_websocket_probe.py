"""Pings over a kept WebSocket: what is measured, what counts as lost, and when it is dialled again."""

from __future__ import annotations

import asyncio
import errno
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.certificates import pair
from support.pinging import BINARY, PING, TEXT, close, frame
from support.pinging import PONG as PONG_FRAME
from support.probing import Probing, endpoint, soon
from support.scripted import (
    Accept,
    Close,
    Echo,
    Flood,
    Hold,
    Open,
    Receive,
    Reset,
    ScriptedServer,
    Send,
    Step,
    TakeFrame,
    free_port,
    http,
)
from support.stamping import expected_clock

from gwtui.model.enums import FindingName, Outcome
from gwtui.model.profile import TLS, Endpoint
from gwtui.model.records import Ping, Record, RequestStarted
from gwtui.model.verdicts import Verdict
from gwtui.probes import lanes, pong
from gwtui.probes.lanes import Backoff
from gwtui.probes.pong import answer_within_s, grace_s
from gwtui.probes.websocket import WebSocketProber
from gwtui.secrets import sources

CLOCK = expected_clock()


PONG = frame(TEXT, b"pong")
ANSWERED: list[Step] = [TakeFrame(), Send(PONG)]


async def pinged(target: Endpoint, times: int = 1, least_s: float = 20) -> tuple[list[Ping], list[Record]]:
    """The rows of so many pings, one after the other, of which none is given up before `least_s`."""
    probing = Probing(target)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(pong, "LEAST_S", least_s)
        async with probing.prober:
            rows = [await probing.once() for _ in range(times)]
    return rows, probing.emitted


def target(server: ScriptedServer, **fields: Any) -> Endpoint:
    return endpoint("websocket", server.url, **fields)


async def test_pings_share_one_connection() -> None:
    async with ScriptedServer([Accept(("X-Trace: t1", "X-Request-Id: r1")), *ANSWERED * 3]) as server:
        rows, emitted = await pinged(target(server), 3)
    assert server.connections == 1
    assert server.frames[:3] == [b"ping"] * 3
    assert [(row.verdict, row.connection) for row in rows] == [(Verdict.PONG, 1)] * 3
    assert [row.connect_ns is not None for row in rows] == [True, False, False]
    assert all(row.rtt_ns is not None and row.rtt_ns >= 0 for row in rows)
    assert {(row.status, row.trace_id, row.request_id) for row in rows} == {(101, "t1", "r1")}
    assert rows[0].headers == {"x-trace": "t1", "x-request-id": "r1"}
    assert [type(record) for record in emitted] == [RequestStarted] * 3


async def test_pings_have_the_machines_best_clock() -> None:
    async with ScriptedServer([Accept(), *ANSWERED * 2]) as server:
        rows, _ = await pinged(target(server), 2)
    assert [row.clock for row in rows] == [CLOCK] * 2


async def test_frame_and_answer_are_the_endpoints_own() -> None:
    async with ScriptedServer([Accept(), TakeFrame(), Send(frame(TEXT, b"yo"))]) as server:
        rows, _ = await pinged(target(server, body="hey", expect="yo"))
    assert server.frames[0] == b"hey"
    assert rows[0].verdict is Verdict.PONG


async def test_the_handshake_carries_key_headers_and_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROBE_KEY", "sgp_canary")
    async with ScriptedServer([Accept(), *ANSWERED]) as server:
        rows, _ = await pinged(target(server, key="env:PROBE_KEY", auth="token", headers={"cody-core-gc-test": "M2"}))
    request = server.requests[0].decode()
    assert "Authorization: token sgp_canary\r\n" in request
    assert "cody-core-gc-test: M2\r\n" in request
    assert f"traceparent: 00-{rows[0].trace_id}-" in request
    assert "permessage-deflate" not in request


@dataclass(frozen=True)
class Fault:
    name: str
    script: Sequence[Step]
    verdict: Verdict
    says: str
    code: int | None = None
    status: int | None = 101
    fields: dict[str, Any] = field(default_factory=dict)
    least_s: float = 20


SOON = 0.05
SLOW = 0.5
"""Time enough for an answer, also on a busy machine."""
FAULTS = [
    Fault("handshake 200", [Receive(), Send(http("200 OK", body=b"hi"))], Verdict.WRONG_STATUS, "200", status=200),
    Fault("handshake 401", [Receive(), Send(http("401 No", body=b"bad key"))], Verdict.AUTH, "bad key", status=401),
    Fault("handshake 429", [Receive(), Send(http("429 Slow"))], Verdict.RATE_LIMITED, "429", status=429),
    Fault("handshake 502", [Receive(), Send(http("502 Bad"))], Verdict.BAD_GATEWAY, "502", status=502),
    Fault(
        "handshake redirects",
        [Receive(), Send(http("307 There", "Location: ws://elsewhere.example/x"))],
        Verdict.REDIRECT,
        "elsewhere.example",
        status=307,
    ),
    Fault(
        "wrong accept key",
        [
            Receive(),
            Send(
                http(
                    "101 Switching Protocols",
                    "Upgrade: websocket",
                    "Connection: Upgrade",
                    "Sec-WebSocket-Accept: AAAA",
                    length=False,
                )
            ),
        ],
        Verdict.NOT_HTTP,
        "Sec-WebSocket-Accept",
    ),
    Fault(
        "a subprotocol nobody asked for",
        [Accept(("Sec-WebSocket-Protocol: chat",))],
        Verdict.NOT_HTTP,
        "subprotocol",
    ),
    Fault(
        "a handshake of endless headers",
        [Receive(), Flood(b"HTTP/1.1 101 Switching Protocols\r\nX-Filler: " + b"x" * 65536)],
        Verdict.TOO_LARGE,
        "handshake-too-large the answer to the handshake is too long",
        status=None,
    ),
    Fault(
        "a refusal of endless words",
        [Receive(), Send(b"HTTP/1.1 500 Oops\r\n\r\n"), Flood(b"x" * 65536)],
        Verdict.TOO_LARGE,
        "handshake-too-large",
        status=None,
    ),
    Fault("no HTTP", [Send(b"SSH-2.0-x\r\n\r\n"), Hold()], Verdict.NOT_HTTP, "SSH-2.0", status=None),
    Fault("closed in the handshake", [Receive(), Close()], Verdict.RESET, "closed without an answer", status=None),
    Fault(
        "no handshake",
        [Receive(), Hold()],
        Verdict.NO_FIRST_BYTE,
        "0.05 s",
        status=None,
        fields={"deadlines": soon(first_byte_s=0.05)},
    ),
    Fault("no pong", [Accept(), TakeFrame(), Hold()], Verdict.NO_PONG, "0.05 s", least_s=SOON),
    Fault(
        "control pings only",
        [Accept(), TakeFrame(), Send(frame(PING, b"x") * 3), Hold()],
        Verdict.NO_PONG,
        "0.05 s",
        least_s=SOON,
    ),
    Fault(
        "an echo",
        [Accept(), TakeFrame(), Send(frame(TEXT, b"ping")), Hold()],
        Verdict.WRONG_PONG,
        "'pong' is expected, and within 0.05 s this came: 'ping'",
        least_s=SOON,
    ),
    Fault(
        "bytes that are no pong",
        [Accept(), TakeFrame(), Send(frame(BINARY, b"\x00\x1b[2J")), Hold()],
        Verdict.WRONG_PONG,
        "5 bytes",
        least_s=SOON,
    ),
    Fault(
        "many answers, none the right one",
        [Accept(), TakeFrame(), Send(frame(TEXT, b"news") * 200 + frame(TEXT, b"last")), Hold()],
        Verdict.WRONG_PONG,
        "the last of 201 that came was: 'last'",
        least_s=SOON,
    ),
    Fault(
        "a pong with another payload",
        [Accept(), TakeFrame(), Send(frame(PONG_FRAME, b"other")), Hold()],
        Verdict.WRONG_PONG,
        "payload",
        fields={"ping": "frame", "body": "mine"},
        least_s=SOON,
    ),
    Fault(
        "no pong to a protocol ping, but messages",
        [Accept(), TakeFrame(), Send(frame(TEXT, b"pong") * 100), Hold()],
        Verdict.NO_PONG,
        "no answer",
        fields={"ping": "frame"},
        least_s=SOON,
    ),
    Fault(
        "an answer that takes a pattern for ever",
        [Accept(), TakeFrame(), Send(frame(TEXT, b"a" * 60 + b"!")), Hold()],
        Verdict.LOCAL,
        "simpler",
        fields={"expect": "re:^(a|a)*$"},
    ),
    Fault(
        "an unknown subprotocol",
        [Accept(("Sec-WebSocket-Protocol: b",))],
        Verdict.NOT_HTTP,
        "subprotocol",
        fields={"subprotocols": ("a",)},
    ),
    Fault("closed 1011", [Accept(), TakeFrame(), Send(close(1011, b"oops"))], Verdict.CLOSED, "1011", 1011),
    Fault("closed 1012", [Accept(), TakeFrame(), Send(close(1012))], Verdict.CLOSED, "1012", 1012),
    Fault("closed 1013", [Accept(), TakeFrame(), Send(close(1013, b"\x1b[2J"))], Verdict.CLOSED, "1013", 1013),
    Fault("closed without a frame", [Accept(), TakeFrame(), Close()], Verdict.CLOSED, "broke", 1006),
    Fault("reset", [Accept(), TakeFrame(), Reset()], Verdict.CLOSED, "broke", 1006),
    Fault("an invalid close code", [Accept(), TakeFrame(), Send(close(999))], Verdict.CLOSED, "1002", 1002),
    Fault("invalid UTF-8", [Accept(), TakeFrame(), Send(frame(TEXT, b"\xff"))], Verdict.CLOSED, "1007", 1007),
    Fault(
        "2 MiB of an answer",
        [Accept(), TakeFrame(), Send(frame(TEXT, b"x" * (2 << 20)))],
        Verdict.TOO_LARGE,
        "1009",
        1009,
    ),
    Fault(
        "fragments without end",
        [Accept(), TakeFrame(), Send(frame(TEXT, b"x", final=False)), Flood(frame(0, b"x" * 4096, final=False))],
        Verdict.TOO_LARGE,
        "1009",
        1009,
    ),
    Fault("no such key", [], Verdict.NO_KEY, "NO_SUCH_KEY", status=None, fields={"key": "env:GWTUI_TEST_NO_SUCH_KEY"}),
    Fault("a table to send", [], Verdict.LOCAL, "`body`", status=None, fields={"body": {"a": 1}}),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_a_fault_is_a_row_with_its_verdict(fault: Fault) -> None:
    async with ScriptedServer(fault.script) as server:
        (row,), _ = await pinged(target(server, **fault.fields), least_s=fault.least_s)
    assert row.verdict is fault.verdict
    assert fault.says in f"{row.rule} {row.reason}"
    assert (row.close_code, row.status) == (fault.code, fault.status)
    assert row.rtt_ns is None
    assert "\x1b" not in repr(row)


async def test_what_names_a_handshake_that_failed_is_kept() -> None:
    async with ScriptedServer([Accept(("Sec-WebSocket-Protocol: chat", "X-Trace: t1", "X-Request-Id: r1"))]) as server:
        (row,), _ = await pinged(target(server))
    assert (row.verdict, row.status, row.trace_id, row.request_id) == (Verdict.NOT_HTTP, 101, "t1", "r1")
    assert row.headers == {"x-trace": "t1", "x-request-id": "r1", "sec-websocket-protocol": "chat"}


NEWS = frame(TEXT, b"news")


async def test_messages_that_are_not_the_answer_are_skipped() -> None:
    answered: list[Step] = [TakeFrame(), Send(NEWS * 40 + PONG)]
    script: list[Step] = [Accept(), Send(NEWS * 100), *answered * 2]
    async with ScriptedServer(script) as server:
        rows, _ = await pinged(target(server), 2)
    assert [(row.verdict, row.connection) for row in rows] == [(Verdict.PONG, 1)] * 2


def test_the_answer_may_follow_another_message_within_many_times_what_pings_took_before() -> None:
    assert grace_s([]) == grace_s([1]) == pong.GRACE_S
    assert grace_s([1_000_000_000] * 100) == 10


UNSOLICITED: list[list[Step]] = [
    [Accept(), Send(NEWS), *ANSWERED],
    [Accept(), TakeFrame(), Send(NEWS + PONG)],
    [Accept(), *ANSWERED, Send(NEWS)],
]


@pytest.mark.parametrize("before", UNSOLICITED)
async def test_an_answer_may_take_its_time_after_the_messages_of_a_peer_that_sends_unsolicited_ones(
    before: list[Step], monkeypatch: pytest.MonkeyPatch
) -> None:
    late: list[Step] = [TakeFrame(), Send(NEWS + frame(PING, b"read?")), *ANSWERED]
    async with ScriptedServer([*before, *late]) as server:
        probing = Probing(target(server))
        async with probing.prober:
            first = await probing.once()
            monkeypatch.setattr(pong, "GRACE_S", 0)
            monkeypatch.setattr(pong, "USUAL_TIMES", 0)
            monkeypatch.setattr(pong, "LEAST_S", 20)
            second = await probing.once()
    assert server.frames[-1] == b"read?", "the pong came after the news were read"
    assert (first.verdict, second.verdict) == (Verdict.PONG, Verdict.PONG)


async def test_what_the_peer_says_between_pings_does_not_stop_the_reading() -> None:
    chatter: list[Step] = [Send(NEWS * 100 + frame(PING, b"alive?")), TakeFrame(), Open("alive")]
    script: list[Step] = [Accept(), *ANSWERED, *chatter, *ANSWERED]
    async with ScriptedServer(script) as server:
        probing = Probing(target(server))
        async with probing.prober:
            first = await probing.once()
            await server.gate("alive").wait()
            second = await probing.once()
    assert server.frames[:3] == [b"ping", b"alive?", b"ping"], "its ping was answered although nobody pinged it"
    assert (first.verdict, second.verdict) == (Verdict.PONG, Verdict.PONG)


@pytest.mark.parametrize(
    ("expect", "answer"),
    [
        ("pong", frame(BINARY, b"pong")),
        ("re:^po+ng$", frame(TEXT, b"pooong")),
        ("json:type=pong", frame(TEXT, b'{"type": "pong", "n": 1}')),
        ("any", frame(BINARY, b"\xff")),
    ],
)
async def test_the_expected_answer_is_a_text_a_pattern_a_value_or_any(expect: str, answer: bytes) -> None:
    async with ScriptedServer([Accept(), TakeFrame(), Send(NEWS * (expect != "any") + answer)]) as server:
        (row,), _ = await pinged(target(server, expect=expect))
    assert row.verdict is Verdict.PONG


@pytest.mark.parametrize("body", [None, "hello"])
async def test_a_protocol_ping_is_answered_by_a_pong_with_its_payload(body: str | None) -> None:
    answered: list[Step] = [TakeFrame(), Send(NEWS), Echo(PONG_FRAME)]
    script: list[Step] = [Accept(), *answered * 2]
    async with ScriptedServer(script) as server:
        rows, _ = await pinged(target(server, ping="frame", body=body), 2)
    assert [(row.verdict, row.connection, row.clock) for row in rows] == [(Verdict.PONG, 1, CLOCK)] * 2
    assert all(row.rtt_ns is not None for row in rows)
    assert body is None or server.frames == [body.encode()] * 2


@pytest.mark.parametrize(
    "fields",
    [
        {"subprotocols": ("chat.v2", "chat.v1")},
        {"headers": {"Sec-WebSocket-Protocol": "chat.v2, chat.v1"}},
        {"subprotocols": ("chat.v2",), "headers": {"sec-websocket-protocol": "chat.v1"}},
    ],
)
async def test_subprotocols_are_offered_by_a_field_or_a_header(fields: dict[str, Any]) -> None:
    async with ScriptedServer([Accept(("Sec-WebSocket-Protocol: chat.v1",)), *ANSWERED]) as server:
        (row,), _ = await pinged(target(server, **fields))
    lines = server.requests[0].lower().split(b"\r\n")
    offered = [line for line in lines if line.startswith(b"sec-websocket-protocol:")]
    assert offered == [b"sec-websocket-protocol: chat.v2, chat.v1"]
    assert (row.verdict, row.findings) == (Verdict.PONG, ())


async def test_a_gateway_that_chooses_no_subprotocol_is_reported() -> None:
    async with ScriptedServer([Accept(), *ANSWERED]) as server:
        (row,), _ = await pinged(target(server, subprotocols=("chat",)))
    assert row.verdict is Verdict.PONG
    assert [finding.name for finding in row.findings] == [FindingName.NO_SUBPROTOCOL]


async def test_the_query_may_refer_to_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROBE_KEY", "canary/0123456789&x=1")
    async with ScriptedServer([Receive(), Send(http("403 No", body=b"no canary/0123456789&x=1"))]) as server:
        refused = target(server, path="/ws?v=1&token=${env:PROBE_KEY}")
        (row,), _ = await pinged(refused)
    assert server.requests[0].startswith(b"GET /ws?v=1&token=canary%2F0123456789%26x%3D1 HTTP/1.1")
    assert row.verdict is Verdict.AUTH
    assert "canary" not in repr(row)


async def test_a_ping_is_given_up_by_the_first_of_its_deadlines() -> None:
    silent: list[Step] = [Accept(), TakeFrame(), Hold()]
    for deadlines in (soon(first_byte_s=SLOW), soon(total_s=SLOW)):
        async with ScriptedServer(silent) as server:
            (row,), _ = await pinged(target(server, deadlines=deadlines))
        assert row.verdict is Verdict.NO_PONG


def test_a_ping_may_take_many_times_what_pings_took_before() -> None:
    deadlines = soon(first_byte_s=60, total_s=90)
    second = 1_000_000_000
    assert answer_within_s([], deadlines, 0) == 5
    assert answer_within_s([second // 100] * 50, deadlines, 0) == 5
    assert answer_within_s([second] * 100, deadlines, 0) == 10
    assert answer_within_s([second] * 99 + [9 * second], deadlines, 0) == 10, "one in a hundred is not usual"
    assert answer_within_s([9 * second] * 100, deadlines, 0) == 60
    assert answer_within_s([9 * second] * 100, deadlines, 70 * second) == 20


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ([Send(close(1001, b"bye"))], "closed by the gateway: 1001 bye"),
        ([Send(close(1000))], "closed by the gateway: 1000"),
        ([Close()], "closed without a close frame"),
        ([Reset()], "closed without a close frame"),
    ],
)
async def test_a_connection_that_was_left_while_idle_is_made_anew(ends: list[Step], expected: str) -> None:
    async with ScriptedServer([Accept(), *ANSWERED, *ends], [Accept(), *ANSWERED]) as server:
        first, second = await pinged_around_the_end(target(server))
    assert (first.verdict, second.verdict, second.connection) == (Verdict.PONG, Verdict.PONG, 2)
    (finding,) = second.findings
    assert finding.name is FindingName.STALE_CONNECTION
    assert expected in finding.evidence


async def test_a_close_code_that_names_a_fault_is_one_also_between_pings() -> None:
    async with ScriptedServer([Accept(), *ANSWERED, Send(close(1011, b"oops"))], [Accept(), *ANSWERED]) as server:
        _, second = await pinged_around_the_end(target(server))
    assert (second.verdict, second.close_code, second.close_reason) == (Verdict.CLOSED, 1011, "oops")


async def pinged_around_the_end(target: Endpoint) -> tuple[Ping, Ping]:
    """A ping before and one after the end of the first connection was seen."""
    probing = Probing(target)
    async with probing.prober as prober:
        assert isinstance(prober, WebSocketProber)
        first = await probing.once()
        link = prober._lane.connection
        assert link is not None
        await link.socket.wait_closed()
        return first, await probing.once()


async def test_nothing_listens() -> None:
    (row,), _ = await pinged(endpoint("websocket", f"ws://127.0.0.1:{free_port()}"))
    assert row.verdict is Verdict.REFUSED
    assert row.outcome is Outcome.FAILED


async def test_a_pong_from_before_the_ping_is_no_answer_to_it() -> None:
    script: list[Step] = [Accept(), TakeFrame(), Send(PONG + PONG), TakeFrame(), Hold()]
    async with ScriptedServer(script) as server:
        rows, _ = await pinged(target(server), 2, least_s=SLOW)
    assert [row.verdict for row in rows] == [Verdict.PONG, Verdict.NO_PONG]


BAD: list[Step] = [Accept(), TakeFrame(), Send(close(1012, b"deploy"))]
WRONG: list[Step] = [Accept(), TakeFrame(), Send(frame(TEXT, b"pang")), Hold()]


@pytest.mark.parametrize(("bad", "verdict"), [(BAD, Verdict.CLOSED), (WRONG, Verdict.WRONG_PONG)])
async def test_the_first_redial_is_at_once(bad: list[Step], verdict: Verdict, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pong, "LEAST_S", 20)
    async with ScriptedServer(bad, [Accept(), *ANSWERED * 2]) as server:
        probing = Probing(target(server))
        async with probing.prober:
            failed = await probing.once()
            wait_ns = probing.prober.wait_ns()
            rows = [await probing.once(), await probing.once()]
    assert (failed.verdict, wait_ns) == (verdict, 0)
    assert [(row.verdict, row.connection) for row in rows] == [(Verdict.PONG, 2)] * 2


async def test_after_a_further_failure_it_waits_until_it_dials_anew() -> None:
    async with ScriptedServer(BAD, BAD, [Accept(), *ANSWERED]) as server:
        probing = Probing(target(server))
        async with probing.prober:
            rows = [await probing.once(), await probing.once()]
            wait_s = probing.prober.wait_ns() / 1e9
            rows.append(await probing.once())
            wait_ns_after = probing.prober.wait_ns()
    assert [row.close_reason for row in rows] == ["deploy", "deploy", ""]
    assert 0 < wait_s <= lanes.FIRST_S
    assert (rows[2].verdict, wait_ns_after) == (Verdict.PONG, 0), "it pings whenever it is asked to"


async def test_a_handshake_may_take_no_longer_than_an_answer() -> None:
    async with ScriptedServer([Receive(), Hold()]) as server:
        (row,), _ = await pinged(target(server), least_s=SOON)
    assert (row.verdict, row.rule) == (Verdict.NO_FIRST_BYTE, "websocket.no-handshake")
    assert "0.05 s" in row.reason


async def test_a_missing_key_is_asked_for_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROBE_KEY", raising=False)
    async with ScriptedServer([Accept(), *ANSWERED]) as server:
        probing = Probing(target(server, key="env:PROBE_KEY"))
        async with probing.prober:
            missing = await probing.once()
            monkeypatch.setenv("PROBE_KEY", "now-there")
            found = await probing.once()
    assert (missing.verdict, found.verdict) == (Verdict.NO_KEY, Verdict.PONG)


async def test_no_room_to_read_a_key_is_this_machines_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = tmp_path / "key"
    key.touch(0o600)
    key.write_text("secret-of-ours")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    async with ScriptedServer([Accept(), *ANSWERED]) as server:
        probing = Probing(target(server, key=f"file:{key}"))
        async with probing.prober:
            with monkeypatch.context() as patched:
                patched.setattr(sources, "open_at_once", refuse)
                local = await probing.once()
            found = await probing.once()
    assert (local.verdict, local.rule) == (Verdict.LOCAL, "websocket.no-room")
    assert local.reason == f"the key file {key} cannot be read: Too many open files"
    assert found.verdict is Verdict.PONG


async def test_over_tls(tmp_path: Path) -> None:
    certificates = pair("good", tmp_path)
    async with ScriptedServer([Accept(), *ANSWERED], tls=certificates.server) as server:
        (row,), _ = await pinged(target(server, tls=TLS(ca_file=certificates.ca_file)))
        (refused,), _ = await pinged(target(server))
    assert row.verdict is Verdict.PONG
    assert row.clock is CLOCK
    assert refused.verdict is Verdict.TLS
    assert "certificate" in refused.reason


async def test_a_cancelled_ping_leaves_its_row() -> None:
    async with ScriptedServer([Accept(), TakeFrame(), Open("pinged"), Hold()]) as server:
        probing = Probing(target(server))
        async with probing.prober:
            task = asyncio.create_task(probing.once())
            await server.gate("pinged").wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
    row = probing.emitted[-1]
    assert isinstance(row, Ping)
    assert row.verdict is Verdict.CANCELLED


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_no_descriptor_is_left_behind() -> None:
    async def all_faults() -> None:
        for fault in FAULTS:
            async with ScriptedServer(fault.script) as server:
                await pinged(target(server, **fault.fields), least_s=fault.least_s)

    asyncio.run(all_faults())
    before = len(list(Path("/proc/self/fd").iterdir()))
    asyncio.run(all_faults())
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@given(st.integers(), st.integers(min_value=1, max_value=100))
def test_pauses_grow_with_jitter_up_to_a_limit(seed: int, failures: int) -> None:
    pauses = Backoff(seed)
    for failed in range(failures):
        pauses.failed(now_ns=1000)
        left_s = pauses.left_ns(1000) / 1e9
        longest = min(lanes.LONGEST_S, lanes.FIRST_S * 2 ** (failed - 1)) if failed else 0
        assert longest / 2 <= left_s <= longest
    pauses.succeeded()
    assert pauses.left_ns(1000) == 0


def test_the_same_seed_pauses_alike() -> None:
    one, other = Backoff(7), Backoff(7)
    for each in (one, one, other, other):
        each.failed(0)
    assert one.left_ns(0) == other.left_ns(0)
