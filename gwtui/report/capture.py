"""A decoded capture, as text for a person's eyes and as JSON. A capture has no clock, so there are no times."""

from __future__ import annotations

from typing import Any

import msgspec

from gwtui.decode import Decoded
from gwtui.model.records import StreamEvent
from gwtui.model.verdicts import MEANINGS
from gwtui.report.lines import MARKS, Paint, finding, headers, known, many, named, plain, quoted, shown, table
from gwtui.report.probe import WIDTH


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
        "bytes": decoded.bytes,
        "findings": decoded.findings,
        "headers": decoded.headers,
        "events_detail": [_event(number, event) for number, event in decoded.numbered()],
        "body_excerpt": decoded.body_excerpt,
        "text": decoded.text,
    }
    return msgspec.json.format(msgspec.json.encode(told), indent=2)


def _event(number: int, event: StreamEvent) -> dict[str, Any]:
    return {"number": number, **msgspec.structs.asdict(event)}


def decode_text(decoded: Decoded, width: int = WIDTH, paint: Paint = plain) -> str:
    """The verdict and its reason first, then what the capture holds, and every event."""
    judgement = decoded.judgement
    meaning, cause = MEANINGS[judgement.verdict]
    verdict = paint(f"{MARKS[judgement.verdict.outcome]} {judgement.verdict}", judgement.verdict.outcome)
    at = "" if judgement.event_number is None else f", at event {judgement.event_number}"
    rows = [("reason", judgement.reason), ("hint", cause), ("rule", judgement.rule + at)]
    rows += [("finding", finding(each)) for each in decoded.findings]
    blocks = [
        [f"{verdict}  {meaning}", *table(rows)],
        table(_held(decoded)),
        headers(decoded.headers),
        _events(decoded, width),
        quoted("the answer begins", decoded.body_excerpt) or quoted("text", decoded.text),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _held(decoded: Decoded) -> list[tuple[str, str]]:
    usage = decoded.usage
    counted = usage.input_tokens is not None or usage.output_tokens is not None
    return [
        ("api", decoded.api),
        ("model", decoded.model_served),
        ("answer", "" if decoded.status is None else f"HTTP {decoded.status}"),
        ("stream", f"{many(decoded.event_count, 'event')}, {decoded.bytes:,} bytes"),
        ("tokens", f"{known(usage.input_tokens)} in, {known(usage.output_tokens)} out" if counted else ""),
    ]


def _events(decoded: Decoded, width: int) -> list[str]:
    names = [named(event) for event in decoded.events]
    column = min(max(map(len, names), default=0), 40)
    lines = []
    before = 0
    for name, (number, event) in zip(names, decoded.numbered(), strict=True):
        if missing := number - before - 1:
            lines.append(f"  {'…':>4}  {many(missing, 'event')} in between, too many to show")
        before = number
        decided = "the verdict was decided here" if number == decoded.judgement.event_number else ""
        note = "".join(f"  ◀ {each}" for each in (event.note, decided) if each)
        begin = f"  {number:>4}  {name:<{column}}  "
        lines.append(begin + shown(event, width - len(begin) - len(note)) + note)
    return lines
