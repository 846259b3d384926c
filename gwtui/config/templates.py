"""Ready-made endpoints for each API and for known gateways, put into a profile by `gwtui config add KIND`, and sets of
them for whole gateways.

Addresses are examples; keys are variables with the names that people use for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec

from gwtui.apis import APIS, SOCKET_APIS, kind_of
from gwtui.apis.default_models import CHATS_DO_NOT_THINK, GEMINI, GPT
from gwtui.apis.requests import LOCAL_URL, with_scheme
from gwtui.apis.sourcegraph.shared import ACCESS_TOKEN, EXAMPLE_URL
from gwtui.config import ConfigError, ConfigFault, endpoint_from, load, save_endpoint
from gwtui.config.errors import did_you_mean, shown
from gwtui.model.enums import Kind
from gwtui.model.profile import Endpoint

CODY_GATEWAY = "https://cody-gateway.example.com"

TRACE = {"X-Sourcegraph-Should-Trace": "true"}
FEATURE = {**TRACE, "X-Sourcegraph-Feature": "code_completions"}
JSON = {"Content-Type": "application/json"}
"""What the predecessor called its pings over HTTP, and what an instance may insist on."""
_PING: dict[str, Any] = {"body": "ping", "expect": "pong", "headers": TRACE}
_HTTP_PING: dict[str, Any] = {**_PING, "headers": {**JSON, **TRACE}}
_GATEWAY_KEY: dict[str, Any] = {"key": "env:CODY_GATEWAY_TOKEN", "auth": "bearer"}


class Snippet(msgspec.Struct, frozen=True):
    """A ready-made endpoint."""

    title: str
    endpoint: Endpoint
    comment: str = ""
    """What is special about it: the comment above it in a file."""


def _snippet(kind: str, title: str, api: str, url: str, *, comment: str = "", **fields: Any) -> tuple[str, Snippet]:
    return kind, Snippet(title, Endpoint(name=kind, api=api, url=url, **fields), comment)


NO_STREAM_OPTIONS: dict[str, Any] = {"omit": ("stream_options",)}
"""For providers that always report the token counts, and may refuse to be asked for them."""
PROVIDERS = (
    _snippet(
        "azure-openai",
        "Azure OpenAI",
        "openai-chat",
        "https://my-resource.openai.azure.com",
        path="/openai/deployments/{model}/chat/completions?api-version=2024-10-21",
        key="env:AZURE_OPENAI_API_KEY",
        auth="api-key",
        model=GPT,
        body=CHATS_DO_NOT_THINK,
        comment="The path names the deployment, which is what `model` is here, and needs an api-version: without one "
        'Azure answers 404. The key goes into the header api-key; with `auth = "bearer"` it is a token of Entra ID.',
    ),
    _snippet(
        "openrouter",
        "OpenRouter",
        "openai-chat",
        "https://openrouter.ai/api/v1",
        key="env:OPENROUTER_API_KEY",
        model=f"openai/{GPT}",
        body={**CHATS_DO_NOT_THINK, "provider": {"allow_fallbacks": False}},
        comment="Without allow_fallbacks = false another upstream answers where one is down, and hides it; "
        "`provider = { order = [...] }` chooses one. Comments keep a waiting stream alive.",
    ),
    _snippet(
        "mistral",
        "Mistral",
        "openai-chat",
        "https://api.mistral.ai",
        key="env:MISTRAL_API_KEY",
        model="mistral-small-latest",
        **NO_STREAM_OPTIONS,
        comment="Mistral refuses stream_options.include_usage (422), and tells the token counts without it.",
    ),
    _snippet(
        "vertex-gemini",
        "Gemini on Vertex AI",
        "gemini",
        "https://aiplatform.googleapis.com/v1/projects/my-project/locations/global",
        path="/publishers/google/models/{model}:streamGenerateContent?alt=sse",
        key="cmd:gcloud auth print-access-token",
        auth="bearer",
        model=GEMINI,
        comment="Project and location are in the URL; a region is in its host too, before aiplatform. Without "
        "`alt=sse` an array comes instead of a stream. Thinking counts against max_tokens: this model thinks little.",
    ),
    _snippet(
        "groq",
        "Groq",
        "openai-chat",
        "https://api.groq.com/openai/v1",
        key="env:GROQ_API_KEY",
        model="openai/gpt-oss-20b",
        body={"reasoning_effort": "low"},
        comment="Limits are per minute and per day, and told in x-ratelimit headers. Token counts are in x_groq too.",
    ),
    _snippet(
        "deepseek",
        "DeepSeek",
        "openai-chat",
        "https://api.deepseek.com",
        path="/chat/completions",
        key="env:DEEPSEEK_API_KEY",
        model="deepseek-flash",
        body={"thinking": {"type": "disabled"}},
        comment="A busy DeepSeek keeps a request open for minutes, and sends comments. It thinks unless that is "
        "disabled: raise max_tokens if it is to think. An empty balance is HTTP 402.",
    ),
    _snippet(
        "xai",
        "xAI",
        "openai-chat",
        "https://api.x.ai",
        key="env:XAI_API_KEY",
        model="grok-4.3",
        body=CHATS_DO_NOT_THINK,
        comment="Grok thinks unless it is asked not to. Where it does, its thoughts count against max_tokens.",
    ),
    _snippet(
        "perplexity",
        "Perplexity",
        "openai-chat",
        "https://api.perplexity.ai",
        path="/chat/completions",
        key="env:PERPLEXITY_API_KEY",
        model="sonar",
        **NO_STREAM_OPTIONS,
        comment="Each answer searches the web, which costs extra. The path has no /v1. Streams may end without [DONE]: "
        "`complete_unterminated` is normal here.",
    ),
    _snippet(
        "zai",
        "z.ai",
        "openai-chat",
        "https://api.z.ai/api/paas/v4",
        path="/chat/completions",
        key="env:ZAI_API_KEY",
        model="glm-4.7",
        **NO_STREAM_OPTIONS,
        body={"thinking": {"type": "disabled"}},
        comment="The path has no /v1. GLM thinks unless that is disabled, and its thoughts count against max_tokens.",
    ),
)
"""Ready-made endpoints of providers that speak a known API in a way of their own."""
OF_ITS_MODEL = ("reasoning_effort", "temperature")
"""Fields of ready-made bodies that models may refuse."""
_FIXED = ("fireworks", "sourcegraph-stream", "sourcegraph-code", "cody-gateway-anthropic", "cody-gateway-fireworks")
"""Kinds that ask what `src gateway` asked, word for word."""


def _numbered(kind: str, made: Snippet) -> Snippet:
    """The same asking a new question each time, so that no cache answers it."""
    if kind in _FIXED or kind_of(made.endpoint.api) is not Kind.COMPLETION:
        return made
    return msgspec.structs.replace(made, endpoint=msgspec.structs.replace(made.endpoint, nonce=True))


_READY_MADE: dict[str, Snippet] = dict(
    (
        *(
            (api.snippet.name, Snippet(api.title, api.snippet, api.snippet_comment))
            for api in (*APIS.values(), *SOCKET_APIS.values())
            if api.snippet is not None
        ),
        *PROVIDERS,
        _snippet(
            "cody-gateway-anthropic",
            "Cody Gateway: Anthropic Messages",
            "anthropic-messages",
            CODY_GATEWAY,
            path="/v1/completions/anthropic-messages",
            headers=FEATURE,
            model="claude-3-haiku-20240307",
            messages=(
                {"role": "user", "content": "def bubble_sort(arr):"},
                {"role": "assistant", "content": "Here is a bubble sort:"},
            ),
            body={"temperature": 0.0},
            **_GATEWAY_KEY,
        ),
        _snippet(
            "cody-gateway-fireworks", "Cody Gateway: Fireworks completions", "fireworks", CODY_GATEWAY, **_GATEWAY_KEY
        ),
        _snippet(
            "cody-gateway-ws", "Cody Gateway: WebSocket ping", "websocket", CODY_GATEWAY, path="/v2/websocket", **_PING
        ),
        _snippet("cody-gateway-http", "Cody Gateway: HTTP ping", "http", CODY_GATEWAY, path="/v2/http", **_HTTP_PING),
        _snippet(
            "sourcegraph-ws",
            "Sourcegraph: WebSocket ping",
            "websocket",
            EXAMPLE_URL,
            path="/.api/gateway/websocket",
            **_PING,
            **ACCESS_TOKEN,
        ),
        _snippet(
            "sourcegraph-http",
            "Sourcegraph: HTTP ping",
            "http",
            EXAMPLE_URL,
            path="/.api/gateway/http",
            **_HTTP_PING,
            **ACCESS_TOKEN,
        ),
        _snippet(
            "sourcegraph-http-then-ws",
            "Sourcegraph: ping by HTTP, then WebSocket",
            "http",
            EXAMPLE_URL,
            path="/.api/gateway/http-then-websocket",
            **_HTTP_PING,
            **ACCESS_TOKEN,
        ),
        _snippet(
            "health",
            "A local gateway's health",
            "http",
            LOCAL_URL,
            path="/gateway/health",
            method="GET",
            expect_json={"status": "healthy", "providers.anthropic": True},
        ),
    )
)
SNIPPETS = {kind: _numbered(kind, made) for kind, made in _READY_MADE.items()}
"""By kind, in the order of menus."""


class SnippetSet(msgspec.Struct, frozen=True):
    """The ready-made endpoints of one gateway, which share its base URL."""

    title: str
    kinds: tuple[str, ...]
    url: str
    """The base URL, unless one is given."""
    fields: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
    """By kind what it has in this set alone. Endpoints that others name come first."""


SETS: dict[str, SnippetSet] = {
    "cody": SnippetSet(
        "All of a Cody Gateway: completions and pings",
        ("cody-gateway-anthropic", "cody-gateway-fireworks", "cody-gateway-ws", "cody-gateway-http"),
        CODY_GATEWAY,
    ),
    "sourcegraph": SnippetSet(
        "All of a Sourcegraph instance: completions and pings",
        ("sourcegraph-stream", "sourcegraph-code", "sourcegraph-ws", "sourcegraph-http", "sourcegraph-http-then-ws"),
        EXAMPLE_URL,
    ),
    "llm-gateway": SnippetSet(
        "All of a local LLM gateway: metrics, health and messages",
        ("gateway-metrics", "health", "anthropic"),
        LOCAL_URL,
        {"anthropic": {"metrics": "gateway-metrics"}},
    ),
}
"""By name, in the order of menus. A kind may not have the name of a set."""


def snippet(kind: str) -> Endpoint:
    """The ready-made endpoint of that kind. Raises ConfigError, which names the nearest kind."""
    if kind not in SNIPPETS:
        raise ConfigError(
            [ConfigFault(None, None, "", f"there is no kind {shown(kind)}", did_you_mean(kind, (*SNIPPETS, *SETS)))]
        )
    return SNIPPETS[kind].endpoint


def made_with(given: Mapping[str, Any], kind: str) -> Endpoint:
    """The ready-made endpoint with these fields changed. Raises ConfigError.

    Another question replaces the whole conversation. So does another model, which may refuse a prefilled answer and
    gets none of the settings that suit the ready-made one. The URL may be that of the gateway's WebSocket.
    """
    made, given = snippet(kind), dict(given)
    if kind_of(made.api) is not Kind.WEBSOCKET and str(given.get("url")).startswith(("ws://", "wss://")):
        given["url"] = with_scheme(given["url"], "http", "https")
    is_other_model = given.get("model") not in (None, made.model)
    if is_other_model or given.keys() & {"prompt", "turns"}:
        made = msgspec.structs.replace(made, messages=None)
    if is_other_model and isinstance(made.body, dict):
        body = {name: value for name, value in made.body.items() if name not in OF_ITS_MODEL}
        made = msgspec.structs.replace(made, body=body or None)
    return endpoint_from(given, made)


def add(path: Path, profile: str, kind: str, given: Mapping[str, Any] | None = None) -> Endpoint:
    """Put a ready-made endpoint into the file's profile, with these fields changed. Raises ConfigError.

    File and profile are made when missing; an endpoint of the same name is refused.
    """
    endpoint = made_with(given or {}, kind)
    save_endpoint(path, profile, endpoint, comment=SNIPPETS[kind].comment)
    return endpoint


def add_set(path: Path, profile: str, name: str, given: Mapping[str, Any] | None = None) -> tuple[Endpoint, ...]:
    """Put all endpoints of a set into the file's profile, or none of them. Raises ConfigError.

    Of `given`, the `url` is for all of them, `key` for those that have one, and `model` for the one with a model.
    """
    chosen, given = SETS[name], given or {}
    if "name" in given:
        raise _refusal(f"{name} adds several endpoints: leave out the name")
    if "model" in given and sum(map(_has_model, map(snippet, chosen.kinds))) > 1:
        raise _refusal(f"{name} adds endpoints with different models: add one kind at a time to choose its model")
    endpoints = [
        endpoint_from(chosen.fields.get(kind, {}), _adapted(kind, {"url": chosen.url, **given}))
        for kind in chosen.kinds
    ]
    profiles = load(path).profiles if path.exists() else ()
    taken = {each.name for table in profiles if table.name == profile for each in table.endpoints}
    if twin := next((each.name for each in endpoints if each.name in taken), None):
        raise _refusal(f"{profile} already has an endpoint {shown(twin)}: nothing was added")
    for endpoint in endpoints:
        save_endpoint(path, profile, endpoint)
    return tuple(endpoints)


def _adapted(kind: str, given: Mapping[str, Any]) -> Endpoint:
    endpoint = snippet(kind)
    fits = {"url": True, "key": endpoint.key is not None, "model": _has_model(endpoint)}
    return made_with({name: value for name, value in given.items() if fits[name]}, kind)


def _has_model(endpoint: Endpoint) -> bool:
    return kind_of(endpoint.api) is Kind.COMPLETION


def _refusal(text: str) -> ConfigError:
    return ConfigError([ConfigFault(None, None, "", text)])
