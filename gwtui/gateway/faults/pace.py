"""Good streams whose bytes are held back, pressed together or written in a way that few clients test."""

from __future__ import annotations

from gwtui.gateway.behaviour import BehaviourSpec
from gwtui.gateway.fault import Fault
from gwtui.model.enums import FindingName
from gwtui.model.verdicts import Verdict

PACE = (
    Fault(
        name="burst",
        says="All events in one burst when the last is due",
        verdict=Verdict.COMPLETE,
        findings=(FindingName.BUFFERED,),
        behaviour=BehaviourSpec(buffer=True, tokens=100, gap_ms=3),
    ),
    Fault(
        name="burst-8k",
        says="Bursts of 8 KiB, as from a proxy's buffer",
        verdict=Verdict.COMPLETE,
        findings=(FindingName.BUFFERED,),
        behaviour=BehaviourSpec(burst_bytes=8192, tokens=250, gap_ms=2),
    ),
    Fault(
        name="corked",
        says="Events are sent every 100 ms",
        verdict=Verdict.COMPLETE,
        either=(FindingName.COMBED, FindingName.BUFFERED),  # on a busy machine the timer is too unsteady to be told
        behaviour=BehaviourSpec(cork_ms=100, tokens=70, gap_ms=20),
    ),
    Fault(
        name="gzip",
        says="Compressed, although identity was requested",
        verdict=Verdict.COMPLETE,
        findings=(FindingName.COMPRESSED,),
        behaviour=BehaviourSpec(gzip=True),
    ),
    Fault(
        name="gzip-burst",
        says="Compressed and in one burst",
        verdict=Verdict.COMPLETE,
        findings=(FindingName.COMPRESSED, FindingName.BUFFERED),
        behaviour=BehaviourSpec(gzip=True, buffer=True, tokens=100, gap_ms=3),
    ),
    Fault(
        name="bom",
        says="A byte order mark before the stream",
        verdict=Verdict.COMPLETE,
        behaviour=BehaviourSpec(bom=True),
    ),
    Fault(
        name="cr-only",
        says="Lines end with CR only",
        verdict=Verdict.COMPLETE,
        behaviour=BehaviourSpec(line_ends="cr"),
    ),
    Fault(
        name="crlf",
        says="Lines end with CRLF",
        verdict=Verdict.COMPLETE,
        behaviour=BehaviourSpec(line_ends="crlf"),
    ),
)
