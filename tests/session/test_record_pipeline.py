"""The pipeline hands every record out, and behind it what it means."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace
from support.judged import ENDPOINT, START_AT, S

from gwtui.history import SessionHistory
from gwtui.history.store import Store
from gwtui.model.enums import State
from gwtui.model.judged import LogEntry, Usual
from gwtui.model.metrics import Metric
from gwtui.model.profile import Profile
from gwtui.model.records import Notice, Record, Request, SessionStarted
from gwtui.model.verdicts import Verdict
from gwtui.recorder import Recorder
from gwtui.recorder.session_reader import UnreadRows, read_session
from gwtui.session.record_pipeline import RecordPipeline

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
    pipeline = RecordPipeline(PROFILE, delivered.append)
    with Recorder(tmp_path / "s", PROFILE) as pipeline.recorder:
        pipeline.put(SessionStarted(started_at=START_AT, now_ns=1000 * S, profile=PROFILE))
        for number in (1, 2, 3):
            pipeline.put(result(number))
        pipeline.flush(5)
        assert pipeline.figures().rows_lost == 0
    state = next(each for each in delivered if isinstance(each, LogEntry) and each.kind == "state")
    assert (state.state, state.number, state.text) == (State.DOWN, 3, "3 truncated in a row")
    assert [each.number for each in delivered if isinstance(each, Request)] == [1, 2, 3]
    assert delivered.index(state) > delivered.index(result(3))
    assert "3 truncated in a row" in (tmp_path / "s" / "incidents.csv").read_text()


def test_the_last_records_of_several_places_are_judged_at_the_end() -> None:
    """Each place waits for the others, and at the end there is nothing left to wait for."""
    delivered: list[Record] = []
    pipeline = RecordPipeline(PROFILE, delivered.append)
    pipeline.put(SessionStarted(started_at=START_AT, now_ns=1000 * S, profile=PROFILE))
    for number in (1, 2, 3):
        for place in ("", "fra"):
            pipeline.put(replace(result(number), now_ns=(1000 + number) * S, vantage=place))

    def down() -> list[str]:
        return [each.vantage for each in delivered if isinstance(each, LogEntry) and each.state is State.DOWN]

    assert down() == []
    pipeline.end()
    assert down() == ["", "fra"]
    pipeline.end()
    assert down() == ["", "fra"]


def test_without_a_directory_nothing_waits_and_dropped_events_are_counted() -> None:
    pipeline = RecordPipeline(PROFILE, lambda record: None, lambda: 7)
    pipeline.flush(0)
    assert (pipeline.figures().rows_waiting, pipeline.figures().events_dropped) == (0, 7)


def good(number: int, ms: int = 100) -> Request:
    return replace(result(number, Verdict.COMPLETE), ttft_ns=ms * S // 1000, duration_ns=S)


def test_what_becomes_usual_comes_behind_the_result_and_is_recorded(tmp_path: Path) -> None:
    delivered: list[Record] = []
    pipeline = RecordPipeline(PROFILE, delivered.append)
    with Recorder(tmp_path / "s", PROFILE) as pipeline.recorder:
        pipeline.put(SessionStarted(started_at=START_AT, now_ns=1000 * S, profile=PROFILE))
        for number in range(1, 22):
            pipeline.put(good(number))
    (usual,) = (each for each in delivered if isinstance(each, Usual))
    assert delivered.index(usual) == delivered.index(good(20)) + 1
    assert usual.latencies[Metric.TTFT].n == 20
    rows = list(read_session(tmp_path / "s").rows(UnreadRows()))
    assert [row.latencies for row in rows if isinstance(row, Usual)] == [usual.latencies]


def test_by_what_is_usual_an_endpoint_is_slow_and_that_teaches_nothing() -> None:
    delivered: list[Record] = []
    pipeline = RecordPipeline(PROFILE, delivered.append)
    pipeline.put(SessionStarted(started_at=START_AT, now_ns=1000 * S, profile=PROFILE))
    for number in range(1, 120):
        pipeline.put(good(number, 100 if number < 39 else 2000))
    assert any(isinstance(each, LogEntry) and each.state is State.SLOW for each in delivered)
    assert [each.latencies[Metric.TTFT].n for each in delivered if isinstance(each, Usual)] == [20]


def test_what_was_learnt_is_usual_in_the_next_session(tmp_path: Path) -> None:
    history = tmp_path / "state" / "history.sqlite"
    for _ in range(2):
        pipeline = RecordPipeline(PROFILE, lambda record: None)
        with SessionHistory(history) as pipeline.history:
            pipeline.put(SessionStarted(started_at=START_AT, now_ns=1000 * S, profile=PROFILE))
            for number in range(1, 31):
                pipeline.put(good(number))
    with Store(history) as store:
        ((number, _),) = store.identities()
        assert [row.n for row in store.outcomes(number, 0, 1 << 40)] == [60]


def test_what_an_endpoint_does_now_is_accepted_as_usual() -> None:
    delivered: list[Record] = []
    pipeline = RecordPipeline(PROFILE, delivered.append)
    pipeline.put(SessionStarted(started_at=START_AT, now_ns=1000 * S, profile=PROFILE))
    for number in range(1, 31):
        pipeline.put(good(number))
    pipeline.accept("a")
    usual = [each for each in delivered if isinstance(each, Usual)]
    assert (usual[-1].endpoint, usual[-1].why, dict(usual[-1].latencies)) == ("a", "accepted", {})
    entry = next(each for each in delivered if isinstance(each, LogEntry) and each.kind == "engine")
    assert entry.endpoint == "a"
    pipeline.accept("b")
    assert isinstance(delivered[-1], Notice)
    assert "'b'" in delivered[-1].text
