"""Bedrock's InvokeModel: how each model is asked, and the frames around the chunks of its maker."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from apis.test_anthropic_stream import SCRIPTS as ANTHROPIC
from msgspec import structs
from support.script import Script
from support.streams import Case, answer_of, check, feed

from gwtui.apis import APIS
from gwtui.apis.base import AskError
from gwtui.framing.base import FramedEvent
from gwtui.model.enums import FindingName
from gwtui.model.profile import Endpoint
from gwtui.model.verdicts import Verdict

API = APIS["bedrock-invoke"]
URL = "https://bedrock-runtime.us-east-1.amazonaws.com"
(SCRIPT,) = ANTHROPIC


def chunk(event: FramedEvent) -> FramedEvent:
    """The frame around an event of Anthropic."""
    wrapped = base64.b64encode(event.data.encode("utf-8", "surrogatepass")).decode()
    return FramedEvent("chunk", json.dumps({"bytes": wrapped, "p": "abc"}))


def endpoint(**fields: Any) -> Endpoint:
    return Endpoint(name="e", api=API.name, **{"url": URL, **fields})


def test_the_path_names_the_model_and_the_body_only_the_version() -> None:
    ask = API.ask(endpoint(prompt="hi", max_tokens=7), "k")
    path = "/model/us.anthropic.claude-haiku-5-5/invoke-with-response-stream"
    assert ask.url == URL + path
    assert ("Authorization", "Bearer k") in ask.headers
    assert json.loads(ask.body) == {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 7,
        "messages": [{"role": "user", "content": "hi"}],
        "thinking": {"type": "disabled"},
    }
    assert API.ask(endpoint(stream=False, model="m"), None).url == f"{URL}/model/m/invoke"


def test_the_events_are_read_as_anthropics_and_an_exception_breaks_off() -> None:
    reader = API.reader(endpoint(model="m"))
    assert feed(reader, map(chunk, SCRIPT.good)).end().verdict is Verdict.COMPLETE
    assert reader.findings == ()
    failed = feed(API.reader(endpoint()), [*map(chunk, SCRIPT.opening), throttled()]).end()
    assert (failed.verdict, failed.event_number) == (Verdict.ERROR_IN_STREAM, 2)
    assert "throttlingException: slow down" in failed.reason


def throttled() -> FramedEvent:
    return FramedEvent("throttlingException", '{"message": "slow down"}')


@pytest.mark.parametrize(
    ("data", "finding"),
    [
        ('{"bytes": "no base64!"}', FindingName.BAD_JSON),
        ('{"bytes": "e30"}', FindingName.BAD_JSON),
        ('{"bytes": "', FindingName.BAD_JSON),
        ("[]", FindingName.BAD_JSON),
        ('{"bytes": 7}', FindingName.UNKNOWN_EVENT),
        ("{}", FindingName.UNKNOWN_EVENT),
    ],
)
def test_a_frame_without_an_event_is_told(data: str, finding: FindingName) -> None:
    reader = feed(API.reader(endpoint()), [*map(chunk, SCRIPT.opening), FramedEvent("chunk", data)])
    assert reader.end().verdict is Verdict.TRUNCATED
    assert finding in [each.name for each in reader.findings]


@pytest.mark.parametrize(
    ("model", "differs"),
    [
        ("us.anthropic.claude-x-20251001-v1:0", False),
        ("arn:aws:bedrock:us-east-1:1:application-inference-profile/x", False),
        ("us.anthropic.claude-y-20251001-v1:0", True),
    ],
)
def test_the_model_is_that_of_the_path_and_an_arn_names_none(model: str, differs: bool) -> None:
    start = FramedEvent("message_start", SCRIPT.opening[0].data.replace('"m"', '"claude-x-20251001"'))
    reader = feed(API.reader(endpoint(model=model)), [chunk(start)])
    assert (FindingName.MODEL_DIFFERS in [finding.name for finding in reader.findings]) is differs


MESSAGES = [{"role": "user", "content": "hi"}]
ASKED: list[tuple[str, dict[str, Any]]] = [
    ("us.anthropic.claude-x", {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 7, "messages": MESSAGES}),
    ("us.amazon.nova-2-lite-v1:0", {"messages": [{"role": "user", "content": [{"text": "hi"}]}],
                                    "inferenceConfig": {"maxTokens": 7}}),
    ("meta.llama3-1-8b-instruct-v1:0", {"max_gen_len": 7, "prompt": "<|start_header_id|>user<|end_header_id|>\n\nhi"
                                        "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"}),
    ("us.meta.llama4-scout-17b-instruct-v1:0", {"max_gen_len": 7, "prompt": "<|header_start|>user<|header_end|>\n\nhi"
                                                "<|eot|><|header_start|>assistant<|header_end|>\n\n"}),
    ("mistral.mixtral-8x7b-instruct-v0:1", {"prompt": "[INST] hi [/INST]", "max_tokens": 7}),
    ("us.mistral.pixtral-large-2502-v1:0", {"messages": MESSAGES, "max_tokens": 7}),
    ("amazon.titan-text-express-v1", {"inputText": "User: hi\nBot:", "textGenerationConfig": {"maxTokenCount": 7}}),
    ("arn:aws:bedrock:us-east-1:1:inference-profile/us.amazon.nova-pro-v1:0",
     {"messages": [{"role": "user", "content": [{"text": "hi"}]}], "inferenceConfig": {"maxTokens": 7}}),
    ("our-alias", {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 7, "messages": MESSAGES}),
]  # fmt: skip


@pytest.mark.parametrize(("model", "body"), ASKED)
def test_each_model_is_asked_in_the_form_of_its_maker(model: str, body: dict[str, Any]) -> None:
    assert json.loads(API.ask(endpoint(model=model, prompt="hi", max_tokens=7), None).body) == body


def test_the_fields_of_a_body_are_laid_over_those_of_any_form() -> None:
    asked = endpoint(model="amazon.titan-text-lite-v1", prompt="hi", body={"textGenerationConfig": {"topP": 0.5}})
    assert json.loads(API.ask(asked, None).body)["textGenerationConfig"] == {"maxTokenCount": 256, "topP": 0.5}
    no_limit = structs.replace(asked, omit=("max_tokens",))
    assert json.loads(API.ask(no_limit, None).body)["textGenerationConfig"] == {"topP": 0.5}
    own = "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nyo"
    marked = endpoint(model="meta.llama3-8b-instruct-v1:0", prompt=own, body={"temperature": 0.5})
    assert json.loads(API.ask(marked, None).body) == {"prompt": own, "max_gen_len": 256, "temperature": 0.5}


@pytest.mark.parametrize("model", ["deepseek.r1-v1:0", "us.deepseek.r1-v1:0", "ai21.jamba-1-5-mini-v1:0"])
def test_models_of_other_makers_are_for_converse(model: str) -> None:
    with pytest.raises(AskError, match=r"`model`: .*Claude, Nova, Llama, Mistral and Titan.*converse"):
        API.ask(endpoint(model=model), None)


def test_a_model_of_one_text_takes_no_messages() -> None:
    with pytest.raises(AskError, match="`messages`"):
        API.ask(endpoint(model="meta.llama3-8b-instruct-v1:0", messages=tuple(MESSAGES)), None)


METRICS: dict[str, Any] = {
    "amazon-bedrock-invocationMetrics": {"inputTokenCount": 5, "outputTokenCount": 2, "invocationLatency": 9}
}


def said(**fields: Any) -> FramedEvent:
    """The frame around a chunk."""
    return chunk(FramedEvent("chunk", json.dumps(fields)))


def llama(text: str, reason: str | None = None, made: int = 1, **more: Any) -> FramedEvent:
    counts = {"prompt_token_count": 5 if made == 1 else None, "generation_token_count": made}
    return said(generation=text, stop_reason=reason, **counts, **more)


def mistral(text: str, reason: str | None = None) -> FramedEvent:
    return said(outputs=[{"text": text, "stop_reason": reason}])


def pixtral(text: str, reason: str | None = None, **more: Any) -> FramedEvent:
    return said(
        choices=[{"index": 0, "message": {"role": "assistant", "content": text}, "stop_reason": reason}], **more
    )


def titan(text: str, reason: str | None = None, **more: Any) -> FramedEvent:
    return said(outputText=text, index=0, completionReason=reason, inputTextTokenCount=None, **more)


NOVA = [
    said(messageStart={"role": "assistant"}),
    said(contentBlockDelta={"delta": {"text": "ab"}, "contentBlockIndex": 0}),
    said(contentBlockStop={"contentBlockIndex": 0}),
    said(messageStop={"stopReason": "end_turn"}),
    said(metadata={"usage": {"inputTokens": 5, "outputTokens": 2}}, **METRICS),
]
COMPLETE, CUT, GOOD = Verdict.COMPLETE, Verdict.TRUNCATED, "bedrock.stop-reason"
CASES = [
    Case("Nova", NOVA, COMPLETE, "bedrock.metadata"),
    Case("Nova, cut", NOVA[:2], CUT, "bedrock.eof-before-messageStop", 2),
    Case("Llama", [llama("a"), llama("b", made=2), llama("", "stop", 2, **METRICS)], COMPLETE, GOOD),
    Case("Llama at its limit", [llama("a"), llama("b", "length", 2, **METRICS)], COMPLETE, GOOD),
    Case("Llama, cut", [llama("a"), llama("b", made=2)], CUT, "bedrock.eof-before-stop-reason", 2),
    Case("Llama, nothing", [llama("", "stop", 1, **METRICS)], Verdict.EMPTY, "bedrock.no-content"),
    Case("Llama, failed", [llama("a"), llama("", "error", 2)], Verdict.ERROR_IN_STREAM, "bedrock.error-event", 2),
    Case("Llama, throttled", [llama("a"), throttled()], Verdict.ERROR_IN_STREAM, "bedrock.error-event", 2),
    Case("Llama, another word", [llama("a"), llama("", "sated", 2)], COMPLETE, GOOD, None,
         FindingName.UNKNOWN_FINISH_REASON),
    Case("Llama, foreign", [llama("a"), said(x=1), llama("", "stop", 2)], COMPLETE, GOOD, None,
         FindingName.FOREIGN_CHUNK),
    Case("Llama, more", [llama("a"), llama("", "stop", 2), llama("b", made=3)], COMPLETE, GOOD, None,
         FindingName.EVENTS_AFTER_END),
    Case("Mistral", [mistral("a"), mistral("b"), mistral("", "stop"), said(**METRICS)], COMPLETE, GOOD),
    Case("Pixtral", [pixtral("a"), pixtral("b"), pixtral("", "stop", **METRICS)], COMPLETE, GOOD),
    Case("Titan", [titan("a"), titan("b", "FINISH", **METRICS)], COMPLETE, GOOD),
    Case("Titan, filtered", [titan("a"), titan("", "CONTENT_FILTERED", **METRICS)], COMPLETE, GOOD, None,
         FindingName.FILTERED),
    Case("Pixtral calls a tool", [said(choices=[{"message": {"content": "", "tool_calls": [{"id": "1"}]}}]),
                                  pixtral("", "tool_calls", **METRICS)], COMPLETE, GOOD),
    Case("as OpenAI's chunks", [said(choices=[{"delta": {"content": "a"}}]),
                                said(choices=[{"delta": {}, "finish_reason": "stop"}])], COMPLETE, GOOD),
    Case("no chunk", [], Verdict.EMPTY, "anthropic.no-message"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_answer_is_read_in_the_form_in_which_it_comes(case: Case) -> None:
    check(API.reader(endpoint(model="arn:aws:bedrock:us-east-1:1:application-inference-profile/x")), case)


@pytest.mark.parametrize("name", ["Nova", "Llama", "Mistral", "Pixtral", "Titan"])
def test_all_count_their_tokens(name: str) -> None:
    reader = feed(API.reader(endpoint()), next(case.events for case in CASES if case.name == name))
    assert (reader.usage.input_tokens, reader.usage.output_tokens) == (5, 2)
    assert reader.usage.times_ns == ((("invocationLatency", 9_000_000),) if name != "Nova" else ())
    assert reader.findings == ()


WHOLES: list[tuple[dict[str, Any], tuple[int | None, int | None]]] = [
    ({"output": {"message": {"content": [{"text": "ab"}]}}, "stopReason": "end_turn",
      "usage": {"inputTokens": 5, "outputTokens": 2}}, (5, 2)),
    ({"generation": "ab", "prompt_token_count": 5, "generation_token_count": 2, "stop_reason": "stop"}, (5, 2)),
    ({"outputs": [{"text": "ab", "stop_reason": "stop"}]}, (None, None)),
    ({"choices": [{"message": {"content": "ab"}, "stop_reason": "stop"}],
      "usage": {"prompt_tokens": 5, "completion_tokens": 2}}, (5, 2)),
    ({"choices": [{"message": {"content": "ab", "tool_calls": [{"id": "1"}]}, "stop_reason": "tool_calls"}]},
     (None, None)),
    ({"inputTextTokenCount": 5, "results": [{"tokenCount": 2, "outputText": "ab", "completionReason": "FINISH"}]},
     (5, 2)),
]  # fmt: skip


@pytest.mark.parametrize(("body", "tokens"), WHOLES)
def test_whole_answers_are_read_in_every_form(body: dict[str, Any], tokens: tuple[int | None, int | None]) -> None:
    answer = answer_of(API.name, body)
    assert (answer.judgement.verdict, answer.text, answer.findings) == (COMPLETE, "ab", ())
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == tokens


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        ({"generation": "", "stop_reason": "stop"}, Verdict.EMPTY),
        ({"generation": "a", "stop_reason": "error"}, Verdict.SERVER_ERROR),
        ({"x": 1}, Verdict.WRONG_BODY),
        ([], Verdict.WRONG_BODY),
        ({"outputs": []}, Verdict.EMPTY),
    ],
)
def test_whole_answers_that_are_none(body: object, verdict: Verdict) -> None:
    assert answer_of(API.name, body, "meta.llama3-8b-instruct-v1:0").judgement.verdict is verdict


SCRIPTS = (
    replace(
        SCRIPT,
        api=API.name,
        opening=tuple(map(chunk, SCRIPT.opening)),
        content=tuple(map(chunk, SCRIPT.content)),
        closing=tuple(map(chunk, SCRIPT.closing)),
        finish=tuple(map(chunk, SCRIPT.finish)),
        terminator=tuple(map(chunk, SCRIPT.terminator)),
        error=throttled(),
        empty=tuple(map(chunk, SCRIPT.empty)),
        rare=tuple(map(chunk, SCRIPT.rare)),
    ),
    Script(
        API.name,
        opening=(),
        content=(llama("a"), llama("b", made=2)),
        closing=(),
        finish=(llama("", "stop", 2),),
        terminator=(),
        error=throttled(),
        empty=(llama("", "stop"),),
        whole=WHOLES[1][0],
        lies={
            "cut right before its end is proved": CUT,
            "never a terminator": COMPLETE,
        },
        rare=(*NOVA, mistral("a", "stop"), pixtral("a", "length"), titan("a", "FINISH", **METRICS), said(**METRICS)),
    ),
)
