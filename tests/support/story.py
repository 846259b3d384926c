"""A session as records with fixed stamps: two LLM endpoints, plain HTTP and a WebSocket, one of them in trouble."""

from __future__ import annotations

from gwtui.model.enums import Clock, EventKind, FindingName, State
from gwtui.model.incidents import IncidentEvent
from gwtui.model.judged import LogEntry
from gwtui.model.profile import Endpoint
from gwtui.model.records import (
    Finding,
    Heartbeat,
    Phases,
    Ping,
    Record,
    Request,
    RequestStarted,
    StreamEvent,
    StreamRead,
)
from gwtui.model.verdicts import Verdict

from . import pages
from .monitor_stage import START_AT, START_NS

MS = 1_000_000
WORDS = ("def", " bubble", "_sort", "(arr):", "\n", "    n", " = ", "len", "(arr)", "\n", "    for", " i", " in")

CLAUDE = Endpoint(name="gateway-claude", api="anthropic-messages", url="https://gateway.example.com", interval_s=2.0)
GPT = Endpoint(name="gateway-gpt", api="openai-chat", url="https://gateway.example.com", model="gpt-4o-mini")
HEALTH = Endpoint(name="gateway-http", api="http", url="https://gateway.example.com", path="/health", method="GET")
SOCKET = Endpoint(name="gateway-ws", api="websocket", url="wss://gateway.example.com", path="/ws")
ENDPOINTS = (CLAUDE, GPT, HEALTH, SOCKET)


def at(ms: float) -> int:
    """A stamp of the monotonic clock, that long after the start."""
    return START_NS + round(ms * MS)


def trace(number: int) -> str:
    return f"4bf92f3577b34da6a3ce929d0e0e{number:04x}"


def events(count: int) -> list[StreamEvent]:
    """An Anthropic stream of `count` words."""
    words = [
        StreamEvent(
            name="content_block_delta",
            kind=EventKind.TEXT,
            text=WORDS[index % len(WORDS)],
            raw='{"type":"content_block_delta"}',
        )
        for index in range(count)
    ]
    start = StreamEvent(name="message_start", kind=EventKind.START, raw='{"type":"message_start"}')
    return [start, *words, StreamEvent(name="message_stop", kind=EventKind.STOP, raw='{"type":"message_stop"}')]


def stream(number: int, sent_ms: float, *, count: int = 24, upto: int | None = None) -> list[Record]:
    """The start and the reads of a request to `CLAUDE`; only the first `upto` events where it is under way."""
    records: list[Record] = [
        RequestStarted(
            endpoint=CLAUDE.name, number=number, started_at=START_AT + sent_ms / 1000, now_ns=at(sent_ms - 1)
        )
    ]
    for index, event in enumerate(events(count)[:upto]):
        since = 388 + 21 * index + (200 if index > 9 else 0)
        records.append(
            StreamRead(
                endpoint=CLAUDE.name,
                number=number,
                now_ns=at(sent_ms + since),
                since_sent_ns=since * MS,
                first_event=index + 1,
                events=(event,),
            )
        )
    return records


def completed(number: int, sent_ms: float, *, count: int = 24) -> Request:
    """The result of such a stream."""
    took = 388 + 21 * (count + 1) + 200
    return Request(
        endpoint=CLAUDE.name,
        number=number,
        started_at=START_AT + sent_ms / 1000,
        now_ns=at(sent_ms + took),
        api=CLAUDE.api,
        model="claude-3-haiku",
        model_served="claude-3-haiku-20240307",
        status=200,
        verdict=Verdict.COMPLETE,
        rule="anthropic.message_stop",
        reason="message_stop after stop_reason end_turn",
        findings=(Finding(name=FindingName.MODEL_DIFFERS, evidence="asked claude-3-haiku", cause="an alias"),),
        duration_ns=took * MS,
        ttfb_ns=380 * MS,
        ttft_ns=(409 + number % 7) * MS,
        ttfo_ns=(409 + number % 7) * MS,
        mean_icl_ns=21 * MS,
        max_gap_ns=221 * MS,
        tpot_ns=20 * MS,
        tokens_per_s=48.2,
        events=count + 2,
        reads=count + 2,
        input_tokens=7,
        output_tokens=40,
        bytes=5471,
        lateness_ns=900_000,
        clock=Clock.KERNEL,
        phases=Phases(dns_ns=2 * MS, connect_ns=9 * MS, tls_ns=18 * MS, send_ns=80_000, address="192.0.2.7:443"),
        trace_id=trace(number),
        request_id=f"req_{number}",
        sent_request_id=f"gwtui-{number}",
        content_type="text/event-stream",
        headers={"cf-ray": "8f00ba4", "x-ratelimit-remaining": "41"},
    )


def unavailable(number: int, sent_ms: float) -> Request:
    """A 503 of `GPT`."""
    return Request(
        endpoint=GPT.name,
        number=number,
        started_at=START_AT + sent_ms / 1000,
        now_ns=at(sent_ms + 6),
        api=GPT.api,
        model="gpt-4o-mini",
        status=503,
        verdict=Verdict.UNAVAILABLE,
        rule="http.503",
        reason="HTTP 503: circuit_open",
        duration_ns=6 * MS,
        ttfb_ns=6 * MS,
        trace_id=trace(100 + number),
        content_type="application/json",
        body_excerpt='{"error":{"type":"circuit_open"}}',
    )


def healthy(number: int, sent_ms: float) -> Request:
    """An answer of `HEALTH`."""
    return Request(
        endpoint=HEALTH.name,
        number=number,
        started_at=START_AT + sent_ms / 1000,
        now_ns=at(sent_ms + 4),
        api="http",
        stream=False,
        status=200,
        verdict=Verdict.COMPLETE,
        rule="http.status",
        duration_ns=(4 + number % 3) * MS,
        ttfb_ns=4 * MS,
        trace_id=trace(200 + number),
        content_type="text/plain",
    )


def ping(number: int, sent_ms: float, verdict: Verdict = Verdict.PONG) -> Ping:
    """A ping of `SOCKET`; lost unless it is a pong."""
    return Ping(
        endpoint=SOCKET.name,
        number=number,
        started_at=START_AT + sent_ms / 1000,
        now_ns=at(sent_ms + 12),
        verdict=verdict,
        rule="websocket.pong",
        rtt_ns=(11 + number % 4) * MS if verdict is Verdict.PONG else None,
        connect_ns=31 * MS if number == 1 else None,
        connection=1,
        status=101,
        trace_id=trace(300 + number),
        request_id="ws-1",
        headers={"x-served-by": "edge-7"},
    )


def session() -> list[Record]:
    """Twenty seconds of it. `GPT` went down, a ping was lost, `CLAUDE` was checked, its tenth stream is under way."""
    records: list[Record] = []
    for number in range(1, 10):
        sent = 2000.0 * number
        records += [*stream(number, sent), completed(number, sent)]
    for number in range(1, 19):
        records.append(healthy(number, 1000.0 * number + 300))
        records.append(ping(number, 1000.0 * number + 500, Verdict.NO_PONG if number == 11 else Verdict.PONG))
    records += [unavailable(number, 14_000 + 1000.0 * number) for number in range(1, 5)]
    records += [
        LogEntry(
            at=START_AT + 17,
            now_ns=at(17_006),
            kind="state",
            endpoint=GPT.name,
            state=State.DOWN,
            was=State.UNKNOWN,
            text="3 unavailable in a row",
            number=3,
            trace_id=trace(103),
        ),
        LogEntry(at=START_AT + 18, now_ns=at(18_000), kind="mark", text="deployed gateway 1.42.0"),
    ]
    records += [pages.checks_begun(CLAUDE.name), *pages.checks_ended(CLAUDE.name)]
    records.append(pages.checks_begun(CLAUDE.name, ended=True))
    records += stream(10, 20_000, upto=9)
    records.append(Heartbeat(at=START_AT + 20.6, now_ns=at(20_600), rows_written=41))
    return records


def opened(number: int, at_s: float, name: str = CLAUDE.name) -> LogEntry:
    """The first event of an incident of an endpoint."""
    return LogEntry(
        at=START_AT + at_s,
        now_ns=at(at_s * 1000),
        kind="incident",
        endpoint=name,
        incident=number,
        event=IncidentEvent.OPENED,
        severity=State.DOWN,
        scope=f"endpoint {name}",
        cause="answers cut (truncated)",
        since=START_AT + at_s,
        text="down: 3 truncated in a row",
    )
