"""The time strip: a whole session in one row. Made by the monitor, drawn under the header and in reports."""

from __future__ import annotations

from dataclasses import dataclass

from gwtui.model.enums import State


@dataclass(frozen=True, slots=True)
class StripCell:
    """A bucket of the time strip."""

    state: State | None = None
    """The worst state of any endpoint in it; None where nothing was measured."""
    marks: int = 0
    """The user's marks in it."""


@dataclass(frozen=True, slots=True)
class Strip:
    """The whole session as a row of buckets, oldest first."""

    start_ns: int
    """Where the first bucket begins."""
    bucket_ns: int
    cells: tuple[StripCell, ...]
    edges_ns: tuple[int, ...] = ()
    """When incidents opened and closed, in order."""
    wall: tuple[float, int] = (0.0, 0)
    """A wall time and the stamp that belongs to it, to write clocks with."""

    def index(self, at_ns: int) -> int:
        """The bucket of that moment, within the strip."""
        return max(0, min((at_ns - self.start_ns) // self.bucket_ns, len(self.cells) - 1))

    def moment(self, index: int) -> int | None:
        """The last moment of that bucket; None: it is the newest one, which goes on."""
        return None if index >= len(self.cells) - 1 else self.start_ns + (max(index, 0) + 1) * self.bucket_ns - 1

    def edge(self, at_ns: int, step: int) -> int | None:
        """The edge of an incident next after that moment, or for -1 next before it: the start where no edge is before
        it, and None where it is the last."""
        if step > 0:
            return next((edge for edge in self.edges_ns if edge > at_ns), None)
        return next((edge for edge in reversed(self.edges_ns) if edge < at_ns), self.start_ns)

    def clock(self, at_ns: int) -> float:
        """The wall time of a stamp."""
        wall, stamp_ns = self.wall
        return wall + (at_ns - stamp_ns) / 1e9
