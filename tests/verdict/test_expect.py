"""What an endpoint may expect of an answer: a text, a pattern, a value of a JSON answer, or anything."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwtui.apis.expect import ExpectError, expectation

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("expect", "answer"),
    [
        ("pong", "pong"),
        ("pong", b"pong\r\n"),
        ("", b""),
        ("grün", "grün".encode()),
        ("text:re:x", "re:x"),
        ("text:any", "any"),
        ("http://a", "http://a"),
        ("any", b"\xff\x00"),
        ("any", ""),
        ("re:^po+ng$", "poong"),
        ("re:ready", b"not yet ready"),
        ("re:(?i)OK", "ok"),
        ("json:status=ok", '{"status": "ok"}'),
        ("json:status=ok", b'{"status": "ok"}'),
        ('json:status="ok"', '{"status": "ok"}'),
        ("json:n=1", '{"n": 1.0}'),
        ("json:up=true", '{"up": true}'),
        ("json:gone=null", '{"gone": null}'),
        ("json:a[0].b=x=y", '{"a": [{"b": "x=y"}]}'),
        ("json:a.0.b=7", '{"a": [{"b": 7}]}'),
        ("json:a.0=7", '{"a": {"0": 7}}'),
        ("json:[1]=b", '["a", "b"]'),
        ('json:"a.b".c=1', '{"a.b": {"c": 1}}'),
        ('json:tags=["a", 1]', '{"tags": ["a", 1]}'),
        ("json:text=", '{"text": ""}'),
    ],
)
def test_the_expected_answer_matches(expect: str, answer: str | bytes) -> None:
    assert expectation(expect).mismatch(answer) is None


@pytest.mark.parametrize(
    ("expect", "answer", "says"),
    [
        ("pong", "pong ", "'pong'"),
        ("pong", b"\xff", "'pong'"),
        ("re:^pong$", "ping", "^pong$"),
        ("json:status=ok", '{"status": "starting"}', "starting"),
        ("json:status=ok", '{"state": "ok"}', "no such value"),
        ("json:status=ok", "ok", "not JSON"),
        ("json:status=ok", b"\xff", "not JSON"),
        ("json:status=ok", "[" * 100_000, "nested too deep"),
        ("json:n=1", '{"n": true}', "true"),
        ("json:n=[1]", '{"n": [true]}', "true"),
        ('json:n="1"', '{"n": 1}', "1"),
        ("json:text[0]=o", '{"text": "ok"}', "no such value"),
        ("json:a[3]=o", '{"a": []}', "no such value"),
    ],
)
def test_another_answer_says_what_is_expected(expect: str, answer: str | bytes, says: str) -> None:
    mismatch = expectation(expect).mismatch(answer)
    assert mismatch is not None
    assert says in mismatch.reason
    assert not mismatch.undecided


@pytest.mark.parametrize("expect", ["re:(", "re:[z-a]", "json:status", "json:=ok", "json:.a=b", "json:a..b=c", "json:"])
def test_what_is_no_expectation_is_refused(expect: str) -> None:
    with pytest.raises(ExpectError):
        expectation(expect)


@pytest.mark.parametrize("pattern", ["^(a|a)*$", "^(a|aa)+$"])
def test_a_pattern_that_takes_forever_is_given_up_and_decides_nothing(pattern: str) -> None:
    mismatch = expectation(f"re:{pattern}").mismatch("a" * 60_000 + "!")
    assert mismatch is not None
    assert mismatch.undecided
    assert pattern in mismatch.reason


def test_what_an_answer_says_is_quoted_on_one_clean_line() -> None:
    mismatch = expectation("json:a=b").mismatch(json.dumps({"a": "\x1b[2J\nx" * 100}))
    assert mismatch is not None
    assert mismatch.reason.isprintable()
    assert len(mismatch.reason) < 200


@given(JSON, st.text(min_size=1))
def test_any_value_of_a_json_answer_can_be_expected(value: object, key: str) -> None:
    expect = f"json:{json.dumps(key)}={json.dumps(value)}"
    assert expectation(expect).mismatch(json.dumps({key: value})) is None
    assert expectation(expect).mismatch(json.dumps({key: value}).encode()) is None


@given(st.text())
def test_every_text_can_be_expected_as_it_is(text: str) -> None:
    assert expectation(f"text:{text}").mismatch(text) is None


@given(st.sampled_from(["pong", "re:x+y", "json:a.b=1", "json:[0]=true", "any"]), st.binary() | st.text())
def test_no_answer_breaks_an_expectation(expect: str, answer: str | bytes) -> None:
    expectation(expect).mismatch(answer)
