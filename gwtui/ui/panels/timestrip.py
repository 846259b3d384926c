"""The time strip under the header: the whole session in one row, with the moment that is looked at."""

from __future__ import annotations

from itertools import groupby

from textual import events
from textual.message import Message

from gwtui.model.enums import State
from gwtui.model.strip import Strip
from gwtui.model.view import View
from gwtui.text import units
from gwtui.ui.panel import Panel
from gwtui.ui.text_layout import Line, Span, cells, sheet

SHAPES: dict[State | None, str] = {State.UP: "─", State.UNKNOWN: "·", None: " "}
"""Of states that are not drawn by their own mark, so that those to look for stand out."""
WORST = (State.DOWN, State.DEGRADED, State.SLOW, State.UP, State.PAUSED, State.UNKNOWN, None)
DAY_NS = 86_400 * 10**9
LEAST = 16
"""Columns of buckets without which there are no clocks beside them."""


def draw(view: View, width: int, height: int) -> list[Line]:
    """A clock at each end, and between them the worst state of each bucket; empty where there is no strip."""
    strip = view.strip
    if strip is None or not strip.cells:
        return sheet([], width, height)
    before, after = _clocks(view, strip, width)
    drawn = [_column(strip, x, width - cells(before) - cells(after)) for x in range(width - cells(before + after))]
    here = strip.index(view.now_ns) if view.query.at_ns is not None else -1
    pieces = [Span(text, f"{style} moment" if first <= here <= last else style) for text, style, (first, last) in drawn]
    joined = (Span("".join(text for text, _ in group), style) for style, group in groupby(pieces, lambda each: each[1]))
    return sheet([(Span(before, "muted"), *joined, Span(after, "muted"))], width, height)


def index_at(view: View, x: int, width: int) -> int:
    """The bucket that column `x` of a strip of that width shows; of several the last. The clocks belong to its ends."""
    strip = view.strip
    if strip is None or not strip.cells:
        return 0
    before, after = _clocks(view, strip, width)
    room = max(1, width - cells(before + after))
    return _buckets(len(strip.cells), max(0, min(x - cells(before), room - 1)), room)[1]


def _clocks(view: View, strip: Strip, width: int) -> tuple[str, str]:
    """When the session began and its newest moment; with the day where it lasted days."""
    newest_ns = view.now_ns + view.header.behind_ns
    clock = units.day_clock if newest_ns - strip.start_ns >= DAY_NS else units.clock
    begin, end = (clock(strip.clock(at_ns), utc=view.query.utc) for at_ns in (strip.start_ns, newest_ns))
    return (f" {begin} ", f" {end} ") if width - cells(begin + end) - 4 >= LEAST else ("", "")


def _buckets(count: int, x: int, width: int) -> tuple[int, int]:
    """The first and the last of `count` buckets that column `x` of `width` shows."""
    return x * count // width, max(x * count // width, (x + 1) * count // width - 1)


def _column(strip: Strip, x: int, width: int) -> tuple[str, str, tuple[int, int]]:
    """The text and the style of a column, and its buckets. A mark is drawn in the first column of its bucket."""
    first, last = _buckets(len(strip.cells), x, width)
    state = min((cell.state for cell in strip.cells[first : last + 1]), key=WORST.index)
    style = state.value if state is not None else "faint"
    is_new = x == 0 or _buckets(len(strip.cells), x - 1, width)[1] < first
    if is_new and any(cell.marks for cell in strip.cells[first : last + 1]):
        return "◆", f"{style} accent" if state in (State.UP, None) else style, (first, last)
    return SHAPES.get(state) or (state.mark if state is not None else " "), style, (first, last)


class TimeStrip(Panel, can_focus=False):
    """A click or a drag asks for a moment, the wheel for the bucket before or after."""

    DEFAULT_CSS = "TimeStrip, TimeStrip.-foreign-theme { height: 1; border: none; padding: 0; }"

    class MomentMoved(Message):
        """That moment is wanted; None: now."""

        def __init__(self, at_ns: int | None) -> None:
            super().__init__()
            self.at_ns = at_ns

    _dragged: int | None = None
    """The bucket that the pointer was dragged to; None while no button is held."""

    def draw(self, view: View, width: int, height: int) -> list[Line]:
        return draw(view, width, height)

    def _move(self, index: int) -> None:
        if self.view is not None and self.view.strip is not None and self.view.strip.cells:
            self.post_message(self.MomentMoved(self.view.strip.moment(index)))

    def _drag(self, x: int) -> None:
        if self.view is not None and (index := index_at(self.view, x, self.size.width)) != self._dragged:
            self._dragged = index
            self._move(index)

    def _step(self, step: int) -> None:
        if self.view is not None and self.view.strip is not None and self.view.strip.cells:
            self._move(self.view.strip.index(self.view.now_ns) + step)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if event.button == 1:
            self.capture_mouse()
            self._drag(event.x)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._dragged is not None:
            self._drag(event.x)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        self._dragged = None
        self.release_mouse()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self._step(1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self._step(-1)
