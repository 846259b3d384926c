"""TLS over a stamped stream, how a peer's certificate is checked, and what is said about it."""

from __future__ import annotations

import contextlib
import ssl
import time
from typing import Any, Protocol, cast

import httpcore

from gwtui.model.enums import Clock
from gwtui.model.profile import TLS
from gwtui.text.sanitize import clean
from gwtui.transport.certificates import expires_at
from gwtui.transport.tls_files import tls_files
from gwtui.transport.trace import Arrival, ConnectionTrace, SendSpan

READ_BYTES = 64 * 1024


class Below(Protocol):
    """What TLS needs of the stream that carries it."""

    async def receive(self, max_bytes: int) -> Arrival: ...
    async def transmit(self, buffer: bytes) -> SendSpan | None: ...
    async def aclose(self) -> None: ...
    def get_extra_info(self, info: str) -> Any: ...
    def send_now(self, data: bytes) -> None: ...
    def has_news(self) -> bool: ...
    def take_news(self) -> bytes: ...


class TLSStream:
    """TLS pumped through memory over a stamped stream, so that its stamps are those of the ciphertext's arrival."""

    def __init__(self, below: Below, trace: ConnectionTrace, context: ssl.SSLContext, server_hostname: str) -> None:
        self._below = below
        self._trace = trace
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_hostname)
        self._unread = b""
        self._arrival = Arrival(0, Clock.USER, b"")

    async def handshake(self) -> None:
        """Raises `httpcore.ConnectError` with the `ssl.SSLError` or `OSError` as its cause."""
        progress = self._trace.exchange.dial
        if progress is not None:
            progress.stage = "tls"
        began = time.perf_counter_ns()
        try:
            while not self._handshake_step():
                await self._take_more()
            await self._flush()
        except (ssl.SSLError, httpcore.NetworkError) as error:
            self._below.send_now(self._outgoing.read())
            raise httpcore.ConnectError(error) from error
        if progress is not None:
            progress.tls_ns = time.perf_counter_ns() - began
            progress.tls = describe(self._tls)
            progress.expires_at = expires_at(self._tls.getpeercert(binary_form=True) or b"")
            progress.stage = "done"

    async def read(self, max_bytes: int) -> bytes:
        while True:
            try:
                plain = self._decrypt(max_bytes)
            except ssl.SSLError as error:
                raise httpcore.ReadError(error) from error
            if plain is not None:
                if plain:
                    self._trace.exchange.came(self._arrival, plain)
                return plain
            self._trace.exchange.drained()
            await self._take_more()

    async def write(self, buffer: bytes) -> None:
        view = memoryview(buffer)
        try:
            while view:
                view = view[self._tls.write(view) :]
        except ssl.SSLError as error:
            raise httpcore.WriteError(error) from error
        self._trace.exchange.wrote(await self._flush())

    async def aclose(self) -> None:
        with contextlib.suppress(ssl.SSLError, ValueError):
            self._tls.unwrap()  # the peer's own close_notify is not waited for
        self._below.send_now(self._outgoing.read())
        await self._below.aclose()

    def get_extra_info(self, info: str) -> Any:
        if info == "ssl_object":
            return self._tls
        if info == "is_readable":
            return self._has_news()
        return self._below.get_extra_info(info)

    def _has_news(self) -> bool:
        """As `TCPStream.has_news`. A session ticket that came late is no news; a close_notify is, even one that came
        with the last answer."""
        if self._below.has_news():
            self._incoming.write(self._below.take_news())
        try:
            plain = self._decrypt(READ_BYTES)
        except ssl.SSLError:
            return True
        self._unread = plain or b""
        return plain is not None or self._below.has_news()

    def _handshake_step(self) -> bool:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    async def _take_more(self) -> None:
        """Send what is due, so that the peer can go on, and take the next ciphertext."""
        await self._flush()
        self._arrival = await self._below.receive(READ_BYTES)
        if self._arrival.data:
            self._incoming.write(self._arrival.data)
        else:
            self._incoming.write_eof()

    async def _flush(self) -> SendSpan | None:
        return await self._below.transmit(self._outgoing.read())

    def _decrypt(self, max_bytes: int) -> bytes | None:
        """What can be decrypted now; None when more ciphertext is needed, b"" after the peer's close_notify.

        Raises `ssl.SSLEOFError` when the connection ended without one: whether that cut anything off, who knows.
        """
        plain, self._unread = self._unread, b""
        while len(plain) < max_bytes:
            try:
                more = self._tls.read(max_bytes - len(plain))
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
        return plain


def context_for(settings: TLS) -> ssl.SSLContext:
    """A client context for these settings, made of their files as they are now. Raises as `TLSFiles.context` does."""
    return tls_files(settings).context()


def describe(connection: ssl.SSLObject) -> str:
    """Version, issuer and expiry: `TLSv1.3, issuer Example CA, expires Jan  1 00:00:00 2030 GMT`."""
    version = connection.version() or "TLS"
    certificate = cast(dict[str, Any], connection.getpeercert() or {})
    if not certificate:
        return f"{version}, certificate not verified"
    names: dict[str, str] = dict(attribute for group in certificate.get("issuer", ()) for attribute in group)
    issuer = names.get("commonName") or names.get("organizationName") or "unnamed"
    return clean(f"{version}, issuer {issuer}, expires {certificate.get('notAfter', 'never')}")
