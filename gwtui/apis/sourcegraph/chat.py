"""Sourcegraph's chat completions: `POST /.api/completions/stream`.

Another version of the API is asked for in the path: `path = "/.api/completions/stream?api-version=2"`.
"""

from __future__ import annotations

from typing import Any

from gwtui.apis.base import API, Answer, Ask
from gwtui.apis.outcome import wanted_of
from gwtui.apis.question import Talk, as_speakers
from gwtui.apis.requests import http_url, json_body, json_headers, key_header
from gwtui.apis.sourcegraph import shared
from gwtui.apis.sourcegraph.reader import SourcegraphReader
from gwtui.framing.sse import SSE
from gwtui.model.enums import Kind
from gwtui.model.profile import Endpoint

EXAMPLE = (
    shared.human("def bubble_sort(arr):"),
    {"speaker": "assistant", "text": "Here is a bubble sort:"},
)


class SourcegraphStream(API):
    """Chat completions of an instance. The key is an access token, sent as `token KEY`."""

    name = "sourcegraph-stream"
    kind = Kind.COMPLETION
    framing = SSE
    title = "Sourcegraph chat completions"
    default_path = "/.api/completions/stream"
    default_model = "anthropic::2023-06-01::claude-3-haiku"
    snippet = Endpoint(name="sourcegraph-stream", api=name, url=shared.EXAMPLE_URL, **shared.ACCESS_TOKEN)
    tells_usage = False
    words = shared.EVENT_WORDS

    def ask(self, endpoint: Endpoint, key: str | None) -> Ask:
        own: dict[str, Any] = {
            "model": endpoint.model or self.default_model,
            "messages": _conversation(endpoint),
            "maxTokensToSample": endpoint.max_tokens,
            "temperature": 0.0,
            "stream": endpoint.stream,
        }
        headers = (*json_headers(endpoint, self.framing), *shared.HEADERS, *key_header(endpoint, key, "token"))
        return Ask("POST", http_url(endpoint, self), headers, json_body(endpoint, own))

    def conversing(self, endpoint: Endpoint, talk: Talk) -> Endpoint:
        return as_speakers(endpoint, talk)

    def reader(self, endpoint: Endpoint) -> SourcegraphReader:
        return SourcegraphReader(wanted_of(endpoint))

    def answer(self, endpoint: Endpoint, status: int, body: bytes) -> Answer:
        return shared.read_answer(wanted_of(endpoint), status, body)


def _conversation(endpoint: Endpoint) -> tuple[dict[str, Any], ...]:
    """The endpoint's own, or the example. Only the example model gets its prefilled answer: newer ones refuse that."""
    if endpoint.messages is not None:
        return endpoint.messages
    if endpoint.prompt is None and endpoint.model is None:
        return EXAMPLE
    return (shared.human(endpoint.prompt) if endpoint.prompt is not None else EXAMPLE[0],)


SOURCEGRAPH_STREAM = SourcegraphStream()
