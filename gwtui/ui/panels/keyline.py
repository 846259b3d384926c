"""The bottom line: the most important keys of the panel with the focus, as many as fit. A click does the same as the
key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from textual import events
from textual.message import Message

from gwtui.model.view import View
from gwtui.ui.keymap import Key, footer, shown
from gwtui.ui.panel import Panel
from gwtui.ui.text_layout import Line, Span, cells, sheet

GAP = 2


def items(keys: Iterable[Key], remapped: Mapping[str, str], width: int) -> list[tuple[int, str, Key]]:
    """Where each key begins, its text, and the key; no key is split."""
    placed: list[tuple[int, str, Key]] = []
    x = 1
    for key in keys:
        name = key.footer if isinstance(key.footer, str) else shown(remapped.get(key.id, key.keys))
        sign = {"enter": "⏎"}.get(name, name)
        if x + cells(sign) + 1 + cells(key.label) > width:
            break
        placed.append((x, sign, key))
        x += cells(sign) + 1 + cells(key.label) + GAP
    return placed


def draw(keys: Iterable[Key], remapped: Mapping[str, str], width: int, height: int) -> list[Line]:
    spans: list[Span] = []
    for _, sign, key in items(keys, remapped, width):
        spans += [Span(" " * GAP if spans else " "), Span(sign, "key"), Span(f" {key.label}", "muted")]
    return sheet([tuple(spans)], width, height)


class KeyLine(Panel, can_focus=False):
    """`remapped` holds the user's own keys by the ids of the table."""

    DEFAULT_CSS = "KeyLine, KeyLine.-foreign-theme { height: 1; border: none; padding: 0; }"

    class Clicked(Message):
        """An action of the monitor screen is wanted."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    def __init__(self, remapped: Mapping[str, str]) -> None:
        super().__init__()
        self._remapped = remapped
        self._panel = ""
        self._is_recording = False

    def follow(self, panel: str) -> None:
        """Show first what the keys of that panel are, which has got the focus."""
        self._panel = panel
        self.redraw()

    def offer(self, *, is_recording: bool) -> None:
        """Leave out what cannot be done with a recording."""
        if is_recording != self._is_recording:
            self._is_recording = is_recording
            self.redraw()

    def draw(self, view: View, width: int, height: int) -> list[Line]:
        return draw(self._keys(view), self._remapped, width, height)

    def on_click(self, event: events.Click) -> None:
        if self.view is None:
            return
        for x, sign, key in items(self._keys(self.view), self._remapped, self.size.width):
            if x <= event.x < x + cells(sign) + 1 + cells(key.label):
                self.post_message(self.Clicked(key.action))

    def _keys(self, view: View) -> list[Key]:
        return footer(self._panel, is_urgent=bool(view.open_incidents), is_recording=self._is_recording)
