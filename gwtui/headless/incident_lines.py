"""What is printed of incidents: a line for each event. What spreads or shrinks endpoint by endpoint is one line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from gwtui.health.incident_log import IncidentLog
from gwtui.model.enums import FindingName, Outcome, State
from gwtui.model.findings import entry_of
from gwtui.model.incidents import IncidentEvent
from gwtui.model.judged import LogEntry
from gwtui.model.profile import Profile
from gwtui.model.records import ProfileChanged, Record, SessionStarted
from gwtui.report import Styler, event_text, scope_text
from gwtui.text import units

LONGEST_S = 10.0
"""A step is printed once no other of its incident has come for two intervals, but for no longer than this."""
NAMED = 4
"""The number of endpoints that are named in one line."""
FINDING_INTERVALS, FINDING_S = 4, 30.0
"""A finding is printed when it has not become an incident for this number of intervals, at most for this time."""
_STEPS = (IncidentEvent.WIDER, IncidentEvent.NARROWER)


class _Step(NamedTuple):
    """An endpoint joined an incident or left it."""

    entry: LogEntry
    where: str
    """The scope, and how many endpoints are in the incident since."""


class IncidentLines:
    """Takes all records in their order, and gives lines."""

    def __init__(self, styled: Styler) -> None:
        self._styled = styled
        self._begin(Profile())

    def _begin(self, profile: Profile) -> None:
        self._log = IncidentLog()
        self._follow(profile)
        self._steps: dict[int, list[_Step]] = {}
        """Per incident the steps that are not printed yet."""
        self._findings: list[LogEntry] = []
        """Those that are not printed yet."""

    def _follow(self, profile: Profile) -> None:
        self._fleet = profile.endpoints
        self._quiet_s = min(2 * profile.interval_s, LONGEST_S)
        self._finding_s = min(FINDING_INTERVALS * profile.interval_s, FINDING_S)

    def follow(self, record: Record) -> Iterator[str]:
        """The lines of an event, after those of steps that came before."""
        if isinstance(record, LogEntry):
            yield from self.due(record.at)
        self._log.apply(record)
        if isinstance(record, SessionStarted):
            self._begin(record.profile)
        elif isinstance(record, ProfileChanged):
            self._follow(record.profile)
        elif isinstance(record, LogEntry) and record.kind == "incident" and record.incident is not None:
            yield from self._event(record, record.incident)
        elif isinstance(record, LogEntry) and record.kind == "finding" and record.is_news:
            self._findings.append(record)

    def due(self, at: float) -> Iterator[str]:
        """The lines of findings that became no incident and of steps that no other followed for some time; at the end
        of time those of all."""
        while self._findings and at - self._findings[0].at >= self._finding_s:
            same = [each for each in self._findings if _what(each) == _what(self._findings[0])]
            self._findings = [each for each in self._findings if each not in same]
            yield _found(same)
        for number, steps in list(self._steps.items()):
            if at - steps[-1].entry.at >= self._quiet_s:
                yield from self._taken(number)

    def _event(self, entry: LogEntry, number: int) -> Iterator[str]:
        self._findings = [each for each in self._findings if not entry.explains(each)]
        incident, steps = self._log.incident(number), self._steps.get(number, [])
        if entry.event in _STEPS and incident is not None:
            self._steps[number] = [*steps, _Step(entry, scope_text(incident, self._fleet))]
            return
        if entry.event is IncidentEvent.CLOSED:
            self._steps[number] = [step for step in steps if step.entry.event is IncidentEvent.WIDER]
        yield from self._taken(number)
        yield self._line(entry, event_text(entry, self._fleet))

    def _taken(self, number: int) -> Iterator[str]:
        """The steps of an incident as one line; none where there were none."""
        steps = self._steps.pop(number, [])
        if not steps:
            return
        last, where = steps[-1]
        names = list(dict.fromkeys(_name(step.entry) for step in steps if step.entry.event is last.event))
        yield self._line(last, event_text(last, self._fleet) if len(names) == 1 else _together(last, names, where))

    def _line(self, entry: LogEntry, text: str) -> str:
        begin, colon, rest = text.partition(":")
        tone = Outcome.OK if entry.event is IncidentEvent.CLOSED else entry.severity or State.DOWN
        return f"{units.clock(entry.at)}Z  {self._styled(f'{entry.mark} {begin}'.strip(), tone)}{colon}{rest}"


def _what(entry: LogEntry) -> tuple[FindingName | None, bool]:
    """The finding, and whether it began: otherwise it has ended."""
    return entry.finding, entry.text.startswith(f"{entry.finding}: ")


def _found(same: list[LogEntry]) -> str:
    """The line of a finding that began or ended at one endpoint, or at several."""
    first = same[0]
    mark = entry_of(first.finding).severity.mark if first.finding is not None else "▲"
    trace = f"  (trace {first.trace_id})" if first.trace_id else ""
    return f"{units.clock(first.at)}Z  {mark} {_listed(list(dict.fromkeys(map(_name, same))))}: {first.text}{trace}"


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}"


def _together(last: LogEntry, names: list[str], where: str) -> str:
    which = f"{_listed(names)} {'too' if last.event is IncidentEvent.WIDER else 'out'}"
    return f"incident {last.incident} {last.event}: {which}; {where}; {units.count(last.failures or 0)} failed"


def _name(entry: LogEntry) -> str:
    return f"{entry.vantage}/{entry.endpoint}" if entry.vantage else entry.endpoint
