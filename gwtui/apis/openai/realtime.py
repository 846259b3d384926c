"""OpenAI Realtime: one text response over a WebSocket at `/v1/realtime`, how to ask for it.

A session is set to answer in text, gets the question as items of its conversation, and is asked for a response. The
session of the preview, which Azure and some gateways still have, has other names for the same fields. It is what a
client gets that sends `OpenAI-Beta: realtime=v1`, or asks Azure for an `api-version`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from gwtui.apis.answers import error_in_answer, judged
from gwtui.apis.base import Answer, Ask, AskError, SocketAPI, StreamReader
from gwtui.apis.default_models import GPT_REALTIME, REALTIME_HARDLY_THINKS
from gwtui.apis.openai.events import ERROR_FORM
from gwtui.apis.openai.realtime_stream import EVENT_WORDS, RULES, RealtimeReader
from gwtui.apis.outcome import wanted_of
from gwtui.apis.requests import (
    EXAMPLE_PROMPT,
    EXAMPLE_URL,
    http_url,
    json_body,
    key_header,
    model_asked,
    unless_named,
    with_scheme,
)
from gwtui.framing.base import Framing
from gwtui.framing.messages import MESSAGES
from gwtui.framing.ndjson import NDJSON
from gwtui.model.enums import Kind
from gwtui.model.profile import Endpoint
from gwtui.model.verdicts import Verdict

BETA_HEADER = ("openai-beta", "realtime=v1")
UPGRADE = (("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"))
"""What asks for a WebSocket, beside a key of its own for each (RFC 6455 4.1)."""
TABLES = ("session", "response")
"""Tables of the question that an endpoint's `body` adds to."""


class OpenAIRealtime(SocketAPI):
    """A response of a session. The key is sent as a bearer token."""

    name = "openai-realtime"
    kind = Kind.COMPLETION
    framing: Framing = MESSAGES
    title = "OpenAI Realtime"
    default_path = "/v1/realtime?model={model}"
    default_model = GPT_REALTIME
    provider = "openai"
    snippet = Endpoint(name="realtime", api=name, url=EXAMPLE_URL, key="env:OPENAI_API_KEY")
    snippet_comment = "Each probe opens a WebSocket and asks for one answer in text."
    question_fields = frozenset({"items"})
    error_form = ERROR_FORM
    words = EVENT_WORDS

    def ask(self, endpoint: Endpoint, key: str | None) -> Ask:
        if not endpoint.stream:
            raise AskError("`stream`: this API has no other answers than streams; leave it out")
        if "model" in parse_qs(urlsplit(endpoint.url).query, keep_blank_values=True):
            raise AskError("`url` names a model: leave `model=` out of it and set `model`")
        own = _question(endpoint)
        more = endpoint.body if isinstance(endpoint.body, dict) else {}
        if wrong := [name for name in TABLES if not isinstance(more.get(name, {}), dict)]:
            raise AskError(f"`body.{wrong[0]}` must be a table")
        tables = {name: {**own.get(name, {}), **more.get(name, {})} for name in TABLES if name in own or name in more}
        body = json_body(endpoint, own, tables)
        url = with_scheme(http_url(endpoint, self), "ws", "wss")
        return Ask("GET", url, (*UPGRADE, *key_header(endpoint, key, "bearer")), body, switches=True)

    def messages(self, body: bytes) -> list[bytes]:
        question = msgspec.json.decode(body)
        items = [{"type": "conversation.item.create", "item": item} for item in question.get("items", ())]
        response = {"response": question["response"]} if question.get("response") else {}
        asked = (
            {"type": "session.update", "session": question.get("session", {})},
            *items,
            {"type": "response.create", **response},
        )
        return [msgspec.json.encode(message) for message in asked]

    def reader(self, endpoint: Endpoint) -> RealtimeReader:
        return RealtimeReader(model_asked(endpoint, self.default_model), wanted_of(endpoint))

    def answers(self, reader: StreamReader) -> bool:
        return not isinstance(reader, RealtimeReader) or reader.answers

    def closed(self, reader: StreamReader, words: str) -> None:
        if isinstance(reader, RealtimeReader):
            reader.closed(words)

    def told_headers(self, reader: StreamReader) -> tuple[tuple[str, str], ...]:
        return reader.limit_headers if isinstance(reader, RealtimeReader) else ()

    def answer(self, endpoint: Endpoint, status: int, body: bytes) -> Answer:
        """The answer to a handshake that opened no WebSocket, although its status is a good one."""
        if (error := error_in_answer(RULES, status, body)) is not None:
            return error
        words = f"HTTP {status} came in answer to the handshake instead of 101, which opens a WebSocket"
        return Answer(judged(RULES, Verdict.WRONG_BODY, "not-switched", words))


class SavedRealtime(OpenAIRealtime):
    """A response as clients save it: one message on each line."""

    framing = NDJSON


def is_beta(endpoint: Endpoint) -> bool:
    """Whether the endpoint asks for a session of the preview."""
    name, value = BETA_HEADER
    told = any(header.lower() == name and value in text.lower() for header, text in endpoint.headers.items())
    return told or "api-version=" in f"{endpoint.url}{endpoint.path or ''}"


def _question(endpoint: Endpoint) -> dict[str, Any]:
    """What is sent for the session, as items of its conversation, and for the response."""
    asked = endpoint.messages
    if asked is None:
        asked = ({"role": "user", "content": endpoint.prompt or EXAMPLE_PROMPT},)
    items = [_item(message, beta=is_beta(endpoint)) for message in asked]
    if is_beta(endpoint):
        session = {"modalities": ["text"], "max_response_output_tokens": endpoint.max_tokens}
        return {"session": session, "items": items}
    session = {"type": "realtime", "output_modalities": ["text"], **unless_named(endpoint, REALTIME_HARDLY_THINKS)}
    return {"session": session, "items": items, "response": {"max_output_tokens": endpoint.max_tokens}}


def _item(message: Mapping[str, Any], *, beta: bool) -> dict[str, Any]:
    """A message of a chat as an item of the conversation; what is an item already stays as it is."""
    if "type" in message:
        return dict(message)
    role, content = message.get("role", "user"), message.get("content")
    said = "text" if beta else "output_text"
    parts = [{"type": said if role == "assistant" else "input_text", "text": content}]
    return {"type": "message", "role": role, "content": parts if isinstance(content, str) else content}


OPENAI_REALTIME = OpenAIRealtime()
SAVED_REALTIME = SavedRealtime()
