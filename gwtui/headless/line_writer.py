"""Lines are said in a thread of their own: a reader who stops, as a terminal does after Ctrl-S, holds up no probe."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

MAX_WAITING = 20_000
"""Lines that may wait to be said. Then who has more to say waits too, and no line is lost."""


class LineWriter:
    """Enter it, call it with each line, leave it: then all is said. What saying raises comes out of a later call."""

    def __init__(self, say: Callable[[str | bytes], None]) -> None:
        self._say = say
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="voice")
        self._waiting: deque[Future[None]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown()
        if error is None:
            for each in self._waiting:
                each.result()

    def __call__(self, line: str | bytes) -> None:
        self._waiting.append(self._thread.submit(self._say, line))
        while self._waiting and (self._waiting[0].done() or len(self._waiting) > MAX_WAITING):
            self._waiting.popleft().result()
