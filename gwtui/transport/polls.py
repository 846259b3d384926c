"""An event loop that notes when it looked at its sockets: bytes that one look did not find came after it.

What lies between that and the time at which bytes were read is the longest that they may have waited unread.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import selectors
import time
from weakref import WeakKeyDictionary

SLEPT_NS = 100_000
"""A look that took that long waited for something to come; what it found came then, and not before it."""
WAKING_NS = 200_000
"""What it takes to wake up on a processor that was idle, and to come back from the system."""
_SCHEDSTAT = "/proc/thread-self/schedstat"
"""Linux: the time this thread ran, the time it was ready to run and did not (in ns), and how often it ran."""


class RunDelay:
    """How long this thread was ready to run and did not. Its file stays open, so that a look at it takes 2 us."""

    def __init__(self) -> None:
        self._fd: int | None = None
        self._seen_ns = 0
        with contextlib.suppress(OSError):  # another system, or a sandbox that hides it
            self._fd = os.open(_SCHEDSTAT, os.O_RDONLY | os.O_CLOEXEC)
            self.since_last_ns()

    def since_last_ns(self) -> int | None:
        """Since this was called last; None where that is not known."""
        if self._fd is None:
            return None
        try:
            delay_ns = int(os.pread(self._fd, 100, 0).split()[1])
        except (OSError, ValueError, IndexError):
            self.close()
            return None
        self._seen_ns, passed_ns = delay_ns, delay_ns - self._seen_ns
        return passed_ns

    def close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


class Polls(selectors.DefaultSelector):
    """The system's selector, with the times of its looks, in monotonic ns."""

    def __init__(self) -> None:
        super().__init__()
        self._run_delay = RunDelay()
        self.known_ns = 0
        """A socket that waits to be read now had nothing unread then, or has been read since. That is the time of the
        look before the latest one; or, where the latest one slept, shortly before it was woken up."""
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
        if ready and now_ns - began_ns >= SLEPT_NS:
            self.known_ns = max(self.known_ns, woken_ns(began_ns, now_ns, self._run_delay.since_last_ns()))
        if now_ns - began_ns >= SLEPT_NS:
            self._overslept_ns = max(0, now_ns - due_ns) if timeout is not None else 0
        else:
            self._overslept_ns = now_ns - (self.known_ns or began_ns)
        self._returned_ns = now_ns
        return ready

    def close(self) -> None:
        super().close()
        self._run_delay.close()

    def late_ns(self, now_ns: int) -> int:
        """How late this loop is by now with what its latest look found: since that look, and how much that look was
        late itself."""
        return self._overslept_ns + now_ns - self._returned_ns


def woken_ns(began_ns: int, now_ns: int, run_delay_ns: int | None) -> int:
    """The earliest time at which something can have come that ended a look of that length; 0 where that is not known.

    A look that sleeps is woken up by the first thing that comes. From then on it lasts as long as the thread is ready
    to run and does not. One that lasted no longer than that may not have slept at all.
    """
    if run_delay_ns is None or now_ns - began_ns - run_delay_ns < SLEPT_NS:
        return 0
    return max(began_ns, now_ns - run_delay_ns - WAKING_NS)


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
