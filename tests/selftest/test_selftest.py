"""The self-test: its server tells the truth, its arithmetic is right, and both sessions run to their end."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterator

import pytest
from support.stamping import expected_clock

from gwtui.apis import APIS
from gwtui.framing.sse import SSEParser
from gwtui.gateway.process import running
from gwtui.model.enums import Clock, EventKind
from gwtui.model.profile import Endpoint
from gwtui.model.records import Heartbeat, Record, Request, StreamEvent, StreamRead
from gwtui.model.verdicts import Verdict
from gwtui.selftest.ground_truth import GroundTruth, Spread
from gwtui.selftest.report import SERVER, as_text, run
from gwtui.selftest.server import Stamps, read_stamps

MS = 1_000_000


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with running(SERVER) as server:
        yield server.port


def asked(port: int, **script: int) -> bytes:
    """The whole body of a stream, unchunked."""
    body = json.dumps({"truth": script}).encode()
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.sendall(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
        received = b""
        while not received.endswith(b"0\r\n\r\n"):
            data = sock.recv(1 << 16)
            assert data, received
            received += data
    head, _, rest = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    stream = b""
    while rest != b"0\r\n\r\n":
        size, _, rest = rest.partition(b"\r\n")
        stream, rest = stream + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    return stream


@pytest.mark.parametrize("batch", [1, 4, 5])
def test_the_server_streams_what_it_was_asked_for_and_says_when(port: int, batch: int) -> None:
    events = SSEParser().feed(asked(port, ttft_ns=2 * MS, gap_ns=MS, events=10, batch=batch))
    reader = APIS["openai-chat"].reader(Endpoint(name="truth", api="openai-chat", url="http://x", model="truth"))
    readings = [reader.event(event) for event in events]
    assert reader.end().verdict is Verdict.COMPLETE
    assert reader.usage.output_tokens == 10
    stamps = [found for reading in readings if (found := read_stamps(reading.text)) is not None]
    assert len(stamps) == 10
    assert len({each.arrived_ns for each in stamps}) == 1
    assert [each.due_ns - each.arrived_ns for each in stamps] == [2 * MS + at // batch * MS for at in range(10)]
    assert all(each.sent_ns >= each.due_ns for each in stamps)


def test_the_server_counts(port: int) -> None:
    def events_sent() -> int:
        with socket.create_connection(("127.0.0.1", port)) as sock:
            sock.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            return int(json.loads(sock.recv(1 << 16).partition(b"\r\n\r\n")[2])["events"])

    before = events_sent()
    asked(port, ttft_ns=0, gap_ns=0, events=70, batch=32)
    assert events_sent() - before == 70


def test_only_stamps_are_read_as_stamps() -> None:
    assert read_stamps(f"{1:020} {2:020} {3:020}") == Stamps(1, 2, 3)
    assert read_stamps("three short words") is None
    assert read_stamps("") is None


def event(stamps: Stamps | None) -> StreamEvent:
    text = "" if stamps is None else f"{stamps.arrived_ns:020} {stamps.due_ns:020} {stamps.sent_ns:020}"
    return StreamEvent(name="chunk", kind=EventKind.TEXT, text=text)


def read(now_ns: int, *sent_ns: int) -> StreamRead:
    events = tuple(event(Stamps(1000, each, each)) for each in sent_ns)
    return StreamRead(
        endpoint="a", number=1, now_ns=now_ns, since_sent_ns=0, first_event=1, events=(event(None), *events)
    )


def request(ttft_ns: int | None, *, tainted: bool = False) -> Request:
    return Request(
        endpoint="a",
        number=1,
        started_at=0.0,
        now_ns=0,
        api="openai-chat",
        verdict=Verdict.COMPLETE,
        rule="r",
        clock=Clock.KERNEL,
        ttft_ns=ttft_ns,
        tainted=tainted,
    )


def test_errors_are_what_was_reported_less_what_was_sent() -> None:
    records: list[Record] = [
        read(6_010, 6_000),
        read(9_030, 8_000, 9_000),
        read(9_995, 10_000),
        request(5_040, tainted=True),
        Heartbeat(at=0.0, now_ns=0, events_dropped=7),
    ]
    truth = GroundTruth()
    for record in records:
        truth.take(record)
    errors = truth.errors()
    assert errors.arrivals == Spread(n=4, p50_ns=10, p99_ns=1_030, max_ns=1_030)
    assert errors.untainted == Spread(n=0)
    # From read to read: 3020 for 3000, 965 for 1000.
    assert errors.gaps == Spread(n=2, p50_ns=20, p99_ns=35, max_ns=35)
    assert errors.ttft == Spread(n=1, p50_ns=40, p99_ns=40, max_ns=40)
    assert (errors.early, errors.tainted, errors.dropped) == (1, 1, 7)
    assert (errors.clocks, errors.verdicts) == ({"kernel": 1}, {"complete": 1})


def test_requests_that_are_not_tainted_are_reported_separately() -> None:
    truth = GroundTruth()
    for record in (read(6_010, 6_000), request(5_000), read(7_500, 7_000), request(6_000, tainted=True)):
        truth.take(record)
    assert truth.errors().arrivals.max_ns == 500
    assert truth.errors().untainted == Spread(n=1, p50_ns=10, p99_ns=10, max_ns=10)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_both_sessions_run_to_their_end() -> None:
    results = run(1.5)
    for trial in (results.headless, results.on_screen):
        assert trial.errors.arrivals.n > 0
        assert set(trial.errors.verdicts) <= {"complete", "cancelled"}
        assert expected_clock() in trial.errors.clocks
        assert trial.cost is not None
    assert "Stamps: " in as_text(results)
