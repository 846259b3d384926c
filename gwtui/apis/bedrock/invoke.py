"""Bedrock's InvokeModel: `POST /model/MODEL/invoke-with-response-stream`, and `/invoke` without streaming.

The path names the model, whose maker chose the form of the body (`forms`) and of the answer: of a stream, each frame
has one of its chunks in base64. Those of Claude are the events of Anthropic Messages, those of Nova the ones of
Converse, others have a text. By what form an answer is read, its first chunk says, and the model where that does not.
"""

from __future__ import annotations

import binascii
from typing import Any, Protocol

from gwtui.apis.addresses import MODEL
from gwtui.apis.anthropic.messages import AnthropicMessages
from gwtui.apis.anthropic.stream import AnthropicReader
from gwtui.apis.base import API, QUESTION_FIELDS, Answer, Ask, Reading, StreamReader, Usage
from gwtui.apis.bedrock import asking
from gwtui.apis.bedrock.converse import BEDROCK_CONVERSE
from gwtui.apis.bedrock.forms import MAKERS, fields_of, form_of, maker_of
from gwtui.apis.bedrock.stream import PAYLOAD, ConverseReader
from gwtui.apis.bedrock.text import TextAnswers, part_of
from gwtui.apis.default_models import CLAUDE_ON_BEDROCK
from gwtui.apis.outcome import wanted_of
from gwtui.apis.payload import Unreadable, as_json, as_text, read_json
from gwtui.apis.question import Talk
from gwtui.apis.requests import json_body, json_headers, model_asked
from gwtui.framing.base import FramedEvent
from gwtui.framing.event_stream import EVENT_STREAM
from gwtui.model.enums import Kind
from gwtui.model.profile import Endpoint
from gwtui.model.records import Finding
from gwtui.model.verdicts import Judgement


class Family(Protocol):
    """Models whose answers are alike."""

    def reader(self, endpoint: Endpoint) -> StreamReader:
        """A fresh reader for one stream."""

    def answer(self, endpoint: Endpoint, status: int, body: bytes) -> Answer:
        """Read a whole answer."""


class ClaudeReader(AnthropicReader):
    """Follows one stream of Claude, which an exception of Bedrock may break off."""

    def event(self, event: FramedEvent) -> Reading:
        return super().event(asking.exception_of(event) or event)


class _Claude(AnthropicMessages):
    """Claude's answers. An ARN does not name the model."""

    default_model = CLAUDE_ON_BEDROCK

    def reader(self, endpoint: Endpoint) -> ClaudeReader:
        return ClaudeReader(self.model_expected(endpoint), wanted_of(endpoint))

    def model_expected(self, endpoint: Endpoint) -> str:
        model = super().model_expected(endpoint)
        return "" if model.startswith("arn:") else model


CLAUDE, NOVA, TEXT = _Claude(), BEDROCK_CONVERSE, TextAnswers()
FAMILIES: dict[str, Family] = {"": CLAUDE, "Claude": CLAUDE, "Nova": NOVA}
"""By the maker of the model; those of all others have a text."""
MOST_UNREAD = 64
"""Events after which it does not matter any more what the first chunk calls for."""


class InvokeReader:
    """Follows one stream of InvokeModel, by the reader that its first chunk calls for."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._reader = _family_asked(endpoint).reader(endpoint)
        self._unread: list[FramedEvent] | None = []
        """What came before the first chunk that says whose it is; None from that on."""

    def event(self, event: FramedEvent) -> Reading:
        if asking.exception_of(event) is None:
            event = self._chunk(event)
        if self._unread is not None:
            self._unread = [*self._unread, event] if len(self._unread) < MOST_UNREAD else None
        return self._reader.event(event)

    def _chunk(self, event: FramedEvent) -> FramedEvent:
        """The chunk as an event with the name that its maker gave it."""
        data = _unwrapped(event.data)
        payload = read_json(PAYLOAD, data)
        if isinstance(payload, Unreadable):
            return FramedEvent("message", data)
        name = next(iter(payload.keys() & ConverseReader.NAMES), "")
        if self._unread is not None and (family := _family_in(payload)) is not None:
            self._reader = family.reader(self._endpoint)
            for each in self._unread:
                self._reader.event(each)
            self._unread = None
        if name and not payload.get("type"):
            return FramedEvent(name, as_json(payload[name]))
        return FramedEvent(as_text(payload.get("type")) or "message", data)

    def end(self) -> Judgement:
        return self._reader.end()

    def ended(self) -> bool:
        return self._reader.ended()

    @property
    def usage(self) -> Usage:
        return self._reader.usage

    @property
    def model_served(self) -> str:
        return self._reader.model_served

    @property
    def findings(self) -> tuple[Finding, ...]:
        return self._reader.findings


class BedrockInvoke(API):
    """Bedrock's InvokeModel. The key is a Bedrock API key, sent as a bearer token, or signs (`aws:`)."""

    name = "bedrock-invoke"
    kind = Kind.COMPLETION
    framing = EVENT_STREAM
    title = f"Bedrock InvokeModel ({', '.join(MAKERS)})"
    default_path = f"/model/{MODEL}/invoke-with-response-stream"
    whole_path = f"/model/{MODEL}/invoke"
    """The path where no stream is asked for."""
    default_model = CLAUDE_ON_BEDROCK
    snippet = Endpoint(name=name, api=name, url=asking.URL, key=asking.BEARER)
    snippet_comment = asking.COMMENT
    error_form = asking.FORM
    question_fields = QUESTION_FIELDS | {"inputText"}

    def ask(self, endpoint: Endpoint, key: str | None) -> Ask:
        url = asking.url(endpoint, self.default_path if endpoint.stream else self.whole_path, self.default_model)
        headers, signature = asking.authorization(endpoint, key, url)
        body = json_body(endpoint, *fields_of(endpoint, model_asked(endpoint, self.default_model)))
        return Ask("POST", url, (*json_headers(endpoint, self.framing), *headers), body, signature)

    def conversing(self, endpoint: Endpoint, talk: Talk) -> Endpoint:
        return form_of(model_asked(endpoint, self.default_model)).conversing(endpoint, talk)

    def reader(self, endpoint: Endpoint) -> InvokeReader:
        return InvokeReader(endpoint)

    def answer(self, endpoint: Endpoint, status: int, body: bytes) -> Answer:
        payload = read_json(PAYLOAD, body)
        found = None if isinstance(payload, Unreadable) else _family_in(payload)
        return (found or _family_asked(endpoint)).answer(endpoint, status, body)


def _family_asked(endpoint: Endpoint) -> Family:
    return FAMILIES.get(maker_of(model_asked(endpoint, CLAUDE_ON_BEDROCK)), TEXT)


def _family_in(payload: dict[str, Any]) -> Family | None:
    """The models of which a chunk, or a whole answer, is; None where it does not show."""
    if isinstance(payload.get("type"), str):
        return CLAUDE
    if "output" in payload or not ConverseReader.NAMES.isdisjoint(payload):
        return NOVA
    return TEXT if part_of(payload) is not None else None


def _unwrapped(data: str) -> str:
    """What the payload of a frame has in `bytes`; what cannot be unwrapped is left as it is."""
    payload = read_json(PAYLOAD, data)
    wrapped = None if isinstance(payload, Unreadable) else payload.get("bytes")
    if not isinstance(wrapped, str):
        return data
    try:
        return binascii.a2b_base64(wrapped, strict_mode=True).decode("utf-8", "replace")
    except ValueError:
        return wrapped


BEDROCK_INVOKE = BedrockInvoke()
