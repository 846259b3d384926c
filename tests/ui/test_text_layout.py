"""Lines, columns, charts and styles: exact widths whatever the text, failures in the chart, shapes without colour."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style
from textual.color import Color

from gwtui.config.themes import load_all
from gwtui.model.enums import State
from gwtui.model.view import Cell
from gwtui.ui import text_layout
from gwtui.ui.charts import FAILURE, bars, merged, sparkline
from gwtui.ui.styles import FALLBACKS, OWN, STYLES, Palette, textual_theme
from gwtui.ui.text_layout import Column, Span, exact, fit, flow, justified, place, plain, row, sheet, wrap

MS = 1_000_000
ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=()), max_size=40)
WIDE_TEXT = st.text(alphabet="ab 日本🚀é\u0301\t\n\x1b\u202e👩\u200d", max_size=40)


@pytest.mark.parametrize(
    ("text", "width", "right", "expected"),
    [
        ("up", 5, False, "up   "),
        ("412", 5, True, "  412"),
        ("gateway", 7, False, "gateway"),
        ("gateway", 5, False, "gate…"),
        ("gateway", 1, False, "…"),
        ("gateway", 0, False, ""),
        ("日本語", 6, False, "日本語"),
        ("日本語", 5, False, "日本…"),
        ("日本語", 4, False, "日 …"),
        ("日本", 6, True, "  日本"),
        ("a\nb", 4, False, "a↵b "),
        ("\x1b[0m", 4, False, "␛[0m"),
    ],
)
def test_text_is_fitted_to_cells(text: str, width: int, right: bool, expected: str) -> None:
    assert fit(text, width, right=right) == expected


@given(text=ANY_TEXT | WIDE_TEXT, width=st.integers(0, 60), right=st.booleans())
def test_fitted_text_has_the_width_and_cannot_touch_the_terminal(text: str, width: int, right: bool) -> None:
    fitted = fit(text, width, right=right)
    assert cell_len(fitted) == width
    assert fitted.isprintable()


@given(texts=st.lists(WIDE_TEXT, max_size=5), width=st.integers(0, 50))
def test_a_line_is_exact(texts: list[str], width: int) -> None:
    line = exact([Span(text_layout.printable(text)) for text in texts], width)
    assert text_layout.line_cells(line) == width


@given(text=WIDE_TEXT, width=st.integers(2, 30))
def test_wrapping_keeps_to_the_width_and_loses_no_word(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert all(cell_len(line) <= width for line in lines)
    kept = "".join(lines).replace(" ", "")
    assert kept == "".join(text_layout.printable(part.expandtabs(4)) for part in text.split("\n")).replace(" ", "")


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("one two three", 7, ["one two", "three"]),
        ("a\n\n  b", 7, ["a", "", "  b"]),
        ("incomprehensible", 6, ["incomp", "rehens", "ible"]),
        ("", 7, [""]),
    ],
)
def test_wrapping(text: str, width: int, expected: list[str]) -> None:
    assert wrap(text, width) == expected


def test_two_ends_of_a_line() -> None:
    left, right = (Span("sourcegraph-claude"),), (Span("14:03"),)
    assert plain(justified(left, right, 26)) == "sourcegraph-claude   14:03"
    assert plain(justified(left, right, 16)) == "sourcegra… 14:03"
    assert plain(justified(left, right, 5)) == "sour…"


def test_items_flow_whole() -> None:
    items = [(Span(text),) for text in ("p50 388", "p95 620", "p99 1.20s")]
    assert [plain(line) for line in flow(items, 18)] == ["p50 388  p95 620", "p99 1.20s"]
    assert flow([], 18) == []


@given(width=st.integers(0, 20), height=st.integers(0, 6), count=st.integers(0, 9))
def test_a_sheet_is_exact(width: int, height: int, count: int) -> None:
    drawn = sheet([(Span("日本" * 4),)] * count, width, height)
    assert [text_layout.line_cells(line) for line in drawn] == [width] * height


COLUMNS = (
    Column("name", "name", 6, gap=0, grow=4),
    Column("last", "last", 4, right=True, rank=1),
    Column("note", "note", 8, rank=2, grow=50),
)


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (5, [("name", 0, 6)]),
        (12, [("name", 0, 6), ("last", 8, 4)]),
        (16, [("name", 0, 10), ("last", 12, 4)]),
        (22, [("name", 0, 6), ("last", 8, 4), ("note", 14, 8)]),
        (30, [("name", 0, 10), ("last", 12, 4), ("note", 18, 12)]),
    ],
)
def test_columns_give_way_by_rank_and_grow_by_rank(width: int, expected: list[tuple[str, int, int]]) -> None:
    assert [(one.column.name, one.x, one.width) for one in place(COLUMNS, width)] == expected


def test_a_row_stands_under_its_headings() -> None:
    placed = place(COLUMNS, 22)
    assert plain(row(placed, {"name": Span("gateway"), "last": Span("412"), "note": (Span("a"), Span("b"))})) == (
        "gatew…   412  ab      "
    )


def cells(*values: int | None) -> list[Cell]:
    """Milliseconds; None failed, 0 is a time without data."""
    return [Cell(None, 1) if value is None else Cell(value * MS or None) for value in values]


@pytest.mark.parametrize(
    ("values", "width", "expected"),
    [
        ((10, 10, 10, 10), 4, "▂▂▂▂"),
        ((10, 11, 20, 40), 4, "▂▂▅█"),
        ((10, None, 10, 10), 4, "▂╳▂▂"),
        ((0, 0, 10, 10), 4, "  ▂▂"),
        ((10, 10, 10, 10, 80, 10, None, 10), 4, "▂▂█╳"),
        ((10, None), 4, "▂▂╳ "),
        ((), 4, "    "),
        ((None, None), 2, "╳╳"),
    ],
)
def test_sparkline(values: tuple[int | None, ...], width: int, expected: str) -> None:
    assert plain(sparkline(cells(*values), width)) == expected


def test_only_high_bars_are_drawn_as_slow() -> None:
    assert sparkline(cells(10, 11, 10, 80), 4) == (Span("▂▂▂", "p50"), Span("█", "slow"))


@given(
    values=st.lists(st.none() | st.integers(0, 10**6), max_size=50), width=st.integers(0, 60), height=st.integers(1, 5)
)
def test_bars_fill_their_rectangle_and_hide_no_failure(values: list[int | None], width: int, height: int) -> None:
    drawn = bars(cells(*values), width, height)
    assert [text_layout.line_cells(line) for line in drawn] == [width] * height
    if width:
        assert (FAILURE in plain(drawn[-1])) == (None in values)


@given(values=st.lists(st.none() | st.integers(1, 10**6), min_size=1, max_size=80), width=st.integers(1, 80))
def test_merging_keeps_the_slowest(values: list[int | None], width: int) -> None:
    kept = merged(cells(*values), width)
    assert len(kept) == width
    assert max(cell.value_ns or 0 for cell in kept) == max(value or 0 for value in values) * MS


def test_every_state_has_a_style_and_a_shape_of_one_cell() -> None:
    assert {state.value for state in State} <= STYLES.keys()
    assert all(cell_len(state.mark) == 1 for state in State)


BUILT_IN = {
    "foreground": "#ffffff",
    "background": "#000000",
    "success": "#00ff00",
    "error": "#ff0000",
    "warning": "#ffff00",
    "primary": "#0000ff",
}
ANSI = dict.fromkeys(BUILT_IN, "ansi_default") | {"success": "ansi_green", "primary": "ansi_blue"}


@pytest.mark.parametrize(
    ("variables", "names", "expected"),
    [
        (BUILT_IN, "up", "#00ff00"),
        (BUILT_IN | {OWN + "up": "#89abcd"}, "up", "#89abcd"),
        (BUILT_IN | {OWN + "down": "#89abcd"}, "down", "bold #89abcd"),
        (BUILT_IN, "muted", "#bfbfbf"),
        (BUILT_IN, "banner", "bold #000000 on #ff0000"),
        (BUILT_IN | {OWN + "selection": "#222222"}, "up selection", "#00ff00 on #222222"),
        (BUILT_IN, "no-such-name", ""),
        (ANSI, "up", "color(2)"),
        (ANSI, "faint", "dim default"),
        (ANSI, "selection", "bold default"),
        (ANSI, "axis", "dim default"),
    ],
)
def test_a_theme_lays_out_the_styles(variables: dict[str, str], names: str, expected: str) -> None:
    assert Palette(variables, Color.parse("#000000")).style(names) == Style.parse(expected)


@pytest.mark.parametrize("name", ["slow", "degraded", "down", "warn", "bad", "gap"])
def test_without_colours_what_is_wrong_stands_out_from_text(name: str) -> None:
    palette = Palette(BUILT_IN, Color.parse("#000000"), no_color=True)
    assert palette.style(name) == Style.parse("bold #ffffff")
    assert palette.style("text") == Style.parse("#ffffff")


def test_what_is_mixed_with_the_background_is_mixed_with_the_selection() -> None:
    palette = Palette(BUILT_IN | {"foreground": "#000000", OWN + "selection": "#ffffff"}, Color.parse("#000000"))
    assert palette.style("muted selection") == Style.parse("#3f3f3f on #ffffff")


def test_every_shipped_theme_has_a_colour_for_every_name() -> None:
    themes, faults = load_all(None)
    assert themes
    assert not faults
    for theme in map(textual_theme, themes):
        assert {OWN + name for name in FALLBACKS} <= theme.variables.keys()
        variables = {**theme.to_color_system().generate(), **theme.variables}
        palette = Palette(variables, Color.parse(theme.background or ""))
        assert all(palette.style(name) != Style.null() for name in STYLES)
