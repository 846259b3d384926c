"""The page of incidents: all of them over time, to walk in and to zoom."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.message import Message

from gwtui.model.incidents import Incident
from gwtui.model.view import View
from gwtui.text import units
from gwtui.ui.keymap import bindings
from gwtui.ui.panel import MovingPanel, scrolled
from gwtui.ui.panels.incident_list import open_count
from gwtui.ui.panels.timeline_chart import FRAME_LINES, TimelineLane, TimelineView, draw, label_cells, lanes
from gwtui.ui.text_layout import Line

ZOOMS_S = (10, 30, 60, 120, 300, 600, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86_400, 3 * 86_400, 7 * 86_400)
"""How much time is seen at once; beyond the longest, or the session's length, all of it."""
SHORTEST_S = 10.0
"""A session is drawn as no shorter."""


class TimelinePanel(MovingPanel):
    """Up and down choose a lane, left and right a time; enter goes to that time, a second click too."""

    NUMBER = 5
    DEFAULT_CSS = "TimelinePanel { padding: 0; }"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("timeline")]

    class MomentChosen(Message):
        """A moment is to be looked at; `at` is its wall time."""

        def __init__(self, at: float) -> None:
            super().__init__()
            self.at = at

    class Folded(Message):
        """It has other lanes now."""

    _made: tuple[View | None, frozenset[str], tuple[TimelineLane, ...]] = (None, frozenset(), ())
    """The lanes, with what they were made of: not before they are asked for, so that a hidden panel costs nothing."""
    _lane: tuple[str, str] = ("", "")
    """The scope and the name of the chosen lane."""
    _top = 0
    _unfolded: frozenset[str] = frozenset()
    _cursor: float | None = None
    _length: float | None = None
    """How many seconds are seen; None: the whole session."""
    _end: float | None = None
    """Where what is seen ends; None: now, and on with it."""

    @property
    def _lanes(self) -> tuple[TimelineLane, ...]:
        view, unfolded, made = self._made
        if self.view is not None and (view is not self.view or unfolded != self._unfolded):
            made = tuple(lanes(self.view, self._unfolded))
            self._made = self.view, self._unfolded, made
        return made

    @property
    def rows(self) -> int:
        """How many rows all of it takes, with the border."""
        return max(len(self._lanes), 1) + FRAME_LINES + 2

    def follow(self) -> bool:
        """Take the cursor away. False without one."""
        if self._cursor is None:
            return False
        self._cursor = self._end = None
        self.redraw()
        return True

    def reveal(self, incident: Incident) -> None:
        """Put the cursor where this incident began."""
        lane = next((each for each in self._lanes if each.scope == incident.scope and not each.is_member), None)
        if lane is not None:
            self._lane = lane.scope, lane.name
            self._go(incident.opened)

    def title(self, view: View) -> str:
        start, end = self._range(view)
        length = "all" if self._length is None else f"{units.span(round((end - start) * 1e9))}"
        return f"Incidents over time{open_count(view)} · {length}"

    def subtitle(self, view: View) -> str:
        below = len(self._lanes) - self._top - (self.size.height - FRAME_LINES)
        counts = ((f"{self._top} above ↑", self._top), (f"{below} below ↓", below))
        scroll = [text for text, number in counts if number > 0]
        if self._cursor is None:
            return " · ".join(scroll)
        ago = units.span(round((view.ends_at - self._cursor) * 1e9))
        return " · ".join((f"{units.clock(self._cursor, utc=view.query.utc)} · {ago} ago", *scroll))

    def draw(self, view: View, width: int, height: int) -> list[Line]:
        self._top = scrolled(self._top, self._index, height - FRAME_LINES, len(self._lanes))
        start, end = self._range(view)
        at = TimelineView(start, end, self._index, self._top, self._cursor, self.has_focus)
        return draw(view, self._lanes, width, height, at)

    @property
    def _index(self) -> int:
        return next((place for place, lane in enumerate(self._lanes) if (lane.scope, lane.name) == self._lane), 0)

    def _session(self, view: View) -> tuple[float, float]:
        """When the session, or the first incident that is known, began, and the newest record came."""
        end = view.ends_at
        began = end - view.header.elapsed_ns / 1e9 - view.header.behind_ns / 1e9
        start = min([began, *(each.opened for each in view.incidents)])
        return min(start, end - SHORTEST_S), end

    def _range(self, view: View) -> tuple[float, float]:
        """What is seen."""
        start, end = self._session(view)
        if self._length is None:
            return start, end
        last = end if self._end is None else max(min(self._end, end), min(start + self._length, end))
        return last - self._length, last

    @property
    def _cell_s(self) -> float:
        """How much time a column is."""
        if self.view is None:
            return 1.0
        start, end = self._range(self.view)
        return (end - start) / max(1, self.size.width - label_cells(self._lanes, self.size.width))

    def _go(self, at: float) -> None:
        """Put the cursor there, within the session, and have it in sight. At its end it follows that."""
        if self.view is None:
            return
        start, end = self._session(self.view)
        self._cursor = None if at >= end else max(start, at)
        first, last = self._range(self.view)
        if self._cursor is None:
            self._end = None
        elif self._cursor < first:
            self._end = last - (first - self._cursor)
        elif self._cursor > last:
            self._end = self._cursor
        self.redraw()

    def action_move(self, lines: int) -> None:
        if self._lanes:
            lane = self._lanes[max(0, min(self._index + lines, len(self._lanes) - 1))]
            self._lane = lane.scope, lane.name
            self.redraw()

    def action_walk(self, columns: int) -> None:
        """Move the cursor through time."""
        if self.view is not None:
            self._go((self.view.at if self._cursor is None else self._cursor) + columns * self._cell_s)

    def action_zoom(self, step: int) -> None:
        """See more time for 1, less for -1. The cursor stays where it is."""
        if self.view is None:
            return
        start, end = self._session(self.view)
        first, last = self._range(self.view)
        levels = [*(float(each) for each in ZOOMS_S if each < end - start), None]
        if step > 0:
            length = next((each for each in levels if each is None or each > last - first), None)
            length = None if self._length is None else length
        else:
            length = next((each for each in reversed(levels) if each is not None and each < last - first), levels[0])
        if self._cursor is not None and length is not None:
            share = (last - self._cursor) / (last - first)
            self._end = self._cursor + share * length
        self._length = length
        self.redraw()

    def action_fold(self) -> None:
        """Show the endpoints of the lane's scope, or hide them."""
        if self.view is None or not self._lanes:
            return
        scope = self._lanes[self._index].scope
        self._lane = next((lane.scope, lane.name) for lane in self._lanes if lane.scope == scope)
        self._unfolded ^= {scope}
        self.redraw()
        self.post_message(self.Folded())

    def action_open(self) -> None:
        """Go to the moment of the cursor; without one to where the newest incident of the lane began."""
        if self.view is None or not self._lanes:
            return
        starts = [bar.start for bar in self._lanes[self._index].bars]
        self.post_message(self.MomentChosen(max(starts) if self._cursor is None else self._cursor))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None or self.view is None:
            return
        before = self._index, self._cursor
        if 0 <= (row := self._top + offset.y - 1) < len(self._lanes):
            self._lane = self._lanes[row].scope, self._lanes[row].name
        column = offset.x - label_cells(self._lanes, self.size.width)
        if column >= 0:
            self._go(self._range(self.view)[0] + (column + 0.5) * self._cell_s)
            if (self._index, self._cursor) == before:
                self.action_open()
        elif self._index == before[0]:
            self.action_fold()
        self.redraw()
