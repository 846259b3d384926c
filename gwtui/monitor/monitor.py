"""The monitor gives frozen pictures of what records say, of now and of any moment before: the only mutable state of a
front end.

It reads no clock: now is the newest stamp of any record. Everything it keeps is bounded, so days of watching cost
little more memory than the first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial

from gwtui.model.enums import Outcome, State
from gwtui.model.judged import LogEntry
from gwtui.model.profile import Profile
from gwtui.model.query import Query
from gwtui.model.records import Ping, Record, Request, SessionStarted, StreamRead
from gwtui.model.stream_view import StreamView
from gwtui.model.view import EndpointRow, Header, LatencyView, PingView, View
from gwtui.monitor.endpoint_history import History
from gwtui.monitor.endpoint_picture import EndpointPicture
from gwtui.monitor.event_log import EventLog
from gwtui.monitor.filters import FilterError, Subject, parse
from gwtui.monitor.known_session import KnownSession
from gwtui.monitor.latency_chart import limit_ns, spans_of
from gwtui.monitor.series import LookedAt
from gwtui.monitor.table_rows import Groups, ordered, unknown
from gwtui.monitor.time_strip import STRIP_CELLS, StripMaker
from gwtui.stats.comparison import ComparedSeries
from gwtui.text.sanitize import MAX_PATH, clean


class Monitor:
    """`apply` every record of a feed; take a `view` whenever one is wanted."""

    def __init__(self) -> None:
        self._version = 0
        self._pictures = 0
        self._begin(SessionStarted(started_at=0.0, now_ns=0, profile=Profile()))

    def _begin(self, session: SessionStarted) -> None:
        """A session starts from nothing: numbers of two sessions are never mixed."""
        self._known = KnownSession(session)
        self._shown: dict[bool, tuple[object, View]] = {}
        """The latest picture of now, and of another moment: both are wanted in turn."""
        self._of: dict[str, EndpointPicture] = {}
        self._groups = Groups()
        self._strip = StripMaker()
        self._events: tuple[object, EventLog] = (None, EventLog())

    @property
    def version(self) -> int:
        """Changes with every record."""
        return self._version

    @property
    def now_ns(self) -> int:
        """The newest stamp of any record."""
        return self._known.now_ns

    @property
    def banner(self) -> str:
        """Trouble of our own, as in the header."""
        return self._known.trouble.banner()

    def kept_rows(self) -> tuple[tuple[Request | Ping | LogEntry, float], ...]:
        """The results that are kept in full and the newest entries of the log, with their wall times; oldest first."""
        known = self._known
        results = (result for history in known.histories.values() for result in history.stream_store.results())
        rows = sorted((*results, *known.events.entries), key=lambda row: row.now_ns)
        return tuple((row, known.wall_at(LookedAt(row.now_ns, is_now=True))) for row in rows)

    def recall(self, result: Request, reads: Iterable[StreamRead]) -> None:
        """Show a probe of this session with its events again. It counts nowhere."""
        history = self._known.histories.get(result.endpoint)
        if history is not None:
            history.stream_store.recall(result, reads)
            self._version += 1

    def apply(self, record: Record) -> None:
        """Take a record in. One that belongs to no endpoint of the profile is left out."""
        self._version += 1
        if isinstance(record, SessionStarted):
            self._begin(record)
        self._known.apply(record)

    def view(self, query: Query, columns: int = 60, *, final: bool = False, strip: int = STRIP_CELLS) -> View:
        """The picture of now, or of the query's moment within the session. `columns`: how many shares of the window
        the latency and ping panels get; `strip`: how many cells the time strip has at most.

        States of now are unknown while measuring has stopped; `final`: a summary, with the last known states. Trouble
        of our own is always that of now. With nothing new, the same picture again. An invalid filter hides nothing, and
        the notice says why.
        """
        key = (self._version, query, columns, final, strip)
        is_now = query.at_ns is None
        shown = self._shown.get(is_now)
        if shown is None or shown[0] != key:
            self._pictures += 1
            moment = self._moment(query)
            view = self._view(query, moment, max(columns, 1), max(strip, 1))
            is_unknown = is_now and self._known.trouble.silent and not final
            shown = self._shown[is_now] = (key, unknown(view) if is_unknown else view)
        return shown[1]

    def samples(self) -> tuple[ComparedSeries, ...]:
        """The recent measurements of every endpoint, to be compared; in the profile's order, whatever the filter."""
        return tuple(history.samples(self._known.now_ns) for history in self._known.histories.values())

    def _moment(self, query: Query) -> LookedAt:
        known = self._known
        if query.at_ns is None:
            return LookedAt(known.now_ns, is_now=True)
        moment = LookedAt(min(max(query.at_ns, known.session.now_ns), known.now_ns), is_now=False)
        known.cut(moment.ns)
        return moment

    def _view(self, query: Query, moment: LookedAt, columns: int, strip: int) -> View:
        known = self._known
        histories = known.histories_at(moment)
        self._of = {
            name: self._of[name] if name in self._of and self._of[name].history is history else EndpointPicture(history)
            for name, history in histories.items()
        }
        rows, notice = self._rows(query, moment)
        selected = self._select(query, rows)
        events = self._events_at(moment, histories)
        latency = None if selected is None else self._latency(selected, query, moment, columns, events)
        at = known.wall_at(moment)
        states = {name: history.state_at(moment) for name, history in histories.items()}
        endpoints = known.profile.endpoints
        if histories.keys() != known.histories.keys():
            endpoints = tuple(history.endpoint for history in histories.values())
        return View(
            query=query,
            header=self._header(query, moment, states),
            endpoints=tuple(rows),
            hidden=len(histories) - len(rows),
            selected=None if selected is None else selected.history.endpoint,
            stream=None if selected is None else _stream(selected, query, moment),
            latency=latency,
            ping=self._pings(selected, query, moment, columns),
            log=events.entries,
            recent=() if selected is None else selected.recent(query.metric, moment),
            trial=known.trial,
            notice=notice,
            version=self._pictures,
            probed=None if selected is None else _probed(selected, query, moment),
            checks=None if selected is None else known.check_runs.view(selected.history.endpoint.name, moment.ns),
            incidents=events.incidents,
            fleet=endpoints,
            sentence=events.sentence(states, endpoints, at),
            rows=self._groups.rows(rows, endpoints, query),
            now_ns=moment.ns,
            strip=self._strip.strip(known, strip) if self._version else None,
        )

    def _events_at(self, moment: LookedAt, histories: Mapping[str, History]) -> EventLog:
        """The log of that moment, with the failures that came since its last entry."""
        known = self._known
        if moment.is_now:
            return known.events
        key = (moment.ns, *histories)
        if self._events[0] != key:
            events, told_ns = known.past_events.upto(moment.ns)
            later = []
            for number, endpoint, decided in events.involved():
                if endpoint in histories:
                    failed = histories[endpoint].kept_results.failures(told_ns, moment.ns, decided)
                    later += [(failed[0], number, failed)] if failed is not None else []
            for _, number, (_, failures, last) in sorted(later, key=lambda each: each[0]):
                events.add_failures(number, failures, last)
            self._events = (key, events)
        return self._events[1]

    def _rows(self, query: Query, moment: LookedAt) -> tuple[list[EndpointRow], str]:
        """The rows to show in their order, and the notice."""
        notice = self._known.notice
        try:
            shows = parse(query.filter)
        except FilterError as error:
            shows, notice = parse(""), str(error)
        rows = []
        for picture in self._of.values():
            row = picture.row(query.window, query.metric, moment)
            median = partial(picture.median, window=query.window, moment=moment)
            if shows(Subject(row, picture.history.model, median)):
                rows.append(row)
        return ordered(rows, query.sort, descending=query.descending), notice

    def _select(self, query: Query, rows: list[EndpointRow]) -> EndpointPicture | None:
        """The chosen endpoint while it is to be seen, else the first that is, else the first there is."""
        names = [row.name for row in rows]
        for name in (query.endpoint if query.endpoint in names else None, *names, query.endpoint, *self._of):
            if name in self._of:
                return self._of[name]
        return None

    def _latency(
        self, selected: EndpointPicture, query: Query, moment: LookedAt, columns: int, events: EventLog
    ) -> LatencyView:
        """The panel with the limit of its metric, its incidents and the user's marks."""
        view = selected.latency(query.window, query.metric, moment, columns)
        thresholds = self._known.thresholds_at(selected.history.endpoint.name, moment)
        limited = limit_ns(thresholds, selected.history.form, view.metric)
        wall = (self._known.wall_at(moment), moment.ns)
        return replace(view, limit_ns=limited, spans=spans_of(view, events, wall))

    def _pings(self, selected: EndpointPicture | None, query: Query, moment: LookedAt, columns: int) -> PingView | None:
        of = selected
        if of is None or not of.history.is_websocket:
            of = next((picture for picture in self._of.values() if picture.history.is_websocket), None)
        return None if of is None else of.pings(query.window, moment, columns)

    def _header(self, query: Query, moment: LookedAt, each: dict[str, State]) -> Header:
        known, states = self._known, Counter(each.values())
        failed = known.counts.count(Outcome.FAILED, 0, moment.ns + 1)
        return Header(
            profile=known.profile.name,
            at=known.wall_at(moment),
            elapsed_ns=moment.ns - known.session.now_ns,
            states=tuple((state, states[state]) for state in State if states[state]),
            requests=known.counts.count(Outcome.OK, 0, moment.ns + 1) + failed,
            failed=failed,
            banner=known.trouble.banner(utc=query.utc),
            ended=known.trouble.ended,
            silent=known.trouble.silent,
            session_dir=clean(known.session.session_dir or "", MAX_PATH),
            unwritten=known.trouble.unwritten,
            rows_lost=known.trouble.rows_lost,
            use_proxies=known.profile.use_proxies,
            behind_ns=known.now_ns - moment.ns,
        )


def _chosen(selected: EndpointPicture, query: Query) -> int | None:
    """The number of the chosen probe, unless it was chosen while another endpoint was selected."""
    return query.request if query.endpoint in (None, selected.history.endpoint.name) else None


def _stream(selected: EndpointPicture, query: Query, moment: LookedAt) -> StreamView | None:
    if selected.history.is_websocket:
        return None
    streams = selected.streams(moment)
    stream, newest = streams.find(_chosen(selected, query))
    if stream is None:
        return None
    waiting = streams.waiting() if newest else None
    return stream.view(moment.ns, newest=newest, waiting=waiting, asked=selected.history.models_asked)


def _probed(selected: EndpointPicture, query: Query, moment: LookedAt) -> Ping | None:
    if not selected.history.is_websocket:
        return None
    number = _chosen(selected, query)
    pings = (result for result in selected.streams(moment).results() if isinstance(result, Ping))
    return next((ping for ping in pings if ping.number == number), None) or selected.last_ping(moment)
