"""Records that judging takes and makes beside results: what is usual, acknowledgements, and the log."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from gwtui.model.enums import FindingName, Severity, State
from gwtui.model.findings import entry_of
from gwtui.model.incidents import OVER, IncidentEvent
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
    """The incident's number within the session; of a state or a finding that of the incident which it is part of."""
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
    def is_news(self) -> bool:
        """Whether a list of news has it: not a state or a finding that the events of an incident report too, and not a
        finding that users of the gateway do not notice."""
        if self.kind in ("state", "finding") and self.incident is not None:
            return False
        return self.finding is None or entry_of(self.finding).severity is not Severity.INFO

    def explains(self, finding: LogEntry) -> bool:
        """Whether this event of an incident reports what the entry of a finding said before it."""
        is_ours = (finding.vantage, finding.endpoint) == (self.vantage, self.endpoint)
        is_since = self.since is None or finding.at >= self.since
        return self.event is not None and is_ours and is_since and self.cause == str(finding.finding)

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
