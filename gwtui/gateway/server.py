"""`gwtui gateway`: the embedded gateway on a socket of this process.

The socket listens before the web framework is imported, so that the port is known at once and clients that are early
wait in the backlog.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

from gwtui.gateway.scenario import Scenario

_BACKLOG = 2048


def serve(
    host: str,
    port: int,
    scenario: Scenario,
    ready: Callable[[int], None],
    *,
    raw_port: int = 0,
    raw_ready: Callable[[int], None] | None = None,
    stop_with_stdin: bool = False,
) -> int | None:
    """Serve until SIGTERM or SIGINT, whose number is returned, or with `stop_with_stdin` until standard input ends.

    `raw_ready`, then `ready` are told their port as soon as both are bound: `raw_port` is the one of the bare sockets.
    Raises `OSError` when one cannot be bound.
    """
    with listen(host, port) as listener, listen(host, raw_port) as raw:
        if raw_ready is not None:
            raw_ready(raw.getsockname()[1])
        ready(listener.getsockname()[1])
        from gwtui.gateway.hosting import host_gateway

        return host_gateway(listener, raw, scenario, stop_with_stdin=stop_with_stdin)


def listen(host: str, port: int) -> socket.socket:
    """A listening TCP socket. Raises `OSError`."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":  # elsewhere the option would let two servers share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener
