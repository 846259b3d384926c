"""One dead address of several is seen and named, where each address is probed."""

from __future__ import annotations

import msgspec
from support.judged import ENDPOINT, Story

from gwtui.health.addresses import Addresses
from gwtui.model.enums import State
from gwtui.model.profile import Thresholds
from gwtui.model.records import Phases, Ping
from gwtui.model.verdicts import Verdict

EACH = msgspec.structs.replace(ENDPOINT, addresses="each")


def rounds(story: Story, *turns: str) -> Story:
    """Each turn is a round over the addresses a, b, c, ...: a letter for each result, a space to leave one out."""
    for turn in turns:
        for place, letter in enumerate(turn):
            if letter != " ":
                verdict = Verdict.COMPLETE if letter == "." else Verdict.REFUSED
                story.request(verdict, phases=Phases(address=f"{chr(97 + place)}:80"))
    return story


def findings(story: Story) -> list[str]:
    return [text for _, text in story.reports("finding")]


def test_a_dead_address_of_three_degrades_and_is_named() -> None:
    story = rounds(Story(endpoint=EACH, degraded_fail_share=0.1), ".x.", ".x.", ".x.")
    assert story.reports() == [(State.DEGRADED, "2 of 5 refused (40.0 %) at b:80")]
    assert findings(story) == ["address_down: b:80: 3 failed in a row, the last refused; a:80, c:80 answer"]
    rounds(story, ".x.", "...", "...")
    assert findings(story)[1:] == ["address_down ended: b:80 answers again after 00:00:45"]


def test_a_dead_address_that_is_tolerated_is_not_reported() -> None:
    tolerant = msgspec.structs.replace(EACH, tolerate=("address_down",))
    assert findings(rounds(Story(endpoint=tolerant), *[".x."] * 3, *["..."] * 4)) == []


def test_a_dead_address_of_many_is_named_although_its_share_is_small() -> None:
    story = rounds(Story(endpoint=EACH), *[".x.................."] * 3)
    assert story.reports() == []
    assert [text.split(":80:")[0] for text in findings(story)] == ["address_down: b"]


def test_no_address_is_named_where_all_fail_or_where_failures_are_everywhere() -> None:
    assert findings(rounds(Story(endpoint=EACH), "xxx", "xxx", "xxx", "xxx")) == []
    story = rounds(Story(endpoint=EACH, degraded_fail_share=0.1), ".x.", "x..", "..x")
    assert [text for _, text in story.reports()] == ["2 of 5 refused (40.0 %)"]


def test_an_address_that_is_not_probed_any_more_is_forgotten() -> None:
    story = rounds(Story(endpoint=EACH), *[".x."] * 3, *[". ."] * 8)
    assert findings(story)[-1] == "address_down ended: b:80 is not probed any more"


def test_addresses_are_nobodys_business_where_the_first_is_taken() -> None:
    story = rounds(Story(degraded_fail_share=0.1), ".x.", ".x.", ".x.")
    assert findings(story) == []
    assert [text for _, text in story.reports()] == ["2 of 5 refused (40.0 %)"]


def test_pings_count_alike() -> None:
    addresses = Addresses(Thresholds())
    incidents: list[str] = []
    for number in range(1, 7):
        dead = number % 2 == 0
        ping = Ping(
            endpoint="a",
            number=number,
            started_at=0,
            now_ns=number,
            verdict=Verdict.REFUSED if dead else Verdict.PONG,
            rule="x",
            address="b:1" if dead else "a:1",
        )
        incidents += addresses.follow(number, ping)
    assert incidents == ["address_down: b:1: 3 failed in a row, the last refused; a:1 answers"]
