"""Everything about one request: verdict and rule, phases, figures, ids, headers, findings, events, text."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType

from gwtui import units
from gwtui.records import Ping, Request
from gwtui.ui.drawing import Line, Span, exact, fit, sheet, wrap
from gwtui.ui.panel import Panel
from gwtui.ui.panels.stream import event_line
from gwtui.verdicts import MEANINGS
from gwtui.view import StreamView, View
from gwtui.words import Outcome

LABEL = 14


class DetailsPanel(Panel):
    """Draws the request of the view it was shown, and scrolls."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll(-1)", show=False, id="details.up"),
        Binding("down", "scroll(1)", show=False, id="details.down"),
        Binding("pageup", "scroll(-20)", show=False, id="details.page_up"),
        Binding("pagedown", "scroll(20)", show=False, id="details.page_down"),
        Binding("home", "scroll(-1000000)", show=False, id="details.top"),
        Binding("end", "scroll(1000000)", show=False, id="details.bottom"),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self._top = 0

    def title(self, view: View) -> str:
        stream = view.stream
        return f"{stream.endpoint} #{stream.number}" if stream is not None else "Request"

    def subtitle(self, view: View) -> str:
        return "↑↓ scroll  [ ] older, newer  y copy trace id  esc back"

    def draw(self, view: View, width: int, height: int) -> list[Line]:
        lines = draw_details(view, width)
        self._top = max(0, min(self._top, len(lines) - height))
        return sheet(lines[self._top :], width, height)

    def action_scroll(self, step: int) -> None:
        self._top += step
        self.redraw()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self.action_scroll(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self.action_scroll(-3)


def draw_details(view: View, width: int) -> list[Line]:
    """All lines of it, however many."""
    stream = view.stream
    if stream is None:
        return [(Span("There is no request yet.", "muted"),)]
    lines: list[Line] = []
    if stream.request is None:
        lines += [(Span(f"under way for {units.duration(stream.since_sent_ns)}", "accent"),)]
    else:
        lines += _verdict(stream.request, width)
        lines += _section("Times", _times(stream.request), width)
        lines += _section("Stream", _figures(stream.request), width)
        lines += _section("Ids", _ids(stream.request), width)
        lines += _section("Response headers", tuple(sorted(stream.request.headers.items())), width)
        lines += _findings(stream.request, width)
        lines += _excerpt(stream.request, width)
    lines += _events(stream, width)
    lines += _text(stream, width)
    return lines


def draw_ping(ping: Ping) -> tuple[tuple[str, str], ...]:
    """A ping's facts as pairs, for the same table."""
    return (("RTT", units.duration(ping.rtt_ns)), ("connection", str(ping.connection)), ("trace id", ping.trace_id))


def _verdict(request: Request, width: int) -> list[Line]:
    style = {Outcome.OK: "good", Outcome.FAILED: "bad"}.get(request.outcome, "warn")
    mark = "✔" if request.outcome is Outcome.OK else "✖"
    meaning, cause = MEANINGS[request.verdict]
    decided = f", event {request.event_number}" if request.event_number is not None else ""
    lines: list[Line] = [(Span(f"{mark} {request.verdict}", f"{style} header"), Span(f"  {meaning}", "muted"))]
    lines += [(Span(text, "text"),) for text in wrap(request.reason, width)] if request.reason else []
    lines += [(Span(f"rule {request.rule}{decided}", "faint"),)]
    lines += [(Span(text, "warn"),) for text in wrap(f"Likely cause: {cause}", width)] if cause else []
    return lines


def _section(heading: str, pairs: tuple[tuple[str, str], ...], width: int) -> list[Line]:
    shown = [(name, value) for name, value in pairs if value and value != units.MISSING]
    if not shown:
        return []
    label = max(LABEL, *(len(name) for name, _ in shown)) + 2
    lines: list[Line] = [(), (Span(heading, "header"),)]
    for name, value in shown:
        first, *rest = wrap(value, max(8, width - label))
        lines.append((Span(fit(name, label), "muted"), Span(first)))
        lines += [(Span(" " * label), Span(text)) for text in rest]
    return lines


def _times(request: Request) -> tuple[tuple[str, str], ...]:
    phases = request.phases
    late = units.duration(request.lateness_ns) + ("  the engine was late while measuring" if request.tainted else "")
    return (
        ("started", units.timestamp(request.started_at)),
        ("connection", "kept from an earlier request" if phases.reused else ""),
        ("DNS", units.duration(phases.dns_ns)),
        ("connect", units.duration(phases.connect_ns)),
        ("TLS", units.duration(phases.tls_ns)),
        ("send", units.duration(phases.send_ns)),
        ("first byte", units.duration(request.ttfb_ns)),
        ("first token", units.duration(request.ttft_ns)),
        ("first visible", units.duration(request.ttfo_ns)),
        ("end", units.duration(request.duration_ns)),
        ("lateness", late),
        ("clock", request.clock.value),
        ("peer", "  ".join(part for part in (phases.address, phases.tls) if part)),
    )


def _figures(request: Request) -> tuple[tuple[str, str], ...]:
    status = str(request.status) if request.status is not None else ""
    tokens = "n/a" if request.output_tokens is None else f"{request.input_tokens or 0} in, {request.output_tokens} out"
    asked = request.model
    model = asked if request.model_served in ("", asked) else f"asked {asked}, served {request.model_served}"
    return (
        ("status", f"{status}  {request.content_type}".strip()),
        ("model", model),
        ("events", f"{request.events} in {request.reads} reads, {request.bytes:,} bytes" if request.events else ""),
        ("mean gap", units.duration(request.mean_icl_ns)),
        ("longest gap", units.duration(request.max_gap_ns)),
        ("tokens", tokens if request.stream or request.output_tokens is not None else ""),
        ("speed", f"{units.rate(request.tokens_per_s)} tok/s" if request.tokens_per_s is not None else ""),
        ("TPOT", units.duration(request.tpot_ns)),
    )


def _ids(request: Request) -> tuple[tuple[str, str], ...]:
    return (
        ("trace id", request.trace_id),
        ("request id", request.request_id),
        ("sent id", request.sent_request_id),
    )


def _findings(request: Request, width: int) -> list[Line]:
    lines: list[Line] = [(), (Span("Findings", "header"),)] if request.findings else []
    for finding in request.findings:
        text = f"▲ {finding.name}: {finding.evidence}" + (f" {finding.cause}" if finding.cause else "")
        lines += [(Span(part, "warn"),) for part in wrap(text, width)]
    return lines


def _excerpt(request: Request, width: int) -> list[Line]:
    if not request.body_excerpt:
        return []
    body: list[Line] = [(Span(text, "muted"),) for text in wrap(request.body_excerpt, width)]
    return [(), (Span("The answer begins", "header"),), *body]


def _events(stream: StreamView, width: int) -> list[Line]:
    if not stream.lines:
        return []
    heading = f"Events  {stream.lines_dropped} older ones are no longer kept" if stream.lines_dropped else "Events"
    return [(), (Span(heading, "header"),), *(exact(event_line(line, width), width) for line in stream.lines)]


def _text(stream: StreamView, width: int) -> list[Line]:
    if not stream.text:
        return []
    return [(), (Span("Text", "header"),), *((Span(text, "content"),) for text in wrap(stream.text, width))]
