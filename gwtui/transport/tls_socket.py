"""TLS to a proxy, as a socket of its own: whatever goes on above it takes it for a plain one, TLS to the gateway too.

Its stamps are those of the ciphertext, as the kernel made them.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from gwtui.transport.proxies import ProxyError
from gwtui.transport.timestamps import NetClock, StampedSocket

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

READ_BYTES = 64 * 1024
LEAST_BYTES = 4096
RECORD_BYTES = 16 * 1024
"""What one call of `send` takes: a TLS record."""


class TLSSocket(StampedSocket):
    """A non-blocking socket over TLS. Made by `secured`.

    A reader that takes at least `READ_BYTES` at a time leaves nothing in it that a selector does not see. A
    `send` that would block has to be repeated with the same data, as asyncio's transports and `TCPStream` do.
    """

    def __init__(
        self,
        plain: StampedSocket,
        clock: NetClock,
        tls: ssl.SSLObject,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
    ) -> None:
        super().__init__(plain.family, clock, plain.detach())
        self._tls = tls
        self._incoming = incoming
        self._outgoing = outgoing
        self._plain = b""
        self._ended = False
        self._sealed = b""
        """Ciphertext that is still to be sent, of the `_sealed_bytes` that `send` was given."""
        self._sealed_bytes = 0

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        while not self._plain and not self._ended:
            room = max(size - self._incoming.pending, min(size, LEAST_BYTES))
            self._take_in(super().recv(room, flags))
        data, self._plain = self._plain[:size], self._plain[size:]
        return data

    def recv_into(self, buffer: WriteableBuffer, size: int = 0, flags: int = 0) -> int:
        view = memoryview(buffer).cast("B")
        data = self.recv(size or len(view), flags)
        view[: len(data)] = data
        return len(data)

    def send(self, data: ReadableBuffer, flags: int = 0, /) -> int:
        if not self._sealed:
            try:
                self._sealed_bytes = self._tls.write(memoryview(data).cast("B")[:RECORD_BYTES])
            except ssl.SSLError as error:
                raise ProxyError(f"TLS to the proxy broke: {reason_of_tls(error)}") from error
            self._sealed = self._outgoing.read()
        while self._sealed:
            self._sealed = self._sealed[super().send(self._sealed, flags) :]
        return self._sealed_bytes

    def sendmsg(self, buffers: Iterable[ReadableBuffer], /, *_args: Any) -> int:
        return self.send(b"".join(bytes(memoryview(each)) for each in buffers)[:RECORD_BYTES])

    def close(self) -> None:
        if self.fileno() >= 0:
            with contextlib.suppress(ssl.SSLError, ValueError):
                self._tls.unwrap()  # the proxy's own close_notify is not waited for
            with contextlib.suppress(OSError):
                super().send(self._sealed + self._outgoing.read())
        super().close()

    def _take_in(self, data: bytes) -> None:
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()
        try:
            while more := self._tls.read(READ_BYTES):
                self._plain += more
        except ssl.SSLWantReadError:
            return
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            pass
        except ssl.SSLError as error:
            raise ProxyError(f"TLS to the proxy broke: {reason_of_tls(error)}") from error
        self._ended = True


async def secured(sock: StampedSocket, clock: NetClock, context: ssl.SSLContext, name: str) -> TLSSocket:
    """The socket with TLS over it, whose peer has proved to be of this name. Raises `ssl.SSLError` or `OSError`."""
    loop = asyncio.get_running_loop()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname=name)
    is_done = False
    while not is_done:
        try:
            tls.do_handshake()
            is_done = True
        except ssl.SSLWantReadError:
            pass
        finally:
            if to_send := outgoing.read():
                await loop.sock_sendall(sock, to_send)
        if not is_done:
            data = await loop.sock_recv(sock, READ_BYTES)
            if data:
                incoming.write(data)
            else:
                incoming.write_eof()
    return TLSSocket(sock, clock, tls, incoming, outgoing)


def reason_of_tls(error: ssl.SSLError) -> str:
    """Why, in OpenSSL's words."""
    return str(getattr(error, "verify_message", "") or error.reason or error).replace("_", " ").lower()
