"""Bedrock's Converse: `POST /model/MODEL/converse-stream`, and `/converse` without streaming."""

from __future__ import annotations

from typing import Any

from gwtui.apis.addresses import MODEL
from gwtui.apis.answers import error_in_answer, judged
from gwtui.apis.base import API, Answer, Ask
from gwtui.apis.bedrock import asking
from gwtui.apis.bedrock.stream import PAYLOAD, RULES, ConverseReader, generated, stop_reason, usage_of
from gwtui.apis.default_models import NOVA
from gwtui.apis.finish_reasons import BEDROCK
from gwtui.apis.outcome import AnswerOutcome, wanted_of
from gwtui.apis.payload import Unreadable, member, read_json
from gwtui.apis.question import Talk, as_blocks
from gwtui.apis.requests import EXAMPLE_PROMPT, json_body, json_headers, model_asked, table_of
from gwtui.framing.event_stream import EVENT_STREAM
from gwtui.model.enums import EventKind, Kind
from gwtui.model.profile import Endpoint
from gwtui.model.verdicts import Verdict


class BedrockConverse(API):
    """Bedrock's Converse, for every model. The key is a Bedrock API key, sent as a bearer token, or signs (`aws:`)."""

    name = "bedrock-converse"
    kind = Kind.COMPLETION
    framing = EVENT_STREAM
    title = "Bedrock Converse"
    default_path = f"/model/{MODEL}/converse-stream"
    whole_path = f"/model/{MODEL}/converse"
    """The path where no stream is asked for."""
    default_model = NOVA
    snippet = Endpoint(name=name, api=name, url=asking.URL, key=asking.BEARER)
    snippet_comment = asking.COMMENT
    error_form = asking.FORM

    def ask(self, endpoint: Endpoint, key: str | None) -> Ask:
        url = asking.url(endpoint, self.default_path if endpoint.stream else self.whole_path, self.default_model)
        headers, signature = asking.authorization(endpoint, key, url)
        body = json_body(endpoint, *converse_fields(endpoint))
        return Ask("POST", url, (*json_headers(endpoint, self.framing), *headers), body, signature)

    def conversing(self, endpoint: Endpoint, talk: Talk) -> Endpoint:
        return as_blocks(endpoint, talk)

    def reader(self, endpoint: Endpoint) -> ConverseReader:
        return ConverseReader(wanted_of(endpoint), model_asked(endpoint, self.default_model))

    def answer(self, endpoint: Endpoint, status: int, body: bytes) -> Answer:
        if (error := error_in_answer(RULES, status, body)) is not None:
            return error
        payload = read_json(PAYLOAD, body)
        if isinstance(payload, Unreadable):
            return Answer(judged(RULES, Verdict.WRONG_BODY, "not-a-message", payload.reason))
        content = member(payload, "output", "message", "content")
        if not isinstance(content, list):
            words = "JSON without `output.message.content`"
            return Answer(judged(RULES, Verdict.WRONG_BODY, "not-a-message", words))
        outcome, reason = AnswerOutcome(RULES, BEDROCK, wanted_of(endpoint), whole=True), stop_reason(payload)
        text = ""
        for block in content:
            kind, piece = generated(block)
            outcome.take(kind, piece)
            text += piece if kind is EventKind.TEXT else ""
            if member(block, "toolUse") is not None:
                outcome.take_tool()
            elif isinstance(block, dict) and block.keys().isdisjoint({"text", "reasoningContent"}):
                outcome.take_other()
        usage = usage_of(payload)
        closing = outcome.closing((reason,), usage)
        good = judged(RULES, Verdict.COMPLETE, "answer", f"one whole answer, stopReason {reason or 'missing'}")
        return Answer(closing.judgement or good, text, usage, findings=closing.findings)


def converse_fields(endpoint: Endpoint) -> tuple[dict[str, Any], dict[str, Any]]:
    """The body's own fields, and those that were merged with the endpoint's. Raises `AskError`."""
    question = {"role": "user", "content": [{"text": endpoint.prompt or EXAMPLE_PROMPT}]}
    own = {"messages": endpoint.messages if endpoint.messages is not None else [question]}
    return own, {"inferenceConfig": {"maxTokens": endpoint.max_tokens, **table_of(endpoint, "inferenceConfig")}}


BEDROCK_CONVERSE = BedrockConverse()
