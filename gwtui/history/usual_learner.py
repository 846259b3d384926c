"""What one endpoint teaches of itself in a session. Pure.

A result teaches what is usual once `HELD_BACK` newer ones have come: by then it would be known if it had been the
beginning of an incident. What comes within an incident is kept apart, in case it is accepted as a lasting change.
"""

from __future__ import annotations

from collections import deque

from gwtui.history.batch import Episode, HourSums, Lesson, Sequence
from gwtui.history.identity import EndpointIdentity
from gwtui.history.usual import LEAST_OF_SESSION, Past, better
from gwtui.model.enums import BAD, State
from gwtui.model.judged import LogEntry
from gwtui.model.metrics import Metric
from gwtui.model.usual import UsualLatency

HELD_BACK = 10
"""The number of newest results that do not teach yet."""
SLACK_S = 0.01
"""Wall times of the same moment differ by no more: the clock is adjusted while a session runs."""


class UsualLearner:
    """Takes the results and states of one endpoint, as probed from one place."""

    def __init__(self, identity: EndpointIdentity) -> None:
        self.identity = identity
        self.past = Past()
        """What the history says."""
        self.session = LearnedSums()
        self.next_n = LEAST_OF_SESSION
        """With this number of good results the session knows better."""
        self.episode: Episode | None = None
        """The incident that it is in."""
        self.state = State.UNKNOWN
        self._known = 0
        """Latencies of which the session has enough values: those in doubt teach nothing, so some come later."""
        self._recent: deque[Lesson] = deque()
        self._changed = LearnedSums()
        """What came since the incident began."""

    def take(self, lesson: Lesson) -> None:
        """Learn from a result."""
        if self.episode is not None:
            lesson.teaches = False
            self._changed.add(lesson)
            return
        self._recent.append(lesson)
        known = self.session.good + sum(each.is_good for each in self._recent)
        held_back = 0 if self.next_n == LEAST_OF_SESSION <= known else HELD_BACK
        while len(self._recent) > held_back:
            self.session.add(self._recent.popleft())

    def enter(self, entry: LogEntry) -> Episode | None:
        """Take a new state; gives the incident that has ended by it."""
        self.state = entry.state or State.UNKNOWN
        if self.state not in BAD:
            return self.leave()
        if self.episode is None:
            self._begin(entry)
        elif BAD.index(self.state) > BAD.index(State(self.episode.state)):
            self.episode = Episode(
                self.identity, self.episode.began, entry.at, True, self.state.value, self.episode.text
            )
        return None

    def leave(self) -> Episode | None:
        """Be well again; gives the incident that has ended by it."""
        ended, self.episode, self._changed = self.episode, None, LearnedSums()
        return ended

    def _begin(self, entry: LogEntry) -> None:
        since = entry.at if entry.since is None else min(entry.since, entry.at)
        self.episode = Episode(self.identity, since, entry.at, True, self.state.value, entry.text)
        while self._recent and self._recent[0].at < since - SLACK_S:
            self.session.add(self._recent.popleft())
        for lesson in self._recent:
            lesson.teaches = False
            self._changed.add(lesson)
        self._recent.clear()

    def grown(self) -> bool:
        """Whether the session knows much more than before, or a latency for the first time; asked once after each
        result."""
        known = sum(sums.n >= LEAST_OF_SESSION for sums in self.session.sums.latencies.values())
        news, self._known = known > self._known, known
        if self.session.good < self.next_n:
            return news
        while self.next_n <= self.session.good:
            self.next_n *= 2
        return True

    @property
    def has_changed(self) -> bool:
        """Whether what came since the incident began is enough to be what is usual."""
        return self._changed.good >= LEAST_OF_SESSION

    def begin_anew(self) -> None:
        """Let what came since the incident began be what is usual, and nothing from before."""
        self.past = Past()
        self.session, self._changed = self._changed, LearnedSums()
        self._recent.clear()
        self.next_n = LEAST_OF_SESSION
        self._known = 0
        self.grown()

    def latencies(self, metrics: tuple[Metric, ...]) -> dict[Metric, UsualLatency]:
        """What is usual now, where enough is known."""
        found = {metric: better(self.past.latencies.get(metric), self.session.sums.of(metric)) for metric in metrics}
        return {metric: usual for metric, usual in found.items() if usual is not None}

    def share(self) -> tuple[int, int]:
        """How many results were good and how many failed, as is usual; 0 and 0 where that is not known."""
        if self.past.good + self.past.failed:
            return self.past.good, self.past.failed
        good, failed = self.session.good, self.session.failed
        return (good, failed) if good + failed >= LEAST_OF_SESSION else (0, 0)


class LearnedSums:
    """The sums of what results taught."""

    def __init__(self) -> None:
        self.sums = HourSums()
        self.good = 0
        self.failed = 0
        self._sequence = Sequence()

    def add(self, lesson: Lesson) -> None:
        self._sequence.add(lesson, self.sums)
        if lesson.is_good:
            self.good += 1
        else:
            self.failed += 1
