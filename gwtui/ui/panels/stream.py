"""The stream of one request as it arrives: events with the gap before each read, the raw data, or the text."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.message import Message

from gwtui.model.enums import EventKind, Outcome
from gwtui.model.metrics import times_of
from gwtui.model.records import Request, StreamEvent
from gwtui.model.stream_view import StreamLine, StreamView
from gwtui.model.view import View
from gwtui.text import units
from gwtui.text.gateway_texts import figure_rows
from gwtui.ui.keymap import bindings
from gwtui.ui.panel import MovingPanel
from gwtui.ui.panels import model_cards, recent
from gwtui.ui.panels.marks import outcome_mark, severity_mark
from gwtui.ui.text_layout import Line, Span, cells, centred, exact, fit, justified, labelled, printable, sheet, wrap

STYLES = {
    EventKind.TEXT: "content",
    EventKind.REASONING: "reasoning",
    EventKind.TOOL: "tool",
    EventKind.ERROR: "bad",
}
NAME_LIMIT = 24
COUNTER_LABEL = 12
LONG_WAIT_NS = 2_000_000_000


class Mode(StrEnum):
    """What of a stream is shown."""

    MODELS = "models"
    EVENTS = "events"
    RAW = "raw"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Look:
    """How the lines of one stream are drawn."""

    mode: Mode = Mode.EVENTS
    name: int = NAME_LIMIT
    """Cells for the events' names."""
    decided: str = "accent"
    """The style of the mark at the event that decided the verdict."""


@dataclass(frozen=True, slots=True)
class Scroll:
    """Which part is shown: the end as it grows, or from line `top` on."""

    follow: bool = True
    top: int = 0

    def first(self, visible: int, count: int) -> int:
        """The first visible line of `count`."""
        last = max(0, count - visible)
        return last if self.follow else max(0, min(self.top, last))


def modes_of(stream: StreamView | None) -> tuple[Mode, ...]:
    """What can be shown of that stream, the usual first: side by side only where it has several models."""
    return tuple(mode for mode in Mode if mode is not Mode.MODELS or (stream is not None and len(stream.models) > 1))


def draw(view: View, width: int, height: int, mode: Mode, scroll: Scroll) -> list[Line]:
    """The visible part of the stream, and in the last line how it stands."""
    stream = view.stream
    if stream is None:
        return _no_stream(view, width, height)
    visible = max(0, height - 1)
    body: list[Line]
    if mode is Mode.MODELS:
        top = scroll.first(visible, count_of(stream, mode, width, visible))
        body = model_cards.draw_cards(stream.models, width, visible, top)
    elif mode is Mode.TEXT:
        texts = text_lines(stream, width)
        first = scroll.first(visible, len(texts))
        body = texts[first : first + visible]
    else:
        first = scroll.first(visible, len(stream.lines))
        shown = stream.lines[first : first + visible]
        name = min(NAME_LIMIT, max((cells(line.event.title) for line in shown), default=0))
        look = Look(mode, name, outcome_mark(stream.request.outcome if stream.request is not None else None)[1])
        body = [event_line(line, width, look) for line in shown]
        if not stream.lines:
            body = _answer(view, stream.request, width)
    return sheet([*sheet(body, width, visible), _status(stream, width)], width, height)


def count_of(stream: StreamView, mode: Mode, width: int, visible: int) -> int:
    """How many lines there are to scroll through."""
    if mode is Mode.MODELS:
        return model_cards.total(len(stream.models), width, visible)
    return len(text_lines(stream, width)) if mode is Mode.TEXT else len(stream.lines)


def text_lines(stream: StreamView, width: int) -> list[Line]:
    """What the events carried, put together; of several models one after another, each under its name."""
    if len(stream.models) < 2:
        return [(Span(text, "content"),) for text in wrap(stream.text, width)]
    lines: list[Line] = []
    for card in stream.models:
        name: Line = (Span(printable(card.timeline.model), "header"),)
        lines += [(), name] if lines else [name]
        lines += [(Span(text, "content"),) for text in wrap(card.text, width)] if card.text else []
    return lines


def _no_stream(view: View, width: int, height: int) -> list[Line]:
    """A WebSocket has no stream: its latest pings stand here. Else there is nothing yet."""
    if not view.recent:
        return centred([(Span("Waiting for the first request", "muted"),)], width, height)
    return sheet([recent.line(row, width, view) for row in view.recent[:height]], width, height)


def event_line(line: StreamLine, width: int, look: Look = Look()) -> Line:
    """One event: when, how long after the read before, what it is called, and what it carried."""
    within_read = line.gap_ns is None and line.number > 1
    gap = "·" if within_read else units.short(line.gap_ns) if line.gap_ns is not None else ""
    head: Line = (
        Span("◆" if line.decided else " ", look.decided),
        Span(fit(units.offset(line.since_sent_ns), 8, right=True), "faint" if within_read else "muted"),
        Span(fit(gap, 7, right=True), "gap" if line.stands_out else "faint" if within_read else "text"),
        Span("◀ " if line.stands_out else "  ", "gap"),
    )
    if look.mode is Mode.RAW:
        return exact((*head, Span(printable(line.event.raw), STYLES.get(line.event.kind, "muted"))), width)
    return exact((*head, Span(fit(line.event.title, look.name), "muted"), Span("  "), *_content(line.event)), width)


def _content(event: StreamEvent) -> Line:
    note = (Span("  " if event.text else ""), Span(printable(event.note), "warn")) if event.note else ()
    if event.text:
        return (
            Span('"', "faint"),
            Span(printable(event.text), STYLES.get(event.kind, "text")),
            Span('"', "faint"),
            *note,
        )
    return note or (Span(printable(event.raw), STYLES.get(event.kind, "faint")),)


def _answer(view: View, request: Request | None, width: int) -> list[Line]:
    """What came instead of events: the answer's beginning where there was one, else the latest requests."""
    if request is None:
        return []
    if request.gateway.is_told:
        return labelled(figure_rows(request.gateway), COUNTER_LABEL, width)
    content = request.body_excerpt or request.text
    rest: list[Line] = [(Span(text, "muted"),) for text in wrap(content, width)] if content else []
    if not rest:
        rest = [recent.line(row, width, view) for row in view.recent]
    if request.status is None:
        return rest
    head = (Span(f"{request.status}", "header"), Span("  "), Span(printable(request.content_type), "muted"))
    return [head, (), *rest]


def _status(stream: StreamView, width: int) -> Line:
    """How it stands; and at the right a newer request that waits, louder the longer it does."""
    if stream.waiting is None:
        return exact(_standing(stream), width)
    number, since_ns = stream.waiting
    waiting = Span(f"◌ #{number} {units.duration(since_ns)}", "warn" if since_ns >= LONG_WAIT_NS else "muted")
    return justified(_standing(stream), (waiting,), width)


def _standing(stream: StreamView) -> Line:
    if stream.request is not None:
        return _result(stream.request)
    since = units.duration(stream.since_sent_ns)
    if not stream.in_flight:
        return (Span("○ ", "faint"), Span("no result was kept", "muted"))
    if not stream.lines:
        return (Span("◌ ", "accent"), *_awaited(stream.comments, since))
    shown = f"{since} · {units.many(stream.lines_dropped + len(stream.lines), 'event')}"
    if not stream.text and not stream.lines_dropped:
        return (Span("◌ ", "accent"), Span("waiting for content … ", "muted"), Span(shown))
    return (Span("● ", "accent"), Span("streaming ", "muted"), Span(shown))


def _awaited(comments: int | None, since: str) -> Line:
    if comments is None:
        return (Span("waiting for the answer … ", "muted"), Span(since))
    alive = "its headers came" if not comments else f"alive, comments: {units.count(comments)}"
    return (Span("waiting for the first event … ", "muted"), Span(since), Span(f" · {alive}", "muted"))


def _result(request: Request) -> Line:
    """Verdict and figures; of a failure the reason, which is worth more than its figures."""
    mark, style = outcome_mark(request.outcome)
    spans = [Span(f"{mark} {request.verdict}", style)]
    if request.tainted:
        spans.append(Span("  tainted", "warn"))
    for finding in request.findings:
        mark, style = severity_mark(finding.entry.severity)
        spans.append(Span(f"  {mark} {printable(finding.name.value)}", style))
    if request.outcome is Outcome.FAILED and request.reason:
        spans += [Span("  "), Span(printable(request.reason), "text")]
    facts = [
        _together(request),
        *(f"{metric.label} {units.duration(value)}" for metric, value in times_of(request) if metric.about.headline),
        units.many(request.events, "event") if request.events else "",
        f"{units.count(request.output_tokens)} tokens" if request.output_tokens is not None else "",
        f"{units.rate(request.tokens_per_s)} tok/s" if request.tokens_per_s is not None else "",
    ]
    spans += [Span(f" · {fact}" if place else f"  {fact}", "muted") for place, fact in enumerate(filter(None, facts))]
    return tuple(spans)


def _together(request: Request) -> str:
    """How its models answered, of a request to several."""
    found = request.concurrency
    if found.verdict is not None:
        return f"{found.verdict}, {found.speed_up:.1f} times as fast"
    return f"no verdict on {units.many(len(found.models), 'model')}" if len(found.models) > 1 else ""


class StreamPanel(MovingPanel):
    """Follows the stream's end until the user scrolls back; `end` follows again."""

    NUMBER = 2
    FADES = True
    WHEEL = 3
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("stream")]

    class EventChosen(Message):
        """An event was clicked; `number` counts from 1 within the stream."""

        def __init__(self, endpoint: str, request: int, number: int) -> None:
            super().__init__()
            self.endpoint = endpoint
            self.request = request
            self.number = number

    class Held(Message):
        """The user scrolled back in request `number` and wants it kept in view; None: follow the newest again."""

        def __init__(self, number: int | None) -> None:
            super().__init__()
            self.number = number

    _mode: Mode | None = None
    """What the user chose; None: what is usual for the stream."""
    _scroll = Scroll()
    _holding = False

    @property
    def following(self) -> bool:
        return self._scroll.follow

    @property
    def mode(self) -> Mode:
        """What is shown."""
        modes = modes_of(self.view.stream if self.view is not None else None)
        return self._mode if self._mode in modes else modes[0]

    def cycle_mode(self) -> None:
        """Events, then raw data, then the text, then events again; of several models they side by side first."""
        modes = modes_of(self.view.stream if self.view is not None else None)
        at = (modes.index(self.mode) + 1) % len(modes)
        self._mode = modes[at] if at else None
        self._scroll = Scroll(follow=self.mode is not Mode.MODELS)
        self.redraw()

    def show(self, view: View) -> None:
        was, now = self.view.stream if self.view is not None else None, view.stream
        if was is None or now is None or (was.endpoint, was.number) != (now.endpoint, now.number):
            self._scroll, self._holding = Scroll(follow=len(now.models) < 2 if now is not None else True), False
        elif self.mode in (Mode.EVENTS, Mode.RAW):
            gone = now.lines_dropped - was.lines_dropped
            self._scroll = replace(self._scroll, top=max(0, self._scroll.top - gone))
        super().show(view)

    def title(self, view: View) -> str:
        if view.stream is not None:
            return f"Stream · {view.stream.endpoint} #{view.stream.number}"
        if view.probed is not None:
            return f"Stream · {view.probed.endpoint}, its latest pings"
        return f"Stream · {view.selected.name}" if view.selected is not None and view.recent else "Stream"

    def subtitle(self, view: View) -> str:
        if view.stream is None:
            return ""
        modes = " ".join(f"[{mode}]" if mode is self.mode else mode for mode in modes_of(view.stream))
        below = 0 if self._scroll.follow else self._count() - self._first() - self._visible
        if self.mode is Mode.MODELS:
            return f"{self._which(view.stream)}{modes}"
        return f"{below} more below · {modes}" if below > 0 else modes

    def draw(self, view: View, width: int, height: int) -> list[Line]:
        return draw(view, width, height, self.mode, self._scroll)

    @property
    def _visible(self) -> int:
        return max(0, self.size.height - 1)

    def _count(self) -> int:
        stream = self.view.stream if self.view is not None else None
        return 0 if stream is None else count_of(stream, self.mode, self.size.width, self._visible)

    def _which(self, stream: StreamView) -> str:
        """The cards that are visible, where there are more."""
        count = len(stream.models)
        first, last = model_cards.shown(count, self.size.width, self._visible, self._first())
        return f"{first}-{last} of {count} · " if (first, last) != (1, count) else ""

    def _first(self) -> int:
        return self._scroll.first(self._visible, self._count())

    def action_move(self, lines: int) -> None:
        """Scroll by that many lines; arriving at the end follows it again."""
        stream = self.view.stream if self.view is not None else None
        if stream is None:
            return
        last = max(0, self._count() - self._visible)
        top = max(0, min(self._first() + lines, last))
        self._scroll = Scroll(follow=top >= last, top=top)
        self._hold(stream)
        self.redraw()

    def _hold(self, stream: StreamView) -> None:
        """Keep a request in view while the user reads back in it. One that the user chose stays anyway."""
        if self._scroll.follow and self._holding:
            self._holding = False
            self.post_message(self.Held(None))
        elif not self._scroll.follow and stream.newest:
            self._holding = True
            self.post_message(self.Held(stream.number))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        stream = self.view.stream if self.view is not None else None
        if offset is None or stream is None or self.mode in (Mode.TEXT, Mode.MODELS) or offset.y >= self._visible:
            return
        for line in stream.lines[self._first() + offset.y :][:1]:
            self.post_message(self.EventChosen(stream.endpoint, stream.number, line.number))
