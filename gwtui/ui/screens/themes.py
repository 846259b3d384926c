"""The themes as a list; the one under the cursor is in force at once, and kept or not."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList
from textual.widgets.option_list import Option


class ThemesScreen(ModalScreen[bool]):
    """Returns whether a theme was chosen; left otherwise, it brings back the one there was."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "leave", "Back")]

    def compose(self) -> ComposeResult:
        ours = [name for name in self.app.available_themes if name.startswith("gwtui-")]
        names = [*ours, *sorted(self.app.available_themes.keys() - set(ours))]
        with Vertical(classes="dialog", id="themes") as dialog:
            dialog.border_title = Content("Theme")
            dialog.border_subtitle = Content("enter keep  esc back")
            yield OptionList(*(Option(name, id=name) for name in names), markup=False, compact=True)

    def on_mount(self) -> None:
        self._before = self.app.theme
        themes = self.query_one(OptionList)
        themes.highlighted = themes.get_option_index(self.app.theme)

    @on(OptionList.OptionHighlighted)
    def _preview(self, event: OptionList.OptionHighlighted) -> None:
        self.app.theme = str(event.option_id)

    @on(OptionList.OptionSelected)
    def _keep(self) -> None:
        self.dismiss(True)

    def action_leave(self) -> None:
        self.app.theme = self._before
        self.dismiss(False)
