"""The time strip: the worst state of all endpoints, bucket by bucket, over the whole session."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

from gwtui.model.enums import BAD, State
from gwtui.model.strip import Strip, StripCell
from gwtui.monitor.known_session import KnownSession
from gwtui.monitor.series import LookedAt
from gwtui.stats.time_buckets import SECOND_NS

STRIP_CELLS = 120
_WIDTHS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)
_RANKS = (State.UNKNOWN, State.PAUSED, State.UP, *BAD)
"""The worst last. Nothing was measured where all are unknown."""


class StripMaker:
    """Makes the strip anew only when it has changed."""

    def __init__(self) -> None:
        self._made: tuple[object, Strip] | None = None

    def strip(self, known: KnownSession, most: int) -> Strip:
        """The strip of now, in `most` cells at most; it is the same at every moment."""
        start_ns = known.session.now_ns
        bucket_ns = _width_ns(known.now_ns - start_ns, most)
        cells = (known.now_ns - start_ns) // bucket_ns + 1
        changes = sum(len(history.states) for history in known.all_histories)
        key = (bucket_ns, cells, changes, len(known.past_events), tuple(known.histories))
        if self._made is None or self._made[0] != key:
            self._made = (key, _strip(known, start_ns, bucket_ns, cells))
        return self._made[1]


def _width_ns(passed_ns: int, most: int) -> int:
    passed_s = passed_ns // SECOND_NS
    fits = next((each for each in _WIDTHS_S if passed_s // each < most), 0)
    days = passed_s // (_WIDTHS_S[-1] * most) + 1
    return (fits or _WIDTHS_S[-1] * days) * SECOND_NS


def _strip(known: KnownSession, start_ns: int, bucket_ns: int, count: int) -> Strip:
    marks = sorted(known.past_events.marks_ns())
    histories = known.all_histories
    cells = []
    for begin_ns in range(start_ns, start_ns + count * bucket_ns, bucket_ns):
        end_ns = begin_ns + bucket_ns
        states = (state for each in histories for state, _ in each.states.within(begin_ns, end_ns - 1))
        marked = bisect_left(marks, end_ns) - bisect_left(marks, begin_ns)
        cells.append(StripCell(_worst(states), marked))
    edges = known.past_events.edges_ns()
    return Strip(start_ns, bucket_ns, tuple(cells), edges, (known.wall_at(LookedAt(start_ns, is_now=False)), start_ns))


def _worst(states: Iterable[State]) -> State | None:
    worst = max(map(_RANKS.index, states), default=0)
    return _RANKS[worst] if worst else None
