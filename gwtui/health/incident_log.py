"""Incidents as objects, from the entries of the log and the results beside them: live, or read back from the files.

Pure. All that is taken of an entry is in the columns of `incidents.csv`. Results only count the failures since an
incident's last entry, which has the number so far.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from msgspec.structs import replace

from gwtui.model.conversation import is_judged
from gwtui.model.enums import BAD, Outcome, State
from gwtui.model.incidents import MERGED, Change, Incident, IncidentEvent, Member, Proof
from gwtui.model.judged import LogEntry, ProbedEndpoint
from gwtui.model.records import Ping, Record, Request

MOST = 1_000
"""The number of incidents that are kept at least, the newest; those that are over are forgotten first."""
SPARE = 100
"""Incidents above that number are forgotten together, once there are more than this."""
CHANGES = 500
"""The number of events that are kept of each, the newest."""
_ENTERS = (IncidentEvent.OPENED, IncidentEvent.WIDER, IncidentEvent.REOPENED)
_BAD_NEWS = (*_ENTERS, IncidentEvent.WORSE, IncidentEvent.CAUSE_CHANGED)


@dataclass(slots=True)
class _Story:
    """An incident as far as it is known."""

    known: Incident
    members: dict[ProbedEndpoint, Member] = field(default_factory=dict)
    changes: deque[Change] = field(default_factory=lambda: deque(maxlen=CHANGES))

    def copy(self) -> _Story:
        return _Story(self.known, self.members.copy(), self.changes.copy())

    def frozen(self) -> Incident:
        return replace(self.known, members=tuple(self.members.values()), changes=tuple(self.changes))


class IncidentLog:
    """Takes records in their order."""

    def __init__(self) -> None:
        self._stories: dict[int, _Story] = {}
        self._in: dict[ProbedEndpoint, int] = {}
        """The incident that an endpoint is in."""
        self._decided: dict[ProbedEndpoint, int] = {}
        """The newest result of an endpoint that an entry has counted."""

    def copy(self) -> IncidentLog:
        """One that goes its own way from here."""
        twin = IncidentLog()
        twin._stories = {number: story.copy() for number, story in self._stories.items()}
        twin._in, twin._decided = self._in.copy(), self._decided.copy()
        return twin

    @property
    def incidents(self) -> tuple[Incident, ...]:
        """All of them, by their numbers."""
        return tuple(self._stories[number].frozen() for number in sorted(self._stories))

    @property
    def open(self) -> tuple[Incident, ...]:
        """Those that are not over."""
        return tuple(story.frozen() for _, story in sorted(self._stories.items()) if story.known.is_open)

    def incident(self, number: int) -> Incident | None:
        """The one of that number."""
        story = self._stories.get(number)
        return story.frozen() if story is not None else None

    def involved(self) -> list[tuple[int, str, int]]:
        """The endpoints here that are in an incident: its number, the endpoint's name, and the endpoint's newest result
        that an entry has counted."""
        members = ((number, vantage, endpoint) for (vantage, endpoint), number in self._in.items())
        return [(each, name, self._decided.get(("", name), 0)) for each, vantage, name in members if not vantage]

    def add_failures(self, number: int, failures: int, last: Proof) -> None:
        """Count failed results of an incident that are not applied."""
        story = self._stories.get(number)
        if story is not None:
            story.known = replace(story.known, failures=story.known.failures + failures, last=last)

    def apply(self, record: Record) -> int | None:
        """Take a record. Gives the number of the incident that it changed."""
        if isinstance(record, Request | Ping):
            return self._result(record)
        if not isinstance(record, LogEntry) or record.incident is None:
            return None
        if record.kind == "incident" and record.event is not None:
            self._event(record, record.incident, record.event)
        elif record.kind == "state" and record.state is not None:
            self._state(record, record.incident, record.state)
        else:
            return None
        return record.incident

    def _result(self, result: Request | Ping) -> int | None:
        key = (result.vantage, result.endpoint)
        number = self._in.get(key)
        if number is None or result.outcome is not Outcome.FAILED or not is_judged(result):
            return None
        if result.number <= self._decided.get(key, 0):
            return None
        story = self._stories[number]
        proof = Proof(result.endpoint, result.number, result.trace_id, result.vantage)
        story.known = replace(story.known, failures=story.known.failures + 1, last=proof)
        return number

    def _event(self, entry: LogEntry, number: int, event: IncidentEvent) -> None:
        story, key = self._story(entry, number), (entry.vantage, entry.endpoint)
        story.changes.append(_change(entry, event))
        known = replace(
            story.known,
            scope=entry.scope,
            cause=entry.cause,
            severity=entry.severity or story.known.severity,
            opened=story.known.opened if entry.since is None else entry.since,
            failures=story.known.failures if entry.failures is None else entry.failures,
            acknowledged=entry.acknowledged,
        )
        if entry.number is not None:
            self._decided[key] = max(entry.number, self._decided.get(key, 0))
            if event in _BAD_NEWS:
                proof = Proof(entry.endpoint, entry.number, entry.trace_id, entry.vantage)
                known = replace(known, first=known.first or proof, last=proof)
        story.known = known
        if event in _ENTERS:
            story.known = replace(known, closed=None)
            self._enter(story, key, entry.at)
        elif event is IncidentEvent.NARROWER:
            self._leave(number, key, entry.at)
        elif event in (IncidentEvent.CLOSED, IncidentEvent.MERGED):
            self._close(number, entry, event)

    def _state(self, entry: LogEntry, number: int, state: State) -> None:
        key = (entry.vantage, entry.endpoint)
        if state not in BAD:
            self._leave(number, key, entry.at)
            return
        story = self._story(entry, number)
        self._enter(story, key, entry.at)
        since = entry.at if entry.since is None else entry.since
        story.members[key] = replace(story.members[key], state=state, since=since)

    def _story(self, entry: LogEntry, number: int) -> _Story:
        """That of a number; one that is not known yet begins with the entry."""
        story = self._stories.get(number)
        if story is None:
            since = entry.at if entry.since is None else entry.since
            known = Incident(
                number=number,
                scope=entry.scope,
                cause=entry.cause,
                severity=entry.severity or entry.state or State.DOWN,
                opened=since,
                told=entry.at,
            )
            story = self._stories[number] = _Story(known)
            self._forget_old()
        return story

    def _enter(self, story: _Story, key: ProbedEndpoint, at: float) -> None:
        vantage, endpoint = key
        was = story.members.get(key)
        if was is None:
            state = story.known.severity
            story.members[key] = Member(endpoint=endpoint, vantage=vantage, state=state, since=at)
        elif was.until is not None:
            story.members[key] = replace(was, until=None)
        self._in[key] = story.known.number

    def _leave(self, number: int, key: ProbedEndpoint, at: float) -> None:
        story = self._stories.get(number)
        member = None if story is None else story.members.get(key)
        if story is not None and member is not None and member.until is None:
            story.members[key] = replace(member, until=at)
        if self._in.get(key) == number:
            del self._in[key]

    def _close(self, number: int, entry: LogEntry, event: IncidentEvent) -> None:
        story = self._stories[number]
        into = _merged_into(entry.text) if event is IncidentEvent.MERGED else None
        still = [(key, member) for key, member in story.members.items() if member.until is None]
        for key, _ in still:
            self._leave(number, key, entry.at)
        story.known = replace(story.known, closed=entry.at, merged_into=into)
        target = self._stories.get(into) if into is not None else None
        if target is not None:
            for key, member in still:
                target.members[key] = member
                self._in[key] = target.known.number

    def _forget_old(self) -> None:
        if len(self._stories) <= MOST + SPARE:
            return
        in_order = sorted(self._stories, key=lambda number: self._stories[number].known.is_open)
        for number in in_order[: len(self._stories) - MOST]:
            for key in self._stories.pop(number).members:
                if self._in.get(key) == number:
                    del self._in[key]


def _change(entry: LogEntry, event: IncidentEvent) -> Change:
    return Change(
        at=entry.at,
        event=event,
        text=entry.text,
        endpoint=entry.endpoint,
        vantage=entry.vantage,
        severity=entry.severity,
        scope=entry.scope,
        cause=entry.cause,
        number=entry.number,
        trace_id=entry.trace_id,
    )


def _merged_into(text: str) -> int | None:
    """The number of the incident that took another one in."""
    number = text.removeprefix(MERGED)
    return int(number) if number.isdecimal() else None
