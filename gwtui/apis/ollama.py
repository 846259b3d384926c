"""Ollama: `POST /api/chat` and `/api/generate`, one JSON object a line, and the last one has `"done": true`.

A local Ollama takes no key. How long a model stays in memory is `body = { keep_alive = "10m" }`; whether it thinks is
`body = { think = true }`. The last object says where the time went, by Ollama's own clock: `load_duration` is that
of a model that had to be loaded first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from gwtui.apis.answers import error_in_answer, judged
from gwtui.apis.base import API, Answer, Ask, Reading, Usage, words_of
from gwtui.apis.dialogue import Dialogue
from gwtui.apis.errors import ErrorForm, is_error
from gwtui.apis.finish_reasons import OLLAMA, finish_word
from gwtui.apis.models import model_differs
from gwtui.apis.ollama_dialogue import OllamaDialogue
from gwtui.apis.outcome import ANYTHING, AnswerOutcome, Closing, Wanted, wanted_of
from gwtui.apis.payload import QUOTED, Unreadable, as_json, as_text, read_json
from gwtui.apis.question import Talk, as_one_text
from gwtui.apis.requests import (
    http_url,
    json_body,
    json_headers,
    key_header,
    messages_of,
    model_asked,
    prompt_of,
    table_of,
)
from gwtui.apis.stream_notes import StreamNotes
from gwtui.apis.thought_tags import ThoughtTags
from gwtui.apis.tokens import count
from gwtui.framing.base import FramedEvent
from gwtui.framing.ndjson import NDJSON
from gwtui.model.enums import EventKind, FindingName, Kind
from gwtui.model.profile import Endpoint
from gwtui.model.records import Finding
from gwtui.model.verdicts import Judgement, Verdict
from gwtui.text.sanitize import clean

LOCAL = "http://127.0.0.1:11434"
RULES = "ollama"
"""What the ids of this API's rules begin with."""
TIMES = ("total_duration", "load_duration", "prompt_eval_duration", "eval_duration")


class Chat(msgspec.Struct):
    """An event, or a whole answer. Leaves are untyped: what is wrong with one is said by a rule, not by the decoder."""

    model: Any = None
    message: Any = None
    response: Any = None
    """The text of `/api/generate`, which has no message."""
    thinking: Any = None
    done: Any = None
    done_reason: Any = None
    error: Any = None
    prompt_eval_count: Any = None
    eval_count: Any = None
    total_duration: Any = None
    load_duration: Any = None
    prompt_eval_duration: Any = None
    eval_duration: Any = None

    @property
    def reason(self) -> str:
        """Why it is done, cleaned; "" where it does not say."""
        return finish_word(self.done_reason)

    @property
    def usage(self) -> Usage:
        fields = msgspec.structs.asdict(self)
        times = tuple((name, time_ns) for name in TIMES if (time_ns := count(fields, name)) is not None)
        return Usage(count(fields, "prompt_eval_count"), count(fields, "eval_count"), times_ns=times)


EVENT_WORDS = words_of(
    Chat, more=("role", "content", "tool_calls", "function", "arguments", "name", "images", "created_at", "context")
)
CHAT = msgspec.json.Decoder(Chat)


@dataclass(frozen=True, slots=True)
class OllamaForm:
    """What differs between the two APIs."""

    field: str
    """Where what it says stands."""
    message: Callable[[Chat], object]
    """What it says, as a message; None where nothing stands there."""
    question: Callable[[Endpoint], dict[str, Any]]
    """The fields of a request that hold what is asked. Raises `AskError`."""


def _message(chat: Chat) -> object:
    return chat.message if isinstance(chat.message, dict) else None


def _messages(endpoint: Endpoint) -> dict[str, Any]:
    return {"messages": messages_of(endpoint)}


def _response(chat: Chat) -> object:
    return {"content": chat.response, "thinking": chat.thinking} if isinstance(chat.response, str) else None


def _prompt(endpoint: Endpoint) -> dict[str, Any]:
    return {"prompt": prompt_of(endpoint)}


CHAT_FORM = OllamaForm("message", _message, _messages)
GENERATE_FORM = OllamaForm("response", _response, _prompt)


class OllamaReader:
    """Follows one stream of either API."""

    def __init__(self, asked: str, form: OllamaForm = CHAT_FORM, wanted: Wanted = ANYTHING) -> None:
        self._asked = asked
        self._form = form
        self._notes = StreamNotes(RULES, wanted.tolerate)
        self._outcome = AnswerOutcome(RULES, OLLAMA, wanted)
        self._served = ""
        self._last = Chat()
        """The object that says that it is done."""
        self._chats = 0
        self._tags = ThoughtTags()

    def event(self, event: FramedEvent) -> Reading:
        if (nothing := self._notes.begin(event)) is not None:
            return nothing
        chat = read_json(CHAT, event.data)
        if isinstance(chat, Unreadable):
            return self._notes.unreadable(event, chat)
        if is_error(chat.error):
            return self._notes.error_event(event)
        if self.done:
            return self._notes.after_end("message", "done")
        return self._chat(event, chat)

    def _chat(self, event: FramedEvent, chat: Chat) -> Reading:
        message = self._form.message(chat)
        if chat == Chat():
            words = f"neither `{self._form.field}` nor an error: {event.data[:QUOTED]}"
            return Reading(EventKind.OTHER, "message", "", self._notes.note(FindingName.FOREIGN_CHUNK, words))
        if message is None and chat.done is not True:
            note = self._notes.break_rule("wrong-form", f"no `{self._form.field}` in it")
            return Reading(EventKind.OTHER, "message", "", note)
        self._chats += 1
        self._served = clean(as_text(chat.model)) or self._served
        kind, text = self._tags.classify(*generated(message))
        self._outcome.take(kind, text)
        if chat.done is not True:
            return Reading(kind, "message", text)
        self._last, self._notes.over = chat, "done"
        note = self._notes.take_finish(OLLAMA, chat.reason)
        return Reading(kind if text else EventKind.STOP, "done", text, note)

    @property
    def done(self) -> bool:
        return self._last.done is True

    def ended(self) -> bool:
        return self.done or self._notes.error is not None

    @property
    def usage(self) -> Usage:
        return self._last.usage

    @property
    def model_served(self) -> str:
        return self._served

    @property
    def findings(self) -> tuple[Finding, ...]:
        closing = self._closing().findings if self.done and self._notes.error is None else ()
        return (*self._notes.findings, *closing, *model_differs(self._asked, self._served))

    def _closing(self) -> Closing:
        return self._outcome.closing((self._last.reason,), self.usage)

    def end(self) -> Judgement:
        notes = self._notes
        if notes.error is not None:
            return notes.error
        if not self._chats:
            return notes.nothing("no-message", "part of a chat")
        if not self.done:
            words = f"ended after event {notes.number}, {self._outcome.contents_text}, without done"
            return notes.truncated("eof-before-done", words)
        return notes.breach or self._closing().judgement or judge_done(self._last)


class Ollama(API):
    """What both APIs share. `max_tokens` is sent as `options.num_predict`; a key, if any, as a bearer token."""

    kind = Kind.COMPLETION
    framing = NDJSON
    default_model = "llama3.2"
    error_form = ErrorForm('{"error": "..."}')
    words = EVENT_WORDS
    form: OllamaForm

    def ask(self, endpoint: Endpoint, key: str | None) -> Ask:
        own: dict[str, Any] = {
            "model": endpoint.model or self.default_model,
            **self.form.question(endpoint),
            "stream": endpoint.stream,
        }
        options = {"options": {"num_predict": endpoint.max_tokens, **table_of(endpoint, "options")}}
        headers = (*json_headers(endpoint, self.framing), *key_header(endpoint, key, "bearer"))
        return Ask("POST", http_url(endpoint, self), headers, json_body(endpoint, own, options))

    def reader(self, endpoint: Endpoint) -> OllamaReader:
        return OllamaReader(model_asked(endpoint, self.default_model), self.form, _wanted(endpoint))

    def answer(self, endpoint: Endpoint, status: int, body: bytes) -> Answer:
        if (error := error_in_answer(RULES, status, body)) is not None:
            return error
        chat = read_json(CHAT, body)
        if isinstance(chat, Unreadable):
            return Answer(judged(RULES, Verdict.WRONG_BODY, "not-a-chat", chat.reason))
        if (message := self.form.message(chat)) is None:
            return Answer(judged(RULES, Verdict.WRONG_BODY, "not-a-chat", f"JSON without `{self.form.field}`"))
        if chat.done is not True:
            return Answer(judged(RULES, Verdict.WRONG_BODY, "not-done", "one part of a stream: it is not `done`"))
        kind, text = generated(message)
        served = clean(as_text(chat.model))
        differs = model_differs(model_asked(endpoint, self.default_model), served)
        outcome = AnswerOutcome(RULES, OLLAMA, _wanted(endpoint), whole=True)
        outcome.take(kind, text)
        closing = outcome.closing((chat.reason,), chat.usage)
        judgement = closing.judgement or judge_done(chat)
        shown = text if kind.is_visible else ""
        return Answer(judgement, shown, chat.usage, served, (*closing.findings, *differs))


def _wanted(endpoint: Endpoint) -> Wanted:
    """What is to go before a `suffix` is code."""
    body = endpoint.body if isinstance(endpoint.body, dict) else {}
    return wanted_of(endpoint, is_code="suffix" in body)


class OllamaChat(Ollama):
    """Ollama's own chat."""

    name = "ollama-chat"
    title = "Ollama chat"
    default_path = "/api/chat"
    form = CHAT_FORM
    dialogue: Dialogue | None = OllamaDialogue()
    snippet = Endpoint(name="ollama", api=name, url=LOCAL, model=Ollama.default_model)


class OllamaGenerate(Ollama):
    """Ollama's completion of one prompt. Text that is to follow the answer is `body = { suffix = "..." }`."""

    name = "ollama-generate"
    title = "Ollama generate"
    default_path = "/api/generate"
    form = GENERATE_FORM
    snippet = Endpoint(name=name, api=name, url=LOCAL, model=Ollama.default_model)

    def conversing(self, endpoint: Endpoint, talk: Talk) -> Endpoint:
        return as_one_text(endpoint, talk)


def judge_done(last: Chat) -> Judgement:
    """The verdict on a good answer whose end came."""
    told = f"done, done_reason {last.reason}" if last.reason else "done"
    return judged(RULES, Verdict.COMPLETE, "done", told)


def generated(message: object) -> tuple[EventKind, str]:
    """What a message holds; what a user sees goes before reasoning."""
    if not isinstance(message, dict):
        return EventKind.OTHER, ""
    if text := as_text(message.get("content")):
        return EventKind.TEXT, text
    if text := "".join(map(_call, _list(message.get("tool_calls")))):
        return EventKind.TOOL, text
    if text := as_text(message.get("thinking")):
        return EventKind.REASONING, text
    return EventKind.OTHER, ""


def _call(call: object) -> str:
    """The arguments of a tool call, which come whole; its name where it takes none."""
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict):
        return ""
    arguments = function.get("arguments")
    return as_json(arguments) if arguments else as_text(function.get("name"))


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


OLLAMA_CHAT = OllamaChat()
OLLAMA_GENERATE = OllamaGenerate()
