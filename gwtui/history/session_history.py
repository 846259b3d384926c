"""What a session remembers of earlier ones, and adds for later ones."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Self

from gwtui.history.history_thread import AcceptedElsewhere, HistoryThread, HistoryTrouble, Known, News
from gwtui.history.identity import EndpointIdentity
from gwtui.history.usual import hour_of
from gwtui.history.usual_tracker import UsualTracker
from gwtui.model.judged import LogEntry, ProbedEndpoint, Usual
from gwtui.model.records import Heartbeat, Notice, ProfileChanged, Record, SessionStarted
from gwtui.text.sanitize import clean

WRITE_S = 60.0
"""Results are added to the history this often; a kill costs at most those of one such time."""
CLOSE_S = 2.0
KEEP_DAYS = 400.0

Told = Usual | LogEntry | Notice


class SessionHistory:
    """Enter it, show it every record, tell what it says, leave it: then what could be written is."""

    def __init__(self, history: Path | None, *, keep_days: float = KEEP_DAYS, close_s: float = CLOSE_S) -> None:
        """`history`: the file; None: what is usual is learnt from this session alone."""
        self.notes: deque[str] = deque()
        """What other threads have for the log, to be added at the right."""
        self.tracker = UsualTracker(remembers=history is not None)
        self._thread = HistoryThread(history, keep_days) if history is not None else None
        self._close_s = close_s
        self._keys: dict[ProbedEndpoint, EndpointIdentity] = {}
        self._hour = 0
        self._handed_at = 0.0
        self._rounds = 0
        """The thread's rounds when it got something last."""
        self._told_silence = False

    def __enter__(self) -> Self:
        if self._thread is not None:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread is not None:
            self._thread.hand(self.tracker.ended())
        self.close(self._close_s)

    def close(self, within_s: float) -> None:
        """Write what was handed in by now. May be called again, and from any thread."""
        if self._thread is not None:
            self._thread.close(within_s)

    def apply(self, record: Record) -> list[Told]:
        """Take the next record, those included that judging makes. Never blocks; gives what it has to say."""
        told: list[Told] = [*self.tracker.apply(record)]
        while self.notes:
            told += self._say(self.notes.popleft())
        thread = self._thread
        if thread is None:
            return told
        while thread.news:
            told += self._heard(thread.news.popleft())
        if isinstance(record, SessionStarted | ProfileChanged | Heartbeat):
            self._ask(thread)
            told += self._hand(thread)
        elif isinstance(record, LogEntry) and record.kind == "state":
            thread.hand(self.tracker.taken())  # an incident that others may ask about, and accept
        return told

    def _heard(self, news: News) -> list[Told]:
        match news:
            case Known():
                return [*self.tracker.know(news.key, news.identity, news.past)]
            case AcceptedElsewhere():
                if self._thread is not None and (identity := self._keys.get(news.key)) is not None:
                    self._thread.ask({news.key: identity}, self._hour)
                return [*self.tracker.accept(news.key, news.acceptance)]
            case HistoryTrouble():
                return self._say(news.text)

    def _ask(self, thread: HistoryThread) -> None:
        """Ask for what is usual in each hour anew, and for endpoints that are new."""
        keys, hour = self.tracker.identities, hour_of(self.tracker.now)
        new = {key: identity for key, identity in keys.items() if hour != self._hour or self._keys.get(key) != identity}
        self._keys, self._hour = keys, hour
        if new:
            thread.follow(keys)
            thread.ask(new, hour)

    def _hand(self, thread: HistoryThread) -> list[Told]:
        now = self.tracker.now
        if not self._handed_at:
            self._handed_at = now
        if abs(now - self._handed_at) < WRITE_S:
            return []
        self._handed_at = now
        is_silent, self._rounds = thread.busy and thread.rounds == self._rounds, thread.rounds
        thread.hand(self.tracker.taken())
        if is_silent and not self._told_silence:
            self._told_silence = True
            return self._say("the disk of the history has not answered for a minute; probing goes on")
        return []

    def _say(self, text: str) -> list[Told]:
        """In the log, and seen at once."""
        at, now_ns = self.tracker.now, self.tracker.now_ns
        text = clean(text, 400)
        return [LogEntry(at=at, now_ns=now_ns, kind="engine", text=text), Notice(now_ns=now_ns, text=text)]
