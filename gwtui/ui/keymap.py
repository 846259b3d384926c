"""Every key, as a table. Users remap any of them by its id under `[ui.keys]` of their configuration.

The footer shows those of the monitor in this order, so those that a small screen must not lose come first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from textual.binding import Binding
from textual.keys import REPLACED_KEYS, Keys, format_key, key_to_character
from textual.screen import Screen

from gwtui.model.metrics import BY_RANK

_NEXT_LATENCY = f"the next latency: {', '.join(metric.label for metric in BY_RANK[:4])}, ..."
_ACKNOWLEDGE = "acknowledge the incident, with a note"
_ACCEPT = "accept: what the endpoint does now is usual"
_GROUP = "group by gateway, provider, model or tag, or not"
_BACK = "back: newest request, all panels, no filter, now"
_EDGE_BEFORE = "back to where an incident began or ended"
_EDGE_AFTER = "forward to where an incident begins or ends"
_OLDER, _NEWER = "left_square_bracket,left_parenthesis", "right_square_bracket,right_parenthesis"
_WRITE_UP = "write up the incident, or the last 15 minutes"
_COPY_MENU = "choose what to copy: ids, curl, row, ticket"
FAR = 1_000_000
"""More lines than anything has."""


class Key(NamedTuple):
    id: str
    keys: str
    """Textual's names, several parted by commas."""
    action: str
    label: str
    """For the footer; the shorter the better."""
    help: str
    """For the help screen and the command palette."""
    group: str
    """The heading it stands under in the help screen."""
    footer: bool | str = False
    """Whether the footer shows it; a text stands there instead of the key, for keys that go together."""
    urgent: bool = False
    """The footer shows it while an incident is open."""

    @property
    def name(self) -> str:
        """What it is called in the command palette, as `window longer` for `view.window_longer`."""
        return self.id.partition(".")[2].replace("_", " ")


KEYS: tuple[Key, ...] = (
    Key("app.help", "question_mark", "help", "help", "help: all keys, the mouse, the symbols", "Program", True),
    Key("app.quit", "q", "quit", "quit", "quit; a summary is printed to the shell", "Program", True),
    Key("panel.endpoints", "1", "panel('endpoints')", "panel", "only the endpoints, or all panels", "Panels", "1-5"),
    Key("request.inspect", "enter", "inspect", "inspect", "inspect the shown request", "View", True),
    Key("incident.write_up", "w", "write_up", "write up", _WRITE_UP, "Actions", urgent=True),
    Key("endpoint.edit", "e", "edit", "edit", "edit the endpoint", "Endpoints", True),
    Key("view.freeze", "space", "freeze", "freeze", "freeze the display; play or pause a recording", "Time", True),
    Key("probe.pause", "p", "pause", "pause", "pause or resume the endpoint", "Actions", True),
    Key("view.filter", "slash", "filter", "filter", "filter endpoints: words, state:down, ttft>500", "View", True),
    Key("view.window_longer", "plus,equals_sign", "window(1)", "window", "make the window longer", "View", "+ -"),
    Key("view.window_shorter", "minus", "window(-1)", "", "make the window shorter", "View"),
    Key("probe.burst", "b", "burst", "burst", "send a burst of requests", "Actions", True),
    Key("incident.mark", "m", "mark", "mark", "mark this moment in the incident list", "Actions", True),
    Key("incident.acknowledge", "x", "acknowledge", "acknowledge", _ACKNOWLEDGE, "Actions"),
    Key("incident.next", "n", "incident(1)", "incident", "select the next incident, and its endpoint", "View", "n N"),
    Key("incident.previous", "N", "incident(-1)", "", "the incident before it, and its endpoint", "View"),
    Key("endpoint.accept", "X", "accept", "accept as usual", _ACCEPT, "Actions"),
    Key("request.copy", "y", "copy", "copy", "copy the shown request's trace id", "View", True),
    Key("request.copy_menu", "Y", "copy_menu", "", _COPY_MENU, "View"),
    Key("page.compare", "c", "compare", "compare", "compare the endpoint with others", "View", True),
    Key("page.checks", "K", "checks", "checks", "checks of the endpoint and its gateway", "View", True),
    Key("view.metric", "l", "metric(1)", "metric", _NEXT_LATENCY, "View", True),
    Key("view.log_scale", "L", "log_scale", "log", "latency on a logarithmic axis, or from 0", "View"),
    Key("panel.stream", "2", "panel('stream')", "", "only the stream, or all panels", "Panels"),
    Key("panel.latency", "3", "panel('latency')", "", "only the latency, or all panels", "Panels"),
    Key("panel.pings", "4", "panel('pings')", "", "only the WebSocket pings, or all panels", "Panels"),
    Key("panel.incidents", "5", "panel('incidents')", "", "only the incidents, or all panels", "Panels"),
    Key("panel.restore", "escape", "restore", "", _BACK, "Panels"),
    Key("panel.next", "tab", "app.focus_next", "", "next panel", "Panels"),
    Key("panel.previous", "shift+tab", "app.focus_previous", "", "previous panel", "Panels"),
    Key("view.sort", "s", "sort", "sort", "sort: worst first, as in the profile, by a column", "View"),
    Key("view.group", "o", "group", "group", _GROUP, "View"),
    Key("view.reverse", "S", "reverse", "", "reverse the sort", "View"),
    Key("view.columns", "C", "columns", "", "choose further columns: average, total, cost", "View"),
    Key("stream.mode", "v", "stream_mode", "mode", "stream as models, events, raw data or text", "View"),
    Key("request.older", "left_parenthesis", "request(-1)", "request", "an older request", "View", "( )"),
    Key("request.newer", "right_parenthesis", "request(1)", "", "a newer request", "View"),
    Key("time.back", "comma,shift+left", "moment(-1)", "time", "back in time by one cell of the strip", "Time", ", ."),
    Key("time.forward", "full_stop,shift+right", "moment(1)", "", "forward in time by one cell", "Time"),
    Key("time.previous", "less_than_sign", "edge(-1)", "", _EDGE_BEFORE, "Time"),
    Key("time.next", "greater_than_sign", "edge(1)", "", _EDGE_AFTER, "Time"),
    Key("time.slower", "left_square_bracket", "speed(-1)", "", "play slower; live: an older request", "Time"),
    Key("time.faster", "right_square_bracket", "speed(1)", "", "play faster; live: a newer request", "Time"),
    Key("time.utc", "z", "utc", "", "clocks in UTC or local time", "Time"),
    Key("probe.pause_all", "P", "pause_all", "", "pause or resume all", "Actions"),
    Key("probe.faster", "right_curly_bracket", "interval(0.5)", "", "probe the endpoint twice as often", "Actions"),
    Key("probe.slower", "left_curly_bracket", "interval(2)", "", "probe the endpoint half as often", "Actions"),
    Key("probe.ask", "r", "ask", "ask now", "ask the endpoint now, once", "Actions"),
    Key("probe.ask_all", "R", "ask_all", "", "ask all endpoints now that are not up", "Actions"),
    Key("engine.restart", "ctrl+r", "restart", "", "restart the engine after it ended", "Actions"),
    Key("endpoint.add", "a", "add", "", "add an endpoint", "Endpoints"),
    Key("endpoint.duplicate", "D", "duplicate", "", "edit a copy of the endpoint", "Endpoints"),
    Key("endpoint.remove", "delete", "remove", "", "remove the endpoint", "Endpoints"),
    Key("endpoint.undo", "u", "undo", "", "undo the last edit, addition or removal", "Endpoints"),
    Key("app.theme", "t", "app.next_theme", "", "next theme", "Program"),
    Key("app.themes", "T", "app.choose_theme", "", "choose a theme, with a preview", "Program"),
    Key("app.palette", "ctrl+p", "app.command_palette", "", "all commands by name", "Program"),
    Key("app.manual", "f1", "manual", "manual", "the manual: verdicts, findings, files, ...", "Program"),
)
"""Those of the monitor screen."""


def _moves(place: str, group: str) -> tuple[Key, ...]:
    """The keys of whatever moves line by line, with ids such as `stream.down`."""
    return (
        Key(f"{place}.up", "up,k", "move(-1)", "", "a line up", group),
        Key(f"{place}.down", "down,j", "move(1)", "", "a line down", group),
        Key(f"{place}.page_up", "pageup", "page(-1)", "", "a page up", group),
        Key(f"{place}.page_down", "pagedown", "page(1)", "", "a page down", group),
        Key(f"{place}.first", "home,g", f"move(-{FAR})", "", "to the top", group),
        Key(f"{place}.last", "end,G", f"move({FAR})", "", "to the end", group),
    )


_DETAILS, _COMPARE, _CHECKS = "In a request's details", "In the comparison", "In the checks"
_TIMELINE = "In the incidents over time"

KEYS_BY_PLACE: dict[str, tuple[Key, ...]] = {
    "endpoints": (
        *_moves("endpoints", "In the endpoints"),
        Key("endpoints.fold", "enter", "fold", "", "fold the group, or unfold it", "In the endpoints"),
    ),
    "stream": _moves("stream", "In the stream"),
    "latency": (
        Key("latency.next", "right", "metric(1)", "", "the next latency", "In the latency panel"),
        Key("latency.previous", "left", "metric(-1)", "", "the previous latency", "In the latency panel"),
        Key("latency.longer", "up", "window(1)", "", "a longer window", "In the latency panel"),
        Key("latency.shorter", "down", "window(-1)", "", "a shorter window", "In the latency panel"),
    ),
    "incidents": (
        *_moves("incidents", "In the incidents"),
        Key("incidents.open", "enter", "open", "", "unfold the incident; open an event", "In the incidents"),
    ),
    "timeline": (
        *_moves("timeline", _TIMELINE),
        Key("timeline.earlier", "left", "walk(-1)", "", "the cursor to the left", _TIMELINE),
        Key("timeline.later", "right", "walk(1)", "", "the cursor to the right", _TIMELINE),
        Key("timeline.longer", "plus,equals_sign", "zoom(1)", "", "see more time at once", _TIMELINE),
        Key("timeline.shorter", "minus", "zoom(-1)", "", "see less time at once", _TIMELINE),
        Key("timeline.fold", "f", "fold", "", "show the endpoints of the scope, or hide them", _TIMELINE),
        Key("timeline.open", "enter", "open", "", "look at the moment of the cursor", _TIMELINE),
    ),
    "details": (
        *_moves("details", _DETAILS),
        Key("details.next_event", "right", "event(1)", "", "open the next event", _DETAILS),
        Key("details.previous_event", "left", "event(-1)", "", "open the event before", _DETAILS),
    ),
    "recent": _moves("recent", "In the list of requests"),
    "inspection": (
        Key("details.older", _OLDER, "request(-1)", "older", "an older request", _DETAILS),
        Key("details.newer", _NEWER, "request(1)", "newer", "a newer request", _DETAILS),
        Key("details.copy", "y", "copy", "copy trace id", "copy the trace id", _DETAILS),
        Key("details.copy_menu", "Y", "copy_menu", "more to copy", _COPY_MENU, _DETAILS),
        Key("details.back", "escape,enter,q", "leave", "back", "back to the monitor", _DETAILS),
    ),
    "others": _moves("others", "In the endpoints to compare"),
    "comparison": _moves("comparison", _COMPARE),
    "compare": (
        Key("compare.choose", "space", "choose", "add or remove", "add the endpoint or remove it", _COMPARE),
        Key("compare.burst", "b", "burst", "burst", "send a burst to all of them, in turns", _COMPARE),
        Key("compare.metric", "l", "metric", "latency", "describe the next latency", _COMPARE),
        Key("compare.copy", "y", "copy", "copy", "copy the sentences", _COMPARE),
        Key("compare.back", "escape,q,c", "leave", "back", "back to the monitor", _COMPARE),
    ),
    "checklist": _moves("checklist", _CHECKS),
    "checks": (
        Key("checks.again", "r", "again", "run again", "run all checks again", _CHECKS),
        Key("checks.models", "m", "models", "with models", "run them with models that have to work", _CHECKS),
        Key("checks.copy", "y", "copy", "copy", "copy the results", _CHECKS),
        Key("checks.back", "escape,q,K", "leave", "back", "back to the monitor; the checks continue", _CHECKS),
    ),
    "form": (
        Key("form.try", "ctrl+t", "try", "Try once", "probe once with the form's values", "In the endpoint form"),
        Key("form.apply", "ctrl+o", "apply", "Apply", "apply to this session", "In the endpoint form"),
        Key("form.save", "ctrl+s", "save", "Save", "apply and write to the file", "In the endpoint form"),
        Key("form.leave", "escape", "leave", "Leave", "leave without changes", "In the endpoint form"),
    ),
}
"""Those of panels and of other screens."""

_OF_INCIDENTS = ("request.inspect", "incident.next", "incident.acknowledge", "incident.mark", "endpoint.accept")
FIRST_IN_FOOTER: dict[str, tuple[str, ...]] = {
    "endpoints": (
        *("request.inspect", "incident.next", "time.back", "view.filter", "view.sort", "view.group", "endpoint.edit"),
        *("probe.ask", "probe.pause"),
    ),
    "stream": ("stream.mode", "request.older", "request.inspect", "request.copy"),
    "latency": ("view.metric", "view.window_longer", "view.log_scale"),
    "pings": ("view.window_longer",),
    "incidents": _OF_INCIDENTS,
    "timeline": _OF_INCIDENTS,
}
"""Keys that the footer shows first while the focus is on a panel."""
NEED_AN_ENGINE = frozenset(
    {
        *("endpoint.edit", "endpoint.add", "endpoint.duplicate", "endpoint.remove", "endpoint.undo", "endpoint.accept"),
        *(
            "probe.pause",
            "probe.pause_all",
            "probe.faster",
            "probe.slower",
            "probe.ask",
            "probe.ask_all",
            "probe.burst",
        ),
        *("incident.mark", "incident.acknowledge", "page.checks", "engine.restart"),
    }
)
"""Keys that a recording answers by saying that it is one."""
_ENTER = {"incidents": "unfold", "timeline": "go there"}
"""What enter does in panels where it does not inspect a request."""


def footer(panel: str, *, is_urgent: bool = False, is_recording: bool = False) -> list[Key]:
    """The keys of the footer, those first that matter most; help and quit are always in sight.

    `panel`: the one with the focus. `is_urgent`: an incident is open. `is_recording`: there is no engine.
    """
    by_id = {key.id: key for key in KEYS}
    urgent = (key.id for key in KEYS if key.urgent and is_urgent)
    first = dict.fromkeys((*(key.id for key in KEYS[:2]), *urgent, *FIRST_IN_FOOTER.get(panel, ())))
    if panel in _ENTER:
        enter = by_id["request.inspect"]
        by_id[enter.id] = enter._replace(label=_ENTER[panel], action="app.simulate_key('enter')")
    keys = [*(by_id[id_] for id_ in first), *(key for key in KEYS if key.footer and key.id not in first)]
    if not is_recording:
        return keys
    by_id["view.freeze"] = by_id["view.freeze"]._replace(label="play")
    return [by_id[key.id] for key in keys if key.id not in NEED_AN_ENGINE]


EVERY: tuple[Key, ...] = (*KEYS, *(key for keys in KEYS_BY_PLACE.values() for key in keys))


def bindings(place: str = "") -> list[Binding]:
    """The keys of the monitor screen, or of one of `PLACES`, as Textual bindings."""
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
        for key in (KEYS_BY_PLACE[place] if place else KEYS)
    ]


def in_force(screen: Screen[Any]) -> dict[str, str]:
    """The key that leads to each binding of this screen, by its id; the first where there are several."""
    keys: dict[str, str] = {}
    for active in screen.active_bindings.values():
        if active.binding.id is not None:
            keys.setdefault(active.binding.id, active.binding.key)
    return keys


def hints(screen: Screen[Any], place: str) -> str:
    """The keys of a place as they are in force on this screen, for a border."""
    keys = in_force(screen)
    return "  ".join(f"{shown(keys[key.id])} {key.label}" for key in KEYS_BY_PLACE[place] if key.id in keys)


def shown_key(id_: str, remapped: Mapping[str, str]) -> str:
    """The key with that id as it is printed on a keyboard. `remapped`: the user's own keys."""
    return shown(remapped.get(id_) or next(key.keys for key in EVERY if key.id == id_))


def shown(keys: str) -> str:
    """Keys as they are printed on a keyboard: `+ =` for `plus,equals_sign`."""
    return " ".join(name if name == "enter" or len(name) == 1 else _printed(name) for name in _names(keys))


def _printed(name: str) -> str:
    *modifiers, last = name.split("+")
    return "+".join([*modifiers, format_key(last)])


def faults_of(remapped: Mapping[str, str]) -> list[str]:
    """What is wrong with the user's `[ui.keys]`: unknown ids, keys that no keyboard has, keys that mean two things."""
    ids = {key.id for key in EVERY}
    unknown = [f"[ui.keys] there is no {id_!r}: press ? for the ids" for id_ in sorted(remapped.keys() - ids)]
    impossible = [
        f"[ui.keys] {id_}: {name!r} is not a key"
        for id_ in sorted(remapped.keys() & ids)
        for name in _names(remapped[id_])
        if not _is_key(name)
    ]
    return [
        *unknown,
        *impossible,
        *(fault for keys in (KEYS, *KEYS_BY_PLACE.values()) for fault in _clashes(keys, remapped)),
    ]


def _clashes(keys: Iterable[Key], remapped: Mapping[str, str]) -> Iterator[str]:
    meant: dict[str, str] = {}
    for key in keys:
        for name in _names(remapped.get(key.id, key.keys)):
            if (other := meant.setdefault(shown(name), key.id)) != key.id:
                yield f"[ui.keys] {shown(name)} is both {other} and {key.id}"


def _names(keys: str) -> list[str]:
    return [name.strip() for name in keys.split(",")]


def _is_key(name: str) -> bool:
    if len(name) == 1:
        return name.isprintable()
    *modifiers, last = name.split("+")
    known = key_to_character(REPLACED_KEYS.get(last, last)) is not None or last in {key.value for key in Keys}
    return known and all(each in ("ctrl", "shift", "alt", "super", "meta", "hyper") for each in modifiers)
