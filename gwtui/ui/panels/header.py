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
WORDS_FROM = 72
"""Columns from which on words say which moment is looked at."""
SICK = 9
"""How much a state matters that wants a look."""


_FIGURES = re.compile(r" \([^()]*\)")


def draw(view: View, width: int, height: int, playing: str = "", restart: str = "ctrl+r") -> list[Line]:
    """The header, under it the sentence on what is wrong where the first line has no room for it, and the banner where
    there is one. `playing`: how a recording is played, as `▶ 10x`."""
    header = view.header
    own = _has_own_line(view, width, playing)
    lines = [_header(view, width, playing, "" if own else printable(view.sentence))]
    if own:
        lines.append((Span(" "), Span(_shortened(view, width - 2), _tone(view))))
    if header.banner:
        text = f" ✖ {printable(header.banner)}" + (f" · {restart} starts it again" if header.ended else "")
        lines.append(tuple(Span(span.text, "banner") for span in exact((Span(text),), width)))
    elif header.ended:
        lines.append((Span(f" ○ The engine has stopped · {restart} starts it again", "warn"),))
    return sheet(lines, width, height)


def rows(view: View, width: int, playing: str = "") -> int:
    """How many rows it takes."""
    return 1 + _has_own_line(view, width, playing) + bool(view.header.banner or view.header.ended)


def _name(view: View, width: int, playing: str) -> Line:
    name: Line = (Span(" "), Span("gwtui", "title"), Span("  "), Span(printable(view.header.profile), "header"))
    if view.header.use_proxies:
        name = (*name, Span("  "), Span("through proxies", "warn"))
    if playing:
        name = (*name, Span("  "), Span(playing, "key"))
    if moment := _moment(view, width, "to the end" if playing else "ago"):
        name = (*name, Span("  "), Span(f" {moment} ", "moment"))
    return name


def _room(width: int, name: Line, states: list[tuple[int, Line]], facts: list[tuple[int, Line]]) -> int:
    """How many cells are left beside these."""
    return width - line_cells((*name, *_joined(states), *_joined(facts))) - 8


def _has_own_line(view: View, width: int, playing: str) -> bool:
    """Whether all of the sentence has no room beside the states and the clock."""
    header = view.header
    room = _room(width, _name(view, width, playing), _states(header), _facts(view)[-1:]) - len(SEPARATOR.text)
    return cells(printable(view.sentence)) > max(0, room)


def _header(view: View, width: int, playing: str, said: str) -> Line:
    """Where room is short, facts go, then the states that ask for nothing, then the clock; the worst state is last. A
    sentence on what is wrong goes before facts other than the clock."""
    header = view.header
    name, states, facts = _name(view, width, playing), _states(header), _facts(view)
    wrong: Line = (SEPARATOR, Span(said, _tone(view))) if said else ()
    taken = line_cells(wrong)
    while _room(width, name, states, facts) < taken and len(facts) > 1:
        facts.remove(min(facts, key=lambda fact: fact[0]))
    while _room(width, name, states, facts) < taken and states and min(states)[0] < SICK:
        states.remove(min(states, key=lambda state: state[0]))
    if _room(width, name, states, facts) < taken and states:
        facts.clear()
        states.reverse()
    return justified((*name, Span("    "), *_joined(states), *wrong), (*_joined(facts), Span(" ")), width)


def _shortened(view: View, room: int) -> str:
    """What is wrong: all of it, the worst, that without its figures, or its beginning."""
    whole = printable(view.sentence)
    worst = whole.partition(". ")[0].removesuffix(".")
    texts = (whole, f"{worst}.", f"{_FIGURES.sub('', worst)}.")
    return next((text for text in texts if cells(text) <= room), fit(texts[-1], room))


def _tone(view: View) -> str:
    """The style of the sentence: that of the worst incident, or faint where all are acknowledged."""
    incidents = view.open_incidents
    is_known = all(incident.acknowledged for incident in incidents)
    return "muted" if is_known else max(incidents, key=_weight).severity.value


def _weight(incident: Incident) -> tuple[bool, int]:
    return not incident.acknowledged, BAD.index(incident.severity)


def _states(header: Header) -> list[tuple[int, Line]]:
    """How many endpoints are in which state, each with how much it matters."""
    calm = {State.UNKNOWN: 0, State.PAUSED: 1, State.UP: 2}
    return [
        (calm.get(state, SICK), (Span(f"{state.mark} {units.count(count)} {state}", state.value),))
        for state, count in header.states
    ]


def _moment(view: View, width: int, where: str) -> str:
    """The moment that is looked at and how far from the newest it is, in few cells on a narrow screen; empty while that
    is now."""
    if view.query.at_ns is None:
        return ""
    clock = units.zoned_clock(view.header.at, utc=view.query.utc)
    behind = units.span(view.header.behind_ns)
    return f"{clock} · {behind} {where}" if width >= WORDS_FROM else f"{clock} -{behind}"


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
    """One row high, and one more each for a banner and for a sentence without room. `restart` is the key that starts an
    engine again."""

    DEFAULT_CSS = "HeaderLine, HeaderLine.-foreign-theme { height: 1; border: none; padding: 0; }"

    def __init__(self, restart: str = "ctrl+r", *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self._restart = restart
        self._playing = ""

    def redraw(self) -> None:
        if self.view is not None and self.size.width > 0:
            self.styles.height = rows(self.view, self.size.width, self._playing)
        super().redraw()

    def play(self, playing: str) -> None:
        """Say how a recording is played; "": what is shown goes on."""
        if playing != self._playing:
            self._playing = playing
            self.redraw()

    def draw(self, view: View, width: int, height: int) -> list[Line]:
        return draw(view, width, height, self._playing, self._restart)
