"""Endpoints compared with each other: every latency with its interval, and a sentence to paste."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.message import Message

from gwtui.model.metrics import Metric
from gwtui.model.view import View
from gwtui.stats import comparison
from gwtui.stats.comparison import ComparedSeries, Comparison, FailureComparison
from gwtui.stats.histogram import supported
from gwtui.stats.sentences import difference_text, failure_sentence, fine_percent, p_text, percent, sentence
from gwtui.stats.significance import Difference
from gwtui.text import units
from gwtui.ui.keymap import bindings
from gwtui.ui.panel import MovingPanel, scrolled
from gwtui.ui.text_layout import (
    Column,
    Line,
    Placed,
    Span,
    cells,
    centred,
    exact,
    over,
    place,
    printable,
    row,
    sheet,
    wrap,
)

WIDE = 110
NAME, NARROW_NAME = 16, 14
"""The most cells for a value, and so for the name above it, on wide and on narrow screens."""
PLOT = 19
"""Cells of the plot of an interval; odd, so that zero is in the middle of one."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What the page shows beside the view."""

    base: ComparedSeries
    """The endpoint that the others are compared with."""
    others: tuple[ComparedSeries, ...] = ()
    """All that could be."""
    chosen: frozenset[str] = frozenset()
    """The names of those that are."""
    cursor: str = ""
    """The other endpoint that the keys are about."""
    found: tuple[Comparison, ...] = ()
    """Pair by pair, in the order of `others`."""
    working: bool = False
    """The first comparison of what is chosen is still being made."""

    def pairs(self) -> Iterator[tuple[ComparedSeries, tuple[Comparison, ...]]]:
        """Every chosen endpoint with what came of it."""
        by_name = {name: tuple(found) for name, found in groupby(self.found, lambda each: each.second)}
        return ((other, by_name.get(other.name, ())) for other in self.others if other.name in self.chosen)


def sentences(picture: Picture, metric: Metric) -> list[str]:
    """A sentence for each pair, about this latency, or where they have none in common the first they share."""
    lines = [failure_sentence(each) for each in _failures(picture) if each.is_clear]
    return lines + [sentence(_comparison_of(found, metric)) for _, found in picture.pairs() if found]


def _failures(picture: Picture) -> list[FailureComparison]:
    return comparison.compare_failures([(picture.base, other) for other, _ in picture.pairs()])


def _comparison_of(found: Sequence[Comparison], metric: Metric) -> Comparison:
    return next((each for each in found if each.metric is metric), found[0])


# Who is compared


def draw_others(view: View, picture: Picture, width: int, height: int, top: int, *, focused: bool) -> list[Line]:
    """A line per endpoint from `top` on, with a mark at those that are compared."""
    if not picture.others:
        return centred([(Span("There is no other endpoint to compare with", "muted"),)], width, height)
    rows = {endpoint.name: endpoint for endpoint in view.endpoints}
    name = max(cells(other.name) for other in picture.others)
    wanted = [
        Column("mark", "", 4, gap=0),
        Column("name", "", min(max(name, 10), 40), gap=0),
        Column("state", "", 10, rank=2),
        Column("n", "", 10, right=True, rank=1),
        Column("failed", "", 14, right=True, rank=3),
        Column("api", "", 20, rank=4),
    ]
    placed = place(wanted, width)
    lines: list[Line] = []
    for other in picture.others[top : top + height]:
        here, chosen = other.name == picture.cursor, other.name in picture.chosen
        state = rows[other.name].state if other.name in rows else None
        texts: dict[str, Span | Line] = {
            "mark": (
                Span(("▌" if focused else "▏") if here else " ", "accent"),
                Span("◆ " if chosen else "◇ ", "accent" if chosen else "faint"),
            ),
            "name": Span(other.name, "header" if chosen else "text"),
            "state": Span(f"{state.mark} {state}" if state else "", state.value if state else "faint"),
            "n": Span(f"n {units.count(other.ok)}", "muted" if other.ok else "faint"),
            "failed": _failed(other),
            "api": Span(rows[other.name].api if other.name in rows else "", "faint"),
        }
        line = exact(row(placed, texts), width)
        lines.append(over(line, "selection") if here else line)
    return sheet(lines, width, height)


def _failed(series: ComparedSeries) -> Span:
    failed = (series.total or 0) - series.ok
    text = f"{units.share(failed / series.total)} % failed" if series.total else ""
    return Span(text, "bad" if failed else "muted")


# What came of it


def draw_pairs(view: View, picture: Picture, width: int) -> list[Line]:
    """A table per pair, and under it the sentence."""
    lines: list[Line] = []
    longest = max((cells(name) for name in (picture.base.name, *picture.chosen)), default=0)
    value = min(max(9, longest), NAME if width >= WIDE else NARROW_NAME)
    failures = {each.second: failure_sentence(each) for each in _failures(picture)}
    for other, found in picture.pairs():
        lines += [_heading(picture.base, other), *_table(found, view.query.metric, width, value)]
        texts = [failures[other.name]] if other.name in failures else []
        texts += [sentence(_comparison_of(found, view.query.metric))] if found else []
        lines += [()] if found else [(Span(_nothing(picture, other), "muted"),)]
        for text in texts:
            parts = wrap(text, max(8, width - 2))
            lines += [(Span("▸ ", "accent"), Span(parts[0])), *((Span("  "), Span(part)) for part in parts[1:])]
        lines += [(), ()]
    return lines[:-2]


def _heading(base: ComparedSeries, other: ComparedSeries) -> Line:
    return (
        Span(printable(base.name), "header"),
        Span("  and  ", "faint"),
        Span(printable(other.name), "header"),
        Span(f"    n {units.count(base.ok)} and {units.count(other.ok)}", "muted"),
    )


def _nothing(picture: Picture, other: ComparedSeries) -> str:
    for series in (picture.base, other):
        if not series.samples:
            return f"{printable(series.name)} has no good result yet"
    return "comparing …" if picture.working else "These endpoints have no latency in common"


def _table(found: Sequence[Comparison], metric: Metric, width: int, value: int) -> list[Line]:
    """Two lines for every latency; `value` cells for each of the two endpoints."""
    if not found:
        return []
    names = found[0].first, found[0].second
    wanted = [
        Column("metric", "", 10, gap=0),
        Column("q", "", 3, gap=0),
        Column("first", names[0], value, right=True, gap=1),
        Column("second", names[1], value, right=True, gap=1),
        Column("difference", "difference (95 %)", 25, right=True, rank=1),
        Column("plot", f"{'-':^{PLOT // 2}}0{'+':^{PLOT // 2}}", PLOT, rank=5),
        Column("p", "p", 6, right=True, rank=2, gap=1),
        Column("effect", "effect", 6, right=True, rank=4),
        Column("faster", "faster", 20, rank=3, grow=10),
        Column("n", "n", 13, right=True, rank=6),
    ]
    placed = place(wanted, width)
    headings: dict[str, Span | Line] = {column.name: Span(column.heading, "muted") for column, _, _ in placed}
    lines = [row(placed, headings)]
    quoted = _comparison_of(found, metric)
    for each in found:
        lines += [_median(each, placed, is_quoted=each is quoted), _tail(each, placed)]
    return lines


def _median(found: Comparison, placed: Sequence[Placed], *, is_quoted: bool) -> Line:
    counts = units.count(found.n[0]) if found.n[0] == found.n[1] else f"{found.n[0]:,} | {found.n[1]:,}"
    medians = [value if supported(0.5, n) else None for value, n in zip(found.p50_ns, found.n, strict=True)]
    texts = _values("p50", medians, found.median, found)
    texts |= {
        "metric": (Span("▸ " if is_quoted else "  ", "accent"), Span(found.label, "header" if is_quoted else "text")),
        "p": Span(p_text(found.p), "text" if found.tends is not None else "muted"),
        "effect": Span(f"{found.effect:+.2f}", "text" if found.tends is not None else "muted"),
        "n": Span(counts, "muted"),
        "faster": _faster(found),
    }
    return row(placed, texts)


def _tail(found: Comparison, placed: Sequence[Placed]) -> Line:
    return row(placed, _values("p95", found.p95_ns, found.tail, found))


def _values(
    name: str, values: Sequence[int | None], difference: Difference | None, found: Comparison
) -> dict[str, Span | Line]:
    """The cells that a median and a p95 have in common. The clearly lower value stands out."""
    lower = int(difference.high < 0) if difference is not None and difference.is_clear else None
    first, second = (
        Span(
            f"-({n})" if value is None else units.duration(value),
            "faint" if value is None else "good" if side == lower else "text",
        )
        for side, (value, n) in enumerate(zip(values, found.n, strict=True))
    )
    texts: dict[str, Span | Line] = {"q": Span(name, "faint"), "first": first, "second": second}
    if difference is None:
        return texts | {"difference": Span(f"-({found.least_worth})", "faint")}
    style = "muted" if lower is None else "header"
    return texts | {"difference": Span(difference_text(difference), style), "plot": _plot(difference, found)}


def _plot(difference: Difference, found: Comparison) -> Line:
    """The interval around its value, over an axis with zero in the middle that both percentiles share."""
    known = [each for each in (found.median, found.tail) if each is not None]
    reach = max(1, *(abs(end) for each in known for end in (each.low, each.high)))
    half = PLOT // 2
    low, at, high = (half + round(half * end / reach) for end in (difference.low, difference.value, difference.high))
    style = "good" if difference.is_clear else "muted"
    return tuple(
        Span("●", style)
        if x == at
        else Span("━", style)
        if low <= x <= high
        else Span("│", "axis")
        if x == half
        else Span(" ")
        for x in range(PLOT)
    )


def _faster(found: Comparison) -> Span:
    names = found.first, found.second
    if found.faster is not None:
        return Span(f"-{percent(found.share)} % {names[found.faster]}", "good")
    if found.quicker is not None:
        return Span(f"fails more: {names[found.quicker]}", "bad")
    if found.median is None:
        return Span("too short a run" if found.too_short else "too few results", "faint")
    if found.tends is not None:
        return Span(f"unclear, {names[found.tends]}?", "muted")
    return Span("no evidence" if found.least is None else f"no evidence (≥{fine_percent(found.least)} %)", "muted")


class OthersPanel(MovingPanel):
    """Arrows move the cursor among the other endpoints; a click adds or removes one."""

    DEFAULT_CSS = "OthersPanel { padding: 0; }"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("others")]

    class Moved(Message):
        """The cursor is to be at that endpoint; `toggle`: which is also to be added or removed."""

        def __init__(self, name: str, *, toggle: bool = False) -> None:
            super().__init__()
            self.name = name
            self.toggle = toggle

    _picture: Picture | None = None
    _top = 0

    def show_picture(self, view: View, picture: Picture) -> None:
        self._picture = picture
        self.show(view)

    def title(self, view: View) -> str:
        return f"Compare · {self._picture.base.name} with" if self._picture is not None else "Compare"

    def subtitle(self, view: View) -> str:
        count = len(self._picture.others) if self._picture is not None else 0
        visible = self.size.height
        return f"{self._top + 1}-{min(count, self._top + visible)} of {count}" if 0 < visible < count else ""

    def draw(self, view: View, width: int, height: int) -> list[Line]:
        picture = self._picture
        if picture is None:
            return sheet([], width, height)
        self._top = scrolled(self._top, self._index(picture), height, len(picture.others))
        return draw_others(view, picture, width, height, self._top, focused=self.has_focus)

    def _index(self, picture: Picture) -> int:
        return next((at for at, other in enumerate(picture.others) if other.name == picture.cursor), 0)

    def action_move(self, lines: int) -> None:
        picture = self._picture
        if picture is not None and picture.others:
            at = max(0, min(self._index(picture) + lines, len(picture.others) - 1))
            self.post_message(self.Moved(picture.others[at].name))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is not None and self._picture is not None:
            for other in self._picture.others[self._top + offset.y :][:1]:
                self.post_message(self.Moved(other.name, toggle=True))


class ComparePanel(MovingPanel):
    """The tables and sentences; arrows and wheel scroll."""

    WHEEL = 3
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("comparison")]

    hints = ""
    """What stands in the lower border."""
    _picture: Picture | None = None
    _top = 0

    def show_picture(self, view: View, picture: Picture) -> None:
        if self._picture is not None and self._picture.base.name != picture.base.name:
            self._top = 0
        self._picture = picture
        self.show(view)

    def title(self, view: View) -> str:
        so_far = "What this session measured"
        return so_far if view.query.at_ns is None else f"{so_far} by now, not by the moment that is shown"

    def subtitle(self, view: View) -> str:
        return self.hints

    def draw(self, view: View, width: int, height: int) -> list[Line]:
        picture = self._picture
        if picture is None or not picture.chosen:
            return centred([(Span("No endpoint is chosen", "muted"),)], width, height)
        lines = draw_pairs(view, picture, width)
        self._top = max(0, min(self._top, len(lines) - height))
        return sheet(lines[self._top :], width, height)

    def action_move(self, lines: int) -> None:
        self._top += lines
        self.redraw()
