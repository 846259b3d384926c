"""A conversation of several requests: where it ends. It is as good as the request that ends it."""

from __future__ import annotations

from gwtui.model.enums import FindingName, Outcome, Trigger
from gwtui.model.records import Ping, Request

STOPPED = frozenset({FindingName.NO_TOOL_CALL, FindingName.CONVERSATION_STOPPED})
"""Findings of a good answer after which no further turn can be asked."""


def is_between(result: Request | Ping) -> bool:
    """Whether further turns of its conversation follow, so that nothing is decided yet."""
    if isinstance(result, Ping) or result.turn is None or result.turn == result.turns:
        return False
    return result.outcome is Outcome.OK and not any(each.name in STOPPED for each in result.findings)


def is_judged(result: Request | Ping) -> bool:
    """Whether a result says anything of its endpoint, or of this machine."""
    return result.trigger is not Trigger.TRIAL and result.outcome is not Outcome.CANCELLED and not is_between(result)


def turn_text(request: Request) -> str:
    """`2 of 3`; empty for a request that is no turn of a conversation."""
    return f"{request.turn} of {request.turns}" if request.turn is not None else ""
