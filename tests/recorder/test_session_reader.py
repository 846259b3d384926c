"""Parts of a session read back: the rows of a period, the log alone, and when the newest row was."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import reported
from support.reported import BEGAN, write_session

from gwtui.model.judged import LogEntry
from gwtui.model.records import Request
from gwtui.recorder.csvfile import csv_cell, csv_cells, csv_line
from gwtui.recorder.session_reader import UnreadRows, read_session


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Five minutes, of which half a one without keys."""
    return write_session(tmp_path / "s", reported.results(100, 130, 300), reported.incident(100, 130, 12))


def test_the_results_of_a_period_are_read_and_the_whole_log(directory: Path) -> None:
    session = read_session(directory)
    whole, some = (list(session.rows(UnreadRows(), between=between)) for between in (None, (BEGAN + 100, BEGAN + 120)))
    results = [row for row in whole if isinstance(row, Request) and 100 <= row.started_at - BEGAN <= 120]
    assert [row for row in some if isinstance(row, Request)] == results
    assert len(results) == 13
    entries = [row for row in whole if isinstance(row, LogEntry)]
    assert [row for row in some if isinstance(row, LogEntry)] == entries == list(session.log(UnreadRows()))
    assert len(entries) == 10


def test_the_newest_row_is_found_behind_a_torn_line_and_in_files_put_aside(directory: Path) -> None:
    requests = directory / "requests.csv"
    last = max(row.now_ns for row in read_session(directory).rows(UnreadRows()))
    assert read_session(directory).ended_at() == pytest.approx(BEGAN + last / 1e9)
    with requests.open("a") as file:
        file.write("eu-claude,61,")
    assert read_session(directory).ended_at() == pytest.approx(BEGAN + last / 1e9)
    requests.rename(directory / "requests.1.csv")
    assert read_session(directory).ended_at() == pytest.approx(BEGAN + last / 1e9)
    (directory / "requests.1.csv").unlink()
    (directory / "incidents.csv").write_text("at\n")
    assert read_session(directory).ended_at() == BEGAN


@given(st.lists(st.text(alphabet="ab,;\"' 1", max_size=6), min_size=1, max_size=6))
def test_one_cell_of_a_line_is_that_of_all_cells_where_it_needs_no_guard(cells: list[str]) -> None:
    line = csv_line(cells).decode()
    found = [csv_cell(line, place) for place in range(len(cells))]
    assert [each.removeprefix("'") for each in found] == [each.removeprefix("'") for each in csv_cells(line[:-1])]
    assert csv_cell(line, len(cells)) == ""


@pytest.mark.parametrize("line", ["", "\n", '"', "a" * 200_000])
def test_a_line_that_is_not_csv_has_no_such_cell(line: str) -> None:
    assert csv_cell(line, 1) == ""
