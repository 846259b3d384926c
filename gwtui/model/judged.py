"""Records that judging takes and makes beside results: what is usual, acknowledgements, and the log."""

from __future__ import annotations

import msgspec

from gwtui.model.enums import FindingName, State
from gwtui.model.incidents import IncidentEvent
from gwtui.model.metrics import Metric
from gwtui.model.record import BaseRecord
from gwtui.model.usual import UsualLatency


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
