"""Good streams whose tokens stand, or are counted, where few clients look for them."""

from __future__ import annotations

import json
from typing import Any

from gwtui.gateway.fault import answer_fault
from gwtui.model.verdicts import Verdict

BEFORE_DONE = 8
"""Events of a stream of five tokens but its last."""


def _usage(choices: list[dict[str, Any]], sent: int, made: int, **more: Any) -> str:
    usage = {"prompt_tokens": sent, "completion_tokens": made, "total_tokens": sent + made, **more}
    return f"data: {json.dumps({'choices': choices, 'usage': usage})}\n\n"


_THOUGHT = {"completion_tokens_details": {"reasoning_tokens": 800}}
TOKENS = (
    answer_fault(
        "think-tags",
        "The model thinks in its text: the first visible output comes after `</think>`",
        Verdict.COMPLETE,
        text="<think>A greeting is wanted.</think>Hello there!",
    ),
    answer_fault(
        "hidden-reasoning",
        "800 of its 805 tokens are reasoning that is not streamed",
        Verdict.COMPLETE,
        tokens=5,
        insert=_usage([], 9, 805, **_THOUGHT),
        insert_after=BEFORE_DONE,
    ),
    answer_fault(
        "usage-zeros",
        "The last usage is all zeros",
        Verdict.COMPLETE,
        tokens=5,
        insert=_usage([], 0, 0),
        insert_after=BEFORE_DONE,
    ),
    answer_fault(
        "usage-in-choice",
        "The usage stands in the last choice, as Moonshot sends it",
        Verdict.COMPLETE,
        tokens=5,
        insert='data: {"choices":[{"index":0,"delta":{},"usage":{"prompt_tokens":9,"completion_tokens":11}}]}\n\n',
        insert_after=BEFORE_DONE,
    ),
)
