"""Claude by Bedrock's InvokeModel: `POST /model/MODEL/invoke-with-response-stream`, and `/invoke` without streaming.

The path names the model, the body only the version of the API. Each frame of the stream has, in base64, one event of
Anthropic Messages; a whole answer is one of Anthropic Messages.
"""

from __future__ import annotations

import binascii
from typing import Any

from gwtui.apis.addresses import MODEL
from gwtui.apis.anthropic.messages import AnthropicMessages, conversation
from gwtui.apis.anthropic.stream import AnthropicReader
from gwtui.apis.base import Ask, Reading
from gwtui.apis.bedrock import asking
from gwtui.apis.bedrock.stream import PAYLOAD
from gwtui.apis.default_models import CLAUDE_DOES_NOT_THINK, CLAUDE_ON_BEDROCK
from gwtui.apis.event_keys import NO_KEYS
from gwtui.apis.outcome import wanted_of
from gwtui.apis.payload import Unreadable, as_text, read_json
from gwtui.apis.requests import json_body, json_headers, unless_named
from gwtui.framing.base import FramedEvent
from gwtui.framing.event_stream import EVENT_STREAM
from gwtui.model.profile import Endpoint

VERSION = "bedrock-2023-05-31"


class InvokeReader(AnthropicReader):
    """Follows one stream of InvokeModel, whose frames hold the events of Anthropic Messages."""

    def event(self, event: FramedEvent) -> Reading:
        if (exception := asking.exception_of(event)) is not None:
            return super().event(exception)
        data = _unwrapped(event.data)
        payload = read_json(PAYLOAD, data)
        kind = "" if isinstance(payload, Unreadable) else as_text(payload.get("type"))
        return super().event(FramedEvent(kind or "message", data))


class BedrockInvoke(AnthropicMessages):
    """Claude by Bedrock's InvokeModel. The key is a Bedrock API key, sent as a bearer token, or signs (`aws:`)."""

    name = "bedrock-invoke"
    framing = EVENT_STREAM
    title = "Bedrock InvokeModel, Claude"
    default_path = f"/model/{MODEL}/invoke-with-response-stream"
    whole_path = f"/model/{MODEL}/invoke"
    """The path where no stream is asked for."""
    default_model = CLAUDE_ON_BEDROCK
    snippet = Endpoint(name=name, api=name, url=asking.URL, key=asking.BEARER)
    snippet_comment = asking.COMMENT
    error_form = asking.FORM
    words = frozenset[str]()
    """None: checksums tell of damage."""
    event_keys = NO_KEYS
    dialogue = None

    def ask(self, endpoint: Endpoint, key: str | None) -> Ask:
        own: dict[str, Any] = {
            "anthropic_version": VERSION,
            "max_tokens": endpoint.max_tokens,
            "messages": conversation(endpoint),
            **unless_named(endpoint, CLAUDE_DOES_NOT_THINK),
        }
        url = asking.url(endpoint, self.default_path if endpoint.stream else self.whole_path, self.default_model)
        headers, signature = asking.authorization(endpoint, key, url)
        body = json_body(endpoint, own)
        return Ask("POST", url, (*json_headers(endpoint, self.framing), *headers), body, signature)

    def reader(self, endpoint: Endpoint) -> InvokeReader:
        return InvokeReader(self.model_expected(endpoint), wanted_of(endpoint))

    def model_expected(self, endpoint: Endpoint) -> str:
        model = super().model_expected(endpoint)
        return "" if model.startswith("arn:") else model


def _unwrapped(data: str) -> str:
    """What the payload of a frame has in `bytes`; what cannot be unwrapped is left as it is."""
    payload = read_json(PAYLOAD, data)
    wrapped = None if isinstance(payload, Unreadable) else payload.get("bytes")
    if not isinstance(wrapped, str):
        return data
    try:
        return binascii.a2b_base64(wrapped, strict_mode=True).decode("utf-8", "replace")
    except ValueError:
        return wrapped


BEDROCK_INVOKE = BedrockInvoke()
