"""What the records mean: the state of every endpoint from every place, incidents, findings, and trouble of our own.

One pure fold: records go in, entries of the log come out, live as from the files of a session. Time is what the records
say it is, and states and incidents change at results only, so neither batches nor heartbeats matter; with several
places the records are taken in the order of their time (`ReorderBuffer`).

Trials count for nothing, and of a conversation only the request that ends it. Results that were cancelled or that
failed on this machine count neither way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from heapq import heappop, heappush
from typing import Any, TypeAlias

from gwtui.health.cases import Instant
from gwtui.health.incidents import Incidents
from gwtui.health.local_trouble import LocalTrouble
from gwtui.health.states import LATE, Standing
from gwtui.health.watched_endpoint import WatchedEndpoint
from gwtui.model.conversation import is_judged
from gwtui.model.enums import BAD, Outcome, State
from gwtui.model.judged import Acknowledged, LogEntry, ProbedEndpoint, Usual
from gwtui.model.maintenance import covers
from gwtui.model.profile import Profile
from gwtui.model.records import FeedEnded, Heartbeat, Ping, ProfileChanged, Record, Request, SessionStarted

SILENT_NS = 3_000_000_000
"""A place of which nothing is heard for this time is not waited for: its rows are `unknown` then, too."""
Timed: TypeAlias = SessionStarted | ProfileChanged | Heartbeat | Request | Ping | Usual | Acknowledged
"""The records that states and incidents are made of."""


class ReorderBuffer:
    """Puts the records of several places in the order of their time, however their streams mix.

    A record waits until every place that was heard lately has come to its time; with one place none waits. So the
    order is the same as long as no place is behind the others by more than `SILENT_NS`. Stamps of all places are of
    one clock.
    """

    def __init__(self) -> None:
        self._newest_ns: dict[str, int] = {}
        self._counts: dict[str, int] = {}
        self._waiting: list[tuple[int, str, int, Timed]] = []

    def put(self, record: Timed) -> list[Timed]:
        """Take the next record. Gives those whose turn it is."""
        place = getattr(record, "vantage", "")
        # A place's own order holds, also where a result was reported late.
        stamp_ns = max(record.now_ns, self._newest_ns.get(place, record.now_ns))
        self._newest_ns[place] = stamp_ns
        if len(self._newest_ns) == 1:
            return [record]
        count = self._counts[place] = self._counts.get(place, 0) + 1
        heappush(self._waiting, (stamp_ns, place, count, record))
        now_ns = max(self._newest_ns.values())
        heard = [newest_ns for newest_ns in self._newest_ns.values() if newest_ns >= now_ns - SILENT_NS]
        return self._until(min(heard) if len(heard) > 1 else now_ns + 1)

    def rest(self) -> list[Timed]:
        """Those that still wait: there are no more."""
        return self._until(max(self._newest_ns.values(), default=0) + 1)

    def _until(self, before_ns: int) -> list[Timed]:
        ready = []
        while self._waiting and self._waiting[0][0] < before_ns:
            ready.append(heappop(self._waiting)[3])
        return ready


class Health:
    """Judges records as they come."""

    def __init__(self, profile: Profile) -> None:
        self._profile = Profile()
        self._watched: dict[ProbedEndpoint, WatchedEndpoint] = {}
        self._own: dict[str, LocalTrouble] = {}
        self._incidents = Incidents()
        self._buffer = ReorderBuffer()
        self._now_ns = 0
        self._wall_offset_s = 0.0
        self._takes: dict[type, Callable[[Any], Iterable[LogEntry]]] = {
            SessionStarted: self._start,
            ProfileChanged: self._change,
            Heartbeat: self._beat,
            Request: self._result,
            Ping: self._result,
            Usual: self._learn,
            Acknowledged: self._acknowledge,
        }
        self._follow(profile)

    def state(self, name: str, vantage: str = "") -> State:
        """The state of the endpoint of that name, as seen from that place."""
        watched = self._watched.get((vantage, name))
        return watched.judge.standing.state if watched else State.UNKNOWN

    def apply(self, record: Record) -> tuple[LogEntry, ...]:
        """Take the next record. Gives the entries that it makes, or those it lets others make, in order."""
        if isinstance(record, FeedEnded):
            return self.rest()
        return self._take(self._buffer.put(record)) if isinstance(record, Timed) else ()

    def rest(self) -> tuple[LogEntry, ...]:
        """The entries of records that still wait for those of other places: there are no more."""
        return self._take(self._buffer.rest())

    def _take(self, records: Iterable[Timed]) -> tuple[LogEntry, ...]:
        entries: list[LogEntry] = []
        for record in records:
            self._now_ns = max(self._now_ns, record.now_ns)
            entries += self._takes[type(record)](record)
        return tuple(entries)

    @property
    def _now(self) -> Instant:
        return Instant(self._now_ns, self._wall(self._now_ns))

    def _wall(self, ns: int) -> float:
        """The wall time of a stamp, to the millisecond, as in the files."""
        return round(self._wall_offset_s + ns / 1e9, 3)

    def _start(self, record: SessionStarted) -> list[LogEntry]:
        self._wall_offset_s = record.started_at - record.now_ns / 1e9
        return self._follow(record.profile)

    def _change(self, record: ProfileChanged) -> list[LogEntry]:
        return self._follow(record.profile)

    def _follow(self, profile: Profile) -> list[LogEntry]:
        """Watch exactly the profile's endpoints. Those that are probed or judged as before keep their state."""
        self._profile = profile
        entries: list[LogEntry] = []
        for key, watched in list(self._watched.items()):
            endpoint = profile.endpoint(key[1])
            if endpoint is None:
                entries += self._incidents.forget(key, self._now)
                del self._watched[key]
            elif watched.follow(endpoint, profile):
                entries += self._incidents.leave(key, "is judged anew", self._now)
            self._incidents.watch(watched.attributes) if endpoint is not None else None
        for endpoint in profile.endpoints:
            self._watch(("", endpoint.name))
        return entries

    def _watch(self, key: ProbedEndpoint) -> WatchedEndpoint | None:
        """The endpoint as it is seen from its place; None where the profile does not have it."""
        watched = self._watched.get(key)
        if watched is not None:
            return watched
        vantage, name = key
        endpoint = self._profile.endpoint(name)
        if endpoint is None:
            return None
        watched = self._watched[key] = WatchedEndpoint(endpoint, self._profile, vantage)
        self._incidents.watch(watched.attributes)
        return watched

    def _beat(self, beat: Heartbeat) -> Iterator[LogEntry]:
        if not beat.vantage:
            self._wall_offset_s = beat.at - beat.now_ns / 1e9
        for text in self._own_of(beat.vantage).beat(beat):
            yield self._entry("engine", text, ("", ""), vantage=beat.vantage)
        for key, watched in self._watched.items():
            if key[0] == beat.vantage and watched.paused is not (key[1] in beat.paused):
                yield from self._pause(key, watched)

    def _own_of(self, vantage: str) -> LocalTrouble:
        return self._own.setdefault(vantage, LocalTrouble())

    def _pause(self, key: ProbedEndpoint, watched: WatchedEndpoint) -> Iterator[LogEntry]:
        before, watched.paused = watched.judge.standing, not watched.paused
        watched.begin_anew()
        number = self._incidents.number_of(key)
        after = watched.judge.pause(paused=watched.paused)
        yield from self._news(key, before, after, number)
        yield from self._incidents.leave(key, after.text, self._now, state=after.state)

    def _result(self, result: Request | Ping) -> Iterator[LogEntry]:
        key = (result.vantage, result.endpoint)
        watched = self._watch(key)
        if watched is None or watched.paused or not is_judged(result):
            return
        if result.outcome is Outcome.LOCAL:
            for text in self._own_of(result.vantage).failed(result):
                yield self._entry("engine", text, key, result)
            return
        where, news = watched.where(self._now_ns, result)
        before = watched.judge.standing
        told = list(self._judge(key, before, watched.judge.add(result, self._wall(result.now_ns), where), result))
        yield from told
        texts = frozenset(entry.text for entry in told if entry.kind == "state")
        watched.note_incident(self._incidents.number_of(key))
        for name, text in (*news, *watched.found(self._now_ns, result, texts)):
            if not watched.tolerates(name):
                yield self._entry("finding", text, key, result, finding=name, incident=watched.incident_of(name))

    def _learn(self, usual: Usual) -> Iterator[LogEntry]:
        key = (usual.vantage, usual.endpoint)
        watched = self._watch(key)
        if watched is not None:
            self._incidents.learn(key, usual)
            before = watched.judge.standing
            yield from self._judge(key, before, watched.judge.learn(usual), None)

    def _acknowledge(self, record: Acknowledged) -> list[LogEntry]:
        return self._incidents.acknowledge(record, self._now)

    def _judge(
        self, key: ProbedEndpoint, before: Standing, standing: Standing, result: Request | Ping | None
    ) -> Iterator[LogEntry]:
        """What a judgement changes. A new state stands behind what it did to an incident, and before the end of one."""
        number = self._incidents.number_of(key)
        incidents = self._incidents.judged(key, standing, self._now, result, excused=self._is_excused)
        state = self._news(key, before, standing, self._incidents.number_of(key) or number, result)
        yield from (*incidents, *state) if standing.state in BAD else (*state, *incidents)
        if before.judged and not standing.judged:
            for text in self._own_of(key[0]).unjudged(key[1], LATE, self._now_ns):
                yield self._entry("engine", text, ("", ""), vantage=key[0])

    def _is_excused(self, key: ProbedEndpoint) -> bool:
        """Whether the endpoint is in maintenance."""
        return covers(self._profile, key[1], self._now.at) is not None

    def _news(
        self,
        key: ProbedEndpoint,
        before: Standing,
        now: Standing,
        incident: int | None,
        result: Request | Ping | None = None,
    ) -> Iterator[LogEntry]:
        if now is before or not now.is_news(before) or not now.text:
            return
        since = None if now.onset is None else self._wall(now.onset.now_ns)
        fields = {"state": now.state, "was": before.state, "incident": incident, "since": since}
        yield self._entry("state", now.text, key, result, **fields)

    def _entry(
        self, kind: str, text: str, key: ProbedEndpoint, result: Request | Ping | None = None, **fields: Any
    ) -> LogEntry:
        vantage, endpoint = key
        return LogEntry(
            at=self._wall(self._now_ns),
            now_ns=self._now_ns,
            kind=kind,
            endpoint=endpoint,
            text=text,
            number=result.number if result is not None else None,
            trace_id=result.trace_id if result is not None else "",
            **({"vantage": vantage} | fields),
        )
