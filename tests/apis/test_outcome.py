"""What the end of an answer is worth, the same for every API, for streams and for whole answers."""

from __future__ import annotations

from typing import Any

import pytest
from support.apis import SCRIPTS
from support.script import Script
from support.streams import answer_of, feed, named, names, unnamed

from gwtui.apis import SAVED_APIS, finish_reasons
from gwtui.apis.base import Usage
from gwtui.apis.finish_reasons import OPENAI, Ending, Vocabulary
from gwtui.apis.gemini.stream import UNSPECIFIED
from gwtui.apis.outcome import AnswerOutcome, Wanted, wanted_of
from gwtui.framing.base import FramedEvent
from gwtui.model.enums import EventKind, FindingName, Outcome
from gwtui.model.profile import Endpoint
from gwtui.model.verdicts import Verdict

VOCABULARIES = tuple(each for each in vars(finish_reasons).values() if isinstance(each, Vocabulary))
REASON_FIELDS = {words.field for words in VOCABULARIES}
COMPLETE, EMPTY, FAILED = Verdict.COMPLETE, Verdict.EMPTY, Verdict.ERROR_IN_STREAM
WRONG, NO_REASON = Verdict.WRONG_BODY, FindingName.NO_STOP_REASON
SILENT_APIS = {"workers-ai"}
"""Those whose answers lawfully have no finish reason."""
CODE = ("openai-completions", "fireworks", "sourcegraph-code")


def endpoint(api: str, **fields: Any) -> Endpoint:
    return Endpoint(name="e", api=api, url="http://h", **fields)


@pytest.mark.parametrize("words", VOCABULARIES, ids=lambda words: words.field)
def test_each_word_has_a_meaning_and_a_place_where_it_was_seen(words: Any) -> None:
    assert all(reason.seen for reason in words.reasons.values())
    for word in ("abort", "aborted", "cancelled", "error", "error_limit", "network_error", "MALFORMED_RESPONSE",
                 "insufficient_system_resource", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS"):  # fmt: skip
        assert words.fails(word), word
    assert not any(words.fails(word) for word in words.reasons)
    assert words.meaning("tired") is None


def outcome(*came: tuple[EventKind, str], wanted: Wanted = Wanted(256)) -> AnswerOutcome:  # noqa: B008 - frozen
    made = AnswerOutcome("x", OPENAI, wanted)
    for kind, text in came:
        made.take(kind, text)
    return made


THOUGHT, TEXT, BLANK = (EventKind.REASONING, "hm"), (EventKind.TEXT, "a"), (EventKind.TEXT, "\n\n")
TOOL = (EventKind.TOOL, "{}")
ENDS = [
    ("text", outcome(TEXT), "stop", Usage(), COMPLETE, None, ""),
    ("input tokens alone", outcome(), "stop", Usage(900, 0), EMPTY, None, "900 tokens in, 0 out"),
    ("reasoning alone", outcome(THOUGHT), "stop", Usage(9, 2048, 2048), EMPTY, None,
     "2,048 tokens of reasoning, no message"),
    ("uncounted reasoning", outcome(THOUGHT), "stop", Usage(), EMPTY, None, "2 characters of reasoning"),
    ("white space alone", outcome(BLANK), "stop", Usage(), EMPTY, None, "white space"),
    ("an unknown word and nothing", outcome(), "tired", Usage(), EMPTY, FindingName.UNKNOWN_FINISH_REASON, "tired"),
    ("an unknown word", outcome(TEXT), "tired", Usage(), COMPLETE, FindingName.UNKNOWN_FINISH_REASON, "tired"),
    ("the limit eaten by thinking", outcome(), "length", Usage(9, 253, 253), COMPLETE, FindingName.NO_VISIBLE_OUTPUT,
     "253 of 256 tokens were thinking; raise max_tokens"),
    ("the limit of someone else", outcome(), "length", Usage(9, 12, 12), COMPLETE, FindingName.NO_VISIBLE_OUTPUT,
     "the gateway's or the model's own"),
    ("a full window", outcome(), "model_length", Usage(9, 0), COMPLETE, FindingName.NO_VISIBLE_OUTPUT, "window"),
    ("filtered after text", outcome(TEXT), "content_filter", Usage(), COMPLETE, FindingName.FILTERED, "content_filter"),
    ("filtered before any", outcome(), "content_filter", Usage(), COMPLETE, FindingName.REFUSED, "content_filter"),
    ("a failure after text", outcome(TEXT), "abort", Usage(), FAILED, None, "abort"),
    ("a tool", outcome(TOOL), "tool_calls", Usage(), COMPLETE, None, ""),
    ("a tool unannounced", outcome(TOOL), "stop", Usage(), COMPLETE, FindingName.TOOL_UNANNOUNCED, "tool"),
    ("a stop for a tool that never came", outcome(TEXT), "tool_calls", Usage(), Verdict.OUT_OF_ORDER, None, "no tool"),
    ("a stop for a tool and nothing", outcome(), "tool_calls", Usage(), EMPTY, None, "tool_calls"),
    ("code that has nothing to add", outcome(wanted=Wanted(is_code=True)), "stop", Usage(9, 0), COMPLETE,
     FindingName.NOTHING_GENERATED, "at once"),
    ("code of white space", outcome(BLANK, wanted=Wanted(is_code=True)), "stop", Usage(), COMPLETE, None, ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "made", "word", "usage", "verdict", "finding", "says"), ENDS, ids=[e[0] for e in ENDS]
)
def test_what_an_end_is_worth(
    name: str, made: AnswerOutcome, word: str, usage: Usage, verdict: Verdict, finding: FindingName | None, says: str
) -> None:
    closing = made.closing([word], usage)
    assert (closing.judgement.verdict if closing.judgement else COMPLETE) is verdict
    assert names(closing.findings) == ([finding] if finding else [])
    told = [closing.judgement.reason] if closing.judgement else []
    assert says in " ".join([*told, *(finding.evidence for finding in closing.findings)])


def test_the_limit_is_the_one_that_was_sent() -> None:
    assert wanted_of(endpoint("openai-chat")).max_tokens == 256
    assert wanted_of(endpoint("openai-chat", body={"max_completion_tokens": 9})).max_tokens == 9
    assert wanted_of(endpoint("gemini", body={"generationConfig": {"maxOutputTokens": 7}})).max_tokens == 7


@pytest.mark.parametrize("script", SCRIPTS, ids=str)
def test_an_empty_stream_is_empty_whatever_is_counted(script: Any) -> None:
    """Completions of code may have nothing to add; a monitor of several models counts nothing."""
    reader = SAVED_APIS[script.api].reader(endpoint(script.api))
    feed(reader, script.empty)
    judgement, found = reader.end(), names(reader.findings)
    if script.api in CODE:
        assert (judgement.verdict, found[:1]) == (COMPLETE, [FindingName.NOTHING_GENERATED])
    else:
        assert judgement.verdict is EMPTY


def chunk(**fields: Any) -> FramedEvent:
    return unnamed({"choices": [{"index": 0, **fields}]})


START = named("message_start", message={"id": "m", "role": "assistant", "content": [], "model": "m", "usage": {}})
STREAMS: list[tuple[str, list[FramedEvent]]] = [
    ("openai-chat", [chunk(delta={"content": "a"}), chunk(delta={}, finish_reason="WORD")]),
    ("openai-completions", [chunk(text="a"), chunk(text="", finish_reason="WORD")]),
    ("fireworks", [chunk(text="a"), chunk(text="", finish_reason="WORD")]),
    ("anthropic-messages", [START, named("message_delta", delta={"stop_reason": "WORD"}), named("message_stop")]),
    ("gemini", [unnamed({"candidates": [{"content": {"parts": [{"text": "a"}]}, "finishReason": "WORD"}]})]),
    ("ollama-chat", [unnamed({"message": {"content": "a"}, "done": True, "done_reason": "WORD"})]),
    ("sourcegraph-stream", [FramedEvent("completion", '{"completion": "a", "stopReason": "WORD"}'),
                            FramedEvent("done", "{}")]),
    ("sourcegraph-code", [FramedEvent("completion", '{"completion": "a", "stopReason": "WORD"}'),
                          FramedEvent("done", "{}")]),
    ("openai-responses", [named("response.created"), named("response.incomplete", response={
        "incomplete_details": {"reason": "WORD"}})]),
    ("cohere-chat", [named("message-start"), named("message-end", delta={"finish_reason": "WORD"})]),
]  # fmt: skip


@pytest.mark.parametrize(("api", "events"), STREAMS, ids=[api for api, _ in STREAMS])
@pytest.mark.parametrize("word", ["abort", "cancelled", "network_error", "MALFORMED_RESPONSE"])
def test_a_word_of_failure_fails_in_every_api_and_is_quoted(api: str, events: list[FramedEvent], word: str) -> None:
    reader = SAVED_APIS[api].reader(endpoint(api))
    feed(reader, [FramedEvent(event.event, event.data.replace("WORD", word)) for event in events])
    judgement = reader.end()
    assert (judgement.verdict, word in judgement.reason) == (FAILED, True), judgement


HALF = [{"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a'}}]
WHOLES: list[tuple[str, dict[str, Any], Verdict, FindingName | None]] = [
    ("openai-chat", {"choices": [{"message": {"content": ""}, "finish_reason": "stop"}],
     "usage": {"prompt_tokens": 19, "completion_tokens": 3}}, EMPTY, None),
    ("openai-chat", {"choices": [{"message": {"reasoning_content": "hm"}, "finish_reason": "stop"}]}, EMPTY, None),
    ("openai-chat", {"choices": [{"message": {"content": "a"}, "finish_reason": "abort"}]}, Verdict.SERVER_ERROR, None),
    ("openai-chat", {"choices": [{"message": {"refusal": "no"}, "finish_reason": "stop"}]}, COMPLETE,
     FindingName.REFUSED),
    ("openai-chat", {"choices": [{"message": {"content": None}, "finish_reason": "length"}]}, COMPLETE,
     FindingName.NO_VISIBLE_OUTPUT),
    ("openai-completions", {"choices": [{"text": "", "finish_reason": "stop"}]}, COMPLETE,
     FindingName.NOTHING_GENERATED),
    ("anthropic-messages", {"content": [], "stop_reason": "end_turn", "usage": {"output_tokens": 2}}, EMPTY, None),
    ("anthropic-messages", {"content": [], "stop_reason": "refusal", "stop_details": {"explanation": "no"}}, COMPLETE,
     FindingName.REFUSED),
    ("anthropic-messages", {"content": [{"type": "tool_use"}], "stop_reason": "end_turn"}, COMPLETE,
     FindingName.TOOL_UNANNOUNCED),
    ("gemini", {"candidates": [{"finishReason": "UNEXPECTED_TOOL_CALL"}]}, Verdict.SERVER_ERROR, None),
    ("gemini", {"candidates": [{"finishReason": "OTHER"}]}, Verdict.SERVER_ERROR, None),
    ("gemini", {"candidates": [{"finishReason": "RECITATION"}]}, COMPLETE, FindingName.REFUSED),
    ("openai-responses", {"status": "completed", "output": [{"type": "reasoning"}],
     "usage": {"output_tokens": 2048}}, EMPTY, None),
    ("openai-responses", {"status": "incomplete", "output": [],
     "incomplete_details": {"reason": "max_output_tokens"}}, COMPLETE, FindingName.NO_VISIBLE_OUTPUT),
    ("sourcegraph-code", {"completion": "", "stopReason": "stop"}, COMPLETE, FindingName.NOTHING_GENERATED),
    ("sourcegraph-stream", {"completion": "", "stopReason": "stop"}, EMPTY, None),
    ("ollama-chat", {"message": {"thinking": "hm"}, "done": True, "done_reason": "stop", "eval_count": 9}, EMPTY, None),
    ("cohere-chat", {"message": {"content": []}, "finish_reason": "MAX_TOKENS"}, COMPLETE,
     FindingName.NO_VISIBLE_OUTPUT),
    ("openai-chat", {"choices": [{"message": {"tool_calls": HALF}, "finish_reason": "tool_calls"}]}, WRONG, None),
    ("openai-chat", {"choices": [{"message": {"tool_calls": HALF}, "finish_reason": "length"}]}, COMPLETE, None),
    ("openai-chat", {"choices": [{"message": {"function_call": {"name": "f", "arguments": "["}},
                                  "finish_reason": "function_call"}]}, WRONG, None),
    ("openai-responses", {"status": "completed", "output": [{"type": "function_call", "arguments": '{"a'}]}, WRONG,
     None),
    ("openai-responses", {"status": "incomplete", "output": [{"type": "function_call", "arguments": '{"a'}],
     "incomplete_details": {"reason": "max_output_tokens"}}, COMPLETE, None),
    ("cohere-chat", {"message": {"tool_calls": HALF}, "finish_reason": "TOOL_CALL"}, WRONG, None),
    ("cohere-chat", {"message": {"tool_calls": HALF}, "finish_reason": "MAX_TOKENS"}, COMPLETE, None),
]  # fmt: skip


def test_thinking_in_parts_of_the_content_is_named_where_nothing_else_came() -> None:
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]
    answer = answer_of("openai-chat", {"choices": [{"message": {"content": parts}, "finish_reason": "stop"}]})
    assert answer.judgement.verdict is EMPTY
    assert "2 characters of reasoning" in answer.judgement.reason


@pytest.mark.parametrize(("api", "body", "verdict", "finding"), WHOLES)
def test_whole_answers_are_judged_by_the_same_rules(
    api: str, body: dict[str, Any], verdict: Verdict, finding: FindingName | None
) -> None:
    answer = answer_of(api, body)
    assert answer.judgement.verdict is verdict, answer.judgement
    assert names(answer.findings)[:1] == ([finding] if finding else [])
    assert (finding is not None) <= (answer.judgement.verdict.outcome is Outcome.OK)


def replaced(value: Any, reason: object) -> Any:
    """The value with that finish reason wherever it has one; without any for `...`."""
    if isinstance(value, list):
        return [replaced(each, reason) for each in value]
    if not isinstance(value, dict):
        return value
    kept = {key: replaced(each, reason) for key, each in value.items() if key not in REASON_FIELDS}
    return kept | {key: reason for key in value.keys() & REASON_FIELDS if reason is not ...}


@pytest.mark.parametrize("script", [script for script in SCRIPTS if script.whole], ids=str)
@pytest.mark.parametrize("reason", [..., None, "", "null"], ids=repr)
def test_a_whole_answer_without_a_finish_reason_is_never_good_in_silence(script: Script, reason: object) -> None:
    assert answer_of(script.api, script.whole, "m").findings == ()
    answer = answer_of(script.api, replaced(script.whole, reason), "m")
    assert (answer.judgement.verdict, answer.text) == (COMPLETE, "ab"), answer.judgement
    assert names(answer.findings) == ([] if script.api in SILENT_APIS else [NO_REASON])


GOOD_CHOICE = {"message": {"content": "a"}, "finish_reason": "stop"}
GOOD_CANDIDATE = {"content": {"parts": [{"text": "a"}]}, "index": 0, "finishReason": "STOP"}
UNSAID: list[tuple[str, str, dict[str, Any], list[FindingName]]] = [
    ("one of two choices", "openai-chat", {"choices": [GOOD_CHOICE, {"message": {"content": "b"}}]}, [NO_REASON]),
    ("one of two candidates", "gemini", {"candidates": [GOOD_CANDIDATE, {"index": 1}]}, [NO_REASON]),
    ("no reason by its name", "gemini", {"candidates": [GOOD_CANDIDATE | {"finishReason": UNSPECIFIED}]}, [NO_REASON]),
    ("a refused prompt", "gemini", {"promptFeedback": {"blockReason": "SAFETY"}}, [FindingName.REFUSED]),
    ("OpenAI's form", "workers-ai", {"result": {"choices": [{"message": {"content": "a"}}]}}, [NO_REASON]),
    ("nothing visible", "openai-chat", {"choices": [{"message": {"content": ""}}]}, [NO_REASON]),
]  # fmt: skip


@pytest.mark.parametrize(("api", "body", "found"), [case[1:] for case in UNSAID], ids=[case[0] for case in UNSAID])
def test_a_finish_reason_is_due_for_each_part_and_not_for_a_refusal(
    api: str, body: dict[str, Any], found: list[FindingName]
) -> None:
    assert names(answer_of(api, body).findings) == found


def test_a_call_of_a_tool_in_another_shape_is_one() -> None:
    reader = SAVED_APIS["openai-chat"].reader(endpoint("openai-chat"))
    feed(reader, [chunk(delta={"content": "a", "tool_calls": {"function": {"name": "f"}}}),
                  chunk(delta={}, finish_reason="tool_calls"), unnamed("[DONE]")])  # fmt: skip
    assert reader.end().verdict is COMPLETE


def test_one_of_several_models_that_says_nothing_has_failed() -> None:
    events = [{"type": "start", "model": "a"}, {"type": "start", "model": "b"}]
    events += [{"type": "chunk", "model": "a", "content": "x"}, {"type": "done", "model": "a"}]
    events += [{"type": "done", "model": "b"}, {"type": "complete"}]
    reader = SAVED_APIS["compare-stream"].reader(endpoint("compare-stream", model="a,b"))
    feed(reader, map(unnamed, events))
    (found,) = reader.findings
    assert (found.name, "b: it ended without any content" in found.evidence) == (FindingName.MODEL_FAILED, True)


def test_failures_are_the_words_that_fail() -> None:
    assert {reason.ending for words in VOCABULARIES for reason in words.reasons.values()} == set(Ending) - {
        Ending.FAILED
    }
