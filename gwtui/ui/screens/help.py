"""All keys and symbols, from the same tables the program runs on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from gwtui.model.enums import State
from gwtui.ui.keymap import KEYS, KEYS_BY_PLACE, Key, shown

KEYS_WIDTH, HELP_WIDTH = 12, 50
WIDE = 94
"""The number of columns from which the ids fit."""

_STATES = {
    State.UP: "answers as it should",
    State.SLOW: "its latency has been over the limit for a while",
    State.DEGRADED: "some of its results fail",
    State.DOWN: "several failures in a row",
    State.PAUSED: "not probed for now",
    State.UNKNOWN: "no result yet, or the engine is silent",
}
_SYMBOLS = (
    ("╳", "a failed probe, in a sparkline or on the time axis"),
    ("-(41)", "41 results are too few for this percentile"),
    ("·", "the same read as the event above: no gap is known"),
    ("◀", "a gap much longer than usual in this stream"),
    ("◆", "the event that decided the verdict"),
    ("◌", "a newer request is waiting for its first event"),
    ("complete ▲", "the window has findings (·: none that users notice): see a request's details"),
    ("≈ tainted", "gwtui itself was late: a time may be wrong by more than 5 %"),
    ("!tls", "its certificate is not verified"),
)
_MOUSE = (
    ("click", "selects an endpoint; sorts by a heading; picks a tab;"),
    ("", "opens an event or an incident; the next latency"),
    ("twice", "opens the endpoint's newest request"),
    ("wheel", "moves in lists and streams; another window for latency"),
)


class HelpScreen(ModalScreen[None]):
    """`remapped` holds the user's own keys by the ids of the table."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark,enter", "dismiss(None)", "Back")]

    def __init__(self, remapped: Mapping[str, str]) -> None:
        super().__init__()
        self._remapped = remapped

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog", id="help") as dialog:
            dialog.border_title = Content("Help")
            dialog.border_subtitle = Content("↑↓ scroll  esc back")
            yield Static("", markup=False)

    def on_mount(self) -> None:
        self.query_one("#help").focus()

    def on_resize(self) -> None:
        self.query_one(Static).update(self._text(ids=self.size.width >= WIDE))

    def _text(self, *, ids: bool) -> Content:
        hint = "the names at the right" if ids else f"the names shown here from {WIDE} columns on"
        parts = [Content(f"Change keys under [ui.keys] in the configuration, with {hint}.\n")]
        parts += self._groups(KEYS, ids=ids)
        parts += _table("Mouse", _MOUSE)
        parts += _table("States", ((f"{state.mark} {state}", meaning) for state, meaning in _STATES.items()))
        parts += _table("Symbols", _SYMBOLS)
        parts += self._groups(chain.from_iterable(KEYS_BY_PLACE.values()), ids=ids)
        return Content("").join(parts)

    def _groups(self, keys: Iterable[Key], *, ids: bool) -> list[Content]:
        """The keys under their headings."""
        groups: dict[str, list[Key]] = {}
        for key in keys:
            groups.setdefault(key.group, []).append(key)
        parts: list[Content] = []
        for group, members in groups.items():
            parts.append(_heading(group))
            for key in members:
                pressed = shown(self._remapped.get(key.id, key.keys))
                parts.append(Content.styled(f"  {pressed:<{KEYS_WIDTH}} ", "$ink-primary"))
                parts.append(Content(f"{key.help:<{HELP_WIDTH}} "))
                parts.append(Content.styled(f"{key.id if ids else ''}\n", "$ink-hint"))
        return parts


def _heading(text: str) -> Content:
    return Content.styled(f"\n{text}\n", "bold $ink-accent")


def _table(heading: str, rows: Iterable[tuple[str, str]]) -> list[Content]:
    return [
        _heading(heading),
        *(Content.assemble((f"  {sign:<{KEYS_WIDTH}} ", "bold"), f"{meaning}\n") for sign, meaning in rows),
    ]
