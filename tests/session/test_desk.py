"""The desk hands every record out, and behind it what it means."""

from __future__ import annotations

from pathlib import Path

from support.judged import ENDPOINT, START_AT, S

from gwtui.model.enums import State
from gwtui.model.judged import LogEntry
from gwtui.model.profile import Profile
from gwtui.model.records import Record, Request, SessionStarted
from gwtui.model.verdicts import Verdict
from gwtui.recorder import Recorder
from gwtui.session.desk import Desk

PROFILE = Profile(endpoints=(ENDPOINT,))


def result(number: int, verdict: Verdict = Verdict.TRUNCATED) -> Request:
    return Request(
        endpoint="a",
        number=number,
        started_at=START_AT,
        now_ns=(1000 + 5 * number) * S,
        api="openai-chat",
        verdict=verdict,
        rule="x",
    )


def test_what_a_result_means_comes_right_behind_it_and_is_recorded(tmp_path: Path) -> None:
    delivered: list[Record] = []
    desk = Desk(PROFILE, delivered.append)
    with Recorder(tmp_path / "s", PROFILE) as desk.recorder:
        desk.put(SessionStarted(started_at=START_AT, now_ns=1000 * S, profile=PROFILE))
        for number in (1, 2, 3):
            desk.put(result(number))
        desk.flush(5)
        assert desk.figures().rows_lost == 0
    state = next(each for each in delivered if isinstance(each, LogEntry) and each.kind == "state")
    assert (state.state, state.number, state.text) == (State.DOWN, 3, "3 truncated in a row")
    assert [each.number for each in delivered if isinstance(each, Request)] == [1, 2, 3]
    assert delivered.index(state) > delivered.index(result(3))
    assert "3 truncated in a row" in (tmp_path / "s" / "incidents.csv").read_text()


def test_without_a_directory_nothing_waits_and_dropped_events_are_counted() -> None:
    desk = Desk(PROFILE, lambda record: None, lambda: 7)
    desk.flush(0)
    assert (desk.figures().rows_waiting, desk.figures().events_dropped) == (0, 7)
