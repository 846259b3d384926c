"""Anthropic Messages: `POST /v1/messages`, and gateways that speak it, how to ask and how to read a whole answer."""

from __future__ import annotations

from typing import Any

import msgspec

from gwtui.apis import event_keys
from gwtui.apis.answers import error_in_answer, judged
from gwtui.apis.anthropic.dialogue import AnthropicDialogue
from gwtui.apis.anthropic.events import EVENT_WORDS, SILENT_BLOCKS, TOOL_BLOCKS, refusal_of
from gwtui.apis.anthropic.stream import RULES, AnthropicReader
from gwtui.apis.anthropic.tokens import MessageTokens
from gwtui.apis.base import API, Answer, Ask
from gwtui.apis.default_models import CLAUDE, CLAUDE_DOES_NOT_THINK
from gwtui.apis.dialogue import Dialogue
from gwtui.apis.errors import ErrorForm
from gwtui.apis.finish_reasons import ANTHROPIC, finish_word
from gwtui.apis.models import model_differs
from gwtui.apis.outcome import AnswerOutcome, wanted_of
from gwtui.apis.payload import Unreadable, as_text, read_json
from gwtui.apis.question import Talk, as_chat_beside_system
from gwtui.apis.requests import (
    EXAMPLE_URL,
    http_url,
    json_body,
    json_headers,
    key_header,
    messages_of,
    model_asked,
    unless_named,
)
from gwtui.framing.sse import SSE
from gwtui.model.enums import EventKind, Kind
from gwtui.model.profile import Endpoint
from gwtui.model.verdicts import Judgement, Verdict
from gwtui.text.sanitize import clean

VERSION = "2023-06-01"
EXAMPLE_PROMPT = "def bubble_sort(arr):"
OAUTH_PREFIX = "sk-ant-oat"
"""Keys that begin so are OAuth tokens, which go into `Authorization`."""


class _Block(msgspec.Struct):
    type: Any = ""
    text: Any = ""
    thinking: Any = ""


class _Answer(msgspec.Struct):
    type: Any = ""
    model: Any = ""
    content: list[_Block] | None = None
    stop_reason: Any = None
    stop_details: Any = None
    usage: Any = None


_ANSWER = msgspec.json.Decoder(_Answer)


class AnthropicMessages(API):
    """Anthropic Messages, and gateways that speak it. The key is sent as `x-api-key`."""

    name = "anthropic-messages"
    kind = Kind.COMPLETION
    framing = SSE
    title = "Anthropic Messages"
    default_path = "/v1/messages"
    default_model = CLAUDE
    provider = "anthropic"
    words = EVENT_WORDS
    event_keys = event_keys.MESSAGES
    dialogue: Dialogue | None = AnthropicDialogue()
    snippet = Endpoint(name="anthropic", api=name, url=EXAMPLE_URL, key="env:ANTHROPIC_API_KEY")
    error_form = ErrorForm(
        '{"type": "error", "error": {"type": ..., "message": ...}}', ("type", "message"), "Anthropic's", "error"
    )

    def ask(self, endpoint: Endpoint, key: str | None) -> Ask:
        own: dict[str, Any] = {
            "model": endpoint.model or self.default_model,
            "max_tokens": endpoint.max_tokens,
            "stream": endpoint.stream,
            "messages": conversation(endpoint),
            **unless_named(endpoint, CLAUDE_DOES_NOT_THINK),
        }
        headers = (
            *json_headers(endpoint, self.framing),
            ("anthropic-version", VERSION),
            *key_header(endpoint, key, "bearer" if (key or "").startswith(OAUTH_PREFIX) else "x-api-key"),
        )
        url = http_url(endpoint, self)
        return Ask("POST", url, headers, json_body(endpoint, own))

    def conversing(self, endpoint: Endpoint, talk: Talk) -> Endpoint:
        return as_chat_beside_system(endpoint, talk)

    def reader(self, endpoint: Endpoint) -> AnthropicReader:
        return AnthropicReader(self.model_expected(endpoint), wanted_of(endpoint))

    def model_expected(self, endpoint: Endpoint) -> str:
        """The model that is to answer; "" where the request does not name one."""
        return model_asked(endpoint, self.default_model)

    def answer(self, endpoint: Endpoint, status: int, body: bytes) -> Answer:
        if (error := error_in_answer(RULES, status, body)) is not None:
            return error
        payload = read_json(_ANSWER, body)
        if isinstance(payload, Unreadable):
            return Answer(judged(RULES, Verdict.WRONG_BODY, "not-a-message", payload.reason))
        if payload.content is None:
            return Answer(judged(RULES, Verdict.WRONG_BODY, "not-a-message", "JSON without `content`"))
        served = clean(as_text(payload.model))
        counts = MessageTokens()
        counts.take(payload.usage)
        usage = counts.usage
        text = "".join(as_text(block.text) for block in payload.content)
        closing = _outcome(payload, endpoint).closing((_stop_reason(payload),), usage)
        judgement = closing.judgement or _judged(payload)
        differs = model_differs(self.model_expected(endpoint), served)
        return Answer(judgement, text, usage, served, (*closing.findings, *differs))


def conversation(endpoint: Endpoint) -> list[dict[str, Any]]:
    """The endpoint's own, or one question."""
    return messages_of(endpoint, EXAMPLE_PROMPT)


def _outcome(payload: _Answer, endpoint: Endpoint) -> AnswerOutcome:
    """What came in the blocks."""
    outcome = AnswerOutcome(RULES, ANTHROPIC, wanted_of(endpoint), whole=True)
    outcome.refuse(refusal_of(payload.stop_details))
    for block in payload.content or ():
        outcome.take(EventKind.TEXT, as_text(block.text))
        outcome.take(EventKind.REASONING, as_text(block.thinking))
        if block.type in TOOL_BLOCKS:
            outcome.take_tool()
        elif isinstance(block.type, str) and block.type and block.type not in SILENT_BLOCKS:
            outcome.take_other()
    return outcome


def _stop_reason(payload: _Answer) -> str:
    return finish_word(payload.stop_reason)


def _judged(payload: _Answer) -> Judgement:
    words = f"one whole answer, stop_reason {_stop_reason(payload) or 'missing'}"
    return judged(RULES, Verdict.COMPLETE, "answer", words)


ANTHROPIC_MESSAGES = AnthropicMessages()
