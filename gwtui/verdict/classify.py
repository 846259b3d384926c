"""The verdict on one HTTP exchange: how the transport ended, what the status says, what the API's reader saw.

No single sign decides. `complete` needs the expected status, an event stream, no error in any event, content (or a
legal answer without), the API's own proof of the end, and a transport that did not break before that proof.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import partial

from gwtui.apis.base import API, Answer, StreamReader
from gwtui.apis.damage import Damage
from gwtui.apis.headers import Headers, header
from gwtui.apis.http import is_expected_status
from gwtui.apis.requests import model_asked
from gwtui.framing import framing_named, framing_of
from gwtui.framing.base import FramedEvent, Framing
from gwtui.model.content_pace import ContentPace
from gwtui.model.enums import End, FindingName, Kind, Outcome
from gwtui.model.profile import Endpoint
from gwtui.model.records import Finding
from gwtui.model.verdicts import Judgement, Verdict
from gwtui.text.sanitize import clean, excerpt
from gwtui.verdict.buffering import pace_finding
from gwtui.verdict.findings import clock_skew, header_findings
from gwtui.verdict.headroom import cached, near_limit
from gwtui.verdict.http_status import judge_status
from gwtui.verdict.no_stream import foreign_stream, instead_of_stream, looks, typed

NO_DAMAGE = Damage()
SWITCHING_PROTOCOLS = 101
"""The status of a handshake that opened a WebSocket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transport:
    """What was seen of the exchange below the API."""

    end: End
    detail: str = ""
    """The end in words, as the system or the library put it, or the deadline that ran out."""
    status: int | None = None
    """None: no status line came."""
    headers: Headers = ()
    body: bytes = b""
    """The body where it is no stream: whole where it was wanted, its beginning where not."""
    events: int = 0
    """Events of the stream that came."""
    comments: int = 0
    """Signs of life in the stream that were no events (`FrameParser.comments`)."""
    stray: bytes = b""
    """What came in the stream that was no event (`FrameParser.stray`)."""
    unfinished: int = 0
    """Bytes of an event that was begun and never ended (`FrameParser.unfinished`)."""
    unended: FramedEvent | None = None
    """That event, if all that it lacks is the mark of its end (`FrameParser.unended`)."""
    keepalives: int = 0
    """Events of the stream that said nothing but that it is alive."""
    idle_events: int = 0
    """Events at the end of the stream, as far as it came, that showed no progress."""
    damage: Damage = NO_DAMAGE
    """What of the stream was damaged."""
    behind: bytes = b""
    """What came behind the end of the answer."""
    began_at: float = 0.0
    """Wall time of the start, UTC; 0 where it is not known."""
    at: float = 0.0
    """Wall time of the end, UTC: `Retry-After` dates count from it."""

    @property
    def content_type(self) -> str:
        return header(self.headers, "content-type")

    @property
    def media_type(self) -> str:
        """The content type in lower case, without its parameters."""
        return self.content_type.partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdict, all findings, and the whole answer where one was read instead of a stream."""

    judgement: Judgement
    findings: tuple[Finding, ...] = ()
    answer: Answer | None = None


BEFORE_AN_ANSWER: dict[End, Verdict] = {
    End.CLEAN: Verdict.RESET,
    End.RESET: Verdict.RESET,
    End.INCOMPLETE: Verdict.RESET,
    End.NOT_HTTP: Verdict.NOT_HTTP,
    End.DNS: Verdict.DNS,
    End.REFUSED: Verdict.REFUSED,
    End.UNREACHABLE: Verdict.UNREACHABLE,
    End.CONNECT_TIMEOUT: Verdict.CONNECT_TIMEOUT,
    End.TLS: Verdict.TLS,
    End.NO_FIRST_BYTE: Verdict.NO_FIRST_BYTE,
    End.IDLE: Verdict.STALLED,
    End.LEFT: Verdict.RESET,
}
"""Ends that mean something else, or happen only, before a status line came."""
BROKEN: dict[End, Verdict] = {
    End.RESET: Verdict.TRUNCATED,
    End.INCOMPLETE: Verdict.TRUNCATED,
    End.NOT_HTTP: Verdict.TRUNCATED,
    End.TLS: Verdict.TRUNCATED,
    End.NO_FIRST_BYTE: Verdict.STALLED,
    End.NO_FIRST_EVENT: Verdict.STALLED,
    End.NO_FIRST_TOKEN: Verdict.STALLED,
    End.EVENT_GAP: Verdict.STALLED,
    End.IDLE: Verdict.STALLED,
    End.PROXY: Verdict.PROXY,
    End.TOTAL: Verdict.TIMEOUT,
    End.TOO_LARGE: Verdict.TOO_LARGE,
    End.DECODE_ERROR: Verdict.DECODE_ERROR,
    End.NO_KEY: Verdict.NO_KEY,
    End.TLS_FILE: Verdict.TLS_FILE,
    End.CANCELLED: Verdict.CANCELLED,
    End.LOCAL: Verdict.LOCAL,
}
"""Ends that broke the exchange, wherever it was."""
WITHOUT_EVENTS = frozenset({End.NO_FIRST_EVENT, End.NO_FIRST_TOKEN, End.EVENT_GAP})
"""Ends that bytes alone do not put off."""
_ERROR_FIELD = re.compile(rb"^error: ?(?=\{)")
"""The name of the field in which llama.cpp sends its errors, which no event can have."""
JSON_ANSWER = "stream.json-answer"
"""The rule of a good answer that came whole where a stream was asked for."""
_NOTHING_READ = frozenset({Verdict.EMPTY, Verdict.OUT_OF_ORDER})
"""What a reader says of a stream whose bytes are not of the API's framing."""
OURS = frozenset({End.NO_KEY, End.TLS_FILE, End.CANCELLED, End.LOCAL})
"""Ends that say nothing about the gateway."""


def judge(
    endpoint: Endpoint,
    api: API,
    transport: Transport,
    reader: StreamReader | None = None,
    pace: ContentPace | None = None,
) -> Judged:
    """Judge one exchange. `reader` has read the stream's events; None where no event stream came.

    `endpoint` and `api` say what was asked for and what an answer that is no stream has to look like.
    """
    found = tuple(_header_findings(endpoint, api, transport))
    status = transport.status
    if status is None or (transport.end in OURS and not (reader is not None and reader.ended())):
        return Judged(_broken(transport, BEFORE_AN_ANSWER), found)
    plain = api.kind is Kind.HTTP
    switched = status == SWITCHING_PROTOCOLS and reader is not None
    if not 200 <= status < 300 and not switched and not (plain and is_expected_status(endpoint, status)):
        reason = partial(api.refusal_reason, endpoint)
        refusal = judge_status(status, transport.headers, transport.body, reason, transport.at)
        return Judged(refusal, found)
    if reader is not None:
        judgement = transport.damage.judged(judge_stream(transport, reader, api))
        return Judged(judgement, _once(*found, *_stream_findings(transport, reader, api, pace, judgement)))
    if transport.end in BROKEN:
        return Judged(_broken(transport, {}), found)
    answer = api.answer(endpoint, status, transport.body)
    judgement = answer.judgement
    if not plain:
        judgement = judge_whole(transport, answer, api.framing, asked_stream=endpoint.stream)
    return Judged(judgement, _once(*found, *answer.findings), answer)


def _header_findings(endpoint: Endpoint, api: API, transport: Transport) -> Iterator[Finding]:
    asked = model_asked(endpoint, api.default_model) if api.kind is Kind.COMPLETION else ""
    yield from header_findings(transport.headers, asked, transport.status)
    if transport.behind:
        begins = excerpt(transport.behind) or repr(transport.behind)
        words = f"behind the end of the answer came more, which begins: {begins}"
        yield Finding(name=FindingName.BYTES_AFTER_ANSWER, evidence=clean(words))
    if api.kind is Kind.COMPLETION:
        yield from cached(transport.headers, transport.status)
        yield from near_limit(transport.headers, transport.status)
    if (skew := clock_skew(transport.headers, transport.began_at, transport.at)) is not None:
        yield skew


def _once(*findings: Finding) -> tuple[Finding, ...]:
    """Of findings with one name the last, which is what the answer itself says rather than a header."""
    return tuple({finding.name: finding for finding in findings}.values())


def judge_stream(transport: Transport, reader: StreamReader, api: API) -> Judgement:
    """The verdict on a stream of the API's framing, by its content type, whose status was the expected one."""
    seen, framing = reader.end(), api.framing
    if seen.verdict is Verdict.ERROR_IN_STREAM or reader.ended():
        return seen
    if reason := _bare_error(transport, api):
        words = f"after event {transport.events}, outside of any event: {reason}"
        return _judgement(Verdict.ERROR_IN_STREAM, "stream.bare-error", words, transport.events or None)
    if transport.unended is not None and (judgement := _read_on(transport, transport.unended, reader, framing)):
        return judgement
    if seen.verdict in _NOTHING_READ and (other := framing_of(transport.stray)) not in (None, framing):
        return foreign_stream(transport.media_type, transport.stray, other, framing)
    if _came_to_nothing(transport) and seen.verdict is Verdict.EMPTY:
        return _empty_stream(transport, seen, framing)
    if transport.end in BROKEN:
        return _broken(transport, {}, _so_far(transport, seen) + _alive(transport))
    is_whole_line = not transport.unfinished or not framing.reads_unended
    if seen.verdict is Verdict.TRUNCATED and is_whole_line and (page := excerpt(transport.stray)):
        words = f"{seen.reason}; outside of any event came: {page}"
        return _judgement(seen.verdict, seen.rule, words, seen.event_number)
    if seen.verdict is Verdict.TRUNCATED and transport.unfinished:
        words = f"{seen.reason}; {transport.unfinished:,} bytes of another event had begun"
        return _judgement(seen.verdict, seen.rule, words, seen.event_number)
    return seen


def _came_to_nothing(transport: Transport) -> bool:
    """Whether the stream was closed without an event, and without the beginning of one where its end is missing."""
    cut = transport.end is End.INCOMPLETE and not transport.unfinished
    return not transport.events and (cut or transport.end is End.CLEAN)


def _so_far(transport: Transport, seen: Judgement) -> str:
    if transport.events:
        return f"; {seen.reason}"
    return "" if transport.end is End.NO_FIRST_EVENT else "; no event had come"


def _alive(transport: Transport) -> str:
    """What showed that a stream without progress was alive, where that is why it was given up."""
    if transport.end not in WITHOUT_EVENTS:
        return ""
    signs = transport.comments + transport.keepalives
    alive = f"; {signs} comments or keep-alives came" if signs else ""
    idle = transport.idle_events if transport.end is End.EVENT_GAP else 0
    return alive + (f"; {idle} events without content came since" if idle else "")


def _bare_error(transport: Transport, api: API) -> str:
    """The words of an error outside of any event, or ""."""
    return api.error_reason(_ERROR_FIELD.sub(b"", transport.stray))


def _read_on(transport: Transport, event: FramedEvent, reader: StreamReader, framing: Framing) -> Judgement | None:
    """What a last event without the mark of its end makes of the stream; None where it does not help.

    Where clients see nothing of it, it may hold nothing for them.
    """
    copy = deepcopy(reader)
    is_content = copy.event(event).kind.is_content
    seen, at_last = reader.end(), copy.end()
    if framing.reads_unended and at_last.verdict is Verdict.ERROR_IN_STREAM:
        return at_last
    helps = framing.reads_unended or (seen.verdict is Verdict.TRUNCATED and not is_content)
    if at_last.verdict is not Verdict.COMPLETE or not helps or transport.end in BROKEN:
        return None
    words = f"the event after event {transport.events} ends the answer, but its {framing.event_end} is missing"
    return _judgement(Verdict.COMPLETE_UNTERMINATED, f"stream.no-{framing.event_end.replace(' ', '-')}", words)


def _empty_stream(transport: Transport, seen: Judgement, framing: Framing) -> Judgement:
    words = seen.reason
    if transport.comments:
        words = f"{words}, only {transport.comments} {framing.keep_alives}"
    if page := excerpt(transport.stray):
        words = f"{words}, but this: {page}"
    elif transport.unfinished:
        words = f"{words}; {transport.unfinished:,} bytes of one had begun"
    if transport.detail:
        words = f"{words}; {transport.detail}"
    return _judgement(Verdict.EMPTY, seen.rule, words)


def judge_whole(transport: Transport, answer: Answer, framing: Framing, *, asked_stream: bool) -> Judgement:
    """The verdict on a whole answer of an LLM API that ended well, where `framing` is that of its streams."""
    kind = transport.media_type
    if not transport.body.strip():
        rule = "http.204" if transport.status == 204 else "http.empty-body"
        return _judgement(Verdict.EMPTY, rule, f"HTTP {transport.status} with an empty body")
    if asked_stream:
        if answer.judgement.verdict.outcome is Outcome.OK:
            words = "one JSON answer came instead of a stream: a silent fallback to not streaming"
            return _judgement(Verdict.NOT_A_STREAM, JSON_ANSWER, words)
        return instead_of_stream(kind, transport.body, answer.judgement, framing)
    if framing_named(kind) is not None:
        return _judgement(Verdict.WRONG_BODY, "answer.stream", "one answer was asked for, a stream of events came")
    if answer.judgement.verdict is Verdict.WRONG_BODY:
        came = f"{typed(kind)} came, {looks(transport.body)}which begins: {excerpt(transport.body, kind)}"
        return _judgement(Verdict.WRONG_BODY, answer.judgement.rule, f"{answer.judgement.reason}; {came}")
    return answer.judgement


def _broken(transport: Transport, first: dict[End, Verdict], more: str = "") -> Judgement:
    verdict = first.get(transport.end) or BROKEN[transport.end]
    words = (transport.detail or transport.end.value.replace("_", " ")) + more
    number = transport.events if verdict in (Verdict.TRUNCATED, Verdict.STALLED) and transport.events else None
    return _judgement(verdict, f"transport.{transport.end.value.replace('_', '-')}", words, number)


def _stream_findings(
    transport: Transport, reader: StreamReader, api: API, pace: ContentPace | None, judgement: Judgement
) -> Iterator[Finding]:
    yield from reader.findings
    yield from transport.damage.findings
    if reader.ended() and (reason := _bare_error(transport, api)):
        yield Finding(name=FindingName.ERROR_AFTER_END, evidence=reason)
    if pace is not None and (finding := pace_finding(pace)) is not None:
        yield finding
    if judgement.verdict is Verdict.COMPLETE_UNTERMINATED:
        yield Finding(
            name=FindingName.UNTERMINATED,
            evidence=judgement.reason,
        )
    if reader.ended() and transport.end not in (End.CLEAN, End.CANCELLED):
        held_open = transport.end in (End.LEFT, End.IDLE, End.TOTAL)
        yield Finding(
            name=FindingName.OPEN_AFTER_END if held_open else FindingName.BROKEN_AFTER_END,
            evidence=clean(transport.detail or f"the transport's end: {transport.end}"),
        )
    alive = transport.comments + transport.keepalives
    if alive and pace is None and judgement.verdict is not Verdict.ERROR_IN_STREAM and not reader.ended():
        yield Finding(
            name=FindingName.KEEPALIVES_ONLY,
            evidence=f"no content, only {alive} comments or pings",
        )


def _judgement(verdict: Verdict, rule: str, reason: str, event_number: int | None = None) -> Judgement:
    return Judgement(verdict=verdict, rule=rule, reason=clean(reason), event_number=event_number)
