"""From a capture to events and a verdict. There is no clock in a capture, so there are no times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gwtui.apis import APIS
from gwtui.apis.base import AskError, Usage
from gwtui.apis.gemini_stream import MAX_CANDIDATES
from gwtui.apis.openai_chat_stream import MAX_CHOICES
from gwtui.clean import clean, clean_text
from gwtui.config.faults import did_you_mean
from gwtui.decode.capture import Capture, DecodeError, read_capture
from gwtui.excerpts import excerpt
from gwtui.judging.headers import pick_headers
from gwtui.judging.judge import End, Transport, is_event_stream, judge
from gwtui.keys import Redactor
from gwtui.probes.intake import TEXT_CHARS, StreamIntake
from gwtui.probes.timing import Timing
from gwtui.profile import Endpoint
from gwtui.records import Finding, StreamEvent
from gwtui.sse import SSELimitError
from gwtui.verdicts import Judgement
from gwtui.words import Kind, Outcome

SSE_TYPE = "text/event-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """What a captured stream holds, and what it is worth. All text is clean."""

    api: str
    judgement: Judgement
    findings: tuple[Finding, ...] = ()
    events: tuple[StreamEvent, ...] = ()
    """Numbered from 1 in their order here."""
    usage: Usage
    model_served: str = ""
    text: str = ""
    """The assembled answer."""
    status: int | None = None
    """None where the capture holds no headers."""
    headers: dict[str, str]
    bytes: int
    """Of the body, decoded."""
    body_excerpt: str = ""
    """The beginning of a body that is no event stream."""


def decode(data: bytes, api: str, fields: dict[str, str] | None = None) -> Decoded:
    """Read a capture as a stream of that API; `fields` are those of `Endpoint`. Raises `DecodeError`."""
    if api not in APIS or APIS[api].kind is not Kind.COMPLETION:
        streaming = [name for name, each in APIS.items() if each.kind is Kind.COMPLETION]
        raise DecodeError(f"{clean(api, 60)!r} is no API that streams: {did_you_mean(api, streaming)}")
    capture = read_capture(data)
    # What was asked for is not in a capture: no answer can come from another model, nor be one too many.
    endpoint = Endpoint(name="capture", api=api, url="http://capture", body=_NOTHING_ASKED, fields=fields or {})
    content_type = next((value for name, value in capture.headers if name.lower() == "content-type"), "")
    if capture.status is not None and not (200 <= capture.status < 300 and is_event_stream(content_type)):
        return _whole(endpoint, capture, content_type)
    try:
        return _stream(endpoint, capture)
    except AskError as error:
        raise DecodeError(str(error)) from error


_NOTHING_ASKED: dict[str, Any] = {
    "model": "",
    "models": [],
    "n": MAX_CHOICES,
    "generationConfig": {"candidateCount": MAX_CANDIDATES},
}


def _stream(endpoint: Endpoint, capture: Capture) -> Decoded:
    api = APIS[endpoint.api]
    events: list[StreamEvent] = []
    intake = StreamIntake(
        api.reader(endpoint),
        Timing(0),
        lambda: 0,
        Redactor(),
        lambda stamp, first, more: events.extend(more),
        keep_text=True,
    )
    end, detail = capture.end, capture.detail
    try:
        intake.feed(capture.body)
    except SSELimitError as error:
        end, detail = End.TOO_LARGE, str(error)
    intake.flush()
    transport = Transport(
        end=end,
        detail=detail,
        status=capture.status or 200,
        headers=capture.headers or (("content-type", SSE_TYPE),),
        events=intake.timing.events,
        comments=intake.parser.comments,
        keepalives=intake.timing.keepalives,
        stray=intake.parser.stray,
        unfinished=intake.parser.unfinished,
        unended=intake.parser.unended,
    )
    judged = judge(endpoint, api, transport, intake.reader)
    return Decoded(
        api=endpoint.api,
        judgement=judged.judgement,
        findings=judged.findings,
        events=tuple(events),
        usage=intake.reader.usage,
        model_served=clean(intake.reader.model_served),
        text=intake.text,
        status=capture.status,
        headers=pick_headers(capture.headers),
        bytes=len(capture.body),
    )


def _whole(endpoint: Endpoint, capture: Capture, content_type: str) -> Decoded:
    """A response that says of itself that it is no event stream."""
    transport = Transport(
        end=capture.end, detail=capture.detail, status=capture.status, headers=capture.headers, body=capture.body
    )
    judged = judge(endpoint, APIS[endpoint.api], transport)
    answer = judged.answer
    good = judged.judgement.verdict.outcome is Outcome.OK
    return Decoded(
        api=endpoint.api,
        judgement=judged.judgement,
        findings=judged.findings,
        usage=answer.usage if answer is not None else Usage(),
        model_served=clean(answer.model_served) if answer is not None else "",
        text=clean_text(answer.text, TEXT_CHARS) if answer is not None else "",
        status=capture.status,
        headers=pick_headers(capture.headers),
        bytes=len(capture.body),
        body_excerpt="" if good else excerpt(capture.body, content_type),
    )
