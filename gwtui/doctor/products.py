"""What a product shows itself by: headers and documents that it alone sends, each with where that is known from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from gwtui.doctor.documents import entries_of
from gwtui.text.sanitize import clean


@dataclass(frozen=True, slots=True)
class Seen:
    """What one answer shows, besides its verdict."""

    topic: str
    """Which document was asked for, or the API."""
    headers: Mapping[str, str]
    document: dict[str, Any]
    text: str


Sign: TypeAlias = Callable[[Seen], str]
"""What of an answer shows the product, in words; "" for nothing."""


class Product(NamedTuple):
    """A product, and a sign of it."""

    name: str
    sign: Sign
    source: str
    """Where the sign is documented, or in which file of the product it is."""


def _header(*names: str) -> Sign:
    return lambda seen: next((f"its header {name}" for name in names if name in seen.headers), "")


def _header_begins(prefix: str) -> Sign:
    return lambda seen: next((f"its header {name}" for name in seen.headers if name.startswith(prefix)), "")


def _server(word: str) -> Sign:
    return lambda seen: f"its header server: {seen.headers['server']}" if _serves(seen, word) else ""


def _serves(seen: Seen, word: str) -> bool:
    return seen.headers.get("server", "").lower().startswith(word)


def _owner(word: str) -> Sign:
    return lambda seen: (
        f"its models are owned by {word}"
        if any(each.get("owned_by") == word for each in entries_of(seen.document))
        else ""
    )


def _models_have(*keys: str) -> Sign:
    words = " and ".join(f"`{key}`" for key in keys)
    return lambda seen: (
        f"its models have {words}"
        if any(all(key in each for key in keys) for each in entries_of(seen.document))
        else ""
    )


def _document(topic: str, *keys: str) -> Sign:
    words = " and ".join(f"`{key}`" for key in keys)
    return lambda seen: (
        f"its {topic} has {words}" if seen.topic == topic and all(key in seen.document for key in keys) else ""
    )


def _text(words: str) -> Sign:
    return lambda seen: f"it says {words!r}" if words in seen.text[:4096] else ""


PRODUCTS: tuple[Product, ...] = (
    Product("LiteLLM", _header_begins("x-litellm-"), "docs.litellm.ai/docs/proxy/response_headers"),
    Product("Cody Gateway", _header("x-cody-resolved-model"), "sourcegraph: cmd/cody-gateway"),
    Product("Portkey", _header_begins("x-portkey-"), "portkey.ai/docs: Response headers"),
    Product("llama.cpp", _server("llama.cpp"), "llama.cpp: tools/server"),
    Product("llama.cpp", _owner("llamacpp"), "llama.cpp: tools/server/server-context.cpp"),
    Product("vLLM", _owner("vllm"), "vllm/entrypoints/openai/engine/protocol.py"),
    Product("SGLang", _owner("sglang"), "sglang/srt/entrypoints/openai/protocol.py"),
    Product("Ollama", _text("Ollama is running"), "ollama: server/routes.go"),
    Product("Ollama", _models_have("digest", "modified_at"), "ollama: docs/api.md"),
    Product("Ollama", _owner("library"), "ollama: openai/openai.go"),
    Product("TGI", _document("info", "model_id", "max_total_tokens"), "text-generation-inference: docs/openapi.json"),
    Product("a local LLM gateway", _document("health", "status", "providers"), "its GET /gateway/health"),
    Product("OpenRouter", _models_have("canonical_slug", "pricing"), "openrouter.ai/docs: List available models"),
    Product("Azure OpenAI", _header("apim-request-id", "x-ms-region"), "learn.microsoft.com: Azure OpenAI reference"),
    Product("Gemini", _models_have("supportedGenerationMethods"), "ai.google.dev/api/models"),
    Product("Anthropic", _header_begins("anthropic-ratelimit-"), "docs.anthropic.com: Rate limits"),
    Product("Anthropic", _models_have("display_name", "created_at", "type"), "docs.anthropic.com: List models"),
    Product("Fireworks", _header("fireworks-server-time-to-first-token"), "docs.fireworks.ai: Response headers"),
    Product("OpenAI", _header("openai-version", "openai-processing-ms"), "platform.openai.com: Debugging requests"),
)
"""The gateways before the providers behind them, whose headers they may pass on."""
_FRONTS = (
    *("nginx", "envoy", "istio-envoy", "cloudflare", "apache", "haproxy"),
    *("caddy", "traefik", "h2o", "lighttpd", "kong"),
)
"""Servers that are in front of others, by their header `server`."""
_HOPS = {"cf-ray": "Cloudflare", "x-envoy-upstream-service-time": "Envoy", "x-served-by": "", "via": ""}
"""Headers of those that do not name themselves there."""


def product_of(answers: Iterable[Seen]) -> tuple[str, str]:
    """The product and what shows it, clean; two times "" where nothing does."""
    seen = list(answers)
    for product in PRODUCTS:
        if words := next(filter(None, map(product.sign, seen)), ""):
            return product.name, clean(f"{words} ({product.source})")
    return "", ""


def fronts_of(answers: Iterable[Seen]) -> tuple[str, ...]:
    """What is in front of it, as far as it shows: `nginx/1.25.3 (server)`."""
    found: dict[str, None] = {}
    for seen in answers:
        if any(_serves(seen, name) for name in _FRONTS):
            found[clean(f"{seen.headers['server']} (server)", 80)] = None
        for header, name in _HOPS.items():
            if header in seen.headers:
                found[clean(f"{name or seen.headers[header]} ({header})", 80)] = None
    return tuple(found)
