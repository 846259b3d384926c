"""The checks of one endpoint: how many ended in which way, and each with its evidence, its cause and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby, zip_longest
from typing import ClassVar

from msgspec.structs import replace
from textual.binding import BindingType

from gwtui.model.check_results import CheckOutcome, CheckResult, PlannedCheck
from gwtui.model.view import ChecksView, View
from gwtui.text import units
from gwtui.ui.keymap import bindings
from gwtui.ui.panel import MovingPanel
from gwtui.ui.text_layout import Line, Span, centred, exact, fit, flow, justified, printable, sheet, wrap

STYLES = {CheckOutcome.PASS: "good", CheckOutcome.WARN: "warn", CheckOutcome.FAIL: "bad"}
WORDS = {CheckOutcome.NOT_APPLICABLE: "n/a"}
SICK = (CheckOutcome.FAIL, CheckOutcome.WARN)
SIGN = 8
"""Cells for the shape and the word."""
TITLE = 44
WIDE = 110
"""The number of columns from which the evidence stands beside the title."""
LABEL = 8
"""Cells for what a line under the evidence is."""
BAR = 24


def head(view: View, checks: ChecksView, width: int) -> list[Line]:
    """What all came to so far, and where it stands."""
    done, planned = len(checks.results), len(checks.run.planned)
    counts = [
        (Span(f"{outcome.mark} {count} {WORDS.get(outcome, outcome.value)}", STYLES.get(outcome, "muted")),)
        for outcome, count in checks.counts
    ]
    sent = sum(result.requests for result in checks.results)
    most = f" of up to {units.count(checks.run.most_requests)}" if checks.current and width >= WIDE else ""
    at = (f"{done} of {planned}  " if checks.current else "") + f"{units.count(sent)}{most} requests"
    bar = _bar(done, planned) if checks.current and width >= WIDE else ()
    when: Line = (Span(f"{at}  {units.zoned_clock(checks.run.started_at, utc=view.query.utc)}", "muted"),)
    lines = [justified((*_spaced(counts), Span("   "), *bar), when, width)] if counts or bar else [exact(when, width)]
    lines += [exact((Span(text, style),), width) for text, style in _standing(view, checks)]
    sick = [
        (Span(f"{result.outcome.mark} {result.name}", STYLES[result.outcome]),)
        for outcome in SICK
        for result in checks.results
        if result.outcome is outcome
    ]
    return [*lines, *flow(sick, width), ()]


def _spaced(items: Iterable[Line]) -> Line:
    return tuple(span for item in items for span in (*item, Span("  ")))


def _bar(done: int, planned: int) -> Line:
    full = BAR * done // max(planned, 1)
    return (Span("━" * full, "good"), Span("─" * (BAR - full), "axis"))


def _standing(view: View, checks: ChecksView) -> list[tuple[str, str]]:
    """What has to be known beside the counts."""
    run = checks.run
    if run.trouble:
        return [(f"✖ {printable(run.trouble)}", "bad")]
    if run.waits_for:
        return [(f"○ waits until {printable(run.waits_for)} has been checked", "warn")]
    if view.header.ended and not run.ended:
        return [("✖ the engine has stopped", "bad")]
    return []


def body(checks: ChecksView, width: int) -> list[tuple[Line, str]]:
    """Every check in its order under its section, each line with the check's name."""
    results = {result.name: result for result in checks.results}
    current = checks.current.name if checks.current is not None else ""
    lines: list[tuple[Line, str]] = []
    before: CheckResult | None = None
    for section, planned in groupby(checks.run.planned, lambda check: check.section):
        lines.append(((Span(printable(section), "header"),), ""))
        for check in planned:
            result = results.get(check.name)
            if result is None:
                block = _pending(check, check.name == current)
            else:
                block = _result(result, width, before)
                before = result
            lines += [(line, check.name) for line in block]
        lines.append(((), ""))
    return lines[:-1]


def _pending(check: PlannedCheck, is_current: bool) -> list[Line]:
    if is_current:
        return [(Span(fit("  ◌ now", SIGN + 2), "accent"), Span(printable(check.title), "text"))]
    return [(Span(fit("  ○", SIGN + 2), "faint"), Span(printable(check.title), "faint"))]


def _result(result: CheckResult, width: int, before: CheckResult | None) -> list[Line]:
    """The title with the evidence beside it, or under it where there is no room, and what belongs to it below.

    What was not applicable for the same reason as the one before need not be read twice.
    """
    same = before is not None and (before.outcome, before.evidence) == (result.outcome, result.evidence)
    if same and result.outcome is CheckOutcome.NOT_APPLICABLE:
        result = replace(result, evidence="as above")
    beside, calm = width >= WIDE, result.outcome is CheckOutcome.NOT_APPLICABLE
    mark = f"  {result.outcome.mark} {WORDS.get(result.outcome, result.outcome.value)}"
    sign = Span(fit(mark, SIGN + 2), STYLES.get(result.outcome, "faint"))
    margin = SIGN + 2 + (TITLE + 2 if beside else 2)
    advice = _cause_and_remedy(result, max(8, width - margin))
    titles = wrap(result.title, TITLE if beside else max(8, width - SIGN - 2))
    left: list[Line] = [
        (Span(" " * (SIGN + 2)) if number else sign, Span(fit(title, TITLE + 2) if beside else title, _calmed(calm)))
        for number, title in enumerate(titles)
    ]
    blank: Line = (Span(" " * margin),)
    if beside:
        lines = [(*one, *other) for one, other in zip_longest(left, advice, fillvalue=())]
        lines[len(left) :] = [(*blank, *line) for line in advice[len(left) :]]
    else:
        lines = [*left, *((*blank, *line) for line in advice)]
    return lines + [(Span(" " * (SIGN + 4)), Span(printable(text), "muted")) for text in result.details]


def _calmed(calm: bool) -> str:
    return "faint" if calm else "text"


def _cause_and_remedy(result: CheckResult, room: int) -> list[Line]:
    """The evidence, the likely cause and what to do, which is loud only where something has to be done."""
    calm = "faint" if result.outcome is CheckOutcome.NOT_APPLICABLE else "muted"
    lines: list[Line] = [(Span(text, calm),) for text in wrap(result.evidence, room)]
    label, style = ("accent", "text") if result.outcome in SICK else ("faint", calm)
    for name, advice, loud in (("likely", result.cause, calm), ("to do", result.remedy, style)):
        for number, text in enumerate(wrap(advice, max(8, room - LABEL)) if advice else []):
            lines.append((Span(fit("" if number else name, LABEL), label), Span(text, loud)))
    return lines


def report(checks: ChecksView) -> str:
    """The checks that ended as text to be pasted."""
    lines = [f"Checks of {checks.run.endpoint}, {units.timestamp(checks.run.started_at)}"]
    for result in checks.results:
        lines.append(f"{result.outcome.mark} {result.outcome}: {result.title}: {result.evidence}")
        if result.remedy:
            lines.append(f"  to do: {result.remedy}")
    return "\n".join(lines)


class ChecksPanel(MovingPanel):
    """Follows the check that is under way until the user scrolls; at the end it follows again."""

    WHEEL = 3
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("checklist")]

    hints = ""
    """What stands in the lower border."""
    _top = 0
    _follows = True
    _started_at = 0.0

    def title(self, view: View) -> str:
        return f"Checks · {view.selected.name} · {view.selected.api}" if view.selected is not None else "Checks"

    def subtitle(self, view: View) -> str:
        return self.hints

    def show(self, view: View) -> None:
        if view.checks is not None and view.checks.run.started_at != self._started_at:
            self._started_at, self._top, self._follows = view.checks.run.started_at, 0, True
        super().show(view)

    def draw(self, view: View, width: int, height: int) -> list[Line]:
        checks = view.checks
        if checks is None:
            return centred([(Span("Not checked yet", "muted"),)], width, height)
        above = head(view, checks, width)
        lines = body(checks, width)
        room = max(0, height - len(above))
        current = checks.current.name if checks.current is not None else ""
        if self._follows and current:
            self._top = max(place for place, (_, name) in enumerate(lines) if name == current) + 2 - room
        self._top = max(0, min(self._top, len(lines) - room))
        return sheet([*above, *(line for line, _ in lines[self._top :])], width, height)

    def action_move(self, lines: int) -> None:
        before, self._follows = self._top, False
        self._top += lines
        self.redraw()
        self._follows = lines > 0 and self._top < before + lines
