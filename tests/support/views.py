"""Hand-made views for tests of what is drawn: a calm gateway, an incident under way, nothing yet, hostile text."""

from __future__ import annotations

import dataclasses
import math
import random

import msgspec

from gwtui.model.enums import EventKind, FindingName, State
from gwtui.model.incidents import Change, Incident, IncidentEvent, Member
from gwtui.model.judged import LogEntry
from gwtui.model.metrics import Metric
from gwtui.model.profile import Endpoint
from gwtui.model.query import Query
from gwtui.model.records import Finding, Ping, Request, StreamEvent
from gwtui.model.stream_view import StreamLine, StreamView
from gwtui.model.verdicts import Verdict
from gwtui.model.view import ChartSpan, Dot, EndpointRow, Header, LatencyView, PingView, RequestRow, View

from .viewrows import MS, calm_rows, cells, fresh_row, quantile, row, sick_rows

AT = 1_767_189_802.0
"""14:03:22 UTC."""


def header(rows: tuple[EndpointRow, ...], **changes: object) -> Header:
    states = tuple((state, sum(one.state is state for one in rows)) for state in State)
    whole = Header(
        profile="prod",
        at=AT,
        elapsed_ns=761_000 * MS,
        states=tuple((state, count) for state, count in states if count),
        requests=1204,
        failed=sum(one.failed for one in rows),
        session_dir="/tmp/session",
    )
    return dataclasses.replace(whole, **changes)  # type: ignore[arg-type]  # fields by name, checked at run time


def request(verdict: Verdict = Verdict.COMPLETE, **changes: object) -> Request:
    fields: dict[str, object] = {
        "endpoint": "gateway-claude",
        "number": 184,
        "started_at": AT - 2,
        "now_ns": 2000 * MS,
        "api": "anthropic-messages",
        "model": "claude-3-haiku",
        "status": 200,
        "verdict": verdict,
        "rule": "anthropic.message_stop",
        "duration_ns": 1552 * MS,
        "ttfb_ns": 380 * MS,
        "ttft_ns": 412 * MS,
        "events": 42,
        "reads": 40,
        "output_tokens": 96,
        "tokens_per_s": 84.2,
        "content_type": "text/event-stream",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    }
    return Request(**{**fields, **changes})  # type: ignore[arg-type]  # fields by name, checked at run time


WORDS = (
    "def",
    " bubble",
    "_sort",
    "(arr):",
    "↵",
    "    n",
    " = len",
    "(arr)",
    "↵",
    "    for",
    " i in",
    " range(n):",
    "↵",
)

TEXT = '''Here is bubble sort in Python, with a short docstring, as you asked for it:

def bubble_sort(arr):
    """Sort a list in place, swapping neighbours."""
    n = len(arr)
    for i in range(n):
        for j in range(0, n - i - 1):
            if arr[j] > arr[j + 1]:
                arr[j], arr[j + 1] = arr[j + 1], arr[j]
    return arr
'''


def stream_lines(count: int = 42) -> tuple[StreamLine, ...]:
    """An Anthropic stream; reads 7 and 8 held several events, and before event 20 there is a pause."""
    chance = random.Random(3)
    lines: list[StreamLine] = []
    since = 388 * MS
    for number in range(1, count + 1):
        gap: int | None = None
        if number > 1 and number not in (2, 9, 10, 13):
            gap = round(chance.uniform(17, 26) * MS) if number != 20 else 412 * MS
            since += gap
        lines.append(StreamLine(number, since, gap, stream_event(number, count), number == 20, number == count))
    return tuple(lines)


def stream_event(number: int, count: int) -> StreamEvent:
    if number == 1:
        raw = '{"type":"message_start","message":{"id":"msg_01","model":"claude-3-haiku"}}'
        return StreamEvent(name="message_start", kind=EventKind.START, raw=raw)
    if number == 2:
        return StreamEvent(
            name="content_block_start", kind=EventKind.OTHER, raw='{"type":"content_block_start","index":0}'
        )
    if number == 12:
        return StreamEvent(name="ping", kind=EventKind.KEEPALIVE, raw='{"type":"ping"}')
    if number == count - 1:
        raw = '{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":96}}'
        return StreamEvent(name="message_delta", kind=EventKind.USAGE, raw=raw)
    if number == count:
        return StreamEvent(name="message_stop", kind=EventKind.STOP, raw='{"type":"message_stop"}')
    kind = EventKind.REASONING if number < 6 else EventKind.TOOL if number > count - 5 else EventKind.TEXT
    word = WORDS[number % len(WORDS)]
    raw = f'{{"type":"content_block_delta","index":0,"delta":{{"type":"text_delta","text":"{word}"}}}}'
    return StreamEvent(name="content_block_delta", kind=kind, text=word, raw=raw)


def stream(**changes: object) -> StreamView:
    whole = StreamView(
        endpoint="gateway-claude",
        number=184,
        started_at=AT - 2,
        in_flight=False,
        since_sent_ns=1552 * MS,
        lines=stream_lines(),
        lines_dropped=0,
        text=TEXT,
        request=request(),
        newest=True,
    )
    return dataclasses.replace(whole, **changes)  # type: ignore[arg-type]  # fields by name, checked at run time


def latency(**changes: object) -> LatencyView:
    """Two minutes with a slow stretch, two failures in it, and a pause of six seconds before."""
    chance = random.Random(5)
    end_ns = 761_000 * MS
    start_ns = end_ns - 120_000 * MS
    p50s: list[int] = []
    dots: list[Dot] = []
    for index in range(60):
        swell = 1 + 0.8 * math.exp(-(((index - 38) / 6) ** 2))
        p50 = round(388 * MS * swell * math.exp(chance.gauss(0, 0.04)))
        p50s.append(p50s[19] if index in (20, 21, 22) else p50)
        at_ns = start_ns + (2000 * index + 400) * MS
        if index not in (20, 21, 22):
            dots += [Dot(at_ns + step * 500 * MS, round(p50 * math.exp(chance.gauss(0, 0.2)))) for step in range(3)]
        if index in (41, 42):
            dots.append(Dot(at_ns + 1900 * MS, None))
    names = {"p5": 310, "p50": 388, "p75": 431, "p80": 452, "p90": 540, "p95": 620, "p99": 1204, "max": 1410}
    whole = LatencyView(
        endpoint="gateway-claude",
        metric=Metric.TTFT,
        window=Query().window,
        figures=tuple((name, quantile(ms)) for name, ms in names.items()),
        n=1204,
        failed=2,
        start_ns=start_ns,
        end_ns=end_ns,
        dots=tuple(dots),
        p50s=(None, None, *p50s[2:]),
        p90s=(*(None,) * 10, *(round(p50 * 1.25) for p50 in p50s[10:])),
        usual_ns=380 * MS,
        limit_ns=5000 * MS,
        spans=(
            ChartSpan(end_ns - 61_000 * MS, end_ns - 20_000 * MS, State.SLOW),
            ChartSpan(end_ns - 80_000 * MS, end_ns - 80_000 * MS, None),
        ),
    )
    return dataclasses.replace(whole, **changes)  # type: ignore[arg-type]  # fields by name, checked at run time


def ping(**changes: object) -> PingView:
    whole = PingView(
        endpoint="gateway-ws",
        window=Query().window,
        last=Ping(
            endpoint="gateway-ws",
            number=41,
            started_at=AT,
            now_ns=MS,
            verdict=Verdict.PONG,
            rule="websocket.pong",
            rtt_ns=12_100_000,
            connection=2,
        ),
        p50=quantile(11.8, 41),
        p95=quantile(18.2, 41),
        p99=quantile(None, 41),
        sent=41,
        lost=1,
        jitter_ns=840_000,
        redials=1,
        last_close="1006 abnormal closure",
        sparkline=cells(12, seed=4, noise=0.3, bad=(33,)),
    )
    return dataclasses.replace(whole, **changes)  # type: ignore[arg-type]  # fields by name, checked at run time


CUT = Incident(
    number=4,
    scope="endpoint sourcegraph-claude",
    cause="answers cut (truncated)",
    severity=State.DOWN,
    opened=AT - 61,
    told=AT - 31,
    members=(Member(endpoint="sourcegraph-claude", state=State.DOWN, since=AT - 61),),
    failures=14,
)
LATE = Incident(
    number=3,
    scope="endpoint gateway-starcoder",
    cause="slow (ttft: 2.2x its usual 410 ms)",
    severity=State.SLOW,
    opened=AT - 123,
    told=AT - 93,
    members=(Member(endpoint="gateway-starcoder", state=State.SLOW, since=AT - 123),),
    changes=(Change(at=AT - 60, event=IncidentEvent.ACKNOWLEDGED, text="known"),),
    acknowledged="known",
)
ERRORS = Incident(
    number=2,
    scope="model gpt-4o-mini",
    cause="server errors (error_in_stream)",
    severity=State.DEGRADED,
    opened=AT - 200,
    told=AT - 155,
    members=(Member(endpoint="azure-eu-west", state=State.DEGRADED, since=AT - 200),),
    failures=25,
)
CLOSED = Incident(
    number=1,
    scope="gateway https://gateway.example.com",
    cause="pings lost (closed 1012)",
    severity=State.DOWN,
    opened=AT - 240,
    told=AT - 217,
    closed=AT - 186,
    members=(Member(endpoint="gateway-ws", state=State.DOWN, since=AT - 240, until=AT - 186),),
    failures=9,
)


SENTENCE = (
    "Answers cut by sourcegraph-claude (truncated) for 1m01s. Server errors from model gpt-4o-mini (1 of 1 endpoint, "
    "error_in_stream) for 3m20s."
)


def entry(index: int, kind: str, endpoint: str, text: str, number: int | None = None, **changes: object) -> LogEntry:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736" if number else ""
    made = LogEntry(
        at=AT - 31 * index, now_ns=index, kind=kind, endpoint=endpoint, text=text, number=number, trace_id=trace
    )
    return msgspec.structs.replace(made, **changes)


def event(index: int, incident: Incident, event: IncidentEvent, text: str, number: int) -> LogEntry:
    known = {field: getattr(incident, field) for field in ("severity", "scope", "cause", "failures")}
    name = incident.members[0].endpoint
    return entry(index, "incident", name, text, number, incident=incident.number, event=event, **known)


def incidents() -> tuple[LogEntry, ...]:
    """Four incidents, with a finding, a mark and trouble of our own in between."""
    opened, closed = IncidentEvent.OPENED, IncidentEvent.CLOSED
    return (
        event(1, CUT, opened, "sourcegraph-claude: 5 truncated in a row", 96),
        entry(2, "finding", "gateway-starcoder", "buffered: 42 events in one read", 71),
        event(3, LATE, opened, "gateway-starcoder: p50 TTFT 910 ms, 2.2x its usual 410 ms", 70),
        entry(4, "mark", "", "deployed gateway 1.42.0"),
        event(5, ERRORS, opened, "azure-eu-west: 25 of 210 error_in_stream (12.0 %)", 209),
        event(6, CLOSED, closed, "over after 31s: 9 failed; p50 RTT 11.8 ms before, 12.1 ms after", 12),
        event(7, CLOSED, opened, "gateway-ws: 3 closed in a row: 1012 service restart", 9),
        entry(8, "engine", "", "its loop was 412 ms late"),
    )


def view(rows: tuple[EndpointRow, ...], **changes: object) -> View:
    first = rows[0] if rows else None
    whole = View(
        query=Query(),
        header=header(rows),
        endpoints=rows,
        hidden=0,
        selected=Endpoint(name=first.name, api=first.api, url="https://gateway.example.com") if first else None,
        stream=stream(),
        latency=latency(),
        ping=ping(),
        log=(),
        recent=(RequestRow(184, AT - 2, "complete", 412 * MS, "4bf92f3577b34da6a3ce929d0e0e4736"),),
        trial=None,
        notice="",
        version=1,
        now_ns=761_000 * MS,
    )
    return dataclasses.replace(whole, **changes)  # type: ignore[arg-type]  # fields by name, checked at run time


def calm() -> View:
    """All is well."""
    return view(calm_rows())


def incident() -> View:
    """Several endpoints are sick, and rows cannot be written."""
    rows = sick_rows()
    reason = "the stream ended after event 31 without message_stop"
    name, finding = "sourcegraph-claude", Finding(name=FindingName.BUFFERED, evidence="42 events in one read")
    cut = request(Verdict.TRUNCATED, endpoint=name, number=96, events=31, reason=reason, findings=(finding,))
    return view(
        rows,
        header=header(rows, banner="rows are not written since 14:02:50: No space left on device (212 kept, 0 lost)"),
        selected=Endpoint(name=name, api="anthropic-messages", url="https://gateway.example.com"),
        stream=stream(
            endpoint=name,
            number=96,
            lines=tuple(dataclasses.replace(line, decided=line.number == 31) for line in stream_lines()[:31]),
            request=cut,
        ),
        log=incidents(),
        incidents=(CLOSED, ERRORS, LATE, CUT),
        sentence=SENTENCE,
    )


def empty() -> View:
    """A profile without endpoints."""
    return view((), stream=None, latency=None, ping=None, recent=())


def waiting() -> View:
    """The first second: the first request has been sent and nothing came yet."""
    rows = tuple(fresh_row(name, in_flight=1) for name in ("gateway-claude", "gateway-gpt"))
    nothing = latency(
        figures=tuple((name, quantile(None, 0)) for name in ("p5", "p50", "p75", "p80", "p90", "p95", "p99", "max")),
        n=0,
        failed=0,
        dots=(),
        p50s=(None,) * 60,
        p90s=(None,) * 60,
        usual_ns=None,
        spans=(),
    )
    return view(
        rows,
        stream=stream(in_flight=True, since_sent_ns=1203 * MS, lines=(), text="", request=None, number=1),
        latency=nothing,
        ping=None,
        recent=(),
    )


HOSTILE = (
    "网关-日本語-한국어-名前",
    "🚀 rocket 👩‍🚀 gateway",
    "\x1b]52;c;YQ==\x1b\\[red]x[/]",
    "rtl \u202eevil\u202c\nline",
)


def hostile() -> View:
    """Names and texts that are wide, that are markup, or that would take the terminal over."""
    rows = tuple(
        row(name, api="[@click=app.quit]x[/]", note=name, verdict="not_a_stream", verdict_run=12) for name in HOSTILE
    )
    nasty = HOSTILE[2] + HOSTILE[3]
    lines = tuple(
        StreamLine(
            number, 388 * MS, None, StreamEvent(name=text, kind=EventKind.TEXT, text=text * 3, raw=text, note=text)
        )
        for number, text in enumerate(HOSTILE, 1)
    )
    incidents = tuple(
        LogEntry(at=AT, now_ns=number, kind="finding", endpoint=text, text=text, trace_id=text)
        for number, text in enumerate(HOSTILE)
    )
    return view(
        rows,
        header=header(rows, profile=nasty, banner=nasty),
        stream=stream(
            endpoint=nasty, lines=lines, text="\n".join(HOSTILE * 2), request=request(Verdict.EMPTY, reason=nasty)
        ),
        latency=latency(endpoint=HOSTILE[0]),
        ping=ping(endpoint=HOSTILE[1], last_close=nasty),
        log=incidents,
    )


def crowded(count: int = 20) -> View:
    """More endpoints than most tables show."""
    rows = tuple(
        dataclasses.replace(one, name=f"{one.name}-{index:02d}")
        for index, one in ((index, sick_rows()[index % len(sick_rows())]) for index in range(count))
    )
    return view(rows, log=incidents() * 5)
