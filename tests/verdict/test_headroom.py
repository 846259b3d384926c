"""Answers that a cache gave, and limits that are near, by what headers and token counts say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.streams import names

from gwtui.apis.base import Usage
from gwtui.model.enums import FindingName
from gwtui.verdict.headroom import cached, near_limit, with_cached_tokens

SIGNS = [
    ("X-Cache", "HIT", True),
    ("X-Cache", "Hit from cloudfront", True),
    ("X-Cache", "MISS, HIT", True),
    ("X-Cache", "TCP_HIT", True),
    ("X-Cache", "Miss from cloudfront", False),
    ("X-Cache", "Error from cloudfront", False),
    ("x-cache-status", "STALE", True),
    ("x-cache-status", "BYPASS", False),
    ("x-cache-hits", "0, 3", True),
    ("x-cache-hits", "0", False),
    ("Cache-Status", "ExampleCache; hit; ttl=30", True),
    ("Cache-Status", "ExampleCache; fwd=miss; stored", False),
    ("cf-cache-status", "DYNAMIC", False),
    ("cf-aig-cache-status", "HIT", True),
    ("cf-aig-cache-status", "MISS", False),
    ("x-portkey-cache-status", "SEMANTIC HIT", True),
    ("x-portkey-cache-status", "DISABLED", False),
    ("helicone-cache", "HIT", True),
    ("x-openrouter-cache-status", "HIT", True),
    ("x-litellm-cache-key", "d41d8cd98f00b204", True),
    ("x-litellm-cache-key", "", False),
    ("age", "17", True),
    ("age", "0", False),
    ("age", "soon", False),
    ("x-prompt-cache", "hit", False),
    ("cache-control", "no-cache", False),
    ("x-white", "hit", False),
]


@pytest.mark.parametrize(("name", "value", "found"), SIGNS)
def test_signs_of_a_cache(name: str, value: str, found: bool) -> None:
    findings = list(cached(((name, value),), 200))
    assert names(findings) == [FindingName.CACHED_ANSWER] * found
    assert all(f"{name.lower()}: {value}" in each.evidence for each in findings)
    assert not list(cached(((name, value),), 503))


def test_all_signs_are_one_finding() -> None:
    (found,) = cached((("x-cache", "HIT"), ("age", "17")), 200)
    assert found.evidence == "x-cache: HIT, age: 17"


FAST_NS, SLOW_NS = 4_000_000, 900_000_000


@pytest.mark.parametrize(
    ("usage", "e2e_ns", "told"),
    [
        (Usage(20, 5, cached_tokens=20), SLOW_NS, "all 20 tokens of the prompt are said to be cached"),
        (Usage(20, 5, cached_tokens=20), FAST_NS, "cached; the whole answer came within 4 ms"),
        (Usage(20, 5, cached_tokens=19), FAST_NS, ""),
        (Usage(0, 5, cached_tokens=0), FAST_NS, ""),
        (Usage(), FAST_NS, ""),
        (Usage(20, 5), None, ""),
    ],
)
def test_cached_tokens_tell_of_a_cache_and_time_alone_does_not(usage: Usage, e2e_ns: int | None, told: str) -> None:
    found = with_cached_tokens((), usage, e2e_ns)
    assert [told in each.evidence for each in found] == [True] * bool(told)


def test_what_tokens_say_is_added_to_what_headers_say() -> None:
    (found,) = with_cached_tokens(cached((("x-cache", "HIT"),), 200), Usage(20, 5, cached_tokens=20), FAST_NS)
    assert [part.strip() for part in found.evidence.split(";")] == [
        "x-cache: HIT",
        "all 20 tokens of the prompt are said to be cached",
        "the whole answer came within 4 ms",
    ]


def limit(left: str, limit: str, reset: str = "", of: str = "-requests") -> tuple[tuple[str, str], ...]:
    told = ((f"X-RateLimit-Remaining{of}", left), (f"x-ratelimit-limit{of}", limit))
    return (*told, (f"x-ratelimit-reset{of}", reset)) if reset else told


ANTHROPIC = (
    ("anthropic-ratelimit-input-tokens-limit", "50000"),
    ("anthropic-ratelimit-input-tokens-remaining", "1000"),
    ("anthropic-ratelimit-input-tokens-reset", "2026-11-30T12:00:00Z"),
    ("anthropic-ratelimit-requests-limit", "50"),
    ("anthropic-ratelimit-requests-remaining", "49"),
)
LIMITS = [
    (limit("3", "60", "6m0s"), "requests: 3 of 60 left (5%), reset in 6m0s"),
    (limit("0", "5", "20"), "requests: 0 of 5 left (0%), reset in 20 s"),
    (limit("6", "60"), ""),
    (limit("5", "60", of=""), "requests: 5 of 60 left (8%)"),
    (limit("100", "150000", "1.2s", "-tokens"), "tokens: 100 of 150,000 left (0%), reset in 1.2s"),
    (ANTHROPIC, "input tokens: 1,000 of 50,000 left (2%), reset at 2026-11-30T12:00:00Z"),
    ((("ratelimit-limit", "100, 100;w=60"), ("ratelimit-remaining", "9"), ("ratelimit-reset", "31")),
     "requests: 9 of 100 left (9%), reset in 31 s"),
    ((("llm_provider-x-ratelimit-limit-tokens", "10"), ("llm_provider-x-ratelimit-remaining-tokens", "0")),
     "tokens: 0 of 10 left (0%)"),
    ((("x-ratelimit-remaining-requests", "0"),), ""),
    (limit("None", "60"), ""),
    (limit("0", "0"), ""),
    (limit("-1", "60"), ""),
]  # fmt: skip


@pytest.mark.parametrize(("headers", "told"), LIMITS)
def test_a_limit_that_is_near_is_named_with_its_reset(headers: tuple[tuple[str, str], ...], told: str) -> None:
    assert [each.evidence for each in near_limit(headers, 200)] == [told] * bool(told)
    assert not list(near_limit(headers, 429))


def test_the_nearest_limit_comes_first() -> None:
    (found,) = near_limit((*limit("4", "60"), *limit("1", "1000", of="-tokens")), 200)
    assert found.evidence.index("tokens") < found.evidence.index("requests")


@given(st.lists(st.tuples(st.sampled_from(["age", "x-cache", *dict(limit("", "", "x"))]), st.text()), max_size=6))
def test_any_headers_are_taken(headers: list[tuple[str, str]]) -> None:
    for finding in (*cached(headers, 200), *near_limit(headers, 200)):
        assert finding.evidence.isprintable()
