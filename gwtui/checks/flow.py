"""How the content of a stream flowed: how much came in how many reads, and the gaps between them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from gwtui.checks.evidence import Probed


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Times count from the send, in ns."""

    events: int
    """Events with content."""
    reads: int
    """Reads of the socket that held any of them."""
    first_ns: int
    last_ns: int
    usual_gap_ns: int
    """The median of the gaps between those reads; 0 with a single read."""
    longest_gap_ns: int

    @property
    def spread_ns(self) -> int:
        return self.last_ns - self.first_ns


def flow_of(probed: Probed) -> Flow | None:
    """None for a stream without content."""
    reads = [
        (read.since_sent_ns, content)
        for read in probed.reads
        if (content := sum(event.kind.is_content for event in read.events))
    ]
    if not reads:
        return None
    gaps = [later - earlier for (earlier, _), (later, _) in pairwise(reads)]
    return Flow(
        events=sum(content for _, content in reads),
        reads=len(reads),
        first_ns=reads[0][0],
        last_ns=reads[-1][0],
        usual_gap_ns=round(median(gaps)) if gaps else 0,
        longest_gap_ns=max(gaps, default=0),
    )


def longest_of(probed: Iterable[Probed]) -> tuple[Probed, Flow] | None:
    """The stream with the most content, which tells most about pace; None where no stream had any."""
    flows = [(each, flow) for each in probed if (flow := flow_of(each)) is not None]
    return max(flows, key=lambda pair: pair[1].events, default=None)
