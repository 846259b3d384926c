"""One open connection, which carries HTTP/1.1 requests one at a time: sends them, and notes and parses what is read."""

from __future__ import annotations

import ssl
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from msgspec.structs import replace

from gwtui.transport.connection_policy import Made
from gwtui.transport.dial import Dial
from gwtui.transport.http1 import ResponseParser
from gwtui.transport.http1_head import BEGINNING, NotHTTPError, ResponseHead
from gwtui.transport.proxies import Proxy, ProxyError
from gwtui.transport.sockets import Waiting
from gwtui.transport.trace import Arrival, ConnectionTrace, SendSpan


class StampedStream(Protocol):
    """Stamped bytes in both directions, with or without TLS."""

    @property
    def heard_ns(self) -> int: ...
    async def receive(self, waiting: Waiting = ...) -> Arrival: ...
    async def transmit(self, buffer: bytes) -> SendSpan | None: ...
    async def aclose(self) -> None: ...
    def has_news(self) -> bool: ...
    def take_news(self) -> bytes: ...
    def expect_acknowledgement(self, wait_s: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Origin:
    """How a connection was made."""

    made: Made
    dial: Dial
    context: ssl.SSLContext | None
    """What TLS was made with; None without TLS."""
    proxy: Proxy | None


class HTTPConnection:
    """An open connection. `ask`, then `read` until it gives None, then `finish`."""

    def __init__(self, stream: StampedStream, origin: Origin) -> None:
        self._stream = stream
        self.origin = origin
        self.is_open = True
        self.last_read_ns: int | None = None
        """When the last bytes of the request before came."""
        self._trace = ConnectionTrace()
        self._parser = ResponseParser("GET")
        self._pending: Arrival | None = None
        """The data of the body that came with the head."""
        self._leftover = b""
        """Another answer that came behind the one before."""

    def is_idle(self) -> bool:
        """Whether the connection waits for a request, and the peer neither closed it nor sent anything."""
        return bool(self._leftover) or not self._stream.has_news()

    def expect_acknowledgement(self, wait_s: float) -> None:
        """Give the connection up when nothing of what is sent from now on is acknowledged within that time."""
        self._stream.expect_acknowledgement(wait_s)

    async def ask(self, request: bytes, method: str, trace: ConnectionTrace, *, switches: bool = False) -> ResponseHead:
        """Send a whole request and read the head of its answer. `switches`: it asks for another protocol.

        Raises `OSError`, and what is wrong with the head.
        """
        self._trace, self._parser, self._pending = trace, ResponseParser(method, switches=switches), None
        trace.newest = lambda: self._stream.heard_ns
        if self._leftover:
            raise NotHTTPError(
                "an answer lay ready before the request was sent: the one before was longer than it said"
            )
        try:
            trace.sent(await self._stream.transmit(request))
        except ProxyError:
            raise
        except ConnectionError:
            pass  # the peer may have answered before it hung up; else reading says what happened
        while self._parser.head is None:
            self._pending = await self._receive(Waiting.BY_SEGMENT)
        trace.in_body = True
        return self._parser.head

    async def put(self, question: bytes) -> None:
        """Send the question over a connection that has switched protocols: times count from here. Raises as `ask`."""
        span = None
        with suppress(ConnectionError):  # the peer may have said why before it hung up
            span = await self._stream.transmit(question)
        self._trace.switched(span)

    async def reply(self, data: bytes) -> None:
        """Send what the protocol wants sent, which no time counts from."""
        with suppress(ConnectionError):  # reading says what happened
            await self._stream.transmit(data)

    async def read(self, waiting: Waiting) -> Arrival | None:
        """The next read with its data of the body, which may be none; None at the end of the body.

        Raises `OSError`, `CutError`, and what is wrong with the body, behind all data that came before it.
        """
        arrival, self._pending = self._pending, None
        if arrival is not None and arrival.data:
            return arrival
        if self._parser.fault is not None:
            raise self._parser.fault
        if self._parser.is_over:
            return None
        arrival = await self._receive(waiting)
        return arrival if arrival.data or not self._parser.is_over else None

    async def further(self) -> bytes:
        """What comes behind the end of an answer that only the API knows, which no time counts. Raises `OSError`, also
        where nothing comes any more."""
        arrival = await self._stream.receive(Waiting.AT_ONCE)
        if not arrival.data:
            raise arrival.broke or ConnectionError("the connection was closed")
        return self._parser.feed(arrival.data)

    async def finish(self, *, keep: bool) -> bytes:
        """The answer is not read any further: close the connection where it cannot be used again, or is not to be kept.
        Returns what came behind the answer."""
        parser = self._parser
        behind = parser.rest + self._stream.take_news() if parser.is_over else b""
        self._leftover = behind if behind.lstrip().startswith(BEGINNING) else b""
        self.last_read_ns = self._trace.last_read_ns
        if not (keep and parser.keeps_alive) or (behind and not self._leftover):
            await self.aclose()
        return behind

    async def aclose(self) -> None:
        self.is_open = False
        await self._stream.aclose()

    async def _receive(self, waiting: Waiting) -> Arrival:
        arrival = await self._stream.receive(waiting)
        self._trace.came(arrival)
        if arrival.broke is not None:
            raise arrival.broke
        if arrival.data:
            return replace(arrival, data=self._parser.feed(arrival.data))
        if not self._trace.reads:
            raise ConnectionError("the connection was closed without an answer")
        self._parser.end()
        return arrival
