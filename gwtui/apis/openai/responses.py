"""OpenAI Responses: `POST /v1/responses`, how to ask and how to read a whole answer."""

from __future__ import annotations

from typing import Any

from gwtui.apis import event_keys
from gwtui.apis.answers import error_in_answer, judged
from gwtui.apis.base import API, Answer, Ask
from gwtui.apis.default_models import GPT, RESPONSES_DO_NOT_THINK
from gwtui.apis.dialogue import Dialogue
from gwtui.apis.errors import describe_error
from gwtui.apis.finish_reasons import RESPONSES, finish_word
from gwtui.apis.models import model_differs
from gwtui.apis.openai.events import ERROR_FORM
from gwtui.apis.openai.responses_dialogue import ResponsesDialogue
from gwtui.apis.openai.responses_events import EVENT_WORDS, RESPONSE, RULES, ResponseObject, cut_by, output_of, usage_of
from gwtui.apis.openai.responses_stream import ResponsesReader
from gwtui.apis.outcome import AnswerOutcome, Closing, Wanted, wanted_of
from gwtui.apis.payload import Unreadable, as_text, read_json
from gwtui.apis.requests import (
    EXAMPLE_PROMPT,
    EXAMPLE_URL,
    http_url,
    json_body,
    json_headers,
    key_header,
    model_asked,
    unless_named,
)
from gwtui.framing.sse import SSE
from gwtui.model.enums import EventKind, Kind
from gwtui.model.profile import Endpoint
from gwtui.model.verdicts import Verdict
from gwtui.text.sanitize import clean


class OpenAIResponses(API):
    """Responses to an input. The key is sent as a bearer token."""

    name = "openai-responses"
    kind = Kind.COMPLETION
    framing = SSE
    title = "OpenAI Responses"
    default_path = "/v1/responses"
    default_model = GPT
    provider = "openai"
    snippet = Endpoint(name="responses", api=name, url=EXAMPLE_URL, key="env:OPENAI_API_KEY")
    error_form = ERROR_FORM
    words = EVENT_WORDS
    event_keys = event_keys.RESPONSES
    dialogue: Dialogue | None = ResponsesDialogue()

    def ask(self, endpoint: Endpoint, key: str | None) -> Ask:
        own: dict[str, Any] = {
            "model": endpoint.model or self.default_model,
            "input": endpoint.messages if endpoint.messages is not None else endpoint.prompt or EXAMPLE_PROMPT,
            "max_output_tokens": endpoint.max_tokens,
            "stream": endpoint.stream,
            **unless_named(endpoint, RESPONSES_DO_NOT_THINK),
        }
        headers = (*json_headers(endpoint, self.framing), *key_header(endpoint, key, "bearer"))
        return Ask("POST", http_url(endpoint, self), headers, json_body(endpoint, own))

    def reader(self, endpoint: Endpoint) -> ResponsesReader:
        return ResponsesReader(model_asked(endpoint, self.default_model), wanted_of(endpoint))

    def answer(self, endpoint: Endpoint, status: int, body: bytes) -> Answer:
        if (error := error_in_answer(RULES, status, body)) is not None:
            return error
        payload = read_json(RESPONSE, body)
        if isinstance(payload, Unreadable):
            return Answer(judged(RULES, Verdict.WRONG_BODY, "not-a-response", payload.reason))
        if not isinstance(payload.output, list):
            return Answer(judged(RULES, Verdict.WRONG_BODY, "not-a-response", "JSON without `output`"))
        asked, served = model_asked(endpoint, self.default_model), clean(as_text(payload.model))
        told, text, usage = finish_word(payload.status), output_of(payload).text, usage_of(payload)
        if told in ("failed", "cancelled"):
            words = f"status {told}: {describe_error(payload.error)}" if payload.error else f"status {told}"
            return Answer(judged(RULES, Verdict.SERVER_ERROR, told, words), text, usage, served)
        closing = _closing(payload, cut_by(payload) if told == "incomplete" else told, wanted_of(endpoint))
        good = judged(RULES, Verdict.COMPLETE, "answer", f"one whole answer, status {told or 'missing'}")
        found = (*closing.findings, *model_differs(asked, served))
        return Answer(closing.judgement or good, text, usage, served, found)


def _closing(payload: ResponseObject, told: str, wanted: Wanted) -> Closing:
    """What the end of the answer says, whose status, or what cut it, is `told`."""
    outcome = AnswerOutcome(RULES, RESPONSES, wanted, whole=True)
    text, refusal, called, arguments = output_of(payload)
    outcome.take(EventKind.TEXT, text)
    outcome.refuse(refusal)
    if called:
        outcome.take_tool()
    for each in arguments:
        outcome.take_arguments(each)
    return outcome.closing((told,), usage_of(payload))


OPENAI_RESPONSES = OpenAIResponses()
