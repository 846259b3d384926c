"""The embedded gateway in a thread of the test, its clock where the test puts it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from websockets.sync.client import ClientConnection, connect

from gwtui.gateway.hosting import GatewayServer
from gwtui.gateway.process import listen
from gwtui.gateway.scenario import parse_scenario


@dataclass
class Gateway:
    """The gateway under test; its clock stands still where a test puts it."""

    url: str
    raw_url: str
    server: GatewayServer
    clock: list[float] = field(default_factory=lambda: [0.0])

    @contextmanager
    def at(self, seconds: float) -> Iterator[None]:
        self.clock[0] = seconds
        try:
            yield
        finally:
            self.clock[0] = 0.0

    def websocket(self, path: str, headers: dict[str, str] | None = None) -> ClientConnection:
        url = self.url.replace("http", "ws") + path
        return connect(url, compression=None, proxy=None, additional_headers=headers)


@contextmanager
def serving(scenario: str) -> Iterator[Gateway]:
    """A gateway that plays the scenario, a text in TOML."""
    clock = [0.0]
    with listen("127.0.0.1", 0) as listener, listen("127.0.0.1", 0) as raw:
        server = GatewayServer(parse_scenario(scenario), raw, lambda: clock[0])
        url, raw_url = (f"http://127.0.0.1:{sock.getsockname()[1]}" for sock in (listener, raw))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            yield Gateway(url, raw_url, server, clock)
        finally:
            server.stop()
            thread.join(10)
            assert not thread.is_alive()


def comes_true(condition: Callable[[], bool]) -> bool:
    """Whether the condition comes true within ten seconds."""
    deadline = time.monotonic() + 10
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
