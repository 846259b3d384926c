"""How often each of a few words came, over every window at once: verdicts, names of findings.

Time is cut into the same slots as that of `Series`, so that the counts of a window are of the same results.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from gwtui.model.view import Counts, Window
from gwtui.monitor.series import SECOND_NS, SLOTS


class WordCounts:
    """The counts of one endpoint."""

    def __init__(self) -> None:
        self._all: Counter[str] = Counter()
        self._recent = {window: _Recent((window.seconds or 0) * SECOND_NS, slots) for window, slots in SLOTS.items()}

    def add(self, now_ns: int, words: Iterable[str]) -> None:
        """Count each of the words once."""
        for word in words:
            self._all[word] += 1
            for recent in self._recent.values():
                recent.add(now_ns, word)

    def counts(self, window: Window, now_ns: int) -> Counts:
        """The words of the window, the most frequent first."""
        counted = self._all if window is Window.ALL else self._recent[window].counts(now_ns)
        return tuple(sorted(counted.items(), key=lambda pair: (-pair[1], pair[0])))


class _Recent:
    """The last `window_ns`, to the precision of one of its `slots`."""

    def __init__(self, window_ns: int, slots: int) -> None:
        self._width = window_ns // slots
        self._limit = slots
        self._newest = -1
        self._slots: dict[int, Counter[str]] = {}
        self._sum: Counter[str] = Counter()

    def add(self, now_ns: int, word: str) -> None:
        self._advance(now_ns)
        index = now_ns // self._width
        if index > self._newest - self._limit:
            self._slots.setdefault(index, Counter())[word] += 1
            self._sum[word] += 1

    def counts(self, now_ns: int) -> Counter[str]:
        self._advance(now_ns)
        return self._sum

    def _advance(self, now_ns: int) -> None:
        index = now_ns // self._width
        if index <= self._newest:
            return
        self._newest = index
        for gone in [at for at in self._slots if at <= index - self._limit]:
            self._sum -= self._slots.pop(gone)
