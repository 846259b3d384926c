"""Fireworks completions behind Cody Gateway: `POST /v1/completions/fireworks`, a prompt with a hole to fill.

Fireworks itself is asked with `path = "/inference/v1/completions"`. Chunks of chats are read too.
"""

from __future__ import annotations

from typing import Any

from gwtui.apis import event_keys
from gwtui.apis.base import API, Answer, Ask
from gwtui.apis.fill_in_middle import PROMPT, SAMPLING, STOP
from gwtui.apis.openai.answer import read_completion
from gwtui.apis.openai.chat_stream import ANY_CHOICES, OpenAIReader
from gwtui.apis.openai.events import EVENT_WORDS, ChunkForm, lacking
from gwtui.apis.outcome import Wanted, wanted_of
from gwtui.apis.requests import EXAMPLE_URL, choices_asked, http_url, json_body, json_headers, key_header, model_asked
from gwtui.apis.sourcegraph.shared import HEADERS
from gwtui.framing.sse import SSE
from gwtui.model.enums import Kind
from gwtui.model.profile import Endpoint

RULES = "fireworks"
_FORM = ChunkForm.DELTA | ChunkForm.TEXT


class Fireworks(API):
    """Fireworks completions: a prompt, or messages. The key is sent as a bearer token."""

    name = "fireworks"
    kind = Kind.COMPLETION
    framing = SSE
    title = "Fireworks completions"
    default_path = "/v1/completions/fireworks"
    default_model = "starcoder"
    provider = "fireworks"
    event_keys = event_keys.CHUNKS
    snippet = Endpoint(
        name="fireworks",
        api=name,
        url=EXAMPLE_URL,
        path="/inference/v1/completions",
        model="accounts/fireworks/models/starcoder-7b",
        key="env:FIREWORKS_API_KEY",
    )
    any_answers = ANY_CHOICES
    words = EVENT_WORDS

    def ask(self, endpoint: Endpoint, key: str | None) -> Ask:
        own: dict[str, Any] = {
            "model": endpoint.model or self.default_model,
            "max_tokens": endpoint.max_tokens,
            "stop": STOP,
            **SAMPLING,
            "stream": endpoint.stream,
        }
        if endpoint.messages is not None:
            own["messages"] = endpoint.messages
        else:
            own["prompt"] = endpoint.prompt or PROMPT
        headers = (*json_headers(endpoint, self.framing), *HEADERS, *key_header(endpoint, key, "bearer"))
        return Ask("POST", http_url(endpoint, self), headers, json_body(endpoint, own))

    def reader(self, endpoint: Endpoint) -> OpenAIReader:
        asked = model_asked(endpoint, self.default_model)
        return OpenAIReader(asked, RULES, _FORM, choices_asked(endpoint), _wanted(endpoint))

    def lacks(self, data: str) -> tuple[str, bool]:
        return lacking(data)

    def answer(self, endpoint: Endpoint, status: int, body: bytes) -> Answer:
        asked = model_asked(endpoint, self.default_model)
        return read_completion(RULES, _FORM, asked, _wanted(endpoint), status, body)


def _wanted(endpoint: Endpoint) -> Wanted:
    """Code is what a prompt asks for; messages are a chat."""
    return wanted_of(endpoint, is_code=endpoint.messages is None)


FIREWORKS = Fireworks()
