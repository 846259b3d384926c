"""What comes in place of the API's own stream: another API's events, or a failure in words of the gateway's own."""

from __future__ import annotations

from gwtui.gateway.fault import answer_fault
from gwtui.model.verdicts import Verdict

FOREIGN = (
    answer_fault(
        "foreign-events",
        "Events of another API, as Workers AI sends them",
        Verdict.NOT_A_STREAM,
        "Workers AI",
        cut_after=0,
        insert='data: {"response":"Hello"}\n\ndata: {"response":" there"}\n\ndata: [DONE]\n\n',
    ),
    answer_fault(
        "unknown-events",
        "Events that are of no API",
        Verdict.NOT_A_STREAM,
        "none has `choices`",
        cut_after=0,
        insert='data: {"greeting":"Hello"}\n\n',
    ),
    answer_fault(
        "base-resp",
        "A status in place of an error, as MiniMax sends it",
        Verdict.ERROR_IN_STREAM,
        "rate limit reached",
        cut_after=0,
        insert='data: {"choices":null,"base_resp":{"status_code":1002,"status_msg":"rate limit reached"}}\n\n',
    ),
    answer_fault(
        "plain-error",
        "The stream ends in its middle with a plain line that says why",
        Verdict.TRUNCATED,
        "upstream failure: connection reset by peer",
        cut_after=4,
        insert="upstream failure: connection reset by peer\n",
        insert_after=4,
    ),
)
