"""A decoded capture, as text and as JSON. A capture has no clock, so there are no times."""

from __future__ import annotations

from typing import Any

import msgspec

from gwtui.decode import Decoded
from gwtui.model.records import StreamEvent
from gwtui.report.lines import LABEL_WIDTH, EventRow, Styler, event_lines, plain, quoted, verdict_lines
from gwtui.report.objects import finding_object
from gwtui.report.probe import WIDTH
from gwtui.text import units
from gwtui.text.tables import TextColumn, labelled

_EVENT_COLUMNS = (TextColumn(4, right=True), TextColumn(most=40))


def decode_json(decoded: Decoded) -> bytes:
    """One JSON object with the keys of a probe's."""
    judgement = decoded.judgement
    told: dict[str, Any] = {
        "api": decoded.api,
        "model_served": decoded.model_served,
        "status": decoded.status,
        "outcome": judgement.verdict.outcome,
        "verdict": judgement.verdict,
        "rule": judgement.rule,
        "reason": judgement.reason,
        "event_number": judgement.event_number,
        "events": decoded.event_count,
        "input_tokens": decoded.usage.input_tokens,
        "output_tokens": decoded.usage.output_tokens,
        "reasoning_tokens": decoded.usage.reasoning_tokens,
        "bytes": decoded.bytes,
        "findings": [finding_object(each) for each in decoded.findings],
        "headers": decoded.headers,
        "events_detail": [_event(number, event) for number, event in decoded.numbered()],
        "body_excerpt": decoded.body_excerpt,
        "text": decoded.text,
        "stream": decoded.is_stream,
    }
    return msgspec.json.format(msgspec.json.encode(told), indent=2)


def _event(number: int, event: StreamEvent) -> dict[str, Any]:
    return {"number": number, **msgspec.structs.asdict(event)}


def decode_text(decoded: Decoded, width: int = WIDTH, styled: Styler = plain) -> str:
    """The verdict and its reason first, then what the capture holds, and every event."""
    judgement = decoded.judgement
    rows = [EventRow(number, event) for number, event in decoded.numbered()]
    blocks = [
        verdict_lines(judgement, judgement.verdict.entry, decoded.findings, styled),
        labelled(_held(decoded), LABEL_WIDTH),
        labelled(sorted(decoded.headers.items())),
        event_lines(rows, _EVENT_COLUMNS, judgement.event_number, width),
        quoted("the answer begins", decoded.body_excerpt) or quoted("text", decoded.text),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _held(decoded: Decoded) -> list[tuple[str, str]]:
    usage = decoded.usage
    return [
        ("api", decoded.api),
        ("model", decoded.model_served),
        ("answer", "" if decoded.status is None else f"HTTP {decoded.status}"),
        ("stream", f"{units.many(decoded.event_count, 'event')}, {decoded.bytes:,} bytes" if decoded.is_stream else ""),
        ("body", "" if decoded.is_stream else f"{decoded.bytes:,} bytes, read as one answer"),
        ("tokens", units.tokens(usage.input_tokens, usage.output_tokens, usage.reasoning_tokens)),
    ]
