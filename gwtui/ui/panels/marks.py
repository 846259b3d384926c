"""How a result is marked: a shape first, so that no colour is needed to tell."""

from __future__ import annotations

from gwtui.model.enums import Outcome


def sign(outcome: Outcome | None) -> tuple[str, str]:
    """The mark and its style; None is a probe under way."""
    if outcome is None:
        return "●", "accent"
    return {Outcome.OK: ("✔", "good"), Outcome.FAILED: ("✖", "bad")}.get(outcome, ("○", "warn"))
