"""Cohere's chat: `POST /v2/chat`, how to ask and how to read a whole answer."""

from __future__ import annotations

from typing import Any

import msgspec

from gwtui.apis.answers import error_in_answer, judged
from gwtui.apis.base import API, Answer, Ask
from gwtui.apis.cohere.stream import (
    EVENT_WORDS,
    RULES,
    CohereReader,
    arguments_of,
    failure_of,
    finish_reason,
    generated,
    usage_of,
)
from gwtui.apis.default_models import COMMAND
from gwtui.apis.errors import ErrorForm
from gwtui.apis.finish_reasons import COHERE
from gwtui.apis.outcome import AnswerOutcome, wanted_of
from gwtui.apis.payload import Unreadable, read_json
from gwtui.apis.requests import http_url, json_body, json_headers, key_header, messages_of
from gwtui.framing.sse import SSE
from gwtui.model.enums import Kind
from gwtui.model.profile import Endpoint
from gwtui.model.verdicts import Verdict

_ANSWER = msgspec.json.Decoder(dict[str, Any])


class CohereChat(API):
    """Cohere's chat. The key is sent as a bearer token."""

    name = "cohere-chat"
    kind = Kind.COMPLETION
    framing = SSE
    title = "Cohere chat"
    default_path = "/v2/chat"
    default_model = COMMAND
    snippet = Endpoint(name="cohere", api=name, url="https://api.cohere.com", key="env:COHERE_API_KEY")
    snippet_comment = "Token counts are the model's own; what is billed leaves out the preamble that it adds itself."
    error_form = ErrorForm('{"message": "..."}', is_bare=True)
    words = EVENT_WORDS

    def ask(self, endpoint: Endpoint, key: str | None) -> Ask:
        own: dict[str, Any] = {
            "model": endpoint.model or self.default_model,
            "messages": messages_of(endpoint),
            "max_tokens": endpoint.max_tokens,
            "stream": endpoint.stream,
        }
        headers = (*json_headers(endpoint, self.framing), *key_header(endpoint, key, "bearer"))
        return Ask("POST", http_url(endpoint, self), headers, json_body(endpoint, own))

    def reader(self, endpoint: Endpoint) -> CohereReader:
        return CohereReader(wanted_of(endpoint))

    def answer(self, endpoint: Endpoint, status: int, body: bytes) -> Answer:
        if (error := error_in_answer(RULES, status, body)) is not None:
            return error
        payload = read_json(_ANSWER, body)
        if isinstance(payload, Unreadable):
            return Answer(judged(RULES, Verdict.WRONG_BODY, "not-a-message", payload.reason))
        message = payload.get("message")
        if not isinstance(message, dict):
            return Answer(judged(RULES, Verdict.WRONG_BODY, "not-a-message", "JSON without `message`"))
        usage = usage_of(payload.get("usage"))
        if (failure := failure_of(payload)) is not None:
            return Answer(judged(RULES, failure.verdict, "error-in-200", str(failure)), usage=usage)
        content = message.get("content")
        pieces = [generated(block) for block in content] if isinstance(content, list) else []
        text = "".join(piece for kind, piece in pieces if kind.is_visible)
        outcome, reason = AnswerOutcome(RULES, COHERE, wanted_of(endpoint), whole=True), finish_reason(payload)
        for kind, piece in pieces:
            outcome.take(kind, piece)
        if calls := message.get("tool_calls"):
            outcome.take_tool()
        for call in calls if isinstance(calls, list) else ():
            outcome.take_arguments(arguments_of(call))
        closing = outcome.closing((reason,), usage)
        good = judged(RULES, Verdict.COMPLETE, "message-end", f"one whole answer, finish_reason {reason or 'missing'}")
        return Answer(closing.judgement or good, text, usage, findings=closing.findings)


COHERE_CHAT = CohereChat()
