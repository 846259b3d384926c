"""Records that judging takes and makes beside results: what is usual, acknowledgements, and the log."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from gwtui.model.enums import FindingName, State
from gwtui.model.findings import entry_of
from gwtui.model.incidents import OVER, IncidentEvent, ScopeKind
from gwtui.model.metrics import Metric
from gwtui.model.record import BaseRecord
from gwtui.model.usual import UsualLatency

ProbedEndpoint: TypeAlias = tuple[str, str]
"""The place that probes ("" is here), and the endpoint's name."""
ACCEPTED, RELEARNT = "accepted", "relearnt"
"""Reasons for a new usual that take what is now as usual."""


class Usual(BaseRecord, tag="usual", frozen=True, kw_only=True):
    """What is usual for an endpoint from now on: told at the start of a session, and at each change."""

    endpoint: str
    vantage: str = ""
    at: float
    now_ns: int
    latencies: dict[Metric, UsualLatency] = msgspec.field(default_factory=dict)
    """Those that are known well enough to judge by."""
    good: int = 0
    failed: int = 0
    """Results from which the usual share of failures is taken."""
    why: str = ""
    """The reason for this record: `learnt`, `another hour`, `accepted`, ..."""

    @property
    def begins_anew(self) -> bool:
        """Whether what is now is usual, so that nothing from before it counts."""
        return self.why in (ACCEPTED, RELEARNT)


class Acknowledged(BaseRecord, tag="acknowledged", frozen=True, kw_only=True):
    """An incident is taken care of: it is dimmed, and notifiers are silent about it."""

    at: float
    now_ns: int
    incident: int
    note: str = ""


class LogEntry(BaseRecord, tag="log_entry", frozen=True, kw_only=True):
    """A row of incidents.csv: an event of an incident, a new state of an endpoint, a finding that began or ended, the
    user's mark, trouble of our own."""

    at: float
    now_ns: int
    kind: str
    """`incident`, `state`, `finding`, `mark` or `engine`."""
    endpoint: str = ""
    state: State | None = None
    """The state that was entered (kind `state`)."""
    was: State | None = None
    text: str = ""
    """What, with its evidence: `5 truncated in a row`."""
    number: int | None = None
    """The request that decided it."""
    trace_id: str = ""
    finding: FindingName | None = None
    """What began or has ended (kind `finding`)."""
    incident: int | None = None
    """The incident's number within the session; of kind `state` that of the incident which the endpoint is in."""
    event: IncidentEvent | None = None
    """What happened to the incident (kind `incident`)."""
    severity: State | None = None
    """The worst state of its endpoints: `slow`, `degraded` or `down`."""
    scope: str = ""
    """Where it is, as `model.incidents.Scope` in words."""
    cause: str = ""
    """Why, as `model.incidents.Cause` in words."""
    since: float | None = None
    """When its first bad result came, wall time; of kind `state` that of the endpoint."""
    failures: int | None = None
    """Failed results of its endpoints so far."""
    acknowledged: str = ""
    vantage: str = ""

    @property
    def is_in_incident(self) -> bool:
        """A new state that the events of an incident tell too, so that a list of news leaves it out."""
        return self.kind == "state" and self.incident is not None

    @property
    def mark(self) -> str:
        """The shape of an event of an incident, of a state or of a finding; "" of others."""
        if self.event is IncidentEvent.CLOSED:
            return OVER
        if self.finding is not None:
            return entry_of(self.finding).severity.mark
        state = self.severity if self.event is not None else self.state
        return "" if state is None else state.mark

    @property
    def event_name(self) -> str:
        """The event of an incident with what it came to: `opened`, `worse (down)`."""
        is_shift = self.event in (IncidentEvent.WORSE, IncidentEvent.BETTER) and self.severity is not None
        return f"{self.event} ({self.severity})" if is_shift else str(self.event or "")

    @property
    def facts(self) -> str:
        """What there is to say of an event of an incident: `claude: keys refused (auth 401); 3 auth in a row`."""
        is_of_one = self.scope.startswith(f"{ScopeKind.ENDPOINT} ")
        where = self.scope.removeprefix(f"{ScopeKind.ENDPOINT} ")
        if self.event in (IncidentEvent.OPENED, IncidentEvent.REOPENED):
            who = f"{self.vantage}/{self.endpoint}" if self.vantage else self.endpoint
            text = self.text.removeprefix(f"{who}: ")
            parts = (f"{who}: {_cause_beside(text, self.cause)}", text, "" if is_of_one else where)
        elif self.event is IncidentEvent.CLOSED:
            parts = (f"{where} {self.text}", self.cause, "")
        else:
            parts = (self.cause if self.event is IncidentEvent.CAUSE_CHANGED else "", self.text, "")
        return "; ".join(part for part in parts if part)


def _cause_beside(text: str, cause: str) -> str:
    """The cause in words, without the details that the text has too."""
    kind, _, inner = cause.partition(" (")
    detail = inner.removesuffix(")").partition(": ")[2]
    return kind if detail and detail in text else cause
