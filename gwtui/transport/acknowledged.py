"""Whether the peer's kernel acknowledged a request that went into a kept connection.

A firewall or a NAT that forgot an idle connection drops what comes over it without a word. The peer's kernel
acknowledges within a round trip whatever its program does, so bytes that stay unacknowledged tell a dead connection
from a slow gateway. Only Linux says how much is unacknowledged (`StampedSocket.unacknowledged`); elsewhere nothing is
concluded.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable

from gwtui.transport.timestamps import StampedSocket

ACKNOWLEDGED_S = 2.0
"""How long the first acknowledgement may take. TCP has sent the bytes three or four times by then (RFC 6298)."""

_NO_LINGER = struct.pack("@ii", 1, 0)
"""Closing discards what was not acknowledged (socket(7)); else the kernel goes on sending it for many minutes."""
DELAYED_S = 0.5
"""How long a receiver may hold an acknowledgement back (RFC 1122 4.2.3.2)."""


class UnacknowledgedError(ConnectionError):
    """The peer's kernel acknowledged nothing of what was sent over a kept connection."""


def patience_s(deadline_s: float) -> float:
    """How long to wait for the first acknowledgement where an answer is due within `deadline_s`."""
    return min(ACKNOWLEDGED_S, max(DELAYED_S, deadline_s / 2))


class Acknowledgement:
    """Watches for the first acknowledgement of what is sent from now on.

    `fail` is called with an `UnacknowledgedError` once `wait_s` have passed without any.
    """

    def __init__(self, sock: StampedSocket, wait_s: float, fail: Callable[[UnacknowledgedError], None]) -> None:
        self._sock = sock
        self._wait_s = wait_s
        self._fail = fail
        self._sent_before = sock.sent_bytes
        self._timer = asyncio.get_running_loop().call_later(wait_s, self._look)

    def cancel(self) -> None:
        self._timer.cancel()

    def _look(self) -> None:
        sent = self._sock.sent_bytes - self._sent_before
        unacknowledged = self._sock.unacknowledged()
        if sent and unacknowledged is not None and unacknowledged >= sent:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            self._fail(UnacknowledgedError(f"nothing of the request was acknowledged within {self._wait_s:g} s"))
