"""OpenAI Responses: `POST /v1/responses`, how to ask and how to read a whole answer."""

from __future__ import annotations

from typing import Any

from gwtui.apis.answers import error_in_answer, judged
from gwtui.apis.base import API, Answer, Ask
from gwtui.apis.errors import describe_error
from gwtui.apis.models import model_differs
from gwtui.apis.openai.events import ERROR_FORM
from gwtui.apis.openai.responses_events import RESPONSE, RULES, ResponseObject, output_of, usage_of
from gwtui.apis.openai.responses_stream import ResponsesReader
from gwtui.apis.payload import Unreadable, as_text, read_json
from gwtui.apis.requests import EXAMPLE_PROMPT, EXAMPLE_URL, http_url, json_body, json_headers, key_header, model_asked
from gwtui.apis.tokens import spent
from gwtui.framing.sse import SSE
from gwtui.model.enums import Kind
from gwtui.model.profile import Endpoint
from gwtui.model.verdicts import Judgement, Verdict
from gwtui.text.sanitize import clean


class OpenAIResponses(API):
    """Responses to an input. The key is sent as a bearer token."""

    name = "openai-responses"
    kind = Kind.COMPLETION
    framing = SSE
    title = "OpenAI Responses"
    default_path = "/v1/responses"
    default_model = "gpt-4o-mini"
    provider = "openai"
    snippet = Endpoint(name="responses", api=name, url=EXAMPLE_URL, key="env:OPENAI_API_KEY")
    error_form = ERROR_FORM

    def ask(self, endpoint: Endpoint, key: str | None) -> Ask:
        own: dict[str, Any] = {
            "model": endpoint.model or self.default_model,
            "input": endpoint.messages if endpoint.messages is not None else endpoint.prompt or EXAMPLE_PROMPT,
            "max_output_tokens": endpoint.max_tokens,
            "stream": endpoint.stream,
        }
        headers = (*json_headers(endpoint, self.framing), *key_header(endpoint, key, "bearer"))
        return Ask("POST", http_url(endpoint, self), headers, json_body(endpoint, own))

    def reader(self, endpoint: Endpoint) -> ResponsesReader:
        return ResponsesReader(model_asked(endpoint, self.default_model))

    def answer(self, endpoint: Endpoint, status: int, body: bytes) -> Answer:
        if (error := error_in_answer(RULES, status, body)) is not None:
            return error
        payload = read_json(RESPONSE, body)
        if isinstance(payload, Unreadable):
            return Answer(judged(RULES, Verdict.WRONG_BODY, "not-a-response", payload.reason))
        if not isinstance(payload.output, list):
            return Answer(judged(RULES, Verdict.WRONG_BODY, "not-a-response", "JSON without `output`"))
        asked, served = model_asked(endpoint, self.default_model), clean(as_text(payload.model))
        text, _ = output_of(payload)
        return Answer(_judge(payload), text, usage_of(payload), served, model_differs(asked, served))


def _judge(payload: ResponseObject) -> Judgement:
    status = clean(as_text(payload.status), 40) or "missing"
    if status in ("failed", "cancelled"):
        words = f"status {status}: {describe_error(payload.error)}" if payload.error else f"status {status}"
        return judged(RULES, Verdict.SERVER_ERROR, status, words)
    text, called = output_of(payload)
    if not text and not called and status != "incomplete" and not spent(usage_of(payload)):
        return judged(RULES, Verdict.EMPTY, "no-content", f"status {status}, no content, no usage")
    return judged(RULES, Verdict.COMPLETE, "answer", f"one whole answer, status {status}")


OPENAI_RESPONSES = OpenAIResponses()
