"""Messages to the user: one at a time, each in place of the one before."""

from __future__ import annotations

from typing import Any, Protocol

from textual.app import App
from textual.notifications import SeverityLevel
from textual.screen import Screen

SHOWN_S = 4
ERROR_SHOWN_S = 10


class ShowMessage(Protocol):
    def __call__(self, text: str, severity: SeverityLevel = "information") -> None: ...


def show_message(app: App[Any], text: str, severity: SeverityLevel = "information") -> None:
    """Show this text, as it is, instead of all earlier messages."""
    app.clear_notifications()
    app.notify(text, severity=severity, markup=False, timeout=ERROR_SHOWN_S if severity == "error" else SHOWN_S)


class LatestMessage:
    """Shows messages on a screen's app; of several that come at once, only the last."""

    def __init__(self, screen: Screen[Any]) -> None:
        self._screen = screen
        self._waiting: tuple[str, SeverityLevel] | None = None

    def show(self, text: str, severity: SeverityLevel = "information") -> None:
        self._waiting = (text, severity)
        self._screen.call_later(self._show_waiting)

    def _show_waiting(self) -> None:
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            show_message(self._screen.app, *waiting)
