"""Where the records of a session come together: what they mean is added to them, and all of it is handed out."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable

from gwtui.engine import Figures
from gwtui.health.health import Health
from gwtui.history import SessionHistory
from gwtui.model.judged import LogEntry
from gwtui.model.profile import Profile
from gwtui.model.records import Heartbeat, Notice, Record
from gwtui.recorder import Recorder, RecorderStatus
from gwtui.text.sanitize import clean


class RecordPipeline:
    """`put` every record, in the order in which they come. After each come the entries that it makes in the log, and
    what has become usual by it.

    They go to `deliver`, and to the recorder of the session's directory if it has one.
    """

    def __init__(
        self, profile: Profile, deliver: Callable[[Record], None], dropped: Callable[[], int] = lambda: 0
    ) -> None:
        """`dropped`: how many stream events were left out of what was delivered."""
        self.recorder: Recorder | None = None
        self.history = SessionHistory(None)
        self._health = Health(profile)
        self._deliver = deliver
        self._dropped = dropped

    def put(self, record: Record) -> None:
        """Hand a record out. Never blocks, never raises."""
        waiting: deque[Record] = deque((record,))
        while waiting:
            each = waiting.popleft()
            self._hand_out(each)
            waiting += self._enter(self._health.apply(each))
            waiting += self._notes(each)
            waiting += self.history.apply(each)

    def end(self) -> None:
        """Hand out the entries of records that wait for those of other places: there are no more."""
        for record in self._enter(self._health.rest()):
            self.put(record)

    def accept(self, endpoint: str) -> None:
        """Let what this endpoint does now, as seen from all places, be what is usual for it; or say why not."""
        tracker = self.history.tracker
        keys = [key for key in tracker.identities if key[1] == endpoint]
        for key in keys:
            for record in tracker.accept(key):
                self.put(record)
        if not keys:
            self.put(Notice(now_ns=tracker.now_ns, text=f"There is no endpoint {clean(endpoint)!r}"))

    def flush(self, within_s: float) -> None:
        """Write the rows that wait, and with what is left of that time the history."""
        until_s = time.monotonic() + within_s
        if self.recorder is not None:
            self.recorder.close(within_s)
        self.history.close(max(0.0, until_s - time.monotonic()))

    def figures(self) -> Figures:
        """What a heartbeat says of the rows and the events."""
        status = self.recorder.status() if self.recorder is not None else RecorderStatus()
        return Figures(
            rows_written=status.rows_written,
            rows_waiting=status.rows_waiting,
            rows_lost=status.rows_lost,
            recorder_error=status.error,
            events_dropped=self._dropped(),
        )

    def _notes(self, record: Record) -> list[Record]:
        """What the recorder's thread has to say, told with the next heartbeat."""
        if self.recorder is None or not isinstance(record, Heartbeat):
            return []
        notes = self.recorder.notes
        return [Notice(now_ns=record.now_ns, text=notes.popleft()) for _ in range(len(notes))]

    def _enter(self, entries: Iterable[LogEntry]) -> list[Record]:
        """Hand out entries of the log; gives what has become usual by them."""
        usual: list[Record] = []
        for entry in entries:
            self._hand_out(entry)
            usual += self.history.apply(entry)
        return usual

    def _hand_out(self, record: Record) -> None:
        if self.recorder is not None:
            self.recorder.put(record)
        self._deliver(record)
