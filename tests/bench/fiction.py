"""A session that never was: records of many endpoints, as fast as they can be made, with a clock of their own."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from random import Random

from msgspec.structs import replace

from gwtui.model.enums import Clock, EventKind, Trigger
from gwtui.model.profile import Endpoint, Profile
from gwtui.model.records import (
    Heartbeat,
    Ping,
    Record,
    Request,
    RequestStarted,
    SessionStarted,
    StreamEvent,
    StreamRead,
)
from gwtui.model.verdicts import Verdict
from gwtui.stats.histogram import compress

MS = 1_000_000
STARTED_AT = 1_767_189_802.0
READS = 10
"""Of each stream; each with two events."""
STEP_NS = 20 * MS
"""How much later each request begins."""
BEAT_NS = 1_000 * MS
VARIETY = 997
"""So many different latencies there are."""
EVENTS = tuple(
    StreamEvent(name="content_block_delta", kind=EventKind.TEXT, text=text, raw='{"type":"content_block_delta"}')
    for text in ("def bubble_sort", "(items):")
)


def fiction_profile(endpoints: int) -> Profile:
    """Every tenth endpoint is a WebSocket, the others stream."""
    apis = itertools.cycle(["anthropic-messages"] * 9 + ["websocket"])
    return Profile(
        name="fiction",
        endpoints=tuple(
            Endpoint(name=f"endpoint-{number:02}", api=api, url="http://127.0.0.1:1")
            for number, api in zip(range(endpoints), apis, strict=False)
        ),
    )


def fiction(profile: Profile, session_dir: str | None = None, step_ns: int = STEP_NS) -> Iterator[Record]:
    """Records without end: streams that mostly succeed, pings, a heartbeat every second. A request every `step_ns`."""
    chance = Random(1)
    latencies = [round(math.exp(chance.gauss(math.log(400 * MS), 0.4))) for _ in range(VARIETY)]
    gaps = [compress(round(math.exp(chance.gauss(math.log(20 * MS), 0.3))) for _ in range(READS)) for _ in range(101)]
    now_ns = 0
    yield SessionStarted(started_at=STARTED_AT, now_ns=now_ns, profile=profile, session_dir=session_dir)
    for turn in itertools.count():
        endpoint = profile.endpoints[turn % len(profile.endpoints)]
        number = turn // len(profile.endpoints) + 1
        latency_ns = latencies[turn % VARIETY]
        at = STARTED_AT + now_ns / 1e9
        yield RequestStarted(endpoint=endpoint.name, number=number, started_at=at, now_ns=now_ns)
        if endpoint.api == "websocket":
            yield replace(PING, endpoint=endpoint.name, number=number, started_at=at, now_ns=now_ns, rtt_ns=latency_ns)
        else:
            yield from _reads(endpoint.name, number, now_ns, latency_ns)
            failed = turn % 50 == 0
            yield replace(
                REQUEST,
                endpoint=endpoint.name,
                number=number,
                started_at=at,
                now_ns=now_ns + latency_ns,
                verdict=Verdict.TRUNCATED if failed else Verdict.COMPLETE,
                duration_ns=latency_ns * 2,
                ttfb_ns=latency_ns // 2,
                ttft_ns=latency_ns,
                ttfo_ns=latency_ns,
                gaps=gaps[turn % len(gaps)],
                trace_id=f"{turn:032x}",
            )
        before, now_ns = now_ns, now_ns + step_ns
        if now_ns // BEAT_NS != before // BEAT_NS:
            yield Heartbeat(at=STARTED_AT + now_ns / 1e9, now_ns=now_ns, rows_written=turn)


def _reads(name: str, number: int, now_ns: int, latency_ns: int) -> Iterator[StreamRead]:
    for read in range(READS):
        since_ns = latency_ns + read * 20 * MS
        yield StreamRead(
            endpoint=name,
            number=number,
            now_ns=now_ns + since_ns,
            since_sent_ns=since_ns,
            first_event=read * len(EVENTS) + 1,
            events=EVENTS,
        )


REQUEST = Request(
    endpoint="",
    number=0,
    started_at=0.0,
    now_ns=0,
    api="anthropic-messages",
    model="claude-3-haiku",
    model_served="claude-3-haiku-20240307",
    trigger=Trigger.SCHEDULE,
    status=200,
    verdict=Verdict.COMPLETE,
    rule="anthropic.message-stop",
    reason="message_stop after stop_reason end_turn",
    events=READS * len(EVENTS),
    reads=READS,
    input_tokens=12,
    output_tokens=40,
    tokens_per_s=80.0,
    tpot_ns=12 * MS,
    mean_icl_ns=20 * MS,
    max_gap_ns=40 * MS,
    bytes=4096,
    clock=Clock.KERNEL,
    request_id="req_011CQ9f2Ym3h1",
    content_type="text/event-stream",
    headers={"content-type": "text/event-stream", "x-envoy-upstream-service-time": "12"},
)
PING = Ping(endpoint="", number=0, started_at=0.0, now_ns=0, verdict=Verdict.PONG, rule="websocket.pong", connection=1)
