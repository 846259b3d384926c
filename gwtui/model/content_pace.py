"""How the generated content of a stream was spread over reads of the socket. Counted once, where the stream is read."""

from __future__ import annotations

import msgspec


class ContentPace(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Durations in ns; those of moments count from the send. Events of one read share its stamp, so gaps are between
    reads."""

    events: int
    """Events with content."""
    reads: int
    """Reads that held any of them."""
    biggest_read: int
    """The largest number of them in one read."""
    first_ns: int
    """When the first came: TTFT."""
    last_ns: int
    """When the last came."""
    end_ns: int
    """When the stream ended."""
    gaps: tuple[int, int, int] = (0, 0, 0)
    """p10, p50 and p90 of the times between two of those reads."""
    longest_gap_ns: int = 0
    sizes: tuple[int, int, int] = (0, 0, 0)
    """p10, p50 and p90 of the bytes in such a read."""
    late_reads: int = 0
    """Reads that were late themselves, so that what they brought together may have come apart: see
    `verdict.buffering.is_late`."""
    late_events: int = 0
    """Events with content in those reads."""
    visible_ns: int | None = None
    """When the first came that was no reasoning: TTFO."""
    visible_reads: int = 0
    """Reads with content from then on."""
    characters: int = 0
    """Of all content; 0 where they were not counted."""
    visible_characters: int = 0
    """Of all that is no reasoning."""

    @property
    def has_reasoning(self) -> bool:
        """Whether some of it was reasoning."""
        return self.characters > self.visible_characters

    def shared_by(self, models: int) -> ContentPace:
        """The same for one of several models that write side by side: their chunks come in one read without anything
        that holds them back."""
        share = max(1, models)
        events, most = max(1, self.events // share), max(1, self.biggest_read // share)
        return msgspec.structs.replace(self, events=events, biggest_read=most, late_events=self.late_events // share)

    @property
    def events_per_read(self) -> float:
        """Without the reads that were late, whose events gwtui itself may have put together."""
        return (self.events - self.late_events) / max(1, self.reads - self.late_reads)

    @property
    def spread_ns(self) -> int:
        """From the first content to the last."""
        return self.last_ns - self.first_ns

    @property
    def usual_gap_ns(self) -> int:
        """The median gap; 0 with a single read."""
        return self.gaps[1]
