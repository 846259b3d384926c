"""The endpoints table on call: the sick in sight, rows that move seldom, groups, names and numbers that can be read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import story, viewrows, views
from support.monitor_stage import endpoint, state_incident
from support.stage import on_stage
from textual import on
from textual.app import App, ComposeResult
from textual.geometry import Offset

from gwtui.model.enums import State
from gwtui.model.query import Grouping, Query, Window
from gwtui.model.view import EndpointRow, GroupRow, View
from gwtui.ui.navigation import next_grouping, with_fold
from gwtui.ui.panels.calm_order import CALM_S, STANDS_S, CalmOrder
from gwtui.ui.panels.endpoint_cells import SharedEnds, aligned, in_ms, why
from gwtui.ui.panels.endpoint_table import TableView, columns, cursor, draw, unseen
from gwtui.ui.panels.endpoints import EndpointsPanel
from gwtui.ui.screens.details import DetailsScreen
from gwtui.ui.text_layout import cells, cut_middle, plain

MS = 1_000_000


def in_order(*names: str, sick: str = "", **query: Any) -> View:
    """A view whose rows are in this order; the one that is sick is down."""
    rows = tuple(viewrows.row(name, state=State.DOWN if name == sick else State.UP) for name in names)
    return replace(views.view(rows), rows=rows, query=Query(**query))


def names(view: View) -> str:
    return "".join(row.name for row in view.endpoints)


def test_rows_move_at_most_every_five_seconds() -> None:
    order = CalmOrder()
    seen = [names(order.arranged(in_order(*rows), at_s)[0]) for at_s, rows in enumerate(("abc", "cab", "bca", "bca"))]
    assert seen == ["abc", "cab", "cab", "cab"], "the first sick one may rise at once"
    assert names(order.arranged(in_order("b", "c", "a"), 1 + CALM_S)[0]) == "bca"


def test_rows_stand_still_while_the_user_moves_among_them() -> None:
    order = CalmOrder()
    order.arranged(in_order("a", "b"), 0)
    order.touch(10)
    held, differs = order.arranged(in_order("b", "a"), 12)
    assert (names(held), differs, order.wait_s(12)) == ("ab", True, 3)
    assert order.arranged(in_order("a", "b"), 13)[1] is False
    assert names(order.arranged(in_order("b", "a"), 15)[0]) == "ba"


@pytest.mark.parametrize("asked", [{"sort": "p50"}, {"descending": True}, {"filter": "x"}, {"group": Grouping.TAG}])
def test_another_order_filter_or_grouping_is_shown_at_once(asked: dict[str, Any]) -> None:
    order = CalmOrder()
    order.arranged(in_order("a", "b"), 0)
    order.touch(1)
    assert names(order.arranged(in_order("b", "a", **asked), 1.1)[0]) == "ba"


def test_an_endpoint_that_is_new_is_shown_at_once() -> None:
    order = CalmOrder()
    order.arranged(in_order("a", "b"), 0)
    order.touch(1)
    assert names(order.arranged(in_order("c", "b", "a"), 1.1)[0]) == "cba"


def test_a_moment_that_stands_still_has_its_own_order_and_those_passed_through_are_calm() -> None:
    order = CalmOrder()
    order.arranged(in_order("a", "b", "c"), 0)
    assert names(order.arranged(in_order("b", "a", "c", at_ns=100), 1)[0]) == "bac"
    assert names(order.arranged(in_order("c", "b", "a", at_ns=101), 1.1)[0]) == "bac"
    assert order.wait_s(1.1) == pytest.approx(STANDS_S)
    assert names(order.arranged(in_order("c", "b", "a", at_ns=101), 1.1 + STANDS_S)[0]) == "cba"
    assert names(order.arranged(in_order("a", "b", "c"), 2)[0]) == "abc", "live again"


def grouped(*groups: tuple[str, str], folded: str = "", states: str = "") -> View:
    """A view of groups, each with the endpoints of one letter; those in `states` are down."""
    lines: list[EndpointRow | GroupRow] = []
    whole: list[EndpointRow] = []
    for name, letters in groups:
        rows = [viewrows.row(each, state=State.DOWN if each in states else State.UP) for each in letters]
        counts = ((State.DOWN, sum(each in states for each in letters)), (State.UP, len(letters)))
        lines.append(GroupRow(name, counts, (310 * MS, 440 * MS), name in folded, tuple(letters)))
        lines += [] if name in folded else rows
        whole += rows
    return replace(views.view(tuple(whole)), rows=tuple(lines), query=Query(group=Grouping.TAG))


def listed(view: View) -> str:
    return " ".join(line.name for line in view.rows)


def test_groups_and_the_rows_in_them_stand_still_together() -> None:
    order = CalmOrder()
    order.arranged(grouped(("eu", "ab"), ("us", "cd")), 0)
    order.touch(1)
    moved = grouped(("us", "dc"), ("eu", "ba"))
    assert listed(order.arranged(moved, 2)[0]) == "eu a b us c d"
    folded = grouped(("us", "dc"), ("eu", "ba"), folded="eu")
    assert listed(order.arranged(folded, 3)[0]) == "eu us c d"
    assert listed(order.arranged(moved, 1 + CALM_S)[0]) == "us d c eu b a"


def test_a_summary_tells_states_and_the_range_of_medians() -> None:
    view = grouped(("eu", "ab"), ("us", "cd"), folded="us", states="c")
    text = [plain(line) for line in draw(view, 78, 8, TableView("a", 0, True))]
    assert text[1].startswith(" ▾ eu   ✖ 0 down  ● 2 up   p50 310-440")
    assert text[2].startswith("▌● a")
    assert text[4].startswith(" ▸ us   ✖ 1 down  ● 2 up   p50 310-440")


def test_the_cursor_is_on_the_endpoint_or_the_group_or_the_folded_group_that_has_it() -> None:
    view = grouped(("eu", "ab"), ("us", "cd"), folded="us")
    assert [cursor(view, "b", ""), cursor(view, "b", "eu"), cursor(view, "d", ""), cursor(view, "?", "")] == [
        2,
        0,
        3,
        0,
    ]


def test_what_is_out_of_sight_is_neither_shown_nor_counted_by_a_folded_group() -> None:
    view = grouped(("eu", "ab"), ("us", "cd"), folded="us")
    assert [row.name for row in unseen(view, 0, 2)] == ["b", "c", "d"]
    assert [row.name for row in unseen(view, 3, 4)] == ["a", "b"]


def test_grouping_goes_round_and_leaves_tags_out_where_there_are_none() -> None:
    query = Query(folded=frozenset({"eu"}))
    seen = []
    for _ in range(4):
        query = next_grouping(query, [endpoint("a")])
        seen.append(query.group.value)
    assert (seen, query.folded) == (["gateway", "provider", "model", "none"], frozenset())
    assert next_grouping(Query(group=Grouping.MODEL), [endpoint("a", tags=("eu",))]).group is Grouping.TAG


def test_a_group_is_folded_and_unfolded() -> None:
    folded = with_fold(Query(), "eu")
    assert folded.folded == {"eu"}
    assert with_fold(folded, "eu") == Query()


@pytest.mark.parametrize(
    ("ns", "expected"),
    [
        (None, "    -   "),
        (118_000_000_000, "118000  "),
        (1_892_000_000, " 1892   "),
        (412_000_000, "  412   "),
        (99_900_000, "   99.9 "),
        (12_100_000, "   12.1 "),
        (4_100_000, "    4.10"),
        (240_000, "    0.24"),
    ],
)
def test_points_stand_below_one_another_and_all_is_in_milliseconds(ns: int | None, expected: str) -> None:
    assert aligned(in_ms(ns)) == expected


def drawn(row: EndpointRow, width: int, *others: EndpointRow) -> str:
    return plain(draw(replace(views.calm(), endpoints=(row, *others)), width, 4, TableView())[1])


def test_a_percentile_of_a_longer_window_says_which() -> None:
    row = viewrows.row("a", p95=viewrows.quantile(494), p95_window=Window.M10, p99_window=Window.ALL)
    assert " 494 10m " in drawn(row, 138)
    assert " 1204 all " in drawn(row, 138)


def test_the_ratio_is_shown_where_it_is_worth_saying() -> None:
    slower = viewrows.row("a", ratio=8.2, is_slower=True)
    assert " 388    8.2x" in drawn(slower, 78)
    assert "x" not in drawn(replace(slower, is_slower=False), 78)


def test_an_old_last_result_is_told_by_its_age() -> None:
    old = viewrows.row("a", age_ns=190_000_000_000)
    assert "3m ago" in drawn(old, 78)
    assert "412" not in drawn(old, 78)
    assert "412" in drawn(old, 198)
    assert " 3m " in drawn(old, 198)


@pytest.mark.parametrize("width", [38, 58, 78, 98, 138, 198])
def test_why_a_row_is_sick_can_be_read_at_every_width(width: int) -> None:
    sick = viewrows.row("prod-gateway-eu-central-1-claude-haiku-latest", state=State.DOWN, why="unavailable 24/24")
    assert "unavailable 24/24" in drawn(sick, width)


@pytest.mark.parametrize(
    ("width", "said"),
    [
        (30, "truncated 3/24 held 12 s"),
        (22, "truncated 3/24 due 12s"),
        (20, "truncated due 12s"),
        (14, "trunc… due 12s"),
    ],
)
def test_the_wait_of_an_endpoint_that_is_left_alone_is_told_in_words(width: int, said: str) -> None:
    held = viewrows.row("a", state=State.DOWN, why="truncated 3/24", held_ns=12_000_000_000)
    assert plain(why(held, width)) == said


@given(
    st.lists(st.sampled_from(viewrows.sick_rows()), min_size=1, max_size=12, unique_by=lambda row: row.name),
    st.integers(38, 220),
    st.floats(0, 1),
)
def test_no_width_depends_on_what_was_measured_last(rows: list[EndpointRow], width: int, share: float) -> None:
    before = replace(views.calm(), endpoints=tuple(rows))
    changed = [
        replace(
            row,
            last_ns=round(share * 1e12),
            p50=viewrows.quantile(share * 9e4),
            p95_window=Window.H1,
            why="reset 1/9",
            fail_share=share,
            ratio=share * 900,
            is_slower=True,
            held_ns=5,
            age_ns=round(share * 1e14),
            state=State.DOWN,
        )
        for row in rows
    ]
    assert columns(replace(before, endpoints=tuple(changed)), width) == columns(before, width)


def test_what_all_names_have_is_left_out_where_they_are_too_long() -> None:
    ends = SharedEnds.of(["prod-gateway-eu-claude-latest", "prod-gateway-us-gpt-latest"])
    assert ends == ("prod-gateway-", "-latest")
    assert ends.cut("prod-gateway-us-gpt-latest") == "us-gpt"
    assert SharedEnds.of(["gateway", "gateway-eu"]) == ("", "")
    assert SharedEnds.of(["gateway-eu"]) == SharedEnds.of(["a-x", "a-y"]) == ("", "")
    rows = tuple(viewrows.row(f"prod-gateway-{region}-claude-haiku-latest") for region in ("eu", "us", "ap"))
    lines = [plain(line) for line in draw(replace(views.calm(), endpoints=rows), 78, 5, TableView())]
    assert "prod-gateway-… " in lines[0]
    assert [line.split()[1] for line in lines[1:4]] == ["eu", "us", "ap"]


@given(st.lists(st.text(alphabet="ab-.x网", max_size=12), max_size=6, unique=True))
def test_names_stay_apart_and_are_never_empty(given_names: list[str]) -> None:
    ends = SharedEnds.of(given_names)
    cut = [ends.cut(name) for name in given_names]
    assert len(set(cut)) == len(given_names)
    assert all(short or not name for short, name in zip(cut, given_names, strict=True))


@given(st.text(alphabet="ab网🚀 ", max_size=30), st.integers(0, 20))
def test_a_name_is_cut_in_its_middle(text: str, width: int) -> None:
    short = cut_middle(text, width)
    assert cells(short) <= width
    assert short == text if cells(text) <= width else "…" in short or width == 0


def test_the_beginning_and_the_end_of_a_long_name_are_kept() -> None:
    assert cut_middle("eu-prod-claude-haiku-4-5-latest", 20) == "eu-prod-claud…latest"


class Table(App[None]):
    """The panel alone, with a clock of its own."""

    CSS = "EndpointsPanel { width: 100; height: 12; }"

    def __init__(self, view: View) -> None:
        super().__init__()
        self.panel = EndpointsPanel()
        self.now_s = 0.0
        self.panel.clock = lambda: self.now_s
        self.first = view
        self.posted: list[tuple[str, str]] = []

    def compose(self) -> ComposeResult:
        yield self.panel

    def on_mount(self) -> None:
        self.panel.show(self.first)
        self.panel.focus()

    @on(EndpointsPanel.Selected)
    @on(EndpointsPanel.GroupFolded)
    @on(EndpointsPanel.Opened)
    def _keep(self, message: EndpointsPanel.Selected | EndpointsPanel.GroupFolded | EndpointsPanel.Opened) -> None:
        self.posted.append((type(message).__name__, message.name))

    @property
    def shown(self) -> str:
        return names(self.panel.view) if self.panel.view is not None else ""


async def test_the_selection_goes_to_the_first_sick_one_until_the_user_moves() -> None:
    table = Table(in_order("a", "b", "c"))
    async with table.run_test(size=(120, 20)) as pilot:
        assert table.panel.selected == "a"
        table.panel.show(in_order("b", "a", "c", sick="b"))
        assert table.panel.selected == "b"
        table.panel.show(in_order("b", "a", "c", sick="b", endpoint="b"))
        await pilot.press("down")
        assert (table.panel.selected, table.posted) == ("a", [("Selected", "b"), ("Selected", "a")])
        table.now_s = 60
        table.panel.show(in_order("c", "a", "b", sick="c"))
        assert (table.panel.selected, table.shown) == ("a", "cab")


async def test_what_was_held_back_is_shown_without_another_view() -> None:
    table = Table(in_order("a", "b"))
    async with table.run_test(size=(120, 20)) as pilot:
        await pilot.press("down")
        table.panel.show(in_order("b", "a"))
        assert table.shown == "ab"
        table.now_s = CALM_S
        table.panel._settle()
        assert (table.shown, table.panel.selected) == ("ba", "b")


async def test_the_cursor_walks_over_summaries_and_enter_or_a_click_folds_them() -> None:
    table = Table(grouped(("eu", "ab"), ("us", "cd")))
    async with table.run_test(size=(120, 20)) as pilot:
        await pilot.press("up")
        assert (table.panel.group, table.panel.selected, table.posted) == ("eu", "a", [])
        await pilot.press("enter")
        assert table.posted == [("GroupFolded", "eu")]
        table.panel.show(grouped(("eu", "ab"), ("us", "cd"), folded="eu"))
        await pilot.press("down")
        assert (table.panel.group, table.posted[1:]) == ("us", [("Selected", "c")])
        await pilot.press("down", "down")
        assert (table.panel.group, table.posted[2:]) == ("", [("Selected", "d")])
        await pilot.click(table.panel, offset=Offset(5, 3))
        assert table.posted[-1] == ("GroupFolded", "us")


async def test_a_sick_row_that_may_not_move_yet_is_named_in_the_border() -> None:
    letters = "abcdefghijklmnop"
    table = Table(in_order(*letters))
    async with table.run_test(size=(120, 20)) as pilot:
        await pilot.press("down", "up")
        sick = in_order("p", *letters[:-1], sick="p")
        table.panel.show(sick)
        assert table.shown == letters
        assert table.panel.subtitle(table.panel.view or sick).startswith("✖ p · 1-9 of 16")


async def test_three_sick_of_sixty_are_in_sight_without_a_key(tmp_path: Path) -> None:
    fleet = [endpoint(f"prod-gateway-{index:02d}") for index in range(60)]
    async with on_stage(tmp_path / "config.toml", *fleet, worst_first=True) as stage:
        sick = ("prod-gateway-29", "prod-gateway-44", "prod-gateway-59")
        await stage.show(*(state_incident(name, State.DOWN, at_s=index) for index, name in enumerate(sick, 1)))
        rows = [line for line in stage.lines if "✖ prod-gateway" in line]
        assert all(any(f"✖ {name}" in row for row in rows) for name in sick)
        assert stage.monitor.view.selected is not None
        assert stage.monitor.view.selected.name == sick[0]


async def test_enter_inspects_an_endpoint_and_folds_a_group(tmp_path: Path) -> None:
    async with on_stage(tmp_path / "config.toml", *story.ENDPOINTS) as stage:
        await stage.show(*story.session())
        await stage.press("o", "home", "enter")
        assert stage.query.folded == {"gateway.example.com"}
        await stage.press("enter", "down", "enter")
        assert stage.query.folded == frozenset()
        assert isinstance(stage.screen, DetailsScreen)
