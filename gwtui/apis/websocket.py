"""WebSocket pings: a text frame out, the expected text frame back. No model is involved."""

from __future__ import annotations

from gwtui.apis.asking import join_url, key_header, with_scheme
from gwtui.apis.base import AskError
from gwtui.profile import Endpoint
from gwtui.words import Kind


class WebSocketPing:
    name = "websocket"
    kind = Kind.WEBSOCKET
    title = "WebSocket ping"
    default_path = ""
    default_frame = "ping"
    default_answer = "pong"

    def url(self, endpoint: Endpoint) -> str:
        """`http` becomes `ws`, `https` becomes `wss`. Raises `AskError`."""
        return with_scheme(join_url(endpoint.url, endpoint.path, self.default_path), "ws", "wss")

    def headers(self, endpoint: Endpoint, key: str | None) -> tuple[tuple[str, str], ...]:
        """What the handshake carries for the key."""
        return key_header(endpoint, key, "bearer")

    def frame(self, endpoint: Endpoint) -> str:
        """The text to send. Raises `AskError`."""
        if endpoint.body is None:
            return self.default_frame
        if not isinstance(endpoint.body, str):
            raise AskError("`body` has to be a text for `api = 'websocket'`: the frame to send")
        return endpoint.body

    def expected(self, endpoint: Endpoint) -> str:
        """The text that has to come back, exactly."""
        return self.default_answer if endpoint.expect is None else endpoint.expect


WEBSOCKET = WebSocketPing()
