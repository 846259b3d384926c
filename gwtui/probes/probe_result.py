"""What one HTTP probe has seen so far, and the record that it becomes."""

from __future__ import annotations

import time
from collections.abc import Sequence

import msgspec
from msgspec import structs

from gwtui.apis.addresses import address_words
from gwtui.apis.answer_ids import answer_id_in
from gwtui.apis.base import API, Usage
from gwtui.apis.costs import header_cost
from gwtui.apis.damage import Damage
from gwtui.apis.headers import Headers, header, header_cached_tokens, pick_headers, request_id, trace_id
from gwtui.apis.requests import model_asked, models_asked
from gwtui.apis.tokens import seen_tokens
from gwtui.model.concurrency import Concurrency
from gwtui.model.content_pace import ContentPace
from gwtui.model.enums import Clock, End, Kind, Outcome, Trigger
from gwtui.model.gateway_figures import NO_FIGURES
from gwtui.model.metrics import SINCE_SENT, Basis, Metric
from gwtui.model.profile import Endpoint
from gwtui.model.records import Finding, Phases, Request
from gwtui.model.verdicts import Judgement
from gwtui.probes.deadlines import Progress
from gwtui.probes.masking import masked_request
from gwtui.probes.response_reader import TEXT_CHARS, BodyIntake, Intake, StreamIntake
from gwtui.probes.stream_tape import Tape
from gwtui.probes.stream_timing import Timing
from gwtui.secrets.redaction import Redactor
from gwtui.stats.accuracy import in_doubt, latency
from gwtui.stats.model_timelines import UNNAMED, ModelTimelines
from gwtui.text.sanitize import clauses, clean, clean_text, excerpt
from gwtui.transport.dial import Dial, fallbacks
from gwtui.transport.proxies import Proxy, reason_of
from gwtui.transport.trace import ConnectionTrace
from gwtui.verdict.buffering import is_held_back
from gwtui.verdict.classify import Judged, Transport, judge
from gwtui.verdict.concurrency import sequential
from gwtui.verdict.findings import as_expected
from gwtui.verdict.headroom import with_cached_tokens
from gwtui.verdict.http_status import breaker_open, wait_s
from gwtui.verdict.token_rate import rate_of
from gwtui.verdict.tolerance import not_tolerated, tolerant

REASON_CHARS = 1000
"""The most of a reason that is kept: the gateway's own words, and ours behind them."""
NOWHERE = ("http.404", "http.405")
"""What the rules of refusals begin with that a wrong path gets."""


class Result:
    """Filled in while a probe is under way."""

    def __init__(
        self, number: int, trigger: Trigger, planned_ns: int, trace: ConnectionTrace, *, record_text: bool
    ) -> None:
        self.number = number
        self.trigger = trigger
        self.keep_text = record_text or trigger is Trigger.TRIAL
        self.started_at = time.time()
        self.progress = Progress(trace, time.perf_counter_ns())
        self.planned_ns = planned_ns
        self.lateness_ns = max(0, self.progress.began_ns - planned_ns)
        self.sent_trace_id = ""
        self.sent_request_id = ""
        self.status: int | None = None
        self.headers: Sequence[tuple[str, str]] = ()
        self.intake: Intake | None = None
        self.tape: Tape | None = None
        """The bytes of the answer, where they are kept."""
        self.alive_ns = 0
        """When its stream was last reported as alive."""
        self.bytes = 0
        self.behind = b""
        """What came behind the end of the answer."""
        self.findings: list[Finding] = []
        self.end: End | None = None
        self.detail = ""
        self.ended_at = 0.0
        self.ended_ns = 0
        self.ended_error_ns = 0
        """How far that may be from when it ended."""

    @property
    def trace(self) -> ConnectionTrace:
        return self.progress.trace

    @property
    def sent_ns(self) -> int:
        """When the last byte of the request was sent; when the probe began, as long as none was."""
        return self.trace.last_write_ns or self.progress.began_ns

    def again(self, trace: ConnectionTrace) -> None:
        """Start over: what came so far does not count."""
        self.progress.trace = trace
        self.end, self.detail = None, ""
        self.status, self.headers, self.intake, self.bytes, self.behind = None, (), None, 0, b""
        if self.tape is not None:
            self.tape.clear()

    def over(self, end: End, detail: str = "", due_ns: int | None = None) -> None:
        """Note the end. It is now, unless the response ended well, which is when its last bytes came, or the connection
        ended. `due_ns`: the deadline that has passed."""
        self.end, self.detail = end, detail
        self.ended_at = time.time()
        self.ended_ns = now_ns = time.perf_counter_ns()
        trace = self.trace
        if end in (End.CLEAN, End.LEFT) and trace.last_read_ns is not None:
            closed_ns = trace.ended_ns if end is End.CLEAN and not self._is_framed() else None
            self.ended_ns = closed_ns or trace.last_read_ns
            self.ended_error_ns = trace.ended_error_ns if closed_ns else trace.last_byte_error_ns
        elif due_ns is not None:
            self.ended_error_ns = now_ns - due_ns
        elif trace.ended_ns is not None:
            self.ended_ns, self.ended_error_ns = trace.ended_ns, trace.ended_error_ns
        elif end is not End.CANCELLED and trace.last_read_ns is not None:
            self.ended_error_ns = now_ns - trace.last_read_ns + trace.last_byte_error_ns

    def _is_framed(self) -> bool:
        """Whether the response says itself where it ends, so that the end of the connection says nothing."""
        return bool(header(self.headers, "content-length") or header(self.headers, "transfer-encoding"))


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked and when, under the names that a `Request` has for them."""

    endpoint: str
    number: int
    started_at: float
    lateness_ns: int
    planned_ns: int
    sent_ns: int | None
    trigger: Trigger
    api: str
    model: str
    stream: bool


class _Ids(msgspec.Struct, frozen=True, kw_only=True):
    """By what a request is found elsewhere, under the names that a `Request` has for them."""

    trace_id: str
    request_id: str
    sent_request_id: str
    answer_id: str


def record_of(
    result: Result, endpoint: Endpoint, api: API, peer: Dial, redact: Redactor, proxy: Proxy | None
) -> Request:
    """Judge what was seen, and make the row of it, without any key."""
    return masked_request(_record_of(result, endpoint, api, peer, proxy), redact)


def _record_of(result: Result, endpoint: Endpoint, api: API, peer: Dial, proxy: Proxy | None) -> Request:
    trace = result.trace
    stream = result.intake if isinstance(result.intake, StreamIntake) else None
    timing = stream.timing if stream is not None else Timing(result.sent_ns)
    transport = _transport(result)
    pace = timing.pace(result.ended_ns)
    reader = stream.reader if stream is not None else None
    judged = tolerant(endpoint, judge(endpoint, api, transport, reader, _pace_of_one(pace, stream)))
    judgement = judged.judgement
    usage, model_served = _answer(stream, judged)
    seen = seen_tokens(usage, reasoning_came=pace is not None and pace.has_reasoning)
    concurrency = _concurrency(stream, judgement, endpoint, api)
    good = judgement.verdict.outcome is Outcome.OK
    timed = Request(
        **structs.asdict(_asked(result, endpoint, api)),
        **structs.asdict(_ids(result, api, stream, transport)),
        **structs.asdict(timing.times(result.ended_ns, result.ended_error_ns)),
        **structs.asdict(rate_of(pace, seen, held_back=is_held_back(judged.findings))),
        pace=pace,
        concurrency=concurrency,
        now_ns=time.perf_counter_ns(),
        model_served=clean(model_served),
        status=result.status,
        verdict=judgement.verdict,
        rule=judgement.rule,
        reason=clean(_reason(judgement, endpoint, api, proxy), REASON_CHARS),
        event_number=judgement.event_number,
        findings=_findings(result, endpoint, judged, usage, model_served, concurrency),
        duration_ns=trace.since_sent_ns(result.ended_ns),
        ttfb_ns=trace.since_sent_ns(trace.first_read_ns),
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cost_usd=_cost(endpoint, result.headers, usage),
        reasoning_tokens=usage.reasoning_tokens,
        cached_tokens=usage.cached_tokens if usage.cached_tokens is not None else header_cached_tokens(result.headers),
        bytes=result.bytes,
        clock=trace.clock if trace.reads else Clock.USER,
        phases=_phases(trace, peer),
        gateway=judged.answer.figures if judged.answer is not None else NO_FIGURES,
        content_type=clean(transport.content_type),
        headers=pick_headers(result.headers) | usage.told_times,
        retry_after_s=wait_s(result.headers, transport.body, transport.at),
        body_excerpt="" if good or stream is not None else excerpt(transport.body, transport.content_type),
        text=clean_text(_text(result, judged, transport), TEXT_CHARS),
    )
    return _with_errors(timed, result, timing.errors(seen.number), timing.error_ns)


def _asked(result: Result, endpoint: Endpoint, api: API) -> _Asked:
    completes = api.kind is Kind.COMPLETION
    return _Asked(
        endpoint=endpoint.name,
        number=result.number,
        started_at=result.started_at,
        lateness_ns=result.lateness_ns,
        planned_ns=result.planned_ns,
        sent_ns=result.trace.last_write_ns,
        trigger=result.trigger,
        api=endpoint.api,
        model=clean(model_asked(endpoint, api.default_model)) if completes else "",
        stream=completes and endpoint.stream,
    )


def _ids(result: Result, api: API, stream: StreamIntake | None, transport: Transport) -> _Ids:
    answer_id = ""
    if api.kind is Kind.COMPLETION:
        answer_id = stream.answer_id if stream is not None else answer_id_in(transport.body)
    return _Ids(
        trace_id=trace_id(result.headers) or result.sent_trace_id,
        request_id=request_id(result.headers),
        sent_request_id=result.sent_request_id,
        answer_id=answer_id,
    )


def _findings(
    result: Result, endpoint: Endpoint, judged: Judged, usage: Usage, model_served: str, concurrency: Concurrency
) -> tuple[Finding, ...]:
    """All that was found of the connection, the answer and its models, unless the endpoint tolerates it."""
    expected = as_expected(judged.findings, endpoint, result.headers, model_served)
    answer = with_cached_tokens(expected, usage, result.trace.since_sent_ns(result.ended_ns))
    further = (*breaker_open(judged.judgement), *sequential(concurrency))
    return not_tolerated(endpoint, (*fallbacks(result.trace.dial), *result.findings, *answer, *further))


def _with_errors(timed: Request, result: Result, stream: dict[Metric, int], stream_ns: int) -> Request:
    """The row with what its latencies may be wrong by: each counts from the send, and has that error too.

    `stream`: the errors of what was measured of the stream; `stream_ns`: the largest of its stamps.
    """
    trace = result.trace
    own = {Metric.TTFB: trace.first_read_error_ns, Metric.E2E: result.ended_error_ns}
    own |= stream
    sent_ns = trace.write_error_ns
    errors = {metric: each + sent_ns * (metric.about.basis is Basis.SENT) for metric, each in own.items()}
    largest_ns = max(errors[Metric.TTFB], errors[Metric.E2E], sent_ns + stream_ns)
    doubts = errors | {Metric.E2E: largest_ns}
    tainted = any(in_doubt(latency(timed, metric), doubts.get(metric, largest_ns)) for metric in SINCE_SENT)
    sent = trace.last_write_ns is not None
    return structs.replace(timed, errors=errors, error_ns=largest_ns if sent else None, tainted=tainted)


def _transport(result: Result) -> Transport:
    intake = result.intake
    stream = intake if isinstance(intake, StreamIntake) else None
    body = intake.body if isinstance(intake, BodyIntake) else b""
    return Transport(
        end=result.end or End.LOCAL,
        detail=result.detail,
        status=result.status,
        headers=result.headers,
        body=body,
        events=stream.timing.events if stream is not None else 0,
        comments=stream.parser.comments if stream is not None else 0,
        stray=stream.parser.stray if stream is not None else b"",
        damage=stream.damage if stream is not None else Damage(),
        unfinished=stream.parser.unfinished if stream is not None else 0,
        unended=stream.parser.unended if stream is not None else None,
        idle_events=stream.timing.idle_events if stream is not None else 0,
        keepalives=stream.timing.keepalives if stream is not None else 0,
        behind=result.behind,
        began_at=result.started_at,
        at=result.ended_at or time.time(),
    )


def _pace_of_one(pace: ContentPace | None, stream: StreamIntake | None) -> ContentPace | None:
    """The pace of one model, where several wrote side by side."""
    if pace is None or stream is None or stream.models is None:
        return pace
    return pace.shared_by(stream.models.speakers)


def _concurrency(stream: StreamIntake | None, judgement: Judgement, endpoint: Endpoint, api: API) -> Concurrency:
    """How the models of the request answered together; empty where it was to one model."""
    if not api.several_models:
        return Concurrency()
    failed = judgement.verdict.outcome is not Outcome.OK
    silent = clean(f"{judgement.verdict}: {judgement.reason}") if failed else UNNAMED
    models = stream.models if stream is not None and stream.models is not None else ModelTimelines()
    return models.concurrency([clean(model, 80) for model in models_asked(endpoint, api.default_model)], silent)


def _answer(stream: StreamIntake | None, judged: Judged) -> tuple[Usage, str]:
    """Usage and model, from the stream or from the whole answer."""
    source = stream.reader if stream is not None else judged.answer
    return (source.usage, source.model_served) if source is not None else (Usage(), "")


def _reason(judgement: Judgement, endpoint: Endpoint, api: API, proxy: Proxy | None) -> str:
    """Why, with the URL that was asked where nothing was found there."""
    reason = reason_of(judgement, endpoint, proxy)
    if not judgement.rule.startswith(NOWHERE):
        return reason
    asked = address_words(api.ask(endpoint, None).url, endpoint.url, endpoint.path, api.default_path, reason)
    return clauses(clean(reason), asked)


def _cost(endpoint: Endpoint, headers: Headers, usage: Usage) -> float | None:
    """US dollars: as told in the answer or by a header, else by the endpoint's price."""
    told = usage.cost_usd if usage.cost_usd is not None else header_cost(headers)
    known = usage.input_tokens is not None or usage.output_tokens is not None
    if told is not None or endpoint.price is None or not known:
        return told
    return endpoint.price.usd(usage.input_tokens or 0, usage.output_tokens or 0)


def _text(result: Result, judged: Judged, transport: Transport) -> str:
    """What was generated, if it is kept; a trial keeps the body of an answer without it."""
    if not result.keep_text:
        return ""
    if isinstance(result.intake, StreamIntake):
        return result.intake.text
    if judged.answer is not None and judged.answer.text:
        return judged.answer.text
    return transport.body.decode("utf-8", "replace") if result.trigger is Trigger.TRIAL else ""


def _phases(trace: ConnectionTrace, peer: Dial) -> Phases:
    dial = trace.dial
    first, last = trace.first_write_ns, trace.last_write_ns
    return Phases(
        dns_ns=dial.dns_ns if dial is not None else None,
        connect_ns=dial.connect_ns if dial is not None else None,
        tls_ns=dial.tls_ns if dial is not None else None,
        send_ns=last - first if first is not None and last is not None else None,
        reused=dial is None and last is not None,
        address=peer.address,
        tls=peer.tls,
    )
