"""The gateway's application and its bare sockets on one event loop: the settings, and an end that comes at once."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from types import FrameType

import uvicorn

from gwtui.gateway.app import build_app
from gwtui.gateway.raw_sockets import RawServer
from gwtui.gateway.scenario import Scenario

_STDIN = 0
_KEEP_ALIVE_S = 75


class GatewayServer(uvicorn.Server):
    """A server that stops at once when asked to, with or without open streams. Signals are not errors."""

    def __init__(self, scenario: Scenario, raw: socket.socket, clock: Callable[[], float] | None = None) -> None:
        clock = clock if clock is not None else _clock_from_now()
        super().__init__(
            uvicorn.Config(
                build_app(scenario, clock, raw.getsockname()[1]),
                loop="asyncio",
                http="h11",
                ws="websockets-sansio",
                ws_per_message_deflate=False,
                lifespan="off",
                log_config=None,
                log_level="error",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=_KEEP_ALIVE_S,
                timeout_graceful_shutdown=0,
            )
        )

        self._raw = RawServer(scenario, clock)
        self._raw_listener = raw
        self.stopped_by: int | None = None

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        async with self._raw.listening(self._raw_listener):
            await super().serve(sockets)

    def stop(self) -> None:
        """End serving, from any thread or signal handler."""
        # Streams that are cut by the end of the server are not worth a traceback each.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        self.should_exit = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.stopped_by = sig
        self.stop()


def host_gateway(
    listener: socket.socket, raw: socket.socket, scenario: Scenario, *, stop_with_stdin: bool
) -> int | None:
    """Serve the scenario on two listening sockets until told to stop. Returns the number of the signal that did."""
    server = GatewayServer(scenario, raw)
    if stop_with_stdin:
        threading.Thread(target=_stop_at_end_of_stdin, args=(server,), daemon=True).start()
    asyncio.run(server.serve([listener]))
    return server.stopped_by


def _clock_from_now() -> Callable[[], float]:
    start = time.monotonic()
    return lambda: time.monotonic() - start


def _stop_at_end_of_stdin(server: GatewayServer) -> None:
    # Read below `sys.stdin`: a thread that waits inside its buffer would disturb the interpreter's end.
    try:
        while os.read(_STDIN, 4096):
            pass
    except OSError:
        pass
    server.stop()
