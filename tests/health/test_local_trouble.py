"""Trouble of this machine is reported once while it lasts, whatever shows it, and again after a quiet minute."""

from __future__ import annotations

from typing import Any

import pytest
from support.judged import S, Story

from gwtui.health.local_trouble import LocalTrouble
from gwtui.model.records import Heartbeat
from gwtui.model.verdicts import Verdict

STOOD_STILL: dict[str, Any] = {"rule": "engine.stood-still", "reason": "gwtui itself was stopped for 2.00 s meanwhile"}


def test_lateness_is_one_entry_while_it_lasts() -> None:
    trouble = LocalTrouble()
    said = [
        text
        for second in range(1, 300)
        for text in trouble.beat(Heartbeat(at=second, now_ns=second * S, lag_ns=(2 + second % 7) * S))
    ]
    assert said == ["this machine delayed gwtui by 3.00 s: affected times are marked"]


def test_it_is_reported_again_after_a_quiet_minute() -> None:
    trouble = LocalTrouble()

    def said(second: int) -> int:
        return len(list(trouble.beat(Heartbeat(at=second, now_ns=second * S, lag_ns=S))))

    assert [said(second) for second in (10, 60, 110, 180)] == [1, 0, 0, 1]


@pytest.mark.parametrize("lag_first", [True, False])
def test_probes_that_lateness_spoilt_are_the_same_trouble(lag_first: bool) -> None:
    story = Story()
    if lag_first:
        story.wait(1, lag_ns=2 * S)
    for _ in range(5):
        story.request(Verdict.LOCAL, **STOOD_STILL)
        story.wait(1, lag_ns=2 * S)
    assert len(story.incidents) == 1
    assert story.incidents[0].kind == "engine"


def test_a_clock_that_is_set_and_a_sleep_are_their_own() -> None:
    trouble = LocalTrouble()
    both = Heartbeat(at=10, now_ns=10 * S, slept_ns=30 * S, wall_step_s=-60.0)
    assert list(trouble.beat(both)) == [
        "this machine slept for 00:00:30: nothing was measured",
        "the wall clock was set back by 00:01:00: times of day jump here, latencies do not",
    ]
    assert list(trouble.beat(both)) == []
