"""Bedrock's Converse: the true verdict for every way in which a stream can go, how it is asked, and whole answers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.framed import event_frame
from support.script import Script
from support.streams import Case, answer_of, check, decode, feed

from gwtui.apis import APIS
from gwtui.apis.base import AskError
from gwtui.apis.bedrock.stream import ConverseReader
from gwtui.framing.base import FramedEvent
from gwtui.model.enums import EventKind, FindingName
from gwtui.model.profile import Endpoint
from gwtui.model.verdicts import Verdict

API = APIS["bedrock-converse"]
URL = "https://bedrock-runtime.us-east-1.amazonaws.com"
USAGE = {"inputTokens": 9, "outputTokens": 2, "totalTokens": 11, "cacheReadInputTokens": 4}


def event(name: str, **fields: Any) -> FramedEvent:
    return FramedEvent(name, json.dumps({**fields, "p": "abc"}))


def delta(index: int = 0, **delta: Any) -> FramedEvent:
    return event("contentBlockDelta", contentBlockIndex=index, delta=delta)


def text(piece: str, index: int = 0) -> FramedEvent:
    return delta(index, text=piece)


def thought(piece: str, index: int = 0) -> FramedEvent:
    return delta(index, reasoningContent={"text": piece})


def tool(index: int = 0) -> FramedEvent:
    return event("contentBlockStart", contentBlockIndex=index, start={"toolUse": {"toolUseId": "x", "name": "now"}})


def arguments(piece: str, index: int = 0) -> FramedEvent:
    return delta(index, toolUse={"input": piece})


def stop(index: int = 0) -> FramedEvent:
    return event("contentBlockStop", contentBlockIndex=index)


def finish(reason: str | None = "end_turn") -> FramedEvent:
    return event("messageStop", **({"stopReason": reason} if reason else {}))


START = event("messageStart", role="assistant")
END = event("metadata", usage=USAGE, metrics={"latencyMs": 321})
SIGNED = delta(0, reasoningContent={"signature": "c2ln"})
ERROR = event("throttlingException", message="Too many requests, slow down")
TIMEOUT = event("modelTimeoutException", message="the model took too long")
COMPLETE, ORDER, CUT, EMPTY = Verdict.COMPLETE, Verdict.OUT_OF_ORDER, Verdict.TRUNCATED, Verdict.EMPTY
FAILED, OPEN = Verdict.ERROR_IN_STREAM, Verdict.COMPLETE_UNTERMINATED
GOOD = "bedrock.metadata"
CASES = [
    Case("as it should be", [START, text("a"), text("b"), stop(), finish(), END], COMPLETE, GOOD),
    Case(
        "thinking first",
        [START, thought("hm"), SIGNED, stop(), text("a", 1), stop(1), finish(), END],
        COMPLETE,
        GOOD,
    ),
    Case(
        "a tool call",
        [START, text("a"), stop(), tool(1), arguments("{", 1), arguments("}", 1), stop(1), finish("tool_use"), END],
        COMPLETE,
        GOOD,
    ),
    Case("a tool without arguments", [START, tool(), stop(), finish("tool_use"), END], COMPLETE, GOOD),
    Case("an empty block", [START, stop(), text("a", 1), stop(1), finish(), END], COMPLETE, GOOD),
    Case("the limit", [START, text("a"), finish("max_tokens"), END], COMPLETE, GOOD),
    Case(
        "the limit in thought",
        [START, thought("hm"), stop(), finish("max_tokens"), END],
        COMPLETE,
        GOOD,
        None,
        FindingName.NO_VISIBLE_OUTPUT,
    ),
    Case(
        "a guardrail",
        [START, text("no"), stop(), finish("guardrail_intervened"), END],
        COMPLETE,
        GOOD,
        None,
        FindingName.FILTERED,
    ),
    Case("no reason", [START, text("a"), stop(), finish(None), END], COMPLETE, GOOD, None, FindingName.NO_STOP_REASON),
    Case(
        "another reason",
        [START, text("a"), stop(), finish("x"), END],
        COMPLETE,
        GOOD,
        None,
        FindingName.UNKNOWN_FINISH_REASON,
    ),
    Case("output that cannot be read", [START, text("a"), stop(), finish("malformed_tool_use"), END], FAILED,
         "bedrock.error-event", 4),
    Case("nothing visible", [START, thought("hm"), stop(), finish(), END], EMPTY, "bedrock.no-content"),
    Case("nothing at all", [], EMPTY, "bedrock.no-message"),
    Case("only the counts", [END], EMPTY, "bedrock.no-message"),
    Case("no stop", [START, text("a"), stop()], CUT, "bedrock.eof-before-messageStop", 3),
    Case("counts over a cut", [START, text("a"), END], CUT, "bedrock.eof-before-messageStop", 3),
    Case("no counts", [START, text("a"), stop(), finish()], OPEN, "bedrock.no-metadata"),
    Case("throttled", [START, text("a"), ERROR], FAILED, "bedrock.error-event", 3),
    Case("a timeout first", [TIMEOUT], FAILED, "bedrock.error-event", 1),
    Case("no start", [text("a"), stop(), finish(), END], ORDER, "bedrock.no-messageStart", 1),
    Case("two starts", [START, START, text("a"), stop(), finish(), END], ORDER, "bedrock.second-messageStart", 2),
    Case("a block left open", [START, text("a"), finish(), END], ORDER, "bedrock.block-not-stopped", 3),
    Case("a block goes on", [START, text("a"), stop(), text("b"), stop(), finish(), END], ORDER,
         "bedrock.block-goes-on", 4),
    Case("a tool begun twice", [START, tool(), tool(), stop(), finish("tool_use"), END], ORDER,
         "bedrock.block-begun-twice", 3),
    Case("more after the stop", [START, text("a"), stop(), finish(), text("b", 1), END], ORDER,
         "bedrock.block-misplaced", 5),
    Case("half a tool call", [START, tool(), arguments('{"a"'), stop(), finish("tool_use"), END], ORDER,
         "bedrock.tool-json", 4),
    Case("half a tool call at the limit", [START, tool(), arguments("{"), finish("max_tokens"), END], COMPLETE, GOOD),
    Case("no tool", [START, text("a"), stop(), finish("tool_use"), END], ORDER, "bedrock.tool-missing"),
    Case(
        "another event",
        [START, event("newEvent"), text("a"), stop(), finish(), END],
        COMPLETE,
        GOOD,
        None,
        FindingName.UNKNOWN_EVENT,
    ),
    Case(
        "more after the end",
        [START, text("a"), stop(), finish(), END, text("b")],
        COMPLETE,
        GOOD,
        None,
        FindingName.EVENTS_AFTER_END,
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_true_verdict(case: Case) -> None:
    check(ConverseReader(), case)


@pytest.mark.parametrize(
    ("came", "kind", "text"),
    [
        (text("a"), EventKind.TEXT, "a"),
        (thought("hm"), EventKind.REASONING, "hm"),
        (SIGNED, EventKind.OTHER, ""),
        (arguments("{}"), EventKind.TOOL, "{}"),
        (tool(), EventKind.START, ""),
        (stop(), EventKind.STOP, ""),
        (finish(), EventKind.STOP, ""),
        (END, EventKind.USAGE, ""),
        (ERROR, EventKind.ERROR, ""),
    ],
)
def test_what_an_event_means(came: FramedEvent, kind: EventKind, text: str) -> None:
    reading = feed(ConverseReader(), [START]).event(came)
    assert (reading.kind, reading.text) == (kind, text)


def test_an_exception_is_named_and_quoted() -> None:
    reason = decode(b"".join(map(event_frame, (START, text("a"), ERROR))), API.name).judgement.reason
    assert "event 3 is an error: throttlingException: Too many requests, slow down" in reason


def test_tokens_count_what_was_cached_and_the_time_is_kept_with_the_headers() -> None:
    decoded = decode(b"".join(map(event_frame, (START, text("a"), stop(), finish(), END))), API.name)
    assert (decoded.usage.input_tokens, decoded.usage.output_tokens) == (13, 2)
    assert decoded.headers == {"latencyMs": "321.0 ms"}


def test_a_lost_byte_is_a_decode_error_that_says_where() -> None:
    frames = [event_frame(each) for each in (START, text("a"), text("b"), stop(), finish(), END)]
    damaged = b"".join((*frames[:2], frames[2][:50], frames[2][51:], *frames[3:]))
    judgement = decode(damaged, API.name).judgement
    assert judgement.verdict is Verdict.DECODE_ERROR
    assert f"frame 3, at byte {len(frames[0] + frames[1])} of the stream: the CRC of its frame is" in judgement.reason


def whole(reason: str = "end_turn", *content: dict[str, Any]) -> dict[str, Any]:
    message = {"role": "assistant", "content": list(content)}
    return {"output": {"message": message}, "stopReason": reason, "usage": USAGE, "metrics": {"latencyMs": 1}}


THOUGHT = {"reasoningContent": {"reasoningText": {"text": "hm"}}}


@pytest.mark.parametrize(
    ("body", "verdict", "rule"),
    [
        (whole("end_turn", THOUGHT, {"text": "ab"}), COMPLETE, "bedrock.answer"),
        (whole("tool_use", {"toolUse": {"name": "now", "input": {}}}), COMPLETE, "bedrock.answer"),
        (whole("end_turn", {"image": {}}), COMPLETE, "bedrock.answer"),
        (whole("max_tokens", THOUGHT), COMPLETE, "bedrock.answer"),
        (whole("end_turn", THOUGHT), EMPTY, "bedrock.no-content"),
        (whole("malformed_model_output", {"text": "ab"}), Verdict.SERVER_ERROR, "bedrock.finish-error"),
        ({"output": {}}, Verdict.WRONG_BODY, "bedrock.not-a-message"),
        ([], Verdict.WRONG_BODY, "bedrock.not-a-message"),
    ],
)
def test_whole_answers(body: object, verdict: Verdict, rule: str) -> None:
    answer = answer_of(API.name, body)
    assert (answer.judgement.verdict, answer.judgement.rule) == (verdict, rule), answer.judgement.reason
    assert answer.text in ("ab", "")


def test_how_it_is_asked() -> None:
    endpoint = Endpoint(name="e", api=API.name, url=URL, prompt="hi", max_tokens=7, key="env:K")
    ask = API.ask(endpoint, "k")
    assert ask.url == f"{URL}/model/us.amazon.nova-2-lite-v1%3A0/converse-stream"
    assert dict(ask.headers) == {
        "Content-Type": "application/json",
        "Accept": "application/vnd.amazon.eventstream",
        "Authorization": "Bearer k",
    }
    assert ask.signature is None
    assert json.loads(ask.body) == {
        "messages": [{"role": "user", "content": [{"text": "hi"}]}],
        "inferenceConfig": {"maxTokens": 7},
    }
    arn = "arn:aws:bedrock:us-east-1:1:application-inference-profile/x"
    asked = API.ask(Endpoint(name="e", api=API.name, url=URL, model=arn, stream=False), None)
    assert asked.url == f"{URL}/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Aapplication-inference-profile%2Fx/converse"
    with pytest.raises(AskError, match=r"`body\.inferenceConfig` must be a table"):
        API.ask(Endpoint(name="e", api=API.name, url=URL, body={"inferenceConfig": 7}), None)


@pytest.mark.parametrize(
    ("key", "url", "region"),
    [
        ("aws:", URL, "us-east-1"),
        ("aws:prod", "https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        ("aws:prod", "https://vpce-1.bedrock-runtime.eu-west-1.vpce.amazonaws.com", "eu-west-1"),
        ("aws:/eu-west-3", "http://127.0.0.1:1", "eu-west-3"),
        ("aws:prod/eu-west-3", URL, "eu-west-3"),
    ],
)
@pytest.mark.parametrize("api", ["bedrock-converse", "bedrock-invoke"])
def test_credentials_of_aws_sign_for_the_region(api: str, key: str, url: str, region: str) -> None:
    signature = APIS[api].ask(Endpoint(name="e", api=api, url=url, key=key), "ID:SECRET:").signature
    assert signature is not None
    assert (signature.service, signature.region, signature.credentials) == ("bedrock", region, "ID:SECRET:")
    assert "SECRET" not in repr(signature)


def test_a_signature_needs_a_region_and_only_bedrock_takes_one() -> None:
    with pytest.raises(AskError, match="write `aws:PROFILE/REGION`"):
        API.ask(Endpoint(name="e", api=API.name, url="https://gateway.example.com", key="aws:"), "ID:SECRET:")
    for name in ("openai-chat", "anthropic-messages", "http"):
        with pytest.raises(AskError, match="`aws:` signs requests"):
            APIS[name].ask(Endpoint(name="e", api=name, url="https://h", key="aws:"), None)


SCRIPTS = (
    Script(
        API.name,
        opening=(START,),
        content=(text("a"), text("b")),
        closing=(stop(),),
        finish=(finish(),),
        terminator=(END,),
        error=ERROR,
        empty=(START, stop(), finish(), END),
        whole=whole("end_turn", {"text": "ab"}),
        rare=(thought("hm"), SIGNED, tool(), arguments("{"), finish("max_tokens"), finish(None), TIMEOUT),
    ),
)
