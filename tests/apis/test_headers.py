"""Response headers: which are kept, which name the request, and how long they say to wait."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwtui.apis.headers import MAX_WAIT_S, header_cached_tokens, pick_headers, request_id, retry_after, trace_id

TRACE = "0af7651916cd43dd8448eb211c80319c"
NOW = 1_445_412_480.0
"""Wed, 21 Oct 2015 07:28:00 GMT."""


@pytest.mark.parametrize(
    ("name", "value", "seconds"),
    [
        ("retry-after", "7", 7.0),
        ("Retry-After", " 7 ", 7.0),
        ("retry-after", "1.5", 1.5),
        ("retry-after", "0", 0.0),
        ("retry-after", "1000000000", MAX_WAIT_S),
        ("retry-after", "9" * 400, None),
        ("retry-after", "1e9", MAX_WAIT_S),
        ("retry-after", ".5", 0.5),
        ("retry-after", "-1", None),
        ("retry-after", "soon", None),
        ("retry-after", "", None),
        ("retry-after", "1_0", None),
        ("retry-after", "inf", None),
        ("retry-after", "nan", None),
        ("retry-after", "\u0663", None),
        ("retry-after", "Wed, 21 Oct 2015 07:28:30 GMT", 30.0),
        ("retry-after", "Wed, 21 Oct 2015 07:28:30 UTC", 30.0),
        ("retry-after", "Wed, 21 Oct 2015 03:28:30 EDT", 30.0),
        ("retry-after", "Wed, 21 Oct 2015 09:28:30 +0200", 30.0),
        ("retry-after", "Wed, 21 Oct 2015 09:28:30 CEST", 30.0),
        ("retry-after", "Wed, 21 Oct 2015 12:58:30 IST", 30.0),
        ("retry-after", "Wed, 21 Oct 2015 04:28:30 BRT", 30.0),
        ("retry-after", "Wed, 21 Oct 2015 04:28:30 -03", 30.0),
        ("retry-after", "Wed, 21 Oct 2015 07:28:30", 30.0),
        ("retry-after", "Wed Oct 21 07:28:30 2015", 30.0),
        ("retry-after", "Wednesday, 21-Oct-15 07:28:30 GMT", 30.0),
        ("retry-after", "Wed, 21 Oct 2015 07:27:00 GMT", 0.0),
        ("retry-after", "Wed, 21 Oct 9999 07:27:00 GMT", MAX_WAIT_S),
        ("retry-after", "Wed, 99 Oct 2015 07:28:00 GMT", None),
        ("retry-after", "2015-10-21T07:28:30Z", 30.0),
        ("retry-after", "2015-10-21T09:28:30+02:00", 30.0),
        ("retry-after-ms", "250", 0.25),
        ("x-other", "7", None),
    ],
)
def test_retry_after(name: str, value: str, seconds: float | None) -> None:
    assert retry_after([(name, value)], NOW) == seconds


def test_milliseconds_are_more_exact_than_seconds() -> None:
    assert retry_after([("retry-after", "2"), ("retry-after-ms", "1500")], NOW) == 1.5


@given(st.text(max_size=40) | st.from_regex(r"\w{3}, \d+ \w{3} \d+ \d+:\d+:\d+ [\w+-]+", fullmatch=True))
def test_any_retry_after_is_read_and_none_is_absurd(value: str) -> None:
    seconds = retry_after([("retry-after", value)], NOW)
    assert seconds is None or 0 <= seconds <= MAX_WAIT_S


def test_only_known_headers_are_kept_in_lower_case_and_cleaned() -> None:
    picked = pick_headers(
        [
            ("X-Request-Id", "r1"),
            ("Set-Cookie", "session=secret"),
            ("X-Trace", "\x1b[31mt"),
            ("X-RateLimit-Remaining-Tokens", "5"),
            ("anthropic-ratelimit-requests-reset", "2015-10-21T07:28:00Z"),
            ("Via", "1.1 a"),
            ("via", "1.1 b"),
            ("Authorization", "Bearer secret"),
            ("server", "x" * 300),
        ]
    )
    assert picked == {
        "x-request-id": "r1",
        "x-trace": "␛[31mt",
        "x-ratelimit-remaining-tokens": "5",
        "anthropic-ratelimit-requests-reset": "2015-10-21T07:28:00Z",
        "via": "1.1 a, 1.1 b",
        "server": "x" * 255 + "…",
    }


@pytest.mark.parametrize(
    ("location", "kept"),
    [
        ("https://user:secret@other.example/path?key=secret#secret", "https://other.example/path"),
        ("/login?token=secret", "/login"),
        ("http://[bad?token=secret", "http://[bad"),
    ],
)
def test_a_redirect_is_kept_without_what_may_be_secret(location: str, kept: str) -> None:
    assert pick_headers([("Location", location)]) == {"location": kept}


def test_a_flood_of_headers_stays_small() -> None:
    picked = pick_headers([(f"x-ratelimit-{number}", "1") for number in range(5000)] + [("via", "a")] * 5000)
    assert len(picked) <= 64
    assert all(len(value) <= 256 for value in picked.values())


@pytest.mark.parametrize(
    ("headers", "identity"),
    [
        ([("X-Trace", "abc"), ("x-amzn-trace-id", "Root=1-2-3")], "abc"),
        ([("traceresponse", f"00-{TRACE}-b7ad6b7169203331-01")], TRACE),
        ([("x-cloud-trace-context", f"{TRACE}/1;o=1")], TRACE),
        ([("x-amzn-trace-id", "Self=1-9; Root=1-67891233-abcdef;Sampled=1")], "1-67891233-abcdef"),
        ([("x-trace", " ")], ""),
        ([], ""),
    ],
)
def test_trace_id(headers: list[tuple[str, str]], identity: str) -> None:
    assert trace_id(headers) == identity


@pytest.mark.parametrize(
    ("headers", "identity"),
    [
        ([("cf-ray", "8a-FRA"), ("Request-Id", "req_1")], "req_1"),
        ([("cf-ray", "8a-FRA")], "8a-FRA"),
        ([("x-request-id", "a\x9bb")], "a\\x9bb"),
        ([], ""),
    ],
)
def test_request_id(headers: list[tuple[str, str]], identity: str) -> None:
    assert request_id(headers) == identity


@given(
    st.lists(st.tuples(st.sampled_from(["x-trace", "x-amzn-trace-id", "location", "via", "x-request-id"]), st.text()))
)
def test_any_headers_come_out_clean(headers: list[tuple[str, str]]) -> None:
    assert (trace_id(headers) + request_id(headers)).isprintable()
    assert all(value.isprintable() for value in pick_headers(headers).values())


@pytest.mark.parametrize(
    ("value", "cached"), [("0", 0), (" 96 ", 96), ("", None), ("-1", None), ("a", None), ("٣", None)]
)
def test_cached_tokens_in_a_header(value: str, cached: int | None) -> None:
    headers = [("Fireworks-Cached-Prompt-Tokens", value)] if value else []
    assert header_cached_tokens(headers) == cached
    assert bool(pick_headers(headers)) is bool(value), "it is kept beside the row"
