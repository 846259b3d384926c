"""What each finding means, how much it matters, its likely cause, and what to do about it.

One entry per name of `FindingName`, in the order of the names, in a table per theme. A finding never makes a result
bad: that is for verdicts.
"""

from __future__ import annotations

from gwtui.model.enums import FindingName
from gwtui.model.findings.connections import CONNECTIONS
from gwtui.model.findings.delivery import DELIVERY, GATEWAYS
from gwtui.model.findings.entries import FORMAT, UNBUFFER, FindingEntry, info
from gwtui.model.findings.streams import STREAMS

__all__ = ["FINDINGS", "FORMAT", "UNBUFFER", "UNKNOWN", "FindingEntry", "entry_of"]

FINDINGS: dict[FindingName, FindingEntry] = {**DELIVERY, **GATEWAYS, **STREAMS, **CONNECTIONS}

UNKNOWN = info(
    "A finding that this version of gwtui does not know.",
    "The session was recorded by another version.",
    "Look it up in the README of the version that recorded the session.",
)


def entry_of(name: FindingName) -> FindingEntry:
    """What is known about findings of that name; of a name from another version, that it is one."""
    return FINDINGS.get(name, UNKNOWN)
