"""httpx over stamped sockets: one kept connection for each worker, or one for each address that it probes in turn.

A pool that workers share costs quadratically in their number (httpcore 1.0), and its connections would wander between
them. Nothing else of an httpx client is wanted either, which costs as much again as the request: no cookies are kept,
no redirects followed, no credentials taken from anywhere, and a proxy only where one is given.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import httpcore

from gwtui.model.profile import TLS, Endpoint
from gwtui.model.records import Finding
from gwtui.transport.acknowledged import ACKNOWLEDGED_S
from gwtui.transport.bodies import Connection
from gwtui.transport.connection_policy import Address, Made, Renewal
from gwtui.transport.dial import Dial
from gwtui.transport.lean import httpx
from gwtui.transport.proxies import Proxy
from gwtui.transport.routes import Route
from gwtui.transport.sockets import TCPStream
from gwtui.transport.timestamps import net_clock
from gwtui.transport.tls import TLSStream
from gwtui.transport.tls_files import TLSFiles, tls_files
from gwtui.transport.trace import ConnectionTrace, NotHTTPError

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


@dataclass(frozen=True, slots=True)
class _Kept:
    """A connection, which may be used for another request."""

    http: httpcore.AsyncHTTP11Connection
    stream: TCPStream
    trace: ConnectionTrace
    made: Made
    context: ssl.SSLContext | None
    """What TLS was made with; None without TLS."""
    proxy: Proxy | None


class StampedTransport:
    """HTTP/1.1 over one connection at a time, kept from a request to the next as the route's policy says.

    Failures are httpcore's exceptions, with the `OSError` or TLS error as cause, and those of `TLSFiles.context`.
    """

    def __init__(
        self,
        trace: ConnectionTrace,
        route: Route,
        tls: TLSFiles | None,
        server_name: str | None,
        proxy: Proxy | None,
        acknowledged_s: float = ACKNOWLEDGED_S,
    ) -> None:
        self._trace = trace
        self._route = route
        self._tls = tls
        self._server_name = server_name
        self._proxy = proxy
        self._acknowledged_s = acknowledged_s
        self._kept: dict[Address | None, _Kept] = {}

    def use(self, proxy: Proxy | None) -> None:
        """Send the next requests by way of this proxy."""
        self._proxy = proxy
        self._route.use(proxy)

    async def send(self, request: httpx.Request, number: int, found: Callable[[Finding], None]) -> httpx.Response:
        """Send the request of the probe of this number. `found` is told what is worth knowing of the connection."""
        url = request.url
        target, headers = self._forwarded(request)
        core = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=target)
        context = self._tls.context() if self._tls is not None else None
        await self._renew(context, found)
        kept = await self._reusable(number) or await self._connected(url, core.origin, number, context)
        response = await kept.http.handle_async_request(
            httpcore.Request(
                method=request.method,
                url=core,
                headers=headers,
                content=cast(httpx.AsyncByteStream, request.stream),
            )
        )
        if not self._trace.exchange.reads:
            await self._drop(kept)
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

    def certificate_findings(self, warn_days: float) -> tuple[Finding, ...]:
        """What is to be told of the certificates of the connection that was used last."""
        return self._tls.findings(self._trace.peer.expires_at, warn_days) if self._tls is not None else ()

    async def aclose(self) -> None:
        for kept in list(self._kept.values()):
            await self._drop(kept)

    async def _renew(self, context: ssl.SSLContext | None, found: Callable[[Finding], None]) -> None:
        """Give up the connections that the policy does not keep any longer, and those made with another proxy or
        other certificates."""
        now_ns = time.perf_counter_ns()
        for kept in list(self._kept.values()):
            why = self._route.renewal(kept.made, now_ns)
            if why is Renewal.ADDRESS:
                found(self._route.address_changed(kept.made))
            if why is not None or kept.context is not context or kept.proxy != self._proxy:
                await self._drop(kept)

    async def _reusable(self, number: int) -> _Kept | None:
        """The connection that was kept for this probe, if the peer did not close it meanwhile."""
        kept = self._kept.get(self._route.turn(number))
        if kept is None:
            return None
        exchange, before = self._trace.exchange, kept.trace.exchange
        kept.trace.exchange, self._trace.peer = exchange, kept.trace.peer
        if not kept.http.is_available() or kept.http.has_expired():
            await self._drop(kept)
            return None
        exchange.idle_ns = time.perf_counter_ns() - (before.last_read_ns or kept.made.at_ns)
        kept.stream.expect_acknowledgement(self._acknowledged_s)
        return kept

    async def _drop(self, kept: _Kept) -> None:
        for key, each in list(self._kept.items()):
            if each is kept:
                del self._kept[key]
        await kept.http.aclose()

    @property
    def _tunnels(self) -> bool:
        return self._route.tunnels(secure=self._tls is not None)

    def _forwarded(self, request: httpx.Request) -> tuple[bytes, list[tuple[bytes, bytes]]]:
        """Target and headers, as a proxy wants them that is no tunnel (RFC 9112 3.2.2)."""
        url, headers = request.url, request.headers.raw
        if self._proxy is None or self._tunnels:
            return url.raw_path, headers
        login = self._proxy.authorization.encode("ascii")
        own = [(b"Proxy-Authorization", login)] if login else []
        return b"%s://%s%s" % (url.raw_scheme, url.netloc, url.raw_path), [*headers, *own]

    async def _connected(
        self, url: httpx.URL, origin: httpcore.Origin, number: int, context: ssl.SSLContext | None
    ) -> _Kept:
        progress = Dial(time.perf_counter_ns())
        trace = ConnectionTrace(self._trace.exchange, progress)
        self._trace.exchange.dial = self._trace.peer = progress
        try:
            sock = await self._route.connect(number, net_clock(), progress, tunnel=self._tunnels)
        except OSError as error:
            raise httpcore.ConnectError(error) from error
        stream = TCPStream(sock, trace)
        over: TCPStream | TLSStream = stream
        if context is not None:
            over = await stream.start_tls(context, self._server_name or url.raw_host.decode("ascii"))
        progress.stage = "done"
        http = httpcore.AsyncHTTP11Connection(origin, Connection(over, trace))
        kept = _Kept(http, stream, trace, Made(time.perf_counter_ns(), progress.peer), context, self._proxy)
        self._kept[self._route.kept_under(progress)] = kept
        return kept


class _Body(httpx.AsyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._response.aiter_stream()

    async def aclose(self) -> None:
        await self._response.aclose()


def transport_for(
    url: str, endpoint: Endpoint, trace: ConnectionTrace, proxy: Proxy | None, acknowledged_s: float
) -> StampedTransport:
    """A transport for the endpoint's requests to this URL. Raises `httpx.InvalidURL`."""
    settings, parsed = endpoint.tls or TLS(), url_of(url)
    files = tls_files(settings) if parsed.scheme == "https" else None
    host, port = parsed.raw_host.decode("ascii"), parsed.port or PORTS[parsed.scheme]
    route = Route(endpoint, host, port, proxy)
    return StampedTransport(trace, route, files, settings.server_name, proxy, acknowledged_s)
