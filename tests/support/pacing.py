"""How the content of a stream was spread over reads, in whole milliseconds."""

from __future__ import annotations

from gwtui.model.content_pace import ContentPace

MS = 1_000_000


def pace(
    events: int, reads: int, biggest: int, first: int, last: int, end: int, late_reads: int = 0, late_events: int = 0
) -> ContentPace:
    return ContentPace(
        events=events,
        reads=reads,
        biggest_read=biggest,
        first_ns=first * MS,
        last_ns=last * MS,
        end_ns=end * MS,
        late_reads=late_reads,
        late_events=late_events,
    )
