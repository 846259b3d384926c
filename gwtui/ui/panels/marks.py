"""How a result is marked: a shape first, so that it is clear without colour."""

from __future__ import annotations

from gwtui.model.enums import Outcome, Severity


def outcome_mark(outcome: Outcome | None) -> tuple[str, str]:
    """The mark and its style; None is a probe under way."""
    if outcome is None:
        return "●", "accent"
    return {Outcome.OK: ("✔", "good"), Outcome.FAILED: ("✖", "bad")}.get(outcome, ("○", "warn"))


def severity_mark(severity: Severity) -> tuple[str, str]:
    """The mark of a finding and its style."""
    return severity.mark, "warn" if severity is Severity.WARNING else "muted"
