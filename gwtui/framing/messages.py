"""Messages of a WebSocket (RFC 6455): each is an event, whose type stands in its data if anywhere.

Frames are taken apart by the websockets library, which does so without a socket. What the protocol wants sent in
return, such as pongs, is kept for the caller.
"""

from __future__ import annotations

from collections.abc import Sequence

from gwtui.framing.base import MAX_EVENT, NOTHING, FramedEvent, Framing, FramingFaultError, FramingLimitError, Mangled

NORMAL_CLOSURE = 1000


class MessageParser:
    """Parses what a server sends from the end of the handshake on."""

    stray = b""
    unended = None

    def __init__(self, *, max_message: int = MAX_EVENT) -> None:
        # Loaded late: the table of APIs needs the framing, and most commands open no WebSocket.
        from websockets.exceptions import PayloadTooBig
        from websockets.protocol import CLIENT, Protocol

        self.comments = 0
        """Pings and pongs."""
        self.mangled = Mangled()
        self._max_message = max_message
        self._protocol = Protocol(CLIENT, max_size=max_message)
        self._too_big = PayloadTooBig
        self._pieces: list[bytes] = []
        """Of a message whose last frame has not come."""
        self._events = 0

    @property
    def unfinished(self) -> int:
        """Bytes of the message that was begun, as far as its frames are whole."""
        return sum(map(len, self._pieces))

    @property
    def closed(self) -> str | None:
        """The code and the reason that the server closed the connection with; None: it did not."""
        frame = self._protocol.close_rcvd
        return None if frame is None else f"{int(frame.code)} {frame.reason}".rstrip()

    def feed(self, chunk: bytes) -> Sequence[FramedEvent]:
        """The messages that the next bytes completed. Raises `FramingError`, and then always."""
        if (fault := self._protocol.parser_exc) is None:
            self._protocol.receive_data(chunk)
            fault = self._protocol.parser_exc
        found = [event for frame in self._protocol.events_received() if (event := self._event(frame)) is not None]
        if fault is None:
            return found
        error: FramingLimitError | FramingFaultError
        if isinstance(fault, self._too_big):
            error = FramingLimitError(f"a message is longer than {self._max_message >> 20} MiB")
        else:
            error = FramingFaultError(f"a frame breaks the WebSocket protocol: {fault}")
        error.events = found
        raise error

    def say(self, messages: Sequence[bytes]) -> bytes:
        """These messages as text, in masked frames."""
        for message in messages:
            self._protocol.send_text(message)
        return self.replies()

    def hang_up(self) -> bytes:
        """The close frame of a client that has all it wanted; nothing where the connection is closed."""
        from websockets.protocol import OPEN

        if self._protocol.state is OPEN:
            self._protocol.send_close(NORMAL_CLOSURE)
        return self.replies()

    def replies(self) -> bytes:
        """What the protocol wants sent by now."""
        return b"".join(self._protocol.data_to_send())

    def _event(self, frame: object) -> FramedEvent | None:
        """The message that this frame ends, if it does."""
        from websockets.frames import Frame, Opcode

        if not isinstance(frame, Frame) or frame.opcode is Opcode.CLOSE:
            return None
        if frame.opcode in (Opcode.PING, Opcode.PONG):
            self.comments += 1
            return None
        self._pieces.append(bytes(frame.data))
        if not frame.fin:
            return None
        data, self._pieces = b"".join(self._pieces), []
        self._events += 1
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            text = self.mangled.decode(data, error, self._events)
        return FramedEvent("message", text)


MESSAGES = Framing(
    name="messages",
    title="messages of a WebSocket",
    media_types=(),
    parser=MessageParser,
    line=NOTHING,
    beginning=NOTHING,
    event_end="last frame",
    keep_alives="pings",
)
