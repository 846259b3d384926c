"""What each model did in a stream of several, event by event as they come. Pure; its memory does not grow.

Events are those of any floor: what a reader made of them, or what a record shows of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from gwtui.model.concurrency import MAX_MODELS, Concurrency, ModelTimeline
from gwtui.model.enums import EventKind
from gwtui.stats.concurrency import analyse

UNNAMED = "no event of it came"
"""The error of a model of which a good stream holds nothing."""
MAX_ORDER = 256
"""The number of first chunks whose order is kept: those of models that fail later do not count."""


class ModelEvent(Protocol):
    """One event of such a stream."""

    @property
    def kind(self) -> EventKind: ...

    @property
    def model(self) -> str:
        """Empty where it belongs to no model."""

    @property
    def note(self) -> str:
        """Of an error its words."""


class _Progress:
    """How far one model is; times in ns since the send."""

    __slots__ = ("chunks", "end_ns", "ended", "error", "first_ns", "start_ns")

    def __init__(self, start_ns: int) -> None:
        self.start_ns = self.end_ns = start_ns
        self.first_ns: int | None = None
        self.chunks = 0
        self.error = ""
        self.ended = False


class ModelTimelines:
    """Follows one stream."""

    def __init__(self) -> None:
        self._models: dict[str, _Progress] = {}
        self._order: list[str] = []

    def add(self, since_sent_ns: int, events: Iterable[ModelEvent]) -> None:
        """Take the events of one read."""
        for event in events:
            if name := event.model:
                self._take(name, event, since_sent_ns)

    def _take(self, name: str, event: ModelEvent, since_sent_ns: int) -> None:
        progress = self._models.get(name)
        if progress is None:
            if len(self._models) >= MAX_MODELS:
                return
            progress = self._models[name] = _Progress(since_sent_ns)
        kind = event.kind
        if kind.is_content:
            progress.chunks += 1
            if progress.first_ns is None:
                progress.first_ns = since_sent_ns
            if len(self._order) < MAX_ORDER:
                self._order.append(name)
        if not progress.ended:
            progress.end_ns = since_sent_ns
        if kind is EventKind.ERROR:
            progress.error = progress.error or event.note.removeprefix(f"{name} failed: ") or "it failed"
        progress.ended = progress.ended or kind in (EventKind.STOP, EventKind.ERROR)

    @property
    def speakers(self) -> int:
        """The number of models with content so far."""
        return sum(progress.chunks > 0 for progress in self._models.values())

    def timelines(self, asked: Sequence[str], silent: str = "", open_: str = "") -> tuple[ModelTimeline, ...]:
        """A timeline for each model that was asked or seen.

        `silent`, `open_`: the errors of one of which nothing came, and of one that has not ended.
        """
        return tuple(self._timeline(name, silent, open_) for name in dict.fromkeys((*asked, *self._models)))

    def _timeline(self, name: str, silent: str, open_: str) -> ModelTimeline:
        progress = self._models.get(name)
        if progress is None:
            return ModelTimeline(model=name, error=silent)
        return ModelTimeline(
            model=name,
            start_ns=progress.start_ns,
            first_ns=progress.first_ns,
            end_ns=progress.end_ns if progress.ended or open_ else None,
            chunks=progress.chunks,
            error=progress.error or ("" if progress.ended else open_),
        )

    def concurrency(self, asked: Sequence[str], silent: str) -> Concurrency:
        """The analysis once the stream is over. `silent`: why nothing came of a model."""
        return analyse(self.timelines(asked, silent, "it did not end"), self._order, one_stream=True)
