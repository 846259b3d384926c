"""Which usual is in force for each endpoint, and what a session has to add to the history. Pure.

Records go in, in their order, those that judging makes included; `Usual` records come out, at the start, when enough is
learnt, with each hour, and when a change is accepted. While an endpoint is sick what is usual for it stays as it was.
Time is what the records say it is.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from gwtui.apis import kind_of
from gwtui.history.batch import Batch, HourKey, Lesson, Sequence
from gwtui.history.identity import EndpointIdentity, identity_of
from gwtui.history.usual import Acceptance, Past, hour_of
from gwtui.history.usual_learner import UsualLearner
from gwtui.model.conversation import is_between
from gwtui.model.durations import seconds_of
from gwtui.model.enums import Outcome, State, Trigger
from gwtui.model.judged import ACCEPTED, RELEARNT, LogEntry, ProbedEndpoint, Usual
from gwtui.model.metrics import COMPARED, UNRANKED, Metric, form_of, watched_metrics
from gwtui.model.profile import Endpoint, Profile
from gwtui.model.records import Heartbeat, Ping, ProfileChanged, Record, Request, SessionStarted
from gwtui.stats.accuracy import sure
from gwtui.text.units import duration

LEARNT, START, ANOTHER_HOUR, RECOVERED = "learnt", "start", "another hour", "recovered"
DAY_S = 86_400
KEPT = tuple(metric for metric in COMPARED if metric.about.rank < UNRANKED)
"""Latencies that the history keeps beside those that are watched: what tells most in a comparison."""


class UsualTracker:
    """Follows a session, and all places of it."""

    def __init__(self, *, remembers: bool = True) -> None:
        """`remembers`: there is a history, to which `taken` batches are added."""
        self._remembers = remembers
        self._profile = Profile()
        self._learners: dict[ProbedEndpoint, UsualLearner] = {}
        self._told: dict[ProbedEndpoint, Usual] = {}
        self._due: dict[ProbedEndpoint, str] = {}
        """Endpoints of which the usual has changed while they were sick, and why."""
        self._lessons: list[tuple[ProbedEndpoint, Lesson]] = []
        self._sequences: dict[tuple[EndpointIdentity, bool], Sequence] = {}
        self._batch = Batch()
        self.now_ns = 0
        """The stamp of the newest record."""
        self._wall_offset_s = 0.0

    @property
    def now(self) -> float:
        """The wall time of the newest record."""
        return self._wall_offset_s + self.now_ns / 1e9

    @property
    def identities(self) -> dict[ProbedEndpoint, EndpointIdentity]:
        """What the history may know: the profile's endpoints as probed from here, and from all places heard of."""
        return {key: learner.identity for key, learner in self._learners.items()}

    def apply(self, record: Record) -> tuple[Usual | LogEntry, ...]:
        """Take the next record; gives what has changed of what is usual."""
        match record:
            case SessionStarted():
                self._keep_time(record.now_ns, record.started_at)
                self._follow(record.profile)
            case ProfileChanged():
                self.now_ns = max(self.now_ns, record.now_ns)
                self._follow(record.profile)
            case Heartbeat(vantage=""):
                self._keep_time(record.now_ns, record.at)
            case LogEntry(kind="state"):
                return self._state(record)
            case Request() | Ping():
                self.now_ns = max(self.now_ns, record.now_ns)
                return self._result(record)
            case _:
                pass
        return ()

    def know(self, key: ProbedEndpoint, identity: EndpointIdentity, past: Past) -> tuple[Usual, ...]:
        """Take what the history says of an endpoint in this hour."""
        learner = self._learners.get(key)
        if learner is None or learner.identity != identity:
            return ()
        learner.past = past
        return self._tell(key, ANOTHER_HOUR if key in self._told else START)

    def accept(
        self, key: ProbedEndpoint, acceptance: Acceptance | None = None, why: str = ACCEPTED
    ) -> tuple[Usual | LogEntry, ...]:
        """Let what has changed be what is usual from now on; what was learnt before counts no more.

        `acceptance`: as it is in the history already. Without it, or where the change began earlier than it says, it
        will be in the next batch.
        """
        learner = self._learners.get(key)
        if learner is None:
            return ()
        before = self._told.get(key)
        since = learner.episode.began if learner.episode is not None else self.now
        if acceptance is None or since < acceptance.since:  # only this session knows when its incident began
            at = self.now if acceptance is None else acceptance.at
            self._batch.accepted[learner.identity] = Acceptance(since, at)
        learner.begin_anew()
        usual = self._usual(key, why)
        self._told[key] = usual
        self._due.pop(key, None)
        entry = LogEntry(
            at=self.now,
            now_ns=self.now_ns,
            kind="engine",
            endpoint=key[1],
            vantage=key[0],
            text=_change(before, usual),
        )
        return entry, usual

    def taken(self) -> Batch:
        """What came since it was taken last."""
        for key, lesson in self._lessons:
            if key in self._learners:
                self._count(self._learners[key].identity, lesson)
        self._lessons.clear()
        for learner in self._learners.values():
            if learner.episode is not None:
                learner.episode = replace(learner.episode, until=self.now)
                self._batch.tell(learner.episode)
        batch, self._batch = self._batch, Batch()
        return batch

    def ended(self) -> Batch:
        """The same at the end of the session: no incident goes on here."""
        batch = self.taken()
        for episode in list(batch.episodes.values()):
            batch.tell(replace(episode, goes_on=False))
        return batch

    def _count(self, identity: EndpointIdentity, lesson: Lesson) -> None:
        sequence = self._sequences.setdefault((identity, lesson.teaches), Sequence())
        sequence.add(lesson, self._batch.at(HourKey(identity, hour_of(lesson.at), lesson.teaches)))

    def _keep_time(self, now_ns: int, at: float) -> None:
        self.now_ns = max(self.now_ns, now_ns)
        self._wall_offset_s = at - now_ns / 1e9

    def _follow(self, profile: Profile) -> None:
        """Keep what was learnt of the endpoints that are the same as before."""
        self._batch = self.taken()
        judged_before, self._profile = self._profile, profile
        before, self._learners = self._learners, {}
        names = {endpoint.name: endpoint for endpoint in profile.endpoints}
        for vantage, name in {**dict.fromkeys(("", name) for name in names), **dict.fromkeys(before)}:
            if name in names:
                self._open((vantage, name), names[name], before.get((vantage, name)))
        for key, learner in before.items():
            if learner is not self._learners.get(key):
                self._told.pop(key, None)
                self._due.pop(key, None)
            if learner.episode is not None and not _is_judged_alike(key[1], judged_before, profile):
                self._batch.tell(replace(learner.episode, goes_on=False))
                learner.leave()

    def _open(self, key: ProbedEndpoint, endpoint: Endpoint, known: UsualLearner | None) -> UsualLearner:
        identity = identity_of(self._profile.name, endpoint, key[0])
        learner = known if known is not None and known.identity == identity else UsualLearner(identity)
        self._learners[key] = learner
        return learner

    def _state(self, entry: LogEntry) -> tuple[Usual, ...]:
        key = (entry.vantage, entry.endpoint)
        learner = self._learners.get(key)
        if learner is None:
            return ()
        ended = learner.enter(entry)
        if ended is None:
            return ()
        self._batch.tell(replace(ended, until=entry.at, goes_on=False))
        return self._tell(key, self._due.get(key, RECOVERED)) if key in self._due else ()

    def _result(self, result: Request | Ping) -> tuple[Usual | LogEntry, ...]:
        endpoint = self._profile.endpoint(result.endpoint)
        if endpoint is None or not _counts(result):
            return ()
        key = (result.vantage, result.endpoint)
        learner = self._learners.get(key) or self._open(key, endpoint, None)
        lesson = self._lesson(result, endpoint)
        learner.take(lesson)
        if self._remembers:
            self._lessons.append((key, lesson))
        if learner.episode is not None:
            return self.accept(key, why=RELEARNT) if self._is_lasting(learner, endpoint) else ()
        return self._tell(key, LEARNT) if learner.grown() else ()

    def _lesson(self, result: Request | Ping, endpoint: Endpoint) -> Lesson:
        good = result.outcome is Outcome.OK
        kept = {*_watched(endpoint, self._profile), *KEPT} if good else ()
        values = {metric: sure(result, metric) for metric in Metric if metric in kept}
        latencies = {metric: value for metric, value in values.items() if value is not None}
        at = self._wall_offset_s + result.now_ns / 1e9
        return Lesson(at=at, verdict=result.verdict.value, is_good=good, latencies=latencies, teaches=True)

    def _is_lasting(self, learner: UsualLearner, endpoint: Endpoint) -> bool:
        """Whether it has been slow for so long that this is what is usual. What fails never becomes so by itself."""
        if learner.state is not State.SLOW or learner.episode is None or not learner.has_changed:
            return False
        try:
            after_s = seconds_of(self._profile.thresholds_of(endpoint).relearn_after)
        except ValueError:
            after_s = DAY_S
        return self.now - learner.episode.began >= after_s

    def _tell(self, key: ProbedEndpoint, why: str) -> tuple[Usual, ...]:
        """Tell what is usual where that has changed; later while the endpoint is sick."""
        if self._learners[key].episode is not None:
            self._due[key] = why
            return ()
        self._due.pop(key, None)
        usual, before = self._usual(key, why), self._told.get(key)
        known = before if before is not None else Usual(endpoint="", at=0, now_ns=0)
        if (usual.latencies, usual.good, usual.failed) == (known.latencies, known.good, known.failed):
            return ()
        self._told[key] = usual
        return (usual,)

    def _usual(self, key: ProbedEndpoint, why: str) -> Usual:
        vantage, name = key
        endpoint, learner = self._profile.endpoint(name), self._learners[key]
        watched = _watched(endpoint, self._profile) if endpoint is not None else ()
        good, failed = learner.share()
        return Usual(
            endpoint=name,
            vantage=vantage,
            at=self.now,
            now_ns=self.now_ns,
            latencies=learner.latencies(watched),
            good=good,
            failed=failed,
            why=why,
        )


def _counts(result: Request | Ping) -> bool:
    """Whether it says something of the endpoint as it is usually asked."""
    outcomes = (Outcome.OK, Outcome.FAILED)
    one_by_one = (Trigger.SCHEDULE, Trigger.ASKED)
    return result.trigger in one_by_one and result.outcome in outcomes and not is_between(result)


def _is_judged_alike(name: str, before: Profile, now: Profile) -> bool:
    """Whether a change of the profile leaves the endpoint's state as it is."""

    def judged(profile: Profile) -> Endpoint | None:
        endpoint = profile.endpoint(name)
        return profile.judged(endpoint) if endpoint is not None else None

    return judged(now) is not None and judged(before) == judged(now)


def _watched(endpoint: Endpoint, profile: Profile) -> tuple[Metric, ...]:
    """The latencies that decide whether an endpoint is slow, in the order of tables."""
    usually = watched_metrics(form_of(kind_of(endpoint.api), stream=endpoint.stream))
    watched = {*usually, profile.thresholds_of(endpoint).slow_metric}
    return tuple(metric for metric in Metric if metric in watched)


def _change(before: Usual | None, usual: Usual) -> str:
    """What is usual now, beside what it was, for the log."""
    told = [
        f"p50 {metric.label} {duration(latency.p50_ns)}{_was(before.latencies if before else {}, metric)}"
        for metric, latency in usual.latencies.items()
    ]
    if not told:
        return "what is usual is learnt anew, from the results to come"
    how = "accepted" if usual.why == ACCEPTED else "taken over because it lasts"
    return f"the change is {how}: usual from now on: {', '.join(told)}"


def _was(latencies: Mapping[Metric, object], metric: Metric) -> str:
    before = latencies.get(metric)
    p50_ns = getattr(before, "p50_ns", None)
    return f" (was {duration(p50_ns)})" if p50_ns is not None else ""
