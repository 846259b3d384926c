"""What a user relies on when an LLM API is asked over a WebSocket: one row a probe, as of any stream."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from support.certificates import pair
from support.pinging import BINARY, PING, PONG, TEXT, close, frame
from support.probing import Probing, endpoint, probed, soon
from support.scripted import (
    Accept,
    Close,
    Echo,
    Hold,
    Open,
    Receive,
    Reset,
    ScriptedServer,
    Send,
    Step,
    TakeFrame,
    Wait,
    http,
)

from gwtui.apis import SOCKET_APIS
from gwtui.model.enums import FindingName
from gwtui.model.profile import TLS
from gwtui.model.records import Record, Request, StreamEvent, StreamRead
from gwtui.model.verdicts import Verdict

API = "openai-realtime"
MODEL = SOCKET_APIS[API].default_model
FORBIDDEN = "made-up-key-44210"
PLACE = {"output_index": 0, "content_index": 0}
ITEM = {"type": "message", "content": [{"type": "output_text", "text": "ab"}]}
LIMITS = [{"name": "requests", "limit": 1000, "remaining": 2, "reset_seconds": 60}]


def event(kind: str, **fields: Any) -> bytes:
    return frame(TEXT, json.dumps({"type": kind, **fields}).encode())


def done(status: str = "completed", **fields: Any) -> bytes:
    usage = {"input_tokens": 9, "output_tokens": 2}
    return event("response.done", response={"id": "resp_1", "status": status, "usage": usage, **fields})


SESSION = event("session.created", session={"model": MODEL})
CREATED = event("response.created", response={"id": "resp_1"})
BEGUN = SESSION + CREATED + event("response.output_item.added", output_index=0, item=ITEM)
A = event("response.output_text.delta", **PLACE, delta="a")
B = event("response.output_text.delta", **PLACE, delta="b")
ENDING = event("response.output_text.done", **PLACE, text="ab") + event(
    "response.output_item.done", output_index=0, item=ITEM
)
GOOD = BEGUN + A + B + ENDING + done(output=[ITEM])
EVENTS = 8
QUESTION = (TakeFrame(), TakeFrame(), TakeFrame())
BYE = (Send(close(1000)), TakeFrame(), Hold())
"""A gateway that closes the WebSocket as soon as it has answered."""
ASKED = (Accept(("X-Trace: trace-9",)), *QUESTION)


async def row_of(*steps: Step, **fields: Any) -> Request:
    async with ScriptedServer(steps) as server:
        return await probed(endpoint(API, server.url, **{"prompt": "Hi", **fields}))


async def test_a_good_answer_is_complete_with_its_figures() -> None:
    row = await row_of(*ASKED, Send(BEGUN + A), Send(B + ENDING + done(output=[ITEM])), *BYE)
    assert (row.verdict, row.rule, row.status) == (Verdict.COMPLETE, "realtime.completed", 101)
    assert (row.events, row.input_tokens, row.output_tokens) == (EVENTS, 9, 2)
    assert (row.stream, row.model, row.model_served) == (True, MODEL, MODEL)
    assert (row.trace_id, row.answer_id, row.headers["x-trace"]) == ("trace-9", "resp_1", "trace-9")
    assert row.ttfb_ns is not None
    assert row.ttft_ns is not None
    assert row.duration_ns is not None
    assert 0 <= row.ttfb_ns <= row.ttft_ns <= row.duration_ns
    assert row.phases.connect_ns is not None
    assert row.findings == ()


async def test_the_question_is_asked_in_masked_messages_and_the_key_in_the_handshake(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("K", FORBIDDEN)
    async with ScriptedServer((*ASKED, Send(GOOD), *BYE)) as server:
        row = await probed(endpoint(API, server.url, prompt="Hi", key="env:K", headers={"X-More": "1"}))
        assert row.verdict is Verdict.COMPLETE
        head = server.requests[0].decode()
        assert head.startswith(f"GET /v1/realtime?model={MODEL} HTTP/1.1\r\n")
        for line in (f"Authorization: Bearer {FORBIDDEN}", "Upgrade: websocket", "Connection: Upgrade", "X-More: 1"):
            assert f"\r\n{line}\r\n" in head
        for absent in ("Sec-WebSocket-Extensions", "Content-Length"):
            assert absent not in head
        kinds = ["session.update", "conversation.item.create", "response.create"]
        assert [json.loads(text)["type"] for text in server.frames[:3]] == kinds
        assert row.sent_request_id in head


async def test_each_probe_has_a_websocket_of_its_own() -> None:
    scripts = [(*ASKED, Send(GOOD), Send(close(1000)), TakeFrame(), Open(gate)) for gate in ("first", "second")]
    async with ScriptedServer(*scripts) as server:
        probing = Probing(endpoint(API, server.url, prompt="Hi"))
        async with probing.prober:
            rows = [await probing.once() for _ in range(2)]
        await asyncio.gather(*(server.gate(gate).wait() for gate in ("first", "second")))
        assert [row.verdict for row in rows] == [Verdict.COMPLETE] * 2
        keys = [line for head in server.requests for line in head.split(b"\r\n") if b"Sec-WebSocket-Key" in line]
        assert (server.connections, len(set(keys))) == (2, 2)
        assert server.frames.count(b"\x03\xe8") == 2


NO_KEY = event("error", error={"type": "invalid_request_error", "code": "invalid_api_key", "message": "no"})
HUGE = frame(TEXT, b"x" * (1 << 20), final=False) + frame(0, b"x" * (1 << 20), final=False) * 16
ENDS: list[tuple[str, tuple[Step, ...], Verdict, str, int]] = [
    ("cut", (Send(BEGUN + A), Close()), Verdict.TRUNCATED, "without a close frame", 4),
    ("reset", (Send(BEGUN + A), Reset()), Verdict.TRUNCATED, "ended after event 4", 4),
    ("closed", (Send(BEGUN + A + close(1000)),), Verdict.TRUNCATED, "closed by the gateway: 1000", 4),
    ("1011", (Send(BEGUN + A + close(1011, b"gone")),), Verdict.TRUNCATED, "closed by the gateway: 1011 gone", 4),
    ("closed at once", (Send(close(4001, b"no")),), Verdict.EMPTY, "closed by the gateway: 4001 no", 0),
    ("closed in the session", (Send(SESSION + close(1011, b"busy")),), Verdict.TRUNCATED, "1011 busy", 1),
    ("closed for now", (Send(SESSION + close(1013, b"")),), Verdict.UNAVAILABLE, "closed by the gateway: 1013", 1),
    ("closed for the key", (Send(close(3000, b"invalid_request_error.invalid_api_key")),), Verdict.AUTH,
     "closed by the gateway: 3000 invalid_request_error.invalid_api_key", 0),
    ("closed for the quota", (Send(SESSION + close(1011, b"insufficient_quota")),), Verdict.QUOTA, "1011 insuff", 1),
    ("closed in an answer", (Send(BEGUN + close(1011, b"insufficient_quota")),), Verdict.TRUNCATED, "1011 insuff", 3),
    ("no JSON", (Send(BEGUN + frame(TEXT, b"hm") + A + B + ENDING + done()),), Verdict.OUT_OF_ORDER, "bad-json", 9),
    ("bytes", (Send(BEGUN + frame(BINARY, b"\xff") + A + B + ENDING + done()),), Verdict.OUT_OF_ORDER, "bad-json", 9),
    ("huge", (Send(BEGUN + HUGE),), Verdict.TOO_LARGE, "longer than 16 MiB", 3),
    ("no frame", (Send(BEGUN + b"\xff\xff\xff\xff"),), Verdict.DECODE_ERROR, "breaks the WebSocket protocol", 3),
    ("failed", (Send(BEGUN + done("failed", status_details={"error": {"message": "boom"}})),),
     Verdict.ERROR_IN_STREAM, "boom", 4),
    ("error", (Send(SESSION + event("error", error={"message": "boom"})),), Verdict.ERROR_IN_STREAM, "boom", 2),
    ("no key", (Send(NO_KEY + close(3000, b"x")), Close()), Verdict.AUTH, "invalid_api_key", 1),
    ("empty", (Send(SESSION + CREATED + done()),), Verdict.EMPTY, "no-content", 3),
]  # fmt: skip


@pytest.mark.parametrize(("steps", "verdict", "says", "events"), [pytest.param(*rest, id=name) for name, *rest in ENDS])
async def test_each_end_gets_its_verdict(steps: tuple[Step, ...], verdict: Verdict, says: str, events: int) -> None:
    row = await row_of(*ASKED, *steps, Hold())
    assert (row.verdict, row.events, row.status) == (verdict, events, 101), row.reason
    assert says in f"{row.rule}: {row.reason}"


STALLS: list[tuple[str, bytes, dict[str, float], str]] = [
    ("mute", b"", {"first_byte_s": 0.1}, "transport.no-first-byte"),
    ("a session and no more", SESSION, {"first_token_s": 0.1}, "transport.no-first-token"),
    ("in the text", BEGUN + A, {"event_gap_s": 0.1}, "transport.event-gap"),
    ("limits are no progress", BEGUN + A + event("rate_limits.updated", rate_limits=[]), {"event_gap_s": 0.1},
     "transport.event-gap"),
    ("pings are no progress", BEGUN + A + frame(PING, b""), {"event_gap_s": 0.1}, "transport.event-gap"),
    ("pings are no beginning", frame(PING, b""), {"first_event_s": 0.1}, "transport.no-first-event"),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "deadlines", "rule"), [pytest.param(*rest, id=name) for name, *rest in STALLS])
async def test_a_silent_websocket_is_stalled(sent: bytes, deadlines: dict[str, float], rule: str) -> None:
    row = await row_of(*ASKED, Send(sent), Hold(), deadlines=soon(**deadlines))
    assert (row.verdict, row.rule) == (Verdict.STALLED, rule), row.reason


REFUSALS: list[tuple[str, bytes, Verdict, str]] = [
    ("401", http("401 X", body=b'{"error": {"message": "bad key"}}'), Verdict.AUTH, "bad key"),
    ("403", http("403 X"), Verdict.AUTH, "403"),
    ("404", http("404 X"), Verdict.NOT_FOUND, "asked: ws://127.0.0.1"),
    ("429", http("429 X", "Retry-After: 7"), Verdict.RATE_LIMITED, "retry after 7 s"),
    ("200", http("200 OK", "Content-Type: text/plain", body=b"hello"), Verdict.NOT_A_STREAM, "hello"),
    ("page", http("200 OK", "Content-Type: text/html", body=b"<html>x</html>"), Verdict.NOT_A_STREAM, "page"),
    ("another key", b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n", Verdict.NOT_HTTP,
     "another key"),
    ("another protocol", b"HTTP/1.1 101 X\r\nUpgrade: h2c\r\n\r\n", Verdict.NOT_HTTP, "Upgrade"),
    ("nothing", b"", Verdict.RESET, "without an answer"),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "verdict", "says"), [pytest.param(*rest, id=name) for name, *rest in REFUSALS])
async def test_a_refused_handshake_is_judged_as_over_http(answer: bytes, verdict: Verdict, says: str) -> None:
    row = await row_of(Receive(), Send(answer), Close())
    assert (row.verdict, row.events) == (verdict, 0), row.reason
    assert says in row.reason


async def test_a_ping_is_answered_while_the_answer_comes() -> None:
    async with ScriptedServer((*ASKED, Send(BEGUN + A + frame(PING, b"alive")), TakeFrame(), Echo(PONG),
                               Send(B + ENDING + done(output=[ITEM])), *BYE)) as server:  # fmt: skip
        row = await probed(endpoint(API, server.url, prompt="Hi"))
        assert (row.verdict, server.frames[3]) == (Verdict.COMPLETE, b"alive")


async def test_an_error_that_comes_with_the_handshake_is_read_although_nobody_takes_the_question() -> None:
    row = await row_of(Accept(), Send(NO_KEY + close(3000, b"invalid_request_error.invalid_api_key")), Reset())
    assert (row.verdict, row.rule, row.events) == (Verdict.AUTH, "realtime.refused", 1), row.reason


async def test_a_greeting_is_no_first_byte_of_the_answer() -> None:
    row = await row_of(*ASKED, Send(SESSION), Hold(), deadlines=soon(first_token_s=0.1))
    assert (row.ttfb_ns, row.events, row.status) == (None, 1, 101)


async def test_a_key_may_be_sent_as_a_subprotocol(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("K", FORBIDDEN)
    told = {"Sec-WebSocket-Protocol": "realtime, openai-insecure-api-key.${env:K}"}
    async with ScriptedServer((Accept(("Sec-WebSocket-Protocol: realtime",)), *QUESTION, Send(GOOD), *BYE)) as server:
        row = await probed(endpoint(API, server.url, prompt="Hi", headers=told))
        assert row.verdict is Verdict.COMPLETE, row.reason
        assert f"openai-insecure-api-key.{FORBIDDEN}\r\n" in server.requests[0].decode()
    assert FORBIDDEN not in str(row)


async def row_with(*behind: Step) -> Request:
    """The row of a good answer, behind which that comes once it was read."""
    async with ScriptedServer((*ASKED, Send(GOOD), Wait("read"), *behind)) as server:

        def listen(record: Record) -> None:
            if isinstance(record, StreamRead) and record.events[-1].name == "response.done":
                server.gate("read").set()

        probing = Probing(endpoint(API, server.url, prompt="Hi"), listen)
        async with probing.prober:
            row = await probing.once()
    assert isinstance(row, Request)
    return row


async def test_rate_limits_behind_the_answer_are_kept_and_no_time_counts_from_them() -> None:
    told = frame(PING, b"") + event("rate_limits.updated", rate_limits=LIMITS)
    row = await row_with(Send(told), TakeFrame(), TakeFrame(), Hold())
    assert (row.verdict, row.events, row.bytes) == (Verdict.COMPLETE, EVENTS, len(GOOD))
    assert row.headers["x-ratelimit-remaining-requests"] == "2"
    assert [finding.name for finding in row.findings] == [FindingName.NEAR_LIMIT]


@pytest.mark.parametrize("ending", [b"\xff\xff\xff", close(1011, b"late"), frame(TEXT, b"hm")])
async def test_nothing_behind_the_answer_spoils_it(ending: bytes) -> None:
    row = await row_with(Send(ending), Close())
    assert (row.verdict, row.events) == (Verdict.COMPLETE, EVENTS), row.reason


async def test_rate_limits_are_kept_as_headers_and_a_near_one_is_found() -> None:
    row = await row_of(*ASKED, Send(BEGUN + event("rate_limits.updated", rate_limits=LIMITS) + A + B + ENDING + done()))
    assert row.verdict is Verdict.COMPLETE
    assert row.headers["x-ratelimit-remaining-requests"] == "2"
    assert FindingName.NEAR_LIMIT in [finding.name for finding in row.findings]


async def test_keys_are_masked_in_what_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("K", FORBIDDEN)
    text = event("response.output_text.delta", **PLACE, delta=f"your key is {FORBIDDEN}")
    async with ScriptedServer(
        (*ASKED, Send(BEGUN + text + close(1011, f"bad {FORBIDDEN}".encode())), Hold())
    ) as server:
        probing = Probing(endpoint(API, server.url, prompt="Hi", key="env:K"))
        async with probing.prober:
            row = await probing.once()
    assert FORBIDDEN not in str((row, probing.emitted))
    assert "1011 bad" in row.reason
    shown: list[StreamEvent] = [
        each for read in probing.emitted if isinstance(read, StreamRead) for each in read.events
    ]
    assert [each.name for each in shown][-1] == "response.output_text.delta"


async def test_a_probe_that_is_stopped_is_cancelled() -> None:
    async with ScriptedServer((*ASKED, Send(BEGUN + A), Hold())) as server:
        seen = asyncio.Event()
        probing = Probing(endpoint(API, server.url, prompt="Hi"), lambda record: seen.set()
                          if isinstance(record, StreamRead) else None)  # fmt: skip
        async with probing.prober:
            task = asyncio.create_task(probing.once())
            await seen.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
    assert isinstance(probing.emitted[-1], Request)
    assert probing.emitted[-1].verdict is Verdict.CANCELLED


async def test_over_tls(tmp_path: Path) -> None:
    certificates = pair("good", tmp_path)
    async with ScriptedServer((*ASKED, Send(GOOD), *BYE), tls=certificates.server) as server:
        row = await probed(endpoint(API, server.url, prompt="Hi", tls=TLS(ca_file=certificates.ca_file)))
    assert row.verdict is Verdict.COMPLETE
    assert row.phases.tls_ns is not None


async def test_a_proxy_is_asked_for_a_tunnel() -> None:
    agreed = Send(http("200 Connected", length=False))
    async with ScriptedServer((Receive(), agreed, *ASKED, Send(GOOD), *BYE)) as proxy:
        row = await probed(endpoint(API, "http://gateway.invalid", prompt="Hi", proxy=proxy.url))
        assert row.verdict is Verdict.COMPLETE, row.reason
        assert proxy.requests[0].startswith(b"CONNECT gateway.invalid:80 HTTP/1.1")
        assert proxy.requests[1].startswith(b"GET /v1/realtime?model=")
