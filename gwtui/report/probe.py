"""One probe in full, as text."""

from __future__ import annotations

from collections.abc import Iterable

from gwtui.apis import url_for
from gwtui.apis.base import AskError
from gwtui.model.conversation import turn_text
from gwtui.model.enums import Clock, FindingName
from gwtui.model.metrics import Basis, times_of
from gwtui.model.profile import Endpoint
from gwtui.model.records import Ping, Request, StreamRead
from gwtui.model.stream_view import StreamLine
from gwtui.model.verdicts import Judgement, Verdict, VerdictEntry
from gwtui.monitor.stream_store import stream_lines
from gwtui.report.lines import (
    LABEL_WIDTH,
    EventRow,
    Styler,
    answer_text,
    event_lines,
    plain,
    quoted,
    verdict_lines,
    verdict_text,
)
from gwtui.secrets.resolver import references_of
from gwtui.text import units
from gwtui.text.gateway_texts import figure_rows
from gwtui.text.tables import TextColumn, labelled
from gwtui.verdict.concurrency import in_words, models_table
from gwtui.verdict.http_status import CLIENT_CERTIFICATE

WIDTH = 120
_CLOCKS = {Clock.KERNEL: "kernel, when the packet arrived", Clock.USER: "user, right after the read"}


def probe_text(
    endpoint: Endpoint,
    result: Request | Ping,
    reads: tuple[StreamRead, ...],
    width: int = WIDTH,
    styled: Styler = plain,
) -> str:
    """The verdict and its reason first, then what was asked, times, ids and headers, and every event."""
    events = stream_lines(reads)
    judgement = _judgement(result)
    blocks = [
        verdict_lines(judgement, _entry(endpoint, result), result.findings, styled),
        labelled(_rows(endpoint, result), LABEL_WIDTH),
        labelled(sorted(result.headers.items())),
    ]
    if isinstance(result, Request):
        blocks += [
            _models(result),
            _events(events, judgement.event_number, width) if events else [],
            quoted("the answer begins", result.body_excerpt) or _text(result, events),
        ]
    if events:
        blocks.append([f"{verdict_text(result.verdict, styled)}  {_ending(result)}"])
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _models(result: Request) -> list[str]:
    """How the models of one request answered together; why they are sequential is said among the findings."""
    found = result.concurrency
    if not found.models:
        return []
    is_found = any(finding.name is FindingName.SEQUENTIAL for finding in result.findings)
    return [
        f"  models: {found.verdict if is_found else in_words(found)}",
        *(f"    {line}" for line in models_table(found)),
    ]


def _text(result: Request, events: list[StreamLine]) -> list[str]:
    """The answer's text; metrics have their own rows instead."""
    if result.gateway.is_told:
        return []
    return answer_text(result.text, (line.event for line in events) if len(events) == result.events else ())


def _judgement(result: Request | Ping) -> Judgement:
    event_number = result.event_number if isinstance(result, Request) else None
    return Judgement(verdict=result.verdict, rule=result.rule, reason=result.reason, event_number=event_number)


def _entry(endpoint: Endpoint, result: Request | Ping) -> VerdictEntry:
    """What is known of its verdict; of a refusal where no key was sent, more than of others."""
    entry = result.verdict.entry
    is_about_key = result.verdict is Verdict.AUTH and not result.rule.endswith(CLIENT_CERTIFICATE)
    if is_about_key and not any(references_of(endpoint)):
        return VerdictEntry(entry.meaning, "No key was sent. Use --key env:NAME, or `key` in the configuration.")
    return entry


def _rows(endpoint: Endpoint, result: Request | Ping) -> Iterable[tuple[str, str]]:
    return _request_rows(endpoint, result) if isinstance(result, Request) else _ping_rows(endpoint, result)


def _request_rows(endpoint: Endpoint, result: Request) -> Iterable[tuple[str, str]]:
    phases = result.phases
    yield "endpoint", _named(endpoint)
    yield "url", _url(endpoint)
    yield "model", _model_text(result)
    yield "turn", turn_text(result)
    yield "provider", result.provider
    yield from figure_rows(result.gateway) if result.gateway.is_told else ()
    yield "sent at", units.timestamp(result.started_at)
    yield "phases", _phase_text(result)
    yield "peer", ", ".join(part for part in (phases.address, phases.tls) if part)
    yield "answer", _answer_text(result)
    yield "times", _time_text(result)
    yield "stream", _stream_text(result)
    yield "tokens", _token_text(result)
    yield "no rate", result.no_rate
    yield "trace id", result.trace_id
    yield "request id", result.request_id
    yield "answer id", result.answer_id
    yield "clock", _CLOCKS[result.clock] if result.ttfb_ns is not None else ""
    yield "tainted", _tainted_text(result)


def _ping_rows(endpoint: Endpoint, result: Ping) -> Iterable[tuple[str, str]]:
    yield "endpoint", _named(endpoint)
    yield "url", _url(endpoint)
    yield "sent at", units.timestamp(result.started_at)
    yield "phases", _joined(("connect", result.connect_ns))
    yield "peer", result.address
    yield "times", _time_text(result)
    yield "answer", "" if result.status is None else f"HTTP {result.status} to the handshake"
    yield "closed", "" if result.close_code is None else f"{result.close_code} {result.close_reason}".rstrip()
    yield "trace id", result.trace_id
    yield "request id", result.request_id
    yield "clock", _CLOCKS[result.clock] if result.rtt_ns is not None else ""
    yield "tainted", _tainted_text(result)


def _tainted_text(result: Request | Ping) -> str:
    if not result.tainted:
        return ""
    by = f" by up to {units.duration(result.error_ns)}" if result.error_ns is not None else ""
    return f"gwtui itself was late: times may be wrong{by}"


def _named(endpoint: Endpoint) -> str:
    return endpoint.api if endpoint.name == endpoint.api else f"{endpoint.name} ({endpoint.api})"


def _url(endpoint: Endpoint) -> str:
    try:
        return url_for(endpoint)
    except AskError:
        return endpoint.url


def _joined(*named: tuple[str, int | None]) -> str:
    return ", ".join(f"{name} {units.duration(value)}" for name, value in named if value is not None)


def _phase_text(result: Request) -> str:
    phases = result.phases
    steps = (
        ("dns", phases.dns_ns),
        ("connect", phases.connect_ns),
        ("tls", phases.tls_ns),
        ("send", phases.send_ns or None),
    )
    return ", ".join(part for part in ("kept connection" if phases.reused else "", _joined(*steps)) if part)


def _time_text(result: Request | Ping) -> str:
    return _joined(*((metric.about.words, value) for metric, value in times_of(result)))


def _answer_text(result: Request) -> str:
    if result.status is None:
        return ""
    return ", ".join(part for part in (f"HTTP {result.status}", result.content_type, f"{result.bytes:,} bytes") if part)


def _stream_text(result: Request) -> str:
    if not result.events:
        return ""
    events, reads = units.many(result.events, "event"), units.many(result.reads, "read")
    gaps = [f"{words} {text}" for words, text in units.metric_texts(result, Basis.READS)]
    return ", ".join((f"{events} in {reads}", *gaps))


def _token_text(result: Request) -> str:
    counts = units.tokens(result)
    if not counts:
        return ""
    return ", ".join((counts, *(f"{words} {text}" for words, text in units.metric_texts(result, Basis.TOKENS))))


def _model_text(result: Request) -> str:
    if not result.model_served or result.model_served == result.model:
        return result.model
    return f"asked for {result.model}, served by {result.model_served}"


_EVENT_COLUMNS = (
    TextColumn(4, right=True),
    TextColumn(10, right=True, gap=" "),
    TextColumn(8, right=True, gap=" "),
    TextColumn(most=40),
)


def _events(events: list[StreamLine], decided: int | None, width: int) -> list[str]:
    headings = ("#", "since send", "gap ms", "event")
    return event_lines([_event_row(each) for each in events], _EVENT_COLUMNS, decided, width, headings)


def _event_row(each: StreamLine) -> EventRow:
    """Events of one read share a stamp, so only the first of them has a gap."""
    gap = units.short(each.gap_ns) if each.gap_ns is not None else "·"
    note = "long gap" if each.stands_out else ""
    return EventRow(each.number, each.event, (units.offset(each.since_sent_ns), gap), note)


def _ending(result: Request | Ping) -> str:
    """The figures once more, below what may have scrolled them away."""
    parts = (_time_text(result), _token_text(result)) if isinstance(result, Request) else ()
    return ", ".join(part for part in parts if part)
