"""The time strip: what its cells show, where its cursor is, and what clicks on it ask for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from support import views
from textual import events, on
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from gwtui.model.enums import State
from gwtui.model.query import Query
from gwtui.model.strip import Strip, StripCell
from gwtui.model.view import View
from gwtui.ui.panels.header import draw as draw_header
from gwtui.ui.panels.timestrip import TimeStrip, draw
from gwtui.ui.text_layout import line_cells, plain

SECOND = 10**9
WORDS = {"u": State.UP, "s": State.SLOW, "d": State.DEGRADED, "x": State.DOWN, "p": State.PAUSED, "o": State.UNKNOWN}


def view_of(letters: str, *, at_s: int | None = None, marks: tuple[int, ...] = (), bucket_s: int = 1) -> View:
    """A session that began at 14:00:00 UTC and has a bucket for each letter."""
    cells = tuple(StripCell(WORDS.get(letter), int(index in marks)) for index, letter in enumerate(letters))
    newest_ns = len(letters) * bucket_s * SECOND
    strip = Strip(0, bucket_s * SECOND, cells, wall=(views.AT - 202, 0))
    now_ns = newest_ns if at_s is None else at_s * SECOND
    header = replace(views.calm().header, behind_ns=newest_ns - now_ns, at=strip.clock(now_ns))
    query = Query(at_ns=None if at_s is None else now_ns)
    return replace(views.calm(), strip=strip, now_ns=now_ns, header=header, query=query)


def drawn(view: View, width: int) -> str:
    (line,) = draw(view, width, 1)
    assert line_cells(line) == width
    return plain(line)


def test_each_state_has_a_shape_and_what_was_not_measured_is_empty() -> None:
    view = view_of("uuuuuuuuuusdxp o", marks=(2,))
    assert drawn(view, 16 + 20) == " 14:00:00 ──◆───────▲▲✖‖ · 14:00:16 "


def test_a_narrow_strip_shows_the_worst_of_what_falls_together_and_no_clocks_where_there_is_no_room() -> None:
    view = view_of("u" * 30 + "uxsuuu" + "u" * 4)
    assert drawn(view, 20) == "───────────────✖▲───"


def test_a_wide_strip_shows_each_bucket_over_several_columns_and_its_mark_once() -> None:
    view = view_of("uuxuuuuu", marks=(1,), at_s=4)
    assert drawn(view, 16 + 20) == " 14:00:00 ──◆─✖✖────────── 14:00:08 "
    (line,) = draw(view, 16 + 20, 1)
    assert [text for text, style in line if "moment" in style.split()] == ["──"]


def test_a_session_of_days_has_dates_at_its_ends() -> None:
    assert drawn(view_of("u" * 60, bucket_s=3600), 90).split()[:2] == ["12-31", "14:00"]


@pytest.mark.parametrize("letters", ["", "u"])
@pytest.mark.parametrize("width", [1, 20, 140])
def test_a_session_that_just_began_has_no_more_to_show(letters: str, width: int) -> None:
    assert not set(drawn(view_of(letters), width)) & set("▲✖◆")
    assert line_cells(draw(replace(views.calm(), strip=None), width, 1)[0]) == width


def test_the_header_says_which_moment_is_looked_at_and_how_long_ago_it_was() -> None:
    view = view_of("u" * 300, at_s=25)
    assert " 14:00:25Z · 4m35s ago " in plain(draw_header(view, 140, 1)[0])
    local = replace(view, query=replace(view.query, utc=False))
    assert " 14:00:25 · 4m35s ago " in plain(draw_header(local, 80, 1)[0])
    assert "▶ 10x   14:00:25 · 4m35s to the end " in plain(draw_header(local, 140, 1, "▶ 10x")[0])
    assert plain(draw_header(local, 60, 1, "▶ 10x")[0]).startswith(" gwtui  prod  ▶ 10x   14:00:25 -4m35s    ")
    styles = {span.style for span in draw_header(view, 140, 1)[0] if "ago" in span.text}
    assert styles == {"moment"}
    assert "14:05:00Z" in plain(draw_header(view_of("u" * 300), 140, 1)[0])


class StripApp(App[None]):
    """A strip of 10 buckets over 30 columns, between clocks, and the moments that it asked for."""

    CSS = "TimeStrip { width: 50; height: 1; }"

    def __init__(self, view: View) -> None:
        super().__init__()
        self.strip = TimeStrip()
        self.first = view
        self.asked: list[int | None] = []

    def compose(self) -> ComposeResult:
        yield self.strip

    def on_mount(self) -> None:
        self.strip.show(self.first)

    @on(TimeStrip.MomentMoved)
    def _keep(self, message: TimeStrip.MomentMoved) -> None:
        self.asked.append(message.at_ns)


def seconds(asked: list[int | None]) -> Iterator[int | None]:
    """Which second of the session each of them is in."""
    return (None if at_ns is None else at_ns // SECOND for at_ns in asked)


async def drag(pilot: Pilot[None], *columns: int) -> None:
    await pilot.mouse_down(TimeStrip, offset=(columns[0], 0))
    for column in columns[1:]:
        await pilot.hover(TimeStrip, offset=(column, 0))
    await pilot.mouse_up(TimeStrip, offset=(columns[-1], 0))
    await pilot.pause()


async def test_clicks_and_drags_set_the_cursor_and_the_right_end_is_now() -> None:
    app = StripApp(view_of("u" * 10))
    async with app.run_test(size=(60, 5)) as pilot:
        await drag(pilot, 10 + 6, 10 + 9, 10 + 29)
        assert list(seconds(app.asked)) == [2, 3, None]
        await pilot.hover(TimeStrip, offset=(10, 0))
        await drag(pilot, 0)
        await drag(pilot, 49)
        assert list(seconds(app.asked))[3:] == [0, None]


async def test_the_wheel_moves_by_a_bucket() -> None:
    app = StripApp(view_of("u" * 10, at_s=4))
    async with app.run_test(size=(60, 5)) as pilot:
        for kind in (events.MouseScrollUp, events.MouseScrollDown):
            delta = 1 if kind is events.MouseScrollDown else -1
            app.strip.post_message(kind(app.strip, 3, 0, 0, delta, 0, shift=False, meta=False, ctrl=False))
        await pilot.pause()
        assert list(seconds(app.asked)) == [3, 5]
