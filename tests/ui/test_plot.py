"""The chart of a latency over time: a dot per result, failures at the top, lines only where there are values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwtui.model.enums import State
from gwtui.model.view import ChartSpan, Dot
from gwtui.text import units
from gwtui.ui.plot import ChartLook, Curve, Level, Plot, draw_plot
from gwtui.ui.text_layout import line_cells, plain

MS = 1_000_000
SECOND = 1_000_000_000
AT = 1_767_189_802.0
"""14:03:22 UTC."""


def plot(**changes: object) -> Plot:
    fields: dict[str, object] = {
        "start_ns": 0,
        "end_ns": 60 * SECOND,
        "end_at": AT,
        "curve": Curve("p50", (None,) * 10),
        "end": "now",
    }
    return Plot(**{**fields, **changes})  # type: ignore[arg-type]  # fields by name, checked at run time


def drawn(of: Plot, width: int = 54, height: int = 9, look: ChartLook = ChartLook()) -> list[str]:  # noqa: B008 - it is frozen
    return [plain(line) for line in draw_plot(of, width, height, units.clock, look)]


def test_dots_lines_band_failures_levels_and_spans() -> None:
    of = plot(
        curve=Curve("p50", (None, None, *(200 * MS,) * 8)),
        band=Curve("p90", (*(None,) * 6, *(700 * MS,) * 4)),
        dots=(Dot(3 * SECOND, 150 * MS), Dot(30 * SECOND, None), Dot(45 * SECOND, 800 * MS)),
        levels=(Level("usual", "faint", 400 * MS), Level("limit", "slow", 5000 * MS)),
        spans=(ChartSpan(27 * SECOND, 40 * SECOND, State.DOWN), ChartSpan(15 * SECOND, 15 * SECOND, None)),
    )
    assert drawn(of, look=ChartLook(mixes=False)) == [
        "       │          ┊         ✖                         ",
        "       │          ┊             ░░░░░░⠁░░░░░░░░░ p90  ",
        "       │          ┊             ░░░░░░░░░░░░░░░░      ",
        " 500 ms┤┈┈┈┈┈┈┈┈┈┈┊┈┈┈┈┈┈┈┈┈┈┈┈┈░░░░░░░░░░░░░░░░      ",
        "       │⠤ ⠤ ⠤ ⠤ ⠤ ⠤ ⠤ ⠤ ⠤ ⠤ ⠤ ⠤ ⠤░⠤░⠤░⠤░⠤░⠤░⠤░⠤░ usual",
        "       │          ┊             ░░░░░░░░░░░░░░░░      ",
        "       │  ⠄       ⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉ p50  ",
        "      0┤┈┈┈┈┈┈┈┈┈┈┊┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈      ",
        "       └──────────◆───────━━━━━━━┴14:03:00────── now  ",
    ]


def test_dots_over_the_limit_are_slow_and_the_band_is_behind_the_dots() -> None:
    of = plot(
        curve=Curve("p50", (200 * MS,) * 10),
        band=Curve("p90", (900 * MS,) * 10),
        dots=(Dot(SECOND, 300 * MS), Dot(45 * SECOND, 800 * MS)),
        limit_ns=500 * MS,
    )
    styles = {span.style for line in draw_plot(of, 54, 9, units.clock) for span in line}
    assert {"band", "shade", "band dot", "band slow"} <= styles


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((100, 100, 100, 100, 100), "⠉⠉"),
        ((100, None, None, None, 100), "  "),
    ],
)
def test_a_line_is_led_over_no_share_without_a_value(values: tuple[int | None, ...], expected: str) -> None:
    of = plot(curve=Curve("p50", tuple(value and value * MS for value in values)))
    assert drawn(of, height=5)[0][8 + 18 : 8 + 20].replace("┈", " ") == expected


@pytest.mark.parametrize(
    ("is_log", "labels"),
    [
        (False, ["20.0 s", "15.0 s", "10.0 s", "5.00 s", "0"]),
        (True, ["10.0 s", "3.00 s", "1.00 s", "300 ms", "100 ms"]),
    ],
)
def test_the_labels_of_both_axes_are_where_their_values_are(is_log: bool, labels: list[str]) -> None:
    of = plot(dots=(Dot(SECOND, 60 * MS), Dot(2 * SECOND, 20 * SECOND)))
    lines = drawn(of, height=13, look=ChartLook(is_log=is_log))
    assert [line.partition("┤")[0].strip() for line in lines if "┤" in line] == labels
    assert lines[-1].startswith("    log└" if is_log else "       └")


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (30, ["14:03:00", "14:03:10"]),
        (120, ["14:01:30", "14:02:00", "14:02:30", "14:03:00"]),
        (600, ["13:54", "13:56", "13:58", "14:00", "14:02"]),
        (86_400, ["18:00", "00:00", "06:00"]),
    ],
)
def test_the_clock_has_round_times(seconds: int, expected: list[str]) -> None:
    axis = drawn(plot(end_ns=seconds * SECOND), width=70)[-1]
    assert [part.partition("─")[0].strip() for part in axis.split("┴")[1:]] == expected


def test_no_label_hides_a_mark() -> None:
    marks = [ChartSpan(at * SECOND, at * SECOND, None) for at in range(60)]
    axis = drawn(plot(spans=marks))[-1]
    assert axis.count("◆") == 40


NS = st.none() | st.integers(0, 10**13)


@given(
    values=st.lists(NS, max_size=60),
    dots=st.lists(st.tuples(st.integers(-(10**9), 10**12), NS), max_size=30),
    spans=st.lists(st.tuples(st.integers(-(10**12), 10**12), st.none() | st.integers(-(10**12), 10**12)), max_size=5),
    size=st.tuples(st.integers(0, 90), st.integers(0, 20)),
    look=st.builds(ChartLook, st.booleans(), st.booleans()),
)
def test_whatever_is_drawn_it_fits_or_is_not_there(
    values: list[int | None],
    dots: list[tuple[int, int | None]],
    spans: list[tuple[int, int | None]],
    size: tuple[int, int],
    look: ChartLook,
) -> None:
    of = plot(
        end_ns=10**12,
        curve=Curve("p50", tuple(values)),
        band=Curve("p90", tuple(value and value * 2 for value in values)),
        dots=[Dot(*dot) for dot in dots],
        levels=(Level("usual", "faint", 330 * MS),),
        spans=[ChartSpan(start, end, State.SLOW) for start, end in spans],
    )
    lines = draw_plot(of, *size, units.clock, look)
    assert [line_cells(line) for line in lines] in ([], [size[0]] * size[1])


@given(st.lists(st.integers(0, 59), min_size=1, max_size=20))
def test_every_failure_is_at_the_top_at_its_time(seconds: list[int]) -> None:
    top = drawn(plot(dots=[Dot(at * SECOND, None) for at in seconds]), width=8 + 60 + 6)[0][8:68]
    assert {x for x, sign in enumerate(top) if sign == "✖"} == set(seconds)
