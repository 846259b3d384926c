"""What comes over a WebSocket, taken as it comes, so that nothing piles up between two pings.

A connection that is not read stops receiving, and then does not answer the peer's pings either, which would hang up.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from gwtui.model.enums import Clock
from gwtui.transport.timestamps import StampedSocket

MOST_AT_ONCE = 64
"""The number of messages in a row after which other tasks have their turn."""


@dataclass(frozen=True, slots=True)
class ReceivedFrame:
    """A message or, as bytes, the payload of a pong."""

    data: str | bytes
    is_pong: bool
    stamp_ns: int
    clock: Clock
    error_ns: int = 0
    """How far the stamp may be from when it came."""

    @property
    def in_bytes(self) -> bytes:
        return self.data.encode("utf-8", "replace") if isinstance(self.data, str) else self.data


class FrameInbox:
    """Of one connection. What comes without a listener is dropped."""

    def __init__(self) -> None:
        self.heard_unsolicited = False
        """Whether a message came without a listener."""
        self._stamps: StampedSocket | None = None
        self._reading: asyncio.Task[None] | None = None
        self._closed: ConnectionClosed | None = None
        self._is_answer: Callable[[ReceivedFrame], bool] = lambda _: False
        self._answer: asyncio.Future[ReceivedFrame] | None = None

    def follow(self, socket: ClientConnection, stamps: StampedSocket) -> None:
        """Read from this connection until it is closed."""
        self._stamps = stamps
        self._reading = asyncio.create_task(self._read(socket))

    def listen(self, is_answer: Callable[[ReceivedFrame], bool]) -> asyncio.Future[ReceivedFrame]:
        """The first that comes from now on and is the answer. The end of the connection raises `ConnectionClosed`."""
        self._is_answer, self._answer = is_answer, asyncio.get_running_loop().create_future()
        if self._closed is not None:
            self._answer.set_exception(self._closed)
        return self._answer

    def shut(self) -> None:
        """Listen no longer."""
        answer, self._answer = self._answer, None
        if answer is not None and not answer.cancel() and not answer.cancelled():
            answer.exception()  # seen, so that the event loop does not tell of it

    def take_pong(self, payload: bytes) -> None:
        """A pong came."""
        self._take(payload, is_pong=True)

    async def _read(self, socket: ClientConnection) -> None:
        taken = 0
        try:
            while True:
                self._take(await socket.recv(), is_pong=False)
                taken += 1
                if taken % MOST_AT_ONCE == 0:
                    await asyncio.sleep(0)
        except ConnectionClosed as error:
            self._closed = error
            if self._answer is not None and not self._answer.done():
                self._answer.set_exception(error)

    def _take(self, data: str | bytes, *, is_pong: bool) -> None:
        if self._answer is None or self._answer.done():
            self.heard_unsolicited |= not is_pong
            return
        arrival = ReceivedFrame(data, is_pong, *self._stamp())
        if self._is_answer(arrival):
            self._answer.set_result(arrival)

    def _stamp(self) -> tuple[int, Clock, int]:
        """When what was just received came. An event loop that reads by itself leaves no stamps."""
        if self._stamps is not None and self._stamps.reads:
            return self._stamps.last_read_ns, self._stamps.last_read_clock, self._stamps.last_read_error_ns
        return time.perf_counter_ns(), Clock.USER, 0
