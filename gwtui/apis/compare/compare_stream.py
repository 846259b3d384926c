"""One question to several models at once: `POST /compare-stream`, their answers interleaved in one event stream.

No standard names its fields, so all names are in one table, which an endpoint may change:
`fields = { chunk = "delta", content = "text" }`. The models are those of `body.models`, or of `model`, with commas.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import msgspec

from gwtui.apis.answers import error_in_answer, judged
from gwtui.apis.base import API, Answer, Ask, AskError
from gwtui.apis.compare.reader import RULES, CompareReader, Names
from gwtui.apis.default_models import SEVERAL
from gwtui.apis.requests import EXAMPLE_PROMPT, EXAMPLE_URL, http_url, json_body, json_headers, key_header, models_asked
from gwtui.framing.sse import SSE
from gwtui.model.enums import Kind
from gwtui.model.profile import Endpoint
from gwtui.model.verdicts import Verdict
from gwtui.text.sanitize import clean


class CompareStream(API):
    """One question to several models, answered in one event stream. It does not answer whole."""

    name = "compare-stream"
    kind = Kind.COMPLETION
    framing = SSE
    title = "Several models in one stream"
    default_path = "/compare-stream"
    default_model = SEVERAL
    several_models = True
    words = frozenset(msgspec.structs.astuple(Names()))
    snippet = Endpoint(name="compare", api=name, url=EXAMPLE_URL, model="model-a,model-b")
    any_answers = MappingProxyType({"models": ()})

    def ask(self, endpoint: Endpoint, key: str | None) -> Ask:
        if not endpoint.stream:
            raise AskError("`stream`: this API only streams, leave it on")
        names = names_of(endpoint)
        own: dict[str, Any] = {names.models: models_asked(endpoint, self.default_model)}
        if endpoint.messages is not None:
            own[names.messages] = endpoint.messages
        else:
            own[names.prompt] = endpoint.prompt or EXAMPLE_PROMPT
        own[names.max_tokens] = endpoint.max_tokens
        headers = (*json_headers(endpoint, self.framing), *key_header(endpoint, key, "bearer"))
        return Ask("POST", http_url(endpoint, self), headers, json_body(endpoint, own))

    def reader(self, endpoint: Endpoint) -> CompareReader:
        return CompareReader(models_asked(endpoint, self.default_model), names_of(endpoint), endpoint.tolerate)

    def answer(self, endpoint: Endpoint, status: int, body: bytes) -> Answer:
        if (error := error_in_answer(RULES, status, body)) is not None:
            return error
        return Answer(judged(RULES, Verdict.WRONG_BODY, "not-a-stream", "this API only streams"))


def names_of(endpoint: Endpoint) -> Names:
    """The names that this endpoint uses. Raises `AskError` for an unknown name."""
    known = {field.name for field in msgspec.structs.fields(Names)}
    if unknown := sorted(endpoint.fields.keys() - known):
        raise AskError(f"`fields.{clean(unknown[0], 40)}`: unknown name; known: {', '.join(sorted(known))}")
    return Names(**endpoint.fields)


COMPARE_STREAM = CompareStream()
