"""Text Generation Inference: `POST /generate_stream`, an event for each token, and `/generate` without streaming.

The last token comes with the whole text, and with why and after how many tokens it is the last, since `details` are
asked for. A server has one model; `model` names one of its LoRA adapters (`parameters.adapter_id`).
"""

from __future__ import annotations

from typing import Any

import msgspec

from gwtui.apis.answers import error_in_answer, judged
from gwtui.apis.base import API, Answer, Ask, Reading, Usage, words_of
from gwtui.apis.errors import ErrorForm, is_error
from gwtui.apis.event_keys import TOKENS
from gwtui.apis.finish_reasons import TGI as WORDS
from gwtui.apis.finish_reasons import finish_word
from gwtui.apis.outcome import ANYTHING, AnswerOutcome, Closing, Wanted, wanted_of
from gwtui.apis.payload import QUOTED, Unreadable, as_text, member, read_json
from gwtui.apis.question import Talk, as_one_text
from gwtui.apis.requests import json_body, json_headers, key_header, model_asked, prompt_of, table_of, url_of_model
from gwtui.apis.stream_notes import StreamNotes
from gwtui.apis.thought_tags import ThoughtTags
from gwtui.apis.tokens import count
from gwtui.framing.base import FramedEvent
from gwtui.framing.sse import SSE
from gwtui.model.enums import EventKind, FindingName, Kind
from gwtui.model.profile import Endpoint
from gwtui.model.records import Finding
from gwtui.model.verdicts import Judgement, Verdict

RULES = "tgi"
"""What the ids of this API's rules begin with."""


class Token(msgspec.Struct):
    """An event, or a whole answer. Leaves are untyped: what is wrong with one is said by a rule, not by the decoder."""

    index: Any = None
    token: Any = None
    generated_text: Any = None
    details: Any = None
    error: Any = None

    @property
    def reason(self) -> str:
        """Why it is the last, cleaned; "" where it does not say."""
        return finish_word(member(self.details, "finish_reason"))

    @property
    def usage(self) -> Usage:
        prefill = member(self.details, "prefill")
        sent = count(self.details, "input_length")
        if sent is None and isinstance(prefill, list) and prefill:
            sent = len(prefill)
        return Usage(sent, count(self.details, "generated_tokens"))


TOKEN = msgspec.json.Decoder(Token)
_ANSWERS = msgspec.json.Decoder(list[Token])


class TGIReader:
    """Follows one stream of tokens."""

    model_served = ""
    """The answer does not name its model."""

    def __init__(self, wanted: Wanted = ANYTHING) -> None:
        self._notes = StreamNotes(RULES, wanted.tolerate)
        self._outcome = AnswerOutcome(RULES, WORDS, wanted)
        self._tags = ThoughtTags()
        self._tokens = 0
        self._index: int | None = None
        self._last: Token | None = None

    def event(self, event: FramedEvent) -> Reading:
        if (nothing := self._notes.begin(event)) is not None:
            return nothing
        token = read_json(TOKEN, event.data)
        if isinstance(token, Unreadable):
            return self._notes.unreadable(event, token)
        if is_error(token.error):
            return self._notes.error_event(event)
        if self._last is not None:
            return self._notes.after_end("a token", "the last token")
        if token == Token():
            words = f"neither a token nor an error: {event.data[:QUOTED]}"
            return Reading(EventKind.OTHER, "message", "", self._notes.note(FindingName.FOREIGN_CHUNK, words))
        return self._token(token)

    def _token(self, token: Token) -> Reading:
        self._tokens += 1
        note = self._misplaced(token.index)
        if not isinstance(token.token, dict):
            note = note or self._notes.break_rule("wrong-form", "no `token` in it")
        is_special = member(token.token, "special") is True
        kind, text = self._tags.classify(EventKind.TEXT, "" if is_special else as_text(member(token.token, "text")))
        self._outcome.take(kind, text)
        if not isinstance(token.generated_text, str):
            return Reading(kind if text else EventKind.OTHER, "token", text, note)
        self._last, self._notes.over = token, "the last token"
        note = self._notes.take_finish(WORDS, token.reason) or note
        return Reading(kind if text else EventKind.STOP, "last token", text, note)

    def _misplaced(self, index: object) -> str:
        """Tokens are numbered one by one; old servers do not number them."""
        before, self._index = self._index, index if isinstance(index, int) else None
        if before is None or self._index is None or self._index == before + 1:
            return ""
        return self._notes.break_rule("token-index", f"token {index} where {before + 1} is due")

    def ended(self) -> bool:
        return self._last is not None or self._notes.error is not None

    @property
    def usage(self) -> Usage:
        return self._last.usage if self._last is not None else Usage()

    @property
    def findings(self) -> tuple[Finding, ...]:
        if self._last is None or self._notes.error is not None:
            return self._notes.findings
        return (*self._notes.findings, *self._closing().findings)

    def _closing(self) -> Closing:
        reason = self._last.reason if self._last is not None else ""
        return self._outcome.closing((reason,), self.usage)

    def end(self) -> Judgement:
        notes = self._notes
        if notes.error is not None:
            return notes.error
        if not self._tokens:
            return notes.nothing("no-token", "a token")
        if self._last is None:
            words = f"ended after event {notes.number}, {self._tokens} tokens, without `generated_text`"
            return notes.truncated("eof-before-generated_text", words)
        told = f"generated_text came, finish_reason {self._last.reason or 'missing'}"
        good = notes.judgement(Verdict.COMPLETE, "generated_text", told)
        return notes.breach or self._closing().judgement or good


class TextGenerationInference(API):
    """Text Generation Inference. A key, if any, is sent as a bearer token."""

    name = "tgi"
    kind = Kind.COMPLETION
    framing = SSE
    title = "Text Generation Inference"
    default_path = "/generate_stream"
    whole_path = "/generate"
    """The path where no stream is asked for."""
    default_model = ""
    snippet = Endpoint(name=name, api=name, url="http://127.0.0.1:8080")
    snippet_comment = "A server has one model; `model` chooses one of its LoRA adapters."
    words = words_of(Token, more=("text", "special", "logprob", "finish_reason", "generated_tokens", "top_tokens"))
    event_keys = TOKENS
    error_form = ErrorForm('{"error": "...", "error_type": "..."}')

    def ask(self, endpoint: Endpoint, key: str | None) -> Ask:
        model = model_asked(endpoint, self.default_model)
        adapter = {"adapter_id": model} if model else {}
        own: dict[str, Any] = {"inputs": prompt_of(endpoint)}
        asked = {"max_new_tokens": endpoint.max_tokens, "details": True, **adapter, **table_of(endpoint, "parameters")}
        url = url_of_model(endpoint, self.default_path if endpoint.stream else self.whole_path, model)
        headers = (*json_headers(endpoint, self.framing), *key_header(endpoint, key, "bearer"))
        return Ask("POST", url, headers, json_body(endpoint, own, {"parameters": asked}))

    def conversing(self, endpoint: Endpoint, talk: Talk) -> Endpoint:
        return as_one_text(endpoint, talk)

    def reader(self, endpoint: Endpoint) -> TGIReader:
        return TGIReader(wanted_of(endpoint, is_code=True))

    def answer(self, endpoint: Endpoint, status: int, body: bytes) -> Answer:
        if (error := error_in_answer(RULES, status, body)) is not None:
            return error
        answer = _one(body)
        if isinstance(answer, Unreadable):
            return Answer(judged(RULES, Verdict.WRONG_BODY, "not-generated", answer.reason))
        if not isinstance(answer.generated_text, str):
            return Answer(judged(RULES, Verdict.WRONG_BODY, "not-generated", "JSON without `generated_text`"))
        text, outcome = (
            answer.generated_text,
            AnswerOutcome(RULES, WORDS, wanted_of(endpoint, is_code=True), whole=True),
        )
        outcome.take(EventKind.TEXT, text)
        closing = outcome.closing((answer.reason,), answer.usage)
        good = judged(
            RULES, Verdict.COMPLETE, "answer", f"one whole answer, finish_reason {answer.reason or 'missing'}"
        )
        return Answer(closing.judgement or good, text, answer.usage, findings=closing.findings)


def _one(body: bytes) -> Token | Unreadable:
    """The answer, which the older path `/` puts into a list."""
    answer = read_json(TOKEN, body)
    if not isinstance(answer, Unreadable) or not isinstance(answer.value, list) or len(answer.value) != 1:
        return answer
    several = read_json(_ANSWERS, body)
    return several if isinstance(several, Unreadable) else several[0]


TGI = TextGenerationInference()
