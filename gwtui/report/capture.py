"""A decoded capture, as text and as JSON. A capture has no clock, so there are no times."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from gwtui.apis.base import Usage
from gwtui.decode import Decoded
from gwtui.decode.kept_streams import KeptStream
from gwtui.decode.recognition import Sureness
from gwtui.model.records import Request, StreamEvent
from gwtui.report.kept_streams import kept_object
from gwtui.report.lines import (
    LABEL_WIDTH,
    EventRow,
    Styler,
    answer_text,
    event_lines,
    plain,
    quoted,
    toned,
    verdict_lines,
)
from gwtui.report.objects import finding_object
from gwtui.report.probe import WIDTH
from gwtui.text import units
from gwtui.text.tables import Row, TextColumn, cut, fitted, labelled, line

_HEADINGS: Row = ("CAPTURE", "API", "VERDICT", "EVENTS", "IN/OUT", "REASON")
_COLUMNS = (TextColumn(), TextColumn(), TextColumn(), TextColumn(right=True), TextColumn(right=True), TextColumn())
_LEAST_NAME = 20
_LEAST_REASON = 24
_EVENT_COLUMNS = (TextColumn(4, right=True), TextColumn(most=40))


@dataclass(frozen=True, slots=True)
class Captured:
    """One capture of several. All text is clean."""

    name: str
    request: str = ""
    """Method, host and path, where they are known."""
    decoded: Decoded | None = None
    """None: it was not read."""
    problem: str = ""
    """Why not."""
    kept: KeptStream | None = None
    """What was read instead, where it is a stream that a session kept."""


def decode_json(decoded: Decoded) -> bytes:
    """One JSON object with the keys of a probe's."""
    return msgspec.json.format(msgspec.json.encode(_object(decoded)), indent=2)


def captures_json(captures: Iterable[Captured]) -> Iterator[bytes]:
    """A JSON list of such objects in its parts, each with the capture's name. One that was not read has `problem`."""
    before = b"["
    for each in captures:
        told = {"problem": each.problem} if each.decoded is None else _object(each.decoded)
        if each.kept is not None:
            told = kept_object(each.kept)
        yield before + msgspec.json.encode({"capture": each.name, "request": each.request, **told})
        before = b","
    yield b"]" if before == b"," else b"[]"


def captures_text(captures: Iterable[Captured], width: int = WIDTH, styled: Styler = plain) -> str:
    """A table with a line for each capture, or two where the reason does not fit beside the rest."""
    named = max(_LEAST_NAME, width // 3)
    rows = [_HEADINGS, *(_row(each, named, styled) for each in captures)]
    columns = fitted(rows, _COLUMNS)
    room = width - sum(column.width + len(column.gap) for column in columns[:-1])
    if room >= _LEAST_REASON:
        return "\n".join(line((*row[:-1], cut(str(row[-1]), room)), columns).rstrip() for row in rows)
    lines = [[line(row[:-1], columns[:-1]).rstrip(), cut(f"  {row[-1]}", width)] for row in rows]
    return "\n".join((lines[0][0], *(each for pair in lines[1:] for each in pair)))


def _object(decoded: Decoded) -> dict[str, Any]:
    judgement = decoded.judgement
    return {
        "api": decoded.recognised.api or None,
        "api_sureness": decoded.recognised.sureness,
        "api_why": decoded.recognised.why,
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
        "cached_tokens": decoded.usage.cached_tokens,
        "bytes": decoded.bytes,
        "findings": [finding_object(each) for each in decoded.findings],
        "headers": decoded.headers,
        "events_detail": [_event(number, event) for number, event in decoded.numbered()],
        "body_excerpt": decoded.body_excerpt,
        "text": decoded.text,
        "stream": decoded.is_stream,
    }


def _event(number: int, event: StreamEvent) -> dict[str, Any]:
    return {"number": number, **msgspec.structs.asdict(event)}


def decode_text(decoded: Decoded, width: int = WIDTH, styled: Styler = plain) -> str:
    """The verdict and its reason first, then what the capture holds, and every event."""
    judgement = decoded.judgement
    is_whole = not decoded.skipped
    rows = [EventRow(number, event) for number, event in decoded.numbered()]
    blocks = [
        verdict_lines(judgement, judgement.verdict.entry, decoded.findings, styled),
        labelled(_held(decoded), LABEL_WIDTH),
        labelled(sorted(decoded.headers.items())),
        event_lines(rows, _EVENT_COLUMNS, judgement.event_number, width),
        quoted("the answer begins", decoded.body_excerpt)
        or answer_text(decoded.text, decoded.events if is_whole else ()),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _row(captured: Captured, named: int, styled: Styler) -> Row:
    """Of a long path its end is kept, which tells captures of one folder apart."""
    name = cut(f"{cut(captured.name[::-1], named)[::-1]} {captured.request}".rstrip(), named)
    decoded = captured.decoded
    if captured.kept is not None:
        return _kept_row(name, captured.kept, styled)
    if decoded is None:
        return (name, "-", "not read", "-", "-", captured.problem)
    verdict, usage = decoded.judgement.verdict, decoded.usage
    return (
        name,
        decoded.recognised.api or "any",
        toned(verdict.replace("_", " "), verdict.outcome, styled),
        f"{decoded.event_count:,}" if decoded.is_stream else "-",
        _in_and_out(usage),
        decoded.judgement.reason,
    )


def _kept_row(name: str, kept: KeptStream, styled: Styler) -> Row:
    result = kept.result
    request = result if isinstance(result, Request) else None
    usage = Usage(request.input_tokens, request.output_tokens) if request is not None else Usage()
    return (
        name,
        kept.endpoint.api,
        toned(result.verdict.replace("_", " "), result.outcome, styled),
        f"{request.events:,}" if request is not None and request.events else "-",
        _in_and_out(usage),
        result.reason,
    )


def _in_and_out(usage: Usage) -> str:
    known = (usage.input_tokens, usage.output_tokens)
    return "-" if known == (None, None) else "/".join("-" if each is None else units.count(each) for each in known)


def _told(decoded: Decoded) -> str:
    recognised = decoded.recognised
    if recognised.sureness is Sureness.GIVEN:
        return recognised.api
    return f"{recognised.api}, {recognised.sureness}: {recognised.why}" if recognised.api else recognised.why


def _held(decoded: Decoded) -> list[tuple[str, str]]:
    usage = decoded.usage
    return [
        ("api", _told(decoded)),
        ("model", decoded.model_served),
        ("answer", "" if decoded.status is None else f"HTTP {decoded.status}"),
        ("stream", f"{units.many(decoded.event_count, 'event')}, {decoded.bytes:,} bytes" if decoded.is_stream else ""),
        ("body", "" if decoded.is_stream else f"{decoded.bytes:,} bytes, read as one answer"),
        ("tokens", units.tokens(usage)),
    ]
