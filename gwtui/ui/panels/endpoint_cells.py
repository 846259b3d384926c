"""The texts of the endpoints table: names that fit, numbers whose points stand below one another, and why. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gwtui.model.enums import BAD, State
from gwtui.model.findings import entry_of
from gwtui.model.query import Window
from gwtui.model.verdicts import GOOD
from gwtui.model.view import EndpointRow, GroupRow, Quantile
from gwtui.text import units
from gwtui.ui.panels.marks import severity_mark
from gwtui.ui.text_layout import Line, Span, cells, cut_middle, fit, line_cells

INTEGER, NUMBER = 5, 8
"""The width of a number before its point, and with what follows it."""
OLD_NS = 60_000_000_000
"""From this age on a last result is no news."""
_SEPARATORS = "-_./: "
_SHORT_WINDOWS = {Window.S30: "30s", Window.M2: "2m", Window.M10: "10m", Window.H1: "1h", Window.ALL: "all"}

_GOOD = frozenset(verdict.value for verdict in GOOD)
_CALM = frozenset({"", "cancelled", "local"})


def aligned(text: str) -> str:
    """The text of a number with its point in the same place as that of all others; what is longer than any number in
    front of its point takes the room behind it."""
    whole = text.partition(".")[0]
    return fit(" " * max(0, INTEGER - len(whole)) + text, NUMBER)


def in_ms(ns: int | None) -> str:
    """A duration in milliseconds: `1892`, `412`, `12.1`, `4.10`. None: `-`."""
    if ns is None:
        return units.MISSING
    return f"{ns / 1e6:.{2 if ns < 9_995_000 else 1 if ns < 99_950_000 else 0}f}"


def duration(ns: int | None, style: str) -> Span:
    return Span(aligned(in_ms(ns)), "faint" if ns is None else style)


def quantile(value: Quantile, window: Window | None, style: str) -> Line:
    """`494`, `494 10m` where it is of a longer window, or `-(n)` where n is too small in every one."""
    if value.value_ns is None:
        return (Span(aligned(units.quantile(None, value.n)), "faint"),)
    if window is None:
        return (Span(aligned(in_ms(value.value_ns)), style),)
    return (Span(aligned(in_ms(value.value_ns)).rstrip(), style), Span(f" {_SHORT_WINDOWS[window]}", "faint"))


def last(row: EndpointRow, style: str, *, with_age: bool) -> Span:
    """The last latency. Of one that is old the age is shown, unless that stands beside it."""
    is_old = row.age_ns is not None and row.age_ns >= OLD_NS
    if is_old and with_age:
        return Span(aligned(f"{units.brief(row.age_ns)} ago"), "muted")
    return duration(row.last_ns, "muted" if is_old else style)


def ratio(row: EndpointRow) -> Span:
    """How many times its usual p50 is, where that is worth saying."""
    if row.ratio is None or not row.is_slower:
        return Span("")
    return Span(units.times(min(row.ratio, 999)), "warn")


def one_decimal(value: float | None, figure: str) -> Span:
    """A number of a column whose numbers all have one decimal, up to five digits."""
    if value is None:
        return Span(units.MISSING, "faint")
    return Span(f"{value:.1f}" if value < 9999.95 else f"{value:.0f}", figure)


def fail(share: float | None) -> Span:
    return one_decimal(None if share is None else share * 100, _tone_of_share(share))


def _tone_of_share(share: float | None) -> str:
    return "faint" if share is None else "bad" if share else "muted"


class SharedEnds(NamedTuple):
    """What all names of a table begin and end with, whole words of it, where that says nothing about any of them."""

    start: str = ""
    end: str = ""

    @classmethod
    def of(cls, names: Sequence[str]) -> SharedEnds:
        start = _shared_start(names)
        end = _shared_start([name.removeprefix(start)[::-1] for name in names])[::-1]
        return cls(start, end)

    def cut(self, name: str) -> str:
        return name.removeprefix(self.start).removesuffix(self.end)


def _shared_start(texts: Sequence[str]) -> str:
    if len(texts) < 2:
        return ""
    low, high = min(texts), max(texts)
    same = next((at for at, (one, other) in enumerate(zip(low, high, strict=False)) if one != other), len(low))
    start = low[: max(low.rfind(separator, 0, same) for separator in _SEPARATORS) + 1]
    return start if len(start) > 2 and start not in texts else ""


def name(row: EndpointRow, width: int, ends: SharedEnds, selected: bool) -> Line:
    """The name without what all names have, cut in its middle where it is still too long."""
    warning = " !tls" if row.insecure else ""
    text = cut_middle(ends.cut(row.name), max(0, width - len(warning)))
    style = "muted" if row.state is State.PAUSED else "header" if selected else "text"
    return (Span(text, style), Span(warning, "warn"))


def why(row: EndpointRow, width: int) -> Line:
    """Why it is sick; while it is left alone, also the time until its next probe. The share gives way to that, then
    the end of the word."""
    text, wait = row.why, row.held_ns
    if not text and row.in_flight and not row.verdict:
        text = "no answer yet"
    word = text.partition(" ")[0] if text[-1:].isdigit() else text
    ends = ("",) if wait is None else (f" held {units.countdown(wait)}", f" due {units.brief(wait)}")
    whole = (*(f"{text}{end}" for end in ends), f"{word}{ends[-1]}")
    found = next((each for each in whole if cells(each) <= width), None)
    if found is None:
        found = fit(word, max(0, width - cells(ends[-1]))) + ends[-1]
    return (Span(found.lstrip(), _style_of_why(row)),)


def _style_of_why(row: EndpointRow) -> str:
    if row.state in BAD:
        return row.state.value
    return "bad" if row.failed else "warn" if row.why else "muted"


def verdicts(row: EndpointRow, width: int) -> Line:
    """How often each verdict came in the window, and what was found how often. The good ones give their words up."""

    def line(good: str | None) -> Line:
        counted = [
            (f"{good if good and word in _GOOD else word} {units.count(count)}", _style_of(word))
            for word, count in row.verdicts
        ]
        for finding, count in row.findings:
            mark, style = severity_mark(entry_of(finding).severity)
            counted.append((f"{mark} {finding} {units.count(count)}", style))
        return tuple(Span(f"  {text}" if place else text, style) for place, (text, style) in enumerate(counted))

    whole = line(None)
    return whole if line_cells(whole) <= width else line("✔")


def _style_of(verdict: str) -> str:
    return "muted" if verdict in _GOOD | _CALM else "bad"


def summary(group: GroupRow) -> Line:
    """`us gateway   ✖ 2 down  ● 18 up   p50 310-440`."""
    spans = [Span(group.name, "header"), Span(" ")]
    for state, count in group.states:
        spans.append(Span(f"  {state.mark} {units.count(count)} {state}", state.value))
    if group.p50_ns is not None:
        low, high = map(in_ms, group.p50_ns)
        spans.append(Span(f"   p50 {low}" if low == high else f"   p50 {low}-{high}", "muted"))
    return tuple(spans)
