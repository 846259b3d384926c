"""What panels say when the user acts on them, and that they draw no more often than they must."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from support import viewrows, views
from textual import events, on
from textual.app import App, ComposeResult
from textual.geometry import Offset, Region
from textual.message import Message
from textual.pilot import Pilot
from textual.theme import Theme

from gwtui.model.incidents import Change, IncidentEvent
from gwtui.model.profile import Endpoint
from gwtui.model.query import Query
from gwtui.model.view import View
from gwtui.text import units
from gwtui.ui.panel import Panel
from gwtui.ui.panels.endpoint_table import out_of_sight
from gwtui.ui.panels.endpoints import EndpointsPanel
from gwtui.ui.panels.header import HeaderLine
from gwtui.ui.panels.incident_list import ListRow
from gwtui.ui.panels.incidents import IncidentsPanel
from gwtui.ui.panels.latency import LatencyPanel
from gwtui.ui.panels.pings import PingsPanel
from gwtui.ui.panels.stream import StreamPanel
from gwtui.ui.panels.timeline import TimelinePanel
from gwtui.ui.text_layout import cells


class PanelApp(App[None]):
    """One panel in a bordered box of 100x14 with a view, and what it posted."""

    CSS = "Panel { width: 100; height: 14; } HeaderLine { height: 1; }"

    def __init__(self, panel: Panel, view: View) -> None:
        super().__init__()
        self.panel = panel
        self.first = view
        self.posted: list[Message] = []
        self.moments: list[TimelinePanel.MomentChosen] = []

    def compose(self) -> ComposeResult:
        yield self.panel

    def on_mount(self) -> None:
        self.panel.show(self.first)
        self.panel.focus()

    @on(EndpointsPanel.Selected)
    @on(EndpointsPanel.Sort)
    @on(EndpointsPanel.Opened)
    @on(StreamPanel.EventChosen)
    @on(StreamPanel.Held)
    @on(LatencyPanel.MetricChosen)
    @on(LatencyPanel.WindowChosen)
    @on(IncidentsPanel.EventOpened)
    def _keep(self, message: Message) -> None:
        self.posted.append(message)

    @on(TimelinePanel.MomentChosen)
    def _keep_moment(self, message: TimelinePanel.MomentChosen) -> None:
        self.moments.append(message)

    @property
    def messages(self) -> list[tuple[object, ...]]:
        """What was posted: the message's name and its data."""
        data = ("name", "column", "endpoint", "request", "number", "step")
        return [
            (type(message).__name__, *(getattr(message, field) for field in data if hasattr(message, field)))
            for message in self.posted
        ]


def shown(panel: Panel) -> list[str]:
    """The text of the panel's content as it is on the screen."""
    return [panel.render_line(y).text for y in range(panel.size.height)]


async def wheel(pilot: Pilot[None], panel: Panel, *, down: bool) -> None:
    """One turn of the mouse wheel over the panel."""
    kind = events.MouseScrollDown if down else events.MouseScrollUp
    delta = 1 if down else -1
    panel.post_message(kind(panel, 3, 3, 0, delta, 0, shift=False, meta=False, ctrl=False))
    await pilot.pause()


async def test_keys_and_wheel_select_an_endpoint_and_the_selection_stays_in_sight() -> None:
    panel = EndpointsPanel()
    app = PanelApp(panel, views.crowded())
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.press("down", "down", "up")
        assert app.messages == [
            ("Selected", "gateway-gpt-01"),
            ("Selected", "gateway-health-02"),
            ("Selected", "gateway-gpt-01"),
        ]
        await pilot.press("end")
        assert app.messages[-1] == ("Selected", "gateway-gpt-19")
        assert "gateway-gpt-19" in shown(panel)[-1]
        assert panel.subtitle(views.crowded()).endswith(" · 10-20 of 20")
        await pilot.press("home", "pagedown")
        assert app.messages[-1] == ("Selected", "gateway-gpt-10")
        await wheel(pilot, panel, down=True)
        assert app.messages[-1] == ("Selected", "gateway-health-11")
        await wheel(pilot, panel, down=False)
        assert app.messages[-1] == ("Selected", "gateway-gpt-10")


async def test_who_is_sick_out_of_sight_is_named_under_the_table() -> None:
    panel = EndpointsPanel()
    async with PanelApp(panel, views.crowded()).run_test(size=(120, 30)) as pilot:
        below = "✖ sourcegraph-claude-14  ▲ azure-eu-west-15  ▲ gateway-starcoder-13 · 1-11 of 20"
        assert panel.subtitle(views.crowded()) == below
        await pilot.press("end")
        above = "✖ sourcegraph-claude-05  ▲ azure-eu-west-06  ▲ gateway-starcoder-04 · 10-20 of 20"
        assert panel.subtitle(views.crowded()) == above


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (99, "✖ sourcegraph-claude-05  ✖ sourcegraph-claude-14  ▲ azure-eu-west-06  and 3 more"),
        (40, "✖ sourcegraph-claude-05  and 5 more"),
        (20, "6 sick"),
        (5, ""),
    ],
)
def test_the_sick_out_of_sight_are_named_as_far_as_there_is_room(width: int, expected: str) -> None:
    assert out_of_sight(views.crowded().endpoints, width) == expected


async def test_at_the_ends_of_the_table_nothing_is_posted() -> None:
    app = PanelApp(EndpointsPanel(), views.calm())
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.press("up", "pageup", "home")
        assert app.messages == []


async def test_clicks_select_open_and_sort() -> None:
    panel = EndpointsPanel()
    app = PanelApp(panel, views.calm())
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.click(panel, offset=Offset(10, 4))
        assert app.messages == [("Selected", "gateway-health")]
        await pilot.click(panel, offset=Offset(10, 4), times=2)
        assert app.messages[-1] == ("Opened", "gateway-health")
        await pilot.click(panel, offset=Offset(10, 10))
        assert len(app.messages) == 2
        heading = shown(panel)[0]
        await pilot.click(panel, offset=Offset(1 + heading.index("p95"), 1))
        assert app.messages[-1] == ("Sort", "p95")
        await pilot.click(panel, offset=Offset(1 + heading.index("why") + 2, 1))
        assert app.messages[-1] == ("Sort", "why")
        await pilot.click(panel, offset=Offset(2, 1))
        assert app.messages[-1] == ("Sort", "why")


async def test_a_new_view_moves_the_selection_to_what_was_chosen_elsewhere() -> None:
    panel = EndpointsPanel()
    app = PanelApp(panel, views.calm())
    async with app.run_test(size=(120, 30)) as pilot:
        chosen = Endpoint(name="gateway-ws", api="websocket", url="ws://localhost")
        panel.show(replace(views.calm(), selected=chosen, query=Query(endpoint="gateway-ws")))
        await pilot.press("up")
        assert app.messages == [("Selected", "gateway-health")]


async def test_the_stream_follows_its_end_until_the_user_scrolls_back() -> None:
    panel = StreamPanel()
    app = PanelApp(panel, views.calm())
    async with app.run_test(size=(120, 30)) as pilot:
        assert "message_stop" in shown(panel)[-2]
        await wheel(pilot, panel, down=False)
        assert app.messages == [("Held", 184)]
        assert "message_stop" not in "".join(shown(panel)[:-1])
        held = shown(panel)[0]
        more = views.stream(lines=views.stream_lines(60))
        panel.show(replace(views.calm(), stream=more))
        assert shown(panel)[0] == held
        kept = replace(more, lines=more.lines[5:], lines_dropped=5)
        panel.show(replace(views.calm(), stream=kept))
        assert shown(panel)[0] == held
        await pilot.press("end")
        assert app.messages[-1] == ("Held", None)
        assert "message_stop" in shown(panel)[-2]
        await pilot.press("home")
        assert shown(panel)[0].split()[0] == units.offset(kept.lines[0].since_sent_ns)


async def test_another_request_is_followed_from_its_end() -> None:
    panel = StreamPanel()
    app = PanelApp(panel, views.calm())
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.press("home")
        panel.show(replace(views.calm(), stream=views.stream(number=185)))
        assert panel.following


async def test_the_stream_as_events_raw_data_and_text() -> None:
    panel = StreamPanel()
    app = PanelApp(panel, views.calm())
    async with app.run_test(size=(120, 30)) as pilot:
        seen = []
        for _ in range(3):
            seen.append((panel.mode, shown(panel)[-2].strip()))
            panel.cycle_mode()
            await pilot.pause()
        assert [mode for mode, _ in seen] == ["events", "raw", "text"]
        assert seen[0][1].endswith('message_stop         {"type":"message_stop"}')
        assert seen[1][1].endswith('{"type":"message_stop"}')
        assert panel.mode == "events"


async def test_a_click_chooses_an_event() -> None:
    panel = StreamPanel()
    app = PanelApp(panel, views.calm())
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.press("home")
        await pilot.click(panel, offset=Offset(10, 3))
        assert app.messages[-1] == ("EventChosen", "gateway-claude", 184, 3)
        await pilot.click(panel, offset=Offset(10, 12))
        assert app.messages[-1] == ("EventChosen", "gateway-claude", 184, 3)


async def test_latency_asks_for_metrics_and_windows() -> None:
    panel = LatencyPanel()
    app = PanelApp(panel, views.calm())
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.click(panel, offset=Offset(10, 3))
        await pilot.press("left", "up")
        await wheel(pilot, panel, down=True)
        await wheel(pilot, panel, down=False)
        assert app.messages == [
            ("MetricChosen", 1),
            ("MetricChosen", -1),
            ("WindowChosen", 1),
            ("WindowChosen", 1),
            ("WindowChosen", -1),
        ]


async def test_incidents_are_walked_through_unfolded_and_their_events_opened() -> None:
    panel = IncidentsPanel()
    told = Change(at=views.AT, event=IncidentEvent.OPENED, text="cut", endpoint="sourcegraph-claude", number=96)
    cut = msgspec.structs.replace(views.CUT, changes=(told,))
    app = PanelApp(panel, replace(views.incident(), incidents=(views.CLOSED, views.LATE, cut)))
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.press("enter")
        assert "opened: sourcegraph-claude: cut" in shown(panel)[1]
        await pilot.press("down", "enter")
        assert app.messages == [("EventOpened", "sourcegraph-claude", 96)]
        await pilot.press("up", "enter")
        assert "opened" not in shown(panel)[1]
        await pilot.click(panel, offset=Offset(20, 3))
        assert panel.selected == ListRow(event=views.incidents()[1])
        assert len(app.messages) == 1
        await pilot.click(panel, offset=Offset(20, 3))
        assert app.messages[1:] == [("EventOpened", "gateway-starcoder", 71)]


def more(view: View, count: int) -> View:
    """The view with that many further incidents that are open."""
    new = [msgspec.structs.replace(views.CUT, number=10 + each, opened=views.AT + each) for each in range(count)]
    return replace(view, incidents=(*view.incidents, *new))


async def test_new_incidents_do_not_hide_behind_a_selection() -> None:
    panel = IncidentsPanel()
    app = PanelApp(panel, views.incident())
    async with app.run_test(size=(120, 8)) as pilot:
        await pilot.press("down")
        was = panel.incident
        panel.show(more(views.incident(), 1))
        assert panel.incident == was == views.ERRORS
        assert not panel.has_class("-newer"), "it is in sight, above"
        panel.show(more(views.incident(), 20))
        await pilot.pause()
        assert panel.incident == was
        hidden = panel._top
        assert str(panel.border_subtitle).startswith(f"{hidden} newer ↑")
        assert panel.has_class("-newer")
        await pilot.press("home")
        assert not panel.has_class("-newer")
        await pilot.press("end")
        assert not panel.has_class("-newer"), "all of them were seen"
        assert panel.follow()
        assert panel._top == 0
        assert not panel.follow()


async def test_the_newest_incident_is_followed_while_nothing_is_selected() -> None:
    panel = IncidentsPanel()
    app = PanelApp(panel, views.incident())
    async with app.run_test(size=(120, 8)):
        panel.show(more(views.incident(), 9))
        assert panel.incident is not None
        assert panel.incident.number == 18
        assert "newer" not in str(panel.border_subtitle)


async def test_a_selected_event_that_is_merged_with_a_later_one_leaves_its_incident_selected() -> None:
    def with_steps(count: int) -> View:
        steps = tuple(Change(at=views.AT + each, event=IncidentEvent.WIDER, text="") for each in range(count))
        return replace(views.incident(), incidents=(msgspec.structs.replace(views.CUT, changes=steps),))

    panel = IncidentsPanel()
    app = PanelApp(panel, with_steps(1))
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.press("enter", "down")
        panel.show(with_steps(2))
        assert panel.selected is not None
        assert panel.selected.is_summary


async def test_the_timeline_is_walked_zoomed_and_unfolded() -> None:
    panel = TimelinePanel()
    app = PanelApp(panel, views.incident())
    async with app.run_test(size=(120, 30)) as pilot:
        before = panel._range(views.incident())
        await pilot.press("minus", "minus", "down", "f")
        first, last = panel._range(views.incident())
        assert (last - first, last) == (300, before[1])
        assert "azure-eu-west" in shown(panel)[3]
        await pilot.press("left")
        assert last - 5 < (panel._cursor or 0) < last
        await pilot.press(*["right"] * 3)
        assert panel._cursor is None, "it follows the end"
        panel.reveal(views.CLOSED)
        await pilot.press("minus", "enter")
        first, last = panel._range(views.incident())
        assert (last - first, first < views.CLOSED.opened < last) == (120, True)
        assert [moment.at for moment in app.moments] == [views.CLOSED.opened]
        await pilot.press("plus", "plus", "plus")
        assert panel._range(views.incident()) == before
        assert panel.follow()
        assert not panel.follow()


async def test_a_second_click_into_the_timeline_goes_there() -> None:
    panel = TimelinePanel()
    app = PanelApp(panel, views.incident())
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.click(panel, offset=Offset(60, 4))
        assert app.moments == []
        await pilot.click(panel, offset=Offset(60, 4))
        first, last = panel._range(views.incident())
        assert [first < moment.at < last for moment in app.moments] == [True]
        await pilot.click(panel, offset=Offset(5, 4))
        assert panel._unfolded


@pytest.mark.parametrize(
    "panel", [EndpointsPanel, StreamPanel, LatencyPanel, PingsPanel, IncidentsPanel, TimelinePanel]
)
async def test_a_panel_draws_again_for_another_size_and_another_theme(panel: type[Panel]) -> None:
    one = panel()
    app = PanelApp(one, views.incident())
    async with app.run_test(size=(120, 30)) as pilot:
        one.styles.width, one.styles.height = 60, 9
        await pilot.pause()
        assert {cells(line) for line in shown(one)} == {one.size.width}
        assert len(shown(one)) == one.size.height == 7
        before = [list(one.render_line(y)) for y in range(7)]
        app.register_theme(Theme(name="other", primary="#0000ff", foreground="#123456", background="#abcdef"))
        app.theme = "other"
        await pilot.pause()
        after = [list(one.render_line(y)) for y in range(7)]
        assert [[segment.text for segment in line] for line in before] == [
            [segment.text for segment in line] for line in after
        ]
        assert before != after


async def test_an_equal_view_costs_no_refresh(monkeypatch: pytest.MonkeyPatch) -> None:
    panel = EndpointsPanel()
    app = PanelApp(panel, views.calm())
    async with app.run_test(size=(120, 30)):
        refreshed: list[tuple[Region, ...]] = []
        monkeypatch.setattr(panel, "refresh", lambda *regions, **_: refreshed.append(regions))
        panel.show(views.calm())
        assert refreshed == []
        rows = viewrows.calm_rows()
        panel.show(replace(views.calm(), endpoints=(*rows[:2], replace(rows[2], why="reset 1/41"), rows[3])))
        assert [[(region.y, region.height) for region in regions] for regions in refreshed] == [[(3, 1)]]


async def test_titles_name_what_is_shown_and_are_never_markup() -> None:
    panel = StreamPanel()
    app = PanelApp(panel, replace(views.calm(), stream=views.stream(endpoint="[/red] \x1b[2J")))
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.pause()
        assert "2 Stream · [/red] ␛[2J #184" in app.export_screenshot().replace("&#160;", " ")


async def test_the_header_grows_by_a_row_each_for_a_banner_and_a_sentence() -> None:
    panel = HeaderLine()
    app = PanelApp(panel, views.calm())
    async with app.run_test(size=(120, 30)) as pilot:
        panel.show(views.incident())
        await pilot.pause()
        assert panel.size.height == 3
        assert "Answers cut by sourcegraph-claude" in shown(panel)[1]
        assert "No space left on device" in shown(panel)[2]
        panel.show(views.calm())
        await pilot.pause()
        assert panel.size.height == 1
