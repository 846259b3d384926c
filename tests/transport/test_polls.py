"""What a look of the event loop says of when the things that it found came."""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from pathlib import Path

import pytest

from gwtui.transport.polls import SLEPT_NS, WAKING_NS, RunDelay, new_loop, running_polls, woken_ns

MS = 1_000_000


@pytest.mark.parametrize(
    ("began_ns", "now_ns", "run_delay_ns", "earliest_ns"),
    [
        (100 * MS, 150 * MS, 0, 150 * MS - WAKING_NS),
        (100 * MS, 150 * MS, 20 * MS, 130 * MS - WAKING_NS),
        (100 * MS, 150 * MS, 50 * MS, 0),
        (100 * MS, 150 * MS, None, 0),
        (100 * MS, 100 * MS + SLEPT_NS - 1, 0, 0),
        (100 * MS, 100 * MS + SLEPT_NS, 0, 100 * MS),
    ],
    ids=["woken", "woken, then not run", "ready all the time", "unknown", "no sleep", "a short sleep"],
)
def test_what_ended_a_sleep_came_when_it_ended(
    began_ns: int, now_ns: int, run_delay_ns: int | None, earliest_ns: int
) -> None:
    assert woken_ns(began_ns, now_ns, run_delay_ns) == earliest_ns


@pytest.mark.skipif(not Path("/proc/thread-self/schedstat").exists(), reason="the system does not count it")
def test_the_delay_is_counted_from_look_to_look() -> None:
    delay = RunDelay()
    try:
        passed = [delay.since_last_ns() for _ in range(3)]
        assert all(each is not None and each >= 0 for each in passed)
    finally:
        delay.close()
    assert delay.since_last_ns() is None


def test_where_the_system_does_not_count_it_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gwtui.transport.polls._SCHEDSTAT", "/nowhere/schedstat")
    delay = RunDelay()
    assert delay.since_last_ns() is None
    delay.close()


@pytest.mark.skipif(sys.platform != "linux", reason="the system does not count it")
def test_a_loop_that_sleeps_knows_of_what_wakes_it() -> None:
    """The bound is never later than the send, whatever else this machine does."""

    async def woken() -> tuple[int, int]:
        loop = asyncio.get_running_loop()
        one, other = socket.socketpair()
        one.setblocking(False)
        with one, other:
            sent: list[int] = []

            def send() -> None:
                sent.append(time.perf_counter_ns())
                other.send(b"x")

            loop.call_later(0.02, send)
            await loop.sock_recv(one, 1)
            polls = running_polls()
            assert polls is not None
            return polls.known_ns, sent[0]

    loop = new_loop()
    try:
        known_ns, sent_ns = loop.run_until_complete(woken())
    finally:
        loop.close()
    assert 0 < known_ns <= sent_ns + MS
