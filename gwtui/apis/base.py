"""What every API module provides: how to ask, and how to read the answer. No sockets and no clock in this room.

An API is one module with one object of a class derived from `API`, listed in `gwtui.apis`. Whatever else is to be known
of an API stands in that object, so that no other room has to learn of a new one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from types import MappingProxyType
from typing import Any, Protocol

import msgspec

from gwtui.apis.dialogue import Dialogue
from gwtui.apis.errors import ErrorForm, error_reason
from gwtui.apis.event_keys import NO_KEYS, EventKeys
from gwtui.apis.question import Talk, as_chat, is_one_question, with_prompt
from gwtui.framing.base import FramedEvent, Framing
from gwtui.model.enums import EventKind, Kind
from gwtui.model.gateway_figures import NO_FIGURES, GatewayFigures
from gwtui.model.profile import Endpoint
from gwtui.model.records import Finding
from gwtui.model.verdicts import Judgement


@dataclass(frozen=True, slots=True)
class Signature:
    """How a request is to be signed when it is sent (AWS Signature Version 4)."""

    service: str
    region: str
    credentials: str = field(repr=False)
    """Access key id, secret key and session token, which may be empty, with colons between."""


@dataclass(frozen=True, slots=True)
class Ask:
    """An HTTP request to make, complete but for what the prober adds to each (ids, `Accept-Encoding`)."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    signature: Signature | None = None
    """None: the headers have whatever key there is."""
    switches: bool = False
    """The request opens a WebSocket, over which the question in `body` is put (`SocketAPI.messages`)."""


class Reading(msgspec.Struct, frozen=True, gc=False):
    """What one event of a stream meant. Name and note are clean; the text is as it came."""

    kind: EventKind
    name: str = ""
    """The event's name; where the API sends none, what its payload calls itself."""
    text: str = ""
    """Generated content, empty for all else."""
    note: str = ""
    """What is wrong or odd about it, or worth knowing; empty when nothing is."""
    model: str = ""
    """The model it came from, in a stream that carries several; clean."""
    moves: bool = False
    """Whether it shows that the answer goes on, where its kind does not say so."""

    @property
    def is_progress(self) -> bool:
        """Whether it shows that the answer goes on: content, starts and stops, but no sign of life."""
        return self.moves or self.kind.is_progress

    def noted(self, note: str) -> Reading:
        """The same with one more note."""
        return msgspec.structs.replace(self, note="; ".join(filter(None, (self.note, note))))


class Reasoning(Enum):
    """What a stream shows of the reasoning that is among its output tokens."""

    STREAMED = auto()
    """The reasoning itself, where any of it comes."""
    SUMMARISED = auto()
    """A summary: another number of tokens."""
    HIDDEN = auto()
    """Some of it is known to have been left out."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What an answer took, as the API reported it last; None where it did not."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    """All that was generated, reasoning included."""
    reasoning_tokens: int | None = None
    """Those of the output tokens that are reasoning, streamed or hidden."""
    reasoning: Reasoning = Reasoning.STREAMED
    cached_tokens: int | None = None
    """Those of the input tokens that were not read anew."""
    cost_usd: float | None = None
    """What the answer says that it cost, in US dollars."""
    times_ns: tuple[tuple[str, int], ...] = ()
    """Times by the API's own clock, under its own names for them, in ns. They are kept with the headers."""

    @property
    def told_times(self) -> dict[str, str]:
        """Those times as headers tell theirs, in ms: `{"load_duration": "12.3 ms"}`."""
        return {name: f"{time_ns / 1e6:.1f} ms" for name, time_ns in self.times_ns}


class StreamReader(Protocol):
    """Follows one stream event by event and judges it at its end. Never raises, whatever the bytes."""

    def event(self, event: FramedEvent) -> Reading:
        """Take the next event."""

    def end(self) -> Judgement:
        """Judge the stream as if the transport ended well here: the API's own rules and nothing else."""

    def ended(self) -> bool:
        """Whether nothing more is owed: the API's terminator was seen, or an error, which ends a stream too."""

    @property
    def usage(self) -> Usage: ...

    @property
    def model_served(self) -> str: ...

    @property
    def findings(self) -> tuple[Finding, ...]: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer that was read at once: an API that was not asked to stream, or that answered so anyway."""

    judgement: Judgement
    text: str = ""
    usage: Usage = Usage()
    model_served: str = ""
    findings: tuple[Finding, ...] = ()
    figures: GatewayFigures = NO_FIGURES
    """A gateway's own counters, where the answer is those."""


def words_of(*forms: type[msgspec.Struct], more: Iterable[str] = ()) -> frozenset[str]:
    """The keys of these forms, and more words."""
    keys = (field.encode_name for form in forms for field in msgspec.structs.fields(form))
    return frozenset((*keys, *more))


NO_FIELDS: Mapping[str, Any] = MappingProxyType({})
LIMIT_FIELDS = frozenset(
    {
        "max_tokens",
        "max_completion_tokens",
        "max_output_tokens",
        "maxTokensToSample",
        "maxOutputTokens",
        "maxTokens",
        "max_new_tokens",
        "max_response_output_tokens",
        "num_predict",
        "max_gen_len",
        "maxTokenCount",
    }
)
"""What the token limit of a request is called, at the top of its body or in nested settings."""
QUESTION_FIELDS = frozenset({"messages", "prompt", "input", "inputs", "contents"})


class API(Protocol):
    """One LLM API, or plain HTTP. What has a value here is right for most."""

    name: str
    """As `Endpoint.api` holds it."""
    kind: Kind
    framing: Framing
    """How its streams tell where an event ends; `WHOLE` where it has none."""
    title: str
    """For menus: `Anthropic Messages`."""
    default_path: str
    """After the base URL, where the endpoint has no path of its own."""
    default_model: str
    """Asked for where the endpoint names none."""
    snippet: Endpoint | None = None
    """The endpoint that `gwtui config add` puts into a profile: its name is the kind to ask for."""
    snippet_comment: str = ""
    """What is special about it, for the comment above it."""
    question_fields: frozenset[str] = QUESTION_FIELDS
    """Fields of the request's body that hold the question. Checks that ask their own drop them."""
    limit_fields: tuple[str, ...] = ()
    """Names that the token limit may have, where models differ in which one they take."""
    provider: str = ""
    """What gateways call the provider that they route it to; empty where that depends on the model."""
    several_models: bool = False
    """Whether one request asks several models at once, named with commas between."""
    any_answers: Mapping[str, Any] = NO_FIELDS
    """Fields of a request's body that allow as many answers as can be: a capture does not show what was asked for."""
    words: frozenset[str] = frozenset()
    """The keys of its events and the types that those may have: `damage` looks for these where a letter is off."""
    event_keys: EventKeys = NO_KEYS
    """What the data of its events must have."""
    tells_usage: bool = True
    """Whether an answer without token counts lacks something."""
    dialogue: Dialogue | None = None
    """How its conversations go on; None where gwtui cannot lead one."""
    error_form: ErrorForm = ErrorForm()
    """What a well-formed refusal looks like."""

    def ask(self, endpoint: Endpoint, key: str | None) -> Ask:
        """The request for this endpoint. Raises `AskError` when the endpoint cannot be asked so."""

    def asking(self, endpoint: Endpoint, talk: Talk) -> Endpoint:
        """The endpoint with this conversation as its question. Its `body` must not have one."""
        return with_prompt(endpoint, talk[0].text) if is_one_question(talk) else self.conversing(endpoint, talk)

    def conversing(self, endpoint: Endpoint, talk: Talk) -> Endpoint:
        """The same of several messages, in the API's own form."""
        return as_chat(endpoint, talk)

    def reader(self, endpoint: Endpoint) -> StreamReader:
        """A fresh reader for one stream. Raises `AskError` where the endpoint cannot be asked for one."""

    def answer(self, endpoint: Endpoint, status: int, body: bytes) -> Answer:
        """Read a whole answer: the JSON of a request without `stream`, or a plain HTTP body."""

    def lacks(self, data: str) -> tuple[str, bool]:
        """What an event without content lacks although each has it, in words ("" for nothing), and whether it has
        content all the same, where no client looks."""
        return "", False

    def error_reason(self, body: bytes) -> str:
        """The API's own words for a failure, from the body of an answer that is not 2xx; "" when it has none."""
        return error_reason(body)

    def refusal_reason(self, endpoint: Endpoint, body: bytes) -> str:
        """The same for this endpoint, which may know better what the answer should have been."""
        return self.error_reason(body)


class SocketAPI(API, Protocol):
    """An LLM API that is asked by messages over a WebSocket."""

    def messages(self, body: bytes) -> list[bytes]:
        """The messages that put the question in an `Ask`'s body."""

    def answers(self, reader: StreamReader) -> bool:
        """Whether the events so far answer the question, rather than greet a new client. `reader`: one of this
        API."""

    def closed(self, reader: StreamReader, words: str) -> None:
        """The gateway closed the WebSocket with this code and reason. `reader`: one of this API."""

    def told_headers(self, reader: StreamReader) -> tuple[tuple[str, str], ...]:
        """What the events told that other APIs tell in headers: rate limits. `reader`: one of this API."""


class AskError(ValueError):
    """The endpoint lacks something, or holds something that cannot be sent. The text names field and remedy."""
