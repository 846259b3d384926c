"""WebSocket pings: a message out and the expected one back, or a protocol ping and its pong. No model is involved."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gwtui.apis.addresses import join_url
from gwtui.apis.base import AskError
from gwtui.apis.expect import Expectation, ExpectError, expectation
from gwtui.apis.requests import key_header, with_scheme
from gwtui.model.enums import Kind
from gwtui.model.profile import Endpoint

SUBPROTOCOLS = "sec-websocket-protocol"
"""The header that offers subprotocols (RFC 6455 11.3.4), in lower case."""
MAX_PAYLOAD_BYTES = 125
"""RFC 6455 5.5: what a control frame may carry."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""RFC 9110 5.6.2."""


class WebSocketPing:
    """What to send over a WebSocket, and what has to come back."""

    name = "websocket"
    kind = Kind.WEBSOCKET
    title = "WebSocket ping"
    default_path = ""
    default_frame = "ping"
    default_answer = "pong"

    def url(self, endpoint: Endpoint) -> str:
        """`http` becomes `ws`, `https` becomes `wss`. Raises `AskError`, also for what else cannot be asked."""
        self.frame(endpoint)
        self.expected(endpoint)
        self.subprotocols(endpoint, tuple(endpoint.headers.items()))
        return with_scheme(join_url(endpoint.url, endpoint.path, self.default_path), "ws", "wss")

    def headers(self, endpoint: Endpoint, key: str | None) -> tuple[tuple[str, str], ...]:
        """What the handshake carries for the key."""
        return key_header(endpoint, key, "bearer")

    def frame(self, endpoint: Endpoint) -> str | None:
        """The text to send; None: a protocol ping with a payload of its own. Raises `AskError`."""
        if endpoint.body is None:
            return self.default_frame if endpoint.ping == "text" else None
        if not isinstance(endpoint.body, str):
            raise AskError("`body` must be a text for `api = 'websocket'`: the frame to send")
        if endpoint.ping == "frame" and len(endpoint.body.encode("utf-8", "replace")) > MAX_PAYLOAD_BYTES:
            raise AskError(f"`body` is longer than a protocol ping may be: {MAX_PAYLOAD_BYTES} bytes")
        return endpoint.body

    def expected(self, endpoint: Endpoint) -> Expectation:
        """What has to come back for a text. Raises `AskError`."""
        if endpoint.ping == "frame" and endpoint.expect is not None:
            raise AskError("`expect` is for `ping = 'text'`: the pong to a protocol ping repeats its payload")
        try:
            return expectation(self.default_answer if endpoint.expect is None else endpoint.expect)
        except ExpectError as error:
            raise AskError(f"`expect` {error}") from error

    def subprotocols(self, endpoint: Endpoint, headers: Sequence[tuple[str, str]]) -> tuple[str, ...]:
        """What to offer: the endpoint's own, then those of the headers, each once. Raises `AskError`."""
        named = [each.strip() for name, value in headers if name.lower() == SUBPROTOCOLS for each in value.split(",")]
        for field, offered in (("subprotocols", endpoint.subprotocols), ("headers", named)):
            for each in offered:
                is_token = _TOKEN.fullmatch(each) or (field == "headers" and "${" in each)  # a reference, as written
                if not is_token:
                    raise AskError(f"`{field}`: a subprotocol is made of letters, digits and -._, without spaces")
        return tuple(dict.fromkeys((*endpoint.subprotocols, *named)))


WEBSOCKET = WebSocketPing()
