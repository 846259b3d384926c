"""TLS over a stamped stream, and what is said about the peer's certificate."""

from __future__ import annotations

import contextlib
import ssl
import time
from typing import Any, cast

from msgspec.structs import replace

from gwtui.model.enums import Clock
from gwtui.text.sanitize import clean
from gwtui.transport.certificates import expires_at
from gwtui.transport.dial import Dial
from gwtui.transport.sockets import TCPStream, Waiting
from gwtui.transport.trace import Arrival, SendSpan

READ_BYTES = 64 * 1024


class TLSStream:
    """TLS pumped through memory over a stamped stream, so that its stamps are those of the ciphertext's arrival."""

    def __init__(self, below: TCPStream, context: ssl.SSLContext, server_hostname: str) -> None:
        self._below = below
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_hostname)
        self._unread = b""
        self._arrival = Arrival(0, Clock.USER, b"")

    @property
    def heard_ns(self) -> int:
        """When the newest bytes came; 0 before any."""
        return self._below.heard_ns

    async def handshake(self, progress: Dial) -> None:
        """Notes its steps in `progress`. Raises `ssl.SSLError` or `OSError`."""
        progress.stage = "tls"
        began = time.perf_counter_ns()
        try:
            while not self._handshake_step():
                await self._take_more(Waiting.AT_ONCE)
                if self._arrival.broke is not None:
                    raise self._arrival.broke
            await self._flush()
        except OSError:
            self._below.send_now(self._outgoing.read())
            raise
        progress.tls_ns = time.perf_counter_ns() - began
        progress.tls = describe(self._tls)
        progress.expires_at = expires_at(self._tls.getpeercert(binary_form=True) or b"")

    async def receive(self, waiting: Waiting = Waiting.AT_ONCE) -> Arrival:
        """As `TCPStream.receive`, of what was encrypted. An end without a close_notify is a broken connection."""
        while True:
            try:
                plain = self._decrypt()
            except ssl.SSLError as error:
                return replace(self._arrival, data=b"", broke=self._arrival.broke or error)
            if plain is not None:
                return replace(self._arrival, data=plain)
            await self._take_more(waiting)

    async def transmit(self, buffer: bytes) -> SendSpan | None:
        """As `TCPStream.transmit`."""
        view = memoryview(buffer)
        while view:
            view = view[self._tls.write(view) :]
        return await self._flush()

    async def aclose(self) -> None:
        with contextlib.suppress(ssl.SSLError, ValueError):
            self._tls.unwrap()  # the peer's own close_notify is not waited for
        self._below.send_now(self._outgoing.read())
        await self._below.aclose()

    def has_news(self) -> bool:
        """As `TCPStream.has_news`. A session ticket that came late is not; a close_notify is, even one that came
        with the last answer."""
        if self._below.has_news():
            self._take_in(self._below.take_news())
        try:
            plain = self._decrypt()
        except ssl.SSLError:
            return True
        self._unread = plain or b""
        return plain is not None or self._below.has_news()

    def take_news(self) -> bytes:
        """Data that came unrequested. The next read reports its faults."""
        self._take_in(self._below.take_news())
        try:
            return self._decrypt() or b""
        except ssl.SSLError:
            return b""

    def expect_acknowledgement(self, wait_s: float) -> None:
        """As `TCPStream.expect_acknowledgement`."""
        self._below.expect_acknowledgement(wait_s)

    def _handshake_step(self) -> bool:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    async def _take_more(self, waiting: Waiting) -> None:
        """Send what is due, so that the peer can go on, and take the next ciphertext."""
        await self._flush()
        self._arrival = await self._below.receive(waiting)
        if self._arrival.data:
            self._incoming.write(self._arrival.data)
        else:
            self._incoming.write_eof()

    def _take_in(self, ciphertext: bytes) -> None:
        if ciphertext:  # behind the end of the connection there is none, and none may be written
            self._incoming.write(ciphertext)

    async def _flush(self) -> SendSpan | None:
        return await self._below.transmit(self._outgoing.read())

    def _decrypt(self) -> bytes | None:
        """What can be decrypted now; None when more ciphertext is needed, b"" after the peer's close_notify.

        Raises `ssl.SSLEOFError` when the connection ended without one: something may have been cut off.
        """
        plain, self._unread = self._unread, b""
        while True:
            try:
                more = self._tls.read(READ_BYTES)
            except ssl.SSLWantReadError:
                return plain or None
            except ssl.SSLZeroReturnError:
                return plain
            except ssl.SSLError:
                if plain:
                    return plain
                raise
            if not more:
                return plain
            plain += more


def describe(connection: ssl.SSLObject) -> str:
    """Version, issuer and expiry: `TLSv1.3, issuer Example CA, expires Jan  1 00:00:00 2030 GMT`."""
    version = connection.version() or "TLS"
    certificate = cast(dict[str, Any], connection.getpeercert() or {})
    if not certificate:
        return f"{version}, certificate not verified"
    names: dict[str, str] = dict(attribute for group in certificate.get("issuer", ()) for attribute in group)
    issuer = names.get("commonName") or names.get("organizationName") or "unnamed"
    return clean(f"{version}, issuer {issuer}, expires {certificate.get('notAfter', 'never')}")
