"""Base URLs as providers print them, and the URL that is likely right where nothing was found."""

from __future__ import annotations

from typing import Any

import pytest
from support.probing import endpoint, probed
from support.scripted import Receive, ScriptedServer, Send, http

from gwtui.apis import url_for
from gwtui.apis.addresses import likely_url
from gwtui.model.profile import Endpoint
from gwtui.model.verdicts import Verdict

CHAT = "/v1/chat/completions"
GEMINI = "https://h/v1beta/models/m:streamGenerateContent"
BASES = [
    ("openai-chat", "https://h", f"https://h{CHAT}"),
    ("openai-chat", "https://h/v1/", f"https://h{CHAT}"),
    ("openai-chat", f"https://h{CHAT}", f"https://h{CHAT}"),
    ("openai-chat", "https://h/chat/completions", "https://h/chat/completions"),
    ("openai-chat", "https://h/api/paas/v4", "https://h/api/paas/v4/chat/completions"),
    ("openai-chat", "https://h/v1beta/openai/", "https://h/v1beta/openai/chat/completions"),
    ("openai-chat", "https://h/openai", "https://h/openai/chat/completions"),
    ("openai-chat", "https://h/compatible-mode/v1", "https://h/compatible-mode/v1/chat/completions"),
    ("openai-chat", "https://h/v1/projects/p/endpoints/openapi", "https://h/v1/projects/p/endpoints/openapi/chat/completions"),
    ("openai-chat", "https://h/d/chat/completions?api-version=1", "https://h/d/chat/completions?api-version=1"),
    ("openai-chat", "https://h/tenant", f"https://h/tenant{CHAT}"),
    ("openai-responses", "https://h/v3", "https://h/v3/responses"),
    ("anthropic-messages", "https://h/anthropic", "https://h/anthropic/v1/messages"),
    ("anthropic-messages", "https://h/anthropic/v1/messages", "https://h/anthropic/v1/messages"),
    ("gemini", "https://h/v1", "https://h/v1/models/m:streamGenerateContent?alt=sse"),
    ("gemini", GEMINI, f"{GEMINI}?alt=sse"),
    ("gemini", f"{GEMINI}?alt=sse", f"{GEMINI}?alt=sse"),
    ("cohere-chat", "https://h/v2", "https://h/v2/chat"),
    ("ollama-chat", "https://h/api", "https://h/api/chat"),
]  # fmt: skip


@pytest.mark.parametrize(("api", "base", "whole"), BASES)
def test_a_base_url_is_used_as_it_is_printed(api: str, base: str, whole: str) -> None:
    assert url_for(Endpoint(name="e", api=api, url=base, model="m")) == whole


@pytest.mark.parametrize("base", ["https://h", "https://h/v1", "https://h/openai"])
def test_a_path_that_was_chosen_is_appended_as_it_is(base: str) -> None:
    chosen = Endpoint(name="e", api="openai-chat", url=base, path="/v1/x/{model}?a=b", model="m/n")
    assert url_for(chosen) == f"{base}/v1/x/m%2Fn?a=b"


LIKELY = [
    ({"url": "https://h"}, "https://h/chat/completions"),
    ({"url": "https://h/v1"}, ""),
    ({"url": "https://h/openai"}, f"https://h/openai{CHAT}"),
    ({"url": "https://h/chat/completions"}, f"https://h{CHAT}"),
    ({"url": "https://h/v1", "path": CHAT}, f"https://h{CHAT}"),
    ({"url": "https://h", "path": "/chat/completion"}, f"https://h{CHAT}"),
    ({"url": "https://h/v1/chat/completions", "path": "/chat/completions"}, f"https://h{CHAT}"),
    ({"url": "https://api.groq.com"}, f"https://api.groq.com/openai{CHAT}"),
    ({"url": "https://api.perplexity.ai"}, "https://api.perplexity.ai/chat/completions"),
    ({"url": "https://h", "path": f"/openai/v1{CHAT}"}, f"https://h/openai{CHAT}"),
    ({"url": "https://h/api/paas/v4"}, ""),
]


@pytest.mark.parametrize(("fields", "right"), LIKELY)
def test_the_url_that_is_likely_right(fields: dict[str, Any], right: str) -> None:
    asked = Endpoint(name="e", api="openai-chat", model="m", **fields)
    assert likely_url(url_for(asked), asked.url, asked.path, CHAT) == right


@pytest.mark.parametrize(("base", "right"), [("https://h", ""), ("https://h/v1", "https://h/v1/completions/")])
def test_the_path_of_a_cody_gateway_is_right(base: str, right: str) -> None:
    path = "/v1/completions/anthropic-messages"
    asked = Endpoint(name="e", api="anthropic-messages", url=base, path=path)
    assert likely_url(url_for(asked), base, path, "/v1/messages") == (f"{right}anthropic-messages" if right else "")


@pytest.mark.parametrize(
    ("body", "names_another"),
    [(b'{"error":{"message":"no such route"}}', True), (b'{"error":{"message":"no such model: m"}}', False)],
)
async def test_a_404_shows_the_url_and_the_likely_one(body: bytes, names_another: bool) -> None:
    async with ScriptedServer([Receive(), Send(http("404 Not Found", body=body))]) as server:
        row = await probed(endpoint("openai-chat", f"{server.url}/v1?key=secret", path=CHAT, model="m"))
    assert row.verdict is Verdict.NOT_FOUND
    assert f"asked: {server.url}/v1{CHAT}" in row.reason
    assert (f"likely right: {server.url}{CHAT}" in row.reason) is names_another
    assert "secret" not in row.reason
