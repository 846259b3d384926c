"""What goes wrong with several models in one stream."""

from __future__ import annotations

from gwtui.gateway.fault import Fault, api_fault, broken_off
from gwtui.model.enums import FindingName
from gwtui.model.verdicts import Verdict

COMPARE = (
    *broken_off("compare-stream", "compare", "`complete`"),
    api_fault(
        "compare-stream",
        "compare",
        "sequential",
        "The models answer one after another",
        Verdict.COMPLETE,
        sequential=True,
        tokens=6,
        gap_ms=20.0,
        findings=(FindingName.SEQUENTIAL,),
    ),
    Fault(
        name="unknown-compare",
        says="One of the models does not exist, and fails alone",
        verdict=Verdict.COMPLETE,
        reason="1 of 2",
        findings=(FindingName.MODEL_FAILED,),
        api="compare-stream",
        asks={"model": "gpt-4o-mini,no-such-model"},
    ),
)
