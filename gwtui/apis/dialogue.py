"""How a conversation goes on: the next request out of the answer before it. Pure: no sockets, no clock.

An API whose conversations gwtui can lead has a `Dialogue`. What an answer said goes back as it came, to the gateway
that sent it and nowhere else: it is neither shown nor filed from here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec
from msgspec.structs import replace

from gwtui.apis.payload import Unreadable, member, read_json
from gwtui.model.profile import MOST_TURNS, Endpoint, Turn

Message = dict[str, Any]
MOST_KEPT = 4 << 20
"""Characters of an answer's events, or bytes of a whole answer, of which more is not kept for the next request."""
_TOOL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
"""What all APIs take as the name of a tool."""
_OBJECT = msgspec.json.Decoder(dict[str, Any])


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that waits for its result."""

    name: str
    id: str = ""
    """Empty where the API has none."""


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer as it goes into the next request: messages, and the tool calls in them. Without messages there is
    nothing to go on from, for the reason told."""

    messages: tuple[Message, ...] = ()
    calls: tuple[ToolCall, ...] = ()
    lacks: str = "the answer has no content"


class AnswerKeeper(Protocol):
    """Puts one answer together again, out of the events of its stream or out of one whole answer. Never raises."""

    _length: int = 0

    def event(self, data: str) -> None:
        """Take the data of the next event."""
        self._length += len(data)
        if self._length <= MOST_KEPT and not isinstance(payload := read_json(_OBJECT, data), Unreadable):
            self._take(payload)

    def whole(self, body: bytes) -> None:
        """Take a whole answer."""
        self._length += len(body)
        if self._length <= MOST_KEPT and not isinstance(payload := read_json(_OBJECT, body), Unreadable):
            self._take_whole(payload)

    def answer(self) -> KeptAnswer:
        """What was kept."""
        if self._length > MOST_KEPT:
            return KeptAnswer(lacks=f"the answer is longer than {MOST_KEPT >> 20} MiB")
        kept = self._kept()
        try:
            return KeptAnswer(tuple(map(_sendable, kept.messages)), kept.calls)
        except (RecursionError, ValueError):
            return KeptAnswer(lacks="the answer cannot be sent as JSON again")

    def _take(self, payload: Mapping[str, Any]) -> None: ...

    def _take_whole(self, payload: Mapping[str, Any]) -> None: ...

    def _kept(self) -> KeptAnswer: ...


class Dialogue(Protocol):
    """What one API calls the parts of a conversation."""

    field: str = "messages"
    """The field of a request's body that has it."""

    def prompt(self, text: str) -> Message:
        """What the user says."""
        return {"role": "user", "content": text}

    def results(self, calls: Sequence[ToolCall], text: str) -> tuple[Message, ...]:
        """What each of the called tools gave."""

    def tools(self, names: Sequence[str], *, call: bool) -> Message:
        """Fields of a request that declare these tools, and that want one called."""

    def keeper(self) -> AnswerKeeper:
        """A fresh keeper for one answer."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation so far: the messages that the next request begins with, and the calls that wait for results."""

    messages: tuple[Message, ...] = ()
    calls: tuple[ToolCall, ...] = ()


def turns_problem(endpoint: Endpoint, dialogue: Dialogue) -> str:
    """What is wrong with the endpoint's conversation, with the field's name first; "" where it is fine."""
    turns, body = endpoint.turns, endpoint.body if isinstance(endpoint.body, dict) else {}
    if endpoint.prompt is not None:
        return "`prompt`: leave it out, each of the `turns` has its own"
    if dialogue.field in body:
        return f"`body.{dialogue.field}`: the turns are sent there; what comes before them is `messages`"
    if not 2 <= len(turns) <= MOST_TURNS:
        return f"`turns`: a conversation has 2 to {MOST_TURNS} turns"
    befores = (Turn(), *turns)
    problems = (_turn_problem(before, turn) for before, turn in zip(befores, turns, strict=False))
    return next((f"`turns`: turn {at} {words}" for at, words in enumerate(problems, 1) if words), "")


def _turn_problem(before: Turn, turn: Turn) -> str:
    if (turn.prompt is None) is (turn.result is None):
        return "needs either a `prompt` or a `result`"
    if turn.tool is not None and not _TOOL_NAME.fullmatch(turn.tool):
        return "has a `tool` whose name APIs refuse: use letters, digits, _ and -"
    if turn.result is not None and before.tool is None:
        return "has a `result`, so the turn before it needs a `tool`"
    if turn.result is None and before.tool is not None:
        return "needs the `result` of the tool that the turn before it names"
    return ""


def opened(endpoint: Endpoint) -> Conversation:
    """A conversation before its first turn."""
    return Conversation(tuple(endpoint.messages or ()))


def turn_of(endpoint: Endpoint, dialogue: Dialogue, so_far: Conversation, turn: Turn) -> Endpoint:
    """The endpoint as it is asked in that turn."""
    said = (dialogue.prompt(turn.prompt),) if turn.prompt is not None else ()
    given = dialogue.results(so_far.calls, turn.result) if turn.result is not None else ()
    names = tuple(dict.fromkeys(each.tool for each in endpoint.turns if each.tool is not None))
    declared = dialogue.tools(names, call=turn.tool is not None) if names else {}
    more = endpoint.body if isinstance(endpoint.body, dict) else {}
    return replace(endpoint, messages=(*so_far.messages, *given, *said), body={**declared, **more}, turns=())


def first_alone(endpoint: Endpoint, dialogue: Dialogue) -> Endpoint:
    """The endpoint with the question of its first turn and no conversation."""
    question = dialogue.prompt(endpoint.turns[0].prompt or "")
    return replace(endpoint, messages=(*opened(endpoint).messages, question), turns=())


def gone_on(turn: Endpoint, answer: KeptAnswer) -> Conversation:
    """The conversation after the answer to that turn."""
    return Conversation((*(turn.messages or ()), *answer.messages), answer.calls)


def lacks_call(turn: Turn, answer: KeptAnswer) -> str:
    """What is said of an answer without the call that the turn wants; "" where it has it, or wants none."""
    if turn.tool is None or any(call.name == turn.tool for call in answer.calls):
        return ""
    if not answer.calls:
        return f"no tool was called, `{turn.tool}` should have been"
    number = len(answer.calls)
    return f"{number} other tool{'s' if number > 1 else ''} called, `{turn.tool}` should have been"


def lacks_basis(following: Turn, answer: KeptAnswer) -> str:
    """Why the following turn cannot go on from the answer; "" where it can."""
    if not answer.messages:
        return answer.lacks
    if answer.calls and following.result is None:
        return "the answer calls a tool, and the next turn has no `result`"
    return ""


def schema_of(name: str) -> Message:
    """Name, description and parameters of a tool, for APIs that call them so."""
    return {"name": name, "description": f"Call {name} to find out what the answer needs.", "parameters": PARAMETERS}


PARAMETERS: Message = {
    "type": "object",
    "properties": {"query": {"type": "string", "description": "What to look up."}},
    "required": ["query"],
}


def mended(text: str) -> str:
    """The text with halves of characters joined, which pieces of a stream may hold; one without its other half is
    replaced, as JSON cannot carry it."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def arguments_of(text: str) -> dict[str, Any]:
    """The arguments of a call, out of their JSON; empty where that is no object."""
    payload = read_json(_OBJECT, mended(text))
    return {} if isinstance(payload, Unreadable) else payload


def text_at(value: object, *path: str) -> str:
    """The text at that path; "" where something else is there."""
    found = member(value, *path)
    return found if isinstance(found, str) else ""


def objects_in(value: object) -> list[Message]:
    """The tables of a list; none where it is no list."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _sendable(message: Message) -> Message:
    """The same with every text mended."""
    sendable: Message = json.loads(mended(json.dumps(message, ensure_ascii=False)))
    return sendable
