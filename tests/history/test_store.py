"""The history's file, with several sessions at once, and in all its troubles."""

from __future__ import annotations

import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace
from support.remembering import ENDPOINT, IDENTITY, MS, batch_of

from gwtui.history import database
from gwtui.history.batch import Episode
from gwtui.history.database import DamagedError, HistoryError, UnusableError, is_on_network, put_aside
from gwtui.history.identity import identity_of
from gwtui.history.store import Store
from gwtui.history.usual import Acceptance
from gwtui.model.metrics import Metric
from gwtui.model.profile import Endpoint
from gwtui.model.usual import UsualSource

HOUR = 500_000
WRITER = """
import sys
from pathlib import Path
from support.remembering import batch_of
from gwtui.history.store import Store
with Store(Path(sys.argv[1])) as store:
    print("open", flush=True)
    for _ in range(int(sys.argv[2])):
        store.add(batch_of(500_000, 3, int(sys.argv[3])))
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "history.sqlite"


def writing(path: Path, times: int, ms: int) -> subprocess.Popen[bytes]:
    """Another program that adds three results at a time."""
    tests = Path(__file__).parent.parent
    program = f"import sys; sys.path.insert(0, {str(tests)!r})\n{WRITER}"
    return subprocess.Popen([sys.executable, "-c", program, path, str(times), str(ms)], stdout=subprocess.PIPE)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_was_added_is_what_is_usual(path: Path) -> None:
    with Store(path) as store:
        store.add(batch_of(HOUR, 60, 100))
        store.add(batch_of(HOUR, 61, 300))
        store.add(batch_of(HOUR, 2, verdict="truncated"))
    with Store(path) as store:
        past = store.past(IDENTITY, HOUR)
        assert store.past(replace(IDENTITY, model="another"), HOUR).latencies == {}
    assert past.latencies[Metric.TTFT].values == ((100 * MS, 60), (300 * MS, 61))
    assert past.latencies[Metric.TTFT].source is UsualSource.DAY
    assert set(past.latencies) == {Metric.TTFT, Metric.E2E}
    assert (past.good, past.failed) == (121, 2)


def test_two_programs_add_to_the_same_hour_at_once(path: Path) -> None:
    others = [writing(path, 40, ms) for ms in (100, 200)]
    assert [other.wait(50) for other in others] == [0, 0]
    for other in others:
        other.communicate()
    with Store(path) as store:
        values = store.past(IDENTITY, HOUR).latencies[Metric.TTFT].values
    assert values == ((100 * MS, 120), (200 * MS, 120))


def test_a_program_that_is_killed_while_it_writes_leaves_whole_batches(path: Path) -> None:
    other = writing(path, 1_000_000, 100)
    assert other.stdout is not None
    assert other.stdout.readline() == b"open\n"
    with Store(path) as store:
        while store.find(IDENTITY) is None:
            store.add(batch_of(HOUR, 1, identity=replace(IDENTITY, name="b")))
        other.send_signal(signal.SIGKILL)
        other.wait()
        other.communicate()
        store.add(batch_of(HOUR, 3, 100))
        number = store.find(IDENTITY)
        assert number is not None
        outcomes, latencies = store.outcomes(number, HOUR, HOUR), store.latencies(number, HOUR, HOUR)
    assert outcomes[0].n % 3 == 0
    assert {row.n for row in latencies} == {outcomes[0].n} == {row.sums().n for row in latencies}


def test_the_file_is_its_owners_alone(path: Path) -> None:
    with Store(path) as store:
        store.add(batch_of(HOUR, 1))
        assert {mode(each) for each in path.parent.iterdir()} == {0o600}
        assert mode(path.parent) == 0o700
    path.chmod(0o644)
    with Store(path):
        assert mode(path) == 0o600


def test_no_key_gets_into_it(path: Path) -> None:
    secret = "sk-made-up-12345678"
    endpoint = Endpoint(
        name="a",
        api="openai-chat",
        url=f"https://me:{secret}@gateway.example.com/v1?api_key={secret}&region=${{env:REGION}}",
        path=f"/v1?token={secret}",
        key=f"env:{secret}",
        headers={"x-api-key": secret},
        body={"api_key": secret},
    )
    identity = identity_of("prod", endpoint)
    assert identity.url == "https://gateway.example.com/v1?region=${env:REGION}"
    with Store(path) as store:
        store.add(batch_of(HOUR, 1, identity=identity))
        assert not any(secret.encode() in each.read_bytes() for each in path.parent.iterdir())


@pytest.mark.parametrize(
    "change",
    [
        {"url": "https://other.example.com"},
        {"path": "/v2"},
        {"model": "other"},
        {"prompt": "another question"},
        {"max_tokens": 17},
        {"stream": False},
        {"body": {"temperature": 0.5}},
        {"api": "openai-responses"},
    ],
)
def test_an_endpoint_that_asks_for_something_else_is_another_one(change: dict[str, object]) -> None:
    assert identity_of("prod", replace(ENDPOINT, **change)) != IDENTITY


@pytest.mark.parametrize("change", [{"nonce": True}, {"interval_s": 1.0}, {"key": "env:OTHER"}, {"paused": True}])
def test_an_endpoint_that_asks_for_the_same_is_the_same(change: dict[str, object]) -> None:
    assert identity_of("prod", replace(ENDPOINT, **change)) == IDENTITY


@pytest.mark.parametrize(
    "endpoint",
    [
        Endpoint(name="w", api="websocket", url="ws://127.0.0.1:9", body="hello"),
        Endpoint(name="x", api="unknown", url="nothing"),
        Endpoint(name="y", api="openai-chat", url="https://x", body="no table"),
    ],
)
def test_every_endpoint_has_an_identity(endpoint: Endpoint) -> None:
    assert identity_of("prod", endpoint) != identity_of("prod", replace(endpoint, body="another"))


def test_a_link_is_not_followed(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir()
    other = tmp_path / "other"
    other.write_bytes(b"mine")
    path.symlink_to(other)
    with pytest.raises(HistoryError, match="symbolic link"):
        Store(path)
    assert other.read_bytes() == b"mine"


def test_a_file_of_a_newer_version_is_left_as_it_is(path: Path) -> None:
    Store(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(UnusableError, match="another version of gwtui"):
        Store(path)
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (99,)
    connection.close()


def test_a_database_of_another_program_is_left_as_it_is(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE mine (x)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(UnusableError, match="was not written by gwtui"):
        Store(path)
    assert path.read_bytes() == before


def test_a_damaged_file_is_put_aside_and_kept(path: Path) -> None:
    for number in (1, 2):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"no database at all, but longer than its header is " * 99)
        with pytest.raises(DamagedError):
            Store(path)
        assert put_aside(path) == path.with_name(f"history.sqlite.damaged-{number}")
        with Store(path) as store:
            store.add(batch_of(HOUR, 1))
        path.unlink()


def test_a_file_with_damage_inside_is_put_aside(path: Path) -> None:
    with Store(path) as store:
        for hour in range(300):
            store.add(batch_of(HOUR + hour, 2))
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    path.write_bytes(data)
    store = Store(path)
    with pytest.raises(DamagedError):
        store.add(batch_of(HOUR, 2))
    assert put_aside(path, store.connection) is not None
    Store(path).close()


def test_a_good_file_that_another_program_has_begun_meanwhile_is_not_put_aside(path: Path) -> None:
    with Store(path) as store:
        store.add(batch_of(HOUR, 1))
        assert put_aside(path) is None
        assert store.find(IDENTITY) is not None


def test_without_write_ahead_it_works_with_an_ordinary_journal(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "is_on_network", lambda _: True)
    with Store(path) as store, Store(path) as other:
        assert store.connection.execute("PRAGMA journal_mode").fetchone() == ("truncate",)
        store.add(batch_of(HOUR, 30))
        other.add(batch_of(HOUR, 30))
        assert store.past(IDENTITY, HOUR).good == 60
        assert not path.with_name("history.sqlite-wal").exists()


def test_file_systems_of_a_network_are_recognised(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    home = tmp_path / "my home"
    home.mkdir()
    escaped = str(home).replace(" ", r"\040")
    root = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
    mounts.write_text(f"{root}30 22 0:50 / {escaped} rw shared:2 - nfs4 server:/home rw\nnonsense\n")
    assert is_on_network(home / "x", mounts)
    assert not is_on_network(tmp_path / "x", mounts)
    assert not is_on_network(home / "x", tmp_path / "missing")


def test_old_hours_are_pruned_and_endpoints_of_which_nothing_is_left(path: Path) -> None:
    gone = replace(IDENTITY, name="gone")
    with Store(path) as store:
        store.add(batch_of(HOUR - 10, 5))
        store.add(batch_of(HOUR, 5))
        old = batch_of(HOUR - 10, 5, identity=gone)
        then = (HOUR - 9) * 3600.0
        old.tell(Episode(gone, then, then, False, "down", "3 refused in a row"))
        old.accepted[gone] = Acceptance(then, then)
        store.add(old)
        assert store.prune(HOUR) == 2
        assert [identity for _, identity in store.identities()] == [IDENTITY]
        number = store.find(IDENTITY)
        assert number is not None
        assert [row.hour for row in store.outcomes(number, 0, HOUR)] == [HOUR]
        assert store.prune(HOUR) == 0


def test_an_episode_is_told_anew_when_it_ends(path: Path) -> None:
    ended = Episode(IDENTITY, 100.0, 200.0, False, "down", "8x its usual")
    with Store(path) as store:
        for episode in (replace(ended, until=150.0, goes_on=True, state="slow"), ended):
            batch = batch_of(HOUR, 1)
            batch.tell(episode)
            store.add(batch)
        number = store.find(IDENTITY)
        assert number is not None
        assert store.episodes(number, IDENTITY, 200.0) == [ended]
        assert store.episodes(number, IDENTITY, 201.0) == []


def test_what_was_accepted_is_what_counts(path: Path) -> None:
    batch = batch_of(HOUR - 2, 60, 900, teaches=False)
    batch.merge(batch_of(HOUR - 3, 60, 100))
    batch.accepted[IDENTITY] = Acceptance((HOUR - 2) * 3600.0, HOUR * 3600.0)
    with Store(path) as store:
        store.add(batch)
        assert store.past(IDENTITY, HOUR).latencies[Metric.TTFT].values == ((900 * MS, 60),)


def test_old_latencies_are_kept_in_less_room(path: Path) -> None:
    with Store(path) as store:
        for hour in (HOUR, HOUR - 500):
            batch = batch_of(hour, 1, 100)
            for ms in range(100, 200):
                batch.merge(batch_of(hour, 1, ms))
            store.add(batch)
        assert store.coarsen(HOUR - 400)
        assert not store.coarsen(HOUR - 400)
        number = store.find(IDENTITY)
        assert number is not None
        (old,) = (row for row in store.latencies(number, HOUR - 500, HOUR - 500) if row.metric == "ttft")
        (new,) = (row for row in store.latencies(number, HOUR, HOUR) if row.metric == "ttft")
    assert len(old.packed) < len(new.packed) / 2
    assert old.sums().n == new.sums().n == 101
    exact = new.sums().histogram.quantile(0.5)
    assert old.sums().histogram.quantile(0.5) == pytest.approx(exact, rel=0.032)
    assert old.sums().correlation == new.sums().correlation
