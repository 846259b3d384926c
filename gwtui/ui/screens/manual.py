"""The manual: its topics, and the page of the one under the cursor."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from gwtui.text.manual import page_of, topics
from gwtui.text.markdown import lines_of

FIRST = "screen"
"""The page that is shown first."""
NARROWEST = 20
"""Columns of a page, however narrow the terminal is."""


class ManualScreen(ModalScreen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,f1", "dismiss(None)", "Back"),
        Binding("left", "go('topics')", "Topics"),
        Binding("right,enter", "go('page')", "Page"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._topic = FIRST

    def compose(self) -> ComposeResult:
        with Horizontal(classes="dialog", id="manual") as dialog:
            dialog.border_title = Content("Manual")
            dialog.border_subtitle = Content("↑↓ topic  → page  esc back")
            yield OptionList(*(Option(topic, id=topic) for topic in topics()), id="topics", markup=False, compact=True)
            with VerticalScroll(id="page"):
                yield Static(markup=False)

    def on_mount(self) -> None:
        listed = self.query_one(OptionList)
        listed.highlighted = listed.get_option_index(FIRST)
        listed.focus()

    @on(OptionList.OptionHighlighted)
    def _turn(self, event: OptionList.OptionHighlighted) -> None:
        self._topic = str(event.option_id)
        self._show()
        self.query_one("#page").scroll_home(animate=False)

    def on_resize(self) -> None:
        self.call_after_refresh(self._show)

    def _show(self) -> None:
        """The page in lines of the width that is there."""
        columns = max(self.query_one("#page").scrollable_content_region.width, NARROWEST)
        page = lines_of(page_of(self._topic).text, columns, styled=True)
        self.query_one(Static).update(Text.from_ansi(page, no_wrap=True))

    def action_go(self, part: str) -> None:
        self.query_one(f"#{part}").focus()
