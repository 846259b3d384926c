"""What happened: the entries of the log that are listed, and the incidents that they are about."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

from gwtui.health.incident_log import IncidentLog
from gwtui.health.sentence import sentence
from gwtui.model.enums import State
from gwtui.model.incidents import Cause, Incident, IncidentEvent, Scope
from gwtui.model.judged import LogEntry
from gwtui.model.profile import Endpoint
from gwtui.model.records import Record

ENTRIES = 500
"""The number of entries that are kept, the newest."""
_ENTERS = (IncidentEvent.OPENED, IncidentEvent.WIDER, IncidentEvent.REOPENED, IncidentEvent.CAUSE_CHANGED)
"""Events by which an incident begins to report what an endpoint has."""
_STEPS = (IncidentEvent.WIDER, IncidentEvent.NARROWER)


class EventLog:
    """Takes all records in their order."""

    def __init__(self) -> None:
        self._entries: deque[LogEntry] = deque(maxlen=ENTRIES)
        self._log = IncidentLog()
        self._known: tuple[Incident, ...] | None = ()
        """All incidents; None where one has changed since they were last asked for."""

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

    def apply(self, record: Record) -> None:
        if self._log.apply(record) is not None:
            self._known = None
        if isinstance(record, LogEntry) and record.is_news:
            self._list(record)

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
