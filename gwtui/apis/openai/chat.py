"""OpenAI Chat Completions: `POST /v1/chat/completions`, and the many gateways that speak it."""

from __future__ import annotations

from typing import Any

from gwtui.apis import event_keys
from gwtui.apis.base import API, Answer, Ask
from gwtui.apis.default_models import CHATS_DO_NOT_THINK, GPT
from gwtui.apis.dialogue import Dialogue
from gwtui.apis.openai.answer import read_completion
from gwtui.apis.openai.chat_dialogue import ChatDialogue
from gwtui.apis.openai.chat_stream import ANY_CHOICES, RULES, OpenAIReader
from gwtui.apis.openai.events import ERROR_FORM, EVENT_WORDS, ChunkForm, lacking
from gwtui.apis.outcome import wanted_of
from gwtui.apis.requests import (
    EXAMPLE_URL,
    choices_asked,
    http_url,
    json_body,
    json_headers,
    key_header,
    messages_of,
    model_asked,
    unless_named,
)
from gwtui.apis.token_limit import CHAT_LIMITS, chat_limit
from gwtui.framing.sse import SSE
from gwtui.model.enums import Kind
from gwtui.model.profile import Endpoint


class OpenAIChat(API):
    """Chat completions, with the usage asked for. The key is sent as a bearer token."""

    name = "openai-chat"
    kind = Kind.COMPLETION
    framing = SSE
    title = "OpenAI Chat Completions"
    default_path = "/v1/chat/completions"
    default_model = GPT
    provider = "openai"
    snippet = Endpoint(name="openai", api=name, url=EXAMPLE_URL, key="env:OPENAI_API_KEY")
    any_answers = ANY_CHOICES
    limit_fields = CHAT_LIMITS
    error_form = ERROR_FORM
    words = EVENT_WORDS
    event_keys = event_keys.CHUNKS
    dialogue: Dialogue | None = ChatDialogue()

    def ask(self, endpoint: Endpoint, key: str | None) -> Ask:
        chosen = endpoint.body if isinstance(endpoint.body, dict) else {}
        own: dict[str, Any] = {
            "model": endpoint.model or self.default_model,
            "messages": messages_of(endpoint),
            "stream": endpoint.stream,
            **unless_named(endpoint, CHATS_DO_NOT_THINK),
        }
        if not any(name in chosen for name in self.limit_fields):
            own[chat_limit(model_asked(endpoint, self.default_model))] = endpoint.max_tokens
        if endpoint.stream:
            own["stream_options"] = {"include_usage": True}
        headers = (*json_headers(endpoint, self.framing), *key_header(endpoint, key, "bearer"))
        return Ask("POST", http_url(endpoint, self), headers, json_body(endpoint, own))

    def reader(self, endpoint: Endpoint) -> OpenAIReader:
        asked = model_asked(endpoint, self.default_model)
        return OpenAIReader(asked, choices=choices_asked(endpoint), wanted=wanted_of(endpoint))

    def lacks(self, data: str) -> tuple[str, bool]:
        return lacking(data)

    def answer(self, endpoint: Endpoint, status: int, body: bytes) -> Answer:
        asked = model_asked(endpoint, self.default_model)
        return read_completion(RULES, ChunkForm.DELTA, asked, wanted_of(endpoint), status, body)


OPENAI_CHAT = OpenAIChat()
