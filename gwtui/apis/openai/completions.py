"""OpenAI's legacy completions: `POST /v1/completions`, a prompt in and texts out, as many inference servers speak it.

A whole answer and a chunk of a stream have one shape here, so only the content type tells them apart.
"""

from __future__ import annotations

from typing import Any

from gwtui.apis import event_keys
from gwtui.apis.base import API, Answer, Ask
from gwtui.apis.openai.answer import read_completion
from gwtui.apis.openai.chat_stream import ANY_CHOICES, OpenAIReader
from gwtui.apis.openai.events import ERROR_FORM, EVENT_WORDS, ChunkForm, lacking
from gwtui.apis.outcome import wanted_of
from gwtui.apis.question import Talk, as_one_text
from gwtui.apis.requests import (
    EXAMPLE_URL,
    choices_asked,
    http_url,
    json_body,
    json_headers,
    key_header,
    model_asked,
    prompt_of,
)
from gwtui.framing.sse import SSE
from gwtui.model.enums import Kind
from gwtui.model.profile import Endpoint

RULES = "completions"
EXAMPLE_PROMPT = "def bubble_sort(arr):"


class OpenAICompletions(API):
    """Legacy completions of a prompt. The key is sent as a bearer token."""

    name = "openai-completions"
    kind = Kind.COMPLETION
    framing = SSE
    title = "OpenAI completions (legacy)"
    default_path = "/v1/completions"
    default_model = "gpt-3.5-turbo-instruct"
    provider = "openai"
    snippet = Endpoint(name="completions", api=name, url=EXAMPLE_URL, key="env:OPENAI_API_KEY")
    error_form = ERROR_FORM
    words = EVENT_WORDS
    event_keys = event_keys.CHUNKS
    any_answers = ANY_CHOICES

    def ask(self, endpoint: Endpoint, key: str | None) -> Ask:
        own: dict[str, Any] = {
            "model": endpoint.model or self.default_model,
            "prompt": prompt_of(endpoint, EXAMPLE_PROMPT),
            "max_tokens": endpoint.max_tokens,
            "stream": endpoint.stream,
        }
        if endpoint.stream:
            own["stream_options"] = {"include_usage": True}
        headers = (*json_headers(endpoint, self.framing), *key_header(endpoint, key, "bearer"))
        return Ask("POST", http_url(endpoint, self), headers, json_body(endpoint, own))

    def conversing(self, endpoint: Endpoint, talk: Talk) -> Endpoint:
        return as_one_text(endpoint, talk)

    def reader(self, endpoint: Endpoint) -> OpenAIReader:
        asked, wanted = model_asked(endpoint, self.default_model), wanted_of(endpoint, is_code=True)
        return OpenAIReader(asked, RULES, ChunkForm.TEXT, choices_asked(endpoint), wanted)

    def lacks(self, data: str) -> tuple[str, bool]:
        return lacking(data)

    def answer(self, endpoint: Endpoint, status: int, body: bytes) -> Answer:
        asked, wanted = model_asked(endpoint, self.default_model), wanted_of(endpoint, is_code=True)
        return read_completion(RULES, ChunkForm.TEXT, asked, wanted, status, body)


OPENAI_COMPLETIONS = OpenAICompletions()
