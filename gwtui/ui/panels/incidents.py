"""The panel of incidents: a row each, unfolded to its events, and what else happened."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.message import Message

from gwtui.health.sentence import ScopeNames
from gwtui.model.incidents import Incident
from gwtui.model.profile import Endpoint
from gwtui.model.view import View
from gwtui.ui.keymap import bindings
from gwtui.ui.panel import MovingPanel, scrolled
from gwtui.ui.panels.incident_list import ListRow, ListView, RowKey, draw, first_endpoint, open_count, rows
from gwtui.ui.text_layout import Line


class IncidentsPanel(MovingPanel):
    """Arrows, wheel and a click select a row; enter or a second click unfolds an incident, or opens an event.

    Until a row is selected, the newest are followed. The selected one stays selected whatever comes in; the border
    says in amber how many have come that are not in sight.
    """

    NUMBER = 5
    DEFAULT_CSS = "IncidentsPanel { padding: 0; }"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("incidents")]

    class EventOpened(Message):
        """An event is to be looked into: the request that decided it, or where it has none, its moment."""

        def __init__(self, endpoint: str, number: int | None, at: float) -> None:
            super().__init__()
            self.endpoint = endpoint
            self.number = number
            self.at = at

    class IncidentSelected(Message):
        """The next incident was selected; `endpoint` is its first."""

        def __init__(self, incident: Incident, endpoint: str) -> None:
            super().__init__()
            self.incident = incident
            self.endpoint = endpoint

    _fleet: tuple[Endpoint, ...] = ()
    _names = ScopeNames(())
    """Of the fleet; kept, because they cost more than all else that is drawn."""
    _rows: tuple[ListRow, ...] = ()
    _selected: RowKey | None = None
    _top = 0
    _unfolded: frozenset[int] = frozenset()
    _seen: frozenset[tuple[RowKey, bool]] = frozenset()
    """The rows that were in sight since the newest were followed last, or were there already then."""

    @property
    def selected(self) -> ListRow | None:
        """The row under the cursor: the selected one, or in the focused panel the first."""
        if self._selected is None and not self.has_focus:
            return None
        return self._rows[self._index] if self._rows else None

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self._rows)

    @property
    def incident(self) -> Incident | None:
        """The incident that the cursor is on."""
        return self.selected.incident if self.selected is not None else None

    @property
    def _index(self) -> int:
        return next((place for place, each in enumerate(self._rows) if each.key == self._selected), 0)

    def show(self, view: View) -> None:
        self._list(view)
        super().show(view)

    def _list(self, view: View) -> None:
        """Follow a view. A selected event that is listed no more leaves the selection to its incident."""
        if view.fleet is not self._fleet:
            self._fleet, self._names = view.fleet, ScopeNames(view.fleet)
        self._rows = tuple(rows(view, self._unfolded))
        keys = {each.key for each in self._rows}
        if self._selected is not None and self._selected not in keys:
            summary = (self._selected[0], None)
            self._selected = summary if summary in keys else None

    def follow(self) -> bool:
        """Go back to the newest. False where they are followed already."""
        if self._selected is None:
            return False
        self._selected, self._top = None, 0
        self.redraw()
        return True

    def step(self, step: int) -> bool:
        """Select the next incident of the list, round and round. False without any."""
        summaries = [place for place, each in enumerate(self._rows) if each.is_summary]
        if not summaries:
            return False
        if self._selected is None:
            place = summaries[0 if step > 0 else -1]
        else:
            here = self._index
            ahead = [place for place in summaries if (place - here) * step > 0]
            place = min(ahead, key=lambda each: abs(each - here)) if ahead else summaries[0 if step > 0 else -1]
        self._select(place)
        if (incident := self._rows[place].incident) is not None and self.view is not None:
            self.post_message(self.IncidentSelected(incident, first_endpoint(incident, self.view.fleet)))
        return True

    def _select(self, index: int) -> None:
        if self._rows:
            self._selected = self._rows[max(0, min(index, len(self._rows) - 1))].key
            self.redraw()

    def title(self, view: View) -> str:
        return f"Incidents{open_count(view)}"

    def subtitle(self, view: View) -> str:
        below = len(self._rows) - self._top - self.size.height
        if self.size.height <= 0:
            return ""
        newer = self._newer
        above = (f"{newer} newer ↑", newer) if newer else (f"{self._top} above ↑", self._top)
        return " · ".join(text for text, number in (above, (f"{below} older ↓", below)) if number > 0)

    @property
    def _newer(self) -> int:
        """How many rows above what is in sight have come since the selection."""
        return sum(_sighted(each) not in self._seen for each in self._rows[: self._top] if not _is_event(each))

    def draw(self, view: View, width: int, height: int) -> list[Line]:
        index = self._index
        self._top = 0 if self._selected is None else scrolled(self._top, index, height, len(self._rows))
        shown = self._rows if self._selected is None else self._rows[self._top : self._top + height]
        self._seen = frozenset(map(_sighted, shown)) | self._seen.intersection(map(_sighted, self._rows))
        self.set_class(self._newer > 0, "-newer")
        at = ListView(index, self._top, self._selected is not None, self.has_focus)
        return draw(view, self._rows, self._names, width, height, at)

    def action_move(self, lines: int) -> None:
        self._select(self._index + lines)

    def action_open(self) -> None:
        """Unfold or fold the incident; open the event."""
        chosen = self.selected
        if chosen is None or self.view is None:
            return
        if chosen.is_summary:
            self._selected = chosen.key
            self._unfolded ^= {chosen.key[0]}
            self._list(self.view)
            self.redraw()
        elif chosen.event is not None:
            self.post_message(self.EventOpened(chosen.event.endpoint, chosen.event.number, chosen.event.at))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None or self._top + offset.y >= len(self._rows):
            return
        was = self._selected
        self._select(self._top + offset.y)
        if was == self._selected:
            self.action_open()


def _sighted(row: ListRow) -> tuple[RowKey, bool]:
    """A row with whether it is open: an incident that opens again or is over is news."""
    return row.key, row.incident is not None and row.incident.is_open


def _is_event(row: ListRow) -> bool:
    return row.incident is not None and not row.is_summary
