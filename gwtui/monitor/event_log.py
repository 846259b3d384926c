"""What happened: the entries of the log that are listed, and the incidents that they are about, now and before."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gwtui.health.incident_log import IncidentLog
from gwtui.health.sentence import sentence
from gwtui.model.enums import State
from gwtui.model.incidents import Cause, Incident, IncidentEvent, Proof, Scope
from gwtui.model.judged import LogEntry
from gwtui.model.profile import Endpoint
from gwtui.model.records import Record

ENTRIES = 500
"""The number of entries that are kept, the newest."""
_ENTERS = (IncidentEvent.OPENED, IncidentEvent.WIDER, IncidentEvent.REOPENED, IncidentEvent.CAUSE_CHANGED)
"""Events by which an incident begins to report what an endpoint has."""
_STEPS = (IncidentEvent.WIDER, IncidentEvent.NARROWER)
_EDGES = (IncidentEvent.OPENED, IncidentEvent.REOPENED, IncidentEvent.CLOSED)
PAST = 5_000
"""The number of entries that are kept for a look back."""
_STEP = 400
"""Entries from one remembered log to the next."""


class EventLog:
    """Takes all records in their order."""

    def __init__(self) -> None:
        self._entries: deque[LogEntry] = deque(maxlen=ENTRIES)
        self._log = IncidentLog()
        self._known: tuple[Incident, ...] | None = ()
        """All incidents; None where one has changed since they were last asked for."""

    def copy(self) -> EventLog:
        """One that goes its own way from here."""
        twin = EventLog()
        twin._entries, twin._log, twin._known = self._entries.copy(), self._log.copy(), self._known
        return twin

    @property
    def entries(self) -> tuple[LogEntry, ...]:
        """Newest first. States and findings that an incident reports are not among them."""
        return tuple(self._entries)

    @property
    def incidents(self) -> tuple[Incident, ...]:
        """By their numbers."""
        if self._known is None:
            self._known = self._log.incidents
        return self._known

    def apply(self, record: Record) -> int | None:
        """Take a record. Gives the number of the incident that it changed."""
        changed = self._log.apply(record)
        if changed is not None:
            self._known = None
        if isinstance(record, LogEntry) and record.is_news:
            self._list(record)
        return changed

    def add_failures(self, number: int, failures: int, last: Proof) -> None:
        """Count failed results of an incident that are not applied."""
        self._log.add_failures(number, failures, last)
        self._known = None

    def involved(self) -> list[tuple[int, str, int]]:
        """See `IncidentLog.involved`."""
        return self._log.involved()

    def _list(self, entry: LogEntry) -> None:
        """Of an incident that spreads or shrinks endpoint by endpoint only the newest step is kept."""
        if entry.event in _ENTERS:
            explained = [each for each in self._entries if each.finding is not None and entry.explains(each)]
            for each in explained:
                self._entries.remove(each)
        newest = self._entries[0] if self._entries else None
        is_step = entry.event in _STEPS
        if is_step and newest is not None and (newest.incident, newest.event) == (entry.incident, entry.event):
            self._entries.popleft()
        self._entries.appendleft(entry)

    def sentence(self, states: Mapping[str, State], endpoints: Sequence[Endpoint], at: float) -> str:
        """What is wrong at that wall time; "" where nothing is, or where the records do not say it."""
        return sentence(filter(_is_explained, self._log.open), states, endpoints, at)


def _is_explained(incident: Incident) -> bool:
    """Whether scope and cause are known, and not words of another version."""
    try:
        Scope.parse(incident.scope)
        Cause.parse(incident.cause)
    except ValueError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class _Failures:
    """Results of an incident that failed between two entries."""

    incident: int
    failures: int
    last: Proof


class PastEvents:
    """Keeps the entries, and puts the log of any moment together again."""

    def __init__(self) -> None:
        self._before = EventLog()
        """Of the entries that are no longer kept."""
        self._kept: list[LogEntry | _Failures] = []
        self._stamps = array("q")
        self._failures: dict[int, _Failures] = {}
        """Since the newest entry, of each incident."""
        self._logs: dict[int, EventLog] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def fail(self, incident: int, last: Proof) -> None:
        """Count a failed result of an incident."""
        known = self._failures.get(incident)
        self._failures[incident] = _Failures(incident, 1 if known is None else known.failures + 1, last)

    def add(self, entry: LogEntry) -> None:
        """Keep an entry. One that comes late counts as of the newest."""
        stamp_ns = max(entry.now_ns, self._stamps[-1]) if self._stamps else entry.now_ns
        self._stamps.extend([stamp_ns] * (len(self._failures) + 1))
        self._kept += self._failures.values()
        self._kept.append(entry)
        self._failures.clear()
        if len(self._kept) > PAST * 5 // 4:
            gone = len(self._kept) - PAST
            for old in self._kept[:gone]:
                _apply(self._before, old)
            del self._kept[:gone], self._stamps[:gone]
            self._logs.clear()

    def upto(self, at_ns: int) -> tuple[EventLog, int]:
        """The log of that moment, for the caller alone, and when its last entry came: results that failed since are
        not in it."""
        count = bisect_right(self._stamps, at_ns)
        known = max((each for each in self._logs if each <= count), default=0)
        log = self._logs.get(known, self._before).copy()
        for number, kept in enumerate(self._kept[known:count], known + 1):
            _apply(log, kept)
            if not number % _STEP:
                self._logs[number] = log.copy()
        return log, self._stamps[count - 1] if count else 0

    def marks_ns(self) -> list[int]:
        """When the user set marks."""
        return [self._stamps[at] for at, kept in enumerate(self._kept) if _is_mark(kept)]

    def edges_ns(self) -> tuple[int, ...]:
        """When incidents opened and closed, in order."""
        return tuple(self._stamps[at] for at, kept in enumerate(self._kept) if is_edge(kept))


def _apply(log: EventLog, kept: LogEntry | _Failures) -> None:
    if isinstance(kept, LogEntry):
        log.apply(kept)
    else:
        log.add_failures(kept.incident, kept.failures, kept.last)


def _is_mark(kept: LogEntry | _Failures) -> bool:
    return isinstance(kept, LogEntry) and kept.kind == "mark"


def is_edge(kept: LogEntry | _Failures) -> bool:
    return isinstance(kept, LogEntry) and kept.event in _EDGES
