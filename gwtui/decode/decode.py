"""From a capture to events and a verdict. There is no clock in a capture, so there are no times."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import msgspec

from gwtui.apis import SAVED_APIS
from gwtui.apis.base import AskError, Reading, Usage
from gwtui.apis.damage import Damage, DamageWatch
from gwtui.apis.headers import header, pick_headers
from gwtui.decode.capture import Capture, beginning_of
from gwtui.decode.exchanges import CapturedRequest, CaptureError, Exchange
from gwtui.decode.recognition import ANY_API, Beginning, RecognisedAPI, Sureness, given_api, may_be_answer, recognise
from gwtui.framing import framing_of
from gwtui.framing.base import FramedEvent, Framing, FramingError, FramingLimitError
from gwtui.framing.whole import WholeParser
from gwtui.model.enums import End, EventKind, Outcome
from gwtui.model.profile import Endpoint
from gwtui.model.records import Finding, StreamEvent
from gwtui.model.verdicts import Judgement, Verdict
from gwtui.probes.capture import HALF_EVENTS
from gwtui.probes.masking import EventMask, masked_finding, masked_headers
from gwtui.probes.response_reader import RAW_CHARS, TEXT_CHARS, stream_event
from gwtui.secrets.redaction import Redactor
from gwtui.text.sanitize import clean, clean_text, excerpt
from gwtui.transport.errors import end_of
from gwtui.transport.trace import ConnectionTrace
from gwtui.verdict.classify import Transport, judge

_JSON = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:\{|\[\s*\{)")
"""What a JSON answer begins with."""


class StreamReading:
    """Feed it the body of a stream. `reader` has what the events meant, `parser` what was no event."""

    def __init__(self, framing: Framing, watch: DamageWatch) -> None:
        self.reader = watch.reader
        self._watch = watch
        self.parser = framing.parser()
        self.events = self.keepalives = self.bytes = 0
        self._first: list[StreamEvent] = []
        self._last: deque[StreamEvent | tuple[Reading, str]] = deque(maxlen=HALF_EVENTS)
        self._text: list[str] = []
        self._text_length = 0

    def feed(self, data: bytes) -> None:
        """Raises `FramingError`, after all events before it were read."""
        self.bytes += len(data)
        try:
            events = self.parser.feed(data)
        except FramingError as error:
            self._read(error.events)
            raise
        self._read(events)

    def kept(self) -> tuple[StreamEvent, ...]:
        """At most `HALF_EVENTS` of the beginning, and as many of the end."""
        last = (each if isinstance(each, StreamEvent) else stream_event(*each) for each in self._last)
        return (*self._first, *last)

    @property
    def text(self) -> str:
        return clean_text("".join(self._text), TEXT_CHARS)

    @property
    def damage(self) -> Damage:
        """What of the stream was damaged."""
        return self._watch.damage(self.parser.stray, self.parser.mangled, self.events)

    def _read(self, events: Sequence[FramedEvent]) -> None:
        readings = self._watch.read(events, self.events + 1)
        self.events += len(events)
        keep = self._last.append
        for event, reading in zip(events, readings, strict=True):
            data, kind = event.data, reading.kind
            if kind is EventKind.KEEPALIVE:
                self.keepalives += 1
            elif kind.is_visible and self._text_length < TEXT_CHARS:
                self._text.append(reading.text)
                self._text_length += len(reading.text)
            if len(self._first) < HALF_EVENTS:
                self._first.append(stream_event(reading, data))
            else:
                keep((reading, data) if len(data) <= RAW_CHARS else stream_event(reading, data))


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """What a captured stream holds, and what it is worth. All text is clean."""

    recognised: RecognisedAPI
    """The API, and how it is known."""
    judgement: Judgement
    findings: tuple[Finding, ...] = ()
    events: tuple[StreamEvent, ...] = ()
    """In their order; of a stream that is far too long, only its beginning and its end."""
    skipped: int = 0
    """How many events there are between those."""
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
    """The beginning of a body that is not a stream."""
    is_stream: bool = True
    """Whether it was read as a stream of events, or as one answer."""

    @property
    def event_count(self) -> int:
        return len(self.events) + self.skipped

    def numbered(self) -> Iterator[tuple[int, StreamEvent]]:
        """The events with their numbers in the stream, from 1."""
        for at, event in enumerate(self.events, 1):
            yield at if at <= HALF_EVENTS else at + self.skipped, event


def decode(exchange: Exchange, api: str | None = None, fields: dict[str, str] | None = None) -> Decoded:
    """Read a capture as an answer of that API, or of the one that it shows; `fields` are those of `Endpoint`.

    Memory is bounded however long the capture is; whatever its chunks raise goes on. Raises `CaptureError`.
    """
    given = given_api(api) if api is not None else None
    capture = Capture(exchange)
    if exchange.problem and (capture.status is None or 200 <= capture.status < 300):
        raise CaptureError(exchange.problem)
    beginning = capture.beginning()
    recognised = given or recognise(beginning, exchange.asked) or ANY_API
    is_shown = recognised.sureness is not Sureness.ANY
    if not (is_shown or beginning.has_head or capture.refused or may_be_answer(beginning.body)):
        raise CaptureError(_unknown(beginning))
    decoded = _decoded(recognised, capture, _endpoint(recognised.api, exchange.asked, fields or {}))
    if is_shown:
        return decoded
    if not _is_of_any_api(decoded):
        raise CaptureError(_unknown(beginning))
    why = f"{recognised.why}; the verdict is the same for each"
    return replace(decoded, recognised=replace(recognised, api="", why=why))


def _unknown(beginning: Beginning) -> str:
    begins = beginning_of(beginning.body)
    return f"nothing shows which API the capture is of: choose one with --api; it begins with {begins}"


def _endpoint(api: str, asked: CapturedRequest, fields: dict[str, str]) -> Endpoint:
    """What was asked. If a capture does not show it, no answer counts as one of another model, or as one too many."""
    body = {"model": asked.model, **SAVED_APIS[api].any_answers}
    return Endpoint(
        name="capture", api=api, url="http://capture", body=body, fields=fields, stream=asked.stream is True
    )


def _decoded(recognised: RecognisedAPI, capture: Capture, endpoint: Endpoint) -> Decoded:
    if capture.refused or _is_whole(endpoint, capture):
        return _whole(recognised, endpoint, capture)
    endpoint = msgspec.structs.replace(endpoint, stream=True)
    try:
        reading = StreamReading(SAVED_APIS[endpoint.api].framing, DamageWatch(SAVED_APIS[endpoint.api], endpoint))
    except AskError as error:
        raise CaptureError(str(error)) from error
    return _stream(recognised, endpoint, capture, reading)


def _is_of_any_api(decoded: Decoded) -> bool:
    """Whether the verdict says nothing that is of one API alone."""
    judgement = decoded.judgement
    if judgement.verdict is Verdict.ERROR_IN_STREAM or (judgement.verdict is Verdict.EMPTY and not decoded.event_count):
        return True
    rule = judgement.rule
    return rule == "stream.page" or rule.startswith(("http.", "transport.")) or rule.endswith(".error-in-200")


def _is_whole(endpoint: Endpoint, capture: Capture) -> bool:
    """Whether the capture is one answer rather than a stream: by its headers, or else by how its body begins."""
    api = SAVED_APIS[endpoint.api]
    if capture.status is not None:
        return not (200 <= capture.status < 300 and api.framing.is_type(header(capture.headers, "content-type")))
    beginning, is_all = capture.peek()
    if _JSON.match(beginning) is None:
        return False
    if api.framing.line.match(beginning) is None:
        return True
    # A line of such a stream begins like an answer. The API knows whether it is all of one.
    line, end, _ = beginning.strip().partition(b"\n")
    if end and not line.rstrip().endswith(b"}"):
        return True
    return is_all and api.answer(endpoint, 200, beginning).judgement.verdict is not Verdict.WRONG_BODY


def _stream(recognised: RecognisedAPI, endpoint: Endpoint, capture: Capture, reading: StreamReading) -> Decoded:
    end, detail = None, ""
    try:
        for piece in capture.body(SAVED_APIS[endpoint.api].framing):
            reading.feed(piece)
    except FramingError as error:
        end, detail = end_of(error, ConnectionTrace())
    parser, reader = reading.parser, reading.reader
    transport = Transport(
        end=end or capture.end,
        detail=detail or capture.detail,
        status=capture.status or 200,
        headers=capture.headers or (("content-type", SAVED_APIS[endpoint.api].framing.media_type),),
        events=reading.events,
        comments=parser.comments,
        keepalives=reading.keepalives,
        stray=parser.stray,
        damage=reading.damage,
        unfinished=parser.unfinished,
        unended=parser.unended,
        behind=capture.behind,
    )
    judged = judge(endpoint, SAVED_APIS[endpoint.api], transport, reader)
    kept = reading.kept()
    return Decoded(
        recognised=recognised,
        judgement=judged.judgement,
        findings=judged.findings,
        events=kept,
        skipped=reading.events - len(kept),
        usage=reader.usage,
        model_served=clean(reader.model_served),
        text=reading.text,
        status=capture.status,
        headers=pick_headers(capture.headers) | reader.usage.told_times,
        bytes=reading.bytes,
    )


def _whole(recognised: RecognisedAPI, endpoint: Endpoint, capture: Capture) -> Decoded:
    """A response that is no stream of the API's framing. JSON counts as what was asked for, unless a stream was."""
    whole, too_long = WholeParser(), ""
    try:
        for piece in capture.body():
            whole.feed(piece)
    except FramingLimitError as error:
        too_long = str(error)
    transport = Transport(
        end=End.TOO_LARGE if too_long else capture.end,
        detail=too_long or capture.detail,
        status=None if capture.refused else capture.status or 200,
        headers=capture.headers or ((("content-type", "application/json"),) if capture.status is None else ()),
        body=whole.body,
        behind=capture.behind,
    )
    is_json = _JSON.match(whole.body) is not None and framing_of(whole.body) is None
    asked = msgspec.structs.replace(endpoint, stream=endpoint.stream or not is_json)
    judged = judge(asked, SAVED_APIS[endpoint.api], transport)
    answer = judged.answer
    usage = answer.usage if answer is not None else Usage()
    good = judged.judgement.verdict.outcome is Outcome.OK
    return Decoded(
        recognised=recognised,
        judgement=judged.judgement,
        findings=judged.findings,
        usage=usage,
        model_served=clean(answer.model_served) if answer is not None else "",
        text=clean_text(answer.text, TEXT_CHARS) if answer is not None else "",
        status=capture.status,
        headers=pick_headers(capture.headers) | usage.told_times,
        bytes=whole.unfinished,
        body_excerpt="" if good else excerpt(transport.body, transport.content_type),
        is_stream=False,
    )


def masked(decoded: Decoded, redact: Redactor) -> Decoded:
    """The same with every key masked."""
    if not redact:
        return decoded
    beginning, end = EventMask(redact), EventMask(redact)
    return replace(
        decoded,
        judgement=msgspec.structs.replace(decoded.judgement, reason=redact(decoded.judgement.reason)),
        recognised=replace(decoded.recognised, why=redact(decoded.recognised.why)),
        findings=tuple(masked_finding(finding, redact) for finding in decoded.findings),
        events=(*map(beginning, decoded.events[:HALF_EVENTS]), *map(end, decoded.events[HALF_EVENTS:])),
        model_served=redact(decoded.model_served),
        text=redact(decoded.text),
        headers=masked_headers(decoded.headers, redact),
        body_excerpt=redact(decoded.body_excerpt),
    )
