"""Workers AI, Cloudflare's own API: `POST .../accounts/ACCOUNT/ai/run/MODEL`, with the model in the path.

A stream has pieces in `response`, the token counts near its end and `[DONE]` last, which is all that proves the end.
Some models send OpenAI's chunks in their place. A whole answer is in `result`.
"""

from __future__ import annotations

from typing import Any

import msgspec

from gwtui.apis.addresses import MODEL
from gwtui.apis.answers import error_in_answer, judged
from gwtui.apis.base import API, Answer, Ask, Reading, Usage, words_of
from gwtui.apis.default_models import LLAMA_ON_WORKERS_AI
from gwtui.apis.errors import ErrorForm, is_error
from gwtui.apis.event_keys import PIECES
from gwtui.apis.finish_reasons import WORKERS_AI as WORDS
from gwtui.apis.finish_reasons import finish_word
from gwtui.apis.openai.answer import read_completion
from gwtui.apis.openai.chat_stream import OpenAIReader
from gwtui.apis.openai.events import DONE, ChunkForm
from gwtui.apis.outcome import ANYTHING, AnswerOutcome, Closing, Wanted, wanted_of
from gwtui.apis.payload import QUOTED, Unreadable, as_json, as_text, member, read_json
from gwtui.apis.requests import json_body, json_headers, key_header, messages_of, model_asked, url_of_model
from gwtui.apis.stream_notes import StreamNotes
from gwtui.apis.thought_tags import ThoughtTags
from gwtui.apis.tokens import merged, token_usage
from gwtui.framing.base import FramedEvent
from gwtui.framing.sse import SSE
from gwtui.model.enums import EventKind, FindingName, Kind
from gwtui.model.profile import Endpoint
from gwtui.model.records import Finding
from gwtui.model.verdicts import Judgement, Verdict

RULES = "workers-ai"
"""What the ids of this API's rules begin with."""


class WorkersAIEvent(msgspec.Struct):
    """An event, or the result of a whole answer. Leaves are untyped: what is wrong is said by a rule."""

    response: Any = None
    tool_calls: Any = None
    usage: Any = None
    finish_reason: Any = None
    choices: Any = None
    error: Any = None
    errors: Any = None


class _Envelope(msgspec.Struct):
    result: Any = None
    success: Any = None


PIECE = msgspec.json.Decoder(WorkersAIEvent)
_ENVELOPE = msgspec.json.Decoder(_Envelope)


class WorkersAIReader:
    """Follows one stream of Workers AI."""

    def __init__(self, asked: str, wanted: Wanted = ANYTHING) -> None:
        self._notes = StreamNotes(RULES, wanted.tolerate)
        self._outcome = AnswerOutcome(RULES, WORDS, wanted)
        self._tags = ThoughtTags()
        self._openai = OpenAIReader(asked, RULES, wanted=wanted)
        self._is_openai = False
        """Whether the stream is one of OpenAI's chunks."""
        self._pieces = 0
        self._usage = Usage()
        self._reason = ""
        self._done = False

    def event(self, event: FramedEvent) -> Reading:
        if self._is_openai:
            return self._openai.event(event)
        if (nothing := self._notes.begin(event)) is not None:
            return nothing
        if event.data.startswith(DONE):
            return self._terminator()
        piece = read_json(PIECE, event.data)
        if isinstance(piece, Unreadable):
            return self._notes.unreadable(event, piece)
        if isinstance(piece.choices, list) and self._notes.number == 1:
            self._is_openai = True
            return self._openai.event(event)
        if is_error(piece.error) or piece.errors or event.event == "error":
            return self._notes.error_event(event)
        if self._done:
            return self._notes.after_end("a piece", DONE)
        return self._piece(event, piece)

    def _terminator(self) -> Reading:
        if self._done:
            return self._notes.after_end("another [DONE]", DONE)
        self._done, self._notes.over = True, DONE
        return Reading(EventKind.STOP, DONE)

    def _piece(self, event: FramedEvent, piece: WorkersAIEvent) -> Reading:
        if piece == WorkersAIEvent():
            words = f"neither `response` nor an error: {event.data[:QUOTED]}"
            return Reading(EventKind.OTHER, "message", "", self._notes.note(FindingName.FOREIGN_CHUNK, words))
        self._pieces += 1
        if piece.usage:
            self._usage = merged(token_usage(piece.usage), self._usage)
        reason = finish_word(piece.finish_reason)
        self._reason = reason or self._reason
        note = self._notes.take_finish(WORDS, reason)
        kind, text = self._tags.classify(*generated(piece))
        self._outcome.take(kind, text)
        if text:
            return Reading(kind, "response", text, note)
        return Reading(EventKind.USAGE if piece.usage else EventKind.OTHER, "response", "", note)

    def ended(self) -> bool:
        return self._openai.ended() if self._is_openai else self._done or self._notes.error is not None

    @property
    def usage(self) -> Usage:
        return self._openai.usage if self._is_openai else self._usage

    @property
    def model_served(self) -> str:
        return self._openai.model_served

    @property
    def findings(self) -> tuple[Finding, ...]:
        if self._is_openai:
            return self._openai.findings
        closing = self._closing().findings if self._done and self._notes.error is None else ()
        return (*self._notes.findings, *closing)

    def _closing(self) -> Closing:
        return self._outcome.closing((self._reason,), self._usage)

    def end(self) -> Judgement:
        if self._is_openai:
            return self._openai.end()
        notes = self._notes
        if notes.error is not None:
            return notes.error
        if not self._pieces:
            return notes.nothing("no-response", "a piece")
        if not self._done:
            words = f"ended after event {notes.number}, {self._outcome.contents} pieces with content, without [DONE]"
            return notes.truncated("eof-before-done", words)
        good = notes.judgement(Verdict.COMPLETE, "done", f"[DONE] after {self._pieces} pieces")
        return notes.breach or self._closing().judgement or good


class WorkersAI(API):
    """Workers AI. The key is sent as a bearer token; the account is in the base URL."""

    name = "workers-ai"
    kind = Kind.COMPLETION
    framing = SSE
    title = "Cloudflare Workers AI"
    default_path = f"/ai/run/{MODEL}"
    default_model = LLAMA_ON_WORKERS_AI
    snippet = Endpoint(
        name=name,
        api=name,
        url="https://api.cloudflare.com/client/v4/accounts/ACCOUNT_ID",
        key="env:CLOUDFLARE_API_TOKEN",
    )
    snippet_comment = (
        "The account is in the URL. By way of AI Gateway the URL is "
        "https://gateway.ai.cloudflare.com/v1/ACCOUNT_ID/GATEWAY/workers-ai, and `path` is /{model}."
    )
    words = words_of(WorkersAIEvent, more=("function", "arguments", "name"))
    event_keys = PIECES
    error_form = ErrorForm('{"success": false, "errors": [{"code": ..., "message": "..."}]}')

    def ask(self, endpoint: Endpoint, key: str | None) -> Ask:
        own: dict[str, Any] = {
            "messages": messages_of(endpoint),
            "max_tokens": endpoint.max_tokens,
            "stream": endpoint.stream,
        }
        # Models have slashes in their names, which stay in the path.
        url = url_of_model(endpoint, self.default_path, model_asked(endpoint, self.default_model), unquoted="@/")
        headers = (*json_headers(endpoint, self.framing), *key_header(endpoint, key, "bearer"))
        return Ask("POST", url, headers, json_body(endpoint, own))

    def reader(self, endpoint: Endpoint) -> WorkersAIReader:
        return WorkersAIReader(model_asked(endpoint, self.default_model), wanted_of(endpoint))

    def answer(self, endpoint: Endpoint, status: int, body: bytes) -> Answer:
        if (error := error_in_answer(RULES, status, body)) is not None:
            return error
        envelope = read_json(_ENVELOPE, body)
        if isinstance(envelope, Unreadable):
            return Answer(judged(RULES, Verdict.WRONG_BODY, "no-result", envelope.reason))
        if not isinstance(envelope.result, dict) or envelope.success is False:
            return Answer(judged(RULES, Verdict.WRONG_BODY, "no-result", "JSON without `result`"))
        if "choices" in envelope.result:
            inner, asked = (
                as_json(envelope.result).encode("utf-8", "replace"),
                model_asked(endpoint, self.default_model),
            )
            return read_completion(RULES, ChunkForm.DELTA, asked, wanted_of(endpoint), status, inner)
        return _read(envelope.result, wanted_of(endpoint))


def _read(result: dict[str, Any], wanted: Wanted) -> Answer:
    """What is in the result of a whole answer."""
    if "response" not in result and "tool_calls" not in result:
        return Answer(judged(RULES, Verdict.WRONG_BODY, "no-result", "`result` without `response`"))
    response, reason = result.get("response"), finish_word(result.get("finish_reason"))
    text = as_json(response) if isinstance(response, dict | list) else as_text(response)
    usage, outcome = token_usage(result.get("usage")), AnswerOutcome(RULES, WORDS, wanted, whole=True)
    outcome.take(EventKind.TEXT, text)
    if result.get("tool_calls"):
        outcome.take_tool()
    closing = outcome.closing((reason,), usage)
    good = judged(RULES, Verdict.COMPLETE, "answer", "one whole answer")
    return Answer(closing.judgement or good, text, usage, findings=closing.findings)


def generated(piece: WorkersAIEvent) -> tuple[EventKind, str]:
    """What a piece of a stream holds; some models send digits as numbers."""
    if text := as_text(piece.response):
        return EventKind.TEXT, text
    calls = piece.tool_calls if isinstance(piece.tool_calls, list) else []
    return EventKind.TOOL, "".join(map(_call, calls))


def _call(call: object) -> str:
    """A piece of a call's arguments, or its name before those begin."""
    told = member(call, "function") or call
    arguments = member(told, "arguments")
    text = as_json(arguments) if isinstance(arguments, dict) else as_text(arguments)
    return text or as_text(member(told, "name"))


WORKERS_AI = WorkersAI()
