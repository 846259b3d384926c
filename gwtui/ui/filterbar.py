"""The line the filter is typed into, and under it what is wrong with what was typed."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from gwtui.monitor.filters import FilterError, parse

HINT = "words  state:down  verdict:truncated  finding:buffered  ttft>500  -name:test   enter keeps it, esc clears it"


class FilterBar(Vertical):
    """Posts `Typed` with every text that is a filter, and `Left` when the typing is over."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "clear", "Clear", show=False)]

    class Typed(Message):
        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Left(Message):
        pass

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Static("/", markup=False, id="filter-sign")
            yield Input(id="filter", placeholder=HINT, compact=True)
        yield Static("", markup=False, id="filter-fault")

    def open(self) -> None:
        self.add_class("-open")
        self.query_one(Input).focus()

    def action_clear(self) -> None:
        """Close, and show all endpoints again."""
        self.query_one(Input).value = ""
        self.remove_class("-open")
        self.post_message(self.Left())

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        try:
            parse(event.value)
        except FilterError as error:
            self._show_fault(str(error))
        else:
            self._show_fault("")
            self.post_message(self.Typed(event.value))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if self.has_class("-wrong"):
            return
        self.set_class(bool(event.value.strip()), "-open")
        self.post_message(self.Left())

    def on_click(self) -> None:
        self.query_one(Input).focus()

    def on_descendant_focus(self) -> None:
        """While text is typed, the footer shows no keys."""
        self.screen.add_class("-typing")

    def on_descendant_blur(self) -> None:
        self.screen.remove_class("-typing")

    def _show_fault(self, fault: str) -> None:
        self.set_class(bool(fault), "-wrong")
        self.query_one("#filter-fault", Static).update(Content(fault))
