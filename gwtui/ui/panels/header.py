"""The top line: the profile, the states of its endpoints, what is wrong, the elapsed time, and gwtui's own trouble."""

from __future__ import annotations

import re

from gwtui.model.enums import BAD, State
from gwtui.model.incidents import Incident
from gwtui.model.view import Header, View
from gwtui.text import units
from gwtui.ui.panel import Panel
from gwtui.ui.text_layout import Line, Span, cells, exact, fit, justified, line_cells, printable, sheet

SEPARATOR = Span("   ")
SICK = 9
"""How much a state matters that wants a look."""


_FIGURES = re.compile(r" \([^()]*\)")
LEAST = 30
"""Columns in which the beginning of the sentence still says something."""


def draw(view: View, width: int, height: int, playing: str = "", restart: str = "ctrl+r") -> list[Line]:
    """The header, and under it the banner where there is one. `playing`: how a recording is played, as `▶ 10x`."""
    header = view.header
    lines = [_header(view, width, playing)]
    if header.banner:
        text = f" ✖ {printable(header.banner)}" + (f" · {restart} starts it again" if header.ended else "")
        lines.append(tuple(Span(span.text, "banner") for span in exact((Span(text),), width)))
    elif header.ended:
        lines.append((Span(f" ○ The engine has stopped · {restart} starts it again", "warn"),))
    return sheet(lines, width, height)


def rows(header: Header) -> int:
    """How many rows it takes."""
    return 2 if header.banner or header.ended else 1


def _header(view: View, width: int, playing: str) -> Line:
    """Where room is short, facts go, then the states that ask for nothing, then the clock; the worst state is last. A
    sentence on what is wrong goes before facts other than the clock."""
    header = view.header
    name: Line = (Span(" "), Span("gwtui", "title"), Span("  "), Span(printable(header.profile), "header"))
    if header.use_proxies:
        name = (*name, Span("  "), Span("through proxies", "warn"))
    if playing:
        name = (*name, Span("  "), Span(playing, "key"))
    if moment := _moment(view, "to the end" if playing else "ago"):
        name = (*name, Span("  "), Span(f" {moment} ", "moment"))
    states, facts = _states(header), _facts(view)

    def room(facts: list[tuple[int, Line]]) -> int:
        return width - line_cells((*name, *_joined(states), *_joined(facts))) - 8

    said = _sentence(view, room(facts[-1:]) - len(SEPARATOR.text))
    taken = line_cells((SEPARATOR, said)) if said.text else 0
    while room(facts) < taken and len(facts) > 1:
        facts.remove(min(facts, key=lambda fact: fact[0]))
    while room(facts) < taken and states and min(states)[0] < SICK:
        states.remove(min(states, key=lambda state: state[0]))
    if room(facts) < taken and states:
        facts.clear()
        states.reverse()
    wrong: Line = (SEPARATOR, said) if said.text else ()
    return justified((*name, Span("    "), *_joined(states), *wrong), (*_joined(facts), Span(" ")), width)


def _sentence(view: View, room: int) -> Span:
    """What is wrong: all of it, the worst, that without its figures, or its beginning; "" where there is no room."""
    incidents, whole = view.open_incidents, printable(view.sentence)
    worst = whole.partition(". ")[0].removesuffix(".")
    texts = (whole, f"{worst}.", f"{_FIGURES.sub('', worst)}.")
    cut = fit(texts[-1], room) if room >= LEAST else ""
    text = next((text for text in texts if cells(text) <= room), cut) if whole else ""
    is_known = all(incident.acknowledged for incident in incidents)
    return Span(text, "muted" if is_known else max(incidents, key=_weight).severity.value)


def _weight(incident: Incident) -> tuple[bool, int]:
    return not incident.acknowledged, BAD.index(incident.severity)


def _states(header: Header) -> list[tuple[int, Line]]:
    """How many endpoints are in which state, each with how much it matters."""
    calm = {State.UNKNOWN: 0, State.PAUSED: 1, State.UP: 2}
    return [
        (calm.get(state, SICK), (Span(f"{state.mark} {units.count(count)} {state}", state.value),))
        for state, count in header.states
    ]


def _moment(view: View, where: str) -> str:
    """The moment that is looked at and how far from the newest it is; empty while that is now."""
    if view.query.at_ns is None:
        return ""
    clock = units.zoned_clock(view.header.at, utc=view.query.utc)
    return f"{clock} · {units.span(view.header.behind_ns)} {where}"


def _facts(view: View) -> list[tuple[int, Line]]:
    """What stands at the right, each with how much it matters. Before the first record there is nothing to tell. The
    clock is that of now."""
    header = view.header
    if not header.at:
        return []
    clock = "ended" if header.ended else units.zoned_clock(header.at, utc=view.query.utc)
    now: list[tuple[int, Line]] = [(4, (Span(clock, "warn" if header.ended else "muted"),))]
    failed = Span(f"{units.count(header.failed)} failed", "bad" if header.failed else "muted")
    return [
        (2, (Span(units.elapsed(header.elapsed_ns), "muted"),)),
        (1, (Span(units.many(header.requests, "request"), "muted"),)),
        (3, (failed,)),
        *(now if view.query.at_ns is None or header.ended else ()),
    ]


def _joined(parts: list[tuple[int, Line]]) -> Line:
    spans: list[Span] = []
    for _, part in parts:
        if spans:
            spans.append(SEPARATOR)
        spans.extend(part)
    return tuple(spans)


class HeaderLine(Panel, can_focus=False):
    """Two rows high while there is a banner, else one. `restart` is the key that starts an engine again."""

    DEFAULT_CSS = "HeaderLine, HeaderLine.-foreign-theme { height: 1; border: none; padding: 0; }"

    def __init__(self, restart: str = "ctrl+r", *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self._restart = restart
        self._playing = ""

    def show(self, view: View) -> None:
        self.styles.height = rows(view.header)
        super().show(view)

    def play(self, playing: str) -> None:
        """Say how a recording is played; "": what is shown goes on."""
        if playing != self._playing:
            self._playing = playing
            self.redraw()

    def draw(self, view: View, width: int, height: int) -> list[Line]:
        return draw(view, width, height, self._playing, self._restart)
