"""httpx over stamped sockets: one kept connection for each worker.

A pool that workers share costs quadratically in their number (httpcore 1.0), and its connections would wander between
them. Nothing else of an httpx client is wanted either, which costs as much again as the request: no cookies are kept,
no redirects followed, no credentials taken from anywhere, and a proxy only where one is given.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import AsyncIterator
from functools import lru_cache
from typing import cast

import httpcore

from gwtui.probes.bodies import Connection
from gwtui.probes.dial import Dial
from gwtui.probes.exchange import Ledger, NotHTTPError
from gwtui.probes.lean import httpx
from gwtui.probes.netclock import net_clock
from gwtui.probes.proxies import Proxy
from gwtui.probes.reaching import reach
from gwtui.probes.tcp import TCPStream
from gwtui.probes.tls import context_for
from gwtui.profile import TLS

USER_AGENT = "gwtui"
HEADERS = (
    ("Accept", "*/*"),
    ("Accept-Encoding", "identity"),
    ("Connection", "keep-alive"),
    ("User-Agent", USER_AGENT),
)
"""What a request carries unless it says otherwise. `Host` and `Content-Length` are httpx's to add."""
PORTS = {"http": 80, "https": 443}

url_of = lru_cache(maxsize=64)(httpx.URL)
"""A URL, parsed once. Raises `httpx.InvalidURL`."""


class StampedTransport(httpx.AsyncBaseTransport):
    """HTTP/1.1 over one connection at a time, kept from a request to the next.

    Failures are httpcore's exceptions, with the `OSError` or TLS error as cause.
    """

    def __init__(
        self, ledger: Ledger, tls: ssl.SSLContext | None, server_name: str | None, proxy: Proxy | None
    ) -> None:
        self._ledger = ledger
        self._tls = tls
        self._server_name = server_name
        self._proxy = proxy
        self._connection: httpcore.AsyncHTTP11Connection | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        target, headers = self._forwarded(request)
        core = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=target)
        connection = self._connection
        if connection is None or not connection.is_available() or connection.has_expired():
            await self.aclose()
            connection = self._connection = httpcore.AsyncHTTP11Connection(core.origin, await self._connected(url))
        response = await connection.handle_async_request(
            httpcore.Request(
                method=request.method,
                url=core,
                headers=headers,
                content=cast(httpx.AsyncByteStream, request.stream),
            )
        )
        if not self._ledger.exchange.reads:
            await self.aclose()
            raise NotHTTPError(
                "an answer lay ready before the request was sent: the one before was longer than it said"
            )
        return httpx.Response(
            status_code=response.status,
            headers=response.headers,
            stream=_Body(response),
            extensions=response.extensions,
            request=request,
        )

    async def aclose(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.aclose()

    def _forwarded(self, request: httpx.Request) -> tuple[bytes, list[tuple[bytes, bytes]]]:
        """Target and headers, as a proxy wants them that is no tunnel (RFC 9112 3.2.2)."""
        url, headers = request.url, request.headers.raw
        if self._proxy is None or self._tls is not None:
            return url.raw_path, headers
        login = self._proxy.authorization.encode("ascii")
        own = [(b"Proxy-Authorization", login)] if login else []
        return b"%s://%s%s" % (url.raw_scheme, url.netloc, url.raw_path), [*headers, *own]

    async def _connected(self, url: httpx.URL) -> Connection:
        host = url.raw_host.decode("ascii")
        progress = self._ledger.exchange.dial = self._ledger.peer = Dial(time.perf_counter_ns())
        try:
            port = url.port or PORTS[url.scheme]
            sock = await reach(host, port, self._proxy, net_clock(), progress, tunnel=self._tls is not None)
        except OSError as error:
            raise httpcore.ConnectError(error) from error
        stream = TCPStream(sock, self._ledger)
        if self._tls is not None:
            return Connection(await stream.start_tls(self._tls, self._server_name or host), self._ledger)
        progress.stage = "done"
        return Connection(stream, self._ledger)


class _Body(httpx.AsyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._response.aiter_stream()

    async def aclose(self) -> None:
        await self._response.aclose()


def transport_for(url: str, settings: TLS | None, ledger: Ledger, proxy: Proxy | None) -> StampedTransport:
    """A transport for requests to this URL. Raises `AskError` when a file of the TLS settings cannot be used."""
    settings = settings or TLS()
    context = context_for(settings) if url.lower().startswith("https:") else None
    return StampedTransport(ledger, context, settings.server_name, proxy)
