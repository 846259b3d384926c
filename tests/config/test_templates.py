"""Ready-made endpoints: all can be asked as they stand, put into a file, and adapted on the way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gwtui import config
from gwtui.apis import APIS, api_names, url_for
from gwtui.config.templates import SETS, SNIPPETS, add, add_set, snippet

FIVE_PINGS = {
    "cody-gateway-ws": ("wss://cody-gateway.example.com/v2/websocket", None),
    "cody-gateway-http": ("https://cody-gateway.example.com/v2/http", None),
    "sourcegraph-ws": ("wss://sourcegraph.example.com/.api/gateway/websocket", "token"),
    "sourcegraph-http": ("https://sourcegraph.example.com/.api/gateway/http", "token"),
    "sourcegraph-http-then-ws": ("https://sourcegraph.example.com/.api/gateway/http-then-websocket", "token"),
}


def test_every_api_has_one() -> None:
    assert {each.endpoint.api for each in SNIPPETS.values()} == set(api_names())
    assert len({each.title for each in SNIPPETS.values()}) == len(SNIPPETS)


@pytest.mark.parametrize("kind", SNIPPETS)
def test_every_one_is_valid_and_can_be_asked(kind: str) -> None:
    endpoint = snippet(kind)
    assert endpoint.name == kind
    assert config.endpoint_from({}, endpoint) == endpoint
    assert url_for(endpoint).startswith(("https://", "wss://", "http://127.0.0.1"))


@pytest.mark.parametrize(("kind", "expected"), FIVE_PINGS.items())
def test_the_pings_are_those_of_the_gateways(kind: str, expected: tuple[str, str | None]) -> None:
    endpoint = snippet(kind)
    assert (url_for(endpoint), endpoint.auth) == expected
    assert (endpoint.body, endpoint.expect) == ("ping", "pong")
    content_type = {"Content-Type": "application/json"} if endpoint.api == "http" else {}
    assert endpoint.headers == {**content_type, "X-Sourcegraph-Should-Trace": "true"}


def test_cody_gateway_is_asked_with_a_bearer_token_for_its_feature() -> None:
    for kind in ("cody-gateway-anthropic", "cody-gateway-fireworks"):
        endpoint = snippet(kind)
        ask = APIS[endpoint.api].ask(endpoint, "sgd_1")
        headers = {**dict(ask.headers), **endpoint.headers}
        assert ask.url.startswith("https://cody-gateway.example.com/v1/completions/")
        assert headers["Authorization"] == "Bearer sgd_1"
        assert headers["X-Sourcegraph-Feature"] == "code_completions"


CODY: dict[str, Any] = {
    "model": "claude-3-haiku-20240307",
    "max_tokens": 256,
    "stream": True,
    "messages": [
        {"role": "user", "content": "def bubble_sort(arr):"},
        {"role": "assistant", "content": "Here is a bubble sort:"},
    ],
    "temperature": 0.0,
}
PROMPT = "def bubble_sort(arr):"
HI = {"messages": [{"role": "user", "content": "hi"}]}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, CODY),
        ({"max_tokens": 9}, CODY | {"max_tokens": 9}),
        ({"prompt": "hi"}, CODY | HI),
        ({"model": CODY["model"]}, CODY),
        (
            {"model": "claude-x"},
            {"model": "claude-x", "max_tokens": 256, "stream": True, "messages": [{"role": "user", "content": PROMPT}]},
        ),
        ({"model": "claude-x", "prompt": "hi"}, {"model": "claude-x", "max_tokens": 256, "stream": True, **HI}),
    ],
)
def test_cody_gateway_gets_a_prefilled_answer_for_its_own_question_and_model_alone(
    tmp_path: Path, given: dict[str, Any], expected: dict[str, Any]
) -> None:
    path = tmp_path / "config.toml"
    add(path, "p", "cody-gateway-anthropic", given)
    (endpoint,) = config.load(path).profile("p").endpoints
    assert json.loads(APIS[endpoint.api].ask(endpoint, None).body) == expected


def test_another_model_is_not_asked_for_what_the_ready_made_one_takes(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    assert add(path, "p", "azure-openai").body == {"reasoning_effort": "none"}
    assert add(path, "p", "azure-openai", {"name": "other", "model": "our-chat"}).body is None
    assert add(path, "p", "openrouter", {"model": "our-chat"}).body == {"provider": {"allow_fallbacks": False}}


def test_all_of_them_fit_into_one_profile(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    added = [add(path, "all", kind) for kind in SNIPPETS]
    assert config.check(path) == []
    assert list(config.load(path).profile("all").endpoints) == added


def test_one_is_adapted_on_the_way(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("# mine\n[profiles.p]\ninterval_s = 2\n", encoding="utf-8")
    given = {"name": "chat", "url": "http://127.0.0.1:1", "model": "m", "key": None}
    endpoint = add(path, "p", "openai", given)
    assert (endpoint.name, endpoint.url, endpoint.model, endpoint.key) == ("chat", "http://127.0.0.1:1", "m", None)
    assert config.load(path).profile("p").endpoints == (endpoint,)
    assert path.read_text(encoding="utf-8").startswith("# mine\n")


def test_what_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    with pytest.raises(config.ConfigError, match=r'there is no kind "opnai" \(did you mean openai\?\)'):
        add(path, "p", "opnai")
    add(path, "p", "openai")
    with pytest.raises(config.ConfigError, match="there is already an endpoint"):
        add(path, "p", "openai")
    with pytest.raises(config.ConfigError, match="url"):
        add(path, "p", "gemini", {"url": "nonsense"})
    assert [endpoint.name for endpoint in config.load(path).profile("p").endpoints] == ["openai"]


@pytest.mark.parametrize("name", SETS)
def test_a_set_adds_every_endpoint_of_a_gateway_with_one_url(tmp_path: Path, name: str) -> None:
    path = tmp_path / "config.toml"
    added = add_set(path, "p", name, {"url": "http://127.0.0.1:1/base", "key": "env:MINE"})
    assert config.check(path) == []
    assert config.load(path).profile("p").endpoints == added
    assert [each.name for each in added] == list(SETS[name].kinds)
    assert {url_for(each).partition("://")[2].split("/")[0:2][1] for each in added} == {"base"}
    assert {each.key for each in added} <= {"env:MINE", None}
    assert [each.key is None for each in added] == [snippet(each.name).key is None for each in added]


def test_a_set_takes_the_url_of_the_websocket_too(tmp_path: Path) -> None:
    added = add_set(tmp_path / "config.toml", "p", "cody", {"url": "wss://gateway.example.com"})
    schemes = {each.name: each.url.partition("://")[0] for each in added}
    assert schemes.pop("cody-gateway-ws") == "wss"
    assert set(schemes.values()) == {"https"}


def test_names_of_sets_and_kinds_differ() -> None:
    assert not SETS.keys() & SNIPPETS.keys()
    assert all(kind in SNIPPETS for each in SETS.values() for kind in each.kinds)


def test_a_set_is_added_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    add(path, "p", "cody-gateway-http")
    before = path.read_text(encoding="utf-8")
    for given, says in (
        ({}, 'p already has an endpoint "cody-gateway-http": nothing was added'),
        ({"model": "m"}, "different models"),
        ({"name": "mine"}, "leave out the name"),
        ({"url": "nonsense"}, "url"),
    ):
        with pytest.raises(config.ConfigError, match=says):
            add_set(path, "p", "cody", given)
    assert path.read_text(encoding="utf-8") == before
    assert [(each.model, each.metrics) for each in add_set(path, "p", "llm-gateway", {"model": "m"})] == [
        (None, None), (None, None), ("m", "gateway-metrics"),
    ]  # fmt: skip
