"""The upstreams of the embedded gateway: providers, their models, and prices."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True, slots=True)
class Provider:
    """One upstream."""

    models: tuple[str, ...]
    """What it serves, as globs."""
    stand_in: str
    """The model that answers for one of another provider."""
    input_usd: float
    """Per million tokens."""
    output_usd: float


PROVIDERS: dict[str, Provider] = {
    "anthropic": Provider(("claude*", "anthropic::*"), "claude-3-haiku-20240307", 0.25, 1.25),
    "openai": Provider(("gpt*", "o1*", "o3*", "o4*"), "gpt-4o-mini", 0.15, 0.6),
    "fireworks": Provider(("starcoder*", "fireworks::*", "*llama*"), "starcoder", 0.2, 0.2),
    "google": Provider(("gemini*", "google::*"), "gemini-2.0-flash", 0.1, 0.4),
}
AGENTS: dict[str, str] = {"code-reviewer": "anthropic", "code-writer": "openai", "completer": "fireworks"}
"""Kinds of agents, and the provider that each is routed to."""


def provider_of(model: str, default: str) -> str:
    """Who serves the model."""
    for name, provider in PROVIDERS.items():
        if any(fnmatchcase(model, pattern) for pattern in provider.models):
            return name
    return default


def cost_usd(provider: str, input_tokens: int, output_tokens: int) -> float:
    prices = PROVIDERS[provider]
    return (input_tokens * prices.input_usd + output_tokens * prices.output_usd) / 1_000_000
