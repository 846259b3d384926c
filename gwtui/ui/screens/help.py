"""All keys and what the signs mean, from the same tables the program runs on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.keys import format_key
from textual.screen import ModalScreen
from textual.widgets import Static

from gwtui.ui.keys import GROUPS, KEYS
from gwtui.words import State

_STATES = {
    State.UP: "answers as it should",
    State.SLOW: "its latency has been over the limit for a while",
    State.DEGRADED: "some of its results fail",
    State.DOWN: "several failures in a row",
    State.PAUSED: "not probed for now",
    State.UNKNOWN: "no result yet",
}
_SIGNS = (
    ("╳", "a failed probe, in a sparkline or on the time axis"),
    ("-(41)", "41 results are too few for this percentile"),
    ("·", "the same read as the event above: no gap between them is known"),
    ("◀", "stands out: a gap far longer than this stream's usual one, or the event that decided the verdict"),
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
            dialog.border_subtitle = Content("esc back")
            yield Static(self._text(), markup=False)

    def _text(self) -> Content:
        parts: list[Content] = []
        for group in GROUPS:
            parts.append(Content.styled(f"{group}\n", "bold"))
            for key in (key for key in KEYS if key.group == group):
                parts.append(Content.styled(f"  {_shown(self._remapped.get(key.id, key.keys)):<14}", "$accent"))
                parts.append(Content(f"{key.help}\n"))
            parts.append(Content("\n"))
        parts.append(Content.styled("States\n", "bold"))
        parts += [Content(f"  {state.mark} {state:<12}{meaning}\n") for state, meaning in _STATES.items()]
        parts.append(Content.styled("\nSigns\n", "bold"))
        parts += [Content(f"  {sign:<14}{meaning}\n") for sign, meaning in _SIGNS]
        return Content("").join(parts)


def _shown(keys: str) -> str:
    """Keys as they are printed on a keyboard: `+ =` for `plus,equals_sign`."""
    return " ".join(format_key(key.strip()) for key in keys.split(","))
