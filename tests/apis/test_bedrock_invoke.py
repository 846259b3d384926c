"""Claude by Bedrock's InvokeModel: how it is asked, and the frames around Anthropic's events."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from apis.test_anthropic_stream import SCRIPTS as ANTHROPIC
from support.streams import feed

from gwtui.apis import APIS
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
)
