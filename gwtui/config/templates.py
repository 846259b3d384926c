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

from gwtui.apis import APIS, kind_of
from gwtui.apis.requests import LOCAL_URL
from gwtui.apis.sourcegraph.shared import ACCESS_TOKEN, EXAMPLE_URL
from gwtui.config import ConfigError, ConfigFault, endpoint_from, load, save_endpoint
from gwtui.config.errors import did_you_mean, shown
from gwtui.model.enums import Kind
from gwtui.model.profile import Endpoint

CODY_GATEWAY = "https://cody-gateway.example.com"

TRACE = {"X-Sourcegraph-Should-Trace": "true"}
FEATURE = {**TRACE, "X-Sourcegraph-Feature": "code_completions"}
_PING: dict[str, Any] = {"body": "ping", "expect": "pong", "headers": TRACE}
_GATEWAY_KEY: dict[str, Any] = {"key": "env:CODY_GATEWAY_TOKEN", "auth": "bearer"}


class Snippet(msgspec.Struct, frozen=True):
    """A ready-made endpoint."""

    title: str
    endpoint: Endpoint


def _snippet(kind: str, title: str, api: str, url: str, **fields: Any) -> tuple[str, Snippet]:
    return kind, Snippet(title, Endpoint(name=kind, api=api, url=url, **fields))


SNIPPETS: dict[str, Snippet] = dict(
    (
        *((api.snippet.name, Snippet(api.title, api.snippet)) for api in APIS.values() if api.snippet is not None),
        _snippet(
            "cody-gateway-anthropic",
            "Cody Gateway: Anthropic Messages",
            "anthropic-messages",
            CODY_GATEWAY,
            path="/v1/completions/anthropic-messages",
            headers=FEATURE,
            **_GATEWAY_KEY,
        ),
        _snippet(
            "cody-gateway-fireworks", "Cody Gateway: Fireworks completions", "fireworks", CODY_GATEWAY, **_GATEWAY_KEY
        ),
        _snippet(
            "cody-gateway-ws", "Cody Gateway: WebSocket ping", "websocket", CODY_GATEWAY, path="/v2/websocket", **_PING
        ),
        _snippet("cody-gateway-http", "Cody Gateway: HTTP ping", "http", CODY_GATEWAY, path="/v2/http", **_PING),
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
            **_PING,
            **ACCESS_TOKEN,
        ),
        _snippet(
            "sourcegraph-http-then-ws",
            "Sourcegraph: ping by HTTP, then WebSocket",
            "http",
            EXAMPLE_URL,
            path="/.api/gateway/http-then-websocket",
            **_PING,
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


def names() -> tuple[str, ...]:
    """The kinds there are."""
    return tuple(SNIPPETS)


def snippet(kind: str) -> Endpoint:
    """The ready-made endpoint of that kind. Raises ConfigError, which names the nearest kind."""
    if kind not in SNIPPETS:
        raise ConfigError(
            [ConfigFault(None, None, "", f"there is no kind {shown(kind)}", did_you_mean(kind, (*SNIPPETS, *SETS)))]
        )
    return SNIPPETS[kind].endpoint


def add(path: Path, profile: str, kind: str, given: Mapping[str, Any] | None = None) -> Endpoint:
    """Put a ready-made endpoint into the file's profile, with these fields of one's own over it. Raises ConfigError.

    File and profile are made when missing; an endpoint of the same name is refused.
    """
    endpoint = endpoint_from(given or {}, snippet(kind))
    save_endpoint(path, profile, endpoint)
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
        endpoint_from(chosen.fields.get(kind, {}), _adapted(snippet(kind), {"url": chosen.url, **given}))
        for kind in chosen.kinds
    ]
    profiles = load(path).profiles if path.exists() else ()
    taken = {each.name for table in profiles if table.name == profile for each in table.endpoints}
    if twin := next((each.name for each in endpoints if each.name in taken), None):
        raise _refusal(f"{profile} already has an endpoint {shown(twin)}: nothing was added")
    for endpoint in endpoints:
        save_endpoint(path, profile, endpoint)
    return tuple(endpoints)


def _adapted(endpoint: Endpoint, given: Mapping[str, Any]) -> Endpoint:
    fits = {"url": True, "key": endpoint.key is not None, "model": _has_model(endpoint)}
    return endpoint_from({name: value for name, value in given.items() if fits[name]}, endpoint)


def _has_model(endpoint: Endpoint) -> bool:
    return kind_of(endpoint.api) is Kind.COMPLETION


def _refusal(text: str) -> ConfigError:
    return ConfigError([ConfigFault(None, None, "", text)])
