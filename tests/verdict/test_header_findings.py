"""What response headers give away: tries behind an answer, the model that stands behind a name, a clock that is off."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from support.streams import names

from gwtui.apis.models import model_differs
from gwtui.model.enums import FindingName
from gwtui.model.profile import Endpoint
from gwtui.verdict.findings import as_expected, clock_skew, header_findings

TRIES = [
    ("x-litellm-attempted-retries", "2", [FindingName.RETRIES]),
    ("x-litellm-attempted-retries", "0", []),
    ("x-litellm-attempted-fallbacks", "1", [FindingName.FALLBACKS]),
    ("x-litellm-max-fallbacks", "3", []),
    ("X-Portkey-Retry-Attempt-Count", "1", [FindingName.RETRIES]),
    ("x-envoy-attempt-count", "1", []),
    ("x-envoy-attempt-count", "2", [FindingName.RETRIES]),
    ("x-upstream-attempts", "3", [FindingName.RETRIES]),
    ("helicone-fallback-index", "1", [FindingName.FALLBACKS]),
    ("helicone-fallback-index", "0", []),
    ("cf-aig-step", "1", [FindingName.FALLBACKS]),
    ("x-fallback-used", "true", [FindingName.FALLBACKS]),
    ("x-fallback-used", "false", []),
    ("x-gateway-fallback-provider", "openai", [FindingName.FALLBACKS]),
    ("x-gateway-fallback-provider", "none", []),
    ("x-fallback-enabled", "true", []),
    ("x-max-retries", "3", []),
    ("x-should-retry", "true", []),
    ("x-retries", "many", []),
    ("x-retries", "9" * 5000, []),
    ("retry-after", "7", []),
    ("x-ratelimit-remaining-attempts", "5", []),
]


@pytest.mark.parametrize(("name", "value", "found"), TRIES)
def test_second_tries(name: str, value: str, found: list[FindingName]) -> None:
    assert names(header_findings(((name, value),))) == found


def test_a_length_beside_chunks_is_reported() -> None:
    both = (("Content-Length", "5"), ("Transfer-Encoding", "chunked"))
    assert [names(header_findings(headers)) for headers in (both, both[:1], both[1:])] == [
        [FindingName.TWO_LENGTHS],
        [],
        [],
    ]


@pytest.mark.parametrize(
    ("served", "resolved", "found"),
    [
        ("gpt-4o-2024-11-20", "", []),
        ("gpt-4o-mini", "", [FindingName.MODEL_DIFFERS]),
        ("", "gpt-4o-mini", [FindingName.MODEL_DIFFERS]),
        ("", "", []),
    ],
)
def test_the_expected_model_is_what_counts(served: str, resolved: str, found: list[FindingName]) -> None:
    guessed = model_differs("my-deployment", "gpt-4o-2024-11-20")
    deployment = Endpoint(name="e", api="openai-chat", url="https://h", expect_model="gpt-4o")
    headers = (("X-Cody-Resolved-Model", resolved),) if resolved else ()
    findings = as_expected(guessed, deployment, headers, served)
    assert names(findings) == found
    assert all("gpt-4o is expected, gpt-4o-mini answered" in each.evidence for each in findings)
    assert as_expected(guessed, replace(deployment, expect_model=None), headers, served) == guessed


def test_each_kind_is_reported_once() -> None:
    several = (("x-litellm-attempted-retries", "2"), ("x-envoy-attempt-count", "2"), ("x-fallback-used", "true"))
    assert names(header_findings(several)) == [FindingName.RETRIES, FindingName.FALLBACKS]


@pytest.mark.parametrize(
    ("asked", "resolved", "differs"),
    [
        ("claude-3-haiku-20240307", "anthropic/claude-3-haiku-20240307", False),
        ("anthropic::2023-06-01::claude-3-haiku", "anthropic/claude-3-haiku-20240307", False),
        ("starcoder", "fireworks/deepseek-coder-v2-lite-base", True),
        ("", "anything", False),
        ("m", "", False),
    ],
)
def test_the_model_behind_a_name(asked: str, resolved: str, differs: bool) -> None:
    assert (
        names(header_findings((("x-cody-resolved-model", resolved),), asked)) == [FindingName.MODEL_DIFFERS] * differs
    )


BEGAN, ENDED = 1_767_225_600.4, 1_767_225_610.4
SKEWS = [
    ("Thu, 01 Jan 2026 00:00:00 GMT", ""),
    ("Thu, 01 Jan 2026 00:00:09 GMT", ""),
    ("Wed, 31 Dec 2025 23:59:58 GMT", ""),
    ("Thu, 01 Jan 2026 00:00:12 GMT", ""),
    ("Thu, 01 Jan 2026 00:00:13 GMT", "3 s ahead of"),
    ("Wed, 31 Dec 2025 23:59:55 GMT", "3 s behind"),
    ("Thu, 01 Jan 2026 01:00:00 GMT", "3590 s ahead of"),
    ("Thu, 01 Jan 2026 01:00:05 +0100", ""),
    ("yesterday", ""),
    ("", ""),
]


@pytest.mark.parametrize(("date", "words"), SKEWS)
def test_a_clock_that_is_off_by_more_than_the_request_explains(date: str, words: str) -> None:
    finding = clock_skew((("Date", date),), BEGAN, ENDED)
    assert (finding is not None) == bool(words)
    if finding is not None:
        assert words in finding.evidence


def test_what_a_cache_kept_says_nothing_about_clocks() -> None:
    old = ("date", "Wed, 31 Dec 2025 20:00:00 GMT")
    assert clock_skew((old, ("age", "14400")), BEGAN, ENDED) is None
    assert clock_skew((old, ("age", "0")), BEGAN, ENDED) is not None
    assert clock_skew((old,), 0.0, ENDED) is None


@given(st.lists(st.tuples(st.text(max_size=30), st.text(max_size=30)), max_size=5), st.text(max_size=10))
def test_any_headers_are_read(headers: list[tuple[str, str]], asked: str) -> None:
    findings = [*header_findings(headers, asked), clock_skew(headers, BEGAN, ENDED)]
    assert all((each.evidence + each.cause).isprintable() for each in findings if each is not None)
