"""Signs, words and keys, from the same tables the program runs on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from textwrap import wrap
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from gwtui.model.enums import State
from gwtui.model.metrics import BY_RANK
from gwtui.ui.keymap import KEYS, KEYS_BY_PLACE, Key, shown

KEYS_WIDTH, HELP_WIDTH = 12, 50
WIDE = 94
"""The number of columns from which the ids fit."""

WIDEST, MARGIN = 110, 4
"""As in the style sheet: the dialog, and what its border, padding and scroll bar take at each side."""

_STATES = {
    State.UP: "answers as it should",
    State.SLOW: "slower than is usual for it, or than its limit",
    State.DEGRADED: "more of its results fail than usual, or its answers have faults",
    State.DOWN: "its last results all failed",
    State.PAUSED: "not probed for now",
    State.UNKNOWN: "no result yet, or the engine is silent",
}
_SYMBOLS = (
    ("╳", "a failed probe, in a sparkline or on the time axis"),
    ("-(41)", "41 results are too few for this percentile"),
    ("·", "the same read as the event above: no gap is known"),
    ("◀", "a gap much longer than usual in this stream"),
    ("◆", "the event that decided the verdict; in the strip: a mark of yours"),
    ("◌", "a newer request is waiting for its first event"),
    ("complete ▲", "the window has findings (·: none that users notice): see a request's details"),
    ("≈ tainted", "gwtui itself was late: a time may be wrong by more than 5 %"),
    ("!tls", "its certificate is not verified"),
)
_WORDS = (
    ("verdict", "how a request ended: complete, truncated, auth, rate_limited, ..."),
    ("finding", "what is wrong with an answer that came, such as buffered"),
    ("incident", "endpoints that are sick together, by one cause, from-to"),
    ("usual", "what is normal for an endpoint, learnt from its results"),
    ("8x", "the median is 8 times what is usual"),
    ("p95", "95 of 100 requests took no longer; 494 10m: of 10 minutes"),
    ("strip", "the whole session under the header: , and . walk in it"),
)
_MOUSE = (
    ("click", "selects an endpoint; sorts by a heading; picks a tab;"),
    ("", "opens an event or an incident; the next latency"),
    ("twice", "opens the endpoint's newest request"),
    ("drag", "on the strip under the header: looks at that moment"),
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
        width = min(self.size.width, WIDEST) - 2 * MARGIN
        self.query_one(Static).update(self._text(width, ids=self.size.width >= WIDE))

    def _text(self, width: int, *, ids: bool) -> Content:
        hint = "the names at the right" if ids else f"the names shown here from {WIDE} columns on"
        parts = _table("States", ((f"{state.mark} {state}", meaning) for state, meaning in _STATES.items()), width)
        parts += _table("Symbols", _SYMBOLS, width)
        parts += _table("Words", _WORDS, width)
        parts += _table("Latencies", ((metric.label, metric.about.meaning) for metric in BY_RANK), width)
        parts.append(Content(f"\nChange keys under [ui.keys] in the configuration, with {hint}.\n"))
        parts += self._groups(KEYS, ids=ids)
        parts += _table("Mouse", _MOUSE, width)
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


def _table(heading: str, rows: Iterable[tuple[str, str]], width: int) -> list[Content]:
    """Signs and what they mean, each meaning in a column of its own."""
    parts = [_heading(heading)]
    for sign, meaning in rows:
        first, *more = wrap(meaning, max(20, width - KEYS_WIDTH - 3)) or [""]
        parts.append(Content.assemble((f"  {sign:<{KEYS_WIDTH}} ", "bold"), f"{first}\n"))
        parts += [Content(f"{'':<{KEYS_WIDTH + 3}}{line}\n") for line in more]
    return parts
