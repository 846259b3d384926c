"""All that records say, folded: of the session, of each endpoint, of incidents, and of gwtui itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gwtui.model.check_results import CheckResult, CheckRun
from gwtui.model.enums import Outcome, Trigger
from gwtui.model.incidents import Proof
from gwtui.model.judged import Acknowledged, LogEntry, Usual
from gwtui.model.profile import Profile, Thresholds
from gwtui.model.records import (
    FeedEnded,
    FeedSilent,
    Heartbeat,
    Notice,
    Ping,
    ProfileChanged,
    Record,
    Request,
    RequestStarted,
    SessionStarted,
    StreamAlive,
    StreamRead,
)
from gwtui.monitor.banner import Trouble
from gwtui.monitor.check_runs import CheckRuns
from gwtui.monitor.endpoint_history import History
from gwtui.monitor.event_log import EventLog, PastEvents, is_edge
from gwtui.monitor.kept_results import MOST, keep_within
from gwtui.monitor.series import Changes, LookedAt
from gwtui.stats.time_buckets import TimeBuckets

LINES = 20_000
"""The number of stream lines kept over all endpoints."""
_STEADY_S = 0.05
"""By how much the wall clock may drift from the monotonic one until that is noted."""


class KnownSession:
    """Takes the records of one session. It reads no clock: now is the newest stamp of any record."""

    def __init__(self, session: SessionStarted) -> None:
        self.session = session
        self.now_ns = session.now_ns
        self._wall = (session.started_at, session.now_ns)
        self._offset_s = Changes(session.started_at - session.now_ns / 1e9)
        self.profile = Profile()
        self._thresholds: Changes[dict[str, Thresholds]] = Changes({})
        self.histories: dict[str, History] = {}
        self._gone: dict[str, History] = {}
        """Those of removed endpoints, which may be brought back."""
        self.counts = TimeBuckets()
        """Results of all endpoints, by `Outcome`: failed or not."""
        self.trouble = Trouble()
        self.notice = ""
        self.check_runs = CheckRuns()
        self.trial: Request | Ping | None = None
        self._trials: set[tuple[str, int]] = set()
        self.events = EventLog()
        self.past_events = PastEvents()
        self._new_lines = self._new_results = 0
        self._handlers: dict[type[Any], Callable[[Any], None]] = {
            SessionStarted: self._begin,
            StreamRead: self._read,
            StreamAlive: self._alive,
            RequestStarted: self._started,
            Request: self._ended,
            Ping: self._ended,
            Heartbeat: self._beat,
            LogEntry: self._logged,
            Usual: self._learn,
            Acknowledged: self._acknowledged,
            Notice: self._notice_given,
            CheckRun: self._checks_reported,
            CheckResult: self._checked,
            ProfileChanged: self._begin,
            FeedSilent: self._silent,
            FeedEnded: self._end,
        }
        self._adopt(session.profile)

    def apply(self, record: Record) -> None:
        """Take a record in. One that belongs to no endpoint of the profile is left out."""
        if not isinstance(record, FeedEnded):
            self.now_ns = max(self.now_ns, record.now_ns)
        self.trouble.hear(None)
        self._handlers[type(record)](record)
        incident = self.events.apply(record)
        if incident is not None and isinstance(record, Request | Ping):
            self.past_events.fail(incident, Proof(record.endpoint, record.number, record.trace_id, record.vantage))

    def histories_at(self, moment: LookedAt) -> dict[str, History]:
        """Those of the endpoints that there were at that moment, in the order of its profile."""
        if moment.is_now:
            return self.histories
        known = self._gone | self.histories
        return {name: known[name] for name in self._thresholds.at(moment.ns) if name in known}

    @property
    def all_histories(self) -> list[History]:
        """Those of removed endpoints too."""
        return [*self.histories.values(), *self._gone.values()]

    def cut(self, at_ns: int) -> None:
        """Keep what there is up to that moment apart from what is still to come."""
        self.counts.cut(at_ns)
        for history in self.histories.values():
            history.figures.cut(at_ns)

    def _split(self, at_ns: int) -> None:
        """Keep that moment, to which a key leads, exact."""
        self.counts.split(at_ns)
        for history in self.histories.values():
            history.figures.split(at_ns)

    def wall_at(self, moment: LookedAt) -> float:
        """The wall time of a moment."""
        if moment.is_now:
            at, at_ns = self._wall
            return at + (moment.ns - at_ns) / 1e9
        return self._offset_s.at(moment.ns) + moment.ns / 1e9

    def thresholds_at(self, endpoint: str, moment: LookedAt) -> Thresholds:
        """What judged the endpoint at that moment."""
        then = self._thresholds.now if moment.is_now else self._thresholds.at(moment.ns)
        return then.get(endpoint) or self._thresholds.now.get(endpoint, Thresholds())

    def _begin(self, told: SessionStarted | ProfileChanged) -> None:
        self._adopt(told.profile)

    def _adopt(self, profile: Profile) -> None:
        self.profile = profile
        kept = self._gone | self.histories
        self.histories = {}
        for endpoint in profile.endpoints:
            history = kept.get(endpoint.name)
            if history is None or not history.continues_as(endpoint):
                history = History(endpoint, self.session.now_ns)
            self.histories[endpoint.name] = history
        self._thresholds.set(self.now_ns, {each.name: profile.thresholds_of(each) for each in profile.endpoints})
        self._gone = {name: history for name, history in kept.items() if name not in self.histories}
        for history in self._gone.values():
            history.rest(self.now_ns)
        self.check_runs.keep(self.histories)

    def _started(self, started: RequestStarted) -> None:
        if started.trigger is Trigger.TRIAL:
            self._trials.add((started.endpoint, started.number))
        elif (history := self.histories.get(started.endpoint)) is not None:
            history.stream_store.start(started)
            history.touch()

    def _read(self, read: StreamRead) -> None:
        history = self.histories.get(read.endpoint)
        if history is None or (read.endpoint, read.number) in self._trials:
            return
        history.stream_store.read(read)
        self._new_lines += len(read.events)
        if self._new_lines >= LINES // 20:
            self._new_lines = 0
            self._forget_lines()

    def _alive(self, alive: StreamAlive) -> None:
        if (history := self.histories.get(alive.endpoint)) is not None:
            history.stream_store.alive(alive)

    def _forget_lines(self) -> None:
        """Keep within the lines that may be kept; the endpoint with the most gives first."""
        held = {history.stream_store: history.stream_store.lines for history in self.histories.values()}
        while sum(held.values()) > LINES:
            fullest = max(held, key=lambda stream_store: held[stream_store])
            if fullest.forget_lines():
                held[fullest] = fullest.lines
            else:
                del held[fullest]

    def _ended(self, result: Request | Ping) -> None:
        if result.trigger is Trigger.TRIAL:
            self._trials.discard((result.endpoint, result.number))
            self.trial = result
        elif (history := self.histories.get(result.endpoint)) is not None:
            history.add(result)
            self.counts.add(result.now_ns, Outcome.FAILED if result.outcome is Outcome.FAILED else Outcome.OK, 0)
            self._new_results += 1
            if self._new_results >= MOST // 100:
                self._new_results = 0
                keep_within(MOST, [each.kept_results for each in self.all_histories])

    def _beat(self, beat: Heartbeat) -> None:
        self._wall = (beat.at, beat.now_ns)
        offset_s = beat.at - beat.now_ns / 1e9
        if abs(offset_s - self._offset_s.now) > _STEADY_S:
            self._offset_s.set(beat.now_ns, offset_s)
        self.trouble.beat(beat)
        for history in self.histories.values():
            history.beat(beat)

    def _logged(self, entry: LogEntry) -> None:
        self.past_events.add(entry)
        if is_edge(entry):
            self._split(entry.now_ns)
        history = self.histories.get(entry.endpoint)
        if history is None or entry.vantage:
            return
        if entry.number is not None:
            history.stream_store.keep(entry.number)
        if entry.kind == "state" and entry.state is not None:
            history.enter(entry.now_ns, entry.state, entry.was, entry.text)

    def _learn(self, usual: Usual) -> None:
        history = self.histories.get(usual.endpoint)
        if history is not None and not usual.vantage:
            history.learn(usual)

    def _acknowledged(self, record: Acknowledged) -> None:
        """The incident's own event says it."""

    def _notice_given(self, notice: Notice) -> None:
        self.notice = notice.text

    def _checks_reported(self, run: CheckRun) -> None:
        self.check_runs.follow(run)

    def _checked(self, result: CheckResult) -> None:
        self.check_runs.add(result)

    def _silent(self, silence: FeedSilent) -> None:
        self.trouble.hear(silence)

    def _end(self, end: FeedEnded) -> None:
        self.trouble.end(end)
