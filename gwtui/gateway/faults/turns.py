"""Conversations that break after their first turn, as those of gateways do that translate one API to another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gwtui.gateway.fault import answer_fault
from gwtui.model.enums import FindingName
from gwtui.model.profile import Turn
from gwtui.model.verdicts import Verdict

TALK: Mapping[str, Any] = {
    "asks": {
        "turns": (
            Turn(prompt="What is the weather in Paris?", tool="get_weather"),
            Turn(result="21 degrees, sunny"),
        )
    }
}
"""Fields of a fault that a round with a tool shows."""
SECOND: Mapping[str, Any] = {"from_turn": 2, "probes": 2, **TALK}
"""The same of one that spares the first turn."""

TURNS = (
    answer_fault(
        "second-turn",
        "The second turn of a conversation is refused",
        Verdict.BAD_REQUEST,
        "no tool call",
        status=400,
        body={"error": {"type": "invalid_request_error", "message": "There is no tool call for the tool result."}},
        **SECOND,
    ),
    answer_fault(
        "second-turn-truncated", "The second turn ends in its middle", Verdict.TRUNCATED, cut_after=4, **SECOND
    ),
    answer_fault(
        "second-turn-silent",
        "The answer to a tool's result is empty",
        Verdict.EMPTY,
        text="",
        **SECOND,
    ),
    answer_fault(
        "tools-dropped",
        "The gateway leaves `tools` out, so that no tool is called",
        Verdict.COMPLETE,
        no_tools=True,
        findings=(FindingName.NO_TOOL_CALL,),
        **TALK,
    ),
)
