"""The form's table: an endpoint becomes texts and texts an endpoint, and what was not touched stays as it was."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from support import generated

from gwtui.apis import api_names, kind_of
from gwtui.config import ConfigError, endpoint_from
from gwtui.model.enums import Kind
from gwtui.model.profile import TLS, Deadlines, Endpoint, Profile, Thresholds
from gwtui.ui.actions import parse_burst
from gwtui.ui.field_values import FieldError, endpoint_fields, texts_of
from gwtui.ui.fields import CHOICES, FIELDS, Widget, duplicate, field_of, free_name, new_endpoint

CLAUDE = Endpoint(name="claude", api="anthropic-messages", url="https://gateway.example.com")
HTTP = Endpoint(name="health", api="http", url="https://gateway.example.com", body="ping", expect="pong")
SOCKET = Endpoint(name="ws", api="websocket", url="wss://gateway.example.com")
STRICT = Profile(deadlines=Deadlines(idle_s=2.0), thresholds=Thresholds(down_after=7))

ENDPOINTS = st.builds(replace, generated.structs(Endpoint), api=st.sampled_from(sorted(api_names())))
PROFILES = st.builds(Profile, deadlines=generated.structs(Deadlines), thresholds=generated.structs(Thresholds))


def edited(endpoint: Endpoint, **texts: str) -> Endpoint:
    """The endpoint of `STRICT` after these texts were typed; `__` stands for the dot in a field's name."""
    typed = {name.replace("__", "."): text for name, text in texts.items()}
    return endpoint_from(endpoint_fields(texts_of(endpoint, STRICT) | typed, endpoint, STRICT))


@given(ENDPOINTS, PROFILES)
def test_an_endpoint_that_was_not_touched_comes_back_as_it_was(endpoint: Endpoint, profile: Profile) -> None:
    given_back = endpoint_fields(texts_of(endpoint, profile), endpoint, profile)
    assert msgspec.convert(given_back, Endpoint) == endpoint


TYPED: tuple[tuple[Endpoint, dict[str, str], dict[str, object]], ...] = (
    (CLAUDE, {"model": " opus "}, {"model": "opus"}),
    (replace(CLAUDE, model="opus"), {"model": ""}, {"model": None}),
    (CLAUDE, {"max_tokens": "12"}, {"max_tokens": 12}),
    (replace(CLAUDE, max_tokens=12), {"max_tokens": ""}, {"max_tokens": 256}),
    (CLAUDE, {"stream": "no"}, {"stream": False}),
    (CLAUDE, {"body": '{"temperature": 0}'}, {"body": {"temperature": 0}}),
    (CLAUDE, {"body": '{"metadata": "a"}'}, {"body": {"metadata": "a"}}),
    (replace(CLAUDE, body={"a": "b"}), {"body": ""}, {"body": None}),
    (CLAUDE, {"headers": "X-Team: a: b\n\n X-On:c "}, {"headers": {"X-Team": "a: b", "X-On": "c"}}),
    (CLAUDE, {"key": "env:KEY", "auth": "bearer"}, {"key": "env:KEY", "auth": "bearer"}),
    (CLAUDE, {"interval_s": "0.25"}, {"interval_s": 0.25}),
    (CLAUDE, {"deadlines__idle_s": "9"}, {"deadlines": replace(STRICT.deadlines, idle_s=9.0)}),
    (replace(CLAUDE, deadlines=Deadlines(idle_s=9.0)), {"deadlines__idle_s": ""}, {"deadlines": None}),
    (replace(CLAUDE, deadlines=Deadlines(idle_s=9.0)), {"deadlines__idle_s": "2"}, {"deadlines": None}),
    (
        CLAUDE,
        {"thresholds__slow_metric": "e2e"},
        {"thresholds": replace(STRICT.thresholds, slow_metric="e2e")},
    ),
    (CLAUDE, {"tls__ca_file": "~/ca.pem"}, {"tls": TLS(ca_file="~/ca.pem")}),
    (replace(CLAUDE, tls=TLS(insecure=True)), {"tls__insecure": "no"}, {"tls": None}),
    (
        replace(CLAUDE, tls=TLS(client_cert="a.pem", client_key="b.pem", server_name="c")),
        {"tls__client_key_password": "env:PASSWORD", "tls__server_name": ""},
        {"tls": TLS(client_cert="a.pem", client_key="b.pem", client_key_password="env:PASSWORD")},
    ),
    (CLAUDE, {"cert_warn_days": "30", "follow_redirects": "yes"}, {"cert_warn_days": 30.0, "follow_redirects": True}),
    (HTTP, {"body": '{"not": "parsed"}'}, {"body": '{"not": "parsed"}'}),
    (HTTP, {"api": "anthropic-messages", "body": ""}, {"expect": None, "body": None, "api": "anthropic-messages"}),
    (SOCKET, {"expect": "ok"}, {"expect": "ok"}),
    (HTTP, {"expect_status": "204"}, {"expect_status": 204}),
    (HTTP, {"expect_status": "2xx, 404"}, {"expect_status": "2xx, 404"}),
    (replace(HTTP, expect_status=("2xx", 404)), {"expect_status": " "}, {"expect_status": 200}),
    (replace(HTTP, expect_status=("2xx", 404)), {"expect": "re:^ok"}, {"expect": "re:^ok"}),
    (
        HTTP,
        {"expect_json": 'status = healthy\n\nproviders.anthropic=true\n"a.b"[0] = "true"'},
        {"expect_json": {"status": "healthy", "providers.anthropic": True, '"a.b"[0]': "true"}},
    ),
    (replace(HTTP, expect_json={"status": "ok", "n": {"a": 1}}), {"expect_json": " "}, {"expect_json": {}}),
)


@pytest.mark.parametrize(("before", "texts", "changes"), TYPED)
def test_what_is_typed_becomes_the_field(before: Endpoint, texts: dict[str, str], changes: dict[str, object]) -> None:
    assert edited(before, **texts) == replace(before, **changes)


NOT_IN_THE_FORM = {"messages", "turns", "fields", "paused", "price"}
"""What is for the file, and a pause, which has a key of its own."""


def test_every_field_of_an_endpoint_is_in_the_form_unless_it_is_for_the_file() -> None:
    tables = {"deadlines": Deadlines, "thresholds": Thresholds, "tls": TLS}
    fields = {name for name in Endpoint.__struct_fields__ if name not in tables}
    fields |= {f"{name}.{each}" for name, table in tables.items() for each in table.__struct_fields__}
    assert fields - {field.name for field in FIELDS} == NOT_IN_THE_FORM


REFUSED: tuple[tuple[Endpoint, dict[str, str], str, str], ...] = (
    (CLAUDE, {"max_tokens": "many"}, "max_tokens", "max tokens: 'many' is not a number"),
    (CLAUDE, {"interval_s": "1,5"}, "interval_s", "interval: '1,5' is not a number"),
    (CLAUDE, {"headers": "no colon"}, "headers", "Name: value"),
    (CLAUDE, {"headers": ": empty"}, "headers", "Name: value"),
    (CLAUDE, {"body": "{"}, "body", "not JSON"),
    (HTTP, {"expect_json": "healthy"}, "expect_json", "must be PATH = VALUE"),
    (HTTP, {"expect_json": "= healthy"}, "expect_json", "must be PATH = VALUE"),
    (CLAUDE, {"body": "[1]"}, "body", "must be a JSON object"),
)


@pytest.mark.parametrize(("before", "texts", "field", "message"), REFUSED)
def test_what_is_no_value_is_refused_by_its_field(
    before: Endpoint, texts: dict[str, str], field: str, message: str
) -> None:
    with pytest.raises(FieldError, match=message.replace("(", r"\(")) as refused:
        edited(before, **texts)
    assert refused.value.name == field


@pytest.mark.parametrize(
    "texts",
    [
        {"max_tokens": "0"},
        {"interval_s": "nan"},
        {"interval_s": "-1"},
        {"overlap": "65"},
        {"deadlines__total_s": "inf"},
        {"thresholds__degraded_fail_share": "2"},
        {"url": "gateway"},
        {"name": ""},
        {"cert_warn_days": "-1"},
        {"key": "sk-ant-canary0123456789"},
        {"headers": "Authorization: Bearer canary0123456789"},
    ],
)
def test_values_out_of_bounds_are_faults_of_a_field_that_the_form_shows(texts: dict[str, str]) -> None:
    with pytest.raises(ConfigError) as refused:
        edited(CLAUDE, **texts)
    assert [field.name.replace(".", "__") for fault in refused.value.faults if (field := field_of(fault.key))] == list(
        texts
    )
    assert "canary" not in str(refused.value)


def test_a_header_that_may_hold_a_secret_is_not_repeated() -> None:
    with pytest.raises(FieldError) as refused:
        edited(CLAUDE, headers="Bearer canary")
    assert "canary" not in str(refused.value)


def test_every_choice_can_be_made_and_labels_are_short() -> None:
    assert {field.name for field in FIELDS if field.widget is Widget.CHOICE} == {"api", *CHOICES}
    assert all(len(field.label) <= 13 and len(field.hint) <= 60 for field in FIELDS)
    assert all(edited(CLAUDE, **{name.replace(".", "__"): each}) for name in CHOICES for each in CHOICES[name])


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_can_be_added_from_the_form(kind: Kind) -> None:
    api = next(name for name in api_names() if kind_of(name) is kind)
    url = "ws://127.0.0.1:1" if kind is Kind.WEBSOCKET else "http://127.0.0.1:1"
    added = edited(new_endpoint(STRICT), name="mine", api=api, url=url)
    assert added == Endpoint(name="mine", api=api, url=url, nonce=kind is Kind.COMPLETION)


def test_a_new_name_is_free() -> None:
    profile = Profile(endpoints=(replace(CLAUDE, name="new"), replace(CLAUDE, name="new-2"), CLAUDE))
    assert new_endpoint(profile).name == "new-3"
    assert duplicate(CLAUDE, profile).name == "claude-copy"
    assert free_name("claude", profile) == "claude-2"


@pytest.mark.parametrize(
    ("text", "burst"),
    [
        ("20", (20, 1)),
        ("20x", (20, 1)),
        ("20x5", (20, 5)),
        (" 3 X 2 ", (3, 2)),
        ("7×7", (7, 7)),
        ("10000x256", (10000, 256)),
    ],
)
def test_a_burst_is_requests_and_how_many_at_once(text: str, burst: tuple[int, int]) -> None:
    assert parse_burst(text) == burst


@pytest.mark.parametrize("text", ["", "x", "0", "5x0", "-1", "1.5", "10001", "5x257", "5x5x5"])
def test_what_is_no_burst_says_what_one_is(text: str) -> None:
    with pytest.raises(ValueError, match="requests"):
        parse_burst(text)
