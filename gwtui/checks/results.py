"""What a check has found, as data: for the terminal, for files, and for whoever else shows it."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class CheckOutcome(StrEnum):
    """How a check ended."""

    PASS = "pass"  # noqa: S105  the word, not a secret
    WARN = "warn"
    """It works, and somebody should look at it; or what was seen is not enough to tell."""
    FAIL = "fail"
    NOT_APPLICABLE = "not applicable"
    """There was nothing to judge here: the evidence says why."""

    @property
    def mark(self) -> str:
        """Its shape, one cell wide: an outcome is never told by colour alone."""
        return {"pass": "✔", "warn": "▲", "fail": "✖"}.get(self.value, "·")


class CheckResult(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="record", tag="check_result", omit_defaults=True
):
    """One check, ended. All its text is clean. Tagged as records are, so that it can travel among them."""

    endpoint: str
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
    facts: dict[str, int | float | str] = {}
    """The figures of the evidence, for programs. Durations are in ms."""
    requests: int = 0
    """Requests that were sent for it and for no check before it."""
    started_at: float = 0.0
    """Wall time, UTC."""
    duration_ns: int = 0
