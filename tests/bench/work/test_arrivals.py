"""When requests are due: the rate of the moment, the gaps of each law, and the words that describe them."""

from __future__ import annotations

import re
import statistics
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwtui.bench.work.arrivals import Arrivals, ArrivalsError, arrivals_of


def offsets_s(text: str, number: int, *, members: int = 1, seed: int = 0) -> list[float]:
    return [each / 1e9 for each in islice(arrivals_of(text, seed=seed).offsets_ns(members), number)]


def gaps_s(text: str, number: int, seed: int = 0) -> list[float]:
    return [later - earlier for earlier, later in pairwise(offsets_s(text, number, seed=seed))]


def test_evenly_spaced_requests_begin_at_once() -> None:
    assert offsets_s("20", 4) == [0, 0.05, 0.1, 0.15]
    assert offsets_s("constant 20/s", 4, members=2) == [0, 0.025, 0.05, 0.075]


@pytest.mark.parametrize(
    ("text", "variation"), [("constant 50", 0.0), ("poisson 50", 1.0), ("bursty:0.25 50", 2.0), ("bursty:4 50", 0.5)]
)
def test_each_law_has_the_mean_and_the_variation_it_is_known_for(text: str, variation: float) -> None:
    """Of a gamma law with shape k the standard deviation is the mean divided by the root of k."""
    gaps = gaps_s(text, 20_000)
    mean = statistics.fmean(gaps)
    assert mean == pytest.approx(1 / 50, rel=0.05)
    assert statistics.pstdev(gaps) / mean == pytest.approx(variation, rel=0.07, abs=1e-6)


def test_gaps_of_a_poisson_process_do_not_lean_on_each_other() -> None:
    gaps = gaps_s("poisson 50", 20_000)
    assert abs(statistics.correlation(gaps[:-1], gaps[1:])) < 0.03


@pytest.mark.parametrize("law", ["", "poisson ", "bursty:0.5 "])
def test_a_ramp_has_the_rate_of_the_moment(law: str) -> None:
    """From 10 to 100 per second in a minute 3,300 are due; a quarter of the time brings 10 to 32.5, so 318.75."""
    times = offsets_s(f"{law}10..100 over 1m", 4000, seed=3)
    within = [sum(time < end for time in times) for end in (15, 60)]
    assert within == pytest.approx([318.75, 3300], rel=0.12 if law else 0.005)
    later = sum(60 <= time < 62 for time in times)
    assert later == pytest.approx(200, rel=0.35 if law else 0.01), "it stays at the last rate"


def test_a_ramp_down_ends_at_its_rate_and_one_to_nothing_goes_on_at_the_first() -> None:
    assert sum(time <= 10 for time in offsets_s("20..10 over 10s", 1000)) == 151
    assert arrivals_of("20..0 over 10s").last_per_s == 20
    assert offsets_s("0..10 over 10s", 3) == [0, pytest.approx(2**0.5), pytest.approx(2)]


def test_steps_hold_each_rate_for_its_time() -> None:
    times = offsets_s("10,20,40 every 2s", 200)
    assert [sum(start <= time < start + 2 for time in times) for start in (0, 2, 4)] == [20, 40, 80]
    assert arrivals_of("10,20,40 every 2s").length_s == 6


@given(
    text=st.sampled_from(
        ["7", "poisson 30", "bursty:0.05 9", "5..50 over 3s", "poisson 50..0 over 1s", "1,9,3 every 1s"]
    ),
    seed=st.integers(0, 1000),
    members=st.integers(1, 4),
)
def test_times_never_go_back_and_a_seed_gives_them_again(text: str, seed: int, members: int) -> None:
    times = offsets_s(text, 200, members=members, seed=seed)
    assert times == sorted(times)
    assert times[0] >= 0
    assert times == offsets_s(text, 200, members=members, seed=seed)


def test_another_seed_gives_other_times() -> None:
    assert offsets_s("poisson 10", 5, seed=1) != offsets_s("poisson 10", 5, seed=2)


@pytest.mark.parametrize(
    "text", ["20/s", "poisson 20/s", "bursty:0.5 20/s", "10..100/s over 1m", "poisson 10,20,40/s every 90s", "0.5/s"]
)
def test_what_it_says_of_itself_means_the_same(text: str) -> None:
    assert str(arrivals_of(text)) == text
    assert arrivals_of(str(arrivals_of(text))) == arrivals_of(text)


def test_the_rate_may_come_from_the_option_beside_it() -> None:
    assert arrivals_of("poisson", 20.0) == arrivals_of("poisson 20")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not a law of arrivals"),
        ("uniform 20", "is not a law of arrivals: write poisson 20"),
        ("poisson", "has no rate: write poisson 20, or add --rate 20"),
        ("poisson:2 20", "only bursty has a shape"),
        ("bursty:0 20", "the shape of bursty is 0.01 to 100"),
        ("0", "the rate is above 0"),
        ("0..0 over 1m", "a rate above 0"),
        ("10,0,20 every 5s", "each step is above 0"),
        ("10..100 over 0s", "is not a duration"),
        ("10..100 over never", "is not a duration"),
        ("10..100", "is not a law of arrivals"),
        ("10,20", "is not a law of arrivals"),
        ("10001", "a maximum of 10,000"),
        (",".join(["1"] * 1001) + " every 1s", "a maximum of 1,000 steps"),
    ],
)
def test_nonsense_is_named(text: str, said: str) -> None:
    with pytest.raises(ArrivalsError, match=re.escape(said)):
        arrivals_of(text)


def test_two_rates_are_one_too_many() -> None:
    with pytest.raises(ArrivalsError, match="--rate is another"):
        arrivals_of("poisson 20", 10.0)


@pytest.mark.parametrize(
    ("text", "first", "peak"),
    [("20", 20, 20), ("0.2", 1, 0.2), ("0..10 over 10s", 1, 10), ("5,50 every 500ms", 28, 50)],
)
def test_what_the_first_second_and_the_worst_one_bring(text: str, first: int, peak: float) -> None:
    arrivals: Arrivals = arrivals_of(text)
    assert (arrivals.first_second, arrivals.peak_per_s) == (first, peak)
