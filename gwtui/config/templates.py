"""Ready-made endpoints for each API and for known gateways, put into a profile by `gwtui config add KIND`.

Addresses are examples; keys are variables with the names that people use for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from gwtui.apis import APIS
from gwtui.apis.requests import LOCAL_URL
from gwtui.apis.sourcegraph.shared import ACCESS_TOKEN, EXAMPLE_URL
from gwtui.config import ConfigError, ConfigFault, endpoint_from, save_endpoint
from gwtui.config.errors import did_you_mean, shown
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


def names() -> tuple[str, ...]:
    """The kinds there are."""
    return tuple(SNIPPETS)


def snippet(kind: str) -> Endpoint:
    """The ready-made endpoint of that kind. Raises ConfigError, which names the nearest kind."""
    if kind not in SNIPPETS:
        raise ConfigError(
            [ConfigFault(None, None, "", f"there is no kind {shown(kind)}", did_you_mean(kind, SNIPPETS))]
        )
    return SNIPPETS[kind].endpoint


def add(path: Path, profile: str, kind: str, given: Mapping[str, Any] | None = None) -> Endpoint:
    """Put a ready-made endpoint into the file's profile, with these fields of one's own over it. Raises ConfigError.

    File and profile are made when missing; an endpoint of the same name is refused.
    """
    endpoint = endpoint_from(given or {}, snippet(kind))
    save_endpoint(path, profile, endpoint)
    return endpoint
