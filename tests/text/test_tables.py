"""Columns line up whatever is in them, and nothing is wider than it may be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwtui.text.tables import TextCell, TextColumn, TextStyle, cells, cut, hanging, labelled, line, table

COLUMNS = (TextColumn(3), TextColumn(right=True), TextColumn())


def test_columns_are_as_wide_as_their_cells_and_lines_end_with_text() -> None:
    rows = [("", "n", "verdict"), ("gateway", "1,204", "complete"), ("gpt", "7", "")]
    assert table(rows, COLUMNS, "  ") == [
        "               n  verdict",
        "  gateway  1,204  complete",
        "  gpt          7",
    ]


def test_the_last_cell_of_a_short_row_spans_the_other_columns() -> None:
    assert table([("a", "1", "x"), ("b", "✖ refused, nothing came")], COLUMNS) == [
        "a    1  x",
        "b    ✖ refused, nothing came",
    ]


def test_a_cell_is_padded_before_it_is_coloured() -> None:
    style = TextStyle(colour=True)
    row = (TextCell("up", lambda text: style.coloured(text, "green")), "1")
    assert line(row, (TextColumn(4), TextColumn())) == "\x1b[32mup  \x1b[0m  1"
    assert TextStyle().coloured("up", "green") == "up"


def test_wide_characters_take_two_columns() -> None:
    first, second = table([("网关", "1"), ("gateway", "2")], (TextColumn(), TextColumn()))
    assert cells(first.partition("1")[0]) == cells(second.partition("2")[0]) == 9


def test_labels_without_a_value_are_left_out() -> None:
    assert labelled([("model", "m"), ("tokens", "")], 10) == ["  model       m"]


@pytest.mark.parametrize(("width", "text"), [(6, "gatewy"), (5, "gate…"), (1, "…")])
def test_a_cut_text_says_so(width: int, text: str) -> None:
    assert cut("gatewy", width) == text


@given(st.text(), st.integers(1, 40))
def test_a_cut_text_fits(text: str, width: int) -> None:
    assert cells(cut(text, width)) <= width


@given(st.text(alphabet="ab -", max_size=200), st.integers(30, 80))
def test_wrapped_text_keeps_its_words_and_its_margin(text: str, width: int) -> None:
    lines = hanging("  name  ", text, TextStyle(width), 8)
    assert max(map(len, lines)) <= width
    assert all(line.startswith(" " * 8) for line in lines[1:])
    assert "".join(lines).replace(" ", "").removeprefix("name") == text.replace(" ", "")
