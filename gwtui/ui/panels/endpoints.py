"""The panel of the endpoints table: the cursor in it, its order, and what clicks ask for."""

from __future__ import annotations

from time import monotonic
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.message import Message
from textual.timer import Timer

from gwtui.model.enums import BAD
from gwtui.model.view import EndpointRow, GroupRow, View
from gwtui.ui.keymap import bindings
from gwtui.ui.panel import BorderOption, MovingPanel, parted, scrolled
from gwtui.ui.panels.calm_order import CalmOrder
from gwtui.ui.panels.endpoint_table import (
    COLUMNS,
    TableView,
    columns,
    cursor,
    draw,
    lines_of,
    out_of_sight,
    unseen,
)
from gwtui.ui.text_layout import Line, cells


class EndpointsPanel(MovingPanel):
    """Arrows, wheel and clicks select an endpoint or a group; a click on a heading asks for that order.

    Until the user has moved or acted, the selection goes to the first endpoint that is sick.
    """

    NUMBER = 1
    FADES = True
    DEFAULT_CSS = "EndpointsPanel { padding: 0; }"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("endpoints")]

    class Selected(Message):
        """Another endpoint was selected."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    class Sort(Message):
        """The heading of a column, one of `COLUMNS`, was clicked."""

        def __init__(self, column: str) -> None:
            super().__init__()
            self.column = column

    class Opened(Message):
        """An endpoint's newest request is to be looked into."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    class GroupFolded(Message):
        """A group is to be folded, or unfolded."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    selected = ""
    """The selected endpoint's name."""
    group = ""
    """The name of the group whose summary the cursor is on."""
    clock = staticmethod(monotonic)
    """Seconds, of any clock that does not jump."""

    _top = 0

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self._order = CalmOrder()
        self._newest: View | None = None
        self._settling: Timer | None = None
        self._is_used = False

    def show(self, view: View) -> None:
        self._newest = view
        now_s = self.clock()
        view, differs = self._order.arranged(view, now_s)
        if differs and self._settling is None:
            self._settling = self.set_timer(max(0.0, self._order.wait_s(now_s)), self._settle)
        self._select_as(view)
        super().show(view)

    def _settle(self) -> None:
        """Show the order that was held back, whether or not another view comes."""
        self._settling = None
        if self._newest is not None:
            self.show(self._newest)

    def _select_as(self, view: View) -> None:
        """Follow what was selected elsewhere, or what is sick."""
        names = {row.name for row in view.endpoints}
        is_chosen = view.query.endpoint is not None
        if view.selected is not None and (is_chosen or self.selected not in names):
            self._is_used |= is_chosen and self.selected not in ("", view.selected.name)
            self.selected = view.selected.name
        groups = {line.name: line for line in view.rows if isinstance(line, GroupRow)}
        if self.group and (self.group not in groups or self.selected not in groups[self.group].members):
            self.group = ""
        if not self._is_used and view.endpoints and view.endpoints[0].state in BAD:
            shown = next((row for row in view.endpoints if row.name == self.selected), None)
            if shown is None or shown.state not in BAD:
                self.selected = view.endpoints[0].name
                self.post_message(self.Selected(self.selected))

    def use(self) -> None:
        """The user moves, or acts on what is selected: it stays selected, and rows stand still for a while."""
        self._is_used = True
        self._order.touch(self.clock())

    def title(self, view: View) -> str:
        query = view.query
        parts = [f"Endpoints · {query.metric.label} in ms"]
        if query.filter:
            parts.append(f"/{query.filter} · {len(view.endpoints)} of {len(view.endpoints) + view.hidden}")
        return " · ".join(parts)

    def options(self, view: View) -> tuple[BorderOption, ...]:
        query = view.query
        return parted(
            BorderOption(f"sort: {query.sort or 'worst'}", "sort"),
            BorderOption(f"group: {query.group}", "group"),
            BorderOption("filter", "filter"),
        )

    def subtitle(self, view: View) -> str:
        visible, count = self.size.height - 1, len(lines_of(view))
        if not 0 < visible < count:
            return ""
        end = min(count, self._top + visible)
        place = f"{self._top + 1}-{end} of {count}"
        sick = out_of_sight(unseen(view, self._top, end), self.size.width - cells(place) - 10)
        return f"{sick} · {place}" if sick else place

    def draw(self, view: View, width: int, height: int) -> list[Line]:
        index = cursor(view, self.selected, self.group)
        self._top = scrolled(self._top, index, height - 1, len(lines_of(view)))
        return draw(view, width, height, TableView(self.selected, self._top, self.has_focus, self.group))

    @property
    def _line(self) -> EndpointRow | GroupRow | None:
        """What the cursor is on."""
        lines = lines_of(self.view) if self.view is not None else ()
        return lines[cursor(self.view, self.selected, self.group)] if self.view is not None and lines else None

    def _select(self, index: int) -> None:
        """Move to a line. A group selects its first endpoint, unless one of it is selected already."""
        if self.view is None or not (lines := lines_of(self.view)):
            return
        line = lines[max(0, min(index, len(lines) - 1))]
        self.group = line.name if isinstance(line, GroupRow) else ""
        members = line.members if isinstance(line, GroupRow) else (line.name,)
        self.use()
        self.redraw()
        if self.selected not in members:
            self.selected = members[0]
            self.redraw()
            self.post_message(self.Selected(self.selected))

    def action_move(self, lines: int) -> None:
        if self.view is not None:
            self._select(cursor(self.view, self.selected, self.group) + lines)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return isinstance(self._line, GroupRow) if action == "fold" else True

    def action_fold(self) -> None:
        if isinstance(line := self._line, GroupRow):
            self.post_message(self.GroupFolded(line.name))

    def action_open(self) -> None:
        if isinstance(line := self._line, EndpointRow):
            self.post_message(self.Opened(line.name))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None or self.view is None:
            return
        index = self._top + offset.y - 1
        if offset.y == 0:
            self._clicked_heading(self.view, offset.x)
        elif index < len(lines_of(self.view)):
            self._select(index)
            self.action_fold()
            if event.chain == 2:
                self.action_open()

    def _clicked_heading(self, view: View, x: int) -> None:
        for column, start, width in columns(view, self.size.width):
            if start - column.gap <= x < start + width and column.name in COLUMNS:
                self.post_message(self.Sort(column.name))
