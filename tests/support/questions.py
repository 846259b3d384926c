"""Questions to the embedded gateway by a plain HTTP client, and what it answers."""

from __future__ import annotations

import json
from typing import Any

import httpx

from gwtui.framing.sse import ServerSentEvent, SSEParser

ANTHROPIC = ("/v1/messages", "/v1/completions/anthropic-messages")
CHAT = "/v1/chat/completions"


def question(model: str, *, stream: object = True, **fields: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": "two words"}]
    return {"model": model, "max_tokens": 1000, "stream": stream, "messages": messages, **fields}


def events_of(response: httpx.Response) -> list[ServerSentEvent]:
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/event-stream")
    return SSEParser().feed(response.content)


def ask_anthropic(client: httpx.Client, model: str, path: str = ANTHROPIC[0], **fields: Any) -> list[dict[str, Any]]:
    """The payloads of a stream; every event is named as its payload is typed."""
    events = events_of(client.post(path, json=question(model, **fields)))
    payloads: list[dict[str, Any]] = [json.loads(event.data) for event in events]
    assert [event.event for event in events] == [payload["type"] for payload in payloads]
    return payloads


def ask_openai(client: httpx.Client, model: str, **fields: Any) -> list[ServerSentEvent]:
    events = events_of(client.post(CHAT, json=question(model, **fields)))
    assert {event.event for event in events} <= {"message"}
    return events
