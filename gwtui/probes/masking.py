"""Records without keys: all that a gateway said is masked once it is joined, decoded, cleaned and cut.

Names, numbers and rules of our own are left as they are, whatever a key looks like.
"""

from __future__ import annotations

from functools import lru_cache

from msgspec.structs import replace

from gwtui.apis.headers import CONSTANT_NAMES
from gwtui.model.concurrency import Concurrency
from gwtui.model.gateway_figures import GatewayFigures, NamedCounts
from gwtui.model.records import Finding, Ping, Request, StreamEvent
from gwtui.secrets.redaction import MASK, Redactor
from gwtui.secrets.streams import FrameRedactor, RunningRedactor

REQUEST_TEXTS = (
    "model_served",
    "reason",
    "trace_id",
    "request_id",
    "sent_request_id",
    "answer_id",
    "provider",
    "content_type",
    "body_excerpt",
    "text",
)
PING_TEXTS = ("reason", "close_reason", "trace_id", "request_id")
"""Fields whose text comes from a network, or was sent there."""


def masked_request(request: Request, redact: Redactor) -> Request:
    """The request without any key."""
    if not redact:
        return request
    return replace(
        request,
        **{name: redact(getattr(request, name)) for name in REQUEST_TEXTS},
        findings=tuple(masked_finding(finding, redact) for finding in request.findings),
        concurrency=_masked_models(request.concurrency, redact),
        phases=replace(request.phases, tls=redact(request.phases.tls)),
        headers=masked_headers(request.headers, redact),
        gateway=_masked_figures(request.gateway, redact),
    )


def _masked_models(found: Concurrency, redact: Redactor) -> Concurrency:
    models = (replace(each, model=redact(each.model), error=redact(each.error)) for each in found.models)
    return replace(found, models=tuple(models)) if found.models else found


def _masked_figures(figures: GatewayFigures, redact: Redactor) -> GatewayFigures:
    def named(counts: tuple[NamedCounts, ...]) -> tuple[NamedCounts, ...]:
        return tuple(replace(each, name=redact(each.name)) for each in counts)

    if not figures.is_told:
        return figures
    return replace(figures, by_provider=named(figures.by_provider), by_model=named(figures.by_model))


def masked_ping(ping: Ping, redact: Redactor) -> Ping:
    """The ping without any key."""
    if not redact:
        return ping
    texts = {name: redact(getattr(ping, name)) for name in PING_TEXTS}
    findings = tuple(masked_finding(finding, redact) for finding in ping.findings)
    return replace(ping, **texts, findings=findings, headers=masked_headers(ping.headers, redact))


class EventMask:
    """Masks keys in the events of one stream, also those that come in pieces: call it with each event in its order.

    An event in which there is certainly no key costs one look at what is new in it (`gwtui.secrets.streams`).
    """

    def __init__(self, redact: Redactor) -> None:
        self._redact = redact
        self._raw = FrameRedactor(redact)
        self._running = RunningRedactor(redact)
        self._brief = lru_cache(maxsize=64)(redact)
        """For what is the same in most events."""

    def __call__(self, event: StreamEvent) -> StreamEvent:
        piece, whose = event.text, (event.kind, event.model)
        new = self._raw.new(event.raw)
        if self._redact.are_clear(new, *(self._running.around(piece, whose) if piece else ())):
            text, raw = piece, event.raw
            self._raw.passed(raw, new)
            if piece:
                self._running.passed(piece, whose)
        else:
            text = self._running(piece, whose) if piece else ""
            raw = self._raw(event.raw) if text == piece else MASK
        return StreamEvent(
            name=self._brief(event.name),
            kind=event.kind,
            text=text,
            raw=raw,
            note=self._brief(event.note) if event.note else "",
            model=self._brief(event.model) if event.model else "",
        )


def masked_finding(finding: Finding, redact: Redactor) -> Finding:
    """The finding without any key."""
    return replace(finding, evidence=redact(finding.evidence), cause=redact(finding.cause))


def masked_headers(headers: dict[str, str], redact: Redactor) -> dict[str, str]:
    """Header names and values without any key. Names that became the same hold their values one after the other."""
    masked: dict[str, str] = {}
    for name, value in headers.items():
        shown = name if name in CONSTANT_NAMES else redact(name)
        masked[shown] = redact(f"{masked[shown]}, {value}" if shown in masked else value)
    return masked
