"""A stream that a session kept, read and judged by the code that judges live ones, with its stamps: what would be said
of it today."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import msgspec
from msgspec import structs

from gwtui.apis import APIS, SOCKET_APIS
from gwtui.apis.base import API, AskError
from gwtui.apis.damage import DamageWatch
from gwtui.apis.websocket import WEBSOCKET
from gwtui.codec.cells import wall_time
from gwtui.codec.stream_file import KeptRead, StreamFile, StreamFileError, StreamHeader, read_stream_file
from gwtui.framing.base import Framing
from gwtui.framing.messages import MESSAGES, MessageParser
from gwtui.model.enums import Trigger
from gwtui.model.profile import Endpoint
from gwtui.model.records import Finding, Phases, Ping, Request, StreamEvent, StreamRead
from gwtui.model.verdicts import Judgement, Verdict
from gwtui.probes.capture import KeptReads
from gwtui.probes.probe_result import Result, record_of
from gwtui.probes.response_reader import StreamIntake, body_intake
from gwtui.probes.stream_timing import Timing
from gwtui.secrets.resolver import redactor
from gwtui.text.sanitize import clean
from gwtui.transport.dial import Dial
from gwtui.transport.errors import FAILURES, end_of
from gwtui.transport.http1_head import SWITCHING_PROTOCOLS
from gwtui.transport.trace import Arrival, ConnectionTrace

_SENT_NS = 1 << 60
"""When the request was sent, on a clock of our own: no stamp on it is 0."""


@dataclass(frozen=True, slots=True)
class KeptStream:
    """A kept stream with what would be said of it today. All text is clean."""

    file: StreamFile
    endpoint: Endpoint
    result: Request | Ping
    """Judged anew where that can be done, else as it was."""
    reads: tuple[StreamRead, ...]
    not_judged: str = ""
    """Why it cannot be judged anew; empty where it was."""

    @property
    def header(self) -> StreamHeader:
        return self.file.header

    @property
    def differences(self) -> tuple[str, ...]:
        """Where it is judged in another way today than it was, in words."""
        header, result = self.header, self.result
        was, now = _said(header.verdict, header.rule, header.event_number), _said_of(result)
        found = [f"{was} is now {now}"] if was != now else []
        before = {str(each.name) for each in header.findings} - set(header.later)
        names = {str(each.name) for each in result.findings} - set(header.later)
        found += [f"{name} is found now" for name in sorted(names - before)]
        found += [f"{name} is not found any more" for name in sorted(before - names)]
        return tuple(clean(each) for each in found)


def kept_stream(chunks: Iterable[bytes]) -> KeptStream:
    """The stream in a file. Raises StreamFileError where nothing of it can be shown."""
    file = read_stream_file(chunks)
    header, endpoint = file.header, _endpoint(file.header)
    if header.api == WEBSOCKET.name:
        return _kept_ping(file, endpoint)
    api = SOCKET_APIS.get(header.api) or APIS.get(header.api)
    if api is None:
        raise StreamFileError(f"this version does not know its API, {clean(header.api, 60)!r}")
    try:
        request, reads = _judged(file, endpoint, api)
    except AskError as error:
        raise StreamFileError(f"its endpoint cannot be asked by this version: {clean(str(error))}") from error
    anew = KeptStream(file, endpoint, request, reads, _not_judged(file))
    if not anew.not_judged and header.masked and anew.differences:
        anew = replace(anew, not_judged=f"{header.masked:,} places in it are masked")
    return replace(anew, result=_as_it_was(request, header)) if anew.not_judged else anew


def _not_judged(file: StreamFile) -> str:
    header = file.header
    if file.problem:
        return clean(file.problem)
    if header.dropped_bytes:
        return f"{header.dropped_bytes:,} bytes of it are not kept"
    return ""


def _endpoint(header: StreamHeader) -> Endpoint:
    """The endpoint as it was asked. Raises StreamFileError."""
    known = {each.encode_name for each in structs.fields(Endpoint)}
    try:
        return msgspec.convert({name: value for name, value in header.settings.items() if name in known}, Endpoint)
    except (ValueError, RecursionError) as error:
        raise StreamFileError(f"its endpoint is not one of this version: {clean(str(error), 120)}") from error


def _judged(file: StreamFile, endpoint: Endpoint, api: API) -> tuple[Request, tuple[StreamRead, ...]]:
    """The record that a prober would make of it, and its events."""
    header, kept = file.header, KeptReads()
    result = _result(header)
    parser = MessageParser()
    is_socket = header.status == SWITCHING_PROTOCOLS and header.api in SOCKET_APIS
    framing = replace(MESSAGES, parser=lambda: parser) if is_socket else api.framing
    body = None if is_socket else body_intake(endpoint, framing, header.status, header.headers)
    result.intake = body if body is not None else _stream(result, header, endpoint, api, framing, kept)
    result.over(header.end, header.detail)
    try:
        _feed(result, _whole_events(file, framing) if file.header.dropped_bytes else file.reads, header)
    except FAILURES as error:
        result.over(*end_of(error, result.trace))
    if parser.closed is not None and isinstance(result.intake, StreamIntake) and not result.intake.reader.ended():
        SOCKET_APIS[header.api].closed(result.intake.reader, parser.closed)
    result.ended_ns, result.ended_error_ns = _SENT_NS + header.ended_ns, header.ended_error_ns
    result.ended_at = _at(header.ended_at)
    request = record_of(result, endpoint, api, Dial(0), redactor(), None)
    at_capture = {"now_ns": result.ended_ns, "phases": Phases(), "lateness_ns": 0, "planned_ns": 0, "sent_ns": None}
    return structs.replace(request, **at_capture), kept.reads


def _result(header: StreamHeader) -> Result:
    trace = ConnectionTrace(
        first_write_ns=_SENT_NS,
        last_write_ns=_SENT_NS,
        write_error_ns=header.write_error_ns,
        first_read_ns=None if header.first_byte_ns is None else _SENT_NS + header.first_byte_ns,
        first_read_error_ns=header.first_byte_error_ns,
        clock=header.clock,
    )
    result = Result(header.number, Trigger.SCHEDULE, 0, trace, record_text=True)
    result.started_at = _at(header.started_at)
    result.sent_trace_id = header.trace_id
    result.status, result.headers, result.behind = header.status, header.headers, header.behind
    result.findings = list(header.told)
    return result


def _stream(
    result: Result, header: StreamHeader, endpoint: Endpoint, api: API, framing: Framing, kept: KeptReads
) -> StreamIntake:
    def hand_on(stamp_ns: int, first: int, events: tuple[StreamEvent, ...]) -> None:
        since_ns = max(0, stamp_ns - _SENT_NS)
        kept.keep(
            StreamRead(
                endpoint=header.endpoint,
                number=header.number,
                now_ns=stamp_ns,
                since_sent_ns=since_ns,
                first_event=first,
                events=events,
            )
        )

    return StreamIntake(
        framing,
        DamageWatch(api, endpoint),
        Timing(result.sent_ns),
        redactor(),
        hand_on,
        keep_text=True,
        several_models=api.several_models,
    )


def _feed(result: Result, reads: Sequence[KeptRead], header: StreamHeader) -> None:
    """Hand the reads on as they came. Raises what a live stream raises."""
    intake, trace = result.intake, result.trace
    trace.reads = 1 if header.first_byte_ns is not None else 0
    for read in reads:
        arrival = Arrival(_SENT_NS + read.ns, header.clock, read.data, read.error_ns)
        trace.came(arrival)
        result.bytes += len(read.data)
        if intake is None:
            return
        try:
            if not intake.feed(read.data):
                return
            for _ in intake.parts(arrival):
                pass
        finally:
            intake.flush(arrival)


def _whole_events(file: StreamFile, framing: Framing) -> list[KeptRead]:
    """The reads of a stream with a hole in it, without the halves of events on both of its sides."""
    place = file.header.dropped_after or 0
    before, behind = list(file.reads[:place]), list(file.reads[place:])
    if framing.is_binary:
        return before
    marks = (b"\r\n\r\n", b"\n\n") if framing.event_end == "blank line" else (b"\n",)
    return [*_cut_behind(before, marks), *_cut_before(behind, marks)]


def _cut_behind(reads: list[KeptRead], marks: Sequence[bytes]) -> list[KeptRead]:
    while reads:
        last = reads.pop()
        end = max(last.data.rfind(mark) + len(mark) if mark in last.data else 0 for mark in marks)
        if end:
            return [*reads, replace(last, data=last.data[:end])]
    return reads


def _cut_before(reads: list[KeptRead], marks: Sequence[bytes]) -> list[KeptRead]:
    for at, read in enumerate(reads):
        places = [read.data.find(mark) + len(mark) for mark in marks if mark in read.data]
        if places:
            return [replace(read, data=read.data[min(places) :]), *reads[at + 1 :]]
    return []


def _as_it_was(request: Request, header: StreamHeader) -> Request:
    """With the verdict that was given, by a version that saw all of it."""
    verdict = _verdict(header)
    return structs.replace(
        request,
        verdict=verdict,
        rule=clean(header.rule),
        reason=clean(header.reason, 1_000),
        event_number=header.event_number,
        findings=_clean_findings(header.findings),
    )


def _verdict(header: StreamHeader) -> Verdict:
    """Raises StreamFileError."""
    try:
        return Verdict(header.verdict)
    except ValueError as error:
        raise StreamFileError(f"this version does not know its verdict, {clean(header.verdict, 60)!r}") from error


def _clean_findings(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(structs.replace(each, evidence=clean(each.evidence), cause=clean(each.cause)) for each in findings)


def _at(text: str) -> float:
    try:
        return wall_time(text)
    except ValueError:
        return 0.0


def _kept_ping(file: StreamFile, endpoint: Endpoint) -> KeptStream:
    """A ping with what its answer is worth. Of one that came to nothing before any, what was said then."""
    header = file.header
    verdict, not_judged = _verdict(header), _not_judged(file)
    judgement, rtt_ns = Judgement(verdict=verdict, rule=clean(header.rule), reason=clean(header.reason, 1_000)), None
    if verdict in (Verdict.PONG, Verdict.NO_PONG, Verdict.WRONG_PONG) and not not_judged:
        judgement, rtt_ns = _pong(file, endpoint)
    ping = Ping(
        endpoint=clean(header.endpoint),
        number=header.number,
        started_at=_at(header.started_at),
        now_ns=header.ended_ns,
        verdict=judgement.verdict,
        rule=judgement.rule,
        reason=judgement.reason,
        findings=_clean_findings(header.findings),
        rtt_ns=rtt_ns,
        status=header.status,
        clock=header.clock,
        trace_id=clean(header.trace_id),
        request_id=clean(header.request_id),
    )
    return KeptStream(file, endpoint, ping, (), not_judged)


def _pong(file: StreamFile, endpoint: Endpoint) -> tuple[Judgement, int | None]:
    # Late: they bring the library of WebSockets, which most commands do without.
    from gwtui.probes.inbox import ReceivedFrame
    from gwtui.probes.pong import PingQuestion

    header, question = file.header, PingQuestion(endpoint)
    question.payload = header.payload
    is_pong = question.text is None
    frames = (
        ReceivedFrame(read.data if is_pong else _text(read.data), is_pong, read.ns, header.clock, read.error_ns)
        for read in file.reads
    )
    return question.judged(frames, header.ended_ns / 1e9)


def _text(data: bytes) -> str | bytes:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data


def _said(verdict: str, rule: str, event: int | None) -> str:
    return f"{verdict} ({rule}{f', event {event}' if event is not None else ''})"


def _said_of(result: Request | Ping) -> str:
    return _said(result.verdict, result.rule, result.event_number if isinstance(result, Request) else None)
