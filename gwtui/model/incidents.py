"""Incidents: periods in which endpoints were sick with one cause, and the words for their scope, cause and course.

An incident is known from the entries of the log (`records.LogEntry`), which is how it stands in `incidents.csv`;
`Incident` is what all of them together say.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from gwtui.model.enums import FindingName, State
from gwtui.model.verdicts import Verdict


class IncidentEvent(StrEnum):
    """What happened to an incident."""

    OPENED = "opened"
    WORSE = "worse"
    BETTER = "better"
    CAUSE_CHANGED = "cause changed"
    WIDER = "wider"
    NARROWER = "narrower"
    MERGED = "merged"
    """It turned out to be part of another one."""
    ACKNOWLEDGED = "acknowledged"
    REOPENED = "reopened"
    CLOSED = "closed"


ACKNOWLEDGED = "acknowledged"
"""What a note without words is."""
MERGED = "part of incident "
"""What the text of a merged incident begins with; the number of the other one follows."""
OVER = "✔"
"""The mark of an incident that is over."""


class ScopeKind(StrEnum):
    """What the endpoints of an incident have in common."""

    ENDPOINT = "endpoint"
    GATEWAY = "gateway"
    """The scheme, host and port of the URL."""
    KEY = "key"
    """The reference to the key."""
    PROVIDER = "provider"
    MODEL = "model"
    PATH = "path"
    """The way from one place to a gateway that other places reach."""
    PLACE = "place"
    """One place, or its network: most of what is asked from there is sick."""


class Scope(msgspec.Struct, frozen=True):
    """Where an incident is."""

    kind: ScopeKind
    name: str
    """The endpoint, gateway, key reference, provider or model; of a place its name, "" is this machine."""
    place: str = ""
    """Of a path: where it begins."""

    def __str__(self) -> str:
        """As in the column `scope`: `gateway https://eu.example.com`."""
        if self.kind is ScopeKind.PLACE:
            return f"{self.kind} {self.name or 'here'}"
        if self.kind is ScopeKind.PATH:
            return f"{self.kind} {self.place or 'here'} -> {self.name}"
        return f"{self.kind} {self.name}"

    @classmethod
    def parse(cls, text: str) -> Scope:
        """The scope of a column `scope`. Raises ValueError."""
        word, _, name = text.partition(" ")
        kind = ScopeKind(word)
        if kind is ScopeKind.PLACE:
            return cls(kind, "" if name == "here" else name)
        if kind is ScopeKind.PATH:
            place, arrow, gateway = name.partition(" -> ")
            if not arrow:
                raise ValueError(f"not a path: {name!r}")
            return cls(kind, gateway, "" if place == "here" else place)
        return cls(kind, name)


class CauseKind(StrEnum):
    """Classes of causes: sick endpoints are one incident only where theirs are of one class."""

    KEYS_REFUSED = "keys refused"
    QUOTA = "quota used up"
    RATE_LIMITED = "rate limited"
    OVERLOADED = "overloaded"
    SERVER_ERRORS = "server errors"
    REQUESTS_REFUSED = "requests refused"
    UNREACHABLE = "not reachable"
    NO_ANSWER = "no answer in time"
    CUT = "answers cut"
    BROKEN = "answers broken"
    PINGS_LOST = "pings lost"
    SLOW = "slow"
    FINDING = "finding"
    NOT_STARTED = "requests not sent"
    """The key or a file of the TLS settings is missing here."""


CAUSE_VERDICTS: dict[CauseKind, tuple[Verdict, ...]] = {
    CauseKind.KEYS_REFUSED: (Verdict.AUTH,),
    CauseKind.QUOTA: (Verdict.QUOTA,),
    CauseKind.RATE_LIMITED: (Verdict.RATE_LIMITED,),
    CauseKind.OVERLOADED: (Verdict.OVERLOADED,),
    CauseKind.SERVER_ERRORS: (
        Verdict.UNAVAILABLE,
        Verdict.BAD_GATEWAY,
        Verdict.GATEWAY_TIMEOUT,
        Verdict.SERVER_ERROR,
    ),
    CauseKind.REQUESTS_REFUSED: (
        Verdict.BAD_REQUEST,
        Verdict.NOT_FOUND,
        Verdict.REDIRECT,
        Verdict.WRONG_STATUS,
    ),
    CauseKind.UNREACHABLE: (
        Verdict.DNS,
        Verdict.REFUSED,
        Verdict.UNREACHABLE,
        Verdict.CONNECT_TIMEOUT,
        Verdict.PROXY,
        Verdict.TLS,
    ),
    CauseKind.NO_ANSWER: (Verdict.NO_FIRST_BYTE, Verdict.STALLED, Verdict.TIMEOUT),
    CauseKind.CUT: (Verdict.TRUNCATED, Verdict.RESET),
    CauseKind.BROKEN: (
        Verdict.ERROR_IN_STREAM,
        Verdict.EMPTY,
        Verdict.NOT_A_STREAM,
        Verdict.OUT_OF_ORDER,
        Verdict.NOT_HTTP,
        Verdict.TOO_LARGE,
        Verdict.DECODE_ERROR,
        Verdict.WRONG_BODY,
    ),
    CauseKind.PINGS_LOST: (Verdict.NO_PONG, Verdict.WRONG_PONG, Verdict.CLOSED),
    CauseKind.NOT_STARTED: (Verdict.NO_KEY, Verdict.TLS_FILE),
}
"""The verdicts of each class; `slow` and findings have none."""
_OF_VERDICT = {verdict: kind for kind, verdicts in CAUSE_VERDICTS.items() for verdict in verdicts}


def cause_kind_of(verdict: Verdict) -> CauseKind:
    """The class of a failed result's verdict. Raises KeyError for one that is no failure of a gateway."""
    return _OF_VERDICT[verdict]


class Cause(msgspec.Struct, frozen=True):
    """Why an endpoint or an incident is sick."""

    kind: CauseKind
    name: str
    """The verdict, the metric that is slow, or the finding: what comes most often."""
    detail: str = ""
    """The facts that make it clearer, such as a status: `401`, or `8x its usual 330 ms`."""

    @property
    def joins_by(self) -> tuple[CauseKind, str]:
        """Causes are of one class where this is the same: findings only with the same finding."""
        return self.kind, self.name if self.kind is CauseKind.FINDING else ""

    def __str__(self) -> str:
        """As in the column `cause`: `keys refused (auth 401)`, `slow (ttft: 8x its usual 330 ms)`, `buffered`."""
        if self.kind is CauseKind.FINDING:
            return self.name
        gap = ": " if self.kind is CauseKind.SLOW else " "
        return f"{self.kind} ({self.name}{gap if self.detail else ''}{self.detail})"

    @classmethod
    def parse(cls, text: str) -> Cause:
        """The cause of a column `cause`. Raises ValueError."""
        if text in _FINDINGS:
            return cls(CauseKind.FINDING, text)
        word, bracket, inner = text.partition(" (")
        kind = CauseKind(word)
        if not bracket or not inner.endswith(")"):
            raise ValueError(f"not a cause: {text!r}")
        name, _, detail = inner[:-1].partition(": " if kind is CauseKind.SLOW else " ")
        return cls(kind, name, detail)


_FINDINGS = frozenset(str(name) for name in FindingName)


class Proof(msgspec.Struct, frozen=True):
    """A result that proves an incident."""

    endpoint: str
    number: int
    trace_id: str = ""
    vantage: str = ""


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint's part in an incident."""

    endpoint: str
    vantage: str = ""
    state: State
    since: float
    """When its first bad result came, wall time."""
    until: float | None = None
    """When it was well again, or left the incident; None: it is still in it."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """An event of an incident."""

    at: float
    event: IncidentEvent
    text: str
    endpoint: str = ""
    """The endpoint that brought it about, with the place that probes it."""
    vantage: str = ""
    severity: State | None = None
    """The worst state of the incident's endpoints from then on; None where it is not known."""
    scope: str = ""
    cause: str = ""
    number: int | None = None
    """The request that decided it."""
    trace_id: str = ""


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """A period with one scope and one cause, as far as it is known."""

    number: int
    """Counted from 1 within the session."""
    scope: str
    cause: str
    severity: State
    """The worst state of its endpoints now, or at its end: `slow`, `degraded` or `down`."""
    opened: float
    """When its first bad result came, wall time."""
    told: float
    """When it was reported first."""
    closed: float | None = None
    members: tuple[Member, ...] = ()
    failures: int = 0
    """Failed results of its endpoints while they were in it."""
    first: Proof | None = None
    last: Proof | None = None
    changes: tuple[Change, ...] = ()
    acknowledged: str = ""
    """The note it was acknowledged with, at least `acknowledged`; empty where it was not."""
    merged_into: int | None = None

    @property
    def is_open(self) -> bool:
        return self.closed is None

    @property
    def mark(self) -> str:
        """Its shape: that of its worst state, or that it is over."""
        return self.severity.mark if self.is_open else OVER
