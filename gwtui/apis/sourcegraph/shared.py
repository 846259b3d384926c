"""What both completion APIs of Sourcegraph share: their headers, their conversations, and their whole answers."""

from __future__ import annotations

from typing import Any

import msgspec

from gwtui.apis.answers import error_in_answer, judged
from gwtui.apis.base import Answer, Usage, words_of
from gwtui.apis.finish_reasons import SOURCEGRAPH, finish_word
from gwtui.apis.outcome import AnswerOutcome, Wanted
from gwtui.apis.payload import Unreadable, as_text, read_json
from gwtui.apis.tokens import token_usage
from gwtui.model.enums import EventKind
from gwtui.model.verdicts import Verdict

RULES = "sourcegraph"
"""What the ids of these APIs' rules begin with."""
HEADERS = (("X-Sourcegraph-Should-Trace", "true"), ("X-Sourcegraph-Feature", "code_completions"))
"""The first makes the answer carry its trace id; without the second Cody Gateway refuses."""
EXAMPLE_URL = "https://sourcegraph.example.com"
"""The URL of ready-made endpoints of an instance, until the user changes it."""
ACCESS_TOKEN: dict[str, Any] = {"key": "env:SRC_ACCESS_TOKEN", "auth": "token"}
"""How an endpoint says that it sends an access token."""


class Completion(msgspec.Struct):
    """A `completion` event, or a whole answer. Leaves are untyped: what is wrong with one is said by a rule."""

    completion: Any = None
    delta_text: Any = msgspec.field(default=None, name="deltaText")
    delta_thinking: Any = None
    delta_tool_calls: Any = None
    stop_reason: Any = msgspec.field(default=msgspec.UNSET, name="stopReason")
    usage: Any = None
    error: Any = None


EVENT_WORDS = words_of(Completion, more=("done", "attribution-error", "function", "arguments", "name"))
COMPLETION = msgspec.json.Decoder(Completion)


def human(text: str) -> dict[str, Any]:
    """A user's message in Sourcegraph's form."""
    return {"speaker": "human", "text": text}


def usage_of(completion: Completion) -> Usage:
    """The token counts of a completion; None where it has none."""
    return token_usage(completion.usage)


def stop_reason_of(completion: Completion) -> str:
    """The stop reason, cleaned; "" if the event has no stop reason."""
    return finish_word(completion.stop_reason) if completion.stop_reason is not msgspec.UNSET else ""


def read_answer(wanted: Wanted, status: int, body: bytes) -> Answer:
    """Read the one JSON object that comes where no stream was asked for."""
    if (error := error_in_answer(RULES, status, body)) is not None:
        return error
    payload = read_json(COMPLETION, body)
    if isinstance(payload, Unreadable):
        return Answer(judged(RULES, Verdict.WRONG_BODY, "not-a-completion", payload.reason))
    if not isinstance(payload.completion, str):
        return Answer(judged(RULES, Verdict.WRONG_BODY, "not-a-completion", "JSON without a text in `completion`"))
    usage = usage_of(payload)
    outcome = AnswerOutcome(RULES, SOURCEGRAPH, wanted, whole=True)
    outcome.take(EventKind.TEXT, payload.completion)
    outcome.take(EventKind.REASONING, as_text(payload.delta_thinking))
    if payload.delta_tool_calls:
        outcome.take_tool()
    reason = stop_reason_of(payload)
    closing = outcome.closing((reason,), usage)
    good = judged(RULES, Verdict.COMPLETE, "answer", f"one whole answer, stopReason {reason or 'missing'}")
    return Answer(closing.judgement or good, payload.completion, usage, findings=closing.findings)
