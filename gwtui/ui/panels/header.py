"""The top line: the profile, the states of its endpoints, the elapsed time, and gwtui's own trouble."""

from __future__ import annotations

from gwtui.model.enums import State
from gwtui.model.view import Header, View
from gwtui.text import units
from gwtui.ui.panel import Panel
from gwtui.ui.text_layout import Line, Span, exact, justified, line_cells, printable, sheet

SEPARATOR = Span("   ")
SICK = 9
"""How much a state matters that wants a look."""


def draw(header: Header, width: int, height: int, held: str = "", restart: str = "r") -> list[Line]:
    """The header, and under it the banner where there is one. `held`: that the display is held, as `FROZEN 00:12`."""
    lines = [_header(header, width, held)]
    if header.banner:
        text = f" ✖ {printable(header.banner)}" + (f" · {restart} starts it again" if header.ended else "")
        lines.append(tuple(Span(span.text, "banner") for span in exact((Span(text),), width)))
    elif header.ended:
        lines.append((Span(f" ○ The engine has stopped · {restart} starts it again", "warn"),))
    return sheet(lines, width, height)


def rows(header: Header) -> int:
    """How many rows it takes."""
    return 2 if header.banner or header.ended else 1


def _header(header: Header, width: int, held: str) -> Line:
    """Where room is short, facts go, then the states that ask for nothing, then the clock; the worst state is last."""
    name: Line = (Span(" "), Span("gwtui", "title"), Span("  "), Span(printable(header.profile), "header"))
    if header.use_proxies:
        name = (*name, Span("  "), Span("through proxies", "warn"))
    if held:
        name = (*name, Span("  "), Span(f" {held} ", "frozen"))
    states, facts = _states(header), _facts(header)

    def room() -> int:
        return width - line_cells((*name, *_joined(states), *_joined(facts))) - 8

    while room() < 0 and len(facts) > 1:
        facts.remove(min(facts, key=lambda fact: fact[0]))
    while room() < 0 and states and min(states)[0] < SICK:
        states.remove(min(states, key=lambda state: state[0]))
    if room() < 0 and states:
        facts.clear()
        states.reverse()
    return justified((*name, Span("    "), *_joined(states)), (*_joined(facts), Span(" ")), width)


def _states(header: Header) -> list[tuple[int, Line]]:
    """How many endpoints are in which state, each with how much it matters."""
    calm = {State.UNKNOWN: 0, State.PAUSED: 1, State.UP: 2}
    return [
        (calm.get(state, SICK), (Span(f"{state.mark} {units.count(count)} {state}", state.value),))
        for state, count in header.states
    ]


def _facts(header: Header) -> list[tuple[int, Line]]:
    """What stands at the right, each with how much it matters. Before the first record there is nothing to tell."""
    if not header.at:
        return []
    clock = "ended" if header.ended else units.clock(header.at) + "Z"
    failed = Span(f"{units.count(header.failed)} failed", "bad" if header.failed else "muted")
    return [
        (2, (Span(units.elapsed(header.elapsed_ns), "muted"),)),
        (1, (Span(units.many(header.requests, "request"), "muted"),)),
        (3, (failed,)),
        (4, (Span(clock, "warn" if header.ended else "muted"),)),
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

    def __init__(self, restart: str = "r", *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self._restart = restart
        self._held = ""

    def show(self, view: View) -> None:
        self.styles.height = rows(view.header)
        super().show(view)

    def hold(self, held: str) -> None:
        """Say that the display is held; "": it is not."""
        if held != self._held:
            self._held = held
            self.redraw()

    def draw(self, view: View, width: int, height: int) -> list[Line]:
        return draw(view.header, width, height, self._held, self._restart)
