"""All checks, in the order in which they run: each section in its own module. To add one, list it there."""

from __future__ import annotations

from gwtui.checks import concurrency, errors, fallback, gateway, models, pace, streaming, together
from gwtui.checks.check import Check

CHECKS: tuple[Check, ...] = (
    *gateway.CHECKS,
    *streaming.CHECKS,
    *pace.CHECKS,
    *errors.CHECKS,
    *models.CHECKS,
    *together.CHECKS,
    *concurrency.CHECKS,
    *fallback.CHECKS,
    *errors.OVERALL,
)
