"""Good streams whose bytes are held back, pressed together or written in a way that few clients test."""

from __future__ import annotations

from gwtui.gateway.fault import answer_fault
from gwtui.model.enums import FindingName
from gwtui.model.verdicts import Verdict

PACE = (
    answer_fault(
        "burst",
        "All events in one burst when the last is due",
        Verdict.COMPLETE,
        buffer=True,
        tokens=100,
        gap_ms=3,
        findings=(FindingName.BUFFERED,),
    ),
    answer_fault(
        "burst-short",
        "Five tokens, all at once half a second later",
        Verdict.COMPLETE,
        buffer=True,
        tokens=5,
        gap_ms=100,
        findings=(FindingName.AT_ONCE,),
    ),
    answer_fault(
        "burst-8k",
        "Bursts of 8 KiB, as from a proxy's buffer",
        Verdict.COMPLETE,
        burst_bytes=8192,
        tokens=250,
        gap_ms=2,
        findings=(FindingName.BUFFERED,),
    ),
    answer_fault(
        "corked",
        "Events are sent every 100 ms",
        Verdict.COMPLETE,
        cork_ms=100,
        tokens=70,
        gap_ms=20,
        either=(FindingName.COMBED, FindingName.BUFFERED),  # on a busy machine the timer is too unsteady to be told
    ),
    answer_fault(
        "gzip",
        "Compressed, although identity was requested",
        Verdict.COMPLETE,
        gzip=True,
        findings=(FindingName.COMPRESSED,),
    ),
    answer_fault(
        "gzip-burst",
        "Compressed and in one burst",
        Verdict.COMPLETE,
        gzip=True,
        buffer=True,
        tokens=100,
        gap_ms=3,
        findings=(FindingName.COMPRESSED, FindingName.BUFFERED),
    ),
    answer_fault("bom", "A byte order mark before the stream", Verdict.COMPLETE, bom=True),
    answer_fault("cr-only", "Lines end with CR only", Verdict.COMPLETE, line_ends="cr"),
    answer_fault("crlf", "Lines end with CRLF", Verdict.COMPLETE, line_ends="crlf"),
)
