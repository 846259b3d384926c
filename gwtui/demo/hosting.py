"""The gateway's application on its server: the settings, and an end that comes at once."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from gwtui.demo.app import build_app
from gwtui.demo.scenario import Scenario

_STDIN = 0
_KEEP_ALIVE_S = 75


class GatewayServer(uvicorn.Server):
    """A server that ends within a moment of being told to, open streams or not, and calls no signal an error."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(
            uvicorn.Config(
                app,
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

    def stop(self) -> None:
        """End serving, from any thread or signal handler."""
        # Streams that are cut by the end of the server are not worth a traceback each.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        self.should_exit = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.stop()


def host_gateway(listener: socket.socket, scenario: Scenario, *, stop_with_stdin: bool) -> None:
    """Serve the scenario on a listening socket until told to stop."""
    server = GatewayServer(build_app(scenario))
    if stop_with_stdin:
        threading.Thread(target=_stop_at_end_of_stdin, args=(server,), daemon=True).start()
    asyncio.run(server.serve(sockets=[listener]))


def _stop_at_end_of_stdin(server: GatewayServer) -> None:
    # Read below `sys.stdin`: a thread that waits inside its buffer would disturb the interpreter's end.
    try:
        while os.read(_STDIN, 4096):
            pass
    except OSError:
        pass
    server.stop()
