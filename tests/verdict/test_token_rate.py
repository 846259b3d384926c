"""A rate of tokens is measured or absent, and an absent one says why."""

from __future__ import annotations

import pytest
from msgspec import structs
from support.pacing import MS, pace

from gwtui.apis.tokens import SeenTokens
from gwtui.model.content_pace import ContentPace
from gwtui.verdict.token_rate import TokenRate, rate_of


def test_the_rate_is_of_the_tokens_after_the_first() -> None:
    rate = rate_of(pace(40, 40, 1, 300, 450, 550), SeenTokens(4))
    assert rate == TokenRate(tokens_per_s=20.0, tpot_ns=50 * MS)


@pytest.mark.parametrize(
    ("seen", "tokens", "why"),
    [
        (pace(40, 1, 40, 100, 100, 100), 40, "one read"),
        (pace(2, 2, 1, 100, 200, 200), None, "does not tell its number of tokens"),
        (pace(2, 2, 1, 100, 200, 200), 1, "a single token"),
        (pace(2, 2, 1, 100, 200, 200), 0, "counts no token"),
        (pace(10, 2, 5, 500, 510, 511), 600, "600 tokens in 2 reads"),
        (pace(10, 4, 3, 500, 502, 503), 10, "came at once"),
    ],
    ids=["one read", "no usage", "one token", "no token", "too fast to be true", "a burst"],
)
def test_no_rate_is_invented(seen: ContentPace, tokens: int | None, why: str) -> None:
    rate = rate_of(seen, SeenTokens(tokens))
    assert (rate.tokens_per_s, rate.tpot_ns) == (None, None)
    assert why in rate.no_rate


def test_a_fast_model_keeps_its_rate() -> None:
    assert rate_of(pace(60, 16, 4, 730, 762, 770), SeenTokens(60)).tokens_per_s == pytest.approx(59 / 0.032)


def test_what_was_held_back_has_no_rate() -> None:
    assert "held back" in rate_of(pace(300, 11, 29, 274, 3000, 3000), SeenTokens(300), held_back=True).no_rate


def test_why_tokens_are_not_known_is_passed_on() -> None:
    seen = SeenTokens(None, True, "thinking is hidden")
    assert rate_of(pace(2, 2, 1, 100, 200, 200), seen).no_rate == "thinking is hidden"


def test_without_content_there_is_nothing_to_say() -> None:
    assert rate_of(None, SeenTokens(12)) == TokenRate()


def test_hidden_reasoning_is_neither_counted_nor_waited_for() -> None:
    seen = structs.replace(pace(50, 50, 1, 100, 1900, 2000), visible_ns=1100 * MS, visible_reads=40)
    assert rate_of(seen, SeenTokens(41, only_visible=True)).tokens_per_s == pytest.approx(40 / 0.8)
    assert rate_of(seen, SeenTokens(41)).tokens_per_s == pytest.approx(40 / 1.8)
    late = structs.replace(seen, visible_ns=seen.last_ns, visible_reads=1)
    assert "one read" in rate_of(late, SeenTokens(41, only_visible=True)).no_rate


@pytest.mark.parametrize(("tokens", "characters", "has_rate"), [(840, 80, False), (384, 80, True), (840, 0, True)])
def test_more_tokens_than_the_text_can_hold_were_not_all_seen(tokens: int, characters: int, has_rate: bool) -> None:
    rate = rate_of(structs.replace(pace(40, 40, 1, 100, 900, 900), characters=characters), SeenTokens(tokens))
    assert (rate.tokens_per_s is not None) == has_rate
    assert has_rate or f"the {characters} characters" in rate.no_rate
