"""What an endpoint has in common with others: gateway, key, provider, model, and the place it is probed from. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from gwtui.apis import ASKED_APIS, kind_of
from gwtui.model.enums import Kind
from gwtui.model.incidents import Scope, ScopeKind
from gwtui.model.profile import Endpoint
from gwtui.secrets.references import references_in

_FAMILIES = (
    (re.compile(r"claude"), "anthropic"),
    (re.compile(r"gpt-(?!oss)|chatgpt|o\d+(-|$)|text-embedding-"), "openai"),
    (re.compile(r"gemini"), "google"),
    (re.compile(r"command"), "cohere"),
    (re.compile(r"(mi|co|minis|magis|devs)tral|ministral"), "mistral"),
    (re.compile(r"grok"), "xai"),
)
_BY_API = {
    "anthropic-messages": "anthropic",
    "vertex-claude": "vertex",
    "bedrock-converse": "bedrock",
    "bedrock-invoke": "bedrock",
    "gemini": "google",
    "fireworks": "fireworks",
    "cohere-chat": "cohere",
    "workers-ai": "cloudflare",
    "openai-responses": "openai",
    "openai-realtime": "openai",
}
_HOSTS_MODELS = frozenset({"vertex-claude", "bedrock-converse", "bedrock-invoke", "workers-ai", "fireworks"})
"""APIs of one provider that serves models of many names."""
_OWN_MODELS = frozenset({"ollama-chat", "ollama-generate", "tgi"})
"""APIs of servers that have the models themselves."""
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """What an endpoint has in common with others. Empty: nothing of that kind."""

    endpoint: str
    vantage: str = ""
    gateway: str = ""
    key: str = ""
    provider: str = ""
    model: str = ""
    kind: Kind = Kind.COMPLETION
    stream: bool = True
    interval_ns: int = 0

    def of(self, kind: ScopeKind) -> str:
        """Its name as a scope of that kind."""
        return str(
            getattr(self, "vantage" if kind is ScopeKind.PLACE else "gateway" if kind is ScopeKind.PATH else kind)
        )

    def within(self, scope: Scope) -> bool:
        """Whether it is part of the scope."""
        if scope.kind is ScopeKind.PATH and self.vantage != scope.place:
            return False
        return self.of(scope.kind) == scope.name


def attributes_of(endpoint: Endpoint, interval_s: float, vantage: str = "") -> Attributes:
    """Those of an endpoint that is probed from that place."""
    kind = kind_of(endpoint.api)
    api = ASKED_APIS.get(endpoint.api)
    model = endpoint.model or (api.default_model if api is not None else "")
    return Attributes(
        endpoint=endpoint.name,
        vantage=vantage,
        gateway=gateway_of(endpoint),
        key=_key_of(endpoint),
        provider=endpoint.provider or (provider_of(endpoint.api, model) if kind is Kind.COMPLETION else ""),
        model=model if kind is Kind.COMPLETION else "",
        kind=kind,
        stream=endpoint.stream,
        interval_ns=int(interval_s * 1e9),
    )


def gateway_of(endpoint: Endpoint) -> str:
    """`https://eu.example.com`, with the port where it is not the scheme's; a WebSocket's as HTTP's."""
    if endpoint.unix is not None:
        return f"unix:{endpoint.unix}"
    parts = urlsplit(endpoint.url)
    scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)
    host = parts.hostname or ""
    try:
        port = parts.port
    except ValueError:
        port = None
    host = f"[{host}]" if ":" in host else host
    return f"{scheme}://{host}" + (f":{port}" if port not in (None, _PORTS.get(scheme)) else "")


def provider_of(api: str, model: str) -> str:
    """Who makes the answers, by the model's prefix (`anthropic/claude-haiku-4-5`, `claude-*`), else by the API; ""
    where neither says."""
    if api in _HOSTS_MODELS | _OWN_MODELS:
        return _BY_API.get(api, "")
    path = re.split(r"/|::", model.lower())
    if path[0] == "accounts" and len(path) > 1:
        return path[1]
    if len(path) > 1 and path[0] not in ("", "models", "publishers"):
        return path[0]
    named = (provider for prefix, provider in _FAMILIES if prefix.match(path[-1]))
    return next(named, _BY_API.get(api, ""))


def _key_of(endpoint: Endpoint) -> str:
    if endpoint.key is not None:
        return endpoint.key
    return ", ".join(dict.fromkeys(each for value in endpoint.headers.values() for each in references_in(value)))
