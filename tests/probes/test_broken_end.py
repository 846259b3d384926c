"""When a measurement ended whose connection broke: when its end was read, however late that was worked off."""

from __future__ import annotations

import pytest

from gwtui.model.enums import Clock, End, Trigger
from gwtui.probes.probe_result import Result
from gwtui.transport.trace import Arrival, ConnectionTrace


@pytest.mark.parametrize("end", [End.INCOMPLETE, End.RESET])
def test_a_cut_stream_ended_when_its_connection_did(end: End) -> None:
    result = Result(1, Trigger.BURST, 0, ConnectionTrace(), record_text=False)
    read_ns = result.progress.began_ns - 300_000_000
    result.trace.came(Arrival(read_ns - 1000, Clock.KERNEL, b"data: half"))
    result.trace.came(Arrival(read_ns, Clock.USER, b"", 40_000))
    result.over(end, "closed in the middle")
    assert (result.ended_ns, result.ended_error_ns) == (read_ns, 40_000)


def test_what_gwtui_stops_ends_now() -> None:
    result = Result(1, Trigger.BURST, 0, ConnectionTrace(), record_text=False)
    result.trace.came(Arrival(result.progress.began_ns, Clock.KERNEL, b"data: half"))
    result.over(End.CANCELLED, "gwtui stopped it")
    assert result.ended_ns > result.progress.began_ns
    assert result.ended_error_ns == 0
