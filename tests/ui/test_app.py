"""The program as a whole: what it shows, what it survives, and what it leaves behind."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from support import story
from support.hazards import HAZARD, hazards_in
from support.stage import Stage, on_stage
from textual import events
from textual.geometry import Offset, Size
from textual.widgets import Input, OptionList

from gwtui.feeds import Feed
from gwtui.model.commands import AskNow, Burst, Mark, SetInterval
from gwtui.model.metrics import Metric
from gwtui.model.profile import Profile
from gwtui.model.query import Window
from gwtui.model.records import FeedEnded, Heartbeat, Notice
from gwtui.report import summary
from gwtui.ui.keymap import FIRST_IN_FOOTER, KEYS, NEED_AN_ENGINE, footer
from gwtui.ui.panels.endpoints import EndpointsPanel
from gwtui.ui.screens.details import DetailsScreen
from gwtui.ui.screens.help import HelpScreen
from gwtui.ui.screens.monitor import MonitorScreen


def names(stage: Stage) -> list[str]:
    return [row.name for row in stage.monitor.view.endpoints]


# The engine


async def test_before_the_first_record_the_screen_says_so(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        stage.monitor._watch._monitor.__init__()  # type: ignore[misc]  # as if nothing had come yet
        stage.monitor._watch.redraw()
        stage.monitor._frame()
        await stage.pilot.pause()
        assert "The engine is starting" in stage.text
        assert "00:00:00" not in stage.text


async def test_an_engine_that_dies_is_a_state_and_a_key_starts_another(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.show(*story.session())
        await stage.show(FeedEnded(text="engine killed by SIGKILL", failed=True, detail="Out of memory"))
        assert "ended" in stage.lines[0]
        assert "✖ engine killed by SIGKILL: Out of memory · ctrl+r starts it again" in stage.lines[1]
        await stage.press("p")
        assert stage.notices == ["The engine is not running: ctrl+r starts it"]
        await stage.press("right_curly_bracket", "ctrl+r")
        assert len(stage.feeds) == 2
        await stage.drawn()
        assert "ended" not in stage.lines[0]
        assert stage.feed.profile.endpoints == story.ENDPOINTS
        await stage.press("p")
        assert len(stage.feed.sent) == 1


async def test_an_engine_that_cannot_be_started_is_a_state_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Profile) -> Feed:
        raise OSError(errno.EMFILE, "Too many open files")

    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.show(FeedEnded(text="engine killed by SIGKILL", failed=True))
        with monkeypatch.context() as patched:
            patched.setattr(stage.monitor._watch, "_open_feed", refuse)
            await stage.press("ctrl+r")
            stage.monitor._frame()
            await stage.pilot.pause()
            assert (
                "✖ the engine cannot be started: [Errno 24] Too many open files · ctrl+r starts it again"
                in stage.lines[1]
            )
        await stage.press("ctrl+r")
        await stage.drawn()
        assert len(stage.feeds) == 2
        assert "cannot be started" not in stage.text


async def test_the_program_ends_with_a_session_that_had_its_time(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.show(*story.session())
        await stage.show(FeedEnded(text="engine stopped"))
        assert stage.app.return_code == 0
        assert len(stage.app.last_views) == 1


async def test_rows_that_cannot_be_written_are_a_banner_while_it_lasts(tmp_path: Path) -> None:
    full = Heartbeat(at=0, now_ns=story.at(1000), recorder_error="No space left on device", rows_waiting=3)
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.show(full)
        assert "No space left on device" in stage.lines[1]
        await stage.show(Heartbeat(at=1, now_ns=story.at(2000), rows_written=3))
        assert "No space left" not in stage.text


async def test_what_the_engine_refuses_replaces_the_message_before_it(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.show(*(Notice(now_ns=story.at(number), text=f"[b]no {number}") for number in range(3)))
        assert stage.notices == ["[b]no 2"]
        assert not any(notification.markup for notification in stage.app._notifications)


async def test_an_edit_outlives_the_engine(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.press("right_curly_bracket", "right_curly_bracket")
        assert [command.interval_s for command in stage.feed.sent if isinstance(command, SetInterval)] == [1.0, 0.5]
        await stage.show(FeedEnded(text="engine exited 1", failed=True))
        await stage.press("ctrl+r")
        assert stage.feed.profile.endpoints[0].interval_s == 0.5


@pytest.mark.parametrize(("key", "seconds"), [("right_curly_bracket", 0.1), ("left_curly_bracket", 3600.0)])
async def test_intervals_have_ends(key: str, seconds: float, tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        for _ in range(14):
            stage.monitor.action_interval(0.5 if key == "right_curly_bracket" else 2)
        assert stage.feed.sent[-1] == SetInterval(endpoint=story.CLAUDE.name, interval_s=seconds)


# Looking


async def test_frozen_says_so_and_for_how_long(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.show(*story.session())
        await stage.press("space")
        await stage.show(story.completed(10, 20_000), Heartbeat(at=0, now_ns=story.at(95_600)))
        assert "14:03:42 · 1m15s ago" in stage.lines[0]
        assert "under way" not in stage.text
        assert "streaming" in stage.text
        await stage.press("down")
        assert "gateway-gpt #4" in stage.text
        await stage.press("up", "space")
        assert " · " not in stage.lines[0]
        assert "#10" in stage.text
        assert "streaming" not in stage.text


async def test_keys_that_come_at_once_are_about_the_endpoint_just_selected(tmp_path: Path) -> None:
    """As they do over a slow line, or where a frame takes long."""
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.show(*story.session())
        first = stage.monitor.query_one(EndpointsPanel).selected
        stage.app.simulate_key("down")
        await stage.press("e")
        selected = stage.monitor.query_one(EndpointsPanel).selected
        assert selected != first
        assert f"Edit {selected}" in stage.text
        await stage.press("escape")
        stage.app.simulate_key("up")
        await stage.press("enter")
        assert f"{first} #" in stage.lines[0] + stage.lines[1] + stage.lines[2]


async def test_a_frame_takes_no_key_back(tmp_path: Path) -> None:
    """One that comes before the table's message does, as on a busy machine."""
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.show(*story.session())
        table = stage.monitor.query_one(EndpointsPanel)
        first = table.selected
        with table.prevent(EndpointsPanel.Selected):
            table.action_move(1)
        selected = table.selected
        assert selected != first
        await stage.show(*story.session())
        await stage.drawn()
        assert (table.selected, stage.query.endpoint) == (selected, selected)


async def test_a_filter_shows_takes_back_and_explains(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.show(*story.session())
        await stage.press("slash", *"state:down")
        assert names(stage) == ["gateway-gpt"]
        assert "/state:down · 1 of 4" in stage.text
        await stage.press("enter")
        assert stage.screen.query_one(EndpointsPanel).has_focus
        await stage.press("slash")
        field = stage.screen.query_one("#filter", Input)
        field.value = "ttft>fast"
        await stage.press("enter")
        assert "`ttft>fast` needs a number, such as `ttft>500`" in stage.text
        assert names(stage) == ["gateway-gpt"]
        assert field.has_focus
        await stage.press("escape")
        assert stage.screen.query_one(EndpointsPanel).has_focus
        assert len(names(stage)) == 4
        assert "needs a number" not in stage.text


async def test_escape_goes_back_step_by_step(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.show(*story.session())
        await stage.press("slash", *"claude", "enter", "left_square_bracket", "2")
        seen = []
        for _ in range(5):
            alone = not stage.screen.query_one("#latency").region
            seen.append((alone, stage.query.request, stage.query.filter))
            await stage.press("escape")
        nothing = (False, None, "")
        assert seen == [(True, 9, "claude"), (True, None, "claude"), (False, None, "claude"), nothing, nothing]
        assert isinstance(stage.screen, MonitorScreen)


async def test_a_profile_without_websockets_gives_their_place_to_the_incidents(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", story.CLAUDE, story.GPT) as stage:
        assert stage.screen.query_one("#incidents").size.width > 130
        assert not stage.screen.query_one("#pings").region
        await stage.press("4")
        assert "No WebSocket in this profile" in stage.text
        await stage.press("escape")
        await stage.pilot.resize_terminal(80, 24)
        await stage.drawn()
        await stage.press("4")
        assert "No WebSocket in this profile" in stage.text


async def test_small_screens_show_one_lower_panel_at_a_time(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS, size=(80, 24)) as stage:
        await stage.show(*story.session())
        seen = {}
        for key in "3452":
            await stage.press(key)
            seen[key] = [
                name
                for name in ("stream", "latency", "pings", "incidents")
                if stage.screen.query_one(f"#{name}").region
            ]
        assert seen == {"3": ["latency"], "4": ["pings"], "5": ["incidents"], "2": ["stream"]}
        assert stage.screen.query_one("#endpoints").region
        await stage.press("2")
        assert not stage.screen.query_one("#endpoints").region


async def test_a_screen_that_is_too_small_says_so_and_comes_back(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.press("5")
        await stage.pilot.resize_terminal(30, 8)
        await stage.pilot.pause()
        assert "gwtui needs 40 columns" in stage.text
        await stage.pilot.resize_terminal(140, 40)
        await stage.press("escape")
        assert "5 Incidents" in stage.text
        await stage.press("1", "1", "down")
        assert stage.query.endpoint == "gateway-gpt"


# The mouse


async def test_the_mouse_selects_opens_orders_and_picks(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.show(*story.session())
        await stage.pilot.click("#endpoints", offset=Offset(8, 3))
        assert stage.query.endpoint == "gateway-gpt"
        await stage.pilot.click("#endpoints", offset=Offset(6, 1))
        assert (stage.query.sort, stage.query.descending) == ("endpoint", True)
        await stage.pilot.click("#latency", offset=Offset(9, 5))
        assert stage.query.metric == "e2e"
        await stage.pilot.click("#endpoints", offset=Offset(8, 4), times=2)
        await stage.pilot.pause()
        assert isinstance(stage.screen, DetailsScreen)
        await stage.press("escape")
        await stage.pilot.click("#incidents", offset=Offset(9, 2))
        await stage.pilot.click("#incidents", offset=Offset(9, 2))
        await stage.pilot.pause()
        assert "gateway-gpt #3" in stage.text


async def test_the_footer_and_the_tabs_take_clicks(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS, size=(80, 24)) as stage:
        strip = next(y for y, line in enumerate(stage.lines) if "2 Stream  3 Latency" in line)
        await stage.pilot.click(offset=Offset(stage.lines[strip].index("5 Inc"), strip))
        await stage.pilot.pause()
        assert stage.screen.query_one("#incidents").region
        await stage.pilot.click(offset=Offset(stage.lines[-1].index("help"), 23))
        await stage.pilot.pause()
        assert isinstance(stage.screen, HelpScreen)


# Asking


@pytest.mark.parametrize("bad", ["", "x", "0x5", "99999"])
async def test_a_burst_that_is_none_is_asked_again(bad: str, tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.press("b")
        line = stage.screen.query_one(Input)
        line.value = bad
        await stage.press("enter")
        assert stage.feed.sent == []
        line.value = "3x2"
        await stage.press("enter")
        assert stage.feed.sent == [Burst(endpoint=story.CLAUDE.name, requests=3, concurrency=2)]
        assert stage.notices == ["gateway-claude: 3 requests, 2 at once"]


async def test_a_sick_endpoint_is_offered_a_burst_of_one(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.show(*story.session())
        await stage.press("down", "b", "enter")
        assert stage.feed.sent == [Burst(endpoint=story.GPT.name, requests=1, concurrency=1)]


async def test_endpoints_that_are_not_up_are_asked_together_and_a_recording_is_not_asked(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.show(*story.session())
        await stage.press("R")
        assert stage.notices == ["Asked 1 endpoint that is not up"]
        await stage.press("slash", *"claude", "enter", "R")
        assert stage.notices == ["No endpoint to ask: all are up or paused"]
        stage.feed.refuses = "This is a recording"
        for key in ("r", "R"):
            await stage.press(key)
            assert stage.notices == ["This is a recording"]
    assert stage.feed.sent == [AskNow(endpoints=(story.GPT.name,))]


async def test_a_mark_without_a_word_is_none(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.press("m", "enter", "m", "escape")
        assert stage.feed.sent == []
        await stage.press("m", "o", "k", "enter")
        assert stage.feed.sent == [Mark(text="ok")]


async def options(stage: Stage, count: int) -> None:
    """Wait until the palette offers that many commands."""
    for _ in range(200):
        await stage.pilot.pause()
        if stage.screen.query_one(OptionList).option_count == count:
            return
    pytest.fail(f"{stage.screen.query_one(OptionList).option_count} commands")


async def test_the_palette_does_what_keys_do(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS, keys={"incident.mark": "f5"}) as stage:
        await stage.press("ctrl+p")
        await options(stage, len(KEYS) - 1)
        assert "freeze the display; play or pause a recording" in stage.text
        assert "f5          mark this moment" in stage.text
        await stage.press(*"windowlonger")
        await options(stage, 1)
        await stage.press("enter", "enter")
        await stage.drawn()
        assert stage.query.window is Window.M10


WORDS = ["quit", "freeze", "sort", "inspect", "pause", "burst", "compare", "checks", "filter"]
OTHERS_WORDS = ["benchmark", "concurrency", "fallback", "health", "metrics"]


@pytest.mark.parametrize("word", [*WORDS, *OTHERS_WORDS])
async def test_the_palette_finds_a_command_by_its_name(word: str, tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.press("ctrl+p", *word)
        for _ in range(200):
            await stage.pilot.pause()
            options = stage.screen.query_one(OptionList)
            if 0 < options.option_count < len(KEYS) - 1:
                break
        first = str(options.get_option_at_index(0).prompt)
        assert word in first


# The end


async def test_leaving_keeps_the_whole_session_for_the_shell(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.show(*story.session())
        await stage.press("slash", *"claude", "enter", "minus", "space", "q")
        assert stage.app.return_value == 0
        (view,) = stage.app.last_views
    assert view.query.window is Window.ALL
    text = summary(view)
    assert all(endpoint.name in text for endpoint in story.ENDPOINTS)
    assert "49 requests, 5 failed" in text


async def test_a_session_before_is_summed_up_too(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.show(*story.session())
        await stage.show(FeedEnded(text="engine killed by SIGKILL", failed=True))
        await stage.press("ctrl+r")
        assert stage.notices == ["A new session; the previous one is summarised when you leave"]
        before, now = (await stage.drawn()).app.last_views
    assert "49 requests, 5 failed" in summary(before)
    assert "killed by SIGKILL" in summary(before)
    assert "0 requests, 0 failed" in summary(now)


async def test_ctrl_c_leaves_from_everywhere(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.press("e", "ctrl+c")
        assert stage.app.return_value == 130


async def test_a_crash_shows_where_and_never_what_variables_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def crash(_screen: MonitorScreen) -> None:
        secret = "sk-" + "canary" * 3
        raise RuntimeError(f"a fault of {len(secret)} letters, {HAZARD}")

    monkeypatch.setattr(MonitorScreen, "action_mark", crash)
    with pytest.raises(RuntimeError, match="a fault of 21 letters"):  # noqa: PT012 - it comes out at the end of the run
        async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
            await stage.show(*story.session())
            await stage.press("m")
    output = capsys.readouterr()
    assert "in crash" in output.err
    assert "RuntimeError: a fault of 21 letters" in output.err
    assert "canarycanary" not in output.out + output.err
    assert hazards_in(output.err) == []
    assert stage.app.return_code == 1
    assert len(stage.app.last_views) == 1


@pytest.mark.parametrize(("motion", "moves"), [(True, ("full", True)), (False, ("none", False))])
async def test_nothing_moves_where_motion_is_off(motion: bool, moves: tuple[str, bool], tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS, motion=motion) as stage:
        await stage.press("slash")
        assert (stage.app.animation_level, stage.screen.query_one(Input).cursor_blink) == moves


async def test_borders_take_clicks_and_the_footer_follows_the_focus(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.show(*story.session())

        async def click(line: str, text: str) -> None:
            y = next(y for y, shown in enumerate(stage.lines) if line in shown)
            await stage.pilot.click(offset=(stage.lines[y].index(text, stage.lines[y].index(line)), y))
            await stage.drawn()

        await click("3 Latency", "+")
        assert stage.query.window is Window.M10
        await click("3 Latency", "- 10 min")
        await click("3 Latency", "TTFT")
        assert (stage.query.window, stage.query.metric) == (Window.M2, Metric.E2E)
        await click("1 Endpoints", "sort: profile")
        assert stage.query.sort != "profile"
        await click("1 Endpoints", "filter")
        assert stage.screen.focused is stage.screen.query_one("#filter")
        await stage.press("escape", "5")
        assert "x acknowledge" in stage.lines[-1][:80]
        await stage.press("1")
        assert "x acknowledge" not in stage.lines[-1][:60]


async def test_enter_in_the_footer_is_what_it_does_in_the_panel_with_the_focus(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS, size=(150, 40)) as stage:
        await stage.show(*story.session())
        assert "⏎ inspect" in stage.lines[-1]
        await stage.press("shift+tab")
        assert "⏎ unfold" in stage.lines[-1]
        await stage.press("5")
        assert "⏎ go there" in stage.lines[-1]


@pytest.mark.parametrize("panel", FIRST_IN_FOOTER)
def test_each_key_that_a_footer_begins_with_has_a_label(panel: str) -> None:
    assert all(key.label for key in footer(panel))
    of_recording = {key.id: key.label for key in footer(panel, is_recording=True)}
    assert not of_recording.keys() & NEED_AN_ENGINE
    assert of_recording["view.freeze"] == "play"


async def test_a_screen_that_missed_the_last_size_of_the_terminal_is_laid_out_anew(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.show(*story.session())
        stage.screen.post_message(events.Resize(Size(60, 50), Size(60, 50)))
        await stage.pilot.pause()
        stage.app.fit()
        await stage.pilot.pause()
        assert stage.screen.outer_size == stage.app.size == Size(140, 40)
        assert all(len(line) <= 140 for line in stage.lines)
