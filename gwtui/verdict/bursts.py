"""Whether the short streams of an endpoint come at once because something holds them back: one of them proves nothing,
many in a row do."""

from __future__ import annotations

from collections import deque

from msgspec.structs import replace

from gwtui.model.enums import FindingName, Outcome
from gwtui.model.records import Finding, Ping, Request
from gwtui.verdict.buffering import LEAST_EVENTS, is_burst, is_unsure

PROOF = 10
"""The number of streams in a row: a model that is fast enough to write each of them into one packet would now and
then be between two."""


class Bursts:
    """Follows the streams of one endpoint, in their order."""

    def __init__(self) -> None:
        self._latest: deque[bool] = deque(maxlen=PROOF)
        """Of the latest streams that tell anything, whether each came at once."""

    def judged(self, result: Request | Ping) -> Request | Ping:
        """Take the next result, which comes back as `buffered` if it and those before are proof."""
        pace = result.pace if isinstance(result, Request) and result.outcome is Outcome.OK else None
        if pace is None or pace.events < LEAST_EVENTS or is_unsure(pace):
            return result
        self._latest.append(is_burst(pace))
        if len(self._latest) < PROOF or not all(self._latest):
            return result
        return replace(result, findings=tuple(_proved(finding) for finding in result.findings))


def _proved(finding: Finding) -> Finding:
    """The finding; one that has doubts without them."""
    if finding.name is not FindingName.AT_ONCE:
        return finding
    words = finding.evidence.partition(": held back")[0]
    return Finding(
        name=FindingName.BUFFERED,
        evidence=f"{words}, as did the {PROOF - 1} streams before",
        cause="A finished answer is replayed as a stream, or a proxy buffers the whole body.",
    )
