"""An event loop that notes when it looked at its sockets: bytes that one look did not find came after it.

What lies between that and the time at which bytes were read is the longest that they may have waited unread.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from weakref import WeakKeyDictionary

SLEPT_NS = 100_000
"""A look that took that long waited for something to come; what it found came then, and not before it."""


class Polls(selectors.DefaultSelector):
    """The system's selector, with the times of its looks, in monotonic ns."""

    def __init__(self) -> None:
        super().__init__()
        self.known_ns = 0
        """Of the look before the latest one: a socket that waits to be read now had nothing unread then, or has been
        read since."""
        self._last_ns = 0
        self._returned_ns = 0
        self._overslept_ns = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        began_ns = time.perf_counter_ns()
        ready = super().select(timeout)
        now_ns = time.perf_counter_ns()
        due_ns = began_ns + int(timeout * 1e9) if timeout is not None and timeout > 0 else began_ns
        # A look that found nothing found it at its end, however late this process was told so.
        self.known_ns, self._last_ns = self._last_ns, began_ns if ready else due_ns
        if now_ns - began_ns >= SLEPT_NS:
            self._overslept_ns = max(0, now_ns - due_ns) if timeout is not None else 0
        else:
            self._overslept_ns = now_ns - (self.known_ns or began_ns)
        self._returned_ns = now_ns
        return ready

    def late_ns(self, now_ns: int) -> int:
        """How late this loop is by now with what its latest look found: since that look, and how much that look was
        late itself."""
        return self._overslept_ns + now_ns - self._returned_ns


_polls: WeakKeyDictionary[asyncio.AbstractEventLoop, Polls] = WeakKeyDictionary()


def new_loop() -> asyncio.AbstractEventLoop:
    """An event loop whose looks are noted."""
    polls = Polls()
    loop = asyncio.SelectorEventLoop(polls)
    _polls[loop] = polls
    return loop


def running_polls() -> Polls | None:
    """Those of the running loop; None where it is of another make."""
    try:
        return _polls.get(asyncio.get_running_loop())
    except RuntimeError:
        return None
