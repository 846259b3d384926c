"""Gemini: `POST /v1beta/models/MODEL:streamGenerateContent?alt=sse`, and `:generateContent` without streaming."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import msgspec

from gwtui.apis import default_models, event_keys
from gwtui.apis.addresses import MODEL
from gwtui.apis.answers import error_in_answer, judged
from gwtui.apis.base import API, Answer, Ask, Usage
from gwtui.apis.dialogue import Dialogue
from gwtui.apis.errors import describe_error
from gwtui.apis.finish_reasons import GEMINI as WORDS
from gwtui.apis.finish_reasons import finish_word
from gwtui.apis.gemini.dialogue import GeminiDialogue
from gwtui.apis.gemini.stream import (
    EVENT_WORDS,
    MAX_CANDIDATES,
    RESPONSE,
    RULES,
    UNSPECIFIED,
    GeminiReader,
    GeminiResponse,
    generated,
    usage_of,
)
from gwtui.apis.models import model_differs
from gwtui.apis.outcome import AnswerOutcome, Wanted, wanted_of
from gwtui.apis.payload import Unreadable, as_text, read_json
from gwtui.apis.question import Talk, as_contents
from gwtui.apis.requests import (
    EXAMPLE_PROMPT,
    EXAMPLE_URL,
    json_body,
    json_headers,
    key_header,
    model_asked,
    table_of,
    url_of_model,
)
from gwtui.framing.sse import SSE
from gwtui.model.enums import FindingName, Kind
from gwtui.model.profile import Endpoint
from gwtui.model.records import Finding
from gwtui.model.verdicts import Verdict
from gwtui.text.sanitize import clean

_RESPONSES = msgspec.json.Decoder(list[GeminiResponse])


class Gemini(API):
    """Gemini's `generateContent`, streamed or not. The key is sent as `x-goog-api-key`."""

    name = "gemini"
    kind = Kind.COMPLETION
    framing = SSE
    title = "Gemini"
    default_path = f"/v1beta/models/{MODEL}:streamGenerateContent?alt=sse"
    whole_path = f"/v1beta/models/{MODEL}:generateContent"
    """The path where no stream is asked for."""
    default_model = default_models.GEMINI
    provider = "google"
    words = EVENT_WORDS
    event_keys = event_keys.CANDIDATES
    dialogue: Dialogue | None = GeminiDialogue()
    snippet = Endpoint(name="gemini", api=name, url=EXAMPLE_URL, key="env:GEMINI_API_KEY")
    any_answers = MappingProxyType({"generationConfig": {"candidateCount": MAX_CANDIDATES}})

    def ask(self, endpoint: Endpoint, key: str | None) -> Ask:
        question = {"role": "user", "parts": [{"text": endpoint.prompt or EXAMPLE_PROMPT}]}
        own: dict[str, Any] = {"contents": endpoint.messages if endpoint.messages is not None else [question]}
        settings = {"maxOutputTokens": endpoint.max_tokens, **table_of(endpoint, "generationConfig")}
        headers = (*json_headers(endpoint, self.framing), *key_header(endpoint, key, "x-goog-api-key"))
        return Ask("POST", self.url(endpoint), headers, json_body(endpoint, own, {"generationConfig": settings}))

    def conversing(self, endpoint: Endpoint, talk: Talk) -> Endpoint:
        return as_contents(endpoint, talk)

    def url(self, endpoint: Endpoint) -> str:
        """Where the request goes. Raises `AskError`."""
        model = model_asked(endpoint, self.default_model).removeprefix("models/")
        default = self.default_path if endpoint.stream else self.whole_path
        return url_of_model(endpoint, default, model)

    def reader(self, endpoint: Endpoint) -> GeminiReader:
        config = endpoint.body.get("generationConfig") if isinstance(endpoint.body, dict) else None
        candidates = config.get("candidateCount") if isinstance(config, dict) else None
        asked = model_asked(endpoint, self.default_model)
        return GeminiReader(asked, candidates if isinstance(candidates, int) else 1, wanted_of(endpoint))

    def answer(self, endpoint: Endpoint, status: int, body: bytes) -> Answer:
        if (error := error_in_answer(RULES, status, body)) is not None:
            return error
        responses = _responses(body)
        if isinstance(responses, Unreadable):
            return Answer(judged(RULES, Verdict.WRONG_BODY, "not-a-response", responses.reason))
        if (failed := next((response.error for response in responses if response.error), None)) is not None:
            return Answer(judged(RULES, describe_error(failed).verdict, "error-in-200", str(describe_error(failed))))
        if not any(response.candidates or response.block_reason for response in responses):
            return Answer(judged(RULES, Verdict.WRONG_BODY, "not-a-response", "JSON without `candidates`"))
        in_array = endpoint.stream and body.lstrip().startswith(b"[")
        asked, findings = model_asked(endpoint, self.default_model), (_NO_ALT_SSE,) if in_array else ()
        return _read(responses, asked, wanted_of(endpoint), findings)


_NO_ALT_SSE = Finding(
    name=FindingName.NO_ALT_SSE,
    evidence="an array of responses came, which is Gemini's stream in JSON",
)


def _responses(body: bytes) -> list[GeminiResponse] | Unreadable:
    """One response, or the array of them that streaming without `alt=sse` gives."""
    if body.lstrip().startswith(b"["):
        return read_json(_RESPONSES, body)
    one = read_json(RESPONSE, body)
    return one if isinstance(one, Unreadable) else [one]


def _read(responses: list[GeminiResponse], asked: str, wanted: Wanted, findings: tuple[Finding, ...]) -> Answer:
    outcome = AnswerOutcome(RULES, WORDS, wanted, whole=True)
    usage, served, text = Usage(), "", ""
    finished: dict[str, str] = {}
    blocked = ""
    for response in responses:
        usage = usage_of(response.usage, usage)
        served = clean(as_text(response.model)) or served
        for candidate in response.candidates or ():
            kind, piece = generated(candidate)
            outcome.take(kind, piece)
            text += piece if kind.is_visible else ""
            index, reason = as_text(candidate.index), finish_word(candidate.finish_reason)
            finished[index] = "" if reason == UNSPECIFIED else reason or finished.get(index, "")
        if response.block_reason:
            blocked = f"blockReason {response.block_reason}"
            outcome.refuse(f"the prompt was refused: {response.block_reason}")
    closing = outcome.closing(finished.values(), usage)
    told = ", ".join(sorted({*finished.values(), blocked} - {""})) or "missing"
    good = judged(RULES, Verdict.COMPLETE, "answer", f"one whole answer, finishReason {told}")
    found = (*findings, *closing.findings, *model_differs(asked, served))
    return Answer(closing.judgement or good, text, usage, served, found)


GEMINI = Gemini()
