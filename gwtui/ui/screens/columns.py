"""The further columns of the table of endpoints as a list, each chosen or not."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList

from gwtui.model.columns import OPTIONAL_COLUMNS
from gwtui.ui.editing import keep_setting
from gwtui.ui.messages import show_message


class ColumnsScreen(ModalScreen[tuple[str, ...]]):
    """Returns the names of the columns that are chosen, in their order in the table."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "choose", "Choose"),
        Binding("escape,q,C", "leave", "Back"),
    ]

    def __init__(self, shown: tuple[str, ...], path: Path) -> None:
        """`path`: the configuration that keeps the choice."""
        super().__init__()
        self._shown = shown
        self._chosen = set(shown)
        self._path = path

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog", id="columns") as dialog:
            dialog.border_title = Content("Columns")
            dialog.border_subtitle = Content("space choose  esc back")
            yield OptionList(*map(self._line, OPTIONAL_COLUMNS), markup=False, compact=True)

    def _line(self, name: str) -> str:
        return f"[{'x' if name in self._chosen else ' '}] {name:<6} {OPTIONAL_COLUMNS[name]}"

    def action_choose(self) -> None:
        self.query_one(OptionList).action_select()

    @on(OptionList.OptionSelected)
    def _choose(self, event: OptionList.OptionSelected) -> None:
        name = list(OPTIONAL_COLUMNS)[event.option_index]
        self._chosen ^= {name}
        event.option_list.replace_option_prompt_at_index(event.option_index, self._line(name))

    def action_leave(self) -> None:
        chosen = [name for name in OPTIONAL_COLUMNS if name in self._chosen]
        if tuple(chosen) != self._shown:
            show_message(self.app, *keep_setting(self._path, "ui.columns", chosen, "columns"))
        self.dismiss(tuple(chosen))
