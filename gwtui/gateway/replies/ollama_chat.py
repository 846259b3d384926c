"""Ollama's chat: an object a line, the times and the counts in the last one, which is done. Errors are a line too."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Protocol

import msgspec
from msgspec import Meta

from gwtui.gateway.fault import HALF_EVENT, HTML, TWO_STREAMS, Fault, api_fault, broken_off
from gwtui.gateway.replies.base import (
    NDJSON,
    Asked,
    Question,
    Reply,
    ScriptedAnswer,
    count_tokens,
    decode_question,
    ndjson,
    talk_of,
)
from gwtui.gateway.timeline import Part, TimedEvent
from gwtui.model.enums import FindingName
from gwtui.model.verdicts import Verdict

LOAD_NS, TOKEN_NS = 2_000_000, 10_000_000
"""What it says that loading took, and each token."""


class _Message(msgspec.Struct):
    role: str
    content: str = ""
    tool_calls: list[dict[str, Any]] = []
    tool_name: str = ""

    @property
    def said(self) -> tuple[str, list[str]]:
        """What it is in a conversation, and the names of tools in it."""
        if self.role == "assistant":
            return "answer", [str(call.get("function", {}).get("name")) for call in self.tool_calls]
        return ("result", [self.tool_name]) if self.role == "tool" else ("question", [])


class Options(msgspec.Struct):
    """How the model is to answer."""

    num_predict: int | None = None

    @property
    def limit(self) -> int | None:
        """The maximum number of tokens; None for no limit, which may also be a negative number."""
        return self.num_predict if self.num_predict is not None and self.num_predict > 0 else None


class _Body(msgspec.Struct):
    model: str
    messages: Annotated[list[_Message], Meta(min_length=1)]
    options: Options = msgspec.field(default_factory=Options)
    stream: bool = True
    tools: list[dict[str, Any]] = []

    @property
    def turn(self) -> dict[str, Any]:
        """Turn and tool, as fields of a question. No field of a request wants a tool called."""
        names = [str(tool.get("function", {}).get("name")) for tool in self.tools]
        return talk_of(one.said for one in self.messages).turn(names, wanted=False)


class OllamaReply(Reply, Protocol):
    """What both of Ollama's APIs share. They stream unless `stream` is false."""

    def said(self, text: str) -> dict[str, Any]:
        """A piece of the answer, or all of it."""

    def media_type(self, answer: ScriptedAnswer) -> str:
        return NDJSON

    def events(self, answer: ScriptedAnswer) -> list[TimedEvent]:
        said = [_called(answer)] if answer.tool else map(self.said, answer.tokens)
        return [
            *(TimedEvent(Part.TOKEN, ndjson(_part(answer, each) | {"done": False})) for each in said),
            TimedEvent(Part.CLOSING, ndjson(_part(answer, self.said("")) | _end(answer))),
        ]

    def whole(self, answer: ScriptedAnswer) -> dict[str, Any]:
        return _part(answer, _called(answer) if answer.tool else self.said(answer.text)) | _end(answer)

    def error(self, status: int, message: str) -> dict[str, Any]:
        return {"error": message}

    def error_event(self, answer: ScriptedAnswer, kind: str, message: str, after: int) -> bytes:
        return ndjson({"error": message})


class OllamaChatReplies(OllamaReply):
    """`/api/chat`."""

    paths = ("/api/chat",)

    def question(self, asked: Asked) -> Question:
        body = decode_question(asked.body, _Body)
        return Question(
            model=body.model,
            stream=body.stream,
            max_tokens=body.options.limit,
            input_tokens=sum(count_tokens(one.content) for one in body.messages),
            **body.turn,
        )

    def said(self, text: str) -> dict[str, Any]:
        return {"message": {"role": "assistant", "content": text}}


def _called(answer: ScriptedAnswer) -> dict[str, Any]:
    """A call, which comes whole."""
    function = {"name": answer.tool, "arguments": answer.arguments}
    return {"message": {"role": "assistant", "content": "", "tool_calls": [{"function": function}]}}


def _part(answer: ScriptedAnswer, said: dict[str, Any]) -> dict[str, Any]:
    created = datetime.fromtimestamp(answer.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"model": answer.model, "created_at": created, **said}


def _end(answer: ScriptedAnswer) -> dict[str, Any]:
    sent_ns, made_ns = answer.input_tokens * TOKEN_NS // 10, answer.output_tokens * TOKEN_NS
    return {
        "done": True,
        "done_reason": "length" if answer.limited else "stop",
        "total_duration": LOAD_NS + sent_ns + made_ns,
        "load_duration": LOAD_NS,
        "prompt_eval_count": answer.input_tokens,
        "prompt_eval_duration": sent_ns,
        "eval_count": answer.output_tokens,
        "eval_duration": made_ns,
    }


_fault = partial(api_fault, "ollama-chat", "ollama")
_PAGE = "<html><title>502 Bad Gateway</title></html>\n"
REPLIES: tuple[Reply, ...] = (OllamaChatReplies(),)
FAULTS: tuple[Fault, ...] = (
    *broken_off("ollama-chat", "ollama"),
    _fault("no-done", "All but the last line comes", Verdict.TRUNCATED, "without done", cut_last=1),
    _fault(
        "no-line-end",
        "The last line is not ended",
        Verdict.COMPLETE_UNTERMINATED,
        "line end is missing",
        no_last_blank=True,
        findings=(FindingName.UNTERMINATED,),
    ),
    _fault("bad-json", "Half of a line is missing", Verdict.OUT_OF_ORDER, "bad-json", **HALF_EVENT),
    _fault(
        "html-line", "A proxy's page is in the stream", Verdict.OUT_OF_ORDER, "<html>", insert=_PAGE, insert_after=4
    ),
    _fault(
        "thinking-eats-limit",
        "The token limit is reached in the middle of thinking",
        Verdict.COMPLETE,
        cut_after=0,
        insert='{"message":{"role":"assistant","content":"","thinking":"hm"},"done":false}\n'
        '{"message":{"role":"assistant","content":""},"done":true,"done_reason":"length","eval_count":9}\n',
        findings=(FindingName.NO_VISIBLE_OUTPUT,),
    ),
    _fault(
        "nothing-visible",
        "It is done, and said nothing",
        Verdict.EMPTY,
        "nothing visible",
        cut_after=0,
        insert='{"message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","eval_count":9}\n',
    ),
    _fault(
        "foreign-line",
        "A line that has neither a message nor an error",
        Verdict.COMPLETE,
        insert='{"warning":"the queue is long"}\n',
        insert_after=3,
        findings=(FindingName.FOREIGN_CHUNK,),
    ),
    _fault("comments", "Nothing but blank lines", Verdict.EMPTY, "only 5 blank lines", comments=5, cut_after=0),
    _fault("two-streams", "Two streams in one body", Verdict.COMPLETE, **TWO_STREAMS),
    _fault(
        "html",
        "An HTML page with status 200",
        Verdict.NOT_A_STREAM,
        "502 Bad Gateway",
        status=200,
        headers=HTML,
        body=_PAGE,
    ),
    _fault(
        "json", "One JSON answer comes instead of a stream", Verdict.NOT_A_STREAM, "silent fallback", no_stream=True
    ),
    _fault(
        "wrong-type",
        "The stream calls itself an event stream",
        Verdict.NOT_A_STREAM,
        "an NDJSON stream came as text/event-stream",
        headers={"content-type": "text/event-stream"},
    ),
    _fault(
        "sse",
        "An event stream calls itself NDJSON",
        Verdict.NOT_A_STREAM,
        "an event stream came as application/x-ndjson",
        status=200,
        headers={"content-type": NDJSON},
        body='data: {"message":{"content":"a"},"done":false}\n\n',
    ),
)
