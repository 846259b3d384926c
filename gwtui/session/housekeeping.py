"""Old sessions are removed while a new one begins: in a thread, because a disk may be slow."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Self

from gwtui.model.commands import Upkeep
from gwtui.recorder.pruning import prune_sessions, word_of
from gwtui.recorder.session_dirs import SESSIONS

log = logging.getLogger(__name__)


class Housekeeping:
    """Enter it when a session begins, leave it at the end, which does not wait for it."""

    def __init__(self, upkeep: Upkeep, session_dir: str | None, notes: deque[str]) -> None:
        """`notes` gets what the user should know of it, added by another thread."""
        self._upkeep = upkeep
        self._name = Path(session_dir).name if session_dir is not None else ""
        self._notes = notes
        self._stopped = threading.Event()

    def __enter__(self) -> Self:
        threading.Thread(target=self._run, name="housekeeping", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()

    def _run(self) -> None:
        sessions, days, gb = Path(self._upkeep.state) / SESSIONS, self._upkeep.sessions_days, self._upkeep.sessions_gb
        try:
            pruned = prune_sessions(
                sessions, now=time.time(), keep_days=days, keep_gb=gb, but=self._name, stopped=self._stopped.is_set
            )
        except OSError as error:
            log.info("the sessions in %s cannot be looked through: %s", sessions, error)
            return
        if word := word_of(pruned, sessions, limited=bool(days or gb)):
            self._notes.append(word)
