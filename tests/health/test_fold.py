"""Records in, incidents out: the same whatever the heartbeats, the mix of places and the way through the files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from support.fleet import EU, US, claude, gpt
from support.judged import START_AT
from support.playing import MS, Fault, Play, failing, finding, played, slower

from gwtui.codec.wire import decode, encode
from gwtui.health.health import Health, ReorderBuffer
from gwtui.health.incident_log import IncidentLog
from gwtui.model.enums import FindingName
from gwtui.model.incidents import IncidentEvent
from gwtui.model.judged import Acknowledged, LogEntry, Usual
from gwtui.model.profile import Profile
from gwtui.model.records import FeedEnded, Heartbeat, Record, Request, SessionStarted
from gwtui.model.verdicts import Verdict
from gwtui.recorder import Recorder
from gwtui.recorder.session_reader import UnreadRows, read_session
from gwtui.session.record_pipeline import RecordPipeline

NAMES = ("eu-claude", "eu-gpt", "us-claude", "us-gpt")
FLEET = Profile(
    endpoints=tuple(
        make(f"{where}-{make.__name__}", url, key=f"env:{where}")
        for where, url in (("eu", EU), ("us", US))
        for make in (claude, gpt)
    )
)
CHANGES = (
    failing(Verdict.AUTH, 401),
    failing(Verdict.OVERLOADED, 529),
    failing(Verdict.DNS),
    failing(Verdict.TRUNCATED, 200, 0.4),
    slower(6),
    finding(FindingName.BUFFERED),
)
PLACES = ("", "fra", "iad")

faults = st.lists(
    st.builds(
        lambda begin, lasts, change, names, places: Fault(begin, begin + lasts, change, names, places),
        st.integers(15, 60),
        st.integers(10, 60),
        st.sampled_from(CHANGES),
        st.one_of(st.none(), st.sets(st.sampled_from(NAMES), min_size=1)),
        st.one_of(st.none(), st.sets(st.sampled_from(PLACES), min_size=1)),
    ),
    min_size=1,
    max_size=3,
)
seeds = st.integers(0, 1000)


def judged(records: Iterable[Record]) -> list[LogEntry]:
    health = Health(FLEET)
    return [entry for record in (*records, FeedEnded(text="")) for entry in health.apply(record)]


def all_records(wrong: list[Fault], seed: int, places: tuple[str, ...]) -> list[Record]:
    return list(played(FLEET, wrong, 160, places, lambda at_s: 0.0, seed))


@settings(deadline=None, max_examples=12)
@given(faults, seeds, st.sampled_from([0.0, 0.3, 0.9]))
def test_the_rhythm_of_heartbeats_changes_nothing(wrong: list[Fault], seed: int, share: float) -> None:
    records, rng = all_records(wrong, seed, ("",)), Random(seed)
    fewer = [record for record in records if not isinstance(record, Heartbeat) or rng.random() < share]
    assert judged(fewer) == judged(records)


@settings(deadline=None, max_examples=12)
@given(faults, seeds)
def test_any_mix_of_places_gives_the_same(wrong: list[Fault], seed: int) -> None:
    records = all_records(wrong, seed, PLACES)
    assert judged(mixed(records, seed)) == judged(records)


def mixed(records: list[Record], seed: int) -> list[Record]:
    """As they may come: each place in its own order, and late by up to 1.5 s."""
    rng, newest_ns = Random(seed), dict.fromkeys(PLACES, 0.0)
    head, rest = records[: 1 + len(PLACES) * len(NAMES)], records[1 + len(PLACES) * len(NAMES) :]
    arrivals = []
    for record in rest:
        place = getattr(record, "vantage", "")
        newest_ns[place] = max(newest_ns[place], getattr(record, "now_ns", 0) + rng.uniform(0, 1.5e9))
        arrivals.append((newest_ns[place], record))
    return [*head, *(record for _, record in sorted(arrivals, key=lambda each: each[0]))]


@settings(deadline=None, max_examples=6)
@given(faults, seeds)
def test_records_that_went_through_a_pipe_give_the_same(wrong: list[Fault], seed: int) -> None:
    records = all_records(wrong, seed, ("",))
    assert judged(decode(encode(record)) for record in records) == judged(records)


@pytest.mark.parametrize("seed", range(3))
def test_incidents_read_back_from_a_session_are_those_of_the_live_one(tmp_path: Path, seed: int) -> None:
    wrong = [
        Fault(20, 80, failing(Verdict.AUTH, 401), ("eu-claude", "eu-gpt")),
        Fault(60, 150, failing(Verdict.TRUNCATED, 200, 0.5), ("us-gpt",)),
        Fault(100, 900, slower(8), ("us-claude",)),
    ]
    play = Play(FLEET, wrong, seconds=200, seed=seed)
    with Recorder(tmp_path / "s", FLEET) as recorder:
        health = Health(FLEET)
        for record in play.records:
            for each in (record, *health.apply(record)):
                recorder.put(each)
        recorder.close(10)
    log = IncidentLog()
    for row in read_session(tmp_path / "s").rows(UnreadRows()):
        log.apply(row)
    assert log.incidents == play.log.incidents


@pytest.mark.parametrize("places", [("",), ("", "fra")])
def test_a_session_that_is_read_back_and_judged_anew_has_the_same_incidents(
    tmp_path: Path, places: tuple[str, ...]
) -> None:
    """With what was learnt on the way, a pause, and an incident that was acknowledged."""
    wrong = [
        Fault(160, 240, failing(Verdict.AUTH, 401), ("eu-claude", "eu-gpt")),
        Fault(220, 320, failing(Verdict.TRUNCATED, 200, 0.5), ("us-gpt",), places[-1:]),
        Fault(300, 420, slower(8), ("us-claude",)),
        Fault(380, 430, failing(Verdict.DNS)),
    ]
    live: list[Record] = []
    pipeline = RecordPipeline(FLEET, live.append)
    with Recorder(tmp_path / "s", FLEET, wall=lambda: START_AT) as pipeline.recorder:
        for record in learning(wrong, places):
            pipeline.put(record)
            if isinstance(record, Heartbeat) and record.at == START_AT + 190:
                pipeline.put(Acknowledged(at=record.at, now_ns=record.now_ns, incident=1, note="rotating"))
        pipeline.end()
        pipeline.flush(10)
    session = read_session(tmp_path / "s")
    assert session.usuals()
    begin = SessionStarted(started_at=session.started_at, now_ns=0, profile=session.profile)
    anew = judged([begin, *as_they_came(session.rows(UnreadRows()))])
    assert told(anew) == told(live)
    assert {"acknowledged", "wider", "narrower", "closed"} <= {event for event, *_ in told(live)}


def learning(wrong: list[Fault], places: tuple[str, ...]) -> list[Record]:
    """Without anything that is usual before, at uneven times, and with a pause."""
    rng, records = Random(1), list[Record]()
    for record in played(FLEET, wrong, 500, places, lambda at_s: 0.0, 1):
        if isinstance(record, Request):
            late_ms = rng.randint(1, 400)
            record = replace(record, now_ns=record.now_ns + late_ms * MS, started_at=record.started_at + late_ms / 1000)
        is_paused = START_AT + 340 <= getattr(record, "at", 0) < START_AT + 360
        if isinstance(record, Heartbeat) and is_paused:
            records.append(replace(record, paused=("us-gpt",)))
        elif not isinstance(record, Usual):
            records.append(record)
    return sorted(records, key=lambda each: getattr(each, "now_ns", 0))


def as_they_came(rows: Iterable[Record]) -> Iterator[Record]:
    """The records that the rows of a session are of."""
    paused: set[tuple[str, str]] = set()
    for row in rows:
        if not isinstance(row, LogEntry):
            yield row
        elif row.event is IncidentEvent.ACKNOWLEDGED:
            yield Acknowledged(at=row.at, now_ns=row.now_ns, incident=row.incident or 0, note=row.text)
        elif row.text in ("paused", "resumed"):
            (paused.add if row.text == "paused" else paused.remove)((row.vantage, row.endpoint))
            names = tuple(name for place, name in paused if place == row.vantage)
            yield Heartbeat(at=row.at, now_ns=row.now_ns, vantage=row.vantage, paused=names)


def told(records: Iterable[Record]) -> list[tuple[object, ...]]:
    return [
        (str(each.event), each.incident, each.vantage, each.endpoint, each.severity, each.scope, each.cause, each.text)
        for each in records
        if isinstance(each, LogEntry) and each.kind == "incident"
    ]


def test_a_place_that_falls_silent_holds_the_others_up_for_3_seconds_only() -> None:
    buffer = ReorderBuffer()

    def beat(place: str, second: float) -> list[float]:
        record = Heartbeat(at=second, now_ns=int(second * 1e9), vantage=place)
        return [each.now_ns / 1e9 for each in buffer.put(record)]

    assert beat("", 1) == [1]
    assert beat("fra", 1.5) == []
    assert beat("", 2) == []
    assert beat("fra", 2.5) == [1.5]
    assert beat("", 5) == [2]
    assert beat("", 5.6) == [2.5, 5, 5.6]
    assert beat("fra", 2.55) == [2.55], "late is better than never"
    assert buffer.rest() == []
