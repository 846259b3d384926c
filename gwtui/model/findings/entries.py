"""What one entry of the table of findings is, and the advice that several of them share."""

from __future__ import annotations

import msgspec

from gwtui.model.enums import Severity


class FindingEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about every finding of one name."""

    severity: Severity
    meaning: str
    """One sentence: what was seen."""
    cause: str
    """The likely cause, where a finding itself does not name a closer one."""
    remedy: str
    """What to do, in the imperative."""
    timed: bool = False
    """It is seen in times, so gwtui's own lateness may look like it: it does not count where they are in doubt."""


UNBUFFER = (
    "Disable buffering and compression of text/event-stream in every proxy on the way (nginx: `proxy_buffering "
    "off`, or let the gateway send `X-Accel-Buffering: no`), and flush after every event."
)
FORMAT = "Compare the named event with the API's documents: a client that follows them will fail there."


def info(meaning: str, cause: str, remedy: str, *, timed: bool = False) -> FindingEntry:
    """An entry that is worth knowing."""
    return FindingEntry(severity=Severity.INFO, meaning=meaning, cause=cause, remedy=remedy, timed=timed)


def warning(meaning: str, cause: str, remedy: str, *, timed: bool = False) -> FindingEntry:
    """An entry that users of the gateway notice."""
    return FindingEntry(severity=Severity.WARNING, meaning=meaning, cause=cause, remedy=remedy, timed=timed)
