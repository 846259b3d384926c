"""The selected endpoint compared with others, over the monitor, from the session's results."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from gwtui.model.view import View
from gwtui.stats.comparison import ComparedSeries, Comparison, compare
from gwtui.ui.actions import parse_burst
from gwtui.ui.keymap import bindings, hints
from gwtui.ui.messages import show_message
from gwtui.ui.panels.compare import ComparePanel, OthersPanel, Picture, sentences
from gwtui.ui.screens.ask import AskScreen

MOST_ROWS = 8
"""Of the list of others, while there is no more room."""
LEAST_PAUSE_S = 2.0
PAUSE_TIMES = 5
"""The pause between two runs, as a multiple of the time that one takes."""


class Throttle:
    """When to compare again: not for nothing, and never for more than a small share of the time.

    `due` says whether to begin; then `began`, and in the end `ended`. Times are seconds of one clock.
    """

    def __init__(self) -> None:
        self._subject: object = None
        self._facts: object = None
        self._began_s: float | None = None
        self._next_s = 0.0

    def due(self, subject: object, facts: object, now_s: float) -> bool:
        """Another subject is due at once, changed facts of the same one when it is time; nothing while work runs."""
        if self._began_s is not None or (subject, facts) == (self._subject, self._facts):
            return False
        return subject != self._subject or now_s >= self._next_s

    def began(self, subject: object, facts: object, now_s: float) -> None:
        self._subject, self._facts, self._began_s = subject, facts, now_s

    def ended(self, now_s: float) -> None:
        if self._began_s is not None:
            self._next_s = now_s + max(LEAST_PAUSE_S, PAUSE_TIMES * (now_s - self._began_s))
        self._began_s = None


class CompareScreen(ModalScreen[None]):
    """`samples` gives what the endpoints have measured by now; `burst` sends requests to several in turns."""

    DEFAULT_CSS = """
    CompareScreen { align: center middle; }
    CompareScreen #page { width: 100%; height: 100%; padding: 1 2; }
    CompareScreen.-narrow #page { padding: 0; }
    CompareScreen Panel { width: 100%; background: $surface; }
    CompareScreen OthersPanel { height: 5; }
    CompareScreen ComparePanel { height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("compare")]

    def __init__(
        self,
        view: View,
        base: str,
        samples: Callable[[], tuple[ComparedSeries, ...]],
        burst: Callable[[tuple[str, ...], str], object],
        act: Callable[[str], object],
    ) -> None:
        super().__init__()
        self.HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]
        self._view = view
        self._samples = samples
        self._burst = burst
        self._act = act
        self._throttle = Throttle()
        self._picture = Picture(ComparedSeries(base, {}, 0))

    def compose(self) -> ComposeResult:
        with Vertical(id="page"):
            yield OthersPanel(id="others")
            yield ComparePanel(id="comparison")

    def on_mount(self) -> None:
        self.query_one(ComparePanel).hints = hints(self, "compare")
        self.query_one(OthersPanel).focus()
        self._take_samples()
        first = _first_to_compare(self._picture, self._view)
        self._picture = replace(self._picture, chosen=frozenset({first} - {""}), cursor=first)
        self.show(self._view)

    def show(self, view: View) -> None:
        self._view = view
        self._take_samples()
        self._compare_if_due()
        self._draw()

    def _take_samples(self) -> None:
        """What is known of everybody by now; who is gone is compared no more."""
        known = {series.name: series for series in self._samples()}
        was = self._picture
        base = known.pop(was.base.name, was.base)
        others = tuple(known.values())
        cursor = was.cursor if was.cursor in known or not others else others[0].name
        self._picture = replace(was, base=base, others=others, chosen=was.chosen & known.keys(), cursor=cursor)

    def _draw(self) -> None:
        others = self.query_one(OthersPanel)
        others.styles.height = max(1, min(len(self._picture.others), self.size.height // 4, MOST_ROWS)) + 2
        others.show_picture(self._view, self._picture)
        self.query_one(ComparePanel).show_picture(self._view, self._picture)

    def on_resize(self) -> None:
        self._draw()

    # Comparing

    def _compare_if_due(self) -> None:
        picture = self._picture
        chosen = [other for other in picture.others if other.name in picture.chosen]
        facts = tuple((series.name, series.ok) for series in (picture.base, *chosen))
        if self._throttle.due(picture.chosen, facts, time.monotonic()):
            self._throttle.began(picture.chosen, facts, time.monotonic())
            kept = tuple(found for found in picture.found if found.second in picture.chosen)
            self._picture = replace(picture, found=kept, working=True)
            self._compare([(picture.base, other) for other in chosen])

    @work(group="compare")
    async def _compare(self, pairs: list[tuple[ComparedSeries, ComparedSeries]]) -> None:
        """In a thread: thousands of resamples take longer than a frame may."""
        found: list[Comparison] = await asyncio.to_thread(compare, pairs)
        self._throttle.ended(time.monotonic())
        self._picture = replace(self._picture, found=tuple(found), working=False)
        self._compare_if_due()
        self._draw()

    # Keys

    @on(OthersPanel.Moved)
    def _move(self, event: OthersPanel.Moved) -> None:
        self._picture = replace(self._picture, cursor=event.name)
        if event.toggle:
            self.action_choose()
        else:
            self._draw()

    def action_choose(self) -> None:
        """Add the endpoint under the cursor, or remove it."""
        if self._picture.cursor:
            self._picture = replace(self._picture, chosen=self._picture.chosen ^ {self._picture.cursor})
            self._compare_if_due()
            self._draw()

    def action_metric(self) -> None:
        self._act("metric(1)")

    def action_copy(self) -> None:
        lines = sentences(self._picture, self._view.query.metric)
        if lines:
            self.app.copy_to_clipboard("\n".join(lines))
        show_message(self.app, "Copied: " + " ".join(lines) if lines else "Nothing is compared yet")

    @work
    async def action_burst(self) -> None:
        names = (self._picture.base.name, *(other.name for other, _ in self._picture.pairs()))
        ask = AskScreen(
            f"Burst to {' and '.join(names)}, in turns", "requests to each, or requests x how many at once", "30",
            parse_burst,
        )  # fmt: skip
        if (answer := await self.app.push_screen_wait(ask)) is not None:
            self._burst(names, answer)

    def action_leave(self) -> None:
        self.dismiss(None)


def _first_to_compare(picture: Picture, view: View) -> str:
    """The first other endpoint of the same kind that has values, or else the first there is."""
    kinds = {row.name: row.kind for row in view.endpoints}
    kind = kinds.get(picture.base.name)
    alike = (other.name for other in picture.others if other.samples and kinds.get(other.name) is kind)
    return next(alike, picture.others[0].name if picture.others else "")
