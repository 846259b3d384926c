"""Incidents in words: a line for each, and a line for each of their events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gwtui.health.sentence import event_facts, gateway_names, lasted, scope_text
from gwtui.model.enums import Outcome, State
from gwtui.model.incidents import ACKNOWLEDGED, Incident, IncidentEvent
from gwtui.model.judged import LogEntry
from gwtui.model.profile import Endpoint
from gwtui.report.lines import Styler, plain
from gwtui.text import units
from gwtui.text.tables import Row, TextCell, TextColumn, table

DAY_S = 86_400
_COLUMNS = (TextColumn(), TextColumn(gap=" "), TextColumn(), TextColumn(), TextColumn(), TextColumn(), TextColumn())
_BAD_NEWS = (
    IncidentEvent.OPENED,
    IncidentEvent.REOPENED,
    IncidentEvent.WORSE,
    IncidentEvent.WIDER,
    IncidentEvent.CAUSE_CHANGED,
)
"""Events that a result shows."""


def incident_lines(
    incidents: Iterable[Incident], now_at: float, fleet: Sequence[Endpoint] = (), styled: Styler = plain
) -> list[str]:
    """A line per incident, in this order. `now_at`: the wall time up to which open ones have lasted. `fleet`: the
    endpoints of the profile, so that it is clear how many of them are sick."""
    return table([_row(each, now_at, fleet, styled) for each in incidents], _COLUMNS)


def _row(incident: Incident, now_at: float, fleet: Sequence[Endpoint], styled: Styler) -> Row:
    return (
        _toned(incident.mark, incident, styled),
        _toned(lasted(incident, now_at), incident, styled),
        incident.cause,
        scope_text(incident, fleet),
        _when(incident, now_at),
        f"{units.count(incident.failures)} failed" if incident.failures else "",
        _acknowledged(incident),
    )


def _toned(text: str, incident: Incident, styled: Styler) -> TextCell:
    tone: State | Outcome = incident.severity
    if not incident.is_open:
        tone = Outcome.OK
    elif incident.acknowledged:
        tone = Outcome.CANCELLED
    return TextCell(text, lambda padded: styled(padded, tone))


def _when(incident: Incident, now_at: float) -> str:
    """`since 14:01:05` or `13:40:00-13:44:12`, with the date where it is not of the last day."""
    began = _time(incident.opened, now_at)
    return f"since {began}" if incident.closed is None else f"{began}-{_time(incident.closed, now_at)}"


def _time(at: float, now_at: float) -> str:
    return units.clock(at) if now_at - at < DAY_S else units.timestamp(at)[:19].replace("T", " ")


def _acknowledged(incident: Incident) -> str:
    """`acknowledged: rotating (14:02)`."""
    if not incident.acknowledged:
        return ""
    at = next((each.at for each in reversed(incident.changes) if each.event is IncidentEvent.ACKNOWLEDGED), None)
    note = "" if incident.acknowledged == ACKNOWLEDGED else f": {incident.acknowledged}"
    return f"acknowledged{note}" + (f" ({units.clock(at)[:5]})" if at is not None else "")


def event_text(entry: LogEntry, fleet: Sequence[Endpoint] = ()) -> str:
    """`incident 1 opened: claude: keys refused (auth 401); 3 auth in a row`, without its mark. `fleet`: the endpoints
    of the profile, from which gateways have their names."""
    trace = f"  (trace {entry.trace_id})" if entry.trace_id and entry.event in _BAD_NEWS else ""
    return f"incident {entry.incident} {entry.event_name}: {event_facts(entry, gateway_names(fleet))}{trace}"
