"""Every key of the monitor, as a table. Users remap any of them by its id under `[ui.keys]` of their configuration.

The footer shows them in this order, so those that a small screen must not lose come first.
"""

from __future__ import annotations

from typing import NamedTuple

from textual.binding import Binding


class Key(NamedTuple):
    id: str
    keys: str
    action: str
    label: str
    """For the footer; the shorter the better."""
    help: str
    """For the help screen."""
    group: str
    footer: bool | str = False
    """Whether the footer shows it; a text stands there instead of the key, for keys that go together."""


GROUPS = ("Panels", "Look", "Do", "Endpoints", "Program")

KEYS: tuple[Key, ...] = (
    Key("panel.endpoints", "1", "panel('endpoints')", "panel", "endpoints alone, or back", "Panels", "1-5"),
    Key("request.inspect", "enter", "inspect", "inspect", "everything about the shown request", "Look", True),
    Key("endpoint.edit", "e", "edit", "edit", "edit the endpoint", "Endpoints", True),
    Key("view.freeze", "space", "freeze", "freeze", "hold the picture; measuring goes on", "Look", True),
    Key("probe.pause", "p", "pause", "pause", "pause or resume the endpoint", "Do", True),
    Key("view.filter", "slash", "filter", "filter", "show some endpoints: words, state:down, ttft>500", "Look", True),
    Key("app.help", "question_mark", "help", "help", "this page", "Program", True),
    Key("app.quit", "q", "quit", "quit", "leave; a summary stays in the shell", "Program", True),
    Key("view.window_longer", "plus,equals_sign", "window(1)", "window", "a longer window", "Look", "+ -"),
    Key("view.metric", "l", "metric(1)", "metric", "the next latency: TTFT, E2E, ICL, TPOT, RTT", "Look", True),
    Key("probe.burst", "b", "burst", "burst", "send a number of requests at once", "Do", True),
    Key("incident.mark", "m", "mark", "mark", "write a line into the incident log", "Do", True),
    Key("request.copy", "y", "copy", "copy id", "copy the shown request's trace id", "Look", True),
    Key("panel.stream", "2", "panel('stream')", "", "stream alone, or back", "Panels"),
    Key("panel.latency", "3", "panel('latency')", "", "latency alone, or back", "Panels"),
    Key("panel.pings", "4", "panel('pings')", "", "WebSocket pings alone, or back", "Panels"),
    Key("panel.incidents", "5", "panel('incidents')", "", "incidents alone, or back", "Panels"),
    Key("panel.restore", "escape", "restore", "", "all panels; clear the filter; follow the newest request", "Panels"),
    Key("panel.next", "tab", "app.focus_next", "", "next panel", "Panels"),
    Key("panel.previous", "shift+tab", "app.focus_previous", "", "previous panel", "Panels"),
    Key("view.window_shorter", "minus", "window(-1)", "", "a shorter window", "Look"),
    Key("view.sort", "s", "sort(1)", "sort", "order by the next column", "Look"),
    Key("view.reverse", "S", "reverse", "", "turn the order round", "Look"),
    Key("stream.mode", "v", "stream_mode", "", "stream as events, raw data or text", "Look"),
    Key("request.older", "left_square_bracket", "request(-1)", "", "an older request", "Look"),
    Key("request.newer", "right_square_bracket", "request(1)", "", "a newer request", "Look"),
    Key("probe.pause_all", "P", "pause_all", "", "pause or resume all", "Do"),
    Key("probe.faster", "less_than_sign", "interval(0.5)", "", "probe the endpoint twice as often", "Do"),
    Key("probe.slower", "greater_than_sign", "interval(2)", "", "probe the endpoint half as often", "Do"),
    Key("engine.restart", "r", "restart", "", "start the engine again after it died", "Do"),
    Key("endpoint.add", "a", "add", "", "add an endpoint", "Endpoints"),
    Key("endpoint.duplicate", "D", "duplicate", "", "edit a copy of the endpoint", "Endpoints"),
    Key("endpoint.remove", "delete", "remove", "", "remove the endpoint", "Endpoints"),
    Key("endpoint.undo", "u", "undo", "", "undo the last edit, addition or removal", "Endpoints"),
    Key("app.theme", "t", "theme", "", "the next theme", "Program"),
    Key("app.palette", "ctrl+p", "app.command_palette", "", "all commands by name", "Program"),
)


def bindings() -> list[Binding]:
    """The table as Textual bindings."""
    return [
        Binding(
            key.keys,
            key.action,
            key.label or key.help,
            show=bool(key.footer),
            key_display=key.footer if isinstance(key.footer, str) else None,
            id=key.id,
            tooltip=key.help,
        )
        for key in KEYS
    ]
