"""What checks of a gateway have found, as data: for the terminal, for files, and among the records of a session."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from gwtui.model.record import BaseRecord


class CheckOutcome(StrEnum):
    """How a check ended."""

    PASS = "pass"  # noqa: S105  the word, not a secret
    WARN = "warn"
    """It works but needs attention, or the evidence is not enough for a judgement."""
    FAIL = "fail"
    NOT_APPLICABLE = "not applicable"
    """There was nothing to judge here: the evidence says why."""

    @property
    def mark(self) -> str:
        """Its shape, one cell wide: an outcome is never told by colour alone."""
        return {"pass": "✔", "warn": "▲", "fail": "✖"}.get(self.value, "·")


class CheckResult(BaseRecord, tag="check_result", frozen=True, kw_only=True):
    """One check, ended. All its text is clean."""

    endpoint: str
    now_ns: int
    """When it ended."""
    name: str
    """The check's own, such as `invalid-key`."""
    title: str
    """What it asks, in a few words."""
    section: str
    """The heading it stands under."""
    outcome: CheckOutcome
    evidence: str
    """The facts that decided it, in words."""
    cause: str = ""
    """The likely cause, where something is wrong."""
    remedy: str = ""
    """What to do about it."""
    details: tuple[str, ...] = ()
    """Further lines, such as a small table; they are meant for a font of one width."""
    facts: dict[str, int | float | str] = msgspec.field(default_factory=dict)
    """The figures of the evidence, for programs. Durations are in ms."""
    requests: int = 0
    """Requests that were sent for it and for no check before it."""
    started_at: float = 0.0
    """Wall time, UTC."""
    duration_ns: int = 0


class PlannedCheck(msgspec.Struct, frozen=True):
    """One check that is going to be asked."""

    name: str
    title: str
    section: str


class CheckRun(BaseRecord, tag="check_run", frozen=True, kw_only=True):
    """All checks of an endpoint, about to begin, or ended. Told again whenever it changes; the results come between."""

    endpoint: str
    now_ns: int
    started_at: float
    """Wall time, UTC."""
    planned: tuple[PlannedCheck, ...]
    """In the order in which they are asked."""
    most_requests: int
    """How many requests it takes at most."""
    models: tuple[str, ...] = ()
    """The models that were asked for beside the endpoint's own."""
    waits_for: str = ""
    """The endpoint that is checked before this one: two runs at once would measure each other."""
    ended: bool = False
    trouble: str = ""
    """Why it ended before its time."""
