"""Which requests checks send: how many, to where, and never with the real key where a made-up one is due."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from support.checked import document, evidence, request, target

from gwtui.apis import APIS, kind_of
from gwtui.checks.key_substitution import MADE_UP_KEY, holds_key, with_made_up_key
from gwtui.checks.planning import checks_for, requests_of
from gwtui.checks.registry import CHECKS
from gwtui.checks.request_plans import (
    UNKNOWN_MODEL,
    compared_models,
    is_settled,
    request_plan,
    root_of,
    sizes,
    with_listed_model,
    with_prompt,
)
from gwtui.checks.request_sets import RequestSet
from gwtui.model.enums import Kind
from gwtui.model.profile import Endpoint

COMPLETIONS = [name for name in APIS if kind_of(name) is Kind.COMPLETION]


def asked(endpoint: Endpoint) -> str:
    """The request as one text, without a key."""
    ask = APIS[endpoint.api].ask(endpoint, None)
    return f"{ask.method} {ask.url} {ask.headers} {endpoint.headers} {ask.body.decode()}"


@pytest.mark.parametrize(
    ("url", "root"),
    [
        ("http://h:1", "http://h:1"),
        ("http://h:1/", "http://h:1"),
        ("http://h/v1", "http://h"),
        ("http://h/v1/messages", "http://h"),
        ("http://h/proxy/v1/", "http://h/proxy"),
        ("http://h/v2", "http://h/v2"),
    ],
)
def test_documents_are_at_the_root_of_the_gateway(url: str, root: str) -> None:
    assert root_of(target(url=url).endpoint) == root
    (health,) = request_plan(RequestSet.HEALTH, target(url=url)).groups[0]
    assert asked(health).startswith(f"GET {root}/gateway/health ")


@pytest.mark.parametrize("api", COMPLETIONS)
def test_every_api_can_be_asked_all_of_it(api: str) -> None:
    of = target(api=api, models=("a", "b"), provoke="bad")
    for need in set(RequestSet) - {RequestSet.PING, RequestSet.BREAKER}:
        for group in request_plan(need, of).groups:
            for endpoint in group:
                if endpoint.api == "compare-stream" and not endpoint.stream:
                    continue  # it only streams
                assert asked(endpoint)


@pytest.mark.parametrize("api", COMPLETIONS)
@pytest.mark.parametrize(
    "fields",
    [
        {"key": "env:REAL"},
        {"key": "env:REAL", "headers": {"X-Other": "${env:REAL}"}},
        {"key": None, "headers": {"Authorization": "token ${env:REAL}", "X-Team": "blue"}},
        {"key": None, "headers": {"x-api-key": "env:REAL"}},
        {"key": None, "headers": {"Cookie": "session=REAL"}},
        {"key": "file:/REAL", "auth": "bearer"},
        {"key": None},
    ],
)
def test_the_made_up_key_takes_the_place_of_every_real_one(api: str, fields: dict[str, Any]) -> None:
    endpoint = target(api=api, **fields).endpoint
    derived = with_made_up_key(endpoint)
    found = msgspec.json.encode(derived).decode() + asked(derived)
    assert "REAL" not in found
    assert MADE_UP_KEY in found
    assert derived.key is None
    assert holds_key(endpoint) is ("REAL" in msgspec.json.encode(endpoint).decode())
    assert derived.headers.get("X-Team") == endpoint.headers.get("X-Team")


def test_the_made_up_key_is_sent_as_the_real_one_would_be() -> None:
    assert with_made_up_key(target().endpoint).headers == {"x-api-key": MADE_UP_KEY}
    assert with_made_up_key(target(auth="token").endpoint).headers == {"Authorization": f"token {MADE_UP_KEY}"}
    assert with_made_up_key(target(api="openai-chat").endpoint).headers == {"Authorization": f"Bearer {MADE_UP_KEY}"}
    own = target(key=None, headers={"Authorization": "token ${env:REAL}"}).endpoint
    assert with_made_up_key(own).headers == {"Authorization": f"token {MADE_UP_KEY}"}


def test_documents_send_the_key_as_the_api_does() -> None:
    def auth_of(**fields: Any) -> str | None:
        (health,) = request_plan(RequestSet.HEALTH, target(**fields)).groups[0]
        assert health.key == "env:KEY"
        return health.auth

    assert auth_of() == "x-api-key"
    assert auth_of(api="openai-chat") == "bearer"
    assert auth_of(api="sourcegraph-stream") == "token"
    assert auth_of(auth="api-key") == "api-key"


def test_an_unknown_model_is_asked_for_whatever_the_body_says() -> None:
    ((unknown,),) = request_plan(RequestSet.UNKNOWN_MODEL, target(model="m", body={"model": "n", "top_p": 1})).groups
    body = asked(unknown)
    assert UNKNOWN_MODEL in body
    assert '"n"' not in body
    assert "top_p" in body


def test_streams_at_once_each_have_a_question_of_their_own() -> None:
    (group,) = request_plan(
        RequestSet.TOGETHER, target(messages=({"role": "user", "content": "mine"},), stream=False)
    ).groups
    assert len({endpoint.prompt for endpoint in group}) == len(group) == 10
    assert all(endpoint.stream and "mine" not in asked(endpoint) for endpoint in group)


@pytest.mark.parametrize(
    ("count", "numbers"),
    [(0, (3,)), (1, (3,)), (2, (2,)), (3, (3,)), (4, (3, 4)), (6, (3, 6)), (9, (3, 6, 9)), (12, (3, 6, 9))],
)
def test_models_are_compared_in_growing_numbers(count: int, numbers: tuple[int, ...]) -> None:
    of = target(models=tuple(f"m{number}" for number in range(count)))
    assert sizes(of) == numbers
    assert [len(group) for group in request_plan(RequestSet.COMPARED, of).groups] == list(numbers)
    assert len(compared_models(of)) == numbers[-1]


def test_an_api_of_several_models_is_asked_for_all_of_them_at_once() -> None:
    of = target(api="compare-stream", models=("a", "b", "c", "d"))
    models = [endpoint.model for (endpoint,) in request_plan(RequestSet.COMPARED, of).groups]
    assert models == ["a,b,c", "a,b,c,d"]
    ((stranger,),) = request_plan(RequestSet.STRANGER, of).groups
    assert stranger.model is not None
    assert stranger.model.endswith(f",{UNKNOWN_MODEL}")
    assert request_plan(RequestSet.UNKNOWN_MODEL, of).groups == ()


def test_one_stream_is_not_asked_for_the_same_model_twice() -> None:
    assert request_plan(RequestSet.COMPARED, target(api="compare-stream", model="a")).groups == ()
    assert request_plan(RequestSet.COMPARED, target(api="compare-stream", models=("a",))).groups == ()


@pytest.mark.parametrize(
    ("fields", "models", "model"),
    [
        ({"api": "compare-stream"}, "abcdef", "a,b,c"),
        ({"api": "compare-stream"}, "ab", "a,b"),
        ({"api": "openai-chat"}, "abc", "a"),
        ({"api": "openai-chat", "model": "own"}, "abc", "own"),
        ({"api": "openai-chat", "body": {"model": "own"}}, "abc", None),
        ({"api": "compare-stream", "body": {"models": ["own"]}}, "abc", None),
        ({"api": "openai-chat"}, "", None),
        ({"api": "http"}, "abc", None),
        ({"api": "websocket"}, "abc", None),
    ],
)
def test_models_that_have_to_work_come_before_the_default_of_the_api(
    fields: dict[str, Any], models: str, model: str | None
) -> None:
    assert with_listed_model(target(**fields).endpoint, tuple(models)).model == model


def test_nothing_is_provoked_unless_a_model_is_named() -> None:
    provoking = (RequestSet.PROVOKED, RequestSet.PROVOKED_METRICS, RequestSet.PROVOKED_AUDIT, RequestSet.BREAKER)
    assert [request_plan(need, target()).most for need in provoking] == [0, 0, 0, 0]
    assert [request_plan(need, target(provoke="bad")).most for need in provoking] == [1, 2, 3, 15]


def test_what_several_checks_need_is_counted_once() -> None:
    of = target()
    counts = dict(zip((check.name for check in checks_for(of)), requests_of(checks_for(of), of), strict=True))
    assert counts["connection"] == 5
    assert counts["health"] == counts["steady"] == 0
    assert counts["concurrent-streams"] == 10
    assert sum(counts.values()) < 50


def test_names_of_checks_are_unique_and_every_need_has_a_recipe() -> None:
    assert len({check.name for check in CHECKS}) == len(CHECKS)
    for need in RequestSet:
        assert request_plan(need, target(models=("a",), provoke="bad")).most > 0


def test_pings_are_asked_nothing_but_their_ping() -> None:
    of = target(api="websocket", url="ws://h")
    assert [check.name for check in checks_for(of)] == ["ping"]


@pytest.mark.parametrize(
    ("after", "settled"),
    [(5, True), (4, False), (9, True)],
)
def test_metrics_are_looked_at_again_until_they_moved(after: int, settled: bool) -> None:
    before, later = (document({"summary": {"total_requests": count}}) for count in (3, after))
    known = evidence(metrics_before=before, stream=request(), answer=request(), metrics_after=later)
    assert is_settled(RequestSet.METRICS_AFTER, known) is settled


def test_documents_that_are_not_there_are_not_looked_for_again() -> None:
    gone = document("", 404)
    assert is_settled(RequestSet.METRICS_AFTER, evidence(metrics_before=gone, metrics_after=gone))
    assert is_settled(RequestSet.AUDIT, evidence(stream=request(), audit=gone))
    assert not is_settled(RequestSet.AUDIT, evidence(stream=request(), audit=document([])))


@pytest.mark.parametrize("field", ["prompt", "messages"])
@pytest.mark.parametrize("api", COMPLETIONS)
def test_a_check_that_asks_its_own_question_drops_the_endpoints(api: str, field: str) -> None:
    endpoint = Endpoint(name="a", api=api, url="http://h", body={field: 5, "seed": 1}, max_tokens=5)
    settled = with_prompt(endpoint, "Count to 100.", 400)
    assert (settled.body, settled.max_tokens) == ({"seed": 1}, 400)


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        ({"max_completion_tokens": 5}, {"max_completion_tokens": 400}),
        ({"maxTokensToSample": 5, "seed": 1}, {"maxTokensToSample": 400, "seed": 1}),
        (
            {"generationConfig": {"maxOutputTokens": 5, "topK": 1}},
            {"generationConfig": {"maxOutputTokens": 400, "topK": 1}},
        ),
        ({"options": {"num_predict": 5}}, {"options": {"num_predict": 400}}),
        ({"metadata": {"max_tokens": "few"}}, {"metadata": {"max_tokens": "few"}}),
    ],
)
def test_an_endpoints_limit_keeps_its_name_and_gets_the_checks_value(body: Any, asked: Any) -> None:
    endpoint = Endpoint(name="a", api="openai-chat", url="http://h", body=body, max_tokens=5)
    assert with_prompt(endpoint, "Count to 100.", 400).body == asked
