"""What a session remembers: read and written in a thread, whatever the disk does."""

from __future__ import annotations

import resource
import sqlite3
import threading
from pathlib import Path

import pytest
from msgspec.structs import replace
from support.remembering import ENDPOINT, IDENTITY, MS, batch_of

from gwtui.history import history_thread
from gwtui.history.batch import Batch
from gwtui.history.history_thread import HistoryThread
from gwtui.history.session_history import SessionHistory, Told
from gwtui.history.store import Store
from gwtui.history.usual import Acceptance
from gwtui.model.enums import State
from gwtui.model.judged import LogEntry, Usual
from gwtui.model.metrics import Metric
from gwtui.model.profile import Profile
from gwtui.model.records import Heartbeat, Notice, Request, SessionStarted
from gwtui.model.verdicts import Verdict

HOUR = 500_000
START_AT = HOUR * 3600.0
PROFILE = Profile(name="prod", endpoints=(ENDPOINT,))
SOON_S = 50


class Rounds:
    """Waits until the thread has done what it was given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._done = threading.Condition()
        one_round = HistoryThread._round

        def one_round_and_noted(thread: HistoryThread) -> None:
            one_round(thread)
            with self._done:
                thread.busy = thread._wake.is_set()
                self._done.notify_all()

        monkeypatch.setattr(HistoryThread, "_round", one_round_and_noted)

    def all_done(self, history: SessionHistory) -> None:
        """Have it done all that it was given by now."""
        thread = history._thread
        assert thread is not None
        with self._done:
            assert self._done.wait_for(lambda: not thread.busy and not thread._wake.is_set(), SOON_S)


@pytest.fixture
def rounds(monkeypatch: pytest.MonkeyPatch) -> Rounds:
    return Rounds(monkeypatch)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "history.sqlite"


class Session:
    """A session of one endpoint."""

    def __init__(self, history: SessionHistory) -> None:
        self.history = history
        self.now_s = 0
        self.number = 0
        self.told: list[Told] = [*history.apply(SessionStarted(started_at=START_AT, now_ns=0, profile=PROFILE))]

    def beat(self, seconds: int = 1) -> None:
        self.now_s += seconds
        self.told += self.history.apply(Heartbeat(at=START_AT + self.now_s, now_ns=self.now_s * 1000 * MS))

    def results(self, n: int, ms: int = 100) -> None:
        for _ in range(n):
            self.number += 1
            request = Request(
                endpoint="a",
                number=self.number,
                started_at=0,
                now_ns=self.now_s * 1000 * MS,
                api="openai-chat",
                verdict=Verdict.COMPLETE,
                rule="x",
                duration_ns=ms * 3 * MS,
                ttft_ns=ms * MS,
            )
            self.told += self.history.apply(request)

    def log(self) -> list[str]:
        return [each.text for each in self.told if isinstance(each, LogEntry)]

    def usual(self) -> list[tuple[str, int]]:
        """Why, and the median of TTFT in ms."""
        found = [each for each in self.told if isinstance(each, Usual)]
        return [(each.why, each.latencies[Metric.TTFT].p50_ns // MS) for each in found]


def good_in(path: Path) -> int:
    with Store(path) as store:
        return store.past(IDENTITY, HOUR).good


def test_a_session_begins_with_what_earlier_ones_have_learnt(path: Path, rounds: Rounds) -> None:
    with SessionHistory(path) as history:
        session = Session(history)
        session.results(60)
    with SessionHistory(path) as history:
        session = Session(history)
        rounds.all_done(history)
        session.beat()
        assert session.usual() == [("start", 100)]
    assert good_in(path) == 60


def test_results_are_written_each_minute(path: Path, rounds: Rounds) -> None:
    with SessionHistory(path) as history:
        session = Session(history)
        session.results(60)
        session.beat(59)
        rounds.all_done(history)
        assert good_in(path) == 0
        session.beat(1)
        rounds.all_done(history)
        assert good_in(path) == 60


def test_with_each_hour_it_is_asked_anew(path: Path, rounds: Rounds) -> None:
    path.parent.mkdir()
    with Store(path) as store:
        store.add(batch_of(HOUR - 24, 300, 200))
        store.add(batch_of(HOUR - 22, 300, 900))
    with SessionHistory(path) as history:
        session = Session(history)
        rounds.all_done(history)
        session.beat()
        session.beat(3600 * 3)
        rounds.all_done(history)
        session.beat()
        assert session.usual() == [("start", 200), ("another hour", 900)]


def test_a_change_accepted_elsewhere_is_noticed_with_the_next_write(path: Path, rounds: Rounds) -> None:
    with SessionHistory(path) as history:
        session = Session(history)
        rounds.all_done(history)
        session.beat()
        session.results(60)
        batch = Batch()
        batch.accepted[IDENTITY] = Acceptance(START_AT, START_AT)
        with Store(path) as other:
            other.add(batch)
        session.beat(60)
        rounds.all_done(history)
        session.beat()
        assert session.log() == ["what is usual is learnt anew, from the results to come"]
        for _ in range(2):
            rounds.all_done(history)
            session.beat(60)
    assert len(session.log()) == 1


def test_an_incident_is_in_the_history_at_once(path: Path, rounds: Rounds) -> None:
    with SessionHistory(path) as history:
        session = Session(history)
        entry = LogEntry(at=START_AT + 5, now_ns=5000 * MS, kind="state", endpoint="a", state=State.DOWN, text="x")
        history.apply(entry)
        rounds.all_done(history)
        with Store(path) as store:
            number = store.find(IDENTITY)
            assert number is not None
            (episode,) = store.episodes(number, IDENTITY, 0.0)
            assert (episode.began, episode.goes_on) == (START_AT + 5, True)
        session.beat()


def test_without_a_file_it_is_learnt_from_the_session_alone() -> None:
    with SessionHistory(None) as history:
        session = Session(history)
        session.results(20)
        session.beat(60)
        assert session.usual() == [("learnt", 100)]


def test_a_newer_file_is_left_alone_said_once_and_the_session_learns_by_itself(path: Path, rounds: Rounds) -> None:
    Store(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = path.read_bytes()
    with SessionHistory(path) as history:
        session = Session(history)
        rounds.all_done(history)
        session.results(20)
        for _ in range(3):
            session.beat(60)
            rounds.all_done(history)
    assert path.read_bytes() == before
    assert session.usual() == [("learnt", 100)]
    (said,) = session.log()
    assert said.startswith("the history is off: ")
    assert said.endswith("what is usual is learnt from this session alone")
    assert [each.text for each in session.told if isinstance(each, Notice)] == [said]


def test_a_damaged_file_is_put_aside_said_once_and_a_new_one_begun(path: Path, rounds: Rounds) -> None:
    path.parent.mkdir()
    path.write_bytes(b"this is no database, and is long enough to look like one " * 99)
    with SessionHistory(path) as history:
        session = Session(history)
        rounds.all_done(history)
        session.results(60)
        session.beat(60)
    assert good_in(path) == 60
    (said,) = session.log()
    assert said == f"the history was damaged: it is kept as {path}.damaged-1, and a new one begins"


def test_a_full_disk_is_said_once_and_nothing_is_lost_when_there_is_room_again(path: Path, rounds: Rounds) -> None:
    Store(path).close()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with SessionHistory(path) as history:
        session = Session(history)
        rounds.all_done(history)
        session.beat()
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, hard))
        try:
            session.results(60)
            session.beat(60)
            rounds.all_done(history)
            session.beat()
            session.results(20)
            session.beat(60)
            rounds.all_done(history)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert good_in(path) == 80
    (said,) = session.log()
    assert said.startswith("the history cannot be used just now: ")
    assert said.endswith("; probing goes on")


def test_a_directory_that_cannot_be_written_to_is_said_once(tmp_path: Path, rounds: Rounds) -> None:
    (tmp_path / "file").write_bytes(b"")
    with SessionHistory(tmp_path / "file" / "history.sqlite") as history:
        session = Session(history)
        rounds.all_done(history)
        session.results(20)
        for _ in range(3):
            session.beat(60)
            rounds.all_done(history)
    assert session.usual() == [("learnt", 100)]
    assert len(session.log()) == 1


def test_a_disk_that_hangs_delays_neither_a_record_nor_the_end(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hangs, goes_on = threading.Event(), threading.Event()

    class Hanging(Store):
        def __init__(self, path: Path) -> None:
            hangs.set()
            goes_on.wait(SOON_S)
            super().__init__(path)

    monkeypatch.setattr(history_thread, "Store", Hanging)
    with SessionHistory(path, close_s=0.01) as history:
        session = Session(history)
        assert hangs.wait(SOON_S)
        session.results(20)
        for _ in range(4):
            session.beat(60)
    goes_on.set()
    assert session.log() == ["the disk of the history has not answered for a minute; probing goes on"]
    assert session.usual() == [("learnt", 100)]


def test_while_it_cannot_be_written_what_waits_is_bounded() -> None:
    batch = Batch()
    for hour in range(100):
        batch.merge(batch_of(HOUR + hour, 1))
    assert {key.hour for key in batch.hours} == set(range(HOUR + 76, HOUR + 100))


def test_old_hours_are_forgotten_at_the_start(path: Path, rounds: Rounds, monkeypatch: pytest.MonkeyPatch) -> None:
    path.parent.mkdir()
    with Store(path) as store:
        store.add(batch_of(HOUR - 49, 5, identity=replace(IDENTITY, name="old")))
        store.add(batch_of(HOUR - 47, 5, identity=replace(IDENTITY, name="new")))
    pruned = threading.Event()
    prune = Store.prune

    def prune_and_note(store: Store, before_hour: int) -> int:
        try:
            return prune(store, before_hour)
        finally:
            pruned.set()

    monkeypatch.setattr(Store, "prune", prune_and_note)
    with SessionHistory(path, keep_days=2) as history:
        Session(history)
        assert pruned.wait(SOON_S)
    with Store(path) as store:
        assert [identity.name for _, identity in store.identities()] == ["new"]


def test_what_other_threads_note_is_in_the_log_once() -> None:
    history = SessionHistory(None)
    session = Session(history)
    history.notes.append("2 old sessions removed")
    session.beat()
    session.beat()
    assert session.log() == ["2 old sessions removed"]
