"""What clock reads have on this machine."""

from __future__ import annotations

import contextlib
import functools
import socket
import sys

from gwtui.model.enums import Clock
from gwtui.transport.timestamps import NetClock, StampedSocket


@functools.cache
def expected_clock() -> Clock:
    """The kernel's on Linux, once it has begun to stamp (it takes a moment after the first socket that asks for it)."""
    if sys.platform != "linux":
        return Clock.USER
    with socket.create_server(("127.0.0.1", 0)) as listener, StampedSocket(socket.AF_INET, NetClock()) as sock:
        sock.setblocking(True)
        sock.connect(listener.getsockname())
        peer, _ = listener.accept()
        with peer, contextlib.suppress(TimeoutError):
            for _ in range(100_000):
                peer.sendall(b"x")
                sock.recv(1)
                if sock.last_read_clock is Clock.KERNEL:
                    break
    return Clock.KERNEL
