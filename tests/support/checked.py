"""Records of requests as short tables, for the judges of checks, and evidence made of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from gwtui.apis.base import Reading
from gwtui.checks.evidence import Evidence, Probed
from gwtui.checks.request_sets import CheckTarget, RequestSet
from gwtui.model.enums import EventKind, FindingName
from gwtui.model.profile import Endpoint, Profile
from gwtui.model.records import Finding, Request, StreamEvent, StreamRead
from gwtui.model.verdicts import Verdict
from gwtui.probes.stream_timing import Timing

MS = 1_000_000
SENT_NS = 1_000_000 * MS
MODEL = "claude-3-haiku"


def target(**fields: Any) -> CheckTarget:
    own = {"name": "gw", "api": "anthropic-messages", "url": "http://h", "key": "env:KEY"}
    more = {name: fields.pop(name) for name in ("models", "agent_type", "provoke") if name in fields}
    return CheckTarget(endpoint=Endpoint(**{**own, **fields}), profile=Profile(), **more)


def request(verdict: Verdict = Verdict.COMPLETE, *, ms: float = 400, **fields: Any) -> Request:
    """A request that took `ms`: a good stream unless `fields` say otherwise."""
    own: dict[str, Any] = {
        "endpoint": "gw",
        "number": 1,
        "started_at": 1_000.0,
        "now_ns": SENT_NS + int(ms * MS),
        "api": "anthropic-messages",
        "model": MODEL,
        "model_served": MODEL,
        "verdict": verdict,
        "rule": "anthropic.message_stop",
        "status": 200,
        "duration_ns": int(ms * MS),
        "content_type": "text/event-stream",
        "headers": {"cache-control": "no-cache"},
        "trace_id": "trace-1",
        "request_id": "req-1",
        "sent_request_id": "sent-1",
    }
    return Request(**{**own, **fields})


def refused(status: int, body: object = "", *, ms: float = 5, rule: str = "", **fields: Any) -> Request:
    """A refusal with that status and body."""
    verdicts = {401: Verdict.AUTH, 403: Verdict.AUTH, 404: Verdict.NOT_FOUND, 429: Verdict.RATE_LIMITED}
    verdicts |= {400: Verdict.BAD_REQUEST, 500: Verdict.SERVER_ERROR, 503: Verdict.UNAVAILABLE}
    text = body if isinstance(body, str) else json.dumps(body)
    own = {"content_type": "application/json", "reason": f"HTTP {status}", "text": text, "headers": {}}
    return request(verdicts[status], ms=ms, status=status, rule=rule or f"http.{status}", **{**own, **fields})


def document(value: object, status: int = 200, **fields: Any) -> Request:
    """A JSON document of the gateway's own, or an answer in its place."""
    text = value if isinstance(value, str) else json.dumps(value)
    if status == 200:
        return request(api="http", text=text, content_type="application/json", model="", **fields)
    return refused(status, text, api="http", model="", **fields)


def content(text: str = "x", model: str = "") -> StreamEvent:
    return StreamEvent(name="content_block_delta", kind=EventKind.TEXT, text=text, model=model)


def streamed(result: Request, reads: Sequence[tuple[float, int]]) -> Probed:
    """A stream of reads, each as (ms after the request was sent, number of content events)."""
    kept, number = [], 1
    for at_ms, count in reads:
        kept.append(read(at_ms, number, *(content() for _ in range(count))))
        number += count
    return timed(result, *kept)


def timed(result: Request, *reads: StreamRead) -> Probed:
    """A stream with these reads, timed as a probe times it."""
    timing = Timing(SENT_NS)
    for each in reads:
        timing.add(each.now_ns, [Reading(event.kind) for event in each.events])
    return Probed(replace(result, pace=timing.pace(result.now_ns)), reads)


def read(at_ms: float, first: int, *events: StreamEvent) -> StreamRead:
    since = int(at_ms * MS)
    return StreamRead(
        endpoint="gw", number=1, now_ns=SENT_NS + since, since_sent_ns=since, first_event=first, events=events
    )


def found(name: FindingName, evidence: str = "seen") -> tuple[Finding, ...]:
    return (Finding(name=name, evidence=evidence, cause="a cause"),)


def evidence(of: CheckTarget | None = None, /, **needs: Request | Probed | Sequence[Request | Probed]) -> Evidence:
    """Evidence by the names of needs; one record stands for a need of one request."""
    gathered = {}
    for name, records in needs.items():
        many = [records] if isinstance(records, Request | Probed) else records
        gathered[RequestSet(name)] = tuple(each if isinstance(each, Probed) else Probed(each) for each in many)
    return Evidence(of or target(), gathered)
