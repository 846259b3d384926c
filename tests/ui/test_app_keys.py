"""What every key of the table does, pressed in the whole program."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from msgspec.structs import replace
from support import story
from support.monitor_stage import SECOND, START_AT, START_NS
from support.stage import Stage, on_stage
from textual.command import CommandPalette
from textual.widget import Widget

from gwtui.model.commands import (
    AcceptUsual,
    Acknowledge,
    AskNow,
    Burst,
    Mark,
    Pause,
    PutEndpoint,
    RemoveEndpoint,
    RunChecks,
    SetInterval,
    Try,
)
from gwtui.model.enums import State
from gwtui.model.incidents import IncidentEvent
from gwtui.model.judged import LogEntry
from gwtui.model.metrics import Metric
from gwtui.model.query import Grouping, Window
from gwtui.ui.keymap import EVERY, KEYS, KEYS_BY_PLACE, Key
from gwtui.ui.panels.checks import ChecksPanel
from gwtui.ui.panels.compare import ComparePanel, OthersPanel
from gwtui.ui.panels.details import DetailsPanel
from gwtui.ui.panels.incidents import IncidentsPanel
from gwtui.ui.panels.stream import Mode, StreamPanel
from gwtui.ui.panels.timeline import TimelinePanel
from gwtui.ui.screens.checks import ChecksScreen
from gwtui.ui.screens.compare import CompareScreen
from gwtui.ui.screens.details import DetailsScreen
from gwtui.ui.screens.form import EndpointForm
from gwtui.ui.screens.help import HELP_WIDTH, HelpScreen
from gwtui.ui.screens.manual import ManualScreen
from gwtui.ui.screens.monitor import MonitorScreen
from gwtui.ui.screens.themes import ThemesScreen

PANELS = ("endpoints", "stream", "latency", "pings", "incidents")
SMALL = {"In the comparison", "In the checks"}
"""Groups whose keys scroll what a large screen shows whole."""


class Case(NamedTuple):
    see: Callable[[Stage], object]
    expected: object
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


def screen(stage: Stage) -> type:
    return type(stage.screen)


def ordered(stage: Stage) -> object:
    """The newest command."""
    return stage.feed.sent[-1]


def seen(stage: Stage) -> tuple[str, ...]:
    """The panels that are on the screen."""
    return tuple(name for name in PANELS if stage.monitor.query_one(f"#{name}").region)


def focus(stage: Stage) -> object:
    return stage.screen.focused.id if stage.screen.focused is not None else None


def selected(stage: Stage) -> object:
    return stage.monitor.view.selected.name if stage.monitor.view.selected is not None else None


def request(stage: Stage) -> object:
    return stage.query.request


def moment(stage: Stage) -> object:
    """The second of the session that is looked at."""
    at_ns = stage.query.at_ns
    return None if at_ns is None else (at_ns - START_NS) // SECOND


def first(stage: Stage) -> object:
    """The first event that is seen in the stream panel, and whether it follows the end."""
    panel = stage.monitor.query_one(StreamPanel)
    return panel._first(), panel.following


def incident(stage: Stage) -> object:
    found = stage.monitor.query_one(IncidentsPanel).selected
    return found.event.kind if found is not None and isinstance(found.event, LogEntry) else None


def lane(stage: Stage) -> object:
    return stage.monitor.query_one(TimelinePanel)._index


def cursor(stage: Stage) -> object:
    """Whether the timeline has a cursor, and how many seconds it shows."""
    panel = stage.monitor.query_one(TimelinePanel)
    return panel._cursor is not None, panel._length


def top(stage: Stage) -> object:
    return stage.screen.query_one(DetailsPanel)._top


def event(stage: Stage) -> object:
    """The event that is open in the details."""
    return stage.screen.query_one(DetailsPanel)._opened


def at_the_end(stage: Stage) -> object:
    """Whether the last line of the details is the last one that is seen."""
    panel = stage.screen.query_one(DetailsPanel)
    return panel._top == len(panel._numbers) - panel.size.height > 0


def title(stage: Stage) -> str:
    """The probe that the details are about."""
    return str(stage.screen.query_one(DetailsPanel).border_title)


def other(stage: Stage) -> object:
    """The endpoint that the list of others has its cursor on, and those that are compared."""
    picture = stage.screen.query_one(OthersPanel)._picture
    return (picture.cursor, len(picture.chosen)) if picture is not None else None


def line(stage: Stage) -> object:
    """The first line that is seen of what scrolls on the page over the monitor."""
    panel = stage.screen.focused
    return panel._top if isinstance(panel, ComparePanel | ChecksPanel) else None


CASES: dict[str, Case] = {
    "app.help": Case(screen, HelpScreen),
    "app.manual": Case(screen, ManualScreen),
    "app.quit": Case(lambda stage: stage.app.return_value, 0),
    "app.theme": Case(lambda stage: stage.app.theme, "gwtui-dusk"),
    "app.themes": Case(screen, ThemesScreen),
    "app.palette": Case(screen, CommandPalette),
    "panel.endpoints": Case(seen, ("endpoints",)),
    "panel.stream": Case(seen, ("stream",)),
    "panel.latency": Case(seen, ("latency",)),
    "panel.pings": Case(seen, ("pings",)),
    "panel.incidents": Case(seen, ("incidents",)),
    "panel.restore": Case(seen, PANELS, before=("2",)),
    "panel.next": Case(focus, "stream"),
    "panel.previous": Case(focus, "incidents"),
    "request.inspect": Case(screen, DetailsScreen),
    "request.copy": Case(lambda stage: stage.app.clipboard, story.trace(9)),
    "request.copy_menu": Case(lambda stage: stage.app.clipboard[:5], "curl ", after=("c",)),
    "request.older": Case(request, 9),
    "request.newer": Case(request, 9, before=("left_parenthesis", "left_parenthesis")),
    "page.compare": Case(screen, CompareScreen),
    "page.checks": Case(screen, ChecksScreen, after=("y",)),
    "view.freeze": Case(lambda stage: "14:03:42 · 0s ago" in stage.lines[0], True),
    "time.back": Case(moment, 18, before=("comma",)),
    "time.forward": Case(moment, 19, before=("comma", "comma")),
    "time.previous": Case(moment, 5, before=("less_than_sign",)),
    "time.next": Case(moment, 12, before=("less_than_sign", "less_than_sign")),
    "time.slower": Case(request, 9),
    "time.faster": Case(request, 9, before=("left_square_bracket", "left_square_bracket")),
    "time.utc": Case(lambda stage: stage.query.utc, True),
    "view.filter": Case(focus, "filter"),
    "view.window_longer": Case(lambda stage: stage.query.window, Window.M10),
    "view.window_shorter": Case(lambda stage: stage.query.window, Window.S30),
    "view.metric": Case(lambda stage: stage.query.metric, Metric.E2E),
    "view.group": Case(lambda stage: stage.query.group, Grouping.GATEWAY),
    "view.log_scale": Case(lambda stage: "log└" in stage.text, True),
    "view.sort": Case(lambda stage: stage.query.sort, "endpoint"),
    "view.reverse": Case(lambda stage: stage.query.descending, True, before=("s", "s")),
    "view.columns": Case(lambda stage: stage.query.columns, ("avg",), after=("space", "escape")),
    "stream.mode": Case(lambda stage: stage.monitor.query_one(StreamPanel).mode, Mode.RAW),
    "probe.pause": Case(ordered, Pause(endpoint=story.CLAUDE.name)),
    "probe.pause_all": Case(ordered, Pause()),
    "probe.burst": Case(ordered, Burst(endpoint=story.CLAUDE.name, requests=20, concurrency=5), after=("enter",)),
    "probe.ask": Case(ordered, AskNow(endpoints=(story.CLAUDE.name,))),
    "probe.ask_all": Case(ordered, AskNow(endpoints=("gateway-gpt",))),
    "probe.faster": Case(ordered, SetInterval(endpoint=story.CLAUDE.name, interval_s=1.0)),
    "probe.slower": Case(ordered, SetInterval(endpoint=story.CLAUDE.name, interval_s=4.0)),
    "incident.mark": Case(ordered, Mark(text="hi"), after=("h", "i", "enter")),
    "incident.write_up": Case(lambda stage: "the last 15 minutes" in stage.notices[0], True),
    "incident.acknowledge": Case(lambda stage: stage.notices, ["No incident is open now"]),
    "incident.next": Case(lambda stage: stage.notices, ["No incident in this session"]),
    "incident.previous": Case(lambda stage: stage.notices, ["No incident in this session"]),
    "endpoint.accept": Case(ordered, AcceptUsual(endpoint=story.CLAUDE.name), after=("y",)),
    "engine.restart": Case(lambda stage: stage.notices, ["The engine is running"]),
    "endpoint.edit": Case(screen, EndpointForm),
    "endpoint.add": Case(lambda stage: "Add an endpoint" in stage.text, True),
    "endpoint.duplicate": Case(lambda stage: "gateway-claude-copy" in stage.text, True),
    "endpoint.remove": Case(ordered, RemoveEndpoint(name=story.CLAUDE.name)),
    "endpoint.undo": Case(ordered, PutEndpoint(endpoint=story.CLAUDE), before=("delete",)),
    # Within a panel or a screen, each key goes on from where the one before it led.
    "endpoints.up": Case(selected, "gateway-gpt", before=("down", "down")),
    "endpoints.down": Case(selected, "gateway-http"),
    "endpoints.page_up": Case(selected, "gateway-claude"),
    "endpoints.page_down": Case(selected, "gateway-ws"),
    "endpoints.first": Case(selected, "gateway-claude"),
    "endpoints.last": Case(selected, "gateway-ws"),
    "endpoints.fold": Case(lambda stage: stage.query.folded, frozenset({"gateway.example.com"}), before=("o", "home")),
    "stream.up": Case(first, (13, False), before=("left_square_bracket", "tab")),
    "stream.down": Case(first, (14, True)),
    "stream.page_up": Case(first, (3, False)),
    "stream.page_down": Case(first, (14, True)),
    "stream.first": Case(first, (0, False)),
    "stream.last": Case(first, (14, True)),
    "latency.next": Case(lambda stage: stage.query.metric, Metric.E2E, before=("3",)),
    "latency.previous": Case(lambda stage: stage.query.metric, Metric.TTFT),
    "latency.longer": Case(lambda stage: stage.query.window, Window.M10),
    "latency.shorter": Case(lambda stage: stage.query.window, Window.M2),
    "incidents.up": Case(incident, "mark", before=("shift+tab", "down")),
    "incidents.down": Case(incident, "state"),
    "incidents.page_up": Case(incident, "mark"),
    "incidents.page_down": Case(incident, "state"),
    "incidents.first": Case(incident, "mark"),
    "incidents.last": Case(incident, "state"),
    "incidents.open": Case(title, "gateway-gpt #3"),
    "timeline.up": Case(lane, 0, before=("5", "down")),
    "timeline.down": Case(lane, 1),
    "timeline.page_up": Case(lane, 0),
    "timeline.page_down": Case(lane, 1),
    "timeline.first": Case(lane, 0),
    "timeline.last": Case(lane, 1),
    "timeline.earlier": Case(cursor, (True, None)),
    "timeline.later": Case(cursor, (False, None)),
    "timeline.longer": Case(cursor, (False, 30.0), before=("minus", "minus")),
    "timeline.shorter": Case(cursor, (False, 10.0)),
    "timeline.fold": Case(lambda stage: len(stage.monitor.query_one(TimelinePanel)._lanes), 3),
    "timeline.open": Case(lambda stage: stage.query.at_ns == stage.monitor.view.stamp(START_AT + 30), True),
    "details.up": Case(top, 1, before=("left_square_bracket", "enter", "down", "down")),
    "details.down": Case(top, 2),
    "details.page_up": Case(top, 0),
    "details.page_down": Case(top, 26),
    "details.first": Case(top, 0),
    "details.last": Case(at_the_end, True),
    "details.next_event": Case(event, 2, before=("right",)),
    "details.previous_event": Case(event, 1),
    "details.older": Case(title, "gateway-claude #8"),
    "details.newer": Case(title, "gateway-claude #9"),
    "details.copy": Case(lambda stage: stage.app.clipboard, story.trace(9)),
    "details.copy_menu": Case(lambda stage: stage.app.clipboard, "req_9", after=("r",)),
    "details.back": Case(screen, MonitorScreen),
    "recent.up": Case(request, 9, before=("enter", "tab", "down", "down")),
    "recent.down": Case(request, 8),
    "recent.page_up": Case(request, 9),
    "recent.page_down": Case(request, 1),
    "recent.first": Case(request, 9),
    "recent.last": Case(request, 1),
    "others.up": Case(other, ("gateway-gpt", 1), before=("c", "down")),
    "others.down": Case(other, ("gateway-http", 1)),
    "others.page_up": Case(other, ("gateway-gpt", 1)),
    "others.page_down": Case(other, ("gateway-http", 1)),
    "others.first": Case(other, ("gateway-gpt", 1)),
    "others.last": Case(other, ("gateway-ws", 1)),
    "comparison.up": Case(line, 0, before=("c", "down", "space", "down", "space", "tab", "down")),
    "comparison.down": Case(line, 1),
    "comparison.page_up": Case(line, 0),
    "comparison.page_down": Case(line, 11),
    "comparison.first": Case(line, 0),
    "comparison.last": Case(line, 20),
    "compare.choose": Case(other, ("gateway-ws", 2)),
    "compare.burst": Case(
        ordered,
        Burst(endpoint="gateway-claude", requests=30, concurrency=1, others=("gateway-gpt", "gateway-http")),
        after=("enter",),
    ),
    "compare.metric": Case(lambda stage: stage.query.metric, Metric.E2E),
    "compare.copy": Case(lambda stage: stage.app.clipboard[:14], "failures: gate"),
    "compare.back": Case(screen, MonitorScreen),
    "checklist.up": Case(line, 0, before=("K", "y", "down")),
    "checklist.down": Case(line, 1),
    "checklist.page_up": Case(line, 0),
    "checklist.page_down": Case(line, 16),
    "checklist.first": Case(line, 0),
    "checklist.last": Case(line, 24),
    "checks.again": Case(ordered, RunChecks(endpoint="gateway-claude")),
    "checks.models": Case(
        ordered, RunChecks(endpoint="gateway-claude", models=("x", "y")), after=("x", "comma", "y", "enter")
    ),
    "checks.copy": Case(
        lambda stage: stage.app.clipboard.splitlines()[0], "Checks of gateway-claude, 2025-12-31T14:03:22.000Z"
    ),
    "checks.back": Case(screen, MonitorScreen),
    "form.try": Case(ordered, Try(endpoint=story.CLAUDE), before=("e",)),
    "form.apply": Case(ordered, PutEndpoint(endpoint=story.CLAUDE, replaces=story.CLAUDE.name)),
    "form.save": Case(lambda stage: stage.config.path.exists(), True, before=("e",)),
    "form.leave": Case(screen, MonitorScreen, before=("e",)),
}


MORE = (story.opened(1, 30), story.opened(2, 31, story.GPT.name))
"""Incidents, which the session of the story has none of."""


def test_every_key_has_a_case() -> None:
    assert sorted(CASES) == sorted(key.id for key in EVERY)


def test_ids_are_unique_and_no_key_is_bound_twice_in_one_place() -> None:
    assert len({key.id for key in EVERY}) == len(EVERY)
    for place in (KEYS, *KEYS_BY_PLACE.values()):
        keys = [name for key in place for name in key.keys.split(",")]
        assert len(set(keys)) == len(keys)


def test_what_a_key_does_has_room_beside_its_id() -> None:
    assert [key.id for key in EVERY if len(key.help) > HELP_WIDTH] == []


def _groups() -> dict[str, list[Key]]:
    """The keys by their heading in the help screen; the one that ends the program alone."""
    groups: dict[str, list[Key]] = {}
    for key in EVERY:
        groups.setdefault(key.id if key.id == "app.quit" else key.group, []).append(key)
    return groups


INCIDENT = (story.opened(1, 5), replace(story.opened(1, 12), event=IncidentEvent.CLOSED, state=State.UP))
"""From 5 s to 12 s of the session."""


@pytest.mark.parametrize("keys", _groups().values(), ids=_groups().keys())
async def test_what_a_key_does(keys: list[Key], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = {}
    size = (60, 20) if keys[0].group in SMALL else (112, 32)
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS, size=size) as stage:
        before = INCIDENT if keys[0].group == "Time" else ()
        await stage.show(*before, *story.session(), *(MORE if keys[0].id.startswith("timeline") else ()))
        for key in keys:
            case = CASES[key.id]
            await stage.press(*case.before)
            await stage.press(key.keys.split(",")[0], *case.after)
            done[key.id] = case.see(stage)
            if key in KEYS and key.id != "app.quit":
                await stage.reset()
    assert done == {key.id: CASES[key.id].expected for key in keys}


async def test_the_incident_under_the_cursor_is_acknowledged_or_else_the_newest_that_is_open(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.show(*story.session(), story.opened(1, 30), story.opened(2, 31))
        await stage.press("x", "o", "k", "enter")
        newest = ordered(stage)
        await stage.press("shift+tab", "down", "x", "enter")
        below = ordered(stage)
        await stage.press("x", "n", "escape")
    assert newest == Acknowledge(incident=2, note="ok")
    assert below == Acknowledge(incident=1, note="")
    assert ordered(stage) == below, "it was left without an answer"


async def test_the_next_incident_is_selected_from_anywhere_with_its_first_endpoint(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.show(*story.session(), *MORE)
        panel, seen = stage.monitor.query_one(IncidentsPanel), []
        for key in ("n", "n", "n", "N", "escape"):
            await stage.press(key)
            seen.append((panel.incident.number if panel.incident is not None else None, selected(stage), focus(stage)))
    claude, gpt = story.CLAUDE.name, story.GPT.name
    assert seen == [
        (2, gpt, "endpoints"),
        (1, claude, "endpoints"),
        (2, gpt, "endpoints"),
        (1, claude, "endpoints"),
        (None, claude, "endpoints"),
    ]


async def test_a_key_that_is_pressed_before_all_is_up_is_not_typed_anywhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    focused: list[object] = []
    set_focus = MonitorScreen.set_focus

    def kept(screen: MonitorScreen, widget: Widget | None, *args: object, **options: object) -> None:
        focused.append(widget.id if widget is not None else None)
        set_focus(screen, widget, *args, **options)  # type: ignore[arg-type]  # passed on as they come

    monkeypatch.setattr(MonitorScreen, "set_focus", kept)
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS):
        pass
    assert focused[0] == "endpoints"
