"""The banner: gwtui's own trouble, such as rows that are not written or a silent feed."""

from __future__ import annotations

from gwtui.model.records import FeedEnded, FeedSilent, Heartbeat
from gwtui.text import units


class Trouble:
    """Follows heartbeats, and the silence and the end of the feed."""

    def __init__(self) -> None:
        self._beat: Heartbeat | None = None
        self._since: float | None = None
        self._end: FeedEnded | None = None
        self._silent_ns: int | None = None

    @property
    def ended(self) -> bool:
        return self._end is not None

    @property
    def silent(self) -> bool:
        """Measuring has stopped: the feed is silent or broke."""
        return self._silent_ns is not None or (self._end is not None and self._end.failed)

    def banner(self, *, utc: bool = True) -> str:
        """Empty when all is well."""
        return " · ".join(part for part in (self._feed(utc=utc), self._recorder(utc=utc)) if part)

    @property
    def unwritten(self) -> str:
        """Why not a single row is on the disk; empty where one is, and where there was nothing to write."""
        beat = self._beat
        if beat is None or beat.rows_written or not (beat.rows_lost or beat.recorder_error):
            return ""
        return beat.recorder_error or "all of them were lost"

    @property
    def rows_lost(self) -> int:
        return self._beat.rows_lost if self._beat is not None else 0

    def beat(self, beat: Heartbeat) -> None:
        if not beat.recorder_error:
            self._since = None
        elif self._since is None:
            self._since = beat.at
        self._beat = beat

    def hear(self, silence: FeedSilent | None) -> None:
        """Of a silence, or of anything else, which ends it."""
        self._silent_ns = None if silence is None else silence.silent_ns

    def end(self, end: FeedEnded) -> None:
        self._end = end

    def _feed(self, *, utc: bool) -> str:
        if self._silent_ns is not None:
            of = "it has not started"
            if self._beat is not None:
                of = f"figures are of {units.zoned_clock(self._beat.at, utc=utc)}, states unknown"
            return f"engine silent for {units.elapsed(self._silent_ns)}: {of}"
        if self._end is None or not self._end.failed:
            return ""
        lines = [line.strip() for line in self._end.detail.splitlines() if line.strip()]
        return f"{self._end.text}: {lines[-1]}" if lines else self._end.text

    def _recorder(self, *, utc: bool) -> str:
        beat = self._beat
        if beat is None:
            return ""
        if self._since is None:
            return f"CSV lacks {units.many(beat.rows_lost, 'row')} that could not be written" if beat.rows_lost else ""
        parts = [f"CSV not written since {units.zoned_clock(self._since, utc=utc)} ({beat.recorder_error})"]
        if beat.rows_waiting:
            parts.append(f"{units.many(beat.rows_waiting, 'row')} waiting")
        if beat.rows_lost:
            parts.append(f"{units.count(beat.rows_lost)} lost")
        return ", ".join(parts)
