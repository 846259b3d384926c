"""Sourcegraph's code completions: `POST /.api/completions/code`, a prompt with a hole to fill.

The server streams only if `stream` is true, so it is always sent.
"""

from __future__ import annotations

from typing import Any

from gwtui.apis.base import API, Answer, Ask
from gwtui.apis.fill_in_middle import PROMPT, SAMPLING, STOP
from gwtui.apis.outcome import wanted_of
from gwtui.apis.question import Talk, as_speakers
from gwtui.apis.requests import http_url, json_body, json_headers, key_header
from gwtui.apis.sourcegraph import shared
from gwtui.apis.sourcegraph.reader import SourcegraphReader
from gwtui.framing.sse import SSE
from gwtui.model.enums import Kind
from gwtui.model.profile import Endpoint


class SourcegraphCode(API):
    """Code completions of an instance, which streams only when it is asked to."""

    name = "sourcegraph-code"
    kind = Kind.COMPLETION
    framing = SSE
    title = "Sourcegraph code completions"
    default_path = "/.api/completions/code"
    default_model = "fireworks::v1::starcoder"
    snippet = Endpoint(name="sourcegraph-code", api=name, url=shared.EXAMPLE_URL, stream=False, **shared.ACCESS_TOKEN)
    tells_usage = False
    words = shared.EVENT_WORDS

    def ask(self, endpoint: Endpoint, key: str | None) -> Ask:
        question = (shared.human(endpoint.prompt or PROMPT),)
        own: dict[str, Any] = {
            "model": endpoint.model or self.default_model,
            "messages": endpoint.messages if endpoint.messages is not None else question,
            "maxTokensToSample": endpoint.max_tokens,
            "stopSequences": STOP,
            **SAMPLING,
            "stream": endpoint.stream,
        }
        headers = (*json_headers(endpoint, self.framing), *shared.HEADERS, *key_header(endpoint, key, "token"))
        return Ask("POST", http_url(endpoint, self), headers, json_body(endpoint, own))

    def conversing(self, endpoint: Endpoint, talk: Talk) -> Endpoint:
        return as_speakers(endpoint, talk)

    def reader(self, endpoint: Endpoint) -> SourcegraphReader:
        return SourcegraphReader(wanted_of(endpoint, is_code=True))

    def answer(self, endpoint: Endpoint, status: int, body: bytes) -> Answer:
        return shared.read_answer(wanted_of(endpoint, is_code=True), status, body)


SOURCEGRAPH_CODE = SourcegraphCode()
