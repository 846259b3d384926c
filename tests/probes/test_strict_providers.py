"""Providers that refuse what theirs refuse: each is answered well once the endpoint says what is special about it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

import pytest
from support.answering import Asked, answering
from support.probing import endpoint, probed

from gwtui.model.verdicts import Verdict

CHAT = "/chat/completions"
VERTEX = "/v1/publishers/anthropic/models/claude-sonnet-4-5@20250929:rawPredict"
REFUSED: dict[str, tuple[str, ...]] = {
    f"/mistral/v1{CHAT}": ("stream_options",),
    f"/thinking/v1{CHAT}": ("max_tokens",),
    f"/unlimited/v1{CHAT}": ("max_tokens", "max_completion_tokens"),
    f"/azure/openai/deployments/our-chat{CHAT}?api-version=2024-10-21": (),
    f"/api/paas/v4{CHAT}": (),
    f"/v1beta/openai{CHAT}": (),
    CHAT: (),
    f"/router/api/v1{CHAT}": (),
    VERTEX: ("model",),
}
"""By path the fields that are refused there; any other path is not found."""
SERVED = {"azure": "gpt-4o-2024-11-20", "router": "anthropic/claude-4.5-sonnet-20250929"}


def answer(asked: Asked) -> tuple[int, bytes]:
    path = unquote(asked.path)
    if path not in REFUSED:
        return 404, json.dumps({"error": {"message": f"no route for {path}"}}).encode()
    for name in REFUSED[path]:
        if name in asked.json:
            return 400, json.dumps({"error": {"message": f"{name}: extra inputs are not permitted"}}).encode()
    if path == VERTEX:
        text = {"type": "text", "text": "hi"}
        message = {"type": "message", "model": "claude-sonnet-4-5-20250929", "content": [text]}
        return 200, json.dumps(message | {"stop_reason": "end_turn", "usage": {}}).encode()
    model = SERVED.get(path.split("/")[1], asked.json.get("model"))
    choice = {"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}
    return 200, json.dumps({"id": "c", "object": "chat.completion", "model": model, "choices": [choice]}).encode()


CLAUDE = "claude-sonnet-4-5@20250929"
ENDPOINTS: list[tuple[str, dict[str, Any]]] = [
    ("/mistral", {"model": "mistral-small-latest", "body": {"stream_options": {}}, "omit": ("stream_options",)}),
    ("/thinking", {"model": "gpt-5"}),
    ("/thinking", {"model": "our-deployment-of-a-thinking-one"}),
    ("/thinking", {"model": "o3", "body": {"max_completion_tokens": 2000}}),
    ("/unlimited", {"model": "m", "omit": ("max_tokens",)}),
    ("/azure", {"model": "our-chat", "expect_model": "gpt-4o",
                "path": "/openai/deployments/{model}/chat/completions?api-version=2024-10-21"}),
    ("/api/paas/v4", {"model": "glm-5"}),
    ("/v1beta/openai/", {"model": "gemini-2.5-flash"}),
    (CHAT, {"model": "sonar"}),
    ("/router/api/v1", {"model": "anthropic/claude-sonnet-4.5"}),
    ("", {"api": "anthropic-messages", "model": CLAUDE, "omit": ("model",),
          "path": "/v1/publishers/anthropic/models/{model}:rawPredict"}),
    ("/v1", {"api": "vertex-claude", "model": CLAUDE}),
]  # fmt: skip


@pytest.mark.parametrize(("base", "fields"), ENDPOINTS)
async def test_each_is_answered_as_its_endpoint_says(base: str, fields: dict[str, Any]) -> None:
    with answering() as gateway:
        gateway.answer = answer
        row = await probed(endpoint(**{"api": "openai-chat", "url": f"{gateway.url}{base}", "stream": False, **fields}))
    assert (row.verdict, row.reason) == (Verdict.COMPLETE, row.reason)
    assert {str(finding.name) for finding in row.findings} <= {"limit_renamed"}
    assert row.model_served
