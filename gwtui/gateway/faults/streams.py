"""Streams that end too early or too late, carry errors, or have events missing, doubled, swapped or garbled."""

from __future__ import annotations

from typing import Any

from gwtui.gateway.fault import HALF_EVENT, TWO_STREAMS, Fault, answer_fault
from gwtui.model.enums import FindingName
from gwtui.model.verdicts import Verdict

IDLE = {"idle_s": 0.15}
FIRST_TOKEN = {"first_token_s": 0.15}


def _ending(
    name: str, says: str, verdict: Verdict, events: str, reason: str = "", /, after: int = 1, **fields: Any
) -> Fault:
    """The stream is cut after that number of events, and ends with others."""
    ends: dict[str, Any] = {"cut_after": after, "insert": f"{events}data: [DONE]\n\n", "insert_after": after}
    return answer_fault(name, says, verdict, reason, **ends, **fields)


ENDS = (
    answer_fault("truncated", "The stream ends cleanly in its middle", Verdict.TRUNCATED, "after event 4", cut_after=4),
    answer_fault("zero-events", "The stream is closed before its first event", Verdict.EMPTY, "no event", cut_after=0),
    _ending(
        "no-finish",
        "`[DONE]` comes without a finish reason: a gateway closed over a cut",
        Verdict.TRUNCATED,
        "",
        "done-without-finish",
        after=5,
    ),
    answer_fault(
        "comments",
        "Only comments, for ever",
        Verdict.STALLED,
        "no content",
        comments=100,
        gap_ms=20,
        stall_after=0,
        findings=(FindingName.KEEPALIVES_ONLY,),
        deadlines=FIRST_TOKEN,
    ),
    answer_fault(
        "comments-end",
        "A few comments, then a clean end",
        Verdict.EMPTY,
        "only 5 comments",
        comments=5,
        cut_after=0,
        findings=(FindingName.KEEPALIVES_ONLY,),
    ),
    answer_fault("comments-first", "Comments, and then a good stream", Verdict.COMPLETE, comments=5),
    answer_fault(
        "comment-between", "A comment inside a good stream", Verdict.COMPLETE, insert=": alive\n\n", insert_after=4
    ),
    answer_fault(
        "stall", "Silence in the middle of a stream", Verdict.STALLED, "no byte came", stall_after=5, deadlines=IDLE
    ),
    answer_fault(
        "heartbeats",
        "Empty deltas for ever, after some tokens",
        Verdict.STALLED,
        "events without content",
        insert='data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":""}}]}\n\n',
        insert_after=5,
        insert_times=100,
        gap_ms=20,
        stall_after=5,
        deadlines={"event_gap_s": 0.3},
    ),
    answer_fault(
        "open-after-end",
        "The response stays open after the end of the stream",
        Verdict.COMPLETE,
        "",
        stall_after=1_000_000,
        findings=(FindingName.OPEN_AFTER_END,),
    ),
    answer_fault(
        "no-last-blank",
        "The blank line of the last event is missing",
        Verdict.COMPLETE_UNTERMINATED,
        no_last_blank=True,
        findings=(FindingName.UNTERMINATED,),
    ),
    answer_fault(
        "huge-ttft",
        "Ten minutes to the first byte",
        Verdict.NO_FIRST_BYTE,
        "no byte came",
        ttft_ms=600_000,
        deadlines={"first_byte_s": 0.15},
    ),
    answer_fault(
        "slow-ttft",
        "Headers and keep-alives at once, the first token in ten minutes",
        Verdict.STALLED,
        "no content",
        comments=60,
        gap_ms=50,
        ttft_ms=600_000,
        findings=(FindingName.KEEPALIVES_ONLY,),
        deadlines=FIRST_TOKEN,
    ),
)


def _error(name: str, says: str, event: str, reason: str = "boom", /, **fields: Any) -> Fault:
    return answer_fault(
        f"error-{name}", says, Verdict.ERROR_IN_STREAM, reason, **{"error_after": 4, "error_event": event, **fields}
    )


ERRORS = (
    _error("object", "An error object, then the end", 'data: {"error":{"type":"server_error","message":"boom"}}\n\n'),
    _error("string", "An error that is a text", 'data: {"error":"boom"}\n\n'),
    _error("type", "An object of type error", 'data: {"type":"error","message":"boom"}\n\n'),
    _error(
        "done",
        "An error object, then `[DONE]`, as some proxies send",
        'data: {"error":{"message":"boom","code":500}}\n\ndata: [DONE]\n\n',
    ),
    _error("named", "An event named error, with a text", "event: error\ndata: boom\n\n"),
    _error(
        "finish",
        "A chunk with an error and finish_reason error",
        'data: {"id":"x","object":"chat.completion.chunk","error":{"code":502,"message":"boom"},'
        '"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}\n\n',
    ),
    _error(
        "bare",
        "A bare JSON error of several lines",
        '{\n  "error": {\n    "code": 503,\n    "message": "boom"\n  }\n}\n',
    ),
    _error(
        "first",
        "An error is the first event",
        'data: {"error":{"type":"server_error","message":"boom"}}\n\n',
        error_after=0,
    ),
)

ORDER = (
    answer_fault("reordered", "The first token comes before the role", Verdict.OUT_OF_ORDER, "role", swap_event=1),
    answer_fault(
        "index",
        "A token belongs to a choice that was not requested and never ends",
        Verdict.OUT_OF_ORDER,
        "choice-index",
        garble_event=4,
        garble="index",
    ),
    answer_fault(
        "after-end",
        "A token comes after `[DONE]`",
        Verdict.COMPLETE,
        after_end="token",
        findings=(FindingName.EVENTS_AFTER_END,),
    ),
    answer_fault(
        "tolerated",
        "`[DONE]` comes without a finish reason, and the endpoint tolerates that",
        Verdict.COMPLETE,
        cut_after=5,
        insert="data: [DONE]\n\n",
        insert_after=5,
        asks={"tolerate": ("openai.done-without-finish",)},
        findings=(FindingName.TOLERATED,),
    ),
    answer_fault("two-streams", "Two streams in one body", Verdict.COMPLETE, **TWO_STREAMS),
)

_CHUNK = 'data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":{%s},"finish_reason":%s}]}\n\n'


def _habit(name: str, says: str, event: str, finding: FindingName, after: int) -> Fault:
    return answer_fault(
        name, says, Verdict.COMPLETE, insert=event, insert_after=after, findings=(finding,), text="a b c"
    )


HABITS = (
    _habit(
        "finish-odd",
        'finish_reason is the text "null" before the end',
        _CHUNK % ('"content":" and"', '"null"'),
        FindingName.FINISH_ODD,
        3,
    ),
    _habit(
        "finish-twice",
        "The same finish_reason twice",
        _CHUNK % ("", '"stop"'),
        FindingName.FINISH_REPEATED,
        5,
    ),
    _habit(
        "foreign-chunk",
        "A chunk that has neither choices nor an error",
        'data: {"warning":"usage was not reported"}\n\n',
        FindingName.FOREIGN_CHUNK,
        3,
    ),
)
"""What loses nothing, and is a finding."""

FINISHES = (
    _ending(
        "finish-abort",
        "The finish reason is that of an engine that gave up",
        Verdict.ERROR_IN_STREAM,
        _CHUNK % ("", '"abort"'),
        "abort",
        after=4,
    ),
    _ending(
        "finish-unknown",
        "The finish reason is a word that is not known",
        Verdict.COMPLETE,
        _CHUNK % ("", '"sated"'),
        after=4,
        findings=(FindingName.UNKNOWN_FINISH_REASON,),
    ),
    _ending(
        "finish-filter",
        "A filter ends the answer in its middle",
        Verdict.COMPLETE,
        _CHUNK % ("", '"content_filter"'),
        "content_filter",
        after=4,
        findings=(FindingName.FILTERED,),
    ),
    _ending(
        "nothing-visible",
        "A natural end, and nothing visible before it",
        Verdict.EMPTY,
        _CHUNK % ("", '"stop"'),
        "nothing visible",
    ),
    _ending(
        "thinking-eats-limit",
        "The token limit is reached in the middle of thinking",
        Verdict.COMPLETE,
        _CHUNK % ('"reasoning_content":"hm"', "null") + _CHUNK % ("", '"length"'),
        findings=(FindingName.NO_VISIBLE_OUTPUT,),
    ),
    _ending(
        "refused",
        "The model refuses",
        Verdict.COMPLETE,
        _CHUNK % ('"refusal":"I cannot help with that."', "null") + _CHUNK % ("", '"stop"'),
        findings=(FindingName.REFUSED,),
    ),
    answer_fault(
        "error-late",
        "An error object after `[DONE]`",
        Verdict.COMPLETE,
        insert='data: {"error":{"type":"internal_error","message":"logging failed"}}\n\n',
        insert_after=1_000_000,
        findings=(FindingName.EVENTS_AFTER_END,),
    ),
)

GARBLED = (
    answer_fault("bad-json", "Half of one event's JSON is missing", Verdict.OUT_OF_ORDER, "bad-json", **HALF_EVENT),
    answer_fault(
        "deep-json",
        "JSON nested a hundred thousand deep",
        Verdict.OUT_OF_ORDER,
        "nested too deep",
        garble_event=4,
        garble="deep",
        findings=(FindingName.BAD_JSON,),
    ),
    answer_fault(
        "odd-numbers", "NaN, 1e999 and repeated keys in an event", Verdict.COMPLETE, garble_event=4, garble="numbers"
    ),
    answer_fault(
        "not-utf8",
        "Bytes that are not UTF-8 in an event",
        Verdict.COMPLETE,
        garble_event=4,
        garble="utf8",
        findings=(FindingName.DAMAGED,),
    ),
    answer_fault(
        "damaged-key",
        "A letter too many hides the content of an event",
        Verdict.DECODE_ERROR,
        "stream.damaged",
        garble_event=4,
        garble="key",
        findings=(FindingName.DAMAGED,),
    ),
    answer_fault(
        "damaged-line",
        "A lost letter takes an event out of the stream",
        Verdict.DECODE_ERROR,
        "stream.damaged",
        garble_event=4,
        garble="line",
        findings=(FindingName.DAMAGED,),
    ),
    answer_fault(
        "nul", "A NUL in the id of an event, which is then ignored", Verdict.COMPLETE, garble_event=4, garble="nul"
    ),
)

STREAMS = (*ENDS, *ERRORS, *ORDER, *HABITS, *FINISHES, *GARBLED)
