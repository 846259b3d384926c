"""Everything about one probe: verdict and rule, times, figures, ids, headers, events and text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import BindingType

from gwtui.apis.rules import line_to_tolerate
from gwtui.model.concurrency import Together
from gwtui.model.conversation import turn_text
from gwtui.model.enums import FindingName, Outcome
from gwtui.model.metrics import Basis
from gwtui.model.profile import Endpoint
from gwtui.model.records import Ping, Request
from gwtui.model.stream_view import StreamView
from gwtui.model.view import View
from gwtui.text import units
from gwtui.text.gateway_texts import figure_rows
from gwtui.text.sanitize import clauses
from gwtui.ui.keymap import bindings
from gwtui.ui.panel import MovingPanel
from gwtui.ui.panels.marks import outcome_mark, severity_mark
from gwtui.ui.panels.stream import Look, event_line, text_lines
from gwtui.ui.panels.waterfall import waterfall
from gwtui.ui.text_layout import Line, Span, exact, labelled, over, sheet, wrap
from gwtui.verdict.concurrency import in_words, models_table

LABEL = 14
AROUND = 3
"""The number of events shown before and after the one that decided the verdict."""
RAW_LINES = 4
BODY_LINES = 40


def draw_result(view: View, width: int) -> list[Line]:
    """All that is known of the probe but its events and its text."""
    stream, ping = view.stream, view.probed
    if stream is None:
        return _ping(view, ping, width) if ping is not None else [(Span("There is no request yet.", "muted"),)]
    if stream.request is None:
        since = units.duration(stream.since_sent_ns)
        return [(Span("● ", "accent"), Span("under way ", "accent header"), Span(since, "text"))]
    request = stream.request
    return [
        *_verdict(request, width),
        *_decisive(stream, request, width),
        *_findings(request, width),
        *_models(request, width),
        *_gateway(request, width),
        *_heading("Times"),
        *waterfall(request, width),
        *_pairs((*_circumstances(request, view), *_schedule(view)), width),
        *_section("Answer", _figures(request), width),
        *_section("Ids", _ids(request), width),
        *_section("Response headers", tuple(sorted(request.headers.items())), width),
        *_excerpt(request, width),
    ]


def draw_request(endpoint: Endpoint | None, result: Request | Ping | None, width: int) -> list[Line]:
    """The request as the profile makes it: method, URL, headers and body, with references in place of keys."""
    from gwtui.report.copies import asked_of  # with all of the reports: not for a screen that only starts

    asked, _ = asked_of(endpoint, result)
    if asked is None:  # its verdict says why
        return []
    lines = _heading("Request")
    lines += [(Span(text, "text"),) for text in wrap(f"{asked.method} {asked.url}", width)]
    lines += _pairs(asked.headers, width)
    fresh = "traceparent and x-request-id are fresh each time"
    lines += [(Span(text, "faint"),) for text in wrap("; ".join((*asked.notes, fresh)), width)]
    body = wrap(asked.body.decode("utf-8", "replace"), width)
    lines += [(), *((Span(text, "muted"),) for text in body[:BODY_LINES])] if asked.body else []
    left = len(body) - BODY_LINES
    lines += [(Span(f"… {units.many(left, 'further line')}: Y copies all of it", "faint"),)] if left > 0 else []
    return lines


def draw_events(stream: StreamView, width: int, opened: int | None) -> list[tuple[Line, int | None]]:
    """The events, each line with its event's number. Under the opened one stands its data as received."""
    if not stream.lines:
        return []
    dropped = f"  {units.count(stream.lines_dropped)} older ones are not kept" if stream.lines_dropped else ""
    drawn: list[tuple[Line, int | None]] = [((), None), ((Span("Events", "header"), Span(dropped, "faint")), None)]
    look = _look(stream)
    for line in stream.lines:
        shown = exact(event_line(line, width, look), width)
        if line.number != opened:
            drawn.append((shown, line.number))
            continue
        drawn.append((over(shown, "selection"), line.number))
        raw = wrap(line.event.raw or "no data", max(8, width - 4))
        drawn += [((Span("    "), Span(text, "muted")), line.number) for text in raw]
    return drawn


def draw_text(stream: StreamView, width: int) -> list[Line]:
    """What the events carried, put together."""
    return [*_heading("Text"), *text_lines(stream, width)] if stream.text else []


def _heading(text: str) -> list[Line]:
    return [(), (Span(text, "header"),)]


def _verdict(result: Request | Ping, width: int) -> list[Line]:
    mark, style = outcome_mark(result.outcome)
    entry = result.verdict.entry
    number = result.event_number if isinstance(result, Request) else None
    lines: list[Line] = [(Span(f"{mark} {result.verdict}", f"header {style}"), Span(f"  {entry.meaning}", "muted"))]
    lines += [(Span(text, "text"),) for text in wrap(result.reason, width)] if result.reason else []
    lines += [(Span(text, "warn"),) for text in wrap(f"Likely cause: {entry.cause}", width)] if entry.cause else []
    lines += [(Span(text, "muted"),) for text in wrap(f"To do: {entry.remedy}", width)] if entry.remedy else []
    lines += [(Span(f"rule {result.rule}{f', event {number}' if number is not None else ''}", "faint"),)]
    return lines


def _decisive(stream: StreamView, request: Request, width: int) -> list[Line]:
    """Of a stream that did not go well, the event that decided it, with its data, among those around it."""
    if not stream.lines or request.outcome is not Outcome.FAILED:
        return []
    place = next((place for place, line in enumerate(stream.lines) if line.decided), None)
    lines = _heading("Its last events" if place is None else "Where it broke")
    place = len(stream.lines) - 1 if place is None else place
    look = _look(stream)
    for line in stream.lines[max(0, place - AROUND) : place + AROUND + 1]:
        shown = exact(event_line(line, width, look), width)
        lines.append(over(shown, "selection") if line.decided else shown)
        if line.decided:
            raw = wrap(line.event.raw or "no data", max(8, width - 4))
            lines += [(Span("    "), Span(text, "muted")) for text in raw[:RAW_LINES]]
            lines += [(Span("    …", "faint"),)] if len(raw) > RAW_LINES else []
    return lines


def _look(stream: StreamView) -> Look:
    return Look(decided=outcome_mark(stream.request.outcome if stream.request is not None else None)[1])


def _findings(result: Request | Ping, width: int) -> list[Line]:
    lines = _heading("Findings") if result.findings else []
    for finding in result.findings:
        entry = finding.entry
        mark, style = severity_mark(entry.severity)
        words = clauses(finding.evidence or entry.meaning, f"likely cause: {finding.likely_cause}")
        text = f"{mark} {finding.name}: {words}"
        lines += [(Span(part, style),) for part in wrap(text, width)]
        lines += [(Span(part, "muted"),) for part in wrap(f"  To do: {entry.remedy}", width)]
    names, is_failed = (finding.name for finding in result.findings), result.outcome is Outcome.FAILED
    if line := line_to_tolerate(result.rule, names, failed=is_failed):
        lines += [(Span(part, "muted"),) for part in wrap(f"If that is fine, in the endpoint: {line}", width)]
    return lines


def _models(request: Request, width: int) -> list[Line]:
    """How the models of one request answered together; why they are sequential is said among the findings."""
    found = request.concurrency
    if not found.models:
        return []
    is_found = any(finding.name is FindingName.SEQUENTIAL for finding in request.findings)
    style = {Together.SEQUENTIAL: "warn", Together.CONCURRENT: "good", None: "muted"}[found.verdict]
    failed = {each.model for each in found.failed}
    heading, *rows = models_table(found, width=width)
    return [
        *_heading("Models"),
        *((Span(text, style),) for text in ([] if is_found else wrap(in_words(found), width))),
        (Span(heading, "muted"),),
        *(
            (Span(text, "bad" if each.model in failed else "text"),)
            for each, text in zip(found.models, rows, strict=True)
        ),
    ]


def _section(heading: str, pairs: tuple[tuple[str, str], ...], width: int) -> list[Line]:
    lines = _pairs(pairs, width)
    return [*_heading(heading), *lines] if lines else []


def _gateway(request: Request, width: int) -> list[Line]:
    """What the gateway's own counters say."""
    figures = request.gateway
    return _section("The gateway's counters", tuple(figure_rows(figures)), width) if figures.is_told else []


def _pairs(pairs: tuple[tuple[str, str], ...], width: int) -> list[Line]:
    shown = [(name, value) for name, value in pairs if value and value != units.MISSING]
    label = max([LABEL, *(len(name) for name, _ in shown)]) + 2
    return labelled(shown, label, width)


def _circumstances(request: Request, view: View) -> tuple[tuple[str, str], ...]:
    phases = request.phases
    return (
        ("started", units.timestamp(request.started_at, utc=view.query.utc)),
        ("connection", "kept from an earlier request" if phases.reused else ""),
        ("peer", "  ".join(part for part in (phases.address, phases.tls) if part)),
        ("lateness", _lateness(request)),
        ("clock", request.clock.value),
    )


def _schedule(view: View) -> tuple[tuple[str, str], ...]:
    """How old the endpoint's newest result is, and when its next probe is due."""
    name = view.selected.name if view.selected is not None else None
    row = next((row for row in view.endpoints if row.name == name), None)
    if row is None or row.age_ns is None:
        return ()
    due = units.MISSING if row.next_ns is None else f"in {units.brief(row.next_ns)}"
    return ("last result", f"{units.brief(row.age_ns)} ago"), ("next probe", due)


def _lateness(result: Request | Ping) -> str:
    text = units.duration(result.lateness_ns)
    if not result.tainted:
        return text
    by = f"by up to {units.duration(result.error_ns)}" if result.error_ns is not None else "as gwtui was late"
    return f"{text}; times may be off {by}"


def _figures(request: Request) -> tuple[tuple[str, str], ...]:
    status = str(request.status) if request.status is not None else ""
    asked = request.model
    model = asked if request.model_served in ("", asked) else f"asked {asked}, served {request.model_served}"
    return (
        ("status", f"{status}  {request.content_type}".strip()),
        ("model", model),
        ("turn", turn_text(request)),
        ("provider", request.provider),
        ("events", f"{request.events} in {units.many(request.reads, 'read')}" if request.events else ""),
        ("bytes", f"{request.bytes:,}" if request.bytes else ""),
        *units.metric_texts(request, Basis.READS),
        ("tokens", units.tokens(request)),
        *units.metric_texts(request, Basis.TOKENS),
        ("no rate", request.no_rate),
    )


def _ids(request: Request) -> tuple[tuple[str, str], ...]:
    return (
        ("trace id", request.trace_id),
        ("request id", request.request_id),
        ("answer id", request.answer_id),
        ("sent id", request.sent_request_id if request.sent_request_id != request.request_id else ""),
    )


def _excerpt(request: Request, width: int) -> list[Line]:
    if not request.body_excerpt:
        return []
    return [*_heading("The answer begins"), *((Span(text, "muted"),) for text in wrap(request.body_excerpt, width))]


def _ping(view: View, ping: Ping, width: int) -> list[Line]:
    close = "" if ping.close_code is None else f"{ping.close_code} {ping.close_reason}".strip()
    times = (
        *units.metric_texts(ping, Basis.SENT),
        ("connect", units.duration(ping.connect_ns)),
        ("connection", f"{ping.connection}" + (", dialled for this ping" if ping.connect_ns is not None else "")),
        ("peer", ping.address),
        ("close", close),
        ("handshake", str(ping.status or "")),
        ("started", units.timestamp(ping.started_at, utc=view.query.utc)),
        ("lateness", _lateness(ping)),
        ("clock", ping.clock.value),
        *_schedule(view),
    )
    return [
        *_verdict(ping, width),
        *_findings(ping, width),
        *_section("Times", times, width),
        *_section("Ids", (("trace id", ping.trace_id), ("request id", ping.request_id)), width),
        *_section("Response headers", tuple(sorted(ping.headers.items())), width),
    ]


class DetailsPanel(MovingPanel):
    """Draws the probe that a view shows, and scrolls. A click on an event opens it; so does `open_event`."""

    WHEEL = 3
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("details")]

    hints = ""
    """What stands in the lower border."""
    _top = 0
    _opened: int | None = None
    _sought = False
    _numbers: tuple[int | None, ...] = ()
    _asked_of: tuple[object, ...] = ()
    _asked: Sequence[Line] = ()

    def title(self, view: View) -> str:
        newest = " · newest" if view.query.request is None else ""
        if view.stream is not None:
            return f"{view.stream.endpoint} #{view.stream.number}{newest}"
        return f"{view.probed.endpoint} #{view.probed.number}{newest}" if view.probed is not None else "Request"

    def subtitle(self, view: View) -> str:
        return self.hints

    def show(self, view: View) -> None:
        if self.view is not None and self.title(self.view) != self.title(view):
            self._top, self._opened = 0, None
        super().show(view)

    def _request(self, view: View, width: int) -> Sequence[Line]:
        """It is made anew only for another request."""
        result = view.stream.request if view.stream is not None else view.probed
        of = (self.title(view), view.selected, result, width)
        if self._asked_of != of:
            self._asked_of, self._asked = of, draw_request(view.selected, result, width)
        return self._asked

    def open_event(self, number: int) -> None:
        """Show what that event brought, in the middle."""
        self._opened, self._sought = number, True
        self.redraw()

    def draw(self, view: View, width: int, height: int) -> list[Line]:
        whole = (*draw_result(view, width), *self._request(view, width))
        lines: list[tuple[Line, int | None]] = [(line, None) for line in whole]
        if view.stream is not None:
            lines += draw_events(view.stream, width, self._opened)
            lines += [(line, None) for line in draw_text(view.stream, width)]
        self._numbers = tuple(number for _, number in lines)
        if self._sought and self._opened in self._numbers:
            self._top, self._sought = self._numbers.index(self._opened) - height // 3, False
        self._top = max(0, min(self._top, len(lines) - height))
        return sheet([line for line, _ in lines[self._top :]], width, height)

    def action_move(self, lines: int) -> None:
        self._top += lines
        self.redraw()

    def action_event(self, step: int) -> None:
        """Open the event after the one that is open, or the one before; the first one where none is."""
        numbers = list(dict.fromkeys(number for number in self._numbers if number is not None))
        if numbers:
            place = numbers.index(self._opened) + step if self._opened in numbers else 0
            self.open_event(numbers[max(0, min(place, len(numbers) - 1))])

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        y = -1 if offset is None else self._top + offset.y
        if 0 <= y < len(self._numbers) and (number := self._numbers[y]) is not None:
            self._opened = None if number == self._opened else number
            self.redraw()
