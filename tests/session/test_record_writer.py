"""The engine's output: results always come and overtake a backlog, stream events as far as somebody reads them."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from gwtui.codec.wire import decode
from gwtui.model.enums import EventKind
from gwtui.model.profile import Profile
from gwtui.model.records import Heartbeat, Notice, Record, RequestStarted, SessionStarted, StreamEvent, StreamRead
from gwtui.session.record_writer import BATCH, MAX_WAITING, RecordWriter

EVENT = StreamEvent(name="chunk", kind=EventKind.TEXT, text="x" * 200)


def read(number: int) -> StreamRead:
    """A read of two events."""
    return StreamRead(endpoint="e", number=1, now_ns=number, since_sent_ns=1, first_event=number, events=(EVENT, EVENT))


def started(number: int) -> RequestStarted:
    return RequestStarted(endpoint="e", number=number, started_at=0.0, now_ns=number)


def result(number: int) -> Notice:
    return Notice(now_ns=number, text="result")


class Pipe:
    """A pipe and its reader, which reads only when the test does."""

    def __init__(self) -> None:
        self._out, self._into = os.pipe()
        self.broken = threading.Event()
        self.record_writer = RecordWriter(self._into, self.broken.set)

    def first_byte(self) -> bytes:
        return os.read(self._out, 1)

    def leave(self) -> None:
        """The reader goes away."""
        os.close(self._out)

    def drain(self, begun: bytes = b"") -> list[Record]:
        """All records up to the end of the outlet, which is now."""
        chunks = [begun]
        reader = threading.Thread(target=lambda: chunks.extend(iter(lambda: os.read(self._out, 1 << 16), b"")))
        reader.start()
        self.record_writer.__exit__(None, None, None)
        os.close(self._into)
        reader.join(20)
        self.leave()
        return [decode(line) for line in b"".join(chunks).splitlines()]


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Pipe:
    monkeypatch.setattr("gwtui.session.record_writer.GATHER_S", 0.001)
    return Pipe()


def test_records_come_in_the_order_in_which_they_were_put(pipe: Pipe) -> None:
    put: list[Record] = [
        started(1),
        read(1),
        read(2),
        result(1),
        started(2),
        read(3),
        Heartbeat(at=0.0, now_ns=1),
        result(2),
    ]
    pipe.record_writer.__enter__()
    for record in put:
        pipe.record_writer.put(record)
    assert pipe.drain() == put
    assert pipe.record_writer.events_dropped == 0


def test_in_a_backlog_results_overtake_stream_events_and_each_keep_their_order(pipe: Pipe) -> None:
    reads = [read(number) for number in range(BATCH + 50)]
    results = [result(1), result(2)]
    put: list[Record] = [*reads[:10], results[0], *reads[10:], results[1]]
    for record in put:
        pipe.record_writer.put(record)
    pipe.record_writer.__enter__()
    assert pipe.drain() == [*results, *reads]


def test_a_result_waits_for_no_more_than_the_write_that_is_under_way(pipe: Pipe) -> None:
    for number in range(4 * BATCH):
        pipe.record_writer.put(read(number))
    pipe.record_writer.__enter__()
    begun = pipe.first_byte()
    pipe.record_writer.put(result(1))
    records = pipe.drain(begun)
    assert records.index(result(1)) == BATCH
    assert len(records) == 4 * BATCH + 1


def test_events_nobody_reads_are_dropped_and_counted_and_nothing_else_is(pipe: Pipe) -> None:
    for number in range(MAX_WAITING + 100):
        pipe.record_writer.put(read(number))
    pipe.record_writer.put(Heartbeat(at=0.0, now_ns=1))
    for number in range(MAX_WAITING):
        pipe.record_writer.put(started(number))
        pipe.record_writer.put(result(number))
    assert pipe.record_writer.events_dropped == 200
    pipe.record_writer.__enter__()
    records = pipe.drain()
    assert sum(isinstance(record, StreamRead) for record in records) == MAX_WAITING
    assert [record for record in records if isinstance(record, Notice)] == [result(n) for n in range(MAX_WAITING)]
    assert sum(isinstance(record, RequestStarted) for record in records) == MAX_WAITING
    assert not [record for record in records if isinstance(record, Heartbeat)]


def test_a_reader_who_leaves_is_reported_once_and_costs_nothing_more(pipe: Pipe) -> None:
    pipe.leave()
    with pipe.record_writer as record_writer:
        record_writer.put(result(1))
        assert pipe.broken.wait(20)
        record_writer.put(result(2))


def test_the_end_does_not_wait_for_a_reader_who_never_reads(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gwtui.session.record_writer.CLOSE_S", 0.01)
    with pipe.record_writer as record_writer:
        for number in range(2000):
            record_writer.put(result(number))
            record_writer.put(read(number))
    assert not pipe.broken.is_set()
    pipe.leave()
    assert pipe.broken.wait(20)


def test_a_record_that_cannot_be_written_is_left_out_alone(pipe: Pipe, tmp_path: Path) -> None:
    pipe.record_writer.__enter__()
    odd = SessionStarted(started_at=0.0, now_ns=0, profile=Profile(), session_dir=f"{tmp_path}/\udcff")
    for record in (result(1), odd, result(2)):
        pipe.record_writer.put(record)
    assert pipe.drain() == [result(1), result(2)]
