"""The ready-made endpoints as a list that is searched by typing; one of them is what a new endpoint begins with."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from gwtui.config.templates import SNIPPETS
from gwtui.model.profile import Endpoint, Profile
from gwtui.ui.fields import new_endpoint, renamed

EMPTY = "an empty form"


class ReadyMadeScreen(ModalScreen[Endpoint | None]):
    """Returns an endpoint with a name that is free in the profile, or None where the user leaves."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move(1)", "Down", priority=True),
        Binding("up", "move(-1)", "Up", priority=True),
        Binding("escape", "dismiss(None)", "Back"),
    ]

    def __init__(self, profile: Profile) -> None:
        super().__init__()
        self._profile = profile

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog", id="ready-made") as dialog:
            dialog.border_title = Content("Add an endpoint")
            dialog.border_subtitle = Content("↑↓ choose  enter fill in the form  esc back")
            yield Input(placeholder="type to search: anthropic, azure, ollama, websocket", compact=True)
            yield OptionList(markup=False, compact=True)
            yield Static("", markup=False, id="special")

    def on_mount(self) -> None:
        self._search("")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._search(event.value)

    def _search(self, text: str) -> None:
        """List those that have all words in their kind, title or API; the empty form is always there."""
        words = text.lower().split()
        found = [
            kind
            for kind, made in SNIPPETS.items()
            if all(word in f"{kind} {made.title} {made.endpoint.api}".lower() for word in words)
        ]
        found.sort(key=lambda kind: not kind.startswith(tuple(words)))
        ready = [Option(f"{kind:<24} {SNIPPETS[kind].title}", id=kind) for kind in found]
        empty = Option(f"{EMPTY:<24} any API, any URL")
        listed = self.query_one(OptionList)
        listed.clear_options()
        listed.add_options([*ready, empty] if words else [empty, *ready])
        listed.highlighted = 0

    def action_move(self, lines: int) -> None:
        listed = self.query_one(OptionList)
        (listed.action_cursor_down if lines > 0 else listed.action_cursor_up)()

    @on(OptionList.OptionHighlighted)
    def _tell(self, event: OptionList.OptionHighlighted) -> None:
        made = SNIPPETS.get(event.option_id or "")
        self.query_one("#special", Static).update(Content(made.comment if made is not None else ""))

    @on(Input.Submitted)
    def _submit(self) -> None:
        self.query_one(OptionList).action_select()

    @on(OptionList.OptionSelected)
    def _choose(self, event: OptionList.OptionSelected) -> None:
        made = SNIPPETS.get(event.option_id or "")
        endpoint = new_endpoint(self._profile) if made is None else renamed(made.endpoint, self._profile)
        self.dismiss(endpoint)
