"""OpenAI Chat Completions: `POST /v1/chat/completions`, and the many gateways that speak it."""

from __future__ import annotations

from typing import Any

import msgspec

from gwtui.apis.asking import http_url, json_body, key_header, model_asked
from gwtui.apis.base import Answer, Ask, Usage
from gwtui.apis.errors import body_error, error_reason
from gwtui.apis.models import model_differs
from gwtui.apis.openai_chat_stream import CUTTING, RULES, OpenAIChatReader, content_text
from gwtui.apis.payload import Unreadable, as_text, read_json
from gwtui.apis.tokens import count, spent
from gwtui.clean import clean
from gwtui.profile import Endpoint
from gwtui.verdicts import Judgement, Verdict
from gwtui.words import Kind

EXAMPLE_PROMPT = "Write a bubble sort in Python."


class _Message(msgspec.Struct):
    content: Any = None
    refusal: Any = None
    tool_calls: Any = None
    function_call: Any = None


class _Choice(msgspec.Struct):
    message: _Message | None = None
    finish_reason: Any = None


class _Answer(msgspec.Struct):
    model: Any = ""
    choices: list[_Choice] | None = None
    usage: Any = None


_ANSWER = msgspec.json.Decoder(_Answer)


class OpenAIChat:
    name = "openai-chat"
    kind = Kind.COMPLETION
    title = "OpenAI Chat Completions"
    default_path = "/v1/chat/completions"
    default_model = "gpt-4o-mini"

    def ask(self, endpoint: Endpoint, key: str | None) -> Ask:
        chosen = endpoint.body if isinstance(endpoint.body, dict) else {}
        question = {"role": "user", "content": endpoint.prompt or EXAMPLE_PROMPT}
        own: dict[str, Any] = {
            "model": endpoint.model or self.default_model,
            "messages": list(endpoint.messages) if endpoint.messages is not None else [question],
            "stream": endpoint.stream,
        }
        # The newer name of the same limit; the API refuses both at once.
        if "max_completion_tokens" not in chosen:
            own["max_tokens"] = endpoint.max_tokens
        if endpoint.stream:
            own["stream_options"] = {"include_usage": True}
        headers = (
            ("Content-Type", "application/json"),
            ("Accept", "text/event-stream" if endpoint.stream else "application/json"),
            *key_header(endpoint, key, "bearer"),
        )
        return Ask("POST", http_url(endpoint, self.default_path), headers, json_body(endpoint, own))

    def reader(self, endpoint: Endpoint) -> OpenAIChatReader:
        return OpenAIChatReader(model_asked(endpoint, self.default_model))

    def answer(self, endpoint: Endpoint, status: int, body: bytes) -> Answer:
        if (error := body_error(body)) is not None:
            return Answer(_judgement(error.verdict, "error-in-200", f"HTTP {status} with an error: {error}"))
        payload = read_json(_ANSWER, body)
        if isinstance(payload, Unreadable):
            return Answer(_judgement(Verdict.WRONG_BODY, "not-a-completion", payload.reason))
        messages = [choice.message for choice in payload.choices or () if choice.message is not None]
        if not messages:
            return Answer(_judgement(Verdict.WRONG_BODY, "not-a-completion", "JSON without a message in `choices`"))
        served = clean(as_text(payload.model))
        usage = Usage(count(payload.usage, "prompt_tokens"), count(payload.usage, "completion_tokens"))
        text = "".join(content_text(message.content) or as_text(message.refusal) for message in messages)
        called = any(message.tool_calls or message.function_call for message in messages)
        return Answer(
            _judge_answer(payload, bool(text or called), usage),
            text,
            usage,
            served,
            model_differs(model_asked(endpoint, self.default_model), served),
        )

    def error_reason(self, body: bytes) -> str:
        return error_reason(body)


def _judge_answer(payload: _Answer, has_content: bool, usage: Usage) -> Judgement:
    reasons = [clean(as_text(choice.finish_reason), 64) for choice in payload.choices or ()]
    told = ", ".join(filter(None, reasons)) or "missing"
    if "error" in reasons:
        return _judgement(Verdict.SERVER_ERROR, "finish-error", "finish_reason error")
    if not has_content and not CUTTING.intersection(reasons) and not spent(usage):
        return _judgement(Verdict.EMPTY, "no-content", f"finish_reason {told}, no content, no usage")
    return _judgement(Verdict.COMPLETE, "answer", f"one whole answer, finish_reason {told}")


def _judgement(verdict: Verdict, rule: str, reason: str) -> Judgement:
    return Judgement(verdict=verdict, rule=f"{RULES}.{rule}", reason=clean(reason))


OPENAI_CHAT = OpenAIChat()
