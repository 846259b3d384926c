"""One question: with a line for the answer, or with yes and no."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Label

from gwtui.ui.text_layout import printable


class AskScreen(ModalScreen[str | None]):
    """Returns the answer, or None when it was left with escape. `check` raises ValueError with what is wrong."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Back")]

    def __init__(self, title: str, hint: str, value: str, check: Callable[[str], object] = lambda text: text) -> None:
        super().__init__()
        self._title = title
        self._hint = hint
        self._value = value
        self._check = check

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content(self._title)
            yield Input(self._value, placeholder=self._hint)
            yield Label(self._hint, classes="hint", markup=False)

    @on(Input.Submitted)
    def _answer(self, event: Input.Submitted) -> None:
        try:
            self._check(event.value)
        except ValueError as error:
            label = self.query_one(".hint", Label)
            label.update(Content(str(error)))
            label.add_class("-wrong")
            return
        self.dismiss(event.value)


class ConfirmScreen(ModalScreen[bool]):
    """Returns whether the user said yes. `facts` is what there is to know before."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,enter", "dismiss(True)", "Yes"),
        Binding("n,q,escape", "dismiss(False)", "No"),
    ]

    def __init__(self, question: str, facts: str) -> None:
        super().__init__()
        self._question = question
        self._facts = facts

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content(printable(self._question))
            yield Label(self._facts, markup=False)
            yield Label("y yes   n no", classes="hint", markup=False)
