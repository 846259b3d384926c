"""An engine's standard output: a thread writes it, so that a pipe without a reader never delays a probe."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

from gwtui.codec.wire import WireError, encode
from gwtui.model.records import Heartbeat, Record, RequestStarted, StreamAlive, StreamRead
from gwtui.recorder.disk import write_all

log = logging.getLogger(__name__)

GATHER_S = 0.04
"""Stream events are written at most this often; a result is written at once, with all that came before it."""
MAX_WAITING = 2_000
"""Records that may wait; beyond it stream events are dropped and counted, and nothing else is."""
BATCH = 256
"""Records in one write. With more waiting, results overtake stream events."""
CLOSE_S = 2.0
"""How long the end waits for a reader that does not read."""


class RecordWriter:
    """Writes records as lines. Enter it, `put` records from one thread, leave it: then what could be written is."""

    def __init__(self, fd: int, broken: Callable[[], None]) -> None:
        self.events_dropped = 0
        self._fd = fd
        self._on_broken = broken
        self._waiting: deque[Record] = deque()
        self._overtaken: deque[Record] = deque()
        """Stream events of a backlog, while results go first."""
        self._news, self._urgent = threading.Event(), threading.Event()
        self._closing = self._broken = False
        self._thread = threading.Thread(target=self._run, name="record-writer", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing = True
        self._news.set()
        self._urgent.set()
        self._thread.join(CLOSE_S)

    def put(self, record: Record) -> None:
        """Take a record. Never blocks, never raises."""
        if self._broken:
            return
        full = len(self._waiting) + len(self._overtaken) >= MAX_WAITING
        match record:
            case StreamRead() if full:
                self.events_dropped += len(record.events)
                return
            case Heartbeat() | StreamAlive() if full:
                return
            case StreamRead() | StreamAlive() | Heartbeat() | RequestStarted():
                pass
            case _:
                self._urgent.set()
        self._waiting.append(record)
        if not self._news.is_set():
            self._news.set()

    def _run(self) -> None:
        try:
            while not self._closing:
                self._news.wait()
                self._urgent.wait(GATHER_S)
                self._news.clear()
                self._urgent.clear()
                self._write_waiting()
            self._write_waiting()
        except OSError as error:
            self._broken = True
            self._waiting.clear()
            self._overtaken.clear()
            log.info("the reader of the records has gone: %s", error)
            self._on_broken()

    def _write_waiting(self) -> None:
        while self._waiting or self._overtaken:
            taken = _taken(self._waiting, len(self._waiting))
            if len(taken) <= BATCH and not self._overtaken:
                self._write(taken)
                continue
            self._overtaken.extend(record for record in taken if isinstance(record, StreamRead))
            self._write(record for record in taken if not isinstance(record, StreamRead))
            self._write(_taken(self._overtaken, BATCH))

    def _write(self, records: Iterable[Record]) -> None:
        write_all(self._fd, b"".join(map(_line, records)))


def _taken(records: deque[Record], limit: int) -> list[Record]:
    return [records.popleft() for _ in range(min(limit, len(records)))]


def _line(record: Record) -> bytes:
    try:
        return encode(record)
    except WireError as error:
        log.warning("left out: %s", error)
        return b""
