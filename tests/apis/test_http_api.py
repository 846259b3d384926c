"""Plain HTTP and WebSocket endpoints: what is sent, what is expected, and the table of all APIs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwtui.apis import APIS, api_names, kind_of, url_for
from gwtui.apis.base import AskError
from gwtui.apis.http import HTTP
from gwtui.apis.websocket import WEBSOCKET
from gwtui.model.enums import Kind
from gwtui.model.profile import Endpoint
from gwtui.model.verdicts import Verdict


def endpoint(**fields: Any) -> Endpoint:
    return Endpoint(**{"name": "e", "api": "http", "url": "http://h:1", **fields})


def test_a_text_is_posted_as_it_is() -> None:
    ask = HTTP.ask(endpoint(path="/v2/http", body="ping"), "k")
    assert (ask.method, ask.url, ask.body) == ("POST", "http://h:1/v2/http", b"ping")
    assert ask.headers == (("Authorization", "Bearer k"), ("Content-Type", "text/plain; charset=utf-8"))


def test_a_table_is_posted_as_json() -> None:
    ask = HTTP.ask(endpoint(body={"a": [1, None]}, auth="token"), "k")
    assert ask.body == b'{"a":[1,null]}'
    assert ask.headers == (("Authorization", "token k"), ("Content-Type", "application/json"))


def test_nothing_is_sent_that_was_not_asked_for() -> None:
    ask = HTTP.ask(endpoint(method="get", url="http://h:1/health?x=1"), None)
    assert (ask.method, ask.url, ask.headers, ask.body) == ("GET", "http://h:1/health?x=1", (), b"")


@pytest.mark.parametrize("method", ["", "GET /", "GE\nT", "GET1"])
def test_a_method_that_is_none(method: str) -> None:
    with pytest.raises(AskError, match="is not an HTTP method"):
        HTTP.ask(endpoint(method=method), None)


@pytest.mark.parametrize(
    ("expect", "body", "verdict"),
    [
        (None, b"anything", Verdict.COMPLETE),
        ("pong", b"pong", Verdict.COMPLETE),
        ("pong", b"pong\r\n", Verdict.COMPLETE),
        ("pong\n", b"pong", Verdict.COMPLETE),
        ("pong", b" pong", Verdict.WRONG_BODY),
        ("pong", b"ping", Verdict.WRONG_BODY),
        ("pong", b"", Verdict.WRONG_BODY),
        ("", b"", Verdict.COMPLETE),
        ("grüße", "grüße".encode(), Verdict.COMPLETE),
        ("re:^up$", b"up", Verdict.COMPLETE),
        ("re:^up$", b"down", Verdict.WRONG_BODY),
        ("json:checks[0].status=ok", b'{"checks": [{"status": "ok"}]}', Verdict.COMPLETE),
        ("json:checks[0].status=ok", b'{"checks": [{"status": "failing"}]}', Verdict.WRONG_BODY),
        ("any", b"\xff", Verdict.COMPLETE),
        ("text:any", b"\xff", Verdict.WRONG_BODY),
        ("re:(a|a?)+$", b"a" * 50_000 + b"b", Verdict.LOCAL),
    ],
)
def test_the_body_has_to_be_the_expected_one(expect: str | None, body: bytes, verdict: Verdict) -> None:
    assert HTTP.answer(endpoint(expect=expect), 200, body).judgement.verdict is verdict


def test_the_status_has_to_be_the_expected_one() -> None:
    judgement = HTTP.answer(endpoint(expect_status=204), 200, b"").judgement
    assert (judgement.verdict, judgement.reason) == (Verdict.WRONG_STATUS, "HTTP 200 instead of 204")
    assert HTTP.answer(endpoint(expect_status=404), 404, b"").judgement.verdict is Verdict.COMPLETE


@pytest.mark.parametrize(
    ("expected", "good", "bad"),
    [
        ("2xx", (200, 299), (199, 300)),
        ("2XX", (204,), (404,)),
        ("200-204", (200, 204), (205,)),
        ("204", (204,), (200,)),
        (" 2xx , 404 ", (201, 404), (403,)),
        (("2xx", 404, "500-503"), (200, 404, 502), (400, 504)),
    ],
)
def test_statuses_may_be_given_as_ranges(expected: Any, good: tuple[int, ...], bad: tuple[int, ...]) -> None:
    of = endpoint(expect_status=expected)
    assert {HTTP.answer(of, status, b"").judgement.verdict for status in good} == {Verdict.COMPLETE}
    assert {HTTP.answer(of, status, b"").judgement.verdict for status in bad} == {Verdict.WRONG_STATUS}


def test_what_was_expected_is_quoted_as_it_was_written() -> None:
    judgement = HTTP.answer(endpoint(expect_status=("2xx", 404)), 301, b"").judgement
    assert judgement.reason == "HTTP 301 instead of 2xx, 404"


@pytest.mark.parametrize(
    "expected", ["", "2x", "20", "2xx-3xx", "099", "600-700", "300-200", "ok", "²xx", (), ("2xx", "")]
)
def test_a_status_that_cannot_be_is_refused(expected: Any) -> None:
    with pytest.raises(AskError, match=r"^`expect_status` "):
        HTTP.ask(endpoint(expect_status=expected), None)


HEALTHY = {"status": "healthy", "providers.anthropic": True}


@pytest.mark.parametrize(
    ("values", "body", "reason"),
    [
        (HEALTHY, '{"status": "healthy", "providers": {"anthropic": true, "openai": false}}', ""),
        (HEALTHY, '{"status": "healthy", "providers": {"anthropic": false}}', "providers.anthropic is false, not true"),
        (HEALTHY, '{"status": "healthy", "providers": {}}', "providers.anthropic is missing, not true"),
        (HEALTHY, '{"status": "healthy", "providers": {"anthropic": "true"}}', 'anthropic is "true", not true'),
        (HEALTHY, '{"status": "healthy", "providers": {"anthropic": 1}}', "providers.anthropic is 1, not true"),
        (
            HEALTHY,
            '{"status": "degraded", "providers": {"anthropic": null}}',
            'status is "degraded", not "healthy"; providers.anthropic is null, not true',
        ),
        ({"providers": {"anthropic": True}}, '{"providers": {"anthropic": false}}', "providers.anthropic is false"),
        ({"up": 1, "load": 0.5}, '{"up": 1.0, "load": 0.5}', ""),
        ({"data[1].id": "b", '"a.b"': 2}, '{"data": [{"id": "a"}, {"id": "b"}], "a.b": 2}', ""),
        ({"data[2].id": "b"}, '{"data": []}', 'data[2].id is missing, not "b"'),
        ({"a": 1}, '{"a": "\\u001b]0;x\\u0007"}', "a is "),
        ({"a": 1}, "[" * 100_000, "the answer is nested too deep, so there is no a; this came: [[["),
        ({"a": 1}, f'{{"a": "{"x" * (4 << 20)}"}}', "the answer is longer than 4 MiB"),
        ({"a": 1, "b": 2}, "<p>no</p>", "the answer is not JSON, so there is no a, b; this came: no"),
        ({"a": 1}, "", "the answer is not JSON, so there is no a; this came: "),
        ({str(n): n for n in range(9)}, "{}", "3 is missing, not 3; 5 more differ"),
    ],
)
def test_values_of_a_json_body_have_to_be_the_expected_ones(values: dict[str, Any], body: str, reason: str) -> None:
    judgement = HTTP.answer(endpoint(expect_json=values), 200, body.encode()).judgement
    assert (judgement.verdict, judgement.rule) == (
        (Verdict.WRONG_BODY, "http.json") if reason else (Verdict.COMPLETE, "http.answered")
    )
    assert reason in judgement.reason
    assert judgement.reason.isprintable()


@pytest.mark.parametrize("path", ["", ".a", "a=b", "a[x]", "a..b", '"a', "a]"])
def test_a_path_that_is_none_is_refused(path: str) -> None:
    with pytest.raises(AskError, match=r"^`expect_json` "):
        HTTP.ask(endpoint(expect_json={path: 1}), None)


def test_a_refusal_names_the_values_that_differ() -> None:
    asked = endpoint(expect_json=HEALTHY)
    sick = b'{"status": "unhealthy", "providers": {"anthropic": false}}'
    assert HTTP.refusal_reason(asked, sick).startswith('status is "unhealthy", not "healthy"; providers.anthropic is')
    assert HTTP.refusal_reason(asked, b'{"error": "upstream"}') == "upstream"
    assert HTTP.refusal_reason(asked, b"<p>no</p>") == HTTP.refusal_reason(endpoint(), sick) == ""


@pytest.mark.parametrize("expected", ["re:(", "json:", "json:a", "json:=1"])
def test_an_expectation_that_cannot_be_is_refused(expected: str) -> None:
    with pytest.raises(AskError, match=r"^`expect` "):
        HTTP.ask(endpoint(expect=expected), None)


def test_a_wrong_body_is_quoted_cleanly() -> None:
    reason = HTTP.answer(endpoint(expect="pong"), 200, b"<html>\x1b]52;c;x\x07 no").judgement.reason
    assert reason == "'pong' is expected, and this came: ␛]52;c;x␇ no"


@given(st.text(), st.binary(max_size=60))
def test_any_body_gets_a_clean_reason(expect: str, body: bytes) -> None:
    assert HTTP.answer(endpoint(expect=f"text:{expect}"), 200, body).judgement.reason.isprintable()


@pytest.mark.parametrize(
    ("url", "path", "whole"),
    [
        ("http://h:1", "/v2/websocket", "ws://h:1/v2/websocket"),
        ("https://h/", "/v2/websocket", "wss://h/v2/websocket"),
        ("wss://h/ws", None, "wss://h/ws"),
        ("ws://h/.api/gateway/", "websocket", "ws://h/.api/gateway/websocket"),
    ],
)
def test_a_websocket_url(url: str, path: str | None, whole: str) -> None:
    assert url_for(endpoint(api="websocket", url=url, path=path)) == whole


def test_what_a_ping_says_and_expects() -> None:
    assert WEBSOCKET.frame(endpoint()) == "ping"
    assert WEBSOCKET.frame(endpoint(body="hello")) == "hello"
    assert WEBSOCKET.frame(endpoint(ping="frame")) is None
    assert WEBSOCKET.expected(endpoint()).mismatch("pong") is None
    assert WEBSOCKET.expected(endpoint(expect="")).mismatch("") is None
    assert WEBSOCKET.subprotocols(endpoint(subprotocols=("a",)), (("SEC-WebSocket-Protocol", "b, a"),)) == ("a", "b")
    assert WEBSOCKET.headers(endpoint(auth="token"), "k") == (("Authorization", "token k"),)
    with pytest.raises(AskError, match="the frame to send"):
        WEBSOCKET.frame(endpoint(body={"a": 1}))


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"expect": "re:("}, "expect"),
        ({"ping": "frame", "expect": "pong"}, "expect"),
        ({"ping": "frame", "body": "ä" * 63}, "body"),
        ({"subprotocols": ("not one",)}, "subprotocols"),
        ({"headers": {"Sec-WebSocket-Protocol": "a, b c"}}, "headers"),
    ],
)
def test_a_ping_that_cannot_be_sent_is_named_with_its_url(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(AskError, match=f"`{field}`"):
        url_for(endpoint(api="websocket", url="ws://h", **fields))


def test_the_table_of_apis() -> None:
    kinds = [kind_of(name) for name in api_names()]
    assert api_names()[-3:] == ("gateway-metrics", "http", "websocket")
    assert kinds == [*[Kind.COMPLETION] * (len(kinds) - 3), Kind.HTTP, Kind.HTTP, Kind.WEBSOCKET]
    assert all(api.title for api in APIS.values())
    assert all(api.name == name for name, api in APIS.items())
    with pytest.raises(KeyError):
        kind_of("gopher")


@pytest.mark.parametrize("name", sorted(APIS))
def test_the_url_that_is_shown_is_the_url_that_is_asked(name: str) -> None:
    shown = endpoint(api=name, url="https://h/base/")
    assert APIS[name].ask(shown, None).url == url_for(shown)
