"""Ready-made endpoints of providers, each probed against a server that is as strict as the provider and streams so."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import msgspec
import pytest
from support.listening import listening
from support.probing import PATIENT, probed

from gwtui.config import load
from gwtui.config.templates import PROVIDERS, add, snippet
from gwtui.model.enums import FindingName
from gwtui.model.records import Request
from gwtui.model.verdicts import Verdict

KEY = "made-up-0f8e6d4c2b1a99aa"
PROMPT_FILTER = {"choices": [], "model": "", "id": "", "prompt_filter_results": [{"prompt_index": 0}]}


def chunk(model: str, finish: str | None = None, **more: Any) -> dict[str, Any]:
    """A chunk of OpenAI's form; `more`: its delta, and fields beside the choices with a leading underline."""
    beside = {name[1:]: value for name, value in more.items() if name.startswith("_")}
    choice = {"index": 0, "delta": {n: v for n, v in more.items() if not n.startswith("_")}, "finish_reason": finish}
    return {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": model, "choices": [choice], **beside}


def usage(asked: int = 5, made: int = 2, **more: Any) -> dict[str, Any]:
    return {"prompt_tokens": asked, "completion_tokens": made, "total_tokens": asked + made, **more}


def sse(*payloads: Any) -> str:
    return "".join(f"data: {each if isinstance(each, str) else json.dumps(each)}\n\n" for each in payloads)


def plain(model: str, *middle: dict[str, Any], **last: Any) -> tuple[Any, ...]:
    """A whole stream with the counts in its last chunk."""
    pieces = middle or (chunk(model, content="Hello"),)
    return (chunk(model, role="assistant", content=""), *pieces, chunk(model, "stop", **last), "[DONE]")


def counted(model: str, **more: Any) -> tuple[Any, ...]:
    """A whole stream with the counts in a chunk of their own, as they come when they are asked for."""
    *stream, done = plain(model)
    return (*stream, chunk(model) | {"choices": [], "usage": usage(**more)}, done)


def candidate(text: str, **more: Any) -> dict[str, Any]:
    return {"candidates": [{"content": {"role": "model", "parts": [{"text": text}]}, "index": 0, **more}]}


@dataclass(frozen=True)
class Provider:
    """What one provider wants, and how it answers."""

    target: str
    stream: str
    header: tuple[str, str] = ("authorization", f"Bearer {KEY}")
    forbidden: tuple[str, ...] = ()
    """Paths of fields that are refused: `stream_options.include_usage`."""
    due: Mapping[str, Any] = field(default_factory=dict)
    """Paths of fields that must have these values."""
    verdict: Verdict = Verdict.COMPLETE
    findings: tuple[FindingName, ...] = ()


COUNTS_UNASKED = ("stream_options.include_usage",)
ASKED = {"stream_options.include_usage": True}
STRICT = {
    "azure-openai": Provider(
        "/openai/deployments/gpt-6-luna/chat/completions?api-version=2024-10-21",
        sse(PROMPT_FILTER, *counted("gpt-6-luna-2026-09-22")),
        header=("api-key", KEY),
        forbidden=("max_tokens",),
        due={**ASKED, "reasoning_effort": "none", "max_completion_tokens": 256},
    ),
    "openrouter": Provider(
        "/api/v1/chat/completions",
        ": OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\n" + sse(*counted("openai/gpt-6-luna")),
        due={**ASKED, "provider.allow_fallbacks": False, "reasoning_effort": "none"},
    ),
    "mistral": Provider(
        "/v1/chat/completions",
        sse(*plain("mistral-small-latest", _usage=usage())),
        forbidden=(*COUNTS_UNASKED, "max_completion_tokens"),
    ),
    "vertex-gemini": Provider(
        "/v1/projects/my-project/locations/global/publishers/google/models/gemini-3.5-flash-lite"
        ":streamGenerateContent?alt=sse",
        sse(
            candidate("Hel") | {"modelVersion": "gemini-3.5-flash-lite"},
            candidate("lo", finishReason="STOP")
            | {"usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 2, "totalTokenCount": 7}},
        ),
        forbidden=("model", "stream", "max_tokens"),
    ),
    "groq": Provider(
        "/openai/v1/chat/completions",
        sse(*plain("openai/gpt-oss-20b", _x_groq={"id": "req_1", "usage": usage()}, _usage=usage())),
        due={**ASKED, "reasoning_effort": "low"},
    ),
    "deepseek": Provider(
        "/chat/completions",
        ": keep-alive\n\n" * 3 + sse(*plain("deepseek-flash", _usage=usage())),
        due={**ASKED, "thinking.type": "disabled"},
    ),
    "xai": Provider(
        "/v1/chat/completions",
        sse(*counted("grok-4.3", completion_tokens_details={"reasoning_tokens": 0})),
        due={**ASKED, "reasoning_effort": "none"},
    ),
    "perplexity": Provider(
        "/chat/completions",
        sse(
            chunk("sonar", role="assistant", content="Hel", _usage=usage()),
            chunk("sonar", "stop", role="assistant", content="lo", _usage=usage()),
        ),
        forbidden=COUNTS_UNASKED,
        verdict=Verdict.COMPLETE_UNTERMINATED,
        findings=(FindingName.ROLE_REPEATED, FindingName.UNTERMINATED),
    ),
    "zai": Provider(
        "/api/paas/v4/chat/completions",
        sse(*plain("glm-4.7", _usage=usage())),
        forbidden=(*COUNTS_UNASKED, "max_completion_tokens"),
        due={"thinking.type": "disabled"},
    ),
}


def value_at(body: Any, path: str) -> Any:
    for name in path.split("."):
        body = body.get(name) if isinstance(body, dict) else None
    return body


def refusal(provider: Provider, target: str, headers: dict[str, str], body: dict[str, Any]) -> str:
    """Why the provider would refuse it; "" for no reason."""
    name, value = provider.header
    if unquote(target) != provider.target:
        return f"404 no route for {target}"
    if headers.get(name) != value or (name != "authorization" and "authorization" in headers):
        return "401 no such key"
    wrong = [path for path in provider.forbidden if value_at(body, path) is not None]
    wrong += [path for path, due in provider.due.items() if value_at(body, path) != due]
    return f"422 extra or wrong: {wrong}" if wrong else ""


async def answered(kind: str, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> Request:
    """The ready-made endpoint, but for its host and the place of its key, probed."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        body = json.loads(await reader.readexactly(int(headers["content-length"])))
        problem = refusal(provider, head[0].split(" ")[1], headers, body)
        answer = json.dumps({"error": {"message": problem}}) if problem else provider.stream
        media_type = "application/json" if problem else "text/event-stream"
        told = f"HTTP/1.1 {problem[:3] or 200} X\r\nContent-Type: {media_type}\r\nConnection: close\r\n\r\n{answer}"
        writer.write(told.encode())
        await writer.drain()

    monkeypatch.setenv("MADE_UP_KEY", KEY)
    async with listening(serve) as port:
        endpoint = snippet(kind)
        url = urlunsplit(urlsplit(endpoint.url)._replace(scheme="http", netloc=f"127.0.0.1:{port}"))
        changed = {"url": url, "key": "env:MADE_UP_KEY", "deadlines": PATIENT}
        return await probed(msgspec.structs.replace(endpoint, **changed))


def test_every_provider_has_a_strict_one() -> None:
    assert [kind for kind, _ in PROVIDERS] == list(STRICT)


@pytest.mark.parametrize("kind", STRICT)
async def test_the_provider_takes_it_and_its_answer_is_good(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    provider = STRICT[kind]
    request = await answered(kind, provider, monkeypatch)
    assert request.verdict is provider.verdict, request.reason
    assert tuple(finding.name for finding in request.findings) == provider.findings
    assert request.input_tokens == 5
    assert request.output_tokens is not None


@pytest.mark.parametrize(
    "stricter", [{"target": "/elsewhere"}, {"header": ("authorization", "Bearer x")}, {"due": {"never": "sent"}}]
)
async def test_a_strict_server_refuses(stricter: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    request = await answered("groq", replace(STRICT["groq"], **stricter), monkeypatch)
    assert request.status in (401, 404, 422)


@pytest.mark.parametrize("kind", STRICT)
def test_what_is_special_is_said_above_it(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("[profiles.p]\ninterval_s = 2.0\n", encoding="utf-8")
    added = add(path, "p", kind)
    above, _, _ = path.read_text(encoding="utf-8").partition("[[profiles.p.endpoints]]")
    comment = [line for line in above.splitlines() if line.startswith("# ")]
    assert comment
    assert all(len(line) < 121 for line in comment)
    assert load(path).profile("p").endpoints == (added,)
