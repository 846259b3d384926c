"""What endpoints have in common is taken from their settings: the gateway as shown, the key, the provider."""

from __future__ import annotations

from typing import Any

import pytest

from gwtui.health.attributes import attributes_of, gateway_of, provider_of
from gwtui.model.incidents import Scope, ScopeKind
from gwtui.model.profile import Endpoint


def endpoint(url: str = "https://eu.example.com", **fields: Any) -> Endpoint:
    return Endpoint(**({"name": "a", "api": "openai-chat", "url": url} | fields))


@pytest.mark.parametrize(
    ("url", "gateway"),
    [
        ("https://eu.example.com/v1?key=${env:K}", "https://eu.example.com"),
        ("https://EU.example.com:443", "https://eu.example.com"),
        ("wss://eu.example.com/ws", "https://eu.example.com"),
        ("ws://eu.example.com:8080", "http://eu.example.com:8080"),
        ("http://[::1]:9", "http://[::1]:9"),
        ("https://user:word@eu.example.com:8443", "https://eu.example.com:8443"),
    ],
)
def test_a_gateway_is_scheme_host_and_port(url: str, gateway: str) -> None:
    assert gateway_of(endpoint(url)) == gateway


def test_a_unix_socket_is_a_gateway_of_its_own() -> None:
    assert gateway_of(endpoint("http://localhost", unix="/run/a.sock")) == "unix:/run/a.sock"


@pytest.mark.parametrize(
    ("api", "model", "provider"),
    [
        ("anthropic-messages", "claude-haiku-4-5", "anthropic"),
        ("openai-chat", "claude-haiku-4-5", "anthropic"),
        ("openai-chat", "anthropic/claude-haiku-4-5", "anthropic"),
        ("openai-chat", "openrouter/anthropic/claude-haiku-4-5", "openrouter"),
        ("sourcegraph-stream", "anthropic::2024-10-22::claude-x", "anthropic"),
        ("openai-chat", "gpt-4o-mini", "openai"),
        ("openai-chat", "o3-mini", "openai"),
        ("openai-chat", "gpt-oss-120b", ""),
        ("openai-chat", "ollama3", ""),
        ("openai-chat", "gemini-2.5-flash", "google"),
        ("gemini", "models/gemini-2.5-flash", "google"),
        ("fireworks", "accounts/fireworks/models/starcoder", "fireworks"),
        ("openai-chat", "accounts/fireworks/models/starcoder", "fireworks"),
        ("bedrock-converse", "anthropic.claude-3-haiku", "bedrock"),
        ("vertex-claude", "claude-haiku-4-5", "vertex"),
        ("ollama-chat", "mistral", ""),
    ],
)
def test_the_provider_comes_from_the_model_or_the_api(api: str, model: str, provider: str) -> None:
    assert provider_of(api, model) == provider


def test_the_profiles_own_words_come_first() -> None:
    found = attributes_of(endpoint(model="gpt-x", provider="azure", key="env:K"), 5, "fra")
    assert (found.provider, found.model, found.key, found.vantage) == ("azure", "gpt-x", "env:K", "fra")


def test_a_key_in_headers_is_one_and_a_ping_has_no_model() -> None:
    headers = {"authorization": "token ${env:SRC}", "x-team": "blue"}
    found = attributes_of(endpoint("wss://h", api="websocket", headers=headers), 5)
    assert (found.key, found.model, found.provider) == ("env:SRC", "", "")


def test_the_apis_own_model_counts() -> None:
    assert attributes_of(endpoint(api="anthropic-messages"), 5).provider == "anthropic"


@pytest.mark.parametrize(
    "scope",
    [
        Scope(ScopeKind.GATEWAY, "https://eu.example.com"),
        Scope(ScopeKind.ENDPOINT, "a"),
        Scope(ScopeKind.PATH, "https://eu.example.com", "fra"),
        Scope(ScopeKind.PLACE, "fra"),
    ],
)
def test_an_endpoint_is_within_its_scopes_and_they_are_read_back(scope: Scope) -> None:
    found = attributes_of(endpoint(), 5, "fra")
    assert found.within(scope)
    assert Scope.parse(str(scope)) == scope
    assert not found.within(Scope(scope.kind, "b", scope.place))
