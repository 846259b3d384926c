"""What is printed to the shell: a whole probe, as text and as JSON, and the summary of a session.

`UPDATE_GOLDENS=1 pytest tests/report/test_report.py` renews the texts in `goldens/`.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from support import views

from gwtui.codec.csv_schema import PING_COLUMNS, REQUEST_COLUMNS
from gwtui.model.concurrency import ModelTimeline
from gwtui.model.enums import Clock, EventKind, FindingName, Outcome, State
from gwtui.model.findings import FINDINGS
from gwtui.model.profile import Endpoint
from gwtui.model.query import Query, Window
from gwtui.model.records import Finding, Phases, Ping, Request, StreamEvent, StreamRead
from gwtui.model.verdicts import Verdict
from gwtui.report import probe_json, probe_text, summary
from gwtui.stats.concurrency import analyse
from gwtui.verdict.concurrency import sequential

GOLDENS = Path(__file__).parent.parent / "goldens"
MS = 1_000_000
AT = 1_767_189_802.5
"""14:03:22.5 UTC."""

CLAUDE = Endpoint(name="claude", api="anthropic-messages", url="https://gateway.example.com/llm", key="env:KEY")
SOCKET = Endpoint(name="websocket", api="websocket", url="http://127.0.0.1:9", path="/v2/websocket")

ANSWERED = Request(
    endpoint="claude",
    number=1,
    started_at=AT,
    now_ns=10**9,
    api="anthropic-messages",
    model="claude-3-haiku",
    model_served="claude-3-haiku-20240307",
    status=200,
    verdict=Verdict.COMPLETE,
    rule="anthropic.message_stop",
    reason="message_stop after stop_reason end_turn",
    duration_ns=952 * MS,
    ttfb_ns=264 * MS,
    ttft_ns=310 * MS,
    ttfo_ns=310 * MS,
    mean_icl_ns=21 * MS,
    max_gap_ns=420 * MS,
    tpot_ns=19 * MS,
    tokens_per_s=52.9,
    events=4,
    reads=3,
    input_tokens=1204,
    output_tokens=35,
    bytes=8637,
    clock=Clock.KERNEL,
    phases=Phases(
        dns_ns=1_200_000, connect_ns=3 * MS, tls_ns=12 * MS, send_ns=48_000, address="192.0.2.7:443", tls="TLSv1.3"
    ),
    trace_id="4bf92f3577b34da6a3ce929d0e0e4736",
    request_id="req_1",
    content_type="text/event-stream",
    headers={"content-type": "text/event-stream", "x-trace": "4bf92f3577b34da6a3ce929d0e0e4736"},
    text='def bubble(arr):\n    return "sorted"',
)


def event(name: str, kind: EventKind = EventKind.TEXT, text: str = "", raw: str = "{}", note: str = "") -> StreamEvent:
    return StreamEvent(name=name, kind=kind, text=text, raw=raw, note=note)


def read(first: int, since_ms: int, *events: StreamEvent) -> StreamRead:
    return StreamRead(
        endpoint="claude",
        number=1,
        now_ns=10**9 + since_ms * MS,
        since_sent_ns=since_ms * MS,
        first_event=first,
        events=events,
    )


READS = (
    read(1, 264, event("message_start", EventKind.START, raw='{"type":"message_start","message":{"id":"' + "x" * 90)),
    read(2, 310, event("content_block_delta", text='def bubble(arr):\n    return "sor')),
    read(
        3, 730, event("content_block_delta", text='ted"'), event("message_stop", EventKind.STOP, raw="{}", note="odd")
    ),
)
CUT = msgspec.structs.replace(
    ANSWERED,
    verdict=Verdict.TRUNCATED,
    rule="anthropic.eof-before-message_stop",
    reason="the stream ended after event 3 without message_stop",
    event_number=3,
    findings=(Finding(name=FindingName.BUFFERED, evidence="2 events in one read", cause="a proxy holds bytes back"),),
)
REFUSED = Request(
    endpoint="claude",
    number=1,
    started_at=AT,
    now_ns=10**9,
    api="anthropic-messages",
    model="claude-3-haiku",
    verdict=Verdict.REFUSED,
    rule="transport.refused",
    reason="192.0.2.7:443: Connection refused",
    trace_id="4bf92f3577b34da6a3ce929d0e0e4736",
)
KEYLESS = msgspec.structs.replace(
    ANSWERED,
    verdict=Verdict.AUTH,
    rule="http.401",
    reason="HTTP 401",
    status=401,
    ttft_ns=None,
    ttfo_ns=None,
    events=0,
    input_tokens=None,
    output_tokens=None,
    model_served="",
    text='{"error":"no key"}',
    body_excerpt='{"error":"no key"}',
    content_type="application/json",
    headers={},
)
PONG = Ping(
    endpoint="websocket",
    number=1,
    started_at=AT,
    now_ns=10**9,
    verdict=Verdict.PONG,
    rule="websocket.pong",
    rtt_ns=12_100_000,
    connect_ns=3 * MS,
    connection=1,
    status=101,
    clock=Clock.KERNEL,
    trace_id="4bf92f3577b34da6a3ce929d0e0e4736",
    headers={"x-trace": "4bf92f3577b34da6a3ce929d0e0e4736"},
)
CLOSED = msgspec.structs.replace(
    PONG, verdict=Verdict.CLOSED, rule="websocket.closed", rtt_ns=None, close_code=1012, close_reason="service restart"
)

PROBES: dict[str, tuple[Endpoint, Request | Ping, tuple[StreamRead, ...]]] = {
    "complete": (CLAUDE, ANSWERED, READS),
    "truncated": (CLAUDE, CUT, READS),
    "refused": (CLAUDE, REFUSED, ()),
    "no key sent": (msgspec.structs.replace(CLAUDE, key=None, headers={"X-Team": "a"}), KEYLESS, ()),
    "pong": (SOCKET, PONG, ()),
    "closed": (SOCKET, CLOSED, ()),
}


def same(name: str, text: str) -> None:
    golden = GOLDENS / name
    if os.environ.get("UPDATE_GOLDENS") == "1":
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def test_a_probe_as_text() -> None:
    text = (f"── {name}\n{probe_text(*probe, width=110)}\n" for name, probe in PROBES.items())
    same("probe.txt", "\n".join(text))


def test_a_summary_as_text() -> None:
    everything = replace(views.incident(), query=Query(window=Window.ALL))
    same("summary.txt", "\n\n".join(summary(view) for view in (views.calm(), everything, views.empty())) + "\n")


@pytest.mark.parametrize("width", [60, 80, 200])
def test_events_keep_to_the_width_they_are_given(width: int) -> None:
    events = [line for line in probe_text(*PROBES["complete"], width=width).splitlines() if "message_start" in line]
    assert events
    assert all(len(line) <= max(width, 76) for line in events)


def test_events_that_are_not_kept_are_counted_where_they_belong() -> None:
    text = probe_text(CLAUDE, ANSWERED, (READS[0], read(1000, 730, event("message_stop", EventKind.STOP))))
    assert "     … 998 events in between, too many to show" in text.splitlines()


def test_events_of_several_models_say_whose_they_are() -> None:
    spoken = StreamEvent(name="chunk", kind=EventKind.TEXT, text="hi", model="gpt-4o-mini")
    assert 'chunk gpt-4o-mini  "hi"' in probe_text(CLAUDE, ANSWERED, (read(1, 264, spoken),))


def test_texts_of_several_models_stand_one_after_another() -> None:
    spoken = [
        StreamEvent(name="chunk", kind=EventKind.TEXT, text=text, model=model)
        for model, text in (("alpha", "one "), ("beta", "three"), ("alpha", "two"))
    ]
    result = msgspec.structs.replace(ANSWERED, events=3, text="one threetwo")
    lines = probe_text(CLAUDE, result, (read(1, 264, *spoken),)).splitlines()
    at = lines.index("  text of alpha:")
    assert lines[at : at + 4] == ["  text of alpha:", "    one two", "  text of beta:", "    three"]
    assert "    one threetwo" in probe_text(CLAUDE, result, (read(1, 264, spoken[0]),)).splitlines()


def test_colours_are_what_the_caller_paints() -> None:
    def bracketed(text: str, tone: State | Outcome) -> str:
        return f"<{tone}:{text}>"

    assert probe_text(*PROBES["truncated"], styled=bracketed).startswith("<failed:✖ truncated>")
    assert "<down:✖> sourcegraph-claude" in summary(views.incident(), bracketed)


@pytest.mark.parametrize(
    ("name", "columns", "more"),
    [
        ("truncated", REQUEST_COLUMNS, {"gateway", "phases", "events_detail", "body_excerpt", "text"}),
        ("closed", PING_COLUMNS, {"findings", "phases", "events_detail"}),
    ],
)
def test_a_probe_as_json_has_the_columns_of_its_file_and_what_a_file_has_no_room_for(
    name: str, columns: tuple[str, ...], more: set[str]
) -> None:
    _, result, reads = PROBES[name]
    document = json.loads(probe_json(result, reads))
    assert set(document) == set(columns) | more
    assert document["headers"] == result.headers


def test_the_details_of_a_probe_as_json() -> None:
    document = json.loads(probe_json(CUT, READS))
    assert document["verdict"] == "truncated"
    assert document["findings"] == [
        {
            "name": "buffered",
            "evidence": "2 events in one read",
            "cause": "a proxy holds bytes back",
            "degrades": False,
            "severity": "warning",
            "remedy": FINDINGS[FindingName.BUFFERED].remedy,
        }
    ]
    assert document["phases"]["tls_ms"] == 12
    assert [event["number"] for event in document["events_detail"]] == [1, 2, 3, 4]
    assert document["events_detail"][2] == {
        "number": 3,
        "since_sent_ms": 730.0,
        "gap_ms": 420.0,
        "name": "content_block_delta",
        "kind": "text",
        "text": 'ted"',
        "raw": "{}",
        "note": "",
        "model": "",
    }
    assert document["events_detail"][3]["gap_ms"] is None, "events of one read share a stamp"


def test_a_probe_of_several_models_tells_how_they_answered() -> None:
    models = [
        ModelTimeline(model="alpha", start_ns=MS, first_ns=151 * MS, end_ns=951 * MS, chunks=16),
        ModelTimeline(model="beta", start_ns=951 * MS, first_ns=1101 * MS, end_ns=1901 * MS, chunks=16),
        ModelTimeline(model="gone", error="no such model"),
    ]
    found = analyse(models, ["alpha"] * 16 + ["beta"] * 16, one_stream=True)
    result = msgspec.structs.replace(ANSWERED, concurrency=found)
    lines = probe_text(CLAUDE, result, ()).splitlines()
    at = next(
        at for at, line in enumerate(lines) if line.startswith("  models: SEQUENTIAL: 2 models start 950 ms apart")
    )
    assert lines[at + 2].split() == ["alpha", "+0.001", "+0.151", "150", "ms", "+0.951", "950", "ms", "16"]
    assert lines[at + 4].split() == ["gone", "✖", "no", "such", "model"]
    named = msgspec.structs.replace(result, findings=tuple(sequential(found)))
    text = probe_text(CLAUDE, named, ())
    assert text.count("2 models start 950 ms apart") == 1, "its finding says why"
    assert "  models: SEQUENTIAL" in text.splitlines()
    told = json.loads(probe_json(result, ()))
    assert (told["concurrency"], told["start_spread_ms"], told["speed_up"]) == ("SEQUENTIAL", 950, 1)
    assert told["models"]["models"][1] == {
        "model": "beta",
        "start_ms": 951,
        "first_ms": 1101,
        "first_from_start_ms": 150,
        "end_ms": 1901,
        "duration_ms": 950,
        "chunks": 16,
    }
    assert json.loads(probe_json(ANSWERED, ()))["models"] is None
