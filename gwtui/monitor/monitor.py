"""The monitor folds records into what is known, and gives frozen pictures of it: the only mutable state of a front end.

It reads no clock: now is the newest stamp of any record. Everything it keeps is bounded, so days of watching cost no
more memory than the first hour.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

from gwtui.model.check_results import CheckResult, CheckRun
from gwtui.model.enums import Outcome, State, Trigger
from gwtui.model.judged import Acknowledged, LogEntry, Usual
from gwtui.model.profile import Profile
from gwtui.model.query import Query
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
from gwtui.model.stream_view import StreamView
from gwtui.model.view import EndpointRow, Header, PingView, View
from gwtui.monitor.banner import Trouble
from gwtui.monitor.check_runs import CheckRuns
from gwtui.monitor.endpoint_history import History
from gwtui.monitor.event_log import EventLog
from gwtui.monitor.filters import FilterError, Subject, parse
from gwtui.monitor.kept_results import MOST, keep_within
from gwtui.monitor.latency_chart import limit_ns, spans_of
from gwtui.monitor.table_rows import Groups, ordered, unknown
from gwtui.stats.comparison import ComparedSeries
from gwtui.text.sanitize import MAX_PATH, clean

LINES = 20_000
"""The number of stream lines kept over all endpoints."""


class Monitor:
    """`apply` every record of a feed; take a `view` whenever one is wanted."""

    def __init__(self) -> None:
        self._version = 0
        self._now_ns = 0
        self._picture: tuple[object, View] | None = None
        self._pictures = 0
        self._begin(SessionStarted(started_at=0.0, now_ns=0, profile=Profile()))
        self._handlers: dict[type[Any], Callable[[Any], None]] = {
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
            ProfileChanged: self._follow,
            SessionStarted: self._begin,
            FeedSilent: self._silent,
            FeedEnded: self._end,
        }

    @property
    def version(self) -> int:
        """Changes with every record."""
        return self._version

    @property
    def now_ns(self) -> int:
        """The newest stamp of any record."""
        return self._now_ns

    def kept_rows(self) -> tuple[tuple[Request | Ping | LogEntry, float], ...]:
        """The results that are kept in full and the newest entries of the log, with their wall times; oldest first."""
        wall, stamp_ns = self._wall
        results = (result for history in self._histories.values() for result in history.stream_store.results())
        rows = sorted((*results, *self._events.entries), key=lambda row: row.now_ns)
        return tuple((row, wall + (row.now_ns - stamp_ns) / 1e9) for row in rows)

    @property
    def banner(self) -> str:
        """Trouble of our own, as in the header."""
        return self._trouble.banner()

    def apply(self, record: Record) -> None:
        """Take a record in. One that belongs to no endpoint of the profile is left out."""
        self._version += 1
        if not isinstance(record, FeedEnded):
            self._now_ns = max(self._now_ns, record.now_ns)
        self._trouble.hear(None)
        self._handlers[type(record)](record)
        self._events.apply(record)

    def _begin(self, session: SessionStarted) -> None:
        """A session starts from nothing: numbers of two sessions are never mixed."""
        self._now_ns = session.now_ns
        self._session = session
        self._wall = (session.started_at, session.now_ns)
        self._profile = Profile()
        self._histories: dict[str, History] = {}
        self._requests = 0
        self._failed = 0
        self._trouble = Trouble()
        self._notice = ""
        self._check_runs = CheckRuns()
        self._trial: Request | Ping | None = None
        self._trials: set[tuple[str, int]] = set()
        self._events = EventLog()
        self._groups = Groups()
        self._new_lines = self._new_results = 0
        self._adopt(session.profile)

    def _follow(self, changed: ProfileChanged) -> None:
        self._adopt(changed.profile)

    def _adopt(self, profile: Profile) -> None:
        self._profile = profile
        kept = self._histories
        self._histories = {}
        for endpoint in profile.endpoints:
            history = kept.get(endpoint.name)
            if history is None or not history.continues_as(endpoint):
                history = History(endpoint, self._session.now_ns)
            self._histories[endpoint.name] = history
        self._check_runs.keep(self._histories)

    def _started(self, started: RequestStarted) -> None:
        if started.trigger is Trigger.TRIAL:
            self._trials.add((started.endpoint, started.number))
        elif (history := self._histories.get(started.endpoint)) is not None:
            history.stream_store.start(started)
            history.touch()

    def _read(self, read: StreamRead) -> None:
        history = self._histories.get(read.endpoint)
        if history is None or (read.endpoint, read.number) in self._trials:
            return
        history.stream_store.read(read)
        self._new_lines += len(read.events)
        if self._new_lines >= LINES // 20:
            self._new_lines = 0
            self._forget_lines()

    def _alive(self, alive: StreamAlive) -> None:
        if (history := self._histories.get(alive.endpoint)) is not None:
            history.stream_store.alive(alive)

    def _forget_lines(self) -> None:
        """Keep within the lines that may be kept; the endpoint with the most gives first."""
        held = {history.stream_store: history.stream_store.lines for history in self._histories.values()}
        while sum(held.values()) > LINES:
            fullest = max(held, key=lambda stream_store: held[stream_store])
            if fullest.forget_lines():
                held[fullest] = fullest.lines
            else:
                del held[fullest]

    def _ended(self, result: Request | Ping) -> None:
        if result.trigger is Trigger.TRIAL:
            self._trials.discard((result.endpoint, result.number))
            self._trial = result
        elif (history := self._histories.get(result.endpoint)) is not None:
            history.add(result)
            self._requests += 1
            self._failed += result.outcome is Outcome.FAILED
            self._new_results += 1
            if self._new_results >= MOST // 100:
                self._new_results = 0
                keep_within(MOST, [each.kept_results for each in self._histories.values()])

    def _beat(self, beat: Heartbeat) -> None:
        self._wall = (beat.at, beat.now_ns)
        self._trouble.beat(beat)
        for history in self._histories.values():
            history.beat(beat)

    def _logged(self, entry: LogEntry) -> None:
        history = self._histories.get(entry.endpoint)
        if history is None:
            return
        if entry.number is not None:
            history.stream_store.keep(entry.number)
        if entry.kind == "state" and entry.state is not None:
            history.enter(entry.state, entry.was, entry.text)

    def _learn(self, usual: Usual) -> None:
        history = self._histories.get(usual.endpoint)
        if history is not None and not usual.vantage:
            history.learn(usual)

    def _acknowledged(self, record: Acknowledged) -> None:
        """The incident's own event says it."""

    def _notice_given(self, notice: Notice) -> None:
        self._notice = notice.text

    def _checks_reported(self, run: CheckRun) -> None:
        self._check_runs.follow(run)

    def _checked(self, result: CheckResult) -> None:
        self._check_runs.add(result)

    def _silent(self, silence: FeedSilent) -> None:
        self._trouble.hear(silence)

    def _end(self, end: FeedEnded) -> None:
        self._trouble.end(end)

    def recall(self, result: Request, reads: Iterable[StreamRead]) -> None:
        """Show a probe of this session with its events again. It counts nowhere."""
        history = self._histories.get(result.endpoint)
        if history is not None:
            history.stream_store.recall(result, reads)
            self._version += 1

    def view(self, query: Query, columns: int = 60, *, final: bool = False) -> View:
        """The picture of now. `columns`: how many shares of the window the latency and ping panels get.

        States are unknown while measuring has stopped; `final`: a summary, with the last known states.
        With nothing new, the same picture again. An invalid filter hides nothing, and the notice says why.
        """
        key = (self._version, query, columns, final)
        if self._picture is None or self._picture[0] != key:
            self._pictures += 1
            view = self._view(query, max(columns, 1))
            self._picture = (key, view if final or not self._trouble.silent else unknown(view))
        return self._picture[1]

    def samples(self) -> tuple[ComparedSeries, ...]:
        """The recent measurements of every endpoint, to be compared; in the profile's order, whatever the filter."""
        return tuple(history.samples(self._now_ns) for history in self._histories.values())

    def _view(self, query: Query, columns: int) -> View:
        rows, notice = self._rows(query)
        selected = self._select(query, rows)
        latency = stream = None
        if selected is not None:
            lines = selected.latency(query.window, query.metric, self._now_ns, columns)
            limited = limit_ns(self._profile.thresholds_of(selected.endpoint), selected.form, lines.metric)
            latency = replace(lines, limit_ns=limited, spans=spans_of(lines, self._events, self._wall))
            stream = self._stream(selected, query)
        return View(
            query=query,
            header=self._header(query),
            endpoints=tuple(rows),
            hidden=len(self._histories) - len(rows),
            selected=None if selected is None else selected.endpoint,
            stream=stream,
            latency=latency,
            ping=self._pings(selected, query, columns),
            log=self._events.entries,
            recent=() if selected is None else selected.recent(query.metric),
            trial=self._trial,
            notice=notice,
            version=self._pictures,
            probed=self._probed(selected, query),
            checks=None if selected is None else self._check_runs.view(selected.endpoint.name),
            incidents=self._events.incidents,
            fleet=self._profile.endpoints,
            sentence=self._sentence(),
            rows=self._groups.rows(rows, self._profile.endpoints, query),
            now_ns=self._now_ns,
        )

    def _sentence(self) -> str:
        states = {name: history.state for name, history in self._histories.items()}
        return self._events.sentence(states, self._profile.endpoints, self._at())

    def _at(self) -> float:
        """The wall time of now."""
        at, at_ns = self._wall
        return at + (self._now_ns - at_ns) / 1e9

    def _rows(self, query: Query) -> tuple[list[EndpointRow], str]:
        """The rows to show in their order, and the notice."""
        notice, now_ns, window = self._notice, self._now_ns, query.window
        try:
            shows = parse(query.filter)
        except FilterError as error:
            shows, notice = parse(""), str(error)
        rows = []
        for history in self._histories.values():
            row = history.row(window, query.metric, now_ns)
            median = partial(history.median, window=window, now_ns=now_ns)
            if shows(Subject(row, history.model, median)):
                rows.append(row)
        return ordered(rows, query.sort, descending=query.descending), notice

    def _select(self, query: Query, rows: list[EndpointRow]) -> History | None:
        """The chosen endpoint while it is to be seen, else the first that is, else the first there is."""
        names = [row.name for row in rows]
        for name in (query.endpoint if query.endpoint in names else None, *names, query.endpoint, *self._histories):
            if name in self._histories:
                return self._histories[name]
        return None

    def _stream(self, selected: History, query: Query) -> StreamView | None:
        if selected.is_websocket:
            return None
        stream, newest = selected.stream_store.find(_chosen(selected, query))
        if stream is None:
            return None
        waiting = selected.stream_store.waiting() if newest else None
        return stream.view(self._now_ns, newest=newest, waiting=waiting, asked=selected.models_asked)

    def _probed(self, selected: History | None, query: Query) -> Ping | None:
        if selected is None or not selected.is_websocket:
            return None
        number = _chosen(selected, query)
        pings = [result for result in selected.stream_store.results() if isinstance(result, Ping)]
        return next((ping for ping in pings if ping.number == number), pings[0] if pings else None)

    def _pings(self, selected: History | None, query: Query, columns: int) -> PingView | None:
        of = selected
        if of is None or not of.is_websocket:
            of = next((history for history in self._histories.values() if history.is_websocket), None)
        return None if of is None else of.pings(query.window, self._now_ns, columns)

    def _header(self, query: Query) -> Header:
        states = Counter(history.state for history in self._histories.values())
        return Header(
            profile=self._profile.name,
            at=self._at(),
            elapsed_ns=self._now_ns - self._session.now_ns,
            states=tuple((state, states[state]) for state in State if states[state]),
            requests=self._requests,
            failed=self._failed,
            banner=self._trouble.banner(utc=query.utc),
            ended=self._trouble.ended,
            silent=self._trouble.silent,
            session_dir=clean(self._session.session_dir or "", MAX_PATH),
            unwritten=self._trouble.unwritten,
            rows_lost=self._trouble.rows_lost,
            use_proxies=self._profile.use_proxies,
        )


def _chosen(selected: History, query: Query) -> int | None:
    """The number of the chosen probe, unless it was chosen while another endpoint was selected."""
    return query.request if query.endpoint in (None, selected.endpoint.name) else None
