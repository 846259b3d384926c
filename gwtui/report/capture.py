"""A decoded capture, as text and as JSON. A capture has no clock, so there are no times."""

from __future__ import annotations

from typing import Any

import msgspec

from gwtui.decode import Decoded
from gwtui.model.records import StreamEvent
from gwtui.report.lines import LABEL_WIDTH, MARKS, Styler, finding_rows, known, named, plain, quoted, shown
from gwtui.report.objects import finding_object
from gwtui.report.probe import WIDTH, between
from gwtui.text import units
from gwtui.text.tables import TextColumn, cells, fitted, labelled, line


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
        "findings": [finding_object(each) for each in decoded.findings],
        "headers": decoded.headers,
        "events_detail": [_event(number, event) for number, event in decoded.numbered()],
        "body_excerpt": decoded.body_excerpt,
        "text": decoded.text,
    }
    return msgspec.json.format(msgspec.json.encode(told), indent=2)


def _event(number: int, event: StreamEvent) -> dict[str, Any]:
    return {"number": number, **msgspec.structs.asdict(event)}


def decode_text(decoded: Decoded, width: int = WIDTH, styled: Styler = plain) -> str:
    """The verdict and its reason first, then what the capture holds, and every event."""
    judgement = decoded.judgement
    meaning, cause = judgement.verdict.entry.meaning, judgement.verdict.entry.cause
    verdict = styled(f"{MARKS[judgement.verdict.outcome]} {judgement.verdict}", judgement.verdict.outcome)
    at = "" if judgement.event_number is None else f", at event {judgement.event_number}"
    rows = [("reason", judgement.reason), ("hint", cause), ("rule", judgement.rule + at)]
    rows += finding_rows(decoded.findings)
    blocks = [
        [f"{verdict}  {meaning}", *labelled(rows, LABEL_WIDTH)],
        labelled(_held(decoded), LABEL_WIDTH),
        labelled(sorted(decoded.headers.items())),
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
        ("stream", f"{units.many(decoded.event_count, 'event')}, {decoded.bytes:,} bytes"),
        ("tokens", f"{known(usage.input_tokens)} in, {known(usage.output_tokens)} out" if counted else ""),
    ]


_EVENT_COLUMNS = (TextColumn(4, right=True), TextColumn(most=40))


def _events(decoded: Decoded, width: int) -> list[str]:
    numbered = list(decoded.numbered())
    rows = [(str(number), named(event)) for number, event in numbered]
    columns = fitted(rows, _EVENT_COLUMNS)
    lines = []
    before = 0
    for row, (number, event) in zip(rows, numbered, strict=True):
        if missing := number - before - 1:
            lines.append(f"  {line(between(missing), (columns[0], TextColumn()))}")
        before = number
        decided = "the verdict was decided here" if number == decoded.judgement.event_number else ""
        note = "".join(f"  ◀ {each}" for each in (event.note, decided) if each)
        begin = f"  {line(row, columns)}  "
        lines.append(begin + shown(event, width - cells(begin) - cells(note)) + note)
    return lines
