"""What of the shown request can be copied, as a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from gwtui.ui.text_layout import printable

if TYPE_CHECKING:
    from gwtui.report.copies import Copy


class CopyScreen(ModalScreen["Copy | None"]):
    """Returns what was chosen: with enter, by its letter or its digit; None when it was left."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "cursor('down')", "Down"),
        Binding("k", "cursor('up')", "Up"),
        Binding("g", "cursor('first')", "To the top"),
        Binding("G", "cursor('last')", "To the end"),
        Binding("escape,q,Y", "dismiss(None)", "Back"),
    ]

    def __init__(self, whose: str, copies: Sequence[Copy]) -> None:
        """`whose`: the request that is meant."""
        super().__init__()
        self._whose = whose
        self._copies = copies
        for number, copy in enumerate(copies, 1):
            self._bindings.bind(f"{number},{copy.key}", f"choose({number - 1})", copy.title, show=False)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog", id="copies") as dialog:
            dialog.border_title = Content(printable(f"Copy of {self._whose}"))
            dialog.border_subtitle = Content("enter copy  esc back")
            options = (Option(_line(at, copy), disabled=bool(copy.missing)) for at, copy in enumerate(self._copies, 1))
            yield OptionList(*options, markup=False, compact=True)

    def action_cursor(self, way: str) -> None:
        getattr(self.query_one(OptionList), f"action_{'cursor_' if way in ('up', 'down') else ''}{way}")()

    def action_choose(self, at: int) -> None:
        """Copy it at once, or say why that cannot be."""
        copy = self._copies[at]
        if not copy.missing:
            self.dismiss(copy)

    @on(OptionList.OptionSelected)
    def _choose(self, event: OptionList.OptionSelected) -> None:
        self.action_choose(event.option_index)


def _line(number: int, copy: Copy) -> str:
    more = copy.missing or copy.about
    return printable(f"{number} {copy.key}  {copy.title}{f'  ({more})' if more else ''}")
