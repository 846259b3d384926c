"""The thread that reads and writes the history, so that a slow disk delays no probe.

What cannot be written waits, and is tried again with the next batch; what it has to say of that it says once.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from gwtui.history.batch import Batch
from gwtui.history.database import DamagedError, HistoryError, UnusableError, put_aside
from gwtui.history.identity import EndpointIdentity
from gwtui.history.store import Store
from gwtui.history.usual import Acceptance, Past, first_hour
from gwtui.model.judged import ProbedEndpoint

log = logging.getLogger(__name__)

ALONE = "what is usual is learnt from this session alone"


class Known(msgspec.Struct, frozen=True):
    """What the history says of an endpoint, as it was asked."""

    key: ProbedEndpoint
    identity: EndpointIdentity
    past: Past


class AcceptedElsewhere(msgspec.Struct, frozen=True):
    """A change that was accepted by another program."""

    key: ProbedEndpoint
    acceptance: Acceptance


class HistoryTrouble(msgspec.Struct, frozen=True):
    """What the user has to know."""

    text: str


News = Known | AcceptedElsewhere | HistoryTrouble


class HistoryThread:
    """Enter it, `hand` batches in and `ask`; what comes of it is in `news`. Nothing of it blocks but `close`."""

    def __init__(self, path: Path, keep_days: float) -> None:
        """`keep_days`: what is older is forgotten, at the start and once a day; 0: nothing is."""
        self.news: deque[News] = deque()
        """To be taken from the left, by one thread."""
        self.busy = False
        """Whether it is at the disk."""
        self.rounds = 0
        """How often it has done all that there was to do."""
        self._path = path
        self._keep_hours = round(keep_days * 24)
        self._store: Store | None = None
        self._off = False
        self._said: set[str] = set()
        self._accepted: dict[EndpointIdentity, Acceptance | None] = {}
        self._lock = threading.Lock()
        self._waiting = Batch()
        self._asked: dict[ProbedEndpoint, EndpointIdentity] = {}
        self._hour = self._pruned = 0
        self._keys: Mapping[ProbedEndpoint, EndpointIdentity] = {}
        self._closing = False
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="history", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def hand(self, batch: Batch) -> None:
        """Have a batch written, and looked whether a change was accepted elsewhere."""
        with self._lock:
            self._waiting.merge(batch)
        self._wake.set()

    def ask(self, keys: Mapping[ProbedEndpoint, EndpointIdentity], hour: int) -> None:
        """Ask what is usual for these endpoints in that hour."""
        with self._lock:
            self._asked.update(keys)
            self._hour = hour
        self._wake.set()

    def follow(self, keys: Mapping[ProbedEndpoint, EndpointIdentity]) -> None:
        """Changes of these endpoints may be accepted elsewhere."""
        self._keys = keys

    def close(self, within_s: float) -> None:
        """Write what waits and end; what is not written by then is lost."""
        self._closing = True
        self._wake.set()
        self._thread.join(within_s)

    def _run(self) -> None:
        try:
            while not self._closing:
                self._wake.wait()
                self.busy = True
                self._wake.clear()
                self._round()
                self.rounds += 1
                self.busy = False
            self._guarded(self._write)  # what came during the last one
        finally:
            if self._store is not None:
                self._store.close()

    def _round(self) -> None:
        self._guarded(self._work)
        if self._hour >= self._pruned + 24 and not self._closing:
            self._pruned = self._hour
            self._guarded(self._prune)

    def _guarded(self, work: Callable[[Store], None]) -> None:
        """Do it, or say why not. A damaged file is put aside, and it is done with a new one."""
        for _ in range(2):
            if self._off:
                return
            try:
                if self._store is None:
                    self._store = Store(self._path)
                work(self._store)
            except UnusableError as error:
                self._off = True
                self._say(f"the history is off: {error}; {ALONE}")
            except DamagedError as error:
                self._begin_anew(error)
                continue
            except HistoryError as error:
                self._say(f"the history cannot be used just now: {error}; probing goes on")
            return

    def _begin_anew(self, error: DamagedError) -> None:
        store, self._store = self._store, None
        try:
            aside = put_aside(self._path, store.connection if store is not None else None)
        except HistoryError as worse:
            self._off = True
            self._say(f"the history is off: {error}, and cannot be put aside: {worse}; {ALONE}")
        else:
            if aside is not None:
                self._say(f"the history was damaged: it is kept as {aside}, and a new one begins")

    def _work(self, store: Store) -> None:
        self._write(store)
        while not self._closing and (asked := self._next()) is not None:
            key, identity, hour = asked
            self._accepted.setdefault(identity, self._acceptance(store, identity))
            self.news.append(Known(key, identity, store.past(identity, hour)))

    def _next(self) -> tuple[ProbedEndpoint, EndpointIdentity, int] | None:
        with self._lock:
            if not self._asked:
                return None
            key = next(iter(self._asked))
            return key, self._asked.pop(key), self._hour

    def _write(self, store: Store) -> None:
        with self._lock:
            batch, self._waiting = self._waiting, Batch()
        try:
            if batch:
                store.add(batch)
        except HistoryError:
            with self._lock:
                batch.merge(self._waiting)
                self._waiting = batch
            raise
        self._accepted.update(batch.accepted)
        self._look(store)

    def _look(self, store: Store) -> None:
        """Look whether a change was accepted elsewhere since it was looked last."""
        for key, identity in self._keys.items():
            acceptance = self._acceptance(store, identity)
            known = self._accepted.setdefault(identity, acceptance)
            if acceptance is not None and (known is None or acceptance.at > known.at):
                self._accepted[identity] = acceptance
                self.news.append(AcceptedElsewhere(key, acceptance))

    def _acceptance(self, store: Store, identity: EndpointIdentity) -> Acceptance | None:
        number = store.find(identity)
        return store.acceptance(number) if number is not None else None

    def _prune(self, store: Store) -> None:
        if self._keep_hours and (forgotten := store.prune(self._hour - self._keep_hours)):
            log.info("%d hours of endpoints were older than the history is kept: forgotten", forgotten)
        while not self._closing and store.coarsen(first_hour(self._hour) - 24):
            pass

    def _say(self, text: str) -> None:
        log.info("%s", text)
        if text not in self._said:
            self._said.add(text)
            self.news.append(HistoryTrouble(text))
